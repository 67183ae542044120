package web

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/views"
)

const shownReceipts = 10

// order shows one order with all that is known about it and about why.
func (s *Server) order(w http.ResponseWriter, r *http.Request, v visit) error {
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	return s.showOrder(w, r, v, o, http.StatusOK, func(*views.OrderData) {})
}

// showOrder renders an order's page; change adds what the page is to say besides.
func (s *Server) showOrder(w http.ResponseWriter, r *http.Request, v visit, o ledger.Order, status int, change func(*views.OrderData)) error {
	rec, err := s.readOrder(r.Context(), v.Shop, o)
	if err != nil {
		return fmt.Errorf("reading order %d: %w", o.ID, err)
	}
	d := present(v.Shop).order(rec)
	d.Layout = s.layout(v, r)
	if v.may(ledger.Reviewer) {
		d.CanRelease, d.CanRefuse = releasable(o), refusable(o)
	}
	if v.may(ledger.Reviewer) && onHold(o) && rec.link.ID != nil {
		// Whoever has the link can verify for this order, so only those see it who may let the order go.
		d.VerifyURL, d.VerifyExpires = s.AppURL+"/v/"+s.Ledger.Token(rec.link), present(v.Shop).when(rec.link.ExpiresAt)
	}
	d.JWKSURL = s.AppURL + "/.well-known/jwks.json"
	d.VerifyCommand = "idgate receipt verify -jwks jwks.json < receipt.jwt"
	change(&d)
	return render(w, r, status, views.Order(d))
}

// refusable reports whether a person may refuse the order: once, while it is on hold or on its way there.
func refusable(o ledger.Order) bool { return onHold(o) && o.PersonSays != "refuse" }

// releasable reports whether a person may release the order; a refusal can be taken back.
func releasable(o ledger.Order) bool { return onHold(o) || o.Hold == ledger.Refused }

// orderRecord is everything the ledger has about an order.
type orderRecord struct {
	order      ledger.Order
	latest     *ledger.Decision // nil before the first
	proof      *ledger.Proof    // the one the latest Decision used
	link       ledger.Capability
	decisions  []ledger.Decision // of the order and of its cart
	sessions   []ledger.Session
	notices    []ledger.StoredNotice
	writebacks []ledger.StoredWriteback
	keys       map[string]string // by Decision: the key that signed its Receipt
}

// readOrder reads an order's record. Every list in it is bounded by its query.
func (s *Server) readOrder(ctx context.Context, shop *ledger.Shop, o ledger.Order) (rec orderRecord, err error) {
	rec.order = o
	if rec.decisions, err = s.Ledger.OrderDecisions(ctx, shop.Hash, o.ID); err != nil {
		return rec, err
	}
	cart, err := s.Ledger.CartDecisions(ctx, shop.Hash, o.CartID)
	if err != nil {
		return rec, err
	}
	for _, d := range cart {
		if d.Stage == gate.AtCheckout {
			rec.decisions = append(rec.decisions, d)
		}
	}
	if o.DecisionID != "" {
		d, err := s.Ledger.Decision(ctx, shop.Hash, o.DecisionID)
		if err != nil {
			return rec, err
		}
		rec.latest = &d
		if rec.proof, err = s.usedProof(ctx, shop, d); err != nil {
			return rec, err
		}
	}
	if rec.sessions, err = s.Ledger.SubjectSessions(ctx, shop.Hash, o.ID, o.CartID); err != nil {
		return rec, err
	}
	for _, subject := range []string{orderNumber(o.ID), o.CartID} {
		if subject == "" {
			continue
		}
		ns, err := s.Ledger.SubjectNotices(ctx, shop.Hash, subject)
		if err != nil {
			return rec, err
		}
		rec.notices = append(rec.notices, ns...)
	}
	if rec.writebacks, err = s.orderWritebacks(ctx, shop, o, rec.proof); err != nil {
		return rec, err
	}
	if rec.keys, err = s.receiptKeys(rec.decisions); err != nil {
		return rec, err
	}
	rec.link, err = s.mailLink(ctx, o)
	return rec, err
}

// usedProof is the Proof that allowed, or nil.
func (s *Server) usedProof(ctx context.Context, shop *ledger.Shop, d ledger.Decision) (*ledger.Proof, error) {
	if d.ProofID == "" {
		return nil, nil
	}
	p, err := s.Ledger.Proof(ctx, shop, d.ProofID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil // erased since
	}
	return &p, err
}

// orderWritebacks lists what was written for the order, and for its customer on account of its Proof. Orders and customers have
// numbers of their own, so a number alone names nothing.
func (s *Server) orderWritebacks(ctx context.Context, shop *ledger.Shop, o ledger.Order, proof *ledger.Proof) ([]ledger.StoredWriteback, error) {
	all, err := s.Ledger.SubjectWritebacks(ctx, shop.Hash, o.ID)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(all, func(b ledger.StoredWriteback) bool { return !ofOrder(b.Kind) })
	if proof == nil || o.CustomerID == 0 {
		return out, nil
	}
	all, err = s.Ledger.SubjectWritebacks(ctx, shop.Hash, o.CustomerID)
	for _, b := range all {
		if !ofOrder(b.Kind) && b.Ref == proof.ID {
			out = append(out, b)
		}
	}
	return out, err
}

// ofOrder reports whether a Writeback's subject is an order; otherwise it is a customer.
func ofOrder(k ledger.WritebackKind) bool {
	switch k {
	case ledger.Hold, ledger.Release, ledger.Note, ledger.DecisionMetafield:
		return true
	case ledger.CustomerAttributes, ledger.CustomerFieldsV2, ledger.ProofMetafield:
		return false
	}
	return false
}

// receiptKeys verifies the Receipts that are shown against our own published keys, and says which key signed which.
func (s *Server) receiptKeys(ds []ledger.Decision) (map[string]string, error) {
	keys, err := receipt.ParseJWKS(s.Ledger.JWKS())
	if err != nil {
		return nil, fmt.Errorf("reading our own keys: %w", err)
	}
	out := map[string]string{}
	for _, d := range ds[:min(len(ds), shownReceipts)] {
		if c, err := receipt.VerifyWith(keys, d.Receipt, s.Now()); err == nil {
			out[d.ID] = c.KeyID
		} else {
			s.Log.Error("a stored receipt does not verify", "decision", d.ID, "error", err)
		}
	}
	return out, nil
}

// mailLink is the order's verification link while it is good; otherwise the zero Capability.
func (s *Server) mailLink(ctx context.Context, o ledger.Order) (ledger.Capability, error) {
	if len(o.Link) == 0 {
		return ledger.Capability{}, nil
	}
	c, err := s.Ledger.Capability(ctx, s.Ledger.Token(ledger.Capability{ID: o.Link, Purpose: ledger.ForMail}), ledger.ForMail, s.Now())
	if errors.Is(err, ledger.ErrExpiredCapability) || errors.Is(err, ledger.ErrBadCapability) {
		return ledger.Capability{}, nil
	}
	return c, err
}

// order is an order's page without what depends on who looks at it.
func (p presenter) order(rec orderRecord) views.OrderData {
	o := rec.order
	d := views.OrderData{
		ID: orderNumber(o.ID), Number: orderNumber(o.ID), Placed: p.when(o.PlacedAt), Customer: cmp.Or(o.Buyer.Name, customer(o.CustomerID)), Guest: o.CustomerID == 0,
		Mailbox: o.Buyer.Mailbox, Value: p.money(o.Value), StatusID: o.StatusID, Source: o.Source, CartID: o.CartID,
		Hold: holdCode(o), HeldSince: p.when(o.HeldAt), HoldStatus: o.HoldStatus, FormerStatus: o.FormerStatus,
		Trouble: trouble(rec), FactsDigest: hex.EncodeToString(o.FactsDigest), Timeline: p.timeline(rec), Receipts: p.receipts(rec),
	}
	if p.shop.ControlPanel != "" {
		d.ControlPanelURL = p.shop.ControlPanel + "/manage/orders/" + d.ID
	}
	if l := rec.latest; l != nil {
		d.Outcome, d.Shadow, d.Reasons, d.Need = string(l.Outcome), l.Mode == gate.Shadow, reasons(l.Reasons), need(l.Requirement)
		d.DecidedAt, d.MadeBy, d.DecidedBy = p.when(l.At), string(l.MadeBy), l.Person
		if l.Would != l.Outcome {
			d.Would = string(l.Would)
		}
		if l.Policy > 0 {
			d.PolicyVersion = strconv.FormatInt(l.Policy, 10)
		}
		for _, r := range l.Rules {
			d.Rules = append(d.Rules, p.rule(r, o))
		}
	}
	if rec.proof != nil {
		d.Proof = p.proof(*rec.proof, rec.latest.Decision)
	}
	return d
}

// proof is a Proof as the Decision counted it: the level is the one it was allowed on, whatever the mapping says by now.
func (p presenter) proof(pr ledger.Proof, d gate.Decision) *views.ProofData {
	out := views.ProofData{IAL: pr.IAL.String(), Source: pr.Source, Selfie: pr.Selfie, At: p.when(pr.At), Until: p.when(pr.Until), Revoked: pr.Revoked}
	if i := slices.IndexFunc(d.Reasons, func(r gate.Reason) bool { return r.Code == gate.ProofOK }); i >= 0 {
		out.IAL = d.Reasons[i].Detail
	}
	if pr.Age >= 0 {
		out.Age = strconv.Itoa(pr.Age)
	}
	return &out
}

// trouble is why work on the order does not get on, or nothing.
func trouble(rec orderRecord) string {
	if rec.order.Trouble != "" {
		return rec.order.Trouble
	}
	for _, b := range rec.writebacks {
		if b.Reason != "" && (b.State == "stuck" || b.State == "pending") {
			return b.Reason
		}
	}
	return ""
}

// event is an Entry with what it is sorted by.
type event struct {
	at    time.Time
	order int // among events of the same millisecond: causes before effects
	views.Entry
}

// timeline is everything that happened to the order, oldest first.
func (p presenter) timeline(rec orderRecord) []views.Entry {
	o := rec.order
	events := []event{{o.SeenAt, 0, views.Entry{Kind: "order", Code: "seen"}}}
	add := func(at time.Time, order int, e views.Entry) { events = append(events, event{at, order, e}) }
	for _, n := range rec.notices {
		add(n.ReceivedAt, 1, views.Entry{Kind: "notice", Code: n.Scope, Note: statusChange(n.Detail)})
	}
	for _, n := range rec.sessions {
		add(n.ChangedAt, 2, p.session(n))
	}
	for _, d := range rec.decisions {
		e := p.decided(d)
		if rec.proof != nil && d.ProofID == rec.proof.ID {
			shown := p.proof(*rec.proof, d.Decision)
			e.IAL, e.IALSource = shown.IAL, shown.Source
		}
		add(d.At, 3, e)
	}
	written := false
	for _, b := range rec.writebacks {
		if b.State != "done" {
			continue
		}
		written = written || b.Kind == ledger.Hold
		add(b.DoneAt, 4, paid(b))
	}
	if !written && !o.HeldAt.IsZero() { // the order was in the hold status already
		add(o.HeldAt, 4, views.Entry{Kind: "hold", Code: "held"})
	}
	if o.Hold == ledger.Leaked || o.Hold == ledger.Moved { // found at the latest when the order last changed
		add(o.ModifiedAt, 5, views.Entry{Kind: "order", Code: string(o.Hold)})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	out := make([]views.Entry, len(events))
	for i, e := range events {
		out[i] = e.Entry
		out[i].When = p.when(e.at)
	}
	return out
}

// statusChange is what a status webhook told, in words.
func statusChange(d ledger.Detail) string {
	if d.NewStatus == d.OldStatus {
		return ""
	}
	return views.OrderStatusWords(d.OldStatus).Short + " → " + views.OrderStatusWords(d.NewStatus).Short
}

// paid is a Writeback that is done, as the timeline tells it.
func paid(b ledger.StoredWriteback) views.Entry {
	switch b.Kind {
	case ledger.Hold:
		return views.Entry{Kind: "hold", Code: "held"}
	case ledger.Release:
		e := views.Entry{Kind: "hold", Code: "released"}
		if b.Reason != "released" { // somebody had moved the order on
			e.Note = b.Reason
		}
		return e
	case ledger.Note, ledger.DecisionMetafield, ledger.CustomerAttributes, ledger.CustomerFieldsV2, ledger.ProofMetafield:
	}
	return views.Entry{Kind: "writeback", Code: string(b.Kind)}
}

// receipts are the newest Receipts of the order's Decisions.
func (p presenter) receipts(rec orderRecord) []views.ReceiptData {
	var out []views.ReceiptData
	for _, d := range rec.decisions {
		if kid, ok := rec.keys[d.ID]; ok {
			out = append(out, views.ReceiptData{Kind: string(receipt.KindDecision), When: p.when(d.At), KID: kid, JWT: d.Receipt})
		}
	}
	return out
}
