-- Orders as the gate sees them.

-- name: DueOrder :exec
INSERT INTO orders (store_hash, order_id, seen_at, due_at) VALUES (@store_hash, @order_id, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET attempt = 0,
    due_at = CASE WHEN orders.due_at = 0 THEN excluded.due_at ELSE min(orders.due_at, excluded.due_at) END
WHERE orders.due_at = 0 OR orders.due_at > excluded.due_at OR orders.attempt != 0;

-- An order that is being evaluated, or is to be tried again, counts as not known yet: what is being evaluated may be older.
-- name: DueOrderIfChanged :execrows
INSERT INTO orders (store_hash, order_id, status_id, modified_at, seen_at, due_at) VALUES (@store_hash, @order_id, @status_id, @modified_at, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET attempt = 0,
    due_at = CASE WHEN orders.due_at = 0 THEN excluded.due_at ELSE min(orders.due_at, excluded.due_at) END
WHERE (orders.due_at = 0 OR orders.attempt != 0) AND (orders.modified_at != excluded.modified_at OR orders.status_id != excluded.status_id);

-- The next three name their index: left to itself, SQLite takes the primary key and reads every order of the Shop.
-- name: DueOrdersOfCart :exec
UPDATE orders SET due_at = @due_at, attempt = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_cart WHERE o.store_hash = @store_hash AND o.cart_id = @cart_id AND o.cart_id != '');

-- name: DueOrdersOfCustomer :exec
UPDATE orders SET due_at = @due_at, attempt = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0) AND hold IN ('holding', 'held', 'leaked');

-- name: DueOrdersOnHold :exec
UPDATE orders SET due_at = @due_at, attempt = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_hold WHERE o.store_hash = @store_hash AND o.hold IN ('holding', 'held'));

-- name: LeaseOrders :many
UPDATE orders SET attempt = attempt + 1, lease = lease + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE (store_hash, order_id) IN (SELECT o.store_hash, o.order_id FROM orders AS o WHERE o.store_hash = @store_hash AND o.due_at != 0 AND o.due_at <= @now ORDER BY o.due_at LIMIT @count)
RETURNING store_hash, order_id, attempt, lease;

-- name: FinishOrder :execrows
UPDATE orders SET status_id = @status_id, customer_id = @customer_id, cart_id = @cart_id, mailbox = @mailbox, buyer = @buyer, value_minor = @value_minor,
    currency = @currency, source = @source, placed_at = @placed_at, modified_at = @modified_at,
    hold = @hold, former_status = @former_status, hold_status = @hold_status, held_at = @held_at, decision_id = @decision_id, facts_digest = @facts_digest,
    link = @link, person_says = @person_says, trouble = '', due_at = CASE WHEN attempt = 0 THEN due_at ELSE 0 END, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- name: PostponeOrder :execrows
UPDATE orders SET due_at = CASE WHEN attempt = 0 THEN due_at ELSE CAST(@due_at AS INTEGER) END, trouble = @trouble, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- name: ForgetOrder :execrows
UPDATE orders SET due_at = CASE WHEN attempt = 0 THEN due_at ELSE 0 END, trouble = @trouble, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND lease = @lease;

-- A lease taken before this looked at an older order: it is lost, and if there is one the order is due again.
-- name: SetOrderHold :execrows
UPDATE orders SET hold = @hold, status_id = @status_id, held_at = @held_at, lease = lease + 1, attempt = 0,
    due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END
WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- A lease taken before this does not know of the person's word: it is lost, and if there is one the order is due again.
-- name: PersonSays :execrows
UPDATE orders SET person_says = @says, hold = @hold, decision_id = @decision_id, lease = lease + 1, attempt = 0,
    due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END
WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- name: Order :one
SELECT store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, placed_at, modified_at, seen_at, hold, former_status,
    hold_status, held_at, decision_id, facts_digest, person_says, link, due_at, attempt, lease, trouble
FROM orders WHERE store_hash = @store_hash AND order_id = @order_id;

-- name: ShopsWithDueOrders :many
SELECT DISTINCT store_hash FROM orders WHERE due_at != 0 AND due_at <= @now;

-- name: ResumeOrders :execrows
UPDATE orders SET due_at = @now WHERE due_at != 0 AND due_at > @now;
