package sim

import "time"

// User is one of the merchant's staff.
type User struct {
	ID       int64
	Email    string
	Username string
	Locale   string
	Owner    bool
}

// Token is what an API caller authenticates with. A caller sees only the hooks, scripts and
// metafields that its own ClientID made.
type Token struct {
	Value    string
	ClientID string
	Secret   string // signs this client's webhooks
	Scopes   []string
}

// Installation is the state of the app in this shop.
type Installation struct {
	Installed   bool
	InstalledBy int64 // user id
	InstalledAt time.Time
	Scopes      []string
	Token       string
}

// Channel is a sales channel; AddShop makes storefronts, AddChannel makes others.
type Channel struct {
	ID       int64
	Name     string
	Type     string // storefront, pos, marketplace, marketing
	Platform string // bigcommerce, catalyst, …
	Status   string // active, prelaunch, …
	Created  time.Time
}

// Site is where a channel answers.
type Site struct {
	ID        int64
	ChannelID int64
	URL       string
	Created   time.Time
}

// Product is one thing for sale.
type Product struct {
	ID          int64
	Name        string
	Description string
	SKU         string
	Price       Money
	Categories  []int64
	BrandID     int64 // 0: none
	Digital     bool
	Color       string // CSS colour of the drawn picture
	Created     time.Time
}

// Category and Brand are the catalogue's shelves.
type Category struct {
	ID   int64
	Name string
}

// Brand is a maker's name.
type Brand struct {
	ID   int64
	Name string
}

// CustomerGroup is a v2 customer group.
type CustomerGroup struct {
	ID      int64
	Name    string
	Default bool
}

// Address serves customers, carts and orders; Email is empty in a customer's address book.
type Address struct {
	ID          int64
	FirstName   string
	LastName    string
	Company     string
	Street1     string
	Street2     string
	City        string
	State       string
	StateCode   string
	Zip         string
	Country     string
	CountryCode string
	Phone       string
	Email       string
}

// Customer is a shop's account.
type Customer struct {
	ID           int64
	Email        string
	FirstName    string
	LastName     string
	Company      string
	Phone        string
	Notes        string
	GroupID      int64
	Password     string // in the clear: nobody real has one
	ChannelID    int64
	Addresses    []Address
	Created      time.Time
	Modified     time.Time
	CustomFields []NameValue // what PUT /v2/customers/{id} left, where the shop's switch allows it
}

// NameValue is one of v2's custom_fields.
type NameValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Script is a Script Manager record made through the API.
type Script struct {
	UUID            string
	ClientID        string
	ChannelID       int64
	Name            string
	Description     string
	Kind            string // src | script_tag
	Src             string
	HTML            string
	LoadMethod      string // default | async | defer
	Location        string // head | footer
	Visibility      string // storefront | all_pages | checkout | order_confirmation
	ConsentCategory string
	Enabled         bool
	AutoUninstall   bool
	IntegrityHashes []string
	Created         time.Time
	Modified        time.Time
}

// Hook is a webhook subscription.
type Hook struct {
	ID          int64
	ClientID    string
	secret      string // of the client that made it
	Scope       string
	Destination string
	Headers     map[string]string
	Active      bool
	Deactivated bool // by the platform, after its last retry
	Created     time.Time
	Updated     time.Time
	lastEvent   time.Time
}

// Attribute is a customer attribute's definition.
type Attribute struct {
	ID       int64
	Name     string
	Type     string // string | number | date
	Created  time.Time
	Modified time.Time
}

// AttributeValue is one customer's value of an attribute.
type AttributeValue struct {
	ID          int64
	AttributeID int64
	CustomerID  int64
	Value       string
	Created     time.Time
	Modified    time.Time
}

// Metafield belongs to a customer or an order and to the client that wrote it.
type Metafield struct {
	ID            int64
	Resource      string // customer | order
	ResourceID    int64
	ClientID      string
	PermissionSet string
	Namespace     string
	Key           string
	Value         string
	Description   string
	Created       time.Time
	Modified      time.Time
}

// CSPHeader is the shop's own Content-Security-Policy for its storefront.
type CSPHeader struct {
	Enabled bool
	Value   string
}
