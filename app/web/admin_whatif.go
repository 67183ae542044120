package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

const shownWhatIfs = 10

// whatIfs lists the newest what-ifs, and begins one over the Policy in force or an older version.
func (s *Server) whatIfs(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showWhatIfs(w, r, v, http.StatusOK, views.WhatIfsData{Version: strconv.FormatInt(v.Shop.Policy.Version, 10)})
}

func (s *Server) showWhatIfs(w http.ResponseWriter, r *http.Request, v visit, status int, d views.WhatIfsData) error {
	ws, err := s.Ledger.WhatIfs(r.Context(), v.Shop.Hash, shownWhatIfs)
	if err != nil {
		return err
	}
	d.Layout, d.ReadOnly, d.Current = s.layout(v, r), !v.may(ledger.Manager), strconv.FormatInt(v.Shop.Policy.Version, 10)
	p := present(v.Shop)
	for _, x := range ws {
		d.Rows = append(d.Rows, p.whatIfRow(x))
	}
	return render(w, r, status, views.WhatIfs(d))
}

func (p presenter) whatIfRow(x ledger.WhatIf) views.WhatIfRow {
	return views.WhatIfRow{ID: strconv.FormatInt(x.ID, 10), State: x.State, Who: x.MadeBy, When: p.when(x.MadeAt), Seen: p.count64(x.Seen),
		Base: strconv.FormatInt(x.Base, 10), Reach: p.reach(x)}
}

// count64 is a figure that is counted whole.
func (p presenter) count64(n int64) string { return p.printer.Sprintf("%d", n) }

// reach is how far back a what-if goes, in words.
func (p presenter) reach(x ledger.WhatIf) string {
	if x.Since.IsZero() {
		if x.Wanted == 1 {
			return "the last order"
		}
		return "the last " + p.count64(x.Wanted) + " orders"
	}
	return "since " + p.when(x.Since).Text + ", at most " + p.count64(x.Wanted) + " orders"
}

// startWhatIf begins a what-if over a saved version.
func (s *Server) startWhatIf(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	d := views.WhatIfsData{Version: clip(values.Get("version"), maxQuery), Reach: values.Get("reach")}
	n, code := parseWhole(d.Version)
	pv, err := s.policyVersion(r.Context(), v.Shop, int64(n))
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	if code == "" && err != nil {
		code = "there is no such version, enter the number of one"
	}
	if code != "" {
		d.Error = code
		return s.showWhatIfs(w, r, v, http.StatusUnprocessableEntity, d)
	}
	id, err := s.beginWhatIf(r.Context(), v, pv.Policy, d.Reach)
	if err != nil {
		return err
	}
	return back(w, r, v, "/policy/whatif/"+strconv.FormatInt(id, 10), views.Flash{})
}

func (s *Server) whatIfInPath(r *http.Request, v visit) (ledger.WhatIf, error) {
	id, err := parseID(r.PathValue("whatif"))
	if err != nil {
		return ledger.WhatIf{}, err
	}
	return s.Ledger.WhatIf(r.Context(), v.Shop.Hash, id)
}

// whatIf shows how far a what-if has got, and what it has found.
func (s *Server) whatIf(w http.ResponseWriter, r *http.Request, v visit) error {
	x, err := s.whatIfInPath(r, v)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	shift := q.Get("shift")
	if shift != "" && !slices.Contains(views.ShiftCodes(), shift) {
		return refuse(http.StatusBadRequest, "bad_request", "no such kind of difference").at("shift")
	}
	var below int64
	if text := q.Get("before"); text != "" {
		if below, err = parseID(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("before")
		}
	}
	rows, err := s.Ledger.WhatIfOrders(r.Context(), v.Shop.Hash, x.ID, gate.Shift(shift), below, pageLength+1)
	if err != nil {
		return err
	}
	p := present(v.Shop)
	d := p.whatIfData(x)
	d.Layout, d.Shift, d.Paged, d.ReadOnly = s.layout(v, r), shift, below != 0, !v.may(ledger.Manager)
	d.Stale = x.Base != v.Shop.Policy.Version
	d.Changes = p.changes(gate.Compare(v.Shop.Policy, x.Draft))
	if len(rows) > pageLength {
		rows = rows[:pageLength]
		d.Older = orderNumber(rows[pageLength-1].OrderID)
	}
	for _, o := range rows {
		d.Orders = append(d.Orders, views.WhatIfOrder{ID: orderNumber(o.OrderID), Placed: p.when(o.PlacedAt), Value: p.money(o.Value), Shift: string(o.Shift),
			Before: string(o.Before), After: string(o.After), Reasons: reasons(o.Reasons), Rules: o.Rules})
	}
	if x.State == "running" {
		d.Layout.Refresh = views.WhatIfRefresh
	}
	return render(w, r, http.StatusOK, views.WhatIf(d))
}

// whatIfData is a what-if's figures.
func (p presenter) whatIfData(x ledger.WhatIf) views.WhatIfData {
	t := x.Tally
	d := views.WhatIfData{WhatIfRow: p.whatIfRow(x), Trouble: x.Trouble, Done: p.when(x.DoneAt), SeenCount: x.Seen, Wanted: x.Wanted, Dated: !x.Since.IsZero(),
		All: p.tallied(t.Orders), Differs: p.tallied(t.Differs), DiffersAny: t.Differs.Orders > 0, Recorded: p.tallied(t.Recorded)}
	for _, id := range t.DifferIDs {
		d.DifferIDs = append(d.DifferIDs, orderNumber(id))
	}
	for _, line := range []struct {
		code           string
		draft, inForce gate.Count
	}{
		{"gated", t.Draft.Gated, t.InForce.Gated}, {"stepped_up", t.Draft.SteppedUp, t.InForce.SteppedUp}, {"held", t.Draft.Held, t.InForce.Held},
		{"would_hold", t.Draft.WouldHold, t.InForce.WouldHold}, {"exempt", t.Draft.Exempt, t.InForce.Exempt},
	} {
		d.Lines = append(d.Lines, views.WhatIfLine{Code: line.code, Draft: p.tallied(line.draft), InForce: p.tallied(line.inForce),
			Difference: p.difference(line.draft.Orders - line.inForce.Orders)})
	}
	cost, costs := int64(t.Draft.Verifications()), int64(t.InForce.Verifications())
	d.Lines = append(d.Lines, views.WhatIfLine{Code: "verifications", Draft: views.Tallied{Orders: p.count64(cost)}, InForce: views.Tallied{Orders: p.count64(costs)},
		Difference: p.difference(cost - costs)})
	for _, code := range views.ShiftCodes() {
		d.Shifts = append(d.Shifts, views.WhatIfShift{Code: code, Count: p.tallied(t.Shifts[gate.Shift(code)])})
	}
	d.Rules = p.whatIfRules(x)
	return d
}

// whatIfRules is what each rule did, in the draft's order, and after it those that only the Policy in force has.
func (p presenter) whatIfRules(x ledger.WhatIf) []views.WhatIfRule {
	names := []string{gate.RuleCheckout, gate.RuleStepUp}
	for _, r := range x.Draft.Rules {
		names = append(names, r.Name)
	}
	var others []string
	for _, side := range []gate.Side{x.Tally.Draft, x.Tally.InForce} {
		for name := range side.Rules {
			if !slices.Contains(names, name) && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	slices.Sort(others)
	var out []views.WhatIfRule
	for _, name := range append(names, others...) {
		mine, in := x.Tally.Draft.Rules[name]
		theirs, inToo := x.Tally.InForce.Rules[name]
		if in || inToo {
			out = append(out, views.WhatIfRule{Name: name, Matched: p.tallied(mine.Matched), Unknown: p.tallied(mine.Unknown), Counted: p.tallied(mine.Counted),
				InForce: p.tallied(theirs.Counted)})
		}
	}
	return out
}

func (p presenter) difference(n int64) string {
	if n > 0 {
		return "+" + p.count64(n)
	}
	return p.count64(n)
}

// tallied is a count with its money: the Shop's currency first, the others apart.
func (p presenter) tallied(c gate.Count) views.Tallied {
	out := views.Tallied{Orders: p.count64(c.Orders)}
	var others []string
	for code := range c.Money {
		if code != p.shop.Currency {
			others = append(others, code)
		}
	}
	slices.SortFunc(others, cmp.Compare[string])
	if minor, ok := c.Money[p.shop.Currency]; ok {
		out.Money = p.money(gate.Money{Minor: minor, Currency: p.shop.Currency})
	}
	for _, code := range others {
		out.Others = append(out.Others, p.money(gate.Money{Minor: c.Money[code], Currency: code}))
	}
	return out
}

func (s *Server) cancelWhatIf(w http.ResponseWriter, r *http.Request, v visit) error {
	x, err := s.whatIfInPath(r, v)
	if err != nil {
		return err
	}
	if err := s.Ledger.CancelWhatIf(r.Context(), v.Shop.Hash, x.ID, s.Now()); err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err // one that is over already stays as it is
	}
	return back(w, r, v, "/policy/whatif/"+strconv.FormatInt(x.ID, 10), views.Flash{})
}

func (s *Server) askWhatIf(w http.ResponseWriter, r *http.Request, v visit) error {
	x, err := s.whatIfInPath(r, v)
	if err != nil {
		return err
	}
	return s.firstLook(v, s.adopting(w, r, v, x))
}

func (s *Server) saveWhatIf(w http.ResponseWriter, r *http.Request, v visit) error {
	x, err := s.whatIfInPath(r, v)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	return s.settleDraft(r, w, v, values, s.adopting(w, r, v, x))
}

// adopting is a replayed draft as the Policy.
func (s *Server) adopting(w http.ResponseWriter, r *http.Request, v visit, x ledger.WhatIf) draft {
	n := strconv.FormatInt(x.ID, 10)
	return draft{done: "/policy/versions", change: replacing(v, x.Draft),
		show: s.asking(w, r, v, views.DraftPage{Kind: "whatif", Name: n, Action: "/policy/whatif/" + n + "/save"})}
}
