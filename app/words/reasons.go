package words

import (
	"maps"
	"slices"
	"strings"
)

// Reason is why something did not go on, in the shopper's words: one sentence of what happened, and one of what to do.
type Reason struct{ Text, Next string }

// reason names a code's two texts: reason.{text} and next.{step}.
type reason struct{ text, step string }

// reasons are the codes that a shopper can meet: why a Session ended, what a Decision still lacks, why a request was refused. What
// they say never tells whose proof, which list or which rule it was.
var reasons = map[string]reason{
	// A Session's end, as the provider or the relay gives it.
	"expired_document":     {"expired_document", "valid_document"},
	"not_a_document":       {"not_a_document", "whole_document"},
	"unsupported_document": {"unsupported_document", "accepted_document"},
	"wrong_document":       {"wrong_document", "asked_document"},
	"no_document":          {"no_document", "pictures"},
	"unreadable_expiry":    {"unreadable_expiry", "whole_document"},
	"no_selfie":            {"no_selfie", "selfie"},
	"selfie_mismatch":      {"selfie_mismatch", "face"},
	"retries_exhausted":    {"retries_exhausted", "contact_shop"},
	"not_verified":         {"not_verified", "light"},
	"declined":             {"declined", "contact_shop"},
	"deadline":             {"deadline", "try_again"},
	"unreachable":          {"provider_error", "try_again"},
	"late":                 {"late", "shop_looks"},
	"gave_up":              {"gave_up", "try_again"},
	"provider_error":       {"provider_error", "try_again"},
	"too_young":            {"age_too_low", "contact_shop"},
	"name_mismatch":        {"name_differs", "same_person"},

	// A Decision's reasons.
	"no_proof":                {"no_proof", "start"},
	"proof_expired":           {"proof_expired", "verify_again"},
	"proof_revoked":           {"proof_revoked", "verify_again"},
	"proof_too_old":           {"proof_too_old", "verify_again"},
	"ial_too_low":             {"ial_too_low", "verify_again"},
	"selfie_missing":          {"selfie_missing", "verify_selfie"},
	"age_too_low":             {"age_too_low", "contact_shop"},
	"age_unknown":             {"age_unknown", "birth_date"},
	"name_differs":            {"name_differs", "same_person"},
	"first_name_differs":      {"first_name_differs", "same_person"},
	"last_name_differs":       {"last_name_differs", "same_person"},
	"name_unknown":            {"name_unknown", "fill_name"},
	"address_differs":         {"address_differs", "same_address"},
	"address_unknown":         {"address_unknown", "address_document"},
	"proof_of_other_customer": {"no_proof", "start"},
	"proof_of_other_cart":     {"proof_of_other_cart", "this_order"},
	"mailbox_unproved":        {"no_proof", "start"},
	"mailbox_differs":         {"mailbox_differs", "verify_again"},
	"guest_must_sign_in":      {"guest_must_sign_in", "sign_in"},
	"in_review":               {"in_review", "nothing"},
	"evidence_unmapped":       {"ial_too_low", "contact_shop"}, // the policy's fault: to verify again would change nothing
	"blocked":                 {"blocked", "contact_shop"},
	"refused_by_person":       {"blocked", "contact_shop"},
	"provider_down":           {"provider_down", "few_minutes"},
	"cart_changed":            {"cart_changed", "verify_again"},

	// A request that was refused.
	"retries_spent":     {"retries_spent", "contact_shop"},
	"rate_limited":      {"rate_limited", "moment"},
	"busy":              {"busy", "moment"},
	"cart_not_found":    {"cart_not_found", "back_to_shop"},
	"capability_wrong":  {"page_too_old", "reload"}, // an old page's most likely: it is never said that there is another's
	"capability_late":   {"page_too_old", "reload"},
	"customer_token":    {"customer_token", "sign_in_again"},
	"nothing_to_verify": {"nothing_to_verify", "close_page"},
	"buyer_unknown":     {"buyer_unknown", "details_first"},
	"internal":          {"internal", "few_minutes"},
}

// ReasonCodes lists the codes with words for shoppers.
func ReasonCodes() []string { return slices.Sorted(maps.Keys(reasons)) }

// stateReasons are why a Session ended whose end has no code, or one without words.
var stateReasons = map[string]string{
	"failed": "not_verified", "declined": "declined", "expired": "deadline", "abandoned": "gave_up", "error": "provider_error",
}

// furtherTries are the steps that need another try at proving.
var furtherTries = []string{
	"try_again", "valid_document", "whole_document", "accepted_document", "asked_document", "pictures", "selfie", "face", "light",
	"start", "verify_again", "verify_selfie", "birth_date", "fill_name", "address_document", "this_order",
}

// Ended is what is known of a Session that is over.
type Ended struct {
	State     string   // the Session's
	Code      string   // its reason, or the first of its Decision's when it passed and was not enough
	Retry     bool     // another try is allowed
	Documents []string // the kinds of document that are accepted, as in Need
}

// Ended says why a Session ended as it did and what to do next. A code without words falls back to what the final state says; a
// Session that is not over has no reason. Where no further try is allowed, nobody is told to make one.
func (w Words) Ended(e Ended) Reason {
	r, ok := reasons[e.Code]
	if !ok {
		if r, ok = reasons[stateReasons[e.State]]; !ok {
			return Reason{}
		}
	}
	if !e.Retry && slices.Contains(furtherTries, r.step) {
		r.step = "contact_shop"
	}
	return w.reason(r, e.Documents)
}

// Refusal is what a refused request answers, by the problem's code; one without words reads as “internal”.
func (w Words) Refusal(code string) Reason {
	r, ok := reasons[code]
	if !ok {
		r = reasons["internal"]
	}
	return w.reason(r, nil)
}

func (w Words) reason(r reason, documents []string) Reason {
	return Reason{Text: w.Text("reason."+r.text, nil), Next: w.Text("next."+r.step, Data{"documents": w.documents(documents)})}
}

// Why says in a line why a cart or an order has to wait: the first of a Decision's reasons that has words, and what to do about
// it. That the verification has to be started is left for the button to say.
func (w Words) Why(codes []string) string {
	r := reasons["no_proof"]
	for _, c := range codes {
		if known, ok := reasons[c]; ok {
			r = known
			break
		}
	}
	if r.step == "start" {
		return w.Text("reason."+r.text, nil)
	}
	return w.line(w.reason(r, nil))
}

func (w Words) line(r Reason) string { return w.sentences(r.Text, r.Next) }

// documentKeys are the kinds of document by the codes that they have at the provider's door, in the order they are offered.
var documentKeys = []struct{ code, key string }{
	{"driver_license", "driver_licence"}, {"passport", "passport"}, {"id_card", "identity_card"},
}

// accepted are the keys of the kinds in codes. None means a driver's licence, as it does to the provider.
func accepted(codes []string) []string {
	var out []string
	for _, d := range documentKeys {
		if slices.Contains(codes, d.code) {
			out = append(out, d.key)
		}
	}
	if out == nil {
		out = []string{documentKeys[0].key}
	}
	return out
}

// documents names the accepted kinds: “driver's licence or passport”.
func (w Words) documents(codes []string) string {
	names := accepted(codes)
	for i, key := range names {
		names[i] = w.Text("document."+key, nil)
	}
	return w.either(names)
}

// DeadLink is what a link says that no longer works.
type DeadLink struct{ Title, Text, Next string }

// DeadLink says why a link no longer works: expired, used, closed or, for any other code, unknown.
func (w Words) DeadLink(code string) DeadLink {
	if !slices.Contains(DeadLinkCodes(), code) {
		code = "unknown"
	}
	return DeadLink{w.Text("link."+code+".title", nil), w.Text("link."+code+".text", nil), w.Text("link."+code+".next", nil)}
}

// DeadLinkCodes lists why a link may no longer work.
func DeadLinkCodes() []string {
	var out []string
	for key := range texts().known {
		if rest, ok := strings.CutPrefix(key, "link."); ok && strings.HasSuffix(rest, ".title") {
			out = append(out, strings.TrimSuffix(rest, ".title"))
		}
	}
	slices.Sort(out)
	return out
}
