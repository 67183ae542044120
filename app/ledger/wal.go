package ledger

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
)

// SQLite's write-ahead log, as https://www.sqlite.org/fileformat2.html#walformat has it: a header, then frames of a header and a page.
const (
	walHeaderSize      = 32
	walFrameHeaderSize = 24
	walMagic           = 0x377f0682 // and 1 more if checksums are big-endian
)

// tellDamage tells the operator of transactions that the log at path has lost. There is nothing to refuse: what is left is whole. It must be
// called before SQLite opens the file.
func tellDamage(path string, log *slog.Logger) error {
	lost, err := lostInWAL(path)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if lost > 0 {
		log.Error("the ledger's log is damaged: the transactions behind the damage are not in the ledger. The sweep finds their orders again; what the replica has of them can be restored by hand",
			"path", path, "transactions", lost)
	}
	return nil
}

// lostInWAL counts the transactions that stand in the log at path behind a damaged place; 0 if there is no log. SQLite takes such a place
// for one that a crash left half-written, stops there, and says nothing of what it leaves out. A transaction that was half-written has no
// last frame; one that is counted here has, and it may have been acknowledged.
func lostInWAL(path string) (int, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 1<<20)
	header := make([]byte, walHeaderSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, ended(err)
	}
	w := newWAL(header)
	if first, err := r.Peek(16); err == nil && !w.whole {
		w.salts = bytes.Clone(first[8:])
	}
	frame := make([]byte, walFrameHeaderSize+w.pageSize)
	lost := 0
	for {
		if _, err := io.ReadFull(r, frame); err != nil {
			return lost, ended(err)
		}
		if w.whole = w.whole && w.follows(frame); w.whole {
			continue
		}
		last := binary.BigEndian.Uint32(frame[4:]) != 0
		if last && bytes.Equal(frame[8:16], w.salts) { // other salts: it was there before the log began anew
			lost++
		}
	}
}

// ended makes of a file's end, in whatever place, no error.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// wal is a log being read.
type wal struct {
	order    binary.ByteOrder // of the checksums' input
	pageSize int
	salts    []byte    // of every frame since the log last began anew
	sum      [2]uint32 // up to the last frame that was whole
	whole    bool
}

// newWAL reads a header. A damaged one makes a log of which nothing is whole.
func newWAL(header []byte) *wal {
	w := &wal{order: binary.LittleEndian, salts: header[16:24]}
	if binary.BigEndian.Uint32(header)&1 != 0 {
		w.order = binary.BigEndian
	}
	w.add(header[:24])
	w.whole = binary.BigEndian.Uint32(header)&^1 == walMagic && w.matches(header[24:])
	if w.pageSize = int(binary.BigEndian.Uint32(header[8:])); !w.whole {
		w.pageSize = 4096
	}
	return w
}

// follows reports whether frame is the next of the log, and whole.
func (w *wal) follows(frame []byte) bool {
	if !bytes.Equal(frame[8:16], w.salts) {
		return false
	}
	w.add(frame[:8])
	w.add(frame[walFrameHeaderSize:])
	return w.matches(frame[16:])
}

// add continues the checksum over b, whose length is a multiple of 8.
func (w *wal) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		w.sum[0] += w.order.Uint32(b) + w.sum[1]
		w.sum[1] += w.order.Uint32(b[4:]) + w.sum[0]
	}
}

func (w *wal) matches(b []byte) bool {
	return binary.BigEndian.Uint32(b) == w.sum[0] && binary.BigEndian.Uint32(b[4:]) == w.sum[1]
}
