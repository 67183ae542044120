package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"idgate/app/ledger"
)

// A full disk is not the caller's fault and passes: whoever sent a webhook is to send it again.
func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{fmt.Errorf("storing: %w", &ledger.DiskError{Path: "/data/idgate.db", Remedy: "make room", Err: errors.New("disk full")}), http.StatusServiceUnavailable, "busy"},
		{ledger.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{ledger.ErrClosed, http.StatusServiceUnavailable, "busy"},
		{fmt.Errorf("reading: %w", ledger.ErrNotFound), http.StatusNotFound, "not_found"},
		{context.Canceled, statusClientGone, "client_gone"},
		{errors.New("a secret of ours"), http.StatusInternalServerError, "internal"},
	} {
		if p := classify(tt.err); p.status != tt.status || p.code != tt.code {
			t.Errorf("%v: %d %s, want %d %s", tt.err, p.status, p.code, tt.status, tt.code)
		}
	}
}
