-- Erasing a person, pruning what is over, destroying a Shop. Each does a bounded slice; its caller goes on until nothing is left.

-- name: EraseCustomerProofs :execrows
DELETE FROM proofs WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0;

-- name: EraseMailboxProofs :execrows
DELETE FROM proofs WHERE store_hash = @store_hash AND mailbox = @mailbox AND mailbox != x'';

-- name: EraseCustomerSessions :execrows
UPDATE sessions SET customer_id = 0, mailbox = x'', capture_url = x'', trouble = '', leased_until = 0, poll_at = 0, changed_at = @now,
    state = CASE WHEN poll_at != 0 THEN 'abandoned' ELSE state END, reason = CASE WHEN poll_at != 0 THEN 'erased' ELSE reason END
WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0;

-- name: EraseCustomerCapabilities :execrows
DELETE FROM capabilities WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0;

-- name: EraseCustomerDecisions :execrows
UPDATE decisions SET customer_id = 0 WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0;

-- The link goes too: it was mailed to the person.
-- name: EraseCustomerOrders :execrows
UPDATE orders SET customer_id = 0, mailbox = x'', buyer = x'', erased_at = @now, link = x'', cart_id = '',
    lease = lease + 1, attempt = 0, due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0);

-- name: EraseCustomerNotices :execrows
UPDATE notices SET subject = '' WHERE id IN (SELECT n.id FROM notices AS n INDEXED BY notices_subject
    WHERE n.store_hash = @store_hash AND n.subject = @subject AND n.scope LIKE 'store/customer/%');

-- name: EraseCustomerWritebacks :execrows
DELETE FROM writebacks WHERE store_hash = @store_hash AND subject = @customer_id AND kind IN ('customer_attributes', 'customer_fields_v2', 'proof_metafield');

-- name: CustomerMailboxes :many
SELECT mailbox FROM sessions AS s WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 AND s.mailbox != x''
UNION SELECT o.mailbox FROM orders AS o INDEXED BY orders_customer WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 AND o.mailbox != x'';

-- The name and address that a Proof kept for comparison, once it is not good any more.
-- name: ForgetPersons :execrows
UPDATE proofs SET person = x'' WHERE id IN (SELECT p.id FROM proofs AS p INDEXED BY proofs_expiry WHERE p.good_until < @now AND p.person != x'' LIMIT 500);

-- name: ForgetCapabilities :execrows
DELETE FROM capabilities WHERE id IN (SELECT c.id FROM capabilities AS c INDEXED BY capabilities_expiry WHERE c.expires_at < @before LIMIT 500);

-- name: ForgetNotices :execrows
DELETE FROM notices WHERE id IN (SELECT n.id FROM notices AS n ORDER BY n.id LIMIT 500) AND notices.received_at < @before AND notices.state != 'pending';

-- name: ForgetWritebacks :execrows
DELETE FROM writebacks WHERE id IN (SELECT w.id FROM writebacks AS w ORDER BY w.id LIMIT 500) AND writebacks.made_at < @before AND writebacks.state IN ('done', 'dropped');

-- An order's latest Decision stays: it stands.
-- name: ForgetDecisions :execrows
DELETE FROM decisions WHERE id IN (
    SELECT d.id FROM decisions AS d INDEXED BY decisions_shop WHERE d.store_hash = @store_hash AND d.made_at < @before
        AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.store_hash = d.store_hash AND o.order_id = d.order_id AND o.decision_id = d.id) ORDER BY d.made_at LIMIT 500);

-- name: ForgetProofs :execrows
DELETE FROM proofs WHERE session_id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash AND s.started_at < @before ORDER BY s.started_at LIMIT 500)
    AND good_until < @now;

-- name: ForgetSessions :execrows
DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash AND s.started_at < @before ORDER BY s.started_at LIMIT 500)
    AND poll_at = 0 AND NOT EXISTS (SELECT 1 FROM proofs AS p WHERE p.session_id = sessions.id);

-- The buyers of orders that are over. Those on our hold are not.
-- name: ForgetBuyers :execrows
UPDATE orders SET customer_id = 0, mailbox = x'', buyer = x'', erased_at = @now, link = x'', cart_id = '' WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_fresh WHERE o.store_hash = @store_hash AND o.erased_at = 0 AND o.seen_at < @before
        AND o.due_at = 0 AND o.hold NOT IN ('holding', 'held', 'releasing', 'refused', 'cancelling') ORDER BY o.seen_at LIMIT 500);

-- Shops whose data has waited long enough for a re-install.
-- name: ShopsToDestroy :many
SELECT store_hash FROM shops WHERE state = 'uninstalled' AND uninstalled_at < @before AND data_key IS NOT NULL;

-- Without its key nothing that was sealed for the Shop can be opened again, in any copy of the file.
-- name: DestroyShopKey :execrows
UPDATE shops SET data_key = NULL, kosmos = NULL, hook_secret = NULL, policy = 0, enforced_since = 0, name = '', control_panel = '', channels = '[]', installation = '{}', settings = '{}'
WHERE store_hash = @store_hash AND state = 'uninstalled' AND data_key IS NOT NULL;

-- name: ShopsWithoutKey :many
SELECT s.store_hash FROM shops AS s WHERE s.data_key IS NULL AND (EXISTS (SELECT 1 FROM notices AS n INDEXED BY notices_shop WHERE n.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM orders AS o WHERE o.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM decisions AS d INDEXED BY decisions_shop WHERE d.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM sessions AS n INDEXED BY sessions_shop WHERE n.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM writebacks AS w WHERE w.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM users AS u WHERE u.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM policies AS p WHERE p.store_hash = s.store_hash));

-- name: DestroyWritebacks :execrows
DELETE FROM writebacks WHERE id IN (SELECT w.id FROM writebacks AS w WHERE w.store_hash = @store_hash LIMIT 500);

-- name: DestroyNotices :execrows
DELETE FROM notices WHERE id IN (SELECT n.id FROM notices AS n INDEXED BY notices_shop WHERE n.store_hash = @store_hash LIMIT 500);

-- name: DestroyOrders :execrows
DELETE FROM orders WHERE orders.store_hash = @store_hash AND orders.order_id IN (SELECT o.order_id FROM orders AS o WHERE o.store_hash = @store_hash LIMIT 500);

-- name: DestroyDecisions :execrows
DELETE FROM decisions WHERE id IN (SELECT d.id FROM decisions AS d INDEXED BY decisions_shop WHERE d.store_hash = @store_hash LIMIT 500);

-- name: DestroyProofs :execrows
DELETE FROM proofs WHERE session_id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash ORDER BY s.started_at LIMIT 500);

-- name: DestroySessions :execrows
DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash ORDER BY s.started_at LIMIT 500);

-- name: DestroyCapabilities :execrows
DELETE FROM capabilities WHERE store_hash = @store_hash;

-- name: DestroyPolicies :execrows
DELETE FROM policies WHERE store_hash = @store_hash;

-- name: DestroyLogins :execrows
DELETE FROM logins WHERE store_hash = @store_hash;

-- name: DestroyUsers :execrows
DELETE FROM users WHERE store_hash = @store_hash;
