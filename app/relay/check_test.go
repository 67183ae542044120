package relay_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/app/sim"
)

// CheckWorld holds the ledger against the simulated platform's own state, in a world at rest, and lists what is wrong.
//
// No order waits to be shipped without an allowing Decision; one that is gone without is named a leak; every acknowledged Notice was
// handled; every Decision has its Receipt; every Writeback is confirmed or visibly stuck; nothing was released without a Proof or a
// named person; nothing was written to an order that is not ours to write; no note stands twice.
func CheckWorld(l *ledger.Ledger, shop *sim.Shop, since int64) []string {
	var wrong []string
	bad := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	ctx := context.Background()
	s, err := l.Shop(shop.Hash)
	if err != nil {
		return []string{err.Error()}
	}
	if p, err := l.Pending(ctx); err != nil || p.Notices+p.Orders+p.Writebacks > 0 {
		bad("not at rest: %+v, %v", p, err)
	}
	for _, o := range shop.Orders() {
		if o.ID < since {
			continue
		}
		for _, complaint := range checkOrder(ctx, l, s, o) {
			bad("order %d (status %d): %s", o.ID, o.StatusID, complaint)
		}
	}
	for _, d := range shop.Deliveries() {
		if d.Status/100 != 2 {
			continue
		}
		h, err := bigcommerce.ParseWebhook([]byte(d.Body))
		if err != nil {
			bad("a delivered webhook does not parse: %v", err)
			continue
		}
		ns, err := l.SubjectNotices(ctx, shop.Hash, h.Data.ID)
		if err != nil || !slices.ContainsFunc(ns, func(n ledger.StoredNotice) bool { return n.Scope == h.Scope && n.State == "done" }) {
			bad("%s of %s was acknowledged and is not handled: %+v, %v", h.Scope, h.Data.ID, ns, err)
		}
	}
	return wrong
}

func checkOrder(ctx context.Context, l *ledger.Ledger, s *ledger.Shop, o sim.Order) (wrong []string) {
	bad := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	class := bigcommerce.ClassOf(o.StatusID)
	ours, err := l.Order(ctx, s, o.ID)
	if err != nil {
		bad("not known: %v", err)
		return wrong
	}
	ds, err := l.OrderDecisions(ctx, s.Hash, o.ID)
	if err != nil {
		bad("%v", err)
	}
	for _, d := range ds {
		if _, err := receipt.Verify(l.JWKS(), d.Receipt, d.At); err != nil {
			bad("decision %s: %v", d.ID, err)
		}
	}
	var last ledger.Decision
	if i := slices.IndexFunc(ds, func(d ledger.Decision) bool { return d.ID == ours.DecisionID }); i >= 0 {
		last = ds[i]
	}
	allowed := last.Outcome == gate.Allow
	switch {
	case class == bigcommerce.ClassGate && !allowed && ours.Hold != ledger.Moved && ours.HoldStatus != o.StatusID:
		bad("waits to be shipped unproven; decision %q, hold %s, trouble %q", last.Outcome, ours.Hold, ours.Trouble)
	case class == bigcommerce.ClassGone && !allowed && ours.Hold != ledger.Leaked && ours.Hold != ledger.Moved:
		bad("is gone unproven and not named a leak; hold %s", ours.Hold)
	case (ours.Hold == ledger.Held) && o.StatusID != ours.HoldStatus, ours.Hold == ledger.Holding, ours.Hold == ledger.Releasing:
		bad("the ledger says %s", ours.Hold)
	}
	wrong = append(wrong, checkWrites(ctx, l, s, o, ds)...)
	return append(wrong, checkNotes(o)...)
}

// checkWrites looks at what we did to the order's status, and at what we still owe.
func checkWrites(ctx context.Context, l *ledger.Ledger, s *ledger.Shop, o sim.Order, ds []ledger.Decision) (wrong []string) {
	bad := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	for _, h := range o.History {
		if h.Actor != sim.AppName {
			continue
		}
		from := bigcommerce.ClassOf(h.From)
		switch {
		case h.To == 12 && from != bigcommerce.ClassGate:
			bad("held out of status %d", h.From)
		case h.From == 12 && !slices.ContainsFunc(ds, func(d ledger.Decision) bool {
			return d.Outcome == gate.Allow && (d.ProofID != "" || d.MadeBy == ledger.ByPerson)
		}):
			bad("released to %d without a proof or a person", h.To)
		case h.To != 12 && h.From != 12:
			bad("moved from %d to %d", h.From, h.To)
		}
	}
	ws, err := l.SubjectWritebacks(ctx, s.Hash, o.ID)
	if err != nil {
		bad("%v", err)
	}
	for _, w := range ws {
		if w.State == "pending" {
			bad("a %s is neither done nor stuck: %s", w.Kind, w.Reason)
		}
	}
	return wrong
}

func checkNotes(o sim.Order) (wrong []string) {
	seen := map[string]bool{}
	for line := range strings.SplitSeq(o.StaffNotes, "\n") {
		if i := strings.LastIndex(line, "[idgate "); i >= 0 {
			kind := strings.Contains(line, "on hold")
			key := line[i:] + strconv.FormatBool(kind)
			if seen[key] {
				wrong = append(wrong, "a note stands twice: "+line)
			}
			seen[key] = true
		}
	}
	return wrong
}
