package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

const (
	pageLength = 25
	maxQuery   = 20 // characters of a number in an address
)

// orderGroups are the lists of orders: by where they stand with our hold, or by what was decided.
var orderGroups = map[string]ledger.OrderFilter{
	"all":       {},
	"held":      {Holds: []ledger.HoldState{ledger.Holding, ledger.Held, ledger.Releasing, ledger.Refused, ledger.Cancelling}},
	"refused":   {Holds: []ledger.HoldState{ledger.Refused}},
	"released":  {Holds: []ledger.HoldState{ledger.Released}},
	"leaks":     {Holds: []ledger.HoldState{ledger.Leaked}},
	"moved":     {Holds: []ledger.HoldState{ledger.Moved}},
	"cancelled": {Holds: []ledger.HoldState{ledger.Cancelled}},
	"allowed":   {Answers: []string{string(gate.Allow), "exempt"}},
	"exempt":    {Answers: []string{"exempt"}},
}

func narrowOrders(q url.Values, p presenter) *narrowed {
	return narrow(q, p.zone, "filter", "q", views.SealedSearch, "outcome", "source", "channel", "from", "to")
}

// orderFilter reads the filters of the list of orders. number is what was searched for, where it was one: an order's or a customer's.
func (n *narrowed) orderFilter(shop *ledger.Shop) (f ledger.OrderFilter, number int64, err error) {
	f, ok := orderGroups[cmp.Or(n.get("filter"), "all")]
	if !ok {
		return f, 0, refuse(http.StatusBadRequest, "bad_request", "no such filter").at("filter")
	}
	if n.get("filter") == "all" {
		n.kept.Del("filter")
	}
	if outcome := n.choice("outcome", "allow", "exempt", "verify", "review", "hold", "refuse"); outcome != "" {
		if len(f.Answers) > 0 && !slices.Contains(f.Answers, outcome) {
			f.Answers = []string{"none"} // an allowed order that is on hold: there is none
		} else {
			f.Answers = []string{outcome}
		}
	}
	f.Source = n.choice("source", views.SourceCodes()...)
	if id, ok := ledger.FindOrder(n.choice("channel", channelCodes(shop)...)); ok {
		f.Channel = id
	}
	f.From, f.To = n.days()
	s, err := n.seek(shop, false)
	f.CustomerID, f.Mailbox = s.number, s.mailbox
	return f, s.number, err
}

func channelCodes(shop *ledger.Shop) (out []string) {
	for _, c := range shop.Channels {
		out = append(out, strconv.FormatInt(c.ID, 10))
	}
	return out
}

// orders lists the orders that the gate has seen, newest first, or goes to the one that was searched for.
func (s *Server) orders(w http.ResponseWriter, r *http.Request, v visit) error {
	p := present(v.Shop)
	q, err := asked(r)
	if err != nil {
		return err
	}
	n := narrowOrders(q, p)
	f, number, err := n.orderFilter(v.Shop)
	if err != nil {
		return err
	}
	at, err := n.place(parseOrderCursor)
	if err != nil {
		return err
	}
	d := views.OrdersData{Layout: s.layout(v, r), Filter: cmp.Or(n.get("filter"), "all"), Channels: p.channelOptions()}
	if len(n.errors) > 0 {
		d.Narrowed = n.form("", "", false)
		return render(w, r, http.StatusUnprocessableEntity, views.Orders(d))
	}
	if !n.settled(w, r, v, "/orders") {
		return nil
	}
	page, err := s.Ledger.OrdersBy(r.Context(), v.Shop, f, at, pageLength)
	if err != nil {
		return err
	}
	lines := page.Rows
	if number != 0 && at.Before.IsZero() {
		o, err := s.Ledger.OrdersOf(r.Context(), v.Shop, map[int64]bool{number: true})
		if err != nil {
			return err
		}
		one, is := o[number]
		if is && len(lines) == 0 {
			return back(w, r, v, "/orders/"+orderNumber(number), views.Flash{})
		}
		if is && !slices.ContainsFunc(lines, func(l ledger.OrderLine) bool { return l.ID == number }) {
			first, err := s.Ledger.OrderLine(r.Context(), v.Shop, one.ID) // and a customer has the same number
			if err != nil {
				return err
			}
			lines = append([]ledger.OrderLine{first}, lines...)
		}
	}
	d.Narrowed = n.form(cursorOrNone(page.Older), cursorOrNone(page.Newer), page.Far)
	d.Export = v.has(ledger.Reviewer)
	for _, l := range lines {
		d.Rows = append(d.Rows, p.orderRow(l))
	}
	return render(w, r, http.StatusOK, views.Orders(d))
}

// channelOptions are the Shop's channels, where there is more than one to choose from.
func (p presenter) channelOptions() (out []views.Option) {
	if len(p.shop.Channels) < 2 {
		return nil
	}
	for _, c := range p.shop.Channels {
		out = append(out, views.Option{Value: strconv.FormatInt(c.ID, 10), Name: cmp.Or(c.Name, "Channel "+strconv.FormatInt(c.ID, 10))})
	}
	return out
}

func (p presenter) orderRow(l ledger.OrderLine) views.OrderRow {
	row := views.OrderRow{ID: orderNumber(l.ID), Number: orderNumber(l.ID), Placed: p.when(l.PlacedAt), Customer: l.Buyer.Name, Guest: l.CustomerID == 0,
		Value: p.money(l.Value), StatusID: l.StatusID, Hold: holdCode(l.Order), Digital: l.Digital, Erased: !l.ErasedAt.IsZero()}
	if row.Customer == "" {
		row.Customer = customer(l.CustomerID)
	}
	if l.Decision != nil {
		row.Outcome, row.Reasons, row.Shadow = string(l.Decision.Outcome), reasons(l.Decision.Reasons), l.Decision.Mode == gate.Shadow
		row.Exempt = l.Answer == "exempt"
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
