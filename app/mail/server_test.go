package mail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestParseServer(t *testing.T) {
	for _, c := range []struct {
		setting string
		want    Server
		err     error
	}{
		{"smtp://user:pass@mail.example.com:2587?from=no-reply@example.com", Server{"mail.example.com", 2587, "user", "pass", StartTLS, "no-reply@example.com", DefaultTimeout}, nil},
		{"smtp://mail.example.com?from=no-reply@example.com", Server{"mail.example.com", 587, "", "", StartTLS, "no-reply@example.com", DefaultTimeout}, nil},
		{"smtp://mail.example.com:/?from=a%2Bb@EXAMPLE.com", Server{"mail.example.com", 587, "", "", StartTLS, "a+b@example.com", DefaultTimeout}, nil},
		{"smtps://a%40b:p%3A%2F%3F%23%40@[2001:db8::1]?from=a@bücher.example", Server{"2001:db8::1", 465, "a@b", "p:/?#@", ImplicitTLS, "a@xn--bcher-kva.example", DefaultTimeout}, nil},
		{"smtps://mail_1.internal:587?from=a@b.example", Server{"mail_1.internal", 587, "", "", ImplicitTLS, "a@b.example", DefaultTimeout}, nil},
		{"smtp://127.0.0.1:2525?from=a@b.example&tls=none", Server{"127.0.0.1", 2525, "", "", NoTLS, "a@b.example", DefaultTimeout}, nil},
		{"smtp://[::1]:2525?tls=none&from=a@b.example", Server{"::1", 2525, "", "", NoTLS, "a@b.example", DefaultTimeout}, nil},
		{"smtp://LocalHost:25?from=a@b.example&tls=none", Server{"LocalHost", 25, "", "", NoTLS, "a@b.example", DefaultTimeout}, nil},

		{"", Server{}, errScheme},
		{"mail.example.com:587", Server{}, errScheme},
		{"https://mail.example.com?from=a@b.example", Server{}, errScheme},
		{"smtp:mail.example.com?from=a@b.example", Server{}, errForm},
		{"smtp://user:pa%ss@mail.example.com?from=a@b.example", Server{}, errForm},
		{"smtp://user:pa/ss@mail.example.com?from=a@b.example", Server{}, errForm},
		{"smtp://user:pass@mail.example.com/path?from=a@b.example", Server{}, errForm},
		{"smtp://mail.example.com?from=a@b.example#x", Server{}, errForm},
		{"smtp://mail.example.com:port?from=a@b.example", Server{}, errForm},
		{"smtp://mail.example.com?from=" + strings.Repeat("a", maxSetting), Server{}, errForm},
		{"smtp://mail.example.com:0?from=a@b.example", Server{}, errPort},
		{"smtp://mail.example.com:65536?from=a@b.example", Server{}, errPort},
		{"smtp://mail.example.com:99999999999999999999?from=a@b.example", Server{}, errPort},
		{"smtp://mail.example.com:465?from=a@b.example", Server{}, errPort465},
		{"smtp://?from=a@b.example", Server{}, errHost},
		{"smtp://-x.example?from=a@b.example", Server{}, errHost},
		{"smtp://[fe80::1%25eth0]?from=a@b.example", Server{}, errHost},
		{"smtp://mail.example.com", Server{}, errFrom},
		{"smtp://mail.example.com?from=", Server{}, errFrom},
		{"smtp://mail.example.com?from=a+b@example.com", Server{}, errFrom},
		{"smtp://mail.example.com?from=jörg@example.com", Server{}, errFrom},
		{"smtp://mail.example.com?from=Shop <a@example.com>", Server{}, errFrom},
		{"smtp://mail.example.com?from=a@b.example&from=a@b.example", Server{}, errParam},
		{"smtp://mail.example.com?from=a@b.example&timeout=5s", Server{}, errParam},
		{"smtp://mail.example.com?from=a@b.example;x", Server{}, errParam},
		{"smtp://mail.example.com?from=a@b.example&tls=opportunistic", Server{}, errTLS},
		{"smtps://127.0.0.1?from=a@b.example&tls=none", Server{}, errTLS},
		{"smtp://user@mail.example.com?from=a@b.example", Server{}, errUser},
		{"smtp://:pass@mail.example.com?from=a@b.example", Server{}, errUser},
		{"smtp://user:pa%00ss@mail.example.com?from=a@b.example", Server{}, errUser},
		{"smtp://mail.example.com?from=a@b.example&tls=none", Server{}, errClear},
		{"smtp://10.0.0.1?from=a@b.example&tls=none", Server{}, errClear},
		{"smtp://localhost.example.com?from=a@b.example&tls=none", Server{}, errClear},
		{"smtp://user:pass@127.0.0.1?from=a@b.example&tls=none", Server{}, errClearKey},
	} {
		got, err := ParseServer(c.setting)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: got  %q %v\nwant %q %v", c.setting, []string{got.Host, fmt.Sprint(got.Port), got.User, got.Password, got.TLS, got.From}, err,
				[]string{c.want.Host, fmt.Sprint(c.want.Port), c.want.User, c.want.Password, c.want.TLS, c.want.From}, c.err)
		}
	}
}

// A Server made by hand is checked like a parsed one.
func TestNewSender(t *testing.T) {
	for _, c := range []struct {
		server Server
		err    error
	}{
		{Server{Host: "mail.example.com", From: "a@b.example"}, nil},
		{Server{Host: "mail.example.com", From: "a@b.example", TLS: "starttls "}, errTLS},
		{Server{Host: "mail.example.com", From: "a@b.example", Port: -1}, errPort},
		{Server{Host: "mail.example.com", From: "a@b.example", Timeout: -1}, errTimeout},
		{Server{Host: "127.0.0.1", From: "a@b.example", TLS: NoTLS, User: "user", Password: "pass"}, errClearKey},
		{Server{From: "a@b.example"}, errHost},
	} {
		s, err := NewSender(c.server)
		if !errors.Is(err, c.err) || (s == nil) != (err != nil) {
			t.Errorf("%s: %v, want %v", c.server, err, c.err)
		}
		if s != nil && (s.server.Port != 587 || s.server.TLS != StartTLS || s.server.Timeout != DefaultTimeout) {
			t.Errorf("%s: %d %s %s", c.server, s.server.Port, s.server.TLS, s.server.Timeout)
		}
	}
}

// secret stands for a user and a password; hexes and numbers are how some verbs would print it.
const secret = "Hunter2x"

func leaks(s string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(secret)) ||
		strings.Contains(strings.ToLower(s), fmt.Sprintf("%x", secret)) || strings.Contains(s, fmt.Sprint([]byte(secret))) ||
		strings.Contains(s, strings.Trim(fmt.Sprint([]byte(secret)), "[]"))
}

func TestServerPrintsWithoutItsSecrets(t *testing.T) {
	server, err := ParseServer("smtps://" + secret + ":" + secret + "@mail.example.com?from=a%2Bb@example.com")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := NewSender(server)
	if err != nil {
		t.Fatal(err)
	}
	if want := "smtps://***@mail.example.com:465?from=a%2Bb@example.com"; server.String() != want {
		t.Errorf("%s, want %s", server, want)
	}
	if got := (Server{Host: "::1", Port: 25, TLS: NoTLS, From: "a@b.example"}).String(); got != "smtp://[::1]:25?from=a@b.example&tls=none" {
		t.Error(got)
	}
	if v := slog.AnyValue(server).Resolve(); v.Kind() != slog.KindString || v.String() != server.String() {
		t.Errorf("a log's handler is given %s %v", v.Kind(), v)
	}
	inside := struct{ Mail Server }{server}
	holder := struct{ mail *Sender }{sender}
	for _, v := range []any{server, &server, inside, holder, &inside, []Server{server}, map[string]Server{"a": server}, sender, *sender} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t"} {
			if s := fmt.Sprintf(verb, v); leaks(s) {
				t.Errorf("%T with %s: %s", v, verb, s)
			}
		}
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
		if j, err := json.Marshal(v); err == nil {
			b.Write(j)
		}
		if leaks(b.String()) {
			t.Errorf("%T: %s", v, b.String())
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{
		"smtp://user:pass@mail.example.com:587?from=no-reply@example.com", "smtps://[::1]:465?from=a@b.example",
		"smtp://127.0.0.1:25?from=a@b.example&tls=none", "smtp://user:p%40ss@h?from=a%2Bb@c.example", "smtp://u:p/x@h", "u:p@h", "smtp://h?p#q",
	} {
		f.Add(s)
	}
	known := []error{errForm, errScheme, errHost, errPort, errPort465, errParam, errFrom, errUser, errTLS, errClear, errClearKey}
	f.Fuzz(func(t *testing.T, setting string) {
		s, err := ParseServer(setting)
		if err != nil {
			for _, k := range known { // one of a few fixed texts: nothing of the setting is in it
				if err == k && s == (Server{}) {
					return
				}
			}
			t.Fatalf("%q: %q, %v", setting, s, err)
		}
		ip, ipErr := netip.ParseAddr(s.Host)
		switch {
		case s.Host == "" || s.Port < 1 || s.Port > 65535 || s.Timeout != DefaultTimeout || (s.User == "") != (s.Password == ""):
			t.Errorf("%q: %s", setting, s)
		case s.TLS == NoTLS && (s.User != "" || !strings.EqualFold(s.Host, "localhost") && (ipErr != nil || !ip.IsLoopback())):
			t.Errorf("in the clear: %q", setting)
		case s.TLS != NoTLS && s.TLS != StartTLS && s.TLS != ImplicitTLS:
			t.Errorf("%q: TLS %q", setting, s.TLS)
		}
		if again, err := mailbox(s.From); err != nil || again != s.From || !isASCII(s.From) {
			t.Errorf("%q: from %q: %v", setting, s.From, err)
		}
		// What it prints is a setting again, all but user and password.
		bare := s
		bare.User, bare.Password = "", ""
		if again, err := ParseServer(strings.Replace(s.String(), "***@", "", 1)); err != nil || again != bare {
			t.Errorf("%q prints as %s: %v", setting, s, err)
		}
	})
}

var noon = time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("CET", 3600))
