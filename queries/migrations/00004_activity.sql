-- +goose Up
-- What people did, in a chain that shows when a line was changed or taken out; and customers and mailboxes that are let through or refused.

CREATE TABLE activity (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    seq        INTEGER NOT NULL CHECK (seq > 0), -- 1, 2, 3 … per Shop, without a gap
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL, -- who: a user's mailbox as BigCommerce names it, 'BigCommerce', or 'idgate'
    action     TEXT    NOT NULL, -- a code, such as policy.saved
    subject    TEXT    NOT NULL DEFAULT '', -- what it was done to: an order's number, a policy's version, a user
    detail     TEXT    NOT NULL DEFAULT '', -- a reason or a difference, never a shopper's data
    hash       BLOB    NOT NULL CHECK (length(hash) = 32), -- SHA-256 over the line before's hash and this line
    PRIMARY KEY (store_hash, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE listed (
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    customer_id INTEGER NOT NULL DEFAULT 0, -- 0 where a mailbox is listed
    mailbox     BLOB    NOT NULL DEFAULT x'', -- keyed hash; empty where a customer is listed
    list        TEXT    NOT NULL CHECK (list IN ('allow', 'block')),
    shown       BLOB    NOT NULL DEFAULT x'', -- sealed: the mailbox as it was typed, for staff to recognise
    note        TEXT    NOT NULL DEFAULT '', -- why
    added_by    TEXT    NOT NULL,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (store_hash, customer_id, mailbox),
    CHECK ((customer_id = 0) = (length(mailbox) = 32))
) STRICT, WITHOUT ROWID;
CREATE INDEX listed_page ON listed (store_hash, list, added_at);

-- +goose Down
SELECT 'forward only';
