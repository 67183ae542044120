package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrNotFound is wrapped by every look-up that finds nothing.
var ErrNotFound = errors.New("not found")

// Shop is one merchant's store. The fields in capitals never change after AddShop; the others
// belong to World.mu.
type Shop struct {
	w *World

	Hash        string
	StoreID     int64 // numeric; webhooks carry it as a string
	AccountUUID string
	Name        string
	Host        string // of its first storefront channel: store.localhost
	BaseURL     string // http://store.localhost:8081
	Currency    string // ISO 4217
	Timezone    string
	CountryCode string

	channels   []Channel
	sites      []Site
	users      []User // the owner first
	tokens     []*Token
	app        Installation
	products   []*Product
	categories []Category
	brands     []Brand
	groups     []CustomerGroup
	customers  []*Customer
	byNumber   map[int64]*Customer // of customers
	carts      map[string]*Cart
	orders     orderBook
	writes     map[int64][]OrderWrite // by order, in the order they were made
	scripts    []*Script
	hooks      []*Hook
	hookEmails []string
	attributes []Attribute
	attrValues map[int64][]*AttributeValue // by customer
	metafields map[resource][]*Metafield
	csp        CSPHeader

	acceptV2CustomFields bool // PUT /v2/customers/{id} keeps custom_fields instead of answering 400
	blockScripts         bool // the storefront leaves API scripts out, as an ad-blocker would
	keepCustomerInOrders bool // a deleted customer's number stays in its orders
	dropWebhooks         bool // nothing is delivered; nothing is retried either
	keepWebhooks         bool // what would be sent goes to kept
	kept                 []*delivery
	faults               Faults
	failNext             []FailRule
	outage               Fault // of every request until outageUntil; 0: none
	outageUntil          time.Time
	latency              time.Duration // real time that every API request takes
	limiter              limiter
	gauges               map[string]*gauge // by operation
}

// resource is what metafields belong to.
type resource struct {
	kind string // customer | order
	id   int64
}

// ShopOptions describes a shop to add; the zero value is a usable US shop.
type ShopOptions struct {
	Hash        string // default: ten random characters
	Name        string
	Host        string // default: the host of Options.StoreURL
	Currency    string // default USD
	Timezone    string // default America/New_York
	CountryCode string // default US
	// MoreChannels are hosts of further storefront channels, served from the same catalogue.
	MoreChannels []string
	// RequestsPerWindow is the API quota of 30 s. Default 150, the Standard plan's; negative: no limit.
	RequestsPerWindow int
}

// AddShop opens a shop with an owner, two staff users and a storefront channel, and an empty catalogue.
func (w *World) AddShop(o ShopOptions) *Shop {
	w.mu.Lock()
	defer w.mu.Unlock()
	def := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	def(&o.Hash, w.token(10))
	def(&o.Name, "Copper Kettle Trading")
	def(&o.Host, hostOf(w.opt.StoreURL))
	def(&o.Currency, "USD")
	def(&o.Timezone, "America/New_York")
	def(&o.CountryCode, "US")
	if o.RequestsPerWindow == 0 {
		o.RequestsPerWindow = 150
	}
	s := &Shop{
		w: w, Hash: o.Hash, StoreID: w.id("store", 1_002_300), AccountUUID: w.uuid(), Name: o.Name,
		Host: o.Host, BaseURL: withHost(w.opt.StoreURL, o.Host),
		Currency: o.Currency, Timezone: o.Timezone, CountryCode: o.CountryCode,
		carts:   map[string]*Cart{},
		limiter: limiter{quota: o.RequestsPerWindow}, gauges: map[string]*gauge{},
		orders: orderBook{byID: map[int64]*Order{}}, writes: map[int64][]OrderWrite{},
		byNumber: map[int64]*Customer{}, attrValues: map[int64][]*AttributeValue{}, metafields: map[resource][]*Metafield{},
		groups: []CustomerGroup{{ID: 1, Name: "Members", Default: true}, {ID: 2, Name: "Trade"}},
	}
	domain := o.Hash + ".example"
	s.users = []User{
		{ID: w.id("user", 9_128_000), Email: "owner@" + domain, Username: "Olive Owner", Locale: "en-US", Owner: true},
		{ID: w.id("user", 0), Email: "sam@" + domain, Username: "Sam Staff", Locale: "en-US"},
		{ID: w.id("user", 0), Email: "dana@" + domain, Username: "Dana Desk", Locale: "en-GB"},
	}
	for i, host := range append([]string{o.Host}, o.MoreChannels...) {
		ch := Channel{ID: 1, Name: o.Name, Type: "storefront", Platform: "bigcommerce", Status: "active", Created: w.now()}
		if i > 0 {
			ch.ID, ch.Name = w.id("channel", 667_000), fmt.Sprintf("%s %d", o.Name, i+1)
		}
		s.channels = append(s.channels, ch)
		s.sites = append(s.sites, Site{ID: w.id("site", 1_000), ChannelID: ch.ID, URL: withHost(w.opt.StoreURL, host), Created: w.now()})
	}
	w.shops = append(w.shops, s)
	return s
}

// AddChannel adds a channel without a site: a till, a marketplace, a storefront hosted elsewhere.
func (s *Shop) AddChannel(ch Channel) Channel {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	ch.ID, ch.Created = s.w.id("channel", 667_000), s.w.now()
	s.channels = append(s.channels, ch)
	return ch
}

func hostOf(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	return hostname(rest)
}

// Users lists the shop's staff, the owner first.
func (s *Shop) Users() []User { return locked(s, func() []User { return slices.Clone(s.users) }) }

// Channels lists the shop's channels, the default first.
func (s *Shop) Channels() []Channel {
	return locked(s, func() []Channel { return slices.Clone(s.channels) })
}

// Sites lists where the channels answer.
func (s *Shop) Sites() []Site { return locked(s, func() []Site { return slices.Clone(s.sites) }) }

// Products lists the catalogue.
func (s *Shop) Products() []Product {
	return locked(s, func() []Product { return derefAll(s.products) })
}

// Categories lists the catalogue's categories.
func (s *Shop) Categories() []Category {
	return locked(s, func() []Category { return slices.Clone(s.categories) })
}

// Product finds a product; the error wraps ErrNotFound.
func (s *Shop) Product(id int64) (Product, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	p := s.product(id)
	if p == nil {
		return Product{}, fmt.Errorf("product %d: %w", id, ErrNotFound)
	}
	return *p, nil
}

func (s *Shop) product(id int64) *Product {
	return find(s.products, func(p *Product) bool { return p.ID == id })
}

// AddProduct puts a product in the catalogue and returns it with its id.
func (s *Shop) AddProduct(p Product) Product {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	p.ID, p.Created = s.w.id("product:"+s.Hash, 80), s.w.now()
	s.products = append(s.products, &p)
	return p
}

// AddCategory and AddBrand make a shelf and return its id.
func (s *Shop) AddCategory(name string) int64 {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	c := Category{ID: s.w.id("category:"+s.Hash, 20), Name: name}
	s.categories = append(s.categories, c)
	return c.ID
}

// AddBrand makes a brand and returns its id.
func (s *Shop) AddBrand(name string) int64 {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	b := Brand{ID: s.w.id("brand:"+s.Hash, 36), Name: name}
	s.brands = append(s.brands, b)
	return b.ID
}

// Installation tells whether the app is installed here.
func (s *Shop) Installation() Installation { return locked(s, func() Installation { return s.app }) }

// AddAPIAccount makes a token of the merchant's own, as Settings › API accounts does.
func (s *Shop) AddAPIAccount(scopes ...string) Token {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	t := &Token{Value: s.w.token(31), ClientID: s.w.token(31), Secret: s.w.token(64), Scopes: slices.Clone(scopes)}
	s.tokens = append(s.tokens, t)
	return *t
}

// AcceptV2CustomFields makes PUT /v2/customers/{id} keep custom_fields instead of answering 400.
func (s *Shop) AcceptV2CustomFields(on bool) { s.set(func() { s.acceptV2CustomFields = on }) }

// BlockScripts makes the storefront leave API scripts out of its pages, as an ad-blocker would.
func (s *Shop) BlockScripts(on bool) { s.set(func() { s.blockScripts = on }) }

// ScriptsBlocked tells whether BlockScripts is on.
func (s *Shop) ScriptsBlocked() bool { return locked(s, func() bool { return s.blockScripts }) }

// AcceptsV2CustomFields tells whether AcceptV2CustomFields is on.
func (s *Shop) AcceptsV2CustomFields() bool {
	return locked(s, func() bool { return s.acceptV2CustomFields })
}

// WebhooksDropped tells whether DropWebhooks is on.
func (s *Shop) WebhooksDropped() bool { return locked(s, func() bool { return s.dropWebhooks }) }

// DropWebhooks makes every webhook of this shop vanish without a retry.
func (s *Shop) DropWebhooks(on bool) { s.set(func() { s.dropWebhooks = on }) }

// SetCSP sets the shop's own Content-Security-Policy header.
func (s *Shop) SetCSP(h CSPHeader) { s.set(func() { s.csp = h }) }

// SetTimezone moves the shop to another zone, by its IANA name.
func (s *Shop) SetTimezone(zone string) { s.set(func() { s.Timezone = zone }) }

// CSP is the shop's own Content-Security-Policy header.
func (s *Shop) CSP() CSPHeader { return locked(s, func() CSPHeader { return s.csp }) }

// Scripts lists Script Manager's API scripts.
func (s *Shop) Scripts() []Script { return locked(s, func() []Script { return derefAll(s.scripts) }) }

// ScriptsFor lists what a page must carry, in order: the channel's enabled scripts whose
// visibility covers the page (checkout, order_confirmation, or any other word for an ordinary
// page) and whose location is head or footer. It is empty while scripts are blocked.
func (s *Shop) ScriptsFor(channelID int64, page, location string) []Script {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.blockScripts {
		return nil
	}
	var out []Script
	for _, sc := range s.scripts {
		if sc.Enabled && sc.ChannelID == channelID && sc.Location == location && sc.covers(page) {
			out = append(out, *sc)
		}
	}
	return out
}

func (sc *Script) covers(page string) bool {
	switch sc.Visibility {
	case "all_pages":
		return true
	case "checkout", "order_confirmation":
		return page == sc.Visibility
	}
	return page != "checkout" && page != "order_confirmation"
}

// DeleteScript removes a script as the merchant would in Script Manager.
func (s *Shop) DeleteScript(uuid string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	n := len(s.scripts)
	s.scripts = slices.DeleteFunc(s.scripts, func(sc *Script) bool { return sc.UUID == uuid })
	if len(s.scripts) == n {
		return fmt.Errorf("script %s: %w", uuid, ErrNotFound)
	}
	return nil
}

// SetScriptConsent changes a script's consent category as the merchant can in Script Manager.
func (s *Shop) SetScriptConsent(uuid, category string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	sc := find(s.scripts, func(sc *Script) bool { return sc.UUID == uuid })
	if sc == nil {
		return fmt.Errorf("script %s: %w", uuid, ErrNotFound)
	}
	sc.ConsentCategory, sc.Modified = category, s.w.now()
	return nil
}

func (s *Shop) set(f func()) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	f()
}

func locked[T any](s *Shop, f func() T) T {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return f()
}

func find[T any](list []*T, ok func(*T) bool) *T {
	for _, v := range list {
		if ok(v) {
			return v
		}
	}
	return nil
}

func derefAll[T any](list []*T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = *v
	}
	return out
}
