package web

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/sim"
	"idgate/app/sim/mailbox"
	"idgate/views"
)

// withMail gives the relay a mail server, which takes mails into the box that is returned.
func withMail(t *testing.T) (*mailbox.Box, func(*relay.Options)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(mailbox.Options{})
	done := make(chan error, 1)
	go func() { done <- box.Serve(l) }()
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	sender, err := mail.NewSender(mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: mail.NoTLS, From: "no-reply@idgate.example"})
	if err != nil {
		t.Fatal(err)
	}
	return box, func(o *relay.Options) {
		o.Mail = sender
		o.Compose = func(a relay.MailAsk) mail.Message { return ComposeMail(a, o.Now()) }
	}
}

// TestKeepOrder: a cancellation is announced on the order's page with its deadline and last call, stopped by a person with a reason, and
// let go on by one.
func TestKeepOrder(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) { p.CancelAfter = 7 })
	id := b.hold(shopHash)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	if o := b.look(shopHash, id); o.CancelAt.IsZero() {
		t.Fatalf("no cancellation is announced: %+v", o)
	}
	b.want(200, b.as(ledger.Reviewer, path, nil), "It will be cancelled on", "Tue 17 Mar 2026, 09:12", "The last call goes out on", "Mon 16 Mar 2026, 09:12",
		"The shopper gets no mail about any of this", "Keep this order")
	b.lacks(b.as(ledger.Viewer, path, nil), "Keep this order")
	b.days(6)
	b.want(200, b.as(ledger.Viewer, path, nil), "The last call was made on", "Last call")

	b.want(422, b.as(ledger.Reviewer, path+"/keep", url.Values{"reason": {"ok"}}), "Write down why.", `id="keep-reason" name="reason" rows="2" maxlength="500" required aria-describedby="keep-reason-hint keep-reason-error" aria-invalid="true">ok<`)
	b.wantGo(b.as(ledger.Reviewer, path+"/keep", url.Values{"reason": {"She is on holiday"}}), fmt.Sprintf("%s?kept=%d", path, id))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	b.days(30)
	if o := b.order(shopHash, id); o.Hold != ledger.Held || !o.Kept || !o.CancelAt.IsZero() {
		t.Errorf("kept, it is %+v", o)
	}
	page := b.as(ledger.Reviewer, fmt.Sprintf("%s?kept=%d", path, id), nil)
	b.want(200, page, "is kept: it will not be cancelled", "not to be cancelled, however long", "Let it be cancelled after all")
	b.lacks(page, "It will be cancelled on", "/keep\"")
	b.want(409, b.as(ledger.Reviewer, path+"/keep", url.Values{"reason": {"once more"}}), "has moved on")

	b.want(422, b.as(ledger.Reviewer, path+"/unkeep", url.Values{"reason": {""}}), "Write down why.")
	b.wantGo(b.as(ledger.Reviewer, path+"/unkeep", url.Values{"reason": {"She is back and silent"}}), fmt.Sprintf("%s?unkept=%d", path, id))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, id); o.Kept || !o.CancelAt.Equal(b.clock().Add(7*24*time.Hour)) {
		t.Errorf("not kept any more, it is %+v", o)
	}
	b.want(409, b.as(ledger.Reviewer, path+"/unkeep", url.Values{"reason": {"once more"}}), "has moved on")
	b.days(6)
	b.wait(24 * time.Hour)
	b.signInAll(shopHash)
	b.settle(ledger.ShopBell, ledger.OrderBell)
	b.want(200, b.as(ledger.Reviewer, path, nil), "Being cancelled", "Keep this order", "Release by hand", "Refuse order")
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	b.want(200, b.as(ledger.Reviewer, path, nil), "Cancelled", "No money was given back", "Refund the payment in BigCommerce")
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?filter=cancelled", nil), fmt.Sprintf("/orders/%d", id))
	if o, err := b.world.Shop(shopHash).Order(id); err != nil || o.StatusID != 5 {
		t.Errorf("BigCommerce has status %d (%v), want 5", o.StatusID, err)
	}
	b.want(409, b.as(ledger.Reviewer, path+"/keep", url.Values{"reason": {"too late"}}), "has moved on")
}

// TestRevokeProof: whoever revokes a Proof is told what that does; the orders that rest on it are held again, and it says so on each page.
func TestRevokeProof(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	c := b.world.Shop(shopHash).Customers()[0]
	b.prove(shopHash, c.ID, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: c.FirstName, Family: c.LastName})
	id := b.buy(shopHash)
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	o := b.order(shopHash, id)
	if o.Hold != ledger.NotHeld {
		t.Fatalf("the order is %+v", o)
	}
	page := b.as(ledger.Manager, path, nil)
	b.want(200, page, "Proof used", "Revoke this proof", "is decided again and held", "attributes is taken back", "IAL 2")
	b.lacks(b.as(ledger.Reviewer, path, nil), "Revoke this proof")
	form := b.forms(page, fmt.Sprintf("/orders/%d/revoke", id))[0]
	form.Set("reason", "")
	refused := b.as(ledger.Manager, path+"/revoke", form)
	b.want(422, refused, "Write down why.", `<details class="folded" open>`)
	form.Set("reason", "The document was stolen")
	other := b.buy(otherHash)
	b.want(404, b.send(b.cookies[otherHash+" owner"], fmt.Sprintf("/s/%s/orders/%d/revoke", otherHash, other), form))
	b.wantGo(b.as(ledger.Manager, path+"/revoke", form), fmt.Sprintf("%s?revoked=%d", path, id))
	b.want(409, b.as(ledger.Manager, path+"/revoke", form), "has moved on")
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o = b.order(shopHash, id); o.Hold != ledger.Held {
		t.Errorf("after the revocation the order is %+v", o)
	}
	page = b.as(ledger.Manager, fmt.Sprintf("%s?revoked=%d", path, id), nil)
	b.want(200, page, "The proof is revoked.", "The proof was revoked by a person.", "The document was stolen", "manager@abc123.example", "Proof revoked")
	if attributes := b.world.Shop(shopHash).CustomerAttributes(c.ID); attributes[relay.AttributeIAL] == "2" {
		t.Errorf("the customer's attributes still say %v", attributes)
	}
}

// TestSessionProof: a Proof that a Session of the order has made, and the Decision did not use, can be revoked too.
func TestSessionProof(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.hold(shopHash)
	o := b.order(shopHash, id)
	shop := b.shop(shopHash)
	c := ledger.Capability{ID: o.Link, Shop: shopHash, Purpose: ledger.ForMail, OrderID: id, Mailbox: o.Mailbox}
	b.ok(b.s.Ledger.StartSession(b.Context(), shop, c, ledger.Session{ID: ledger.NewSessionID(b.clock()), Provider: "1kosmos", Ref: "r", CaptureURL: "https://capture.example/",
		Deadline: b.clock().Add(time.Hour), PollAt: b.clock()}, b.clock()))
	ns, err := b.s.Ledger.LeaseSessions(b.Context(), shopHash, b.clock(), b.clock().Add(time.Minute), 1)
	b.ok(err)
	_, err = b.s.Ledger.MoveSession(b.Context(), shop, ns[0], ledger.Move{State: "passed", Proof: &ledger.NewProof{IAL: 1, Source: gate.SourcePolicy, Document: true, Age: -1,
		Person: ledger.Person{Given: "Somebody", Family: "Else"}, GoodUntil: b.clock().Add(time.Hour)}}, b.clock())
	b.ok(err)
	b.look(shopHash, id)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	page := b.as(ledger.Manager, path, nil)
	b.want(200, page, "Proof from a verification of this order", "Revoke this proof")
	b.lacks(page, "Proof used")
	form := b.forms(page, fmt.Sprintf("/orders/%d/revoke", id))[0]
	form.Set("reason", "It was somebody else")
	b.wantGo(b.as(ledger.Manager, path+"/revoke", form), fmt.Sprintf("%s?revoked=%d", path, id))
	page = b.as(ledger.Manager, path, nil)
	b.want(200, page, "It was somebody else")
	b.lacks(page, `/revoke"`)
}

// TestReplay: Notices can be handled again one by one and all since a moment, and nothing is done twice by it.
func TestReplay(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.hold(shopHash)
	number, path := strconv.FormatInt(id, 10), fmt.Sprintf("%s/orders/%d", shopBase, id)
	b.notice(shopHash, "store/order/created", number)
	b.wait(time.Hour)
	stuck := b.notice(shopHash, "store/order/statusUpdated", "none")
	b.settle(ledger.NoticeBell, ledger.OrderBell, ledger.WritebackBell)
	writes := len(b.world.Shop(shopHash).OrderWrites(id))
	page := b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "New order", "is looked at", "Handle again")
	b.lacks(b.as(ledger.Viewer, path, nil), "Handle again")
	form := b.forms(page, fmt.Sprintf("/orders/%d/replay", id))[0]
	b.wantGo(b.as(ledger.Reviewer, path+"/replay", form), path+"?handled=1")
	b.want(404, b.as(ledger.Reviewer, path+"/replay", form)) // it waits already
	b.want(200, b.as(ledger.Reviewer, path+"?handled=1", nil), "1 notice is handled again", "Waiting")
	b.settle(ledger.NoticeBell, ledger.OrderBell, ledger.WritebackBell)

	health := b.as(ledger.Reviewer, shopBase+"/health", nil)
	b.want(200, health, "Webhooks that could not be handled", "about none", "It names no order")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 webhook could not be handled")
	forms := b.forms(health, "/health/notice")
	if len(forms) != 1 || forms[0].Get(views.NoticeField) != strconv.FormatInt(stuck, 10) {
		t.Fatalf("forms %v, want one for notice %d", forms, stuck)
	}
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/health/notice", forms[0]), shopBase+"/health?handled=1")
	b.settle(ledger.NoticeBell, ledger.OrderBell, ledger.WritebackBell)

	b.lacks(b.as(ledger.Reviewer, shopBase+"/health", nil), "Handle webhooks again")
	b.want(200, b.as(ledger.Manager, shopBase+"/health", nil), "Handle webhooks again", `type="datetime-local"`, `value="2026-03-09T10:12"`, "America/Denver", "nothing is done twice")
	for text, words := range map[string]string{"": "Fill this in.", "soon": "Enter a date and a time", "2026-03-10 23:00": "Enter a time that has passed.", "0001-01-01": "Enter a date and a time"} {
		b.want(422, b.as(ledger.Manager, shopBase+"/health/replay", url.Values{views.SinceField: {text}}), words, `aria-invalid="true"`)
	}
	b.wantGo(b.as(ledger.Manager, shopBase+"/health/replay", url.Values{views.SinceField: {"2026-03-10T10:12"}}), shopBase+"/health?replayed=1") // the later one
	b.settle(ledger.NoticeBell, ledger.OrderBell, ledger.WritebackBell)
	b.wantGo(b.as(ledger.Manager, shopBase+"/health/replay", url.Values{views.SinceField: {"2026-03-10"}}), shopBase+"/health?replayed=2")
	b.settle(ledger.NoticeBell, ledger.OrderBell, ledger.WritebackBell)
	b.want(200, b.as(ledger.Manager, shopBase+"/health?replayed=2", nil), "2 notices are handled again now.")
	if n := len(b.world.Shop(shopHash).OrderWrites(id)); n != writes {
		t.Errorf("%d writes to the order, %d before anything was handled again", n, writes)
	}
	acts, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 2)
	b.ok(err)
	if a := acts[0]; a.Action != ledger.ActReplayed || a.Actor != "manager@abc123.example" || a.Detail != "since Tue 10 Mar 2026, 00:00 (America/Denver)" {
		t.Errorf("activity %+v", a)
	}
}

func TestParseMoment(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	for _, tc := range []struct{ text, want, code string }{
		{"2026-03-10T09:12", "2026-03-10T15:12:00Z", ""},
		{"2026-03-10T09:11:59", "2026-03-10T15:11:59Z", ""},
		{" 2026-03-09 14:05 ", "2026-03-09T20:05:00Z", ""},
		{"2026-03-07", "2026-03-07T07:00:00Z", ""}, // before the clocks went forward
		{"", "", "required"},
		{"2026-03-10T09:13", "", "in_future"},
		{"2026-03-10T09:12Z", "", "not_a_time"},
		{"10.3.2026", "", "not_a_time"},
		{"1999-12-31", "", "not_a_time"},
		{"2026-02-30", "", "not_a_time"},
		{strings.Repeat("9", 5000), "", "not_a_time"},
	} {
		got, code := parseMoment(tc.text, denver, now)
		if code != tc.code || code == "" && got.UTC().Format(time.RFC3339) != tc.want {
			t.Errorf("%.40q: %v, %q, want %s, %q", tc.text, got.UTC(), code, tc.want, tc.code)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	f.Add("2026-03-10T09:12")
	f.Add("2026-03-09 14:05:59")
	now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, code := parseMoment(text, time.UTC, now)
		switch {
		case code == "" && (got.After(now) || got.Year() < 2000):
			t.Errorf("%q became %v", text, got)
		case strings.HasPrefix(views.FieldError(code), "This cannot be used"):
			t.Errorf("%q: the code %q has no words", text, code)
		}
	})
}

// TestMailsOnOrder: the order's page tells which mails went out and which is stuck, and sends that one again.
func TestMailsOnOrder(t *testing.T) {
	box, mails := withMail(t)
	b := newBench(t, mails)
	b.enforce(shopHash)
	c := b.world.Shop(shopHash).Customers()[0]
	box.Refuse(c.Email, 550)
	id := b.hold(shopHash)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	page := b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "Verification link", "Stuck", "The mail was refused", "Send again", "is stuck and needs a person")
	health := b.as(ledger.Reviewer, shopBase+"/health", nil)
	b.want(200, health, "Mail: Verification link", "Send again")
	box.Refuse(c.Email, 0)
	b.wantGo(b.as(ledger.Reviewer, path+"/retry", b.forms(page, fmt.Sprintf("/orders/%d/retry", id))[0]), path+"?retried=1")
	b.settle(ledger.WritebackBell)
	page = b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "The shopper was mailed the verification link.")
	b.lacks(page, "Send again")
	if len(box.Mails()) != 1 {
		t.Errorf("%d mails, want 1", len(box.Mails()))
	}
}

// TestBounces: a mail that comes back is told on the operator's listener, and shows where a refused one does, with its remedy.
func TestBounces(t *testing.T) {
	box, mails := withMail(t)
	b := newBench(t, mails)
	b.enforce(shopHash)
	id := b.hold(shopHash)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	b.want(200, b.as(ledger.Reviewer, path, nil), "The shopper was mailed the verification link.")
	sent := box.Mails()[0]
	report, err := sent.Report(b.clock())
	b.ok(err)
	told := func(want int, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		b.s.Ops().ServeHTTP(w, httptest.NewRequest("POST", "/bounces", strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("%d, want %d: %s", w.Code, want, w.Body)
		}
	}
	told(422, "")
	told(422, "From: ada@example.com\r\n\r\nWho are you?\r\n")
	told(422, strings.Replace(string(report), "<"+shopHash, "<"+otherHash, 1))
	told(422, strings.Replace(string(report), sent.ID, "order-"+sent.ID, 1))
	b.want(200, b.as(ledger.Reviewer, path, nil), "The shopper was mailed the verification link.")
	told(204, string(report)+strings.Repeat("x", 2<<20))
	told(204, string(report)) // said twice
	page := b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "Stuck", "The mail came back: 550 5.1.1", "there is no such mailbox. Correct the mailbox in the order", "Send again", "is stuck and needs a person")
	b.lacks(page, "The shopper was mailed the verification link.", "&lt;"+sent.To)
	health := b.as(ledger.Reviewer, shopBase+"/health", nil)
	b.want(200, health, "Mail: Verification link", "The mail came back", "Send again")
	b.lacks(health, "Checkout mails that came back")

	w := httptest.NewRecorder()
	b.s.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/bounces", bytes.NewReader(report)))
	if w.Code != 404 && w.Code != 405 {
		t.Errorf("the public listener takes it too: %d", w.Code)
	}
	shop := b.shop(shopHash)
	c, err := b.s.Ledger.Grant(t.Context(), ledger.Capability{Shop: shopHash, Purpose: ledger.ForCart, CartID: "c1", Mailbox: shop.MailboxHash("ada@example.com"), ExpiresAt: b.clock().Add(time.Hour)}, b.clock())
	b.ok(err)
	asked, err := b.s.Ledger.AskMail(t.Context(), shop, ledger.AskedCode, c, time.Time{}, b.clock())
	b.ok(err)
	sent.ID = b.s.Ledger.MailID(ledger.MailName{Shop: shopHash, Asked: asked.ID}) + "@idgate.example"
	report, err = sent.Report(b.clock())
	b.ok(err)
	told(204, string(report))
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "Checkout mails that came back", "1 within two days")
}

// TestMovedByHand: where an order stands after somebody in the shop has moved it is told in plain words, with what to do.
func TestMovedByHand(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	id := b.hold(shopHash)
	path := fmt.Sprintf("%s/orders/%d", shopBase, id)
	move := func(status int) {
		t.Helper()
		b.wait(time.Minute)
		b.ok(shop.SetOrderStatus(id, status, "somebody"))
		b.look(shopHash, id)
	}
	move(11)
	b.want(200, b.as(ledger.Reviewer, path, nil), "Held again", "put it on hold once more", "BigCommerce does not say who it was", "Release it here if it may go")
	move(11)
	page := b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "Moved by hand", "counts as the shop", "BigCommerce does not say who it was", "Ask who moved it and why")
	b.lacks(page, "Release by hand")
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?filter=moved", nil), path, "Moved by hand")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 order was moved off our hold by hand in the last 30 days")
	b.wait(31 * 24 * time.Hour)
	found, err := b.s.Ledger.CountFound(b.Context(), shopHash, b.clock().Add(-foundSpan))
	if err != nil || found.Moved != 0 {
		t.Errorf("a month later: %+v, %v", found, err)
	}
}

// TestDigitalOrder: an order of downloads, which BigCommerce completes at once, is flagged wherever it is shown.
func TestDigitalOrder(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	c := shop.Customers()[0]
	p := shop.AddProduct(sim.Product{Name: "E-book", SKU: "EBOOK", Price: 900, Digital: true})
	o, err := shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: p.ID, Quantity: 1}}})
	b.ok(err)
	if known := b.look(shopHash, o.ID); !known.Digital || known.Hold != ledger.Leaked {
		t.Fatalf("%+v", known)
	}
	b.want(200, b.as(ledger.Viewer, fmt.Sprintf("%s/orders/%d", shopBase, o.ID), nil), "Digital", "Nothing of this order ships.", "completes a paid order of downloads at once",
		"only the checkout gate can", "nothing: downloads only")
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders", nil), "Digital")
}

// TestErasedBuyer: nobody is named once a buyer was erased, and the page says so.
func TestErasedBuyer(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.hold(shopHash)
	c := b.world.Shop(shopHash).Customers()[0]
	b.ok(b.s.Ledger.EraseCustomer(b.Context(), shopHash, c.ID, b.clock()))
	for _, path := range []string{fmt.Sprintf("%s/orders/%d", shopBase, id), shopBase + "/orders", shopBase + "/orders.csv"} {
		page := b.as(ledger.Owner, path, nil)
		b.want(200, page, "Erased")
		b.lacks(page, c.LastName, c.Email)
	}
	b.want(200, b.as(ledger.Viewer, fmt.Sprintf("%s/orders/%d", shopBase, id), nil), "Buyer erased", "was erased on")
}

func TestOneMailbox(t *testing.T) {
	good := []string{"", "orders@example.com", "o.r+d@mail.example.co.uk", "info@bücher.example"}
	bad := []string{"orders", "orders@localhost", "@example.com", "Orders <orders@example.com>", "a@example.com, b@example.com", "a@example.com b@example.com", `"a b"@example.com`,
		"a@[127.0.0.1]", "a@example.com\r\nBcc: b@example.com", "a@.", strings.Repeat("a", 250) + "@example.com", "\xff@example.com"}
	for _, text := range slices.Concat(good, bad) {
		if got, want := oneMailbox(text), slices.Contains(good, text); got != want {
			t.Errorf("%.60q: %v, want %v", text, got, want)
		}
	}
}

func FuzzOneMailbox(f *testing.F) {
	f.Add("orders@example.com")
	f.Add("Orders <a@b.c>")
	f.Fuzz(func(t *testing.T, text string) {
		if oneMailbox(text) && text != "" && (strings.ContainsAny(text, " \t\r\n<>,\"") || strings.Count(text, "@") != 1 || len(text) > maxMailbox) {
			t.Errorf("%q is taken for one mailbox", text)
		}
	})
}
