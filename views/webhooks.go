package views

import "slices"

// WebhooksData is where the shop's own systems are told of what happens.
type WebhooksData struct {
	Layout
	Endpoints []EndpointRow
	Form      EndpointForm // of another one
	Errors    map[string]string
	Most      string // how many a shop may have
	Full      bool   // it has as many
	ReadOnly  bool
	Example   string // an event, as it is posted
}

// EndpointRow is one endpoint in the list.
type EndpointRow struct {
	ID, URL, Note string
	State         string // one of EndpointStates
	Types         []string
	Waiting       string // events on their way; "" for none
	Failed        string // events that were given up on; "" for none
}

// EndpointForm is an endpoint as typed.
type EndpointForm struct {
	URL, Note string
	Types     []string // event types
}

// Names of the endpoint form's fields.
const (
	EndpointURLField   = "url"
	EndpointTypesField = "types"
	EndpointNoteField  = "note"
	DeliveryField      = "delivery" // which one is sent again; empty: all that failed
)

// EndpointData is one endpoint, and how what was sent to it went.
type EndpointData struct {
	Layout
	ID, URL      string
	State        string
	OffAt        When // when it was switched off
	FailingSince When // zero unless it has been failing for a while
	WaitUntil    When // zero unless it is left alone just now
	Unseen       bool // its secret has still to be shown
	Secret       string
	OldUntil     When // until then the secret before signs too
	Form         EndpointForm
	Errors       map[string]string
	ReadOnly     bool
	Deliveries   []DeliveryRow
	OnlyFailed   bool
	Older        string // a place in the log
	Paged        bool
	Waiting      string // "" for none
	Failed       string // "" for none
}

// DeliveryRow is one event on its way to one endpoint.
type DeliveryRow struct {
	ID, EventID, Type string
	State             string // one of DeliveryStates
	Tries             string
	Status            string // of the last answer; "" for none
	Excerpt           string // how that answer began
	Trouble           string
	Took              string // the last try
	Made, Tried, Next When
	Soon              bool // the next try is due
}

// DeliveryData is one delivery with what is posted.
type DeliveryData struct {
	Layout
	Endpoint, URL string
	On            bool // the endpoint is posted to
	Delivery      DeliveryRow
	Payload       string
	ReadOnly      bool
}

// AskEndpointData asks before something is done to an endpoint that cannot be undone.
type AskEndpointData struct {
	Layout
	ID, URL string
	Act     string // one of EndpointActs
	Waiting string // events on their way; "" for none
}

var endpointStates = map[string]Words{
	"on":      {Short: "On", Tone: "ok", Sentence: "Events are posted to it."},
	"paused":  {Short: "Paused", Tone: "quiet", Sentence: "Somebody paused it. What happens meanwhile is not sent; what was waiting goes on when it is resumed."},
	"gone":    {Short: "Switched off: gone", Tone: "bad", Sentence: "It answered 410 Gone, which asks never to be told again, so idgate switched it off.", Next: "Put the address right, then switch it on again."},
	"failing": {Short: "Switched off: failing", Tone: "bad", Sentence: "It took nothing for five days, so idgate switched it off.", Next: "Put right what is wrong there, switch it on again, and send again what failed."},
}

// EndpointWords says how an endpoint stands.
func EndpointWords(state string) Words { return find(endpointStates, state) }

// EndpointStates lists how an endpoint can stand.
func EndpointStates() []string { return codes(endpointStates) }

var deliveryStates = map[string]Words{
	"pending": {Short: "Waiting", Tone: "info", Sentence: "It is tried again by itself."},
	"trying":  {Short: "Being sent", Tone: "info", Sentence: "It is being posted just now."},
	"done":    {Short: "Delivered", Tone: "ok", Sentence: "The endpoint answered that it has it."},
	"failed":  {Short: "Failed", Tone: "bad", Sentence: "It is not tried again by itself."},
	"dropped": {Short: "Dropped", Tone: "quiet", Sentence: "It is no longer owed."},
}

// DeliveryWords says how far a delivery has got.
func DeliveryWords(state string) Words { return find(deliveryStates, state) }

// DeliveryStates lists how far a delivery can have got.
func DeliveryStates() []string { return codes(deliveryStates) }

var tellings = map[string]string{
	"verification.passed": "Somebody proved their identity.",
	"verification.failed": "A verification ended without that: failed, declined, expired, given up, or an error. The event says which.",
	"verification.review": "A verification waits for a person: at the provider, or with you because it passed too late.",
	"order.held":          "An order was put on hold.",
	"order.released":      "An order left our hold, proved or let go by one of your staff.",
	"order.refused":       "One of your staff refused an order; it stays on hold.",
	"order.moved":         "Somebody in your shop took an order off our hold by hand.",
	"order.leaked":        "An order had already gone, unproven, when it was found.",
	"order.cancelled":     "An order stayed on hold unproven until its announced end and was cancelled.",
	"ping":                "A test, sent by one of your staff.",
}

// TellingWords says what an event tells.
func TellingWords(eventType string) string { return tellings[eventType] }

// TellingTypes lists what an endpoint can be subscribed to, in their order on the page.
func TellingTypes() []string {
	return []string{"verification.passed", "verification.failed", "verification.review", "order.held", "order.released", "order.refused", "order.moved", "order.leaked", "order.cancelled"}
}

type endpointAct struct{ title, text, button, tone string }

var endpointActs = map[string]endpointAct{
	"remove": {"Remove this endpoint", "Its address and its secrets are destroyed, and nothing is posted to it any more, also what is on its way. The log of what was sent can no longer be read. This cannot be undone.", "Remove the endpoint", "danger"},
	"rotate": {"Replace the secret", "A new secret signs from now on. For 24 hours the present one signs as well, so that nothing is refused while you enter the new one there; after that it is destroyed. A secret that was replaced before and still signs is destroyed now.", "Make a new secret", "primary"},
	"stop":   {"Stop the old secret now", "What is posted from now on is signed with the new secret only. Whatever still checks with the old one refuses it. Do this when the old secret may be known to others, and not before the new one is entered.", "Stop the old secret", "danger"},
}

// EndpointActs lists what is asked about before it is done.
func EndpointActs() []string { return codes(endpointActs) }

func (f EndpointForm) has(eventType string) bool { return slices.Contains(f.Types, eventType) }

func (d EndpointData) here() string { return d.Base + "/webhooks/" + d.ID }

func (d EndpointData) log(failed bool, before string) string {
	only := ""
	if failed {
		only = "failed"
	}
	return withQuery(d.here(), "log", only, "before", before) + "#log"
}

func (d EndpointData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.log(d.OnlyFailed, d.Older)
}

func (d EndpointData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.log(d.OnlyFailed, "")
}

func (d EndpointData) tabs() []tab {
	return []tab{{"", "All", d.log(false, "")}, {"failed", "Failed", d.log(true, "")}}
}

func (d EndpointData) active() string {
	if d.OnlyFailed {
		return "failed"
	}
	return ""
}

func (d EndpointData) off() bool { return d.State == "gone" || d.State == "failing" }
