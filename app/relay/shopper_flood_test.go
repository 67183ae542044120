package relay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
)

// comesFrom has every request seem to come from an address.
func (w *world) comesFrom(address string) {
	from := address + ":4711"
	if strings.Contains(address, ":") {
		from = "[" + address + "]:4711"
	}
	w.from.Store(&from)
}

// asksOf is the script's question about a cart, and its status.
func (w *world) asksOf(cart string) int {
	w.t.Helper()
	status, _ := w.post("decisions", "", map[string]any{"shop": hash, "cart_id": cart})
	return status
}

// TestAbuseInventedCarts: questions about carts that never were, from however many addresses, keep no order from being held, and use no more
// of the shop's quota than shoppers may.
func TestAbuseInventedCarts(t *testing.T) {
	w := newWorld(t)
	w.settle()
	w.clock.pass(time.Minute)
	w.shop.SetQuota(150)
	w.settle()
	before := w.shop.QuotaUse()
	o := w.api()
	busy, unknown := 0, 0
	for range 300 {
		_, err := w.relay.DecideCart(t.Context(), relay.CartAsk{Shop: w.s(), CartID: uuid.NewString()})
		var b *relay.BusyError
		switch {
		case errors.As(err, &b) && b.Wait > 0 && b.Wait <= 30*time.Second:
			busy++
		case errors.Is(err, bigcommerce.ErrNotFound):
			unknown++
		default:
			t.Fatal(err)
		}
	}
	if unknown < 30 || unknown > 37 || busy != 300-unknown {
		t.Errorf("of 300 questions BigCommerce was asked %d, and %d were refused", unknown, busy)
	}
	w.settle()
	if got := w.order(o.ID).StatusID; got != sim.StatusManualVerification {
		t.Errorf("the order is in status %d: %s", got, w.ours(o.ID).Trouble)
	}
	cart := w.guest(adas)
	status, said := w.post("decisions", "", map[string]any{"shop": hash, "cart_id": cart})
	if status != http.StatusServiceUnavailable || said.Error.Code != "busy" {
		t.Errorf("a shopper meanwhile: %d %+v", status, said.Error)
	}
	w.clock.pass(31 * time.Second)
	if a := w.decide(cart, nil); a.Decision != "verify" {
		t.Errorf("a shopper afterwards: %+v", a)
	}
	w.clock.pass(31 * time.Second)
	w.settle()
	for _, x := range w.shop.QuotaUse()[len(before):] {
		if x.Ours > x.Quota/2 || x.Refused > 0 {
			t.Errorf("%d of %d requests of a window were ours, %d were refused", x.Ours, x.Quota, x.Refused)
		}
	}
}

// TestAbuseBusyTellsWhen: the answer says when there is more.
func TestAbuseBusyTellsWhen(t *testing.T) {
	w := newWorld(t)
	w.settle()
	w.clock.pass(time.Minute)
	w.shop.SetQuota(150)
	for range 60 {
		_, _ = w.relay.DecideCart(t.Context(), relay.CartAsk{Shop: w.s(), CartID: uuid.NewString()})
	}
	w.clock.pass(10 * time.Second)
	resp, err := w.http.Post(w.app.URL+"/storefront/v1/decisions", "text/plain", strings.NewReader(fmt.Sprintf(`{"shop":%q,"cart_id":%q}`, hash, w.guest(adas))))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Retry-After"); resp.StatusCode != http.StatusServiceUnavailable || got != "20" {
		t.Errorf("%d, Retry-After %q", resp.StatusCode, got)
	}
}

// TestAbuseNewCartsOfOneAddress: an address asks about 30 carts that we have never heard of, and then about one in 5 s. That refuses nobody
// else, nor that address about a cart that is known.
func TestAbuseNewCartsOfOneAddress(t *testing.T) {
	for name, strange := range map[string]func(i int) string{
		"an address": func(int) string { return "192.0.2.1" },
		"a /64":      func(i int) string { return fmt.Sprintf("2001:db8:7:7::%x", i+1) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			known := w.guest(adas)
			w.comesFrom(strange(0))
			w.decide(known, nil)
			statuses := map[int]int{}
			for i := range 50 {
				w.comesFrom(strange(i))
				statuses[w.asksOf(uuid.NewString())]++
			}
			if want := map[int]int{http.StatusNotFound: 29, http.StatusTooManyRequests: 21}; !maps.Equal(statuses, want) {
				t.Errorf("%v, want %v", statuses, want)
			}
			w.decide(known, nil)
			w.clock.pass(5 * time.Second)
			if one, two := w.asksOf(uuid.NewString()), w.asksOf(uuid.NewString()); one != http.StatusNotFound || two != http.StatusTooManyRequests {
				t.Errorf("after 5 s: %d and %d", one, two)
			}
			w.comesFrom("198.51.100.1")
			w.decide(w.guest(adas), nil)
		})
	}
	t.Run("a /48", func(t *testing.T) {
		w := newWorld(t)
		statuses := map[int]int{}
		for i := range 200 {
			w.clock.pass(time.Millisecond)
			w.comesFrom(fmt.Sprintf("2001:db8:7:%x::1", i))
			statuses[w.asksOf(uuid.NewString())]++
		}
		if want := map[int]int{http.StatusNotFound: 120, http.StatusTooManyRequests: 80}; !maps.Equal(statuses, want) {
			t.Errorf("%v, want %v", statuses, want)
		}
		w.comesFrom("2001:db8:8::1")
		w.decide(w.guest(adas), nil)
	})
}

// TestNewCartsWhileOff: while the policy is off a question costs the shop nothing, and no shopper is made to wait.
func TestNewCartsWhileOff(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.Mode = gate.Off })
	for range 50 {
		if a := w.decide(uuid.NewString(), nil); a.Decision != "allow" {
			t.Fatalf("%+v", a)
		}
	}
}

// TestAbuseStrangersFlood: whoever is refused does not use up what the shop's shoppers may ask together.
func TestAbuseStrangersFlood(t *testing.T) {
	w := newWorld(t)
	for address := range 12 {
		w.comesFrom(fmt.Sprintf("192.0.2.%d", address+1))
		for range 90 {
			w.asksOf(uuid.NewString())
		}
	}
	w.comesFrom("198.51.100.1")
	w.decide(w.guest(adas), nil)
}

// TestAbuseAbsentCart: BigCommerce is asked about a cart that it does not have once a minute.
func TestAbuseAbsentCart(t *testing.T) {
	w := newWorld(t)
	asked := 0
	see := func(e sim.Exchange) {
		if strings.Contains(e.URL, "/v3/checkouts/") {
			asked++
		}
	}
	w.observe.Store(&see)
	cart := uuid.NewString()
	for i, c := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {time.Second, 1}, {58 * time.Second, 1}, {time.Second, 2}, {30 * time.Second, 2}} {
		w.clock.pass(c.pass)
		if status := w.asksOf(cart); status != http.StatusNotFound || asked != c.want {
			t.Errorf("question %d: %d, BigCommerce was asked %d times, want %d", i+1, status, asked, c.want)
		}
	}
	if w.decide(w.guest(adas), nil); asked != 3 {
		t.Errorf("another cart: asked %d times", asked)
	}
}

// TestAbuseLetterCase: a cart's limit counts every spelling of its id.
func TestAbuseLetterCase(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	statuses := map[int]int{}
	for i := range 40 {
		spelling := []byte(cart)
		for j := range spelling {
			if i>>(j%6)&1 == 1 {
				spelling[j] = strings.ToUpper(string(spelling[j]))[0]
			}
		}
		statuses[w.asksOf(string(spelling))]++
	}
	if want := map[int]int{http.StatusOK: 30, http.StatusTooManyRequests: 10}; !maps.Equal(statuses, want) {
		t.Errorf("%v, want %v", statuses, want)
	}
}

// TestAbuseRepeatedQuestions: the same question about the same cart is answered by the same Decision, whoever asks; anything new is a new one.
// Each browser has a Capability of its own.
func TestAbuseRepeatedQuestions(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	seen, latest := map[string]bool{}, ""
	asks := func(fresh bool) answer {
		t.Helper()
		_, a := w.ask(cart, "", "")
		if fresh == seen[a.DecisionID] || !fresh && a.DecisionID != latest {
			t.Errorf("a fresh Decision: %t, want %t", !seen[a.DecisionID], fresh)
		}
		seen[a.DecisionID], latest = true, a.DecisionID
		ds, err := w.ledger.CartDecisions(context.Background(), hash, cart)
		if err != nil || len(ds) != len(seen) || ds[0].ID != latest || string(ds[0].Outcome) != a.Decision || ds[0].Receipt == "" {
			t.Errorf("%d Decisions of %d, the newest %+v, %v", len(ds), len(seen), ds[0], err)
		}
		return a
	}
	one, two := asks(true), asks(false)
	if one.Capability == "" || one.Capability == two.Capability {
		t.Error("two browsers share a Capability")
	}
	if _, n := w.start(two.Capability); n.ID == "" {
		t.Error("the second browser cannot begin")
	}
	asks(false)
	w.policy(func(p *gate.Policy) { p.Checkout.LeastAge = 18 })
	asks(true)
	asks(false)
	if _, err := w.shop.AddToCart(cart, w.product(cheap), 1); err != nil {
		t.Fatal(err)
	}
	asks(true)
	w.clock.pass(59 * time.Minute)
	asks(false)
	w.clock.pass(time.Minute)
	asks(true)
	w.policy(func(p *gate.Policy) { p.OnProviderDown = gate.Stop })
	asks(true)
	switch f, err := w.ledger.Report(t.Context(), w.s(), []time.Time{w.now().Add(-24 * time.Hour), w.now().Add(time.Hour)}); {
	case err != nil:
		t.Error(err)
	case f.Total.Shown != 1:
		t.Errorf("%d checks were shown", f.Total.Shown)
	}
}

// TestAbuseBudgetOfOneAddress: no address, and no site of many, spends what a shop may begin in a day.
func TestAbuseBudgetOfOneAddress(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(i int) string
		most int // tries in a day
	}{
		"an address": {func(int) string { return "192.0.2.1" }, 174},
		"a /48":      {func(i int) string { return fmt.Sprintf("2001:db8:7:%x::1", i) }, 4 * 174},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.decide(w.guest(adas), nil)
			tries, capability, since := 0, a.Capability, w.now()
			for i := range 24 * 60 { // in each minute of the day
				w.comesFrom(c.at(i % 200))
				if w.now().Sub(since) > time.Hour {
					since, capability = w.now(), w.decide(w.guest(fmt.Sprintf("g%d@example.com", i)), nil).Capability
				}
				// A start that finds a Session under way counts for the address like any other.
				if status, _ := w.post("sessions", capability, map[string]any{}); status != http.StatusTooManyRequests {
					tries++
				}
				w.clock.pass(time.Minute)
			}
			if tries > c.most || tries < c.most/2 || tries >= ledger.DefaultBudget {
				t.Errorf("%d tries, want %d at most", tries, c.most)
			}
		})
	}
}
