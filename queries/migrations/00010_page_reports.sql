-- +goose Up
-- What checkout pages no longer had as expected, counted by day.

CREATE TABLE page_reports (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    channel_id INTEGER NOT NULL CHECK (channel_id > 0),
    missing    TEXT    NOT NULL CHECK (missing IN ('submit_button', 'order_call', 'payment_step', 'checkout_app')),
    day        INTEGER NOT NULL, -- since 1 January 1970, UTC
    count      INTEGER NOT NULL CHECK (count BETWEEN 1 AND 1000000), -- no further: anybody can report
    seen_at    INTEGER NOT NULL, -- the last one
    PRIMARY KEY (store_hash, channel_id, missing, day)
) STRICT, WITHOUT ROWID;

-- +goose Down
SELECT 'forward only';
