package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"time"
)

// Errors of Bounce.
var (
	ErrNoMail   = errors.New("there is no such mail, or no longer")
	ErrNoReader = errors.New("nobody reads what comes back: Options.Bounces names no address")
)

// Bounce makes a mail come back after all, as from a mail server that took it for another and found no mailbox there: a delivery status
// notification (RFC 3464) is posted to Options.Bounces, as the operator's mail server would pipe it.
func (b *Box) Bounce(ctx context.Context, number int) error {
	mails := b.Mails()
	i := slices.IndexFunc(mails, func(m Mail) bool { return m.Number == number })
	switch {
	case i < 0:
		return ErrNoMail
	case b.bounces == "":
		return ErrNoReader
	}
	report, err := mails[i].Report(b.now())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.bounces, bytes.NewReader(report))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "message/rfc822")
	resp, err := b.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(said))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.IndexFunc(b.mails, func(m Mail) bool { return m.Number == number }); i >= 0 {
		b.mails[i].Bounced = true
	}
	return nil
}

// Report is the delivery status notification that says a mail was given up.
func (m Mail) Report(now time.Time) ([]byte, error) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, p := range []struct{ kind, text string }{
		{"text/plain; charset=utf-8", "This is the mail system. Your mail could not be delivered, and was given up.\r\n"},
		{"message/delivery-status", "Reporting-MTA: dns; mailbox.localhost\r\nArrival-Date: " + m.ReceivedAt.UTC().Format(time.RFC1123Z) + "\r\n\r\n" +
			"Final-Recipient: rfc822; " + m.To + "\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <" + m.To + ">: there is no such mailbox\r\n"},
		{"text/rfc822-headers", "Message-ID: <" + m.ID + ">\r\nFrom: <" + m.From + ">\r\nTo: <" + m.To + ">\r\n"},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {p.kind}})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, p.text); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	head := "From: Mail Delivery System <mailer-daemon@mailbox.localhost>\r\nTo: <" + m.From + ">\r\nSubject: Undelivered mail returned to sender\r\n" +
		"Date: " + now.UTC().Format(time.RFC1123Z) + "\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=" + parts.Boundary() + "\r\n\r\n"
	return append([]byte(head), body.Bytes()...), nil
}
