package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
)

func TestReleaseAndRefuse(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.hold(shopHash)
	path := shopBase + "/orders/" + strconv.FormatInt(id, 10)
	page := b.as(ledger.Reviewer, path, nil)
	b.want(200, page, "Held", "Nobody has proved who placed this order.", "https://idgate.example/v/mail.", "Release by hand", "Every checkout", "IAL 2",
		"The shopper completes the verification link.", "Receipt of the decision", "idgate receipt verify", "Awaiting Fulfillment", "Tue 10 Mar 2026")
	b.lacks(b.as(ledger.Viewer, path, nil), "/v/mail.", "Release by hand", "Refuse order")

	for reason, text := range map[string]string{"": "Write down why.", "no": "Write down why.", strings.Repeat("x", 501): "Write at most 500 characters.",
		"bell\a\a\a": "without control characters"} {
		b.want(422, b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {reason}}), text)
		b.want(422, b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {reason}}), text)
	}
	b.wantGo(b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {"Called her;\r\nit is <fine>"}}), path+"?released="+strconv.FormatInt(id, 10))
	b.want(409, b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {"once more"}}), "has moved on")
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	o, err := b.world.Shop(shopHash).Order(id)
	b.ok(err)
	if o.StatusID != 11 || !strings.Contains(o.StaffNotes, "released by reviewer@abc123.example: Called her; it is <fine>") {
		t.Errorf("BigCommerce has status %d, notes %q", o.StatusID, o.StaffNotes)
	}
	page = b.as(ledger.Viewer, path+"?released="+strconv.FormatInt(id, 10), nil)
	b.want(200, page, "Released", "reviewer@abc123.example let the order go by hand.", "Called her; it is &lt;fine&gt;", "is being released", "Every checkout")
	b.lacks(page, "/v/mail.")
	b.want(409, b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {"too late"}}), "has moved on")

	id = b.hold(shopHash)
	path = shopBase + "/orders/" + strconv.FormatInt(id, 10)
	b.wantGo(b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {"Stolen card"}}), path+"?refused="+strconv.FormatInt(id, 10))
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	if o, err = b.world.Shop(shopHash).Order(id); err != nil || o.StatusID != 12 {
		t.Errorf("a refused order has status %d (%v), want 12", o.StatusID, err)
	}
	b.want(200, b.as(ledger.Viewer, path, nil), "Refused", "Stolen card", "reviewer@abc123.example refused the order by hand.")
	b.want(409, b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {"once more"}}), "has moved on")
	b.wantGo(b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {"changed my mind"}}), path+"?released="+strconv.FormatInt(id, 10))
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	if o, err = b.world.Shop(shopHash).Order(id); err != nil || o.StatusID != 11 {
		t.Errorf("a refusal taken back leaves status %d (%v), want 11", o.StatusID, err)
	}

	b.wantOneWins(b.hold(shopHash))
}

// wantOneWins: of several people who decide about one order at the same moment, one does; a release may still take back a refusal that
// came before it, and nothing comes after a release.
func (b *bench) wantOneWins(id int64) {
	b.Helper()
	path := shopBase + "/orders/" + strconv.FormatInt(id, 10)
	won, lost := map[string]int{}, 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			what := []string{"/release", "/refuse"}[i%2]
			w := b.as(ledger.Reviewer, path+what, url.Values{"reason": {"at the same moment"}})
			mu.Lock()
			defer mu.Unlock()
			switch w.Code {
			case 303:
				won[what]++
			case 409:
				lost++
			}
		})
	}
	wg.Wait()
	total := won["/release"] + won["/refuse"]
	if won["/release"] > 1 || won["/refuse"] > 1 || total < 1 || total+lost != 8 {
		b.Errorf("won %v, lost %d of 8", won, lost)
	}
}

// TestHolding: an order on its way to the hold status can be refused, which does not keep it from getting there, and let go.
func TestHolding(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	id := b.buy(shopHash)
	path := shopBase + "/orders/" + strconv.FormatInt(id, 10)
	b.want(200, b.as(ledger.Reviewer, path, nil), "Being held", "Release by hand", "Refuse order")
	b.wantGo(b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {"Stolen card"}}), path+"?refused="+strconv.FormatInt(id, 10))
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	if o, err := b.world.Shop(shopHash).Order(id); err != nil || o.StatusID != 12 {
		t.Errorf("refused on its way to the hold, it has status %d (%v), want 12", o.StatusID, err)
	}
	b.wantGo(b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {"It is fine"}}), path+"?released="+strconv.FormatInt(id, 10))
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	o, err := b.world.Shop(shopHash).Order(id)
	b.ok(err)
	known, err := b.s.Ledger.Order(b.Context(), b.shop(shopHash), id)
	b.ok(err)
	if o.StatusID != 11 || known.Hold != ledger.Released {
		t.Errorf("status %d, hold %s, want 11 and released", o.StatusID, known.Hold)
	}
}

var (
	orderHref = regexp.MustCompile(`href="` + shopBase + `/orders/([0-9]+)"`)
	olderHref = regexp.MustCompile(`href="([^"]+)" rel="next"`)
)

// follow reads every page from path on and returns what re finds on them, page by page.
func (b *bench) follow(path string, re *regexp.Regexp) (pages [][]string) {
	b.Helper()
	for range 50 {
		w := b.as(ledger.Viewer, path, nil)
		b.want(200, w)
		var found []string
		for _, m := range re.FindAllStringSubmatch(w.Body.String(), -1) {
			found = append(found, m[1])
		}
		pages = append(pages, found)
		next := olderHref.FindStringSubmatch(w.Body.String())
		if next == nil {
			return pages
		}
		path = strings.ReplaceAll(next[1], "&amp;", "&")
	}
	b.Fatal("the pages do not end")
	return nil
}

func TestOrdersAndDecisionsPages(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	const n = pageLength + 5
	var ids []string
	for range n {
		ids = append([]string{strconv.FormatInt(b.buy(shopHash), 10)}, ids...)
		b.wait(time.Second)
	}
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	for _, path := range []string{"/orders", "/orders?filter=held"} {
		pages := b.follow(shopBase+path, orderHref)
		if len(pages) != 2 || len(pages[0]) != pageLength || strings.Join(append(pages[0], pages[1]...), " ") != strings.Join(ids, " ") {
			t.Errorf("%s: %v, want %v in pages of %d", path, pages, ids, pageLength)
		}
	}
	holding := strconv.FormatInt(b.buy(shopHash), 10)
	if first := b.follow(shopBase+"/orders?filter=held", orderHref)[0][0]; first != holding {
		t.Errorf("the first held order is %s, want %s, which is on its way there", first, holding)
	}
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	ids = append([]string{holding}, ids...)
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?filter=allowed", nil), "No order has been allowed yet")
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?filter=leaks", nil), "No leaks")
	b.wantGo(b.as(ledger.Viewer, shopBase+"/orders?q=%23"+ids[3]+"+", nil), shopBase+"/orders/"+ids[3])
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?q=99999", nil), "Nothing found for “99999”")

	for stage, badge := range map[string]string{"": "Hold", "order": "Held"} {
		path := shopBase + "/verifications/decisions?stage=" + stage
		pages := b.follow(path, orderHref)
		var all []string
		for _, p := range pages {
			all = append(all, p...)
		}
		if strings.Join(all, " ") != strings.Join(ids, " ") {
			t.Errorf("decisions of stage %q: %v, want %v", stage, pages, ids)
		}
		b.want(200, b.as(ledger.Viewer, path, nil), badge, "Nobody has proved who placed this order.")
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications/decisions?stage=checkout", nil), "Nothing of this kind yet")
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications", nil), "No verifications yet")
	overview := b.as(ledger.Viewer, shopBase+"/overview", nil)
	b.want(200, overview, fmt.Sprintf("%d orders on hold wait for a proof or a person", n+1), plural(n+1)+"</span>", "Enforcing", "1Kosmos is not connected")

	b.wantGo(b.as(ledger.Reviewer, shopBase+"/orders/"+ids[0]+"/release", url.Values{"reason": {"It is fine"}}), shopBase+"/orders/"+ids[0]+"?released="+ids[0])
	b.settle(ledger.WritebackBell, ledger.OrderBell)
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications/decisions?stage=order", nil), "Released", "It is fine")
	if pages := b.follow(shopBase+"/orders?filter=allowed", orderHref); len(pages) != 1 || strings.Join(pages[0], " ") != ids[0] {
		t.Errorf("allowed: %v, want %s", pages, ids[0])
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 order</span>", fmt.Sprintf("%d orders on hold wait for a proof or a person", n))
}

// TestListsOfOneMoment: Decisions and Sessions of one millisecond and of several are each listed once, in one order, whatever the page.
func TestListsOfOneMoment(t *testing.T) {
	b := newBench(t)
	shop := b.shop(shopHash)
	var carts []string
	for i := range 40 {
		cart := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		carts = append(carts, cart)
		n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: cart}, Policy: int64(i + 1), MadeBy: ledger.ByRule,
			Decision: gate.Decision{Outcome: gate.Verify, Mode: gate.Shadow, Reasons: []gate.Reason{{Code: gate.NoProof}}}}
		c := ledger.Capability{Shop: shopHash, Purpose: ledger.ForCart, CartID: cart, ExpiresAt: b.clock().Add(time.Hour)}
		_, err := b.s.Ledger.RecordCartDecision(b.Context(), shop, n, &c, b.clock())
		b.ok(err)
		b.ok(b.s.Ledger.StartSession(b.Context(), shop, c, ledger.Session{ID: ledger.NewSessionID(b.clock()), Provider: "1kosmos", Ref: cart,
			Deadline: b.clock().Add(time.Hour), PollAt: b.clock().Add(time.Hour)}, b.clock()))
		if i%5 == 4 { // five of each in one millisecond
			b.wait(time.Millisecond)
		}
	}
	other := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: carts[0]}, Policy: 999, MadeBy: ledger.ByRule,
		Decision: gate.Decision{Outcome: gate.Refuse, Mode: gate.Enforce}}
	_, err := b.s.Ledger.RecordCartDecision(b.Context(), b.shop(otherHash), other, nil, b.clock())
	b.ok(err)
	for path, want := range map[string]struct {
		line *regexp.Regexp
		n    int
	}{
		"/verifications/decisions":                {regexp.MustCompile(`(policy version [0-9]+)<`), 40},
		"/verifications/decisions?stage=checkout": {regexp.MustCompile(`(policy version [0-9]+)<`), 40},
		"/verifications/decisions?stage=order":    {regexp.MustCompile(`(policy version [0-9]+)<`), 0},
		"/verifications":                          {regexp.MustCompile(shopBase + `/verifications/([0-9a-f-]{36})"`), 40},
	} {
		seen := map[string]int{}
		pages := b.follow(shopBase+path, want.line)
		for i, p := range pages {
			if i < len(pages)-1 && len(p) != pageLength {
				t.Errorf("%s: page %d has %d lines, want %d", path, i, len(p), pageLength)
			}
			for _, text := range p {
				seen[text]++
			}
		}
		if len(seen) != want.n || seen["policy version 999"] > 0 {
			t.Errorf("%s: %d lines, want %d: %v", path, len(seen), want.n, seen)
		}
		for text, n := range seen {
			if n != 1 {
				t.Errorf("%s: %s is listed %d times", path, text, n)
			}
		}
	}
	entries, _, err := b.s.stream(b.Context(), shop, allKinds, ledger.Cursor{}, 50)
	b.ok(err)
	kinds := map[string]int{}
	for _, e := range entries {
		kinds[e.Kind]++
	}
	if len(entries) != 50 || kinds["session"] != 25 || kinds["decision"] != 25 { // five of each in every millisecond
		t.Errorf("the newest %d: %v", len(entries), kinds)
	}
}

func plural(n int) string {
	if n == 1 {
		return "1 order"
	}
	return strconv.Itoa(n) + " orders"
}

// TestLeak: an order that went out before it was seen is listed, alarmed and explained, and nobody can release it.
func TestLeak(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	c, shipped := shop.Customers()[0], 2
	o, err := shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}, StatusID: &shipped})
	b.ok(err)
	b.ok(b.s.Ledger.DueOrder(b.Context(), shopHash, o.ID, b.clock()))
	b.settle(ledger.OrderBell)
	id := strconv.FormatInt(o.ID, 10)
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders/"+id, nil), "left without proof", "Leak")
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?filter=leaks", nil), "/orders/"+id)
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications/decisions?stage=order", nil), "Leak")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "1 order shipped without proof in the last 30 days")
	b.want(409, b.as(ledger.Owner, shopBase+"/orders/"+id+"/release", url.Values{"reason": {"It is gone"}}))
}
