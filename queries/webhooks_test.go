package queries

import "fmt"

// endpointOf adds an endpoint of Shop abc that is on, and has nothing wrong with it.
func (w *world) endpointOf(id int, given cols) cols {
	w.Helper()
	all := cols{"id": id, "state": "on", "why": "", "off_at": 0, "failing_since": 0, "failures": 0, "wait_until": 0, "old_secret": []byte{}, "old_until": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("endpoints", all)
}

func (w *world) event(id int, given cols) cols {
	w.Helper()
	all := cols{"id": id}
	for k, v := range given {
		all[k] = v
	}
	return w.add("events", all)
}

// delivery adds one that waits, of event 4 to endpoint 3 unless given otherwise.
func (w *world) delivery(id int, given cols) cols {
	w.Helper()
	all := cols{"id": id, "leased_until": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("deliveries", all)
}

// told adds what the valid row of deliveries refers to: endpoint 3 and event 4.
func (w *world) told() (event cols) {
	w.Helper()
	w.endpointOf(3, nil)
	return w.event(4, nil)
}

// each of the deliveries has an event of its own.
func (w *world) deliveryOf(id int, given cols) (delivery, event cols) {
	w.Helper()
	event = w.event(1000+id, nil)
	all := cols{"event_id": 1000 + id}
	for k, v := range given {
		all[k] = v
	}
	return w.delivery(id, all), event
}

var webhooksCases = cases{
	"AddEndpoint": func(w *world) {
		w.changes(func() error {
			got, err := w.q.AddEndpoint(w.Context(), AddEndpointParams{StoreHash: "abc", ID: 2, Url: "u", Types: "[]", Note: "n", Secret: []byte("s"), Now: 7})
			equal(w, got, err, 2)
			return err
		}, "+ endpoints abc/2: failing_since=0 failures=0 id=2 made_at=7 note=n off_at=0 old_secret= old_until=0 rotations=0 secret=s state=on store_hash=abc types=[] unseen=1 url=u wait_until=0 why=")
	},
	"NextEndpoint": func(w *world) {
		got, err := w.q.NextEndpoint(w.Context(), "abc")
		equal(w, got, err, NextEndpointRow{ID: 1})
		w.endpointOf(2, nil)
		w.endpointOf(4, cols{"state": "paused"})
		w.endpointOf(6, cols{"state": "removed", "secret": []byte{}})
		w.endpointOf(9, cols{"store_hash": "xyz"})
		got, err = w.q.NextEndpoint(w.Context(), "abc")
		equal(w, got, err, NextEndpointRow{ID: 7, Used: 2})
	},
	"Endpoint": func(w *world) {
		row := w.add("endpoints", cols{"id": 3})
		w.endpointOf(4, cols{"state": "removed", "secret": []byte{}})
		w.endpointOf(5, cols{"store_hash": "xyz"})
		got, err := w.q.Endpoint(w.Context(), EndpointParams{StoreHash: "abc", ID: 3})
		one(w, got, err, row)
		for _, id := range []int64{4, 5} {
			got, err = w.q.Endpoint(w.Context(), EndpointParams{StoreHash: "abc", ID: id})
			none(w, got, err)
		}
	},
	"Endpoints": func(w *world) {
		second, first := w.add("endpoints", cols{"id": 5}), w.endpointOf(2, nil)
		w.endpointOf(4, cols{"state": "removed", "secret": []byte{}})
		w.endpointOf(1, cols{"store_hash": "xyz"})
		got, err := w.q.Endpoints(w.Context(), "abc")
		are(w, got, err, first, second)
	},
	"SaveEndpoint": func(w *world) {
		w.endpointOf(3, cols{"url": "old", "types": "[1]", "note": "was", "wait_until": 9})
		w.endpointOf(4, nil)
		w.endpointOf(3, cols{"store_hash": "xyz"})
		w.endpointOf(5, cols{"state": "removed", "secret": []byte{}})
		save := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SaveEndpoint(w.Context(), SaveEndpointParams{StoreHash: "abc", ID: id, Url: "u", Types: "[2]", Note: "n"})
			}
		}
		w.affects(1, save(3), "endpoints abc/3 url: old -> u", "endpoints abc/3 types: [1] -> [2]", "endpoints abc/3 note: was -> n", "endpoints abc/3 wait_until: 9 -> 0")
		w.affects(0, save(5))
	},
	"PauseEndpoint": func(w *world) {
		w.endpointOf(3, nil)
		w.endpointOf(4, nil)
		w.add("endpoints", cols{"id": 5})
		w.endpointOf(3, cols{"store_hash": "xyz"})
		pause := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.PauseEndpoint(w.Context(), PauseEndpointParams{StoreHash: "abc", ID: id})
			}
		}
		w.affects(1, pause(3), "endpoints abc/3 state: on -> paused")
		w.affects(0, pause(3))
		w.affects(0, pause(5))
	},
	"ResumeEndpoint": func(w *world) {
		w.add("endpoints", cols{"id": 3, "off_at": 5, "failing_since": 6, "failures": 7, "wait_until": 8})
		w.endpointOf(4, cols{"state": "paused"})
		w.endpointOf(5, cols{"state": "removed", "secret": []byte{}})
		w.endpointOf(6, cols{"failures": 1, "failing_since": 1})
		w.add("endpoints", cols{"id": 3, "store_hash": "xyz"})
		resume := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.ResumeEndpoint(w.Context(), ResumeEndpointParams{StoreHash: "abc", ID: id})
			}
		}
		w.affects(1, resume(3), "endpoints abc/3 state: off -> on", "endpoints abc/3 why: gone -> ", "endpoints abc/3 off_at: 5 -> 0", "endpoints abc/3 failing_since: 6 -> 0",
			"endpoints abc/3 failures: 7 -> 0", "endpoints abc/3 wait_until: 8 -> 0")
		w.affects(1, resume(4), "endpoints abc/4 state: paused -> on")
		w.affects(0, resume(5))
		w.affects(0, resume(6))
	},
	"SwitchOffEndpoint": func(w *world) {
		w.endpointOf(3, nil)
		w.endpointOf(4, cols{"state": "paused"})
		w.endpointOf(3, cols{"store_hash": "xyz"})
		off := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SwitchOffEndpoint(w.Context(), SwitchOffEndpointParams{StoreHash: "abc", ID: id, Why: "failing", Now: 7})
			}
		}
		w.affects(1, off(3), "endpoints abc/3 state: on -> off", "endpoints abc/3 why:  -> failing", "endpoints abc/3 off_at: 0 -> 7")
		w.affects(0, off(4))
	},
	"RemoveEndpoint": func(w *world) {
		w.add("endpoints", cols{"id": 3, "url": "u", "types": "t", "note": "n", "secret": []byte("s"), "old_secret": []byte("o"), "old_until": 4, "off_at": 5, "failing_since": 6, "failures": 7, "wait_until": 8})
		w.endpointOf(3, cols{"store_hash": "xyz"})
		remove := func() (int64, error) {
			return w.q.RemoveEndpoint(w.Context(), RemoveEndpointParams{StoreHash: "abc", ID: 3})
		}
		e := "endpoints abc/3 "
		w.affects(1, remove, e+"state: off -> removed", e+"why: gone -> ", e+"off_at: 5 -> 0", e+"url: u -> ", e+"types: t -> []", e+"note: n -> ", e+"secret: s -> ", e+"unseen: 1 -> 0",
			e+"old_secret: o -> ", e+"old_until: 4 -> 0", e+"failing_since: 6 -> 0", e+"failures: 7 -> 0", e+"wait_until: 8 -> 0")
		w.affects(0, remove)
	},
	"RotateEndpoint": func(w *world) {
		w.endpointOf(3, cols{"secret": []byte("s"), "rotations": 2, "unseen": 0})
		w.endpointOf(4, cols{"rotations": 2, "state": "removed", "secret": []byte{}})
		w.endpointOf(3, cols{"store_hash": "xyz", "rotations": 2})
		rotate := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.RotateEndpoint(w.Context(), RotateEndpointParams{StoreHash: "abc", ID: id, Was: 2, Secret: []byte("t"), OldSecret: []byte("o"), OldUntil: 9})
			}
		}
		e := "endpoints abc/3 "
		w.affects(1, rotate(3), e+"secret: s -> t", e+"old_secret:  -> o", e+"old_until: 0 -> 9", e+"unseen: 0 -> 1", e+"rotations: 2 -> 3")
		w.affects(0, rotate(3))
		w.affects(0, rotate(4))
	},
	"StopOldSecret": func(w *world) {
		w.endpointOf(3, cols{"old_secret": []byte("o"), "old_until": 9})
		w.endpointOf(4, cols{"old_secret": []byte("o"), "old_until": 9})
		w.endpointOf(3, cols{"old_secret": []byte("o"), "old_until": 9, "store_hash": "xyz"})
		stop := func() (int64, error) {
			return w.q.StopOldSecret(w.Context(), StopOldSecretParams{StoreHash: "abc", ID: 3})
		}
		w.affects(1, stop, "endpoints abc/3 old_secret: o -> ", "endpoints abc/3 old_until: 9 -> 0")
		w.affects(0, stop)
	},
	"SeeEndpointSecret": func(w *world) {
		w.endpointOf(3, nil)
		w.endpointOf(4, nil)
		w.endpointOf(3, cols{"store_hash": "xyz"})
		see := func() (int64, error) {
			return w.q.SeeEndpointSecret(w.Context(), SeeEndpointSecretParams{StoreHash: "abc", ID: 3})
		}
		w.affects(1, see, "endpoints abc/3 unseen: 1 -> 0")
		w.affects(0, see)
	},
	"ForgetOldSecrets": func(w *world) {
		w.endpointOf(3, cols{"old_secret": []byte("o"), "old_until": 7})
		w.endpointOf(4, cols{"old_secret": []byte("o"), "old_until": 8})
		w.endpointOf(5, nil)
		w.affects(1, func() (int64, error) { return w.q.ForgetOldSecrets(w.Context(), 7) }, "endpoints abc/3 old_secret: o -> ", "endpoints abc/3 old_until: 7 -> 0")
	},
	"EndpointWorked": func(w *world) {
		w.endpointOf(3, cols{"failures": 2, "failing_since": 5, "wait_until": 6})
		w.endpointOf(4, cols{"failures": 2, "failing_since": 5})
		w.endpointOf(3, cols{"failures": 2, "failing_since": 5, "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.EndpointWorked(w.Context(), EndpointWorkedParams{StoreHash: "abc", ID: 3})
		}, "endpoints abc/3 failures: 2 -> 0", "endpoints abc/3 failing_since: 5 -> 0", "endpoints abc/3 wait_until: 6 -> 0")
	},
	"EndpointFailed": func(w *world) {
		w.endpointOf(3, nil)
		w.endpointOf(4, nil)
		w.endpointOf(5, cols{"state": "removed", "secret": []byte{}})
		w.endpointOf(3, cols{"store_hash": "xyz"})
		failed := func(now int64, want EndpointFailedRow) func() error {
			return func() error {
				got, err := w.q.EndpointFailed(w.Context(), EndpointFailedParams{StoreHash: "abc", ID: 3, Now: now, WaitUntil: now + 5})
				equal(w, got, err, want)
				return err
			}
		}
		w.changes(failed(7, EndpointFailedRow{7, 1}), "endpoints abc/3 failures: 0 -> 1", "endpoints abc/3 failing_since: 0 -> 7", "endpoints abc/3 wait_until: 0 -> 12")
		w.changes(failed(9, EndpointFailedRow{7, 2}), "endpoints abc/3 failures: 1 -> 2", "endpoints abc/3 wait_until: 12 -> 14")
		got, err := w.q.EndpointFailed(w.Context(), EndpointFailedParams{StoreHash: "abc", ID: 5, Now: 7, WaitUntil: 8})
		none(w, got, err)
	},
	"HurryEndpoint": func(w *world) {
		w.endpointOf(3, cols{"wait_until": 6})
		w.endpointOf(4, cols{"wait_until": 6})
		w.endpointOf(3, cols{"wait_until": 6, "store_hash": "xyz"})
		w.changes(func() error { return w.q.HurryEndpoint(w.Context(), HurryEndpointParams{StoreHash: "abc", ID: 3}) }, "endpoints abc/3 wait_until: 6 -> 0")
	},
	"EndpointTroubles": func(w *world) {
		w.add("endpoints", cols{"id": 1})
		w.endpointOf(2, cols{"failing_since": 7, "failures": 1})
		w.endpointOf(3, cols{"failing_since": 8, "failures": 1})
		w.endpointOf(4, cols{"failing_since": 7, "failures": 1, "state": "paused"})
		w.endpointOf(5, nil)
		w.add("endpoints", cols{"id": 1, "store_hash": "xyz"})
		got, err := w.q.EndpointTroubles(w.Context(), EndpointTroublesParams{StoreHash: "abc", Before: 7})
		equal(w, got, err, EndpointTroublesRow{Off: 1, Failing: 1})
		got, err = w.q.EndpointTroubles(w.Context(), EndpointTroublesParams{StoreHash: "none", Before: 7})
		equal(w, got, err, EndpointTroublesRow{})
	},
	"AddEvent": func(w *world) {
		p := AddEventParams{StoreHash: "abc", Name: "msg_1", Type: "t", CustomerID: 5, Payload: "{}", Now: 7}
		w.changes(func() error {
			got, err := w.q.AddEvent(w.Context(), p)
			equal(w, got, err, 1)
			return err
		}, "+ events 1: customer_id=5 id=1 made_at=7 name=msg_1 payload={} store_hash=abc type=t")
		got, err := w.q.AddEvent(w.Context(), p)
		none(w, got, err)
		p.StoreHash = "xyz"
		got, err = w.q.AddEvent(w.Context(), p)
		equal(w, got, err, 2)
	},
	"AddDelivery": func(w *world) {
		w.told()
		w.changes(func() error {
			return w.q.AddDelivery(w.Context(), AddDeliveryParams{StoreHash: "abc", EndpointID: 3, EventID: 4, DueAt: 6, Now: 7})
		}, "+ deliveries 1: attempt=0 done_at=0 due_at=6 endpoint_id=3 event_id=4 excerpt= id=1 leased_until=0 made_at=7 state=pending status=0 store_hash=abc took=0 tried_at=0 tries=0 trouble=")
	},
	"DueEndpoints": func(w *world) {
		for id, given := range []cols{{}, {"wait_until": 7}, {"wait_until": 8}, {"state": "paused"}, {}, {}} {
			w.endpointOf(1+id, given)
			w.event(10+id, nil)
			due := cols{"endpoint_id": 1 + id, "event_id": 10 + id, "due_at": 7}
			switch id {
			case 4:
				due["due_at"] = 8
			case 5:
				due["due_at"], due["state"] = 0, "done"
			}
			w.delivery(20+id, due)
		}
		w.endpointOf(7, nil)
		got, err := w.q.DueEndpoints(w.Context(), 7)
		are(w, got, err, cols{"store_hash": "abc", "id": 1}, cols{"store_hash": "abc", "id": 2})
	},
	"LeaseDeliveries": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.deliveryOf(11, cols{"due_at": 6, "attempt": 2, "tries": 1})
		w.deliveryOf(12, cols{"due_at": 5, "attempt": 4, "tries": 2})
		w.deliveryOf(13, cols{"due_at": 7})
		w.deliveryOf(14, cols{"due_at": 8})
		w.deliveryOf(15, cols{"due_at": 4, "endpoint_id": 5})
		w.deliveryOf(16, cols{"due_at": 0, "state": "failed"})
		w.changes(func() error {
			got, err := w.q.LeaseDeliveries(w.Context(), LeaseDeliveriesParams{StoreHash: "abc", EndpointID: 3, Now: 7, LeaseUntil: 9, Count: 2})
			if len(got) != 2 {
				w.Fatalf("%+v", got)
			}
			for _, d := range got {
				want := map[int64]LeaseDeliveriesRow{11: {11, "abc", 3, 1011, 3, 2, 9}, 12: {12, "abc", 3, 1012, 5, 3, 9}}[d.ID]
				equal(w, d, err, want)
			}
			return err
		}, "deliveries 11 attempt: 2 -> 3", "deliveries 11 tries: 1 -> 2", "deliveries 11 due_at: 6 -> 9", "deliveries 11 leased_until: 0 -> 9",
			"deliveries 12 attempt: 4 -> 5", "deliveries 12 tries: 2 -> 3", "deliveries 12 due_at: 5 -> 9", "deliveries 12 leased_until: 0 -> 9")
	},
	"DeliveryEvent": func(w *world) {
		row := w.told()
		w.event(5, nil)
		got, err := w.q.DeliveryEvent(w.Context(), 4)
		one(w, got, err, row)
	},
	"EndDelivery": func(w *world) {
		w.told()
		w.delivery(11, cols{"attempt": 2, "leased_until": 6, "due_at": 6, "status": 1, "excerpt": "e", "trouble": "t", "tried_at": 1, "took": 1, "done_at": 0})
		end := func(attempt, leased int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EndDelivery(w.Context(), EndDeliveryParams{ID: 11, Attempt: attempt, LeasedUntil: leased, State: "done", Status: 200, Excerpt: "x", Trouble: "y", TriedAt: 7, Took: 8, Now: 9})
			}
		}
		w.affects(0, end(3, 6))
		w.affects(0, end(2, 5))
		d := "deliveries 11 "
		w.affects(1, end(2, 6), d+"state: pending -> done", d+"due_at: 6 -> 0", d+"leased_until: 6 -> 0", d+"status: 1 -> 200", d+"excerpt: e -> x", d+"trouble: t -> y", d+"tried_at: 1 -> 7",
			d+"took: 1 -> 8", d+"done_at: 0 -> 9")
		w.affects(0, end(2, 6))
	},
	"PostponeDelivery": func(w *world) {
		w.told()
		w.delivery(11, cols{"attempt": 2, "leased_until": 6, "due_at": 6, "status": 1, "excerpt": "e", "trouble": "t", "tried_at": 1, "took": 1})
		postpone := func(attempt, leased int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.PostponeDelivery(w.Context(), PostponeDeliveryParams{ID: 11, Attempt: attempt, LeasedUntil: leased, DueAt: 50, Status: 500, Excerpt: "x", Trouble: "y", TriedAt: 7, Took: 8})
			}
		}
		w.affects(0, postpone(3, 6))
		w.affects(0, postpone(2, 5))
		d := "deliveries 11 "
		w.affects(1, postpone(2, 6), d+"due_at: 6 -> 50", d+"leased_until: 6 -> 0", d+"status: 1 -> 500", d+"excerpt: e -> x", d+"trouble: t -> y", d+"tried_at: 1 -> 7", d+"took: 1 -> 8")
		w.affects(0, postpone(2, 6))
	},
	"ResumeDeliveries": func(w *world) {
		w.told()
		w.deliveryOf(11, cols{"due_at": 50, "leased_until": 50, "tries": 2})
		w.deliveryOf(12, cols{"due_at": 50, "leased_until": 50, "tries": 0})
		w.deliveryOf(13, cols{"due_at": 90, "tries": 3})
		w.deliveryOf(14, cols{"due_at": 91, "tries": 3})
		w.deliveryOf(15, cols{"due_at": 0, "state": "failed"})
		w.affects(3, func() (int64, error) {
			return w.q.ResumeDeliveries(w.Context(), ResumeDeliveriesParams{Now: 7, Latest: 90})
		},
			"deliveries 11 due_at: 50 -> 7", "deliveries 11 leased_until: 50 -> 0", "deliveries 11 tries: 2 -> 1", "deliveries 12 due_at: 50 -> 7", "deliveries 12 leased_until: 50 -> 0",
			"deliveries 14 due_at: 91 -> 7")
	},
	"ResumeWaits": func(w *world) {
		w.endpointOf(3, cols{"wait_until": 91})
		w.endpointOf(4, cols{"wait_until": 90})
		w.changes(func() error { return w.q.ResumeWaits(w.Context(), 90) }, "endpoints abc/3 wait_until: 91 -> 0")
	},
	"ResendDelivery": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.deliveryOf(11, cols{"due_at": 0, "state": "done", "tries": 3, "attempt": 4, "done_at": 5})
		w.deliveryOf(12, cols{"due_at": 0, "state": "done"})
		w.deliveryOf(13, cols{"due_at": 6})
		w.deliveryOf(14, cols{"due_at": 0, "state": "done", "endpoint_id": 5})
		resend := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.ResendDelivery(w.Context(), ResendDeliveryParams{StoreHash: "abc", EndpointID: 3, ID: id, DueAt: 7})
			}
		}
		d := "deliveries 11 "
		w.affects(1, resend(11), d+"state: done -> pending", d+"due_at: 0 -> 7", d+"tries: 3 -> 0", d+"attempt: 4 -> 5", d+"done_at: 5 -> 0")
		w.affects(0, resend(13))
		w.affects(0, resend(14))
	},
	"ResendFailed": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.deliveryOf(11, cols{"due_at": 0, "state": "failed", "tries": 3, "attempt": 4, "done_at": 5})
		w.deliveryOf(12, cols{"due_at": 0, "state": "done"})
		w.deliveryOf(13, cols{"due_at": 0, "state": "failed", "endpoint_id": 5})
		d := "deliveries 11 "
		w.affects(1, func() (int64, error) {
			return w.q.ResendFailed(w.Context(), ResendFailedParams{StoreHash: "abc", EndpointID: 3, Now: 7})
		}, d+"state: failed -> pending", d+"due_at: 0 -> 7", d+"tries: 3 -> 0", d+"attempt: 4 -> 5", d+"done_at: 5 -> 0")
	},
	"DropEndpointDeliveries": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.deliveryOf(11, cols{"due_at": 50, "leased_until": 50, "trouble": "t", "done_at": 0})
		w.deliveryOf(12, cols{"due_at": 0, "state": "failed"})
		w.deliveryOf(13, cols{"endpoint_id": 5})
		d := "deliveries 11 "
		w.changes(func() error {
			return w.q.DropEndpointDeliveries(w.Context(), DropEndpointDeliveriesParams{StoreHash: "abc", EndpointID: 3, Trouble: "gone", Now: 7})
		}, d+"state: pending -> dropped", d+"due_at: 50 -> 0", d+"leased_until: 50 -> 0", d+"trouble: t -> gone", d+"done_at: 0 -> 7")
	},
	"DropShopDeliveries": func(w *world) {
		w.told()
		w.endpointOf(3, cols{"store_hash": "xyz"})
		w.deliveryOf(11, cols{"due_at": 50, "leased_until": 50, "trouble": "t", "done_at": 0})
		w.deliveryOf(12, cols{"due_at": 0, "state": "failed"})
		w.deliveryOf(13, cols{"store_hash": "xyz"})
		d := "deliveries 11 "
		w.changes(func() error {
			return w.q.DropShopDeliveries(w.Context(), DropShopDeliveriesParams{StoreHash: "abc", Trouble: "gone", Now: 7})
		}, d+"state: pending -> dropped", d+"due_at: 50 -> 0", d+"leased_until: 50 -> 0", d+"trouble: t -> gone", d+"done_at: 0 -> 7")
	},
	"DeliveryPage": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.deliveryOf(11, nil)
		d12, e12 := w.deliveryOf(12, nil)
		d13, e13 := w.deliveryOf(13, cols{"state": "failed", "due_at": 0})
		w.deliveryOf(14, cols{"endpoint_id": 5})
		w.deliveryOf(15, nil)
		got, err := w.q.DeliveryPage(w.Context(), DeliveryPageParams{StoreHash: "abc", EndpointID: 3, Below: 15, Count: 2})
		both := func(d, e cols) cols { return cols{"name": e["name"], "type": e["type"]} }
		if len(got) != 2 {
			w.Fatalf("%+v", got)
		}
		one(w, got[0], err, both(d13, e13), d13)
		one(w, got[1], err, both(d12, e12), d12)
	},
	"FailedDeliveryPage": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		failed := cols{"state": "failed", "due_at": 0}
		w.deliveryOf(11, failed)
		d12, e12 := w.deliveryOf(12, failed)
		w.deliveryOf(13, nil)
		w.deliveryOf(14, cols{"endpoint_id": 5, "state": "failed", "due_at": 0})
		w.deliveryOf(15, failed)
		got, err := w.q.FailedDeliveryPage(w.Context(), FailedDeliveryPageParams{StoreHash: "abc", EndpointID: 3, Below: 15, Count: 1})
		if len(got) != 1 {
			w.Fatalf("%+v", got)
		}
		one(w, got[0], err, cols{"name": e12["name"], "type": e12["type"]}, d12)
	},
	"Delivery": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		d, e := w.deliveryOf(11, nil)
		w.deliveryOf(12, cols{"endpoint_id": 5})
		got, err := w.q.Delivery(w.Context(), DeliveryParams{StoreHash: "abc", EndpointID: 3, ID: 11})
		one(w, got, err, cols{"name": e["name"], "type": e["type"], "payload": e["payload"]}, d)
		got, err = w.q.Delivery(w.Context(), DeliveryParams{StoreHash: "abc", EndpointID: 3, ID: 12})
		none(w, got, err)
		got, err = w.q.Delivery(w.Context(), DeliveryParams{StoreHash: "xyz", EndpointID: 3, ID: 11})
		none(w, got, err)
	},
	"DeliveryCounts": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		for i := range 5 {
			given := cols{}
			if i > 2 {
				given = cols{"state": "failed", "due_at": 0}
			}
			w.deliveryOf(11+i, given)
		}
		w.deliveryOf(20, cols{"endpoint_id": 5})
		w.deliveryOf(21, cols{"state": "done", "due_at": 0})
		got, err := w.q.DeliveryCounts(w.Context(), DeliveryCountsParams{StoreHash: "abc", EndpointID: 3})
		equal(w, got, err, DeliveryCountsRow{Waiting: 3, Failed: 2})
	},
	"EraseCustomerEvents": func(w *world) {
		payload := `{"type":"t","data":{"order_id":118,"customer_id":5,"cart_id":"c","receipt":"r","outcome":"hold"}}`
		w.event(1, cols{"customer_id": 5, "payload": payload})
		w.event(2, cols{"customer_id": 6, "payload": payload})
		w.event(3, cols{"customer_id": 5, "payload": payload, "store_hash": "xyz"})
		w.event(4, cols{"customer_id": 0, "payload": payload})
		erase := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseCustomerEvents(w.Context(), EraseCustomerEventsParams{StoreHash: "abc", CustomerID: id})
			}
		}
		w.affects(1, erase(5), "events 1 customer_id: 5 -> 0", "events 1 payload: "+payload+` -> {"type":"t","data":{"order_id":118,"outcome":"hold"}}`)
		w.affects(0, erase(0))
	},
	"ForgetEvents": func(w *world) {
		w.told()
		w.event(11, cols{"made_at": 6})
		w.delivery(12, cols{"event_id": 11})
		w.event(13, cols{"made_at": 7})
		w.delivery(14, cols{"event_id": 13})
		forget := func() (int64, error) { return w.q.ForgetEvents(w.Context(), 7) }
		w.affects(1, forget, "- events 11", "- deliveries 12")
		w.slices(forget, func(i int) { w.event(2000+i, cols{"made_at": 6}) })
	},
	"ForgetEndpoints": func(w *world) {
		w.told()
		removed := cols{"state": "removed", "secret": []byte{}}
		w.endpointOf(5, removed)
		w.endpointOf(6, removed)
		w.delivery(12, cols{"endpoint_id": 6})
		w.rec.distinct["ForgetEndpoints"] = true // it takes nothing
		w.affects(1, func() (int64, error) { return w.q.ForgetEndpoints(w.Context()) }, "- endpoints abc/5")
	},
	"DestroyEvents": func(w *world) {
		w.told()
		w.delivery(12, nil)
		w.event(13, cols{"store_hash": "xyz"})
		destroy := func() (int64, error) { return w.q.DestroyEvents(w.Context(), "abc") }
		w.affects(1, destroy, "- events 4", "- deliveries 12")
		w.slices(destroy, func(i int) { w.event(2000+i, nil) })
	},
	"DestroyEndpoints": func(w *world) {
		w.told()
		w.endpointOf(5, nil)
		w.delivery(12, nil)
		w.endpointOf(6, cols{"store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyEndpoints(w.Context(), "abc") }, "- endpoints abc/5")
		w.exec("DELETE FROM events")
		w.affects(1, func() (int64, error) { return w.q.DestroyEndpoints(w.Context(), "abc") }, fmt.Sprintf("- endpoints %s/%d", "abc", 3))
	},
}
