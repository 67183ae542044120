package words

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden keeps, per language, all that a shopper can read in one file, so that a change can be read whole by someone who
// speaks the language.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T, w Words) {
		file := filepath.Join("testdata", "golden", w.Lang()+".txt")
		got := everything(w)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v (go test ./app/words -update writes it)", err)
		}
		if got != string(want) {
			t.Errorf("differs from %s (go test ./app/words -update writes it anew; git diff shows how)", file)
		}
	})
}

func TestGoldenFiles(t *testing.T) {
	golden, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(golden) != len(Languages()) {
		t.Errorf("%d golden files for %d languages: %v", len(golden), len(Languages()), err)
	}
}

func everything(w Words) string {
	var b strings.Builder
	title := func(s string) { fmt.Fprintf(&b, "\n== %s ==\n\n", s) }
	fmt.Fprintf(&b, "%s, %s\n", w.Lang(), w.Dir())
	title("the dialog and the hosted page")
	page := w.Page(fullDialog())
	for _, key := range slices.Sorted(maps.Keys(page)) {
		fmt.Fprintf(&b, "%-16s %s\n", key, page[key])
	}
	title("what is needed")
	for _, kind := range [][]string{{"driver_license"}, {"passport"}, {"id_card"}, {"driver_license", "passport", "id_card"}} {
		fmt.Fprintln(&b, w.Needs(Need{Documents: kind}))
	}
	fmt.Fprintln(&b, w.Needs(Need{Selfie: true, LeastAge: 21, NameMatch: true, AddressMatch: true}))
	title("reasons and next steps")
	for _, code := range ReasonCodes() {
		r := w.Ended(Ended{Code: code, Retry: true, Documents: []string{"driver_license", "passport"}})
		fmt.Fprintf(&b, "%-24s %s\n%-24s → %s\n", code, r.Text, "", r.Next)
	}
	title("links that no longer work")
	for _, code := range DeadLinkCodes() {
		l := w.DeadLink(code)
		fmt.Fprintf(&b, "%s: %s | %s | %s\n", code, l.Title, l.Text, l.Next)
	}
	title("numbers")
	for _, key := range []string{"dialog.tries_left", "duration.days", "duration.hours", "duration.minutes", "need.age", "mail.code.valid"} {
		for _, n := range []int{0, 1, 2, 3, 11, 21, 100} {
			fmt.Fprintln(&b, w.Text(key, Data{"count": n}))
		}
	}
	for _, k := range kinds() {
		if m := w.Mail(k, fullMail(k)); m.Lang == w.Lang() {
			title("mail: " + string(k))
			fmt.Fprintf(&b, "Subject: %s\n\n%s", m.Subject, m.Text())
		}
	}
	return b.String()
}
