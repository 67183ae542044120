package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"

	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/views"
)

const (
	maxCommunity = 100 // characters
	maxKey       = 200
	maxMailbox   = 254 // bytes
)

// settings shows the Shop's 1Kosmos tenant and who may come in.
func (s *Server) settings(w http.ResponseWriter, r *http.Request, v visit) error {
	t := s.ownTenant(v.Shop)
	return s.showSettings(w, r, v, http.StatusOK, views.SettingsData{Tenant: views.TenantForm{DNS: t.DNS, Community: t.Community, Curve: t.Curve},
		Alarms: alarmForm(v.Shop)})
}

// alarmForm is the form as it is opened.
func alarmForm(shop *ledger.Shop) views.AlarmForm {
	return views.AlarmForm{To: shop.Settings.AlarmTo, From: digest(shop.Settings.AlarmTo), Team: len(shop.Settings.Staff.To)}
}

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request, v visit, status int, d views.SettingsData) error {
	users, err := s.Ledger.Users(r.Context(), v.Shop.Hash)
	if err != nil {
		return err
	}
	p := present(v.Shop)
	for _, u := range users {
		d.Users = append(d.Users, views.UserRow{Email: u.Email, Role: string(u.Role), You: u.ID == v.User.ID, LastSeen: p.when(u.SeenAt)})
	}
	t := s.ownTenant(v.Shop)
	d.Layout, d.StoreHash, d.CustomFields = s.layout(v, r), v.Shop.Hash, v.Shop.Policy.CustomFieldsV2
	d.Own, d.OperatorTenant = v.Shop.Kosmos != nil, s.Tenant != ""
	d.LicenseKeySet, d.DVCIDSet = t.LicenseKey != "", t.DVCID != ""
	d.Tenant.LicenseKey, d.Tenant.DVCID = "", "" // keys go in and never out
	d.OwnerActs = v.may(ledger.Owner)
	d.ReadOnly, d.CanAlarm, d.NoMailServer = !v.may(ledger.Owner), v.may(ledger.Manager), s.Relay.Mail == nil
	d.SignBack = v.Shop.Settings.SignBack
	d.NoLoginScope = d.SignBack && !granted(v.Shop)
	return render(w, r, status, views.Settings(d))
}

// saveSettings replaces the Shop's tenant whole, or gives it up for the operator's.
func (s *Server) saveSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	if values.Get(views.DisconnectField) != "" {
		if err := s.Ledger.SetKosmosTenant(r.Context(), v.Shop.Hash, nil, s.Now()); err != nil {
			return err
		}
		s.Log.Info("1Kosmos tenant removed", "shop", v.Shop.Hash, "by", v.User.Email)
		if s.Tenant == "" {
			return back(w, r, v, "/settings", views.Flash{Code: "disconnected", Value: "1"})
		}
		return back(w, r, v, "/settings", views.Flash{Code: "reverted", Value: "1"})
	}
	form := views.ParseTenantForm(values)
	t, wrong := readTenant(form, s.ownTenant(v.Shop), s.onLoopback())
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if len(wrong) == 0 {
		if !s.limits.allow("tenant "+v.Shop.Hash, 0.2, 20) {
			return refuse(http.StatusTooManyRequests, "rate_limited", "too many tenants; wait a moment")
		}
		if code := s.unknownTenant(r.Context(), v.Shop, b); code != "" {
			wrong["dns"] = code
		}
	}
	if len(wrong) > 0 {
		return s.showSettings(w, r, v, http.StatusUnprocessableEntity, views.SettingsData{Tenant: form, Errors: wrong,
			Alarms: alarmForm(v.Shop)})
	}
	if err := s.Ledger.SetKosmosTenant(r.Context(), v.Shop.Hash, b, s.Now()); err != nil {
		return err
	}
	s.Log.Info("1Kosmos tenant saved", "shop", v.Shop.Hash, "host", t.DNS, "by", v.User.Email)
	return back(w, r, v, "/settings", views.Flash{Code: "connected", Value: "1"})
}

// tenantTime is how long somebody who saves a tenant waits for its host.
const tenantTime = 6 * time.Second

// unknownTenant asks a tenant that is not saved yet for its services, and says in a code if it cannot be used. Its keys are not tried.
func (s *Server) unknownTenant(ctx context.Context, shop *ledger.Shop, tenant []byte) (code string) {
	ctx, cancel := context.WithTimeout(ctx, tenantTime)
	defer cancel()
	as := *shop
	as.Kosmos = tenant
	provider, err := s.Relay.Provider(&as)
	if err == nil {
		err = provider.Discover(ctx)
	}
	if err == nil {
		return ""
	}
	s.Log.Warn("a 1Kosmos tenant was not found", "shop", shop.Hash, "error", err)
	var e *idv.Error
	if errors.As(err, &e) && e.Fault == idv.Refused {
		return "tenant_not_found"
	}
	return "tenant_silent"
}

// saveAlarms changes whose mailbox is told of what needs a person.
func (s *Server) saveAlarms(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := views.AlarmForm{To: strings.TrimSpace(values.Get(views.AlarmField)), From: values.Get(views.SettingsBase)}
	to, show := form.To, func(status int) error {
		t := s.ownTenant(v.Shop)
		return s.showSettings(w, r, v, status, views.SettingsData{Tenant: views.TenantForm{DNS: t.DNS, Community: t.Community, Curve: t.Curve}, Alarms: form})
	}
	if !oneMailbox(to) {
		form.Error = "not_a_mailbox"
		return show(http.StatusUnprocessableEntity)
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		if form.From != digest(n.AlarmTo) || len(n.Staff.To) > 0 { // several are mailed by now
			return n, "", errSettingsMoved
		}
		said := told(changed("staff who are told", n.AlarmTo, to, "nobody"))
		n.AlarmTo = to
		return n, said, nil
	}})
	if errors.Is(err, errSettingsMoved) {
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		form.From, form.Team = digest(v.Shop.Settings.AlarmTo), len(v.Shop.Settings.Staff.To)
		if form.Moved, err = s.settingsMoved(r.Context(), v); err != nil {
			return err
		}
		return show(http.StatusConflict)
	}
	if err != nil {
		return err
	}
	s.Log.Info("alarms go to another mailbox", "shop", v.Shop.Hash, "anybody", to != "", "by", v.User.Email)
	flash := views.Flash{Code: "alarms", Value: "1"}
	if to == "" {
		flash.Code = "no_alarms"
	}
	return back(w, r, v, "/settings", flash)
}

// oneMailbox reports whether text is one plain mailbox, as mails take it, or nothing.
func oneMailbox(text string) bool {
	if text == "" {
		return true
	}
	a, err := mail.ParseAddress(text)
	_, domain, _ := strings.Cut(text, "@")
	return err == nil && a.Address == text && len(text) <= maxMailbox && strings.Contains(strings.Trim(domain, "."), ".") && !spoilt(text) &&
		!strings.ContainsFunc(text, unicode.IsSpace) && !strings.ContainsAny(text, `"[]`)
}

// onLoopback reports whether this server is one on somebody's own machine, as the demo's is.
func (s *Server) onLoopback() bool {
	u, err := url.Parse(s.AppURL)
	return err == nil && u.Scheme == "http" && loopbackName(u.Hostname())
}

// readTenant reads the form. Keys left empty are those stored before, but only for the host they were entered for: a key must not
// travel to a host that its owner did not name.
func readTenant(f views.TenantForm, had kosmosTenant, loopback bool) (t kosmosTenant, wrong map[string]string) {
	wrong = map[string]string{}
	say := func(field, code string) {
		if code != "" && wrong[field] == "" {
			wrong[field] = code
		}
	}
	var code string
	t.DNS, code = parseHost(f.DNS, loopback)
	say("dns", code)
	t.Community, code = keyText(f.Community, maxCommunity)
	say("community", code)
	t.Curve = f.Curve
	if t.Curve != "secp256k1" && t.Curve != "prime256v1" {
		say("curve", "unknown_choice")
	}
	key := func(field, entered, stored string) string {
		if entered == "" && stored != "" {
			if t.DNS == had.DNS {
				return stored
			}
			say(field, "enter_again")
			return ""
		}
		entered, code := keyText(entered, maxKey)
		say(field, code)
		return entered
	}
	t.LicenseKey = key("license_key", f.LicenseKey, had.LicenseKey)
	t.DVCID = key("dvc_id", f.DVCID, had.DVCID)
	return t, wrong
}

// keyText checks what is copied from 1Kosmos's dashboard: one word or line, as it was given there.
func keyText(text string, most int) (string, string) {
	switch {
	case text == "":
		return "", "required"
	case len([]rune(text)) > most:
		return text, "too_long:" + strconv.Itoa(most)
	case spoilt(text):
		return text, "copy it again, without control characters"
	}
	return text, ""
}

// hosts maps a host name as the DNS would look it up, and holds it to the DNS's own letters.
var hosts = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// private are endings of names that no public host has (RFC 6761, 6762, 8375 and ICANN's .internal).
var private = []string{".localhost", ".local", ".internal", ".home.arpa", ".test", ".invalid", ".onion", ".lan", ".intranet"}

// parseHost reads the name of a public host, in lower-case ASCII, or says in a code what is wrong with it. On a loopback server
// names of this very machine are taken too, with a port: the simulated 1Kosmos answers there. What a name resolves to is checked
// when it is dialled.
func parseHost(text string, loopback bool) (host, code string) {
	if text == "" {
		return "", "required"
	}
	name, port, hasPort := strings.Cut(text, ":")
	if loopback && loopbackName(name) {
		if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0) {
			return text, "not_a_host"
		}
		return strings.ToLower(text), ""
	}
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return text, "host_refused"
	}
	ascii, err := hosts.ToASCII(text)
	ascii = strings.TrimSuffix(ascii, ".")
	if err != nil || hasPort || spoilt(text) {
		return text, "not_a_host"
	}
	if again, err := hosts.ToASCII(ascii); err != nil || again != ascii {
		return text, "not_a_host" // a spelling that would be read differently by the next reader
	}
	if ascii == "localhost" {
		return text, "host_refused"
	}
	labels := strings.Split(ascii, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || last == "" {
		return text, "not_a_host"
	}
	if wholeForm.MatchString(last) || strings.HasPrefix(last, "0x") {
		return text, "host_refused" // an address in one of its older spellings
	}
	for _, ending := range private {
		if strings.HasSuffix(ascii, ending) {
			return text, "host_refused"
		}
	}
	return ascii, ""
}

// loopbackName reports whether a host name is this machine by definition.
func loopbackName(name string) bool {
	name = strings.ToLower(name)
	return name == "localhost" || name == "127.0.0.1" || strings.HasSuffix(name, ".localhost")
}
