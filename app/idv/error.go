package idv

import (
	"strconv"
	"time"
)

// Fault is the kind of thing that went wrong with a call to a provider.
type Fault string

const (
	// Unreachable: the answer did not come, or came as a server error.
	Unreachable Fault = "unreachable"
	// Busy: the provider asks us to slow down.
	Busy Fault = "busy"
	// Unreadable: the answer cannot be decrypted, is not the shape agreed on, or is not about this session.
	Unreadable Fault = "unreadable"
	// Forbidden: the call, or what it was sent to, leads to a host or address we may not talk to. Nothing was sent there.
	Forbidden Fault = "forbidden"
	// Refused: the provider does not accept our credentials or configuration. A person must act.
	Refused Fault = "refused"
	// NotFound: the provider does not know, or no longer knows, the session.
	NotFound Fault = "not_found"
	// Invalid: the call made no sense and was not sent.
	Invalid Fault = "invalid"
)

// Error is a call that taught us nothing. It is safe to log: its text holds no key, no capture URL, no part of an answer
// that was not expected, and nothing of a person.
type Error struct {
	Provider   string // the provider's Name
	Op         string // what was being done: "creating a session"
	Fault      Fault
	Status     int           // HTTP status, 0 if there was none
	Detail     string        // what was wrong, in our own words
	RetryAfter time.Duration // how long the provider asked us to wait, 0 if it did not
	Err        error         // the cause, for errors.Is and errors.As; not part of the text
}

// Error returns, for instance, "1kosmos: fetching a result: unreachable: HTTP 503".
func (e *Error) Error() string {
	s := e.Provider + ": " + e.Op + ": " + string(e.Fault)
	if e.Status != 0 {
		s += ": HTTP " + strconv.Itoa(e.Status)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary says whether the same call may succeed later without anybody doing something.
func (e *Error) Temporary() bool {
	switch e.Fault {
	case Unreachable, Busy, Unreadable:
		return true
	case Forbidden, Refused, NotFound, Invalid:
		return false
	}
	return false
}
