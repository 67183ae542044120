package words

import (
	"slices"

	"golang.org/x/text/language"
)

// Standard is a text as it comes in one language, with its placeholders: by its key, or by one of the forms that the language has of it.
// An unknown name is answered with nothing.
func Standard(tag language.Tag, name string) string {
	t := texts().tongue(tag)
	if m := t.messages[name]; m != nil {
		return m.Other
	}
	for _, form := range forms {
		if key, ok := cutForm(name, form); ok && t.messages[key] != nil {
			return formOf(t.messages[key], form)
		}
	}
	return ""
}

func cutForm(name, form string) (key string, ok bool) {
	n := len(name) - len(form) - 1
	if n <= 0 || name[n:] != "."+form {
		return "", false
	}
	return name[:n], true
}

// Names are the texts that a merchant may write in one language: a key, or for one that goes by a number each form that the language has.
func (k Key) Names(tag language.Tag) []string {
	if !k.Plural {
		return []string{k.Name}
	}
	var out []string
	for _, form := range FormsOf(tag) {
		out = append(out, k.Name+"."+form)
	}
	return out
}

// FormsOf are the forms that whole numbers take in a language, as CLDR names them, the one for all others last.
func FormsOf(tag language.Tag) []string {
	t := texts().tongue(tag)
	seen := map[string]bool{"other": true}
	for n := range 201 { // a language's forms all show up among the numbers that these texts count
		seen[t.form(n)] = true
	}
	var out []string
	for _, form := range forms {
		if seen[form] {
			out = append(out, form)
		}
	}
	return slices.Clip(out)
}
