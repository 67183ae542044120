package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// story is a demo, a browser, and what a merchant and a shopper do in it.
type story struct {
	t       *testing.T
	demo    *demo
	browser *browser
	panel   *page // the merchant's tab
	app     *page // the app's frame in it
	shop    *page // the shopper's tab
}

func newStory(t *testing.T) *story {
	t.Helper()
	needChromium(t)
	t.Parallel() // most of a story is waiting
	d := startDemo(t)
	b := newBrowser(t, thirdPartyCookiesBlocked) // last, so that it ends first: a server that stops waits for its connections
	return &story{t: t, demo: d, browser: b, panel: b.newPage()}
}

// install presses Install in the control panel and waits for the app to show itself in the frame.
func (s *story) install() {
	s.t.Helper()
	s.panel.open(s.demo.store + "/manage/apps")
	s.panel.click(css("#install-app"))
	s.app = s.panel.frame(s.demo.app)
	s.app.shows(css("h1"), "idgate is installed")
}

// load opens the app from the control panel.
func (s *story) load() {
	s.t.Helper()
	s.app.close()
	s.panel.open(s.demo.store + "/manage/apps")
	s.panel.click(css("#load-app"))
	s.app = s.panel.frame(s.demo.app)
	s.app.shows(css("h1"), "Overview")
}

// section goes to a page of the app by its menu.
func (s *story) section(name string) {
	s.t.Helper()
	s.app.follow(css(fmt.Sprintf("nav a[href$=%q]", "/"+name)))
	if got := value[string](s.app, "location.pathname"); !strings.HasSuffix(got, "/"+name) {
		s.t.Fatalf("the menu leads from %s to %s", name, got)
	}
}

// policy opens the Policy page, once the demo's first version is there.
func (s *story) policy() {
	s.t.Helper()
	await(s.t, func() bool {
		s.section("policy")
		return value[bool](s.app, `document.querySelector(".page-head")?.textContent.includes("saved by") === true`)
	}, func() string { return "the demo's first policy" })
}

// save says why on the Policy page and presses its button; a refusal is not waited out here.
func (s *story) save() {
	s.t.Helper()
	s.app.write(css("#reason"), "As the story goes")
	s.app.click(css(`form[action$="/policy"] button.primary[value=save]`))
}

// enforce saves the policy in force.
func (s *story) enforce() {
	s.t.Helper()
	s.policy()
	s.app.click(css("#mode-enforce"))
	s.app.click(css(`form[action$="/policy"] button.primary[value=save]`)) // the mode alone needs no reason
	s.app.shows(css("main"), "Saved as version")
}

// visit opens the shop in a tab of its own.
func (s *story) visit() {
	s.t.Helper()
	if s.shop == nil {
		s.shop = s.browser.newPage()
	}
	s.shop.toFront()
	s.shop.open(s.demo.store + "/")
}

func (s *story) signIn(email string) {
	s.t.Helper()
	s.shop.open(s.demo.store + "/login.php")
	s.shop.write(css("#login_email"), email)
	s.shop.write(css("#login_pass"), "demo")
	s.shop.click(css("#login-submit"))
	s.shop.shows(css("h1"), "Hello")
}

// buy puts a product into the cart and goes to the checkout.
func (s *story) buy(sku string) {
	s.t.Helper()
	s.shop.open(s.demo.store + "/")
	s.shop.click(css(fmt.Sprintf("[data-add=%q]", sku)))
	s.shop.click(css("[data-primary-checkout-now-action]"))
	s.shop.until(`document.querySelector(".checkout-step--current")`)
}

// guest fills in the customer step.
func (s *story) guest(email string) {
	s.t.Helper()
	s.shop.write(css("#email"), email)
	s.shop.click(css("#checkout-customer-continue"))
	s.shop.until(`document.querySelector(".checkout-step--shipping.checkout-step--current")`)
}

// ship goes through the shipping step. A guest's address is typed; a member's, without names given, is there already.
func (s *story) ship(first, last string) {
	s.t.Helper()
	p := s.shop
	p.until(`document.querySelector(".checkout-step--shipping.checkout-step--current")`)
	if first != "" {
		for _, f := range [][2]string{{"firstNameInput", first}, {"lastNameInput", last}, {"addressLine1Input", "5 Tower Road"}, {"cityInput", "Denver"}, {"postCodeInput", "80202"}} {
			p.write(css("#"+f[0]), f[1])
		}
		p.choose(css("#provinceCodeInput"), "CO")
	}
	p.click(css("#checkout-shipping-continue"))
	p.until(`document.querySelector(".checkout-step--payment.checkout-step--current")`)
}

// asked waits for the gate's dialog in a view.
func (s *story) asked(view string) {
	s.t.Helper()
	s.shop.until(fmt.Sprintf(`document.querySelector("idgate-dialog")?.shadowRoot?.querySelector("dialog[open]")?.dataset.view === %q`, view))
}

// Statuses of the platform's orders.
const (
	awaitingFulfillment = "11"
	manualVerification  = "12"
)

// verify starts from the dialog and plays a person on the phone, whose page is another tab.
func (s *story) verify(person, name string) {
	s.t.Helper()
	s.shop.click(part("start"))
	s.asked("session")
	s.play(s.shop.popup(func() { s.shop.click(part("link")) }), person, name)
	s.shop.toFront()
}

// play plays a person who passes on the provider's page, and closes it.
func (s *story) play(phone *page, person, name string) {
	s.t.Helper()
	s.playTo(phone, person, name, "all done")
}

// playTo plays a person to whom the provider says something at the end.
func (s *story) playTo(phone *page, person, name, says string) {
	s.t.Helper()
	phone.toFront()
	phone.click(css(fmt.Sprintf("label:has([value=%q])", person)))
	phone.write(css("input[name=name]"), name)
	phone.click(css(".actions button[type=submit]:not(.plain)"))
	phone.shows(css("h1"), says)
	phone.close()
}

var confirmation = regexp.MustCompile(`/checkout/order-confirmation/(\d+)`)

// confirmed waits for the order confirmation and returns the order's number.
func (s *story) confirmed() string {
	s.t.Helper()
	s.shop.until(`location.pathname.startsWith("/checkout/order-confirmation/")`)
	s.shop.shows(css("[data-test=order-confirmation-heading]"), "Thank you")
	return confirmation.FindStringSubmatch(value[string](s.shop, "location.pathname"))[1]
}

// placed expects so many orders more than before at the platform.
func (s *story) placed(before []order, more int) {
	s.t.Helper()
	if now := s.demo.orders(); len(now) != len(before)+more {
		s.t.Fatalf("%d orders, where there were %d and %d more are due: %v", len(now), len(before), more, now)
	}
}

// orderPage opens the app's page of an order once the gate has seen it in a state.
func (s *story) orderPage(id, says string) {
	s.t.Helper()
	s.panel.toFront()
	await(s.t, func() bool {
		s.section("orders")
		return value[bool](s.app, fmt.Sprintf(`[...document.querySelectorAll("tbody tr")].some(tr => tr.textContent.includes(%q) && tr.textContent.includes(%q))`, id, says))
	}, func() string {
		return fmt.Sprintf("order %s in the app as %q: %s", id, says, strings.TrimSpace(s.app.text(css("main"))))
	})
	s.app.follow(css(fmt.Sprintf("tbody a[href$=%q]", "/orders/"+id)))
	s.app.shows(css("h1"), "Order "+id)
}

// verifyLink is what a merchant copies from a held order's page.
func (s *story) verifyLink() string {
	s.t.Helper()
	return value[string](s.app, `document.querySelector("#verify-link").value`)
}
