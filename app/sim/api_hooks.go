package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const maxHooksOfScope = 10 // of one client in one shop

func hookRoutes() []route {
	return []route{
		{"GET", "/v3/hooks", nil, listHooks},
		{"POST", "/v3/hooks", nil, postHook},
		{"GET", "/v3/hooks/admin", nil, getHooksAdmin},
		{"PUT", "/v3/hooks/admin", nil, putHooksAdmin},
		{"GET", "/v3/hooks/{hook}", nil, getHook},
		{"PUT", "/v3/hooks/{hook}", nil, putHook},
		{"DELETE", "/v3/hooks/{hook}", nil, deleteHook},
	}
}

func hookV3(s *Shop, h *Hook) obj {
	return obj{
		"id": h.ID, "client_id": h.ClientID, "store_hash": s.Hash, "scope": h.Scope, "destination": h.Destination,
		"headers": cloneMap(h.Headers), "is_active": h.Active, "created_at": h.Created.Unix(), "updated_at": h.Updated.Unix(),
	}
}

var hookScope = regexp.MustCompile(`^store/(cart|customer|order|product|category|brand|channel|shipment|sku|inventory|subscriber|information|app|hook|metafield|priceList|modifier|option)(/[A-Za-z0-9]+)*(/\*)?$`)

const deliveryExceptionScope = "store/hook/deliveryException"

// checkHook is the platform's validation; an empty field means the hook is good.
func (c *call) checkHook(h *Hook) (status int, field, why string) {
	u, err := url.Parse(h.Destination)
	switch {
	case !hookScope.MatchString(h.Scope):
		return http.StatusUnprocessableEntity, "scope", "is not a valid scope"
	case err != nil || u.Host == "" || !c.w.allowsURL(h.Destination):
		return http.StatusUnprocessableEntity, "destination", "must be an https URL"
	case u.Scheme == "https" && u.Port() != "" && u.Port() != "443":
		return http.StatusUnprocessableEntity, "destination", "must be served on port 443"
	}
	same := 0
	for _, o := range c.shop.hooks {
		if o.ClientID != h.ClientID || o.ID == h.ID {
			continue
		}
		exceptions := o.Scope == deliveryExceptionScope || h.Scope == deliveryExceptionScope
		switch {
		case o.Scope == h.Scope && o.Destination == h.Destination:
			return http.StatusConflict, "destination", "this webhook already exists"
		case o.Scope == h.Scope && exceptions:
			return http.StatusConflict, "scope", "there can be one deliveryException hook"
		case o.Destination == h.Destination && exceptions:
			return http.StatusUnprocessableEntity, "destination", "the deliveryException destination must differ from all others"
		case o.Scope == h.Scope:
			same++
		}
	}
	if same >= maxHooksOfScope {
		return http.StatusUnprocessableEntity, "scope", "at most 10 webhooks per scope"
	}
	return 0, "", ""
}

type hookBody struct {
	Scope       *string         `json:"scope"`
	Destination *string         `json:"destination"`
	Active      *bool           `json:"is_active"`
	Headers     json.RawMessage `json:"headers"`
}

// over sets the fields that were sent; a headers field replaces all headers, null drops them.
func (b *hookBody) over(h *Hook) error {
	if b.Scope != nil {
		h.Scope = *b.Scope
	}
	if b.Destination != nil {
		h.Destination = *b.Destination
	}
	if b.Active != nil {
		h.Active = *b.Active
	}
	if len(b.Headers) == 0 {
		return nil
	}
	var headers map[string]string
	if err := json.Unmarshal(b.Headers, &headers); err != nil {
		return err
	}
	h.Headers = headers
	return nil
}

func (c *call) hook() *Hook {
	h := c.shop.hook(c.id("hook"))
	if h == nil || h.ClientID != c.token.ClientID {
		return nil
	}
	return h
}

func listHooks(c *call) answer {
	scope, destination, active := c.query.Get("scope"), c.query.Get("destination"), c.query.Get("is_active")
	var out []obj
	for _, h := range c.shop.hooks {
		switch {
		case h.ClientID != c.token.ClientID:
		case scope != "" && h.Scope != scope, destination != "" && h.Destination != destination:
		case active != "" && (active == "true") != h.Active:
		default:
			out = append(out, hookV3(c.shop, h))
		}
	}
	return listV3(c, out)
}

func getHook(c *call) answer {
	h := c.hook()
	if h == nil {
		return c.notFound()
	}
	return data(hookV3(c.shop, h))
}

func postHook(c *call) answer {
	var in hookBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	h := &Hook{ClientID: c.token.ClientID, secret: c.token.Secret, Active: true, Created: c.w.now(), Updated: c.w.now()}
	if err := in.over(h); err != nil {
		return c.unprocessable("headers", "must be an object of strings")
	}
	if status, field, why := c.checkHook(h); status != 0 {
		return c.invalid(status, "Invalid webhook: "+why, obj{field: why})
	}
	h.ID = c.w.id("hook", 18_048_000)
	c.shop.hooks = append(c.shop.hooks, h)
	return data(hookV3(c.shop, h))
}

func putHook(c *call) answer {
	h := c.hook()
	if h == nil {
		return c.notFound()
	}
	var in hookBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	draft := *h
	if err := in.over(&draft); err != nil {
		return c.unprocessable("headers", "must be an object of strings")
	}
	if status, field, why := c.checkHook(&draft); status != 0 {
		return c.invalid(status, "Invalid webhook: "+why, obj{field: why})
	}
	if draft.Active {
		draft.Deactivated = false
	}
	draft.Updated = c.w.now()
	*h = draft
	return data(hookV3(c.shop, h))
}

func deleteHook(c *call) answer {
	h := c.hook()
	if h == nil {
		return c.notFound()
	}
	gone := hookV3(c.shop, h)
	c.shop.deleteHook(h.ID)
	return data(gone)
}

func getHooksAdmin(c *call) answer {
	emails := slices.Clone(c.shop.hookEmails)
	if emails == nil {
		emails = []string{}
	}
	list, blocked := []obj{}, []obj{}
	active := c.query.Get("is_active")
	for _, h := range c.shop.hooks {
		if h.ClientID != c.token.ClientID || (active != "" && (active == "true") != h.Active) {
			continue
		}
		v := hookV3(c.shop, h)
		v["status"] = h.Status()
		list = append(list, v)
		if r := c.w.hosts[hostKey(h)]; r != nil && c.w.now().Before(r.until) {
			blocked = append(blocked, obj{"destination": h.Destination, "time_left": int(r.until.Sub(c.w.now()).Seconds()), "reasons": []obj{}})
		}
	}
	a := listV3(c, list)
	body := a.body.(obj)
	body["data"] = obj{"emails": emails, "hooks_list": list, "blocked_domains": blocked}
	return a
}

// Status is the word hooks/admin uses.
func (h *Hook) Status() string {
	switch {
	case h.Active:
		return "active"
	case h.Deactivated:
		return "deactivated"
	}
	return "inactive"
}

func putHooksAdmin(c *call) answer {
	var in struct {
		Emails []string `json:"emails"`
	}
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	for _, e := range in.Emails {
		if !strings.Contains(e, "@") {
			return c.unprocessable("emails", "must be e-mail addresses")
		}
	}
	c.shop.hookEmails = in.Emails
	return noContent
}
