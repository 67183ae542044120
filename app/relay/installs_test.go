package relay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// moved is the same product at another address of its own.
func (w *world) moved(appURL string) *relay.Relay {
	o := w.relay.Options
	o.AppURL = appURL
	return relay.New(o)
}

// hookedAt are the scopes of the app's webhooks that lead to an address.
func (w *world) hookedAt(appURL string) (scopes []string) {
	for _, h := range w.shop.Hooks() {
		if strings.HasPrefix(h.Destination, appURL+"/") {
			scopes = append(scopes, h.Scope)
		}
	}
	slices.Sort(scopes)
	return scopes
}

// TestHooksFollowTheAddress: when the app has moved all its webhooks lead to the new address, and none to the former one: also the one of
// which BigCommerce allows only one, wherever it leads.
func TestHooksFollowTheAddress(t *testing.T) {
	w := newWorld(t)
	all := w.hookedAt(w.app.URL)
	if len(all) != 8 {
		t.Fatalf("%d webhooks: %q", len(all), all)
	}
	rep, err := w.moved("https://idgate.example").Reconcile(context.Background(), w.s())
	if err != nil || slices.ContainsFunc(rep.Problems, func(p string) bool { return strings.HasPrefix(p, "webhooks") }) || len(rep.Hooks) != 8 {
		t.Errorf("%d webhooks in place, problems %q: %v", len(rep.Hooks), rep.Problems, err)
	}
	if got := w.hookedAt("https://idgate.example"); !slices.Equal(got, all) {
		t.Errorf("at the new address %q", got)
	}
	if got := w.hookedAt(w.app.URL); len(got) != 0 {
		t.Errorf("at the former address %q", got)
	}
}

// TestOneHookRefused: a webhook that BigCommerce refuses to make, or to take off, keeps no other from being made; the next look puts it
// right. A refusal that is about the quota ends the look.
func TestOneHookRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse func(method, body string) int // the status it is answered with; 0: as BigCommerce would
		made   int
	}{
		{"making one", func(method, body string) int {
			if method == http.MethodPost && strings.Contains(body, "store/cart/converted") {
				return http.StatusUnprocessableEntity
			}
			return 0
		}, 7},
		{"taking the first off", func() func(method, _ string) int {
			refused := false
			return func(method, _ string) int {
				if method != http.MethodDelete || refused {
					return 0
				}
				refused = true
				return http.StatusInternalServerError
			}
		}(), 8},
		{"the quota is used up", func(method, _ string) int {
			if method == http.MethodPost {
				return http.StatusTooManyRequests
			}
			return 0
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			posts := 0
			w.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
				if !strings.Contains(r.URL.Path, "/v3/hooks") {
					return http.DefaultTransport.RoundTrip(r)
				}
				body := ""
				if r.Body != nil {
					b, err := io.ReadAll(r.Body)
					if err != nil {
						return nil, err
					}
					body = string(b)
					r.Body = io.NopCloser(strings.NewReader(body))
				}
				if r.Method == http.MethodPost {
					posts++
				}
				if status := c.refuse(r.Method, body); status != 0 {
					return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}
				return http.DefaultTransport.RoundTrip(r)
			})
			at := "https://idgate.example"
			rep, err := w.moved(at).Reconcile(context.Background(), w.s())
			if err != nil || !slices.ContainsFunc(rep.Problems, func(p string) bool { return strings.HasPrefix(p, "webhooks") }) {
				t.Errorf("problems %q: %v", rep.Problems, err)
			}
			if got := w.hookedAt(at); len(got) != c.made || len(rep.Hooks) != c.made {
				t.Errorf("made %q, reported %d", got, len(rep.Hooks))
			}
			if want := map[bool]int{true: 8, false: 1}[c.made > 0]; posts != want {
				t.Errorf("%d were asked for, not %d", posts, want)
			}
			w.http.Transport = nil
			if _, err := w.moved(at).Reconcile(context.Background(), w.s()); err != nil {
				t.Error(err)
			}
			if now, was := w.hookedAt(at), w.hookedAt(w.app.URL); len(now) != 8 || len(was) != 0 {
				t.Errorf("after the next look %q, at the former address %q", now, was)
			}
		})
	}
}

// TestRefusalOfAFormerToken: while something is asked with the Shop's token the merchant installs the app again, and BigCommerce kills that
// token. Its refusal, which comes late, says nothing of the new one: the Shop stays installed, and what was under way is done.
func TestRefusalOfAFormerToken(t *testing.T) {
	for _, c := range []struct {
		name  string
		path  string // what is asked while the app is installed again
		asked int    // the how manieth of these
		begin func(w *world)
	}{
		{"an order is read", "/v2/orders/", 1, func(w *world) { w.api() }},
		{"an order is written", "/v2/orders/", 3, func(w *world) { w.api() }},
		{"the installation is compared", "/v2/store", 1, func(w *world) {
			w.must(w.ledger.ReconcileSoon(context.Background(), hash, w.now()))
			w.settle()
		}},
		{"a suspended shop's token is tried", "/v2/store", 1, func(w *world) {
			w.must(w.ledger.SuspendShop(context.Background(), w.s(), w.now(), w.now()))
			w.settle()
		}},
		{"a token that was refused for a day is tried", "/v2/store", 1, func(w *world) {
			w.must(w.ledger.SuspendShop(context.Background(), w.s(), w.now().Add(-25*time.Hour), w.now()))
			w.settle()
		}},
		{"a notice of uninstallation", "/v2/store", 1, func(w *world) {
			w.shop.Emit("store/app/uninstalled", map[string]any{"type": "app"})
			w.settle()
		}},
		{"the owner uninstalled the app before", "/v2/store", 1, func(w *world) {
			payload, err := w.shop.SignedPayload(0, "")
			w.must(err)
			if status, body := w.get(w.app.URL+"/uninstall?signed_payload_jwt="+payload, nil); status != http.StatusOK || !strings.Contains(string(body), `"installed"`) {
				t.Errorf("/uninstall: %d %s", status, body)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.clock.pass(time.Minute)
			w.settle()
			former := w.s()
			asked, refused, again := 0, 0, make(chan error, 1)
			w.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
				if !strings.Contains(r.URL.Path, "/stores/"+hash+c.path) || r.Header.Get("X-Auth-Token") != former.Token {
					return http.DefaultTransport.RoundTrip(r)
				}
				if asked++; asked == c.asked {
					u, err := w.shop.BeginInstall(w.shop.Users()[0].ID)
					w.must(err)
					go func() { // it may wait for what is under way
						resp, err := w.http.Get(u)
						if err == nil {
							err = resp.Body.Close()
						}
						again <- err
					}()
					within(t, "the new token", func() bool {
						s, err := w.ledger.Shop(hash)
						return err == nil && s.Grants > former.Grants
					})
				}
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err == nil && resp.StatusCode == http.StatusUnauthorized {
					refused++
				}
				return resp, err
			})
			c.begin(w)
			if refused == 0 {
				t.Fatal("the former token was never refused")
			}
			w.must(<-again)
			s, err := w.ledger.Shop(hash)
			if err != nil || s.State != ledger.Installed || s.Token == former.Token || !s.SuspendedAt.IsZero() {
				t.Fatalf("the shop: %v, %+v", err, s)
			}
			placed := w.clock.now()
			o := w.api()
			for w.order(o.ID).StatusID != sim.StatusManualVerification && w.clock.now().Sub(placed) < time.Minute {
				w.clock.pass(time.Second)
				w.settle()
			}
			if got := w.order(o.ID); got.StatusID != sim.StatusManualVerification {
				t.Errorf("an order is in status %d: %s", got.StatusID, w.ours(o.ID).Trouble)
			}
			w.clock.pass(time.Minute)
			w.settle()
			if i, err := relay.ReadInstallation(w.s()); err != nil || len(i.Problems) != 0 {
				t.Errorf("the installation: %q, %v", i.Problems, err)
			}
			w.check()
		})
	}
}

// TestTokenIsTriedAgainSoon: a token that BigCommerce refused by mistake for a moment is back within a minute; one that it goes on refusing
// is tried after a minute, two, four, and so on, and once an hour at last.
func TestTokenIsTriedAgainSoon(t *testing.T) {
	w := newWorld(t)
	var tries []time.Time
	good := false
	w.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.Path, "/stores/") || good {
			return http.DefaultTransport.RoundTrip(r)
		}
		if strings.HasSuffix(r.URL.Path, "/v2/store") {
			tries = append(tries, w.clock.now())
		}
		return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	w.api()
	since := w.s().SuspendedAt
	if since.IsZero() || !w.s().ProbeAt.Equal(since.Add(time.Minute)) {
		t.Fatalf("suspended since %s, asked again at %s", since, w.s().ProbeAt)
	}
	tries = nil
	for w.clock.now().Sub(since) < 4*time.Hour+5*time.Minute {
		if next := w.s().ProbeAt; next.Before(w.clock.now()) {
			t.Fatalf("next at %s, which is over", next)
		}
		w.clock.pass(time.Minute)
		w.settle()
	}
	var got []int
	for _, at := range tries {
		got = append(got, int(at.Sub(since).Minutes()))
	}
	if want := []int{1, 2, 4, 8, 16, 32, 64, 124, 184, 244}; !slices.Equal(got, want) {
		t.Errorf("tried after %d minutes, want %d", got, want)
	}
	good = true
	w.clock.pass(time.Hour)
	w.settle()
	if s := w.s(); s.State != ledger.Installed {
		t.Errorf("good again: %s", s.State)
	}
	w.check()
}

// reinstalls installs the app again, and lets the world come to rest.
func (w *world) reinstalls() {
	w.t.Helper()
	w.install()
	for range 3 {
		w.clock.pass(time.Minute)
		w.settle()
	}
}

// TestReinstallingGrantsWhatWasMissing: a permission is missing, so that the page says to install the app again. The merchant uninstalls it
// first, which does not drop what waited for that.
func TestReinstallingGrantsWhatWasMissing(t *testing.T) {
	w := newWorld(t)
	w.must(w.shop.SetTokenScopes(w.s().Token, slices.DeleteFunc(slices.Clone(sim.DefaultScopes), func(s string) bool { return s == "store_v2_customers" })...))
	customer, order := w.member(simkosmos.PassesWithSelfie)
	stuck, err := w.ledger.StuckWritebacks(context.Background(), hash)
	w.must(err)
	if len(stuck) == 0 || order.StatusID != 11 || len(w.shop.CustomerAttributes(customer.ID)) != 0 {
		t.Fatalf("status %d, stuck %+v, attributes %v", order.StatusID, stuck, w.shop.CustomerAttributes(customer.ID))
	}
	w.must(w.shop.Uninstall(context.Background()))
	w.settle()
	if _, err := w.ledger.Shop(hash); err == nil {
		t.Fatal("still installed")
	}
	w.clock.pass(20 * 24 * time.Hour)
	w.settle()
	w.reinstalls()
	w.checkAttributes(customer.ID)
	w.check()
}

// TestGivenUpTokenDropsNothingForGood: BigCommerce refuses the token for more than a day, and the Shop counts as uninstalled. Once it is
// installed again what was owed is done, each once: attributes, metafields, and the mail with the link.
func TestGivenUpTokenDropsNothingForGood(t *testing.T) {
	w := newWorld(t)
	customer := w.shop.Customers()[0]
	cart := w.cart(w.product(cheap), customer.ID, billing(customer.Email))
	_, a := w.ask(cart, w.token(customer.ID), "")
	_, n := w.start(a.Capability)
	var once sync.Once
	w.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/metafields") || strings.Contains(r.URL.Path, "/attribute-values") {
			once.Do(w.shop.RevokeToken) // the hold is written by now
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	held, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	w.must(err)
	w.choose(n.URL, simkosmos.PassesWithSelfie)
	if s := w.s(); s.State != ledger.Suspended || w.order(held.ID).StatusID != sim.StatusManualVerification {
		t.Fatalf("the shop is %s, the order in status %d", s.State, w.order(held.ID).StatusID)
	}
	for range 27 {
		w.clock.pass(time.Hour)
		w.settle()
	}
	written := func() string {
		link := 0
		for _, m := range w.mailbox.Mails() {
			if m.To == "ada@example.com" && strings.HasPrefix(m.Subject, "One step left") && len(m.Links) == 1 { // by then a reminder is due too
				link++
			}
		}
		return fmt.Sprintf("attributes %d, of the customer %d, of the order %d, mails %d", len(w.shop.CustomerAttributes(customer.ID)),
			len(w.shop.Metafields("customer", customer.ID)), len(w.shop.Metafields("order", held.ID)), link)
	}
	if _, err := w.ledger.Shop(hash); err == nil || written() != "attributes 0, of the customer 0, of the order 0, mails 0" {
		t.Fatalf("given up: %v, %s", err, written())
	}
	w.reinstalls()
	if got := written(); got != "attributes 5, of the customer 1, of the order 1, mails 1" {
		t.Error(got)
	}
	w.checkAttributes(customer.ID)
	w.check()
}
