// Package relay runs the durable loops: it reads Notices, evaluates orders, polls Sessions, pays Writebacks, sweeps orders, posts events to
// the Shops' endpoints and reconciles installations; and it answers for carts and starts Sessions when a door asks.
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
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/mail"
)

// Script is the storefront script that installations should carry.
type Script struct {
	Hash      string // first 16 hex digits of its SHA-256
	Integrity string // its SRI value
	// Lock makes the inline lock's element; closed says whether orders fail when the script never comes. nil: there is no lock.
	Lock func(closed bool) string
}

// Options makes a Relay, which takes BigCommerce's OnQuota for itself.
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
	// Mail sends mails; nil where the operator has named no mail server: none are owed then.
	Mail *mail.Sender
	// Compose writes a mail: subject, text, language. Its addressee and id are set afterwards. Needed with Mail.
	Compose func(MailAsk) mail.Message
	// Loopback, set by the demo and by tests only, lets outbound webhooks go to this machine, over plain HTTP too, and nowhere else.
	Loopback bool
	// StartTime is how long the provider may take to begin a Session, all in all; 0 means 6 s: a checkout waits 8 s.
	StartTime time.Duration
	// PostTime is how long one try of an outbound webhook may take, all in all; 0 means 10 s.
	PostTime time.Duration
	// DrainFor is how long pieces of work may go on after Run's context has ended; 0 means 10 s. What is cut off then is taken up at the
	// next start, as after a crash.
	DrainFor time.Duration
	// At, set by tests only, is called between the steps of a piece of work.
	At func(step string)
}

// Relay does the outside work. Its methods may be called by any goroutine.
type Relay struct {
	Options
	watching    watchers
	pacers      pacers
	reconciling sync.Map // by Shop: the lock of its reconciliation
	starting    keyed    // by cart or order: the lock of a Session's start
	writing     keyed    // by order: the lock of its status
	absent      absentCarts
	sweeps      sync.Map // by Shop: the sweep that is under way
	lastNow     atomic.Int64
	outbound    *http.Client // posts events to the Shops' endpoints
}

// New makes a Relay; Run starts its loops.
func New(o Options) *Relay {
	if o.SweepEvery == 0 {
		o.SweepEvery = time.Minute
	}
	if o.PostTime == 0 {
		o.PostTime = 10 * time.Second
	}
	if o.StartTime == 0 {
		o.StartTime = 6 * time.Second
	}
	if o.DrainFor == 0 {
		o.DrainFor = 10 * time.Second
	}
	if o.At == nil {
		o.At = func(string) {}
	}
	r := &Relay{Options: o, watching: watchers{m: map[string]map[chan struct{}]bool{}}, pacers: pacers{m: map[string]*pacer{}}, outbound: newOutbound(o.Loopback)}
	o.BigCommerce.OnQuota = func(ctx context.Context, hash string, q bigcommerce.Quota) {
		r.pacers.of(hash).observe(q, urgencyOf(ctx))
	}
	return r
}

// Tunables of the loops. They are not settings: nobody would know what to set them to.
const (
	lease     = 2 * time.Minute  // longer than any piece of work may take
	workTime  = 90 * time.Second // deadline of one piece of work
	atOnce    = 64               // lanes open at the same time, per loop
	laneBatch = 3                // pieces of work leased, and done at the same time, in a lane; BigCommerce allows 3 writes of attributes at once
	noticesAt = 16               // Notices handled at the same time in a lane: they call nobody
	orderCost = 6                // API calls that one order may take, for reservations
	writeCost = 5                // likewise one Writeback
	sweepCost = 1                // likewise a page of a sweep
	checkCost = 12               // likewise a reconciliation that finds all in place
	idleCheck = time.Second      // how long a missed bell goes unnoticed
	setBack   = time.Second      // by how much the clock must go back between two looks to matter

	forgetEvery = time.Hour      // how often what is over is forgotten
	probeFirst  = time.Minute    // how soon a refused token is tried again at first
	probeEvery  = time.Hour      // how often at last
	giveUpToken = 24 * time.Hour // for how long a token must be refused until the Shop counts as uninstalled
)

// Run runs every loop until ctx ends and what is in flight has been finished, or its time to drain is over.
func (r *Relay) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, l := range r.loops() {
		wg.Go(func() { r.run(ctx, l) })
	}
	wg.Go(func() { r.keepHouse(ctx) })
	wg.Wait()
}

// keepHouse watches the clock, and forgets what is over.
func (r *Relay) keepHouse(ctx context.Context) {
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	var forgetAt time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.CheckClock(ctx); err != nil {
			r.Log.Error("putting the timetable right after the clock was set back", "error", err)
		}
		now := r.Now()
		if now.Before(forgetAt) && forgetAt.Sub(now) <= forgetEvery {
			continue
		}
		forgetAt = now.Add(forgetEvery)
		for ctx.Err() == nil {
			began := time.Now()
			n, err := r.Ledger.Forget(ctx, now)
			if err != nil {
				r.Log.Error("forgetting what is over; again in an hour", "error", err)
			}
			if err != nil || n == 0 {
				break
			}
			rest(ctx, time.Since(began)) // the writer is others' at least half of the time
		}
	}
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// CheckClock makes all that waits due now when the clock has been set back since it was last asked: what was to come in a minute would
// otherwise come in a day.
func (r *Relay) CheckClock(ctx context.Context) error {
	now := r.Now().UnixMilli()
	last := r.lastNow.Swap(now)
	if last-now <= setBack.Milliseconds() {
		return nil
	}
	r.Log.Warn("the clock was set back: everything that waits is looked at now", "by", time.Duration(last-now)*time.Millisecond)
	return r.Ledger.Resume(ctx, r.Now())
}

// loop is one kind of durable work. Each Shop (of events, each endpoint) has a lane of its own in each loop, so that one Shop's storm, or a BigCommerce that
// answers for it in a minute or never, delays nobody else.
type loop struct {
	name string
	bell ledger.Bell
	due  func(ctx context.Context, now time.Time) ([]string, error) // lanes that have work now: Shops, or endpoints
	some func(ctx context.Context, lane string) (int, error)        // does a little of one lane's work; 0: none, or not now
}

func (r *Relay) loops() []loop {
	rows := func(b ledger.Bell) func(context.Context, time.Time) ([]string, error) {
		return func(ctx context.Context, now time.Time) ([]string, error) { return r.Ledger.Due(ctx, b, now) }
	}
	served := func(b ledger.Bell) func(context.Context, time.Time) ([]string, error) {
		return func(ctx context.Context, now time.Time) ([]string, error) {
			hashes, err := r.Ledger.Due(ctx, b, now)
			return slices.DeleteFunc(hashes, func(hash string) bool {
				s, err := r.Ledger.Shop(hash)
				return err != nil || s.State == ledger.Suspended // it waits for its token, or to be installed again
			}), err
		}
	}
	return []loop{
		{"notices", ledger.NoticeBell, rows(ledger.NoticeBell), r.someNotices},
		{"orders", ledger.OrderBell, served(ledger.OrderBell), r.someOrders},
		{"sessions", ledger.SessionBell, rows(ledger.SessionBell), r.someSessions},
		{"writebacks", ledger.WritebackBell, served(ledger.WritebackBell), r.someWritebacks},
		{"shops", ledger.ShopBell, r.dueShops, r.someShop},
		{"events", ledger.EventBell, r.dueEndpoints, r.someDeliveries},
		{"erasures", ledger.ErasureBell, func(ctx context.Context, _ time.Time) ([]string, error) { return r.Ledger.ErasingShops(ctx) }, r.someErasure},
		{"staff", ledger.StaffBell, r.Ledger.DueStaff, r.someStaff},
	}
}

// run keeps a lane open for every Shop with work, within the room there is.
func (r *Relay) run(ctx context.Context, l loop) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var mu sync.Mutex
	busy := map[string]bool{}
	free := make(chan struct{}, 1)
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	for ctx.Err() == nil {
		hashes, err := l.due(ctx, r.Now())
		if err != nil && ctx.Err() == nil {
			r.Log.Error("looking for work; the loop goes on", "loop", l.name, "error", err)
		}
		rand.Shuffle(len(hashes), func(i, j int) { hashes[i], hashes[j] = hashes[j], hashes[i] })
		for _, hash := range hashes {
			mu.Lock()
			start := !busy[hash] && len(busy) < atOnce
			if start {
				busy[hash] = true
			}
			mu.Unlock()
			if !start {
				continue
			}
			wg.Go(func() {
				r.lane(ctx, l, hash)
				mu.Lock()
				delete(busy, hash)
				mu.Unlock()
				select {
				case free <- struct{}{}:
				default:
				}
			})
		}
		select {
		case <-ctx.Done():
		case <-r.Ledger.Ring(l.bell):
		case <-free:
			// A lane ended because its Shop has no more work now; what came meanwhile has rung, or is found at the tick.
		case <-tick.C:
		}
	}
}

// lane does one Shop's work until there is none, or none that may be done now.
func (r *Relay) lane(ctx context.Context, l loop, hash string) {
	for ctx.Err() == nil {
		n, err := l.some(ctx, hash)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("a step of a loop failed; it goes on", "loop", l.name, "shop", hash, "error", err)
		}
		if err != nil || n == 0 {
			return
		}
	}
}

// Step does a little of each Shop's work in one loop, one Shop after the other, and says how much it did. For tests.
func (r *Relay) Step(ctx context.Context, b ledger.Bell) (int, error) {
	total := 0
	for _, l := range r.loops() {
		if l.bell != b {
			continue
		}
		hashes, err := l.due(ctx, r.Now())
		if err != nil {
			return total, err
		}
		for _, hash := range hashes {
			n, err := l.some(ctx, hash)
			if err != nil {
				return total, err
			}
			total += n
		}
	}
	return total, nil
}

// Settle steps every loop until nothing is due, and says how much it did. For tests.
func (r *Relay) Settle(ctx context.Context) (int, error) {
	const limit = 10_000
	total := 0
	for range limit {
		before := total
		for _, l := range r.loops() {
			n, err := r.Step(ctx, l.bell)
			if err != nil {
				return total, err
			}
			total += n
		}
		if total == before {
			return total, nil
		}
	}
	return total, fmt.Errorf("work did not settle in %d rounds", limit)
}

// reserve sets calls aside for as many pieces of work as there is room for, at most laneBatch; 0 for none. Work that finds no room
// stays due.
func (r *Relay) reserve(hash string, u urgency, cost int) (pieces int, release func()) {
	for n := laneBatch; n > 0; n-- {
		if _, release := r.pacers.of(hash).reserve(r.Now(), u, n*cost); release != nil {
			return n, release
		}
	}
	return 0, func() {}
}

// piece is the context of one piece of work. It outlives ctx, by as long as there is to drain: what has been begun outside is read back.
func (r *Relay) piece(ctx context.Context) (context.Context, context.CancelFunc) {
	piece, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(r.DrainFor, cancel) })
	return piece, func() { stop(); cancel() }
}

// each does leased pieces of work, some at the same time, but those about one subject one after the other.
func each[T any](ctx context.Context, piece func(context.Context) (context.Context, context.CancelFunc), items []T, atOnce int, subject func(T) int64,
	do func(context.Context, T) error, failed func(T, error)) {
	groups := map[int64][]T{}
	for _, it := range items {
		groups[subject(it)] = append(groups[subject(it)], it)
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, group := range groups {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			for _, it := range group {
				ctx, cancel := piece(ctx)
				if err := do(ctx, it); err != nil {
					failed(it, err)
				}
				cancel()
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

// soon is at, or a sweep interval from now: what an order waits for is tried again no later, so that an outage, however long, costs no more
// than that once it is over. While BigCommerce refuses us for the quota, the pacer keeps us from asking.
func (r *Relay) soon(at time.Time) time.Time {
	if limit := r.Now().Add(r.SweepEvery); at.After(limit) {
		return limit
	}
	return at
}

// backoff doubles from 2 s to 10 min.
func backoff(attempt int64) time.Duration {
	return min(2*time.Second<<min(max(attempt-1, 0), 9), 10*time.Minute)
}

// judge turns an error of BigCommerce's into an ending: later when it may pass by itself, stuck with the remedy when it will not.
// A refused token suspends the Shop, whose work then waits for a fresh installation, unless there has been one since s was read: what was
// asked with the former token is asked again.
func (r *Relay) judge(ctx context.Context, s *ledger.Shop, err error, attempt int64) ending {
	var be *bigcommerce.Error
	switch {
	case !errors.As(err, &be):
		return later(r.retry(attempt), err.Error()) // ours: a busy ledger, a deadline
	case errors.Is(err, bigcommerce.ErrNotFound):
		return dropped("BigCommerce no longer has it: " + be.Error())
	case be.Temporary():
		if be.Status == 429 || be.Status == 509 {
			r.pacers.of(s.Hash).refused(r.Now(), be.RetryAfter)
		}
		at := r.retry(attempt)
		if be.RetryAfter > 0 {
			at = r.Now().Add(be.RetryAfter)
		}
		return later(at, be.Error())
	case (be.Status == 401 || be.Status == 403) && r.replaced(s):
		return later(r.retry(attempt), newerToken)
	case be.Status == 401:
		if r.suspend(ctx, s); r.replaced(s) {
			return later(r.retry(attempt), newerToken)
		}
		return later(r.Now().Add(10*time.Minute), "BigCommerce refuses our token. Open the app from the control panel and install it again.")
	case be.Status == 403:
		return stuck("BigCommerce says a permission (scope) is missing. Install the app again to grant it, then try again. " + be.Error())
	}
	return stuck(be.Error())
}

const newerToken = "The app was installed again meanwhile: it is asked once more, with the new token."

// replaced reports whether the Shop has a newer token than s.
func (r *Relay) replaced(s *ledger.Shop) bool {
	now, err := r.Ledger.Shop(s.Hash)
	return err == nil && now.Grants != s.Grants
}

// suspend stops work for a Shop whose token is refused, and says when to ask again.
func (r *Relay) suspend(ctx context.Context, s *ledger.Shop) {
	err := r.Ledger.SuspendShop(ctx, s, r.Now(), r.Now().Add(probeFirst))
	switch {
	case errors.Is(err, ledger.ErrReplaced):
		return
	case err != nil:
		r.Log.Error("suspending a shop", "shop", s.Hash, "error", err)
	}
	r.Log.Warn("BigCommerce refuses the token: the shop must be installed again", "shop", s.Hash)
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
