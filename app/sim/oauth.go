package sim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AppName is what the control panel and order histories call the app.
const AppName = "idgate"

// DefaultScopes are granted to an app whose Options name none.
var DefaultScopes = []string{
	"store_v2_customers", "store_v2_orders", "store_v2_transactions_read_only", "store_v2_information_read_only", "store_v2_products_read_only",
	"store_v2_content", "store_content_checkout", "store_channel_settings_read_only", "store_sites_read_only", "store_cart_read_only",
	"store_checkout_read_only", "store_v2_customers_login",
}

// alwaysGranted come with every installation, asked for or not: an app must compare scopes as a superset.
var alwaysGranted = []string{"store_v2_default", "users_basic_information"}

const codeLife = 10 * time.Minute

// authCode is a one-time code on its way to the app.
type authCode struct {
	shop    *Shop
	user    User
	scopes  []string
	expires time.Time
	used    bool
}

func (w *World) grantedScopes() []string {
	asked := w.opt.Scopes
	if asked == nil {
		asked = DefaultScopes
	}
	return append(slices.Clone(asked), alwaysGranted...)
}

// BeginInstall makes a one-time code for a staff user and returns the address that the control
// panel opens in its iframe: {AppURL}/auth?code&scope&context&account_uuid.
func (s *Shop) BeginInstall(userID int64) (string, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	u, err := s.user(userID)
	if err != nil {
		return "", err
	}
	code := &authCode{shop: s, user: u, scopes: s.w.grantedScopes(), expires: s.w.now().Add(codeLife)}
	value := s.w.token(31)
	s.w.codes[value] = code
	q := url.Values{
		"code": {value}, "scope": {strings.Join(code.scopes, " ")}, "context": {"stores/" + s.Hash}, "account_uuid": {s.AccountUUID},
	}
	return s.w.opt.AppURL + "/auth?" + q.Encode(), nil
}

// user finds a staff user; 0 is the owner.
func (s *Shop) user(id int64) (User, error) {
	for _, u := range s.users {
		if u.ID == id || id == 0 {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("user %d: %w", id, ErrNotFound)
}

type tokenRequest struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Code         string `json:"code"`
	Context      string `json:"context"`
	Scope        string `json:"scope"`
	GrantType    string `json:"grant_type"`
	RedirectURI  string `json:"redirect_uri"`
}

// serveToken is POST /oauth2/token of login.bigcommerce.com, in either encoding.
func (w *World) serveToken(rw http.ResponseWriter, r *http.Request) {
	in, err := readTokenRequest(rw, r)
	if err != nil {
		answerJSON(rw, http.StatusBadRequest, obj{"error": "invalid_request", "error_description": err.Error()})
		return
	}
	w.mu.Lock()
	status, body := w.exchange(in)
	w.mu.Unlock()
	w.opt.Log.Debug("token request", "status", status)
	answerJSON(rw, status, body)
}

func readTokenRequest(rw http.ResponseWriter, r *http.Request) (tokenRequest, error) {
	var in tokenRequest
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 64<<10))
	if err != nil {
		return in, fmt.Errorf("reading the body: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		err = json.Unmarshal(body, &in)
		return in, err
	}
	if kind != "application/x-www-form-urlencoded" {
		return in, fmt.Errorf("content type %q", kind)
	}
	q, err := url.ParseQuery(string(body))
	if err != nil {
		return in, fmt.Errorf("reading the form: %w", err)
	}
	return tokenRequest{
		ClientID: q.Get("client_id"), ClientSecret: q.Get("client_secret"), Code: q.Get("code"), Context: q.Get("context"),
		Scope: q.Get("scope"), GrantType: q.Get("grant_type"), RedirectURI: q.Get("redirect_uri"),
	}, nil
}

// exchange trades a code for a token. The shop's older token for the app dies.
func (w *World) exchange(in tokenRequest) (int, obj) {
	refuse := func(status int, code, why string) (int, obj) {
		return status, obj{"error": code, "error_description": why}
	}
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	code := w.codes[in.Code]
	switch {
	case in.GrantType != "authorization_code":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "grant_type must be authorization_code")
	case !same(in.ClientID, w.opt.ClientID) || !same(in.ClientSecret, w.opt.ClientSecret):
		return refuse(http.StatusUnauthorized, "invalid_client", "client_id or client_secret is wrong")
	case code == nil || code.used || w.now().After(code.expires):
		return refuse(http.StatusBadRequest, "invalid_grant", "the code is unknown, used or expired")
	case in.RedirectURI != w.opt.AppURL+"/auth":
		return refuse(http.StatusBadRequest, "invalid_grant", "redirect_uri is not the registered one")
	case in.Context != "stores/"+code.shop.Hash:
		return refuse(http.StatusBadRequest, "invalid_grant", "context is not the code's")
	case !sameWords(in.Scope, code.scopes):
		return refuse(http.StatusBadRequest, "invalid_scope", "scope is not the one that was sent")
	}
	code.used = true
	s := code.shop
	s.revoke(w.opt.ClientID)
	t := &Token{Value: w.token(31), ClientID: w.opt.ClientID, Secret: w.opt.ClientSecret, Scopes: slices.Clone(code.scopes)}
	s.tokens = append(s.tokens, t)
	s.app = Installation{Installed: true, InstalledBy: code.user.ID, InstalledAt: w.now(), Scopes: slices.Clone(code.scopes), Token: t.Value}
	w.opt.Log.Info("app installed", "shop", s.Hash, "user", code.user.ID)
	return http.StatusOK, obj{
		"access_token": t.Value, "scope": strings.Join(code.scopes, " "), "context": "stores/" + s.Hash, "account_uuid": s.AccountUUID,
		"user":  obj{"id": code.user.ID, "username": code.user.Username, "email": code.user.Email},
		"owner": obj{"id": s.users[0].ID, "username": s.users[0].Username, "email": s.users[0].Email},
	}
}

func sameWords(line string, words []string) bool {
	have := strings.Fields(line)
	slices.Sort(have)
	want := slices.Clone(words)
	slices.Sort(want)
	return slices.Equal(have, want)
}

func (s *Shop) revoke(clientID string) {
	s.tokens = slices.DeleteFunc(s.tokens, func(t *Token) bool { return t.ClientID == clientID })
}

// RevokeToken kills the app's token without a word, as a change of owner does.
func (s *Shop) RevokeToken() { s.set(func() { s.revoke(s.w.opt.ClientID) }) }

// SignedPayload is the signed_payload_jwt of the load, uninstall and remove_user callbacks: all
// three are alike. deepLink is the url claim; userID 0 is the owner.
func (s *Shop) SignedPayload(userID int64, deepLink string) (string, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.signedPayload(userID, deepLink)
}

func (s *Shop) signedPayload(userID int64, deepLink string) (string, error) {
	u, err := s.user(userID)
	if err != nil {
		return "", err
	}
	if deepLink == "" {
		deepLink = "/"
	}
	now := s.w.now()
	nbf := now.Add(-5 * time.Second)
	return SignJWT(obj{
		"aud": s.w.opt.ClientID, "iss": "bc", "iat": now.Unix(), "nbf": nbf.Unix(), "exp": nbf.Add(24 * time.Hour).Unix(), "jti": s.w.uuid(),
		"sub": "stores/" + s.Hash, "url": deepLink, "channel_id": nil,
		"user":  obj{"id": u.ID, "email": u.Email, "locale": u.Locale},
		"owner": obj{"id": s.users[0].ID, "email": s.users[0].Email},
	}, s.w.opt.ClientSecret), nil
}

// LoadURL is what the control panel opens when a staff user clicks the app.
func (s *Shop) LoadURL(userID int64, deepLink string) (string, error) {
	token, err := s.SignedPayload(userID, deepLink)
	if err != nil {
		return "", err
	}
	return s.w.opt.AppURL + "/load?signed_payload_jwt=" + url.QueryEscape(token), nil
}

// Uninstall does what the platform does, in its order: the token dies, hooks and auto_uninstall
// scripts go, and then the app's /uninstall is called from the server for the owner.
func (s *Shop) Uninstall(ctx context.Context) error {
	s.w.mu.Lock()
	id := s.w.opt.ClientID
	s.revoke(id)
	s.app = Installation{}
	for _, h := range slices.Clone(s.hooks) {
		if h.ClientID == id {
			s.deleteHook(h.ID)
		}
	}
	s.scripts = slices.DeleteFunc(s.scripts, func(sc *Script) bool { return sc.ClientID == id && sc.AutoUninstall })
	token, err := s.signedPayload(0, "/")
	s.w.mu.Unlock()
	if err != nil {
		return err
	}
	return s.w.callback(ctx, "/uninstall", token)
}

// RemoveUser takes a staff user's access to the app away and calls the app's /remove_user.
func (s *Shop) RemoveUser(ctx context.Context, userID int64) error {
	token, err := s.SignedPayload(userID, "/")
	if err != nil {
		return err
	}
	return s.w.callback(ctx, "/remove_user", token)
}

func (w *World) callback(ctx context.Context, path, token string) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.opt.AppURL+path+"?signed_payload_jwt="+url.QueryEscape(token), nil)
	if err != nil {
		return fmt.Errorf("calling %s: %w", path, err)
	}
	resp, err := w.opt.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("calling %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("calling %s: the app answered %d", path, resp.StatusCode)
	}
	return nil
}

// SignJWT makes a compact HS256 JWT.
func SignJWT(claims map[string]any, secret string) string {
	enc := base64.RawURLEncoding
	body, err := json.Marshal(claims)
	if err != nil {
		panic(fmt.Sprintf("claims %v: %v", claims, err)) // claims are always our own maps
	}
	head := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + enc.EncodeToString(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(head))
	return head + "." + enc.EncodeToString(mac.Sum(nil))
}

func answerJSON(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}
