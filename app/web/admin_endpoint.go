package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// failingNotice is how long an endpoint fails until it wants somebody's eye: shorter trouble passes by itself.
const failingNotice = relay.FailingNotice

// endpointInPath is the endpoint that the address names. Another Shop's are unknown here.
func (s *Server) endpointInPath(r *http.Request, v visit) (ledger.Endpoint, error) {
	id, err := parseID(r.PathValue("endpoint"))
	if err != nil {
		return ledger.Endpoint{}, err
	}
	return s.Ledger.Endpoint(r.Context(), v.Shop, id)
}

// endpoint shows one endpoint and how what was sent to it went.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	return s.showEndpoint(w, r, v, http.StatusOK, e, views.EndpointData{Form: endpointFormOf(e)})
}

func endpointFormOf(e ledger.Endpoint) views.EndpointForm {
	return views.EndpointForm{URL: e.URL, Note: e.Note, Types: typeTexts(e.Types)}
}

func (s *Server) showEndpoint(w http.ResponseWriter, r *http.Request, v visit, status int, e ledger.Endpoint, d views.EndpointData) error {
	p, now, q := present(v.Shop), s.Now(), r.URL.Query()
	d.Layout, d.ID, d.URL, d.State, d.ReadOnly = s.layout(v, r), strconv.FormatInt(e.ID, 10), e.URL, endpointCode(e), !v.may(ledger.Manager)
	d.OffAt, d.Unseen = p.when(e.OffAt), e.Unseen
	if !e.FailingSince.IsZero() && e.State == ledger.EndpointOn {
		d.FailingSince = p.when(e.FailingSince)
		if e.WaitUntil.After(now) {
			d.WaitUntil = p.when(e.WaitUntil)
		}
	}
	if e.OldUntil.After(now) {
		d.OldUntil = p.when(e.OldUntil)
	}
	switch q.Get("log") {
	case "":
	case "failed":
		d.OnlyFailed = true
	default:
		return refuse(http.StatusBadRequest, "bad_request", "no such filter").at("log")
	}
	var below int64
	if text := q.Get("before"); text != "" {
		var err error
		if below, err = parseID(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the log").at("before")
		}
		d.Paged = true
	}
	rows, err := s.Ledger.Deliveries(r.Context(), v.Shop.Hash, e.ID, d.OnlyFailed, below, pageLength+1)
	if err != nil {
		return err
	}
	if len(rows) > pageLength {
		rows = rows[:pageLength]
		d.Older = strconv.FormatInt(rows[pageLength-1].ID, 10)
	}
	for _, x := range rows {
		d.Deliveries = append(d.Deliveries, p.deliveryRow(x, now))
	}
	if d.Waiting, d.Failed, err = s.deliveryCounts(r, v, e.ID); err != nil {
		return err
	}
	return render(w, r, status, views.WebhookEndpoint(d))
}

func (p presenter) deliveryRow(x ledger.StoredDelivery, now time.Time) views.DeliveryRow {
	out := views.DeliveryRow{ID: strconv.FormatInt(x.ID, 10), EventID: x.EventID, Type: string(x.Type), State: x.State, Tries: strconv.FormatInt(x.Tries, 10), Excerpt: x.Posted.Excerpt,
		Trouble: x.Posted.Trouble, Made: p.when(x.MadeAt), Tried: p.when(x.Posted.At)}
	if x.Posted.Status != 0 {
		out.Status = strconv.Itoa(x.Posted.Status)
	}
	if !x.Posted.At.IsZero() {
		out.Took = x.Posted.Took.Round(time.Millisecond).String()
	}
	switch {
	case x.Trying:
		out.State = "trying"
	case x.State == "pending" && !x.DueAt.After(now):
		out.Soon = true
	case x.State == "pending":
		out.Next = p.when(x.DueAt)
	}
	return out
}

// saveEndpoint changes what was entered of an endpoint.
func (s *Server) saveEndpoint(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	form := endpointForm(values)
	n, wrong := readEndpoint(form, s.onLoopback())
	if len(wrong) > 0 {
		return s.showEndpoint(w, r, v, http.StatusUnprocessableEntity, e, views.EndpointData{Form: form, Errors: wrong})
	}
	if err := s.Ledger.SaveEndpoint(r.Context(), v.Shop.Hash, e.ID, n, s.Now()); err != nil {
		return err
	}
	s.Log.Info("endpoint saved", "shop", v.Shop.Hash, "endpoint", e.ID, "host", n.Host, "by", v.User.Email)
	return toEndpoint(w, r, v, e.ID, "endpoint_saved")
}

// actOnEndpoint does one thing to an endpoint and says so with flash; when the endpoint is not in the state for it any more, it says that.
func (s *Server) actOnEndpoint(flash string, act func(*http.Request, visit, ledger.Endpoint) error) adminHandler {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		e, err := s.endpointInPath(r, v)
		if err != nil {
			return err
		}
		if _, err := posted(r); err != nil {
			return err
		}
		err = act(r, v, e)
		if errors.Is(err, ledger.ErrNotFound) {
			return toEndpoint(w, r, v, e.ID, "endpoint_as_was")
		}
		if err != nil {
			return err
		}
		s.Log.Info("endpoint changed", "shop", v.Shop.Hash, "endpoint", e.ID, "what", flash, "by", v.User.Email)
		return toEndpoint(w, r, v, e.ID, flash)
	}
}

func (s *Server) pauseEndpoint(r *http.Request, v visit, e ledger.Endpoint) error {
	return s.Ledger.PauseEndpoint(r.Context(), v.Shop.Hash, e.ID, s.Now())
}

func (s *Server) resumeEndpoint(r *http.Request, v visit, e ledger.Endpoint) error {
	return s.Ledger.ResumeEndpoint(r.Context(), v.Shop.Hash, e.ID, s.Now())
}

func (s *Server) rotateEndpoint(r *http.Request, v visit, e ledger.Endpoint) error {
	return s.Ledger.RotateEndpoint(r.Context(), v.Shop, e, s.Now())
}

func (s *Server) stopOldSecret(r *http.Request, v visit, e ledger.Endpoint) error {
	return s.Ledger.StopOldSecret(r.Context(), v.Shop.Hash, e.ID, s.Now())
}

// pingEndpoint sends a test event. A few at a time: each is a request that somebody makes us send.
func (s *Server) pingEndpoint(r *http.Request, v visit, e ledger.Endpoint) error {
	if !s.limits.allow("test events of "+v.Shop.Hash, 0.2, 5) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "too many test events; wait a moment")
	}
	return s.Ledger.TestEndpoint(r.Context(), v.Shop.Hash, e.ID, s.Now())
}

// askEndpoint asks before an act that cannot be undone.
func (s *Server) askEndpoint(act string) adminHandler {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		e, err := s.endpointInPath(r, v)
		if err != nil {
			return err
		}
		d := views.AskEndpointData{Layout: s.layout(v, r), ID: strconv.FormatInt(e.ID, 10), URL: e.URL, Act: act}
		if d.Waiting, _, err = s.deliveryCounts(r, v, e.ID); err != nil {
			return err
		}
		return render(w, r, http.StatusOK, views.AskEndpoint(d))
	}
}

// removeEndpoint removes an endpoint for good.
func (s *Server) removeEndpoint(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	if err := s.Ledger.RemoveEndpoint(r.Context(), v.Shop.Hash, e.ID, s.Now()); err != nil {
		return err
	}
	s.Log.Info("endpoint removed", "shop", v.Shop.Hash, "endpoint", e.ID, "by", v.User.Email)
	return back(w, r, v, "/webhooks", views.Flash{Code: "endpoint_removed", Value: strconv.FormatInt(e.ID, 10)})
}

// showSecret answers with the page itself, once: a page to go to would have the secret at an address. Asked again, it says so.
func (s *Server) showSecret(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	secret, err := s.Ledger.RevealSecret(r.Context(), v.Shop, e.ID, s.Now())
	if errors.Is(err, ledger.ErrNotFound) {
		return toEndpoint(w, r, v, e.ID, "endpoint_seen")
	}
	if err != nil {
		return err
	}
	s.Log.Info("endpoint's secret shown", "shop", v.Shop.Hash, "endpoint", e.ID, "by", v.User.Email)
	return s.showEndpoint(w, r, v, http.StatusOK, e, views.EndpointData{Form: endpointFormOf(e), Secret: secret})
}

// delivery shows one delivery with what is posted.
func (s *Server) delivery(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	id, err := parseID(r.PathValue("delivery"))
	if err != nil {
		return err
	}
	x, err := s.Ledger.Delivery(r.Context(), v.Shop.Hash, e.ID, id)
	if err != nil {
		return err
	}
	var payload bytes.Buffer
	if err := json.Indent(&payload, x.Payload, "", "  "); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.WebhookDelivery(views.DeliveryData{Layout: s.layout(v, r), Endpoint: strconv.FormatInt(e.ID, 10), URL: e.URL, On: e.State == ledger.EndpointOn,
		Delivery: present(v.Shop).deliveryRow(x, s.Now()), Payload: payload.String(), ReadOnly: !v.may(ledger.Manager)}))
}

// resend makes one delivery due again, or all that failed.
func (s *Server) resend(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := s.endpointInPath(r, v)
	if err != nil {
		return err
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	n := int64(1)
	if text := values.Get(views.DeliveryField); text != "" {
		var id int64
		if id, err = parseID(text); err == nil {
			err = s.Ledger.ResendDelivery(r.Context(), v.Shop.Hash, e.ID, id, s.Now())
		}
	} else {
		n, err = s.Ledger.ResendFailed(r.Context(), v.Shop.Hash, e.ID, s.Now())
	}
	if err != nil {
		return err
	}
	s.Log.Info("events sent again", "shop", v.Shop.Hash, "endpoint", e.ID, "events", n, "by", v.User.Email)
	return back(w, r, v, "/webhooks/"+strconv.FormatInt(e.ID, 10), views.Flash{Code: "endpoint_resent", Value: strconv.FormatInt(n, 10)})
}
