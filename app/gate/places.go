package gate

import (
	"slices"
	"strings"
)

// hasState reports whether the condition names the place's state, by name or by code, in whatever case and accents.
func (c Condition) hasState(p Place) bool {
	have := ""
	return p.State != "" && slices.ContainsFunc(c.Values, func(v string) bool {
		country, state, ok := strings.Cut(v, "/")
		if !ok || country != p.Country {
			return false
		}
		if have == "" {
			have = subdivision(country, p.State)
		}
		return have != "" && subdivision(country, state) == have
	})
}

// subdivision is one spelling for a state or province: the code where the country's codes are known here, else the folded name.
// Checkouts give names or codes, orders give names, and merchants type either.
func subdivision(country, state string) string {
	folded := fold(state, false)
	for _, s := range subdivisions[country] {
		if strings.EqualFold(folded, s.code) || slices.Contains(s.names, folded) {
			return s.code
		}
	}
	return folded
}

type division struct {
	code  string
	names []string // folded
}

// subdivisions of the countries whose addresses are written with codes as often as with names.
var subdivisions = map[string][]division{
	"US": divisions("AL Alabama|AK Alaska|AS American Samoa|AZ Arizona|AR Arkansas|AA Armed Forces Americas|AE Armed Forces Europe,Armed Forces Africa,Armed Forces Canada," +
		"Armed Forces Middle East|AP Armed Forces Pacific|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia,Washington DC|FL Florida|GA Georgia|GU Guam|HI Hawaii|" +
		"ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MH Marshall Islands|MD Maryland|MA Massachusetts|MI Michigan|FM Federated States of Micronesia|" +
		"MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|" +
		"ND North Dakota|MP Northern Mariana Islands|OH Ohio|OK Oklahoma|OR Oregon|PW Palau|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|" +
		"TX Texas|UT Utah|VT Vermont|VI Virgin Islands,US Virgin Islands|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"),
	"CA": divisions("AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador,Newfoundland|NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|" +
		"PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon,Yukon Territory"),
	"AU": divisions("ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia"),
}

// divisions reads "CODE Name,Other name|CODE Name".
func divisions(table string) []division {
	var out []division
	for _, row := range strings.Split(table, "|") {
		code, names, _ := strings.Cut(row, " ")
		d := division{code: code}
		for _, n := range strings.Split(names, ",") {
			d.names = append(d.names, fold(n, false))
		}
		out = append(out, d)
	}
	return out
}

// postcode finds the condition's value that the place's postcode falls in.
func (c Condition) postcode(p Place) (string, bool) {
	code := plainPostcode(p.Postcode)
	i := slices.IndexFunc(c.Values, func(v string) bool {
		r, ok := parsePostcodes(v)
		return ok && r.has(code, p.Country)
	})
	if i < 0 {
		return "", false
	}
	return c.Values[i], true
}

// postcodes is a range of postcodes; lo and hi are of equal length.
type postcodes struct {
	lo, hi string
	begins bool // longer codes that begin so count too
}

// parsePostcodes reads one postcode ("90210", "SW1A 1AA"), a range ("90000-90999") or a beginning ("SW1A*").
// Postcodes that are written with a hyphen ("100-0001") are given without it.
func parsePostcodes(s string) (postcodes, bool) {
	begin, begins := strings.CutSuffix(strings.TrimSpace(s), "*")
	lo, hi, isRange := strings.Cut(begin, "-")
	lo, hi = plainPostcode(lo), plainPostcode(hi)
	if !isRange {
		hi = lo
	}
	ok := lo != "" && len(lo) == len(hi) && lo <= hi && !(begins && isRange) && alphanumeric(lo+hi)
	return postcodes{lo, hi, begins || isRange}, ok
}

// has compares as text. Of a US code the four further digits make no difference.
func (r postcodes) has(code, country string) bool {
	if country == "US" && len(code) == 9 {
		code = code[:5]
	}
	if len(code) < len(r.lo) || len(code) > len(r.lo) && !r.begins {
		return false
	}
	begin := code[:len(r.lo)]
	return r.lo <= begin && begin <= r.hi
}

// plainPostcode is a postcode without case, spaces and hyphens.
func plainPostcode(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(s))
}

func alphanumeric(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) < 0
}
