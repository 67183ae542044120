package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// upload sends the import's form as a browser does; file nil sends an empty one, as when none was chosen.
func (b *bench) upload(role ledger.Role, file []byte, fields map[string]string) *httptest.ResponseRecorder {
	b.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, text := range fields {
		b.ok(m.WriteField(name, text))
	}
	f, err := m.CreateFormFile("file", "list.csv")
	b.ok(err)
	_, err = f.Write(file)
	b.ok(err)
	b.ok(m.Close())
	r := httptest.NewRequest("POST", shopBase+"/lists/import", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Cookie", b.cookies[shopHash+" "+string(role)])
	return b.do(r)
}

// TestListsDoor: somebody is put on a list, moved to the other and taken off; whoever is blocked is refused.
func TestListsDoor(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	at := shopBase + "/lists"
	b.want(200, b.as(ledger.Viewer, at, nil), "Allow list", "Nobody is on this list", "counts only once its control was shown")
	b.lacks(b.as(ledger.Viewer, at, nil), "Put somebody on it</h2>")
	add := func(list, who, note string) url.Values {
		return url.Values{"list": {list}, "who": {who}, "note": {note}}
	}
	b.wantGo(b.as(ledger.Manager, at+"/add", add("allowed", " Ada@Example.com ", "A <b>friend</b>")), at+"?list=allowed&listed=1")
	page := b.as(ledger.Manager, at+"?list=allowed&listed=1", nil)
	b.want(200, page, "1 entry put on the list.", "Ada@Example.com", "A &lt;b&gt;friend&lt;/b&gt;", "manager@abc123.example")
	shop := b.shop(shopHash)
	is := func(customer int64, mailbox string, want gate.Listed) {
		t.Helper()
		got, err := b.s.Ledger.ListedAs(b.Context(), shop, customer, shop.MailboxHash(mailbox))
		b.ok(err)
		if got != want {
			t.Errorf("%d %s: %+v, want %+v", customer, mailbox, got, want)
		}
	}
	is(0, "ada@example.com", gate.Listed{Mailbox: gate.OnAllowList})
	b.wait(time.Second)
	b.wantGo(b.as(ledger.Manager, at+"/add", add("blocked", "ada@example.com", "No friend any more")), at+"?list=blocked&listed=1")
	is(0, "ada@example.com", gate.Listed{Mailbox: gate.OnBlockList})
	b.want(200, b.as(ledger.Viewer, at, nil), "Nobody is on this list")
	b.want(200, b.as(ledger.Viewer, at+"?list=blocked", nil), "No friend any more")

	id := b.hold(shopHash)
	o, err := b.s.Ledger.Order(b.Context(), shop, id)
	b.ok(err)
	b.wantGo(b.as(ledger.Manager, at+"/add", add("blocked", fmt.Sprint(o.CustomerID), "Chargebacks")), at+"?list=blocked&listed=1")
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	b.want(200, b.as(ledger.Viewer, fmt.Sprintf("%s/orders/%d", shopBase, id), nil), "on the block list", "takes the buyer off the block list")

	off := b.forms(b.as(ledger.Manager, at+"?list=blocked", nil), "/lists/remove")
	if len(off) != 2 {
		t.Fatalf("%d entries can be taken off, want 2", len(off))
	}
	for _, f := range off {
		b.wantGo(b.send(b.cookies[otherHash+" owner"], "/s/"+otherHash+"/lists/remove", f), "/s/"+otherHash+"/lists?list=blocked&off_list=1")
		b.wantGo(b.as(ledger.Manager, at+"/remove", f), at+"?list=blocked&unlisted=1")
		b.wantGo(b.as(ledger.Manager, at+"/remove", f), at+"?list=blocked&off_list=1") // pressed twice
	}
	b.want(200, b.as(ledger.Manager, at+"?list=blocked&off_list=1", nil), "This entry is off the list already.")
	b.want(200, b.as(ledger.Viewer, shopBase+"/activity", nil), "1 entry: Chargebacks")
	is(o.CustomerID, "ada@example.com", gate.Listed{})
	for _, tc := range []struct {
		form  url.Values
		texts []string
	}{
		{add("allowed", "", ""), []string{"Fill this in.", "Say why in a few words."}},
		{add("allowed", "ada", "x"), []string{"Enter a customer&#39;s id, digits only, or an e-mail address.", `value="ada"`}},
		{add("allowed", "0", "x"), []string{"Enter a customer"}},
		{add("allowed", "a@b", "x"), []string{"Enter one mailbox"}},
		{add("allowed", "Ada <ada@example.com>", "x"), []string{"Enter one mailbox"}},
		{add("allowed", "7", strings.Repeat("é", 201)), []string{"Write at most 200 characters."}},
		{add("allowed", "7", "a\u202eb"), []string{"Write it without control characters."}},
	} {
		b.want(422, b.as(ledger.Manager, at+"/add", tc.form), tc.texts...)
	}
	b.want(400, b.as(ledger.Manager, at+"/add", add("guests", "7", "x")))
	b.want(400, b.as(ledger.Viewer, at+"?list=guests", nil))
	b.want(400, b.as(ledger.Viewer, at+"?before=1.2", nil))
}

// TestListsStale: a page that was opened before somebody moved its entry to the other list does not take it off that one.
func TestListsStale(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	at, shop := shopBase+"/lists", b.shop(shopHash)
	id := b.hold(shopHash)
	customer := b.order(shopHash, id).CustomerID
	for _, who := range []ledger.Listed{{CustomerID: customer}, {Mailbox: "ada@example.com"}} {
		put := func(list gate.Listing) {
			who.List, who.Note = list, "because"
			b.ok(b.s.Ledger.List(b.Context(), shop, []ledger.Listed{who}, b.clock()))
		}
		put(gate.OnAllowList)
		stale := b.forms(b.as(ledger.Manager, at, nil), "/lists/remove")[0]
		put(gate.OnBlockList)
		b.settle(ledger.OrderBell, ledger.WritebackBell)
		before, err := b.s.Ledger.OrderDecisions(b.Context(), shopHash, id)
		b.ok(err)
		lines, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 1)
		b.ok(err)
		b.wantGo(b.as(ledger.Manager, at+"/remove", stale), at+"?list=allowed&other_list=1")
		b.want(200, b.as(ledger.Manager, at+"?list=allowed&other_list=1", nil), "Nothing was done: this entry was put on the other list")
		on, err := b.s.Ledger.ListedAs(b.Context(), shop, who.CustomerID, shop.MailboxHash(who.Mailbox))
		b.ok(err)
		if on.Customer != gate.OnBlockList && on.Mailbox != gate.OnBlockList {
			t.Errorf("%+v was taken off the block list: %+v", who, on)
		}
		b.settle(ledger.OrderBell, ledger.WritebackBell)
		after, err := b.s.Ledger.OrderDecisions(b.Context(), shopHash, id)
		b.ok(err)
		last, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 1)
		b.ok(err)
		if len(after) != len(before) || last[0].Seq != lines[0].Seq {
			t.Errorf("%+v: nothing was done, but decided again or put down: %d decisions after %d, %+v", who, len(after), len(before), last[0])
		}
	}
}

// TestImportDoor: nothing is imported while a line is wrong, unless that is asked for; the report says what each line is.
func TestImportDoor(t *testing.T) {
	b := newBench(t)
	file := []byte("\ufeffEmail,Why\r\n7,\"Staff, all\"\r\nada@example.com\r\n\r\neve@\r\n7\r\nbob@example.com;VIP\r\n")
	fields := func(do, leave string) map[string]string {
		return map[string]string{"list": "allowed", "import_note": "Known for years", "do": do, "leave": leave, "text": ""}
	}
	page := b.upload(ledger.Manager, file, fields("import", ""))
	b.want(422, page, "Nothing has been imported yet.", "3 entries are right, 1 line is wrong.", "Enter one mailbox", "Repeated", "Heading", "7,&#34;Staff, all&#34;")
	b.want(200, b.as(ledger.Viewer, shopBase+"/lists", nil), "Nobody is on this list")
	b.want(422, b.upload(ledger.Manager, file, fields("check", "")), "1 line is wrong")
	b.want(200, b.upload(ledger.Manager, []byte("7\n"), fields("check", "")), "1 entry is right, 0 lines are wrong.")
	b.wantGo(b.upload(ledger.Manager, file, fields("import", "on")), shopBase+"/lists?list=allowed&listed=3")
	list := b.as(ledger.Manager, shopBase+"/lists", nil)
	b.want(200, list, "Customer 7", "Staff, all", "ada@example.com", "Known for years", "bob@example.com", "VIP")
	none := fields("import", "")
	none["import_note"] = ""
	b.want(422, b.upload(ledger.Manager, []byte("8\n"), none), "Say why in a few words.")
	b.want(422, b.upload(ledger.Manager, nil, fields("import", "")), "Choose a file, or paste its text.")
	b.want(422, b.upload(ledger.Manager, []byte("\xff\xfe7\x00"), fields("import", "")), "Save the file as UTF-8 text and try again.")
	b.want(422, b.upload(ledger.Manager, []byte(strings.Repeat("7\n", 5001)), fields("import", "")), "Keep it to 5000 lines")
	b.want(422, b.upload(ledger.Manager, bytes.Repeat([]byte("x"), maxImport+1), fields("import", "")), "Keep it to 1 MB")
	b.want(413, b.upload(ledger.Manager, bytes.Repeat([]byte("x"), maxImportBody), fields("import", "")))
	b.want(403, b.upload(ledger.Reviewer, []byte("8\n"), fields("import", "")))
	text := fields("import", "")
	text["text"] = "8,by hand"
	b.wantGo(b.upload(ledger.Manager, nil, text), shopBase+"/lists?list=allowed&listed=1")

	var many strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&many, "%d\n", 1000+i)
	}
	b.wait(time.Second)
	b.wantGo(b.upload(ledger.Manager, []byte(many.String()), fields("import", "")), shopBase+"/lists?list=allowed&listed=1200")
	seen, next, pages := map[string]bool{}, shopBase+"/lists", 0
	for next != "" {
		page := b.as(ledger.Manager, next, nil)
		b.want(200, page)
		for _, f := range b.forms(page, "/lists/remove") {
			seen[f.Get("customer")+f.Get("mailbox")] = true
		}
		_, rest, ok := strings.Cut(page.Body.String(), `/lists?before=`)
		if next, pages = "", pages+1; ok {
			place, _, _ := strings.Cut(rest, `"`)
			next = shopBase + "/lists?before=" + place
		}
	}
	if len(seen) != 1204 || pages != 49 {
		t.Errorf("%d entries on %d pages, want 1204 on 49", len(seen), pages)
	}
	lines, err := b.s.Ledger.ActivityPage(b.Context(), shopHash, 0, 3)
	b.ok(err)
	if len(lines) != 3 || lines[0].Detail != "200 entries: Known for years" || lines[2].Detail != "500 entries: Known for years" || lines[0].Actor != "manager@abc123.example" {
		t.Errorf("%+v", lines)
	}
}

func TestParseImportLine(t *testing.T) {
	for _, tc := range []struct {
		raw           string
		first         bool
		want          ledger.Listed
		outcome, code string
	}{
		{"7", false, ledger.Listed{CustomerID: 7}, "customer", ""},
		{"7,why", false, ledger.Listed{CustomerID: 7, Note: "why"}, "customer", ""},
		{"7;why", false, ledger.Listed{CustomerID: 7, Note: "why"}, "customer", ""},
		{`7,"a ""b"", c"`, false, ledger.Listed{CustomerID: 7, Note: `a "b", c`}, "customer", ""},
		{" ada@example.com , x ,", false, ledger.Listed{Mailbox: "ada@example.com", Note: "x"}, "mailbox", ""},
		{"E-Mail", true, ledger.Listed{}, "header", ""},
		{"E-Mail", false, ledger.Listed{}, "", "enter a customer's id, digits only, or an e-mail address"},
		{"-7", false, ledger.Listed{}, "", "enter a customer's id, digits only, or an e-mail address"},
		{"07", false, ledger.Listed{}, "", "enter a customer's id, digits only, or an e-mail address"},
		{"99999999999999999999", false, ledger.Listed{}, "", "enter a customer's id, digits only, or an e-mail address"},
		{"=cmd|'/c calc'!A1@x.example", false, ledger.Listed{}, "", "not_a_mailbox"},
		{",why", false, ledger.Listed{}, "", "required"},
		{"7,a,b", false, ledger.Listed{}, "", "keep it to two columns, and put a note with commas in quotation marks"},
		{`7,"a`, false, ledger.Listed{}, "", "put the quotation marks right: a cell begins and ends with one, and one inside is doubled"},
		{`7,a"b`, false, ledger.Listed{}, "", "put the quotation marks right: a cell begins and ends with one, and one inside is doubled"},
		{"7,a\u202eb", false, ledger.Listed{}, "", "write it without control characters"},
	} {
		if e, outcome, code := parseImportLine(tc.raw, tc.first); e != tc.want || outcome != tc.outcome || code != tc.code {
			t.Errorf("%q: %+v, %q, %q; want %+v, %q, %q", tc.raw, e, outcome, code, tc.want, tc.outcome, tc.code)
		}
	}
}

// FuzzImport: every line of whatever is sent is either taken, each entry once, or refused with words.
func FuzzImport(f *testing.F) {
	f.Add("7,why\nada@example.com\r\n\"x;y\n")
	f.Add("\ufeffwho;why\n7;\"a\"\"b\"\n7")
	f.Add("\xff\n,,,\n\u2028@")
	f.Fuzz(func(t *testing.T, text string) {
		entries, lines, code := parseImport(text, gate.OnBlockList, "why")
		if code != "" {
			if views.FieldError(code) == "" || len(entries)+len(lines) > 0 {
				t.Fatalf("%q with %d entries", code, len(entries))
			}
			return
		}
		taken := 0
		for _, l := range lines {
			if (l.Error == "") != slices.Contains(views.ImportCodes(), l.Outcome) || strings.HasPrefix(views.FieldError(l.Error), "This cannot be used") || spoilt(l.Text) {
				t.Fatalf("line %+v", l)
			}
			if l.Outcome == "customer" || l.Outcome == "mailbox" {
				taken++
			}
		}
		seen := map[string]bool{}
		for _, e := range entries {
			who := fmt.Sprint(e.CustomerID, strings.ToLower(e.Mailbox))
			if seen[who] || e.Note == "" || e.List != gate.OnBlockList || (e.CustomerID == 0) == (e.Mailbox == "") || e.CustomerID < 0 || e.Mailbox != "" && !oneMailbox(e.Mailbox) {
				t.Fatalf("%+v", e)
			}
			seen[who] = true
		}
		if taken != len(entries) {
			t.Fatalf("%d entries of %d lines", len(entries), taken)
		}
	})
}

func FuzzParsePlace(f *testing.F) {
	f.Add("1773155552123.7.")
	f.Add("1773155552123.0." + strings.Repeat("ab", 32))
	f.Add("1..")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := parsePlace(text); err == nil && placeText(p) != text {
			t.Errorf("%q reads as %v", text, p)
		}
	})
}

// TestTeamDoor: the owner changes roles of others, and nobody the owner's or their own.
func TestTeamDoor(t *testing.T) {
	b := newBench(t)
	at := shopBase + "/team"
	b.want(200, b.as(ledger.Viewer, at, nil), "viewer@abc123.example", "You", "Only the owner of the shop can change roles.")
	b.lacks(b.as(ledger.Manager, at, nil), "<select")
	b.lacks(b.as(ledger.Owner, at, nil), "@other9.example")
	forms := b.forms(b.as(ledger.Owner, at, nil), "/team")
	if len(forms) != 3 {
		t.Fatalf("%d roles can be changed, want 3", len(forms))
	}
	role := func(user, role string) url.Values { return url.Values{"user": {user}, "role": {role}} }
	b.wantGo(b.as(ledger.Owner, at, role("4", "manager")), at+"?role=4")
	b.want(200, b.as(ledger.Viewer, shopBase+"/policy/rules", nil), "Add a rule") // who was a viewer
	b.want(403, b.as(ledger.Viewer, at, role("4", "owner")))
	b.want(422, b.as(ledger.Owner, at, role("4", "owner")), "Choose one of the choices.")
	b.want(422, b.as(ledger.Owner, at, role("4", "")))
	b.want(403, b.as(ledger.Owner, at, role("1", "viewer")))
	b.want(404, b.as(ledger.Owner, at, role("9", "viewer")))
	b.want(404, b.as(ledger.Owner, at, role("x", "viewer")))
	b.ok(b.s.Ledger.RemoveUser(b.Context(), shopHash, 3, b.clock()))
	b.want(404, b.as(ledger.Owner, at, role("3", "manager")))
	users, err := b.s.Ledger.Users(b.Context(), shopHash)
	b.ok(err)
	var got []string
	for _, u := range users {
		got = append(got, fmt.Sprint(u.ID, u.Role))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"1owner", "2manager", "4manager"}) {
		t.Errorf("users %v", got)
	}
	b.want(200, b.as(ledger.Owner, shopBase+"/activity", nil), "Role changed", "user 4", "owner@abc123.example")
}

// TestActivityDoor: every line is on one page, an export holds to the chain, and its head is the one that was shown.
func TestActivityDoor(t *testing.T) {
	b := newBench(t)
	at := shopBase + "/activity"
	for i := range 60 {
		b.ok(b.s.Ledger.RecordActivity(ledger.WithActor(b.Context(), "ada@abc123.example"), shopHash, ledger.ActOrderKept, fmt.Sprint(100+i), "Called & <b>fine</b>", b.clock()))
	}
	seen, next, pages := 0, at, 0
	for next != "" {
		page := b.as(ledger.Viewer, next, nil)
		b.want(200, page)
		seen += strings.Count(page.Body.String(), `data-label="Line"`)
		_, rest, ok := strings.Cut(page.Body.String(), `/activity?before=`)
		if next, pages = "", pages+1; ok {
			place, _, _ := strings.Cut(rest, `"`)
			next = at + "?before=" + place
		}
		b.lacks(page, "<b>fine")
	}
	first := b.as(ledger.Viewer, at, nil)
	b.want(200, first, "Order kept", shopBase+`/orders/159"`, "Called &amp; &lt;b&gt;fine&lt;/b&gt;", "The owner and managers of the shop can export")
	if seen < 61 || pages != (seen+pageLength-1)/pageLength {
		t.Errorf("%d lines on %d pages", seen, pages)
	}
	b.want(400, b.as(ledger.Viewer, at+"?before=x", nil))
	export := b.as(ledger.Manager, at+".jsonl", nil)
	b.want(200, export, `"action":"exported"`)
	if d := export.Header().Get("Content-Disposition"); !strings.Contains(d, "activity-abc123-2026-03-10.jsonl") {
		t.Errorf("as %q", d)
	}
	n, head, err := ledger.VerifyActivity(shopHash, export.Body)
	b.ok(err)
	if int(n) != seen+1 {
		t.Errorf("%d lines, want %d", n, seen+1)
	}
	b.want(200, b.as(ledger.Manager, at, nil), `value="`+head+`"`, "idgate audit verify -shop abc123 -head "+head)
	b.want(http.StatusForbidden, b.as(ledger.Reviewer, at+".jsonl", nil))
	for _, a := range []ledger.Action{ledger.ActInstalled, ledger.ActUninstalled, ledger.ActPolicySaved, ledger.ActOrderReleased, ledger.ActOrderRefused, ledger.ActOrderKept, ledger.ActOrderUnkept,
		ledger.ActProofRevoked, ledger.ActSettingsSaved, ledger.ActTenantSaved, ledger.ActRoleChanged, ledger.ActUserRemoved, ledger.ActListed, ledger.ActUnlisted, ledger.ActCustomerErased,
		ledger.ActReplayed, ledger.ActExported, ledger.ActCheckRequested} {
		if !slices.Contains(views.ActionCodes(), string(a)) {
			t.Errorf("action %s has no words", a)
		}
	}
}
