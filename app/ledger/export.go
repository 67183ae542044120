package ledger

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// exportSlice is how many rows of an export are read at once; nothing is open in the file between two slices, so that an export of any length
// keeps nobody from writing, and the WAL from nothing.
const exportSlice = 500

// ExportManifest says what is in an export, and ends it: one without it broke off.
type ExportManifest struct {
	Shop         string           `json:"shop"`
	Began        time.Time        `json:"began"`
	Ended        time.Time        `json:"ended"`
	Lines        map[string]int64 `json:"lines"`         // by file
	ActivityHead string           `json:"activity_head"` // hash of the last line of activity.jsonl
}

// exporter writes one export.
type exporter struct {
	l     *Ledger
	s     *Shop
	file  func(name string) (io.Writer, error)
	lines map[string]int64
}

// Export writes all that a Shop has, as JSON lines, one file for a kind. file begins the next one. Nothing secret is in it: no keys, no tokens, no
// links, no names of proved persons. Each slice is as it was when it was read; what changes meanwhile may be in one file and not in another.
func (l *Ledger) Export(ctx context.Context, s *Shop, file func(name string) (io.Writer, error), now func() time.Time) (ExportManifest, error) {
	x := exporter{l, s, file, map[string]int64{}}
	m := ExportManifest{Shop: s.Hash, Began: now().UTC(), Lines: x.lines}
	for _, part := range []struct {
		name  string
		write func(context.Context, func(any) error) error
	}{{"settings.jsonl", x.settings}, {"policies.jsonl", x.policies}, {"users.jsonl", x.users}, {"lists.jsonl", x.lists}, {"orders.jsonl", x.orders},
		{"requests.jsonl", x.requests}, {"reviews.jsonl", x.reviews}, {"decisions.jsonl", x.decisions}} {
		if err := x.part(ctx, part.name, part.write); err != nil {
			return m, err
		}
	}
	if err := x.sessionsAndProofs(ctx); err != nil {
		return m, err
	}
	w, err := file("activity.jsonl")
	if err != nil {
		return m, err
	}
	count := &lineCounter{w: w}
	if m.ActivityHead, err = l.ExportActivity(ctx, s.Hash, count); err != nil {
		return m, fmt.Errorf("exporting activity.jsonl: %w", err)
	}
	x.lines["activity.jsonl"], m.Ended = count.n, now().UTC()
	return m, nil
}

// lineCounter counts the lines that go through it.
type lineCounter struct {
	w io.Writer
	n int64
}

func (c *lineCounter) Write(b []byte) (int, error) {
	for _, x := range b {
		if x == '\n' {
			c.n++
		}
	}
	return c.w.Write(b)
}

func (x exporter) part(ctx context.Context, name string, write func(context.Context, func(any) error) error) error {
	w, err := x.file(name)
	if err != nil {
		return err
	}
	x.lines[name] = 0
	buffered := bufio.NewWriterSize(w, 64<<10)
	out := json.NewEncoder(buffered)
	err = write(ctx, func(v any) error {
		x.lines[name]++
		return out.Encode(v)
	})
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("exporting %s: %w", name, err)
	}
	return nil
}

// settings are the Shop's own, field by field: what is added to them is exported once somebody has thought about whether it is a secret.
func (x exporter) settings(_ context.Context, put func(any) error) error {
	s, n := x.s, x.s.Settings
	return put(struct {
		Shop          string    `json:"shop"`
		Name          string    `json:"name"`
		Currency      string    `json:"currency"`
		Timezone      string    `json:"timezone"`
		Channels      []Channel `json:"channels"`
		Scopes        []string  `json:"scopes"`
		State         ShopState `json:"state"`
		Policy        int64     `json:"policy_version"`
		EnforcedSince time.Time `json:"enforced_since,omitzero"`
		InstalledAt   time.Time `json:"installed_at"`
		OwnTenant     bool      `json:"own_1kosmos_tenant"`
		Settings      Settings  `json:"settings"`
	}{s.Hash, s.Name, s.Currency, s.Timezone, s.Channels, s.Scopes, s.State, s.Policy.Version, s.EnforcedSince, s.InstalledAt, s.Kosmos != nil,
		Settings{AlarmTo: n.AlarmTo, Texts: n.Texts, Documents: n.Documents, SessionsPerDay: n.SessionsPerDay, ScriptOnAllPages: n.ScriptOnAllPages, ConfirmationScript: n.ConfirmationScript, Staff: n.Staff}})
}

func (x exporter) policies(ctx context.Context, put func(any) error) error {
	type line struct {
		Version int64           `json:"version"`
		Author  string          `json:"author"`
		Note    string          `json:"note,omitempty"`
		SavedAt time.Time       `json:"saved_at"`
		Policy  json.RawMessage `json:"policy"`
	}
	below := int64(math.MaxInt64)
	for {
		rows, err := x.l.read.PolicyVersions(ctx, queries.PolicyVersionsParams{StoreHash: x.s.Hash, Below: below, Count: exportSlice})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := put(line{r.Version, r.Author, r.Note, instant(r.SavedAt), json.RawMessage(r.Body)}); err != nil {
				return err
			}
			below = r.Version
		}
	}
}

func (x exporter) users(ctx context.Context, put func(any) error) error {
	us, err := x.l.Users(ctx, x.s.Hash)
	if err != nil {
		return err
	}
	for _, u := range us {
		err := put(struct {
			ID     int64     `json:"id"`
			Email  string    `json:"email"`
			Role   Role      `json:"role"`
			SeenAt time.Time `json:"seen_at,omitzero"`
		}{u.ID, u.Email, u.Role, u.SeenAt})
		if err != nil {
			return err
		}
	}
	return nil
}

func (x exporter) lists(ctx context.Context, put func(any) error) error {
	for _, list := range []gate.Listing{gate.OnAllowList, gate.OnBlockList} {
		var below ListPlace
		for {
			entries, next, err := x.l.ListPage(ctx, x.s, list, below, exportSlice)
			if err != nil {
				return err
			}
			for _, e := range entries {
				err := put(struct {
					List       gate.Listing `json:"list"`
					CustomerID int64        `json:"customer_id,omitempty"`
					Mailbox    string       `json:"mailbox,omitempty"`
					Hash       string       `json:"mailbox_hash,omitempty"` // of a person who was erased
					Note       string       `json:"note,omitempty"`
					AddedBy    string       `json:"added_by"`
					AddedAt    time.Time    `json:"added_at"`
				}{e.List, e.CustomerID, e.Mailbox, e.Hash, e.Note, e.AddedBy, e.AddedAt})
				if err != nil {
					return err
				}
			}
			if len(entries) < exportSlice {
				break
			}
			below = next
		}
	}
	return nil
}

type exportedOrder struct {
	ID           int64      `json:"order_id"`
	StatusID     int64      `json:"status_id"`
	CustomerID   int64      `json:"customer_id,omitempty"`
	CartID       string     `json:"cart_id,omitempty"`
	Buyer        *Buyer     `json:"buyer,omitempty"`
	MailboxHash  string     `json:"mailbox_hash,omitempty"`
	Value        gate.Money `json:"value"`
	Source       string     `json:"source,omitempty"`
	Digital      bool       `json:"digital,omitempty"`
	PlacedAt     time.Time  `json:"placed_at,omitzero"`
	ModifiedAt   time.Time  `json:"modified_at,omitzero"`
	SeenAt       time.Time  `json:"seen_at"`
	Hold         string     `json:"hold"`
	FormerStatus int64      `json:"former_status"`
	HoldStatus   int64      `json:"hold_status"`
	HeldAt       time.Time  `json:"held_at,omitzero"`
	Holds        int64      `json:"holds"`
	Reheld       int64      `json:"held_again"`
	AlarmedAt    time.Time  `json:"alarmed_at,omitzero"`
	CancelAt     time.Time  `json:"cancel_at,omitzero"`
	Kept         bool       `json:"kept,omitempty"`
	DecisionID   string     `json:"decision_id,omitempty"`
	PersonSays   string     `json:"person_says,omitempty"`
	ErasedAt     time.Time  `json:"erased_at,omitzero"`
}

func (x exporter) orders(ctx context.Context, put func(any) error) error {
	after := int64(0)
	for {
		rows, err := x.l.read.ExportOrders(ctx, queries.ExportOrdersParams{StoreHash: x.s.Hash, After: after, Count: exportSlice})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.OrderID
			n := exportedOrder{ID: r.OrderID, StatusID: r.StatusID, CustomerID: r.CustomerID, CartID: r.CartID, MailboxHash: hex.EncodeToString(r.Mailbox), Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency},
				Source: r.Source, Digital: r.Digital == 1, PlacedAt: instant(r.PlacedAt), ModifiedAt: instant(r.ModifiedAt), SeenAt: instant(r.SeenAt), Hold: r.Hold, FormerStatus: r.FormerStatus,
				HoldStatus: r.HoldStatus, HeldAt: instant(r.HeldAt), Holds: r.Holds, Reheld: r.Reheld, AlarmedAt: instant(r.AlarmedAt), CancelAt: instant(r.CancelAt), Kept: r.Kept == 1,
				DecisionID: r.DecisionID, PersonSays: r.PersonSays, ErasedAt: instant(r.ErasedAt)}
			b, err := openBuyer(x.s, r.OrderID, r.Buyer)
			if err != nil {
				return err
			}
			if b != (Buyer{}) {
				n.Buyer = &b
			}
			if err := put(n); err != nil {
				return err
			}
		}
	}
}

func (x exporter) requests(ctx context.Context, put func(any) error) error {
	after := int64(0)
	for {
		rows, err := x.l.read.ExportRequests(ctx, queries.ExportRequestsParams{StoreHash: x.s.Hash, After: after, Count: exportSlice})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.OrderID
			err := put(struct {
				OrderID int64           `json:"order_id"`
				Require json.RawMessage `json:"require"`
				Hold    bool            `json:"hold"`
				By      string          `json:"by"`
				Why     string          `json:"why"`
				At      time.Time       `json:"at"`
			}{r.OrderID, json.RawMessage(r.Require), r.Hold == 1, r.Person, r.Note, instant(r.MadeAt)})
			if err != nil {
				return err
			}
		}
	}
}

func (x exporter) reviews(ctx context.Context, put func(any) error) error {
	var after ReviewPlace
	for {
		rows, err := x.l.ReviewsPage(ctx, x.s.Hash, "", after, exportSlice)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = ReviewPlace{r.Since, r.Kind, r.Subject}
			err := put(struct {
				Kind    ReviewKind `json:"kind"`
				Subject string     `json:"subject"`
				OrderID int64      `json:"order_id,omitempty"`
				CartID  string     `json:"cart_id,omitempty"`
				Since   time.Time  `json:"since"`
			}{r.Kind, r.Subject, r.OrderID, r.CartID, r.Since})
			if err != nil {
				return err
			}
		}
	}
}

type exportedDecision struct {
	ID          string          `json:"id"`
	Stage       string          `json:"stage"`
	CartID      string          `json:"cart_id,omitempty"`
	OrderID     int64           `json:"order_id,omitempty"`
	CustomerID  int64           `json:"customer_id,omitempty"`
	Outcome     string          `json:"outcome"`
	Mode        string          `json:"mode"`
	MadeBy      string          `json:"made_by"`
	Person      string          `json:"person,omitempty"`
	Note        string          `json:"note,omitempty"`
	Policy      int64           `json:"policy_version"`
	ProofID     string          `json:"proof_id,omitempty"`
	FactsDigest string          `json:"facts_digest"`
	MadeAt      time.Time       `json:"made_at"`
	Stands      bool            `json:"stands"`
	Explanation json.RawMessage `json:"explanation"` // requirement, reasons, every rule
	Receipt     string          `json:"receipt"`     // signed
}

func (x exporter) decisions(ctx context.Context, put func(any) error) error {
	after, afterID := int64(0), ""
	for {
		rows, err := x.l.read.ExportDecisions(ctx, queries.ExportDecisionsParams{StoreHash: x.s.Hash, After: after, AfterID: afterID, Count: exportSlice})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after, afterID = r.MadeAt, r.ID
			err := put(exportedDecision{r.ID, r.Stage, r.CartID, r.OrderID, r.CustomerID, r.Outcome, r.Mode, r.MadeBy, r.Person, r.Note, r.PolicyVersion, r.ProofID,
				hex.EncodeToString(r.FactsDigest), instant(r.MadeAt), r.Stands == 1, json.RawMessage(r.Explanation), r.Receipt})
			if err != nil {
				return err
			}
		}
	}
}

type exportedSession struct {
	ID          string          `json:"id"`
	Provider    string          `json:"provider"`
	Ref         string          `json:"provider_ref"`
	State       string          `json:"state"`
	CartID      string          `json:"cart_id,omitempty"`
	OrderID     int64           `json:"order_id,omitempty"`
	CustomerID  int64           `json:"customer_id,omitempty"`
	MailboxHash string          `json:"mailbox_hash,omitempty"`
	Requirement json.RawMessage `json:"requirement"`
	Policy      int64           `json:"policy_version"`
	Channel     int64           `json:"channel,omitempty"`
	Reason      string          `json:"reason,omitempty"`
	StartedAt   time.Time       `json:"started_at"`
	Deadline    time.Time       `json:"deadline"`
	ChangedAt   time.Time       `json:"changed_at"`
	Late        bool            `json:"late,omitempty"`
}

type exportedProof struct {
	ID          string    `json:"id"`
	SessionID   string    `json:"session_id"`
	CustomerID  int64     `json:"customer_id,omitempty"`
	CartID      string    `json:"cart_id,omitempty"`
	OrderID     int64     `json:"order_id,omitempty"`
	MailboxHash string    `json:"mailbox_hash,omitempty"`
	IAL         int64     `json:"ial"`
	Source      string    `json:"source"`
	Document    bool      `json:"document"`
	Selfie      bool      `json:"selfie"`
	Age         int64     `json:"age"` // whole years then; negative: unknown
	ProvedAt    time.Time `json:"proved_at"`
	GoodUntil   time.Time `json:"good_until"`
	RevokedAt   time.Time `json:"revoked_at,omitzero"`
	RevokedBy   string    `json:"revoked_by,omitempty"`
	RevokedWhy  string    `json:"revoked_why,omitempty"`
}

// sessionsAndProofs reads the Sessions twice, since one file is written after the other, and Proofs are found by their Sessions.
func (x exporter) sessionsAndProofs(ctx context.Context) error {
	if err := x.part(ctx, "sessions.jsonl", func(ctx context.Context, put func(any) error) error {
		return x.eachSessions(ctx, func(rows []queries.ExportSessionsRow) error {
			for _, r := range rows {
				err := put(exportedSession{r.ID, r.Provider, r.ProviderRef, r.State, r.CartID, r.OrderID, r.CustomerID, hex.EncodeToString(r.Mailbox), json.RawMessage(r.Requirement),
					r.PolicyVersion, r.Channel, r.Reason, instant(r.StartedAt), instant(r.Deadline), instant(r.ChangedAt), r.Late == 1})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}); err != nil {
		return err
	}
	return x.part(ctx, "proofs.jsonl", func(ctx context.Context, put func(any) error) error {
		return x.eachSessions(ctx, func(rows []queries.ExportSessionsRow) error {
			ids := []string{}
			for _, r := range rows {
				if r.State == "passed" {
					ids = append(ids, r.ID)
				}
			}
			b, err := json.Marshal(ids)
			if err != nil || len(ids) == 0 {
				return err
			}
			proofs, err := x.l.read.ExportProofs(ctx, queries.ExportProofsParams{StoreHash: x.s.Hash, Sessions: string(b)})
			if err != nil {
				return err
			}
			for _, r := range proofs {
				err := put(exportedProof{r.ID, r.SessionID, r.CustomerID, r.CartID, r.OrderID, hex.EncodeToString(r.Mailbox), r.Ial, r.Source, r.Document == 1, r.Selfie == 1, r.Age,
					instant(r.ProvedAt), instant(r.GoodUntil), instant(r.RevokedAt), r.RevokedBy, r.RevokedWhy})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (x exporter) eachSessions(ctx context.Context, do func([]queries.ExportSessionsRow) error) error {
	after, afterID := int64(0), ""
	for {
		rows, err := x.l.read.ExportSessions(ctx, queries.ExportSessionsParams{StoreHash: x.s.Hash, After: after, AfterID: afterID, Count: exportSlice})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := do(rows); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		after, afterID = last.StartedAt, last.ID
	}
}
