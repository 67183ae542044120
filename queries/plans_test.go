package queries

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/plans.golden anew")

// generated reads the text of every query from the generated files: what is explained is what runs.
func generated(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(l.Value)
			if err != nil {
				t.Fatal(err)
			}
			if m := queryName.FindStringSubmatch(text); m != nil {
				out[m[1]] = text
			}
			return true
		})
	}
	q := reflect.TypeFor[*Queries]()
	for i := range q.NumMethod() {
		if name := q.Method(i).Name; out[name] == "" && name != "Close" && name != "WithTx" {
			t.Errorf("the text of %s was not found", name)
		}
	}
	return out
}

var parameter = regexp.MustCompile(`\?(\d+)`)

// explain is the query's plan, a line a step, indented as a tree.
func (w *world) explain(query string) []string {
	w.Helper()
	args := 0
	for _, m := range parameter.FindAllStringSubmatch(query, -1) {
		n, _ := strconv.Atoi(m[1])
		args = max(args, n)
	}
	rows, err := w.db.QueryContext(w.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, args)...)
	if err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	depth := map[int]int{0: 0}
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			w.Fatal(err)
		}
		depth[id] = depth[parent] + 1
		out = append(out, strings.Repeat("  ", depth[id])+detail)
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
	return out
}

// growing lists the tables that grow with the shops' trade: reading one of them from end to end is a defect.
var growing = []string{"asked_mails", "capabilities", "decisions", "deliveries", "events", "figures", "money_figures", "notices", "orders", "proofs", "requests", "reviews", "sessions", "shown_mailboxes", "staff_alarms", "used_tokens", "writebacks"}

// waiting are partial indexes of what waits: they are as long as the work that is left to do.
var waiting = regexp.MustCompile(` USING (COVERING )?INDEX (staff_alarms_waiting|writebacks_staff|deliveries_due|notices_due|notices_stuck|orders_due|sessions_due|writebacks_due|writebacks_stuck)( |$)`)

// long are the steps that read a table from end to end, or all that a Shop has in it.
var long = regexp.MustCompile(`^\s*(?:SCAN (\S+)|SEARCH (\S+) .*\(store_hash=\?\)).*$`)

// wholeTable finds a step that reads a growing table from end to end, or all of it that is a Shop's, and "" when there is none.
func wholeTable(query string, plan []string) string {
	for _, step := range plan {
		m := long.FindStringSubmatch(step)
		if m == nil || waiting.MatchString(step) {
			continue
		}
		for _, table := range growing {
			if m[1]+m[2] == table || regexp.MustCompile(`(?i)\b`+table+`\s+AS\s+`+regexp.QuoteMeta(m[1]+m[2])+`\b`).MatchString(query) {
				return strings.TrimSpace(step)
			}
		}
	}
	return ""
}

// mayBeLong lists the queries that read all that a Shop has, with the reason.
var mayBeLong = map[string]string{
	"NoticesSeen":           "the newest 2,000: it stops there",
	"ReplayNotices":         "the newest 10,000: it stops there",
	"ShopsWithoutKey":       "the first row: it stops there",
	"DestroyWritebacks":     "100 rows: it stops there",
	"DestroyNotices":        "100 rows: it stops there",
	"DestroyOrders":         "100 rows: it stops there",
	"DestroyDecisions":      "100 rows: it stops there",
	"DestroyProofs":         "100 rows: it stops there",
	"DestroySessions":       "100 rows: it stops there",
	"DestroyCapabilities":   "100 rows: it stops there",
	"DestroyShownMailboxes": "100 rows: it stops there",
	"DestroyAskedMails":     "100 rows: it stops there",
	"DestroyEvents":         "100 rows: it stops there",
	"DestroyFigures":        "100 rows: it stops there",
	"DestroyMoneyFigures":   "100 rows: it stops there",
	"DestroyStaffAlarms":    "100 rows: it stops there",
}

// TestPlans compares the plan of every query with testdata/plans.golden (-update writes it), and refuses one that reads a growing table
// from end to end.
func TestPlans(t *testing.T) {
	w := newWorld(t)
	texts := generated(t)
	var got bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		plan := w.explain(texts[name])
		if bad := wholeTable(texts[name], plan); (bad != "") != (mayBeLong[name] != "") {
			t.Errorf("%s reads a growing table, or a Shop's part of it, from end to end: %q; known: %q", name, bad, mayBeLong[name])
		}
		if len(plan) == 0 {
			plan = []string{"  (inserts)"}
		}
		fmt.Fprintf(&got, "%s\n%s\n\n", name, strings.Join(plan, "\n"))
	}
	golden := filepath.Join("testdata", "plans.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	old := map[string]string{}
	for _, plan := range strings.Split(strings.TrimSpace(string(want)), "\n\n") {
		name, steps, _ := strings.Cut(plan, "\n")
		old[name] = steps
	}
	for _, plan := range strings.Split(strings.TrimSpace(got.String()), "\n\n") {
		name, steps, _ := strings.Cut(plan, "\n")
		if old[name] != steps {
			t.Errorf("%s\n%s\nwant\n%s", name, steps, old[name])
		}
		delete(old, name)
	}
	for name := range old {
		t.Errorf("%s is in the golden file and not among the queries", name)
	}
}

// TestWholeTable shows that TestPlans can fail.
func TestWholeTable(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		"SELECT remark FROM notices WHERE remark = ?1":                                      "SCAN notices",
		"SELECT n.remark FROM notices AS n WHERE n.remark = ?1":                             "SCAN n",
		"SELECT t.trouble FROM (SELECT o.trouble FROM orders AS o ORDER BY o.trouble) AS t": "SCAN o",
		"SELECT count(*) FROM orders":                                                       "SCAN orders USING COVERING INDEX orders_answer",
		"SELECT id FROM notices WHERE due_at != 0":                                          "",
		"SELECT remark FROM notices WHERE id = ?1":                                          "",
		"SELECT name FROM shops WHERE name = ?1":                                            "",
		"SELECT remark FROM notices WHERE store_hash = ?1":                                  "SEARCH notices USING INDEX notices_shop (store_hash=?)",
		"SELECT remark FROM notices WHERE store_hash = ?1 AND id < ?2":                      "",
		"SELECT o.trouble FROM orders AS o WHERE o.store_hash = ?1":                         "SEARCH o USING PRIMARY KEY (store_hash=?)",
		"SELECT o.trouble FROM orders AS o WHERE o.store_hash = ?1 AND o.order_id = ?2":     "",
		"UPDATE writebacks SET state = 'done' WHERE ref = ?1":                               "SCAN writebacks",
		"DELETE FROM used_tokens WHERE jti = ?1":                                            "SCAN used_tokens",
		"SELECT p.age FROM shops AS s CROSS JOIN proofs AS p WHERE p.age > s.policy":        "SCAN p",
	} {
		if got := wholeTable(query, w.explain(query)); got != want {
			t.Errorf("%s: %q, want %q: %q", query, got, want, w.explain(query))
		}
	}
}
