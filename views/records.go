package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Narrowed is a list's search and filters, as typed, and where its pages are.
type Narrowed struct {
	Query  url.Values // what stands in the page's address of these, without the place in the list
	Search string     // what the search box shows, where Query does not say
	Errors map[string]string
	Newer  string // places of the pages around this one; empty where there is none
	Older  string
	Paged  bool // this is not the newest page
	Far    bool // looking stopped before the page was full: further back there may be more
	Export bool // whoever looks may take the list away
}

// SealedSearch is the field of an address that carries a search for a mailbox, readable by nobody.
const SealedSearch = "who"

func (f Narrowed) value(field string) string {
	if field == "q" && f.Search != "" {
		return f.Search
	}
	return f.Query.Get(field)
}

// filtered reports whether anything narrows the list.
func (f Narrowed) filtered() bool {
	for field := range f.Query {
		if f.Query.Get(field) != "" && field != "filter" {
			return true
		}
	}
	return f.Search != ""
}

// url is the page's address with these filters and some more pairs.
func (f Narrowed) url(path string, pairs ...string) string {
	q := url.Values{}
	for field := range f.Query {
		if v := f.Query.Get(field); v != "" {
			q.Set(field, v)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Del(pairs[i])
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// pages are the addresses of the newest page, the one before this one and the one after; empty where there is none.
func (f Narrowed) pages(path string) (newest, newer, older string) {
	if f.Paged {
		newest = f.url(path)
	}
	if f.Newer != "" {
		newer = f.url(path, "after", f.Newer)
	}
	if f.Older != "" {
		older = f.url(path, "before", f.Older)
	}
	return newest, newer, older
}

func (f Narrowed) control(name, label, hint string) control {
	return control{name: name, label: label, hint: hint, value: f.value(name), err: f.Errors[name]}
}

// day is how a day is asked for. What is none stays to be put right: a date field would not show it.
func (f Narrowed) day(name string) templ.Attributes {
	if _, err := time.Parse(time.DateOnly, f.value(name)); err != nil && f.value(name) != "" {
		return templ.Attributes{"type": "text"}
	}
	return templ.Attributes{"type": "date"}
}

// VerificationsData is a page of Sessions, newest first.
type VerificationsData struct {
	Layout
	Narrowed
	Rows     []VerificationRow
	Channels []Option // of the shop, where there is more than one
}

// VerificationRow is one Session in the list.
type VerificationRow struct {
	ID       string
	Started  When
	State    string
	Reason   string // a session's reason code
	Late     bool   // passed after our deadline
	Took     string // how long it took, once it has ended
	IAL      string // of the Proof it made
	Source   string
	Revoked  bool
	Order    string // number of the order it was for; empty where there is none yet
	Customer string
	Value    string
}

// verificationStates are the groups of states that the list is filtered by, in the order of the form.
var verificationStates = []choice{
	{"", "Any state", ""}, {"open", "Under way", ""}, {"review", "In review", ""}, {"passed", "Passed", ""}, {"late", "Passed too late", ""},
	{"failed", "Failed, declined or error", ""}, {"abandoned", "Given up or expired", ""},
}

// VerificationStates lists the codes of those groups.
func VerificationStates() []string { return values(verificationStates) }

func values(cs []choice) (out []string) {
	for _, c := range cs {
		if c.value != "" {
			out = append(out, c.value)
		}
	}
	return out
}

func levelChoices() []choice {
	return []choice{{"", "Any level", ""}, {"0", "IAL 0", ""}, {"1", "IAL 1", ""}, {"2", "IAL 2", ""}, {"3", "IAL 3", ""}}
}

func levelSourceChoices() []choice {
	out := []choice{{"", "Whoever says so", ""}}
	for _, code := range []string{"policy", "oidc", "ial_endpoint", "ial2_workflow"} {
		out = append(out, choice{code, upperFirst(IALSourceWords(code).Short), ""})
	}
	return out
}

// Why says how it ended, or how it stands.
func (r VerificationRow) Why() string {
	switch {
	case r.Late:
		return "It passed after its time: it makes no proof, and a person decides."
	case r.Reason != "":
		return sessionEnd(r.State, r.Reason)
	}
	return SessionWords(r.State).Sentence
}

// VerificationData is one Session with all that is known of it and of what came of it.
type VerificationData struct {
	Layout
	VerificationRow
	Asked         Need
	PolicyVersion string
	Decided       When     // when the Decision was made that asked for it
	Outcome       string   // of that Decision
	Reasons       []Reason // of that Decision
	CartID        string
	ForOrder      bool // it was begun for an order, behind a link; otherwise at a checkout
	Deadline      When // ours
	Ended         When // never, while it is under way
	Trouble       string
	Timeline      []Entry
	Proof         *ProofData
	ProofGood     bool     // the Proof counts now
	Served        []Served // orders that the Proof allowed, or did
	ReceiptURL    string
	JWKSURL       string
	VerifyCommand string
}

// Served is one order that a Proof allowed at some time.
type Served struct {
	Order, Customer, Value, Hold, Outcome string
}

func (d VerificationData) title() string { return "Verification of " + d.Started.Text }

func outcomeChoices() []choice {
	out := []choice{{"", "Any decision", ""}}
	for _, code := range []string{"allow", "exempt", "verify", "review", "hold", "refuse"} {
		out = append(out, choice{code, AnswerWords(code).Short, ""})
	}
	return out
}

// AnswerWords puts in words what an order's latest Decision says, exemptions apart from what was proved.
func AnswerWords(code string) Words {
	if code == "exempt" {
		return Words{Short: "Exempt", Tone: "ok", Sentence: "The order was allowed because nothing is asked of it."}
	}
	return OutcomeWords(code)
}

func sourceChoices() []choice {
	out := []choice{{"", "Any source", ""}}
	for _, code := range SourceCodes() {
		out = append(out, choice{code, SourceWords(code).Short, ""})
	}
	return out
}

// Option is one choice whose words are not ours, such as the name of a channel.
type Option struct{ Value, Name string }

func channelChoices(channels []Option) []choice {
	out := []choice{{"", "Any channel", ""}}
	for _, c := range channels {
		out = append(out, choice{c.Value, c.Name, ""})
	}
	return out
}

// DecisionsData is one stream of Decisions, newest first.
type DecisionsData struct {
	Layout
	Stage   string // all, checkout or order
	Entries []Entry
	Older   string // cursor of the next page; empty on the last one
	Paged   bool   // this is not the newest page
}

// verificationTabs are the two lists of what was asked and what was answered.
func verificationTabs(base string) []tab {
	return []tab{{"verifications", "Verifications", base + "/verifications"}, {"decisions", "Decisions", base + "/verifications/decisions"}}
}

func stageTabs(base string) []tab {
	path := base + "/verifications/decisions"
	return []tab{{"all", "All", path}, {"checkout", "At checkout", path + "?stage=checkout"}, {"order", "On orders", path + "?stage=order"}}
}

func (d DecisionsData) url(before string) string {
	stage := d.Stage
	if stage == "all" {
		stage = ""
	}
	return withQuery(d.Base+"/verifications/decisions", "stage", stage, "before", before)
}

func (d DecisionsData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.url(d.Older)
}

func (d DecisionsData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.url("")
}

// why is what an Entry says beside its badge.
func (e Entry) why() string {
	switch {
	case len(e.Reasons) > 0:
		return reasonText(e.Reasons)
	case e.Kind == "session" && e.SessionReason != "":
		return sessionEnd(e.Code, e.SessionReason)
	case e.State != "" && e.Kind != "notice":
		return "" // it has not happened: the outcome says all
	}
	return e.words().Sentence
}

// quoted is a search as an empty list repeats it.
func quoted(q string) string { return "“" + strings.TrimSpace(q) + "”" }
