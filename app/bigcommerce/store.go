package bigcommerce

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// StoreInfo is GET /v2/store.
type StoreInfo struct {
	Hash            string `json:"id"`
	StoreID         int64  `json:"store_id"` // a webhook's store_id
	AccountUUID     string `json:"account_uuid"`
	Name            string `json:"name"`
	Domain          string `json:"domain"`
	SecureURL       string `json:"secure_url"`
	ControlPanelURL string `json:"control_panel_base_url"`
	Status          string `json:"status"`
	AdminEmail      string `json:"admin_email"`
	OrderEmail      string `json:"order_email"`
	CountryCode     string `json:"country_code"`
	Language        string `json:"language"`
	Currency        string `json:"currency"` // the shop's default, ISO 4217
	Timezone        struct {
		Name string `json:"name"` // IANA
	} `json:"timezone"`
	PlanLevel        string `json:"plan_level"`
	DefaultChannelID int64  `json:"default_channel_id"`
	DefaultSiteID    int64  `json:"default_site_id"`
	Features         struct {
		// Scripts render only where Stencil is on and checkout is "optimized" (docs: integrations/scripts).
		StencilEnabled  bool   `json:"stencil_enabled"`
		CheckoutType    string `json:"checkout_type"`
		MultiStorefront bool   `json:"multi_storefront_enabled"`
		ShopperConsent  bool   `json:"shopper_consent_tracking_enabled"`
		GraphQLEnabled  bool   `json:"graphql_storefront_api_enabled"`
	} `json:"features"`
}

// Info says which store the token opens; an *Error with Status 401 says that it opens none any more.
func (s *Store) Info(ctx context.Context) (StoreInfo, error) {
	var i StoreInfo
	err := s.object(ctx, request{method: http.MethodGet, path: "/v2/store"}, &i)
	return i, err
}

// Time is the cheapest call that needs a valid token.
func (s *Store) Time(ctx context.Context) error {
	_, err := s.call(ctx, request{method: http.MethodGet, path: "/v2/time"}, nil)
	return err
}

// Channel is one storefront. Checkout scripts render where Platform is "bigcommerce".
type Channel struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Platform string `json:"platform"`
	Status   string `json:"status"` // prelaunch, active, inactive, …
}

// Channels lists the shop's available storefront channels; channel 1 is the default one.
func (s *Store) Channels(ctx context.Context) ([]Channel, error) {
	return listV3[Channel](ctx, s, request{
		path:  "/v3/channels",
		query: url.Values{"type:in": {"storefront"}, "available": {"true"}},
	})
}

// Site is where a channel is found on the web.
type Site struct {
	ID        int64  `json:"id"`
	ChannelID int64  `json:"channel_id"`
	URL       string `json:"url"`
	URLs      []struct {
		URL  string `json:"url"`
		Type string `json:"type"` // primary, canonical, checkout
	} `json:"urls"`
	CheckoutURLCustomized bool `json:"is_checkout_url_customized"`
}

// Sites lists the addresses of all channels.
func (s *Store) Sites(ctx context.Context) ([]Site, error) {
	return listV3[Site](ctx, s, request{path: "/v3/sites"})
}

// Origins lists the site's web origins, as a browser's Origin header spells them, without repetition.
func (s Site) Origins() []string {
	addresses := []string{s.URL}
	for _, u := range s.URLs {
		addresses = append(addresses, u.URL)
	}
	var origins []string
	seen := map[string]bool{}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		host := strings.ToLower(u.Host)
		switch {
		case u.Scheme == "https":
			host = strings.TrimSuffix(host, ":443")
		case u.Scheme == "http":
			host = strings.TrimSuffix(host, ":80")
		}
		if origin := u.Scheme + "://" + host; !seen[origin] {
			seen[origin] = true
			origins = append(origins, origin)
		}
	}
	return origins
}
