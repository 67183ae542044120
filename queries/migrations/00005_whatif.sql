-- +goose Up
-- What a draft of a Policy would have done to past orders.

CREATE TABLE whatifs (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    id         INTEGER NOT NULL CHECK (id > 0), -- 1, 2, 3 … per Shop
    state      TEXT    NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    draft      TEXT    NOT NULL, -- gate.Policy as JSON
    base       INTEGER NOT NULL, -- version in force when it was begun
    wanted     INTEGER NOT NULL, -- orders at most
    since      INTEGER NOT NULL, -- none older than this; 0: any
    below      INTEGER NOT NULL DEFAULT 0, -- goes on with orders below this number; 0: from the newest
    seen       INTEGER NOT NULL DEFAULT 0, -- orders replayed so far
    tally      TEXT    NOT NULL DEFAULT '{}', -- gate.Tally as JSON
    trouble    TEXT    NOT NULL DEFAULT '', -- why it does not get on just now
    due_at     INTEGER NOT NULL, -- when to go on; 0 unless running
    made_by    TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    done_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (store_hash, id),
    CHECK ((state = 'running') = (due_at != 0))
) STRICT, WITHOUT ROWID;

CREATE TABLE whatif_orders (
    store_hash  TEXT    NOT NULL,
    whatif_id   INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    placed_at   INTEGER NOT NULL,
    value_minor INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    shift       TEXT    NOT NULL CHECK (shift IN ('same', 'newly_gated', 'newly_exempt', 'newly_held', 'newly_let')), -- against the Policy in force
    before      TEXT    NOT NULL, -- outcome under the Policy in force
    after       TEXT    NOT NULL, -- outcome under the draft
    reasons     TEXT    NOT NULL, -- the draft's reasons, JSON
    rules       TEXT    NOT NULL, -- names of the draft's rules that had their part, JSON
    PRIMARY KEY (store_hash, whatif_id, order_id),
    FOREIGN KEY (store_hash, whatif_id) REFERENCES whatifs (store_hash, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX whatif_orders_shift ON whatif_orders (store_hash, whatif_id, shift, order_id);

-- +goose Down
SELECT 'forward only';
