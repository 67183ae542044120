package bigcommerce

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Order is a v2 order. Amounts are in the transactional currency (DefaultCurrencyCode) and kept exactly as sent.
type Order struct {
	ID         int64  `json:"id"`
	CustomerID int64  `json:"customer_id"` // 0: guest
	StatusID   int    `json:"status_id"`
	Status     string `json:"status"`
	IsDeleted  bool   `json:"is_deleted"` // archived

	TotalIncTax           decimal.Decimal `json:"total_inc_tax"`
	TotalExTax            decimal.Decimal `json:"total_ex_tax"`
	SubtotalIncTax        decimal.Decimal `json:"subtotal_inc_tax"`
	SubtotalExTax         decimal.Decimal `json:"subtotal_ex_tax"`
	ShippingCostIncTax    decimal.Decimal `json:"shipping_cost_inc_tax"`
	HandlingCostIncTax    decimal.Decimal `json:"handling_cost_inc_tax"`
	WrappingCostIncTax    decimal.Decimal `json:"wrapping_cost_inc_tax"`
	DiscountAmount        decimal.Decimal `json:"discount_amount"`
	CouponDiscount        decimal.Decimal `json:"coupon_discount"`
	StoreCreditAmount     decimal.Decimal `json:"store_credit_amount"`
	GiftCertificateAmount decimal.Decimal `json:"gift_certificate_amount"`
	RefundedAmount        decimal.Decimal `json:"refunded_amount"`
	FeesIncTax            decimal.Decimal `json:"-"` // the sum of the order's fees, when they were sent

	CurrencyCode             string          `json:"currency_code"`         // shown to the shopper
	DefaultCurrencyCode      string          `json:"default_currency_code"` // paid by the shopper
	StoreDefaultCurrencyCode string          `json:"store_default_currency_code"`
	StoreDefaultRate         decimal.Decimal `json:"store_default_to_transactional_exchange_rate"` // 0: not said

	PaymentMethod  string `json:"payment_method"`
	PaymentStatus  string `json:"payment_status"`
	OrderSource    string `json:"order_source"`
	ExternalSource string `json:"external_source"`
	ChannelID      int64  `json:"channel_id"`
	CartID         string `json:"cart_id"` // empty for orders that came from no cart
	OrderIsDigital bool   `json:"order_is_digital"`
	ItemsTotal     int64  `json:"items_total"`
	IPAddress      string `json:"ip_address"`
	IPAddressV6    string `json:"ip_address_v6"`
	GeoIPCountry   string `json:"geoip_country_iso2"`
	CustomerLocale string `json:"customer_locale"`
	StaffNotes     string `json:"staff_notes"`

	BillingAddress OrderAddress `json:"billing_address"`

	DateCreated  time.Time `json:"date_created"`
	DateModified time.Time `json:"date_modified"`
}

// OrderAddress is a billing address, or the address part of an OrderShippingAddress.
type OrderAddress struct {
	FirstName   string `json:"first_name"`
	LastName    string `json:"last_name"`
	Company     string `json:"company"`
	Street1     string `json:"street_1"`
	Street2     string `json:"street_2"`
	City        string `json:"city"`
	State       string `json:"state"` // the full name, as a rule
	Zip         string `json:"zip"`
	Country     string `json:"country"`
	CountryISO2 string `json:"country_iso2"`
	Phone       string `json:"phone"`
	Email       string `json:"email"`
}

// UnmarshalJSON reads v2's strings-for-money and RFC 2822 times. An order without an id, a status or a total is refused:
// read as zero, each would let it slip past the gate.
func (o *Order) UnmarshalJSON(b []byte) error {
	type plain Order
	var wire struct {
		*plain
		ID                    integer   `json:"id"`
		CustomerID            integer   `json:"customer_id"`
		StatusID              *integer  `json:"status_id"`
		ChannelID             integer   `json:"channel_id"`
		ItemsTotal            integer   `json:"items_total"`
		TotalIncTax           amount    `json:"total_inc_tax"`
		TotalExTax            amount    `json:"total_ex_tax"`
		SubtotalIncTax        amount    `json:"subtotal_inc_tax"`
		SubtotalExTax         amount    `json:"subtotal_ex_tax"`
		ShippingCostIncTax    amount    `json:"shipping_cost_inc_tax"`
		HandlingCostIncTax    amount    `json:"handling_cost_inc_tax"`
		WrappingCostIncTax    amount    `json:"wrapping_cost_inc_tax"`
		DiscountAmount        amount    `json:"discount_amount"`
		CouponDiscount        amount    `json:"coupon_discount"`
		StoreCreditAmount     amount    `json:"store_credit_amount"`
		GiftCertificateAmount amount    `json:"gift_certificate_amount"`
		RefundedAmount        amount    `json:"refunded_amount"`
		StoreDefaultRate      amount    `json:"store_default_to_transactional_exchange_rate"`
		ExternalSource        text      `json:"external_source"`
		DateCreated           stamp     `json:"date_created"`
		DateModified          stamp     `json:"date_modified"`
		Fees                  orderFees `json:"fees"`
	}
	*o = Order{}
	wire.plain = (*plain)(o)
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if wire.ID <= 0 || wire.StatusID == nil || !wire.TotalIncTax.given {
		return errors.New("an order without id, status_id or total_inc_tax")
	}
	o.ID, o.CustomerID, o.StatusID = int64(wire.ID), int64(wire.CustomerID), int(*wire.StatusID)
	o.ChannelID, o.ItemsTotal = int64(wire.ChannelID), int64(wire.ItemsTotal)
	o.TotalIncTax, o.TotalExTax = wire.TotalIncTax.Decimal, wire.TotalExTax.Decimal
	o.SubtotalIncTax, o.SubtotalExTax = wire.SubtotalIncTax.Decimal, wire.SubtotalExTax.Decimal
	o.ShippingCostIncTax, o.HandlingCostIncTax = wire.ShippingCostIncTax.Decimal, wire.HandlingCostIncTax.Decimal
	o.WrappingCostIncTax = wire.WrappingCostIncTax.Decimal
	o.DiscountAmount, o.CouponDiscount = wire.DiscountAmount.Decimal, wire.CouponDiscount.Decimal
	o.StoreCreditAmount, o.GiftCertificateAmount = wire.StoreCreditAmount.Decimal, wire.GiftCertificateAmount.Decimal
	o.RefundedAmount, o.FeesIncTax = wire.RefundedAmount.Decimal, wire.Fees.total
	o.StoreDefaultRate = wire.StoreDefaultRate.Decimal
	o.ExternalSource = string(wire.ExternalSource)
	o.DateCreated, o.DateModified = wire.DateCreated.Time, wire.DateModified.Time
	return nil
}

// orderFees is an array with include=fees, else a link.
type orderFees struct{ total decimal.Decimal }

func (f *orderFees) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return nil
	}
	var fees []struct {
		CostIncTax amount `json:"cost_inc_tax"`
	}
	err := json.Unmarshal(b, &fees)
	for _, fee := range fees {
		f.total = f.total.Add(fee.CostIncTax.Decimal)
	}
	return err
}

// Value is what the order is worth before store credit and gift certificates, in the currency the shopper pays in.
//
// BigCommerce defines a checkout's grand_total as "before applying any store credit or gift certificate"
// (S: checkouts.v3), but says of total_inc_tax only that it is the total, and no live shop was at hand to ask.
// Integrations in the field subtract store_credit_amount from it, so it is read as such a total too. Should it be net
// on some order, a buyer with a gift certificate would slip under every threshold; hence it is compared with the sum of
// its parts, and where total + credit + certificates is at least as near to that sum, that is the value.
func (o Order) Value() (amount decimal.Decimal, currency string) {
	currency = strings.ToUpper(o.DefaultCurrencyCode)
	if currency == "" {
		currency = strings.ToUpper(o.CurrencyCode) // v2 sets it to the transactional one
	}
	tender := o.StoreCreditAmount.Add(o.GiftCertificateAmount)
	if !tender.IsPositive() {
		return o.TotalIncTax, currency
	}
	parts := o.SubtotalIncTax.Add(o.ShippingCostIncTax).Add(o.HandlingCostIncTax).Add(o.WrappingCostIncTax).
		Add(o.FeesIncTax).Sub(o.DiscountAmount).Sub(o.CouponDiscount)
	gross := o.TotalIncTax.Add(tender)
	if gross.Sub(parts).Abs().LessThanOrEqual(o.TotalIncTax.Sub(parts).Abs()) {
		return gross, currency
	}
	return o.TotalIncTax, currency
}

// ValueIn is Value in the shop's own currency. ok is false when the order does not say how to get there: thresholds then
// cannot be compared.
//
// The rate is units of the transactional currency per unit of the store's default one; both it and
// store_default_currency_code are sent only where Multi-Currency is on (S: orders.v2, "Currency Fields").
func (o Order) ValueIn(shopCurrency string) (amount decimal.Decimal, ok bool) {
	amount, currency := o.Value()
	switch {
	case currency == "" || shopCurrency == "":
		return decimal.Decimal{}, false
	case strings.EqualFold(currency, shopCurrency):
		return amount, true
	case strings.EqualFold(o.StoreDefaultCurrencyCode, shopCurrency) && o.StoreDefaultRate.IsPositive():
		return amount.DivRound(o.StoreDefaultRate, 10), true
	}
	return decimal.Decimal{}, false
}

// OrderProduct is one line of an order. ProductID is 0 for a custom product.
type OrderProduct struct {
	ID             int64
	ProductID      int64
	VariantID      int64
	OrderAddressID int64 // the OrderShippingAddress it goes to
	Name           string
	SKU            string
	Type           string // physical, digital, giftcertificate
	Brand          string
	Quantity       int64
	PriceIncTax    decimal.Decimal
	TotalIncTax    decimal.Decimal
}

// UnmarshalJSON reads v2's strings-for-money.
func (p *OrderProduct) UnmarshalJSON(b []byte) error {
	var w struct {
		ID             integer `json:"id"`
		ProductID      integer `json:"product_id"`
		VariantID      integer `json:"variant_id"`
		OrderAddressID integer `json:"order_address_id"`
		Name           string  `json:"name"`
		SKU            string  `json:"sku"`
		Type           string  `json:"type"`
		Brand          string  `json:"brand"`
		Quantity       integer `json:"quantity"`
		PriceIncTax    amount  `json:"price_inc_tax"`
		TotalIncTax    amount  `json:"total_inc_tax"`
	}
	err := json.Unmarshal(b, &w)
	*p = OrderProduct{
		ID: int64(w.ID), ProductID: int64(w.ProductID), VariantID: int64(w.VariantID), OrderAddressID: int64(w.OrderAddressID),
		Name: w.Name, SKU: w.SKU, Type: w.Type, Brand: w.Brand, Quantity: int64(w.Quantity),
		PriceIncTax: w.PriceIncTax.Decimal, TotalIncTax: w.TotalIncTax.Decimal,
	}
	return err
}

// OrderShippingAddress is one destination of an order; a digital order has none.
type OrderShippingAddress struct {
	ID             int64  `json:"id"`
	OrderID        int64  `json:"order_id"`
	ShippingMethod string `json:"shipping_method"`
	OrderAddress
}
