package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
)

type reasonBody struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Next string `json:"next"`
}

type sessionBody struct {
	ID       string       `json:"id"`
	State    idv.State    `json:"state"`
	URL      string       `json:"url"`
	QR       string       `json:"qr"`
	Here     bool         `json:"here,omitempty"` // on this device it goes on by our hosted page (POST /v/here), which can lead back to the account
	Reason   *reasonBody  `json:"reason"`
	Retry    bool         `json:"retry"`
	Decision gate.Outcome `json:"decision"`
}

// sessionBody is a Session as its own browser sees it. One that passed is still being processed until its order has weighed the Proof:
// before that nobody can say whether it was enough.
func (s *Server) sessionBody(r *http.Request, shop *ledger.Shop, n ledger.Session) (sessionBody, error) {
	b := sessionBody{ID: n.ID, State: n.State}
	d, due, err := s.Relay.SessionDecision(r.Context(), shop, n)
	if err != nil {
		return b, err
	}
	if b.Decision = d.Outcome; d.Outcome == gate.Hold {
		b.Decision = gate.Verify // an order's: to its buyer it is the same
	}
	switch {
	case n.State == idv.StatePassed && d.Outcome != gate.Allow && due:
		b.State = idv.StateProcessing
		return b, nil
	case n.State == idv.StateCreated || n.State == idv.StateStarted:
		b.URL, b.Here = n.CaptureURL, n.CustomerID != 0 && s.signsBack(shop)
		if b.QR, err = qrSVG(n.CaptureURL); err != nil {
			return b, err
		}
	case n.State.Final():
		left, err := s.Relay.TriesLeft(r.Context(), shop, ledger.Capability{Shop: n.Shop, CartID: n.CartID, OrderID: n.OrderID})
		if err != nil {
			return b, err
		}
		b.Retry = left > 0
	}
	code := n.Reason
	if n.State == idv.StatePassed && d.Outcome != gate.Allow && code == "" && len(d.Reasons) > 0 {
		code = string(d.Reasons[0].Code)
	}
	if n.State.Final() && d.Outcome != gate.Allow {
		said := s.words(r).Ended(words.Ended{State: string(n.State), Code: code, Retry: b.Retry, Documents: documentCodes(shop, n.Requirement)})
		b.Reason = &reasonBody{Code: code, Text: said.Text, Next: said.Next}
	}
	return b, nil
}

// capability opens the cart Capability in the header, for a browser on one of its Shop's own origins.
func (s *Server) capability(w http.ResponseWriter, r *http.Request) (*ledger.Shop, ledger.Capability, error) {
	c, err := s.Ledger.Capability(r.Context(), r.Header.Get(CapabilityHeader), ledger.ForCart, s.Now())
	if c.Shop == "" {
		return nil, c, err
	}
	shop, serr := s.Ledger.Shop(c.Shop)
	if serr != nil {
		return nil, c, serr
	}
	if cerr := s.cors(w, r, shop); cerr != nil {
		return nil, c, cerr
	}
	speak(r, shop, c.Locale)
	speakOn(r, c.Channel)
	return shop, c, err
}

// Sessions that may begin from one client address: 30 at once, then one in ten minutes. An office or a mobile network shares one, so it is more
// than any shopper needs; and it is 174 a day, so that no address comes near a shop's whole budget of a day (ledger.DefaultBudget), nor the
// addresses of one site, a /48, past two thirds of it.
const (
	startsPerSecond = 1.0 / 600
	startsAtOnce    = 30
)

// Tries to begin one, which while the provider is down begin none: 60 at once, then one a minute.
const (
	triesPerSecond = 1.0 / 60
	triesAtOnce    = 60
)

// addressMayStart holds the beginning of a Session to its address's limits.
func (s *Server) addressMayStart(r *http.Request) error {
	if !s.allowFrom(r, "tries", triesPerSecond, triesAtOnce) || !s.allowFrom(r, "sessions", startsPerSecond, startsAtOnce) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "too many verifications begun from this address; wait a while")
	}
	return nil
}

// started gives an address back what addressMayStart took of its Sessions, where the provider has begun none.
func (s *Server) started(r *http.Request, err error) {
	if errors.Is(err, relay.ErrProviderDown) {
		s.giveBackTo(r, "sessions")
	}
}

// startSession begins a Session for the holder of a cart's Capability.
func (s *Server) startSession(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.capability(w, r)
	if err != nil {
		return err
	}
	var in struct {
		Locale   string `json:"locale"`
		Document string `json:"document"`
	}
	if err := readOptional(r, &in); err != nil {
		return err
	}
	speak(r, nil, in.Locale)
	if err := s.addressMayStart(r); err != nil {
		return err
	}
	n, err := s.Relay.StartSession(r.Context(), shop, c, in.Document)
	s.started(r, err)
	if err != nil {
		return sessionProblem(err)
	}
	b, err := s.sessionBody(r, shop, n)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, b)
	return nil
}

func sessionProblem(err error) error {
	switch {
	case errors.Is(err, relay.ErrDocument):
		return refuse(http.StatusUnprocessableEntity, "document", "not a kind of document that is accepted here").at("document").because(err)
	case errors.Is(err, relay.ErrTooManyTries):
		return refuse(http.StatusTooManyRequests, "retries_spent", "no more tries for this order today").because(err)
	case errors.Is(err, relay.ErrNothingToProve):
		return refuse(http.StatusConflict, "nothing_to_verify", "nothing has to be proved here").because(err)
	case errors.Is(err, relay.ErrBuyerUnknown):
		return refuse(http.StatusConflict, "buyer_unknown", "the e-mail and the address are needed first").because(err)
	case errors.Is(err, relay.ErrProviderDown):
		return refuse(http.StatusServiceUnavailable, "provider_down", "the verification service cannot be reached").because(err)
	}
	return err
}

// ownSession returns the Session in the path, if the Capability started it. Another's is as unknown as none.
func (s *Server) ownSession(w http.ResponseWriter, r *http.Request) (*ledger.Shop, ledger.Session, error) {
	shop, c, err := s.capability(w, r)
	if err != nil {
		return nil, ledger.Session{}, err
	}
	n, err := s.Ledger.Session(r.Context(), r.PathValue("id"))
	if errors.Is(err, ledger.ErrNotFound) || err == nil && !slices.Equal(n.Capability, c.ID) {
		return nil, n, refuse(http.StatusForbidden, "capability_wrong", "this capability did not start that session").at("id")
	}
	return shop, n, err
}

func (s *Server) readSession(w http.ResponseWriter, r *http.Request) error {
	shop, n, err := s.ownSession(w, r)
	if err != nil {
		return err
	}
	b, err := s.sessionBody(r, shop, n)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, b)
	return nil
}

// A stream is ended after a while in any case; the page reads on by polling or a new stream.
const (
	streamFor = 10 * time.Minute
	heartbeat = 15 * time.Second

	weighAgain = time.Second // until an order has weighed its Proof, of which no bell tells
)

// followSession sends the Session after each change of its state, as server-sent events, until it is final.
func (s *Server) followSession(w http.ResponseWriter, r *http.Request) error {
	shop, n, err := s.ownSession(w, r)
	if err != nil {
		return err
	}
	changed, stop := s.Relay.Watch(n.ID)
	defer stop()
	if n, err = s.Ledger.Session(r.Context(), n.ID); err != nil { // after Watch, so that no change falls between
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(w)
	send := func(text string) bool {
		// Over HTTP/2 a deadline ends the stream even while nothing is written, so it lies beyond the next heartbeat. A server without
		// deadlines does without.
		_ = rc.SetWriteDeadline(time.Now().Add(heartbeat + 10*time.Second))
		if _, err := io.WriteString(w, text); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(streamFor)
	defer end.Stop()
	var sent []byte
	for {
		b, err := s.sessionBody(r, shop, n)
		if err != nil {
			return nil // the headers are out; the page falls back to polling
		}
		data, err := json.Marshal(b)
		if err != nil || !bytes.Equal(data, sent) && !send("event: session\ndata: "+string(data)+"\n\n") || b.State.Final() {
			return nil
		}
		sent = data
		var weigh <-chan time.Time
		if n.State.Final() {
			weigh = time.After(weighAgain)
		}
	wait:
		for {
			select {
			case <-changed:
				break wait
			case <-weigh:
				break wait
			case <-beat.C:
				if !send(": still here\n\n") {
					return nil
				}
			case <-end.C:
				return nil
			case <-s.Done:
				return nil
			case <-r.Context().Done():
				return nil
			}
		}
		if n, err = s.Ledger.Session(r.Context(), n.ID); err != nil {
			return nil
		}
	}
}
