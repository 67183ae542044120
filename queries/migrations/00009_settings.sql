-- +goose Up
-- Where the Shop is at home, the storefront behind a link, and the logos that shoppers are shown.

ALTER TABLE shops ADD COLUMN country TEXT NOT NULL DEFAULT ''; -- ISO 3166-1 alpha-2, as BigCommerce has it; empty until it is known

ALTER TABLE capabilities ADD COLUMN channel_id INTEGER NOT NULL DEFAULT 0; -- storefront channel of its cart or order; 0: not known

CREATE TABLE logos (
    store_hash TEXT    NOT NULL REFERENCES shops (store_hash),
    hash       TEXT    NOT NULL, -- first 32 hex digits of body's SHA-256, as in its URL
    body       BLOB    NOT NULL CHECK (length(body) <= 262144), -- a PNG of our own making
    made_at    INTEGER NOT NULL, -- when it was last uploaded; one that is in use no longer is kept for a while, for the mails that show it
    PRIMARY KEY (store_hash, hash)
) STRICT, WITHOUT ROWID;

-- +goose Down
SELECT 'forward only';
