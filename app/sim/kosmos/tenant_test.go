package kosmos

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	goodStamp = `{"ts":1781524800,"appid":"test","uuid":"UUID"}`
	goodBody  = `{"dvcID":"dvc","sessionRequest":{"tenantDNS":"HOST","communityName":"default","documentType":"dl_object","userUID":"u","did":"u"}}`
)

// bench is a tenant on a port, and what a caller needs to talk to it by hand.
type bench struct {
	*Tenant
	url, host string
	now       time.Time
	own       pair
	t         *testing.T
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Unix(1781524800, 0)}
	srv := httptest.NewUnstartedServer(nil)
	b.host = srv.Listener.Addr().String()
	b.url = "http://" + b.host
	o := Options{BaseURL: b.url, Community: "default", LicenseKey: "licence", DVCID: "dvc", Now: func() time.Time { return b.now }}
	for _, c := range change {
		c(&o)
	}
	b.Tenant = New(o)
	srv.Config.Handler = b.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	var err error
	if b.own, err = b.curve.newPair(); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) do(method, path, contentType, body string, header map[string]string) (int, string, http.Header) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	hc := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := hc.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

// call is one encrypted call; the parts are replaced by the caller where they are to be wrong.
type call struct {
	public, licence, stamp, body, contentType string
	raw                                       map[string]string // headers as they are
	data                                      string            // body as it is
}

func (b *bench) call(path string, c call) (int, string) {
	b.t.Helper()
	_, keys, _ := b.do("GET", "/docuverify/publickeys", "", "", nil)
	var service struct{ PublicKey string }
	if err := json.Unmarshal([]byte(keys), &service); err != nil {
		b.t.Fatal(err)
	}
	key, err := b.own.shared(service.PublicKey)
	if err != nil {
		b.t.Fatal(err)
	}
	lock := func(plain string) string {
		s, err := seal(key, []byte(strings.NewReplacer("UUID", newUUID(), "HOST", b.host).Replace(plain)))
		if err != nil {
			b.t.Fatal(err)
		}
		return s
	}
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	header := map[string]string{
		"publickey": or(c.public, b.own.public), "licensekey": lock(or(c.licence, "licence")), "requestid": lock(or(c.stamp, goodStamp)),
	}
	for k, v := range c.raw {
		header[k] = v
	}
	data := c.data
	if data == "" {
		data = `{"data":"` + lock(or(c.body, goodBody)) + `"}`
	}
	status, body, _ := b.do("POST", path, or(c.contentType, "application/json"), data, header)
	var sealed struct{ Data, PublicKey string }
	if json.Unmarshal([]byte(body), &sealed) == nil && sealed.Data != "" && sealed.PublicKey == service.PublicKey {
		if plain, err := open(key, sealed.Data); err == nil {
			return status, string(plain)
		}
	}
	return status, body
}

const (
	createPath = "/docuverify/document_share_session/create"
	resultPath = "/docuverify/document_share_session/result"
	v3Path     = "/docuverify/v3/document_share_session/result"
)

func (b *bench) create(body string) string {
	b.t.Helper()
	status, answer := b.call(createPath, call{body: body})
	var made struct{ SessionID, URL string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != 200 || made.URL != b.url+"/idproofing/session/"+made.SessionID {
		b.t.Fatalf("%d %s %v", status, answer, err)
	}
	return made.SessionID
}

func TestDiscovery(t *testing.T) {
	b := newBench(t)
	for body, want := range map[string]int{
		`{"dns":"` + b.host + `","communityName":"default","skipLogos":true}`: 200,
		`{"dns":"localhost:1","communityName":"default"}`:                     200,
		`{"tenantId":"` + tenantID + `","communityId":"` + communityID + `"}`: 200,
		`{"dns":"` + b.host + `","communityName":"other"}`:                    404,
		`{"dns":"elsewhere.example.net","communityName":"default"}`:           404,
		`{"dns":"%zz","communityName":"default"}`:                             404,
		`{"tenantId":"x","communityId":"y"}`:                                  404,
		`nonsense`:                                                            400,
		`{"dns":"` + strings.Repeat("x", maxBody) + `"}`:                      413,
	} {
		status, answer, _ := b.do("POST", "/api/r1/system/community_info/fetch", "application/json", body, nil)
		if status != want || status == 200 && !strings.Contains(answer, `"otherDNS":["`+b.host+`","localhost:`) {
			t.Errorf("%.60s: %d %s", body, status, answer)
		}
	}
	_, sd, _ := b.do("GET", "/caas/sd", "", "", nil)
	var services map[string]string
	if err := json.Unmarshal([]byte(sd), &services); err != nil || services["docuverify"] != b.url+"/docuverify" ||
		services["idproofingapi"] != "http://idproofing-api:8888" {
		t.Errorf("%s, %v", sd, err)
	}
	seen := make(map[string]bool)
	for service, want := range map[string]int{"docuverify": 200, "sessions": 200, "vcs": 200, "events": 200, "adminconsole": 404, "nosuch": 404} {
		status, answer, _ := b.do("GET", "/"+service+"/publickeys", "", "", nil)
		if status != want || status == 200 && seen[answer] {
			t.Errorf("%s: %d %s", service, status, answer)
		}
		seen[answer] = true
	}
	for _, k := range b.services {
		private := base64.StdEncoding.EncodeToString(k.private.Bytes())
		for answer := range seen {
			if strings.Contains(answer, private) {
				t.Error("a private key got out")
			}
		}
	}
	without := newBench(t, func(o *Options) { o.BaseURL = "" })
	if _, sd, _ := without.do("GET", "/caas/sd", "", "", nil); !strings.Contains(sd, without.url+"/docuverify") {
		t.Errorf("without a base: %s", sd)
	}
}

func TestHeadersAreCheckedStrictly(t *testing.T) {
	b := newBench(t)
	used := strings.ReplaceAll(goodStamp, "UUID", newUUID())
	if status, answer := b.call(createPath, call{stamp: used}); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	other, err := b.curve.newPair()
	if err != nil {
		t.Fatal(err)
	}
	stamp := func(ts string) string { return `{"ts":` + ts + `,"appid":"test","uuid":"UUID"}` }
	for _, c := range []struct {
		name   string
		call   call
		status int
		answer string
	}{
		{"good", call{}, 200, `"sessionId"`},
		{"59 s old", call{stamp: stamp("1781524741")}, 200, `"sessionId"`},
		{"60 s early", call{stamp: stamp("1781524860")}, 200, `"sessionId"`},
		{"61 s old", call{stamp: stamp("1781524739")}, 401, "expired"},
		{"61 s early", call{stamp: stamp("1781524861")}, 401, "expired"},
		{"milliseconds", call{stamp: stamp("1781524800000")}, 401, "expired"},
		{"used", call{stamp: used}, 401, "used"},
		{"appId", call{stamp: `{"ts":1781524800,"uuid":"UUID"}`}, 400, "appid"},
		{"uuid v1", call{stamp: `{"ts":1781524800,"appid":"t","uuid":"7c9e6679-7425-10de-944b-e07fc1f90ae7"}`}, 400, "uuid"},
		{"stamp no JSON", call{stamp: `x`}, 400, "uuid"},
		{"licence", call{licence: "other"}, 401, `{"code":401,"message":"Invalid or Unauthorized License"}`},
		{"licence in clear", call{raw: map[string]string{"licensekey": "licence"}}, 400,
			`{"errors":[{"message":"This header can't be decrypted","param":"licensekey"}]}`},
		{"requestid in clear", call{raw: map[string]string{"requestid": used}}, 400,
			`{"errors":[{"message":"This header can't be decrypted","param":"requestid"}]}`},
		{"no publickey", call{raw: map[string]string{"publickey": ""}}, 400, "publickey"},
		{"another's publickey", call{public: other.public}, 400, "licensekey"},
		{"content type", call{contentType: "text/plain"}, 415, "Content-Type"},
		{"body in clear", call{data: `{"data":"{}"}`}, 400, "data"},
		{"body no JSON", call{data: `x`}, 400, "JSON"},
		{"body too long", call{data: strings.Repeat("x", maxBody+1)}, 413, "too long"},
		{"data no JSON", call{body: "x"}, 400, "JSON"},
		{"no dvcID", call{body: `{"sessionRequest":{}}`}, 400, `{"code":400,"message":"dvcID is required"}`},
		{"wrong dvcID", call{body: strings.Replace(goodBody, `"dvc"`, `"other"`, 1)}, 404, "dvcID"},
		{"another tenant", call{body: strings.Replace(goodBody, `HOST"`, `x.net"`, 1)}, 400, "tenantDNS"},
		{"another community", call{body: strings.Replace(goodBody, `default`, `x`, 1)}, 400, "communityName"},
		{"another document", call{body: strings.Replace(goodBody, `dl_object`, `fishing`, 1)}, 400, "documentType"},
		{"did differs", call{body: strings.Replace(goodBody, `"did":"u"`, `"did":"v"`, 1)}, 400, "differ"},
		{"nobody", call{body: strings.Replace(goodBody, `,"userUID":"u","did":"u"`, ``, 1)}, 400, "required"},
	} {
		if status, answer := b.call(createPath, c.call); status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, answer, c.status, c.answer)
		}
	}
	for _, path := range []string{resultPath, v3Path} {
		for body, want := range map[string]int{
			`{"dvcID":"dvc","sessionId":"nosuch"}`: 404, `{"sessionId":"x"}`: 400, `{"dvcID":"x","sessionId":"x"}`: 404, `x`: 400,
		} {
			if status, answer := b.call(path, call{body: body}); status != want {
				t.Errorf("%s: %d %s", body, status, answer)
			}
		}
		if status, _ := b.call(path, call{licence: "other"}); status != 401 {
			t.Errorf("%s without a licence: %d", path, status)
		}
	}
	if n := len(b.requests); n < 5 {
		t.Errorf("%d request ids remembered", n)
	}
	b.now = b.now.Add(time.Hour)
	b.call(createPath, call{stamp: stamp("1781528400")})
	if n := len(b.requests); n != 1 {
		t.Errorf("%d request ids remembered after an hour", n)
	}
}

func TestResults(t *testing.T) {
	b := newBench(t)
	fields := "category city classificationCode complianceType country county dob documentId documentType doe doi eyeColor face familyName firstName " +
		"fullName gender givenName height id image imageBack lastName middleName placeOfBirth proof_jwt proofedBy residenceCity residenceZipCode " +
		"restrictionCode state street type zipCode"
	for _, c := range []struct {
		person         Person
		v1, v3, reason string
		document       bool
		selfie         bool
	}{
		{"", "INPROGRESS", "Pending", "", false, false},
		{PassesWithSelfie, "SUCCESS", "SUCCESS", "", true, true},
		{Passes, "SUCCESS", "SUCCESS", "", true, false},
		{TooYoung, "SUCCESS", "SUCCESS", "", true, true},
		{ExpiredDocument, "SUCCESS", "FAILED", "IDV0011", true, true},
		{LatelyExpired, "SUCCESS", "FAILED", "IDV0011", true, true},
		{Glare, "SUCCESS", "FAILED", "IDV0005", true, true},
		{OtherName, "SUCCESS", "SUCCESS", "", true, true},
		{Fails, "FAILED", "FAILED", "IDV0014", false, false},
		{GivesUp, "ABANDONED", "ABANDONED", "", false, false},
		{Declines, "DECLINED", "DECLINED", "", false, false},
		{NeedsReview, "In Review", "In Review", "", false, false},
	} {
		id := b.create(goodBody)
		if c.person != "" {
			if err := b.Choose(id, c.person); err != nil {
				t.Fatal(err)
			}
		}
		ask := `{"dvcID":"dvc","sessionId":"` + id + `"}`
		var v1 struct {
			SessionID, ResponseStatus string
			DL                        map[string]any `json:"dl_object"`
			Live                      map[string]any `json:"liveid_object"`
			Token                     string
		}
		_, answer := b.call(resultPath, call{body: ask})
		if err := json.Unmarshal([]byte(answer), &v1); err != nil || v1.SessionID != id || v1.ResponseStatus != c.v1 ||
			(v1.DL != nil) != c.document || (v1.Live != nil) != c.selfie || (v1.Token != "") != c.document {
			t.Errorf("%s, v1: %.200s, %v", c.person, answer, err)
		}
		if c.document && (v1.DL["doe"] == "") != (c.person == Glare) {
			t.Errorf("%s: valid until %q", c.person, v1.DL["doe"])
		}
		if got := keysOf(v1.DL); c.document && got != fields {
			t.Errorf("%s: fields %s", c.person, got)
		}
		if n := len(answer); c.document && (n < defaultImages*8/10 || n > defaultImages*13/10) {
			t.Errorf("%s: %d bytes", c.person, n)
		}
		var v3 struct {
			SessionID, SessionResult string
			Document, LiveID         map[string]any
			ErrorInfo                struct{ ReasonCode string }
		}
		_, answer = b.call(v3Path, call{body: ask})
		passes := c.v3 == "SUCCESS"
		if err := json.Unmarshal([]byte(answer), &v3); err != nil || v3.SessionID != id || v3.SessionResult != c.v3 ||
			v3.ErrorInfo.ReasonCode != c.reason || (v3.Document != nil) != passes || (v3.LiveID != nil) != (passes && c.selfie) {
			t.Errorf("%s, v3: %.200s, %v", c.person, answer, err)
		}
		if s := b.Sessions(); s[len(s)-1].ID != id || s[len(s)-1].Polls != 2 || s[len(s)-1].Person != c.person {
			t.Errorf("%s: %+v", c.person, s[len(s)-1])
		}
	}
}

// What is compared with an order: the address on a licence and an identity card is the first of Ada's in the simulated shop, somebody
// else's is another, and a passport has none.
func TestAddressesOnDocuments(t *testing.T) {
	now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		person             Person
		document           string
		street, zip, state string
	}{
		{Passes, "dl_object", "12 ST JAMES'S SQUARE", "78701", "TX"},
		{LatelyExpired, "idcard_object", "12 ST JAMES'S SQUARE", "78701", "TX"},
		{OtherName, "dl_object", "12 ANALYTICAL WAY", "95814", "CA"},
		{Passes, "ppt_object", "", "", ""},
		{OtherName, "ppt_object", "", "", ""},
	} {
		s := Session{ID: "0123456789", Person: c.person, Document: c.document}
		of, _ := findCharacter(c.person)
		d := s.document(of, now)
		if d["street"] != c.street || d["zipCode"] != c.zip || d["residenceZipCode"] != c.zip || d["state"] != c.state || d["country"] != "USA" {
			t.Errorf("%s, %s: %v", c.person, c.document, d)
		}
	}
}

func keysOf(m map[string]any) string {
	var names []string
	for _, k := range reflect.ValueOf(m).MapKeys() {
		names = append(names, k.String())
	}
	for i := range names { // sorted by insertion; there are few
		for j := i; j > 0 && names[j] < names[j-1]; j-- {
			names[j], names[j-1] = names[j-1], names[j]
		}
	}
	return strings.Join(names, " ")
}

func TestNamesOnDocuments(t *testing.T) {
	for _, c := range []struct {
		first, last string
		person      Person
		typed, want string
	}{
		{"", "", Passes, "", "ADA LOVELACE"},
		{"", "", Passes, "mary jane shelley", "MARY JANE SHELLEY"},
		{"", "", Passes, "Plato", "PLATO"},
		{"Émilie", "du Châtelet", Passes, "ignored", "ÉMILIE DU CHÂTELET"},
		{"", "", OtherName, "", "GRACE HOPPER"},
		{"Grace", "Hopper", OtherName, "", "KATHERINE JOHNSON"},
	} {
		b := newBench(t)
		user := ""
		if c.first != "" {
			user = `,"user":{"username":"u","firstname":"` + c.first + `","lastname":"` + c.last + `"}`
		}
		id := b.create(strings.Replace(goodBody, `"did":"u"`, `"did":"u"`+user, 1))
		if err := b.choose(id, c.person, c.typed); err != nil {
			t.Fatal(err)
		}
		_, answer := b.call(resultPath, call{body: `{"dvcID":"dvc","sessionId":"` + id + `"}`})
		if !strings.Contains(answer, `"fullName":"`+c.want+`"`) {
			t.Errorf("%+v: not in the answer", c)
		}
	}
}

func TestFaults(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ImageBytes = 100 })
	id := b.create(goodBody)
	if err := b.Choose("https://anything/"+id, PassesWithSelfie); err != nil {
		t.Fatal(err)
	}
	ask := call{body: `{"dvcID":"dvc","sessionId":"` + id + `"}`}
	for _, c := range []struct {
		name     string
		fault    Fault
		status   int
		has, not string
	}{
		{"none", Fault{}, 200, `"responseStatus":"SUCCESS"`, "XXXX"},
		{"undecryptable", Fault{Undecryptable: true}, 200, `"publicKey":"`, "SUCCESS"},
		{"reflected", Fault{Reflected: true}, 200, `"data":"`, "SUCCESS"},
		{"foreign", Fault{ForeignKey: true}, 200, `"publicKey":"`, "SUCCESS"},
		{"unencrypted", Fault{Unencrypted: true}, 200, `"responseStatus":"SUCCESS"`, `"data"`},
		{"wrong session", Fault{WrongSession: true}, 200, `"responseStatus":"SUCCESS"`, `"sessionId":"` + id},
		{"unknown state", Fault{UnknownState: true}, 200, `"responseStatus":"MARSUPIAL"`, "SUCCESS"},
		{"plaintext", Fault{Plaintext: func(s string) []byte { return []byte("made up for " + s) }}, 200, "made up for " + id, "SUCCESS"},
		{"slow", Fault{Slow: time.Millisecond}, 200, `"responseStatus":"SUCCESS"`, "XXXX"},
		{"contradictory", Fault{Contradictory: true}, 200, `"responseStatus":"FAILED"`, "SUCCESS"}, // it has passed before
	} {
		b.Misbehave(c.fault)
		status, answer := b.call(resultPath, ask)
		if status != c.status || !strings.Contains(answer, c.has) || strings.Contains(answer, c.not) {
			t.Errorf("%s: %d %.300s", c.name, status, answer)
		}
	}
	b.Misbehave(Fault{BigImages: true})
	if _, answer := b.call(resultPath, ask); len(answer) < 850<<10 || len(answer) > 1<<20 {
		t.Errorf("big images: %d bytes", len(answer))
	}
	b.Misbehave(Fault{Down: true})
	if status, _, _ := b.do("GET", "/caas/sd", "", "", nil); status != 503 {
		t.Errorf("down: %d", status)
	}
	b.Misbehave(Fault{Busy: true})
	if status, _, h := b.do("GET", "/caas/sd", "", "", nil); status != 429 || h.Get("Retry-After") != "7" {
		t.Errorf("busy: %d %v", status, h)
	}
	b.Misbehave(Fault{Dropped: true})
	if _, err := http.Get(b.url + "/caas/sd"); err == nil {
		t.Error("dropped, yet answered")
	}
}

func TestPhonePage(t *testing.T) {
	b := newBench(t)
	id := b.create(goodBody)
	path := "/idproofing/session/" + id
	phase := func() Phase { return b.Sessions()[0].Phase }
	b.do("HEAD", path, "", "", nil)
	if phase() != Waiting {
		t.Errorf("a HEAD has opened it: %s", phase())
	}
	status, page, h := b.do("GET", path, "", "", nil)
	if status != 200 || phase() != Opened || !strings.Contains(page, `name="name" value="Ada Lovelace"`) || strings.Contains(page, "<script") {
		t.Errorf("%d %s", status, phase())
	}
	for _, c := range characters() {
		if c.Person != Declines && !strings.Contains(page, `value="`+string(c.Person)+`"`) {
			t.Errorf("%s cannot be chosen", c.Person)
		}
	}
	for k, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if h.Get(k) != want {
			t.Errorf("%s: %q", k, h.Get(k))
		}
	}
	if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("no content security policy")
	}
	post := func(path string, form url.Values) (int, string, http.Header) {
		return b.do("POST", path, "application/x-www-form-urlencoded", form.Encode(), nil)
	}
	if status, page, _ := post(path, url.Values{"person": {"nobody"}}); status != 400 || !strings.Contains(page, `role="alert"`) || phase() != Opened {
		t.Errorf("nobody: %d %s", status, phase())
	}
	if status, _, _ := post(path, url.Values{"person": {string(Passes)}, "name": {strings.Repeat("x", 81)}}); status != 400 {
		t.Errorf("a long name: %d", status)
	}
	status, _, h = post(path, url.Values{"person": {string(NeedsReview)}, "name": {`<b>"Eve"</b> O'Neil`}})
	if status != 303 || h.Get("Location") != path || phase() != InReview {
		t.Errorf("%d %s %s", status, h.Get("Location"), phase())
	}
	if _, page, _ := b.do("GET", path, "", "", nil); !strings.Contains(page, path+"/review") || !strings.Contains(page, `http-equiv="refresh"`) {
		t.Error("no way to the reviewer")
	}
	if _, page, _ := b.do("GET", path+"/review", "", "", nil); strings.Contains(page, "<b>\"Eve") || !strings.Contains(page, "Neil") || !strings.Contains(page, `value="refuse"`) {
		t.Error("the reviewer's page is wrong")
	}
	if status, _, _ := post(path+"/review", url.Values{"verdict": {"maybe"}}); status != 400 || phase() != InReview {
		t.Errorf("maybe: %d", status)
	}
	status, _, h = post(path+"/review", url.Values{"verdict": {"approve"}})
	if status != 303 || h.Get("Location") != path+"/review" || phase() != Passed {
		t.Errorf("%d %s", status, phase())
	}
	if status, _, _ := post(path, url.Values{"person": {string(Fails)}}); status != 303 || phase() != Passed {
		t.Errorf("played twice: %d %s", status, phase())
	}
	if status, _, _ := post(path+"/review", url.Values{"verdict": {"refuse"}}); status != 303 || phase() != Passed {
		t.Errorf("reviewed twice: %d %s", status, phase())
	}
	for _, p := range []string{"/idproofing/session/nosuch", "/idproofing/session/nosuch/review"} {
		get, _, _ := b.do("GET", p, "", "", nil)
		sent, _, _ := post(p, url.Values{"person": {string(Fails)}, "verdict": {"approve"}})
		if get != 404 || sent != 404 {
			t.Errorf("%s: %d, %d", p, get, sent)
		}
	}
	if status, _, _ := post("/idproofing/session/nosuch", url.Values{"person": {"nobody"}}); status != 404 {
		t.Errorf("nobody's session: %d", status)
	}
}

func TestEveryOutcomeHasAPage(t *testing.T) {
	b := newBench(t)
	for person, want := range map[Person]string{
		Passes: "all done", Fails: "could not verify", GivesUp: "left half way", Declines: "did not agree", NeedsReview: "is looking at it",
	} {
		id := b.create(strings.Replace(goodBody, `"did":"u"`, `"did":"u","user":{"username":"x","firstname":"Mary","lastname":"Shelley"}`, 1))
		if _, page, _ := b.do("GET", "/idproofing/session/"+id, "", "", nil); !strings.Contains(page, "Mary Shelley") || strings.Contains(page, `name="name"`) {
			t.Error("a name that the shop gave is asked for")
		}
		form := url.Values{"person": {string(person)}}
		if person == Declines {
			form = url.Values{"person": {string(Passes)}, "answer": {"decline"}}
		}
		b.do("POST", "/idproofing/session/"+id, "application/x-www-form-urlencoded", form.Encode(), nil)
		if _, page, _ := b.do("GET", "/idproofing/session/"+id, "", "", nil); !strings.Contains(page, want) {
			t.Errorf("%s: the page lacks %q", person, want)
		}
	}
	id := b.create(goodBody)
	b.now = b.now.Add(30 * time.Minute)
	if _, page, _ := b.do("GET", "/idproofing/session/"+id, "", "", nil); !strings.Contains(page, "has expired") {
		t.Error("an expired link is offered")
	}
	if err := b.Choose(id, Passes); err == nil {
		t.Error("an expired session is played")
	}
	if err := b.Choose(id, "nobody"); err == nil {
		t.Error("nobody is played")
	}
	if err := b.Review(id, Approve); err == nil {
		t.Error("reviewed without need")
	}
}

func TestEncryptedCreateAndRotation(t *testing.T) {
	b := newBench(t, func(o *Options) { o.EncryptCreate = true })
	b.create(goodBody)
	before := b.publicKey()
	b.RotateKeys()
	if b.publicKey() == before {
		t.Error("the key is the same")
	}
	b.create(goodBody)
}

func TestManyCallersAtOnce(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			id := b.create(goodBody)
			if err := b.Choose(id, Passes); err != nil {
				t.Error(err)
			}
			b.Sessions()
		})
	}
	wg.Wait()
	all := b.Sessions()
	if len(all) != 20 || all[0].number != 0 || all[19].number != 19 {
		t.Errorf("%d sessions", len(all))
	}
}

func TestNewRefusesHalfATenant(t *testing.T) {
	for _, o := range []Options{{}, {Community: "c", LicenseKey: "l"}, {Community: "c", LicenseKey: "l", DVCID: "d", Curve: "x"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is taken", o)
				}
			}()
			New(o)
		}()
	}
}

func TestLogsHoldNoSession(t *testing.T) {
	var log bytes.Buffer
	b := newBench(t, func(o *Options) { o.Log = logTo(&log) })
	id := b.create(goodBody)
	if err := b.Choose(id, Passes); err != nil {
		t.Fatal(err)
	}
	b.call(createPath, call{licence: "other"})
	if text := log.String(); strings.Contains(text, id) || strings.Contains(text, "licence\"") || !strings.Contains(text, "refused") {
		t.Errorf("log: %s", text)
	}
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
