package tour

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// person is how somebody fares at the simulated 1Kosmos, and the name on their document.
type person struct{ choice, name string }

const (
	passes           = "passes"
	passesWithSelfie = "passes-with-selfie"
	expiredDocument  = "expired-document"
	declines         = "declines"
)

// onPhone opens a verification's link on a phone, and chooses who holds it.
func (t *tour) onPhone(ctx context.Context, link string, who person) error {
	if !strings.HasPrefix(link, t.kosmos.String()+"/") {
		return differs("the verification's link", "one to "+t.kosmos.String(), link)
	}
	phone := t.newBrowser() // each shopper has their own
	p, err := phone.open(ctx, link)
	if err != nil {
		return err
	}
	f, err := p.form("that asks who holds the phone", has("name", "person"))
	if err != nil {
		return err
	}
	fields := []string{"person", who.choice}
	if who.choice == declines {
		fields = []string{"answer", "decline"}
	}
	if f.values.Has("name") {
		fields = append(fields, "name", who.name)
	}
	if err := f.enter(fields...); err != nil {
		return err
	}
	label := "I do not agree"
	if n := one(f.node, has("value", who.choice)); n != nil {
		label = text(one(n.Parent, tag("strong")))
	}
	if p, err = f.submit(ctx); err != nil {
		return err
	}
	if err := p.want(http.StatusOK); err != nil {
		return err
	}
	t.say("phone", "%s: “%s”. The page says “%s”", who.name, label, text(one(p.doc, tag("h1"))))
	return nil
}

// address is an address as the storefront has it.
type address struct {
	FirstName           string `json:"firstName,omitempty"`
	LastName            string `json:"lastName,omitempty"`
	Address1            string `json:"address1,omitempty"`
	City                string `json:"city,omitempty"`
	StateOrProvince     string `json:"stateOrProvince,omitempty"`
	StateOrProvinceCode string `json:"stateOrProvinceCode,omitempty"`
	CountryCode         string `json:"countryCode,omitempty"`
	PostalCode          string `json:"postalCode,omitempty"`
	Phone               string `json:"phone,omitempty"`
	Email               string `json:"email,omitempty"`
}

func (a address) name() string { return a.FirstName + " " + a.LastName }

// checkoutData is a checkout as the storefront's own page reads it.
type checkoutData struct {
	ID   string `json:"id"`
	Cart struct {
		LineItems struct {
			PhysicalItems []struct {
				ID       string `json:"id"`
				Quantity int    `json:"quantity"`
			} `json:"physicalItems"`
		} `json:"lineItems"`
	} `json:"cart"`
	Customer struct {
		ID        int64     `json:"id"`
		Email     string    `json:"email"`
		IsGuest   bool      `json:"isGuest"`
		Addresses []address `json:"addresses"`
	} `json:"customer"`
	BillingAddress *struct {
		ID string `json:"id"`
	} `json:"billingAddress"`
	Consignments []struct {
		ID                       string `json:"id"`
		AvailableShippingOptions []struct {
			ID string `json:"id"`
		} `json:"availableShippingOptions"`
	} `json:"consignments"`
}

const checkoutIncludes = "?include=customer,consignments.availableShippingOptions"

// signIn signs a shopper in by the shop's own page.
func (t *tour) signIn(ctx context.Context, b *browser, email, password string) (*page, error) {
	p, err := b.open(ctx, at(t.store, "/login.php"))
	if err != nil {
		return nil, err
	}
	return p.press(ctx, "signing in", id("login-submit"), "login_email", email, "login_pass", password)
}

// product is what a shop's page shows of one.
type product struct {
	id    int64
	name  string
	price string
}

func (t *tour) product(ctx context.Context, b *browser, name string) (product, error) {
	p, err := b.open(ctx, at(t.store, "/"))
	if err != nil {
		return product{}, err
	}
	for card := range all(p.doc, tag("article")) {
		title := text(one(card, has("class", "card-title")))
		if !strings.Contains(title, name) {
			continue
		}
		n, err := strconv.ParseInt(value(card, "data-product"), 10, 64)
		return product{n, title, text(one(card, has("class", "card-price")))}, err
	}
	return product{}, differs("the shop", "a product "+name, clip(p.text()))
}

// checkout is a shopper at the last step: everything is entered, and only the order call is missing.
type checkout struct {
	page    *page
	cart    string
	product product
	buyer   address
	member  bool
}

// goToCheckout puts one piece of a product in the cart and enters what the checkout asks, by the requests that its page makes.
// buyer is for guests; a member's own address is used.
func (t *tour) goToCheckout(ctx context.Context, b *browser, productName string, buyer address) (*checkout, error) {
	what, err := t.product(ctx, b, productName)
	if err != nil {
		return nil, err
	}
	shop, err := b.open(ctx, at(t.store, fmt.Sprintf("/products/%d", what.id)))
	if err != nil {
		return nil, err
	}
	var cart struct{ ID string }
	lines := map[string]any{"lineItems": []any{map[string]any{"productId": what.id, "quantity": 1}}}
	if _, err := b.call(ctx, shop, http.MethodPost, "/api/storefront/carts", lines, &cart); err != nil {
		return nil, err
	}
	p, err := b.open(ctx, at(t.store, "/checkout"))
	if err != nil {
		return nil, err
	}
	if root := one(p.doc, id("checkout-app")); value(root, "data-checkout-id") != cart.ID {
		return nil, differs("the checkout page", "the checkout of cart "+cart.ID, value(root, "data-checkout-id"))
	}
	c := &checkout{page: p, cart: cart.ID, product: what, buyer: buyer}
	return c, c.fill(ctx)
}

// fill enters the shopper's steps: who, where to, how, and who pays.
func (c *checkout) fill(ctx context.Context) error {
	b, base := c.page.browser, "/api/storefront/checkouts/"+c.cart
	var d checkoutData
	if _, err := b.call(ctx, c.page, http.MethodGet, "/api/storefront/checkout/"+c.cart+checkoutIncludes, nil, &d); err != nil {
		return err
	}
	if c.member = !d.Customer.IsGuest; c.member {
		if len(d.Customer.Addresses) == 0 {
			return differs("the account "+d.Customer.Email, "an address", "none")
		}
		c.buyer = d.Customer.Addresses[0]
		c.buyer.Email = d.Customer.Email
	} else if _, err := b.call(ctx, c.page, http.MethodPost, base+"/billing-address", address{Email: c.buyer.Email}, &d); err != nil {
		return err
	}
	var lines []map[string]any
	for _, i := range d.Cart.LineItems.PhysicalItems {
		lines = append(lines, map[string]any{"itemId": i.ID, "quantity": i.Quantity})
	}
	shipment := []any{map[string]any{"address": c.buyer, "lineItems": lines}}
	if _, err := b.call(ctx, c.page, http.MethodPost, base+"/consignments"+checkoutIncludes, shipment, &d); err != nil {
		return err
	}
	if len(d.Consignments) != 1 || len(d.Consignments[0].AvailableShippingOptions) == 0 {
		return differs("shipping", "one consignment with options", fmt.Sprintf("%+v", d.Consignments))
	}
	k := d.Consignments[0]
	option := map[string]string{"shippingOptionId": k.AvailableShippingOptions[0].ID}
	if _, err := b.call(ctx, c.page, http.MethodPut, base+"/consignments/"+k.ID+checkoutIncludes, option, &d); err != nil {
		return err
	}
	if d.BillingAddress != nil {
		_, err := b.call(ctx, c.page, http.MethodPut, base+"/billing-address/"+d.BillingAddress.ID, c.buyer, nil)
		return err
	}
	_, err := b.call(ctx, c.page, http.MethodPost, base+"/billing-address", c.buyer, nil)
	return err
}

// order makes the order call and finishes the payment, as the page does when nothing holds it. It returns the order's number.
func (c *checkout) order(ctx context.Context) (int64, error) {
	b := c.page.browser
	var placed struct {
		Data struct {
			Order struct {
				OrderID int64 `json:"orderId"`
			} `json:"order"`
		} `json:"data"`
	}
	if _, err := b.call(ctx, c.page, http.MethodPost, "/internalapi/v1/checkout/order", c.orderCall(), &placed); err != nil {
		return 0, err
	}
	n := placed.Data.Order.OrderID
	if n == 0 {
		return 0, differs("the order call", "an order's number", placed)
	}
	_, err := b.call(ctx, c.page, http.MethodPost, fmt.Sprintf("/internalapi/v1/checkout/order/%d", n), nil, nil)
	return n, err
}

func (c *checkout) orderCall() map[string]any {
	return map[string]any{"cartId": c.cart, "customerMessage": "", "payment": map[string]any{"name": "testgateway", "gateway": nil, "paymentData": map[string]any{}}}
}

// orderAgain repeats the order call and expects that the shop has no such cart any more.
func (c *checkout) orderAgain(ctx context.Context) error {
	status, err := c.page.browser.call(ctx, c.page, http.MethodPost, "/internalapi/v1/checkout/order", c.orderCall(), nil)
	if status == http.StatusNotFound {
		return nil
	}
	if err == nil {
		err = differs("the order call again", http.StatusNotFound, status)
	}
	return err
}
