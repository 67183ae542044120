package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/app/web"
	"idgate/assets"
)

// market is the product with its loops running, and many simulated shops. Everybody has one clock: this machine's, and ahead of it by what
// the test lets pass.
type market struct {
	testing.TB
	ahead    atomic.Int64
	platform *sim.World
	shops    []*sim.Shop
	tenant   *simkosmos.Tenant
	ledger   *ledger.Ledger
	relay    *relay.Relay
	appURL   string

	mu    sync.Mutex
	calls []apiCall
	awake chan struct{} // after each call
}

// apiCall is an API request of ours, after its answer.
type apiCall struct {
	shop      string
	at        time.Time
	operation string // such as "PUT /v2/orders/{id}"
	order     int64
	held      bool // it put the order on hold
}

func (m *market) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

func (m *market) pass(d time.Duration) { m.ahead.Add(int64(d)) }

func (m *market) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// newMarket starts so many shops that have installed the app and enforce a policy, with no limit to their API yet, and the loops.
func newMarket(t testing.TB, shops int, sweepEvery time.Duration) *market {
	t.Helper()
	m := &market{TB: t, awake: make(chan struct{}, 1)}
	var appHandler, storeHandler, idvHandler http.Handler
	late := func(h *http.Handler) string {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(rw, r) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	storeURL, idvURL := late(&storeHandler), late(&idvHandler)
	m.appURL = late(&appHandler)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	m.tenant = simkosmos.New(simkosmos.Options{BaseURL: idvURL, Community: "c", LicenseKey: "licence", DVCID: "dvc", Now: m.now})
	idvHandler = m.tenant.Handler()
	m.platform = sim.New(sim.Options{ClientID: "client", ClientSecret: secret, AppURL: m.appURL, StoreURL: storeURL, KosmosURL: idvURL, Seed: 1, Now: m.now, HTTP: client, Senders: 8,
		Observe: m.observe})
	storeHandler = m.platform.StoreHandler()
	m.open(client, storeURL, idvURL, &appHandler, sweepEvery)
	for i := range shops {
		m.install(fmt.Sprintf("shop%d", i))
	}
	m.run()
	return m
}

// open opens the product: closed again, after its loops, at the test's end.
func (m *market) open(client *http.Client, storeURL, idvURL string, appHandler *http.Handler, sweepEvery time.Duration) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	keyring, err := ledger.ParseKeyring(ledger.GenerateOperatorKey(rand.Reader))
	m.ok(err)
	m.ledger, err = ledger.Open(context.Background(), ledger.Options{Path: filepath.Join(m.TempDir(), "idgate.db"), Kind: ledger.Demo, Keyring: keyring, Now: m.now(), Log: log, Issuer: m.appURL})
	m.ok(err)
	m.Cleanup(func() { m.ok(m.ledger.Close()) })
	m.ok(m.ledger.PublishScript(context.Background(), assets.GateHash(), assets.GateIntegrity(), assets.Gate(), m.now()))
	app := &bigcommerce.App{ClientID: "client", ClientSecret: secret, Endpoints: bigcommerce.Endpoints{Login: storeURL, API: storeURL}, HTTP: client, Now: m.now}
	u, err := url.Parse(idvURL)
	m.ok(err)
	provider, err := kosmos.New(kosmos.Tenant{DNS: u.Host, Community: "c", LicenseKey: "licence", DVCID: "dvc"}, kosmos.Options{Loopback: true, Now: m.now})
	m.ok(err)
	m.relay = relay.New(relay.Options{Ledger: m.ledger, BigCommerce: app, Provider: func(*ledger.Shop) (idv.Provider, error) { return provider, nil },
		Script: relay.Script{Hash: assets.GateHash(), Integrity: assets.GateIntegrity(), Lock: assets.Lock}, AppURL: m.appURL, Now: m.now, Log: log, SweepEvery: sweepEvery})
	s, err := web.New(web.Options{Ledger: m.ledger, Relay: m.relay, BigCommerce: app, Keyring: keyring, AppURL: m.appURL, Now: m.now, Log: log, Gate: assets.Gate(), Admin: assets.Admin(),
		Replica: func() ledger.ReplicaStatus { return ledger.ReplicaStatus{} }})
	m.ok(err)
	*appHandler = s.Handler()
}

// install adds a shop that has installed the app and enforces a policy.
func (m *market) install(hash string) {
	m.Helper()
	m.pass(10 * time.Second) // the door lets in a few from one address at a time
	shop := m.platform.AddShop(sim.ShopOptions{Hash: hash, Name: hash, RequestsPerWindow: -1})
	m.shops = append(m.shops, shop)
	m.ok(sim.SeedDemo(shop))
	u, err := shop.BeginInstall(shop.Users()[0].ID)
	m.ok(err)
	resp, err := http.Get(u)
	m.ok(err)
	m.ok(resp.Body.Close())
	s, err := m.ledger.Shop(hash)
	m.ok(errors.Join(err, statusError(resp)))
	_, err = m.relay.Reconcile(context.Background(), s)
	m.ok(err)
	if s, err = m.ledger.Shop(hash); err != nil || s.Currency == "" {
		m.Fatalf("not described: %+v, %v", s, err)
	}
	p := gate.Default(s.Currency)
	p.Mode, p.Evidence = gate.Enforce, gate.Evidence{Document: 1, DocumentSelfie: 2}
	_, err = m.ledger.SavePolicy(context.Background(), hash, ledger.PolicyChange{Base: 0, Policy: p, Author: "owner@example.com", Since: m.now().Add(-time.Second)}, m.now())
	m.ok(err)
}

func statusError(r *http.Response) error {
	if r.StatusCode != http.StatusOK {
		return errors.New(r.Status)
	}
	return nil
}

// run runs the loops and the webhooks until the test's end.
func (m *market) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { m.platform.Run(ctx) })
	wg.Go(func() { m.relay.Run(ctx) })
	m.Cleanup(func() { cancel(); wg.Wait() })
}

// observe keeps what the API was asked.
func (m *market) observe(e sim.Exchange) {
	path, query, _ := strings.Cut(e.URL, "?")
	parts := strings.SplitN(strings.TrimPrefix(path, "/stores/"), "/", 2)
	c := apiCall{shop: parts[0], at: m.now(), operation: e.Method + " " + numberInPath.ReplaceAllString("/"+parts[1], "/{id}")}
	if c.operation == "GET /v2/orders" && strings.Contains(query, "min_date_modified") {
		c.operation = "sweep"
	}
	if rest, ok := strings.CutPrefix(parts[1], "v2/orders/"); ok {
		_, _ = fmt.Sscan(rest, &c.order)
	}
	var u struct {
		Status int `json:"status_id"`
	}
	c.held = c.operation == "PUT /v2/orders/{id}" && e.Status == http.StatusOK && json.Unmarshal(e.Body, &u) == nil && u.Status == sim.StatusManualVerification
	m.mu.Lock()
	m.calls = append(m.calls, c)
	m.mu.Unlock()
	select {
	case m.awake <- struct{}{}:
	default:
	}
}

// seen is what the API was asked so far, in the order of the answers.
func (m *market) seen() []apiCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// until waits for a condition, which is looked at after each API request, and every second.
func (m *market) until(what string, within time.Duration, ok func() bool) {
	m.Helper()
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-m.awake:
		case <-tick.C:
		case <-end.C:
			m.Fatalf("waiting for %s in vain", what)
		}
	}
}

// order places an order that came by no checkout.
func (m *market) order(s *sim.Shop) sim.Order {
	m.Helper()
	o, err := s.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: s.Products()[0].ID, Quantity: 1}}})
	m.ok(err)
	return o
}

// post posts JSON to the product, which must answer well.
func (m *market) post(path string, header http.Header, body, into any) {
	m.Helper()
	b, err := json.Marshal(body)
	m.ok(err)
	r, err := http.NewRequest(http.MethodPost, m.appURL+path, bytes.NewReader(b))
	m.ok(err)
	for n, v := range header {
		r.Header[n] = v
	}
	resp, err := http.DefaultClient.Do(r)
	m.ok(err)
	b, err = io.ReadAll(resp.Body)
	m.ok(errors.Join(err, resp.Body.Close()))
	if err := json.Unmarshal(b, into); err != nil || resp.StatusCode >= 300 {
		m.Fatalf("%s: %s %s", path, resp.Status, b)
	}
}

// heldAfter is how long an order waited until the platform had it on hold; false while it has not.
func heldAfter(s *sim.Shop, id int64) (time.Duration, bool) {
	o, err := s.Order(id)
	if err != nil {
		return 0, false
	}
	for _, c := range o.History {
		if c.To == sim.StatusManualVerification {
			return c.At.Sub(o.Created), true
		}
	}
	return 0, false
}

// figures are the p50, p99 and maximum of waits.
type figures struct{ p50, p99, most time.Duration }

func figuresOf(waits []time.Duration) figures {
	if len(waits) == 0 {
		return figures{}
	}
	slices.Sort(waits)
	at := func(percent int) time.Duration { return waits[min(len(waits)-1, len(waits)*percent/100)] }
	return figures{at(50), at(99), waits[len(waits)-1]}
}

func (f figures) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("p50 %s, p99 %s, max %s", ms(f.p50), ms(f.p99), ms(f.most))
}
