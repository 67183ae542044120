-- +goose Up
-- The storefront that a Session was begun in.

ALTER TABLE sessions ADD COLUMN channel INTEGER NOT NULL DEFAULT 0; -- storefront channel of its cart or order; 0: not known, as of those from before there was this column

CREATE INDEX sessions_channel ON sessions (store_hash, channel, started_at, id) WHERE channel != 0;

-- +goose Down
SELECT 'forward only';
