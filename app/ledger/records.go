package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"
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

func convert[R, T any](rows []R, f func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}
