package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
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

var (
	kills    = flag.Int("kills", 10, "how often TestKilledAtAnyStep kills the process; CI does 200, a long run 2000")
	killSeed = flag.Uint64("killseed", 0, "seed of its choices; 0 draws one and prints it")
)

// order of the steps between which the child dies; "" means at a random instant.
var killSteps = []string{"", "before commit", "after commit", "order fetched", "order decided", "writeback claimed", "before the order is written",
	"after the order is written", "writeback confirmed", "session asked about"}

// childConfig is what a killed process is started with.
type childConfig struct {
	Dir, AppURL, StoreURL, KosmosHost, Key string
	DieAt                                  string // step
	DieAfter                               int    // times it was reached
}

func TestMain(m *testing.M) {
	if text := os.Getenv("IDGATE_TEST_CHILD"); text != "" {
		var c childConfig
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			panic(err)
		}
		if err := c.run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// run is the product in a process of its own, on the listener that its parent holds open. It ends at SIGTERM, or where it is to die.
func (c childConfig) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var reached atomic.Int64
	at := func(step string) {
		if step != c.DieAt {
			return
		}
		if reached.Add(1) > int64(c.DieAfter) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	keyring, err := ledger.ParseKeyring(c.Key)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	l, err := ledger.Open(ctx, ledger.Options{Path: filepath.Join(c.Dir, "idgate.db"), Kind: ledger.Real, Keyring: keyring, Now: time.Now(), Log: log, Issuer: c.AppURL, At: at})
	if err != nil {
		return err
	}
	if err := l.PublishScript(ctx, assets.GateHash(), assets.GateIntegrity(), assets.Gate(), time.Now()); err != nil {
		return err
	}
	client := &bigcommerce.App{ClientID: "client", ClientSecret: secret, Endpoints: bigcommerce.Endpoints{Login: c.StoreURL, API: c.StoreURL}, HTTP: &http.Client{Timeout: 5 * time.Second}, Now: time.Now}
	provider, err := kosmos.New(kosmos.Tenant{DNS: c.KosmosHost, Community: "c", LicenseKey: "licence", DVCID: "dvc"}, kosmos.Options{Loopback: true})
	if err != nil {
		return err
	}
	r := relay.New(relay.Options{Ledger: l, BigCommerce: client, Provider: func(*ledger.Shop) (idv.Provider, error) { return provider, nil },
		Script: relay.Script{Hash: assets.GateHash(), Integrity: assets.GateIntegrity()}, AppURL: c.AppURL, Now: time.Now, Log: log, SweepEvery: 100 * time.Millisecond, At: at})
	s, err := web.New(web.Options{Ledger: l, Relay: r, BigCommerce: client, Keyring: keyring, AppURL: c.AppURL, Now: time.Now, Log: log, Gate: assets.Gate(), Admin: assets.Admin(),
		Replica: func() ledger.ReplicaStatus { return ledger.ReplicaStatus{} }, Done: ctx.Done()})
	if err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler())
	mux.Handle("/ops/", http.StripPrefix("/ops", s.Ops()))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	term := make(chan os.Signal, 1)
	notifyTerm(term)
	<-term
	drain, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	_ = server.Shutdown(drain)
	cancel()
	<-ended
	return l.Close()
}

// killed is a world whose product runs, and dies, in a child process.
type killed struct {
	*testing.T
	rand     *mathrand.Rand
	config   childConfig
	file     *os.File // the listener, held open so that the port is kept while nobody answers
	platform *sim.World
	shop     *sim.Shop
	tenant   *simkosmos.Tenant
	clock    *clock // the platform's; the child has the real one
	child    *exec.Cmd
	exited   chan error
	state    string // why it is not at rest yet
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("re-run with -killseed=%d -kills=%d", seed, *kills)
	k := &killed{T: t, rand: mathrand.New(mathrand.NewPCG(seed, 7)), clock: &clock{t: time.Now()}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if k.file, err = listener.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // k.file keeps the port
	t.Cleanup(func() { _ = k.file.Close() })
	var storeHandler, idvHandler http.Handler
	late := func(h *http.Handler) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(rw, r) }))
		t.Cleanup(s.Close)
		return s
	}
	store, tenant := late(&storeHandler), late(&idvHandler)
	appURL := "http://" + listener.Addr().String()
	k.tenant = simkosmos.New(simkosmos.Options{BaseURL: tenant.URL, Community: "c", LicenseKey: "licence", DVCID: "dvc"})
	idvHandler = k.tenant.Handler()
	k.platform = sim.New(sim.Options{ClientID: "client", ClientSecret: secret, AppURL: appURL, StoreURL: store.URL, KosmosURL: tenant.URL, Seed: int64(seed), Now: k.clock.now,
		HTTP: &http.Client{Timeout: 300 * time.Millisecond, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	storeHandler = k.platform.StoreHandler()
	k.shop = k.platform.AddShop(sim.ShopOptions{Hash: hash, Name: "Test Shop", RequestsPerWindow: 1_000_000})
	if err := sim.SeedDemo(k.shop); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(tenant.URL)
	if err != nil {
		t.Fatal(err)
	}
	k.config = childConfig{Dir: t.TempDir(), AppURL: appURL, StoreURL: store.URL, KosmosHost: u.Host, Key: ledger.GenerateOperatorKey(rand.Reader)}
	return k
}

// start starts the product, to die at a step or not at all.
func (k *killed) start(dieAt string, after int) {
	k.Helper()
	c := k.config
	c.DieAt, c.DieAfter = dieAt, after
	b, err := json.Marshal(c)
	if err != nil {
		k.Fatal(err)
	}
	k.child = exec.Command(os.Args[0])
	k.child.Env = append(os.Environ(), "IDGATE_TEST_CHILD="+string(b))
	k.child.ExtraFiles = []*os.File{k.file}
	var out bytes.Buffer
	k.child.Stderr = &out
	if err := k.child.Start(); err != nil {
		k.Fatal(err)
	}
	k.exited = make(chan error, 1)
	go func(child *exec.Cmd) {
		err := child.Wait()
		if err != nil && out.Len() > 0 && !strings.Contains(err.Error(), "killed") {
			err = fmt.Errorf("%w: %s", err, out.String())
		}
		k.exited <- err
	}(k.child)
}

// waiting is what the running product says is left to do; false while it does not answer.
func (k *killed) waiting() (ledger.Pending, bool) {
	client := http.Client{Timeout: time.Second}
	resp, err := client.Get(k.config.AppURL + "/ops/healthz")
	if err != nil {
		return ledger.Pending{}, false
	}
	defer func() { _ = resp.Body.Close() }()
	var b struct{ Waiting ledger.Pending }
	return b.Waiting, json.NewDecoder(resp.Body).Decode(&b) == nil && resp.StatusCode == http.StatusOK
}

// until waits for a condition, delivering webhooks meanwhile.
func (k *killed) until(what string, ok func() bool) {
	k.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		select {
		case err := <-k.exited:
			k.Fatalf("waiting for %s: the process ended: %v", what, err)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			k.Fatalf("waiting for %s in vain: %s", what, k.state)
		}
		k.platform.Deliver(context.Background())
	}
}

// rest waits until nothing is left to do: no webhook, no row, and every order seen as it is.
func (k *killed) rest() {
	k.Helper()
	for _, n := range k.tenant.Sessions() {
		if n.Person == "" {
			_ = k.tenant.Choose(n.ID, simkosmos.GivesUp) // whoever was cut off by a death
		}
	}
	var calm time.Time
	k.until("rest", func() bool {
		w, up := k.waiting()
		due, later := k.platform.Pending()
		if !up || due > 0 || w.Notices+w.Orders+w.Writebacks+w.Sessions > 0 {
			calm = time.Time{}
			k.clock.pass(time.Second) // BigCommerce avoids for minutes a host that has failed often
			k.state = fmt.Sprintf("up %t, %d webhooks due and %d later, %+v", up, due, later, w)
			return false
		}
		if calm.IsZero() {
			calm = time.Now()
		}
		return time.Since(calm) > 300*time.Millisecond // three sweeps
	})
}

func (k *killed) stop() {
	k.Helper()
	if err := k.child.Process.Signal(syscall.SIGTERM); err != nil {
		k.Fatal(err)
	}
	if err := <-k.exited; err != nil {
		k.Fatalf("stopping: %v", err)
	}
}

// open opens the ledger of a product that is not running.
func (k *killed) open(f func(*ledger.Ledger)) {
	k.Helper()
	keyring, err := ledger.ParseKeyring(k.config.Key)
	if err != nil {
		k.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), ledger.Options{Path: filepath.Join(k.config.Dir, "idgate.db"), Kind: ledger.Real, Keyring: keyring, Now: time.Now(),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Issuer: k.config.AppURL})
	if err != nil {
		k.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			k.Error(err)
		}
	}()
	f(l)
}

// load makes some traffic: orders by API, and guests who verify for a cart and then order from it. It ignores a product that is down.
func (k *killed) load() {
	product := k.shop.Products()[0].ID
	for range 1 + k.rand.IntN(3) {
		if _, err := k.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: product, Quantity: 1}}}); err != nil {
			k.Fatal(err)
		}
	}
	c := k.shop.NewCart(k.shop.Channels()[0].ID, 0)
	b := billing("guest@example.com")
	for _, err := range []error{second(k.shop.AddToCart(c.ID, product, 1)), second(k.shop.SetCheckoutBilling(c.ID, b)), second(k.shop.SetCheckoutShipping(c.ID, b, k.shop.ShippingOptions()[0].ID))} {
		if err != nil {
			k.Fatal(err)
		}
	}
	k.verify(c.ID)
	if _, err := k.shop.PlaceOrder(c.ID, sim.PlaceOptions{}); err != nil {
		k.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func (k *killed) verify(cart string) {
	client := http.Client{Timeout: time.Second}
	post := func(path string, header http.Header, body, into any) bool {
		b, err := json.Marshal(body)
		if err != nil {
			k.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, k.config.AppURL+path, bytes.NewReader(b))
		if err != nil {
			k.Fatal(err)
		}
		for n, v := range header {
			r.Header[n] = v
		}
		resp, err := client.Do(r)
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		return json.NewDecoder(resp.Body).Decode(into) == nil && resp.StatusCode < 300
	}
	var a answer
	var n session
	if post("/storefront/v1/decisions", nil, map[string]any{"shop": hash, "cart_id": cart}, &a) && a.Capability != "" &&
		post("/storefront/v1/sessions", http.Header{"Idgate-Capability": {a.Capability}}, map[string]any{}, &n) {
		_ = k.tenant.Choose(n.URL, simkosmos.PassesWithSelfie)
	}
}

// TestKilledAtAnyStep kills the product between any two steps and at random instants under load, starts it again, and holds the
// world against the invariant every few deaths.
func TestKilledAtAnyStep(t *testing.T) {
	k := newKilled(t)
	k.start("", 0)
	k.until("a first answer", func() bool { _, up := k.waiting(); return up })
	u, err := k.shop.BeginInstall(k.shop.Users()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(u)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("installing: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	k.stop()
	k.open(func(l *ledger.Ledger) {
		p := gate.Default("USD")
		p.Mode, p.Evidence = gate.Enforce, gate.Evidence{Document: 1, DocumentSelfie: 2}
		if _, err := l.SavePolicy(context.Background(), hash, ledger.PolicyChange{Base: 0, Policy: p, Author: "owner", Note: "", Since: time.Now()}, time.Now()); err != nil {
			t.Fatal(err)
		}
	})
	k.clock.pass(2 * time.Second) // orders carry whole seconds
	orders := k.shop.Orders()
	since := orders[len(orders)-1].ID + 1
	n, want := 0, *kills
	if os.Getenv("CI") == "true" {
		want = max(want, 200)
	}
	died := map[string]int{}
	for n < want {
		for range min(25, want) {
			step := killSteps[k.rand.IntN(len(killSteps))]
			died[step] += k.dieOnce(step)
			n++
		}
		k.clock.pass(2 * time.Minute) // what could not be delivered is delivered again
		k.start("", 0)
		k.rest()
		k.stop()
		k.open(func(l *ledger.Ledger) {
			for _, complaint := range CheckWorld(l, k.shop, Checks{Since: since}) {
				t.Errorf("after %d deaths: %s", n, complaint)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d deaths by step: %v; %d orders, %d webhooks", n, died, len(k.shop.Orders())-len(orders), len(k.shop.Deliveries()))
}

// dieOnce runs the product under load until it dies, and reports whether it died where it should: work may be done before the step is
// reached often enough, and then it is killed all the same.
func (k *killed) dieOnce(step string) int {
	k.start(step, k.rand.IntN(6))
	for up := false; !up; { // it may not live to answer
		select {
		case <-k.exited:
			return 1
		case <-time.After(2 * time.Millisecond):
			_, up = k.waiting()
		}
	}
	limit := time.Duration(20+k.rand.IntN(150)) * time.Millisecond
	if step != "" {
		limit = 600 * time.Millisecond
	}
	k.load()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		k.platform.Deliver(context.Background())
		select {
		case <-k.exited:
			return 1
		case <-time.After(2 * time.Millisecond):
		}
	}
	_ = k.child.Process.Kill()
	<-k.exited
	if step == "" {
		return 1
	}
	return 0
}
