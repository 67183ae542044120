package queries

import "fmt"

var provingCases = cases{
	"AddCapability": func(w *world) {
		w.exec("PRAGMA ignore_check_constraints = ON") // no purpose has both a cart and an order
		w.changes(func() error {
			return w.q.AddCapability(w.Context(), AddCapabilityParams{ID: []byte("sixteen bytes..."), StoreHash: "abc", Purpose: "cart", CartID: "c", OrderID: 118,
				CustomerID: 5, Mailbox: []byte("m"), Mailed: 1, Locale: "de", ChannelID: 3, Now: 7, ExpiresAt: 8})
		}, "+ capabilities sixteen bytes...: cart_id=c channel_id=3 customer_id=5 expires_at=8 id=sixteen bytes... locale=de made_at=7 mailbox=m mailed=1 order_id=118 purpose=cart store_hash=abc")
	},
	"Capability": func(w *world) {
		row := w.add("capabilities", nil)
		w.add("capabilities", cols{"id": []byte("another sixteen.")})
		got, err := w.q.Capability(w.Context(), row["id"].([]byte))
		one(w, got, err, row)
		got, err = w.q.Capability(w.Context(), []byte("nobody's sixteen"))
		none(w, got, err)
	},
	"SetCapabilityLocale": func(w *world) {
		row := w.add("capabilities", cols{"locale": "en"})
		w.add("capabilities", cols{"id": []byte("another sixteen."), "locale": "en"})
		speak := func(id []byte) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SetCapabilityLocale(w.Context(), SetCapabilityLocaleParams{ID: id, Locale: "ja"})
			}
		}
		w.affects(1, speak(row["id"].([]byte)), "capabilities "+string(row["id"].([]byte))+" locale: en -> ja")
		w.affects(0, speak([]byte("nobody's sixteen")))
	},
	"AddDecision": func(w *world) {
		w.changes(func() error {
			return w.q.AddDecision(w.Context(), AddDecisionParams{ID: "d", StoreHash: "abc", Stage: "order", CartID: "c", OrderID: 118, CustomerID: 5, Outcome: "hold",
				Mode: "shadow", MadeBy: "person", Person: "ada", Note: "why", PolicyVersion: 3, ProofID: "p", FactsDigest: []byte("f"), Explanation: "{}",
				Receipt: "jwt", Now: 7})
		}, "+ decisions d: cart_id=c customer_id=5 explanation={} facts_digest=f id=d made_at=7 made_by=person mode=shadow note=why order_id=118 outcome=hold "+
			"person=ada policy_version=3 proof_id=p receipt=jwt stage=order stands=1 store_hash=abc")
		w.changes(func() error {
			return w.q.AddDecision(w.Context(), AddDecisionParams{ID: "d2", StoreHash: "abc", Stage: "checkout", CartID: "c", Outcome: "allow", Mode: "enforce", MadeBy: "rule",
				FactsDigest: []byte("f"), Now: 7})
		}, "+ decisions d2: cart_id=c customer_id=0 explanation= facts_digest=f id=d2 made_at=7 made_by=rule mode=enforce note= order_id=0 outcome=allow "+
			"person= policy_version=0 proof_id= receipt= stage=checkout stands=0 store_hash=abc")
	},
	"SupersedeDecision": func(w *world) {
		for _, id := range []string{"d1", "d2", "d3"} {
			w.add("decisions", cols{"id": id, "order_id": 118})
		}
		w.order(118, cols{"decision_id": "d2"})
		w.order(119, cols{"decision_id": ""})
		w.order(118, cols{"decision_id": "d3", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.SupersedeDecision(w.Context(), SupersedeDecisionParams{StoreHash: "abc", OrderID: 118})
		}, "decisions d2 stands: 1 -> 0")
		for _, id := range []int64{119, 120} {
			w.affects(0, func() (int64, error) {
				return w.q.SupersedeDecision(w.Context(), SupersedeDecisionParams{StoreHash: "abc", OrderID: id})
			})
		}
	},
	"Decision": func(w *world) {
		row := w.add("decisions", cols{"id": "d1"})
		w.add("decisions", cols{"id": "d2", "store_hash": "xyz"})
		got, err := w.q.Decision(w.Context(), DecisionParams{ID: "d1", StoreHash: "abc"})
		one(w, got, err, row)
		got, err = w.q.Decision(w.Context(), DecisionParams{ID: "d2", StoreHash: "abc"})
		none(w, got, err)
	},
	"OrderDecisions": func(w *world) {
		first := w.add("decisions", cols{"id": "d1", "order_id": 118})
		w.add("decisions", cols{"order_id": 119})
		w.add("decisions", cols{"order_id": 118, "store_hash": "xyz"})
		w.add("decisions", cols{"order_id": 0, "stage": "checkout"})
		last := w.add("decisions", cols{"id": "d2", "order_id": 118})
		got, err := w.q.OrderDecisions(w.Context(), OrderDecisionsParams{StoreHash: "abc", OrderID: 118})
		are(w, got, err, last, first)
		got, err = w.q.OrderDecisions(w.Context(), OrderDecisionsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"CartDecisions": func(w *world) {
		first := w.add("decisions", cols{"id": "d1", "cart_id": "c1"})
		w.add("decisions", cols{"cart_id": "c2"})
		w.add("decisions", cols{"cart_id": "c1", "store_hash": "xyz"})
		w.add("decisions", cols{"cart_id": ""})
		last := w.add("decisions", cols{"id": "d2", "cart_id": "c1"})
		got, err := w.q.CartDecisions(w.Context(), CartDecisionsParams{StoreHash: "abc", CartID: "c1"})
		are(w, got, err, last, first)
		got, err = w.q.CartDecisions(w.Context(), CartDecisionsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"CartAnswer": func(w *world) {
		w.add("decisions", cols{"id": "d1", "cart_id": "c1"})
		row := w.add("decisions", cols{"id": "d2", "cart_id": "c1"})
		w.add("decisions", cols{"id": "d3", "cart_id": "c2"})
		w.add("decisions", cols{"id": "d4", "cart_id": "c1", "store_hash": "xyz"})
		w.add("decisions", cols{"id": "d5", "cart_id": ""})
		got, err := w.q.CartAnswer(w.Context(), CartAnswerParams{StoreHash: "abc", CartID: "c1"})
		one(w, got, err, row)
		got, err = w.q.CartAnswer(w.Context(), CartAnswerParams{StoreHash: "abc"})
		none(w, got, err)
	},
	"AddSession": func(w *world) {
		w.changes(func() error {
			return w.q.AddSession(w.Context(), AddSessionParams{ID: "s", StoreHash: "abc", Provider: "p", ProviderRef: "r", CaptureUrl: []byte("u"),
				Capability: []byte("sixteen bytes..."), CartID: "c", OrderID: 118, CustomerID: 5, Mailbox: []byte("m"), Requirement: "{}", PolicyVersion: 3, Channel: 4, Now: 7,
				Deadline: 8, PollAt: 9})
		}, "+ sessions s: attempt=0 capability=sixteen bytes... capture_url=u cart_id=c changed_at=7 channel=4 customer_id=5 deadline=8 digest= ial=-1 id=s late=0 leased_until=0 mailbox=m moves=[] "+
			"order_id=118 over_at=0 policy_version=3 poll_at=9 provider=p provider_ref=r reason= requirement={} source= started_at=7 state=created store_hash=abc trouble= woken_at=0")
	},
	"Session": func(w *world) {
		row := w.add("sessions", cols{"id": "s1"})
		w.add("sessions", cols{"id": "s2"})
		got, err := w.q.Session(w.Context(), "s1")
		one(w, got, err, row)
		got, err = w.q.Session(w.Context(), "s3")
		none(w, got, err)
	},
	"CapabilitySessions": func(w *world) {
		mine := []byte("sixteen bytes...")
		first := w.add("sessions", cols{"capability": mine, "started_at": 5})
		w.add("sessions", nil)
		last := w.add("sessions", cols{"capability": mine, "started_at": 6})
		got, err := w.q.CapabilitySessions(w.Context(), mine)
		are(w, got, err, last, first)
	},
	"OrderSessions": func(w *world) {
		first := w.add("sessions", cols{"order_id": 118, "started_at": 5})
		w.add("sessions", cols{"order_id": 119})
		w.add("sessions", cols{"order_id": 118, "store_hash": "xyz"})
		w.add("sessions", cols{"order_id": 0})
		last := w.add("sessions", cols{"order_id": 118, "started_at": 6})
		got, err := w.q.OrderSessions(w.Context(), OrderSessionsParams{StoreHash: "abc", OrderID: 118})
		are(w, got, err, last, first)
		got, err = w.q.OrderSessions(w.Context(), OrderSessionsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"CartSessions": func(w *world) {
		first := w.add("sessions", cols{"cart_id": "c1", "started_at": 5})
		w.add("sessions", cols{"cart_id": "c2"})
		w.add("sessions", cols{"cart_id": "c1", "store_hash": "xyz"})
		w.add("sessions", cols{"cart_id": ""})
		last := w.add("sessions", cols{"cart_id": "c1", "started_at": 6})
		got, err := w.q.CartSessions(w.Context(), CartSessionsParams{StoreHash: "abc", CartID: "c1"})
		are(w, got, err, last, first)
		got, err = w.q.CartSessions(w.Context(), CartSessionsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"CountCartSessions": func(w *world) {
		for _, at := range []int{5, 6, 7, 8} {
			w.add("sessions", cols{"cart_id": "c1", "started_at": at})
		}
		w.add("sessions", cols{"cart_id": "c2", "started_at": 8})
		w.add("sessions", cols{"cart_id": "c1", "started_at": 8, "store_hash": "xyz"})
		got, err := w.q.CountCartSessions(w.Context(), CountCartSessionsParams{StoreHash: "abc", CartID: "c1", Since: 6})
		equal(w, got, err, 2)
		for range 120 {
			w.add("sessions", cols{"cart_id": "c1", "started_at": 9})
		}
		got, err = w.q.CountCartSessions(w.Context(), CountCartSessionsParams{StoreHash: "abc", CartID: "c1", Since: 6})
		equal(w, got, err, 100)
	},
	"CountOrderSessions": func(w *world) {
		for _, at := range []int{5, 6, 7, 8} {
			w.add("sessions", cols{"order_id": 118, "started_at": at})
		}
		w.add("sessions", cols{"order_id": 119, "started_at": 8})
		w.add("sessions", cols{"order_id": 118, "started_at": 8, "store_hash": "xyz"})
		got, err := w.q.CountOrderSessions(w.Context(), CountOrderSessionsParams{StoreHash: "abc", OrderID: 118, Since: 6})
		equal(w, got, err, 2)
		for range 120 {
			w.add("sessions", cols{"order_id": 118, "started_at": 9})
		}
		got, err = w.q.CountOrderSessions(w.Context(), CountOrderSessionsParams{StoreHash: "abc", OrderID: 118, Since: 6})
		equal(w, got, err, 100)
	},
	"CountShopSessions": func(w *world) {
		for _, at := range []int{5, 6, 7, 8} {
			w.add("sessions", cols{"started_at": at})
		}
		w.add("sessions", cols{"started_at": 8, "store_hash": "xyz"})
		got, err := w.q.CountShopSessions(w.Context(), CountShopSessionsParams{StoreHash: "abc", Since: 6})
		equal(w, got, err, 2)
	},
	"LeaseSessions": func(w *world) {
		second := w.add("sessions", cols{"id": "s3", "poll_at": 5, "attempt": 0, "leased_until": 0})
		w.add("sessions", cols{"id": "s4", "poll_at": 6})
		first := w.add("sessions", cols{"id": "s9", "poll_at": 4, "attempt": 2, "leased_until": 4})
		w.add("sessions", cols{"id": "s5", "poll_at": 8})
		w.add("sessions", cols{"id": "s6", "poll_at": 0, "state": "failed"})
		w.add("sessions", cols{"id": "s7", "poll_at": 4, "store_hash": "xyz"})
		w.changes(func() error {
			got, err := w.q.LeaseSessions(w.Context(), LeaseSessionsParams{StoreHash: "abc", Now: 7, LeaseUntil: 99, Count: 2})
			second["attempt"], first["attempt"], second["poll_at"], first["poll_at"] = 1, 3, 99, 99
			are(w, got, err, second, first)
			return nil
		}, "sessions s3 attempt: 0 -> 1", "sessions s3 poll_at: 5 -> 99", "sessions s3 leased_until: 0 -> 99",
			"sessions s9 attempt: 2 -> 3", "sessions s9 poll_at: 4 -> 99", "sessions s9 leased_until: 4 -> 99")
	},
	"ShopsWithDueSessions": func(w *world) {
		w.add("sessions", cols{"poll_at": 8})
		w.add("sessions", cols{"poll_at": 0, "state": "passed"})
		w.add("sessions", cols{"poll_at": 7, "store_hash": "xyz"})
		w.add("sessions", cols{"poll_at": 6, "store_hash": "xyz"})
		got, err := w.q.ShopsWithDueSessions(w.Context(), 7)
		equal(w, got, err, []string{"xyz"})
	},
	"ResumeSessions": func(w *world) {
		w.add("sessions", cols{"id": "s1", "poll_at": 99, "leased_until": 99, "woken_at": 7})
		w.add("sessions", cols{"id": "s2", "poll_at": 8, "leased_until": 0, "woken_at": 8}) // a doorbell rung by a clock that was ahead
		w.add("sessions", cols{"id": "s3", "poll_at": 0, "leased_until": 99, "state": "passed"})
		w.add("sessions", cols{"id": "s4", "poll_at": 6, "leased_until": 0})
		w.add("sessions", cols{"id": "s5", "poll_at": 6, "leased_until": 6, "woken_at": 1}) // its lease has run out
		w.affects(3, func() (int64, error) { return w.q.ResumeSessions(w.Context(), 7) }, "sessions s1 poll_at: 99 -> 7", "sessions s1 leased_until: 99 -> 0",
			"sessions s2 poll_at: 8 -> 7", "sessions s2 woken_at: 8 -> 7", "sessions s5 leased_until: 6 -> 0")
	},
	"MoveSession": func(w *world) {
		open := cols{"id": "s1", "state": "created", "attempt": 2, "leased_until": 99, "poll_at": 99, "reason": "", "digest": []byte{}, "trouble": "t", "changed_at": 1,
			"late": 0, "capture_url": []byte("u"), "deadline": 50}
		w.add("sessions", open)
		open["id"] = "s2"
		w.add("sessions", open)
		move := func(attempt int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.MoveSession(w.Context(), MoveSessionParams{ID: "s1", Attempt: attempt, State: "review", Reason: "r", Digest: []byte("d"), ChangedAt: 7,
					PollAt: 8, Late: 1, CaptureUrl: []byte("v"), Deadline: 9})
			}
		}
		w.affects(0, move(3))
		w.affects(1, move(2), "sessions s1 state: created -> review", "sessions s1 reason:  -> r", "sessions s1 digest:  -> d", "sessions s1 trouble: t -> ",
			"sessions s1 changed_at: 1 -> 7", "sessions s1 poll_at: 99 -> 8", "sessions s1 late: 0 -> 1", "sessions s1 capture_url: u -> v",
			"sessions s1 deadline: 50 -> 9", "sessions s1 leased_until: 99 -> 0", `sessions s1 moves: [] -> [[7,"review"]]`)
		w.affects(0, move(2)) // the lease has ended
		for _, state := range []string{"passed", "failed", "declined", "expired", "abandoned", "error"} {
			w.exec("UPDATE sessions SET state = ?, poll_at = 0, leased_until = 99 WHERE id = 's1'", state)
			w.affects(0, move(2)) // a final state never changes
		}
		open["id"] = "s3"
		w.add("sessions", open)
		w.affects(1, func() (int64, error) { // the end: it is over from now on
			return w.q.MoveSession(w.Context(), MoveSessionParams{ID: "s3", Attempt: 2, State: "failed", Reason: "r", Digest: []byte("d"), ChangedAt: 7, Late: 0,
				CaptureUrl: []byte{}, Deadline: 9})
		}, "sessions s3 state: created -> failed", "sessions s3 reason:  -> r", "sessions s3 digest:  -> d", "sessions s3 trouble: t -> ",
			"sessions s3 changed_at: 1 -> 7", "sessions s3 poll_at: 99 -> 0", "sessions s3 capture_url: u -> ", "sessions s3 deadline: 50 -> 9",
			"sessions s3 leased_until: 99 -> 0", "sessions s3 over_at: 0 -> 7", `sessions s3 moves: [] -> [[7,"failed"]]`)
	},
	"PostponeSession": func(w *world) {
		w.add("sessions", cols{"id": "s1", "attempt": 2, "leased_until": 99, "poll_at": 99, "trouble": ""})
		w.add("sessions", cols{"id": "s2", "attempt": 2, "leased_until": 99, "poll_at": 99})
		postpone := func(attempt int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.PostponeSession(w.Context(), PostponeSessionParams{ID: "s1", Attempt: attempt, PollAt: 8, Trouble: "down"})
			}
		}
		w.affects(0, postpone(1))
		w.affects(1, postpone(2), "sessions s1 poll_at: 99 -> 8", "sessions s1 trouble:  -> down", "sessions s1 leased_until: 99 -> 0")
		w.affects(0, postpone(2))
		w.exec("UPDATE sessions SET state = 'passed', poll_at = 0, leased_until = 99 WHERE id = 's1'")
		w.affects(0, postpone(2))
	},
	"WakeSession": func(w *world) {
		asleep := func(id string, given cols) {
			all := cols{"id": id, "poll_at": 20, "woken_at": 5, "leased_until": 7}
			for k, v := range given {
				all[k] = v
			}
			w.add("sessions", all)
		}
		wake := func(id string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.WakeSession(w.Context(), WakeSessionParams{ID: id, StoreHash: "abc", Now: 7, RungBefore: 5})
			}
		}
		asleep("s1", nil)
		w.affects(1, wake("s1"), "sessions s1 poll_at: 20 -> 7", "sessions s1 woken_at: 5 -> 7")
		w.affects(0, wake("s1"))
		asleep("s2", cols{"store_hash": "xyz"})
		asleep("s3", cols{"woken_at": 6})                                      // rung just now
		asleep("s4", cols{"leased_until": 8})                                  // being polled
		asleep("s5", cols{"poll_at": 7})                                       // due anyway
		asleep("s6", cols{"poll_at": 0, "state": "failed", "leased_until": 0}) // final
		for i := range 5 {
			w.affects(0, wake(fmt.Sprintf("s%d", 2+i)))
		}
	},
	"AddProof": func(w *world) {
		w.add("sessions", cols{"id": "s"})
		w.exec("PRAGMA ignore_check_constraints = ON") // both bits have values of their own here
		w.changes(func() error {
			return w.q.AddProof(w.Context(), AddProofParams{ID: "p", StoreHash: "abc", SessionID: "s", CustomerID: 5, CartID: "c", OrderID: 118, Mailbox: []byte("m"),
				Ial: 3, Source: "oidc", Document: 21, Selfie: 22, Age: 44, Person: []byte("sealed"), Now: 7, GoodUntil: 8})
		}, "+ proofs p: age=44 cart_id=c customer_id=5 document=21 good_until=8 ial=3 id=p mailbox=m order_id=118 person=sealed proved_at=7 revoked_at=0 revoked_by= "+
			"revoked_why= selfie=22 session_id=s source=oidc store_hash=abc")
	},
	"KeepSession": func(w *world) {
		for _, id := range []string{"s1", "s2"} {
			w.add("sessions", cols{"id": id, "state": "passed", "poll_at": 0, "over_at": 5, "ial": -1, "source": ""})
		}
		keep := func(until int64) func() error {
			return func() error {
				return w.q.KeepSession(w.Context(), KeepSessionParams{ID: "s1", GoodUntil: until, Ial: 2, Source: "oidc"})
			}
		}
		w.changes(keep(9), "sessions s1 over_at: 5 -> 9", "sessions s1 ial: -1 -> 2", "sessions s1 source:  -> oidc")
		w.changes(keep(8))
	},
	"RevokeProof": func(w *world) {
		standing := cols{"revoked_at": 0, "revoked_by": "", "revoked_why": "", "person": []byte("sealed")}
		w.proof("p1", standing)
		w.proof("p2", standing)
		revoke := func(hash string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.RevokeProof(w.Context(), RevokeProofParams{ID: "p1", StoreHash: hash, RevokedBy: "ada", RevokedWhy: "fraud", Now: 7})
			}
		}
		w.affects(0, revoke("xyz"))
		w.affects(1, revoke("abc"), "proofs p1 revoked_at: 0 -> 7", "proofs p1 revoked_by:  -> ada", "proofs p1 revoked_why:  -> fraud", "proofs p1 person: sealed -> ")
		w.affects(0, revoke("abc")) // whoever was first stands
	},
	"SessionProof": func(w *world) {
		row := w.proof("p1", nil)
		w.proof("p2", nil)
		got, err := w.q.SessionProof(w.Context(), SessionProofParams{SessionID: "of p1", StoreHash: "abc"})
		one(w, got, err, row)
		for _, p := range []SessionProofParams{{"of p1", "xyz"}, {"of p3", "abc"}} {
			got, err = w.q.SessionProof(w.Context(), p)
			none(w, got, err)
		}
	},
	"Proof": func(w *world) {
		row := w.proof("p1", nil)
		w.proof("p2", cols{"store_hash": "xyz"})
		got, err := w.q.Proof(w.Context(), ProofParams{ID: "p1", StoreHash: "abc"})
		one(w, got, err, row)
		got, err = w.q.Proof(w.Context(), ProofParams{ID: "p2", StoreHash: "abc"})
		none(w, got, err)
	},
	"CustomerProofs": func(w *world) {
		first := w.proof("p1", cols{"customer_id": 5, "proved_at": 5})
		w.proof("p2", cols{"customer_id": 6})
		w.proof("p3", cols{"customer_id": 5, "store_hash": "xyz"})
		w.proof("p4", cols{"customer_id": 0})
		last := w.proof("p0", cols{"customer_id": 5, "proved_at": 6})
		got, err := w.q.CustomerProofs(w.Context(), CustomerProofsParams{StoreHash: "abc", CustomerID: 5})
		are(w, got, err, last, first)
		got, err = w.q.CustomerProofs(w.Context(), CustomerProofsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"CartProofs": func(w *world) {
		first := w.proof("p1", cols{"cart_id": "c1", "proved_at": 5})
		w.proof("p2", cols{"cart_id": "c2"})
		w.proof("p3", cols{"cart_id": "c1", "store_hash": "xyz"})
		w.proof("p4", cols{"cart_id": ""})
		last := w.proof("p0", cols{"cart_id": "c1", "proved_at": 6})
		got, err := w.q.CartProofs(w.Context(), CartProofsParams{StoreHash: "abc", CartID: "c1"})
		are(w, got, err, last, first)
		got, err = w.q.CartProofs(w.Context(), CartProofsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"OrderProofs": func(w *world) {
		first := w.proof("p1", cols{"order_id": 118, "proved_at": 5})
		w.proof("p2", cols{"order_id": 119})
		w.proof("p3", cols{"order_id": 118, "store_hash": "xyz"})
		w.proof("p4", cols{"order_id": 0})
		last := w.proof("p0", cols{"order_id": 118, "proved_at": 6})
		got, err := w.q.OrderProofs(w.Context(), OrderProofsParams{StoreHash: "abc", OrderID: 118})
		are(w, got, err, last, first)
		got, err = w.q.OrderProofs(w.Context(), OrderProofsParams{StoreHash: "abc"})
		are(w, got, err)
	},
	"MailboxProofs": func(w *world) {
		first := w.proof("p1", cols{"mailbox": []byte("m1"), "proved_at": 5})
		w.proof("p2", cols{"mailbox": []byte("m2")})
		w.proof("p3", cols{"mailbox": []byte("m1"), "store_hash": "xyz"})
		w.proof("p4", cols{"mailbox": []byte{}})
		last := w.proof("p0", cols{"mailbox": []byte("m1"), "proved_at": 6})
		got, err := w.q.MailboxProofs(w.Context(), MailboxProofsParams{StoreHash: "abc", Mailbox: []byte("m1")})
		are(w, got, err, last, first)
		got, err = w.q.MailboxProofs(w.Context(), MailboxProofsParams{StoreHash: "abc", Mailbox: []byte{}})
		are(w, got, err)
	},
}

// proof adds a Proof with a Session of its own.
func (w *world) proof(id string, given cols) cols {
	w.Helper()
	w.add("sessions", cols{"id": "of " + id})
	all := cols{"id": id, "session_id": "of " + id}
	for k, v := range given {
		all[k] = v
	}
	return w.add("proofs", all)
}
