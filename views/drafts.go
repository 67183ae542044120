package views

import "strings"

// ChangeData is one difference between two Policies.
type ChangeData struct {
	Area   string // the Policy's field by its stored name: mode, checkout, rules, …
	Rule   string // which rule, where Area is rules
	Field  string // within the area or the rule; empty: the whole of it
	Before string // in words; empty where there was none
	After  string // likewise
	Effect string // stricter, milder, mixed or other
}

// Draft is a Policy that somebody has made and nobody has saved.
type Draft struct {
	From        string       // the version it was made from
	Compared    bool         // Changes are worth showing, even if there are none
	Changes     []ChangeData // from the Policy in force to the draft
	Reason      string
	ReasonError string // what FieldError takes
	Reach       string // one of ReachCodes: the past orders of a what-if
	Stray       []string
	MovedOn     *DraftMovedOn
	ReadOnly    bool // whoever looks may not save
	First       bool // of the policy's first screen, which also makes the first version and changes the mode
}

func (d Draft) reasonHint() string {
	const kept = "Kept with the version, for whoever reads this later."
	switch {
	case d.First && d.From == "0":
		return "The first version needs none. " + kept
	case d.First:
		return "Compulsory when saving, unless nothing but the mode changes. " + kept
	}
	return "Compulsory when saving. " + kept
}

// DraftMovedOn says who saved another version while a draft was made, and what that version changed.
type DraftMovedOn struct {
	Version string
	Who     string
	When    When
	Note    string
	Changes []ChangeData
}

// What a draft's form is sent for: the button's name is do.
const (
	DoCompare = "compare"
	DoSave    = "save"
	DoWhatIf  = "whatif"
	DoMore    = "more"
)

var effects = map[string]Words{
	"stricter": {Short: "Stricter", Tone: "ok", Sentence: "No cart or order gets a milder answer by this."},
	"milder":   {Short: "Milder", Tone: "warn", Sentence: "Some carts or orders are let through that were not before."},
	"mixed":    {Short: "Both ways", Tone: "warn", Sentence: "Stricter for some carts or orders, milder for others, or it cannot be told."},
	"other":    {Short: "Neither", Tone: "quiet", Sentence: "By itself this has no bearing on what is let through."},
}

// EffectWords says which way a change turns what is let through.
func EffectWords(code string) Words { return find(effects, code) }

// EffectCodes lists the effects of a change.
func EffectCodes() []string { return codes(effects) }

// changeLabels name what a change is about, by area and field as they are stored.
var changeLabels = map[string]string{
	"mode":                         "Mode",
	"currency":                     "Currency of the amounts",
	"checkout.ial":                 "IAL needed at checkout",
	"checkout.max_age_days":        "Greatest age of the proof at checkout",
	"checkout.selfie":              "A live selfie at checkout",
	"checkout.least_age":           "Least age",
	"checkout.name_match":          "The name on the document must be the name on the order",
	"step_up":                      "Step-up",
	"step_up.over":                 "Step-up order value",
	"step_up.require.ial":          "IAL needed from the step-up value",
	"step_up.require.max_age_days": "Greatest age of the proof from the step-up value",
	"step_up.require.selfie":       "A live selfie from the step-up value",
	"step_up.require.least_age":    "Least age from the step-up value",
	"step_up.require.name_match":   "The name must match from the step-up value",
	"evidence.document":            "A document alone counts as",
	"evidence.document_selfie":     "A document with a live selfie counts as",
	"proof_days":                   "A proof is good for",
	"guests":                       "What guests must do",
	"sources":                      "Order sources covered",
	"hold_status":                  "Status of a held order",
	"on_unreachable":               "When idgate cannot be reached",
	"on_provider_down":             "When 1Kosmos cannot be reached",
	"on_moved":                     "When somebody moves an order off hold",
	"tries":                        "Verifications a shopper may begin",
	"cancel_days":                  "Cancel orders that nobody proves after",
	"mails":                        "Mail shoppers about their orders on hold",
	"remind_hours":                 "Remind them after",
	"keep_days":                    "Keep records for",
	"custom_fields_v2":             "Also write custom_fields (v2)",
	"rules":                        "Rule",
	"rules.order":                  "Order of the rules",
	"rules.name":                   "Name",
	"rules.mode":                   "Mode",
	"rules.exempt":                 "Exempts",
	"rules.any":                    "Conditions that must be met",
	"rules.when":                   "Condition",
	"rules.when_order":             "Order of the conditions",
	"rules.require.ial":            "IAL",
	"rules.require.max_age_days":   "Greatest age of the proof",
	"rules.require.selfie":         "A live selfie",
	"rules.require.least_age":      "Least age",
	"rules.require.name_match":     "The name must match",

	"document_grace":                "Take documents that expired no longer ago than",
	"checkout.address_match":        "The address on the document must be an address of the order",
	"step_up.require.address_match": "The address must match from the step-up value",
	"rules.require.address_match":   "The address must match",
}

// ChangeLabel names what a change is about; false when there are no words for it.
func ChangeLabel(area, field string) (string, bool) {
	key := area
	if field != "" {
		key += "." + field
	}
	label, ok := changeLabels[key]
	if !ok {
		label = upperFirst(strings.NewReplacer("_", " ", ".", ", ").Replace(key))
	}
	return label, ok
}

// what names the change, with its rule.
func (c ChangeData) what() string {
	label, _ := ChangeLabel(c.Area, c.Field)
	switch {
	case c.Area != "rules" || c.Rule == "":
		return label
	case c.Field == "" && c.Before == "":
		return "New rule “" + c.Rule + "”"
	case c.Field == "":
		return "Rule “" + c.Rule + "” goes"
	}
	return "Rule “" + c.Rule + "”: " + lowerFirst(label)
}

// lowerFirst leaves abbreviations as they are.
func lowerFirst(s string) string {
	if len(s) < 2 || s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// milder reports whether the draft may let through what the Policy in force would not.
func (d Draft) milder() bool {
	for _, c := range d.Changes {
		if c.Effect == "milder" || c.Effect == "mixed" {
			return true
		}
	}
	return false
}

// reaches are how far back a what-if goes.
var reaches = []choice{
	{"90d", "Orders of the last 90 days, at most 10,000", ""},
	{"100", "The last 100 orders", ""},
	{"1000", "The last 1,000 orders", ""},
	{"5000", "The last 5,000 orders", ""},
	{"10000", "The last 10,000 orders", ""},
}

// ReachCodes lists how far back a what-if may go.
func ReachCodes() []string {
	var out []string
	for _, c := range reaches {
		out = append(out, c.value)
	}
	return out
}

func policyTabs(base string) []tab {
	return []tab{
		{"policy", "First screen", base + "/policy"},
		{"rules", "Rules", base + "/policy/rules"},
		{"templates", "Templates", base + "/policy/templates"},
		{"versions", "Versions", base + "/policy/versions"},
		{"whatif", "What if", base + "/policy/whatif"},
	}
}

// DraftPage is a page that asks before one change of the Policy: a rule that goes or moves, a template, an older version put back.
type DraftPage struct {
	Layout
	Kind   string // one of DraftKinds
	Name   string // of the rule, the template or the version
	Why    string // a template's
	To     string // up or down, of a rule that moves
	Action string // the form's address, without the Shop's base
	Fields []HiddenField
	Picks  string // ids that narrow a template, as typed; PicksFact says of what
	Pick   string // the fact that a template is narrowed by; empty: none
	Errors map[string]string
	Draft
}

// HiddenField is a value that a form sends back as it was.
type HiddenField struct{ Name, Value string }

var draftKinds = map[string]struct{ title, what, back, tab, button, tone string }{
	"remove":   {"Remove the rule “%s”", "The rule is not in the new version. Older versions keep it, and can be put back.", "/policy/rules", "rules", "Remove the rule", "danger"},
	"move":     {"Move the rule “%s”", "The order of rules changes nothing about what is let through: the strictest requirement wins. It says which of several exemptions is named as the reason.", "/policy/rules", "rules", "Move the rule", "primary"},
	"template": {"Template: %s", "Nothing is saved yet. This is what the template adds to your policy; what stands there already stays.", "/policy/templates", "templates", "Add it as a new version", "primary"},
	"restore":  {"Put version %s back", "Everything becomes as it was in that version: rules, amounts and the mode. It is saved as a new version; those between stay in the list.", "/policy/versions", "versions", "Put it back as a new version", "primary"},
	"whatif":   {"Save the draft of what-if %s", "The draft that was replayed becomes the policy in force.", "/policy/whatif", "whatif", "Save as new version", "primary"},
}

// DraftKinds lists what a DraftPage can ask about.
func DraftKinds() []string { return codes(draftKinds) }

func (d DraftPage) title() string { return strings.ReplaceAll(draftKinds[d.Kind].title, "%s", d.Name) }

// NeedText is what must be proved, in one line.
func NeedText(n Need) string { return needText(n) }

// Text is a condition in one line.
func (c ConditionData) Text() string { return c.text() }
