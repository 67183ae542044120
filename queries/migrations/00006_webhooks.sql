-- +goose Up
-- Outbound webhooks: where a Shop wants to be told, of what, and how each telling went.

CREATE TABLE endpoints (
    store_hash    TEXT    NOT NULL REFERENCES shops (store_hash),
    id            INTEGER NOT NULL CHECK (id > 0), -- 1, 2, 3 … per Shop
    url           TEXT    NOT NULL, -- as it is posted to; empty once removed
    types         TEXT    NOT NULL, -- JSON list of event types
    note          TEXT    NOT NULL DEFAULT '', -- the merchant's own
    state         TEXT    NOT NULL CHECK (state IN ('on', 'paused', 'off', 'removed')), -- paused: by a person; off: by us, as why says; removed: kept until nothing refers to it
    why           TEXT    NOT NULL DEFAULT '' CHECK (why IN ('', 'gone', 'failing')), -- gone: it answered 410; failing: five days of nothing but failure
    off_at        INTEGER NOT NULL DEFAULT 0, -- when it was switched off by us
    secret        BLOB    NOT NULL, -- 32 bytes, sealed; empty once removed
    unseen        INTEGER NOT NULL DEFAULT 1 CHECK (unseen IN (0, 1)), -- the secret has still to be shown, once
    rotations     INTEGER NOT NULL DEFAULT 0, -- how often the secret was replaced
    old_secret    BLOB    NOT NULL DEFAULT x'', -- the one before, sealed; signs too until old_until
    old_until     INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER NOT NULL DEFAULT 0, -- first failure since the last success; 0: none
    failures      INTEGER NOT NULL DEFAULT 0, -- in a row
    wait_until    INTEGER NOT NULL DEFAULT 0, -- it is left alone until then
    made_at       INTEGER NOT NULL,
    PRIMARY KEY (store_hash, id),
    CHECK ((state = 'off') = (why != '')),
    CHECK ((state = 'off') = (off_at != 0)),
    CHECK ((state = 'removed') = (length(secret) = 0)),
    CHECK ((old_until = 0) = (length(old_secret) = 0)),
    CHECK ((failing_since = 0) = (failures = 0))
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id          INTEGER PRIMARY KEY, -- oldest first
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    name        TEXT    NOT NULL, -- webhook-id: made of what caused the event, so that one cause has one name
    type        TEXT    NOT NULL,
    customer_id INTEGER NOT NULL DEFAULT 0, -- whom it is about; erased with them, here and in the payload
    payload     TEXT    NOT NULL CHECK (length(payload) <= 16384), -- JSON as it is posted, not signed
    made_at     INTEGER NOT NULL,
    UNIQUE (store_hash, name)
) STRICT;
CREATE INDEX events_customer ON events (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX events_past ON events (made_at);

CREATE TABLE deliveries (
    id           INTEGER PRIMARY KEY, -- oldest first
    store_hash   TEXT    NOT NULL,
    endpoint_id  INTEGER NOT NULL,
    event_id     INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'done', 'failed', 'dropped')), -- failed: not tried again by itself; dropped: no longer owed
    attempt      INTEGER NOT NULL DEFAULT 0, -- a lease is finished only by the attempt that took it
    tries        INTEGER NOT NULL DEFAULT 0, -- since it was owed, or last asked for again
    due_at       INTEGER NOT NULL, -- when to try; the lease's end while one is tried; 0 unless pending
    leased_until INTEGER NOT NULL DEFAULT 0, -- being tried until then
    status       INTEGER NOT NULL DEFAULT 0, -- HTTP status of the last try; 0: no answer
    excerpt      TEXT    NOT NULL DEFAULT '', -- how the last answer began, printable
    trouble      TEXT    NOT NULL DEFAULT '', -- why the last try failed, shown to a person
    tried_at     INTEGER NOT NULL DEFAULT 0,
    took         INTEGER NOT NULL DEFAULT 0, -- the last try, in milliseconds
    made_at      INTEGER NOT NULL,
    done_at      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (event_id, endpoint_id),
    FOREIGN KEY (store_hash, endpoint_id) REFERENCES endpoints (store_hash, id),
    CHECK ((state = 'pending') = (due_at != 0)),
    CHECK (state = 'pending' OR leased_until = 0)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (store_hash, endpoint_id, due_at) WHERE due_at != 0;
CREATE INDEX deliveries_page ON deliveries (store_hash, endpoint_id, id);
CREATE INDEX deliveries_failed ON deliveries (store_hash, endpoint_id, id) WHERE state = 'failed';

-- +goose Down
SELECT 'forward only';
