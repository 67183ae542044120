package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/web"
	"idgate/assets"
)

// childEnv carries a childConfig to a product in a process of its own: this test's program, started once more.
const childEnv = "IDGATE_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		var c childConfig
		err := json.Unmarshal([]byte(text), &c)
		if err == nil {
			err = c.run()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childConfig is what a product in a process of its own is started with.
type childConfig struct {
	Dir, AppURL, StoreURL, KosmosHost, Key string
	SMTP                                   int           // port of the simulated mail server
	Ahead                                  time.Duration // by how much the world's clock is ahead of this machine's
	Replica                                string        // directory that the ledger is replicated to; "": none
	Drain                                  time.Duration // how long it may take to stop
	DieAt                                  string        // step of a piece of work; "": it does not die by itself
	DieAfter                               int           // how often the step is passed before
	Acts                                   []childAct
}

// childAct is what somebody in the Shop does in the product while it runs.
type childAct struct {
	Do    string // policy, forget, replay, release, refuse, keep
	Order int64  // of release, refuse, keep
	IAL   gate.IAL
}

func (c childConfig) now() time.Time { return time.Now().Add(c.Ahead) }

// step is called between the steps of a piece of work, and kills the process where it is to die.
func (c childConfig) step() func(string) {
	var reached atomic.Int64
	return func(step string) {
		if step == c.DieAt && reached.Add(1) > int64(c.DieAfter) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal has been sent; nothing more is done until it arrives
		}
	}
}

// child is the product, assembled as main does it.
type child struct {
	childConfig
	ledger  *ledger.Ledger
	relay   *relay.Relay
	server  *web.Server
	replica *ledger.Replica

	begun atomic.Int64
}

func (c childConfig) assemble(ctx context.Context) (*child, error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	path := filepath.Join(c.Dir, "idgate.db")
	keyring, err := ledger.ParseKeyring(c.Key)
	if err != nil {
		return nil, err
	}
	var rc ledger.ReplicaConfig
	if c.Replica != "" {
		rc = ledger.ReplicaConfig{Path: path, URL: "file://" + c.Replica, SyncInterval: 20 * time.Millisecond}
	}
	replica, err := ledger.OpenReplica(ctx, path, rc, log)
	if err != nil {
		return nil, err
	}
	if _, err := replica.Restore(ctx); err != nil {
		return nil, err
	}
	at := c.step()
	l, err := ledger.Open(ctx, ledger.Options{Path: path, Kind: ledger.Real, Keyring: keyring, Now: c.now(), Log: log, Issuer: c.AppURL, At: at})
	if err != nil {
		return nil, err
	}
	replica.Start(l.LeaveCheckpoints)
	if err := l.PublishScript(ctx, assets.GateHash(), assets.GateIntegrity(), assets.Gate(), c.now()); err != nil {
		return nil, err
	}
	client := &bigcommerce.App{ClientID: "client", ClientSecret: secret, Endpoints: bigcommerce.Endpoints{Login: c.StoreURL, API: c.StoreURL}, HTTP: &http.Client{Timeout: time.Minute}, Now: c.now}
	provider, err := kosmos.New(kosmos.Tenant{DNS: c.KosmosHost, Community: "c", LicenseKey: "licence", DVCID: "dvc"}, kosmos.Options{Loopback: true, Now: c.now})
	if err != nil {
		return nil, err
	}
	sender, err := mail.NewSender(mail.Server{Host: "127.0.0.1", Port: c.SMTP, TLS: mail.NoTLS, From: "no-reply@idgate.example.com"})
	if err != nil {
		return nil, err
	}
	r := relay.New(relay.Options{Ledger: l, BigCommerce: client, Provider: func(*ledger.Shop) (idv.Provider, error) { return provider, nil },
		Script: relay.Script{Hash: assets.GateHash(), Integrity: assets.GateIntegrity(), Lock: assets.Lock}, AppURL: c.AppURL, Now: c.now, Log: log, SweepEvery: 100 * time.Millisecond, At: at, DrainFor: c.Drain,
		Mail: sender, Compose: func(a relay.MailAsk) mail.Message {
			return mail.Message{Subject: mailSubject(a.Which, a.Order.ID), Text: a.Link, HTML: `<a href="` + a.Link + `">` + a.Which + `</a>`, Lang: "en"}
		}, Loopback: true})
	s, err := web.New(web.Options{Ledger: l, Relay: r, BigCommerce: client, Keyring: keyring, AppURL: c.AppURL, Now: c.now, Log: log, Gate: assets.Gate(), Admin: assets.Admin(),
		Replica: replica.Status, Done: ctx.Done()})
	if err != nil {
		return nil, err
	}
	return &child{childConfig: c, ledger: l, relay: r, server: s, replica: replica}, nil
}

// run is the product on the listener that its parent holds open. It ends at SIGTERM, or where it is to die.
func (c childConfig) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p, err := c.assemble(ctx)
	if err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	doors := p.server.Handler()
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/storefront/") {
			p.begun.Add(1)
		}
		doors.ServeHTTP(rw, r)
	})
	mux.HandleFunc("/test/state", p.state)
	mux.HandleFunc("/test/sync", p.sync)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	wg.Go(func() { p.relay.Run(ctx) })
	for _, a := range c.Acts {
		wg.Go(func() {
			if err := p.act(ctx, a); err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrMoved) && !errors.Is(err, ledger.ErrPolicyMoved) {
				fmt.Fprintf(os.Stderr, "%+v: %v\n", a, err)
				os.Exit(1)
			}
		})
	}
	<-ctx.Done()
	drain, end := context.WithTimeout(context.Background(), c.Drain)
	defer end()
	if err := server.Shutdown(drain); err != nil {
		_ = server.Close()
	}
	wg.Wait()
	return errors.Join(p.ledger.Close(), p.replica.Close(context.Background()))
}

// childState is what a running product says of itself.
type childState struct {
	Pending ledger.Pending
	SweepAt time.Time // when it will sweep next
	Begun   int       // requests that have come to the storefront's door
}

func (p *child) state(rw http.ResponseWriter, r *http.Request) {
	s := childState{Begun: int(p.begun.Load())}
	var err error
	if s.Pending, err = p.ledger.Pending(r.Context()); err != nil {
		http.Error(rw, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if shop, err := p.ledger.Shop(hash); err == nil {
		s.SweepAt = shop.SweepAt
	}
	_ = json.NewEncoder(rw).Encode(s) // the parent may be gone
}

// sync answers when the replica has all that was committed.
func (p *child) sync(rw http.ResponseWriter, r *http.Request) {
	if err := p.replica.Sync(r.Context()); err != nil {
		http.Error(rw, err.Error(), http.StatusServiceUnavailable)
	}
}

// act does what somebody does.
func (p *child) act(ctx context.Context, a childAct) error {
	s, err := p.ledger.Shop(hash)
	if err != nil {
		return err
	}
	switch a.Do {
	case "policy":
		change := ledger.PolicyChange{Base: s.Policy.Version, Policy: s.Policy, Author: "rita@example.com", Note: "another level"}
		change.Policy.Checkout.IAL = a.IAL
		_, err = p.relay.SavePolicy(ctx, s, change)
		return err
	case "forget":
		for n := int64(1); n > 0 && err == nil; {
			n, err = p.ledger.Forget(ctx, p.now())
		}
		return err
	case "replay":
		_, err = p.ledger.ReplayNotices(ctx, hash, p.now().Add(-24*time.Hour), p.now())
		return err
	case "keep":
		return p.ledger.KeepOrder(ctx, s, a.Order, true, "called", p.now())
	case "release", "refuse":
		return p.override(ctx, s, a.Order, a.Do == "release")
	}
	return fmt.Errorf("nobody can do %q", a.Do)
}

// override is a named person's word on an order that may have moved on since they looked at it.
func (p *child) override(ctx context.Context, s *ledger.Shop, id int64, release bool) error {
	o, err := p.ledger.Order(ctx, s, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && o.Hold != ledger.Held && o.Hold != ledger.Refused:
		return ledger.ErrMoved
	case err != nil:
		return err
	}
	d := gate.Decision{Outcome: gate.Refuse, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.RefusedByPerson}}, Rules: []gate.RuleResult{}}
	if release {
		d.Outcome, d.Reasons[0].Code = gate.Allow, gate.ReleasedByPerson
	}
	n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtOrder, OrderID: id}, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByPerson, Person: "rita@example.com", Note: "by telephone"}
	return p.ledger.Override(ctx, s, o, release, n, p.relay.OverrideMails(o, release), p.now())
}
