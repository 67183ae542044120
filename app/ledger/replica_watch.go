package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// watchedClient remembers whether the last reading and the last writing of the replica worked. Litestream's loops log their
// errors and keep them to themselves. It ends what gets no further: Litestream waits for an answer for 24 hours, at times with a
// lock without which it does not look after the WAL. It also hides that its clients can read the format of Litestream 0.3, which
// no ledger ever had.
type watchedClient struct {
	litestream.ReplicaClient
	bounds *bounds

	mu      sync.Mutex
	reading error
	writing error // apart: a replica that may be read but not written must not look well in between
}

var errSilent = errors.New("the replica does not answer")

func (c *watchedClient) failing() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.writing, c.reading)
}

// saw records the outcome of a call and returns it.
func (c *watchedClient) saw(which *error, err error) error {
	ours := errors.Is(err, context.Canceled) && !errors.Is(err, errSilent)
	if ours || errors.Is(err, fs.ErrNotExist) { // an answer like others
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*which = err
	return err
}

// waiting is a call, or a stream, under way. Its patience runs while the replica is to do something.
type waiting struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

// wait begins to wait.
func (c *watchedClient) wait(ctx context.Context, patience time.Duration) *waiting {
	w := &waiting{patience: patience}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(patience, func() { w.cancel(errSilent) })
	return w
}

func (w *waiting) pause() { w.timer.Stop() }

func (w *waiting) goOn() { w.timer.Reset(w.patience) }

// end ends it and returns err, with its reason if that was silence.
func (w *waiting) end(err error) error {
	w.pause()
	silent := err != nil && errors.Is(context.Cause(w.ctx), errSilent)
	w.cancel(nil)
	if silent {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

func (c *watchedClient) LTXFiles(ctx context.Context, level int, seek ltx.TXID, useMetadata bool) (ltx.FileIterator, error) {
	w := c.wait(ctx, c.bounds.patience)
	files, err := c.ReplicaClient.LTXFiles(w.ctx, level, seek, useMetadata)
	if err != nil {
		return nil, c.saw(&c.reading, w.end(err))
	}
	w.pause()
	return watchedFiles{files, c, w}, nil
}

func (c *watchedClient) OpenLTXFile(ctx context.Context, level int, minTXID, maxTXID ltx.TXID, offset, size int64) (io.ReadCloser, error) {
	w := c.wait(ctx, c.bounds.patience)
	f, err := c.ReplicaClient.OpenLTXFile(w.ctx, level, minTXID, maxTXID, offset, size)
	if err != nil {
		return nil, c.saw(&c.reading, w.end(err))
	}
	w.pause()
	return watchedFile{f, c, w}, c.saw(&c.reading, nil)
}

func (c *watchedClient) WriteLTXFile(ctx context.Context, level int, minTXID, maxTXID ltx.TXID, r io.Reader) (*ltx.FileInfo, error) {
	var w *waiting
	if f, ok := r.(sentFile); ok {
		w = c.wait(ctx, c.bounds.patience)
		r = sentSeeker{sentReader{r, w}, f}
	} else {
		w = c.wait(ctx, 10*c.bounds.patience) // a stream is sent in parts of 5 MB, of which nothing is seen until one is through
		r = sentReader{r, w}
	}
	info, err := c.ReplicaClient.WriteLTXFile(w.ctx, level, minTXID, maxTXID, r)
	return info, c.saw(&c.writing, w.end(err))
}

func (c *watchedClient) DeleteLTXFiles(ctx context.Context, a []*ltx.FileInfo) error {
	w := c.wait(ctx, 10*c.bounds.patience) // it is many calls, of which nothing is seen
	return c.saw(&c.writing, w.end(c.ReplicaClient.DeleteLTXFiles(w.ctx, a)))
}

// watchedFiles are files of which S3 tells only while they are walked over.
type watchedFiles struct {
	ltx.FileIterator
	client *watchedClient
	wait   *waiting
}

func (f watchedFiles) Next() bool {
	f.wait.goOn()
	defer f.wait.pause()
	return f.FileIterator.Next()
}

func (f watchedFiles) Close() error {
	return f.client.saw(&f.client.reading, f.wait.end(f.FileIterator.Close()))
}

// watchedFile is a file that is being read. Its reader may take its time: several are merged.
type watchedFile struct {
	io.ReadCloser
	client *watchedClient
	wait   *waiting
}

func (f watchedFile) Read(p []byte) (int, error) {
	f.wait.goOn()
	n, err := f.ReadCloser.Read(p)
	f.wait.pause()
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(f.wait.ctx), errSilent) {
		err = f.client.saw(&f.client.reading, fmt.Errorf("%w: %w", errSilent, err))
	}
	return n, err
}

func (f watchedFile) Close() error { return f.wait.end(f.ReadCloser.Close()) }

// sentReader is what is being sent: each time more is asked of it, the replica has done something.
type sentReader struct {
	io.Reader
	wait *waiting
}

func (r sentReader) Read(p []byte) (int, error) {
	r.wait.pause()
	defer r.wait.goOn()
	return r.Reader.Read(p)
}

// sentFile is what S3's client sends without holding a copy.
type sentFile interface {
	io.ReadSeeker
	io.ReaderAt
}

type sentSeeker struct {
	sentReader
	file sentFile
}

func (s sentSeeker) Seek(offset int64, whence int) (int64, error) { return s.file.Seek(offset, whence) }

func (s sentSeeker) ReadAt(p []byte, offset int64) (int, error) {
	s.wait.goOn()
	return s.file.ReadAt(p, offset)
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
