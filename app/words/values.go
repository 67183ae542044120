package words

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// Data fills placeholders, by name. A string is made harmless, an int is written as the language writes numbers, a time.Time as a
// date and a clock time in its own zone, a time.Duration in days, hours or minutes. Anything else is left out.
type Data map[string]any

// Bounds on a value in a text, in characters: a name, and what an alarm tells of an order, which is a sentence or two.
const (
	mostValue  = 120
	mostDetail = 500
)

func (w Words) expand(text string, data Data) string {
	return expand(text, func(name string) (string, bool) {
		switch v := data[name].(type) {
		case string:
			most := mostValue
			if name == "detail" {
				most = mostDetail
			}
			if v = clean(v, most); v == "" && name == "shop" {
				v = w.in.messages["common.shop"].Other
			}
			return w.isolate(v), true
		case int:
			return w.in.number(v), true
		case time.Time:
			return moment(w.in.Tag, v), true
		case time.Duration:
			return w.Duration(v), true
		}
		return "", false
	})
}

// expand replaces {name} by what value says, once: what has been filled in is not looked at again. A brace that belongs to no
// placeholder is text.
func expand(text string, value func(name string) (string, bool)) string {
	var b strings.Builder
	for {
		name, at := placeholder(text)
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := at + len(name) + 2
		b.WriteString(text[:at])
		if v, ok := value(name); ok {
			b.WriteString(v)
		} else {
			b.WriteString(text[at:end])
		}
		text = text[end:]
	}
}

// placeholder finds the first {name} of small letters and underscores; at is -1 when there is none.
func placeholder(text string) (name string, at int) {
	open := -1
	for i := range len(text) {
		switch c := text[i]; {
		case c == '{':
			open = i
		case c == '}' && open >= 0 && i > open+1:
			return text[open+1 : i], open
		case c != '_' && (c < 'a' || c > 'z'):
			open = -1
		}
	}
	return "", -1
}

// placeholders lists those of a text, each once.
func placeholders(text string) []string {
	var out []string
	expand(text, func(name string) (string, bool) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
		return "", true
	})
	return out
}

// clean makes one line of at most most characters, without anything that steers a terminal, a mail header or the direction of
// the text around it.
func clean(s string, most int) string {
	if end := 4*most + 64; len(s) > end {
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case steers(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		s = strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return s
}

// steers reports the characters that change the direction of what follows them.
func steers(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// isolate keeps a value that is written in the other direction from pulling its surroundings along, by Unicode's FSI and PDI.
// Others stay untouched, so that a mail's subject has none of them without need.
func (w Words) isolate(v string) string {
	foreign := func(r rune) bool {
		p, _ := bidi.LookupRune(r)
		if w.in.Dir == "rtl" {
			return p.Class() == bidi.L
		}
		return p.Class() == bidi.R || p.Class() == bidi.AL
	}
	if strings.ContainsFunc(v, foreign) {
		return "\u2068" + v + "\u2069"
	}
	return v
}
