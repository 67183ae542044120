package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// mailNames are mails of every kind.
var mailNames = []MailName{
	{Shop: "abc123", Subject: 118, Ref: "link#1"},
	{Shop: "abc123", Subject: 1 << 62, Ref: "link-request-1773133920000#12"},
	{Shop: "abc123", Ref: "team_review-1773133920000#0123456789ab"},
	{Shop: "abc123", Ref: "endpoint_off-7#1773133920000"},
	{Shop: strings.Repeat("x", 20), Subject: 5, Ref: "reminder-again#3"},
	{Shop: "abc123", Asked: 1 << 62},
}

// TestMailID: an id names its mail, under every key that the operator still has, and nobody makes another from it.
func TestMailID(t *testing.T) {
	r := newRig(t)
	ids := map[string]MailName{}
	for _, n := range mailNames {
		id := r.l.MailID(n)
		if len(id) > 100 || strings.ContainsAny(id, "#@ ") || id != r.l.MailID(n) {
			t.Errorf("%+v: %d bytes: %s", n, len(id), id)
		}
		ids[id] = n
		if got, err := r.l.OpenMailID(id); err != nil || got != n {
			t.Errorf("%s: %+v, %v; want %+v", id, got, err, n)
		}
		end := strings.LastIndexByte(id, '.')
		for _, forged := range []string{"", ".", id[:end], id[:end+1], id[end:], id + "0", id[:len(id)-2], "x" + id, strings.Replace(id, ".", "..", 1), strings.Replace(id, "1", "2", 1),
			id[:end+1] + strings.Repeat("0", 2*nameMAC), id[:end] + strings.ToUpper(id[end:]), strings.Replace(id, "abc123", "xyz789", 1) + " "} {
			if got, err := r.l.OpenMailID(forged); !errors.Is(err, ErrNotFound) || got != (MailName{}) {
				t.Errorf("%s opens as %+v, %v", forged, got, err)
			}
		}
	}
	if len(ids) != len(mailNames) {
		t.Errorf("%d ids of %d mails", len(ids), len(mailNames))
	}
	r.ok(r.l.Close())
	r.open(func(o *Options) { o.Keyring = parsedKeyring(t, operatorLine(2), operatorLine(1)) })
	for id, n := range ids {
		if got, err := r.l.OpenMailID(id); err != nil || got != n {
			t.Errorf("after another key: %s: %+v, %v", id, got, err)
		}
	}
}

func FuzzOpenMailID(f *testing.F) {
	r := newRig(f)
	good := map[string]bool{}
	for _, n := range mailNames {
		id := r.l.MailID(n)
		good[id] = true
		f.Add(id)
		f.Add(strings.ToUpper(id))
	}
	f.Fuzz(func(t *testing.T, id string) {
		if n, err := r.l.OpenMailID(id); (err == nil) != good[id] || err == nil && r.l.MailID(n) != id {
			t.Errorf("%s: %+v, %v", id, n, err)
		}
	})
}

// TestReturnAskedMail: a mail that a shopper asked for and that came back is counted once, in its Shop, as long as it is kept.
func TestReturnAskedMail(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	c, err := r.l.Grant(ctx, Capability{Shop: shopHash, Purpose: ForCart, CartID: "c1", Mailbox: r.shop().MailboxHash("ada@example.com"), ExpiresAt: r.now.Add(time.Hour)}, r.now)
	r.ok(err)
	asked, err := r.l.AskMail(ctx, r.shop(), AskedCode, c, time.Time{}, r.now)
	r.ok(err)
	count := func(hash string, want int64) {
		t.Helper()
		if n, err := r.l.ReturnedMails(ctx, hash, r.now); err != nil || n != want {
			t.Errorf("%s: %d returned, %v; want %d", hash, n, err, want)
		}
	}
	count(shopHash, 0)
	for i, n := range []MailName{{Shop: shopHash, Asked: asked.ID}, {Shop: shopHash, Asked: asked.ID}, {Shop: shopHash, Asked: asked.ID + 1}, {Shop: "other9", Asked: asked.ID}} {
		if news, err := r.l.ReturnMail(ctx, n, "no such mailbox", r.now); err != nil || news != (i == 0) {
			t.Errorf("%d: news %t, %v", i, news, err)
		}
	}
	count(shopHash, 1)
	count("other9", 0)
	r.wait(keepAsked + time.Second)
	count(shopHash, 0)
}
