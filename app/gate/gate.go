// Package gate answers the whole policy question: may this cart or order go on, and if not, what would make it?
//
// It is pure. It reads no clock, takes no context and does no I/O: everything it knows stands in its arguments,
// so a replay over past orders is a loop and the same arguments always give the same Decision.
// Callers own durability and effects; a Decision changes nothing by itself, and binds nobody unless Binds says so.
//
// It is longer than other packages because all that reads a Policy stands here, where the meaning of its fields is: what is wrong
// with one (Problems), how two differ (Compare), what a merchant may start from (Templates), and what one would have done (Tally).
package gate

import (
	"slices"
	"time"
)

// IAL is a NIST SP 800-63A identity assurance level, 0 (none) to 3.
type IAL int

// Outcome is the answer for one cart or order.
type Outcome string

// The outcomes, mildest first.
const (
	Allow  Outcome = "allow"  // go on
	Verify Outcome = "verify" // a cart: prove identity first
	Review Outcome = "review" // a cart: a proof is with a human reviewer
	Hold   Outcome = "hold"   // an order: keep it from being shipped
	Refuse Outcome = "refuse" // no proof would help
)

// Stage says which of the two gates is asking.
type Stage string

// The two gates.
const (
	AtCheckout Stage = "checkout" // the cart, before the order call
	AtOrder    Stage = "order"    // the order, whatever path it came by
)

// Reason says in one code why an outcome came about. Words for it live in the views.
// Detail is a fact a person may see (a rule's name, a level, an age), never a document's content.
type Reason struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail,omitempty"`
}

// Code names one reason.
type Code string

// Every reason that Decide or a caller who overrides it can give.
const (
	NoProof              Code = "no_proof"
	ProofExpired         Code = "proof_expired"
	ProofRevoked         Code = "proof_revoked"
	ProofTooOld          Code = "proof_too_old"
	IALTooLow            Code = "ial_too_low"
	SelfieMissing        Code = "selfie_missing"
	AgeTooLow            Code = "age_too_low"
	AgeUnknown           Code = "age_unknown"
	NameDiffers          Code = "name_differs"
	FirstNameDiffers     Code = "first_name_differs"
	LastNameDiffers      Code = "last_name_differs"
	NameUnknown          Code = "name_unknown"
	AddressDiffers       Code = "address_differs" // Detail: in which part
	AddressUnknown       Code = "address_unknown"
	ProofOfOtherCustomer Code = "proof_of_other_customer"
	ProofOfOtherCart     Code = "proof_of_other_cart"
	MailboxUnproved      Code = "mailbox_unproved"
	MailboxDiffers       Code = "mailbox_differs"
	GuestMustSignIn      Code = "guest_must_sign_in"
	GuestExempt          Code = "guest_exempt"
	ProofOK              Code = "proof_ok"
	NothingRequired      Code = "nothing_required"
	Exempt               Code = "exempt"
	Blocked              Code = "blocked"      // on the Shop's block list; never says by what
	AllowListed          Code = "allow_listed" // on the Shop's allow list
	PolicyOff            Code = "policy_off"
	SourceNotCovered     Code = "source_not_covered"
	BeforeEnforcement    Code = "before_enforcement"
	InReview             Code = "in_review"
	EvidenceUnmapped     Code = "evidence_unmapped"

	ReleasedByPerson Code = "released_by_person" // a caller's: a named person let the order go
	RefusedByPerson  Code = "refused_by_person"  // a caller's: a named person refused it
	UndoneByPerson   Code = "undone_by_person"   // a caller's: a named person took back what a person had said
	RequestWithdrawn Code = "request_withdrawn"  // a caller's: a named person took back a check that one had demanded
	ProviderDown     Code = "provider_down"      // a caller's: the failure choice for an unreachable provider

	RequestedByPerson Code = "requested_by_person" // a named person demands a check of this order
)

// Decision is the answer, with everything needed to explain it.
type Decision struct {
	Outcome     Outcome      `json:"outcome"`
	Mode        Mode         `json:"mode"`
	Requirement Requirement  `json:"requirement"`
	Reasons     []Reason     `json:"reasons"`
	Rules       []RuleResult `json:"rules"`
	ProofID     string       `json:"proof_id,omitempty"`
	// Needs is what would make it pass; empty when it does.
	Needs []Need `json:"needs,omitempty"`
	// Would is the outcome if rules in shadow were enforced too; equal to Outcome when there are none.
	Would Outcome `json:"would"`
}

// Binds reports whether anyone may act on the Decision: a shadow or switched-off Policy decides without effect.
func (d Decision) Binds() bool { return d.Mode == Enforce }

// Proof is what a passed Session established about a person, with the name and the address opened for comparison.
type Proof struct {
	ID       string
	IAL      IAL    // as asserted by Source; ignored when Source is SourcePolicy
	Source   string // SourcePolicy, or who asserted the IAL: oidc, ial_endpoint, ial2_workflow
	Document bool   // a government document was captured and passed
	Selfie   bool   // a live selfie was captured in the passed Session
	Age      int    // whole years when proved; negative when unknown
	Name     Name
	Address  Address // zero: the document carries none, or the Proof is of a time that did not keep it in parts
	At       time.Time
	Until    time.Time
	Revoked  bool
	Holder   Holder
}

// SourcePolicy marks a Proof whose level comes from the Policy's own mapping of evidence.
const SourcePolicy = "policy"

// Holder is whose Proof it is: how the Session that made it was bound. Zero values bind nothing.
type Holder struct {
	CustomerID int64  // named by a Current Customer JWT when the Session started
	CartID     string // the cart the Session was started for
	OrderID    int64  // the order whose verification link was opened
	Mailbox    string // keyed hash of the cart's or order's mailbox then
}

// Buyer is who the cart or order says is buying.
type Buyer struct {
	CustomerID int64  // 0 for a guest. At checkout only ever from a Current Customer JWT
	Mailbox    string // keyed hash
	// MailboxProved: control of Mailbox was shown for this very order or account (a code, or a mailed link opened).
	MailboxProved bool
	Name          Name // the billing name
}

// Decide answers for one cart or order. proofs may hold any Proof that was found by customer, cart, order or mailbox:
// finding authorises nothing, Decide does.
func Decide(p Policy, f Facts, proofs []Proof, now time.Time) Decision {
	if r := f.Requested; r != nil && !r.Hold {
		return ask(p, f, proofs, now)
	}
	if why, ok := outside(p, f); ok {
		return Decision{Outcome: Allow, Would: Allow, Mode: p.Mode, Reasons: []Reason{why}, Rules: []RuleResult{}}
	}
	rules := p.effective()
	results := make([]RuleResult, len(rules))
	var t tester
	for i := range rules {
		results[i] = rules[i].evaluate(&f, &t)
	}
	q := question{p, f, proofs, now}
	if !slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Mode == Shadow }) {
		d := q.answer(results, Enforce)
		d.Would = d.Outcome
		return d
	}
	d := q.answer(slices.Clone(results), Enforce)
	d.Would = q.answer(results, Shadow).Outcome
	return d
}

// outside says why a cart or order is not the Policy's business, and no rule is read. A block list is about a person,
// whichever way they order.
func outside(p Policy, f Facts) (Reason, bool) {
	switch {
	case p.Mode == Off:
		return Reason{Code: PolicyOff}, true
	case f.Requested != nil:
		return Reason{}, false
	case f.Stage == AtOrder && !p.Covers(f.Source) && !f.Listed.blocked():
		return Reason{SourceNotCovered, f.Source.Value}, true
	case f.BeforeEpoch:
		return Reason{Code: BeforeEnforcement}, true
	}
	return Reason{}, false
}

// question is what Decide was asked.
type question struct {
	p      Policy
	f      Facts
	proofs []Proof
	now    time.Time
}

// answer applies the rules whose mode is at least least, and marks in rules which of them counted.
func (q question) answer(rules []RuleResult, least Mode) Decision {
	d := Decision{Mode: q.p.Mode, Rules: rules}
	exempt := ""
	for i := range rules {
		r := &rules[i]
		switch {
		case r.Mode == Off || r.Mode == Shadow && least == Enforce:
		case r.Exempt:
			r.Counted = r.Verdict == Yes
			if r.Counted && exempt == "" {
				exempt = r.Name
			}
		case r.counts(q.f.Stage):
			r.Counted = true
			d.Requirement = d.Requirement.with(r.Require)
		}
	}
	asked := q.f.Requested != nil
	if asked {
		d.Rules = append(d.Rules, q.f.Requested.rule())
		d.Requirement = d.Requirement.with(q.f.Requested.Require)
	}
	guest := q.f.Buyer.CustomerID == 0
	if !d.Requirement.empty() && guest {
		d.Requirement.NameMatch = true
	}
	switch {
	case q.f.Listed.blocked():
		d.Requirement = Requirement{}
		return d.stopped(q.f.Stage, Blocked, Need{What: NeedUnblock})
	case asked && guest && q.p.Guests == GuestsSignIn:
		return d.stopped(q.f.Stage, GuestMustSignIn, append([]Need{{What: NeedSignIn}}, d.proving(nil)...)...).requested(q.f.Requested.By)
	case asked:
		return q.byProof(d).requested(q.f.Requested.By)
	case q.f.Listed.allowed(q.f.Buyer):
		d.Requirement = Requirement{}
		return d.allowed(Reason{Code: AllowListed})
	case exempt != "":
		d.Requirement = Requirement{}
		return d.allowed(Reason{Exempt, exempt})
	case d.Requirement.empty():
		return d.allowed(Reason{Code: NothingRequired})
	case guest && q.p.Guests == GuestsPass:
		return d.allowed(Reason{Code: GuestExempt})
	case guest && q.p.Guests == GuestsSignIn:
		return d.stopped(q.f.Stage, GuestMustSignIn, append([]Need{{What: NeedSignIn}}, d.proving(nil)...)...)
	}
	return q.byProof(d)
}

func (d Decision) allowed(why Reason) Decision {
	d.Outcome, d.Reasons = Allow, []Reason{why}
	return d
}

// stopped is the answer where no proof would help.
func (d Decision) stopped(s Stage, why Code, needs ...Need) Decision {
	d.Outcome, d.Reasons, d.Needs = Refuse, []Reason{{Code: why}}, needs
	if s == AtOrder {
		d.Outcome = Hold
	}
	return d
}

// byProof allows when a Proof meets what is required, and says otherwise what is missing.
func (q question) byProof(d Decision) Decision {
	proof, lacks := best(q.p, d.Requirement, q.f, q.proofs, q.now)
	if len(lacks) == 0 {
		d.ProofID = proof.ID
		return d.allowed(Reason{ProofOK, proof.level(q.p).String()})
	}
	if q.f.InReview {
		lacks = append([]Reason{{Code: InReview}}, lacks...)
	}
	d.Reasons, d.Needs = lacks, q.needs(d, lacks)
	switch {
	case q.f.Stage == AtOrder:
		d.Outcome = Hold
	case q.f.InReview:
		d.Outcome = Review
	default:
		d.Outcome = Verify
	}
	return d
}

// best returns the first Proof that is this buyer's and meets req, or else what the nearest one lacks.
// A Proof that is not the buyer's at all is only mentioned when there is no other.
func best(p Policy, req Requirement, f Facts, proofs []Proof, now time.Time) (Proof, []Reason) {
	var nearest []Reason
	var foreign Reason
	for _, pr := range proofs {
		if why, ok := pr.belongs(f); !ok {
			foreign = why
			continue
		}
		lacks := pr.lacks(p, req, f, now)
		if len(lacks) == 0 {
			return pr, nil
		}
		if nearest == nil || len(lacks) < len(nearest) {
			nearest = lacks
		}
	}
	switch {
	case nearest != nil:
		return Proof{}, nearest
	case foreign.Code != "":
		return Proof{}, []Reason{{Code: NoProof}, foreign}
	}
	return Proof{}, []Reason{{Code: NoProof}}
}

// belongs is the whole of “whose Proof is it”. Each clause is one of the three ways a Proof may count for a buyer.
func (pr Proof) belongs(f Facts) (Reason, bool) {
	h, b := pr.Holder, f.Buyer
	sameMailbox := h.Mailbox != "" && h.Mailbox == b.Mailbox
	switch {
	case h.CustomerID != 0 && h.CustomerID == b.CustomerID:
		return Reason{}, true
	case h.CartID != "" && h.CartID == f.CartID && sameMailbox:
		return Reason{}, true
	case h.OrderID != 0 && h.OrderID == f.OrderID && sameMailbox:
		return Reason{}, true
	case b.MailboxProved && sameMailbox:
		return Reason{}, true
	}
	switch {
	case (h.CartID != "" && h.CartID == f.CartID || h.OrderID != 0 && h.OrderID == f.OrderID) && !sameMailbox:
		return Reason{Code: MailboxDiffers}, false
	case sameMailbox:
		return Reason{Code: MailboxUnproved}, false
	case h.CustomerID != 0:
		return Reason{Code: ProofOfOtherCustomer}, false
	}
	return Reason{Code: ProofOfOtherCart}, false
}

// level is the Proof's IAL under p: an asserted one as it is, a declared one by p's mapping of the evidence.
func (pr Proof) level(p Policy) IAL {
	if pr.Source != SourcePolicy {
		return pr.IAL
	}
	return p.Evidence.Level(pr.Document, pr.Selfie)
}

// lacks lists what keeps a Proof that is the buyer's from meeting req; empty when it does.
func (pr Proof) lacks(p Policy, req Requirement, f Facts, now time.Time) []Reason {
	var out []Reason
	add := func(bad bool, c Code, detail string) {
		if bad {
			out = append(out, Reason{c, detail})
		}
	}
	lvl := pr.level(p)
	add(pr.Revoked, ProofRevoked, "")
	add(!now.Before(pr.Until) || now.Sub(pr.At) > p.ProofGood.Duration(), ProofExpired, "")
	add(req.MaxAge > 0 && now.Sub(pr.At) > req.MaxAge.Duration(), ProofTooOld, req.MaxAge.String())
	if lvl < req.IAL {
		unmapped := lvl == 0 && pr.Source == SourcePolicy
		add(unmapped, EvidenceUnmapped, "")
		add(!unmapped, IALTooLow, lvl.String())
	}
	add(req.Selfie && !pr.Selfie, SelfieMissing, "")
	if req.LeastAge > 0 {
		add(pr.Age < 0, AgeUnknown, "")
		add(pr.Age >= 0 && pr.ageAt(now) < req.LeastAge, AgeTooLow, "")
	}
	if req.NameMatch {
		if c := pr.Name.compare(f.Buyer.Name); c != "" {
			add(true, c, "")
		}
	}
	if req.AddressMatch {
		why, ok := pr.Address.compare(f.Addresses)
		add(!ok, why.Code, why.Detail)
	}
	return out
}

// ageAt is a lower bound of the person's age: whole years when proved plus whole years since.
func (pr Proof) ageAt(now time.Time) int {
	years := 0
	for now.After(pr.At) && !pr.At.AddDate(years+1, 0, 0).After(now) {
		years++
	}
	return pr.Age + years
}
