package views

import (
	"strconv"
	"strings"
)

// WhatIfRefresh is after how many seconds a running what-if's page looks again.
const WhatIfRefresh = "3"

// WhatIfsData lists the newest what-ifs, with the form that begins one.
type WhatIfsData struct {
	Layout
	Current  string // the version in force
	Version  string // to be replayed, as typed
	Error    string // what FieldError takes
	Reach    string
	Rows     []WhatIfRow
	ReadOnly bool
}

// WhatIfRow is one what-if of the list.
type WhatIfRow struct {
	ID    string
	State string // running, done or cancelled
	Who   string
	When  When
	Seen  string // orders replayed
	Base  string // version in force when it was begun
	Reach string // how far back it goes, in words
}

// Tallied is a number of orders, and the money they stand for: in the shop's currency, and apart from it in others.
type Tallied struct {
	Orders string
	Money  string
	Others []string
}

// WhatIfLine is one figure of a draft beside that of the Policy in force.
type WhatIfLine struct {
	Code       string // one of WhatIfLineCodes
	Draft      Tallied
	InForce    Tallied
	Difference string
}

// WhatIfShift is how many orders a draft answers otherwise, by the kind of difference.
type WhatIfShift struct {
	Code  string
	Count Tallied
}

// WhatIfRule is what one rule did.
type WhatIfRule struct {
	Name                      string
	Matched, Unknown, Counted Tallied
	InForce                   Tallied // counted under the Policy in force
}

// WhatIfOrder is one past order as the draft would have answered it.
type WhatIfOrder struct {
	ID            string
	Placed        When
	Value         string
	Shift         string
	Before, After string
	Reasons       []Reason
	Rules         []string
}

// WhatIfData is one what-if.
type WhatIfData struct {
	Layout
	WhatIfRow
	Trouble    string
	Done       When
	SeenCount  int64
	Wanted     int64
	Dated      bool // it goes back to a day, so nobody knows how many orders there will be
	All        Tallied
	Recorded   Tallied
	Differs    Tallied
	DiffersAny bool
	DifferIDs  []string
	Lines      []WhatIfLine
	Shifts     []WhatIfShift
	Rules      []WhatIfRule
	Changes    []ChangeData
	Stale      bool // the Policy in force is another than the one it was compared with when it was begun
	Shift      string
	Orders     []WhatIfOrder
	Older      string
	Paged      bool
	ReadOnly   bool
}

var whatIfStates = map[string]Words{
	"running":   {Short: "Running", Tone: "info", Sentence: "Past orders are being fetched and replayed, at a pace that leaves the shop's other apps alone."},
	"done":      {Short: "Done", Tone: "ok", Sentence: "All of these orders have been replayed."},
	"cancelled": {Short: "Cancelled", Tone: "quiet", Sentence: "It was stopped before the end. What follows is what it had found by then."},
}

// WhatIfWords says how far a what-if has got.
func WhatIfWords(state string) Words { return find(whatIfStates, state) }

// WhatIfStates lists how far a what-if can have got.
func WhatIfStates() []string { return codes(whatIfStates) }

var whatIfLines = map[string]Words{
	"gated":         {Short: "Had to prove something, or were stopped", Sentence: "Orders whose buyer had something to prove, or that were refused."},
	"stepped_up":    {Short: "Of them, stepped up", Sentence: "Orders that had to prove what the step-up value asks for."},
	"held":          {Short: "Put on hold or refused", Sentence: "Orders that would not have gone on: no proof was there that is good enough."},
	"would_hold":    {Short: "On hold, with the rules in shadow enforced too", Sentence: "The same, if every rule that is in shadow were enforced."},
	"exempt":        {Short: "Exempt", Sentence: "Orders that an exemption or the allow list let go."},
	"verifications": {Short: "Verifications at least", Sentence: "One for each customer who has something to prove, and one for each such order of a guest. Proofs that grow too old come on top."},
}

// WhatIfLineWords says what a figure of a what-if counts.
func WhatIfLineWords(code string) Words { return find(whatIfLines, code) }

// WhatIfLineCodes lists the figures of a what-if.
func WhatIfLineCodes() []string { return codes(whatIfLines) }

var shifts = map[string]Words{
	"newly_held":   {Short: "Newly held", Tone: "bad", Sentence: "They had proved what was asked, and that would not be enough now."},
	"newly_gated":  {Short: "Newly checked", Tone: "warn", Sentence: "They had nothing to prove, and would have to now."},
	"newly_let":    {Short: "Newly let through", Tone: "info", Sentence: "They were held, and would not be now."},
	"newly_exempt": {Short: "Newly exempt", Tone: "info", Sentence: "They had something to prove, and would not now."},
	"same":         {Short: "As before", Tone: "quiet", Sentence: "The draft answers them as the policy in force does."},
}

// ShiftWords says how a draft's answer differs from that of the Policy in force.
func ShiftWords(code string) Words { return find(shifts, code) }

// ShiftCodes lists how a draft's answer can differ, in the order in which the page shows it.
func ShiftCodes() []string {
	return []string{"newly_held", "newly_gated", "newly_let", "newly_exempt", "same"}
}

func (d WhatIfData) title() string { return "What-if " + d.ID }

func (d WhatIfData) running() bool { return d.State == "running" }

// progress is how much of it is done, in per cent; 0 when nobody can know.
func (d WhatIfData) progress() string {
	if d.Wanted <= 0 {
		return "0"
	}
	return strconv.FormatInt(min(100, d.SeenCount*100/d.Wanted), 10)
}

func (d WhatIfData) url(shift, before string) string {
	return withQuery(d.Base()+"/policy/whatif/"+d.ID, "shift", shift, "before", before)
}

// Base is the prefix of every link; the row has another base, the version.
func (d WhatIfData) Base() string { return d.Layout.Base }

func (d WhatIfData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.url(d.Shift, d.Older) + "#orders"
}

func (d WhatIfData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.url(d.Shift, "") + "#orders"
}

func (d WhatIfData) tabs() []tab {
	out := []tab{{"", "All", d.url("", "") + "#orders"}}
	for _, s := range d.Shifts {
		out = append(out, tab{s.Code, ShiftWords(s.Code).Short + " (" + s.Count.Orders + ")", d.url(s.Code, "") + "#orders"})
	}
	return out
}

// money is the money that orders stand for, in one line.
// recorded is every order that the Policy in force has decided.
func (d WhatIfData) recorded() string {
	if d.Recorded.Orders == "1" {
		return "the one order"
	}
	return "all " + d.Recorded.Orders + " orders"
}

func (t Tallied) money() string {
	parts := t.Others
	if t.Money != "" {
		parts = append([]string{t.Money}, parts...)
	}
	return strings.Join(parts, " + ")
}

func ruleNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = RuleWords(n).Short
	}
	return strings.Join(out, ", ")
}
