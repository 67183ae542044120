package web

import (
	"net/http"
	"slices"
	"strconv"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const shownVersions = 10

// policy shows the form with the Policy in force.
func (s *Server) policy(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showPolicy(w, r, v, http.StatusOK, views.PolicyData{Form: formOf(v.Shop.Policy, v.Shop.Currency),
		Draft: views.Draft{From: strconv.FormatInt(v.Shop.Policy.Version, 10)}})
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
	for i, n := range versions {
		d.Versions = append(d.Versions, views.PolicyVersion{Number: strconv.FormatInt(n.Policy.Version, 10), Who: n.Author, When: p.when(n.SavedAt), Note: n.Note,
			Mode: string(n.Policy.Mode), Current: i == 0})
	}
	d.Layout, d.Currency, d.ReadOnly, d.First = s.layout(v, r), v.Shop.Currency, !v.may(ledger.Manager), true
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

// savePolicy takes the form of the first screen: it shows what would change, saves it as the next version, or begins a what-if.
func (s *Server) savePolicy(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := views.ParsePolicyForm(values)
	return s.settleDraft(r, w, v, values, draft{first: true, done: "/policy",
		change: func(from gate.Policy) (gate.Policy, map[string]string) {
			return readPolicy(form, from, v.Shop.Currency)
		},
		show: func(status int, d views.Draft, wrong map[string]string) error {
			return s.showPolicy(w, r, v, status, views.PolicyData{Form: form, Errors: wrong, Draft: d})
		}})
}
