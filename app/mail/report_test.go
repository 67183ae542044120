package mail

import (
	"errors"
	"strings"
	"testing"
)

// report is a delivery status notification as mail servers write them, with its parts changed.
func report(kind, status, original string) string {
	return strings.ReplaceAll(`Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: no-reply@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="b1"

This is a MIME-encapsulated message.

--b1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: `+kind+`

`+status+`

--b1
`+original+`
--b1--
`, "\n", "\r\n")
}

const (
	aboutAll   = "Reporting-MTA: dns; mx.example.net\nArrival-Date: Sun, 1 Mar 2026 12:00:00 +0000\n\n"
	givenUp    = aboutAll + "Final-Recipient: rfc822; ann@shop.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <ann@shop.example>: Recipient\n    address rejected: User unknown"
	justHeader = "Content-Type: text/rfc822-headers\n\nFrom: no-reply@example.com\nMessage-ID: <abc.118.link__1.00ff@example.com>\nTo: ann@shop.example\n"
	wholeMail  = "Content-Type: message/rfc822\n\nMessage-Id: <abc.118.link__1.00ff@example.com>\nTo: ann@shop.example\nSubject: One step left\n\nHello\n\nMessage-ID: <x@y>\n"
)

func TestReadReport(t *testing.T) {
	const kind, id, why = "message/delivery-status", "abc.118.link__1.00ff", "550 5.1.1 <…>: Recipient address rejected: User unknown"
	for _, c := range []struct {
		name, text string
		want       Report
	}{
		{"its header returned", report(kind, givenUp, justHeader), Report{id, true, why}},
		{"the whole mail returned", report(kind, givenUp, wholeMail), Report{id, true, why}},
		{"a mail beyond ASCII", report("message/global-delivery-status", givenUp, strings.Replace(wholeMail, "rfc822", "global", 1)), Report{id, true, why}},
		{"with Unix line ends", strings.ReplaceAll(report(kind, givenUp, justHeader), "\r", ""), Report{id, true, why}},
		{"piped", "From MAILER-DAEMON  Sun Mar  1 12:00:00 2026\n" + strings.ReplaceAll(report(kind, givenUp, justHeader), "\r", ""), Report{id, true, why}},
		{"cut off in the returned mail", strings.SplitAfter(report(kind, givenUp, wholeMail), "One step")[0], Report{id, true, why}},
		{"base64", report(kind+"\nContent-Transfer-Encoding: base64", "UmVwb3J0aW5nLU1UQTogZG5zOyBhCgpBY3Rpb246IEZhaWxlZApTdGF0dXM6IDUuMi4yCg==", justHeader), Report{id, true, "5.2.2"}},
		{"quoted-printable", report(kind+"\nContent-Transfer-Encoding: quoted-printable", "Reporting-MTA: dns; a\n\nAction: fail=65d\nStatus: 5.2.2", justHeader), Report{id, true, "5.2.2"}},
		{"late", report(kind, strings.Replace(givenUp, "failed", "delayed", 1), justHeader), Report{id, false, why}},
		{"arrived", report(kind, strings.Replace(givenUp, "failed", "delivered", 1), justHeader), Report{id, false, why}},
		{"no reason", report(kind, aboutAll+"Action: failed", justHeader), Report{id, true, ""}},
		{"a long reason", report(kind, aboutAll+"Action: failed\nDiagnostic-Code: smtp; "+strings.Repeat("é", 300), justHeader), Report{id, true, strings.Repeat("é", 199) + "…"}},
		{"a reason of the server's own", report(kind, aboutAll+"Action: failed\nDiagnostic-Code: X-Local; mailbox of ann@shop.example\u200b is full", justHeader), Report{id, true, "mailbox of … is full"}},
		{"a reason with control characters", report(kind, aboutAll+"Action: failed\nStatus: 5.2.2\nDiagnostic-Code: X-Local; \x1b[31mfull", justHeader), Report{id, true, "5.2.2"}},
	} {
		got, err := ReadReport(strings.NewReader(c.text))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
	for name, text := range map[string]string{
		"nothing":                  "",
		"nothing but a From line":  "From MAILER-DAEMON",
		"an answer of a person":    "From: ann@shop.example\r\nContent-Type: text/plain\r\n\r\nWho are you?\r\n",
		"a receipt":                strings.Replace(report(kind, givenUp, justHeader), "report-type=delivery-status", "report-type=disposition-notification", 1),
		"no boundary":              strings.Replace(report(kind, givenUp, justHeader), "boundary", "border", 1),
		"no status":                report("text/plain", givenUp, justHeader),
		"no action":                report(kind, aboutAll+"Status: 5.1.1", justHeader),
		"no mail returned":         report(kind, givenUp, "Content-Type: text/plain\n\nMessage-ID: <abc.118.link.00ff@example.com>\n"),
		"no Message-ID":            report(kind, givenUp, "Content-Type: text/rfc822-headers\n\nSubject: One step left\n"),
		"a Message-ID not ours":    report(kind, givenUp, strings.Replace(justHeader, "link__1", "link 1", 1)),
		"its status after a flood": report(kind, strings.Repeat("X: y\n", 20_000)+"\n"+givenUp, justHeader),
	} {
		if got, err := ReadReport(strings.NewReader(text)); !errors.Is(err, ErrNoReport) || got != (Report{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	for _, text := range []string{"", report("message/delivery-status", givenUp, justHeader), report("message/delivery-status", givenUp, wholeMail),
		report("message/delivery-status\nContent-Transfer-Encoding: base64", "QWN0aW9uOiBmYWlsZWQK", justHeader)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadReport(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrNoReport) || got != (Report{}) {
				t.Errorf("%+v, %v", got, err)
			}
			return
		}
		if !idForm.MatchString(got.ID) || len(got.ID) > maxID || strings.Contains(got.Reason, "@") || len([]rune(got.Reason)) > maxReason || tidy(got.Reason) != got.Reason {
			t.Errorf("%+v", got)
		}
	})
}
