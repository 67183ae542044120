package ledger

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// While the replica is away, Litestream goes on writing down beside the ledger what it will send: 26 kB a second with a webhook and
// a checkout each second, 130 kB with ten. That would fill the disk and stop the ledger for want of a copy of it. And when it cannot
// read any more what it wrote there, it leaves the WAL to grow. Beyond these bounds it is let go of, and begins anew, with the
// whole file, when it can.
type bounds struct {
	backlog int64         // bytes that may wait for a replica that is away; but always as many as the ledger's file has
	wal     int64         // bytes of a WAL that Litestream does not look after
	reach   time.Duration // for one attempt to reach the replica; Litestream's S3 client tries eight times in it

	patience time.Duration // with a replica that says nothing
}

var usualBounds = bounds{backlog: 1 << 30, wal: 256 << 20, reach: 20 * time.Second, patience: time.Minute}

// errLetGo is a replication that has been given up for a while.
var errLetGo = errors.New("the replica has been behind for so long that the disk was filling up; it is sent the whole ledger when it can be reached")

// keepLocks makes SQLite's locks survive that Litestream closes its own descriptors of the file, where the system can: on Linux.
// It holds for the process, and must come before SQLite first opens a file.
func keepLocks() {
	_, _ = sqlite.OFDLocking(true) // whether it worked, OFDLockingEnabled says
}

// look lets go of Litestream if it is beyond its bounds. It is work.
func (r *Replica) look() error {
	if !sqlite.OFDLockingEnabled() { // letting go would unlock the ledger
		return nil
	}
	beyond, err := r.beyond()
	if err != nil || !beyond {
		return err
	}
	return r.letGo()
}

func (r *Replica) beyond() (bool, error) {
	if r.db.SyncDiagnostic().Error != "" {
		fi, err := os.Stat(r.db.WALPath())
		if err != nil || fi.Size() > r.bounds.wal {
			return err == nil, err
		}
	}
	if r.client.failing() == nil {
		return false, nil
	}
	fi, err := os.Stat(r.db.Path())
	if err != nil {
		return false, err
	}
	waits, err := bytesIn(r.db.LTXDir())
	return waits > max(r.bounds.backlog, fi.Size()), err
}

// bytesIn counts what the files below dir hold; a file that goes away meanwhile holds nothing.
func bytesIn(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var fi fs.FileInfo
			if fi, err = d.Info(); err == nil {
				n += fi.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return n, err
}

// letGo closes Litestream without sending anything, forgets what waits, and leaves the WAL to the ledger. What the replica has stays
// there and can be restored: it is as old as its last sync.
func (r *Replica) letGo() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.db.ShutdownSyncTimeout = 0
	_ = r.store.Close(ctx) // it complains of what it does not send
	err := os.RemoveAll(r.db.LTXDir())
	r.mu.Lock()
	if last := r.db.LastSuccessfulSyncAt(); !last.IsZero() {
		r.lastSync = last
	}
	r.replicating, r.failure = false, errLetGo
	err = errors.Join(errLetGo, err, r.open(r.config.Path))
	r.mu.Unlock()
	if r.takeOver != nil {
		r.takeOver(false)
	}
	return err
}
