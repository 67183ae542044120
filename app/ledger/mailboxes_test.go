package ledger

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"idgate/app/gate"
)

// shown reports whether the mailbox counts as shown for a cart, an order and an account.
func (r *rig) shown(s *Shop, mailbox, cart string, order, customer int64) bool {
	r.Helper()
	got, err := r.l.MailboxShown(context.Background(), s, gate.Facts{CartID: cart, OrderID: order, Buyer: gate.Buyer{CustomerID: customer, Mailbox: mailbox}})
	r.ok(err)
	return got
}

// TestShowMailbox: each way counts for the one thing it was shown for, in its own Shop.
func TestShowMailbox(t *testing.T) {
	ctx := context.Background()
	const other = "other9"
	m, n := "", ""
	for name, c := range map[string]struct {
		shown                     Shown
		cart                      string
		order, customer           int64
		otherCart                 string
		otherOrder, otherCustomer int64
	}{
		"a cart":     {Shown{CartID: "c1", Way: ByCode}, "c1", 0, 0, "c2", 118, 5},
		"an order":   {Shown{OrderID: 118, Way: ByLink}, "", 118, 0, "c1", 119, 5},
		"an account": {Shown{CustomerID: 5, Way: ByCode}, "c9", 120, 5, "c1", 118, 6},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.install(other)
			foreign, err := r.l.Shop(other)
			r.ok(err)
			m, n = r.shop().MailboxHash("ada@example.com"), r.shop().MailboxHash("eve@example.com")
			c.shown.Mailbox = m
			if r.shown(r.shop(), m, c.cart, c.order, c.customer) {
				t.Error("shown before it was")
			}
			r.ok(r.l.ShowMailbox(ctx, r.shop(), c.shown, r.now))
			r.wait(time.Second)
			r.ok(r.l.ShowMailbox(ctx, r.shop(), c.shown, r.now)) // may be repeated
			if !r.shown(r.shop(), m, c.cart, c.order, c.customer) {
				t.Error("not shown after it was")
			}
			if r.shown(r.shop(), n, c.cart, c.order, c.customer) {
				t.Error("another mailbox is shown")
			}
			if r.shown(r.shop(), m, c.otherCart, c.otherOrder, c.otherCustomer) || r.shown(r.shop(), m, "", 0, 0) || r.shown(r.shop(), "", c.cart, c.order, c.customer) {
				t.Error("it counts for something else")
			}
			if r.shown(foreign, m, c.cart, c.order, c.customer) || r.shown(foreign, foreign.MailboxHash("ada@example.com"), c.cart, c.order, c.customer) {
				t.Error("it counts in another shop")
			}
			r.want(r.at(), "SELECT shown_at FROM shown_mailboxes")
		})
	}
}

// TestShowMailboxDecidesAgain: the orders that it may let go are due at once, and an account's record is owed what a guest proved, but not
// what another customer did.
func TestShowMailboxDecidesAgain(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.policy(gate.Enforce)
	guest := r.cart("c1", 0, "ada@example.com")
	r.proved(guest, r.ada(), nil)
	proof := r.value("SELECT id FROM proofs")
	m := r.shop().MailboxHash("ada@example.com")
	if good, err := r.l.GoodProofs(ctx, r.shop(), m, r.now); err != nil || good != 1 {
		t.Fatalf("%d proofs: %v", good, err)
	}
	r.exec("UPDATE orders SET due_at = 0")
	r.onHold(118)
	r.exec("UPDATE orders SET customer_id = 7, due_at = 0 WHERE order_id = 118")
	r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: m, CustomerID: 7, Way: ByCode}, r.now))
	r.want(r.at(), "SELECT due_at FROM orders WHERE order_id = 118")
	r.want("customer_attributes "+proof+", proof_metafield "+proof,
		"SELECT group_concat(kind || ' ' || ref, ', ') FROM (SELECT kind, ref FROM writebacks WHERE subject = 7 ORDER BY kind)")
	r.exec("UPDATE proofs SET customer_id = 8")
	r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: m, CustomerID: 9, Way: ByCode}, r.now))
	r.want("0", "SELECT count(*) FROM writebacks WHERE subject = 9")
	r.exec("UPDATE orders SET due_at = 0")
	r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: m, OrderID: 118, Way: ByLink}, r.now))
	r.want(r.at(), "SELECT due_at FROM orders WHERE order_id = 118")
	r.exec("UPDATE orders SET due_at = 0, cart_id = 'c5' WHERE order_id = 118")
	r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: m, CartID: "c5", Way: ByCode}, r.now))
	r.want(r.at(), "SELECT due_at FROM orders WHERE order_id = 118")
}

// TestCodes: what is stored is no code, the code shows the mailbox it was sent to, once, and for whom its Capability stands.
func TestCodes(t *testing.T) {
	ctx := context.Background()
	form := regexp.MustCompile(`^\d{6}$`)
	for name, customer := range map[string]int64{"a guest": 0, "an account": 7} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c := r.cart("c1", customer, "ada@example.com")
			asked, err := r.l.AskMail(ctx, r.shop(), AskedCode, c, time.Time{}, r.now)
			r.ok(err)
			if !form.MatchString(asked.Code) || asked.Link != nil {
				t.Fatalf("%+v", asked)
			}
			r.want("32", "SELECT length(code) FROM asked_mails")
			r.want("0", "SELECT instr(code, ?) FROM asked_mails", []byte(asked.Code))
			stranger := r.cart("c1", customer, "ada@example.com") // another browser with the same cart
			r.is(r.l.EnterCode(ctx, r.shop(), stranger, asked.Code, r.now), ErrCodeExpired)
			r.is(r.l.EnterCode(ctx, r.shop(), c, "x"+asked.Code, r.now), ErrCodeWrong)
			r.want("1", "SELECT tries FROM asked_mails")
			r.ok(r.l.EnterCode(ctx, r.shop(), c, asked.Code, r.now.Add(CodeGood-time.Millisecond)))
			r.is(r.l.EnterCode(ctx, r.shop(), c, asked.Code, r.now), ErrCodeExpired)
			if got := r.shown(r.shop(), c.Mailbox, "c1", 0, 0); got != (customer == 0) {
				t.Errorf("for the cart: %t", got)
			}
			if got := r.shown(r.shop(), c.Mailbox, "", 0, 7); got != (customer == 7) {
				t.Errorf("for the account: %t", got)
			}
		})
	}
}

// TestAskLimits: a minute between two, five a day of a kind, for a cart and for a mailbox.
func TestAskLimits(t *testing.T) {
	ctx := context.Background()
	for _, kind := range []AskedKind{AskedCode, AskedLink} {
		r := newRig(t)
		ask := func(c Capability) *AskedTooOften {
			t.Helper()
			_, err := r.l.AskMail(ctx, r.shop(), kind, c, r.now.Add(time.Hour), r.now)
			var often *AskedTooOften
			if err != nil && !errors.As(err, &often) {
				t.Fatal(err)
			}
			return often
		}
		c, same := r.cart("c1", 0, "ada@example.com"), r.cart("c2", 0, "ada@example.com")
		began := r.now
		for i := range 5 {
			if e := ask(c); e != nil {
				t.Fatalf("%s %d: %v", kind, i+1, e)
			}
			r.wait(20 * time.Second)
			for _, cap := range []Capability{c, same} {
				if e := ask(cap); e == nil || i < 4 && (e.Wait != 40*time.Second || e.Spent) {
					t.Errorf("%s %d, too soon: %+v", kind, i+1, e)
				}
			}
			r.wait(40 * time.Second)
		}
		for _, cap := range []Capability{c, same} {
			if e := ask(cap); e == nil || !e.Spent || e.Wait != began.Add(24*time.Hour).Sub(r.now) {
				t.Errorf("%s, the sixth: %+v", kind, e)
			}
		}
		if e := ask(r.cart("c1", 0, "eve@example.com")); e == nil || !e.Spent {
			t.Errorf("%s for the same cart, another mailbox: %+v", kind, e)
		}
		if e := ask(r.cart("c3", 0, "eve@example.com")); e != nil {
			t.Errorf("%s for others: %+v", kind, e)
		}
		r.now = began.Add(24 * time.Hour)
		if e := ask(c); e != nil {
			t.Errorf("%s a day later: %+v", kind, e)
		}
	}
}

// TestAskedLink: the link that is mailed is a Capability of its own, marked, under the mailbox it goes to.
func TestAskedLink(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	c := r.cart("c1", 7, "ada@example.com")
	c.Locale = "de"
	asked, err := r.l.AskMail(ctx, r.shop(), AskedLink, c, r.now.Add(time.Hour), r.now)
	r.ok(err)
	got, err := r.l.Capability(ctx, r.l.Token(*asked.Link), ForMail, r.now)
	r.ok(err)
	if asked.Code != "" || !got.Mailed || got.CartID != "c1" || got.OrderID != 0 || got.CustomerID != 7 || got.Mailbox != c.Mailbox || got.Locale != "de" || !got.ExpiresAt.Equal(r.now.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	if staff, err := r.l.Grant(ctx, Capability{Shop: shopHash, Purpose: ForMail, OrderID: 118, Mailbox: c.Mailbox, ExpiresAt: r.now.Add(time.Hour)}, r.now); err != nil || staff.Mailed {
		t.Errorf("%+v, %v", staff, err)
	}
	r.is(r.l.EnterCode(ctx, r.shop(), c, "000000", r.now), ErrCodeExpired)
}

// TestMailboxesAreForgotten: with the customer who showed them, with the clock, and with the Shop.
func TestMailboxesAreForgotten(t *testing.T) {
	ctx := context.Background()
	filled := func(t *testing.T) *rig {
		r := newRig(t)
		c := r.cart("c1", 7, "ada@example.com")
		_, err := r.l.AskMail(ctx, r.shop(), AskedCode, c, time.Time{}, r.now)
		r.ok(err)
		r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: c.Mailbox, CustomerID: 7, Way: ByCode}, r.now))
		other := r.cart("c2", 8, "bob@example.com")
		_, err = r.l.AskMail(ctx, r.shop(), AskedLink, other, r.now.Add(time.Hour), r.now)
		r.ok(err)
		r.ok(r.l.ShowMailbox(ctx, r.shop(), Shown{Mailbox: other.Mailbox, CustomerID: 8, Way: ByCode}, r.now))
		return r
	}
	count := "SELECT (SELECT count(*) FROM asked_mails) || ' ' || (SELECT count(*) FROM shown_mailboxes)"
	r := filled(t)
	r.ok(r.l.EraseCustomer(ctx, shopHash, 7, r.now))
	r.want("1 1", count)
	r.want("8", "SELECT customer_id FROM shown_mailboxes")

	r = filled(t)
	r.wait(keepAsked)
	_, err := r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("2 2", count)
	r.wait(time.Millisecond)
	_, err = r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("0 2", count)
	r.wait(r.shop().Policy.KeepFor())
	_, err = r.l.Forget(ctx, r.now)
	r.ok(err)
	r.want("0 0", count)

	r = filled(t)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.wait(keepShop)
	for range 3 {
		_, err = r.l.Forget(ctx, r.now)
		r.ok(err)
	}
	r.want("0 0", count)
}
