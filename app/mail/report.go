package mail

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
)

// Limits of what is read of a report.
const (
	maxReport      = 1 << 20 // bytes; more than this is left unread
	maxReportParts = 10
	maxReportPart  = 64 << 10 // bytes of a part; the returned mail's body is not read

	fromLine = "From " // begins a mail in a mbox
)

// ErrNoReport is what is no delivery report, or one that names no mail.
var ErrNoReport = errors.New("this is no delivery report (RFC 3464) that names the mail it is about")

// Report is what a mail server says of a mail that it had taken on: a delivery status notification (RFC 3464).
type Report struct {
	ID string // of the mail: Message.ID
	// Failed: it was given up. Otherwise it is late, or has arrived.
	Failed bool
	// Reason says why, in the server's words: one line, at most 200 characters, without mail addresses.
	Reason string
}

// ReadReport reads a mail that came to Server.From, also with the "From " line that mail servers set before one that they pipe. Anybody may
// have written it: what it says is worth as much as its ID is hard to guess.
func ReadReport(r io.Reader) (Report, error) {
	b := bufio.NewReader(io.LimitReader(r, maxReport))
	if start, _ := b.Peek(len(fromLine)); string(start) == fromLine {
		if _, err := b.ReadString('\n'); err != nil {
			return Report{}, ErrNoReport
		}
	}
	m, err := mail.ReadMessage(b)
	if err != nil {
		return Report{}, ErrNoReport
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return Report{}, ErrNoReport
	}
	var out Report
	parts, told := multipart.NewReader(m.Body, params["boundary"]), false
	for range maxReportParts {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			if !told {
				out.Failed, out.Reason, told = outcome(uncoded(part))
			}
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			if header, _ := textproto.NewReader(bufio.NewReader(uncoded(part))).ReadMIMEHeader(); out.ID == "" { // a torn end spoils nothing
				out.ID, _, _ = strings.Cut(strings.Trim(header.Get("Message-Id"), "<> \t"), "@")
			}
		}
	}
	if !told || len(out.ID) > maxID || !idForm.MatchString(out.ID) {
		return Report{}, ErrNoReport
	}
	return out, nil
}

func uncoded(part *multipart.Part) io.Reader {
	var r io.Reader = part
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, part)
	case "quoted-printable":
		r = quotedprintable.NewReader(part)
	}
	return io.LimitReader(r, maxReportPart)
}

// outcome reads the fields of a report: some about the mail, then some about each mailbox; ours have one.
func outcome(r io.Reader) (failed bool, reason string, told bool) {
	fields := textproto.NewReader(bufio.NewReader(r))
	for range maxReportParts {
		f, err := fields.ReadMIMEHeader()
		if action := strings.ToLower(f.Get("Action")); action != "" {
			said := f.Get("Diagnostic-Code")
			if _, text, ok := strings.Cut(said, ";"); ok { // "smtp; 550 5.1.1 …"
				said = text
			}
			if strings.TrimSpace(said) == "" {
				said = f.Get("Status")
			}
			return action == "failed", tidy(addressForm.ReplaceAllString(said, "…")), true
		}
		if err != nil {
			break
		}
	}
	return false, "", false
}

// addressForm is whatever may be a mail address.
var addressForm = regexp.MustCompile(`[^\s<>()\[\]:;,"]*@[^\s<>()\[\]:;,"]*`)
