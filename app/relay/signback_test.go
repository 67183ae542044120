package relay_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// jar is a browser of our own pages: it keeps their cookies, and follows nothing.
type jar struct {
	w       *world
	cookies map[string]string
}

func (w *world) jar() *jar { return &jar{w, map[string]string{}} }

// send makes a request as a browser would that stands on a page of origin, and returns where it is sent.
func (j *jar) send(method, u, origin string, form url.Values, header ...string) (status int, to, body string) {
	j.w.t.Helper()
	r, err := http.NewRequest(method, u, strings.NewReader(form.Encode()))
	if err != nil {
		j.w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range j.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := j.w.http.Do(r)
	if err != nil {
		j.w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(j.cookies, c.Name)
			continue
		}
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			j.w.t.Errorf("a cookie of ours: %s", c)
		}
		j.cookies[c.Name] = c.Value
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		j.w.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), b.String()
}

// goOn leaves the checkout's dialog for the hosted page.
func (j *jar) goOn(capability, token string, header ...string) (status int, to string) {
	j.w.t.Helper()
	status, to, _ = j.send(http.MethodPost, j.w.app.URL+"/v/here", j.w.origin(), url.Values{"ask": {capability + " " + token}}, header...)
	return status, to
}

func (j *jar) page() string {
	j.w.t.Helper()
	_, _, body := j.send(http.MethodGet, j.w.app.URL+"/v/", "", nil)
	return body
}

// press presses the button, or does what its form would where there is none.
func (j *jar) press() (status int, to string) {
	j.w.t.Helper()
	status, to, _ = j.send(http.MethodPost, j.w.app.URL+"/v/account", j.w.app.URL, url.Values{})
	return status, to
}

// mailed is the link in a mail's text.
var mailed = regexp.MustCompile(`http\S+/v/mail\.\S+`)

const wayBack = `action="/v/account"`

// trying is a signed-in customer's try from the checkout, up to the provider's page.
func (w *world) trying(customer sim.Customer) (cart, token, capability string, n session) {
	w.t.Helper()
	cart, token = w.cart(w.product(cheap), customer.ID, sim.BillingOf(customer)), w.token(customer.ID)
	_, a := w.ask(cart, token, "")
	_, n = w.start(a.Capability)
	return cart, token, a.Capability, n
}

// TestSignBack: a customer whose sign-in ended while she verified in the same browser is signed in again, to the checkout or, once there is
// an order, to her account; and nothing of the token is logged.
func TestSignBack(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		var log syncBuffer
		w := newWorldWith(t, func(w *world) { w.logTo = &log })
		w.settings(ledger.Settings{SignBack: true})
		ada := w.ada()
		cart, token, capability, n := w.trying(ada)
		if !n.Here {
			t.Fatal("the session does not go on by the hosted page")
		}
		j := w.jar()
		if status, to := j.goOn(capability, token, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"); status != http.StatusSeeOther || to != "/v/" {
			t.Fatalf("going on: %d to %q", status, to)
		}
		if page := j.page(); !strings.Contains(page, n.URL) || strings.Contains(page, wayBack) {
			t.Fatalf("before: %s", page)
		}
		if _, to := j.press(); to != "/v/" {
			t.Errorf("before the verification: to %q", to)
		}
		w.choose(n.URL, simkosmos.PassesWithSelfie)
		if ordered {
			w.place(cart)
		}
		if page := j.page(); !strings.Contains(page, wayBack) || !strings.Contains(page, "Back to your account") {
			t.Fatalf("after: %s", page)
		}
		status, to := j.press()
		if status != http.StatusSeeOther || !strings.HasPrefix(to, w.origin()+"/login/token/ey") {
			t.Fatalf("back: %d to %q", status, to)
		}
		shopper := w.jar()
		want := map[bool]string{false: "/checkout", true: "/account.php"}[ordered]
		if status, at, _ := shopper.visit(to); status != http.StatusFound || at != want {
			t.Fatalf("the shop: %d to %q", status, at)
		}
		if _, _, page := shopper.visit(w.origin() + "/account.php"); !strings.Contains(page, "Hello, Ada") && !strings.Contains(page, ada.FirstName) {
			t.Errorf("not signed in: %s", page)
		}
		if status, _, _ := w.jar().visit(to); status != http.StatusForbidden {
			t.Errorf("the token once more: %d", status)
		}
		if _, again := j.press(); again != "" && again != "/v/" {
			t.Errorf("the button once more: to %q", again)
		}
		if secret := to[strings.LastIndex(to, "/")+1:]; strings.Contains(log.String(), secret[:40]) || strings.Contains(log.String(), capability) {
			t.Error("a secret stands in the log")
		}
	}
}

// TestSignBackByIPv6: BigCommerce is told the whole address, and nobody else in the same network is signed in by it.
func TestSignBackByIPv6(t *testing.T) {
	mine, neighbour, four := "[2001:db8:1:2:3:4:5:6]:4711", "[2001:db8:1:2:3:4:5:7]:4711", "203.0.113.9:4711"
	for name, c := range map[string]struct {
		visits string // where the shop is visited from
		want   int
	}{"the same address": {mine, http.StatusFound}, "a neighbour": {neighbour, http.StatusForbidden}, "IPv4 at the shop": {four, http.StatusForbidden}} {
		t.Run(name, func(t *testing.T) {
			w := newWorldWith(t, func(w *world) { w.from.Store(&mine) })
			w.settings(ledger.Settings{SignBack: true})
			j := w.passed(w.ada())
			_, to := j.press()
			if !strings.HasPrefix(to, w.origin()+"/login/token/ey") {
				t.Fatalf("back: to %q", to)
			}
			w.from.Store(&c.visits)
			if status, _, _ := w.jar().visit(to); status != c.want {
				t.Errorf("the shop: %d, want %d", status, c.want)
			}
		})
	}
	t.Run("the setting is off", func(t *testing.T) {
		w := newWorldWith(t, func(w *world) { w.from.Store(&mine) })
		_, token, capability, n := w.trying(w.ada())
		j := w.jar()
		j.goOn(capability, token)
		w.choose(n.URL, simkosmos.PassesWithSelfie)
		if _, to := j.press(); to != "/v/" || n.Here || strings.Contains(j.page(), wayBack) {
			t.Errorf("back: to %q", to)
		}
	})
}

// visit opens an address of the shop's, with the shop's cookies, which are not ours.
func (j *jar) visit(u string) (status int, to, body string) {
	j.w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		j.w.t.Fatal(err)
	}
	for name, value := range j.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := j.w.http.Do(r)
	if err != nil {
		j.w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for _, c := range resp.Cookies() {
		j.cookies[c.Name] = c.Value
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		j.w.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), b.String()
}

// TestAbuseSignBack: nobody but the customer who began, in the browser they began in, is ever signed in.
func TestAbuseSignBack(t *testing.T) {
	on := ledger.Settings{SignBack: true}
	for name, c := range map[string]struct {
		settings ledger.Settings
		// play goes on from Ada's checkout and returns whose browser presses the button.
		play func(w *world, ada sim.Customer) *jar
	}{
		"the setting is off": {ledger.Settings{}, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			if n.Here {
				w.t.Error("the session goes on by the hosted page")
			}
			j := w.jar()
			j.goOn(capability, token)
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"it was switched off meanwhile": {on, func(w *world, ada sim.Customer) *jar {
			j := w.passed(ada)
			w.settings(ledger.Settings{})
			return j
		}},
		"a mailed link": {on, func(w *world, ada sim.Customer) *jar {
			_, _, capability, n := w.trying(ada)
			if status, _ := w.post("links", capability, map[string]any{}); status != http.StatusAccepted {
				w.t.Fatalf("asking for a link: %d", status)
			}
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			j := w.jar()
			j.send(http.MethodGet, mailed.FindString(w.lastMail().Text), "", nil)
			return j
		}},
		"a mailed link in the browser that went on from the checkout": {on, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			if status, _ := w.post("links", capability, map[string]any{}); status != http.StatusAccepted {
				w.t.Fatalf("asking for a link: %d", status)
			}
			j := w.jar()
			j.goOn(capability, token)
			j.send(http.MethodGet, mailed.FindString(w.lastMail().Text), "", nil)
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"another browser": {on, func(w *world, ada sim.Customer) *jar {
			w.passed(ada)
			return w.jar()
		}},
		"a guest": {on, func(w *world, _ sim.Customer) *jar {
			a := w.decide(w.guest("grace@example.com"), nil)
			_, n := w.start(a.Capability)
			if n.Here {
				w.t.Error("a guest's session goes on by the hosted page")
			}
			j := w.jar()
			j.goOn(a.Capability, "")
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"who holds the cart's Capability and is not signed in": {on, func(w *world, ada sim.Customer) *jar {
			_, _, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, "")
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"another customer with her Capability": {on, func(w *world, ada sim.Customer) *jar {
			_, _, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, w.token(w.other(ada).ID))
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"an old token of hers": {on, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			w.clock.pass(17 * time.Minute)
			j := w.jar()
			j.goOn(capability, token)
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"a token of another shop": {on, func(w *world, ada sim.Customer) *jar {
			_, _, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, w.token(ada.ID, func(c map[string]any) { c["sub"], c["store_hash"] = "othershop", "othershop" }))
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"a token that BigCommerce has not signed": {on, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, token[:len(token)-4]+"AAAA")
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			return j
		}},
		"a verification that failed": {on, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, token)
			w.choose(n.URL, simkosmos.Fails)
			return j
		}},
		"a verification under another name": {on, func(w *world, ada sim.Customer) *jar {
			_, token, capability, n := w.trying(ada)
			j := w.jar()
			j.goOn(capability, token)
			w.choose(n.URL, simkosmos.OtherName)
			return j
		}},
		"later than half an hour": {on, func(w *world, ada sim.Customer) *jar {
			j := w.passed(ada)
			w.clock.pass(30 * time.Minute)
			return j
		}},
		"a cookie that was changed": {on, func(w *world, ada sim.Customer) *jar {
			j := w.passed(ada)
			c := []byte(j.cookies["__Host-idgate-here"])
			c[len(c)/2] ^= 1
			j.cookies["__Host-idgate-here"] = string(c)
			return j
		}},
		"the scope was not granted": {on, func(w *world, ada sim.Customer) *jar {
			j := w.passed(ada)
			in := ledger.Install{StoreHash: hash, Token: "another token", Scopes: []string{"store_v2_customers", "store_v2_orders"}, OwnerID: 1}
			if err := w.ledger.InstallShop(context.Background(), in, w.now()); err != nil {
				w.t.Fatal(err)
			}
			return j
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.settings(c.settings)
			j := c.play(w, w.ada())
			if page := j.page(); strings.Contains(page, wayBack) {
				t.Errorf("the button is there: %s", page)
			}
			if status, to := j.press(); strings.Contains(to, "/login/") {
				t.Errorf("%d to %q", status, to)
			}
		})
	}
}

// passed is the browser of a customer who went on from the checkout and has passed.
func (w *world) passed(customer sim.Customer) *jar {
	w.t.Helper()
	_, token, capability, n := w.trying(customer)
	j := w.jar()
	j.goOn(capability, token)
	w.choose(n.URL, simkosmos.PassesWithSelfie)
	if !strings.Contains(j.page(), wayBack) {
		w.t.Fatalf("no way back to begin with: %s", j.page())
	}
	return j
}

// other is a customer who is somebody else.
func (w *world) other(than sim.Customer) sim.Customer {
	w.t.Helper()
	for _, c := range w.shop.Customers() {
		if c.ID != than.ID {
			return c
		}
	}
	w.t.Fatal("only one customer")
	return sim.Customer{}
}

// TestAbuseSignBackForms: no other site begins it, ends it or frames it, and no address of ours holds what would.
func TestAbuseSignBackForms(t *testing.T) {
	w := newWorld(t)
	w.settings(ledger.Settings{SignBack: true})
	_, token, capability, _ := w.trying(w.ada())
	ask := url.Values{"ask": {capability + " " + token}}
	here := w.app.URL + "/v/here"
	for name, c := range map[string]struct {
		origin string
		header []string
		u      string
		form   url.Values
	}{
		"another site":               {"https://evil.example", nil, here, ask},
		"a page without an origin":   {"null", nil, here, ask},
		"nobody says from where":     {"", nil, here, ask},
		"a frame":                    {w.origin(), []string{"Sec-Fetch-Dest", "iframe"}, here, ask},
		"fetched by a script":        {w.origin(), []string{"Sec-Fetch-Dest", "empty"}, here, ask},
		"in the address":             {w.origin(), nil, here + "?" + ask.Encode(), url.Values{}},
		"no Capability":              {w.origin(), nil, here, url.Values{"ask": {" " + token}}},
		"a mailed link's Capability": {w.origin(), nil, here, url.Values{"ask": {strings.TrimPrefix(w.link(w.api().ID), w.app.URL+"/v/") + " " + token}}},
	} {
		j := w.jar()
		status, to, _ := j.send(http.MethodPost, c.u, c.origin, c.form, c.header...)
		if status != http.StatusForbidden || to != "" || len(j.cookies) != 0 {
			t.Errorf("%s: %d to %q with cookies %v", name, status, to, j.cookies)
		}
	}
	if status, _, _ := w.jar().send(http.MethodGet, here+"?"+ask.Encode(), "", nil); status != http.StatusForbidden {
		t.Errorf("by a link: %d", status)
	}
	// The button may be pressed on our own page only.
	j := w.passed(w.ada())
	if status, to, _ := j.send(http.MethodPost, w.app.URL+"/v/account", "https://evil.example", url.Values{}, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden || to != "" {
		t.Errorf("pressed from another site: %d to %q", status, to)
	}
	if status, to, _ := j.send(http.MethodGet, w.app.URL+"/v/account", "", nil); status == http.StatusSeeOther && strings.Contains(to, "login") {
		t.Errorf("pressed by a link: %d to %q", status, to)
	}
	// At once, once.
	var wg sync.WaitGroup
	var mu sync.Mutex
	ways := 0
	for range 8 {
		wg.Go(func() {
			twin := &jar{w, map[string]string{"__Host-idgate-here": j.cookies["__Host-idgate-here"]}}
			_, to := twin.press()
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(to, "/login/token/") {
				ways++
			}
		})
	}
	wg.Wait()
	if ways != 1 {
		t.Errorf("pressed 8 times at once, it led to the account %d times", ways)
	}
	w.clock.pass(time.Minute)
	late := &jar{w, map[string]string{"__Host-idgate-here": j.cookies["__Host-idgate-here"]}}
	if _, to := late.press(); to != "/v/" {
		t.Errorf("a kept cookie, a minute later: to %q", to)
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
