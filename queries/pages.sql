-- What the admin pages list: keyset pages, newest first, counts capped.

-- name: OrdersPage :many
SELECT o.order_id, o.status_id, o.customer_id, o.buyer, o.value_minor, o.currency, o.source, o.placed_at, o.hold, o.person_says, o.trouble, o.decision_id,
    d.outcome, d.mode, d.explanation, d.made_by
FROM orders AS o LEFT JOIN decisions AS d ON d.id = o.decision_id
WHERE o.store_hash = @store_hash AND o.order_id < @below AND o.status_id >= 0 ORDER BY o.order_id DESC LIMIT @count;

-- name: OrdersPageByHold :many
SELECT o.order_id, o.status_id, o.customer_id, o.buyer, o.value_minor, o.currency, o.source, o.placed_at, o.hold, o.person_says, o.trouble, o.decision_id,
    d.outcome, d.mode, d.explanation, d.made_by
FROM orders AS o LEFT JOIN decisions AS d ON d.id = o.decision_id
WHERE o.store_hash = @store_hash AND o.order_id < @below AND o.hold = @hold AND o.status_id >= 0 ORDER BY o.order_id DESC LIMIT @count;

-- name: DecisionsPage :many
SELECT id, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, explanation, made_at
FROM decisions WHERE store_hash = @store_hash AND (made_at, id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT)) ORDER BY made_at DESC, id DESC LIMIT @count;

-- name: SessionsPage :many
SELECT id, state, reason, cart_id, order_id, customer_id, started_at, changed_at, late, trouble
FROM sessions WHERE store_hash = @store_hash AND (started_at, id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT)) ORDER BY started_at DESC, id DESC LIMIT @count;

-- name: CountDecisions :many
SELECT t.stage, t.outcome, t.mode, count(*) AS n FROM (
    SELECT d.stage, d.outcome, d.mode FROM decisions AS d WHERE d.store_hash = @store_hash AND d.made_at >= @since ORDER BY d.made_at DESC LIMIT 10001
) AS t GROUP BY t.stage, t.outcome, t.mode;

-- name: CountSessions :many
SELECT t.state, count(*) AS n FROM (
    SELECT s.state FROM sessions AS s WHERE s.store_hash = @store_hash AND s.started_at >= @since ORDER BY s.started_at DESC LIMIT 10001
) AS t GROUP BY t.state;

-- name: CountHolds :many
SELECT t.hold, count(*) AS n FROM (
    SELECT o.hold FROM orders AS o WHERE o.store_hash = @store_hash AND o.hold != 'none' LIMIT 10001
) AS t GROUP BY t.hold;
