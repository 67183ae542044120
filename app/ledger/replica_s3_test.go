package ledger

import (
	"net/http"
	"testing"

	"github.com/johannesboyne/gofakes3"
)

// TestReplicaInS3 is the whole story over S3, in this process, which sees every request: what is asked of the store is what every store can do.
// Conditional requests, which some cannot, are for leases, and there are none here: one process holds the data directory, by its lock.
func TestReplicaInS3(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // of the machine that runs the test
	f := newFakeS3(t)
	f.up()
	g := newReplicaRig(t, f.config("").URL)
	g.config.AccessKeyID, g.config.SecretAccessKey = s3Key, s3Secret
	g.liveAndDie()
	objects, err := f.backend.ListBucket("bucket", &gofakes3.Prefix{HasPrefix: true, Prefix: "idgate/"}, gofakes3.ListBucketPage{})
	if err != nil || len(objects.Contents) == 0 {
		t.Errorf("%v, %v", objects, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	methods := map[string]int{}
	for _, r := range f.requests {
		methods[r.Method]++
		for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s %s with %s", r.Method, r.URL, name)
			}
		}
	}
	if methods[http.MethodPut] == 0 || methods[http.MethodGet] == 0 {
		t.Errorf("requests: %v", methods)
	}
}
