package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/views"
)

// stateGroups are the states that the list is filtered by, as the figures count them.
var stateGroups = map[string][]idv.State{
	"open":      {idv.StateCreated, idv.StateStarted, idv.StateProcessing},
	"review":    {idv.StateReview},
	"passed":    {idv.StatePassed},
	"late":      {idv.StatePassed},
	"failed":    {idv.StateFailed, idv.StateDeclined, idv.StateError},
	"abandoned": {idv.StateAbandoned, idv.StateExpired},
}

// sessionFilter reads the filters of the list of verifications. id is the Session that was searched for, where it was one.
func (n *narrowed) sessionFilter(shop *ledger.Shop) (f ledger.SessionFilter, id string, err error) {
	s, err := n.seek(shop, true)
	f = ledger.SessionFilter{OrderID: s.number, CustomerID: s.number, Mailbox: s.mailbox, IAL: -1}
	state := n.choice("state", views.VerificationStates()...)
	f.States, f.Late = stateGroups[state], state == "late"
	if ial := n.choice("ial", "0", "1", "2", "3"); ial != "" {
		f.IAL = int(ial[0] - '0')
	}
	f.Source = n.choice("source", views.IALSources()...)
	if channel, ok := ledger.FindOrder(n.choice("channel", channelCodes(shop)...)); ok {
		f.Channel = channel
	}
	f.From, f.To = n.days()
	return f, s.session, err
}

func narrowVerifications(q url.Values, p presenter) *narrowed {
	return narrow(q, p.zone, "q", views.SealedSearch, "state", "ial", "source", "channel", "from", "to")
}

// verifications lists Sessions, newest first, or goes to the one that was searched for.
func (s *Server) verifications(w http.ResponseWriter, r *http.Request, v visit) error {
	p := present(v.Shop)
	q, err := asked(r)
	if err != nil {
		return err
	}
	n := narrowVerifications(q, p)
	f, id, err := n.sessionFilter(v.Shop)
	if err != nil {
		return err
	}
	at, err := n.place(parseCursor)
	if err != nil {
		return err
	}
	d := views.VerificationsData{Layout: s.layout(v, r), Channels: p.channelOptions()}
	if len(n.errors) > 0 {
		d.Narrowed = n.form("", "", false)
		return render(w, r, http.StatusUnprocessableEntity, views.Verifications(d))
	}
	if !n.settled(w, r, v, "/verifications") {
		return nil
	}
	if id != "" {
		_, err := s.Ledger.SessionLine(r.Context(), v.Shop.Hash, id)
		switch {
		case err == nil:
			return back(w, r, v, "/verifications/"+id, views.Flash{})
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		d.Narrowed = n.form("", "", false)
		return render(w, r, http.StatusOK, views.Verifications(d))
	}
	page, err := s.Ledger.SessionsBy(r.Context(), v.Shop, f, at, pageLength)
	if err != nil {
		return err
	}
	d.Narrowed = n.form(cursorOrNone(page.Older), cursorOrNone(page.Newer), page.Far)
	d.Export = v.has(ledger.Reviewer)
	orders, err := s.ordersBy(r.Context(), v.Shop, page.Rows)
	if err != nil {
		return err
	}
	for _, l := range page.Rows {
		d.Rows = append(d.Rows, p.verificationRow(l, orders[l.SubjectID]))
	}
	return render(w, r, http.StatusOK, views.Verifications(d))
}

// ordersBy reads the orders that Sessions were for, by their numbers.
func (s *Server) ordersBy(ctx context.Context, shop *ledger.Shop, lines []ledger.SessionLine) (map[int64]ledger.Order, error) {
	ids := map[int64]bool{}
	for _, l := range lines {
		if l.SubjectID != 0 {
			ids[l.SubjectID] = true
		}
	}
	return s.Ledger.OrdersOf(ctx, shop, ids)
}

func (p presenter) verificationRow(l ledger.SessionLine, o ledger.Order) views.VerificationRow {
	row := views.VerificationRow{ID: l.ID, Started: p.when(l.StartedAt), State: string(l.State), Reason: l.Reason, Late: l.Late, Customer: cmp.Or(o.Buyer.Name, customer(l.CustomerID)),
		Value: p.money(o.Value), Revoked: l.Revoked}
	if l.State.Final() {
		row.Took = took(l.ChangedAt.Sub(l.StartedAt))
	}
	if l.IAL >= 0 {
		row.IAL, row.Source = strconv.Itoa(l.IAL), l.Source
	}
	if o.ID != 0 {
		row.Order = orderNumber(o.ID)
	}
	return row
}

// sessionInPath reads the Session that the path names; one of another Shop is as unknown as one that never was.
func (s *Server) sessionInPath(r *http.Request, v visit) (ledger.SessionLine, error) {
	id := r.PathValue("session")
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return ledger.SessionLine{}, refuse(http.StatusNotFound, "not_found", "no such session")
	}
	return s.Ledger.SessionLine(r.Context(), v.Shop.Hash, id)
}

// verification shows one Session.
func (s *Server) verification(w http.ResponseWriter, r *http.Request, v visit) error {
	l, err := s.sessionInPath(r, v)
	if err != nil {
		return err
	}
	return s.showVerification(w, r, v, l, http.StatusOK, views.ReasonForm{})
}

// showVerification renders a Session's page; form is a revocation that was refused.
func (s *Server) showVerification(w http.ResponseWriter, r *http.Request, v visit, l ledger.SessionLine, status int, form views.ReasonForm) error {
	rec, err := s.sessionRecord(r.Context(), v.Shop, l)
	if err != nil {
		return fmt.Errorf("reading session %s: %w", l.ID, err)
	}
	d := present(v.Shop).verification(rec, s.Now())
	d.Layout = s.layout(v, r)
	if d.Proof != nil {
		d.Proof.CanRevoke, d.Proof.Revoke = v.may(ledger.Manager) && !d.Proof.Revoked, form
		d.ReceiptURL = d.Base + "/verifications/" + l.ID + "/receipt"
		d.JWKSURL, d.VerifyCommand = s.AppURL+"/.well-known/jwks.json", "idgate receipt verify -jwks jwks.json < receipt.jwt"
	}
	return render(w, r, status, views.Verification(d))
}

// sessionFacts is everything the ledger has about a Session.
type sessionFacts struct {
	line    ledger.SessionLine
	session ledger.Session
	order   ledger.Order // that it was for; zero: none yet
	moves   []ledger.StateChange
	asked   *ledger.Decision // that asked for it; nil when it is not kept any more
	proof   *ledger.Proof
	served  []ledger.Order    // those that the Proof allowed at some time
	then    []ledger.Decision // made since it began
}

// sessionRecord reads a Session's record. Every list in it is bounded by its query.
func (s *Server) sessionRecord(ctx context.Context, shop *ledger.Shop, l ledger.SessionLine) (rec sessionFacts, err error) {
	rec.line = l
	if rec.session, err = s.Ledger.Session(ctx, l.ID); err != nil {
		return rec, err
	}
	if rec.moves, err = s.Ledger.SessionMoves(ctx, shop.Hash, l.ID); err != nil {
		return rec, err
	}
	decisions, err := s.Ledger.CartDecisions(ctx, shop.Hash, rec.session.CartID)
	if err != nil {
		return rec, err
	}
	if l.SubjectID != 0 {
		of, err := s.Ledger.OrderDecisions(ctx, shop.Hash, l.SubjectID)
		if err != nil {
			return rec, err
		}
		decisions = append(decisions, slices.DeleteFunc(of, func(d ledger.Decision) bool { return rec.session.CartID != "" && d.CartID == rec.session.CartID })...)
		if rec.order, err = s.Ledger.Order(ctx, shop, l.SubjectID); err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return rec, err
		}
	}
	slices.SortFunc(decisions, func(a, b ledger.Decision) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	for i, d := range decisions {
		if !d.At.After(l.StartedAt) {
			if d.Outcome != gate.Allow {
				rec.asked = &decisions[i]
			}
			break
		}
		rec.then = append(rec.then, d)
	}
	if rec.session.OrderID != 0 && rec.asked == nil && rec.order.ID != 0 && len(decisions) > 0 {
		rec.asked = &decisions[len(decisions)-1] // the order's first
	}
	p, err := s.Ledger.SessionProof(ctx, shop, l.ID)
	if errors.Is(err, ledger.ErrNotFound) {
		return rec, nil
	}
	if err != nil {
		return rec, err
	}
	rec.proof = &p
	numbers, err := s.Ledger.OrdersOfProof(ctx, shop.Hash, p.ID)
	if err != nil {
		return rec, err
	}
	ids := map[int64]bool{}
	for _, id := range numbers {
		ids[id] = true
	}
	orders, err := s.Ledger.OrdersOf(ctx, shop, ids)
	for _, id := range numbers {
		if o, ok := orders[id]; ok {
			rec.served = append(rec.served, o)
		}
	}
	return rec, err
}

// verification is a Session's page without what depends on who looks at it.
func (p presenter) verification(rec sessionFacts, now time.Time) views.VerificationData {
	n := rec.session
	d := views.VerificationData{VerificationRow: p.verificationRow(rec.line, rec.order), Asked: need(n.Requirement), CartID: n.CartID, ForOrder: n.OrderID != 0,
		Deadline: p.when(n.Deadline), Trouble: n.Trouble, Timeline: p.sessionTimeline(rec)}
	if n.Policy > 0 {
		d.PolicyVersion = strconv.FormatInt(n.Policy, 10)
	}
	if n.State.Final() {
		d.Ended = p.when(n.ChangedAt)
	}
	if a := rec.asked; a != nil {
		d.Decided, d.Outcome, d.Reasons = p.when(a.At), string(a.Outcome), reasons(a.Reasons)
	}
	if pr := rec.proof; pr != nil {
		shown := p.proof(*pr, nil)
		shown.Used, shown.Document = len(rec.served) > 0, evidence(*pr)
		d.Proof, d.ProofGood = &shown, !pr.Revoked && now.Before(pr.Until)
	}
	for _, o := range rec.served {
		d.Served = append(d.Served, views.Served{Order: orderNumber(o.ID), Customer: cmp.Or(o.Buyer.Name, customer(o.CustomerID)), Value: p.money(o.Value), Hold: holdCode(o),
			Outcome: outcomeOf(o)})
	}
	return d
}

func outcomeOf(o ledger.Order) string {
	if o.Answer == "exempt" {
		return string(gate.Allow)
	}
	return o.Answer
}

// evidence is what a Proof rests on, in words.
func evidence(p ledger.Proof) string {
	if p.Document {
		return "checked"
	}
	return "none"
}

// sessionTimeline is what the Session went through, oldest first, with the Decision that asked for it, those that followed, and what
// became of its Proof.
func (p presenter) sessionTimeline(rec sessionFacts) []views.Entry {
	var events []event
	add := func(at time.Time, order int, e views.Entry) {
		e.When = p.when(at)
		events = append(events, event{at, order, e})
	}
	if a := rec.asked; a != nil {
		add(a.At, 0, p.decided(*a))
	}
	for i, m := range rec.moves {
		e := views.Entry{Kind: "session", Code: string(m.State)}
		if i == len(rec.moves)-1 {
			e.SessionReason = rec.line.Reason
		}
		if m.State == idv.StatePassed && rec.proof != nil {
			e.IAL, e.IALSource = rec.proof.IAL.String(), rec.proof.Source
		}
		add(m.At, 1+i, e)
	}
	for _, d := range rec.then {
		if rec.proof != nil && d.ProofID == rec.proof.ID {
			add(d.At, 200, p.decided(d))
		}
	}
	if pr := rec.proof; pr != nil && pr.Revoked {
		add(pr.RevokedAt, 300, views.Entry{Kind: "event", Code: "revoked", By: pr.RevokedBy, Note: pr.RevokedWhy})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	out := make([]views.Entry, len(events))
	for i, e := range events {
		out[i] = e.Entry
	}
	return out
}

// revokeSession takes back the Proof that a Session made.
func (s *Server) revokeSession(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	l, err := s.sessionInPath(r, v)
	if err != nil {
		return err
	}
	p, err := s.Ledger.SessionProof(r.Context(), v.Shop, l.ID)
	if err != nil {
		return err
	}
	if p.ID != values.Get(views.ProofField) {
		return refuse(http.StatusNotFound, "not_found", "the session has no such proof")
	}
	if p.Revoked {
		return s.showVerification(w, r, v, l, http.StatusConflict, views.ReasonForm{})
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showVerification(w, r, v, l, http.StatusUnprocessableEntity, views.ReasonForm{Reason: reason, Error: code})
	}
	switch err := s.Ledger.RevokeProof(r.Context(), v.Shop, p.ID, v.User.Email, reason, s.Now()); {
	case errors.Is(err, ledger.ErrNotFound): // somebody else was quicker
		return s.showVerification(w, r, v, l, http.StatusConflict, views.ReasonForm{})
	case err != nil:
		return err
	}
	s.Log.Info("proof revoked", "shop", v.Shop.Hash, "session", l.ID, "proof", p.ID, "by", v.User.Email)
	return back(w, r, v, "/verifications/"+l.ID, views.Flash{Code: "proof_revoked", Value: "1"})
}

// downloadReceipt sends the signed Receipt of the Proof that a Session made. It says what was established then; one that was revoked has none.
func (s *Server) downloadReceipt(w http.ResponseWriter, r *http.Request, v visit) error {
	l, err := s.sessionInPath(r, v)
	if err != nil {
		return err
	}
	p, err := s.Ledger.SessionProof(r.Context(), v.Shop, l.ID)
	if err != nil {
		return err
	}
	if p.Revoked {
		return refuse(http.StatusNotFound, "not_found", "the proof was revoked")
	}
	ial := p.IAL
	if p.Source == gate.SourcePolicy {
		ial = v.Shop.Policy.Evidence.Level(p.Document, p.Selfie) // as in what is written to the customer
	}
	jwt, err := s.Ledger.Signer(s.AppURL).SignProof(receipt.ProofReceipt{ID: p.ID, Shop: v.Shop.Hash, CustomerID: p.Holder.CustomerID, IAL: int(ial), IALSource: p.Source,
		LiveID: p.Selfie, ExpiresAt: p.Until}, p.At)
	if err != nil {
		return fmt.Errorf("signing the receipt of proof %s: %w", p.ID, err)
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "receipt-" + l.ID + ".jwt"}))
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(jwt + "\n"))
	return err
}
