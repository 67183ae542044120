package kosmos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	maxBody    = 64 << 10
	clockSkew  = 60 * time.Second // either way, as published
	maxCallers = 1024             // shared keys remembered; beyond that they are derived anew
)

// refusal is an answer other than 200.
type refusal struct {
	status int
	body   any
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %v", r.status, r.body) }

func refuse(status int, message string) error {
	return &refusal{status, map[string]any{"code": status, "message": message}}
}

// undecryptable is the vendor's answer to a header that it cannot read.
func undecryptable(param string) error {
	return &refusal{http.StatusBadRequest, map[string]any{
		"errors": []any{map[string]any{"message": "This header can't be decrypted", "param": param}},
	}}
}

// api answers in JSON and applies the faults that hit every call.
func (t *Tenant) api(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		fault := t.fault
		t.mu.Unlock()
		// The body is read first: until then net/http does not notice that a caller has gone.
		body, tooLong := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		r.Body = io.NopCloser(bytes.NewReader(body))
		if fault.Slow > 0 {
			wait := time.NewTimer(fault.Slow)
			defer wait.Stop()
			select {
			case <-wait.C:
			case <-r.Context().Done():
				return
			}
		}
		var v any
		var err error
		switch {
		case fault.Dropped:
			panic(http.ErrAbortHandler) // the server's way to end a connection without a word
		case fault.Down:
			err = refuse(http.StatusServiceUnavailable, "Service Unavailable")
		case fault.Busy:
			w.Header().Set("Retry-After", "7")
			err = refuse(http.StatusTooManyRequests, "Too Many Requests")
		case tooLong != nil:
			err = refuse(http.StatusRequestEntityTooLarge, "body is too long")
		default:
			v, err = answer(r)
		}
		status := http.StatusOK
		if err != nil {
			no, ok := err.(*refusal)
			if !ok {
				no = &refusal{http.StatusInternalServerError, map[string]any{"code": 500, "message": "Internal Server Error"}}
			}
			t.opts.Log.Info("refused", "method", r.Method, "pattern", r.Pattern, "status", no.status, "why", err)
			status, v = no.status, no.body
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		w.Write(marshal(v))
	}
}

func (t *Tenant) communityInfo(r *http.Request) (any, error) {
	var asked struct {
		DNS           string `json:"dns"`
		CommunityName string `json:"communityName"`
		TenantID      string `json:"tenantId"`
		CommunityID   string `json:"communityId"`
	}
	if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	base := t.base(r)
	byName := asked.CommunityName == t.opts.Community && t.ours(asked.DNS, base)
	byID := asked.TenantID == tenantID && asked.CommunityID == communityID
	if !byName && !byID {
		return nil, refuse(http.StatusNotFound, "Tenant or community not found")
	}
	host := base[strings.Index(base, "//")+2:]
	others := []string{host}
	if _, port, ok := strings.Cut(host, ":"); ok {
		others = append(others, "localhost:"+port, "127.0.0.1:"+port)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return map[string]any{
		"tenant": map[string]any{
			"id": tenantID, "tenanttag": "simulated", "tenanttype": "independent", "name": "Simulated tenant", "otherDNS": others,
		},
		"community": map[string]any{
			"id": communityID, "tenantid": tenantID, "name": t.opts.Community, "publicKey": t.services["adminconsole"].public,
		},
		"message": nil,
	}, nil
}

const (
	tenantID    = "5f0000000000000000000001"
	communityID = "5f0000000000000000000002"
)

func (t *Tenant) directory(r *http.Request) (any, error) {
	base := t.base(r)
	sd := map[string]any{"idproofingapi": "http://idproofing-api:8888"} // as published: of no use to anybody outside
	for _, s := range services {
		sd[s] = base + "/" + s
	}
	return sd, nil
}

func (t *Tenant) publicKeys(r *http.Request) (any, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.services[r.PathValue("service")]
	if !ok || r.PathValue("service") == "adminconsole" {
		return nil, refuse(http.StatusNotFound, "Not Found")
	}
	return map[string]any{"publicKey": k.public}, nil
}

// caller is somebody who has shown the licence key.
type caller struct {
	key    []byte // shared with docuverify
	public string
	body   []byte // decrypted
	data   string // as it came
}

// admit checks the headers strictly and decrypts the body.
func (t *Tenant) admit(r *http.Request) (caller, error) {
	if ct := r.Header.Get("Content-Type"); ct != "application/json" {
		return caller{}, refuse(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	c := caller{public: r.Header.Get("publickey")}
	var err error
	if c.key, err = t.sharedKey("docuverify", c.public); err != nil {
		return caller{}, refuse(http.StatusBadRequest, err.Error())
	}
	licence, err := open(c.key, r.Header.Get("licensekey"))
	if err != nil {
		return caller{}, undecryptable("licensekey")
	}
	stamp, err := open(c.key, r.Header.Get("requestid"))
	if err != nil {
		return caller{}, undecryptable("requestid")
	}
	if string(licence) != t.opts.LicenseKey {
		return caller{}, refuse(http.StatusUnauthorized, "Invalid or Unauthorized License")
	}
	if err := t.checkStamp(stamp); err != nil {
		return caller{}, err
	}
	var sealed struct {
		Data string `json:"data"`
	}
	if err := readJSON(r, &sealed); err != nil {
		return caller{}, err
	}
	if c.body, err = open(c.key, sealed.Data); err != nil {
		return caller{}, refuse(http.StatusBadRequest, "data can't be decrypted")
	}
	c.data = sealed.Data
	return c, nil
}

var uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// checkStamp checks a requestid: fresh, complete, and used for the first time.
func (t *Tenant) checkStamp(raw []byte) error {
	var stamp struct {
		TS    int64  `json:"ts"`
		AppID string `json:"appid"`
		UUID  string `json:"uuid"`
	}
	if json.Unmarshal(raw, &stamp) != nil || stamp.AppID == "" || !uuidV4.MatchString(stamp.UUID) {
		return refuse(http.StatusBadRequest, "requestid must have ts, appid and uuid")
	}
	now := t.opts.Now()
	if age := now.Sub(time.Unix(stamp.TS, 0)).Abs(); age > clockSkew {
		return refuse(http.StatusUnauthorized, "requestid has expired")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, seen := range t.requests {
		if now.Sub(seen).Abs() > 2*clockSkew {
			delete(t.requests, id)
		}
	}
	if _, used := t.requests[stamp.UUID]; used {
		return refuse(http.StatusUnauthorized, "requestid has been used")
	}
	t.requests[stamp.UUID] = now
	return nil
}

func (t *Tenant) sharedKey(service, public string) ([]byte, error) {
	t.mu.Lock()
	k, known := t.services[service], t.shared[service+" "+public]
	t.mu.Unlock()
	if known != nil {
		return known, nil
	}
	key, err := k.shared(public) // milliseconds; not under the lock
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.shared) >= maxCallers {
		clear(t.shared)
	}
	if t.services[service].public == k.public {
		t.shared[service+" "+public] = key
	}
	return key, nil
}

func readJSON(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, into) != nil {
		return refuse(http.StatusBadRequest, "body is not the JSON expected")
	}
	return nil
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return b
}
