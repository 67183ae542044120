package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// CapabilityHeader carries a Capability; never a URL.
const CapabilityHeader = "Idgate-Capability"

// cors lets the Shop's own origins read the answer, and refuses a browser on any other. A caller without an Origin is no browser,
// and gets nothing that it could not forge its way to.
func (s *Server) cors(w http.ResponseWriter, r *http.Request, shop *ledger.Shop) error {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return nil
	case !slices.Contains(shop.Origins(), origin):
		return refuse(http.StatusForbidden, "forbidden", "this origin is not one of the shop's storefronts: "+strconv.Quote(origin))
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return nil
}

// preflight answers for any origin that some Shop has; the request itself is held to its own Shop's.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) error {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	known := slices.ContainsFunc(s.Ledger.Shops(), func(shop *ledger.Shop) bool { return slices.Contains(shop.Origins(), origin) })
	if !known {
		return refuse(http.StatusForbidden, "forbidden", "this origin is not a storefront known here")
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type, "+CapabilityHeader)
	h.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBody reads a JSON object of known fields, whatever its content type says: a script posts text/plain to be spared a preflight.
func readBody(r *http.Request, v any) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return refuse(http.StatusBadRequest, "bad_request", "the body could not be read").because(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		p := refuse(http.StatusBadRequest, "bad_request", "the body is not the JSON object that is expected here").because(err)
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			p = refuse(http.StatusBadRequest, "bad_request", fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value)).at(wrong.Field).because(err)
		}
		return p
	}
	return nil
}

var scriptFile = regexp.MustCompile(`^gate\.([0-9a-f]{16})\.js$`)

// script serves any version ever published, for ever.
func (s *Server) script(w http.ResponseWriter, r *http.Request) error {
	m := scriptFile.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		return refuse(http.StatusNotFound, "not_found", "no such script")
	}
	body, err := s.Ledger.PublishedScript(r.Context(), m[1])
	if err != nil {
		return err
	}
	// BigCommerce adds crossorigin="anonymous" for the integrity check, so anybody may read it.
	s.serveScript(w, body, "public, max-age=31536000, immutable")
	return nil
}

// widget serves the current script under a fixed address, for pages that are written by hand. It gates nothing there.
func (s *Server) widget(w http.ResponseWriter, _ *http.Request) error {
	s.serveScript(w, s.Gate, "public, max-age=300")
	return nil
}

func (s *Server) serveScript(w http.ResponseWriter, body []byte, caching string) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", caching)
	_, _ = w.Write(body) // the client may be gone
}

type askBody struct {
	Shop        string `json:"shop"`
	Channel     int64  `json:"channel"`
	CartID      string `json:"cart_id"`
	CustomerJWT string `json:"customer_jwt"`
	Capability  string `json:"capability"`
	Page        string `json:"page"`
	Locale      string `json:"locale"`
}

type needBody struct {
	IAL    int  `json:"ial"`
	Selfie bool `json:"selfie"`
	Age    int  `json:"age"`
}

type answerBody struct {
	Decision    gate.Outcome      `json:"decision"`
	Mode        gate.Mode         `json:"mode"`
	DecisionID  string            `json:"decision_id,omitempty"`
	Capability  string            `json:"capability,omitempty"`
	ExpiresAt   int64             `json:"expires_at,omitempty"`
	Requirement *needBody         `json:"requirement,omitempty"`
	Session     *sessionBody      `json:"session"`
	Unnamed     bool              `json:"unnamed,omitempty"` // the cart does not say yet who is buying
	Texts       map[string]string `json:"texts,omitempty"`
	Lang        string            `json:"lang,omitempty"`
	Dir         string            `json:"dir,omitempty"`
}

// decide answers whether a cart may become an order. The cart's figures come from BigCommerce, the customer from a Current Customer
// JWT or nowhere.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	var b askBody
	if err := readBody(r, &b); err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(b.Shop)
	if err != nil {
		return refuse(http.StatusNotFound, "unknown_shop", "no such shop").at("shop").because(err)
	}
	if err := s.cors(w, r, shop); err != nil {
		return err
	}
	if id, err := uuid.Parse(b.CartID); err != nil || id.String() != strings.ToLower(b.CartID) {
		return refuse(http.StatusBadRequest, "bad_request", "cart_id must be a cart's UUID").at("cart_id")
	}
	if !s.limits.allow("shop "+shop.Hash, 100, 500) || !s.limits.allow("cart "+shop.Hash+b.CartID, 2, 30) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "too many questions about this cart; wait a moment")
	}
	ask := relay.CartAsk{Shop: shop, CartID: strings.ToLower(b.CartID)}
	if b.CustomerJWT != "" {
		c, err := s.BigCommerce.VerifyCurrentCustomer(b.CustomerJWT, shop.Hash)
		if err != nil {
			return refuse(http.StatusUnauthorized, "customer_token", "the Current Customer JWT was refused").at("customer_jwt").because(err)
		}
		ask.CustomerID = c.CustomerID
	}
	if b.Capability != "" {
		// One that has run out or is for another cart is as good as none: a fresh one is given.
		if c, err := s.Ledger.Capability(r.Context(), b.Capability, ledger.ForCart, s.Now()); err == nil {
			ask.Held = &c
		}
	}
	a, err := s.Relay.DecideCart(r.Context(), ask)
	if err != nil {
		return cartProblem(err)
	}
	return s.answer(w, r, shop, a)
}

// cartProblem tells a cart that is not there from a BigCommerce that cannot be asked.
func cartProblem(err error) error {
	if errors.Is(err, bigcommerce.ErrNotFound) {
		return refuse(http.StatusNotFound, "cart_not_found", "BigCommerce has no such cart").at("cart_id").because(err)
	}
	var be *bigcommerce.Error
	if errors.As(err, &be) {
		return refuse(http.StatusServiceUnavailable, "busy", "BigCommerce cannot be asked right now").because(err)
	}
	return err
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, a relay.CartAnswer) error {
	d := a.Decision
	out := answerBody{Decision: d.Outcome, Mode: d.Mode, DecisionID: a.DecisionID}
	if !d.Binds() {
		out.Decision = gate.Allow // shadow and off have no effect on a page
	}
	if out.Decision != gate.Allow {
		need := shownNeed(shop.Policy, d.Requirement)
		out.Requirement = &needBody{IAL: need.IAL, Selfie: need.Selfie, Age: need.LeastAge}
		out.Lang, out.Dir, out.Unnamed = "en", "ltr", a.Unnamed
		out.Texts = views.GateTexts(views.GateTextsData{ShopName: shop.Name, Need: need, Outcome: string(d.Outcome), Reasons: reasons(d.Reasons)})
		if c := a.Capability; c != nil {
			out.Capability, out.ExpiresAt = s.Ledger.Token(*c), c.ExpiresAt.UnixMilli()
		}
		if a.Session != nil {
			n, err := s.sessionBody(r, shop, *a.Session)
			if err != nil {
				return err
			}
			out.Session = &n
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// shownNeed is what the shopper is told: a selfie is named when the evidence mapping asks for one.
func shownNeed(p gate.Policy, q gate.Requirement) views.Need {
	return views.Need{IAL: int(q.IAL), MaxAgeDays: int(q.MaxAge), LeastAge: q.LeastAge, Selfie: p.NeedsSelfie(q), NameMatch: q.NameMatch}
}

func reasons(rs []gate.Reason) []views.Reason {
	out := make([]views.Reason, len(rs))
	for i, r := range rs {
		out[i] = views.Reason{Code: string(r.Code), Detail: r.Detail}
	}
	return out
}

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
	Reason   *reasonBody  `json:"reason"`
	Retry    bool         `json:"retry"`
	Decision gate.Outcome `json:"decision"`
}

// sessionBody is a Session as its own browser sees it.
func (s *Server) sessionBody(r *http.Request, shop *ledger.Shop, n ledger.Session) (sessionBody, error) {
	b := sessionBody{ID: n.ID, State: n.State}
	d, err := s.Relay.SessionDecision(r.Context(), shop, n)
	if err != nil {
		return b, err
	}
	b.Decision = d.Outcome
	if n.State == idv.StateCreated || n.State == idv.StateStarted {
		b.URL = n.CaptureURL
		if b.QR, err = qrSVG(n.CaptureURL); err != nil {
			return b, err
		}
	}
	b.Retry = n.State.Final()
	code := n.Reason
	if n.State == idv.StatePassed && d.Outcome != gate.Allow && code == "" && len(d.Reasons) > 0 {
		code = string(d.Reasons[0].Code)
	}
	if n.State.Final() && d.Outcome != gate.Allow {
		words := views.SessionReasonWords(string(n.State), code, b.Retry)
		b.Reason = &reasonBody{Code: code, Text: words.Text, Next: words.Next}
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
	return shop, c, err
}

func (s *Server) startSession(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.capability(w, r)
	if err != nil {
		return err
	}
	n, err := s.Relay.StartSession(r.Context(), shop, c)
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
		_ = rc.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a server without deadlines does without
		if _, err := io.WriteString(w, text); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(streamFor)
	defer end.Stop()
	for {
		b, err := s.sessionBody(r, shop, n)
		if err != nil {
			return nil // the headers are out; the page falls back to polling
		}
		data, err := json.Marshal(b)
		if err != nil || !send("event: session\ndata: "+string(data)+"\n\n") || n.State.Final() {
			return nil
		}
	wait:
		for {
			select {
			case <-changed:
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

// doorbell is the integration card's POST /bc/result. Whatever it says, it makes us look and never makes us believe, and the answer
// is the same for known and unknown ids.
func (s *Server) doorbell(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		StoreHash string          `json:"store_hash"`
		Result    json.RawMessage `json:"result"`
	}
	if err := readBody(r, &b); err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(b.StoreHash)
	if err == nil {
		if err := s.cors(w, r, shop); err != nil {
			return err
		}
		var result struct {
			SessionID string `json:"session_id"`
		}
		if json.Unmarshal(b.Result, &result) == nil && len(result.SessionID) == 36 {
			if err := s.Relay.Wake(r.Context(), shop.Hash, result.SessionID); err != nil {
				return err
			}
		}
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// canary counts what a page of the Shop no longer has as expected.
func (s *Server) canary(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Shop    string   `json:"shop"`
		Channel int64    `json:"channel"`
		Missing []string `json:"missing"`
	}
	if err := readBody(r, &b); err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(b.Shop)
	if err != nil {
		return refuse(http.StatusNotFound, "unknown_shop", "no such shop").at("shop").because(err)
	}
	if err := s.cors(w, r, shop); err != nil {
		return err
	}
	for _, what := range b.Missing[:min(len(b.Missing), 8)] {
		if canaryWord.MatchString(what) {
			s.counters.canary.WithLabelValues(what).Inc()
			s.Log.Warn("a checkout page no longer looks as expected", "shop", shop.Hash, "channel", b.Channel, "missing", what)
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

var canaryWord = regexp.MustCompile(`^(submit_button|order_call|payment_step|checkout_app)$`)
