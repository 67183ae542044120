-- What the admin pages count and list: keyset pages, newest first, counts capped.

-- name: DecisionsPage :many
SELECT id, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, explanation, made_at
FROM decisions WHERE store_hash = @store_hash AND (made_at, id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT)) ORDER BY made_at DESC, id DESC LIMIT @count;

-- name: DecisionsPageByStage :many
SELECT id, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, explanation, made_at
FROM decisions WHERE store_hash = @store_hash AND stage = @stage AND (made_at, id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT)) ORDER BY made_at DESC, id DESC LIMIT @count;

-- name: SessionsPage :many
SELECT id, state, reason, cart_id, order_id, customer_id, started_at, changed_at, late, trouble
FROM sessions WHERE store_hash = @store_hash AND (started_at, id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT)) ORDER BY started_at DESC, id DESC LIMIT @count;

-- name: CountInReview :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE s.store_hash = @store_hash AND s.state = 'review' LIMIT 10001) AS t;

-- Passes that came too late, whose order still waits for somebody.
-- name: CountLatePasses :one
SELECT count(*) FROM (
    SELECT s.store_hash, s.order_id, s.cart_id FROM sessions AS s INDEXED BY sessions_late
    WHERE s.store_hash = @store_hash AND s.late = 1 AND s.started_at >= @since ORDER BY s.started_at DESC LIMIT 10001
) AS t WHERE EXISTS (SELECT 1 FROM orders AS o WHERE o.store_hash = t.store_hash AND o.order_id = t.order_id AND o.hold IN ('holding', 'held'))
    OR EXISTS (SELECT 1 FROM orders AS o INDEXED BY orders_cart WHERE o.store_hash = t.store_hash AND o.cart_id = t.cart_id AND o.cart_id != '' AND o.hold IN ('holding', 'held'));

-- Orders that are on our hold now, whenever they came. The others' number only grows, and would use up the cap.
-- name: CountHolds :many
SELECT t.hold, count(*) AS n FROM (
    SELECT o.hold FROM orders AS o INDEXED BY orders_hold
    WHERE o.store_hash = @store_hash AND o.hold IN ('holding', 'held', 'releasing', 'refused', 'cancelling') LIMIT 10001
) AS t GROUP BY t.hold;

-- Orders that were found leaked, or moved, since then.
-- name: CountAlarms :one
SELECT count(*) FROM (
    SELECT 1 FROM orders AS o INDEXED BY orders_alarmed WHERE o.store_hash = @store_hash AND o.hold = @hold AND o.alarmed_at != 0 AND o.alarmed_at >= CAST(@since AS INTEGER) LIMIT 10001
) AS t;

-- name: CountStuck :one
SELECT
    (SELECT count(*) FROM (SELECT 1 FROM notices AS n WHERE n.state = 'stuck' AND n.store_hash = @store_hash LIMIT 10001)) AS notices,
    (SELECT count(*) FROM (SELECT 1 FROM writebacks AS w WHERE w.state = 'stuck' AND w.store_hash = @store_hash LIMIT 10001)) AS writebacks;

-- For the operator: what needs somebody in the whole file.
-- name: Alarms :one
SELECT
    (SELECT count(*) FROM notices AS n INDEXED BY notices_stuck WHERE n.state = 'stuck') AS stuck_notices,
    (SELECT count(*) FROM shops AS s CROSS JOIN writebacks AS w INDEXED BY writebacks_stuck ON w.store_hash = s.store_hash AND w.state = 'stuck' WHERE s.state != 'uninstalled') AS stuck_writebacks,
    (SELECT count(*) FROM shops AS s CROSS JOIN orders AS o INDEXED BY orders_hold ON o.store_hash = s.store_hash AND o.hold = 'leaked' WHERE s.state != 'uninstalled') AS leaked,
    (SELECT count(*) FROM shops AS s CROSS JOIN orders AS o INDEXED BY orders_hold ON o.store_hash = s.store_hash AND o.hold = 'moved' WHERE s.state != 'uninstalled') AS moved;

-- One Shop's share of the queues, and since when the oldest of them waits.
-- name: ShopPendingWork :one
SELECT
    (SELECT count(*) FROM (SELECT 1 FROM notices AS n WHERE n.due_at != 0 AND n.store_hash = @store_hash LIMIT 10001)) AS notices,
    (SELECT count(*) FROM (SELECT 1 FROM orders AS o WHERE o.due_at != 0 AND o.store_hash = @store_hash LIMIT 10001)) AS orders,
    (SELECT count(*) FROM (SELECT 1 FROM writebacks AS w WHERE w.due_at != 0 AND w.store_hash = @store_hash LIMIT 10001)) AS writebacks,
    CAST(coalesce((SELECT min(n.received_at) FROM notices AS n INDEXED BY notices_due WHERE n.due_at != 0 AND n.store_hash = @store_hash), 0) AS INTEGER) AS oldest_notice,
    CAST(coalesce((SELECT min(w.made_at) FROM writebacks AS w INDEXED BY writebacks_due WHERE w.due_at != 0 AND w.store_hash = @store_hash), 0) AS INTEGER) AS oldest_writeback;

-- When each webhook last came, among the newest 2,000.
-- name: NoticesSeen :many
SELECT t.scope, CAST(max(t.received_at) AS INTEGER) AS received_at FROM (
    SELECT n.scope, n.received_at FROM notices AS n WHERE n.store_hash = @store_hash ORDER BY n.id DESC LIMIT 2000
) AS t GROUP BY t.scope;
