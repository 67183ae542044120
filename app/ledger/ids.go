package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// newID makes a version 7 UUID of now: time-ordered, so that primary keys have locality, with 74 random bits.
// An id is no capability: knowing one opens nothing.
func newID(now time.Time) string {
	var u uuid.UUID
	_, _ = rand.Read(u[:]) // never fails
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(u[:6], ms[2:])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

// nextID is newID, but always after the one before, also within one millisecond and when the clock is put back: "the latest Decision"
// is the one with the greatest id. Only the writer calls it.
func (l *Ledger) nextID(now time.Time) string {
	id := newID(now)
	if id <= l.lastID {
		u := uuid.MustParse(l.lastID)
		n := binary.BigEndian.Uint64(u[8:])
		binary.BigEndian.PutUint64(u[8:], n&^variantFree|(n+1)&variantFree)
		id = u.String()
	}
	l.lastID = id
	return id
}

// variantFree are the bits of the second half of a UUID that are not its variant.
const variantFree = 1<<62 - 1

// newSecret is n random bytes in hex.
func newSecret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
