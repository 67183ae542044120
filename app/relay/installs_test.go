package relay_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
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
