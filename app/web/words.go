package web

import (
	"context"
	"net/http"
	"slices"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
)

// talk is what is known, while a shopper's request is handled, of the words to answer it in. Its handler fills it in, so that an error is told
// in the same words as everything else.
type talk struct {
	shop   *ledger.Shop
	locale string // what the page or its order says; before what the browser does
	// channel is the storefront: what is different there is a matter of words and looks only. 0: not known.
	channel int64
}

type talkKey struct{}

// talking gives a request its talk.
func talking(r *http.Request) (*http.Request, *talk) {
	t := &talk{}
	return r.WithContext(context.WithValue(r.Context(), talkKey{}, t)), t
}

// speak tells a request's talk for whose Shop and in which language to answer; what is empty changes nothing.
func speak(r *http.Request, shop *ledger.Shop, locale string) {
	t, ok := r.Context().Value(talkKey{}).(*talk)
	if !ok {
		return
	}
	if shop != nil {
		t.shop = shop
	}
	if locale != "" {
		t.locale = locale
	}
}

// speakOn tells a request's talk on which storefront; 0 changes nothing.
func speakOn(r *http.Request, channel int64) {
	if t, ok := r.Context().Value(talkKey{}).(*talk); ok && channel != 0 {
		t.channel = channel
	}
}

// lookFor is how the Shop looks to whoever a request comes from.
func lookFor(r *http.Request, shop *ledger.Shop) ledger.Branding {
	t, ok := r.Context().Value(talkKey{}).(*talk)
	if !ok {
		t = &talk{}
	}
	return shop.BrandingOn(t.channel)
}

// words are the texts to answer a shopper's request in: the page's language, else the browser's, in the Shop's own words where it has some.
func (s *Server) words(r *http.Request) words.Words {
	t, ok := r.Context().Value(talkKey{}).(*talk)
	if !ok {
		t = &talk{}
	}
	return shopWords(t.shop, t.channel, t.locale, r.Header.Get("Accept-Language"))
}

func shopWords(shop *ledger.Shop, channel int64, accept ...string) words.Words {
	tag := words.Match(accept...)
	if shop == nil {
		return words.For(tag, nil)
	}
	return words.For(tag, shop.Settings.TextsOn(channel, tag.String()))
}

// otherwise are the problems' codes that are told in the words of another.
var otherwise = map[string]string{
	"too_soon": "rate_limited", "too_many": "rate_limited", "no_mailbox": "buyer_unknown", "mail_down": "busy",
}

// refusal is a problem as the shopper reads it: in their language where there are words for it, else as it is told to whoever wrote the page.
func (s *Server) refusal(r *http.Request, p *problem) string {
	w := s.words(r)
	switch p.code {
	case "code_wrong", "code_expired":
		return w.Text("dialog."+p.code, nil)
	case "document":
		if t, ok := r.Context().Value(talkKey{}).(*talk); ok && t.shop != nil {
			said := w.Ended(words.Ended{Code: "unsupported_document", Retry: true, Documents: documentCodes(t.shop, gate.Requirement{AddressMatch: t.shop.Policy.ComparesAddress()})})
			return said.Text + " " + said.Next
		}
	}
	code := p.code
	if c, ok := otherwise[code]; ok {
		code = c
	}
	if !slices.Contains(words.ReasonCodes(), code) {
		return p.message
	}
	said := w.Refusal(code)
	return said.Text + " " + said.Next
}

// shopperNeed is a Requirement in the words of the shopper: a selfie is named when the evidence mapping asks for one.
func shopperNeed(shop *ledger.Shop, q gate.Requirement) words.Need {
	return words.Need{Documents: documentCodes(shop, q), Selfie: shop.Policy.NeedsSelfie(q), LeastAge: q.LeastAge, NameMatch: q.NameMatch, AddressMatch: q.AddressMatch}
}

func documentCodes(shop *ledger.Shop, q gate.Requirement) []string {
	var out []string
	for _, d := range relay.Documents(shop, q) {
		out = append(out, string(d))
	}
	return out
}

func reasonCodes(rs []gate.Reason) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = string(r.Code)
	}
	return out
}

// dialogData is what the words about a Decision depend on. n is the Session under way, or nil.
func dialogData(shop *ledger.Shop, look ledger.Branding, d gate.Decision, n *ledger.Session, triesLeft int) words.DialogData {
	data := words.DialogData{Shop: look.Name, Contact: look.Contact, Need: shopperNeed(shop, d.Requirement), Outcome: string(d.Outcome), Reasons: reasonCodes(d.Reasons), TriesLeft: triesLeft}
	if n != nil && !n.State.Final() && n.State != idv.StateReview {
		data.Deadline = n.Deadline.In(present(shop).zone)
	}
	return data
}

// localeOf is a page's language in a form that is fit to be kept: one of those that there are texts in.
func localeOf(r *http.Request, locale string) string {
	return words.Match(locale, r.Header.Get("Accept-Language")).String()
}

// subjectOf names what a mail is about: nothing for a cart's.
func subjectOf(o ledger.Order) string {
	if o.ID == 0 {
		return ""
	}
	return orderNumber(o.ID)
}
