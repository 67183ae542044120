package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// replicaRig is one installation: a data directory that can be lost, and a replica that stays.
type replicaRig struct {
	t      testing.TB
	config ReplicaConfig
	log    *safeBuffer
	took   int // how often Litestream took over
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newReplicaRig(t testing.TB, url string) *replicaRig {
	t.Helper()
	return &replicaRig{t: t, log: &safeBuffer{},
		config: ReplicaConfig{Path: filepath.Join(t.TempDir(), "data", "idgate.db"), URL: url}}
}

func (g *replicaRig) open() *Replica {
	g.t.Helper()
	r, err := OpenReplica(g.t.Context(), g.config.Path, g.config, slog.New(slog.NewTextHandler(g.log, nil)))
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// file opens the SQLite file with the ledger's own pragmas.
func (g *replicaRig) file() *sql.DB {
	g.t.Helper()
	if err := os.MkdirAll(filepath.Dir(g.config.Path), 0o700); err != nil {
		g.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+g.config.Path+
		"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=wal_autocheckpoint(1000)")
	if err != nil {
		g.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	g.exec(db, `CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT`)
	return db
}

func (g *replicaRig) exec(db *sql.DB, query string, args ...any) {
	g.t.Helper()
	if _, err := db.ExecContext(g.t.Context(), query, args...); err != nil {
		g.t.Fatal(err)
	}
}

// write adds the rows from to until, each in a transaction of its own.
func (g *replicaRig) write(db *sql.DB, from, until int) {
	g.t.Helper()
	for n := from; n < until; n++ {
		g.exec(db, `INSERT INTO rows (n, body) VALUES (?, randomblob(30000))`, n)
	}
}

// content is a digest of every row.
func (g *replicaRig) content(db *sql.DB) string {
	g.t.Helper()
	var s string
	err := db.QueryRowContext(g.t.Context(), `SELECT count(*) || ' rows, last ' || coalesce(max(n), 0) || ', ' ||
		coalesce(hex(substr((SELECT body FROM rows ORDER BY n DESC LIMIT 1), 1, 8)), '') FROM rows`).Scan(&s)
	if err != nil {
		g.t.Fatal(err)
	}
	var check string
	if err := db.QueryRowContext(g.t.Context(), `PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		g.t.Fatalf("integrity: %s, %v", check, err)
	}
	return s
}

func (g *replicaRig) start(r *Replica) {
	r.Start(func(litestream bool) {
		if litestream {
			g.took++
		}
	})
}

func (g *replicaRig) sync(r *Replica) {
	g.t.Helper()
	if err := r.Sync(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

// close is the order of a shutdown: the ledger first, the replica last.
func (g *replicaRig) close(db *sql.DB, r *Replica) {
	g.t.Helper()
	if db != nil {
		if err := db.Close(); err != nil {
			g.t.Fatal(err)
		}
	}
	if err := r.Close(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *replicaRig) restore(r *Replica, want bool) {
	g.t.Helper()
	if restored, err := r.Restore(g.t.Context()); err != nil || restored != want {
		g.t.Fatalf("restored: %v, %v; want %v", restored, err, want)
	}
}

// lose is the machine's end.
func (g *replicaRig) lose() {
	g.t.Helper()
	if err := os.RemoveAll(filepath.Dir(g.config.Path)); err != nil {
		g.t.Fatal(err)
	}
}

// liveAndDie is the whole story over any replica: a new installation, a lost machine, life on the next one, and again.
func (g *replicaRig) liveAndDie() {
	g.t.Helper()
	r := g.open()
	g.restore(r, false) // a new installation
	db := g.file()
	g.start(r)
	g.write(db, 0, 50)
	g.sync(r)
	g.write(db, 50, 300) // across a checkpoint
	g.sync(r)
	status := r.Status()
	if !status.Configured || !status.Replicating || status.LastError != "" || status.LastSync.IsZero() || status.WALBytes == 0 {
		g.t.Errorf("while it works: %+v", status)
	}
	first := g.content(db)
	g.close(db, r)
	g.lose()

	r = g.open()
	g.restore(r, true)
	if fi, err := os.Stat(g.config.Path); err != nil || fi.Mode().Perm() != 0o600 {
		g.t.Errorf("the restored file: %v, %v", fi.Mode(), err)
	}
	db = g.file()
	if got := g.content(db); got != first {
		g.t.Errorf("restored %s, want %s", got, first)
	}
	g.start(r)
	g.write(db, 300, 320)
	second := g.content(db)
	g.close(db, r) // without Sync: Close sends the rest
	g.lose()

	r = g.open()
	g.restore(r, true)
	g.restore(r, false) // it is there
	db = g.file()
	if got := g.content(db); got != second {
		g.t.Errorf("restored again %s, want %s", got, second)
	}
	g.start(r)
	g.sync(r)
	g.close(db, r)
	if g.took != 2 && g.took != 3 { // the second life may have been too short
		g.t.Errorf("Litestream took over %d times in 3 lives", g.took)
	}
}

func TestReplicaOnAnotherDisk(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	newReplicaRig(t, "file://"+t.TempDir()).liveAndDie()
}

func TestReplicaInADirectoryWithABlank(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my backup")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	g := newReplicaRig(t, "file://"+dir)
	db, r := g.file(), g.open()
	g.start(r)
	g.write(db, 0, 1)
	g.sync(r)
	g.close(db, r)
	if names, err := filepath.Glob(filepath.Join(dir, "ltx", "0", "*.ltx")); err != nil || len(names) == 0 {
		t.Errorf("nothing in %s: %v", dir, err)
	}
}

func TestNoReplica(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idgate.db")
	r, err := OpenReplica(t.Context(), path, ReplicaConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if restored, err := r.Restore(t.Context()); restored || err != nil {
		t.Errorf("restored: %v, %v", restored, err)
	}
	r.Start(func(bool) { t.Error("Litestream took over") })
	if err := errors.Join(r.Sync(t.Context()), os.WriteFile(path+"-wal", make([]byte, 32), 0o600)); err != nil {
		t.Error(err)
	}
	if got, want := r.Status(), (ReplicaStatus{WALBytes: 32}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenReplicaRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		config     ReplicaConfig
		says       string
	}{
		{"another file", "/d/idgate.db", ReplicaConfig{Path: "/d/other.db", URL: "file:///r"}, "write ${IDGATE_DATA}/idgate.db there"},
		{"what ReadReplicaConfig refuses", "/d/idgate.db", ReplicaConfig{Path: "/d/idgate.db", URL: "gs://b/p"}, "scheme"},
	} {
		if _, err := OpenReplica(t.Context(), tt.path, tt.config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v; want an error saying %q", tt.name, err, tt.says)
		}
	}
}

// TestFaultReplicaComesBack: the ledger works while its backup disk is not mounted, and catches up when it is.
func TestFaultReplicaComesBack(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := filepath.Join(t.TempDir(), "mount", "idgate")
	g := newReplicaRig(t, "file://"+dir)
	db, r := g.file(), g.open()
	g.restore(r, false) // the file is there: nothing is asked
	g.start(r)
	g.write(db, 0, 10)
	if err := r.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "mount its disk") {
		t.Errorf("synced to nowhere: %v", err)
	}
	if s := r.Status(); s.Replicating || !s.LastSync.IsZero() || !strings.Contains(s.LastError, dir) || g.took != 0 {
		t.Errorf("unmounted: %+v, taken over %d times", s, g.took)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory of an unmounted disk was made")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	g.sync(r)
	g.sync(r)
	if s := r.Status(); !s.Replicating || s.LastError != "" || s.LastSync.IsZero() || g.took != 1 {
		t.Errorf("mounted: %+v, taken over %d times", s, g.took)
	}
	want := g.content(db)
	g.close(db, r)
	if err := errors.Join(r.Close(t.Context()), ignoreStopped(r.Sync(t.Context()))); err != nil {
		t.Errorf("after Close: %v", err)
	}
	g.lose()
	r = g.open()
	g.restore(r, true)
	db = g.file()
	if got := g.content(db); got != want {
		t.Errorf("restored %s, want %s", got, want)
	}
	g.close(db, r)
}

func ignoreStopped(err error) error {
	if errors.Is(err, errReplicaStopped) {
		return nil
	}
	return fmt.Errorf("not stopped: %w", err)
}

// TestFaultReplicaBecomesUnwritable: a replica that can be read but not written does not look well.
func TestFaultReplicaBecomesUnwritable(t *testing.T) {
	dir := t.TempDir()
	g := newReplicaRig(t, "file://"+dir)
	db, r := g.file(), g.open()
	g.start(r)
	g.write(db, 0, 10)
	g.sync(r)
	level := filepath.Join(dir, "ltx", "0")
	if err := errors.Join(os.Rename(level, level+".away"), os.WriteFile(level, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	g.write(db, 10, 20)
	if err := r.Sync(t.Context()); err == nil {
		t.Error("synced to what is no directory")
	}
	if s := r.Status(); s.LastError == "" || !s.Replicating {
		t.Errorf("unwritable: %+v", s)
	}
	if err := errors.Join(os.Remove(level), os.Rename(level+".away", level)); err != nil {
		t.Fatal(err)
	}
	g.sync(r)
	if s := r.Status(); s.LastError != "" {
		t.Errorf("writable again: %+v", s)
	}
	g.close(db, r)
}

// closedPort is a loopback address at which nobody answers.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestFaultUnreachableS3: nothing waits for an object store that is down, except a machine that has no ledger to serve from.
func TestFaultUnreachableS3(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // of the machine that runs the test
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	g := newReplicaRig(t, "s3://bucket/idgate?region=us-east-1&endpoint=http://"+closedPort(t))
	g.config.AccessKeyID, g.config.SecretAccessKey = "AK", "s3cr3t"
	db, r := g.file(), g.open()
	began := time.Now()
	g.restore(r, false)
	g.start(r)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a replica that is down held up the start for %s", took)
	}
	g.write(db, 0, 250) // more than SQLite keeps in the WAL by itself
	if s := r.Status(); s.Replicating || s.WALBytes == 0 || s.WALBytes > 6<<20 {
		t.Errorf("meanwhile: %+v", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := r.Sync(ctx); err == nil {
		t.Error("synced to nobody")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := r.Close(ctx); err == nil || !strings.Contains(err.Error(), "behind") {
		t.Errorf("closing what nobody has: %v", err)
	}
	if g.took != 0 {
		t.Error("Litestream took over without a replica")
	}
	if s := r.Status(); s.LastError == "" || !s.LastSync.IsZero() {
		t.Errorf("afterwards: %+v", s)
	}

	g.lose()
	r = g.open()
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if restored, err := r.Restore(ctx); restored || !errors.Is(err, ErrReplicaUnreachable) {
		t.Errorf("a fresh machine: %v, %v", restored, err)
	}
	if _, err := os.Stat(g.config.Path); err == nil {
		t.Error("a new ledger, while the old one may be in the replica")
	}
	g.close(nil, r)
	if strings.Contains(g.log.String(), "s3cr3t") {
		t.Error("the log shows the secret key")
	}
}

// TestFaultRestoreRefuses tries what must not be taken for a new installation.
func TestFaultRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	g := newReplicaRig(t, "file://"+dir)
	db, r := g.file(), g.open()
	g.start(r)
	for n := range 5 {
		g.write(db, n, n+1)
		g.sync(r)
	}
	g.close(db, r)
	refused := func(name string, want error, says string) {
		t.Helper()
		r := g.open()
		restored, err := r.Restore(t.Context())
		if restored || err == nil || (want != nil && !errors.Is(err, want)) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v", name, restored, err)
		}
		if _, err := os.Stat(g.config.Path); err == nil {
			t.Errorf("%s: there is a file", name)
		}
		g.close(nil, r)
	}
	g.lose()
	if err := errors.Join(os.MkdirAll(filepath.Dir(g.config.Path), 0o700), os.WriteFile(g.config.Path+"-wal", []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	refused("a log without its file", nil, "idgate.db-wal is still there: move it away")
	g.lose()

	for _, level := range []string{"1", "2", "3", "9"} { // what Litestream may have compacted meanwhile
		if err := os.RemoveAll(filepath.Join(dir, "ltx", level)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "ltx", "0", "*.ltx"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	corrupt := files[len(files)-1]
	good, err := os.ReadFile(corrupt)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 0xff
	if err := os.WriteFile(corrupt, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a corrupt file", ErrReplicaBroken, "move the replica away")
	if err := errors.Join(os.WriteFile(corrupt, good, 0o600), os.Rename(files[1], filepath.Join(dir, "second"))); err != nil {
		t.Fatal(err)
	}
	refused("the second file gone", ErrReplicaBroken, "")
	if err := os.Rename(files[0], filepath.Join(dir, "first")); err != nil {
		t.Fatal(err)
	}
	refused("the beginning gone", ErrReplicaBroken, "")
	if err := errors.Join(os.Rename(filepath.Join(dir, "first"), files[0]), os.Rename(filepath.Join(dir, "second"), files[1])); err != nil {
		t.Fatal(err)
	}
	r = g.open()
	g.restore(r, true)
	g.close(nil, r)
}

// TestCrashOnlyTheFileIsLost: Litestream's own state beside it survived, and is older or newer than what is restored.
func TestCrashOnlyTheFileIsLost(t *testing.T) {
	g := newReplicaRig(t, "file://"+t.TempDir())
	db, r := g.file(), g.open()
	g.start(r)
	g.write(db, 0, 20)
	g.close(db, r)
	for _, life := range []int{20, 40} {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(g.config.Path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		r = g.open()
		g.restore(r, true)
		db = g.file()
		if got, want := g.content(db), fmt.Sprintf("%d rows", life); !strings.HasPrefix(got, want) {
			t.Fatalf("restored %s, want %s", got, want)
		}
		g.start(r)
		g.write(db, life, life+20)
		g.sync(r)
		g.close(db, r)
	}
}

// TestCrashLeavesAReplica: the process ends without closing anything; the next one goes on and loses nothing.
func TestCrashLeavesAReplica(t *testing.T) {
	replica, left := t.TempDir(), t.TempDir()
	g := newReplicaRig(t, "file://"+replica)
	db, r := g.file(), g.open()
	g.start(r)
	g.write(db, 0, 20)
	g.sync(r)
	// A killed process leaves its files and its replica as they are: copy both, the replica first, and let the next process find the
	// copies. What the one here goes on to do is nobody's business then.
	if err := os.CopyFS(left, os.DirFS(replica)); err != nil {
		t.Fatal(err)
	}
	g.write(db, 20, 40) // not in the copy
	after := newReplicaRig(t, "file://"+left)
	if err := os.CopyFS(filepath.Dir(after.config.Path), os.DirFS(filepath.Dir(g.config.Path))); err != nil {
		t.Fatal(err)
	}
	r2 := after.open()
	after.restore(r2, false)
	db2 := after.file()
	after.start(r2)
	after.write(db2, 40, 60)
	after.sync(r2)
	want := after.content(db2)
	after.close(db2, r2)
	after.lose()
	r2 = after.open()
	after.restore(r2, true)
	db2 = after.file()
	if got := after.content(db2); got != want {
		t.Errorf("restored %s, want %s", got, want)
	}
	after.close(db2, r2)
	_ = db.Close()
	_ = r.Close(t.Context())
}
