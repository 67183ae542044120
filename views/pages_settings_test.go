package views

func previewOfPages() Preview {
	return Preview{Source: "/preview-dialog-waiting", Post: "/s/abc123/settings/preview?lang=ar", What: "dialog"}
}

func textRows() []TextRow {
	return []TextRow{
		{Name: "dialog.title", Standard: "Verify your identity", Most: 100},
		{Name: "dialog.who_sees", Standard: "1Kosmos takes and checks the pictures; {shop} learns whether you passed.", Own: "{shop} learns <b>whether</b> you passed.", Placeholders: []string{"shop"}, Most: 500},
		{Name: "dialog.tries_left.one", Standard: "You have {count} try left.", Placeholders: []string{"count"}, Most: 500},
		{Name: "dialog.tries_left.other", Standard: "You have {count} tries left.", Placeholders: []string{"count"}, Most: 500},
	}
}

func arabicRows() []TextRow {
	return []TextRow{
		{Name: "dialog.title", Standard: "تحقق من هويتك", Own: "أثبت هويتك", Most: 100},
		{Name: "dialog.who_sees", Standard: "تلتقط 1Kosmos الصور وتفحصها؛ ويعلم {shop} هل اجتزت التحقق.", Placeholders: []string{"shop"}, Most: 500},
	}
}

// settingsMorePages are the settings' pages but the first.
func settingsMorePages() []page {
	two := Channels{All: []ChannelName{{ID: "1", Name: "Larkspur & Sons"}, {ID: "7", Name: "Larkspur Deutschland", Own: true}}}
	german := two
	german.Active = "7"
	languages := []LanguageName{{"en", "English"}, {"de", "Deutsch"}, {"ar", "العربية"}}
	choose := previewOfPages()
	choose.Choose, choose.Lang, choose.What = languages, "en", "page"
	under := BrandingForm{Name: "Larkspur & Sons"}
	form := BrandingForm{Name: "Larkspur", Contact: "help@larkspur.example", Accent: "#8a1c4a", Logo: svgLogo}
	moved := &SettingsMoved{Who: "bo@larkspur.example", When: tuesday, Detail: "accent colour: standard → “#8a1c4a”"}
	texts := TextsData{Layout: layout("enforce"), Languages: languages, Lang: "en", Dir: "ltr", Group: "dialog", Rows: textRows(), OwnCount: 1, From: "0123456789abcdef", Preview: previewOfPages()}
	arabic := texts
	arabic.Layout, arabic.Lang, arabic.Dir, arabic.Rows, arabic.Channels = flashed("enforce", "settings", "1"), "ar", "rtl", arabicRows(), german
	bad := texts
	bad.Errors, bad.Rows = 2, textRows()
	bad.Rows[0].Own, bad.Rows[0].Error = "Prove {yourself}", "{yourself} is not filled in here; this text has none: write it without braces"
	bad.Rows[1].Error = "the text has a line break or a tab; write it in one line"
	read := texts
	read.ReadOnly = true
	textsMoved := texts
	textsMoved.Moved = moved
	documents := []Document{{"driver_license", "Driver's licence"}, {"passport", "Passport"}, {"id_card", "Identity card"}}
	checkout := CheckoutData{Layout: flashed("enforce", "settings", "1"), Form: CheckoutForm{Documents: []string{"passport"}, SessionsPerDay: "500", Inline: "on"}, Documents: documents,
		From: "0123456789abcdef", Use: Use{"120", "500", 24, "ok"}, Scripts: ScriptsUse{Limit: "10", Found: "2", Channels: 1, When: tuesday}}
	full := checkout
	full.Layout, full.Moved = layout("enforce"), moved
	full.Use, full.Scripts = Use{"500", "500", 100, "spent"}, ScriptsUse{Limit: "10", Found: "9", Others: "1", LeftOut: []string{"Larkspur & Sons, order confirmation"}, Channels: 3, When: tuesday}
	wrong := checkout
	wrong.Layout, wrong.Errors = layout("enforce"), map[string]string{"documents": "unknown_choice", "sessions_per_day": "too_large:10000", "inline_lock": "unknown_choice"}
	wrong.Form.SessionsPerDay, wrong.Use = "20000", Use{"410", "500", 82, "nearly_spent"}
	readCheckout := CheckoutData{Layout: layout("off"), Documents: documents, ReadOnly: true, Use: Use{"0", "1,000", 0, "ok"}, Scripts: ScriptsUse{Limit: "10"}}
	stopped := readCheckout
	stopped.Layout = refusedToken()
	guided := layout("off")
	guided.Guide = "1 of 5 steps is done"
	return []page{
		{"branding-new", Branding(BrandingData{Layout: guided, Under: under, From: "0123456789abcdef", Preview: choose})},
		{"branding-saved", Branding(BrandingData{Layout: flashed("enforce", "settings", "1"), Channels: two, Form: form, Under: under, From: "0123456789abcdef", Preview: choose})},
		{"branding-storefront", Branding(BrandingData{Layout: layout("enforce"), Channels: german, Form: BrandingForm{Accent: "#005f73"}, Under: form, From: "0123456789abcdef", Preview: choose})},
		{"branding-refused", Branding(BrandingData{Layout: layout("enforce"), Form: BrandingForm{Name: "Larkspur", Contact: "a\u202eb", Accent: "#ffcc00", Logo: svgLogo, RemoveLogo: "on"}, Under: under, Preview: choose,
			Errors: map[string]string{"accent": "white text on #ffcc00 has a contrast of 1.5 to 1 and could not be read by everyone, at least 4.5 is needed: #8a6e00 is the nearest shade that will do",
				"contact": "write it in one line, without control characters", "logo": "the picture has 120 kB, save it smaller: at most 64 kB", "name": "too_long:80"}})},
		{"branding-moved", Branding(BrandingData{Layout: layout("enforce"), Form: form, Under: under, Moved: moved, From: "0123456789abcdef", Preview: choose})},
		{"branding-read-only", Branding(BrandingData{Layout: layout("enforce"), Form: form, Under: under, ReadOnly: true, Preview: choose})},
		{"branding-suspended", Branding(BrandingData{Layout: refusedToken(), Form: form, Under: under, ReadOnly: true, Preview: choose})},
		{"texts-english", Texts(texts)},
		{"texts-arabic", Texts(arabic)},
		{"texts-refused", Texts(bad)},
		{"texts-moved", Texts(textsMoved)},
		{"texts-read-only", Texts(read)},
		{"texts-reset", ResetTexts(ResetTextsData{Layout: layout("enforce"), Lang: "de", Name: "Deutsch", Count: "3", Back: "/s/abc123/settings/texts?lang=de"})},
		{"texts-reset-storefront", ResetTexts(ResetTextsData{Layout: layout("enforce"), Channels: german, Lang: "de", Name: "Deutsch", Count: "1", Back: "/s/abc123/settings/texts?lang=de"})},
		{"team-mails-empty", StaffMails(StaffMailsData{Layout: layout("enforce"), From: "0123456789abcdef", Zone: "America/Denver", Most: 5})},
		{"team-mails-filled", StaffMails(teamMails())},
		{"team-mails-refused", StaffMails(teamMailsRefused())},
		{"team-mails-moved", StaffMails(teamMailsMoved(moved))},
		{"team-mails-read-only", StaffMails(teamMailsRead(layout("enforce")))},
		{"team-mails-suspended", StaffMails(teamMailsRead(refusedToken()))},
		{"checkout-saved", Checkout(checkout)},
		{"checkout-full", Checkout(full)},
		{"checkout-refused", Checkout(wrong)},
		{"checkout-read-only", Checkout(readCheckout)},
		{"checkout-suspended", Checkout(stopped)},
		{"data-for-staff", Data(DataData{Layout: layout("enforce"), KeepDays: "730", TrafficDays: "90", CapabilityDays: "30", AskedDays: "2", ShopDays: "30"})},
		{"data", Data(DataData{Layout: layout("enforce"), OwnerActs: true, KeepDays: "730", TrafficDays: "90", CapabilityDays: "30", AskedDays: "2", ShopDays: "30"})},
		{"overview-guide", Overview(OverviewData{Layout: layout("off"), Checkout: Need{}, Figures: noFigures("7"), CanSkip: true,
			Guide:     []GuideStep{{"connect_provider", true}, {"set_requirement", false}, {"map_evidence", false}, {"watch_shadow", false}, {"enforce", false}},
			GuideShop: GuideShop{"GB", "GBP", "Europe/London", []string{"Larkspur & Sons", "Larkspur Trade"}},
			Templates: []TemplateLink{{"alcohol_uk", "Alcohol, United Kingdom"}, {"vape_uk", "Vapes and tobacco, United Kingdom"}}})},
		{"overview-guide-skipped", Overview(OverviewData{Layout: layout("off"), Checkout: Need{}, Figures: noFigures("7"), CanSkip: true, GuideSkipped: true})},
		{"preview-dialog", DialogPreviewPage(DialogPreview{Lang: "en", Dir: "ltr", CSS: "/assets/admin.css", View: "intro", Title: "Verify your identity", Lines: []string{"This shop asks you to prove your identity.", "<b>Bold</b>"},
			Documents: documents, Choose: "Which document will you use?", Start: "Start verification", Mail: "Send me a link by e-mail", Close: "Not now"})},
		{"preview-dialog-waiting", DialogPreviewPage(DialogPreview{Lang: "ar", Dir: "rtl", CSS: "/assets/admin.css", View: "session", Title: "تحقق من هويتك", Scan: "امسح الرمز", QRSVG: qrSample, QRAlt: "رمز",
			Link: "المتابعة على هذا الجهاز", State: "بانتظارك", StateCode: "created", Next: "ثم", Close: "ليس الآن"})},
		{"preview-dialog-failed", DialogPreviewPage(DialogPreview{Lang: "en", Dir: "ltr", CSS: "/assets/admin.css", View: "final", Title: "This did not work", State: "The document has expired.", StateCode: "failed", Retry: "Try again", Close: "Close"})},
	}
}

const (
	svgLogo  = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIyNDAiIGhlaWdodD0iNjQiPjxyZWN0IHdpZHRoPSIyNDAiIGhlaWdodD0iNjQiIHJ4PSI4IiBmaWxsPSIjOGExYzRhIi8+PC9zdmc+"
	qrSample = `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90"/></svg>`
)
