package ledger

import (
	"net/http/httptest"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// TestReplicaInS3 runs against a real S3 protocol, in process.
func TestReplicaInS3(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // of the machine that runs the test
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	g := newReplicaRig(t, "s3://bucket/idgate?region=us-east-1&endpoint="+server.URL)
	g.config.AccessKeyID, g.config.SecretAccessKey = "AK", "s3cr3t"
	g.liveAndDie()
	objects, err := backend.ListBucket("bucket", &gofakes3.Prefix{HasPrefix: true, Prefix: "idgate/"}, gofakes3.ListBucketPage{})
	if err != nil || len(objects.Contents) == 0 {
		t.Errorf("%v, %v", objects, err)
	}
}
