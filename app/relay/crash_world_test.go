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

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/app/sim/mailbox"
)

// mortal is a world whose product runs, and dies, in a process of its own. The platform, the identity provider and the mail server live on
// in this one. All have one clock: this machine's, and ahead of it by what the test lets pass between the product's lives.
type mortal struct {
	*testing.T
	rand     *mathrand.Rand
	config   childConfig
	file     *os.File // the listener, held open so that the port is kept while nobody answers
	ahead    atomic.Int64
	platform *sim.World
	shop     *sim.Shop
	tenant   *simkosmos.Tenant
	box      *mailbox.Box
	since    int64 // the first order of ours
	taken    []mailbox.Mail
	receiver *receiver
	endpoint int64

	child   *exec.Cmd
	life    context.Context // ends with the child
	exited  chan error
	started time.Time
}

func (k *mortal) now() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) }

// pass lets time pass. The product must not be running: it has the clock from its start.
func (k *mortal) pass(d time.Duration) { k.ahead.Add(int64(d)) }

// keepDays is how long a mortal's product keeps what is over.
const keepDays = 30

// newMortal starts a world in which the app is installed, and the policy enforces. The product is not running.
func newMortal(t *testing.T, seed uint64, prepare ...func(*mortal)) *mortal {
	t.Helper()
	k := &mortal{T: t, rand: mathrand.New(mathrand.NewPCG(seed, 7))}
	k.box = mailbox.New(mailbox.Options{Now: k.now})
	k.receiver = newReceiver(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	k.ok(err)
	k.file, err = listener.(*net.TCPListener).File()
	k.ok(errors.Join(err, listener.Close())) // k.file keeps the port
	t.Cleanup(func() { _ = k.file.Close() })
	var storeHandler, idvHandler http.Handler
	late := func(h *http.Handler) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(rw, r) }))
		t.Cleanup(s.Close)
		return s
	}
	store, tenant := late(&storeHandler), late(&idvHandler)
	appURL := "http://" + listener.Addr().String()
	k.tenant = simkosmos.New(simkosmos.Options{BaseURL: tenant.URL, Community: "c", LicenseKey: "licence", DVCID: "dvc", Now: k.now})
	idvHandler = k.tenant.Handler()
	k.platform = sim.New(sim.Options{ClientID: "client", ClientSecret: secret, AppURL: appURL, StoreURL: store.URL, KosmosURL: tenant.URL, Seed: int64(seed), Now: k.now,
		HTTP: &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	storeHandler = k.platform.StoreHandler()
	k.shop = k.platform.AddShop(sim.ShopOptions{Hash: hash, Name: "Test Shop", RequestsPerWindow: -1})
	k.ok(sim.SeedDemo(k.shop))
	u, err := url.Parse(tenant.URL)
	k.ok(err)
	k.config = childConfig{Dir: t.TempDir(), AppURL: appURL, StoreURL: store.URL, KosmosHost: u.Host, Key: ledger.GenerateOperatorKey(rand.Reader), SMTP: k.mails(), Drain: 10 * time.Second}
	for _, p := range prepare {
		p(k)
	}
	t.Cleanup(func() {
		if k.child != nil {
			k.kill()
		}
	})
	k.install()
	return k
}

func (k *mortal) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// mails starts the mail server and returns its port.
func (k *mortal) mails() int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	k.ok(err)
	served := make(chan error, 1)
	go func() { served <- k.box.Serve(listener) }()
	k.Cleanup(func() {
		if err := errors.Join(k.box.Close(), <-served); err != nil {
			k.Error(err)
		}
	})
	return listener.Addr().(*net.TCPAddr).Port
}

// install plays the merchant: the app is installed, the staff's mailbox entered, and a policy begins to enforce.
func (k *mortal) install() {
	k.start()
	k.until("a first answer", func(s childState) bool { return true })
	u, err := k.shop.BeginInstall(k.shop.Users()[0].ID)
	k.ok(err)
	resp, err := http.Get(u)
	k.ok(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		k.Fatalf("installing: %s", resp.Status)
	}
	k.rest()
	k.stop()
	k.open(func(l *ledger.Ledger) {
		p := gate.Default("USD")
		p.Mode, p.Evidence, p.CancelAfter, p.Keep = gate.Enforce, gate.Evidence{Document: 1, DocumentSelfie: 2}, 2, keepDays
		if ps := p.Problems(); len(ps) > 0 {
			k.Fatal(ps)
		}
		n := ledger.Settings{AlarmTo: "staff@shop.example"}
		if k.rand.IntN(2) == 0 {
			n = ledger.Settings{Staff: ledger.StaffMails{To: []string{"staff@shop.example", "more@shop.example"}, Alarms: ledger.AlarmKinds(), Digest: ledger.Daily}}
		}
		_, err := l.ChangeSettings(context.Background(), hash, allSettings(n), k.now())
		k.ok(err)
		_, err = l.SavePolicy(context.Background(), hash, ledger.PolicyChange{Base: 0, Policy: p, Author: "owner@example.com", Note: "", Since: k.now()}, k.now())
		k.ok(err)
		s, err := l.Shop(hash)
		k.ok(err)
		k.endpoint, err = l.AddEndpoint(context.Background(), s, ledger.NewEndpoint{URL: k.receiver.URL, Types: ledger.EventTypes()}, k.now())
		k.ok(err)
		secret, err := l.RevealSecret(context.Background(), s, k.endpoint, k.now())
		k.ok(err)
		k.receiver.knows(secret)
	})
	k.pass(2 * time.Second) // orders carry whole seconds
	orders := k.shop.Orders()
	k.since = orders[len(orders)-1].ID + 1
}

// start starts the product, and the platform's webhooks with it.
func (k *mortal) start(change ...func(*childConfig)) {
	k.Helper()
	c := k.config
	c.Ahead = time.Duration(k.ahead.Load())
	for _, f := range change {
		f(&c)
	}
	b, err := json.Marshal(c)
	k.ok(err)
	k.child = exec.Command(os.Args[0])
	k.child.Env = append(os.Environ(), childEnv+"="+string(b), "GOGC=400")
	k.child.ExtraFiles = []*os.File{k.file}
	var out bytes.Buffer
	k.child.Stderr = &out
	k.started = k.now()
	k.ok(k.child.Start())
	life, end := context.WithCancel(context.Background())
	k.life, k.exited = life, make(chan error, 1)
	delivered := make(chan struct{})
	go func() { k.platform.Run(life); close(delivered) }()
	go func(child *exec.Cmd, exited chan error) {
		err := child.Wait()
		end()
		<-delivered
		if out.Len() > 0 { // also of one that was killed: a data race is told at once
			err = fmt.Errorf("%w: %s", errSpoke, out.String())
		}
		exited <- err
	}(k.child, k.exited)
}

// errSpoke is how a child ends that had something to say.
var errSpoke = errors.New("the product says")

// collect takes the mails that came; the mail server keeps the newest only.
func (k *mortal) collect() {
	for _, m := range k.box.Mails() {
		if m.Number > len(k.taken) {
			k.taken = append(k.taken, m)
		}
	}
}

// over takes note of the child's end.
func (k *mortal) over(err error) {
	k.Helper()
	k.child = nil
	k.collect()
	if errors.Is(err, errSpoke) {
		k.Fatal(err)
	}
}

// kill is kill -9.
func (k *mortal) kill() {
	k.Helper()
	_ = k.child.Process.Kill() // it may be dead already
	k.over(<-k.exited)
}

// stop asks the product to stop, which it must do in order.
func (k *mortal) stop() {
	k.Helper()
	k.ok(k.child.Process.Signal(syscall.SIGTERM))
	err := <-k.exited
	k.over(err)
	if err != nil {
		k.Fatalf("stopping: %v", err)
	}
}

// look asks the running product how it is; false while it does not answer.
func (k *mortal) look() (s childState, up bool) {
	ctx, cancel := context.WithTimeout(k.life, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.config.AppURL+"/test/state", nil)
	k.ok(err)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return s, false
	}
	defer func() { _ = resp.Body.Close() }()
	return s, json.NewDecoder(resp.Body).Decode(&s) == nil && resp.StatusCode == http.StatusOK
}

// until waits for a condition of a product that is not to die.
func (k *mortal) until(what string, ok func(childState) bool) {
	k.Helper()
	if !k.waits(time.Minute, ok) {
		due, later := k.platform.Pending()
		s, _ := k.look()
		k.Fatalf("waiting for %s in vain: %+v, %d webhooks due and %d later", what, s, due, later)
	}
}

// waits tells whether a condition came true within a while.
func (k *mortal) waits(within time.Duration, ok func(childState) bool) bool {
	k.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		k.collect()
		if s, up := k.look(); up && ok(s) {
			return true
		}
		select {
		case err := <-k.exited:
			k.over(err)
			k.Fatalf("the process ended: %v", err)
		case <-tick.C:
		}
	}
	return false
}

// idle tells whether nothing is left to do: no row waits, and no webhook.
func (k *mortal) idle(s childState) bool {
	due, _ := k.platform.Pending()
	return due == 0 && s.Pending == ledger.Pending{}
}

// rest waits until the world is at rest, and has been swept since.
func (k *mortal) rest() {
	k.Helper()
	var idleAt time.Time
	k.until("rest", func(s childState) bool {
		switch {
		case !k.idle(s):
			idleAt = time.Time{}
			return false
		case idleAt.IsZero():
			idleAt = k.now()
		}
		return s.SweepAt.Add(-100 * time.Millisecond).After(idleAt) // a sweep began after that
	})
}

// converge brings the world to rest, in as many lives as it takes: what waits for minutes is due at once when the product starts.
func (k *mortal) converge() {
	k.Helper()
	for range 20 {
		for _, n := range k.tenant.Sessions() {
			if n.Person == "" {
				_ = k.tenant.Choose(n.ID, simkosmos.GivesUp) // whoever was cut off by a death
			}
		}
		k.pass(11 * time.Minute) // what could not be delivered is delivered again
		k.start()
		k.until("an answer", func(childState) bool { return true })
		calm := k.waits(8*time.Second, k.idle)
		if calm {
			k.rest()
		}
		k.stop()
		if calm {
			return
		}
	}
	k.Fatal("the world does not come to rest")
}

// open opens the ledger of a product that is not running.
func (k *mortal) open(f func(*ledger.Ledger)) {
	k.Helper()
	keyring, err := ledger.ParseKeyring(k.config.Key)
	k.ok(err)
	l, err := ledger.Open(context.Background(), ledger.Options{Path: filepath.Join(k.config.Dir, "idgate.db"), Kind: ledger.Real, Keyring: keyring, Now: k.now(),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Issuer: k.config.AppURL})
	k.ok(err)
	defer func() { k.ok(l.Close()) }()
	f(l)
}

// sound holds the world, which is at rest and has no product running, against the invariant.
func (k *mortal) sound(after string, c Checks) {
	k.Helper()
	c.Mails, c.Since = k.taken, max(c.Since, k.since)
	c.Endpoint, c.Told = k.endpoint, k.receiver.took()
	k.open(func(l *ledger.Ledger) {
		for _, wrong := range CheckWorld(l, k.shop, c) {
			k.Errorf("after %s: %s", after, wrong)
		}
	})
	if k.Failed() {
		k.FailNow()
	}
}

// ask posts JSON to the product's storefront door, and tells whether it was answered well.
func (k *mortal) ask(path string, header http.Header, body, into any) bool {
	b, err := json.Marshal(body)
	k.ok(err)
	r, err := http.NewRequestWithContext(k.life, http.MethodPost, k.config.AppURL+path, bytes.NewReader(b))
	k.ok(err)
	for n, v := range header {
		r.Header[n] = v
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return json.NewDecoder(resp.Body).Decode(into) == nil && resp.StatusCode < 300
}

// verify plays a shopper at the checkout who proves identity, as far as the product lives.
func (k *mortal) verify(cart, token string) {
	var a answer
	var n session
	if k.ask("/storefront/v1/decisions", nil, map[string]any{"shop": hash, "cart_id": cart, "customer_jwt": token}, &a) && a.Capability != "" &&
		k.ask("/storefront/v1/sessions", http.Header{"Idgate-Capability": {a.Capability}}, map[string]any{}, &n) {
		_ = k.tenant.Choose(n.URL, simkosmos.PassesWithSelfie) // it may have been played before
	}
}

// openMail plays a shopper who opens the link in a mail and proves identity, as far as the product lives.
func (k *mortal) openMail(link string) {
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	call := func(method, path string) bool {
		r, err := http.NewRequestWithContext(k.life, method, k.config.AppURL+path, nil)
		k.ok(err)
		r.AddCookie(&http.Cookie{Name: "__Host-idgate-link", Value: link[strings.LastIndex(link, "/")+1:]})
		resp, err := browser.Do(r)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusSeeOther
	}
	before := len(k.tenant.Sessions())
	if !call(http.MethodPost, "/v/start") {
		return
	}
	if ns := k.tenant.Sessions(); len(ns) > before {
		_ = k.tenant.Choose(ns[len(ns)-1].ID, simkosmos.PassesWithSelfie)
	}
}
