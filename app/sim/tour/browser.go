package tour

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

const (
	maxPage      = 4 << 20
	maxRedirects = 5
)

// browser is one person's browser: its cookies and nothing else. It treats http on loopback as secure, as browsers do.
type browser struct {
	client *http.Client
	jar    map[cookieKey]string
}

// cookieKey is where a cookie is kept: by host, and in the partition of the site in the address bar.
type cookieKey struct{ host, partition, name string }

// visit is one request of a page or of a person.
type visit struct {
	method string // "" is GET
	url    string
	form   url.Values
	from   *page // the page whose link or form it is; nil: the address bar, or a link in a mail
	frame  *page // the page in whose iframe the answer is shown; nil: it is from's window
}

// visit makes a request, follows redirects as a browser does, and returns the page that is shown in the end.
func (b *browser) visit(ctx context.Context, v visit) (*page, error) {
	to, err := resolve(v.from, v.url)
	if err != nil {
		return nil, err
	}
	shown := &page{browser: b, url: to}
	switch {
	case v.frame != nil:
		shown.top = v.frame.url
	case v.from != nil:
		shown.top = v.from.top
	}
	body := v.form.Encode()
	method := v.method
	if method == "" {
		method = http.MethodGet
	}
	for range maxRedirects {
		if err := b.load(ctx, shown, v.from, method, body); err != nil {
			return nil, err
		}
		location := shown.header.Get("Location")
		if location == "" || shown.status < 300 || shown.status > 399 {
			return shown, shown.framed()
		}
		if shown.url, err = shown.url.Parse(location); err != nil {
			return nil, fmt.Errorf("following a redirect: %w", err)
		}
		shown.hops = append(shown.hops, hop{shown.status, shown.url})
		method, body = http.MethodGet, ""
	}
	return nil, differs("visiting "+to.Path, fmt.Sprintf("at most %d redirects", maxRedirects), "more")
}

func resolve(from *page, address string) (*url.URL, error) {
	if from != nil {
		return from.url.Parse(address)
	}
	return url.Parse(address)
}

// load makes one request for the page and reads its answer into it.
func (b *browser) load(ctx context.Context, p, from *page, method, form string) error {
	r, err := http.NewRequestWithContext(ctx, method, p.url.String(), strings.NewReader(form))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/html")
	site := "none"
	if from != nil {
		site = siteOf(from.url, p.url)
	}
	r.Header.Set("Sec-Fetch-Site", site)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	if method != http.MethodGet && from != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin(from.url))
	}
	if from != nil && site == "same-origin" {
		r.Header.Set("Referer", from.url.String()) // the simulated panel goes back to it
	}
	p.status, p.header, p.body, err = b.send(r, p.top)
	if err != nil {
		return err
	}
	p.doc, err = html.Parse(bytes.NewReader(p.body))
	return err
}

// send makes one request with the cookies that belong to it, and keeps those that come.
func (b *browser) send(r *http.Request, top *url.URL) (status int, header http.Header, body []byte, err error) {
	partition := r.URL.Hostname()
	if top != nil {
		partition = top.Hostname()
	}
	for k, value := range b.jar {
		if k.host == r.URL.Hostname() && k.partition == partition {
			r.AddCookie(&http.Cookie{Name: k.name, Value: value})
		}
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	for _, c := range resp.Cookies() {
		if err := b.keep(c, r.URL, partition); err != nil {
			return 0, nil, nil, err
		}
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return resp.StatusCode, resp.Header, body, err
}

// keep stores a cookie, or says why a browser would not: a session that only works here is no session.
func (b *browser) keep(c *http.Cookie, from *url.URL, partition string) error {
	if strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != "") {
		return differs("cookie "+c.Name, "Secure, Path=/ and no Domain", c.Raw)
	}
	if from.Hostname() != partition && (!c.Secure || !c.Partitioned || c.SameSite != http.SameSiteNoneMode) {
		return differs("cookie "+c.Name+" in a cross-site frame", "SameSite=None, Secure and Partitioned", c.Raw)
	}
	key := cookieKey{from.Hostname(), partition, c.Name}
	if c.MaxAge < 0 {
		delete(b.jar, key)
		return nil
	}
	b.jar[key] = c.Value
	return nil
}

// call is a request that a page's own script makes to its own origin. A nil body sends none; a nil answer is not read.
func (b *browser) call(ctx context.Context, p *page, method, path string, body, answer any) (status int, err error) {
	to, err := p.url.Parse(path)
	if err != nil {
		return 0, err
	}
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, to.String(), sent)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Accept", "application/json, text/plain")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", origin(p.url))
	}
	status, _, raw, err := b.send(r, p.top)
	switch {
	case err != nil:
		return 0, err
	case status >= 300:
		return status, fmt.Errorf("%s %s: %w", method, to.Path, differs("status", "2xx", fmt.Sprintf("%d %s", status, clip(string(raw)))))
	}
	switch answer := answer.(type) {
	case nil:
	case *string:
		*answer = string(raw)
	default:
		if err := json.Unmarshal(raw, answer); err != nil {
			return status, fmt.Errorf("%s %s: reading %s: %w", method, to.Path, clip(string(raw)), err)
		}
	}
	return status, nil
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// siteOf is the Sec-Fetch-Site of a request. Hosts here are their own sites: localhost is a public suffix to browsers.
func siteOf(from, to *url.URL) string {
	switch {
	case origin(from) == origin(to):
		return "same-origin"
	case from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}

var errFramed = errors.New("the page may not be shown in this frame")

// framed checks that a page in an iframe lets itself be framed by the page around it.
func (p *page) framed() error {
	if p.top == nil {
		return nil
	}
	for directive := range strings.SplitSeq(p.header.Get("Content-Security-Policy"), ";") {
		words := strings.Fields(directive)
		if len(words) == 0 || words[0] != "frame-ancestors" {
			continue
		}
		for _, w := range words[1:] {
			if w == origin(p.top) || w == "'self'" && origin(p.url) == origin(p.top) {
				return nil
			}
		}
		return fmt.Errorf("%w: %w", errFramed, differs("frame-ancestors", origin(p.top), directive))
	}
	return fmt.Errorf("%w: %w", errFramed, differs("Content-Security-Policy of "+p.url.Path, "frame-ancestors", "none"))
}
