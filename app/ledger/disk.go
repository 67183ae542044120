package ledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A DiskError is the disk's fault, or the file's, and nobody's who asked: it tells the operator which file and what to do. What a verb was to
// store is not there, and the verb may be repeated; a page says nothing rather than something wrong.
type DiskError struct {
	Path   string // the ledger's file
	Remedy string
	Err    error // SQLite's
}

func (e *DiskError) Error() string { return fmt.Sprintf("%s: %v: %s", e.Path, e.Err, e.Remedy) }

func (e *DiskError) Unwrap() error { return e.Err }

// remedy is what helps against one of SQLite's primary result codes; "" if it is not about the disk.
func remedy(code int) string {
	switch code {
	case sqlite3.SQLITE_FULL:
		return "the disk is full: make room, idgate goes on by itself"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return "the file, its directory or its disk cannot be written: make them writable for the user that runs idgate"
	case sqlite3.SQLITE_IOERR:
		return "the disk does not read or write: the system's log says why; idgate goes on by itself once it does"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "the file is damaged: stop idgate, move the file away together with its -wal and -shm, and bring it back with idgate restore"
	}
	return ""
}

// diskErrors opens connections on which every error of the disk or the file is a DiskError. SQLite's own name no file, and they come from
// a hundred places.
type diskErrors struct {
	driver.Connector
	path string
}

func newConnector(path, dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	return diskErrors{c, path}, err
}

func (d diskErrors) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := d.Connector.Connect(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	return diskConn{c.(sqliteConn), d}, nil
}

func (d diskErrors) explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	if r := remedy(e.Code() & 0xff); r != "" { // the rest is the extended code
		return &DiskError{Path: d.path, Remedy: r, Err: err}
	}
	return err
}

// sqliteConn is what database/sql uses of the driver's connections.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type diskConn struct {
	sqliteConn
	disk diskErrors
}

func (c diskConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.disk.explain(err)
	}
	return diskStmt{s.(sqliteStmt), c.disk}, nil
}

func (c diskConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	t, err := c.sqliteConn.BeginTx(ctx, o)
	if err != nil {
		return nil, c.disk.explain(err)
	}
	return diskTx{t, c.disk}, nil
}

func (c diskConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.sqliteConn.ExecContext(ctx, query, args)
	return r, c.disk.explain(err)
}

func (c diskConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.disk.rows(c.sqliteConn.QueryContext(ctx, query, args))
}

type diskTx struct {
	driver.Tx
	disk diskErrors
}

func (t diskTx) Commit() error { return t.disk.explain(t.Tx.Commit()) }

// sqliteStmt is what database/sql uses of the driver's statements.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type diskStmt struct {
	sqliteStmt
	disk diskErrors
}

func (s diskStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.sqliteStmt.ExecContext(ctx, args)
	return r, s.disk.explain(err)
}

func (s diskStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.disk.rows(s.sqliteStmt.QueryContext(ctx, args))
}

type diskRows struct {
	driver.Rows
	disk diskErrors
}

func (d diskErrors) rows(r driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, d.explain(err)
	}
	return diskRows{r, d}, nil
}

func (r diskRows) Next(dest []driver.Value) error { return r.disk.explain(r.Rows.Next(dest)) }
