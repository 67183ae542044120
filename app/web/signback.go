package web

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/securecookie"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/views"
)

// The way back to an account: a customer who was signed in at the shop goes on from the checkout's dialog to our hosted page in the same
// browser, verifies, presses a button there, and is signed in at the shop again, should that have ended meanwhile.
//
// It is a sign-in, so it gives nobody more than they had. Going on is a POST from a page of the Shop's own, which carries the cart's
// Capability and a Current Customer JWT made just then: this browser is signed in as that customer now, and no other site can begin it.
// What is known by then goes into a sealed first-party cookie, never into an address, so there is no link that somebody could be sent or
// could pass on. A mailed link sets no such cookie and takes away one that is there. The button works once for a Session, shortly after,
// from an address that BigCommerce compares, the whole of it, and leads to the very storefront that it began on. Whoever reaches us by IPv6
// and the shop by IPv4 is refused by BigCommerce, and signs in as usual.

const (
	hereCookie = "__Host-idgate-here"
	hereGood   = 30 * time.Minute // as long as a Session
	loginScope = "store_v2_customers_login"
)

// here is what the cookie says: this browser came from a checkout, with its Capability.
type here struct {
	Capability string
	Origin     string    // the storefront's
	Customer   int64     // who was signed in there; 0: nobody, or this Shop signs nobody back in
	At         time.Time // when
}

func (s *Server) setHere(w http.ResponseWriter, k here) error {
	value, err := securecookie.EncodeMulti(hereCookie, k, s.cookies.Codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, ownCookie(hereCookie, value, int(hereGood.Seconds())))
	http.SetCookie(w, ownCookie(linkCookie, "", -1)) // the newest way in is the one that counts
	return nil
}

// ownCookie is a cookie that only our own pages, and the shopper's way to them, carry.
func ownCookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: maxAge}
}

// readHere opens the cookie, and the Capability in it.
func (s *Server) readHere(r *http.Request) (k here, c ledger.Capability, err error) {
	cookie, err := r.Cookie(hereCookie)
	if err != nil {
		return k, c, ledger.ErrBadCapability
	}
	if err := securecookie.DecodeMulti(hereCookie, cookie.Value, &k, s.cookies.Codecs...); err != nil {
		return k, c, ledger.ErrBadCapability
	}
	if age := s.Now().Sub(k.At); age < 0 || age >= hereGood {
		return k, c, ledger.ErrExpiredCapability
	}
	c, err = s.Ledger.Capability(r.Context(), k.Capability, ledger.ForCart, s.Now())
	return k, c, err
}

// openHere takes a shopper from the checkout's dialog to the hosted page in the same browser. Whoever cannot be signed back in afterwards
// verifies all the same.
func (s *Server) openHere(w http.ResponseWriter, r *http.Request) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	token, customer, _ := strings.Cut(values.Get("ask"), " ")
	c, err := s.Ledger.Capability(r.Context(), token, ledger.ForCart, s.Now())
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	shop, err := s.Ledger.Shop(c.Shop)
	if err != nil {
		return err
	}
	speak(r, shop, c.Locale)
	k := here{Capability: token, Origin: r.Header.Get("Origin"), At: s.Now()}
	if !slices.Contains(shop.Origins(), k.Origin) || !ownTab(r) {
		return refuse(http.StatusForbidden, "capability_wrong", "the hosted page is opened from the shop's own checkout")
	}
	who, err := s.BigCommerce.VerifyCurrentCustomer(customer, shop.Hash)
	if err == nil && who.CustomerID == c.CustomerID && s.signsBack(shop) {
		k.Customer = who.CustomerID
	}
	if err := s.setHere(w, k); err != nil {
		return err
	}
	http.Redirect(w, r, "/v/", http.StatusSeeOther)
	return nil
}

// ownTab reports whether a request fills a tab. Browsers that do not say so yet are believed: nothing of ours may be framed.
func ownTab(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest == "" || dest == "document"
}

// signsBack reports whether the Shop has chosen this, and BigCommerce allows it.
func (s *Server) signsBack(shop *ledger.Shop) bool {
	return shop.Settings.SignBack && shop.State == ledger.Installed && granted(shop)
}

// granted reports whether BigCommerce has not said that we may sign nobody in. What an API account may do it does not tell.
func granted(shop *ledger.Shop) bool {
	return len(shop.Scopes) == 0 || !slices.Contains(bigcommerce.MissingScopes(shop.Scopes), loginScope)
}

// goesBack is the sign-in that the request's browser may have, and the storefront that it leads to. The customer is 0 as long as there is
// none; the storefront is "" where there will be none.
func (s *Server) goesBack(r *http.Request, shop *ledger.Shop, b linked) (to bigcommerce.CustomerLogin, at string, err error) {
	k, c, err := s.readHere(r)
	n := b.session
	switch {
	case errors.Is(err, ledger.ErrBadCapability), errors.Is(err, ledger.ErrExpiredCapability):
		return to, "", nil
	case err != nil:
		return to, "", err
	case k.Customer == 0, c.CustomerID != k.Customer, c.Shop != shop.Hash, !s.signsBack(shop), !slices.Contains(shop.Origins(), k.Origin):
		return to, "", nil
	case n == nil, n.State != idv.StatePassed, n.Late, b.d.Outcome != gate.Allow:
		return to, k.Origin, nil
	case n.Shop != shop.Hash, !bytes.Equal(n.Capability, c.ID), n.CustomerID != k.Customer:
		return to, "", nil
	}
	ip := s.client(r)
	if !bigcommerce.LoginAddress(ip) {
		return to, "", nil
	}
	to = bigcommerce.CustomerLogin{StoreHash: shop.Hash, CustomerID: k.Customer, RedirectTo: "/checkout", RequestIP: ip,
		IssuedAt: s.Now().Add(-s.Relay.Pace(shop.Hash).Skew)} // BigCommerce takes 30 s of difference
	if b.ordered {
		to.RedirectTo = "/account.php"
	}
	return to, k.Origin, nil
}

// signBack signs the customer in at the shop again. Whoever may not be is shown how things stand.
func (s *Server) signBack(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.link(r)
	if err != nil {
		return s.deadLink(w, r, c, err)
	}
	b, err := s.behindLink(r, shop, c)
	if err != nil {
		return err
	}
	to, at, err := s.goesBack(r, shop, b)
	if err != nil {
		return err
	}
	first := false
	if to.CustomerID != 0 {
		once := b.session.StartedAt.Add(24 * time.Hour) // the same each time, or it would be another token
		if first, err = s.Ledger.UseToken(r.Context(), "sign back "+b.session.ID, once); err != nil {
			return err
		}
	}
	if !first {
		http.Redirect(w, r, "/v/", http.StatusSeeOther)
		return nil
	}
	token, err := s.BigCommerce.SignCustomerLogin(to)
	if err != nil {
		return err
	}
	http.SetCookie(w, ownCookie(hereCookie, "", -1))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", at+bigcommerce.LoginPath+token) // not by http.Redirect, which would put it into a body as well
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// saveSignBack changes whether a verified customer is signed in again.
func (s *Server) saveSignBack(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	on := strings.TrimSpace(values.Get(views.SignBackField)) == "on"
	_, err = s.Ledger.ChangeSettings(r.Context(), v.Shop.Hash, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		said := told(changed("back to the account", onOff(n.SignBack), onOff(on), ""))
		n.SignBack = on
		return n, said, nil
	}}, s.Now())
	if err != nil {
		return err
	}
	s.Log.Info("signing back in changed", "shop", v.Shop.Hash, "on", on, "by", v.User.Email)
	flash := views.Flash{Code: "back_on", Value: "1"}
	if !on {
		flash.Code = "back_off"
	}
	return back(w, r, v, "/settings", flash)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
