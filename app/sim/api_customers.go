package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxBatch          = 10  // items of one PUT
	maxAttributes     = 50  // definitions of one shop
	maxAttributeValue = 255 // characters
)

func customerRoutes() []route {
	read, write := readOrWrite("store_v2_customers"), []string{"store_v2_customers"}
	return []route{
		{"GET", "/v2/customers/{customer}", read, getCustomerV2},
		{"PUT", "/v2/customers/{customer}", write, putCustomerV2},
		{"GET", "/v2/customer_groups", read, listGroups},
		{"GET", "/v3/customers", read, listCustomers},
		{"PUT", "/v3/customers", write, putCustomers},
		{"GET", "/v3/customers/attributes", read, listAttributes},
		{"POST", "/v3/customers/attributes", write, postAttributes},
		{"GET", "/v3/customers/attribute-values", read, listAttributeValues},
		{"PUT", "/v3/customers/attribute-values", write, putAttributeValues},
		{"DELETE", "/v3/customers/attribute-values", write, deleteAttributeValues},
	}
}

func customerV2(s *Shop, c *Customer) obj {
	out := obj{
		"id": c.ID, "company": c.Company, "first_name": c.FirstName, "last_name": c.LastName, "email": c.Email, "phone": c.Phone,
		"date_created": rfc2822(c.Created), "date_modified": rfc2822(c.Modified), "store_credit": Money(0).String(), "registration_ip_address": "",
		"customer_group_id": c.GroupID, "notes": c.Notes, "tax_exempt_category": "", "accepts_marketing": false, "reset_pass_on_login": false,
		"form_fields": nil, "addresses": obj{"url": s.BaseURL + "/api/v2/customers/addresses", "resource": "/customers/addresses"},
	}
	if len(c.CustomFields) > 0 {
		out["custom_fields"] = c.CustomFields
	}
	return out
}

func getCustomerV2(c *call) answer {
	cu := c.shop.customer(c.id("customer"))
	if cu == nil {
		return c.notFound()
	}
	return answer{http.StatusOK, customerV2(c.shop, cu)}
}

// putCustomerV2 is the deprecated operation that 1Kosmos's card names. The platform's schema has
// no custom_fields, so it is refused like any unwritable field unless the shop's switch is on.
func putCustomerV2(c *call) answer {
	cu := c.shop.customer(c.id("customer"))
	if cu == nil {
		return c.notFound()
	}
	var in map[string]json.RawMessage
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	draft := cu.clone()
	texts := map[string]*string{
		"company": &draft.Company, "first_name": &draft.FirstName, "last_name": &draft.LastName,
		"email": &draft.Email, "phone": &draft.Phone, "notes": &draft.Notes,
	}
	for _, field := range sortedKeys(in) {
		var err error
		switch to, isText := texts[field]; {
		case isText:
			err = json.Unmarshal(in[field], to)
		case field == "customer_group_id":
			err = json.Unmarshal(in[field], &draft.GroupID)
		case field == "custom_fields" && c.shop.acceptV2CustomFields:
			var fields []NameValue
			if err = json.Unmarshal(in[field], &fields); err == nil {
				draft.CustomFields = mergeFields(draft.CustomFields, fields)
			}
		default:
			return c.fail(http.StatusBadRequest, "The field '"+field+"' cannot be written to. Please remove it from your request before trying again.")
		}
		if err != nil {
			return c.fail(http.StatusBadRequest, "The field '"+field+"' is invalid.")
		}
	}
	if other := c.shop.customerByEmail(draft.Email); other != nil && other.ID != cu.ID {
		return c.fail(http.StatusConflict, "The email address already exists.")
	}
	draft.Modified = c.w.now()
	*cu = draft
	c.shop.emit("store/customer/updated", obj{"type": "customer", "id": cu.ID})
	return answer{http.StatusOK, customerV2(c.shop, cu)}
}

// mergeFields sets each new field over the one of the same name.
func mergeFields(have, set []NameValue) []NameValue {
	for _, f := range set {
		if i := slices.IndexFunc(have, func(h NameValue) bool { return h.Name == f.Name }); i >= 0 {
			have[i].Value = f.Value
			continue
		}
		have = append(have, f)
	}
	return have
}

func listGroups(c *call) answer {
	var list []obj
	for _, g := range c.shop.groups {
		list = append(list, obj{
			"id": g.ID, "name": g.Name, "is_default": g.Default, "is_group_for_guests": false,
			"category_access": obj{"type": "all"}, "discount_rules": []any{},
			"date_created": "2026-01-05T09:00:00Z", "date_modified": "2026-01-05T09:00:00Z",
		})
	}
	return listV2(c, list)
}

func customerV3(s *Shop, c *Customer, include map[string]bool) obj {
	attributes := s.attrValues[c.ID]
	out := obj{
		"id": c.ID, "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName, "company": c.Company, "phone": c.Phone,
		"registration_ip_address": "", "notes": c.Notes, "tax_exempt_category": "", "customer_group_id": c.GroupID,
		"date_created": stamp(c.Created), "date_modified": stamp(c.Modified), "address_count": len(c.Addresses), "attribute_count": len(attributes),
		"authentication": obj{"force_password_reset": false}, "accepts_product_review_abandoned_cart_emails": false,
		"origin_channel_id": c.ChannelID,
	}
	if include["addresses"] {
		list := []obj{}
		for _, a := range c.Addresses {
			list = append(list, obj{
				"id": a.ID, "customer_id": c.ID, "first_name": a.FirstName, "last_name": a.LastName, "company": a.Company, "address1": a.Street1,
				"address2": a.Street2, "city": a.City, "state_or_province": a.State, "postal_code": a.Zip, "country": a.Country,
				"country_code": a.CountryCode, "phone": a.Phone, "address_type": "residential",
			})
		}
		out["addresses"] = list
	}
	if include["attributes"] {
		list := []obj{}
		for _, v := range attributes[:min(len(attributes), 10)] { // documented: limited to 10
			list = append(list, attributeValueV3(v))
		}
		out["attributes"] = list
	}
	if include["formfields"] {
		out["form_fields"] = []obj{}
	}
	if include["storecredit"] {
		out["store_credit_amounts"] = []obj{{"amount": 0}}
	}
	return out
}

func listCustomers(c *call) answer {
	ids, byID := c.ids("id:in")
	emails, byEmail := c.words("email:in")
	names, byName := c.words("name:in")
	groups, byGroup := c.ids("customer_group_id:in")
	include, _ := c.words("include")
	var out []obj
	for _, cu := range c.shop.customers {
		switch {
		case byID && !ids[cu.ID], byEmail && !emails[strings.ToLower(cu.Email)], byName && !names[strings.ToLower(cu.Name())], byGroup && !groups[cu.GroupID]:
		default:
			out = append(out, customerV3(c.shop, cu, include))
		}
	}
	return listV3(c, out)
}

func putCustomers(c *call) answer {
	var in []struct {
		ID      int64   `json:"id"`
		Email   *string `json:"email"`
		First   *string `json:"first_name"`
		Last    *string `json:"last_name"`
		Company *string `json:"company"`
		Phone   *string `json:"phone"`
		Notes   *string `json:"notes"`
		GroupID *int64  `json:"customer_group_id"`
	}
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	if len(in) > maxBatch {
		return c.fail(http.StatusRequestEntityTooLarge, "Request entity too large")
	}
	for _, ch := range in { // all or nothing
		cu := c.shop.customer(ch.ID)
		if cu == nil {
			return c.unprocessable("id", "customer not found")
		}
		if ch.GroupID != nil && *ch.GroupID != 0 && !slices.ContainsFunc(c.shop.groups, func(g CustomerGroup) bool { return g.ID == *ch.GroupID }) {
			return c.unprocessable("customer_group_id", "customer group not found")
		}
		if ch.Email != nil {
			if other := c.shop.customerByEmail(*ch.Email); other != nil && other.ID != cu.ID {
				return c.unprocessable("email", "email already in use")
			}
		}
	}
	set := func(to, from *string) {
		if from != nil {
			*to = *from
		}
	}
	out := []obj{}
	for _, ch := range in {
		cu := c.shop.customer(ch.ID)
		set(&cu.Email, ch.Email)
		set(&cu.FirstName, ch.First)
		set(&cu.LastName, ch.Last)
		set(&cu.Company, ch.Company)
		set(&cu.Phone, ch.Phone)
		set(&cu.Notes, ch.Notes)
		if ch.GroupID != nil {
			cu.GroupID = *ch.GroupID
		}
		cu.Modified = c.w.now()
		c.shop.emit("store/customer/updated", obj{"type": "customer", "id": cu.ID})
		out = append(out, customerV3(c.shop, cu, nil))
	}
	return data(out)
}

func attributeV3(a Attribute) obj {
	return obj{"id": a.ID, "name": a.Name, "type": a.Type, "date_created": stamp(a.Created), "date_modified": stamp(a.Modified)}
}

func listAttributes(c *call) answer {
	name, like := c.query.Get("name"), strings.ToLower(c.query.Get("name:like"))
	var out []obj
	for _, a := range c.shop.attributes {
		if (name == "" || a.Name == name) && strings.Contains(strings.ToLower(a.Name), like) {
			out = append(out, attributeV3(a))
		}
	}
	return listV3(c, out)
}

func postAttributes(c *call) answer {
	var in []struct{ Name, Type string }
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	switch {
	case len(in) > maxBatch:
		return c.fail(http.StatusRequestEntityTooLarge, "Request entity too large")
	case len(in) == 0:
		return c.unprocessable("", "at least one attribute is required")
	case len(c.shop.attributes)+len(in) > maxAttributes:
		return c.unprocessable("name", "a store can have at most 50 attributes")
	}
	seen := map[string]bool{}
	for _, a := range c.shop.attributes {
		seen[a.Name] = true
	}
	for _, a := range in {
		switch {
		case a.Name == "" || utf8.RuneCountInString(a.Name) > 255:
			return c.unprocessable("name", "must be 1 to 255 characters")
		case a.Type != "string" && a.Type != "number" && a.Type != "date":
			return c.unprocessable("type", "must be string, number or date")
		case seen[a.Name]:
			return c.unprocessable("name", "attribute name must be unique")
		}
		seen[a.Name] = true
	}
	out := []obj{}
	for _, a := range in {
		made := Attribute{ID: c.w.id("attribute:"+c.shop.Hash, 0), Name: a.Name, Type: a.Type, Created: c.w.now(), Modified: c.w.now()}
		c.shop.attributes = append(c.shop.attributes, made)
		out = append(out, attributeV3(made))
	}
	return data(out)
}

// attributeValueV3 says attribute_value where the request says value: the platform's own quirk.
func attributeValueV3(v *AttributeValue) obj {
	return obj{
		"id": v.ID, "attribute_id": v.AttributeID, "attribute_value": v.Value, "customer_id": v.CustomerID,
		"date_created": stamp(v.Created), "date_modified": stamp(v.Modified),
	}
}

func listAttributeValues(c *call) answer {
	customers, byCustomer := c.ids("customer_id:in")
	attributes, byAttribute := c.ids("attribute_id:in")
	name := c.query.Get("name")
	var kept []*AttributeValue
	for customer, values := range c.shop.attrValues {
		if byCustomer && !customers[customer] {
			continue
		}
		for _, v := range values {
			if (!byAttribute || attributes[v.AttributeID]) && (name == "" || c.shop.attributeName(v.AttributeID) == name) {
				kept = append(kept, v)
			}
		}
	}
	slices.SortFunc(kept, func(a, b *AttributeValue) int { return int(a.ID - b.ID) })
	var out []obj
	for _, v := range kept {
		out = append(out, attributeValueV3(v))
	}
	return listV3(c, out)
}

func putAttributeValues(c *call) answer {
	var in []struct {
		AttributeID int64   `json:"attribute_id"`
		CustomerID  int64   `json:"customer_id"`
		Value       *string `json:"value"`
	}
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	if len(in) > maxBatch {
		return c.fail(http.StatusRequestEntityTooLarge, "Request entity too large")
	}
	for _, v := range in { // all or nothing
		switch {
		case c.shop.attributeName(v.AttributeID) == "":
			return c.unprocessable("attribute_id", "attribute not found")
		case c.shop.customer(v.CustomerID) == nil:
			return c.unprocessable("customer_id", "customer not found")
		case v.Value == nil:
			return c.unprocessable("value", "value is required")
		case utf8.RuneCountInString(*v.Value) > maxAttributeValue:
			return c.unprocessable("value", "value must be at most 255 characters")
		}
	}
	out := []obj{}
	for _, v := range in {
		have := find(c.shop.attrValues[v.CustomerID], func(h *AttributeValue) bool { return h.AttributeID == v.AttributeID })
		if have == nil {
			have = &AttributeValue{ID: c.w.id("attribute_value:"+c.shop.Hash, 0), AttributeID: v.AttributeID, CustomerID: v.CustomerID, Created: c.w.now()}
			c.shop.attrValues[v.CustomerID] = append(c.shop.attrValues[v.CustomerID], have)
		}
		have.Value, have.Modified = *v.Value, c.w.now()
		out = append(out, attributeValueV3(have))
	}
	return data(out)
}

func deleteAttributeValues(c *call) answer {
	ids, ok := c.ids("id:in")
	if !ok {
		return c.unprocessable("id:in", "is required")
	}
	c.shop.dropValues(func(v *AttributeValue) bool { return ids[v.ID] })
	return noContent
}

// dropValues deletes the attribute values that match, of every customer.
func (s *Shop) dropValues(match func(*AttributeValue) bool) {
	for customer, values := range s.attrValues {
		s.attrValues[customer] = slices.DeleteFunc(values, match)
	}
}
