-- Erasing a person, pruning what is over, destroying a Shop. What erases, forgets or destroys does a slice of at most 100 rows (of each of
-- its ways to find them), and reads no more than that; its caller goes on until nothing is left.

-- A customer's are the rows that name them, and what was done as a guest for one of their orders or in the cart that became one. Those are
-- looked for by a slice of the orders, the first ones: while that finds as many as a slice has, these orders stay as they are, and only then
-- are erased by EraseCustomerOrders, which is the last.
-- name: EraseCustomerProofs :execrows
DELETE FROM proofs WHERE id IN (
    SELECT own.id FROM (SELECT p.id FROM proofs AS p INDEXED BY proofs_customer WHERE p.store_hash = @store_hash AND p.customer_id = @customer_id AND p.customer_id != 0 LIMIT 100) AS own
    UNION ALL SELECT ordered.id FROM (SELECT p.id FROM (SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
            WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS h
        CROSS JOIN proofs AS p INDEXED BY proofs_order ON p.store_hash = h.store_hash AND p.order_id = h.order_id WHERE p.order_id != 0 AND p.customer_id = 0 LIMIT 100) AS ordered
    UNION ALL SELECT carts.id FROM (SELECT p.id FROM (SELECT o.store_hash, o.cart_id FROM orders AS o INDEXED BY orders_customer
            WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS h
        CROSS JOIN proofs AS p INDEXED BY proofs_cart ON p.store_hash = h.store_hash AND p.cart_id = h.cart_id WHERE p.cart_id != '' AND p.customer_id = 0 LIMIT 100) AS carts);

-- Of guests only: another customer's Proof under the same mailbox is the other's.
-- name: EraseMailboxProofs :execrows
DELETE FROM proofs WHERE id IN (SELECT p.id FROM proofs AS p INDEXED BY proofs_guest
    WHERE p.store_hash = @store_hash AND p.mailbox = @mailbox AND p.customer_id = 0 AND p.mailbox != x'' LIMIT 100);

-- One under way ends, and is told of. One that was erased already is still in the cart of its order until that is.
-- name: EraseCustomerSessions :many
UPDATE sessions SET customer_id = 0, mailbox = x'', capture_url = x'', trouble = '', leased_until = 0, poll_at = 0,
    changed_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END, over_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END,
    state = CASE WHEN poll_at != 0 THEN 'abandoned' ELSE state END, reason = CASE WHEN poll_at != 0 THEN 'erased' ELSE reason END
WHERE id IN (
    SELECT own.id FROM (SELECT s.id FROM sessions AS s INDEXED BY sessions_customer WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 LIMIT 100) AS own
    UNION ALL SELECT ordered.id FROM (SELECT s.id FROM (SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
            WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS h
        CROSS JOIN sessions AS s INDEXED BY sessions_order ON s.store_hash = h.store_hash AND s.order_id = h.order_id WHERE s.order_id != 0 AND s.customer_id = 0
            AND (s.mailbox != x'' OR s.capture_url != x'' OR s.trouble != '' OR s.poll_at != 0 OR s.over_at != s.changed_at) LIMIT 100) AS ordered
    UNION ALL SELECT carts.id FROM (SELECT s.id FROM (SELECT o.store_hash, o.cart_id FROM orders AS o INDEXED BY orders_customer
            WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS h
        CROSS JOIN sessions AS s INDEXED BY sessions_cart ON s.store_hash = h.store_hash AND s.cart_id = h.cart_id WHERE s.cart_id != '' AND s.customer_id = 0
            AND (s.mailbox != x'' OR s.capture_url != x'' OR s.trouble != '' OR s.poll_at != 0 OR s.over_at != s.changed_at) LIMIT 100) AS carts)
RETURNING CAST(reason = 'erased' AND changed_at = CAST(@now AS INTEGER) AS INTEGER) AS ended;

-- Of guests' carts only, like EraseMailboxCapabilities: a guest's order, its link and what came of it wait for the clock.
-- name: EraseMailboxSessions :many
UPDATE sessions SET mailbox = x'', capture_url = x'', trouble = '', leased_until = 0, poll_at = 0,
    changed_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END, over_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END,
    state = CASE WHEN poll_at != 0 THEN 'abandoned' ELSE state END, reason = CASE WHEN poll_at != 0 THEN 'erased' ELSE reason END
WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_guest
    WHERE s.store_hash = @store_hash AND s.mailbox = @mailbox AND s.customer_id = 0 AND s.order_id = 0 AND s.mailbox != x'' LIMIT 100)
RETURNING CAST(reason = 'erased' AND changed_at = CAST(@now AS INTEGER) AS INTEGER) AS ended;

-- name: EraseCustomerCapabilities :execrows
DELETE FROM capabilities WHERE id IN (
    SELECT own.id FROM (SELECT c.id FROM capabilities AS c INDEXED BY capabilities_customer WHERE c.store_hash = @store_hash AND c.customer_id = @customer_id AND c.customer_id != 0 LIMIT 100) AS own
    UNION ALL SELECT ordered.id FROM (SELECT c.id FROM (SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
            WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS h
        CROSS JOIN capabilities AS c INDEXED BY capabilities_order ON c.store_hash = h.store_hash AND c.order_id = h.order_id WHERE c.order_id != 0 LIMIT 100) AS ordered);

-- name: EraseMailboxCapabilities :execrows
DELETE FROM capabilities WHERE id IN (SELECT c.id FROM capabilities AS c INDEXED BY capabilities_mailbox
    WHERE c.store_hash = @store_hash AND c.mailbox = @mailbox AND c.customer_id = 0 AND c.order_id = 0 AND c.mailbox != x'' LIMIT 100);

-- name: EraseCustomerDecisions :execrows
UPDATE decisions SET customer_id = 0 WHERE id IN (SELECT d.id FROM decisions AS d INDEXED BY decisions_customer
    WHERE d.store_hash = @store_hash AND d.customer_id = @customer_id AND d.customer_id != 0 LIMIT 100);

-- The last: the others find what was done for these orders by them. The link goes too: it was mailed to the person.
-- name: EraseCustomerOrders :execrows
UPDATE orders SET customer_id = 0, mailbox = x'', buyer = x'', erased_at = @now, link = x'', cart_id = '',
    lease = lease + 1, attempt = 0, due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100);

-- A guest's are those under their mailbox that name no customer: their orders, with the links to those and what came of them, too.
-- name: EraseGuestSessions :many
UPDATE sessions SET mailbox = x'', capture_url = x'', trouble = '', leased_until = 0, poll_at = 0,
    changed_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END, over_at = CASE WHEN poll_at != 0 THEN CAST(@now AS INTEGER) ELSE changed_at END,
    state = CASE WHEN poll_at != 0 THEN 'abandoned' ELSE state END, reason = CASE WHEN poll_at != 0 THEN 'erased' ELSE reason END
WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_guest
    WHERE s.store_hash = @store_hash AND s.mailbox = @mailbox AND s.customer_id = 0 AND s.mailbox != x'' LIMIT 100)
RETURNING CAST(reason = 'erased' AND changed_at = CAST(@now AS INTEGER) AS INTEGER) AS ended;

-- name: EraseGuestCapabilities :execrows
DELETE FROM capabilities WHERE id IN (SELECT c.id FROM (SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_guest
        WHERE o.store_hash = @store_hash AND o.mailbox = @mailbox AND o.customer_id = 0 AND o.mailbox != x'' ORDER BY o.order_id LIMIT 100) AS h
    CROSS JOIN capabilities AS c INDEXED BY capabilities_order ON c.store_hash = h.store_hash AND c.order_id = h.order_id WHERE c.order_id != 0 LIMIT 100);

-- The last, like EraseCustomerOrders.
-- name: EraseGuestOrders :execrows
UPDATE orders SET mailbox = x'', buyer = x'', erased_at = @now, link = x'', cart_id = '',
    lease = lease + 1, attempt = 0, due_at = CASE WHEN due_at = 0 THEN 0 ELSE CAST(@now AS INTEGER) END WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_guest
    WHERE o.store_hash = @store_hash AND o.mailbox = @mailbox AND o.customer_id = 0 AND o.mailbox != x'' ORDER BY o.order_id LIMIT 100);

-- What customers did under a mailbox: it goes with the customer.
-- name: CustomersUnderMailbox :one
SELECT count(DISTINCT p.customer_id) FROM proofs AS p INDEXED BY proofs_mailbox WHERE p.store_hash = @store_hash AND p.mailbox = @mailbox AND p.mailbox != x'' AND p.customer_id != 0;

-- name: EraseAllowedMailbox :execrows
DELETE FROM listed WHERE store_hash = @store_hash AND customer_id = 0 AND mailbox = @mailbox AND list = 'allow';

-- Nobody gets off the block list by being erased: the keyed hash stays, and nothing that can be read.
-- name: EraseBlockedMailbox :execrows
UPDATE listed SET shown = x'', note = '' WHERE store_hash = @store_hash AND customer_id = 0 AND mailbox = @mailbox AND list = 'block' AND (shown != x'' OR note != '');

-- One that is done and would keep what it was about.
-- name: RemoveWriteback :execrows
DELETE FROM writebacks WHERE id = @id AND attempt = @attempt AND due_at = @leased_until AND state = 'pending';

-- Those that wait have nobody left that they are about, and end.
-- name: EraseCustomerNotices :execrows
UPDATE notices SET subject = '', state = 'done', due_at = 0, handled_at = @now, remark = 'the customer was erased' WHERE id IN (
    SELECT n.id FROM notices AS n INDEXED BY notices_subject WHERE n.store_hash = @store_hash AND n.subject = @subject AND n.scope LIKE 'store/customer/%' LIMIT 100);

-- name: EraseCustomerWritebacks :execrows
DELETE FROM writebacks WHERE id IN (SELECT w.id FROM writebacks AS w INDEXED BY writebacks_subject
    WHERE w.store_hash = @store_hash AND w.subject = @customer_id AND w.kind IN ('customer_attributes', 'customer_fields_v2', 'proof_metafield') LIMIT 100);

-- Those of the rows that are erased next: a slice of each kind.
-- name: CustomerMailboxes :many
SELECT a.mailbox FROM (SELECT s.mailbox FROM sessions AS s INDEXED BY sessions_customer WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 LIMIT 100) AS a WHERE a.mailbox != x''
UNION SELECT a.mailbox FROM (SELECT c.mailbox FROM capabilities AS c INDEXED BY capabilities_customer WHERE c.store_hash = @store_hash AND c.customer_id = @customer_id AND c.customer_id != 0 LIMIT 100) AS a WHERE a.mailbox != x''
UNION SELECT a.mailbox FROM (SELECT p.mailbox FROM proofs AS p INDEXED BY proofs_customer WHERE p.store_hash = @store_hash AND p.customer_id = @customer_id AND p.customer_id != 0 LIMIT 100) AS a WHERE a.mailbox != x''
UNION SELECT a.mailbox FROM (SELECT o.mailbox FROM orders AS o INDEXED BY orders_customer
    WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 ORDER BY o.placed_at, o.order_id LIMIT 100) AS a WHERE a.mailbox != x''
UNION SELECT a.mailbox FROM (SELECT m.mailbox FROM shown_mailboxes AS m INDEXED BY shown_mailboxes_customer WHERE m.store_hash = @store_hash AND m.customer_id = @customer_id AND m.customer_id != 0 LIMIT 100) AS a;

-- An erasure that one slice did not finish, until it is. Of the same person there is one.
-- name: SaveErasure :exec
INSERT INTO erasures (store_hash, customer_id, guest, mailboxes, erased, person, clear, fields_v2, began_at)
VALUES (@store_hash, @customer_id, @guest, @mailboxes, @erased, @person, @clear, @fields_v2, @began_at)
ON CONFLICT DO UPDATE SET mailboxes = excluded.mailboxes, erased = excluded.erased, person = excluded.person, clear = excluded.clear, fields_v2 = excluded.fields_v2;

-- name: Erasure :one
SELECT customer_id, guest, mailboxes, erased, person, clear, fields_v2, began_at FROM erasures
WHERE store_hash = @store_hash AND customer_id = @customer_id AND guest = @guest;

-- name: EndErasure :execrows
DELETE FROM erasures WHERE store_hash = @store_hash AND customer_id = @customer_id AND guest = @guest;

-- name: ErasingShops :many
SELECT DISTINCT store_hash FROM erasures;

-- Those of a Shop, the oldest first.
-- name: Erasures :many
SELECT customer_id, guest, mailboxes, erased, person, clear, fields_v2, began_at FROM erasures WHERE store_hash = @store_hash ORDER BY began_at LIMIT 50;

-- name: DestroyErasures :execrows
DELETE FROM erasures WHERE store_hash = @store_hash;

-- The name and address that a Proof kept for comparison, once it is not good any more.
-- name: ForgetPersons :execrows
UPDATE proofs SET person = x'' WHERE id IN (SELECT p.id FROM proofs AS p INDEXED BY proofs_expiry WHERE p.good_until < @now AND p.person != x'' LIMIT 100);

-- name: ForgetCapabilities :execrows
DELETE FROM capabilities WHERE id IN (SELECT c.id FROM capabilities AS c INDEXED BY capabilities_expiry
    WHERE c.store_hash = @store_hash AND c.expires_at < @before ORDER BY c.expires_at LIMIT 100);

-- Those that were handled. A stuck one waits for a person, however long.
-- name: ForgetNotices :execrows
DELETE FROM notices WHERE id IN (SELECT n.id FROM notices AS n INDEXED BY notices_done WHERE n.state = 'done' AND n.handled_at < @before ORDER BY n.handled_at LIMIT 100);

-- A mail is owed once: as long as its order is on our hold, that it was sent is what keeps it from being sent again.
-- name: ForgetWritebacks :execrows
DELETE FROM writebacks WHERE id IN (
    SELECT w.id FROM writebacks AS w INDEXED BY writebacks_done WHERE w.state IN ('done', 'dropped') AND w.done_at < @before AND NOT (w.kind = 'mail' AND EXISTS (
        SELECT 1 FROM orders AS o WHERE o.store_hash = w.store_hash AND o.order_id = w.subject AND o.hold IN ('holding', 'held', 'releasing', 'refused', 'cancelling')))
    ORDER BY w.done_at LIMIT 100);

-- name: ForgetDecisions :execrows
DELETE FROM decisions WHERE id IN (SELECT d.id FROM decisions AS d INDEXED BY decisions_past
    WHERE d.store_hash = @store_hash AND d.stands = 0 AND d.made_at < @before ORDER BY d.made_at LIMIT 100);

-- The Proofs of the Sessions that ForgetSessions deletes next.
-- name: ForgetProofs :execrows
DELETE FROM proofs WHERE session_id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_over
    WHERE s.store_hash = @store_hash AND s.over_at != 0 AND s.over_at < @before ORDER BY s.over_at LIMIT 100);

-- name: ForgetSessions :execrows
DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_over
    WHERE s.store_hash = @store_hash AND s.over_at != 0 AND s.over_at < @before ORDER BY s.over_at LIMIT 100);

-- The buyers of orders that are over. Those on our hold are not.
-- name: ForgetBuyers :execrows
UPDATE orders SET customer_id = 0, mailbox = x'', buyer = x'', erased_at = @now, link = x'', cart_id = '' WHERE (store_hash, order_id) IN (
    SELECT o.store_hash, o.order_id FROM orders AS o INDEXED BY orders_fresh WHERE o.store_hash = @store_hash AND o.erased_at = 0 AND o.seen_at < @before
        AND o.due_at = 0 AND o.hold NOT IN ('holding', 'held', 'releasing', 'refused', 'cancelling') ORDER BY o.seen_at LIMIT 100);

-- Shops whose data has waited long enough for a re-install.
-- name: ShopsToDestroy :many
SELECT store_hash FROM shops WHERE state = 'uninstalled' AND uninstalled_at <= @before AND data_key IS NOT NULL;

-- Without its key nothing that was sealed for the Shop can be opened again, in any copy of the file.
-- name: DestroyShopKey :execrows
UPDATE shops SET data_key = NULL, kosmos = NULL, hook_secret = NULL, policy = 0, enforced_since = 0, store_id = '', name = '', currency = '', timezone = 'UTC', control_panel = '',
    channels = '[]', country = '', owner_id = 0, scopes = '', installation = '{}', settings = '{}', reconciled_at = 0, suspended_at = 0, probe_at = 0, suspected_at = 0, digest_to = 0
WHERE store_hash = @store_hash AND state = 'uninstalled' AND data_key IS NOT NULL;

-- One of the Shops without a key that something is left of.
-- name: ShopsWithoutKey :many
SELECT s.store_hash FROM shops AS s WHERE s.data_key IS NULL AND (EXISTS (SELECT 1 FROM notices AS n INDEXED BY notices_shop WHERE n.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM orders AS o WHERE o.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM decisions AS d INDEXED BY decisions_shop WHERE d.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM sessions AS n INDEXED BY sessions_shop WHERE n.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM writebacks AS w WHERE w.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM shown_mailboxes AS m WHERE m.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM asked_mails AS a INDEXED BY asked_mails_past WHERE a.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM capabilities AS c INDEXED BY capabilities_expiry WHERE c.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM logins AS l WHERE l.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM users AS u WHERE u.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM policies AS p WHERE p.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM listed AS l WHERE l.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM activity AS a WHERE a.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM whatifs AS w WHERE w.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM events AS e WHERE e.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM endpoints AS e WHERE e.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM figures AS f WHERE f.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM money_figures AS f WHERE f.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM reviews AS r WHERE r.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM requests AS r WHERE r.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM erasures AS e WHERE e.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM logos AS g WHERE g.store_hash = s.store_hash) OR EXISTS (SELECT 1 FROM page_reports AS r WHERE r.store_hash = s.store_hash)
    OR EXISTS (SELECT 1 FROM staff_alarms AS l WHERE l.store_hash = s.store_hash)) LIMIT 1;

-- name: DestroyWritebacks :execrows
DELETE FROM writebacks WHERE id IN (SELECT w.id FROM writebacks AS w WHERE w.store_hash = @store_hash LIMIT 100);

-- name: DestroyNotices :execrows
DELETE FROM notices WHERE id IN (SELECT n.id FROM notices AS n INDEXED BY notices_shop WHERE n.store_hash = @store_hash LIMIT 100);

-- name: DestroyOrders :execrows
DELETE FROM orders WHERE orders.store_hash = @store_hash AND orders.order_id IN (SELECT o.order_id FROM orders AS o WHERE o.store_hash = @store_hash LIMIT 100);

-- name: DestroyDecisions :execrows
DELETE FROM decisions WHERE id IN (SELECT d.id FROM decisions AS d INDEXED BY decisions_shop WHERE d.store_hash = @store_hash LIMIT 100);

-- name: DestroyProofs :execrows
DELETE FROM proofs WHERE session_id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash ORDER BY s.started_at LIMIT 100);

-- name: DestroySessions :execrows
DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions AS s INDEXED BY sessions_shop WHERE s.store_hash = @store_hash ORDER BY s.started_at LIMIT 100);

-- name: DestroyCapabilities :execrows
DELETE FROM capabilities WHERE id IN (SELECT c.id FROM capabilities AS c INDEXED BY capabilities_expiry WHERE c.store_hash = @store_hash LIMIT 100);

-- name: DestroyPolicies :execrows
DELETE FROM policies WHERE store_hash = @store_hash;

-- name: DestroyLogos :execrows
DELETE FROM logos WHERE store_hash = @store_hash;

-- name: DestroyLogins :execrows
DELETE FROM logins WHERE store_hash = @store_hash;

-- name: DestroyUsers :execrows
DELETE FROM users WHERE store_hash = @store_hash;
