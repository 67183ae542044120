-- What waits for a person, checks that a person has asked for, and a person's word on a cart.

-- What waits already goes on waiting.
-- name: AddReview :exec
INSERT INTO reviews (store_hash, kind, subject, order_id, cart_id, since) VALUES (@store_hash, @kind, @subject, @order_id, @cart_id, @since)
ON CONFLICT (store_hash, kind, subject) DO NOTHING;

-- An order that is on our hold and of which nobody has said anything yet, whose buyer has used up their tries since then.
-- name: AddReviewIfSpent :execrows
INSERT INTO reviews (store_hash, kind, subject, order_id, since)
SELECT o.store_hash, 'tries_spent', CAST(o.order_id AS TEXT), o.order_id, CAST(@now AS INTEGER) FROM orders AS o
WHERE o.store_hash = @store_hash AND o.order_id = @order_id AND o.hold IN ('holding', 'held', 'cancelling') AND o.person_says = ''
    AND (SELECT count(*) FROM sessions AS s INDEXED BY sessions_order WHERE s.store_hash = o.store_hash AND s.order_id = o.order_id AND s.order_id != 0 AND s.started_at > @since) >= CAST(@tries AS INTEGER)
ON CONFLICT (store_hash, kind, subject) DO NOTHING;

-- name: EndReview :execrows
DELETE FROM reviews WHERE store_hash = @store_hash AND kind = @kind AND subject = @subject;

-- What waits about an order, but for what is kept.
-- name: EndReviewsOfOrder :execrows
DELETE FROM reviews WHERE (store_hash, kind, subject) IN (SELECT r.store_hash, r.kind, r.subject FROM reviews AS r INDEXED BY reviews_order
    WHERE r.store_hash = @store_hash AND r.order_id = @order_id AND r.order_id != 0 AND r.kind NOT IN (SELECT j.value FROM json_each(CAST(@keep AS TEXT)) AS j));

-- name: EndReviewsOfCart :execrows
DELETE FROM reviews WHERE (store_hash, kind, subject) IN (SELECT r.store_hash, r.kind, r.subject FROM reviews AS r INDEXED BY reviews_cart
    WHERE r.store_hash = @store_hash AND r.cart_id = @cart_id AND r.cart_id != '' AND r.kind NOT IN (SELECT j.value FROM json_each(CAST(@keep AS TEXT)) AS j));

-- Sessions that ended otherwise, such as by the erasure of their person.
-- name: EndLostReviews :execrows
DELETE FROM reviews WHERE (store_hash, kind, subject) IN (
    SELECT r.store_hash, r.kind, r.subject FROM reviews AS r INDEXED BY reviews_kind JOIN sessions AS s ON s.id = r.subject
    WHERE r.store_hash = @store_hash AND r.kind = 'in_review' AND s.state != 'review');

-- name: Review :one
SELECT kind, subject, order_id, cart_id, since FROM reviews WHERE store_hash = @store_hash AND kind = @kind AND subject = @subject;

-- name: ReviewsPage :many
SELECT kind, subject, order_id, cart_id, since FROM reviews
WHERE store_hash = @store_hash AND (since, kind, subject) > (CAST(@since AS INTEGER), CAST(@after_kind AS TEXT), CAST(@after AS TEXT)) ORDER BY since, kind, subject LIMIT @count;

-- name: ReviewsPageByKind :many
SELECT kind, subject, order_id, cart_id, since FROM reviews
WHERE store_hash = @store_hash AND kind = @kind AND (since, subject) > (CAST(@since AS INTEGER), CAST(@after AS TEXT)) ORDER BY since, subject LIMIT @count;

-- name: CountReviews :one
SELECT count(*) FROM (SELECT 1 FROM reviews AS r INDEXED BY reviews_oldest WHERE r.store_hash = @store_hash AND r.since > 0 LIMIT 100);

-- name: ForgetReviews :execrows
DELETE FROM reviews WHERE (store_hash, kind, subject) IN (SELECT r.store_hash, r.kind, r.subject FROM reviews AS r INDEXED BY reviews_oldest
    WHERE r.store_hash = @store_hash AND r.since < @before ORDER BY r.since LIMIT 100);

-- name: DestroyReviews :execrows
DELETE FROM reviews WHERE (store_hash, kind, subject) IN (SELECT r.store_hash, r.kind, r.subject FROM reviews AS r INDEXED BY reviews_oldest WHERE r.store_hash = @store_hash AND r.since > 0 LIMIT 100);

-- A later request takes an earlier one's place.
-- name: AddRequest :exec
INSERT INTO requests (store_hash, order_id, require, hold, person, note, made_at) VALUES (@store_hash, @order_id, @require, @hold, @person, @note, @now)
ON CONFLICT (store_hash, order_id) DO UPDATE SET require = excluded.require, hold = excluded.hold, person = excluded.person, note = excluded.note, made_at = excluded.made_at,
    withdrawn_by = '', withdrawn_why = '';

-- name: Request :one
SELECT require, hold, person, note, made_at, withdrawn_by, withdrawn_why FROM requests WHERE store_hash = @store_hash AND order_id = @order_id;

-- name: WithdrawRequest :execrows
UPDATE requests SET withdrawn_by = @person, withdrawn_why = @note WHERE store_hash = @store_hash AND order_id = @order_id AND withdrawn_by = '';

-- What was decided without the request ends it, unless it was made anew meanwhile.
-- name: EndRequest :execrows
DELETE FROM requests WHERE store_hash = @store_hash AND order_id = @order_id AND withdrawn_by != '';

-- Those whose order is over.
-- name: ForgetRequests :execrows
DELETE FROM requests WHERE (store_hash, order_id) IN (SELECT r.store_hash, r.order_id FROM requests AS r INDEXED BY requests_past
    WHERE r.store_hash = @store_hash AND r.made_at < @before AND NOT EXISTS (
        SELECT 1 FROM orders AS o WHERE o.store_hash = r.store_hash AND o.order_id = r.order_id AND o.hold IN ('holding', 'held', 'releasing', 'refused', 'cancelling'))
    ORDER BY r.made_at LIMIT 100);

-- name: DestroyRequests :execrows
DELETE FROM requests WHERE (store_hash, order_id) IN (SELECT r.store_hash, r.order_id FROM requests AS r INDEXED BY requests_past WHERE r.store_hash = @store_hash AND r.made_at > 0 LIMIT 100);

-- An order that a person demands a check of is decided anew, whatever was said of it before. A lease taken before this does not know of it.
-- name: DemandCheck :execrows
UPDATE orders SET person_says = '', hold = CASE WHEN hold = 'moved' THEN 'none' ELSE hold END, due_at = CAST(@now AS INTEGER), attempt = 0, urgency = 0, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND hold IN ('none', 'holding', 'held', 'released', 'moved');

-- A person takes back what a person said, and the order is put on hold, or stays there. A lease taken before this does not know of it.
-- name: UnsayOrder :execrows
UPDATE orders SET person_says = '', hold = @hold, holds = @holds, held_at = @held_at, decision_id = @decision_id, touched = CASE WHEN CAST(@says AS TEXT) = 'release' THEN 0 ELSE touched END, due_at = CAST(@due_at AS INTEGER), attempt = 0, urgency = 0, lease = lease + 1
WHERE store_hash = @store_hash AND order_id = @order_id AND person_says = CAST(@says AS TEXT) AND hold = CAST(@was AS TEXT) AND former_status = CAST(@former AS INTEGER);

-- How often a person had an order's buyer asked again, and when last.
-- name: AskedAgain :one
SELECT count(*) AS times, CAST(coalesce(max(w.made_at), 0) AS INTEGER) AS latest FROM writebacks AS w INDEXED BY writebacks_subject
WHERE w.store_hash = @store_hash AND w.subject = @order_id AND w.kind = 'mail' AND w.ref LIKE 'link-ask%';

-- The latest word of a person on a cart, and what it was about.
-- name: CartWord :one
SELECT id, outcome, person, note, facts_digest, made_at FROM decisions
WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' AND made_by = 'person' AND stage = 'checkout' ORDER BY id DESC LIMIT 1;

-- What people decided lately, newest first.
-- name: PersonsDecisions :many
SELECT id, stage, cart_id, order_id, outcome, person, note, made_at FROM decisions INDEXED BY decisions_person
WHERE store_hash = @store_hash AND made_by = 'person' AND made_at > @since ORDER BY made_at DESC, id DESC LIMIT @count;
