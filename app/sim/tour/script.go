package tour

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// script is idgate's script as it runs on a storefront's page: it knows what its own address says, and asks the app from the page's
// origin, without cookies.
type script struct {
	page     *page
	base     string // the app
	shop     string
	channel  int64
	clientID string
	size     int    // bytes
	file     string // its name
	cleared  map[string]bool
}

// requirement, session and answer are what the app tells a storefront's page.
type requirement struct {
	IAL    int  `json:"ial"`
	Selfie bool `json:"selfie"`
	Age    int  `json:"age"`
}

type session struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	URL      string `json:"url"`
	QR       string `json:"qr"`
	Retry    bool   `json:"retry"`
	Decision string `json:"decision"`
	Reason   *struct {
		Code, Text, Next string
	} `json:"reason"`
}

func (n session) over() bool {
	switch n.State {
	case "passed", "failed", "declined", "expired", "abandoned", "error":
		return true
	}
	return false
}

type answer struct {
	Decision    string            `json:"decision"`
	Mode        string            `json:"mode"`
	Capability  string            `json:"capability"`
	Requirement *requirement      `json:"requirement"`
	Texts       map[string]string `json:"texts"`
}

// scriptOn finds the app's script among a page's, as BigCommerce has inserted it; nil when there is none.
func (t *tour) scriptOn(p *page) *html.Node {
	for n := range all(p.doc, tag("script")) {
		if strings.HasPrefix(value(n, "src"), at(t.app, "/storefront/v1/scripts/")) {
			return n
		}
	}
	return nil
}

var scriptPath = regexp.MustCompile(`^/storefront/v1/scripts/([\w-]+)/(\d+)/(gate\.[0-9a-f]{16}\.js)$`)

// loadScript does with the script's element what a browser does: fetch, check its integrity, and run it only then.
func (t *tour) loadScript(ctx context.Context, p *page) (*script, error) {
	n := t.scriptOn(p)
	if n == nil {
		return nil, differs("the page "+p.url.Path, "a script from "+t.app.String(), "none")
	}
	src, err := url.Parse(value(n, "src"))
	if err != nil {
		return nil, err
	}
	named := scriptPath.FindStringSubmatch(src.Path)
	if named == nil || src.Query().Get("client_id") == "" {
		return nil, differs("the script's address", "shop, channel, hash and client id", src)
	}
	s := &script{page: p, base: origin(src), shop: named[1], clientID: src.Query().Get("client_id"), file: named[3], cleared: map[string]bool{}}
	if s.channel, err = strconv.ParseInt(named[2], 10, 64); err != nil {
		return nil, err
	}
	if value(n, "crossorigin") != "anonymous" {
		return nil, differs("the script's element", `crossorigin="anonymous"`, value(n, "crossorigin"))
	}
	status, header, body, err := s.send(ctx, http.MethodGet, src.String(), nil, nil)
	switch allowed := header.Get("Access-Control-Allow-Origin"); {
	case err != nil:
		return nil, err
	case status != http.StatusOK:
		return nil, differs("GET "+src.Path, http.StatusOK, status)
	case allowed != "*" && allowed != origin(p.url):
		return nil, differs("the script's Access-Control-Allow-Origin", origin(p.url), allowed)
	}
	sum := sha512.Sum384(body)
	if got := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); got != value(n, "integrity") {
		return nil, differs("the script's integrity", value(n, "integrity"), got)
	}
	s.size = len(body)
	return s, nil
}

// send makes one cross-origin request as fetch does with credentials omitted.
func (s *script) send(ctx context.Context, method, address string, header http.Header, body []byte) (int, http.Header, []byte, error) {
	resp, err := s.do(ctx, method, address, header, body)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return resp.StatusCode, resp.Header, raw, err
}

func (s *script) do(ctx context.Context, method, address string, header http.Header, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		r.Header[k] = v
	}
	r.Header.Set("Origin", origin(s.page.url))
	r.Header.Set("Sec-Fetch-Site", siteOf(s.page.url, r.URL))
	r.Header.Set("Sec-Fetch-Mode", "cors")
	return s.page.browser.client.Do(r)
}

const capabilityHeader = "Idgate-Capability"

// api calls the app's storefront door. An answer that CORS keeps from the page is an error, as it is in a browser.
func (s *script) api(ctx context.Context, method, path, capability string, body any) (*http.Response, error) {
	var raw []byte
	header := http.Header{"Content-Type": {"text/plain"}} // simple, so that it needs no preflight
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	if capability != "" {
		header.Set(capabilityHeader, capability)
		if err := s.preflight(ctx, method, path); err != nil {
			return nil, err
		}
	}
	resp, err := s.do(ctx, method, s.base+path, header, raw)
	if err != nil {
		return nil, err
	}
	if got := resp.Header.Get("Access-Control-Allow-Origin"); got != origin(s.page.url) {
		_ = resp.Body.Close()
		return nil, differs(method+" "+path+": Access-Control-Allow-Origin", origin(s.page.url), fmt.Sprintf("%q with status %d", got, resp.StatusCode))
	}
	return resp, nil
}

// preflight asks, once for each method, whether the Capability's header may be sent.
func (s *script) preflight(ctx context.Context, method, path string) error {
	if s.cleared[method] {
		return nil
	}
	asked := http.Header{"Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {strings.ToLower(capabilityHeader)}}
	status, header, _, err := s.send(ctx, http.MethodOptions, s.base+path, asked, nil)
	switch {
	case err != nil:
		return err
	case status > 299, header.Get("Access-Control-Allow-Origin") != origin(s.page.url),
		!strings.Contains(header.Get("Access-Control-Allow-Methods"), method),
		!strings.Contains(strings.ToLower(header.Get("Access-Control-Allow-Headers")), strings.ToLower(capabilityHeader)):
		return differs("the preflight of "+method+" "+path, "leave to send "+capabilityHeader, fmt.Sprintf("%d %v", status, header))
	}
	s.cleared[method] = true
	return nil
}

// read reads an answer of the storefront door that has the status expected.
func read(resp *http.Response, what string, status int, v any) error {
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != status:
		return differs(what, status, fmt.Sprintf("%d %s", resp.StatusCode, clip(string(raw))))
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: reading %s: %w", what, clip(string(raw)), err)
	}
	return nil
}

// ask puts the script's question about a cart. member says whether somebody is signed in, whose token is then fetched from the shop.
func (s *script) ask(ctx context.Context, cart string, member bool, capability string) (answer, error) {
	var a answer
	token := ""
	if member {
		if _, err := s.page.browser.call(ctx, s.page, http.MethodGet, "/customer/current.jwt?app_client_id="+url.QueryEscape(s.clientID), nil, &token); err != nil {
			return a, err
		}
	}
	resp, err := s.api(ctx, http.MethodPost, "/storefront/v1/decisions", "", map[string]any{"shop": s.shop, "channel": s.channel, "cart_id": cart,
		"customer_jwt": strings.TrimSpace(token), "capability": capability, "page": "checkout", "locale": "en-US"})
	if err != nil {
		return a, err
	}
	return a, read(resp, "asking about the cart", http.StatusOK, &a)
}

// mustVerify asks and expects to be sent to verify, with words and a Capability to do it.
func (s *script) mustVerify(ctx context.Context, cart string, member bool) (answer, error) {
	a, err := s.ask(ctx, cart, member, "")
	if err == nil && (a.Decision != "verify" || a.Mode != "enforce" || a.Capability == "" || a.Requirement == nil || a.Texts["title"] == "" || a.Texts["start"] == "") {
		err = differs("asking about the cart", "verify, enforced, with a capability, a requirement and words", fmt.Sprintf("%+v", a))
	}
	return a, err
}

func (s *script) mustAllow(ctx context.Context, cart string, member bool, capability string) error {
	a, err := s.ask(ctx, cart, member, capability)
	if err == nil && a.Decision != "allow" {
		err = differs("asking about the cart", "allow", fmt.Sprintf("%+v", a))
	}
	return err
}

// start begins a Session and expects a link, and a QR code of it.
func (s *script) start(ctx context.Context, capability string) (session, error) {
	var n session
	resp, err := s.api(ctx, http.MethodPost, "/storefront/v1/sessions", capability, map[string]string{"locale": "en-US"})
	if err != nil {
		return n, err
	}
	if err := read(resp, "starting a verification", http.StatusCreated, &n); err != nil {
		return n, err
	}
	if n.State != "created" || n.URL == "" || !strings.HasPrefix(n.QR, "<svg") {
		return n, differs("starting a verification", "a session with a link and a QR code", fmt.Sprintf("%+v", n))
	}
	return n, nil
}

func (s *script) session(ctx context.Context, id, capability string) (session, error) {
	var n session
	resp, err := s.api(ctx, http.MethodGet, "/storefront/v1/sessions/"+url.PathEscape(id), capability, nil)
	if err != nil {
		return n, err
	}
	return n, read(resp, "reading the verification", http.StatusOK, &n)
}

// stream is a Session's server-sent events.
type stream struct {
	body  io.Closer
	lines *bufio.Scanner
}

func (s *script) follow(ctx context.Context, id, capability string) (*stream, error) {
	resp, err := s.api(ctx, http.MethodGet, "/storefront/v1/sessions/"+url.PathEscape(id)+"/events", capability, nil)
	if err != nil {
		return nil, err
	}
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		_ = resp.Body.Close()
		return nil, differs("the verification's events", "200 text/event-stream", fmt.Sprintf("%d %s", resp.StatusCode, kind))
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxPage)
	return &stream{resp.Body, lines}, nil
}

func (s *stream) close() { _ = s.body.Close() }

// next waits for the next event.
func (s *stream) next() (session, error) {
	var n session
	event, data := "", ""
	for s.lines.Scan() {
		field, rest, _ := strings.Cut(s.lines.Text(), ":")
		rest = strings.TrimPrefix(rest, " ")
		switch {
		case field == "event":
			event = rest
		case field == "data":
			data += rest
		case s.lines.Text() == "" && event == "session":
			err := json.Unmarshal([]byte(data), &n)
			return n, err
		case s.lines.Text() == "":
			event, data = "", ""
		}
	}
	if err := s.lines.Err(); err != nil {
		return n, err
	}
	return n, errors.New("the stream of events ended before the verification did")
}

// last waits for the end of the Session, and says which states it went through.
func (s *stream) last() (n session, states []string, err error) {
	for {
		if n, err = s.next(); err != nil {
			return n, states, fmt.Errorf("after %s: %w", strings.Join(states, ", "), err)
		}
		if len(states) == 0 || states[len(states)-1] != n.State {
			states = append(states, n.State)
		}
		if n.over() {
			return n, states, nil
		}
	}
}

// verification is a whole one: a Session is started, somebody takes it to a phone, and the page waits for what comes of it.
func (t *tour) verification(ctx context.Context, s *script, capability string, who person) (session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := s.start(ctx, capability)
	if err != nil {
		return n, err
	}
	events, err := s.follow(ctx, n.ID, capability)
	if err != nil {
		return n, err
	}
	defer events.close()
	if err := t.onPhone(ctx, n.URL, who); err != nil {
		return n, fmt.Errorf("on the phone: %w", err)
	}
	n, _, err = events.last()
	if err != nil {
		return n, fmt.Errorf("waiting for the verification's end: %w", err)
	}
	return n, nil
}
