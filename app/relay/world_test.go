package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto/rand"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/app/sim/mailbox"
	"idgate/app/web"
	"idgate/assets"
)

// clock is a time that only a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is the product with both vendors simulated over HTTP, stepped by hand.
type world struct {
	t        testing.TB
	clock    *clock
	platform *sim.World
	shop     *sim.Shop
	tenant   *simkosmos.Tenant
	mailbox  *mailbox.Box
	ledger   *ledger.Ledger
	relay    *relay.Relay
	app      *httptest.Server
	store    *httptest.Server
	http     *http.Client
	ahead    atomic.Int64 // by how many nanoseconds the product's clock is ahead of everybody else's

	observe atomic.Pointer[func(sim.Exchange)] // sees every API request and answer
	mail    *mail.Sender                       // nil: no mails
	compose func(relay.MailAsk) mail.Message
	logTo   io.Writer // nil: the test's own log

	from atomic.Pointer[string] // the address and port that every request seems to come from; nil: loopback's

	postTime, startTime, drainFor time.Duration                   // of relay.Options
	asIf                          func(idv.Provider) idv.Provider // stands before the provider; nil: nothing does
}

// now is the time by the product's clock.
func (w *world) now() time.Time { return w.clock.now().Add(time.Duration(w.ahead.Load())) }

const hash = "testshop"

// newWorld starts a world whose shop has installed the app and enforces the policy that policy returns.
func newWorld(t testing.TB, change ...func(*gate.Policy)) *world {
	t.Helper()
	return newWorldWith(t, func(*world) {}, change...)
}

// newWorldWith lets prepare set what must be there before anything runs.
func newWorldWith(t testing.TB, prepare func(*world), change ...func(*gate.Policy)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{t: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}}
	w.http = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	prepare(w)
	var appHandler, storeHandler, idvHandler http.Handler
	late := func(h *http.Handler) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if from := w.from.Load(); from != nil {
				r.RemoteAddr = *from
			}
			(*h).ServeHTTP(rw, r)
		}))
		t.Cleanup(s.Close)
		return s
	}
	w.app, w.store = late(&appHandler), late(&storeHandler)
	idvServer := late(&idvHandler)
	w.tenant = simkosmos.New(simkosmos.Options{BaseURL: idvServer.URL, Community: "c", LicenseKey: "licence", DVCID: "dvc", Now: w.clock.now})
	idvHandler = w.tenant.Handler()
	w.platform = sim.New(sim.Options{ClientID: "client", ClientSecret: "a secret of the client", AppURL: w.app.URL, StoreURL: w.store.URL, KosmosURL: idvServer.URL, Seed: 1, Now: w.clock.now, HTTP: w.http,
		Observe: func(e sim.Exchange) {
			if see := w.observe.Load(); see != nil {
				(*see)(e)
			}
		}})
	storeHandler = w.platform.StoreHandler()
	w.shop = w.platform.AddShop(sim.ShopOptions{Hash: hash, Name: "Test Shop", RequestsPerWindow: -1})
	if err := sim.SeedDemo(w.shop); err != nil {
		t.Fatal(err)
	}
	w.open(t, filepath.Join(t.TempDir(), "idgate.db"), idvServer.URL, &appHandler)
	w.install()
	w.policy(change...)
	return w
}

func (w *world) open(t testing.TB, path, idvURL string, appHandler *http.Handler) {
	keyring, err := ledger.ParseKeyring(ledger.GenerateOperatorKey(rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	if w.logTo == nil {
		w.logTo = testWriter{t}
	}
	log := slog.New(slog.NewTextHandler(w.logTo, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.ledger, err = ledger.Open(context.Background(), ledger.Options{Path: path, Kind: ledger.Demo, Keyring: keyring, Now: w.now(), Log: log, Issuer: w.app.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.ledger.PublishScript(context.Background(), assets.GateHash(), assets.GateIntegrity(), assets.Gate(), w.now()); err != nil {
		t.Fatal(err)
	}
	client := &bigcommerce.App{ClientID: "client", ClientSecret: "a secret of the client", Endpoints: bigcommerce.Endpoints{Login: w.store.URL, API: w.store.URL}, HTTP: w.http, Now: w.now}
	u, err := url.Parse(idvURL)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := kosmos.New(kosmos.Tenant{DNS: u.Host, Community: "c", LicenseKey: "licence", DVCID: "dvc"}, kosmos.Options{Loopback: true, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	asked := idv.Provider(provider)
	if w.asIf != nil {
		asked = w.asIf(provider)
	}
	if w.mail == nil {
		w.mail = w.mails()
		w.compose = func(a relay.MailAsk) mail.Message { return web.ComposeMail(a, w.now()) }
	}
	w.relay = relay.New(relay.Options{Ledger: w.ledger, BigCommerce: client, Provider: func(*ledger.Shop) (idv.Provider, error) { return asked, nil },
		Script: relay.Script{Hash: assets.GateHash(), Integrity: assets.GateIntegrity(), Lock: assets.Lock}, AppURL: w.app.URL, Now: w.now, Log: log, Mail: w.mail, Compose: w.compose,
		Loopback: true, PostTime: w.postTime, StartTime: w.startTime, DrainFor: w.drainFor})
	s, err := web.New(web.Options{Ledger: w.ledger, Relay: w.relay, BigCommerce: client, Keyring: keyring, AppURL: w.app.URL, Now: w.now, Log: log, Gate: assets.Gate(), Admin: assets.Admin(),
		Replica: func() ledger.ReplicaStatus { return ledger.ReplicaStatus{} }})
	if err != nil {
		t.Fatal(err)
	}
	*appHandler = s.Handler()
}

// mails starts the simulated mail server, and returns who sends there.
func (w *world) mails() *mail.Sender {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.mailbox = mailbox.New(mailbox.Options{Now: w.clock.now})
	done := make(chan error, 1)
	go func() { done <- w.mailbox.Serve(l) }()
	w.t.Cleanup(func() {
		if err := errors.Join(w.mailbox.Close(), <-done); err != nil {
			w.t.Error(err)
		}
	})
	s, err := mail.NewSender(mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: mail.NoTLS, From: "no-reply@idgate.example"})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// install plays the merchant's installation by OAuth.
func (w *world) install() {
	w.t.Helper()
	owner := w.shop.Users()[0]
	u, err := w.shop.BeginInstall(owner.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if status, body := w.get(u, nil); status != http.StatusOK {
		w.t.Fatalf("installing: %d %s", status, body)
	}
}

// policy saves a policy that enforces: IAL 2 for every order, a fresh selfie from 500 on, a document counts 1, with a selfie 2.
func (w *world) policy(change ...func(*gate.Policy)) {
	w.t.Helper()
	s := w.s()
	p := gate.Default(s.Currency)
	p.Mode = gate.Enforce
	p.Evidence = gate.Evidence{Document: 1, DocumentSelfie: 2}
	p.StepUp = &gate.StepUp{Over: gate.Money{Minor: 50000, Currency: s.Currency}, Require: gate.Requirement{IAL: 2, MaxAge: 1, Selfie: true, NameMatch: true}}
	for _, c := range change {
		c(&p)
	}
	if ps := p.Problems(); len(ps) > 0 {
		w.t.Fatal(ps)
	}
	if _, err := w.ledger.SavePolicy(context.Background(), hash, ledger.PolicyChange{Base: s.Policy.Version, Policy: p, Author: "owner@example.com", Note: "test", Since: w.clock.now()}, w.clock.now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) s() *ledger.Shop {
	w.t.Helper()
	s, err := w.ledger.Shop(hash)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// settle delivers webhooks and steps the loops until the world is at rest.
func (w *world) settle() {
	w.t.Helper()
	for range 100 {
		n := w.platform.Deliver(context.Background())
		if _, err := w.relay.Settle(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	w.t.Fatal("the world does not come to rest: something echoes")
}

func (w *world) get(u string, header http.Header) (int, []byte) {
	w.t.Helper()
	return w.do(http.MethodGet, u, header, nil)
}

func (w *world) do(method, u string, header http.Header, body []byte) (int, []byte) {
	w.t.Helper()
	r, err := http.NewRequest(method, u, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	resp, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, b
}

// answer is what the storefront door says of a cart.
type answer struct {
	Decision    string            `json:"decision"`
	Mode        string            `json:"mode"`
	DecisionID  string            `json:"decision_id"`
	Capability  string            `json:"capability"`
	Requirement map[string]any    `json:"requirement"`
	Texts       map[string]string `json:"texts"`
	Session     *session          `json:"session"`
	Unnamed     bool              `json:"unnamed"`
	Error       struct{ Code, Message, Field string }
}

type session struct {
	ID, State, URL, QR string
	Here               bool
	Retry              bool
	Decision           string
	Reason             *struct{ Code, Text, Next string }
}

func (w *world) origin() string { return w.s().Channels[0].Origins[0] }

// ask plays the script's question. token is a Current Customer JWT or "".
func (w *world) ask(cart, token, capability string) (int, answer) {
	w.t.Helper()
	body, _ := json.Marshal(map[string]any{"shop": hash, "channel": 1, "cart_id": cart, "customer_jwt": token, "capability": capability, "page": "checkout", "locale": "en-US"})
	status, b := w.do(http.MethodPost, w.app.URL+"/storefront/v1/decisions", http.Header{"Origin": {w.origin()}, "Content-Type": {"text/plain"}}, body)
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		w.t.Fatalf("decisions: %d %s", status, b)
	}
	return status, a
}

// start begins a Session with a capability.
func (w *world) start(capability string) (int, session) {
	w.t.Helper()
	status, b := w.do(http.MethodPost, w.app.URL+"/storefront/v1/sessions", http.Header{"Origin": {w.origin()}, "Idgate-Capability": {capability}}, []byte(`{}`))
	var n session
	if err := json.Unmarshal(b, &n); err != nil {
		w.t.Fatalf("sessions: %d %s", status, b)
	}
	return status, n
}

func (w *world) session(id, capability string) session {
	w.t.Helper()
	status, b := w.get(w.app.URL+"/storefront/v1/sessions/"+id, http.Header{"Origin": {w.origin()}, "Idgate-Capability": {capability}})
	var n session
	if err := json.Unmarshal(b, &n); err != nil || status != http.StatusOK {
		w.t.Fatalf("session: %d %s", status, b)
	}
	return n
}

// verify plays a whole verification by p for a cart, and returns the Session as its page sees it at the end.
func (w *world) verify(cart, token string, p simkosmos.Person) session {
	w.t.Helper()
	_, a := w.ask(cart, token, "")
	if a.Capability == "" {
		w.t.Fatalf("nothing to verify: %+v", a)
	}
	status, n := w.start(a.Capability)
	if status != http.StatusCreated {
		w.t.Fatalf("starting: %d %+v", status, n)
	}
	w.choose(n.URL, p)
	return w.session(n.ID, a.Capability)
}

func (w *world) choose(captureURL string, p simkosmos.Person) {
	w.t.Helper()
	if err := w.tenant.Choose(captureURL[strings.LastIndex(captureURL, "/")+1:], p); err != nil {
		w.t.Fatal(err)
	}
	w.clock.pass(5 * time.Second)
	w.settle()
}

// cart fills a cart with one product and Ada's address. customer 0 is a guest.
func (w *world) cart(product int64, customer int64, billing sim.Address) string {
	w.t.Helper()
	c := w.shop.NewCart(w.shop.Channels()[0].ID, customer)
	if _, err := w.shop.AddToCart(c.ID, product, 1); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.shop.SetCheckoutBilling(c.ID, billing); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.shop.SetCheckoutShipping(c.ID, billing, w.shop.ShippingOptions()[0].ID); err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

func (w *world) place(cart string) sim.Order {
	w.t.Helper()
	o, err := w.shop.PlaceOrder(cart, sim.PlaceOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	return w.order(o.ID)
}

func (w *world) order(id int64) sim.Order {
	w.t.Helper()
	o, err := w.shop.Order(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// ours is the order as the ledger has it.
func (w *world) ours(id int64) ledger.Order {
	w.t.Helper()
	o, err := w.ledger.Order(context.Background(), w.s(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}
