package sim

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// APIOrder is an order that no cart and no page stands behind. Its prices are the catalogue's
// numbers in its own currency: nothing is converted.
type APIOrder struct {
	CustomerID     int64 // 0: guest
	Billing        Address
	Shipping       *Address // nil: the billing address, unless digital
	Items          []APIItem
	StatusID       *int   // nil: 11, or 10 when digital, or 7 when authorised only
	AuthorizeOnly  bool   // the money is reserved, not taken; CapturePayment takes it
	PaymentMethod  string // default Manual
	Source         string // manual, external, checkout_api, amazon, ebay, facebookshop, …; default external
	ExternalSource string // who sent an order of source external; default another-app
	ExternalID     string // its number at the marketplace
	Currency       string // default the shop's
	ExchangeRate   string // the shop's currency to Currency: "0.9000000000"
	ChannelID      int64  // default the default channel
	IP             string
	At             time.Time // when it is made; the zero time is now
}

// APIItem is a product and how many of it.
type APIItem struct {
	ProductID int64
	Quantity  int
	Price     Money // of one; 0: the catalogue's
}

// PlaceOrderByAPI makes an order as another app with the orders scope, the merchant's staff or a
// marketplace would: no checkout page, no script, and its status from the start, so that only
// store/order/created fires.
func (s *Shop) PlaceOrderByAPI(a APIOrder) (Order, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	o := &Order{
		CustomerID: a.CustomerID, ChannelID: a.ChannelID, Billing: a.Billing, Currency: a.Currency, ExchangeRate: a.ExchangeRate,
		Source: cmp.Or(a.Source, "external"), External: a.ExternalSource, ExternalID: a.ExternalID, PaymentMethod: cmp.Or(a.PaymentMethod, "Manual"), IP: a.IP,
	}
	if o.Source == "external" {
		o.External = cmp.Or(o.External, "another-app")
	}
	if a.AuthorizeOnly {
		o.PaymentStatus = "authorized"
	}
	if a.CustomerID != 0 && s.customer(a.CustomerID) == nil {
		return Order{}, fmt.Errorf("customer %d: %w", a.CustomerID, ErrNotFound)
	}
	var err error
	if o.Items, err = s.orderItems(a.Items); err != nil {
		return Order{}, err
	}
	if !o.Digital() {
		o.Shipping, o.ShippingName = []Address{a.Billing}, "None"
		if a.Shipping != nil {
			o.Shipping[0] = *a.Shipping
		}
	}
	if a.At.IsZero() {
		a.At = s.w.now()
	}
	to := finalStatus(o, a.StatusID)
	if StatusName(to) == "" {
		return Order{}, fmt.Errorf("status %d: %w", to, ErrNotFound)
	}
	s.addOrder(o, to, a.At)
	return o.clone(), nil
}

// orderItems looks products up and checks quantities; the lines have no numbers yet.
func (s *Shop) orderItems(items []APIItem) ([]OrderItem, error) {
	var out []OrderItem
	for _, it := range items {
		p := s.product(it.ProductID)
		if p == nil {
			return nil, fmt.Errorf("product %d: %w", it.ProductID, ErrNotFound)
		}
		if it.Quantity < 1 || it.Quantity > 100 {
			return nil, fmt.Errorf("quantity %d: want 1 to 100", it.Quantity)
		}
		out = append(out, OrderItem{ProductID: p.ID, Name: p.Name, SKU: p.SKU, Quantity: it.Quantity, Price: cmp.Or(it.Price, p.Price), Digital: p.Digital})
	}
	if len(out) == 0 {
		return nil, errors.New("placing order: no products")
	}
	return out, nil
}

// RenewOrder places a customer's order again as a subscription app does for its next term: the same
// account, addresses, items and prices, paid, from no cart.
func (s *Shop) RenewOrder(id int64) (Order, error) {
	o, err := s.Order(id)
	if err != nil {
		return Order{}, err
	}
	if o.CustomerID == 0 {
		return Order{}, fmt.Errorf("renewing order %d: a guest has no subscription", id)
	}
	a := APIOrder{
		CustomerID: o.CustomerID, Billing: o.Billing, ExternalSource: "subscriptions", PaymentMethod: o.PaymentMethod,
		Currency: o.Currency, ExchangeRate: o.ExchangeRate, ChannelID: o.ChannelID,
	}
	if len(o.Shipping) > 0 {
		a.Shipping = &o.Shipping[0]
	}
	for _, it := range o.Items {
		a.Items = append(a.Items, APIItem{ProductID: it.ProductID, Quantity: it.Quantity, Price: it.Price})
	}
	return s.PlaceOrderByAPI(a)
}
