package web_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserSample runs 1Kosmos's printed calls, on a merchant's own page and on the hosted checkout, and posts forged results.
func TestBrowserSample(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	for _, page := range []string{"/pages/blockid-sample", "/checkout?sample=1"} {
		t.Run(page, func(t *testing.T) { s.in(t).sample(page) })
	}
}

func (s *story) sample(path string) {
	s.t.Helper()
	p := s.shop
	s.reachPayment("nikola@example.net", "Nikola", "Guest")
	before := s.demo.orders()
	p.open(s.demo.store + path)
	p.click(css("#sample-forge"))
	p.shows(css("#sample-log"), "A forged result was answered 202")
	p.click(css("#sample-init"))
	s.asked("intro")
	p.picture("sample")
	p.click(part("start"))
	s.asked("session")
	session, state := s.begun()
	for _, result := range []string{
		`{ session_id: "` + session + `", state: "passed", ial: 3, vc_token: "eyJhbGciOiJub25lIn0.e30." }`,
		`{ session_id: ["` + session + `"] }`, `"passed"`, `null`, `3`,
	} {
		if got := s.doorbell(result); got != "202 " {
			s.t.Errorf("the doorbell answers %q to %s", got, result)
		}
	}
	if _, now := s.begun(); now != state {
		s.t.Errorf("forged results have made %s of %s", now, state)
	}
	s.play(p.popup(func() { p.click(part("link")) }), "passes-with-selfie", "Nikola Guest")
	p.toFront()
	p.shows(css("#sample-log"), `"state":"passed"`)
	p.shows(css("#sample-log"), "POST /bc/result: 202")
	s.placed(before, 0)

	p.open(s.demo.store + "/checkout")
	p.click(css("#checkout-payment-continue"))
	s.confirmed()
	s.placed(before, 1)
}

// begun asks the app, as the page does, for the session of the cart and for what is decided.
func (s *story) begun() (id, state string) {
	s.t.Helper()
	got := value[[]string](s.shop, `(async () => {
		const { cart, capability } = JSON.parse(sessionStorage.getItem("idgate:demoshop"));
		const body = JSON.stringify({ shop: "demoshop", channel: 1, cart_id: cart, customer_jwt: "", capability, page: "widget", locale: "en" });
		const said = await (await fetch("`+s.demo.app+`/storefront/v1/decisions", { method: "POST", headers: { "Content-Type": "text/plain" }, body })).json();
		return [said.session.id, said.decision + ", " + said.session.state];
	})()`)
	return got[0], got[1]
}

// doorbell posts a result as the card prints it, without a content type, and returns the answer.
func (s *story) doorbell(result string) string {
	s.t.Helper()
	return value[string](s.shop, fmt.Sprintf(`fetch(%q, { method: "POST", body: JSON.stringify({ store_hash: "demoshop", result: %s }) }).then(async r => r.status + " " + await r.text())`,
		s.demo.app+"/bc/result", result))
}

// TestCheckoutSDKLoads runs the platform's own Checkout SDK in the checkout page, beside the gate's script.
func TestCheckoutSDKLoads(t *testing.T) {
	bundle, err := os.ReadFile(filepath.Join("..", "..", "assets", "test", "sdk", "dist", "checkout-sdk.js"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no Checkout SDK to load: %v", err)
		}
		t.Skipf("SKIPPED, the Checkout SDK was not run: %v (npm ci && npm run sdk-bundle in assets)", err)
	}
	if !bytes.Contains(bundle[:min(len(bundle), 100)], []byte("@bigcommerce/checkout-sdk 1.983.2 ")) {
		t.Fatalf("the bundle is of another version: %.100s", bundle)
	}
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	for _, c := range []struct {
		name  string
		email string
		want  customer
	}{
		{"guest", "", customer{ID: 0, IsGuest: true}},
		{"member", "ada@example.com", customer{IsGuest: false, Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", FullName: "Ada Lovelace"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.in(t)
			if c.email != "" {
				s.signIn(c.email)
			}
			s.buy("COF-250")
			// The gate has asked, and a cart that names no buyer yet leaves the wallets free.
			s.shop.until(`document.documentElement.dataset.idgate === "open"`)
			s.shop.do(chromedp.Evaluate[chromedp.Void](string(bundle)))
			got := value[loaded](s.shop, loadCheckout)
			if got.Customer.ID == 0 != c.want.IsGuest {
				t.Errorf("customer %+v", got.Customer)
			}
			got.Customer.ID = c.want.ID
			if got.First != "undefined" || got.Customer != c.want || got.CustomFields != "undefined" || got.Addresses != "array" || !got.SameCart {
				t.Errorf("the SDK reads %+v", got)
			}
		})
	}
}

// customer is what the SDK says of who is buying.
type customer struct {
	ID                                   int64
	IsGuest                              bool
	Email, FirstName, LastName, FullName string
}

type loaded struct {
	First        string // what the first call of a subscriber gets
	Customer     customer
	CustomFields string
	Addresses    string
	SameCart     bool
}

const loadCheckout = `(async () => {
	const service = (await checkoutKitLoader.load("checkout-sdk")).createCheckoutService();
	const seen = [];
	service.subscribe(state => seen.push(state.data.getCustomer()));
	const id = document.getElementById("checkout-app").dataset.checkoutId;
	const { data } = await service.loadCheckout(id);
	const c = data.getCustomer();
	return {
		First: typeof seen[0], Customer: { ID: c.id, IsGuest: c.isGuest, Email: c.email, FirstName: c.firstName, LastName: c.lastName, FullName: c.fullName },
		CustomFields: typeof c.custom_fields, Addresses: Array.isArray(c.addresses) ? "array" : typeof c.addresses, SameCart: data.getCheckout().id === id,
	};
})()`
