package kosmos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idgate/app/dial"
	"idgate/app/idv"
)

const (
	callTimeout = 30 * time.Second
	maxWait     = time.Hour // the longest Retry-After we pass on
)

var (
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
		client.Transport = dial.Transport(dial.LoopbackOnly)
	default:
		client.Transport = dial.Transport(dial.PublicOnly)
	}
	client.Jar = nil
	client.Timeout = callTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
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
		if errors.Is(err, dial.ErrAddress) {
			fault = idv.Forbidden
		}
		return nil, c.fail(op, fault, dial.Word(err), err)
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
		return nil, c.fail(op, idv.Unreachable, dial.Word(err), err)
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
