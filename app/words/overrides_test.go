package words

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"pgregory.net/rapid"
)

func TestCheckOverride(t *testing.T) {
	for _, c := range []struct {
		name, key, text, want string
	}{
		{"a text", "dialog.title", "One short check", ""},
		{"with its placeholder", "page.for_cart", "Your order at {shop}", ""},
		{"without it", "page.for_cart", "Your order", ""},
		{"markup is text", "dialog.done", "<b>Bye</b> & thanks", ""},
		{"other scripts", "dialog.title", "تحقّق ❤️ 確認", ""},
		{"right-to-left mark", "dialog.title", "Acme\u200f!", ""},
		{"a plural as a whole", "dialog.tries_left", "{count} left", ""},
		{"one of its forms", "dialog.tries_left.few", "only {count}", ""},
		{"30 characters on a button", "dialog.start", strings.Repeat("é", 30), ""},
		{"31 on a button", "dialog.start", strings.Repeat("é", 31), "the text has 31 characters; write at most 30"},
		{"100 in a subject", "mail.link.subject", strings.Repeat("x", 100), ""},
		{"101 in a subject", "mail.link.subject", strings.Repeat("x", 101), "the text has 101 characters; write at most 100"},
		{"500 in a text", "dialog.who_sees", strings.Repeat("x", 500), ""},
		{"501 in a text", "dialog.who_sees", strings.Repeat("x", 501), "the text has 501 characters; write at most 500"},
		{"no such key", "dialog.nothing", "x", "there is no text called dialog.nothing; choose one from the list"},
		{"no key at all", "", "x", "there is no text called ; choose one from the list"},
		{"a key to be repeated with care", "a\nb" + strings.Repeat("c", 99), "x", "there is no text called a b" + strings.Repeat("c", 36) + "…; choose one from the list"},
		{"a form of what has none", "dialog.title.one", "x", "there is no text called dialog.title.one; choose one from the list"},
		{"a form there is not", "dialog.tries_left.several", "x", "there is no text called dialog.tries_left.several; choose one from the list"},
		{"a joint", "common.or", "x", "there is no text called common.or; choose one from the list"},
		{"a form of a joint", "duration.days.one", "x", "there is no text called duration.days.one; choose one from the list"},
		{"the staff's mails", "alarm.leak.subject", "x", "there is no text called alarm.leak.subject; choose one from the list"},
		{"empty", "dialog.title", "", "the text is empty; write something, or remove it to use the standard text"},
		{"blank", "dialog.title", " \u00a0 ", "the text is empty; write something, or remove it to use the standard text"},
		{"not Unicode", "dialog.title", "a\xffb", "the text is not valid Unicode; type it in again"},
		{"line break", "mail.link.subject", "Hello\r\nBcc: all@example.com", "the text has a line break or a tab; write it in one line"},
		{"Unicode's line break", "dialog.title", "a\u2028b", "the text has a line break or a tab; write it in one line"},
		{"control", "dialog.title", "a\x1b[31mb", "the text has an invisible control character (U+001B); type it in again without it"},
		{"direction override", "dialog.title", "a\u202eb", "the text has an invisible control character (U+202E); type it in again without it"},
		{"isolate", "dialog.title", "a\u2066b", "the text has an invisible control character (U+2066); type it in again without it"},
		{"another text's placeholder", "dialog.title", "At {shop}", "{shop} is not filled in here; this text has none: write it without braces"},
		{"a slip", "page.for_order", "At {shpo}", "{shpo} is not filled in here; what may be used here is {order}, {shop}"},
		{"spaces within", "page.for_cart", "At { shop }", "there is a brace that belongs to no placeholder; what may be used here is {shop}"},
		{"a capital", "page.for_cart", "At {Shop}", "there is a brace that belongs to no placeholder; what may be used here is {shop}"},
		{"two braces", "page.for_cart", "At {{shop}}", "there is a brace that belongs to no placeholder; what may be used here is {shop}"},
		{"a template", "page.for_cart", "{{.}}{{range .}}", "there is a brace that belongs to no placeholder; what may be used here is {shop}"},
		{"half a brace", "dialog.title", "a } b", "there is a brace that belongs to no placeholder; this text has none: write it without braces"},
	} {
		got := ""
		if err := CheckOverride(c.key, c.text); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestKeys(t *testing.T) {
	keys := Keys()
	names := map[string]Key{}
	for i, k := range keys {
		if i > 0 && keys[i-1].Name >= k.Name {
			t.Errorf("%s comes after %s", k.Name, keys[i-1].Name)
		}
		names[k.Name] = k
		// What stands there already is fit to be a merchant's own.
		if err := CheckOverride(k.Name, k.English); err != nil {
			t.Errorf("the standard text of %s: %v", k.Name, err)
		}
	}
	for name, want := range map[string]Key{
		"dialog.start":      {"dialog.start", "Start verification", nil, false, 30},
		"dialog.tries_left": {"dialog.tries_left", "You have {count} tries left.", []string{"count"}, true, 500},
		"page.for_order":    {"page.for_order", "For your order {order} at {shop}.", []string{"order", "shop"}, false, 500},
		"mail.code.subject": {"mail.code.subject", "{code} is your code for {shop}", []string{"code", "shop"}, false, 100},
	} {
		got := names[name]
		if got.Name != want.Name || got.English != want.English || !slices.Equal(got.Placeholders, want.Placeholders) || got.Plural != want.Plural || got.Most != want.Most {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, name := range []string{"common.shop", "duration.days", "alarm.button"} {
		if names[name].Name != "" {
			t.Errorf("%s can be written by a merchant", name)
		}
	}
	// All languages' own texts would pass as a merchant's.
	for _, in := range texts().tongues {
		for key, text := range written(in) {
			if name, known := baseKey(key); known && ours(name) {
				if err := CheckOverride(key, text); err != nil {
					t.Errorf("%s: %s: %v", in.Tag, key, err)
				}
			}
		}
	}
}

func TestOverrides(t *testing.T) {
	w := For(language.German, map[string]string{
		"dialog.title":          "Kurz ausweisen bei uns",
		"page.for_order":        "<b>{order}</b> bei {shop}, {order}",
		"dialog.tries_left":     "noch {count}",
		"dialog.tries_left.one": "ein letzter Versuch",
		"dialog.done":           "mit\nUmbruch",  // refused, so it is left out
		"reason.no_proof":       "{shop} fragt.", // likewise
		"common.or":             "{list} ODER {last}",
	})
	for _, c := range []struct {
		key  string
		data Data
		want string
	}{
		{"dialog.title", nil, "Kurz ausweisen bei uns"},
		{"page.for_order", Data{"order": "7", "shop": "{order} & Co"}, "<b>7</b> bei {order} & Co, 7"},
		{"dialog.tries_left", Data{"count": 1}, "ein letzter Versuch"},
		{"dialog.tries_left", Data{"count": 4}, "noch 4"},
		{"dialog.done", nil, "Sie können diese Seite schließen."},
		{"reason.no_proof", nil, "Dieser Shop bittet Sie, Ihre Identität nachzuweisen, bevor diese Bestellung weitergehen kann."},
		{"dialog.close", nil, "Schließen"},
	} {
		if got := w.Text(c.key, c.data); got != c.want {
			t.Errorf("%s: %q, want %q", c.key, got, c.want)
		}
	}
	if got := w.either([]string{"a", "b"}); got != "a oder b" {
		t.Errorf("a joint of the language was changed: %q", got)
	}
	if d := w.Dialog(fullDialog()); d["title"] != "Kurz ausweisen bei uns" || d["tries_left"] != "noch 2" {
		t.Errorf("in the dialog: %q, %q", d["title"], d["tries_left"])
	}
	// Japanese has one form for every number; it goes by the name “other”.
	ja := For(language.Japanese, map[string]string{"dialog.tries_left.other": "残り{count}回", "dialog.tries_left.one": "残り一回"})
	if got := ja.Text("dialog.tries_left", Data{"count": 1}); got != "残り1回" {
		t.Errorf("Japanese: %q", got)
	}
}

// Whatever is accepted comes out in one line, as it was written but for what fills its placeholders.
func FuzzOverride(f *testing.F) {
	f.Add("page.for_order", "At {shop}: {order}", "Acme")
	f.Add("dialog.tries_left.one", "{count}", "{count}")
	f.Add("mail.link.subject", "<script>{order}</script>", "\r\nBcc: x")
	f.Add("dialog.title", "{{.}}", "\u202e")
	f.Add("dialog.title.", "}{", "")
	f.Fuzz(func(t *testing.T, key, text, value string) {
		err := CheckOverride(key, text)
		if err != nil && (strings.ContainsFunc(err.Error(), unicode.IsControl) || utf8.RuneCountInString(err.Error()) > 300) {
			t.Errorf("the error is not fit to be shown: %q", err)
		}
		w := For(language.English, map[string]string{key: text})
		if len(w.own) > 0 != (err == nil) {
			t.Errorf("CheckOverride says %v, For kept %d", err, len(w.own))
		}
		if err != nil {
			return
		}
		name, _ := baseKey(key)
		got := w.Text(name, Data{"shop": value, "order": value, "count": 1, "documents": value})
		if strings.ContainsFunc(got, func(r rune) bool {
			return unicode.IsControl(r) || r == '\u2028' || steers(r) && r != '\u2068' && r != '\u2069'
		}) {
			t.Errorf("%q with %q gives %q", text, value, got)
		}
		if len(placeholders(text)) == 0 && got != text && !texts().plural(name) {
			t.Errorf("%q came out as %q", text, got)
		}
	})
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		name, tag, shop, want string
	}{
		{"plain", "en", "Acme", "Back to Acme"},
		{"none", "en", "", "Back to the shop"},
		{"nothing visible", "en", "\u202e\t", "Back to the shop"},
		{"markup is text", "en", "<i>A</i>&B", "Back to <i>A</i>&B"},
		{"a placeholder is text", "en", "{shop}{order}", "Back to {shop}{order}"},
		{"line breaks", "en", "A\r\nBcc: b@example.com", "Back to A Bcc: b@example.com"},
		{"control characters", "en", "A\x00\x1b[2J\u0085B", "Back to A [2J B"},
		{"direction characters", "en", "A\u202eB\u2067C", "Back to ABC"},
		{"not Unicode", "en", "A\xff\xfeB", "Back to A\uFFFDB"},
		{"joined emoji stay", "en", "Shop 👩‍👧", "Back to Shop 👩‍👧"},
		{"long", "en", strings.Repeat("é", 121), "Back to " + strings.Repeat("é", 119) + "…"},
		{"as long as may be", "en", strings.Repeat("é", 120), "Back to " + strings.Repeat("é", 120)},
		{"endless", "en", strings.Repeat("é", 1<<20), "Back to " + strings.Repeat("é", 119) + "…"},
		{"endless blanks", "en", "AB" + strings.Repeat("\u3000", 400), "Back to AB"},
		{"Arabic in English", "en", "متجر 24", "Back to \u2068متجر 24\u2069"},
		{"Hebrew in English", "en", "חנות", "Back to \u2068חנות\u2069"},
		{"Latin in Arabic", "ar", "Acme (EU)", "العودة إلى \u2068Acme (EU)\u2069"},
		{"Arabic in Arabic", "ar", "متجر 24", "العودة إلى متجر 24"},
		{"digits in Arabic", "ar", "24", "العودة إلى 24"},
		{"Japanese in Arabic", "ar", "店", "العودة إلى \u2068店\u2069"},
		{"Japanese", "ja", "店", "店に戻る"},
	} {
		if got := For(Match(c.tag), nil).Text("page.back", Data{"shop": c.shop}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := For(language.English, nil).Text("page.for_order", Data{"order": 3.5, "shop": "A"}); got != "For your order {order} at A." {
		t.Errorf("a value of a kind that is not written: %q", got)
	}
}

// No value can do more in a text than stand in it.
func TestValuesAreHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tag := rapid.SampledFrom(Languages()).Draw(t, "language").Tag
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[{}a-z<&\r\n\x00-\x1f\x{202a}-\x{202e}\x{2066}-\x{2069}ا-ي]*`)).Draw(t, "value")
		w := For(tag, nil)
		m := w.Mail(MailLink, MailData{Shop: value, Order: value, Link: "https://x.example/v/", Detail: value})
		for _, s := range append([]string{m.Subject, m.Heading, m.Button, m.Footer}, m.Paragraphs...) {
			if strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
				t.Fatalf("%q", s)
			}
			if open, closed := strings.Count(s, "\u2068"), strings.Count(s, "\u2069"); open != closed {
				t.Fatalf("%d isolates opened, %d closed: %q", open, closed, s)
			}
			if strings.ContainsFunc(s, func(r rune) bool { return steers(r) && r != '\u2068' && r != '\u2069' }) {
				t.Fatalf("a character that steers: %q", s)
			}
			if utf8.RuneCountInString(s) > mostText+2*mostValue {
				t.Fatalf("%d characters", utf8.RuneCountInString(s))
			}
		}
	})
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     nil,
		"no {Such} { x } {} {": nil,
		"{a}{b}{a}":            {"a", "b"},
		"{{a}}":                {"a"},
		"{a{b}":                {"b"},
		"{link_until}é{é}":     {"link_until"},
		"}{a}":                 {"a"},
	} {
		if got := placeholders(text); !slices.Equal(got, want) {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}
