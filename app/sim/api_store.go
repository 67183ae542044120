package sim

import (
	"net/http"
	"strconv"
)

func storeRoutes() []route {
	info := readOrWrite("store_v2_information")
	channels := append(readOrWrite("store_channel_settings"), readOrWrite("store_channel_listings")...)
	sites := append(readOrWrite("store_sites"), readOrWrite("store_channel_settings")...)
	return []route{
		{"GET", "/v2/store", info, getStore},
		{"GET", "/v2/time", nil, getTime},
		{"GET", "/v3/channels", channels, listChannels},
		{"GET", "/v3/channels/{channel}", channels, getChannel},
		{"GET", "/v3/channels/{channel}/site", sites, getChannelSite},
		{"GET", "/v3/sites", sites, listSites},
		{"GET", "/v3/sites/{site}", sites, getSite},
		{"GET", "/v3/settings/storefront/security", info, getSecurity},
		{"PUT", "/v3/settings/storefront/security", []string{"store_v2_information"}, putSecurity},
	}
}

func getStore(c *call) answer {
	s := c.shop
	owner := s.users[0]
	return answer{http.StatusOK, obj{
		"id": s.Hash, "store_id": s.StoreID, "account_uuid": s.AccountUUID, "name": s.Name, "status": "live",
		"domain": s.Host, "secure_url": s.BaseURL, "control_panel_base_url": s.BaseURL,
		"first_name": "Olive", "last_name": "Owner", "address": "1 Kettle Yard", "country": "United States", "country_code": s.CountryCode,
		"phone": "15125550199", "admin_email": owner.Email, "order_email": owner.Email, "favicon_url": "",
		"infrastructure_region": "us-central1", "language": "en", "industry": "Food and drink", "logo": []any{},
		"timezone": obj{
			"name": s.Timezone, "raw_offset": -18000, "dst_offset": -14400, "dst_correction": true,
			"date_format": obj{"display": "M jS Y", "export": "M jS Y", "extended_display": "M jS Y @ g:i A"},
		},
		"currency": s.Currency, "currency_symbol": "$", "decimal_separator": ".", "thousands_separator": ",", "decimal_places": 2,
		"currency_symbol_location": "left", "weight_units": "KGS", "dimension_units": "Centimeters", "dimension_decimal_places": 2,
		"dimension_decimal_token": ".", "dimension_thousands_token": ",", "plan_name": "Plus", "plan_level": "Plus", "plan_is_trial": false,
		"is_price_entered_with_tax": true, "default_channel_id": s.channels[0].ID, "default_site_id": s.sites[0].ID, "active_comparison_modules": []any{},
		"features": obj{
			"stencil_enabled": true, "sitewidehttps_enabled": false, "facebook_catalog_id": "", "checkout_type": "optimized",
			"wishlists_enabled": true, "graphql_storefront_api_enabled": true, "shopper_consent_tracking_enabled": false,
			"multi_storefront_enabled": len(s.channels) > 1, "storefront_limits": obj{"active": 3, "total_including_inactive": 10},
		},
	}}
}

func getTime(c *call) answer { return answer{http.StatusOK, obj{"time": c.w.now().Unix()}} }

func channelV3(ch Channel) obj {
	return obj{
		"id": ch.ID, "external_id": "", "is_listable_from_ui": true, "is_enabled": ch.Status == "active", "is_visible": true, "status": ch.Status,
		"name": ch.Name, "type": ch.Type, "platform": ch.Platform, "date_created": stamp(ch.Created), "date_modified": stamp(ch.Created), "icon_url": "",
	}
}

func listChannels(c *call) answer {
	types, byType := c.words("type:in")
	statuses, byStatus := c.words("status:in")
	platforms, byPlatform := c.words("platform:in")
	available := c.query.Get("available")
	var out []obj
	for _, ch := range c.shop.channels {
		usable := ch.Status == "active" || ch.Status == "prelaunch" || ch.Status == "connected"
		switch {
		case byType && !types[ch.Type], byStatus && !statuses[ch.Status], byPlatform && !platforms[ch.Platform]:
		case available == "true" && !usable, available == "false" && usable:
		default:
			out = append(out, channelV3(ch))
		}
	}
	return listV3(c, out)
}

func getChannel(c *call) answer {
	for _, ch := range c.shop.channels {
		if ch.ID == c.id("channel") {
			return data(channelV3(ch))
		}
	}
	return c.notFound()
}

func siteV3(s Site) obj {
	at := stamp(s.Created)
	address := func(kind string) obj { return obj{"url": s.URL, "type": kind, "created_at": at, "updated_at": at} }
	return obj{
		"id": s.ID, "url": s.URL, "channel_id": s.ChannelID, "created_at": at, "updated_at": at, "ssl_status": "dedicated",
		"urls": []obj{address("primary"), address("canonical"), address("checkout")}, "is_checkout_url_customized": false,
	}
}

func getChannelSite(c *call) answer {
	for _, s := range c.shop.sites {
		if s.ChannelID == c.id("channel") {
			return data(siteV3(s))
		}
	}
	return c.notFound()
}

// listSites pages in words of its own: offset, limit and total_items.
func listSites(c *call) answer {
	channels, byChannel := c.ids("channel_id:in")
	var out []obj
	for _, s := range c.shop.sites {
		if !byChannel || channels[s.ChannelID] {
			out = append(out, siteV3(s))
		}
	}
	page, limit := c.page(50)
	kept := append([]obj{}, cutPage(out, page, limit)...)
	return answer{http.StatusOK, obj{"data": kept, "meta": obj{"pagination": obj{"offset": (page - 1) * limit, "limit": limit, "total_items": len(out)}}}}
}

func getSite(c *call) answer {
	for _, s := range c.shop.sites {
		if strconv.FormatInt(s.ID, 10) == c.r.PathValue("site") {
			return data(siteV3(s))
		}
	}
	return c.notFound()
}

func securityV3(h CSPHeader) obj {
	return obj{
		"csp_header":             obj{"enabled": h.Enabled, "header_value": h.Value},
		"hsts":                   obj{"enabled": false, "include_preload": false, "include_subdomains": false, "max_age": "zero_seconds"},
		"sitewide_https_enabled": false,
		"x_frame_options_header": obj{"enabled": false, "setting": "deny", "allowed_url": ""},
	}
}

func getSecurity(c *call) answer { return data(securityV3(c.shop.csp)) }

func putSecurity(c *call) answer {
	var in struct {
		CSP *struct {
			Enabled bool   `json:"enabled"`
			Value   string `json:"header_value"`
		} `json:"csp_header"`
	}
	if a := c.decode(&in); a.status != 0 {
		return a
	}
	if in.CSP != nil {
		c.shop.csp = CSPHeader{Enabled: in.CSP.Enabled, Value: in.CSP.Value}
	}
	return data(securityV3(c.shop.csp))
}
