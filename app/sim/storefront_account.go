package sim

import (
	"errors"
	"net/http"
)

// apiSignIn is the checkout's own sign-in.
func (f *storefront) apiSignIn(rw http.ResponseWriter, q *visit) error {
	var body struct{ Email, Password string }
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := q.shop.SignIn(body.Email, body.Password)
	if errors.Is(err, ErrNotFound) {
		return refuseAs("invalid_login", http.StatusNotFound, "Sign-in failed", "The email or password is incorrect.")
	}
	if err != nil {
		return err
	}
	if err := f.signIn(rw, q, c); err != nil {
		return err
	}
	return writeJSON(rw, http.StatusOK, obj{"data": obj{"customer": q.shop.customerJSON(c, true, includes{group: true})}, "meta": obj{}})
}

func (f *storefront) apiSignOut(rw http.ResponseWriter, q *visit) error {
	if err := f.signOut(rw, q); err != nil {
		return err
	}
	return writeJSON(rw, http.StatusOK, obj{"data": obj{"customer": q.shop.customerJSON(Customer{}, false, includes{})}, "meta": obj{}})
}

// createAccount opens an account and signs it in.
func (f *storefront) createAccount(rw http.ResponseWriter, q *visit) error {
	var body struct{ FirstName, LastName, Email, Password string }
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.register(q, body.FirstName, body.LastName, body.Email, body.Password)
	if err != nil {
		return err
	}
	if err := f.signIn(rw, q, c); err != nil {
		return err
	}
	rw.WriteHeader(http.StatusNoContent)
	return nil
}
