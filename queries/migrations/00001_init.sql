-- +goose Up
-- Times are INTEGER milliseconds since the Unix epoch, passed in. 0 means "not" where a time may be absent.
-- Sealed means AES-256-GCM under the Shop's key, whose own row is sealed by the operator's key.

CREATE TABLE ledger (
    id      INTEGER PRIMARY KEY CHECK (id = 1), -- one row
    kind    TEXT    NOT NULL CHECK (kind IN ('demo', 'real')), -- which command may open this file
    made_at INTEGER NOT NULL -- when the file was made
) STRICT;

CREATE TABLE signing_keys (
    kid        TEXT    PRIMARY KEY, -- short key id, as in a Receipt's header
    public     BLOB    NOT NULL CHECK (length(public) = 32), -- Ed25519 public key
    private    BLOB    NOT NULL, -- Ed25519 seed, sealed by the operator's key
    made_at    INTEGER NOT NULL, -- the newest key that is not retired signs
    retired_at INTEGER NOT NULL DEFAULT 0 -- 0 while it may sign; its public half is published for ever
) STRICT;

CREATE TABLE published_scripts (
    hash         TEXT    PRIMARY KEY, -- first 16 hex digits of the file's SHA-256, as in its URL
    integrity    TEXT    NOT NULL, -- SRI value
    body         BLOB    NOT NULL, -- the file; kept for ever, so an upgrade never breaks a page
    published_at INTEGER NOT NULL
) STRICT;

CREATE TABLE shops (
    store_hash     TEXT    PRIMARY KEY, -- BigCommerce's id of the Shop
    state          TEXT    NOT NULL CHECK (state IN ('installed', 'suspended', 'uninstalled')), -- suspended: BigCommerce refuses our token
    store_id       TEXT    NOT NULL DEFAULT '', -- BigCommerce's numeric id, as its webhooks give it
    name           TEXT    NOT NULL DEFAULT '', -- the Shop's own name
    currency       TEXT    NOT NULL DEFAULT '', -- ISO 4217, of thresholds
    timezone       TEXT    NOT NULL DEFAULT 'UTC', -- IANA name, for display
    control_panel  TEXT    NOT NULL DEFAULT '', -- origin that may frame the admin pages
    channels       TEXT    NOT NULL DEFAULT '[]', -- JSON: storefront channels with their origins
    owner_id       INTEGER NOT NULL DEFAULT 0, -- BigCommerce user id of the owner
    scopes         TEXT    NOT NULL DEFAULT '', -- granted OAuth scopes, space separated
    data_key       BLOB, -- the Shop's key, sealed by the operator's key; NULL once destroyed
    token          BLOB, -- API token, sealed; NULL when uninstalled
    hook_secret    BLOB, -- value of the secret webhook header, sealed
    kosmos         BLOB, -- the Shop's own 1Kosmos tenant, sealed; NULL: the operator's
    policy         INTEGER NOT NULL DEFAULT 0, -- current policy version; 0 before the first
    enforced_since INTEGER NOT NULL DEFAULT 0, -- enforcement epoch; 0 while nothing is enforced
    swept_to       INTEGER NOT NULL DEFAULT 0, -- the sweep has seen every order modified before this
    sweep_at       INTEGER NOT NULL DEFAULT 0, -- when to sweep next
    reconcile_at   INTEGER NOT NULL DEFAULT 0, -- when to reconcile the installation next
    reconciled_at  INTEGER NOT NULL DEFAULT 0, -- when it last was
    installation   TEXT    NOT NULL DEFAULT '{}', -- JSON: what the last reconciliation found and made
    installed_at   INTEGER NOT NULL,
    uninstalled_at INTEGER NOT NULL DEFAULT 0,
    CHECK (state = 'uninstalled' OR token IS NOT NULL),
    CHECK (state != 'uninstalled' OR token IS NULL)
) STRICT;
CREATE INDEX shops_sweep ON shops (state, sweep_at);

CREATE TABLE users (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    user_id    INTEGER NOT NULL, -- BigCommerce user id
    email      TEXT    NOT NULL, -- as BigCommerce names the user
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'manager', 'reviewer', 'viewer')),
    seen_at    INTEGER NOT NULL, -- last load
    removed_at INTEGER NOT NULL DEFAULT 0, -- BigCommerce took the user off; a new load brings them back
    PRIMARY KEY (store_hash, user_id)
) STRICT;

CREATE TABLE logins (
    id         TEXT    PRIMARY KEY, -- random, in the cookie
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash), -- the one Shop it is good for
    user_id    INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_user ON logins (store_hash, user_id);

CREATE TABLE used_tokens (
    expires_at INTEGER NOT NULL, -- when the token itself expires; first, so that the key is time-ordered
    jti        TEXT    NOT NULL, -- its id, or a digest where it has none
    PRIMARY KEY (expires_at, jti)
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    version    INTEGER NOT NULL, -- 1, 2, 3 … per Shop
    body       TEXT    NOT NULL, -- gate.Policy as JSON; never changed
    author     TEXT    NOT NULL, -- who saved it
    note       TEXT    NOT NULL, -- why
    saved_at   INTEGER NOT NULL,
    PRIMARY KEY (store_hash, version)
) STRICT;

CREATE TABLE capabilities (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16), -- random; the token adds an HMAC
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    purpose     TEXT    NOT NULL CHECK (purpose IN ('cart', 'confirm', 'mail')),
    cart_id     TEXT    NOT NULL DEFAULT '',
    order_id    INTEGER NOT NULL DEFAULT 0,
    customer_id INTEGER NOT NULL DEFAULT 0, -- from a Current Customer JWT; 0 for a guest
    mailbox     BLOB    NOT NULL DEFAULT x'', -- keyed hash of the cart's or order's mailbox when it was made
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    CHECK ((purpose = 'mail') = (order_id != 0)),
    CHECK ((purpose = 'cart') = (cart_id != ''))
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    id             TEXT    PRIMARY KEY, -- time-ordered
    store_hash     TEXT    NOT NULL REFERENCES shops (store_hash),
    stage          TEXT    NOT NULL CHECK (stage IN ('checkout', 'order')),
    cart_id        TEXT    NOT NULL DEFAULT '',
    order_id       INTEGER NOT NULL DEFAULT 0,
    customer_id    INTEGER NOT NULL DEFAULT 0,
    outcome        TEXT    NOT NULL CHECK (outcome IN ('allow', 'verify', 'review', 'hold', 'refuse')),
    mode           TEXT    NOT NULL CHECK (mode IN ('off', 'shadow', 'enforce')),
    made_by        TEXT    NOT NULL CHECK (made_by IN ('rule', 'person', 'failure')),
    person         TEXT    NOT NULL DEFAULT '', -- who, when a person made it
    note           TEXT    NOT NULL DEFAULT '', -- their reason
    policy_version INTEGER NOT NULL,
    proof_id       TEXT    NOT NULL DEFAULT '', -- the Proof that allowed it
    facts_digest   BLOB    NOT NULL, -- keyed digest of what it was made on
    explanation    TEXT    NOT NULL, -- gate.Decision as JSON: requirement, reasons, every rule
    receipt        TEXT    NOT NULL, -- signed
    made_at        INTEGER NOT NULL,
    CHECK ((made_by = 'person') = (person != '')),
    CHECK ((stage = 'order') = (order_id != 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_shop ON decisions (store_hash, made_at, id);
CREATE INDEX decisions_order ON decisions (store_hash, order_id, id) WHERE order_id != 0;
CREATE INDEX decisions_cart ON decisions (store_hash, cart_id, id) WHERE cart_id != '';

CREATE TABLE sessions (
    id             TEXT    PRIMARY KEY, -- time-ordered UUID, sent to the provider as its user id
    store_hash     TEXT    NOT NULL REFERENCES shops (store_hash),
    provider       TEXT    NOT NULL, -- idv.Provider's name
    provider_ref   TEXT    NOT NULL, -- the provider's own session id
    capture_url    BLOB    NOT NULL, -- bearer link, sealed; empty once final
    state          TEXT    NOT NULL CHECK (state IN ('created', 'started', 'processing', 'review', 'passed', 'failed', 'declined', 'expired', 'abandoned', 'error')),
    capability     BLOB    NOT NULL CHECK (length(capability) = 16), -- the one that started it and alone may read it
    cart_id        TEXT    NOT NULL DEFAULT '',
    order_id       INTEGER NOT NULL DEFAULT 0,
    customer_id    INTEGER NOT NULL DEFAULT 0,
    mailbox        BLOB    NOT NULL DEFAULT x'',
    requirement    TEXT    NOT NULL, -- gate.Requirement as JSON: what it was started to meet
    policy_version INTEGER NOT NULL,
    reason         TEXT    NOT NULL DEFAULT '', -- why it ended as it did, a code
    trouble        TEXT    NOT NULL DEFAULT '', -- last transport or decryption error; changes no state
    digest         BLOB    NOT NULL DEFAULT x'', -- SHA-256 of the last raw answer
    started_at     INTEGER NOT NULL,
    deadline       INTEGER NOT NULL, -- ours; an unanswered Session expires then
    changed_at     INTEGER NOT NULL, -- last change of state
    attempt        INTEGER NOT NULL DEFAULT 0, -- polls so far; a lease is finished only by the attempt that took it
    poll_at        INTEGER NOT NULL DEFAULT 0, -- when to ask next; 0 when final
    leased_until   INTEGER NOT NULL DEFAULT 0, -- being polled until then; a doorbell does not cut in
    woken_at       INTEGER NOT NULL DEFAULT 0, -- last doorbell that was let through
    late           INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)), -- passed after our deadline: makes no Proof, asks a person
    UNIQUE (provider, provider_ref),
    CHECK ((poll_at = 0) = (state IN ('passed', 'failed', 'declined', 'expired', 'abandoned', 'error')))
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_due ON sessions (store_hash, poll_at) WHERE poll_at != 0;
CREATE INDEX sessions_shop ON sessions (store_hash, started_at, id);
CREATE INDEX sessions_cart ON sessions (store_hash, cart_id, started_at) WHERE cart_id != '';
CREATE INDEX sessions_order ON sessions (store_hash, order_id, started_at) WHERE order_id != 0;
CREATE INDEX sessions_capability ON sessions (capability, started_at);

CREATE TABLE proofs (
    id           TEXT    PRIMARY KEY, -- time-ordered
    store_hash   TEXT    NOT NULL REFERENCES shops (store_hash),
    session_id   TEXT    NOT NULL UNIQUE REFERENCES sessions (id), -- one result, one Proof
    customer_id  INTEGER NOT NULL DEFAULT 0, -- from the Session's Current Customer JWT
    cart_id      TEXT    NOT NULL DEFAULT '',
    order_id     INTEGER NOT NULL DEFAULT 0,
    mailbox      BLOB    NOT NULL DEFAULT x'', -- keyed hash
    ial          INTEGER NOT NULL CHECK (ial BETWEEN 0 AND 3), -- as established then
    source       TEXT    NOT NULL CHECK (source IN ('policy', 'oidc', 'ial_endpoint', 'ial2_workflow')), -- who says so
    document     INTEGER NOT NULL CHECK (document IN (0, 1)),
    selfie       INTEGER NOT NULL CHECK (selfie IN (0, 1)),
    age          INTEGER NOT NULL, -- whole years then; -1 unknown
    person       BLOB    NOT NULL, -- sealed name and address, for comparison
    proved_at    INTEGER NOT NULL,
    good_until   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL DEFAULT 0,
    revoked_by   TEXT    NOT NULL DEFAULT '',
    revoked_why  TEXT    NOT NULL DEFAULT '',
    CHECK ((revoked_at = 0) = (revoked_by = '')),
    CHECK (good_until > proved_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_customer ON proofs (store_hash, customer_id, proved_at) WHERE customer_id != 0;
CREATE INDEX proofs_cart ON proofs (store_hash, cart_id, proved_at) WHERE cart_id != '';
CREATE INDEX proofs_order ON proofs (store_hash, order_id, proved_at) WHERE order_id != 0;
CREATE INDEX proofs_mailbox ON proofs (store_hash, mailbox, proved_at) WHERE mailbox != x'';

CREATE TABLE notices (
    id          INTEGER PRIMARY KEY, -- order of arrival
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    event_at    INTEGER NOT NULL, -- BigCommerce's created_at; first in the dedupe key, so that the key is time-ordered
    event_hash  TEXT    NOT NULL, -- BigCommerce's payload hash: the dedupe key
    scope       TEXT    NOT NULL, -- store/order/created …
    subject     TEXT    NOT NULL, -- id of the order, customer or cart it is about
    detail      TEXT    NOT NULL DEFAULT '{}', -- JSON: the few other fields we read
    received_at INTEGER NOT NULL,
    deliveries  INTEGER NOT NULL DEFAULT 1, -- how often it came
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'done', 'stuck')),
    attempt     INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL, -- 0 unless pending
    remark      TEXT    NOT NULL DEFAULT '', -- what came of it
    handled_at  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (event_at, event_hash, store_hash),
    CHECK ((state = 'pending') = (due_at != 0))
) STRICT;
CREATE INDEX notices_due ON notices (store_hash, due_at) WHERE due_at != 0;
CREATE INDEX notices_shop ON notices (store_hash, id);
CREATE INDEX notices_subject ON notices (store_hash, subject, id);

CREATE TABLE orders (
    store_hash    TEXT    NOT NULL REFERENCES shops (store_hash),
    order_id      INTEGER NOT NULL,
    status_id     INTEGER NOT NULL DEFAULT -1, -- as last fetched; -1 never
    customer_id   INTEGER NOT NULL DEFAULT 0,
    cart_id       TEXT    NOT NULL DEFAULT '',
    mailbox       BLOB    NOT NULL DEFAULT x'', -- keyed hash of the billing mailbox
    buyer         BLOB    NOT NULL DEFAULT x'', -- sealed name and mailbox, for the Orders page
    value_minor   INTEGER NOT NULL DEFAULT 0, -- before store credit, in minor units of currency
    currency      TEXT    NOT NULL DEFAULT '',
    source        TEXT    NOT NULL DEFAULT '', -- order_source
    placed_at     INTEGER NOT NULL DEFAULT 0, -- BigCommerce's date_created
    modified_at   INTEGER NOT NULL DEFAULT 0, -- BigCommerce's date_modified, as last fetched
    seen_at       INTEGER NOT NULL, -- first heard of
    hold          TEXT    NOT NULL DEFAULT 'none' CHECK (hold IN ('none', 'holding', 'held', 'releasing', 'released', 'refused', 'moved', 'leaked')),
    former_status INTEGER NOT NULL DEFAULT -1, -- the status our hold replaced
    hold_status   INTEGER NOT NULL DEFAULT -1, -- the status our hold wrote
    held_at       INTEGER NOT NULL DEFAULT 0,
    decision_id   TEXT    NOT NULL DEFAULT '', -- the latest
    facts_digest  BLOB    NOT NULL DEFAULT x'', -- what the latest was made on
    person_says   TEXT    NOT NULL DEFAULT '' CHECK (person_says IN ('', 'release', 'refuse')), -- a named person's word stands over the rules
    link          BLOB    NOT NULL DEFAULT x'', -- id of the mail Capability of its verification link
    due_at        INTEGER NOT NULL DEFAULT 0, -- when to evaluate; 0: not waiting
    attempt       INTEGER NOT NULL DEFAULT 0, -- evaluations begun since it last became due; 0 under a lease: it became due again meanwhile
    lease         INTEGER NOT NULL DEFAULT 0, -- counted up when a lease is taken and when it ends: only the one with this number may end, once
    trouble       TEXT    NOT NULL DEFAULT '', -- why the last evaluation could not finish
    PRIMARY KEY (store_hash, order_id),
    CHECK (hold NOT IN ('holding', 'held', 'releasing') OR former_status >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_due ON orders (store_hash, due_at) WHERE due_at != 0;
CREATE INDEX orders_cart ON orders (store_hash, cart_id) WHERE cart_id != '';
CREATE INDEX orders_customer ON orders (store_hash, customer_id, order_id) WHERE customer_id != 0;
CREATE INDEX orders_hold ON orders (store_hash, hold, order_id);

CREATE TABLE writebacks (
    id         INTEGER PRIMARY KEY, -- oldest first
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    key        TEXT    NOT NULL, -- names the effect; the same effect is owed once
    kind       TEXT    NOT NULL CHECK (kind IN ('hold', 'release', 'note', 'decision_metafield', 'customer_attributes', 'customer_fields_v2', 'proof_metafield')),
    subject    INTEGER NOT NULL, -- order id or customer id, by kind
    ref        TEXT    NOT NULL DEFAULT '', -- decision id or proof id
    urgency    INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 2), -- 0 holds and releases, 1 attributes and metafields, 2 housekeeping
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'done', 'stuck', 'dropped')), -- dropped: no longer owed
    attempt    INTEGER NOT NULL DEFAULT 0, -- a lease is finished only by the attempt that took it
    due_at     INTEGER NOT NULL, -- when to try; the lease's end while one is tried; 0 unless pending
    reason     TEXT    NOT NULL DEFAULT '', -- last trouble, shown to a person
    made_at    INTEGER NOT NULL,
    done_at    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (store_hash, key),
    CHECK ((state = 'pending') = (due_at != 0))
) STRICT;
CREATE INDEX writebacks_due ON writebacks (store_hash, urgency, due_at) WHERE due_at != 0;
CREATE INDEX writebacks_stuck ON writebacks (store_hash, id) WHERE state = 'stuck';
CREATE INDEX writebacks_subject ON writebacks (store_hash, subject);

-- +goose Down
SELECT 'forward only';
