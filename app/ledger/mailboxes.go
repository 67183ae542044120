package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// Way is how control of a mailbox was shown.
type Way string

// The ways: the six digits that were mailed to it, or a link that nothing but a mail to it carried.
const (
	ByCode Way = "code"
	ByLink Way = "link"
)

// Shown is that somebody controls a mailbox, and for what that counts: exactly one of a cart, an order and an account.
type Shown struct {
	Mailbox    string // keyed hash
	CartID     string
	OrderID    int64
	CustomerID int64
	Way        Way
}

// ShowMailbox records that control of a mailbox was shown. The orders that it may concern are decided again, and an account's record is owed
// the newest good Proof that a guest made under this mailbox.
func (l *Ledger) ShowMailbox(ctx context.Context, s *Shop, n Shown, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error { return showMailbox(ctx, t, s, n, now) })
}

func showMailbox(ctx context.Context, t *tx, s *Shop, n Shown, now time.Time) error {
	err := t.ShowMailbox(ctx, queries.ShowMailboxParams{StoreHash: s.Hash, Mailbox: unhex(n.Mailbox), CartID: n.CartID, OrderID: n.OrderID, CustomerID: n.CustomerID,
		Way: string(n.Way), Now: millis(now)})
	if err != nil {
		return err
	}
	t.ring = append(t.ring, OrderBell)
	switch {
	case n.OrderID != 0:
		return t.DueOrder(ctx, queries.DueOrderParams{StoreHash: s.Hash, OrderID: n.OrderID, Now: millis(now), DueAt: millis(now)})
	case n.CartID != "":
		return t.DueOrdersOfCart(ctx, queries.DueOrdersOfCartParams{StoreHash: s.Hash, CartID: n.CartID, DueAt: millis(now)})
	}
	if err := t.DueOrdersOfCustomer(ctx, queries.DueOrdersOfCustomerParams{StoreHash: s.Hash, CustomerID: n.CustomerID, DueAt: millis(now)}); err != nil {
		return err
	}
	proofs, err := t.MailboxProofs(ctx, queries.MailboxProofsParams{StoreHash: s.Hash, Mailbox: unhex(n.Mailbox)})
	if err != nil {
		return err
	}
	for _, p := range proofs {
		if p.CustomerID == 0 && p.RevokedAt == 0 && p.GoodUntil > millis(now) {
			return oweCustomer(ctx, t, s, n.CustomerID, p.ID, now)
		}
	}
	return nil
}

// MailboxShown reports whether control of the buyer's mailbox was shown for this cart, this order or the cart it came from, or this account.
func (l *Ledger) MailboxShown(ctx context.Context, s *Shop, f gate.Facts) (bool, error) {
	if f.Buyer.Mailbox == "" {
		return false, nil
	}
	return l.read.MailboxShown(ctx, queries.MailboxShownParams{StoreHash: s.Hash, Mailbox: unhex(f.Buyer.Mailbox), CartID: f.CartID, OrderID: f.OrderID,
		CustomerID: f.Buyer.CustomerID})
}

// GoodProofs counts the Proofs under a mailbox that are good now, whoever's they are. It looks at the newest ten.
func (l *Ledger) GoodProofs(ctx context.Context, s *Shop, mailbox string, now time.Time) (good int, err error) {
	proofs, err := l.read.MailboxProofs(ctx, queries.MailboxProofsParams{StoreHash: s.Hash, Mailbox: unhex(mailbox)})
	for _, p := range proofs {
		if p.RevokedAt == 0 && p.GoodUntil > millis(now) {
			good++
		}
	}
	return good, err
}

// AskedKind is what a shopper may ask to be mailed.
type AskedKind string

// The kinds.
const (
	AskedLink AskedKind = "link"
	AskedCode AskedKind = "code"
)

// Limits of the mails that a shopper may ask for, of each kind.
const (
	AskAgainAfter  = time.Minute
	AsksPerDay     = 5 // per cart, and per mailbox whatever the cart
	CodeGood       = 10 * time.Minute
	codeTries      = 5
	askedLookBack  = 24 * time.Hour
	codeDigits     = 6
	codesThereAre  = 1_000_000
	codeSubkeyName = "mailbox code"
)

// AskedTooOften says that a mail is not sent yet, or not today.
type AskedTooOften struct {
	Wait  time.Duration // until it may be asked for again
	Spent bool          // not merely too soon
}

func (e *AskedTooOften) Error() string {
	return fmt.Sprintf("a mail was asked for too often; again in %s", e.Wait)
}

// AskedMail is a mail that a shopper may be sent: what it carries is told once, here, and stored as a keyed hash or not at all.
type AskedMail struct {
	ID   int64
	Code string      // of AskedCode
	Link *Capability // of AskedLink
}

// AskMail records that the holder of a cart's Capability is mailed a link or a code, before it is sent: should sending fail, it counts all
// the same. The error is an *AskedTooOften where the cart or the mailbox has had enough. linkUntil is when a link ends.
func (l *Ledger) AskMail(ctx context.Context, s *Shop, kind AskedKind, c Capability, linkUntil, now time.Time) (AskedMail, error) {
	var out AskedMail
	err := l.do(ctx, func(ctx context.Context, t *tx) error {
		out = AskedMail{}
		if err := askedEnough(ctx, t, kind, c, now); err != nil {
			return err
		}
		p := queries.AskMailParams{StoreHash: s.Hash, Kind: string(kind), Capability: c.ID, CartID: c.CartID, CustomerID: c.CustomerID, Mailbox: unhex(c.Mailbox),
			Code: []byte{}, Now: millis(now), ExpiresAt: millis(linkUntil)}
		switch kind {
		case AskedCode:
			out.Code = newCode()
			p.Code, p.ExpiresAt = s.codeHash(c.ID, out.Code), millis(now.Add(CodeGood))
		case AskedLink:
			out.Link = &Capability{Shop: s.Hash, Purpose: ForMail, CartID: c.CartID, CustomerID: c.CustomerID, Mailbox: c.Mailbox, Mailed: true, Locale: c.Locale, Channel: c.Channel, ExpiresAt: linkUntil}
			if err := addCapability(ctx, t, out.Link, now); err != nil {
				return err
			}
		}
		var err error
		out.ID, err = t.AskMail(ctx, p)
		return err
	})
	return out, err
}

// askedEnough holds a mail to the limits of its cart and of its mailbox. Both look back a day; the mailbox counts whichever carts asked, so
// that nobody's mailbox is filled by somebody with many carts.
func askedEnough(ctx context.Context, t *tx, kind AskedKind, c Capability, now time.Time) error {
	since := millis(now.Add(-askedLookBack))
	cart, err := t.CartAskedMails(ctx, queries.CartAskedMailsParams{StoreHash: c.Shop, CartID: c.CartID, Kind: string(kind), Since: since})
	if err != nil {
		return err
	}
	mailbox, err := t.MailboxAskedMails(ctx, queries.MailboxAskedMailsParams{StoreHash: c.Shop, Mailbox: unhex(c.Mailbox), Kind: string(kind), Since: since})
	if err != nil {
		return err
	}
	for _, asked := range [][]int64{cart, mailbox} { // newest first
		if len(asked) >= AsksPerDay {
			return &AskedTooOften{Wait: instant(asked[AsksPerDay-1]).Add(askedLookBack).Sub(now), Spent: true}
		}
	}
	for _, asked := range [][]int64{cart, mailbox} {
		if len(asked) > 0 && now.Sub(instant(asked[0])) < AskAgainAfter {
			return &AskedTooOften{Wait: instant(asked[0]).Add(AskAgainAfter).Sub(now)}
		}
	}
	return nil
}

// newCode is six digits, each as likely as any other.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(codesThereAre))
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
}

// codeHash is keyed with the Shop's key, since six digits could be tried out, and bound to the Capability that asked.
func (s *Shop) codeHash(capability []byte, code string) []byte {
	m := hmac.New(sha256.New, s.key.Derive(codeSubkeyName))
	m.Write(capability)
	m.Write([]byte{0})
	m.Write([]byte(code))
	return m.Sum(nil)
}

// Errors of codes.
var (
	ErrCodeWrong   = errors.New("these are not the digits of the newest code")
	ErrCodeExpired = errors.New("the code has run out, was used, or was guessed at too often")
)

// EnterCode holds what a shopper typed against the newest code that this Capability asked for. The right digits show control of the mailbox
// that they were sent to: for the account that the Capability names, or else for its cart. They work once; the fifth wrong try ends them.
func (l *Ledger) EnterCode(ctx context.Context, s *Shop, c Capability, code string, now time.Time) error {
	var verdict error
	err := l.do(ctx, func(ctx context.Context, t *tx) error {
		verdict = nil
		rows, err := t.NewestCode(ctx, queries.NewestCodeParams{Capability: c.ID, StoreHash: s.Hash})
		if err != nil {
			return err
		}
		if len(rows) == 0 || len(rows[0].Code) == 0 || rows[0].ExpiresAt <= millis(now) {
			verdict = ErrCodeExpired
			return nil
		}
		r := rows[0]
		if !hmac.Equal(r.Code, s.codeHash(c.ID, code)) {
			verdict = ErrCodeWrong // and stays counted
			_, err := t.WrongCode(ctx, r.ID)
			return err
		}
		if _, err := t.UseCode(ctx, r.ID); err != nil {
			return err
		}
		n := Shown{Mailbox: hex.EncodeToString(r.Mailbox), CustomerID: r.CustomerID, Way: ByCode}
		if n.CustomerID == 0 {
			n.CartID = r.CartID
		}
		return showMailbox(ctx, t, s, n, now)
	})
	return errors.Join(err, verdict)
}

// Grant stores a Capability under a fresh id, and returns it with that.
func (l *Ledger) Grant(ctx context.Context, c Capability, now time.Time) (Capability, error) {
	err := l.do(ctx, func(ctx context.Context, t *tx) error { return addCapability(ctx, t, &c, now) })
	return c, err
}

// OrderOfCart is the number of the order that a cart became, or ErrNotFound.
func (l *Ledger) OrderOfCart(ctx context.Context, hash, cartID string) (int64, error) {
	return found(l.read.OrderOfCart(ctx, queries.OrderOfCartParams{StoreHash: hash, CartID: cartID}))
}

// NewestOrderOfCustomer is the number of the order that a customer placed last, if that was after since, or ErrNotFound.
func (l *Ledger) NewestOrderOfCustomer(ctx context.Context, hash string, customer int64, since time.Time) (int64, error) {
	return found(l.read.NewestOrderOfCustomer(ctx, queries.NewestOrderOfCustomerParams{StoreHash: hash, CustomerID: customer, Since: millis(since)}))
}

// CountCustomerSessions says how many Sessions a signed-in customer has begun since then, up to 100.
func (l *Ledger) CountCustomerSessions(ctx context.Context, hash string, customerID int64, since time.Time) (int64, error) {
	return l.read.CountCustomerSessions(ctx, queries.CountCustomerSessionsParams{StoreHash: hash, CustomerID: customerID, Since: millis(since)})
}

// CountMailboxSessions says how many Sessions were begun under a mailbox since then, whoever began them, up to 100.
func (l *Ledger) CountMailboxSessions(ctx context.Context, hash, mailbox string, since time.Time) (int64, error) {
	return l.read.CountMailboxSessions(ctx, queries.CountMailboxSessionsParams{StoreHash: hash, Mailbox: unhex(mailbox), Since: millis(since)})
}

// DefaultBudget is how many Sessions a Shop may begin in a day unless its settings say otherwise.
const DefaultBudget = 1000

// Budget is how many Sessions a Shop may begin within 24 hours, and has.
type Budget struct{ Used, Most int64 }

// Spent reports whether no more may begin.
func (b Budget) Spent() bool { return b.Used >= b.Most }

// SessionBudget is the Shop's budget of the last 24 hours. Used is counted up to CountCap.
func (l *Ledger) SessionBudget(ctx context.Context, s *Shop, now time.Time) (Budget, error) {
	b := Budget{Most: int64(s.Settings.SessionsPerDay)}
	if b.Most == 0 {
		b.Most = DefaultBudget
	}
	var err error
	b.Used, err = l.read.CountShopSessions(ctx, queries.CountShopSessionsParams{StoreHash: s.Hash, Since: millis(now.Add(-24 * time.Hour))})
	return b, err
}
