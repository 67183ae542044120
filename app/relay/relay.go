// Package relay runs the durable loops: it reads Notices, evaluates orders, polls Sessions, pays Writebacks, sweeps orders and
// reconciles installations; and it answers for carts and starts Sessions when a door asks.
//
// Every piece of work is a row before it is begun. A loop leases rows, calls the outside without a transaction open, and ends each
// lease as done, later or stuck. Any step may run twice: each outside effect is looked for before it is made, and read back after.
// The Relay owns nothing durable; the Ledger does. It may be stopped at any instruction.
//
// The package is longer than others because it is the main path, from a Notice to a written-back order, in one place.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/idv"
	"idgate/app/ledger"
)

// Script is the storefront script that installations should carry.
type Script struct {
	Hash      string // first 16 hex digits of its SHA-256
	Integrity string // its SRI value
}

// Options makes a Relay.
type Options struct {
	Ledger      *ledger.Ledger
	BigCommerce *bigcommerce.App
	// Provider returns the identity provider of a Shop: its own tenant, or the operator's.
	Provider func(*ledger.Shop) (idv.Provider, error)
	Script   Script
	AppURL   string // our public URL, without a slash at the end
	Now      func() time.Time
	Log      *slog.Logger
	// SweepEvery is the sweep interval per Shop; 0 means a minute.
	SweepEvery time.Duration
}

// Relay does the outside work. Its methods may be called by any goroutine.
type Relay struct {
	Options
	watching    watchers
	reconciling sync.Map // by Shop: the lock of its reconciliation
}

// New makes a Relay; Run starts its loops.
func New(o Options) *Relay {
	if o.SweepEvery == 0 {
		o.SweepEvery = time.Minute
	}
	return &Relay{Options: o, watching: watchers{m: map[string]map[chan struct{}]bool{}}}
}

// Tunables of the loops. They are not settings: nobody would know what to set them to.
const (
	lease     = 2 * time.Minute  // longer than any piece of work may take
	workTime  = 90 * time.Second // deadline of one piece of work
	batch     = 64
	atOnce    = 8           // Shops worked for at the same time, per loop
	idleCheck = time.Second // how long a missed bell goes unnoticed
)

// Run runs every loop until ctx ends and what is in flight has been finished or given back.
func (r *Relay) Run(ctx context.Context) {
	loops := []struct {
		name string
		bell ledger.Bell
		step func(context.Context) (int, error)
	}{
		{"notices", ledger.NoticeBell, r.StepNotices},
		{"orders", ledger.OrderBell, r.StepOrders},
		{"sessions", ledger.SessionBell, r.StepSessions},
		{"writebacks", ledger.WritebackBell, r.StepWritebacks},
		{"shops", ledger.ShopBell, r.StepShops},
	}
	var wg sync.WaitGroup
	for _, l := range loops {
		wg.Go(func() { r.loop(ctx, l.name, r.Ledger.Ring(l.bell), l.step) })
	}
	wg.Wait()
}

func (r *Relay) loop(ctx context.Context, name string, bell <-chan struct{}, step func(context.Context) (int, error)) {
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	for ctx.Err() == nil {
		n, err := step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.Log.Error("a loop's step failed; it goes on", "loop", name, "error", err)
		case err == nil && n > 0:
			continue
		}
		select {
		case <-ctx.Done():
		case <-bell:
		case <-tick.C:
		}
	}
}

// Settle steps every loop until nothing is due, for tests and for the tour. Each round must make progress within limit rounds.
func (r *Relay) Settle(ctx context.Context) error {
	const limit = 1000
	for range limit {
		total := 0
		for _, step := range []func(context.Context) (int, error){r.StepNotices, r.StepOrders, r.StepSessions, r.StepWritebacks, r.StepShops} {
			n, err := step(ctx)
			if err != nil {
				return err
			}
			total += n
		}
		if total == 0 {
			return nil
		}
	}
	return fmt.Errorf("work did not settle in %d rounds", limit)
}

// each runs work for every item, items of one Shop one after the other, several Shops at once.
func each[T any](items []T, shop func(T) string, work func(T)) {
	lanes := map[string][]T{}
	for _, it := range items {
		lanes[shop(it)] = append(lanes[shop(it)], it)
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, lane := range lanes {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			for _, it := range lane {
				work(it)
			}
		})
	}
	wg.Wait()
}

// An ending is how a piece of work ends.
type ending struct {
	kind   endKind
	at     time.Time // of later
	remark string    // shown to a person
}

type endKind int

const (
	isDone endKind = iota
	isLater
	isStuck
	isDropped
)

func done(remark string) ending                { return ending{kind: isDone, remark: remark} }
func dropped(reason string) ending             { return ending{kind: isDropped, remark: reason} }
func stuck(reason string) ending               { return ending{kind: isStuck, remark: reason} }
func later(t time.Time, why string) ending     { return ending{kind: isLater, at: t, remark: why} }
func (r *Relay) retry(attempt int64) time.Time { return r.Now().Add(backoff(attempt)) }

// backoff doubles from 2 s to 10 min.
func backoff(attempt int64) time.Duration {
	return min(2*time.Second<<min(max(attempt-1, 0), 9), 10*time.Minute)
}

// judge turns an error of BigCommerce's into an ending: later when it may pass by itself, stuck with the remedy when it will not.
// A refused token suspends the Shop, whose work then waits for a fresh installation.
func (r *Relay) judge(ctx context.Context, s *ledger.Shop, err error, attempt int64) ending {
	var be *bigcommerce.Error
	switch {
	case !errors.As(err, &be):
		return later(r.retry(attempt), err.Error()) // ours: a busy ledger, a deadline
	case errors.Is(err, bigcommerce.ErrNotFound):
		return dropped("BigCommerce no longer has it: " + be.Error())
	case be.Temporary():
		at := r.retry(attempt)
		if be.RetryAfter > 0 {
			at = r.Now().Add(be.RetryAfter)
		}
		return later(at, be.Error())
	case be.Status == 401:
		if err := r.Ledger.SuspendShop(ctx, s.Hash); err != nil {
			r.Log.Error("suspending a shop", "shop", s.Hash, "error", err)
		}
		r.Log.Warn("BigCommerce refuses the token: the shop must be installed again", "shop", s.Hash)
		return later(r.Now().Add(10*time.Minute), "BigCommerce refuses our token. Open the app from the control panel and install it again.")
	case be.Status == 403:
		return stuck("BigCommerce says a permission (scope) is missing. Install the app again to grant it, then try again. " + be.Error())
	}
	return stuck(be.Error())
}

// store is BigCommerce's API for the Shop.
func (r *Relay) store(s *ledger.Shop) *bigcommerce.Store { return r.BigCommerce.Store(s.Hash, s.Token) }

// watchers are the open streams that follow a Session.
type watchers struct {
	mu sync.Mutex
	m  map[string]map[chan struct{}]bool
}

// Watch returns a channel that receives after each change of the Session's state, and a function that ends it.
func (r *Relay) Watch(sessionID string) (<-chan struct{}, func()) {
	w := &r.watching
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.m[sessionID] == nil {
		w.m[sessionID] = map[chan struct{}]bool{}
	}
	w.m[sessionID][ch] = true
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.m[sessionID], ch)
		if len(w.m[sessionID]) == 0 {
			delete(w.m, sessionID)
		}
	}
}

func (w *watchers) tell(sessionID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.m[sessionID] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
