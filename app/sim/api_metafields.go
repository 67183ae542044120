package sim

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

const maxMetafields = 250 // of one client on one resource

func metafieldRoutes() []route {
	var out []route
	for _, kind := range []struct{ resource, scope string }{{"customer", "store_v2_customers"}, {"order", "store_v2_orders"}} {
		read, write := readOrWrite(kind.scope), []string{kind.scope}
		base := "/v3/" + kind.resource + "s/{resource}/metafields"
		m := metafields(kind.resource)
		out = append(out,
			route{"GET", base, read, m.list},
			route{"POST", base, write, m.post},
			route{"GET", base + "/{metafield}", read, m.get},
			route{"PUT", base + "/{metafield}", write, m.put},
			route{"DELETE", base + "/{metafield}", write, m.delete},
		)
	}
	return out
}

// metafields serves the metafields of one kind of resource.
type metafields string

func (m metafields) exists(c *call) bool {
	if m == "customer" {
		return c.shop.customer(c.id("resource")) != nil
	}
	return c.shop.order(c.id("resource")) != nil
}

func (m metafields) of(c *call) resource { return resource{string(m), c.id("resource")} }

// answer wraps one metafield. The published schema wants a list from POST and PUT on a customer
// and an object everywhere else; both are kept.
func (m metafields) answer(c *call, f *Metafield) answer {
	if m == "customer" && c.r.Method != http.MethodGet {
		return data([]obj{metafieldV3(f)})
	}
	return data(metafieldV3(f))
}

func metafieldV3(f *Metafield) obj {
	return obj{
		"id": f.ID, "resource_type": f.Resource, "resource_id": f.ResourceID, "owner_client_id": f.ClientID,
		"permission_set": f.PermissionSet, "namespace": f.Namespace, "key": f.Key, "value": f.Value, "description": f.Description,
		"date_created": stamp(f.Created), "date_modified": stamp(f.Modified),
	}
}

// visible is what a client may see of a resource's: its own, and others' that are not app_only.
func (m metafields) visible(c *call, f *Metafield) bool {
	return f.ClientID == c.token.ClientID || f.PermissionSet != "app_only"
}

func (m metafields) find(c *call) *Metafield {
	id := c.id("metafield")
	return find(c.shop.metafields[m.of(c)], func(f *Metafield) bool { return f.ID == id && m.visible(c, f) })
}

// writable also lets other clients change what was opened to them.
func (m metafields) writable(c *call, f *Metafield) bool {
	return f.ClientID == c.token.ClientID || f.PermissionSet == "write" || f.PermissionSet == "write_and_sf_access"
}

func (m metafields) list(c *call) answer {
	if !m.exists(c) {
		return c.notFound()
	}
	keys, byKey := c.words("key:in")
	spaces, bySpace := c.words("namespace:in")
	key, space := c.query.Get("key"), c.query.Get("namespace")
	var out []obj
	for _, f := range c.shop.metafields[m.of(c)] {
		switch {
		case !m.visible(c, f):
		case key != "" && f.Key != key, space != "" && f.Namespace != space:
		case byKey && !keys[f.Key], bySpace && !spaces[f.Namespace]:
		default:
			out = append(out, metafieldV3(f))
		}
	}
	return listV3(c, out)
}

func (m metafields) get(c *call) answer {
	f := m.find(c)
	if f == nil {
		return c.notFound()
	}
	return m.answer(c, f)
}

type metafieldBody struct {
	PermissionSet *string `json:"permission_set"`
	Namespace     *string `json:"namespace"`
	Key           *string `json:"key"`
	Value         *string `json:"value"`
	Description   *string `json:"description"`
}

func (b *metafieldBody) over(f *Metafield) {
	for _, t := range []struct{ from, to *string }{
		{b.PermissionSet, &f.PermissionSet}, {b.Namespace, &f.Namespace}, {b.Key, &f.Key}, {b.Value, &f.Value}, {b.Description, &f.Description},
	} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
}

func (f *Metafield) check() (field, why string) {
	short := func(s string, most int) bool { return s != "" && utf8.RuneCountInString(s) <= most }
	switch {
	case !slices.Contains([]string{"app_only", "read", "write", "read_and_sf_access", "write_and_sf_access"}, f.PermissionSet):
		return "permission_set", "is not a permission set"
	case !short(f.Namespace, 64):
		return "namespace", "must be 1 to 64 characters"
	case !short(f.Key, 64):
		return "key", "must be 1 to 64 characters"
	case !short(f.Value, 65535):
		return "value", "must be 1 to 65535 characters"
	case utf8.RuneCountInString(f.Description) > 255:
		return "description", "must be at most 255 characters"
	}
	return "", ""
}

func (m metafields) post(c *call) answer {
	if !m.exists(c) {
		return c.notFound()
	}
	var in metafieldBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	f := &Metafield{Resource: string(m), ResourceID: c.id("resource"), ClientID: c.token.ClientID, Created: c.w.now(), Modified: c.w.now()}
	in.over(f)
	if field, why := f.check(); field != "" {
		return c.unprocessable(field, why)
	}
	own := 0
	for _, o := range c.shop.metafields[m.of(c)] {
		if o.ClientID != f.ClientID {
			continue
		}
		if o.Namespace == f.Namespace && o.Key == f.Key {
			return c.conflict()
		}
		own++
	}
	if own >= maxMetafields {
		return c.unprocessable("key", "at most 250 metafields per resource")
	}
	f.ID = c.w.id("metafield:"+c.shop.Hash, 5000)
	c.shop.metafields[m.of(c)] = append(c.shop.metafields[m.of(c)], f)
	m.wrote(c, f, "", f.Value)
	m.emit(c, f, "created")
	return m.answer(c, f)
}

func (c *call) conflict() answer {
	return c.invalid(http.StatusConflict, "Metafield with this namespace and key already exists", obj{"key": "must be unique within the namespace"})
}

func (m metafields) put(c *call) answer {
	f := m.find(c)
	if f == nil {
		return c.notFound()
	}
	if !m.writable(c, f) {
		return c.fail(http.StatusForbidden, "This metafield belongs to another app")
	}
	var in metafieldBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	draft := *f
	in.over(&draft)
	if field, why := draft.check(); field != "" {
		return c.unprocessable(field, why)
	}
	twin := find(c.shop.metafields[m.of(c)], func(o *Metafield) bool {
		return o != f && o.ClientID == f.ClientID && o.Namespace == draft.Namespace && o.Key == draft.Key
	})
	if twin != nil {
		return c.conflict()
	}
	draft.Modified = c.w.now()
	m.wrote(c, &draft, f.Value, draft.Value)
	*f = draft
	m.emit(c, f, "updated")
	return m.answer(c, f)
}

func (m metafields) delete(c *call) answer {
	f := m.find(c)
	if f == nil {
		return c.notFound()
	}
	if !m.writable(c, f) {
		return c.fail(http.StatusForbidden, "This metafield belongs to another app")
	}
	c.shop.metafields[m.of(c)] = slices.DeleteFunc(c.shop.metafields[m.of(c)], func(o *Metafield) bool { return o == f })
	m.wrote(c, f, f.Value, "")
	m.emit(c, f, "deleted")
	return noContent
}

// wrote keeps a write of an order's metafield for OrderWrites.
func (m metafields) wrote(c *call, f *Metafield, from, to string) {
	if m == "order" {
		c.shop.wrote(c.shop.order(f.ResourceID), OrderWrite{Actor: c.actor(), Field: FieldMetafield, Key: f.Namespace + "/" + f.Key, From: from, To: to})
	}
}

// emit fires for orders only: customers have no metafield event.
func (m metafields) emit(c *call, f *Metafield, verb string) {
	if m == "order" {
		c.shop.emit("store/order/metafield/"+verb, obj{"type": "order", "metafield_id": strconv.FormatInt(f.ID, 10), "resource_id": strconv.FormatInt(f.ResourceID, 10)})
	}
}
