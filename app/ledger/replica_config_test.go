package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// environment is what os.LookupEnv would say.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, set := e[name]
	return value, set
}

// shipped reads the project's own litestream.yml.
func shipped(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "litestream.yml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	t.Fatal("no go.mod above the test")
	return ""
}

func replicaYML(path, url string, more ...string) string {
	return "dbs:\n  - path: " + path + "\n    replica:\n      url: " + url + "\n" + strings.Join(more, "")
}

func TestReadReplicaConfig(t *testing.T) {
	env := environment{"IDGATE_DATA": "/var/lib/idgate", "IDGATE_REPLICA_URL": "file:///mnt/backup/idgate", "EMPTY": "", "BUCKET": "b", "SECRET": "s3cr3t"}
	off := environment{"IDGATE_DATA": "/var/lib/idgate", "IDGATE_REPLICA_URL": ""}
	day := 24 * time.Hour
	for _, tt := range []struct {
		name, text string
		env        environment
		want       ReplicaConfig
	}{
		{"shipped", shipped(t), env, ReplicaConfig{Path: "/var/lib/idgate/idgate.db", URL: "file:///mnt/backup/idgate", SyncInterval: time.Second, SnapshotInterval: day, SnapshotRetention: day}},
		{"shipped, to nowhere", shipped(t), off, ReplicaConfig{Path: "/var/lib/idgate/idgate.db"}},
		{"no dbs", "dbs: []\n", nil, ReplicaConfig{}},
		{"only comments", "# nothing\n", nil, ReplicaConfig{}},
		{"empty", "", nil, ReplicaConfig{}},
		{"nothing under dbs", "dbs:\n", nil, ReplicaConfig{}},
		{"s3 in its parts", replicaYML("${IDGATE_DATA}/x.db", "s3://${BUCKET}/idgate?region=eu-central-1", "      access-key-id: AK\n      secret-access-key: ${SECRET}\n", "      sync-interval: 10s\n"), env,
			ReplicaConfig{Path: "/var/lib/idgate/x.db", URL: "s3://b/idgate?region=eu-central-1", AccessKeyID: "AK", SecretAccessKey: "s3cr3t", SyncInterval: 10 * time.Second}},
		{"another's s3", replicaYML("/x.db", "'s3://b/p?endpoint=https://minio.example&force-path-style=true'"), env,
			ReplicaConfig{Path: "/x.db", URL: "s3://b/p?endpoint=https://minio.example&force-path-style=true"}},
		{"a directory with a blank", replicaYML("/a b/x.db", "file:///mnt/my backup"), env, ReplicaConfig{Path: "/a b/x.db", URL: "file:///mnt/my backup"}},
		{"a value with a dollar in it", replicaYML("/x.db", "${V}"), environment{"V": "file:///m/${NOT_AGAIN}"}, ReplicaConfig{Path: "/x.db", URL: "file:///m/${NOT_AGAIN}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadReplicaConfig(strings.NewReader(tt.text), tt.env.lookup)
			if err != nil || got != tt.want {
				t.Errorf("%#v, %v", (*shownConfig)(&got), err)
			}
			if got.Configured() != (tt.want.URL != "") {
				t.Errorf("configured: %v", got.Configured())
			}
		})
	}
}

// shownConfig prints what a ReplicaConfig does not.
type shownConfig ReplicaConfig

func TestReadReplicaConfigRefuses(t *testing.T) {
	env := environment{"IDGATE_DATA": "/d", "IDGATE_REPLICA_URL": "file:///r", "SECRET": "s3cr3t"}
	withCA := environment{"AWS_CA_BUNDLE": "/etc/ca.pem"}
	for _, tt := range []struct {
		name, text string
		env        environment
		says       string
	}{
		{"a variable that is not set", replicaYML("${IDGATE_DATA}/x.db", "${IDGATE_REPLCIA_URL}"), env, "url: the environment variable IDGATE_REPLCIA_URL is not set"},
		{"shipped, with nothing set", shipped(t), nil, "path: the environment variable IDGATE_DATA is not set"},
		{"a bare dollar", replicaYML("$IDGATE_DATA/x.db", "file:///r"), env, "a $ that begins no ${NAME}"},
		{"an open brace", replicaYML("'${IDGATE_DATA'", "file:///r"), env, "a $ that begins no ${NAME}"},
		{"no name", replicaYML("${}", "file:///r"), env, "a $ that begins no ${NAME}"},
		{"an unknown key", replicaYML("/x.db", "file:///r", "      retain: 1h\n"), env, "line 5: field retain is none that idgate reads"},
		{"an unknown key on top", "addr: ':9090'\n", env, "line 1: field addr is none that idgate reads"},
		{"the old list", "dbs:\n  - path: /x\n    replicas:\n      - url: file:///r\n", env, "line 3: field replicas is none"},
		{"a key twice", replicaYML("/x.db", "file:///r", "      url: file:///s\n"), env, "already"},
		{"a number for a list", "dbs: 7\n", env, "cannot unmarshal"},
		{"a duration without unit", replicaYML("/x.db", "file:///r", "      sync-interval: 10\n"), env, "line 5"},
		{"not YAML", "dbs: [", env, "yaml"},
		{"two documents", replicaYML("/x.db", "file:///r") + "---\ndbs: []\n", env, "more than one document"},
		{"two files", replicaYML("/x.db", "file:///r") + "  - path: /y.db\n", env, "2 dbs"},
		{"no path", replicaYML("''", "file:///r"), env, "no path"},
		{"a path Litestream cannot open", replicaYML("'/d?/x.db'", "file:///r"), env, "another data directory"},
		{"a negative interval", replicaYML("/x.db", "file:///r", "      sync-interval: -1s\n"), env, "sync-interval is negative"},
		{"a gap between snapshots", replicaYML("/x.db", "file:///r") + "snapshot: {interval: 24h, retention: 1h}\n", env, "retention is shorter"},
		{"no scheme", replicaYML("/x.db", "/mnt/backup"), env, `the scheme ""`},
		{"another scheme", replicaYML("/x.db", "gs://bucket/p"), env, `the scheme "gs"`},
		{"file with a host", replicaYML("/x.db", "file://mnt/backup"), env, "three slashes"},
		{"file with a query", replicaYML("/x.db", "file:///mnt?x=1"), env, "nothing more"},
		{"file beside the ledger", replicaYML("/d/x.db", "file:///d/"), env, "another disk"},
		{"no bucket", replicaYML("/x.db", "s3:///p?region=x"), env, "s3://bucket/prefix"},
		{"no prefix", replicaYML("/x.db", "s3://b?region=x"), env, "s3://bucket/prefix"},
		{"no region", replicaYML("/x.db", "s3://b/p"), env, "add ?region"},
		{"no TLS verification", replicaYML("/x.db", "s3://b/p?region=x&skip-verify=true"), env, `the parameter "skip-verify"`},
		{"credentials in the URL", replicaYML("/x.db", "s3://AK:s3cr3t@b/p?region=x"), env, "credentials in it"},
		{"half a key", replicaYML("/x.db", "s3://b/p?region=x", "      secret-access-key: s3cr3t\n"), env, "come together"},
		{"a URL that is none", replicaYML("/x.db", "'s3://s3cr3t%zz'"), env, "not a URL"},
		{"a query that is none", replicaYML("/x.db", "'s3://b/p?region=%zzs3cr3t'"), env, "cannot be read"},
		{"AWS_CA_BUNDLE", replicaYML("/x.db", "s3://b/p?region=x"), withCA, "SSL_CERT_FILE"},
		{"too long", "#" + strings.Repeat("x", maxReplicaConfig), env, "more than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadReplicaConfig(strings.NewReader(tt.text), tt.env.lookup)
			if err == nil || !strings.Contains(err.Error(), tt.says) || got != (ReplicaConfig{}) {
				t.Fatalf("%v, %v; want an error saying %q", got, err, tt.says)
			}
			for _, not := range []string{"s3cr3t", "ledger.", "replicaYAML"} {
				if strings.Contains(err.Error(), not) {
					t.Errorf("the error shows %s: %v", not, err)
				}
			}
		})
	}
	if _, err := ReadReplicaConfig(iotest.ErrReader(errors.New("disk on fire")), env.lookup); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("an unreadable file: %v", err)
	}
	if _, err := ReadReplicaConfig(strings.NewReader(replicaYML("/x.db", "file:///r")), withCA.lookup); err != nil {
		t.Errorf("AWS_CA_BUNDLE does not concern a directory: %v", err)
	}
}

func TestReplicaConfigIsNotPrinted(t *testing.T) {
	c := ReplicaConfig{Path: "/x.db", URL: "s3://b/p?region=x", AccessKeyID: "AK", SecretAccessKey: "s3cr3t"}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x", c, c, &c, c, c, c) + c.LogValue().String()
	if strings.Contains(shown, "s3cr3t") || strings.Contains(shown, fmt.Sprintf("%x", "s3cr3t")) || !strings.Contains(shown, `"s3://b/p"`) {
		t.Error(shown)
	}
}

func FuzzReadReplicaConfig(f *testing.F) {
	f.Add(shipped(f), "file:///r")
	f.Add(replicaYML("${V}", "s3://b/p?region=${V}"), "x")
	f.Add("a: &a [*a, *a]\n", "")
	f.Add("dbs: &x\n  - *x\n", "$")
	f.Fuzz(func(t *testing.T, text, value string) {
		c, err := ReadReplicaConfig(strings.NewReader(text), func(string) (string, bool) { return value, value != "unset" })
		if err != nil {
			if c != (ReplicaConfig{}) {
				t.Errorf("a configuration beside an error: %v, %v", c, err)
			}
			return
		}
		if c.Configured() {
			if _, err := newReplicaClient(c); err != nil {
				t.Errorf("accepted, but no client: %v", err)
			}
		}
	})
}
