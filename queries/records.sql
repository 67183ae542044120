-- The pages of records: which rows a page has, from an index alone, older or newer than a place in the list; then what those rows say.
-- Queries name their index: left to itself, SQLite takes another that also begins with the Shop, and reads every row of it.

-- name: SessionKeysOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_shop
WHERE s.store_hash = @store_hash AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY s.started_at DESC, s.id DESC LIMIT @count;

-- name: SessionKeysNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_shop
WHERE s.store_hash = @store_hash AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY s.started_at ASC, s.id ASC LIMIT @count;

-- name: SessionKeysByStateOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_state
WHERE s.store_hash = @store_hash AND s.state = @state AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY s.started_at DESC, s.id DESC LIMIT @count;

-- name: SessionKeysByStateNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_state
WHERE s.store_hash = @store_hash AND s.state = @state AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY s.started_at ASC, s.id ASC LIMIT @count;

-- name: SessionKeysByLevelOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_level
WHERE s.store_hash = @store_hash AND s.source = @source AND s.source != '' AND s.ial = @ial AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY s.started_at DESC, s.id DESC LIMIT @count;

-- name: SessionKeysByLevelNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_level
WHERE s.store_hash = @store_hash AND s.source = @source AND s.source != '' AND s.ial = @ial AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY s.started_at ASC, s.id ASC LIMIT @count;

-- name: SessionKeysLateOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_late
WHERE s.store_hash = @store_hash AND s.late = 1 AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY s.started_at DESC, s.id DESC LIMIT @count;

-- name: SessionKeysLateNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_late
WHERE s.store_hash = @store_hash AND s.late = 1 AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY s.started_at ASC, s.id ASC LIMIT @count;

-- name: SessionKeysByChannelOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_channel
WHERE s.store_hash = @store_hash AND s.channel = @channel AND s.channel != 0 AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY s.started_at DESC, s.id DESC LIMIT @count;

-- name: SessionKeysByChannelNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_channel
WHERE s.store_hash = @store_hash AND s.channel = @channel AND s.channel != 0 AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY s.started_at ASC, s.id ASC LIMIT @count;

-- Those of an order, of a cart, of a customer or under a mailbox, whichever are given.
-- name: FoundSessionKeysOlder :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_order
    WHERE s.store_hash = @store_hash AND s.order_id = @order_id AND s.order_id != 0 AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_cart
    WHERE s.store_hash = @store_hash AND s.cart_id = @cart_id AND s.cart_id != '' AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_customer
    WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_tries
    WHERE s.store_hash = @store_hash AND s.mailbox = @mailbox AND s.mailbox != x'' AND s.started_at >= @since AND (s.started_at, s.id) < (CAST(@before AS INTEGER), CAST(@before_id AS TEXT))
ORDER BY at DESC, id DESC LIMIT @count;

-- name: FoundSessionKeysNewer :many
SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_order
    WHERE s.store_hash = @store_hash AND s.order_id = @order_id AND s.order_id != 0 AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_cart
    WHERE s.store_hash = @store_hash AND s.cart_id = @cart_id AND s.cart_id != '' AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_customer
    WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
UNION SELECT s.started_at AS at, s.id AS id FROM sessions AS s INDEXED BY sessions_tries
    WHERE s.store_hash = @store_hash AND s.mailbox = @mailbox AND s.mailbox != x'' AND s.started_at < @until AND (s.started_at, s.id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT))
ORDER BY at ASC, id ASC LIMIT @count;

-- name: OrderKeysOlder :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_placed
WHERE o.store_hash = @store_hash AND o.status_id >= 0 AND o.placed_at >= @since AND (o.placed_at, o.order_id) < (CAST(@before AS INTEGER), CAST(@before_id AS INTEGER))
ORDER BY o.placed_at DESC, o.order_id DESC LIMIT @count;

-- name: OrderKeysNewer :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_placed
WHERE o.store_hash = @store_hash AND o.status_id >= 0 AND o.placed_at < @until AND (o.placed_at, o.order_id) > (CAST(@after AS INTEGER), CAST(@after_id AS INTEGER))
ORDER BY o.placed_at ASC, o.order_id ASC LIMIT @count;

-- name: OrderKeysByHoldOlder :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_hold
WHERE o.store_hash = @store_hash AND o.hold = @hold AND o.status_id >= 0 AND o.placed_at >= @since AND (o.placed_at, o.order_id) < (CAST(@before AS INTEGER), CAST(@before_id AS INTEGER))
ORDER BY o.placed_at DESC, o.order_id DESC LIMIT @count;

-- name: OrderKeysByHoldNewer :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_hold
WHERE o.store_hash = @store_hash AND o.hold = @hold AND o.status_id >= 0 AND o.placed_at < @until AND (o.placed_at, o.order_id) > (CAST(@after AS INTEGER), CAST(@after_id AS INTEGER))
ORDER BY o.placed_at ASC, o.order_id ASC LIMIT @count;

-- name: OrderKeysByAnswerOlder :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_answer
WHERE o.store_hash = @store_hash AND o.answer = @answer AND o.status_id >= 0 AND o.placed_at >= @since AND (o.placed_at, o.order_id) < (CAST(@before AS INTEGER), CAST(@before_id AS INTEGER))
ORDER BY o.placed_at DESC, o.order_id DESC LIMIT @count;

-- name: OrderKeysByAnswerNewer :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_answer
WHERE o.store_hash = @store_hash AND o.answer = @answer AND o.status_id >= 0 AND o.placed_at < @until AND (o.placed_at, o.order_id) > (CAST(@after AS INTEGER), CAST(@after_id AS INTEGER))
ORDER BY o.placed_at ASC, o.order_id ASC LIMIT @count;

-- Those of a customer and those under a mailbox, whichever are given.
-- name: FoundOrderKeysOlder :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 AND o.status_id >= 0 AND o.placed_at >= @since AND (o.placed_at, o.order_id) < (CAST(@before AS INTEGER), CAST(@before_id AS INTEGER))
UNION SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_mailbox
    WHERE o.store_hash = @store_hash AND o.mailbox = @mailbox AND o.mailbox != x'' AND o.status_id >= 0 AND o.placed_at >= @since AND (o.placed_at, o.order_id) < (CAST(@before AS INTEGER), CAST(@before_id AS INTEGER))
ORDER BY at DESC, id DESC LIMIT @count;

-- name: FoundOrderKeysNewer :many
SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 AND o.status_id >= 0 AND o.placed_at < @until AND (o.placed_at, o.order_id) > (CAST(@after AS INTEGER), CAST(@after_id AS INTEGER))
UNION SELECT o.placed_at AS at, o.order_id AS id FROM orders AS o INDEXED BY orders_mailbox
    WHERE o.store_hash = @store_hash AND o.mailbox = @mailbox AND o.mailbox != x'' AND o.status_id >= 0 AND o.placed_at < @until AND (o.placed_at, o.order_id) > (CAST(@after AS INTEGER), CAST(@after_id AS INTEGER))
ORDER BY at ASC, id ASC LIMIT @count;

-- What the filters look at, of these Sessions.
-- name: SessionTraits :many
SELECT s.id, s.state, s.late, s.source, s.ial, s.channel FROM json_each(CAST(@ids AS TEXT)) AS j CROSS JOIN sessions AS s ON s.id = j.value WHERE s.store_hash = @store_hash;

-- What the list says of these Sessions. The order is the Session's own, or the one that its cart became.
-- name: SessionLines :many
SELECT s.id, s.state, s.reason, s.cart_id, s.customer_id, s.started_at, s.changed_at, s.late, s.trouble, s.ial, s.source,
    CAST(coalesce(p.good_until, 0) AS INTEGER) AS good_until, CAST(coalesce(p.revoked_at, 0) AS INTEGER) AS revoked_at,
    CAST(CASE WHEN s.order_id != 0 THEN s.order_id ELSE coalesce((SELECT max(o.order_id) FROM orders AS o INDEXED BY orders_cart
        WHERE o.store_hash = s.store_hash AND o.cart_id = s.cart_id AND o.cart_id != ''), 0) END AS INTEGER) AS order_id
FROM json_each(CAST(@ids AS TEXT)) AS j CROSS JOIN sessions AS s ON s.id = j.value LEFT JOIN proofs AS p ON p.session_id = s.id WHERE s.store_hash = @store_hash;

-- name: SessionMoves :one
SELECT moves, started_at, changed_at, state FROM sessions WHERE id = @id AND store_hash = @store_hash;

-- Orders that rest on this Proof, or did.
-- name: OrdersOfProof :many
SELECT DISTINCT d.order_id FROM decisions AS d INDEXED BY decisions_proof
WHERE d.store_hash = @store_hash AND d.proof_id = @proof_id AND d.proof_id != '' AND d.order_id != 0 ORDER BY d.order_id DESC LIMIT 50;

-- What the filters look at, of these orders.
-- name: OrderTraits :many
SELECT o.order_id, o.hold, o.answer, o.source, o.channel FROM json_each(CAST(@ids AS TEXT)) AS j CROSS JOIN orders AS o ON o.order_id = j.value WHERE o.store_hash = @store_hash;

-- What the list says of these orders.
-- name: OrderLines :many
SELECT o.order_id, o.status_id, o.customer_id, o.buyer, o.value_minor, o.currency, o.shop_minor, o.shop_currency, o.source, o.channel, o.placed_at, o.hold, o.held_at, o.reheld, o.touched,
    o.hold_status, o.cancel_at, o.digital, o.erased_at, o.person_says, o.trouble, o.decision_id, o.answer, d.explanation, d.made_by
FROM json_each(CAST(@ids AS TEXT)) AS j CROSS JOIN orders AS o ON o.order_id = j.value LEFT JOIN decisions AS d ON d.id = o.decision_id WHERE o.store_hash = @store_hash;
