package mailbox

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// get asks a handler for a page and reads it as a browser would.
func get(t *testing.T, h http.Handler, path string) (*httptest.ResponseRecorder, *html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	doc, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return w, doc
}

func all(doc *html.Node, tag atom.Atom) []*html.Node {
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.DataAtom == tag {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// hostile is a mail from somebody who would like to run a script in the page.
var hostile = Mail{ID: `"><script>1</script>`, From: `"<script>2</script>"@example.com`, FromName: "<script>3</script>", ReplyTo: "<script>4</script>",
	To: "'><script>5</script>@example.com", Subject: "</title><script>6</script>", Lang: `"><script>7</script>`, Text: "</pre><script>8</script>",
	HTML: `"></iframe><script>9</script>&amp;'<p>`, Links: []string{`https://x.example/"><script>10</script>`}, ReceivedAt: noon}

func TestList(t *testing.T) {
	b := New(Options{})
	for _, m := range []Mail{
		{To: "ann@example.com", FromName: "Shop One", Subject: "first", ReceivedAt: noon},
		{To: "bob@example.org", From: "no-reply@example.com", Lang: "ar"},
		hostile,
		{To: "Ann@example.com", FromName: "Shop Two", Subject: "second"},
	} {
		b.keep(m)
	}
	for _, c := range []struct {
		path    string
		mails   []string // their numbers
		count   string
		address string // in the field
	}{
		{"/", []string{"4", "3", "2", "1"}, "4 mails, newest first.", ""},
		{"/?to=+ann%40EXAMPLE.com", []string{"4", "1"}, "2 of the 4 mails kept are to “ann@EXAMPLE.com”. Show all", "ann@EXAMPLE.com"},
		{"/?to=nobody", nil, "0 of the 4 mails kept are to “nobody”. Show all", "nobody"},
		{`/?to="><script>`, nil, `0 of the 4 mails kept are to “"><script>”. Show all`, `"><script>`},
	} {
		w, doc := get(t, b.Handler(), strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E").Replace(c.path))
		var mails []string
		for _, li := range all(doc, atom.Li) {
			mails = append(mails, attr(li, "data-mail"))
			if link := all(li, atom.A)[0]; attr(link, "href") != "mail/"+attr(li, "data-mail") {
				t.Errorf("%s: link to %s", c.path, attr(link, "href"))
			}
		}
		if w.Code != http.StatusOK || !slices.Equal(mails, c.mails) {
			t.Errorf("%s: %d, mails %v, want %v", c.path, w.Code, mails, c.mails)
		}
		if got := words(all(doc, atom.P)[0]); got != c.count {
			t.Errorf("%s: %q, want %q", c.path, got, c.count)
		}
		if got := attr(all(doc, atom.Input)[0], "value"); got != c.address {
			t.Errorf("%s: the field holds %q", c.path, got)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s: policy %q", c.path, got)
		}
		if n := len(all(doc, atom.Script)); n != 0 {
			t.Errorf("%s: %d scripts", c.path, n)
		}
	}
	b.came += 7
	_, doc := get(t, b.Handler(), "/")
	if got := words(all(doc, atom.P)[0]); got != "4 mails, newest first; 11 have come." {
		t.Errorf("after more than are kept: %q", got)
	}
	if got := words(all(doc, atom.Li)[2]); !strings.HasPrefix(got, "(no subject) to bob@example.org, from no-reply@example.com,") {
		t.Errorf("a mail without subject and name: %q", got)
	}
	if got := attr(all(all(doc, atom.Li)[2], atom.A)[0], "lang"); got != "ar" {
		t.Errorf("language %q", got)
	}
}

func TestOneMail(t *testing.T) {
	b := New(Options{Now: func() time.Time { return noon }})
	b.keep(Mail{ID: "m1@example.com", From: "no-reply@example.com", FromName: "Café Zoë", To: "ann@example.com", Subject: "Vérifiez", Lang: "fr",
		Text: "Bonjour\n  Ann", HTML: `<p title="a&quot;b">Bonjour</p>`, Links: []string{"http://app.localhost/v/abc?a=1&b=2"}})
	b.keep(hostile)
	b.keep(Mail{})
	for _, c := range []struct {
		number   string
		heading  string
		facts    string
		text     string
		framed   []string
		links    []string
		language string
	}{
		{"1", "Vérifiez", "To ann@example.com From Café Zoë no-reply@example.com Received 1 Mar 2026 12:00:00 UTC Language fr Message-ID m1@example.com",
			"Bonjour\n  Ann", []string{`<!doctype html><base target="_blank"><p title="a&quot;b">Bonjour</p>`}, []string{"http://app.localhost/v/abc?a=1&b=2"}, "fr"},
		{"2", hostile.Subject, "To " + hostile.To + " From " + hostile.FromName + " " + hostile.From + " Reply to " + hostile.ReplyTo + " Received 1 Mar 2026 12:00:00 UTC Language " + hostile.Lang + " Message-ID " + hostile.ID,
			hostile.Text, []string{`<!doctype html><base target="_blank">` + hostile.HTML}, hostile.Links, hostile.Lang},
		{"3", "(no subject)", "To From Received 1 Mar 2026 12:00:00 UTC Language not said Message-ID none", "", nil, nil, ""},
	} {
		w, doc := get(t, http.StripPrefix("/mailbox", b.Handler()), "/mailbox/mail/"+c.number)
		if w.Code != http.StatusOK || w.Header().Get("Content-Security-Policy") != policy || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("mail %s: %d, %v", c.number, w.Code, w.Header())
		}
		h1 := all(doc, atom.H1)[0]
		if words(h1) != c.heading || attr(h1, "lang") != c.language || words(all(doc, atom.Title)[0]) != c.heading {
			t.Errorf("mail %s: heading %q in %q", c.number, words(h1), attr(h1, "lang"))
		}
		if got := words(all(doc, atom.Dl)[0]); got != c.facts {
			t.Errorf("mail %s: %q\nwant %q", c.number, got, c.facts)
		}
		text := ""
		for _, pre := range all(doc, atom.Pre) {
			text += pre.FirstChild.Data
		}
		if text != c.text {
			t.Errorf("mail %s: text %q", c.number, text)
		}
		var framed, links []string
		for _, f := range all(doc, atom.Iframe) {
			framed = append(framed, attr(f, "srcdoc"))
			if got := attr(f, "sandbox"); got != "allow-popups allow-popups-to-escape-sandbox" {
				t.Errorf("mail %s: sandbox %q", c.number, got)
			}
		}
		for _, a := range all(doc, atom.A)[1:] {
			links = append(links, words(a))
			if attr(a, "target") != "_blank" || attr(a, "rel") != "noopener noreferrer" {
				t.Errorf("mail %s: link %v", c.number, a.Attr)
			}
		}
		if !slices.Equal(framed, c.framed) || !slices.Equal(links, c.links) {
			t.Errorf("mail %s: frames %q, links %q", c.number, framed, links)
		}
		if attr(all(doc, atom.A)[0], "href") != "../" || len(all(doc, atom.Script)) != 0 {
			t.Errorf("mail %s: %s", c.number, w.Body)
		}
	}
}

func TestNoSuchPage(t *testing.T) {
	b := New(Options{})
	b.keep(Mail{})
	for path, code := range map[string]int{"/mail/1": 200, "/mail/2": 404, "/mail/0": 404, "/mail/x": 404, "/mail/": 404, "/other": 404} {
		if w, _ := get(t, b.Handler(), path); w.Code != code {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// Whatever comes is refused, or is shown without doing anything.
func FuzzParse(f *testing.F) {
	f.Add([]byte(both))
	f.Add([]byte("From: a@example.com\n\n<script>\n"))
	f.Add([]byte("From: <a@example.com>\nContent-Type: text/html; charset=x\nContent-Transfer-Encoding: base64\n\nPGEgaHJlZj0iaHR0cHM6Ly9hLmV4YW1wbGUvIj4=\n"))
	f.Add([]byte("From: a@example.com\nSubject: =?latin1?q?=e9?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhttps://x.example/\n--b--\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw)
		if err != nil {
			if m.Subject != "" || m.Text != "" || m.HTML != "" || m.Links != nil {
				t.Errorf("refused and read: %+v", m)
			}
			return
		}
		for _, s := range []string{m.ID, m.Lang, m.Subject, m.FromName, m.Text, m.HTML} {
			if !utf8.ValidString(s) {
				t.Errorf("not UTF-8: %q", s)
			}
		}
		if len(m.Links) > maxLinks {
			t.Errorf("%d links", len(m.Links))
		}
		for _, l := range m.Links {
			if low := strings.ToLower(l); !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "https://") {
				t.Errorf("link %q", l)
			}
		}
		b := New(Options{})
		b.keep(m)
		_, doc := get(t, b.Handler(), "/mail/1")
		if n, frames := len(all(doc, atom.Script)), all(doc, atom.Iframe); n != 0 || len(frames) > 1 || len(frames) == 1 && attr(frames[0], "sandbox") == "" {
			t.Errorf("%d scripts, frames %v", n, frames)
		}
		if n := len(all(doc, atom.A)) - 1; n != len(m.Links) {
			t.Errorf("%d links are shown of %d", n, len(m.Links))
		}
		_, doc = get(t, b.Handler(), "/")
		if len(all(doc, atom.Script)) != 0 || len(all(doc, atom.Li)) != 1 {
			t.Error("the list is broken")
		}
	})
}
