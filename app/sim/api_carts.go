package sim

import (
	"strconv"
)

func cartRoutes() []route {
	return []route{
		{"GET", "/v3/carts/{cart}", readOrWrite("store_cart"), getCart},
		// The documentation's two spellings of the scope disagree; either is enough.
		{"GET", "/v3/checkouts/{cart}", readOrWrite("store_checkout", "store_checkouts"), getCheckout},
	}
}

// lineItemsV3 splits items as carts and checkouts do; taxed names the field that differs.
func (s *Shop) lineItemsV3(c *Cart, taxed string) obj {
	physical, digital := []obj{}, []obj{}
	for _, it := range c.Items {
		v := obj{
			"id": it.ID, "variant_id": it.ProductID, "product_id": it.ProductID, "sku": it.SKU, "name": it.Name,
			"url": s.BaseURL + "/products/" + strconv.FormatInt(it.ProductID, 10), "quantity": it.Quantity, taxed: true,
			"image_url": s.BaseURL + "/products/" + strconv.FormatInt(it.ProductID, 10) + "/image.svg", "discounts": []any{}, "discount_amount": 0, "coupon_amount": 0,
			"original_price": it.Price, "list_price": it.Price, "sale_price": it.Price,
			"extended_list_price": it.Price.Times(it.Quantity), "extended_sale_price": it.Price.Times(it.Quantity),
			"is_require_shipping": !it.Digital, "is_mutable": true, "added_by_promotion": false,
		}
		if it.Digital {
			digital = append(digital, v)
		} else {
			physical = append(physical, v)
		}
	}
	return obj{"physical_items": physical, "digital_items": digital, "gift_certificates": []any{}, "custom_items": []any{}}
}

// openCart finds a cart that has not become an order: after that the platform forgets it.
func (c *call) openCart() *Cart {
	ct := c.shop.carts[c.r.PathValue("cart")]
	if ct == nil || ct.OrderID != 0 {
		return nil
	}
	return ct
}

func getCart(c *call) answer {
	ct := c.openCart()
	if ct == nil {
		return c.notFound()
	}
	out := obj{
		"id": ct.ID, "customer_id": ct.CustomerID, "channel_id": ct.ChannelID, "email": ct.Email, "currency": obj{"code": ct.Currency},
		"tax_included": true, "base_amount": ct.Subtotal(), "discount_amount": 0, "manual_discount_amount": 0, "cart_amount": ct.Subtotal(),
		"coupons": []any{}, "discounts": []any{}, "line_items": c.shop.lineItemsV3(ct, "taxable"),
		"created_time": stamp(ct.Created), "updated_time": stamp(ct.Updated), "locale": "en", "version": ct.Version,
	}
	return data(out)
}

func checkoutAddress(id string, a Address) obj {
	out := obj{
		"id": id, "first_name": a.FirstName, "last_name": a.LastName, "email": a.Email, "company": a.Company, "address1": a.Street1,
		"address2": a.Street2, "city": a.City, "state_or_province": a.State, "state_or_province_code": a.StateCode,
		"country_code": a.CountryCode, "postal_code": a.Zip, "custom_fields": []any{},
	}
	if a.Phone != "" { // the documents' pattern has no place for an empty one
		out["phone"] = a.Phone
	}
	return out
}

// getCheckout answers for a converted cart too, then with its order_id.
func getCheckout(c *call) answer {
	ct := c.shop.carts[c.r.PathValue("cart")]
	if ct == nil {
		return c.notFound()
	}
	consignments := []obj{}
	for _, cs := range ct.Consignments {
		options := []obj{}
		for _, o := range c.shop.ShippingOptions() {
			options = append(options, shippingOptionV3(o))
		}
		v := obj{
			"id": cs.ID, "address": checkoutAddress(cs.ID, cs.Address), "available_shipping_options": options, "coupon_discounts": []any{}, "discounts": []any{},
			"shipping_cost_inc_tax": 0, "shipping_cost_ex_tax": 0, "handling_cost_inc_tax": 0, "handling_cost_ex_tax": 0, "line_item_ids": append([]string{}, cs.ItemIDs...),
		}
		if cs.Option != nil {
			v["selected_shipping_option"] = shippingOptionV3(*cs.Option)
			v["shipping_cost_inc_tax"], v["shipping_cost_ex_tax"] = cs.Option.Cost, cs.Option.Cost
		}
		consignments = append(consignments, v)
	}
	out := obj{
		"id": ct.ID,
		"cart": obj{
			"id": ct.ID, "customer_id": ct.CustomerID, "email": ct.Email, "currency": obj{"code": ct.Currency}, "tax_included": true, "channel_id": ct.ChannelID,
			"base_amount": ct.Subtotal(), "discount_amount": 0, "cart_amount_inc_tax": ct.Subtotal(), "cart_amount_ex_tax": ct.Subtotal(),
			"coupons": []any{}, "discounts": []any{}, "line_items": c.shop.lineItemsV3(ct, "is_taxable"),
			"created_time": stamp(ct.Created), "updated_time": stamp(ct.Updated),
		},
		"consignments": consignments, "taxes": []obj{{"name": "Tax", "amount": 0}}, "coupons": []any{}, "fees": []any{}, "order_id": nil,
		"shipping_cost_total_inc_tax": ct.Shipping(), "shipping_cost_total_ex_tax": ct.Shipping(), "handling_cost_total_inc_tax": 0, "handling_cost_total_ex_tax": 0,
		"tax_total": 0, "subtotal_inc_tax": ct.Subtotal(), "subtotal_ex_tax": ct.Subtotal(), "grand_total": ct.Total(),
		"created_time": stamp(ct.Created), "updated_time": stamp(ct.Updated), "customer_message": ct.Message, "promotions": []any{}, "version": ct.Version,
		"billing_address": checkoutAddress("billing", Address{Email: ct.Email}),
	}
	if ct.Billing != nil {
		out["billing_address"] = checkoutAddress("billing", *ct.Billing)
	}
	if ct.OrderID != 0 {
		out["order_id"] = strconv.FormatInt(ct.OrderID, 10)
	}
	return data(out)
}

func shippingOptionV3(o ShippingOption) obj {
	return obj{
		"id": o.ID, "description": o.Description, "type": "shipping_flatrate", "image_url": "", "cost": o.Cost,
		"transit_time": "", "additional_description": "",
	}
}
