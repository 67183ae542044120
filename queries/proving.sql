-- Capabilities, Decisions, Sessions and Proofs.

-- name: AddCapability :exec
INSERT INTO capabilities (id, store_hash, purpose, cart_id, order_id, customer_id, mailbox, mailed, locale, channel_id, made_at, expires_at)
VALUES (@id, @store_hash, @purpose, @cart_id, @order_id, @customer_id, @mailbox, @mailed, @locale, @channel_id, @now, @expires_at);

-- name: Capability :one
SELECT store_hash, purpose, cart_id, order_id, customer_id, mailbox, mailed, locale, channel_id, expires_at FROM capabilities WHERE id = @id;

-- The page that holds it is shown in another language now.
-- name: SetCapabilityLocale :execrows
UPDATE capabilities SET locale = @locale WHERE id = @id;

-- name: AddDecision :exec
INSERT INTO decisions (id, store_hash, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, proof_id, facts_digest, explanation, receipt, made_at, stands)
VALUES (@id, @store_hash, @stage, @cart_id, @order_id, @customer_id, @outcome, @mode, @made_by, @person, @note, @policy_version, @proof_id, @facts_digest, @explanation, @receipt, @now,
    CASE WHEN @stage = 'order' THEN 1 ELSE 0 END);

-- The order is about to get another: this one stands no longer.
-- name: SupersedeDecision :execrows
UPDATE decisions SET stands = 0 WHERE id = (SELECT o.decision_id FROM orders AS o WHERE o.store_hash = @store_hash AND o.order_id = @order_id);

-- name: Decision :one
SELECT id, store_hash, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, proof_id, explanation, receipt, made_at
FROM decisions WHERE id = @id AND store_hash = @store_hash;

-- name: OrderDecisions :many
SELECT id, store_hash, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, proof_id, explanation, receipt, made_at
FROM decisions WHERE store_hash = @store_hash AND order_id = @order_id AND order_id != 0 ORDER BY id DESC LIMIT 50;

-- name: CartDecisions :many
SELECT id, store_hash, stage, cart_id, order_id, customer_id, outcome, mode, made_by, person, note, policy_version, proof_id, explanation, receipt, made_at
FROM decisions WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' ORDER BY id DESC LIMIT 50;

-- The latest Decision that names a cart, and what it was about.
-- name: CartAnswer :one
SELECT id, stage, customer_id, made_by, person, note, policy_version, facts_digest, explanation, made_at
FROM decisions WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' ORDER BY id DESC LIMIT 1;

-- name: AddSession :exec
INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, channel, started_at, deadline, changed_at, poll_at)
VALUES (@id, @store_hash, @provider, @provider_ref, @capture_url, 'created', @capability, @cart_id, @order_id, @customer_id, @mailbox, @requirement, @policy_version, @channel, @now, @deadline, @now, @poll_at);

-- name: Session :one
SELECT id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason, trouble, started_at, deadline, changed_at, attempt, poll_at, late
FROM sessions WHERE id = @id;

-- name: CapabilitySessions :many
SELECT id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason, trouble, started_at, deadline, changed_at, attempt, poll_at, late
FROM sessions WHERE capability = @capability ORDER BY started_at DESC LIMIT 20;

-- name: OrderSessions :many
SELECT id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason, trouble, started_at, deadline, changed_at, attempt, poll_at, late
FROM sessions WHERE store_hash = @store_hash AND order_id = @order_id AND order_id != 0 ORDER BY started_at DESC LIMIT 20;

-- name: CartSessions :many
SELECT id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason, trouble, started_at, deadline, changed_at, attempt, poll_at, late
FROM sessions WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' ORDER BY started_at DESC LIMIT 20;

-- name: CountCartSessions :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE s.store_hash = @store_hash AND s.cart_id = @cart_id AND s.cart_id != '' AND s.started_at > @since LIMIT 100);

-- name: CountOrderSessions :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE s.store_hash = @store_hash AND s.order_id = @order_id AND s.order_id != 0 AND s.started_at > @since LIMIT 100);

-- name: CountShopSessions :one
SELECT count(*) FROM (SELECT 1 FROM sessions AS s WHERE s.store_hash = @store_hash AND s.started_at > @since LIMIT 10001);

-- name: LeaseSessions :many
UPDATE sessions SET attempt = attempt + 1, poll_at = CAST(@lease_until AS INTEGER), leased_until = CAST(@lease_until AS INTEGER)
WHERE id IN (SELECT s.id FROM sessions AS s WHERE s.store_hash = @store_hash AND s.poll_at != 0 AND s.poll_at <= @now ORDER BY s.poll_at LIMIT @count)
RETURNING id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason, trouble, started_at, deadline, changed_at, attempt, poll_at, late;

-- name: MoveSession :execrows
UPDATE sessions SET state = @state, reason = @reason, digest = @digest, trouble = '', changed_at = @changed_at, poll_at = @poll_at, late = @late, capture_url = @capture_url, deadline = @deadline, leased_until = 0,
    moves = CASE WHEN json_array_length(moves) < 100 THEN json_insert(moves, '$[#]', json_array(CAST(@changed_at AS INTEGER), CAST(@state AS TEXT))) ELSE moves END,
    over_at = CASE WHEN CAST(@poll_at AS INTEGER) = 0 THEN CAST(@changed_at AS INTEGER) ELSE 0 END
WHERE id = @id AND attempt = @attempt AND leased_until != 0 AND state NOT IN ('passed', 'failed', 'declined', 'expired', 'abandoned', 'error');

-- name: PostponeSession :execrows
UPDATE sessions SET poll_at = @poll_at, trouble = @trouble, leased_until = 0 WHERE id = @id AND attempt = @attempt AND leased_until != 0 AND poll_at != 0;

-- name: WakeSession :execrows
UPDATE sessions SET poll_at = @now, woken_at = @now
WHERE id = @id AND store_hash = @store_hash AND poll_at > @now AND woken_at <= @rung_before AND leased_until <= @now;

-- name: ShopsWithDueSessions :many
SELECT DISTINCT store_hash FROM sessions WHERE poll_at != 0 AND poll_at <= @now;

-- name: ResumeSessions :execrows
UPDATE sessions SET poll_at = min(poll_at, CAST(@now AS INTEGER)), leased_until = 0, woken_at = min(woken_at, CAST(@now AS INTEGER)) WHERE poll_at != 0 AND (poll_at > @now OR leased_until != 0);

-- name: AddProof :exec
INSERT INTO proofs (id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until)
VALUES (@id, @store_hash, @session_id, @customer_id, @cart_id, @order_id, @mailbox, @ial, @source, @document, @selfie, @age, @person, @now, @good_until);

-- A Session is kept for as long as its Proof is good, at least.
-- name: KeepSession :exec
UPDATE sessions SET over_at = max(over_at, CAST(@good_until AS INTEGER)), ial = @ial, source = @source WHERE id = @id;

-- name: Proof :one
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE id = @id AND store_hash = @store_hash;

-- name: CustomerProofs :many
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE store_hash = @store_hash AND customer_id = @customer_id AND customer_id != 0 ORDER BY proved_at DESC LIMIT 10;

-- name: CartProofs :many
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE store_hash = @store_hash AND cart_id = @cart_id AND cart_id != '' ORDER BY proved_at DESC LIMIT 10;

-- name: OrderProofs :many
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE store_hash = @store_hash AND order_id = @order_id AND order_id != 0 ORDER BY proved_at DESC LIMIT 10;

-- name: MailboxProofs :many
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE store_hash = @store_hash AND mailbox = @mailbox AND mailbox != x'' ORDER BY proved_at DESC LIMIT 10;

-- Nobody is compared with its person any more.
-- name: RevokeProof :execrows
UPDATE proofs SET revoked_at = @now, revoked_by = @revoked_by, revoked_why = @revoked_why, person = x'' WHERE id = @id AND store_hash = @store_hash AND revoked_at = 0;

-- What an order may show of the Proofs that concern it, newest first.
-- name: SessionProof :one
SELECT id, store_hash, session_id, customer_id, cart_id, order_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until, revoked_at, revoked_by, revoked_why
FROM proofs WHERE session_id = @session_id AND store_hash = @store_hash;
