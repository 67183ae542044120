package kosmos

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"idgate/app/idv"
)

// kindOf gives 1Kosmos's documentType values; each is also the name of the v1 field that holds such a document.
func kindOf(t idv.DocumentType) (string, bool) {
	switch t {
	case idv.DriverLicense, "":
		return "dl_object", true
	case idv.Passport:
		return "ppt_object", true
	case idv.IDCard:
		return "idcard_object", true
	}
	return "", false
}

func documentType(kind string) idv.DocumentType {
	for _, t := range []idv.DocumentType{idv.DriverLicense, idv.Passport, idv.IDCard} {
		if k, _ := kindOf(t); k == kind {
			return t
		}
	}
	return ""
}

// result is a decrypted answer of document_share_session/result. Two shapes are read: that of the vendor's helpers (v1:
// responseStatus, dl_object, liveid_object) and that of its 2026 mobile SDK (sessionResult, document, liveId, errorInfo),
// the best published hint of what /v3 answers. The words of the developer console (a session status beside a verification
// status) are understood under the names they would have.
type result struct {
	sessionID    text
	session      []*text // every word on how the session stands
	verification []*text // every word on how the verification came out
	envelope     text    // "status": counts only where there is no other word, and never as a success
	reasonCode   text
	reflected    bool // has a field that only requests have
	documents    map[string]*document
	document     document // v3: names its own kind
	selfies      []*selfie
	created      instant
	expires      instant
}

var (
	errReflected    = errors.New("our own request came back")
	errWrongSession = errors.New("answer is about another session")
	errNoStatus     = errors.New("answer says nothing of the session's status")
)

// parseResult reads an answer and refuses one that is not about the session asked for. Names are compared exactly.
func parseResult(data []byte, sessionID string) (*result, error) {
	r := &result{documents: make(map[string]*document)}
	err := object(data, func(name string) any {
		switch name {
		case "sessionId":
			return &r.sessionID
		case "responseStatus", "sessionResult", "sessionStatus":
			r.session = append(r.session, new(text))
			return r.session[len(r.session)-1]
		case "verificationStatus", "verificationResult", "verification":
			r.verification = append(r.verification, new(text))
			return r.verification[len(r.verification)-1]
		case "status":
			return &r.envelope
		case "errorInfo":
			return (*errorInfo)(&r.reasonCode)
		case "dl_object", "ppt_object", "idcard_object":
			r.documents[name] = new(document)
			return r.documents[name]
		case "document":
			return &r.document
		case "liveid_object", "liveId":
			r.selfies = append(r.selfies, new(selfie))
			return r.selfies[len(r.selfies)-1]
		case "createdTS":
			return &r.created
		case "expiryTS":
			return &r.expires
		case "dvcID", "sessionRequest":
			r.reflected = true
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case r.reflected:
		return nil, errReflected
	case string(r.sessionID) != sessionID || sessionID == "":
		return nil, errWrongSession
	}
	return r, nil
}

// state is what the answer's words come to. Words that we do not know, and words that disagree, decide nothing: they read
// as processing, and the caller's deadline ends the session.
func (r *result) state() (idv.State, error) {
	verification, agreed := "", true
	for _, v := range r.verification {
		switch w := word(*v); {
		case w == "" || w == verification:
		case verification == "":
			verification = w
		default:
			agreed = false
		}
	}
	var found idv.State
	for _, s := range r.session {
		w := word(*s)
		if w == "" {
			continue
		}
		state := stateOf(w, verification)
		agreed = agreed && (found == "" || found == state)
		found = state
	}
	if found == "" {
		w := word(r.envelope)
		if w == "" {
			return "", errNoStatus
		}
		if found = stateOf(w, verification); w == "success" {
			found = idv.StateProcessing // this says that the call succeeded
		}
	}
	if !agreed {
		return idv.StateProcessing, nil
	}
	return found, nil
}

// stateOf reads one session word beside the verification's. The helpers' INPROGRESS covers everything before an outcome,
// so it claims no more than that the session exists; the console's "In Progress" means that it was opened. "Completed"
// means submitted, and counts only with a verification status. No word for a manual review is published; these are the
// likely ones.
func stateOf(session, verification string) idv.State {
	switch session {
	case "inprogress", "pending":
		return idv.StateCreated
	case "in progress":
		return idv.StateStarted
	case "in review", "review", "manual review", "pending review", "under review":
		return idv.StateReview
	case "success":
		if verification == "" || verification == "passed" {
			return idv.StatePassed
		}
	case "completed":
		switch verification {
		case "passed":
			return idv.StatePassed
		case "failed", "not performed":
			return idv.StateFailed
		}
	case "failed":
		if verification != "passed" {
			return idv.StateFailed
		}
	case "declined":
		return idv.StateDeclined
	case "expired":
		return idv.StateExpired
	case "abandoned":
		return idv.StateAbandoned
	}
	return idv.StateProcessing
}

// word brings "IN_PROGRESS", "In Progress" and " in-progress" together, and keeps "INPROGRESS" apart.
func word(t text) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(string(t)), func(c rune) bool {
		return c == ' ' || c == '_' || c == '-'
	}), " ")
}

// observe turns the answer into what we tell: a claimed success stays one only with a document of the requested kind
// that has a date of expiry. Whether that date will do is decided by idv.Meets: 1Kosmos's v1 calls an expired document a
// success and leaves it to the caller to look.
func (r *result) observe(kind string, today idv.Date) (idv.Observation, error) {
	state, err := r.state()
	if err != nil {
		return idv.Observation{}, err
	}
	o := idv.Observation{
		State:             state,
		ProviderCreatedAt: time.Time(r.created),
		ProviderExpiresAt: time.Time(r.expires),
	}
	if state != idv.StatePassed && state != idv.StateFailed {
		return o, nil
	}
	doc, vendor := r.find(kind), reason(r.reasonCode)
	dated, expired := false, vendor == idv.ReasonExpiredDocument
	if doc != nil {
		expiry, err := idv.ParseDate(string(doc.doe))
		dated = err == nil
		if dated {
			o.Evidence.DocumentExpires = expiry
			expired = expired || !expiry.After(today)
		}
		o.Evidence.Document = true
		o.Evidence.DocumentType = string(documentType(kind))
		o.Evidence.DocumentCountry = string(doc.country)
	}
	o.Evidence.DocumentExpired = expired
	for _, s := range r.selfies {
		o.Evidence.Selfie = o.Evidence.Selfie || s.captured
	}
	o.State = idv.StateFailed
	switch {
	case vendor != "": // a success with a reason for failing is none
		o.ReasonCode = vendor
	case expired && state == idv.StateFailed:
		o.ReasonCode = idv.ReasonExpiredDocument
	case state == idv.StateFailed:
		o.ReasonCode = idv.ReasonNotVerified
	case doc == nil:
		o.ReasonCode = r.missing()
	case !dated:
		o.ReasonCode = idv.ReasonUnreadableExpiry
	default:
		o.State, o.Person = idv.StatePassed, doc.person()
	}
	return o, nil
}

// find returns the document of the requested kind, or nil.
func (r *result) find(kind string) *document {
	if d := r.documents[kind]; d != nil && d.fields > 0 && (d.kind() == kind || d.kind() == "") {
		return d
	}
	if d := r.document.nested[kind]; d != nil && d.fields > 0 && (d.kind() == kind || d.kind() == "") {
		return d
	}
	if r.document.fields > 0 && r.document.kind() == kind {
		return &r.document
	}
	return nil
}

// missing tells a document of another kind from none at all.
func (r *result) missing() string {
	fields := r.document.fields
	for _, d := range r.documents {
		fields += d.fields
	}
	if fields > 0 {
		return idv.ReasonWrongDocument
	}
	return idv.ReasonNoDocument
}

var vendorCode = regexp.MustCompile(`^IDV\d{4}$`)

// reason translates 1Kosmos's reason codes. Those whose meaning is not published are passed on in lower case; anything
// else is no code.
func reason(code text) string {
	c := strings.ToUpper(string(code))
	switch c {
	case "IDV0005":
		return idv.ReasonNotADocument
	case "IDV0006", "IDV0015":
		return idv.ReasonUnsupportedDocument
	case "IDV0011":
		return idv.ReasonExpiredDocument
	case "IDV0014":
		return idv.ReasonRetriesExhausted
	}
	if vendorCode.MatchString(c) {
		return strings.ToLower(c)
	}
	return ""
}
