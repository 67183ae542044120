package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The order statuses of the platform.
const (
	StatusIncomplete          = 0
	StatusPending             = 1
	StatusShipped             = 2
	StatusPartiallyShipped    = 3
	StatusRefunded            = 4
	StatusCancelled           = 5
	StatusDeclined            = 6
	StatusAwaitingPayment     = 7
	StatusAwaitingPickup      = 8
	StatusAwaitingShipment    = 9
	StatusCompleted           = 10
	StatusAwaitingFulfillment = 11
	StatusManualVerification  = 12
	StatusDisputed            = 13
	StatusPartiallyRefunded   = 14
)

var statusNames = [...]string{
	"Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
	"Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required", "Disputed", "Partially Refunded",
}

// StatusName is an order status's name; empty for a number that is no status.
func StatusName(id int) string {
	if id < 0 || id >= len(statusNames) {
		return ""
	}
	return statusNames[id]
}

// Order is a v2 order.
type Order struct {
	ID            int64
	CustomerID    int64  // 0: guest
	CartID        string // empty: not made from a cart
	ChannelID     int64
	StatusID      int
	Items         []OrderItem
	Billing       Address
	Shipping      []Address // empty when digital
	ShippingName  string
	ShippingCost  Money
	StoreCredit   Money  // part of the total paid with it
	Currency      string // what the shopper pays in
	ExchangeRate  string // shop's currency to Currency, as a decimal; "1.0000000000" for the same
	PaymentMethod string
	PaymentStatus string // authorized | captured | paid | …; empty: not paid
	Source        string // www | manual | external | checkout_api | …
	External      string // external_source: who sent an order of source external
	ExternalID    string // its number there
	StaffNotes    string
	Message       string
	IP            string
	Deleted       bool
	History       []StatusChange
	Created       time.Time
	Modified      time.Time
}

// OrderItem is a line of an order.
type OrderItem struct {
	ID        int64
	ProductID int64 // 0: a custom item
	Name      string
	SKU       string
	Quantity  int
	Price     Money
	Digital   bool
}

// StatusChange is a line of an order's status history.
type StatusChange struct {
	At       time.Time
	From, To int
	Actor    string // shopper, API client, or a staff user's name
}

// Subtotal is the items' price.
func (o *Order) Subtotal() Money {
	var m Money
	for _, it := range o.Items {
		m += it.Price.Times(it.Quantity)
	}
	return m
}

// Total is what the shopper pays; prices include tax.
func (o *Order) Total() Money { return o.Subtotal() + o.ShippingCost }

// Digital tells whether nothing ships.
func (o *Order) Digital() bool {
	return len(o.Items) > 0 && !slices.ContainsFunc(o.Items, func(it OrderItem) bool { return !it.Digital })
}

// Pieces counts the items.
func (o *Order) Pieces() int {
	n := 0
	for _, it := range o.Items {
		n += it.Quantity
	}
	return n
}

// Status is the name of the order's status.
func (o *Order) Status() string { return StatusName(o.StatusID) }

func (o *Order) clone() Order {
	out := *o
	out.Items, out.Shipping, out.History = slices.Clone(o.Items), slices.Clone(o.Shipping), slices.Clone(o.History)
	return out
}

// Orders lists the orders, the oldest first.
func (s *Shop) Orders() []Order {
	return locked(s, func() []Order {
		out := make([]Order, len(s.orders.all))
		for i, o := range s.orders.all {
			out[i] = o.clone()
		}
		return out
	})
}

// Order finds an order; the error wraps ErrNotFound.
func (s *Shop) Order(id int64) (Order, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return Order{}, fmt.Errorf("order %d: %w", id, ErrNotFound)
	}
	return o.clone(), nil
}

// PlaceOptions tell how a cart is bought.
type PlaceOptions struct {
	Source          string // default www
	PaymentMethod   string // default Test Payment Provider
	StatusID        *int   // where the order ends; nil: 11, or 10 when digital, or 7 when authorised only
	AuthorizeOnly   bool   // the money is reserved, not taken; CapturePayment takes it
	LeaveIncomplete bool   // stop at status 0, as when the payment is not finished
	IP              string
}

// PlaceOrder converts a cart: the order is made Incomplete, then moves to its status, and
// store/order/created, store/cart/converted and store/order/statusUpdated fire in that order.
// A cart is bought once; the second try wraps ErrConverted.
func (s *Shop) PlaceOrder(cartID string, p PlaceOptions) (Order, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c, ok := s.carts[cartID]
	switch {
	case !ok:
		return Order{}, fmt.Errorf("cart %s: %w", cartID, ErrNotFound)
	case c.OrderID != 0:
		return Order{}, fmt.Errorf("cart %s: %w", cartID, ErrConverted)
	case len(c.Items) == 0:
		return Order{}, errors.New("placing order: the cart is empty")
	case c.Billing == nil:
		return Order{}, errors.New("placing order: the checkout has no billing address")
	case !c.Digital() && (len(c.Consignments) == 0 || c.Consignments[0].Option == nil):
		return Order{}, errors.New("placing order: the checkout has no shipping option")
	}
	o := &Order{
		CustomerID: c.CustomerID, CartID: c.ID, ChannelID: c.ChannelID, Billing: *c.Billing, Currency: c.Currency,
		ShippingCost: c.Shipping(), Message: c.Message, Source: p.Source, PaymentMethod: p.PaymentMethod, IP: p.IP,
	}
	for _, it := range c.Items {
		o.Items = append(o.Items, OrderItem{ProductID: it.ProductID, Name: it.Name, SKU: it.SKU, Quantity: it.Quantity, Price: it.Price, Digital: it.Digital})
	}
	for _, cs := range c.Consignments {
		o.Shipping = append(o.Shipping, cs.Address)
		if cs.Option != nil {
			o.ShippingName = cs.Option.Description
		}
	}
	s.addOrder(o, StatusIncomplete, s.w.now())
	c.OrderID = o.ID
	s.emit("store/cart/converted", map[string]any{"type": "cart", "id": c.ID, "orderId": o.ID})
	if !p.LeaveIncomplete {
		if p.AuthorizeOnly {
			o.PaymentStatus = "authorized"
		}
		s.setStatus(o, finalStatus(o, p.StatusID), "checkout")
	}
	return o.clone(), nil
}

// finalStatus is where an order goes once its checkout is done.
func finalStatus(o *Order, wish *int) int {
	switch {
	case wish != nil:
		return *wish
	case o.PaymentStatus == "authorized":
		return StatusAwaitingPayment
	case o.Digital():
		return StatusCompleted
	}
	return StatusAwaitingFulfillment
}

// addOrder numbers an order, gives it its first status and fires store/order/created.
func (s *Shop) addOrder(o *Order, status int, at time.Time) {
	o.ID = s.w.id("order:"+s.Hash, 100)
	s.numberItems(o)
	for i := range o.Shipping {
		o.Shipping[i].ID = s.w.id("order_address:"+s.Hash, 0)
	}
	def := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	def(&o.Source, "www")
	def(&o.PaymentMethod, "Test Payment Provider")
	def(&o.Currency, s.Currency)
	def(&o.ExchangeRate, "1.0000000000")
	if o.ChannelID == 0 {
		o.ChannelID = s.channels[0].ID
	}
	o.StatusID, o.Created, o.Modified = status, at, at
	o.History = []StatusChange{{At: at, From: status, To: status, Actor: "created"}}
	if o.PaymentStatus == "" && paid(status) {
		o.PaymentStatus = "captured"
	}
	s.orders.add(o)
	s.emit("store/order/created", map[string]any{"type": "order", "id": o.ID})
}

func (s *Shop) numberItems(o *Order) {
	for i := range o.Items {
		o.Items[i].ID = s.w.id("order_product:"+s.Hash, 0)
	}
}

func paid(status int) bool {
	switch status {
	case StatusShipped, StatusPartiallyShipped, StatusAwaitingPickup, StatusAwaitingShipment, StatusCompleted, StatusAwaitingFulfillment:
		return true
	}
	return false
}

// setStatus is a write of an order's status by somebody.
func (s *Shop) setStatus(o *Order, to int, actor string) {
	s.wrote(o, OrderWrite{Actor: actor, Field: FieldStatus, From: strconv.Itoa(o.StatusID), To: strconv.Itoa(to)})
	s.moveOrder(o, to, actor)
}

// moveOrder changes a status and fires store/order/statusUpdated, if it is another one, and
// store/order/updated.
func (s *Shop) moveOrder(o *Order, to int, actor string) {
	from, at := o.StatusID, s.w.now()
	if from != to {
		o.StatusID = to
		o.History = append(o.History, StatusChange{At: at, From: from, To: to, Actor: actor})
		if o.PaymentStatus == "" && paid(to) {
			o.PaymentStatus = "captured"
		}
		s.emit("store/order/statusUpdated", map[string]any{
			"type": "order", "id": o.ID,
			"status": map[string]any{"previous_status_id": from, "new_status_id": to},
		})
	}
	s.orderUpdated(o)
}

// orderUpdated notes that an order was changed just now, and fires store/order/updated.
func (s *Shop) orderUpdated(o *Order) {
	s.orders.touch(o, s.w.now())
	s.emit("store/order/updated", map[string]any{"type": "order", "id": o.ID})
}

// SetOrderStatus moves an order by hand; actor is who the history names. The move to the status
// it already has fires store/order/updated only.
func (s *Shop) SetOrderStatus(id int64, status int, actor string) error {
	if StatusName(status) == "" {
		return fmt.Errorf("status %d: %w", status, ErrNotFound)
	}
	return s.editOrder(id, func(o *Order) error {
		s.setStatus(o, status, actor)
		return nil
	})
}

// SetStaffNotes replaces an order's staff notes.
func (s *Shop) SetStaffNotes(id int64, notes string) error {
	return s.setStaffNotes(id, notes, "staff")
}

func (s *Shop) setStaffNotes(id int64, notes, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldStaffNotes, From: o.StaffNotes, To: notes})
		o.StaffNotes = notes
		s.orderUpdated(o)
		return nil
	})
}

// editOrder does f to an order with the lock held; the error wraps ErrNotFound if there is none.
func (s *Shop) editOrder(id int64, f func(*Order) error) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return fmt.Errorf("order %d: %w", id, ErrNotFound)
	}
	return f(o)
}
