package sim

import (
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
)

type ordersView struct {
	Orders []Order
	Status string
}

func (p *panel) orders(c *panelCall) error {
	v := ordersView{Orders: c.shop.Orders(), Status: c.r.Form.Get("status_id")}
	if v.Status != "" {
		v.Orders = slices.DeleteFunc(v.Orders, func(o Order) bool { return strconv.Itoa(o.StatusID) != v.Status })
	}
	slices.Reverse(v.Orders)
	return c.render("orders", "Orders", v)
}

type orderView struct {
	Order      *Order
	Customer   *Customer
	Metafields []Metafield
}

func (p *panel) order(c *panelCall) error {
	id, err := c.number("order")
	if err != nil {
		return ErrNotFound
	}
	o, err := c.shop.Order(id)
	if err != nil {
		return err
	}
	v := orderView{Order: &o, Metafields: c.shop.Metafields("order", id)}
	if cu, err := c.shop.Customer(o.CustomerID); err == nil {
		v.Customer = &cu
	}
	return c.render("order", fmt.Sprintf("Order %d", id), v)
}

func (p *panel) setStatus(c *panelCall) error {
	id, err := c.number("order")
	if err != nil {
		return err
	}
	status, err := c.number("status_id")
	if err != nil {
		return err
	}
	if err := c.shop.SetOrderStatus(id, int(status), c.staff()); err != nil {
		return err
	}
	return c.done(fmt.Sprintf("/manage/orders/%d", id), "Status set to "+StatusName(int(status))+".")
}

func (p *panel) saveNotes(c *panelCall) error {
	id, err := c.number("order")
	if err != nil {
		return err
	}
	if err := c.shop.setStaffNotes(id, strings.ReplaceAll(c.r.Form.Get("staff_notes"), "\r\n", "\n"), c.staff()); err != nil {
		return err
	}
	return c.done(fmt.Sprintf("/manage/orders/%d", id), "Staff notes saved.")
}

type newOrderView struct {
	Customers []Customer
	Products  []Product
}

func (p *panel) newOrder(c *panelCall) error {
	return c.render("order_new", "Place order by API", newOrderView{c.shop.Customers(), c.shop.Products()})
}

// placeOrder is what another app with the orders scope could do: no cart, no page, no script.
func (p *panel) placeOrder(c *panelCall) error {
	a := APIOrder{}
	var err error
	if a.CustomerID, err = c.number("customer_id"); err != nil {
		return err
	}
	products := c.r.Form["product_id"]
	quantities := c.r.Form["quantity"]
	for i, raw := range products {
		item := APIItem{Quantity: 1}
		if item.ProductID, err = strconv.ParseInt(raw, 10, 64); err != nil {
			return fmt.Errorf("product_id: %q is not a number", raw)
		}
		if i < len(quantities) && quantities[i] != "" {
			if item.Quantity, err = strconv.Atoi(quantities[i]); err != nil {
				return fmt.Errorf("quantity: %q is not a number", quantities[i])
			}
		}
		a.Items = append(a.Items, item)
	}
	if a.Billing, err = c.billing(a.CustomerID); err != nil {
		return err
	}
	if raw := c.r.Form.Get("status_id"); raw != "" {
		status, err := strconv.Atoi(raw)
		if err != nil {
			return fmt.Errorf("status_id: %q is not a number", raw)
		}
		a.StatusID = &status
	}
	o, err := c.shop.PlaceOrderByAPI(a)
	if err != nil {
		return err
	}
	return c.done(fmt.Sprintf("/manage/orders/%d", o.ID), fmt.Sprintf("Order %d was placed by API, round the checkout.", o.ID))
}

// billing is the form's name and e-mail over the chosen customer's own address.
func (c *panelCall) billing(customerID int64) (Address, error) {
	a := Address{
		Street1: "5 Tower Road", City: "Denver", State: "Colorado", StateCode: "CO", Zip: "80202", Country: "United States", CountryCode: "US", Phone: "13035550123",
	}
	if cu, err := c.shop.Customer(customerID); err == nil {
		a = BillingOf(cu)
	}
	for name, to := range map[string]*string{"first_name": &a.FirstName, "last_name": &a.LastName, "email": &a.Email} {
		if v := strings.TrimSpace(c.r.Form.Get(name)); v != "" {
			*to = v
		}
	}
	if a.FirstName == "" || a.LastName == "" {
		return a, fmt.Errorf("the billing name is missing")
	}
	if _, err := mail.ParseAddress(a.Email); err != nil {
		return a, fmt.Errorf("email: %q is not an address", a.Email)
	}
	return a, nil
}
