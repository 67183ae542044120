// Package kosmos is a simulated 1Kosmos tenant over HTTP: discovery, encrypted document sessions, and the phone page on
// which a demo's user plays the person, the person's documents, and the reviewer.
//
// It speaks the protocol from the vendor's side, with cryptography of its own, so that a client which talks to it has been
// understood by somebody else. It keeps its state in memory, is stricter than the vendor is known to be, misbehaves when
// told to, and gives out public keys only.
//
// Its lies, which are where a real tenant may differ:
//   - Its front page lists everybody's sessions, so that a demo needs no phone. A session's address is a bearer link.
//   - Nobody looks at a document. Whoever is chosen on the phone page, is what the result says.
//   - The words "In Progress", "In Review" and "DECLINED" in a v1 result, and every v3 result, are guesses: the v3 shape
//     follows what the vendor's 2026 mobile app reads, with sessionId added. A real v1 tenant may say INPROGRESS for them all.
//   - v1 calls an expired document a SUCCESS and leaves it to the caller to read its doe; v3 fails it with IDV0011.
//     Which of the two a real tenant does is not known.
//   - No reason code for glare is published. v1 calls such pictures a SUCCESS whose doe could not be read; v3 fails them with IDV0005, "not a
//     document", which is the nearest that has a meaning.
//   - A session lives 30 minutes; the vendor publishes no length. createdTS and expiryTS are epoch seconds.
//   - A requestid is taken once, and a stale one gets 401 with a text of our own. The vendor publishes only the ±60 s.
//   - The vendor's texts are known for four refusals; the others are worded here.
//   - community_info and /caas/sd are short: the fields a client reads, and one internal address as in the published sample.
//     Of the services listed, docuverify works; sessions, vcs and events have nothing but a public key.
//   - Documents, names and addresses are invented, images are noise, token and proof_jwt are signed by a key nobody has.
//   - Retention, rate limits, the IAL workflow, credentials, OIDC and the mobile SDK do not exist.
package kosmos

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say whom the simulator plays.
type Options struct {
	BaseURL     string // where it is reached, such as "http://kosmos.localhost:8082"; empty: wherever a request came to
	Community   string
	LicenseKey  string
	DVCID       string
	Curve       string // "secp256k1" (also when empty) or "prime256v1"
	ImageBytes  int    // of base64 images in a result; 0 means 24 kB
	SessionLife time.Duration
	// EncryptCreate encrypts the answer of create, as the vendor's documentation has it; its helpers expect it plain.
	EncryptCreate bool
	Now           func() time.Time
	Log           *slog.Logger
}

const (
	defaultImages = 24 << 10
	bigImages     = 900 << 10 // about what the published sample has
)

// Fault is how the tenant's API misbehaves. Faults add up; the zero Fault is good behaviour. The phone page stays well.
type Fault struct {
	Undecryptable bool                          // results are damaged under way
	Reflected     bool                          // a result is the request, sent back
	ForeignKey    bool                          // results are encrypted by somebody else, whose key comes with them
	Unencrypted   bool                          // results come in the clear
	WrongSession  bool                          // results name another session
	UnknownState  bool                          // results have a status nobody knows
	Contradictory bool                          // a session that has passed once has failed from then on
	BigImages     bool                          // results carry 0.9 MB of images
	Plaintext     func(sessionID string) []byte // what a result says, instead of the truth; properly encrypted
	Down          bool                          // 503
	Busy          bool                          // 429, Retry-After 7
	Dropped       bool                          // the connection ends without an answer
	Slow          time.Duration                 // every answer takes this long
}

// Tenant is one simulated tenant. Its methods may be called at the same time.
type Tenant struct {
	opts  Options
	curve *curve
	page  *template.Template

	mu       sync.Mutex
	services map[string]pair   // by first path element
	shared   map[string][]byte // AES keys by service and caller
	requests map[string]time.Time
	sessions map[string]*Session
	fault    Fault
}

// services that have a public key of their own; adminconsole uses the community's.
var services = [...]string{"docuverify", "sessions", "vcs", "events", "adminconsole"}

// New makes a tenant with fresh keys. Like the vendor's dashboard it wants a community, a licence key and a dvcID; without
// one of them, or with an unknown curve, it panics, since only our own code calls it.
func New(o Options) *Tenant {
	if o.Community == "" || o.LicenseKey == "" || o.DVCID == "" {
		panic("sim/kosmos: Community, LicenseKey and DVCID are needed")
	}
	c, err := curveNamed(o.Curve)
	if err != nil {
		panic("sim/kosmos: " + err.Error())
	}
	if o.ImageBytes == 0 {
		o.ImageBytes = defaultImages
	}
	if o.SessionLife == 0 {
		o.SessionLife = 30 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	t := &Tenant{
		opts: o, curve: c, page: parsePage(),
		requests: make(map[string]time.Time),
		sessions: make(map[string]*Session),
	}
	t.RotateKeys()
	return t
}

// RotateKeys gives every service a new key pair. Callers that hold the old public keys are no longer understood.
func (t *Tenant) RotateKeys() {
	fresh := make(map[string]pair)
	for _, s := range services {
		k, err := t.curve.newPair()
		if err != nil {
			panic("sim/kosmos: " + err.Error())
		}
		fresh[s] = k
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services, t.shared = fresh, make(map[string][]byte)
}

// Handler serves the API and the phone page.
func (t *Tenant) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/r1/system/community_info/fetch", t.api(t.communityInfo))
	mux.HandleFunc("GET /caas/sd", t.api(t.directory))
	mux.HandleFunc("GET /{service}/publickeys", t.api(t.publicKeys))
	mux.HandleFunc("POST /docuverify/document_share_session/create", t.api(t.create))
	mux.HandleFunc("POST /docuverify/document_share_session/result", t.api(t.resultV1))
	mux.HandleFunc("POST /docuverify/v3/document_share_session/result", t.api(t.resultV3))
	mux.HandleFunc("GET /{$}", t.front)
	mux.HandleFunc("GET /idproofing/session/{id}", t.showSession)
	mux.HandleFunc("POST /idproofing/session/{id}", t.chooseOnPage)
	mux.HandleFunc("GET /idproofing/session/{id}/review", t.showReview)
	mux.HandleFunc("POST /idproofing/session/{id}/review", t.reviewOnPage)
	return mux
}

// Misbehave sets how the API misbehaves from now on. Misbehave(Fault{}) ends it.
func (t *Tenant) Misbehave(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = f
}

// Sessions returns copies of all sessions, oldest first.
func (t *Tenant) Sessions() []Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Session, 0, len(t.sessions))
	for _, s := range t.sessions {
		t.age(s)
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Session) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return a.number - b.number
	})
	return all
}

// Choose plays a person: the session is opened and, for most of them, decided. sessionID may be anything that ends in the
// session's id after a slash or a colon, such as its URL. A decided session cannot be played again.
func (t *Tenant) Choose(sessionID string, p Person) error {
	return t.choose(sessionID, p, "")
}

func (t *Tenant) choose(sessionID string, p Person, name string) error {
	c, ok := findCharacter(p)
	if !ok {
		return fmt.Errorf("no such person: %q", string(p))
	}
	return t.change(sessionID, func(s *Session) error {
		if s.Phase != Waiting && s.Phase != Opened {
			return errDecided
		}
		s.Person, s.Phase = p, c.phase
		if s.FirstName == "" && s.LastName == "" {
			s.FirstName, s.LastName = splitName(name)
		}
		t.opts.Log.Info("person chosen", "person", p, "phase", s.Phase)
		return nil
	})
}

// Verdict is a reviewer's.
type Verdict string

const (
	Approve Verdict = "approve"
	Refuse  Verdict = "refuse"
)

// Review plays the reviewer of a session that NeedsReview was chosen for.
func (t *Tenant) Review(sessionID string, v Verdict) error {
	return t.change(sessionID, func(s *Session) error {
		if s.Phase != InReview {
			return errDecided
		}
		switch v {
		case Approve:
			s.Phase = Passed
		case Refuse:
			s.Phase = Failed
		default:
			return fmt.Errorf("no such verdict: %q", string(v))
		}
		t.opts.Log.Info("reviewed", "verdict", v)
		return nil
	})
}

var (
	errNoSession = errors.New("no such session")
	errDecided   = errors.New("the session is not open for this any more")
)

func (t *Tenant) change(sessionID string, f func(*Session) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sessions[sessionID[strings.LastIndexAny(sessionID, "/:")+1:]]
	if s == nil {
		return errNoSession
	}
	t.age(s)
	return f(s)
}

// age ends a session whose time has run out. The caller holds mu.
func (t *Tenant) age(s *Session) {
	if (s.Phase == Waiting || s.Phase == Opened) && !t.opts.Now().Before(s.ExpiresAt) {
		s.Phase = Expired
	}
}

// base is the address that this simulator is known by.
func (t *Tenant) base(r *http.Request) string {
	if t.opts.BaseURL != "" {
		return t.opts.BaseURL
	}
	return "http://" + r.Host
}

// ours says whether a DNS name is one of this tenant's: the base's, or a name of this machine.
func (t *Tenant) ours(dns, base string) bool {
	u, err := url.Parse("//" + dns)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return "http://"+dns == base || "https://"+dns == base || host == "localhost" || host == "127.0.0.1"
}
