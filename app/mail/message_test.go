package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
)

func testServer(t testing.TB) Server {
	t.Helper()
	s, err := Server{Host: "mail.example.com", From: "no-reply@example.com"}.complete()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testMessage() Message {
	return Message{ID: "m1.verify", To: "ann@shop.example", FromName: "Café Zoë", ReplyTo: "help@zoe.example", Subject: "Vérifiez votre identité",
		Text: "Bonjour\nhttps://app.example/v/abc\n", HTML: `<p>Bonjour <a href="https://app.example/v/abc">ici</a></p>`, Lang: "fr"}
}

func TestMailbox(t *testing.T) {
	long := strings.Repeat("x", maxLocal)
	for _, c := range []struct{ in, want string }{
		{"ann@example.com", "ann@example.com"},
		{"Ann.O'Neil+shop@Mail.Example.COM", "Ann.O'Neil+shop@mail.example.com"},
		{"jörg@bücher.example", "jörg@xn--bcher-kva.example"},
		{long + "@example.com", long + "@example.com"},
		{"a@1.example", "a@1.example"},

		{"", ""}, {"ann", ""}, {"@example.com", ""}, {"ann@", ""}, {"ann@localhost", ""}, {"ann@example.com.", ""}, {"ann@.example.com", ""}, {"ann@a..b", ""},
		{".ann@example.com", ""}, {"an..n@example.com", ""}, {"ann@exa mple.com", ""}, {"ann @example.com", ""}, {" ann@example.com", ""}, {"ann@example.com ", ""},
		{"Ann <ann@example.com>", ""}, {"<ann@example.com>", ""}, {"ann@example.com (Ann)", ""}, {`"ann"@example.com`, ""}, {`"a b"@example.com`, ""},
		{"ann@example.com,bob@example.com", ""}, {"ann@example.com\r\nBcc: bob@example.com", ""}, {"ann@example.com\n", ""}, {"an\x00n@example.com", ""},
		{"ann@[127.0.0.1]", ""}, {"ann@exa_mple.com", ""}, {"ann@-a.example", ""}, {"ann@xn--a.example", ""}, {"ann\u2028@example.com", ""}, {"an\u200bn@example.com", ""},
		{"ann@ex\xffample.com", ""}, {"a=@b@example.com", ""}, {"ann@example.com>", ""}, {"=?utf-8?q?ann?=@example.com", "=?utf-8?q?ann?=@example.com"},
		{"x" + long + "@example.com", ""}, {"a@" + strings.Repeat("x", 64) + ".example", ""}, {"a@" + strings.Repeat("abcdefgh.", 28) + "example", ""},
		{"a@aא.example", ""}, {long + "@" + strings.Repeat("ü.", 24) + "example", ""},
	} {
		got, err := mailbox(c.in)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, errMailbox) {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Message)
		want   error
	}{
		{"as it is", func(*Message) {}, nil},
		{"without name and reply address", func(m *Message) { m.FromName, m.ReplyTo = "", "" }, nil},
		{"at every limit", func(m *Message) {
			m.ID, m.Subject, m.FromName = strings.Repeat("x", maxID), strings.Repeat("é", maxHeader), strings.Repeat("é", maxHeader)
			m.Text, m.HTML = strings.Repeat("x", maxBody), strings.Repeat("x", maxBody)
			m.Lang = "zh-Hant-TW-abcdefgh-x1"
		}, nil},
		{"two recipients", func(m *Message) { m.To = "a@b.example, c@d.example" }, errTo},
		{"a reply address with a name", func(m *Message) { m.ReplyTo = "Help <help@zoe.example>" }, errReplyTo},
		{"no id", func(m *Message) { m.ID = "" }, errID},
		{"an id with a line", func(m *Message) { m.ID = "a\r\nBcc: x" }, errID},
		{"an id with an end", func(m *Message) { m.ID = "a>b" }, errID},
		{"an id with two dots", func(m *Message) { m.ID = "a..b" }, errID},
		{"a long id", func(m *Message) { m.ID = strings.Repeat("x", maxID+1) }, errID},
		{"a name of two lines", func(m *Message) { m.FromName = "Zoë\r\nBcc: x@y.example" }, errName},
		{"a long name", func(m *Message) { m.FromName = strings.Repeat("é", maxHeader+1) }, errName},
		{"a name not in UTF-8", func(m *Message) { m.FromName = "\xff" }, errName},
		{"no subject", func(m *Message) { m.Subject = "" }, errSubject},
		{"an empty subject", func(m *Message) { m.Subject = " \u00a0" }, errSubject},
		{"a subject with a line feed", func(m *Message) { m.Subject = "a\nBcc: x@y.example" }, errSubject},
		{"a subject with a carriage return", func(m *Message) { m.Subject = "a\rb" }, errSubject},
		{"a long subject", func(m *Message) { m.Subject = strings.Repeat("x", maxHeader+1) }, errSubject},
		{"no language", func(m *Message) { m.Lang = "" }, errLang},
		{"a language with a line", func(m *Message) { m.Lang = "en\r\nX: y" }, errLang},
		{"no text", func(m *Message) { m.Text = " \n" }, errBody},
		{"no HTML", func(m *Message) { m.HTML = "" }, errBody},
		{"a long text", func(m *Message) { m.Text = strings.Repeat("x", maxBody+1) }, errBody},
		{"HTML not in UTF-8", func(m *Message) { m.HTML = "<p>\xff" }, errBody},
	} {
		m := testMessage()
		c.change(&m)
		if _, err := m.render(testServer(t), noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// headers is every header of a Message, as it must read in the test Message.
var headers = map[string]string{
	"Auto-Submitted":   "auto-generated",
	"Content-Language": "fr",
	"Date":             "Sun, 01 Mar 2026 12:00:00 +0000",
	"From":             "Café Zoë <no-reply@example.com>",
	"Message-Id":       "<m1.verify@example.com>",
	"Mime-Version":     "1.0",
	"Reply-To":         "<help@zoe.example>",
	"Subject":          "Vérifiez votre identité",
	"To":               "<ann@shop.example>",
}

func TestHeaders(t *testing.T) {
	l, err := testMessage().render(testServer(t), noon)
	if err != nil {
		t.Fatal(err)
	}
	if l.to != "ann@shop.example" || l.utf8 {
		t.Errorf("to %s, utf8 %v", l.to, l.utf8)
	}
	msg, text, page := read(t, l.bytes)
	for name, want := range headers {
		if got := decoded(t, msg, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := len(msg.Header); got != len(headers)+1 { // and Content-Type, which read has used
		t.Errorf("%d headers: %v", got, msg.Header)
	}
	if want := testMessage(); text != strings.ReplaceAll(want.Text, "\n", "\r\n") || page != want.HTML {
		t.Errorf("text %q, HTML %q", text, page)
	}
}

// read takes a letter apart with the standard library and checks its shape.
func read(t *testing.T, raw []byte) (msg *mail.Message, text, page string) {
	t.Helper()
	rest := bytes.ReplaceAll(raw, []byte("\r\n"), nil)
	if bytes.ContainsAny(rest, "\r\n") {
		t.Errorf("a bare CR or LF in %q", raw)
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			t.Errorf("a blank line in the header: %q", head)
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	bodies := []string{}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || part.Header.Get("Content-Type") != want || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" || len(part.Header) != 2 {
			t.Fatalf("%v, %v", part.Header, err)
		}
		bodies = append(bodies, string(b))
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
	return msg, bodies[0], bodies[1]
}

// decoded is the one value of a header, as a reader sees it.
func decoded(t *testing.T, msg *mail.Message, name string) string {
	t.Helper()
	values := msg.Header[name]
	if len(values) != 1 {
		t.Fatalf("%s: %q", name, values)
	}
	s, err := new(mime.WordDecoder).DecodeHeader(values[0])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever stands in the fields, there is exactly the header we mean, each name once, and every text arrives as it was.
func FuzzMessage(f *testing.F) {
	m := testMessage()
	f.Add(m.ID, m.To, m.FromName, m.ReplyTo, m.Subject, m.Text, m.HTML, m.Lang)
	f.Add("a", "a@b.example", `"Zoë" <x@y.example>`, "", "a\r\nBcc: x@y.example", ".\r\n..\r\n\r\n.\r\n", "<p>\r", "de-CH")
	f.Add("a", "jörg@b.example", "=?utf-8?q?x=0D=0ABcc?=", "jörg@b.example", "=?utf-8?q?x?= =?", "From x\n--b", "\n<\n", "en")
	f.Add("a", "a@b.example", "a, b; c", "", strings.Repeat(" ", 90)+strings.Repeat("x", 90)+"  \u00a0"+strings.Repeat("y", 10), "x\r\n \t\n=", "é", "en")
	server := testServer(f)
	f.Fuzz(func(t *testing.T, id, to, name, replyTo, subject, text, page, lang string) {
		m := Message{ID: id, To: to, FromName: name, ReplyTo: replyTo, Subject: subject, Text: text, HTML: page, Lang: lang}
		l, err := m.render(server, noon)
		if err != nil {
			if !slices.Contains([]error{errTo, errReplyTo, errID, errName, errSubject, errLang, errBody}, err) || l.bytes != nil {
				t.Errorf("%+v: %v", m, err)
			}
			return
		}
		msg, gotText, gotPage := read(t, l.bytes)
		want := map[string]string{"Message-Id": "<" + id + "@example.com>", "Content-Language": lang, "Subject": spaced(subject)}
		for name := range headers {
			if name == "Reply-To" && replyTo == "" {
				if msg.Header[name] != nil {
					t.Errorf("%s: %q", name, msg.Header[name])
				}
				continue
			}
			got := decoded(t, msg, name)
			if w, ok := want[name]; ok && got != w {
				t.Errorf("%s: %q, want %q", name, got, w)
			}
		}
		if n := len(msg.Header); n != len(headers)+1 && (replyTo != "" || n != len(headers)) {
			t.Errorf("headers %v", msg.Header)
		}
		checkAddress(t, msg, "From", mail.Address{Name: spaced(name), Address: "no-reply@example.com"})
		checkAddress(t, msg, "To", mail.Address{Address: l.to})
		if replyTo != "" {
			checkAddress(t, msg, "Reply-To", mail.Address{Address: must(mailbox(replyTo))})
		}
		if gotText != lines(text) || gotPage != lines(page) {
			t.Errorf("text %q became %q, HTML %q became %q", text, gotText, page, gotPage)
		}
	})
}

func checkAddress(t *testing.T, msg *mail.Message, name string, want mail.Address) {
	t.Helper()
	got, err := msg.Header.AddressList(name)
	if err != nil || len(got) != 1 || *got[0] != want {
		t.Errorf("%s: %v, %v; want %v", name, got, err, want)
	}
}

// spaced is what headerText promises.
func spaced(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "=?", "= ?")), " ")
}

// lines writes every end of line as CRLF.
func lines(s string) string {
	return strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n", "\r\n")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
