-- +goose Up
-- Mailboxes that somebody has shown to be theirs, mails that a shopper asks for, links that only a mail carried, and the shopper's language.

CREATE TABLE capabilities_new (
    id          BLOB    PRIMARY KEY CHECK (length(id) = 16), -- random; the token adds an HMAC
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    purpose     TEXT    NOT NULL CHECK (purpose IN ('cart', 'confirm', 'mail')),
    cart_id     TEXT    NOT NULL DEFAULT '',
    order_id    INTEGER NOT NULL DEFAULT 0,
    customer_id INTEGER NOT NULL DEFAULT 0, -- from a Current Customer JWT; 0 for a guest
    mailbox     BLOB    NOT NULL DEFAULT x'', -- keyed hash of the cart's or order's mailbox when it was made
    mailed      INTEGER NOT NULL DEFAULT 0 CHECK (mailed IN (0, 1)), -- nothing but a mail to the mailbox carried it: staff never saw it
    locale      TEXT    NOT NULL DEFAULT '', -- the shopper's language, as their page named it
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    CHECK (purpose != 'cart' OR cart_id != '' AND order_id = 0),
    CHECK (purpose != 'confirm' OR cart_id = '' AND order_id = 0),
    CHECK (purpose != 'mail' OR (cart_id != '') + (order_id != 0) = 1),
    CHECK (purpose != 'mail' OR order_id != 0 OR mailed = 1), -- a cart's link is never shown to staff
    CHECK (mailed = 0 OR purpose = 'mail' AND length(mailbox) > 0)
) STRICT, WITHOUT ROWID;
INSERT INTO capabilities_new (id, store_hash, purpose, cart_id, order_id, customer_id, mailbox, made_at, expires_at)
SELECT id, store_hash, purpose, cart_id, order_id, customer_id, mailbox, made_at, expires_at FROM capabilities;
DROP TABLE capabilities;
ALTER TABLE capabilities_new RENAME TO capabilities;
CREATE INDEX capabilities_customer ON capabilities (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX capabilities_order ON capabilities (store_hash, order_id) WHERE order_id != 0;
CREATE INDEX capabilities_mailbox ON capabilities (store_hash, mailbox) WHERE customer_id = 0 AND order_id = 0 AND mailbox != x'';
CREATE INDEX capabilities_expiry ON capabilities (store_hash, expires_at);

CREATE TABLE shown_mailboxes (
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    mailbox     BLOB    NOT NULL CHECK (length(mailbox) > 0), -- keyed hash; control of it was shown for one of the next three
    cart_id     TEXT    NOT NULL DEFAULT '',
    order_id    INTEGER NOT NULL DEFAULT 0,
    customer_id INTEGER NOT NULL DEFAULT 0, -- an account, whoever's
    way         TEXT    NOT NULL CHECK (way IN ('code', 'link')), -- how
    shown_at    INTEGER NOT NULL, -- last
    PRIMARY KEY (store_hash, mailbox, cart_id, order_id, customer_id),
    CHECK ((cart_id != '') + (order_id != 0) + (customer_id != 0) = 1)
) STRICT, WITHOUT ROWID;
CREATE INDEX shown_mailboxes_customer ON shown_mailboxes (store_hash, customer_id) WHERE customer_id != 0;
CREATE INDEX shown_mailboxes_past ON shown_mailboxes (store_hash, shown_at);

CREATE TABLE asked_mails (
    id          INTEGER PRIMARY KEY, -- oldest first
    store_hash  TEXT    NOT NULL REFERENCES shops (store_hash),
    kind        TEXT    NOT NULL CHECK (kind IN ('link', 'code')),
    capability  BLOB    NOT NULL CHECK (length(capability) = 16), -- the cart Capability that asked; it alone may enter the code
    cart_id     TEXT    NOT NULL CHECK (length(cart_id) > 0),
    customer_id INTEGER NOT NULL DEFAULT 0,
    mailbox     BLOB    NOT NULL CHECK (length(mailbox) > 0), -- keyed hash of the addressee
    code        BLOB    NOT NULL DEFAULT x'', -- keyed hash of the six digits; empty for a link, and once the code was used or guessed at too often
    tries       INTEGER NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5), -- wrong digits so far
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    CHECK (kind = 'code' OR length(code) = 0 AND tries = 0)
) STRICT;
CREATE INDEX asked_mails_cart ON asked_mails (store_hash, cart_id, kind, asked_at);
CREATE INDEX asked_mails_mailbox ON asked_mails (store_hash, mailbox, kind, asked_at);
CREATE INDEX asked_mails_capability ON asked_mails (capability, id);
CREATE INDEX asked_mails_past ON asked_mails (store_hash, asked_at);

CREATE INDEX sessions_tries ON sessions (store_hash, mailbox, started_at) WHERE mailbox != x'';

-- +goose Down
SELECT 'forward only';
