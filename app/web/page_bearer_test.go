package web_test

import (
	"fmt"
	"net/http"
	"testing"
)

// menu presses an entry of the app's menu, and waits for its page in this document's place.
func (s *story) menu(name, heading string) {
	s.t.Helper()
	s.app.click(css(fmt.Sprintf("nav a[href$=%q]", "/"+name)))
	s.app.until(fmt.Sprintf("document.querySelector('h1')?.textContent.includes(%q) && location.pathname.endsWith(%q)", heading, "/"+name))
}

// TestPageBearer: in a browser that refuses even partitioned cookies in a frame, the merchant's pages work all the same, in one document
// that holds the sign-in: menu, forms, refused forms, files, Back, and BigCommerce's log-out, which ends it.
func TestPageBearer(t *testing.T) {
	needChromium(t)
	t.Parallel()
	d := startDemo(t)
	b := newBrowser(t, allCookiesRefused)
	b.expect("status of 401")                            // how a page finds out that its cookies are refused
	b.expect("status of 404 (Not Found) " + d.app + "/") // the page that says so, after the log-out
	s := &story{t: t, demo: d, browser: b, panel: b.newPage()}
	s.install()
	s.app.click(css("#next"))
	s.app.shows(css("h1"), "Overview")
	s.load()
	value[bool](s.app, "window.sameDocument = true")

	await(t, func() bool {
		s.menu("orders", "Orders")
		s.menu("policy", "Policy")
		return value[bool](s.app, `document.querySelector(".page-head")?.textContent.includes("saved by") === true`)
	}, func() string { return "the demo's first policy" })
	s.app.write(css("#least_age"), "-3")
	s.save()
	s.app.shows(css("#errors"), "Nothing was saved")
	s.app.shows(css("#least_age-error"), "negative")
	s.app.write(css("#least_age"), "21")
	s.app.click(css("#mode-enforce"))
	s.save()
	s.app.shows(css("main"), "Saved as version")

	// The preview's frame cannot ask with the sign-in: it is shown what the page was answered, a mail with its inline styles.
	s.menu("settings", "Settings")
	s.app.click(css(`main a[href$="/settings/texts"]`))
	const preview = `document.querySelector("iframe[name=preview]").contentDocument`
	s.app.until(preview + `?.getElementById("title")?.textContent.includes("Verify your identity")`)
	s.app.write(css(`[name="t.dialog.title"]`), "Typed and not saved")
	s.app.click(css("button[formtarget=preview]"))
	s.app.until(preview + `?.getElementById("title")?.textContent === "Typed and not saved"`)
	s.app.choose(css("#what"), "mail-link")
	s.app.click(css("button[formtarget=preview]"))
	s.app.until(preview + `?.querySelector("h1")?.style.fontSize === "22px"`)
	if got := value[string](s.app, `document.querySelector('[name="t.dialog.title"]').value`); got != "Typed and not saved" {
		t.Errorf("the form holds %q after its previews", got)
	}
	s.panel.picture("panel-preview-bearer")

	s.menu("health", "Health")
	s.menu("team", "Team")
	value[bool](s.app, "history.back(), true")
	s.app.shows(css("h1"), "Health")
	s.menu("orders", "Orders")
	// The file itself is Chromium's affair; what it is given to save is ours.
	value[bool](s.app, `(window.saved = "", URL.createObjectURL = (blob) => { blob.text().then((t) => (window.saved += t)); return "data:," }, HTMLAnchorElement.prototype.click = function () { window.saved += this.download }, true)`)
	s.app.click(css("a[download]"))
	s.app.until(`window.saved.startsWith("orders") && window.saved.includes("csvOrder,Placed (")`)

	if !value[bool](s.app, "window.sameDocument === true") {
		t.Error("a page was loaded as a document of its own")
	}
	if n := value[int](s.app, `fetch(location.href).then((r) => r.status)`); n != http.StatusUnauthorized {
		t.Errorf("without the sign-in a page answers %d: a cookie was kept, and this test shows nothing", n)
	}
	s.panel.click(css("#log-out"))
	s.app.until("location.pathname === '/'")
	value[bool](s.app, "history.back(), true")
	s.app.shows(css("h1"), "signed out")
}

// TestPageLogout: a log-out in the control panel ends the Login, where cookies are kept in frames.
func TestPageLogout(t *testing.T) {
	s := newStory(t)
	s.browser.expect("status of 401")
	s.browser.expect("status of 404 (Not Found) " + s.demo.app + "/") // the page that says so
	s.install()
	s.load()
	s.section("orders")
	s.panel.click(css("#log-out"))
	s.app.until("location.pathname === '/'")
	value[bool](s.app, "(location.href = '/s/demoshop/orders', true)")
	s.app.shows(css("h1"), "signed out")
}
