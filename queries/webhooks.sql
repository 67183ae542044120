-- Outbound webhooks: endpoints, events, deliveries.

-- name: AddEndpoint :one
INSERT INTO endpoints (store_hash, id, url, types, note, state, secret, made_at)
VALUES (@store_hash, @id, @url, @types, @note, 'on', @secret, @now) RETURNING id;

-- A number is never used again while something may refer to it.
-- name: NextEndpoint :one
SELECT CAST(coalesce(max(id), 0) + 1 AS INTEGER) AS id, CAST(coalesce(sum(state != 'removed'), 0) AS INTEGER) AS used FROM endpoints WHERE store_hash = @store_hash;

-- name: Endpoint :one
SELECT store_hash, id, url, types, note, state, why, off_at, secret, unseen, rotations, old_secret, old_until, failing_since, failures, wait_until, made_at
FROM endpoints WHERE store_hash = @store_hash AND id = @id AND state != 'removed';

-- name: Endpoints :many
SELECT store_hash, id, url, types, note, state, why, off_at, secret, unseen, rotations, old_secret, old_until, failing_since, failures, wait_until, made_at
FROM endpoints WHERE store_hash = @store_hash AND state != 'removed' ORDER BY id;

-- It may answer where it is now: it is not left alone any longer.
-- name: SaveEndpoint :execrows
UPDATE endpoints SET url = @url, types = @types, note = @note, wait_until = 0 WHERE store_hash = @store_hash AND id = @id AND state != 'removed';

-- name: PauseEndpoint :execrows
UPDATE endpoints SET state = 'paused' WHERE store_hash = @store_hash AND id = @id AND state = 'on';

-- It begins anew: what it failed at before counts no more.
-- name: ResumeEndpoint :execrows
UPDATE endpoints SET state = 'on', why = '', off_at = 0, failing_since = 0, failures = 0, wait_until = 0 WHERE store_hash = @store_hash AND id = @id AND state IN ('paused', 'off');

-- name: SwitchOffEndpoint :execrows
UPDATE endpoints SET state = 'off', why = @why, off_at = @now WHERE store_hash = @store_hash AND id = @id AND state = 'on';

-- name: RemoveEndpoint :execrows
UPDATE endpoints SET state = 'removed', why = '', off_at = 0, url = '', types = '[]', note = '', secret = x'', unseen = 0, old_secret = x'', old_until = 0,
    failing_since = 0, failures = 0, wait_until = 0
WHERE store_hash = @store_hash AND id = @id AND state != 'removed';

-- name: RotateEndpoint :execrows
UPDATE endpoints SET old_secret = @old_secret, old_until = @old_until, secret = @secret, unseen = 1, rotations = rotations + 1
WHERE store_hash = @store_hash AND id = @id AND rotations = CAST(@was AS INTEGER) AND state != 'removed';

-- name: StopOldSecret :execrows
UPDATE endpoints SET old_secret = x'', old_until = 0 WHERE store_hash = @store_hash AND id = @id AND old_until != 0;

-- name: SeeEndpointSecret :execrows
UPDATE endpoints SET unseen = 0 WHERE store_hash = @store_hash AND id = @id AND unseen = 1 AND state != 'removed';

-- The secrets before, whose time is over.
-- name: ForgetOldSecrets :execrows
UPDATE endpoints SET old_secret = x'', old_until = 0 WHERE old_until != 0 AND old_until <= @now;

-- name: EndpointWorked :exec
UPDATE endpoints SET failing_since = 0, failures = 0, wait_until = 0 WHERE store_hash = @store_hash AND id = @id AND failures != 0;

-- name: EndpointFailed :one
UPDATE endpoints SET failing_since = CASE WHEN failing_since = 0 THEN CAST(@now AS INTEGER) ELSE failing_since END, failures = failures + 1, wait_until = @wait_until
WHERE store_hash = @store_hash AND id = @id AND state != 'removed' RETURNING failing_since, failures;

-- name: HurryEndpoint :exec
UPDATE endpoints SET wait_until = 0 WHERE store_hash = @store_hash AND id = @id;

-- name: EndpointTroubles :one
SELECT CAST(coalesce(sum(state = 'off'), 0) AS INTEGER) AS off, CAST(coalesce(sum(state = 'on' AND failing_since != 0 AND failing_since <= @before), 0) AS INTEGER) AS failing
FROM endpoints WHERE store_hash = @store_hash;

-- Nothing comes back when the cause was told of already.
-- name: AddEvent :one
INSERT INTO events (store_hash, name, type, customer_id, payload, made_at) VALUES (@store_hash, @name, @type, @customer_id, @payload, @now)
ON CONFLICT (store_hash, name) DO NOTHING RETURNING id;

-- name: AddDelivery :exec
INSERT INTO deliveries (store_hash, endpoint_id, event_id, state, due_at, made_at) VALUES (@store_hash, @endpoint_id, @event_id, 'pending', @due_at, @now);

-- name: DueEndpoints :many
SELECT e.store_hash, e.id FROM endpoints AS e WHERE e.state = 'on' AND e.wait_until <= @now AND EXISTS (
    SELECT 1 FROM deliveries AS d INDEXED BY deliveries_due WHERE d.store_hash = e.store_hash AND d.endpoint_id = e.id AND d.due_at != 0 AND d.due_at <= @now);

-- name: LeaseDeliveries :many
UPDATE deliveries SET attempt = attempt + 1, tries = tries + 1, due_at = CAST(@lease_until AS INTEGER), leased_until = CAST(@lease_until AS INTEGER)
WHERE id IN (SELECT d.id FROM deliveries AS d INDEXED BY deliveries_due
    WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.due_at != 0 AND d.due_at <= @now ORDER BY d.due_at LIMIT @count)
RETURNING id, store_hash, endpoint_id, event_id, attempt, tries, leased_until;

-- name: DeliveryEvent :one
SELECT name, type, payload FROM events WHERE id = @id;

-- name: EndDelivery :execrows
UPDATE deliveries SET state = @state, due_at = 0, leased_until = 0, status = @status, excerpt = @excerpt, trouble = @trouble, tried_at = @tried_at, took = @took, done_at = @now
WHERE id = @id AND attempt = @attempt AND leased_until = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- name: PostponeDelivery :execrows
UPDATE deliveries SET due_at = @due_at, leased_until = 0, status = @status, excerpt = @excerpt, trouble = @trouble, tried_at = @tried_at, took = @took
WHERE id = @id AND attempt = @attempt AND leased_until = CAST(@leased_until AS INTEGER) AND state = 'pending';

-- What was being tried when its holder died, and what was to come at a time of a clock that has been set back.
-- name: ResumeDeliveries :execrows
UPDATE deliveries SET due_at = @now, leased_until = 0, tries = CASE WHEN leased_until != 0 THEN max(tries - 1, 0) ELSE tries END
WHERE due_at != 0 AND (leased_until != 0 OR due_at > CAST(@latest AS INTEGER));

-- name: ResumeWaits :exec
UPDATE endpoints SET wait_until = 0 WHERE wait_until > CAST(@latest AS INTEGER);

-- name: ResendDelivery :execrows
UPDATE deliveries SET state = 'pending', due_at = @due_at, tries = 0, attempt = attempt + 1, done_at = 0
WHERE id = @id AND store_hash = @store_hash AND endpoint_id = @endpoint_id AND state != 'pending';

-- name: ResendFailed :execrows
UPDATE deliveries SET state = 'pending', due_at = @now, tries = 0, attempt = attempt + 1, done_at = 0 WHERE id IN (
    SELECT d.id FROM deliveries AS d INDEXED BY deliveries_failed WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.state = 'failed' ORDER BY d.id LIMIT 1000);

-- name: DropEndpointDeliveries :exec
UPDATE deliveries SET state = 'dropped', due_at = 0, leased_until = 0, trouble = @trouble, done_at = @now
WHERE id IN (SELECT d.id FROM deliveries AS d INDEXED BY deliveries_due WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.due_at != 0);

-- name: DropShopDeliveries :exec
UPDATE deliveries SET state = 'dropped', due_at = 0, leased_until = 0, trouble = @trouble, done_at = @now
WHERE id IN (SELECT d.id FROM deliveries AS d INDEXED BY deliveries_due WHERE d.store_hash = @store_hash AND d.due_at != 0);

-- name: DeliveryPage :many
SELECT d.id, d.state, d.tries, d.due_at, d.leased_until, d.status, d.excerpt, d.trouble, d.tried_at, d.took, d.made_at, d.done_at, e.name, e.type FROM deliveries AS d INDEXED BY deliveries_page
JOIN events AS e ON e.id = d.event_id
WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.id < @below ORDER BY d.id DESC LIMIT @count;

-- name: FailedDeliveryPage :many
SELECT d.id, d.state, d.tries, d.due_at, d.leased_until, d.status, d.excerpt, d.trouble, d.tried_at, d.took, d.made_at, d.done_at, e.name, e.type FROM deliveries AS d INDEXED BY deliveries_failed
JOIN events AS e ON e.id = d.event_id
WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.state = 'failed' AND d.id < @below ORDER BY d.id DESC LIMIT @count;

-- name: Delivery :one
SELECT d.id, d.state, d.tries, d.due_at, d.leased_until, d.status, d.excerpt, d.trouble, d.tried_at, d.took, d.made_at, d.done_at, e.name, e.type, e.payload FROM deliveries AS d
JOIN events AS e ON e.id = d.event_id WHERE d.id = @id AND d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id;

-- What waits for an endpoint and what was given up on; neither is counted further than the newest 1,001.
-- name: DeliveryCounts :one
SELECT (SELECT count(*) FROM (SELECT 1 FROM deliveries AS d INDEXED BY deliveries_due WHERE d.store_hash = @store_hash AND d.endpoint_id = @endpoint_id AND d.due_at != 0 LIMIT 1001)) AS waiting,
       (SELECT count(*) FROM (SELECT 1 FROM deliveries AS f INDEXED BY deliveries_failed WHERE f.store_hash = @store_hash AND f.endpoint_id = @endpoint_id AND f.state = 'failed' LIMIT 1001)) AS failed;

-- What a customer's events say of them. The order and the Session stay named: they are the shop's.
-- name: EraseCustomerEvents :execrows
UPDATE events SET customer_id = 0, payload = json_remove(payload, '$.data.customer_id', '$.data.cart_id', '$.data.receipt')
WHERE id IN (SELECT e.id FROM events AS e INDEXED BY events_customer WHERE e.store_hash = @store_hash AND e.customer_id = @customer_id AND e.customer_id != 0 LIMIT 100);

-- With their deliveries, whatever became of these.
-- name: ForgetEvents :execrows
DELETE FROM events WHERE id IN (SELECT e.id FROM events AS e INDEXED BY events_past WHERE e.made_at < @before ORDER BY e.made_at LIMIT 100);

-- Removed endpoints that nothing refers to any more.
-- name: ForgetEndpoints :execrows
DELETE FROM endpoints WHERE state = 'removed' AND NOT EXISTS (
    SELECT 1 FROM deliveries AS d INDEXED BY deliveries_page WHERE d.store_hash = endpoints.store_hash AND d.endpoint_id = endpoints.id);

-- name: DestroyEvents :execrows
DELETE FROM events WHERE id IN (SELECT e.id FROM events AS e WHERE e.store_hash = @store_hash LIMIT 100);

-- name: DestroyEndpoints :execrows
DELETE FROM endpoints WHERE endpoints.store_hash = @store_hash AND NOT EXISTS (
    SELECT 1 FROM deliveries AS d INDEXED BY deliveries_page WHERE d.store_hash = endpoints.store_hash AND d.endpoint_id = endpoints.id);
