-- Orders as the gate sees them.

-- name: DueOrder :exec
INSERT INTO orders (store_hash, order_id, seen_at, due_at) VALUES (@store_hash, @order_id, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET attempt = 0, urgency = 0,
    due_at = CASE WHEN orders.due_at = 0 THEN excluded.due_at ELSE min(orders.due_at, excluded.due_at) END
WHERE orders.due_at = 0 OR orders.due_at > excluded.due_at OR orders.attempt != 0 OR orders.urgency != 0;

-- As DueOrder, but an order that is allowed and not on our hold waits behind the others, unless it is due before them already: a merchant who
-- marks thousands as shipped must not keep new orders waiting.
-- name: DueOrderTold :exec
INSERT INTO orders (store_hash, order_id, seen_at, due_at) VALUES (@store_hash, @order_id, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET attempt = 0,
    urgency = (orders.due_at = 0 OR orders.urgency = 1) AND orders.answer IN ('allow', 'exempt') AND orders.hold IN ('none', 'released'),
    due_at = CASE WHEN orders.due_at = 0 THEN excluded.due_at ELSE min(orders.due_at, excluded.due_at) END
WHERE orders.due_at = 0 OR orders.due_at > excluded.due_at OR orders.attempt != 0
    OR orders.urgency != 0 AND NOT (orders.answer IN ('allow', 'exempt') AND orders.hold IN ('none', 'released'));

-- As DueOrderTold, if it is not known so. An order that is being evaluated, or is to be tried again, counts as not known yet: what is being
-- evaluated may be older.
-- name: DueOrderIfChanged :execrows
INSERT INTO orders (store_hash, order_id, status_id, modified_at, seen_at, due_at) VALUES (@store_hash, @order_id, @status_id, @modified_at, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET attempt = 0,
    urgency = (orders.due_at = 0 OR orders.urgency = 1) AND orders.answer IN ('allow', 'exempt') AND orders.hold IN ('none', 'released'),
    due_at = CASE WHEN orders.due_at = 0 THEN excluded.due_at ELSE min(orders.due_at, excluded.due_at) END
WHERE (orders.due_at = 0 OR orders.attempt != 0 OR orders.urgency != 0 AND NOT (orders.answer IN ('allow', 'exempt') AND orders.hold IN ('none', 'released')))
    AND (orders.modified_at != excluded.modified_at OR orders.status_id != excluded.status_id);

-- The next ones name their index: left to itself, SQLite takes the primary key and reads every order of the Shop.
-- name: DueOrdersOfCart :exec
UPDATE orders SET due_at = @due_at, attempt = 0, urgency = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_cart WHERE o.store_hash = @store_hash AND o.cart_id = @cart_id AND o.cart_id != '');

-- name: DueOrdersOfCustomer :exec
UPDATE orders SET due_at = @due_at, attempt = 0, urgency = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0) AND hold IN ('holding', 'held', 'leaked');

-- Every order that could still be shipped, or is on our hold: the Policy it was decided under has changed. What is due already stays so,
-- and what is being evaluated, whatever it is, stays due when that ends: it may be decided by the former Policy.
-- name: DueWaitingOrders :exec
UPDATE orders SET attempt = 0, due_at = CASE WHEN due_at = 0 THEN CAST(@due_at AS INTEGER) ELSE due_at END, urgency = CASE WHEN due_at = 0 THEN 1 ELSE urgency END
WHERE orders.store_hash = @store_hash AND orders.order_id IN (
    SELECT o.order_id FROM orders AS o INDEXED BY orders_waiting WHERE o.store_hash = @store_hash AND o.status_id IN (7, 8, 9, 11, 12)
    UNION ALL SELECT o.order_id FROM orders AS o INDEXED BY orders_due WHERE o.store_hash = @store_hash AND o.due_at != 0) AND (orders.due_at = 0 OR orders.attempt != 0);

-- Orders that rest on this Proof and have not shipped.
-- name: DueOrdersOfProof :execrows
UPDATE orders SET due_at = @due_at, attempt = 0, urgency = 0 WHERE (store_hash, order_id) IN (
    SELECT d.store_hash, d.order_id FROM decisions AS d INDEXED BY decisions_proof WHERE d.store_hash = @store_hash AND d.proof_id = @proof_id AND d.proof_id != '' AND d.order_id != 0)
    AND status_id NOT IN (2, 3, 10, 14, 4, 5, 6, 13);

-- Orders that time alone makes due.
-- name: DueWokenOrders :execrows
UPDATE orders SET due_at = @now, attempt = 0, urgency = 0, wake_at = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_wake WHERE o.store_hash = @store_hash AND o.wake_at != 0 AND o.wake_at <= @now LIMIT 500);

-- name: LeaseOrders :many
UPDATE orders SET attempt = attempt + 1, lease = lease + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE (store_hash, order_id) IN (SELECT o.store_hash, o.order_id FROM orders AS o WHERE o.store_hash = @store_hash AND o.urgency = @urgency AND o.due_at != 0 AND o.due_at <= @now ORDER BY o.due_at LIMIT @count)
RETURNING store_hash, order_id, attempt, lease;

-- name: FinishOrder :execrows
UPDATE orders SET status_id = @status_id, customer_id = @customer_id, cart_id = @cart_id, mailbox = @mailbox, buyer = @buyer, value_minor = @value_minor,
    currency = @currency, shop_minor = @shop_minor, shop_currency = @shop_currency, source = @source, channel = @channel, digital = @digital, placed_at = @placed_at, modified_at = @modified_at,
    hold = @hold, former_status = @former_status, hold_status = @hold_status, held_at = @held_at, holds = @holds, reheld = @reheld, touched = @touched, alarmed_at = @alarmed_at,
    cancel_at = @cancel_at, called_at = @called_at, kept = @kept, wake_at = @wake_at, decision_id = @decision_id, answer = @answer, facts_digest = @facts_digest,
    link = @link, person_says = @person_says, trouble = '', due_at = CASE WHEN attempt = 0 THEN due_at ELSE 0 END,
    urgency = CASE WHEN attempt = 0 THEN urgency ELSE 0 END, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- name: PostponeOrder :execrows
UPDATE orders SET due_at = CASE WHEN attempt = 0 THEN due_at ELSE CAST(@due_at AS INTEGER) END, trouble = @trouble, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- name: ForgetOrder :execrows
UPDATE orders SET due_at = CASE WHEN attempt = 0 THEN due_at ELSE 0 END, urgency = CASE WHEN attempt = 0 THEN urgency ELSE 0 END, trouble = @trouble, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- A lease taken before this looked at an older order: it is lost, and if there is one the order is due again.
-- name: SetOrderHold :execrows
UPDATE orders SET hold = @hold, status_id = @status_id, held_at = CASE WHEN held_at = 0 THEN CAST(@held_at AS INTEGER) ELSE held_at END, lease = lease + 1, attempt = 0,
    due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END
WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- A lease taken before this does not know of the person's word: it is lost, and if there is one the order is due again.
-- name: PersonSays :execrows
UPDATE orders SET person_says = @says, hold = @hold, decision_id = @decision_id, answer = @answer, lease = lease + 1, attempt = 0,
    due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END
WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- name: Order :one
SELECT store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, digital, placed_at, modified_at, seen_at, hold, former_status,
    hold_status, held_at, holds, reheld, touched, alarmed_at, cancel_at, called_at, kept, wake_at, decision_id, facts_digest, person_says, link, erased_at, due_at, urgency, attempt, lease, trouble,
    channel, shop_minor, shop_currency, answer
FROM orders WHERE store_hash = @store_hash AND order_id = @order_id;

-- Somebody moved the order off our hold after we had written it: our hold is not the last status written any more. A lease taken before
-- this does not know of it: it is lost, and the order is due again when it would have ended.
-- name: TouchOrder :execrows
UPDATE orders SET touched = 1, lease = lease + 1, attempt = 0 WHERE store_hash = @store_hash AND order_id = @order_id AND hold IN ('held', 'refused') AND hold_status = @old_status AND hold_status != @new_status AND held_at < @event_at;

-- A named person's word that an order on hold is not to be cancelled, or is after all.
-- name: KeepOrder :execrows
UPDATE orders SET kept = @kept, cancel_at = 0, called_at = 0, due_at = CASE WHEN due_at = 0 THEN CAST(@now AS INTEGER) ELSE due_at END, attempt = 0,
    urgency = 0, lease = lease + 1, hold = 'held'
WHERE store_hash = @store_hash AND order_id = @order_id AND hold IN ('held', 'cancelling');

-- name: ShopsWithDueOrders :many
SELECT DISTINCT store_hash FROM orders WHERE due_at != 0 AND due_at <= @now;

-- name: ResumeOrders :execrows
UPDATE orders SET due_at = @now WHERE due_at != 0 AND due_at > @now;
