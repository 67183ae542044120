-- Mailboxes that were shown to be somebody's, and the mails that a shopper asks for.

-- name: ShowMailbox :exec
INSERT INTO shown_mailboxes (store_hash, mailbox, cart_id, order_id, customer_id, way, shown_at)
VALUES (@store_hash, @mailbox, @cart_id, @order_id, @customer_id, @way, @now)
ON CONFLICT (store_hash, mailbox, cart_id, order_id, customer_id) DO UPDATE SET way = excluded.way, shown_at = excluded.shown_at;

-- An order has what was shown for the cart it came from too, since it is asked about under its own mailbox.
-- name: MailboxShown :one
SELECT EXISTS (SELECT 1 FROM shown_mailboxes AS m WHERE m.store_hash = @store_hash AND m.mailbox = @mailbox AND (
    m.cart_id != '' AND m.cart_id = @cart_id OR m.order_id != 0 AND m.order_id = @order_id OR m.customer_id != 0 AND m.customer_id = @customer_id));

-- name: AskMail :one
INSERT INTO asked_mails (store_hash, kind, capability, cart_id, customer_id, mailbox, code, asked_at, expires_at)
VALUES (@store_hash, @kind, @capability, @cart_id, @customer_id, @mailbox, @code, @now, @expires_at) RETURNING id;

-- name: CartAskedMails :many
SELECT asked_at FROM asked_mails WHERE store_hash = @store_hash AND cart_id = @cart_id AND kind = @kind AND asked_at > @since ORDER BY asked_at DESC LIMIT 20;

-- name: MailboxAskedMails :many
SELECT asked_at FROM asked_mails WHERE store_hash = @store_hash AND mailbox = @mailbox AND kind = @kind AND asked_at > @since ORDER BY asked_at DESC LIMIT 20;

-- name: NewestCode :many
SELECT id, cart_id, customer_id, mailbox, code, tries, expires_at FROM asked_mails
WHERE capability = @capability AND store_hash = @store_hash AND kind = 'code' ORDER BY id DESC LIMIT 1;

-- After the fifth the code is worth nothing.
-- name: WrongCode :execrows
UPDATE asked_mails SET tries = tries + 1, code = CASE WHEN tries >= 4 THEN x'' ELSE code END WHERE id = @id AND length(code) > 0;

-- name: UseCode :execrows
UPDATE asked_mails SET code = x'' WHERE id = @id AND length(code) > 0;

-- name: ReturnAskedMail :execrows
UPDATE asked_mails SET returned_at = @now WHERE id = @id AND store_hash = @store_hash AND returned_at = 0;

-- name: CountReturnedMails :one
SELECT count(*) FROM (SELECT 1 FROM asked_mails AS a INDEXED BY asked_mails_returned WHERE a.store_hash = @store_hash AND a.returned_at != 0 AND a.returned_at >= @since LIMIT 10001);

-- name: CountMailboxSessions :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE s.store_hash = @store_hash AND s.mailbox = @mailbox AND s.mailbox != x'' AND s.started_at > @since LIMIT 100);

-- name: CountCustomerSessions :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s INDEXED BY sessions_customer WHERE s.store_hash = @store_hash AND s.customer_id = @customer_id AND s.customer_id != 0 AND s.started_at > @since LIMIT 100);

-- name: OrderOfCart :one
SELECT order_id FROM orders WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' ORDER BY order_id DESC LIMIT 1;

-- name: NewestOrderOfCustomer :one
SELECT o.order_id FROM orders AS o INDEXED BY orders_customer WHERE o.store_hash = @store_hash AND o.customer_id = @customer_id AND o.customer_id != 0 AND o.placed_at > @since
ORDER BY o.placed_at DESC, o.order_id DESC LIMIT 1;

-- Guests' too: who could open the mailbox was the customer.
-- name: EraseShownMailbox :execrows
DELETE FROM shown_mailboxes WHERE (store_hash, mailbox, cart_id, order_id, customer_id) IN (SELECT m.store_hash, m.mailbox, m.cart_id, m.order_id, m.customer_id FROM shown_mailboxes AS m
    WHERE m.store_hash = @store_hash AND m.mailbox = @mailbox AND m.customer_id IN (0, @customer_id) LIMIT 100);

-- name: EraseAskedMails :execrows
DELETE FROM asked_mails WHERE id IN (SELECT a.id FROM asked_mails AS a INDEXED BY asked_mails_mailbox
    WHERE a.store_hash = @store_hash AND a.mailbox = @mailbox AND a.customer_id IN (0, @customer_id) LIMIT 100);

-- name: ForgetShownMailboxes :execrows
DELETE FROM shown_mailboxes WHERE (store_hash, mailbox, cart_id, order_id, customer_id) IN (
    SELECT m.store_hash, m.mailbox, m.cart_id, m.order_id, m.customer_id FROM shown_mailboxes AS m INDEXED BY shown_mailboxes_past
    WHERE m.store_hash = @store_hash AND m.shown_at < @before ORDER BY m.shown_at LIMIT 100);

-- name: ForgetAskedMails :execrows
DELETE FROM asked_mails WHERE id IN (SELECT a.id FROM asked_mails AS a INDEXED BY asked_mails_past
    WHERE a.store_hash = @store_hash AND a.asked_at < @before ORDER BY a.asked_at LIMIT 100);

-- name: DestroyShownMailboxes :execrows
DELETE FROM shown_mailboxes WHERE (store_hash, mailbox, cart_id, order_id, customer_id) IN (
    SELECT m.store_hash, m.mailbox, m.cart_id, m.order_id, m.customer_id FROM shown_mailboxes AS m INDEXED BY shown_mailboxes_past WHERE m.store_hash = @store_hash ORDER BY m.shown_at LIMIT 100);

-- name: DestroyAskedMails :execrows
DELETE FROM asked_mails WHERE id IN (SELECT a.id FROM asked_mails AS a INDEXED BY asked_mails_past WHERE a.store_hash = @store_hash ORDER BY a.asked_at LIMIT 100);
