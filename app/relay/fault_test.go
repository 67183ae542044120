package relay_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

// lastLines is an io.Writer that keeps the last lines that were written.
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
	slowest                   time.Duration // from the fault's end until all was as it should be
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
		line := fmt.Sprintf("%-40s %3d cases, %d lost, %d doubled", name, r.cases, r.lost, r.doubled)
		if r.met > 0 {
			line += fmt.Sprintf(", met %d times", r.met)
		}
		if r.slowest > 0 {
			line += fmt.Sprintf(", right at most %s later", r.slowest)
		}
		t.Log(line)
	}
}
