-- Drafts replayed over past orders.

-- name: AddWhatIf :one
INSERT INTO whatifs (store_hash, id, state, draft, base, wanted, since, due_at, made_by, made_at)
VALUES (@store_hash, (SELECT coalesce(max(w.id), 0) + 1 FROM whatifs AS w WHERE w.store_hash = @store_hash), 'running', @draft, @base, @wanted, @since, @now, @made_by, @now)
RETURNING id;

-- name: WhatIf :one
SELECT store_hash, id, state, draft, base, wanted, since, below, seen, tally, trouble, due_at, made_by, made_at, done_at
FROM whatifs WHERE store_hash = @store_hash AND id = @id;

-- name: WhatIfs :many
SELECT store_hash, id, state, draft, base, wanted, since, below, seen, tally, trouble, due_at, made_by, made_at, done_at
FROM whatifs WHERE store_hash = @store_hash ORDER BY id DESC LIMIT @count;

-- name: DueWhatIfs :many
SELECT store_hash, id FROM whatifs WHERE state = 'running' AND due_at <= @now ORDER BY due_at LIMIT 100;

-- Only whoever read it as it was goes on: a step that was done twice counts once.
-- name: AdvanceWhatIf :execrows
UPDATE whatifs SET below = @below, seen = @seen, tally = @tally, trouble = '', due_at = @due_at, state = @state, done_at = @done_at
WHERE store_hash = @store_hash AND id = @id AND state = 'running' AND below = CAST(@was_below AS INTEGER);

-- name: PostponeWhatIf :execrows
UPDATE whatifs SET due_at = @due_at, trouble = @trouble WHERE store_hash = @store_hash AND id = @id AND state = 'running';

-- name: CancelWhatIf :execrows
UPDATE whatifs SET state = 'cancelled', due_at = 0, done_at = @now WHERE store_hash = @store_hash AND id = @id AND state = 'running';

-- name: AddWhatIfOrder :exec
INSERT INTO whatif_orders (store_hash, whatif_id, order_id, placed_at, value_minor, currency, shift, before, after, reasons, rules)
VALUES (@store_hash, @whatif_id, @order_id, @placed_at, @value_minor, @currency, @shift, @before, @after, @reasons, @rules) ON CONFLICT DO NOTHING;

-- name: WhatIfOrders :many
SELECT order_id, placed_at, value_minor, currency, shift, before, after, reasons, rules FROM whatif_orders
WHERE store_hash = @store_hash AND whatif_id = @whatif_id AND order_id < @below ORDER BY order_id DESC LIMIT @count;

-- name: WhatIfOrdersByShift :many
SELECT order_id, placed_at, value_minor, currency, shift, before, after, reasons, rules FROM whatif_orders
WHERE store_hash = @store_hash AND whatif_id = @whatif_id AND shift = @shift AND order_id < @below ORDER BY order_id DESC LIMIT @count;

-- The newest ten of a Shop are kept.
-- name: ForgetWhatIfs :execrows
DELETE FROM whatifs WHERE whatifs.store_hash = @store_hash AND whatifs.state != 'running' AND whatifs.id <= (SELECT coalesce(max(w.id), 0) - 10 FROM whatifs AS w WHERE w.store_hash = @store_hash);

-- name: DestroyWhatIfs :execrows
DELETE FROM whatifs WHERE store_hash = @store_hash;
