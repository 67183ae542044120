package ledger

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestShopKeySeal(t *testing.T) {
	key := NewShopKey(bytes.NewReader(operatorBytes(9)))
	if key != ShopKey(operatorBytes(9)) {
		t.Fatal("not the bytes it was made of")
	}
	sealed, err := key.Seal("token", "abc123", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := key.Seal("token", "abc123", []byte("secret"))
	if err != nil || bytes.Equal(sealed, again) || bytes.Contains(sealed, []byte("secret")) || len(sealed) != 6+29 {
		t.Errorf("sealed twice: %x, %x, %v", sealed, again, err)
	}
	altered := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	for _, tt := range []struct {
		name, purpose, row string
		key                ShopKey
		sealed             []byte
		want               error
	}{
		{"itself", "token", "abc123", key, sealed, nil},
		{"its twin", "token", "abc123", key, again, nil},
		{"in another column", "hook secret", "abc123", key, sealed, ErrSealBroken},
		{"in another row", "token", "abc124", key, sealed, ErrSealBroken},
		{"with the border moved", "tokena", "bc123", key, sealed, ErrSealBroken},
		{"under another shop's key", "token", "abc123", ShopKey(operatorBytes(10)), sealed, ErrSealBroken},
		{"version altered", "token", "abc123", key, altered(0), ErrSealBroken},
		{"nonce altered", "token", "abc123", key, altered(1), ErrSealBroken},
		{"text altered", "token", "abc123", key, altered(13), ErrSealBroken},
		{"tag altered", "token", "abc123", key, altered(len(sealed) - 1), ErrSealBroken},
		{"cut", "token", "abc123", key, sealed[:len(sealed)-1], ErrSealBroken},
		{"cut to less than a nonce", "token", "abc123", key, sealed[:5], ErrSealBroken},
		{"cut to its version", "token", "abc123", key, sealed[:1], ErrSealBroken},
		{"longer", "token", "abc123", key, append(bytes.Clone(sealed), 0), ErrSealBroken},
		{"nothing", "token", "abc123", key, nil, ErrSealBroken},
	} {
		got, err := tt.key.Open(tt.purpose, tt.row, tt.sealed)
		if !errors.Is(err, tt.want) || (err == nil) != (string(got) == "secret") {
			t.Errorf("%s: %q, %v; want %v", tt.name, got, err, tt.want)
		}
	}

	for name, err := range map[string]error{
		"no purpose":       second(key.Seal("", "abc123", nil)),
		"no row":           second(key.Seal("token", "", nil)),
		"no key":           second(ShopKey{}.Seal("token", "abc123", nil)),
		"no key, to open":  second(ShopKey{}.Open("token", "abc123", sealed)),
		"no key, no value": second(ShopKey{}.Open("token", "abc123", nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ []byte, err error) error { return err }

// TestSealedValuesAreStable opens values sealed by the first version: a change of format or derivation would lose data.
func TestSealedValuesAreStable(t *testing.T) {
	key := ShopKey(operatorBytes(9))
	for name, tt := range map[string]struct{ got, want string }{
		"mailbox hash": {hex.EncodeToString(key.MailboxHash("ada@example.com")), goldenMailbox},
		"shop derive":  {hex.EncodeToString(key.Derive("facts digest")), goldenShopDerive},
		"derive":       {hex.EncodeToString(parsedKeyring(t, operatorLine(1)).Derive("cookie", 32)), goldenDerive},
		"key id":       {parsedKeyring(t, operatorLine(1)).KeyIDs()[0], goldenKeyID},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", name, tt.got, tt.want)
		}
	}
	sealed, err := hex.DecodeString(goldenSealed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Open("token", "abc123", sealed); err != nil || string(got) != "secret" {
		t.Errorf("a sealed value: %q, %v", got, err)
	}
	sealedKey, err := hex.DecodeString(goldenSealedKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parsedKeyring(t, operatorLine(1)).OpenKey("abc123", sealedKey); err != nil || got != key {
		t.Errorf("a sealed shop key: %v, %v", got == key, err)
	}
}

func TestNormalizeMailbox(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"ada@example.com", "ada@example.com"},
		{" Ada@Example.COM\n", "ada@example.com"},
		{"ada@example.com.", "ada@example.com"},
		{"ada+shop@example.com", "ada+shop@example.com"},
		{"a.da@example.com", "a.da@example.com"},
		{"ada@bücher.example", "ada@xn--bcher-kva.example"},
		{"ada@BÜCHER.example", "ada@xn--bcher-kva.example"},
		{"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"},
		{"ada@XN--Bcher-KVA.example", "ada@xn--bcher-kva.example"},
		{"ada@straße.example", "ada@xn--strae-oqa.example"},
		{"ada@a_b.example", "ada@a_b.example"},
		{"ada@[192.0.2.1]", "ada@[192.0.2.1]"},
		{`"a@b"@Example.com`, `"a@b"@example.com`},
		{"zoe\u0308@example.com", "zoë@example.com"},
		{"not a mailbox", "not a mailbox"},
		{"", ""},
		{"@", "@"},
		{"ADA", "ada"},
	} {
		if got := NormalizeMailbox(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestLookAlikeMailboxes: mailboxes that somebody else can own are never taken for the victim's.
func TestLookAlikeMailboxes(t *testing.T) {
	key := ShopKey(operatorBytes(9))
	victim := key.MailboxHash("mike.fine@example.com")
	for _, other := range []string{
		"mi\u212ae.fine@example.com", "m\u0131ke.fine@example.com", "M\u0130KE.fine@example.com", "mike.\ufb01ne@example.com",
		"\uff4dike.fine@example.com", "mike.fine+x@example.com", "mikefine@example.com", "mike.fine@example.org",
		"mike.fine@xn--example-.com", "mike.fine", "mike.fine@", "@example.com", "mike.fine@example.com@example.org",
		"mike.fine\u200b@example.com", "mike.fine\x00@example.com",
	} {
		if bytes.Equal(key.MailboxHash(other), victim) {
			t.Errorf("%q is taken for the victim's", other)
		}
	}
	if !bytes.Equal(key.MailboxHash(" Mike.Fine@EXAMPLE.com "), victim) || len(victim) != 32 {
		t.Error("the victim's own spelling is not found")
	}
	if bytes.Equal(ShopKey(operatorBytes(10)).MailboxHash("mike.fine@example.com"), victim) {
		t.Error("the same hash in two shops")
	}
}

func TestSealProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := ShopKey(rapid.SliceOfN(rapid.Byte(), keyLength, keyLength).Draw(t, "key"))
		if key == (ShopKey{}) {
			t.Skip("no key")
		}
		name := rapid.StringN(1, 8, -1)
		purpose, row := name.Draw(t, "purpose"), name.Draw(t, "row")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		sealed, err := key.Seal(purpose, row, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := key.Open(purpose, row, sealed); err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("opened %x, %v", got, err)
		}
		otherPurpose, otherRow := name.Draw(t, "other purpose"), name.Draw(t, "other row")
		if otherPurpose == purpose && otherRow == row {
			return
		}
		if _, err := key.Open(otherPurpose, otherRow, sealed); !errors.Is(err, ErrSealBroken) {
			t.Fatalf("opened elsewhere: %v", err)
		}
	})
}

func FuzzShopKeyOpen(f *testing.F) {
	key := ShopKey(operatorBytes(9))
	sealed, err := key.Seal("token", "abc123", []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:28])
	f.Add([]byte{sealVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := key.Open("token", "abc124", b); err == nil {
			t.Errorf("%x opened: %x", b, got)
		}
	})
}

func FuzzNormalizeMailbox(f *testing.F) {
	f.Add("Ada@BÜCHER.example.")
	f.Add("mi\u212ae@ex\u3002ample")
	f.Add("a@\xff")
	f.Fuzz(func(t *testing.T, s string) {
		once := NormalizeMailbox(s)
		if twice := NormalizeMailbox(once); twice != once {
			t.Errorf("%q: %q, then %q", s, once, twice)
		}
		if isASCII(s) && (!isASCII(once) || strings.ContainsAny(once, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
			t.Errorf("%q: %q", s, once)
		}
	})
}

const (
	goldenMailbox    = "8c55df4fcf99f11f6e4a45b0ce10c2baf13434c180b808eddcc730503e3ebabc"
	goldenShopDerive = "5133dde71b7b7e05b85ea19030efd806e4a80cd60aa55ab052a238fbcf39cc29"
	goldenDerive     = "97f8750eb7c7d0ec7ecd2ea33d0730568e1dafb1a9a6bb42971efae5d4f089de"
	goldenKeyID      = "5e3e2b44"
	goldenSealed     = "01fcd6c2cb12e3c6f9e596c1e57a7e0f9f28ba830584d12d1c360e1c674aea56c15293"
	goldenSealedKey  = "5e3e2b4401c6fb1d1fded085691cfc43b38c4b49e5b24793d1f7e18a291670e7e247275e6b8bc733a0fa993f2db0ab828996acda1b013e6afcbfe1267a2338e786"
)
