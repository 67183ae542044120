package views

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"idgate/app/words"
)

const (
	verifyShop = "Larkspur & Sons"
	verifyURL  = "https://larkspur.example"
)

func verifyWords(lang string) words.Words { return words.For(words.Match(lang), nil) }

// verifyData is the hosted page before anything was begun, in the words that shoppers read.
func verifyData(lang string, order bool) VerifyData {
	w := verifyWords(lang)
	until := time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)
	kinds := []string{"driver_license", "passport", "id_card"}
	d := words.DialogData{Shop: verifyShop, Need: words.Need{Documents: kinds, Selfie: true, LeastAge: 21, NameMatch: true}, Outcome: "hold", Reasons: []string{"no_proof"},
		TriesLeft: 4, LinkUntil: until}
	if order {
		d.Order = "1046"
	}
	f := frame()
	f.Lang = w.Lang()
	texts := w.Page(d)
	return VerifyData{Frame: f, Texts: texts, ShopName: verifyShop, ShopURL: verifyURL, Outcome: "hold", Retry: true,
		Documents:  []Document{{"driver_license", texts["driver_licence"]}, {"passport", texts["passport"]}, {"id_card", texts["identity_card"]}},
		CaptureURL: "https://larkspur.1kosmos.net/idproofing/session/0b9f", QRSVG: qrSVG, PrivacyURL: "https://support.example/privacy",
		Expires: When{Text: "Thu 12 Mar 2026, 09:00", ISO: until.Format(time.RFC3339)}}
}

// ended is why a Session ended, as the hosted page is told.
func ended(lang, state, code string, retry bool) ShopperReason {
	r := verifyWords(lang).Ended(words.Ended{State: state, Code: code, Retry: retry, Documents: []string{"driver_license", "passport", "id_card"}})
	return ShopperReason{r.Text, r.Next}
}

func verifyPages() []page {
	var out []page
	add := func(name, lang string, order bool, change func(*VerifyData)) {
		v := verifyData(lang, order)
		change(&v)
		out = append(out, page{"verify-" + name, VerifyPage(v)})
	}
	add("start", "en", true, func(*VerifyData) {})
	add("start-one-document", "fr", true, func(v *VerifyData) { v.Documents = v.Documents[:1] })
	add("start-cart-rtl", "ar-EG", false, func(v *VerifyData) { v.ShopURL, v.PrivacyURL = "", "" })
	for _, s := range SessionStates() {
		add(s, "en", true, func(v *VerifyData) { v.State, v.Reason = s, ended("en", s, "", true) })
	}
	add("created-ja", "ja", true, func(v *VerifyData) {
		v.State = "created"
		v.Texts = verifyWords("ja").Page(words.DialogData{Shop: verifyShop, Order: "1046", Deadline: time.Date(2026, 3, 10, 15, 42, 0, 0, time.UTC)})
	})
	add("failed-expired-document", "de", true, func(v *VerifyData) { v.State, v.Reason = "failed", ended("de", "failed", "expired_document", true) })
	add("failed-for-good", "en", true, func(v *VerifyData) {
		v.State, v.Reason, v.Retry = "failed", ended("en", "failed", "not_verified", false), false
	})
	add("passed-name-differs", "en", true, func(v *VerifyData) { v.State, v.Reason = "passed", ended("en", "passed", "last_name_differs", true) })
	add("done", "en", true, func(v *VerifyData) { v.State, v.Outcome = "passed", "allow" })
	add("done-account", "ja", false, func(v *VerifyData) { v.State, v.Outcome, v.SignBack = "passed", "allow", true })
	add("refused", "en", true, func(v *VerifyData) {
		v.Outcome = "refuse"
		v.Texts = verifyWords("en").Page(words.DialogData{Shop: verifyShop, Order: "1046", Outcome: "refuse", Reasons: []string{"refused_by_person"}})
	})
	for _, c := range words.DeadLinkCodes() {
		out = append(out, deadLink(c, "en"))
	}
	out = append(out, deadLink("expired", "ar"))
	return out
}

func deadLink(code, lang string) page {
	w := verifyWords(lang)
	said := w.DeadLink(code)
	f := frame()
	f.Lang = w.Lang()
	name := "verify-link-" + code
	if lang != "en" {
		name += "-" + lang
	}
	return page{name, DeadLink(DeadLinkData{Frame: f, ShopName: verifyShop, ShopURL: verifyURL, Title: said.Title, Text: said.Text, Next: said.Next,
		Back: w.Text("page.back", words.Data{"shop": verifyShop})})}
}

// TestVerifyLanguages: each language's page is in that language and direction, offers the choice of a document, and leaves no text out.
func TestVerifyLanguages(t *testing.T) {
	for _, l := range words.Languages() {
		page := render(t, VerifyPage(verifyData(l.Tag.String(), true)))
		if !strings.Contains(page, `<html lang="`+l.Tag.String()+`" dir="`+words.Dir(l.Tag)+`">`) {
			t.Errorf("%s: the page begins %s", l.Tag, page[:60])
		}
		if n := strings.Count(page, `type="radio"`); n != 3 || strings.Count(page, "checked") != 1 {
			t.Errorf("%s: %d documents to choose from", l.Tag, n)
		}
		if strings.Contains(page, "<dd></dd>") || strings.Contains(page, "<dt></dt>") {
			t.Errorf("%s: a text is missing", l.Tag)
		}
		if l.Tag != language.English && strings.Contains(page, "Start verification") {
			t.Errorf("%s: English on the page", l.Tag)
		}
	}
}
