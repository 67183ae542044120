package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	"idgate/views"
)

// cartInReview has a guest's cart wait for a person, and returns its Session's id.
func (b *bench) cartInReview() string {
	b.Helper()
	shop := b.world.Shop(shopHash)
	cart, billing := shop.NewCart(shop.Channels()[0].ID, 0), sim.BillingOf(shop.Customers()[0])
	_, err := shop.AddToCart(cart.ID, shop.Products()[0].ID, 1)
	b.ok(err)
	_, err = shop.SetCheckoutBilling(cart.ID, billing)
	b.ok(err)
	_, err = shop.SetCheckoutShipping(cart.ID, billing, shop.ShippingOptions()[0].ID)
	b.ok(err)
	a, err := b.s.Relay.DecideCart(b.Context(), relay.CartAsk{Shop: b.shop(shopHash), CartID: cart.ID})
	b.ok(err)
	n := ledger.Session{ID: ledger.NewSessionID(b.clock()), Provider: "1kosmos", CaptureURL: "https://capture.example/", Deadline: b.clock().Add(time.Hour), PollAt: b.clock()}
	n.Ref = n.ID
	b.ok(b.s.Ledger.StartSession(b.Context(), b.shop(shopHash), *a.Capability, n, b.clock()))
	ns, err := b.s.Ledger.LeaseSessions(b.Context(), shopHash, b.clock(), b.clock().Add(time.Minute), 1)
	b.ok(err)
	moved, err := b.s.Ledger.MoveSession(b.Context(), b.shop(shopHash), ns[0], ledger.Move{State: idv.StateReview, Deadline: b.clock().Add(24 * time.Hour), PollAt: b.clock().Add(time.Hour)}, b.clock())
	if err != nil || !moved {
		b.Fatal(moved, err)
	}
	return n.ID
}

// outage has BigCommerce answer nothing but the fault, for as long as the clock stands still; 0 ends it.
func (b *bench) outage(f sim.Fault) { b.world.Shop(shopHash).Outage(f, b.clock().Add(time.Hour)) }

// TestOutage: while BigCommerce does not answer, whoever has typed a reason reads so, keeps the reason, and can send it again afterwards.
func TestOutage(t *testing.T) {
	_, mails := withMail(t)
	b := newBench(t, mails)
	var log bytes.Buffer
	b.s.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.enforce(shopHash)
	undone := b.hold(shopHash)
	b.wantGo(b.as(ledger.Reviewer, shopBase+"/orders/"+num(undone)+"/release", url.Values{"reason": {"Called her"}}), shopBase+"/orders/"+num(undone)+"?released="+num(undone))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	asked := b.buy(shopHash)
	unseen, err := b.world.Shop(shopHash).PlaceOrderByAPI(sim.APIOrder{Billing: sim.BillingOf(b.world.Shop(shopHash).Customers()[1]), Items: []sim.APIItem{{ProductID: b.world.Shop(shopHash).Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	n := b.cartInReview()
	check := url.Values{"ial": {"2"}, "selfie": {"on"}, "reason": {"Odd & kept"}}
	forms := []struct {
		name, path string
		form       url.Values
		kept       string
		has        []string
		then       string // where it goes once BigCommerce answers
	}{
		{"a cart is approved", "/review", waits("in_review", n, "approve", "Odd & kept"), ">Odd &amp; kept</textarea>", []string{`<details class="folded" open>`}, "/review?cart_yes=1"},
		{"a cart is refused", "/review", waits("in_review", n, "refuse", "Odd & kept"), ">Odd &amp; kept</textarea>", []string{`<details class="folded" open>`}, ""},
		{"a cart's buyer is asked again", "/review", waits("in_review", n, "ask", "Odd & kept"), ">Odd &amp; kept</textarea>", []string{`<details class="folded" open>`}, ""},
		{"a release is undone", "/orders/" + num(undone) + "/undo", url.Values{"reason": {"Odd & kept"}}, ">Odd &amp; kept</textarea>", []string{"Take the release back"}, "/orders/" + num(undone) + "?reheld=" + num(undone)},
		{"a check of a known order", "/orders/" + num(asked) + "/request", check, ">Odd &amp; kept</textarea>", []string{"No check was requested.", "Customer", "Request the check"}, "/orders/" + num(asked) + "?check=" + num(asked)},
		{"a check of an unseen order", "/orders/" + num(unseen.ID) + "/request", check, ">Odd &amp; kept</textarea>", []string{"No check was requested.", "shown once BigCommerce answers"}, "/orders/" + num(unseen.ID) + "?check=" + num(unseen.ID)},
		{"a check with a mistake", "/orders/" + num(asked) + "/request", url.Values{"ial": {"9"}, "reason": {"Odd & kept"}}, ">Odd &amp; kept</textarea>", []string{"Choose one of the choices."}, ""},
		{"an order to be looked at", "/request?order=" + num(unseen.ID), nil, `value="` + num(unseen.ID) + `"`, nil, ""},
	}
	for _, fault := range []struct {
		sim.Fault
		status int
		says   string
	}{
		{sim.Unavailable, 503, "BigCommerce does not answer just now. Nothing was changed. Try again in a minute."},
		{sim.ServerError, 503, "BigCommerce does not answer just now. Nothing was changed. Try again in a minute."},
		{sim.Cut, 503, "BigCommerce does not answer just now."},
		{sim.TooMany, 503, "BigCommerce limits how often the shop&#39;s apps may call it, and that is used up. Nothing was changed. Try again in a minute."},
		{sim.TooManyBare, 503, "BigCommerce limits how often"},
		{sim.LegacyLimit, 503, "BigCommerce limits how often"},
	} {
		b.outage(fault.Fault)
		for _, f := range forms {
			page := b.as(ledger.Reviewer, shopBase+f.path, f.form)
			if b.want(fault.status, page, append(f.has, fault.says, f.kept)...); t.Failed() {
				t.Fatalf("%s during %s", f.name, fault.Fault)
			}
		}
	}
	if said := log.String(); strings.Contains(said, "level=ERROR") || !strings.Contains(said, "level=WARN") || !strings.Contains(said, "code=bigcommerce_down") {
		t.Errorf("logged as ours, or not at all: %s", said)
	}
	b.outage(0)
	for _, f := range forms {
		if f.then != "" {
			b.wantGo(b.as(ledger.Reviewer, shopBase+f.path, f.form), shopBase+f.then)
		}
	}
	b.want(422, b.as(ledger.Reviewer, shopBase+"/orders/999999/request", check), "BigCommerce has no order with this number", `value="999999"`)
}

// TestOutageOfErasure: what is to be cleared in the shop as well is not erased here while nobody knows whether it is there.
func TestOutageOfErasure(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	o := b.order(shopHash, b.buy(shopHash))
	who := num(o.CustomerID)
	b.outage(sim.Unavailable)
	b.want(503, b.as(ledger.Owner, shopBase+"/erase", url.Values{views.WhoField: {who}, views.AgainField: {who}, views.ClearField: {"on"}}),
		"BigCommerce cannot be reached", "Nothing was changed.", "Try again in a minute.")
	if b.order(shopHash, o.ID).Buyer.Mailbox == "" {
		t.Error("it was erased")
	}
}

// TestClassifyBigCommerce: whose trouble it is, and what a person and a shopper read of it.
func TestClassifyBigCommerce(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	app := &bigcommerce.App{Endpoints: bigcommerce.Endpoints{API: "http://127.0.0.1:9"}}
	_, silent := app.Store(shopHash, "token").Order(late, 1)
	gone, goAway := context.WithCancel(t.Context())
	goAway()
	_, left := app.Store(shopHash, "token").Order(gone, 1)
	for _, tc := range []struct {
		err     error
		status  int
		code    string
		passes  bool
		shopper string
	}{
		{silent, 503, "bigcommerce_down", true, "busy"},
		{&bigcommerce.Error{Status: 500}, 503, "bigcommerce_down", true, "busy"},
		{&bigcommerce.Error{Status: 503}, 503, "bigcommerce_down", true, "busy"},
		{&bigcommerce.Error{Status: 408}, 503, "bigcommerce_down", true, "busy"},
		{&bigcommerce.Error{Status: 429}, 503, "bigcommerce_busy", true, "busy"},
		{&bigcommerce.Error{Status: 509}, 503, "bigcommerce_busy", true, "busy"},
		{&bigcommerce.Error{Status: 401}, 409, "suspended", true, "busy"},
		{&bigcommerce.Error{Status: 403}, 409, "scope_missing", true, "busy"},
		{&bigcommerce.Error{Status: 422}, 502, "bigcommerce_odd", false, "busy"},
		{&bigcommerce.Error{Status: 200}, 502, "bigcommerce_odd", false, "busy"},
		{&bigcommerce.Error{Status: 404}, 404, "not_found", false, "not_found"},
		{bigcommerce.ErrNotFound, 404, "not_found", false, "not_found"},
		{left, statusClientGone, "client_gone", false, "client_gone"},
		{refuse(422, "document", "no such document").because(&bigcommerce.Error{Status: 503}), 422, "document", false, "document"},
	} {
		err := fmt.Errorf("fetching an order: %w", tc.err)
		if p := classify(err); p.status != tc.status || p.code != tc.code || p.passes != tc.passes || p.cause == nil {
			t.Errorf("%v: %d %s, %t, want %d %s, %t", tc.err, p.status, p.code, p.passes, tc.status, tc.code, tc.passes)
		}
		p := toShopper(err)
		if p.code != tc.shopper || p.code == "busy" && (p.status != http.StatusServiceUnavailable || p.message != "BigCommerce cannot be asked right now") || p.passes != tc.passes {
			t.Errorf("%v: a shopper reads %d %s %q", tc.err, p.status, p.code, p.message)
		}
	}
	if outside(nil) != nil || outside(ledger.ErrBusy) != nil {
		t.Error("it was none of BigCommerce's")
	}
}
