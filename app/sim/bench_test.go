package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// bench is a World over real HTTP, a clock that moves by hand, and an app that notes what it is sent.
type bench struct {
	t     *testing.T
	w     *World
	s     *Shop
	store *httptest.Server
	app   *notingApp
	clock *handClock
	token Token // the app's
}

type handClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *handClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// notingApp is the app's side of callbacks and webhooks.
type notingApp struct {
	srv    *httptest.Server
	mu     sync.Mutex
	got    []received
	answer int // 0 is 200
}

type received struct {
	method, path, query string
	header              http.Header
	body                []byte
}

func (a *notingApp) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, received{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body})
	if a.answer != 0 {
		rw.WriteHeader(a.answer)
	}
}

// take hands over what came since the last call.
func (a *notingApp) take() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.got
	a.got = nil
	return out
}

func (a *notingApp) answers(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = status
}

const (
	testClientID = "client0123456789abcdefghijklmno"
	testSecret   = "secret0123456789abcdefghijklmnopqrstuvwxyz"
)

// newBench opens a shop with the demo's catalogue and an installed app without an API quota.
func newBench(t *testing.T, seed int64) *bench {
	t.Helper()
	b := &bench{t: t, app: &notingApp{}, clock: &handClock{at: time.Date(2026, 9, 25, 10, 0, 0, 0, time.UTC)}}
	b.app.srv = httptest.NewServer(b.app)
	t.Cleanup(b.app.srv.Close)
	late := http.NewServeMux()
	b.store = httptest.NewServer(late)
	t.Cleanup(b.store.Close)
	b.w = New(Options{
		ClientID: testClientID, ClientSecret: testSecret, AppURL: b.app.srv.URL, StoreURL: b.store.URL,
		Seed: seed, Now: b.clock.now, HTTP: b.app.srv.Client(),
	})
	b.s = b.w.AddShop(ShopOptions{Hash: "abc123", RequestsPerWindow: -1})
	if err := SeedDemo(b.s); err != nil {
		t.Fatal(err)
	}
	late.Handle("/", b.w.StoreHandler())
	b.token = b.install()
	return b
}

// install goes through the code exchange.
func (b *bench) install() Token {
	b.t.Helper()
	status, body := b.exchange(b.codeRequest())
	if status != http.StatusOK {
		b.t.Fatalf("installing: %d %v", status, body)
	}
	token := b.s.Installation().Token
	if body["access_token"] != token {
		b.t.Fatalf("the answer's token %v is not the shop's %q", body["access_token"], token)
	}
	return Token{Value: token, ClientID: testClientID}
}

// codeRequest is a good token request for a fresh code.
func (b *bench) codeRequest() map[string]string {
	b.t.Helper()
	raw, err := b.s.BeginInstall(0)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, raw, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	q := req.URL.Query()
	return map[string]string{
		"client_id": testClientID, "client_secret": testSecret, "code": q.Get("code"), "scope": q.Get("scope"), "context": q.Get("context"),
		"grant_type": "authorization_code", "redirect_uri": b.app.srv.URL + "/auth",
	}
}

func (b *bench) exchange(in map[string]string) (int, map[string]any) {
	b.t.Helper()
	raw, _ := json.Marshal(in)
	resp, err := http.Post(b.store.URL+"/oauth2/token", "application/json", bytes.NewReader(raw))
	return readAnswer(b.t, resp, err)
}

func readAnswer(t *testing.T, resp *http.Response, err error) (int, map[string]any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return resp.StatusCode, out
}

// apiAnswer is an API answer as a client sees it.
type apiAnswer struct {
	status int
	header http.Header
	raw    string
	body   any
	err    error
}

// at walks objects by name and lists by number: at("data", 0, "id").
func (a apiAnswer) at(path ...any) any {
	v := a.body
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func (a apiAnswer) list(path ...any) []any {
	l, _ := a.at(path...).([]any)
	return l
}

// api calls the REST API of the bench's shop as the app; body is JSON text or empty.
func (b *bench) api(method, path, body string) apiAnswer {
	return b.apiAs(b.token.Value, method, path, body)
}

func (b *bench) apiAs(token, method, path, body string) apiAnswer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return b.apiWithin(ctx, token, method, path, body)
}

func (b *bench) apiWithin(ctx context.Context, token, method, path, body string) apiAnswer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.store.URL+"/stores/"+b.s.Hash+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := b.store.Client().Do(req)
	if err != nil {
		return apiAnswer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	out := apiAnswer{status: resp.StatusCode, header: resp.Header, raw: string(raw), err: err}
	if len(raw) > 0 && err == nil {
		_ = json.Unmarshal(raw, &out.body)
	}
	return out
}

// want calls and insists on a status.
func (b *bench) want(status int, method, path, body string) apiAnswer {
	b.t.Helper()
	a := b.api(method, path, body)
	if a.err != nil || a.status != status {
		b.t.Fatalf("%s %s %s: %d %s (%v), want %d", method, path, body, a.status, a.raw, a.err, status)
	}
	return a
}

// hookUp registers a webhook at the app's /hooks path.
func (b *bench) hookUp(scope string) int64 {
	b.t.Helper()
	a := b.want(200, "POST", "/v3/hooks", `{"scope":"`+scope+`","destination":"`+b.app.srv.URL+`/hooks","headers":{"Idgate-Hook-Secret":"s3"}}`)
	id, _ := a.at("data", "id").(float64)
	return int64(id)
}

// buy fills a cart as a guest and places the order.
func (b *bench) buy(sku string, p PlaceOptions) Order {
	b.t.Helper()
	c := b.fill(sku)
	o, err := b.s.PlaceOrder(c.ID, p)
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

// fill makes a guest's cart that is ready to be bought.
func (b *bench) fill(sku string) Cart {
	b.t.Helper()
	c := b.s.NewCart(1, 0)
	var err error
	for _, p := range b.s.Products() {
		if p.SKU == sku {
			if c, err = b.s.AddToCart(c.ID, p.ID, 1); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	a := Address{FirstName: "Nikola", LastName: "Guest", Email: "nikola@example.net", Street1: "5 Tower Road", City: "Denver", State: "Colorado", StateCode: "CO", Zip: "80202", Country: "United States", CountryCode: "US"}
	if c, err = b.s.SetCheckoutBilling(c.ID, a); err != nil {
		b.t.Fatal(err)
	}
	if !c.Digital() {
		if c, err = b.s.SetCheckoutShipping(c.ID, a, "flat-5"); err != nil {
			b.t.Fatal(err)
		}
	}
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
