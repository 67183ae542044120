package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxScripts      = 10 // of one client in one shop
	maxHooksOfScope = 10 // of one client in one shop
	maxIntegrity    = 5
)

func contentRoutes() []route {
	read := append(readOrWrite("store_content_checkout"), readOrWrite("store_v2_content")...)
	write := []string{"store_content_checkout", "store_v2_content"}
	return []route{
		{"GET", "/v3/content/scripts", read, listScripts},
		{"POST", "/v3/content/scripts", write, postScript},
		{"GET", "/v3/content/scripts/{uuid}", read, getScript},
		{"PUT", "/v3/content/scripts/{uuid}", write, putScript},
		{"DELETE", "/v3/content/scripts/{uuid}", write, deleteScript},
		{"GET", "/v3/hooks", nil, listHooks},
		{"POST", "/v3/hooks", nil, postHook},
		{"GET", "/v3/hooks/admin", nil, getHooksAdmin},
		{"PUT", "/v3/hooks/admin", nil, putHooksAdmin},
		{"GET", "/v3/hooks/{hook}", nil, getHook},
		{"PUT", "/v3/hooks/{hook}", nil, putHook},
		{"DELETE", "/v3/hooks/{hook}", nil, deleteHook},
	}
}

// scriptBody is a script as requests and answers spell it.
type scriptBody struct {
	Name            *string   `json:"name"`
	Description     *string   `json:"description"`
	Kind            *string   `json:"kind"`
	Src             *string   `json:"src"`
	HTML            *string   `json:"html"`
	LoadMethod      *string   `json:"load_method"`
	Location        *string   `json:"location"`
	Visibility      *string   `json:"visibility"`
	Consent         *string   `json:"consent_category"`
	Enabled         *bool     `json:"enabled"`
	AutoUninstall   *bool     `json:"auto_uninstall"`
	ChannelID       *int64    `json:"channel_id"`
	IntegrityHashes *[]string `json:"integrity_hashes"`
}

// over sets the fields that were sent.
func (b *scriptBody) over(sc *Script) {
	texts := []struct {
		from *string
		to   *string
	}{
		{b.Name, &sc.Name}, {b.Description, &sc.Description}, {b.Kind, &sc.Kind}, {b.Src, &sc.Src}, {b.HTML, &sc.HTML},
		{b.LoadMethod, &sc.LoadMethod}, {b.Location, &sc.Location}, {b.Visibility, &sc.Visibility}, {b.Consent, &sc.ConsentCategory},
	}
	for _, t := range texts {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	if b.Enabled != nil {
		sc.Enabled = *b.Enabled
	}
	if b.AutoUninstall != nil {
		sc.AutoUninstall = *b.AutoUninstall
	}
	if b.ChannelID != nil {
		sc.ChannelID = *b.ChannelID
	}
	if b.IntegrityHashes != nil {
		sc.IntegrityHashes = slices.Clone(*b.IntegrityHashes)
	}
}

func scriptV3(sc *Script) obj {
	out := obj{
		"uuid": sc.UUID, "api_client_id": sc.ClientID, "name": sc.Name, "description": sc.Description, "kind": sc.Kind,
		"load_method": sc.LoadMethod, "location": sc.Location, "visibility": sc.Visibility, "consent_category": sc.ConsentCategory,
		"enabled": sc.Enabled, "auto_uninstall": sc.AutoUninstall, "channel_id": sc.ChannelID, "integrity_hashes": slices.Clone(sc.IntegrityHashes),
		"date_created": stamp(sc.Created), "date_modified": stamp(sc.Modified),
	}
	if sc.Kind == "src" {
		out["src"] = sc.Src
	} else {
		out["html"] = sc.HTML
	}
	if sc.IntegrityHashes == nil {
		out["integrity_hashes"] = []string{}
	}
	return out
}

var integrityHash = regexp.MustCompile(`^sha(256|384|512)-[A-Za-z0-9+/]+={0,2}$`)

// checkScript is the platform's validation; an empty field means the script is good.
func (s *Shop) checkScript(sc *Script) (field, why string) {
	oneOf := func(v string, words ...string) bool { return slices.Contains(words, v) }
	switch {
	case sc.Name == "" || utf8.RuneCountInString(sc.Name) > 255 || strings.Contains(sc.Name, ":"):
		return "name", "must be 1 to 255 characters, without a colon"
	case !oneOf(sc.Kind, "src", "script_tag"):
		return "kind", "must be src or script_tag"
	case !oneOf(sc.LoadMethod, "default", "async", "defer"):
		return "load_method", "must be default, async or defer"
	case !oneOf(sc.Location, "head", "footer"):
		return "location", "must be head or footer"
	case !oneOf(sc.Visibility, "storefront", "all_pages", "checkout", "order_confirmation"):
		return "visibility", "must be storefront, all_pages, checkout or order_confirmation"
	case !oneOf(sc.ConsentCategory, "essential", "functional", "analytics", "targeting", "unknown"):
		return "consent_category", "must be essential, functional, analytics or targeting"
	case !slices.ContainsFunc(s.channels, func(ch Channel) bool { return ch.ID == sc.ChannelID && ch.Type == "storefront" }):
		return "channel_id", "must be a storefront channel"
	case len(sc.IntegrityHashes) > maxIntegrity:
		return "integrity_hashes", "must have at most 5 items"
	case slices.ContainsFunc(sc.IntegrityHashes, func(h string) bool { return !integrityHash.MatchString(h) }):
		return "integrity_hashes", "must start with sha256-, sha384- or sha512-"
	}
	if sc.Kind == "src" {
		u, err := url.Parse(sc.Src)
		switch {
		case sc.HTML != "":
			return "html", "must not be set when kind is src"
		case err != nil || u.Host == "" || !s.w.allowsURL(sc.Src):
			return "src", "must be a valid https URL"
		}
		return "", ""
	}
	tags := strings.Count(strings.ToLower(sc.HTML), "<script")
	switch {
	case sc.Src != "":
		return "src", "must not be set when kind is script_tag"
	case tags < 1 || tags > 5 || len(sc.HTML) > 65536:
		return "html", "must hold one to five script tags in at most 65536 characters"
	case sc.LoadMethod != "default":
		return "load_method", "must be default when kind is script_tag"
	case len(sc.IntegrityHashes) > 0:
		return "integrity_hashes", "is only for kind src"
	}
	return "", ""
}

// allowsURL is https anywhere, or the app's own loopback origin, which the real platform refuses.
func (w *World) allowsURL(raw string) bool {
	return strings.HasPrefix(raw, "https://") || (w.opt.AppURL != "" && strings.HasPrefix(raw, w.opt.AppURL+"/"))
}

// mayShow tells whether the caller's scopes cover the script's pages.
func (c *call) mayShow(sc *Script) bool {
	if sc.Visibility == "checkout" || sc.Visibility == "all_pages" {
		return c.token.has("store_content_checkout")
	}
	return c.token.has("store_v2_content")
}

func (c *call) script() *Script {
	return find(c.shop.scripts, func(sc *Script) bool { return sc.UUID == c.r.PathValue("uuid") && sc.ClientID == c.token.ClientID })
}

func listScripts(c *call) answer {
	channels, byChannel := c.ids("channel_id:in")
	var kept []*Script
	for _, sc := range c.shop.scripts {
		if sc.ClientID == c.token.ClientID && (!byChannel || channels[sc.ChannelID]) {
			kept = append(kept, sc)
		}
	}
	if c.query.Get("sort") == "name" {
		slices.SortStableFunc(kept, func(a, b *Script) int { return strings.Compare(a.Name, b.Name) })
	}
	if c.query.Get("direction") == "desc" {
		slices.Reverse(kept)
	}
	out := make([]obj, len(kept))
	for i, sc := range kept {
		out[i] = scriptV3(sc)
	}
	return listV3(c, out)
}

func getScript(c *call) answer {
	sc := c.script()
	if sc == nil {
		return c.notFound()
	}
	return data(scriptV3(sc))
}

func postScript(c *call) answer {
	var in scriptBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	now := c.w.now()
	sc := &Script{
		UUID: c.w.uuid(), ClientID: c.token.ClientID, ChannelID: c.shop.channels[0].ID, Kind: "src", LoadMethod: "default", Location: "head",
		Visibility: "storefront", ConsentCategory: "unknown", Enabled: true, Created: now, Modified: now,
	}
	if in.HTML != nil && in.Src == nil {
		sc.Kind = "script_tag"
	}
	in.over(sc)
	if field, why := c.shop.checkScript(sc); field != "" {
		return c.unprocessable(field, why)
	}
	if !c.mayShow(sc) {
		return c.fail(http.StatusForbidden, "You don't have a required scope to access the endpoint")
	}
	own := 0
	for _, other := range c.shop.scripts {
		if other.ClientID == c.token.ClientID {
			own++
		}
	}
	if own >= maxScripts {
		return c.unprocessable("scripts", "an app can have at most 10 scripts")
	}
	c.shop.scripts = append(c.shop.scripts, sc)
	return data(scriptV3(sc))
}

func putScript(c *call) answer {
	sc := c.script()
	if sc == nil {
		return c.notFound()
	}
	var in scriptBody
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	draft := *sc
	in.over(&draft)
	if draft.Kind != sc.Kind || (sc.Kind == "src" && draft.HTML != "") {
		return c.unprocessable("html", "Invalid html update")
	}
	if field, why := c.shop.checkScript(&draft); field != "" {
		return c.unprocessable(field, why)
	}
	if !c.mayShow(&draft) {
		return c.fail(http.StatusForbidden, "You don't have a required scope to access the endpoint")
	}
	draft.Modified = c.w.now()
	*sc = draft
	return data(scriptV3(sc))
}

func deleteScript(c *call) answer {
	sc := c.script()
	if sc == nil {
		return c.notFound()
	}
	c.shop.scripts = slices.DeleteFunc(c.shop.scripts, func(other *Script) bool { return other == sc })
	return noContent
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
