package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

const (
	pageLength = 25
	maxQuery   = 20 // characters of a search; order numbers are shorter
)

// orders lists the orders that the gate has seen, newest first, or goes to the one that was searched for.
func (s *Server) orders(w http.ResponseWriter, r *http.Request, v visit) error {
	q := r.URL.Query()
	d := views.OrdersData{Layout: s.layout(v, r), Filter: cmp.Or(q.Get("filter"), "all"), Query: clip(strings.TrimSpace(q.Get("q")), maxQuery), Export: v.has(ledger.Reviewer)}
	var below int64
	if text := q.Get("before"); text != "" {
		var err error
		if below, err = parseID(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("before")
		}
		d.Paged = true
	}
	if d.Query != "" {
		id, err := s.search(r, v, d.Query)
		switch {
		case err == nil:
			return back(w, r, v, "/orders/"+orderNumber(id), views.Flash{})
		case errors.Is(err, ledger.ErrNotFound):
			return render(w, r, http.StatusOK, views.Orders(d))
		case errors.Is(err, errNoOrderNumber):
			d.QueryError = "not_an_order"
		default:
			return err
		}
	}
	lines, next, err := s.orderLines(r.Context(), v.Shop, d.Filter, below, pageLength)
	if err != nil {
		return err
	}
	if next != 0 {
		d.Older = orderNumber(next)
	}
	p := present(v.Shop)
	for _, l := range lines {
		d.Rows = append(d.Rows, p.orderRow(l))
	}
	status := http.StatusOK
	if d.QueryError != "" {
		status = http.StatusUnprocessableEntity
	}
	return render(w, r, status, views.Orders(d))
}

var errNoOrderNumber = errors.New("not an order number")

// search finds the order whose number was typed.
func (s *Server) search(r *http.Request, v visit, text string) (int64, error) {
	id, ok := ledger.FindOrder(strings.TrimPrefix(text, "#"))
	if !ok {
		return 0, errNoOrderNumber
	}
	_, err := s.Ledger.Order(r.Context(), v.Shop, id)
	return id, err
}

// orderLines reads one page of at most count lines, and the id below which the next one begins, or 0 when there is none.
func (s *Server) orderLines(ctx context.Context, shop *ledger.Shop, filter string, below int64, count int) (lines []ledger.OrderLine, next int64, err error) {
	switch filter {
	case "all":
		lines, err = s.Ledger.OrdersPage(ctx, shop, "", below, count+1)
	case "held":
		lines, err = s.heldLines(ctx, shop, below, count+1)
	case "leaks":
		lines, err = s.Ledger.OrdersPage(ctx, shop, ledger.Leaked, below, count+1)
	case "moved":
		lines, err = s.Ledger.OrdersPage(ctx, shop, ledger.Moved, below, count+1)
	case "cancelled":
		lines, err = s.Ledger.OrdersPage(ctx, shop, ledger.Cancelled, below, count+1)
	case "allowed":
		return s.Ledger.OrdersPageByOutcome(ctx, shop, gate.Allow, below, count)
	default:
		return nil, 0, refuse(http.StatusBadRequest, "bad_request", "no such filter").at("filter")
	}
	if len(lines) > count {
		lines = lines[:count]
		next = lines[count-1].ID
	}
	return lines, next, err
}

// heldLines lists the orders that are on our hold, whether they wait for a proof, were refused, or are on their way to or from it.
func (s *Server) heldLines(ctx context.Context, shop *ledger.Shop, below int64, count int) (lines []ledger.OrderLine, err error) {
	for _, hold := range []ledger.HoldState{ledger.Holding, ledger.Held, ledger.Releasing, ledger.Refused, ledger.Cancelling} {
		some, err := s.Ledger.OrdersPage(ctx, shop, hold, below, count)
		if err != nil {
			return nil, err
		}
		lines = append(lines, some...)
	}
	slices.SortFunc(lines, func(a, b ledger.OrderLine) int { return cmp.Compare(b.ID, a.ID) })
	return lines[:min(count, len(lines))], nil
}

func (p presenter) orderRow(l ledger.OrderLine) views.OrderRow {
	row := views.OrderRow{ID: orderNumber(l.ID), Number: orderNumber(l.ID), Placed: p.when(l.PlacedAt), Customer: l.Buyer.Name, Guest: l.CustomerID == 0,
		Value: p.money(l.Value), StatusID: l.StatusID, Hold: holdCode(l.Order), Digital: l.Digital, Erased: !l.ErasedAt.IsZero()}
	if row.Customer == "" {
		row.Customer = customer(l.CustomerID)
	}
	if l.Decision != nil {
		row.Outcome, row.Reasons, row.Shadow = string(l.Decision.Outcome), reasons(l.Decision.Reasons), l.Decision.Mode == gate.Shadow
	}
	return row
}

// clip cuts text to at most n characters.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}

// orderInPath reads the order that the path names; one of another Shop is as unknown as one that never was.
func (s *Server) orderInPath(r *http.Request, v visit) (ledger.Order, error) {
	id, err := parseID(r.PathValue("order"))
	if err != nil {
		return ledger.Order{}, err
	}
	return s.Ledger.Order(r.Context(), v.Shop, id)
}

func (s *Server) releaseOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.override(w, r, v, true)
}

func (s *Server) refuseOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.override(w, r, v, false)
}

const (
	leastReason = 3 // characters
	mostReason  = 500
)

// parseReason reads the compulsory reason. Line breaks become spaces: it ends up in one line of the order's staff notes.
func parseReason(text string) (reason, code string) {
	reason = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' }), " ")
	switch n := len([]rune(reason)); {
	case n < leastReason:
		return reason, "reason_required"
	case n > mostReason:
		return reason, "too_long:" + strconv.Itoa(mostReason)
	case spoilt(reason):
		return reason, "write it without control characters"
	}
	return reason, ""
}

// override records a named person's word on an order on hold.
func (s *Server) override(w http.ResponseWriter, r *http.Request, v visit, release bool) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	if release && !releasable(o) || !release && !refusable(o) {
		return s.showMoved(w, r, v, o)
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		form := views.ReasonForm{Reason: reason, Error: code}
		return s.showOrder(w, r, v, o, http.StatusUnprocessableEntity, func(d *views.OrderData) {
			if release {
				d.Release = form
			} else {
				d.Refuse = form
			}
		})
	}
	n, err := s.personsWord(r, v, o, release)
	if err != nil {
		return err
	}
	n.Note = reason
	switch err := s.Ledger.Override(r.Context(), v.Shop, o, release, n, s.Relay.OverrideMails(o, release), s.Now()); {
	case errors.Is(err, ledger.ErrMoved):
		if o, err = s.Ledger.Order(r.Context(), v.Shop, o.ID); err != nil {
			return err
		}
		return s.showMoved(w, r, v, o)
	case err != nil:
		return err
	}
	s.Log.Info("order decided by hand", "shop", v.Shop.Hash, "order", o.ID, "release", release, "by", v.User.Email)
	flash := views.Flash{Code: "refused", Value: orderNumber(o.ID)}
	if release {
		flash.Code = "released"
	}
	return back(w, r, v, "/orders/"+orderNumber(o.ID), flash)
}

// personsWord is the Decision that a person makes: what the rules found stays beside it, so that the order still explains itself.
func (s *Server) personsWord(r *http.Request, v visit, o ledger.Order, release bool) (ledger.NewDecision, error) {
	var d gate.Decision
	if o.DecisionID != "" {
		last, err := s.Ledger.Decision(r.Context(), v.Shop.Hash, o.DecisionID)
		if err != nil {
			return ledger.NewDecision{}, err
		}
		d.Requirement, d.Rules = last.Requirement, last.Rules
	}
	d.Mode, d.Outcome, d.Reasons = gate.Enforce, gate.Refuse, []gate.Reason{{Code: gate.RefusedByPerson, Detail: v.User.Email}}
	if release {
		d.Outcome, d.Reasons = gate.Allow, []gate.Reason{{Code: gate.ReleasedByPerson, Detail: v.User.Email}}
	}
	d.Would = d.Outcome
	return ledger.NewDecision{Decision: d, Policy: v.Shop.Policy.Version, MadeBy: ledger.ByPerson, Person: v.User.Email,
		Facts: gate.Facts{Stage: gate.AtOrder, OrderID: o.ID, CartID: o.CartID, Buyer: gate.Buyer{CustomerID: o.CustomerID, Mailbox: o.Mailbox}, Value: o.Value}}, nil
}

// showMoved shows an order as it stands now to somebody whose form was made from an older state of it.
func (s *Server) showMoved(w http.ResponseWriter, r *http.Request, v visit, o ledger.Order) error {
	return s.showOrder(w, r, v, o, http.StatusConflict, func(d *views.OrderData) {
		d.Flash = views.Flash{Code: "undone", Value: orderNumber(o.ID)}
	})
}
