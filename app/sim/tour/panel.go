package tour

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Order statuses of BigCommerce that the story meets.
const (
	awaitingFulfillment = 11
	manualVerification  = 12
)

var statusNames = map[int]string{awaitingFulfillment: "Awaiting Fulfillment", manualVerification: "Manual Verification Required"}

// manage opens a page of the control panel.
func (t *tour) manage(ctx context.Context, path string) (*page, error) {
	return t.merchant.open(ctx, at(t.store, "/manage/"+path))
}

// panelOrder is an order as the control panel shows it.
type panelOrder struct {
	status     int
	notes      string
	cart       string
	metafields map[string]string
}

func (t *tour) order(ctx context.Context, number int64) (panelOrder, error) {
	p, err := t.manage(ctx, fmt.Sprintf("orders/%d", number))
	if err != nil {
		return panelOrder{}, err
	}
	return orderOn(p)
}

func orderOn(p *page) (panelOrder, error) {
	o := panelOrder{metafields: metafields(p)}
	n, err := p.find("an order's status", id("order-status"))
	if err != nil {
		return o, err
	}
	if o.status, err = strconv.Atoi(value(n, "data-status-id")); err != nil {
		return o, err
	}
	if n, err = p.find("staff notes", id("staff-notes")); err != nil {
		return o, err
	}
	o.notes = raw(n)
	o.cart = definition(p, "Cart")
	return o, nil
}

// definition is what a page says beside a term.
func definition(p *page, term string) string {
	for dt := range all(p.doc, tag("dt")) {
		if text(dt) != term {
			continue
		}
		for n := dt.NextSibling; n != nil; n = n.NextSibling {
			if n.Data == "dd" {
				return text(n)
			}
		}
	}
	return ""
}

func metafields(p *page) map[string]string {
	out := map[string]string{}
	for n := range all(p.doc, has("data-test", "metafield")) {
		out[value(n, "data-key")] = text(one(n, tag("pre")))
	}
	return out
}

// orderBecomes waits until an order has a status and a word in its staff notes, and says how long it took.
func (t *tour) orderBecomes(ctx context.Context, number int64, status int, noted string) (string, error) {
	what := fmt.Sprintf("order %d in status %d (%s), noted “%s”", number, status, statusNames[status], noted)
	took, err := t.until(ctx, what, func(ctx context.Context) (bool, string, error) {
		o, err := t.order(ctx, number)
		return o.status == status && strings.Contains(o.notes, noted), fmt.Sprintf("status %d, notes “%s”", o.status, clip(o.notes)), err
	})
	return seconds(took), err
}

// orderCarries waits until an order's metafield has a Decision of this outcome, and returns it.
func (t *tour) orderCarries(ctx context.Context, number int64, outcome string) (decision, error) {
	var d decision
	_, err := t.until(ctx, fmt.Sprintf("order %d to carry the decision %s", number, outcome), func(ctx context.Context) (bool, string, error) {
		o, err := t.order(ctx, number)
		if err != nil {
			return false, "", err
		}
		written, ok := o.metafields["blockid.decision"]
		if !ok {
			return false, "no metafield blockid.decision", nil
		}
		d, err = readDecision(written)
		return d.Outcome == outcome, clip(written), err
	})
	if err != nil {
		return d, err
	}
	claims, err := t.receipt(ctx, d.Receipt)
	if err != nil {
		return d, fmt.Errorf("the receipt of order %d: %w", number, err)
	}
	if claims.kind != "decision+jwt" || claims.Order != number || claims.Outcome != outcome || claims.Subject != t.shop {
		return d, differs(fmt.Sprintf("the receipt of order %d", number), "a decision "+outcome+" for it", fmt.Sprintf("%+v", claims))
	}
	return d, nil
}

// countOrders counts the orders of the shop.
func (t *tour) countOrders(ctx context.Context) (int, error) {
	p, err := t.manage(ctx, "orders")
	if err != nil {
		return 0, err
	}
	n := 0
	for range all(p.doc, has("data-test", "order-row")) {
		n++
	}
	return n, nil
}

// placed is a storefront's order that ended where a paid one does, and exactly once.
func (t *tour) placed(ctx context.Context, c *checkout) (int64, error) {
	before, err := t.countOrders(ctx)
	if err != nil {
		return 0, err
	}
	number, err := c.order(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.orderAgain(ctx); err != nil {
		return 0, err
	}
	after, err := t.countOrders(ctx)
	if err != nil {
		return 0, err
	}
	o, err := t.order(ctx, number)
	switch {
	case err != nil:
		return 0, err
	case after != before+1:
		return 0, differs("orders after the order call", before+1, after)
	case o.cart != c.cart:
		return 0, differs(fmt.Sprintf("the cart of order %d", number), c.cart, o.cart)
	}
	return number, nil
}

// allowed is an order that was placed and let through: it carries its Decision, and was never held.
func (t *tour) allowed(ctx context.Context, c *checkout) (int64, error) {
	number, err := t.placed(ctx, c)
	if err != nil {
		return 0, err
	}
	if _, err := t.orderCarries(ctx, number, "allow"); err != nil {
		return 0, err
	}
	o, err := t.order(ctx, number)
	if err == nil && (o.status != awaitingFulfillment || o.notes != "") {
		err = differs(fmt.Sprintf("order %d", number), "status 11 and no note", fmt.Sprintf("status %d, notes “%s”", o.status, clip(o.notes)))
	}
	return number, err
}

// panelCustomer is a customer as the control panel shows it.
type panelCustomer struct {
	id         int64
	attributes map[string]string
	metafields map[string]string
}

func (t *tour) customer(ctx context.Context, email string) (panelCustomer, error) {
	var c panelCustomer
	list, err := t.manage(ctx, "customers")
	if err != nil {
		return c, err
	}
	for row := range all(list.doc, has("data-test", "customer-row")) {
		if !strings.Contains(text(row), email) {
			continue
		}
		if c.id, err = strconv.ParseInt(value(row, "data-customer-id"), 10, 64); err != nil {
			return c, err
		}
		p, err := list.follow(ctx, value(one(row, tag("a")), "href"))
		if err != nil {
			return c, err
		}
		c.attributes, c.metafields = map[string]string{}, metafields(p)
		for n := range all(p.doc, has("data-test", "attribute")) {
			cells := slices.Collect(all(n, tag("td")))
			if len(cells) == 2 {
				c.attributes[text(cells[0])] = text(cells[1])
			}
		}
		return c, nil
	}
	return c, differs("the control panel's customers", email, "nobody of that mailbox")
}

// blockScript switches the storefront's scripts off or on, as an ad-blocker would.
func (t *tour) blockScript(ctx context.Context, blocked bool) error {
	p, err := t.manage(ctx, "scripts")
	if err != nil {
		return err
	}
	button, err := p.find("the ad-blocker's switch", id("block-script"))
	if err != nil {
		return err
	}
	if value(button, "data-blocked") == strconv.FormatBool(blocked) {
		return errors.New("the script is blocked already")
	}
	_, err = p.press(ctx, "the ad-blocker's switch", id("block-script"))
	return err
}

// rows collects the rows of a paged table of the app, newest first, through all its pages.
func (t *tour) rows(ctx context.Context, path string) (rows []string, err error) {
	const mostPages = 40
	p, err := t.frame.follow(ctx, path)
	for range mostPages {
		if err != nil {
			return nil, err
		}
		for tr := range all(p.doc, tag("tr")) {
			if one(tr, tag("td")) != nil {
				rows = append(rows, text(tr))
			}
		}
		next := one(p.doc, has("rel", "next"))
		if next == nil {
			return rows, nil
		}
		p, err = p.follow(ctx, value(next, "href"))
	}
	return nil, differs(path, fmt.Sprintf("at most %d pages", mostPages), "more")
}

// admin opens a page of the app, in the control panel's iframe.
func (t *tour) admin(ctx context.Context, path string) (*page, error) {
	return t.frame.follow(ctx, "/s/"+t.shop+path)
}
