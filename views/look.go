package views

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// settingsTabs are the pages of the settings.
func settingsTabs(base string) []tab {
	return []tab{
		{"connection", "Connection", base + "/settings"},
		{"branding", "Branding", base + "/settings/branding"},
		{"texts", "Texts and languages", base + "/settings/texts"},
		{"checkout", "Checkout and limits", base + "/settings/checkout"},
		{"mails", "Mails to your team", base + "/settings/mails"},
		{"data", "Data", base + "/settings/data"},
	}
}

// SettingsMoved says who has changed what a form was about since it was opened. The form names the newer settings, so that sent again it
// changes these.
type SettingsMoved struct {
	Who    string
	When   When
	Detail string // what they changed, in words
}

// SettingsBase is the hidden field that names the settings a form was made from.
const SettingsBase = "base"

// Channels is the choice among a shop's storefronts; none is shown where there is one.
type Channels struct {
	Active string // a channel's id; empty: the shop, whatever the storefront
	All    []ChannelName
}

// ChannelName is a storefront.
type ChannelName struct {
	ID   string
	Name string
	Own  bool // something is different there
}

func (c Channels) tabs(path, more string) []tab {
	out := []tab{{"", "All storefronts", withQuery(path, "lang", more)}}
	for _, n := range c.All {
		name := n.Name
		if n.Own {
			name += " · own"
		}
		out = append(out, tab{n.ID, name, withQuery(path, "lang", more, "channel", n.ID)})
	}
	return out
}

// name is the storefront that is shown, or empty.
func (c Channels) name() string {
	for _, n := range c.All {
		if n.ID == c.Active {
			return n.Name
		}
	}
	return ""
}

// BrandingData is how the shop looks to its shoppers.
type BrandingData struct {
	Layout
	Channels Channels
	Form     BrandingForm
	Under    BrandingForm // what counts where a field is left empty
	Errors   map[string]string
	Moved    *SettingsMoved
	From     string // SettingsBase
	ReadOnly bool
	Preview  Preview
}

// BrandingForm is the branding as typed.
type BrandingForm struct {
	Name, Contact, Accent string
	Logo                  string // path of the one in use; empty: none
	RemoveLogo            string // set: it is to go
}

// ParseBrandingForm reads the form as it was posted, spaces trimmed.
func ParseBrandingForm(v url.Values) BrandingForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return BrandingForm{Name: get("name"), Contact: get("contact"), Accent: get("accent"), RemoveLogo: get("remove_logo")}
}

// LogoField is the file of a new logo.
const LogoField = "logo"

var brandingFields = map[string]string{
	"name": "Shop's name", "contact": "Whom shoppers may ask", "accent": "Accent colour", "logo": "Logo", "remove_logo": "Remove the logo",
}

// BrandingFields lists the fields of the branding form.
func BrandingFields() []string { return codes(brandingFields) }

func (d BrandingData) control(name, value, hint string) control {
	return control{name: name, label: brandingFields[name], value: value, hint: hint, err: d.Errors[name]}
}

// inherited ends a hint: what counts where the field is left empty.
func (d BrandingData) inherited(hint, under string) string {
	if under == "" {
		return hint
	}
	return hint + " Leave it empty for “" + under + "”."
}

func wrongFields(errors map[string]string) bool {
	return slices.ContainsFunc(codes(errors), func(f string) bool { return errors[f] != "" })
}

// TextsData is one group of the texts that shoppers read, in one language.
type TextsData struct {
	Layout
	Channels  Channels
	Languages []LanguageName
	Lang, Dir string
	Group     string // one of TextGroups
	Rows      []TextRow
	OwnCount  int // texts of this language that are the shop's own, in all groups
	Errors    int
	Moved     *SettingsMoved
	From      string // SettingsBase
	ReadOnly  bool
	Preview   Preview
}

// LanguageName is a language in its own name for itself.
type LanguageName struct{ Tag, Name string }

// TextRow is one text.
type TextRow struct {
	Name         string // its key, with the form for one that goes by a number
	Standard     string // what counts while Own is empty
	Own          string
	Placeholders []string
	Most         int
	Error        string
}

// TextField is the form's field for a text.
func TextField(name string) string { return "t." + name }

// TextGroups lists the groups of texts, in the order in which shoppers meet them. Each has the beginnings of its keys.
func TextGroups() []TextGroup {
	return []TextGroup{
		{"dialog", "Dialog", "What the checkout's dialog says.", []string{"dialog."}, "dialog"},
		{"needs", "What is needed", "The sentences that say what the shopper has to have at hand.", []string{"need.", "document."}, "dialog"},
		{"reasons", "When it fails", "Why a verification was not enough, and what to do next.", []string{"reason.", "next."}, "dialog-failed"},
		{"confirmation", "After the order", "The page after the order, where a step is left.", []string{"dialog.confirm_"}, "confirmation"},
		{"page", "Hosted page", "The page behind the links in mails.", []string{"page.", "link."}, "page"},
		{"mails", "Mails", "The mails that shoppers get.", []string{"mail."}, "mail-link"},
	}
}

// TextGroup is one group of texts.
type TextGroup struct {
	Code, Name, Hint string
	Prefixes         []string
	Preview          string // the preview that shows most of it
}

// GroupOf is the group of a text by its key.
func GroupOf(name string) string {
	best, length := "", 0
	for _, g := range TextGroups() {
		for _, p := range g.Prefixes {
			if strings.HasPrefix(name, p) && len(p) > length {
				best, length = g.Code, len(p)
			}
		}
	}
	return best
}

func (d TextsData) group() TextGroup {
	gs := TextGroups()
	i := slices.IndexFunc(gs, func(g TextGroup) bool { return g.Code == d.Group })
	return gs[max(0, i)]
}

func (d TextsData) path() string { return d.Base + "/settings/texts" }

func orStandard(own, under string) string {
	switch {
	case own != "":
		return own
	case under != "":
		return under
	}
	return "as idgate comes"
}

func (d TextsData) address(group, lang string) string {
	return withQuery(d.path(), "lang", lang, "group", group, "channel", d.Channels.Active)
}

func (d TextsData) groupTabs() []tab {
	var out []tab
	for _, g := range TextGroups() {
		out = append(out, tab{g.Code, g.Name, d.address(g.Code, d.Lang)})
	}
	return out
}

func (d TextsData) languageName() string {
	for _, l := range d.Languages {
		if l.Tag == d.Lang {
			return l.Name
		}
	}
	return d.Lang
}

func (r TextRow) control() control {
	return control{name: TextField(r.Name), label: r.label(), value: r.Own, hint: r.hint(), err: r.Error}
}

// label is the key as words: “Dialog: title”.
func (r TextRow) label() string {
	group, rest, _ := strings.Cut(r.Name, ".")
	return upperFirst(group) + ": " + strings.ReplaceAll(strings.ReplaceAll(rest, "_", " "), ".", ", ")
}

func (r TextRow) hint() string {
	out := "At most " + strconv.Itoa(r.Most) + " characters."
	if len(r.Placeholders) > 0 {
		out += " Filled in: {" + strings.Join(r.Placeholders, "}, {") + "}."
	}
	return out
}

// long reports a text that needs more than a line.
func (r TextRow) long() bool { return r.Most > 100 }

// ResetTextsData asks before a language's own texts are thrown away.
type ResetTextsData struct {
	Layout
	Channels Channels
	Lang     string
	Name     string // the language's
	Count    string // how many
	Back     string
}

// Preview is what shoppers would see, in a frame of its own.
type Preview struct {
	Source  string // address of what is saved
	Post    string // address that takes a form as typed
	What    string // one of PreviewCodes
	Lang    string // chosen beside What, where the page has no language of its own
	Choose  []LanguageName
	Channel string
}

var previews = map[string]string{
	"dialog": "Dialog: what is asked", "dialog-waiting": "Dialog: waiting for the phone", "dialog-failed": "Dialog: it failed", "confirmation": "After the order",
	"page": "Hosted page", "page-waiting": "Hosted page: waiting", "page-over": "Hosted page: link expired",
	"mail-link": "Mail: one step left", "mail-cart_link": "Mail: link asked for", "mail-reminder": "Mail: reminder", "mail-last_call": "Mail: last call",
	"mail-released": "Mail: the order goes on", "mail-cancelled": "Mail: the order was cancelled", "mail-code": "Mail: code",
}

// PreviewCodes lists what can be previewed.
func PreviewCodes() []string { return codes(previews) }

func previewChoices() []choice {
	var out []choice
	for _, c := range PreviewCodes() {
		out = append(out, choice{c, previews[c], ""})
	}
	return out
}

// DialogPreview is a state of the checkout's dialog, as gate.js draws it with the same style.
type DialogPreview struct {
	Lang, Dir string
	CSS       string // path of the dialog's own style
	View      string // gate.js's name of the state
	Title     string
	Lines     []string
	Documents []Document
	Choose    string // label of the documents
	Scan      string
	QRSVG     string
	QRAlt     string
	Link      string // what leads on on this device
	State     string
	StateCode string
	Next      string
	Start     string // the button; empty where there is none
	Retry     string
	Mail      string
	Close     string
}
