package sim

import (
	"net/http"
)

// demoShopper is who buys when the toolbar orders a cart that names nobody yet.
var demoShopper = Address{
	FirstName: "Alex", LastName: "Rivers", Street1: "48 Harbor Street", City: "Austin", State: "Texas", StateCode: "TX", Zip: "78701",
	Country: "United States", CountryCode: "US", Phone: "15125550137", Email: "alex.rivers@mail.example",
}

// demoPlaceOrder buys the session's cart round the page's script, as anything can that holds the
// session's cookie or the orders scope. What the checkout still lacks is filled in.
func (f *storefront) demoPlaceOrder(rw http.ResponseWriter, q *visit) error {
	c, err := f.cart(q)
	if err != nil || len(c.Items) == 0 {
		return refuse(http.StatusConflict, "Nothing to order", "Put something in the cart first.")
	}
	buyer := demoShopper
	if account, ok := f.signedIn(q); ok && len(account.Addresses) > 0 {
		buyer = BillingOf(account)
	}
	if c.Email != "" {
		buyer.Email = c.Email
	}
	if c.Billing == nil {
		if c, err = q.shop.SetCheckoutBilling(c.ID, buyer); err != nil {
			return err
		}
	}
	if !c.Digital() && (len(c.Consignments) == 0 || c.Consignments[0].Option == nil) {
		if c, err = q.shop.SetCheckoutShipping(c.ID, *c.Billing, q.shop.ShippingOptions()[0].ID); err != nil {
			return err
		}
	}
	o, err := q.shop.PlaceOrder(c.ID, PlaceOptions{Source: "checkout_api", IP: remoteIP(q.Request)})
	if err != nil {
		return err
	}
	f.mu.Lock()
	q.session.orders = append(q.session.orders, o.ID)
	q.session.cartID = ""
	f.mu.Unlock()
	return writeJSON(rw, http.StatusOK, obj{"order_id": o.ID, "status": o.Status()})
}

// demoBlockScript switches the shop's scripts off and on, as an ad-blocker would.
func (f *storefront) demoBlockScript(rw http.ResponseWriter, q *visit) error {
	var body struct {
		Blocked bool `json:"blocked"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	q.shop.BlockScripts(body.Blocked)
	return writeJSON(rw, http.StatusOK, obj{"blocked": body.Blocked})
}
