package views

import (
	"slices"
	"strings"
)

// OverviewData is the first page: what is in force, what needs attention, what happened lately.
type OverviewData struct {
	Layout
	PolicyVersion string // empty until the first save
	Since         When   // enforcement epoch; zero unless enforcing
	Checkout      Need   // what every order needs
	StepUpValue   string // "500.00 USD"; empty when there is no step-up
	StepUp        Need
	Attention     []Attention
	Guide         []GuideStep // first-run guide; empty hides it
	GuideShop     GuideShop   // what BigCommerce has told already
	Templates     []TemplateLink
	GuideSkipped  bool    // it was put away and is not done
	CanSkip       bool    // whoever looks may put it away and bring it back
	Recent        []Entry // the newest few, or none
	Figures       FiguresData
}

// FiguresData is what happened in a range of days, formatted.
type FiguresData struct {
	Range     string // one of OverviewRanges
	From, To  string // the range's days, as the lists' filters take them
	Shown     string // carts and orders that were asked for a proof
	Started   string // verifications begun
	Passed    string
	Failed    string
	Abandoned string
	Ended     Chart // passed, failed and given up over time
	Money     []MoneyData
	Values    Chart  // held and released over time, in the first currency
	Median    string // time to verify; empty where nobody passed
	P90       string
	TimesOf   string // how many passes these are of: "311" or "the newest 2,000"
}

// MoneyData is what was held and released in one currency.
type MoneyData struct {
	Currency       string
	Held, Released string // amounts
	HeldOrders     string // "9"
	ReleasedOrders string
	Other          bool // not the shop's currency, and no rate to it was known
}

var overviewRanges = []struct{ code, name, title string }{
	{"today", "Today", "Today"}, {"7", "7 days", "Last 7 days"}, {"30", "30 days", "Last 30 days"}, {"90", "90 days", "Last 90 days"},
}

// OverviewRanges lists the codes of the ranges of days.
func OverviewRanges() []string {
	var out []string
	for _, r := range overviewRanges {
		out = append(out, r.code)
	}
	return out
}

func rangeTabs(base string) []tab {
	var out []tab
	for _, r := range overviewRanges {
		out = append(out, tab{r.code, r.name, base + "/overview?range=" + r.code})
	}
	return out
}

func rangeTitle(code string) string {
	for _, r := range overviewRanges {
		if r.code == code {
			return r.title
		}
	}
	return code
}

// list is where the verifications of a state are, of the range's days.
func (d OverviewData) list(state string) string {
	return withQuery(d.Base+"/verifications", "state", state, "from", d.Figures.From, "to", d.Figures.To)
}

// Attention is one thing that wants a person.
type Attention struct {
	Code   string // one of AttentionCodes
	Count  string // "3"; empty where there is nothing to count
	Detail string // what is meant, where there is a name for it
}

// GuideStep is one step of the first-run guide.
type GuideStep struct {
	Code string // one of GuideCodes
	Done bool
}

type attentionWords struct {
	one, many string // sentence for one and for {n}
	path      string // where it is put right, under the shop's base
	action    string
	tone      string
}

var attention = map[string]attentionWords{
	"leaks":               {"1 order shipped without proof in the last 30 days", "{n} orders shipped without proof in the last 30 days", "/orders?filter=leaks", "See leaks", "bad"},
	"moved":               {"1 order was moved off our hold by hand in the last 30 days", "{n} orders were moved off our hold by hand in the last 30 days", "/orders?filter=moved", "See moved orders", "warn"},
	"held":                {"1 order on hold waits for a proof or a person", "{n} orders on hold wait for a proof or a person", "/orders?filter=held", "See orders on hold", "warn"},
	"stuck_notices":       {"1 webhook could not be handled", "{n} webhooks could not be handled", "/health#notices", "See which", "bad"},
	"clock":               {"The clock of this idgate is wrong", "The clock of this idgate is wrong", "/health#clock", "See remedy", "bad"},
	"quota_waiting":       {"Orders wait for BigCommerce's API quota", "Orders wait for BigCommerce's API quota", "/health#quota", "See health", "warn"},
	"reviews":             {"1 verification is with a human reviewer", "{n} verifications are with a human reviewer", "/verifications?state=review", "See them", "info"},
	"stuck":               {"1 change or mail is stuck", "{n} changes or mails are stuck", "/health#stuck", "See remedies", "bad"},
	"late_pass":           {"1 verification passed after its time and wants a decision", "{n} verifications passed after their time and want a decision", "/verifications?state=late", "See them", "warn"},
	"provider_unset":      {"1Kosmos is not connected", "1Kosmos is not connected", "/settings", "Connect", "warn"},
	"provider_down":       {"1Kosmos cannot be reached", "1Kosmos cannot be reached", "/health#provider", "See health", "bad"},
	"evidence_unmapped":   {"No evidence counts as an IAL yet, so nobody can pass", "No evidence counts as an IAL yet, so nobody can pass", "/policy#evidence", "Set it", "bad"},
	"level_unreachable":   {"The policy asks for a level that no evidence counts as", "The policy asks for a level that no evidence counts as", "/policy#evidence", "Set it", "bad"},
	"hook_broken":         {"1 webhook is missing or switched off", "{n} webhooks are missing or switched off", "/health#hooks", "Repair", "bad"},
	"script_broken":       {"1 checkout script is missing or changed", "{n} checkout scripts are missing or changed", "/health#scripts", "Repair", "bad"},
	"checkout_changed":    {"The checkout page has changed, and the script misses parts of it", "The checkout page has changed, and the script misses parts of it", "/health#scripts", "See health", "warn"},
	"scope_missing":       {"1 permission is missing", "{n} permissions are missing", "/health#scopes", "See which", "bad"},
	"sweep_late":          {"The sweep for missed orders is late", "The sweep for missed orders is late", "/health#sweep", "See health", "warn"},
	"token_refused":       {"BigCommerce no longer accepts our token", "BigCommerce no longer accepts our token", "/health#token", "See remedy", "bad"},
	"endpoint_off":        {"1 webhook endpoint of yours was switched off", "{n} webhook endpoints of yours were switched off", "/webhooks", "See which", "bad"},
	"endpoint_failing":    {"1 webhook endpoint of yours does not take events", "{n} webhook endpoints of yours do not take events", "/webhooks", "See which", "warn"},
	"replica_late":        {"The backup replica is behind", "The backup replica is behind", "/health#replica", "See health", "warn"},
	"budget_spent":        {"All verifications of 24 hours are used up: nobody can begin another", "All verifications of 24 hours are used up: nobody can begin another", "/settings/checkout#limit", "Raise the limit", "bad"},
	"budget_nearly_spent": {"Most verifications of 24 hours are used up", "Most verifications of 24 hours are used up", "/settings/checkout#limit", "See the limit", "warn"},
	"scripts_left_out":    {"1 script has no place at BigCommerce", "{n} scripts have no place at BigCommerce", "/settings/checkout#scripts", "See which", "warn"},
}

// AttentionCodes lists what can want a person.
func AttentionCodes() []string { return codes(attention) }

func (a Attention) words() attentionWords {
	w, ok := attention[a.Code]
	if !ok {
		s := find(nil, a.Code).Short
		return attentionWords{s, s, "/health", "See health", "warn"}
	}
	return w
}

// worstFirst is what wants a person, by how bad it is, otherwise in the order it came.
func (d OverviewData) worstFirst() []Attention {
	out := slices.Clone(d.Attention)
	worse := map[string]int{"bad": 0, "warn": 1, "info": 2}
	slices.SortStableFunc(out, func(a, b Attention) int { return worse[a.words().tone] - worse[b.words().tone] })
	return out
}

// GuideShop is what the guide need not ask.
type GuideShop struct {
	Country, Currency, Timezone string
	Storefronts                 []string
}

// TemplateLink is a template that suits the shop's country.
type TemplateLink struct{ ID, Name string }

// GuideField says what becomes of the guide: skip or show.
const GuideField = "guide"

type guideWords struct{ title, text, path string }

var guide = map[string]guideWords{
	"connect_provider": {"Connect 1Kosmos", "Enter your 1Kosmos host, community and keys.", "/settings#tenant"},
	"map_evidence":     {"Say how strict", "A document check carries no level of its own: you decide what it is worth. Usual: a document is IAL 1, a document and a selfie IAL 2.", "/policy#evidence"},
	"set_requirement":  {"Say what you sell", "Start from rules for your trade, or ask for proof with every order, or above an order value.", "/policy/templates"},
	"watch_shadow":     {"Watch it in shadow mode", "Every order is decided and recorded; shoppers notice nothing.", "/policy#mode"},
	"enforce":          {"Switch enforcement on", "From then on no order ships unproven.", "/policy#mode"},
}

// GuideCodes lists the steps of the first-run guide, in their order.
func GuideCodes() []string {
	return []string{"connect_provider", "set_requirement", "map_evidence", "watch_shadow", "enforce"}
}

// text says in a line what BigCommerce has told of the shop.
func (s GuideShop) text() string {
	var out []string
	for _, f := range []struct{ name, value string }{{"country ", s.Country}, {"currency ", s.Currency}, {"time zone ", s.Timezone}} {
		if f.value != "" {
			out = append(out, f.name+f.value)
		}
	}
	switch n := len(s.Storefronts); {
	case n == 1:
		out = append(out, "one storefront, "+s.Storefronts[0])
	case n > 1:
		out = append(out, itoa(n)+" storefronts, "+strings.Join(s.Storefronts[:min(n, 4)], ", "))
	}
	if len(out) == 0 {
		return "nothing yet, it is being asked"
	}
	return strings.Join(out, " · ")
}
