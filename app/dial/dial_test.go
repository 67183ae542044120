package dial

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestPublicAddress(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "52.1.2.3": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "::ffff:10.0.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "fec0::1": false,
		"100.64.0.1": false, "100.100.100.200": false, "192.0.0.8": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false,
		"203.0.113.9": false, "224.0.0.1": false, "239.1.1.1": false, "255.255.255.255": false, "240.0.0.1": false, "ff02::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
		"::7f00:1": false, "100::1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	for addr, ok := range map[string]bool{"8.8.8.8:443": true, "[::1]:443": false, "10.0.0.1:443": false, "/run/socket": false, "": false} {
		if err := publicOnly("tcp", addr, nil); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestTransportWordsQuoteNothing(t *testing.T) {
	secret := errors.New("malformed HTTP response \"https://x/idproofing/session/1\"")
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial: %w", ErrAddress), ErrAddress.Error()},
		{context.Canceled, "cancelled"},
		{context.DeadlineExceeded, "timed out"},
		{os.ErrDeadlineExceeded, "timed out"},
		{&net.DNSError{Err: "no such host", Name: "x"}, "does not resolve"},
		{x509.UnknownAuthorityError{}, "certificate"},
		{fmt.Errorf("tls: %w", x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}), "certificate"},
		{&net.OpError{Op: "dial", Err: secret}, "no connection"},
		{&net.OpError{Op: "read", Err: secret}, "broke"},
		{io.ErrUnexpectedEOF, "broke"},
		{secret, "broke"},
	} {
		if got := Word(c.err); !strings.Contains(got, c.want) || strings.Contains(got, "idproofing") {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// TestReach: what a connection of each reach leads to, after the name was resolved.
func TestReach(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "8.8.8.8:443": false, "10.0.0.1:80": false, "0.0.0.0:80": false, "/run/socket": false, "": false} {
		if err := loopbackOnly("tcp", addr, nil); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "erp.localhost", "ERP.Localhost", "127.0.0.1"} {
		conn, err := Transport(LoopbackOnly).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = conn.Close()
	}
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0"} {
		_, err := Transport(PublicOnly).DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if !errors.Is(err, ErrAddress) || Word(err) != ErrAddress.Error() {
			t.Errorf("%s is reached: %v", host, err)
		}
	}
	if Transport(PublicOnly).Proxy != nil || Transport(LoopbackOnly).Proxy != nil {
		t.Error("there is a proxy")
	}
}
