package views

// standings say, by the same codes, where an order stands now and what to do about it.
var standings = map[string]Words{
	"seen": {Tone: "quiet", Sentence: "idgate has heard of the order and has not decided about it yet.",
		Next: "It is decided within seconds once it waits to be shipped."},
	"none":     {Tone: "quiet", Sentence: "The order is not on our hold."},
	"not_ours": {Tone: "quiet", Sentence: "Somebody else put the order on hold; idgate says what it thinks of it, and will not release it.", Next: "Set its status in BigCommerce when it may go."},
	"holding":  {Tone: "warn", Sentence: "The order is on its way to the hold status.", Next: "This takes a few seconds; if it does not get on, Health says why."},
	"held": {Tone: "warn", Sentence: "The order is on our hold and does not ship until it is proved.",
		Next: "Send the shopper the verification link, or release or refuse it by hand."},
	"held_again": {Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold, and idgate put it on hold once more. BigCommerce does not say who it was.",
		Next: "Release it here if it may go. Moved off once more, it counts as the shop's own decision."},
	"releasing": {Tone: "info", Sentence: "The order is on its way back to the status it had before."},
	"released":  {Tone: "ok", Sentence: "Our hold has ended, and the order may ship."},
	"refused": {Tone: "bad", Sentence: "A person refused the order. It stays on hold, and its verification link works no more.",
		Next: "Cancel and refund it in BigCommerce, or take the refusal back by releasing it here."},
	"moved": {Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold. BigCommerce does not say who it was. It counts as the shop's own decision, and idgate leaves the order as it is.",
		Next: "Ask who moved it and why; if it must not ship, stop it in BigCommerce."},
	"moved_back": {Tone: "warn", Sentence: "Somebody in the shop moved the order off our hold and put it back. BigCommerce does not say who it was. The hold is theirs now, and idgate will not release it.",
		Next: "Set its status in BigCommerce when it may go."},
	"leaked": {Tone: "bad", Sentence: "This order left without proof: it had already gone when idgate found it. idgate never undoes a shipment.",
		Next: "Decide with your shipping company whether to stop it, and see under Health why it was not held in time."},
	"cancelling": {Tone: "bad", Sentence: "Nobody proved the order in time, and it is on its way to being cancelled in BigCommerce.",
		Next: "“Keep this order” stops that as long as it is not done."},
	"cancelled": {Tone: "quiet", Sentence: "Nobody proved the order in time, so idgate cancelled it. No money was given back by that.",
		Next: "Refund the payment in BigCommerce where one was taken."},
}

// StandingWords says where an order stands now, and what to do about it.
func StandingWords(state string) Words { return find(standings, state) }

// events are what happened to an order besides.
var events = map[string]Words{
	"held_again": {Short: "Held again", Tone: "warn", Sentence: "Somebody in the shop had moved the order off our hold, and it was held once more."},
	"last_call":  {Short: "Last call", Tone: "warn", Sentence: "The last call before the cancellation was made."},
	"erased":     {Short: "Buyer erased", Tone: "quiet", Sentence: "What idgate knew of the buyer was erased. The decision stands."},
	"revoked":    {Short: "Proof revoked", Tone: "bad", Sentence: "A proof was taken back by a person."},
}

// EventWords puts in words what else can happen to an order.
func EventWords(code string) Words { return find(events, code) }

// EventCodes lists what else can happen to an order.
func EventCodes() []string { return codes(events) }

// workStates are how far a Notice or a Writeback has got.
var workStates = map[string]Words{
	"pending": {Short: "Waiting", Tone: "info", Sentence: "It has still to be done."},
	"done":    {Short: "Done", Tone: "ok", Sentence: "It has been done."},
	"stuck":   {Short: "Stuck", Tone: "bad", Sentence: "It does not work by itself and needs a person."},
	"dropped": {Short: "Not needed any more", Tone: "quiet", Sentence: "It was not done, because it is needed no longer."},
}

// WorkWords says how far a Notice or a Writeback has got.
func WorkWords(state string) Words { return find(workStates, state) }

// WorkStates lists how far a Notice or a Writeback can have got.
func WorkStates() []string { return codes(workStates) }

var mails = map[string]Words{
	"link":       {Short: "Verification link", Tone: "info", Sentence: "The shopper was mailed the verification link."},
	"reminder":   {Short: "Reminder", Tone: "info", Sentence: "The shopper was reminded of the verification."},
	"last_call":  {Short: "Last call", Tone: "warn", Sentence: "The shopper was told that the order will be cancelled."},
	"released":   {Short: "Order released", Tone: "ok", Sentence: "The shopper was told that the order goes on."},
	"cancelled":  {Short: "Order cancelled", Tone: "quiet", Sentence: "The shopper was told that the order is cancelled."},
	"leaked":     {Short: "Alarm: leak", Tone: "bad", Sentence: "Your staff were told that the order left without proof."},
	"moved":      {Short: "Alarm: moved by hand", Tone: "warn", Sentence: "Your staff were told that somebody moved the order off our hold."},
	"held_again": {Short: "Alarm: held again", Tone: "warn", Sentence: "Your staff were told that the order was moved off our hold and held again."},

	"endpoint_off": {Short: "Alarm: endpoint switched off", Tone: "warn", Sentence: "Your staff were told that a webhook endpoint was switched off."},

	"team_orders":  {Short: "Team: orders that left", Tone: "bad", Sentence: "Your team was told of orders that left our hold, or left without proof."},
	"team_review":  {Short: "Team: waiting for review", Tone: "warn", Sentence: "Your team was told that something waits for a person."},
	"team_trouble": {Short: "Team: idgate needs help", Tone: "bad", Sentence: "Your team was told of what idgate cannot mend by itself."},
	"team_budget":  {Short: "Team: verifications used up", Tone: "bad", Sentence: "Your team was told that no more verifications can begin."},
	"team_digest":  {Short: "Team: digest", Tone: "info", Sentence: "Your team was sent the digest."},
}

// MailWords says what a mail tells.
func MailWords(which string) Words { return find(mails, which) }

// MailCodes lists the mails.
func MailCodes() []string { return codes(mails) }
