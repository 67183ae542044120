package sim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestTokenRequests(t *testing.T) {
	b := newBench(t, 1)
	set := func(k, v string) func(map[string]string) { return func(m map[string]string) { m[k] = v } }
	for _, tc := range []struct {
		name   string
		edit   func(map[string]string)
		later  time.Duration
		status int
		code   string
	}{
		{"good", func(map[string]string) {}, 0, 200, ""},
		{"scopes in another order", func(m map[string]string) {
			words := strings.Fields(m["scope"])
			slices.Reverse(words)
			m["scope"] = strings.Join(words, " ")
		}, 0, 200, ""},
		{"wrong client", set("client_id", "other"), 0, 401, "invalid_client"},
		{"wrong secret", set("client_secret", "other"), 0, 401, "invalid_client"},
		{"unknown code", set("code", "other"), 0, 400, "invalid_grant"},
		{"late", func(map[string]string) {}, 11 * time.Minute, 400, "invalid_grant"},
		{"another redirect", set("redirect_uri", "https://evil.example/auth"), 0, 400, "invalid_grant"},
		{"another shop", set("context", "stores/zzz"), 0, 400, "invalid_grant"},
		{"scope shortened", set("scope", "store_v2_orders"), 0, 400, "invalid_scope"},
		{"no grant type", set("grant_type", ""), 0, 400, "unsupported_grant_type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := b.codeRequest()
			tc.edit(in)
			b.clock.add(tc.later)
			status, body := b.exchange(in)
			if got, _ := body["error"].(string); status != tc.status || got != tc.code {
				t.Errorf("%d %v, want %d %q", status, body, tc.status, tc.code)
			}
		})
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	b := newBench(t, 1)
	in := b.codeRequest()
	if status, _ := b.exchange(in); status != 200 {
		t.Fatalf("first: %d", status)
	}
	if status, _ := b.exchange(in); status != 400 {
		t.Errorf("second: %d, want 400", status)
	}
}

func TestReinstallReplacesToken(t *testing.T) {
	b := newBench(t, 1)
	old := b.token.Value
	fresh := b.install().Value
	if a := b.apiAs(old, "GET", "/v2/time", ""); a.status != 401 {
		t.Errorf("the old token: %d, want 401", a.status)
	}
	if a := b.apiAs(fresh, "GET", "/v2/time", ""); a.status != 200 {
		t.Errorf("the new token: %d, want 200", a.status)
	}
	if !slices.Contains(b.s.Installation().Scopes, "store_v2_default") {
		t.Error("the platform's default scopes are missing from the grant")
	}
}

func TestFormEncodedTokenRequest(t *testing.T) {
	b := newBench(t, 1)
	form := url.Values{}
	for k, v := range b.codeRequest() {
		form.Set(k, v)
	}
	resp, err := http.PostForm(b.store.URL+"/oauth2/token", form)
	status, body := readAnswer(t, resp, err)
	if status != 200 || body["context"] != "stores/abc123" || body["account_uuid"] != b.s.AccountUUID {
		t.Errorf("%d %v", status, body)
	}
	resp, err = http.Post(b.store.URL+"/oauth2/token", "text/plain", strings.NewReader("x"))
	if status, _ := readAnswer(t, resp, err); status != 400 {
		t.Errorf("text/plain: %d, want 400", status)
	}
}

func TestSignedPayloadClaims(t *testing.T) {
	b := newBench(t, 1)
	staff := b.s.Users()[1]
	raw := must[string](t)(b.s.LoadURL(staff.ID, "/orders/106"))
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(raw, b.app.srv.URL+"/load?") {
		t.Fatalf("%s: %v", raw, err)
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(u.Query().Get("signed_payload_jwt"), claims, func(*jwt.Token) (any, error) { return []byte(testSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience(testClientID), jwt.WithIssuer("bc"), jwt.WithTimeFunc(b.clock.now))
	if err != nil {
		t.Fatal(err)
	}
	now := float64(b.clock.now().Unix())
	user, _ := claims["user"].(map[string]any)
	owner, _ := claims["owner"].(map[string]any)
	for name, pair := range map[string][2]any{
		"sub": {claims["sub"], "stores/abc123"}, "url": {claims["url"], "/orders/106"}, "iat": {claims["iat"], now}, "nbf": {claims["nbf"], now - 5},
		"exp": {claims["exp"], now - 5 + 86400}, "user": {user["id"], float64(staff.ID)}, "owner": {owner["id"], float64(b.s.Users()[0].ID)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	if _, err := b.s.LoadURL(4711, "/"); err == nil {
		t.Error("an unknown user can load")
	}
}

func TestUninstall(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/created")
	script := `{"name":"gate","src":"` + b.app.srv.URL + `/gate.js","visibility":"checkout","auto_uninstall":%s}`
	b.want(200, "POST", "/v3/content/scripts", strings.Replace(script, "%s", "true", 1))
	b.want(200, "POST", "/v3/content/scripts", strings.Replace(script, "%s", "false", 1))
	b.app.take()

	if err := b.s.Uninstall(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := b.app.take()
	if len(got) != 1 || got[0].path != "/uninstall" || !strings.HasPrefix(got[0].query, "signed_payload_jwt=") {
		t.Fatalf("the app got %+v", got)
	}
	if a := b.api("GET", "/v2/store", ""); a.status != 401 {
		t.Errorf("the token after uninstalling: %d, want 401", a.status)
	}
	if n := len(b.s.Hooks()); n != 0 {
		t.Errorf("%d hooks are left", n)
	}
	if left := b.s.Scripts(); len(left) != 1 || left[0].AutoUninstall {
		t.Errorf("scripts left: %+v", left)
	}
	if b.s.Installation().Installed {
		t.Error("still installed")
	}
	b.app.answers(500)
	if err := b.s.RemoveUser(context.Background(), b.s.Users()[2].ID); err == nil {
		t.Error("the app's 500 is not reported")
	}
}

// FuzzTokenRequest sends anything to the token endpoint: it answers 200 only to the one good request.
func FuzzTokenRequest(f *testing.F) {
	f.Add("application/json", `{"client_id":"x","code":"y","grant_type":"authorization_code"}`)
	f.Add("application/x-www-form-urlencoded", "client_id=x&grant_type=authorization_code")
	f.Add("multipart/form-data; boundary=x", "--x--")
	w := New(Options{ClientID: testClientID, ClientSecret: testSecret, AppURL: "http://app.localhost:1", StoreURL: "http://store.localhost:2"})
	f.Fuzz(func(t *testing.T, kind, body string) {
		req, err := http.NewRequest(http.MethodPost, "http://store.localhost:2/oauth2/token", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		req.Header.Set("Content-Type", kind)
		rw := &statusOnly{header: http.Header{}}
		w.serveToken(rw, req)
		if rw.status != 400 && rw.status != 401 {
			t.Errorf("%q %q: %d", kind, body, rw.status)
		}
	})
}
