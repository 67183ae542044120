// Package bigcommerce speaks to BigCommerce in BigCommerce's words: OAuth, signed payloads, webhooks and the REST API.
//
// App holds what belongs to the app (client id and secret, endpoints); Store holds what belongs to one shop (hash and
// token). Both are safe for concurrent use and keep no state of their own: no cache, no retry, no pacing. A call is one
// request per page, bounded in size (8 MB) and in time, and never follows a redirect, because Go would carry
// X-Auth-Token along. Whatever goes wrong is an *Error, whose text never contains the token, the client secret or a cart
// id. Writes may have been carried out although they answered an error: the caller reads back before it repeats one.
//
// Nothing here decides anything: a token or a signature that verifies says who speaks, and what a webhook carries is a
// hint to look. DTOs are written by hand and hold only the fields idgate uses; BigCommerce's published OpenAPI is used by
// the contract tests alone. The package is longer than most because one file per vendor resource reads better than a
// generic client.
package bigcommerce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Endpoints are the two base URLs of the platform, without a trailing slash.
type Endpoints struct{ Login, API string }

// Live is the real platform.
var Live = Endpoints{Login: "https://login.bigcommerce.com", API: "https://api.bigcommerce.com"}

// App is one registered app, or in private single-shop mode one API account.
// HTTP, Now and OnQuota may be nil: Go's default transport, the wall clock, and nobody. HTTP's cookie jar is not used.
type App struct {
	ClientID     string
	ClientSecret string
	Endpoints    Endpoints
	HTTP         *http.Client
	Now          func() time.Time
	// OnQuota is told what is left of a shop's API quota after each answer that says so. It runs on the caller's
	// goroutine, before the call returns.
	OnQuota func(ctx context.Context, storeHash string, q Quota)
}

// String keeps the client secret out of a careless log line.
func (a *App) String() string { return "bigcommerce app " + a.ClientID }

// User is somebody of the merchant's staff. Username comes with a Grant, Locale with a load token.
type User struct {
	ID       int64  `json:"id"`
	Email    string `json:"email"`
	Username string `json:"username"`
	Locale   string `json:"locale"`
}

// ExchangeRequest is what BigCommerce's GET /auth brought, plus our registered callback. Nothing in it is
// authenticated; only the Grant it is exchanged for is.
type ExchangeRequest struct {
	Code        string
	Scope       string // as it came: separated by spaces
	Context     string // stores/{hash}
	AccountUUID string // may be empty; an answer that names another account is refused
	RedirectURI string // must equal the registered auth callback
}

// Grant is a shop's permanent API token. It stays valid until the app's scopes or the store owner's address change; a
// new one replaces it.
type Grant struct {
	AccessToken string `json:"-"`
	StoreHash   string
	Scopes      []string
	User, Owner User
	AccountUUID string
}

// String keeps the token out of a careless log line.
func (g Grant) String() string { return "grant for " + g.StoreHash }

var (
	storeHashForm   = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
	storeContext    = regexp.MustCompile(`^stores/([a-z0-9]{1,32})$`)
	accessTokenForm = regexp.MustCompile(`^[\x21-\x7e]{1,512}$`)
)

// ValidStoreHash says whether s has the form of a store hash; URLs and keys are built from nothing else.
func ValidStoreHash(s string) bool { return storeHashForm.MatchString(s) }

// Exchange trades the code of GET /auth for the shop's token (docs: integrations/apps/guide/auth). The shop is taken
// from the answer, never from the query. The code works once: a failed exchange is not repeated.
func (a *App) Exchange(ctx context.Context, r ExchangeRequest) (Grant, error) {
	if err := a.credentials(); err != nil {
		return Grant{}, fmt.Errorf("exchanging code: %w", err)
	}
	body := struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Code         string `json:"code"`
		Context      string `json:"context"`
		Scope        string `json:"scope"`
		GrantType    string `json:"grant_type"`
		RedirectURI  string `json:"redirect_uri"`
	}{a.ClientID, a.ClientSecret, r.Code, r.Context, r.Scope, "authorization_code", r.RedirectURI}
	var answer struct {
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
		Context     string `json:"context"`
		AccountUUID string `json:"account_uuid"`
		User        User   `json:"user"`
		Owner       User   `json:"owner"`
	}
	_, err := a.do(ctx, request{
		method: http.MethodPost, base: a.Endpoints.Login, path: "/oauth2/token", body: body, secrets: []string{r.Code},
	}, &answer)
	if err != nil {
		return Grant{}, fmt.Errorf("exchanging code: %w", err)
	}
	m := storeContext.FindStringSubmatch(answer.Context)
	switch {
	case m == nil:
		return Grant{}, errors.New("exchanging code: the answer names no store")
	case !accessTokenForm.MatchString(answer.AccessToken):
		return Grant{}, errors.New("exchanging code: the answer holds no usable access token")
	case answer.User.ID <= 0:
		return Grant{}, errors.New("exchanging code: the answer names no user")
	case r.AccountUUID != "" && answer.AccountUUID != "" && !strings.EqualFold(r.AccountUUID, answer.AccountUUID):
		return Grant{}, errors.New("exchanging code: the callback and the answer name different accounts")
	}
	return Grant{
		AccessToken: answer.AccessToken,
		StoreHash:   m[1],
		Scopes:      strings.Fields(answer.Scope),
		User:        answer.User,
		Owner:       answer.Owner,
		AccountUUID: answer.AccountUUID,
	}, nil
}

// credentials refuses to sign or verify with an empty secret, which would make every HMAC forgeable.
func (a *App) credentials() error {
	if a.ClientID == "" || a.ClientSecret == "" {
		return errors.New("client id or client secret is not set")
	}
	return nil
}

func (a *App) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

// Store is the API of one shop. It makes no request by itself.
type Store struct {
	app         *App
	hash, token string
}

// Store returns the API of the shop with this hash, spoken to with its token.
func (a *App) Store(hash, token string) *Store { return &Store{app: a, hash: hash, token: token} }

// Hash is the shop's store hash.
func (s *Store) Hash() string { return s.hash }

// String keeps the token out of a careless log line.
func (s *Store) String() string { return "bigcommerce store " + cmp.Or(s.hash, "(none)") }
