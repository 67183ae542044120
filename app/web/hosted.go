package web

import (
	"errors"
	"net/http"
	"strings"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

const linkCookie = "__Host-idgate-link"

// hosted is the shopper's page behind a mailed link. What goes wrong is told in the shopper's language.
func (s *Server) hosted(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, t := talking(r)
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := error(refuse(http.StatusTooManyRequests, "rate_limited", "too many requests; wait a moment"))
		if s.limits.allow("hosted "+s.address(r), 5, 30) {
			err = h(w, r)
		}
		if err == nil {
			return
		}
		p := toShopper(err)
		s.note(r, p)
		retryAfter(w, p)
		said := s.words(r).Refusal(p.code)
		data := s.deadLinkData(r, t.shop)
		data.Title, data.Text, data.Next, data.Retry = s.words(r).Text("dialog.failed_title", nil), said.Text, said.Next, s.words(r).Text("page.look_again", nil)
		if rerr := render(w, r, p.status, views.DeadLink(data)); rerr != nil {
			s.Log.Error("rendering an error page", "error", rerr)
			http.Error(w, http.StatusText(p.status), p.status)
		}
	})
}

// openLink takes the one secret that stands in a URL out of it: into a cookie, and on to a clean address. It consumes nothing, since
// mail scanners open links too.
func (s *Server) openLink(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	c, err := s.Ledger.Capability(r.Context(), token, ledger.ForMail, s.Now())
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	http.SetCookie(w, ownCookie(linkCookie, token, int(c.ExpiresAt.Sub(s.Now()).Seconds())))
	http.SetCookie(w, ownCookie(hereCookie, "", -1)) // whoever comes by mail is signed in nowhere
	http.Redirect(w, r, "/v/", http.StatusSeeOther)
	return nil
}

// deadLink is the page of a link that opens nothing.
func (s *Server) deadLink(w http.ResponseWriter, r *http.Request, c ledger.Capability, err error) error {
	code, status := "unknown", http.StatusForbidden
	switch {
	case errors.Is(err, ledger.ErrExpiredCapability):
		code, status = "expired", http.StatusGone
	case errors.Is(err, ledger.ErrBadCapability):
	default:
		return err
	}
	shop, err := s.Ledger.Shop(c.Shop)
	if err != nil {
		shop = nil
	}
	speak(r, shop, c.Locale)
	speakOn(r, c.Channel)
	return s.showDeadLink(w, r, shop, code, status)
}

func (s *Server) showDeadLink(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, code string, status int) error {
	data, said := s.deadLinkData(r, shop), s.words(r).DeadLink(code)
	data.Title, data.Text, data.Next = said.Title, said.Text, said.Next
	return render(w, r, status, views.DeadLink(data))
}

func (s *Server) deadLinkData(r *http.Request, shop *ledger.Shop) views.DeadLinkData {
	w := s.words(r)
	data := views.DeadLinkData{Frame: s.shopperFrame(w)}
	if shop != nil {
		look := lookFor(r, shop)
		data.ShopName, data.ShopURL, data.Back = look.Name, s.shopURL(r, shop), w.Text("page.back", words.Data{"shop": look.Name})
		data.Look = s.look(shop, look)
		if look.Contact != "" {
			data.Contact = w.Text("page.contact", words.Data{"shop": look.Name, "contact": look.Contact})
		}
	}
	return data
}

// shopperFrame is the frame of a page in the shopper's language.
func (s *Server) shopperFrame(w words.Words) views.Frame {
	f := s.frame()
	f.Lang = w.Lang()
	return f
}

// shopURL is where the storefront of a request's talk is, else the Shop's default one, or "".
func (s *Server) shopURL(r *http.Request, shop *ledger.Shop) string {
	if t, ok := r.Context().Value(talkKey{}).(*talk); ok && t.channel != 0 {
		for _, c := range shop.Channels {
			if c.ID == t.channel && len(c.Origins) > 0 {
				return c.Origins[0]
			}
		}
	}
	if len(shop.Channels) > 0 && len(shop.Channels[0].Origins) > 0 {
		return shop.Channels[0].Origins[0]
	}
	return ""
}

// link opens the Capability in the cookie: a mailed link's, or that of the checkout which the shopper came from.
func (s *Server) link(r *http.Request) (*ledger.Shop, ledger.Capability, error) {
	var c ledger.Capability
	k, err := r.Cookie(linkCookie)
	if err == nil {
		c, err = s.Ledger.Capability(r.Context(), k.Value, ledger.ForMail, s.Now())
	} else {
		_, c, err = s.readHere(r)
	}
	if err != nil {
		return nil, c, err
	}
	shop, err := s.Ledger.Shop(c.Shop)
	if err == nil {
		speak(r, shop, c.Locale)
		speakOn(r, c.Channel)
	}
	return shop, c, err
}

// verifyPage shows where the order or cart behind the link stands. Without JavaScript it refreshes itself while something is under way.
func (s *Server) verifyPage(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.link(r)
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	return s.showVerify(w, r, shop, c, http.StatusOK)
}

// linked is what a link leads to.
type linked struct {
	order   ledger.Order // none behind a cart's link
	d       gate.Decision
	session *ledger.Session
	ordered bool // there is an order by now
	closed  bool // the order is over: nothing is to be verified any more
}

// behindLink looks up what a link leads to now.
func (s *Server) behindLink(r *http.Request, shop *ledger.Shop, c ledger.Capability) (b linked, err error) {
	d, _, err := s.Relay.SessionDecision(r.Context(), shop, ledger.Session{CartID: c.CartID, OrderID: c.OrderID})
	if err != nil {
		return b, err
	}
	b.d, b.ordered = d.Decision, d.OrderID != 0
	if c.OrderID != 0 {
		if b.order, err = s.Ledger.Order(r.Context(), shop, c.OrderID); err != nil {
			return b, err
		}
		speak(r, shop, b.order.Buyer.Locale)
		speakOn(r, b.order.Buyer.Channel)
		asks := b.d.Asks() // a person would like a Proof, though the order may go
		if asks {
			b.d.Outcome = gate.Verify
		}
		switch b.order.Hold {
		case ledger.Released, ledger.Releasing:
			if !asks {
				b.d.Outcome = gate.Allow
			}
		case ledger.Cancelled:
			b.closed = true
		case ledger.NotHeld, ledger.Holding, ledger.Held, ledger.Refused, ledger.Moved, ledger.Leaked, ledger.Cancelling:
		}
		if b.order.PersonSays == "refuse" {
			b.d.Outcome = gate.Refuse
		}
	}
	n, err := s.Ledger.CapabilitySession(r.Context(), c)
	switch {
	case err == nil:
		b.session = &n
	case !errors.Is(err, ledger.ErrNotFound):
		return b, err
	}
	return b, nil
}

func (s *Server) showVerify(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, c ledger.Capability, status int) error {
	b, err := s.behindLink(r, shop, c)
	if err != nil {
		return err
	}
	if b.closed {
		return s.showDeadLink(w, r, shop, "closed", http.StatusGone)
	}
	return s.renderVerify(w, r, shop, c, b, status)
}

func (s *Server) renderVerify(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, c ledger.Capability, b linked, status int) error {
	left, err := s.Relay.TriesLeft(r.Context(), shop, c)
	if err != nil {
		return err
	}
	look := lookFor(r, shop)
	texts, at := dialogData(shop, look, b.d, b.session, left), c.ExpiresAt
	texts.Order, texts.LinkUntil = subjectOf(b.order), c.ExpiresAt.In(present(shop).zone)
	if b.session != nil && !b.session.State.Final() {
		at = b.session.Deadline // the link lasts longer, but this try has to end before
	}
	said := s.words(r)
	data := views.VerifyData{Frame: s.shopperFrame(said), Texts: said.Page(texts), ShopName: look.Name, ShopURL: s.shopURL(r, shop), Look: s.look(shop, look), Outcome: string(b.d.Outcome),
		Retry: left > 0 && status != http.StatusTooManyRequests, Expires: s.when(shop, at)}
	for _, d := range relay.Documents(shop, b.d.Requirement) {
		data.Documents = append(data.Documents, views.Document{Value: string(d), Name: data.Texts[documentNames[d]]})
	}
	switch {
	case b.session != nil:
		n, err := s.sessionBody(r, shop, *b.session)
		if err != nil {
			return err
		}
		data.State, data.CaptureURL, data.QRSVG = string(n.State), n.URL, n.QR
		if n.Reason != nil {
			data.Reason = views.ShopperReason{Text: n.Reason.Text, Next: n.Reason.Next}
		}
	case left == 0:
		spent := said.Refusal("retries_spent")
		data.State, data.Reason = string(idv.StateFailed), views.ShopperReason{Text: spent.Text, Next: spent.Next}
	}
	back, storefront, err := s.goesBack(r, shop, b)
	if err != nil {
		return err
	}
	data.SignBack = back.CustomerID != 0
	if storefront != "" { // a form's policy counts for where it is sent on, too, and the button may come while this page stays
		w.Header().Set("Content-Security-Policy", strings.Replace(s.policyHeader("'none'"), "form-action 'self'", "form-action 'self' "+storefront, 1))
	}
	return render(w, r, status, views.VerifyPage(data))
}

// documentNames are the keys of the words for a kind of document, as a choice.
var documentNames = map[idv.DocumentType]string{idv.DriverLicense: "driver_licence", idv.Passport: "passport", idv.IDCard: "identity_card"}

// verifyStart begins a Session for the order or cart behind the link, or goes on with the one under way.
func (s *Server) verifyStart(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.link(r)
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	values, err := posted(r)
	if err != nil {
		return err
	}
	if err := s.addressMayStart(r); err != nil {
		return err
	}
	_, err = s.Relay.StartSession(r.Context(), shop, c, values.Get("document"))
	s.started(r, err)
	switch {
	case errors.Is(err, relay.ErrNothingToProve):
	case errors.Is(err, relay.ErrProvedAlready):
		b, err := s.behindLink(r, shop, c)
		if err != nil {
			return err
		}
		b.d.Outcome = gate.Allow // the order gate says the same in a moment
		return s.renderVerify(w, r, shop, c, b, http.StatusOK)
	case errors.Is(err, relay.ErrTooManyTries):
		return s.showVerify(w, r, shop, c, http.StatusTooManyRequests)
	case err != nil:
		return sessionProblem(err)
	}
	http.Redirect(w, r, "/v/", http.StatusSeeOther)
	return nil
}
