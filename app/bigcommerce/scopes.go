package bigcommerce

import (
	"slices"
	"strings"
)

// Scopes is all that idgate asks for, in every feature. It is asked for from the start: changing an app's scopes
// invalidates every token it has. The names are those of BigCommerce's OAuth scope table
// (docs: start/authentication/api-accounts).
//
// Not asked for: webhooks and metafields, which belong to every app's default scopes; Customer Groups, which come with
// store_v2_customers; capture and void, which come with store_v2_orders.
var Scopes = []string{
	"store_v2_information_read_only",   // GET /v2/store, /v2/time
	"store_v2_customers",               // customers, attributes, attribute values, metafields; the v2 write-back
	"store_v2_customers_login",         // sign-on back to the account after a hosted verification (opt-in per shop)
	"store_v2_orders",                  // the order gate: read, hold, release, note, metafields
	"store_v2_transactions_read_only",  // whether money was only authorised
	"store_v2_products_read_only",      // category and brand rules
	"store_v2_content",                 // Scripts API
	"store_content_checkout",           // Scripts API on checkout pages; causes a security assessment at review
	"store_channel_settings_read_only", // storefront channels
	"store_sites_read_only",            // their addresses: the CORS allow-list
	"store_cart_read_only",             // a cart's real contents
	"store_checkout_read_only",         // a checkout's real totals and addresses
}

// otherSpellings: BigCommerce's scope table and its OpenAPI files disagree on two names. The table is followed, because
// where an install's echo is on record (store_content_checkout) the table was right and the checkouts spec was wrong. A
// grant in the other spelling is accepted all the same.
var otherSpellings = map[string]string{
	"store_checkouts":           "store_checkout",
	"store_checkouts_read_only": "store_checkout_read_only",
	"store_checkout_content":    "store_content_checkout",
}

// MissingScopes lists what of Scopes the granted ones do not cover, in the order of Scopes. Granted scopes are compared
// as a superset, since BigCommerce adds default ones; X_read_only is covered by X.
func MissingScopes(granted []string) []string {
	have := make(map[string]bool, len(granted))
	for _, g := range granted {
		if table, ok := otherSpellings[g]; ok {
			g = table
		}
		have[g] = true
	}
	return slices.DeleteFunc(slices.Clone(Scopes), func(want string) bool {
		return have[want] || have[strings.TrimSuffix(want, "_read_only")]
	})
}
