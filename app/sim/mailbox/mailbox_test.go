package mailbox

import (
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// start serves a Box on a loopback port until the test ends.
func start(t *testing.T) (*Box, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := New(Options{Now: func() time.Time { return noon }})
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return b, l.Addr().String()
}

// send sends as any mail program would.
func send(address, to, raw string) error {
	return smtp.SendMail(address, nil, "shop@example.com", []string{to}, []byte(strings.ReplaceAll(raw, "\n", "\r\n")))
}

// code is the server's answer in an error, 0 if it gave none.
func code(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

const both = `Message-ID: <m1.verify@example.com>
From: =?utf-8?q?Caf=C3=A9_Zo=C3=AB?= <no-reply@example.com>
Reply-To: help@zoe.example
To: ann@example.com
Subject: =?utf-8?q?V=C3=A9rifiez_votre?= =?utf-8?b?IMOidGU=?=
Content-Language: fr
Mime-Version: 1.0
Content-Type: multipart/alternative; boundary=b1

--b1
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

Bonjour Ann=C3=A9,
http://app.localhost/v/text
--b1
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<p>Bonjour</p><a href=3D"http://app.localhost/v/abc?a=3D1&amp;b=3D2">ici</a>=
<a href=3D"javascript:x()">non</a><a href=3D" https://shop.example/ ">shop</a><a href=3D"https://shop.example/">again</a>
--b1--
`

func TestMailsAsTheyCame(t *testing.T) {
	plain := func(more, body string) string {
		return "From: a@example.com\nSubject: s\n" + more + "\n" + body
	}
	for _, c := range []struct {
		name, raw string
		want      Mail
	}{
		{"text and HTML", both, Mail{
			ID: "m1.verify@example.com", From: "no-reply@example.com", FromName: "Café Zoë", ReplyTo: "help@zoe.example",
			Subject: "Vérifiez votre âte", Lang: "fr", Text: "Bonjour Anné,\nhttp://app.localhost/v/text",
			HTML: `<p>Bonjour</p><a href="http://app.localhost/v/abc?a=1&amp;b=2">ici</a>` +
				`<a href="javascript:x()">non</a><a href=" https://shop.example/ ">shop</a><a href="https://shop.example/">again</a>`,
			Links: []string{"http://app.localhost/v/abc?a=1&b=2", "https://shop.example/"}}},
		{"bare", plain("", "hello\n"), Mail{From: "a@example.com", Subject: "s", Text: "hello\n"}},
		{"links of a text", plain("", "see (https://a.example/x), http://b.example. or ftp://c.example or https: //\n"), Mail{From: "a@example.com", Subject: "s",
			Text: "see (https://a.example/x), http://b.example. or ftp://c.example or https: //\n", Links: []string{"https://a.example/x", "http://b.example"}}},
		{"base64", plain("Content-Type: text/html\nContent-Transfer-Encoding: BASE64\n", "PGI+w6k8\nL2I+\n"), Mail{From: "a@example.com", Subject: "s", HTML: "<b>é</b>"}},
		{"twice the same kind", plain("Content-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: text/html\n\n1\n--b\nContent-Type: text/html\n\n2\n--b--\n"),
			Mail{From: "a@example.com", Subject: "s", HTML: "1"}},
		{"not UTF-8", plain("Content-Type: text/plain; charset=latin1\n", "caf\xe9\n"), Mail{From: "a@example.com", Subject: "s", Text: "caf\uFFFD\n"}},
		{"nested, with an attachment", plain("Content-Type: multipart/mixed; boundary=o\n", "--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\none\n--i\n\ntwo\n--i--\n--o\nContent-Type: image/png\n\nxx\n--o--\n"),
			Mail{From: "a@example.com", Subject: "s", Text: "one"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, address := start(t)
			if err := send(address, "Ann@Example.com", c.raw); err != nil {
				t.Fatal(err)
			}
			c.want.Number, c.want.To, c.want.ReceivedAt = 1, "Ann@Example.com", noon
			if got := b.Mails(); len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("got  %#v\nwant %#v", got, c.want)
			}
		})
	}
}

func TestUnreadableMailsAreRefused(t *testing.T) {
	deep := "From: a@example.com\nContent-Type: multipart/mixed; boundary=b0\n\n"
	for i := range maxDepth + 1 {
		deep += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	for _, c := range []struct {
		name, raw string
		code      int
		says      string
	}{
		{"no header", "hello\n", 554, "header"},
		{"no sender", "Subject: s\n\nx\n", 554, "sender"},
		{"bad reply address", "From: a@example.com\nReply-To: x y\n\nx\n", 554, "reply address"},
		{"bad content type", "From: a@example.com\nContent-Type: ;\n\nx\n", 554, "content type"},
		{"bad base64", "From: a@example.com\nContent-Transfer-Encoding: base64\n\n!!\n", 554, "a body"},
		{"parts that do not end", "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n", 554, "a body"},
		{"parts that do not begin", "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\nx\n", 554, "its parts"},
		{"too deep", deep, 554, "too deep"},
		{"too many parts", "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", maxParts+1) + "--b--\n", 554, "too many"},
		{"too large", "From: a@example.com\n\n" + strings.Repeat("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", maxBytes/32), 552, "size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, address := start(t)
			err := send(address, "ann@example.com", c.raw)
			if code(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("answered %v, want %d … %s", err, c.code, c.says)
			}
			if got := b.Mails(); len(got) != 0 {
				t.Errorf("kept %v", got)
			}
		})
	}
}

func TestLinksAreBounded(t *testing.T) {
	text := ""
	for i := range maxLinks + 1 {
		text += fmt.Sprintf("https://a.example/%d ", i)
	}
	if got := links("", text); len(got) != maxLinks || got[maxLinks-1] != fmt.Sprintf("https://a.example/%d", maxLinks-1) {
		t.Errorf("%d links", len(got))
	}
}

func TestOneMailboxAMail(t *testing.T) {
	b, address := start(t)
	err := smtp.SendMail(address, nil, "a@example.com", []string{"x@example.com", "y@example.com"}, []byte(both))
	if code(err) != 452 || len(b.Mails()) != 0 {
		t.Errorf("answered %v, kept %d", err, len(b.Mails()))
	}
}

func TestRefuse(t *testing.T) {
	b, address := start(t)
	b.Refuse("Ann@example.com", 550)
	b.Refuse("bob@example.com", 450)
	for _, c := range []struct {
		to   string
		code int
		kept int
	}{{"ann@Example.com", 550, 0}, {"bob@example.com", 450, 0}, {"cy@example.com", 0, 1}} {
		err := send(address, c.to, both)
		if code(err) != c.code || (err == nil) != (c.code == 0) || len(b.Mails()) != c.kept {
			t.Errorf("%s: answered %v, kept %d", c.to, err, len(b.Mails()))
		}
	}
	b.Refuse("ANN@example.com", 0)
	if err := send(address, "ann@example.com", both); err != nil || len(b.Mails()) != 2 {
		t.Errorf("taken again: %v, kept %d", err, len(b.Mails()))
	}
}

func TestCutAfterData(t *testing.T) {
	b, address := start(t)
	b.CutAfterData(2)
	for i, cut := range []bool{true, true, false} {
		err := send(address, "ann@example.com", both)
		if (err != nil) != cut || code(err) != 0 {
			t.Errorf("mail %d: %v, want cut %v", i+1, err, cut)
		}
		if got := b.Mails(); len(got) != i+1 || got[i].Number != i+1 || got[i].ID != "m1.verify@example.com" {
			t.Errorf("after mail %d: kept %v", i+1, got)
		}
	}
}

func TestDown(t *testing.T) {
	b, address := start(t)
	b.SetDown(true)
	if err := send(address, "ann@example.com", both); err == nil || code(err) != 0 {
		t.Errorf("down: %v", err)
	}
	b.SetDown(false)
	if err := send(address, "ann@example.com", both); err != nil || len(b.Mails()) != 1 {
		t.Errorf("up again: %v, kept %d", err, len(b.Mails()))
	}
}

func TestNewestAreKept(t *testing.T) {
	b := New(Options{})
	for i := range maxMails + 3 {
		if b.keep(Mail{Subject: fmt.Sprint(i + 1)}) {
			t.Fatal("cut")
		}
	}
	got := b.Mails()
	if len(got) != maxMails || got[0].Number != 4 || got[0].Subject != "4" || got[maxMails-1].Number != maxMails+3 {
		t.Errorf("kept %d, from %d %s to %d", len(got), got[0].Number, got[0].Subject, got[len(got)-1].Number)
	}
	if age := time.Since(got[0].ReceivedAt); age < 0 || age > time.Hour {
		t.Errorf("stamped %s", got[0].ReceivedAt)
	}
}

func TestClose(t *testing.T) {
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	b := New(Options{})
	one, two, late := listen(), listen(), listen()
	served := make(chan error, 2)
	go func() { served <- b.Serve(one) }()
	go func() { served <- b.Serve(two) }()
	for _, l := range []net.Listener{one, two} {
		if err := send(l.Addr().String(), "ann@example.com", both); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	for range 2 {
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	}
	if err := b.Serve(late); err != nil {
		t.Errorf("serving when closed: %v", err)
	}
	for _, l := range []net.Listener{one, two, late} {
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_ = c.Close()
			t.Error("somebody still listens")
		}
	}
	if len(b.Mails()) != 2 {
		t.Errorf("%d mails left", len(b.Mails()))
	}
}
