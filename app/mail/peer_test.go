package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer is a server that follows a script for one conversation.
type peer struct {
	t    *testing.T
	conn net.Conn
	text *textproto.Reader
	cert *tls.Config
	mail string // what it was handed, whole
	hang func() // ends the client's patience
}

// say writes a line.
func (p *peer) say(line string) { _, _ = fmt.Fprintf(p.conn, "%s\r\n", line) }

// hear reads the next command and checks how it begins.
func (p *peer) hear(command string) string {
	line, err := p.text.ReadLine()
	if !strings.HasPrefix(line, command) {
		p.t.Errorf("heard %q (%v), want %s", line, err, command)
	}
	return strings.TrimPrefix(line, command)
}

// greet begins the conversation and offers extensions.
func (p *peer) greet(extensions ...string) {
	p.say("220 ready")
	p.hello(extensions...)
}

func (p *peer) hello(extensions ...string) {
	p.hear("EHLO example.com")
	for _, e := range append([]string{"mail.example.com"}, extensions...) {
		p.say("250-" + e)
	}
	p.say("250 8BITMIME")
}

// secure answers STARTTLS and says more in the same breath, then goes on under TLS. It tells whether the client trusts it.
func (p *peer) secure(more string) bool {
	p.hear("STARTTLS")
	p.say("220 go ahead" + more)
	return p.upgrade()
}

func (p *peer) upgrade() bool {
	secure := tls.Server(p.conn, p.cert)
	if secure.Handshake() != nil {
		return false
	}
	p.conn, p.text = secure, textproto.NewReader(bufio.NewReader(secure))
	return true
}

// envelope takes sender and mailbox.
func (p *peer) envelope() {
	p.hear("MAIL FROM:<no-reply@example.com>")
	p.say("250 ok")
	p.hear("RCPT TO:<ann@shop.example>")
	p.say("250 ok")
}

// take takes the mail itself, up to its final dot.
func (p *peer) take() {
	p.hear("DATA")
	p.say("354 go ahead")
	b, err := io.ReadAll(p.text.DotReader())
	if err != nil {
		p.t.Errorf("taking the mail: %v", err)
	}
	p.mail = string(b)
}

// gone checks that the client says no more, goodbye excepted.
func (p *peer) gone() {
	for {
		line, err := p.text.ReadLine()
		if err != nil {
			return
		}
		if line != "QUIT" {
			p.t.Errorf("it goes on with %q", line)
		}
		p.say("221 bye")
	}
}

// meet sets a peer up for one conversation and returns its port and a function that waits for its end.
func meet(t *testing.T, p *peer, implicit bool, script func(*peer)) (port int, wait func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = p.conn.Close() }()
		p.conn, p.text = conn, textproto.NewReader(bufio.NewReader(conn))
		if !implicit || p.upgrade() {
			script(p)
		}
	})
	wait = func() { _ = l.Close(); done.Wait() }
	t.Cleanup(wait)
	return l.Addr().(*net.TCPAddr).Port, wait
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	a.cert = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key))))
	return a
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server returns a TLS configuration with a certificate for a name, good until then.
func (a authority) server(name string, until time.Time) *tls.Config {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
