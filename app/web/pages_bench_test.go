package web

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	_ "modernc.org/sqlite" // the driver

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
)

var records = flag.Int("records", 2000, "Sessions, Decisions of carts, Decisions of orders, and orders, of each so many, that BenchmarkPages reads pages of")

// full is a server on a file with so many records of each kind, spread over 90 days.
type full struct {
	*testing.B
	h      http.Handler
	cookie string
	now    time.Time
	n      int
	search string // for a mailbox, sealed
}

// newFull fills a file by inserts while no ledger has it open, which spares signing and flushing each row.
func newFull(b *testing.B, n int) *full {
	b.Helper()
	f := &full{B: b, now: time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC), n: n}
	ok := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	clock := func() time.Time { return f.now }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	keyring, err := ledger.ParseKeyring(ledger.GenerateOperatorKey(rand.Reader))
	ok(err)
	path := filepath.Join(b.TempDir(), "idgate.db")
	open := func() *ledger.Ledger {
		l, err := ledger.Open(context.Background(), ledger.Options{Path: path, Kind: ledger.Demo, Keyring: keyring, Now: f.now, Log: log, Issuer: "https://idgate.example"})
		ok(err)
		return l
	}
	l := open()
	ok(l.InstallShop(context.Background(), ledger.Install{StoreHash: shopHash, Token: "t", OwnerID: 1}, f.now.Add(-100*24*time.Hour)))
	ok(l.DescribeShop(context.Background(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur & Sons", Currency: "USD", Timezone: "Asia/Kathmandu",
		Channels: []ledger.Channel{{ID: 1, Name: "One"}, {ID: 2, Name: "Two"}, {ID: 3, Name: "Rare"}}}))
	p := gate.Default("USD")
	p.Mode, p.Evidence = gate.Enforce, gate.Evidence{DocumentSelfie: 2}
	_, err = l.SavePolicy(context.Background(), shopHash, ledger.PolicyChange{Policy: p, Author: "ada", Since: f.now}, f.now)
	ok(err)
	shop, err := l.Shop(shopHash)
	ok(err)
	f.search, err = shop.SealSearch("ada@example.com")
	ok(err)
	mailbox, err := hex.DecodeString(shop.MailboxHash("ada@example.com"))
	ok(err)
	ok(l.Close())
	ok(fill(path, n, f.now.UnixMilli(), mailbox))
	l = open()
	b.Cleanup(func() { _ = l.Close() })
	app := &bigcommerce.App{ClientID: "client", ClientSecret: "secret-secret-secret-secret-secret", Now: clock}
	r := relay.New(relay.Options{Ledger: l, BigCommerce: app, AppURL: "https://idgate.example", Now: clock, Log: log,
		Provider: func(*ledger.Shop) (idv.Provider, error) { return nil, errors.New("no provider here") }})
	s, err := New(Options{Ledger: l, Relay: r, BigCommerce: app, Keyring: keyring, AppURL: "https://idgate.example", Now: clock, Log: log,
		Admin: fstest.MapFS{"admin.css": {}, "admin.js": {}, "htmx.min.js": {}}})
	ok(err)
	w := httptest.NewRecorder()
	_, err = s.signIn(w, httptest.NewRequest("GET", "/", nil), shopHash, ledger.User{ID: 1, Email: "ada@example.com", Role: ledger.Owner})
	ok(err)
	f.h, f.cookie = s.Handler(), strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	return f
}

// fill inserts n of each kind: ids go up with time, as ours do. Buyers are left out: opening those of one page takes microseconds.
func fill(path string, n int, now int64, mailbox []byte) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(WAL)&_pragma=cache_size(-400000)&_pragma=foreign_keys(0)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	const first = "1 + (?2 - 7776000000)" // 90 days before
	at := fmt.Sprintf("(%s + i * 7776000000 / ?1)", first)
	id := func(kind string) string {
		return "printf('%08x-%04x-7000-8000-" + kind + "%010x', (" + at + ") >> 16, (" + at + ") & 65535, i)"
	}
	seq := "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1) "
	state := `CASE WHEN i % 10000 = 7 THEN 'review' WHEN i % 5000 = 9 THEN 'started' WHEN i % 10 < 7 THEN 'passed' WHEN i % 10 = 7 THEN 'failed' WHEN i % 10 = 8 THEN 'expired' ELSE 'abandoned' END`
	explanation := `{"outcome":"allow","mode":"enforce","requirement":{"ial":2,"name_match":true},"reasons":[{"code":"proof_ok"}],"rules":[{"name":"checkout","mode":"enforce","verdict":"yes",` +
		`"require":{"ial":2},"counted":true}],"would":"allow","pad":"` + strings.Repeat("x", 200) + `"}`
	for _, insert := range []string{
		seq + `INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, customer_id, mailbox, requirement, policy_version, started_at, deadline,
			changed_at, poll_at, over_at, late, ial, source, channel, moves) SELECT ` + id("5e") + `, 'abc123', '1kosmos', 'ref' || i, x'', ` + state + `, randomblob(16), 'cart' || i, i % 200000,
			CASE WHEN i % 50000 = 3 THEN ?3 ELSE randomblob(32) END, '{"ial":2}', 1, ` + at + `, ` + at + ` + 900000, ` + at + ` + 30000 + i % 400000,
			CASE WHEN i % 10000 = 7 OR i % 5000 = 9 THEN ?2 + 600000 ELSE 0 END, CASE WHEN i % 10000 = 7 OR i % 5000 = 9 THEN 0 ELSE ?2 END,
			0, CASE WHEN i % 10 < 7 AND i % 10000 != 7 AND i % 5000 != 9 THEN 1 + i % 2 ELSE -1 END, CASE WHEN i % 10 < 7 AND i % 10000 != 7 AND i % 5000 != 9 THEN 'policy' ELSE '' END,
			CASE WHEN i % 50000 = 11 THEN 3 ELSE 1 + i % 2 END, '[[1,"started"],[2,"processing"],[3,"passed"]]' FROM n`,
		`INSERT INTO proofs (id, store_hash, session_id, customer_id, cart_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until)
			SELECT 'p' || id, store_hash, id, customer_id, cart_id, mailbox, ial, source, 1, 1, 30, x'', changed_at, changed_at + 31536000000 FROM sessions WHERE ial >= 0 AND ?1 > 0 AND ?2 > 0 AND length(?3) > 0`,
		seq + `INSERT INTO decisions (id, store_hash, stage, cart_id, outcome, mode, made_by, policy_version, facts_digest, explanation, receipt, made_at)
			SELECT ` + id("c0") + `, 'abc123', 'checkout', 'cart' || i, 'verify', 'enforce', 'rule', 1, randomblob(32), ?4, hex(randomblob(200)), ` + at + ` - 1000 FROM n WHERE ?3 = ?3`,
		seq + `INSERT INTO decisions (id, store_hash, stage, cart_id, order_id, customer_id, outcome, mode, made_by, policy_version, proof_id, facts_digest, explanation, receipt, made_at, stands)
			SELECT ` + id("0d") + `, 'abc123', 'order', 'cart' || i, 100 + i, i % 200000, CASE WHEN i % 20 = 0 THEN 'hold' ELSE 'allow' END, 'enforce', 'rule', 1, '', randomblob(32), ?4,
			hex(randomblob(200)), ` + at + ` + 60000, 1 FROM n WHERE ?3 = ?3`,
		seq + `INSERT INTO orders (store_hash, order_id, status_id, customer_id, cart_id, mailbox, value_minor, currency, shop_minor, shop_currency, source, channel, placed_at, modified_at, seen_at, hold,
			former_status, held_at, decision_id, answer) SELECT 'abc123', 100 + i, CASE WHEN i % 20 = 0 THEN 12 ELSE 2 END, i % 200000, 'cart' || i, CASE WHEN i % 50000 = 3 THEN ?3 ELSE randomblob(32) END,
			1000 + i % 90000, 'USD', 1000 + i % 90000, 'USD', CASE WHEN i % 100000 = 5 THEN 'ebay' WHEN i % 10 = 0 THEN 'manual' ELSE 'www' END, 1 + i % 2, ` + at + ` + 60000, ` + at + ` + 60000,
			` + at + ` + 60000, CASE WHEN i % 200000 = 40 THEN 'leaked' WHEN i % 2000 = 0 THEN 'held' WHEN i % 20 = 0 THEN 'released' ELSE 'none' END, 11, CASE WHEN i % 20 = 0 THEN ` + at + ` ELSE 0 END,
			` + id("0d") + `, CASE WHEN i % 20 = 0 THEN 'hold' WHEN i % 50 = 1 THEN 'exempt' ELSE 'allow' END FROM n`,
		`INSERT INTO figures (store_hash, quarter, shown, started, passed, failed, abandoned)
			SELECT store_hash, started_at - started_at % 900000, count(*), count(*), sum(state = 'passed'), sum(state = 'failed'), sum(state IN ('expired', 'abandoned')) FROM sessions
			WHERE ?1 > 0 AND ?2 > 0 AND length(?3) > 0 GROUP BY 1, 2`,
		`INSERT INTO money_figures (store_hash, currency, quarter, held, held_minor, released, released_minor)
			SELECT f.store_hash, c.value, f.quarter, 6, 250000, 5, 200000 FROM figures AS f, json_each('["USD","EUR","GBP"]') AS c WHERE ?1 > 0 AND ?2 > 0 AND length(?3) > 0`,
	} {
		args := []any{n, now, mailbox, explanation}
		if !strings.Contains(insert, "?4") {
			args = args[:3]
		}
		if _, err := db.Exec(insert, args...); err != nil {
			return fmt.Errorf("%.40s: %w", insert, err)
		}
	}
	_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// get asks for a page and returns how long it took.
func (f *full) get(path string, want int) (time.Duration, *httptest.ResponseRecorder) {
	f.Helper()
	r := httptest.NewRequest("GET", shopBase+path, nil)
	r.Header.Set("Cookie", f.cookie)
	w := httptest.NewRecorder()
	began := time.Now()
	f.h.ServeHTTP(w, r)
	took := time.Since(began)
	if w.Code != want {
		f.Fatalf("%s: %d, want %d: %s", path, w.Code, want, brief(w.Body.String()))
	}
	return took, w
}

// BenchmarkPages reports how long the pages of records take to answer, half of the times and 99 of 100, with so many records as -records
// says; and how many lines a second an export has. A million: go test ./app/web -run '^$' -bench Pages -benchtime 200x -records 1000000
func BenchmarkPages(b *testing.B) {
	f := newFull(b, *records)
	deep := func(order bool) string {
		at := f.now.UnixMilli() - 45*24*time.Hour.Milliseconds()
		if order {
			return fmt.Sprintf("%d.%d", at, 100+f.n/2)
		}
		return fmt.Sprintf("%d.%08x-%04x-7000-8000-5e%010x", at, at>>16, at&65535, f.n/2)
	}
	for _, page := range []struct {
		name, path string
	}{
		{"overview today", "/overview?range=today"}, {"overview 7 days", "/overview?range=7"}, {"overview 30 days", "/overview?range=30"}, {"overview 90 days", "/overview?range=90"},
		{"verifications first", "/verifications"}, {"verifications deep", "/verifications?before=" + deep(false)}, {"verifications newer", "/verifications?after=" + deep(false)},
		{"verifications state", "/verifications?state=failed"}, {"verifications rare state", "/verifications?state=review"}, {"verifications level and days", "/verifications?ial=2&from=2026-01-10&to=2026-01-20"},
		{"verifications by e-mail", "/verifications?who=" + f.search}, {"verifications by number", "/verifications?q=5107"}, {"verifications by e-mail and state", "/verifications?state=passed&who=" + f.search},
		{"verifications channel", "/verifications?channel=2"}, {"verifications rare channel and state", "/verifications?channel=3&state=passed"},
		{"verifications channel and days", "/verifications?channel=2&from=2026-01-10&to=2026-01-20"},
		{"orders first", "/orders"}, {"orders deep", "/orders?before=" + deep(true)}, {"orders newer", "/orders?after=" + deep(true)}, {"orders held", "/orders?filter=held"},
		{"orders leaked", "/orders?filter=leaks"}, {"orders exempt", "/orders?filter=exempt"}, {"orders rare source", "/orders?source=ebay"}, {"orders channel and days", "/orders?channel=2&from=2026-01-10&to=2026-01-20"},
		{"orders by e-mail", "/orders?who=" + f.search}, {"orders by customer", "/orders?q=90"}, {"decisions first", "/verifications/decisions"},
	} {
		b.Run(page.name, func(b *testing.B) {
			f.get(page.path, 200)
			var all []time.Duration
			for b.Loop() {
				took, _ := f.get(page.path, 200)
				all = append(all, took)
			}
			slices.Sort(all)
			ms := func(p int) float64 { return float64(all[(len(all)-1)*p/100]) / 1e6 }
			b.ReportMetric(ms(50), "p50-ms")
			b.ReportMetric(ms(99), "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
	for _, list := range []string{"/verifications.csv", "/orders.csv", "/orders.csv?filter=held"} {
		b.Run("export "+list, func(b *testing.B) {
			took, w := f.get(list, 200) // once, however often the others are asked: it may be a million lines
			lines := strings.Count(w.Body.String(), "\r\n") - 1
			b.ReportMetric(float64(lines)/took.Seconds(), "lines/s")
			b.ReportMetric(float64(lines), "lines")
			b.ReportMetric(0, "ns/op")
		})
	}
}
