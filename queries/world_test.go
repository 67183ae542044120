package queries

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver
)

// cols are a row's columns by name.
type cols map[string]any

// world is a migrated database in memory with two Shops, abc and xyz, and the queries over a recorder.
type world struct {
	*testing.T
	q    *Queries
	db   *sql.DB
	rec  *recorder
	next int64
	cols map[string][]column // of tables, once asked for
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, migrated(t))
}

// newWorldIn empties db, which spares its migration where there are many worlds, one after the other.
func newWorldIn(t *testing.T, db *sql.DB) *world {
	t.Helper()
	w := &world{T: t, db: db, next: 1000, cols: map[string][]column{}}
	w.exec("PRAGMA ignore_check_constraints = OFF")
	w.exec("PRAGMA foreign_keys = OFF")
	for _, table := range tables(t, db) {
		w.exec("DELETE FROM " + table)
	}
	w.exec("PRAGMA foreign_keys = ON")
	w.rec = &recorder{DBTX: w.db, distinct: map[string]bool{}}
	w.q = New(w.rec)
	for _, hash := range []string{"abc", "xyz"} {
		w.add("shops", cols{"store_hash": hash})
	}
	return w
}

// migrated opens an empty database with the real migrations.
func migrated(t *testing.T) *sql.DB {
	t.Helper()
	db, p := unmigrated(t)
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// unmigrated opens an empty database, and what migrates it.
func unmigrated(t *testing.T) (*sql.DB, *goose.Provider) {
	t.Helper()
	db, err := sql.Open("sqlite", "file::memory:?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	dir, err := fs.Sub(Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	return db, p
}

// recorder notes which queries were called with a different value, none of them a zero value, in every parameter.
type recorder struct {
	DBTX
	distinct map[string]bool
}

var queryName = regexp.MustCompile(`(?m)^-- name: (\w+) :`)

func (r *recorder) note(query string, args []any) {
	seen := map[string]bool{"": true, "0": true, "<nil>": true}
	for _, a := range args {
		s := fmt.Sprint(a)
		if b, ok := a.([]byte); ok {
			s = string(b)
		}
		if seen[s] {
			return
		}
		seen[s] = true
	}
	r.distinct[queryName.FindStringSubmatch(query)[1]] = true
}

func (r *recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.note(query, args)
	return r.DBTX.ExecContext(ctx, query, args...)
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.note(query, args)
	return r.DBTX.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.note(query, args)
	return r.DBTX.QueryRowContext(ctx, query, args...)
}

// valid is what a table's CHECKs want of columns that add would otherwise fill with anything.
var valid = map[string]cols{
	"ledger":          {"id": 1, "kind": "real"},
	"signing_keys":    {"public": []byte("public key of exactly 32 bytes..")},
	"shops":           {"state": "installed"},
	"users":           {"role": "manager", "removed_at": 0},
	"capabilities":    {"id": []byte("id of sixteen...")[:16], "purpose": "cart", "order_id": 0, "mailed": 0},
	"shown_mailboxes": {"cart_id": "c1", "order_id": 0, "customer_id": 0, "way": "code"},
	"asked_mails":     {"kind": "code", "capability": []byte("a capability's id")[:16], "tries": 0},
	"decisions":       {"stage": "order", "outcome": "hold", "mode": "enforce", "made_by": "person", "stands": 1},
	"sessions":        {"ial": 2, "source": "oidc", "moves": "[]", "state": "started", "capability": []byte("a capability's id")[:16], "late": 1, "over_at": 0},
	"proofs":          {"ial": 2, "source": "oidc", "document": 1, "selfie": 0},
	"notices":         {"state": "pending", "urgency": 1},
	"activity":        {"hash": []byte("a hash of exactly 32 bytes......")},
	"listed":          {"customer_id": 0, "mailbox": mailbox32(0), "list": "allow"},
	"figures":         {"quarter": 900_000},
	"money_figures":   {"quarter": 900_000},
	"whatifs":         {"state": "running"},
	"whatif_orders":   {"shift": "same"},
	"page_reports":    {"missing": "order_call"},
	"erasures":        {"guest": []byte{}, "clear": 1, "fields_v2": 0},
	"staff_alarms":    {"kind": "review", "mail": "m"},
	"orders":          {"answer": "hold", "hold": "held", "person_says": "release", "digital": 1, "touched": 0, "kept": 1, "erased_at": 0, "urgency": 0},
	"reviews":         {"kind": "late", "order_id": 118, "cart_id": ""},
	"requests":        {"hold": 1},
	"writebacks":      {"kind": "note", "urgency": 2, "state": "pending"},
	"endpoints":       {"state": "off", "why": "gone", "unseen": 1},
	"deliveries":      {"state": "pending", "endpoint_id": 3, "event_id": 4},
}

// row is a row of Shop abc whose every column has a value of its own, but for what is given. A given nil leaves the column's default.
func (w *world) row(table string, given cols) cols {
	w.Helper()
	row := cols{}
	for _, c := range w.columns(table) {
		v, ok := given[c.name]
		if !ok {
			v, ok = valid[table][c.name]
		}
		w.next++
		switch {
		case ok && v == nil:
			continue
		case ok:
			row[c.name] = v
		case c.name == "store_hash":
			row[c.name] = "abc"
		case c.kind == "INTEGER":
			row[c.name] = w.next
		case c.kind == "TEXT":
			row[c.name] = fmt.Sprintf("t%d", w.next)
		case c.kind == "BLOB":
			row[c.name] = fmt.Appendf(nil, "b%d", w.next)
		}
	}
	for name, v := range given {
		if _, ok := row[name]; !ok && v != nil {
			w.Fatalf("%s has no column %s", table, name)
		}
	}
	return row
}

func (w *world) insert(table string, row cols) error {
	names := slices.Sorted(maps.Keys(row))
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = row[name]
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")
	_, err := w.db.ExecContext(w.Context(), fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ","), marks), values...)
	return err
}

// add inserts a row.
func (w *world) add(table string, given cols) cols {
	w.Helper()
	row := w.row(table, given)
	if err := w.insert(table, row); err != nil {
		w.Fatalf("adding to %s: %v", table, err)
	}
	return row
}

func (w *world) exec(query string, args ...any) {
	w.Helper()
	if _, err := w.db.ExecContext(w.Context(), query, args...); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
}

type column struct {
	name, kind string
	key        bool
}

func (w *world) columns(table string) []column {
	w.Helper()
	if known, ok := w.cols[table]; ok {
		return known
	}
	rows, err := w.db.QueryContext(w.Context(), "SELECT name, type, pk > 0 FROM pragma_table_info(?)", table)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.key); err != nil {
			w.Fatal(err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil || len(out) == 0 {
		w.Fatalf("columns of %s: %v", table, err)
	}
	w.cols[table] = out
	return out
}

// tables lists our own tables.
func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// show is a value as the expectations write it: numbers bare, text and blobs as they read.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v) // also for an empty one, which comes as nil
	case sql.NullString:
		if !v.Valid {
			return "NULL"
		}
		return v.String
	}
	return fmt.Sprint(v)
}

// snapshot is every row of every table: "table key" → column → value.
func (w *world) snapshot() map[string]cols {
	w.Helper()
	out := map[string]cols{}
	for _, table := range tables(w.T, w.db) {
		columns := w.columns(table)
		rows, err := w.db.QueryContext(w.Context(), "SELECT * FROM "+table)
		if err != nil {
			w.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				w.Fatal(err)
			}
			row, key := cols{}, []string{}
			for i, c := range columns {
				row[c.name] = show(values[i])
				if c.key {
					key = append(key, show(values[i]))
				}
			}
			out[table+" "+strings.Join(key, "/")] = row
		}
		if err := rows.Err(); err != nil {
			w.Fatal(err)
		}
		_ = rows.Close()
	}
	return out
}

// changes asserts everything that do changes in the whole database, line by line and in any order:
//
//	orders abc/118 due_at: 5 -> 9
//	- logins l1
//	+ logins l1: expires_at=9 id=l1 made_at=5 store_hash=abc user_id=7
func (w *world) changes(do func() error, want ...string) {
	w.Helper()
	before := w.snapshot()
	if err := do(); err != nil {
		w.Fatal(err)
	}
	after := w.snapshot()
	var got []string
	for key, row := range after {
		old, known := before[key]
		var all []string
		for c, v := range row {
			if known && v != old[c] {
				got = append(got, fmt.Sprintf("%s %s: %s -> %s", key, c, old[c], v))
			}
			all = append(all, fmt.Sprintf("%s=%s", c, v))
		}
		if !known {
			slices.Sort(all)
			got = append(got, "+ "+key+": "+strings.Join(all, " "))
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			got = append(got, "- "+key)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// affects is changes for a query that says how many rows it changed.
func (w *world) affects(n int64, do func() (int64, error), want ...string) {
	w.Helper()
	w.changes(func() error {
		got, err := do()
		if got != n {
			w.Errorf("%d rows affected, want %d", got, n)
		}
		return err
	}, want...)
}

// Words that a field's name has in other letters than its column.
var initials = strings.NewReplacer("ID", "Id", "Url", "Url")

func snake(field string) string {
	var b bytes.Buffer
	for i, r := range initials.Replace(field) {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// is asserts that every field of the struct got has the value of the column of its name in row, or in a later one.
func (w *world) is(got any, row ...cols) {
	w.Helper()
	v := reflect.ValueOf(got)
	for i := range v.NumField() {
		name := snake(v.Type().Field(i).Name)
		found := false
		for _, r := range row {
			if want, ok := r[name]; ok {
				found = true
				if g := show(v.Field(i).Interface()); g != show(want) {
					w.Errorf("%s.%s = %s, want %s", v.Type(), v.Type().Field(i).Name, g, show(want))
				}
				break
			}
		}
		if !found {
			w.Errorf("%s: no column %s", v.Type(), name)
		}
	}
}

// are asserts that the query found exactly these rows, in this order.
func are[T any](w *world, got []T, err error, rows ...cols) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	if len(got) != len(rows) {
		w.Fatalf("%d rows, want %d: %+v", len(got), len(rows), got)
	}
	for i := range got {
		w.is(got[i], rows[i])
	}
}

// one asserts that the query found this row.
func one[T any](w *world, got T, err error, row ...cols) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	w.is(got, row...)
}

// equal asserts a plain result.
func equal[T any](w *world, got T, err error, want T) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got %+v, want %+v", got, want)
	}
}

// none asserts that the query finds nothing.
func none[T any](w *world, got T, err error) {
	w.Helper()
	if err != sql.ErrNoRows {
		w.Errorf("got %+v, %v; want no row", got, err)
	}
}
