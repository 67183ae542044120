package kosmos

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

//go:embed page.html
var pageHTML string

func parsePage() *template.Template {
	return template.Must(template.New("page").Parse(pageHTML))
}

// view is what the page shows.
type view struct {
	Session
	View       string // one of the templates' cases
	Action     string
	AsksName   bool
	Name       string
	People     []character
	DocumentIn string // the document's name in a sentence
	Problem    string
	All        []Session // on the front page, newest first
	status     int       // 0 means 200
}

// maxListed is how many sessions the front page shows.
const maxListed = 20

// front is where a demo's user finds the sessions without a phone to scan with.
func (t *Tenant) front(w http.ResponseWriter, _ *http.Request) {
	all := t.Sessions()
	slices.Reverse(all)
	t.render(w, view{View: "front", All: all[:min(len(all), maxListed)]}, nil)
}

func (t *Tenant) showSession(w http.ResponseWriter, r *http.Request) {
	var v view
	err := t.change(r.PathValue("id"), func(s *Session) error {
		if s.Phase == Waiting && r.Method == http.MethodGet {
			s.Phase = Opened
		}
		v = phoneView(*s)
		return nil
	})
	t.render(w, v, err)
}

func phoneView(s Session) view {
	v := view{Session: s, View: string(s.Phase), Action: "/idproofing/session/" + s.ID, People: characters()}
	v.DocumentIn = map[string]string{
		"dl_object": "driver’s licence", "ppt_object": "passport", "idcard_object": "identity card",
	}[s.Document]
	v.AsksName = s.FirstName == "" && s.LastName == ""
	if v.Name = strings.TrimSpace(s.FirstName + " " + s.LastName); v.AsksName {
		v.Name = defaultName
	}
	return v
}

func (t *Tenant) chooseOnPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	person, name := Person(r.PostFormValue("person")), strings.TrimSpace(r.PostFormValue("name"))
	if r.PostFormValue("answer") == "decline" {
		person = Declines
	}
	if _, ok := findCharacter(person); !ok || len(name) > 80 {
		var v view
		err := t.change(r.PathValue("id"), func(s *Session) error { v = phoneView(*s); return nil })
		v.Problem = "Choose one of the people below, with a name of at most 80 letters."
		v.status = http.StatusBadRequest
		t.render(w, v, err)
		return
	}
	t.back(w, r, "", t.choose(r.PathValue("id"), person, name))
}

func (t *Tenant) showReview(w http.ResponseWriter, r *http.Request) {
	var v view
	err := t.change(r.PathValue("id"), func(s *Session) error {
		v = phoneView(*s)
		v.View, v.Action = "reviewer", v.Action+"/review"
		if s.Phase != InReview {
			v.View = "reviewed"
		}
		return nil
	})
	t.render(w, v, err)
}

func (t *Tenant) reviewOnPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	t.back(w, r, "/review", t.Review(r.PathValue("id"), Verdict(r.PostFormValue("verdict"))))
}

// back ends a POST. A session that has been decided meanwhile shows how, without a complaint.
func (t *Tenant) back(w http.ResponseWriter, r *http.Request, page string, err error) {
	switch {
	case err == nil || errors.Is(err, errDecided):
		http.Redirect(w, r, "/idproofing/session/"+r.PathValue("id")+page, http.StatusSeeOther)
	case errors.Is(err, errNoSession):
		t.render(w, view{}, err)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (t *Tenant) render(w http.ResponseWriter, v view, err error) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address is the key to the session
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if err != nil {
		v.View, v.status = "unknown", http.StatusNotFound
	}
	var page bytes.Buffer
	if err := t.page.Execute(&page, v); err != nil {
		t.opts.Log.Error("rendering page", "err", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	w.Write(page.Bytes())
}
