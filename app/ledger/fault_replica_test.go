package ledger

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/superfly/ltx"
	"go.uber.org/goleak"
)

// fakeS3 is an object store in this process. It keeps what it has while it is down, and remembers what it was asked.
type fakeS3 struct {
	t       testing.TB
	addr    string
	backend *s3mem.Backend
	handler http.Handler
	server  *httptest.Server

	mu       sync.Mutex
	requests []*http.Request
	silent   chan struct{} // while not nil, nobody is answered until it is closed
}

// newFakeS3 makes a store with an empty bucket. It is down.
func newFakeS3(t testing.TB) *fakeS3 {
	t.Helper()
	f := &fakeS3{t: t, addr: closedPort(t), backend: s3mem.New()}
	if err := f.backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	f.handler = gofakes3.New(f.backend).Server()
	t.Cleanup(f.down)
	return f
}

func (f *fakeS3) up() {
	f.t.Helper()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r)
		silent := f.silent
		f.mu.Unlock()
		if silent != nil {
			select {
			case <-silent:
			case <-r.Context().Done():
				return
			}
		}
		f.handler.ServeHTTP(w, r)
	}))
	_ = f.server.Listener.Close()
	f.server.Listener = l
	f.server.Start()
}

func (f *fakeS3) down() {
	if f.server != nil {
		f.server.Close()
		f.server = nil
	}
}

// fallSilent makes the store take connections and requests, and answer none until speak is called.
func (f *fakeS3) fallSilent() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = make(chan struct{})
}

func (f *fakeS3) speak() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.silent)
	f.silent = nil
}

// config replicates path to the store, when asked to only.
func (f *fakeS3) config(path string) ReplicaConfig {
	return (&s3Server{addr: f.addr}).config(path)
}

// shortly is a context for what is to fail.
func shortly(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestFaultReplicaDownAtStart: the store is down when the ledger opens. The ledger serves at once and moves its log into the file itself, so that
// the log stays bounded however long that lasts; it replicates as soon as the store is there.
func TestFaultReplicaDownAtStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := newFakeS3(t)
	defer f.down()
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	r := newRigAt(t, c.Path)
	r.ok(r.l.Close()) // there is a ledger: nothing waits for the store
	m := newMachine(t, c, func(b *bounds) { b.reach = time.Second })
	const bound = (1000 + 20) * (4096 + walFrameHeaderSize) // SQLite's own thousand pages, and a transaction
	largest := int64(0)
	for n := range 1000 {
		if first, err := m.record(n + 1); err != nil || !first {
			t.Fatal(first, err)
		}
		largest = max(largest, m.replica.Status().WALBytes)
	}
	if largest == 0 || largest > bound {
		t.Errorf("the log grew to %d bytes, want at most %d", largest, bound)
	}
	if err := m.replica.Sync(t.Context()); err == nil {
		t.Error("synced to nobody")
	}
	if st := m.replica.Status(); st.Replicating || st.LastError == "" || !st.LastSync.IsZero() {
		t.Errorf("meanwhile: %+v", st)
	}
	t.Logf("1000 transactions: the log was never larger than %.1f MB (bound %.1f MB)", mb(largest), mb(bound))
	f.up()
	m.sync()
	if st := m.replica.Status(); !st.Replicating || st.LastError != "" || st.LastSync.IsZero() {
		t.Errorf("when it is up: %+v", st)
	}
	want := dump(t, m.l.readDB)
	if got := m.restoredCopy(c); got != want {
		t.Errorf("restored there is\n%s\nwant\n%s", got, want)
	}
	m.close()
}

// TestFaultReplicaLocalState: what Litestream keeps beside the file of what it has sent is damaged between two runs. It sends the file anew.
func TestFaultReplicaLocalState(t *testing.T) {
	f := newFakeS3(t)
	f.up()
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	m := newMachine(t, c)
	m.install(shopHash)
	for n := 1; n <= 20; n++ {
		_, err := m.record(n)
		m.ok(err)
		m.sync()
		if n%10 != 0 {
			continue
		}
		m.close()
		m.damageLocalState()
		m = newMachine(t, c)
		m.sync()
		want := dump(t, m.l.readDB)
		if got := m.restoredCopy(c); got != want {
			t.Errorf("restored there is\n%s\nwant\n%s", got, want)
		}
	}
	m.close()
}

func (m *machine) damageLocalState() {
	m.Helper()
	files, err := filepath.Glob(filepath.Join(m.replica.db.LTXDir(), "0", "*.ltx"))
	m.ok(err)
	if len(files) == 0 {
		m.Fatal("no local state")
	}
	m.ok(os.Truncate(files[len(files)-1], 50))
}

// TestFaultReplicaLetGo: the store stays away until what waits for it is too much for this disk, or Litestream cannot read what it wrote there
// and leaves the log to grow. It is let go of: the disk gets its room back, the ledger moves its log into the file itself, goes on and says so,
// and when the store is back it gets everything.
func TestFaultReplicaLetGo(t *testing.T) {
	if !inOwnProcess(t) { // the kind of locks is chosen before SQLite opens its first file
		return
	}
	f := newFakeS3(t)
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	f.up()
	m := newMachine(t, c, func(b *bounds) { b.backlog, b.wal, b.reach = 256<<10, 8<<20, time.Second })
	m.install(shopHash)
	n := 0
	// untilLetGo writes, and steps Litestream and what looks after it, until it is let go of.
	untilLetGo := func() (waits, wal int64) {
		t.Helper()
		for look := range 200 {
			for range 20 {
				n++
				if first, err := m.record(n); err != nil || !first {
					t.Fatal(first, err)
				}
			}
			_ = m.replica.db.Sync(t.Context())
			if look == 0 {
				_ = m.replica.Sync(shortly(t)) // and finds nobody
			}
			waiting, err := bytesIn(m.replica.db.LTXDir())
			m.ok(err)
			waits, wal = max(waits, waiting), max(wal, m.replica.Status().WALBytes)
			if err := m.replica.work(t.Context(), m.replica.look); err != nil {
				m.is(err, errLetGo)
				return waits, wal
			}
		}
		t.Fatal("not let go of")
		return 0, 0
	}
	letGo := func() {
		t.Helper()
		st := m.replica.Status()
		if st.Replicating || !strings.Contains(st.LastError, "disk was filling up") || st.LastSync.IsZero() {
			t.Errorf("let go of: %+v", st)
		}
		if waits, err := bytesIn(m.replica.db.LTXDir()); err != nil || waits != 0 {
			t.Errorf("let go of, there still wait %d bytes, %v", waits, err)
		}
		before := st.WALBytes
		for range 500 { // more than the log's thousand pages
			n++
			if first, err := m.record(n); err != nil || !first {
				t.Fatal(first, err)
			}
		}
		if after := m.replica.Status().WALBytes; after > max(before, 1000*(4096+walFrameHeaderSize))+20*(4096+walFrameHeaderSize) {
			t.Errorf("let go of, the log grew from %d to %d bytes", before, after)
		}
	}
	caughtUp := func() {
		t.Helper()
		m.sync()
		if st := m.replica.Status(); !st.Replicating || st.LastError != "" {
			t.Errorf("caught up: %+v", st)
		}
		want := dump(t, m.l.readDB)
		if got := m.restoredCopy(c); got != want {
			t.Errorf("restored there is\n%s\nwant\n%s", got, want)
		}
	}
	m.sync()

	f.down()
	waited, wal := untilLetGo()
	t.Logf("the store was away: let go of with %.2f MB waiting and a log of %.1f MB", mb(waited), mb(wal))
	letGo()
	if err := m.replica.Sync(t.Context()); err == nil {
		t.Error("synced to nobody")
	}
	f.up()
	caughtUp()

	m.damageLocalState()
	waited, wal = untilLetGo()
	t.Logf("the local state was damaged: let go of with %.2f MB waiting and a log of %.1f MB", mb(waited), mb(wal))
	letGo()
	caughtUp()
	m.close()
}

// TestFaultReplicaFallsSilent: the store takes requests and answers none, in the middle of a snapshot, during which Litestream leaves the log
// alone. What gets no further is ended; the log stays bounded, the status tells, and everything is sent once the store answers.
func TestFaultReplicaFallsSilent(t *testing.T) {
	f := newFakeS3(t)
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	f.up()
	m := newMachine(t, c, func(b *bounds) { b.reach, b.patience = time.Second, time.Second })
	m.install(shopHash)
	m.sync()
	f.fallSilent()
	other := c
	other.URL = strings.Replace(c.URL, "/idgate", "/other", 1) // what was given up may still be done
	client, err := newReplicaClient(other)
	m.ok(err)
	impatient := &watchedClient{ReplicaClient: client, bounds: &bounds{patience: 50 * time.Millisecond}}
	_, snapshot, err := m.replica.db.SnapshotReader(t.Context())
	m.ok(err)
	for name, call := range map[string]func() error{
		"a snapshot": func() error {
			_, err := impatient.WriteLTXFile(t.Context(), litestream.SnapshotLevel, 1, 9, snapshot)
			return err
		},
		"a file":     func() error { _, err := impatient.OpenLTXFile(t.Context(), 0, 1, 1, 0, 0); return err },
		"a deletion": func() error { return impatient.DeleteLTXFiles(t.Context(), []*ltx.FileInfo{{MinTXID: 1, MaxTXID: 1}}) },
		"a list": func() error {
			files, err := impatient.LTXFiles(t.Context(), 0, 0, false)
			m.ok(err)
			if files.Next() {
				t.Error("a file in a list of nobody")
			}
			return files.Close()
		},
	} {
		if err := call(); !errors.Is(err, errSilent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.ok(snapshot.Close())
	const bound = (1000 + 20*12) * (4096 + walFrameHeaderSize)
	for n := range 500 {
		if first, err := m.record(n + 1); err != nil || !first {
			t.Fatal(first, err)
		}
		if n%20 == 0 {
			m.ok(m.replica.db.Sync(t.Context()))
		}
	}
	if err := m.replica.Sync(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("synced to nobody: %v", err)
	}
	if st := m.replica.Status(); st.WALBytes > bound || !st.Replicating || !strings.Contains(st.LastError, "does not answer") {
		t.Errorf("while it is silent: %+v", st)
	}
	f.speak()
	m.sync()
	if st := m.replica.Status(); st.LastError != "" {
		t.Errorf("when it answers: %+v", st)
	}
	want := dump(t, m.l.readDB)
	if got := m.restoredCopy(c); got != want {
		t.Errorf("restored there is\n%s\nwant\n%s", got, want)
	}
	m.close()
}

// TestFaultEmptyFile: in the ledger's place is a file of no bytes, as a crash leaves of one that was being made. The replica has the ledger.
func TestFaultEmptyFile(t *testing.T) {
	f := newFakeS3(t)
	f.up()
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	m := newMachine(t, c)
	m.install(shopHash)
	m.sync()
	want := dump(t, m.l.readDB)
	m.close()
	c.Path = filepath.Join(t.TempDir(), "idgate.db")
	m.ok(os.WriteFile(c.Path, nil, 0o600))
	m = newMachine(t, c)
	if got := dump(t, m.l.readDB); !m.restored || got != want {
		t.Errorf("restored %v:\n%s\nwant\n%s", m.restored, got, want)
	}
	m.close()
}

// TestFaultCABundle: AWS_CA_BUNDLE, with which no S3 client can be made, appears in the environment. idgate refuses it at its start (see
// ReadReplicaConfig); of one that comes by another way the ledger notices nothing, and the status tells.
func TestFaultCABundle(t *testing.T) {
	f := newFakeS3(t)
	f.up()
	c := f.config(filepath.Join(t.TempDir(), "idgate.db"))
	m := newMachine(t, c)
	m.install(shopHash)
	m.sync()
	m.close()
	t.Setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
	m = &machine{rig: &rig{TB: t, path: c.Path, now: start, log: &safeBuffer{}}}
	var err error
	m.replica, err = OpenReplica(t.Context(), c.Path, c, slog.New(slog.NewTextHandler(m.log, nil)))
	m.ok(err)
	m.open()
	m.replica.Start(m.l.LeaveCheckpoints)
	if err := m.replica.Sync(shortly(t)); err == nil {
		t.Error("synced")
	}
	for n := range 20 {
		_, err := m.record(n)
		m.ok(err)
	}
	if st := m.replica.Status(); st.Replicating || st.LastError == "" {
		t.Errorf("%+v", st)
	} else {
		t.Log(st.LastError)
	}
	m.ok(m.l.Close())
	_ = m.replica.Close(shortly(t))
}
