package views

import (
	"net/url"
	"slices"
	"strings"
)

// SettingsData is the shop's 1Kosmos tenant and who may come in.
type SettingsData struct {
	Layout
	OwnerActs bool // whoever looks may erase a person and export everything

	Tenant         TenantForm
	LicenseKeySet  bool
	DVCIDSet       bool
	Own            bool // the shop has a tenant of its own; otherwise the operator's is in use
	OperatorTenant bool // the operator has one that the shop can use
	Errors         map[string]string
	CustomFields   bool // the second write-back target is on
	StoreHash      string
	Users          []UserRow
	ReadOnly       bool // whoever looks may not change the tenant
	Alarms         AlarmForm
	CanAlarm       bool // whoever looks may change who is told
	NoMailServer   bool // this idgate sends no mails at all
	SignBack       bool // a verified customer may go on in their account
	NoLoginScope   bool // BigCommerce has not granted what that needs
}

// SignBackField is "on" where a verified customer may go on in their account.
const SignBackField = "sign_back"

// AlarmField is whose mailbox is told of what needs a person.
const AlarmField = "alarm_to"

// AlarmForm is who of the shop's staff is told by mail.
type AlarmForm struct {
	To    string // a mailbox; empty: nobody
	Team  int    // how many mailboxes the mails to the team go to; then there is no To
	Error string // what FieldError takes
	From  string // SettingsBase
	Moved *SettingsMoved
}

// DisconnectField is set, by a form to the same address, to remove the shop's own tenant.
const DisconnectField = "disconnect"

// TenantForm is a shop's 1Kosmos tenant as typed. Keys are never sent back to the browser.
type TenantForm struct {
	DNS        string
	Community  string
	LicenseKey string
	DVCID      string
	Curve      string // secp256k1 or prime256v1
}

// UserRow is one person who has opened the app.
type UserRow struct {
	Email    string
	Role     string // one of RoleCodes
	You      bool
	LastSeen When
}

// ParseTenantForm reads the form as it was posted, spaces trimmed.
func ParseTenantForm(v url.Values) TenantForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return TenantForm{
		DNS:        get("dns"),
		Community:  get("community"),
		LicenseKey: get("license_key"),
		DVCID:      get("dvc_id"),
		Curve:      get("curve"),
	}
}

var tenantFields = map[string]string{
	"dns":         "1Kosmos host",
	"community":   "Community",
	"license_key": "Licence key",
	"dvc_id":      "dvcID (verification workflow)",
	"curve":       "Encryption curve",
}

// TenantFields lists the fields of the tenant form.
func TenantFields() []string { return codes(tenantFields) }

func (d SettingsData) control(name, value, hint string) control {
	return control{name: name, label: tenantFields[name], value: value, hint: hint, err: d.Errors[name]}
}

// secret is the control of a key: its value never leaves the server.
func (d SettingsData) secret(name string, set bool, hint string) control {
	if set {
		hint = "Set, and never shown. " + hint
	}
	return d.control(name, "", hint)
}

func (d SettingsData) wrong() bool {
	return d.Alarms.Error != "" || slices.ContainsFunc(codes(d.Errors), func(f string) bool { return d.Errors[f] != "" })
}

func curveChoices() []choice {
	return []choice{
		{"secp256k1", "secp256k1 (usual)", ""},
		{"prime256v1", "prime256v1 (FedRAMP)", ""},
	}
}

func (t TenantForm) curve() string {
	if t.Curve == "" {
		return "secp256k1"
	}
	return t.Curve
}
