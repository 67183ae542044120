package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

// maxSessionsPerDay is as far as Sessions are counted: a limit beyond would never be met.
const maxSessionsPerDay = ledger.CountCap

// A limit on Sessions is told of when so much of it is used, in per cent.
const nearlySpent = 80

// checkoutSettings are what the page about the checkout is about.
type checkoutSettings struct {
	Documents                        []string
	SessionsPerDay                   int
	AllPages, Confirmation, InlineAt bool
}

func checkoutOf(n ledger.Settings) checkoutSettings {
	return checkoutSettings{n.Documents, n.SessionsPerDay, n.ScriptOnAllPages, n.ConfirmationScript, n.InlineLock}
}

func (c checkoutSettings) in(n ledger.Settings) ledger.Settings {
	n.Documents, n.SessionsPerDay, n.ScriptOnAllPages, n.ConfirmationScript, n.InlineLock = c.Documents, c.SessionsPerDay, c.AllPages, c.Confirmation, c.InlineAt
	return n
}

// checkoutPage shows which documents will do, the limit on verifications, and the scripts.
func (s *Server) checkoutPage(w http.ResponseWriter, r *http.Request, v visit) error {
	c := checkoutOf(v.Shop.Settings)
	f := views.CheckoutForm{Documents: c.Documents, AllPages: ticked(c.AllPages), Confirmation: ticked(c.Confirmation), Inline: ticked(c.InlineAt)}
	if c.SessionsPerDay > 0 {
		f.SessionsPerDay = strconv.Itoa(c.SessionsPerDay)
	}
	return s.showCheckout(w, r, v, http.StatusOK, views.CheckoutData{Form: f, From: digest(c)})
}

func (s *Server) showCheckout(w http.ResponseWriter, r *http.Request, v visit, status int, d views.CheckoutData) error {
	budget, err := s.Ledger.SessionBudget(r.Context(), v.Shop, s.Now())
	if err != nil {
		return err
	}
	d.Use = present(v.Shop).use(budget)
	d.Scripts = s.scriptsUse(v.Shop)
	english := words.For(words.Languages()[0].Tag, nil)
	for _, k := range documentKinds {
		d.Documents = append(d.Documents, views.Document{Value: string(k), Name: english.Text("dialog."+documentNames[k], nil)})
	}
	d.Layout, d.ReadOnly = s.layout(v, r), !v.may(ledger.Manager)
	return render(w, r, status, views.Checkout(d))
}

// documentKinds are the documents that may be asked for, in the order in which they are shown.
var documentKinds = []idv.DocumentType{idv.DriverLicense, idv.Passport, idv.IDCard}

// use is how a limit stands. One that has counted as far as it counts is spent.
func (p presenter) use(b ledger.Budget) views.Use {
	u := views.Use{Used: p.count(b.Used, false), Most: p.count(b.Most, false), Percent: int(b.Used * 100 / max(1, b.Most)), Status: "ok"}
	switch {
	case b.Spent():
		u.Status = "spent"
	case u.Percent >= nearlySpent:
		u.Status = "nearly_spent"
	}
	return u
}

// scriptsUse is how many places for scripts are taken, as the last reconciliation found.
func (s *Server) scriptsUse(shop *ledger.Shop) views.ScriptsUse {
	out := views.ScriptsUse{Limit: strconv.Itoa(bigcommerce.MaxScriptsPerApp), Channels: len(shop.Channels)}
	if shop.ReconciledAt.IsZero() {
		return out
	}
	rep, err := relay.ReadInstallation(shop)
	if err != nil {
		return out
	}
	out.Found, out.LeftOut, out.When = strconv.Itoa(len(rep.Scripts)), rep.LeftOut, present(shop).when(shop.ReconciledAt)
	if rep.Foreign > 0 {
		out.Others = strconv.Itoa(rep.Foreign)
	}
	return out
}

// readCheckout reads the form. wrong has, by field, what views.FieldError takes.
func readCheckout(f views.CheckoutForm) (c checkoutSettings, wrong map[string]string) {
	wrong = map[string]string{}
	tick := func(field, text string) bool {
		if text != "" && text != "on" {
			wrong[field] = "unknown_choice"
		}
		return text == "on"
	}
	c.AllPages, c.Confirmation, c.InlineAt = tick("script_on_all_pages", f.AllPages), tick("confirmation_script", f.Confirmation), tick("inline_lock", f.Inline)
	for _, text := range f.Documents {
		if !slices.Contains(documentKinds, idv.DocumentType(text)) {
			wrong["documents"] = "unknown_choice"
		}
	}
	for _, k := range documentKinds { // in one order, each once
		if slices.Contains(f.Documents, string(k)) {
			c.Documents = append(c.Documents, string(k))
		}
	}
	if f.SessionsPerDay != "" {
		n, code := parseWhole(f.SessionsPerDay)
		switch {
		case code != "":
		case n < 1:
			code = "too_small:1"
		case n > maxSessionsPerDay:
			code = "too_large:" + strconv.Itoa(maxSessionsPerDay)
		}
		if code != "" {
			wrong["sessions_per_day"] = code
		}
		c.SessionsPerDay = int(n)
	}
	return c, wrong
}

// saveCheckout changes documents, the limit and the scripts.
func (s *Server) saveCheckout(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form, from := views.ParseCheckoutForm(values), values.Get(views.SettingsBase)
	c, wrong := readCheckout(form)
	if len(wrong) > 0 {
		return s.showCheckout(w, r, v, http.StatusUnprocessableEntity, views.CheckoutData{Form: form, From: from, Errors: wrong})
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		was := checkoutOf(n)
		if from != digest(was) {
			return n, "", errSettingsMoved
		}
		return c.in(n), checkoutChanges(was, c), nil
	}})
	if errors.Is(err, errSettingsMoved) {
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		moved, err := s.settingsMoved(r.Context(), v)
		if err != nil {
			return err
		}
		return s.showCheckout(w, r, v, http.StatusConflict, views.CheckoutData{Form: form, From: digest(checkoutOf(v.Shop.Settings)), Moved: moved})
	}
	if err != nil {
		return err
	}
	return back(w, r, v, "/settings/checkout", views.Flash{Code: "settings", Value: "1"})
}

func checkoutChanges(was, is checkoutSettings) string {
	perDay := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	onOff := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	return told(changed("documents", strings.Join(was.Documents, ", "), strings.Join(is.Documents, ", "), "all"),
		changed("verifications within 24 hours", perDay(was.SessionsPerDay), perDay(is.SessionsPerDay), fmt.Sprintf("standard (%d)", ledger.DefaultBudget)),
		changed("gate on all pages", onOff(was.AllPages), onOff(is.AllPages), ""),
		changed("inline lock", onOff(was.InlineAt), onOff(is.InlineAt), ""),
		changed("script on the page after the order", onOff(was.Confirmation), onOff(is.Confirmation), ""))
}

// dataPage says what is kept, how long, and where data goes.
func (s *Server) dataPage(w http.ResponseWriter, r *http.Request, v visit) error {
	days := func(d time.Duration) string { return strconv.Itoa(int(d / (24 * time.Hour))) }
	k := ledger.KeptFor()
	return render(w, r, http.StatusOK, views.Data(views.DataData{Layout: s.layout(v, r), OwnerActs: v.may(ledger.Owner), KeepDays: days(v.Shop.Policy.KeepFor()), TrafficDays: days(k.Traffic),
		CapabilityDays: days(k.Capability), AskedDays: days(k.AskedMails), ShopDays: days(k.Shop)}))
}

// budgetAttention says when the limit on Sessions is used up, or nearly.
func (s *Server) budgetAttention(ctx context.Context, shop *ledger.Shop) (code, detail string, err error) {
	b, err := s.Ledger.SessionBudget(ctx, shop, s.Now())
	if err != nil {
		return "", "", err
	}
	u := present(shop).use(b)
	switch u.Status {
	case "spent":
		code = "budget_spent"
	case "nearly_spent":
		code = "budget_nearly_spent"
	}
	return code, u.Used + " of " + u.Most, nil
}
