// Package dial is how idgate reaches hosts that somebody typed: only public addresses, looked at after DNS has answered, and no proxy.
//
// A name is checked where it is typed; that proves nothing of where it leads when it is called. So the address is looked at again for each
// connection, after the last resolution, by the dialer itself. A client for the demo and for tests reaches this machine, and nothing else.
package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Errors of a connection that is not made.
var (
	ErrAddress     = errors.New("address is private, loopback or otherwise not public")
	errNotLoopback = errors.New("address is not this machine's, and the demo talks to no other")
)

// Reach is how far a client reaches.
type Reach int

// The reaches.
const (
	PublicOnly   Reach = iota
	LoopbackOnly       // for the demo and for tests; *.localhost is known, which Go's own resolver need not know
)

// Transport makes connections within reach. It uses no proxy: the address looked at would be the proxy's.
func Transport(reach Reach) *http.Transport {
	d, where := &net.Dialer{Timeout: 10 * time.Second, Control: publicOnly}, func(addr string) string { return addr }
	if reach == LoopbackOnly {
		d = &net.Dialer{Timeout: 5 * time.Second, Control: loopbackOnly}
		where = func(addr string) string {
			if host, port, err := net.SplitHostPort(addr); err == nil && LoopbackName(host) {
				return net.JoinHostPort("127.0.0.1", port)
			}
			return addr
		}
	}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return d.DialContext(ctx, network, where(addr))
		},
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
	}
}

// LoopbackName reports whether a host name is this machine by its spelling alone.
func LoopbackName(h string) bool {
	h = strings.ToLower(h)
	return h == "localhost" || strings.HasSuffix(h, ".localhost") || h == "127.0.0.1"
}

// publicOnly is a net.Dialer's Control: it sees the address that DNS led to, after every name has been resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !Public(ap.Addr()) {
		return ErrAddress
	}
	return nil
}

func loopbackOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !ap.Addr().Unmap().IsLoopback() {
		return errNotLoopback
	}
	return nil
}

// nat64 holds an IPv4 address in its last four bytes; networks without IPv4 reach the rest of the world through it.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// notPublic are the blocks of IANA's special-purpose registries that netip has no word for. The other translation
// prefixes are among them, since an IPv4 address of any kind can hide inside.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT; cloud metadata at some providers
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether an address is one of the public internet's: no private, loopback, link-local, carrier-grade NAT, multicast,
// unspecified or documentation address, nor one that hides in a translation prefix.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Word says what broke without quoting it: the texts of net/http repeat URLs and pieces of answers.
func Word(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var op *net.OpError
	switch {
	case errors.Is(err, ErrAddress):
		return ErrAddress.Error()
	case errors.Is(err, errNotLoopback):
		return errNotLoopback.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &dns):
		return "the host's name does not resolve"
	case errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid):
		return "the certificate is not to be trusted"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection"
	}
	return "the connection broke"
}
