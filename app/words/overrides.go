package words

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text lengths in characters, before placeholders are filled in. Beyond them a button breaks into lines on a phone, a subject is
// cut off, and a dialog has to be scrolled.
const (
	mostButton = 30
	mostTitle  = 100
	mostText   = 500
)

// buttons are the texts that stand on something to be pressed.
var buttons = []string{
	"dialog.start", "dialog.open_here", "dialog.retry", "dialog.close", "dialog.cancel", "dialog.send_link", "dialog.resend",
	"dialog.copy_link", "dialog.link_copied", "dialog.driver_licence", "dialog.passport", "dialog.identity_card",
	"dialog.send_code", "dialog.confirm_code", "dialog.confirm_start", "page.look_again", "page.account", "mail.button",
}

// titles are headings and subjects, by the last part of their key.
var titles = []string{"title", "failed_title", "confirm_title", "held_title", "subject", "heading"}

// Key is a text that a merchant may write in their own words.
type Key struct {
	Name         string
	English      string
	Placeholders []string // what may stand in it, without braces
	Plural       bool     // Name covers all forms; Name + ".one" and the like one of them
	Most         int      // characters
}

// Keys lists the texts that a merchant may write, by name.
func Keys() []Key {
	var out []Key
	for name, m := range texts().tongues[0].messages {
		if ours(name) {
			out = append(out, Key{Name: name, English: m.Other, Placeholders: texts().known[name], Plural: texts().plural(name), Most: limit(name)})
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// ours leaves out the joints of the language, which are no texts, and the mails to the merchant's own staff.
func ours(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	return !slices.Contains([]string{"common", "duration", "alarm"}, group)
}

func limit(name string) int {
	switch {
	case slices.Contains(buttons, name):
		return mostButton
	case slices.Contains(titles, name[strings.LastIndexByte(name, '.')+1:]):
		return mostTitle
	}
	return mostText
}

// CheckOverride says what is wrong with a merchant's own text for a key, or nil. The error is for the merchant's eyes: it is a
// sentence that says what to do. Markup is not wrong: it is text, and shown as it is written.
func CheckOverride(key, text string) error {
	name, known := baseKey(key)
	if !known {
		return fmt.Errorf("there is no text called %s; choose one from the list", shown(key))
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("the text is not valid Unicode; type it in again")
	}
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("the text is empty; write something, or remove it to use the standard text")
	}
	if n, most := utf8.RuneCountInString(text), limit(name); n > most {
		return fmt.Errorf("the text has %d characters; write at most %d", n, most)
	}
	for _, r := range text {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
			return fmt.Errorf("the text has a line break or a tab; write it in one line")
		case unicode.IsControl(r), steers(r):
			return fmt.Errorf("the text has an invisible control character (U+%04X); type it in again without it", r)
		}
	}
	return checkBraces(text, texts().known[name])
}

// checkBraces allows the key's own placeholders and no other brace, so that a slip of the pen is not shown to shoppers.
func checkBraces(text string, allowed []string) error {
	advice := "this text has none: write it without braces"
	if len(allowed) > 0 {
		advice = "what may be used here is {" + strings.Join(allowed, "}, {") + "}"
	}
	for _, name := range placeholders(text) {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("{%s} is not filled in here; %s", shown(name), advice)
		}
	}
	rest := expand(text, func(string) (string, bool) { return "", true })
	if strings.ContainsAny(rest, "{}") {
		return fmt.Errorf("there is a brace that belongs to no placeholder; %s", advice)
	}
	return nil
}

// baseKey is the key of a text, given itself or one of its plural forms.
func baseKey(key string) (name string, known bool) {
	if texts().tongues[0].messages[key] != nil {
		return key, ours(key)
	}
	dot := strings.LastIndexByte(key, '.')
	if dot < 0 || !slices.Contains(forms, key[dot+1:]) {
		return "", false
	}
	return key[:dot], texts().plural(key[:dot]) && ours(key[:dot])
}

// forms are CLDR's names for what a number can ask of a text.
var forms = []string{"zero", "one", "two", "few", "many", "other"}

// shown is what somebody typed, fit to be repeated in an error.
func shown(s string) string { return clean(s, 40) }
