package views

import "strconv"

// choice is one radio button or option: what it is called and what it does.
type choice struct{ value, label, hint string }

// control is one form field: its name, which is also its id, with the words and the error beside it.
type control struct {
	name  string
	label string
	hint  string
	value string
	err   string // a FieldError code
}

func (c control) describedBy() string { return describedBy(c.name, c.hint != "", c.err) }

// tab is one filter of a list.
type tab struct {
	value, name, url string
}

func ialChoices(unset string) []choice {
	out := []choice{
		{"0", "IAL 0 – nothing", ""},
		{"1", "IAL 1 – some evidence", ""},
		{"2", "IAL 2 – evidence matched to the person", ""},
		{"3", "IAL 3 – matched under supervision", ""},
	}
	if unset != "" {
		out[0] = choice{"", unset, ""}
	}
	return out
}

func ialText(level, source string) string {
	if level == "" {
		return ""
	}
	if source == "" {
		return "IAL " + level
	}
	return "IAL " + level + ", " + IALSourceWords(source).Short
}

func itoa(n int) string { return strconv.Itoa(n) }
