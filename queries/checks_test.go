package queries

import (
	"database/sql"
	"regexp"
	"strings"
	"testing"
)

// badRows has at least one row for each CHECK of each table that only this CHECK refuses. What is not given is valid.
var badRows = map[string][]cols{
	"ledger":       {{"id": 2}, {"kind": "test"}},
	"signing_keys": {{"public": []byte("short")}},
	"shops":        {{"state": "closed", "token": []byte("t")}, {"grants": 0}, {"token": nil}, {"state": "uninstalled"}},
	"users":        {{"role": "root"}},
	"capabilities": {
		{"id": []byte("short")}, {"purpose": "order"}, {"order_id": 118}, {"purpose": "mail", "cart_id": "", "mailed": 1}, {"purpose": "mail", "order_id": 118}, {"cart_id": ""},
		{"purpose": "confirm"}, {"purpose": "mail"}, {"mailed": 1}, {"mailed": 2}, {"purpose": "mail", "mailed": 1, "mailbox": []byte{}},
	},
	"activity":        {{"seq": 0}, {"hash": []byte("short")}},
	"logos":           {{"body": make([]byte, 262145)}},
	"listed":          {{"list": "grey"}, {"customer_id": 5}, {"mailbox": []byte("short")}, {"mailbox": []byte{}}},
	"whatifs":         {{"id": 0}, {"state": "new", "due_at": 0}, {"due_at": 0}, {"state": "done"}, {"state": "cancelled"}},
	"whatif_orders":   {{"shift": "more"}},
	"page_reports":    {{"channel_id": 0}, {"missing": "door"}, {"count": 0}, {"count": 1000001}},
	"erasures":        {{"customer_id": -1}, {"customer_id": 0}, {"guest": []byte("g")}, {"clear": 2}, {"fields_v2": 2}},
	"staff_alarms":    {{"kind": "other"}, {"cause": ""}, {"what": ""}, {"mail": ""}, {"mailed_at": 0}},
	"shown_mailboxes": {{"mailbox": []byte{}}, {"way": "word"}, {"cart_id": ""}, {"order_id": 118}, {"customer_id": 5}},
	"asked_mails":     {{"kind": "letter", "code": []byte{}}, {"capability": []byte("short")}, {"cart_id": ""}, {"mailbox": []byte{}}, {"tries": 6}, {"tries": -1}, {"kind": "link"}},
	"decisions": {
		{"stage": "cart", "order_id": 0}, {"outcome": "pass"}, {"mode": "on"}, {"made_by": "us", "person": ""}, {"made_by": "rule"}, {"person": ""},
		{"order_id": 0}, {"stage": "checkout"}, {"stands": 2},
	},
	"figures":       {{"quarter": 900_001}, {"shown": -1}, {"abandoned": -1}},
	"money_figures": {{"quarter": 900_001}, {"held": -1}, {"released": -1}},
	"sessions": {
		{"ial": 4}, {"ial": -2}, {"ial": -1}, {"source": ""}, {"state": "open"}, {"capability": []byte("short")}, {"late": 2}, {"poll_at": 0}, {"over_at": 5}, {"state": "passed"}, {"state": "failed"}, {"state": "declined"},
		{"state": "expired"}, {"state": "abandoned"}, {"state": "error"},
	},
	"proofs": {
		{"ial": 4}, {"ial": -1}, {"source": "us"}, {"document": 2}, {"selfie": 2}, {"revoked_at": 0}, {"revoked_by": ""}, {"proved_at": 9, "good_until": 9},
	},
	"reviews":  {{"kind": "other"}, {"subject": ""}, {"order_id": 0}, {"cart_id": "c"}, {"order_id": 0, "cart_id": "c", "kind": "moved"}},
	"requests": {{"hold": 2}, {"person": ""}},
	"notices":  {{"state": "new", "due_at": 0}, {"due_at": 0}, {"state": "done"}, {"state": "stuck"}, {"urgency": 2}},
	"orders": {
		{"answer": "maybe"}, {"hold": "on hold"}, {"person_says": "maybe"}, {"hold": "holding", "former_status": -1}, {"former_status": -1}, {"hold": "releasing", "former_status": -1},
		{"hold": "cancelling", "former_status": -1}, {"digital": 2}, {"touched": 2}, {"kept": 2}, {"urgency": 2}, {"urgency": -1}, {"erased_at": 5},
	},
	"endpoints": {
		{"id": 0}, {"state": "open", "why": "", "off_at": 0}, {"why": "tired"}, {"unseen": 2}, {"why": ""}, {"off_at": 0}, {"state": "removed", "why": "", "off_at": 0}, {"secret": []byte{}},
		{"old_until": 0}, {"old_secret": []byte{}}, {"failing_since": 0}, {"failures": 0},
	},
	"events":     {{"payload": strings.Repeat("x", 16385)}},
	"deliveries": {{"state": "new", "due_at": 0, "leased_until": 0}, {"due_at": 0}, {"state": "done", "leased_until": 0}, {"state": "failed", "due_at": 0}, {"state": "dropped", "due_at": 0}},
	"writebacks": {{"kind": "letter"}, {"urgency": 3}, {"urgency": -1}, {"state": "new", "due_at": 0}, {"due_at": 0}, {"state": "done"}, {"state": "stuck"}, {"state": "dropped"}},
}

// goodRows has the other values that a column may have, beside the ones of valid.
var goodRows = map[string][]cols{
	"ledger":       {{"kind": "demo"}},
	"shops":        {{"state": "suspended"}, {"state": "uninstalled", "token": nil}},
	"users":        {{"role": "owner"}, {"role": "reviewer"}, {"role": "viewer"}},
	"capabilities": {{"purpose": "confirm", "cart_id": ""}, {"purpose": "mail", "cart_id": "", "order_id": 118}, {"purpose": "mail", "cart_id": "", "order_id": 118, "mailed": 1}, {"purpose": "mail", "mailed": 1}},
	"reviews": {{"kind": "in_review"}, {"kind": "tries_spent"}, {"kind": "blocked"}, {"kind": "leaked"}, {"kind": "moved"}, {"order_id": 0, "cart_id": "c"},
		{"order_id": 0, "cart_id": "c", "kind": "in_review"}},
	"requests":        {{"hold": 0}},
	"listed":          {{"list": "block"}, {"customer_id": 5, "mailbox": []byte{}}},
	"whatifs":         {{"state": "done", "due_at": 0}, {"state": "cancelled", "due_at": 0}},
	"whatif_orders":   {{"shift": "newly_gated"}, {"shift": "newly_exempt"}, {"shift": "newly_held"}, {"shift": "newly_let"}},
	"page_reports":    {{"missing": "submit_button"}, {"missing": "payment_step"}, {"missing": "checkout_app"}, {"count": 1000000}},
	"staff_alarms":    {{"kind": "orders"}, {"kind": "budget"}, {"kind": "trouble"}, {"mail": "", "mailed_at": 0}},
	"shown_mailboxes": {{"cart_id": "", "order_id": 118, "way": "link"}, {"cart_id": "", "customer_id": 5}},
	"asked_mails":     {{"kind": "link", "code": []byte{}}, {"tries": 5}},
	"decisions": {
		{"stands": 0}, {"stage": "checkout", "order_id": 0}, {"outcome": "allow"}, {"outcome": "verify"}, {"outcome": "review"}, {"outcome": "refuse"}, {"mode": "off"},
		{"mode": "shadow"}, {"made_by": "rule", "person": ""}, {"made_by": "failure", "person": ""},
	},
	"sessions": {
		{"state": "created"}, {"state": "processing"}, {"state": "review"}, {"state": "passed", "poll_at": 0}, {"state": "failed", "poll_at": 0},
		{"state": "declined", "poll_at": 0}, {"state": "expired", "poll_at": 0}, {"state": "abandoned", "poll_at": 0}, {"state": "error", "poll_at": 0}, {"late": 0},
		{"state": "passed", "poll_at": 0, "over_at": 5},
	},
	"proofs": {
		{"ial": 0}, {"ial": 3}, {"source": "policy"}, {"source": "ial_endpoint"}, {"source": "ial2_workflow"}, {"document": 0}, {"selfie": 1},
		{"revoked_at": 0, "revoked_by": ""},
	},
	"notices": {{"state": "done", "due_at": 0}, {"state": "stuck", "due_at": 0}},
	"orders": {
		{"hold": "none", "former_status": -1}, {"hold": "holding", "former_status": 0}, {"hold": "releasing"}, {"hold": "released", "former_status": -1},
		{"hold": "refused", "former_status": -1}, {"hold": "moved", "former_status": -1}, {"hold": "leaked", "former_status": -1}, {"person_says": ""},
		{"person_says": "refuse"}, {"hold": "cancelling"}, {"hold": "cancelled", "former_status": -1}, {"digital": 0}, {"touched": 1}, {"kept": 0}, {"urgency": 1},
		{"erased_at": 5, "buyer": []byte{}},
	},
	"endpoints": {{"why": "failing"}, {"state": "on", "why": "", "off_at": 0}, {"state": "paused", "why": "", "off_at": 0}, {"state": "removed", "why": "", "off_at": 0, "secret": []byte{}},
		{"unseen": 0}, {"old_until": 0, "old_secret": []byte{}}, {"failing_since": 0, "failures": 0}},
	"events":     {{"payload": strings.Repeat("x", 16384)}},
	"deliveries": {{"state": "done", "due_at": 0, "leased_until": 0}, {"state": "failed", "due_at": 0, "leased_until": 0}, {"state": "dropped", "due_at": 0, "leased_until": 0}, {"leased_until": 0}},
	"writebacks": {
		{"kind": "hold", "urgency": 0}, {"kind": "release"}, {"kind": "decision_metafield", "urgency": 1}, {"kind": "customer_attributes"},
		{"kind": "customer_fields_v2"}, {"kind": "proof_metafield"}, {"kind": "mail"}, {"kind": "cancel"}, {"kind": "cancel_note"}, {"state": "done", "due_at": 0}, {"state": "stuck", "due_at": 0}, {"state": "dropped", "due_at": 0},
	},
}

// try inserts a row, takes it back, and returns what SQLite says to it.
func (w *world) try(table string, given cols) error {
	w.Helper()
	row := w.row(table, given)
	if _, ok := given["session_id"]; !ok && table == "proofs" {
		row["session_id"] = "s"
	}
	if _, ok := given["whatif_id"]; !ok && table == "whatif_orders" {
		row["whatif_id"] = 3
	}
	if _, ok := given["store_hash"]; !ok && table == "shops" {
		row["store_hash"] = "new"
	}
	w.exec("SAVEPOINT try")
	err := w.insert(table, row)
	w.exec("ROLLBACK TO try")
	w.exec("RELEASE try")
	return err
}

var space = regexp.MustCompile(`\s+`)

// checksOf lists the CHECK expressions of a table as its migration has them.
func checksOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	var ddl string
	if err := db.QueryRowContext(t.Context(), "SELECT sql FROM sqlite_schema WHERE name = ?", table).Scan(&ddl); err != nil {
		t.Fatal(err)
	}
	ddl = regexp.MustCompile(`--.*`).ReplaceAllString(ddl, "")
	var out []string
	for {
		_, rest, ok := strings.Cut(ddl, "CHECK (")
		if !ok {
			return out
		}
		depth, end := 1, 0
		for ; depth > 0; end++ {
			switch rest[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
		}
		out = append(out, space.ReplaceAllString(rest[:end-1], " "))
		ddl = rest[end:]
	}
}

// TestChecks shows that every CHECK of the schema refuses a bad row that nothing else would refuse, and that every value a state may have
// is taken.
func TestChecks(t *testing.T) {
	w := newWorld(t)
	w.add("sessions", cols{"id": "s"})
	w.draft(3, nil)
	w.told()
	for _, table := range tables(t, w.db) {
		if err := w.try(table, nil); err != nil {
			t.Errorf("%s: the valid row is refused: %v", table, err)
		}
		for _, row := range goodRows[table] {
			if err := w.try(table, row); err != nil {
				t.Errorf("%s: %v is refused: %v", table, row, err)
			}
		}
		refused := map[string]bool{}
		for _, row := range badRows[table] {
			err := w.try(table, row)
			if err == nil {
				t.Errorf("%s: %v is taken", table, row)
				continue
			}
			_, check, ok := strings.Cut(err.Error(), "CHECK constraint failed: ")
			if !ok {
				t.Errorf("%s: %v is refused by something else: %v", table, row, err)
				continue
			}
			check, _, _ = strings.Cut(check, " (275)") // SQLite's code
			refused[space.ReplaceAllString(check, " ")] = true
		}
		for _, check := range checksOf(t, w.db, table) {
			if !refused[check] {
				t.Errorf("%s: nothing tries CHECK (%s); tried: %v", table, check, refused)
			}
			delete(refused, check)
		}
		for check := range refused {
			t.Errorf("%s: CHECK (%s) is not in the schema", table, check)
		}
	}
}

// TestStrict shows that every table is STRICT, takes no value of another type, and leaves no column of ours without a value but those that
// say so.
func TestStrict(t *testing.T) {
	w := newWorld(t)
	w.add("sessions", cols{"id": "s"})
	w.draft(3, nil)
	w.told()
	wrong := map[string]any{"INTEGER": "word", "TEXT": []byte("blob"), "BLOB": "text"}
	mayBeNull := map[string]bool{"shops.data_key": true, "shops.hook_secret": true, "shops.kosmos": true}
	for _, table := range tables(t, w.db) {
		for _, c := range w.columns(table) {
			if err := w.try(table, cols{c.name: wrong[c.kind]}); err == nil || !strings.Contains(err.Error(), "cannot store") && !strings.Contains(err.Error(), "datatype mismatch") {
				t.Errorf("%s.%s takes %#v: %v", table, c.name, wrong[c.kind], err)
			}
			if table+"."+c.name == "shops.token" {
				continue // NULL once uninstalled, as a CHECK says
			}
			// A rowid table numbers its rows itself when it is given no number.
			want := mayBeNull[table+"."+c.name] || c.name == "id" && c.kind == "INTEGER" && w.value("SELECT wr FROM pragma_table_list WHERE name = '"+table+"'") == "0"
			if err := w.try(table, cols{c.name: sql.Null[int64]{}}); (err == nil) != want {
				t.Errorf("%s.%s with NULL: %v", table, c.name, err)
			}
		}
	}
}

// TestReferences shows that nothing is stored for a Shop that does not exist, nor a Proof without its Session.
func TestReferences(t *testing.T) {
	w := newWorld(t)
	w.add("sessions", cols{"id": "s"})
	w.draft(3, nil)
	w.told()
	for _, table := range tables(t, w.db) {
		for _, c := range w.columns(table) {
			if c.name != "store_hash" || table == "shops" {
				continue
			}
			if err := w.try(table, cols{"store_hash": "nobody"}); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
				t.Errorf("%s takes a row of a Shop that does not exist: %v", table, err)
			}
		}
	}
	if err := w.try("proofs", cols{"session_id": "nobody's"}); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("a Proof without its Session: %v", err)
	}
	w.proof("p1", nil)
	if err := w.try("proofs", cols{"session_id": "of p1"}); err == nil || !strings.Contains(err.Error(), "UNIQUE") {
		t.Errorf("a second Proof of a Session: %v", err)
	}
}
