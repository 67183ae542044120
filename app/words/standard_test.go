package words

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// TestStandard: every text that a merchant may write has one to begin with, in every language and form, and it is one they could write.
func TestStandard(t *testing.T) {
	each(t, func(t *testing.T, w Words) {
		tag, n := language.Make(w.Lang()), 0
		for _, k := range Keys() {
			for _, name := range k.Names(tag) {
				n++
				text := Standard(tag, name)
				if text == "" {
					t.Errorf("%s has no text", name)
				} else if err := CheckOverride(name, text); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if n < len(Keys()) || Standard(tag, "") != "" || Standard(tag, ".one") != "" || Standard(tag, "dialog") != "" {
			t.Errorf("%d names", n)
		}
	})
	for lang, want := range map[string]string{"en": "one other", "ja": "other", "ar": "zero one two few many other", "fr": "one other"} {
		if got := strings.Join(FormsOf(language.Make(lang)), " "); got != want {
			t.Errorf("%s: %s, want %s", lang, got, want)
		}
	}
	if got := Standard(language.English, "dialog.tries_left.one"); got != "You have {count} try left." {
		t.Errorf("%q", got)
	}
	if k := Keys()[slices.IndexFunc(Keys(), func(k Key) bool { return k.Name == "need.age" })]; !slices.Equal(k.Names(language.English), []string{"need.age.one", "need.age.other"}) {
		t.Errorf("%q", k.Names(language.English))
	}
}
