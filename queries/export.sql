-- A Shop's own data, for its owner to take away, in slices. What is secret, or leads to a person's pictures, is left out.

-- name: ExportSessions :many
SELECT id, provider, provider_ref, state, cart_id, order_id, customer_id, mailbox, requirement, policy_version, channel, reason, started_at, deadline, changed_at, late FROM sessions
WHERE store_hash = @store_hash AND (started_at, id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT)) ORDER BY started_at, id LIMIT @count;

-- name: ExportProofs :many
SELECT id, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, proved_at, good_until, revoked_at, revoked_by, revoked_why FROM proofs
WHERE store_hash = @store_hash AND session_id IN (SELECT value FROM json_each(CAST(@sessions AS TEXT))) ORDER BY id;

-- name: ExportDecisions :many
SELECT id, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, proof_id, facts_digest, explanation, receipt, made_at, stands FROM decisions
WHERE store_hash = @store_hash AND (made_at, id) > (CAST(@after AS INTEGER), CAST(@after_id AS TEXT)) ORDER BY made_at, id LIMIT @count;

-- name: ExportOrders :many
SELECT order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, digital, placed_at, modified_at, seen_at, hold, former_status, hold_status, held_at,
    holds, reheld, alarmed_at, cancel_at, kept, decision_id, person_says, erased_at FROM orders
WHERE store_hash = @store_hash AND order_id > @after ORDER BY order_id LIMIT @count;

-- name: ExportRequests :many
SELECT order_id, require, hold, person, note, made_at FROM requests WHERE store_hash = @store_hash AND order_id > @after ORDER BY order_id LIMIT @count;
