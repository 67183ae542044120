package web

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

// preview is the frame of a page of the settings. Without a language of the page's own, one is chosen beside it.
func (s *Server) preview(v visit, channel, lang, what string) views.Preview {
	p := views.Preview{What: what, Lang: lang, Channel: channel}
	q := url.Values{}
	if channel != "" {
		q.Set("channel", channel)
	}
	if lang != "" {
		q.Set("lang", lang)
	} else {
		p.Choose, p.Lang = languageNames(), "en"
	}
	p.Post = base(v.Shop) + "/settings/preview?" + q.Encode()
	q.Set("what", what)
	p.Source = base(v.Shop) + "/settings/preview?" + q.Encode()
	return p
}

// showPreview shows what shoppers would see of a made-up order: with the settings as they are saved, or as a form has them. It changes
// nothing. The page stands in a sandbox: nothing in it runs, and no form of it is sent.
func (s *Server) showPreview(w http.ResponseWriter, r *http.Request, v visit) error {
	p, err := textsIn(r, v.Shop)
	if err != nil {
		return err
	}
	what, shop := r.URL.Query().Get("what"), v.Shop
	look := shop.BrandingOn(p.channel)
	own := maps.Clone(shop.Settings.TextsOn(p.channel, p.tag()))
	logo := ""
	if r.Method == http.MethodPost {
		values, upload, err := s.uploaded(r, views.LogoField)
		if err != nil {
			return err
		}
		what = values.Get("what")
		if tag := values.Get("preview_lang"); tag != "" {
			own = maps.Clone(shop.Settings.TextsOn(p.channel, languageIn(tag).String()))
			p.lang = words.Languages()[slices.IndexFunc(words.Languages(), func(l words.Language) bool { return l.Tag == languageIn(tag) })]
			look, logo = typedBranding(values, upload, shop, p.channel)
		} else if own == nil {
			own = typedTexts(values)
		} else {
			maps.Copy(own, typedTexts(values))
		}
	}
	if !slices.Contains(views.PreviewCodes(), what) {
		return refuse(http.StatusNotFound, "not_found", "there is no such preview")
	}
	shown := previewOf{s: s, shop: shop, look: look, words: words.For(p.lang.Tag, own), now: s.Now(), pages: s.look(shop, look)}
	if logo != "" {
		shown.pages.Logo = logo
	}
	styles := "'self'"
	if strings.HasPrefix(what, "mail-") {
		styles += " 'unsafe-inline'" // mail programs know no other styles
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+styles+"; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self' "+
		s.ancestors(shop)+"; sandbox")
	page, err := shown.page(what)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, page)
}

// typedTexts are the texts of a form that could be saved; the others are as they were.
func typedTexts(values url.Values) map[string]string {
	out := map[string]string{}
	for field := range values {
		if name, ok := strings.CutPrefix(field, views.TextField("")); ok {
			if text := strings.TrimSpace(values.Get(field)); words.CheckOverride(name, text) == nil {
				out[name] = text
			}
		}
	}
	return out
}

// typedBranding is the branding of a form, as far as it could be saved.
func typedBranding(values url.Values, upload []byte, shop *ledger.Shop, channel int64) (ledger.Branding, string) {
	had := shop.Settings.Own(channel).Branding
	b, logo, wrong := readBranding(views.ParseBrandingForm(values), had, upload)
	for field, part := range map[string]struct{ to, from *string }{"name": {&b.Name, &had.Name}, "contact": {&b.Contact, &had.Contact}, "accent": {&b.Accent, &had.Accent}} {
		if wrong[field] != "" {
			*part.to = *part.from
		}
	}
	typed := *shop
	typed.Settings = shop.Settings.With(channel, ledger.Look{Texts: shop.Settings.Own(channel).Texts, Branding: b})
	if logo != nil {
		return typed.BrandingOn(channel), dataURI(logo)
	}
	return typed.BrandingOn(channel), ""
}

// previewOf is what a preview is made of.
type previewOf struct {
	s     *Server
	shop  *ledger.Shop
	look  ledger.Branding
	pages views.Look
	words words.Words
	now   time.Time
}

// The made-up order of previews.
const (
	previewOrder = "1042"
	previewCode  = "482913"
)

func (p previewOf) data() words.DialogData {
	need := p.shop.Policy.Checkout
	if need == (gate.Requirement{}) {
		need.IAL = 1
	}
	at := p.now.In(present(p.shop).zone)
	return words.DialogData{Shop: p.look.Name, Contact: p.look.Contact, Order: previewOrder, Need: shopperNeed(p.shop, need), Outcome: string(gate.Verify),
		Reasons: []string{string(gate.NoProof)}, TriesLeft: 2, Deadline: at.Add(30 * time.Minute), LinkUntil: at.Add(72 * time.Hour)}
}

func (p previewOf) page(what string) (templ.Component, error) {
	group, which, _ := strings.Cut(what, "-")
	switch group {
	case "mail":
		return p.mail(which), nil
	case "page":
		return p.hosted(which)
	}
	return p.dialog(what)
}

// mail is one by the relay's name for it, which is the preview's too.
func (p previewOf) mail(which string) templ.Component {
	ask := relay.MailAsk{Shop: p.shop, Which: which, AppURL: p.s.AppURL, Link: p.s.AppURL + "/v/", Until: p.now.Add(72 * time.Hour), Need: p.shop.Policy.Checkout}
	if which != relay.MailCartLink && which != relay.MailCode {
		ask.Order = ledger.Order{ID: 1042, CancelAt: p.now.Add(48 * time.Hour)}
	}
	if which == relay.MailCode {
		ask.Code, ask.Link = previewCode, ""
	}
	if which == relay.MailReleased || which == relay.MailCancelled {
		ask.Link = ""
	}
	d, _ := mailPage(ask, p.look, p.words, p.now)
	d.LogoURL, d.ShownSubject = p.pages.Logo, d.Subject
	return views.Mail(d)
}

func (p previewOf) hosted(which string) (templ.Component, error) {
	f := p.s.shopperFrame(p.words)
	f.AssetJS = ""
	if which == "over" {
		said := p.words.DeadLink("expired")
		d := views.DeadLinkData{Frame: f, ShopName: p.look.Name, Title: said.Title, Text: said.Text, Next: said.Next, Look: p.pages}
		if p.look.Contact != "" {
			d.Contact = p.words.Text("page.contact", words.Data{"shop": p.look.Name, "contact": p.look.Contact})
		}
		return views.DeadLink(d), nil
	}
	data := p.data()
	d := views.VerifyData{Frame: f, Texts: p.words.Page(data), ShopName: p.look.Name, Look: p.pages, Still: true, Outcome: data.Outcome, Expires: p.s.when(p.shop, data.LinkUntil)}
	for _, k := range relay.Documents(p.shop, p.shop.Policy.Checkout) {
		d.Documents = append(d.Documents, views.Document{Value: string(k), Name: d.Texts[documentNames[k]]})
	}
	if which == "waiting" {
		qr, err := qrSVG(p.s.AppURL + "/v/")
		if err != nil {
			return nil, err
		}
		d.State, d.CaptureURL, d.QRSVG = string(idv.StateCreated), p.s.AppURL+"/v/", qr
	}
	return views.VerifyPage(d), nil
}

func (p previewOf) dialog(what string) (templ.Component, error) {
	data := p.data()
	if what != "confirmation" {
		data.Order = ""
	}
	t := p.words.Dialog(data)
	accent := p.look.Accent
	if accent == "" {
		accent = dialogAccent
	}
	d := views.DialogPreview{Lang: p.words.Lang(), Dir: p.words.Dir(), CSS: "/assets/dialog." + strings.TrimPrefix(accent, "#") + ".css?v=" + p.s.Relay.Script.Hash, View: "intro", Title: t["title"],
		Close: t["cancel"], Choose: t["choose_document"]}
	lines := func(keys ...string) {
		for _, k := range keys {
			if t[k] != "" {
				d.Lines = append(d.Lines, t[k])
			}
		}
	}
	for _, k := range relay.Documents(p.shop, p.shop.Policy.Checkout) {
		d.Documents = append(d.Documents, views.Document{Value: string(k), Name: t[documentNames[k]]})
	}
	switch what {
	case "dialog-waiting":
		qr, err := qrSVG(p.s.AppURL + "/v/")
		if err != nil {
			return nil, err
		}
		lines("needs", "deadline_by")
		d.View, d.QRSVG, d.QRAlt, d.Scan, d.Link, d.State, d.Mail, d.Documents = "session", qr, t["qr_alt"], t["scan"], t["open_here"], t["waiting"], t["send_link"], nil
		d.StateCode = string(idv.StateCreated)
	case "dialog-failed":
		said := p.words.Ended(words.Ended{State: string(idv.StateFailed), Code: "expired_document", Retry: true, Documents: data.Need.Documents})
		d.View, d.Title, d.State, d.Next, d.Retry, d.Close = "final", t["failed_title"], said.Text, said.Next+" "+t["tries_left"], t["retry"], t["close"]
		d.StateCode = string(idv.StateFailed)
	case "confirmation":
		lines("confirm_text", "needs", "duration", "who_sees")
		d.Title, d.Start = t["confirm_title"], t["confirm_start"]
	default:
		lines("why", "needs", "duration", "who_sees")
		d.Start = t["start"]
		if p.s.Relay.MailsShoppers(p.shop) {
			d.Mail = t["send_link"]
		}
	}
	return views.DialogPreviewPage(d), nil
}

// dialogAccent is the colour that the dialog comes with.
const dialogAccent = "#1f4fbf"

// dialogStyle is the dialog's own style, as it stands in gate.js: what a preview shows with it is what shoppers see.
func dialogStyle(gateJS []byte, accent string) ([]byte, bool) {
	_, rest, ok := bytes.Cut(gateJS, []byte("const CSS = `"))
	style, _, end := bytes.Cut(rest, []byte("`;"))
	if !ok || !end {
		return nil, false
	}
	style = bytes.ReplaceAll(style, []byte(dialogAccent), []byte(accent))
	style = bytes.ReplaceAll(style, []byte("h2{"), []byte("h1{font-size:1.5rem;")) // alone on its page it is the first heading
	return append(style, "\nhtml{background:#c9ccd1}body{margin:0;min-height:100vh}dialog{position:static;margin:1.5rem auto}\n"...), true
}
