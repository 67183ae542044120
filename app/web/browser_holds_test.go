package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestHoldPaths tries every way from the page to an order: each waits for the proof, can be called off without a loss, and makes one
// order once the proof is there.
func TestHoldPaths(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	for _, c := range []hold{
		{name: "press", try: func(p *page) { p.click(css("#checkout-payment-continue")) }},
		{name: "enter", try: func(p *page) { p.click(css("#ccCvv")); p.do(chromedp.KeyEvent(kb.Enter)) }},
		{name: "requestSubmit", try: func(p *page) {
			value[bool](p, `document.querySelector("form[data-test=payment-form]").requestSubmit(), true`)
		}},
		{name: "order call without any event", try: func(p *page) { value[bool](p, callByScript) }},
		{name: "wallet in the button's place", prepare: func(p *page) {
			p.click(css("label[for=radio-paypalcommerce]"))
			p.until(`document.querySelector("div#checkout-payment-continue iframe")`)
		}, try: func(p *page) { p.click(css("#checkout-payment-continue")) }, wallet: true},
		{name: "express wallet", prepare: func(p *page) { p.click(css(".checkout-step--customer [data-test=step-edit-button]")) },
			try: func(p *page) { p.click(css("#googlepaybraintreeCheckoutButton button")) }, wallet: true},
	} {
		t.Run(c.name, func(t *testing.T) { s.in(t).holds(c) })
	}
	t.Run("another's wallet", func(t *testing.T) { s.in(t).anothersWallet() })
	t.Run("form posted to the order call", func(t *testing.T) { s.in(t).postedForm() })
}

// postedForm posts a form to the order call, which is a navigation that no script can hold. The simulator takes it, which the platform does
// not: its order call wants JSON and a header that forms cannot send. The order gate holds the order.
func (s *story) postedForm() {
	s.t.Helper()
	p := s.shop
	s.browser.expect("/favicon.ico") // the order call's answer is a page of its own then
	s.reachPayment(guestMail, "Nikola", "Guest")
	p.until(locked)
	before := s.demo.orders()
	value[bool](p, `(() => {
		const form = Object.assign(document.createElement("form"), { method: "post", enctype: "text/plain", action: "/internalapi/v1/checkout/order" });
		const id = document.getElementById("checkout-app").dataset.checkoutId;
		const name = '{"cartId":"' + id + '","payment":{"name":"bankdeposit"},"rest":"';
		form.append(Object.assign(document.createElement("input"), { name, value: '"}' }));
		document.body.append(form);
		setTimeout(() => form.submit());
		return true;
	})()`)
	await(s.t, func() bool { return len(s.demo.orders()) == len(before)+1 }, func() string { return "the form's order" })
	s.demo.awaitStatus(s.demo.orders()[0].id, manualVerification)
	p.open(s.demo.store + "/")
}

// hold is one way from the payment step to an order.
type hold struct {
	name    string
	prepare func(*page)
	try     func(*page)
	wallet  bool // it has a sheet of its own, which only a press of the shopper's opens
}

// callByScript makes the order call as code of the page does, without a press or a submit event that a listener could catch.
const callByScript = `(() => {
	const id = document.getElementById("checkout-app").dataset.checkoutId;
	Promise.all([import("/sf/assets/api.js"), import("/sf/assets/wallet.js")]).then(async ([{ loadCheckout }, { placeOrder, confirmationURL }]) => {
		location.assign(confirmationURL(await placeOrder(await loadCheckout(id), "testgateway", {})));
	}).catch((refused) => { window.refused = refused.message; });
	return true;
})()`

// in is the same story in a subtest.
func (s *story) in(t *testing.T) *story {
	move := func(p *page) *page {
		if p == nil {
			return nil
		}
		p.t = t
		return p
	}
	s.demo.t, s.browser.t = t, t
	s.panel, s.app, s.shop, s.t = move(s.panel), move(s.app), move(s.shop), t
	return s
}

func (s *story) holds(h hold) {
	s.t.Helper()
	p := s.shop
	s.reachPayment(walletMail, "Alex", "Rivers")
	p.until(locked)
	p.write(css("#ccName"), "A. Rivers")
	if h.prepare != nil {
		h.prepare(p)
	}
	before, calls, entries := s.demo.orders(), p.sent.Load(), value[string](p, entered)
	value[bool](p, "window.sameDocument = true")
	h.try(p)
	s.asked("intro")
	p.click(part("close"))
	p.until(`!document.querySelector("idgate-dialog")`)
	if got := value[string](p, entered); got != entries || !value[bool](p, "window.sameDocument === true") {
		s.t.Errorf("after the dialog the checkout was loaded again, or has lost what stood in it: %s, before %s", got, entries)
	}
	s.placed(before, 0)

	h.try(p)
	s.asked("intro")
	s.verify("passes-with-selfie", "Alex Rivers")
	if h.wallet {
		p.until(opened)
		s.placed(before, 0)
		h.try(p)
		p.click(css(".wallet-sheet-pay"))
	}
	s.confirmed()
	s.placed(before, 1)
	if n := p.sent.Load() - calls; n != 1 {
		s.t.Errorf("%d order calls left the page", n)
	}
}

// walletMail is the mailbox of Alex Rivers, whose wallets the simulator's are.
const walletMail = "alex.rivers@mail.example"

// reachPayment buys as a guest whom the shop does not know yet, up to the payment step.
func (s *story) reachPayment(email, first, last string) {
	s.t.Helper()
	s.shop.forget("SHOP_SESSION_TOKEN")
	s.buy("COF-250")
	s.guest(email)
	s.ship(first, last)
}

// anothersWallet verifies as one person and pays with the wallet of another, who becomes the order's buyer: the proof is not theirs.
func (s *story) anothersWallet() {
	s.t.Helper()
	p := s.shop
	s.reachPayment("nikola@example.net", "Nikola", "Guest")
	p.until(locked)
	before := s.demo.orders()
	p.click(css(".checkout-step--customer [data-test=step-edit-button]"))
	p.click(css("#googlepaybraintreeCheckoutButton button"))
	s.asked("intro")
	s.verify("passes-with-selfie", "Nikola Guest")
	p.until(opened)
	p.click(css("#googlepaybraintreeCheckoutButton button"))
	p.click(css(".wallet-sheet-pay"))
	s.asked("intro")
	s.placed(before, 0)
	s.verify("passes-with-selfie", "Alex Rivers")
	s.confirmed()
	s.placed(before, 1)
}

// locked is that the payment step has been asked about, and the cart, which names its buyer by then, has to be proved.
const locked = `document.documentElement.dataset.idgate === "closed"`

// opened is that the page is open for orders.
const opened = `!document.querySelector("idgate-dialog") && document.documentElement.dataset.idgate === "open"`

// entered is everything that stands in the checkout's fields.
const entered = `JSON.stringify([...document.querySelectorAll("#checkout-app :is(input, select)")].map(i => [i.id, i.checked ?? false, i.value]))`

// TestHoldUnreachable stops the app for the shopper's browser, and tries both of the merchant's choices.
func TestHoldUnreachable(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	t.Run("open", func(t *testing.T) {
		s := s.in(t)
		s.checkoutCutOff()
		before := s.demo.orders()
		s.shop.click(css("#checkout-payment-continue"))
		id := s.confirmed()
		s.placed(before, 1)
		s.demo.awaitStatus(id, manualVerification) // the order gate is the law
	})
	t.Run("closed", func(t *testing.T) {
		s := s.in(t)
		s.panel.toFront()
		s.policy()
		s.app.click(css("#on_unreachable-stop"))
		s.save()
		s.app.shows(css("main"), "Saved as version")
		await(t, func() bool { return strings.Contains(s.demo.get("/manage/scripts"), "unreachable=closed") },
			func() string { return "the script with the merchant's choice" })
		s.visit()
		back := s.checkoutCutOff()
		before := s.demo.orders()
		s.shop.click(css("#checkout-payment-continue"))
		s.asked("unreachable")
		s.shop.picture("dialog-unreachable")
		s.placed(before, 0)
		back()
		s.shop.click(part("retry"))
		s.asked("intro")
		s.placed(before, 0)
	})
}

// checkoutCutOff goes to the payment step of a page that has the script, and does not reach the app otherwise.
func (s *story) checkoutCutOff() (back func()) {
	s.t.Helper()
	s.browser.expect("net::ERR_CONNECTION_REFUSED")
	back = s.shop.cutOff(s.demo.app + "/storefront/v1/decisions")
	s.reachPayment("nikola@example.net", "Nikola", "Guest")
	return back
}
