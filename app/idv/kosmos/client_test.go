package kosmos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idgate/app/idv"
	"idgate/app/idv/kosmos"
	sim "idgate/app/sim/kosmos"
)

const (
	licence = "11111111-2222-4333-8444-licence-secret"
	dvcID   = "dvc-secret"
)

// clock is a time that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a simulated tenant on a port of its own, and a client of it.
type world struct {
	*sim.Tenant
	client *kosmos.Client
	tenant kosmos.Tenant
	clock  *clock
	url    string
	host   string
	// instead, if it says so, answers in the tenant's place.
	instead atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	mu      sync.Mutex
	calls   map[string]int
}

type setting func(*sim.Options, *kosmos.Tenant)

func newWorld(t *testing.T, settings ...setting) *world {
	t.Helper()
	w := &world{clock: newClock(), calls: make(map[string]int)}
	srv := httptest.NewUnstartedServer(nil)
	w.host = srv.Listener.Addr().String()
	w.url = "http://" + w.host
	o := sim.Options{BaseURL: w.url, Community: "default", LicenseKey: licence, DVCID: dvcID, Now: w.clock.Now}
	w.tenant = kosmos.Tenant{DNS: w.host, Community: "default", LicenseKey: licence, DVCID: dvcID}
	for _, s := range settings {
		s(&o, &w.tenant)
	}
	w.Tenant = sim.New(o)
	real := w.Handler()
	srv.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.calls[r.URL.Path]++
		w.mu.Unlock()
		if f := w.instead.Load(); f != nil && (*f)(rw, r) {
			return
		}
		real.ServeHTTP(rw, r)
	})
	srv.Start()
	t.Cleanup(srv.Close)
	w.client = w.connect(t, w.clock.Now)
	return w
}

func (w *world) connect(t *testing.T, now func() time.Time) *kosmos.Client {
	t.Helper()
	c, err := kosmos.New(w.tenant, kosmos.Options{Now: now, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) called(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[path]
}

// answerWith makes the server answer one path by itself.
func (w *world) answerWith(path string, status int, body string, header ...string) {
	f := func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		fmt.Fprint(rw, body)
		return true
	}
	w.instead.Store(&f)
}

func (w *world) create(t *testing.T, r idv.CreateRequest) idv.Created {
	t.Helper()
	if r.SessionID == "" {
		r.SessionID = "session-1"
	}
	made, err := w.client.Create(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// fault checks that err is an *idv.Error of this kind which gives no secret away.
func (w *world) fault(t *testing.T, err error, want idv.Fault) *idv.Error {
	t.Helper()
	var e *idv.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T %v", err, err)
	}
	if e.Fault != want {
		t.Errorf("fault %s, want %s: %v", e.Fault, want, err)
	}
	secrets := []string{licence, dvcID, "/idproofing/session/"}
	for _, s := range w.Sessions() {
		secrets = append(secrets, s.ID)
	}
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error tells %q: %v", s, err)
		}
	}
	return e
}

func v3(_ *sim.Options, t *kosmos.Tenant) { t.ResultPath = kosmos.ResultV3 }

func p256(o *sim.Options, t *kosmos.Tenant) { o.Curve, t.Curve = kosmos.Prime256v1, kosmos.Prime256v1 }

func sealedCreate(o *sim.Options, _ *kosmos.Tenant) { o.EncryptCreate = true }

const (
	dl     = string(idv.DriverLicense)
	noCode = ""
)

// outcome is every field of an Observation that depends on who held the phone.
type outcome struct {
	state    idv.State
	reason   string
	evidence idv.Evidence
	person   string
	age      int
}

// observed is an Observation as it stands after idv.Meets, without grace.
func observed(o idv.Observation, today idv.Date) outcome {
	out := outcome{state: o.State, reason: o.ReasonCode, evidence: o.Evidence}
	out.evidence.DocumentExpires = idv.Date{} // TestGrace's
	if lacks, ok := idv.Meets(o, idv.Need{}); o.State == idv.StatePassed && !ok {
		out.state, out.reason = idv.StateFailed, lacks
	} else if p := o.Person; p != nil {
		out.person = strings.Join([]string{p.GivenName, p.MiddleName, p.FamilyName, p.FullName, p.Street, p.City, p.State, p.Zip, p.Country}, "|")
		out.age = p.Birth.AgeOn(today)
	}
	return out
}

// With grace the document that expired three weeks ago will do, where 1Kosmos itself passed it: that is, in v1.
func TestGrace(t *testing.T) {
	for name, settings := range map[string][]setting{"v1": nil, "v3": {v3}} {
		w := newWorld(t, settings...)
		today := idv.DateOf(w.clock.Now().UTC())
		for person, days := range map[sim.Person]int{sim.LatelyExpired: 21, sim.ExpiredDocument: 0} { // so much grace is enough; 0: none is
			made := w.create(t, idv.CreateRequest{})
			if err := w.Choose(made.Ref, person); err != nil {
				t.Fatal(err)
			}
			o, err := w.client.Fetch(t.Context(), made.Ref)
			if err != nil {
				t.Fatal(err)
			}
			for _, grace := range []int{0, 20, 21, 90} {
				reason, ok := idv.Meets(o, idv.Need{Grace: grace, Today: today})
				want := name == "v1" && days > 0 && grace >= days
				if ok != want || name == "v1" && !ok && reason != idv.ReasonExpiredDocument {
					t.Errorf("%s, %s, %d days: %v %s", name, person, grace, ok, reason)
				}
			}
		}
	}
}

func TestPeople(t *testing.T) {
	const ada = "ADA||LOVELACE|ADA LOVELACE|12 ST JAMES'S SQUARE|AUSTIN|TX|78701|USA"
	const grace = "GRACE||HOPPER|GRACE HOPPER|12 ANALYTICAL WAY|SACRAMENTO|CA|95814|USA"
	seen := idv.Evidence{Document: true, DocumentType: dl, DocumentCountry: "USA"}
	withSelfie, expired := seen, idv.Evidence{Document: true, DocumentType: dl, DocumentCountry: "USA", DocumentExpired: true, Selfie: true}
	withSelfie.Selfie = true
	none := idv.Evidence{}
	table := []struct {
		person sim.Person
		v1, v3 outcome
	}{
		{sim.PassesWithSelfie, outcome{idv.StatePassed, noCode, withSelfie, ada, 34}, outcome{idv.StatePassed, noCode, withSelfie, ada, 34}},
		{sim.Passes, outcome{idv.StatePassed, noCode, seen, ada, 34}, outcome{idv.StatePassed, noCode, seen, ada, 34}},
		{sim.TooYoung, outcome{idv.StatePassed, noCode, withSelfie, ada, 17}, outcome{idv.StatePassed, noCode, withSelfie, ada, 17}},
		{sim.OtherName, outcome{idv.StatePassed, noCode, withSelfie, grace, 52}, outcome{idv.StatePassed, noCode, withSelfie, grace, 52}},
		{sim.ExpiredDocument, outcome{idv.StateFailed, idv.ReasonExpiredDocument, expired, "", 0},
			outcome{idv.StateFailed, idv.ReasonExpiredDocument, idv.Evidence{DocumentExpired: true}, "", 0}},
		{sim.LatelyExpired, outcome{idv.StateFailed, idv.ReasonExpiredDocument, expired, "", 0},
			outcome{idv.StateFailed, idv.ReasonExpiredDocument, idv.Evidence{DocumentExpired: true}, "", 0}},
		{sim.Glare, outcome{idv.StateFailed, idv.ReasonUnreadableExpiry, withSelfie, "", 0}, outcome{idv.StateFailed, idv.ReasonNotADocument, none, "", 0}},
		{sim.Fails, outcome{idv.StateFailed, idv.ReasonNotVerified, none, "", 0}, outcome{idv.StateFailed, idv.ReasonRetriesExhausted, none, "", 0}},
		{sim.GivesUp, outcome{idv.StateAbandoned, noCode, none, "", 0}, outcome{idv.StateAbandoned, noCode, none, "", 0}},
		{sim.Declines, outcome{idv.StateDeclined, noCode, none, "", 0}, outcome{idv.StateDeclined, noCode, none, "", 0}},
		{sim.NeedsReview, outcome{idv.StateReview, noCode, none, "", 0}, outcome{idv.StateReview, noCode, none, "", 0}},
	}
	for name, settings := range map[string][]setting{
		"v1": nil, "v3": {v3}, "v1 on P-256": {p256}, "v3 on P-256, create encrypted": {p256, v3, sealedCreate},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings...)
			today := idv.DateOf(w.clock.Now())
			for _, c := range table {
				want := c.v1
				if w.tenant.ResultPath == kosmos.ResultV3 {
					want = c.v3
				}
				made := w.create(t, idv.CreateRequest{})
				if err := w.Choose(made.Ref, c.person); err != nil {
					t.Fatal(err)
				}
				o, err := w.client.Fetch(t.Context(), made.Ref)
				if err != nil {
					t.Fatalf("%s: %v", c.person, err)
				}
				if got := observed(o, today); got != want {
					t.Errorf("%s:\n got %+v\nwant %+v", c.person, got, want)
				}
				if o.Ref != made.Ref || o.Assurance != nil || !o.ObservedAt.Equal(w.clock.Now()) || o.RawDigest == [32]byte{} ||
					!o.ProviderCreatedAt.Equal(w.clock.Now()) || !o.ProviderExpiresAt.Equal(w.clock.Now().Add(30*time.Minute)) {
					t.Errorf("%s: %+v", c.person, o)
				}
			}
		})
	}
}

func TestLifeOfASession(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{SessionID: "01b4d3a8-9F5e-4b3c-8d2e-0a1b2c3d4e5f", Document: idv.Passport, Username: "mary@example.com", FirstName: "Mary", LastName: "Shelley"})
	s := w.Sessions()[0]
	if made.Ref != "ppt_object:"+s.ID || made.CaptureURL != w.url+"/idproofing/session/"+s.ID || s.Document != "ppt_object" ||
		s.UserUID != "01b4d3a8-9f5e-4b3c-8d2e-0a1b2c3d4e5f" || s.Username != "mary@example.com" || s.FirstName != "Mary" || s.LastName != "Shelley" {
		t.Errorf("made %+v of %+v", made, s)
	}
	expect := func(want idv.State) idv.Observation {
		t.Helper()
		o, err := w.client.Fetch(t.Context(), made.Ref)
		if err != nil || o.State != want {
			t.Fatalf("%s, %v; want %s", o.State, err, want)
		}
		return o
	}
	expect(idv.StateCreated)
	resp, err := http.Get(made.CaptureURL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	expect(idv.StateStarted)
	if err := w.Choose(made.Ref, sim.NeedsReview); err != nil {
		t.Fatal(err)
	}
	expect(idv.StateReview)
	if err := w.Review(made.Ref, sim.Approve); err != nil {
		t.Fatal(err)
	}
	o := expect(idv.StatePassed)
	if o.Person.GivenName != "MARY" || o.Person.FamilyName != "SHELLEY" || o.Evidence.DocumentType != string(idv.Passport) {
		t.Errorf("%+v %+v", o.Evidence, o.Person)
	}
	if again := expect(idv.StatePassed); again.RawDigest == o.RawDigest {
		t.Error("two answers with different images have one digest")
	}

	late := w.create(t, idv.CreateRequest{SessionID: "not a uuid"})
	if uid := w.Sessions()[1].UserUID; len(uid) != 36 || uid[14] != '8' || strings.Contains(uid, "not") {
		t.Errorf("userUID %q", uid)
	}
	w.clock.Move(31 * time.Minute)
	if o, err := w.client.Fetch(t.Context(), late.Ref); err != nil || o.State != idv.StateExpired {
		t.Errorf("%s, %v", o.State, err)
	}
	if w.client.Name() != "1kosmos" {
		t.Error("the name has changed")
	}
}

func TestMisbehaviour(t *testing.T) {
	huge := func(string) []byte {
		return []byte(`{"responseStatus":"SUCCESS","x":"` + strings.Repeat("x", 12<<20) + `"}`)
	}
	for _, c := range []struct {
		name  string
		fault sim.Fault
		want  idv.Fault // empty: no error, and the state
		state idv.State
		wait  time.Duration
	}{
		{"undecryptable", sim.Fault{Undecryptable: true}, idv.Unreadable, "", 0},
		{"reflected", sim.Fault{Reflected: true}, idv.Unreadable, "", 0},
		{"foreign key beside the answer", sim.Fault{ForeignKey: true}, idv.Unreadable, "", 0},
		{"not encrypted", sim.Fault{Unencrypted: true}, idv.Unreadable, "", 0},
		{"wrong session", sim.Fault{WrongSession: true}, idv.Unreadable, "", 0},
		{"unknown state", sim.Fault{UnknownState: true}, "", idv.StateProcessing, 0},
		{"big images", sim.Fault{BigImages: true}, "", idv.StatePassed, 0},
		{"too big", sim.Fault{Plaintext: huge}, idv.Unreadable, "", 0},
		{"down", sim.Fault{Down: true}, idv.Unreachable, "", 0},
		{"busy", sim.Fault{Busy: true}, idv.Busy, "", 7 * time.Second},
		{"dropped", sim.Fault{Dropped: true}, idv.Unreachable, "", 0},
		{"slow", sim.Fault{Slow: time.Minute}, idv.Unreachable, "", 0},
		{"good", sim.Fault{}, "", idv.StatePassed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			made := w.create(t, idv.CreateRequest{})
			if err := w.Choose(made.Ref, sim.PassesWithSelfie); err != nil {
				t.Fatal(err)
			}
			w.Misbehave(c.fault)
			ctx := t.Context()
			if c.fault.Slow > 0 {
				short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
				ctx = short
			}
			o, err := w.client.Fetch(ctx, made.Ref)
			if c.want == "" {
				if err != nil || o.State != c.state {
					t.Fatalf("%s, %v; want %s", o.State, err, c.state)
				}
				return
			}
			e := w.fault(t, err, c.want)
			if !e.Temporary() || e.RetryAfter != c.wait || o.State != "" || o.Person != nil {
				t.Errorf("temporary %v, wait %v, observed %+v", e.Temporary(), e.RetryAfter, o)
			}
			w.Misbehave(sim.Fault{})
			if o, err := w.client.Fetch(t.Context(), made.Ref); err != nil || o.State != idv.StatePassed {
				t.Errorf("afterwards: %s, %v", o.State, err)
			}
		})
	}
}

func TestContradictionIsTheCallersToSee(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	w.Misbehave(sim.Fault{Contradictory: true})
	if err := w.Choose(made.Ref, sim.Passes); err != nil {
		t.Fatal(err)
	}
	a, err1 := w.client.Fetch(t.Context(), made.Ref)
	b, err2 := w.client.Fetch(t.Context(), made.Ref)
	if err1 != nil || err2 != nil || a.State != idv.StatePassed || b.State != idv.StateFailed || idv.CanMove(a.State, b.State) {
		t.Errorf("%s %v, then %s %v", a.State, err1, b.State, err2)
	}
}

func TestUnencryptedIsGoodEnoughForWhatIsNoSuccess(t *testing.T) {
	w := newWorld(t)
	made := w.create(t, idv.CreateRequest{})
	w.Misbehave(sim.Fault{Unencrypted: true})
	if o, err := w.client.Fetch(t.Context(), made.Ref); err != nil || o.State != idv.StateCreated {
		t.Errorf("%s, %v", o.State, err)
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*kosmos.Tenant)
		skew   time.Duration
		want   idv.Fault
		detail string
	}{
		{"licence", func(k *kosmos.Tenant) { k.LicenseKey += "x" }, 0, idv.Refused, "licence key"},
		{"dvcID", func(k *kosmos.Tenant) { k.DVCID += "x" }, 0, idv.Refused, "dvcID"},
		{"community", func(k *kosmos.Tenant) { k.Community += "x" }, 0, idv.Refused, "unknown to the tenant"},
		{"curve", func(k *kosmos.Tenant) { k.Curve = kosmos.Prime256v1 }, 0, idv.Unreadable, "public key"},
		{"clock behind", func(*kosmos.Tenant) {}, -61 * time.Second, idv.Refused, ""},
		{"clock ahead", func(*kosmos.Tenant) {}, 61 * time.Second, idv.Refused, ""},
		{"clock a little off", func(*kosmos.Tenant) {}, 59 * time.Second, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.change(&w.tenant)
			client := w.connect(t, func() time.Time { return w.clock.Now().Add(c.skew) })
			_, err := client.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if e := w.fault(t, err, c.want); !strings.Contains(e.Detail, c.detail) {
				t.Errorf("detail %q lacks %q", e.Detail, c.detail)
			}
		})
	}
}

func TestCallsThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	if _, err := w.client.Create(t.Context(), idv.CreateRequest{}); w.fault(t, err, idv.Invalid).Temporary() {
		t.Error("temporary")
	}
	_, err := w.client.Create(t.Context(), idv.CreateRequest{SessionID: "s", Document: "library card"})
	w.fault(t, err, idv.Invalid)
	for _, ref := range []string{"", "dl_object", "dl_object:", "dl_object:short", ":7c9e6679-7425-40de-944b-e07fc1f90ae7",
		"library:7c9e6679-7425-40de-944b-e07fc1f90ae7", "dl_object:7c9e6679/../../x", "dl_object:" + strings.Repeat("a", 129)} {
		_, err := w.client.Fetch(t.Context(), ref)
		w.fault(t, err, idv.Invalid)
	}
	if n := w.called("/caas/sd"); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	_, err = w.client.Fetch(t.Context(), "dl_object:7c9e6679-7425-40de-944b-e07fc1f90ae7")
	w.fault(t, err, idv.NotFound)
}

// TestDiscover: host and community are looked up without showing a key, so one that is wrong is not noticed.
func TestDiscover(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Discover(t.Context()); err != nil {
		t.Errorf("the tenant is not found: %v", err)
	}
	wrongKey := newWorld(t, func(_ *sim.Options, n *kosmos.Tenant) { n.LicenseKey = "another" })
	if err := wrongKey.client.Discover(t.Context()); err != nil {
		t.Errorf("a key was tried: %v", err)
	}
	for path, n := range wrongKey.calls {
		if path != "/api/r1/system/community_info/fetch" && path != "/caas/sd" || n != 1 {
			t.Errorf("%d calls of %s", n, path)
		}
	}
	unknown := newWorld(t, func(_ *sim.Options, n *kosmos.Tenant) { n.Community = "elsewhere" })
	unknown.fault(t, unknown.client.Discover(t.Context()), idv.Refused)
	w = newWorld(t)
	w.answerWith("/caas/sd", 200, "<html>")
	w.fault(t, w.client.Discover(t.Context()), idv.Unreadable)
	w = newWorld(t)
	w.answerWith("/caas/sd", 503, "")
	w.fault(t, w.client.Discover(t.Context()), idv.Unreachable)
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for _, loopback := range []bool{true, false} {
		c, err := kosmos.New(kosmos.Tenant{DNS: addr, Community: "c", LicenseKey: licence, DVCID: dvcID}, kosmos.Options{Loopback: loopback})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Fetch(t.Context(), "dl_object:7c9e6679-7425-40de-944b-e07fc1f90ae7")
		var e *idv.Error
		want := map[bool]idv.Fault{true: idv.Unreachable, false: idv.Forbidden}[loopback]
		if !errors.As(err, &e) || e.Fault != want {
			t.Errorf("loopback %v: %v, want %s", loopback, err, want)
		}
	}
}

// In service the client must not connect to this machine at all, whatever the name or the certificate.
func TestNoLoopbackInService(t *testing.T) {
	var connected atomic.Int32
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ConnState = func(net.Conn, http.ConnState) { connected.Add(1) }
	srv.StartTLS()
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port} {
		c, err := kosmos.New(kosmos.Tenant{DNS: host, Community: "c", LicenseKey: "l", DVCID: "d"}, kosmos.Options{HTTP: srv.Client()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Create(t.Context(), idv.CreateRequest{SessionID: "s"})
		var e *idv.Error
		if !errors.As(err, &e) || e.Fault != idv.Forbidden || e.Temporary() {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
