package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// includes is what a request's include parameter asks for. Sub-resources that cost nothing are
// always in the answer; these are the ones that are left out unless asked for.
type includes struct {
	options, categories, group, quotes bool
}

// askedFor reads the include parameter; quotes is what its absence means for shipping quotes.
func (q *visit) askedFor(quotes bool) includes {
	if !q.URL.Query().Has("include") {
		return includes{quotes: quotes}
	}
	var in includes
	for _, word := range strings.Split(q.URL.Query().Get("include"), ",") {
		switch {
		case strings.HasSuffix(word, ".options"):
			in.options = true
		case strings.HasSuffix(word, ".categoryNames"):
			in.categories = true
		case word == "customer.customerGroup":
			in.group = true
		case word == "consignments.availableShippingOptions":
			in.quotes = true
		}
	}
	return in
}

var currencySigns = map[string]string{"USD": "$", "EUR": "€", "GBP": "£", "CAD": "$", "AUD": "$", "JPY": "¥"}

func currencyOf(code string) currencyJSON {
	places, sign := 2, currencySigns[code]
	if code == "JPY" {
		places = 0
	}
	if sign == "" {
		sign = code + " "
	}
	return currencyJSON{Name: code, Code: code, Symbol: sign, DecimalPlaces: places}
}

// priceText is an amount as a person reads it: "$12.00".
func priceText(currency string, m Money) string {
	c := currencyOf(currency)
	text := m.Short()
	if c.DecimalPlaces == 0 {
		text = text[:len(text)-3]
	}
	return c.Symbol + text
}

// minorUnits is an amount as a whole number of the currency's smallest unit.
func minorUnits(currency string, m Money) int64 {
	n := int64(m)
	for range 4 - currencyOf(currency).DecimalPlaces {
		n /= 10
	}
	return n
}

func timeJSON(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

func (a Address) json() addressJSON {
	return addressJSON{
		FirstName: a.FirstName, LastName: a.LastName, Email: a.Email, Company: a.Company, Address1: a.Street1, Address2: a.Street2,
		City: a.City, StateOrProvince: a.State, StateOrProvinceCode: a.StateCode, Country: a.Country, CountryCode: a.CountryCode,
		PostalCode: a.Zip, Phone: a.Phone, CustomFields: []any{},
	}
}

// whole tells whether an address can be sent to.
func (a Address) whole() bool {
	return !slices.Contains([]string{a.FirstName, a.LastName, a.Street1, a.City, a.CountryCode, a.Zip}, "")
}

func (s *Shop) customerJSON(c Customer, ok bool, in includes) customerJSON {
	if !ok {
		return customerJSON{IsGuest: true, Addresses: []customerAddressJSON{}}
	}
	out := customerJSON{
		ID: c.ID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, FullName: c.Name(),
		Addresses: []customerAddressJSON{},
	}
	for _, a := range c.Addresses {
		out.Addresses = append(out.Addresses, customerAddressJSON{ID: a.ID, addressJSON: a.json(), Type: "residential"})
	}
	if in.group {
		for _, g := range s.groupList() {
			if g.ID == c.GroupID {
				out.CustomerGroup = &groupJSON{ID: g.ID, Name: g.Name}
			}
		}
	}
	return out
}

func (s *Shop) groupList() []CustomerGroup {
	return locked(s, func() []CustomerGroup { return slices.Clone(s.groups) })
}

// catalogueLine is a line of a cart or an order in the words of its product, which may be gone.
func (q *visit) catalogueLine(id any, productID int64, name, sku string, qty int, price Money, digital bool, in includes) lineItemJSON {
	line := lineItemJSON{
		ID: id, VariantID: productID + 1000, ProductID: productID, SKU: sku, Name: name, URL: q.origin() + fmt.Sprintf("/products/%d", productID),
		Quantity: qty, IsTaxable: true, ImageURL: q.origin() + fmt.Sprintf("/sf/product-image/%d.svg", productID), Discounts: []any{},
		ListPrice: price, SalePrice: price, OriginalPrice: price, ExtendedListPrice: price.Times(qty), ExtendedSalePrice: price.Times(qty),
		Type: "physical", IsMutable: true, IsShippingRequired: !digital,
	}
	product, err := q.shop.Product(productID)
	if err == nil {
		line.Brand = q.shop.brandName(product.BrandID)
	}
	if in.options {
		line.Options = &[]any{}
	}
	if in.categories {
		names := q.shop.categoryNames(product.Categories)
		line.CategoryNames = &names
	}
	if digital {
		line.Type, line.DownloadURLs = "digital", &[]string{}
		line.DownloadPageURL, line.DownloadSize = new(string), new(string)
	}
	return line
}

func (s *Shop) brandName(id int64) string {
	for _, b := range locked(s, func() []Brand { return slices.Clone(s.brands) }) {
		if b.ID == id {
			return b.Name
		}
	}
	return ""
}

func (s *Shop) categoryNames(ids []int64) []string {
	names := []string{}
	for _, c := range s.Categories() {
		if slices.Contains(ids, c.ID) {
			names = append(names, c.Name)
		}
	}
	return names
}

// origin is where the browser says it is: the shop answers under more than one name.
func (q *visit) origin() string { return "http://" + q.Host }

func (q *visit) cartJSON(c Cart, in includes) cartJSON {
	out := cartJSON{
		ID: c.ID, CustomerID: c.CustomerID, Email: c.Email, Currency: currencyOf(c.Currency), IsTaxIncluded: true,
		BaseAmount: c.Subtotal(), CartAmount: c.Subtotal(), Coupons: []any{}, Discounts: []any{},
		LineItems:   newLineItems(),
		CreatedTime: timeJSON(c.Created), UpdatedTime: timeJSON(c.Updated), Locale: "en", Version: c.Version,
	}
	for _, it := range c.Items {
		out.LineItems.add(q.catalogueLine(it.ID, it.ProductID, it.Name, it.SKU, it.Quantity, it.Price, it.Digital, in))
	}
	return out
}

func newLineItems() lineItemsJSON {
	return lineItemsJSON{PhysicalItems: []lineItemJSON{}, DigitalItems: []lineItemJSON{}, GiftCertificates: []any{}, CustomItems: []any{}}
}

func (l *lineItemsJSON) add(line lineItemJSON) {
	if line.Type == "digital" {
		l.DigitalItems = append(l.DigitalItems, line)
		return
	}
	l.PhysicalItems = append(l.PhysicalItems, line)
}

// billingID is the id of a checkout's one billing address.
func billingID(cartID string) string { return strings.ReplaceAll(cartID, "-", "")[:13] }

func (q *visit) checkoutJSON(c Cart, customer customerJSON, in includes) checkoutJSON {
	out := checkoutJSON{
		ID: c.ID, Cart: q.cartJSON(c, in), Consignments: []consignmentJSON{}, Customer: customer, CustomerMessage: c.Message, ChannelID: c.ChannelID,
		Coupons: []any{}, Discounts: []any{}, Fees: []any{}, GiftCertificates: []any{}, Promotions: []any{}, Payments: []any{},
		Taxes: []taxJSON{{Name: "Tax"}}, Subtotal: c.Subtotal(), GrandTotal: c.Total(), OutstandingBalance: c.Total(), BalanceDue: c.Total(),
		ShippingCostTotal: c.Shipping(), ShippingCostBeforeDiscount: c.Shipping(), ComparisonShippingCost: c.Shipping(),
		CreatedTime: timeJSON(c.Created), UpdatedTime: timeJSON(c.Updated), Version: c.Version,
	}
	if c.OrderID != 0 {
		out.OrderID = &c.OrderID
	}
	switch {
	case c.Billing != nil:
		a := c.Billing.json()
		a.ID = billingID(c.ID)
		out.BillingAddress = &a
	case c.Email != "" && c.CustomerID == 0:
		out.BillingAddress = &addressJSON{ID: billingID(c.ID), Email: c.Email, CustomFields: []any{}}
	}
	for _, cs := range c.Consignments {
		out.Consignments = append(out.Consignments, q.consignmentJSON(c, cs, in))
	}
	return out
}

func (q *visit) consignmentJSON(c Cart, cs Consignment, in includes) consignmentJSON {
	address := cs.Address.json()
	address.ID = cs.ID
	out := consignmentJSON{
		ID: cs.ID, Address: address, ShippingAddress: address, LineItemIDs: []string{}, CouponDiscounts: []any{}, Discounts: []any{},
	}
	for _, it := range c.Items {
		if !it.Digital {
			out.LineItemIDs = append(out.LineItemIDs, it.ID)
		}
	}
	if cs.Option != nil {
		option := quoteJSON(*cs.Option)
		out.SelectedShippingOption = &option
		out.ShippingCost, out.ShippingCostBeforeDiscount, out.ComparisonShippingCost = cs.Option.Cost, cs.Option.Cost, cs.Option.Cost
	}
	if in.quotes {
		quotes := []shippingOptionJSON{}
		for _, o := range q.shop.ShippingOptions() {
			quotes = append(quotes, quoteJSON(o))
		}
		quotes[0].IsRecommended = true
		out.AvailableShippingOptions = &quotes
	}
	return out
}

func quoteJSON(o ShippingOption) shippingOptionJSON {
	return shippingOptionJSON{ID: o.ID, Type: "shipping_flatrate", Description: o.Description, Cost: o.Cost, CostAfterDiscount: o.Cost}
}
