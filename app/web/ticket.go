package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"idgate/app/ledger"
)

const (
	ticketGood     = 10 * time.Minute
	ticketAudience = "idgate login"
)

// ticket is what a login link says.
type ticket struct {
	ID, Shop, Email string
	ExpiresAt       time.Time
}

// MakeTicket makes a login link's ticket with the operator's key; it needs no open ledger, so `idgate login` works beside a running server.
func MakeTicket(k ledger.Keyring, hash, email string, now time.Time) (string, error) {
	return makeTicket(k, hash, email, now)
}

func makeTicket(k ledger.Keyring, hash, email string, now time.Time) (string, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"jti": hex.EncodeToString(id), "sub": hash, "email": email, "aud": ticketAudience,
		"iat": now.Unix(), "exp": now.Add(ticketGood).Unix()})
	return t.SignedString(k.Derive("login link", 32))
}

func readTicket(k ledger.Keyring, text string, now time.Time) (ticket, error) {
	if len(text) > 2048 {
		return ticket{}, errors.New("a ticket of more than 2048 bytes")
	}
	var errs error
	for _, key := range k.DeriveAll("login link", 32) {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return key, nil }, jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithAudience(ticketAudience), jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		t := ticket{}
		t.ID, _ = claims["jti"].(string)
		t.Email, _ = claims["email"].(string)
		t.Shop, _ = claims.GetSubject()
		exp, err := claims.GetExpirationTime()
		if err != nil || t.ID == "" || t.Shop == "" {
			return t, fmt.Errorf("a ticket without jti, sub or exp")
		}
		t.ExpiresAt = exp.Time
		return t, nil
	}
	return ticket{}, errs
}
