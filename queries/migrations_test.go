package queries

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// before00002 is a database as 00001 made it, with rows in every table: orders in every hold state, Writebacks of every kind and state,
// Sessions in every state, Notices in every state.
func before00002(t *testing.T) (*world, *goose.Provider) {
	t.Helper()
	db, p := unmigrated(t)
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w := newWorldIn(t, db)
	for _, state := range []string{"suspended", "uninstalled"} {
		given := cols{"store_hash": state, "state": state}
		if state == "uninstalled" {
			given["token"] = nil
		}
		w.add("shops", given)
	}
	for _, table := range []string{"ledger", "signing_keys", "published_scripts", "users", "logins", "used_tokens", "policies", "capabilities"} {
		w.add(table, nil)
	}
	for i, hold := range []string{"none", "holding", "held", "releasing", "released", "refused", "moved", "leaked"} {
		w.order(100+i, cols{"hold": hold, "decision_id": fmt.Sprint("latest ", i)})
		w.add("decisions", cols{"id": fmt.Sprint("latest ", i), "order_id": 100 + i})
		w.add("decisions", cols{"id": fmt.Sprint("former ", i), "order_id": 100 + i})
		w.add("decisions", cols{"id": fmt.Sprint("cart ", i), "order_id": 0, "stage": "checkout"})
	}
	w.order(100, cols{"hold": "held", "store_hash": "xyz", "decision_id": ""})
	states := func(table string, all ...string) {
		for _, state := range all {
			given := cols{"state": state}
			if state != "pending" {
				given["due_at"] = 0
			}
			w.add(table, given)
		}
	}
	states("notices", "pending", "done", "stuck")
	states("writebacks", "pending", "done", "stuck", "dropped")
	for _, kind := range []string{"hold", "release", "note", "decision_metafield", "customer_attributes", "customer_fields_v2", "proof_metafield"} {
		w.add("writebacks", cols{"kind": kind})
	}
	for _, state := range []string{"created", "started", "processing", "review"} {
		w.add("sessions", cols{"id": state, "state": state})
	}
	for _, state := range []string{"passed", "failed", "declined", "expired", "abandoned", "error"} {
		w.add("sessions", cols{"id": state, "state": state, "poll_at": 0, "changed_at": 50})
	}
	w.add("proofs", cols{"session_id": "passed", "proved_at": 50, "good_until": 70})
	return w, p
}

// TestMigrate00002: everything that 00001 held is kept as it was, and what is new says what it says of everything from before.
func TestMigrate00002(t *testing.T) {
	w, p := before00002(t)
	for _, table := range tables(t, w.db) {
		if w.value("SELECT count(*) FROM "+table) == "0" {
			t.Errorf("%s is empty: nothing is tried", table)
		}
	}
	before := w.snapshot()
	if _, err := p.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	w.cols = map[string][]column{}
	after := w.snapshot()
	fresh := map[string]cols{
		"shops": {"suspended_at": "0", "probe_at": "0", "suspected_at": "0", "settings": "{}"},
		"orders": {"digital": "0", "holds": "0", "reheld": "0", "touched": "0", "alarmed_at": "0", "cancel_at": "0", "called_at": "0", "kept": "0", "wake_at": "0",
			"erased_at": "0", "urgency": "0"},
		"writebacks":   {"handed_at": "0"},
		"decisions":    {"stands": "0"},
		"sessions":     {"over_at": "0"},
		"capabilities": {"mailed": "0", "locale": ""},
	}
	special := map[string]cols{"sessions passed": {"over_at": "70"}} // its Proof is good until then
	for _, id := range []string{"failed", "declined", "expired", "abandoned", "error"} {
		special["sessions "+id] = cols{"over_at": "50"}
	}
	for i := range 8 {
		special[fmt.Sprint("decisions latest ", i)] = cols{"stands": "1"}
	}
	for key, row := range after {
		old, ok := before[key]
		if !ok {
			t.Errorf("%s has appeared", key)
		}
		table, _, _ := strings.Cut(key, " ")
		for c, v := range row {
			want, ok := old[c]
			if !ok {
				want, ok = fresh[table][c]
			}
			if s, is := special[key][c]; is {
				want = s
			}
			if !ok || v != want {
				t.Errorf("%s.%s is %v, want %v", key, c, v, want)
			}
		}
		for c := range old {
			if _, ok := row[c]; !ok {
				t.Errorf("%s has lost %s", key, c)
			}
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			t.Errorf("%s is gone", key)
		}
	}
	if got := w.value("PRAGMA integrity_check"); got != "ok" {
		t.Error(got)
	}
	for _, table := range tables(t, w.db) {
		if got := w.value(fmt.Sprintf("SELECT count(*) FROM pragma_foreign_key_check('%s')", table)); got != "0" {
			t.Errorf("%s rows of %s refer to nothing", got, table)
		}
	}
}

// TestMigrate00003: Capabilities of every purpose are kept as they were; none of them was in a mail alone.
func TestMigrate00003(t *testing.T) {
	db, p := unmigrated(t)
	if _, err := p.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	w := newWorldIn(t, db)
	for purpose, given := range map[string]cols{"cart": {}, "confirm": {"cart_id": ""}, "mail": {"cart_id": "", "order_id": 118}} {
		all := cols{"id": fmt.Appendf(nil, "%-16s", purpose), "purpose": purpose, "mailed": nil, "locale": nil, "channel_id": nil}
		for k, v := range given {
			all[k] = v
		}
		w.add("capabilities", all)
	}
	before := w.snapshot()
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.cols = map[string][]column{}
	after := w.snapshot()
	for _, purpose := range []string{"cart", "confirm", "mail"} {
		key := fmt.Sprintf("capabilities %-16s", purpose)
		old, row := before[key], after[key]
		if len(old) == 0 || len(row) != len(old)+3 || row["mailed"] != "0" || row["locale"] != "" || row["channel_id"] != "0" {
			t.Errorf("%s: %v became %v", purpose, old, row)
		}
		for c, v := range old {
			if row[c] != v {
				t.Errorf("%s.%s is %v, want %v", purpose, c, row[c], v)
			}
		}
	}
}

// TestMigrate00007: the figures of what happened before are counted from the rows that are left of it, and what lists filter by is read
// from Proofs, orders and Decisions.
func TestMigrate00007(t *testing.T) {
	db, p := unmigrated(t)
	if _, err := p.UpTo(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	w := newWorldIn(t, db)
	w.exec("UPDATE shops SET currency = 'USD'")
	const at = 1_000_000 // in the second quarter of an hour
	cart := func(id, cart string, when int, given cols) {
		all := cols{"id": id, "stage": "checkout", "order_id": 0, "cart_id": cart, "outcome": "verify", "mode": "enforce", "made_at": when}
		for k, v := range given {
			all[k] = v
		}
		w.add("decisions", all)
	}
	cart("c1", "cart 1", at, nil)
	cart("c2", "cart 1", at+q3, nil) // the same cart again
	cart("c3", "cart 3", at, cols{"mode": "shadow"})
	cart("c4", "cart 4", at, cols{"outcome": "allow"})
	old := cols{"ial": nil, "source": nil, "moves": nil}
	session := func(id, state string, ended int) {
		all := cols{"id": id, "state": state, "started_at": at, "changed_at": ended, "poll_at": 0}
		if ended == 0 {
			all["poll_at"] = 9
		}
		for k, v := range old {
			all[k] = v
		}
		w.add("sessions", all)
	}
	for id, state := range map[string]string{"s1": "passed", "s2": "failed", "s3": "declined", "s4": "error", "s5": "abandoned", "s6": "expired"} {
		session(id, state, at+q1)
	}
	session("s7", "review", 0)
	w.add("proofs", cols{"id": "p1", "session_id": "s1", "ial": 2, "source": "oidc", "proved_at": at, "good_until": 2 * at})
	order := func(id int, given cols) {
		all := cols{"answer": nil, "channel": nil, "shop_minor": nil, "shop_currency": nil, "currency": "USD", "value_minor": 100, "held_at": 0, "hold": "none", "decision_id": "", "cart_id": ""}
		for k, v := range given {
			all[k] = v
		}
		w.order(id, all)
	}
	decided := func(id, outcome, why string, when int) {
		w.add("decisions", cols{"id": id, "order_id": 9, "outcome": outcome, "explanation": why, "made_at": when, "cart_id": ""})
	}
	decided("d1", "allow", `{"reasons":[{"code":"proof_ok"}]}`, at+q2)
	decided("d2", "allow", `{"reasons":[{"code":"exempt","detail":"Staff"}]}`, at)
	decided("d3", "hold", `{"reasons":null}`, at)
	decided("d4", "allow", "not JSON", at)
	order(1, cols{"held_at": at, "hold": "released", "decision_id": "d1"})                                      // no cart: asked by its hold
	order(2, cols{"held_at": at, "hold": "held", "decision_id": "d3", "cart_id": "cart 1", "value_minor": 250}) // asked as a cart
	order(3, cols{"held_at": at, "hold": "held", "decision_id": "d3", "currency": "EUR", "value_minor": 70})
	order(4, cols{"decision_id": "d2"})
	order(5, cols{"decision_id": "d4", "currency": ""})
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT group_concat(quarter || ' ' || shown || ' ' || started || ' ' || passed || ' ' || failed || ' ' || abandoned, '; ' ORDER BY quarter) FROM figures":                            "900000 3 7 0 0 0; 1800000 0 0 1 3 2",
		"SELECT group_concat(currency || ' ' || quarter || ' ' || held || ' ' || held_minor || ' ' || released || ' ' || released_minor, '; ' ORDER BY currency, quarter) FROM money_figures": "EUR 900000 1 70 0 0; USD 900000 2 350 0 0; USD 2700000 0 0 1 100",
		"SELECT group_concat(order_id || ' ' || answer || ' ' || shop_minor || shop_currency || ' ' || channel, '; ' ORDER BY order_id) FROM orders":                                          "1 allow 100USD 0; 2 hold 250USD 0; 3 hold 0 0; 4 exempt 100USD 0; 5 allow 0 0",
		"SELECT group_concat(id || ' ' || ial || source || ' ' || moves, '; ' ORDER BY id) FROM sessions WHERE id < 's3'":                                                                     "s1 2oidc []; s2 -1 []",
		"PRAGMA integrity_check": "ok",
	} {
		if got := w.value(query); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}
