package ledger

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

const (
	// keyLength is the length in bytes of an operator key and of a Shop's key.
	keyLength = 32
	// keyIDLength is the length of the name of the operator key at the head of what it has sealed.
	keyIDLength = 4
	// maxKeyring and maxKeys bound a key file.
	maxKeyring = 16 << 10
	maxKeys    = 16
)

// ErrUnknownKey is returned for what was sealed with an operator key that the keyring does not hold.
var ErrUnknownKey = errors.New("sealed with an operator key that is not in the keyring: add the old key below the new one")

// A Keyring holds the operator's keys: the first seals, all open. It lives in memory only; the keys are in a file or in the
// environment, never in the database or its replica. Printing it shows the keys' names only.
//
// To rotate: put a new key on the first line and restart; what is stored is re-sealed as [Keyring.Reseal] comes by it; once
// nothing is left under an old key, its line can go. Losing the last key that opens a Shop's key loses that Shop's data.
type Keyring struct {
	keys []operatorKey
}

type operatorKey struct {
	id     [keyIDLength]byte
	secret [keyLength]byte
}

// GenerateOperatorKey makes a line for a key file from 32 bytes of rand. Like crypto/rand.Read it does not return without
// randomness.
func GenerateOperatorKey(rand io.Reader) string {
	var b [keyLength]byte
	mustRead(rand, b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// mustRead fills b. There is nothing sensible to do without randomness; crypto/rand.Reader ends the program by itself.
func mustRead(rand io.Reader, b []byte) {
	if _, err := io.ReadFull(rand, b); err != nil {
		panic(fmt.Sprintf("ledger: reading randomness: %v", err))
	}
}

// ParseKeyring reads operator keys, one a line: 32 bytes in hex or base64 (either alphabet, padded or not). Blank lines and
// what follows a # are passed over. No error shows any of a key.
func ParseKeyring(text string) (Keyring, error) {
	if len(text) > maxKeyring {
		return Keyring{}, fmt.Errorf("reading the operator key: %d bytes, at most %d are read: is this the key file?", len(text), maxKeyring)
	}
	var r Keyring
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := parseOperatorKey(line)
		if err != nil {
			return Keyring{}, fmt.Errorf("reading the operator key, line %d: %w", n, err)
		}
		if i := slices.IndexFunc(r.keys, func(k operatorKey) bool { return k.id == key.id }); i >= 0 {
			return Keyring{}, fmt.Errorf("reading the operator key, line %d: the same key as number %d: remove one", n, i+1)
		}
		if len(r.keys) == maxKeys {
			return Keyring{}, fmt.Errorf("reading the operator key, line %d: more than %d keys: remove those that seal nothing any more", n, maxKeys)
		}
		r.keys = append(r.keys, key)
	}
	if len(r.keys) == 0 {
		return Keyring{}, errors.New("reading the operator key: there is none: make one with `openssl rand -base64 32`")
	}
	return r, nil
}

func parseOperatorKey(s string) (operatorKey, error) {
	var b []byte
	var err error
	if len(s) == hex.EncodedLen(keyLength) {
		b, err = hex.DecodeString(s)
	} else {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
		b, err = base64.RawStdEncoding.Strict().DecodeString(plain)
	}
	if err != nil || len(b) != keyLength {
		return operatorKey{}, fmt.Errorf("not %d bytes in hex (64 characters) or base64 (44): make one with `openssl rand -base64 32`", keyLength)
	}
	var k operatorKey
	copy(k.secret[:], b)
	if k.secret == [keyLength]byte(slices.Repeat(b[:1], keyLength)) {
		return operatorKey{}, errors.New("a placeholder, not a key: make one with `openssl rand -base64 32`")
	}
	sum := sha256.Sum256(append([]byte("idgate operator key id\x00"), b...))
	copy(k.id[:], sum[:])
	return k, nil
}

// KeyIDs names the keys, the sealing one first: eight hex digits that reveal nothing, for the log.
func (r Keyring) KeyIDs() []string {
	ids := make([]string, 0, len(r.keys))
	for _, k := range r.keys {
		ids = append(ids, hex.EncodeToString(k.id[:]))
	}
	return ids
}

// Derive returns n bytes that only the first key gives, for one purpose (cookies, Capabilities, …). They change with
// rotation: sign with them, and verify with [Keyring.DeriveAll]. It panics on an empty keyring and outside 1 to 8,160 bytes.
func (r Keyring) Derive(purpose string, n int) []byte { return r.DeriveAll(purpose, n)[0] }

// DeriveAll returns what [Keyring.Derive] gave under each key, the first key first.
func (r Keyring) DeriveAll(purpose string, n int) [][]byte {
	if len(r.keys) == 0 {
		panic("ledger: deriving from an empty keyring")
	}
	all := make([][]byte, 0, len(r.keys))
	for _, k := range r.keys {
		all = append(all, subkey(k.secret[:], "operator/derive/"+purpose, n))
	}
	return all
}

// Seal seals plaintext with the first key for one purpose and one row; see [ShopKey.Seal]. It is for the few secrets that
// are no Shop's: the Shops' keys and the keys that sign Receipts.
func (r Keyring) Seal(purpose, row string, plaintext []byte) ([]byte, error) {
	if len(r.keys) == 0 {
		return nil, fmt.Errorf("sealing %s: the keyring is empty", purpose)
	}
	k := r.keys[0]
	sealed, err := seal(k.sealing(), purpose, row, plaintext)
	if err != nil {
		return nil, err
	}
	return append(k.id[:], sealed...), nil
}

// Open opens what [Keyring.Seal] has sealed for the same purpose and row, under any key of the keyring.
func (r Keyring) Open(purpose, row string, sealed []byte) ([]byte, error) {
	k, err := r.keyOf(sealed)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", purpose, err)
	}
	return open(k.sealing(), purpose, row, sealed[keyIDLength:])
}

// Reseal returns sealed under the first key and whether that is news: false when it was under the first key already.
func (r Keyring) Reseal(purpose, row string, sealed []byte) (again []byte, changed bool, err error) {
	plaintext, err := r.Open(purpose, row, sealed)
	if err != nil {
		return nil, false, err
	}
	if [keyIDLength]byte(sealed) == r.keys[0].id {
		return sealed, false, nil
	}
	again, err = r.Seal(purpose, row, plaintext)
	return again, err == nil, err
}

// shopKeyPurpose is the purpose under which Shops' keys are sealed.
const shopKeyPurpose = "shop key"

// SealKey seals a Shop's key; the result opens for that Shop only.
func (r Keyring) SealKey(shop string, key ShopKey) ([]byte, error) {
	return r.Seal(shopKeyPurpose, shop, key[:])
}

// OpenKey opens what [Keyring.SealKey] sealed.
func (r Keyring) OpenKey(shop string, sealed []byte) (ShopKey, error) {
	b, err := r.Open(shopKeyPurpose, shop, sealed)
	if err != nil {
		return ShopKey{}, err
	}
	if len(b) != keyLength {
		return ShopKey{}, fmt.Errorf("opening %s: %w", shopKeyPurpose, ErrSealBroken)
	}
	return ShopKey(b), nil
}

// ResealKey is [Keyring.Reseal] for a Shop's key.
func (r Keyring) ResealKey(shop string, sealed []byte) (again []byte, changed bool, err error) {
	return r.Reseal(shopKeyPurpose, shop, sealed)
}

func (r Keyring) keyOf(sealed []byte) (operatorKey, error) {
	if len(sealed) < keyIDLength {
		return operatorKey{}, ErrSealBroken
	}
	for _, k := range r.keys {
		if k.id == [keyIDLength]byte(sealed) {
			return k, nil
		}
	}
	return operatorKey{}, fmt.Errorf("%w (it names key %x; the keyring has %s)", ErrUnknownKey, sealed[:keyIDLength], strings.Join(r.KeyIDs(), ", "))
}

func (k operatorKey) sealing() []byte { return subkey(k.secret[:], "operator/seal", keyLength) }

// Format implements [fmt.Formatter] for every verb, so that no log or error page can show a key.
func (r Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.name()) }

// LogValue implements [slog.LogValuer] to the same end.
func (r Keyring) LogValue() slog.Value { return slog.StringValue(r.name()) }

func (r Keyring) name() string { return "operator keys " + strings.Join(r.KeyIDs(), ", ") }

// subkey derives an independent key from secret by HKDF-SHA-256. Every use of a key has a purpose of its own, so that no
// two uses ever share one.
func subkey(secret []byte, purpose string, n int) []byte {
	b, err := hkdf.Key(sha256.New, secret, nil, "idgate/v1/"+purpose, n)
	if err != nil || n <= 0 {
		panic(fmt.Sprintf("ledger: deriving %d bytes for %s: %v", n, purpose, err))
	}
	return b
}
