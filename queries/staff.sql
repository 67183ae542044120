-- Mails to the Shop's staff: alarms, and when the last digest was due.

-- name: AddStaffAlarm :execrows
INSERT INTO staff_alarms (store_hash, kind, cause, what, order_id, at) VALUES (@store_hash, @kind, @cause, @what, @order_id, @now)
ON CONFLICT (store_hash, kind, cause) DO NOTHING;

-- name: StaffAlarmsSince :one
SELECT EXISTS (SELECT 1 FROM staff_alarms AS a INDEXED BY staff_alarms_at WHERE a.store_hash = @store_hash AND a.kind = @kind AND a.at > @since AND a.at <= @now);

-- What waits, of every Shop: mostly nothing.
-- name: WaitingStaffAlarms :many
SELECT a.store_hash, a.kind, CAST(min(a.at) AS INTEGER) AS oldest FROM staff_alarms AS a INDEXED BY staff_alarms_waiting WHERE a.mail = '' GROUP BY a.store_hash, a.kind;

-- name: OldestStaffAlarm :many
SELECT a.at FROM staff_alarms AS a INDEXED BY staff_alarms_waiting WHERE a.store_hash = @store_hash AND a.kind = @kind AND a.mail = '' ORDER BY a.at LIMIT 1;

-- When the last mail of a kind was owed; one that a clock which was ahead has dated does not count.
-- name: LastStaffMail :one
SELECT CAST(coalesce(max(a.mailed_at), 0) AS INTEGER) FROM staff_alarms AS a INDEXED BY staff_alarms_kind
WHERE a.store_hash = @store_hash AND a.kind = @kind AND a.mailed_at <= @now;

-- name: NextStaffAlarms :many
SELECT a.cause FROM staff_alarms AS a INDEXED BY staff_alarms_waiting WHERE a.store_hash = @store_hash AND a.kind = @kind AND a.mail = '' ORDER BY a.at, a.id LIMIT @count;

-- name: MailStaffAlarms :execrows
UPDATE staff_alarms SET mail = @mail, mailed_at = @now WHERE store_hash = @store_hash AND kind = @kind AND mail = '';

-- Those that nobody is to be told of any more.
-- name: DropStaffAlarms :execrows
DELETE FROM staff_alarms WHERE store_hash = @store_hash AND kind = @kind AND mail = '';

-- name: StaffMailAlarms :many
SELECT a.what, a.order_id, a.at FROM staff_alarms AS a INDEXED BY staff_alarms_mail WHERE a.store_hash = @store_hash AND a.mail = @mail AND a.mail != '' ORDER BY a.id LIMIT @count;

-- name: CountStaffMailAlarms :one
SELECT count(*) FROM staff_alarms AS a INDEXED BY staff_alarms_mail WHERE a.store_hash = @store_hash AND a.mail = @mail AND a.mail != '';

-- name: ForgetStaffAlarms :execrows
DELETE FROM staff_alarms WHERE id IN (SELECT a.id FROM staff_alarms AS a INDEXED BY staff_alarms_past WHERE a.mail != '' AND a.mailed_at < @before ORDER BY a.mailed_at LIMIT 100);

-- name: DestroyStaffAlarms :execrows
DELETE FROM staff_alarms WHERE id IN (SELECT a.id FROM staff_alarms AS a WHERE a.store_hash = @store_hash LIMIT 100);

-- name: SettleDigest :execrows
UPDATE shops SET digest_to = @digest_to WHERE store_hash = @store_hash AND digest_to != CAST(@digest_to AS INTEGER);

-- name: ShopsWithDueStaffMails :many
SELECT DISTINCT w.store_hash FROM writebacks AS w INDEXED BY writebacks_staff WHERE w.due_at != 0 AND w.due_at <= @now AND w.kind = 'mail' AND w.subject = 0;

-- name: LeaseStaffMails :many
UPDATE writebacks SET attempt = attempt + 1, due_at = CAST(@lease_until AS INTEGER)
WHERE id IN (SELECT w.id FROM writebacks AS w INDEXED BY writebacks_staff
    WHERE w.store_hash = @store_hash AND w.due_at != 0 AND w.due_at <= @now AND w.kind = 'mail' AND w.subject = 0 ORDER BY w.due_at LIMIT @count)
RETURNING id, store_hash, kind, subject, ref, urgency, attempt, due_at, handed_at;

-- name: CountCancelled :one
SELECT count(DISTINCT w.subject) FROM writebacks AS w INDEXED BY writebacks_cancelled
WHERE w.store_hash = @store_hash AND w.kind = 'cancel' AND w.state = 'done' AND w.done_at >= CAST(@since AS INTEGER) AND w.done_at < CAST(@until AS INTEGER);
