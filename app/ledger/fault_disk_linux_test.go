package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idgate/app/gate"
)

// asked is what was asked of a ledger, and whether it was acknowledged.
type asked struct {
	mu    sync.Mutex
	acked map[string]bool
	errs  []error
}

// ask sends count requests at once, of two kinds, numbered from from.
func (r *rig) ask(a *asked, from, count int) {
	var wg sync.WaitGroup
	for n := from; n < from+count; n++ {
		wg.Go(func() {
			key := fmt.Sprint("notice ", n)
			var err error
			if n%3 != 0 {
				var first bool
				if first, err = r.record(n); err == nil && !first {
					err = errors.New("a notice that nobody had stored is not the first")
				}
			} else {
				key = fmt.Sprint("cart ", n)
				c := Capability{Shop: shopHash, Purpose: ForCart, CartID: key, ExpiresAt: r.now}
				_, err = r.l.RecordCartDecision(context.Background(), r.shop(), r.cartDecision(key, gate.Verify), &c, r.now)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if err == nil {
				a.acked[key] = true
			} else {
				a.errs = append(a.errs, err)
			}
		})
	}
	wg.Wait()
}

// holds checks that a ledger has what was acknowledged and nothing else: a decision with its capability, or neither.
func (a *asked) holds(r *rig) {
	r.Helper()
	rows, err := r.l.readDB.QueryContext(context.Background(), `SELECT 'notice ' || subject FROM notices UNION ALL SELECT cart_id FROM decisions
		UNION ALL SELECT 'capability of ' || cart_id FROM capabilities`)
	r.ok(err)
	defer func() { _ = rows.Close() }()
	var got, want []string
	for rows.Next() {
		var s string
		r.ok(rows.Scan(&s))
		got = append(got, s)
	}
	r.ok(rows.Err())
	for key := range a.acked {
		want = append(want, key)
		if strings.HasPrefix(key, "cart ") {
			want = append(want, "capability of "+key)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.Errorf("there is %q, acknowledged is %q", got, want)
	}
	r.want("ok", "PRAGMA integrity_check")
}

// TestFaultDiskFull: the disk is full while verbs run, the log's or the file's growth failing. What gets an error is not there, what gets none
// is, reads go on; with room again everything goes on without a restart.
func TestFaultDiskFull(t *testing.T) {
	dir, here := onOwnDisk(t, 10)
	if !here {
		return
	}
	chance := draw(t)
	refused, acked, ledgers := 0, 0, max(1, *faults/5)
	for i := range ledgers {
		own := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(own, 0o700); err != nil {
			t.Fatal(err)
		}
		r := newRigAt(t, filepath.Join(own, "idgate.db"))
		a := &asked{acked: map[string]bool{}}
		refused += r.fullDisk(a, dir, chance)
		acked += len(a.acked)
		r.ok(r.l.Close())
		r.ok(os.RemoveAll(own))
	}
	t.Logf("the disk was full %d times: %d requests refused, %d acknowledged; none acknowledged is missing, none refused is there", ledgers*fillings, refused, acked)
}

const fillings = 10

// fullDisk fills a ledger's disk again and again, and says how many requests it refused.
func (r *rig) fullDisk(a *asked, dir string, chance *rand.Rand) (refused int) {
	n := 0
	for i := range fillings {
		r.fill(dir, int64(chance.IntN(60))*4096)
		for a.errs = nil; len(a.errs) == 0; n += 40 {
			r.ask(a, n, 1+chance.IntN(40))
		}
		for _, err := range a.errs {
			r.isDisk(err, "make room")
		}
		refused += len(a.errs)
		a.holds(r)
		if _, err := r.l.ProofsFor(r.Context(), r.shop(), gate.Facts{CartID: "cart 0"}); err != nil {
			r.Errorf("reading while the disk is full: %v", err)
		}
		if i%5 == 0 { // a process that dies now leaves this behind
			dead := &rig{TB: r.TB, path: copied(r, r.path), now: r.now, log: &safeBuffer{}}
			dead.open()
			a.holds(dead)
			r.ok(dead.l.Close())
		}
		r.makeRoom(dir)
		before := len(a.acked)
		a.errs = nil
		r.ask(a, n, 40)
		if n += 40; len(a.acked) != before+40 {
			r.Fatalf("with room again: %v", a.errs)
		}
		a.holds(r)
	}
	// A restart on a full disk either works or says why it does not.
	r.fill(dir, 0)
	_ = r.l.Close()
	if l, err := Open(r.Context(), options(r.path, r.log)); err != nil {
		r.isDisk(err, "make room")
	} else {
		r.ok(l.Close())
	}
	r.makeRoom(dir)
	r.open()
	a.holds(r)
	return refused
}

// TestFaultDiskFullInAVerb: one verb needs more than there is, before its transaction comes to its end. SQLite gives the whole transaction up:
// the verbs that wait in the same one fail with it, and none is half there.
func TestFaultDiskFullInAVerb(t *testing.T) {
	dir, here := onOwnDisk(t, 40)
	if !here {
		return
	}
	r := newRigAt(t, filepath.Join(dir, "idgate.db"))
	a := &asked{acked: map[string]bool{}}
	r.fill(dir, 4<<20)
	release := r.blocked()
	var wg sync.WaitGroup
	var err error
	wg.Go(func() {
		err = r.l.PublishScript(t.Context(), "hash", "integrity", bytes.Repeat([]byte("x"), 16<<20), r.now) // more than the writer's cache
	})
	wg.Go(func() { r.ask(a, 0, 40) })
	release()
	wg.Wait()
	r.isDisk(err, "make room")
	for _, err := range a.errs {
		r.isDisk(err, "make room")
	}
	a.holds(r)
	r.want("0", "SELECT count(*) FROM published_scripts")
	r.makeRoom(dir)
	r.ok(r.l.PublishScript(t.Context(), "hash", "integrity", bytes.Repeat([]byte("x"), 4<<20), r.now))
	r.want("1", "SELECT count(*) FROM published_scripts")
	r.want("ok", "PRAGMA integrity_check")
}

// TestFaultReplicaDiskFull: the disk is full while the ledger replicates. What Litestream writes down beside the ledger does not fit either; with
// room again both go on, and the replica gets everything.
func TestFaultReplicaDiskFull(t *testing.T) {
	dir, here := onOwnDisk(t, 40)
	if !here {
		return
	}
	m := newMachine(t, ReplicaConfig{Path: filepath.Join(dir, "data", "idgate.db"), URL: "file://" + t.TempDir(), SyncInterval: time.Hour})
	m.install(shopHash)
	m.sync()
	a := &asked{acked: map[string]bool{}}
	n, failed := 0, 0
	for range 3 {
		m.fill(dir, 64<<10)
		for a.errs = nil; len(a.errs) == 0; n += 20 {
			m.ask(a, n, 20)
		}
		for _, err := range a.errs {
			m.isDisk(err, "make room")
		}
		a.holds(m.rig)
		m.fill(dir, 0)
		if err := m.replica.Sync(t.Context()); err != nil { // unless Litestream had no more to write down
			failed++
			if st := m.replica.Status(); st.LastError == "" {
				t.Errorf("on a full disk: %+v, %v", st, err)
			}
		}
		m.makeRoom(dir)
		a.errs = nil
		m.ask(a, n, 20)
		if n += 20; len(a.errs) != 0 {
			t.Errorf("with room again: %v", a.errs)
		}
		m.sync()
		if st := m.replica.Status(); st.LastError != "" {
			t.Errorf("with room again: %+v", st)
		}
	}
	t.Logf("the disk was full 3 times, of which Litestream could not write %d times; %d requests acknowledged and replicated", failed, len(a.acked))
	a.holds(m.rig)
	want := dump(t, m.l.readDB)
	if got := m.restoredCopy(m.replica.config); got != want {
		t.Errorf("restored there is\n%s\nwant\n%s", got, want)
	}
	m.close()
}

// TestFaultLocksAreKept: Litestream closes descriptors of the ledger's file when it fails to begin and when it is let go of, with which a process
// loses its POSIX locks on it. A visitor, such as the sqlite3 program, still finds the ledger in use; else it would take the log away with
// it when it leaves.
func TestFaultLocksAreKept(t *testing.T) {
	if path, ok := strings.CutPrefix(os.Getenv(inChild), "visitor "); ok {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		// SQLite's SHARED_FIRST and SHARED_SIZE: whoever has these bytes alone is the last to leave.
		err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: 0x40000002, Len: 510})
		if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EACCES) {
			t.Errorf("the visitor may take the file for itself: %v", err)
		}
		return
	}
	if !inOwnProcess(t) { // the kind of locks is chosen before SQLite opens its first file
		return
	}
	r := newRig(t)
	f, err := os.Open(r.path)
	r.ok(err)
	r.ok(f.Close())
	if out, err := child(t, "visitor "+r.path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestFaultReadOnlyDisk: the disk is mounted read-only when the ledger is opened, cleanly closed before or left by a process that died. It is
// refused with its name and the remedy, changed in nothing, and opened once the disk can be written.
func TestFaultReadOnlyDisk(t *testing.T) {
	dir, here := onOwnDisk(t, 8)
	if !here {
		return
	}
	r := newRigAt(t, filepath.Join(dir, "idgate.db"))
	for n := range 20 {
		_, err := r.record(n + 1)
		r.ok(err)
	}
	died := filepath.Join(dir, "died")
	r.ok(os.Mkdir(died, 0o700))
	left := copied(t, r.path)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(left + suffix)
		r.ok(err)
		r.ok(os.WriteFile(filepath.Join(died, "idgate.db"+suffix), b, 0o600))
	}
	r.ok(r.l.Close())
	for _, path := range []string{r.path, filepath.Join(died, "idgate.db")} {
		r := &rig{TB: t, path: path, now: start, log: &safeBuffer{}}
		before := raw(t, path)
		r.ok(syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		l, err := Open(t.Context(), options(path, r.log))
		if err == nil {
			r.ok(l.Close())
		}
		r.isDisk(err, "writable for the user that runs idgate")
		if !bytes.Equal(raw(t, path), before) {
			t.Error("the files were changed")
		}
		r.ok(syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
		r.open()
		if got := stored(t, r.l.readDB); !slices.Equal(got, upTo(20)) {
			t.Errorf("writable again, there are %v", got)
		}
		_, err = r.record(21)
		r.ok(err)
		r.ok(r.l.Close())
	}
}

// TestFaultDiskTurnsReadOnly: while the ledger runs, the disk stops taking writes, as one does that the kernel has made read-only after an
// error. (Nobody else can: a disk with files open for writing is not let go of. Here the process is limited to files of no size, which SQLite
// takes for the same.) Verbs get errors, reads go on, and all goes on as soon as the disk takes writes again.
func TestFaultDiskTurnsReadOnly(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	r := newRig(t)
	a := &asked{acked: map[string]bool{}}
	refused, n := 0, 0
	for range *faults {
		r.ask(a, n, 40)
		n += 40
		if len(a.errs) != 0 {
			t.Fatalf("while the disk is writable: %v", a.errs)
		}
		files := raw(t, r.path)
		noFileBeyond(t, 0)
		r.ask(a, n, 40)
		n += 40
		if len(a.errs) != 40 {
			t.Errorf("%d of 40 requests got an error on a disk that takes nothing", len(a.errs))
		}
		for _, err := range a.errs {
			r.isDisk(err, "does not read or write")
		}
		refused, a.errs = refused+len(a.errs), nil
		a.holds(r)
		if !bytes.Equal(raw(t, r.path), files) {
			t.Error("the files were changed")
		}
		noFileBeyond(t, -1)
	}
	r.ask(a, n, 40)
	a.holds(r)
	t.Logf("%d times: %d requests refused, %d acknowledged; none acknowledged is missing, none refused is there", *faults, refused, len(a.acked))
}

// TestFaultTornWrite: the disk takes a part of what a transaction writes, up to any byte, and no more. The request gets an error and is not there,
// also not for a process that finds the files as they are then.
func TestFaultTornWrite(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	chance := draw(t)
	r := newRig(t)
	n := 1
	for ; n <= 5; n++ {
		_, err := r.record(n)
		r.ok(err)
	}
	torn := 0
	for range 3 * *faults {
		fi, err := os.Stat(r.path + "-wal")
		r.ok(err)
		noFileBeyond(t, fi.Size()+int64(chance.IntN(10*4120)))
		_, err = r.record(n)
		noFileBeyond(t, -1)
		if err == nil { // it fitted
			n++
			continue
		}
		r.isDisk(err, "does not read or write")
		torn++
		dead := &rig{TB: t, path: copied(t, r.path), now: r.now, log: &safeBuffer{}}
		dead.open()
		if got := stored(t, dead.l.readDB); !slices.Equal(got, upTo(n-1)) {
			t.Errorf("after a torn write another process finds %v, want up to %d", got, n-1)
		}
		r.ok(dead.l.Close())
		if got := stored(t, r.l.readDB); !slices.Equal(got, upTo(n-1)) {
			t.Errorf("after a torn write there is %v, want up to %d", got, n-1)
		}
		if first, err := r.record(n); err != nil || !first {
			t.Fatalf("again: first %v, %v", first, err)
		}
		n++
	}
	r.want("ok", "PRAGMA integrity_check")
	t.Logf("%d writes torn, %d transactions acknowledged", torn, n-1)
}
