package bigcommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	testHash   = "abc123"
	testToken  = "tok-3f1c9a77e0b24d"
	testID     = "client-1"
	testSecret = "s3cr3t-of-the-app"
	cartID     = "a8458391-ef68-4fe5-9ec1-442e6a767364"
	scriptID   = "095be615-a8ad-4c33-8e9c-c7612fbf6c9f"
)

// testNow is Wed, 01 Jul 2026 12:00:00 UTC.
var testNow = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// serve starts one server for login and API and returns the app that talks to it.
func serve(t *testing.T, h http.HandlerFunc) *App {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &App{
		ClientID: testID, ClientSecret: testSecret,
		Endpoints: Endpoints{Login: srv.URL, API: srv.URL},
		HTTP:      srv.Client(),
		Now:       func() time.Time { return testNow },
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestErrorShapes(t *testing.T) {
	tests := []struct {
		name      string
		status    int
		header    http.Header
		body      string
		want      Error
		temporary bool
		notFound  bool
		text      string
	}{
		{
			name: "v2 array", status: 400,
			body: `[{"status":400,"message":"The field 'status_id' is invalid.","details":{"invalid_reason":"not a status"}}]`,
			want: Error{Title: "The field 'status_id' is invalid.", Fields: map[string]string{"invalid_reason": "not a status"}},
			text: "GET /v2/orders/7: 400 The field 'status_id' is invalid.; invalid_reason: not a status",
		},
		{
			name: "v2 array whose own status disagrees", status: 400,
			body: `[{"status":404,"message":"The field 'item_total' cannot be written to."}]`,
			want: Error{Title: "The field 'item_total' cannot be written to."},
			text: "GET /v2/orders/7: 400 The field 'item_total' cannot be written to.",
		},
		{
			name: "v2 several", status: 400, body: `[{"message":"one"},{"message":"two"},{"message":"two"}]`,
			want: Error{Title: "one", Detail: "two"}, text: "GET /v2/orders/7: 400 one: two",
		},
		{
			name: "v2 not found", status: 404, body: `[{"status":404,"message":"The requested resource was not found."}]`,
			want:     Error{Title: "The requested resource was not found."},
			notFound: true, text: "GET /v2/orders/7: 404 The requested resource was not found.",
		},
		{
			name: "v3 with fields", status: 422,
			body: `{"status":422,"title":"JSON data is missing or invalid","type":"/api-docs","instance":"x","errors":{"0.value":"too long","name":["a","b"]}}`,
			want: Error{Title: "JSON data is missing or invalid", Fields: map[string]string{"0.value": "too long", "name": `["a","b"]`}},
			text: `GET /v2/orders/7: 422 JSON data is missing or invalid; 0.value: too long; name: ["a","b"]`,
		},
		{
			name: "v3 with detail, errors empty array", status: 400,
			body: `{"status":400,"title":"Input is invalid","detail":"Syntax error","errors":[]}`,
			want: Error{Title: "Input is invalid", Detail: "Syntax error"}, text: "GET /v2/orders/7: 400 Input is invalid: Syntax error",
		},
		{
			name: "v3 list of errors", status: 404, body: `{"errors":[{"status":404,"title":"no such checkout","detail":"gone"}]}`,
			want:     Error{Title: "no such checkout", Detail: "gone"},
			notFound: true, text: "GET /v2/orders/7: 404 no such checkout: gone",
		},
		{
			name: "v3 batch", status: 422, body: `{"data":[],"errors":[{"status":422,"title":"half done","errors":{"id":"taken"}}],"meta":{"failed":1}}`,
			want: Error{Title: "half done", Fields: map[string]string{"id": "taken"}}, text: "GET /v2/orders/7: 422 half done; id: taken",
		},
		{
			name: "errors under data", status: 422, body: `{"data":[{"status":422,"title":"no store credit for guests"}]}`,
			want: Error{Title: "no store credit for guests"}, text: "GET /v2/orders/7: 422 no store credit for guests",
		},
		{
			name: "code and message", status: 403, body: `{"code":403,"message":"Missing scope"}`,
			want: Error{Title: "Missing scope"}, text: "GET /v2/orders/7: 403 Missing scope",
		},
		{
			name: "oauth", status: 400, body: `{"error":"invalid_grant","error_description":"code is used"}`,
			want: Error{Title: "invalid_grant", Detail: "code is used"}, text: "GET /v2/orders/7: 400 invalid_grant: code is used",
		},
		{
			name: "401", status: 401, body: `{"status":401,"title":"Unauthorized"}`,
			want: Error{Title: "Unauthorized"}, text: "GET /v2/orders/7: 401 Unauthorized",
		},
		{name: "empty", status: 413, want: Error{Title: "Request Entity Too Large"}, text: "GET /v2/orders/7: 413 Request Entity Too Large"},
		{name: "html", status: 502, body: "<html>Bad gateway</html>", want: Error{Title: "Bad Gateway"}, temporary: true, text: "GET /v2/orders/7: 502 Bad Gateway"},
		{name: "a page too large to read", status: 400, body: `{"title":"` + strings.Repeat("x", maxErrorBody) + `"}`, want: Error{Title: "Bad Request"}, text: "GET /v2/orders/7: 400 Bad Request"},
		{name: "half json", status: 500, body: `{"title":"Int`, want: Error{Title: "Internal Server Error"}, temporary: true, text: "GET /v2/orders/7: 500 Internal Server Error"},
		{name: "a scalar", status: 409, body: `7`, want: Error{Title: "Conflict"}, text: "GET /v2/orders/7: 409 Conflict"},
		{name: "503", status: 503, body: `{}`, want: Error{Title: "Service Unavailable"}, temporary: true, text: "GET /v2/orders/7: 503 Service Unavailable"},
		{name: "501 stays so", status: 501, want: Error{Title: "Not Implemented"}, text: "GET /v2/orders/7: 501 Not Implemented"},
		{
			name: "429 with headers", status: 429, header: http.Header{"X-Retry-After": {"17"}}, body: `{"status":429,"title":"Too many requests"}`,
			want: Error{Title: "Too many requests", RetryAfter: 17 * time.Second}, temporary: true, text: "GET /v2/orders/7: 429 Too many requests",
		},
		{name: "429 without headers", status: 429, want: Error{Title: "Too Many Requests"}, temporary: true, text: "GET /v2/orders/7: 429 Too Many Requests"},
		{
			name: "429 standard header", status: 429, header: http.Header{"Retry-After": {"3"}},
			want: Error{Title: "Too Many Requests", RetryAfter: 3 * time.Second}, temporary: true, text: "GET /v2/orders/7: 429 Too Many Requests",
		},
		{
			name: "absurd retry", status: 429, header: http.Header{"X-Retry-After": {"99999999"}},
			want: Error{Title: "Too Many Requests", RetryAfter: time.Hour}, temporary: true, text: "GET /v2/orders/7: 429 Too Many Requests",
		},
		{
			name: "negative retry", status: 429, header: http.Header{"X-Retry-After": {"-5"}},
			want: Error{Title: "Too Many Requests"}, temporary: true, text: "GET /v2/orders/7: 429 Too Many Requests",
		},
		{name: "509 legacy", status: 509, body: `[{"status":509,"message":"Rate limit reached"}]`, want: Error{Title: "Rate limit reached"}, temporary: true, text: "GET /v2/orders/7: 509 Rate limit reached"},
		{name: "redirect", status: 302, header: http.Header{"Location": {"/elsewhere"}}, want: Error{Title: "Found"}, text: "GET /v2/orders/7: 302 Found"},
		{
			name: "secrets repeated", status: 400, body: `{"title":"bad ` + testToken + `","detail":"` + testSecret + `","errors":{"` + testToken + `":"` + testToken + `"}}`,
			want: Error{Title: "bad [redacted]", Detail: "[redacted]", Fields: map[string]string{"[redacted]": "[redacted]"}},
			text: "GET /v2/orders/7: 400 bad [redacted]: [redacted]; [redacted]: [redacted]",
		},
		{
			name: "a secret where the text is cut", status: 400, body: `{"title":"` + strings.Repeat("x", maxErrorTitle-10) + testToken + `"}`,
			want: Error{Title: strings.Repeat("x", maxErrorTitle-10) + "[redacted]"},
			text: "GET /v2/orders/7: 400 " + strings.Repeat("x", maxErrorTitle-10) + "[redacted]",
		},
		{
			name: "control characters", status: 400, body: `{"title":"one\ntwo\u0007\u202e"}`,
			want: Error{Title: "one two"}, text: "GET /v2/orders/7: 400 one two",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				for k, v := range tt.header {
					w.Header()[k] = v
				}
				answer(tt.status, tt.body)(w, r)
			})
			_, err := app.Store(testHash, testToken).Order(t.Context(), 7)
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("err = %v, want *Error", err)
			}
			tt.want.Method, tt.want.Path, tt.want.Status = "GET", "/v2/orders/7", tt.status
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
			if got.Temporary() != tt.temporary {
				t.Errorf("Temporary() = %t", got.Temporary())
			}
			if errors.Is(err, ErrNotFound) != tt.notFound {
				t.Errorf("errors.Is(ErrNotFound) = %t", !tt.notFound)
			}
			if err.Error() != tt.text {
				t.Errorf("text %q\nwant %q", err, tt.text)
			}
		})
	}
}

func TestErrorBodyIsBounded(t *testing.T) {
	var list, fields []string
	for i := range 100 {
		list = append(list, fmt.Sprintf(`{"title":"%03d %s"}`, i, strings.Repeat("y", 300)))
		fields = append(fields, fmt.Sprintf(`"f%03d":"%s"`, i, strings.Repeat("z", 300)))
	}
	title, detail, got := parseErrorBody([]byte(`{"errors":[`+strings.Join(list, ",")+`],"details":{`+strings.Join(fields, ",")+`}}`), nil)
	if n := len([]rune(title)); n != maxErrorTitle || !strings.HasPrefix(title, "000 y") || !strings.HasSuffix(title, "y…") {
		t.Errorf("title of %d: %s", n, title)
	}
	if n := len([]rune(detail)); n != maxErrorDetail || !strings.HasPrefix(detail, "001 y") {
		t.Errorf("detail of %d: %s", n, detail)
	}
	if len(got) != maxErrorFields || len([]rune(got["f000"])) != maxErrorTitle {
		t.Errorf("%d fields: %v", len(got), got)
	}
}

func TestUndecodableAnswers(t *testing.T) {
	order := `{"id":7,"status_id":11,"total_inc_tax":"1.0000"}`
	tests := []struct {
		name      string
		handler   http.HandlerFunc
		status    int
		temporary bool
		contains  string
	}{
		{"broken off by length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, order[:20])
		}, 200, true, "broke off"},
		{"broken off in chunks", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, order[:20])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 200, true, "broke off"},
		{"broken off unnoticed", answer(200, order[:20]), 200, true, "unexpected end of JSON"},
		{"html", answer(200, "<html>"), 200, true, "invalid character"},
		{"another shape", answer(200, `[1]`), 200, false, "cannot unmarshal array"},
		{"a money of words", answer(200, `{"id":7,"status_id":11,"total_inc_tax":"lots"}`), 200, false, "total_inc_tax"},
		{"no total", answer(200, `{"id":7,"status_id":11,"total_inc_tax":""}`), 200, false, "total_inc_tax"},
		{"no status", answer(200, `{"id":7,"total_inc_tax":"1"}`), 200, false, "status_id"},
		{"another order", answer(200, `{"id":8,"status_id":11,"total_inc_tax":"1"}`), 200, false, "holds order 8"},
		{"two documents", answer(200, order+order), 200, true, "after top-level value"},
		{"nothing", answer(204, ""), 404, false, "empty"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":7,"status":"`)
			junk := strings.Repeat("x", 1<<20)
			for { // until the client hangs up
				if _, err := io.WriteString(w, junk); err != nil {
					return
				}
			}
		}, 200, false, "larger than"},
		{"closed before a word", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, true, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := serve(t, tt.handler)
			_, err := app.Store(testHash, testToken).Order(t.Context(), 7)
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("err = %v, want *Error", err)
			}
			if got.Status != tt.status || got.Temporary() != tt.temporary || !strings.Contains(err.Error(), tt.contains) {
				t.Errorf("got %q, status %d, temporary %t; want it to contain %q, status %d, temporary %t",
					err, got.Status, got.Temporary(), tt.contains, tt.status, tt.temporary)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	release := make(chan struct{})
	app := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // runs before the server's Close, which waits for the handler
	store := app.Store(testHash, testToken)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := store.Cart(ctx, cartID)
	var got *Error
	if !errors.As(err, &got) || got.Status != 0 || !got.Temporary() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: got %v, want a temporary *Error without a status", err)
	}
	if strings.Contains(err.Error(), cartID) || got.Path != "/v3/carts/{id}" {
		t.Errorf("deadline: %q names the cart", err)
	}

	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, err = store.Cart(cancelled, cartID); !errors.As(err, &got) || got.Temporary() || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want a final *Error", err)
	}

	app.Endpoints.API = "http://127.0.0.1:1"
	if _, err = store.Cart(t.Context(), cartID); !errors.As(err, &got) || !got.Temporary() || strings.Contains(err.Error(), cartID) {
		t.Errorf("refused: got %v, want a temporary *Error without the cart id", err)
	}
	app.Endpoints.API = "http://[bad"
	if _, err = store.Cart(t.Context(), cartID); !errors.As(err, &got) || got.Temporary() || strings.Contains(err.Error(), cartID) {
		t.Errorf("bad endpoint: got %v, want a final *Error without the cart id", err)
	}
}

func TestEveryCallHasADeadline(t *testing.T) {
	app := &App{ClientID: testID, ClientSecret: testSecret, Endpoints: Live}
	var left time.Duration
	app.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			t.Error("a request without a deadline")
		}
		left = time.Until(deadline)
		return nil, errors.New("no network in tests: " + testToken)
	})}
	err := app.Store(testHash, testToken).Time(context.Background())
	if left <= 0 || left > callTimeout {
		t.Errorf("deadline in %v, want within %v", left, callTimeout)
	}
	if want := "GET /v2/time: no network in tests: [redacted]"; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %q", err, want)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A redirect would carry X-Auth-Token to another host: Go strips only the headers it knows.
func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { followed = true }))
	defer other.Close()
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	err := app.Store(testHash, testToken).Time(t.Context())
	var got *Error
	if followed || !errors.As(err, &got) || got.Status != http.StatusTemporaryRedirect {
		t.Errorf("followed %t, err %v", followed, err)
	}
}

func TestRequestHeaders(t *testing.T) {
	var got *http.Request
	app := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r; answer(200, `{"time":1}`)(w, r) })
	if err := app.Store(testHash, testToken).Time(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"X-Auth-Token": testToken, "Accept": "application/json", "Content-Type": "application/json", "User-Agent": "idgate",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if app.Store(testHash, testToken).Hash() != testHash || got.URL.Path != "/stores/abc123/v2/time" {
		t.Errorf("path %q", got.URL.Path)
	}
}

func TestQuota(t *testing.T) {
	full := http.Header{
		"X-Rate-Limit-Time-Window-Ms": {"30000"}, "X-Rate-Limit-Time-Reset-Ms": {"12500"},
		"X-Rate-Limit-Requests-Quota": {"150"}, "X-Rate-Limit-Requests-Left": {"3"},
	}
	tests := []struct {
		name   string
		status int
		header http.Header
		want   []Quota
	}{
		{"all headers", 200, full, []Quota{{30 * time.Second, 12500 * time.Millisecond, 150, 3, testNow, time.Time{}}}},
		{"on a 429 too", 429, full, []Quota{{30 * time.Second, 12500 * time.Millisecond, 150, 3, testNow, time.Time{}}}},
		{"legacy", 200, http.Header{"X-Bc-Apilimit-Remaining": {"1987"}}, []Quota{{Left: 1987, At: testNow}}},
		{"nothing left", 200, http.Header{"X-Rate-Limit-Requests-Left": {"0"}}, []Quota{{At: testNow}}},
		{"none", 200, nil, nil},
		{"the date alone", 200, http.Header{"Date": {"Tue, 10 Mar 2026 15:12:07 GMT"}}, []Quota{{At: testNow, Date: time.Date(2026, 3, 10, 15, 12, 7, 0, time.UTC)}}},
		{"the date besides", 200, http.Header{"Date": {"Tue, 10 Mar 2026 15:12:07 GMT"}, "X-Rate-Limit-Requests-Left": {"4"}}, []Quota{{Left: 4, At: testNow, Date: time.Date(2026, 3, 10, 15, 12, 7, 0, time.UTC)}}},
		{"a date that is none", 200, http.Header{"Date": {"yesterday"}}, nil},
		{"garbage", 200, http.Header{"X-Rate-Limit-Requests-Left": {"many"}}, nil},
		{"negative", 200, http.Header{"X-Rate-Limit-Requests-Left": {"-1"}}, nil},
		{"half garbage", 200, http.Header{"X-Rate-Limit-Requests-Left": {"5"}, "X-Rate-Limit-Requests-Quota": {"-2"}}, []Quota{{Left: 5, At: testNow}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Date"] = nil // net/http would write one
				for k, v := range tt.header {
					w.Header()[k] = v
				}
				answer(tt.status, `{}`)(w, r)
			})
			var got []Quota
			app.OnQuota = func(_ context.Context, hash string, q Quota) {
				if hash != testHash {
					t.Errorf("hash %q", hash)
				}
				got = append(got, q)
			}
			_ = app.Store(testHash, testToken).Time(t.Context())
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPaging(t *testing.T) {
	// list answers items from `from` on, page by page.
	list := func(total, max int, meta bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			limit = min(limit, max)
			var items []string
			for i := (page - 1) * limit; i < min(page*limit, total); i++ {
				items = append(items, fmt.Sprintf(`{"id":%d}`, i+1))
			}
			body := "[" + strings.Join(items, ",") + "]"
			switch {
			case strings.Contains(r.URL.Path, "/v2/") && len(items) == 0:
				w.WriteHeader(http.StatusNoContent)
				return
			case strings.Contains(r.URL.Path, "/v3/") && meta:
				body = fmt.Sprintf(`{"data":%s,"meta":{"pagination":{"total_pages":%d}}}`, body, (total+limit-1)/limit)
			case strings.Contains(r.URL.Path, "/v3/"):
				body = `{"data":` + body + `,"meta":{}}`
			}
			answer(200, body)(w, r)
		}
	}
	v3 := func(s *Store) (int, error) { l, err := s.Hooks(t.Context()); return len(l), err }
	v2 := func(s *Store) (int, error) { l, err := s.OrderProducts(t.Context(), 7); return len(l), err }
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		call     func(*Store) (int, error)
		want     int
		requests int
	}{
		{"v3 none", list(0, 250, true), v3, 0, 1},
		{"v3 one page", list(50, 250, true), v3, 50, 1},
		{"v3 three pages", list(120, 250, true), v3, 120, 3},
		{"v3 server gives less than asked", list(45, 10, true), v3, 45, 5},
		{"v3 without meta", list(101, 250, false), v3, 101, 3},
		{"v3 204", answer(204, ""), v3, 0, 1},
		{"v2 none: 204", list(0, 250, false), v2, 0, 1},
		{"v2 none: []", answer(200, "[]"), v2, 0, 1},
		{"v2 a full page, then 204", list(50, 250, false), v2, 50, 2},
		{"v2 two pages", list(51, 250, false), v2, 51, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			app := serve(t, func(w http.ResponseWriter, r *http.Request) { requests++; tt.handler(w, r) })
			got, err := tt.call(app.Store(testHash, testToken))
			if err != nil || got != tt.want || requests != tt.requests {
				t.Errorf("%d items in %d requests, err %v; want %d in %d", got, requests, err, tt.want, tt.requests)
			}
		})
	}
	t.Run("endless", func(t *testing.T) {
		items := strings.TrimSuffix(strings.Repeat(`{"id":1},`, perPage), ",")
		app := serve(t, answer(200, `{"data":[`+items+`]}`))
		if _, err := app.Store(testHash, testToken).Hooks(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}

func TestIDsAreCheckedBeforeUse(t *testing.T) {
	app := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("request to %s", r.URL) })
	good := app.Store(testHash, testToken)
	ctx := t.Context()
	zero, watch, unknown := 0, StatusPending, 99
	for name, call := range map[string]func() error{
		"hash with a slash":    func() error { return app.Store("abc/../x", testToken).Time(ctx) },
		"empty hash":           func() error { return app.Store("", testToken).Time(ctx) },
		"token with a newline": func() error { return app.Store(testHash, "a\r\nX: y").Time(ctx) },
		"empty token":          func() error { return app.Store(testHash, "").Time(ctx) },
		"order 0":              func() error { _, err := good.Order(ctx, 0); return err },
		"order -1":             func() error { _, err := good.OrderProducts(ctx, -1); return err },
		"address of order 0":   func() error { _, err := good.OrderShippingAddresses(ctx, 0); return err },
		"update order 0":       func() error { _, err := good.UpdateOrder(ctx, 0, OrderUpdate{StatusID: &zero}); return err },
		"update nothing":       func() error { _, err := good.UpdateOrder(ctx, 7, OrderUpdate{}); return err },
		"to incomplete":        func() error { _, err := good.UpdateOrder(ctx, 7, OrderUpdate{StatusID: &zero}); return err },
		"to pending":           func() error { _, err := good.UpdateOrder(ctx, 7, OrderUpdate{StatusID: &watch}); return err },
		"to no status":         func() error { _, err := good.UpdateOrder(ctx, 7, OrderUpdate{StatusID: &unknown}); return err },
		"cart":                 func() error { _, err := good.Cart(ctx, "../orders/7"); return err },
		"checkout":             func() error { _, err := good.Checkout(ctx, cartID+"?x"); return err },
		"cart filter":          func() error { _, err := good.Orders(ctx, OrderFilter{CartID: "7"}); return err },
		"sort":                 func() error { _, err := good.Orders(ctx, OrderFilter{Sort: "id&x=y"}); return err },
		"script":               func() error { return good.DeleteScript(ctx, "x") },
		"script update":        func() error { _, err := good.UpdateScript(ctx, "", Script{}); return err },
		"hook":                 func() error { return good.DeleteHook(ctx, 0) },
		"hook update":          func() error { _, err := good.UpdateHook(ctx, -3, Hook{}); return err },
		"customer":             func() error { _, err := good.Customer(ctx, 0); return err },
		"customer values":      func() error { _, err := good.AttributeValues(ctx, 0); return err },
		"custom fields":        func() error { return good.PutCustomerCustomFieldsV2(ctx, 0, nil) },
		"metafields":           func() error { _, err := good.OrderMetafields(ctx, 0, ""); return err },
		"customer metafields":  func() error { _, err := good.CustomerMetafields(ctx, 0, ""); return err },
		"empty metafield":      func() error { _, err := good.UpsertOrderMetafield(ctx, 7, Metafield{}); return err },
		"products":             func() error { _, err := good.Products(ctx, []int64{0}); return err },
		"value too long": func() error {
			return good.UpsertAttributeValues(ctx, []AttributeValue{{AttributeID: 1, CustomerID: 2, Value: strings.Repeat("é", 256)}})
		},
		"metafield too long": func() error {
			_, err := good.UpsertCustomerMetafield(ctx, 7, Metafield{Value: strings.Repeat("x", 65536)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := call()
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), cartID) || strings.Contains(err.Error(), testToken) {
				t.Errorf("%q tells too much", err)
			}
		})
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	app := &App{ClientID: testID, ClientSecret: testSecret}
	for _, v := range []any{
		app, app.Store(testHash, testToken), Grant{AccessToken: testToken, StoreHash: testHash},
		Hook{Headers: map[string]string{HookSecretHeader: testSecret}},
	} {
		encoded, _ := json.Marshal(Grant{AccessToken: testToken})
		for _, s := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), string(encoded)} {
			if strings.Contains(s, testToken) || strings.Contains(s, testSecret) {
				t.Errorf("%T prints %s", v, s)
			}
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, s := range []string{
		`[{"status":404,"message":"x","details":{"a":"b"}}]`, `{"title":"t","errors":{"a":["b"]}}`,
		`{"errors":[{"title":"t","errors":[[[["x"]]]]}]}`, `{"error":"a","error_description":"b"}`, `<html>`, "{\"title\":\"\x01\u2028\"}",
		`{"data":{"data":{"data":{"title":"deep"}}}}`, `[[[[]]]]`, `{"title":"` + testToken + `"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		title, detail, fields := parseErrorBody(body, []string{testToken})
		texts := []string{title, detail}
		if len(fields) > maxErrorFields {
			t.Errorf("%d fields", len(fields))
		}
		for k, v := range fields {
			texts = append(texts, k, v)
		}
		for _, s := range texts {
			if len([]rune(s)) > maxErrorDetail || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x2028 }) || strings.Contains(s, testToken) {
				t.Errorf("unfit for a log line: %q", s)
			}
		}
	})
}
