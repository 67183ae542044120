package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
)

// Limits of Sessions within a day. The Shop's own is in its settings; a client's address is bounded at the door, and never stored.
const (
	personTriesPerDay = 10 // of one signed-in customer, or under one mailbox by people who have not shown that it is theirs
	lookBack          = 24 * time.Hour
)

// documents are the kinds that shoppers may choose from, in the order they are offered.
var documents = []idv.DocumentType{idv.DriverLicense, idv.Passport, idv.IDCard}

// Documents are the kinds of document that will do in a Shop for what is required, the first where nobody chooses. A passport has no
// address: where one is compared it is left out, unless the Shop takes nothing else.
func Documents(s *ledger.Shop, q gate.Requirement) []idv.DocumentType {
	out := slices.DeleteFunc(slices.Clone(documents), func(d idv.DocumentType) bool {
		return len(s.Settings.Documents) > 0 && !slices.Contains(s.Settings.Documents, string(d))
	})
	if q.AddressMatch && !slices.Equal(out, []idv.DocumentType{idv.Passport}) {
		out = slices.DeleteFunc(out, func(d idv.DocumentType) bool { return d == idv.Passport })
	}
	if len(out) == 0 {
		return documents[:1]
	}
	return out
}

// chosen is the kind that a shopper chose; "" is the first that will do.
func chosen(s *ledger.Shop, q gate.Requirement, choice string) (idv.DocumentType, error) {
	kinds := Documents(s, q)
	if choice == "" {
		return kinds[0], nil
	}
	if d := idv.DocumentType(choice); slices.Contains(kinds, d) {
		return d, nil
	}
	return "", ErrDocument
}

// TriesLeft is how many more Sessions a Capability's cart or order may begin today.
func (r *Relay) TriesLeft(ctx context.Context, s *ledger.Shop, c ledger.Capability) (int, error) {
	n, err := r.Ledger.CountSessions(ctx, c, r.Now().Add(-lookBack))
	return max(0, s.Policy.TriesPerDay()-int(n)), err
}

// mayStart holds a new Session to the limits.
func (r *Relay) mayStart(ctx context.Context, s *ledger.Shop, c ledger.Capability, shown bool) error {
	left, err := r.TriesLeft(ctx, s, c)
	if err != nil {
		return err
	}
	if left == 0 {
		return ErrTooManyTries
	}
	switch n, err := r.personTries(ctx, s, c, shown); {
	case err != nil:
		return err
	case n >= personTriesPerDay:
		return ErrTooManyTries
	}
	b, err := r.Ledger.SessionBudget(ctx, s, r.Now())
	if err != nil {
		return err
	}
	if b.Spent() {
		if err := r.Ledger.AlarmBudget(ctx, s, r.Now()); err != nil {
			r.Log.Error("telling the staff that the limit on sessions is spent; at the next try again", "shop", s.Hash, "error", err)
		}
		return errBudgetSpent
	}
	return nil
}

// personTries counts what a person has begun today: a signed-in customer by BigCommerce's word, a guest by the mailbox that was typed, unless
// it was shown to be theirs. So nobody uses up a customer's tries by typing their mailbox.
func (r *Relay) personTries(ctx context.Context, s *ledger.Shop, c ledger.Capability, shown bool) (int64, error) {
	since := r.Now().Add(-lookBack)
	switch {
	case c.Mailed:
		return 0, nil
	case c.CustomerID != 0:
		return r.Ledger.CountCustomerSessions(ctx, s.Hash, c.CustomerID, since)
	case c.Mailbox == "" || shown:
		return 0, nil
	}
	return r.Ledger.CountMailboxSessions(ctx, s.Hash, c.Mailbox, since)
}

var errBudgetSpent = errors.New("the shop has begun as many sessions as it may in a day")

// keyed is a mutex per key; keys that nobody holds take no room.
type keyed struct {
	mu sync.Mutex
	m  map[string]*keyedLock
}

type keyedLock struct {
	sync.Mutex
	users int
}

// lock waits for the key and returns what gives it back.
func (k *keyed) lock(key string) (unlock func()) {
	k.mu.Lock()
	if k.m == nil {
		k.m = map[string]*keyedLock{}
	}
	l := k.m[key]
	if l == nil {
		l = &keyedLock{}
		k.m[key] = l
	}
	l.users++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.m, key)
		}
	}
}

// startKey names what Sessions are counted by: a cart or an order.
func startKey(c ledger.Capability) string {
	if c.OrderID != 0 {
		return fmt.Sprintf("%s order %s", c.Shop, strconv.FormatInt(c.OrderID, 10))
	}
	return c.Shop + " cart " + c.CartID
}
