package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"idgate/app/ledger"
	"idgate/app/words"
	"idgate/views"
)

// Bounds of the branding: the body of its form, in bytes, and texts, in characters. A picture over maxLogo has to come through to be told so.
const (
	maxBranding = 2 << 20
	maxShopName = 80
	maxContact  = 120
)

// errSettingsMoved: somebody else has changed meanwhile what a form was about.
var errSettingsMoved = errors.New("the settings have changed since the form was opened")

// digest names a part of the settings by its content, for the form that is made from it.
func digest(part any) string {
	b, err := json.Marshal(part)
	if err != nil {
		return "" // plain structs always marshal
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// channelOf reads the storefront that a page is about, from its address: 0 is the whole Shop. Another Shop's is nothing here.
func channelOf(r *http.Request, shop *ledger.Shop) (int64, error) {
	text := r.URL.Query().Get("channel")
	if text == "" {
		return 0, nil
	}
	id, err := parseID(text)
	if err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(shop.Channels, func(c ledger.Channel) bool { return c.ID == id }) {
		return 0, refuse(http.StatusNotFound, "not_found", "no such storefront")
	}
	return id, nil
}

// channelChoice lists the Shop's storefronts. own reports whether something is different on one.
func channelChoice(shop *ledger.Shop, active int64, own func(ledger.Look) bool) views.Channels {
	var out views.Channels
	if active != 0 {
		out.Active = strconv.FormatInt(active, 10)
	}
	for _, c := range shop.Channels {
		out.All = append(out.All, views.ChannelName{ID: strconv.FormatInt(c.ID, 10), Name: c.Name, Own: own(shop.Settings.Own(c.ID))})
	}
	return out
}

// branding shows how the Shop looks to its shoppers.
func (s *Server) branding(w http.ResponseWriter, r *http.Request, v visit) error {
	channel, err := channelOf(r, v.Shop)
	if err != nil {
		return err
	}
	own := v.Shop.Settings.Own(channel).Branding
	return s.showBranding(w, r, v, channel, http.StatusOK, views.BrandingData{From: digest(own), Form: views.BrandingForm{Name: own.Name, Contact: own.Contact, Accent: own.Accent}})
}

func (s *Server) showBranding(w http.ResponseWriter, r *http.Request, v visit, channel int64, status int, d views.BrandingData) error {
	shop := v.Shop
	if own := shop.Settings.Own(channel).Branding; own.Logo != "" {
		d.Form.Logo = logoPath(shop, own.Logo)
	}
	under := ledger.Branding{Name: shop.Name}
	if channel != 0 {
		under = shop.BrandingOn(0)
	}
	d.Under = views.BrandingForm{Name: under.Name, Contact: under.Contact, Accent: under.Accent}
	if under.Logo != "" {
		d.Under.Logo = logoPath(shop, under.Logo)
	}
	d.Channels = channelChoice(shop, channel, func(k ledger.Look) bool { return k.Branding != ledger.Branding{} })
	d.Layout, d.ReadOnly, d.Preview = s.layout(v, r), !v.may(ledger.Manager), s.preview(v, d.Channels.Active, "", "page")
	return render(w, r, status, views.Branding(d))
}

// readBranding reads the form. logo is a new one, made anew.
func readBranding(f views.BrandingForm, had ledger.Branding, upload []byte) (b ledger.Branding, logo []byte, wrong map[string]string) {
	wrong = map[string]string{}
	line := func(field, text string, most int) string {
		switch {
		case utf8.RuneCountInString(text) > most:
			wrong[field] = "too_long:" + strconv.Itoa(most)
		case spoilt(text):
			wrong[field] = "write it in one line, without control characters"
		}
		return text
	}
	b = ledger.Branding{Name: line("name", f.Name, maxShopName), Contact: line("contact", f.Contact, maxContact), Logo: had.Logo}
	var code string
	if b.Accent, code = parseAccent(f.Accent); code != "" {
		wrong["accent"] = code
	}
	switch {
	case len(upload) > 0:
		if logo, code = makeLogo(upload); code != "" {
			wrong["logo"] = code
			break
		}
		b.Logo = ledger.LogoName(logo)
	case f.RemoveLogo != "":
		b.Logo = ""
	}
	return b, logo, wrong
}

// uploaded reads a form with a file, at most maxBranding of both.
func (s *Server) uploaded(r *http.Request, field string) (url.Values, []byte, error) {
	err := r.ParseMultipartForm(maxBranding)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, nil, err
	case errors.Is(err, http.ErrNotMultipart): // without a file it is an ordinary form
		values, err := posted(r)
		return values, nil, err
	case err != nil:
		return nil, nil, refuse(http.StatusBadRequest, "bad_request", "the form could not be read").because(err)
	}
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // nothing of it is on the disk
	file, _, err := r.FormFile(field)
	if err != nil {
		return r.PostForm, nil, nil
	}
	b, err := io.ReadAll(file)
	if err == nil && len(b) > 0 && !s.limits.allow("picture "+r.PathValue("shop"), 0.2, 20) {
		err = refuse(http.StatusTooManyRequests, "rate_limited", "too many pictures; wait a moment")
	}
	return r.PostForm, b, err
}

// saveBranding changes how the Shop looks, on one storefront or on all.
func (s *Server) saveBranding(w http.ResponseWriter, r *http.Request, v visit) error {
	channel, err := channelOf(r, v.Shop)
	if err != nil {
		return err
	}
	values, upload, err := s.uploaded(r, views.LogoField)
	if err != nil {
		return err
	}
	form, from := views.ParseBrandingForm(values), values.Get(views.SettingsBase)
	b, logo, wrong := readBranding(form, v.Shop.Settings.Own(channel).Branding, upload)
	if len(wrong) > 0 {
		return s.showBranding(w, r, v, channel, http.StatusUnprocessableEntity, views.BrandingData{From: from, Form: form, Errors: wrong})
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{Logo: logo, To: func(n ledger.Settings) (ledger.Settings, string, error) {
		k := n.Own(channel)
		if from != digest(k.Branding) {
			return n, "", errSettingsMoved
		}
		said := brandingChanges(k.Branding, b)
		k.Branding = b
		return n.With(channel, k), onChannel(v.Shop, channel, said), nil
	}})
	if errors.Is(err, errSettingsMoved) {
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		moved, err := s.settingsMoved(r.Context(), v)
		if err != nil {
			return err
		}
		return s.showBranding(w, r, v, channel, http.StatusConflict, views.BrandingData{From: digest(v.Shop.Settings.Own(channel).Branding), Form: form, Moved: moved})
	}
	if err != nil {
		return err
	}
	return back(w, r, v, onPage("/settings/branding", channel, ""), views.Flash{Code: "settings", Value: "1"})
}

// onPage is the address of a page of the settings, about a storefront and in a language where it has them.
func onPage(path string, channel int64, more string) string {
	q := url.Values{}
	if channel != 0 {
		q.Set("channel", strconv.FormatInt(channel, 10))
	}
	if out := strings.Trim(more+"&"+q.Encode(), "&"); out != "" {
		return path + "?" + out
	}
	return path
}

// changeSettings changes the Shop's settings in the visitor's name.
func (s *Server) changeSettings(ctx context.Context, v visit, c ledger.SettingsChange) error {
	if _, err := s.Ledger.ChangeSettings(ctx, v.Shop.Hash, c, s.Now()); err != nil {
		return err
	}
	s.Log.Info("settings saved", "shop", v.Shop.Hash, "by", v.User.Email)
	return nil
}

// settingsMoved says who changed the settings last.
func (s *Server) settingsMoved(ctx context.Context, v visit) (*views.SettingsMoved, error) {
	lines, err := s.Ledger.ActivityPage(ctx, v.Shop.Hash, 0, pageLength)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.Action == ledger.ActSettingsSaved {
			return &views.SettingsMoved{Who: l.Actor, When: present(v.Shop).when(l.At), Detail: l.Detail}, nil
		}
	}
	return &views.SettingsMoved{Who: "somebody else"}, nil
}

// Bounds of what is written down of a change.
const (
	mostChanges    = 40
	mostOfOneValue = 120
)

// changed says in words what became of something; "" where it stayed as it was.
func changed(what, was, is, none string) string {
	if was == is {
		return ""
	}
	quoted := func(text string) string {
		if text == "" {
			return none
		}
		return "“" + clip(text, mostOfOneValue) + "”"
	}
	return fmt.Sprintf("%s: %s → %s", what, quoted(was), quoted(is))
}

// told joins changes into one line.
func told(changes ...string) string {
	changes = slices.DeleteFunc(changes, func(c string) bool { return c == "" })
	if n := len(changes); n > mostChanges {
		changes = append(changes[:mostChanges:mostChanges], fmt.Sprintf("and %d more", n-mostChanges))
	}
	return strings.Join(changes, "; ")
}

func brandingChanges(was, is ledger.Branding) string {
	logo := ""
	switch {
	case was.Logo == is.Logo:
	case is.Logo == "":
		logo = "logo removed"
	case was.Logo == "":
		logo = "logo added"
	default:
		logo = "logo replaced"
	}
	return told(changed("shop's name", was.Name, is.Name, "none"), changed("whom shoppers may ask", was.Contact, is.Contact, "none"),
		changed("accent colour", was.Accent, is.Accent, "standard"), logo)
}

func onChannel(shop *ledger.Shop, channel int64, said string) string {
	if name := channelName(shop, channel); channel != 0 {
		return "storefront " + clip(name, mostOfOneValue) + ": " + said
	}
	return said
}

// dataURI is a picture inside a page: one that is not saved yet.
func dataURI(png []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
}

func languageNames() []views.LanguageName {
	var out []views.LanguageName
	for _, l := range words.Languages() {
		out = append(out, views.LanguageName{Tag: l.Tag.String(), Name: l.Name})
	}
	return out
}
