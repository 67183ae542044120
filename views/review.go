package views

// ReviewData is what waits for a person, the oldest first.
type ReviewData struct {
	Layout
	Kind    string // one of ReviewKinds, or empty for all
	Rows    []ReviewRow
	Later   string // place of the next page; empty on the last one
	After   string // this page's place; empty at the beginning
	CanAct  bool
	NoMails string // why nobody can be asked again by mail, or nothing
	Find    FindForm
	Decided *WordRow    // who was quicker than the form that was just sent; or
	Gone    bool        // it waits no longer, for another reason
	Words   []WordRow   // what people decided lately, the newest first
	Unshown *ReasonForm // the form that was just sent and refused, where what it is about is not on this page
}

// ReviewRow is something that waits.
type ReviewRow struct {
	Kind     string // one of ReviewKinds
	Subject  string
	OrderID  string // empty: a cart that is no order yet
	Customer string
	Guest    bool
	Erased   bool
	Value    string
	Since    When
	Waited   string   // "3 hours"
	Why      string   // more than the kind's words say, or nothing
	Do       []string // what can be done: of ReviewActs
	NoAsk    string   // why its buyer cannot be asked again just now, or nothing
	Open     bool     // its form was sent and refused
	Form     ReasonForm
}

// WordRow is a Decision that a person made.
type WordRow struct {
	ID      string
	OrderID string // empty: a cart that is no order yet
	Outcome string
	By      string
	Why     string
	When    When
	Undo    string // order: on its page; cart: here; or nothing
	Form    ReasonForm
}

// FindForm names an order by its number.
type FindForm struct{ Order, Error string }

// Fields of the queue's forms.
const (
	KindField    = "kind"
	SubjectField = "subject"
	DoField      = "do"
	WordField    = "word"
)

// What can be done about what waits.
const (
	DoApprove     = "approve"
	DoRefuse      = "refuse"
	DoAsk         = "ask"
	DoAcknowledge = "acknowledge"
)

var reviewKinds = map[string]Words{
	"in_review":   {Short: "In review at 1Kosmos", Tone: "warn", Sentence: "A person at 1Kosmos is looking at the verification.", Next: "Wait for them, or decide yourself."},
	"late":        {Short: "Passed too late", Tone: "warn", Sentence: "The verification passed after its deadline, so it makes no proof.", Next: "Ask the buyer again, or decide yourself."},
	"tries_spent": {Short: "No tries left", Tone: "bad", Sentence: "The order is on hold and its buyer has used up their tries.", Next: "Ask them again with fresh tries, or decide yourself."},
	"blocked":     {Short: "No proof would help", Tone: "bad", Sentence: "The order is on hold for a reason that no verification changes.", Next: "Release or refuse it."},
	"leaked":      {Short: "Left without proof", Tone: "bad", Sentence: "The order had already gone when it was found unproven.", Next: "Decide with your shipping company whether to stop it, then acknowledge it here."},
	"moved":       {Short: "Moved by hand", Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold.", Next: "Ask who and why, then acknowledge it here; or request a check to hold it again."},
}

// ReviewWords says why something waits for a person, and what can be done.
func ReviewWords(kind string) Words { return find(reviewKinds, kind) }

// ReviewKinds lists why something can wait for a person.
func ReviewKinds() []string { return codes(reviewKinds) }

var reviewActs = map[string]Words{
	DoApprove:     {Short: "Approve", Tone: "primary"},
	DoRefuse:      {Short: "Refuse", Tone: "danger"},
	DoAsk:         {Short: "Ask again by mail", Tone: ""},
	DoAcknowledge: {Short: "Acknowledge", Tone: "primary"},
}

// ReviewActs lists what can be done about what waits.
func ReviewActs() []string { return codes(reviewActs) }

// what says what each act that is offered will do.
func (r ReviewRow) what() (out []string) {
	cart := r.OrderID == ""
	for _, do := range r.Do {
		switch {
		case do == DoApprove && cart:
			out = append(out, "Approve: the cart may be ordered without proof, as long as its buyer, items, addresses and amount stay as they are.")
		case do == DoApprove:
			out = append(out, "Approve: the order goes back to the status it had and can ship without proof.")
		case do == DoRefuse && cart:
			out = append(out, "Refuse: the cart cannot be ordered; if it is, the order is held and refused.")
		case do == DoRefuse:
			out = append(out, "Refuse: the order stays on hold and its verification link stops working. Cancelling and refunding it is up to you.")
		case do == DoAsk && cart:
			out = append(out, "Ask again: the buyer is mailed a link to verify for this cart.")
		case do == DoAsk:
			out = append(out, "Ask again: the buyer is mailed a new verification link and has fresh tries. Once an hour, ten times in all.")
		case do == DoAcknowledge:
			out = append(out, "Acknowledge: it leaves this list; nothing else changes.")
		}
	}
	return out
}

func (r ReviewRow) id() string { return r.Kind + "-" + r.Subject }

func (r ReviewRow) title() string {
	if r.OrderID != "" {
		return "order " + r.OrderID
	}
	return "a cart"
}

// reviewFilters are the lists of what waits, in the order of their tabs.
func reviewTabs(base string) []tab {
	out := []tab{{"", "All", base + "/review"}}
	for _, k := range []string{"in_review", "late", "tries_spent", "blocked", "leaked", "moved"} {
		out = append(out, tab{k, ReviewWords(k).Short, base + "/review?kind=" + k})
	}
	return out
}

func (d ReviewData) later() string {
	if d.Later == "" {
		return ""
	}
	return withQuery(d.Base+"/review", "kind", d.Kind, "after", d.Later)
}

func (d ReviewData) beginning() string {
	if d.After == "" {
		return ""
	}
	return withQuery(d.Base+"/review", "kind", d.Kind)
}

// here is where the queue's forms are sent, so that the answer is the page they stand on.
func (d ReviewData) here(form string) string {
	return withQuery(d.Base+form, "kind", d.Kind, "after", d.After)
}

func (w WordRow) about() string {
	if w.OrderID == "" {
		return "a cart"
	}
	return "order " + w.OrderID
}

// said is what the person decided.
func (w WordRow) said() Words {
	switch w.Outcome {
	case "allow":
		return Words{Short: "Approved", Tone: "ok"}
	case "refuse":
		return Words{Short: "Refused", Tone: "bad"}
	}
	return Words{Short: "Taken back", Tone: "info"}
}

// RequestData is the demand of a check of one order.
type RequestData struct {
	Layout
	Order    OrderGlance
	Form     RequestForm
	Errors   map[string]string
	Before   *RequestRow // what is demanded already
	Cannot   string      // why nothing can be demanded; one of RequestBars
	Unasked  string      // why BigCommerce could not be asked about the order just now, or nothing
	NoMails  string      // why the buyer gets no mail, or nothing
	Policy   Need        // what the Policy asks of it now
	HoldTo   int         // the status it would be moved to
	CanOrder bool        // its own page is there
}

// OrderGlance is an order in a line.
type OrderGlance struct {
	ID       string
	Customer string
	Guest    bool
	Value    string
	Placed   When
	StatusID int
	Hold     string
}

// RequestForm is what is demanded, as it was typed.
type RequestForm struct {
	IAL      string
	Selfie   string // on
	MaxAge   string // days
	LeastAge string // years
	Hold     string // on
	Reason   string
}

// RequestRow is a check that somebody demands.
type RequestRow struct {
	By   string
	Why  string
	When When
	Need Need
	Hold bool
	Met  bool
}

var requestBars = map[string]Words{
	"gone":       {Sentence: "The order has left, or is over: nothing can be held back any more.", Next: "Talk to your shipping company, or to the customer."},
	"refused":    {Sentence: "The order was refused by hand.", Next: "Take the refusal back first, on the order's page."},
	"moving":     {Sentence: "The order is on its way from one status to another.", Next: "Try again in a few seconds."},
	"not_asking": {Sentence: "The policy does not enforce, so nobody is asked and nothing is held.", Next: "Switch it to enforce under Policy first."},
	"suspended":  {Sentence: "BigCommerce refuses our token.", Next: "Install idgate again first."},
}

// RequestBars lists why no check can be demanded of an order.
func RequestBars() []string { return codes(requestBars) }

func (d RequestData) control(name, label, hint, value string) control {
	return control{name: name, label: label, hint: hint, value: value, err: d.Errors[name]}
}

func (d RequestData) holdHint() string {
	return "It is moved to “" + OrderStatusWords(d.HoldTo).Short + "” if it waits to be shipped, and goes back as soon as it is proved. Without this it ships as it would, and the buyer is only asked."
}

// undoForm takes back a person's word on the order.
func (d OrderData) undoForm() reasonForm {
	f := reasonForm{folded: true, id: "undo", action: "undo", title: "Take the release back", label: "Reason for taking it back",
		what: "The order is put on hold again and its buyer is mailed a new link. This can be done until BigCommerce shows that the order has moved on from “" +
			OrderStatusWords(d.FormerStatus).Short + "”. Your name and reason stay with it.",
		button: "Put order " + d.Number + " on hold again", tone: "danger", ReasonForm: d.Undo}
	if d.CanUndo == "refusal" {
		f.title, f.button, f.tone = "Take the refusal back", "Let order "+d.Number+" be proved again", ""
		f.what = "The order stays on hold, and its verification link works again. This can be done for as long as the order is on hold; idgate never cancels a refused order. Your name and reason stay with it."
	}
	return f
}

func (d OrderData) withdrawForm() reasonForm {
	return reasonForm{folded: true, id: "withdraw", action: "request/withdraw", title: "Take the requested check back", label: "Reason for taking it back",
		what:   "The order is decided without it at once. If nothing else holds it, it is released in your name.",
		button: "Take the check back", ReasonForm: d.Withdraw}
}
