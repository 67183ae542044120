package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

// traces finds a shopper in every table and every column that the file has, whatever it is called: the customer's id as a number or within
// a text, the hashes of mailboxes as they are or in hex, and what was sealed of the person. It says where, as "table.column".
func (p shopper) traces(r *rig, sealed [][]byte) []string {
	r.Helper()
	s := p.at(r)
	id := fmt.Sprint(p.id)
	secrets := slices.Clone(sealed)
	for _, m := range []string{p.mailbox, "old " + p.mailbox} {
		secrets = append(secrets, unhex(s.MailboxHash(m)), []byte(s.MailboxHash(m)))
	}
	found := map[string]bool{}
	hasHash := map[string]bool{}
	all := r.columns()
	for _, c := range all {
		hasHash[c.table] = hasHash[c.table] || c.name == "store_hash"
	}
	for _, c := range all {
		query := fmt.Sprintf("SELECT %q FROM %s", c.name, c.table)
		var args []any
		if hasHash[c.table] {
			query, args = query+" WHERE store_hash = ?", []any{p.shop}
		}
		rows, err := r.l.readDB.QueryContext(context.Background(), query, args...)
		r.ok(err)
		for rows.Next() {
			var v any
			r.ok(rows.Scan(&v))
			b, ok := v.([]byte)
			if !ok {
				b = fmt.Append(nil, v)
			}
			hit := bytes.Contains(b, []byte(id)) || bytes.Contains(b, []byte(p.mailbox)) || bytes.Contains(b, []byte(p.lastName))
			for _, secret := range secrets {
				hit = hit || bytes.Contains(b, secret) || bytes.Contains(b, []byte(hex.EncodeToString(secret)))
			}
			if hit {
				found[c.table+"."+c.name] = true
			}
		}
		r.ok(rows.Err())
		r.ok(rows.Close())
	}
	return slices.Sorted(maps.Keys(found))
}

// sealedOf is everything that is sealed of a shopper: persons, buyers, and links to capture.
func (p shopper) sealedOf(r *rig) (out [][]byte) {
	r.Helper()
	rows, err := r.l.readDB.QueryContext(context.Background(), `SELECT person FROM proofs WHERE store_hash = ?1 AND (customer_id = ?2 OR cart_id LIKE '%' || ?3 OR order_id = ?4)
		UNION SELECT buyer FROM orders WHERE store_hash = ?1 AND customer_id = ?2
		UNION SELECT capture_url FROM sessions WHERE store_hash = ?1 AND length(capture_url) > 0 AND (customer_id = ?2 OR cart_id LIKE '%' || ?3 OR order_id = ?4)`, p.shop, p.id, p.cart, p.order)
	r.ok(err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var b sql.RawBytes
		r.ok(rows.Scan(&b))
		out = append(out, bytes.Clone(b))
	}
	r.ok(rows.Err())
	return out
}

// leftBy is where a shopper leaves traces. A new column that is not in this list has to be erased, too.
var leftBy = []string{
	"asked_mails.customer_id", "asked_mails.mailbox", "capabilities.customer_id", "capabilities.mailbox", "decisions.customer_id", "erasures.customer_id", "erasures.mailboxes", "events.customer_id", "events.payload", "listed.customer_id", "listed.mailbox", "notices.subject",
	"orders.buyer", "orders.customer_id", "orders.mailbox", "proofs.customer_id", "proofs.mailbox", "proofs.person", "sessions.capture_url", "sessions.customer_id",
	"sessions.mailbox", "shown_mailboxes.customer_id", "shown_mailboxes.mailbox", "writebacks.key", "writebacks.subject",
}

// TestEraseCustomer: afterwards no column of any table says anything of the customer, and not even the sealed bytes are in the file.
func TestEraseCustomer(t *testing.T) {
	r, way := shopping(t)
	ctx := t.Context()
	sealed := ada.sealedOf(r)
	if len(sealed) != 4+2+3 {
		t.Fatalf("%d sealed values", len(sealed))
	}
	for _, p := range []shopper{ada, bob, adas2} {
		if got := p.traces(r, p.sealedOf(r)); !slices.Equal(got, leftBy) {
			t.Errorf("%s in %s leaves traces in\n%s\nwant\n%s", p.lastName, p.shop, strings.Join(got, "\n"), strings.Join(leftBy, "\n"))
		}
	}
	for _, c := range r.columns() {
		name := c.table + "." + c.name
		if (c.name == "customer_id" || c.name == "mailbox") && !slices.Contains(leftBy, name) {
			t.Errorf("nobody leaves a trace in %s: nothing is tried", name)
		}
	}
	before := r.rows()
	for _, b := range []Bell{OrderBell, SessionBell} {
		select {
		case <-r.l.Ring(b):
		default:
		}
	}
	r.ok(r.l.EraseCustomer(ctx, shopHash, ada.id, r.now))
	<-r.l.Ring(OrderBell)
	if got := ada.traces(r, sealed); len(got) != 0 {
		t.Errorf("left in %s", strings.Join(got, ", "))
	}
	after := r.rows()
	for _, p := range []shopper{bob, adas2} {
		if got := p.traces(r, p.sealedOf(r)); !slices.Equal(got, leftBy) {
			t.Errorf("of %s in %s there is left: %v", p.lastName, p.shop, got)
		}
	}
	for key, was := range before { // whatever is not Ada's is untouched, to the last column
		mine := was["store_hash"] == shopHash && (was["customer_id"] == fmt.Sprint(ada.id) || strings.Contains(was["cart_id"], ada.cart) || was["order_id"] == "118" || was["order_id"] == "119" ||
			was["list"] != "" && was["mailbox"] == show(unhex(r.shop().MailboxHash(ada.mailbox))) ||
			was["subject"] == fmt.Sprint(ada.id) || strings.HasPrefix(key, "proofs ") && before["sessions "+was["session_id"]]["order_id"] == "118")
		if strings.HasPrefix(key, "figures ") {
			was, mine = nil, true // her Sessions that were under way count as given up: TestFiguresOutlive
		}
		if now, ok := after[key]; !mine && (!ok || !maps.Equal(was, now)) {
			t.Errorf("%s is not hers, and was\n%v\nis\n%v", key, was, now)
		}
	}
	for key := range after {
		if _, ok := before[key]; !ok {
			t.Errorf("%s has appeared", key)
		}
	}
	r.ended(way)

	again := dump(t, r.l.readDB)
	r.ok(r.l.EraseCustomer(ctx, shopHash, ada.id, r.now.Add(time.Hour)))
	if got := dump(t, r.l.readDB); got != again {
		t.Errorf("erased twice, something else has changed:\n%s\nwas\n%s", got, again)
	}
	for _, id := range []int64{0, -1} {
		if err := r.l.EraseCustomer(ctx, shopHash, id, r.now); err == nil {
			t.Errorf("customer %d was erased", id)
		}
	}
	if got := dump(t, r.l.readDB); got != again {
		t.Error("nobody's erasure has changed something")
	}
	hash := unhex(r.shop().MailboxHash(ada.mailbox))
	r.ok(r.l.Close())
	file := raw(t, r.path)
	for _, b := range append(sealed, hash) {
		if bytes.Contains(file, b) && !bytes.Equal(b, hash) {
			t.Error("what was sealed of her is in the file's bytes still")
		}
	}
	if bytes.Contains(file, hash) {
		t.Error("the hash of her mailbox is in the file's bytes still")
	}
}

// ended asserts that whoever worked on something of Ada's has lost it, and stores nothing of her any more.
func (r *rig) ended(way underWay) {
	r.Helper()
	ctx := context.Background()
	n, err := r.l.Session(ctx, way.session.ID)
	r.ok(err)
	if n.State != idv.StateAbandoned || n.Reason != "erased" || n.CaptureURL != "" || !n.PollAt.IsZero() || !n.ChangedAt.Equal(r.now) || n.CustomerID != 0 {
		r.Errorf("the session under way: %+v", n)
	}
	proof := r.ada()
	r.changes(func() error {
		moved, err := r.l.MoveSession(ctx, r.shop(), way.session, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &proof}, r.now)
		if moved {
			r.Error("it has passed after all")
		}
		return err
	})
	r.changes(func() error { return r.l.PostponeSession(ctx, way.session, r.now, "late") })
	r.changes(func() error { return r.l.WakeSession(ctx, shopHash, way.session.ID, r.now) })
	r.changes(func() error { return r.l.FinishWriteback(ctx, way.writeback, "written", r.now) })
	r.changes(func() error { return r.l.FinishNotice(ctx, way.notice, "the customer was erased", nil, r.now) })
	r.want("4 the customer was erased", "SELECT count(*) || ' ' || group_concat(DISTINCT remark) FROM notices WHERE store_hash = ? AND state = 'done' AND subject = ''", shopHash)
	d := ada.decision(r.shop(), ada.cart, ada.order)
	r.changes(func() error {
		r.is(r.l.SettleOrder(ctx, r.shop(), way.order, Settlement{Order: way.stale, Decision: &d}, r.now), ErrLeaseLost)
		return nil
	})
	o := r.order(ada.order)
	if !o.ErasedAt.Equal(r.now) || !o.DueAt.Equal(r.now) || o.Hold != Held || o.DecisionID != way.stale.DecisionID || o.Value != way.stale.Value || len(o.Link) != 0 || o.Buyer != (Buyer{}) {
		r.Errorf("the order: %+v", o)
	}
	// Whoever evaluates it next finds the customer in BigCommerce still, and must not bring them back.
	l := r.leased(ada.order)
	next := way.stale
	next.ErasedAt = o.ErasedAt
	r.ok(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: next, Decision: &d}, r.now))
	if got := ada.traces(r, nil); len(got) != 0 {
		r.Errorf("evaluated again, she is back in %s", strings.Join(got, ", "))
	}
	if o := r.order(ada.order); o.CustomerID != 0 || o.CartID != "" || o.Mailbox != "" || o.Buyer != (Buyer{}) || o.ErasedAt.IsZero() {
		r.Errorf("evaluated again: %+v", o)
	}
}

// TestEraseSharedMailbox: what another customer did under the same mailbox stays theirs; what guests did under it goes, but for their
// orders, with the links to them, which wait for the clock.
func TestEraseSharedMailbox(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	eve := shopper{shopHash, 900900901, ada.mailbox, "cart of eve", 318, "Eve"}
	ada.passes(r, ada.capability(r, ada.cart, 0, ada.id, ada.mailbox))
	eve.passes(r, eve.capability(r, eve.cart, 0, eve.id, ada.mailbox))
	guests := []*Capability{ada.capability(r, "guest", 0, 0, ada.mailbox), ada.capability(r, "", 418, 0, ada.mailbox), ada.capability(r, "another", 0, 0, "eve@example.com")}
	for _, c := range guests {
		ada.passes(r, c)
	}
	underWay := []Session{ada.starts(r, ada.capability(r, "guest 2", 0, 0, ada.mailbox)), ada.starts(r, ada.capability(r, "", 419, 0, ada.mailbox))}
	before := r.rows()
	proofs := map[string]string{}
	for key, row := range before {
		if strings.HasPrefix(key, "proofs ") {
			proofs[row["cart_id"]+row["order_id"]] = key
		}
	}
	session := func(cart string, order int) string {
		return "sessions " + r.value("SELECT id FROM sessions WHERE cart_id = ? AND order_id = ?", cart, order)
	}
	capability := func(c string) string {
		for key, row := range before {
			if strings.HasPrefix(key, "capabilities ") && row["cart_id"] == c {
				return key
			}
		}
		t.Fatalf("no capability of %q", c)
		return ""
	}
	hash := show(unhex(r.shop().MailboxHash(ada.mailbox)))
	over := func(key string) string {
		return fmt.Sprintf("over_at: %s -> %s", before[key]["over_at"], before[key]["changed_at"])
	}
	figures := fmt.Sprintf("figures %s/%d", shopHash, quarterOf(r.now))
	hers, guest, guest2 := session(ada.cart, 0), session("guest", 0), session("guest 2", 0)
	r.wait(time.Minute)
	r.changes(func() error { return r.l.EraseCustomer(ctx, shopHash, ada.id, r.now) }, slices.Concat(
		[]string{"- " + proofs[ada.cart+"0"], "- " + proofs["guest0"], "- " + proofs["418"], "- " + capability(ada.cart), "- " + capability("guest"), "- " + capability("guest 2")},
		on(figures, "abandoned: 0 -> 1"), // the one that was under way
		on(hers, fmt.Sprintf("customer_id: %d -> 0", ada.id), "mailbox: "+hash+" -> ", over(hers)),
		on(guest, "mailbox: "+hash+" -> ", over(guest)),
		on(guest2, "mailbox: "+hash+" -> ", "capture_url: "+before[guest2]["capture_url"]+" -> ", "state: created -> abandoned", "reason:  -> erased",
			"poll_at: "+before[guest2]["poll_at"]+" -> 0", "leased_until: "+before[guest2]["leased_until"]+" -> 0", "changed_at: "+before[guest2]["changed_at"]+" -> "+r.at(),
			"over_at: 0 -> "+r.at()))...)
	for i, want := range []bool{false, true} {
		moved, err := r.l.MoveSession(ctx, r.shop(), underWay[i], Move{State: idv.StateFailed, Deadline: r.now}, r.now)
		if moved != want || err != nil {
			t.Errorf("session %d: moved %v, %v", i, moved, err)
		}
	}
	if _, err := r.l.Capability(ctx, r.l.Token(*guests[1]), ForMail, start); err != nil {
		t.Errorf("the link to a guest's order: %v", err)
	}
}

// TestEraseBlocked: nobody gets off the block list by being erased, and nothing of them can be read there any more.
func TestEraseBlocked(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.shop()
	ada.passes(r, ada.capability(r, ada.cart, 0, ada.id, ada.mailbox))
	r.ok(r.l.List(ctx, s, []Listed{{Mailbox: ada.mailbox, List: gate.OnBlockList, Note: "Ada Lovelace cheats"}}, r.now))
	r.ok(r.l.List(ctx, s, []Listed{{Mailbox: bob.mailbox, List: gate.OnBlockList, Note: "Bob too"}}, r.now))
	r.ok(r.l.EraseCustomer(ctx, shopHash, ada.id, r.now))
	entries, _, err := r.l.ListPage(ctx, s, gate.OnBlockList, ListPlace{}, 9)
	r.ok(err)
	hash := s.MailboxHash(ada.mailbox)
	var left []Listed
	for _, e := range entries {
		if e.Mailbox != bob.mailbox {
			left = append(left, e)
		} else if e.Note != "Bob too" || e.Hash != "" {
			t.Errorf("Bob's entry: %+v", e)
		}
	}
	if len(left) != 1 || left[0].Hash != hash || left[0].Mailbox != "" || left[0].Note != "" {
		t.Errorf("her entry: %+v", left)
	}
	if on, err := r.l.ListedAs(ctx, s, 0, hash); err != nil || on.Mailbox != gate.OnBlockList {
		t.Errorf("%+v, %v", on, err)
	}
	r.ok(r.l.Unlist(ctx, s, Listed{Hash: hash, List: gate.OnBlockList}, r.now))
	r.is(r.l.Unlist(ctx, s, Listed{Hash: hash, List: gate.OnBlockList}, r.now), ErrNotFound)
}

// TestWouldErase: looking what there is changes nothing, and says what the erasure then erases.
func TestWouldErase(t *testing.T) {
	r, _ := shopping(t)
	ctx := t.Context()
	for _, whom := range []Whom{{CustomerID: ada.id}, {Mailbox: bob.mailbox}} {
		before := dump(t, r.l.readDB)
		would, err := r.l.WouldErase(ctx, r.shop(), whom, r.now)
		r.ok(err)
		if got := dump(t, r.l.readDB); got != before {
			t.Errorf("%+v: looking has changed something", whom)
		}
		did, line, err := r.l.Erase(ctx, r.shop(), whom, false, false, r.now)
		r.ok(err)
		if did != would || did.All() == 0 {
			t.Errorf("%+v: erased %+v, would have %+v", whom, did, would)
		}
		lines, err := r.l.ActivityPage(ctx, shopHash, 0, 1)
		r.ok(err)
		if a := lines[0]; a.Seq != line || a.Action != ActCustomerErased || a.Detail != did.String() || strings.Contains(a.Subject+a.Detail, whom.Mailbox+"@") || strings.Contains(a.Subject+a.Detail, fmt.Sprint(ada.id)) {
			t.Errorf("%+v", a)
		}
		if again, err := r.l.WouldErase(ctx, r.shop(), whom, r.now); err != nil || again.All() != 0 {
			t.Errorf("%+v: left %+v, %v", whom, again, err)
		}
	}
	for _, nobody := range []Whom{{}, {CustomerID: -1}, {Mailbox: " "}} {
		_, err := r.l.WouldErase(ctx, r.shop(), nobody, r.now)
		r.is(err, ErrNobody)
	}
}
