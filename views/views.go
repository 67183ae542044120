// Package views is every page that a person reads, and every word of it that staff read: the control panel, the callbacks' pages, mails, and
// the hosted verification page, whose words come with its data.
//
// A view takes one plain struct and decides nothing: whoever calls it has read the ledger, knows who is asking, and has
// formatted times in the shop's zone and money in its currency. What the rest of idgate knows as a code (a reason, a session's
// state, an order status) arrives here as that code and leaves as words; the tables are in words.go, reasons.go, errors.go and
// shopper.go, and nowhere else. Pages hold no inline style or script, so they stand under a Content-Security-Policy without
// 'unsafe-inline', and they work without JavaScript.
//
// The package is longer than most because it is mostly text: one file of structs and one of markup for each page.
package views

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// When is a moment: Text as the merchant reads it, in the shop's zone, and ISO (RFC 3339) for machines. The zero When is “never”.
type When struct{ Text, ISO string }

// Reason is one reason of a Decision: its code, and the fact that goes with it (a level, a number of days, a rule's name).
type Reason struct{ Code, Detail string }

// Need is what must be proved. Zero parts ask for nothing.
type Need struct {
	IAL        int
	MaxAgeDays int // greatest age of the proof
	LeastAge   int // of the person, in whole years
	Selfie     bool
	NameMatch  bool

	AddressMatch bool // the document's address is one of the order's
}

// Frame is what every page needs before anybody is known.
type Frame struct {
	AssetCSS  string // path of admin.css, with its hash
	AssetJS   string // path of admin.js, with its hash
	AssetHTMX string // path of htmx.min.js, with its hash; empty where pages are loaded whole
	Lang      string // BCP 47; empty means en
}

// htmxConfig keeps htmx to what our content security policy and our pages allow: nothing evaluated, no style put in, no page kept in the
// browser's storage, and a page that says no shown like any other.
const htmxConfig = `{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"historyCacheSize":0,"selfRequestsOnly":true,"timeout":30000,"responseHandling":[{"code":"[2345]..","swap":true}]}`

// boost lets htmx put pages into each other's place.
func boost(f Frame) templ.Attributes {
	if f.AssetHTMX == "" {
		return nil
	}
	return templ.Attributes{"hx-boost": "true"}
}

// Layout is the control panel's frame around a page.
type Layout struct {
	Frame
	ShopName   string
	Base       string // "/s/{store_hash}", the prefix of every link
	UserEmail  string
	Mode       string // off, shadow or enforce: shown beside the shop's name
	Flash      Flash
	BCSDK      string // address of BigCommerce's bc-sdk.js; empty leaves it out (single-shop mode, offline demo)
	SignOut    bool   // show a sign-out button; inside the control panel its own log-out does this
	Suspended  Suspended
	SupportURL string
	PrivacyURL string
	Waiting    string // how much waits for a person: a figure beside Review; empty: nothing
	Guide      string // how far the first-run guide has got, "2 of 5 steps are done"; empty: it is not shown
	Refresh    string // seconds after which a page that waits looks again; empty: never
}

// Suspended says since when BigCommerce refuses the shop's token, and when it is asked again. The zero Suspended: it does not.
type Suspended struct{ Since, Next When }

// Entry is one line of history or of an order's timeline.
type Entry struct {
	Kind          string // one of EntryKinds
	Code          string // notice: webhook scope or "sweep"; decision: outcome; session: state; order and hold: hold state; writeback: its kind; mail: which; event: one of EventCodes
	When          When
	OrderID       string // links to the order when set
	OrderNumber   string
	Customer      string
	Value         string
	Reasons       []Reason
	SessionReason string // a session's reason code
	By            string // e-mail of the person who acted; empty for the rules
	Note          string // what that person wrote, or a notice's detail
	IAL           string // "2"; empty when the entry is not about a level
	IALSource     string // oidc, ial_endpoint, ial2_workflow or policy
	PolicyVersion string
	Shadow        bool // decided without effect

	State      string // of a notice, write-back or mail, unless it is done: one of WorkStates
	Outcome    string // what came of it, or why it does not get on
	Deliveries string // how often a notice came, where that is more than once
	Notice     string // id of a notice that may be handled again
	Writeback  string // id of a stuck write-back or mail that may be tried again
}

// Words is one code in words. Short fits a badge; Sentence says it whole; Next says what to do about it, if anything can be done.
type Words struct {
	Short    string
	Sentence string
	Next     string
	Tone     string // ok, warn, bad, info or quiet
}

// Flash says what the last form did.
type Flash struct {
	Code  string // one of FlashCodes, or empty
	Value string // digits only
}

const maxFlashDigits = 18

// ParseFlash reads the flash from a page's query, as ?saved=7. Anybody can make such a link, so only known keys with a number are
// taken: no link can put words of its own on a merchant's screen.
func ParseFlash(q url.Values) Flash {
	for _, code := range FlashCodes() {
		v := q.Get(code)
		if v == "" || len(v) > maxFlashDigits || strings.Trim(v, "0123456789") != "" {
			continue
		}
		return Flash{Code: code, Value: v}
	}
	return Flash{}
}

// Query is the query that ParseFlash reads back.
func (f Flash) Query() string { return url.Values{f.Code: {f.Value}}.Encode() }

func (f Frame) lang() string {
	if f.Lang == "" {
		return "en"
	}
	return f.Lang
}

// dir is the writing direction of the page's language.
func (f Frame) dir() string {
	base, _, _ := strings.Cut(f.Lang, "-")
	switch base {
	case "ar", "fa", "he", "ur":
		return "rtl"
	}
	return "ltr"
}

// withQuery is path with the non-empty pairs as its query, in the order given.
func withQuery(path string, pairs ...string) string {
	var q []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q = append(q, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + strings.Join(q, "&")
}

// describedBy is the aria-describedby of the field with this id: its hint, its error, or both.
func describedBy(id string, hint bool, err string) string {
	var ids []string
	if hint {
		ids = append(ids, id+"-hint")
	}
	if err != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}

// svgImage is a drawing as an image's address. As an image it can run no script, whatever it holds.
func svgImage(svg string) string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
}

func plural(n, one, many string) string {
	if n == "1" {
		return "1 " + one
	}
	return n + " " + many
}

// oneOf puts into the singular what a sentence counts, where its figure is 1.
func oneOf(sentence, figure, n string) string {
	if n != "1" {
		return sentence
	}
	for _, unit := range []string{"day", "year", "character", "digit", "letter", "line"} {
		sentence = strings.ReplaceAll(sentence, figure+" "+unit+"s", figure+" "+unit)
	}
	return sentence
}

// needWords lists a Need's parts in words; empty when nothing is needed.
func needWords(n Need) []string {
	var out []string
	if n.IAL > 0 {
		out = append(out, "IAL "+strconv.Itoa(n.IAL))
	}
	if n.MaxAgeDays > 0 {
		out = append(out, "a proof no older than "+plural(strconv.Itoa(n.MaxAgeDays), "day", "days"))
	}
	if n.Selfie {
		out = append(out, "a live selfie")
	}
	if n.LeastAge > 0 {
		out = append(out, "an age of at least "+strconv.Itoa(n.LeastAge))
	}
	if n.NameMatch && len(out) > 0 {
		out = append(out, "the name on the order")
	}
	if n.AddressMatch && len(out) > 0 {
		out = append(out, "an address of the order")
	}
	return out
}

func needText(n Need) string {
	if parts := needWords(n); len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	return "nothing"
}
