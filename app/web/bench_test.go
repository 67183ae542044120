package web

import (
	"crypto/rand"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
)

const (
	shopHash  = "abc123"
	otherHash = "other9"
)

// bench is the server on a real ledger file, with a simulated BigCommerce behind it over HTTP, and a clock that moves by hand.
type bench struct {
	*testing.T
	s       *Server
	h       http.Handler
	world   *sim.World
	cookies map[string]string // by Shop and role

	mu    sync.Mutex
	now   time.Time
	ahead time.Duration // of BigCommerce's clock
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// theirs is BigCommerce's clock.
func (b *bench) theirs() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.Add(-b.ahead)
}

// skew sets our clock ahead of BigCommerce's.
func (b *bench) skew(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now, b.ahead = b.now.Add(d-b.ahead), d
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// newBench opens two Shops, each with a user of every role. change may change what the relay is made from.
func newBench(t *testing.T, change ...func(*relay.Options)) *bench {
	t.Helper()
	b := &bench{T: t, cookies: map[string]string{}, now: time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	keyring, err := ledger.ParseKeyring(ledger.GenerateOperatorKey(rand.Reader))
	b.ok(err)
	l, err := ledger.Open(t.Context(), ledger.Options{Path: filepath.Join(t.TempDir(), "idgate.db"), Kind: ledger.Demo, Keyring: keyring, Now: b.clock(), Log: log,
		Issuer: "https://idgate.example"})
	b.ok(err)
	t.Cleanup(func() { b.ok(l.Close()) })
	mux := http.NewServeMux()
	platform := httptest.NewServer(mux)
	t.Cleanup(platform.Close)
	b.world = sim.New(sim.Options{ClientID: "client", ClientSecret: "secret-secret-secret-secret-secret", AppURL: "https://idgate.example", StoreURL: platform.URL,
		Now: b.theirs, Seed: 1})
	mux.Handle("/", b.world.StoreHandler())
	app := &bigcommerce.App{ClientID: "client", ClientSecret: "secret-secret-secret-secret-secret", HTTP: platform.Client(), Now: b.clock,
		Endpoints: bigcommerce.Endpoints{Login: platform.URL, API: platform.URL}}
	ro := relay.Options{Ledger: l, BigCommerce: app, AppURL: "https://idgate.example", Now: b.clock, Log: log,
		Provider: func(*ledger.Shop) (idv.Provider, error) { return nil, errors.New("no provider in this test") },
		Script:   relay.Script{Hash: "0123456789abcdef", Integrity: "sha384-x"}}
	for _, c := range change {
		c(&ro)
	}
	r := relay.New(ro)
	b.s, err = New(Options{Ledger: l, Relay: r, BigCommerce: app, Keyring: keyring, AppURL: "https://idgate.example", Now: b.clock, Log: log,
		Admin: fstest.MapFS{"admin.css": {}, "admin.js": {}, "htmx.min.js": {}}, SignOut: true})
	b.ok(err)
	b.h = b.s.Handler()
	for _, hash := range []string{shopHash, otherHash} {
		b.open(hash)
	}
	return b
}

// open adds a Shop to both sides and signs a user of each role in.
func (b *bench) open(hash string) {
	b.Helper()
	shop := b.world.AddShop(sim.ShopOptions{Hash: hash, Name: "Larkspur & Sons", Timezone: "America/Denver", RequestsPerWindow: -1})
	b.ok(sim.SeedDemo(shop))
	begun, err := shop.BeginInstall(shop.Users()[0].ID)
	b.ok(err)
	u, err := url.Parse(begun)
	b.ok(err)
	q := u.Query()
	g, err := b.s.BigCommerce.Exchange(b.Context(), bigcommerce.ExchangeRequest{Code: q.Get("code"), Scope: q.Get("scope"), Context: q.Get("context"), RedirectURI: "https://idgate.example/auth"})
	b.ok(err)
	b.ok(b.s.Ledger.InstallShop(b.Context(), ledger.Install{StoreHash: hash, Token: g.AccessToken, Scopes: g.Scopes, OwnerID: 1}, b.clock()))
	b.ok(b.s.Ledger.DescribeShop(b.Context(), hash, ledger.Description{StoreID: "1001", Name: shop.Name, Currency: "USD", Timezone: "America/Denver",
		Channels: []ledger.Channel{{ID: 1, Name: shop.Name}}}))
	b.signInAll(hash)
}

// signInAll gives a user of each role a fresh Login.
func (b *bench) signInAll(hash string) {
	b.Helper()
	for i, role := range []ledger.Role{ledger.Owner, ledger.Manager, ledger.Reviewer, ledger.Viewer} {
		w := httptest.NewRecorder()
		u := ledger.User{ID: int64(i + 1), Email: string(role) + "@" + hash + ".example", Role: role}
		_, err := b.s.signIn(w, httptest.NewRequest("GET", "/", nil), hash, u)
		b.ok(err)
		b.cookies[hash+" "+string(role)] = strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	}
}

// days lets time pass, in which Logins run out, and does what time alone brings.
func (b *bench) days(n int) {
	b.Helper()
	b.wait(time.Duration(n) * 24 * time.Hour)
	b.signInAll(shopHash)
	b.settle(ledger.ShopBell, ledger.OrderBell, ledger.WritebackBell)
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// as sends a request as the role's user of the first Shop; role "" is nobody. form nil is a GET.
func (b *bench) as(role ledger.Role, path string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	return b.send(b.cookies[shopHash+" "+string(role)], path, form)
}

// settings replaces the first Shop's settings.
func (b *bench) settings(n ledger.Settings) {
	b.Helper()
	_, err := b.s.Ledger.ChangeSettings(b.Context(), shopHash, ledger.SettingsChange{To: func(ledger.Settings) (ledger.Settings, string, error) { return n, "", nil }}, b.clock())
	b.ok(err)
}

func (b *bench) send(cookie, path string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequest("GET", path, nil)
	if form != nil {
		r = httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return b.do(r)
}

func (b *bench) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	return w
}

// want holds the answer to a status and to texts that the page must have.
func (b *bench) want(status int, w *httptest.ResponseRecorder, texts ...string) {
	b.Helper()
	if w.Code != status {
		b.Fatalf("%d, want %d: %s", w.Code, status, brief(w.Body.String()))
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			b.Errorf("the page lacks %q: %s", text, brief(w.Body.String()))
		}
	}
}

var (
	postForm = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)"(.*?)</form>`)
	hidden   = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// forms finds a page's forms to an address, with the hidden fields that a browser would send.
func (b *bench) forms(w *httptest.ResponseRecorder, to string) (out []url.Values) {
	b.Helper()
	for _, f := range postForm.FindAllStringSubmatch(w.Body.String(), -1) {
		if f[1] != shopBase+to {
			continue
		}
		v := url.Values{}
		for _, in := range hidden.FindAllStringSubmatch(f[2], -1) {
			v.Add(html.UnescapeString(in[1]), html.UnescapeString(in[2]))
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		b.Fatalf("the page has no form to %s: %s", to, brief(w.Body.String()))
	}
	return out
}

func (b *bench) lacks(w *httptest.ResponseRecorder, texts ...string) {
	b.Helper()
	for _, text := range texts {
		if strings.Contains(w.Body.String(), text) {
			b.Errorf("the page has %q", text)
		}
	}
}

// wantGo holds the answer to a 303 to this address.
func (b *bench) wantGo(w *httptest.ResponseRecorder, to string) {
	b.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		b.Fatalf("%d to %q, want 303 to %q: %s", w.Code, w.Header().Get("Location"), to, brief(w.Body.String()))
	}
}

// brief is a page's main part, for failures that can be read.
func brief(page string) string {
	if _, main, ok := strings.Cut(page, `<main`); ok {
		page = main
	}
	return clip(page, 4000)
}

func (b *bench) shop(hash string) *ledger.Shop {
	b.Helper()
	shop, err := b.s.Ledger.Shop(hash)
	b.ok(err)
	return shop
}

// enforce saves a Policy that asks for IAL 2 of every order.
func (b *bench) enforce(hash string, change ...func(*gate.Policy)) {
	b.Helper()
	p := gate.Default("USD")
	p.Mode, p.Evidence = gate.Enforce, gate.Evidence{DocumentSelfie: 2}
	for _, c := range change {
		c(&p)
	}
	_, err := b.s.Ledger.SavePolicy(b.Context(), hash, ledger.PolicyChange{Base: b.shop(hash).Policy.Version, Policy: p, Author: "owner@" + hash + ".example", Note: "", Since: b.clock()}, b.clock())
	b.ok(err)
	b.wait(time.Second)
}

// buy makes an order by API round the checkout, and lets the order gate see it.
func (b *bench) buy(hash string) int64 {
	b.Helper()
	shop := b.world.Shop(hash)
	c := shop.Customers()[0]
	o, err := shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	b.ok(b.s.Ledger.DueOrder(b.Context(), hash, o.ID, b.clock()))
	b.settle(ledger.OrderBell)
	return o.ID
}

// look lets the order gate see an order once more, and does all that follows.
func (b *bench) look(hash string, id int64) ledger.Order {
	b.Helper()
	b.ok(b.s.Ledger.DueOrder(b.Context(), hash, id, b.clock()))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	return b.order(hash, id)
}

func (b *bench) order(hash string, id int64) ledger.Order {
	b.Helper()
	o, err := b.s.Ledger.Order(b.Context(), b.shop(hash), id)
	b.ok(err)
	return o
}

// prove makes a Proof of a customer, or for one cart.
func (b *bench) prove(hash string, customerID int64, cart string, who ledger.Person) {
	b.Helper()
	shop, l := b.shop(hash), b.s.Ledger
	c := ledger.Capability{Shop: hash, Purpose: ledger.ForCart, CartID: cart, CustomerID: customerID, ExpiresAt: b.clock().Add(time.Hour)}
	d := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: cart, Buyer: gate.Buyer{CustomerID: customerID}}, Policy: shop.Policy.Version, MadeBy: ledger.ByRule,
		Decision: gate.Decision{Outcome: gate.Verify, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}}}
	_, err := l.RecordCartDecision(b.Context(), shop, d, &c, b.clock())
	b.ok(err)
	b.ok(l.StartSession(b.Context(), shop, c, ledger.Session{ID: ledger.NewSessionID(b.clock()), Provider: "1kosmos", Ref: cart, CaptureURL: "https://capture.example/" + cart,
		Deadline: b.clock().Add(time.Hour), PollAt: b.clock()}, b.clock()))
	ns, err := l.LeaseSessions(b.Context(), hash, b.clock(), b.clock().Add(time.Minute), 1)
	b.ok(err)
	moved, err := l.MoveSession(b.Context(), shop, ns[0], ledger.Move{State: idv.StatePassed, Proof: &ledger.NewProof{IAL: 2, Source: gate.SourcePolicy, Document: true, Selfie: true,
		Age: 41, Person: who, GoodUntil: b.clock().Add(365 * 24 * time.Hour)}}, b.clock())
	if err != nil || !moved {
		b.Fatalf("no proof was made: %v", err)
	}
}

// notice records a webhook, and returns its id.
func (b *bench) notice(hash, scope, subject string) int64 {
	b.Helper()
	b.wait(time.Millisecond)
	n := ledger.NewNotice{Shop: hash, EventAt: b.clock(), Hash: scope + subject + b.clock().String(), Scope: scope, Subject: subject}
	_, err := b.s.Ledger.RecordNotice(b.Context(), n, b.clock())
	b.ok(err)
	ns, err := b.s.Ledger.SubjectNotices(b.Context(), hash, subject)
	b.ok(err)
	return ns[0].ID
}

// settle steps loops until they have nothing left to do.
func (b *bench) settle(bells ...ledger.Bell) {
	b.Helper()
	for range 1000 {
		n := 0
		for _, bell := range bells {
			k, err := b.s.Relay.Step(b.Context(), bell)
			b.ok(err)
			n += k
		}
		if n == 0 {
			return
		}
	}
	b.Fatal("the loops do not settle")
}

// hold makes an order and writes its hold.
func (b *bench) hold(hash string) int64 {
	b.Helper()
	id := b.buy(hash)
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	o, err := b.s.Ledger.Order(b.Context(), b.shop(hash), id)
	b.ok(err)
	if o.Hold != ledger.Held {
		b.Fatalf("order %d is %s, want held", id, o.Hold)
	}
	return id
}
