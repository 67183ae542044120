package views

import (
	"strconv"
	"strings"
)

// SessionReason is why a Session ended as it did, in the shopper's words: what happened and what to do next.
type SessionReason struct{ Text, Next string }

const (
	tryAgain     = "You can try again."
	contactShop  = "Please contact the shop."
	readyForNext = "Have the document at hand, and go somewhere with good light."
)

var sessionReasons = map[string]SessionReason{
	"expired_document":     {"The document has expired.", "Try again with one that is still valid."},
	"not_a_document":       {"No identity document could be seen.", "Try again; the whole document has to be in the picture, sharp and without glare."},
	"unsupported_document": {"This kind of document is not accepted.", "Try again with a driver's licence."},
	"wrong_document":       {"This was another kind of document than was asked for.", "Try again with the document you were asked for."},
	"no_document":          {"No document was seen.", "Try again and take pictures of the whole document."},
	"unreadable_expiry":    {"The document's expiry date could not be read.", "Try again; the whole document has to be in the picture, sharp and without glare."},
	"no_selfie":            {"There was no live selfie.", "Try again and take the selfie when you are asked to."},
	"selfie_mismatch":      {"The selfie did not match the picture on the document.", "Try again, with nothing covering your face."},
	"retries_exhausted":    {"The pictures were tried too many times.", contactShop},
	"not_verified":         {"The document could not be verified.", tryAgain + " " + readyForNext},
	"declined":             {"The verification was declined.", contactShop},
	"deadline":             {"The time for this verification ran out.", tryAgain},
	"late":                 {"The verification was finished after its time had run out.", "The shop has been told and will look at it."},
	"gave_up":              {"The verification was stopped before the end.", tryAgain},
	"provider_error":       {"The verification service had a problem. This says nothing about you.", tryAgain},
	"too_young":            {"You have to be older to place this order.", contactShop},
	"name_mismatch":        {"The name on the document is not the name on the order.", "The person named on the order has to verify, or " + lowerFirst(contactShop)},
}

var sessionStateReasons = map[string]string{
	"failed": "not_verified", "declined": "declined", "expired": "deadline", "abandoned": "gave_up", "error": "provider_error",
}

// SessionReasonWords says why a Session ended as it did. Reasons of Decisions are known here too, since a passed Session may still
// not be enough; an unknown or empty code falls back to what its final state says. A Session that is not over has no reason.
// Where no further try is allowed, nobody is told to try again.
func SessionReasonWords(state, code string, retry bool) SessionReason {
	w, ok := sessionReasons[code]
	if rw := reasons[code]; !ok && rw.shopper != "" {
		w, ok = SessionReason{Text: rw.shopper, Next: tryAgain}, true
	}
	if !ok {
		w = sessionReasons[sessionStateReasons[state]]
	}
	if !retry && strings.Contains(w.Next, "ry again") {
		w.Next = contactShop
	}
	return w
}

// SessionReasonCodes lists why a Session can end as it does.
func SessionReasonCodes() []string { return codes(sessionReasons) }

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// GateTextsData is what the words of the checkout's dialog depend on.
type GateTextsData struct {
	ShopName string
	Need     Need
	Outcome  string   // the Decision's
	Reasons  []Reason // the Decision's; the first that has words for shoppers says why
}

// GateTexts are the words of the checkout's dialog, by the keys that gate.js knows. The hosted page uses the same.
func GateTexts(d GateTextsData) map[string]string {
	return map[string]string{
		"title":         "Verify your identity",
		"why":           whyText(d),
		"needs":         needsText(d.Need),
		"duration":      "It usually takes a few minutes.",
		"who_sees":      whoSees(d.ShopName),
		"start":         "Start verification",
		"scan":          "Scan this code with your phone's camera to go on there.",
		"open_here":     "Go on with this device (opens in a new tab)",
		"waiting":       "Waiting for you to open the verification.",
		"started":       "Verification has begun. Follow the steps on your phone.",
		"processing":    "Your pictures are being checked. This takes a few seconds.",
		"review":        "A person is looking at your verification. You will not have to do it again.",
		"passed":        "Verified. Your order can go on.",
		"retry":         "Try again",
		"close":         "Close",
		"cancel":        "Not now",
		"failed_title":  "This did not work",
		"unreachable":   "The identity check cannot be reached. Please try again in a few minutes.",
		"order_blocked": blockedText(d),
		"done":          "You can close this page.",
	}
}

func whoSees(shop string) string {
	if shop == "" {
		shop = "the shop"
	}
	return "1Kosmos takes and checks the pictures. " + upperFirst(shop) +
		" learns whether you passed, your age in years, and your name and address, which are kept encrypted and only compared with your orders." +
		" The pictures and the document's number never reach it."
}

// whyText is the first of the reasons that has words for shoppers.
func whyText(d GateTextsData) string {
	for _, r := range d.Reasons {
		if w := reasons[r.Code].shopper; w != "" {
			return w
		}
	}
	return reasons["no_proof"].shopper
}

func blockedText(d GateTextsData) string {
	if d.Outcome == "refuse" {
		return whyText(d)
	}
	return askShop
}

// needsText says what the shopper has to have at hand.
func needsText(n Need) string {
	out := "You need a valid driver's licence, and a phone with a camera."
	if n.Selfie {
		out += " You will take a selfie."
	}
	if n.LeastAge > 0 {
		out += " You have to be at least " + strconv.Itoa(n.LeastAge) + " years old."
	}
	if n.NameMatch {
		out += " The name has to be the one on the order."
	}
	return out
}
