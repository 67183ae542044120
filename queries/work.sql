-- Notices in, Writebacks out.

-- name: AddNotice :one
INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, detail, received_at, state, due_at, urgency)
VALUES (@store_hash, @event_at, @event_hash, @scope, @subject, @detail, @now, 'pending', @now, @urgency)
ON CONFLICT (event_at, event_hash, store_hash) DO UPDATE SET deliveries = notices.deliveries + 1
RETURNING deliveries;

-- name: LeaseNotices :many
UPDATE notices SET attempt = attempt + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE id IN (SELECT n.id FROM notices AS n WHERE n.store_hash = @store_hash AND n.urgency = @urgency AND n.due_at != 0 AND n.due_at <= @now ORDER BY n.due_at LIMIT @count)
RETURNING id, store_hash, event_at, scope, subject, detail, received_at, attempt, due_at;

-- name: ShopsWithDueNotices :many
SELECT DISTINCT store_hash FROM notices WHERE due_at != 0 AND due_at <= @now;

-- name: ResumeNotices :execrows
UPDATE notices SET due_at = @now WHERE due_at != 0 AND due_at > @now;

-- name: FinishNotice :execrows
UPDATE notices SET state = 'done', due_at = 0, handled_at = @now, remark = @remark
WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- name: PostponeNotice :execrows
UPDATE notices SET due_at = @due_at, remark = @remark
WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- name: StickNotice :execrows
UPDATE notices SET state = 'stuck', due_at = 0, handled_at = @now, remark = @remark
WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- Whoever held it before ends nothing any more: the attempt has moved on. RetryWriteback is alike.
-- name: ReplayNotice :execrows
UPDATE notices SET state = 'pending', due_at = @now, attempt = attempt + 1 WHERE id = @id AND store_hash = @store_hash AND state != 'pending';

-- name: StuckNotices :many
SELECT id, scope, subject, detail, received_at, deliveries, state, remark, handled_at FROM notices
WHERE store_hash = @store_hash AND state = 'stuck' ORDER BY id DESC LIMIT 50;

-- Of the newest 10,000 Notices every one received since then; those that wait already do so anyway.
-- name: ReplayNotices :execrows
UPDATE notices SET state = 'pending', due_at = @now, attempt = attempt + 1 WHERE id IN (
    SELECT n.id FROM notices AS n INDEXED BY notices_shop WHERE n.store_hash = @store_hash ORDER BY n.id DESC LIMIT 10000) AND notices.received_at >= @since AND notices.state != 'pending';

-- name: OrderNotices :many
SELECT id, scope, subject, detail, received_at, deliveries, state, remark, handled_at FROM notices
WHERE store_hash = @store_hash AND subject = @subject ORDER BY id DESC LIMIT 50;

-- The same effect is owed once: whoever pays looks first. Owed again after it was done, dropped or stuck (an order put on hold for the second
-- time on one Decision), it waits again. Owed again while it is being tried it is tried once more, and that try cannot end it (the attempt
-- has moved on): it may have looked before the order was what it is now, and be about to drop what is owed.
-- name: Owe :exec
INSERT INTO writebacks (store_hash, key, kind, subject, ref, urgency, state, due_at, made_at)
VALUES (@store_hash, @key, @kind, @subject, @ref, @urgency, 'pending', @now, @now)
ON CONFLICT (store_hash, key) DO UPDATE SET state = 'pending', attempt = writebacks.attempt + 1, due_at = excluded.due_at, reason = '', done_at = 0,
    made_at = CASE WHEN writebacks.state = 'pending' THEN writebacks.made_at ELSE excluded.made_at END;

-- name: OweOnce :exec
INSERT INTO writebacks (store_hash, key, kind, subject, ref, urgency, state, due_at, made_at)
VALUES (@store_hash, @key, @kind, @subject, @ref, @urgency, 'pending', @now, @now) ON CONFLICT (store_hash, key) DO NOTHING;

-- name: LeaseWritebacks :many
UPDATE writebacks SET attempt = attempt + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE id IN (SELECT w.id FROM writebacks AS w WHERE w.store_hash = @store_hash AND w.urgency = @urgency AND w.due_at != 0 AND w.due_at <= @now ORDER BY w.due_at LIMIT @count)
RETURNING id, store_hash, kind, subject, ref, urgency, attempt, due_at, handed_at;

-- name: ShopsWithDueWritebacks :many
SELECT DISTINCT store_hash FROM writebacks WHERE due_at != 0 AND due_at <= @now;

-- name: ResumeWritebacks :execrows
UPDATE writebacks SET due_at = @now WHERE due_at != 0 AND due_at > @now;

-- A mail is about to be handed over. Should nothing be heard of that, it is not handed over again by itself.
-- name: HandOverWriteback :execrows
UPDATE writebacks SET handed_at = @now WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending' AND handed_at = 0;

-- The mail was refused before anything of it was taken.
-- name: TakeBackWriteback :execrows
UPDATE writebacks SET handed_at = 0 WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- A mail that was taken, or may have been, came back. Said again it is no news.
-- name: ReturnMail :many
UPDATE writebacks SET state = 'stuck', handed_at = 0, done_at = @now, reason = @reason
WHERE store_hash = @store_hash AND key = @key AND kind = 'mail' AND state IN ('done', 'stuck') AND handed_at != 0
RETURNING id, attempt;

-- What a Shop's new permissions may have made possible.
-- name: RetryShopWritebacks :execrows
UPDATE writebacks SET state = 'pending', due_at = @now, attempt = attempt + 1, done_at = 0 WHERE id IN (
    SELECT w.id FROM writebacks AS w INDEXED BY writebacks_stuck WHERE w.store_hash = @store_hash AND w.state = 'stuck' AND w.kind != 'mail' LIMIT 1000);

-- name: FinishWriteback :execrows
UPDATE writebacks SET state = @state, due_at = 0, done_at = @now, reason = @reason
WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- name: PostponeWriteback :execrows
UPDATE writebacks SET due_at = @due_at, reason = @reason
WHERE id = @id AND attempt = @attempt AND due_at = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- name: RetryWriteback :execrows
UPDATE writebacks SET state = 'pending', due_at = @now, attempt = attempt + 1, done_at = 0, handed_at = 0 WHERE id = @id AND store_hash = @store_hash AND state = 'stuck';

-- name: DropWritebacks :exec
UPDATE writebacks SET state = 'dropped', due_at = 0, done_at = @now, reason = @reason
WHERE store_hash = @store_hash AND subject = @subject AND kind = @kind AND state IN ('pending', 'stuck');

-- What waits. What is stuck stays so: the remedy may be to install the app again.
-- name: DropShopWritebacks :exec
UPDATE writebacks SET state = 'dropped', due_at = 0, done_at = @now, reason = @reason WHERE store_hash = @store_hash AND due_at != 0;

-- What was dropped when the Shop was uninstalled, or since: a re-installed Shop owes it still. To be asked before the installation is recorded.
-- name: OweAgain :execrows
UPDATE writebacks SET state = 'pending', attempt = attempt + 1, due_at = @now, done_at = 0, reason = ''
WHERE id IN (
    SELECT w.id FROM shops AS s CROSS JOIN writebacks AS w INDEXED BY writebacks_dropped ON w.store_hash = s.store_hash AND w.done_at >= s.uninstalled_at
    WHERE s.store_hash = @store_hash AND s.state = 'uninstalled' AND w.state = 'dropped');

-- Orders and customers have numbers of their own: a number alone names nothing. What is left out, should it be many, is what was done again and
-- again, never what waits for somebody, and mails last: that they were sent is what people look for.
-- name: SubjectWritebacks :many
SELECT id, kind, subject, ref, state, attempt, due_at, handed_at, reason, made_at, done_at FROM writebacks WHERE id IN (
    SELECT w.id FROM writebacks AS w INDEXED BY writebacks_subject WHERE w.store_hash = @store_hash AND w.subject = @subject
        AND (w.kind IN ('customer_attributes', 'customer_fields_v2', 'proof_metafield')) = CAST(@of_customer AS INTEGER)
    ORDER BY w.state IN ('pending', 'stuck') DESC, w.kind = 'mail' DESC, w.id DESC LIMIT 50)
ORDER BY id DESC;

-- name: StuckWritebacks :many
SELECT id, kind, subject, ref, state, attempt, due_at, handed_at, reason, made_at, done_at FROM writebacks WHERE store_hash = @store_hash AND state = 'stuck' ORDER BY id LIMIT 100;

-- name: PendingWork :one
SELECT (SELECT count(*) FROM notices AS n WHERE n.due_at != 0) AS notices,
       (SELECT count(*) FROM orders AS o WHERE o.due_at != 0) AS orders,
       (SELECT count(*) FROM writebacks AS w WHERE w.due_at != 0) AS writebacks,
       (SELECT count(*) FROM sessions AS s WHERE s.poll_at != 0) AS sessions,
       (SELECT count(*) FROM deliveries AS d WHERE d.due_at != 0) AS deliveries;
