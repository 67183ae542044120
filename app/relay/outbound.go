package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"idgate/app/dial"
	"idgate/app/ledger"
)

// Tunables of outbound webhooks.
const (
	postsAtOnce   = 4                  // to one endpoint
	maxAnswer     = 4 << 10            // bytes of an answer that are read
	maxExcerpt    = 200                // characters of it that are kept
	maxRetryAfter = 24 * time.Hour     // the longest that an endpoint may put us off
	failingFor    = 5 * 24 * time.Hour // of nothing but failure, and an endpoint is switched off
	maxCool       = 5 * time.Minute    // the longest that an endpoint which fails is left alone
	jitter        = 10                 // percent, by which waits are lengthened at random
)

// postWaits are the waits between tries that Standard Webhooks recommends. After the last try a delivery has failed until a person asks again.
var postWaits = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// dueEndpoints names the endpoints that have work. Each has a lane of its own: one that is slow, or never answers, delays neither the Shop's
// others nor anybody else.
func (r *Relay) dueEndpoints(ctx context.Context, now time.Time) ([]string, error) {
	refs, err := r.Ledger.DueEndpoints(ctx, now)
	out := make([]string, len(refs))
	for i, e := range refs {
		out[i] = e.Shop + "/" + strconv.FormatInt(e.ID, 10)
	}
	return out, err
}

// someDeliveries posts a few of an endpoint's events. While it fails it is left alone for longer and longer, up to maxCool, however much waits.
func (r *Relay) someDeliveries(ctx context.Context, lane string) (int, error) {
	hash, number, _ := strings.Cut(lane, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the endpoint %q: %w", lane, err)
	}
	s, err := r.Ledger.Shop(hash)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return 0, nil // what waited was dropped with it
	}
	if err != nil {
		return 0, err
	}
	e, err := r.Ledger.Endpoint(ctx, s, id)
	now := r.Now()
	if errors.Is(err, ledger.ErrNotFound) || err == nil && (e.State != ledger.EndpointOn || e.WaitUntil.After(now)) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	count := postsAtOnce
	if e.Failures > 0 {
		count = 1 // whether it works again is asked with one
	}
	due, err := r.Ledger.LeaseDeliveries(ctx, ledger.EndpointRef{Shop: hash, ID: id}, now, now.Add(lease), count)
	each(ctx, r.piece, due, postsAtOnce, func(d ledger.Delivery) int64 { return d.ID }, func(ctx context.Context, d ledger.Delivery) error { return r.deliver(ctx, e, d) },
		func(d ledger.Delivery, err error) {
			r.Log.Error("delivering an event", "shop", d.Shop, "endpoint", d.Endpoint, "event", d.EventID, "error", err)
		})
	return len(due), err
}

// deliver posts one event and acts on the answer. What was posted and not recorded is posted again, under the same id.
func (r *Relay) deliver(ctx context.Context, e ledger.Endpoint, d ledger.Delivery) error {
	r.At("before the event is posted")
	p, after := r.post(ctx, e, d)
	r.At("after the event is posted")
	now := r.Now()
	if p.Trouble == "" {
		return r.Ledger.FinishDelivery(ctx, d, p, now)
	}
	f := ledger.Failure{Wait: now.Add(cool(e.Failures)), Gone: p.Status == http.StatusGone, Limit: failingFor, Alarm: r.Mail != nil}
	if next, ok := nextTry(d, after); ok && !f.Gone {
		f.Next = now.Add(next)
	}
	if after > 0 && now.Add(after).After(f.Wait) {
		f.Wait = now.Add(after)
	}
	off, err := r.Ledger.FailDelivery(ctx, d, p, f, now)
	if off != "" {
		r.Log.Warn("an endpoint was switched off until somebody acts", "shop", d.Shop, "endpoint", d.Endpoint, "why", off)
	}
	return err
}

// nextTry is how long a delivery waits after a failed try, or false when that was the last. A ping is a question and not repeated.
func nextTry(d ledger.Delivery, after time.Duration) (time.Duration, bool) {
	n := d.Tries - 1
	if d.Type == ledger.Ping || n < 0 || n >= int64(len(postWaits)) {
		return 0, false
	}
	wait := postWaits[n]
	wait += rand.N(wait/jitter + 1)
	return max(wait, after), true
}

// cool is how long an endpoint that has failed so often in a row is left alone: 5 s, doubling.
func cool(failures int64) time.Duration {
	return min(5*time.Second<<min(max(failures, 0), 10), maxCool)
}

// post makes one try. after is how long the endpoint asks to be left alone, within bounds.
func (r *Relay) post(ctx context.Context, e ledger.Endpoint, d ledger.Delivery) (p ledger.Posted, after time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, r.PostTime)
	defer cancel()
	p.At = r.Now()
	began := time.Now()
	defer func() { p.Took = time.Since(began) }()
	req, trouble := r.signed(ctx, e, d, p.At)
	if trouble != "" {
		p.Trouble = trouble
		return p, 0
	}
	resp, err := r.outbound.Do(req)
	if err != nil {
		p.Trouble = "No answer: " + dial.Word(err) + "."
		return p, 0
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	p.Status, p.Excerpt = resp.StatusCode, excerpt(body)
	switch {
	case resp.StatusCode/100 == 2:
		// It has said that it has it; what became of the rest of its answer is no matter.
	case resp.StatusCode/100 == 3:
		p.Trouble = fmt.Sprintf("It answered %d, a redirect, which is not followed: enter the address that it leads to.", resp.StatusCode)
	case resp.StatusCode == http.StatusGone:
		p.Trouble = "It answered 410 Gone: it does not want to be told any more."
	case err != nil:
		p.Trouble = fmt.Sprintf("It answered %d, and the connection broke: %s.", resp.StatusCode, dial.Word(err))
	default:
		p.Trouble = fmt.Sprintf("It answered %d; only 2xx counts.", resp.StatusCode)
	}
	return p, retryAfter(resp.Header.Get("Retry-After"), p.At)
}

// signed is the request with its signatures: the secret's, and for a while after a rotation also the one's before. trouble says, to a person,
// why it cannot be made.
func (r *Relay) signed(ctx context.Context, e ledger.Endpoint, d ledger.Delivery, at time.Time) (req *http.Request, trouble string) {
	u, err := url.Parse(e.URL)
	if err != nil || u.User != nil || u.Scheme != "https" && !(r.Loopback && u.Scheme == "http") {
		return nil, "The address cannot be used: it has to begin with https://."
	}
	secrets := []ledger.EndpointSecret{e.Secret}
	if e.OldUntil.After(at) {
		secrets = append(secrets, e.Old)
	}
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		w, err := standardwebhooks.NewWebhookRaw(secret.Key())
		if err == nil {
			signatures[i], err = w.Sign(d.EventID, at, d.Payload)
		}
		if err != nil {
			return nil, "It could not be signed: " + err.Error()
		}
	}
	req, err = http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(d.Payload))
	if err != nil {
		return nil, "The address cannot be used."
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "idgate")
	req.Header.Set(standardwebhooks.HeaderWebhookID, d.EventID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return req, ""
}

// newOutbound makes the client that events are posted with. It follows no redirect, and reaches public addresses only.
func newOutbound(loopback bool) *http.Client {
	reach := dial.PublicOnly
	if loopback {
		reach = dial.LoopbackOnly
	}
	return &http.Client{Transport: dial.Transport(reach), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// excerpt is how an answer begins, for people: whatever it holds, it is plain text on one line.
func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) && !unicode.IsSpace(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(string(body), " "))), " ")
	if cut := []rune(text); len(cut) > maxExcerpt {
		return string(cut[:maxExcerpt]) + "…"
	}
	return text
}

// retryAfter reads seconds or a date, up to a day.
func retryAfter(header string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(header, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(header); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
