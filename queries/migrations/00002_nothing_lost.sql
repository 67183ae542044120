-- +goose Up
-- Timers, cancellation, erasure, pruning, mails, and re-evaluation that waits behind what is new.

ALTER TABLE shops ADD COLUMN suspended_at INTEGER NOT NULL DEFAULT 0; -- since when BigCommerce refuses our token
ALTER TABLE shops ADD COLUMN probe_at INTEGER NOT NULL DEFAULT 0; -- when to ask again whether it still does
ALTER TABLE shops ADD COLUMN suspected_at INTEGER NOT NULL DEFAULT 0; -- when missing events last made us check the installation
ALTER TABLE shops ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'; -- JSON: ledger.Settings

ALTER TABLE decisions ADD COLUMN stands INTEGER NOT NULL DEFAULT 0 CHECK (stands IN (0, 1)); -- the latest of its order: it stands, and is kept
UPDATE decisions SET stands = 1 WHERE id IN (SELECT o.decision_id FROM orders AS o);
ALTER TABLE sessions ADD COLUMN over_at INTEGER NOT NULL DEFAULT 0 CHECK (over_at = 0 OR poll_at = 0); -- when it ended, or its Proof is good no longer: from then on it is kept for a while; 0 before it ends
UPDATE sessions SET over_at = max(changed_at, coalesce((SELECT p.good_until FROM proofs AS p WHERE p.session_id = sessions.id), 0)) WHERE poll_at = 0;

CREATE TABLE orders_new (
    store_hash    TEXT    NOT NULL REFERENCES shops (store_hash),
    order_id      INTEGER NOT NULL,
    status_id     INTEGER NOT NULL DEFAULT -1, -- as last fetched; -1 never
    customer_id   INTEGER NOT NULL DEFAULT 0,
    cart_id       TEXT    NOT NULL DEFAULT '',
    mailbox       BLOB    NOT NULL DEFAULT x'', -- keyed hash of the billing mailbox
    buyer         BLOB    NOT NULL DEFAULT x'', -- sealed name, mailbox and language; empty once erased
    value_minor   INTEGER NOT NULL DEFAULT 0, -- before store credit, in minor units of currency
    currency      TEXT    NOT NULL DEFAULT '',
    source        TEXT    NOT NULL DEFAULT '', -- order_source
    digital       INTEGER NOT NULL DEFAULT 0 CHECK (digital IN (0, 1)), -- nothing ships: BigCommerce completes it at once
    placed_at     INTEGER NOT NULL DEFAULT 0, -- BigCommerce's date_created
    modified_at   INTEGER NOT NULL DEFAULT 0, -- BigCommerce's date_modified, as last fetched
    seen_at       INTEGER NOT NULL, -- first heard of
    hold          TEXT    NOT NULL DEFAULT 'none' CHECK (hold IN ('none', 'holding', 'held', 'releasing', 'released', 'refused', 'moved', 'leaked', 'cancelling', 'cancelled')),
    former_status INTEGER NOT NULL DEFAULT -1, -- the status our hold replaced
    hold_status   INTEGER NOT NULL DEFAULT -1, -- the status our hold wrote
    held_at       INTEGER NOT NULL DEFAULT 0,
    holds         INTEGER NOT NULL DEFAULT 0, -- how often our hold began
    reheld        INTEGER NOT NULL DEFAULT 0, -- how often it was held again after somebody had moved it on
    touched       INTEGER NOT NULL DEFAULT 0 CHECK (touched IN (0, 1)), -- somebody moved it off our hold, as a Notice said: our hold is not the last status written
    alarmed_at    INTEGER NOT NULL DEFAULT 0, -- when it was found leaked or moved
    cancel_at     INTEGER NOT NULL DEFAULT 0, -- when it will be cancelled if nothing is proved; 0: it will not be
    called_at     INTEGER NOT NULL DEFAULT 0, -- when the last call before that was announced
    kept          INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)), -- a named person said that it is not to be cancelled
    wake_at       INTEGER NOT NULL DEFAULT 0, -- when time alone makes it due: a reminder, a last call, the cancellation
    decision_id   TEXT    NOT NULL DEFAULT '', -- the latest
    facts_digest  BLOB    NOT NULL DEFAULT x'', -- what the latest was made on
    person_says   TEXT    NOT NULL DEFAULT '' CHECK (person_says IN ('', 'release', 'refuse')), -- a named person's word stands over the rules
    link          BLOB    NOT NULL DEFAULT x'', -- id of the mail Capability of its verification link
    erased_at     INTEGER NOT NULL DEFAULT 0, -- its buyer was erased: its latest Decision stands and no personal data is stored again
    due_at        INTEGER NOT NULL DEFAULT 0, -- when to evaluate; 0: not waiting
    urgency       INTEGER NOT NULL DEFAULT 0 CHECK (urgency IN (0, 1)), -- 0: something happened to it; 1: it waits behind those, since only the Policy changed, or since it was allowed before
    attempt       INTEGER NOT NULL DEFAULT 0, -- evaluations begun since it last became due; 0 under a lease: it became due again meanwhile
    lease         INTEGER NOT NULL DEFAULT 0, -- counted up when a lease is taken and when it ends: only the one with this number may end, once
    trouble       TEXT    NOT NULL DEFAULT '', -- why the last evaluation could not finish
    PRIMARY KEY (store_hash, order_id),
    CHECK (hold NOT IN ('holding', 'held', 'releasing', 'cancelling') OR former_status >= 0),
    CHECK (erased_at = 0 OR length(buyer) = 0)
) STRICT, WITHOUT ROWID;
INSERT INTO orders_new (store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, placed_at, modified_at, seen_at,
    hold, former_status, hold_status, held_at, decision_id, facts_digest, person_says, link, due_at, attempt, lease, trouble)
SELECT store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, value_minor, currency, source, placed_at, modified_at, seen_at,
    hold, former_status, hold_status, held_at, decision_id, facts_digest, person_says, link, due_at, attempt, lease, trouble FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE INDEX orders_due ON orders (store_hash, urgency, due_at) WHERE due_at != 0;
CREATE INDEX orders_cart ON orders (store_hash, cart_id) WHERE cart_id != '';
CREATE INDEX orders_customer ON orders (store_hash, customer_id, order_id) WHERE customer_id != 0;
CREATE INDEX orders_hold ON orders (store_hash, hold, order_id);
CREATE INDEX orders_waiting ON orders (store_hash, status_id, order_id) WHERE status_id IN (7, 8, 9, 11, 12);
CREATE INDEX orders_wake ON orders (store_hash, wake_at) WHERE wake_at != 0;
CREATE INDEX orders_fresh ON orders (store_hash, seen_at) WHERE erased_at = 0;

CREATE TABLE writebacks_new (
    id         INTEGER PRIMARY KEY, -- oldest first
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    key        TEXT    NOT NULL, -- names the effect; the same effect is owed once
    kind       TEXT    NOT NULL CHECK (kind IN ('hold', 'release', 'cancel', 'cancel_note', 'note', 'decision_metafield', 'customer_attributes', 'customer_fields_v2', 'proof_metafield', 'mail')),
    subject    INTEGER NOT NULL, -- order id or customer id, by kind
    ref        TEXT    NOT NULL DEFAULT '', -- decision id or proof id; of a mail, which one
    urgency    INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 2), -- 0 holds and releases, 1 attributes and metafields, 2 housekeeping
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'done', 'stuck', 'dropped')), -- dropped: no longer owed
    attempt    INTEGER NOT NULL DEFAULT 0, -- a lease is finished only by the attempt that took it
    due_at     INTEGER NOT NULL, -- when to try; the lease's end while one is tried; 0 unless pending
    handed_at  INTEGER NOT NULL DEFAULT 0, -- of a mail: when it was about to be handed over; what came of that is not known until it is done
    reason     TEXT    NOT NULL DEFAULT '', -- last trouble, shown to a person
    made_at    INTEGER NOT NULL,
    done_at    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (store_hash, key),
    CHECK ((state = 'pending') = (due_at != 0))
) STRICT;
INSERT INTO writebacks_new (id, store_hash, key, kind, subject, ref, urgency, state, attempt, due_at, reason, made_at, done_at)
SELECT id, store_hash, key, kind, subject, ref, urgency, state, attempt, due_at, reason, made_at, done_at FROM writebacks;
DROP TABLE writebacks;
ALTER TABLE writebacks_new RENAME TO writebacks;
CREATE INDEX writebacks_due ON writebacks (store_hash, urgency, due_at) WHERE due_at != 0;
CREATE INDEX writebacks_stuck ON writebacks (store_hash, id) WHERE state = 'stuck';
CREATE INDEX writebacks_subject ON writebacks (store_hash, subject);
CREATE INDEX writebacks_done ON writebacks (done_at) WHERE state IN ('done', 'dropped');

CREATE INDEX notices_stuck ON notices (store_hash, id) WHERE state = 'stuck';
CREATE INDEX notices_done ON notices (handled_at) WHERE state = 'done';
CREATE INDEX decisions_proof ON decisions (store_hash, proof_id, order_id) WHERE proof_id != '' AND order_id != 0;
CREATE INDEX decisions_customer ON decisions (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX decisions_past ON decisions (store_hash, made_at) WHERE stands = 0;
CREATE INDEX sessions_customer ON sessions (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX sessions_over ON sessions (store_hash, over_at) WHERE over_at != 0;
CREATE INDEX capabilities_customer ON capabilities (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX capabilities_order ON capabilities (store_hash, order_id) WHERE order_id != 0;
CREATE INDEX capabilities_mailbox ON capabilities (store_hash, mailbox) WHERE customer_id = 0 AND order_id = 0 AND mailbox != x'';
CREATE INDEX capabilities_expiry ON capabilities (store_hash, expires_at);
CREATE INDEX proofs_expiry ON proofs (good_until) WHERE person != x'';

-- +goose Down
SELECT 'forward only';
