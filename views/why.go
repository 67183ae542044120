package views

import "strings"

// NeedData is one thing that would help an order to pass; all of them together do.
type NeedData struct {
	What   string   // one of NeedCodes
	Amount string   // a level, a number of days or years; empty where there is none
	Rules  []string // which rules ask for it
	Met    bool     // the buyer's nearest proof shows it already
}

// needSentences put a NeedData in words, with {n} for its amount.
var needSentences = map[string]string{
	"unblock":   "Somebody of your staff takes the buyer off the block list.",
	"sign_in":   "The buyer orders while signed in to an account.",
	"review":    "1Kosmos finishes reviewing the verification.",
	"mailbox":   "The buyer shows that the mailbox is theirs, by a code or by the mailed link.",
	"evidence":  "You say, under Policy, which IAL the evidence counts as.",
	"proof":     "The buyer verifies anew: the proof there is no longer counts.",
	"ial":       "The proof has IAL {n} or more.",
	"fresh":     "The proof is at most {n} days old.",
	"selfie":    "The verification has a live selfie.",
	"least_age": "The person is {n} years or older.",
	"name":      "The name on the document is the billing name.",
	"address":   "The address on the document is the billing address or one that is shipped to.",
}

// NeedWords says what would help an order to pass.
func NeedWords(d NeedData) string {
	s, ok := needSentences[d.What]
	if !ok {
		return find(nil, d.What).Sentence
	}
	return strings.ReplaceAll(oneOf(s, "{n}", d.Amount), "{n}", d.Amount)
}

// NeedCodes lists what can be needed.
func NeedCodes() []string { return codes(needSentences) }
