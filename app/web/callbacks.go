package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
	"idgate/views"
)

// auth finishes an installation. Nothing in the query is believed until BigCommerce has exchanged the code for a token: the Shop is
// the one that the token's answer names. The token is stored before the page is answered.
func (s *Server) auth(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if q.Get("code") == "" || q.Get("context") == "" {
		return refuse(http.StatusBadRequest, "bad_request", "code and context are required").at("code")
	}
	if !s.limits.allow("auth "+s.address(r), 1, 10) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "too many installations from this address")
	}
	g, err := s.BigCommerce.Exchange(r.Context(), bigcommerce.ExchangeRequest{Code: q.Get("code"), Scope: q.Get("scope"), Context: q.Get("context"),
		AccountUUID: q.Get("account_uuid"), RedirectURI: s.AppURL + "/auth"})
	if err != nil {
		return refuse(http.StatusUnauthorized, "install_refused", "BigCommerce did not confirm the installation").because(err)
	}
	_, known := s.Ledger.Shop(g.StoreHash)
	err = s.Ledger.InstallShop(r.Context(), ledger.Install{StoreHash: g.StoreHash, Token: g.AccessToken, Scopes: g.Scopes, OwnerID: g.Owner.ID}, s.Now())
	if err != nil {
		return fmt.Errorf("storing the installation: %w", err)
	}
	shop, err := s.Ledger.Shop(g.StoreHash)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.Relay.Reconcile(ctx, shop); err != nil {
		s.Log.Warn("provisioning at installation; the loop goes on", "shop", shop.Hash, "error", err)
	}
	if shop, err = s.Ledger.Shop(g.StoreHash); err != nil {
		return err
	}
	u := ledger.User{ID: g.User.ID, Email: g.User.Email, Role: roleOf(g.User.ID, g.Owner.ID, ledger.Manager)}
	bearer, err := s.signIn(w, r, shop.Hash, u)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", s.panelHeader(shop))
	d := views.InstalledData{Frame: s.adminFrame(), BCSDK: s.BCSDK, ShopName: shop.Name, UserEmail: u.Email, Again: known == nil, NextURL: "/s/" + shop.Hash + "/overview",
		MissingScopes: bigcommerce.MissingScopes(shop.Scopes)}
	if inFrame(r) {
		d.Bearer = bearer
	}
	return render(w, r, http.StatusOK, views.Installed(d))
}

// roleOf is the role of a user whom the Shop does not know yet; one that it knows keeps theirs. The owner is BigCommerce's.
func roleOf(user, owner int64, others ledger.Role) ledger.Role {
	if user == owner && owner != 0 {
		return ledger.Owner
	}
	return others
}

// claims checks a callback's signed token and uses it up.
func (s *Server) claims(r *http.Request) (bigcommerce.LoadClaims, error) {
	q := r.URL.Query()
	var c bigcommerce.LoadClaims
	var err error
	token := q.Get("signed_payload_jwt")
	switch {
	case token != "":
		c, err = s.BigCommerce.VerifyLoad(token)
	case s.LegacyPayload && q.Get("signed_payload") != "":
		token = q.Get("signed_payload")
		c, err = s.BigCommerce.VerifyLegacyPayload(token)
	default:
		return c, refuse(http.StatusUnauthorized, "load_refused", "signed_payload_jwt is missing").at("signed_payload_jwt")
	}
	if err != nil {
		return c, refuse(http.StatusUnauthorized, "load_refused", "the signed payload was refused").at("signed_payload_jwt").because(err)
	}
	if c.JTI == "" {
		sum := sha256.Sum256([]byte(token))
		c.JTI = hex.EncodeToString(sum[:])
	}
	first, err := s.Ledger.UseToken(r.Context(), c.JTI, c.ExpiresAt.Add(5*time.Minute))
	if err != nil {
		return c, err
	}
	if !first {
		return c, refuse(http.StatusUnauthorized, "token_replayed", "this signed payload was used before")
	}
	return c, nil
}

// load opens the app for a user whom BigCommerce vouches for.
func (s *Server) load(w http.ResponseWriter, r *http.Request) error {
	c, err := s.claims(r)
	if err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(c.StoreHash)
	if err != nil {
		return refuse(http.StatusNotFound, "not_installed", "this shop has no installation").because(err)
	}
	owner := c.Owner.ID
	if owner == 0 {
		owner = shop.OwnerID
	}
	bearer, err := s.signIn(w, r, shop.Hash, ledger.User{ID: c.User.ID, Email: c.User.Email, Role: roleOf(c.User.ID, owner, ledger.Viewer)})
	if err != nil {
		return err
	}
	next := "/s/" + shop.Hash + deepLink(c.URL)
	if inFrame(r) {
		w.Header().Set("Content-Security-Policy", s.panelHeader(shop))
		return render(w, r, http.StatusOK, views.Opening(views.OpeningData{Frame: s.adminFrame(), BCSDK: s.BCSDK, NextURL: next, Bearer: bearer}))
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

var orderLink = regexp.MustCompile(`^/orders/[0-9]{1,18}(/|$)`)

// deepLink maps the place that BigCommerce says to open to a page of ours.
func deepLink(u string) string {
	if m := orderLink.FindString(u); m != "" {
		return regexp.MustCompile(`^/orders/[0-9]+`).FindString(m)
	}
	switch u {
	case "/policy", "/orders", "/verifications", "/history", "/health", "/settings":
		return u
	}
	return "/overview"
}

// uninstall acts only for the owner, and only once BigCommerce refuses our token: the three callbacks' tokens are alike, so a token
// that a member of staff was given for /load would do here too.
func (s *Server) uninstall(w http.ResponseWriter, r *http.Request) error {
	c, err := s.claims(r)
	if err != nil {
		return err
	}
	if c.Owner.ID == 0 || c.User.ID != c.Owner.ID {
		return refuse(http.StatusForbidden, "forbidden", "only the owner can uninstall")
	}
	shop, err := s.Ledger.Shop(c.StoreHash)
	if errors.Is(err, ledger.ErrUnknownShop) {
		writeJSON(w, http.StatusOK, map[string]string{"state": "uninstalled"})
		return nil
	}
	if err != nil {
		return err
	}
	gone, err := s.Relay.TokenRefused(r.Context(), shop)
	if err != nil {
		s.Log.Warn("asking BigCommerce about an uninstallation", "shop", shop.Hash, "error", err)
	}
	if !gone {
		// Ask again until the token is dead or it is clear that it stays alive.
		n := ledger.NewNotice{Shop: shop.Hash, EventAt: s.Now(), Hash: c.JTI, Scope: bigcommerce.ScopeAppUninstalled, Subject: shop.Hash}
		if _, err := s.Ledger.RecordNotice(r.Context(), n, s.Now()); err != nil {
			return err
		}
		return refuse(http.StatusForbidden, "forbidden", "BigCommerce still accepts our token: nothing was done yet")
	}
	switch err := s.Ledger.UninstallShop(r.Context(), shop, s.Now()); {
	case errors.Is(err, ledger.ErrReplaced): // what was to be uninstalled was, by the installation that came after it
		writeJSON(w, http.StatusOK, map[string]string{"state": "installed"})
		return nil
	case err != nil:
		return err
	}
	s.Log.Info("uninstalled", "shop", shop.Hash)
	writeJSON(w, http.StatusOK, map[string]string{"state": "uninstalled"})
	return nil
}

// removeUser takes one user off a Shop.
func (s *Server) removeUser(w http.ResponseWriter, r *http.Request) error {
	c, err := s.claims(r)
	if err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(c.StoreHash)
	if err != nil {
		return refuse(http.StatusNotFound, "not_installed", "this shop has no installation").because(err)
	}
	if c.User.ID == shop.OwnerID {
		return refuse(http.StatusForbidden, "forbidden", "the owner cannot be removed")
	}
	if err := s.Ledger.RemoveUser(r.Context(), shop.Hash, c.User.ID, s.Now()); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"state": "removed"})
	return nil
}

// LoginTicket makes the one-time link of `idgate login`: signed by the operator's key, good for ten minutes, used up by its first use.
func (s *Server) LoginTicket(hash, email string) (string, error) {
	return makeTicket(s.Keyring, hash, email, s.Now())
}

// loginLink signs in by a link that `idgate login` printed, for single-shop mode.
func (s *Server) loginLink(w http.ResponseWriter, r *http.Request) error {
	t, err := readTicket(s.Keyring, r.PathValue("ticket"), s.Now())
	if err != nil {
		return refuse(http.StatusUnauthorized, "login_link", "this link was refused").because(err)
	}
	first, err := s.Ledger.UseToken(r.Context(), t.ID, t.ExpiresAt)
	if err != nil {
		return err
	}
	if !first {
		return refuse(http.StatusUnauthorized, "login_link", "this link was used before")
	}
	shop, err := s.Ledger.Shop(t.Shop)
	if err != nil {
		return refuse(http.StatusNotFound, "not_installed", "this shop has no installation").because(err)
	}
	if _, err := s.signIn(w, r, shop.Hash, ledger.User{ID: shop.OwnerID, Email: t.Email, Role: ledger.Owner}); err != nil {
		return err
	}
	http.Redirect(w, r, "/s/"+shop.Hash+"/overview", http.StatusSeeOther)
	return nil
}
