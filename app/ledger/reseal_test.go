package ledger

import (
	"context"
	"strings"
	"testing"
)

// TestNewOperatorKey: after one start with a new key above the old one, the old one is no longer needed.
func TestNewOperatorKey(t *testing.T) {
	r := newRig(t)
	keys := func(lines ...string) func(*Options) {
		return func(o *Options) { o.Keyring = parsedKeyring(t, lines...) }
	}
	token, jwks := r.shop().Token, string(r.l.JWKS())
	r.ok(r.l.Close())
	r.open(keys(operatorLine(2), operatorLine(1)))
	if !strings.Contains(r.log.String(), "sealed anew") {
		t.Errorf("nothing was sealed anew: %s", r.log)
	}
	r.ok(r.l.Close())
	r.open(keys(operatorLine(2)))
	if got := r.shop().Token; got != token {
		t.Errorf("the token is %q, was %q", got, token)
	}
	if got := string(r.l.JWKS()); got != jwks {
		t.Errorf("other receipts' keys: %s", got)
	}
	r.ok(r.l.Close())
	o := options(r.path, r.log)
	if l, err := Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "right operator key") {
		t.Errorf("the old key alone still opens: %v %v", l, err)
	}
	r.open(keys(operatorLine(2)))
}
