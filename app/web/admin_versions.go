package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// templates lists what a merchant may start from.
func (s *Server) templates(w http.ResponseWriter, r *http.Request, v visit) error {
	d, p := views.TemplatesData{Layout: s.layout(v, r)}, present(v.Shop)
	for _, t := range shopTemplates(v.Shop) {
		d.Templates = append(d.Templates, views.TemplateData{ID: t.ID, Name: t.Name, Why: t.Why, Changes: p.changes(gate.Compare(v.Shop.Policy, t.Apply(v.Shop.Policy)))})
	}
	return render(w, r, http.StatusOK, views.PolicyTemplates(d))
}

// shopTemplates are the templates in the Shop's currency, those for its own country first.
func shopTemplates(shop *ledger.Shop) []gate.Template {
	return gate.Templates(shop.Currency, shop.Country)
}

func (s *Server) templateInPath(r *http.Request, v visit) (gate.Template, error) {
	ts := shopTemplates(v.Shop)
	i := slices.IndexFunc(ts, func(t gate.Template) bool { return t.ID == r.PathValue("template") })
	if i < 0 {
		return gate.Template{}, refuse(http.StatusNotFound, "not_found", "no such template")
	}
	return ts[i], nil
}

func (s *Server) askTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	t, err := s.templateInPath(r, v)
	if err != nil {
		return err
	}
	return s.firstLook(v, s.applying(w, r, v, t, ""))
}

func (s *Server) applyTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	t, err := s.templateInPath(r, v)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	return s.settleDraft(r, w, v, values, s.applying(w, r, v, t, strings.TrimSpace(values.Get("picks"))))
}

// applying is the draft with a template's rules, narrowed to the ids in picks.
func (s *Server) applying(w http.ResponseWriter, r *http.Request, v visit, t gate.Template, picks string) draft {
	return draft{done: "/policy/rules",
		change: func(from gate.Policy) (gate.Policy, map[string]string) {
			p := t.Apply(from, separated(picks)...)
			wrong := map[string]string{}
			for _, problem := range p.Problems() {
				field := strayField + problem.Field
				if strings.Contains(problem.Part, ".values") {
					field = "picks"
				}
				policyReader{wrong}.refuse(field, problem.Remedy)
			}
			return p, wrong
		},
		show: s.asking(w, r, v, views.DraftPage{Kind: "template", Name: t.Name, Why: t.Why, Action: "/policy/templates/" + t.ID, Pick: string(t.Picks), Picks: picks})}
}

// versions lists the Policy's versions, and compares two of them when asked.
func (s *Server) versions(w http.ResponseWriter, r *http.Request, v visit) error {
	q := r.URL.Query()
	d := views.VersionsData{Layout: s.layout(v, r), From: clip(strings.TrimSpace(q.Get("from")), maxQuery), To: clip(strings.TrimSpace(q.Get("to")), maxQuery),
		ReadOnly: !v.may(ledger.Manager)}
	var below int64
	if text := q.Get("below"); text != "" {
		var err error
		if below, err = parseID(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("below")
		}
		d.Paged = true
	}
	vs, err := s.Ledger.PolicyVersions(r.Context(), v.Shop.Hash, below, pageLength+1)
	if err != nil {
		return err
	}
	if len(vs) > pageLength {
		vs = vs[:pageLength]
		d.Older = strconv.FormatInt(vs[pageLength-1].Policy.Version, 10)
	}
	p := present(v.Shop)
	for _, n := range vs {
		d.Versions = append(d.Versions, views.PolicyVersion{Number: strconv.FormatInt(n.Policy.Version, 10), Who: n.Author, When: p.when(n.SavedAt), Note: n.Note,
			Mode: string(n.Policy.Mode), Current: n.Policy.Version == v.Shop.Policy.Version})
	}
	status := http.StatusOK
	if d.From != "" || d.To != "" {
		if d.Changes, d.Error, err = s.compareVersions(r, v, d.From, d.To); err != nil {
			return err
		}
		if d.Error != "" {
			status = http.StatusUnprocessableEntity
		}
	}
	return render(w, r, status, views.Versions(d))
}

// compareVersions compares two versions by their numbers as typed; wrong is what views.FieldError takes.
func (s *Server) compareVersions(r *http.Request, v visit, from, to string) (changes []views.ChangeData, wrong string, err error) {
	var two [2]gate.Policy
	for i, text := range []string{from, to} {
		n, err := parseID(text)
		if err != nil {
			return nil, "enter the numbers of two versions", nil
		}
		pv, err := s.policyVersion(r.Context(), v.Shop, n)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil, "there is no version " + text + ", enter the numbers of two versions", nil
		}
		if err != nil {
			return nil, "", err
		}
		two[i] = pv.Policy
	}
	return present(v.Shop).changes(gate.Compare(two[0], two[1])), "", nil
}

func (s *Server) versionInPath(r *http.Request, v visit) (gate.Policy, error) {
	n, err := parseID(r.PathValue("version"))
	if err != nil {
		return gate.Policy{}, err
	}
	pv, err := s.policyVersion(r.Context(), v.Shop, n)
	return pv.Policy, err
}

func (s *Server) askVersion(w http.ResponseWriter, r *http.Request, v visit) error {
	old, err := s.versionInPath(r, v)
	if err != nil {
		return err
	}
	return s.firstLook(v, s.restoring(w, r, v, old))
}

func (s *Server) restoreVersion(w http.ResponseWriter, r *http.Request, v visit) error {
	old, err := s.versionInPath(r, v)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	return s.settleDraft(r, w, v, values, s.restoring(w, r, v, old))
}

// restoring is an older version as a draft. One from before the Shop's currency changed is refused, with the amounts that are wrong.
func (s *Server) restoring(w http.ResponseWriter, r *http.Request, v visit, old gate.Policy) draft {
	n := strconv.FormatInt(old.Version, 10)
	return draft{done: "/policy/versions", change: replacing(v, old),
		show: s.asking(w, r, v, views.DraftPage{Kind: "restore", Name: n, Action: "/policy/versions/" + n})}
}

// replacing makes a whole Policy the draft, in the Shop's present currency.
func replacing(v visit, draft gate.Policy) func(gate.Policy) (gate.Policy, map[string]string) {
	return func(gate.Policy) (gate.Policy, map[string]string) {
		draft.Currency = v.Shop.Currency
		return draft, policyWrong(draft)
	}
}
