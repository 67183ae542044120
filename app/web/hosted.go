package web

import (
	"errors"
	"fmt"
	"net/http"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const linkCookie = "__Host-idgate-link"

// openLink takes the one secret that stands in a URL out of it: into a cookie, and on to a clean address. It consumes nothing, since
// mail scanners open links too.
func (s *Server) openLink(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	c, err := s.Ledger.Capability(r.Context(), token, ledger.ForMail, s.Now())
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	http.SetCookie(w, &http.Cookie{Name: linkCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(c.ExpiresAt.Sub(s.Now()).Seconds())})
	http.Redirect(w, r, "/v/", http.StatusSeeOther)
	return nil
}

func (s *Server) deadLink(w http.ResponseWriter, r *http.Request, c ledger.Capability, err error) error {
	data := views.ExpiredLinkData{Frame: s.frame(), Code: "unknown"}
	status := http.StatusForbidden
	switch {
	case errors.Is(err, ledger.ErrExpiredCapability):
		data.Code, status = "expired", http.StatusGone
	case errors.Is(err, ledger.ErrBadCapability):
	default:
		return err
	}
	if shop, err := s.Ledger.Shop(c.Shop); err == nil {
		data.ShopName = shop.Name
	}
	return render(w, r, status, views.ExpiredLink(data))
}

// link opens the Capability in the cookie.
func (s *Server) link(r *http.Request) (*ledger.Shop, ledger.Capability, error) {
	k, err := r.Cookie(linkCookie)
	if err != nil {
		return nil, ledger.Capability{}, ledger.ErrBadCapability
	}
	c, err := s.Ledger.Capability(r.Context(), k.Value, ledger.ForMail, s.Now())
	if err != nil {
		return nil, c, err
	}
	shop, err := s.Ledger.Shop(c.Shop)
	return shop, c, err
}

// verifyPage shows where the order behind the link stands. Without JavaScript it refreshes itself while something is under way.
func (s *Server) verifyPage(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.link(r)
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	return s.showVerify(w, r, shop, c, http.StatusOK)
}

func (s *Server) showVerify(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, c ledger.Capability, status int) error {
	o, err := s.Ledger.Order(r.Context(), shop, c.OrderID)
	if err != nil {
		return err
	}
	d, err := s.Ledger.Decision(r.Context(), shop.Hash, o.DecisionID)
	if err != nil {
		return err
	}
	data := views.VerifyData{Frame: s.frame(), ShopName: shop.Name, OrderNumber: fmt.Sprint(o.ID), Need: shownNeed(shop.Policy, d.Requirement),
		Reasons: reasons(d.Reasons), Outcome: string(d.Outcome), Retry: true, Expires: s.when(shop, c.ExpiresAt)}
	if len(shop.Channels) > 0 && len(shop.Channels[0].Origins) > 0 {
		data.ShopURL = shop.Channels[0].Origins[0]
	}
	if o.Hold == ledger.Released || o.Hold == ledger.Releasing {
		data.Outcome = string(gate.Allow)
	}
	n, err := s.Ledger.CapabilitySession(r.Context(), c)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
	case err != nil:
		return err
	default:
		b, err := s.sessionBody(r, shop, n)
		if err != nil {
			return err
		}
		data.State, data.SessionReason, data.CaptureURL, data.QRSVG = string(n.State), n.Reason, b.URL, b.QR
		if !n.State.Final() {
			data.Expires = s.when(shop, n.Deadline) // the link lasts longer, but this try has to end before
		}
	}
	if status == http.StatusTooManyRequests {
		data.Retry = false
	}
	return render(w, r, status, views.VerifyPage(data))
}

// verifyStart begins a Session for the order behind the link, or goes on with the one under way.
func (s *Server) verifyStart(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.link(r)
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	_, err = s.Relay.StartSession(r.Context(), shop, c)
	switch {
	case errors.Is(err, relay.ErrNothingToProve):
	case errors.Is(err, relay.ErrTooManyTries):
		return s.showVerify(w, r, shop, c, http.StatusTooManyRequests)
	case err != nil:
		return sessionProblem(err)
	}
	http.Redirect(w, r, "/v/", http.StatusSeeOther)
	return nil
}
