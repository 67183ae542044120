package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(err.Error())
	}
}

func (p *page) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
}

// value is what an expression is worth in the page.
func value[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.fail(expression + ": " + err.Error())
	}
	return v
}

// until waits for an expression to become true. Between two documents there is none to ask, which is not yet.
func (p *page) until(expression string) {
	p.t.Helper()
	p.poll(expression, func(ctx context.Context) bool {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		return ok && err == nil
	})
}

func (p *page) poll(what string, try func(context.Context) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for !try(ctx) {
		select {
		case <-ctx.Done():
			p.fail("waited in vain for " + what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fail ends the test with what the page shows.
func (p *page) fail(why string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.b.ctx, patience)
	defer cancel()
	see := func(p *page) string {
		ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
		defer cancel()
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + (document.body?.innerText || "").slice(0, 1500) + "\n" + `+
			`(document.querySelector("idgate-dialog")?.shadowRoot.querySelector("dialog")?.innerText || "")`))
		if err != nil {
			return err.Error()
		}
		return text
	}
	targets, _ := chromedp.Targets(ctx)
	var open []string
	for _, i := range targets {
		if i.Type == "page" || i.Type == "iframe" {
			open = append(open, string(i.Type)+" "+i.URL)
		}
	}
	p.tab.picture("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
	p.t.Fatalf("%s\nthe page: %s\nopen: %s", why, see(p), strings.Join(open, ", "))
}

// element is a JavaScript expression for a node of the page.
type element string

func css(selector string) element {
	return element("document.querySelector(" + strconv.Quote(selector) + ")")
}

// part is a part of the gate's dialog.
func part(name string) element {
	return element(`document.querySelector("idgate-dialog")?.shadowRoot?.querySelector("[data-idgate=` + name + `]")`)
}

// point is where a person would press an element: its middle, once it is there, enabled and not covered by anything else.
const point = `(el => {
	if (!el || el.disabled || el.closest('[inert]')) return null;
	el.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
	const { x, y, width, height } = el.getClientRects()[0] || {};
	if (!width || !height) return null;
	const at = [x + width / 2, y + height / 2];
	let hit = document.elementFromPoint(...at);
	for (let inner; hit?.shadowRoot && (inner = hit.shadowRoot.elementFromPoint(...at)) && inner !== hit;) hit = inner;
	return hit && el.contains(hit) ? at : null;
})(%s)`

// click presses the left mouse button on an element as soon as a person could.
func (p *page) click(e element) {
	p.t.Helper()
	var at, before []float64
	p.poll("a place to press "+string(e), func(ctx context.Context) bool {
		var err error
		before = at
		at, err = chromedp.Run(ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(point, e)))
		return err == nil && at != nil && slices.Equal(at, before) // it does not move any more
	})
	p.do(chromedp.MouseClickXY(at[0], at[1]))
}

// follow clicks an element that leads to another page, in a document of its own or in this one's, and waits for it.
func (p *page) follow(e element) {
	p.t.Helper()
	value[bool](p, "document.body.firstElementChild.left = true")
	p.click(e)
	p.until("!document.body.firstElementChild?.left && document.readyState === 'complete'")
}

// write replaces what stands in a field, by keyboard.
func (p *page) write(e element, text string) {
	p.t.Helper()
	p.click(e)
	p.until(fmt.Sprintf("(%s) === document.activeElement", e))
	value[bool](p, fmt.Sprintf("(%s).select(), true", e))
	if text == "" {
		text = "\b"
	}
	p.do(chromedp.KeyEvent(text))
}

// choose takes an option of a select by its value.
func (p *page) choose(e element, option string) {
	p.t.Helper()
	p.until(fmt.Sprintf("(%s) && [...(%s).options].some(o => o.value === %q)", e, e, option))
	value[bool](p, fmt.Sprintf("(el => { el.value = %q; el.dispatchEvent(new Event('input', { bubbles: true })); el.dispatchEvent(new Event('change', { bubbles: true })); return true })(%s)", option, e))
}

// shows waits until an element's text contains text.
func (p *page) shows(e element, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("(%s)?.textContent.includes(%q)", e, text))
}

func (p *page) text(e element) string {
	p.t.Helper()
	p.until(string(e))
	return value[string](p, fmt.Sprintf("((%s).innerText ?? (%s).textContent).trim()", e, e))
}

// toFront makes a tab the one that is seen: input goes to no other.
func (p *page) toFront() {
	p.t.Helper()
	p.do(call(cdppage.BringToFront, struct{}{}))
}

// forget drops a cookie of the page's site, and what its scripts have kept.
func (p *page) forget(cookie string) {
	p.t.Helper()
	p.do(call(network.DeleteCookies, network.DeleteCookiesParams{Name: cookie, URL: value[string](p, "sessionStorage.clear(), location.href")}))
}

// withhold keeps a tab's requests to an address waiting until release is called.
func (p *page) withhold(address string) (release func()) {
	p.t.Helper()
	p.do(call(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: address}}}))
	return func() { p.t.Helper(); p.do(call(fetch.Disable, struct{}{})) }
}

// cutOff fails a tab's requests to an address, as if nobody listened there, until back is called.
func (p *page) cutOff(address string) (back func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	paused := chromedp.Events(ctx, fetch.RequestPaused)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ev, err := range paused {
			if err != nil {
				return
			}
			_, _ = chromedp.Call(p.ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: ev.RequestID, ErrorReason: network.ErrorReasonConnectionRefused}) // the page may be gone
		}
	}()
	release := p.withhold(address)
	return func() {
		p.t.Helper()
		cancel()
		<-over
		release()
	}
}

// call is a command of the protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// Sizes that pages are looked at in.
var screens = []struct {
	name          string
	width, height int64
}{{"390", 390, 844}, {"1280", 1280, 900}}

// picture saves what a tab looks like, in each size, where IDGATE_SCREENSHOTS names a directory.
func (p *page) picture(name string) {
	dir := os.Getenv("IDGATE_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, s := range screens {
		if err := p.snap(filepath.Join(dir, name+"-"+s.name+".png"), s.width, s.height); err != nil {
			p.t.Errorf("a picture of %s: %v", name, err)
		}
	}
}

func (p *page) snap(file string, width, height int64) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	settle := `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settle, chromedp.EvalAwaitPromise)); err != nil {
		return err
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(file, shot, 0o600)
}
