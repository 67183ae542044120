-- +goose Up
-- The storefront that a Session was begun in, and the erasure of people of whom there is much.

ALTER TABLE sessions ADD COLUMN channel INTEGER NOT NULL DEFAULT 0; -- storefront channel of its cart or order; 0: not known, as of those from before there was this column

CREATE INDEX sessions_channel ON sessions (store_hash, channel, started_at, id) WHERE channel != 0;

-- People are erased in slices. A row is an erasure that the first slice did not finish; it goes with the last.
CREATE TABLE erasures (
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    customer_id INTEGER NOT NULL CHECK (customer_id >= 0), -- who is erased; 0: whoever ordered as a guest under that mailbox
    guest       BLOB    NOT NULL, -- keyed hash of the guest's mailbox; empty where there is a customer_id
    mailboxes   TEXT    NOT NULL, -- JSON: keyed hashes, in hex, of mailboxes that the customer used and under which nothing has been erased yet
    erased      TEXT    NOT NULL, -- JSON: how many rows of each kind so far
    person      TEXT    NOT NULL, -- who asked for it; empty: BigCommerce has the customer no more
    clear       INTEGER NOT NULL CHECK (clear IN (0, 1)), -- what was written to the customer's record in BigCommerce is to be cleared, once all is erased here
    fields_v2   INTEGER NOT NULL CHECK (fields_v2 IN (0, 1)), -- its v2 fields, too
    began_at    INTEGER NOT NULL,
    PRIMARY KEY (store_hash, customer_id, guest),
    CHECK ((customer_id = 0) = (guest != x''))
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_guest ON sessions (store_hash, mailbox, order_id) WHERE customer_id = 0 AND mailbox != x'';
CREATE INDEX proofs_guest ON proofs (store_hash, mailbox) WHERE customer_id = 0 AND mailbox != x'';

-- +goose Down
SELECT 'forward only';
