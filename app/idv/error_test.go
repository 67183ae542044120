package idv

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestError(t *testing.T) {
	for _, c := range []struct {
		fault     Fault
		temporary bool
	}{
		{Unreachable, true}, {Busy, true}, {Unreadable, true},
		{Forbidden, false}, {Refused, false}, {NotFound, false}, {Invalid, false}, {"banana", false},
	} {
		if got := (&Error{Fault: c.fault}).Temporary(); got != c.temporary {
			t.Errorf("%s: Temporary() = %v", c.fault, got)
		}
	}
	e := &Error{Provider: "1kosmos", Op: "fetching a result", Fault: Busy, Status: 429, Detail: "slow down",
		RetryAfter: time.Second, Err: context.DeadlineExceeded}
	if want := "1kosmos: fetching a result: busy: HTTP 429: slow down"; e.Error() != want {
		t.Errorf("%q, want %q", e.Error(), want)
	}
	if !errors.Is(e, context.DeadlineExceeded) {
		t.Error("the cause is lost")
	}
}
