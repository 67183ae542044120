package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// BusyError says that shoppers have used up their part of a Shop's API quota, and when there is more.
type BusyError struct{ Wait time.Duration }

func (e *BusyError) Error() string {
	return fmt.Sprintf("shoppers have used up their part of the shop's API quota; more in %s", e.Wait)
}

type urgencyKey struct{}

// urgencyOf is the urgency that a call's context carries: awaited, or anything else.
func urgencyOf(ctx context.Context) urgency {
	if u, ok := ctx.Value(urgencyKey{}).(urgency); ok {
		return u
	}
	return useful
}

// whileAwaited sets calls aside that a shopper waits for, and returns the context to make them with, and what gives back those that were
// not made. The error is a *BusyError.
func (r *Relay) whileAwaited(ctx context.Context, s *ledger.Shop, calls int) (context.Context, func(), error) {
	wait, release := r.pacers.of(s.Hash).reserve(r.Now(), awaited, calls)
	if release == nil {
		return ctx, func() {}, &BusyError{wait}
	}
	return context.WithValue(ctx, urgencyKey{}, awaited), release, nil
}

// askingOf is whileAwaited for calls about a cart. The error is BigCommerce's where it has just said that it has no such cart.
func (r *Relay) askingOf(ctx context.Context, s *ledger.Shop, cartID string, calls int) (context.Context, func(), error) {
	if err := r.absent.of(s.Hash, cartID, r.Now()); err != nil {
		return ctx, func() {}, fmt.Errorf("fetching the cart, again: %w", err)
	}
	return r.whileAwaited(ctx, s, calls)
}

// checkout is the cart as BigCommerce has it.
func (r *Relay) checkout(ctx context.Context, s *ledger.Shop, cartID string) (bigcommerce.Checkout, error) {
	c, err := r.store(s).Checkout(ctx, cartID)
	if errors.Is(err, bigcommerce.ErrNotFound) {
		r.absent.add(s.Hash, cartID, err, r.Now())
	}
	if err != nil {
		return c, fmt.Errorf("fetching the cart: %w", err)
	}
	return c, nil
}

// How long a cart that BigCommerce does not have is remembered, and how many of a Shop are.
const (
	absentGood = time.Minute
	absentMost = 1000
)

// absentCarts remembers the carts that BigCommerce says it does not have, so that asking about one over and over costs the Shop nothing.
// What there is no room for is asked about again.
type absentCarts struct {
	mu sync.Mutex
	m  map[string]map[string]absentCart // by Shop and cart
}

type absentCart struct {
	err error
	at  time.Time
}

func (c absentCart) good(now time.Time) bool { return now.Sub(c.at).Abs() < absentGood }

func (ac *absentCarts) add(hash, cartID string, err error, now time.Time) {
	ac.mu.Lock()
	defer ac.mu.Unlock()
	if ac.m == nil {
		ac.m = map[string]map[string]absentCart{}
	}
	carts := ac.m[hash]
	if carts == nil {
		carts = map[string]absentCart{}
		ac.m[hash] = carts
	}
	if len(carts) >= absentMost {
		for id, c := range carts {
			if !c.good(now) {
				delete(carts, id)
			}
		}
	}
	if len(carts) < absentMost {
		carts[cartID] = absentCart{err, now}
	}
}

// of is what BigCommerce said of the cart a moment ago: an ErrNotFound, or nil.
func (ac *absentCarts) of(hash, cartID string, now time.Time) error {
	ac.mu.Lock()
	defer ac.mu.Unlock()
	c, ok := ac.m[hash][cartID]
	if !ok {
		return nil
	}
	if !c.good(now) {
		delete(ac.m[hash], cartID)
		return nil
	}
	return c.err
}
