package sim

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// payWay is a way to pay that the shop offers.
type payWay struct {
	ID       string
	Name     string
	Kind     string // the SDK's method: credit-card, offline, paypal, applepay, googlepay
	Type     string // PAYMENT_TYPE_API, PAYMENT_TYPE_HOSTED, PAYMENT_TYPE_OFFLINE
	Cards    []string
	Help     string
	Listed   bool // on the payment step; the others are express wallets only
	StatusID int  // where a paid order ends; 0: the platform's usual status
}

var payWays = []payWay{
	{ID: "testgateway", Name: "Test Payment Provider", Kind: "credit-card", Type: "PAYMENT_TYPE_API", Cards: []string{"VISA", "MC", "AMEX"}, Listed: true},
	{ID: "paypalcommerce", Name: "PayPal", Kind: "paypal", Type: "PAYMENT_TYPE_API", Cards: []string{}, Listed: true},
	{ID: "bankdeposit", Name: "Bank Deposit", Kind: "offline", Type: "PAYMENT_TYPE_OFFLINE", Cards: []string{}, Listed: true,
		Help: "We send you our account number. The order waits until the money has come.", StatusID: StatusAwaitingPayment},
	{ID: "applepay", Name: "Apple Pay", Kind: "applepay", Type: "PAYMENT_TYPE_API", Cards: []string{}},
	{ID: "googlepaybraintree", Name: "Google Pay", Kind: "googlepay", Type: "PAYMENT_TYPE_API", Cards: []string{}},
}

func payWayBy(match func(payWay) bool) (payWay, bool) {
	if i := slices.IndexFunc(payWays, match); i >= 0 {
		return payWays[i], true
	}
	return payWay{}, false
}

// orderRequest is the body of the order call.
type orderRequest struct {
	CartID          string `json:"cartId"`
	CustomerMessage string `json:"customerMessage"`
	Payment         *struct {
		Name    string `json:"name"`
		Gateway string `json:"gateway"`
	} `json:"payment"`
}

// submitOrder is the order call: it makes the order, Incomplete until it is finalised. Sent again for
// a cart whose order is still Incomplete it answers with the same order; for a bought cart it is refused.
func (f *storefront) submitOrder(rw http.ResponseWriter, q *visit) error {
	var body orderRequest
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.checkoutCart(q)
	if err != nil || c.ID != body.CartID {
		return refuse(http.StatusNotFound, "Cart not found", "There is no such cart in this session.")
	}
	if body.Payment == nil {
		return refuse(http.StatusBadRequest, "Payment method missing", "payment.name is required.")
	}
	way, ok := payWayBy(func(w payWay) bool { return w.ID == body.Payment.Name })
	if !ok {
		return refuse(http.StatusBadRequest, "Unknown payment method", "payment.name is none of this shop's methods.")
	}
	if body.CustomerMessage != "" && c.OrderID == 0 {
		if c, err = q.shop.SetCheckoutMessage(c.ID, body.CustomerMessage); err != nil {
			return err
		}
	}
	o, err := f.orderOf(q, c, way)
	if err != nil {
		return err
	}
	if way.Type == "PAYMENT_TYPE_OFFLINE" { // nothing to wait for: the order is complete as it is
		return f.completeAndAnswer(rw, q, o.ID)
	}
	return writeOrderAnswer(rw, o, way)
}

func (f *storefront) orderOf(q *visit, c Cart, way payWay) (Order, error) {
	if c.OrderID != 0 {
		o, err := q.shop.Order(c.OrderID)
		if err == nil && o.StatusID != StatusIncomplete {
			err = fmt.Errorf("cart %s: %w", c.ID, ErrConverted)
		}
		return o, err
	}
	if err := orderable(c); err != nil {
		return Order{}, err
	}
	o, err := q.shop.PlaceOrder(c.ID, PlaceOptions{PaymentMethod: way.Name, LeaveIncomplete: true, IP: remoteIP(q.Request)})
	if errors.Is(err, ErrConverted) { // the same call twice at once: the other one won
		if c, err = q.shop.Cart(c.ID); err != nil {
			return Order{}, err
		}
		return f.orderOf(q, c, way)
	}
	if err != nil {
		return Order{}, err
	}
	f.mu.Lock()
	q.session.orders = append(q.session.orders, o.ID)
	f.mu.Unlock()
	return o, nil
}

// orderable says what a checkout lacks, in the types that the SDK knows.
func orderable(c Cart) error {
	switch {
	case len(c.Items) == 0:
		return refuseAs("empty_cart", http.StatusUnprocessableEntity, "The cart is empty", "There is nothing in this cart.")
	case !c.Digital() && (len(c.Consignments) == 0 || c.Consignments[0].Option == nil):
		return refuseAs("missing_shipping_method", http.StatusBadRequest, "Shipping method missing", "Please choose a shipping method.")
	case !c.Digital() && !c.Consignments[0].Address.whole():
		return refuseAs("invalid_shipping_address", http.StatusBadRequest, "Shipping address incomplete", "Please complete the shipping address.")
	case c.Billing == nil || !c.Billing.whole() || c.Billing.Email == "":
		return refuse(http.StatusBadRequest, "Billing address incomplete", "Please complete the billing address.")
	}
	return nil
}

// finalizeOrder completes an order of this session once its payment is in. A second time changes nothing.
func (f *storefront) finalizeOrder(rw http.ResponseWriter, q *visit) error {
	id, err := f.ownOrderID(q)
	if err != nil {
		return err
	}
	return f.completeAndAnswer(rw, q, id)
}

func (f *storefront) completeAndAnswer(rw http.ResponseWriter, q *visit, id int64) error {
	o, err := f.complete(q.shop, id)
	if err != nil {
		return err
	}
	f.mu.Lock()
	if q.session.cartID == o.CartID {
		q.session.cartID = ""
	}
	f.mu.Unlock()
	return writeOrderAnswer(rw, o, wayOf(o))
}

// wayOf is the way an order was paid; the zero value when it is none of the shop's.
func wayOf(o Order) payWay {
	way, _ := payWayBy(func(w payWay) bool { return w.Name == o.PaymentMethod })
	return way
}

// complete moves an Incomplete order to where its way of paying leads. It looks and writes under
// one lock, so that a late second call cannot undo a status that was set since.
func (f *storefront) complete(s *Shop, id int64) (Order, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return Order{}, fmt.Errorf("order %d: %w", id, ErrNotFound)
	}
	if o.StatusID == StatusIncomplete {
		var wish *int
		if way := wayOf(*o); way.StatusID != 0 {
			wish = &way.StatusID
		}
		s.setStatus(o, finalStatus(o, wish), "checkout")
	}
	return o.clone(), nil
}

// ownOrderID is the path's order number, if this session placed it.
func (f *storefront) ownOrderID(q *visit) (int64, error) {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("order %q: %w", q.PathValue("id"), ErrNotFound)
	}
	if q.session != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		if slices.Contains(q.session.orders, id) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("order %d: %w", id, ErrNotFound)
}

// readOrder answers for the orders of this session, and of the account signed in to it.
func (f *storefront) readOrder(rw http.ResponseWriter, q *visit) error {
	id, err := f.ownOrderID(q)
	if err != nil {
		c, ok := f.signedIn(q)
		id, _ = strconv.ParseInt(q.PathValue("id"), 10, 64)
		if o, failed := q.shop.Order(id); failed != nil || !ok || o.CustomerID != c.ID {
			return err
		}
	}
	o, err := q.shop.Order(id)
	if err != nil {
		return err
	}
	return writeJSON(rw, http.StatusOK, q.orderJSON(o, q.askedFor(false)))
}

// writeOrderAnswer is the internal form of an order that the SDK takes from the order call.
func writeOrderAnswer(rw http.ResponseWriter, o Order, way payWay) error {
	amount := func(m Money) obj { return obj{"amount": m, "integerAmount": minorUnits(o.Currency, m)} }
	step := "PAYMENT_STATUS_FINALIZE"
	if o.StatusID == StatusIncomplete {
		step = "PAYMENT_STATUS_INITIALIZE"
	}
	return writeJSON(rw, http.StatusOK, obj{
		"data": obj{"order": obj{
			"id": o.ID, "orderId": o.ID, "currency": o.Currency, "status": statusJSON(o.StatusID), "isComplete": o.StatusID != StatusIncomplete,
			"token": "", "callbackUrl": "", "customerCanBeCreated": o.CustomerID == 0, "isDownloadable": o.StatusID == StatusCompleted,
			"payment":    obj{"id": way.ID, "status": step, "helpText": way.Help},
			"subtotal":   amount(o.Subtotal()),
			"shipping":   amount(o.ShippingCost),
			"grandTotal": amount(o.Total()),
		}},
		"meta": obj{"deviceFingerprint": ""},
	})
}

// statusJSON is an order status as the storefront spells it.
func statusJSON(id int) string {
	return strings.ToUpper(strings.ReplaceAll(StatusName(id), " ", "_"))
}

func (q *visit) orderJSON(o Order, in includes) obj {
	lines := newLineItems()
	digital := false
	for _, it := range o.Items {
		lines.add(q.catalogueLine(it.ID, it.ProductID, it.Name, it.SKU, it.Quantity, it.Price, it.Digital, in))
		digital = digital || it.Digital
	}
	shipping := []obj{}
	for _, a := range o.Shipping {
		shipping = append(shipping, shipmentJSON(o, a))
	}
	zero := Money(0)
	return obj{
		"orderId": o.ID, "cartId": o.CartID, "currency": currencyOf(o.Currency), "isTaxIncluded": true,
		"baseAmount": o.Subtotal(), "orderAmount": o.Total(), "orderAmountAsInteger": minorUnits(o.Currency, o.Total()),
		"discountAmount": zero, "giftWrappingCostTotal": zero, "handlingCostTotal": zero, "totalDiscount": zero, "displayDiscountTotal": zero,
		"orderBasedAutoDiscountTotal": zero, "manualDiscountTotal": zero, "productAutoDiscountedSubtotal": o.Subtotal(), "productBasedAutoDiscountTotal": zero,
		"shippingCostTotal": o.ShippingCost, "shippingCostBeforeDiscount": o.ShippingCost, "comparisonShippingCost": o.ShippingCost,
		"coupons": []any{}, "fees": []any{}, "lineItems": lines, "customerId": o.CustomerID, "billingAddress": o.Billing.json(), "status": statusJSON(o.StatusID),
		"hasDigitalItems": digital, "isDownloadable": o.StatusID == StatusCompleted || o.StatusID == StatusShipped, "isComplete": o.StatusID != StatusIncomplete,
		"customerMessage": o.Message, "customerCanBeCreated": o.CustomerID == 0, "taxes": []taxJSON{{Name: "Tax"}}, "taxTotal": zero, "channelId": o.ChannelID,
		"consignments": obj{"shipping": shipping},
		"payments":     []obj{{"providerId": cmp.Or(wayOf(o).ID, "custom"), "description": o.PaymentMethod, "amount": o.Total(), "detail": obj{"step": "FINALIZE", "instructions": ""}}},
	}
}

func shipmentJSON(o Order, a Address) obj {
	lines := []obj{}
	pieces := 0
	for _, it := range o.Items {
		if !it.Digital {
			lines = append(lines, obj{"id": it.ID})
			pieces += it.Quantity
		}
	}
	return obj{
		"lineItems": lines, "shippingAddressId": a.ID, "firstName": a.FirstName, "lastName": a.LastName, "company": a.Company,
		"address1": a.Street1, "address2": a.Street2, "city": a.City, "stateOrProvince": a.State, "postalCode": a.Zip,
		"country": a.Country, "countryCode": a.CountryCode, "email": a.Email, "phone": a.Phone, "itemsTotal": pieces, "itemsShipped": 0,
		"shippingMethod": o.ShippingName, "baseCost": o.ShippingCost, "costExTax": o.ShippingCost, "costIncTax": o.ShippingCost, "costTax": 0, "costTaxClassId": 0,
		"shippingCostBeforeDiscount": o.ShippingCost, "comparisonShippingCost": o.ShippingCost, "baseHandlingCost": 0, "handlingCostExTax": 0,
		"handlingCostIncTax": 0, "handlingCostTax": 0, "handlingCostTaxClassId": 0, "shippingZoneId": 1, "shippingZoneName": a.Country,
		"customFields": []any{}, "discounts": []any{},
	}
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
