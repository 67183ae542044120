package words

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed messages/*.json
var files embed.FS

// catalogue is all texts, read once from files that are part of the program and never changed after.
type catalogue struct {
	matcher language.Matcher
	tongues []*tongue // as languages
	index   map[language.Tag]*tongue
	// known are the placeholders of each key's English text, in the order they appear.
	known map[string][]string
}

// tongue is one language's texts and the way it counts.
type tongue struct {
	Language
	messages  map[string]*i18n.Message
	localizer *i18n.Localizer
	numbers   *message.Printer
}

// texts returns the catalogue. That it can be read at all is a matter for tests: a file of the program's own cannot go missing.
var texts = sync.OnceValue(func() *catalogue {
	c, err := load()
	if err != nil {
		panic(err)
	}
	return c
})

func load() (*catalogue, error) {
	c := &catalogue{index: map[language.Tag]*tongue{}, known: map[string][]string{}}
	// go-i18n knows CLDR's rules for which form a number takes. It is asked for the form's name, by a message which has each.
	forms := i18n.NewBundle(language.English)
	var tags []language.Tag
	for _, l := range languages {
		name := "messages/active." + l.Tag.String() + ".json"
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := i18n.ParseMessageFileBytes(b, name, nil)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		t := &tongue{Language: l, messages: map[string]*i18n.Message{}, numbers: message.NewPrinter(digits(l.Tag))}
		for _, m := range file.Messages {
			t.messages[m.ID] = m
		}
		if err := forms.AddMessages(l.Tag, &i18n.Message{ID: formProbe, Zero: "zero", One: "one", Two: "two", Few: "few", Many: "many", Other: "other"}); err != nil {
			return nil, err
		}
		t.localizer = i18n.NewLocalizer(forms, l.Tag.String())
		c.tongues, c.index[l.Tag], tags = append(c.tongues, t), t, append(tags, l.Tag)
	}
	c.matcher = language.NewMatcher(tags)
	for key, m := range c.tongues[0].messages {
		c.known[key] = placeholders(allForms(m))
	}
	return c, nil
}

const formProbe = "form"

// digits are Western ones in every language, as in prices and order numbers on the shop's own pages.
func digits(tag language.Tag) language.Tag {
	t, err := tag.SetTypeForKey("nu", "latn")
	if err != nil {
		return tag
	}
	return t
}

func (c *catalogue) tongue(tag language.Tag) *tongue {
	if t, ok := c.index[tag]; ok {
		return t
	}
	return c.index[Match(tag.String())]
}

// form names the plural form that n takes.
func (t *tongue) form(n any) string {
	name, err := t.localizer.Localize(&i18n.LocalizeConfig{MessageID: formProbe, PluralCount: n})
	if err != nil {
		return "other"
	}
	return name
}

func (t *tongue) number(n int) string { return t.numbers.Sprint(number.Decimal(n)) }

// join fills a text whose parts have been made ready already.
func (t *tongue) join(key string, parts map[string]string) string {
	return expand(t.messages[key].Other, func(name string) (string, bool) { return parts[name], true })
}

// plural reports whether a key's text goes by a number. English tells, since Japanese has one form for all numbers.
func (c *catalogue) plural(key string) bool {
	m := c.tongues[0].messages[key]
	return m != nil && m.One != ""
}

// formOf is a text's form, or the one for all other numbers where it has none of that name.
func formOf(m *i18n.Message, form string) string {
	text := map[string]string{"zero": m.Zero, "one": m.One, "two": m.Two, "few": m.Few, "many": m.Many}[form]
	if text == "" {
		text = m.Other
	}
	return text
}

func allForms(m *i18n.Message) string {
	return strings.Join([]string{m.Other, m.Zero, m.One, m.Two, m.Few, m.Many}, "\n")
}
