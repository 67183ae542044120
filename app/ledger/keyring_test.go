package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// operatorBytes are 32 bytes that no test shares by chance: n, n+1, …
func operatorBytes(n byte) []byte {
	b := make([]byte, keyLength)
	for i := range b {
		b[i] = n + byte(i)
	}
	return b
}

func operatorLine(n byte) string { return base64.StdEncoding.EncodeToString(operatorBytes(n)) }

func parsedKeyring(t testing.TB, lines ...string) Keyring {
	t.Helper()
	r, err := ParseKeyring(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseKeyring(t *testing.T) {
	b := operatorBytes(200) // its base64 holds + and /
	std := base64.StdEncoding.EncodeToString(b)
	if !strings.ContainsAny(std, "+/") {
		t.Fatalf("%s tries neither + nor /", std)
	}
	want := parsedKeyring(t, std).KeyIDs()
	for _, text := range []string{
		std, std + "\n", "\n\n" + std + "\r\n", "  " + std + "\t# the key of 2026", "# one a line\n" + std, "\ufeff" + std,
		base64.RawStdEncoding.EncodeToString(b), base64.URLEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)),
	} {
		r, err := ParseKeyring(text)
		if err != nil || len(r.keys) != 1 || r.KeyIDs()[0] != want[0] || !bytes.Equal(r.keys[0].secret[:], b) {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	two := parsedKeyring(t, operatorLine(1)+" # new", "", "# old", operatorLine(2))
	if ids := two.KeyIDs(); len(ids) != 2 || ids[0] != parsedKeyring(t, operatorLine(1)).KeyIDs()[0] || ids[0] == ids[1] {
		t.Errorf("two keys: %v", ids)
	}

	var many []string
	for i := range maxKeys + 1 {
		many = append(many, operatorLine(byte(i)))
	}
	for _, tt := range []struct{ name, text, says string }{
		{"empty", "", "there is none"},
		{"only comments", "# here goes the key\n\n", "there is none"},
		{"31 bytes", base64.StdEncoding.EncodeToString(b[:31]), "line 1: not 32 bytes"},
		{"33 bytes", base64.StdEncoding.EncodeToString(append(b[:32:32], 1)), "line 1: not 32 bytes"},
		{"a pass phrase", "correct horse battery staple", "line 1: not 32 bytes"},
		{"63 hex digits", hex.EncodeToString(b)[1:], "line 1: not 32 bytes"},
		{"64 letters", strings.Repeat("z", 64), "line 1: not 32 bytes"},
		{"spare bits", std[:42] + string(std[42]+1) + "=", "line 1: not 32 bytes"},
		{"zeros", strings.Repeat("0", 64), "line 1: a placeholder"},
		{"two keys in a line", std + " " + std, "line 1: not 32 bytes"},
		{"the second is bad", std + "\n# x\nnonsense", "line 3: not 32 bytes"},
		{"twice", std + "\n" + hex.EncodeToString(b), "line 2: the same key as number 1"},
		{"too many", strings.Join(many, "\n"), "line 17: more than 16 keys"},
		{"too long", std + strings.Repeat("\n", maxKeyring), "is this the key file"},
	} {
		r, err := ParseKeyring(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.says) || len(r.keys) != 0 {
			t.Errorf("%s: %v, %v; want an error saying %q", tt.name, r, err, tt.says)
		} else if strings.Contains(err.Error(), std[:8]) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: the error shows the key: %v", tt.name, err)
		}
	}
}

func TestGenerateOperatorKey(t *testing.T) {
	line := GenerateOperatorKey(bytes.NewReader(operatorBytes(7)))
	if r := parsedKeyring(t, line); !bytes.Equal(r.keys[0].secret[:], operatorBytes(7)) {
		t.Errorf("%s is not the bytes it was made of", line)
	}
	defer func() {
		if recover() == nil {
			t.Error("a key of 31 random bytes")
		}
	}()
	GenerateOperatorKey(bytes.NewReader(operatorBytes(7)[:31]))
}

// TestRotation is the life of an operator key: sealed under it, opened beside a newer one, re-sealed, retired.
func TestRotation(t *testing.T) {
	before := parsedKeyring(t, operatorLine(1))
	between := parsedKeyring(t, operatorLine(2), operatorLine(1))
	after := parsedKeyring(t, operatorLine(2))
	key := ShopKey(operatorBytes(9))

	old, err := before.SealKey("abc123", key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := between.OpenKey("abc123", old); err != nil || got != key {
		t.Errorf("beside the newer key: %v, %v", got == key, err)
	}
	if _, err := after.OpenKey("abc123", old); !errors.Is(err, ErrUnknownKey) ||
		!strings.Contains(err.Error(), before.KeyIDs()[0]) || !strings.Contains(err.Error(), after.KeyIDs()[0]) {
		t.Errorf("retired too early: %v", err)
	}
	again, changed, err := between.ResealKey("abc123", old)
	if err != nil || !changed {
		t.Fatalf("re-sealing: %v, %v", changed, err)
	}
	if got, err := after.OpenKey("abc123", again); err != nil || got != key {
		t.Errorf("after the old key is gone: %v, %v", got == key, err)
	}
	if same, changed, err := between.ResealKey("abc123", again); err != nil || changed || !bytes.Equal(same, again) {
		t.Errorf("re-sealing twice: %v, %v", changed, err)
	}
	if _, _, err := after.ResealKey("abc123", old); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("re-sealing what does not open: %v", err)
	}

	cookie := before.Derive("cookie", 64)
	if all := between.DeriveAll("cookie", 64); len(all) != 2 || !bytes.Equal(all[0], between.Derive("cookie", 64)) || !bytes.Equal(all[1], cookie) {
		t.Error("what was derived before rotation is not among what is derived after it")
	}
}

func TestKeyringSeal(t *testing.T) {
	r := parsedKeyring(t, operatorLine(1))
	sealed, err := r.Seal("signing key", "kPrK", []byte("seed"))
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for _, tt := range []struct {
		name, purpose, row string
		sealed             []byte
		want               error
	}{
		{"itself", "signing key", "kPrK", sealed, nil},
		{"another row", "signing key", "kPrL", sealed, ErrSealBroken},
		{"another purpose", "shop key", "kPrK", sealed, ErrSealBroken},
		{"altered", "signing key", "kPrK", altered, ErrSealBroken},
		{"cut", "signing key", "kPrK", sealed[:20], ErrSealBroken},
		{"only a name", "signing key", "kPrK", sealed[:4], ErrSealBroken},
		{"less than a name", "signing key", "kPrK", sealed[:3], ErrSealBroken},
		{"nothing", "signing key", "kPrK", nil, ErrSealBroken},
		{"of another key", "signing key", "kPrK", append([]byte{0, 0, 0, 0}, sealed[4:]...), ErrUnknownKey},
	} {
		got, err := r.Open(tt.purpose, tt.row, tt.sealed)
		if !errors.Is(err, tt.want) || (err == nil) != (string(got) == "seed") {
			t.Errorf("%s: %q, %v; want %v", tt.name, got, err, tt.want)
		}
	}

	short, err := r.Seal(shopKeyPurpose, "abc123", []byte("not 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.OpenKey("abc123", short); !errors.Is(err, ErrSealBroken) {
		t.Errorf("a short shop key: %v", err)
	}
	key, err := r.SealKey("abc123", ShopKey(operatorBytes(9)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.OpenKey("abc124", key); !errors.Is(err, ErrSealBroken) {
		t.Errorf("another shop's key: %v", err)
	}
	if _, err := (Keyring{}).Seal("signing key", "kPrK", nil); err == nil {
		t.Error("sealed without a key")
	}
}

func TestDerive(t *testing.T) {
	r := parsedKeyring(t, operatorLine(1))
	seen := map[string]string{}
	for name, b := range map[string][]byte{
		"cookie": r.Derive("cookie", 32), "capability": r.Derive("capability", 32),
		"another key": parsedKeyring(t, operatorLine(2)).Derive("cookie", 32),
		"sealing":     r.keys[0].sealing(), "the key": r.keys[0].secret[:],
		"a purpose named like a use": r.Derive("../seal", 32),
	} {
		if len(b) != 32 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		if other, ok := seen[string(b)]; ok {
			t.Errorf("%s equals %s", name, other)
		}
		seen[string(b)] = name
	}
	if got, want := r.Derive("cookie", 64)[:32], r.Derive("cookie", 32); !bytes.Equal(got, want) {
		t.Error("HKDF's longer output does not begin with the shorter")
	}
	for _, bad := range []func(){
		func() { r.Derive("cookie", 0) }, func() { r.Derive("cookie", -1) }, func() { r.Derive("cookie", 8161) },
		func() { Keyring{}.Derive("cookie", 32) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("derived what cannot be derived")
				}
			}()
			bad()
		}()
	}
}

// TestKeysAreNotPrinted tries each way by which a value gets into a log, an error or an answer.
func TestKeysAreNotPrinted(t *testing.T) {
	r := parsedKeyring(t, operatorLine(65)) // "ABCDEF…"
	key := ShopKey(operatorBytes(65))
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "keyring", r, "pointer", &r, "key", key, "inside", struct{ K ShopKey }{key})
	}
	asJSON, _ := json.Marshal(map[string]any{"r": r, "p": &r})
	if _, err := json.Marshal(key); err == nil {
		t.Error("a shop key as JSON")
	}
	shown := log.String() + string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
		shown += fmt.Sprintf(verb+verb+verb+verb, r, &r, key, struct{ K ShopKey }{key})
	}
	for _, secret := range []string{"ABCDEFGH", "65 66 67", "65, 66", "65,66,67", "0x41, 0x42", "4142434445", operatorLine(65)[:8], "01000001"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s shows %s", shown, secret)
		}
	}
	if !strings.Contains(shown, r.KeyIDs()[0]) {
		t.Errorf("%s does not name the key", shown)
	}
}

func FuzzParseKeyring(f *testing.F) {
	f.Add(operatorLine(1) + "\n# old\n" + hex.EncodeToString(operatorBytes(2)))
	f.Add("0x" + hex.EncodeToString(operatorBytes(3)))
	f.Add(strings.Repeat("=", 44))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseKeyring(text)
		if err != nil {
			if len(r.keys) != 0 {
				t.Errorf("keys beside an error: %v, %v", r, err)
			}
			return
		}
		sealed, err := r.Seal("p", "r", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := r.Open("p", "r", sealed); err != nil || string(opened) != text {
			t.Errorf("%q: opened %q, %v", text, opened, err)
		}
	})
}

func FuzzKeyringOpen(f *testing.F) {
	r := parsedKeyring(f, operatorLine(1), operatorLine(2))
	for _, k := range []Keyring{r, parsedKeyring(f, operatorLine(2))} {
		sealed, err := k.SealKey("abc123", ShopKey(operatorBytes(9)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed[:len(sealed)-1])
		f.Add(append(sealed, 0))
	}
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if key, err := r.OpenKey("abc124", sealed); err == nil || key != (ShopKey{}) {
			t.Errorf("%x opened", sealed)
		}
		if again, _, err := r.ResealKey("abc124", sealed); err == nil || again != nil {
			t.Errorf("%x re-sealed", sealed)
		}
	})
}
