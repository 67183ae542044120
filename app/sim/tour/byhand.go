package tour

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// byHand is step 8.
func (t *tour) byHand(ctx context.Context) error {
	if err := t.forged(ctx); err != nil {
		return fmt.Errorf("a forged result: %w", err)
	}
	number, err := t.byToolbar(ctx)
	if err != nil {
		return fmt.Errorf("an order by the storefront's toolbar: %w", err)
	}
	t.held = append(t.held, number)
	const good, bad = "Called the shopper: all is well", "The card was reported as stolen"
	if err := t.decide(ctx, t.held[0], "release", good); err != nil {
		return fmt.Errorf("releasing order %d: %w", t.held[0], err)
	}
	if _, err := t.orderBecomes(ctx, t.held[0], awaitingFulfillment, good); err != nil {
		return err
	}
	if err := t.decide(ctx, t.held[1], "refuse", bad); err != nil {
		return fmt.Errorf("refusing order %d: %w", t.held[1], err)
	}
	if _, err := t.orderBecomes(ctx, t.held[1], manualVerification, bad); err != nil {
		return err
	}
	t.say("merchant", "releases order %d (“%s”) and refuses order %d (“%s”); without a reason neither is done", t.held[0], good, t.held[1], bad)
	return t.records(ctx, good, bad)
}

// byToolbar is the simulator's button on the storefront: the session's own cart, ordered round the page's script.
func (t *tour) byToolbar(ctx context.Context) (int64, error) {
	c, err := t.goToCheckout(ctx, t.newBrowser(), cheap, guest("Max", "Thale", "max@example.net"))
	if err != nil {
		return 0, err
	}
	if _, err := t.loadScript(ctx, c.page); err != nil { // it is back, now that nothing blocks it
		return 0, err
	}
	if _, err := c.page.find("the simulator's button", id("demo-place-api-order")); err != nil {
		return 0, err
	}
	var placed struct {
		OrderID int64 `json:"order_id"`
	}
	if _, err := c.page.browser.call(ctx, c.page, http.MethodPost, "/sf/demo/place-api-order", struct{}{}, &placed); err != nil {
		return 0, err
	}
	if _, err := t.orderBecomes(ctx, placed.OrderID, manualVerification, "idgate: on hold"); err != nil {
		return 0, err
	}
	_, _, err = t.heldInApp(ctx, placed.OrderID)
	return placed.OrderID, err
}

// decide releases or refuses a held order by hand: first without a reason, which is refused beside the field, then with one.
func (t *tour) decide(ctx context.Context, number int64, what, reason string) error {
	path := fmt.Sprintf("/orders/%d", number)
	action := "/s/" + t.shop + path + "/" + what
	var f *form
	_, err := t.until(ctx, "the form to "+what, func(ctx context.Context) (bool, string, error) { // an order can be refused once its hold is confirmed
		p, err := t.admin(ctx, path)
		if err != nil || one(p.doc, has("action", action)) == nil {
			return false, "a page without it", err
		}
		f, err = p.form("to "+what, has("action", action))
		return true, "", err
	})
	if err != nil {
		return err
	}
	before, err := t.order(ctx, number)
	if err != nil {
		return err
	}
	p, err := f.submit(ctx)
	if err != nil {
		return err
	}
	if why := text(one(p.doc, id(what+"-reason-error"))); p.status != http.StatusUnprocessableEntity || why == "" {
		return differs("an empty reason", "422 and a word beside the field", fmt.Sprintf("%d %s", p.status, clip(p.text())))
	}
	after, err := t.order(ctx, number)
	switch {
	case err != nil:
		return err
	case after.status != before.status || after.notes != before.notes:
		return differs("the order after an empty reason", "no change", fmt.Sprintf("status %d, notes “%s”", after.status, clip(after.notes)))
	}
	p, err = p.press(ctx, "giving a reason", has("action", action), "reason", reason)
	if err != nil {
		return err
	}
	if len(p.hops) != 1 || p.hops[0].status != http.StatusSeeOther {
		return differs("giving a reason", "303", fmt.Sprintf("%d %v", p.status, p.hops))
	}
	return p.says(fmt.Sprintf("Order %d is", number))
}

// forged is the card's doorbell in a liar's hand: whatever is posted, only the provider's word counts.
func (t *tour) forged(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	buyer := guest("Rita", "Levi", "rita@example.net")
	c, err := t.goToCheckout(ctx, t.newBrowser(), cheap, buyer)
	if err != nil {
		return err
	}
	gate, err := t.loadScript(ctx, c.page)
	if err != nil {
		return err
	}
	a, err := gate.mustVerify(ctx, c.cart, false)
	if err != nil {
		return err
	}
	n, err := gate.start(ctx, a.Capability)
	if err != nil {
		return err
	}
	events, err := gate.follow(ctx, n.ID, a.Capability)
	if err != nil {
		return err
	}
	defer events.close()
	lies := []string{
		`{"store_hash":"` + t.shop + `","result":{"session_id":"` + n.ID + `","state":"passed","ial":3,"token":"e30.e30.e30"}}`,
		`{"store_hash":"` + t.shop + `","result":{"session_id":"01890000-0000-7000-8000-000000000000","state":"passed"}}`,
		`{"store_hash":"nobody","result":{"ial":"2"}}`,
		`{"store_hash":"` + t.shop + `","result":"passed"}`,
	}
	for _, lie := range lies {
		status, _, body, err := gate.send(ctx, http.MethodPost, gate.base+"/bc/result", nil, []byte(lie))
		if err != nil {
			return err
		}
		if status != http.StatusAccepted || len(body) != 0 {
			return differs("POST /bc/result", "an empty 202, always", fmt.Sprintf("%d %s", status, clip(string(body))))
		}
	}
	still, err := gate.session(ctx, n.ID, a.Capability)
	if err != nil {
		return err
	}
	if still.State != "created" || still.Decision != "verify" {
		return differs("the session after forged results", "created, verify", fmt.Sprintf("%+v", still))
	}
	if _, err := gate.mustVerify(ctx, c.cart, false); err != nil {
		return err
	}
	t.say("shopper", "a guest who has to verify forges %d results at /bc/result: an empty 202 each, and nothing changes", len(lies))
	if err := t.onPhone(ctx, n.URL, person{declines, buyer.name()}); err != nil {
		return err
	}
	end, states, err := events.last()
	if err != nil {
		return err
	}
	if end.State != "declined" || end.Decision != "verify" || slices.Contains(states, "passed") {
		return differs("the session", "declined, as the provider says", fmt.Sprintf("%v %+v", states, end))
	}
	if _, err := gate.mustVerify(ctx, c.cart, false); err != nil {
		return err
	}
	t.say("shopper", "the session ends as 1Kosmos says: %s", end.State)
	return nil
}

// records is the last look: everything that happened, with its reasons.
func (t *tour) records(ctx context.Context, reasons ...string) error {
	counts := map[string]int{}
	for _, c := range []struct {
		kind, path string
		want       []string
	}{
		{"session", "/verifications", []string{"Passed", "Failed", "The document has expired.", "Declined"}},
		{"decision", "/verifications/decisions", []string{"Allowed", "Proof needed", "Hold", "policy version"}},
		{"order", "/verifications/decisions?stage=order", append([]string{"Held", "Released", "Refused", fmt.Sprintf("Order %d", t.ada.order)}, reasons...)},
	} {
		rows, err := t.rows(ctx, "/s/"+t.shop+c.path)
		if err != nil {
			return err
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, want) }) {
				return differs("Verifications, "+c.kind+"s", "“"+want+"”", fmt.Sprintf("%d rows: %s", len(rows), clip(strings.Join(rows, " | "))))
			}
		}
		counts[c.kind] = len(rows)
	}
	if err := t.nothingStuck(ctx); err != nil {
		return err
	}
	t.say("merchant", "Verifications lists %d sessions, %d decisions and %d decisions on orders, with their reasons; nothing is stuck",
		counts["session"], counts["decision"], counts["order"])
	return nil
}

// nothingStuck checks that whatever was to be written to the shop has been.
func (t *tour) nothingStuck(ctx context.Context) error {
	_, err := t.until(ctx, "Health to show that no write-back waits", func(ctx context.Context) (bool, string, error) {
		p, err := t.admin(ctx, "/health")
		if err != nil {
			return false, "", err
		}
		if stuck := one(p.doc, id("stuck")); stuck != nil {
			return false, "", differs("Health", "nothing that could not be written", clip(text(stuck)))
		}
		waiting := definition(p, "Write-backs waiting")
		return waiting == "0", waiting + " waiting", nil
	})
	return err
}
