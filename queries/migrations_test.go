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
