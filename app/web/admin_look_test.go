package web

import (
	"bytes"
	"image/png"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

// sendFile sends a form with a file, as a browser does.
func (b *bench) sendFile(role ledger.Role, path, field string, file []byte, fields url.Values) *httptest.ResponseRecorder {
	b.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name := range fields {
		b.ok(m.WriteField(name, fields.Get(name)))
	}
	f, err := m.CreateFormFile(field, "logo.png")
	b.ok(err)
	_, err = f.Write(file)
	b.ok(err)
	b.ok(m.Close())
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Cookie", b.cookies[shopHash+" "+string(role)])
	return b.do(r)
}

// form opens a page and returns its form to an address, with more fields set.
func (b *bench) form(page, to string, fields ...string) url.Values {
	b.Helper()
	v := b.forms(b.as(ledger.Manager, shopBase+page, nil), to)[0]
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return v
}

// twoStorefronts gives the Shop a second one.
func (b *bench) twoStorefronts() {
	b.Helper()
	b.ok(b.s.Ledger.DescribeShop(b.Context(), shopHash, ledger.Description{StoreID: "1001", Name: "Larkspur & Sons", Currency: "USD", Timezone: "America/Denver", Country: "US",
		Channels: []ledger.Channel{{ID: 1, Name: "Larkspur & Sons", Origins: []string{"https://shop.example"}}, {ID: 7, Name: "Larkspur Deutschland", Origins: []string{"https://de.shop.example"}}}}))
}

func (b *bench) lastActivity() ledger.Activity {
	b.Helper()
	lines, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 1)
	b.ok(err)
	return lines[0]
}

func TestBrandingDoor(t *testing.T) {
	b := newBench(t)
	b.twoStorefronts()
	const at = "/settings/branding"
	b.want(200, b.as(ledger.Viewer, shopBase+at, nil), "All storefronts", "Larkspur Deutschland", "Only the owner and managers of the shop can change the branding.")
	b.lacks(b.as(ledger.Viewer, shopBase+at, nil), `type="file"`)
	opened := b.form(at, at, "name", "Larkspur", "contact", "help@larkspur.example", "accent", "8A1C4A")
	b.wantGo(b.sendFile(ledger.Manager, shopBase+at, "logo", asJPEG(t, picture(300, 100)), opened), shopBase+at+"?settings=1")
	got := b.shop(shopHash).Settings.Branding
	if got.Name != "Larkspur" || got.Contact != "help@larkspur.example" || got.Accent != "#8a1c4a" || len(got.Logo) != 32 {
		t.Errorf("%+v", got)
	}
	if a := b.lastActivity(); a.Action != ledger.ActSettingsSaved || a.Actor != "manager@abc123.example" ||
		a.Detail != "shop's name: none → “Larkspur”; whom shoppers may ask: none → “help@larkspur.example”; accent colour: standard → “#8a1c4a”; logo added" {
		t.Errorf("%+v", a)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "accent colour: standard → “#8a1c4a”")
	page := b.as(ledger.Manager, shopBase+at+"?settings=1", nil)
	b.want(200, page, "Saved.", `value="#8a1c4a"`, "/logos/abc123/"+got.Logo+".png", "Remove the logo", "frame")
	if csp := page.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s", csp)
	}
	// Somebody with the older form is told, and loses nothing.
	opened.Set("name", "Theirs")
	late := b.as(ledger.Owner, shopBase+at, opened)
	b.want(409, late, "Nothing was saved yet: manager@abc123.example has changed this meanwhile.", "accent colour: standard", `value="Theirs"`)
	again := b.forms(late, at)[0]
	again.Set("name", "Theirs")
	again.Set("accent", "")
	b.wantGo(b.as(ledger.Owner, shopBase+at, again), shopBase+at+"?settings=1")
	if n := b.shop(shopHash).Settings.Branding; n.Name != "Theirs" || n.Accent != "" || n.Logo != got.Logo || n.Contact != "" {
		t.Errorf("%+v", n)
	}
	// One storefront has a colour of its own.
	own := b.form(at+"?channel=7", at+"?channel=7", "accent", "#005f73")
	b.wantGo(b.as(ledger.Manager, shopBase+at+"?channel=7", own), shopBase+at+"?channel=7&settings=1")
	if a := b.lastActivity(); !strings.HasPrefix(a.Detail, "storefront Larkspur Deutschland: accent colour: standard → “#005f73”") {
		t.Errorf("%+v", a)
	}
	if there, here := b.shop(shopHash).BrandingOn(7), b.shop(shopHash).BrandingOn(1); there.Accent != "#005f73" || there.Name != "Theirs" || here.Accent != "" {
		t.Errorf("%+v, %+v", there, here)
	}
	b.want(200, b.as(ledger.Manager, shopBase+at, nil), "Larkspur Deutschland · own")
	b.want(422, b.sendFile(ledger.Manager, shopBase+at, "logo", []byte("<svg/>"), b.form(at, at, "accent", "#ffcc00")), "no PNG, JPEG or WebP", "nearest shade that will do", `value="#ffcc00"`)
	b.want(413, b.sendFile(ledger.Manager, shopBase+at, "logo", make([]byte, maxBranding+1), nil))
}

func TestLogoDoor(t *testing.T) {
	b := newBench(t)
	b.wantGo(b.sendFile(ledger.Manager, shopBase+"/settings/branding", "logo", foreign(t), b.form("/settings/branding", "/settings/branding")), shopBase+"/settings/branding?settings=1")
	name := b.shop(shopHash).Settings.Branding.Logo
	got := b.send("", "/logos/abc123/"+name+".png", nil)
	if _, err := png.Decode(bytes.NewReader(got.Body.Bytes())); got.Code != 200 || err != nil || got.Header().Get("Content-Type") != "image/png" || bytes.Contains(got.Body.Bytes(), []byte("script")) ||
		got.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d, %v, %v", got.Code, err, got.Header())
	}
	for _, path := range []string{"/logos/other9/" + name + ".png", "/logos/nobody/" + name + ".png", "/logos/abc123/" + strings.Repeat("0", 32) + ".png", "/logos/abc123/" + name, "/logos/abc123/..%2f" + name + ".png"} {
		if w := b.send("", path, nil); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for path, want := range map[string]int{"/assets/accent.8a1c4a.css": 200, "/assets/accent.ffffff.css": 404, "/assets/accent.red.css": 404, "/assets/accent.8A1C4A.css": 404,
		"/assets/dialog.8a1c4a.css": 404 /* this bench has no gate.js */} {
		if w := b.send("", path, nil); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestTextsDoor(t *testing.T) {
	b := newBench(t)
	b.twoStorefronts()
	const at = "/settings/texts"
	german := at + "?lang=de&group=dialog"
	page := b.as(ledger.Manager, shopBase+german, nil)
	b.want(200, page, "Dialog, Deutsch", words.Standard(languageIn("de"), "dialog.title"), `name="t.dialog.tries_left.one"`, `lang="de"`, "Filled in: {count}.")
	b.lacks(page, `name="t.mail.button"`, "Back to standard texts", `name="t.dialog.confirm_title"`)
	b.want(200, b.as(ledger.Viewer, shopBase+at+"?lang=ar&group=mails", nil), `dir="rtl"`, "Only the owner and managers of the shop can change texts.")
	opened := b.forms(page, german2())[0]
	save := func(role ledger.Role, path string, v url.Values, fields ...string) *httptest.ResponseRecorder {
		for i := 0; i < len(fields); i += 2 {
			v.Set(views.TextField(fields[i]), fields[i+1])
		}
		return b.as(role, shopBase+path, v)
	}
	b.want(422, save(ledger.Manager, german, opened, "dialog.title", "Wer bist {du}?", "dialog.start", strings.Repeat("L", 31), "dialog.duration", "eins\nzwei"),
		"{du} is not filled in here", "write at most 30", "line break or a tab", "Nothing was saved.", "Wer bist {du}?")
	opened.Del(views.TextField("dialog.start"))
	opened.Del(views.TextField("dialog.duration"))
	b.wantGo(save(ledger.Manager, german, opened, "dialog.title", " Bitte ausweisen ", "dialog.tries_left.one", "Noch {count} Mal."), shopBase+at+"?group=dialog&lang=de&settings=1")
	if got := b.shop(shopHash).Settings.Texts["de"]; len(got) != 2 || got["dialog.title"] != "Bitte ausweisen" || got["dialog.tries_left.one"] != "Noch {count} Mal." {
		t.Errorf("%q", got)
	}
	if a := b.lastActivity(); a.Detail != "dialog.title (Deutsch): standard text → “Bitte ausweisen”; dialog.tries_left.one (Deutsch): standard text → “Noch {count} Mal.”" {
		t.Errorf("%+v", a)
	}
	late := save(ledger.Owner, german, opened, "dialog.title", "Zu spät")
	b.want(409, late, "manager@abc123.example has changed this meanwhile", `value="Zu spät"`)
	// Another group, and a storefront's own: neither is in the way of the other.
	b.wantGo(save(ledger.Manager, at+"?lang=de&group=mails", b.forms(b.as(ledger.Manager, shopBase+at+"?lang=de&group=mails", nil), at+"?lang=de&amp;group=mails")[0], "mail.button", "Los"), shopBase+at+"?group=mails&lang=de&settings=1")
	there := at + "?lang=de&group=dialog&channel=7"
	b.wantGo(save(ledger.Manager, there, b.forms(b.as(ledger.Manager, shopBase+there, nil), strings.ReplaceAll(there, "&", "&amp;"))[0], "dialog.title", "Nur hier"), shopBase+at+"?group=dialog&lang=de&channel=7&settings=1")
	shop := b.shop(shopHash)
	if shop.Settings.TextsOn(7, "de")["dialog.title"] != "Nur hier" || shop.Settings.TextsOn(1, "de")["dialog.title"] != "Bitte ausweisen" || shop.Settings.TextsOn(7, "de")["mail.button"] != "Los" {
		t.Errorf("%+v", shop.Settings)
	}
	b.want(200, b.as(ledger.Manager, shopBase+there, nil), "Bitte ausweisen", "Nur hier") // what counts if it is emptied
	b.want(200, b.as(ledger.Manager, shopBase+at+"/reset?lang=de", nil), "throws away 3 texts", "Texts that only one storefront has stay")
	b.wantGo(b.as(ledger.Manager, shopBase+at+"/reset?lang=de", url.Values{}), shopBase+at+"?group=dialog&lang=de&settings=1")
	if n := b.shop(shopHash).Settings; n.Texts != nil || n.Channels[7].Texts["de"]["dialog.title"] != "Nur hier" {
		t.Errorf("%+v", n)
	}
	if a := b.lastActivity(); !strings.Contains(a.Detail, "mail.button (Deutsch): “Los” → standard text") {
		t.Errorf("%+v", a)
	}
}

func german2() string { return "/settings/texts?lang=de&amp;group=dialog" }

// TestGroups: every text that a merchant may write is in one group.
func TestGroups(t *testing.T) {
	for _, k := range words.Keys() {
		if views.GroupOf(k.Name) == "" {
			t.Errorf("%s is on no page", k.Name)
		}
	}
}

func TestReadCheckout(t *testing.T) {
	for _, tc := range []struct {
		name  string
		form  views.CheckoutForm
		want  checkoutSettings
		wrong string
	}{
		{"nothing", views.CheckoutForm{}, checkoutSettings{}, ""},
		{"all", views.CheckoutForm{Documents: []string{"id_card", "passport", "passport"}, SessionsPerDay: "500", AllPages: "on", Confirmation: "on", Inline: "on"},
			checkoutSettings{[]string{"passport", "id_card"}, 500, true, true, true}, ""},
		{"the most", views.CheckoutForm{SessionsPerDay: "10000"}, checkoutSettings{SessionsPerDay: 10000}, ""},
		{"more than that", views.CheckoutForm{SessionsPerDay: "10001"}, checkoutSettings{}, "sessions_per_day=too_large:10000"},
		{"none at all", views.CheckoutForm{SessionsPerDay: "0"}, checkoutSettings{}, "sessions_per_day=too_small:1"},
		{"negative", views.CheckoutForm{SessionsPerDay: "-1"}, checkoutSettings{}, "sessions_per_day=negative"},
		{"not whole", views.CheckoutForm{SessionsPerDay: "1.5"}, checkoutSettings{}, "sessions_per_day=not_whole"},
		{"words", views.CheckoutForm{SessionsPerDay: "many"}, checkoutSettings{}, "sessions_per_day=not_a_number"},
		{"another document", views.CheckoutForm{Documents: []string{"library_card"}}, checkoutSettings{}, "documents=unknown_choice"},
		{"another tick", views.CheckoutForm{AllPages: "maybe"}, checkoutSettings{}, "script_on_all_pages=unknown_choice"},
		{"another tick", views.CheckoutForm{Confirmation: "1"}, checkoutSettings{}, "confirmation_script=unknown_choice"},
		{"another tick", views.CheckoutForm{Inline: "yes"}, checkoutSettings{}, "inline_lock=unknown_choice"},
	} {
		got, wrong := readCheckout(tc.form)
		field, code, _ := strings.Cut(tc.wrong, "=")
		if tc.wrong == "" && (len(wrong) > 0 || digest(got) != digest(tc.want)) || tc.wrong != "" && (len(wrong) != 1 || wrong[field] != code) {
			t.Errorf("%s: %+v, refused %v", tc.name, got, wrong)
		}
	}
}

func TestCheckoutDoor(t *testing.T) {
	b := newBench(t)
	const at = "/settings/checkout"
	b.want(200, b.as(ledger.Viewer, shopBase+at, nil), "Only the owner and managers of the shop can change this.", "0 of 1,000 begun in the last 24 hours", "Not compared yet.")
	opened := b.form(at, at, "documents", "passport", "sessions_per_day", "2", "inline_lock", "on")
	b.wantGo(b.as(ledger.Manager, shopBase+at, opened), shopBase+at+"?settings=1")
	if a := b.lastActivity(); a.Detail != "documents: all → “passport”; verifications within 24 hours: standard (1000) → “2”; inline lock: “off” → “on”" {
		t.Errorf("%+v", a)
	}
	b.want(409, b.as(ledger.Owner, shopBase+at, opened), "has changed this meanwhile", `value="2"`)
	b.want(200, b.as(ledger.Manager, shopBase+at, nil), `value="on" checked`)
	if n := b.shop(shopHash).Settings; n.SessionsPerDay != 2 || !n.InlineLock || n.ConfirmationScript || len(n.Documents) != 1 {
		t.Errorf("%+v", n)
	}
	b.want(200, b.as(ledger.Owner, shopBase+"/settings/data", nil), "730 days", "90 days", `href="/s/abc123/erase"`, `href="/s/abc123/export.zip" download`, "/s/abc123/webhooks", "sealed for 30 days")
	for _, role := range []ledger.Role{ledger.Manager, ledger.Viewer} {
		page := b.as(role, shopBase+"/settings/data", nil)
		b.want(200, page, "/s/abc123/webhooks", "Only the owner of the shop can erase a person or export everything")
		b.lacks(page, "/erase", "/export.zip")
	}
}

// TestBudgetAlarm: the Overview and Health tell of a limit that is nearly used, and of one that is.
func TestBudgetAlarm(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		most     int
		overview string
		health   string
	}{{1000, "", "In order"}, {5, "Most verifications of 24 hours are used up", "Nearly used up"}, {4, "nobody can begin another", "Used up"}} {
		_, err := b.s.Ledger.ChangeSettings(b.Context(), shopHash, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
			n.SessionsPerDay = c.most
			return n, "", nil
		}}, b.clock())
		b.ok(err)
		if c.most == 1000 {
			for i := range 4 {
				b.prove(shopHash, 0, "00000000-0000-4000-8000-00000000000"+string(rune('1'+i)), ledger.Person{Given: "Ada"})
			}
		}
		page := b.as(ledger.Viewer, shopBase+"/overview", nil)
		if b.want(200, page, c.overview); c.overview == "" {
			b.lacks(page, "verifications of 24 hours")
		}
		b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), c.health, "4 of ")
	}
	b.wait(25 * time.Hour)
	b.signInAll(shopHash)
	b.lacks(b.as(ledger.Viewer, shopBase+"/overview", nil), "verifications of 24 hours")
}

// TestGuide: it asks only what BigCommerce has not told, goes by what is there, and can be put away and brought back.
func TestGuide(t *testing.T) {
	b := newBench(t)
	b.twoStorefronts()
	const at = "/overview"
	b.want(200, b.as(ledger.Manager, shopBase+at, nil), "Getting started", "country US · currency USD · time zone America/Denver · 2 storefronts, Larkspur &amp; Sons, Larkspur Deutschland",
		"Alcohol, United States", "/policy/templates/alcohol_us", "Skip the guide")
	b.lacks(b.as(ledger.Manager, shopBase+at, nil), "Alcohol, United Kingdom")
	b.want(200, b.as(ledger.Viewer, shopBase+"/policy", nil), "Back to the first-run guide", "0 of 5 steps are done")
	b.lacks(b.as(ledger.Viewer, shopBase+at, nil), "Skip the guide")
	b.wantGo(b.as(ledger.Manager, shopBase+"/settings/guide", b.forms(b.as(ledger.Manager, shopBase+at, nil), "/settings/guide")[0]), shopBase+at)
	away := b.as(ledger.Manager, shopBase+at, nil)
	b.want(200, away, "Bring the first-run guide back")
	b.lacks(away, "Getting started")
	b.lacks(b.as(ledger.Manager, shopBase+"/policy", nil), "Back to the first-run guide")
	b.wantGo(b.as(ledger.Manager, shopBase+"/settings/guide", b.forms(away, "/settings/guide")[0]), shopBase+at)
	b.want(200, b.as(ledger.Manager, shopBase+at, nil), "Getting started")
	b.enforce(shopHash, func(p *gate.Policy) { p.Mode = gate.Shadow })
	b.want(200, b.as(ledger.Viewer, shopBase+"/policy", nil), "3 of 5 steps are done")
	b.enforce(shopHash)
	b.s.Tenant = "tenant.example"
	done := b.as(ledger.Manager, shopBase+at, nil)
	b.lacks(done, "Getting started", "first-run guide")
}

// TestPreviewDoor: what shoppers would see, in a sandbox, as it is saved and as it is typed.
func TestPreviewDoor(t *testing.T) {
	b := newBench(t)
	b.twoStorefronts()
	b.enforce(shopHash)
	at := shopBase + "/settings/preview"
	for _, what := range views.PreviewCodes() {
		for _, l := range words.Languages() {
			w := b.as(ledger.Viewer, at+"?lang="+l.Tag.String()+"&what="+what, nil)
			b.want(200, w, `lang="`+l.Tag.String()+`" dir="`+l.Dir+`"`)
			b.lacks(w, "<script")
			csp := w.Header().Get("Content-Security-Policy")
			if !strings.HasSuffix(csp, "; sandbox") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || !strings.Contains(csp, "form-action 'none'") ||
				!strings.Contains(csp, "frame-ancestors 'self' ") || strings.Contains(csp, "unsafe-inline") != strings.HasPrefix(what, "mail-") {
				t.Errorf("%s: %s", what, csp)
			}
		}
	}
	typed := url.Values{"what": {"dialog"}, "t.dialog.title": {"<b>Who</b> are you?"}, "t.dialog.start": {"{nobody}"}}
	b.want(200, b.as(ledger.Viewer, at+"?lang=en", typed), "&lt;b&gt;Who&lt;/b&gt; are you?", "Start verification")
	look := url.Values{"what": {"page"}, "preview_lang": {"fr"}, "name": {"Chez Nous"}, "contact": {"aide@shop.example"}, "accent": {"#8a1c4a"}}
	b.want(200, b.as(ledger.Viewer, at, look), "Chez Nous", "aide@shop.example", "/assets/accent.8a1c4a.css", `lang="fr"`)
	withLogo := b.sendFile(ledger.Viewer, at, "logo", asPNG(t, picture(30, 10)), look)
	b.want(200, withLogo, "data:image/png;base64,")
	look.Set("what", "mail-link")
	look.Set("accent", "#ffcc00") // it could not be saved: the standard colour stays
	b.want(200, b.as(ledger.Viewer, at, look), "Chez Nous", "background:#3c64f4")
	if n := b.shop(shopHash).Settings; n.Branding != (ledger.Branding{}) || n.Texts != nil {
		t.Errorf("a preview saved something: %+v", n)
	}
}

// TestAbuseTexts: a malicious merchant's words do no harm where they are shown: no markup, no other direction, no placeholder of another's, no header of a mail.
func TestAbuseTexts(t *testing.T) {
	for name, text := range map[string]string{
		"a script": "<script>alert(1)</script>", "an image": `<img src=x onerror="alert(1)">`, "the end of an attribute": `"><svg onload=alert(1)>`,
		"a placeholder's placeholder": "{shop}{shop}", "a template": "{{.}} ${x}",
		"another direction": "a\u202eb", "a header": "Hello\r\nBcc: eve@example.com", "a null": "a\x00b", "half a character": "a\xff", "an unknown placeholder": "{code}{order}{secret}",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			refused := 0
			for _, place := range [][2]string{{"dialog", "dialog.title"}, {"page", "page.thank_you"}, {"mails", "mail.link.subject"}, {"mails", "mail.link.text"}} {
				path := "/settings/texts?lang=en&group=" + place[0]
				v := b.forms(b.as(ledger.Manager, shopBase+path, nil), strings.ReplaceAll(path, "&", "&amp;"))[0]
				v.Set(views.TextField(place[1]), text)
				w := b.as(ledger.Manager, shopBase+path, v)
				if w.Code == 422 {
					refused++
				}
				b.lacks(w, "<script>alert", "<img src=x", "<svg onload")
			}
			shop := b.shop(shopHash)
			for _, what := range views.PreviewCodes() {
				w := b.as(ledger.Viewer, shopBase+"/settings/preview?what="+what, nil)
				b.lacks(w, "<script>alert", "<img src=x", "<svg onload", "\u202e", "\x00")
			}
			m := ComposeMail(relay.MailAsk{Shop: shop, Which: relay.MailLink, Order: ledger.Order{ID: 7}, Link: "https://idgate.example/v/x"}, b.clock())
			if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.Contains(m.Subject, "\u202e") || strings.Contains(m.HTML, "<script>alert") || strings.Contains(m.HTML, "<img src=x") {
				t.Errorf("%q, %s", m.Subject, m.HTML)
			}
			if bad := words.CheckOverride("dialog.title", text) != nil; bad && refused == 0 || !bad && refused == 4 {
				t.Errorf("refused %d times", refused)
			}
		})
	}
	// What was stored long ago, round the form, is left out.
	shop := &ledger.Shop{Hash: "x", Name: "Shop\r\nBcc: eve@example.com", Settings: ledger.Settings{Texts: map[string]map[string]string{"en": {"mail.link.subject": "Hi\r\nBcc: eve@example.com"}},
		Branding: ledger.Branding{Contact: "eve@example.com\r\nX: y"}}}
	m := ComposeMail(relay.MailAsk{Shop: shop, Which: relay.MailLink, Order: ledger.Order{ID: 7}}, time.Time{})
	if strings.ContainsAny(m.Subject+m.FromName+m.ReplyTo, "\r\n") {
		t.Errorf("%+v", m)
	}
}

// FuzzTexts: whatever is typed for a text, the form takes it whole or names what is wrong, and what it takes is shown as text.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"Hello {shop}", "<b>", "{count", "\u202e", "a\nb", "{shop}{shop}{shop}"} {
		f.Add(uint8(3), seed)
	}
	names := []string{}
	for _, k := range words.Keys() {
		names = append(names, k.Names(languageIn("ar"))...)
	}
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		name := names[int(n)%len(names)]
		p := textsPlace{0, words.Languages()[8], views.GroupOf(name)}
		own, wrong := readTexts(url.Values{views.TextField(name): {text}}, p)
		switch {
		case wrong[name] != "" && strings.HasPrefix(views.FieldError(wrong[name]), "This cannot be used"):
			t.Errorf("%q: %q has no words", text, wrong[name])
		case wrong[name] == "" && own[name] != strings.TrimSpace(text):
			t.Errorf("%q became %q", text, own[name])
		}
		if wrong[name] == "" && own[name] != "" {
			settings := ledger.Settings{}
			if got := p.own(settings.With(0, p.put(settings.Own(0), own))); got[name] != own[name] {
				t.Errorf("saved as %q", got[name])
			}
			if said := words.For(p.lang.Tag, own).Text(name, words.Data{"shop": "S"}); strings.ContainsAny(said, "\r\n\x00") {
				t.Errorf("%q is said as %q", text, said)
			}
		}
	})
}
