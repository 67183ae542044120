// Package mail hands mails to the operator's SMTP server: one mail, one mailbox, one connection.
//
// Send returns nil when the server has taken the mail on, which is not yet its arrival. A server that refuses a mailbox
// at once says so here; one that finds out later sends a report to Server.From, which ReadReport reads.
//
// SMTP cannot promise "once". If the connection breaks between the end of the mail and the server's answer, the mail may
// have been taken, and Send says just that (Error.Unknown). In every other case an error means that it was not. A repeated
// mail has the Message-ID of the first, by which many mail systems show one of the two.
//
// Certificates are always checked. The one connection without TLS goes to this machine, carries no password, and is
// checked again by the address that was really dialled.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	maxAnswers = 1 << 20 // bytes of everything a server says in one conversation, TLS included
	// quitTime is how long a goodbye may take; by then all is decided.
	quitTime = 2 * time.Second
)

// Sender sends through one Server. It keeps nothing between mails and may be used by many goroutines.
type Sender struct {
	server Server                         // without user and password
	login  func() (user, password string) // in a function, which nothing prints; nil: nobody signs in
	roots  *x509.CertPool                 // nil: the system's
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewSender returns a Sender for a Server, or what is wrong with the Server.
func NewSender(server Server) (*Sender, error) {
	server, err := server.complete()
	if err != nil {
		return nil, err
	}
	s := &Sender{server: server, dial: new(net.Dialer).DialContext}
	if server.User != "" {
		s.login = func() (string, string) { return server.User, server.Password }
		s.server.User, s.server.Password = "", ""
	}
	return s, nil
}

// Send hands a mail to the server and waits for its word. Every error is an *Error. now becomes the mail's Date.
func (s *Sender) Send(ctx context.Context, m Message, now time.Time) error {
	l, err := m.render(s.server, now)
	if err != nil {
		return &Error{Op: Writing, Reason: err.Error(), Permanent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, s.server.Timeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", s.server.address())
	if err != nil {
		return explain(ctx, Connecting, err)
	}
	defer func() { _ = conn.Close() }()
	// The library knows deadlines but no context: closing the connection is what ends its waiting.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	client, e := s.open(ctx, conn)
	if e != nil {
		return e
	}
	if e := s.hand(ctx, client, l); e != nil {
		return e
	}
	return nil
}

// open brings the conversation to where mails are taken: greeted, under TLS, signed in.
func (s *Sender) open(ctx context.Context, conn net.Conn) (*smtp.Client, *Error) {
	conn = &bounded{Conn: conn, left: maxAnswers}
	config := &tls.Config{ServerName: s.server.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	switch s.server.TLS {
	case NoTLS:
		if there, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err != nil || !there.Addr().Unmap().IsLoopback() {
			return nil, explain(ctx, Connecting, errClear)
		}
	case ImplicitTLS:
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, explain(ctx, Securing, err)
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, s.server.Host)
	if err != nil {
		return nil, explain(ctx, Connecting, err)
	}
	if err := client.Hello(s.server.domain()); err != nil { // the library's own choice would tell this machine's name
		return nil, explain(ctx, Connecting, err)
	}
	if s.server.TLS == StartTLS {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return nil, explain(ctx, Securing, errNoTLS)
		}
		if err := client.StartTLS(config); err != nil {
			return nil, explain(ctx, Securing, err)
		}
	}
	if err := s.signIn(client); err != nil {
		return nil, explain(ctx, SigningIn, err)
	}
	return client, nil
}

var (
	errNoTLS  = errors.New("the server offers no STARTTLS; if it speaks TLS from the start, its setting begins with smtps://")
	errNoAuth = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN; leave user and password out, or use its port for submission")
	errNoUTF8 = errors.New("the mail server cannot send to an address with letters beyond ASCII (it lacks SMTPUTF8)")
)

func (s *Sender) signIn(client *smtp.Client) error {
	if s.login == nil {
		return nil
	}
	user, password := s.login()
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return client.Auth(smtp.PlainAuth("", user, password, s.server.Host, false))
	case slices.Contains(mechanisms, "LOGIN"):
		return client.Auth(smtp.LoginAuth(user, password, s.server.Host, false))
	}
	return errNoAuth
}

// hand gives one mail to the server.
func (s *Sender) hand(ctx context.Context, client *smtp.Client, l letter) *Error {
	if ok, _ := client.Extension("SMTPUTF8"); l.utf8 && !ok {
		return &Error{Op: NamingMailbox, Reason: errNoUTF8.Error(), Permanent: true}
	}
	client.SkipSMTPUTF8(!l.utf8) // asking for it without need loses mails at relays that lack it
	if err := client.Mail("<" + s.server.From + ">"); err != nil {
		return s.refused(ctx, client, NamingSender, err)
	}
	if err := client.Rcpt("<" + l.to + ">"); err != nil {
		return s.refused(ctx, client, NamingMailbox, err)
	}
	w, err := client.Data()
	if err != nil {
		return s.refused(ctx, client, HandingOver, err)
	}
	// The library's Close drops the error of writing the final dot, which is what tells "not sent" from "not known". So
	// its two halves are taken one by one.
	dots, ok := w.(*smtp.DataCloser)
	if !ok {
		return explain(ctx, HandingOver, errors.New("unexpected kind of writer"))
	}
	if _, err := dots.WriteCloser.Write(l.bytes); err != nil {
		return explain(ctx, HandingOver, err)
	}
	if err := dots.WriteCloser.Close(); err != nil {
		return explain(ctx, HandingOver, err)
	}
	if _, _, err := client.Text.ReadResponse(2); err != nil {
		e := s.refused(ctx, client, HandingOver, err)
		e.Unknown = e.Code/100 != 4 && e.Code/100 != 5
		return e
	}
	bid(client)
	return nil
}

// refused explains what became of a command. Where the server answered, it is left with a word.
func (s *Sender) refused(ctx context.Context, client *smtp.Client, op string, err error) *Error {
	e := explain(ctx, op, err)
	if e.Code != 0 {
		bid(client)
	}
	// 530 asks for a password (RFC 4954): nothing is wrong with the mail.
	e.Permanent = op != NamingSender && e.Code/100 == 5 && e.Code != 530
	return e
}

// bid says goodbye; whether it is heard changes nothing.
func bid(client *smtp.Client) {
	if client.UpdateDeadline(quitTime) == nil {
		_ = client.Quit()
	}
}

// bounded ends a conversation in which the other side says too much: the library reads lines of any length.
type bounded struct {
	net.Conn
	left int // bytes
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
