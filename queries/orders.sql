-- Orders as the gate sees them.

-- name: DueOrder :exec
INSERT INTO orders (store_hash, order_id, seen_at, due_at) VALUES (@store_hash, @order_id, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET due_at = excluded.due_at, attempt = 0
WHERE orders.due_at = 0 OR orders.due_at > excluded.due_at;

-- name: DueOrderIfChanged :execrows
INSERT INTO orders (store_hash, order_id, status_id, modified_at, seen_at, due_at) VALUES (@store_hash, @order_id, @status_id, @modified_at, @now, @due_at)
ON CONFLICT (store_hash, order_id) DO UPDATE SET due_at = excluded.due_at, attempt = 0
WHERE orders.due_at = 0 AND (orders.modified_at != excluded.modified_at OR orders.status_id != excluded.status_id);

-- name: DueOrdersOfCart :exec
UPDATE orders SET due_at = @due_at, attempt = 0 WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '';

-- name: DueOrdersOfCustomer :exec
UPDATE orders SET due_at = @due_at, attempt = 0
WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0 AND hold IN ('holding', 'held', 'leaked');

-- name: DueOrdersOnHold :exec
UPDATE orders SET due_at = @due_at, attempt = 0 WHERE store_hash = @store_hash AND hold IN ('holding', 'held');

-- name: LeaseOrders :many
UPDATE orders SET attempt = attempt + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE (store_hash, order_id) IN (SELECT o.store_hash, o.order_id FROM orders AS o WHERE o.due_at != 0 AND o.due_at <= @now ORDER BY o.due_at LIMIT @count)
RETURNING store_hash, order_id, attempt, due_at;

-- name: FinishOrder :execrows
UPDATE orders SET status_id = @status_id, customer_id = @customer_id, cart_id = @cart_id, mailbox = @mailbox, buyer = @buyer, value_minor = @value_minor,
    currency = @currency, source = @source, placed_at = @placed_at, modified_at = @modified_at,
    hold = @hold, former_status = @former_status, hold_status = @hold_status, held_at = @held_at, decision_id = @decision_id, facts_digest = @facts_digest,
    link = @link, person_says = @person_says, trouble = '', due_at = CASE WHEN due_at = CAST(@leased_until AS INTEGER) THEN 0 ELSE due_at END
WHERE store_hash = @store_hash AND order_id = @order_id;

-- name: PostponeOrder :execrows
UPDATE orders SET due_at = @due_at, trouble = @trouble WHERE store_hash = @store_hash AND order_id = @order_id AND due_at = CAST(@leased_until AS INTEGER);

-- name: ForgetOrder :execrows
UPDATE orders SET due_at = 0, trouble = @trouble WHERE store_hash = @store_hash AND order_id = @order_id AND due_at = CAST(@leased_until AS INTEGER);

-- name: SetOrderHold :execrows
UPDATE orders SET hold = @hold, status_id = @status_id, held_at = @held_at WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- name: PersonSays :execrows
UPDATE orders SET person_says = @says, hold = @hold, decision_id = @decision_id WHERE store_hash = @store_hash AND order_id = @order_id AND hold = CAST(@was AS TEXT);

-- name: Order :one
SELECT store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, placed_at, modified_at, seen_at, hold, former_status,
    hold_status, held_at, decision_id, facts_digest, person_says, link, due_at, attempt, trouble
FROM orders WHERE store_hash = @store_hash AND order_id = @order_id;

-- name: NextOrderDue :one
SELECT CAST(coalesce(min(due_at), 0) AS INTEGER) FROM orders WHERE due_at != 0;
