package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserHolds tries every way from the page to an order: each waits for the proof, can be called off without a loss, and makes one
// order once the proof is there.
func TestBrowserHolds(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	for _, c := range []struct {
		name string
		try  func(*page) // what the shopper does at the payment step
		// again is done after the proof, by ways to pay that take a press of the shopper's own
		again func(*page)
	}{
		{"press", func(p *page) { p.click(css("#checkout-payment-continue")) }, nil},
		{"enter", func(p *page) { p.click(css("#ccCvv")); p.do(chromedp.KeyEvent(kb.Enter)) }, nil},
		{"requestSubmit", func(p *page) {
			value[bool](p, `document.querySelector("form[data-test=payment-form]").requestSubmit(), true`)
		}, nil},
		{"wallet in the button's place", func(p *page) {
			p.click(css("label[for=radio-paypalcommerce]"))
			p.until(`document.querySelector("div#checkout-payment-continue iframe")`)
			p.click(css("#checkout-payment-continue"))
		}, func(p *page) {
			p.click(css("#checkout-payment-continue"))
			p.click(css(".wallet-sheet-pay"))
		}},
		{"express wallet", func(p *page) {
			p.click(css(".checkout-step--customer [data-test=step-edit-button]"))
			p.click(css("#googlepaybraintreeCheckoutButton button"))
		}, func(p *page) {
			p.click(css("#googlepaybraintreeCheckoutButton button"))
			p.click(css(".wallet-sheet-pay"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.in(t)
			s.holds(c.try, c.again)
		})
	}
}

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

func (s *story) holds(try, again func(*page)) {
	s.t.Helper()
	p := s.shop
	s.buy("COF-250")
	s.guest("nikola@example.net")
	s.ship("Nikola", "Guest")
	before, calls := s.demo.orders(), p.sent.Load()
	p.write(css("#ccName"), "N. Guest")
	value[bool](p, "window.sameDocument = true")
	try(p)
	s.asked("intro")
	p.click(part("close"))
	p.until(`!document.querySelector("idgate-dialog")`)
	s.placed(before, 0)
	s.usable()
	try(p)
	s.asked("intro")
	s.verify("passes-with-selfie", "Nikola Guest")
	if again != nil {
		p.until(`!document.querySelector("idgate-dialog") && document.documentElement.dataset.idgate === "open"`)
		if p.sent.Load() != calls {
			s.t.Error("an order call has left before the shopper pressed")
		}
		again(p)
	}
	s.confirmed()
	s.placed(before, 1)
	if n := p.sent.Load() - calls; n != 1 {
		s.t.Errorf("%d order calls left the page", n)
	}
}

// usable expects the checkout to be as it was before the dialog.
func (s *story) usable() {
	s.t.Helper()
	p := s.shop
	if !value[bool](p, `window.sameDocument === true && !document.querySelector("#errorModalMessage")`) {
		s.t.Errorf("the checkout was loaded again, or shows an error: %s", value[string](p, `document.querySelector("#errorModalMessage")?.textContent || ""`))
	}
}

// TestBrowserUnreachable stops the app for the shopper's browser, and tries both of the merchant's choices.
func TestBrowserUnreachable(t *testing.T) {
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
	s.buy("COF-250")
	s.guest("nikola@example.net")
	s.ship("Nikola", "Guest")
	return back
}
