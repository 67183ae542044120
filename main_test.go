package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
	"idgate/app/settings"
)

// Who may import whom. A package that is missing here may import nothing of ours.
var mayImport = map[string][]string{
	"idgate":                    {"app/bigcommerce", "app/gate", "app/idv", "app/idv/kosmos", "app/ledger", "app/mail", "app/receipt", "app/relay", "app/settings", "app/sim", "app/sim/kosmos", "app/sim/mailbox", "app/sim/receiver", "app/sim/tour", "app/web", "assets"},
	"idgate/app/idv/kosmos":     {"app/dial", "app/idv"},
	"idgate/app/ledger":         {"app/gate", "app/idv", "app/receipt", "queries"},
	"idgate/app/relay":          {"app/bigcommerce", "app/dial", "app/gate", "app/idv", "app/ledger", "app/mail", "app/receipt"},
	"idgate/app/web":            {"app/bigcommerce", "app/gate", "app/idv", "app/ledger", "app/mail", "app/receipt", "app/relay", "app/words", "views"},
	"idgate/app/sim":            {"app/sim/spec"},
	"idgate/app/sim/tour":       {"app/sim/kosmos"},
	"idgate/app/sim/spec":       {},
	"idgate/app/sim/kosmos":     {},
	"idgate/app/sim/storefront": {},
}

func TestDirectionOfImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, "idgate/"); ok && !slices.Contains(mayImport[p.ImportPath], ours) {
				t.Errorf("%s may not import %s", p.ImportPath, i)
			}
		}
	}
	if seen < 12 {
		t.Errorf("only %d packages seen", seen)
	}
}

// modernc.org/sqlite works with the libc that its own go.mod names and with no other.
func TestSQLiteAndLibcArePaired(t *testing.T) {
	mod := func(args ...string) string {
		out, err := exec.Command("go", append([]string{"list", "-m"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	b, err := os.ReadFile(mod("-f", "{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	wants := regexp.MustCompile(`modernc\.org/libc (v\S+)`).FindSubmatch(b)
	if wants == nil {
		t.Fatal("sqlite names no libc")
	}
	if got := mod("-f", "{{.Version}}", "modernc.org/libc"); got != string(wants[1]) {
		t.Errorf("libc %s is in use, sqlite wants %s", got, wants[1])
	}
}

// command runs idgate as its user would.
func command(t *testing.T, env map[string]string, args ...string) (code int, out, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	code = run(ctx, args, func(name string) string { return env[name] }, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	port := strconv.Itoa(busy.Addr().(*net.TCPAddr).Port)
	good := map[string]string{"APP_URL": "https://idgate.example.com", "IDGATE_DATA": t.TempDir(), "BC_CLIENT_ID": "c", "BC_CLIENT_SECRET": "s", "IDGATE_TRUSTED_PROXY": "10.0.0.0/8"}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		code int
		want []string // on standard error
	}{
		{"nothing", nil, nil, 2, []string{"idgate demo", "idgate serve"}},
		{"unknown", nil, []string{"dance"}, 2, []string{`unknown command "dance"`}},
		{"help", nil, []string{"serve", "-h"}, 0, []string{"-app-url", "BC_CLIENT_SECRET", "-trusted-proxy", "KOSMOS_DNS"}},
		{"serve without settings names all of them", nil, []string{"serve"}, 2, []string{"APP_URL:", "IDGATE_DATA:", "BC_CLIENT_ID:", "BC_CLIENT_SECRET:", "IDGATE_TRUSTED_PROXY:"}},
		{"malformed ones too", with("APP_URL", "http://x", "IDGATE_TRUSTED_PROXY", "10.0.0.1", "KOSMOS_CURVE", "p521", "BC_STORE_HASH", "ABC!"), []string{"serve"}, 2,
			[]string{"APP_URL: it must be an https address", "IDGATE_TRUSTED_PROXY: \"10.0.0.1\" is not a network", "KOSMOS_CURVE: \"p521\"", "BC_STORE_HASH: \"ABC!\" is no store hash"}},
		{"half a tenant", with("KOSMOS_DNS", "t.example.com"), []string{"serve"}, 2, []string{"KOSMOS_COMMUNITY:", "KOSMOS_LICENSE_KEY:", "KOSMOS_DVC_ID:"}},
		{"a secret file that is not there", with("BC_CLIENT_SECRET", "", "BC_CLIENT_SECRET_FILE", "/nowhere/secret"), []string{"serve"}, 2, []string{"BC_CLIENT_SECRET: reading the file"}},
		{"a secret twice", with("BC_CLIENT_SECRET_FILE", "/nowhere/secret"), []string{"serve"}, 2, []string{"both set"}},
		{"half of single-shop mode", with("BC_ACCESS_TOKEN", "x"), []string{"serve"}, 2, []string{"BC_STORE_HASH: single-shop mode needs both"}},
		{"demo beside real credentials", map[string]string{"BC_CLIENT_SECRET": "s"}, []string{"demo"}, 2, []string{"BC_CLIENT_SECRET is set", "env -u BC_CLIENT_SECRET"}},
		{"a busy port", nil, []string{"demo", "-app-port", port, "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0"}, 2, []string{"in use", "-app-port"}},
		{"restore without a replica", map[string]string{"IDGATE_DATA": t.TempDir()}, []string{"restore"}, 2, []string{"IDGATE_REPLICA_URL"}},
		{"login without a key", map[string]string{"IDGATE_DATA": t.TempDir(), "APP_URL": "https://x.example.com", "BC_STORE_HASH": "abc"}, []string{"login"}, 1, []string{"operator key"}},
		{"a mail server that is none", with("IDGATE_SMTP", "mail.example.com"), []string{"serve"}, 2, []string{"IDGATE_SMTP:"}},
		{"an unknown flag", good, []string{"serve", "-port", "80"}, 2, []string{"-port"}},
		{"a stray argument", good, []string{"serve", "now"}, 2, []string{`unexpected argument "now"`}},
		{"an unknown flag of the demo", nil, []string{"demo", "-fast"}, 2, []string{"-fast", "see idgate -h"}},
		{"a number that is none", good, []string{"replay", "-shop", "abc", "-notice", "x"}, 2, []string{"-notice"}},
		{"an unknown flag of verify", nil, []string{"receipt", "verify", "-key", "x"}, 2, []string{"-key"}},
		{"an unknown flag of audit", nil, []string{"audit", "verify", "-key", "x"}, 2, []string{"-key"}},
		{"replay of nothing", good, []string{"replay", "-shop", "abc"}, 2, []string{"-notice or -since"}},
		{"replay for nobody", good, []string{"replay", "-since", "1h"}, 2, []string{"-shop is required"}},
		{"replay since when", good, []string{"replay", "-shop", "abc", "-since", "yesterday"}, 2, []string{`-since "yesterday" is neither`}},
		{"replay without a key", good, []string{"replay", "-shop", "abc", "-since", "1h"}, 1, []string{"operator key"}},
		{"receipt without keys", nil, []string{"receipt", "verify", "x"}, 2, []string{"-jwks is required"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errOut := command(t, c.env, c.args...)
			if code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			for _, w := range c.want {
				if !strings.Contains(errOut, w) {
					t.Errorf("standard error lacks %q:\n%s%s", w, out, errOut)
				}
			}
		})
	}
}

// The tour is the story of the README, played over HTTP by all three parties.
func TestTour(t *testing.T) {
	code, out, errOut := command(t, nil, "demo", "-tour", "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-plain")
	t.Log("\n" + out)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
}

func TestDemoAndRealLedgersRefuseEachOther(t *testing.T) {
	dir := t.TempDir()
	if code, _, errOut := command(t, nil, "demo", "-tour", "-data", dir, "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-plain"); code != 0 {
		t.Fatalf("demo: %d %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, "idgate.db")); err != nil {
		t.Fatalf("-data keeps nothing: %v", err)
	}
	env := map[string]string{"APP_URL": "https://idgate.example.com", "IDGATE_DATA": dir, "BC_CLIENT_ID": "c", "BC_CLIENT_SECRET": "s", "IDGATE_TRUSTED_PROXY": "10.0.0.0/8",
		"IDGATE_LISTEN": "127.0.0.1:0", "IDGATE_OPS_LISTEN": "127.0.0.1:0"}
	code, _, errOut := command(t, env, "serve")
	if code != 1 || !strings.Contains(errOut, "this is a demo ledger and the command is for a real one") {
		t.Errorf("serve on a demo ledger: %d %s", code, errOut)
	}
}

func TestSecondProcessOnOneDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan struct{}), make(chan int)
	out := onFirstWrite{started: started}
	go func() {
		ended <- run(ctx, []string{"demo", "-data", dir, "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-plain"}, func(string) string { return "" }, nil, &out, &out)
	}()
	<-started
	code, _, errOut := command(t, nil, "demo", "-data", dir, "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-plain")
	if code != 1 || !strings.Contains(errOut, "another idgate is running on the data directory") {
		t.Errorf("the second: %d %s", code, errOut)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("the first ends with %d", code)
	}
	if code, _, errOut := command(t, nil, "demo", "-tour", "-h"); code != 0 {
		t.Errorf("help: %d %s", code, errOut)
	}
}

// A stored webhook that was handled is due once more after a replay, and only then.
func TestReplay(t *testing.T) {
	dir, ctx, now := t.TempDir(), context.Background(), time.Now()
	key := ledger.GenerateOperatorKey(rand.Reader)
	keyring, err := ledger.ParseKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "operator.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	pending := func(work func(*ledger.Ledger)) int64 {
		l, err := ledger.Open(ctx, ledger.Options{Path: filepath.Join(dir, "idgate.db"), Kind: ledger.Real, Keyring: keyring, Now: now, Log: slog.Default(), Issuer: "https://idgate.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		work(l)
		p, err := l.Pending(ctx)
		if err = errors.Join(err, l.Close()); err != nil {
			t.Fatal(err)
		}
		return p.Notices
	}
	handled := pending(func(l *ledger.Ledger) {
		err := l.InstallShop(ctx, ledger.Install{StoreHash: "abc", Token: "token"}, now)
		for i := range 2 {
			_, rerr := l.RecordNotice(ctx, ledger.NewNotice{Shop: "abc", EventAt: now, Hash: strconv.Itoa(i), Scope: "store/customer/updated", Subject: "7"}, now)
			err = errors.Join(err, rerr)
		}
		ns, lerr := l.LeaseNotices(ctx, "abc", now, now.Add(time.Minute), 10)
		err = errors.Join(err, lerr)
		for _, n := range ns {
			err = errors.Join(err, l.FinishNotice(ctx, n, "noted", nil, now))
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if handled != 0 {
		t.Fatalf("%d notices wait before", handled)
	}
	env := map[string]string{"IDGATE_DATA": dir}
	for _, c := range []struct {
		args []string
		code int
		says string
		want int64
	}{
		{[]string{"-shop", "abc", "-notice", "9"}, 1, "not found", 0},
		{[]string{"-shop", "xyz", "-notice", "1"}, 1, "unknown shop", 0},
		{[]string{"-shop", "abc", "-notice", "1"}, 0, "1 webhook(s)", 1},
		{[]string{"-shop", "abc", "-since", "1h"}, 0, "1 webhook(s)", 2}, // the other one waits already
	} {
		code, out, errOut := command(t, env, append([]string{"replay"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errOut, c.says) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, out, errOut)
		}
		if got := pending(func(*ledger.Ledger) {}); got != c.want {
			t.Errorf("%v: %d notices wait, want %d", c.args, got, c.want)
		}
	}
}

// onFirstWrite tells when a command has said something.
type onFirstWrite struct {
	once    sync.Once
	started chan struct{}
}

func (w *onFirstWrite) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.started) })
	return len(b), nil
}

// The README lists every setting, and every scope that is asked for.
func TestReadmeListsSettingsAndScopes(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(settings.Names(), bigcommerce.Scopes...) {
		if !bytes.Contains(b, []byte("`"+name+"`")) {
			t.Errorf("README.md does not explain %s", name)
		}
	}
}

// asCommand makes the test binary be idgate, for what only a process of its own can show.
const asCommand = "IDGATE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestDrain: told to stop, the server finishes what it was asked, and its loops what they were at; then it returns.
func TestDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	asked, answer, looped := make(chan struct{}), make(chan struct{}), false
	l := loopback(t)
	ended := make(chan error)
	go func() {
		loop := func(ctx context.Context) { <-ctx.Done(); <-answer; looped = true }
		ended <- runAll(ctx, slog.New(slog.DiscardHandler), time.Hour, []func(context.Context){loop},
			listener{Listener: l, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(asked)
				<-answer
				_, _ = io.WriteString(w, "whole")
			})})
	}()
	got := make(chan string)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-asked
	cancel()
	close(answer)
	if s := <-got; s != "whole" {
		t.Errorf("in flight: %s", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !looped {
		t.Error("it ended before its loop had")
	}
	if _, err := http.Get("http://" + l.Addr().String()); err == nil {
		t.Error("it still answers")
	}
}

// TestDrainEnds: what cannot be finished is left when the time is over, and that is said.
func TestDrainEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	never := make(chan struct{})
	defer close(never)
	var log bytes.Buffer
	err := runAll(ctx, slog.New(slog.NewTextHandler(&log, nil)), time.Millisecond, []func(context.Context){func(context.Context) { <-never }}, listener{Listener: loopback(t), handler: http.NotFoundHandler()})
	if err != nil || !strings.Contains(log.String(), "could not be finished in time") {
		t.Errorf("%v, %s", err, &log)
	}
}

// TestServerThatFails: one listener lost ends all, with its reason.
func TestServerThatFails(t *testing.T) {
	a, b := loopback(t), loopback(t)
	_ = b.Close()
	err := runAll(context.Background(), slog.New(slog.DiscardHandler), time.Hour, nil, listener{Listener: a, handler: http.NotFoundHandler()}, listener{Listener: b, handler: http.NotFoundHandler()})
	if err == nil || !strings.Contains(err.Error(), "serving "+b.Addr().String()) {
		t.Errorf("%v", err)
	}
}

// TestSecondInterrupt: the first ^C drains, and waits for a request whose body is still to come; the second ends the process at once.
func TestSecondInterrupt(t *testing.T) {
	c := exec.CommandContext(t.Context(), os.Args[0], "demo", "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-plain")
	c.Env = append(os.Environ(), asCommand+"=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address, said := "", bufio.NewScanner(out)
	for inApp := regexp.MustCompile(`itself answers at http://(localhost:\d+)`); address == "" && said.Scan(); {
		if m := inApp.FindStringSubmatch(said.Text()); m != nil {
			address = strings.Replace(m[1], "localhost", "127.0.0.1", 1)
		}
	}
	if address == "" {
		t.Fatal("it does not say where the app is")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /storefront/v1/canary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server does not read: %q, %v", line, err)
	}
	_ = c.Process.Signal(os.Interrupt)
	for { // draining: nobody new is let in
		n, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = n.Close()
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v", c.ProcessState)
	}
}
