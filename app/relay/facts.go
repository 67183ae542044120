package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/text/currency"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// MinorDigits is how many decimal digits amounts of an ISO 4217 currency have; 2 where it is unknown.
func MinorDigits(code string) int {
	u, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	digits, _ := currency.Standard.Rounding(u)
	return digits
}

// money rounds up to minor units, so that rounding never slips an order under a threshold.
func money(amount decimal.Decimal, code string) gate.Money {
	return gate.Money{Minor: amount.Shift(int32(MinorDigits(code))).Ceil().IntPart(), Currency: code}
}

// cartFacts is what is known of a cart. customer is the one a Current Customer JWT named, or nil; a customer that the cart itself
// does not name is not believed. A shopper waits for them: the error is a *BusyError where shoppers have used up their part of the quota.
func (r *Relay) cartFacts(ctx context.Context, s *ledger.Shop, cartID string, customerID int64) (gate.Facts, error) {
	a := newAsker(s.Policy)
	ctx, release, err := r.askingOf(ctx, s, cartID, a.cartCost(customerID))
	if err != nil {
		return gate.Facts{}, err
	}
	defer release()
	c, err := r.checkout(ctx, s, cartID)
	if err != nil {
		return gate.Facts{}, err
	}
	if customerID != c.Cart.CustomerID {
		customerID = 0
	}
	mailbox := c.BillingAddress.Email
	if mailbox == "" {
		mailbox = c.Cart.Email
	}
	f := gate.Facts{
		Stage:  gate.AtCheckout,
		CartID: c.ID,
		Buyer: gate.Buyer{CustomerID: customerID, Mailbox: s.MailboxHash(mailbox),
			Name: gate.Name{Given: c.BillingAddress.FirstName, Family: c.BillingAddress.LastName}},
		Value:     money(c.GrandTotal, c.Cart.Currency),
		Billing:   checkoutPlace(c.BillingAddress),
		Addresses: []gate.Address{checkoutAddress(c.BillingAddress)},
		Group:     gate.Known("guest"),
	}
	if c.Cart.Currency == s.Currency {
		f.ShopValue = &f.Value
	}
	if c.Cart.ChannelID != 0 {
		f.Channel = gate.Known(strconv.FormatInt(c.Cart.ChannelID, 10))
	}
	for _, k := range c.Consignments {
		f.Shipping = append(f.Shipping, checkoutPlace(k.Address))
		f.Addresses = append(f.Addresses, checkoutAddress(k.Address))
		f.ShipMethods = append(f.ShipMethods, k.ShippingMethod)
	}
	for _, i := range c.Cart.Items {
		f.Items = append(f.Items, gate.Item{ProductID: strconv.FormatInt(i.ProductID, 10), Quantity: int(i.Quantity)})
	}
	err = r.lookUp(ctx, s, &f, c.Cart.CustomerID, a)
	return f, err
}

// orderFacts is what is known of an order. Its items and addresses are always among it: the digest of what a Decision was made on has them.
func (r *Relay) orderFacts(ctx context.Context, s *ledger.Shop, o bigcommerce.Order) (gate.Facts, error) {
	a := newAsker(s.Policy)
	a.products, a.addresses = true, true
	return r.factsOf(ctx, s, o, a)
}

// factsOf is what is known of an order, as far as it is asked about.
func (r *Relay) factsOf(ctx context.Context, s *ledger.Shop, o bigcommerce.Order, a asker) (gate.Facts, error) {
	amount, code := o.Value()
	b := o.BillingAddress
	f := gate.Facts{
		Stage: gate.AtOrder, OrderID: o.ID, CartID: o.CartID,
		Buyer: gate.Buyer{CustomerID: o.CustomerID, Mailbox: s.MailboxHash(b.Email), Name: gate.Name{Given: b.FirstName, Family: b.LastName}},
		Value: money(amount, code), Billing: orderPlace(b), Addresses: []gate.Address{orderAddress(b)},
		Group: gate.Known("guest"), Source: gate.Known(o.OrderSource), Payment: gate.Known(o.PaymentMethod),
		Channel: gate.Known(strconv.FormatInt(o.ChannelID, 10)),
		// BigCommerce's dates have whole seconds: an order of the same second counts as later.
		BeforeEpoch: !s.EnforcedSince.IsZero() && o.DateCreated.Before(s.EnforcedSince.Truncate(time.Second)),
	}
	if v, ok := o.ValueIn(s.Currency); ok {
		m := money(v, s.Currency)
		f.ShopValue = &m
	}
	if a.products {
		products, err := r.store(s).OrderProducts(ctx, o.ID)
		if err != nil {
			return f, fmt.Errorf("fetching the products of order %d: %w", o.ID, err)
		}
		for _, p := range products {
			f.Items = append(f.Items, gate.Item{ProductID: strconv.FormatInt(p.ProductID, 10), Quantity: int(p.Quantity)})
		}
	}
	if a.addresses {
		addresses, err := r.store(s).OrderShippingAddresses(ctx, o.ID)
		if err != nil {
			return f, fmt.Errorf("fetching the shipping addresses of order %d: %w", o.ID, err)
		}
		for _, to := range addresses {
			f.Shipping = append(f.Shipping, orderPlace(to.OrderAddress))
			f.Addresses = append(f.Addresses, orderAddress(to.OrderAddress))
			f.ShipMethods = append(f.ShipMethods, to.ShippingMethod)
		}
	}
	return f, r.lookUp(ctx, s, &f, o.CustomerID, a)
}

// asker knows which facts Policies look at, so that others are not fetched.
type asker struct {
	products, catalog, addresses, group, first bool
}

func newAsker(policies ...gate.Policy) asker {
	var a asker
	for _, p := range policies {
		a.catalog = a.catalog || p.Uses(gate.FactCategory, gate.FactBrand)
		a.products = a.products || a.catalog || p.Uses(gate.FactProduct)
		a.addresses = a.addresses || p.ComparesAddress() || p.Uses(gate.FactCountry, gate.FactState, gate.FactPostcode, gate.FactShipDiff, gate.FactShipMethod)
		a.group = a.group || p.Uses(gate.FactGroup)
		a.first = a.first || p.Uses(gate.FactFirstOrder)
	}
	return a
}

// cost is how many calls the facts of one order take.
func (a asker) cost() int {
	n := 0
	for _, asked := range []bool{a.products, a.catalog, a.addresses, a.group, a.first} {
		if asked {
			n++
		}
	}
	return n
}

// cartCost is how many calls the facts of one cart take: it carries its products and addresses itself. customerID is the one that a Current
// Customer JWT named, or 0: hardly any cart of somebody signed in is asked about without one.
func (a asker) cartCost(customerID int64) int {
	a.products, a.addresses = false, false
	if customerID == 0 {
		a.group, a.first = false, false
	}
	return 1 + a.cost()
}

// lookUp finds whether the buyer's mailbox was shown to be theirs, what the Shop's lists say of them, and fetches what is neither in the cart nor in the order.
func (r *Relay) lookUp(ctx context.Context, s *ledger.Shop, f *gate.Facts, customerID int64, a asker) (err error) {
	if f.Buyer.MailboxProved, err = r.Ledger.MailboxShown(ctx, s, *f); err != nil {
		return err
	}
	if f.Listed, err = r.Ledger.ListedAs(ctx, s, customerID, f.Buyer.Mailbox); err != nil {
		return fmt.Errorf("looking the buyer up in the shop's lists: %w", err)
	}
	if a.catalog {
		if err := r.orUnknown(s, r.lookUpCatalog(ctx, s, f)); err != nil {
			return err
		}
	}
	if customerID == 0 {
		return nil
	}
	f.Group = gate.Text{}
	if a.group {
		if err := r.orUnknown(s, r.lookUpGroup(ctx, s, f, customerID)); err != nil {
			return err
		}
	}
	if a.first {
		return r.orUnknown(s, r.lookUpFirstOrder(ctx, s, f, customerID))
	}
	return nil
}

// orUnknown passes over what BigCommerce will not tell, now or later: it has no such thing any more, or we may not ask. Such a fact stays
// unknown, which no rule reads in the buyer's favour; an order that could not be decided would never be held.
func (r *Relay) orUnknown(s *ledger.Shop, err error) error {
	var be *bigcommerce.Error
	gone := errors.Is(err, bigcommerce.ErrNotFound)
	if gone || errors.As(err, &be) && be.Status/100 == 4 && be.Status != 401 && !be.Temporary() {
		if !gone {
			r.Log.Warn("a fact stays unknown", "shop", s.Hash, "error", err)
		}
		return nil
	}
	return err
}

func (r *Relay) lookUpGroup(ctx context.Context, s *ledger.Shop, f *gate.Facts, customerID int64) error {
	c, err := r.store(s).Customer(ctx, customerID)
	if err != nil {
		return fmt.Errorf("fetching customer %d: %w", customerID, err)
	}
	f.Group = gate.Known(strconv.FormatInt(c.CustomerGroupID, 10))
	return nil
}

// lookUpFirstOrder looks for an order of the customer's before this one: later ones do not make it another order than it was. Carts that
// never became an order do not count.
func (r *Relay) lookUpFirstOrder(ctx context.Context, s *ledger.Shop, f *gate.Facts, customerID int64) error {
	q := bigcommerce.OrderFilter{CustomerID: &customerID, Sort: bigcommerce.SortNewest, Limit: 10}
	if f.OrderID > 1 {
		q.MaxID = f.OrderID - 1
	}
	os, err := r.store(s).Orders(ctx, q)
	if err != nil {
		return fmt.Errorf("fetching the orders of customer %d: %w", customerID, err)
	}
	first := !slices.ContainsFunc(os, func(o bigcommerce.Order) bool { return bigcommerce.ClassOf(o.StatusID) != bigcommerce.ClassWatch })
	f.FirstOrder = gate.Bool{Value: first, Known: true}
	return nil
}

func (r *Relay) lookUpCatalog(ctx context.Context, s *ledger.Shop, f *gate.Facts) error {
	var ids []int64
	for _, i := range f.Items {
		if id, err := strconv.ParseInt(i.ProductID, 10, 64); err == nil && id > 0 {
			ids = append(ids, id)
		}
	}
	products, err := r.store(s).Products(ctx, ids)
	if err != nil {
		return fmt.Errorf("fetching the catalog: %w", err)
	}
	known := map[string]bigcommerce.Product{}
	for _, p := range products {
		known[strconv.FormatInt(p.ID, 10)] = p
	}
	f.ItemsKnown = true
	for i := range f.Items {
		p, ok := known[f.Items[i].ProductID]
		if !ok {
			f.ItemsKnown = false // a custom or deleted product may be of any category
			continue
		}
		f.Items[i].Brand = strconv.FormatInt(p.BrandID, 10)
		for _, c := range p.Categories {
			f.Items[i].Categories = append(f.Items[i].Categories, strconv.FormatInt(c, 10))
		}
	}
	return nil
}

func checkoutPlace(a bigcommerce.CheckoutAddress) gate.Place {
	return place(a.CountryCode, a.StateOrProvince, a.PostalCode, a.Address1, a.Address2, a.City)
}

func orderPlace(a bigcommerce.OrderAddress) gate.Place {
	return place(a.CountryISO2, a.State, a.Zip, a.Street1, a.Street2, a.City)
}

func checkoutAddress(a bigcommerce.CheckoutAddress) gate.Address {
	return gate.Address{Street: a.Address1 + " " + a.Address2, Postcode: a.PostalCode, Country: a.CountryCode}
}

func orderAddress(a bigcommerce.OrderAddress) gate.Address {
	return gate.Address{Street: a.Street1 + " " + a.Street2, Postcode: a.Zip, Country: a.CountryISO2}
}

// place normalises an address, so that the cart's and the order's spelling of one place are equal.
func place(country, state, postcode string, line ...string) gate.Place {
	norm := func(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }
	return gate.Place{Country: strings.ToUpper(country), State: strings.TrimSpace(state), Postcode: strings.ToUpper(strings.TrimSpace(postcode)),
		Line: norm(strings.Join(line, " "))}
}
