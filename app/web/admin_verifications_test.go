package web

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/views"
)

var (
	sessionHref = regexp.MustCompile(`href="` + shopBase + `/verifications/([0-9a-f-]{36})"`)
	newerHref   = regexp.MustCompile(`href="([^"]+)" rel="prev"`)
)

// TestVerifications: the list is narrowed by search and filters, which survive paging both ways and the export.
func TestVerifications(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.ok(b.s.Ledger.DescribeShop(b.Context(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur", Currency: "USD", Timezone: "America/Denver",
		Channels: []ledger.Channel{{ID: 1, Name: "One"}, {ID: 2, Name: "Two"}}}))
	by := map[string][]string{}
	add := func(id string, kinds ...string) {
		for _, k := range append(kinds, "all") {
			by[k] = append([]string{id}, by[k]...)
		}
		b.wait(time.Minute)
	}
	for i := range 2*pageLength + 10 {
		if i%3 == 0 {
			add(b.try(idv.StateDeclined, time.Second), "failed", "ada")
		} else {
			add(b.try(idv.StateExpired, time.Second), "abandoned", "ada")
		}
	}
	add(b.try(idv.StateReview, time.Second), "review", "ada")
	b.prove(shopHash, 77, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: "Ada"})
	add(b.newestSession(shopHash), "passed", "customer", "level")
	add(b.try("", 0), "open", "ada")
	for query, kind := range map[string]string{"": "all", "?state=failed": "failed", "?state=abandoned": "abandoned", "?state=review": "review", "?state=open": "open", "?state=passed": "passed",
		"?q=77": "customer", "?q=%20ADA%40example.com": "ada", "?ial=2": "level", "?source=policy": "level", "?ial=2&source=policy&state=passed": "level", "?q=ada@example.com&state=failed": "failed",
		"?ial=3": "", "?source=oidc": "", "?state=late": "", "?q=nobody@example.com": "", "?state=failed&ial=2": "", "?from=2026-03-10&to=2026-03-10": "all", "?to=2026-03-09": "", "?from=2026-03-11": "",
		"?q=78": "", "?channel=1": "ada", "?channel=2": "", "?channel=1&state=failed": "failed", "?channel=1&q=ada@example.com&state=abandoned": "abandoned", "?channel=1&ial=2": "",
		"?channel=1&from=2026-03-10": "ada"} {
		kept := b.search("/verifications", query)
		pages := b.follow(shopBase+"/verifications"+kept, sessionHref)
		var got []string
		for _, p := range pages {
			got = append(got, p...)
		}
		if !slices.Equal(got, by[kind]) {
			t.Errorf("%s: %d in %d pages, want %d", query, len(got), len(pages), len(by[kind]))
		}
		var exported []string
		for _, row := range b.exported(b.as(ledger.Reviewer, shopBase+"/verifications.csv"+kept, nil)) {
			exported = append(exported, row[0])
		}
		if !slices.Equal(exported, by[kind]) {
			t.Errorf("%s: %d exported, want %d", query, len(exported), len(by[kind]))
		}
	}
	b.forward("/verifications?state=abandoned", sessionHref, by["abandoned"])
	b.forward("/verifications?channel=1", sessionHref, by["ada"])
	b.want(200, b.as(ledger.Reviewer, shopBase+"/verifications?channel=1&state=failed", nil), `<option value="1" selected>One</option>`, "verifications.csv?channel=1&amp;state=failed")
	b.want(422, b.as(ledger.Reviewer, shopBase+"/verifications?channel=9", nil), "Choose one of the choices")
	for query, says := range map[string]string{"?q=nobody@example.com": "Nothing found for “n…@example.com”", "?ial=3": "No verification matches", "?to=2026-03-09": "No verification matches"} {
		b.want(200, b.as(ledger.Viewer, shopBase+"/verifications"+b.search("/verifications", query), nil), says, "Show all verifications")
	}
	for query, says := range map[string]string{"?from=2026-02-30": "Enter a date such as", "?from=2026-03-10&to=2026-03-09": "not before the first one", "?q=who+is": "Enter an order number",
		"?q=0195d6a3": "Enter an order number", "?ial=9": "Choose one of the choices"} {
		page := b.as(ledger.Viewer, shopBase+"/verifications"+query, nil)
		b.want(422, page, says, `aria-invalid="true"`)
		b.lacks(page, "verifications.csv")
	}
	b.want(422, b.as(ledger.Viewer, shopBase+"/verifications?q=%3Cscript%3E", nil), "&lt;script&gt;")
	b.wantGo(b.as(ledger.Viewer, shopBase+"/verifications?q="+strings.ToUpper(by["failed"][0]), nil), shopBase+"/verifications/"+by["failed"][0])
	for from, to := range map[string]string{"": "/verifications", "?kind=session": "/verifications", "?kind=decision": "/verifications/decisions", "?kind=order": "/verifications/decisions?stage=order",
		"?kind=nonsense": "/verifications", "?before=1.x": "/verifications"} {
		b.wantGo(b.as(ledger.Viewer, shopBase+"/history"+from, nil), shopBase+to)
	}
	acts, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 100)
	b.ok(err)
	for _, a := range acts {
		if strings.Contains(a.Detail, "example.com") || strings.Contains(a.Detail, "77") {
			t.Errorf("the activity log says whom somebody searched for: %+v", a)
		}
	}
}

// forward reads every page to the last and then newer and newer, and holds the way back to want.
func (b *bench) forward(path string, re *regexp.Regexp, want []string) {
	b.Helper()
	at := shopBase + path
	for range 50 {
		w := b.as(ledger.Viewer, at, nil)
		next := olderHref.FindStringSubmatch(w.Body.String())
		if next == nil {
			break
		}
		at = strings.ReplaceAll(next[1], "&amp;", "&")
	}
	var got []string
	for range 50 {
		w := b.as(ledger.Viewer, at, nil)
		b.want(200, w)
		var page []string
		for _, m := range re.FindAllStringSubmatch(w.Body.String(), -1) {
			page = append(page, m[1])
		}
		fresh := page
		for i, id := range page { // the newest page is a full one, and may have rows of the one before
			if len(got) > 0 && id == got[0] {
				fresh = page[:i]
				break
			}
		}
		got = append(slices.Clone(fresh), got...)
		newer := newerHref.FindStringSubmatch(w.Body.String())
		if newer == nil {
			break
		}
		at = strings.ReplaceAll(newer[1], "&amp;", "&")
		query := path[strings.IndexByte(path, '?')+1:]
		if !strings.Contains(at, query) {
			b.Errorf("the filters %s are lost on the way to %s", query, at)
		}
	}
	if !slices.Equal(got, want) {
		b.Errorf("%s read forward: %d rows, want %d", path, len(got), len(want))
	}
}

// TestVerification: one Session's page says what was asked and why, each state that it went through, what it established, and what that
// served; its Receipt can be checked, and its Proof be revoked.
func TestVerification(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	c := shop.Customers()[0]
	failed := b.try(idv.StateFailed, 90*time.Second)
	page := b.as(ledger.Viewer, shopBase+"/verifications/"+failed, nil)
	b.want(200, page, "What was asked, and why", "IAL 2", "Nobody has proved who placed this order.", "Proof needed", "The document has expired.", "1 min 30 s", "No proof", "cart of "+failed, "Tue 10 Mar 2026, 09:12")
	b.lacks(page, "Revoke this proof", "Download the receipt")
	under := b.try(idv.StateReview, time.Second)
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications/"+under, nil), "In review", "A proof is made when it passes.", "Has time until")

	b.prove(shopHash, c.ID, "00000000-0000-4000-8000-000000000001", ledger.Person{Given: c.FirstName, Family: c.LastName})
	id := b.newestSession(shopHash)
	path := shopBase + "/verifications/" + id
	b.want(200, b.as(ledger.Viewer, path, nil), "No order has been allowed by this proof yet.")
	b.wait(time.Second)
	order := b.buy(shopHash)
	number := strconv.FormatInt(order, 10)
	page = b.as(ledger.Manager, path, nil)
	b.want(200, page, "Passed", "IAL 2, by your policy", "Good until", "Live selfie", "Orders it has served", ">Order "+number+"<", "Allowed", "Download the receipt", "Revoke this proof")
	b.lacks(b.as(ledger.Reviewer, path, nil), "Revoke this proof")
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications?q="+strconv.FormatInt(c.ID, 10), nil), id)

	w := b.as(ledger.Viewer, path+"/receipt", nil)
	b.want(200, w)
	if h := w.Header(); h.Get("Content-Type") != "application/jwt" || h.Get("Content-Disposition") != "attachment; filename=receipt-"+id+".jwt" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	keys, err := receipt.ParseJWKS(b.s.Ledger.JWKS())
	b.ok(err)
	claims, err := receipt.VerifyWith(keys, strings.TrimSpace(w.Body.String()), b.clock())
	if err != nil || claims.Kind != receipt.KindProof {
		t.Errorf("the receipt reads %+v, %v", claims, err)
	}
	b.want(404, b.as(ledger.Viewer, shopBase+"/verifications/"+failed+"/receipt", nil))

	forms := b.forms(page, "/verifications/"+id+"/revoke")
	if len(forms) != 1 {
		t.Fatalf("%d forms", len(forms))
	}
	with := func(reason string) url.Values {
		v := url.Values{views.ProofField: forms[0][views.ProofField], "reason": {reason}}
		return v
	}
	b.want(422, b.as(ledger.Manager, path+"/revoke", with("no")), "Write down why.", ">no</textarea>", `aria-invalid="true"`)
	b.want(403, b.as(ledger.Reviewer, path+"/revoke", with("The document was stolen")))
	b.wantGo(b.as(ledger.Manager, path+"/revoke", with("The document was stolen")), path+"?proof_revoked=1")
	b.want(200, b.as(ledger.Manager, path+"?proof_revoked=1", nil), "The proof is revoked.", "The document was stolen", "manager@abc123.example", "Revoked")
	b.want(409, b.as(ledger.Manager, path+"/revoke", with("once more")))
	b.want(404, b.as(ledger.Viewer, path+"/receipt", nil))
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	if o := b.order(shopHash, order); o.Hold != ledger.Held {
		t.Errorf("the order that rested on it is %s, want held", o.Hold)
	}
	acts, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 1)
	b.ok(err)
	if acts[0].Action != ledger.ActProofRevoked || acts[0].Actor != "manager@abc123.example" {
		t.Errorf("activity %+v", acts[0])
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/verifications?ial=2", nil), "Revoked", id)
}

// TestVerificationLine: a line of the export says what the page says.
func TestVerificationLine(t *testing.T) {
	p := present(&ledger.Shop{Currency: "USD", Timezone: "America/Denver"})
	at := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	passed := ledger.SessionLine{Session: ledger.Session{ID: "s1", State: idv.StatePassed, CustomerID: 7, StartedAt: at, ChangedAt: at.Add(108 * time.Second)}, IAL: 2, Source: "oidc", GoodUntil: at.Add(time.Hour),
		Revoked: true, SubjectID: 1046}
	order := ledger.Order{ID: 1046, Buyer: ledger.Buyer{Name: "=Grace", Mailbox: "grace@example.com"}, Value: gate.Money{Minor: 124_900, Currency: "USD"}}
	open := ledger.SessionLine{Session: ledger.Session{ID: "s2", State: idv.StateReview, StartedAt: at, ChangedAt: at}, IAL: -1}
	for _, tt := range []struct {
		line  ledger.SessionLine
		order ledger.Order
		want  []string
	}{
		{passed, order, []string{"s1", "2026-03-10 09:12:00", "Passed", "The shopper's identity was verified.", "2026-03-10 09:13:48", "108", "2", "asserted by 1Kosmos sign-in", "2026-03-10 10:12:00", "yes",
			"1046", "=Grace", "7", "grace@example.com", "1249.00", "USD"}},
		{open, ledger.Order{}, []string{"s2", "2026-03-10 09:12:00", "In review", "", "", "", "", "", "", "", "", "", "", "", "", ""}},
	} {
		if got := p.verificationLine(tt.line, tt.order); !slices.Equal(got, tt.want) || len(got) != len(p.verificationHeader()) {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
	var out strings.Builder
	if err := writeLines(csv.NewWriter(&out), nil, [][]string{p.verificationLine(passed, order)}); err != nil || !strings.Contains(out.String(), ",'=Grace,") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestOrdersNarrowed: what narrows the list of orders survives paging both ways and the export; a number is an order's, a customer's or both.
func TestOrdersNarrowed(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	mailbox := b.shop(shopHash).MailboxHash("ada@example.com")
	b.seed(3*pageLength, ledger.Held, func(o *ledger.Order) {
		if o.Channel, o.Source = 1+o.ID%2, "www"; o.ID%7 == 0 {
			o.CustomerID, o.Mailbox = 5, mailbox
		}
	})
	var all, odd, seventh []string
	for id := 3 * pageLength; id > 0; id-- {
		text := strconv.Itoa(id)
		all = append(all, text)
		if id%2 == 1 {
			odd = append(odd, text)
		}
		if id%7 == 0 {
			seventh = append(seventh, text)
		}
	}
	b.ok(b.s.Ledger.DescribeShop(b.Context(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur", Currency: "USD", Timezone: "America/Denver",
		Channels: []ledger.Channel{{ID: 1, Name: "One"}, {ID: 2, Name: "Two"}}}))
	for query, want := range map[string][]string{"": all, "?filter=held": all, "?filter=refused": nil, "?channel=2": odd, "?filter=held&channel=2": odd, "?source=www": all, "?source=ebay": nil,
		"?q=ada@example.com": seventh, "?q=ada@example.com&filter=held": seventh, "?q=ada@example.com&filter=leaks": nil, "?q=bo@example.com": nil, "?from=2026-03-10&to=2026-03-10": all, "?from=2026-03-11": nil,
		"?q=5": append([]string{"5"}, seventh...), "?outcome=refuse": nil, "?filter=allowed&outcome=hold": nil, "?filter=allowed": nil, "?filter=exempt": nil} {
		var got []string
		kept := b.search("/orders", query)
		for _, p := range b.follow(shopBase+"/orders"+kept, orderHref) {
			got = append(got, p...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		var exported []string
		for _, row := range b.exported(b.as(ledger.Reviewer, shopBase+"/orders.csv"+kept, nil)) {
			exported = append(exported, row[0])
		}
		if !slices.Equal(exported, want) {
			t.Errorf("%s: exported %v, want %v", query, exported, want)
		}
	}
	b.forward("/orders?channel=2", orderHref, odd)
	b.wantGo(b.as(ledger.Viewer, shopBase+"/orders?q=%2312", nil), shopBase+"/orders/12") // no customer 12
	page := b.as(ledger.Reviewer, shopBase+"/orders?channel=2&filter=held&from=2026-03-10", nil)
	b.want(200, page, `<option value="2" selected>Two</option>`, `value="2026-03-10"`, "orders.csv?channel=2&amp;filter=held&amp;from=2026-03-10", `href="`+shopBase+`/orders?channel=2&amp;from=2026-03-10"`)
	b.want(422, b.as(ledger.Reviewer, shopBase+"/orders.csv?from=x", nil))
	if w := b.as(ledger.Viewer, shopBase+"/orders?q="+url.QueryEscape("<b>"), nil); w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), "<b>") {
		t.Errorf("%d: %s", w.Code, brief(w.Body.String()))
	}
}

// TestExempt: orders of which nothing is asked are listed apart from those that proved something.
func TestExempt(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) {
		p.Rules = []gate.Rule{{Name: "Everybody", Mode: gate.Enforce, Exempt: true, When: []gate.Condition{{Fact: gate.FactSource, Values: []string{"external"}}}}}
	})
	id := strconv.FormatInt(b.buy(shopHash), 10)
	for filter, want := range map[string]bool{"exempt": true, "allowed": true, "held": false, "released": false} {
		page := b.as(ledger.Viewer, shopBase+"/orders?filter="+filter, nil)
		b.want(200, page)
		if got := strings.Contains(page.Body.String(), "/orders/"+id); got != want {
			t.Errorf("%s: listed %v", filter, got)
		}
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/orders?outcome=exempt", nil), "/orders/"+id, ">Exempt</span>")
	b.lacks(b.as(ledger.Viewer, shopBase+"/orders?outcome=allow", nil), "/orders/"+id+`"`)
}

func FuzzOrderCursor(f *testing.F) {
	f.Add("1773155552123.1041")
	f.Add("1.x")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseOrderCursor(text); err == nil && cursorText(c) != text {
			t.Errorf("%q reads as %v, which is written %q", text, c, cursorText(c))
		}
	})
}

func FuzzNarrow(f *testing.F) {
	f.Add("q=1&from=2026-03-01&to=2026-03-10&state=passed&ial=2")
	f.Add("q=ada%40example.com&from=x&channel=-1")
	shop := &ledger.Shop{Timezone: "Asia/Kathmandu", Channels: []ledger.Channel{{ID: 1}}}
	f.Fuzz(func(t *testing.T, query string) {
		q := (&url.URL{RawQuery: query}).Query()
		n := narrowVerifications(q, present(shop))
		if strings.Contains(n.get("q"), "@") {
			return // its hash wants the Shop's key
		}
		a, _, _ := n.sessionFilter(shop)
		b, _, _ := narrowOrders(q, present(shop)).orderFilter(shop)
		if !a.From.IsZero() && !a.To.IsZero() && !a.From.Before(a.To) || !a.From.Equal(b.From) || !a.To.Equal(b.To) || a.IAL < -1 || a.IAL > 3 || b.Channel < 0 || b.Channel > 1 {
			t.Errorf("%q: %+v, %+v", query, a, b)
		}
		for field, code := range n.errors {
			if views.FieldError(code) == "" || strings.HasPrefix(views.FieldError(code), "This cannot be used") {
				t.Errorf("%s: no words for %s", field, code)
			}
		}
	})
}
