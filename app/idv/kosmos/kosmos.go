// Package kosmos is 1Kosmos (BlockID Verify) behind idv.Provider, in 1Kosmos's words.
//
// A Client belongs to one tenant and one configuration of it. It remembers only what it may forget: the tenant's service
// directory (10 minutes), the services' public keys (24 hours) and a key pair of its own, drawn in New. Everything else is
// in the Ref it returns, so any process may Fetch what another one has created. Create makes a second session when it is
// repeated; Fetch changes nothing anywhere.
//
// What the protocol gives and what it does not. "BIDECDSA" signs nothing: it is static-static ECDH with AES-256-GCM, one
// key in both directions, nothing binding an answer to its question. TLS is what tells us whom we talk to. Hence: the key
// is derived from what the service publishes at /publickeys, never from the publicKey beside an answer; an answer must
// name the session asked for; an answer that lacks an explicit success is none, our own reflected request included; a
// success counts only when it came encrypted; and words we do not know read as "processing".
//
// Licence key and dvcID travel only to https hosts that are the tenant's DNS name, its otherDNS, or named by the operator,
// and never to a private or loopback address, whatever DNS answers: this is checked when a connection is made. Redirects
// are not followed and no proxy is used. Options.Loopback lifts this for the simulator, and only for loopback names.
//
// Images in an answer (up to about 1 MB) are skipped while it is parsed, and the decrypted text is cleared afterwards.
//
// Facts about the vendor come from its helper sources and its public Postman collection. The /v3 result's shape is not
// published: see result. The package is longer than most here, because a protocol, its cryptography on two curves and the
// guarded way out to the network are of use only to each other.
package kosmos

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"idgate/app/dial"
	"idgate/app/idv"
)

// Which result endpoint to ask; a tenant serves one of them or both.
const (
	ResultV1 = "v1" // {docuverify}/document_share_session/result: the vendor's helpers
	ResultV3 = "v3" // {docuverify}/v3/document_share_session/result: its current Postman collection
)

// Tenant is whom we are at 1Kosmos, as the operator or a merchant names it. It prints without its secrets.
type Tenant struct {
	DNS          string   // the tenant's host name, such as "example.1kosmos.net"
	Community    string   // the community's name, often "default"
	LicenseKey   string   // secret
	DVCID        string   // secret: which verification configuration to run
	Curve        string   // Secp256k1 (also when empty) or Prime256v1
	AllowedHosts []string // further hosts that its services may live on
	ResultPath   string   // ResultV1 (also when empty) or ResultV3
}

// String leaves the secrets out.
func (t Tenant) String() string { return "1Kosmos tenant " + t.DNS + ", community " + t.Community }

// GoString leaves the secrets out.
func (t Tenant) GoString() string { return t.String() }

// LogValue leaves the secrets out.
func (t Tenant) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Options are what a Client takes from its surroundings. The zero value is right in service.
type Options struct {
	// HTTP makes the calls when Loopback is set (nil: a client that dials *.localhost on this machine). In service it is
	// not used: the connection must be made by our own dialer, which checks addresses.
	HTTP *http.Client
	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand; IVs and keys come from it
	// Loopback allows plain HTTP and loopback addresses, to loopback names only. For the demo and for tests.
	Loopback bool
}

// Client implements idv.Provider.
type Client struct {
	tenant   Tenant
	loopback bool
	http     *http.Client
	now      func() time.Time
	rand     io.Reader
	private  PrivateKey
	public   PublicKey
	services cell[directory]
	keys     keyring
}

var _ idv.Provider = (*Client)(nil)

// name is also the first part of the UNIQUE key of our records.
const name = "1kosmos"

const (
	opCreate = "creating a session"
	opFetch  = "fetching a result"
	opKnow   = "asking whether the tenant is known"
)

// String leaves the secrets out, which fmt would otherwise find in the fields.
func (c *Client) String() string { return c.tenant.String() }

// GoString leaves the secrets out.
func (c *Client) GoString() string { return c.tenant.String() }

// New checks the tenant's settings, naming all that is wrong with them, and draws a key pair. It makes no call.
func New(t Tenant, o Options) (*Client, error) {
	c := &Client{tenant: t, loopback: o.Loopback, now: o.Now, rand: o.Rand}
	if c.now == nil {
		c.now = time.Now
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	var wrong []error
	say := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	host, ok := normalHost(t.DNS)
	say(ok, "DNS %q: want a host name such as example.1kosmos.net, without https:// or path", t.DNS)
	say(!o.Loopback || dial.LoopbackName(hostOnly(host)), "DNS %q: want a loopback name, since Loopback is set", t.DNS)
	c.tenant.DNS = host
	say(within(t.Community, 1, 128), "Community: want the community's name")
	say(within(t.LicenseKey, 1, 512), "LicenseKey: want the licence key of the developer dashboard")
	say(within(t.DVCID, 1, 512), "DVCID: want the dvcID of the verification configuration")
	say(t.ResultPath == "" || t.ResultPath == ResultV1 || t.ResultPath == ResultV3,
		"ResultPath %q: want %s or %s", t.ResultPath, ResultV1, ResultV3)
	c.tenant.AllowedHosts = nil
	for _, h := range t.AllowedHosts {
		host, ok := normalHost(h)
		say(ok, "AllowedHosts %q: want a host name", h)
		c.tenant.AllowedHosts = append(c.tenant.AllowedHosts, host)
	}
	var err error
	if c.private, err = GenerateKey(t.Curve, c.rand); err == nil {
		c.public, err = c.private.Public()
	}
	if err != nil {
		wrong = append(wrong, err)
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("1Kosmos settings: %w", errors.Join(wrong...))
	}
	c.http = newHTTP(o)
	return c, nil
}

// Name returns "1kosmos".
func (c *Client) Name() string { return name }

type createBody struct {
	DVCID          string         `json:"dvcID"`
	SessionRequest sessionRequest `json:"sessionRequest"`
}

// sessionRequest has both published forms in one: userUID and did as the helpers send them, user as Postman does.
type sessionRequest struct {
	TenantDNS     string       `json:"tenantDNS"`
	CommunityName string       `json:"communityName"`
	DocumentType  string       `json:"documentType"`
	UserUID       string       `json:"userUID"`
	DID           string       `json:"did"`
	User          *sessionUser `json:"user,omitempty"`
}

type sessionUser struct {
	Username  string `json:"username"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
}

// Create makes a session for one document. The Ref carries the document's kind, which 1Kosmos must echo in the result.
func (c *Client) Create(ctx context.Context, r idv.CreateRequest) (idv.Created, error) {
	kind, ok := kindOf(r.Document)
	if !ok || r.SessionID == "" {
		return idv.Created{}, c.fail(opCreate, idv.Invalid, "want a session id and a known document type", nil)
	}
	uid := subjectUUID(r.SessionID)
	body := createBody{c.tenant.DVCID, sessionRequest{
		TenantDNS: c.tenant.DNS, CommunityName: c.tenant.Community, DocumentType: kind, UserUID: uid, DID: uid,
	}}
	if r.Username != "" || r.FirstName != "" || r.LastName != "" {
		body.SessionRequest.User = &sessionUser{r.Username, r.FirstName, r.LastName}
	}
	a, err := c.ask(ctx, opCreate, "/document_share_session/create", body, maxSmall)
	if err != nil {
		return idv.Created{}, err
	}
	var id, link text
	err = object(a.plain, func(field string) any {
		switch field {
		case "sessionId":
			return &id
		case "url":
			return &link
		}
		return nil
	})
	if err != nil || !sessionID.MatchString(string(id)) {
		return idv.Created{}, c.fail(opCreate, idv.Unreadable, "answer has no usable sessionId", err)
	}
	capture, err := c.allowed(string(link), a.hosts)
	if err != nil {
		return idv.Created{}, c.fail(opCreate, idv.Forbidden, "the session's page: "+err.Error(), err)
	}
	return idv.Created{Ref: kind + ":" + string(id), CaptureURL: capture}, nil
}

// Discover asks the tenant's host for the community and for its services. Neither call carries a key, so none is tried.
func (c *Client) Discover(ctx context.Context) error {
	_, err := c.directory(ctx, opKnow)
	return err
}

// Fetch asks for the result of the session that Create returned ref for.
func (c *Client) Fetch(ctx context.Context, ref string) (idv.Observation, error) {
	kind, id, _ := strings.Cut(ref, ":")
	if documentType(kind) == "" || !sessionID.MatchString(id) {
		return idv.Observation{}, c.fail(opFetch, idv.Invalid, "not a reference of ours", nil)
	}
	path := "/document_share_session/result"
	if c.tenant.ResultPath == ResultV3 {
		path = "/v3" + path
	}
	body := struct {
		DVCID     string `json:"dvcID"`
		SessionID string `json:"sessionId"`
	}{c.tenant.DVCID, id}
	a, err := c.ask(ctx, opFetch, path, body, maxResult)
	if err != nil {
		return idv.Observation{}, err
	}
	defer clear(a.plain)
	now := c.now()
	r, err := parseResult(a.plain, id)
	if err != nil {
		return idv.Observation{}, c.fail(opFetch, idv.Unreadable, err.Error(), err)
	}
	o, err := r.observe(kind, idv.DateOf(now.UTC()))
	if err != nil {
		return idv.Observation{}, c.fail(opFetch, idv.Unreadable, err.Error(), err)
	}
	if o.State == idv.StatePassed && !a.sealed {
		return idv.Observation{}, c.fail(opFetch, idv.Unreadable, "a success that was not encrypted", nil)
	}
	o.Ref, o.ObservedAt, o.RawDigest = ref, now, sha256.Sum256(a.plain)
	return o, nil
}

var sessionID = regexp.MustCompile(`^[0-9A-Za-z_-]{8,128}$`)

// subjectUUID returns our session id if it is a UUID, and otherwise a UUID (version 8) made from its hash, so that the
// provider never sees an id that means something at our doors.
func subjectUUID(id string) string {
	if uuidForm.MatchString(id) {
		return strings.ToLower(id)
	}
	h := sha256.Sum256([]byte("idgate session " + id))
	return formatUUID([16]byte(h[:16]), 8)
}

var uuidForm = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func within(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.TrimSpace(s) == s
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of strings
	}
	return b
}
