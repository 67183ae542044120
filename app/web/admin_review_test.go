package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	"idgate/views"
)

func num(id int64) string { return strconv.FormatInt(id, 10) }

// spent has the buyer of an order on hold use up their tries.
func (b *bench) spent(hash string, id int64) {
	b.Helper()
	for range 5 {
		o := b.order(hash, id)
		c := ledger.Capability{ID: o.Link, Shop: hash, Purpose: ledger.ForMail, OrderID: id, Mailbox: o.Mailbox}
		b.fails(hash, c)
	}
}

func (b *bench) fails(hash string, c ledger.Capability) {
	b.Helper()
	l, shop := b.s.Ledger, b.shop(hash)
	b.wait(time.Millisecond)
	n := ledger.Session{ID: ledger.NewSessionID(b.clock()), Provider: "1kosmos", CaptureURL: "https://capture.example/", Deadline: b.clock().Add(time.Hour), PollAt: b.clock()}
	n.Ref = n.ID
	b.ok(l.StartSession(b.Context(), shop, c, n, b.clock()))
	ns, err := l.LeaseSessions(b.Context(), hash, b.clock(), b.clock().Add(time.Minute), 1)
	b.ok(err)
	moved, err := l.MoveSession(b.Context(), shop, ns[0], ledger.Move{State: "failed", Deadline: n.Deadline, Tries: 5, TriesSince: b.clock().Add(-24 * time.Hour)}, b.clock())
	if err != nil || !moved {
		b.Fatal(moved, err)
	}
}

func waits(kind, subject, do, reason string) url.Values {
	return url.Values{views.KindField: {kind}, views.SubjectField: {subject}, views.DoField: {do}, "reason": {reason}}
}

// TestRoutesRolesOfReview is TestRoutesRoles for the queue, requests, erasure and export.
func TestRoutesRolesOfReview(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.enforce(otherHash)
	held := num(b.hold(shopHash))
	for range 3 {
		b.hold(otherHash)
	}
	foreignID := b.hold(otherHash)
	foreign := num(foreignID)
	b.spent(otherHash, foreignID)
	theirs, err := b.s.Ledger.ReviewsPage(b.Context(), otherHash, "", ledger.ReviewPlace{}, 1)
	if err != nil || len(theirs) != 1 {
		t.Fatal(theirs, err)
	}
	noReason := url.Values{"reason": {""}}
	const viewer, reviewer, owner = ledger.Viewer, ledger.Reviewer, ledger.Owner
	for _, tc := range []struct {
		path  string
		form  url.Values
		least ledger.Role
		want  int
	}{
		{"/review", nil, viewer, 200},
		{"/review?kind=late", nil, viewer, 200},
		{"/review?kind=nonsense", nil, viewer, 400},
		{"/review?after=1.late", nil, viewer, 400},
		{"/review?after=1.late.%27", nil, viewer, 400},
		{"/review", waits("tries_spent", held, "approve", "It is fine"), reviewer, 409}, // it does not wait
		{"/review", waits("tries_spent", foreign, "approve", "It is fine"), reviewer, 404},
		{"/review", waits("late", "nobody", "approve", "It is fine"), reviewer, 404},
		{"/review", waits("nonsense", held, "approve", "It is fine"), reviewer, 404},
		{"/review", waits("moved", held, "nonsense", "It is fine"), reviewer, 404},
		{"/review", url.Values{}, reviewer, 404},
		{"/review/undo", url.Values{views.WordField: {"none"}}, reviewer, 404},
		{"/request", nil, reviewer, 422},
		{"/request?order=x", nil, reviewer, 422},
		{"/request?order=" + held, nil, reviewer, 200},
		{"/request?order=999999", nil, reviewer, 422},
		{"/orders/" + held + "/request", noReason, reviewer, 422},
		{"/orders/x/request", noReason, reviewer, 404},
		{"/orders/" + held + "/request/withdraw", noReason, reviewer, 409},
		{"/orders/" + foreign + "/request/withdraw", noReason, reviewer, 404},
		{"/orders/" + held + "/undo", noReason, reviewer, 409},
		{"/orders/" + foreign + "/undo", noReason, reviewer, 404},
		{"/orders/" + held + "/ask", url.Values{}, reviewer, 409}, // no mail server
		{"/orders/" + foreign + "/ask", url.Values{}, reviewer, 404},
		{"/erase", nil, owner, 200},
		{"/erase", url.Values{views.WhoField: {""}}, owner, 422},
		{"/erase", url.Values{views.WhoField: {"1"}}, owner, 200},
		{"/export.zip", nil, owner, 200},
	} {
		t.Run(method(tc.form)+" "+tc.path, func(t *testing.T) {
			tryRoute(method(tc.form), "/s/"+shopHash+tc.path)
			for role, r := range rank {
				want := tc.want
				if r < rank[tc.least] {
					want = http.StatusForbidden
				}
				if got := b.as(role, "/s/"+shopHash+tc.path, tc.form); got.Code != want {
					t.Errorf("%s: %d, want %d: %s", role, got.Code, want, brief(got.Body.String()))
				}
			}
			for name, cookie := range map[string]string{
				"nobody":                          "",
				"another shop's owner":            b.cookies[otherHash+" owner"],
				"another shop's owner, disguised": strings.Replace(b.cookies[otherHash+" owner"], otherHash, shopHash, 1),
				"forged":                          cookieName(shopHash) + "=bG9naW4=",
			} {
				if got := b.send(cookie, "/s/"+shopHash+tc.path, tc.form); got.Code != http.StatusUnauthorized {
					t.Errorf("%s: %d, want 401", name, got.Code)
				}
			}
			if tc.form == nil {
				return
			}
			r := httptest.NewRequest("POST", "/s/"+shopHash+tc.path, strings.NewReader(tc.form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Cookie", b.cookies[shopHash+" owner"])
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if w := b.do(r); w.Code != http.StatusForbidden {
				t.Errorf("from another site: %d, want 403", w.Code)
			}
		})
	}
	if left, err := b.s.Ledger.ReviewsPage(b.Context(), otherHash, "", ledger.ReviewPlace{}, 9); err != nil || len(left) != 1 {
		t.Errorf("the other shop's queue: %v, %v", left, err)
	}
	b.ok(b.s.Ledger.SuspendShop(b.Context(), b.shop(shopHash), b.clock(), b.clock().Add(time.Hour)))
	for path, form := range map[string]url.Values{"/review": waits("tries_spent", held, "approve", "It is fine"), "/review/undo": {}, "/orders/" + held + "/undo": noReason,
		"/orders/" + held + "/ask": {}, "/orders/" + held + "/request": noReason, "/orders/" + held + "/request/withdraw": noReason, "/erase": {views.WhoField: {"1"}}} {
		b.want(409, b.as(owner, shopBase+path, form), "Nothing can be changed just now")
	}
	b.lacks(b.as(owner, shopBase+"/review", nil), "Decide…")
}

func TestReviewPage(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.want(200, b.as(ledger.Reviewer, shopBase+"/review", nil), "Nothing waits for a person", "Request a check")
	b.lacks(b.as(ledger.Viewer, shopBase+"/review", nil), "Request a check")
	id := b.hold(shopHash)
	b.spent(shopHash, id)
	page := b.as(ledger.Reviewer, shopBase+"/review", nil)
	b.want(200, page, "No tries left", "Order "+num(id), "Decide…", "no mail server", `class="count" title="waiting for a person">1<`)
	form := b.forms(page, "/review")[0]
	if form.Get(views.KindField) != "tries_spent" || form.Get(views.SubjectField) != num(id) {
		t.Fatalf("%v", form)
	}
	form.Set(views.DoField, "approve")
	b.want(422, b.as(ledger.Reviewer, shopBase+"/review", form), "Write down why", "<details class=\"folded\" open>")
	form.Set("reason", "Called her")
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/review", form), shopBase+"/review?released="+num(id))
	second := b.as(ledger.Manager, shopBase+"/review", form) // replayed, or another reviewer
	b.want(409, second, "Somebody was quicker", "reviewer@"+shopHash+".example", "Called her")
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, id); o.Hold != ledger.Released {
		t.Fatalf("%s", o.Hold)
	}
	b.want(200, b.as(ledger.Reviewer, shopBase+"/review", nil), "Decided lately", "Undo…")
	order := b.as(ledger.Reviewer, shopBase+"/orders/"+num(id), nil)
	b.want(200, order, "Take the release back", "until BigCommerce shows that the order has moved on")
	b.lacks(b.as(ledger.Viewer, shopBase+"/orders/"+num(id), nil), "Take the release back")
	undo := shopBase + "/orders/" + num(id) + "/undo"
	b.want(422, b.as(ledger.Reviewer, undo, url.Values{"reason": {""}}), "Write down why")
	b.wantGo(b.as(ledger.Reviewer, undo, url.Values{"reason": {"Wrong one"}}), shopBase+"/orders/"+num(id)+"?reheld="+num(id))
	b.want(409, b.as(ledger.Reviewer, undo, url.Values{"reason": {"Wrong one"}}))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, id); o.Hold != ledger.Held {
		t.Fatalf("%s", o.Hold)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "Decision undone", "Wrong one", "Order released")
	refuse := shopBase + "/orders/" + num(id) + "/refuse"
	b.wantGo(b.as(ledger.Reviewer, refuse, url.Values{"reason": {"No answer"}}), shopBase+"/orders/"+num(id)+"?refused="+num(id))
	b.want(200, b.as(ledger.Reviewer, shopBase+"/orders/"+num(id), nil), "Take the refusal back", "for as long as the order is on hold")
	b.wantGo(b.as(ledger.Reviewer, undo, url.Values{"reason": {"She called"}}), shopBase+"/orders/"+num(id)+"?unrefused="+num(id))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/orders/"+num(id)+"/release", url.Values{"reason": {"It is fine"}}), shopBase+"/orders/"+num(id)+"?released="+num(id))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	b.ok(b.world.Shop(shopHash).SetOrderStatus(id, 2, "somebody"))
	b.want(409, b.as(ledger.Reviewer, undo, url.Values{"reason": {"Too late"}}))
	b.look(shopHash, id)
	b.lacks(b.as(ledger.Reviewer, shopBase+"/orders/"+num(id), nil), "Take the release back")
}

// TestReviewPages: the queue is read in pages, without one thing twice or left out.
func TestReviewPages(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shipped := 2
	var want []string
	for range 27 {
		o, err := b.world.Shop(shopHash).PlaceOrderByAPI(sim.APIOrder{StatusID: &shipped, Billing: sim.BillingOf(b.world.Shop(shopHash).Customers()[0]),
			Items: []sim.APIItem{{ProductID: b.world.Shop(shopHash).Products()[0].ID, Quantity: 1}}})
		b.ok(err)
		b.look(shopHash, o.ID)
		want = append(want, num(o.ID))
	}
	var got []string
	for next := shopBase + "/review?kind=leaked"; next != ""; {
		page := b.as(ledger.Viewer, next, nil)
		b.want(200, page)
		for _, o := range strings.Split(page.Body.String(), `">Order `)[1:] {
			got = append(got, o[:strings.Index(o, "<")])
		}
		_, rest, more := strings.Cut(page.Body.String(), `class="button" href="`+shopBase+`/review?kind=leaked&amp;after=`)
		if next = ""; more {
			next = shopBase + "/review?kind=leaked&after=" + rest[:strings.Index(rest, `"`)]
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	form := waits("leaked", want[0], "acknowledge", "The courier has it")
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/review?kind=leaked", form), shopBase+"/review?kind=leaked&noted=1")
	b.want(409, b.as(ledger.Reviewer, shopBase+"/review", form), "It waits no longer")
	b.want(409, b.as(ledger.Reviewer, shopBase+"/review", waits("leaked", want[1], "approve", "It is fine"))) // what has left is not approved
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "Left without proof: The courier has it")

	// A form of the second page is answered there: with what is wrong with it, and with what it did.
	first := b.as(ledger.Reviewer, shopBase+"/review?kind=leaked", nil).Body.String()
	_, rest, _ := strings.Cut(first, `class="button" href="`+shopBase+`/review?kind=leaked&amp;after=`)
	second := shopBase + "/review?kind=leaked&after=" + rest[:strings.Index(rest, `"`)]
	last := waits("leaked", want[26], "acknowledge", "")
	page := b.as(ledger.Reviewer, second, nil)
	if n := len(b.forms(page, html.EscapeString(strings.TrimPrefix(second, shopBase)))); n != 1 {
		t.Fatalf("%d forms of the second page lead back to it, want 1", n)
	}
	b.want(422, b.as(ledger.Reviewer, second, last), "Write down why", `<details class="folded" open>`)
	last.Set("reason", "a\x00b c")
	stale := b.as(ledger.Reviewer, shopBase+"/review", last) // from a page made before it was known where it stands
	b.want(422, stale, "Nothing was done.", "Write it without control characters.", "not on this page of the list any more", "You wrote: <q>a")
	b.lacks(stale, `<details class="folded" open>`)
	last.Set("reason", "The courier has it")
	b.want(400, b.as(ledger.Reviewer, shopBase+"/review?after=1.late", last))
	b.wantGo(b.as(ledger.Reviewer, second, last), second+"&noted=1")
	b.want(200, b.as(ledger.Reviewer, second+"&noted=1", nil), "Acknowledged.", "You have reached the end of what waits")
}

func TestRequestPage(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) {
		p.Rules = []gate.Rule{{Name: "By API", Mode: gate.Enforce, Exempt: true, When: []gate.Condition{{Fact: gate.FactSource, Values: []string{"external"}}}}}
	})
	id := b.buy(shopHash)
	page := b.as(ledger.Reviewer, shopBase+"/request?order=%23"+num(id), nil)
	b.want(200, page, "Request a check of order "+num(id), "no mail server", "What is to be proved", "Awaiting Fulfillment")
	b.want(422, b.as(ledger.Reviewer, shopBase+"/request?order=999999", nil), "BigCommerce has no order with this number")
	b.want(422, b.as(ledger.Reviewer, shopBase+"/request?order=999%2C999", nil), "BigCommerce has no order with this number", `value="999,999"`)
	for _, text := range []string{"ten", "", "1.042", "1,04", ",042", "1,,042", "1042,", "1234,567", "-1,042"} {
		b.want(422, b.as(ledger.Reviewer, shopBase+"/request?order="+url.QueryEscape(text), nil), "Enter an order&#39;s number, digits only.")
	}
	path := shopBase + "/orders/" + num(id) + "/request"
	for _, tc := range []struct{ field, value, says string }{
		{"ial", "4", "Choose one of the choices"}, {"ial", "", "Choose one of the choices"}, {"max_age", "0", "Enter 1 or more"}, {"max_age", "1e3", "Enter a whole number"}, {"least_age", "121", "Enter 120 or less"},
		{"reason", "", "Write down why"}, {"reason", "a\x00b c", "without control characters"},
	} {
		form := url.Values{"ial": {"2"}, "selfie": {"on"}, "hold": {"on"}, "reason": {"Odd address"}}
		form.Set(tc.field, tc.value)
		b.want(422, b.as(ledger.Reviewer, path, form), tc.says, "Nothing was asked")
	}
	b.want(422, b.as(ledger.Reviewer, path, url.Values{"ial": {"0"}, "reason": {"Odd address"}}), "Ask for something")
	form := url.Values{"ial": {"2"}, "selfie": {"on"}, "hold": {"on"}, "reason": {"Odd address"}}
	b.wantGo(b.as(ledger.Reviewer, path, form), shopBase+"/orders/"+num(id)+"?check="+num(id))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, id); o.Hold != ledger.Held {
		t.Fatalf("%s", o.Hold)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders/"+num(id), nil), "reviewer@"+shopHash+".example requested a check", "Odd address", "does not ship before it is met", "Requested check")
	b.want(200, b.as(ledger.Reviewer, shopBase+"/request?order="+num(id), nil), "has asked for a check already")
	b.want(422, b.as(ledger.Reviewer, path+"/withdraw", url.Values{"reason": {""}}), "Write down why")
	b.wantGo(b.as(ledger.Manager, path+"/withdraw", url.Values{"reason": {"Never mind"}}), shopBase+"/orders/"+num(id)+"?unchecked="+num(id))
	b.want(409, b.as(ledger.Manager, path+"/withdraw", url.Values{"reason": {"Never mind"}}))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, id); o.Hold != ledger.Released {
		t.Fatalf("%s", o.Hold)
	}
	b.ok(b.world.Shop(shopHash).SetOrderStatus(id, 2, "somebody"))
	b.want(200, b.as(ledger.Reviewer, shopBase+"/request?order="+num(id), nil), "nothing can be held back any more")
	b.want(409, b.as(ledger.Reviewer, path, form), "nothing can be held back any more")
	unseen, err := b.world.Shop(shopHash).PlaceOrderByAPI(sim.APIOrder{Billing: sim.BillingOf(b.world.Shop(shopHash).Customers()[1]), Items: []sim.APIItem{{ProductID: b.world.Shop(shopHash).Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	b.want(200, b.as(ledger.Reviewer, shopBase+"/request?order="+num(unseen.ID), nil), "Request the check")
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/orders/"+num(unseen.ID)+"/request", form), fmt.Sprintf("%s/orders/%d?check=%d", shopBase, unseen.ID, unseen.ID))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, unseen.ID); o.Hold != ledger.Held {
		t.Errorf("%s", o.Hold)
	}
}

func TestErasePage(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	_, err := b.s.Relay.Reconcile(b.Context(), b.shop(shopHash))
	b.ok(err)
	shop := b.world.Shop(shopHash)
	c := shop.Customers()[0]
	b.prove(shopHash, c.ID, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: c.FirstName, Family: c.LastName})
	id := b.buy(shopHash)
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if len(shop.CustomerAttributes(c.ID)) != 5 || len(shop.Metafields("customer", c.ID)) != 1 {
		t.Fatalf("%v", shop.CustomerAttributes(c.ID))
	}
	erase, who := shopBase+"/erase", num(c.ID)
	b.want(200, b.as(ledger.Owner, shopBase+"/settings", nil), "Erase a person", "Export everything")
	b.lacks(b.as(ledger.Manager, shopBase+"/settings", nil), "Export everything")
	first := b.as(ledger.Owner, erase, url.Values{views.WhoField: {who}})
	b.want(200, first, "1 proof", "1 order&#39;s buyer", "Clear their blockid attributes", "Type the id or mailbox again")
	b.lacks(first, c.Email, c.LastName)
	b.want(422, b.as(ledger.Owner, erase, url.Values{views.WhoField: {who}, views.AgainField: {"8"}}), "not what stands above")
	if o := b.order(shopHash, id); o.Buyer.Mailbox == "" {
		t.Fatal("a look has erased")
	}
	done := b.as(ledger.Owner, erase, url.Values{views.WhoField: {who}, views.AgainField: {who}, views.ClearField: {"on"}})
	if done.Code != 303 || !strings.HasPrefix(done.Header().Get("Location"), erase+"?erased=") {
		t.Fatalf("%d %s", done.Code, done.Header().Get("Location"))
	}
	b.want(200, b.as(ledger.Owner, done.Header().Get("Location"), nil), "Erased lately", "a customer", "1 proof, ", "1 order, ")
	if o := b.order(shopHash, id); o.Buyer != (ledger.Buyer{}) || o.ErasedAt.IsZero() {
		t.Errorf("%+v", o)
	}
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if got := shop.CustomerAttributes(c.ID); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if got := shop.Metafields("customer", c.ID); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	if ws, err := b.s.Ledger.CustomerWritebacks(b.Context(), shopHash, c.ID); err != nil || len(ws) != 0 {
		t.Errorf("left: %+v, %v", ws, err)
	}
	lines, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 50)
	b.ok(err)
	for _, a := range lines {
		if strings.Contains(a.Subject+a.Detail, c.Email) {
			t.Errorf("the activity log names %+v", a)
		}
	}
	b.want(200, b.as(ledger.Owner, erase, url.Values{views.WhoField: {who}}), "Nothing is known here")

	guest := sim.BillingOf(shop.Customers()[1])
	guest.Email = "guest@example.com"
	o, err := shop.PlaceOrderByAPI(sim.APIOrder{Billing: guest, Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	b.look(shopHash, o.ID)
	mailbox := url.Values{views.WhoField: {"guest@example.com"}}
	b.want(200, b.as(ledger.Owner, erase, mailbox), "What there is of guests under guest@example.com", "1 order&#39;s buyer")
	mailbox.Set(views.AgainField, "Guest@example.com")
	b.wantGo(b.as(ledger.Owner, erase, mailbox), erase+"?erased="+num(lines[0].Seq+1))
	if o := b.order(shopHash, o.ID); o.Buyer != (ledger.Buyer{}) || o.Mailbox != "" || o.Hold != ledger.Held {
		t.Errorf("%+v", o)
	}
}

// TestErasePageInSlices: of a person of whom there is much the page says that it is under way, looks again by itself, and says when it is done.
func TestErasePageInSlices(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	mailbox := b.shop(shopHash).MailboxHash("ada@example.com")
	b.seed(120, ledger.Held, func(o *ledger.Order) { o.CustomerID, o.Mailbox = 4242, mailbox })
	erase := shopBase + "/erase"
	first := b.as(ledger.Owner, erase, url.Values{views.WhoField: {"4242"}})
	b.want(200, first, "There is more than is counted in one go.", "100 orders&#39; buyers")
	done := b.as(ledger.Owner, erase, url.Values{views.WhoField: {"4242"}, views.AgainField: {"4242"}})
	at := done.Header().Get("Location")
	if done.Code != 303 || !strings.HasPrefix(at, erase+"?erasing=") {
		t.Fatalf("%d %s", done.Code, at)
	}
	page := b.as(ledger.Owner, at, nil)
	b.want(200, page, "It has begun: the first ", "Being erased now", `data-refresh="3"`, `http-equiv="refresh"`, "a customer, since", "by owner@abc123.example", "100 orders")
	b.lacks(page, "4242", "done-title")
	b.settle(ledger.ErasureBell)
	page = b.as(ledger.Owner, erase, nil)
	b.want(200, page, "done-title", "120 orders")
	b.lacks(page, "Being erased now", "data-refresh", "4242")
	for id := range int64(120) {
		if o := b.order(shopHash, 1+id); o.CustomerID != 0 || o.ErasedAt.IsZero() || o.Hold != ledger.Held {
			t.Fatalf("%+v", o)
		}
	}
}

// TestErasedOnList: a person who was erased stays on the block list, unread, and can be taken off it.
func TestErasedOnList(t *testing.T) {
	b := newBench(t)
	for _, list := range []gate.Listing{gate.OnAllowList, gate.OnBlockList} {
		mailbox := string(list) + "@example.com"
		b.ok(b.s.Ledger.List(b.Context(), b.shop(shopHash), []ledger.Listed{{Mailbox: mailbox, List: list, Note: "a note about " + mailbox}}, b.clock()))
		b.as(ledger.Owner, shopBase+"/erase", url.Values{views.WhoField: {mailbox}, views.AgainField: {mailbox}})
	}
	b.want(200, b.as(ledger.Manager, shopBase+"/lists?list=allowed", nil), "Nobody is on this list")
	page := b.as(ledger.Manager, shopBase+"/lists?list=blocked", nil)
	b.want(200, page, "Erased person")
	b.lacks(page, "blocked@example.com")
	if on, err := b.s.Ledger.ListedAs(b.Context(), b.shop(shopHash), 0, b.shop(shopHash).MailboxHash("blocked@example.com")); err != nil || on.Mailbox != gate.OnBlockList {
		t.Errorf("%+v, %v", on, err)
	}
	form := b.forms(page, "/lists/remove")[0]
	b.wantGo(b.as(ledger.Manager, shopBase+"/lists/remove", form), shopBase+"/lists?list=blocked&unlisted=1")
	b.wantGo(b.as(ledger.Manager, shopBase+"/lists/remove", form), shopBase+"/lists?list=blocked&off_list=1")
	for _, hash := range []string{"x", strings.Repeat("g", 64), strings.Repeat("0", 63)} {
		b.want(404, b.as(ledger.Manager, shopBase+"/lists/remove", url.Values{"list": {"blocked"}, "hash": {hash}}))
	}
}

func TestExportEverything(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	c := b.world.Shop(shopHash).Customers()[0]
	b.prove(shopHash, c.ID, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: "Secretgiven", Family: "Secretfamily"})
	b.enforce(otherHash)
	id := b.hold(otherHash)
	foreign := b.order(otherHash, id)
	for range 3 {
		b.buy(shopHash)
	}
	held := b.order(shopHash, b.buy(shopHash))
	b.spent(shopHash, held.ID)
	b.ok(b.s.Ledger.List(b.Context(), b.shop(shopHash), []ledger.Listed{{CustomerID: 7, List: gate.OnBlockList, Note: "n"}}, b.clock()))
	w := b.as(ledger.Owner, shopBase+"/export.zip", nil)
	b.want(200, w)
	body := w.Body.Bytes()
	if ct, cd := w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition"); ct != "application/zip" || !strings.Contains(cd, "idgate-"+shopHash+"-2026-03-10.zip") {
		t.Errorf("%s, %s", ct, cd)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	b.ok(err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		b.ok(err)
		text, err := io.ReadAll(r)
		b.ok(err)
		files[f.Name] = string(text)
	}
	var m ledger.ExportManifest
	b.ok(json.Unmarshal([]byte(files["manifest.json"]), &m))
	for name, n := range m.Lines {
		lines := strings.Split(strings.TrimSuffix(files[name], "\n"), "\n")
		if files[name] == "" {
			lines = nil
		}
		if int64(len(lines)) != n {
			t.Errorf("%s has %d lines, the manifest says %d", name, len(lines), n)
		}
		for _, line := range lines {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", name, line)
			}
		}
		if !strings.Contains(files["README.txt"], name) {
			t.Errorf("README.txt does not say what %s is", name)
		}
	}
	for table, name := range map[string]string{"sessions": "sessions.jsonl", "proofs": "proofs.jsonl", "orders": "orders.jsonl", "decisions": "decisions.jsonl"} {
		least := map[string]int64{"sessions": 1, "proofs": 1, "orders": 4, "decisions": 4}[table]
		if m.Lines[name] < least {
			t.Errorf("%s has %d lines", name, m.Lines[name])
		}
	}
	if m.Lines["policies.jsonl"] != 1 || m.Lines["lists.jsonl"] != 1 || m.Lines["reviews.jsonl"] != 1 || m.Lines["settings.jsonl"] != 1 {
		t.Errorf("%v", m.Lines)
	}
	lines, head, err := ledger.VerifyActivity(shopHash, strings.NewReader(files["activity.jsonl"]))
	if err != nil || lines != m.Lines["activity.jsonl"] || head != m.ActivityHead {
		t.Errorf("%d lines, head %s, %v", lines, head, err)
	}
	whole := strings.Join(slices.Collect(func(yield func(string) bool) {
		for _, text := range files {
			if !yield(text) {
				return
			}
		}
	}), "\n")
	shop := b.shop(shopHash)
	for _, secret := range []string{shop.Token, shop.HookSecret, "Secretgiven", "Secretfamily", "capture.example", "/v/mail.", "mail.", `"order_id":` + num(foreign.ID) + `,"status_id":12,"customer_id":` + num(foreign.CustomerID) + `,"hold":"x`} {
		if secret != "" && strings.Contains(whole, secret) {
			t.Errorf("the export has %q", secret)
		}
	}
	if !strings.Contains(files["orders.jsonl"], held.Buyer.Mailbox) || !strings.Contains(files["decisions.jsonl"], `"receipt":"ey`) {
		t.Error("an order's buyer or a receipt is missing")
	}
}

// TestExportBreaksOff: whoever goes away gets no whole file, and the request ends.
func TestExportBreaksOff(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.buy(shopHash)
	r := httptest.NewRequest("GET", shopBase+"/export.zip", nil)
	r.Header.Set("Cookie", b.cookies[shopHash+" owner"])
	defer func() {
		if e := recover(); e != http.ErrAbortHandler {
			t.Errorf("%v", e)
		}
	}()
	b.h.ServeHTTP(&goneAway{header: http.Header{}}, r)
	t.Error("it ended as if nothing had happened")
}

// goneAway is a reader who takes a little and hangs up.
type goneAway struct {
	header http.Header
	took   int
}

func (g *goneAway) Header() http.Header { return g.header }
func (g *goneAway) WriteHeader(int)     {}
func (g *goneAway) Write(b []byte) (int, error) {
	if g.took += len(b); g.took > 100 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func FuzzParseReviewPlace(f *testing.F) {
	for _, text := range []string{"1.late.s", "1..", "-1.late.s", "1.late.", "9223372036854775807.moved.118", "1.late.\x00", "01.late.s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseReviewPlace(text)
		if err == nil && (reviewPlaceText(p) != text || p.Since.IsZero() || !plainSubject(p.Subject)) {
			t.Errorf("%q was read as %+v", text, p)
		}
	})
}
