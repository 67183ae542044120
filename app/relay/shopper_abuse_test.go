package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	"idgate/app/ledger"
	simkosmos "idgate/app/sim/kosmos"
)

// TestAbuseSessionFarming: sessions cost the shop money at the provider. Each limit holds, also for requests at the same time.
func TestAbuseSessionFarming(t *testing.T) {
	t.Run("one cart, many browsers at once", func(t *testing.T) {
		w := newWorld(t)
		cart := w.guest(adas)
		capabilities := make([]string, 12)
		for i := range capabilities {
			capabilities[i] = w.decide(cart, nil).Capability
		}
		var made, refused atomic.Int32
		var wg sync.WaitGroup
		for _, c := range capabilities {
			wg.Go(func() {
				switch status, _ := w.post("sessions", c, map[string]any{}); status {
				case http.StatusCreated:
					made.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		if made.Load() != 5 || refused.Load() != 7 || len(w.tenant.Sessions()) != 5 {
			t.Errorf("%d made, %d refused, %d at the provider", made.Load(), refused.Load(), len(w.tenant.Sessions()))
		}
		if a := w.decide(cart, nil); a.TriesLeft != 0 {
			t.Errorf("%d tries left", a.TriesLeft)
		}
		w.clock.pass(24*time.Hour + time.Second)
		if a := w.decide(cart, nil); a.TriesLeft != 5 {
			t.Errorf("the next day: %d tries left", a.TriesLeft)
		}
	})
	t.Run("as many as the policy says", func(t *testing.T) {
		w := newWorld(t, func(p *gate.Policy) { p.Tries = 2 })
		cart := w.guest(adas)
		for i := range 3 {
			a := w.decide(cart, nil)
			if a.TriesLeft != 2-min(i, 2) {
				t.Errorf("before try %d: %d left", i+1, a.TriesLeft)
			}
			status, got := w.post("sessions", a.Capability, map[string]any{})
			if want := map[bool]int{true: http.StatusCreated, false: http.StatusTooManyRequests}[i < 2]; status != want {
				t.Fatalf("try %d: %d %+v", i+1, status, got.Error)
			}
			if i < 2 {
				n := w.tenant.Sessions()[i]
				w.choose(n.URL, simkosmos.ExpiredDocument)
				w.clock.pass(time.Minute)
				w.settle()
			}
		}
	})
	t.Run("many carts under one mailbox", func(t *testing.T) {
		w := newWorld(t)
		for i := range 11 {
			a := w.decide(w.guest(adas), nil)
			status, got := w.post("sessions", a.Capability, map[string]any{})
			if want := map[bool]int{true: http.StatusCreated, false: http.StatusTooManyRequests}[i < 10]; status != want {
				t.Errorf("cart %d: %d %+v", i+1, status, got.Error)
			}
		}
		// Whose mailbox it is is not shut out by a stranger who typed it.
		a := w.decide(w.guest(adas), nil)
		if status, _ := w.enter(a.Capability, w.code(a.Capability, adas)); status != http.StatusOK {
			t.Fatalf("the code: %d", status)
		}
		if status, got := w.post("sessions", a.Capability, map[string]any{}); status != http.StatusCreated {
			t.Errorf("after showing the mailbox: %d %+v", status, got.Error)
		}
	})
	t.Run("a customer's mailbox in strangers' carts", func(t *testing.T) {
		w := newWorld(t)
		ada := w.ada()
		for range 10 {
			w.post("sessions", w.decide(w.guest(ada.Email), nil).Capability, map[string]any{})
		}
		if status, _ := w.post("sessions", w.decide(w.guest(ada.Email), nil).Capability, map[string]any{}); status != http.StatusTooManyRequests {
			t.Fatalf("the eleventh of a stranger: %d", status)
		}
		for i := range 11 { // who is signed in has tries of their own
			cart := w.cart(w.product(cheap), ada.ID, billing(ada.Email))
			a := w.decide(cart, map[string]any{"customer_jwt": w.token(ada.ID)})
			status, got := w.post("sessions", a.Capability, map[string]any{})
			if want := map[bool]int{true: http.StatusCreated, false: http.StatusTooManyRequests}[i < 10]; status != want {
				t.Errorf("cart %d of the customer: %d %+v", i+1, status, got.Error)
			}
		}
	})
	t.Run("one address, many carts and mailboxes", func(t *testing.T) {
		w := newWorld(t)
		statuses := map[int]int{}
		for i := range 32 {
			w.clock.pass(5 * time.Second) // within the address's rate of carts
			a := w.decide(w.guest(fmt.Sprintf("g%d@example.com", i)), nil)
			status, _ := w.post("sessions", a.Capability, map[string]any{})
			statuses[status]++
		}
		if want := map[int]int{http.StatusCreated: 30, http.StatusTooManyRequests: 2}; !maps.Equal(statuses, want) {
			t.Errorf("%v, want %v", statuses, want)
		}
	})
}

// TestAbuseBudget: what happens when a Shop's sessions of the day are spent is its choice for a provider that is down.
func TestAbuseBudget(t *testing.T) {
	for choice, want := range map[gate.FailureChoice]string{gate.LetPay: "allow", gate.Stop: "verify"} {
		t.Run(string(choice), func(t *testing.T) {
			w := newWorld(t, func(p *gate.Policy) { p.OnProviderDown = choice })
			w.settings(ledger.Settings{SessionsPerDay: 2})
			start := func() (string, int) {
				cart := w.guest(adas)
				a := w.decide(cart, nil)
				status, _ := w.post("sessions", a.Capability, map[string]any{})
				return cart, status
			}
			for range 2 {
				if _, status := start(); status != http.StatusCreated {
					t.Errorf("within the budget: %d", status)
				}
			}
			b, err := w.ledger.SessionBudget(context.Background(), w.s(), w.now())
			if err != nil || !b.Spent() || b.Used != 2 || b.Most != 2 {
				t.Errorf("the budget: %+v, %v", b, err)
			}
			cart, status := start()
			if status != http.StatusServiceUnavailable || len(w.tenant.Sessions()) != 2 {
				t.Errorf("over it: %d, %d at the provider", status, len(w.tenant.Sessions()))
			}
			if a := w.decide(cart, nil); a.Decision != want {
				t.Errorf("the cart then: %s, want %s", a.Decision, want)
			}
			if w.allowed(cart) {
				t.Error("the order was let go unproven")
			}
			w.clock.pass(24 * time.Hour)
			if _, status := start(); status != http.StatusCreated {
				t.Errorf("the next day: %d", status)
			}
			w.check()
		})
	}
}

// TestAbuseMailBombing: nobody's mailbox is filled by somebody who types it.
func TestAbuseMailBombing(t *testing.T) {
	for _, path := range []string{"links", "codes"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t)
			cart := w.guest(adas)
			a := w.decide(cart, nil)
			ask := func(capability string) (int, string) {
				status, got := w.post(path, capability, map[string]any{})
				return status, got.Error.Code
			}
			for i := range 5 {
				if status, code := ask(a.Capability); status != http.StatusAccepted {
					t.Fatalf("mail %d: %d %s", i+1, status, code)
				}
				if status, code := ask(a.Capability); status != http.StatusTooManyRequests || i < 4 && code != "too_soon" {
					t.Errorf("at once after mail %d: %d %s", i+1, status, code)
				}
				w.clock.pass(3 * time.Minute)
			}
			for name, c := range map[string]string{"the same cart": a.Capability, "another cart": w.decide(w.guest(adas), nil).Capability, "another spelling": w.decide(w.guest("ADA@Example.com"), nil).Capability} {
				if status, code := ask(c); status != http.StatusTooManyRequests || code != "too_many" {
					t.Errorf("%s: %d %s", name, status, code)
				}
			}
			if n := len(w.mailbox.Mails()); n != 5 {
				t.Errorf("%d mails came", n)
			}
			if status, code := ask(w.decide(w.guest("bob@example.com"), nil).Capability); status != http.StatusAccepted {
				t.Errorf("another mailbox: %d %s", status, code)
			}
			w.clock.pass(24 * time.Hour)
			if status, code := ask(w.decide(w.guest(adas), nil).Capability); status != http.StatusAccepted {
				t.Errorf("the next day: %d %s", status, code)
			}
		})
	}
	t.Run("one address", func(t *testing.T) {
		w := newWorld(t)
		statuses := map[int]int{}
		for i := range 14 {
			w.clock.pass(time.Second)
			status, _ := w.post("codes", w.decide(w.guest(fmt.Sprintf("g%d@example.com", i)), nil).Capability, map[string]any{})
			statuses[status]++
		}
		if want := map[int]int{http.StatusAccepted: 12, http.StatusTooManyRequests: 2}; !maps.Equal(statuses, want) {
			t.Errorf("%v, want %v", statuses, want)
		}
	})
	t.Run("when to ask again is told", func(t *testing.T) {
		w := newWorld(t)
		a := w.decide(w.guest(adas), nil)
		w.post("codes", a.Capability, map[string]any{})
		w.clock.pass(20 * time.Second)
		r := httptest.NewRequest(http.MethodPost, w.app.URL+"/storefront/v1/codes", strings.NewReader("{}"))
		r.RequestURI = ""
		r.Header.Set("Origin", w.origin())
		r.Header.Set("Idgate-Capability", a.Capability)
		resp, err := w.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.Header.Get("Retry-After") != "40" || resp.Header.Get("Access-Control-Expose-Headers") != "Retry-After" {
			t.Errorf("%v", resp.Header)
		}
	})
	t.Run("no mail server", func(t *testing.T) {
		w := newWorld(t, func(p *gate.Policy) { p.Mails = false })
		a := w.decide(w.guest(adas), nil)
		if a.Mail || a.Mailbox != "" {
			t.Errorf("%+v", a)
		}
		if status, got := w.post("codes", a.Capability, map[string]any{}); status != http.StatusNotFound || got.Error.Code != "no_mails" {
			t.Errorf("%d %+v", status, got.Error)
		}
	})
}

// TestAbuseEnumeration: what is answered tells nobody whether a mailbox, a customer or a session is known here.
func TestAbuseEnumeration(t *testing.T) {
	w := newWorld(t)
	w.place(func() string { cart := w.guest(adas); w.verify(cart, "", simkosmos.PassesWithSelfie); return cart }())
	w.clock.pass(2 * time.Minute)
	alike := func(name string, a, b any) {
		t.Helper()
		if x, y := plain(t, a), plain(t, b); x != y {
			t.Errorf("%s tells known from unknown:\n%s\n%s", name, x, y)
		}
	}
	known, unknown := w.decide(w.guest(adas), nil), w.decide(w.guest("nobody@example.com"), nil)
	alike("a cart", known, unknown)
	for _, path := range []string{"codes", "links"} {
		s1, a := w.post(path, known.Capability, map[string]any{})
		s2, b := w.post(path, unknown.Capability, map[string]any{})
		alike(path, []any{s1, a}, []any{s2, b})
	}
	s1, a := w.enter(known.Capability, "000000")
	s2, b := w.enter(unknown.Capability, "000000")
	alike("a wrong code", []any{s1, a}, []any{s2, b})
	// A Session's id opens nothing without the Capability that began it, and is not told from one that never was.
	_, n := w.start(known.Capability)
	read := func(id string) (int, string) {
		status, body := w.get(w.app.URL+"/storefront/v1/sessions/"+id, http.Header{"Origin": {w.origin()}, "Idgate-Capability": {unknown.Capability}})
		return status, string(body)
	}
	theirStatus, theirs := read(n.ID)
	noStatus, none := read("0199c0de-0000-7000-8000-000000000000")
	if theirStatus != noStatus || theirs != none || theirStatus != http.StatusForbidden {
		t.Errorf("another's session %d %s, none %d %s", theirStatus, theirs, noStatus, none)
	}
	ring := func(shop, id string) (int, string) {
		b, _ := json.Marshal(map[string]any{"store_hash": shop, "result": map[string]any{"session_id": id, "state": "passed"}})
		status, body := w.do(http.MethodPost, w.app.URL+"/bc/result", nil, b)
		return status, string(body)
	}
	for name, c := range map[string][2]string{"its session": {hash, n.ID}, "no session": {hash, "0199c0de-0000-7000-8000-000000000000"}, "no shop": {"nobody1", n.ID}} {
		if status, body := ring(c[0], c[1]); status != http.StatusAccepted || body != "" {
			t.Errorf("a doorbell for %s: %d %q", name, status, body)
		}
	}
}

// plain is an answer without what is random in it.
func plain(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	if m, ok := tree.(map[string]any); ok {
		delete(m, "capability")
	}
	b, err = json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAbuseCapabilityGuessing: every door that takes a Capability refuses whatever was not made here, alike.
func TestAbuseCapabilityGuessing(t *testing.T) {
	w := newWorld(t)
	mine := w.decide(w.guest(adas), nil).Capability
	_, n := w.start(mine)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(mine, "cart."))
	if err != nil {
		t.Fatal(err)
	}
	guesses := []string{"", "cart.", "cart", mine[:len(mine)-1], mine + "A", "mail." + strings.TrimPrefix(mine, "cart."), strings.TrimPrefix(mine, "cart."), strings.ToUpper(mine), "cart." + strings.Repeat("A", 5000)}
	for i := range raw {
		bent := bytes.Clone(raw)
		bent[i] ^= 1 << (i % 8)
		guesses = append(guesses, "cart."+base64.RawURLEncoding.EncodeToString(bent))
	}
	for range 16 {
		b := make([]byte, 32)
		_, _ = rand.Read(b)
		guesses = append(guesses, "cart."+base64.RawURLEncoding.EncodeToString(b))
	}
	bodies := map[string]bool{}
	for _, guess := range guesses {
		w.clock.pass(time.Second) // within the address's rate
		for _, door := range []struct{ method, path, body string }{
			{http.MethodPost, "sessions", "{}"}, {http.MethodGet, "sessions/" + n.ID, ""}, {http.MethodGet, "sessions/" + n.ID + "/events", ""},
			{http.MethodPost, "links", "{}"}, {http.MethodPost, "codes", "{}"}, {http.MethodPost, "codes/check", `{"code":"123456"}`},
		} {
			status, body := w.do(door.method, w.app.URL+"/storefront/v1/"+door.path, http.Header{"Origin": {w.origin()}, "Idgate-Capability": {guess}}, []byte(door.body))
			if status != http.StatusForbidden {
				t.Errorf("%s with %.20q: %d %s", door.path, guess, status, body)
			}
			bodies[string(body)] = true
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different refusals: %q", len(bodies), slices.Collect(maps.Keys(bodies)))
	}
	if status, _ := w.get(w.app.URL+"/v/"+mine, nil); status != http.StatusForbidden {
		t.Errorf("a cart's Capability as a link: %d", status)
	}
	if n := len(w.mailbox.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// TestAbuseOpenRedirect: the hosted page leads nowhere but to itself, to the provider and to the shop's own address.
func TestAbuseOpenRedirect(t *testing.T) {
	w := newWorld(t)
	o := w.api()
	link := w.link(o.ID)
	token := link[strings.LastIndex(link, "/")+1:]
	where := func(method, u string, header http.Header) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, header)
		if host := header.Get("X-Test-Host"); host != "" {
			r.Host = host
			r.Header.Del("X-Test-Host")
		}
		resp, err := w.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Location")
	}
	cookie := http.Header{"Cookie": {"__Host-idgate-link=" + token}}
	for _, c := range []struct {
		name, method, u string
		header          http.Header
	}{
		{"a query", http.MethodGet, link + "?next=https://evil.example/&return_to=//evil.example&url=javascript:alert(1)", nil},
		{"another host's name", http.MethodGet, link, http.Header{"X-Test-Host": {"evil.example"}}},
		{"a forwarded host", http.MethodGet, link, http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"gopher"}}},
		{"the start", http.MethodPost, w.app.URL + "/v/start?next=//evil.example", cookie},
	} {
		if status, to := where(c.method, c.u, c.header); status != http.StatusSeeOther || to != "/v/" {
			t.Errorf("%s: %d to %q", c.name, status, to)
		}
	}
	for _, path := range []string{"/v//evil.example", "/v/%2f%2fevil.example", "//evil.example/v/", "/v/https:%2f%2fevil.example", `/v/\evil.example`} {
		if _, to := where(http.MethodGet, w.app.URL+path, nil); strings.HasPrefix(to, "//") || strings.Contains(to, "://") && !strings.HasPrefix(to, w.app.URL) {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	_, page := w.get(w.app.URL+"/v/", cookie)
	for _, m := range hrefs.FindAllStringSubmatch(string(page), -1) {
		if u := m[1]; !strings.HasPrefix(u, "/") && !strings.HasPrefix(u, w.origin()) && !strings.HasPrefix(u, w.tenant.Sessions()[0].URL) && u != "data:," {
			t.Errorf("the page leads to %q", u)
		}
	}
}

// TestAbuseClickjacking: nobody can frame the hosted page, and its address goes nowhere with a link.
func TestAbuseClickjacking(t *testing.T) {
	w := newWorld(t)
	link := w.link(w.api().ID)
	cookie := "__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]
	for path, c := range map[string]string{link: "", w.app.URL + "/v/": cookie, w.app.URL + "/v/ ": "", w.app.URL + "/v/mail.wrong": ""} {
		r, err := http.NewRequest(http.MethodGet, strings.TrimSpace(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", c)
		resp, err := w.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		h := resp.Header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
		if h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, h)
		}
		if set := h.Get("Set-Cookie"); path == link && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "Secure") || !strings.Contains(set, "SameSite=Lax")) {
			t.Errorf("the cookie: %q", set)
		}
	}
	// Another site cannot press the button for the shopper either.
	r, err := http.NewRequest(http.MethodPost, w.app.URL+"/v/start", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	resp, err := w.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || len(w.tenant.Sessions()) != 0 {
		t.Errorf("pressed from another site: %d, %d sessions", resp.StatusCode, len(w.tenant.Sessions()))
	}
}

// TestAbuseForeignOrigins: a page that is none of the shop's own can neither ask nor read.
func TestAbuseForeignOrigins(t *testing.T) {
	w := newWorld(t)
	capability := w.decide(w.guest(adas), nil).Capability
	own, err := url.Parse(w.origin())
	if err != nil {
		t.Fatal(err)
	}
	origins := []string{"https://evil.example", "null", own.Scheme + "://evil." + own.Host, own.Scheme + "://" + own.Host + ".evil.example", own.Scheme + "://x@" + own.Host,
		strings.ToUpper(w.origin()), w.origin() + "/", w.origin() + ":1", "file://", " " + w.origin() + ", https://evil.example"}
	if own.Scheme == "http" {
		origins = append(origins, "https://"+own.Host)
	}
	ask, _ := json.Marshal(map[string]any{"shop": hash, "cart_id": w.guest(adas)})
	for _, origin := range origins {
		w.clock.pass(2 * time.Second)
		for _, door := range []struct{ method, path, body string }{
			{http.MethodPost, "/storefront/v1/decisions", string(ask)}, {http.MethodPost, "/storefront/v1/sessions", "{}"}, {http.MethodGet, "/storefront/v1/sessions/x", ""},
			{http.MethodGet, "/storefront/v1/sessions/x/events", ""}, {http.MethodPost, "/storefront/v1/links", "{}"}, {http.MethodPost, "/storefront/v1/codes", "{}"},
			{http.MethodPost, "/storefront/v1/codes/check", `{"code":"123456"}`}, {http.MethodPost, "/storefront/v1/canary", `{"shop":"` + hash + `","missing":["submit_button"]}`},
			{http.MethodPost, "/bc/result", `{"store_hash":"` + hash + `","result":{"session_id":"x"}}`}, {http.MethodOptions, "/storefront/v1/sessions", ""},
		} {
			r, err := http.NewRequest(door.method, w.app.URL+door.path, strings.NewReader(door.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", origin)
			r.Header.Set("Idgate-Capability", capability)
			resp, err := w.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Access-Control-Allow-Origin") != "" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s from %q: %d %v", door.method, door.path, origin, resp.StatusCode, resp.Header)
			}
		}
	}
	if len(w.mailbox.Mails()) != 0 || len(w.tenant.Sessions()) != 0 {
		t.Error("something was done for a foreign page")
	}
}

// TestAbuseMaliciousShop: a shop's name and its own texts are text, wherever shoppers read them.
func TestAbuseMaliciousShop(t *testing.T) {
	const evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\r\nBcc: eve@example.com\r\n\r\n<b>"
	w := newWorld(t)
	w.settle() // the installation has been looked at, and the name read
	s := w.s()
	d := ledger.Description{StoreID: s.StoreID, Name: evil, Currency: s.Currency, Timezone: s.Timezone, ControlPanel: s.ControlPanel, Channels: s.Channels}
	if err := w.ledger.DescribeShop(context.Background(), hash, d); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, key := range []string{"dialog.title", "dialog.start", "mail.link.subject", "mail.link.heading", "mail.code.text", "page.thank_you"} {
		texts[key] = "<script>alert(2)</script>{shop}"
	}
	w.settings(ledger.Settings{Texts: map[string]map[string]string{"en": texts}})
	o := w.api()
	w.clock.pass(10 * time.Second)
	w.settle()
	a := w.decide(w.guest("bob@example.com"), nil)
	w.post("codes", a.Capability, map[string]any{})
	w.post("links", a.Capability, map[string]any{})
	mails := w.mailbox.Mails()
	if len(mails) != 3 {
		t.Fatalf("%d mails", len(mails))
	}
	pages := map[string]string{}
	for _, m := range mails {
		pages["the mail "+m.ID] = m.HTML
		if strings.ContainsAny(m.Subject+m.FromName, "\r\n") || m.To != "bob@example.com" && m.To != adas {
			t.Errorf("the header was broken: to %s, subject %q, from %q", m.To, m.Subject, m.FromName)
		}
	}
	_, page := w.get(w.app.URL+"/v/", http.Header{"Cookie": {"__Host-idgate-link=" + w.link(o.ID)[strings.LastIndex(w.link(o.ID), "/")+1:]}})
	pages["the hosted page"] = string(page)
	for name, html := range pages {
		for _, tag := range []string{"<script>", "<img src=x", "<b>", "onerror=alert(1)>"} {
			if strings.Contains(html, tag) {
				t.Errorf("%s carries %s", name, tag)
			}
		}
		if !strings.Contains(html, "alert(1)") {
			t.Errorf("%s does not name the shop: nothing was tried", name)
		}
	}
}

// TestAbuseSSRF: a tenant's host that a merchant types is never dialled where it is none of the world's.
func TestAbuseSSRF(t *testing.T) {
	var touched atomic.Int32
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched.Add(1) }))
	defer inside.Close()
	u, err := url.Parse(inside.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{u.Host, "localhost:" + u.Port(), "[::ffff:127.0.0.1]:" + u.Port(), "0.0.0.0:" + u.Port(), "2130706433:" + u.Port(), "127.1:" + u.Port(), "169.254.169.254", "10.0.0.1",
		"192.168.1.1", "[fd00::1]", "[::1]:" + u.Port(), "user@" + u.Host, u.Host + "/#.1kosmos.net", "a.1kosmos.net@" + u.Host} {
		c, err := kosmos.New(kosmos.Tenant{DNS: host, Community: "c", LicenseKey: "licence", DVCID: "dvc"}, kosmos.Options{Now: time.Now})
		if err != nil {
			continue // refused before anybody is dialled
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		made, err := c.Create(ctx, idv.CreateRequest{SessionID: "0199c0de-0000-7000-8000-000000000000"})
		cancel()
		if err == nil {
			t.Errorf("%s: %+v", host, made)
		}
	}
	if touched.Load() != 0 {
		t.Errorf("the inside was asked %d times", touched.Load())
	}
}

// TestAbuseLogInjection: nothing that a shopper's browser sends begins a line of the log, and no mailbox or secret stands in it.
func TestAbuseLogInjection(t *testing.T) {
	log := &lockedBuffer{}
	w := newWorldWith(t, func(w *world) { w.logTo = log })
	const forged = "\ntime=2026-05-04T12:00:00Z level=ERROR msg=forged shop=" + hash
	cart := w.guest(adas)
	a := w.decide(cart, map[string]any{"locale": "en" + forged, "page": "checkout" + forged})
	for _, body := range []map[string]any{
		{"shop": hash, "cart_id": cart + forged}, {"shop": hash + forged, "cart_id": cart}, {"shop": hash, "cart_id": cart, "customer_jwt": "a.b.c" + forged},
		{"shop": hash, "cart_id": cart, "capability": a.Capability + forged},
	} {
		w.post("decisions", "", body)
	}
	for _, missing := range []string{"submit_button" + forged, forged, "submit_button"} {
		b, _ := json.Marshal(map[string]any{"shop": hash, "channel": 1, "missing": []string{missing}})
		w.do(http.MethodPost, w.app.URL+"/storefront/v1/canary", http.Header{"Origin": {w.origin()}}, b)
	}
	w.post("codes/check", a.Capability, map[string]any{"code": "123456" + forged})
	w.post("codes", a.Capability, map[string]any{"locale": forged})
	w.post("sessions", a.Capability, map[string]any{"document": forged})
	w.get(w.app.URL+"/v/mail."+url.PathEscape(forged), nil)
	w.get(w.app.URL+"/storefront/v1/sessions/"+url.PathEscape(forged), http.Header{"Origin": {w.origin()}, "Idgate-Capability": {a.Capability}})
	code := sixDigits.FindString(w.lastMail().Text)
	said := log.String()
	if !strings.Contains(said, "a checkout page no longer looks as expected") {
		t.Fatalf("the log is empty: nothing was tried: %s", said)
	}
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, "msg=forged") && !strings.Contains(line, `\n`) {
			t.Errorf("a forged line: %s", line)
		}
	}
	for _, secret := range []string{adas, a.Capability, strings.TrimPrefix(a.Capability, "cart."), code} {
		if strings.Contains(said, secret) {
			t.Errorf("the log names %s", secret)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
