-- What people did, and whom a Shop lets through or refuses.

-- name: LastActivity :one
SELECT seq, hash FROM activity WHERE store_hash = @store_hash ORDER BY seq DESC LIMIT 1;

-- name: AddActivity :exec
INSERT INTO activity (store_hash, seq, at, actor, action, subject, detail, hash) VALUES (@store_hash, @seq, @at, @actor, @action, @subject, @detail, @hash);

-- name: ActivityPage :many
SELECT seq, at, actor, action, subject, detail, hash FROM activity WHERE store_hash = @store_hash AND seq < @below ORDER BY seq DESC LIMIT @count;

-- name: ActivityFrom :many
SELECT seq, at, actor, action, subject, detail, hash FROM activity WHERE store_hash = @store_hash AND seq > @above ORDER BY seq LIMIT @count;

-- name: DestroyActivity :execrows
DELETE FROM activity WHERE store_hash = @store_hash;

-- name: SetUserRole :execrows
UPDATE users SET role = @role WHERE store_hash = @store_hash AND user_id = @user_id AND removed_at = 0 AND role != 'owner';

-- name: AddListed :exec
INSERT INTO listed (store_hash, customer_id, mailbox, list, shown, note, added_by, added_at)
VALUES (@store_hash, @customer_id, @mailbox, @list, @shown, @note, @added_by, @now)
ON CONFLICT (store_hash, customer_id, mailbox) DO UPDATE SET list = excluded.list, shown = excluded.shown, note = excluded.note, added_by = excluded.added_by, added_at = excluded.added_at;

-- name: RemoveListed :execrows
DELETE FROM listed WHERE store_hash = @store_hash AND customer_id = @customer_id AND mailbox = @mailbox AND list = @list;

-- name: ListedCustomer :one
SELECT list FROM listed WHERE store_hash = @store_hash AND customer_id = @customer_id AND mailbox = x'' AND customer_id != 0;

-- name: ListedMailbox :one
SELECT list FROM listed WHERE store_hash = @store_hash AND customer_id = 0 AND mailbox = @mailbox;

-- name: ListedPage :many
SELECT customer_id, mailbox, list, shown, note, added_by, added_at FROM listed
WHERE store_hash = @store_hash AND list = @list AND (added_at, customer_id, mailbox) < (@before, @customer_id, CAST(@mailbox AS BLOB))
ORDER BY added_at DESC, customer_id DESC, mailbox DESC LIMIT @count;

-- name: EraseListedCustomer :execrows
DELETE FROM listed WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0;

-- name: DestroyListed :execrows
DELETE FROM listed WHERE store_hash = @store_hash;

-- Every order of these buyers that could still be shipped: they were listed, or are no longer.
-- name: DueOrdersOfMailbox :exec
UPDATE orders SET due_at = @due_at, attempt = 0, urgency = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_waiting WHERE o.store_hash = @store_hash AND o.status_id IN (7, 8, 9, 11, 12) AND o.mailbox = @mailbox);

-- name: DueWaitingOrdersOfCustomer :exec
UPDATE orders SET due_at = @due_at, attempt = 0, urgency = 0 WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0) AND status_id IN (7, 8, 9, 11, 12);
