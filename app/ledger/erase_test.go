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

// shopper is somebody who leaves rows in every table.
type shopper struct {
	shop     string
	id       int64 // as a customer
	mailbox  string
	cart     string
	order    int64
	lastName string
}

var (
	ada   = shopper{shopHash, 700700701, "ada@example.com", "cart of ada", 118, "Lovelace"}
	bob   = shopper{shopHash, 800800801, "bob@example.com", "cart of bob", 218, "Babbage"}
	adas2 = shopper{"other9", 700700701, "ada@example.com", "cart of ada", 118, "Lovelace"} // the same ids in another Shop
)

// underWay is what of a shopper was being worked on.
type underWay struct {
	session   Session
	order     OrderLease
	stale     Order
	notice    Notice
	writeback Writeback
}

func (p shopper) at(r *rig) *Shop {
	r.Helper()
	s, err := r.l.Shop(p.shop)
	r.ok(err)
	return s
}

func (p shopper) facts(s *Shop, cart string, order int64) gate.Facts {
	f := gate.Facts{Stage: gate.AtCheckout, CartID: cart, OrderID: order, Buyer: gate.Buyer{CustomerID: p.id, Mailbox: s.MailboxHash(p.mailbox), Name: gate.Name{Given: "A", Family: p.lastName}}}
	if order != 0 {
		f.Stage = gate.AtOrder
	}
	return f
}

func (p shopper) decision(s *Shop, cart string, order int64) NewDecision {
	return NewDecision{Facts: p.facts(s, cart, order), MadeBy: ByRule, Policy: 1,
		Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}, Rules: []gate.RuleResult{}}}
}

// starts begins a Session with a Capability that a cart or an order has.
func (p shopper) starts(r *rig, c *Capability) Session {
	r.Helper()
	s := p.at(r)
	r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error { return addCapability(ctx, t, c, r.now) }))
	n := Session{ID: NewSessionID(r.now), Provider: "1kosmos", CaptureURL: "https://capture.example/link of " + p.lastName, State: idv.StateCreated, Policy: 1,
		Deadline: r.now.Add(time.Hour), PollAt: r.now}
	n.Ref = "ref " + n.ID
	r.ok(r.l.StartSession(context.Background(), s, *c, n, r.now))
	due, err := r.l.LeaseSessions(context.Background(), p.shop, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d sessions due", len(due))
	}
	r.wait(time.Millisecond)
	return due[0]
}

func (p shopper) passes(r *rig, c *Capability) {
	r.Helper()
	n := p.starts(r, c)
	proof := r.ada()
	proof.Person.Family = p.lastName
	moved, err := r.l.MoveSession(context.Background(), p.at(r), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &proof}, r.now)
	r.ok(err)
	if !moved {
		r.Fatal("not moved")
	}
}

// capability is one that a shopper's browser or mailbox holds.
func (p shopper) capability(r *rig, cart string, order, customer int64, mailbox string) *Capability {
	r.Helper()
	c := &Capability{Shop: p.shop, Purpose: ForCart, CartID: cart, OrderID: order, CustomerID: customer, Mailbox: p.at(r).MailboxHash(mailbox), ExpiresAt: r.now.Add(time.Hour)}
	if order != 0 {
		c.Purpose, c.CartID = ForMail, ""
	}
	return c
}

// noticed stores a Notice about a shopper and leases it.
func (p shopper) noticed(r *rig, n int, scope string) Notice {
	r.Helper()
	_, err := r.l.RecordNotice(context.Background(), NewNotice{Shop: p.shop, EventAt: r.now, Hash: fmt.Sprint("hash ", n), Scope: scope, Subject: fmt.Sprint(p.id)}, r.now)
	r.ok(err)
	due, err := r.l.LeaseNotices(context.Background(), p.shop, r.now, r.now.Add(lease), 1)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d notices due", len(due))
	}
	return due[0]
}

// shops has a shopper do everything that leaves a trace: prove identity signed in and as a guest, before and after ordering, by cart and by
// mailed link; be held; be told of by webhooks; and have more of all that under way.
func (p shopper) shops(r *rig) underWay {
	r.Helper()
	ctx := context.Background()
	s := p.at(r)
	p.passes(r, p.capability(r, p.cart, 0, p.id, p.mailbox))       // signed in
	p.passes(r, p.capability(r, p.cart, 0, 0, ""))                 // in the cart that becomes the order, before signing in
	p.passes(r, p.capability(r, "guest "+p.cart, 0, 0, p.mailbox)) // as a guest, in another cart
	p.passes(r, p.capability(r, "", p.order, 0, "old "+p.mailbox)) // by a link to the order, under a mailbox it had before
	p.starts(r, p.capability(r, "later "+p.cart, 0, 0, p.mailbox)) // under way, as a guest
	p.starts(r, p.capability(r, "", p.order, 0, p.mailbox))        // under way, by a link
	way := underWay{session: p.starts(r, p.capability(r, "new "+p.cart, 0, p.id, p.mailbox))}
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error {
		return addCapability(ctx, t, &Capability{Shop: p.shop, Purpose: ForConfirm, CustomerID: p.id, ExpiresAt: r.now}, r.now)
	}))
	for _, kind := range []AskedKind{AskedLink, AskedCode} {
		c := p.capability(r, "asking "+p.cart, 0, p.id, p.mailbox)
		r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error { return addCapability(ctx, t, c, r.now) }))
		_, err := r.l.AskMail(ctx, s, kind, *c, r.now.Add(time.Hour), r.now)
		r.ok(err)
	}
	r.ok(r.l.ShowMailbox(ctx, s, Shown{Mailbox: s.MailboxHash(p.mailbox), CustomerID: p.id, Way: ByCode}, r.now))
	r.ok(r.l.ShowMailbox(ctx, s, Shown{Mailbox: s.MailboxHash(p.mailbox), CartID: "guest " + p.cart, Way: ByLink}, r.now))
	r.ok(r.l.List(ctx, s, []Listed{{CustomerID: p.id, List: gate.OnAllowList, Note: "known to us"}}, r.now))
	for _, d := range []NewDecision{p.decision(s, p.cart, 0), p.decision(s, "new "+p.cart, 0)} {
		_, err := r.l.RecordCartDecision(ctx, s, d, nil, r.now)
		r.ok(err)
	}
	settle := func(id int64, o Order) {
		l := p.evaluates(r, id)
		o.ID, o.CustomerID, o.CartID, o.Mailbox, o.Buyer = id, p.id, p.cart, s.MailboxHash(p.mailbox), Buyer{Name: "A " + p.lastName, Mailbox: p.mailbox}
		d := p.decision(s, p.cart, id)
		r.ok(r.l.SettleOrder(ctx, s, l, Settlement{Order: o, Decision: &d, Grant: p.capability(r, "", id, 0, p.mailbox), Mails: []string{"link#1"}, Owe: []WritebackKind{DecisionMetafield}}, r.now))
	}
	settle(p.order, Order{StatusID: 12, Hold: Held, FormerStatus: 11, HoldStatus: 12})
	settle(p.order+1, Order{StatusID: 10, Hold: Released, FormerStatus: 11, HoldStatus: 12})
	way.order = p.evaluates(r, p.order)
	o, err := r.l.Order(ctx, s, p.order)
	r.ok(err)
	way.stale = o
	r.ok(r.l.FinishNotice(ctx, p.noticed(r, 1, "store/customer/created"), "noted", nil, r.now))
	r.ok(r.l.StickNotice(ctx, p.noticed(r, 2, "store/customer/updated"), "why", r.now))
	p.noticed(r, 3, "store/customer/deleted")
	way.notice = p.noticed(r, 4, "store/customer/deleted")
	due, err := r.l.LeaseWritebacks(ctx, p.shop, 1, r.now, r.now.Add(lease), 9)
	r.ok(err)
	for _, w := range due {
		if w.Kind == CustomerAttributes {
			way.writeback = w
		}
	}
	if way.writeback.ID == 0 {
		r.Fatal("nothing is owed to the customer's record")
	}
	return way
}

func (p shopper) evaluates(r *rig, id int64) OrderLease {
	r.Helper()
	r.ok(r.l.DueOrder(context.Background(), p.shop, id, r.now))
	due, err := r.l.LeaseOrders(context.Background(), p.shop, false, r.now, r.now.Add(lease), 1)
	r.ok(err)
	if len(due) != 1 || due[0].OrderID != id {
		r.Fatalf("due %v, want %d", due, id)
	}
	return due[0]
}

// shopping is a ledger in which Ada, Bob, and Ada in another Shop have done everything. Enforced, so that customers' records are written.
func shopping(t *testing.T) (*rig, underWay) {
	t.Helper()
	r := newRig(t)
	r.install("other9")
	for _, hash := range []string{shopHash, "other9"} {
		p := gate.Default("EUR")
		p.Mode, p.CustomFieldsV2 = gate.Enforce, true
		_, err := r.l.SavePolicy(t.Context(), hash, PolicyChange{Policy: p, Author: "staff", Since: r.now}, r.now)
		r.ok(err)
	}
	way := ada.shops(r)
	bob.shops(r)
	adas2.shops(r)
	r.wait(time.Minute)
	return r, way
}

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
	"asked_mails.customer_id", "asked_mails.mailbox", "capabilities.customer_id", "capabilities.mailbox", "decisions.customer_id", "listed.customer_id", "notices.subject",
	"orders.buyer", "orders.customer_id", "orders.mailbox", "proofs.customer_id", "proofs.mailbox", "proofs.person", "sessions.capture_url", "sessions.customer_id",
	"sessions.mailbox", "shown_mailboxes.customer_id", "shown_mailboxes.mailbox", "writebacks.key", "writebacks.subject",
}

// aboutOthers are columns that look as if they were about a shopper, and are not erased with the customer.
var aboutOthers = map[string]string{
	"listed.mailbox": "staff wrote it down, and take it off their list",
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
		if (c.name == "customer_id" || c.name == "mailbox") && !slices.Contains(leftBy, name) && aboutOthers[name] == "" {
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
			was["subject"] == fmt.Sprint(ada.id) || strings.HasPrefix(key, "proofs ") && before["sessions "+was["session_id"]]["order_id"] == "118")
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
	hers, guest, guest2 := session(ada.cart, 0), session("guest", 0), session("guest 2", 0)
	r.wait(time.Minute)
	r.changes(func() error { return r.l.EraseCustomer(ctx, shopHash, ada.id, r.now) }, slices.Concat(
		[]string{"- " + proofs[ada.cart+"0"], "- " + proofs["guest0"], "- " + proofs["418"], "- " + capability(ada.cart), "- " + capability("guest"), "- " + capability("guest 2")},
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
