package mail

import (
	"encoding/base64"
	"io"
	"testing"
	"time"
)

func TestServersUnderTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	soon := time.Now().Add(time.Hour)
	good := ca.server("localhost", soon)
	const login = "AUTH LOGIN XOAUTH2"
	rest := func(p *peer) { p.envelope(); p.take(); p.say("250 queued"); p.gone() }
	sign := func(p *peer, answer string) {
		if got := p.hear("AUTH PLAIN "); got != base64.StdEncoding.EncodeToString([]byte("\x00"+secret+"\x00"+secret)) {
			t.Errorf("signed in as %q", got)
		}
		p.say(answer)
	}
	for _, c := range []struct {
		name   string
		tls    string
		user   bool
		cert   func() *peer // nil: a good one
		script func(*peer)
		want   result
	}{
		{"STARTTLS", StartTLS, false, nil, func(p *peer) { p.greet("STARTTLS"); p.secure(""); p.hello(); rest(p) }, result{handed: true}},
		{"STARTTLS, PLAIN", StartTLS, true, nil, func(p *peer) {
			p.greet("STARTTLS", "AUTH PLAIN") // offered in the clear: not taken up
			p.secure("")
			p.hello("AUTH LOGIN PLAIN")
			sign(p, "235 welcome")
			rest(p)
		}, result{handed: true}},
		{"TLS, LOGIN", ImplicitTLS, true, nil, func(p *peer) {
			p.greet(login)
			p.hear("AUTH LOGIN")
			for _, ask := range []string{"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"} {
				p.say(ask)
				p.hear(base64.StdEncoding.EncodeToString([]byte(secret)))
			}
			p.say("235 welcome")
			rest(p)
		}, result{handed: true}},

		{"no STARTTLS", StartTLS, true, nil, func(p *peer) { p.greet("AUTH PLAIN"); p.gone() }, result{op: Securing, reason: "offers no STARTTLS", retry: true, is: errNoTLS}},
		{"no STARTTLS now", StartTLS, true, nil, func(p *peer) { p.greet("STARTTLS"); p.hear("STARTTLS"); p.say("454 not now"); p.gone() }, result{op: Securing, code: 454, reason: "not now", retry: true}},
		{"no TLS after all", ImplicitTLS, true, func() *peer { return &peer{} }, nil, result{op: Securing, reason: "does not look like a TLS handshake", retry: true}},
		{"hangs up at STARTTLS", StartTLS, true, nil, func(p *peer) { p.greet("STARTTLS"); p.hear("STARTTLS"); p.say("220 go ahead") }, result{op: Securing, reason: "hung up", retry: true}},
		{"an answer slipped in before TLS", StartTLS, true, nil, func(p *peer) {
			p.greet("STARTTLS")
			p.secure("\r\n250-mail.example.com\r\n250 AUTH PLAIN")
			p.hello()
			p.gone()
		}, result{op: SigningIn, reason: "offers neither", retry: true, is: errNoAuth}},

		{"an unknown authority", StartTLS, true, func() *peer { return &peer{cert: other.server("localhost", soon)} }, badCertificate(t), result{op: Securing, reason: "unknown authority", retry: true}},
		{"another's certificate", StartTLS, true, func() *peer { return &peer{cert: ca.server("mail.example.com", soon)} }, badCertificate(t), result{op: Securing, reason: "not localhost", retry: true}},
		{"an expired certificate", StartTLS, true, func() *peer { return &peer{cert: ca.server("localhost", time.Now().Add(-time.Hour))} }, badCertificate(t), result{op: Securing, reason: "expired", retry: true}},
		{"another's certificate at once", ImplicitTLS, true, func() *peer { return &peer{cert: ca.server("mail.example.com", soon)} }, nil, result{op: Securing, reason: "not localhost", retry: true}},

		{"no AUTH", ImplicitTLS, true, nil, func(p *peer) { p.greet("SIZE 1000"); p.gone() }, result{op: SigningIn, reason: "offers neither", retry: true, is: errNoAuth}},
		{"strange AUTH", ImplicitTLS, true, nil, func(p *peer) { p.greet("AUTH NTLM XPLAIN"); p.gone() }, result{op: SigningIn, reason: "offers neither", retry: true, is: errNoAuth}},
		{"a wrong password", ImplicitTLS, true, nil, func(p *peer) {
			p.greet("AUTH PLAIN")
			sign(p, "535 5.7.8 wrong password")
			p.hear("*")
			p.say("501 stopped")
			p.gone()
		}, result{op: SigningIn, code: 535, reason: "wrong password", retry: true, text: "mail: signing in: 535: 5.7.8 wrong password"}},
		{"hangs up at AUTH", ImplicitTLS, true, nil, func(p *peer) { p.greet("AUTH PLAIN"); p.hear("AUTH PLAIN") }, result{op: SigningIn, reason: "hung up", retry: true}},
		{"hangs up over the mail", StartTLS, false, nil, func(p *peer) { p.greet("STARTTLS"); p.secure(""); p.hello(); p.envelope(); p.take() },
			result{op: HandingOver, reason: "hung up", unknown: true, handed: true}},
		{"refuses the mail", ImplicitTLS, false, nil, func(p *peer) { p.greet(); p.envelope(); p.take(); p.say("550 no"); p.gone() }, result{op: HandingOver, code: 550, reason: "no", permanent: true, handed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &peer{cert: good}
			implicit := c.tls == ImplicitTLS
			if c.cert != nil {
				p = c.cert()
			}
			p.t = t
			script := c.script
			if p.cert == nil { // it speaks in the clear
				implicit, script = false, func(p *peer) { p.say("220 ready"); _, _ = io.Copy(io.Discard, p.conn) }
			}
			port, wait := meet(t, p, implicit, script)
			server := Server{Host: "localhost", Port: port, TLS: c.tls, From: "no-reply@example.com", Timeout: time.Minute}
			if c.user {
				server.User, server.Password = secret, secret
			}
			s := newSender(t, server)
			s.roots = ca.pool()
			err := s.Send(t.Context(), testMessage(), noon)
			wait()
			check(t, err, p.mail != "", c.want)
		})
	}
}

// badCertificate is a server whose certificate must not be taken.
func badCertificate(t *testing.T) func(*peer) {
	return func(p *peer) {
		p.greet("STARTTLS")
		if p.secure("") {
			if line, err := p.text.ReadLine(); err == nil {
				t.Errorf("it goes on with %q", line)
			}
		}
	}
}
