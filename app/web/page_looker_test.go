package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"idgate/app/ledger"
)

// looker opens pages of a bench in Chromium.
type looker struct {
	*bench
	ctx    context.Context
	site   *httptest.Server
	cookie atomic.Value // of whoever looks
	axe    string

	mu     sync.Mutex
	said   []string // what the browser complained about
	looked int
	rules  int // of axe-core, at most
}

// newLooker starts a browser. Where there is none the test is skipped, but not where CI says that everything runs.
func newLooker(b *bench) *looker {
	b.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal("no chromium in PATH")
		}
		b.Skip("SKIPPED, nothing was looked at: no chromium in PATH")
	}
	l := &looker{bench: b}
	for path, name := range map[string]string{b.s.css: "admin.css", b.s.js: "admin.js", b.s.htmx: "htmx.min.js"} {
		body, err := os.ReadFile(filepath.Join("..", "..", "assets", "admin", name))
		b.ok(err)
		b.s.assets[path] = asset{body, b.s.assets[path].kind}
	}
	axe, err := os.ReadFile(filepath.Join("..", "..", "assets", "node_modules", "axe-core", "axe.min.js"))
	if err != nil && os.Getenv("CI") == "true" {
		b.Fatalf("no axe-core: %v", err)
	}
	if err != nil {
		b.Logf("SKIPPED, axe-core was not run: %v (npm ci in assets)", err)
	}
	l.axe = string(axe)
	l.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", l.cookie.Load().(string))
		b.h.ServeHTTP(w, r)
	}))
	b.Cleanup(l.site.Close)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true)})...)
	b.Cleanup(stop)
	ctx, done := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}), chromedp.WithListener(l.heard))
	b.Cleanup(done)
	if err := chromedp.Do(ctx); err != nil {
		b.Fatalf("starting chromium: %v", err)
	}
	l.ctx = ctx
	b.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, text := range l.said {
			b.Errorf("the browser says: %s", text)
		}
		b.Logf("%d pages looked at, %d rules of axe-core", l.looked, l.rules)
	})
	return l
}

func (l *looker) heard(ev any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := ev.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			l.said = append(l.said, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		l.said = append(l.said, e.ExceptionDetails.Text)
	}
}

// sizes are the widths in which pages are looked at: the control panel's, and a phone's.
var sizes = []struct {
	name  string
	width int64
}{{"1280", 1280}, {"390", 390}}

// page opens a page in each size, as a user of the Shop: it says all of texts, fits the screen, and has nothing that axe-core objects to.
// A picture of the whole page is kept where IDGATE_SCREENSHOTS names a directory.
func (l *looker) page(hash string, role ledger.Role, path, name string, texts ...string) {
	l.Helper()
	l.cookie.Store(l.cookies[hash+" "+string(role)])
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	for _, s := range sizes {
		l.ok(chromedp.Do(ctx, chromedp.EmulateViewport(s.width, 900), chromedp.Navigate(l.site.URL+"/s/"+hash+path)))
		shown := ask[string](l, ctx, `document.querySelector("main").innerText`)
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				l.Errorf("%s at %s px does not show %q: %s", name, s.name, text, clip(shown, 3000))
			}
		}
		if wide := ask[int](l, ctx, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			l.Errorf("%s at %s px is %d px too wide", name, s.name, wide)
		}
		l.accessible(ctx, name+" at "+s.name+" px")
		l.looked++
		if dir := os.Getenv("IDGATE_SCREENSHOTS"); dir != "" {
			shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			l.ok(err)
			l.ok(os.WriteFile(filepath.Join(dir, name+"-"+s.name+".png"), shot, 0o600))
		}
	}
}

// accessible holds the page to axe-core's rules.
func (l *looker) accessible(ctx context.Context, name string) {
	l.Helper()
	if l.axe == "" {
		return
	}
	ask[bool](l, ctx, l.axe+"; true")
	got := ask[struct {
		Rules int
		Wrong []string
	}](l, ctx, `axe.run().then(r => ({ Rules: r.passes.length + r.violations.length, Wrong: r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" ")) }))`)
	l.rules = max(l.rules, got.Rules)
	for _, wrong := range got.Wrong {
		l.Errorf("%s: %s", name, clip(wrong, 1000))
	}
}

// ask is what an expression is worth in the page.
func ask[T any](l *looker, ctx context.Context, expression string) T {
	l.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		l.Fatalf("%.200s: %v", expression, err)
	}
	return v
}
