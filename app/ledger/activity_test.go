package ledger

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
)

// TestActivity: each act of a person has its line, in whose name it was done, and an export of them cannot be changed unnoticed.
func TestActivity(t *testing.T) {
	r := newRig(t)
	ctx := WithActor(t.Context(), "rita@shop.example")
	r.ok(r.set(ctx, Settings{AlarmTo: "staff@shop.example"}))
	_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Policy: gate.Default("EUR"), Author: "ada@shop.example", Note: "the first"}, r.now.Add(time.Second))
	r.ok(err)
	r.ok(r.l.RecordActivity(t.Context(), shopHash, ActExported, "orders", "12 lines", r.now.Add(2*time.Second)))
	r.install("other9")
	r.ok(r.l.RecordActivity(ctx, "other9", ActExported, "orders", "", r.now))

	got, err := r.l.ActivityPage(ctx, shopHash, 0, 10)
	r.ok(err)
	type line struct {
		seq                            int64
		actor, action, subject, detail string
		at                             time.Duration
	}
	want := []line{{4, "idgate", "exported", "orders", "12 lines", 2 * time.Second}, {3, "ada@shop.example", "policy.saved", "1", "the first", time.Second},
		{2, "rita@shop.example", "settings.saved", "", "", 0}, {1, "BigCommerce", "shop.installed", "", "", 0}}
	for i, w := range want {
		a := got[i]
		if have := (line{a.Seq, a.Actor, string(a.Action), a.Subject, a.Detail, a.At.Sub(r.now)}); have != w {
			t.Errorf("%d: %+v, want %+v", i, have, w)
		}
	}
	if page, err := r.l.ActivityPage(ctx, shopHash, 3, 1); err != nil || len(page) != 1 || page[0].Seq != 2 {
		t.Errorf("below 3: %+v, %v", page, err)
	}

	var export bytes.Buffer
	head, err := r.l.ExportActivity(ctx, shopHash, &export)
	r.ok(err)
	lines := strings.SplitAfter(strings.TrimSuffix(export.String(), "\n"), "\n")
	for name, tt := range map[string]struct {
		text, shop, wrong string
		lines             int64
	}{
		"as it is":        {export.String(), shopHash, "", 4},
		"cut off":         {strings.Join(lines[:3], ""), shopHash, "", 3}, // shows by its head only
		"a line changed":  {strings.Replace(export.String(), "the first", "the worst", 1), shopHash, "line 3 does not continue", 2},
		"a line gone":     {lines[0] + lines[2] + lines[3], shopHash, "line 2 is missing", 1},
		"two swapped":     {lines[0] + lines[2] + lines[1] + lines[3], shopHash, "line 2 is missing", 1},
		"of another shop": {export.String(), "other9", "line 1 does not continue", 0},
		"no export":       {"hello\n", shopHash, "no line of an activity export", 0},
		"more in it":      {strings.Replace(export.String(), `"seq":1,`, `"seq":1,"x":1,`, 1), shopHash, "no line of an activity export", 0},
		"empty":           {"", shopHash, "", 0},
	} {
		n, got, err := VerifyActivity(tt.shop, strings.NewReader(tt.text))
		if n != tt.lines || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
		if (got == head) != (name == "as it is" || name == "more in it" && false) {
			t.Errorf("%s: head %s, want %s", name, got, head)
		}
	}
}

func FuzzVerifyActivity(f *testing.F) {
	f.Add([]byte(`{"seq":1,"at":"2026-03-10T15:12:00Z","actor":"a","action":"b","hash":"00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, head, err := VerifyActivity(shopHash, bytes.NewReader(b))
		if err == nil && (n == 0) != (head == "") {
			t.Errorf("%d lines, head %q", n, head)
		}
	})
}

func TestLists(t *testing.T) {
	r := newRig(t)
	ctx := WithActor(context.Background(), "rita@shop.example")
	s := r.shop()
	ada := s.MailboxHash("Ada@Example.com")
	as := func(customer int64, mailbox string) gate.Listed {
		t.Helper()
		l, err := r.l.ListedAs(ctx, s, customer, mailbox)
		r.ok(err)
		return l
	}
	r.ok(r.l.List(ctx, s, []Listed{{CustomerID: 7, List: gate.OnBlockList, Note: "chargebacks"}, {Mailbox: "ada@example.com", List: gate.OnAllowList, Note: "our own staff"}}, r.now))
	for _, tt := range []struct {
		customer int64
		mailbox  string
		want     gate.Listed
	}{
		{7, "", gate.Listed{Customer: gate.OnBlockList}},
		{7, ada, gate.Listed{Customer: gate.OnBlockList, Mailbox: gate.OnAllowList}},
		{8, ada, gate.Listed{Mailbox: gate.OnAllowList}},
		{0, s.MailboxHash("bob@example.com"), gate.Listed{}},
		{0, "", gate.Listed{}},
	} {
		if got := as(tt.customer, tt.mailbox); got != tt.want {
			t.Errorf("customer %d: %+v, want %+v", tt.customer, got, tt.want)
		}
	}
	r.install("other9")
	other, err := r.l.Shop("other9")
	r.ok(err)
	if l, err := r.l.ListedAs(ctx, other, 7, other.MailboxHash("ada@example.com")); err != nil || l != (gate.Listed{}) {
		t.Errorf("another shop's list: %+v, %v", l, err)
	}
	r.ok(r.l.List(ctx, s, []Listed{{CustomerID: 7, List: gate.OnAllowList, Note: "sorted out"}}, r.now.Add(time.Minute)))
	page, _, err := r.l.ListPage(ctx, s, gate.OnAllowList, ListPlace{}, 10)
	r.ok(err)
	if len(page) != 2 || page[0] != (Listed{CustomerID: 7, List: gate.OnAllowList, Note: "sorted out", AddedBy: "rita@shop.example", AddedAt: r.now.Add(time.Minute)}) ||
		page[1] != (Listed{Mailbox: "ada@example.com", List: gate.OnAllowList, Note: "our own staff", AddedBy: "rita@shop.example", AddedAt: r.now}) {
		t.Errorf("%+v", page)
	}
	var many []Listed
	for i := range 5 {
		many = append(many, Listed{CustomerID: int64(100 + i), List: gate.OnBlockList}, Listed{Mailbox: strconv.Itoa(i) + "@many.example", List: gate.OnBlockList})
	}
	r.ok(r.l.List(ctx, s, many, r.now.Add(time.Hour))) // all at one moment
	seen, place := map[string]bool{}, ListPlace{}
	for {
		page, next, err := r.l.ListPage(ctx, s, gate.OnBlockList, place, 3)
		r.ok(err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if who := fmt.Sprint(e.CustomerID, e.Mailbox); e.CustomerID >= 100 || e.Mailbox != "" && e.AddedAt.Equal(r.now.Add(time.Hour)) {
				if seen[who] {
					t.Errorf("%s stands on two pages", who)
				}
				seen[who] = true
			}
		}
		place = next
	}
	if len(seen) != len(many) {
		t.Errorf("%d of %d stand on some page", len(seen), len(many))
	}
	r.is(r.l.Unlist(ctx, s, Listed{Mailbox: "ada@example.com", List: gate.OnBlockList}, r.now), ErrOtherList)
	r.is(r.l.Unlist(ctx, s, Listed{CustomerID: 7, List: gate.OnBlockList}, r.now), ErrOtherList)
	r.ok(r.l.Unlist(ctx, s, Listed{Mailbox: "ADA@example.com", List: gate.OnAllowList}, r.now))
	r.is(r.l.Unlist(ctx, s, Listed{Mailbox: "ada@example.com", List: gate.OnAllowList}, r.now), ErrNotFound)
	if err := r.l.Unlist(ctx, s, Listed{CustomerID: 7}, r.now); err == nil {
		t.Error("taken off no list in particular")
	}
	if got := as(7, ada); got != (gate.Listed{Customer: gate.OnAllowList}) {
		t.Errorf("after: %+v", got)
	}
	if err := r.l.List(ctx, s, []Listed{{List: gate.OnAllowList}}, r.now); err == nil {
		t.Error("nobody was listed")
	}
}
