package kosmos

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"idgate/app/idv"
)

const (
	callTimeout = 30 * time.Second
	maxWait     = time.Hour // the longest Retry-After we pass on
)

var (
	errAddress  = errors.New("address is private, loopback or otherwise not public")
	errStaleKey = errors.New("the service cannot decrypt our headers; its key may have changed")
	errTooLong  = errors.New("answer is too long")
)

// newHTTP makes the client that all calls go through. It never follows a redirect, which could carry the licence key's
// ciphertext, and the shopper's session, elsewhere.
func newHTTP(o Options) *http.Client {
	client := &http.Client{}
	switch {
	case o.Loopback && o.HTTP != nil:
		*client = *o.HTTP
	case o.Loopback:
		client.Transport = transport(&net.Dialer{Timeout: 5 * time.Second}, func(addr string) string {
			if host, port, err := net.SplitHostPort(addr); err == nil && loopbackName(host) {
				return net.JoinHostPort("127.0.0.1", port) // Go's resolver need not know *.localhost
			}
			return addr
		})
	default:
		client.Transport = transport(&net.Dialer{Timeout: 10 * time.Second, Control: publicOnly},
			func(addr string) string { return addr })
	}
	client.Jar = nil
	client.Timeout = callTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

func transport(d *net.Dialer, where func(addr string) string) *http.Transport {
	return &http.Transport{
		Proxy: nil, // with a proxy the address we check would be the proxy's
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

// publicOnly is a net.Dialer's Control: it sees the address that DNS led to, after every name has been resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !publicAddress(ap.Addr()) {
		return errAddress
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

func publicAddress(a netip.Addr) bool {
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

func (c *Client) get(ctx context.Context, op, url string, limit int64) ([]byte, error) {
	return c.call(ctx, op, http.MethodGet, url, request{}, limit)
}

func (c *Client) post(ctx context.Context, op, url string, r request, limit int64) ([]byte, error) {
	return c.call(ctx, op, http.MethodPost, url, r, limit)
}

// call makes one exchange and returns the body of a 200.
func (c *Client) call(ctx context.Context, op, method, url string, r request, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(r.body))
	if err != nil {
		return nil, c.fail(op, idv.Invalid, "the service's address cannot be used", nil)
	}
	req.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		fault := idv.Unreachable
		if errors.Is(err, errAddress) {
			fault = idv.Forbidden
		}
		return nil, c.fail(op, fault, transportWord(err), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, c.refusal(op, resp)
	}
	body, err := read(resp.Body, limit)
	switch {
	case errors.Is(err, errTooLong):
		return nil, c.fail(op, idv.Unreadable, fmt.Sprintf("answer is over %d bytes", limit), err)
	case err != nil:
		return nil, c.fail(op, idv.Unreachable, transportWord(err), err)
	}
	return body, nil
}

func read(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, errTooLong
	}
	return body, err
}

// refusal reads an answer that is not 200. The vendor's text is only searched for what we know, never passed on: it could
// repeat anything we sent.
func (c *Client) refusal(op string, resp *http.Response) error {
	raw, _ := read(resp.Body, 64<<10) // a broken error page is as good as none
	said := strings.ToLower(string(raw))
	e := &idv.Error{Provider: name, Op: op, Status: resp.StatusCode}
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		e.Fault, e.RetryAfter = idv.Busy, c.retryAfter(resp.Header.Get("Retry-After"))
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		e.Fault, e.RetryAfter = idv.Unreachable, c.retryAfter(resp.Header.Get("Retry-After"))
	case s == http.StatusBadRequest && strings.Contains(said, "can't be decrypted"):
		e.Fault, e.Detail, e.Err = idv.Unreadable, errStaleKey.Error(), errStaleKey
	case s == http.StatusNotFound && op == opFetch:
		e.Fault, e.Detail = idv.NotFound, "session, dvcID or result path unknown to the tenant"
	case s == http.StatusNotFound:
		e.Fault, e.Detail = idv.Refused, "dvcID or service unknown to the tenant"
	case strings.Contains(said, "unauthorized license"):
		e.Fault, e.Detail = idv.Refused, "the licence key is not accepted"
	case strings.Contains(said, "dvcid is required"):
		e.Fault, e.Detail = idv.Refused, "dvcID is required"
	case s >= 300 && s < 400:
		e.Fault, e.Detail = idv.Refused, "redirected, which we do not follow"
	case s < 300:
		e.Fault, e.Detail = idv.Unreadable, "want 200"
	default:
		e.Fault = idv.Refused
	}
	return e
}

// retryAfter reads seconds or a date, up to an hour.
func (c *Client) retryAfter(h string) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(h, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(h); err == nil {
		d = t.Sub(c.now())
	}
	return min(max(d, 0), maxWait)
}

func (c *Client) fail(op string, fault idv.Fault, detail string, cause error) error {
	return &idv.Error{Provider: name, Op: op, Fault: fault, Detail: detail, Err: cause}
}

// transportWord says what broke without quoting it: the texts of net/http repeat URLs and pieces of answers.
func transportWord(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var op *net.OpError
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
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
