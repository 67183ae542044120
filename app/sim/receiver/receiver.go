// Package receiver is a system of the merchant's in the demo, such as an ERP, that is told of events by outbound webhooks: it checks them as
// Standard Webhooks, with the secret that somebody pastes, and lists them.
//
// Its lies: it takes everything with a 200, also what does not verify, so that it can be shown; and it remembers the newest 100 only, until it ends.
package receiver

import (
	"bytes"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	keep    = 100
	maxBody = 64 << 10
)

// Event is one that came.
type Event struct {
	At       time.Time
	ID, Type string
	Body     string // set out in lines
	Verdict  string // what checking it came to
	Good     bool
	Again    bool // one with this id came before
}

// Receiver takes events. Its methods may be called by any goroutine.
type Receiver struct {
	now    func() time.Time
	mu     sync.Mutex
	secret string
	events []Event // newest last
}

// New makes a Receiver.
func New(now func() time.Time) *Receiver { return &Receiver{now: now} }

// Events are those that came, the newest last.
func (r *Receiver) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Handler takes events at /events, and shows them at its root.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", r.take)
	mux.HandleFunc("GET /{$}", r.show)
	mux.Handle("POST /secret", http.NewCrossOriginProtection().Handler(http.HandlerFunc(r.keepSecret)))
	return mux
}

func (r *Receiver) take(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	e := Event{At: r.now(), ID: req.Header.Get(standardwebhooks.HeaderWebhookID), Body: string(body)}
	var named struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(body, &named) == nil {
		e.Type = named.Type
	}
	var lines bytes.Buffer
	if json.Indent(&lines, body, "", "  ") == nil {
		e.Body = lines.String()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Verdict, e.Good = verify(r.secret, body, req.Header)
	e.Again = e.ID != "" && slices.ContainsFunc(r.events, func(o Event) bool { return o.ID == e.ID })
	r.events = append(r.events, e)
	if len(r.events) > keep {
		r.events = slices.Delete(r.events, 0, len(r.events)-keep)
	}
}

func verify(secret string, body []byte, h http.Header) (verdict string, good bool) {
	if secret == "" {
		return "not checked: no secret yet", false
	}
	w, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = w.Verify(body, h)
	}
	if err != nil {
		return "refused: " + err.Error(), false
	}
	return "verified", true
}

func (r *Receiver) keepSecret(w http.ResponseWriter, req *http.Request) {
	req.Body = http.MaxBytesReader(w, req.Body, maxBody)
	r.mu.Lock()
	r.secret = strings.TrimSpace(req.PostFormValue("secret"))
	r.mu.Unlock()
	http.Redirect(w, req, "/", http.StatusSeeOther)
}

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A system of the merchant's</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}code,pre{overflow-wrap:anywhere;white-space:pre-wrap}
input{width:100%;max-width:32rem;font:inherit;padding:.4rem}button{font:inherit;padding:.4rem 1rem}li{margin-block:1rem}</style></head>
<body><main><h1>A system of the merchant's</h1>
<p>Add <code>{{.URL}}</code> as an endpoint in idgate (Settings, Outbound webhooks), and paste the secret that it shows you once.</p>
<form method="post" action="/secret"><p><label for="secret">Signing secret</label><br><input id="secret" name="secret" autocomplete="off" placeholder="{{if .Set}}a secret is set{{else}}whsec_…{{end}}"></p><p><button>Keep it</button></p></form>
<h2>Events</h2>
{{if .Events}}<ul>{{range .Events}}<li><strong>{{if .Type}}{{.Type}}{{else}}no event{{end}}</strong>, {{.Verdict}}{{if .Again}}, came before{{end}}<br>{{.At.Format "15:04:05"}} <code>{{.ID}}</code>
<details><summary>What came</summary><pre>{{.Body}}</pre></details></li>{{end}}</ul>{{else}}<p>Nothing yet. Reload this page after something has happened.</p>{{end}}
</main></body></html>`))

func (r *Receiver) show(w http.ResponseWriter, req *http.Request) {
	events := r.Events()
	slices.Reverse(events)
	r.mu.Lock()
	set := r.secret != ""
	r.mu.Unlock()
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{"URL": "http://" + req.Host + "/events", "Events": events, "Set": set}); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the browser may be gone
}
