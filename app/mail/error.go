package mail

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// What was being done when it went wrong: Error.Op.
const (
	Writing       = "writing the mail"
	Connecting    = "connecting"
	Securing      = "starting TLS"
	SigningIn     = "signing in"
	NamingSender  = "naming the sender"
	NamingMailbox = "naming the mailbox"
	HandingOver   = "handing over the mail"
)

// Error is a mail that is not known to be on its way. It is one of three: Permanent, Unknown, or Temporary.
//
// Its text is safe to log: it names neither the mailbox nor what the server said about it.
type Error struct {
	Op   string // one of the constants above
	Code int    // the server's reply code, 0 if it gave none
	// Reason says what was wrong in the server's words or ours: one line, at most 200 characters, without mail addresses. From
	// NamingMailbox on it is for the merchant's eyes, not for logs.
	Reason string
	// Permanent: this mail will not be taken, now or later; the mailbox was refused, or the mail was.
	Permanent bool
	// Unknown: the mail was handed over whole and no answer came. It may have been taken, or not.
	Unknown bool
	Err     error // the cause, for errors.Is and errors.As; not part of the text

	theirs bool // Reason is what the server said after the mailbox was named
}

// Error returns, for instance, "mail: naming the mailbox: 550".
func (e *Error) Error() string {
	s := "mail: " + e.Op
	if e.Code != 0 {
		s += ": " + strconv.Itoa(e.Code)
	}
	if !e.theirs && e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Unknown {
		s += " (it may have been taken)"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary says that the mail was certainly not taken and may be taken later. It is also what a server is that refuses
// us for reasons that are not this mail's: no TLS, a bad certificate, a wrong password, a sender it does not know.
// Somebody must act, and then the mail still goes out.
func (e *Error) Temporary() bool { return !e.Permanent && !e.Unknown }

// errTooMuch ends a conversation with a server that does not stop talking.
var errTooMuch = errors.New("the server says too much")

// explain makes an Error of whatever the connection, TLS or the server came up with.
func explain(ctx context.Context, op string, err error) *Error {
	e := &Error{Op: op, Err: err}
	var reply *textproto.Error
	var garbled textproto.ProtocolError
	named := op == NamingMailbox || op == HandingOver
	switch {
	case errors.As(err, &reply):
		e.Code, e.Reason, e.theirs = reply.Code, reply.Msg, named
	case errors.As(err, &garbled):
		e.Reason, e.theirs = "the server does not speak SMTP: "+garbled.Error(), named
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason, e.Err = "no answer in time", ctx.Err()
	case ctx.Err() != nil:
		e.Reason, e.Err = "broken off by us", ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Reason = "the server hung up"
	default:
		e.Reason = err.Error()
	}
	e.Reason = tidy(addressForm.ReplaceAllString(e.Reason, "…"))
	return e
}

// maxReason bounds Error.Reason, in characters.
const maxReason = 200

// tidy makes one printable line of what a server said.
func tidy(s string) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	runes := []rune(strings.Join(strings.Fields(clean), " "))
	if len(runes) > maxReason {
		return string(runes[:maxReason-1]) + "…"
	}
	return string(runes)
}
