package views

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The tables below are read-only. Each has a function that answers for codes it does not know as well, so that a page never
// fails for want of a word, and one that lists the codes it does know, for the tests that hold it to the rest of idgate.

func codes[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// find answers with the code itself where the table has no words.
func find(m map[string]Words, code string) Words {
	if w, ok := m[code]; ok {
		return w
	}
	if code == "" {
		return Words{Short: "–", Sentence: "Nothing is known yet.", Tone: "quiet"}
	}
	plain := upperFirst(strings.ReplaceAll(code, "_", " "))
	return Words{Short: plain, Sentence: plain + ".", Tone: "quiet"}
}

func upperFirst(s string) string {
	if s == "" || s[0] >= utf8.RuneSelf { // a quotation mark has no capital
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var modes = map[string]Words{
	"off":     {Short: "Off", Tone: "quiet", Sentence: "Nothing is checked. No order is held."},
	"shadow":  {Short: "Shadow", Tone: "info", Sentence: "Every cart and order is decided and recorded. Shoppers notice nothing, no order is held, nothing is written to the shop."},
	"enforce": {Short: "Enforcing", Tone: "ok", Sentence: "Shoppers prove their identity where the policy asks for it. Orders without proof are held until it is there."},
}

// ModeWords puts a Policy's mode in words.
func ModeWords(code string) Words { return find(modes, code) }

// ModeCodes lists the modes.
func ModeCodes() []string { return codes(modes) }

var outcomes = map[string]Words{
	"allow":  {Short: "Allowed", Tone: "ok", Sentence: "Nothing stands in the way."},
	"verify": {Short: "Proof needed", Tone: "info", Sentence: "The shopper has to prove who they are first."},
	"review": {Short: "In review", Tone: "warn", Sentence: "A verification is with a human reviewer."},
	"hold":   {Short: "Hold", Tone: "warn", Sentence: "The order may not ship until it is proved."},
	"refuse": {Short: "Refused", Tone: "bad", Sentence: "The order may not go on."},
}

// OutcomeWords puts a Decision's outcome in words.
func OutcomeWords(code string) Words { return find(outcomes, code) }

// OutcomeCodes lists the outcomes.
func OutcomeCodes() []string { return codes(outcomes) }

var sessions = map[string]Words{
	"created":    {Short: "Not started", Tone: "quiet", Sentence: "The link was made; nobody has opened it."},
	"started":    {Short: "Started", Tone: "info", Sentence: "The shopper is taking pictures."},
	"processing": {Short: "Checking", Tone: "info", Sentence: "1Kosmos is checking the pictures."},
	"review":     {Short: "In review", Tone: "warn", Sentence: "A person at 1Kosmos is looking at it."},
	"passed":     {Short: "Passed", Tone: "ok", Sentence: "The shopper's identity was verified."},
	"failed":     {Short: "Failed", Tone: "bad", Sentence: "The verification did not succeed."},
	"declined":   {Short: "Declined", Tone: "bad", Sentence: "1Kosmos declined the verification."},
	"expired":    {Short: "Expired", Tone: "quiet", Sentence: "Nobody finished it in time."},
	"abandoned":  {Short: "Given up", Tone: "quiet", Sentence: "The shopper stopped before the end."},
	"error":      {Short: "Error", Tone: "bad", Sentence: "Something went wrong at the provider; this says nothing about the shopper."},
}

// SessionWords puts a Session's state in a merchant's words.
func SessionWords(state string) Words { return find(sessions, state) }

// SessionStates lists the states a Session can be in.
func SessionStates() []string { return codes(sessions) }

var holds = map[string]Words{
	"seen":      {Short: "Seen", Tone: "quiet", Sentence: "The order was seen for the first time."},
	"none":      {Short: "Not held", Tone: "quiet", Sentence: "The order was never held."},
	"holding":   {Short: "Being held", Tone: "warn", Sentence: "The order is on its way to the hold status."},
	"held":      {Short: "Held", Tone: "warn", Sentence: "The order was put on hold."},
	"releasing": {Short: "Being released", Tone: "info", Sentence: "The order is on its way back to its former status."},
	"released":  {Short: "Released", Tone: "ok", Sentence: "The order went back to the status it had before."},
	"refused":   {Short: "Refused", Tone: "bad", Sentence: "The order was refused and stays on hold."},
	"leaked":    {Short: "Leak", Tone: "bad", Sentence: "The order had already gone when it was found without proof."},
	"moved":     {Short: "Moved by hand", Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold; idgate will not change it back."},
	"not_ours":  {Short: "Held by others", Tone: "quiet", Sentence: "Somebody else put this order on hold; idgate will not release it."},

	"held_again": {Short: "Held again", Tone: "warn", Sentence: "Somebody in the shop had moved the order off our hold, and it was held once more."},
	"moved_back": {Short: "Moved by hand", Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold and put it back; idgate will not release it."},
	"cancelling": {Short: "Being cancelled", Tone: "bad", Sentence: "The order is on its way to being cancelled."},
	"cancelled":  {Short: "Cancelled", Tone: "quiet", Sentence: "Nobody proved the order in time, and it was cancelled."},
}

// HoldWords puts what became of an order in words.
func HoldWords(state string) Words { return find(holds, state) }

// HoldStates lists what can become of an order.
func HoldStates() []string { return codes(holds) }

// BigCommerce's order statuses, by number.
var orderStatuses = [...]Words{
	0:  {Short: "Incomplete", Tone: "quiet"},
	1:  {Short: "Pending", Tone: "quiet"},
	2:  {Short: "Shipped", Tone: "ok"},
	3:  {Short: "Partially Shipped", Tone: "info"},
	4:  {Short: "Refunded", Tone: "quiet"},
	5:  {Short: "Cancelled", Tone: "quiet"},
	6:  {Short: "Declined", Tone: "bad"},
	7:  {Short: "Awaiting Payment", Tone: "warn"},
	8:  {Short: "Awaiting Pickup", Tone: "info"},
	9:  {Short: "Awaiting Shipment", Tone: "info"},
	10: {Short: "Completed", Tone: "ok"},
	11: {Short: "Awaiting Fulfillment", Tone: "info"},
	12: {Short: "Manual Verification Required", Tone: "warn"},
	13: {Short: "Disputed", Tone: "bad"},
	14: {Short: "Partially Refunded", Tone: "quiet"},
}

// OrderStatusWords names a status as BigCommerce does.
func OrderStatusWords(id int) Words {
	if id < 0 || id >= len(orderStatuses) {
		return Words{Short: "Unknown status", Tone: "quiet"}
	}
	return orderStatuses[id]
}

var notices = map[string]Words{
	"store/order/created":          {Short: "New order", Tone: "quiet", Sentence: "BigCommerce said that the order was made."},
	"store/order/statusUpdated":    {Short: "Status changed", Tone: "quiet", Sentence: "BigCommerce said that the order's status changed."},
	"store/cart/converted":         {Short: "Cart became order", Tone: "quiet", Sentence: "BigCommerce said that the cart became an order."},
	"store/customer/created":       {Short: "New customer", Tone: "quiet", Sentence: "BigCommerce said that the customer opened an account."},
	"store/customer/updated":       {Short: "Customer changed", Tone: "quiet", Sentence: "BigCommerce said that the customer's record changed."},
	"store/customer/deleted":       {Short: "Customer deleted", Tone: "quiet", Sentence: "BigCommerce said that the customer was deleted; what idgate knew was erased."},
	"store/app/uninstalled":        {Short: "App uninstalled", Tone: "warn", Sentence: "BigCommerce said that the app was uninstalled."},
	"store/hook/deliveryException": {Short: "Webhook trouble", Tone: "warn", Sentence: "BigCommerce said that it could not deliver a webhook."},
	"sweep":                        {Short: "Found by sweep", Tone: "info", Sentence: "The sweep found the order without being told of it."},
	"script":                       {Short: "Asked by checkout", Tone: "quiet", Sentence: "The checkout asked whether the cart may go on."},
	"link":                         {Short: "Link opened", Tone: "quiet", Sentence: "Somebody opened the verification link."},
}

// NoticeWords says what made idgate look.
func NoticeWords(scope string) Words { return find(notices, scope) }

// NoticeCodes lists what can make idgate look.
func NoticeCodes() []string { return codes(notices) }

var writebacks = map[string]Words{
	"hold":                {Short: "Hold", Tone: "quiet", Sentence: "The order's status was changed to the hold status."},
	"release":             {Short: "Release", Tone: "quiet", Sentence: "The order's status was changed back."},
	"note":                {Short: "Staff note", Tone: "quiet", Sentence: "A staff note was added to the order."},
	"decision_metafield":  {Short: "Order metafield", Tone: "quiet", Sentence: "The decision was written to a metafield of the order."},
	"customer_attributes": {Short: "Customer attributes", Tone: "quiet", Sentence: "The outcome was written to the customer's attributes."},
	"customer_fields_v2":  {Short: "Customer custom_fields", Tone: "quiet", Sentence: "The outcome was sent to the customer's custom_fields (v2)."},
	"proof_metafield":     {Short: "Customer metafield", Tone: "quiet", Sentence: "The full receipt was written to a metafield of the customer."},
	"cancel":              {Short: "Cancellation", Tone: "quiet", Sentence: "The order was cancelled in BigCommerce. No money was given back by that."},
	"cancel_note":         {Short: "Staff note on the cancellation", Tone: "quiet", Sentence: "The staff notes say when the order will be cancelled."},
	"mail":                {Short: "Mail", Tone: "quiet", Sentence: "A mail was sent."},
}

// WritebackWords says what was changed outside.
func WritebackWords(kind string) Words { return find(writebacks, kind) }

// WritebackKinds lists what can be changed outside.
func WritebackKinds() []string { return codes(writebacks) }

var entryKinds = map[string]func(code string) Words{
	"notice":    NoticeWords,
	"decision":  OutcomeWords,
	"session":   SessionWords,
	"order":     HoldWords,
	"hold":      HoldWords,
	"writeback": WritebackWords,
	"mail":      MailWords,
	"event":     EventWords,
}

// EntryKinds lists the kinds of Entry.
func EntryKinds() []string { return codes(entryKinds) }

var entryKindNames = map[string]string{
	"notice": "Notice", "decision": "Decision", "session": "Session", "order": "Order", "hold": "Order", "writeback": "Write-back",
	"mail": "Mail", "event": "Order",
}

func (e Entry) words() Words {
	if f, ok := entryKinds[e.Kind]; ok {
		return f(e.Code)
	}
	return find(nil, e.Code)
}

// tone is that of the words, unless what they say has not happened.
func (e Entry) tone() string {
	if e.State != "" {
		return WorkWords(e.State).Tone
	}
	return e.words().Tone
}

// retry is what the button says that tries a stuck write-back or mail again.
func (e Entry) retry() string {
	if e.Kind == "mail" {
		return "Send again"
	}
	return "Try again"
}

func (e Entry) kindName() string {
	if n, ok := entryKindNames[e.Kind]; ok {
		return n
	}
	return upperFirst(e.Kind)
}

var ialSources = map[string]Words{
	"policy":        {Short: "by your policy", Sentence: "Your policy says that this evidence counts as this IAL; 1Kosmos asserts no level for a document session."},
	"oidc":          {Short: "asserted by 1Kosmos sign-in", Sentence: "1Kosmos asserted this level in a signed sign-in token."},
	"ial_endpoint":  {Short: "asserted by 1Kosmos", Sentence: "1Kosmos reported this level for the person's account."},
	"ial2_workflow": {Short: "by the 1Kosmos IAL2 workflow", Sentence: "The person completed 1Kosmos's IAL2 workflow."},
}

// IALSourceWords says where a level comes from.
func IALSourceWords(source string) Words { return find(ialSources, source) }

// IALSources lists where a level can come from.
func IALSources() []string { return codes(ialSources) }

var rules = map[string]Words{
	"checkout": {Short: "Every checkout", Sentence: "What the policy asks of every order it covers."},
	"step_up":  {Short: "Step-up order value", Sentence: "What the policy asks in addition above the step-up order value."},

	"requested": {Short: "Requested check", Sentence: "What somebody in the shop asks of this order besides."},
}

// RuleWords names the rules every Policy has; a merchant's own rules bring their name.
func RuleWords(name string) Words {
	if w, ok := rules[name]; ok {
		return w
	}
	return Words{Short: name}
}

// RuleNames lists the rules every Policy has.
func RuleNames() []string { return codes(rules) }

// Of a fact, Sentence says what is looked at and Next how its values are written.
var facts = map[string]Words{
	"value":       {Short: "Order value", Sentence: "What the order is worth, before store credit and gift certificates, in the shop's currency.", Next: "Enter the amount from which it is met."},
	"currency":    {Short: "Currency", Sentence: "The currency in which the shopper pays.", Next: "Three capital letters each, such as EUR, GBP."},
	"product":     {Short: "Product", Sentence: "The products in the cart or order; one is enough, for an exemption it must be all.", Next: "Product ids, as BigCommerce shows them."},
	"category":    {Short: "Category", Sentence: "The categories of the products; one product is enough, for an exemption it must be all.", Next: "Category ids, as BigCommerce shows them."},
	"brand":       {Short: "Brand", Sentence: "The brands of the products; one product is enough, for an exemption it must be all.", Next: "Brand ids, as BigCommerce shows them."},
	"country":     {Short: "Country", Sentence: "Where the goods are shipped, or the billing address when nothing ships.", Next: "Two capital letters each, such as US, CA."},
	"state":       {Short: "State or province", Sentence: "The state or province that the goods are shipped to.", Next: "Country and state, such as US/California or CA/Ontario."},
	"postcode":    {Short: "Postcode", Sentence: "The postcode that the goods are shipped to.", Next: "A postcode such as 90210, a range such as 90000-90999, or a beginning such as SW1A*."},
	"ship_differ": {Short: "Shipping differs from billing", Sentence: "Whether the goods go to another address than the bill.", Next: "It has no values."},
	"group":       {Short: "Customer group", Sentence: "The customer group of whoever orders; “guest” is whoever is not signed in.", Next: "Group ids, or guest."},
	"first_order": {Short: "First order", Sentence: "Whether this customer has never ordered before; guests count as new.", Next: "It has no values."},
	"payment":     {Short: "Payment method", Sentence: "How the order is paid. This is known only when the order is placed, so such a rule is settled then.", Next: "One a line, as BigCommerce names the method; upper and lower case make no difference."},
	"ship_method": {Short: "Shipping method", Sentence: "How the goods are shipped.", Next: "One a line, as your shop names the method; upper and lower case make no difference."},
	"channel":     {Short: "Channel", Sentence: "The storefront or channel that the order comes by.", Next: "Channel ids, as BigCommerce shows them."},
	"source":      {Short: "Order source", Sentence: "How the order came about. This is known only when the order is placed, so such a rule is settled then.", Next: "BigCommerce's names, such as www, manual, external."},
}

// FactWords names what a rule's condition looks at.
func FactWords(fact string) Words { return find(facts, fact) }

// FactNames lists what a rule's condition can look at.
func FactNames() []string { return codes(facts) }

var verdicts = map[string]Words{
	"yes":     {Short: "Matched", Tone: "info", Sentence: "The rule applies to this order."},
	"no":      {Short: "Not matched", Tone: "quiet", Sentence: "The rule does not apply to this order."},
	"unknown": {Short: "Unknown", Tone: "warn", Sentence: "A fact that the rule needs is not known; the stricter reading was taken."},
}

// VerdictWords puts a rule's or a condition's answer in words.
func VerdictWords(code string) Words { return find(verdicts, code) }

// VerdictCodes lists the answers.
func VerdictCodes() []string { return codes(verdicts) }

// BigCommerce's order sources.
var sources = map[string]Words{
	"www":          {Short: "Storefront (desktop)"},
	"mobile":       {Short: "Storefront (phone)"},
	"iphone":       {Short: "Storefront (iPhone)"},
	"ipad":         {Short: "Storefront (iPad)"},
	"android":      {Short: "Storefront (Android)"},
	"checkout_api": {Short: "Checkout API (headless)"},
	"buybutton":    {Short: "Buy button"},
	"manual":       {Short: "Made by staff in the control panel"},
	"external":     {Short: "Made by another app through the API"},
	"amazon":       {Short: "Amazon"},
	"ebay":         {Short: "eBay"},
	"facebookshop": {Short: "Facebook shop"},
}

// SourceWords names an order source.
func SourceWords(code string) Words { return find(sources, code) }

// SourceCodes lists the order sources with words, in the order the policy form shows them.
func SourceCodes() []string {
	return []string{"www", "mobile", "iphone", "ipad", "android", "checkout_api", "buybutton", "manual", "external", "amazon", "ebay", "facebookshop"}
}

var roles = map[string]Words{
	"owner":    {Short: "Owner", Sentence: "Owns the shop in BigCommerce and may do everything."},
	"manager":  {Short: "Manager", Sentence: "May change the policy and the settings, and decide about orders."},
	"reviewer": {Short: "Reviewer", Sentence: "May decide about orders."},
	"viewer":   {Short: "Viewer", Sentence: "May look."},
}

// RoleWords says what a member of staff may do.
func RoleWords(code string) Words { return find(roles, code) }

// RoleCodes lists what a member of staff can be.
func RoleCodes() []string { return codes(roles) }

var madeBy = map[string]Words{
	"rule":    {Short: "the rules", Sentence: "The policy's rules decided."},
	"person":  {Short: "a person", Sentence: "A named person decided."},
	"failure": {Short: "the policy's choice for failures", Sentence: "Something could not be reached, and the policy says what to do then."},
}

// MadeByWords says what kind of hand made a Decision.
func MadeByWords(code string) Words { return find(madeBy, code) }

// MadeByCodes lists what can make a Decision.
func MadeByCodes() []string { return codes(madeBy) }

var statuses = map[string]Words{
	"ok":           {Short: "In order", Tone: "ok"},
	"pending":      {Short: "Being put right", Tone: "info"},
	"missing":      {Short: "Missing", Tone: "bad"},
	"inactive":     {Short: "Switched off by BigCommerce", Tone: "bad"},
	"changed":      {Short: "Changed by somebody", Tone: "warn"},
	"late":         {Short: "Late", Tone: "warn"},
	"error":        {Short: "Failing", Tone: "bad"},
	"off":          {Short: "Off", Tone: "quiet"},
	"unset":        {Short: "Not set", Tone: "warn"},
	"unknown":      {Short: "Not looked at yet", Tone: "quiet"},
	"no_room":      {Short: "No room", Tone: "warn"},
	"spent":        {Short: "Used up", Tone: "bad"},
	"nearly_spent": {Short: "Nearly used up", Tone: "warn"},
	"foreign":      {Short: "Not a BigCommerce checkout", Tone: "quiet"},
}

// StatusWords puts the state of an installed part in words.
func StatusWords(code string) Words { return find(statuses, code) }

// StatusCodes lists the states of an installed part.
func StatusCodes() []string { return codes(statuses) }

var flashes = map[string]struct {
	words string // with %s for the value
	tone  string
}{
	"saved":            {"Saved as version %s.", "ok"},
	"released":         {"Order %s is being released. Its status changes within seconds.", "ok"},
	"refused":          {"Order %s is refused and stays on hold. Cancelling and refunding it is up to you.", "ok"},
	"undone":           {"This could not be done: order %s has moved on. What you see is how it stands now.", "warn"},
	"retried":          {"%s will be tried again within seconds.", "ok"},
	"repairing":        {"Looking at webhooks, scripts and attributes now; what is missing is put right within seconds.", "ok"},
	"connected":        {"The 1Kosmos tenant is saved: 1Kosmos knows this host and community. The licence key and the dvcID were not tried; the first verification does that.", "ok"},
	"disconnected":     {"This shop's 1Kosmos keys are destroyed. Nobody can verify until a tenant is entered.", "warn"},
	"reverted":         {"This shop uses the operator's 1Kosmos tenant again.", "ok"},
	"kept":             {"Order %s is kept: it will not be cancelled.", "ok"},
	"unkept":           {"Order %s may be cancelled after all. Its deadline begins anew and is announced.", "ok"},
	"revoked":          {"The proof is revoked. Order %s, and every other that rests on it and has not shipped, is decided again within seconds.", "ok"},
	"handled":          {"%s is handled again within seconds. What is right already stays as it is.", "ok"},
	"replayed":         {"%s handled again now. What is right already stays as it is.", "ok"},
	"alarms":           {"Saved. Your staff are told by mail from now on.", "ok"},
	"no_alarms":        {"Saved. Nobody is told by mail any more.", "ok"},
	"listed":           {"%s put on the list. Orders of theirs that wait are decided again within seconds.", "ok"},
	"unlisted":         {"%s taken off the list. Orders of theirs that wait are decided again within seconds.", "ok"},
	"off_list":         {"This entry is off the list already. Nothing more was done.", "warn"},
	"other_list":       {"Nothing was done: this entry was put on the other list since your page was opened. Take it off there, if that is what you want.", "warn"},
	"endpoint_added":   {"Endpoint %s is added. Its secret waits for you below.", "ok"},
	"endpoint_saved":   {"Endpoint %s is saved.", "ok"},
	"endpoint_paused":  {"Endpoint %s is paused. What happens meanwhile is not sent to it.", "ok"},
	"endpoint_resumed": {"Endpoint %s is on. What waited is sent within seconds.", "ok"},
	"endpoint_removed": {"Endpoint %s is removed, with its secrets.", "ok"},
	"endpoint_rotated": {"Endpoint %s has a new secret, which waits for you below. The old one signs too for 24 hours.", "ok"},
	"endpoint_stopped": {"The old secret of endpoint %s is destroyed.", "ok"},
	"endpoint_seen":    {"The secret of endpoint %s was shown before. To see one again, replace it.", "warn"},
	"endpoint_pinged":  {"A test event is on its way to endpoint %s. How it went appears below within seconds.", "ok"},
	"endpoint_resent":  {"%s on the way again.", "ok"},
	"endpoint_as_was":  {"Nothing was done: endpoint %s had changed meanwhile. What you see is how it stands now.", "warn"},
	"role":             {"The role of user %s is changed. It counts from their next click on.", "ok"},
	"proof_revoked":    {"The proof is revoked. Every order that rests on it and has not shipped is decided again within seconds.", "ok"},
	"reheld":           {"The release is taken back. Order %s is put on hold again within seconds.", "ok"},
	"unrefused":        {"The refusal is taken back. Order %s waits on hold to be proved.", "ok"},
	"asked":            {"The buyer of order %s is mailed a new link within seconds, and has fresh tries.", "ok"},
	"cart_mail":        {"The buyer of the cart was mailed a link.", "ok"},
	"noted":            {"Acknowledged. It waits no longer.", "ok"},
	"cart_yes":         {"The cart may be ordered as it is now, without proof.", "ok"},
	"cart_no":          {"The cart is refused.", "ok"},
	"cart_back":        {"Taken back. The cart is decided by the policy again.", "ok"},
	"check":            {"A check of order %s is requested. It is decided again within seconds.", "ok"},
	"unchecked":        {"The requested check of order %s is taken back. It is decided again within seconds.", "ok"},
	"erasing":          {"It has begun: the first %s erased. The rest follows by itself.", "ok"},
	"erased":           {"Erased. Line %s of the activity log keeps how much it was.", "ok"},
	"settings":         {"Saved.", "ok"},
	"back_on":          {"Saved. A customer who has verified in the browser they shop with can go on in their account.", "ok"},
	"back_off":         {"Saved. Nobody is signed in again after verifying.", "ok"},
}

// FlashCodes lists what a form may have done; each is also the query key that says so.
func FlashCodes() []string { return codes(flashes) }

func (f Flash) text() string {
	value := f.Value
	switch f.Code {
	case "retried":
		value = plural(value, "write-back", "write-backs")
	case "handled":
		value = plural(value, "notice", "notices")
	case "listed", "unlisted":
		value = plural(value, "entry", "entries")
	case "replayed":
		value = plural(value, "notice is", "notices are")
	case "erasing":
		value = plural(value, "row is", "rows are")
	case "endpoint_resent":
		value = plural(value, "event is", "events are")
	}
	return upperFirst(strings.ReplaceAll(flashes[f.Code].words, "%s", value))
}

func (f Flash) tone() string { return flashes[f.Code].tone }
