package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// currentCustomerLife is how long a Current Customer JWT is good for.
const currentCustomerLife = 15 * time.Minute

// currentCustomerJWT tells an app, in a token only it and the platform can make, who is signed in.
func (f *storefront) currentCustomerJWT(rw http.ResponseWriter, q *visit) error {
	clientID := q.URL.Query().Get("app_client_id")
	secret, ok := f.clientSecret(q.shop, clientID)
	if !ok {
		return refuse(http.StatusNotFound, "No such app", "app_client_id names no app of this shop.")
	}
	c, ok := f.signedIn(q)
	if !ok {
		return refuse(http.StatusNotFound, "No current customer", "Nobody is signed in.")
	}
	now := f.w.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"customer":       map[string]any{"id": c.ID, "email": c.Email, "group_id": strconv.FormatInt(c.GroupID, 10)},
		"iss":            "bc/apps",
		"sub":            q.shop.Hash,
		"iat":            now.Unix(),
		"exp":            now.Add(currentCustomerLife).Unix(),
		"version":        1,
		"aud":            clientID,
		"application_id": clientID,
		"store_hash":     q.shop.Hash,
		"operation":      "current_customer",
	}).SignedString([]byte(secret))
	if err != nil {
		return fmt.Errorf("signing the current customer's token: %w", err)
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "private, no-store")
	_, err = rw.Write([]byte(token))
	return err
}

// clientSecret is the secret of the app, or of one of the merchant's own API accounts.
func (f *storefront) clientSecret(s *Shop, clientID string) (string, bool) {
	if clientID == "" {
		return "", false
	}
	if clientID == f.w.opt.ClientID {
		return f.w.opt.ClientSecret, true
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	t := find(s.tokens, func(t *Token) bool { return t.ClientID == clientID })
	if t == nil {
		return "", false
	}
	return t.Secret, true
}
