package mailbox

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageText string

// policy lets a page show its own styles and those of a mail, and nothing else: no script, no picture from elsewhere.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// list is what the list of mails shows.
type list struct {
	To         string // searched for
	Mails      []Mail // newest first
	Kept, Came int
}

// one is what a mail's page shows.
type one struct {
	Mail
	CanBounce bool
}

// Framed is the HTML of a mail as its frame shows it: links open in a page of their own, since they may not be framed.
func (m Mail) Framed() string { return `<!doctype html><base target="_blank">` + m.HTML }

// Handler shows the mails: a list at its root, with ?to= those to addresses that contain this, and each mail at mail/{number}, with a button that sends it back.
// Its links are relative, so it works under any prefix that http.StripPrefix takes off.
func (b *Box) Handler() http.Handler {
	pages := template.Must(template.New("").Parse(pageText))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		show(w, pages, "list", b.list(r.URL.Query().Get("to")))
	})
	mux.HandleFunc("GET /mail/{number}", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("number"))
		mails := b.Mails()
		i := slices.IndexFunc(mails, func(m Mail) bool { return m.Number == number })
		if err != nil || i < 0 {
			http.Error(w, "There is no such mail, or no longer.", http.StatusNotFound)
			return
		}
		show(w, pages, "mail", one{mails[i], b.bounces != "" && !mails[i].Bounced})
	})
	mux.HandleFunc("POST /mail/{number}/bounce", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("number"))
		if err == nil {
			err = b.Bounce(r.Context(), number)
		}
		if err != nil {
			http.Error(w, "It could not be sent back: "+err.Error()+".", http.StatusBadGateway)
			return
		}
		w.Header().Set("Location", "../"+strconv.Itoa(number))
		w.WriteHeader(http.StatusSeeOther)
	})
	return mux
}

func (b *Box) list(to string) list {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := list{To: strings.TrimSpace(to), Kept: len(b.mails), Came: b.came}
	for _, m := range slices.Backward(b.mails) {
		if strings.Contains(strings.ToLower(m.To), strings.ToLower(l.To)) {
			l.Mails = append(l.Mails, m)
		}
	}
	return l
}

func show(w http.ResponseWriter, pages *template.Template, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w)
}
