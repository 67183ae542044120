-- +goose Up
-- What the Shop's staff are told of by mail.

ALTER TABLE shops ADD COLUMN digest_to INTEGER NOT NULL DEFAULT 0; -- when the last digest was due that was settled: mailed, or not needed

CREATE TABLE staff_alarms (
    id         INTEGER PRIMARY KEY, -- oldest first
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    kind       TEXT    NOT NULL CHECK (kind IN ('orders', 'budget', 'trouble', 'review')),
    cause      TEXT    NOT NULL CHECK (length(cause) > 0), -- names what happened; the same is told once
    what       TEXT    NOT NULL CHECK (length(what) > 0), -- what happened, a code
    order_id   INTEGER NOT NULL DEFAULT 0, -- the order that it is about; 0: none
    at         INTEGER NOT NULL,
    mail       TEXT    NOT NULL DEFAULT '', -- names the mail that tells it; '' while it waits
    mailed_at  INTEGER NOT NULL DEFAULT 0, -- when that mail was owed
    UNIQUE (store_hash, kind, cause),
    CHECK ((mail = '') = (mailed_at = 0))
) STRICT;
CREATE INDEX staff_alarms_waiting ON staff_alarms (store_hash, kind, at) WHERE mail = '';
CREATE INDEX staff_alarms_kind ON staff_alarms (store_hash, kind, mailed_at);
CREATE INDEX staff_alarms_at ON staff_alarms (store_hash, kind, at);
CREATE INDEX staff_alarms_mail ON staff_alarms (store_hash, mail, id) WHERE mail != '';
CREATE INDEX staff_alarms_past ON staff_alarms (mailed_at) WHERE mail != '';

CREATE INDEX writebacks_staff ON writebacks (store_hash, due_at) WHERE due_at != 0 AND kind = 'mail' AND subject = 0;
CREATE INDEX writebacks_cancelled ON writebacks (store_hash, done_at, subject) WHERE kind = 'cancel' AND state = 'done';

-- +goose Down
SELECT 'forward only';
