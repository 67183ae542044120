package mail_test

import (
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"idgate/app/mail"
	"idgate/app/sim/mailbox"
)

// What is sent is what somebody reads who shares no code with us.
func TestMailArrives(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(mailbox.Options{Now: func() time.Time { return noon }})
	served := make(chan error, 1)
	go func() { served <- box.Serve(l) }()
	server, err := mail.ParseServer("smtp://" + l.Addr().String() + "?from=no-reply@example.com&tls=none")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSender(server)
	if err != nil {
		t.Fatal(err)
	}
	base := mail.Message{ID: "m1", To: "ann@shop.example", FromName: "متجر زوي", ReplyTo: "help@zoe.example", Subject: "خطوة واحدة متبقية لطلبك رقم ١٠٠",
		Text: "مرحبا\n.\nhttps://app.example/v/abc?a=1&b=2\n", HTML: `<p dir="rtl">مرحبا <a href="https://app.example/v/abc?a=1&amp;b=2">هنا</a></p>`, Lang: "ar"}
	came := mailbox.Mail{Number: 1, ID: "m1@example.com", From: "no-reply@example.com", FromName: base.FromName, ReplyTo: base.ReplyTo, To: base.To,
		Subject: base.Subject, Lang: "ar", Text: base.Text, HTML: base.HTML, Links: []string{"https://app.example/v/abc?a=1&b=2"}, ReceivedAt: noon}

	type outcome struct{ sent, permanent, unknown, temporary bool }
	for i, c := range []struct {
		name   string
		before func()
		to     string
		want   outcome
		kept   int
	}{
		{"taken", func() {}, "ann@shop.example", outcome{sent: true}, 1},
		{"taken again", func() {}, "ann@shop.example", outcome{sent: true}, 2},
		{"refused", func() { box.Refuse("bob@shop.example", 550) }, "bob@shop.example", outcome{permanent: true}, 2},
		{"put off", func() { box.Refuse("bob@shop.example", 450) }, "bob@shop.example", outcome{temporary: true}, 2},
		{"taken without a word", func() { box.CutAfterData(1) }, "ann@shop.example", outcome{unknown: true}, 3},
		{"beyond ASCII", func() {}, "jörg@bücher.example", outcome{sent: true}, 4},
		{"not answered", func() { box.SetDown(true) }, "ann@shop.example", outcome{temporary: true}, 4},
	} {
		c.before()
		m := base
		m.To = c.to
		err := sender.Send(t.Context(), m, noon)
		got := outcome{sent: err == nil}
		if e := (*mail.Error)(nil); errors.As(err, &e) {
			got = outcome{permanent: e.Permanent, unknown: e.Unknown, temporary: e.Temporary()}
		}
		if got != c.want || len(box.Mails()) != c.kept {
			t.Errorf("%d, %s: %+v (%v), kept %d", i, c.name, got, err, len(box.Mails()))
		}
	}
	mails := box.Mails()
	if !reflect.DeepEqual(mails[0], came) {
		t.Errorf("got  %+v\nwant %+v", mails[0], came)
	}
	if mails[2].ID != mails[0].ID || mails[3].To != "jörg@xn--bcher-kva.example" {
		t.Errorf("%q, %q", mails[2].ID, mails[3].To)
	}

	large := base
	large.Text, large.HTML = strings.Repeat("é", 100_000), strings.Repeat("é", 100_000)
	box.SetDown(false)
	if err := sender.Send(t.Context(), large, noon); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if got := box.Mails()[4]; got.Text != large.Text || got.HTML != large.HTML {
		t.Error("a mail at the limit has changed")
	}
	if err := errors.Join(box.Close(), <-served); err != nil {
		t.Error(err)
	}
}

// TestReportOfTheOtherSide: what the simulated mail server writes of a mail that comes back is read as it was meant.
func TestReportOfTheOtherSide(t *testing.T) {
	b, err := mailbox.Mail{ID: "abc.118.link.00ff@example.com", From: "no-reply@example.com", To: "ann@shop.example"}.Report(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := mail.ReadReport(strings.NewReader(string(b)))
	if want := (mail.Report{ID: "abc.118.link.00ff", Failed: true, Reason: "550 5.1.1 <…>: there is no such mailbox"}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
