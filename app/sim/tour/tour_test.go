package tour

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The tour itself runs in the tests of package main, against the whole demo. Here it is held to fail where it should.

func TestRunEndsAtTheFirstStepThatFails(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	for name, c := range map[string]struct {
		o    Options
		want []string
	}{
		"nobody home": {Options{nothing.URL, nothing.URL, nothing.URL, nothing.Client(), io.Discard},
			[]string{"step 1, installing the app", "/manage/apps: expected 200, came 404"}},
		"no origin": {Options{nothing.URL + "/x", nothing.URL, nothing.URL, nothing.Client(), io.Discard}, []string{"is not an origin"}},
		"no client": {Options{nothing.URL, nothing.URL, nothing.URL, nil, io.Discard}, []string{"needs an HTTP client"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(context.Background(), c.o)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestUntilTellsWhatItSawLast(t *testing.T) {
	tr := &tour{}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := tr.until(ctx, "the moon to be full", func(context.Context) (bool, string, error) { return false, "half of it", nil })
	if err == nil || !strings.Contains(err.Error(), "the moon to be full") || !strings.Contains(err.Error(), "came half of it") {
		t.Errorf("error %v", err)
	}
	broken := errors.New("no sky")
	if _, err = tr.until(context.Background(), "x", func(context.Context) (bool, string, error) { return false, "", broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestCookies(t *testing.T) {
	const shopCookie = "__Host-login=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
	for _, c := range []struct {
		name, set string
		framed    bool   // in an iframe of another site
		back      string // what a second request from there carries
		refused   string
	}{
		{"at the top", "a=1; Path=/", false, "a=1", ""},
		{"partitioned in a frame", shopCookie, true, "__Host-login=1", ""},
		{"third-party in a frame", "a=1; Path=/; Secure; SameSite=None", true, "", "Partitioned"},
		{"lax in a frame", "a=1; Path=/; Secure; Partitioned; SameSite=Lax", true, "", "SameSite=None"},
		{"__Host- without Secure", "__Host-a=1; Path=/", false, "", "Secure"},
		{"__Host- with another path", "__Host-a=1; Path=/v/; Secure", false, "", "Path=/"},
		{"deleted", "a=; Path=/; Max-Age=0", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Get("Cookie")
				w.Header().Set("Set-Cookie", c.set)
				w.Header().Set("Content-Security-Policy", "frame-ancestors http://store.example")
			}))
			defer app.Close()
			b := &browser{client: app.Client(), jar: map[cookieKey]string{}}
			v := visit{url: app.URL}
			if c.framed {
				top := &page{browser: b, url: &url.URL{Scheme: "http", Host: "store.example", Path: "/"}}
				v.from, v.frame = top, top
			}
			_, err := b.visit(context.Background(), v)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("error %v, want %q in it", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.visit(context.Background(), v); err != nil || got != c.back {
				t.Errorf("the second request carries %q, want %q (%v)", got, c.back, err)
			}
			if _, err := b.visit(context.Background(), visit{url: app.URL}); c.framed && (err != nil || got != "") {
				t.Errorf("at the top the frame's cookie is sent: %q (%v)", got, err)
			}
		})
	}
}

func TestFrameAncestors(t *testing.T) {
	for csp, ok := range map[string]bool{
		"default-src 'none'; frame-ancestors http://store.example": true,
		"frame-ancestors http://store.example.evil":                false,
		"frame-ancestors 'none'":                                   false,
		"frame-ancestors 'self'":                                   false,
		"default-src 'none'":                                       false,
	} {
		p := &page{url: &url.URL{Scheme: "http", Host: "app.example"}, top: &url.URL{Scheme: "http", Host: "store.example"},
			header: http.Header{"Content-Security-Policy": {csp}}}
		if err := p.framed(); (err == nil) != ok {
			t.Errorf("%s: %v, want it framed: %v", csp, err, ok)
		}
	}
}

func TestRedirectsAndForms(t *testing.T) {
	const doc = `<form action="/save" method="post"><input type="hidden" name="base" value="7"><input name="age" value="18">
<input type="checkbox" name="match" value="on" checked><input type="checkbox" name="off" value="on"><input type="radio" name="mode" value="a">
<input type="radio" name="mode" value="b" checked><select name="level"><option value="1">one</option><option value="2" selected>two</option></select>
<textarea name="note">
hello</textarea><input name="gone" disabled value="x"><button name="answer" value="no" id="no">No</button></form>`
	var sent url.Values
	var origin, site string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/save":
			_ = r.ParseForm()
			sent, origin, site = r.PostForm, r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
			http.Redirect(w, r, "/form?saved=8", http.StatusSeeOther)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusSeeOther)
		default:
			_, _ = io.WriteString(w, doc)
		}
	}))
	defer app.Close()
	tr := &tour{client: app.Client()}
	tr.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, b := context.Background(), tr.newBrowser()
	p, err := b.open(ctx, app.URL+"/form")
	if err != nil {
		t.Fatal(err)
	}
	p, err = p.press(ctx, "saving", id("no"), "age", "21", "off", "on", "mode", "a", "level", "1", "answer", "no")
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"base": {"7"}, "age": {"21"}, "match": {"on"}, "off": {"on"}, "mode": {"a"}, "level": {"1"}, "note": {"hello"}, "answer": {"no"}}
	if sent.Encode() != want.Encode() || origin != app.URL || site != "same-origin" {
		t.Errorf("sent %v from %s (%s), want %v", sent, origin, site, want)
	}
	if len(p.hops) != 1 || p.hops[0].status != http.StatusSeeOther || p.url.Query().Get("saved") != "8" {
		t.Errorf("landed on %v by %v", p.url, p.hops)
	}
	f, err := p.form("", has("name", "age"))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2]string{{"mode", "c"}, {"level", "3"}, {"base", "8"}, {"nosuch", "1"}, {"match", "yes"}} {
		if f.enter(bad[0], bad[1]) == nil {
			t.Errorf("the form took %s = %s, which it does not offer", bad[0], bad[1])
		}
	}
	if _, err := b.visit(ctx, visit{url: app.URL + "/loop"}); err == nil {
		t.Error("an endless redirect ended")
	}
}

func TestStream(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", "Idgate-Capability")
		w.Header().Set("Content-Type", "text/event-stream")
		if strings.Contains(r.URL.Path, "short") {
			_, _ = io.WriteString(w, "event: session\ndata: {\"state\":\"created\"}\n\n")
			return
		}
		_, _ = io.WriteString(w, "event: session\ndata: {\"state\":\"created\"}\n\n: still here\n\nevent: other\ndata: x\n\n"+
			"event: session\ndata: {\"state\":\"started\"}\n\nevent: session\ndata: {\"state\":\"passed\",\ndata: \"decision\":\"allow\"}\n\n")
	}))
	defer app.Close()
	tr := &tour{client: app.Client()}
	s := &script{base: app.URL, cleared: map[string]bool{}, page: &page{browser: tr.newBrowser(), url: &url.URL{Scheme: "http", Host: "store.example"}}}
	events, err := s.follow(context.Background(), "1", "cart.x")
	if err != nil {
		t.Fatal(err)
	}
	defer events.close()
	n, states, err := events.last()
	if err != nil || n.Decision != "allow" || fmt.Sprint(states) != "[created started passed]" {
		t.Errorf("%v %+v, %v", states, n, err)
	}
	short, err := s.follow(context.Background(), "short", "cart.x")
	if err != nil {
		t.Fatal(err)
	}
	defer short.close()
	if _, _, err := short.last(); err == nil {
		t.Error("a stream that stopped half way is taken for an end")
	}
}

// signed makes a token and the key set that verifies it.
func signed(t testing.TB, header, claims map[string]any) (jwks []byte, token string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	enc := base64.RawURLEncoding
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return enc.EncodeToString(b)
	}
	token = part(header) + "." + part(claims)
	token += "." + enc.EncodeToString(ed25519.Sign(private, []byte(token)))
	jwks, err := json.Marshal(map[string]any{"keys": []any{map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": "k1",
		"x": enc.EncodeToString(private.Public().(ed25519.PublicKey))}}})
	if err != nil {
		t.Fatal(err)
	}
	return jwks, token
}

func TestReceipts(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := map[string]any{"sub": "shop/7", "ial": 2, "exp": now.Add(time.Hour).Unix()}
	for _, c := range []struct {
		name           string
		header, claims map[string]any
		spoil          func(string) string
		want           string // of the error; "" verifies
	}{
		{"good", map[string]any{"alg": "EdDSA", "kid": "k1"}, good, nil, ""},
		{"another claim put in", map[string]any{"alg": "EdDSA", "kid": "k1"}, good, func(s string) string {
			p := strings.Split(s, ".")
			return p[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"shop/8","ial":3}`)) + "." + p[2]
		}, "does not verify"},
		{"no algorithm", map[string]any{"alg": "none", "kid": "k1"}, good, nil, "expected EdDSA"},
		{"an unknown key", map[string]any{"alg": "EdDSA", "kid": "k2"}, good, nil, "a key k2"},
		{"expired", map[string]any{"alg": "EdDSA", "kid": "k1"}, map[string]any{"exp": now.Unix()}, nil, "expired"},
		{"two parts", map[string]any{"alg": "EdDSA", "kid": "k1"}, good, func(s string) string { return s[:strings.LastIndex(s, ".")] }, "three parts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			jwks, token := signed(t, c.header, c.claims)
			if c.spoil != nil {
				token = c.spoil(token)
			}
			got, err := verify(jwks, token, now)
			switch {
			case c.want == "" && (err != nil || got.Subject != "shop/7" || got.IAL == nil || *got.IAL != 2 || got.keyID != "k1"):
				t.Errorf("%+v, %v", got, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

// Whatever a token is made of, only what was signed verifies.
func FuzzVerify(f *testing.F) {
	jwks, token := signed(f, map[string]any{"alg": "EdDSA", "kid": "k1"}, map[string]any{"sub": "shop/7"})
	content := token[:strings.LastIndex(token, ".")]
	f.Add(token)
	f.Add("e30.e30.e30")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := verify(jwks, token, time.Unix(0, 0)); err == nil && !strings.HasPrefix(token, content+".") {
			t.Errorf("%q verifies", token)
		}
	})
}
