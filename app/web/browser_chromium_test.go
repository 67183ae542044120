package web_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Chromium's profile.cookie_controls_mode: whether cookies of other sites are kept in frames.
const (
	thirdPartyCookiesAllowed = 0
	thirdPartyCookiesBlocked = 1
	allCookiesRefused        = 11 // partitioned ones, too: default_content_setting_values.cookies is 2
)

// browser is a Chromium with a profile of its own.
type browser struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	// said is what pages complained about: exceptions, refused content, failed requests. What is expected is left out.
	said, expected []string
}

// needChromium skips the test where there is none, but not where CI says that everything runs.
func needChromium(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium in PATH")
	}
	t.Skip("SKIPPED, nothing was clicked: no chromium in PATH (apt-get install chromium)")
}

// newBrowser starts Chromium. When the test ends, whatever its pages complained about is an error.
func newBrowser(t *testing.T, cookieControls int) *browser {
	t.Helper()
	needChromium(t)
	profile, err := os.MkdirTemp(scratch, "profile-")
	if err != nil {
		t.Fatal(err)
	}
	preferences := fmt.Sprintf(`{"profile":{"cookie_controls_mode":%d,"default_content_setting_values":{"cookies":%d}}}`, cookieControls%10, 1+cookieControls/10)
	if err := errors.Join(os.Mkdir(filepath.Join(profile, "Default"), 0o700),
		os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600)); err != nil {
		t.Fatal(err)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("window-size", "1280,900"),
	})...)
	t.Cleanup(stop)
	// chromedp remarks on frames that it does not follow; what fails is an error of the step.
	ctx, _ := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	// A refused form is a 422, and the platform tells a guest's page by a 404 that nobody is signed in: Chromium notes both.
	b := &browser{t: t, ctx: ctx, expected: []string{"status of 422", "/customer/current.jwt"}}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("ending chromium: %v", err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.said {
			t.Errorf("the browser says: %s", s)
		}
	})
	return b
}

// page is a tab, or a frame of another site within one, with what a person does there.
type page struct {
	t     *testing.T
	b     *browser
	ctx   context.Context
	tab   *page // the tab that a frame is in; itself for a tab
	close context.CancelFunc
	sent  atomic.Int64 // order calls that have left the page
}

// newPage opens a tab.
func (b *browser) newPage() *page {
	b.t.Helper()
	return b.attach(nil)
}

func (b *browser) attach(tab *page, o ...chromedp.ContextOption) *page {
	b.t.Helper()
	p := &page{t: b.t, b: b, tab: tab}
	if tab == nil {
		p.tab = p
	}
	p.ctx, p.close = chromedp.NewContext(b.ctx, append(o, chromedp.WithListener(p.heard))...)
	if err := chromedp.Do(p.ctx); err != nil { // without a deadline: the tab would end with it
		b.t.Fatalf("opening a tab: %v", err)
	}
	if tab == nil {
		p.do(chromedp.EmulateViewport(1280, 900))
	}
	return p
}

// heard runs in the tab's event loop.
func (p *page) heard(ev any) {
	complain := func(text string) {
		p.b.mu.Lock()
		defer p.b.mu.Unlock()
		if !slices.ContainsFunc(p.b.expected, func(part string) bool { return strings.Contains(text, part) }) {
			p.b.said = append(p.b.said, text)
		}
	}
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.Method == "POST" && strings.HasSuffix(e.Request.URL, "/internalapi/v1/checkout/order") {
			p.sent.Add(1)
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		complain(text)
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			complain(e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

// expect names a part of complaints that the test itself causes.
func (b *browser) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// popup follows a press to the tab that it opens.
func (p *page) popup(press func()) *page {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.b.ctx, patience)
	defer cancel()
	known := map[target.ID]bool{}
	var opened target.ID
	find := func() bool {
		targets, err := chromedp.Targets(ctx)
		for _, i := range targets {
			if i.Type == "page" && !known[i.TargetID] {
				known[i.TargetID], opened = true, i.TargetID
			}
		}
		return err == nil && opened != ""
	}
	find()
	opened = ""
	press()
	p.poll("a new tab", func(context.Context) bool { return find() })
	return p.b.attach(nil, chromedp.WithTargetID(opened))
}

// frame waits for a frame of another site, with a document that a former one did not have.
func (p *page) frame(origin string) *page {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.b.ctx, patience)
	defer cancel()
	var found target.ID
	p.poll("a frame of "+origin, func(context.Context) bool {
		targets, err := chromedp.Targets(ctx)
		at := slices.IndexFunc(targets, func(i *target.Info) bool { return i.Type == "iframe" && strings.HasPrefix(i.URL, origin) })
		if at >= 0 {
			found = targets[at].TargetID
		}
		return err == nil && at >= 0
	})
	return p.b.attach(p, chromedp.WithTargetID(found), chromedp.WithDetachOnCancel()) // closing the frame would close its tab
}
