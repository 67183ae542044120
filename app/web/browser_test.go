package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestBrowserStory clicks through the demo as a merchant and as two shoppers would: from the installation to the release and the
// refusal of orders that came round the checkout's script.
func TestBrowserStory(t *testing.T) {
	s := newStory(t)
	s.install()
	s.panel.picture("panel-installed")
	s.load()
	s.panel.picture("panel-overview-off")
	s.wrongPolicy()
	s.enforce()
	s.panel.picture("panel-policy-saved")
	s.memberProvesOnce()
	s.panelShowsTheProof()
	s.orderRoundTheScript()
	s.refusalByHand()
	s.otherPages()
}

// TestThirdPartyCookiesAreBlocked shows that the other tests' browser keeps no cookie of another site in a frame, but for a partitioned
// one: a control with blocking switched off keeps both, so this page would tell.
func TestThirdPartyCookiesAreBlocked(t *testing.T) {
	for _, c := range []struct {
		name    string
		control int
		kept    []string
	}{
		{"blocked", thirdPartyCookiesBlocked, []string{"__Host-partitioned"}},
		{"allowed", thirdPartyCookiesAllowed, []string{"__Host-partitioned", "plain"}},
		{"all refused", allCookiesRefused, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := make(chan []string, 1)
			inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/set":
					for _, name := range []string{"plain=1", "__Host-partitioned=1; Partitioned"} {
						w.Header().Add("Set-Cookie", name+"; Path=/; Secure; HttpOnly; SameSite=None")
					}
					http.Redirect(w, r, "/read", http.StatusSeeOther)
				case "/read":
					var names []string
					for _, k := range r.Cookies() {
						names = append(names, k.Name)
					}
					sent <- slices.Sorted(slices.Values(names))
				}
			}))
			defer inner.Close()
			outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><iframe src="%s/set"></iframe>`, named(inner.URL, "app.localhost"))
			}))
			defer outer.Close()
			newBrowser(t, c.control).newPage().open(named(outer.URL, "store.localhost"))
			if got := <-sent; !slices.Equal(got, c.kept) {
				t.Errorf("the frame of another site sends %v, want %v", got, c.kept)
			}
		})
	}
}

// named is a loopback address under another host name.
func named(address, host string) string {
	return "http://" + host + address[strings.LastIndex(address, ":"):]
}

// wrongPolicy has bad values refused beside their fields, and nothing saved.
func (s *story) wrongPolicy() {
	s.t.Helper()
	s.policy()
	s.panel.picture("panel-policy")
	s.app.write(css("#least_age"), "-3")
	s.app.write(css("#step_up_value"), "500 EUR")
	s.save()
	s.app.shows(css("#errors"), "Nothing was saved")
	s.app.shows(css("#least_age-error"), "negative")
	s.app.shows(css("#step_up_value-error"), "USD")
	if got := value[string](s.app, `document.querySelector("#least_age").value`); got != "-3" {
		s.t.Errorf("the refused entry is shown as %q", got)
	}
	s.panel.picture("panel-policy-refused")
}

// memberProvesOnce lets a signed-in customer prove who she is at the payment step, and order again without.
func (s *story) memberProvesOnce() {
	s.t.Helper()
	s.visit()
	s.shop.picture("shop")
	s.signIn("ada@example.com")
	s.buy("COF-250")
	s.ship("", "")
	before := s.demo.orders()
	value[bool](s.shop, "window.sameDocument = true")
	s.shop.picture("checkout-payment")
	s.shop.click(css("#checkout-payment-continue"))
	s.asked("intro")
	s.shop.picture("dialog-intro")
	s.shop.click(part("start"))
	s.asked("session")
	s.shop.until(fmt.Sprintf("(%s).naturalWidth > 100 && !(%s).hidden", part("qr"), part("qr")))
	s.shop.picture("dialog-qr")
	phone := s.shop.popup(func() { s.shop.click(part("link")) })
	phone.toFront()
	phone.shows(css("h1"), "verify your identity")
	phone.picture("phone")
	s.shop.toFront()
	s.shop.until(fmt.Sprintf("(%s).dataset.state === 'started'", part("state")))
	s.shop.picture("dialog-waiting")
	s.placed(before, 0)
	if n := s.shop.sent.Load(); n != 0 {
		s.t.Fatalf("%d order calls left the page before the proof", n)
	}
	goOn := s.shop.withhold(s.demo.app + "/storefront/v1/decisions") // the news has come, the server's word has not
	s.play(phone, "passes-with-selfie", "Ada Lovelace")
	s.shop.toFront()
	s.asked("passed")
	s.shop.picture("dialog-passed")
	if !value[bool](s.shop, "window.sameDocument === true") {
		s.t.Error("the checkout was loaded again")
	}
	s.placed(before, 0)
	goOn()
	s.demo.awaitStatus(s.confirmed(), awaitingFulfillment)
	s.shop.picture("confirmation")
	s.placed(before, 1)
	if n := s.shop.sent.Load(); n != 1 {
		s.t.Errorf("%d order calls left the page", n)
	}

	s.buy("MUG-01")
	s.ship("", "")
	s.shop.click(css("#checkout-payment-continue"))
	s.confirmed()
	s.placed(before, 2)
}

// panelShowsTheProof finds what was written back in the control panel.
func (s *story) panelShowsTheProof() {
	s.t.Helper()
	p := s.panel
	p.toFront()
	p.open(s.demo.store + "/manage/customers")
	p.click(css("[data-test=customer-row] a")) // Ada is the first
	p.shows(css("h1"), "Ada Lovelace")
	for name, want := range map[string]string{"blockid_ial": "2", "blockid_liveid_enrolled": "true", "blockid_vc_token": "ey", "blockid_verified_at": "20", "blockid_expires_at": "20"} {
		if got := p.text(css(fmt.Sprintf("[data-test=attribute][data-name=%q] td:last-child", name))); !strings.HasPrefix(got, want) {
			s.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	p.picture("panel-customer")
	newest := s.demo.orders()[0].id
	await(s.t, func() bool {
		return strings.Contains(s.demo.get("/manage/orders/"+newest), `data-key="blockid.decision"`)
	},
		func() string { return "the decision in a metafield of order " + newest })
	p.click(css(fmt.Sprintf("a[href=%q]", "/manage/orders/"+newest)))
	p.shows(css("#order-metafields pre"), `"outcome":"allow"`)
	p.picture("panel-order")
	s.load()
	s.orderPage(newest, "Allowed")
	s.panel.picture("app-order-allowed")
}

// orderRoundTheScript places a guest's order as another program would. It is held, says why, and goes on when the link is followed.
func (s *story) orderRoundTheScript() {
	s.t.Helper()
	p := s.shop
	p.toFront()
	p.open(s.demo.store + "/login.php?action=logout")
	s.buy("COF-250")
	p.click(css("#demo-fill"))
	p.click(css("#checkout-customer-continue"))
	p.until(`document.querySelector(".checkout-step--shipping.checkout-step--current")`)
	p.click(css("#demo-fill"))
	s.ship("", "")
	before, calls := s.demo.orders(), p.sent.Load()
	p.click(css("#demo-place-api-order"))
	p.shows(css("#demo-note"), "was placed round the script")
	s.placed(before, 1)
	id := s.demo.orders()[0].id
	s.demo.awaitStatus(id, manualVerification)
	if p.sent.Load() != calls {
		s.t.Error("the page made the order call itself")
	}
	s.orderPage(id, "Held")
	s.app.shows(css("main"), "Nobody has proved who placed this order.")
	s.panel.picture("app-order-held")
	link := s.verifyLink()

	hosted := s.browser.newPage()
	hosted.toFront()
	hosted.open(link)
	if got := value[string](hosted, "location.pathname"); got != "/v/" {
		s.t.Errorf("the secret of the link stays in the address: %s", got)
	}
	hosted.picture("hosted-intro")
	hosted.click(css(`form[action="/v/start"] button`))
	hosted.until(`document.querySelector(".qr img")?.naturalWidth > 100`)
	if soon := "new Date(document.querySelector('#state time').dateTime) - Date.now() < 31 * 60000"; !value[bool](hosted, soon) {
		s.t.Error("the page names another deadline than the session's")
	}
	hosted.picture("hosted-qr")
	value[bool](hosted, "window.sameDocument = true")
	phone := hosted.popup(func() { hosted.click(css(".capture a")) })
	s.play(phone, "passes-with-selfie", "Alex Rivers")
	hosted.toFront()
	hosted.shows(css("h1"), "Thank you")
	if !value[bool](hosted, "window.sameDocument === true") {
		s.t.Error("the hosted page was loaded again")
	}
	hosted.picture("hosted-done")
	hosted.close()
	s.demo.awaitStatus(id, awaitingFulfillment)
	s.orderPage(id, "Released")
	s.panel.picture("app-order-released")
}

// refusalByHand refuses a held order, which takes a reason.
func (s *story) refusalByHand() {
	s.t.Helper()
	p := s.panel
	p.open(s.demo.store + "/manage/orders")
	p.click(css("#place-api-order-link"))
	p.write(css("#first-name"), "Nikola")
	p.write(css("#last-name"), "Guest")
	p.write(css("#email"), "nikola@example.net")
	p.click(css("#place-api-order"))
	p.shows(css("#flash"), "was placed by API")
	id := s.demo.orders()[0].id
	s.demo.awaitStatus(id, manualVerification)
	s.load()
	s.orderPage(id, "Held")
	link := s.verifyLink()
	s.app.click(css(`details:has(form[action$="/refuse"]) summary`))
	s.app.click(css(`form[action$="/refuse"] button`))
	s.app.until(`document.querySelector("#refuse-reason-error")`)
	s.panel.picture("app-order-no-reason")
	s.app.write(css("#refuse-reason"), "The shopper asked for another name.")
	s.app.click(css(`form[action$="/refuse"] button`))
	s.app.shows(css(".timeline"), "The shopper asked for another name.")
	if got := s.app.text(css(".page-head p")); got != "Refused" {
		s.t.Errorf("the refused order is headed %q", got)
	}
	s.panel.picture("app-order-refused")
	if o := s.demo.orders()[0]; o.id != id || o.status != manualVerification {
		s.t.Errorf("the refused order is %+v", o)
	}
	hosted := s.browser.newPage()
	hosted.toFront()
	s.browser.expect(s.demo.app + "/v/")
	hosted.open(link)
	if value[bool](hosted, `!!document.querySelector('form[action="/v/start"]')`) {
		s.t.Error("the link of a refused order still starts a verification")
	}
	hosted.picture("hosted-refused")
	hosted.close()
	s.panel.toFront()
}

// otherPages looks at the rest of the app: after all this nothing is stuck.
func (s *story) otherPages() {
	s.t.Helper()
	for _, c := range []struct{ name, says string }{
		{"overview", "Nothing needs attention"}, {"orders", "Released"}, {"verifications", "Passed"}, {"health", "store/order/created"}, {"settings", "1Kosmos tenant"},
	} {
		s.section(c.name)
		s.app.shows(css("main"), c.says)
		s.panel.picture("app-" + c.name)
	}
}
