package web

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
)

// TestPageReview looks at the queue, a requested check, what can be undone, and the erasure, as they are in a browser.
func TestPageReview(t *testing.T) {
	_, mails := withMail(t)
	b := newBench(t, mails)
	l := newLooker(b)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	l.page(shopHash, ledger.Reviewer, "/review", "review-none", "Nothing waits for a person", "Request a check")
	spent := b.hold(shopHash)
	b.spent(shopHash, spent)
	shipped := 2
	leak, err := shop.PlaceOrderByAPI(sim.APIOrder{StatusID: &shipped, Billing: sim.BillingOf(shop.Customers()[1]), Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	b.look(shopHash, leak.ID)
	c := shop.Customers()[2]
	b.ok(b.s.Ledger.List(b.Context(), b.shop(shopHash), []ledger.Listed{{Mailbox: c.Email, List: gate.OnBlockList, Note: "n"}}, b.clock()))
	blocked, err := shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}})
	b.ok(err)
	b.look(shopHash, blocked.ID)
	released, refused := b.hold(shopHash), b.hold(shopHash)
	for id, do := range map[int64]string{released: "release", refused: "refuse"} {
		b.wantGo(b.as(ledger.Reviewer, shopBase+"/orders/"+num(id)+"/"+do, url.Values{"reason": {"Called the customer"}}), shopBase+"/orders/"+num(id)+"?"+do+"d="+num(id))
	}
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	l.page(shopHash, ledger.Reviewer, "/review", "review-some", "No tries left", "Left without proof", "No proof would help", "Decided lately", "Undo…")
	l.page(shopHash, ledger.Viewer, "/review", "review-viewed", "can decide about what waits")
	l.page(shopHash, ledger.Reviewer, "/review?kind=late", "review-kind", "Nothing of this kind waits")
	l.page(shopHash, ledger.Reviewer, "/orders/"+num(released), "review-undo-release", "Take the release back")
	l.page(shopHash, ledger.Reviewer, "/orders/"+num(refused), "review-undo-refusal", "Take the refusal back")
	l.page(shopHash, ledger.Reviewer, "/request?order="+num(released), "review-request", "What is to be proved", "Hold the order until it is proved")
	l.page(shopHash, ledger.Owner, "/erase", "erase", "Erase a person", "What goes and what stays")
	l.page(shopHash, ledger.Owner, "/settings", "settings-data", "Export everything")
}

// TestPageTakesToWhatWasRefused: whoever leaves out a reason far down a page is shown the field and what is wrong with it, by htmx and without.
func TestPageTakesToWhatWasRefused(t *testing.T) {
	b := newBench(t)
	l := newLooker(b)
	b.enforce(shopHash)
	at := shopBase + "/orders/" + num(b.hold(shopHash))
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	l.cookie.Store(l.cookies[shopHash+" reviewer"])
	const press = `form[action$="/release"] button`
	for _, boosted := range []bool{true, false} {
		l.ok(chromedp.Do(ctx, chromedp.EmulateViewport(390, 500), chromedp.Navigate(l.site.URL+at), chromedp.WaitVisible(chromedp.CSS(press))))
		ask[bool](l, ctx, `window.sameDocument = true`)
		if boosted {
			l.ok(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(press))))
		} else {
			ask[bool](l, ctx, `(document.querySelector('form[action$="/release"]').submit(), true)`) // asks no listener
		}
		l.ok(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#release-reason[aria-invalid=true]"))))
		const seen = `(e => e === document.activeElement && e.getBoundingClientRect().top > 0 && e.getBoundingClientRect().bottom < innerHeight)(document.querySelector("#release-reason"))`
		for !ask[bool](l, ctx, seen) { // until the context ends
		}
		if same := ask[bool](l, ctx, `window.sameDocument === true`); same != boosted {
			t.Errorf("boosted %v, but the same document %v", boosted, same)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.said = slices.DeleteFunc(l.said, func(text string) bool { return strings.Contains(text, "status of 422") }); len(l.said) > 0 {
		t.Error(l.said)
	}
}
