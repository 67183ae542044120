package ledger

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// watchedClient remembers whether the last reading and the last writing of the replica worked. Litestream's loops log their
// errors and keep them to themselves. It also hides that its clients can read the format of Litestream 0.3, which no ledger
// ever had.
type watchedClient struct {
	litestream.ReplicaClient

	mu      sync.Mutex
	reading error
	writing error // apart: a replica that may be read but not written must not look well in between
}

func (c *watchedClient) failing() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.writing, c.reading)
}

// saw records the outcome of a call and returns it.
func (c *watchedClient) saw(which *error, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, context.Canceled) {
		return err // an answer like others; our own doing
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*which = err
	return err
}

func (c *watchedClient) LTXFiles(ctx context.Context, level int, seek ltx.TXID, useMetadata bool) (ltx.FileIterator, error) {
	files, err := c.ReplicaClient.LTXFiles(ctx, level, seek, useMetadata)
	if err != nil {
		return nil, c.saw(&c.reading, err)
	}
	return watchedFiles{files, c}, nil
}

func (c *watchedClient) OpenLTXFile(ctx context.Context, level int, minTXID, maxTXID ltx.TXID, offset, size int64) (io.ReadCloser, error) {
	f, err := c.ReplicaClient.OpenLTXFile(ctx, level, minTXID, maxTXID, offset, size)
	return f, c.saw(&c.reading, err)
}

func (c *watchedClient) WriteLTXFile(ctx context.Context, level int, minTXID, maxTXID ltx.TXID, r io.Reader) (*ltx.FileInfo, error) {
	info, err := c.ReplicaClient.WriteLTXFile(ctx, level, minTXID, maxTXID, r)
	return info, c.saw(&c.writing, err)
}

func (c *watchedClient) DeleteLTXFiles(ctx context.Context, a []*ltx.FileInfo) error {
	return c.saw(&c.writing, c.ReplicaClient.DeleteLTXFiles(ctx, a))
}

// watchedFiles are files of which S3 tells only while they are walked over.
type watchedFiles struct {
	ltx.FileIterator
	client *watchedClient
}

func (f watchedFiles) Close() error {
	return f.client.saw(&f.client.reading, f.FileIterator.Close())
}

// warnings passes on what Litestream warns of; its informations are four lines a minute.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
