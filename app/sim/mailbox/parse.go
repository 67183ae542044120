package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Limits of what is read out of one mail.
const (
	maxDepth = 4  // of multiparts in multiparts
	maxParts = 32 // of one multipart
	maxLinks = 50
)

var (
	errDepth = errors.New("its parts are nested too deep")
	errParts = errors.New("it has too many parts")
)

// parse reads a mail as it came by SMTP.
func parse(raw []byte) (Mail, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, fmt.Errorf("reading its header: %w", err)
	}
	words := &mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}
	addresses := mail.AddressParser{WordDecoder: words}
	from, err := addresses.Parse(msg.Header.Get("From"))
	if err != nil {
		return Mail{}, fmt.Errorf("reading its sender: %w", err)
	}
	m := Mail{
		ID:       valid(strings.Trim(msg.Header.Get("Message-Id"), "<> ")),
		From:     from.Address,
		FromName: valid(from.Name),
		Lang:     valid(msg.Header.Get("Content-Language")),
	}
	if r := msg.Header.Get("Reply-To"); r != "" {
		replyTo, err := addresses.Parse(r)
		if err != nil {
			return Mail{}, fmt.Errorf("reading its reply address: %w", err)
		}
		m.ReplyTo = replyTo.Address
	}
	if m.Subject, err = words.DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return Mail{}, fmt.Errorf("reading its subject: %w", err)
	}
	m.Subject = valid(m.Subject)
	if err := m.read(msg.Header, msg.Body, 0); err != nil {
		return Mail{}, err
	}
	m.Links = links(m.HTML, m.Text)
	return m, nil
}

// header is a mail's or a part's.
type header interface{ Get(string) string }

// read takes the first text and the first HTML out of a body.
func (m *Mail) read(h header, body io.Reader, depth int) error {
	kind, params := "text/plain", map[string]string(nil)
	if t := h.Get("Content-Type"); t != "" {
		var err error
		if kind, params, err = mime.ParseMediaType(t); err != nil {
			return fmt.Errorf("reading a content type: %w", err)
		}
	}
	if strings.HasPrefix(kind, "multipart/") {
		return m.readParts(multipart.NewReader(body, params["boundary"]), depth)
	}
	var into *string
	switch {
	case kind == "text/plain" && m.Text == "":
		into = &m.Text
	case kind == "text/html" && m.HTML == "":
		into = &m.HTML
	default:
		return nil
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("reading a body: %w", err)
	}
	*into = valid(strings.ReplaceAll(string(b), "\r\n", "\n"))
	return nil
}

func (m *Mail) readParts(r *multipart.Reader, depth int) error {
	if depth == maxDepth {
		return errDepth
	}
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading its parts: %w", err)
		case n == maxParts:
			return errParts
		}
		if err := m.read(part.Header, part, depth+1); err != nil {
			return err
		}
	}
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// links lists the addresses that a reader of the mail may follow: those of the HTML, which says the same as the text.
func links(page, text string) []string {
	var found []string
	add := func(address string) {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(found) == maxLinks || slices.Contains(found, address) {
			return
		}
		found = append(found, address)
	}
	if page == "" {
		for word := range strings.FieldsSeq(text) {
			add(strings.Trim(word, `.,;:!?<>()[]{}"'`))
		}
		return found
	}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			if t := z.Token(); t.Data == "a" {
				for _, a := range t.Attr {
					if a.Key == "href" {
						add(strings.TrimSpace(a.Val))
					}
				}
			}
		}
	}
}
