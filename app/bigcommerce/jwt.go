package bigcommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrBadToken matches every refused payload. The text says why, for the log; it never repeats the token.
var ErrBadToken = errors.New("token refused")

const (
	maxToken = 8 << 10
	leeway   = 60 * time.Second
	// legacyAge is how old a legacy payload may be. It has no expiry of its own.
	legacyAge = 5 * time.Minute
)

// LoadClaims is what a signed payload at /load, /uninstall or /remove_user says. The three callbacks' payloads are
// alike: which callback was meant is not in them.
type LoadClaims struct {
	StoreHash   string
	User, Owner User   // Owner.ID may be 0 when not said; User.ID never is
	URL         string // deep link: an absolute path on our own origin with its query, "/" when missing or unsafe
	ChannelID   *int64
	JTI         string    // accept each once
	ExpiresAt   time.Time // until when JTI must be remembered (leeway not included)
}

// CurrentCustomer is who BigCommerce says is signed in at the storefront.
type CurrentCustomer struct {
	CustomerID int64
	Email      string
	GroupID    int64 // 0: none
}

type loadJSON struct {
	jwt.RegisteredClaims
	User      User   `json:"user"`
	Owner     User   `json:"owner"`
	URL       string `json:"url"`
	ChannelID *int64 `json:"channel_id"`
	Operation string `json:"operation"`
}

// VerifyLoad checks a signed_payload_jwt (docs: integrations/apps/guide/callbacks): HS256 and no other algorithm, our
// client id as the only audience, issuer "bc", subject stores/{hash}, exp required, nbf and iat honoured with 60 s of
// leeway. A token that names an operation is somebody else's (the same secret signs Current Customer tokens).
func (a *App) VerifyLoad(token string) (LoadClaims, error) {
	var c loadJSON
	if err := a.verify(token, "bc", &c); err != nil {
		return LoadClaims{}, err
	}
	m := storeContext.FindStringSubmatch(c.Subject)
	switch {
	case m == nil:
		return LoadClaims{}, refuse("the subject is no store")
	case c.Operation != "":
		return LoadClaims{}, refuse("a token for another operation")
	case len(c.Audience) != 1:
		return LoadClaims{}, refuse("more than one audience")
	case c.User.ID <= 0:
		return LoadClaims{}, refuse("no user")
	case c.ID == "" || len(c.ID) > 128:
		return LoadClaims{}, refuse("no usable jti")
	}
	return LoadClaims{
		StoreHash: m[1],
		User:      c.User,
		Owner:     c.Owner,
		URL:       localURL(c.URL),
		ChannelID: c.ChannelID,
		JTI:       c.ID,
		ExpiresAt: c.ExpiresAt.Time,
	}, nil
}

type customerJSON struct {
	jwt.RegisteredClaims
	Customer struct {
		ID      integer `json:"id"`
		Email   string  `json:"email"`
		GroupID integer `json:"group_id"` // "6" in the documents
	} `json:"customer"`
	Operation     string  `json:"operation"`
	Version       integer `json:"version"`
	StoreHash     string  `json:"store_hash"`
	ApplicationID string  `json:"application_id"`
}

// VerifyCurrentCustomer checks a Current Customer JWT (docs: start/authentication/current-customer) for the shop with
// this hash: HS256, our audience, issuer "bc/apps", operation "current_customer", subject the bare hash, exp required.
// It lives 15 minutes and may be presented more than once.
func (a *App) VerifyCurrentCustomer(token, storeHash string) (CurrentCustomer, error) {
	if !ValidStoreHash(storeHash) {
		return CurrentCustomer{}, refuse("asked about a malformed store hash")
	}
	var c customerJSON
	if err := a.verify(token, "bc/apps", &c); err != nil {
		return CurrentCustomer{}, err
	}
	switch {
	case c.Operation != "current_customer":
		return CurrentCustomer{}, refuse("a token for another operation")
	case c.Subject != storeHash, c.StoreHash != "" && c.StoreHash != storeHash:
		return CurrentCustomer{}, refuse("a token of another store")
	case len(c.Audience) != 1, c.ApplicationID != "" && c.ApplicationID != a.ClientID:
		return CurrentCustomer{}, refuse("a token for another app")
	case c.Version != 0 && c.Version != 1:
		return CurrentCustomer{}, refuse("an unknown version")
	case c.Customer.ID <= 0:
		return CurrentCustomer{}, refuse("no customer")
	}
	return CurrentCustomer{CustomerID: int64(c.Customer.ID), Email: c.Customer.Email, GroupID: int64(c.Customer.GroupID)}, nil
}

// verify checks all that the two kinds of token have in common.
func (a *App) verify(token, issuer string, claims jwt.Claims) error {
	if err := a.credentials(); err != nil {
		return refuse(err.Error())
	}
	if len(token) > maxToken {
		return refuse("longer than 8 kB")
	}
	_, err := jwt.ParseWithClaims(token, claims,
		func(*jwt.Token) (any, error) { return []byte(a.ClientSecret), nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(a.ClientID),
		jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(a.now),
	)
	if err != nil {
		return refuse(jwtReason(err))
	}
	return nil
}

// jwtReason puts the library's error in words of ours: its own may quote the header, which anybody can write.
func jwtReason(err error) string {
	for _, r := range []struct {
		err  error
		text string
	}{
		{jwt.ErrTokenMalformed, "malformed"},
		{jwt.ErrTokenUnverifiable, "unverifiable"},
		{jwt.ErrTokenSignatureInvalid, "wrong algorithm or signature"},
		{jwt.ErrTokenRequiredClaimMissing, "a required claim is missing"},
		{jwt.ErrTokenExpired, "expired"},
		{jwt.ErrTokenNotValidYet, "not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "issued in the future"},
		{jwt.ErrTokenInvalidAudience, "wrong audience"},
		{jwt.ErrTokenInvalidIssuer, "wrong issuer"},
	} {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return "invalid"
}

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrBadToken, why) }

// VerifyLegacyPayload checks the older signed_payload, which current documents no longer describe; the format is that of
// BigCommerce's own Python client (Connection.verify_payload): base64(json) "." base64(lower-case hex of the
// HMAC-SHA256 of the json). Its timestamp may be 5 minutes old. Callers use it only where the operator switched it on.
func (a *App) VerifyLegacyPayload(payload string) (LoadClaims, error) {
	if err := a.credentials(); err != nil {
		return LoadClaims{}, refuse(err.Error())
	}
	if len(payload) > maxToken {
		return LoadClaims{}, refuse("longer than 8 kB")
	}
	first, second, ok := strings.Cut(payload, ".")
	if !ok {
		return LoadClaims{}, refuse("malformed")
	}
	body, err1 := base64.StdEncoding.DecodeString(first)
	signature, err2 := base64.StdEncoding.DecodeString(second)
	if err1 != nil || err2 != nil {
		return LoadClaims{}, refuse("malformed")
	}
	mac := hmac.New(sha256.New, []byte(a.ClientSecret))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), signature) {
		return LoadClaims{}, refuse("wrong signature")
	}
	var c struct {
		User      User    `json:"user"`
		Owner     User    `json:"owner"`
		Context   string  `json:"context"`
		StoreHash string  `json:"store_hash"`
		Timestamp float64 `json:"timestamp"` // seconds, with a fraction
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return LoadClaims{}, refuse("the payload is not what was expected")
	}
	if c.Timestamp <= 0 || c.Timestamp > 1e11 {
		return LoadClaims{}, refuse("no usable timestamp")
	}
	issued := time.UnixMilli(int64(math.Round(c.Timestamp * 1000)))
	age := a.now().Sub(issued)
	switch {
	case age > legacyAge:
		return LoadClaims{}, refuse("expired")
	case age < -leeway:
		return LoadClaims{}, refuse("issued in the future")
	case !ValidStoreHash(c.StoreHash), c.Context != "" && c.Context != "stores/"+c.StoreHash:
		return LoadClaims{}, refuse("no store")
	case c.User.ID <= 0:
		return LoadClaims{}, refuse("no user")
	}
	return LoadClaims{
		StoreHash: c.StoreHash,
		User:      c.User,
		Owner:     c.Owner,
		URL:       "/",
		JTI:       "legacy:" + want[:32], // the payload has no id: its signature is as good
		ExpiresAt: issued.Add(legacyAge),
	}, nil
}

// localURL reduces a deep link to something that a redirect can only take to our own origin.
func localURL(s string) string {
	if len(s) > 2048 || strings.ContainsAny(s, "\\") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "/"
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	if !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "\\") ||
		slices.Contains(strings.Split(u.Path, "/"), "..") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}
