package views

// HealthData is how the installation stands.
type HealthData struct {
	Layout
	CheckedAt  When // when wished and present state were last compared
	Hooks      []HookRow
	Scripts    []ScriptRow
	CSP        []Directive // what a shop's content security policy has to allow
	Reports    []ReportRow // what pages no longer had as expected, lately
	Attributes []AttributeRow
	Scopes     []ScopeRow
	Sweep      SweepData
	Queue      QueueData
	Stuck      []StuckRow
	Provider   ProviderData
	Replica    ReplicaData
	Problems   []string // what the last comparison could not put right, in words
	Quota      QuotaData
	Clock      ClockData
	Notices    []NoticeRow // those that could not be handled, newest first
	Replay     ReplayForm
	Budget     Use    // of verifications within 24 hours
	OnHold     string // orders on our hold now
	Export     bool   // whoever looks may take their list away
	CanRepair  bool   // and may have the installation repaired
	CanRepeat  bool   // and may have stuck work done again
	CanReplay  bool   // and may have everything handled again
}

// QuotaData is how the shop's API quota stands. All of a shop's apps share it.
type QuotaData struct {
	Window  string // how long a window is, "30 s"
	Limit   string // requests in a window, of all apps
	Share   string // of these, idgate's at most
	Used    string // by idgate in the latest window
	Left    string // to all apps then
	Blocked When   // until when BigCommerce takes no more requests; never: it takes them
	Waiting When   // since when orders wait for the quota; never: none do
	Waited  string // how long they have waited in all since idgate was started
}

// ClockData is how our clock differs from BigCommerce's.
type ClockData struct {
	Status string // one of StatusCodes
	Differ string // "7 minutes ahead of BigCommerce's"; empty where they agree
}

// NoticeRow is one webhook that could not be handled.
type NoticeRow struct {
	ID         string
	Scope      string
	Subject    string
	Said       string // why
	Deliveries string
	Received   When
}

// SinceField is from when on webhooks are to be handled again, as YYYY-MM-DDTHH:MM in the shop's zone.
const SinceField = "since"

// ReplayForm has every webhook since a moment handled again.
type ReplayForm struct {
	Since string
	Zone  string // the shop's, for people
	Error string // what FieldError takes
}

// HookRow is one webhook.
type HookRow struct {
	Scope    string
	Status   string // one of StatusCodes
	LastSeen When
}

// ScriptRow is the checkout script of one channel.
type ScriptRow struct {
	Channel string
	Status  string // one of StatusCodes
	Hash    string
	Note    string // what the script last missed on the page, or whatever else is known
}

// Directive is what a content security policy has to allow, and what for.
type Directive struct{ Name, Value, For string }

// ReportRow is what a channel's checkout page no longer had as expected.
type ReportRow struct {
	Channel string
	Missing string // one of ReportCodes
	Count   string // times within the days that are looked at
	Last    When
}

func (r ReportRow) said() string {
	return r.Channel + ": " + reported[r.Missing] + ". Reported " + r.Count + ", last on"
}

// reported are the words for what a page no longer had.
var reported = map[string]string{
	"submit_button": "the button that places the order was not found. Wallets and the order call are still held",
	"order_call":    "an order went to an address that idgate does not know. It was not held in the page; the order gate checks it",
	"payment_step":  "the payment step was not found",
	"checkout_app":  "the checkout was not found",
}

// ReportCodes lists what pages report.
func ReportCodes() []string { return codes(reported) }

// AttributeRow is one customer attribute.
type AttributeRow struct{ Name, Status string }

// ScopeRow is one permission we ask for.
type ScopeRow struct {
	Name    string
	Granted bool
}

// SweepData is the loop that finds what no webhook told.
type SweepData struct {
	Status string // one of StatusCodes
	Last   When
	Found  string // orders it found that no webhook had told of, last 7 days
}

// QueueData is what waits to be read or written.
type QueueData struct {
	Notices    string
	Writebacks string
	Oldest     When   // of either; zero when nothing waits
	Returned   string // mails that shoppers asked for and that never came: refused, or come back, within two days; empty: none
}

// WritebackField carries the id of the change to try again.
const WritebackField = "writeback"

// StuckRow is one outside change that needs a person.
type StuckRow struct {
	ID       string
	Kind     string // one of WritebackKinds
	Mail     string // of a mail: one of MailCodes
	Subject  string // "Order 1042", "Customer 7"
	Order    string // the order's number, for a link; empty for a customer
	Code     string // one of StuckCodes, or empty
	Said     string // what BigCommerce said, or the whole reason where there is no code
	Attempts string
	Since    When
}

// ProviderData is the connection to 1Kosmos.
type ProviderData struct {
	Status     string // one of StatusCodes
	DNS        string
	Community  string
	Own        bool // this shop's tenant rather than the operator's
	Discovered When
	Said       string // the last error, if any
}

// ReplicaData is Litestream's replica.
type ReplicaData struct {
	Status string // one of StatusCodes; off when none is configured
	Target string
	Synced When
	Behind string // how far, "3 minutes"; empty while it is in step
	Said   string
}

// kind is the field's type. What was refused stays as it was typed, which only a text can.
func (f ReplayForm) kind() string {
	if f.Error != "" {
		return "text"
	}
	return "datetime-local"
}

// what names the change or mail that is stuck.
func (s StuckRow) what() string {
	if s.Kind == "mail" {
		return "Mail: " + MailWords(s.Mail).Short
	}
	return WritebackWords(s.Kind).Short
}

func (s StuckRow) badge() Words {
	w := StuckWords(s.Code)
	if s.Kind == "mail" && s.Code == "" {
		w.Short = "Could not be sent"
	}
	return w
}

func (s StuckRow) button() string {
	if s.Kind == "mail" {
		return "Send again"
	}
	return "Try again"
}

func (d HealthData) scopesMissing() bool {
	for _, s := range d.Scopes {
		if !s.Granted {
			return true
		}
	}
	return false
}

func tenantOwner(p ProviderData) string {
	switch {
	case p.DNS == "":
		return ""
	case p.Own:
		return "this shop"
	}
	return "the operator of this idgate"
}
