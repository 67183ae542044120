package ledger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/receipt"
	"idgate/queries"
)

// Purpose is the one thing a Capability lets its holder do.
type Purpose string

// The purposes.
const (
	ForCart    Purpose = "cart"    // prove identity for one cart, and follow one's own Sessions
	ForConfirm Purpose = "confirm" // see on the confirmation page that a step is left
	ForMail    Purpose = "mail"    // verify behind a link, for an order or a cart
)

// Capability is what a token opens.
type Capability struct {
	ID         []byte // 16 random bytes
	Shop       string
	Purpose    Purpose
	CartID     string
	OrderID    int64
	CustomerID int64
	Mailbox    string // keyed hash
	Mailed     bool   // only a mail to Mailbox carried it, and nobody else saw it
	Locale     string // the shopper's language, as their page named it
	Channel    int64  // storefront of its cart or order; 0: not known
	ExpiresAt  time.Time
}

// Errors of Capabilities.
var (
	ErrBadCapability     = errors.New("this capability was not made by this server, or is for another purpose")
	ErrExpiredCapability = errors.New("this capability has run out")
)

// Token is the Capability as its holder carries it: purpose, random id, and an HMAC over both.
func (l *Ledger) Token(c Capability) string {
	return string(c.Purpose) + "." + base64.RawURLEncoding.EncodeToString(append(c.ID[:16:16], l.capabilityMAC(c.Purpose, c.ID, 0)...))
}

func (l *Ledger) capabilityMAC(p Purpose, id []byte, key int) []byte {
	m := hmac.New(sha256.New, l.macKeys[key])
	m.Write([]byte(p))
	m.Write([]byte{0})
	m.Write(id)
	return m.Sum(nil)[:16]
}

// SpeakCapability changes the language in which the holder of a Capability is told how things stand.
func (l *Ledger) SpeakCapability(ctx context.Context, c Capability, locale string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.SetCapabilityLocale(ctx, queries.SetCapabilityLocaleParams{ID: c.ID, Locale: locale})
		return err
	})
}

// Capability opens a token that must be for the given purpose. The HMAC is checked first, in constant time, so guessing costs no read.
func (l *Ledger) Capability(ctx context.Context, token string, want Purpose, now time.Time) (Capability, error) {
	rest, ok := strings.CutPrefix(token, string(want)+".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(raw) != 32 {
		return Capability{}, ErrBadCapability
	}
	good := false
	for i := range l.macKeys {
		good = hmac.Equal(raw[16:], l.capabilityMAC(want, raw[:16], i)) || good
	}
	if !good {
		return Capability{}, ErrBadCapability
	}
	r, err := found(l.read.Capability(ctx, raw[:16]))
	switch {
	case errors.Is(err, ErrNotFound), err == nil && Purpose(r.Purpose) != want:
		return Capability{}, ErrBadCapability
	case err != nil:
		return Capability{}, err
	}
	c := Capability{ID: raw[:16], Shop: r.StoreHash, Purpose: want, CartID: r.CartID, OrderID: r.OrderID, CustomerID: r.CustomerID,
		Mailbox: hex.EncodeToString(r.Mailbox), Mailed: r.Mailed == 1, Locale: r.Locale, Channel: r.ChannelID, ExpiresAt: instant(r.ExpiresAt)}
	if !now.Before(c.ExpiresAt) {
		return c, ErrExpiredCapability
	}
	return c, nil
}

func addCapability(ctx context.Context, t *tx, c *Capability, now time.Time) error {
	c.ID = make([]byte, 16)
	_, _ = rand.Read(c.ID) // never fails
	return t.AddCapability(ctx, queries.AddCapabilityParams{ID: c.ID, StoreHash: c.Shop, Purpose: string(c.Purpose), CartID: c.CartID, OrderID: c.OrderID,
		CustomerID: c.CustomerID, Mailbox: unhex(c.Mailbox), Mailed: bit(c.Mailed), Locale: c.Locale, ChannelID: c.Channel, Now: millis(now), ExpiresAt: millis(c.ExpiresAt)})
}

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s) // our own hex
	if b == nil {
		b = []byte{}
	}
	return b
}

// MadeBy says who made a Decision.
type MadeBy string

// The makers.
const (
	ByRule    MadeBy = "rule"
	ByPerson  MadeBy = "person"
	ByFailure MadeBy = "failure"
)

// NewDecision is a Decision to record.
type NewDecision struct {
	Facts    gate.Facts
	Decision gate.Decision
	Policy   int64 // version
	MadeBy   MadeBy
	Person   string
	Note     string
}

// addDecision signs and stores a Decision.
func (l *Ledger) addDecision(ctx context.Context, t *tx, s *Shop, n NewDecision, now time.Time) (string, error) {
	id := l.nextID(now)
	digest := s.FactsDigest(n.Facts.Canonical())
	codes := make([]string, len(n.Decision.Reasons))
	for i, r := range n.Decision.Reasons {
		codes[i] = string(r.Code)
	}
	rec := receipt.DecisionReceipt{ID: id, Shop: s.Hash, Outcome: string(n.Decision.Outcome), PolicyVersion: max(n.Policy, 1),
		FactsDigest: digest, Reasons: codes, MadeBy: string(n.MadeBy)}
	cart := n.Facts.CartID
	if n.Facts.Stage == gate.AtOrder {
		rec.OrderID = n.Facts.OrderID
	} else {
		rec.CartID = cart
	}
	signed, err := l.Signer(l.issuer).SignDecision(rec, now)
	if err != nil {
		return "", err
	}
	why, err := json.Marshal(n.Decision)
	if err != nil {
		return "", err
	}
	if n.Facts.Stage == gate.AtOrder {
		if _, err := t.SupersedeDecision(ctx, queries.SupersedeDecisionParams{StoreHash: s.Hash, OrderID: n.Facts.OrderID}); err != nil {
			return "", err
		}
	}
	if n.Facts.Stage == gate.AtCheckout && n.Decision.Outcome == gate.Verify && n.Decision.Binds() && cart != "" {
		if err := countShown(ctx, t, s.Hash, cart, now); err != nil {
			return "", err
		}
	}
	return id, t.AddDecision(ctx, queries.AddDecisionParams{ID: id, StoreHash: s.Hash, Stage: string(n.Facts.Stage), CartID: cart, OrderID: n.Facts.OrderID,
		CustomerID: n.Facts.Buyer.CustomerID, Outcome: string(n.Decision.Outcome), Mode: string(n.Decision.Mode), MadeBy: string(n.MadeBy), Person: n.Person,
		Note: n.Note, PolicyVersion: n.Policy, ProofID: n.Decision.ProofID, FactsDigest: digest, Explanation: string(why), Receipt: signed, Now: millis(now)})
}

// RecordCartDecision stores the answer for a cart. When grant is not nil it is stored too, with a fresh id, and returned.
func (l *Ledger) RecordCartDecision(ctx context.Context, s *Shop, n NewDecision, grant *Capability, now time.Time) (id string, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		if id, err = l.addDecision(ctx, t, s, n, now); err != nil || grant == nil {
			return err
		}
		return addCapability(ctx, t, grant, now)
	})
	return id, err
}

// answerGood is how long the same answer to the same question about a cart is one Decision. Then it is made anew, so that the Decision that a
// page shows is not forgotten before its cart is.
const answerGood = time.Hour

// AnswerCart is RecordCartDecision for a page's question: a cart's latest Decision is the answer again, with its Receipt, where nothing is new
// since. Whoever asks over and over adds nothing to the record.
func (l *Ledger) AnswerCart(ctx context.Context, s *Shop, n NewDecision, grant *Capability, now time.Time) (id string, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		if id, err = t.sameAnswer(ctx, s, n, now); err != nil {
			return err
		}
		if id == "" {
			if id, err = l.addDecision(ctx, t, s, n, now); err != nil {
				return err
			}
		}
		if grant == nil {
			return nil
		}
		return addCapability(ctx, t, grant, now)
	})
	return id, err
}

// sameAnswer is the id of the cart's latest Decision where n repeats it, or "". Its explanation has the outcome, the Proof and every rule in it.
func (t *tx) sameAnswer(ctx context.Context, s *Shop, n NewDecision, now time.Time) (string, error) {
	last, err := found(t.CartAnswer(ctx, queries.CartAnswerParams{StoreHash: s.Hash, CartID: n.Facts.CartID}))
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	why, err := json.Marshal(n.Decision)
	if err != nil {
		return "", err
	}
	same := last.Stage == string(n.Facts.Stage) && last.CustomerID == n.Facts.Buyer.CustomerID && last.PolicyVersion == n.Policy && last.Explanation == string(why) &&
		last.MadeBy == string(n.MadeBy) && last.Person == n.Person && last.Note == n.Note && bytes.Equal(last.FactsDigest, s.FactsDigest(n.Facts.Canonical()))
	if !same || now.Sub(instant(last.MadeAt)).Abs() >= answerGood {
		return "", nil
	}
	return last.ID, nil
}

// KnowsCart reports whether a Decision names the cart: BigCommerce has had it.
func (l *Ledger) KnowsCart(ctx context.Context, hash, cartID string) (bool, error) {
	_, err := found(l.read.CartAnswer(ctx, queries.CartAnswerParams{StoreHash: hash, CartID: cartID}))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Session is a stored Session. CaptureURL is opened; it is a bearer link: never log it.
type Session struct {
	ID          string
	Shop        string
	Provider    string
	Ref         string
	CaptureURL  string
	State       idv.State
	Capability  []byte
	CartID      string
	OrderID     int64
	CustomerID  int64
	Mailbox     string
	Requirement gate.Requirement
	Policy      int64
	Reason      string
	Trouble     string
	StartedAt   time.Time
	Deadline    time.Time
	ChangedAt   time.Time
	Attempt     int64
	PollAt      time.Time
	Late        bool
}

// NewSessionID makes the id a Session has here and at the provider, before the provider is asked.
func NewSessionID(now time.Time) string { return newID(now) }

// StartSession stores a Session that the provider has just made for the holder of c.
func (l *Ledger) StartSession(ctx context.Context, s *Shop, c Capability, n Session, now time.Time) error {
	sealed, err := s.key.Seal("capture url", n.ID, []byte(n.CaptureURL))
	if err != nil {
		return err
	}
	req, err := json.Marshal(n.Requirement)
	if err != nil {
		return err
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.ring = append(t.ring, SessionBell)
		if err := countStarted(ctx, t, s.Hash, now); err != nil {
			return err
		}
		return t.AddSession(ctx, queries.AddSessionParams{ID: n.ID, StoreHash: s.Hash, Provider: n.Provider, ProviderRef: n.Ref, CaptureUrl: sealed,
			Capability: c.ID, CartID: c.CartID, OrderID: c.OrderID, CustomerID: c.CustomerID, Mailbox: unhex(c.Mailbox), Requirement: string(req),
			PolicyVersion: n.Policy, Channel: c.Channel, Now: millis(now), Deadline: millis(n.Deadline), PollAt: millis(n.PollAt)})
	})
}

func (l *Ledger) openSession(r queries.SessionRow) (Session, error) {
	n := Session{ID: r.ID, Shop: r.StoreHash, Provider: r.Provider, Ref: r.ProviderRef, State: idv.State(r.State), Capability: r.Capability, CartID: r.CartID,
		OrderID: r.OrderID, CustomerID: r.CustomerID, Mailbox: hex.EncodeToString(r.Mailbox), Policy: r.PolicyVersion, Reason: r.Reason, Trouble: r.Trouble,
		StartedAt: instant(r.StartedAt), Deadline: instant(r.Deadline), ChangedAt: instant(r.ChangedAt), Attempt: r.Attempt, PollAt: instant(r.PollAt), Late: r.Late == 1}
	if err := json.Unmarshal([]byte(r.Requirement), &n.Requirement); err != nil {
		return n, fmt.Errorf("reading session %s: %w", r.ID, err)
	}
	if len(r.CaptureUrl) == 0 {
		return n, nil
	}
	s, ok := (*l.shops.Load())[r.StoreHash]
	if !ok || s.State == Uninstalled {
		return n, ErrUnknownShop
	}
	u, err := s.key.Open("capture url", r.ID, r.CaptureUrl)
	if err != nil {
		return n, fmt.Errorf("opening session %s: %w", r.ID, err)
	}
	n.CaptureURL = string(u)
	return n, nil
}

// Session returns a Session by its id.
func (l *Ledger) Session(ctx context.Context, id string) (Session, error) {
	r, err := found(l.read.Session(ctx, id))
	if err != nil {
		return Session{}, err
	}
	return l.openSession(queries.SessionRow(r))
}

// CapabilitySession returns the newest Session started with c, or ErrNotFound.
func (l *Ledger) CapabilitySession(ctx context.Context, c Capability) (Session, error) {
	rows, err := l.read.CapabilitySessions(ctx, c.ID)
	if err != nil {
		return Session{}, err
	}
	if len(rows) == 0 {
		return Session{}, ErrNotFound
	}
	return l.openSession(queries.SessionRow(rows[0]))
}

// SubjectSessions lists the Sessions of an order (its own and its cart's), newest first.
func (l *Ledger) SubjectSessions(ctx context.Context, hash string, orderID int64, cartID string) ([]Session, error) {
	ours, err := l.read.OrderSessions(ctx, queries.OrderSessionsParams{StoreHash: hash, OrderID: orderID})
	if err != nil {
		return nil, err
	}
	carts, err := l.read.CartSessions(ctx, queries.CartSessionsParams{StoreHash: hash, CartID: cartID})
	if err != nil {
		return nil, err
	}
	var out []Session
	add := func(r queries.SessionRow) error {
		n, err := l.openSession(r)
		out = append(out, n)
		return err
	}
	for _, r := range ours {
		if err := add(queries.SessionRow(r)); err != nil {
			return nil, err
		}
	}
	for _, r := range carts {
		if err := add(queries.SessionRow(r)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CountSessions says how many Sessions a cart or an order has begun since then; an order, since its buyer was last asked again.
func (l *Ledger) CountSessions(ctx context.Context, c Capability, since time.Time) (int64, error) {
	if c.OrderID != 0 {
		_, again, err := l.AskedAgain(ctx, c.Shop, c.OrderID)
		if err != nil {
			return 0, err
		}
		if again.After(since) {
			since = again
		}
		return l.read.CountOrderSessions(ctx, queries.CountOrderSessionsParams{StoreHash: c.Shop, OrderID: c.OrderID, Since: millis(since)})
	}
	return l.read.CountCartSessions(ctx, queries.CountCartSessionsParams{StoreHash: c.Shop, CartID: c.CartID, Since: millis(since)})
}

// LeaseSessions takes up to count of a Shop's Sessions that are due and keeps others from polling them until the lease ends.
func (l *Ledger) LeaseSessions(ctx context.Context, hash string, now, until time.Time, count int) ([]Session, error) {
	var out []Session
	err := l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.LeaseSessions(ctx, queries.LeaseSessionsParams{StoreHash: hash, Now: millis(now), LeaseUntil: millis(until), Count: int64(count)})
		if err != nil {
			return err
		}
		for _, r := range rows {
			n, err := l.openSession(queries.SessionRow(r))
			if err != nil && !errors.Is(err, ErrUnknownShop) {
				// It must not keep its neighbours from being polled; a key put right is noticed at the next look.
				trouble := fmt.Sprintf("it cannot be read (%v); the shopper may begin anew", err)
				if _, err := t.PostponeSession(ctx, queries.PostponeSessionParams{ID: r.ID, Attempt: r.Attempt, PollAt: millis(until.Add(unreadable)), Trouble: trouble}); err != nil {
					return err
				}
				continue
			}
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

// unreadable is how long a Session rests whose sealed address cannot be opened.
const unreadable = 15 * time.Minute

// PostponeSession ends a lease without a change of state: the provider could not be asked, or had nothing new.
func (l *Ledger) PostponeSession(ctx context.Context, n Session, pollAt time.Time, trouble string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.PostponeSession(ctx, queries.PostponeSessionParams{ID: n.ID, Attempt: n.Attempt, PollAt: millis(pollAt), Trouble: trouble})
		return err
	})
}

// WakeSession lets a doorbell make the Session due now, at most once per 2 s and never into a running poll.
// It returns nil whether or not there was such a Session.
func (l *Ledger) WakeSession(ctx context.Context, hash, id string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.WakeSession(ctx, queries.WakeSessionParams{ID: id, StoreHash: hash, Now: millis(now), RungBefore: millis(now.Add(-2 * time.Second))})
		if n > 0 {
			t.ring = append(t.ring, SessionBell)
		}
		return err
	})
}

// Person is what is kept of a proved person, for comparison only.
type Person struct {
	Given  string `json:"given"`
	Family string `json:"family"`
	// The address on the document, as far as it is compared. Proofs of before it was kept in parts have it as one line, which nothing
	// reads: to compare they are without an address.
	Street   string `json:"street,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	Country  string `json:"country,omitempty"`
}

// Name is the person's name for comparison.
func (p Person) Name() gate.Name { return gate.Name{Given: p.Given, Family: p.Family} }

// Address is the person's address for comparison.
func (p Person) Address() gate.Address {
	return gate.Address{Street: p.Street, Postcode: p.Postcode, Country: p.Country}
}

// NewProof is what a passed Session established.
type NewProof struct {
	IAL       gate.IAL
	Source    string
	Document  bool
	Selfie    bool
	Age       int
	Person    Person
	GoodUntil time.Time
}

// Move is a change of a Session's state, with everything that follows from it.
type Move struct {
	State    idv.State
	Reason   string
	Digest   [32]byte
	PollAt   time.Time // zero when State is final
	Deadline time.Time
	Late     bool
	Proof    *NewProof
	// Tries and TriesSince bound the Sessions of an order: its buyer has none left when there were as many since then. 0: nobody counts.
	Tries      int
	TriesSince time.Time
	Decision   *NewDecision // the cart's Decision that the Proof changes
}

// MoveSession ends a lease with a change of state. Proof, Decision, Receipts and the Writebacks they cause are stored in the same
// transaction. It reports false, and changes nothing, when the lease is no longer ours or the Session is final.
func (l *Ledger) MoveSession(ctx context.Context, s *Shop, n Session, m Move, now time.Time) (moved bool, err error) {
	url := []byte{}
	if !m.State.Final() {
		if url, err = s.key.Seal("capture url", n.ID, []byte(n.CaptureURL)); err != nil {
			return false, err
		}
	}
	late := int64(0)
	if m.Late {
		late = 1
	}
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		k, err := t.MoveSession(ctx, queries.MoveSessionParams{ID: n.ID, Attempt: n.Attempt, State: string(m.State), Reason: m.Reason, Digest: m.Digest[:],
			ChangedAt: millis(now), PollAt: millis(m.PollAt), Late: late, CaptureUrl: url, Deadline: millis(m.Deadline)})
		if err != nil || k == 0 {
			return err
		}
		moved = true
		if err := t.reviewSession(ctx, s.Hash, n, m, now); err != nil {
			return err
		}
		if err := countEnded(ctx, t, s.Hash, m.State, 1, now); err != nil {
			return err
		}
		proofID := ""
		if m.Proof != nil {
			proofID = l.nextID(now)
			if err := l.addProof(ctx, t, s, n, m, proofID, now); err != nil {
				return err
			}
		}
		return l.tellSession(ctx, t, s, n, m, proofID, now)
	})
	return moved && err == nil, err
}

func (l *Ledger) addProof(ctx context.Context, t *tx, s *Shop, n Session, m Move, id string, now time.Time) error {
	p := m.Proof
	plain, err := json.Marshal(p.Person)
	if err != nil {
		return err
	}
	person, err := s.key.Seal("person", id, plain)
	if err != nil {
		return err
	}
	err = t.AddProof(ctx, queries.AddProofParams{ID: id, StoreHash: s.Hash, SessionID: n.ID, CustomerID: n.CustomerID, CartID: n.CartID, OrderID: n.OrderID,
		Mailbox: unhex(n.Mailbox), Ial: int64(p.IAL), Source: p.Source, Document: bit(p.Document), Selfie: bit(p.Selfie), Age: int64(p.Age), Person: person,
		Now: millis(now), GoodUntil: millis(p.GoodUntil)})
	if err != nil {
		return err
	}
	if err := t.KeepSession(ctx, queries.KeepSessionParams{ID: n.ID, GoodUntil: millis(p.GoodUntil), Ial: int64(p.IAL), Source: p.Source}); err != nil {
		return err
	}
	if m.Decision != nil {
		if m.Decision.Decision.Outcome == gate.Allow {
			m.Decision.Decision.ProofID = id
		}
		if _, err := l.addDecision(ctx, t, s, *m.Decision, now); err != nil {
			return err
		}
		if m.Decision.Decision.Outcome == gate.Allow {
			if _, err := t.endReviews(ctx, s.Hash, 0, n.CartID); err != nil {
				return err
			}
		}
	}
	if n.CustomerID != 0 {
		if err := oweCustomer(ctx, t, s, n.CustomerID, id, now); err != nil {
			return err
		}
		err := t.DueOrdersOfCustomer(ctx, queries.DueOrdersOfCustomerParams{StoreHash: s.Hash, CustomerID: n.CustomerID, DueAt: millis(now)})
		if err != nil {
			return err
		}
	}
	t.ring = append(t.ring, OrderBell)
	if n.OrderID != 0 {
		return t.DueOrder(ctx, queries.DueOrderParams{StoreHash: s.Hash, OrderID: n.OrderID, Now: millis(now), DueAt: millis(now)})
	}
	return t.DueOrdersOfCart(ctx, queries.DueOrdersOfCartParams{StoreHash: s.Hash, CartID: n.CartID, DueAt: millis(now)})
}

// oweCustomer owes what a customer's record is to say after a Proof. Nothing is owed in shadow: it makes no outside write.
func oweCustomer(ctx context.Context, t *tx, s *Shop, customerID int64, proofID string, now time.Time) error {
	if s.Policy.Mode != gate.Enforce {
		return nil
	}
	kinds := []WritebackKind{CustomerAttributes, ProofMetafield}
	if s.Policy.CustomFieldsV2 {
		kinds = append(kinds, CustomerFieldsV2)
	}
	for _, k := range kinds {
		if err := owe(ctx, t, s.Hash, k, customerID, proofID, now); err != nil {
			return err
		}
	}
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Proof is a stored Proof with its person opened.
type Proof struct {
	gate.Proof
	SessionID  string
	RevokedAt  time.Time
	RevokedBy  string
	RevokedWhy string
}

func (l *Ledger) openProof(s *Shop, r queries.Proof) (Proof, error) {
	var p Person // nobody once the Proof is not good any more
	if len(r.Person) > 0 {
		plain, err := s.key.Open("person", r.ID, r.Person)
		if err != nil {
			return Proof{}, fmt.Errorf("opening proof %s: %w", r.ID, err)
		}
		if err := json.Unmarshal(plain, &p); err != nil {
			return Proof{}, fmt.Errorf("reading proof %s: %w", r.ID, err)
		}
	}
	return Proof{SessionID: r.SessionID, RevokedAt: instant(r.RevokedAt), RevokedBy: r.RevokedBy, RevokedWhy: r.RevokedWhy, Proof: gate.Proof{
		ID: r.ID, IAL: gate.IAL(r.Ial), Source: r.Source, Document: r.Document == 1, Selfie: r.Selfie == 1, Age: int(r.Age),
		Name: p.Name(), Address: p.Address(), At: instant(r.ProvedAt), Until: instant(r.GoodUntil), Revoked: r.RevokedAt != 0,
		Holder: gate.Holder{CustomerID: r.CustomerID, CartID: r.CartID, OrderID: r.OrderID, Mailbox: hex.EncodeToString(r.Mailbox)},
	}}, nil
}

// Proof returns one Proof of the Shop.
func (l *Ledger) Proof(ctx context.Context, s *Shop, id string) (Proof, error) {
	r, err := found(l.read.Proof(ctx, queries.ProofParams{ID: id, StoreHash: s.Hash}))
	if err != nil {
		return Proof{}, err
	}
	return l.openProof(s, queries.Proof(r))
}

// SessionProof returns the Proof that a Session made, or ErrNotFound.
func (l *Ledger) SessionProof(ctx context.Context, s *Shop, sessionID string) (Proof, error) {
	r, err := found(l.read.SessionProof(ctx, queries.SessionProofParams{SessionID: sessionID, StoreHash: s.Hash}))
	if err != nil {
		return Proof{}, err
	}
	return l.openProof(s, queries.Proof(r))
}

// RevokeProof takes a Proof back, by a named person and for a reason. Its orders are decided again: those that have not shipped are held.
// What was written to the customer's record is taken back too. ErrNotFound when the Shop has no such Proof that still stands.
func (l *Ledger) RevokeProof(ctx context.Context, s *Shop, id, by, why string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.RevokeProof(ctx, queries.RevokeProofParams{ID: id, StoreHash: s.Hash, RevokedBy: by, RevokedWhy: why, Now: millis(now)})
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		if _, err := t.DueOrdersOfProof(ctx, queries.DueOrdersOfProofParams{StoreHash: s.Hash, ProofID: id, DueAt: millis(now)}); err != nil {
			return err
		}
		t.ring = append(t.ring, OrderBell)
		t.actor = by
		if err := t.act(ctx, s.Hash, ActProofRevoked, id, why, now); err != nil {
			return err
		}
		p, err := found(t.Proof(ctx, queries.ProofParams{ID: id, StoreHash: s.Hash}))
		if err != nil || p.CustomerID == 0 {
			return err
		}
		return oweCustomer(ctx, t, s, p.CustomerID, id, now)
	})
}

// ProofsFor finds the Proofs that could concern a cart or order: by customer, cart, order and mailbox, newest first in each.
// Finding authorises nothing; gate.Decide does.
func (l *Ledger) ProofsFor(ctx context.Context, s *Shop, f gate.Facts) ([]gate.Proof, error) {
	byCustomer, err := l.read.CustomerProofs(ctx, queries.CustomerProofsParams{StoreHash: s.Hash, CustomerID: f.Buyer.CustomerID})
	if err != nil {
		return nil, err
	}
	byCart, err := l.read.CartProofs(ctx, queries.CartProofsParams{StoreHash: s.Hash, CartID: f.CartID})
	if err != nil {
		return nil, err
	}
	byOrder, err := l.read.OrderProofs(ctx, queries.OrderProofsParams{StoreHash: s.Hash, OrderID: f.OrderID})
	if err != nil {
		return nil, err
	}
	byMailbox, err := l.read.MailboxProofs(ctx, queries.MailboxProofsParams{StoreHash: s.Hash, Mailbox: unhex(f.Buyer.Mailbox)})
	if err != nil {
		return nil, err
	}
	var rows []queries.Proof
	for _, r := range byCustomer {
		rows = append(rows, queries.Proof(r))
	}
	for _, r := range byCart {
		rows = append(rows, queries.Proof(r))
	}
	for _, r := range byOrder {
		rows = append(rows, queries.Proof(r))
	}
	for _, r := range byMailbox {
		rows = append(rows, queries.Proof(r))
	}
	seen := map[string]bool{}
	var out []gate.Proof
	for _, r := range rows {
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		p, err := l.openProof(s, r)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Proof)
	}
	return out, nil
}
