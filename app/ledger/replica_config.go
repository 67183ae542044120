package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxReplicaConfig bounds litestream.yml in bytes.
const maxReplicaConfig = 64 << 10

// A ReplicaConfig is what litestream.yml says: which file is replicated, and where to. The zero ReplicaConfig replicates
// nothing. Printing it shows no secret.
type ReplicaConfig struct {
	Path string // the SQLite file
	URL  string // file:///directory, or s3://bucket/prefix?region=…&endpoint=…; "" replicates nothing

	AccessKeyID     string // S3 only; "" asks the AWS_… variables, profiles and roles
	SecretAccessKey string

	SyncInterval      time.Duration // how often changes are sent; 0 is one second
	SnapshotInterval  time.Duration // how often the whole file is; 0 is a day
	SnapshotRetention time.Duration // how far back a restore can go; 0 is a day
}

// Configured reports whether anything is replicated.
func (c ReplicaConfig) Configured() bool { return c.URL != "" }

// Target is the URL without its query: where the replica is, for logs and pages.
func (c ReplicaConfig) Target() string {
	target, _, _ := strings.Cut(c.URL, "?")
	return target
}

// Format implements [fmt.Formatter] for every verb: the secret key stays out of logs and error pages.
func (c ReplicaConfig) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "replica of %s at %q", c.Path, c.Target())
}

// LogValue implements [slog.LogValuer] to the same end.
func (c ReplicaConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// replicaYAML is the part of Litestream's configuration that is read. Its own parser is not importable; what means the
// same there and here is taken, and every other key is refused, so that none is silently without effect.
type replicaYAML struct {
	DBs []struct {
		Path    string `yaml:"path"`
		Replica struct {
			URL             string        `yaml:"url"`
			SyncInterval    time.Duration `yaml:"sync-interval"`
			AccessKeyID     string        `yaml:"access-key-id"`
			SecretAccessKey string        `yaml:"secret-access-key"`
		} `yaml:"replica"`
	} `yaml:"dbs"`
	Snapshot struct {
		Interval  time.Duration `yaml:"interval"`
		Retention time.Duration `yaml:"retention"`
	} `yaml:"snapshot"`
}

// ReadReplicaConfig reads litestream.yml. In its texts ${NAME} stands for env's NAME, as Litestream has it; unlike there, a
// variable that is not set is an error, because a backup that goes nowhere is noticed too late. A url that is empty, as
// when the variable it names is set to nothing, replicates nothing; so does an empty list of dbs. env is os.LookupEnv with
// what the caller adds.
func ReadReplicaConfig(r io.Reader, env func(name string) (value string, set bool)) (ReplicaConfig, error) {
	c, err := readReplicaConfig(r, env)
	if err != nil {
		return ReplicaConfig{}, fmt.Errorf("reading litestream.yml: %w", err)
	}
	return c, nil
}

func readReplicaConfig(r io.Reader, env func(string) (string, bool)) (ReplicaConfig, error) {
	var c ReplicaConfig
	b, err := io.ReadAll(io.LimitReader(r, maxReplicaConfig+1))
	if err != nil {
		return c, err
	}
	if len(b) > maxReplicaConfig {
		return c, fmt.Errorf("more than %d bytes", maxReplicaConfig)
	}
	y, err := decodeReplicaYAML(b)
	if err != nil {
		return c, err
	}
	if len(y.DBs) == 0 {
		return c, nil
	}
	if len(y.DBs) > 1 {
		return c, fmt.Errorf("%d dbs: there is one ledger, name it alone", len(y.DBs))
	}
	db := y.DBs[0]
	for _, text := range []struct {
		key   string
		value *string
	}{
		{"path", &db.Path}, {"url", &db.Replica.URL},
		{"access-key-id", &db.Replica.AccessKeyID}, {"secret-access-key", &db.Replica.SecretAccessKey},
	} {
		if *text.value, err = expand(*text.value, env); err != nil {
			return c, fmt.Errorf("dbs: %s: %w", text.key, err)
		}
	}
	c = ReplicaConfig{Path: db.Path, URL: db.Replica.URL, AccessKeyID: db.Replica.AccessKeyID, SecretAccessKey: db.Replica.SecretAccessKey,
		SyncInterval: db.Replica.SyncInterval, SnapshotInterval: y.Snapshot.Interval, SnapshotRetention: y.Snapshot.Retention}
	if !c.Configured() {
		return ReplicaConfig{Path: c.Path}, nil
	}
	if err := c.check(); err != nil {
		return ReplicaConfig{}, err
	}
	if _, set := env("AWS_CA_BUNDLE"); set && strings.HasPrefix(c.URL, "s3:") {
		return ReplicaConfig{}, errors.New("AWS_CA_BUNDLE is set, with which Litestream's S3 client cannot be made: unset it and name the file in SSL_CERT_FILE")
	}
	return c, nil
}

func decodeReplicaYAML(b []byte) (replicaYAML, error) {
	var y replicaYAML
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&y); err != nil && !errors.Is(err, io.EOF) { // EOF: nothing but comments
		var wrong *yaml.TypeError
		if !errors.As(err, &wrong) {
			return y, err
		}
		for i, line := range wrong.Errors { // they name Go types
			what, _, unknown := strings.Cut(line, " not found in type")
			if unknown {
				wrong.Errors[i] = what + " is none that idgate reads; it reads dbs: path, replica: url, sync-interval, access-key-id, secret-access-key; snapshot: interval, retention"
			}
		}
		return y, errors.New(strings.Join(wrong.Errors, "; "))
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return y, errors.New("more than one document")
	}
	return y, nil
}

// expand replaces each ${NAME} in s.
func expand(s string, env func(string) (string, bool)) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !strings.HasPrefix(name, "{") || !closed || name == "{" {
			return "", errors.New("a $ that begins no ${NAME}")
		}
		value, set := env(name[1:])
		if !set {
			return "", fmt.Errorf("the environment variable %s is not set: set it, or write the value in its place", name[1:])
		}
		out.WriteString(value)
		s = rest
	}
}

// replicaQuery are the parameters of an s3 URL that are passed on. Not among them: skip-verify.
var replicaQuery = []string{"endpoint", "region", "force-path-style"}

func (c ReplicaConfig) check() error {
	if c.Path == "" {
		return errors.New("dbs: no path")
	}
	if strings.ContainsAny(c.Path, "?#%") {
		return fmt.Errorf("dbs: path: Litestream cannot open %q for its ?, # or %%: choose another data directory", c.Path)
	}
	for name, d := range map[string]time.Duration{"sync-interval": c.SyncInterval, "snapshot: interval": c.SnapshotInterval,
		"snapshot: retention": c.SnapshotRetention} {
		if d < 0 {
			return fmt.Errorf("%s is negative", name)
		}
	}
	if c.SnapshotRetention > 0 && c.SnapshotRetention < c.SnapshotInterval {
		return errors.New("snapshot: retention is shorter than interval: there would be times with no snapshot to restore from")
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("dbs: url: not a URL") // the parser's error would show it, and it may hold a secret
	}
	switch {
	case u.User != nil:
		return errors.New("dbs: url: credentials in it: put them in access-key-id and secret-access-key")
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		return errors.New("dbs: access-key-id and secret-access-key come together")
	case u.Scheme == "file":
		return c.checkFile(u)
	case u.Scheme == "s3":
		return checkS3(u)
	default:
		return fmt.Errorf("dbs: url: the scheme %q: write file:///directory or s3://bucket/prefix", u.Scheme)
	}
}

func (c ReplicaConfig) checkFile(u *url.URL) error {
	if u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("dbs: url: write file:///directory, three slashes, an absolute path and nothing more")
	}
	if filepath.Clean(u.Path) == filepath.Dir(filepath.Clean(c.Path)) {
		return errors.New("dbs: url: the directory of the ledger itself: a replica belongs on another disk")
	}
	return nil
}

// checkS3 also asks for a region or an endpoint: without either, making the client would ask the network.
func checkS3(u *url.URL) error {
	if u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return errors.New("dbs: url: write s3://bucket/prefix; the prefix is this ledger's alone")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("dbs: url: what follows the ? cannot be read")
	}
	for name := range q {
		if !slices.Contains(replicaQuery, name) {
			return fmt.Errorf("dbs: url: the parameter %q: only %s are passed on", name, strings.Join(replicaQuery, ", "))
		}
	}
	if q.Get("region") == "" && q.Get("endpoint") == "" {
		return errors.New("dbs: url: add ?region=… (Amazon) or ?endpoint=https://… (others)")
	}
	return nil
}
