package web

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"idgate/app/ledger"
	"idgate/views"
)

// TestPageSettings looks at the settings as a merchant does, with what the previews show, in English and in Arabic.
func TestPageSettings(t *testing.T) {
	b := newBench(t)
	gateJS, err := os.ReadFile(filepath.Join("..", "..", "assets", "gate.js"))
	b.ok(err)
	b.s.Gate = gateJS
	l := newLooker(b)
	b.twoStorefronts()
	b.enforce(shopHash)
	look := b.form("/settings/branding", "/settings/branding", "name", "Larkspur", "contact", "help@larkspur.example", "accent", "#8a1c4a")
	b.wantGo(b.sendFile(ledger.Manager, shopBase+"/settings/branding", "logo", asPNG(t, picture(240, 60)), look), shopBase+"/settings/branding?settings=1")
	arabic := "/settings/texts?lang=ar&group=dialog"
	texts := b.forms(b.as(ledger.Manager, shopBase+arabic, nil), "/settings/texts?lang=ar&amp;group=dialog")[0]
	texts.Set(views.TextField("dialog.title"), "أثبت هويتك لدى {shop}")
	if w := b.as(ledger.Manager, shopBase+arabic, texts); w.Code != 422 { // this text has no placeholder
		t.Errorf("%d", w.Code)
	}
	texts.Set(views.TextField("dialog.title"), "أثبت هويتك")
	b.wantGo(b.as(ledger.Manager, shopBase+arabic, texts), shopBase+"/settings/texts?group=dialog&lang=ar&settings=1")

	l.page(shopHash, ledger.Owner, "/settings", "settings-connection", "1Kosmos tenant", "Branding", "Data")
	l.page(shopHash, ledger.Manager, "/settings/branding", "settings-branding", "Accent colour", "Show as typed")
	l.page(shopHash, ledger.Manager, "/settings/branding?channel=7", "settings-branding-storefront", "Branding of Larkspur Deutschland")
	for _, g := range []string{"dialog", "reasons", "mails"} {
		l.page(shopHash, ledger.Manager, "/settings/texts?lang=ar&group="+g, "settings-texts-ar-"+g, "Save texts")
	}
	l.page(shopHash, ledger.Manager, "/settings/texts?lang=en&group=mails", "settings-texts-en-mails", "Save texts")
	l.page(shopHash, ledger.Viewer, "/settings/texts?lang=ar", "settings-texts-ar-viewed", "أثبت هويتك")
	l.page(shopHash, ledger.Manager, "/settings/texts/reset?lang=ar", "settings-texts-reset", "throws away 1 text")
	l.page(shopHash, ledger.Manager, "/settings/checkout", "settings-checkout", "Inline lock", "Verifications within 24 hours")
	l.page(shopHash, ledger.Manager, "/settings/mails", "settings-team-mails", "Mails to your team", "No mail has been written to your team yet")
	l.page(shopHash, ledger.Owner, "/settings/data", "settings-data", "Erase a person", "Export everything", "Outbound webhooks")
	l.page(shopHash, ledger.Manager, "/overview", "settings-guide", "Getting started", "time zone America/Denver")
	l.frames()
}

// TestPageTyped: a form of the settings shows itself in the preview's frame before it is saved.
func TestPageTyped(t *testing.T) {
	b := newBench(t)
	gateJS, err := os.ReadFile(filepath.Join("..", "..", "assets", "gate.js"))
	b.ok(err)
	b.s.Gate = gateJS
	b.enforce(shopHash)
	newLooker(b).typed()
}

// frames opens each preview by itself, as its frame does: nothing runs in it, and its style is there.
func (l *looker) frames() {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, 2*time.Minute)
	defer cancel()
	l.cookie.Store(l.cookies[shopHash+" viewer"])
	for _, lang := range []string{"en", "ar"} {
		for _, what := range views.PreviewCodes() {
			q := url.Values{"lang": {lang}, "what": {what}}
			l.ok(chromedp.Do(ctx, chromedp.EmulateViewport(480, 700), chromedp.Navigate(l.site.URL+shopBase+"/settings/preview?"+q.Encode())))
			if wide := ask[int](l, ctx, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
				l.Errorf("%s in %s is %d px too wide", what, lang, wide)
			}
			l.looked++
			if dir := os.Getenv("IDGATE_SCREENSHOTS"); dir != "" {
				shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				l.ok(err)
				l.ok(os.WriteFile(filepath.Join(dir, "preview-"+what+"-"+lang+".png"), shot, 0o600))
			}
		}
	}
}

// typed presses “Show as typed” on a page that htmx has put in the place of another: the frame shows what stands in the form, the page stays
// where it was with all that was typed, and saving it works as before.
func (l *looker) typed() {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	l.cookie.Store(l.cookies[shopHash+" manager"])
	const typed = "Typed and not saved"
	l.ok(chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(l.site.URL+shopBase+"/settings")))
	ask[bool](l, ctx, "window.sameDocument = true")
	l.ok(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`a[href$="/settings/texts"]`)), chromedp.WaitVisible(chromedp.CSS("button[formtarget=preview]"))))
	l.framed(ctx, "Larkspur")
	l.ok(chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS(`[name="t.dialog.title"]`), typed), chromedp.Click(chromedp.CSS("button[formtarget=preview]"))))
	l.framed(ctx, typed)
	if at := ask[string](l, ctx, `[location.pathname, document.getElementById("t.dialog.title").value, window.sameDocument].join(" ")`); at != shopBase+"/settings/texts "+typed+" true" {
		l.Errorf("the page is at %q", at)
	}
	if dir := os.Getenv("IDGATE_SCREENSHOTS"); dir != "" {
		shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		l.ok(err)
		l.ok(os.WriteFile(filepath.Join(dir, "settings-typed.png"), shot, 0o600))
	}
	if n := l.shop(shopHash).Settings.Texts["en"]; n != nil {
		l.Errorf("a preview saved %q", n)
	}
	l.ok(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".saving button.primary")), chromedp.WaitVisible(chromedp.CSS("main > [role=status]"))))
	if n := l.shop(shopHash).Settings.Texts["en"]; n["dialog.title"] != typed {
		l.Errorf("saved %q", n)
	}
}

// framed waits until the preview's frame shows a text. The frame is of no origin, so its page cannot look into it: the browser can, as into
// a page of its own.
func (l *looker) framed(ctx context.Context, text string) {
	l.Helper()
	shown := ""
	for ctx.Err() == nil && !strings.Contains(shown, text) {
		targets, err := chromedp.Targets(ctx)
		at := slices.IndexFunc(targets, func(i *target.Info) bool { return i.Type == "iframe" && strings.Contains(i.URL, "/settings/preview") })
		if err != nil || at < 0 {
			continue
		}
		frame, leave := chromedp.NewContext(l.ctx, chromedp.WithTargetID(targets[at].TargetID), chromedp.WithDetachOnCancel())
		if err := chromedp.Do(frame); err == nil {
			shown, _ = chromedp.Run(frame, chromedp.Evaluate[string]("document.body.innerText"))
		}
		leave()
	}
	if !strings.Contains(shown, text) {
		l.Errorf("the preview does not show %q but %q", text, clip(shown, 2000))
	}
}
