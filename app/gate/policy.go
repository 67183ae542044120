package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mode says whether a Policy or a Rule has effect.
type Mode string

// The modes. Shadow decides and records, and nothing else.
const (
	Off     Mode = "off"
	Shadow  Mode = "shadow"
	Enforce Mode = "enforce"
)

// Days is a span of whole days, the unit merchants think in. 0 means no limit.
type Days int

// Duration is d as 24-hour days.
func (d Days) Duration() time.Duration { return time.Duration(d) * 24 * time.Hour }

func (d Days) String() string { return strconv.Itoa(int(d)) }
func (l IAL) String() string  { return strconv.Itoa(int(l)) }

// Money is an amount in minor units (cents, or whole yen) of an ISO 4217 currency.
type Money struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// Requirement is what must be proved. The zero value requires nothing.
type Requirement struct {
	IAL       IAL  `json:"ial,omitempty"`
	MaxAge    Days `json:"max_age_days,omitempty"` // greatest age of the Proof; 0: as long as it is good
	Selfie    bool `json:"selfie,omitempty"`
	LeastAge  int  `json:"least_age,omitempty"` // of the person, in whole years; 0: any
	NameMatch bool `json:"name_match,omitempty"`
	// AddressMatch: the document's address is the order's billing address or one that it ships to. See Address.
	AddressMatch bool `json:"address_match,omitempty"`
}

// empty reports whether nothing is to be proved. A name or an address alone cannot be asked for: there is neither without a document.
func (r Requirement) empty() bool { return r.IAL == 0 && !r.Selfie && r.LeastAge == 0 }

// with is the stricter of r and o in every part.
func (r Requirement) with(o Requirement) Requirement {
	age := max(r.MaxAge, o.MaxAge)
	if r.MaxAge > 0 && o.MaxAge > 0 {
		age = min(r.MaxAge, o.MaxAge)
	}
	return Requirement{
		IAL:       max(r.IAL, o.IAL),
		MaxAge:    age,
		Selfie:    r.Selfie || o.Selfie,
		LeastAge:  max(r.LeastAge, o.LeastAge),
		NameMatch: r.NameMatch || o.NameMatch,

		AddressMatch: r.AddressMatch || o.AddressMatch,
	}
}

// Evidence is the merchant's declared mapping of what a document session shows to a level. 0 means unset: it counts for nothing.
type Evidence struct {
	Document       IAL `json:"document"`
	DocumentSelfie IAL `json:"document_selfie"`
}

// Level is the level that the evidence seen counts for.
func (e Evidence) Level(document, selfie bool) IAL {
	switch {
	case document && selfie:
		return max(e.Document, e.DocumentSelfie)
	case document:
		return e.Document
	}
	return 0
}

// StepUp asks for more above an order value.
type StepUp struct {
	Over    Money       `json:"over"` // in the Shop's currency; an order of exactly this value steps up too
	Require Requirement `json:"require"`
}

// GuestChoice says what guests must do where proof is required.
type GuestChoice string

// The choices for guests.
const (
	GuestsVerify GuestChoice = "verify"  // prove identity, for this cart
	GuestsSignIn GuestChoice = "sign_in" // sign in first
	GuestsPass   GuestChoice = "pass"    // nothing: a hole that the merchant chose
)

// FailureChoice says what happens at checkout when something needed cannot be reached.
type FailureChoice string

// The failure choices.
const (
	LetPay FailureChoice = "let_pay" // let the shopper pay, and hold the order
	Stop   FailureChoice = "stop"    // stop the checkout
)

// MovedChoice says what happens to an order that somebody in the Shop moved off our hold. BigCommerce names no actor.
type MovedChoice string

// The choices for moved orders.
const (
	HoldAgain MovedChoice = "hold_again" // hold it once more, and say so; the second time it is the Shop's own doing
	Accept    MovedChoice = "override"   // it is the Shop's own doing at once
)

// Policy is one Shop's version of its rules. It is stored as JSON and never changed once saved.
type Policy struct {
	Version        int64         `json:"version"`
	Mode           Mode          `json:"mode"`
	Currency       string        `json:"currency"`
	Checkout       Requirement   `json:"checkout"`
	StepUp         *StepUp       `json:"step_up,omitempty"`
	Rules          []Rule        `json:"rules,omitempty"`
	Evidence       Evidence      `json:"evidence"`
	ProofGood      Days          `json:"proof_days"`
	DocumentGrace  Days          `json:"document_grace,omitempty"` // a document that expired no longer ago than this still counts
	Tries          int           `json:"tries,omitempty"`          // Sessions a day for one cart or order; 0: DefaultTries
	Guests         GuestChoice   `json:"guests"`
	Sources        []string      `json:"sources,omitempty"` // order sources covered; empty means all
	HoldStatus     int           `json:"hold_status"`       // 12 Manual Verification Required, or 7 Awaiting Payment
	OnUnreachable  FailureChoice `json:"on_unreachable"`
	OnProviderDown FailureChoice `json:"on_provider_down"`
	// OnMoved says what happens when somebody in the Shop moves an order off our hold; empty means Accept.
	OnMoved MovedChoice `json:"on_moved,omitempty"`
	// CancelAfter is how long an order may stay on hold unproven before it is cancelled, announced and undoable; 0: never.
	CancelAfter Days `json:"cancel_days,omitempty"`
	// Mails switches the mails to shoppers on; RemindAfter is when they are reminded, in hours since the hold, ascending.
	Mails       bool  `json:"mails,omitempty"`
	RemindAfter []int `json:"remind_hours,omitempty"`
	// Keep is how long what is over is kept: Decisions, Sessions, buyers; 0 means two years.
	Keep Days `json:"keep_days,omitempty"`
	// CustomFieldsV2 writes the outcome by PUT /v2/customers/{id} as the integration card prints it, besides the attributes.
	CustomFieldsV2 bool `json:"custom_fields_v2,omitempty"`
}

// Default is the Policy a Shop starts with: it decides nothing until somebody switches it on.
// IAL 2 is the level the 1Kosmos card gates on.
func Default(currency string) Policy {
	return Policy{
		Mode:           Off,
		Currency:       currency,
		Checkout:       Requirement{IAL: 2, NameMatch: true},
		ProofGood:      365,
		Guests:         GuestsVerify,
		HoldStatus:     12,
		OnUnreachable:  LetPay,
		OnProviderDown: LetPay,
		OnMoved:        HoldAgain,
		Mails:          true,
		RemindAfter:    []int{24, 48},
		Keep:           730,
	}
}

// DefaultTries and MostTries bound the Sessions that may be begun in a day for one cart or order.
const (
	DefaultTries = 5
	MostTries    = 10
)

// TriesPerDay is how many Sessions may be begun in a day for one cart or order.
func (p Policy) TriesPerDay() int { return cmp.Or(p.Tries, DefaultTries) }

// KeepFor is how long what is over is kept.
func (p Policy) KeepFor() time.Duration {
	if p.Keep <= 0 {
		return Days(730).Duration()
	}
	return p.Keep.Duration()
}

// Covers reports whether orders of this source are the Policy's business. An unknown source is.
func (p Policy) Covers(source Text) bool {
	return len(p.Sources) == 0 || !source.Known || slices.Contains(p.Sources, source.Value)
}

// NeedsSelfie reports whether some order could require a live selfie, directly or through the evidence mapping.
func (p Policy) NeedsSelfie(r Requirement) bool {
	return r.Selfie || r.IAL > p.Evidence.Document
}

// Uses reports whether some rule looks at one of these facts, so that callers fetch only what is asked about.
func (p Policy) Uses(facts ...FactName) bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return r.Mode != Off && slices.ContainsFunc(r.When, func(c Condition) bool { return slices.Contains(facts, c.Fact) })
	})
}

// ComparesAddress reports whether some order could require that the document's address is the order's.
func (p Policy) ComparesAddress() bool {
	return p.Checkout.AddressMatch || p.StepUp != nil && p.StepUp.Require.AddressMatch ||
		slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Mode != Off && !r.Exempt && r.Require.AddressMatch })
}

// effective lists the rules to evaluate, exemptions first, then what the first screen asks, then the rest.
func (p Policy) effective() []Rule {
	out := make([]Rule, 0, len(p.Rules)+2)
	for _, r := range p.Rules {
		if r.Exempt {
			out = append(out, r)
		}
	}
	out = append(out, Rule{Name: RuleCheckout, Mode: Enforce, Require: p.Checkout})
	if p.StepUp != nil {
		out = append(out, Rule{Name: RuleStepUp, Mode: Enforce, Require: p.StepUp.Require,
			When: []Condition{{Fact: FactValue, Amount: &p.StepUp.Over}}})
	}
	for _, r := range p.Rules {
		if !r.Exempt {
			out = append(out, r)
		}
	}
	return out
}

// Names of the two rules that every Policy has.
const (
	RuleCheckout = "checkout"
	RuleStepUp   = "step_up"
)

// Problem is one thing wrong with a Policy, beside the form field it belongs to.
// In a rule, Part is where: "name", "mode", "require.ial", "when.0", "when.0.values".
type Problem struct{ Field, Part, Remedy string }

func (p Problem) Error() string { return p.Field + ": " + p.Remedy }

// Problems lists everything that keeps a Policy from being saved; empty when it may be.
func (p Policy) Problems() []Problem {
	var out []Problem
	bad := func(wrong bool, field, remedy string) {
		if wrong {
			out = append(out, Problem{Field: field, Remedy: remedy})
		}
	}
	level := func(l IAL, field string) { bad(l < 0 || l > 3, field, "choose a level from 0 to 3") }
	bad(!slices.Contains([]Mode{Off, Shadow, Enforce}, p.Mode), "mode", "choose off, shadow or enforce")
	level(p.Checkout.IAL, "checkout_ial")
	level(p.Evidence.Document, "evidence_document_ial")
	level(p.Evidence.DocumentSelfie, "evidence_selfie_ial")
	bad(p.Evidence.DocumentSelfie != 0 && p.Evidence.DocumentSelfie < p.Evidence.Document, "evidence_selfie_ial",
		"a document with a selfie cannot count for less than a document alone")
	bad(p.Checkout.LeastAge < 0 || p.Checkout.LeastAge > 120, "least_age", "enter whole years from 1 to 120, or nothing")
	bad(p.Checkout.MaxAge < 0 || p.Checkout.MaxAge > 3650, "checkout_max_age_days", "enter whole days from 1 to 3650, or nothing")
	bad(p.ProofGood < 1 || p.ProofGood > 3650, "proof_days", "enter whole days from 1 to 3650")
	bad(p.DocumentGrace < 0 || p.DocumentGrace > 90, "document_grace", "enter whole days from 1 to 90, or nothing to take no document that has expired")
	bad(p.Tries < 0 || p.Tries > MostTries, "tries", "enter a whole number from 1 to 10, or nothing for 5")
	bad(!slices.Contains([]GuestChoice{GuestsVerify, GuestsSignIn, GuestsPass}, p.Guests), "guests", "choose what guests must do")
	bad(p.HoldStatus != 12 && p.HoldStatus != 7, "hold_status", "choose 12 (Manual Verification Required) or 7 (Awaiting Payment)")
	choice := func(c FailureChoice, field string) {
		bad(c != LetPay && c != Stop, field, "choose whether to let the shopper pay or stop the checkout")
	}
	choice(p.OnUnreachable, "on_unreachable")
	choice(p.OnProviderDown, "on_provider_down")
	bad(p.OnMoved != "" && p.OnMoved != HoldAgain && p.OnMoved != Accept, "on_moved", "choose whether to hold a moved order again or to accept the move")
	bad(p.CancelAfter < 0 || p.CancelAfter == 1 || p.CancelAfter > 90, "cancel_days", "enter whole days from 2 to 90, or nothing to never cancel")
	bad(len(p.RemindAfter) > 5 || !slices.IsSorted(p.RemindAfter) || len(p.RemindAfter) > 0 && (p.RemindAfter[0] < 1 || p.RemindAfter[len(p.RemindAfter)-1] > 24*90),
		"remind_hours", "enter at most five numbers of hours from 1 to 2160, the smallest first, or nothing")
	bad(p.Keep != 0 && (p.Keep < 30 || p.Keep > 3650), "keep_days", "enter whole days from 30 to 3650")
	if s := p.StepUp; s != nil {
		bad(s.Over.Minor <= 0, "step_up_value", "enter an amount above zero, or nothing")
		bad(s.Over.Currency != p.Currency, "step_up_value", fmt.Sprintf("enter the amount in the shop's currency, %s", p.Currency))
		level(s.Require.IAL, "step_up_ial")
		bad(s.Require.IAL < p.Checkout.IAL, "step_up_ial", "a step-up cannot ask for less than every order does")
		bad(s.Require.MaxAge < 0 || s.Require.MaxAge > 3650, "step_up_max_age_days", "enter whole days from 1 to 3650, or nothing")
		bad(s.Require.LeastAge < 0 || s.Require.LeastAge > 120, "step_up_least_age", "enter whole years from 1 to 120, or nothing")
	}
	if p.Mode == Enforce {
		out = append(out, p.unreachableLevels()...)
	}
	return append(out, p.ruleProblems()...)
}

// unreachableLevels finds levels that no evidence can reach under this mapping: enforcing them would hold every order for good.
func (p Policy) unreachableLevels() []Problem {
	top := max(p.Evidence.Document, p.Evidence.DocumentSelfie)
	remedy := func(l IAL) string {
		return fmt.Sprintf("no evidence counts as IAL %d yet: set the mapping, or ask for IAL %d", l, top)
	}
	var out []Problem
	if p.Checkout.IAL > top {
		out = append(out, Problem{Field: "checkout_ial", Remedy: remedy(p.Checkout.IAL)})
	}
	if p.StepUp != nil && p.StepUp.Require.IAL > top {
		out = append(out, Problem{Field: "step_up_ial", Remedy: remedy(p.StepUp.Require.IAL)})
	}
	for i, r := range p.Rules {
		if r.active() && !r.Exempt && r.Require.IAL > top {
			out = append(out, Problem{ruleField(i), "require.ial", remedy(r.Require.IAL)})
		}
	}
	return out
}

// ParseMoney reads an amount as a person types it ("500", "1,250.00" is refused: no grouping) in a currency with digits minor digits.
func ParseMoney(s, currency string, digits int) (Money, error) {
	s = strings.TrimSpace(s)
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > digits || whole == "" || len(whole) > 12 {
		return Money{}, fmt.Errorf("enter an amount such as %s, without grouping", example(digits))
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", digits-len(frac)), 10, 63)
	if err != nil {
		return Money{}, fmt.Errorf("enter an amount such as %s, without sign or grouping", example(digits))
	}
	return Money{Minor: int64(n), Currency: currency}, nil
}

func example(digits int) string {
	if digits == 0 {
		return "500"
	}
	return "500." + strings.Repeat("0", digits)
}
