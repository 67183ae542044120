package sim

import (
	"slices"
	"time"
)

// orderBook is a shop's orders: by number, in the order they were made, and by when they were last
// changed, so that a list of a large shop is a walk and not a sort.
type orderBook struct {
	all        []*Order // the oldest first, which is by number
	byID       map[int64]*Order
	byModified []*Order // by date_modified in whole seconds, then by number
}

func (b *orderBook) add(o *Order) {
	b.all = append(b.all, o)
	b.byID[o.ID] = o
	b.place(o)
}

// touch sets when an order was last changed. Nothing else may set Modified.
func (b *orderBook) touch(o *Order, at time.Time) {
	b.unplace(o)
	o.Modified = at
	b.place(o)
}

func (b *orderBook) place(o *Order) {
	i, _ := slices.BinarySearchFunc(b.byModified, o, modifiedEarlier)
	b.byModified = slices.Insert(b.byModified, i, o)
}

func (b *orderBook) unplace(o *Order) {
	if i, ok := slices.BinarySearchFunc(b.byModified, o, modifiedEarlier); ok {
		b.byModified = slices.Delete(b.byModified, i, i+1)
	}
}

func (b *orderBook) remove(o *Order) {
	b.unplace(o)
	delete(b.byID, o.ID)
	b.all = slices.DeleteFunc(b.all, func(x *Order) bool { return x == o })
}

// modifiedSince is the part of byModified from at on; the zero time is all of it.
func (b *orderBook) modifiedSince(at time.Time) []*Order {
	i, _ := slices.BinarySearchFunc(b.byModified, at, func(o *Order, at time.Time) int {
		if o.Modified.Truncate(time.Second).Before(at) {
			return -1
		}
		return 1
	})
	return b.byModified[i:]
}

func modifiedEarlier(a, b *Order) int {
	if x := a.Modified.Truncate(time.Second).Compare(b.Modified.Truncate(time.Second)); x != 0 {
		return x
	}
	return int(a.ID - b.ID)
}

func (s *Shop) order(id int64) *Order { return s.orders.byID[id] }
