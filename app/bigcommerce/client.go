package bigcommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

const (
	maxBody      = 8 << 20
	maxErrorBody = 64 << 10
	// callTimeout bounds a call whose context has no deadline.
	callTimeout = 30 * time.Second
	// perPage is BigCommerce's smallest documented page size, so that no endpoint cuts it down and makes a full page
	// look like the last one.
	perPage  = 50
	maxPages = 200
)

// Quota is what is left of a shop's API quota, which all its apps share (docs: api-docs/getting-started/api-rate-limits).
// The legacy header gives Left alone.
type Quota struct {
	Window time.Duration // length of the window; 0 when not said
	Reset  time.Duration // until the window starts anew; 0 when not said
	Limit  int           // requests per window; 0 when not said
	Left   int
	At     time.Time // when the answer came
	Date   time.Time // BigCommerce's own clock then, to the second; zero when not said
}

// request is one call. path is sent; name, if set, stands for it in errors because the path holds a cart id.
type request struct {
	method, base, path, name string
	query                    url.Values
	body                     any
	token, storeHash         string
	secrets                  []string // besides token and client secret
}

func (r request) trouble(status int, title string, cause error) *Error {
	name := r.path
	if r.name != "" {
		name = r.name
	}
	return &Error{Method: r.method, Path: name, Status: status, Title: title, cause: cause}
}

// do makes the call and decodes a 2xx body into out, unless out is nil. empty reports a 2xx without a body: BigCommerce's
// v2 answers 204 for an empty list.
func (a *App) do(ctx context.Context, r request, out any) (empty bool, err error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	req, err := a.newRequest(ctx, r)
	if err != nil {
		return false, err
	}
	secrets := append(r.secrets, r.token, a.ClientSecret)
	resp, err := a.client().Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // u's own text repeats the whole URL
		}
		e := r.trouble(0, clean(redact(err.Error(), secrets), maxErrorDetail), err)
		e.temporary = !errors.Is(err, context.Canceled)
		return false, e
	}
	defer resp.Body.Close()
	a.reportQuota(ctx, r.storeHash, resp.Header)

	limit := int64(maxBody)
	if resp.StatusCode/100 != 2 {
		limit = maxErrorBody
	}
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if resp.StatusCode/100 != 2 {
		return false, refusal(r, resp, body, secrets)
	}
	switch {
	case readErr != nil:
		e := r.trouble(resp.StatusCode, "the answer broke off", readErr)
		e.temporary = true
		return false, e
	case int64(len(body)) > limit:
		return false, r.trouble(resp.StatusCode, fmt.Sprintf("the answer is larger than %d bytes", limit), nil)
	case len(bytes.TrimSpace(body)) == 0:
		return true, nil
	case out == nil:
		return false, nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		e := r.trouble(resp.StatusCode, "the answer is not what was expected: "+clean(redact(err.Error(), secrets), maxErrorTitle), err)
		e.temporary = decodeTrouble(err)
		return false, e
	}
	return false, nil
}

func (a *App) newRequest(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.body); err != nil {
			return nil, r.trouble(0, "encoding the body", err)
		}
		body = bytes.NewReader(bytes.TrimRight(b.Bytes(), "\n"))
	}
	address := r.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, r.trouble(0, "the endpoint is not a URL", nil)
	}
	req.Header.Set("Accept", "application/json")
	// Sent on GET too: some operations (order products) declare it required.
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "idgate")
	if r.token != "" {
		req.Header.Set("X-Auth-Token", r.token)
	}
	return req, nil
}

// client is the caller's, but without redirects: Go would repeat X-Auth-Token to wherever the answer points.
func (a *App) client() *http.Client {
	var c http.Client
	if a.HTTP != nil {
		c = *a.HTTP
	}
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

func refusal(r request, resp *http.Response, body []byte, secrets []string) *Error {
	if len(body) > maxErrorBody {
		body = nil
	}
	title, detail, fields := parseErrorBody(body, secrets)
	if title == "" {
		title = http.StatusText(resp.StatusCode)
	}
	e := r.trouble(resp.StatusCode, title, nil)
	e.Detail, e.Fields, e.RetryAfter = detail, fields, retryAfter(resp.Header)
	return e
}

// retryAfter reads X-Retry-After (seconds), else the standard header in its seconds form. An hour is the most we
// believe: quota windows last half a minute.
func retryAfter(h http.Header) time.Duration {
	for _, name := range []string{"X-Retry-After", "Retry-After"} {
		if s, err := strconv.Atoi(h.Get(name)); err == nil && s >= 0 {
			return time.Duration(min(s, 3600)) * time.Second
		}
	}
	return 0
}

func (a *App) reportQuota(ctx context.Context, storeHash string, h http.Header) {
	if a.OnQuota == nil || storeHash == "" {
		return
	}
	left, err := strconv.Atoi(h.Get("X-Rate-Limit-Requests-Left"))
	if err != nil {
		left, err = strconv.Atoi(h.Get("X-BC-ApiLimit-Remaining"))
	}
	date, _ := http.ParseTime(h.Get("Date"))
	if err != nil || left < 0 {
		if !date.IsZero() {
			a.OnQuota(ctx, storeHash, Quota{At: a.now(), Date: date})
		}
		return
	}
	number := func(name string) int {
		n, err := strconv.Atoi(h.Get(name))
		if err != nil || n < 0 {
			return 0
		}
		return min(n, 1<<30)
	}
	a.OnQuota(ctx, storeHash, Quota{
		Window: time.Duration(number("X-Rate-Limit-Time-Window-Ms")) * time.Millisecond,
		Reset:  time.Duration(number("X-Rate-Limit-Time-Reset-Ms")) * time.Millisecond,
		Limit:  number("X-Rate-Limit-Requests-Quota"),
		Left:   left,
		At:     a.now(),
		Date:   date,
	})
}

// call is do for one shop; path starts at the version ("/v3/hooks").
func (s *Store) call(ctx context.Context, r request, out any) (empty bool, err error) {
	if !ValidStoreHash(s.hash) {
		return false, r.trouble(0, "the store hash is malformed", nil)
	}
	if !accessTokenForm.MatchString(s.token) {
		return false, r.trouble(0, "there is no usable access token for this store", nil)
	}
	r.base = s.app.Endpoints.API + "/stores/" + s.hash
	r.token, r.storeHash = s.token, s.hash
	return s.app.do(ctx, r, out)
}

// object makes a call that must answer one resource; nothing at all means that it is not there.
func (s *Store) object(ctx context.Context, r request, out any) error {
	empty, err := s.call(ctx, r, out)
	if err == nil && empty {
		return r.trouble(http.StatusNotFound, "the answer is empty", nil)
	}
	return err
}

// envelope is how v3 wraps everything.
type envelope[T any] struct {
	Data T `json:"data"`
	Meta struct {
		Pagination struct {
			TotalPages int `json:"total_pages"`
		} `json:"pagination"`
	} `json:"meta"`
}

// listV3 reads all pages of a v3 list.
func listV3[T any](ctx context.Context, s *Store, r request) ([]T, error) {
	return pages[T](r, func(r request) ([]T, int, error) {
		var e envelope[[]T]
		_, err := s.call(ctx, r, &e)
		return e.Data, e.Meta.Pagination.TotalPages, err
	})
}

// listV2 reads all pages of a v2 list, which has no envelope and ends with a short page, [] or 204.
func listV2[T any](ctx context.Context, s *Store, r request) ([]T, error) {
	return pages[T](r, func(r request) ([]T, int, error) {
		var page []T
		_, err := s.call(ctx, r, &page)
		return page, 0, err
	})
}

func pages[T any](r request, get func(request) (page []T, totalPages int, err error)) ([]T, error) {
	query := url.Values{}
	for k, v := range r.query {
		query[k] = v
	}
	r.method, r.query = http.MethodGet, query
	query.Set("limit", strconv.Itoa(perPage))
	var all []T
	for n := 1; n <= maxPages; n++ {
		query.Set("page", strconv.Itoa(n))
		page, total, err := get(r)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		last := len(page) < perPage
		if total > 0 {
			last = n >= total
		}
		if last || len(page) == 0 {
			return all, nil
		}
	}
	return nil, r.trouble(http.StatusOK, fmt.Sprintf("the list has more than %d pages", maxPages), nil)
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// numericPath and uuidPath build a path from an id that came from outside; anything but a positive number or a UUID is
// refused, since it could name another resource.
func numericPath(before string, id int64, after string) (string, error) {
	if id <= 0 {
		return "", fmt.Errorf("%s{id}%s: the id must be positive", before, after)
	}
	return before + strconv.FormatInt(id, 10) + after, nil
}

func uuidPath(before, id string) (string, error) {
	if !uuidForm.MatchString(id) {
		return "", fmt.Errorf("%s{id}: the id is not a UUID", before)
	}
	return before + id, nil
}
