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

	"idgate/app/ledger"
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
	w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
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
	err = json.Unmarshal(b, v)
	if len(b) == 0 {
		err = errNoBody
	}
	if err != nil {
		p := refuse(http.StatusBadRequest, "bad_request", "the body is not the JSON object that is expected here").because(err)
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			p = refuse(http.StatusBadRequest, "bad_request", fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value)).at(wrong.Field).because(err)
		}
		return p
	}
	return nil
}

var errNoBody = errors.New("the body is empty")

// readOptional is readBody for a request that may do without a body.
func readOptional(r *http.Request, v any) error {
	err := readBody(r, v)
	if p := (*problem)(nil); errors.As(err, &p) && errors.Is(p.cause, errNoBody) {
		return nil
	}
	return err
}

var scriptFile = regexp.MustCompile(`^gate\.([0-9a-f]{16})\.js$`)

// script serves any version ever published, for ever.
func (s *Server) script(w http.ResponseWriter, r *http.Request) error {
	m := scriptFile.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		return refuse(http.StatusNotFound, "not_found", "no such script")
	}
	body, err := s.published(r, m[1])
	if err != nil {
		return err
	}
	// BigCommerce adds crossorigin="anonymous" for the integrity check, so anybody may read it.
	s.serveScript(w, body, "public, max-age=31536000, immutable")
	return nil
}

// published is a script from memory. One that is not there yet is read within the address's rate.
func (s *Server) published(r *http.Request, hash string) ([]byte, error) {
	if body, ok := s.scripts.Load(hash); ok {
		return body.([]byte), nil
	}
	if err := s.mayCall(r); err != nil {
		return nil, err
	}
	body, err := s.Ledger.PublishedScript(r.Context(), hash)
	if err == nil {
		s.scripts.Store(hash, body)
	}
	return body, err
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
			if err := s.keepReport(r, shop, b.Channel, what); err != nil {
				return err
			}
			s.Log.Warn("a checkout page no longer looks as expected", "shop", shop.Hash, "channel", b.Channel, "missing", what)
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// keepReport counts a report for the Health page. A busy page's are as telling as a few, so not every one costs a write.
func (s *Server) keepReport(r *http.Request, shop *ledger.Shop, channel int64, what string) error {
	ours := slices.ContainsFunc(shop.Channels, func(c ledger.Channel) bool { return c.ID == channel })
	if !ours || !s.limits.allow(fmt.Sprintf("canary %s %d %s", shop.Hash, channel, what), 1.0/60, 5) {
		return nil
	}
	return s.Ledger.ReportPage(r.Context(), shop.Hash, channel, what, s.Now())
}

var canaryWord = regexp.MustCompile(`^(submit_button|order_call|payment_step|checkout_app)$`)
