package relay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/sim"
)

// reply is what a client got of a request that was under way when the product was told to stop.
type reply struct {
	status int
	body   string
	err    error // also when the answer broke off
}

// clients sends requests at the same time; its answers are complete when done is called.
type clients struct {
	k    *mortal
	wg   sync.WaitGroup
	mu   sync.Mutex
	got  map[string][]reply // by what was asked
	sent int
}

func (c *clients) send(what, method, path string, header http.Header, body string) {
	c.sent++
	// The port stays open when the product has ended: whoever calls then waits in vain. What was answered in time is read by then.
	ctx, giveUp := context.WithCancel(context.Background())
	context.AfterFunc(c.k.life, func() { time.AfterFunc(2*time.Second, giveUp) })
	r, err := http.NewRequestWithContext(ctx, method, c.k.config.AppURL+path, strings.NewReader(body))
	c.k.ok(err)
	for n, v := range header {
		r.Header[n] = v
	}
	c.wg.Go(func() {
		var x reply
		resp, err := http.DefaultTransport.RoundTrip(r) // which follows nothing
		if x.err = err; err == nil {
			b, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			x = reply{resp.StatusCode, string(b), err}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got[what] = append(c.got[what], x)
	})
}

// shutdownRig is a world with a held order whose link was mailed, and with Sessions open.
type shutdownRig struct {
	*mortal
	cookie http.Header
	tokens []string // Capabilities of carts with open Sessions
	ids    []string // of those
}

func newShutdownRig(t *testing.T) *shutdownRig {
	t.Helper()
	k := newMortal(t, crashSeed(t))
	g := &shutdownRig{mortal: k}
	_, err := k.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: k.shop.Products()[0].ID, Quantity: 1}}})
	k.ok(err)
	k.start()
	k.rest()
	for i := range 3 {
		var a answer
		var n session
		cart := k.cart(0, billing(fmt.Sprintf("guest%d@example.com", i)))
		if !k.ask("/storefront/v1/decisions", nil, map[string]any{"shop": hash, "cart_id": cart}, &a) ||
			!k.ask("/storefront/v1/sessions", http.Header{"Idgate-Capability": {a.Capability}}, map[string]any{}, &n) {
			t.Fatalf("no session: %+v", a)
		}
		g.tokens, g.ids = append(g.tokens, a.Capability), append(g.ids, n.ID)
	}
	k.stop()
	link := k.taken[0].Links[0]
	g.cookie = http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}}
	return g
}

// storm has people at every door, and orders for every loop. It returns when all requests that take a while are under way.
func (g *shutdownRig) storm() *clients {
	g.Helper()
	for range 4 {
		g.before()
	}
	c := &clients{k: g.mortal, got: map[string][]reply{}}
	for i := range 5 { // each asks the slow API
		cart := g.cart(0, billing(fmt.Sprintf("slow%d@example.com", i)))
		c.send("decision", http.MethodPost, "/storefront/v1/decisions", nil, fmt.Sprintf(`{"shop":%q,"cart_id":%q}`, hash, cart))
	}
	for i, token := range g.tokens {
		c.send("stream", http.MethodGet, "/storefront/v1/sessions/"+g.ids[i]+"/events", http.Header{"Idgate-Capability": {token}}, "")
	}
	slow := c.sent
	g.until("what takes a while", func(s childState) bool { return s.Begun == slow })
	owner := g.shop.Users()[0]
	now := g.now().Unix()
	for i := range 3 {
		load := sim.SignJWT(map[string]any{"aud": "client", "iss": "bc", "iat": now, "nbf": now - 5, "exp": now + 86400, "jti": fmt.Sprint("load", i, now), "sub": "stores/" + hash, "url": "/",
			"user": map[string]any{"id": owner.ID, "email": owner.Email, "locale": "en-US"}, "owner": map[string]any{"id": owner.ID, "email": owner.Email}}, secret)
		c.send("callback", http.MethodGet, "/load?signed_payload_jwt="+url.QueryEscape(load), nil, "")
		c.send("link", http.MethodGet, "/v/", g.cookie, "")
		c.send("doorbell", http.MethodPost, "/bc/result", nil, fmt.Sprintf(`{"store_hash":%q,"result":{"session_id":%q}}`, hash, g.ids[0]))
		c.send("admin", http.MethodGet, "/s/"+hash+"/orders", nil, "")
	}
	return c
}

// TestFaultShutdown tells the product to stop while everything is in flight. What was under way is answered, what was acknowledged is kept.
func TestFaultShutdown(t *testing.T) {
	g := newShutdownRig(t)
	g.shop.SetLatency(300 * time.Millisecond)
	rounds := 3
	if os.Getenv("CI") == "true" {
		rounds = 8
	}
	answered := map[string]int{}
	for range rounds {
		g.pass(time.Minute)
		g.start()
		c := g.storm()
		asked := time.Now()
		g.stop()
		if took := time.Since(asked); took > g.config.Drain {
			t.Errorf("it took %s to drain", took)
		}
		c.wg.Wait()
		want := map[string]int{"decision": http.StatusOK, "stream": http.StatusOK}
		for what, replies := range c.got {
			for _, x := range replies {
				status, slow := want[what]
				switch {
				case slow && (x.err != nil || x.status != status || what == "stream" && !strings.HasPrefix(x.body, "event: session\n")):
					t.Errorf("a %s was under way and ended with %d, %v: %q", what, x.status, x.err, x.body)
				case x.err == nil && x.status >= 500:
					t.Errorf("a %s was answered with %d", what, x.status)
				case x.err == nil:
					answered[what]++
				}
			}
		}
		g.promised(c.got["decision"])
	}
	g.shop.SetLatency(0)
	g.converge()
	g.sound("the shutdowns", Checks{})
	t.Logf("answered in %d shutdowns, by door: %v", rounds, answered)
}

// promised holds the ledger to what was answered: a Capability that was given is there.
func (g *shutdownRig) promised(decisions []reply) {
	g.Helper()
	g.open(func(l *ledger.Ledger) {
		for _, x := range decisions {
			_, rest, _ := strings.Cut(x.body, `"capability":"`)
			token, _, _ := strings.Cut(rest, `"`)
			if _, err := l.Capability(context.Background(), token, ledger.ForCart, g.now()); err != nil {
				g.Errorf("the capability in %q: %v", x.body, err)
			}
		}
	})
}

// TestFaultShutdownThatCannotDrain: BigCommerce answers no more. The product ends when its time to drain is over, and what it leaves is
// taken up at the next start.
func TestFaultShutdownThatCannotDrain(t *testing.T) {
	g := newShutdownRig(t)
	for range 2 {
		g.pass(time.Minute)
		g.shop.SetLatency(time.Hour)
		g.start(func(c *childConfig) { c.Drain = 500 * time.Millisecond })
		c := g.storm()
		g.until("work", func(s childState) bool { return s.Pending.Orders > 0 })
		asked := time.Now()
		g.stop()
		if took := time.Since(asked); took > 5*time.Second {
			t.Errorf("it took %s to end", took)
		}
		c.wg.Wait()
		for _, x := range c.got["decision"] {
			if x.err == nil && x.status == http.StatusOK {
				t.Errorf("a decision without BigCommerce: %q", x.body)
			}
		}
		g.shop.SetLatency(0)
		g.converge()
		g.sound("a shutdown that could not drain", Checks{})
	}
}
