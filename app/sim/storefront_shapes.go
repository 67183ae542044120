package sim

// The JSON of the storefront API. Amounts are numbers; a list that nothing fills is [] and not null.

type currencyJSON struct {
	Name          string `json:"name"`
	Code          string `json:"code"`
	Symbol        string `json:"symbol"`
	DecimalPlaces int    `json:"decimalPlaces"`
}

type cartJSON struct {
	ID             string        `json:"id"`
	CustomerID     int64         `json:"customerId"`
	Email          string        `json:"email"`
	Currency       currencyJSON  `json:"currency"`
	IsTaxIncluded  bool          `json:"isTaxIncluded"`
	BaseAmount     Money         `json:"baseAmount"`
	DiscountAmount Money         `json:"discountAmount"`
	CartAmount     Money         `json:"cartAmount"`
	Coupons        []any         `json:"coupons"`
	Discounts      []any         `json:"discounts"`
	LineItems      lineItemsJSON `json:"lineItems"`
	CreatedTime    string        `json:"createdTime"`
	UpdatedTime    string        `json:"updatedTime"`
	Locale         string        `json:"locale"`
	Version        int           `json:"version"`
}

type lineItemsJSON struct {
	PhysicalItems    []lineItemJSON `json:"physicalItems"`
	DigitalItems     []lineItemJSON `json:"digitalItems"`
	GiftCertificates []any          `json:"giftCertificates"`
	CustomItems      []any          `json:"customItems"`
}

type lineItemJSON struct {
	ID                      any    `json:"id"` // a UUID in a cart, a number in an order
	VariantID               int64  `json:"variantId"`
	ProductID               int64  `json:"productId"`
	SKU                     string `json:"sku"`
	Name                    string `json:"name"`
	URL                     string `json:"url"`
	Quantity                int    `json:"quantity"`
	Brand                   string `json:"brand"`
	IsTaxable               bool   `json:"isTaxable"`
	ImageURL                string `json:"imageUrl"`
	Discounts               []any  `json:"discounts"`
	DiscountAmount          Money  `json:"discountAmount"`
	CouponAmount            Money  `json:"couponAmount"`
	ListPrice               Money  `json:"listPrice"`
	SalePrice               Money  `json:"salePrice"`
	OriginalPrice           Money  `json:"originalPrice"`
	RetailPrice             Money  `json:"retailPrice"`
	ComparisonPrice         Money  `json:"comparisonPrice"`
	ExtendedListPrice       Money  `json:"extendedListPrice"`
	ExtendedSalePrice       Money  `json:"extendedSalePrice"`
	ExtendedComparisonPrice Money  `json:"extendedComparisonPrice"`
	Type                    string `json:"type"`
	AddedByPromotion        bool   `json:"addedByPromotion"`
	IsMutable               bool   `json:"isMutable"`
	IsShippingRequired      bool   `json:"isShippingRequired"`

	Options         *[]any    `json:"options,omitempty"`
	CategoryNames   *[]string `json:"categoryNames,omitempty"`
	DownloadURLs    *[]string `json:"downloadFileUrls,omitempty"`
	DownloadPageURL *string   `json:"downloadPageUrl,omitempty"`
	DownloadSize    *string   `json:"downloadSize,omitempty"`
}

type addressJSON struct {
	ID                  string `json:"id,omitempty"`
	FirstName           string `json:"firstName"`
	LastName            string `json:"lastName"`
	Email               string `json:"email"`
	Company             string `json:"company"`
	Address1            string `json:"address1"`
	Address2            string `json:"address2"`
	City                string `json:"city"`
	StateOrProvince     string `json:"stateOrProvince"`
	StateOrProvinceCode string `json:"stateOrProvinceCode"`
	Country             string `json:"country"`
	CountryCode         string `json:"countryCode"`
	PostalCode          string `json:"postalCode"`
	Phone               string `json:"phone"`
	CustomFields        []any  `json:"customFields"`
}

// customerAddressJSON is an address-book entry: its id is a number, and it has no e-mail.
type customerAddressJSON struct {
	ID int64 `json:"id"`
	addressJSON
	Type string `json:"type"`
}

type groupJSON struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type customerJSON struct {
	ID                    int64                 `json:"id"`
	IsGuest               bool                  `json:"isGuest"`
	Email                 string                `json:"email"`
	FirstName             string                `json:"firstName"`
	LastName              string                `json:"lastName"`
	FullName              string                `json:"fullName"`
	Addresses             []customerAddressJSON `json:"addresses"`
	StoreCredit           Money                 `json:"storeCredit"`
	ShouldEncourageSignIn bool                  `json:"shouldEncourageSignIn"`
	CustomerGroup         *groupJSON            `json:"customerGroup,omitempty"`
}

type shippingOptionJSON struct {
	ID                    string `json:"id"`
	Type                  string `json:"type"`
	Description           string `json:"description"`
	ImageURL              string `json:"imageUrl"`
	Cost                  Money  `json:"cost"`
	CostAfterDiscount     Money  `json:"costAfterDiscount"`
	TransitTime           string `json:"transitTime"`
	IsRecommended         bool   `json:"isRecommended"`
	AdditionalDescription string `json:"additionalDescription"`
}

type consignmentJSON struct {
	ID                         string                `json:"id"`
	Address                    addressJSON           `json:"address"`
	ShippingAddress            addressJSON           `json:"shippingAddress"`
	LineItemIDs                []string              `json:"lineItemIds"`
	ShippingCost               Money                 `json:"shippingCost"`
	HandlingCost               Money                 `json:"handlingCost"`
	ShippingCostBeforeDiscount Money                 `json:"shippingCostBeforeDiscount"`
	ComparisonShippingCost     Money                 `json:"comparisonShippingCost"`
	CouponDiscounts            []any                 `json:"couponDiscounts"`
	Discounts                  []any                 `json:"discounts"`
	SelectedShippingOption     *shippingOptionJSON   `json:"selectedShippingOption,omitempty"`
	AvailableShippingOptions   *[]shippingOptionJSON `json:"availableShippingOptions,omitempty"`
}

type taxJSON struct {
	Name   string `json:"name"`
	Amount Money  `json:"amount"`
}

type checkoutJSON struct {
	ID                          string            `json:"id"`
	Cart                        cartJSON          `json:"cart"`
	BillingAddress              *addressJSON      `json:"billingAddress,omitempty"`
	Consignments                []consignmentJSON `json:"consignments"`
	Customer                    customerJSON      `json:"customer"`
	CustomerMessage             string            `json:"customerMessage"`
	ChannelID                   int64             `json:"channelId"`
	OrderID                     *int64            `json:"orderId"`
	Coupons                     []any             `json:"coupons"`
	Discounts                   []any             `json:"discounts"`
	Fees                        []any             `json:"fees"`
	GiftCertificates            []any             `json:"giftCertificates"`
	Promotions                  []any             `json:"promotions"`
	Payments                    []any             `json:"payments"`
	Taxes                       []taxJSON         `json:"taxes"`
	TaxTotal                    Money             `json:"taxTotal"`
	Subtotal                    Money             `json:"subtotal"`
	GrandTotal                  Money             `json:"grandTotal"`
	OutstandingBalance          Money             `json:"outstandingBalance"`
	BalanceDue                  Money             `json:"balanceDue"`
	ShippingCostTotal           Money             `json:"shippingCostTotal"`
	ShippingCostBeforeDiscount  Money             `json:"shippingCostBeforeDiscount"`
	ComparisonShippingCost      Money             `json:"comparisonShippingCost"`
	HandlingCostTotal           Money             `json:"handlingCostTotal"`
	GiftWrappingCostTotal       Money             `json:"giftWrappingCostTotal"`
	TotalDiscount               Money             `json:"totalDiscount"`
	DisplayDiscountTotal        Money             `json:"displayDiscountTotal"`
	OrderBasedAutoDiscountTotal Money             `json:"orderBasedAutoDiscountTotal"`
	ManualDiscountTotal         Money             `json:"manualDiscountTotal"`
	IsStoreCreditApplied        bool              `json:"isStoreCreditApplied"`
	ShouldExecuteSpamCheck      bool              `json:"shouldExecuteSpamCheck"`
	CreatedTime                 string            `json:"createdTime"`
	UpdatedTime                 string            `json:"updatedTime"`
	Version                     int               `json:"version"`
}
