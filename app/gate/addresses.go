package gate

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Address is what is compared of an address: the street lines together, the postcode and the country. City and state are left out:
// they are spelled too freely, and the postcode implies them.
type Address struct{ Street, Postcode, Country string }

// What of an address differs, as the Detail of AddressDiffers.
const (
	CountryPart  = "country"
	PostcodePart = "postcode"
	StreetPart   = "street"
)

// compare says whether a, the document's address, is one of the order's: its billing address or any that it ships to. One is enough.
//
// Two addresses are the same when
//   - their countries do not contradict each other. A country is read from its ISO 3166 code of two or three letters; where either side
//     has none that can be read, the country says nothing. Territories that share their state's postcodes and documents are that state;
//   - their postcodes are equal but for case, spaces and hyphens. Of a US code only the first five digits count;
//   - every number in the document's street, with the letter after it if there is one (“221B”), is in the order's street lines too.
//     The order may have more numbers: a flat that the document leaves out. Where the document's street has no number, the two must
//     have one word in common, of at least three letters, that is no word for streets in general.
//
// Beside a postcode and the house number the words of a street are not compared. “St”, “Street”, “Saint”, a street's name in another
// language and the clerk's own abbreviations would refuse honest buyers. The price: the same number in another street of the same
// postcode is taken for the document's.
//
// A document without a street or a postcode matches nothing: AddressUnknown, as where no address of the order has both. Otherwise what
// differs is told of the address that comes nearest: in its street, else its postcode, else its country.
func (a Address) compare(order []Address) (why Reason, ok bool) {
	if a.incomplete() {
		return Reason{Code: AddressUnknown}, false
	}
	why = Reason{Code: AddressUnknown}
	for _, o := range order {
		if o.incomplete() {
			continue
		}
		switch {
		case contradict(a.Country, o.Country):
			if why.Code == AddressUnknown {
				why = Reason{AddressDiffers, CountryPart}
			}
		case a.postcode(o) != o.postcode(a):
			if why.Detail != StreetPart {
				why = Reason{AddressDiffers, PostcodePart}
			}
		case !sameStreet(a.Street, o.Street):
			why = Reason{AddressDiffers, StreetPart}
		default:
			return Reason{}, true
		}
	}
	return why, false
}

func (a Address) incomplete() bool {
	return fold(a.Street, false) == "" || fold(a.Postcode, false) == ""
}

// postcode is a's postcode as it is compared with that of b: a US code is known by the country of either.
func (a Address) postcode(b Address) string {
	code := plainPostcode(norm.NFKC.String(strings.TrimSpace(a.Postcode)))
	if us := countryOf(a.Country) == "US" || countryOf(b.Country) == "US"; us && len(code) == 9 {
		return code[:5]
	}
	return code
}

func contradict(a, b string) bool {
	x, y := countryOf(a), countryOf(b)
	return x != "" && y != "" && x != y
}

// territories share the postcodes and the documents of a state that has another code.
var territories = map[string]string{
	"AS": "US", "GU": "US", "MP": "US", "PR": "US", "VI": "US",
	"BL": "FR", "GF": "FR", "GP": "FR", "MF": "FR", "MQ": "FR", "PM": "FR", "RE": "FR", "YT": "FR",
}

// countryOf is the two-letter code of a country, or nothing where s is no code of one.
func countryOf(s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 2 && len(s) != 3 {
		return ""
	}
	r, err := language.ParseRegion(s)
	if err != nil {
		return ""
	}
	r = r.Canonicalize()
	if !r.IsCountry() {
		return ""
	}
	code := r.String()
	if state, ok := territories[code]; ok {
		return state
	}
	return code
}

// sameStreet reports whether an order's street may be the document's; see compare.
func sameStreet(document, order string) bool {
	numbers, words := readStreet(document)
	orderNumbers, orderWords := readStreet(order)
	if len(numbers) > 0 {
		return !slices.ContainsFunc(numbers, func(n number) bool { return !slices.ContainsFunc(orderNumbers, n.same) })
	}
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.ContainsFunc(orderWords, func(o string) bool { return same(w, o) })
	})
}

// number is a number in a street: its digits, the letter written to it (“221B”), and the one that stands by itself after it, which may
// belong to it (“221 B”) or not (“12 E Main Street”).
type number struct{ digits, letter, beside string }

func (n number) same(o number) bool {
	return n.digits == o.digits && (n.letter == o.letter || n.letter != "" && n.letter == o.beside || o.letter != "" && o.letter == n.beside)
}

// run is a stretch of letters or of digits; joined: nothing stands between it and the one before.
type run struct {
	text   string
	digits bool
	joined bool
}

// runsOf cuts a street into its runs. Apostrophes stand in words, not between them.
func runsOf(s string) (out []run) {
	joined := false
	for _, r := range norm.NFKC.String(s) {
		digit := unicode.IsDigit(r)
		switch last := len(out) - 1; {
		case strings.ContainsRune("'’‘`", r):
		case !digit && !unicode.IsLetter(r) && !unicode.IsMark(r):
			joined = false
		case joined && out[last].digits == digit:
			out[last].text += string(r)
		default:
			out = append(out, run{string(r), digit, joined})
			joined = true
		}
	}
	return out
}

// readStreet finds the numbers of a street, and the words that may tell it from others.
func readStreet(s string) (numbers []number, words []string) {
	rs := runsOf(s)
	for i := 0; i < len(rs); i++ {
		if !rs[i].digits {
			if w := fold(rs[i].text, false); utf8.RuneCountInString(w) >= 3 && !streetWords[w] {
				words = append(words, rs[i].text)
			}
			continue
		}
		n := number{digits: cmp.Or(strings.TrimLeft(rs[i].text, "0"), "0")}
		if i+1 < len(rs) && !rs[i+1].digits {
			if letter := fold(rs[i+1].text, false); len(letter) == 1 { // of the Latin script
				i++
				if rs[i].joined {
					n.letter = letter
				} else {
					n.beside = letter
				}
			}
		}
		numbers = append(numbers, n)
	}
	return numbers, words
}

// streetWords are in too many streets to tell one from another.
var streetWords = wordSet(`street str strasse road avenue ave lane drive boulevard blvd court place square way close crescent terrace highway hwy parkway pkwy
	circle trail plaza alley row walk mews gardens grove park hill house cottage farm building bldg apartment apt unit suite ste floor flat box north south east west
	new old great upper lower saint the and of
	rue chemin allee impasse quai cours route residence batiment appartement les des der die den dem und vom zum zur am an
	weg platz gasse ring ufer damm haus hof straat laan plein kade gracht
	via viale piazza corso vicolo largo calle avenida avda paseo camino carretera piso rua travessa praca estrada dos das del della delle dei
	ulica aleja plac gata gatan vagen vej gade veien`)

func wordSet(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}
