package relay_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/sim"
)

var faultSeed = flag.Uint64("faultseed", 0, "seed of the fault tests' choices; 0 draws one and prints it")

// seed is the seed of a test's choices, printed so that it can be run again.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := *faultSeed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("re-run with -run '^%s$' -faultseed=%d", strings.ReplaceAll(t.Name(), "/", "$/^"), n)
	return n
}

const (
	sweepEvery = time.Minute // relay's default
	// gateTime is how long an order may wait to be shipped unproven when no webhook arrives: one sweep interval.
	gateTime = sweepEvery
)

// faulty is a world whose API misbehaves at one operation.
type faulty struct {
	*world
	wire   *wire
	last   *lastLines
	people int // so many were made up
}

// newFaulty starts a world whose policy enforces. Its log is shown only when the test fails.
func newFaulty(t *testing.T, change ...func(*gate.Policy)) *faulty {
	t.Helper()
	return newFaultyWith(t, func(*world) {}, change...)
}

// newFaultyWith lets prepare set what must be there before the shop installs the app.
func newFaultyWith(t *testing.T, prepare func(*world), change ...func(*gate.Policy)) *faulty {
	t.Helper()
	f := &faulty{last: &lastLines{}}
	f.world = newWorldWith(t, func(w *world) {
		prepare(w)
		f.wire = newWire(w)
		w.mail, w.logTo = w.mails(), f.last
		w.compose = func(a relay.MailAsk) mail.Message {
			return mail.Message{Subject: mailSubject(a.Which, a.Order.ID), Text: "Text. " + a.Link, HTML: "<p>Text. " + a.Link + "</p>", Lang: "en"}
		}
	}, append([]func(*gate.Policy){func(p *gate.Policy) { p.RemindAfter = nil }}, change...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("the last of the log:\n" + f.last.text())
		}
	})
	f.settle()
	return f
}

func mailSubject(which string, order int64) string { return fmt.Sprintf("%s of %d", which, order) }

// lastLines keeps the last lines that were written.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 200 {
		l.lines = slices.Delete(l.lines, 0, 100)
	}
	l.lines = append(l.lines, string(b))
	return len(b), nil
}

func (l *lastLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-40):], "")
}

// wire carries the product's API requests. It tells the platform to fail just before the request that is to meet the fault.
type wire struct {
	w    *world
	next http.RoundTripper
	done chan struct{} // the platform has done what it will not answer

	mu    sync.Mutex
	sees  func(operation string) // is told of each request before it is sent; nil: nobody
	plan  meeting
	hits  int
	last  time.Time      // when the fault was last met
	calls map[string]int // API requests, by operation
}

// meeting is which requests meet which fault.
type meeting struct {
	operation string // such as "GET /v2/orders/{id}"
	fault     sim.Fault
	skip      int       // so many of the operation go well first
	times     int       // so many meet the fault; 0: all
	until     time.Time // none after that, by the platform's clock; zero: no such limit
}

// Two more ways to answer, which the wire plays itself.
const (
	missing sim.Fault = -1 - iota // 404, as a database that lags behind would have it; nothing is done
	emptied                       // done, and answered with 200 and nothing else
)

func faultName(f sim.Fault) string {
	switch f {
	case missing:
		return "404 but it is there"
	case emptied:
		return "done but answered with nothing"
	}
	return f.String()
}

func newWire(w *world) *wire {
	x := &wire{w: w, next: http.DefaultTransport.(*http.Transport).Clone(), done: make(chan struct{}, 1), calls: map[string]int{}}
	w.http.Transport = x
	see := func(e sim.Exchange) {
		if e.Fault == sim.DoneButTimeout {
			select {
			case x.done <- struct{}{}:
			default:
			}
		}
	}
	w.observe.Store(&see)
	return x
}

var (
	numberInPath = regexp.MustCompile(`/[0-9]+`)
	uuidInPath   = regexp.MustCompile(`/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// operationOf names what an API request does; false for what is no API request.
func operationOf(r *http.Request) (string, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/stores/"+hash)
	rest = uuidInPath.ReplaceAllString(rest, "/{id}")
	return r.Method + " " + numberInPath.ReplaceAllString(rest, "/{id}"), ok
}

// RoundTrip is http.RoundTripper's.
func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	operation, ok := operationOf(r)
	if !ok {
		return x.next.RoundTrip(r)
	}
	x.mu.Lock()
	sees := x.sees
	x.mu.Unlock()
	if sees != nil {
		sees(operation)
	}
	fault := x.meets(operation)
	switch fault {
	case 0:
		return x.next.RoundTrip(r)
	case missing:
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	case emptied:
		resp, err := x.next.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
			resp.Body = http.NoBody
		}
		return resp, err
	}
	x.w.shop.FailNext(sim.FailRule{Fault: fault, Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/stores/"+hash)})
	if fault != sim.DoneButTimeout {
		return x.next.RoundTrip(r)
	}
	// The caller's patience ends as soon as the platform has done its work: a timeout that needs no waiting.
	ctx, giveUp := context.WithCancel(r.Context())
	defer giveUp()
	go func() {
		if resp, err := x.next.RoundTrip(r.WithContext(ctx)); err == nil {
			_ = resp.Body.Close()
		}
	}()
	select {
	case <-x.done:
	case <-r.Context().Done():
	}
	return nil, context.DeadlineExceeded
}

// meets counts a request and returns the fault that it is to meet; 0 for none.
func (x *wire) meets(operation string) sim.Fault {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls[operation]++
	now, p := x.w.clock.now(), &x.plan
	if p.fault == 0 || p.operation != operation || !p.until.IsZero() && !now.Before(p.until) {
		return 0
	}
	if p.skip > 0 {
		p.skip--
		return 0
	}
	if p.times > 0 && x.hits == p.times {
		return 0
	}
	x.hits++
	x.last = now
	return p.fault
}

// meet plans a fault, from now on, in place of any before.
func (x *wire) meet(m meeting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan, x.hits, x.last = m, 0, time.Time{}
}

// watch has each request told to sees, from now on.
func (x *wire) watch(sees func(operation string)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sees = sees
}

// met is how often the planned fault was met, and when for the last time.
func (x *wire) met() (int, time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.hits, x.last
}

// over reports whether no request will meet the planned fault any more.
func (x *wire) over(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.plan.fault == 0 || x.plan.times > 0 && x.hits == x.plan.times || !x.plan.until.IsZero() && !now.Before(x.plan.until)
}

// count returns how many API requests there were of the operations whose names begin so, and of all with "".
func (x *wire) count(prefix string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for operation, k := range x.calls {
		if strings.HasPrefix(operation, prefix) {
			n += k
		}
	}
	return n
}

// somebody is Ada's address under a mailbox that nobody had before.
func (f *faulty) somebody() sim.Address {
	f.people++
	return billing(fmt.Sprintf("ada.%d@example.com", f.people))
}

// placeUnsettled places an order by API and delivers nothing.
func (f *faulty) placeUnsettled(change ...func(*sim.APIOrder)) int64 {
	f.t.Helper()
	a := sim.APIOrder{Billing: f.somebody(), Items: []sim.APIItem{{ProductID: f.product(cheap), Quantity: 1}}}
	for _, c := range change {
		c(&a)
	}
	o, err := f.shop.PlaceOrderByAPI(a)
	if err != nil {
		f.t.Fatal(err)
	}
	return o.ID
}

// api places an order by API and settles.
func (f *faulty) api(change ...func(*sim.APIOrder)) sim.Order {
	f.t.Helper()
	id := f.placeUnsettled(change...)
	f.settle()
	return f.order(id)
}

// step lets time pass, in steps, and settles after each.
func (f *faulty) step(total, each time.Duration) {
	f.t.Helper()
	for passed := time.Duration(0); passed < total; passed += each {
		f.clock.pass(each)
		f.settle()
	}
}

// sound holds the world against the invariant.
func (f *faulty) sound(c Checks) {
	f.t.Helper()
	c.Mails = f.mailbox.Mails()
	for _, wrong := range CheckWorld(f.ledger, f.shop, c) {
		f.t.Error(wrong)
	}
}

// outcome is what should have become of an order, to be held against what did.
type outcome struct {
	order  int64
	status int
	hold   ledger.HoldState
	writes []int    // the statuses that we wrote, in order
	notes  int      // of ours
	mails  []string // that were sent
}

// compare returns what is missing and what was done twice.
func (f *faulty) compare(want outcome) (lost, doubled []string) {
	f.t.Helper()
	o := f.order(want.order)
	ours, err := f.ledger.Order(context.Background(), f.s(), want.order)
	if errors.Is(err, ledger.ErrNotFound) {
		return []string{fmt.Sprintf("order %d is not known", want.order)}, nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if o.StatusID != want.status || ours.Hold != want.hold {
		lost = append(lost, fmt.Sprintf("order %d: status %d and %s, want %d and %s (%s)", o.ID, o.StatusID, ours.Hold, want.status, want.hold, ours.Trouble))
	}
	var writes []int
	for _, x := range f.shop.OrderWrites(o.ID) {
		if x.Actor == sim.AppName && x.Field == sim.FieldStatus {
			to, _ := strconv.Atoi(x.To)
			writes = append(writes, to)
		}
	}
	if len(writes) > len(want.writes) {
		doubled = append(doubled, fmt.Sprintf("order %d: wrote %v, want %v", o.ID, writes, want.writes))
	} else if !slices.Equal(writes, want.writes) {
		lost = append(lost, fmt.Sprintf("order %d: wrote %v, want %v", o.ID, writes, want.writes))
	}
	switch notes := strings.Count(o.StaffNotes, " idgate: "); {
	case notes > want.notes:
		doubled = append(doubled, fmt.Sprintf("order %d: %d notes, want %d: %s", o.ID, notes, want.notes, o.StaffNotes))
	case notes < want.notes:
		lost = append(lost, fmt.Sprintf("order %d: %d notes, want %d: %s", o.ID, notes, want.notes, o.StaffNotes))
	}
	sent := map[string]int{}
	for _, m := range f.mailbox.Mails() {
		if strings.HasSuffix(m.Subject, fmt.Sprintf(" of %d", o.ID)) {
			sent[m.Subject]++
		}
	}
	for _, which := range want.mails {
		if sent[mailSubject(which, o.ID)] == 0 {
			lost = append(lost, fmt.Sprintf("order %d: no mail %s", o.ID, which))
		}
	}
	for subject, n := range sent {
		if n > 1 || !slices.ContainsFunc(want.mails, func(which string) bool { return subject == mailSubject(which, o.ID) }) {
			doubled = append(doubled, fmt.Sprintf("%d mails %q", n, subject))
		}
	}
	return lost, doubled
}

// tally counts cases by fault, over tests that run side by side.
type tally struct {
	mu   sync.Mutex
	rows map[string]*tallyRow
}

type tallyRow struct {
	cases, met, lost, doubled int
	slowest                   time.Duration // from the fault's end until the order was as it should be
}

func (y *tally) add(name string, e endured) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.rows == nil {
		y.rows = map[string]*tallyRow{}
	}
	r := y.rows[name]
	if r == nil {
		r = &tallyRow{}
		y.rows[name] = r
	}
	r.cases++
	r.met += e.met
	r.lost += len(e.lost)
	r.doubled += len(e.doubled)
	r.slowest = max(r.slowest, e.took)
}

// log writes a line for each fault, in the order of its name.
func (y *tally) log(t *testing.T) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	names := make([]string, 0, len(y.rows))
	for name := range y.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r := y.rows[name]
		t.Logf("%-44s %4d cases, met %6d times, %d lost, %d doubled, right again at most %s after it ended", name, r.cases, r.met, r.lost, r.doubled, r.slowest)
	}
}

var _ io.Writer = (*lastLines)(nil)
