package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrConverted is wrapped when a cart that already became an order is used again.
var ErrConverted = errors.New("cart was already converted to an order")

// Cart is a cart and the checkout of the same id.
type Cart struct {
	ID           string // uuid; also the checkout's id
	ChannelID    int64
	CustomerID   int64  // 0: guest
	Email        string // of the account, or typed by the guest
	Currency     string
	Items        []LineItem
	Billing      *Address
	Consignments []Consignment
	Message      string // the shopper's order comment
	OrderID      int64  // 0 until converted
	Version      int    // counts changes
	Created      time.Time
	Updated      time.Time
}

// LineItem is a product in a cart or an order, at the price it was added.
type LineItem struct {
	ID        string // uuid
	ProductID int64
	Name      string
	SKU       string
	Quantity  int
	Price     Money // of one
	Digital   bool
}

// Consignment is what ships to one address.
type Consignment struct {
	ID      string
	Address Address
	ItemIDs []string
	Option  *ShippingOption // nil until chosen
}

// ShippingOption is a priced way to ship.
type ShippingOption struct {
	ID          string
	Description string
	Cost        Money
}

// Subtotal is the items' price.
func (c *Cart) Subtotal() Money { return sumItems(c.Items) }

// Shipping is the chosen options' cost.
func (c *Cart) Shipping() Money {
	var m Money
	for _, cs := range c.Consignments {
		if cs.Option != nil {
			m += cs.Option.Cost
		}
	}
	return m
}

// Total is what the shopper pays; prices include tax.
func (c *Cart) Total() Money { return c.Subtotal() + c.Shipping() }

// Digital tells whether nothing in the cart ships.
func (c *Cart) Digital() bool { return allDigital(c.Items) }

func sumItems(items []LineItem) Money {
	var m Money
	for _, it := range items {
		m += it.Price.Times(it.Quantity)
	}
	return m
}

func allDigital(items []LineItem) bool {
	return len(items) > 0 && !slices.ContainsFunc(items, func(it LineItem) bool { return !it.Digital })
}

func (c *Cart) clone() Cart {
	out := *c
	out.Items = slices.Clone(c.Items)
	if c.Billing != nil {
		b := *c.Billing
		out.Billing = &b
	}
	out.Consignments = slices.Clone(c.Consignments)
	for i, cs := range out.Consignments {
		out.Consignments[i].ItemIDs = slices.Clone(cs.ItemIDs)
		if cs.Option != nil {
			o := *cs.Option
			out.Consignments[i].Option = &o
		}
	}
	return out
}

// ShippingOptions are the ways to ship anything physical.
func (s *Shop) ShippingOptions() []ShippingOption {
	return []ShippingOption{
		{ID: "flat-5", Description: "Flat rate", Cost: Cents(500)},
		{ID: "express-15", Description: "Express", Cost: Cents(1500)},
	}
}

// NewCart opens an empty cart; customerID 0 is a guest.
func (s *Shop) NewCart(channelID, customerID int64) Cart {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c := &Cart{ID: s.w.uuid(), ChannelID: channelID, Currency: s.Currency, Version: 1, Created: s.w.now()}
	c.Updated = c.Created
	if cu := s.customer(customerID); cu != nil {
		c.CustomerID, c.Email = cu.ID, cu.Email
	}
	s.carts[c.ID] = c
	s.emit("store/cart/created", map[string]any{"type": "cart", "id": c.ID})
	return c.clone()
}

// Cart finds a cart; the error wraps ErrNotFound.
func (s *Shop) Cart(id string) (Cart, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c, ok := s.carts[id]
	if !ok {
		return Cart{}, fmt.Errorf("cart %s: %w", id, ErrNotFound)
	}
	return c.clone(), nil
}

// AddToCart puts qty pieces of a product in an open cart, on the line that already has it if there is one.
func (s *Shop) AddToCart(cartID string, productID int64, qty int) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		p := s.product(productID)
		if p == nil {
			return fmt.Errorf("product %d: %w", productID, ErrNotFound)
		}
		if qty < 1 || qty > 100 {
			return fmt.Errorf("quantity %d: want 1 to 100", qty)
		}
		for i := range c.Items {
			if c.Items[i].ProductID == productID {
				c.Items[i].Quantity += qty
				s.emit("store/cart/lineItem/updated", map[string]any{"type": "cart_line_item", "id": c.Items[i].ID, "cartId": c.ID})
				return nil
			}
		}
		it := LineItem{ID: s.w.uuid(), ProductID: p.ID, Name: p.Name, SKU: p.SKU, Quantity: qty, Price: p.Price, Digital: p.Digital}
		c.Items = append(c.Items, it)
		s.emit("store/cart/lineItem/created", map[string]any{"type": "cart_line_item", "id": it.ID, "cartId": c.ID})
		return nil
	})
}

// SetCartQuantity changes a line; 0 removes it.
func (s *Shop) SetCartQuantity(cartID, itemID string, qty int) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		i := slices.IndexFunc(c.Items, func(it LineItem) bool { return it.ID == itemID })
		if i < 0 {
			return fmt.Errorf("line item %s: %w", itemID, ErrNotFound)
		}
		if qty < 0 || qty > 100 {
			return fmt.Errorf("quantity %d: want 0 to 100", qty)
		}
		if qty == 0 {
			c.Items = slices.Delete(c.Items, i, i+1)
			return nil
		}
		c.Items[i].Quantity = qty
		return nil
	})
}

// SetCartCustomer makes the cart a signed-in customer's, or with 0 a guest's again.
func (s *Shop) SetCartCustomer(cartID string, customerID int64) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		if customerID == 0 {
			c.CustomerID, c.Email = 0, ""
			return nil
		}
		cu := s.customer(customerID)
		if cu == nil {
			return fmt.Errorf("customer %d: %w", customerID, ErrNotFound)
		}
		c.CustomerID, c.Email = cu.ID, cu.Email
		return nil
	})
}

// SetCartEmail records what a guest typed on the customer step.
func (s *Shop) SetCartEmail(cartID, email string) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		if !strings.Contains(email, "@") {
			return fmt.Errorf("email %q: want an address", email)
		}
		c.Email = email
		if c.Billing != nil {
			c.Billing.Email = email
		}
		return nil
	})
}

// SetCheckoutBilling records the billing address; an empty e-mail keeps the cart's.
func (s *Shop) SetCheckoutBilling(cartID string, a Address) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		if a.Email == "" {
			a.Email = c.Email
		}
		if c.CustomerID == 0 {
			c.Email = a.Email
		}
		c.Billing = &a
		return nil
	})
}

// SetCheckoutShipping sends the whole cart to one address by one option; an empty option id
// leaves the option to be chosen later.
func (s *Shop) SetCheckoutShipping(cartID string, a Address, optionID string) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error {
		cs := Consignment{ID: s.w.token(24), Address: a}
		if len(c.Consignments) > 0 {
			cs.ID = c.Consignments[0].ID
		}
		for _, it := range c.Items {
			if !it.Digital {
				cs.ItemIDs = append(cs.ItemIDs, it.ID)
			}
		}
		if optionID != "" {
			opts := s.ShippingOptions()
			i := slices.IndexFunc(opts, func(o ShippingOption) bool { return o.ID == optionID })
			if i < 0 {
				return fmt.Errorf("shipping option %q: %w", optionID, ErrNotFound)
			}
			cs.Option = &opts[i]
		}
		c.Consignments = []Consignment{cs}
		return nil
	})
}

// SetCheckoutMessage records the shopper's order comment.
func (s *Shop) SetCheckoutMessage(cartID, message string) (Cart, error) {
	return s.editCart(cartID, func(c *Cart) error { c.Message = message; return nil })
}

// editCart changes an open cart, or nothing at all when f refuses.
func (s *Shop) editCart(cartID string, f func(*Cart) error) (Cart, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c, ok := s.carts[cartID]
	switch {
	case !ok:
		return Cart{}, fmt.Errorf("cart %s: %w", cartID, ErrNotFound)
	case c.OrderID != 0:
		return Cart{}, fmt.Errorf("cart %s: %w", cartID, ErrConverted)
	}
	draft := c.clone()
	if err := f(&draft); err != nil {
		return Cart{}, err
	}
	draft.Version++
	draft.Updated = s.w.now()
	*c = draft
	s.emit("store/cart/updated", map[string]any{"type": "cart", "id": c.ID})
	return c.clone(), nil
}
