package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// Bounds of an endpoint.
const (
	maxEndpointURL  = 500 // bytes
	maxEndpointNote = 200 // characters
)

// webhooks lists the Shop's endpoints.
func (s *Server) webhooks(w http.ResponseWriter, r *http.Request, v visit) error {
	form := views.EndpointForm{Types: views.TellingTypes()}
	return s.showWebhooks(w, r, v, http.StatusOK, views.WebhooksData{Form: form})
}

func (s *Server) showWebhooks(w http.ResponseWriter, r *http.Request, v visit, status int, d views.WebhooksData) error {
	es, err := s.Ledger.Endpoints(r.Context(), v.Shop)
	if err != nil {
		return err
	}
	d.Layout, d.ReadOnly, d.Most, d.Full = s.layout(v, r), !v.may(ledger.Manager), strconv.Itoa(ledger.MaxEndpoints), len(es) >= ledger.MaxEndpoints
	d.Example = exampleEvent(v.Shop)
	for _, e := range es {
		row := views.EndpointRow{ID: strconv.FormatInt(e.ID, 10), URL: e.URL, Note: e.Note, State: endpointCode(e), Types: typeTexts(e.Types)}
		if row.Waiting, row.Failed, err = s.deliveryCounts(r, v, e.ID); err != nil {
			return err
		}
		d.Endpoints = append(d.Endpoints, row)
	}
	return render(w, r, status, views.Webhooks(d))
}

// deliveryCounts are how many events wait and how many have failed, as people read it: "" for none, "1,000+" for many.
func (s *Server) deliveryCounts(r *http.Request, v visit, endpoint int64) (waiting, failed string, err error) {
	const most = 1000
	n, f, err := s.Ledger.DeliveryCounts(r.Context(), v.Shop.Hash, endpoint)
	p := present(v.Shop)
	text := func(n int64) string {
		if n == 0 {
			return ""
		}
		return p.count(min(n, most), n > most)
	}
	return text(n), text(f), err
}

// endpointCode is how an endpoint stands, as the views name it.
func endpointCode(e ledger.Endpoint) string {
	if e.State == ledger.EndpointOff {
		return e.Why
	}
	return string(e.State)
}

func typeTexts(types []ledger.EventType) []string {
	var out []string
	for _, t := range ledger.EventTypes() {
		if slices.Contains(types, t) {
			out = append(out, string(t))
		}
	}
	return out
}

// exampleEvent is an event of this Shop's as it could be posted, set out in lines.
func exampleEvent(shop *ledger.Shop) string {
	at := time.Date(2026, 3, 10, 9, 12, 41, 0, time.UTC)
	ial, until, liveID := 2, at.AddDate(0, 6, 0), true
	return indented(ledger.Event{Type: ledger.OrderReleased, At: at, Data: ledger.EventData{Shop: shop.Hash, OrderID: 1046, CustomerID: 7,
		CartID: "5f4c1a52-7c8e-4a39-9a61-2d3f6c1f0b7e", State: "released", Hold: 1, StatusID: 11, DecisionID: "0195f6a0-2b1c-7d3e-8f4a-5b6c7d8e9f00", Outcome: gate.Allow, MadeBy: ledger.ByRule,
		Codes: []string{string(gate.ProofOK)}, ProofID: "0195f69f-9d20-7c11-8a77-0e1f2a3b4c5d", IAL: &ial, IALSource: gate.SourcePolicy, LiveID: &liveID, GoodUntil: &until, Policy: 3,
		Receipt: "eyJhbGciOiJFZERTQSIsImtpZCI6…"}})
}

func indented(e any) string {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}

// addEndpoint adds an endpoint. Its secret is shown by a step of its own: what may be seen once does not stand at an address.
func (s *Server) addEndpoint(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := endpointForm(values)
	n, wrong := readEndpoint(form, s.onLoopback())
	if len(wrong) > 0 {
		return s.showWebhooks(w, r, v, http.StatusUnprocessableEntity, views.WebhooksData{Form: form, Errors: wrong})
	}
	id, err := s.Ledger.AddEndpoint(r.Context(), v.Shop, n, s.Now())
	if errors.Is(err, ledger.ErrTooManyEndpoints) {
		return s.showWebhooks(w, r, v, http.StatusUnprocessableEntity, views.WebhooksData{Form: form,
			Errors: map[string]string{views.EndpointURLField: "remove an endpoint first: the shop has as many as it may have"}})
	}
	if err != nil {
		return err
	}
	s.Log.Info("endpoint added", "shop", v.Shop.Hash, "endpoint", id, "host", n.Host, "by", v.User.Email)
	return toEndpoint(w, r, v, id, "endpoint_added")
}

// toEndpoint is back, to an endpoint's page.
func toEndpoint(w http.ResponseWriter, r *http.Request, v visit, id int64, flash string) error {
	text := strconv.FormatInt(id, 10)
	return back(w, r, v, "/webhooks/"+text, views.Flash{Code: flash, Value: text})
}

func endpointForm(values url.Values) views.EndpointForm {
	return views.EndpointForm{URL: strings.TrimSpace(values.Get(views.EndpointURLField)), Note: strings.Join(strings.Fields(values.Get(views.EndpointNoteField)), " "),
		Types: values[views.EndpointTypesField]}
}

// readEndpoint reads the form; wrong is what views.FieldError takes, by field.
func readEndpoint(f views.EndpointForm, loopback bool) (n ledger.NewEndpoint, wrong map[string]string) {
	wrong = map[string]string{}
	p := policyReader{wrong}
	var code string
	n.URL, n.Host, code = parseEndpointURL(f.URL, loopback)
	p.refuse(views.EndpointURLField, code)
	known := ledger.EventTypes()
	for _, t := range f.Types {
		if !slices.Contains(known, ledger.EventType(t)) {
			p.refuse(views.EndpointTypesField, "unknown_choice")
		}
		n.Types = append(n.Types, ledger.EventType(t))
	}
	if len(n.Types) == 0 {
		p.refuse(views.EndpointTypesField, "no_event")
	}
	switch {
	case utf8.RuneCountInString(f.Note) > maxEndpointNote:
		p.refuse(views.EndpointNoteField, "too_long:"+strconv.Itoa(maxEndpointNote))
	case spoilt(f.Note):
		p.refuse(views.EndpointNoteField, "write it without control characters")
	}
	n.Note = f.Note
	return n, wrong
}

// parseEndpointURL reads an address that events may be posted to, in one spelling, or says in a code what is wrong with it: https to a public
// name, on port 443 or one of those that are nobody's by custom. On a loopback server plain http to this very machine is taken too. Where a
// name leads is checked when it is called (package dial).
func parseEndpointURL(text string, loopback bool) (address, host, code string) {
	switch {
	case text == "":
		return "", "", "required"
	case len(text) > maxEndpointURL:
		return "", "", "too_long:" + strconv.Itoa(maxEndpointURL)
	case spoilt(text) || strings.ContainsAny(text, " \\#"):
		return "", "", "not_a_url"
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User != nil {
		return "", "", "not_a_url"
	}
	local := loopback && loopbackName(u.Hostname())
	switch {
	case u.Scheme == "" || u.Host == "":
		return "", "", "not_a_url"
	case u.Scheme != "https" && !(local && u.Scheme == "http"):
		return "", "", "not_https"
	case local && u.Scheme == "http":
		host = strings.ToLower(u.Hostname())
	default:
		name := u.Hostname()
		if strings.HasPrefix(u.Host, "[") {
			name = "[" + name + "]"
		}
		if host, code = parseHost(name, false); code == "not_a_host" {
			return "", "", "not_a_url"
		} else if code != "" {
			return "", "", code
		}
	}
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return "", "", "not_a_url"
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || strconv.FormatUint(n, 10) != port || n != 443 && n < 1024 {
			return "", "", "port_refused"
		}
	}
	u.Host = host
	if port != "" && (port != "443" || u.Scheme != "https") {
		u.Host += ":" + port
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), host, ""
}

// hostOf is the host of a stored address, for what says no more of it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return u.Hostname()
}
