package sim

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

func orderRoutes() []route {
	read, write := readOrWrite("store_v2_orders"), []string{"store_v2_orders"}
	return []route{
		{"GET", "/v2/orders", read, listOrders},
		{"GET", "/v2/orders/count", read, countOrders},
		{"GET", "/v2/orders/{order}", read, getOrder},
		{"PUT", "/v2/orders/{order}", write, putOrder},
		{"GET", "/v2/orders/{order}/products", read, listOrderProducts},
		{"GET", "/v2/orders/{order}/shipping_addresses", read, listOrderAddresses},
		{"GET", "/v2/order_statuses", read, listOrderStatuses},
		{"GET", "/v2/order_statuses/{status}", read, getOrderStatus},
	}
}

// orderV2 is an order as v2 prints it: bare, money as strings with four decimals, RFC 2822 dates.
func orderV2(s *Shop, o *Order) obj {
	self := s.BaseURL + "/api/v2/orders/" + strconv.FormatInt(o.ID, 10)
	link := func(name string) obj {
		return obj{"url": self + "/" + name, "resource": "/orders/" + strconv.FormatInt(o.ID, 10) + "/" + name}
	}
	zero := Money(0).String()
	out := obj{
		"id": o.ID, "customer_id": o.CustomerID, "status_id": o.StatusID, "status": o.Status(), "channel_id": o.ChannelID,
		"date_created": rfc2822(o.Created), "date_modified": rfc2822(o.Modified), "date_shipped": "", "cart_id": nil,
		"subtotal_ex_tax": o.Subtotal().String(), "subtotal_inc_tax": o.Subtotal().String(),
		"base_shipping_cost": o.ShippingCost.String(), "shipping_cost_ex_tax": o.ShippingCost.String(), "shipping_cost_inc_tax": o.ShippingCost.String(),
		"total_ex_tax": o.Total().String(), "total_inc_tax": o.Total().String(),
		"items_total": o.Pieces(), "items_shipped": o.shipped(), "shipping_address_count": len(o.Shipping),
		"payment_method": o.PaymentMethod, "payment_provider_id": "", "payment_status": o.PaymentStatus, "refunded_amount": o.refunded(),
		"order_is_digital": o.Digital(), "is_deleted": o.Deleted, "is_email_opt_in": false, "is_tax_inclusive_pricing": true,
		"currency_id": 1, "currency_code": o.Currency, "currency_exchange_rate": o.ExchangeRate,
		"default_currency_id": 1, "default_currency_code": o.Currency,
		"store_default_currency_code": s.Currency, "store_default_to_transactional_exchange_rate": o.ExchangeRate,
		"staff_notes": o.StaffNotes, "customer_message": o.Message, "customer_locale": "en", "order_source": o.Source,
		"ip_address": o.IP, "ip_address_v6": "", "geoip_country": o.Billing.Country, "geoip_country_iso2": o.Billing.CountryCode,
		"external_source": nil, "external_id": nil, "external_merchant_id": nil, "external_order_id": "", "ebay_order_id": "0",
		"tax_provider_id": "", "billing_address": addressV2(o.Billing),
		"products": link("products"), "shipping_addresses": link("shippingaddresses"), "coupons": link("coupons"),
		"consignments": link("consignments"), "fees": link("fees"), "store_credit_amount": o.StoreCredit.String(), "gift_certificate_amount": zero,
	}
	if o.CartID != "" {
		out["cart_id"] = o.CartID
	}
	if o.External != "" {
		out["external_source"] = o.External
	}
	switch {
	case o.ExternalID == "":
	case o.Source == "ebay":
		out["ebay_order_id"] = o.ExternalID
	default:
		out["external_id"], out["external_order_id"] = o.ExternalID, o.ExternalID
	}
	for _, k := range []string{
		"subtotal_tax", "total_tax", "shipping_cost_tax", "base_handling_cost", "handling_cost_ex_tax", "handling_cost_inc_tax", "handling_cost_tax",
		"base_wrapping_cost", "wrapping_cost_ex_tax", "wrapping_cost_inc_tax", "wrapping_cost_tax", "coupon_discount", "discount_amount",
	} {
		out[k] = zero
	}
	for _, k := range []string{"shipping_cost_tax_class_id", "handling_cost_tax_class_id", "wrapping_cost_tax_class_id"} {
		out[k] = 0
	}
	return out
}

func (o *Order) shipped() int {
	if o.StatusID == StatusShipped || o.StatusID == StatusCompleted {
		return o.Pieces()
	}
	return 0
}

func (o *Order) refunded() string {
	if o.StatusID == StatusRefunded {
		return o.Total().String()
	}
	return Money(0).String()
}

func addressV2(a Address) obj {
	return obj{
		"first_name": a.FirstName, "last_name": a.LastName, "company": a.Company, "street_1": a.Street1, "street_2": a.Street2,
		"city": a.City, "state": a.State, "zip": a.Zip, "country": a.Country, "country_iso2": a.CountryCode, "phone": a.Phone,
		"email": a.Email, "form_fields": []any{},
	}
}

func getOrder(c *call) answer {
	o := c.shop.order(c.id("order"))
	if o == nil {
		return c.notFound()
	}
	return answer{http.StatusOK, orderV2(c.shop, o)}
}

func countOrders(c *call) answer {
	counts, total := make([]int, len(statusNames)), 0
	for _, o := range c.shop.orders.all {
		if !o.Deleted {
			counts[o.StatusID]++
			total++
		}
	}
	var list []obj
	for id, name := range statusNames {
		list = append(list, obj{"id": id, "name": name, "system_label": name, "custom_label": name, "system_description": name, "count": counts[id], "sort_order": id})
	}
	return answer{http.StatusOK, obj{"count": total, "statuses": list}}
}

// orderFilter is a list's query, read once.
type orderFilter struct {
	minID, maxID, status, customer, channel *int64
	email, cart, payment                    string
	minModified, maxModified                time.Time
	minCreated, maxCreated                  time.Time
	deleted                                 string
}

func (c *call) orderFilter() (f orderFilter, bad string) {
	for name, to := range map[string]**int64{"min_id": &f.minID, "max_id": &f.maxID, "status_id": &f.status, "customer_id": &f.customer, "channel_id": &f.channel} {
		raw := c.query.Get(name)
		if raw == "" {
			continue
		}
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil {
			return f, name
		}
		*to = &n
	}
	for name, to := range map[string]*time.Time{
		"min_date_modified": &f.minModified, "max_date_modified": &f.maxModified,
		"min_date_created": &f.minCreated, "max_date_created": &f.maxCreated,
	} {
		raw := c.query.Get(name)
		if raw == "" {
			continue
		}
		t, ok := parseAPITime(raw)
		if !ok {
			return f, name
		}
		*to = t
	}
	f.email, f.cart, f.payment, f.deleted = c.query.Get("email"), c.query.Get("cart_id"), c.query.Get("payment_method"), c.query.Get("is_deleted")
	return f, ""
}

// parseAPITime reads what v2 accepts: RFC 2822, ISO 8601 with or without a zone, or a date.
func parseAPITime(raw string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, raw); err == nil {
			return t, true
		}
	}
	t, err := mail.ParseDate(raw)
	return t, err == nil
}

func (f *orderFilter) keeps(o *Order) bool {
	created, modified := o.Created.Truncate(time.Second), o.Modified.Truncate(time.Second)
	differs := func(want *int64, have int64) bool { return want != nil && *want != have }
	switch {
	case f.minID != nil && o.ID < *f.minID, f.maxID != nil && o.ID > *f.maxID:
	case differs(f.status, int64(o.StatusID)), differs(f.customer, o.CustomerID), differs(f.channel, o.ChannelID):
	case f.email != "" && !strings.EqualFold(f.email, o.Billing.Email):
	case f.cart != "" && f.cart != o.CartID, f.payment != "" && f.payment != o.PaymentMethod:
	case f.deleted != "" && (f.deleted == "true") != o.Deleted, f.deleted == "" && o.Deleted:
	case !f.minModified.IsZero() && modified.Before(f.minModified), !f.maxModified.IsZero() && modified.After(f.maxModified):
	case !f.minCreated.IsZero() && created.Before(f.minCreated), !f.maxCreated.IsZero() && created.After(f.maxCreated):
	default:
		return true
	}
	return false
}

func listOrders(c *call) answer {
	f, bad := c.orderFilter()
	if bad != "" {
		return c.fail(http.StatusBadRequest, "The field '"+bad+"' is invalid.")
	}
	key, direction, _ := strings.Cut(c.query.Get("sort"), ":")
	less, ok := orderSorts[key]
	if !ok || (direction != "" && direction != "asc" && direction != "desc") {
		return c.fail(http.StatusBadRequest, "The field 'sort' is invalid.")
	}
	from := c.shop.orders.all
	if key == "date_modified" {
		from = c.shop.orders.modifiedSince(f.minModified)
	}
	var kept []*Order
	for _, o := range from {
		if f.keeps(o) {
			kept = append(kept, o)
		}
	}
	if less != nil {
		slices.SortStableFunc(kept, less)
	}
	if direction == "desc" {
		slices.Reverse(kept)
	}
	page, limit := c.page(50)
	kept = cutPage(kept, page, limit)
	list := make([]obj, len(kept))
	for i, o := range kept {
		list[i] = orderV2(c.shop, o)
	}
	if len(list) == 0 {
		return noContent
	}
	return answer{http.StatusOK, list}
}

// orderSorts are the keys of sort; nil is an order that the book has already.
var orderSorts = map[string]func(a, b *Order) int{
	"": nil, "id": nil, "date_modified": nil,
	"customer_id":  func(a, b *Order) int { return int(a.CustomerID - b.CustomerID) },
	"channel_id":   func(a, b *Order) int { return int(a.ChannelID - b.ChannelID) },
	"status_id":    func(a, b *Order) int { return a.StatusID - b.StatusID },
	"date_created": func(a, b *Order) int { return a.Created.Truncate(time.Second).Compare(b.Created.Truncate(time.Second)) },
}

// putOrder is a partial update. Anything that real clients must not send is refused as the
// platform refuses unwritable fields, so that a wrong client is seen at once.
func putOrder(c *call) answer {
	o := c.shop.order(c.id("order"))
	if o == nil {
		return c.notFound()
	}
	var in map[string]json.RawMessage
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	draft, writes := o.clone(), []OrderWrite(nil)
	for _, field := range sortedKeys(in) {
		var err error
		w := OrderWrite{Actor: c.actor()}
		switch field {
		case "status_id":
			err = json.Unmarshal(in[field], &draft.StatusID)
			if err == nil && StatusName(draft.StatusID) == "" {
				return c.fail(http.StatusBadRequest, "The field 'status_id' is invalid.")
			}
			w.Field, w.From, w.To = FieldStatus, strconv.Itoa(o.StatusID), strconv.Itoa(draft.StatusID)
		case "staff_notes":
			err = json.Unmarshal(in[field], &draft.StaffNotes)
			if len(draft.StaffNotes) > 65535 {
				return c.fail(http.StatusBadRequest, "The field 'staff_notes' is invalid.")
			}
			w.Field, w.From, w.To = FieldStaffNotes, o.StaffNotes, draft.StaffNotes
		case "customer_message":
			err = json.Unmarshal(in[field], &draft.Message)
			w.Field, w.From, w.To = FieldMessage, o.Message, draft.Message
		default:
			return c.fail(http.StatusBadRequest, "The field '"+field+"' cannot be written to. Please remove it from your request before trying again.")
		}
		if err != nil {
			return c.fail(http.StatusBadRequest, "The field '"+field+"' is invalid.")
		}
		writes = append(writes, w)
	}
	for _, w := range writes {
		c.shop.wrote(o, w)
	}
	o.StaffNotes, o.Message = draft.StaffNotes, draft.Message
	c.shop.moveOrder(o, draft.StatusID, c.actor())
	return answer{http.StatusOK, orderV2(c.shop, o)}
}

// actor names the caller in an order's history.
func (c *call) actor() string {
	if c.ours() {
		return AppName
	}
	return "API account " + c.token.ClientID[:min(6, len(c.token.ClientID))]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func listOrderProducts(c *call) answer {
	o := c.shop.order(c.id("order"))
	if o == nil {
		return c.notFound()
	}
	address := int64(0)
	if len(o.Shipping) > 0 {
		address = o.Shipping[0].ID
	}
	var list []obj
	for _, it := range o.Items {
		list = append(list, orderProductV2(c.shop, o, it, address))
	}
	return listV2(c, list)
}

func orderProductV2(s *Shop, o *Order, it OrderItem, address int64) obj {
	total, kind, brand := it.Price.Times(it.Quantity).String(), "physical", ""
	if it.Digital {
		kind = "digital"
	}
	if p := s.product(it.ProductID); p != nil {
		brand = s.maker(p.BrandID)
	}
	zero := Money(0).String()
	out := obj{
		"id": it.ID, "order_id": o.ID, "product_id": it.ProductID, "variant_id": it.ProductID, "order_address_id": address,
		"order_pickup_method_id": 0, "name": it.Name, "name_customer": it.Name, "name_merchant": it.Name, "sku": it.SKU, "upc": "", "type": kind,
		"base_price": it.Price.String(), "price_ex_tax": it.Price.String(), "price_inc_tax": it.Price.String(), "price_tax": zero,
		"base_total": total, "total_ex_tax": total, "total_inc_tax": total, "total_tax": zero, "discounted_total_inc_tax": total,
		"quantity": it.Quantity, "weight": "0.5", "width": "0.0000", "height": "0.0000", "depth": "0.0000",
		"is_refunded": o.StatusID == StatusRefunded, "quantity_refunded": 0, "refund_amount": zero, "return_id": 0, "quantity_shipped": 0,
		"wrapping_id": 0, "wrapping_name": "", "wrapping_message": "", "event_name": nil, "event_date": nil, "ebay_item_id": "", "ebay_transaction_id": "",
		"option_set_id": nil, "parent_order_product_id": nil, "is_bundled_product": false, "bin_picking_number": "", "external_id": nil, "brand": brand,
		"applied_discounts": []any{}, "product_options": []any{}, "configurable_fields": []any{}, "gift_certificate_id": nil,
	}
	for _, k := range []string{
		"base_cost_price", "cost_price_inc_tax", "cost_price_ex_tax", "cost_price_tax", "base_wrapping_cost",
		"wrapping_cost_ex_tax", "wrapping_cost_inc_tax", "wrapping_cost_tax", "fixed_shipping_cost",
	} {
		out[k] = zero
	}
	return out
}

func (s *Shop) maker(id int64) string {
	for _, b := range s.brands {
		if b.ID == id {
			return b.Name
		}
	}
	return ""
}

func listOrderAddresses(c *call) answer {
	o := c.shop.order(c.id("order"))
	if o == nil {
		return c.notFound()
	}
	var list []obj
	for _, a := range o.Shipping {
		v := addressV2(a)
		v["id"], v["order_id"], v["items_total"], v["items_shipped"] = a.ID, o.ID, o.Pieces(), o.shipped()
		v["shipping_method"], v["shipping_zone_id"], v["shipping_zone_name"] = o.ShippingName, 1, "United States"
		v["shipping_quotes"] = obj{
			"url":      c.shop.BaseURL + "/api/v2/orders/" + strconv.FormatInt(o.ID, 10) + "/shippingaddresses/" + strconv.FormatInt(a.ID, 10) + "/shippingquotes",
			"resource": "/orders/" + strconv.FormatInt(o.ID, 10) + "/shippingaddresses/" + strconv.FormatInt(a.ID, 10) + "/shippingquotes",
		}
		for _, k := range []string{"base_cost", "cost_ex_tax", "cost_inc_tax"} {
			v[k] = o.ShippingCost.String()
		}
		for _, k := range []string{"cost_tax", "base_handling_cost", "handling_cost_ex_tax", "handling_cost_inc_tax", "handling_cost_tax"} {
			v[k] = Money(0).String()
		}
		v["cost_tax_class_id"], v["handling_cost_tax_class_id"] = 0, 0
		list = append(list, v)
	}
	return listV2(c, list)
}

func statusV2(id int) obj {
	name := StatusName(id)
	return obj{"id": id, "name": name, "system_label": name, "custom_label": name, "system_description": name}
}

func listOrderStatuses(c *call) answer {
	var list []obj
	for id := range statusNames {
		list = append(list, statusV2(id))
	}
	return listV2(c, list)
}

func getOrderStatus(c *call) answer {
	id, err := strconv.Atoi(c.r.PathValue("status"))
	if err != nil || StatusName(id) == "" {
		return c.notFound()
	}
	return answer{http.StatusOK, statusV2(id)}
}
