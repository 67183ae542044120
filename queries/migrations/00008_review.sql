-- +goose Up
-- What waits for a person of the Shop, and checks that a person has asked for.

CREATE TABLE reviews (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    kind       TEXT    NOT NULL CHECK (kind IN ('in_review', 'late', 'tries_spent', 'blocked', 'leaked', 'moved')), -- why it waits
    subject    TEXT    NOT NULL CHECK (length(subject) > 0), -- a Session's id where kind is in_review or late, else the order's number
    order_id   INTEGER NOT NULL DEFAULT 0, -- the order that it is about; 0: a cart that is no order yet
    cart_id    TEXT    NOT NULL DEFAULT '', -- the cart, where there is no order
    since      INTEGER NOT NULL, -- when it began to wait
    PRIMARY KEY (store_hash, kind, subject),
    CHECK ((order_id = 0) = (cart_id != '')),
    CHECK (order_id != 0 OR kind IN ('in_review', 'late'))
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_oldest ON reviews (store_hash, since, kind, subject);
CREATE INDEX reviews_kind ON reviews (store_hash, kind, since, subject);
CREATE INDEX reviews_order ON reviews (store_hash, order_id) WHERE order_id != 0;
CREATE INDEX reviews_cart ON reviews (store_hash, cart_id) WHERE cart_id != '';

INSERT INTO reviews (store_hash, kind, subject, order_id, cart_id, since)
SELECT s.store_hash, CASE WHEN s.late = 1 THEN 'late' ELSE 'in_review' END, s.id, s.order_id, CASE WHEN s.order_id = 0 THEN s.cart_id ELSE '' END, s.changed_at
FROM sessions AS s WHERE (s.state = 'review' OR s.late = 1) AND (s.order_id = 0) = (s.cart_id != '');
INSERT INTO reviews (store_hash, kind, subject, order_id, since)
SELECT o.store_hash, o.hold, CAST(o.order_id AS TEXT), o.order_id, o.alarmed_at FROM orders AS o WHERE o.hold IN ('leaked', 'moved') AND o.alarmed_at != 0;

CREATE TABLE requests (
    store_hash    TEXT    NOT NULL REFERENCES shops (store_hash),
    order_id      INTEGER NOT NULL,
    require       TEXT    NOT NULL, -- gate.Requirement as JSON: what is asked for besides what the Policy asks
    hold          INTEGER NOT NULL CHECK (hold IN (0, 1)), -- the order does not ship before it is proved
    person        TEXT    NOT NULL CHECK (length(person) > 0), -- who asked
    note          TEXT    NOT NULL, -- why
    made_at       INTEGER NOT NULL,
    withdrawn_by  TEXT    NOT NULL DEFAULT '', -- who took it back; the order is decided without it next, and then the row goes
    withdrawn_why TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (store_hash, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_past ON requests (store_hash, made_at);

CREATE INDEX decisions_person ON decisions (store_hash, made_at, id) WHERE made_by = 'person';
CREATE INDEX orders_guest ON orders (store_hash, mailbox) WHERE customer_id = 0 AND mailbox != x'';

-- +goose Down
SELECT 'forward only';
