package ledger

import (
	"errors"
	"strings"
	"testing"
)

// TestSealSearch: what names a search is read in the Shop that made it only, shows nothing of the mailbox, and is never too long.
func TestSealSearch(t *testing.T) {
	r := newRig(t)
	r.install("xyz789")
	other, err := r.l.Shop("xyz789")
	r.ok(err)
	s := r.shop()
	for _, tt := range []struct{ mailbox, mask string }{
		{"ada@example.com", "a…@example.com"},
		{" Ada@Example.com ", "A…@Example.com"},
		{"ünal@bücher.example", "ü…@bücher.example"},
		{"@example.com", "…@example.com"},
		{"ada@x@example.com", "a…@example.com"},
		{"a@" + strings.Repeat("ü", 120), "a…@" + strings.Repeat("ü", 32) + "…"},
		{"a@" + strings.Repeat("x", 63) + strings.Repeat("ü", 90), "a…@" + strings.Repeat("x", 63) + "…"},
	} {
		sealed, err := s.SealSearch(tt.mailbox)
		r.ok(err)
		if len(sealed) > 217 || strings.ContainsAny(sealed, "@+/=&? ") || strings.Contains(sealed, "example") {
			t.Errorf("%s: %d characters: %s", tt.mailbox, len(sealed), sealed)
		}
		hash, masked, err := s.OpenSearch(sealed)
		if err != nil || hash != s.MailboxHash(tt.mailbox) || masked != tt.mask {
			t.Errorf("%s: %s, %q, %v; want %q", tt.mailbox, hash, masked, err, tt.mask)
		}
		if again, err := s.SealSearch(tt.mailbox); err != nil || again == sealed {
			t.Errorf("%s: sealed twice alike, %v", tt.mailbox, err)
		}
		if _, _, err := other.OpenSearch(sealed); !errors.Is(err, ErrSealBroken) {
			t.Errorf("%s: in another shop: %v", tt.mailbox, err)
		}
	}
}

// FuzzOpenSearch: whatever opens was sealed here, and is written in one way only. (The seeds of another process were sealed with the same key.)
func FuzzOpenSearch(f *testing.F) {
	s := Shop{Hash: "abc123", key: ShopKey{1}}
	good, err := s.SealSearch("ada@example.com")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "AQ", good, good[:40], good + "A", good + "\n", good[:7] + "\n" + good[7:], good[:9] + "A" + good[10:]} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hash, masked, err := s.OpenSearch(text)
		if err != nil {
			if text == good || !errors.Is(err, ErrSealBroken) || hash+masked != "" {
				t.Errorf("%q: %s %s, %v", text, hash, masked, err)
			}
			return
		}
		if hash != s.MailboxHash("ada@example.com") || masked != "a…@example.com" || len(text) != len(good) || strings.ContainsAny(text, "\r\n") {
			t.Errorf("%q opens as %s %s", text, hash, masked)
		}
	})
}
