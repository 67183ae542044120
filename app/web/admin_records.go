package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"idgate/app/ledger"
	"idgate/views"
)

const maxSearch = 254 // characters; the longest mailbox

// narrowed reads what a list's address or its form says: its search and filters, which stay as they were typed, and the place where the
// page begins. A mailbox that is searched for stays in no address: there the search is sealed.
type narrowed struct {
	q      url.Values
	kept   url.Values // what the page's address keeps
	typed  string     // what the search box shows
	moved  bool       // the address has to change: it names a mailbox
	zone   *time.Location
	errors map[string]string
}

// asked is what narrows a list: its address, or the form that was sent to it.
func asked(r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return posted(r)
	}
	return r.URL.Query(), nil
}

// narrow reads the query's fields; the rest of the query is nothing to the list.
func narrow(q url.Values, zone *time.Location, fields ...string) *narrowed {
	n := &narrowed{q: q, kept: url.Values{}, zone: zone, errors: map[string]string{}}
	for _, f := range fields {
		v := n.q.Get(f)
		if !utf8.ValidString(v) {
			v = ""
		}
		if v = clip(strings.TrimSpace(v), maxSearch); v != "" {
			n.kept.Set(f, v)
		}
	}
	n.typed = n.get("q")
	return n
}

func (n *narrowed) get(field string) string { return n.kept.Get(field) }

// form is the list's form with its pages.
func (n *narrowed) form(older, newer string, far bool) views.Narrowed {
	return views.Narrowed{Query: n.kept, Search: n.typed, Errors: n.errors, Older: older, Newer: newer, Far: far, Paged: n.q.Get("before") != "" || n.q.Get("after") != ""}
}

// choice is a field that holds one of some codes, or nothing.
func (n *narrowed) choice(field string, codes ...string) string {
	v := n.get(field)
	if v == "" {
		return ""
	}
	for _, c := range codes {
		if v == c {
			return v
		}
	}
	n.errors[field] = "unknown_choice"
	return ""
}

// days reads the first and the last day of a list, in the Shop's zone; both are among it. to is the moment after.
func (n *narrowed) days() (from, to time.Time) {
	day := func(field string) time.Time {
		text := n.get(field)
		if text == "" {
			return time.Time{}
		}
		t, err := time.ParseInLocation(time.DateOnly, text, n.zone)
		if err != nil || t.Year() < 1970 || t.Year() > 9998 {
			n.errors[field] = "not_a_date"
			return time.Time{}
		}
		return t.Add(12 * time.Hour) // whatever the clock did at midnight
	}
	from, to = day("from"), day("to")
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		n.errors["to"] = "before_from"
		return time.Time{}, time.Time{}
	}
	if !from.IsZero() {
		from = startOfDay(from)
	}
	if !to.IsZero() {
		to = nextDay(to)
	}
	return from, to
}

// place reads where the page begins: older than a row of the list, or newer.
func (n *narrowed) place(parse func(string) (ledger.Cursor, error)) (ledger.Place, error) {
	for _, field := range []string{"before", "after"} {
		text := n.q.Get(field)
		if text == "" {
			continue
		}
		c, err := parse(text)
		if err != nil {
			return ledger.Place{}, refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at(field).because(err)
		}
		return ledger.Place{Cursor: c, Newer: field == "after"}, nil
	}
	return ledger.Place{}, nil
}

// cursorOrNone is a place for an address, or nothing.
func cursorOrNone(c ledger.Cursor) string {
	if c.Before.IsZero() && c.ID == "" {
		return ""
	}
	return cursorText(c)
}

// parseOrderCursor reads back what cursorText wrote of an order's place, and nothing else.
func parseOrderCursor(text string) (ledger.Cursor, error) {
	ms, id, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || at <= 0 || strconv.FormatInt(at, 10) != ms {
		return ledger.Cursor{}, errCursor
	}
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		return ledger.Cursor{}, errCursor
	}
	return ledger.Cursor{Before: time.UnixMilli(at), ID: id}, nil
}

// sought is what somebody typed into a search box. At most one of them is set; none when nothing was typed, or nothing that can be.
type sought struct {
	number  int64  // of an order or a customer
	mailbox string // keyed hash
	session string
}

// seek reads the search box, or the sealed search that the address carries. With sessions set, a session's id is something to search for.
// What is a mailbox, or nothing that can be searched for, is kept for no address.
func (n *narrowed) seek(shop *ledger.Shop, sessions bool) (s sought, err error) {
	text, sealed := n.get("q"), n.get(views.SealedSearch)
	if sealed != "" {
		hash, masked, err := shop.OpenSearch(sealed)
		switch {
		case text == "" && n.q.Has("q"): // the box was emptied
		case text != "" && (err != nil || text != masked): // something else was typed
		case err != nil:
			n.errors["q"] = "search_anew"
		default:
			n.typed = masked
			n.kept.Del("q")
			return sought{mailbox: hash}, nil
		}
		n.kept.Del(views.SealedSearch)
	}
	if text == "" {
		return s, nil
	}
	if id, ok := ledger.FindOrder(strings.TrimPrefix(text, "#")); ok {
		return sought{number: id}, nil
	}
	if u, err := uuid.Parse(text); err == nil && sessions && u.String() == strings.ToLower(text) {
		return sought{session: u.String()}, nil
	}
	n.kept.Del("q")
	if at := strings.IndexByte(text, '@'); at <= 0 || at == len(text)-1 || strings.ContainsAny(text, " \t") {
		n.errors["q"] = "not_searchable"
		return s, nil
	}
	if sealed, err = shop.SealSearch(text); err != nil {
		return s, err
	}
	n.kept.Set(views.SealedSearch, sealed)
	n.moved = true
	return sought{mailbox: shop.MailboxHash(text)}, nil
}

// settled reports whether the address may stay as it is. Of a form that was sent, and of one that named a mailbox, it leads to another.
func (n *narrowed) settled(w http.ResponseWriter, r *http.Request, v visit, list string) bool {
	if r.Method != http.MethodPost && !n.moved {
		return true
	}
	to := base(v.Shop) + list
	if q := n.kept.Encode(); q != "" {
		to += "?" + q
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return false
}

// taken is what the activity log keeps of an export's filters: never what was searched for.
func (n *narrowed) taken() string {
	var out []string
	for _, field := range []string{"filter", "state", "outcome", "ial", "source", "channel", "from", "to"} {
		if v := n.get(field); v != "" {
			out = append(out, field+" "+v)
		}
	}
	if n.get("q") != "" || n.get(views.SealedSearch) != "" {
		out = append(out, "a search")
	}
	if len(out) == 0 {
		return "all"
	}
	return strings.Join(out, ", ")
}
