package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"idgate/queries"
)

// Whom is somebody to be erased: a customer, or whoever ordered as a guest under a mailbox.
type Whom struct {
	CustomerID int64
	Mailbox    string // as it was typed; read only where there is no CustomerID
}

// Erased says of how many rows of each kind an erasure took what was personal.
type Erased struct {
	Proofs, Sessions, Links, Decisions, Orders, Notices, Listed, Writebacks, Shown, Mails, Events int64

	More bool // there is more: it is erased by slices, and these are the first
}

// All is how many rows that is.
func (e Erased) All() int64 {
	return e.Proofs + e.Sessions + e.Links + e.Decisions + e.Orders + e.Notices + e.Listed + e.Writebacks + e.Shown + e.Mails + e.Events
}

// RefErase marks a Writeback that clears a customer's record in BigCommerce. Its row goes when it is done: it would name the customer.
const RefErase = "erase"

// EraseCustomer erases a person from every table: Proofs with their sealed names, Capabilities, what Sessions, Decisions, orders and Notices
// say of them, and what was owed to their record, also where it was done as a guest for one of their orders or carts. An order keeps its
// figures and its latest Decision, which stands. Proofs and Sessions of guests under a mailbox that the customer used go too; guest orders
// and their links are not the customer's, and wait for the clock. What other customers did under such a mailbox is theirs. Off the allow
// list such a mailbox goes; on the block list its keyed hash stays, so that nobody gets off it by being erased.
//
// Of most people that is one transaction. Of one of whom there is more than a slice, the first is erased on return and the rest is
// durably owed: EraseSlice does it.
func (l *Ledger) EraseCustomer(ctx context.Context, hash string, customerID int64, now time.Time) error {
	if customerID <= 0 {
		return fmt.Errorf("erasing customer %d: the id must be positive", customerID)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		e, err := t.erasure(ctx, hash, customerID, nil, now)
		if err != nil {
			return err
		}
		_, err = t.eraseSlice(ctx, &e, now)
		return err
	})
}

// ErrNobody: there is nobody to erase.
var ErrNobody = errors.New("a customer's id or a mailbox says who is to be erased")

var errTriedOnly = errors.New("tried, and taken back")

// WouldErase says what Erase would erase, by doing it and taking it back: of more than a slice, the first one.
func (l *Ledger) WouldErase(ctx context.Context, s *Shop, p Whom, now time.Time) (out Erased, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		e, err := t.erasureOf(ctx, s, p, now)
		if err != nil {
			return err
		}
		e.erased = Erased{}
		if _, err := t.eraseSlice(ctx, &e, now); err != nil {
			return err
		}
		out = e.erased
		return errTriedOnly
	})
	if errors.Is(err, errTriedOnly) {
		err = nil
	}
	return out, err
}

// Erase erases a person as EraseCustomer does, and returns the number of the line that says so in the activity log: by kinds and figures,
// never who it was. There is none yet while there is more to erase: the last slice writes it. clear owes the clearing of what idgate wrote to
// the customer's record in BigCommerce, fieldsV2 of the v2 fields too; that is owed with the last slice.
func (l *Ledger) Erase(ctx context.Context, s *Shop, p Whom, clear, fieldsV2 bool, now time.Time) (out Erased, line int64, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		e, err := t.erasureOf(ctx, s, p, now)
		if err != nil {
			return err
		}
		e.person, e.clear, e.fieldsV2 = t.actor, e.clear || clear, e.fieldsV2 || fieldsV2
		line, err = t.eraseSlice(ctx, &e, now)
		out = e.erased
		return err
	})
	return out, line, err
}

// String lists what was erased, as the activity log keeps it.
func (e Erased) String() string {
	out := ""
	for _, k := range []struct {
		n         int64
		one, many string
	}{{e.Proofs, "proof", "proofs"}, {e.Sessions, "verification", "verifications"}, {e.Orders, "order", "orders"}, {e.Decisions, "decision", "decisions"},
		{e.Links, "link", "links"}, {e.Mails, "mail asked for", "mails asked for"}, {e.Shown, "mailbox shown", "mailboxes shown"}, {e.Notices, "webhook", "webhooks"},
		{e.Writebacks, "write-back", "write-backs"}, {e.Listed, "list entry", "list entries"}, {e.Events, "outbound webhook", "outbound webhooks"}} {
		if k.n > 0 {
			if out != "" {
				out += ", "
			}
			name := k.many
			if k.n == 1 {
				name = k.one
			}
			out += strconv.FormatInt(k.n, 10) + " " + name
		}
	}
	if out == "" {
		return "nothing was found"
	}
	return out
}

// CustomersUnderMailbox says how many customers have proved identity under a mailbox: what is theirs goes with the customer, not with the mailbox.
func (l *Ledger) CustomersUnderMailbox(ctx context.Context, s *Shop, mailbox string) (int64, error) {
	return l.read.CustomersUnderMailbox(ctx, queries.CustomersUnderMailboxParams{StoreHash: s.Hash, Mailbox: unhex(s.MailboxHash(mailbox))})
}

// RemoveWriteback ends a lease by deleting what was owed, when it is paid or owed no longer, and would keep whom it was about.
func (l *Ledger) RemoveWriteback(ctx context.Context, w Writeback) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.RemoveWriteback(ctx, queries.RemoveWritebackParams{ID: w.ID, Attempt: w.Attempt, LeasedUntil: w.until})
		return err
	})
}

// Erasing is an erasure that is under way.
type Erasing struct {
	Customer bool      // a customer, else whoever ordered under a mailbox
	Person   string    // who asked for it; empty: BigCommerce has the customer no more
	Erased   Erased    // so far
	BeganAt  time.Time // and it goes on until it is done
}

// Erasures lists what is being erased in a Shop, the oldest first.
func (l *Ledger) Erasures(ctx context.Context, hash string) ([]Erasing, error) {
	rows, err := l.read.Erasures(ctx, hash)
	var out []Erasing
	for _, r := range rows {
		e, err := openErasure(hash, queries.ErasureRow(r))
		if err != nil {
			return nil, err
		}
		out = append(out, Erasing{Customer: e.customerID != 0, Person: e.person, Erased: e.erased, BeganAt: e.beganAt})
	}
	return out, err
}

// ErasingShops lists the Shops in which there is somebody to erase.
func (l *Ledger) ErasingShops(ctx context.Context) ([]string, error) { return l.read.ErasingShops(ctx) }

// EraseSlice erases the next slice of the oldest erasure in a Shop, and reports whether there was one. It may be called again at any time,
// by anybody: what it has erased is durable, and so is what is left.
func (l *Ledger) EraseSlice(ctx context.Context, hash string, now time.Time) (was bool, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.Erasures(ctx, hash)
		if err != nil || len(rows) == 0 {
			return err
		}
		was = true
		e, err := openErasure(hash, queries.ErasureRow(rows[0]))
		if err != nil {
			return err
		}
		_, err = t.eraseSlice(ctx, &e, now)
		return err
	})
	return was, err
}

const (
	eraseRows      = 100 // a step that erases so many may have more to erase
	eraseMailboxes = 20  // mailboxes of a customer that one slice looks at
)

// erasure is the erasure of one person.
type erasure struct {
	hash            string
	customerID      int64
	guest           []byte   // keyed hash, where it is no customer
	mailboxes       [][]byte // that the customer used, and under which nothing has been erased yet
	erased          Erased
	person          string
	clear, fieldsV2 bool
	beganAt         time.Time
}

func (t *tx) erasureOf(ctx context.Context, s *Shop, p Whom, now time.Time) (erasure, error) {
	if p.CustomerID > 0 {
		return t.erasure(ctx, s.Hash, p.CustomerID, nil, now)
	}
	m := unhex(s.MailboxHash(p.Mailbox))
	if p.CustomerID != 0 || len(m) == 0 {
		return erasure{}, ErrNobody
	}
	return t.erasure(ctx, s.Hash, 0, m, now)
}

// erasure is the one of a person that is under way, or a new one.
func (t *tx) erasure(ctx context.Context, hash string, customerID int64, guest []byte, now time.Time) (erasure, error) {
	if guest == nil {
		guest = []byte{}
	}
	r, err := found(t.Erasure(ctx, queries.ErasureParams{StoreHash: hash, CustomerID: customerID, Guest: guest}))
	if errors.Is(err, ErrNotFound) {
		return erasure{hash: hash, customerID: customerID, guest: guest, beganAt: now}, nil
	}
	if err != nil {
		return erasure{}, err
	}
	return openErasure(hash, r)
}

func openErasure(hash string, r queries.ErasureRow) (erasure, error) {
	e := erasure{hash: hash, customerID: r.CustomerID, guest: append([]byte{}, r.Guest...), person: r.Person, clear: r.Clear == 1, fieldsV2: r.FieldsV2 == 1, beganAt: instant(r.BeganAt)}
	var mailboxes []string
	if err := errors.Join(json.Unmarshal([]byte(r.Erased), &e.erased), json.Unmarshal([]byte(r.Mailboxes), &mailboxes)); err != nil {
		return e, fmt.Errorf("reading an erasure under way: %w", err)
	}
	for _, m := range mailboxes {
		e.mailboxes = append(e.mailboxes, unhex(m))
	}
	return e, nil
}

// save owes what is left of an erasure.
func (t *tx) saveErasure(ctx context.Context, e *erasure) error {
	mailboxes := []string{}
	for _, m := range e.mailboxes {
		mailboxes = append(mailboxes, hex.EncodeToString(m))
	}
	left, err := json.Marshal(mailboxes)
	if err != nil {
		return err
	}
	erased, err := json.Marshal(e.erased)
	if err != nil {
		return err
	}
	return t.SaveErasure(ctx, queries.SaveErasureParams{StoreHash: e.hash, CustomerID: e.customerID, Guest: e.guest, Mailboxes: string(left), Erased: string(erased),
		Person: e.person, Clear: bit(e.clear), FieldsV2: bit(e.fieldsV2), BeganAt: millis(e.beganAt)})
}

// eraseSlice erases a slice: it goes through all steps, and stops at the first that may have left something. When none has, the erasure is
// over: line is that of the activity log, where somebody asked for it.
func (t *tx) eraseSlice(ctx context.Context, e *erasure, now time.Time) (line int64, err error) {
	t.ring = append(t.ring, OrderBell)
	sessions := e.erased.Sessions
	e.erased.More, err = t.eraseSteps(ctx, e, now)
	if err != nil {
		return 0, err
	}
	if e.erased.Sessions != sessions {
		if _, err := t.EndLostReviews(ctx, e.hash); err != nil { // Sessions that were ended wait for nobody
			return 0, err
		}
	}
	if e.erased.More {
		t.ring = append(t.ring, ErasureBell)
		return 0, t.saveErasure(ctx, e)
	}
	return t.endErasure(ctx, e, now)
}

func (t *tx) eraseSteps(ctx context.Context, e *erasure, now time.Time) (more bool, err error) {
	run := func(steps []step) (more bool, err error) {
		for _, s := range steps {
			if n, err := s(ctx, t); err != nil || n >= eraseRows {
				return true, err
			}
		}
		return false, nil
	}
	if e.customerID == 0 {
		return run(append(eraseGuest(e, now), eraseMailbox(e, e.guest)...))
	}
	if err := t.findMailboxes(ctx, e); err != nil {
		return false, err
	}
	if more, err := run(eraseOwn(e, now)); more || err != nil {
		return more, err
	}
	for range eraseMailboxes {
		if len(e.mailboxes) == 0 {
			break
		}
		m := e.mailboxes[0]
		if more, err := run(append([]step{eraseCartSessions(e, m, now)}, eraseMailbox(e, m)...)); more || err != nil {
			return more, err
		}
		e.mailboxes = e.mailboxes[1:]
	}
	if len(e.mailboxes) == 0 {
		err = t.findMailboxes(ctx, e) // more than a slice of them may have been shown to be the customer's
	}
	return len(e.mailboxes) > 0, err
}

// findMailboxes notes the mailboxes of what is erased next: afterwards nothing says that the customer used them.
func (t *tx) findMailboxes(ctx context.Context, e *erasure) error {
	found, err := t.CustomerMailboxes(ctx, queries.CustomerMailboxesParams{StoreHash: e.hash, CustomerID: e.customerID})
	for _, m := range found {
		if !slices.ContainsFunc(e.mailboxes, func(o []byte) bool { return string(o) == string(m) }) {
			e.mailboxes = append(e.mailboxes, m)
		}
	}
	return err
}

// endErasure pays what an erasure owes at its end.
func (t *tx) endErasure(ctx context.Context, e *erasure, now time.Time) (line int64, err error) {
	if _, err := t.EndErasure(ctx, queries.EndErasureParams{StoreHash: e.hash, CustomerID: e.customerID, Guest: e.guest}); err != nil {
		return 0, err
	}
	kinds := []WritebackKind{CustomerAttributes, ProofMetafield}
	if e.fieldsV2 {
		kinds = append(kinds, CustomerFieldsV2)
	}
	for _, k := range kinds {
		if !e.clear || e.customerID == 0 {
			break
		}
		if err := owe(ctx, t, e.hash, k, e.customerID, RefErase, now); err != nil {
			return 0, err
		}
	}
	if e.person == "" {
		return 0, nil
	}
	what := "customer"
	if e.customerID == 0 {
		what = "mailbox"
	}
	t.actor = e.person
	if err := t.act(ctx, e.hash, ActCustomerErased, what, e.erased.String(), now); err != nil {
		return 0, err
	}
	last, err := t.LastActivity(ctx, e.hash)
	return last.Seq, err
}
