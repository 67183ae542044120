package queries

import (
	"maps"
	"reflect"
	"slices"
	"testing"
)

// cases are the tests of queries by the queries' names.
type cases map[string]func(*world)

// TestQueries calls every query with a different value in every parameter. What it changes is compared with all of the database before
// and after; what it reads, with every column of the row, beside rows that differ in one thing from what is asked for. A parameter that
// were bound to another column would show.
func TestQueries(t *testing.T) {
	all := cases{}
	for _, some := range []cases{houseCases, shopsCases, ordersCases, provingCases, workCases, pagesCases, eraseCases, forgetCases, mailboxesCases, activityCases, whatifCases, recordsCases, figuresCases, webhooksCases, reviewCases, reportsCases, staffCases} {
		for name, test := range some {
			if all[name] != nil {
				t.Errorf("%s has two tests", name)
			}
			all[name] = test
		}
	}
	q := reflect.TypeFor[*Queries]()
	for i := range q.NumMethod() {
		if name := q.Method(i).Name; all[name] == nil && name != "Close" && name != "WithTx" {
			t.Errorf("%s has no test", name)
		}
	}
	db := migrated(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if _, ok := q.MethodByName(name); !ok {
			t.Errorf("%s has a test and does not exist", name)
		}
		t.Run(name, func(t *testing.T) {
			w := newWorldIn(t, db)
			all[name](w)
			if !w.rec.distinct[name] {
				t.Error("never called with a different value, none of them zero, in every parameter")
			}
		})
	}
}

// TestPrepare prepares every statement, as the ledger does.
func TestPrepare(t *testing.T) {
	q, err := Prepare(t.Context(), migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(q).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsNil() && v.Type().Field(i).Name != "tx" {
			t.Errorf("%s is not prepared", v.Type().Field(i).Name)
		}
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}
