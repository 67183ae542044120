package sim

import (
	"fmt"
	"slices"
	"strings"
)

type customersView struct {
	Customers    []Customer
	AcceptFields bool
}

func (p *panel) customers(c *panelCall) error {
	return c.render("customers", "Customers", customersView{c.shop.Customers(), c.shop.AcceptsV2CustomFields()})
}

type customerView struct {
	Customer   Customer
	Attributes []NameValue
	Metafields []Metafield
	Orders     []Order
}

func (p *panel) customer(c *panelCall) error {
	id, err := c.number("id")
	if err != nil {
		return ErrNotFound
	}
	cu, err := c.shop.Customer(id)
	if err != nil {
		return err
	}
	v := customerView{Customer: cu, Metafields: c.shop.Metafields("customer", id)}
	values := c.shop.CustomerAttributes(id)
	for _, name := range sortedKeys(values) {
		v.Attributes = append(v.Attributes, NameValue{name, values[name]})
	}
	for _, o := range slices.Backward(c.shop.Orders()) {
		if o.CustomerID == id {
			v.Orders = append(v.Orders, o)
		}
	}
	return c.render("customer", cu.Name(), v)
}

func (p *panel) createCustomer(c *panelCall) error {
	f := c.r.Form
	cu, err := c.shop.CreateCustomer(Customer{
		FirstName: strings.TrimSpace(f.Get("first_name")), LastName: strings.TrimSpace(f.Get("last_name")),
		Email: strings.TrimSpace(f.Get("email")), Password: DemoPassword,
	})
	if err != nil {
		return err
	}
	return c.done(fmt.Sprintf("/manage/customers/%d", cu.ID), "The account was made. Its password is "+DemoPassword+".")
}

func (p *panel) deleteCustomer(c *panelCall) error {
	id, err := c.number("id")
	if err != nil {
		return err
	}
	if err := c.shop.DeleteCustomer(id); err != nil {
		return err
	}
	return c.done("/manage/customers", fmt.Sprintf("Customer %d was deleted with its attributes and metafields.", id))
}

func (p *panel) switchCustomFields(c *panelCall) error {
	c.shop.AcceptV2CustomFields(c.on())
	if c.on() {
		return c.done("/manage/customers", "PUT /v2/customers now keeps custom_fields.")
	}
	return c.done("/manage/customers", "PUT /v2/customers now refuses custom_fields, as the platform's schema says.")
}

type productsView struct {
	Products   []Product
	Categories map[int64]string
}

func (p *panel) products(c *panelCall) error {
	v := productsView{Products: c.shop.Products(), Categories: map[int64]string{}}
	for _, k := range c.shop.Categories() {
		v.Categories[k.ID] = k.Name
	}
	return c.render("products", "Products", v)
}

type scriptsView struct {
	Scripts  []Script
	Channels map[int64]string
	Consents []string
}

func (p *panel) scripts(c *panelCall) error {
	v := scriptsView{Scripts: c.shop.Scripts(), Channels: map[int64]string{}, Consents: []string{"essential", "functional", "analytics", "targeting"}}
	for _, ch := range c.shop.Channels() {
		v.Channels[ch.ID] = ch.Name
	}
	return c.render("scripts", "Script Manager", v)
}

func (p *panel) deleteScript(c *panelCall) error {
	if err := c.shop.DeleteScript(c.r.PathValue("uuid")); err != nil {
		return err
	}
	return c.done("/manage/scripts", "The script was deleted.")
}

func (p *panel) setConsent(c *panelCall) error {
	category := c.r.Form.Get("category")
	if !slices.Contains([]string{"essential", "functional", "analytics", "targeting"}, category) {
		return fmt.Errorf("consent category %q: %w", category, ErrNotFound)
	}
	if err := c.shop.SetScriptConsent(c.r.PathValue("uuid"), category); err != nil {
		return err
	}
	return c.done("/manage/scripts", "The consent category is now "+category+".")
}

func (p *panel) blockScript(c *panelCall) error {
	c.shop.BlockScripts(c.on())
	if c.on() {
		return c.done("/manage/scripts", "The storefront now leaves API scripts out, as an ad-blocker would.")
	}
	return c.done("/manage/scripts", "The storefront carries API scripts again.")
}

type webhooksView struct {
	Hooks      []Hook
	Deliveries []Delivery
	Due, Later int
}

func (p *panel) webhooks(c *panelCall) error {
	v := webhooksView{Hooks: c.shop.Hooks(), Deliveries: c.shop.Deliveries()}
	v.Deliveries = v.Deliveries[:min(50, len(v.Deliveries))]
	v.Due, v.Later = p.w.Pending()
	return c.render("webhooks", "Webhooks", v)
}

func (p *panel) dropWebhooks(c *panelCall) error {
	c.shop.DropWebhooks(c.on())
	if c.on() {
		return c.done("/manage/webhooks", "Every webhook is lost from now on.")
	}
	return c.done("/manage/webhooks", "Webhooks are delivered again.")
}

func (p *panel) setHookActive(c *panelCall) error {
	id, err := c.number("hook")
	if err != nil {
		return err
	}
	if err := c.shop.SetHookActive(id, c.on()); err != nil {
		return err
	}
	word := "deactivated"
	if c.on() {
		word = "active again"
	}
	return c.done("/manage/webhooks", fmt.Sprintf("Webhook %d is %s.", id, word))
}
