package web

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// decide does what a person says about something that waits.
func (s *Server) decideReview(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	kind, subject, do := ledger.ReviewKind(values.Get(views.KindField)), values.Get(views.SubjectField), values.Get(views.DoField)
	if !slices.Contains(ledger.ReviewKinds(), kind) || !plainSubject(subject) || !slices.Contains(views.ReviewActs(), do) {
		return refuse(http.StatusNotFound, "not_found", "nothing such waits")
	}
	at, err := parseQueuePage(r.URL.Query())
	if err != nil {
		return err
	}
	reason, code := parseReason(values.Get("reason"))
	if do == views.DoAsk && reason == "" {
		code = ""
	}
	it, err := s.Ledger.Review(r.Context(), v.Shop.Hash, kind, subject)
	if errors.Is(err, ledger.ErrNotFound) {
		return s.tellDecided(w, r, v, kind, subject)
	}
	if err != nil {
		return err
	}
	o, isOrder, err := s.reviewOrder(r.Context(), v.Shop, it)
	if err != nil {
		return err
	}
	can, noAsk, err := s.canDo(r.Context(), v.Shop, it, o, isOrder)
	if err != nil {
		return err
	}
	refused := func(code string) *sentForm {
		return &sentForm{kind: kind, subject: subject, form: views.ReasonForm{Reason: reason, Error: code}}
	}
	if code == "" && do == views.DoAsk && noAsk != "" {
		code = noAsk
	}
	if code != "" {
		return s.showReview(w, r, v, http.StatusUnprocessableEntity, views.ReviewData{}, refused(code))
	}
	if !slices.Contains(can, do) {
		return s.tellDecided(w, r, v, kind, subject)
	}
	flash, err := s.doReview(r, v, it, o, isOrder, do, reason)
	switch {
	case errors.Is(err, ledger.ErrMoved), errors.Is(err, relay.ErrIsOrder), errors.Is(err, ledger.ErrExpiredCapability), errors.Is(err, ledger.ErrBadCapability),
		errors.Is(err, bigcommerce.ErrNotFound), errors.Is(err, relay.ErrCartChanged), errors.Is(err, relay.ErrNothingToProve):
		return s.tellDecided(w, r, v, kind, subject)
	case outside(err) != nil:
		p := outside(err)
		s.note(r, p)
		return s.showReview(w, r, v, p.status, views.ReviewData{}, refused(views.ErrorText(p.code)))
	case err != nil && do == views.DoAsk && notAsked(err) != "":
		return s.showReview(w, r, v, http.StatusUnprocessableEntity, views.ReviewData{}, refused(notAsked(err)))
	case err != nil:
		return err
	}
	s.Log.Info("decided about what waited", "shop", v.Shop.Hash, "kind", kind, "about", subject, "did", do, "by", v.User.Email)
	http.Redirect(w, r, base(v.Shop)+at.with(flash), http.StatusSeeOther)
	return nil
}

// notAsked says why a mail could not be sent, where a person can do something about it.
func notAsked(err error) string {
	var often *ledger.AskedTooOften
	switch {
	case errors.As(err, &often):
		return "the buyer was mailed as often as is allowed for now; try again later"
	case errors.Is(err, relay.ErrNoMailbox):
		return "the cart names no mailbox"
	case errors.Is(err, relay.ErrMailRefused):
		return "the mail server takes no mail for this mailbox"
	case errors.Is(err, relay.ErrMailDown):
		return "the mail server cannot be reached; try again in a few minutes"
	}
	return ""
}

func (s *Server) doReview(r *http.Request, v visit, it ledger.Review, o ledger.Order, isOrder bool, do, reason string) (f views.Flash, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), personWaits)
	defer cancel()
	switch {
	case do == views.DoAcknowledge:
		return views.Flash{Code: "noted", Value: "1"}, s.Ledger.AcknowledgeReview(ctx, v.Shop.Hash, it.Kind, it.Subject, reason, s.Now())
	case do == views.DoAsk && isOrder:
		_, err := s.Relay.AskAgain(ctx, v.Shop, o, reason)
		return views.Flash{Code: "asked", Value: orderNumber(o.ID)}, err
	case isOrder:
		n, err := s.personsWord(r, v, o, do == views.DoApprove)
		if err != nil {
			return f, err
		}
		n.Note = reason
		f = views.Flash{Code: "refused", Value: orderNumber(o.ID)}
		if do == views.DoApprove {
			f.Code = "released"
		}
		return f, s.Ledger.Override(ctx, v.Shop, o, do == views.DoApprove, n, s.Relay.OverrideMails(o, do == views.DoApprove), s.Now())
	}
	session, err := s.Ledger.Session(ctx, it.Subject)
	if err != nil {
		return f, err
	}
	if do == views.DoAsk {
		return views.Flash{Code: "cart_mail", Value: "1"}, s.Relay.AskCartAgain(ctx, v.Shop, session)
	}
	f = views.Flash{Code: "cart_no", Value: "1"}
	if do == views.DoApprove {
		f.Code = "cart_yes"
	}
	return f, s.Relay.SayOfCart(ctx, v.Shop, session, do == views.DoApprove, v.User.Email, reason)
}

// tellDecided says who was quicker.
func (s *Server) tellDecided(w http.ResponseWriter, r *http.Request, v visit, kind ledger.ReviewKind, subject string) error {
	d := views.ReviewData{Gone: true}
	word, err := s.whoDecided(r.Context(), v.Shop, kind, subject)
	if err != nil {
		return err
	}
	if word != nil {
		row := views.WordRow{ID: word.ID, OrderID: unlessZero(int(word.OrderID)), Outcome: string(word.Outcome), By: word.By, Why: word.Why, When: present(v.Shop).when(word.At)}
		d.Decided, d.Gone = &row, false
	}
	return s.showReview(w, r, v, http.StatusConflict, d, nil)
}

// whoDecided is the last word of a person about what a form was about, or nil.
func (s *Server) whoDecided(ctx context.Context, shop *ledger.Shop, kind ledger.ReviewKind, subject string) (*ledger.Word, error) {
	it := ledger.Review{Kind: kind, Subject: subject}
	if kind.OfSession() {
		n, err := s.Ledger.Session(ctx, subject)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && n.Shop != shop.Hash {
			return nil, refuse(http.StatusNotFound, "not_found", "nothing such waits")
		}
		if err != nil {
			return nil, err
		}
		it.OrderID, it.CartID = n.OrderID, n.CartID
	} else {
		id, err := parseID(subject)
		if err != nil {
			return nil, err
		}
		it.OrderID = id
		if _, err := s.Ledger.Order(ctx, shop, id); err != nil {
			return nil, err
		}
	}
	o, ok, err := s.reviewOrder(ctx, shop, it)
	if err != nil {
		return nil, err
	}
	if !ok {
		word, err := s.Ledger.CartWord(ctx, shop.Hash, it.CartID)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil, nil
		}
		return &ledger.Word{ID: word.DecisionID, CartID: it.CartID, Outcome: word.Outcome, By: word.By, Why: word.Why, At: word.At, AtCart: true}, err
	}
	ds, err := s.Ledger.OrderDecisions(ctx, shop.Hash, o.ID)
	for _, d := range ds {
		if d.MadeBy == ledger.ByPerson {
			return &ledger.Word{ID: d.ID, OrderID: o.ID, Outcome: d.Outcome, By: d.Person, Why: d.Note, At: d.At}, err
		}
	}
	return nil, err
}

// undoCart takes back what a person said of a cart.
func (s *Server) undoCart(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	at, err := parseQueuePage(r.URL.Query())
	if err != nil {
		return err
	}
	id := values.Get(views.WordField)
	d, err := s.Ledger.Decision(r.Context(), v.Shop.Hash, id)
	if err == nil && (d.MadeBy != ledger.ByPerson || d.Stage != gate.AtCheckout) {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return err
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showReview(w, r, v, http.StatusUnprocessableEntity, views.ReviewData{}, &sentForm{word: id, form: views.ReasonForm{Reason: reason, Error: code}})
	}
	err = s.Relay.UnsayCart(r.Context(), v.Shop, ledger.Word{ID: id, CartID: d.CartID}, v.User.Email, reason)
	if errors.Is(err, ledger.ErrMoved) {
		return s.showReview(w, r, v, http.StatusConflict, views.ReviewData{Gone: true}, nil)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, base(v.Shop)+at.with(views.Flash{Code: "cart_back", Value: "1"}), http.StatusSeeOther)
	return nil
}

// undoOrder takes back what a person said of an order.
func (s *Server) undoOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	is := relay.CanUndo(v.Shop, o)
	if is == relay.NotUndoable {
		return s.showMoved(w, r, v, o)
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showOrder(w, r, v, o, http.StatusUnprocessableEntity, func(d *views.OrderData) { d.Undo = views.ReasonForm{Reason: reason, Error: code} })
	}
	n, err := s.personsWord(r, v, o, false)
	if err != nil {
		return err
	}
	n.Decision.Outcome, n.Decision.Would, n.Decision.Reasons = gate.Hold, gate.Hold, []gate.Reason{{Code: gate.UndoneByPerson, Detail: v.User.Email}}
	n.Note = reason
	ctx, cancel := context.WithTimeout(r.Context(), personWaits)
	defer cancel()
	switch err := s.Relay.Undo(ctx, v.Shop, o, n); {
	case errors.Is(err, ledger.ErrMoved), errors.Is(err, relay.ErrMovedOn):
		if err := s.Ledger.DueOrder(r.Context(), v.Shop.Hash, o.ID, s.Now()); err != nil { // BigCommerce has told us something
			return err
		}
		if o, err = s.Ledger.Order(r.Context(), v.Shop, o.ID); err != nil {
			return err
		}
		return s.showMoved(w, r, v, o)
	case outside(err) != nil:
		p := outside(err)
		s.note(r, p)
		return s.showOrder(w, r, v, o, p.status, func(d *views.OrderData) { d.Undo = views.ReasonForm{Reason: reason, Error: views.ErrorText(p.code)} })
	case err != nil:
		return err
	}
	s.Log.Info("a person's word was taken back", "shop", v.Shop.Hash, "order", o.ID, "by", v.User.Email)
	flash := views.Flash{Code: "reheld", Value: orderNumber(o.ID)}
	if is == relay.UndoRefusal {
		flash.Code = "unrefused"
	}
	return back(w, r, v, "/orders/"+orderNumber(o.ID), flash)
}

// askAgain mails an order's buyer once more.
func (s *Server) askAgain(w http.ResponseWriter, r *http.Request, v visit) error {
	if _, err := posted(r); err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	_, err = s.Relay.AskAgain(r.Context(), v.Shop, o, "")
	switch {
	case errors.Is(err, ledger.ErrMoved), errors.Is(err, relay.ErrNoMails), errors.Is(err, relay.ErrNoMailbox), errors.Is(err, relay.ErrTooManyTries):
		return s.showMoved(w, r, v, o) // which says why
	case err != nil:
		return err
	}
	s.Log.Info("a buyer is asked again", "shop", v.Shop.Hash, "order", o.ID, "by", v.User.Email)
	return back(w, r, v, "/orders/"+orderNumber(o.ID), views.Flash{Code: "asked", Value: orderNumber(o.ID)})
}
