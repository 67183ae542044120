package web_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idgate/app/web"
)

// patience is how long a condition may take to come true. It is a deadline, never a pause.
const patience = 90 * time.Second

// scratch holds what is made once for the whole test binary.
var scratch string

func TestMain(m *testing.M) {
	code := 1
	dir, err := os.MkdirTemp("", "idgate-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		scratch = dir
		code = m.Run()
		_ = os.RemoveAll(dir)
		if whole := flag.Lookup("test.run").Value.String() == ""; whole && code == 0 {
			if missing := web.UntriedRoutes(); len(missing) > 0 {
				fmt.Fprintln(os.Stderr, "routes whose roles no test tries:", missing)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// binary builds idgate on the first call: what is tested is the program that people start. It takes its flags from GOFLAGS, so
// where those ask for the race detector it watches the program too, and a race fails the test that ends it.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "idgate")
	out, err := exec.Command("go", "build", "-o", path, "idgate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building idgate: %w\n%s", err, out)
	}
	return path, nil
})

// demo is a running `idgate demo`: the app and both simulated vendors, each under a host name of its own.
type demo struct {
	t                  *testing.T
	app, store, kosmos string // addresses
	mail               string // likewise, of the simulated mailbox
	http               *http.Client
}

// startDemo starts a demo on free ports. When the test ends it gets an interrupt, and has to end cleanly.
func startDemo(t *testing.T) *demo {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder // read once the process has ended
	c := exec.Command(path, "demo", "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-event-port", "0", "-seed", "1")
	c.Dir, c.Stderr = "../..", &complaints // where litestream.yml is
	c.WaitDelay = patience
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{t: t, http: loopback()}
	said, lines := make(chan string, 1), bufio.NewScanner(out)
	kill := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	for d.missing() && lines.Scan() {
		d.read(lines.Text())
	}
	kill.Stop()
	go func() {
		rest, _ := io.ReadAll(out)
		said <- string(rest)
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGINT)
		rest := <-said
		if err := c.Wait(); err != nil || !strings.Contains(rest, "idgate: stopped.") {
			t.Errorf("the demo did not end cleanly: %v, %q", err, rest)
		}
		if s := complaints.String(); s != "" {
			t.Logf("the demo's log:\n%s", s)
		}
	})
	if d.missing() {
		t.Fatalf("the demo does not say where it is: %+v", d)
	}
	return d
}

func (d *demo) missing() bool {
	return d.app == "" || d.store == "" || d.kosmos == "" || d.mail == ""
}

var address = regexp.MustCompile(`http://(app|store|kosmos|mail)\.localhost:\d+`)

func (d *demo) read(line string) {
	switch m := address.FindStringSubmatch(line); {
	case m == nil:
	case m[1] == "app":
		d.app = m[0]
	case m[1] == "store":
		d.store = m[0]
	case m[1] == "mail":
		d.mail = m[0]
	default:
		d.kosmos = m[0]
	}
}

// loopback knows the names under localhost, which Go's own resolver may not.
func loopback() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}}
}

// get reads a page of the simulator without a browser, to look at what it holds.
func (d *demo) get(path string) string { d.t.Helper(); return d.fetch(d.store + path) }

func (d *demo) fetch(path string) string {
	d.t.Helper()
	r, err := d.http.Get(path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = errors.New(r.Status)
	}
	if err != nil {
		d.t.Fatalf("%s: %v", path, err)
	}
	return string(body)
}

// order is one order as the simulated platform has it.
type order struct{ id, status string }

var orderRow = regexp.MustCompile(`data-order-id="(\d+)" data-status-id="(\d+)"`)

// orders lists the platform's orders, newest first, incomplete ones too.
func (d *demo) orders() []order {
	d.t.Helper()
	var out []order
	for _, m := range orderRow.FindAllStringSubmatch(d.get("/manage/orders"), -1) {
		out = append(out, order{m[1], m[2]})
	}
	return out
}

// awaitStatus waits until the platform has an order in a status.
func (d *demo) awaitStatus(id, status string) {
	d.t.Helper()
	now := ""
	await(d.t, func() bool {
		for _, o := range d.orders() {
			if o.id == id {
				now = o.status
			}
		}
		return now == status
	}, func() string { return fmt.Sprintf("order %s in status %s, not %q", id, status, now) })
}

// await asks again and again until a condition holds, and gives up after patience.
func await(t *testing.T, holds func() bool, what func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what())
		}
	}
}
