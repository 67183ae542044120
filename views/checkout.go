package views

import (
	"net/url"
	"strings"
)

// CheckoutData is what the shop's checkout does: documents, the limit on Sessions, scripts.
type CheckoutData struct {
	Layout
	Form      CheckoutForm
	Documents []Document // all kinds there are
	Errors    map[string]string
	Moved     *SettingsMoved
	From      string // SettingsBase
	ReadOnly  bool
	Use       Use
	Scripts   ScriptsUse
}

// Use is how much of the limit on verifications is used in the last 24 hours.
type Use struct {
	Used, Most string
	Percent    int    // 0 to 100 and beyond
	Status     string // one of StatusCodes
}

// ScriptsUse is how many of BigCommerce's places for scripts are taken, as the last comparison found.
type ScriptsUse struct {
	Limit    string
	Found    string // ours that are in place; empty before the first comparison
	Others   string // of this app, that are not ours; empty: none
	LeftOut  []string
	Channels int // storefronts: each needs its own
	When     When
}

// CheckoutForm is the form as typed.
type CheckoutForm struct {
	Documents                      []string
	SessionsPerDay                 string // empty: as idgate comes
	AllPages, Confirmation, Inline string // set: on
}

// ParseCheckoutForm reads the form as it was posted.
func ParseCheckoutForm(v url.Values) CheckoutForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return CheckoutForm{Documents: v["documents"], SessionsPerDay: get("sessions_per_day"), AllPages: get("script_on_all_pages"),
		Confirmation: get("confirmation_script"), Inline: get("inline_lock")}
}

var checkoutFields = map[string]string{
	"documents": "Documents that will do", "sessions_per_day": "Verifications within 24 hours", "script_on_all_pages": "Gate on all pages",
	"confirmation_script": "Script on the page after the order", "inline_lock": "Inline lock",
}

// CheckoutFields lists the fields of the checkout form.
func CheckoutFields() []string { return codes(checkoutFields) }

func (d CheckoutData) control(name, value, hint string) control {
	return control{name: name, label: checkoutFields[name], value: value, hint: hint, err: d.Errors[name]}
}

func (d CheckoutData) accepts(kind string) bool {
	for _, k := range d.Form.Documents {
		if k == kind {
			return true
		}
	}
	return false
}

// scripts is how many the form as it stands needs, in words.
func (s ScriptsUse) text() string {
	if s.Found == "" {
		return "Not compared yet."
	}
	out := s.Found + " of " + s.Limit + " places are taken by idgate"
	if s.Others != "" {
		out += ", and " + s.Others + " by scripts that are not idgate's to touch"
	}
	return out + "."
}

// each says how many places one script more takes.
func (s ScriptsUse) each() string {
	switch s.Channels {
	case 0:
		return "It takes one place for each storefront."
	case 1:
		return "It takes one place."
	}
	return "It takes " + itoa(s.Channels) + " places, one for each storefront."
}

// DataData is what is kept, how long, and where data goes.
type DataData struct {
	Layout
	OwnerActs      bool // whoever looks may erase a person and export everything
	KeepDays       string
	TrafficDays    string // webhooks and changes
	CapabilityDays string // links, after they have run out
	AskedDays      string // that a mail was asked for
	ShopDays       string // everything, after an uninstallation
}

type keptData struct{ what, long string }

// kept says in plain words what forgetting does.
func (d DataData) kept() []keptData {
	days := plural(d.KeepDays, "day", "days")
	return []keptData{
		{"Buyers' names and mailboxes on orders, sealed", days + " after the order; orders that wait keep them until they are done"},
		{"Decisions with their reasons", days + "; the latest decision of an order stays as long as the order"},
		{"Verifications, and what they proved", days + " after they ended, or after the proof ran out"},
		{"Names and addresses of a proof, for comparison, sealed", "as long as the proof is good"},
		{"Links, and permissions of browsers", plural(d.CapabilityDays, "day", "days") + " after they ran out"},
		{"Webhooks that were received, and changes and mails that were made", plural(d.TrafficDays, "day", "days") + " after they were done"},
		{"That a shopper asked for a mail, and for which", plural(d.AskedDays, "day", "days")},
		{"The policy's versions and the activity log", "as long as the app is installed"},
	}
}
