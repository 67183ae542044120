package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const shownVersions = 10

// policy shows the form with the Policy in force.
func (s *Server) policy(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showPolicy(w, r, v, http.StatusOK, views.PolicyData{Form: formOf(v.Shop.Policy, v.Shop.Currency)})
}

func (s *Server) showPolicy(w http.ResponseWriter, r *http.Request, v visit, status int, d views.PolicyData) error {
	versions, err := s.Ledger.PolicyVersions(r.Context(), v.Shop.Hash, 0, shownVersions+1)
	if err != nil {
		return err
	}
	if len(versions) > shownVersions {
		versions, d.MoreVersions = versions[:shownVersions], true
	}
	p := present(v.Shop)
	for _, n := range versions {
		d.Versions = append(d.Versions, views.PolicyVersion{Number: strconv.FormatInt(n.Policy.Version, 10), Who: n.Author, When: p.when(n.SavedAt), Note: n.Note,
			Mode: string(n.Policy.Mode), Current: n.Policy.Version == v.Shop.Policy.Version})
	}
	d.Layout, d.Currency, d.ReadOnly = s.layout(v, r), v.Shop.Currency, !v.may(ledger.Manager)
	d.SourceChoices = sourceChoices(v.Shop.Policy)
	d.Warnings = policyWarnings(v.Shop.Policy, s.tenantKnown(v.Shop), s.Relay.Mail != nil)
	if q := (gate.Requirement{AddressMatch: v.Shop.Policy.ComparesAddress()}); q.AddressMatch && slices.Contains(relay.Documents(v.Shop, q), idv.Passport) {
		d.Warnings = append(d.Warnings, "address_unshown")
	}
	return render(w, r, status, views.Policy(d))
}

// sourceChoices are the order sources known here, and those that the Policy names besides.
func sourceChoices(p gate.Policy) []string {
	out := views.SourceCodes()
	for _, c := range p.Sources {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// policyWarnings are what a merchant should know about the Policy in force: whether there is a tenant to verify with, and a mail server.
func policyWarnings(p gate.Policy, tenant, mail bool) []string {
	var out []string
	if !tenant {
		out = append(out, "provider_unset")
	}
	switch asked, top := highestLevel(p), p.Evidence.Level(true, true); {
	case asked > 0 && top == 0:
		out = append(out, "evidence_unmapped")
	case asked > top:
		out = append(out, "level_unreachable")
	}
	if p.Mode == gate.Enforce && p.CancelAfter > 0 && !(p.Mails && mail) {
		out = append(out, "cancel_silent")
	} else if p.Mode == gate.Enforce && p.Mails && !mail {
		out = append(out, "no_mail_server")
	}
	if p.Mode != gate.Off {
		out = append(out, "digital_orders")
	}
	return out
}

// highestLevel is the highest IAL that some order can need.
func highestLevel(p gate.Policy) gate.IAL {
	top := p.Checkout.IAL
	if p.StepUp != nil {
		top = max(top, p.StepUp.Require.IAL)
	}
	for _, r := range p.Rules {
		if r.Mode != gate.Off && !r.Exempt {
			top = max(top, r.Require.IAL)
		}
	}
	return top
}

// savePolicy makes the next version, unless a value is refused or somebody else has saved since the form was opened.
func (s *Server) savePolicy(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := views.ParsePolicyForm(values)
	shop := v.Shop
	p, wrong := readPolicy(form, shop.Policy, shop.Currency)
	from, code := parseWhole(form.BaseVersion)
	if code == "" && int64(from) > shop.Policy.Version {
		code = "unknown_choice"
	}
	if code != "" {
		wrong["base_version"] = code
		form.BaseVersion = strconv.FormatInt(shop.Policy.Version, 10)
	}
	if len(wrong) > 0 {
		return s.showPolicy(w, r, v, http.StatusUnprocessableEntity, views.PolicyData{Form: form, Errors: wrong})
	}
	if int64(from) == shop.Policy.Version {
		saved, err := s.Relay.SavePolicy(r.Context(), shop, ledger.PolicyChange{Base: int64(from), Policy: p, Author: v.User.Email, Note: form.Note})
		if err == nil {
			s.Log.Info("policy saved", "shop", shop.Hash, "version", saved.Version, "mode", saved.Mode, "by", v.User.Email)
			return back(w, r, v, "/policy", views.Flash{Code: "saved", Value: strconv.FormatInt(saved.Version, 10)})
		}
		if !errors.Is(err, ledger.ErrPolicyMoved) {
			return err
		}
		if v.Shop, err = s.Ledger.Shop(shop.Hash); err != nil {
			return err
		}
	}
	return s.showMovedOn(w, r, v, form, p)
}

// showMovedOn shows the older form again: who has saved meanwhile, what differs, and the entries as they were. Sent again, it is a
// form made from the version that it now names.
func (s *Server) showMovedOn(w http.ResponseWriter, r *http.Request, v visit, form views.PolicyForm, mine gate.Policy) error {
	latest, err := s.Ledger.PolicyVersions(r.Context(), v.Shop.Hash, 0, 1)
	if err != nil {
		return err
	}
	if len(latest) == 0 {
		return refuse(http.StatusConflict, "bad_request", "the form was made from a version that does not exist")
	}
	theirs := latest[0]
	form.BaseVersion = strconv.FormatInt(theirs.Policy.Version, 10)
	return s.showPolicy(w, r, v, http.StatusConflict, views.PolicyData{Form: form, MovedOn: &views.MovedOn{
		Version: form.BaseVersion, Who: theirs.Author, When: present(v.Shop).when(theirs.SavedAt), Note: theirs.Note,
		Changes: policyChanges(theirs.Policy, mine)}})
}

// policyChanges lists the fields of the form in which two Policies differ, in the form's order.
func policyChanges(theirs, mine gate.Policy) []views.FieldChange {
	a, b := shownFields(formOf(theirs, mine.Currency)), shownFields(formOf(mine, mine.Currency))
	var out []views.FieldChange
	for _, f := range views.PolicyFields() {
		if a[f] != b[f] {
			out = append(out, views.FieldChange{Field: f, Theirs: a[f], Yours: b[f]})
		}
	}
	return out
}

// shownFields are the form's values as the form words them.
func shownFields(f views.PolicyForm) map[string]string {
	sources := strings.Join(inWords(f.Sources, views.SourceWords), ", ")
	if sources == "" {
		sources = "all"
	}
	out := map[string]string{
		"mode": views.ModeWords(f.Mode).Short, "checkout_ial": "IAL " + f.CheckoutIAL, "least_age": orDash(f.LeastAge), "proof_days": f.ProofDays, "document_grace": orDash(f.DocumentGrace),
		"name_match": yesOrNo(f.NameMatch), "address_match": yesOrNo(f.AddressMatch), "guests": choiceWords[f.Guests], "step_up_value": orDash(f.StepUpValue),
		"evidence_document_ial": levelOrUnset(f.EvidenceDocument), "evidence_selfie_ial": levelOrUnset(f.EvidenceSelfie),
		"hold_status": f.HoldStatus, "on_moved": choiceWords[f.OnMoved], "cancel_days": orDash(f.CancelDays), "mails": yesOrNo(f.Mails),
		"remind_hours": orDash(f.RemindHours), "sources": sources, "keep_days": f.KeepDays, "on_unreachable": choiceWords[f.OnUnreachable],
		"on_provider_down": choiceWords[f.OnProviderDown], "writeback": choiceWords[f.WriteBack],
		"step_up_ial": "–", "step_up_max_age_days": "–", "step_up_selfie": "–",
	}
	if f.StepUpValue != "" { // without a step-up value the rest of it means nothing
		out["step_up_ial"], out["step_up_max_age_days"] = "IAL "+f.StepUpIAL, orDash(f.StepUpMaxAgeDays)
		out["step_up_selfie"] = yesOrNo(f.StepUpSelfie)
	}
	return out
}

var choiceWords = map[string]string{
	"verify": "verify for each order", "sign_in": "sign in", "pass": "nothing",
	"let_pay": "let the shopper pay, and hold the order", "stop": "stop the checkout",
	"hold_again": "hold it once more", "override": "leave it",
	"attributes": "customer attributes", "custom_fields": "customer attributes and custom_fields",
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func yesOrNo(tick string) string {
	if tick == "" {
		return "no"
	}
	return "yes"
}

func levelOrUnset(level string) string {
	if level == "" {
		return "unset"
	}
	return "IAL " + level
}
