package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"idgate/queries"
)

// Action names what somebody did.
type Action string

// The actions. What idgate does by itself is in Decisions and Writebacks, not here.
const (
	ActInstalled      Action = "shop.installed"
	ActUninstalled    Action = "shop.uninstalled"
	ActPolicySaved    Action = "policy.saved"
	ActOrderReleased  Action = "order.released"
	ActOrderRefused   Action = "order.refused"
	ActOrderKept      Action = "order.kept"
	ActOrderUnkept    Action = "order.unkept"
	ActProofRevoked   Action = "proof.revoked"
	ActSettingsSaved  Action = "settings.saved"
	ActTenantSaved    Action = "tenant.saved"
	ActRoleChanged    Action = "user.role"
	ActUserRemoved    Action = "user.removed"
	ActListed         Action = "list.added"
	ActUnlisted       Action = "list.removed"
	ActCustomerErased Action = "customer.erased"
	ActReplayed       Action = "notices.replayed"
	ActExported       Action = "exported"
	ActCheckRequested Action = "order.check_requested"

	ActEndpointAdded       Action = "endpoint.added"
	ActEndpointSaved       Action = "endpoint.saved"
	ActEndpointPaused      Action = "endpoint.paused"
	ActEndpointResumed     Action = "endpoint.resumed"
	ActEndpointRemoved     Action = "endpoint.removed"
	ActEndpointRotated     Action = "endpoint.rotated"
	ActEndpointOldStopped  Action = "endpoint.old_stopped"
	ActEndpointSecretShown Action = "endpoint.secret_shown"
	ActEndpointResent      Action = "endpoint.resent"
	ActEndpointOff         Action = "endpoint.off" // by idgate itself: it is written down because it lasts until a person acts
	ActRequestWithdrawn    Action = "order.check_withdrawn"
	ActOrderUndone         Action = "order.undone"
	ActOrderAskedAgain     Action = "order.asked_again"
	ActAcknowledged        Action = "review.acknowledged"
	ActCartAllowed         Action = "cart.allowed"
	ActCartRefused         Action = "cart.refused"
	ActCartUndone          Action = "cart.undone"
)

// Activity is one line of what people did in a Shop.
type Activity struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"` // UTC, to the millisecond
	Actor   string    `json:"actor"`
	Action  Action    `json:"action"`
	Subject string    `json:"subject,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Hash    string    `json:"hash"` // hex; SHA-256 over the line before's hash, the Shop and this line without its hash
}

// chained is the hash of a line that comes after prev.
func (a Activity) chained(hash string, prev []byte) []byte {
	a.Hash, a.At = "", a.At.UTC()
	line, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	m := sha256.New()
	m.Write(prev)
	fmt.Fprintf(m, "%s\n", hash)
	m.Write(line)
	return m.Sum(nil)
}

type actorKey struct{}

// WithActor says in whose name verbs are called: a user of the Shop. Without it they are idgate's own.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) string {
	if a, ok := ctx.Value(actorKey{}).(string); ok && a != "" {
		return a
	}
	return "idgate"
}

// act adds a line in the same transaction as what was done.
func (t *tx) act(ctx context.Context, hash string, a Action, subject, detail string, now time.Time) error {
	last, err := found(t.LastActivity(ctx, hash))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	n := Activity{Seq: last.Seq + 1, At: instant(millis(now)), Actor: t.actor, Action: a, Subject: subject, Detail: detail}
	return t.AddActivity(ctx, queries.AddActivityParams{StoreHash: hash, Seq: n.Seq, At: millis(n.At), Actor: n.Actor, Action: string(a), Subject: subject,
		Detail: detail, Hash: n.chained(hash, last.Hash)})
}

// RecordActivity adds a line about something that changes nothing in the ledger, such as an export.
func (l *Ledger) RecordActivity(ctx context.Context, hash string, a Action, subject, detail string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error { return t.act(ctx, hash, a, subject, detail, now) })
}

// ActivityPage lists lines below a number (0: from the top), newest first.
func (l *Ledger) ActivityPage(ctx context.Context, hash string, below int64, count int) ([]Activity, error) {
	if below <= 0 {
		below = math.MaxInt64
	}
	rows, err := l.read.ActivityPage(ctx, queries.ActivityPageParams{StoreHash: hash, Below: below, Count: int64(count)})
	out := make([]Activity, len(rows))
	for i, r := range rows {
		out[i] = openActivity(queries.ActivityFromRow(r))
	}
	return out, err
}

func openActivity(r queries.ActivityFromRow) Activity {
	return Activity{Seq: r.Seq, At: instant(r.At), Actor: r.Actor, Action: Action(r.Action), Subject: r.Subject, Detail: r.Detail, Hash: hex.EncodeToString(r.Hash)}
}

// ExportActivity writes all of a Shop's lines as JSON lines, the first one first, and returns the head: the last line's hash.
func (l *Ledger) ExportActivity(ctx context.Context, hash string, w io.Writer) (head string, err error) {
	out, above := json.NewEncoder(w), int64(0)
	for {
		rows, err := l.read.ActivityFrom(ctx, queries.ActivityFromParams{StoreHash: hash, Above: above, Count: 500})
		if err != nil || len(rows) == 0 {
			return head, err
		}
		for _, r := range rows {
			a := openActivity(r)
			if err := out.Encode(a); err != nil {
				return head, err
			}
			above, head = a.Seq, a.Hash
		}
	}
}

// maxActivityLine bounds a line of an export.
const maxActivityLine = 64 << 10

// VerifyActivity reads an export of a Shop's activity and returns its length and head. The error names the first line that was changed, put
// in or taken out. Lines that were cut off at the end show only by comparing the head with one that was noted elsewhere.
func VerifyActivity(hash string, r io.Reader) (lines int64, head string, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxActivityLine)
	var prev []byte
	for s.Scan() {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		var a Activity
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&a); err != nil {
			return lines, head, fmt.Errorf("after line %d: this is no line of an activity export: %w", lines, err)
		}
		if a.Seq != lines+1 {
			return lines, head, fmt.Errorf("line %d is missing: after it comes %d", lines+1, a.Seq)
		}
		sum := a.chained(hash, prev)
		if hex.EncodeToString(sum) != a.Hash {
			return lines, head, fmt.Errorf("line %d does not continue the chain: it or an earlier one was changed, or it is another shop's", a.Seq)
		}
		prev, head, lines = sum, a.Hash, a.Seq
	}
	if err := s.Err(); err != nil {
		return lines, head, fmt.Errorf("reading after line %d: %w", lines, err)
	}
	return lines, head, nil
}
