package views

// Why a Session ended as it did, as staff read it in a line.
var sessionReasons = map[string]string{
	"expired_document":     "The document has expired.",
	"not_a_document":       "No identity document could be seen.",
	"unsupported_document": "This kind of document is not accepted.",
	"wrong_document":       "This was another kind of document than was asked for.",
	"no_document":          "No document was seen.",
	"unreadable_expiry":    "The document's expiry date could not be read.",
	"no_selfie":            "There was no live selfie.",
	"selfie_mismatch":      "The selfie did not match the picture on the document.",
	"retries_exhausted":    "The pictures were tried too many times.",
	"not_verified":         "The document could not be verified.",
	"declined":             "The verification was declined.",
	"deadline":             "The time for this verification ran out.",
	"late":                 "The verification was finished after its time had run out.",
	"gave_up":              "The verification was stopped before the end.",
	"provider_error":       "The verification service had a problem. This says nothing about you.",
	"too_young":            "You have to be older to place this order.",
	"name_mismatch":        "The name on the document is not the name on the order.",
}

var sessionStateReasons = map[string]string{
	"failed": "not_verified", "declined": "declined", "expired": "deadline", "abandoned": "gave_up", "error": "provider_error",
}

// sessionEnd says why a Session ended as it did. Reasons of Decisions are known here too, since a passed Session may still not be enough;
// an unknown or empty code falls back to what its final state says. A Session that is not over has no reason.
func sessionEnd(state, code string) string {
	if text, ok := sessionReasons[code]; ok {
		return text
	}
	if r, ok := reasons[code]; ok {
		return r.sentence
	}
	return sessionReasons[sessionStateReasons[state]]
}

// SessionReasonCodes lists why a Session can end as it does.
func SessionReasonCodes() []string { return codes(sessionReasons) }
