package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// checkoutRoutes are the storefront's checkout operations. The SDK reads under checkout and writes
// mostly under checkouts; the platform answers both.
func (f *storefront) checkoutRoutes(api func(string, pageFunc)) {
	for _, base := range []string{"/api/storefront/checkout/{cart}", "/api/storefront/checkouts/{cart}"} {
		api("GET "+base, f.readCheckout)
		api("PUT "+base, f.updateCheckout)
		api("POST "+base+"/billing-address", f.saveBilling)
		api("PUT "+base+"/billing-address/{address}", f.saveBilling)
		api("POST "+base+"/consignments", f.createConsignments)
		api("PUT "+base+"/consignments/{consignment}", f.updateConsignment)
		api("DELETE "+base+"/consignments/{consignment}", f.deleteConsignment)
		api("POST "+base+"/coupons", f.refuseCode)
		api("DELETE "+base+"/coupons/{code}", f.readCheckout)
		api("POST "+base+"/gift-certificates", f.refuseCode)
		api("DELETE "+base+"/gift-certificates/{code}", f.readCheckout)
		api("POST "+base+"/store-credit", f.readCheckout)
		api("DELETE "+base+"/store-credit", f.readCheckout)
		api("POST "+base+"/spam-protection", f.readCheckout)
		api("POST "+base+"/event", f.noteEvent)
	}
}

func (f *storefront) writeCheckout(rw http.ResponseWriter, q *visit, c Cart, in includes) error {
	customer, ok := f.signedIn(q)
	return writeJSON(rw, http.StatusOK, q.checkoutJSON(c, q.shop.customerJSON(customer, ok, in), in))
}

// readCheckout also answers the calls for what this shop has none of: nothing changes.
func (f *storefront) readCheckout(rw http.ResponseWriter, q *visit) error {
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	return f.writeCheckout(rw, q, c, q.askedFor(true))
}

func (f *storefront) noteEvent(rw http.ResponseWriter, q *visit) error {
	if _, err := f.namedCart(q); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *storefront) refuseCode(rw http.ResponseWriter, q *visit) error {
	if _, err := f.namedCart(q); err != nil {
		return err
	}
	return refuse(http.StatusNotFound, "This code could not be applied.", "This shop has no coupons and no gift certificates.")
}

func (f *storefront) updateCheckout(rw http.ResponseWriter, q *visit) error {
	var body struct {
		CustomerMessage string `json:"customerMessage"`
		Version         *int   `json:"version"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.editable(q, body.Version)
	if err != nil {
		return err
	}
	if c, err = q.shop.SetCheckoutMessage(c.ID, body.CustomerMessage); err != nil {
		return err
	}
	return f.writeCheckout(rw, q, c, q.askedFor(true))
}

// editable is the named cart, if the caller has seen its latest version and it has something in it.
func (f *storefront) editable(q *visit, version *int) (Cart, error) {
	c, err := f.namedCart(q)
	if err != nil {
		return Cart{}, err
	}
	if len(c.Items) == 0 {
		return Cart{}, refuseAs("empty_cart", http.StatusUnprocessableEntity, "The cart is empty", "There is nothing in this cart.")
	}
	return c, sameVersion(c, version)
}

// addressRequest is an address as the SDK sends it.
type addressRequest struct {
	FirstName           string `json:"firstName"`
	LastName            string `json:"lastName"`
	Company             string `json:"company"`
	Address1            string `json:"address1"`
	Address2            string `json:"address2"`
	City                string `json:"city"`
	StateOrProvince     string `json:"stateOrProvince"`
	StateOrProvinceCode string `json:"stateOrProvinceCode"`
	CountryCode         string `json:"countryCode"`
	PostalCode          string `json:"postalCode"`
	Phone               string `json:"phone"`
	Email               string `json:"email"`
}

// maxField bounds one address line.
const maxField = 255

// address checks a request's address and completes it with the names of its country and state.
func (a addressRequest) address() (Address, error) {
	out := Address{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street1: a.Address1, Street2: a.Address2, City: a.City,
		State: a.StateOrProvince, StateCode: a.StateOrProvinceCode, CountryCode: strings.ToUpper(a.CountryCode), Zip: a.PostalCode,
		Phone: a.Phone, Email: a.Email,
	}
	for _, v := range []*string{&out.FirstName, &out.LastName, &out.Company, &out.Street1, &out.Street2, &out.City, &out.State, &out.StateCode, &out.CountryCode, &out.Zip, &out.Phone, &out.Email} {
		if *v = strings.TrimSpace(*v); len(*v) > maxField {
			return Address{}, refuse(http.StatusUnprocessableEntity, "Missing or invalid data", fmt.Sprintf("An address line is over %d bytes.", maxField))
		}
	}
	if out.CountryCode == "" {
		return out, nil
	}
	country, ok := countryByCode(out.CountryCode)
	if !ok {
		return Address{}, refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "countryCode: this shop does not know "+out.CountryCode+".")
	}
	out.Country = country.Name
	for _, s := range country.Subdivisions {
		if s.Code == out.StateCode || strings.EqualFold(s.Name, out.State) {
			out.State, out.StateCode = s.Name, s.Code
		}
	}
	return out, nil
}

// saveBilling takes a whole billing address, or the e-mail address alone, as a guest's first step sends it.
func (f *storefront) saveBilling(rw http.ResponseWriter, q *visit) error {
	var body struct {
		addressRequest
		Version *int `json:"version"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.editable(q, body.Version)
	if err != nil {
		return err
	}
	if id := q.PathValue("address"); id != "" && id != billingID(c.ID) {
		return fmt.Errorf("billing address %s: %w", id, ErrNotFound)
	}
	address, err := body.address()
	if err != nil {
		return err
	}
	_, member := f.signedIn(q)
	switch {
	case address.whole():
		if c, err = q.shop.SetCheckoutBilling(c.ID, address); err != nil {
			return err
		}
	case address.Email != "" && !member:
		if c, err = q.shop.SetCartEmail(c.ID, address.Email); err != nil {
			return err
		}
	default:
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "The billing address lacks a name, a street, a city, a country or a postal code.")
	}
	return f.writeCheckout(rw, q, c, q.askedFor(false))
}

// consignmentRequest is one shipment: first where to, then how.
type consignmentRequest struct {
	Address          *addressRequest `json:"address"`
	ShippingAddress  *addressRequest `json:"shippingAddress"`
	ShippingOptionID string          `json:"shippingOptionId"`
	Version          *int            `json:"version"`
}

func (f *storefront) createConsignments(rw http.ResponseWriter, q *visit) error {
	var body []consignmentRequest
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	if len(body) != 1 {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "This shop ships an order to one address.")
	}
	c, err := f.editable(q, body[0].Version)
	if err != nil {
		return err
	}
	return f.ship(rw, q, c, body[0])
}

func (f *storefront) updateConsignment(rw http.ResponseWriter, q *visit) error {
	var body consignmentRequest
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.consignmentCart(q, body.Version)
	if err != nil {
		return err
	}
	return f.ship(rw, q, c, body)
}

// consignmentCart is the named cart, if the path's consignment is its own.
func (f *storefront) consignmentCart(q *visit, version *int) (Cart, error) {
	c, err := f.editable(q, version)
	if err != nil {
		return Cart{}, err
	}
	if len(c.Consignments) == 0 || c.Consignments[0].ID != q.PathValue("consignment") {
		return Cart{}, fmt.Errorf("consignment %s: %w", q.PathValue("consignment"), ErrNotFound)
	}
	return c, nil
}

// ship sets the shipment's address, or its option, whichever the request carries. Another address
// keeps the option: this shop's two options go everywhere.
func (f *storefront) ship(rw http.ResponseWriter, q *visit, c Cart, body consignmentRequest) error {
	if c.Digital() {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "Nothing in this cart is shipped.")
	}
	var address Address
	option := body.ShippingOptionID
	if len(c.Consignments) > 0 {
		address = c.Consignments[0].Address
		if o := c.Consignments[0].Option; o != nil && option == "" {
			option = o.ID
		}
	}
	if sent := body.Address; sent != nil || body.ShippingAddress != nil {
		if sent == nil {
			sent = body.ShippingAddress
		}
		var err error
		if address, err = sent.address(); err != nil {
			return err
		}
	}
	if address.CountryCode == "" {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "address.countryCode is required.")
	}
	c, err := q.shop.SetCheckoutShipping(c.ID, address, option)
	if errors.Is(err, ErrNotFound) {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "shippingOptionId: no such option.")
	}
	if err != nil {
		return err
	}
	return f.writeCheckout(rw, q, c, q.askedFor(true))
}

func (f *storefront) deleteConsignment(rw http.ResponseWriter, q *visit) error {
	c, err := f.consignmentCart(q, nil)
	if err != nil {
		return err
	}
	c, err = q.shop.editCart(c.ID, func(c *Cart) error { c.Consignments = nil; return nil })
	if err != nil {
		return err
	}
	return f.writeCheckout(rw, q, c, q.askedFor(true))
}
