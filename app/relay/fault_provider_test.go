package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	simkosmos "idgate/app/sim/kosmos"
)

// tryLink plays a shopper who opens an order's link and begins, and returns the status of beginning.
func (f *faulty) tryLink(order int64) int {
	f.t.Helper()
	link := f.link(order)
	cookie := http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}}
	status, _ := f.do(http.MethodPost, f.app.URL+"/v/start", cookie, nil)
	return status
}

// begin is tryLink where it must work; it returns the Session.
func (f *faulty) begin(order int64) ledger.Session {
	f.t.Helper()
	if status := f.tryLink(order); status != http.StatusSeeOther {
		f.t.Fatalf("beginning for order %d: %d", order, status)
	}
	return f.newest(order)
}

// newest is the newest Session of an order; one without an id when there is none.
func (f *faulty) newest(order int64) ledger.Session {
	f.t.Helper()
	ns, err := f.ledger.SubjectSessions(context.Background(), hash, order, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return append(ns, ledger.Session{})[0]
}

func (f *faulty) play(n ledger.Session, p simkosmos.Person) {
	f.t.Helper()
	if err := f.tenant.Choose(n.CaptureURL, p); err != nil {
		f.t.Fatal(err)
	}
}

func providerFaults() map[string]simkosmos.Fault {
	return map[string]simkosmos.Fault{
		"down": {Down: true}, "busy": {Busy: true}, "dropped": {Dropped: true}, "undecryptable": {Undecryptable: true}, "reflected": {Reflected: true},
		"foreign key": {ForeignKey: true}, "in the clear": {Unencrypted: true}, "another session": {WrongSession: true}, "unknown state": {UnknownState: true},
		"not JSON": {Plaintext: func(string) []byte { return []byte("It works!") }}, "nothing": {Plaintext: func(string) []byte { return nil }},
		"another person's pass": {Plaintext: func(string) []byte { return passOf("00000000-0000-4000-8000-000000000000") }},
	}
}

// passOf is a result that says that a session was passed, with a selfie, by Ada.
func passOf(sessionID string) []byte {
	b, err := json.Marshal(map[string]any{
		"responseStatus": "SUCCESS", "sessionId": sessionID, "liveid_object": map[string]any{"id": "L1", "type": "liveid", "face": "AAAA"},
		"dl_object": map[string]any{"type": "dl", "documentType": "DL", "documentId": "D1", "firstName": "ADA", "lastName": "LOVELACE", "fullName": "ADA LOVELACE",
			"dob": "19900101", "doe": "20300101", "country": "USA"},
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return b
}

// TestFaultProviderWhilePolling: whatever 1Kosmos answers while a Session is under way, for two minutes or for an hour, there is no verdict
// of which it did not say so itself, the order stays on hold, and it comes right afterwards.
func TestFaultProviderWhilePolling(t *testing.T) {
	var byFault tally
	t.Run("faults", func(t *testing.T) {
		for name, fault := range providerFaults() {
			for _, spell := range []time.Duration{2 * time.Minute, time.Hour} {
				t.Run(fmt.Sprintf("%s for %s", name, spell), func(t *testing.T) {
					t.Parallel()
					f := newFaulty(t)
					for _, person := range []simkosmos.Person{simkosmos.PassesWithSelfie, simkosmos.Fails, simkosmos.OtherName} {
						byFault.add(name, f.suffer(fault, spell, person))
					}
					f.sound(Checks{Within: gateTime})
				})
			}
		}
	})
	byFault.log(t)
}

// suffer plays one person while the provider misbehaves.
func (f *faulty) suffer(fault simkosmos.Fault, spell time.Duration, person simkosmos.Person) (e endured) {
	f.t.Helper()
	id := f.api().ID
	n := f.begin(id)
	f.play(n, person)
	f.tenant.Misbehave(fault)
	for passed := time.Duration(0); passed < spell; passed += 10 * time.Second {
		f.step(10*time.Second, 10*time.Second)
		now, err := f.ledger.Session(context.Background(), n.ID)
		if err != nil {
			f.t.Fatal(err)
		}
		told := fault.Unencrypted && person == simkosmos.Fails && now.State == idv.StateFailed // a refusal needs no envelope
		if now.State != idv.StateCreated && now.State != idv.StateProcessing && now.State != idv.StateExpired && !told {
			f.t.Fatalf("the session is %s although nobody said so", now.State)
		}
		if o := f.order(id); o.StatusID != 12 {
			f.t.Fatalf("the order is in status %d", o.StatusID)
		}
		if now.Trouble != "" || now.State == idv.StateProcessing || told {
			e.met++
		}
	}
	f.tenant.Misbehave(simkosmos.Fault{})
	f.step(2*time.Minute, 5*time.Second)
	if now := f.newest(id); now.State == idv.StateExpired {
		if spell < 30*time.Minute {
			f.t.Errorf("the session has expired after %s", spell)
		}
		f.play(f.begin(id), person)
		f.step(time.Minute, 5*time.Second)
	}
	want := holdOf(id)
	if person == simkosmos.PassesWithSelfie {
		want = releaseOf(id)
	}
	e.lost, e.doubled = f.compare(want)
	if e.met == 0 || len(e.lost)+len(e.doubled) > 0 {
		f.t.Errorf("%s: met %d times, lost %v, doubled %v", person, e.met, e.lost, e.doubled)
	}
	return e
}

// TestFaultProviderAtTheStart: a provider that opens no Session costs nobody anything but time, and the order stays on hold.
func TestFaultProviderAtTheStart(t *testing.T) {
	for name, fault := range map[string]simkosmos.Fault{"down": {Down: true}, "busy": {Busy: true}, "dropped": {Dropped: true}} {
		for _, choice := range []gate.FailureChoice{gate.LetPay, gate.Stop} {
			t.Run(name+", "+string(choice), func(t *testing.T) {
				f := newFaulty(t, func(p *gate.Policy) { p.OnProviderDown = choice })
				f.tenant.Misbehave(fault)
				cart := f.cart(f.product(cheap), 0, f.somebody())
				_, a := f.ask(cart, "", "")
				if status, _ := f.start(a.Capability); status != http.StatusServiceUnavailable {
					t.Errorf("starting: %d", status)
				}
				id := f.place(cart).ID
				f.is(holdOf(id))
				for range 60 {
					f.step(time.Minute, time.Minute)
					if status := f.tryLink(id); status != http.StatusServiceUnavailable {
						t.Fatalf("the link answers %d", status)
					}
				}
				f.is(holdOf(id))
				f.tenant.Misbehave(simkosmos.Fault{})
				f.play(f.begin(id), simkosmos.PassesWithSelfie) // failing to begin has used up no try
				f.step(time.Minute, 5*time.Second)
				f.is(releaseOf(id))
				f.sound(Checks{Within: gateTime})
			})
		}
	}
}

// TestFaultProviderHangsAtTheStart: a provider that does not answer is given up before the checkout gives us up, and the merchant's choice holds.
func TestFaultProviderHangsAtTheStart(t *testing.T) {
	for choice, want := range map[gate.FailureChoice]gate.Outcome{gate.LetPay: gate.Allow, gate.Stop: gate.Verify} {
		t.Run(string(choice), func(t *testing.T) {
			f := newFaultyWith(t, func(w *world) { w.startTime = 50 * time.Millisecond }, func(p *gate.Policy) { p.OnProviderDown = choice })
			f.tenant.Misbehave(simkosmos.Fault{Slow: 2 * time.Second})
			cart := f.cart(f.product(cheap), 0, f.somebody())
			_, a := f.ask(cart, "", "")
			if status, _ := f.start(a.Capability); status != http.StatusServiceUnavailable {
				t.Errorf("starting: %d", status)
			}
			if _, a := f.ask(cart, "", a.Capability); a.Decision != string(want) {
				t.Errorf("asked again: %q, want %q", a.Decision, want)
			}
			f.tenant.Misbehave(simkosmos.Fault{})
			id := f.place(cart).ID
			f.is(holdOf(id))
			f.sound(Checks{Within: gateTime})
		})
	}
}

// hangsUp is a provider that is asked just as the browser goes away.
type hangsUp struct {
	idv.Provider
	gone context.CancelFunc
}

func (h *hangsUp) Create(ctx context.Context, r idv.CreateRequest) (idv.Created, error) {
	h.gone()
	return h.Provider.Create(ctx, r)
}

// TestAbuseHangingUp: a Session that the provider has begun is stored and counted, whether the browser waits for it or not; and where the
// provider begins none, the merchant's choice is recorded.
func TestAbuseHangingUp(t *testing.T) {
	for _, down := range []bool{false, true} {
		t.Run(fmt.Sprintf("down %t", down), func(t *testing.T) {
			h := &hangsUp{}
			f := newFaultyWith(t, func(w *world) {
				w.asIf = func(p idv.Provider) idv.Provider { h.Provider = p; return h }
			}, func(p *gate.Policy) { p.OnProviderDown = gate.LetPay })
			f.tenant.Misbehave(simkosmos.Fault{Down: down})
			cart := f.cart(f.product(cheap), 0, f.somebody())
			_, a := f.ask(cart, "", "")
			c, err := f.ledger.Capability(t.Context(), a.Capability, ledger.ForCart, f.now())
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.ledger.Shop(hash)
			if err != nil {
				t.Fatal(err)
			}
			before, err := f.relay.TriesLeft(t.Context(), s, c)
			if err != nil {
				t.Fatal(err)
			}
			ctx, gone := context.WithCancel(t.Context())
			h.gone = gone
			n, err := f.relay.StartSession(ctx, s, c, "")
			left, lerr := f.relay.TriesLeft(t.Context(), s, c)
			stored, serr := f.ledger.CapabilitySession(t.Context(), c)
			_, a = f.ask(cart, "", a.Capability)
			if lerr != nil {
				t.Fatal(lerr)
			}
			if down && (!errors.Is(err, relay.ErrProviderDown) || left != before || a.Decision != string(gate.Allow)) {
				t.Errorf("down: %v, %d tries of %d left, the cart is answered %q", err, left, before, a.Decision)
			}
			if !down && (err != nil || serr != nil || stored.ID != n.ID || left != before-1) {
				t.Errorf("%v, %v, session %s stored as %s, %d tries of %d left", err, serr, n.ID, stored.ID, left, before)
			}
			if _, err := f.relay.StartSession(ctx, s, c, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("a browser that is gone before: %v", err)
			}
		})
	}
}

// TestFaultProviderPassedThenFailed: what is final stays final, and nobody is asked about it any more.
func TestFaultProviderPassedThenFailed(t *testing.T) {
	f := newFaulty(t)
	id := f.api().ID
	n := f.begin(id)
	f.play(n, simkosmos.PassesWithSelfie)
	f.tenant.Misbehave(simkosmos.Fault{Contradictory: true})
	f.step(10*time.Second, 5*time.Second)
	polls := f.polls(n)
	for range 20 {
		f.ring(n.ID)
		f.step(10*time.Second, 10*time.Second)
	}
	if f.newest(id).State != idv.StatePassed || f.polls(n) != polls {
		t.Errorf("the session is %s, and was asked about %d times more", f.newest(id).State, f.polls(n)-polls)
	}
	f.is(releaseOf(id))
	f.sound(Checks{Within: gateTime})
}

// TestFaultProviderFailedThenPassed: what is final stays final; another Session may pass.
func TestFaultProviderFailedThenPassed(t *testing.T) {
	f := newFaulty(t)
	id := f.api().ID
	n := f.begin(id)
	f.play(n, simkosmos.PassesWithSelfie)
	f.tenant.Misbehave(simkosmos.Fault{Plaintext: func(id string) []byte { return fmt.Appendf(nil, `{"responseStatus":"FAILED","sessionId":%q}`, id) }})
	f.step(10*time.Second, 5*time.Second)
	f.tenant.Misbehave(simkosmos.Fault{})
	for range 20 {
		f.ring(n.ID)
		f.step(10*time.Second, 10*time.Second)
	}
	if got := f.newest(id).State; got != idv.StateFailed {
		t.Errorf("the session is %s", got)
	}
	f.is(holdOf(id))
	f.play(f.begin(id), simkosmos.PassesWithSelfie)
	f.step(time.Minute, 5*time.Second)
	f.is(releaseOf(id))
	f.sound(Checks{Within: gateTime})
}

// TestFaultProviderSpeaksOfAnotherSession: a result counts for its own Session only.
func TestFaultProviderSpeaksOfAnotherSession(t *testing.T) {
	f := newFaulty(t)
	mine, theirs := f.api().ID, f.api().ID
	n, other := f.begin(mine), f.begin(theirs)
	f.play(n, simkosmos.Fails)
	f.play(other, simkosmos.PassesWithSelfie)
	f.tenant.Misbehave(simkosmos.Fault{Plaintext: func(string) []byte { return passOf(providersID(other)) }})
	f.step(2*time.Minute, 5*time.Second)
	f.is(holdOf(mine))
	f.is(releaseOf(theirs)) // it was passed, and said of the right one
	f.tenant.Misbehave(simkosmos.Fault{})
	f.step(time.Minute, 5*time.Second)
	f.is(holdOf(mine))
	if got := f.newest(mine).State; got != idv.StateFailed {
		t.Errorf("the session is %s", got)
	}
	f.sound(Checks{Within: gateTime})
}

// TestFaultProviderPassesTooLate: a pass that comes after our deadline makes no Proof, and the order stays on hold.
func TestFaultProviderPassesTooLate(t *testing.T) {
	f := newFaulty(t)
	id := f.api().ID
	n := f.begin(id)
	f.step(29*time.Minute, time.Minute)
	f.play(n, simkosmos.PassesWithSelfie)
	f.clock.pass(2 * time.Minute) // the machine sleeps
	f.settle()
	if got := f.newest(id); got.State != idv.StatePassed || !got.Late || got.Reason != relay.ReasonLate {
		t.Errorf("the session is %s, late %t, %q", got.State, got.Late, got.Reason)
	}
	f.is(holdOf(id))
	ps, err := f.ledger.ProofsFor(context.Background(), f.s(), gate.Facts{OrderID: id})
	if err != nil || len(ps) != 0 {
		t.Errorf("it made a proof: %+v, %v", ps, err)
	}
	f.play(f.begin(id), simkosmos.PassesWithSelfie)
	f.step(time.Minute, 5*time.Second)
	f.is(releaseOf(id))
	f.sound(Checks{Within: gateTime})
}

// TestFaultProviderSlowAndWithNewKeys: slow answers, large pictures and new keys cost time and nothing else.
func TestFaultProviderSlowAndWithNewKeys(t *testing.T) {
	f := newFaulty(t)
	id := f.api().ID
	f.tenant.Misbehave(simkosmos.Fault{Slow: 20 * time.Millisecond, BigImages: true})
	n := f.begin(id)
	f.step(10*time.Second, 5*time.Second)
	f.tenant.RotateKeys()
	f.step(time.Minute, 5*time.Second)
	f.play(n, simkosmos.PassesWithSelfie)
	f.step(3*time.Minute, 5*time.Second) // keys are asked for anew once a minute at most
	f.is(releaseOf(id))
	f.sound(Checks{Within: gateTime})
}

// providersID is a Session's id at the provider.
func providersID(n ledger.Session) string { return n.Ref[strings.Index(n.Ref, ":")+1:] }

// polls is how often the provider was asked about a Session.
func (f *faulty) polls(n ledger.Session) int {
	for _, s := range f.tenant.Sessions() {
		if s.ID == providersID(n) {
			return s.Polls
		}
	}
	return 0
}

// ring rings the doorbell of a Session.
func (f *faulty) ring(sessionID string) {
	f.t.Helper()
	if status, _ := f.do(http.MethodPost, f.app.URL+"/bc/result", http.Header{"Origin": {f.origin()}}, fmt.Appendf(nil, `{"store_hash":%q,"result":{"session_id":%q}}`, hash, sessionID)); status != http.StatusAccepted {
		f.t.Errorf("the doorbell answers %d", status)
	}
}

// TestFaultProviderForAnHour: with many people at it and the provider misbehaving in changing ways, everybody ends with the verdict that is
// theirs, or with none.
func TestFaultProviderForAnHour(t *testing.T) {
	n := seed(t)
	random := rand.New(rand.NewPCG(n, 2))
	f := newFaulty(t)
	people := []simkosmos.Person{simkosmos.PassesWithSelfie, simkosmos.PassesWithSelfie, simkosmos.PassesWithSelfie, simkosmos.Passes, simkosmos.Fails, simkosmos.OtherName, simkosmos.GivesUp, simkosmos.Declines, simkosmos.ExpiredDocument}
	faults := make([]simkosmos.Fault, 12) // half of the time it is well
	kinds := providerFaults()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		faults = append(faults, kinds[name])
	}
	type one struct {
		order  int64
		person simkosmos.Person
	}
	var all []one
	for range 20 {
		all = append(all, one{f.placeUnsettled(), people[random.IntN(len(people))]})
	}
	f.settle()
	for range 60 {
		f.tenant.Misbehave(faults[random.IntN(len(faults))])
		for _, x := range all {
			if random.IntN(8) == 0 && f.ours(x.order).Hold == ledger.Held && f.tryLink(x.order) == http.StatusSeeOther {
				if n := f.newest(x.order); !n.State.Final() {
					_ = f.tenant.Choose(n.CaptureURL, x.person) // again, if they have chosen before
				}
			}
		}
		f.step(time.Minute, 10*time.Second)
	}
	f.tenant.Misbehave(simkosmos.Fault{})
	f.step(35*time.Minute, time.Minute)
	released, passed := 0, 0
	for _, x := range all {
		got := f.newest(x.order)
		switch {
		case got.ID == "": // never got through
		case !got.State.Final():
			t.Errorf("order %d: its session is still %s", x.order, got.State)
		case got.State == idv.StatePassed && x.person != simkosmos.PassesWithSelfie && x.person != simkosmos.OtherName:
			t.Errorf("order %d: %s has passed", x.order, x.person)
		case got.State == idv.StatePassed:
			passed++
		}
		if f.ours(x.order).Hold == ledger.Released {
			released++
			if x.person != simkosmos.PassesWithSelfie || got.State != idv.StatePassed {
				t.Errorf("order %d: released for %s in state %s", x.order, x.person, got.State)
			}
			f.is(releaseOf(x.order))
		} else {
			f.is(holdOf(x.order))
			if x.person == simkosmos.PassesWithSelfie && got.State == idv.StatePassed && !got.Late {
				t.Errorf("order %d: proved and not released", x.order)
			}
		}
	}
	f.sound(Checks{Within: gateTime})
	t.Logf("%d people, %d passed, %d orders released", len(all), passed, released)
}
