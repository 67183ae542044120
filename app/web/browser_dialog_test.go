package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"idgate/app/words"
)

const guestMail = "nikola@example.net"

// atPayment is a story whose policy is in force and whose guest, unknown to the shop, is about to pay.
func atPayment(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	s.reachPayment(guestMail, "Nikola", "Guest")
	s.shop.until(locked) // or the press would make the order call, and its refusal stay on the page
	return s
}

// pay presses the button of the payment step, and waits for the dialog in a view.
func (s *story) pay(view string) {
	s.t.Helper()
	s.shop.click(css("#checkout-payment-continue"))
	s.asked(view)
}

// newestMail waits for a mail whose subject says something, and returns its page's address. Mails are numbered from 1.
func (s *story) newestMail(to, says string) string {
	s.t.Helper()
	found := ""
	await(s.t, func() bool {
		m := mailRow.FindStringSubmatch(s.demo.fetch(s.demo.mail + "/?to=" + to))
		if m != nil && strings.Contains(m[2], says) {
			found = s.demo.mail + "/mail/" + m[1]
		}
		return found != ""
	}, func() string { return fmt.Sprintf("a mail to %s about %q", to, says) })
	return found
}

var mailRow = regexp.MustCompile(`<li data-mail="(\d+)"><a[^>]*>([^<]*)</a>`)

// TestDialogMail: the shopper has a link mailed, verifies on the hosted page in another tab, and the checkout's dialog lets the order go.
func TestDialogMail(t *testing.T) {
	s := atPayment(t)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.click(part("mail"))
	s.asked("mail")
	s.shop.shows(part("state"), words.For(words.Match("en"), nil).Text("dialog.link_sent", nil))
	s.shop.picture("dialog-link-sent")

	mailbox := s.browser.newPage()
	mailbox.toFront()
	sent := s.newestMail(guestMail, "")
	mailbox.open(sent)
	mailbox.picture("mailbox-link")
	mailbox.open(value[string](mailbox, `document.querySelector("#links a[href*='/v/mail.']").href`))
	if got := value[string](mailbox, "location.pathname"); got != "/v/" {
		t.Errorf("the secret of the link stays in the address: %s", got)
	}
	mailbox.click(css(`form[action="/v/start"] button`))
	mailbox.until(`document.querySelector(".qr img")?.naturalWidth > 100`)
	s.placed(before, 0)
	s.play(mailbox.popup(func() { mailbox.click(css(".capture a")) }), "passes-with-selfie", "Nikola Guest")
	mailbox.toFront()
	mailbox.shows(css("h1"), "Thank you")
	if value[bool](mailbox, `!!document.querySelector("form[action='/v/account']")`) {
		t.Error("a mailed link offers a sign-in")
	}
	s.shop.toFront()
	s.demo.awaitStatus(s.confirmed(), awaitingFulfillment)
	s.placed(before, 1)
	if n := s.shop.sent.Load(); n != 1 {
		t.Errorf("%d order calls left the page", n)
	}

	// The mail comes back after all: Health tells the merchant.
	mailbox.toFront()
	mailbox.open(sent)
	mailbox.click(css(`form[action$="/bounce"] button`))
	mailbox.shows(css("#bounced"), "came back")
	s.panel.toFront()
	s.section("health")
	s.app.shows(css("#sweep"), "1 within two days")
	s.panel.picture("health-returned-mail")
}

// TestDialogCode: a guest who has verified under a mailbox before shows that it is theirs, and need not verify again.
func TestDialogCode(t *testing.T) {
	s := atPayment(t)
	s.pay("intro")
	s.verify("passes-with-selfie", "Nikola Guest")
	s.confirmed()

	s.reachPayment(guestMail, "Nikola", "Guest")
	s.shop.until(locked)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.shows(part("lines"), words.For(words.Match("en"), nil).Text("dialog.mailbox_why", nil)[:20])
	s.shop.click(part("code"))
	s.asked("mail")
	s.shop.picture("dialog-code")
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(s.demo.fetch(s.newestMail(guestMail, "")))
	if code == "" {
		t.Fatal("no code in the mail")
	}
	s.enterCode(fmt.Sprintf("%d%s", 9-(code[0]-'0'), code[1:]))
	s.shop.shows(part("state"), words.For(words.Match("en"), nil).Text("dialog.code_wrong", nil))
	s.shop.picture("dialog-code-wrong")
	s.placed(before, 0)
	s.enterCode(code[:3] + " " + code[3:])
	s.confirmed()
	s.placed(before, 1)
}

func (s *story) enterCode(code string) {
	s.t.Helper()
	s.shop.click(part("entry"))
	value[bool](s.shop, fmt.Sprintf("(%s).select(), true", part("entry")))
	s.shop.do(chromedp.KeyEvent(code))
	s.shop.click(part("confirm"))
}

// TestDialogDocument: the kind of document that the shopper chooses is the one that the provider asks for.
func TestDialogDocument(t *testing.T) {
	s := atPayment(t)
	s.pay("intro")
	if got := value[string](s.shop, fmt.Sprintf("[...(%s).options].map(o => o.text).join()", part("kinds"))); got != "driver's licence,passport,identity card" && !strings.Contains(strings.ToLower(got), "passport") {
		t.Errorf("the choice is %q", got)
	}
	value[bool](s.shop, fmt.Sprintf("(el => { el.selectedIndex = [...el.options].findIndex(o => /passport/i.test(o.text)); return el.selectedIndex > 0 })(%s)", part("kinds")))
	s.shop.click(part("start"))
	s.asked("session")
	phone := s.shop.popup(func() { s.shop.click(part("link")) })
	phone.toFront()
	phone.shows(css(".what"), "Photograph your passport")
	s.play(phone, "passes-with-selfie", "Nikola Guest")
	s.shop.toFront()
	s.confirmed()
}

// TestDialogFailures: each way to fail has its own words and next step, another try is counted, and after the last there is none.
func TestDialogFailures(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.policy()
	s.app.write(css("#least_age"), "18")
	s.app.click(css("#mode-enforce"))
	s.save()
	s.app.shows(css("main"), "Saved as version")
	s.visit()
	s.reachPayment(guestMail, "Nikola", "Guest")
	s.shop.until(locked)
	before := s.demo.orders()
	for i, c := range []struct{ person, name, says, state, code string }{
		{"expired-document", "Nikola Guest", "all done", "failed", "expired_document"},
		{"too-young", "Nikola Guest", "all done", "passed", "age_too_low"},
		{"other-name", "Nikola Guest", "all done", "passed", "name_differs"},
		{"gives-up", "Nikola Guest", "left half way", "abandoned", ""},
		{"fails", "Nikola Guest", "could not verify", "failed", "not_verified"},
	} {
		t.Run(c.person, func(t *testing.T) {
			s := s.in(t)
			if i == 0 {
				s.pay("intro")
				s.shop.click(part("start"))
			} else {
				s.shop.click(part("retry"))
			}
			s.asked("session")
			s.playTo(s.shop.popup(func() { s.shop.click(part("link")) }), c.person, c.name, c.says)
			s.shop.toFront()
			s.asked("final")
			said := words.For(words.Match("en"), nil).Ended(words.Ended{State: c.state, Code: c.code, Retry: i < 4})
			s.shop.shows(part("state"), said.Text)
			if i < 4 {
				s.shop.shows(part("next"), said.Next)
				s.shop.until(fmt.Sprintf("/%d/.test((%s).textContent)", 4-i, part("next"))) // tries left, once the server was asked again
			}
			s.shop.picture("dialog-failed-" + c.person)
			s.placed(before, 0)
		})
	}
	s.in(t)
	s.shop.until(fmt.Sprintf("(%s).hidden", part("retry")))
	s.shop.click(part("close"))
	s.pay("final") // nor does it help to ask anew
	if !value[bool](s.shop, fmt.Sprintf("(%s).hidden && (%s).hidden", part("retry"), part("start"))) {
		t.Error("another try is offered after the last")
	}
	s.placed(before, 0)
}

// TestDialogGlare: pictures with glare end a try with a next step of their own, which the next try takes.
func TestDialogGlare(t *testing.T) {
	s := atPayment(t)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.click(part("start"))
	s.asked("session")
	s.playTo(s.shop.popup(func() { s.shop.click(part("link")) }), "glare", "Nikola Guest", "all done")
	s.shop.toFront()
	s.asked("final")
	s.shop.shows(part("state"), "expiry date could not be read")
	s.shop.shows(part("next"), "without glare")
	s.shop.picture("dialog-failed-glare")
	s.placed(before, 0)
	s.shop.click(part("retry"))
	s.asked("session")
	s.play(s.shop.popup(func() { s.shop.click(part("link")) }), "passes-with-selfie", "Nikola Guest")
	s.shop.toFront()
	s.confirmed()
	s.placed(before, 1)
}

// TestDialogReview: while somebody looks at the pictures the dialog says so, and it goes on by itself once they have approved.
func TestDialogReview(t *testing.T) {
	s := atPayment(t)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.click(part("start"))
	s.asked("session")
	phone := s.shop.popup(func() { s.shop.click(part("link")) })
	phone.toFront()
	phone.click(css(`label:has([value="needs-review"])`))
	phone.write(css("input[name=name]"), "Nikola Guest")
	phone.click(css(".actions button[type=submit]:not(.plain)"))
	phone.shows(css("h1"), "Somebody is looking at it")
	s.shop.toFront()
	s.shop.until(fmt.Sprintf("(%s)?.dataset.state === 'review' || document.querySelector('idgate-dialog')?.shadowRoot.querySelector('dialog').dataset.view === 'review'", part("state")))
	s.shop.picture("dialog-review")
	s.placed(before, 0)
	phone.toFront()
	phone.click(css(".demo a.button"))
	phone.click(css(`button[value="approve"]`))
	phone.shows(css("body"), "passed")
	phone.close()
	s.shop.toFront()
	id, _ := s.begun()
	s.doorbell(`{ session_id: "` + id + `" }`) // a review is asked about at long intervals; whoever knows of its end may ring
	s.confirmed()
	s.placed(before, 1)
}

// TestDialogResume: whoever leaves the checkout and comes back goes on with the Session that they began.
func TestDialogResume(t *testing.T) {
	s := atPayment(t)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.click(part("start"))
	s.asked("session")
	id, _ := s.begun()
	phone := s.shop.popup(func() { s.shop.click(part("link")) })
	s.shop.toFront()
	s.shop.open(s.demo.store + "/cart.php")
	s.shop.open(s.demo.store + "/checkout")
	s.pay("session")
	if again, _ := s.begun(); again != id {
		t.Errorf("another session was begun: %s, before %s", again, id)
	}
	s.shop.click(part("close")) // called off, and taken up once more
	s.shop.until(`!document.querySelector("idgate-dialog")`)
	s.pay("session")
	s.play(phone, "passes-with-selfie", "Nikola Guest")
	s.shop.toFront()
	s.confirmed()
	s.placed(before, 1)
}

// TestDialogLanguages goes through the dialog in four languages, one from right to left, each state on two screens.
func TestDialogLanguages(t *testing.T) {
	s := atPayment(t)
	titles := map[string]string{}
	for i, c := range []struct{ lang, dir string }{{"en", "ltr"}, {"de", "ltr"}, {"ja", "ltr"}, {"ar", "rtl"}} {
		t.Run(c.lang, func(t *testing.T) {
			s := s.in(t)
			if i > 0 {
				s.reachPayment(fmt.Sprintf("guest%d@example.net", i), "Nikola", "Guest")
			}
			s.shop.until(locked)
			value[bool](s.shop, fmt.Sprintf("document.documentElement.lang = %q, true", c.lang))
			look := func(view string) {
				s.t.Helper()
				s.asked(view)
				s.shop.picture("dialog-" + view + "-" + c.lang)
				got := value[[]string](s.shop, `(d => [d.lang, d.dir, String(d.scrollWidth <= d.clientWidth)])(document.querySelector("idgate-dialog").shadowRoot.querySelector("dialog"))`)
				if got[0] != c.lang || got[1] != c.dir || got[2] != "true" {
					s.t.Errorf("%s: language, direction and fit are %q", view, got)
				}
			}
			s.pay("intro")
			look("intro")
			titles[s.shop.text(part("title"))] = c.lang
			s.shop.click(part("mail"))
			look("mail")
			s.shop.click(part("start"))
			s.asked("session")
			s.shop.until(fmt.Sprintf("(%s).naturalWidth > 100", part("qr")))
			look("session")
			s.playTo(s.shop.popup(func() { s.shop.click(part("link")) }), "expired-document", "Nikola Guest", "all done")
			s.shop.toFront()
			look("final")
			if got, want := s.shop.text(part("state")), words.For(words.Match(c.lang), nil).Ended(words.Ended{State: "failed", Code: "expired_document", Retry: true}).Text; got != want {
				t.Errorf("the end says %q, want %q", got, want)
			}
			s.shop.click(part("close"))
		})
	}
	s.in(t)
	if len(titles) != 4 {
		t.Errorf("titles %v", titles)
	}
}

// confirmationScript switches the script on the page after the order on.
func (s *story) confirmationScript() {
	s.t.Helper()
	s.panel.toFront()
	s.section("settings")
	s.app.follow(css(`a[href$="/settings/checkout"]`))
	s.app.click(css("#confirmation_script"))
	s.app.click(css(`form[action$="/settings/checkout"] button[type=submit]`))
	s.app.shows(css("main"), "Saved")
	await(s.t, func() bool { return strings.Contains(s.demo.get("/manage/scripts"), "page=order_confirmation") }, func() string { return "the script on the page after the order" })
	s.visit()
}

// TestDialogConfirmation: after an order that is on hold, the page says that a step is left in the tab that holds the cart's Capability; in
// another one of the same browser it says to look in the mail; a stranger's is told nothing.
func TestDialogConfirmation(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.confirmationScript()
	s.reachPayment(guestMail, "Nikola", "Guest")
	s.shop.until(locked)
	before := s.demo.orders()
	s.pay("intro")
	s.shop.click(part("close"))
	s.shop.click(css("#demo-place-api-order"))
	s.shop.shows(css("#demo-note"), "was placed round the script")
	s.placed(before, 1)
	id := s.demo.orders()[0].id
	s.demo.awaitStatus(id, manualVerification)
	after := s.demo.store + "/checkout/order-confirmation/" + id

	other := s.browser.newPage()
	other.toFront()
	other.open(after)
	other.shows(css("[data-test=order-confirmation-heading]"), "Thank you")
	other.toldInTheMail("Your order is being checked", "confirmation-held")
	other.close()
	s.toldNothing(after)
	s.newestMail(guestMail, "")

	s.shop.toFront()
	s.shop.open(after)
	s.asked("intro")
	s.shop.shows(part("title"), "One step left")
	s.shop.picture("confirmation-step-left")
	s.verify("passes-with-selfie", "Nikola Guest")
	s.asked("done")
	s.shop.picture("confirmation-done")
	s.demo.awaitStatus(id, awaitingFulfillment)
	s.placed(before, 1)
}

// toldInTheMail waits for the dialog that says to look in the mail, which offers nothing but to be closed.
func (p *page) toldInTheMail(title, picture string) {
	p.t.Helper()
	p.until(`document.querySelector("idgate-dialog")?.shadowRoot.querySelector("dialog").dataset.view === "done"`)
	p.shows(part("title"), title)
	p.shows(part("state"), "e-mail about your order")
	if got := value[string](p, `[...document.querySelector("idgate-dialog").shadowRoot.querySelectorAll(":is(button, a):not([hidden])")].filter(b => b.checkVisibility()).map(b => b.id).join()`); got != "close" {
		p.t.Errorf("the dialog offers %q", got)
	}
	p.picture(picture)
	p.click(part("close"))
	p.until(`!document.querySelector("idgate-dialog")`)
}

// toldNothing opens the page after an order in a browser that has nothing to do with it, and outlasts the last look.
func (s *story) toldNothing(after string) {
	s.t.Helper()
	stranger := s.browser.attach(nil, chromedp.WithNewBrowserContext())
	s.browser.expect("/api/storefront/orders/") // which is another's
	stranger.open(after)
	stranger.until("performance.getEntriesByType('resource').some(r => r.name.includes('page=order_confirmation'))")
	stranger.until(fmt.Sprintf("performance.getEntriesByType('resource').filter(r => r.name.includes(%q)).length >= 3", "/customer/current.jwt"))
	if value[bool](stranger, `!!document.querySelector("idgate-dialog") || performance.getEntriesByType('resource').some(r => r.name.includes("/storefront/v1/decisions"))`) {
		s.t.Error("a stranger's browser is told of the order")
	}
	stranger.close()
}

// TestDialogConfirmationOfACustomer: in another tab of her browser a signed-in customer, named by BigCommerce, is told to look in the mail.
func TestDialogConfirmationOfACustomer(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.confirmationScript()
	s.signIn("ada@example.com")
	s.buy("COF-250")
	s.ship("", "")
	s.shop.until(locked)
	before := s.demo.orders()
	s.shop.click(css("#demo-place-api-order"))
	s.shop.shows(css("#demo-note"), "was placed round the script")
	s.placed(before, 1)
	id := s.demo.orders()[0].id
	s.demo.awaitStatus(id, manualVerification)
	other := s.browser.newPage()
	other.toFront()
	// Her order cannot be read in the page, so that it is she who is known, and not the order's status.
	back := other.cutOff(s.demo.store + "/api/storefront/orders/")
	s.browser.expect("net::ERR_CONNECTION_REFUSED")
	other.open(s.demo.store + "/checkout/order-confirmation/" + id)
	other.toldInTheMail("One step left", "confirmation-mail")
	back()
	other.close()
	s.toldNothing(s.demo.store + "/checkout/order-confirmation/" + id)
}

// TestDialogSignBack: a customer goes on from the checkout on the same device, loses her sign-in meanwhile, verifies on our hosted page, and
// is signed in again by a press there.
func TestDialogSignBack(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.section("settings")
	s.app.click(css("#sign_back"))
	s.app.click(css(`form[action$="/settings/sign-back"] button`))
	s.app.shows(css("main"), "can go on in their account")
	s.panel.picture("settings-sign-back")
	s.visit()
	s.signIn("ada@example.com")
	s.buy("COF-250")
	s.ship("", "")
	s.pay("intro")
	s.shop.click(part("start"))
	s.asked("session")
	s.shop.until(fmt.Sprintf("!(%s).hidden", part("link")))
	hosted := s.shop.popup(func() { s.shop.click(part("link")) })
	hosted.toFront()
	hosted.until(`location.pathname === "/v/" && document.querySelector(".capture a")`)
	if n := value[int](hosted, `location.href.length`); n != len(s.demo.app+"/v/") {
		t.Errorf("the address says more than where it is: %s", value[string](hosted, "location.href"))
	}
	s.shop.close() // she shuts the checkout
	s.shop = s.browser.newPage()
	s.shop.toFront()
	s.shop.open(s.demo.store + "/")
	s.shop.forget("SHOP_SESSION_TOKEN") // and her sign-in ends
	hosted.toFront()
	s.play(hosted.popup(func() { hosted.click(css(".capture a")) }), "passes-with-selfie", "Ada Lovelace")
	hosted.toFront()
	hosted.until(`document.querySelector("form[action='/v/account'] button")`)
	hosted.picture("hosted-sign-back")
	hosted.click(css("form[action='/v/account'] button"))
	hosted.until(fmt.Sprintf("location.origin === %q", s.demo.store))
	hosted.open(s.demo.store + "/account.php")
	hosted.shows(css("h1"), "Hello")
	hosted.picture("signed-back-in")
}
