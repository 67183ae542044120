package bigcommerce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/shopspring/decimal"
)

// Cart is a cart that has not become an order; its id is its checkout's id. Knowing the id is all that a guest has to
// show for it, so it is never logged.
type Cart struct {
	ID         string
	CustomerID int64 // 0: guest
	ChannelID  int64
	Email      string
	Currency   string          // ISO 4217, upper case; what the shopper pays in
	CartAmount decimal.Decimal // after discounts, before shipping, tax and credit; 0 within a Checkout
	Items      []CartItem
	Locale     string
	Version    int64 // grows with every change
}

// ItemKind is the list of line_items in which an item was found.
type ItemKind string

const (
	ItemPhysical        ItemKind = "physical"
	ItemDigital         ItemKind = "digital"
	ItemGiftCertificate ItemKind = "gift_certificate"
	ItemCustom          ItemKind = "custom" // added by staff or API; no catalog product
)

// CartItem is one line of a cart.
type CartItem struct {
	Kind      ItemKind
	ID        string
	ProductID int64 // 0 for gift certificates and custom items
	VariantID int64
	SKU       string
	Name      string
	Quantity  int64
	ListPrice decimal.Decimal // per unit; the amount of a gift certificate
	SalePrice decimal.Decimal // per unit
	Total     decimal.Decimal // of the line, after its own discounts
}

type itemJSON struct {
	ID                text    `json:"id"`
	ProductID         integer `json:"product_id"`
	VariantID         integer `json:"variant_id"`
	SKU               string  `json:"sku"`
	Name              string  `json:"name"`
	Quantity          integer `json:"quantity"`
	ListPrice         amount  `json:"list_price"`
	SalePrice         amount  `json:"sale_price"`
	ExtendedListPrice amount  `json:"extended_list_price"`
	ExtendedSalePrice amount  `json:"extended_sale_price"`
	Amount            amount  `json:"amount"` // gift certificates
}

// UnmarshalJSON reads carts.v3's form and the slightly different one within a checkout.
func (c *Cart) UnmarshalJSON(b []byte) error {
	var w struct {
		ID         string  `json:"id"`
		CustomerID integer `json:"customer_id"`
		ChannelID  integer `json:"channel_id"`
		Email      string  `json:"email"`
		Currency   struct {
			Code string `json:"code"`
		} `json:"currency"`
		CartAmount amount `json:"cart_amount"`
		LineItems  struct {
			Physical         []itemJSON `json:"physical_items"`
			Digital          []itemJSON `json:"digital_items"`
			GiftCertificates []itemJSON `json:"gift_certificates"`
			Custom           []itemJSON `json:"custom_items"`
		} `json:"line_items"`
		Locale  string  `json:"locale"`
		Version integer `json:"version"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*c = Cart{
		ID: w.ID, CustomerID: int64(w.CustomerID), ChannelID: int64(w.ChannelID), Email: w.Email,
		Currency: strings.ToUpper(w.Currency.Code), CartAmount: w.CartAmount.Decimal, Locale: w.Locale, Version: int64(w.Version),
	}
	for _, list := range []struct {
		kind  ItemKind
		items []itemJSON
	}{
		{ItemPhysical, w.LineItems.Physical},
		{ItemDigital, w.LineItems.Digital},
		{ItemGiftCertificate, w.LineItems.GiftCertificates},
		{ItemCustom, w.LineItems.Custom},
	} {
		for _, i := range list.items {
			c.Items = append(c.Items, i.item(list.kind))
		}
	}
	return nil
}

func (i itemJSON) item(kind ItemKind) CartItem {
	item := CartItem{
		Kind: kind, ID: string(i.ID), ProductID: int64(i.ProductID), VariantID: int64(i.VariantID), SKU: i.SKU, Name: i.Name,
		Quantity: int64(i.Quantity), ListPrice: i.ListPrice.Decimal, SalePrice: i.SalePrice.Decimal, Total: i.ExtendedSalePrice.Decimal,
	}
	switch kind {
	case ItemGiftCertificate: // one piece with an amount, and no prices
		item.Quantity, item.ListPrice, item.SalePrice, item.Total = 1, i.Amount.Decimal, i.Amount.Decimal, i.Amount.Decimal
	case ItemCustom: // no sale price
		item.SalePrice, item.Total = i.ListPrice.Decimal, i.ExtendedListPrice.Decimal
	case ItemPhysical, ItemDigital:
	}
	return item
}

// CheckoutAddress is an address within a checkout.
type CheckoutAddress struct {
	FirstName           string `json:"first_name"`
	LastName            string `json:"last_name"`
	Email               string `json:"email"`
	Company             string `json:"company"`
	Address1            string `json:"address1"`
	Address2            string `json:"address2"`
	City                string `json:"city"`
	StateOrProvince     string `json:"state_or_province"`
	StateOrProvinceCode string `json:"state_or_province_code"`
	PostalCode          string `json:"postal_code"`
	CountryCode         string `json:"country_code"` // ISO 3166 alpha-2
	Phone               string `json:"phone"`
}

// Checkout is a cart on its way to becoming an order. Its amounts are in Cart.Currency.
type Checkout struct {
	ID             string
	Cart           Cart
	BillingAddress CheckoutAddress // empty until the shopper fills it in
	Consignments   []Consignment
	OrderID        string // empty until the order exists; the schema calls it a string, and one example is no number
	SubtotalIncTax decimal.Decimal
	TaxTotal       decimal.Decimal
	ShippingTotal  decimal.Decimal // with tax
	// GrandTotal is what is to be paid "before applying any store credit or a gift certificate": the value that
	// Order.Value has later.
	GrandTotal decimal.Decimal
}

// Consignment is one destination of a checkout.
type Consignment struct {
	ID             string
	Address        CheckoutAddress
	ShippingMethod string // the selected option's description; empty until selected
	LineItemIDs    []string
}

// UnmarshalJSON reads checkouts.v3's form. A checkout without a grand total is refused: read as zero, it would pass.
func (c *Checkout) UnmarshalJSON(b []byte) error {
	var w struct {
		ID             string          `json:"id"`
		Cart           Cart            `json:"cart"`
		BillingAddress CheckoutAddress `json:"billing_address"`
		Consignments   []struct {
			ID       text            `json:"id"`
			Address  CheckoutAddress `json:"address"`
			Selected struct {
				Description string `json:"description"`
			} `json:"selected_shipping_option"`
			LineItemIDs []string `json:"line_item_ids"`
		} `json:"consignments"`
		OrderID        text   `json:"order_id"`
		SubtotalIncTax amount `json:"subtotal_inc_tax"`
		TaxTotal       amount `json:"tax_total"`
		ShippingTotal  amount `json:"shipping_cost_total_inc_tax"`
		GrandTotal     amount `json:"grand_total"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if !w.GrandTotal.given {
		return mismatch[Checkout]("a checkout without grand_total")
	}
	*c = Checkout{
		ID: w.ID, Cart: w.Cart, BillingAddress: w.BillingAddress, OrderID: string(w.OrderID),
		SubtotalIncTax: w.SubtotalIncTax.Decimal, TaxTotal: w.TaxTotal.Decimal,
		ShippingTotal: w.ShippingTotal.Decimal, GrandTotal: w.GrandTotal.Decimal,
	}
	for _, k := range w.Consignments {
		c.Consignments = append(c.Consignments, Consignment{
			ID: string(k.ID), Address: k.Address, ShippingMethod: k.Selected.Description, LineItemIDs: k.LineItemIDs,
		})
	}
	return nil
}

// Cart fetches a cart. One that has become an order, or never was, is ErrNotFound.
func (s *Store) Cart(ctx context.Context, id string) (Cart, error) {
	var e envelope[Cart]
	r, err := cartRequest("/v3/carts/", id)
	if err != nil {
		return Cart{}, err
	}
	if err := s.object(ctx, r, &e); err != nil {
		return Cart{}, err
	}
	if !strings.EqualFold(e.Data.ID, id) {
		return Cart{}, r.trouble(http.StatusOK, "the answer holds another cart", nil)
	}
	return e.Data, nil
}

// Checkout fetches the checkout of a cart: the cart's items, plus addresses, shipping, tax and the grand total.
func (s *Store) Checkout(ctx context.Context, id string) (Checkout, error) {
	var e envelope[Checkout]
	r, err := cartRequest("/v3/checkouts/", id)
	if err != nil {
		return Checkout{}, err
	}
	if err := s.object(ctx, r, &e); err != nil {
		return Checkout{}, err
	}
	if !strings.EqualFold(e.Data.ID, id) {
		return Checkout{}, r.trouble(http.StatusOK, "the answer holds another checkout", nil)
	}
	return e.Data, nil
}

func cartRequest(before, id string) (request, error) {
	path, err := uuidPath(before, id)
	return request{method: http.MethodGet, path: path, name: before + "{id}", query: url.Values{}}, err
}
