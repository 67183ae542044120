package words

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// staffOnly are the texts that exist in English alone.
func staffOnly(key string) bool { return strings.HasPrefix(key, "alarm.") }

func TestEveryKeyInEveryLanguage(t *testing.T) {
	english := texts().tongues[0]
	said := readCLDR(t)
	for _, in := range texts().tongues {
		t.Run(in.Tag.String(), func(t *testing.T) {
			for key := range english.messages {
				if in.messages[key] == nil && !staffOnly(key) {
					t.Errorf("%s is missing", key)
				}
			}
			for key, m := range in.messages {
				if english.messages[key] == nil || staffOnly(key) && in != english {
					t.Errorf("%s is not in English", key)
					continue
				}
				if got, want := sorted(placeholders(m.Other)), sorted(texts().known[key]); !slices.Equal(got, want) {
					t.Errorf("%s has the placeholders %q, in English %q", key, got, want)
				}
				if texts().plural(key) {
					checkForms(t, key, m, said[in.Tag.String()])
				} else if f := m.Zero + m.One + m.Two + m.Few + m.Many; f != "" {
					t.Errorf("%s has plural forms, in English it has none", key)
				}
			}
		})
	}
}

// checkForms holds a text to the forms that CLDR has in this language: each is there, and no other.
func checkForms(t *testing.T, key string, m *i18n.Message, said cldr) {
	t.Helper()
	has := map[string]string{"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many, "other": m.Other}
	needed := map[string]bool{"other": true}
	for _, form := range said.Plurals {
		needed[form] = true
	}
	for form, text := range has {
		switch {
		case needed[form] && text == "":
			t.Errorf("%s lacks the form %q", key, form)
		case !needed[form] && text != "":
			t.Errorf("%s has the form %q, which no number takes", key, form)
		case form != "one" && form != "two" && form != "zero" && text != "" && !strings.Contains(text, "{count}"):
			t.Errorf("%s does not say the number in the form %q, which many numbers take", key, form)
		}
		for _, p := range placeholders(text) {
			if !slices.Contains(texts().known[key], p) {
				t.Errorf("%s has {%s} in the form %q", key, p, form)
			}
		}
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// Plural rules come from go-i18n, numbers from x/text; ICU is asked whether they are right.
func TestNumbersAndFormsAsCLDR(t *testing.T) {
	said := readCLDR(t)
	for _, in := range texts().tongues {
		t.Run(in.Tag.String(), func(t *testing.T) {
			c := said[in.Tag.String()]
			if len(c.Plurals) < 130 || len(c.Numbers) != len(c.Plurals) {
				t.Fatalf("CLDR was asked about %d and %d numbers only", len(c.Plurals), len(c.Numbers))
			}
			for s, want := range c.Plurals {
				n, err := strconv.Atoi(s)
				if err != nil {
					t.Fatal(err)
				}
				if got := in.form(n); got != want {
					t.Errorf("%d takes %q, here %q", n, want, got)
				}
				if got := in.number(n); spaces.ReplaceAllString(got, " ") != spaces.ReplaceAllString(c.Numbers[s], " ") {
					t.Errorf("%d is written %q, here %q", n, c.Numbers[s], got)
				}
			}
			if got := in.form("nonsense"); got != "other" {
				t.Errorf("what is no number takes %q", got)
			}
		})
	}
}

// French groups by a narrow no-break space in newer versions of CLDR and by a wide one in older ones.
var spaces = regexp.MustCompile(`[\x{a0}\x{202f}]`)

// Texts that are the same in English and in another language, and rightly so.
var sameAsEnglish = map[string][]string{
	"common.comma":           {"es", "fr", "de", "nl", "it", "pt-BR"},
	"common.sentences":       {"es", "fr", "de", "nl", "it", "pt-BR", "ar"},
	"page.privacy":           {"nl", "it"},
	"duration.minutes.one":   {"fr"},
	"duration.minutes.other": {"fr"},
}

func TestNoEnglishLeft(t *testing.T) {
	english := written(texts().tongues[0])
	for _, in := range texts().tongues[1:] {
		tag := in.Tag.String()
		seen := written(in)
		for key, text := range seen {
			if same := text == english[key]; same != slices.Contains(sameAsEnglish[key], tag) {
				t.Errorf("%s: %s is %q; the same as in English: %v", tag, key, text, same)
			}
		}
	}
}

// written are all texts of a language, plural forms under their own name.
func written(in *tongue) map[string]string {
	out := map[string]string{}
	for key, m := range in.messages {
		if !texts().plural(key) {
			out[key] = m.Other
			continue
		}
		for form, text := range map[string]string{"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many, "other": m.Other} {
			if text != "" {
				out[key+"."+form] = text
			}
		}
	}
	return out
}

func TestLengths(t *testing.T) {
	for _, in := range texts().tongues {
		for key, text := range written(in) {
			name := key
			if in.messages[name] == nil {
				name = key[:strings.LastIndexByte(key, '.')]
			}
			if n := utf8.RuneCountInString(text); n > limit(name) {
				t.Errorf("%s: %s has %d characters, at most %d: %q", in.Tag, key, n, limit(name), text)
			}
		}
	}
	for _, b := range buttons {
		if texts().known[b] == nil && texts().tongues[0].messages[b] == nil {
			t.Errorf("there is no button %s", b)
		}
		if len(texts().known[b]) > 0 {
			t.Errorf("the button %s has placeholders, so that its length is not known", b)
		}
	}
}

// What every text keeps to, and its punctuation as its own language has it.
var punctuation = map[string]*regexp.Regexp{
	"":      regexp.MustCompile(`^\s|\s$|  |\.\.|[<>&\x00-\x1f]|\{[^a-z_}]|TODO`),
	"es":    regexp.MustCompile(`^[^¿]*\?|^[^¡]*!|'`),
	"fr":    regexp.MustCompile(`[^\x{a0}][:;?!]|'`),
	"de":    regexp.MustCompile(`'`),
	"nl":    regexp.MustCompile(`'`),
	"it":    regexp.MustCompile(`'`),
	"pt-BR": regexp.MustCompile(`'`),
	"ja":    regexp.MustCompile(`[ 　]|[,.!?;]`),
	"ar":    regexp.MustCompile(`[٠-٩۰-۹]|[,;?]`),
}

// Words by which a text would be on familiar terms with its reader; in Portuguese, and of Portugal, too. In Italian the capital
// of courtesy tells the reader's “Sua” from somebody else's.
var familiar = map[string][]string{
	"es":    {"tú", "tu", "tus", "te", "ti", "contigo", "vosotros", "vuestro", "vuestra"},
	"fr":    {"tu", "te", "toi", "ton", "ta", "tes"},
	"de":    {"du", "dir", "dich", "dein", "deine", "deinen", "deiner", "euch", "euer", "Du", "Dir", "Dich", "Dein", "Deine", "ihr", "ihre", "ihren", "ihrer"},
	"nl":    {"je", "jij", "jou", "jouw", "jullie", "Je", "Jouw"},
	"it":    {"tu", "ti", "tuo", "tua", "tuoi", "tue", "Tuo", "Tua", "sua", "suoi", "sue"},
	"pt-BR": {"tu", "teu", "tua", "contigo", "telemóvel", "ecrã", "utilizador", "registo", "vós"},
}

func TestManners(t *testing.T) {
	for _, in := range texts().tongues {
		tag := in.Tag.String()
		for key, text := range written(in) {
			for _, rule := range []*regexp.Regexp{punctuation[""], punctuation[tag]} {
				if rule != nil && rule.MatchString(text) {
					t.Errorf("%s: %s has %q: %q", tag, key, rule.FindString(text), text)
				}
			}
			for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
				if slices.Contains(familiar[tag], word) && !slices.Contains(ofThings[tag], key) {
					t.Errorf("%s: %s says %q: %q", tag, key, word, text)
				}
			}
		}
	}
}

// Texts in which the word is said of a thing.
var ofThings = map[string][]string{"de": {"mail.footer_asked", "reason.late"}}

func TestScript(t *testing.T) {
	latin := regexp.MustCompile(`1Kosmos|QR|ID|\{[a-z_]+\}`)
	for tag, tables := range map[string][]*unicode.RangeTable{"ja": {unicode.Hiragana, unicode.Katakana, unicode.Han}, "ar": {unicode.Arabic}} {
		for key, text := range written(texts().index[Match(tag)]) {
			if strings.HasPrefix(key, "common.") {
				continue
			}
			rest := latin.ReplaceAllString(text, "")
			if !strings.ContainsFunc(rest, func(r rune) bool { return unicode.In(r, tables...) }) {
				t.Errorf("%s: %s has no letter of the language: %q", tag, key, text)
			}
			if strings.ContainsFunc(rest, func(r rune) bool { return unicode.Is(unicode.Latin, r) }) {
				t.Errorf("%s: %s has Latin letters: %q", tag, key, text)
			}
		}
	}
}

// A key that stands twice in a file would silently win over the first.
func TestFilesHaveNoKeyTwice(t *testing.T) {
	for _, in := range texts().tongues {
		b, err := files.ReadFile("messages/active." + in.Tag.String() + ".json")
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(b))
		if err := noneTwice(d, ""); err != nil {
			t.Errorf("%s: %v", in.Tag, err)
		}
	}
}

func noneTwice(d *json.Decoder, path string) error {
	if _, err := d.Token(); err != nil { // the brace
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		key := fmt.Sprint(k)
		if seen[key] {
			return fmt.Errorf("%s%s stands twice", path, key)
		}
		seen[key] = true
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if raw[0] == '{' {
			if err := noneTwice(json.NewDecoder(bytes.NewReader(raw)), path+key+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// Every text is said somewhere.
func TestNoTextForNothing(t *testing.T) {
	used := map[string]bool{}
	for _, r := range reasons {
		used["reason."+r.text], used["next."+r.step] = true, true
	}
	for _, p := range mailKinds {
		for _, key := range append([]string{p.group + "subject", p.group + "heading", p.group + "text", p.button, p.footer}, p.paragraphs...) {
			used[key] = true
		}
	}
	for _, d := range documentKeys {
		used["need."+d.key], used["document."+d.key], used["dialog."+d.key] = true, true, true
	}
	w := For(texts().tongues[0].Tag, nil)
	for key := range w.Page(fullDialog()) {
		used["dialog."+key], used["page."+key] = true, true
	}
	others := []string{"common.shop", "common.comma", "common.or", "common.sentences", "need.documents", "need.selfie", "need.age", "need.name", "need.address",
		"page.for_order", "page.for_cart", "duration.days", "duration.hours", "duration.minutes"}
	for _, key := range others {
		used[key] = true
	}
	for _, code := range DeadLinkCodes() {
		used["link."+code+".title"], used["link."+code+".text"], used["link."+code+".next"] = true, true, true
	}
	for _, key := range slices.Sorted(maps.Keys(texts().known)) {
		if !used[key] {
			t.Errorf("%s is said nowhere", key)
		}
	}
}
