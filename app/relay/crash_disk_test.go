package relay_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/sim"
)

// A ledger's write-ahead log, as https://sqlite.org/walformat.html has it.
const (
	walHeader   = 32
	frameHeader = 24
)

// tail is what a disk may still lose of the log of a process that is dead: the frames that no checkpoint has begun to copy into the file.
type tail struct {
	path  string
	log   []byte // up to its last frame
	size  int    // of a frame in bytes
	first int    // frame that may be lost; there may be none
	count int    // frames in all
}

// tail reads the log. A log that is not there has no frames.
func (k *mortal) tail() tail {
	k.Helper()
	t := tail{path: filepath.Join(k.config.Dir, "idgate.db-wal")}
	var err error
	if t.log, err = os.ReadFile(t.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.Fatal(err)
	}
	if len(t.log) < walHeader {
		return t
	}
	salts := t.log[16:24]
	t.size = frameHeader + int(binary.BigEndian.Uint32(t.log[8:]))
	for at := walHeader; at+t.size <= len(t.log) && bytes.Equal(t.log[at+8:at+16], salts); at += t.size {
		t.count++
	}
	t.log = t.log[:walHeader+t.count*t.size]
	index, err := os.ReadFile(filepath.Join(k.config.Dir, "idgate.db-shm"))
	k.ok(err)
	if bytes.Equal(index[32:40], salts) {
		t.first = int(binary.NativeEndian.Uint32(index[128:])) // nBackfillAttempted
	} else {
		t.first = t.count // the log has just begun anew: all of the old one is in the file
	}
	return t
}

// damage is what becomes of a log from a frame on.
type damage string

const (
	cutOff    damage = "cut off"
	torn      damage = "torn in a frame"
	corrupted damage = "corrupted"
	zeroed    damage = "zeroed"
)

// spoil loses the frames from the given one on.
func (t tail) spoil(frame int, d damage) error {
	at := walHeader + frame*t.size
	log := bytes.Clone(t.log)
	switch d {
	case cutOff:
		log = log[:at]
	case torn:
		log = log[:at+t.size/3]
	case corrupted:
		log[at+frameHeader+7] ^= 0x40
	case zeroed:
		clear(log[at:])
	}
	return os.WriteFile(t.path, log, 0o600)
}

// TestCrashOfTheDisk kills the product and takes from the disk what it wrote last, again and again: Notices that were acknowledged,
// Decisions, holds that were confirmed. The sweep finds again what they held.
func TestCrashOfTheDisk(t *testing.T) {
	k := newMortal(t, crashSeed(t))
	rounds := 6
	if os.Getenv("CI") == "true" {
		rounds = 25
	}
	frames, notices := 0, 0
	for round := range rounds {
		k.pass(time.Duration(3+k.rand.IntN(180)) * time.Second)
		k.before()
		shopper := k.shopper()
		k.start()
		during := make(chan error, 1)
		go func() { during <- shopper() }()
		k.outlives(time.Duration(500+k.rand.IntN(2500))*time.Millisecond, during)
		k.kill()
		k.ok(<-during)
		log, d := k.tail(), []damage{cutOff, torn, corrupted, zeroed}[k.rand.IntN(4)]
		if log.first == log.count {
			t.Logf("round %d: all of the log is in the file", round)
			continue
		}
		frame := log.first + k.rand.IntN(log.count-log.first)
		k.ok(log.spoil(frame, d))
		frames += log.count - frame
		lost := k.now()
		notices += k.acknowledged(k.started, lost)
		k.converge()
		k.sound(fmt.Sprintf("round %d, frames %d to %d %s", round, frame, log.count, d), Checks{Within: 365 * 24 * time.Hour, Lost: lost})
	}
	if frames == 0 || notices == 0 {
		t.Errorf("%d frames were lost, and %d notices acknowledged that may have been in them", frames, notices)
	}
	t.Logf("%d rounds, %d frames lost, %d notices acknowledged in lives that ended so; %d orders", rounds, frames, notices, len(k.shop.Orders()))
}

// acknowledged counts the webhooks that were answered with 2xx between two instants.
func (k *mortal) acknowledged(from, until time.Time) int {
	n := 0
	for _, d := range k.shop.Deliveries() {
		if d.Status/100 == 2 && !d.At.Before(from) && d.At.Before(until) {
			n++
		}
	}
	return n
}

// TestCrashOfTheDiskForgetsAHold: the ledger knows nothing any more of an order that it has put on hold. The mark in the order's notes tells
// whose hold it is, and from which status, and the buyer gets a link that works, since the first one does not any more.
func TestCrashOfTheDiskForgetsAHold(t *testing.T) {
	k := newMortal(t, crashSeed(t))
	k.converge() // the ledger's file has everything so far
	formers := []int{sim.StatusAwaitingFulfillment, sim.StatusAwaitingShipment}
	orders := make([]int64, len(formers))
	for i, former := range formers {
		o, err := k.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing(fmt.Sprintf("buyer%d@example.com", i)), Items: []sim.APIItem{{ProductID: k.shop.Products()[0].ID, Quantity: 1}}, StatusID: &former})
		k.ok(err)
		orders[i] = o.ID
	}
	k.start()
	k.rest()
	k.kill()
	log := k.tail()
	if log.first != 0 || log.count == 0 || len(k.taken) != len(orders) {
		t.Fatalf("a log of %d frames, of which %d are in the file; %d mails", log.count, log.first, len(k.taken))
	}
	k.ok(log.spoil(0, cutOff))
	for _, id := range orders {
		k.open(func(l *ledger.Ledger) {
			if got, err := l.Order(context.Background(), k.theShop(l), id); k.order(id).StatusID != sim.StatusManualVerification || !errors.Is(err, ledger.ErrNotFound) {
				t.Fatalf("status %d, and the ledger knows of it: %+v, %v", k.order(id).StatusID, got, err)
			}
		})
	}
	lost := k.now()
	k.converge()
	for i, id := range orders {
		k.ours(id, func(got ledger.Order) {
			if got.Hold != ledger.Held || got.FormerStatus != formers[i] || got.HoldStatus != sim.StatusManualVerification || got.Holds != 1 {
				t.Errorf("found again as %+v", got)
			}
		})
	}
	k.sound("the loss", Checks{Lost: lost})
	links := map[string][]string{}
	for _, m := range k.taken {
		links[m.To] = append(links[m.To], m.Links...)
	}
	k.start()
	k.until("an answer", func(childState) bool { return true })
	for to, ls := range links {
		if len(ls) != 2 || ls[0] == ls[1] {
			t.Errorf("%s has got the links %q", to, ls)
		}
		k.openMail(ls[len(ls)-1])
	}
	k.rest()
	k.stop()
	for i, id := range orders {
		k.ours(id, func(got ledger.Order) {
			if status := k.order(id).StatusID; got.Hold != ledger.Released || status != formers[i] {
				t.Errorf("after a proof: %s, status %d", got.Hold, status)
			}
		})
	}
	k.sound("the release", Checks{Lost: lost})
}

func (k *mortal) theShop(l *ledger.Ledger) *ledger.Shop {
	k.Helper()
	s, err := l.Shop(hash)
	k.ok(err)
	return s
}

func (k *mortal) order(id int64) sim.Order {
	k.Helper()
	o, err := k.shop.Order(id)
	k.ok(err)
	return o
}

// ours hands over the order as the ledger of a product that is not running has it.
func (k *mortal) ours(id int64, f func(ledger.Order)) {
	k.Helper()
	k.open(func(l *ledger.Ledger) {
		o, err := l.Order(context.Background(), k.theShop(l), id)
		k.ok(err)
		f(o)
	})
}
