package sim

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxScripts   = 10 // of one client in one shop
	maxIntegrity = 5
)

func scriptRoutes() []route {
	read := append(readOrWrite("store_content_checkout"), readOrWrite("store_v2_content")...)
	write := []string{"store_content_checkout", "store_v2_content"}
	return []route{
		{"GET", "/v3/content/scripts", read, listScripts},
		{"POST", "/v3/content/scripts", write, postScript},
		{"GET", "/v3/content/scripts/{uuid}", read, getScript},
		{"PUT", "/v3/content/scripts/{uuid}", write, putScript},
		{"DELETE", "/v3/content/scripts/{uuid}", write, deleteScript},
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
