package web

import (
	"cmp"
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

const (
	lately     = 7 * 24 * time.Hour // for how long what people decided stands beside the queue
	latelyMost = 10
)

// waiting is the figure beside Review. A page does without it rather than not be shown.
func (s *Server) waiting(r *http.Request, v visit) string {
	n, err := s.Ledger.CountReviews(r.Context(), v.Shop.Hash)
	switch {
	case err != nil:
		s.Log.Warn("counting what waits for a person", "shop", v.Shop.Hash, "error", err)
		return ""
	case n == 0:
		return ""
	case n >= ledger.ReviewCap:
		return strconv.Itoa(ledger.ReviewCap-1) + "+"
	}
	return strconv.FormatInt(n, 10)
}

// review lists what waits for a person, the oldest first.
func (s *Server) review(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showReview(w, r, v, http.StatusOK, views.ReviewData{Find: views.FindForm{Order: clip(r.URL.Query().Get("find"), maxQuery)}}, nil)
}

// queuePage is one page of the queue, as an address names it.
type queuePage struct {
	kind  ledger.ReviewKind  // empty: all
	after ledger.ReviewPlace // zero: the beginning
}

func parseQueuePage(q url.Values) (p queuePage, err error) {
	if p.kind = ledger.ReviewKind(q.Get("kind")); p.kind != "" && !slices.Contains(ledger.ReviewKinds(), p.kind) {
		return p, refuse(http.StatusBadRequest, "bad_request", "no such kind").at("kind")
	}
	if text := q.Get("after"); text != "" {
		if p.after, err = parseReviewPlace(text); err != nil {
			return p, refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("after").because(err)
		}
	}
	return p, nil
}

// with is the page's address below the Shop's, with what was done on it.
func (p queuePage) with(f views.Flash) string {
	to := "/review?"
	if p.kind != "" {
		to += "kind=" + url.QueryEscape(string(p.kind)) + "&"
	}
	if !p.after.Since.IsZero() {
		to += "after=" + url.QueryEscape(reviewPlaceText(p.after)) + "&"
	}
	return to + f.Query()
}

// sentForm is a form of the queue that was just sent and refused: about what waits, or about a person's word.
type sentForm struct {
	kind    ledger.ReviewKind
	subject string
	word    string // or a word's id
	form    views.ReasonForm
}

// showReview renders the queue. sent stands where it was sent from; where that is not on the page, it is told above the list.
func (s *Server) showReview(w http.ResponseWriter, r *http.Request, v visit, status int, d views.ReviewData, sent *sentForm) error {
	at, err := parseQueuePage(r.URL.Query())
	if err != nil {
		return err
	}
	if !at.after.Since.IsZero() {
		d.After = reviewPlaceText(at.after)
	}
	items, err := s.Ledger.ReviewsPage(r.Context(), v.Shop.Hash, at.kind, at.after, pageLength+1)
	if err != nil {
		return err
	}
	if sent != nil {
		d.Unshown = &sent.form
	}
	if len(items) > pageLength {
		items = items[:pageLength]
		last := items[pageLength-1]
		d.Later = reviewPlaceText(ledger.ReviewPlace{Since: last.Since, Kind: last.Kind, Subject: last.Subject})
	}
	d.Layout, d.Kind, d.CanAct = s.layout(v, r), string(at.kind), v.may(ledger.Reviewer)
	for _, it := range items {
		row, err := s.reviewRow(r.Context(), v.Shop, it)
		if err != nil {
			return err
		}
		if sent != nil && sent.kind == it.Kind && sent.subject == it.Subject {
			row.Open, row.Form, d.Unshown = true, sent.form, nil
		}
		d.Rows = append(d.Rows, row)
	}
	words, err := s.Ledger.Words(r.Context(), v.Shop.Hash, s.Now().Add(-lately), latelyMost)
	if err != nil {
		return err
	}
	for _, word := range words {
		row, err := s.wordRow(r.Context(), v, word)
		if err != nil {
			return err
		}
		if sent != nil && sent.word == row.ID && row.Undo == "cart" {
			row.Form, d.Unshown = sent.form, nil
		}
		d.Words = append(d.Words, row)
	}
	return render(w, r, status, views.Review(d))
}

// reviewPlaceText and parseReviewPlace write a place in the queue into an address and read it back.
func reviewPlaceText(p ledger.ReviewPlace) string {
	return strconv.FormatInt(p.Since.UnixMilli(), 10) + "." + string(p.Kind) + "." + p.Subject
}

func parseReviewPlace(text string) (ledger.ReviewPlace, error) {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) != 3 {
		return ledger.ReviewPlace{}, errPlace
	}
	ms, err := strconv.ParseInt(parts[0], 10, 64)
	p := ledger.ReviewPlace{Since: time.UnixMilli(ms), Kind: ledger.ReviewKind(parts[1]), Subject: parts[2]}
	if err != nil || ms <= 0 || !slices.Contains(ledger.ReviewKinds(), p.Kind) || !plainSubject(p.Subject) || reviewPlaceText(p) != text {
		return ledger.ReviewPlace{}, errPlace
	}
	return p, nil
}

// plainSubject reports whether text can be a Session's id or an order's number.
func plainSubject(text string) bool {
	return text != "" && len(text) <= 40 && strings.Trim(text, "0123456789abcdefghijklmnopqrstuvwxyz-") == ""
}

// reviewOrder is the order that something waits about, where there is one by now.
func (s *Server) reviewOrder(ctx context.Context, shop *ledger.Shop, it ledger.Review) (o ledger.Order, ok bool, err error) {
	id := it.OrderID
	if id == 0 {
		if id, err = s.Ledger.OrderOfCart(ctx, shop.Hash, it.CartID); err != nil {
			if errors.Is(err, ledger.ErrNotFound) {
				err = nil
			}
			return o, false, err
		}
	}
	o, err = s.Ledger.Order(ctx, shop, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return o, false, nil
	}
	return o, err == nil, err
}

func (s *Server) reviewRow(ctx context.Context, shop *ledger.Shop, it ledger.Review) (views.ReviewRow, error) {
	p := present(shop)
	row := views.ReviewRow{Kind: string(it.Kind), Subject: it.Subject, Since: p.when(it.Since), Waited: cmp.Or(span(s.Now().Sub(it.Since)), "just now"), Guest: true}
	o, ok, err := s.reviewOrder(ctx, shop, it)
	if err != nil {
		return row, err
	}
	if ok {
		row.OrderID, row.Customer, row.Guest = orderNumber(o.ID), cmp.Or(o.Buyer.Name, customer(o.CustomerID)), o.CustomerID == 0
		row.Value, row.Erased = p.money(o.Value), !o.ErasedAt.IsZero()
	}
	if it.Kind.OfSession() {
		n, err := s.Ledger.Session(ctx, it.Subject)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return row, err
		}
		if err == nil && !ok {
			row.Customer, row.Guest = customer(n.CustomerID), n.CustomerID == 0
		}
	}
	if it.Kind == ledger.NoWay && o.DecisionID != "" {
		d, err := s.Ledger.Decision(ctx, shop.Hash, o.DecisionID)
		if err != nil {
			return row, err
		}
		if len(d.Reasons) > 0 {
			row.Why = views.ReasonWords(reasons(d.Reasons[:1])[0]).Sentence
		}
	}
	row.Do, row.NoAsk, err = s.canDo(ctx, shop, it, o, ok)
	return row, err
}

// canDo lists what can be done about something that waits, and why its buyer cannot be asked again, where that is not so.
func (s *Server) canDo(ctx context.Context, shop *ledger.Shop, it ledger.Review, o ledger.Order, isOrder bool) (do []string, noAsk string, err error) {
	ask := func(can bool, why string) {
		if noAsk = why; can && why == "" {
			do = append(do, views.DoAsk)
		}
	}
	switch {
	case it.Kind == ledger.WasLeaked || it.Kind == ledger.WasMoved:
		return []string{views.DoAcknowledge}, "", nil
	case !isOrder:
		do = []string{views.DoApprove, views.DoRefuse}
		ask(true, s.silence(shop))
	default:
		if releasable(o) {
			do = append(do, views.DoApprove)
		}
		if refusable(o) {
			do = append(do, views.DoRefuse)
		}
		why, err := s.noAsk(ctx, shop, o)
		if err != nil {
			return nil, "", err
		}
		if it.Kind != ledger.NoWay {
			ask(o.Hold == ledger.Held && o.PersonSays == "", why)
		}
	}
	if it.Kind == ledger.LatePass {
		do = append(do, views.DoAcknowledge)
	}
	return do, noAsk, nil
}

// silence is why no shopper can be mailed, or nothing.
func (s *Server) silence(shop *ledger.Shop) string {
	switch {
	case s.Relay.Mail == nil:
		return "Nobody can be asked by mail: this idgate has no mail server. Whoever runs it sets IDGATE_SMTP. Send the verification link yourself."
	case !s.Relay.MailsShoppers(shop):
		return "Nobody is asked by mail: the policy sends no mails. Switch them on under Policy, or send the verification link yourself."
	}
	return ""
}

// noAsk is why an order's buyer cannot be asked again just now, or nothing.
func (s *Server) noAsk(ctx context.Context, shop *ledger.Shop, o ledger.Order) (string, error) {
	if why := s.silence(shop); why != "" {
		return why, nil
	}
	if o.Buyer.Mailbox == "" {
		return "The buyer cannot be asked by mail: the order names no mailbox.", nil
	}
	next, spent, err := s.Relay.AskableFrom(ctx, shop, o.ID)
	switch {
	case err != nil:
		return "", err
	case spent:
		return "The buyer was asked as often as is allowed.", nil
	case !next.IsZero():
		return "The buyer was asked again already; once more from " + present(shop).when(next).Text + " on.", nil
	}
	return "", nil
}

// wordRow is a person's Decision, with how it can be taken back as long as it can.
func (s *Server) wordRow(ctx context.Context, v visit, word ledger.Word) (views.WordRow, error) {
	row := views.WordRow{ID: word.ID, OrderID: unlessZero(int(word.OrderID)), Outcome: string(word.Outcome), By: word.By, Why: word.Why, When: present(v.Shop).when(word.At)}
	if !v.may(ledger.Reviewer) {
		return row, nil
	}
	if !word.AtCart {
		o, err := s.Ledger.Order(ctx, v.Shop, word.OrderID)
		if err == nil && o.DecisionID == word.ID && relay.CanUndo(v.Shop, o) != relay.NotUndoable {
			row.Undo = "order"
		}
		if errors.Is(err, ledger.ErrNotFound) {
			err = nil
		}
		return row, err
	}
	last, err := s.Ledger.CartWord(ctx, v.Shop.Hash, word.CartID)
	if err != nil || last.DecisionID != word.ID || last.Outcome != gate.Allow && last.Outcome != gate.Refuse {
		return row, err
	}
	switch id, err := s.Ledger.OrderOfCart(ctx, v.Shop.Hash, word.CartID); {
	case err == nil:
		row.OrderID = orderNumber(id)
	case errors.Is(err, ledger.ErrNotFound):
		row.Undo = "cart"
	default:
		return row, err
	}
	return row, nil
}
