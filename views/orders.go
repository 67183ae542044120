package views

import "strings"

// OrdersData is a page of the orders the gate has seen, newest first.
type OrdersData struct {
	Layout
	Narrowed
	Filter   string // one of OrderFilters
	Rows     []OrderRow
	Channels []Option
}

// OrderRow is one order in the list.
type OrderRow struct {
	ID       string
	Number   string
	Placed   When
	Customer string // as the merchant knows them, or empty for a guest without a name
	Guest    bool
	Value    string
	StatusID int
	Outcome  string // the Decision's; empty while it has none
	Exempt   bool   // it was allowed because nothing is asked of it
	Reasons  []Reason
	Hold     string // one of HoldStates
	Shadow   bool
	Digital  bool // nothing ships
	Erased   bool // its buyer was erased
}

// OrderData is one order with all that is known about it and about why.
type OrderData struct {
	Layout
	ID              string
	Number          string
	Placed          When
	Customer        string
	Guest           bool
	Mailbox         string
	Value           string
	ShopValue       string // in the shop's currency, where that differs
	StatusID        int
	Channel         string
	Source          string // BigCommerce's order_source
	PaymentMethod   string
	CartID          string
	ControlPanelURL string // the order in BigCommerce's control panel

	Outcome       string
	Would         string // what rules in shadow would have made of it; empty when the same
	Shadow        bool
	Reasons       []Reason
	Need          Need
	Needs         []NeedData // what would make it pass, thing by thing
	DecidedAt     When
	MadeBy        string // rule, person or failure
	DecidedBy     string // the person's e-mail
	PolicyVersion string
	FactsDigest   string

	Hold         string // one of HoldStates
	Trouble      string // why work on the order does not get on, or nothing
	Stuck        bool   // and a person has to do something about it
	HeldSince    When
	HoldStatus   int  // status it was moved to
	FormerStatus int  // status it goes back to
	Digital      bool // nothing ships
	Erased       When // when its buyer was erased

	CancelAt When // when it will be cancelled; never, unless that is announced
	CalledAt When // when the last call was made
	CallAt   When // when it will be made
	Silent   bool // the shopper gets no mail about it
	Kept     bool // a person said that it is not to be cancelled

	Proofs []ProofData // those that Decisions used, and those of its Sessions
	Rules  []RuleData

	VerifyURL     string // shown only while the order is held
	VerifyExpires When

	CanRelease bool
	CanRefuse  bool
	CanKeep    bool
	CanUnkeep  bool
	CanRepeat  bool // handle notices again, try again what is stuck
	Release    ReasonForm
	Refuse     ReasonForm
	Keep       ReasonForm

	CanUndo     string // release or refusal: the last word of a person, where it can be taken back
	CanAsk      bool   // mail the buyer once more
	NoAsk       string // why not, or nothing
	CanRequest  bool
	CanWithdraw bool
	Request     *RequestRow // the check that a person demands
	Undo        ReasonForm
	Withdraw    ReasonForm

	Timeline []Entry // oldest first
	Receipts []ReceiptData
	JWKSURL  string // where the receipts' public keys are

	VerifyCommand string // how to check a receipt offline, as one types it
}

// ProofData is a Proof without its content.
type ProofData struct {
	ID       string
	Used     bool // by a Decision on the order
	Before   bool // by an earlier one, and not by the one that stands
	IAL      string
	Source   string // oidc, ial_endpoint, ial2_workflow, policy
	Document string // "Passport, DE"; never a number
	Selfie   bool
	Age      string // whole years then; empty when unknown
	At       When
	Until    When

	Revoked    bool
	RevokedAt  When
	RevokedBy  string
	RevokedWhy string
	CanRevoke  bool
	Revoke     ReasonForm
}

// RuleData is one rule as it was answered for this order.
type RuleData struct {
	Name       string // checkout, step_up, or the merchant's own
	Mode       string
	Exempt     bool
	Verdict    string // yes, no or unknown
	Need       Need
	Conditions []ConditionData
}

// ConditionData is one condition of a rule.
type ConditionData struct {
	Fact    string // one of FactNames
	Not     bool
	Wanted  string // "500.00 USD or more", "US, CA"
	Found   string // what the order has; empty when unknown
	Verdict string
}

// Fields that name what a form of an order's page is about.
const (
	ProofField  = "proof"
	NoticeField = "notice"
)

// ReasonForm is the compulsory reason of what a person does about an order.
type ReasonForm struct {
	Reason string
	Error  string // what FieldError takes
}

// ReceiptData is a signed Decision or Proof.
type ReceiptData struct {
	Kind string // decision or proof
	When When
	KID  string
	JWT  string
}

// orderFilters are the lists of orders, in the order of their tabs.
var orderFilters = []struct{ code, name string }{
	{"all", "All"}, {"held", "On hold"}, {"refused", "Refused"}, {"released", "Released"}, {"leaks", "Leaks"}, {"moved", "Moved by hand"}, {"cancelled", "Cancelled"},
	{"allowed", "Allowed"}, {"exempt", "Exempt"},
}

// OrderFilters lists the codes of the lists of orders.
func OrderFilters() []string {
	var out []string
	for _, f := range orderFilters {
		out = append(out, f.code)
	}
	return out
}

// orderTabs keep what else narrows the list.
func orderTabs(d OrdersData) []tab {
	var out []tab
	for _, f := range orderFilters {
		filter := f.code
		if filter == "all" {
			filter = ""
		}
		out = append(out, tab{f.code, f.name, d.url(d.Base+"/orders", "filter", filter)})
	}
	return out
}

// path is where the forms of the order's page lead.
func (d OrderData) path() string { return d.Base + "/orders/" + d.ID + "/" }

func versionText(n string) string {
	if n == "" {
		return ""
	}
	return "version " + n
}

func customerName(name string, guest bool) string {
	switch {
	case name == "" && guest:
		return "Guest"
	case guest:
		return name + " (guest)"
	}
	return name
}

// buyerName is customerName, or what is said of somebody who was erased.
func buyerName(name string, guest, erased bool) string {
	if erased {
		return "Erased"
	}
	return customerName(name, guest)
}

// heldNow reports whether the order waits for a proof or a person.
func (d OrderData) heldNow() bool {
	switch d.Hold {
	case "held", "holding", "held_again", "cancelling":
		return true
	}
	return false
}

// actionable reports whether there is something for the merchant to do.
func (d OrderData) actionable() bool {
	return d.heldNow() || d.CanRelease || d.CanRefuse || d.CanKeep || d.CanUnkeep || d.CanUndo != "" || d.CanWithdraw
}

// reasonForm is a form that does something about an order, for a reason.
type reasonForm struct {
	id     string // of its field; unique on the page
	action string // the address, under the order's
	title  string
	label  string
	what   string // what it will do
	button string
	tone   string
	proof  string // which Proof it is about, or nothing
	folded bool   // the title stands above it already
	ReasonForm
}

func (d OrderData) releaseForm() reasonForm {
	return reasonForm{id: "release", action: "release", title: "Release by hand", label: "Reason for the release",
		what:   "The order goes back to “" + OrderStatusWords(d.FormerStatus).Short + "” and can ship without proof. Your name and reason stay with it.",
		button: "Release order " + d.Number, tone: "primary", ReasonForm: d.Release}
}

func (d OrderData) refuseForm() reasonForm {
	return reasonForm{folded: true, id: "refuse", action: "refuse", title: "Refuse", label: "Reason for the refusal",
		what:   "The order stays on hold and its verification link stops working. Cancelling and refunding it in BigCommerce is up to you.",
		button: "Refuse order " + d.Number, tone: "danger", ReasonForm: d.Refuse}
}

func (d OrderData) keepForm() reasonForm {
	return reasonForm{folded: true, id: "keep", action: "keep", title: "Keep this order", label: "Reason for keeping it",
		what:   "The order stays on hold, and it is not cancelled however long nobody proves it.",
		button: "Keep this order", ReasonForm: d.Keep}
}

func (d OrderData) unkeepForm() reasonForm {
	return reasonForm{folded: true, id: "keep", action: "unkeep", title: "Let it be cancelled after all", label: "Reason for letting it be cancelled",
		what:   "The time that the policy gives begins anew. If nobody proves the order by then, it is cancelled; the last call goes out a day before.",
		button: "Let it be cancelled after all", tone: "danger", ReasonForm: d.Keep}
}

func (p ProofData) revokeForm() reasonForm {
	return reasonForm{folded: true, id: "revoke-" + p.ID, action: "revoke", title: "Revoke this proof", label: "Reason for the revocation",
		what: "The proof counts for nothing any more: every order that rests on it and has not shipped is decided again and held, and what was written to the customer's attributes is taken back. " +
			"This cannot be undone; the shopper can verify again. Your name and reason stay with it.",
		button: "Revoke this proof", tone: "danger", proof: p.ID, ReasonForm: p.Revoke}
}

func (p ProofData) title() string {
	switch {
	case p.Before:
		return "Proof used before"
	case p.Used:
		return "Proof used"
	}
	return "Proof from a verification of this order"
}

func (d OrderData) passes() bool { return d.Outcome == "allow" }

func (r RuleData) name() string { return RuleWords(r.Name).Short }

func (c ConditionData) text() string {
	var b strings.Builder
	b.WriteString(FactWords(c.Fact).Short)
	if c.Wanted != "" {
		if c.Not {
			b.WriteString(" is not")
		}
		b.WriteString(": " + c.Wanted)
	} else if c.Not {
		b.WriteString(": no")
	}
	return b.String()
}

func (r ReceiptData) title() string {
	if r.Kind == "proof" {
		return "Receipt of the proof"
	}
	return "Receipt of the decision"
}

func sourceText(source string) string {
	if source == "" {
		return ""
	}
	return SourceWords(source).Short
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
