package relay_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// TestOutboundStory: an order is held, proved by its mailed link and released; another is refused; a third leaks; a fourth is moved by hand.
// The merchant's system, which checks each event with the published library and the real clock, is told of all that, once.
func TestOutboundStory(t *testing.T) {
	w := newWorldWith(t, func(w *world) { w.clock.t = time.Now() })
	c := newReceiver(t)
	id := w.endpoint(c)
	e, err := w.ledger.Endpoint(t.Context(), w.s(), id)
	if err != nil {
		t.Fatal(err)
	}
	c.answers(func(rw http.ResponseWriter, r *http.Request, p posted) int {
		h, err := standardwebhooks.NewWebhook(e.Secret.Reveal())
		if err == nil {
			err = h.Verify([]byte(p.Body), r.Header) // the whole check, with the time
		}
		if err != nil {
			t.Errorf("%s does not verify: %v", p.ID, err)
		}
		if err := h.Verify([]byte(p.Body+" "), r.Header); err == nil {
			t.Error("a changed body verifies")
		}
		return http.StatusOK
	})
	if s := w.verify(w.cart(w.product(cheap), 0, billing("ada@example.com")), "", simkosmos.PassesWithSelfie); s.State != "passed" {
		t.Fatalf("%+v", s)
	}
	if s := w.verify(w.cart(w.product(cheap), 0, billing("bob@example.com")), "", simkosmos.Fails); s.State != "failed" {
		t.Fatalf("%+v", s)
	}
	held := w.api()
	by := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtOrder, OrderID: held.ID}, Decision: gate.Decision{Outcome: gate.Allow, Mode: gate.Enforce, Rules: []gate.RuleResult{}},
		Policy: 1, MadeBy: ledger.ByPerson, Person: "bo@shop.example", Note: "known to us"}
	if err := w.ledger.Override(t.Context(), w.s(), w.ours(held.ID), true, by, nil, w.now()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	leaked := w.api(func(a *sim.APIOrder) { shipped := sim.StatusShipped; a.StatusID = &shipped })
	moved := w.api()
	w.setStatus(moved.ID, sim.StatusShipped)
	w.settle()
	want := []ledger.EventType{ledger.VerificationPassed, ledger.VerificationFailed, ledger.OrderHeld, ledger.OrderReleased, ledger.OrderLeaked, ledger.OrderHeld, ledger.OrderMoved}
	if got := c.types(); !slices.Equal(got, want) {
		t.Fatalf("told of %v, want %v", got, want)
	}
	for i, order := range map[int]int64{2: held.ID, 3: held.ID, 4: leaked.ID, 5: moved.ID, 6: moved.ID} {
		if d := c.took()[i].Event.Data; d.OrderID != order || d.Shop != hash || d.Receipt == "" || d.Policy != 1 {
			t.Errorf("%d: %+v", i, d)
		}
	}
	if d := c.took()[0].Event.Data; d.SessionID == "" || d.CartID == "" || *d.IAL != 2 || d.IALSource != gate.SourcePolicy || !*d.LiveID || d.Receipt == "" {
		t.Errorf("%+v", d)
	}
	w.checkEvents(id, c)
}

// TestOutboundShadow: in shadow and off nothing is owed.
func TestOutboundShadow(t *testing.T) {
	for _, mode := range []gate.Mode{gate.Shadow, gate.Off} {
		w := newWorld(t, func(p *gate.Policy) { p.Mode = mode })
		c := newReceiver(t)
		id := w.endpoint(c)
		w.api()
		w.api(func(a *sim.APIOrder) { shipped := sim.StatusShipped; a.StatusID = &shipped })
		if ds := w.deliveries(id); len(ds)+len(c.took()) != 0 {
			t.Errorf("%s: %+v", mode, ds)
		}
	}
}

// TestFaultOutbound: whatever an endpoint does, the event is posted again under the same id until it is taken, and what went wrong is said.
func TestFaultOutbound(t *testing.T) {
	elsewhere := newReceiver(t)
	hijacked := func(before func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request, posted) int {
		return func(rw http.ResponseWriter, _ *http.Request, _ posted) int {
			before(rw)
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err != nil {
				t.Error(err)
				return 0
			}
			_ = conn.Close()
			return 0
		}
	}
	for name, tt := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request, posted) int
		status  int    // as stored
		trouble string // a part of it; empty: it counts as taken
		excerpt string
		least   time.Duration // until it is posted again
		most    time.Duration
	}{
		"500 but it was done":    {answer: status(500), status: 500, trouble: "It answered 500", least: 5 * time.Second, most: 6 * time.Second},
		"400":                    {answer: status(400), status: 400, trouble: "It answered 400", least: 5 * time.Second, most: 6 * time.Second},
		"done, and then cut off": {answer: hijacked(func(http.ResponseWriter) {}), trouble: "No answer", least: 5 * time.Second, most: 6 * time.Second},
		"never an answer":        {answer: func(_ http.ResponseWriter, r *http.Request, _ posted) int { <-r.Context().Done(); return 0 }, trouble: "timed out", least: 5 * time.Second, most: 6 * time.Second},
		"redirected": {answer: func(rw http.ResponseWriter, r *http.Request, _ posted) int {
			http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return 307
		}, status: 307, trouble: "redirect, which is not followed", least: 5 * time.Second, most: 6 * time.Second},
		"redirected to metadata": {answer: func(rw http.ResponseWriter, r *http.Request, _ posted) int {
			rw.Header().Set("Location", "http://169.254.169.254/latest/meta-data/")
			rw.WriteHeader(302)
			return 302
		}, status: 302, trouble: "redirect, which is not followed", least: 5 * time.Second, most: 6 * time.Second},
		"put off for a while": {answer: func(rw http.ResponseWriter, _ *http.Request, _ posted) int {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(429)
			return 429
		}, status: 429, trouble: "It answered 429", least: time.Hour, most: time.Hour},
		"put off until a date": {answer: func(rw http.ResponseWriter, _ *http.Request, _ posted) int {
			rw.Header().Set("Retry-After", "Mon, 04 May 2026 14:00:00 GMT")
			rw.WriteHeader(503)
			return 503
		}, status: 503, trouble: "It answered 503", least: 90 * time.Minute, most: 2 * time.Hour},
		"put off for ever": {answer: func(rw http.ResponseWriter, _ *http.Request, _ posted) int {
			rw.Header().Set("Retry-After", "2000000000")
			rw.WriteHeader(503)
			return 503
		}, status: 503, trouble: "It answered 503", least: 24 * time.Hour, most: 24 * time.Hour},
		"put off by nonsense": {answer: func(rw http.ResponseWriter, _ *http.Request, _ posted) int {
			rw.Header().Set("Retry-After", "-5 or so")
			rw.WriteHeader(503)
			return 503
		}, status: 503, trouble: "It answered 503", least: 5 * time.Second, most: 6 * time.Second},
		"taken without a word": {answer: status(204), status: 204},
		"taken, and talks for ever": {answer: func(rw http.ResponseWriter, r *http.Request, _ posted) int {
			for r.Context().Err() == nil {
				if _, err := rw.Write([]byte("thank you\x00\u202e <b>very</b> much ")); err != nil {
					break
				}
			}
			return 200
		}, status: 200, excerpt: strings.Repeat("thank you <b>very</b> much ", 8)[:200] + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldWith(t, func(w *world) { w.postTime = 300 * time.Millisecond })
			c := newReceiver(t)
			id := w.endpoint(c)
			c.answers(tt.answer)
			order := w.api()
			ds := w.deliveries(id)
			if len(ds) != 1 || ds[0].Type != ledger.OrderHeld {
				t.Fatalf("%+v", ds)
			}
			d := ds[0]
			if d.Posted.Status != tt.status || !strings.Contains(d.Posted.Trouble, tt.trouble) || (d.Posted.Trouble == "") != (tt.trouble == "") || d.Posted.Excerpt != tt.excerpt || d.Tries != 1 {
				t.Errorf("%+v", d)
			}
			if o := w.ours(order.ID); o.Hold != ledger.Held {
				t.Errorf("the order is %s", o.Hold)
			}
			w.checkEvents(id, c)
			if tt.trouble == "" {
				if d.State != "done" {
					t.Errorf("it is %s", d.State)
				}
				return
			}
			if wait := d.DueAt.Sub(w.now()); d.State != "pending" || wait < tt.least || wait > tt.most {
				t.Errorf("%s, again in %s", d.State, wait)
			}
			c.answers(nil)
			w.clock.pass(tt.most)
			w.settle()
			got := c.took()
			if len(got) != 2 || got[0].ID != got[1].ID || got[0].Body != got[1].Body || got[0].ID != d.EventID {
				t.Fatalf("posted %+v", got)
			}
			if d := w.deliveries(id)[0]; d.State != "done" || d.Tries != 2 || d.Posted.Trouble != "" || d.Posted.Status != 200 {
				t.Errorf("%+v", d)
			}
			w.checkEvents(id, c)
		})
	}
	if got := elsewhere.took(); len(got) != 0 {
		t.Errorf("a redirect was followed: %+v", got)
	}
}

// TestFaultOutboundSchedule: the waits are those of Standard Webhooks, with a little chance; then it has failed until a person asks again.
// Five days of nothing but failure switch the endpoint off, and staff are told by one mail.
func TestFaultOutboundSchedule(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.RemindAfter = nil })
	w.settings(ledger.Settings{AlarmTo: "staff@shop.example"})
	c := newReceiver(t)
	id := w.endpoint(c)
	c.answers(status(503))
	w.api()
	for i, want := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
		d := w.deliveries(id)[0]
		wait := d.DueAt.Sub(w.now())
		if d.State != "pending" || wait < want || wait > want+want/10+time.Millisecond || d.Tries != int64(i+1) || len(c.took()) != i+1 {
			t.Fatalf("after try %d: %+v, again in %s, want %s", i+1, d, wait, want)
		}
		w.clock.pass(wait - time.Millisecond)
		w.settle()
		if len(c.took()) != i+1 {
			t.Fatalf("posted a millisecond early, after %s", wait)
		}
		w.clock.pass(time.Millisecond)
		w.settle()
	}
	if d := w.deliveries(id)[0]; d.State != "failed" || d.Tries != 10 || d.Posted.Status != 503 || len(c.took()) != 10 {
		t.Fatalf("%+v", d)
	}
	w.clock.pass(24 * time.Hour)
	w.settle()
	if len(c.took()) != 10 {
		t.Error("posted after it had failed")
	}
	w.checkEvents(0, c)

	began := w.deliveries(id)[0].MadeAt
	w.clock.pass(began.Add(5 * 24 * time.Hour).Sub(w.now()))
	if _, err := w.ledger.ResendFailed(t.Context(), hash, id, w.now()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	e, err := w.ledger.Endpoint(t.Context(), w.s(), id)
	if err != nil || e.State != ledger.EndpointOff || e.Why != ledger.OffFailing {
		t.Fatalf("%+v, %v", e, err)
	}
	mails := w.mailbox.Mails()
	n := 0
	for _, m := range mails {
		if m.To == "staff@shop.example" {
			n++
			if !strings.Contains(m.Subject, "webhook endpoint") || !strings.Contains(m.Text, fmt.Sprintf("/s/%s/webhooks/%d", hash, id)) || !strings.Contains(m.Text, "five days") {
				t.Errorf("%+v", m)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d mails to staff", n)
	}
	w.api() // what happens meanwhile is not owed
	if ds := w.deliveries(id); len(ds) != 1 {
		t.Errorf("%+v", ds)
	}
	c.answers(nil)
	if err := w.ledger.ResumeEndpoint(t.Context(), hash, id, w.now()); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Minute)
	w.settle()
	if d := w.deliveries(id)[0]; d.State != "done" {
		t.Errorf("switched on again: %+v", d)
	}
}

// TestFaultOutboundGone: 410 switches the endpoint off at once, whatever waits for it.
func TestFaultOutboundGone(t *testing.T) {
	w := newWorld(t)
	c, other := newReceiver(t), newReceiver(t)
	id, second := w.endpoint(c), w.endpoint(other)
	c.answers(status(410))
	w.api()
	w.api()
	e, err := w.ledger.Endpoint(t.Context(), w.s(), id)
	if err != nil || e.State != ledger.EndpointOff || e.Why != ledger.OffGone || len(c.took()) != 1 {
		t.Errorf("%+v, %v, posted %d times", e, err, len(c.took()))
	}
	if d := w.deliveries(id)[0]; d.State != "failed" || d.Posted.Status != 410 {
		t.Errorf("%+v", d)
	}
	if len(other.took()) != 2 {
		t.Errorf("the other one was told %d times", len(other.took()))
	}
	w.checkEvents(second, other)
}

// TestFaultOutboundRotation: what was queued before a rotation is signed with the secrets of when it is posted: for a day both, then, or once
// the old one was stopped, the new one alone.
func TestFaultOutboundRotation(t *testing.T) {
	w := newWorld(t)
	c := newReceiver(t)
	id := w.endpoint(c)
	before, err := w.ledger.Endpoint(t.Context(), w.s(), id)
	if err != nil {
		t.Fatal(err)
	}
	c.answers(status(500))
	w.api()
	rotate := func() string {
		t.Helper()
		e, err := w.ledger.Endpoint(t.Context(), w.s(), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.ledger.RotateEndpoint(t.Context(), w.s(), e, w.now()); err != nil {
			t.Fatal(err)
		}
		secret, err := w.ledger.RevealSecret(t.Context(), w.s(), id, w.now())
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	second := rotate()
	c.answers(nil)
	c.knows(before.Secret.Reveal(), second) // both must verify
	w.clock.pass(6 * time.Second)
	w.settle()
	if got := c.took(); len(got) != 2 || got[0].Signatures != 1 || got[1].Signatures != 2 {
		t.Fatalf("%+v", got)
	}
	w.clock.pass(24*time.Hour - 7*time.Second)
	w.api()
	c.knows(second)
	w.clock.pass(time.Second)
	w.api()
	if got := c.took(); got[2].Signatures != 2 || got[3].Signatures != 1 {
		t.Fatalf("%d and %d signatures", got[2].Signatures, got[3].Signatures)
	}
	third := rotate()
	if err := w.ledger.StopOldSecret(t.Context(), hash, id, w.now()); err != nil {
		t.Fatal(err)
	}
	c.knows(third)
	w.api()
	if got := c.took(); got[4].Signatures != 1 {
		t.Fatalf("%d signatures", got[4].Signatures)
	}
	w.checkEvents(id, c)
}

// TestFaultOutboundDelaysNobody: while an endpoint never answers, with much waiting for it, the Shop's other endpoint is told and orders are
// held as if it were not there; and it is asked with one event at a time.
func TestFaultOutboundDelaysNobody(t *testing.T) {
	w := newWorldWith(t, func(w *world) { w.postTime = time.Minute })
	stuck, well := newReceiver(t), newReceiver(t)
	release := make(chan struct{})
	stuck.answers(func(http.ResponseWriter, *http.Request, posted) int { <-release; return 0 })
	w.endpoint(stuck)
	w.endpoint(well)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.relay.Run(ctx); close(done) }()
	t.Cleanup(func() { close(release); stop(); <-done })
	const orders = 30
	for i := range orders {
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		w.platform.Deliver(ctx)
		within(t, fmt.Sprintf("order %d to be held", o.ID), func() bool { return w.order(o.ID).StatusID == w.s().Policy.HoldStatus })
		within(t, "the other endpoint", func() bool { return len(well.took()) == i+1 })
	}
	if n := len(stuck.took()); n != 0 {
		t.Errorf("%d were answered", n)
	}
}

// TestAbuseOutboundURLAtDialTime: an address that was taken when it was typed and leads to this machine now is not reached, nor is plain HTTP.
func TestAbuseOutboundURLAtDialTime(t *testing.T) {
	w := newWorld(t)
	c := newReceiver(t)
	id := w.endpoint(c)
	o := w.relay.Options
	o.Loopback = false
	live := relay.New(o)
	port := c.URL[strings.LastIndex(c.URL, ":"):]
	for _, tt := range []struct{ url, trouble string }{
		{"https://localhost" + port + "/", "not public"},
		{"https://127.0.0.1" + port + "/", "not public"},
		{"https://[::1]" + port + "/", "not public"},
		{"https://[::ffff:127.0.0.1]" + port + "/", "not public"},
		{"https://0.0.0.0" + port + "/", "not public"},
		{"https://169.254.169.254/latest/meta-data/", "not public"},
		{"https://10.0.0.1/", "not public"},
		{"https://100.100.100.200/", "not public"},
		{c.URL, "https://"},
		{"https://user:secret@localhost" + port + "/", "cannot be used"},
		{"gopher://localhost" + port + "/", "cannot be used"},
		{"https://%zz/", "cannot be used"},
	} {
		if err := w.ledger.SaveEndpoint(t.Context(), hash, id, ledger.NewEndpoint{URL: tt.url, Types: ledger.EventTypes()}, w.now()); err != nil {
			t.Fatal(err)
		}
		if err := w.ledger.TestEndpoint(t.Context(), hash, id, w.now()); err != nil {
			t.Fatal(err)
		}
		if n, err := live.Step(t.Context(), ledger.EventBell); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		ds := w.deliveries(id)
		if d := ds[len(ds)-1]; d.Type != ledger.Ping || d.State != "failed" || !strings.Contains(d.Posted.Trouble, tt.trouble) || d.Posted.Status != 0 || strings.Contains(d.Posted.Trouble, "secret") {
			t.Errorf("%s: %+v", tt.url, d)
		}
	}
	if got := c.took(); len(got) != 0 {
		t.Errorf("reached: %+v", got)
	}
}
