package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/benbjohnson/litestream/file"
	"github.com/benbjohnson/litestream/s3"
)

// Errors that stop a start. Neither is met when the ledger's file is in its place.
var (
	// ErrReplicaUnreachable: there is no ledger here, and the replica cannot say whether it has one. Starting a new one
	// would lead to the old one being overwritten, so nothing is started.
	ErrReplicaUnreachable = errors.New("there is no ledger here and its replica cannot be reached: make it reachable, or set IDGATE_REPLICA_URL to nothing to start a new ledger")
	// ErrReplicaBroken: the replica has something, but not all that a restore needs.
	ErrReplicaBroken = errors.New("the replica holds a ledger that cannot be restored whole: restore a copy by hand, or move the replica away to start a new ledger")
)

var (
	errReplicaStopped = errors.New("replication is not running")
	errUnreached      = errors.New("the replica cannot be reached")
)

const (
	// reachPause is the first pause after a failed attempt; it doubles up to reachPauseMax.
	reachPause    = time.Second
	reachPauseMax = time.Minute
	// lookPause is how often a replication that has begun is looked after.
	lookPause = 10 * time.Second
	// closeTimeout is how long Close tries to send the last changes.
	closeTimeout = 10 * time.Second
	// lockTimeout is how long Litestream waits for the ledger's writer, as the ledger's own connections do.
	lockTimeout = 5 * time.Second
)

// A Replica keeps a copy of the ledger's file elsewhere, by Litestream within this process. What it has sent trails what is
// committed by about [ReplicaConfig.SyncInterval]: a 2xx promises this machine's disk, not the replica.
//
// The order of a program's life is OpenReplica, Restore, Open of the Ledger, Start, Close of the Ledger, Close. Restore
// comes before anything opens the file; Litestream's own descriptors must be the last to be closed, because closing any
// descriptor of a file drops all POSIX locks that the process has on it; where the system has locks that outlive that, they are
// used (see keepLocks). For the same reason Litestream is not given the file until the replica has been reached: its own attempts
// would open and close the file once a second.
//
// Litestream adds the tables _litestream_seq and _litestream_lock to the file.
type Replica struct {
	config ReplicaConfig
	log    *slog.Logger
	client *watchedClient // these three are made anew by letGo
	db     *litestream.DB
	store  *litestream.Store

	working  chan struct{} // holds one token while beginning, syncing, letting go or closing
	takeOver func(bool)    // see Start
	bounds   bounds

	mu          sync.Mutex // of what follows; also of client, db and store, for Status
	started     bool
	replicating bool
	closed      bool
	failure     error     // of the last attempt to begin
	lastSync    time.Time // of those that were let go
	stop        context.CancelFunc
	stopped     chan struct{}
}

// ReplicaStatus is a Replica's state for the health page.
type ReplicaStatus struct {
	Configured  bool
	Replicating bool      // the replica has been reached since Start, and Litestream takes care of the WAL
	Target      string    // where it is; "" if not configured
	LastSync    time.Time // when all that was committed was last known to be there; zero if never since Start
	LastError   string    // "" once it has worked again
	WALBytes    int64     // size of the write-ahead log: about 4 MB, and what was written in a second, or while a snapshot was being sent
}

// OpenReplica prepares the replication of dbPath as c says. It reaches for nothing: neither the file nor the replica. When c
// is not configured, every method does nothing.
func OpenReplica(_ context.Context, dbPath string, c ReplicaConfig, log *slog.Logger) (*Replica, error) {
	keepLocks()
	r := &Replica{config: c, log: log.With("part", "replica"), working: make(chan struct{}, 1), bounds: usualBounds}
	if !c.Configured() {
		r.config.Path = dbPath
		return r, nil
	}
	if err := r.open(dbPath); err != nil {
		return nil, fmt.Errorf("opening the replica: %w", err)
	}
	return r, nil
}

func (r *Replica) open(dbPath string) error {
	if err := r.config.check(); err != nil {
		return err
	}
	path, err := filepath.Abs(dbPath)
	if err != nil {
		return err
	}
	if named, err := filepath.Abs(r.config.Path); err != nil || named != path {
		return fmt.Errorf("litestream.yml replicates %s, the ledger is %s: write ${IDGATE_DATA}/%s there", r.config.Path, path, filepath.Base(path))
	}
	client, err := newReplicaClient(r.config)
	if err != nil {
		return err
	}
	r.client = &watchedClient{ReplicaClient: client, bounds: &r.bounds}
	r.db = litestream.NewDB(path)
	r.db.BusyTimeout = lockTimeout
	r.db.Replica = litestream.NewReplicaWithClient(r.db, r.client)
	if f, ok := client.(*file.ReplicaClient); ok {
		f.Replica = r.db.Replica // from which it takes the files' permissions
	}
	if r.config.SyncInterval > 0 {
		r.db.Replica.SyncInterval = r.config.SyncInterval
	}
	r.store = litestream.NewStore([]*litestream.DB{r.db}, litestream.DefaultCompactionLevels)
	if r.config.SnapshotInterval > 0 {
		r.store.SnapshotInterval = r.config.SnapshotInterval
	}
	if r.config.SnapshotRetention > 0 {
		r.store.SnapshotRetention = r.config.SnapshotRetention
	}
	r.store.SetShutdownSyncTimeout(closeTimeout)
	quiet := slog.New(warnings{r.log.Handler()})
	r.store.Logger = quiet
	r.db.SetLogger(quiet)
	client.SetLogger(quiet)
	return nil
}

func newReplicaClient(c ReplicaConfig) (litestream.ReplicaClient, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("dbs: url: not a URL")
	}
	if u.Scheme == "file" {
		// Not by its URL, which litestream would take percent-encoded for the path.
		return file.NewReplicaClient(filepath.Clean(u.Path)), nil
	}
	client, err := litestream.NewReplicaClientFromURL(c.URL)
	if err != nil {
		return nil, err
	}
	if s, ok := client.(*s3.ReplicaClient); ok && c.AccessKeyID != "" {
		s.AccessKeyID, s.SecretAccessKey = c.AccessKeyID, c.SecretAccessKey
	}
	return client, nil
}

// Start replicates in the background, as soon as the replica can be reached. The ledger must be open. While Litestream takes
// care of the WAL its checkpoints are its own. takeOver, if not nil, is called with true when that begins, to set
// wal_autocheckpoint to 0 on the ledger's connections, and with false when it ends and they must checkpoint as usual again, or
// the WAL would grow for as long as the replica is down. It must not call the Replica.
func (r *Replica) Start(takeOver func(litestream bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.config.Configured() || r.started || r.closed {
		return
	}
	r.started, r.takeOver, r.stopped = true, takeOver, make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go r.run(ctx)
}

func (r *Replica) run(ctx context.Context) {
	defer close(r.stopped)
	pause := reachPause
	for {
		err := r.step(ctx)
		if ctx.Err() != nil || errors.Is(err, errReplicaStopped) {
			return
		}
		wait := lookPause
		if err != nil {
			r.log.Error("not replicating; the ledger goes on without", "replica", r.config.Target(), "error", err, "again_in", pause)
			wait, pause = pause, min(2*pause, reachPauseMax)
		} else {
			pause = reachPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// step begins if Litestream does not have the file, and looks after it if it has.
func (r *Replica) step(ctx context.Context) error {
	return r.work(ctx, func() error {
		if err := r.begin(ctx); err != nil {
			return err
		}
		return r.look()
	})
}

// work runs f while nothing else works.
func (r *Replica) work(ctx context.Context, f func() error) error {
	select {
	case r.working <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.working }()
	return f()
}

// begin gives Litestream the file, once the replica has been reached. It may be repeated until it succeeds, and after. It
// is work.
func (r *Replica) begin(ctx context.Context) error {
	r.mu.Lock()
	closed, replicating := r.closed, r.replicating
	r.mu.Unlock()
	switch {
	case closed:
		return errReplicaStopped
	case ctx.Err() != nil:
		return ctx.Err()
	case replicating:
		return nil
	}
	err := r.tryBegin(ctx)
	r.mu.Lock()
	r.failure, r.replicating = err, err == nil
	r.mu.Unlock()
	if err != nil {
		return err
	}
	r.log.Info("replicating", "replica", r.config.Target())
	if r.takeOver != nil {
		r.takeOver(true)
	}
	return nil
}

func (r *Replica) tryBegin(ctx context.Context) error {
	if err := r.reach(ctx); err != nil {
		return fmt.Errorf("%w: %w", errUnreached, err)
	}
	// Litestream asks this once, with a lock without which it does not look after the WAL: while the replica is known to answer.
	for _, level := range append(litestream.DefaultCompactionLevels[1:], &litestream.CompactionLevel{Level: litestream.SnapshotLevel}) {
		if _, err := r.db.MaxLTXFileInfo(ctx, level.Level); err != nil {
			return fmt.Errorf("%w: %w", errUnreached, err)
		}
	}
	var damaged *litestream.LTXError
	if _, err := r.db.Pos(); errors.As(err, &damaged) && damaged.IsAutoRecoverable() {
		r.log.Warn("what Litestream keeps beside the ledger is damaged; it sends the whole file again", "error", err)
		if err := r.db.ResetLocalState(ctx); err != nil {
			return err
		}
	}
	if err := r.db.Open(); err != nil {
		return err
	}
	// The first makes Litestream hold the WAL, and sends nothing. The store's loops come after it: they would complain of a
	// file that has no position yet.
	if err := r.db.Sync(ctx); err != nil {
		return err
	}
	return r.store.Open(ctx)
}

// reach asks the replica for what every replica can answer.
func (r *Replica) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.bounds.reach)
	defer cancel()
	if f, ok := r.client.ReplicaClient.(*file.ReplicaClient); ok {
		// Litestream would make it: an unmounted disk would look like an empty replica.
		if fi, err := os.Stat(f.Path()); err != nil || !fi.IsDir() {
			return fmt.Errorf("the directory %s is not there: make it, or mount its disk", f.Path())
		}
	}
	_, err := r.db.Replica.MaxLTXFileInfo(ctx, 0)
	return err
}

// Sync returns when all that was committed before is in the replica, or says why it is not.
func (r *Replica) Sync(ctx context.Context) error {
	if !r.config.Configured() {
		return nil
	}
	r.mu.Lock()
	started := r.started
	r.mu.Unlock()
	if !started {
		return fmt.Errorf("syncing the replica: %w", errReplicaStopped)
	}
	err := r.work(ctx, func() error {
		if err := r.begin(ctx); err != nil {
			return err
		}
		return r.db.SyncAndWait(ctx)
	})
	if err != nil {
		return fmt.Errorf("syncing the replica: %w", err)
	}
	return nil
}

// Status tells how the replication fares. It touches no network.
func (r *Replica) Status() ReplicaStatus {
	s := ReplicaStatus{Configured: r.config.Configured(), Target: r.config.Target()}
	if fi, err := os.Stat(r.config.Path + "-wal"); err == nil {
		s.WALBytes = fi.Size()
	}
	if !s.Configured {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.LastSync = r.db.LastSuccessfulSyncAt(); s.LastSync.IsZero() {
		s.LastSync = r.lastSync
	}
	s.Replicating = r.replicating
	switch diagnostic := r.db.SyncDiagnostic().Error; {
	case r.failure != nil:
		s.LastError = r.failure.Error()
	case r.client.failing() != nil:
		s.LastError = r.client.failing().Error()
	case s.Replicating && diagnostic != "":
		s.LastError = diagnostic // of this machine's own disk
	}
	return s
}

// Close sends the last changes and lets the file go. The ledger must be closed before. An error means that the replica is
// behind; the file itself has everything, and the next Start catches up.
func (r *Replica) Close(ctx context.Context) error {
	if !r.config.Configured() {
		return nil
	}
	r.mu.Lock()
	was := r.closed
	r.closed = true
	r.mu.Unlock()
	if was {
		return nil
	}
	if r.stop != nil {
		r.stop()
		<-r.stopped
	}
	// A Sync may be under way; for one that came later, Litestream would open the file again.
	err := r.work(context.WithoutCancel(ctx), func() error {
		return errors.Join(r.lastTry(ctx), r.store.Close(ctx))
	})
	if err != nil {
		return fmt.Errorf("closing the replica, which is behind: %w", err)
	}
	return nil
}

// lastTry begins if no attempt has come to a good end: the life was short, or the ledger so busy that Litestream got no lock.
// What could not be reached before is not tried again. It is work.
func (r *Replica) lastTry(ctx context.Context) error {
	if r.stop == nil || r.replicating { // closing the store sends the rest
		return nil
	}
	if errors.Is(r.failure, errLetGo) || errors.Is(r.failure, errUnreached) && !errors.Is(r.failure, context.Canceled) {
		return r.failure
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return r.tryBegin(ctx)
}
