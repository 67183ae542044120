package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// column is one column of one of our tables.
type column struct {
	table, name string
	key         bool
}

// columns lists every column of every table of ours, as the file has them.
func (r *rig) columns() (out []column) {
	r.Helper()
	rows, err := r.l.readDB.QueryContext(context.Background(), `SELECT t.name, c.name, c.pk > 0 FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'goose%' ORDER BY t.name, c.cid`)
	r.ok(err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c column
		r.ok(rows.Scan(&c.table, &c.name, &c.key))
		out = append(out, c)
	}
	r.ok(rows.Err())
	return out
}

// row is one row: its columns' values as they read.
type row map[string]string

// show is a value as expectations write it: blobs that are no text in hex.
func show(v any) string {
	b, ok := v.([]byte)
	switch {
	case !ok && v == nil:
		return "NULL"
	case !ok:
		return fmt.Sprint(v)
	case utf8.Valid(b):
		return string(b)
	}
	return hex.EncodeToString(b)
}

// rows is everything that the file holds: "table key" → column → value.
func (r *rig) rows() map[string]row {
	r.Helper()
	byTable := map[string][]column{}
	for _, c := range r.columns() {
		byTable[c.table] = append(byTable[c.table], c)
	}
	out := map[string]row{}
	for table, columns := range byTable {
		if table == "activity" {
			continue // every act has its line there; TestActivity holds that
		}
		rows, err := r.l.readDB.QueryContext(context.Background(), "SELECT * FROM "+table)
		r.ok(err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			r.ok(rows.Scan(into...))
			one, key := row{}, []string{}
			for i, c := range columns {
				one[c.name] = show(values[i])
				if c.key {
					key = append(key, one[c.name])
				}
			}
			out[table+" "+strings.Join(key, "/")] = one
		}
		r.ok(rows.Err())
		r.ok(rows.Close())
	}
	return out
}

// changed is everything that differs between two states of the file, sorted: "orders abc123/118 due_at: 5 -> 9", "- logins l1",
// "+ logins l1", and what is new with all its columns.
func changed(before, after map[string]row) (out []string) {
	for key, now := range after {
		was, known := before[key]
		var all []string
		for c, v := range now {
			if known && v != was[c] {
				out = append(out, fmt.Sprintf("%s %s: %s -> %s", key, c, was[c], v))
			}
			all = append(all, c+"="+v)
		}
		if !known {
			slices.Sort(all)
			out = append(out, "+ "+key+": "+strings.Join(all, " "))
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			out = append(out, "- "+key)
		}
	}
	slices.Sort(out)
	return out
}

// changes asserts everything that do changes in the whole file, in any order.
func (r *rig) changes(do func() error, want ...string) {
	r.Helper()
	before := r.rows()
	r.ok(do())
	got := changed(before, r.rows())
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// on prefixes the changes of one row.
func on(key string, changes ...string) []string {
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = key + " " + c
	}
	return out
}

// at is a moment as the file has it.
func (r *rig) at() string { return fmt.Sprint(millis(r.now)) }
