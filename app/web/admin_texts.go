package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"idgate/app/ledger"
	"idgate/app/words"
	"idgate/views"
)

// textsPlace is which texts a page is about.
type textsPlace struct {
	channel int64
	lang    words.Language
	group   string
}

// textsIn reads the place from the address: the first language and group where it names none.
func textsIn(r *http.Request, shop *ledger.Shop) (p textsPlace, err error) {
	if p.channel, err = channelOf(r, shop); err != nil {
		return p, err
	}
	q, ls := r.URL.Query(), words.Languages()
	p.lang, p.group = ls[0], views.TextGroups()[0].Code
	if tag := q.Get("lang"); tag != "" {
		i := slices.IndexFunc(ls, func(l words.Language) bool { return l.Tag.String() == tag })
		if i < 0 {
			return p, refuse(http.StatusNotFound, "not_found", "there are no texts in this language")
		}
		p.lang = ls[i]
	}
	if g := q.Get("group"); g != "" {
		if p.group = g; !slices.ContainsFunc(views.TextGroups(), func(t views.TextGroup) bool { return t.Code == g }) {
			return p, refuse(http.StatusNotFound, "not_found", "there is no such group of texts")
		}
	}
	return p, nil
}

func (p textsPlace) tag() string { return p.lang.Tag.String() }

func (p textsPlace) page(path string) string {
	return onPage(path, p.channel, url.Values{"lang": {p.tag()}, "group": {p.group}}.Encode())
}

// names are the texts of the place's group.
func (p textsPlace) names() (out []string, of map[string]words.Key) {
	of = map[string]words.Key{}
	for _, k := range words.Keys() {
		if views.GroupOf(k.Name) != p.group {
			continue
		}
		for _, name := range k.Names(p.lang.Tag) {
			of[name] = k
			out = append(out, name)
		}
	}
	return out, of
}

// own are the group's texts that are set for the place itself. One that is set for all forms at once counts for each form.
func (p textsPlace) own(n ledger.Settings) map[string]string {
	set, out := n.Own(p.channel).Texts[p.tag()], map[string]string{}
	names, of := p.names()
	for _, name := range names {
		if text := set[name]; text != "" {
			out[name] = text
		} else if text := set[of[name].Name]; text != "" {
			out[name] = text
		}
	}
	return out
}

// texts shows a group of texts in one language.
func (s *Server) texts(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := textsIn(r, v.Shop)
	if err != nil {
		return err
	}
	own := p.own(v.Shop.Settings)
	return s.showTexts(w, r, v, p, http.StatusOK, own, nil, views.TextsData{From: digest(own)})
}

func (s *Server) showTexts(w http.ResponseWriter, r *http.Request, v visit, p textsPlace, status int, typed, wrong map[string]string, d views.TextsData) error {
	shop := v.Shop
	names, of := p.names()
	for _, name := range names {
		row := views.TextRow{Name: name, Standard: words.Standard(p.lang.Tag, name), Own: typed[name], Placeholders: of[name].Placeholders, Most: of[name].Most, Error: wrong[name]}
		if p.channel != 0 {
			if text := (textsPlace{0, p.lang, p.group}).own(shop.Settings)[name]; text != "" {
				row.Standard = text
			}
		}
		d.Rows = append(d.Rows, row)
	}
	d.Channels = channelChoice(shop, p.channel, func(k ledger.Look) bool { return len(k.Texts) > 0 })
	d.Languages, d.Lang, d.Dir, d.Group = languageNames(), p.tag(), p.lang.Dir, p.group
	d.OwnCount, d.Errors = len(shop.Settings.Own(p.channel).Texts[p.tag()]), len(wrong)
	i := slices.IndexFunc(views.TextGroups(), func(g views.TextGroup) bool { return g.Code == p.group })
	d.Layout, d.ReadOnly, d.Preview = s.layout(v, r), !v.may(ledger.Manager), s.preview(v, d.Channels.Active, d.Lang, views.TextGroups()[i].Preview)
	return render(w, r, status, views.Texts(d))
}

// readTexts reads a group's texts as they were typed; an empty one is the standard text. wrong has, by name, what views.FieldError takes.
func readTexts(values url.Values, p textsPlace) (own, wrong map[string]string) {
	own, wrong = map[string]string{}, map[string]string{}
	names, _ := p.names()
	for _, name := range names {
		text := strings.TrimSpace(values.Get(views.TextField(name)))
		if text == "" {
			continue
		}
		own[name] = text
		if err := words.CheckOverride(name, text); err != nil {
			wrong[name] = err.Error()
		}
	}
	return own, wrong
}

// put is k with the place's texts set to own.
func (p textsPlace) put(k ledger.Look, own map[string]string) ledger.Look {
	all := k.Texts[p.tag()]
	if all == nil {
		all = map[string]string{}
	}
	names, of := p.names()
	for _, name := range names {
		delete(all, name)
		delete(all, of[name].Name)
	}
	maps.Copy(all, own)
	k.Texts[p.tag()] = all
	return k
}

// saveTexts changes a group of texts in one language.
func (s *Server) saveTexts(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := textsIn(r, v.Shop)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	from := values.Get(views.SettingsBase)
	own, wrong := readTexts(values, p)
	if len(wrong) > 0 {
		return s.showTexts(w, r, v, p, http.StatusUnprocessableEntity, own, wrong, views.TextsData{From: from})
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		was := p.own(n)
		if from != digest(was) {
			return n, "", errSettingsMoved
		}
		return n.With(p.channel, p.put(n.Own(p.channel), own)), onChannel(v.Shop, p.channel, textChanges(p, was, own)), nil
	}})
	if errors.Is(err, errSettingsMoved) {
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		moved, err := s.settingsMoved(r.Context(), v)
		if err != nil {
			return err
		}
		return s.showTexts(w, r, v, p, http.StatusConflict, own, nil, views.TextsData{From: digest(p.own(v.Shop.Settings)), Moved: moved})
	}
	if err != nil {
		return err
	}
	return back(w, r, v, p.page("/settings/texts"), views.Flash{Code: "settings", Value: "1"})
}

// textChanges says which texts became what.
func textChanges(p textsPlace, was, is map[string]string) string {
	all := maps.Clone(was)
	maps.Copy(all, is)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, changed(name+" ("+p.lang.Name+")", was[name], is[name], "standard text"))
	}
	return told(out...)
}

// askResetTexts asks whether the texts of a language are to be the standard ones again.
func (s *Server) askResetTexts(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := textsIn(r, v.Shop)
	if err != nil {
		return err
	}
	n := len(v.Shop.Settings.Own(p.channel).Texts[p.tag()])
	return render(w, r, http.StatusOK, views.ResetTexts(views.ResetTextsData{Layout: s.layout(v, r), Lang: p.tag(), Name: p.lang.Name, Count: strconv.Itoa(n),
		Channels: channelChoice(v.Shop, p.channel, func(k ledger.Look) bool { return len(k.Texts) > 0 }), Back: base(v.Shop) + p.page("/settings/texts")}))
}

// resetTexts makes the texts of a language the standard ones again.
func (s *Server) resetTexts(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := textsIn(r, v.Shop)
	if err != nil {
		return err
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		k := n.Own(p.channel)
		said := textChanges(p, k.Texts[p.tag()], nil)
		delete(k.Texts, p.tag())
		return n.With(p.channel, k), onChannel(v.Shop, p.channel, said), nil
	}})
	if err != nil {
		return err
	}
	return back(w, r, v, p.page("/settings/texts"), views.Flash{Code: "settings", Value: "1"})
}

// languageIn is a language there are texts in, or English.
func languageIn(tag string) language.Tag { return words.Match(tag) }
