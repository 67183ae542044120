package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// plain is a Server in the clear on this machine.
func plain(port int) Server {
	return Server{Host: "127.0.0.1", Port: port, TLS: NoTLS, From: "no-reply@example.com", Timeout: time.Minute}
}

func newSender(t *testing.T, server Server) *Sender {
	t.Helper()
	s, err := NewSender(server)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// result is everything that an Error says.
type result struct {
	op                        string
	code                      int
	reason                    string // a part of it
	permanent, unknown, retry bool
	text                      string // Error(), whole; not looked at when empty
	is                        error
	handed                    bool // the server has got the whole mail
}

func check(t *testing.T, err error, handed bool, want result) {
	t.Helper()
	if handed != want.handed {
		t.Errorf("handed over: %v", handed)
	}
	if want.op == "" {
		if err != nil {
			t.Errorf("%v", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	got := result{op: e.Op, code: e.Code, reason: want.reason, permanent: e.Permanent, unknown: e.Unknown, retry: e.Temporary(), text: want.text, is: want.is, handed: handed}
	if got != want || !strings.Contains(e.Reason, want.reason) || want.is != nil && !errors.Is(err, want.is) || want.text != "" && e.Error() != want.text {
		t.Errorf("got  %+v, %q: %v\nwant %+v", got, e.Reason, e, want)
	}
	if n := len([]rune(e.Reason)); n > 200 {
		t.Errorf("a reason of %d characters", n)
	}
	if strings.Contains(e.Error()+e.Reason, "ann@") {
		t.Errorf("the mailbox is named: %v, %s", e, e.Reason)
	}
	if leaks(fmt.Sprintf("%v %+v %s", e, e, e.Reason)) {
		t.Errorf("the text holds the password: %+v", e)
	}
}

func TestServersInTheClear(t *testing.T) {
	envelope := func(then func(*peer)) func(*peer) {
		return func(p *peer) { p.greet(); p.envelope(); then(p) }
	}
	answer := func(line string) func(*peer) { // to the whole mail
		return envelope(func(p *peer) { p.take(); p.say(line); p.gone() })
	}
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   result
	}{
		{"takes it", answer("250 queued"), result{handed: true}},
		{"takes it in two lines", answer("250-ok\r\n250 queued"), result{handed: true}},
		{"takes it in other words", answer("252 will try"), result{handed: true}},
		{"takes it and hangs up", envelope(func(p *peer) { p.take(); p.say("250 queued") }), result{handed: true}},
		{"takes it and is rude", envelope(func(p *peer) { p.take(); p.say("250 queued"); p.hear("QUIT"); p.say("500 what?") }), result{handed: true}},

		{"hangs up at once", func(*peer) {}, result{op: Connecting, reason: "hung up", retry: true, is: io.EOF, text: "mail: connecting: the server hung up"}},
		{"is busy", func(p *peer) { p.say("421 too busy"); p.gone() }, result{op: Connecting, code: 421, reason: "too busy", retry: true, text: "mail: connecting: 421: too busy"}},
		{"is none", func(p *peer) { p.say("554 no SMTP service here"); p.gone() }, result{op: Connecting, code: 554, reason: "no SMTP service here", retry: true}},
		{"speaks something else", func(p *peer) { p.say("HTTP/1.1 400 Bad Request"); p.gone() }, result{op: Connecting, reason: "does not speak SMTP", retry: true}},
		{"never ends its line", func(p *peer) {
			for err := error(nil); err == nil; {
				_, err = p.conn.Write(bytes.Repeat([]byte("x"), 1<<16))
			}
		}, result{op: Connecting, reason: "says too much", retry: true, is: errTooMuch}},
		{"never ends its answer", func(p *peer) {
			for err := error(nil); err == nil; {
				_, err = p.conn.Write(bytes.Repeat([]byte("220-x\r\n"), 1<<12))
			}
		}, result{op: Connecting, reason: "says too much", retry: true, is: errTooMuch}},
		{"knows neither EHLO nor HELO", func(p *peer) {
			p.say("220 ready")
			p.hear("EHLO")
			p.say("502 no")
			p.hear("HELO")
			p.say("502 no")
			p.gone()
		},
			result{op: Connecting, code: 502, retry: true}},
		{"knows HELO only", func(p *peer) {
			p.say("220 ready")
			p.hear("EHLO")
			p.say("502 no")
			p.hear("HELO example.com")
			p.say("250 hi")
			p.envelope()
			p.take()
			p.say("250 queued")
			p.gone()
		}, result{handed: true}},

		{"hangs up at the sender", func(p *peer) { p.greet(); p.hear("MAIL") }, result{op: NamingSender, reason: "hung up", retry: true}},
		{"does not know the sender", func(p *peer) { p.greet(); p.hear("MAIL"); p.say("550 5.7.1 not yours"); p.gone() },
			result{op: NamingSender, code: 550, reason: "5.7.1 not yours", retry: true, text: "mail: naming the sender: 550: 5.7.1 not yours"}},
		{"wants to wait at the sender", func(p *peer) { p.greet(); p.hear("MAIL"); p.say("451 later"); p.gone() }, result{op: NamingSender, code: 451, reason: "later", retry: true}},

		{"refuses the mailbox", mailboxAnswer("550 5.1.1 <ann@shop.example>: no such user"),
			result{op: NamingMailbox, code: 550, reason: "5.1.1 <…>: no such user", permanent: true, text: "mail: naming the mailbox: 550"}},
		{"refuses the mailbox at length", mailboxAnswer("550-no\r\n550-\x07" + strings.Repeat("ann@shop.example ", 50) + "\r\n550 bye"),
			result{op: NamingMailbox, code: 550, reason: "no … … …", permanent: true, text: "mail: naming the mailbox: 550"}},
		{"says that the mailbox is full", mailboxAnswer("450 4.2.2 ann@shop.example is full"), result{op: NamingMailbox, code: 450, reason: "is full", retry: true, text: "mail: naming the mailbox: 450"}},
		{"wants a password first", mailboxAnswer("530 5.7.0 authentication required"), result{op: NamingMailbox, code: 530, reason: "authentication", retry: true}},
		{"answers the mailbox with nonsense", mailboxAnswer("ann@shop.example?"), result{op: NamingMailbox, reason: "does not speak SMTP", retry: true, text: "mail: naming the mailbox"}},
		{"hangs up at the mailbox", func(p *peer) { p.greet(); p.hear("MAIL"); p.say("250 ok"); p.hear("RCPT") }, result{op: NamingMailbox, reason: "hung up", retry: true,
			text: "mail: naming the mailbox: the server hung up"}},

		{"refuses mail", envelope(func(p *peer) { p.hear("DATA"); p.say("554 no valid recipients"); p.gone() }), result{op: HandingOver, code: 554, reason: "no valid", permanent: true}},
		{"wants mail later", envelope(func(p *peer) { p.hear("DATA"); p.say("451 later"); p.gone() }), result{op: HandingOver, code: 451, reason: "later", retry: true}},
		{"hangs up at DATA", envelope(func(p *peer) { p.hear("DATA") }), result{op: HandingOver, reason: "hung up", retry: true}},

		{"refuses this mail", answer("554 5.7.1 spam"), result{op: HandingOver, code: 554, reason: "spam", permanent: true, handed: true, text: "mail: handing over the mail: 554"}},
		{"wants this mail later", answer("452 disk full"), result{op: HandingOver, code: 452, reason: "disk full", retry: true, handed: true}},
		{"shuts down over this mail", envelope(func(p *peer) { p.take(); p.say("421 shutting down") }), result{op: HandingOver, code: 421, reason: "shutting", retry: true, handed: true}},
		{"hangs up over this mail", envelope(func(p *peer) { p.take() }), result{op: HandingOver, reason: "hung up", unknown: true, handed: true, is: io.EOF,
			text: "mail: handing over the mail: the server hung up (it may have been taken)"}},
		{"hangs up in mid-answer", envelope(func(p *peer) { p.take(); p.say("250-ok") }), result{op: HandingOver, reason: "hung up", unknown: true, handed: true}},
		{"answers this mail with nonsense", answer("ann@shop.example: done"), result{op: HandingOver, reason: "does not speak SMTP", unknown: true, handed: true,
			text: "mail: handing over the mail (it may have been taken)"}},
		{"answers this mail with another question", answer("354 more?"), result{op: HandingOver, code: 354, reason: "more?", unknown: true, handed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &peer{t: t}
			port, wait := meet(t, p, false, c.script)
			err := newSender(t, plain(port)).Send(t.Context(), testMessage(), noon)
			wait()
			check(t, err, p.mail != "", c.want)
			if c.want.handed && !strings.Contains(p.mail, "\nMessage-ID: <m1.verify@example.com>\n") {
				t.Errorf("got %q", p.mail)
			}
		})
	}
}

// mailboxAnswer is a server that answers RCPT with a line and hears goodbye at most.
func mailboxAnswer(line string) func(*peer) {
	return func(p *peer) {
		p.greet()
		p.hear("MAIL")
		p.say("250 ok")
		p.hear("RCPT")
		p.say(line)
		p.gone()
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err = newSender(t, plain(port)).Send(t.Context(), testMessage(), noon)
	check(t, err, false, result{op: Connecting, reason: "refused", retry: true})
}

func TestABadMessageIsNotDialled(t *testing.T) {
	s := newSender(t, plain(1))
	s.dial = func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, io.EOF
	}
	m := testMessage()
	m.To = "ann@shop.example, bob@shop.example"
	check(t, s.Send(t.Context(), m, noon), false, result{op: Writing, reason: errTo.Error(), permanent: true, text: "mail: writing the mail: " + errTo.Error()})
}

// The client's patience ends while the server says nothing: by the server's place in the conversation, it is known or not
// whether the mail was taken.
func TestSilentServers(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   result
	}{
		{"at the greeting", func(p *peer) { p.hang(); p.gone() }, result{op: Connecting, retry: true}},
		{"at the mailbox", func(p *peer) {
			p.greet()
			p.hear("MAIL")
			p.say("250 ok")
			p.hear("RCPT")
			p.hang()
			p.gone()
		}, result{op: NamingMailbox, retry: true}},
		{"at DATA", func(p *peer) { p.greet(); p.envelope(); p.hear("DATA"); p.hang(); p.gone() }, result{op: HandingOver, retry: true}},
		{"over the mail", func(p *peer) { p.greet(); p.envelope(); p.take(); p.hang(); p.gone() }, result{op: HandingOver, unknown: true, handed: true}},
		{"in mid-answer", func(p *peer) {
			p.greet()
			p.envelope()
			p.take()
			p.say("250-ok")
			p.hang()
			p.gone()
		}, result{op: HandingOver, unknown: true, handed: true}},
	} {
		for reason, why := range map[string]error{"broken off by us": context.Canceled, "no answer in time": context.DeadlineExceeded} {
			t.Run(c.name+", "+reason, func(t *testing.T) {
				ctx := &patience{Context: t.Context(), over: make(chan struct{}), why: why}
				p := &peer{t: t, hang: func() { close(ctx.over) }}
				port, wait := meet(t, p, false, c.script)
				err := newSender(t, plain(port)).Send(ctx, testMessage(), noon)
				wait()
				c.want.reason, c.want.is = reason, why
				check(t, err, p.mail != "", c.want)
			})
		}
	}
}

// patience is a context that ends when told, and as told.
type patience struct {
	context.Context
	over chan struct{}
	why  error
}

func (p *patience) Done() <-chan struct{} { return p.over }

func (p *patience) Err() error {
	select {
	case <-p.over:
		return p.why
	default:
		return nil
	}
}

func TestTimeout(t *testing.T) {
	port, _ := meet(t, &peer{t: t}, false, (*peer).gone)
	server := plain(port)
	server.Timeout = time.Millisecond
	err := newSender(t, server).Send(t.Context(), testMessage(), noon)
	check(t, err, false, result{op: Connecting, reason: "no answer in time", retry: true, is: context.DeadlineExceeded})
}

// broken is a connection that fails when the end of a mail is written or once it was written.
type broken struct {
	net.Conn
	written bool // the end still goes out whole
	ended   bool
}

var errBroken = errors.New("cable cut")

func (b *broken) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte("\r\n.\r\n")) {
		return b.Conn.Write(p)
	}
	b.ended = true
	if b.written {
		return b.Conn.Write(p)
	}
	n, _ := b.Conn.Write(p[:len(p)-1])
	return n, errBroken
}

func (b *broken) Read(p []byte) (int, error) {
	if b.ended {
		return 0, errBroken
	}
	return b.Conn.Read(p)
}

// The last byte of the final dot makes the difference between a mail that was not sent and one of which nothing is known.
func TestConnectionBreaksAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		written bool
		want    result
	}{
		{false, result{op: HandingOver, reason: "cable cut", retry: true, is: errBroken}},
		{true, result{op: HandingOver, reason: "cable cut", unknown: true, handed: true, is: errBroken}},
	} {
		p := &peer{t: t}
		port, wait := meet(t, p, false, func(p *peer) {
			p.greet()
			p.envelope()
			p.hear("DATA")
			p.say("354 go ahead")
			if b, err := io.ReadAll(p.text.DotReader()); err == nil {
				p.mail = string(b)
			}
			p.gone()
		})
		s := newSender(t, plain(port))
		dial := s.dial
		s.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &broken{Conn: conn, written: c.written}, err
		}
		err := s.Send(t.Context(), testMessage(), noon)
		wait()
		check(t, err, p.mail != "", c.want)
	}
}

// A name that leads away from this machine gets nothing in the clear, whatever the setting says.
func TestInTheClearStaysHere(t *testing.T) {
	p := &peer{t: t}
	port, wait := meet(t, p, false, (*peer).gone)
	s := newSender(t, plain(port))
	dial := s.dial
	s.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return elsewhere{conn}, err
	}
	err := s.Send(t.Context(), testMessage(), noon)
	wait()
	check(t, err, false, result{op: Connecting, reason: errClear.Error(), retry: true, is: errClear})
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:25"))
}

// An address beyond ASCII goes to a server that knows such addresses only; for others the extension is not asked for.
func TestAddressesBeyondASCII(t *testing.T) {
	takes := func(envelope ...string) func(*peer) {
		return func(p *peer) {
			p.greet("SMTPUTF8")
			for _, line := range envelope {
				p.hear(line)
				p.say("250 ok")
			}
			p.take()
			p.say("250 queued")
			p.gone()
		}
	}
	refuses := func(p *peer) { p.greet(); p.gone() }
	for _, c := range []struct {
		name, to, replyTo string
		script            func(*peer)
		want              result
	}{
		{"mailbox", "jörg@bücher.example", "", takes("MAIL FROM:<no-reply@example.com> BODY=8BITMIME SMTPUTF8", "RCPT TO:<jörg@xn--bcher-kva.example>"), result{handed: true}},
		{"reply address", "ann@shop.example", "jörg@shop.example", takes("MAIL FROM:<no-reply@example.com> BODY=8BITMIME SMTPUTF8", "RCPT TO:<ann@shop.example>"), result{handed: true}},
		{"mailbox, without the extension", "jörg@shop.example", "", refuses, result{op: NamingMailbox, reason: "SMTPUTF8", permanent: true}},
		{"reply address, without the extension", "ann@shop.example", "jörg@shop.example", refuses, result{op: NamingMailbox, reason: "SMTPUTF8", permanent: true}},
		{"domain only", "ann@bücher.example", "", func(p *peer) {
			p.greet("SMTPUTF8")
			if rest := p.hear("MAIL FROM:<no-reply@example.com>"); rest != " BODY=8BITMIME" {
				t.Errorf("it asks for %q", rest)
			}
			p.say("250 ok")
			p.hear("RCPT TO:<ann@xn--bcher-kva.example>")
			p.say("250 ok")
			p.take()
			p.say("250 queued")
			p.gone()
		}, result{handed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &peer{t: t}
			port, wait := meet(t, p, false, c.script)
			m := testMessage()
			m.To, m.ReplyTo = c.to, c.replyTo
			err := newSender(t, plain(port)).Send(t.Context(), m, noon)
			wait()
			check(t, err, p.mail != "", c.want)
		})
	}
}
