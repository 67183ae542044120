package ledger

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var (
	faults    = flag.Int("faults", 10, "how many of a storage fault's kinds, places or instants are drawn; a long run takes 200")
	faultSeed = flag.Uint64("faultseed", 0, "seed of the storage faults; 0 draws one and prints it")
)

// draw is the source of a fault test's chances.
func draw(t testing.TB) *rand.Rand {
	t.Helper()
	seed := *faultSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("re-run with -run '^%s$' -faultseed=%d -faults=%d", strings.Split(t.Name(), "/")[0], seed, *faults)
	return rand.New(rand.NewPCG(seed, 11))
}

// unfit ends a test that this machine cannot run. Where everything must hold, it may not.
func unfit(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip("NOT TESTED: " + why)
}

// inChild names the part that a process of its own plays in a test.
const inChild = "IDGATE_TEST_CHILD"

// child is the command that runs the calling test once more, in a process of its own, to play a part there.
func child(t *testing.T, part string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=10m",
		fmt.Sprintf("-faultseed=%d", *faultSeed), fmt.Sprintf("-faults=%d", *faults))
	cmd.Env = append(os.Environ(), inChild+"="+part)
	return cmd
}

// record stores Notice n and reports whether it is the first of its kind.
func (r *rig) record(n int) (first bool, err error) {
	return r.l.RecordNotice(context.Background(), r.notice(shopHash, n), r.now)
}

// stored are the numbers of the stored Notices, in order.
func stored(t testing.TB, db *sql.DB) (out []int) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), "SELECT subject FROM notices ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// upTo is 1 to n.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// isDisk checks that an error tells the operator which file it is about and what to do.
func (r *rig) isDisk(err error, says string) {
	r.Helper()
	var disk *DiskError
	if !errors.As(err, &disk) || disk.Path != r.path || !strings.Contains(err.Error(), r.path) || !strings.Contains(err.Error(), says) {
		r.Errorf("error %v; want one of the disk that names %s and says %q", err, r.path, says)
	}
}
