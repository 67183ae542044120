package kosmos

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// create is document_share_session/create. It takes what the vendor's helpers send and what its Postman collection sends.
func (t *Tenant) create(r *http.Request) (any, error) {
	c, err := t.admit(r)
	if err != nil {
		return nil, err
	}
	var asked struct {
		DVCID          string `json:"dvcID"`
		SessionRequest struct {
			TenantDNS     string `json:"tenantDNS"`
			CommunityName string `json:"communityName"`
			DocumentType  string `json:"documentType"`
			UserUID       string `json:"userUID"`
			DID           string `json:"did"`
			User          struct {
				Username  string `json:"username"`
				FirstName string `json:"firstname"`
				LastName  string `json:"lastname"`
			} `json:"user"`
		} `json:"sessionRequest"`
	}
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return nil, refuse(http.StatusBadRequest, "data is not the JSON expected")
	}
	if err := t.checkDVCID(asked.DVCID); err != nil {
		return nil, err
	}
	q, base := asked.SessionRequest, t.base(r)
	switch {
	case !t.ours(q.TenantDNS, base) || q.CommunityName != t.opts.Community:
		return nil, refuse(http.StatusBadRequest, "tenantDNS or communityName is unknown")
	case q.DocumentType != "dl_object" && q.DocumentType != "ppt_object" && q.DocumentType != "idcard_object":
		return nil, refuse(http.StatusBadRequest, "documentType is not supported")
	case q.UserUID != q.DID:
		return nil, refuse(http.StatusBadRequest, "userUID and did differ")
	case q.UserUID == "" && q.User.Username == "":
		return nil, refuse(http.StatusBadRequest, "userUID or user is required")
	}
	s := t.open(q.DocumentType, base)
	s.UserUID, s.Username, s.FirstName, s.LastName = q.UserUID, q.User.Username, q.User.FirstName, q.User.LastName
	t.mu.Lock()
	s.number = len(t.sessions)
	t.sessions[s.ID] = s
	t.mu.Unlock()
	t.opts.Log.Info("session created", "document", s.Document)
	answer := map[string]any{"sessionId": s.ID, "url": s.URL}
	if t.opts.EncryptCreate {
		return t.sealed(c, marshal(answer))
	}
	return answer, nil
}

func (t *Tenant) open(document, base string) *Session {
	now, id := t.opts.Now(), newUUID()
	return &Session{
		ID: id, URL: base + "/idproofing/session/" + id, Document: document, Phase: Waiting,
		CreatedAt: now, ExpiresAt: now.Add(t.opts.SessionLife),
	}
}

func (t *Tenant) checkDVCID(id string) error {
	switch id {
	case "":
		return refuse(http.StatusBadRequest, "dvcID is required")
	case t.opts.DVCID:
		return nil
	}
	return refuse(http.StatusNotFound, "dvcID not found")
}

func (t *Tenant) resultV1(r *http.Request) (any, error) {
	return t.result(r, (*Session).answerV1)
}

func (t *Tenant) resultV3(r *http.Request) (any, error) {
	return t.result(r, (*Session).answerV3)
}

// result is document_share_session/result, with the faults that hit only it.
func (t *Tenant) result(r *http.Request, answer func(*Session, time.Time) map[string]any) (any, error) {
	c, err := t.admit(r)
	if err != nil {
		return nil, err
	}
	var asked struct {
		DVCID     string `json:"dvcID"`
		SessionID string `json:"sessionId"`
	}
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return nil, refuse(http.StatusBadRequest, "data is not the JSON expected")
	}
	if err := t.checkDVCID(asked.DVCID); err != nil {
		return nil, err
	}
	t.mu.Lock()
	fault := t.fault
	s := t.sessions[asked.SessionID]
	if s == nil {
		t.mu.Unlock()
		return nil, refuse(http.StatusNotFound, "Session not found")
	}
	t.age(s)
	s.Polls++
	said := *s
	if s.Phase == Passed {
		s.successes++
	}
	t.mu.Unlock()

	said.imageBytes = t.opts.ImageBytes
	if fault.BigImages {
		said.imageBytes = bigImages
	}
	if fault.Contradictory && said.successes > 0 {
		said.Phase = Failed
	}
	v := answer(&said, t.opts.Now())
	for _, status := range []string{"responseStatus", "sessionResult"} {
		if _, has := v[status]; has && fault.UnknownState {
			v[status] = "MARSUPIAL"
		}
	}
	if fault.WrongSession {
		v["sessionId"] = newUUID()
	}
	plain := marshal(v)
	if fault.Plaintext != nil {
		plain = fault.Plaintext(s.ID)
	}
	return t.deliver(c, fault, plain)
}

// deliver puts a result into the envelope that the faults leave of it.
func (t *Tenant) deliver(c caller, fault Fault, plain []byte) (any, error) {
	switch {
	case fault.Unencrypted:
		return json.RawMessage(plain), nil
	case fault.Reflected:
		return map[string]any{"data": c.data, "publicKey": c.public}, nil
	case fault.ForeignKey:
		foreign, err := t.curve.newPair()
		if err != nil {
			return nil, err
		}
		key, err := foreign.shared(c.public)
		if err != nil {
			return nil, err
		}
		data, err := seal(key, plain)
		return map[string]any{"data": data, "publicKey": foreign.public}, err
	case fault.Undecryptable:
		data, err := seal(c.key, plain)
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(data)
		raw[len(raw)/2] ^= 1
		return map[string]any{"data": base64.StdEncoding.EncodeToString(raw), "publicKey": t.publicKey()}, err
	}
	return t.sealed(c, plain)
}

func (t *Tenant) sealed(c caller, plain []byte) (any, error) {
	data, err := seal(c.key, plain)
	return map[string]any{"data": data, "publicKey": t.publicKey()}, err
}

func (t *Tenant) publicKey() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.services["docuverify"].public
}
