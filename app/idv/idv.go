// Package idv says, in words of no particular vendor, what idgate asks of an identity provider and what it may hear back.
//
// A Provider is asked server to server and is the only source of a verdict. It holds no state of ours: the caller owns
// the Session, decides with CanMove whether an Observation may change it, and keeps of a Person only what it must. Create
// is not idempotent at any vendor we know; calling it twice makes two sessions there, of which the caller keeps one. Fetch
// may be called any number of times. When one returns an error nothing was learned, and no Session changes its state.
package idv

import (
	"context"
	"time"
)

// Provider is one identity provider under one account. Its methods may be called at the same time.
type Provider interface {
	// Name is the provider's name in our records, such as "1kosmos". It never changes, since Refs are unique under it.
	Name() string
	// Create opens a session at the provider. Errors are of type *Error.
	Create(ctx context.Context, r CreateRequest) (Created, error)
	// Fetch asks how the session stands. Errors are of type *Error; they say nothing about the session.
	Fetch(ctx context.Context, ref string) (Observation, error)
	// Discover asks whether the provider knows the account at all, without its keys: nil says nothing of them. Errors are of type *Error;
	// Refused means that it does not.
	Discover(ctx context.Context) error
}

// DocumentType is a kind of government document.
type DocumentType string

const (
	DriverLicense DocumentType = "driver_license"
	Passport      DocumentType = "passport"
	IDCard        DocumentType = "id_card"
)

// CreateRequest asks for one session.
type CreateRequest struct {
	SessionID string       // our Session's id; it reaches the provider only as a UUID made from it
	Document  DocumentType // the one kind that will do; the zero value means DriverLicense
	// What we hold of the person, for the provider's own comparison and console. May be empty.
	Username, FirstName, LastName string
}

// Created is a session that exists at the provider.
type Created struct {
	Ref string // what Fetch wants; opaque, at most 200 bytes, unique under the provider's Name
	// CaptureURL is the page on which the person proves who they are. Whoever holds it can take the session over: it is
	// shown to the shopper and never logged.
	CaptureURL string
}

// Observation is what the provider said when asked, once.
type Observation struct {
	Ref        string
	State      State
	ReasonCode string // one of the Reason constants, a vendor's code in lower case, or empty
	Evidence   Evidence
	Assurance  *Assurance // nil unless the provider itself states a level
	Person     *Person    // only when State is StatePassed; held in memory, never stored as it is
	ObservedAt time.Time
	// The provider's own times of its session, zero when it does not say.
	ProviderCreatedAt, ProviderExpiresAt time.Time
	RawDigest                            [32]byte // SHA-256 of the answer as decrypted; the answer itself is not kept
}

// Evidence is what the provider saw, as opposed to what it concludes from it.
type Evidence struct {
	Document        bool   // a document of the kind asked for
	DocumentType    string // a DocumentType, or empty
	DocumentCountry string // as printed in the answer
	DocumentExpired bool
	DocumentExpires Date // the day after which the document is good no more, as it was read; zero when it was not
	Selfie          bool // a live selfie was captured in this session
}

// Sources of an Assurance. The merchant's own mapping ("policy") is not among them: no provider can state it.
const (
	SourceOIDC         = "oidc"
	SourceIALEndpoint  = "ial_endpoint"
	SourceIAL2Workflow = "ial2_workflow"
)

// Assurance is an identity assurance level stated by the provider.
type Assurance struct {
	Level  int // NIST SP 800-63A, 0 to 3
	Source string
}

// Person is what the document says of its holder. Fields that the document does not have are empty.
type Person struct {
	GivenName, MiddleName, FamilyName, FullName string
	Birth                                       Date
	Street, City, State, Zip, Country           string
}

// Reasons that mean the same at every provider. A provider may also pass on a code of its own, in lower case.
const (
	ReasonExpiredDocument     = "expired_document"
	ReasonUnreadableExpiry    = "unreadable_expiry" // the document says nothing usable about how long it is valid
	ReasonNoDocument          = "no_document"       // called a success, without a document
	ReasonWrongDocument       = "wrong_document"    // a document of another kind than was asked for
	ReasonNotADocument        = "not_a_document"
	ReasonUnsupportedDocument = "unsupported_document"
	ReasonRetriesExhausted    = "retries_exhausted"
	ReasonNoSelfie            = "no_selfie"
	ReasonNotVerified         = "not_verified" // the provider says no more than that
)

// Need is the evidence that a Requirement asks for.
type Need struct {
	Selfie bool
	Grace  int  // a document that expired no more than so many days before Today will do
	Today  Date // what Grace counts from; without it there is none
}

// forgives says whether a document that expired on this day still will do. A day that is unknown, or that has not come, is no
// reason for forgiving: then somebody else says that the document has expired.
func (n Need) forgives(expired Date) bool {
	return n.Grace > 0 && n.Today.Valid() && expired.Valid() && !expired.After(n.Today) && !expired.AddDays(n.Grace).Before(n.Today)
}

// Meets says whether o is a pass whose evidence covers n, and if not, the reason that comes first. It is the last look
// before a Proof is made: it trusts no provider to have looked. A grace overrules no provider: it only counts for what the provider
// itself called a pass.
func Meets(o Observation, n Need) (reason string, ok bool) {
	switch {
	case o.State != StatePassed:
		return ReasonNotVerified, false
	case !o.Evidence.Document || o.Person == nil:
		return ReasonNoDocument, false
	case o.Evidence.DocumentExpired && !n.forgives(o.Evidence.DocumentExpires):
		return ReasonExpiredDocument, false
	case n.Selfie && !o.Evidence.Selfie:
		return ReasonNoSelfie, false
	}
	return "", true
}
