package views

import "strings"

// reasonWords is one reason in the merchant's words.
type reasonWords struct {
	short    string
	sentence string // for the merchant, when the reason came without a detail
	detailed string // for the merchant, with {detail}; empty when a detail adds nothing
	next     string // what would change the answer; empty when nothing need
	tone     string
}

var reasons = map[string]reasonWords{
	"no_proof": {
		short: "No proof", tone: "warn",
		sentence: "Nobody has proved who placed this order.",
		next:     "The shopper completes the verification link.",
	},
	"proof_expired": {
		short: "Proof expired", tone: "warn",
		sentence: "The proof is older than the policy lets one be good for.",
		next:     "The shopper verifies again.",
	},
	"proof_revoked": {
		short: "Proof revoked", tone: "bad",
		sentence: "The proof was revoked by a person.",
		next:     "The shopper verifies again, or somebody releases the order by hand.",
	},
	"proof_too_old": {
		short: "Proof too old", tone: "warn",
		sentence: "An order like this needs a fresher proof.",
		detailed: "An order like this needs a proof no older than {detail} days.",
		next:     "The shopper verifies again.",
	},
	"ial_too_low": {
		short: "IAL too low", tone: "warn",
		sentence: "The proof's identity assurance level is lower than the order needs.",
		detailed: "The proof has IAL {detail}, which is lower than the order needs.",
		next:     "The shopper verifies again with the evidence that counts as the level needed.",
	},
	"selfie_missing": {
		short: "Selfie missing", tone: "warn",
		sentence: "The order needs a live selfie and the verification had none.",
		next:     "The shopper verifies again and takes the selfie.",
	},
	"age_too_low": {
		short: "Too young", tone: "bad",
		sentence: "The person is younger than the policy allows.",
		detailed: "The person is younger than the policy allows ({detail}).",
		next:     "Nothing the shopper does will change this before their birthday.",
	},
	"age_unknown": {
		short: "Age unknown", tone: "warn",
		sentence: "The verification did not show the person's age.",
		next:     "The shopper verifies with a document that bears a birth date.",
	},
	"name_differs": {
		short: "Name differs", tone: "warn",
		sentence: "Neither the first nor the last name on the document is the one on the order.",
		next:     "The person named on the order verifies, or somebody looks at it and releases the order by hand.",
	},
	"first_name_differs": {
		short: "First name differs", tone: "warn",
		sentence: "The first name on the document is not the one on the order.",
		next:     "The person named on the order verifies, or somebody looks at it and releases the order by hand.",
	},
	"last_name_differs": {
		short: "Last name differs", tone: "warn",
		sentence: "The last name on the document is not the one on the order.",
		next:     "The person named on the order verifies, or somebody looks at it and releases the order by hand.",
	},
	"name_unknown": {
		short: "Name unknown", tone: "warn",
		sentence: "There is no name to compare, on the document or on the order.",
		next:     "The shopper verifies with a document that bears a name, or the order gets a billing name.",
	},
	"address_differs": {
		short: "Address differs", tone: "warn",
		sentence: "The address on the document is none of the order's addresses.",
		detailed: "The address on the document is none of the order's addresses: the {detail} differs.",
		next:     "The shopper corrects the billing or shipping address and verifies with a document that shows it, or somebody looks at it and releases the order by hand.",
	},
	"address_unknown": {
		short: "Address unknown", tone: "warn",
		sentence: "There is no street and postcode to compare, on the document or on the order.",
		next:     "The shopper verifies with a document that shows their address: a driver's licence or an identity card, not a passport.",
	},
	"proof_of_other_customer": {
		short: "Another customer's proof", tone: "bad",
		sentence: "The only proof found belongs to another customer.",
		next:     "The shopper who placed the order verifies.",
	},
	"proof_of_other_cart": {
		short: "Another cart's proof", tone: "warn",
		sentence: "The only proof found was made for another cart. A guest's proof is good for its cart only.",
		next:     "The shopper verifies for this order.",
	},
	"mailbox_unproved": {
		short: "Mailbox not proved", tone: "warn",
		sentence: "There is a proof under this mailbox, but nobody has shown that the mailbox is theirs.",
		next:     "The shopper verifies, or opens the link mailed to them.",
	},
	"mailbox_differs": {
		short: "Mailbox differs", tone: "warn",
		sentence: "The order has another e-mail address than the cart that was verified.",
		next:     "The shopper verifies for the order as it is now.",
	},
	"guest_must_sign_in": {
		short: "Must sign in", tone: "warn",
		sentence: "The policy wants guests to sign in.",
		next:     "The shopper signs in and verifies, or somebody releases the order by hand.",
	},
	"guest_exempt": {
		short: "Guest let through", tone: "quiet",
		sentence: "The policy lets guests through without proof.",
	},
	"proof_ok": {
		short: "Proved", tone: "ok",
		sentence: "The person has proved everything the order needs.",
	},
	"nothing_required": {
		short: "Nothing needed", tone: "quiet",
		sentence: "No rule of the policy asks anything of this order.",
	},
	"exempt": {
		short: "Exempt", tone: "quiet",
		sentence: "An exemption covers this order.",
		detailed: "The exemption “{detail}” covers this order.",
	},
	"allow_listed": {
		short: "On the allow list", tone: "quiet",
		sentence: "The customer or the mailbox is on the shop's allow list.",
	},
	"policy_off": {
		short: "Policy off", tone: "quiet",
		sentence: "The policy was off, so nothing was checked.",
	},
	"source_not_covered": {
		short: "Source not covered", tone: "quiet",
		sentence: "The policy does not cover orders from this source.",
		detailed: "The policy does not cover orders from this source ({detail}).",
	},
	"before_enforcement": {
		short: "Before enforcement", tone: "quiet",
		sentence: "The order was made before enforcement began, so it is left alone.",
	},
	"blocked": {
		short: "Blocked", tone: "bad",
		sentence: "The customer or the mailbox is on the block list.",
		next:     "Nothing the shopper does will change this; somebody takes them off the list.",
	},
	"in_review": {
		short: "In review", tone: "warn",
		sentence: "A person at 1Kosmos is looking at the verification.",
		next:     "The review ends, or somebody releases the order by hand.",
	},
	"released_by_person": {
		short: "Released by hand", tone: "ok",
		sentence: "Somebody let the order go by hand.",
		detailed: "{detail} let the order go by hand.",
	},
	"refused_by_person": {
		short: "Refused by hand", tone: "bad",
		sentence: "Somebody refused the order by hand.",
		detailed: "{detail} refused the order by hand.",
	},
	"requested_by_person": {
		short: "Check requested", tone: "info",
		sentence: "Somebody in the shop requested a check of this order.",
		detailed: "{detail} requested a check of this order.",
		next:     "The shopper proves what was asked for, or somebody takes the request back.",
	},
	"request_withdrawn": {
		short: "Check taken back", tone: "quiet",
		sentence: "Somebody took the requested check back.",
		detailed: "{detail} took the requested check back.",
	},
	"undone_by_person": {
		short: "Taken back by hand", tone: "quiet",
		sentence: "Somebody took back what had been decided by hand.",
		detailed: "{detail} took back what had been decided by hand.",
	},
	"provider_down": {
		short: "Provider unreachable", tone: "warn",
		sentence: "1Kosmos could not be reached, so the policy's choice for that case was taken.",
		next:     "The shopper verifies when 1Kosmos answers again.",
	},
	"cart_changed": {
		short: "Order changed", tone: "warn",
		sentence: "The order's amount, items, mailbox or address is not what was decided on.",
		detailed: "The order is not what was decided on: {detail}.",
		next:     "The order is decided again; if that does not clear it, the shopper verifies for the order as it is now.",
	},
	"status_not_gated": {
		short: "Status not checked", tone: "quiet",
		sentence: "Orders in this status are not checked.",
		detailed: "Orders in this status are not checked ({detail}).",
	},
	"evidence_unmapped": {
		short: "Evidence counts for nothing", tone: "bad",
		sentence: "The shopper was verified, but the policy does not say which IAL this evidence counts as, so it counts as IAL 0.",
		next:     "Say which evidence counts as which IAL, under Policy.",
	},
}

// ReasonWords puts a Decision's reason in the merchant's words.
func ReasonWords(r Reason) Words {
	rw, ok := reasons[r.Code]
	if !ok {
		return find(nil, r.Code)
	}
	w := Words{Short: rw.short, Sentence: rw.sentence, Next: rw.next, Tone: rw.tone}
	if r.Detail != "" && rw.detailed != "" {
		w.Sentence = strings.ReplaceAll(oneOf(rw.detailed, "{detail}", r.Detail), "{detail}", r.Detail)
	}
	return w
}

// ReasonCodes lists the reasons a Decision can have.
func ReasonCodes() []string { return codes(reasons) }

// reasonText is all reasons in one paragraph.
func reasonText(rs []Reason) string {
	var out []string
	for _, r := range rs {
		out = append(out, ReasonWords(r).Sentence)
	}
	return strings.Join(out, " ")
}

// nextSteps lists what would make a Decision with these reasons an allow, each once.
func nextSteps(rs []Reason) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range rs {
		next := ReasonWords(r).Next
		if next == "" || seen[next] {
			continue
		}
		seen[next] = true
		out = append(out, next)
	}
	return out
}
