package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/ledger"
	"idgate/views"
)

// event is an Entry with what it is sorted by.
type event struct {
	at    time.Time
	order int // among events of the same millisecond: causes before effects
	views.Entry
}

// timeline is everything that happened to the order, and what is still to be done for it, oldest first. The lists it is made from have the
// newest first.
func (p presenter) timeline(rec orderRecord) []views.Entry {
	events := []event{{rec.order.SeenAt, 0, views.Entry{Kind: "order", Code: "seen"}}}
	add := func(at time.Time, order int, e views.Entry) { events = append(events, event{at, order, e}) }
	for _, n := range slices.Backward(rec.notices) {
		add(n.ReceivedAt, 1, noticed(n))
	}
	for _, n := range slices.Backward(rec.sessions) {
		add(n.ChangedAt, 2, p.session(n))
	}
	for _, d := range slices.Backward(rec.decisions) {
		e := p.decided(d)
		if i := slices.IndexFunc(rec.proofs, func(pr ledger.Proof) bool { return pr.ID == d.ProofID }); i >= 0 {
			shown := p.proof(rec.proofs[i], &d.Decision)
			e.IAL, e.IALSource = shown.IAL, shown.Source
		}
		add(d.At, 3, e)
	}
	for _, pr := range rec.proofs {
		if pr.Revoked {
			add(pr.RevokedAt, 2, views.Entry{Kind: "event", Code: "revoked", By: pr.RevokedBy, Note: pr.RevokedWhy})
		}
	}
	for _, b := range slices.Backward(rec.writebacks) {
		at := b.DoneAt
		if at.IsZero() {
			at = b.MadeAt
		}
		add(at, 4, owed(b))
	}
	for _, e := range happened(rec) {
		add(e.at, e.order, e.Entry)
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	out := make([]views.Entry, len(events))
	for i, e := range events {
		out[i] = e.Entry
		out[i].When = p.when(e.at)
	}
	return out
}

// happened lists what only the order itself tells.
func happened(rec orderRecord) (out []event) {
	o := rec.order
	add := func(at time.Time, kind, code string) {
		if !at.IsZero() {
			out = append(out, event{at, 5, views.Entry{Kind: kind, Code: code}})
		}
	}
	written := slices.ContainsFunc(rec.writebacks, func(b ledger.StoredWriteback) bool { return b.Kind == ledger.Hold })
	if !written && !o.HeldAt.IsZero() { // the order was in the hold status already
		out = append(out, event{o.HeldAt, 4, views.Entry{Kind: "hold", Code: "held"}})
	}
	switch {
	case o.Hold == ledger.Leaked, o.Hold == ledger.Moved:
		add(cmpTime(o.AlarmedAt, o.ModifiedAt), "order", holdCode(o)) // when that was found, or at the latest when the order last changed
	case o.Reheld > 0:
		add(o.AlarmedAt, "event", "held_again")
	}
	add(o.CalledAt, "event", "last_call")
	add(o.ErasedAt, "event", "erased")
	return out
}

// cmpTime is the first of the two that is a time.
func cmpTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// noticed is a Notice as the timeline tells it, with what came of it.
func noticed(n ledger.StoredNotice) views.Entry {
	e := views.Entry{Kind: "notice", Code: n.Scope, Outcome: n.Remark}
	if change := statusChange(n.Detail); change != "" {
		e.Outcome = strings.TrimSuffix(change+"; "+n.Remark, "; ")
	}
	if n.Deliveries > 1 {
		e.Deliveries = strconv.FormatInt(n.Deliveries, 10)
	}
	if n.State != "done" {
		e.State = n.State
	}
	if n.State != "pending" {
		e.Notice = strconv.FormatInt(n.ID, 10)
	}
	return e
}

// statusChange is what a status webhook told, in words.
func statusChange(d ledger.Detail) string {
	if d.NewStatus == d.OldStatus {
		return ""
	}
	return views.OrderStatusWords(d.OldStatus).Short + " → " + views.OrderStatusWords(d.NewStatus).Short
}

// owed is a Writeback as the timeline tells it: done, or how far it has got.
func owed(b ledger.StoredWriteback) views.Entry {
	e := views.Entry{Kind: "writeback", Code: string(b.Kind)}
	if b.Kind == ledger.Mail {
		e.Kind, e.Code = "mail", mailCode(b.Ref)
	}
	if b.State == "done" {
		return paid(b, e)
	}
	e.State, e.Outcome = b.State, b.Reason
	if b.State == "stuck" {
		e.Writeback = strconv.FormatInt(b.ID, 10)
	}
	return e
}

// paid is a Writeback that is done.
func paid(b ledger.StoredWriteback, e views.Entry) views.Entry {
	switch b.Kind {
	case ledger.Hold:
		return views.Entry{Kind: "hold", Code: "held"}
	case ledger.Cancel:
		return views.Entry{Kind: "hold", Code: "cancelled"}
	case ledger.Release:
		e := views.Entry{Kind: "hold", Code: "released"}
		if b.Reason != "released" { // somebody had moved the order on
			e.Outcome = b.Reason
		}
		return e
	case ledger.Note, ledger.CancelNote, ledger.Mail, ledger.DecisionMetafield, ledger.CustomerAttributes, ledger.CustomerFieldsV2, ledger.ProofMetafield:
	}
	return e
}

// mailCode is which mail a Writeback's ref names: reminder-2#1 is the second reminder of the first hold.
func mailCode(ref string) string {
	which, _, _ := strings.Cut(ref, "#")
	which, _, _ = strings.Cut(which, "-")
	return which
}
