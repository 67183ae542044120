package gate

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Name is a person's name as two fields, the way both a billing address and a document give it.
type Name struct{ Given, Family string }

// compare says which field of the document's name n differs from the billing name, or "" when they match.
// Case, accents, punctuation, spacing and further given names on either side never make a difference: false mismatches
// are what shoppers complain of most. A missing name on either side is never a match.
func (n Name) compare(billing Name) Code {
	if blank(n) || blank(billing) {
		return NameUnknown
	}
	given := sameGiven(n.Given, billing.Given)
	family := same(n.Family, billing.Family)
	switch {
	case given && family:
		return ""
	case same(n.Given+n.Family, billing.Given+billing.Family), same(n.Family+n.Given, billing.Given+billing.Family):
		return "" // split or ordered differently, the same name
	case given:
		return LastNameDiffers
	case family:
		return FirstNameDiffers
	}
	return NameDiffers
}

func blank(n Name) bool { return fold(n.Given+n.Family, false) == "" }

// same compares under either way of writing umlauts without them: Müller is Muller and Mueller.
func same(a, b string) bool {
	for _, x := range []string{fold(a, false), fold(a, true)} {
		if x != "" && (x == fold(b, false) || x == fold(b, true)) {
			return true
		}
	}
	return a == b
}

// sameGiven accepts when the shorter list of given names begins the longer: “Ada” and “Ada Augusta”.
func sameGiven(a, b string) bool {
	as, bs := parts(a), parts(b)
	if len(as) == 0 || len(bs) == 0 {
		return len(as) == len(bs)
	}
	for i := range min(len(as), len(bs)) {
		if !same(as[i], bs[i]) {
			return same(a, b)
		}
	}
	return true
}

func parts(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '.' })
}

// letters that Unicode does not decompose into a base letter.
var plain = strings.NewReplacer("ß", "ss", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ı", "i", "ħ", "h")

// umlauts as German writes them where it has none.
var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe")

// fold reduces a name to comparable letters and digits.
func fold(s string, german bool) string {
	s = strings.ToLower(norm.NFKC.String(s))
	if german {
		s = umlauts.Replace(s)
	}
	s = plain.Replace(s)
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}
