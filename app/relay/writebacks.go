package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/receipt"
)

// Namespace and keys of our metafields.
const (
	metafieldNamespace = "blockid"
	decisionKey        = "decision"
	proofKey           = "vc_token"
)

// someWritebacks pays a few of a Shop's Writebacks, the most urgent first. What the quota has no room for stays due.
func (r *Relay) someWritebacks(ctx context.Context, hash string) (int, error) {
	for i, u := range ledger.Urgencies() {
		n, err := r.someOfUrgency(ctx, hash, u, urgency(i))
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

func (r *Relay) someOfUrgency(ctx context.Context, hash string, stored int64, u urgency) (int, error) {
	now := r.Now()
	n, release := r.reserve(hash, u, writeCost)
	defer release()
	if n == 0 {
		return 0, nil
	}
	due, err := r.Ledger.LeaseWritebacks(ctx, hash, stored, now, now.Add(lease), n)
	each(ctx, r.piece, due, laneBatch, func(w ledger.Writeback) int64 { return w.Subject }, r.pay, func(w ledger.Writeback, err error) {
		r.Log.Error("paying a writeback", "shop", w.Shop, "kind", w.Kind, "subject", w.Subject, "error", err)
	})
	return len(due), err
}

func (r *Relay) pay(ctx context.Context, w ledger.Writeback) error {
	s, err := r.Ledger.Shop(w.Shop)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return r.Ledger.DropWriteback(ctx, w, "the shop is not installed any more", r.Now())
	}
	if err != nil {
		return err
	}
	r.At("writeback claimed")
	if w.Kind == ledger.Hold || w.Kind == ledger.Release || w.Kind == ledger.Cancel {
		// One status at a time: a release that is being written is seen by the hold that overtakes it.
		defer r.writing.lock(fmt.Sprintf("%s/%d", w.Shop, w.Subject))()
	}
	e, err := r.effect(ctx, s, w)
	if err != nil {
		e = r.judge(ctx, s, err, w.Attempt)
	}
	if e.kind == isDropped && errors.Is(err, bigcommerce.ErrNotFound) && (w.Kind == ledger.Hold || w.Kind == ledger.Release || w.Kind == ledger.Cancel) {
		if e, err = r.missing(ctx, s, w, e.remark); err != nil {
			return err
		}
	}
	r.At("writeback confirmed")
	if w.Ref == ledger.RefErase && (e.kind == isDone || e.kind == isDropped) {
		return r.Ledger.RemoveWriteback(ctx, w)
	}
	switch e.kind {
	case isDone:
		return r.Ledger.FinishWriteback(ctx, w, e.remark, r.Now())
	case isLater:
		if w.Kind == ledger.Hold || w.Kind == ledger.Release {
			e.at = r.soon(e.at)
		}
		return r.Ledger.PostponeWriteback(ctx, w, e.at, e.remark)
	case isStuck:
		r.Log.Warn("a writeback is stuck until somebody acts", "shop", w.Shop, "kind", w.Kind, "subject", w.Subject, "reason", e.remark)
		return r.Ledger.StickWriteback(ctx, w, e.remark, r.Now())
	case isDropped:
		return r.Ledger.DropWriteback(ctx, w, e.remark, r.Now())
	}
	return nil
}

// missing is how a change of status ends whose order BigCommerce does not have: the gate finds out whether that is so, and if it is forgets
// the order, and this with it.
func (r *Relay) missing(ctx context.Context, s *ledger.Shop, w ledger.Writeback, why string) (ending, error) {
	o, err := r.Ledger.Order(ctx, s, w.Subject)
	if err == nil && o.DueAt.IsZero() {
		err = r.Ledger.DueOrder(ctx, s.Hash, w.Subject, r.Now())
	}
	return later(r.retry(w.Attempt), why), err
}

func (r *Relay) effect(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	switch w.Kind {
	case ledger.Hold:
		return r.writeHold(ctx, s, w)
	case ledger.Release:
		return r.writeRelease(ctx, s, w)
	case ledger.Cancel:
		return r.writeCancel(ctx, s, w)
	case ledger.Note, ledger.CancelNote:
		return r.writeNote(ctx, s, w)
	case ledger.Mail:
		return r.sendMail(ctx, s, w)
	case ledger.DecisionMetafield:
		return r.writeDecision(ctx, s, w)
	case ledger.CustomerAttributes, ledger.CustomerFieldsV2, ledger.ProofMetafield:
		if w.Ref == ledger.RefErase {
			return r.clearCustomer(ctx, s, w)
		}
		return r.writeProof(ctx, s, w)
	}
	return stuck("unknown kind of writeback " + string(w.Kind)), nil
}

// writeHold moves an order to the hold status, if it is still to be held and not already there.
func (r *Relay) writeHold(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if known.Hold != ledger.Holding {
		return dropped("the order is no longer to be held"), nil
	}
	if s.Policy.Mode != gate.Enforce && known.PersonSays == "" {
		return dropped("the policy no longer enforces"), r.Ledger.ConfirmHold(ctx, s.Hash, w.Subject, ledger.Holding, ledger.NotHeld, known.StatusID, r.Now())
	}
	o, err := r.store(s).Order(ctx, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if o.StatusID != known.HoldStatus {
		if bigcommerce.ClassOf(o.StatusID) != bigcommerce.ClassGate || o.StatusID != known.FormerStatus {
			// It has moved since it was decided: look again before anything is written.
			return dropped(fmt.Sprintf("the order has moved to status %d; it is looked at again", o.StatusID)), r.Ledger.UndoHold(ctx, s.Hash, w.Subject, ledger.Holding, ledger.NotHeld, o.StatusID, r.Now())
		}
		d, err := r.Ledger.Decision(ctx, s.Hash, w.Ref)
		if err != nil {
			return ending{}, err
		}
		u := bigcommerce.OrderUpdate{StatusID: &known.HoldStatus, StaffNotes: appended(o.StaffNotes, r.holdNote(s, known, d, r.Now()))}
		r.At("before the order is written")
		if _, err := r.store(s).UpdateOrder(ctx, w.Subject, u); err != nil {
			return ending{}, err
		}
		r.At("after the order is written")
		if o, err = r.store(s).Order(ctx, w.Subject); err != nil {
			return ending{}, err
		}
		if o.StatusID != known.HoldStatus {
			return later(r.retry(w.Attempt), fmt.Sprintf("BigCommerce accepted the hold but shows status %d", o.StatusID)), nil
		}
	}
	is := ledger.Held
	if known.PersonSays == "refuse" {
		is = ledger.Refused
	}
	return done("on hold"), r.Ledger.ConfirmHold(ctx, s.Hash, w.Subject, ledger.Holding, is, o.StatusID, r.Now())
}

// writeRelease puts an order back to the status that our hold replaced, if our hold is still the last status written.
func (r *Relay) writeRelease(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if known.Hold != ledger.Releasing {
		return dropped("the order is no longer to be released"), nil
	}
	o, err := r.store(s).Order(ctx, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if o.StatusID == known.HoldStatus && known.Touched {
		return done("left on hold: somebody had moved the order off our hold and put it back"),
			r.Ledger.ConfirmHold(ctx, s.Hash, w.Subject, ledger.Releasing, ledger.Moved, o.StatusID, r.Now())
	}
	if o.StatusID == known.HoldStatus && known.FormerStatus != known.HoldStatus {
		d, err := r.Ledger.Decision(ctx, s.Hash, known.DecisionID)
		if err != nil {
			return ending{}, err
		}
		u := bigcommerce.OrderUpdate{StatusID: &known.FormerStatus, StaffNotes: appended(o.StaffNotes, releaseNote(d, r.Now()))}
		r.At("before the order is written")
		if _, err := r.store(s).UpdateOrder(ctx, w.Subject, u); err != nil {
			return ending{}, err
		}
		r.At("after the order is written")
		if o, err = r.store(s).Order(ctx, w.Subject); err != nil {
			return ending{}, err
		}
		if o.StatusID == known.HoldStatus {
			return later(r.retry(w.Attempt), "BigCommerce accepted the release but shows the hold status"), nil
		}
	}
	remark := "released"
	if o.StatusID != known.FormerStatus {
		remark = fmt.Sprintf("released; somebody had moved the order to status %d", o.StatusID)
	}
	return done(remark), r.Ledger.ConfirmHold(ctx, s.Hash, w.Subject, ledger.Releasing, ledger.Released, o.StatusID, r.Now())
}

// writeCancel cancels an order that has stayed on our hold unproven until its announced deadline. Money is not given back by it:
// BigCommerce refunds only where the merchant says so.
func (r *Relay) writeCancel(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if known.Hold != ledger.Cancelling {
		return dropped("the order is no longer to be cancelled"), nil
	}
	if s.Policy.Mode != gate.Enforce || s.Policy.CancelAfter <= 0 || known.Kept || known.Touched {
		return dropped("the order is not to be cancelled after all"), r.Ledger.UndoHold(ctx, s.Hash, w.Subject, ledger.Cancelling, ledger.Held, known.StatusID, r.Now())
	}
	o, err := r.store(s).Order(ctx, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if o.StatusID != bigcommerce.StatusCancelled {
		if o.StatusID != known.HoldStatus {
			return dropped(fmt.Sprintf("the order has moved to status %d; it is looked at again", o.StatusID)), r.Ledger.UndoHold(ctx, s.Hash, w.Subject, ledger.Cancelling, ledger.Held, o.StatusID, r.Now())
		}
		status := bigcommerce.StatusCancelled
		u := bigcommerce.OrderUpdate{StatusID: &status, StaffNotes: appended(o.StaffNotes, cancelledNote(known, r.Now()))}
		r.At("before the order is written")
		if _, err := r.store(s).UpdateOrder(ctx, w.Subject, u); err != nil {
			return ending{}, err
		}
		r.At("after the order is written")
		if o, err = r.store(s).Order(ctx, w.Subject); err != nil {
			return ending{}, err
		}
		if o.StatusID != status {
			return later(r.retry(w.Attempt), fmt.Sprintf("BigCommerce accepted the cancellation but shows status %d", o.StatusID)), nil
		}
	}
	return done("cancelled"), r.Ledger.ConfirmHold(ctx, s.Hash, w.Subject, ledger.Cancelling, ledger.Cancelled, o.StatusID, r.Now())
}

// writeNote appends to the order's staff notes what the Decision says, or when the order will be cancelled.
func (r *Relay) writeNote(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	var note string
	if w.Kind == ledger.CancelNote {
		if known.CancelAt.IsZero() {
			return dropped("the order is not to be cancelled after all"), nil
		}
		note = cancelNote(known, r.Now())
	} else {
		d, err := r.Ledger.Decision(ctx, s.Hash, w.Ref)
		if err != nil {
			return ending{}, err
		}
		note = r.holdNote(s, known, d, r.Now())
	}
	o, err := r.store(s).Order(ctx, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if c := bigcommerce.ClassOf(o.StatusID); c != bigcommerce.ClassGate && c != bigcommerce.ClassHeld {
		return dropped("the order is over"), nil
	}
	notes := appended(o.StaffNotes, note)
	if notes == nil {
		return done("the note is there"), nil
	}
	_, err = r.store(s).UpdateOrder(ctx, w.Subject, bigcommerce.OrderUpdate{StaffNotes: notes})
	return done("noted"), err
}

// appended is old with the note after it, or nil when the note is there already: its mark names the Decision.
func appended(old, note string) *string {
	mark := note[strings.LastIndex(note, "["):]
	if strings.Contains(old, mark) {
		return nil
	}
	if old != "" && !strings.HasSuffix(old, "\n") {
		old += "\n"
	}
	old += note
	return &old
}

// noteMark begins the mark at the end of each of our notes; cancelMark, after it, the mark of what is said of a cancellation.
const (
	noteMark   = "[idgate "
	cancelMark = "cancel"
)

func noteTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// holdNote says why an order is on hold. Its mark also says, in a way that only we can, which status the hold replaced.
func (r *Relay) holdNote(s *ledger.Shop, o ledger.Order, d ledger.Decision, at time.Time) string {
	who := "identity not proved"
	if d.MadeBy == ledger.ByPerson {
		who = "refused by " + d.Person + ": " + oneLine(d.Note)
	}
	if o.Reheld > 0 {
		who = "held again after somebody had moved it on (move it once more, or release it in idgate, and it stays so), " + who
	}
	codes := make([]string, len(d.Reasons))
	for i, c := range d.Reasons {
		codes[i] = strings.ReplaceAll(string(c.Code), "_", " ")
	}
	return fmt.Sprintf("%s idgate: on hold, %s (%s). Verification link and details: Apps > idgate > Orders. %s%s#%d %s]",
		noteTime(at), who, strings.Join(codes, ", "), noteMark, d.ID, o.Holds, s.HoldMark(o.ID, o.FormerStatus))
}

func releaseNote(d ledger.Decision, at time.Time) string {
	why := "identity proved"
	if d.MadeBy == ledger.ByPerson {
		why = "released by " + d.Person + ": " + oneLine(d.Note)
	}
	return fmt.Sprintf("%s idgate: released, %s. %s%s]", noteTime(at), why, noteMark, d.ID)
}

func cancelNote(o ledger.Order, at time.Time) string {
	return fmt.Sprintf("%s idgate: this order will be cancelled on %s if identity is not proved until then. To keep it: Apps > idgate > Orders. %s%s %d]",
		noteTime(at), noteTime(o.CancelAt), noteMark, cancelMark, o.Holds)
}

func cancelledNote(o ledger.Order, at time.Time) string {
	return fmt.Sprintf("%s idgate: cancelled, identity was not proved in time. A payment is not refunded by this. %s%sled %d]", noteTime(at), noteMark, cancelMark, o.Holds)
}

// oneLine keeps what a person typed from looking like a note, or a mark, of ours.
func oneLine(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "[", "(")
}

// writeDecision puts the Decision and its Receipt where other apps and staff can read it.
func (r *Relay) writeDecision(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	d, err := r.Ledger.Decision(ctx, s.Hash, w.Ref)
	if err != nil {
		return ending{}, err
	}
	known, err := r.Ledger.Order(ctx, s, w.Subject)
	if err != nil {
		return ending{}, err
	}
	if known.DecisionID != w.Ref {
		return dropped("a later decision has taken its place"), nil
	}
	value, err := json.Marshal(struct {
		ID      string        `json:"id"`
		Outcome gate.Outcome  `json:"outcome"`
		Reasons []gate.Reason `json:"reasons"`
		Policy  int64         `json:"policy_version"`
		MadeBy  ledger.MadeBy `json:"made_by"`
		At      time.Time     `json:"at"`
		Receipt string        `json:"receipt"`
	}{d.ID, d.Outcome, d.Reasons, d.Policy, d.MadeBy, d.At, d.Receipt})
	if err != nil {
		return ending{}, err
	}
	_, err = r.store(s).UpsertOrderMetafield(ctx, w.Subject, bigcommerce.Metafield{Namespace: metafieldNamespace, Key: decisionKey, Value: string(value),
		PermissionSet: bigcommerce.PermissionRead, Description: "idgate's latest decision, with its signed receipt"})
	return done("written"), err
}

// writeProof puts a Proof's outcome on the customer: attributes, the card's v2 custom fields, or the full receipt.
func (r *Relay) writeProof(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	p, err := r.bestProof(ctx, s, w)
	if errors.Is(err, ledger.ErrNotFound) {
		return dropped("the proof was erased"), nil
	}
	if err != nil {
		return ending{}, err
	}
	ial := p.IAL
	if p.Source == gate.SourcePolicy {
		ial = s.Policy.Evidence.Level(p.Document, p.Selfie)
	}
	if p.Revoked {
		ial, p.Selfie = 0, false
	}
	signer := r.Ledger.Signer(r.AppURL)
	token, err := signer.SignCustomer(receipt.CustomerReceipt{Shop: s.Hash, CustomerID: w.Subject, IAL: int(ial), ExpiresAt: p.Until}, p.At)
	if err != nil {
		return ending{}, err
	}
	fields := []bigcommerce.CustomField{
		{Name: AttributeIAL, Value: strconv.Itoa(int(ial))},
		{Name: AttributeToken, Value: token},
		{Name: AttributeLiveID, Value: strconv.FormatBool(p.Selfie)},
	}
	switch w.Kind {
	case ledger.CustomerFieldsV2:
		return r.writeFieldsV2(ctx, s, w.Subject, fields)
	case ledger.ProofMetafield:
		full, err := signer.SignProof(receipt.ProofReceipt{ID: p.ID, Shop: s.Hash, CustomerID: w.Subject, IAL: int(ial), IALSource: p.Source, LiveID: p.Selfie, ExpiresAt: p.Until}, p.At)
		if err != nil {
			return ending{}, err
		}
		_, err = r.store(s).UpsertCustomerMetafield(ctx, w.Subject, bigcommerce.Metafield{Namespace: metafieldNamespace, Key: proofKey, Value: full,
			PermissionSet: bigcommerce.PermissionAppOnly, Description: "idgate's full proof receipt"})
		return done("written"), err
	}
	fields = append(fields, bigcommerce.CustomField{Name: AttributeVerifiedAt, Value: p.At.UTC().Format(time.RFC3339)},
		bigcommerce.CustomField{Name: AttributeExpiresAt, Value: p.Until.UTC().Format(time.RFC3339)})
	return r.writeAttributes(ctx, s, w, fields)
}

// bestProof is what a customer's record is to say: the Proof that caused the Writeback, or where that was revoked the newest of theirs
// that still stands, if there is one.
func (r *Relay) bestProof(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (gate.Proof, error) {
	p, err := r.Ledger.Proof(ctx, s, w.Ref)
	if err != nil || !p.Revoked {
		return p.Proof, err
	}
	others, err := r.Ledger.ProofsFor(ctx, s, gate.Facts{Buyer: gate.Buyer{CustomerID: w.Subject}})
	for _, o := range others {
		if !o.Revoked && o.Until.After(r.Now()) {
			return o, err
		}
	}
	return p.Proof, err
}

func (r *Relay) writeFieldsV2(ctx context.Context, s *ledger.Shop, customerID int64, fields []bigcommerce.CustomField) (ending, error) {
	err := r.store(s).PutCustomerCustomFieldsV2(ctx, customerID, fields)
	var be *bigcommerce.Error
	if errors.As(err, &be) && (be.Status == 400 || be.Status == 422) {
		return stuck("BigCommerce does not take custom_fields on customers. Switch this target off on the Policy page: the customer attributes carry the same. " + be.Error()), nil
	}
	return done("written"), err
}

func (r *Relay) writeAttributes(ctx context.Context, s *ledger.Shop, w ledger.Writeback, fields []bigcommerce.CustomField) (ending, error) {
	customerID := w.Subject
	report, err := ReadInstallation(s)
	if err != nil {
		return ending{}, err
	}
	var values []bigcommerce.AttributeValue
	for _, f := range fields {
		id, ok := report.Attributes[f.Name]
		if !ok {
			if err := r.Ledger.ReconcileSoon(ctx, s.Hash, r.Now()); err != nil {
				return ending{}, err
			}
			return later(r.Now().Add(10*time.Second), "the customer attribute "+f.Name+" is not there yet; the installation is being repaired"), nil
		}
		values = append(values, bigcommerce.AttributeValue{AttributeID: id, CustomerID: customerID, Value: f.Value})
	}
	have, err := r.store(s).AttributeValues(ctx, customerID)
	if err != nil {
		return ending{}, err
	}
	if hasAll(have, values) {
		return done("written"), nil
	}
	if err := r.store(s).UpsertAttributeValues(ctx, values); err != nil {
		return r.attributesRefused(ctx, s, w, err)
	}
	if have, err = r.store(s).AttributeValues(ctx, customerID); err != nil {
		return ending{}, err
	}
	if !hasAll(have, values) {
		return ending{}, errors.New("BigCommerce accepted the attributes but does not show them")
	}
	return done("written"), nil
}

// attributesRefused looks whether the attributes are still there: one that somebody deleted is made anew, and written then.
func (r *Relay) attributesRefused(ctx context.Context, s *ledger.Shop, w ledger.Writeback, refusal error) (ending, error) {
	var be *bigcommerce.Error
	if !errors.As(refusal, &be) || be.Status != 404 && be.Status != 422 {
		return ending{}, refusal
	}
	report, err := ReadInstallation(s)
	if err != nil {
		return ending{}, err
	}
	have, err := r.store(s).CustomerAttributes(ctx)
	if err != nil {
		return ending{}, err
	}
	for name, id := range report.Attributes {
		if !slices.ContainsFunc(have, func(a bigcommerce.CustomerAttribute) bool { return a.ID == id }) {
			if err := r.Ledger.ReconcileSoon(ctx, s.Hash, r.Now()); err != nil {
				return ending{}, err
			}
			return later(r.Now().Add(10*time.Second), "somebody deleted the customer attribute "+name+"; it is being made anew"), nil
		}
	}
	return ending{}, refusal
}

func hasAll(have, want []bigcommerce.AttributeValue) bool {
	values := map[int64]string{}
	for _, v := range have {
		values[v.AttributeID] = v.Value
	}
	for _, v := range want {
		if values[v.AttributeID] != v.Value {
			return false
		}
	}
	return true
}
