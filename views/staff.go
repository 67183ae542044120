package views

// ActivityData is a page of what people did in the Shop, newest first.
type ActivityData struct {
	Layout
	Lines     []ActivityLine
	Older     string
	Paged     bool
	Head      string // hash of the newest line
	HeadLine  string // its number
	CanExport bool
	Verify    string // how to check an export, as one types it
}

// ActivityLine is one thing that somebody did.
type ActivityLine struct {
	Number  string
	When    When
	Who     string
	Action  string // one of ActionCodes
	Subject string
	Detail  string
	Order   string // links to the order when set
}

var actions = map[string]Words{
	"shop.installed":        {Short: "App installed", Tone: "quiet", Sentence: "The app was installed."},
	"shop.uninstalled":      {Short: "App uninstalled", Tone: "warn", Sentence: "The app was uninstalled."},
	"policy.saved":          {Short: "Policy saved", Tone: "info", Sentence: "A new version of the policy was saved."},
	"order.released":        {Short: "Order released", Tone: "ok", Sentence: "An order was let go by hand."},
	"order.refused":         {Short: "Order refused", Tone: "bad", Sentence: "An order was refused by hand."},
	"order.kept":            {Short: "Order kept", Tone: "info", Sentence: "An order is not to be cancelled."},
	"order.unkept":          {Short: "Order may be cancelled", Tone: "quiet", Sentence: "An order may be cancelled after all."},
	"order.check_requested": {Short: "Check requested", Tone: "info", Sentence: "A check was requested for an order."},
	"order.check_withdrawn": {Short: "Check taken back", Tone: "info", Sentence: "A requested check of an order was taken back."},
	"order.undone":          {Short: "Decision undone", Tone: "warn", Sentence: "What somebody had decided about an order was taken back."},
	"order.asked_again":     {Short: "Asked again", Tone: "info", Sentence: "An order's buyer was asked again, with fresh tries."},
	"review.acknowledged":   {Short: "Acknowledged", Tone: "quiet", Sentence: "Something that waited for a person was acknowledged."},
	"cart.allowed":          {Short: "Cart approved", Tone: "ok", Sentence: "A cart may be ordered without proof, as a person said."},
	"cart.refused":          {Short: "Cart refused", Tone: "bad", Sentence: "A cart was refused by hand."},
	"cart.undone":           {Short: "Cart decision undone", Tone: "warn", Sentence: "What somebody had decided about a cart was taken back."},
	"proof.revoked":         {Short: "Proof revoked", Tone: "bad", Sentence: "A proof was taken back."},
	"settings.saved":        {Short: "Settings saved", Tone: "info", Sentence: "The settings were changed."},
	"tenant.saved":          {Short: "1Kosmos tenant saved", Tone: "info", Sentence: "The shop's 1Kosmos tenant was changed."},
	"user.role":             {Short: "Role changed", Tone: "info", Sentence: "The role of one of the staff was changed."},
	"user.removed":          {Short: "User removed", Tone: "quiet", Sentence: "One of the staff was taken off the shop."},
	"list.added":            {Short: "Put on a list", Tone: "info", Sentence: "Customers or mailboxes were put on the allow list or the block list."},
	"list.removed":          {Short: "Taken off a list", Tone: "info", Sentence: "A customer or a mailbox was taken off a list."},
	"customer.erased":       {Short: "Person erased", Tone: "warn", Sentence: "What was known of a person was erased."},
	"notices.replayed":      {Short: "Notices handled again", Tone: "quiet", Sentence: "Webhooks were handled once more."},
	"endpoint.added":        {Short: "Endpoint added", Tone: "info", Sentence: "A webhook endpoint was added."},
	"endpoint.saved":        {Short: "Endpoint saved", Tone: "info", Sentence: "A webhook endpoint was changed."},
	"endpoint.paused":       {Short: "Endpoint paused", Tone: "quiet", Sentence: "A webhook endpoint was paused."},
	"endpoint.resumed":      {Short: "Endpoint switched on", Tone: "info", Sentence: "A webhook endpoint was switched on again."},
	"endpoint.removed":      {Short: "Endpoint removed", Tone: "warn", Sentence: "A webhook endpoint was removed, with its secrets."},
	"endpoint.rotated":      {Short: "Secret replaced", Tone: "info", Sentence: "The secret of a webhook endpoint was replaced."},
	"endpoint.old_stopped":  {Short: "Old secret stopped", Tone: "info", Sentence: "The old secret of a webhook endpoint was destroyed."},
	"endpoint.secret_shown": {Short: "Secret shown", Tone: "quiet", Sentence: "The secret of a webhook endpoint was shown, once."},
	"endpoint.resent":       {Short: "Events sent again", Tone: "quiet", Sentence: "Events were sent to a webhook endpoint again."},
	"endpoint.off":          {Short: "Endpoint switched off", Tone: "bad", Sentence: "idgate switched a webhook endpoint off."},
	"exported":              {Short: "Exported", Tone: "quiet", Sentence: "Data was exported."},
}

// ActionWords puts in words what somebody did.
func ActionWords(code string) Words { return find(actions, code) }

// ActionCodes lists what somebody can have done.
func ActionCodes() []string { return codes(actions) }

func (d ActivityData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.Base + "/activity?before=" + d.Older
}

func (d ActivityData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.Base + "/activity"
}

// TeamData is who of the staff may do what.
type TeamData struct {
	Layout
	Members   []Member
	CanChange bool
	Wrong     string // the user whose change was refused
	Error     string // what FieldError takes
}

// Member is one of the Shop's staff.
type Member struct {
	ID    string
	Email string
	Role  string
	Seen  When
	You   bool
	Fixed bool // nobody changes their role here
}

func roleChoices() []choice {
	var out []choice
	for _, r := range []string{"manager", "reviewer", "viewer"} {
		out = append(out, choice{r, RoleWords(r).Short, ""})
	}
	return out
}

func memberField(m Member, d TeamData) control {
	c := control{name: "role-" + m.ID, label: "Role of " + m.Email, value: m.Role}
	if d.Wrong == m.ID {
		c.err = d.Error
	}
	return c
}

// ListsData is the allow list or the block list of a Shop, with what puts somebody on it.
type ListsData struct {
	Layout
	List     string // allowed or blocked
	Entries  []ListEntry
	Older    string
	Paged    bool
	Form     ListForm
	Errors   map[string]string
	Import   ImportForm
	Report   *ImportReport
	ReadOnly bool
}

// ListEntry is somebody on a list.
type ListEntry struct {
	Customer string // id; or
	Mailbox  string // or
	Hash     string // of somebody who was erased
	Note     string
	By       string
	When     When
}

// ListForm puts one customer or mailbox on the list.
type ListForm struct{ Who, Note string }

// ImportForm puts many on the list.
type ImportForm struct {
	Text  string
	Note  string // for lines without one of their own
	Leave string // on: lines that are wrong are left out
	Error string // what FieldError takes
}

// ImportReport says of each line what becomes of it.
type ImportReport struct {
	Good, Wrong string // how many
	Lines       []ImportLine
	More        string // how many lines are not shown; empty: none
}

// ImportLine is one line of an import.
type ImportLine struct {
	Number  string
	Text    string
	Outcome string // customer, mailbox, repeated, header or empty; or
	Error   string // what FieldError takes
}

var importOutcomes = map[string]Words{
	"customer": {Short: "Customer", Tone: "ok", Sentence: "A customer's id."},
	"mailbox":  {Short: "Mailbox", Tone: "ok", Sentence: "A mailbox."},
	"repeated": {Short: "Repeated", Tone: "quiet", Sentence: "The same as an earlier line; it counts once."},
	"header":   {Short: "Heading", Tone: "quiet", Sentence: "The columns' names; left out."},
}

// ImportWords says what a line of an import is.
func ImportWords(code string) Words { return find(importOutcomes, code) }

// ImportCodes lists what a line of an import can be.
func ImportCodes() []string { return codes(importOutcomes) }

var listNames = map[string]Words{
	"allowed": {Short: "Allow list", Sentence: "Whoever is on it needs no proof, whatever the rules say."},
	"blocked": {Short: "Block list", Sentence: "Whoever is on it is refused, whatever they prove. The shopper is not told that it is a list."},
}

// ListWords names a list.
func ListWords(code string) Words { return find(listNames, code) }

// ListCodes lists the lists.
func ListCodes() []string { return codes(listNames) }

func listTabs(base string) []tab {
	return []tab{{"allowed", "Allow list", base + "/lists"}, {"blocked", "Block list", base + "/lists?list=blocked"}}
}

func (d ListsData) url(before string) string {
	list := d.List
	if list == "allowed" {
		list = ""
	}
	return withQuery(d.Base+"/lists", "list", list, "before", before)
}

func (d ListsData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.url(d.Older)
}

func (d ListsData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.url("")
}

func (e ListEntry) who() string {
	if e.Mailbox != "" {
		return e.Mailbox
	}
	if e.Hash != "" {
		return "Erased person (" + e.Hash[:min(8, len(e.Hash))] + ")"
	}
	return "Customer " + e.Customer
}
