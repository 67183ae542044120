package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// LookAtOnce is how many rows are looked at for one page where no index knows which of them it wants.
const LookAtOnce = 2000

// Place is where a page of a list begins: older than a row, or newer. The zero Place is the newest page.
type Place struct {
	Cursor
	Newer bool
}

// Page is one page of a list, newest first.
type Page[T any] struct {
	Rows  []T
	Older Cursor // place of the next page; zero: this is the last one
	Newer Cursor // place of the page before; zero: this is the newest
	Far   bool   // looking stopped after LookAtOnce rows: further back there may be more
}

// key is a row's place in a list.
type key[K cmp.Ordered] struct {
	at int64
	id K
}

func compareKeys[K cmp.Ordered](a, b key[K]) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
}

// keys reads at most n places beyond one, in the direction of the list that is read.
type keys[K cmp.Ordered] func(ctx context.Context, newer bool, from key[K], n int64) ([]key[K], error)

// merged is the first n places of several lists in one: each list's first n are among what is merged.
func merged[K cmp.Ordered](ctx context.Context, lists []keys[K], newer bool, from key[K], n int64) ([]key[K], error) {
	var out []key[K]
	for _, list := range lists {
		some, err := list(ctx, newer, from, n)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	slices.SortFunc(out, func(a, b key[K]) int {
		if newer {
			a, b = b, a
		}
		return compareKeys(b, a)
	})
	out = slices.Compact(out)
	return out[:min(int64(len(out)), n)], nil
}

// chosen is a page's places, newest first, and what surrounds it.
type chosen[K cmp.Ordered] struct {
	keys         []key[K]
	older, newer key[K] // the zero key: there are none
	far          bool
}

// choose reads the places of one page of count rows beyond from. pick, where there is one, says which of some places the page wants; then
// no more than LookAtOnce are looked at.
func choose[K cmp.Ordered](ctx context.Context, lists []keys[K], newer bool, from key[K], count int, pick func([]key[K]) ([]key[K], error)) (c chosen[K], err error) {
	none, began := key[K]{}, from
	var kept []key[K]
	looked, end := 0, false
	for !end && len(kept) <= count && looked < LookAtOnce {
		n := count + 1
		if pick != nil {
			n = min(max(n, looked), LookAtOnce-looked) // as much again as so far
		}
		some, err := merged(ctx, lists, newer, from, int64(n))
		if err != nil {
			return c, err
		}
		if end = len(some) < n; len(some) > 0 {
			from = some[len(some)-1]
		}
		looked += len(some)
		if pick != nil {
			if some, err = pick(some); err != nil {
				return c, err
			}
		}
		kept = append(kept, some...)
	}
	next := none
	switch {
	case len(kept) > count:
		kept = kept[:count]
		next = kept[count-1]
	case !end:
		next, c.far = from, true
	}
	c.keys = kept
	if !newer {
		c.older = next
		if len(kept) > 0 {
			c.newer = kept[0]
		} else {
			c.newer = began
		}
		return c, nil
	}
	slices.Reverse(c.keys)
	c.newer, c.older = next, began
	if len(kept) > 0 {
		c.older = c.keys[len(kept)-1]
	}
	return c, nil
}

// paged reads one page: from the top, older than a place or newer. A page of newer rows that is not full is the newest one, read anew from
// the top, so that it is full.
func paged[K cmp.Ordered](ctx context.Context, lists []keys[K], at Place, id K, count int, pick func([]key[K]) ([]key[K], error)) (chosen[K], error) {
	top := key[K]{at: math.MaxInt64}
	if at.Before.IsZero() {
		c, err := choose(ctx, lists, false, top, count, pick)
		c.newer = key[K]{}
		return c, err
	}
	from := key[K]{millis(at.Before), id}
	if !at.Newer {
		return choose(ctx, lists, false, from, count, pick)
	}
	c, err := choose(ctx, lists, true, from, count, pick)
	if err != nil || len(c.keys) == count || c.far {
		return c, err
	}
	c, err = choose(ctx, lists, false, top, count, pick)
	c.newer = key[K]{}
	return c, err
}

// ids is what queries take that read some rows: a JSON array.
func ids[K cmp.Ordered](ks []key[K]) string {
	all := make([]K, len(ks))
	for i, k := range ks {
		all[i] = k.id
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // texts and integers always marshal
	}
	return string(b)
}

// span is a list's bounds of time as queries take them.
func span(from, to time.Time) (since, until int64) {
	if until = millis(to); until == 0 {
		until = math.MaxInt64
	}
	return millis(from), until
}

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

// below is where a list that goes back begins: at the place, or at the end of the span.
func below[K cmp.Ordered](from key[K], until int64) (int64, K) {
	if from.at >= until {
		var first K // before every id: nothing of the moment itself
		return until, first
	}
	return from.at, from.id
}

// above is where a list that goes forward begins: at the place, or at the beginning of the span. last is after every id.
func above[K cmp.Ordered](from key[K], since int64, last K) (int64, K) {
	if from.at < since {
		return since - 1, last
	}
	return from.at, from.id
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

func convert[R, T any](rows []R, f func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
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

// OrdersOfProof lists the newest orders that a Proof allowed at some time, at most 50.
func (l *Ledger) OrdersOfProof(ctx context.Context, hash, proofID string) ([]int64, error) {
	return l.read.OrdersOfProof(ctx, queries.OrdersOfProofParams{StoreHash: hash, ProofID: proofID})
}

// OrderFilter says which orders are listed. Of the first two at least one matches where one is given; everything else has to.
type OrderFilter struct {
	CustomerID int64
	Mailbox    string // keyed hash

	Holds   []HoldState // any of them; none: all
	Answers []string    // any of them, as AnswerOf says; none: all
	Source  string
	Channel int64
	From    time.Time // placed then or later; zero: whenever
	To      time.Time // placed before; zero: whenever
}

// OrdersBy lists one page of the orders that a filter wants, with their latest Decisions.
func (l *Ledger) OrdersBy(ctx context.Context, s *Shop, f OrderFilter, at Place, count int) (Page[OrderLine], error) {
	lists, pick := l.orderLists(ctx, s, f)
	id := int64(0)
	if at.ID != "" {
		var err error
		if id, err = strconv.ParseInt(at.ID, 10, 64); err != nil {
			return Page[OrderLine]{}, fmt.Errorf("reading a place among orders: %w", err)
		}
	}
	c, err := paged(ctx, lists, at, id, count, pick)
	if err != nil {
		return Page[OrderLine]{}, err
	}
	out := Page[OrderLine]{Older: numberCursor(c.older), Newer: numberCursor(c.newer), Far: c.far}
	out.Rows, err = l.orderLines(ctx, s, c.keys)
	return out, err
}

func numberCursor(k key[int64]) Cursor {
	if k.at == 0 && k.id == 0 || k.at == math.MaxInt64 {
		return Cursor{}
	}
	return Cursor{Before: time.UnixMilli(k.at).UTC(), ID: strconv.FormatInt(k.id, 10)}
}

func (l *Ledger) orderLists(ctx context.Context, s *Shop, f OrderFilter) (lists []keys[int64], pick func([]key[int64]) ([]key[int64], error)) {
	wants := func(r queries.OrderTraitsRow) bool {
		return (len(f.Holds) == 0 || slices.Contains(f.Holds, HoldState(r.Hold))) && (len(f.Answers) == 0 || slices.Contains(f.Answers, r.Answer)) &&
			(f.Source == "" || r.Source == f.Source) && (f.Channel == 0 || r.Channel == f.Channel)
	}
	traits := func(ks []key[int64]) ([]key[int64], error) {
		rows, err := l.read.OrderTraits(ctx, queries.OrderTraitsParams{StoreHash: s.Hash, Ids: ids(ks)})
		wanted := map[int64]bool{}
		for _, r := range rows {
			wanted[r.OrderID] = wants(r)
		}
		return slices.DeleteFunc(ks, func(k key[int64]) bool { return !wanted[k.id] }), err
	}
	since, until := span(f.From, f.To)
	rest := f.Source != "" || f.Channel != 0
	switch {
	case f.CustomerID != 0 || f.Mailbox != "":
		lists = append(lists, l.foundOrders(s.Hash, f, since, until))
		rest = rest || len(f.Holds) > 0 || len(f.Answers) > 0
	case len(f.Holds) > 0:
		for _, h := range f.Holds {
			lists = append(lists, l.holdOrders(s.Hash, h, since, until))
		}
		rest = rest || len(f.Answers) > 0
	case len(f.Answers) > 0:
		for _, a := range f.Answers {
			lists = append(lists, l.answerOrders(s.Hash, a, since, until))
		}
	default:
		lists = append(lists, l.allOrders(s.Hash, since, until))
	}
	if rest {
		pick = traits
	}
	return lists, pick
}

func (l *Ledger) allOrders(hash string, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysNewer(ctx, queries.OrderKeysNewerParams{StoreHash: hash, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysOlder(ctx, queries.OrderKeysOlderParams{StoreHash: hash, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) holdOrders(hash string, hold HoldState, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysByHoldNewer(ctx, queries.OrderKeysByHoldNewerParams{StoreHash: hash, Hold: string(hold), Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysByHoldNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysByHoldOlder(ctx, queries.OrderKeysByHoldOlderParams{StoreHash: hash, Hold: string(hold), Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysByHoldOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) answerOrders(hash, answer string, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.OrderKeysByAnswerNewer(ctx, queries.OrderKeysByAnswerNewerParams{StoreHash: hash, Answer: answer, Until: until, After: at, AfterID: id, Count: n})
			return convert(rows, func(r queries.OrderKeysByAnswerNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.OrderKeysByAnswerOlder(ctx, queries.OrderKeysByAnswerOlderParams{StoreHash: hash, Answer: answer, Since: since, Before: at, BeforeID: id, Count: n})
		return convert(rows, func(r queries.OrderKeysByAnswerOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

func (l *Ledger) foundOrders(hash string, f OrderFilter, since, until int64) keys[int64] {
	return func(ctx context.Context, newer bool, from key[int64], n int64) ([]key[int64], error) {
		if newer {
			at, id := above(from, since, math.MaxInt64)
			rows, err := l.read.FoundOrderKeysNewer(ctx, queries.FoundOrderKeysNewerParams{StoreHash: hash, CustomerID: f.CustomerID, Mailbox: unhex(f.Mailbox), Until: until, After: at,
				AfterID: id, Count: n})
			return convert(rows, func(r queries.FoundOrderKeysNewerRow) key[int64] { return key[int64]{r.At, r.ID} }), err
		}
		at, id := below(from, until)
		rows, err := l.read.FoundOrderKeysOlder(ctx, queries.FoundOrderKeysOlderParams{StoreHash: hash, CustomerID: f.CustomerID, Mailbox: unhex(f.Mailbox), Since: since, Before: at,
			BeforeID: id, Count: n})
		return convert(rows, func(r queries.FoundOrderKeysOlderRow) key[int64] { return key[int64]{r.At, r.ID} }), err
	}
}

// orderLines reads what lists say of these orders, in their order.
func (l *Ledger) orderLines(ctx context.Context, s *Shop, ks []key[int64]) ([]OrderLine, error) {
	if len(ks) == 0 {
		return nil, nil
	}
	rows, err := l.read.OrderLines(ctx, queries.OrderLinesParams{StoreHash: s.Hash, Ids: ids(ks)})
	if err != nil {
		return nil, err
	}
	known := map[int64]OrderLine{}
	for _, r := range rows {
		if known[r.OrderID], err = openOrderLine(s, r); err != nil {
			return nil, err
		}
	}
	var out []OrderLine
	for _, k := range ks {
		if o, ok := known[k.id]; ok {
			out = append(out, o)
		}
	}
	return out, nil
}

func openOrderLine(s *Shop, r queries.OrderLinesRow) (OrderLine, error) {
	o := Order{ID: r.OrderID, StatusID: int(r.StatusID), CustomerID: r.CustomerID, Value: gate.Money{Minor: r.ValueMinor, Currency: r.Currency},
		ShopValue: gate.Money{Minor: r.ShopMinor, Currency: r.ShopCurrency}, Source: r.Source, Channel: r.Channel, PlacedAt: instant(r.PlacedAt),
		Hold: HoldState(r.Hold), HeldAt: instant(r.HeldAt), Reheld: int(r.Reheld), Touched: r.Touched == 1, HoldStatus: int(r.HoldStatus), CancelAt: instant(r.CancelAt),
		Digital: r.Digital == 1, ErasedAt: instant(r.ErasedAt), PersonSays: r.PersonSays, Trouble: r.Trouble, DecisionID: r.DecisionID, Answer: r.Answer}
	var err error
	if o.Buyer, err = openBuyer(s, r.OrderID, r.Buyer); err != nil || !r.Explanation.Valid {
		return OrderLine{Order: o}, err
	}
	d := Decision{ID: r.DecisionID, MadeBy: MadeBy(r.MadeBy.String)}
	if err := json.Unmarshal([]byte(r.Explanation.String), &d.Decision); err != nil {
		return OrderLine{}, fmt.Errorf("reading the decision of order %d: %w", r.OrderID, err)
	}
	return OrderLine{Order: o, Decision: &d}, nil
}

// OrdersOf reads orders by their numbers; those that are not known are left out. They come as lists have them.
func (l *Ledger) OrdersOf(ctx context.Context, s *Shop, numbers map[int64]bool) (map[int64]Order, error) {
	var ks []key[int64]
	for id := range numbers {
		ks = append(ks, key[int64]{0, id})
	}
	lines, err := l.orderLines(ctx, s, ks)
	out := map[int64]Order{}
	for _, o := range lines {
		out[o.ID] = o.Order
	}
	return out, err
}

// OrderLine returns one order as lists have it, or ErrNotFound.
func (l *Ledger) OrderLine(ctx context.Context, s *Shop, number int64) (OrderLine, error) {
	lines, err := l.orderLines(ctx, s, []key[int64]{{0, number}})
	if err == nil && len(lines) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return OrderLine{}, err
	}
	return lines[0], nil
}
