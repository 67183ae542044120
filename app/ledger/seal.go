package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// ErrSealBroken is returned for what was altered, moved from another column, row or Shop, or never sealed.
var ErrSealBroken = errors.New("the sealed value does not open here: it was altered, moved from elsewhere or sealed with another key")

// sealVersion is the first byte of what is sealed: AES-256-GCM, 12 random bytes of nonce, purpose and row authenticated.
const sealVersion = 1

// A ShopKey seals one Shop's personal data and secrets, and hashes its shoppers' mailboxes. It is stored sealed by the
// operator's key; when it is destroyed, what it has sealed is gone from the file and from every replica and backup of it.
// Printing it shows nothing. The zero ShopKey is no key: it seals and opens nothing.
type ShopKey [keyLength]byte

// NewShopKey makes a key from 32 bytes of rand. Like crypto/rand.Read it does not return without randomness.
func NewShopKey(rand io.Reader) ShopKey {
	var k ShopKey
	mustRead(rand, k[:])
	return k
}

// Seal seals plaintext for one purpose (the column) and one row (its primary key, with the Shop where that is not in it).
// Neither is stored in the result; [ShopKey.Open] must be told the same, so a sealed value that somebody with write access
// to the file moves to another column or row does not open there. Sealing twice gives two different results, 29 bytes
// longer than the plaintext. The nonce is random: one key is good for 2^32 values.
func (k ShopKey) Seal(purpose, row string, plaintext []byte) ([]byte, error) {
	if k == (ShopKey{}) {
		return nil, fmt.Errorf("sealing %s: the shop has no key", purpose)
	}
	return seal(k.sealing(), purpose, row, plaintext)
}

// Open opens what [ShopKey.Seal] sealed for the same purpose and row, or errs with [ErrSealBroken].
func (k ShopKey) Open(purpose, row string, sealed []byte) ([]byte, error) {
	if k == (ShopKey{}) {
		return nil, fmt.Errorf("opening %s: the shop has no key", purpose)
	}
	return open(k.sealing(), purpose, row, sealed)
}

// Derive returns 32 bytes for one purpose, to key a MAC with.
func (k ShopKey) Derive(purpose string) []byte {
	return subkey(k[:], "shop/derive/"+purpose, keyLength)
}

// MailboxHash is the 32-byte keyed hash under which a mailbox is looked up: equal for the spellings that
// [NormalizeMailbox] takes for one mailbox, different in every Shop, and worth nothing without the key.
func (k ShopKey) MailboxHash(mailbox string) []byte {
	m := hmac.New(sha256.New, subkey(k[:], "shop/mailbox", keyLength))
	_, _ = io.WriteString(m, NormalizeMailbox(mailbox))
	return m.Sum(nil)
}

func (k ShopKey) sealing() []byte { return subkey(k[:], "shop/seal", keyLength) }

// Format implements [fmt.Formatter] for every verb, so that no log or error page can show the key.
func (k ShopKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "shop key") }

// LogValue implements [slog.LogValuer] to the same end.
func (k ShopKey) LogValue() slog.Value { return slog.StringValue("shop key") }

// MarshalText keeps the key out of JSON.
func (k ShopKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a shop key is not to be written")
}

func seal(key []byte, purpose, row string, plaintext []byte) ([]byte, error) {
	if purpose == "" || row == "" {
		return nil, errors.New("sealing without a purpose or a row: the value could be moved")
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", purpose, err)
	}
	return gcm.Seal([]byte{sealVersion}, nil, plaintext, place(purpose, row)), nil
}

func open(key []byte, purpose, row string, sealed []byte) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", purpose, err)
	}
	if len(sealed) < 1 || sealed[0] != sealVersion {
		return nil, fmt.Errorf("opening %s: %w", purpose, ErrSealBroken)
	}
	plaintext, err := gcm.Open(nil, nil, sealed[1:], place(purpose, row))
	if err != nil { // its text is the same for every cause
		return nil, fmt.Errorf("opening %s: %w", purpose, ErrSealBroken)
	}
	return plaintext, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// place is the additional data: each part behind its length, so that ("ab", "c") is not ("a", "bc").
func place(parts ...string) []byte {
	aad := []byte("idgate/seal/v1")
	for _, p := range parts {
		aad = binary.BigEndian.AppendUint32(aad, uint32(len(p)))
		aad = append(aad, p...)
	}
	return aad
}

// domains maps a mail domain as the DNS would look it up (UTS 46), without judging it.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// NormalizeMailbox is the spelling under which a mailbox is compared: trimmed, the domain in lower-case ASCII (IDNA), the
// local part in lower case if it is ASCII, else in NFC and otherwise as written.
//
// Plus-tags and dots stay: only the mailbox's own provider knows whether a.b+c@ and ab@ are one mailbox, and where they are
// two, taking them for one would hand somebody else's Proof over. The same goes for compatibility forms and upper case
// outside ASCII (the Kelvin sign, ı and İ, ligatures), with which look-alikes of a victim's mailbox can be registered:
// RFC 6532 §3.1 warns of NFKC here. To miss a Proof costs a shopper one more verification; to find a wrong one is the attack.
func NormalizeMailbox(mailbox string) string {
	mailbox = strings.TrimSpace(mailbox)
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return normalLocal(mailbox)
	}
	domain := mailbox[at+1:]
	if ascii, err := domains.ToASCII(domain); err == nil {
		domain = ascii
	}
	return normalLocal(mailbox[:at]) + "@" + asciiLower(strings.TrimRightFunc(domain, isDotOrSpace))
}

func isDotOrSpace(r rune) bool { return r == '.' || unicode.IsSpace(r) }

func normalLocal(s string) string {
	if isASCII(s) {
		return asciiLower(s)
	}
	if n := norm.NFC.String(s); !isASCII(n) {
		return n
	}
	return s // a lone compatibility character, as the Kelvin sign: never the mailbox of the plain letter
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asciiLower lower-cases A to Z byte by byte: bytes that are no UTF-8 stay what they are.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
