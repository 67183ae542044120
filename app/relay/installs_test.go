package relay_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"idgate/app/relay"
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
