package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const (
	mostProofDays = 3650
	mostAge       = 120 // years
)

// requestPage shows the order that a check is to be demanded of, whether idgate has seen it or not, and the form.
func (s *Server) requestPage(w http.ResponseWriter, r *http.Request, v visit) error {
	text := strings.TrimSpace(r.URL.Query().Get("order"))
	id, ok := ledger.FindOrder(ungrouped(strings.TrimPrefix(clip(text, maxQuery), "#")))
	find := views.FindForm{Order: clip(text, maxQuery), Error: "not_an_order"}
	if !ok {
		return s.showFind(w, r, v, find)
	}
	d, err := s.requestData(r, v, id)
	if errors.Is(err, bigcommerce.ErrNotFound) {
		find.Error = noSuchOrder
		return s.showFind(w, r, v, find)
	}
	if p := outside(err); p != nil {
		find.Error = views.ErrorText(p.code)
		s.note(r, p)
		return s.showReview(w, withoutQuery(r), v, p.status, views.ReviewData{Find: find}, nil)
	}
	if err != nil {
		return err
	}
	q := stricter(v.Shop.Policy)
	d.Form = views.RequestForm{IAL: q.IAL.String(), Selfie: onIf(q.Selfie), MaxAge: unlessZero(int(q.MaxAge)), LeastAge: unlessZero(q.LeastAge), Hold: "on"}
	return render(w, r, http.StatusOK, views.Request(d))
}

// ungrouped takes out of a number the commas that group its digits by threes: 1,042.
func ungrouped(text string) string {
	parts := strings.Split(text, ",")
	for i, part := range parts {
		if len(part) != 3 && (i > 0 || len(part) == 0 || len(part) > 3) {
			return text
		}
	}
	return strings.Join(parts, "")
}

// noSuchOrder is what views.FieldError takes.
const noSuchOrder = "BigCommerce has no order with this number"

// showFind is the queue with the order number that will not do.
func (s *Server) showFind(w http.ResponseWriter, r *http.Request, v visit, f views.FindForm) error {
	return s.showReview(w, withoutQuery(r), v, http.StatusUnprocessableEntity, views.ReviewData{Find: f}, nil)
}

// withoutQuery is r as if its address had no query.
func withoutQuery(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	return r
}

func onIf(yes bool) string {
	if yes {
		return "on"
	}
	return ""
}

// stricter is what a check asks for unless somebody says otherwise: the Policy's step-up, or its checkout's with a fresh selfie.
func stricter(p gate.Policy) gate.Requirement {
	if p.StepUp != nil {
		return p.StepUp.Require
	}
	q := p.Checkout
	q.IAL, q.Selfie = max(q.IAL, 2), true
	return q
}

// requestData is an order as BigCommerce has it, with what is known here besides.
func (s *Server) requestData(r *http.Request, v visit, id int64) (d views.RequestData, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), personWaits)
	defer cancel()
	o, err := s.Relay.PeekOrder(ctx, v.Shop, id)
	if err != nil {
		return d, err
	}
	return s.requestOf(r, v, o)
}

// requestUnasked is requestData while BigCommerce does not answer: what is known here has to do.
func (s *Server) requestUnasked(r *http.Request, v visit, id int64) (views.RequestData, error) {
	o, err := s.Ledger.Order(r.Context(), v.Shop, id)
	if errors.Is(err, ledger.ErrNotFound) {
		o, err = ledger.Order{ID: id, StatusID: unknownStatus}, nil
	}
	if err != nil {
		return views.RequestData{}, err
	}
	return s.requestOf(r, v, o)
}

const unknownStatus = -1

// requestOf is an order as o has it, with what is known here besides.
func (s *Server) requestOf(r *http.Request, v visit, o ledger.Order) (d views.RequestData, err error) {
	p, id := present(v.Shop), o.ID
	hold := ledger.NotHeld
	known, err := s.Ledger.Order(r.Context(), v.Shop, id)
	switch {
	case err == nil:
		hold, d.CanOrder = known.Hold, true
	case !errors.Is(err, ledger.ErrNotFound):
		return d, err
	}
	name := o.Buyer.Name
	if d.CanOrder && !known.ErasedAt.IsZero() {
		name = "" // who was erased stays so
	}
	d.Layout, d.HoldTo, d.NoMails = s.layout(v, r), v.Shop.Policy.HoldStatus, s.silence(v.Shop)
	d.Order = views.OrderGlance{ID: orderNumber(id), Customer: cmp.Or(name, customer(o.CustomerID)), Guest: o.CustomerID == 0, Value: p.money(o.Value), Placed: p.when(o.PlacedAt),
		StatusID: o.StatusID, Hold: string(hold)}
	if known.DecisionID != "" {
		last, err := s.Ledger.Decision(r.Context(), v.Shop.Hash, known.DecisionID)
		if err != nil {
			return d, err
		}
		d.Policy = need(last.Requirement)
	}
	q, err := s.Ledger.Request(r.Context(), v.Shop.Hash, id)
	switch {
	case err == nil && q.WithdrawnBy == "":
		d.Before = &views.RequestRow{By: q.By, Why: q.Why, When: p.when(q.At), Need: need(q.Require), Hold: q.Hold}
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return d, err
	}
	d.Cannot = requestBar(v.Shop, o.StatusID, hold)
	return d, nil
}

// requestBar is why no check can be demanded of an order, or nothing.
func requestBar(shop *ledger.Shop, status int, hold ledger.HoldState) string {
	switch c := bigcommerce.ClassOf(status); {
	case shop.State == ledger.Suspended:
		return "suspended"
	case shop.Policy.Mode != gate.Enforce:
		return "not_asking"
	case c == bigcommerce.ClassGone || c == bigcommerce.ClassClosed:
		return "gone"
	}
	switch hold {
	case ledger.Refused:
		return "refused"
	case ledger.Releasing, ledger.Cancelling:
		return "moving"
	case ledger.Leaked, ledger.Cancelled:
		return "gone"
	case ledger.NotHeld, ledger.Holding, ledger.Held, ledger.Released, ledger.Moved:
	}
	return ""
}

// requestCheck demands a check of an order.
func (s *Server) requestCheck(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	id, err := parseID(r.PathValue("order"))
	if err != nil {
		return err
	}
	form := views.RequestForm{IAL: values.Get("ial"), Selfie: values.Get("selfie"), MaxAge: strings.TrimSpace(values.Get("max_age")), LeastAge: strings.TrimSpace(values.Get("least_age")),
		Hold: values.Get("hold"), Reason: values.Get("reason")}
	q, wrong := readRequest(form)
	var d views.RequestData
	if len(wrong) == 0 {
		q.By = v.User.Email
		ctx, cancel := context.WithTimeout(r.Context(), personWaits)
		defer cancel()
		switch err = s.Relay.RequestCheck(ctx, v.Shop, id, q); {
		case err == nil:
			s.Log.Info("a check is requested", "shop", v.Shop.Hash, "order", id, "hold", q.Hold, "by", v.User.Email)
			return back(w, r, v, "/orders/"+orderNumber(id), views.Flash{Code: "check", Value: orderNumber(id)})
		case errors.Is(err, ledger.ErrMoved), errors.Is(err, relay.ErrMovedOn), errors.Is(err, relay.ErrNotAsking):
		case errors.Is(err, bigcommerce.ErrNotFound):
			return s.showFind(w, r, v, views.FindForm{Order: orderNumber(id), Error: noSuchOrder})
		case outside(err) != nil:
			return s.showUnasked(w, r, v, id, form, nil, outside(err))
		default:
			return err
		}
	}
	d, err = s.requestData(r, v, id)
	switch p := outside(err); {
	case errors.Is(err, bigcommerce.ErrNotFound):
		return s.showFind(w, r, v, views.FindForm{Order: orderNumber(id), Error: noSuchOrder})
	case p != nil:
		return s.showUnasked(w, r, v, id, form, wrong, p)
	case err != nil:
		return err
	}
	d.Form, d.Errors = form, wrong
	if len(wrong) > 0 {
		return render(w, r, http.StatusUnprocessableEntity, views.Request(d))
	}
	if d.Cannot == "" {
		d.Cannot = "moving"
	}
	return render(w, r, http.StatusConflict, views.Request(d))
}

// showUnasked shows the form again as it was typed: BigCommerce, which was to be asked about the order, did not answer.
func (s *Server) showUnasked(w http.ResponseWriter, r *http.Request, v visit, id int64, form views.RequestForm, wrong map[string]string, p *problem) error {
	d, err := s.requestUnasked(r, v, id)
	if err != nil {
		return err
	}
	s.note(r, p)
	d.Form, d.Errors, d.Unasked = form, wrong, views.ErrorText(p.code)
	return render(w, r, p.status, views.Request(d))
}

// readRequest reads what is demanded; wrong says by field what views.FieldError takes.
func readRequest(f views.RequestForm) (q ledger.Request, wrong map[string]string) {
	wrong = map[string]string{}
	number := func(field, text string, most int) int {
		if text == "" {
			return 0
		}
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || strconv.Itoa(n) != text:
			wrong[field] = "not_whole"
		case n < 1:
			wrong[field] = "too_small:1"
		case n > most:
			wrong[field] = "too_large:" + strconv.Itoa(most)
		default:
			return n
		}
		return 0
	}
	ial, err := strconv.Atoi(f.IAL)
	if err != nil || ial < 0 || ial > 3 || strconv.Itoa(ial) != f.IAL {
		wrong["ial"] = "unknown_choice"
	}
	q.Require = gate.Requirement{IAL: gate.IAL(ial), Selfie: f.Selfie != "", MaxAge: gate.Days(number("max_age", f.MaxAge, mostProofDays)), LeastAge: number("least_age", f.LeastAge, mostAge)}
	if q.Require.IAL == 0 && !q.Require.Selfie && q.Require.LeastAge == 0 && wrong["ial"] == "" && wrong["least_age"] == "" {
		wrong["ial"] = "ask for something: a level, a live selfie or an age"
	}
	q.Hold = f.Hold != ""
	var code string
	if q.Why, code = parseReason(f.Reason); code != "" {
		wrong["reason"] = code
	}
	return q, wrong
}

// withdrawRequest takes back a check that somebody demanded.
func (s *Server) withdrawRequest(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	q, err := s.Ledger.Request(r.Context(), v.Shop.Hash, o.ID)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && q.WithdrawnBy != "" {
		return s.showMoved(w, r, v, o)
	}
	if err != nil {
		return err
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showOrder(w, r, v, o, http.StatusUnprocessableEntity, func(d *views.OrderData) { d.Withdraw = views.ReasonForm{Reason: reason, Error: code} })
	}
	switch err := s.Ledger.WithdrawRequest(r.Context(), v.Shop.Hash, o.ID, v.User.Email, reason, s.Now()); {
	case errors.Is(err, ledger.ErrMoved):
		return s.showMoved(w, r, v, o)
	case err != nil:
		return err
	}
	s.Log.Info("a requested check is taken back", "shop", v.Shop.Hash, "order", o.ID, "by", v.User.Email)
	return back(w, r, v, "/orders/"+orderNumber(o.ID), views.Flash{Code: "unchecked", Value: orderNumber(o.ID)})
}

// showDemands puts onto an order's page what people demanded and decided of it, and what can be done about that.
func (s *Server) showDemands(r *http.Request, v visit, o ledger.Order, d *views.OrderData, latest *ledger.Decision) error {
	q, err := s.Ledger.Request(r.Context(), v.Shop.Hash, o.ID)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	demanded := err == nil && q.WithdrawnBy == ""
	if demanded {
		met := latest != nil && latest.Requested() && latest.ProofID != "" && !latest.At.Before(q.At)
		d.Request = &views.RequestRow{By: q.By, Why: q.Why, When: present(v.Shop).when(q.At), Need: need(q.Require), Hold: q.Hold, Met: met}
	}
	if !v.may(ledger.Reviewer) {
		return nil
	}
	d.CanRequest = requestBar(v.Shop, o.StatusID, o.Hold) == ""
	d.CanWithdraw = demanded && !d.Request.Met
	switch relay.CanUndo(v.Shop, o) {
	case relay.UndoRelease:
		d.CanUndo = "release"
	case relay.UndoRefusal:
		d.CanUndo = "refusal"
	case relay.NotUndoable:
	}
	if o.Hold != ledger.Held || o.PersonSays != "" {
		return nil
	}
	d.NoAsk, err = s.noAsk(r.Context(), v.Shop, o)
	d.CanAsk = d.NoAsk == ""
	return err
}
