-- +goose Up
-- Mails that a shopper asked for and that never came: the mail server refused them, or they came back.

ALTER TABLE asked_mails ADD COLUMN returned_at INTEGER NOT NULL DEFAULT 0; -- when that was known; 0: nothing of the kind is

CREATE INDEX asked_mails_returned ON asked_mails (store_hash, returned_at) WHERE returned_at != 0;

-- +goose Down
SELECT 'forward only';
