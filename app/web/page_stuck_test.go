package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	"idgate/app/sim/mailbox"
)

// TestPageStuck makes everything that can get stuck or go wrong, and looks at what a merchant sees of it.
func TestPageStuck(t *testing.T) {
	box, mails := withMail(t)
	b := newBench(t, mails, loopback)
	l := newLooker(b)
	w := stuckWorld{b, b.world.Shop(shopHash), box, map[string]int64{}}
	w.begin()
	w.endpoints()
	w.overDays()
	w.movedAround()
	w.refusedByOthers()
	w.theHouse()

	for _, p := range []struct {
		name, order string
		texts       []string
	}{
		{"cancelled", "cancelled", []string{"idgate cancelled it", "No money was given back", "Last call", "Order cancelled"}},
		{"kept", "kept", []string{"not to be cancelled", "Let it be cancelled after all"}},
		{"last-call", "called", []string{"It will be cancelled on", "The last call was made on", "Keep this order", "Verification link"}},
		{"cancelling", "cancelling", []string{"Being cancelled", "does not get on", "Keep this order"}},
		{"held", "held", []string{"is on our hold", "Release by hand", "It will be cancelled on", "The last call goes out on"}},
		{"held-again", "heldAgain", []string{"put it on hold once more", "BigCommerce does not say who it was", "Held again"}},
		{"moved", "moved", []string{"Moved by hand", "BigCommerce does not say who it was", "Alarm: moved by hand"}},
		{"moved-back", "movedBack", []string{"put it back", "idgate will not release it"}},
		{"leaked", "leaked", []string{"left without proof", "Alarm: leak"}},
		{"digital", "digital", []string{"Nothing of this order ships", "only the checkout gate can"}},
		{"stuck-hold", "stuckHold", []string{"a permission (scope) is missing", "Try again", "Stuck"}},
		{"stuck-mail", "stuckMail", []string{"The mail was refused", "Send again", "is stuck and needs a person"}},
		{"revoked", "revoked", []string{"Proof used before", "Revoked", "Stolen document"}},
		{"erased", "erased", []string{"Erased", "Buyer erased"}},
	} {
		l.page(shopHash, ledger.Manager, fmt.Sprintf("/orders/%d", w.orders[p.order]), "stuck-order-"+p.name, p.texts...)
	}
	l.page(shopHash, ledger.Viewer, fmt.Sprintf("/orders/%d", w.orders["held"]), "stuck-order-viewed", "can release or refuse this order")
	for filter, order := range map[string]string{"all": "digital", "held": "held", "leaks": "leaked", "moved": "moved", "cancelled": "cancelled"} {
		l.page(shopHash, ledger.Reviewer, "/orders?filter="+filter, "stuck-orders-"+filter, fmt.Sprint(w.orders[order]), "Export this list (CSV)")
	}
	l.page(shopHash, ledger.Manager, "/overview", "stuck-overview", "orders shipped without proof", "moved off our hold by hand", "changes or mails are stuck", "webhook could not be handled",
		"The clock of this idgate is wrong", "Orders wait for BigCommerce's API quota", "The backup replica is behind")
	l.page(shopHash, ledger.Manager, "/health", "stuck-health", "Mail: Verification link", "Webhooks that could not be handled", "7 minutes ahead of BigCommerce's", "Waited in all", "3 hours",
		"Handle everything since then again", "Before you uninstall")
	l.page(shopHash, ledger.Viewer, "/health", "stuck-health-viewed", "can export the list")
	l.page(shopHash, ledger.Manager, "/policy", "stuck-policy", "Cancel orders that nobody proves after", "Remind them after", "Hold it once more", "Keep records for", "Other sources")
	l.page(shopHash, ledger.Manager, "/settings", "stuck-settings", "Who is told")
	l.page(shopHash, ledger.Manager, "/verifications/decisions?stage=order", "stuck-decisions", "Held")
	l.page(shopHash, ledger.Manager, "/webhooks", "stuck-webhooks", "Switched off: gone", "failed", "Add an endpoint")
	l.page(shopHash, ledger.Manager, "/webhooks/1", "stuck-webhook", "It answered 410 Gone", "Switch it on again", "order.held")
	l.page(shopHash, ledger.Manager, "/webhooks/2", "stuck-webhook-log", "Delivered", "order.cancelled", "order.leaked", "order.moved", "verification.passed")
	l.page(shopHash, ledger.Manager, "/webhooks/2/deliveries/2", "stuck-webhook-delivery", "order.held", "thank you", "Send again")
	for _, path := range []string{"overview", "health", "policy", "settings", "orders", fmt.Sprintf("orders/%d", w.orders["other"])} {
		name := path
		if path != "orders" && len(path) > 6 && path[:6] == "orders" {
			name = "order"
		}
		l.page(otherHash, ledger.Owner, "/"+path, "suspended-"+name, "BigCommerce refuses our token since", "install idgate again")
	}
}

// stuckWorld is a Shop in which nothing goes well.
type stuckWorld struct {
	*bench
	shop   *sim.Shop
	box    *mailbox.Box
	orders map[string]int64
}

func (w stuckWorld) begin() {
	w.Helper()
	w.enforce(shopHash, func(p *gate.Policy) { p.CancelAfter = 7 })
	w.enforce(otherHash)
	w.settings(ledger.Settings{AlarmTo: "orders@larkspur.example"})
	_, err := w.s.Relay.Reconcile(w.Context(), w.bench.shop(shopHash))
	w.ok(err)
}

// endpoints adds two endpoints of the merchant's: one that wants no more, and one that takes everything.
func (w stuckWorld) endpoints() {
	w.Helper()
	for i, answer := range []int{http.StatusGone, http.StatusOK} {
		erp := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(answer)
			_, _ = io.WriteString(rw, "thank you")
		}))
		w.Cleanup(erp.Close)
		_, err := w.s.Ledger.AddEndpoint(w.Context(), w.bench.shop(shopHash), ledger.NewEndpoint{URL: erp.URL, Types: ledger.EventTypes(), Note: []string{"Old ERP", "Warehouse"}[i]}, w.clock())
		w.ok(err)
	}
}

// place has a customer order something; name is what the test calls the order.
func (w stuckWorld) place(name string, customer int, change func(*sim.APIOrder)) int64 {
	w.Helper()
	c := w.shop.Customers()[customer]
	a := sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: w.shop.Products()[0].ID, Quantity: 1}}}
	if change != nil {
		change(&a)
	}
	o, err := w.shop.PlaceOrderByAPI(a)
	w.ok(err)
	w.notice(shopHash, "store/order/created", fmt.Sprint(o.ID))
	w.settle(ledger.NoticeBell)
	w.look(shopHash, o.ID) // and once more, for what follows from being on hold
	w.look(shopHash, o.ID)
	w.orders[name] = o.ID
	return o.ID
}

// overDays lets a week go by, in which nobody proves anything.
func (w stuckWorld) overDays() {
	w.Helper()
	w.place("cancelled", 0, nil)
	cancelling := w.place("cancelling", 1, nil)
	kept := w.place("kept", 2, nil)
	w.wantGo(w.as(ledger.Reviewer, fmt.Sprintf("%s/orders/%d/keep", shopBase, kept), url.Values{"reason": {"She is on holiday"}}), fmt.Sprintf("%s/orders/%d?kept=%d", shopBase, kept, kept))
	w.days(1)
	w.place("called", 3, nil)
	w.days(5)
	w.shop.FailNext(sim.FailRule{Fault: sim.ServerError, Method: "PUT", Path: fmt.Sprintf("/v2/orders/%d", cancelling), Times: 1000})
	w.days(1)
}

// movedAround has staff of the Shop change what idgate has done.
func (w stuckWorld) movedAround() {
	w.Helper()
	move := func(id int64, status int) {
		w.wait(time.Minute)
		w.ok(w.shop.SetOrderStatus(id, status, "somebody"))
		w.look(shopHash, id)
	}
	w.place("held", 0, nil)
	move(w.place("heldAgain", 1, nil), 11)
	move(w.place("moved", 2, nil), 2)
	back := w.place("movedBack", 3, nil)
	w.wait(time.Minute)
	w.ok(w.s.Ledger.TouchOrder(w.Context(), shopHash, back, 12, 11, w.clock()))
	w.look(shopHash, back)
	shipped := 2
	w.place("leaked", 0, func(a *sim.APIOrder) { a.StatusID = &shipped })
	book := w.shop.AddProduct(sim.Product{Name: "E-book", SKU: "EBOOK", Price: w.shop.Products()[0].Price, Digital: true})
	w.place("digital", 1, func(a *sim.APIOrder) { a.Items = []sim.APIItem{{ProductID: book.ID, Quantity: 1}} })
	c := w.shop.Customers()[4]
	w.prove(shopHash, c.ID, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: c.FirstName, Family: c.LastName})
	id := w.place("revoked", 4, nil)
	form := w.forms(w.as(ledger.Manager, fmt.Sprintf("%s/orders/%d", shopBase, id), nil), fmt.Sprintf("/orders/%d/revoke", id))[0]
	form.Set("reason", "Stolen document")
	w.wantGo(w.as(ledger.Manager, fmt.Sprintf("%s/orders/%d/revoke", shopBase, id), form), fmt.Sprintf("%s/orders/%d?revoked=%d", shopBase, id, id))
	w.look(shopHash, id)
	_, err := w.shop.CreateCustomer(sim.Customer{FirstName: "Erin", LastName: "Gone", Email: "erin@example.com"})
	w.ok(err)
	w.place("erased", 5, nil)
	w.ok(w.s.Ledger.EraseCustomer(w.Context(), shopHash, w.shop.Customers()[5].ID, w.clock()))
}

// refusedByOthers has BigCommerce and the mail server refuse what is asked of them.
func (w stuckWorld) refusedByOthers() {
	w.Helper()
	token := w.bench.shop(shopHash).Token
	w.ok(w.shop.SetTokenScopes(token, "store_v2_orders_read_only", "store_v2_information_read_only"))
	w.place("stuckHold", 0, nil)
	w.ok(w.shop.SetTokenScopes(token, sim.DefaultScopes...))
	w.box.Refuse(w.shop.Customers()[1].Email, 550)
	w.place("stuckMail", 1, nil)
	w.notice(shopHash, "store/order/statusUpdated", "none")
	w.settle(ledger.NoticeBell)
}

// theHouse puts the clock wrong, uses up the quota, leaves the replica behind, and has the other Shop's token refused.
func (w stuckWorld) theHouse() {
	w.Helper()
	w.orders["other"] = w.hold(otherHash)
	w.skew(7 * time.Minute)
	w.place("late", 2, nil)
	w.spend()
	w.wait(2 * time.Minute)
	w.s.Replica = func() ledger.ReplicaStatus {
		return ledger.ReplicaStatus{Configured: true, Target: "s3://backups/idgate", LastSync: w.clock().Add(-3 * time.Hour), LastError: "access denied"}
	}
	w.settle(ledger.EventBell)
	w.ok(w.s.Ledger.SuspendShop(w.Context(), w.bench.shop(otherHash), w.clock(), w.clock().Add(time.Hour)))
	w.signInAll(shopHash)
	w.signInAll(otherHash)
}
