package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/benbjohnson/litestream"
)

// Restore brings the file back from the replica if it is missing, and reports whether it did. It reaches for nothing if the
// file is there. It returns false and no error when the replica has none either: a new installation.
func (r *Replica) Restore(ctx context.Context) (restored bool, err error) {
	if !r.config.Configured() {
		return false, nil
	}
	path := r.db.Path()
	if there, err := exists(path); err != nil || there {
		return false, err
	}
	// The log of a file that is gone would be replayed into the restored one.
	if there, err := exists(path + "-wal"); err != nil || there {
		return false, errors.Join(err, fmt.Errorf("restoring %s: the file is gone but its log %s-wal is still there: move it away", path, path))
	}
	if err := r.reach(ctx); err != nil {
		return false, fmt.Errorf("restoring %s: %w: %w", path, ErrReplicaUnreachable, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // Litestream would take one of no bytes for a ledger
		return false, fmt.Errorf("restoring %s: %w", path, err)
	}
	if err := r.db.EnsureExists(ctx); err != nil {
		why := ErrReplicaBroken
		if r.client.failing() != nil || ctx.Err() != nil {
			why = ErrReplicaUnreachable
		}
		return false, fmt.Errorf("restoring %s: %w: %w", path, why, err)
	}
	if restored, err = exists(path); err != nil {
		return false, err
	}
	if restored {
		r.log.Info("ledger restored from its replica", "path", path, "replica", r.config.Target())
		return true, os.Chmod(path, 0o600)
	}
	// EnsureExists takes a replica without a beginning for an empty one.
	for level := 0; level <= litestream.SnapshotLevel; level++ {
		info, err := r.db.Replica.MaxLTXFileInfo(ctx, level)
		if err != nil {
			return false, fmt.Errorf("restoring %s: %w: %w", path, ErrReplicaUnreachable, err)
		}
		if info.MaxTXID > 0 {
			return false, fmt.Errorf("restoring %s: %w", path, ErrReplicaBroken)
		}
	}
	r.log.Info("the replica is empty; starting a new ledger", "path", path, "replica", r.config.Target())
	return false, nil
}

// exists reports whether there is a file of more than no bytes: of none is what is left of one that was never written.
func exists(path string) (bool, error) {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && fi.Size() > 0, err
}
