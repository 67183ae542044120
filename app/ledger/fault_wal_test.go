package ledger

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// killedWriter is a ledger whose process was killed after it had acknowledged the Notices 1 to count; what it wrote until it died is there too.
func killedWriter(t *testing.T, count int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "idgate.db")
	r := newRigAt(t, path)
	if err := r.l.Close(); err != nil { // everything so far is in the file, and the log begins with what the child writes
		t.Fatal(err)
	}
	cmd := child(t, path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == fmt.Sprint("stored ", count) {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if lines.Text() != fmt.Sprint("stored ", count) {
		t.Fatalf("the writer ended by itself: %q, %v", lines.Text(), lines.Err())
	}
	return path
}

// writeUntilKilled is the process that killedWriter kills.
func writeUntilKilled(t *testing.T, path string) {
	r := &rig{TB: t, path: path, now: start, log: &safeBuffer{}}
	r.open()
	for n := 1; ; n++ {
		if first, err := r.record(n); err != nil || !first {
			t.Fatal(first, err)
		}
		fmt.Println("stored", n)
	}
}

// walFrame is a frame of a write-ahead log that is whole.
type walFrame struct {
	offset int
	last   bool // of its transaction
}

// readWAL lists the frames since the log last began anew.
func readWAL(t testing.TB, b []byte) (frames []walFrame, size int) {
	t.Helper()
	size = walFrameHeaderSize + int(binary.BigEndian.Uint32(b[8:]))
	for at := walHeaderSize; at+size <= len(b) && slices.Equal(b[at+8:at+16], b[16:24]); at += size {
		frames = append(frames, walFrame{at, binary.BigEndian.Uint32(b[at+4:]) != 0})
	}
	for len(frames) > 0 && !frames[len(frames)-1].last {
		frames = frames[:len(frames)-1]
	}
	if len(frames) == 0 {
		t.Fatal("the log is empty")
	}
	return frames, size
}

// TestFaultCorruptLastWALPage: of a killed process the log's last pages are damaged. Whatever was committed before the damage is there,
// and nothing after it; the log says how much that is; and everything goes on.
func TestFaultCorruptLastWALPage(t *testing.T) {
	if path := os.Getenv(inChild); path != "" {
		writeUntilKilled(t, path)
		return
	}
	chance := draw(t)
	short, long := 20+chance.IntN(60), 140+chance.IntN(60) // of about 8 pages each: a long log has begun anew
	lostAll := 0
	for _, count := range []int{short, long} {
		path := killedWriter(t, count)
		log, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		frames, size := readWAL(t, log)
		whole := reopenDamaged(t, path, log)
		if n := len(whole.stored); n < count || whole.lost != 0 {
			t.Fatalf("undamaged there are %d notices of %d, and %d are said to be lost", n, count, whole.lost)
		}
		if !slices.Equal(whole.stored, upTo(len(whole.stored))) {
			t.Fatalf("undamaged there are %v", whole.stored)
		}
		kinds := damages(chance, frames, size)
		times := max(*faults, len(kinds))
		if count == long { // what differs is only what stands behind its end
			times /= 3
			chance.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		}
		for i := range times {
			d := kinds[i%len(kinds)]
			t.Run(fmt.Sprintf("%d/%s/%d", count, d.name, i), func(t *testing.T) {
				damaged, first := d.do(slices.Clone(log))
				gone, said := 0, 0
				for k, f := range frames {
					if !f.last || k < first {
						continue
					}
					gone++
					// What was cut off, or does not look like this log's any more, nobody can see.
					if f.offset+size <= len(damaged) && slices.Equal(damaged[f.offset+8:f.offset+16], log[16:24]) && !slices.Equal(damaged[f.offset+4:f.offset+8], make([]byte, 4)) {
						said++
					}
				}
				lostAll += gone
				got := reopenDamaged(t, path, damaged)
				if want := upTo(len(whole.stored) - gone); !slices.Equal(got.stored, want) {
					t.Errorf("there are %d notices, the last %v; want %d", len(got.stored), got.stored[max(0, len(got.stored)-1):], len(want))
				}
				if got.lost != said {
					t.Errorf("%d transactions are said to be lost, want %d", got.lost, said)
				}
			})
		}
	}
	t.Logf("%d transactions in or behind a damage were left out, none before one", lostAll)
}

// damage changes a log; its first damaged frame is first.
type damage struct {
	name string
	do   func(log []byte) (damaged []byte, first int)
}

// damages draws places in a log.
func damages(chance *rand.Rand, frames []walFrame, size int) []damage {
	end := frames[len(frames)-1].offset + size
	flip := func(log []byte, at int) []byte { log[at] ^= byte(1 + chance.IntN(255)); return log }
	last := func() int { return len(frames) - 1 }
	some := func() int { return chance.IntN(len(frames)) }
	at := func(name string, frame func() int, from, until int) damage {
		return damage{name, func(log []byte) ([]byte, int) {
			k := frame()
			return flip(log, frames[k].offset+from+chance.IntN(until-from)), k
		}}
	}
	return []damage{
		at("last page", last, walFrameHeaderSize, size),
		at("last frame's header", last, 0, walFrameHeaderSize),
		at("some page", some, walFrameHeaderSize, size),
		at("some frame's page number", some, 0, 4),
		{"last page zeroed", func(log []byte) ([]byte, int) {
			clear(log[end-size+walFrameHeaderSize : end])
			return log, last()
		}},
		{"cut off in the last frame", func(log []byte) ([]byte, int) {
			return log[:end-1-chance.IntN(size-1)], last()
		}},
		{"cut off anywhere", func(log []byte) ([]byte, int) {
			cut := walHeaderSize + chance.IntN(end-walHeaderSize)
			return log[:cut], (cut - walHeaderSize) / size
		}},
		{"garbage behind", func(log []byte) ([]byte, int) {
			for range 1 + chance.IntN(3*size) {
				log = append(log[:max(end, len(log))], byte(chance.Uint32()))
			}
			return log, len(frames)
		}},
		{"page-sized garbage in the last frame's place", func(log []byte) ([]byte, int) {
			for i := end - size; i < end; i++ {
				log[i] = byte(chance.Uint32())
			}
			return log, last()
		}},
		{"the log's own header", func(log []byte) ([]byte, int) { return flip(log, chance.IntN(walHeaderSize)), 0 }},
	}
}

// reopened is what a ledger holds after its log was replaced.
type reopened struct {
	stored []int
	lost   int // transactions, as the program's log says
}

// reopenDamaged opens a copy of the ledger at path with another log, checks it, sends every Notice again, and opens it once more.
func reopenDamaged(t *testing.T, path string, log []byte) (got reopened) {
	t.Helper()
	r := &rig{TB: t, path: filepath.Join(t.TempDir(), "idgate.db"), now: start, log: &safeBuffer{}}
	main, err := os.ReadFile(path)
	r.ok(err)
	r.ok(os.WriteFile(r.path, main, 0o600))
	r.ok(os.WriteFile(r.path+"-wal", log, 0o600))
	r.open()
	r.want("ok", "PRAGMA integrity_check")
	got.stored = stored(t, r.l.readDB)
	if m := regexp.MustCompile(`log is damaged.* transactions=(\d+)`).FindStringSubmatch(r.log.String()); m != nil {
		got.lost, err = strconv.Atoi(m[1])
		r.ok(err)
	}
	// Everything is sent again, the writer's last too, and a little more. What is there is not the first.
	again := len(got.stored) + 20
	var wg sync.WaitGroup
	for n := 1; n <= again; n++ {
		wg.Go(func() {
			if first, err := r.record(n); err != nil || first != (n > len(got.stored)) {
				t.Errorf("notice %d, with %d stored: first %v, %v", n, len(got.stored), first, err)
			}
		})
	}
	wg.Wait()
	r.ok(r.l.Close())
	r.open()
	all := stored(t, r.l.readDB)
	if slices.Sort(all); !slices.Equal(all, upTo(again)) {
		t.Errorf("afterwards there are %d notices, want %d", len(all), again)
	}
	r.want("ok", "PRAGMA integrity_check")
	r.ok(r.l.Close())
	return got
}
