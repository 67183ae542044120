package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"idgate/queries"
)

// StaffMails says who of a Shop's staff is mailed, and about what. The zero value mails nobody.
//
// The mailboxes are data of the merchant's own people, as the users' are: they stand in the clear, like the rest of the settings, are destroyed
// with the Shop, and are in no other row: a Writeback names a mailbox by its keyed hash.
type StaffMails struct {
	To     []string       `json:"to,omitempty"`     // mailboxes, MaxStaff at most
	Alarms []AlarmKind    `json:"alarms,omitempty"` // what they are told of at once
	Digest DigestInterval `json:"digest,omitempty"`
}

// wants reports whether somebody is to be told of alarms of a kind.
func (n StaffMails) wants(k AlarmKind) bool { return len(n.To) > 0 && slices.Contains(n.Alarms, k) }

// MaxStaff is how many mailboxes of staff a Shop may name.
const MaxStaff = 5

// AlarmKind names what staff may be told of at once.
type AlarmKind string

// The kinds.
const (
	OrderAlarm   AlarmKind = "orders"  // an order left our hold by somebody's hand, or was gone unproven when it was found
	BudgetAlarm  AlarmKind = "budget"  // the Shop's Sessions of 24 hours are used up, and one was refused
	TroubleAlarm AlarmKind = "trouble" // something that idgate cannot mend itself
	ReviewAlarm  AlarmKind = "review"  // something waits for a person
)

// AlarmKinds lists the kinds.
func AlarmKinds() []AlarmKind { return []AlarmKind{OrderAlarm, ReviewAlarm, TroubleAlarm, BudgetAlarm} }

// What happened, beside the ReviewKinds, the WritebackKinds (one that is stuck) and, after AlarmScope, a permission's name.
const (
	AlarmHeldAgain = "held_again"    // an order that somebody had moved off our hold was held once more
	AlarmBudget    = "budget"        //
	AlarmNotice    = "notice"        // a Notice could not be handled
	AlarmToken     = "token_refused" // BigCommerce refuses our token
	AlarmEndpoint  = "endpoint_off"  // an endpoint of outbound webhooks was switched off
	AlarmScope     = "scope:"        // a permission is missing
)

// Alarms of a kind are put together in one mail.
const (
	alarmGather = 30 * time.Second // the first of them waits so long for others: what goes wrong seldom comes alone
	alarmEvery  = 15 * time.Minute // from one mail to the next of its kind
	alarmNamed  = 50               // alarms that a mail names; of the others it says how many there are
	budgetAgain = 24 * time.Hour   // for so long nobody is told again that the budget is spent
)

// StaffAlarm is one thing that staff are told of.
type StaffAlarm struct {
	What    string
	OrderID int64 // 0: it is about no order
	At      time.Time
}

// alarm records what staff are to be told of, in the transaction of its cause. The same cause is told once. Where nobody wants to be told
// nothing is stored.
func (t *tx) alarm(ctx context.Context, hash string, kind AlarmKind, cause, what string, orderID int64, now time.Time) error {
	r, err := found(t.Shop(ctx, hash))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var n Settings
	if err := json.Unmarshal([]byte(r.Settings), &n); err != nil {
		return fmt.Errorf("reading the settings of shop %s: %w", hash, err)
	}
	if ShopState(r.State) == Uninstalled || !n.Staff.wants(kind) {
		return nil
	}
	t.ring = append(t.ring, StaffBell)
	_, err = t.AddStaffAlarm(ctx, queries.AddStaffAlarmParams{StoreHash: hash, Kind: string(kind), Cause: cause, What: what, OrderID: orderID, Now: millis(now)})
	return err
}

// alarmHold records an order that left our hold by somebody's hand, or was found gone.
func (t *tx) alarmHold(ctx context.Context, hash string, e EventType, orderID, holds int64, now time.Time) error {
	what := string(WasMoved)
	switch e {
	case OrderMoved:
	case OrderLeaked:
		what = string(WasLeaked)
	default:
		return nil
	}
	return t.alarm(ctx, hash, OrderAlarm, fmt.Sprintf("%s/%d/%d", what, orderID, holds), what, orderID, now)
}

// alarmReview records that something has begun to wait for a person. What was moved or leaked is an alarm of its own.
func (t *tx) alarmReview(ctx context.Context, hash string, kind ReviewKind, subject string, now time.Time) error {
	if kind == WasMoved || kind == WasLeaked {
		return nil
	}
	r, err := found(t.Review(ctx, queries.ReviewParams{StoreHash: hash, Kind: string(kind), Subject: subject}))
	if err != nil {
		return err
	}
	return t.alarm(ctx, hash, ReviewAlarm, fmt.Sprintf("%s/%s/%d", kind, subject, r.Since), string(kind), r.OrderID, now) // one that waited already was told
}

// alarmStuck records a Writeback that is stuck. That a mail to staff is, no mail to staff can tell.
func (t *tx) alarmStuck(ctx context.Context, w Writeback, now time.Time) error {
	orderID := w.Subject
	switch w.Kind {
	case CustomerAttributes, CustomerFieldsV2, ProofMetafield:
		orderID = 0
	case Mail:
		if w.Subject == 0 {
			return nil
		}
	case Hold, Release, Cancel, Note, CancelNote, DecisionMetafield:
	}
	return t.alarm(ctx, w.Shop, TroubleAlarm, fmt.Sprintf("writeback/%d/%d/%d", w.ID, w.Attempt, millis(now)), string(w.Kind), orderID, now)
}

// alarmScopes records the permissions that a reconciliation misses and the one before it did not.
func (t *tx) alarmScopes(ctx context.Context, hash string, before string, report json.RawMessage, now time.Time) error {
	var was, is struct {
		Missing []string `json:"missing_scopes"`
	}
	if err := json.Unmarshal(report, &is); err != nil {
		return fmt.Errorf("reading the installation report of shop %s: %w", hash, err)
	}
	_ = json.Unmarshal([]byte(before), &was) // one that cannot be read says nothing, and is replaced
	for _, scope := range is.Missing {
		if slices.Contains(was.Missing, scope) {
			continue
		}
		if err := t.alarm(ctx, hash, TroubleAlarm, fmt.Sprintf("scope/%s/%d", scope, millis(now)), AlarmScope+scope, 0, now); err != nil {
			return err
		}
	}
	return nil
}

// AlarmBudget records that a Session was refused because the Shop's are used up: once a day.
func (l *Ledger) AlarmBudget(ctx context.Context, s *Shop, now time.Time) error {
	p := queries.StaffAlarmsSinceParams{StoreHash: s.Hash, Kind: string(BudgetAlarm), Since: millis(now.Add(-budgetAgain)), Now: millis(now)}
	if !s.Settings.Staff.wants(BudgetAlarm) {
		return nil
	}
	if told, err := l.read.StaffAlarmsSince(ctx, p); err != nil || told {
		return err // somebody who fills carts costs no transaction each
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		if told, err := t.StaffAlarmsSince(ctx, p); err != nil || told {
			return err
		}
		return t.alarm(ctx, s.Hash, BudgetAlarm, fmt.Sprintf("budget/%d", millis(now)), AlarmBudget, 0, now)
	})
}

// staffMail begins the ref of every mail to staff that is made here, and its Writeback is about no order: its subject is 0.
const staffMail = "team_"

// StaffDigest is the digest, among the kinds of mails to staff.
const StaffDigest = "digest"

// StaffRef is what the ref of a mail to staff says: "team_", its kind, "-", which mail, "#", to whom.
type StaffRef struct {
	Kind string // an AlarmKind, or StaffDigest
	Mail string // of alarms, which mail tells them; of a digest, its interval and its day
	To   string // the mailbox, as staffBox names it
}

// ParseStaffRef reads the ref of a mail; ok is false for one that is not to staff.
func ParseStaffRef(ref string) (n StaffRef, ok bool) {
	rest, ok := strings.CutPrefix(ref, staffMail)
	if !ok {
		return n, false
	}
	rest, n.To, _ = strings.Cut(rest, "#")
	n.Kind, n.Mail, _ = strings.Cut(rest, "-")
	return n, true
}

// StaffMailbox is the mailbox that a ref names, as long as the Shop's settings name it too.
func (s *Shop) StaffMailbox(n StaffRef) (string, bool) {
	i := slices.IndexFunc(s.Settings.Staff.To, func(to string) bool { return s.staffBox(to) == n.To })
	if i < 0 {
		return "", false
	}
	return s.Settings.Staff.To[i], true
}

// staffBox names a mailbox of staff by its keyed hash.
func (s *Shop) staffBox(mailbox string) string { return s.MailboxHash(mailbox)[:12] }

// oweStaff owes a mail to each of the Shop's staff.
func (t *tx) oweStaff(ctx context.Context, s *Shop, to []string, kind, mail string, now time.Time) error {
	for _, mailbox := range to {
		if err := oweOnce(ctx, t, s.Hash, Mail, 0, staffMail+kind+"-"+mail+"#"+s.staffBox(mailbox), now); err != nil {
			return err
		}
	}
	return nil
}

// alarmsDue reports whether it is time for a mail about the alarms of a kind: how long the oldest has waited, and when the last mail was.
// A clock that was set back makes nothing wait for longer.
func alarmsDue(oldest, last int64, now time.Time) bool {
	recent := func(at int64, d time.Duration) bool { return at <= millis(now) && millis(now)-at < d.Milliseconds() }
	return !recent(oldest, alarmGather) && (last == 0 || !recent(last, alarmEvery))
}

// MailAlarms owes the staff of a Shop the mails about what has happened, of each kind one, and says how many kinds.
func (l *Ledger) MailAlarms(ctx context.Context, s *Shop, now time.Time) (kinds int, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		kinds = 0
		is, err := l.settingsNow(ctx, t, s.Hash)
		if err != nil {
			return err
		}
		for _, k := range AlarmKinds() {
			oldest, err := t.OldestStaffAlarm(ctx, queries.OldestStaffAlarmParams{StoreHash: s.Hash, Kind: string(k)})
			if err != nil || len(oldest) == 0 {
				if err != nil {
					return err
				}
				continue
			}
			last, err := t.LastStaffMail(ctx, queries.LastStaffMailParams{StoreHash: s.Hash, Kind: string(k), Now: millis(now)})
			if err != nil {
				return err
			}
			if is.Staff.wants(k) && !alarmsDue(oldest[0], last, now) {
				continue
			}
			if err := t.mailAlarms(ctx, s, is.Staff, k, now); err != nil {
				return err
			}
			kinds++
		}
		return nil
	})
	return kinds, err
}

func (l *Ledger) settingsNow(ctx context.Context, t *tx, hash string) (n Settings, err error) {
	r, err := found(t.Shop(ctx, hash))
	if err != nil {
		return n, err
	}
	err = json.Unmarshal([]byte(r.Settings), &n)
	return n, err
}

func (t *tx) mailAlarms(ctx context.Context, s *Shop, to StaffMails, k AlarmKind, now time.Time) error {
	if !to.wants(k) {
		_, err := t.DropStaffAlarms(ctx, queries.DropStaffAlarmsParams{StoreHash: s.Hash, Kind: string(k)})
		return err
	}
	causes, err := t.NextStaffAlarms(ctx, queries.NextStaffAlarmsParams{StoreHash: s.Hash, Kind: string(k), Count: alarmNamed})
	if err != nil {
		return err
	}
	// Made of what it tells: should the ledger lose it, the same mail is owed under the same name.
	sum := sha256.Sum256([]byte("idgate alarms\x00" + s.Hash + "\x00" + string(k) + "\x00" + strings.Join(causes, "\x00")))
	mail := hex.EncodeToString(sum[:8])
	if _, err := t.MailStaffAlarms(ctx, queries.MailStaffAlarmsParams{StoreHash: s.Hash, Kind: string(k), Mail: mail, Now: millis(now)}); err != nil {
		return err
	}
	return t.oweStaff(ctx, s, to.To, string(k), mail, now)
}

// AlarmsOf are the alarms that a mail tells of, the oldest first, up to 50, and how many there are.
func (l *Ledger) AlarmsOf(ctx context.Context, hash, mail string) (out []StaffAlarm, all int64, err error) {
	rows, err := l.read.StaffMailAlarms(ctx, queries.StaffMailAlarmsParams{StoreHash: hash, Mail: mail, Count: alarmNamed})
	if err != nil {
		return nil, 0, err
	}
	for _, r := range rows {
		out = append(out, StaffAlarm{What: r.What, OrderID: r.OrderID, At: instant(r.At)})
	}
	all, err = l.read.CountStaffMailAlarms(ctx, queries.CountStaffMailAlarmsParams{StoreHash: hash, Mail: mail})
	return out, all, err
}

// DueStaff lists the Shops whose staff are to be mailed now: about alarms, a digest, or because a mail to them is due.
func (l *Ledger) DueStaff(ctx context.Context, now time.Time) ([]string, error) {
	due := map[string]bool{}
	for hash, s := range *l.shops.Load() {
		if _, ok := s.DigestDue(now); ok {
			due[hash] = true
		}
	}
	waiting, err := l.read.WaitingStaffAlarms(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range waiting {
		last, err := l.read.LastStaffMail(ctx, queries.LastStaffMailParams{StoreHash: r.StoreHash, Kind: r.Kind, Now: millis(now)})
		if err != nil {
			return nil, err
		}
		due[r.StoreHash] = due[r.StoreHash] || alarmsDue(r.Oldest, last, now)
	}
	mails, err := l.read.ShopsWithDueStaffMails(ctx, millis(now))
	for _, hash := range mails {
		due[hash] = true
	}
	var out []string
	for hash, is := range due {
		if is {
			out = append(out, hash)
		}
	}
	slices.Sort(out)
	return out, err
}

// LeaseStaffMails takes up to count of a Shop's due mails to its staff.
func (l *Ledger) LeaseStaffMails(ctx context.Context, hash string, now, until time.Time, count int) (out []Writeback, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		rows, err := t.LeaseStaffMails(ctx, queries.LeaseStaffMailsParams{StoreHash: hash, Now: millis(now), LeaseUntil: millis(until), Count: int64(count)})
		for _, r := range rows {
			out = append(out, Writeback{r.ID, r.StoreHash, WritebackKind(r.Kind), r.Subject, r.Ref, r.Attempt, r.HandedAt != 0, r.DueAt})
		}
		return err
	})
	return out, err
}
