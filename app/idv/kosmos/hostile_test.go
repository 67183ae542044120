package kosmos_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	sim "idgate/app/sim/kosmos"
)

const (
	communityPath = "/api/r1/system/community_info/fetch"
	directoryPath = "/caas/sd"
	keysPath      = "/docuverify/publickeys"
	createPath    = "/docuverify/document_share_session/create"
	resultPath    = "/docuverify/document_share_session/result"
)

// Every answer that is not what was agreed on ends as an error, or as a state that is no pass.
func TestHostileAnswers(t *testing.T) {
	const goodCommunity = `{"tenant":{"id":"t","otherDNS":["evil.example.net","127.0.0.1"]},"community":{"id":"c"}}`
	for _, c := range []struct {
		name, path string
		status     int
		body       string
		header     []string
		want       idv.Fault
	}{
		{"redirect", communityPath, 307, "", []string{"Location", "https://evil.example.net/"}, idv.Refused},
		{"unknown community", communityPath, 200, `{"tenant":{"id":"t"},"community":null,"message":"no"}`, nil, idv.Refused},
		{"community 404", communityPath, 404, `{}`, nil, idv.Refused},
		{"community as HTML", communityPath, 200, `<!doctype html>`, nil, idv.Unreadable},
		{"community cut off", communityPath, 200, `{"tenant":{"id":"t"`, nil, idv.Unreadable},
		{"community too long", communityPath, 200, `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, nil, idv.Unreadable},
		{"community as list", communityPath, 200, `[]`, nil, idv.Unreadable},
		{"tenant as text", communityPath, 200, `{"tenant":"t","community":"c"}`, nil, idv.Unreadable},
		{"hosts without end", communityPath, 200,
			`{"tenant":{"id":"t","otherDNS":[` + strings.Repeat(`"a.example.net",`, 99) + `"b"]},"community":{"id":"c"}}`, nil, idv.Unreadable},
		{"docuverify elsewhere", directoryPath, 200, `{"docuverify":"https://evil.example.net/docuverify"}`, nil, idv.Forbidden},
		{"docuverify over another port", directoryPath, 200, `{"docuverify":"http://127.0.0.1:1/docuverify"}`, nil, idv.Forbidden},
		{"docuverify inside", directoryPath, 200, `{"docuverify":"http://192.168.1.7:8888"}`, nil, idv.Forbidden},
		{"docuverify as user", directoryPath, 200, `{"docuverify":"http://HOST@evil.example.net/"}`, nil, idv.Forbidden},
		{"docuverify with password", directoryPath, 200, `{"docuverify":"http://a:b@HOST/docuverify"}`, nil, idv.Forbidden},
		{"docuverify by file", directoryPath, 200, `{"docuverify":"file:///etc/passwd"}`, nil, idv.Forbidden},
		{"docuverify by ftp", directoryPath, 200, `{"docuverify":"ftp://HOST/docuverify"}`, nil, idv.Forbidden},
		{"docuverify with fragment", directoryPath, 200, `{"docuverify":"http://HOST/docuverify#x"}`, nil, idv.Forbidden},
		{"docuverify with a query", directoryPath, 200, `{"docuverify":"http://HOST/docuverify?x=1"}`, nil, idv.Forbidden},
		{"docuverify is no URL", directoryPath, 200, `{"docuverify":"http://[::1"}`, nil, idv.Forbidden},
		{"no docuverify", directoryPath, 200, `{"sessions":"http://HOST/sessions"}`, nil, idv.Unreadable},
		{"docuverify twice", directoryPath, 200, `{"docuverify":"http://HOST/a","docuverify":"http://HOST/b"}`, nil, idv.Unreadable},
		{"docuverify as object", directoryPath, 200, `{"docuverify":{}}`, nil, idv.Unreadable},
		{"directory 500", directoryPath, 500, ``, []string{"Retry-After", "9"}, idv.Unreachable},
		{"no key", keysPath, 200, `{}`, nil, idv.Unreadable},
		{"key off the curve", keysPath, 200, `{"publicKey":"` + strings.Repeat("A", 86) + `=="}`, nil, idv.Unreadable},
		{"key 401", keysPath, 401, `{"message":"Invalid or Unauthorized License ` + licence + `"}`, nil, idv.Refused},
		{"create says nothing", createPath, 200, `{}`, nil, idv.Unreadable},
		{"create says null", createPath, 200, `null`, nil, idv.Unreadable},
		{"create says an error", createPath, 200, `{"code":400,"message":"dvcID is required"}`, nil, idv.Unreadable},
		{"create with a path for an id", createPath, 200, `{"sessionId":"../../../admin","url":"http://HOST/x"}`, nil, idv.Unreadable},
		{"create with a page elsewhere", createPath, 200, `{"sessionId":"12345678","url":"https://evil.example.net/x"}`, nil, idv.Forbidden},
		{"create with a script", createPath, 200, `{"sessionId":"12345678","url":"javascript:alert(1)"}`, nil, idv.Forbidden},
		{"create without a page", createPath, 200, `{"sessionId":"12345678"}`, nil, idv.Forbidden},
		{"create with a forged message", createPath, 200, `{"data":"AAAA","publicKey":"AAAA"}`, nil, idv.Unreadable},
		{"create with data as number", createPath, 200, `{"data":7}`, nil, idv.Unreadable},
		{"create 400", createPath, 400, `{"code":400,"message":"dvcID is required"}`, nil, idv.Refused},
		{"create 400 of headers", createPath, 400, `{"errors":[{"message":"This header can't be decrypted","param":"licensekey"}]}`, nil, idv.Unreadable},
		{"create 401 with our key in it", createPath, 401, `{"message":"Invalid or Unauthorized License ` + licence + ` ` + dvcID + `"}`, nil, idv.Refused},
		{"create 201", createPath, 201, `{}`, nil, idv.Unreadable},
		{"create 302", createPath, 302, ``, []string{"Location", "http://127.0.0.1:1/"}, idv.Refused},
		{"create 408", createPath, 408, ``, nil, idv.Unreachable},
		{"create 418", createPath, 418, ``, nil, idv.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.answerWith(c.path, c.status, strings.ReplaceAll(c.body, "HOST", w.host), c.header...)
			made, err := w.client.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
			if e := w.fault(t, err, c.want); made != (idv.Created{}) || e.Op == "" {
				t.Errorf("made %+v", made)
			}
		})
	}
	t.Run("a host that otherDNS names", func(t *testing.T) { // allowed by name; the scheme still is not
		w := newWorld(t)
		f := func(rw http.ResponseWriter, r *http.Request) bool {
			switch r.URL.Path {
			case communityPath:
				rw.Write([]byte(goodCommunity))
			case directoryPath:
				rw.Write([]byte(`{"docuverify":"http://evil.example.net/docuverify"}`))
			default:
				return false
			}
			return true
		}
		w.instead.Store(&f)
		_, err := w.client.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
		w.fault(t, err, idv.Forbidden)
	})
}

func TestAnswersAreBounded(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	for _, c := range []struct {
		size  int
		bound string
	}{{16<<20 + 1, "over 16777216 bytes"}, {16 << 20, "not the JSON"}} {
		w.answerWith(resultPath, 200, strings.Repeat(" ", c.size))
		_, err := w.client.Fetch(t.Context(), made.Ref)
		if e := w.fault(t, err, idv.Unreadable); !strings.Contains(e.Detail, c.bound) {
			t.Errorf("%d bytes: %v", c.size, e)
		}
	}
	w.answerWith(createPath, 200, strings.Repeat(" ", 1<<20+1))
	_, err := w.client.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
	if e := w.fault(t, err, idv.Unreadable); !strings.Contains(e.Detail, "over 1048576 bytes") {
		t.Error(e)
	}
}

func TestRetryAfter(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		status int
		header string
		want   time.Duration
		fault  idv.Fault
	}{
		{429, "30", 30 * time.Second, idv.Busy},
		{429, "Mon, 15 Jun 2026 12:01:00 GMT", time.Minute, idv.Busy},
		{429, "Mon, 15 Jun 2026 11:00:00 GMT", 0, idv.Busy},
		{429, "99999999", time.Hour, idv.Busy},
		{429, "-5", 0, idv.Busy},
		{429, "soon", 0, idv.Busy},
		{429, "", 0, idv.Busy},
		{503, "5", 5 * time.Second, idv.Unreachable},
	} {
		w.answerWith(directoryPath, c.status, "", "Retry-After", c.header)
		_, err := w.client.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
		if e := w.fault(t, err, c.fault); e.RetryAfter != c.want || e.Status != c.status || !e.Temporary() {
			t.Errorf("%d %q: %+v", c.status, c.header, e)
		}
	}
}

func TestDirectoryAndKeysAreRemembered(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	expect := func(communities, directories, keys int) {
		t.Helper()
		if _, err := w.client.Fetch(t.Context(), made.Ref); err != nil {
			t.Fatal(err)
		}
		if a, b, c := w.called(communityPath), w.called(directoryPath), w.called(keysPath); a != communities || b != directories || c != keys {
			t.Errorf("asked %d, %d, %d times; want %d, %d, %d", a, b, c, communities, directories, keys)
		}
	}
	expect(1, 1, 1)
	w.clock.Move(10*time.Minute - time.Second)
	expect(1, 1, 1)
	w.clock.Move(time.Second)
	expect(2, 2, 1)
	w.clock.Move(24*time.Hour - 10*time.Minute)
	expect(3, 3, 2)
}

func TestConcurrentPollsAskOnce(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	cold := w.connect(t, w.clock.Now)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := cold.Fetch(t.Context(), made.Ref); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a, b, c := w.called(communityPath), w.called(directoryPath), w.called(keysPath); a != 2 || b != 2 || c != 2 {
		t.Errorf("asked %d, %d, %d times by two clients", a, b, c)
	}
	if n := w.called(resultPath); n != 40 {
		t.Errorf("%d results", n)
	}
}

func TestServiceKeyRotates(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	w.RotateKeys()
	_, err := w.client.Fetch(t.Context(), made.Ref)
	w.fault(t, err, idv.Unreadable)
	if _, err = w.client.Fetch(t.Context(), made.Ref); err == nil || w.called(keysPath) != 1 {
		t.Errorf("a young key was fetched again: %v", err)
	}
	w.clock.Move(2 * time.Minute)
	if _, err = w.client.Fetch(t.Context(), made.Ref); err == nil {
		t.Error("the old key still worked")
	}
	if o, err := w.client.Fetch(t.Context(), made.Ref); err != nil || o.State != idv.StateCreated || w.called(keysPath) != 2 {
		t.Errorf("with the new key: %s, %v", o.State, err)
	}
	w.clock.Move(2 * time.Minute) // the same, when it is the answer that shows it
	w.Misbehave(sim.Fault{Undecryptable: true})
	_, err = w.client.Fetch(t.Context(), made.Ref)
	w.fault(t, err, idv.Unreadable)
	w.Misbehave(sim.Fault{})
	if _, err := w.client.Fetch(t.Context(), made.Ref); err != nil || w.called(keysPath) != 3 {
		t.Errorf("keys fetched %d times, %v", w.called(keysPath), err)
	}
	// A provider that cannot be understood at all must not make us fetch its key at every poll.
	w.Misbehave(sim.Fault{Undecryptable: true})
	for range 5 {
		_, err := w.client.Fetch(t.Context(), made.Ref)
		w.fault(t, err, idv.Unreadable)
	}
	if n := w.called(keysPath); n != 3 {
		t.Errorf("keys fetched %d times", n)
	}
}

func TestGivingUpLeavesTheFetchToOthers(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	cold := w.connect(t, w.clock.Now)
	release, entered := make(chan struct{}), make(chan struct{}, 8)
	f := func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == directoryPath {
			entered <- struct{}{}
			<-release
		}
		return false
	}
	w.instead.Store(&f)
	ctx, cancel := context.WithCancel(t.Context())
	impatient := make(chan error)
	go func() {
		_, err := cold.Fetch(ctx, made.Ref)
		impatient <- err
	}()
	<-entered
	cancel()
	w.fault(t, <-impatient, idv.Unreachable)
	patient := make(chan error)
	go func() {
		_, err := cold.Fetch(t.Context(), made.Ref)
		patient <- err
	}()
	close(release)
	if err := <-patient; err != nil {
		t.Error(err)
	}
	if len(entered) != 0 {
		t.Error("the directory was asked for twice")
	}
}

func TestNewNamesAllThatIsWrong(t *testing.T) {
	good := kosmos.Tenant{DNS: "Example.1Kosmos.net:443", Community: "default", LicenseKey: "l", DVCID: "d",
		Curve: kosmos.Prime256v1, AllowedHosts: []string{"api.example.net"}, ResultPath: kosmos.ResultV3}
	if _, err := kosmos.New(good, kosmos.Options{}); err != nil {
		t.Fatal(err)
	}
	_, err := kosmos.New(kosmos.Tenant{DNS: "https://x/", AllowedHosts: []string{"a b"}, ResultPath: "v2", Curve: "p", LicenseKey: " padded "}, kosmos.Options{})
	for _, want := range []string{"DNS", "Community", "LicenseKey", "DVCID", "AllowedHosts", "ResultPath", "curve"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "padded") {
		t.Errorf("%v tells the licence key", err)
	}
	if _, err := kosmos.New(good, kosmos.Options{Loopback: true}); err == nil {
		t.Error("a real tenant is taken in loopback mode")
	}
	for _, dns := range []string{"", "-a.net", "a..net", "a.net/", "a.net?", "u@a.net", "a.net:123456", "[::1]", "a_b.net", strings.Repeat("a.", 127) + "net"} {
		bad := good
		bad.DNS = dns
		if _, err := kosmos.New(bad, kosmos.Options{}); err == nil {
			t.Errorf("DNS %q is taken", dns)
		}
	}
}
