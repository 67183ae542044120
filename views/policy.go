package views

import (
	"net/url"
	"slices"
	"strings"
)

// PolicyData is the policy form, filled with the Policy in force or with what was just entered and refused.
type PolicyData struct {
	Layout
	Currency      string // the shop's, ISO 4217
	Form          PolicyForm
	Errors        map[string]string // by field name: what FieldError takes
	SourceChoices []string          // order sources offered; nil offers SourceCodes
	Warnings      []string          // PolicyWarningCodes that hold for the Policy in force
	Versions      []PolicyVersion   // newest first; empty until the first save
	MoreVersions  bool              // older ones exist
	Draft
}

// PolicyForm is the form's values as they are typed. Its zero value is a form with everything unset.
type PolicyForm struct {
	Mode             string // off, shadow, enforce
	CheckoutIAL      string // 0 to 3
	StepUpValue      string // in the shop's currency; empty: no step-up
	StepUpIAL        string
	StepUpMaxAgeDays string // empty: as long as the proof is good
	StepUpSelfie     string // on or empty
	EvidenceDocument string // 1 to 3, or empty: IAL 0
	EvidenceSelfie   string
	LeastAge         string // empty: any
	ProofDays        string
	DocumentGrace    string   // in days; empty: none
	Tries            string   // a day; empty: 5
	Guests           string   // verify, sign_in, pass
	NameMatch        string   // on or empty
	AddressMatch     string   // on or empty
	HoldStatus       string   // 12 or 7
	OnMoved          string   // hold_again, override
	CancelDays       string   // empty: never
	Mails            string   // on or empty
	RemindHours      string   // "24, 48"; empty: no reminder
	Sources          []string // with SourcesMore, none: all
	SourcesMore      string   // others, by their names in BigCommerce, separated by commas
	KeepDays         string
	OnUnreachable    string // let_pay, stop
	OnProviderDown   string // let_pay, stop
	WriteBack        string // attributes, custom_fields
}

// PolicyVersion is one line of the list of versions.
type PolicyVersion struct {
	Number  string
	Who     string
	When    When
	Note    string
	Mode    string
	Current bool
}

// ParsePolicyForm reads the form as it was posted. It judges nothing: values come back as they were typed, spaces trimmed.
func ParsePolicyForm(v url.Values) PolicyForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return PolicyForm{
		Mode:             get("mode"),
		CheckoutIAL:      get("checkout_ial"),
		StepUpValue:      get("step_up_value"),
		StepUpIAL:        get("step_up_ial"),
		StepUpMaxAgeDays: get("step_up_max_age_days"),
		StepUpSelfie:     get("step_up_selfie"),
		EvidenceDocument: get("evidence_document_ial"),
		EvidenceSelfie:   get("evidence_selfie_ial"),
		LeastAge:         get("least_age"),
		ProofDays:        get("proof_days"),
		DocumentGrace:    get("document_grace"),
		Tries:            get("tries"),
		Guests:           get("guests"),
		NameMatch:        get("name_match"),
		AddressMatch:     get("address_match"),
		HoldStatus:       get("hold_status"),
		OnMoved:          get("on_moved"),
		CancelDays:       get("cancel_days"),
		Mails:            get("mails"),
		RemindHours:      get("remind_hours"),
		Sources:          v["sources"],
		SourcesMore:      get("sources_more"),
		KeepDays:         get("keep_days"),
		OnUnreachable:    get("on_unreachable"),
		OnProviderDown:   get("on_provider_down"),
		WriteBack:        get("writeback"),
	}
}

// policyFields are the fields of the form with their labels, in the form's order.
var policyFields = []struct{ name, label string }{
	{"mode", "Mode"},
	{"checkout_ial", "IAL needed at checkout"},
	{"least_age", "Least age"},
	{"proof_days", "A proof is good for"},
	{"name_match", "The name on the document must be the name on the order"},
	{"address_match", "The address on the document must be an address of the order"},
	{"guests", "What guests must do"},
	{"step_up_value", "Step-up order value"},
	{"step_up_ial", "IAL needed from that value"},
	{"step_up_max_age_days", "Greatest age of the proof"},
	{"step_up_selfie", "Needs a live selfie"},
	{"evidence_document_ial", "A document alone counts as"},
	{"evidence_selfie_ial", "A document with a live selfie counts as"},
	{"document_grace", "Take documents that expired no longer ago than"},
	{"tries", "Verifications a shopper may begin"},
	{"hold_status", "Status of a held order"},
	{"on_moved", "When somebody moves an order off hold"},
	{"cancel_days", "Cancel orders that nobody proves after"},
	{"mails", "Mail shoppers about their orders on hold"},
	{"remind_hours", "Remind them after"},
	{"sources", "Order sources covered"},
	{"sources_more", "Other sources"},
	{"on_unreachable", "When idgate cannot be reached"},
	{"on_provider_down", "When 1Kosmos cannot be reached"},
	{"writeback", "Where the outcome is written"},
	{"keep_days", "Keep records for"},
}

// PolicyFieldWords is the label of a field of the policy form.
func PolicyFieldWords(field string) string {
	for _, f := range policyFields {
		if f.name == field {
			return f.label
		}
	}
	return find(nil, field).Short
}

// PolicyFields lists the fields of the policy form, in the form's order.
func PolicyFields() []string {
	var out []string
	for _, f := range policyFields {
		out = append(out, f.name)
	}
	return out
}

var policyWarnings = map[string]Words{
	"provider_unset":    {Sentence: "1Kosmos is not connected, so nobody can verify. Connect it under Settings before enforcing."},
	"evidence_unmapped": {Sentence: "No evidence counts as an IAL yet. Until you set it below, every verification counts as IAL 0 and nobody can pass."},
	"level_unreachable": {Sentence: "A level is asked for that no evidence counts as. Orders that need it would be held for good."},
	"cancel_silent":     {Sentence: "Orders that nobody proves are cancelled without the shopper being told: mails to shoppers are switched off, or this idgate has no mail server."},
	"no_mail_server":    {Sentence: "Mails to shoppers are switched on, but this idgate has no mail server, so none is sent. Whoever runs it sets IDGATE_SMTP."},
	"digital_orders":    {Sentence: "BigCommerce completes paid orders of downloads at once: such an order can be downloaded before a hold reaches it."},

	"address_unshown": {Sentence: "The address on the document is compared, but passports are the only document you take and they show none: every order would be held for good. Take others under Settings, at the checkout."},
}

// PolicyWarningCodes lists what the policy form can warn of.
func PolicyWarningCodes() []string { return codes(policyWarnings) }

func (d PolicyData) control(name, value, hint string) control {
	return control{name: name, label: PolicyFieldWords(name), value: value, hint: hint, err: d.Errors[name]}
}

// wrong lists the fields of the form that were refused, in the form's order.
func (d PolicyData) wrong() []string {
	return slices.DeleteFunc(PolicyFields(), func(field string) bool { return d.Errors[field] == "" })
}

// stray lists the errors of fields that are not on the form, so that no refusal is silent.
func (d PolicyData) stray() []string {
	onForm := PolicyFields()
	return slices.DeleteFunc(codes(d.Errors), func(field string) bool {
		return d.Errors[field] == "" || slices.Contains(onForm, field)
	})
}

// errorAnchor is where the summary's link for a field leads: groups of radio buttons have no element with the field's own id.
func (d PolicyData) errorAnchor(field string) string {
	switch field {
	case "mode", "guests", "hold_status", "on_moved", "on_unreachable", "on_provider_down", "writeback", "sources":
		return "#" + field + "-error"
	}
	return "#" + field
}

func (d PolicyData) sourceChoices() []string {
	if d.SourceChoices == nil {
		return SourceCodes()
	}
	return d.SourceChoices
}

func (d PolicyData) covers(source string) bool { return slices.Contains(d.Form.Sources, source) }

func modeChoices() []choice {
	return []choice{
		{"off", "Off", ModeWords("off").Sentence},
		{"shadow", "Shadow", ModeWords("shadow").Sentence},
		{"enforce", "Enforce", ModeWords("enforce").Sentence + " Orders made before enforcement began are left alone."},
	}
}

func guestChoices() []choice {
	return []choice{
		{"verify", "Verify for each order", "A guest's proof is good for the cart it was made for."},
		{"sign_in", "Sign in", "Guests are asked to sign in or open an account first; orders placed as a guest are held."},
		{"pass", "Nothing: let guests through", "Anybody can then go round the policy by ordering as a guest."},
	}
}

func holdChoices() []choice {
	return []choice{
		{"12", "12 – Manual Verification Required",
			"BigCommerce's own status for this. Careful: ShipStation imports orders in this status by default, so take it out of its import settings. Ordoro skips them."},
		{"7", "7 – Awaiting Payment",
			"Most shipping tools skip orders in this status. The shopper may read in their account that payment is awaited although it was made."},
	}
}

func movedChoices() []choice {
	return []choice{
		{"hold_again", "Hold it once more, and say so",
			"The second time it counts as the shop's own decision, and idgate leaves the order as it is."},
		{"override", "Leave it: it is the shop's own decision",
			"The order is listed under Orders, “Moved by hand”, and your staff are told."},
	}
}

func failureChoices(stopHint string) []choice {
	return []choice{
		{"let_pay", "Let the shopper pay, and hold the order", "No sale is lost. The order waits until the shopper verifies by the link."},
		{"stop", "Stop the checkout", stopHint},
	}
}

func writeBackChoices() []choice {
	return []choice{
		{"attributes", "Customer attributes (v3)",
			"blockid_ial, blockid_vc_token, blockid_liveid_enrolled, blockid_verified_at and blockid_expires_at. Works on every shop."},
		{"custom_fields", "Customer attributes, and custom_fields (v2) as well",
			"Also sends PUT /v2/customers/{id} with custom_fields, as the 1Kosmos integration card prints it. BigCommerce does not document this field: shops may refuse it, and Health then says so."},
	}
}
