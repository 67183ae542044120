package tour

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what a browser shows.
type page struct {
	browser *browser
	url     *url.URL
	top     *url.URL // the page around it, when it is in an iframe
	status  int
	header  http.Header
	body    []byte
	doc     *html.Node
	hops    []hop // the redirects that led to it
}

// hop is one redirect, and where it led.
type hop struct {
	status int
	to     *url.URL
}

// open visits an address and expects a page.
func (b *browser) open(ctx context.Context, address string) (*page, error) {
	p, err := b.visit(ctx, visit{url: address})
	if err != nil {
		return nil, err
	}
	return p, p.want(http.StatusOK)
}

// follow opens a link of the page, in its own window or frame.
func (p *page) follow(ctx context.Context, href string) (*page, error) {
	next, err := p.browser.visit(ctx, visit{url: href, from: p})
	if err != nil {
		return nil, err
	}
	return next, next.want(http.StatusOK)
}

// inFrame shows an address in an iframe of the page.
func (p *page) inFrame(ctx context.Context, src string) (*page, error) {
	return p.browser.visit(ctx, visit{url: src, from: p, frame: p})
}

// want checks the page's status.
func (p *page) want(status int) error {
	if p.status != status {
		return differs(p.url.Path, status, fmt.Sprintf("%d %s", p.status, clip(p.text())))
	}
	return nil
}

// text is everything that can be read on the page.
func (p *page) text() string { return text(p.doc) }

// says checks that a sentence stands on the page.
func (p *page) says(sentence string) error {
	if !strings.Contains(p.text(), sentence) {
		return differs(p.url.Path, "“"+sentence+"”", "“"+clip(p.text())+"”")
	}
	return nil
}

// match is a condition on an element.
type match func(*html.Node) bool

func tag(name string) match { return func(n *html.Node) bool { return n.Data == name } }

// has matches an attribute's whole value, or one word of a class.
func has(key, value string) match {
	return func(n *html.Node) bool {
		got, ok := attr(n, key)
		return ok && (got == value || key == "class" && slices.Contains(strings.Fields(got), value))
	}
}

func id(value string) match { return has("id", value) }

// all are the elements within n that match every condition, in the order of the page.
func all(n *html.Node, conditions ...match) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for d := range n.Descendants() {
			if d.Type != html.ElementNode || slices.ContainsFunc(conditions, func(c match) bool { return !c(d) }) {
				continue
			}
			if !yield(d) {
				return
			}
		}
	}
}

// one is the first element within n that matches, or nil.
func one(n *html.Node, conditions ...match) *html.Node {
	for d := range all(n, conditions...) {
		return d
	}
	return nil
}

// find is the first element of the page that matches; what names it for the error.
func (p *page) find(what string, conditions ...match) (*html.Node, error) {
	if n := one(p.doc, conditions...); n != nil {
		return n, nil
	}
	return nil, differs(p.url.Path, what, "“"+clip(p.text())+"”")
}

func attr(n *html.Node, key string) (string, bool) {
	if n == nil {
		return "", false
	}
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// value is an attribute's value, or "".
func value(n *html.Node, key string) string {
	v, _ := attr(n, key)
	return v
}

// text is what can be read in n, with single spaces. It is "" for a nil node.
func text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" && d.Parent.Data != "noscript" {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// form is a form with what is entered in it.
type form struct {
	page   *page
	node   *html.Node
	values url.Values
}

// form finds the form that matches, or that holds an element that does, with its fields as the page fills them.
func (p *page) form(what string, conditions ...match) (*form, error) {
	for n := range all(p.doc, tag("form")) {
		matches := !slices.ContainsFunc(conditions, func(c match) bool { return !c(n) })
		if matches || one(n, conditions...) != nil {
			return &form{page: p, node: n, values: filled(n)}, nil
		}
	}
	return nil, differs(p.url.Path, "the form "+what, "“"+clip(p.text())+"”")
}

// filled are a form's values before anybody has touched it.
func filled(n *html.Node) url.Values {
	v := url.Values{}
	for f := range all(n) {
		name := value(f, "name")
		if _, disabled := attr(f, "disabled"); name == "" || disabled {
			continue
		}
		switch f.Data {
		case "input":
			_, checked := attr(f, "checked")
			switch value(f, "type") {
			case "submit", "button", "image", "reset", "file":
			case "checkbox", "radio":
				if checked {
					v.Add(name, value(f, "value"))
				}
			default:
				v.Add(name, value(f, "value"))
			}
		case "textarea":
			v.Add(name, raw(f))
		case "select":
			if o := chosen(f); o != nil {
				v.Add(name, optionValue(o))
			}
		}
	}
	return v
}

// raw is a textarea's text as it is.
func raw(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func chosen(sel *html.Node) *html.Node {
	for o := range all(sel, tag("option")) {
		if _, ok := attr(o, "selected"); ok {
			return o
		}
	}
	return one(sel, tag("option"))
}

func optionValue(o *html.Node) string {
	if v, ok := attr(o, "value"); ok {
		return v
	}
	return text(o)
}

// enter fills fields in, given as name and value in turn. Only what the form offers can be entered: no field, option or button is
// made up.
func (f *form) enter(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, want := pairs[i], pairs[i+1]
		if !f.offers(name, want) {
			return differs("the form at "+f.page.url.Path, fmt.Sprintf("a field %s that takes %q", name, want), "none")
		}
		f.values.Set(name, want)
	}
	return nil
}

func (f *form) offers(name, want string) bool {
	for n := range all(f.node, has("name", name)) {
		switch n.Data {
		case "textarea":
			return true
		case "select":
			for o := range all(n, tag("option")) {
				if optionValue(o) == want {
					return true
				}
			}
		case "input":
			switch value(n, "type") {
			case "checkbox", "radio", "submit":
				if value(n, "value") == want {
					return true
				}
			case "hidden":
			default:
				return true
			}
		case "button":
			if value(n, "value") == want {
				return true
			}
		}
	}
	return false
}

// pick chooses the option of a select whose text holds label.
func (f *form) pick(name, label string) error {
	for o := range all(f.node, tag("option")) {
		if value(o.Parent, "name") == name && strings.Contains(text(o), label) {
			f.values.Set(name, optionValue(o))
			return nil
		}
	}
	return differs("the form at "+f.page.url.Path, fmt.Sprintf("%q among the choices of %s", label, name), "none")
}

// submit sends the form as it stands.
func (f *form) submit(ctx context.Context) (*page, error) {
	action := value(f.node, "action")
	if strings.EqualFold(value(f.node, "method"), http.MethodPost) {
		return f.page.browser.visit(ctx, visit{method: http.MethodPost, url: action, form: f.values, from: f.page})
	}
	to, err := f.page.url.Parse(action)
	if err != nil {
		return nil, err
	}
	to.RawQuery = f.values.Encode()
	return f.page.browser.visit(ctx, visit{url: to.String(), from: f.page})
}

// press finds a form, fills it in, sends it and expects a page.
func (p *page) press(ctx context.Context, what string, button match, pairs ...string) (*page, error) {
	f, err := p.form(what, button)
	if err != nil {
		return nil, err
	}
	if err := f.enter(pairs...); err != nil {
		return nil, err
	}
	next, err := f.submit(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return next, next.want(http.StatusOK)
}
