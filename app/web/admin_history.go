package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// Kinds of what a stream tells.
const (
	allKinds      = "all"
	onlySessions  = "session"
	onlyDecisions = "decision"
	onlyOrders    = "order"
	onlyCarts     = "checkout"
)

// history leads to what took its place: the lists of verifications and of decisions.
func (s *Server) history(w http.ResponseWriter, r *http.Request, v visit) error {
	to := map[string]string{onlySessions: "/verifications", onlyDecisions: "/verifications/decisions", onlyOrders: "/verifications/decisions?stage=order"}
	page, ok := to[r.URL.Query().Get("kind")]
	if !ok {
		page = "/verifications"
	}
	return back(w, r, v, page, views.Flash{})
}

// decisions lists Decisions, newest first: of carts, of orders, or both.
func (s *Server) decisions(w http.ResponseWriter, r *http.Request, v visit) error {
	q := r.URL.Query()
	d := views.DecisionsData{Layout: s.layout(v, r), Stage: cmp.Or(q.Get("stage"), allKinds)}
	kind, ok := map[string]string{allKinds: onlyDecisions, string(gate.AtCheckout): onlyCarts, string(gate.AtOrder): onlyOrders}[d.Stage]
	if !ok {
		return refuse(http.StatusBadRequest, "bad_request", "no such stage").at("stage")
	}
	var from ledger.Cursor
	if text := q.Get("before"); text != "" {
		var err error
		if from, err = parseCursor(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("before").because(err)
		}
		d.Paged = true
	}
	entries, next, err := s.stream(r.Context(), v.Shop, kind, from, pageLength)
	if err != nil {
		return err
	}
	d.Entries, d.Older = entries, next
	return render(w, r, http.StatusOK, views.Decisions(d))
}

// happening is a row of the stream, with its place in it.
type happening struct {
	at       time.Time
	id       string
	decision *ledger.Decision
	session  *ledger.Session
}

// stream reads count rows below from, newest first, and the cursor of what follows, or "". Sessions have their place by when they
// began, so that a change never moves one to another page.
func (s *Server) stream(ctx context.Context, shop *ledger.Shop, kind string, from ledger.Cursor, count int) ([]views.Entry, string, error) {
	var rows []happening
	if kind != onlySessions {
		stage := gate.Stage("")
		switch kind {
		case onlyOrders:
			stage = gate.AtOrder
		case onlyCarts:
			stage = gate.AtCheckout
		}
		ds, err := s.Ledger.DecisionsPage(ctx, shop.Hash, stage, from, count+1)
		if err != nil {
			return nil, "", err
		}
		for i := range ds {
			rows = append(rows, happening{at: ds[i].At, id: ds[i].ID, decision: &ds[i]})
		}
	}
	if kind == onlySessions || kind == allKinds {
		ns, err := s.Ledger.SessionsPage(ctx, shop.Hash, from, count+1)
		if err != nil {
			return nil, "", err
		}
		for i := range ns {
			rows = append(rows, happening{at: ns[i].StartedAt, id: ns[i].ID, session: &ns[i]})
		}
	}
	slices.SortFunc(rows, func(a, b happening) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.id, a.id)) })
	next := ""
	if len(rows) > count {
		rows = rows[:count]
		next = cursorText(ledger.Cursor{Before: rows[count-1].at, ID: rows[count-1].id})
	}
	orders, err := s.ordersOf(ctx, shop, rows)
	if err != nil {
		return nil, "", err
	}
	out := make([]views.Entry, len(rows))
	for i, h := range rows {
		out[i] = present(shop).happening(h, kind, orders)
	}
	return out, next, nil
}

// ordersOf reads the orders that rows are about; there are at most as many as rows.
func (s *Server) ordersOf(ctx context.Context, shop *ledger.Shop, rows []happening) (map[int64]ledger.Order, error) {
	out := map[int64]ledger.Order{}
	for _, h := range rows {
		id := h.order()
		if _, ok := out[id]; ok || id == 0 {
			continue
		}
		o, err := s.Ledger.Order(ctx, shop, id)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			out[id] = o
		}
	}
	return out, nil
}

func (h happening) order() int64 {
	if h.session != nil {
		return h.session.OrderID
	}
	return h.decision.OrderID
}

// happening is a row as one line of the history.
func (p presenter) happening(h happening, kind string, orders map[int64]ledger.Order) views.Entry {
	o, known := orders[h.order()]
	var e views.Entry
	if h.session != nil {
		e = p.session(*h.session)
		e.When = p.when(h.at)
	} else {
		e = p.decided(*h.decision)
		if kind != onlyDecisions && kind != onlyCarts {
			e = asOrder(e, *h.decision, o)
		}
	}
	if known {
		e = p.about(e, o)
	}
	return e
}

// asOrder tells a Decision as what became of its order, where it had consequences: put on hold, let go, refused, cancelled, or found too late.
func asOrder(e views.Entry, d ledger.Decision, o ledger.Order) views.Entry {
	if d.Stage != gate.AtOrder || !d.Binds() {
		return e
	}
	latest := o.DecisionID == d.ID
	code := ""
	switch {
	case latest && (o.Hold == ledger.Leaked || o.Hold == ledger.Moved || o.Hold == ledger.Cancelled):
		code = string(o.Hold)
	case d.MadeBy == ledger.ByPerson && d.Outcome == gate.Refuse:
		code = string(ledger.Refused)
	case d.MadeBy == ledger.ByPerson, latest && d.Outcome == gate.Allow && o.Hold == ledger.Released:
		code = string(ledger.Released)
	case latest && d.Outcome == gate.Allow && o.Hold == ledger.Releasing:
		code = string(ledger.Releasing)
	case d.Outcome == gate.Hold:
		code = string(ledger.Held)
	default:
		return e
	}
	e.Kind, e.Code = onlyOrders, code
	return e
}

// cursorText is a place in the stream for a URL: milliseconds and id.
func cursorText(c ledger.Cursor) string {
	return strconv.FormatInt(c.Before.UnixMilli(), 10) + "." + c.ID
}

var errCursor = errors.New("want milliseconds, a dot and an id")

// parseCursor reads back what cursorText wrote, and nothing else.
func parseCursor(text string) (ledger.Cursor, error) {
	ms, id, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != ms {
		return ledger.Cursor{}, errCursor
	}
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id {
		return ledger.Cursor{}, errCursor
	}
	return ledger.Cursor{Before: time.UnixMilli(n), ID: id}, nil
}
