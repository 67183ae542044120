package web

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"idgate/app/gate"
	"idgate/app/relay"
	"idgate/views"
)

const (
	maxWhole   = 1_000_000
	maxSources = 50
	maxSource  = 50             // characters
	mostMoney  = "999999999999" // whole units; gate.ParseMoney takes no more digits
)

// formOf is a Policy as the form shows it, in a Shop with this currency.
func formOf(p gate.Policy, currency string) views.PolicyForm {
	f := views.PolicyForm{
		Mode: string(p.Mode), CheckoutIAL: p.Checkout.IAL.String(), LeastAge: unlessZero(p.Checkout.LeastAge), ProofDays: p.ProofGood.String(),
		EvidenceDocument: unlessZero(int(p.Evidence.Document)), EvidenceSelfie: unlessZero(int(p.Evidence.DocumentSelfie)),
		Guests: string(p.Guests), NameMatch: ticked(p.Checkout.NameMatch), AddressMatch: ticked(p.Checkout.AddressMatch), DocumentGrace: unlessZero(int(p.DocumentGrace)), Tries: unlessZero(p.Tries), HoldStatus: strconv.Itoa(p.HoldStatus), Sources: p.Sources,
		OnUnreachable: string(p.OnUnreachable), OnProviderDown: string(p.OnProviderDown), WriteBack: "attributes",
		StepUpIAL: p.Checkout.IAL.String(), // where there is no step-up: what a new one asks at least
		OnMoved:   string(cmp.Or(p.OnMoved, gate.Accept)), CancelDays: unlessZero(int(p.CancelAfter)), Mails: ticked(p.Mails), RemindHours: listed(p.RemindAfter),
		KeepDays: cmp.Or(p.Keep, keptUnset).String(),
	}
	if p.CustomFieldsV2 {
		f.WriteBack = "custom_fields"
	}
	if s := p.StepUp; s != nil {
		f.StepUpValue, f.StepUpIAL = typedMoney(s.Over, currency), s.Require.IAL.String()
		f.StepUpMaxAgeDays, f.StepUpSelfie = unlessZero(int(s.Require.MaxAge)), ticked(s.Require.Selfie)
	}
	return f
}

// keptUnset is how long records are kept where a Policy does not say.
const keptUnset gate.Days = 730

func listed(hours []int) string {
	out := make([]string, len(hours))
	for i, n := range hours {
		out[i] = strconv.Itoa(n)
	}
	return strings.Join(out, ", ")
}

func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func ticked(on bool) string {
	if on {
		return "on"
	}
	return ""
}

// policyReader reads the form's fields and notes what is wrong with them, in words of views.FieldError.
type policyReader struct{ wrong map[string]string }

func (r policyReader) refuse(field, code string) {
	if code != "" && r.wrong[field] == "" {
		r.wrong[field] = code
	}
}

// whole reads a whole number; empty is 0, or refused where a number is required.
func (r policyReader) whole(field, text string, required bool) int {
	if text == "" {
		if required {
			r.refuse(field, "required")
		}
		return 0
	}
	n, code := parseWhole(text)
	r.refuse(field, code)
	return n
}

func (r policyReader) choice(field, text string, among ...string) string {
	if !slices.Contains(among, text) {
		r.refuse(field, "unknown_choice")
	}
	return text
}

// readPolicy reads the form over the Policy it was made from: what the form has no field for (the rules) stays as it is there.
// wrong has, by field, what views.FieldError puts in words; where it is empty the Policy may be saved.
func readPolicy(f views.PolicyForm, from gate.Policy, currency string) (p gate.Policy, wrong map[string]string) {
	r := policyReader{map[string]string{}}
	p = from
	p.Mode = gate.Mode(r.choice("mode", f.Mode, views.ModeCodes()...))
	p.Currency = currency
	p.Checkout = gate.Requirement{IAL: gate.IAL(r.whole("checkout_ial", f.CheckoutIAL, true)), MaxAge: from.Checkout.MaxAge, Selfie: from.Checkout.Selfie,
		LeastAge: r.whole("least_age", f.LeastAge, false), NameMatch: f.NameMatch != "", AddressMatch: f.AddressMatch != ""}
	p.Evidence = gate.Evidence{Document: gate.IAL(r.whole("evidence_document_ial", f.EvidenceDocument, false)),
		DocumentSelfie: gate.IAL(r.whole("evidence_selfie_ial", f.EvidenceSelfie, false))}
	p.ProofGood = gate.Days(r.whole("proof_days", f.ProofDays, true))
	p.DocumentGrace = gate.Days(r.whole("document_grace", f.DocumentGrace, false))
	p.Tries = r.whole("tries", f.Tries, false)
	p.Guests = gate.GuestChoice(r.choice("guests", f.Guests, string(gate.GuestsVerify), string(gate.GuestsSignIn), string(gate.GuestsPass)))
	p.HoldStatus, _ = strconv.Atoi(r.choice("hold_status", f.HoldStatus, "12", "7"))
	failures := []string{string(gate.LetPay), string(gate.Stop)}
	p.OnUnreachable = gate.FailureChoice(r.choice("on_unreachable", f.OnUnreachable, failures...))
	p.OnProviderDown = gate.FailureChoice(r.choice("on_provider_down", f.OnProviderDown, failures...))
	p.CustomFieldsV2 = r.choice("writeback", f.WriteBack, "attributes", "custom_fields") == "custom_fields"
	p.StepUp = r.stepUp(f, currency)
	p.Sources = r.sources(f.Sources, f.SourcesMore, from)
	p.OnMoved = gate.MovedChoice(r.choice("on_moved", f.OnMoved, string(gate.HoldAgain), string(gate.Accept)))
	p.CancelAfter = gate.Days(r.whole("cancel_days", f.CancelDays, false))
	p.Mails, p.RemindAfter = f.Mails != "", r.hours(f.RemindHours)
	p.Keep = gate.Days(r.whole("keep_days", f.KeepDays, true))
	if from.OnMoved == "" && p.OnMoved == gate.Accept {
		p.OnMoved = "" // unset means the same
	}
	if from.Keep == 0 && p.Keep == keptUnset {
		p.Keep = 0
	}
	unread := maps.Clone(r.wrong)
	for _, problem := range p.Problems() {
		if blames(problem.Field, unread) {
			r.refuse(problem.Field, problem.Remedy)
		}
	}
	return p, r.wrong
}

// blames reports whether a Policy's problem is the merchant's to hear: not when it only follows from another field that could not be read.
func blames(field string, unread map[string]string) bool {
	switch field {
	case "checkout_ial", "step_up_ial", "evidence_selfie_ial":
		for _, f := range []string{"checkout_ial", "evidence_document_ial", "evidence_selfie_ial"} {
			if unread[f] != "" && f != field {
				return false
			}
		}
	}
	return true
}

func (r policyReader) stepUp(f views.PolicyForm, currency string) *gate.StepUp {
	maxAge := r.whole("step_up_max_age_days", f.StepUpMaxAgeDays, false)
	if f.StepUpValue == "" {
		return nil
	}
	over, code := parseAmount(f.StepUpValue, currency)
	r.refuse("step_up_value", code)
	return &gate.StepUp{Over: over, Require: gate.Requirement{IAL: gate.IAL(r.whole("step_up_ial", f.StepUpIAL, true)), MaxAge: gate.Days(maxAge),
		Selfie: f.StepUpSelfie != "", NameMatch: f.NameMatch != "", AddressMatch: f.AddressMatch != ""}}
}

// hours reads numbers of hours in any order, each once.
func (r policyReader) hours(text string) (out []int) {
	for _, part := range separated(text) {
		n, code := parseWhole(part)
		r.refuse("remind_hours", code)
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// separated are the parts of a text that somebody wrote as a list.
func separated(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
}

// sources keeps the order sources that views know or the Policy already had, and those written beside them, each once.
func (r policyReader) sources(chosen []string, more string, from gate.Policy) []string {
	var out []string
	add := func(code string) {
		if !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	for _, c := range chosen {
		if !slices.Contains(views.SourceCodes(), c) && !slices.Contains(from.Sources, c) {
			r.refuse("sources", "unknown_choice")
			return nil
		}
		add(c)
	}
	for _, c := range separated(more) {
		if !sourceForm.MatchString(c) {
			r.refuse("sources_more", "not_a_source:"+strconv.Itoa(maxSource))
			return nil
		}
		add(c)
	}
	if len(out) > maxSources {
		r.refuse("sources_more", "too_many:"+strconv.Itoa(maxSources))
		return nil
	}
	return out
}

var (
	wholeForm   = regexp.MustCompile(`^[0-9]+$`)
	decimalForm = regexp.MustCompile(`^[0-9]+[.,][0-9]*$`)
	sourceForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$`) // of maxSource characters at most
)

// parseWhole reads a whole number that is not negative, or says in a code what it is instead.
func parseWhole(text string) (n int, code string) {
	switch {
	case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "−"):
		return 0, "negative"
	case decimalForm.MatchString(text):
		return 0, "not_whole"
	case !wholeForm.MatchString(text):
		return 0, "not_a_number"
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > maxWhole {
		return 0, "too_large:" + strconv.Itoa(maxWhole)
	}
	return n, ""
}

// amountForm takes a currency's code or sign on either side of the figures.
var amountForm = regexp.MustCompile(`^(?:(\p{Sc}|\p{L}+)\s*)?([-−+]?[0-9.,']+)(?:\s*(\p{Sc}|\p{L}+))?$`)

// parseAmount reads an amount in the Shop's currency, or says in a code what is wrong with it. The currency's own code beside the
// figures is harmless; any other sign is somebody's other currency, and never guessed at: $ is the sign of twenty.
func parseAmount(text, currency string) (gate.Money, string) {
	parts := amountForm.FindStringSubmatch(text)
	if parts == nil {
		return gate.Money{}, "not_a_number"
	}
	if currency == "" {
		return gate.Money{}, "the shop's currency is not known yet: choose “Repair now” under Health, then try again"
	}
	for _, unit := range []string{parts[1], parts[3]} {
		if unit != "" && !strings.EqualFold(unit, currency) {
			return gate.Money{}, "other_currency:" + currency
		}
	}
	figures, digits := parts[2], relay.MinorDigits(currency)
	whole, fraction, _ := strings.Cut(figures, ".")
	switch {
	case strings.HasPrefix(figures, "-"), strings.HasPrefix(figures, "−"):
		return gate.Money{}, "negative"
	case !wholeForm.MatchString(whole), fraction != "" && !wholeForm.MatchString(fraction):
		return gate.Money{}, "not_a_number"
	case len(whole) > len(mostMoney):
		return gate.Money{}, "too_large:" + mostMoney
	case len(fraction) > digits:
		return gate.Money{}, "too_many_digits:" + strconv.Itoa(digits)
	}
	m, err := gate.ParseMoney(figures, currency, digits)
	if err != nil {
		return gate.Money{}, "not_a_number"
	}
	return m, ""
}
