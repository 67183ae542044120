// Package words is what shoppers read: in the checkout's dialog, on the hosted page, on the order's confirmation and in mails, in
// nine languages.
//
// The texts stand in messages/active.{language}.json, by key. A text is plain text with placeholders in braces ({shop}); where a
// number decides its form it has CLDR's plural forms. Everything that leaves this package is plain text too: escaping is the
// view's job. What comes from outside and goes into a text (a shop's name, an order's number) is made harmless on the way:
// one line, bounded, without control characters, and kept apart when it is written in the other direction.
//
// A merchant's own texts are given to For and checked by CheckOverride. The package imports nothing of ours: it knows reasons,
// outcomes and states as the codes they are elsewhere, and a test holds its tables to the packages that make them. It reads no
// clock and keeps no state; all of it may be used at the same time.
package words

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Language is one in which there are texts.
type Language struct {
	Tag  language.Tag
	Name string // its own name for itself
	Dir  string // ltr or rtl
}

// English comes first: it is what is shown where no other language fits.
var languages = []Language{
	{language.English, "English", "ltr"},
	{language.Spanish, "Español", "ltr"},
	{language.French, "Français", "ltr"},
	{language.German, "Deutsch", "ltr"},
	{language.Dutch, "Nederlands", "ltr"},
	{language.Italian, "Italiano", "ltr"},
	{language.BrazilianPortuguese, "Português (Brasil)", "ltr"},
	{language.Japanese, "日本語", "ltr"},
	{language.Arabic, "العربية", "rtl"},
}

// Languages lists the languages, English first.
func Languages() []Language { return slices.Clone(languages) }

// Bounds on what Match reads: browsers send less than 200 bytes.
const (
	mostAccepts     = 8
	mostAcceptBytes = 256
)

// Match chooses the language to answer in. Each of accept is a language tag (“de-CH”, “pt_BR”) or a whole Accept-Language header,
// the most telling first: the page's own language, then the account's, then the browser's. The first that names a language there
// are texts in decides. What cannot be read is passed over, and where nothing is left the answer is English.
func Match(accept ...string) language.Tag {
	for _, a := range accept[:min(len(accept), mostAccepts)] {
		if len(a) > mostAcceptBytes {
			// The last tag may have been cut in two; what stands before it counts.
			a = a[:max(0, strings.LastIndexByte(a[:mostAcceptBytes], ','))]
		}
		if wanted := preferences(a); len(wanted) > 0 {
			if _, i, sure := texts().matcher.Match(wanted...); sure != language.No {
				return languages[i].Tag
			}
		}
	}
	return languages[0].Tag
}

// preferences are the languages of a header, the dearest first. Each is read by itself, so that one that nobody knows does not
// spoil the others. What is refused (q=0) is not among them.
func preferences(header string) []language.Tag {
	type wish struct {
		tag    language.Tag
		weight float32
	}
	var wishes []wish
	for part := range strings.SplitSeq(header, ",") {
		tags, weights, err := language.ParseAcceptLanguage(part)
		if err == nil && len(tags) == 1 && tags[0] != language.Und {
			wishes = append(wishes, wish{tags[0], weights[0]})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.weight, a.weight) })
	out := make([]language.Tag, len(wishes))
	for i, w := range wishes {
		out[i] = w.tag
	}
	return out
}

// Dir is the direction in which the language is written: ltr or rtl.
func Dir(tag language.Tag) string { return For(tag, nil).Dir() }

// Words are the texts of one language, with a merchant's own in the place of some of them.
type Words struct {
	in  *tongue
	own map[string]string
}

// For gives the texts of tag, which is one that Match returned; any other means the nearest there is. overrides are the merchant's
// own texts of this language by key. One that CheckOverride refuses is left out, so that a text stored long ago can do no harm.
func For(tag language.Tag, overrides map[string]string) Words {
	w := Words{in: texts().tongue(tag)}
	for key, text := range overrides {
		if CheckOverride(key, text) != nil {
			continue
		}
		if w.own == nil {
			w.own = make(map[string]string, len(overrides))
		}
		w.own[key] = text
	}
	return w
}

// Lang is the language for a page's lang attribute.
func (w Words) Lang() string { return w.in.Tag.String() }

// Dir is the direction for a page's dir attribute: ltr or rtl.
func (w Words) Dir() string { return w.in.Dir }

// Text is the text of a key with data in the place of its placeholders. A placeholder without data stays as it is written, for
// whoever fills it in later. A text with plural forms goes by data's “count”. A key that does not exist is answered with itself.
func (w Words) Text(key string, data Data) string {
	m, known := w.in.messages[key]
	if !known {
		return key
	}
	text := m.Other
	if n, ok := data["count"]; ok && texts().plural(key) {
		form := w.in.form(n)
		if own, ok := w.own[key+"."+form]; ok {
			return w.expand(own, data)
		}
		text = formOf(m, form)
	}
	if own, ok := w.own[key]; ok {
		text = own
	}
	return w.expand(text, data)
}

// sentences joins what there is of them in one line.
func (w Words) sentences(parts ...string) string {
	out := ""
	for _, p := range parts {
		switch {
		case p == "":
		case out == "":
			out = p
		default:
			out = w.in.join("common.sentences", map[string]string{"first": out, "next": p})
		}
	}
	return out
}

// either lists what there is to choose from: “a, b or c”.
func (w Words) either(items []string) string {
	out := ""
	for i, item := range items {
		switch {
		case i == 0:
			out = item
		case i == len(items)-1:
			out = w.in.join("common.or", map[string]string{"list": out, "last": item})
		default:
			out = w.in.join("common.comma", map[string]string{"list": out, "last": item})
		}
	}
	return out
}
