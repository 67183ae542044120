package relay_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"idgate/app/ledger"
)

// TestFaultReplicaLosesItsLastMoments: the machine is gone, and with it the last moments of replication. A fresh one restores before it
// serves, and the sweep finds again what the lost moments held.
func TestFaultReplicaLosesItsLastMoments(t *testing.T) {
	replica := t.TempDir()
	k := newMortal(t, crashSeed(t), func(k *mortal) { k.config.Replica = replica })
	rounds := 2
	if os.Getenv("CI") == "true" {
		rounds = 8
	}
	notices, orders := 0, 0
	for round := range rounds {
		k.pass(time.Duration(3+k.rand.IntN(180)) * time.Second)
		k.before()
		k.start()
		k.until("work", k.idle)
		k.synced()
		known := len(k.shop.Orders())
		earlier := k.frozen(replica)
		copied := k.now()

		shopper := k.shopper()
		k.before() // while it runs
		during := make(chan error, 1)
		go func() { during <- shopper() }()
		k.outlives(time.Duration(1000+k.rand.IntN(3000))*time.Millisecond, during)
		k.kill()
		k.ok(<-during)
		notices += k.acknowledged(copied, k.now())
		orders += len(k.shop.Orders()) - known

		k.ok(os.RemoveAll(k.config.Dir))
		k.ok(os.Mkdir(k.config.Dir, 0o700))
		k.ok(os.RemoveAll(replica))
		k.ok(os.Rename(earlier, replica))
		lost := k.now()
		k.converge()
		k.open(func(l *ledger.Ledger) {
			// What was known before the copy came back by it, and not by the sweep.
			vs, err := l.PolicyVersions(context.Background(), hash, 0, 10)
			if err != nil || len(vs) != 1 {
				t.Errorf("policies %+v, %v", vs, err)
			}
		})
		k.sound(fmt.Sprintf("round %d", round), Checks{Within: 365 * 24 * time.Hour, Lost: lost})
	}
	if notices == 0 || orders == 0 {
		t.Errorf("only %d notices and %d orders were in what was lost", notices, orders)
	}
	t.Logf("%d rounds; in the lost moments %d notices were acknowledged and %d orders placed; %d orders in all", rounds, notices, orders, len(k.shop.Orders()))
}

// synced returns when the replica has all that was committed.
func (k *mortal) synced() {
	k.Helper()
	resp, err := http.Get(k.config.AppURL + "/test/sync")
	k.ok(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		k.Fatalf("syncing: %s", resp.Status)
	}
}

// frozen copies the replica as it is at one instant.
func (k *mortal) frozen(replica string) string {
	k.Helper()
	k.ok(k.child.Process.Signal(syscall.SIGSTOP))
	to := filepath.Join(k.TempDir(), "earlier")
	k.ok(os.CopyFS(to, os.DirFS(replica)))
	k.ok(k.child.Process.Signal(syscall.SIGCONT))
	return to
}
