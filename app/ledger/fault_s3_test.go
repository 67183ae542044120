package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// s3Server is versitygw: a program of its own that speaks S3 over a directory, and that can be killed and started again.
type s3Server struct {
	t         testing.TB
	exe, addr string
	dir       string
	cmd       *exec.Cmd
}

const (
	s3Key    = "AK"
	s3Secret = "s3cr3tkey"
)

// newS3Server starts a server with an empty bucket.
func newS3Server(t testing.TB) *s3Server {
	t.Helper()
	exe, err := exec.LookPath("versitygw")
	if err != nil {
		unfit(t, `no versitygw, a real S3 server, in PATH. From the project's directory: PATH="$(dirname "$(go tool -modfile=.ci/tools.mod -n versitygw)"):$PATH" go test ./app/ledger/`)
	}
	s := &s3Server{t: t, exe: exe, addr: closedPort(t), dir: t.TempDir()}
	for _, dir := range []string{"meta", "root/bucket"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.start()
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
	})
	return s
}

func (s *s3Server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.exe, "--port", s.addr, "--access", s3Key, "--secret", s3Secret, "--region", "us-east-1", "--quiet",
		"posix", "--sidecar", filepath.Join(s.dir, "meta"), filepath.Join(s.dir, "root"))
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // another program's start has no other sign
	}
}

func (s *s3Server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
	s.cmd = nil
}

// config replicates path to the server, when asked to only.
func (s *s3Server) config(path string) ReplicaConfig {
	return ReplicaConfig{Path: path, URL: "s3://bucket/idgate?region=us-east-1&endpoint=http://" + s.addr, AccessKeyID: s3Key, SecretAccessKey: s3Secret,
		SyncInterval: time.Hour}
}

// leavesNothing fails the test if goroutines are left when all that it started after this call has ended. Litestream's client keeps its
// connections until their server goes or a minute and a half has passed: call it before newS3Server.
func leavesNothing(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// machine is a data directory with a ledger and its replication, in the order of a program's life.
type machine struct {
	*rig
	replica  *Replica
	restored bool
}

func newMachine(t testing.TB, c ReplicaConfig, change ...func(*bounds)) *machine {
	t.Helper()
	t.Setenv("AWS_CA_BUNDLE", "") // of the machine that runs the test
	m := &machine{rig: &rig{TB: t, path: c.Path, now: start, log: &safeBuffer{}}}
	m.ok(os.MkdirAll(filepath.Dir(c.Path), 0o700))
	var err error
	m.replica, err = OpenReplica(t.Context(), c.Path, c, slog.New(slog.NewTextHandler(m.log, nil)))
	m.ok(err)
	for _, f := range change {
		f(&m.replica.bounds)
	}
	m.restored, err = m.replica.Restore(t.Context())
	m.ok(err)
	m.open()
	m.replica.Start(m.l.LeaveCheckpoints)
	return m
}

func (m *machine) sync() {
	m.Helper()
	m.ok(m.replica.Sync(m.Context()))
}

// close is an orderly end; what was not sent is.
func (m *machine) close() {
	m.Helper()
	m.ok(m.l.Close())
	m.ok(m.replica.Close(context.Background()))
}

// restoredCopy is what a fresh machine finds.
func (m *machine) restoredCopy(c ReplicaConfig) string {
	m.Helper()
	c.Path = filepath.Join(m.TempDir(), "idgate.db")
	r, err := OpenReplica(m.Context(), c.Path, c, slog.New(slog.NewTextHandler(m.log, nil)))
	m.ok(err)
	restored, err := r.Restore(m.Context())
	m.ok(err)
	m.ok(r.Close(m.Context()))
	if !restored {
		m.Fatal("there is nothing to restore")
	}
	return content(m, c.Path)
}

// TestFaultReplicaS3Crash: a machine dies and its disk is lost, again and again, at any instant of writing and replicating. The next machine
// restores before it serves: everything up to the last confirmed sync is there, in order and without a gap.
func TestFaultReplicaS3Crash(t *testing.T) {
	if part := os.Getenv(inChild); part != "" {
		path, addr, _ := strings.Cut(part, "\n")
		replicateUntilKilled(t, (&s3Server{addr: addr}).config(path))
		return
	}
	leavesNothing(t)
	chance := draw(t)
	s := newS3Server(t)
	first := newMachine(t, s.config(filepath.Join(t.TempDir(), "idgate.db")))
	first.install(shopHash)
	first.close()
	deaths, lost, kept := max(3, *faults/3), 0, 0
	for range deaths {
		dead := filepath.Join(t.TempDir(), "idgate.db")
		acked, synced := s.dies(dead, 20+chance.IntN(300))
		if err := os.RemoveAll(filepath.Dir(dead)); err != nil {
			t.Fatal(err)
		}
		c := s.config(filepath.Join(t.TempDir(), "idgate.db"))
		m := newMachine(t, c)
		m.want("ok", "PRAGMA integrity_check")
		have := stored(t, m.l.readDB)
		if kept = len(have); !m.restored || kept < synced || kept > acked+1 || !slices.Equal(have, upTo(kept)) {
			t.Fatalf("restored %v: %d notices, the last %v; acknowledged %d, synced %d", m.restored, kept, have[max(0, kept-1):], acked, synced)
		}
		lost += max(0, acked-kept)
		// BigCommerce sends again, or the sweep finds, what the dead machine took with it.
		for n := 1; n <= acked; n++ {
			if first, err := m.record(n); err != nil || first != (n > kept) {
				t.Fatalf("notice %d of %d: first %v, %v", n, kept, first, err)
			}
		}
		m.sync()
		want := dump(t, m.l.readDB)
		if got := m.restoredCopy(c); got != want {
			t.Errorf("restored there is\n%s\nwant\n%s", got, want)
		}
		m.close()
	}
	t.Logf("%d machines died; of their last moments, behind the last confirmed sync, %d acknowledged notices were lost with them and stored again; none before it", deaths, lost)
}

// dies is a machine's life and death: it says how many notices its process acknowledged, and how many of them it had synced.
func (s *s3Server) dies(path string, lines int) (acked, synced int) {
	s.t.Helper()
	cmd := child(s.t.(*testing.T), path+"\n"+s.addr)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	var said []string
	for lines > 0 && in.Scan() {
		var n int
		if _, err := fmt.Sscanf(in.Text(), "synced %d", &n); err == nil {
			synced = n
			lines--
		} else if _, err := fmt.Sscanf(in.Text(), "stored %d", &n); err == nil {
			acked = n
			lines--
		} else {
			said = append(said, in.Text())
		}
	}
	_ = cmd.Process.Kill()
	for in.Scan() { // it had said this before it died
		_, _ = fmt.Sscanf(in.Text(), "stored %d", &acked)
		_, _ = fmt.Sscanf(in.Text(), "synced %d", &synced)
	}
	if err := cmd.Wait(); lines > 0 {
		s.t.Fatalf("the machine ended by itself: %v: %q", err, said)
	}
	return acked, synced
}

// replicateUntilKilled is the machine that dies.
func replicateUntilKilled(t *testing.T, c ReplicaConfig) {
	m := newMachine(t, c)
	if !m.restored {
		t.Fatal("a fresh machine has not restored")
	}
	count := len(stored(t, m.l.readDB))
	fmt.Println("stored", count)
	idle := make(chan bool, 1)
	idle <- true
	for n := count + 1; ; n++ {
		if first, err := m.record(n); err != nil || !first {
			t.Fatal(first, err)
		}
		fmt.Println("stored", n)
		select {
		case <-idle:
			go func() {
				if err := m.replica.Sync(context.Background()); err != nil {
					t.Error(err)
				}
				fmt.Println("synced", n)
				idle <- true
			}()
		default: // a sync is under way
		}
	}
}

// TestFaultReplicaS3Down: the object store goes away while the ledger replicates. The ledger goes on, its status says so, the log stays bounded,
// and when the store is back it gets everything.
func TestFaultReplicaS3Down(t *testing.T) {
	leavesNothing(t)
	s := newS3Server(t)
	c := s.config(filepath.Join(t.TempDir(), "data", "idgate.db"))
	m := newMachine(t, c)
	m.install(shopHash)
	m.sync()
	if st := m.replica.Status(); !st.Replicating || st.LastError != "" || st.LastSync.IsZero() {
		t.Errorf("while it is up: %+v", st)
	}
	s.kill()
	// Litestream looks at the log once a second, and at a thousand pages moves it into the file: it is as large as that and what was
	// written between two looks.
	const notices, looks, pages = 40, 25, 12
	const bound = (1000 + notices*pages) * (4096 + walFrameHeaderSize)
	n, largest := 1, int64(0)
	for range looks {
		for range notices {
			if first, err := m.record(n); err != nil || !first {
				t.Fatalf("notice %d, while the store is down: %v, %v", n, first, err)
			}
			n++
		}
		m.ok(m.replica.db.Sync(t.Context()))
		largest = max(largest, m.replica.Status().WALBytes)
	}
	if largest > bound {
		t.Errorf("the log grew to %d bytes, want at most %d", largest, bound)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := m.replica.Sync(ctx); err == nil {
		t.Error("synced to nobody")
	}
	if st := m.replica.Status(); !st.Replicating || st.LastError == "" {
		t.Errorf("while it is down: %+v", st)
	}
	t.Logf("%d transactions while the store was down: the log was never larger than %.1f MB (bound %.1f MB); what waits to be sent is %.1f MB",
		n-1, mb(largest), mb(bound), mb(size(t, m.replica.db.LTXDir())))
	s.start()
	m.sync()
	if st := m.replica.Status(); !st.Replicating || st.LastError != "" {
		t.Errorf("when it is back: %+v", st)
	}
	want := dump(t, m.l.readDB)
	if got := m.restoredCopy(c); got != want {
		t.Errorf("restored there is\n%s\nwant\n%s", got, want)
	}

	// It is down when the ledger is closed: that is said and does not hang, and the next start catches up.
	s.kill()
	_, err := m.record(n)
	m.ok(err)
	want = dump(t, m.l.readDB)
	m.ok(m.l.Close())
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := m.replica.Close(ctx); err == nil || !strings.Contains(err.Error(), "behind") {
		t.Errorf("closed while the store is down: %v", err)
	}
	s.start()
	m = newMachine(t, c)
	if m.restored {
		t.Error("restored over a ledger that is there")
	}
	m.sync()
	if got := m.restoredCopy(c); got != want {
		t.Errorf("restored there is\n%s\nwant\n%s", got, want)
	}
	m.close()
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// size is how many bytes a directory holds.
func size(t testing.TB, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		n += fi.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
