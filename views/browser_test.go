package views

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// contentPolicy is the Content-Security-Policy these pages are made for.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self' https://cdn.bigcommerce.com; img-src 'self' data:; form-action 'self'; connect-src 'self'"

// site serves pages under that policy and remembers what was posted. A page that was given a successor is served once.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string][]string
	posts chan string
}

func newSite(t *testing.T) *site {
	s := &site{pages: map[string][]string{"/preview-dialog-waiting": {rendered(t, "preview-dialog-waiting")}}, posts: make(chan string, 8)}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServer(http.Dir("../assets/admin"))))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		left := s.pages[r.URL.Path]
		if len(left) == 0 {
			http.NotFound(w, r)
			return
		}
		if len(left) > 1 {
			s.pages[r.URL.Path] = left[1:]
		}
		policy := contentPolicy
		if strings.Contains(left[0], "<iframe") { // as the server does for previews
			policy += "; frame-src 'self'"
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, left[0])
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		s.posts <- r.URL.Path
		w.WriteHeader(http.StatusNoContent)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *site) put(path string, pages ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = pages
}

// browser starts one Chromium for the test. Where there is none the test is skipped, but not where CI says that everything runs.
func browser(t *testing.T) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium in PATH")
		}
		t.Skip("SKIPPED, nothing was looked at in a browser: no chromium in PATH")
	}
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	})
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, done := chromedp.NewContext(alloc)
	t.Cleanup(done)
	ctx, expire := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(expire)
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func rendered(t *testing.T, name string) string {
	t.Helper()
	i := slices.IndexFunc(allPages(), func(p page) bool { return p.name == name })
	if i < 0 {
		t.Fatalf("no page %s", name)
	}
	return render(t, allPages()[i].view)
}

// TestBrowser opens every page under the policy they are made for and tries what admin.js adds to them.
func TestBrowser(t *testing.T) {
	ctx, s := browser(t), newSite(t)
	t.Run("no page breaks its policy", func(t *testing.T) { noViolations(t, ctx, s) })
	t.Run("copies", func(t *testing.T) {
		s.put("/copy", rendered(t, "order-held"))
		do(t, ctx, chromedp.Navigate(s.URL+"/copy"), chromedp.Click(chromedp.CSS(`button[data-copy="#verify-link"]`)),
			chromedp.WaitVisible(chromedp.CSS(`[data-copied="#verify-link"]`)))
		said := eval[string](t, ctx, `document.querySelector('[data-copied="#verify-link"]').textContent`)
		if said != "Copied." {
			t.Errorf("after copying the page says %q", said)
		}
	})
	t.Run("leads to what was refused", func(t *testing.T) {
		for name, want := range map[string]string{"policy-refused": "errors", "order-release-refused": "release-reason", "settings-refused": "dns", "policy-saved": ""} {
			s.put("/"+name, rendered(t, name))
			do(t, ctx, chromedp.Navigate(s.URL+"/"+name))
			if got := eval[string](t, ctx, `document.activeElement.id`); got != want {
				t.Errorf("%s: the focus is on %q, want %q", name, got, want)
			}
		}
	})
	t.Run("looks again without reloading", func(t *testing.T) { looksAgain(t, ctx, s) })
	t.Run("looks again without scripts", func(t *testing.T) {
		do(t, ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return err
		}))
		s.put("/v/", waitingPage(t), rendered(t, "verify-done"))
		do(t, ctx, chromedp.Navigate(s.URL+"/v/"), chromedp.WaitVisible(chromedp.CSS("p.ok")))
	})
}

func waitingPage(t *testing.T) string {
	d := verifyData("en", true)
	d.State, d.RefreshSeconds = "processing", 1
	return render(t, VerifyPage(d))
}

func looksAgain(t *testing.T, ctx context.Context, s *site) {
	s.put("/v/", waitingPage(t), waitingPage(t), rendered(t, "verify-done"))
	do(t, ctx, chromedp.Navigate(s.URL+"/v/"))
	eval[bool](t, ctx, `window.sameDocument = true`)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("p.ok")))
	if !eval[bool](t, ctx, `window.sameDocument === true && !document.getElementById("state").hasAttribute("data-refresh")`) {
		t.Error("the page reloaded, or would go on looking")
	}
	s.put("/v/", waitingPage(t), rendered(t, "verify-link-expired"))
	do(t, ctx, chromedp.Navigate(s.URL+"/v/"), chromedp.WaitNotPresent(chromedp.CSS("#state")))
	if got := eval[string](t, ctx, `document.querySelector("h1").textContent`); got != "This link has expired" {
		t.Errorf("a link that expires meanwhile shows %q", got)
	}
	s.put("/s", rendered(t, "overview-calm"))
	do(t, ctx, chromedp.Navigate(s.URL+"/s"))
	eval[bool](t, ctx, `window.Bigcommerce = {init: o => { window.options = o }}, bcAsyncInit(), options.onLogout(), true`)
	select {
	case got := <-s.posts:
		if got != "/s/abc123/logout" {
			t.Errorf("BigCommerce's log-out posts to %s", got)
		}
	case <-ctx.Done():
		t.Error("BigCommerce's log-out ends nothing here")
	}
}

func noViolations(t *testing.T, ctx context.Context, s *site) {
	var mu sync.Mutex
	var said []string
	do(t, ctx, chromedp.EmulateViewport(390, 900))
	if err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *cdplog.EventEntryAdded:
			said = append(said, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, p := range allPages() {
		s.put("/"+p.name, render(t, p.view))
		do(t, ctx, chromedp.Navigate(s.URL+"/"+p.name))
		if got := eval[string](t, ctx, `getComputedStyle(document.querySelector("h1")).fontWeight`); got != "300" {
			t.Errorf("%s: the stylesheet does not apply", p.name)
		}
		if wide := eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("%s is %d px too wide", p.name, wide)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, text := range said {
		t.Errorf("the browser says: %s", text)
	}
}
