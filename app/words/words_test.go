package words

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// cldr is what ICU says of one language: see testdata/cldr.js.
type cldr struct {
	Dates   []string
	Plurals map[string]string
	Numbers map[string]string
	Either  []string
	Dir     string
	Name    string
}

func readCLDR(t *testing.T) map[string]cldr {
	t.Helper()
	b, err := os.ReadFile("testdata/cldr.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]cldr
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// each runs the test in every language.
func each(t *testing.T, f func(t *testing.T, w Words)) {
	t.Helper()
	for _, l := range Languages() {
		t.Run(l.Tag.String(), func(t *testing.T) { t.Parallel(); f(t, For(l.Tag, nil)) })
	}
}

func TestLanguages(t *testing.T) {
	said := readCLDR(t)
	if len(said) != len(Languages()) {
		t.Fatalf("%d languages, CLDR was asked about %d", len(Languages()), len(said))
	}
	for _, l := range Languages() {
		c := said[l.Tag.String()]
		if !strings.EqualFold(l.Name, c.Name) {
			t.Errorf("%s calls itself %q, here %q", l.Tag, c.Name, l.Name)
		}
		if l.Dir != c.Dir || Dir(l.Tag) != c.Dir {
			t.Errorf("%s is written %s, here %s and %s", l.Tag, c.Dir, l.Dir, Dir(l.Tag))
		}
		if w := For(l.Tag, nil); w.Lang() != l.Tag.String() || w.Dir() != l.Dir {
			t.Errorf("For(%s) is %s %s", l.Tag, w.Lang(), w.Dir())
		}
	}
	Languages()[0].Name = "changed"
	if Languages()[0].Name != "English" {
		t.Error("a caller changed the list")
	}
}

func TestMatch(t *testing.T) {
	long := strings.Repeat("xx-YY,", 50)
	for _, c := range []struct {
		name   string
		accept []string
		want   string
	}{
		{"nothing", nil, "en"},
		{"empty", []string{"", ""}, "en"},
		{"exact", []string{"de"}, "de"},
		{"region", []string{"fr-CA"}, "fr"},
		{"underscore", []string{"es_MX"}, "es"},
		{"case", []string{"NL-be"}, "nl"},
		{"script", []string{"ja-Jpan-JP"}, "ja"},
		{"any Portuguese is Brazilian here", []string{"pt-PT"}, "pt-BR"},
		{"plain Portuguese", []string{"pt"}, "pt-BR"},
		{"any Arabic", []string{"ar-EG"}, "ar"},
		{"Swiss German", []string{"gsw"}, "de"},
		{"header", []string{"it-IT,it;q=0.9,en;q=0.8"}, "it"},
		{"header by weight", []string{"en;q=0.1,ja;q=0.9"}, "ja"},
		{"refused by weight", []string{"de;q=0,fr"}, "fr"},
		{"a weight that is no number", []string{"de;q=x,nl"}, "nl"},
		{"a weight beyond numbers", []string{"de;q=nan,nl;q=0.1"}, "nl"},
		{"only refused", []string{"de;q=0"}, "en"},
		{"any", []string{"*"}, "en"},
		{"undetermined", []string{"und", "de"}, "de"},
		{"the page before the browser", []string{"es", "de,en;q=0.5"}, "es"},
		{"a page in no language of ours", []string{"sv", "de"}, "de"},
		{"a header whose second will do", []string{"zh-CN,nl;q=0.5"}, "nl"},
		{"none of ours", []string{"zh", "ko", "sw"}, "en"},
		{"garbage first", []string{"<script>", "de-"}, "en"},
		{"garbage then sense", []string{"%%%%", "\x00\xff", "fr"}, "fr"},
		{"nine are too many", []string{"zh", "zh", "zh", "zh", "zh", "zh", "zh", "zh", "de"}, "en"},
		{"eight are not", []string{"zh", "zh", "zh", "zh", "zh", "zh", "zh", "de"}, "de"},
		{"long, sense first", []string{"de," + long}, "de"},
		{"long, sense beyond the bound", []string{long + "de"}, "en"},
		{"long without a comma", []string{strings.Repeat("d", 5000), "fr"}, "fr"},
		{"cut in two", []string{strings.Repeat("de-DE;q=1.0,", 21) + "fr"}, "de"},
	} {
		if got := Match(c.accept...); got.String() != c.want {
			t.Errorf("%s: %q gives %s, want %s", c.name, c.accept, got, c.want)
		}
	}
}

func TestForAnyTag(t *testing.T) {
	for tag, want := range map[string]string{"pt": "pt-BR", "de-AT": "de", "zh": "en", "und": "en", "ar-SA": "ar"} {
		if got := For(language.Make(tag), nil).Lang(); got != want {
			t.Errorf("For(%s) is %s, want %s", tag, got, want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"de", "pt_BR", "en-US,en;q=0.9,*;q=0.1", "a-b-c-d-e-f", ",,,,;q=,", "zh-Hant-TW-x-private", "\xff\x00", "i-klingon", "de;q=1e309"} {
		f.Add(s, "fr")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got := Match(a, b)
		if !slices.ContainsFunc(Languages(), func(l Language) bool { return l.Tag == got }) {
			t.Errorf("Match(%q, %q) is %s, in which there are no texts", a, b, got)
		}
		if again := Match(got.String(), a, b); again != got {
			t.Errorf("what Match chose is not chosen again: %s, then %s", got, again)
		}
	})
}

func TestTextOfUnknownKey(t *testing.T) {
	if got := For(language.German, nil).Text("dialog.nothing", Data{"count": 1}); got != "dialog.nothing" {
		t.Errorf("an unknown key is %q", got)
	}
}

func TestEither(t *testing.T) {
	said := readCLDR(t)
	// CLDR sets a comma before the last in Japanese, too; without it is as usual.
	japanese := strings.ReplaceAll(said["ja"].Either[1], "、または", "または")
	said["ja"].Either[1] = japanese
	each(t, func(t *testing.T, w Words) {
		want := said[w.Lang()].Either
		if got := w.either([]string{"a", "b"}); got != want[0] {
			t.Errorf("two: %q, want %q", got, want[0])
		}
		if got := w.either([]string{"a", "b", "c"}); got != want[1] {
			t.Errorf("three: %q, want %q", got, want[1])
		}
		if got := w.either([]string{"a"}); got != "a" {
			t.Errorf("one: %q", got)
		}
		if got := w.either([]string{"last", "list", "first"}); strings.Count(got, "list")+strings.Count(got, "last")+strings.Count(got, "first") != 3 {
			t.Errorf("items called like placeholders: %q", got)
		}
	})
}

func TestSentences(t *testing.T) {
	if got := For(language.English, nil).sentences("A.", "", "B.", "next."); got != "A. B. next." {
		t.Errorf("English: %q", got)
	}
	if got := For(language.Japanese, nil).sentences("", "甲。", "乙。"); got != "甲。乙。" {
		t.Errorf("Japanese: %q", got)
	}
	if got := For(language.English, nil).sentences(); got != "" {
		t.Errorf("none: %q", got)
	}
}
