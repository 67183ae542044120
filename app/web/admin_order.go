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
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/views"
)

const (
	shownReceipts = 10
	lastCall      = 24 * time.Hour // before a cancellation
)

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
		d.CanRelease, d.CanRefuse, d.CanRepeat = releasable(o), refusable(o), true
		d.CanKeep, d.CanUnkeep = keepable(v.Shop, o), unkeepable(v.Shop, o)
	}
	for i := range d.Proofs {
		d.Proofs[i].CanRevoke = v.may(ledger.Manager) && !d.Proofs[i].Revoked
	}
	d.Silent = !v.Shop.Policy.Mails || s.Relay.Mail == nil
	if v.may(ledger.Reviewer) && onHold(o) && rec.link.ID != nil {
		// Whoever has the link can verify for this order, so only those see it who may let the order go.
		d.VerifyURL, d.VerifyExpires = s.AppURL+"/v/"+s.Ledger.Token(rec.link), present(v.Shop).when(rec.link.ExpiresAt)
	}
	d.JWKSURL = s.AppURL + "/.well-known/jwks.json"
	d.VerifyCommand = "idgate receipt verify -jwks jwks.json < receipt.jwt"
	if err := s.showDemands(r, v, o, &d, rec.latest); err != nil {
		return err
	}
	change(&d)
	return render(w, r, status, views.Order(d))
}

// keepable reports whether a person may say that the order is not to be cancelled.
func keepable(shop *ledger.Shop, o ledger.Order) bool {
	return (o.Hold == ledger.Held || o.Hold == ledger.Cancelling) && !o.Kept && (!o.CancelAt.IsZero() || shop.Policy.CancelAfter > 0)
}

// unkeepable reports whether a person may say that the order is to be cancelled after all.
func unkeepable(shop *ledger.Shop, o ledger.Order) bool {
	return o.Hold == ledger.Held && o.Kept && shop.Policy.CancelAfter > 0
}

// refusable reports whether a person may refuse the order: once, while it is on hold or on its way there.
func refusable(o ledger.Order) bool { return onHold(o) && o.PersonSays != "refuse" }

// releasable reports whether a person may release the order; a refusal can be taken back.
func releasable(o ledger.Order) bool { return onHold(o) || o.Hold == ledger.Refused }

// orderRecord is everything the ledger has about an order.
type orderRecord struct {
	order      ledger.Order
	latest     *ledger.Decision // nil before the first
	proofs     []ledger.Proof   // those that its Decisions used, the latest first, and then those of its Sessions
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
	}
	if rec.sessions, err = s.Ledger.SubjectSessions(ctx, shop.Hash, o.ID, o.CartID); err != nil {
		return rec, err
	}
	if rec.proofs, err = s.orderProofs(ctx, shop, rec); err != nil {
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
	if rec.writebacks, err = s.orderWritebacks(ctx, shop, o, rec.proofs); err != nil {
		return rec, err
	}
	if rec.keys, err = s.receiptKeys(rec.decisions); err != nil {
		return rec, err
	}
	rec.link, err = s.mailLink(ctx, o)
	return rec, err
}

// orderProofs are the Proofs that the order's Decisions used, the latest first, and those that its own Sessions have made. What was erased
// since is left out.
func (s *Server) orderProofs(ctx context.Context, shop *ledger.Shop, rec orderRecord) (out []ledger.Proof, err error) {
	add := func(p ledger.Proof, err error) error {
		known := slices.ContainsFunc(out, func(o ledger.Proof) bool { return o.ID == p.ID })
		if err == nil && !known {
			out = append(out, p)
		}
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		return err
	}
	looked := map[string]bool{"": true}
	for _, d := range rec.decisions {
		if looked[d.ProofID] {
			continue
		}
		looked[d.ProofID] = true
		if err := add(s.Ledger.Proof(ctx, shop, d.ProofID)); err != nil {
			return nil, err
		}
	}
	for _, n := range rec.sessions {
		if n.State != idv.StatePassed {
			continue
		}
		if err := add(s.Ledger.SessionProof(ctx, shop, n.ID)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// used reports whether p is the Proof that the latest Decision used.
func (rec orderRecord) used(p ledger.Proof) bool {
	return rec.latest != nil && rec.latest.ProofID == p.ID
}

// orderWritebacks lists what was or is to be written for the order, and for its customer on account of its Proofs.
func (s *Server) orderWritebacks(ctx context.Context, shop *ledger.Shop, o ledger.Order, proofs []ledger.Proof) ([]ledger.StoredWriteback, error) {
	out, err := s.Ledger.OrderWritebacks(ctx, shop.Hash, o.ID)
	if err != nil || len(proofs) == 0 || o.CustomerID == 0 {
		return out, err
	}
	all, err := s.Ledger.CustomerWritebacks(ctx, shop.Hash, o.CustomerID)
	for _, b := range all {
		if slices.ContainsFunc(proofs, func(p ledger.Proof) bool { return p.ID == b.Ref }) {
			out = append(out, b)
		}
	}
	return out, err
}

// ofOrder reports whether a Writeback's subject is an order; otherwise it is a customer.
func ofOrder(k ledger.WritebackKind) bool {
	switch k {
	case ledger.Hold, ledger.Release, ledger.Cancel, ledger.Note, ledger.CancelNote, ledger.DecisionMetafield, ledger.Mail:
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
		Digital: o.Digital, Erased: p.when(o.ErasedAt), CancelAt: p.when(o.CancelAt), CalledAt: p.when(o.CalledAt), Kept: o.Kept,
		FactsDigest: hex.EncodeToString(o.FactsDigest), Timeline: p.timeline(rec), Receipts: p.receipts(rec),
	}
	if o.ShopValue.Currency != "" && o.ShopValue.Currency != o.Value.Currency {
		d.ShopValue = p.money(o.ShopValue)
	}
	for _, c := range p.shop.Channels {
		if c.ID == o.Channel {
			d.Channel = c.Name
		}
	}
	if p.shop.ControlPanel != "" {
		d.ControlPanelURL = p.shop.ControlPanel + "/manage/orders/" + d.ID
	}
	if l := rec.latest; l != nil {
		d.Outcome, d.Shadow, d.Reasons, d.Need = string(l.Outcome), l.Mode == gate.Shadow, reasons(l.Reasons), need(l.Requirement)
		d.Needs = needs(l.Needs)
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
	d.Trouble, d.Stuck = trouble(rec)
	if !o.CancelAt.IsZero() {
		d.CallAt = p.when(o.CancelAt.Add(-lastCall))
	}
	for _, pr := range rec.proofs {
		shown := p.proof(pr, nil)
		if i := slices.IndexFunc(rec.decisions, func(d ledger.Decision) bool { return d.ProofID == pr.ID }); i >= 0 {
			shown = p.proof(pr, &rec.decisions[i].Decision)
			shown.Before = !rec.used(pr)
		}
		d.Proofs = append(d.Proofs, shown)
	}
	return d
}

// proof is a Proof, at the level on which d allowed, where d used it: whatever the mapping says by now.
func (p presenter) proof(pr ledger.Proof, d *gate.Decision) views.ProofData {
	out := views.ProofData{ID: pr.ID, Used: d != nil, IAL: pr.IAL.String(), Source: pr.Source, Selfie: pr.Selfie, At: p.when(pr.At), Until: p.when(pr.Until),
		Revoked: pr.Revoked, RevokedAt: p.when(pr.RevokedAt), RevokedBy: pr.RevokedBy, RevokedWhy: pr.RevokedWhy}
	if d != nil {
		if i := slices.IndexFunc(d.Reasons, func(r gate.Reason) bool { return r.Code == gate.ProofOK }); i >= 0 {
			out.IAL = d.Reasons[i].Detail
		}
	}
	if pr.Age >= 0 {
		out.Age = strconv.Itoa(pr.Age)
	}
	return out
}

// trouble is why work on the order does not get on, or nothing; stuck when a person has to do something about it. What moves the order
// itself comes before what only tells of it.
func trouble(rec orderRecord) (why string, stuck bool) {
	if rec.order.Trouble != "" {
		return rec.order.Trouble, false
	}
	first := func(state string, moves bool) string {
		for _, b := range rec.writebacks {
			if b.State == state && b.Reason != "" && (!moves || b.Kind == ledger.Hold || b.Kind == ledger.Release || b.Kind == ledger.Cancel) {
				return b.Reason
			}
		}
		return ""
	}
	if why = cmp.Or(first("stuck", true), first("stuck", false)); why != "" {
		return why, true
	}
	return cmp.Or(first("pending", true), first("pending", false)), false
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
