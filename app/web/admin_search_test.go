package web

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/views"
)

// search is what a list's address keeps of what is asked of it by query: a mailbox goes by the list's form, and comes back sealed.
func (b *bench) search(list, query string) string {
	b.Helper()
	form, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	b.ok(err)
	if !strings.Contains(form.Get("q"), "@") {
		return query
	}
	to := b.sent(list, form)
	for field := range form {
		if field != "q" && to.Query().Get(field) != form.Get(field) {
			b.Fatalf("%s is lost on the way to %s", field, to)
		}
	}
	return "?" + to.RawQuery
}

// sent sends a list's form, and returns the address that it leads to, which names no mailbox.
func (b *bench) sent(list string, form url.Values) *url.URL {
	b.Helper()
	w := b.as(ledger.Viewer, shopBase+list, form)
	b.want(303, w)
	to, err := url.Parse(w.Header().Get("Location"))
	b.ok(err)
	if to.Path != shopBase+list || to.Query().Has("q") && strings.Contains(to.Query().Get("q"), "@") || namesSomebody(to.String()) {
		b.Fatalf("%v leads to %s", form, to)
	}
	return to
}

// namesSomebody reports whether a text says anything of the mailboxes that these tests search for. Their short name counts as a word only:
// a sealed search is random letters, which spell it now and then.
func namesSomebody(text string) bool { return somebody.MatchString(text) }

var somebody = regexp.MustCompile(`(?i)\bada\b|nobody|example|@|%40`)

var anyAddress = regexp.MustCompile(`(?:href|action|src)="([^"]*)"`)

// TestSearchInNoAddress: a mailbox that is searched for stands in no address of the pages that find it, in no log, and in none that a browser
// tells anybody of; what names it instead survives paging, filters and the export, and is worth nothing in another Shop.
func TestSearchInNoAddress(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	mailbox := b.shop(shopHash).MailboxHash("ada@example.com")
	for range pageLength + 3 {
		b.try(idv.StateExpired, time.Second)
	}
	b.seed(pageLength+3, ledger.Held, func(o *ledger.Order) { o.Mailbox, o.Source = mailbox, "www" })
	for _, list := range []string{"/orders", "/verifications"} {
		t.Run(list, func(t *testing.T) {
			to := b.sent(list, url.Values{"q": {" Ada@Example.com "}, "source": {map[string]string{"/orders": "www"}[list]}})
			page := b.as(ledger.Reviewer, to.String(), nil)
			b.want(200, page, `value="A…@Example.com"`, `<form class="filters" method="post"`, `autocomplete="off"`, `rel="next"`)
			addresses := anyAddress.FindAllStringSubmatch(page.Body.String(), -1)
			for _, m := range addresses {
				if strings.HasPrefix(m[1], shopBase) && namesSomebody(m[1]) {
					t.Errorf("the page leads to %s", m[1])
				}
			}
			sealed := to.Query().Get(views.SealedSearch)
			for _, where := range []string{list + ".csv", list + "?before="} {
				found := false
				for _, m := range addresses {
					found = found || strings.HasPrefix(m[1], shopBase+where) && strings.Contains(m[1], sealed)
				}
				if !found {
					t.Errorf("the search is lost on the way to %s", where)
				}
			}
			for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
				if got := page.Header().Get(name); got != want {
					t.Errorf("%s: %s", name, got)
				}
			}
			if csp := page.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self'") || !strings.Contains(csp, "connect-src 'self'") {
				t.Errorf("the page may tell others: %s", csp)
			}
			// The form as it stands, with another filter: the search stays. Something else typed, or nothing: it does not.
			for typed, keeps := range map[string]bool{"A…@Example.com": true, "": false, "7": false} {
				next := b.sent(list, url.Values{"q": {typed}, views.SealedSearch: {sealed}, "from": {"2026-03-01"}})
				if (next.Query().Get(views.SealedSearch) == sealed) != keeps || next.Query().Get("from") != "2026-03-01" || !keeps && next.Query().Get("q") != typed {
					t.Errorf("%q: %s", typed, next)
				}
			}
			other := b.sent(list, url.Values{"q": {"nobody@example.com"}, views.SealedSearch: {sealed}})
			b.want(200, b.as(ledger.Viewer, other.String(), nil), "Nothing found for “n…@example.com”")
			// An address that names a mailbox, as they once did, leads to one that does not.
			old := b.as(ledger.Viewer, shopBase+list+"?q=ada%40example.com&from=2026-03-01", nil)
			b.want(303, old)
			if at := old.Header().Get("Location"); namesSomebody(at) || !strings.Contains(at, "from=2026-03-01") || !strings.Contains(at, views.SealedSearch+"=") {
				t.Errorf("an old address leads to %s", at)
			}
			// What cannot be searched for stays in the form and goes into no address.
			for _, typed := range []string{"ada@", "ada lovelace@example.com"} {
				refused := b.as(ledger.Reviewer, shopBase+list, url.Values{"q": {typed}})
				b.want(422, refused, "Enter an order number", `value="`+typed+`"`)
				for _, m := range anyAddress.FindAllStringSubmatch(refused.Body.String(), -1) {
					if strings.HasPrefix(m[1], shopBase) && namesSomebody(m[1]) {
						t.Errorf("the page leads to %s", m[1])
					}
				}
			}
			// Another Shop's search, and a broken one.
			foreign, err := b.shop(otherHash).SealSearch("ada@example.com")
			b.ok(err)
			for _, broken := range []string{foreign, sealed[:len(sealed)-1], "x"} {
				page := b.as(ledger.Viewer, shopBase+list+"?"+views.SealedSearch+"="+broken, nil)
				b.want(422, page, "The search in this address cannot be read here.")
				b.lacks(page, "<tbody")
				b.want(422, b.as(ledger.Reviewer, shopBase+list+".csv?"+views.SealedSearch+"="+broken, nil))
			}
			// No other site can send the form.
			r := httptest.NewRequest("POST", shopBase+list, strings.NewReader("q=7"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Cookie", b.cookies[shopHash+" viewer"])
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			b.want(403, b.do(r))
		})
	}
}
