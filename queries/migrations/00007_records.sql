-- +goose Up
-- The pages of records: figures that are counted as things happen, what a Session went through, and indexes for filters and searches.

-- Per quarter of an hour, since every zone's midnight falls on one. They name nobody, so they outlive what they count.
CREATE TABLE figures (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    quarter    INTEGER NOT NULL CHECK (quarter % 900000 = 0), -- when the quarter of an hour begins
    shown      INTEGER NOT NULL DEFAULT 0, -- carts and orders that were asked for a proof, each when it was first
    started    INTEGER NOT NULL DEFAULT 0, -- Sessions begun
    passed     INTEGER NOT NULL DEFAULT 0, -- Sessions that ended so
    failed     INTEGER NOT NULL DEFAULT 0, -- failed, declined or in error
    abandoned  INTEGER NOT NULL DEFAULT 0, -- abandoned or expired
    PRIMARY KEY (store_hash, quarter),
    CHECK (min(shown, started, passed, failed, abandoned) >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE money_figures (
    store_hash     TEXT    NOT NULL REFERENCES shops (store_hash),
    currency       TEXT    NOT NULL, -- the Shop's where the order's own rate was known, otherwise the order's
    quarter        INTEGER NOT NULL CHECK (quarter % 900000 = 0),
    held           INTEGER NOT NULL DEFAULT 0, -- orders that our hold began for
    held_minor     INTEGER NOT NULL DEFAULT 0, -- what they are worth
    released       INTEGER NOT NULL DEFAULT 0, -- orders that were let go
    released_minor INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (store_hash, currency, quarter),
    CHECK (min(held, released) >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX money_figures_past ON money_figures (store_hash, quarter);

ALTER TABLE sessions ADD COLUMN moves TEXT NOT NULL DEFAULT '[]'; -- JSON: each change of state as [when, state]; the first hundred
ALTER TABLE sessions ADD COLUMN ial INTEGER NOT NULL DEFAULT -1 CHECK (ial BETWEEN -1 AND 3); -- of the Proof it made; -1: none
ALTER TABLE sessions ADD COLUMN source TEXT NOT NULL DEFAULT '' CHECK ((source = '') = (ial = -1)); -- who says so

ALTER TABLE orders ADD COLUMN channel INTEGER NOT NULL DEFAULT 0; -- BigCommerce's channel id; 0 unknown
ALTER TABLE orders ADD COLUMN shop_minor INTEGER NOT NULL DEFAULT 0; -- its value in the Shop's currency, by the order's own rate
ALTER TABLE orders ADD COLUMN shop_currency TEXT NOT NULL DEFAULT ''; -- which that was; empty: no rate is known
ALTER TABLE orders ADD COLUMN answer TEXT NOT NULL DEFAULT '' CHECK (answer IN ('', 'allow', 'exempt', 'verify', 'review', 'hold', 'refuse')); -- the latest Decision's outcome; exempt: allowed because it is exempt

UPDATE sessions SET ial = coalesce((SELECT p.ial FROM proofs AS p WHERE p.session_id = sessions.id), -1),
    source = coalesce((SELECT p.source FROM proofs AS p WHERE p.session_id = sessions.id), '')
WHERE state = 'passed';
UPDATE orders SET
    shop_minor = CASE WHEN currency != '' AND currency = (SELECT s.currency FROM shops AS s WHERE s.store_hash = orders.store_hash) THEN value_minor ELSE 0 END,
    shop_currency = CASE WHEN currency != '' AND currency = (SELECT s.currency FROM shops AS s WHERE s.store_hash = orders.store_hash) THEN currency ELSE '' END,
    answer = coalesce((SELECT CASE WHEN d.outcome = 'allow' AND EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(d.explanation) THEN d.explanation ELSE '{}' END, '$.reasons') AS r
            WHERE json_extract(r.value, '$.code') IN ('exempt', 'guest_exempt', 'allow_listed'))
        THEN 'exempt' ELSE d.outcome END FROM decisions AS d WHERE d.id = orders.decision_id), '');

DROP INDEX orders_hold;
CREATE INDEX orders_hold ON orders (store_hash, hold, placed_at, order_id);
CREATE INDEX orders_answer ON orders (store_hash, answer, placed_at, order_id);
CREATE INDEX orders_placed ON orders (store_hash, placed_at, order_id) WHERE status_id >= 0;
DROP INDEX orders_customer;
CREATE INDEX orders_customer ON orders (store_hash, customer_id, placed_at, order_id) WHERE customer_id != 0;
CREATE INDEX orders_mailbox ON orders (store_hash, mailbox, placed_at, order_id) WHERE mailbox != x'';
CREATE INDEX orders_alarmed ON orders (store_hash, hold, alarmed_at) WHERE alarmed_at != 0;
DROP INDEX sessions_customer;
CREATE INDEX sessions_customer ON sessions (store_hash, customer_id, started_at, id) WHERE customer_id != 0;
CREATE INDEX sessions_state ON sessions (store_hash, state, started_at, id);
CREATE INDEX sessions_level ON sessions (store_hash, source, ial, started_at, id) WHERE source != '';
CREATE INDEX sessions_late ON sessions (store_hash, started_at, id) WHERE late = 1;
CREATE INDEX sessions_passed ON sessions (store_hash, changed_at, started_at) WHERE state = 'passed';

-- What there is of the past, as far as it was kept. An order that was held before is counted when it was held, and one that was released when that was decided.
INSERT INTO figures (store_hash, quarter, shown, started, passed, failed, abandoned)
SELECT t.store_hash, t.at - t.at % 900000, sum(t.what = 'shown'), sum(t.what = 'started'), sum(t.what = 'passed'), sum(t.what = 'failed'), sum(t.what = 'abandoned')
FROM (
    SELECT d.store_hash, min(d.made_at) AS at, 'shown' AS what FROM decisions AS d
    WHERE d.stage = 'checkout' AND d.outcome = 'verify' AND d.mode = 'enforce' AND d.cart_id != '' GROUP BY d.store_hash, d.cart_id
    UNION ALL SELECT o.store_hash, o.held_at, 'shown' FROM orders AS o WHERE o.held_at > 0 AND NOT EXISTS (
        SELECT 1 FROM decisions AS d WHERE d.store_hash = o.store_hash AND d.cart_id = o.cart_id AND d.cart_id != '' AND d.stage = 'checkout' AND d.outcome = 'verify' AND d.mode = 'enforce')
    UNION ALL SELECT s.store_hash, s.started_at, 'started' FROM sessions AS s
    UNION ALL SELECT s.store_hash, s.changed_at, CASE WHEN s.state = 'passed' THEN 'passed' WHEN s.state IN ('abandoned', 'expired') THEN 'abandoned' ELSE 'failed' END
        FROM sessions AS s WHERE s.poll_at = 0
) AS t WHERE t.at > 0 GROUP BY t.store_hash, t.at - t.at % 900000;

INSERT INTO money_figures (store_hash, currency, quarter, held, held_minor, released, released_minor)
SELECT t.store_hash, t.currency, t.at - t.at % 900000, sum(t.held), sum(t.held * t.minor), sum(1 - t.held), sum((1 - t.held) * t.minor)
FROM (
    SELECT o.store_hash, CASE WHEN o.shop_currency != '' THEN o.shop_currency ELSE o.currency END AS currency,
        CASE WHEN o.shop_currency != '' THEN o.shop_minor ELSE o.value_minor END AS minor, o.held_at AS at, 1 AS held FROM orders AS o WHERE o.held_at > 0
    UNION ALL SELECT o.store_hash, CASE WHEN o.shop_currency != '' THEN o.shop_currency ELSE o.currency END,
        CASE WHEN o.shop_currency != '' THEN o.shop_minor ELSE o.value_minor END, d.made_at, 0
        FROM orders AS o JOIN decisions AS d ON d.id = o.decision_id WHERE o.hold = 'released'
) AS t WHERE t.currency != '' GROUP BY t.store_hash, t.currency, t.at - t.at % 900000;

-- +goose Down
SELECT 'forward only';
