package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// maxDraft bounds the body of a form that makes a draft: a rule may name thousands of products.
const maxDraft = 512 << 10

// errNoReach: a what-if over no orders that the page offers.
var errNoReach = errors.New("no such span of orders")

// draft is how one form changes the Policy. Every change of the Policy goes through settleDraft.
type draft struct {
	// change makes the draft from a Policy; wrong has, by field of the form, what views.FieldError takes.
	change func(from gate.Policy) (p gate.Policy, wrong map[string]string)
	// show renders the form again, with what was typed.
	show func(status int, d views.Draft, wrong map[string]string) error
	// done is the page that a saved version leads to.
	done string
	// first is set for the policy's first screen, whose form makes the first version and switches the mode.
	first bool
}

// needsReason reports whether these changes are saved only with a reason: all are, but those of the first version, which has nothing
// before it, and a change of the mode alone, which says itself what it is and may be urgent.
func (c draft) needsReason(from gate.Policy, changes []views.ChangeData) bool {
	onlyMode := !slices.ContainsFunc(changes, func(d views.ChangeData) bool { return d.Area != "mode" })
	return !c.first || from.Version > 0 && !onlyMode
}

// settleDraft ends the form of a draft: it shows what would change, saves it as a new version, or begins a what-if. Nothing is saved
// without the reason that it needs, nor over a version that the form was not made from: then the change is shown as it would be made to the newest.
func (s *Server) settleDraft(r *http.Request, w http.ResponseWriter, v visit, values url.Values, c draft) error {
	from, code := parseWhole(values.Get("base_version"))
	if code != "" || int64(from) > v.Shop.Policy.Version {
		return refuse(http.StatusBadRequest, "bad_request", "the form names no version that it was made from").at("base_version")
	}
	d := views.Draft{From: strconv.FormatInt(v.Shop.Policy.Version, 10), Reason: strings.TrimSpace(values.Get("reason")), Reach: values.Get("reach")}
	p, wrong := c.change(v.Shop.Policy)
	if int64(from) != v.Shop.Policy.Version {
		return s.draftMoved(r.Context(), v, int64(from), c, d)
	}
	if d.Stray = strayProblems(wrong); len(wrong) > 0 {
		return c.show(http.StatusUnprocessableEntity, d, wrong)
	}
	present(v.Shop).compared(&d, v.Shop.Policy, p)
	switch values.Get("do") {
	case views.DoCompare:
		return c.show(http.StatusOK, d, nil)
	case views.DoWhatIf:
		id, err := s.beginWhatIf(r.Context(), v, p, d.Reach)
		if err != nil {
			return err
		}
		return back(w, r, v, "/policy/whatif/"+strconv.FormatInt(id, 10), views.Flash{})
	case views.DoSave:
	default:
		return refuse(http.StatusBadRequest, "bad_request", "the form says not what to do").at("do")
	}
	if d.Reason, code = parseReason(d.Reason); code != "" && (d.Reason != "" || c.needsReason(v.Shop.Policy, d.Changes)) {
		if code == "reason_required" {
			code = "say why in at least three characters, it is kept with the version"
		}
		d.ReasonError = code
		return c.show(http.StatusUnprocessableEntity, d, nil)
	}
	if len(d.Changes) == 0 && !(c.first && v.Shop.Policy.Version == 0) { // what idgate suggests to start with may be saved as it is
		return c.show(http.StatusUnprocessableEntity, d, nil) // the comparison says that nothing would change
	}
	saved, err := s.Relay.SavePolicy(r.Context(), v.Shop, ledger.PolicyChange{Base: int64(from), Policy: p, Author: v.User.Email, Note: d.Reason})
	switch {
	case errors.Is(err, ledger.ErrPolicyMoved):
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		return s.draftMoved(r.Context(), v, int64(from), c, d)
	case err != nil:
		return err
	}
	s.Log.Info("policy saved", "shop", v.Shop.Hash, "version", saved.Version, "mode", saved.Mode, "by", v.User.Email)
	return back(w, r, v, c.done, views.Flash{Code: "saved", Value: strconv.FormatInt(saved.Version, 10)})
}

// strayProblems takes out of wrong what stands on no field of the form: what is wrong with the rest of the Policy.
func strayProblems(wrong map[string]string) (out []string) {
	for field, remedy := range wrong {
		if name, ok := strings.CutPrefix(field, strayField); ok {
			out = append(out, views.PolicyFieldWords(name)+": "+views.FieldError(remedy))
		}
	}
	slices.Sort(out)
	return out
}

// strayField marks in wrong a field of the Policy that the form has not.
const strayField = "policy:"

// draftMoved shows the form again as it would change the newest version: who saved that, and what it changed since from.
func (s *Server) draftMoved(ctx context.Context, v visit, from int64, c draft, d views.Draft) error {
	newest, err := s.Ledger.PolicyVersions(ctx, v.Shop.Hash, 0, 1)
	if err != nil {
		return err
	}
	if len(newest) == 0 {
		return refuse(http.StatusConflict, "bad_request", "the form was made from a version that does not exist")
	}
	theirs, p := newest[0], present(v.Shop)
	m := &views.DraftMovedOn{Version: strconv.FormatInt(theirs.Policy.Version, 10), Who: theirs.Author, When: p.when(theirs.SavedAt), Note: theirs.Note}
	was, err := s.policyVersion(ctx, v.Shop, from)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	if err == nil {
		m.Changes = p.changes(gate.Compare(was.Policy, theirs.Policy))
	}
	d.MovedOn, d.From = m, m.Version
	mine, wrong := c.change(theirs.Policy)
	d.Stray = strayProblems(wrong)
	if len(wrong) == 0 {
		p.compared(&d, theirs.Policy, mine)
	}
	return c.show(http.StatusConflict, d, wrong)
}

// policyVersion reads one version; version 0 is what a Shop starts with.
func (s *Server) policyVersion(ctx context.Context, shop *ledger.Shop, n int64) (ledger.PolicyVersion, error) {
	if n == 0 {
		return ledger.PolicyVersion{Policy: gate.Default(shop.Currency)}, nil
	}
	vs, err := s.Ledger.PolicyVersions(ctx, shop.Hash, n+1, 1)
	if err == nil && (len(vs) == 0 || vs[0].Policy.Version != n) {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.PolicyVersion{}, err
	}
	return vs[0], nil
}

// beginWhatIf begins to replay a draft over a span of past orders. A draft that is switched off is replayed as in shadow: switched off it
// would answer nothing.
func (s *Server) beginWhatIf(ctx context.Context, v visit, p gate.Policy, reach string) (int64, error) {
	wanted, since, err := readReach(reach, s.Now())
	if err != nil {
		return 0, refuse(http.StatusBadRequest, "bad_request", "no such span of orders").at("reach").because(err)
	}
	if p.Mode == gate.Off {
		p.Mode = gate.Shadow
	}
	id, err := s.Ledger.BeginWhatIf(ctx, v.Shop, p, wanted, since, s.Now())
	if err == nil {
		s.Log.Info("what-if begun", "shop", v.Shop.Hash, "whatif", id, "reach", reach, "by", v.User.Email)
	}
	return id, err
}

// readReach reads one of views.ReachCodes.
func readReach(code string, now time.Time) (wanted int64, since time.Time, err error) {
	if !slices.Contains(views.ReachCodes(), code) {
		return 0, time.Time{}, errNoReach
	}
	if n, ok := strings.CutSuffix(code, "d"); ok {
		days, err := strconv.Atoi(n)
		return relay.MaxWhatIf, now.AddDate(0, 0, -days), err
	}
	wanted, err = strconv.ParseInt(code, 10, 64)
	return wanted, time.Time{}, err
}
