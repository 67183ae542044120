package mail

import (
	"bytes"
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Limits of a Message.
const (
	maxID      = 100     // bytes
	maxHeader  = 200     // characters of Subject and of FromName
	maxBody    = 200_000 // bytes of Text and of HTML
	maxMailbox = 254     // bytes of an address on the wire (RFC 5321, 4.5.3.1.3)
	maxLocal   = 64      // bytes before its @
)

// Message is one mail to one mailbox.
type Message struct {
	ID       string // names this mail, the same at every try: the left side of its Message-ID; letters, digits, _ and -, also parts of these joined by dots
	To       string // one bare address
	FromName string // whom the reader sees as the sender: the shop; may be empty
	ReplyTo  string // one bare address, or empty: answers go to the Server's From
	Subject  string
	Text     string // both bodies are required and say the same
	HTML     string
	Lang     string // BCP 47, of Subject and bodies
}

// What can be wrong with a Message. The texts name no person: they are logged.
var (
	errTo      = errors.New("the recipient's address is not one plain mailbox")
	errReplyTo = errors.New("the reply address is not one plain mailbox")
	errID      = errors.New("the mail's id is not 1 to 100 letters, digits, _ and -, joined by dots")
	errName    = errors.New("the sender's name is longer than 200 characters or holds control characters")
	errSubject = errors.New("the subject is empty, longer than 200 characters or holds control characters")
	errLang    = errors.New("the language is no BCP 47 tag")
	errBody    = errors.New("a body is empty, longer than 200 kB or not UTF-8")
)

var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	langForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$`)
)

// letter is a Message ready for the wire.
type letter struct {
	to    string // as RCPT names it
	utf8  bool   // an address in it is not ASCII: the server must know SMTPUTF8
	bytes []byte // header and body, lines end in CRLF
}

// render checks a Message and writes it out. Everything that can go wrong with the text goes wrong here, before anybody
// is dialled: half a mail is never handed over.
func (m Message) render(server Server, now time.Time) (letter, error) {
	to, err := mailbox(m.To)
	if err != nil {
		return letter{}, errTo
	}
	replyTo := ""
	if m.ReplyTo != "" {
		if replyTo, err = mailbox(m.ReplyTo); err != nil {
			return letter{}, errReplyTo
		}
	}
	name, okName := headerText(m.FromName)
	subject, okSubject := headerText(m.Subject)
	switch {
	case len(m.ID) > maxID || !idForm.MatchString(m.ID):
		return letter{}, errID
	case !okName:
		return letter{}, errName
	case !okSubject || subject == "":
		return letter{}, errSubject
	case !langForm.MatchString(m.Lang):
		return letter{}, errLang
	case !isBody(m.Text) || !isBody(m.HTML):
		return letter{}, errBody
	}
	g := gomail.NewMsg(gomail.WithNoDefaultUserAgent()) // UTF-8, quoted-printable
	g.FromMailAddress(&mail.Address{Name: name, Address: server.From})
	g.ToMailAddress(&mail.Address{Address: to})
	if replyTo != "" {
		g.ReplyToMailAddress(&mail.Address{Address: replyTo})
	}
	g.Subject(subject)
	g.SetDateWithValue(now.UTC())
	g.SetMessageIDWithValue(m.ID + "@" + server.domain())
	g.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notes in answer
	g.SetGenHeader(gomail.HeaderContentLang, m.Lang)
	g.SetBodyString(gomail.TypeTextPlain, m.Text)
	g.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var b bytes.Buffer
	if _, err := g.WriteTo(&b); err != nil {
		return letter{}, err
	}
	return letter{to: to, utf8: !isASCII(to + replyTo), bytes: b.Bytes()}, nil
}

// domains maps a domain to its ASCII form and refuses what is no host name, address literals included.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

var errMailbox = errors.New("not one plain mailbox")

// mailbox returns an address as it goes over the wire: its domain in ASCII. It takes the bare form local@domain only: no
// display name, no comment, no quoted local part, no address literal, no domain without a dot.
func mailbox(s string) (string, error) {
	if len(s) > maxMailbox {
		return "", errMailbox
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || strings.ContainsFunc(s, isUnprintable) {
		return "", errMailbox
	}
	at := strings.LastIndexByte(s, '@')
	domain, err := domains.ToASCII(s[at+1:])
	if err != nil || at > maxLocal || !strings.Contains(domain, ".") || at+1+len(domain) > maxMailbox {
		return "", errMailbox
	}
	return s[:at+1] + domain, nil
}

// headerText makes one line fit for a header. White space is made single spaces, because the library folds lines at
// every one and a run of them could fold to an empty line, which would end the header. "=?" is taken apart, because the
// library leaves ASCII as it is and a reader would decode an encoded word in it.
func headerText(s string) (string, bool) {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxHeader || strings.ContainsFunc(s, unicode.IsControl) {
		return "", false
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "=?", "= ?")), " "), true
}

func isBody(s string) bool {
	return len(s) <= maxBody && utf8.ValidString(s) && strings.TrimSpace(s) != ""
}

func isUnprintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
