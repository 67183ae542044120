// Package mailbox is a mail server and everybody's mailbox: for the demo, and as the other side of tests.
//
// A Box takes mails by SMTP and keeps the newest 500 in memory, each as often as it came. It can be told to refuse a
// mailbox, to take mails without saying so, and to be down. Handler shows what came as plain pages.
//
// A mail that it cannot read is refused with 554, so that a sender's mistake is seen at once.
//
// Its lies: it speaks no TLS and asks for no password; it takes one mailbox a mail; every mailbox of every domain is
// here, and what comes back does so when it is told to; other character sets than UTF-8 are read as UTF-8; attachments are dropped.
package mailbox

import (
	"cmp"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxMails = 500
	maxBytes = 2 << 20 // of one mail as it comes
	idle     = time.Minute
)

// Options are what a Box takes from its surroundings.
type Options struct {
	Now func() time.Time // nil: time.Now; stamps mails
	// Bounces is where reports of mails that come back are posted; empty: nowhere, and none does. HTTP posts them; nil: http.DefaultClient.
	Bounces string
	HTTP    *http.Client
}

// Mail is one mail as it came.
type Mail struct {
	Number     int    // counts all mails that came, from 1
	ID         string // Message-ID, without its angle brackets
	From       string // address
	FromName   string
	ReplyTo    string // address, or empty
	To         string // the address it was delivered to, as the sender named it
	Subject    string
	Lang       string
	Text, HTML string   // empty when the mail has no such part
	Links      []string // http and https addresses in it, in order, each once: of the HTML, else of the text
	ReceivedAt time.Time
	Bounced    bool // it came back
}

// Box is the server and its mails.
type Box struct {
	now     func() time.Time
	bounces string
	http    *http.Client
	server  *smtp.Server

	mu        sync.Mutex
	mails     []Mail // oldest first, at most maxMails
	came      int    // mails so far
	refusals  map[string]int
	cuts      int
	down      bool
	closed    bool
	listeners []net.Listener
}

// New returns a Box that serves nothing yet.
func New(o Options) *Box {
	b := &Box{now: o.Now, bounces: o.Bounces, http: cmp.Or(o.HTTP, http.DefaultClient), refusals: map[string]int{}}
	if b.now == nil {
		b.now = time.Now
	}
	b.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{box: b, conn: c.Conn()}, nil
	}))
	b.server.Domain = "mailbox.localhost"
	b.server.MaxRecipients = 1
	b.server.MaxMessageBytes = maxBytes
	b.server.EnableSMTPUTF8 = true
	b.server.ReadTimeout, b.server.WriteTimeout = idle, idle
	b.server.ErrorLog = log.New(io.Discard, "", 0)
	return b
}

// Serve takes mails from a listener until Close, then returns nil. It may run for several listeners.
func (b *Box) Serve(l net.Listener) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return l.Close()
	}
	b.listeners = append(b.listeners, l)
	b.mu.Unlock()
	return b.server.Serve(door{l, b})
}

// Close ends every Serve and every conversation. The mails stay.
func (b *Box) Close() error {
	b.mu.Lock()
	b.closed = true
	listeners := b.listeners
	b.listeners = nil
	b.mu.Unlock()
	err := b.server.Close() // first: it is how Serve knows that the end of its listener was meant
	for _, l := range listeners {
		_ = l.Close() // again, for one whose Serve had not yet reached the server
	}
	if err == smtp.ErrServerClosed {
		return nil
	}
	return err
}

// Mails returns what came, oldest first.
func (b *Box) Mails() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}

// Refuse answers every mail to an address with this SMTP code, 400 to 599; 0 takes its mails again.
func (b *Box) Refuse(address string, code int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if code == 0 {
		delete(b.refusals, strings.ToLower(address))
		return
	}
	b.refusals[strings.ToLower(address)] = code
}

// CutAfterData takes the next n mails and breaks the connection instead of saying so.
func (b *Box) CutAfterData(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cuts = n
}

// SetDown makes the server hang up on everyone who calls, or answer again.
func (b *Box) SetDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

// keep stores a mail and says whether the connection is to be cut now.
func (b *Box) keep(m Mail) (cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came++
	m.Number, m.ReceivedAt = b.came, b.now()
	if len(b.mails) == maxMails {
		b.mails = slices.Delete(b.mails, 0, 1)
	}
	b.mails = append(b.mails, m)
	if b.cuts == 0 {
		return false
	}
	b.cuts--
	return true
}

// door is a listener that hangs up on its callers while the Box is down.
type door struct {
	net.Listener
	box *Box
}

func (d door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.box.mu.Lock()
		down := d.box.down
		d.box.mu.Unlock()
		if !down {
			return c, nil
		}
		_ = c.Close()
	}
}

// session is one conversation.
type session struct {
	box  *Box
	conn net.Conn
	to   string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.box.mu.Lock()
	code := s.box.refusals[strings.ToLower(to)]
	s.box.mu.Unlock()
	if code != 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "<" + to + ">: mailbox refused"}
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r) // the server bounds it
	if err != nil {
		return err
	}
	m, err := parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "cannot be read: " + err.Error()}
	}
	m.To = s.to
	if s.box.keep(m) {
		_ = s.conn.Close()
	}
	return nil
}

func (s *session) Reset() { s.to = "" }

func (s *session) Logout() error { return nil }
