package sim

import (
	"fmt"
	"net/http"
)

// checkoutSettings is the configuration that the SDK loads before anything else.
func (f *storefront) checkoutSettings(rw http.ResponseWriter, q *visit) error {
	context := obj{"geoCountryCode": q.shop.CountryCode, "flashMessages": []any{}, "payment": obj{"formId": nil, "token": nil}}
	if c, err := f.checkoutCart(q); err == nil {
		if id := q.URL.Query().Get("checkoutId"); id != "" && id != c.ID {
			return fmt.Errorf("checkout %s: %w", id, ErrNotFound)
		}
		context["checkoutId"] = c.ID
	} else if q.URL.Query().Has("checkoutId") {
		return err
	}
	return writeJSON(rw, http.StatusOK, obj{
		"context":       context,
		"customization": obj{"languageData": []any{}},
		"storeConfig":   q.storeConfig(),
	})
}

func (q *visit) storeConfig() obj {
	s := q.shop
	currency := currencyOf(s.Currency)
	money := obj{
		"code": currency.Code, "decimalPlaces": fmt.Sprint(currency.DecimalPlaces), "decimalSeparator": ".", "thousandsSeparator": ",",
		"symbol": currency.Symbol, "symbolLocation": "left", "isTransactional": true,
	}
	shopperMoney := obj{"exchangeRate": 1}
	for k, v := range money {
		shopperMoney[k] = v
	}
	site := q.origin()
	country, _ := countryByCode(s.CountryCode)
	return obj{
		"cdnPath": "", "imageDirectory": "product_images", "isAngularDebuggingEnabled": false,
		"displayDateFormat": "MMM d, yyyy", "inputDateFormat": "MM/dd/yyyy",
		"displaySettings":  obj{"hidePriceFromGuests": false},
		"checkoutSettings": checkoutSettingsJSON(),
		"currency":         money,
		"shopperCurrency":  shopperMoney,
		"formFields":       formFieldsJSON(),
		"paymentSettings":  obj{"bigpayBaseUrl": site, "clientSidePaymentProviders": []string{}},
		"shopperConfig": obj{
			"defaultNewsletterSignup": false, "showNewsletterSignup": false,
			"passwordRequirements": obj{"alpha": "[A-Za-z]", "numeric": "", "minlength": 4, "error": "Passwords must be at least 4 characters."},
		},
		"links": obj{
			"siteLink": site, "cartLink": site + "/cart.php", "checkoutLink": site + "/checkout", "orderConfirmationLink": site + "/checkout/order-confirmation",
			"createAccountLink": site + "/login.php?action=create_account", "loginLink": site + "/login.php", "logoutLink": site + "/login.php?action=logout",
			"forgotPasswordLink": site + "/login.php",
		},
		"storeProfile": obj{
			"storeHash": s.Hash, "storeId": fmt.Sprint(s.StoreID), "storeName": s.Name, "shopPath": site, "storeCountry": country.Name,
			"storeCountryCode": s.CountryCode, "storeLanguage": "en_US", "storePhoneNumber": "", "orderEmail": "orders@" + s.Hash + ".example",
		},
	}
}

func checkoutSettingsJSON() obj {
	return obj{
		"features":                              obj{},
		"checkoutBillingSameAsShippingEnabled":  true,
		"checkoutUserExperienceSettings":        obj{"enhancedCheckoutThemeV1": true, "walletButtonsOnTop": false, "floatingLabelEnabled": false},
		"enableOrderComments":                   true,
		"enableTermsAndConditions":              false,
		"googleMapsApiKey":                      "",
		"googleRecaptchaSitekey":                "",
		"isAccountCreationEnabled":              true,
		"isStorefrontSpamProtectionEnabled":     false,
		"guestCheckoutEnabled":                  true,
		"hasMultiShippingEnabled":               false,
		"isAnalyticsEnabled":                    false,
		"isCardVaultingEnabled":                 false,
		"isCouponCodeCollapsed":                 true,
		"isExpressPrivacyPolicy":                false,
		"isSignInEmailEnabled":                  false,
		"isPaymentRequestEnabled":               false,
		"isPaymentRequestCanMakePaymentEnabled": false,
		"isSpamProtectionEnabled":               false,
		"isTrustedShippingAddressEnabled":       false,
		"orderTermsAndConditions":               "",
		"orderTermsAndConditionsLocation":       "order_confirmation",
		"orderTermsAndConditionsLink":           "",
		"orderTermsAndConditionsType":           "textarea",
		"privacyPolicyUrl":                      "",
		"providerWithCustomCheckout":            nil,
		"shippingQuoteFailedMessage":            "Shipping is not available to this address.",
		"realtimeShippingProviders":             []string{},
		"requiresMarketingConsent":              false,
		"remoteCheckoutProviders":               []string{"applepay", "googlepaybraintree", "paypalcommerce"},
		"shouldRedirectToStorefrontForAuth":     false,
	}
}

func (f *storefront) formFields(rw http.ResponseWriter, _ *visit) error {
	return writeJSON(rw, http.StatusOK, formFieldsJSON())
}

func formFieldsJSON() obj {
	n := 0
	field := func(name, label string, required bool) obj {
		n++
		return obj{
			"id": fmt.Sprintf("field_%d", n), "name": name, "custom": false, "label": label, "required": required,
			"default": "", "fieldType": "text", "type": "string",
		}
	}
	address := func() []obj {
		list := []obj{
			field("firstName", "First Name", true), field("lastName", "Last Name", true), field("company", "Company Name", false),
			field("phone", "Phone Number", false), field("address1", "Address Line 1", true), field("address2", "Address Line 2", false),
			field("city", "City", true), field("countryCode", "Country", true), field("stateOrProvince", "State/Province", false),
			field("postalCode", "Postal Code", true),
		}
		return list
	}
	account := []obj{field("email", "Email Address", true), field("password", "Password", true)}
	account[1]["secret"] = true
	return obj{"customerAccount": account, "shippingAddress": address(), "billingAddress": address()}
}

func (w payWay) json() obj {
	return obj{
		"id": w.ID, "gateway": nil, "method": w.Kind, "type": w.Type, "supportedCards": w.Cards, "logoUrl": "", "clientToken": nil,
		"nonce": nil, "returnUrl": nil, "skipRedirectConfirmationAlert": false,
		"config": obj{
			"displayName": w.Name, "cardCode": w.Kind == "credit-card", "helpText": w.Help, "merchantId": "", "testMode": true,
			"enablePaypal": nil, "is3dsEnabled": nil, "isVisaCheckoutEnabled": nil, "hasDefaultStoredInstrument": false, "isHostedFormEnabled": false,
		},
		// Which strategy of the SDK draws the submit button itself is code, not data, in the real checkout.
		"initializationData": obj{"drawsButton": w.Kind == "paypal"},
	}
}

func (f *storefront) paymentMethods(rw http.ResponseWriter, _ *visit) error {
	list := []obj{}
	for _, w := range payWays {
		if w.Listed {
			list = append(list, w.json())
		}
	}
	return writeJSON(rw, http.StatusOK, list)
}

func (f *storefront) paymentMethod(rw http.ResponseWriter, q *visit) error {
	w, ok := payWayBy(func(w payWay) bool { return w.ID == q.PathValue("method") })
	if !ok {
		return fmt.Errorf("payment method %q: %w", q.PathValue("method"), ErrNotFound)
	}
	return writeJSON(rw, http.StatusOK, w.json())
}

// region is a state or province.
type region struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// country is a country that this shop sells to.
type country struct {
	Code           string   `json:"code"`
	Name           string   `json:"name"`
	HasPostalCodes bool     `json:"hasPostalCodes"`
	RequiresState  bool     `json:"requiresState"`
	Subdivisions   []region `json:"subdivisions"`
}

func countryByCode(code string) (country, bool) {
	for _, c := range countries {
		if c.Code == code {
			return c, true
		}
	}
	return country{}, false
}

func (f *storefront) listCountries(rw http.ResponseWriter, _ *visit) error {
	return writeJSON(rw, http.StatusOK, obj{"data": countries, "meta": obj{}})
}
