package sim

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// perRound is how many deliveries of one shop Run takes at a time, where several senders serve them.
const perRound = 20

// Deliver tries everything that is due now once, in queue order, and returns how many tries it
// made. Events that a try causes are left for the next call. With Options.Senders above one, only a
// shop's own deliveries keep their order among themselves.
func (w *World) Deliver(ctx context.Context) int { return w.deliver(ctx, 0) }

// deliver is Deliver of at most so many of each shop; 0 is all.
func (w *World) deliver(ctx context.Context, most int) int {
	lanes := w.takeDue(most)
	var tried atomic.Int64
	var wg sync.WaitGroup
	slots := make(chan struct{}, w.opt.Senders)
	for _, lane := range lanes {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for i, d := range lane {
				if ctx.Err() != nil { // put back what was not tried
					w.mu.Lock()
					w.queue = append(slices.Clone(lane[i:]), w.queue...)
					w.mu.Unlock()
					return
				}
				if w.try(ctx, d) != nil {
					tried.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(tried.Load())
}

// takeDue takes what is due out of the queue: one lane in queue order, or one per shop where
// several senders serve them.
func (w *World) takeDue(most int) [][]*delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.retireIdleHooks()
	now := w.now()
	var lanes [][]*delivery
	lane := map[*Shop]int{}
	w.queue = slices.DeleteFunc(w.queue, func(d *delivery) bool {
		if d.due.After(now) || w.blocked(d, now) {
			return false
		}
		of := d.shop
		if w.opt.Senders == 1 {
			of = nil
		}
		i, ok := lane[of]
		if !ok {
			i = len(lanes)
			lane[of], lanes = i, append(lanes, nil)
		}
		if most > 0 && len(lanes[i]) >= most {
			return false
		}
		lanes[i] = append(lanes[i], d)
		return true
	})
	return lanes
}

// Run delivers until ctx ends, waking on every event and every quarter of a second. Several senders
// take a few of each shop in turn, so that a shop with much to tell does not silence the others.
func (w *World) Run(ctx context.Context) {
	most := 0
	if w.opt.Senders > 1 {
		most = perRound
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		tried := w.deliver(ctx, most)
		if tried > 0 && most > 0 && ctx.Err() == nil {
			continue // there may be more that is due
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.wake:
		}
	}
}
