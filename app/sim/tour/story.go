package tour

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// What is bought, and by whom.
const (
	cheap = "Coffee beans"
	dear  = "Diver's watch"

	adasMailbox, adasPassword = "ada@example.com", "demo"
)

// member is the shopper with an account.
type member struct {
	browser *browser
	at      *checkout
	gate    *script
	order   int64 // the first
}

func guest(first, last, mailbox string) address {
	return address{FirstName: first, LastName: last, Address1: "9 Quay Street", City: "Austin", StateOrProvince: "Texas", StateOrProvinceCode: "TX",
		CountryCode: "US", PostalCode: "78701", Phone: "15125550199", Email: mailbox}
}

// checkout is step 4.
func (t *tour) checkout(ctx context.Context) error {
	t.ada.browser = t.newBrowser()
	p, err := t.signIn(ctx, t.ada.browser, adasMailbox, adasPassword)
	if err != nil {
		return err
	}
	if err := p.says("Hello, Ada"); err != nil {
		return err
	}
	if t.ada.at, err = t.goToCheckout(ctx, t.ada.browser, cheap, address{}); err != nil {
		return err
	}
	if !t.ada.at.member {
		return differs("the checkout", "a customer who is signed in", "a guest")
	}
	if t.ada.gate, err = t.loadScript(ctx, t.ada.at.page); err != nil {
		return err
	}
	t.say("shopper", "signs in as %s and checks out with %s (%s); the page carries %s, %d bytes, and its sha384 is the one in the tag",
		adasMailbox, t.ada.at.product.name, t.ada.at.product.price, t.ada.gate.file, t.ada.gate.size)
	return nil
}

// verify is step 5.
func (t *tour) verify(ctx context.Context) error {
	gate, cart := t.ada.gate, t.ada.at.cart
	a, err := gate.mustVerify(ctx, cart, true)
	if err != nil {
		return err
	}
	if *a.Requirement != (requirement{IAL: 1, Selfie: false, Age: 18}) {
		return differs("what is required", "IAL 1 and 18 years", fmt.Sprintf("%+v", *a.Requirement))
	}
	t.say("shopper", "pays: the order call waits. “%s”, IAL %d, %d years. Starts, and gets a QR code and a link", a.Texts["title"], a.Requirement.IAL, a.Requirement.Age)
	who := t.ada.at.buyer.name()
	n, err := t.verification(ctx, gate, a.Capability, person{expiredDocument, who})
	switch {
	case err != nil:
		return err
	case n.State != "failed" || n.Decision != "verify" || n.Reason == nil || n.Reason.Code != "expired_document" || !n.Retry:
		return differs("the first try", "failed for expired_document, with leave to try again", fmt.Sprintf("%+v", n))
	}
	t.say("shopper", "the page says, without a reload: “%s %s” Tries again", n.Reason.Text, n.Reason.Next)
	if n, err = t.verification(ctx, gate, a.Capability, person{passes, who}); err != nil {
		return err
	}
	if n.State != "passed" || n.Decision != "allow" {
		return differs("the second try", "passed, allow", fmt.Sprintf("%+v", n))
	}
	if err := gate.mustAllow(ctx, cart, true, a.Capability); err != nil {
		return err
	}
	if t.ada.order, err = t.allowed(ctx, t.ada.at); err != nil {
		return err
	}
	t.say("shopper", "passed, allow: the order call goes through once, order %d, %s", t.ada.order, statusNames[awaitingFulfillment])
	return nil
}

// outcome is step 6.
func (t *tour) outcome(ctx context.Context) error {
	c, token, err := t.customerCarries(ctx, "1", "false")
	if err != nil {
		return err
	}
	d, err := t.orderCarries(ctx, t.ada.order, "allow")
	if err != nil {
		return err
	}
	t.say("merchant", "customer %d carries blockid_ial 1, blockid_liveid_enrolled false, and a blockid_vc_token of %d characters that key %s of the JWKS verifies",
		c.id, len(c.attributes["blockid_vc_token"]), token.keyID)
	t.say("merchant", "order %d carries the decision “%s” under policy version %d, with a receipt that verifies too", t.ada.order, d.Outcome, d.Policy)

	next, gate, err := t.nextCheckout(ctx, cheap)
	if err != nil {
		return err
	}
	if err := gate.mustAllow(ctx, next.cart, true, ""); err != nil {
		return fmt.Errorf("the next order of the same customer: %w", err)
	}
	number, err := t.allowed(ctx, next)
	if err != nil {
		return err
	}
	t.say("shopper", "the next %s: allowed at once, order %d", next.product.name, number)
	return t.stepUp(ctx)
}

func (t *tour) nextCheckout(ctx context.Context, productName string) (*checkout, *script, error) {
	c, err := t.goToCheckout(ctx, t.ada.browser, productName, address{})
	if err != nil {
		return nil, nil, err
	}
	s, err := t.loadScript(ctx, c.page)
	return c, s, err
}

// stepUp is the second half of step 6: what was enough for a cheap order is not for a dear one.
func (t *tour) stepUp(ctx context.Context) error {
	c, gate, err := t.nextCheckout(ctx, dear)
	if err != nil {
		return err
	}
	a, err := gate.mustVerify(ctx, c.cart, true)
	if err != nil {
		return err
	}
	if *a.Requirement != (requirement{IAL: 2, Selfie: true, Age: 18}) {
		return differs("what a dear order requires", "IAL 2 with a selfie, 18 years", fmt.Sprintf("%+v", *a.Requirement))
	}
	t.say("shopper", "the %s (%s) steps up: IAL 2 with a selfie is needed", c.product.name, c.product.price)
	n, err := t.verification(ctx, gate, a.Capability, person{passesWithSelfie, c.buyer.name()})
	if err != nil {
		return err
	}
	if n.State != "passed" || n.Decision != "allow" {
		return differs("verifying with a selfie", "passed, allow", fmt.Sprintf("%+v", n))
	}
	number, err := t.allowed(ctx, c)
	if err != nil {
		return err
	}
	if _, _, err := t.customerCarries(ctx, "2", "true"); err != nil {
		return err
	}
	t.say("shopper", "passed, allow: order %d; the customer now carries blockid_ial 2, blockid_liveid_enrolled true", number)
	return nil
}

// customerCarries waits until Ada's attributes and metafield say a level and whether a selfie was taken, and verifies both receipts.
func (t *tour) customerCarries(ctx context.Context, ial, selfie string) (c panelCustomer, token claims, err error) {
	what := fmt.Sprintf("the customer to carry blockid_ial %s, blockid_liveid_enrolled %s and the receipts of them", ial, selfie)
	_, err = t.until(ctx, what, func(ctx context.Context) (done bool, seen string, err error) {
		if c, err = t.customer(ctx, adasMailbox); err != nil {
			return false, "", err
		}
		for _, name := range wantedAttributes {
			if c.attributes[name] == "" {
				return false, fmt.Sprint(c.attributes), nil
			}
		}
		full := c.metafields["blockid.vc_token"]
		if full == "" || c.attributes["blockid_ial"] != ial || c.attributes["blockid_liveid_enrolled"] != selfie {
			return false, fmt.Sprint(c.attributes, " metafields ", c.metafields), nil
		}
		said, err := t.receipt(ctx, full)
		level := said.IAL != nil && fmt.Sprint(*said.IAL) == ial
		return level && said.kind == "proof+jwt" && said.Subject == t.subject(c) && said.Source == "policy", fmt.Sprintf("%+v", said), err
	})
	if err != nil {
		return c, token, err
	}
	compact := c.attributes["blockid_vc_token"]
	if token, err = t.receipt(ctx, compact); err != nil {
		return c, token, fmt.Errorf("blockid_vc_token: %w", err)
	}
	if len(compact) > 255 || token.kind != "" || token.Subject != t.subject(c) || token.IAL == nil || fmt.Sprint(*token.IAL) != ial || token.Expires == 0 {
		err = differs("blockid_vc_token", "at most 255 characters: IAL "+ial+" of this customer, until some day", fmt.Sprintf("%d: %+v", len(compact), token))
	}
	return c, token, err
}

// subject is how a receipt names a customer.
func (t *tour) subject(c panelCustomer) string { return fmt.Sprintf("%s/%d", t.shop, c.id) }

// roundTheScript is step 7.
func (t *tour) roundTheScript(ctx context.Context) error {
	if err := t.byAPI(ctx); err != nil {
		return fmt.Errorf("an order by API: %w", err)
	}
	if err := t.blocked(ctx); err != nil {
		return fmt.Errorf("with the script blocked: %w", err)
	}
	return nil
}

// byAPI is an order by API: held, explained, and released by its shopper's link.
func (t *tour) byAPI(ctx context.Context) error {
	buyer := guest("Nora", "Quist", "nora@example.net")
	p, err := t.manage(ctx, "orders/new")
	if err != nil {
		return err
	}
	f, err := p.form("that places an order by API", id("place-api-order"))
	if err != nil {
		return err
	}
	if err := f.pick("product_id", cheap); err != nil {
		return err
	}
	if err := f.enter("first_name", buyer.FirstName, "last_name", buyer.LastName, "email", buyer.Email); err != nil {
		return err
	}
	if p, err = f.submit(ctx); err != nil {
		return err
	}
	if err := p.want(http.StatusOK); err != nil {
		return err
	}
	var number int64
	if _, err := fmt.Sscanf(p.url.Path, "/manage/orders/%d", &number); err != nil {
		return differs("placing an order by API", "the order's page", p.url)
	}
	took, err := t.orderBecomes(ctx, number, manualVerification, "idgate: on hold")
	if err != nil {
		return err
	}
	if _, err := t.orderCarries(ctx, number, "hold"); err != nil {
		return err
	}
	t.say("merchant", "places order %d by API, as a guest: on hold after %s, and the staff note says why", number, took)
	link, why, err := t.heldInApp(ctx, number)
	if err != nil {
		return err
	}
	t.say("merchant", "Orders in the app lists it as held: “%s”, with the link for its shopper", why)
	return t.followLink(ctx, number, link, buyer)
}

// heldInApp finds a held order on the app's Orders page: its link, and why it is held.
func (t *tour) heldInApp(ctx context.Context, number int64) (link, why string, err error) {
	path := fmt.Sprintf("/s/%s/orders/%d", t.shop, number)
	_, err = t.until(ctx, fmt.Sprintf("order %d among the held ones, with its link", number), func(ctx context.Context) (bool, string, error) {
		list, err := t.admin(ctx, "/orders?filter=held")
		if err != nil {
			return false, "", err
		}
		if one(list.doc, tag("a"), has("href", path)) == nil {
			return false, clip(text(one(list.doc, id("main")))), nil
		}
		p, err := list.follow(ctx, path)
		if err != nil {
			return false, "", err
		}
		link = value(one(p.doc, id("verify-link")), "value")
		why = text(one(one(p.doc, has("aria-labelledby", "why-title")), tag("li")))
		return link != "" && why != "", clip(p.text()), nil
	})
	return link, why, err
}

// followLink is a shopper who opens the link that they were sent, without JavaScript, and proves who they are.
func (t *tour) followLink(ctx context.Context, number int64, link string, buyer address) error {
	b := t.newBrowser()
	clean := at(t.app, "/v/")
	var p *page
	var err error
	for range 2 { // a mail scanner opens it too; that uses up nothing
		if p, err = b.visit(ctx, visit{url: link}); err != nil {
			return err
		}
		if len(p.hops) != 1 || p.hops[0].status != http.StatusSeeOther || p.url.String() != clean || p.status != http.StatusOK {
			return differs("the link", "303 to "+clean, fmt.Sprintf("%d %v", p.status, p.hops))
		}
	}
	if err := p.says(fmt.Sprintf("order %d", number)); err != nil {
		return err
	}
	if p, err = p.press(ctx, "starting the verification", has("action", "/v/start")); err != nil {
		return err
	}
	qr := one(p.doc, tag("img"))
	capture := ""
	for a := range all(p.doc, tag("a")) {
		if strings.HasPrefix(value(a, "href"), t.kosmos.String()+"/") {
			capture = value(a, "href")
		}
	}
	if capture == "" || !strings.HasPrefix(value(qr, "src"), "data:image/svg+xml") {
		return differs("the page behind the link", "a QR code and a link", clip(p.text()))
	}
	t.say("shopper", "opens the link: a clean address, “%s”, a QR code and a link", text(one(p.doc, tag("h1"))))
	if err := t.onPhone(ctx, capture, person{passes, buyer.name()}); err != nil {
		return fmt.Errorf("on the phone: %w", err)
	}
	if _, err := t.orderBecomes(ctx, number, awaitingFulfillment, "idgate: released, identity proved"); err != nil {
		return err
	}
	if _, err := t.orderCarries(ctx, number, "allow"); err != nil {
		return err
	}
	if p, err = p.follow(ctx, clean); err != nil {
		return err
	}
	if err := p.says("Thank you"); err != nil {
		return err
	}
	t.say("shopper", "the page says “Thank you”; order %d is back in %s", number, statusNames[awaitingFulfillment])
	return nil
}

// blocked is the ad-blocker's switch: the page has no script, so nothing asks, and the order gate holds what comes of it.
func (t *tour) blocked(ctx context.Context) error {
	if err := t.blockScript(ctx, true); err != nil {
		return err
	}
	c, err := t.goToCheckout(ctx, t.newBrowser(), cheap, guest("Otto", "Brahe", "otto@example.net"))
	if err != nil {
		return err
	}
	if n := t.scriptOn(c.page); n != nil {
		return differs("the checkout page", "no script", value(n, "src"))
	}
	number, err := t.placed(ctx, c)
	if err != nil {
		return err
	}
	took, err := t.orderBecomes(ctx, number, manualVerification, "idgate: on hold")
	if err != nil {
		return err
	}
	if err := t.blockScript(ctx, false); err != nil {
		return err
	}
	if _, _, err := t.heldInApp(ctx, number); err != nil {
		return err
	}
	t.held = append(t.held, number)
	t.say("shopper", "with the script blocked a guest orders unasked: order %d is on hold after %s", number, took)
	return nil
}
