package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// A search for a mailbox is named by its keyed hash and a mask of what was typed, sealed for the Shop: a page's address may carry it, since
// nobody reads anything from it, and it finds nothing in another Shop.
const (
	searchPurpose = "search"
	longestMask   = 64 // bytes of a domain: the sealed search stays shorter than the longest mailbox
)

// SealSearch names a search for a mailbox in letters, digits, "-" and "_", at most 217 of them.
func (s *Shop) SealSearch(mailbox string) (string, error) {
	sealed, err := s.key.Seal(searchPurpose, s.Hash, append(s.key.MailboxHash(mailbox), mask(mailbox)...))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// OpenSearch reads the mailbox's keyed hash and its mask from what SealSearch made for this Shop, or errs with [ErrSealBroken].
func (s *Shop) OpenSearch(sealed string) (hash, masked string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != sealed { // it passes over line ends, and over bits that say nothing
		return "", "", ErrSealBroken
	}
	b, err = s.key.Open(searchPurpose, s.Hash, b)
	if err != nil {
		return "", "", err
	}
	return hex.EncodeToString(b[:sha256.Size]), string(b[sha256.Size:]), nil
}

// mask is a mailbox as it is shown to whoever has searched for it: its first letter and its domain.
func mask(mailbox string) string {
	mailbox = strings.TrimSpace(mailbox)
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return "…"
	}
	_, first := utf8.DecodeRuneInString(mailbox)
	domain := mailbox[at+1:]
	if len(domain) > longestMask {
		domain = strings.ToValidUTF8(domain[:longestMask], "") + "…"
	}
	return mailbox[:min(first, at)] + "…@" + domain
}
