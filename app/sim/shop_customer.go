package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrTaken is wrapped when something that must be unique already exists.
var ErrTaken = errors.New("already exists")

// Customers lists the accounts, the oldest first.
func (s *Shop) Customers() []Customer {
	return locked(s, func() []Customer {
		out := make([]Customer, len(s.customers))
		for i, c := range s.customers {
			out[i] = c.clone()
		}
		return out
	})
}

// Customer finds an account; the error wraps ErrNotFound.
func (s *Shop) Customer(id int64) (Customer, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c := s.customer(id)
	if c == nil {
		return Customer{}, fmt.Errorf("customer %d: %w", id, ErrNotFound)
	}
	return c.clone(), nil
}

// SignIn finds the account that an e-mail address and a password open.
func (s *Shop) SignIn(email, password string) (Customer, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c := s.customerByEmail(email)
	if c == nil || c.Password != password {
		return Customer{}, fmt.Errorf("signing in %s: %w", email, ErrNotFound)
	}
	return c.clone(), nil
}

func (c *Customer) clone() Customer {
	out := *c
	out.Addresses = slices.Clone(c.Addresses)
	out.CustomFields = slices.Clone(c.CustomFields)
	return out
}

// Name is the person's whole name.
func (c *Customer) Name() string { return strings.TrimSpace(c.FirstName + " " + c.LastName) }

func (s *Shop) customer(id int64) *Customer {
	return s.byNumber[id]
}

func (s *Shop) customerByEmail(email string) *Customer {
	return find(s.customers, func(c *Customer) bool { return strings.EqualFold(c.Email, email) })
}

// CreateCustomer opens an account and fires store/customer/created. The e-mail address must be
// new; a Created time in the past is kept.
func (s *Shop) CreateCustomer(c Customer) (Customer, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if !strings.Contains(c.Email, "@") {
		return Customer{}, fmt.Errorf("email %q: want an address", c.Email)
	}
	if s.customerByEmail(c.Email) != nil {
		return Customer{}, fmt.Errorf("customer %s: %w", c.Email, ErrTaken)
	}
	c.ID = s.w.id("customer:"+s.Hash, 30)
	if c.Created.IsZero() {
		c.Created = s.w.now()
	}
	c.Modified = c.Created
	if c.GroupID == 0 {
		c.GroupID = s.groups[0].ID
	}
	if c.ChannelID == 0 {
		c.ChannelID = s.channels[0].ID
	}
	c = c.clone()
	for i := range c.Addresses {
		c.Addresses[i].ID = s.w.id("address:"+s.Hash, 400)
	}
	s.customers = append(s.customers, &c)
	s.byNumber[c.ID] = &c
	s.emit("store/customer/created", map[string]any{"type": "customer", "id": c.ID})
	return c.clone(), nil
}

// UpdateCustomer changes an account as the control panel does and fires store/customer/updated.
func (s *Shop) UpdateCustomer(id int64, f func(*Customer)) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c := s.customer(id)
	if c == nil {
		return fmt.Errorf("customer %d: %w", id, ErrNotFound)
	}
	draft := c.clone()
	f(&draft)
	if other := s.customerByEmail(draft.Email); other != nil && other.ID != id {
		return fmt.Errorf("customer %s: %w", draft.Email, ErrTaken)
	}
	draft.ID, draft.Modified = id, s.w.now()
	*c = draft
	s.emit("store/customer/updated", map[string]any{"type": "customer", "id": id})
	return nil
}

// DeleteCustomer erases an account with its attribute values and metafields, and fires
// store/customer/deleted. Its orders stay, as a guest's from then on, and neither their
// date_modified nor an event tells so.
func (s *Shop) DeleteCustomer(id int64) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.customer(id) == nil {
		return fmt.Errorf("customer %d: %w", id, ErrNotFound)
	}
	s.customers = slices.DeleteFunc(s.customers, func(c *Customer) bool { return c.ID == id })
	delete(s.byNumber, id)
	delete(s.attrValues, id)
	delete(s.metafields, resource{"customer", id})
	if !s.keepCustomerInOrders {
		for _, o := range s.orders.all {
			if o.CustomerID == id {
				o.CustomerID = 0
			}
		}
	}
	s.emit("store/customer/deleted", map[string]any{"type": "customer", "id": id})
	return nil
}

// KeepCustomerInOrders makes DeleteCustomer leave the account's number in its orders. What the
// platform does is not documented; a client must cope with both.
func (s *Shop) KeepCustomerInOrders(on bool) { s.set(func() { s.keepCustomerInOrders = on }) }

// CustomerAttributes are one customer's attribute values by attribute name.
func (s *Shop) CustomerAttributes(customerID int64) map[string]string {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out := map[string]string{}
	for _, v := range s.attrValues[customerID] {
		out[s.attributeName(v.AttributeID)] = v.Value
	}
	return out
}

func (s *Shop) attributeName(id int64) string {
	for _, a := range s.attributes {
		if a.ID == id {
			return a.Name
		}
	}
	return ""
}

// Metafields lists a customer's or an order's metafields, whoever wrote them.
func (s *Shop) Metafields(kind string, id int64) []Metafield {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return derefAll(s.metafields[resource{kind, id}])
}
