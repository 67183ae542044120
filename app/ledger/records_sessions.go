package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// SessionFilter says which Sessions are listed. Of the first three at least one matches where one is given; everything else has to.
type SessionFilter struct {
	OrderID    int64  // with those of the cart that became it
	CustomerID int64  // an account's
	Mailbox    string // keyed hash

	States  []idv.State // any of them; none: all
	Late    bool        // passed too late only
	IAL     int         // of the Proof made; -1: whatever
	Source  string      // of that level; "": whatever
	Channel int64       // storefront it was begun in; 0: whichever
	From    time.Time   // begun then or later; zero: whenever
	To      time.Time   // begun before; zero: whenever
}

func (f SessionFilter) searches() bool {
	return f.OrderID != 0 || f.CustomerID != 0 || f.Mailbox != ""
}

// SessionLine is a Session for lists.
type SessionLine struct {
	Session          // without its link, requirement and Capability
	IAL       int    // of the Proof it made; -1: none
	Source    string // who says so
	GoodUntil time.Time
	Revoked   bool
	SubjectID int64 // the order it was for, or that its cart became; 0: none yet
}

var levelSources = []string{gate.SourcePolicy, "oidc", "ial_endpoint", "ial2_workflow"}

// SessionsBy lists one page of the Sessions that a filter wants.
func (l *Ledger) SessionsBy(ctx context.Context, s *Shop, f SessionFilter, at Place, count int) (Page[SessionLine], error) {
	lists, pick, err := l.sessionLists(ctx, s, f)
	if err != nil {
		return Page[SessionLine]{}, err
	}
	c, err := paged(ctx, lists, at, at.ID, count, pick)
	if err != nil {
		return Page[SessionLine]{}, err
	}
	out := Page[SessionLine]{Older: textCursor(c.older), Newer: textCursor(c.newer), Far: c.far}
	out.Rows, err = l.sessionLines(ctx, s.Hash, c.keys)
	return out, err
}

func textCursor(k key[string]) Cursor {
	if k.at == 0 || k.at == math.MaxInt64 {
		return Cursor{}
	}
	return Cursor{Before: instant(k.at), ID: k.id}
}

// sessionLists are the indexes' lists that together have what the filter wants, and what is to be picked from them; nil: all.
func (l *Ledger) sessionLists(ctx context.Context, s *Shop, f SessionFilter) (lists []keys[string], pick func([]key[string]) ([]key[string], error), err error) {
	wants := func(r queries.SessionTraitsRow) bool {
		return (len(f.States) == 0 || slices.Contains(f.States, idv.State(r.State))) && (!f.Late || r.Late == 1) && (f.IAL < 0 || r.Ial == int64(f.IAL)) &&
			(f.Source == "" || r.Source == f.Source) && (f.Channel == 0 || r.Channel == f.Channel)
	}
	traits := func(ks []key[string]) ([]key[string], error) {
		rows, err := l.read.SessionTraits(ctx, queries.SessionTraitsParams{StoreHash: s.Hash, Ids: ids(ks)})
		wanted := map[string]bool{}
		for _, r := range rows {
			wanted[r.ID] = wants(r)
		}
		return slices.DeleteFunc(ks, func(k key[string]) bool { return !wanted[k.id] }), err
	}
	since, until := span(f.From, f.To)
	levels, states, channel := f.IAL >= 0 || f.Source != "", len(f.States) > 0, f.Channel != 0
	switch {
	case f.searches():
		cart := ""
		if f.OrderID != 0 {
			o, err := found(l.read.Order(ctx, queries.OrderParams{StoreHash: s.Hash, OrderID: f.OrderID}))
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, nil, err
			}
			cart = o.CartID
		}
		if levels || states || f.Late || channel {
			pick = traits
		}
		return []keys[string]{l.foundSessions(s.Hash, f, cart, since, until)}, pick, nil
	case f.Late:
		if levels || states || channel {
			pick = traits
		}
		return []keys[string]{l.lateSessions(s.Hash, since, until)}, pick, nil
	case levels:
		if states || channel {
			pick = traits
		}
		for _, source := range levelSources {
			for ial := range int64(4) {
				if (f.Source == "" || f.Source == source) && (f.IAL < 0 || int64(f.IAL) == ial) {
					lists = append(lists, l.levelSessions(s.Hash, source, ial, since, until))
				}
			}
		}
		return lists, pick, nil
	case states:
		for _, state := range f.States {
			lists = append(lists, l.stateSessions(s.Hash, state, since, until))
		}
		if channel {
			pick = traits
		}
		return lists, pick, nil
	case channel:
		return []keys[string]{l.channelSessions(s.Hash, f.Channel, since, until)}, nil, nil
	}
	return []keys[string]{l.allSessions(s.Hash, since, until)}, nil, nil
}

// lastID is after every id of a Session: they are made of hexadecimal digits and hyphens.
const lastID = "~"

func (l *Ledger) allSessions(hash string, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.SessionKeysNewer(ctx, queries.SessionKeysNewerParams{StoreHash: hash, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.SessionKeysNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.SessionKeysOlder(ctx, queries.SessionKeysOlderParams{StoreHash: hash, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.SessionKeysOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

func (l *Ledger) stateSessions(hash string, state idv.State, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.SessionKeysByStateNewer(ctx, queries.SessionKeysByStateNewerParams{StoreHash: hash, State: string(state), Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.SessionKeysByStateNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.SessionKeysByStateOlder(ctx, queries.SessionKeysByStateOlderParams{StoreHash: hash, State: string(state), Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.SessionKeysByStateOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

func (l *Ledger) levelSessions(hash, source string, ial, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.SessionKeysByLevelNewer(ctx, queries.SessionKeysByLevelNewerParams{StoreHash: hash, Source: source, Ial: ial, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.SessionKeysByLevelNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.SessionKeysByLevelOlder(ctx, queries.SessionKeysByLevelOlderParams{StoreHash: hash, Source: source, Ial: ial, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.SessionKeysByLevelOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

func (l *Ledger) lateSessions(hash string, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.SessionKeysLateNewer(ctx, queries.SessionKeysLateNewerParams{StoreHash: hash, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.SessionKeysLateNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.SessionKeysLateOlder(ctx, queries.SessionKeysLateOlderParams{StoreHash: hash, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.SessionKeysLateOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

func (l *Ledger) channelSessions(hash string, channel, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.SessionKeysByChannelNewer(ctx, queries.SessionKeysByChannelNewerParams{StoreHash: hash, Channel: channel, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.SessionKeysByChannelNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.SessionKeysByChannelOlder(ctx, queries.SessionKeysByChannelOlderParams{StoreHash: hash, Channel: channel, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.SessionKeysByChannelOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

func (l *Ledger) foundSessions(hash string, f SessionFilter, cart string, since, until int64) keys[string] {
	return func(ctx context.Context, newer bool, from key[string], n int64) ([]key[string], error) {
		if newer {
			at, id := above(from, since, lastID)
			rows, err := l.read.FoundSessionKeysNewer(ctx, queries.FoundSessionKeysNewerParams{StoreHash: hash, OrderID: f.OrderID, CartID: cart, CustomerID: f.CustomerID,
				Mailbox: unhex(f.Mailbox), Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.FoundSessionKeysNewerRow) key[string] { return key[string]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.FoundSessionKeysOlder(ctx, queries.FoundSessionKeysOlderParams{StoreHash: hash, OrderID: f.OrderID, CartID: cart, CustomerID: f.CustomerID,
			Mailbox: unhex(f.Mailbox), Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.FoundSessionKeysOlderRow) key[string] { return key[string]{r.At, r.ID} }), err
	}
}

// sessionLines reads what lists say of these Sessions, in their order. One that was deleted meanwhile is left out.
func (l *Ledger) sessionLines(ctx context.Context, hash string, ks []key[string]) ([]SessionLine, error) {
	if len(ks) == 0 {
		return nil, nil
	}
	rows, err := l.read.SessionLines(ctx, queries.SessionLinesParams{StoreHash: hash, Ids: ids(ks)})
	if err != nil {
		return nil, err
	}
	known := map[string]SessionLine{}
	for _, r := range rows {
		known[r.ID] = SessionLine{Session: Session{ID: r.ID, Shop: hash, State: idv.State(r.State), Reason: r.Reason, CartID: r.CartID, CustomerID: r.CustomerID,
			StartedAt: instant(r.StartedAt), ChangedAt: instant(r.ChangedAt), Late: r.Late == 1, Trouble: r.Trouble},
			IAL: int(r.Ial), Source: r.Source, GoodUntil: instant(r.GoodUntil), Revoked: r.RevokedAt != 0, SubjectID: r.OrderID}
	}
	var out []SessionLine
	for _, k := range ks {
		if n, ok := known[k.id]; ok {
			out = append(out, n)
		}
	}
	return out, nil
}

// SessionLine returns one Session of the Shop as lists have it, or ErrNotFound.
func (l *Ledger) SessionLine(ctx context.Context, hash, id string) (SessionLine, error) {
	lines, err := l.sessionLines(ctx, hash, []key[string]{{0, id}})
	if err == nil && len(lines) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return SessionLine{}, err
	}
	return lines[0], nil
}

// StateChange is a Session's coming into a state.
type StateChange struct {
	State idv.State
	At    time.Time
}

// SessionMoves lists a Session's states, oldest first. Of one that ended before changes were recorded only the first and the last are known.
func (l *Ledger) SessionMoves(ctx context.Context, hash, id string) ([]StateChange, error) {
	r, err := found(l.read.SessionMoves(ctx, queries.SessionMovesParams{ID: id, StoreHash: hash}))
	if err != nil {
		return nil, err
	}
	var moves [][2]json.RawMessage
	if err := json.Unmarshal([]byte(r.Moves), &moves); err != nil {
		return nil, fmt.Errorf("reading the states of session %s: %w", id, err)
	}
	out := []StateChange{{idv.StateCreated, instant(r.StartedAt)}}
	for _, m := range moves {
		var at int64
		var state idv.State
		if err := errors.Join(json.Unmarshal(m[0], &at), json.Unmarshal(m[1], &state)); err != nil {
			return nil, fmt.Errorf("reading the states of session %s: %w", id, err)
		}
		out = append(out, StateChange{state, instant(at)})
	}
	if last := out[len(out)-1]; last.State != idv.State(r.State) {
		out = append(out, StateChange{idv.State(r.State), instant(r.ChangedAt)})
	}
	return out, nil
}
