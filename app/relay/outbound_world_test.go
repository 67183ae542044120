package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"idgate/app/ledger"
)

// posted is one event as it came to a receiver.
type posted struct {
	ID         string
	Event      ledger.Event
	Body       string
	Header     http.Header
	Signatures int
	Answer     int // what the receiver answered; 0: nothing
}

// receiver is a merchant's own system: it checks signatures with the published library and remembers what came.
type receiver struct {
	*httptest.Server
	t       testing.TB
	mu      sync.Mutex
	secrets []string
	got     []posted
	// answer, if set, answers instead of a plain 200. It reports the status it gave, 0 for none.
	answer func(http.ResponseWriter, *http.Request, posted) int
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	c := &receiver{t: t}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

// knows has the receiver check with these secrets, each of which must have signed.
func (c *receiver) knows(secrets ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets = secrets
}

// answers has the receiver answer so from now on; nil: well.
func (c *receiver) answers(f func(http.ResponseWriter, *http.Request, posted) int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

func status(n int) func(http.ResponseWriter, *http.Request, posted) int {
	return func(w http.ResponseWriter, _ *http.Request, _ posted) int { w.WriteHeader(n); return n }
}

func (c *receiver) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender died
	}
	c.mu.Lock()
	secrets, answer := c.secrets, c.answer
	c.mu.Unlock()
	p := posted{ID: r.Header.Get("webhook-id"), Body: string(body), Header: r.Header.Clone(), Signatures: len(strings.Fields(r.Header.Get("webhook-signature"))), Answer: http.StatusOK}
	for _, secret := range secrets {
		h, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = h.VerifyIgnoringTimestamp(body, r.Header) // the clock is the test's
		}
		if err != nil {
			c.t.Errorf("an event does not verify: %v", err)
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p.Event); err != nil {
		c.t.Errorf("an event does not parse: %v: %s", err, body)
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || len(body) > 16<<10 {
		c.t.Errorf("%s with %s, %d bytes", r.Method, r.Header.Get("Content-Type"), len(body))
	}
	if answer != nil {
		p.Answer = answer(w, r, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, p)
}

// took is everything that came, in its order.
func (c *receiver) took() []posted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// types are the types of what came.
func (c *receiver) types() (out []ledger.EventType) {
	for _, p := range c.took() {
		out = append(out, p.Event.Type)
	}
	return out
}

// endpoint adds an endpoint of the world's Shop at a receiver, which learns its secret.
func (w *world) endpoint(c *receiver, types ...ledger.EventType) int64 {
	w.t.Helper()
	if len(types) == 0 {
		types = ledger.EventTypes()
	}
	id, err := w.ledger.AddEndpoint(context.Background(), w.s(), ledger.NewEndpoint{URL: c.URL + "/in", Types: types}, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	secret, err := w.ledger.RevealSecret(context.Background(), w.s(), id, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	c.knows(secret)
	return id
}

// deliveries are those to an endpoint, the oldest first.
func (w *world) deliveries(endpoint int64) []ledger.StoredDelivery {
	w.t.Helper()
	ds, err := w.ledger.Deliveries(context.Background(), hash, endpoint, false, 0, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(ds)
	return ds
}

// cause is what an event says happened: two events with one cause are one.
func (p posted) cause() string {
	d := p.Event.Data
	cause := fmt.Sprintf("%s of session %q order %d hold %d", p.Event.Type, d.SessionID, d.OrderID, d.Hold)
	switch p.Event.Type {
	case ledger.OrderRefused:
		cause += " decision " + d.DecisionID
	case ledger.VerificationReview:
		cause += " " + d.State
	case ledger.VerificationPassed, ledger.VerificationFailed, ledger.OrderHeld, ledger.OrderReleased, ledger.OrderMoved, ledger.OrderLeaked, ledger.OrderCancelled, ledger.Ping:
	}
	return cause
}

// events holds what was owed to the endpoint against what it was posted.
func (w *worldCheck) events() {
	if w.Endpoint == 0 {
		return
	}
	ds, err := w.l.Deliveries(w.ctx, w.s.Hash, w.Endpoint, false, 0, 100_000)
	if err != nil {
		w.bad("%v", err)
	}
	took, known := map[string]bool{}, map[string]bool{}
	ids, bodies := map[string]string{}, map[string]string{}
	for _, p := range w.Told {
		took[p.ID] = took[p.ID] || p.Answer/100 == 2
		if id, ok := ids[p.cause()]; ok && id != p.ID && p.Event.Type != ledger.Ping {
			w.bad("%s has two names, %s and %s", p.cause(), id, p.ID)
		}
		ids[p.cause()] = p.ID
		if was, ok := bodies[p.ID]; ok && was != p.Body && p.Event.Data.CustomerID != 0 && w.Lost.IsZero() { // otherwise: erased, or made anew, meanwhile
			w.bad("%s was posted with two bodies:\n%s\n%s", p.ID, was, p.Body)
		}
		bodies[p.ID] = p.Body
		if strings.ContainsAny(p.Body, "@") || strings.Contains(p.Body, "Lovelace") {
			w.bad("%s says more than it may: %s", p.ID, p.Body)
		}
	}
	for _, d := range ds {
		if known[d.EventID] {
			w.bad("%s is owed twice", d.EventID)
		}
		known[d.EventID] = true
		switch d.State {
		case "done":
			if !took[d.EventID] {
				w.bad("%s counts as delivered and is not", d.EventID)
			}
		case "dropped":
		case "pending", "failed":
			if d.Posted.Trouble == "" {
				w.bad("%s %s is %s without a word", d.Type, d.EventID, d.State)
			}
		}
	}
	for _, p := range w.Told {
		if !known[p.ID] && !p.Event.At.Before(w.Forgot) && !p.Event.At.Before(w.Lost) {
			w.bad("%s was posted and never owed", p.ID)
		}
	}
}

// orderEvents looks whether what became of an order, and of the Sessions about it, was told.
func (w *worldCheck) orderEvents(o ledger.Order) {
	if w.Endpoint == 0 {
		return
	}
	told := func(et ledger.EventType, is func(ledger.EventData) bool) bool {
		return slices.ContainsFunc(w.Told, func(p posted) bool { return p.Event.Type == et && is(p.Event.Data) })
	}
	ofHold := func(d ledger.EventData) bool { return d.OrderID == o.ID && d.Hold == o.Holds }
	var want []ledger.EventType
	switch o.Hold {
	case ledger.Held:
		want = []ledger.EventType{ledger.OrderHeld}
	case ledger.Refused:
		want = []ledger.EventType{ledger.OrderHeld, ledger.OrderRefused}
	case ledger.Released:
		want = []ledger.EventType{ledger.OrderReleased}
	case ledger.Moved:
		want = []ledger.EventType{ledger.OrderMoved}
	case ledger.Leaked:
		want = []ledger.EventType{ledger.OrderLeaked}
	case ledger.Cancelled:
		want = []ledger.EventType{ledger.OrderCancelled}
	case ledger.NotHeld, ledger.Holding, ledger.Releasing, ledger.Cancelling:
	}
	for _, et := range want {
		if !told(et, ofHold) {
			w.bad("nobody was told %s, hold %d", et, o.Holds)
		}
	}
	ns, err := w.l.SubjectSessions(w.ctx, w.s.Hash, o.ID, o.CartID)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		w.bad("%v", err)
	}
	for _, n := range ns {
		if !n.State.Final() || n.Reason == "erased" {
			continue
		}
		of := func(d ledger.EventData) bool { return d.SessionID == n.ID && d.State == string(n.State) }
		if !told(ledger.VerificationPassed, of) && !told(ledger.VerificationFailed, of) && !told(ledger.VerificationReview, of) {
			w.bad("nobody was told of session %s, which is %s", n.ID, n.State)
		}
	}
}

// checkEvents is check, with what an endpoint was told.
func (w *world) checkEvents(endpoint int64, c *receiver) {
	w.t.Helper()
	checks := Checks{Endpoint: endpoint, Told: c.took()}
	if w.mailbox != nil {
		checks.Mails = w.mailbox.Mails()
	}
	for _, wrong := range CheckWorld(w.ledger, w.shop, checks) {
		w.t.Error(wrong)
	}
}

// within waits for something that another goroutine does.
func within(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s in vain", what)
		}
	}
}
