-- +goose Up
-- A refusal counts for the token that was refused. Notices about orders go first, whatever storm of others there is.
-- What an uninstallation drops is owed again by the next installation.

ALTER TABLE shops ADD COLUMN grants INTEGER NOT NULL DEFAULT 1 CHECK (grants > 0); -- how often BigCommerce has granted a token: names the one in use

ALTER TABLE notices ADD COLUMN urgency INTEGER NOT NULL DEFAULT 0 CHECK (urgency IN (0, 1)); -- 0: about an order or a cart; 1: about anything else, which waits behind those
UPDATE notices SET urgency = 1 WHERE due_at != 0 AND scope NOT LIKE 'store/order/%' AND scope NOT LIKE 'store/cart/%';
DROP INDEX notices_due;
CREATE INDEX notices_due ON notices (store_hash, urgency, due_at) WHERE due_at != 0;

CREATE INDEX writebacks_dropped ON writebacks (store_hash, done_at) WHERE state = 'dropped';

-- +goose Down
SELECT 'forward only';
