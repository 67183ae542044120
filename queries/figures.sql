-- What the overview adds up, counted in the transaction of what it counts.

-- name: CountUp :exec
INSERT INTO figures (store_hash, quarter, shown, started, passed, failed, abandoned) VALUES (@store_hash, @quarter, @shown, @started, @passed, @failed, @abandoned)
ON CONFLICT (store_hash, quarter) DO UPDATE SET shown = figures.shown + excluded.shown, started = figures.started + excluded.started, passed = figures.passed + excluded.passed,
    failed = figures.failed + excluded.failed, abandoned = figures.abandoned + excluded.abandoned;

-- name: CountMoney :exec
INSERT INTO money_figures (store_hash, currency, quarter, held, held_minor, released, released_minor) VALUES (@store_hash, @currency, @quarter, @held, @held_minor, @released, @released_minor)
ON CONFLICT (store_hash, currency, quarter) DO UPDATE SET held = money_figures.held + excluded.held, held_minor = money_figures.held_minor + excluded.held_minor,
    released = money_figures.released + excluded.released, released_minor = money_figures.released_minor + excluded.released_minor;

-- Whether this cart has been asked for a proof.
-- name: CartShown :one
SELECT EXISTS (SELECT 1 FROM decisions AS d WHERE d.store_hash = @store_hash AND d.cart_id = @cart_id AND d.cart_id != '' AND d.stage = 'checkout' AND d.outcome = 'verify' AND d.mode = 'enforce') AS shown;

-- The sums of each span, a JSON array of [from, to]. They come as JSON too: what is grouped instead would be sorted first.
-- name: Figures :many
SELECT CAST((SELECT json_array(coalesce(sum(f.shown), 0), coalesce(sum(f.started), 0), coalesce(sum(f.passed), 0), coalesce(sum(f.failed), 0), coalesce(sum(f.abandoned), 0))
    FROM figures AS f WHERE f.store_hash = @store_hash AND f.quarter >= CAST(json_extract(j.value, '$[0]') AS INTEGER) AND f.quarter < CAST(json_extract(j.value, '$[1]') AS INTEGER)) AS TEXT) AS sums
FROM json_each(CAST(@spans AS TEXT)) AS j;

-- name: MoneyFigures :many
SELECT CAST((SELECT json_array(coalesce(sum(f.held), 0), coalesce(sum(f.held_minor), 0), coalesce(sum(f.released), 0), coalesce(sum(f.released_minor), 0))
    FROM money_figures AS f WHERE f.store_hash = @store_hash AND f.currency = @currency
        AND f.quarter >= CAST(json_extract(j.value, '$[0]') AS INTEGER) AND f.quarter < CAST(json_extract(j.value, '$[1]') AS INTEGER)) AS TEXT) AS sums
FROM json_each(CAST(@spans AS TEXT)) AS j;

-- The next currency that anything was held or released in.
-- name: NextCurrency :many
SELECT currency FROM money_figures WHERE store_hash = @store_hash AND currency > @above ORDER BY currency LIMIT 1;

-- How long the newest passes of a span took, from their beginning: milliseconds.
-- name: PassTimes :many
SELECT s.changed_at - s.started_at AS took FROM sessions AS s INDEXED BY sessions_passed
WHERE s.store_hash = @store_hash AND s.state = 'passed' AND s.changed_at >= @since AND s.changed_at < @until ORDER BY s.changed_at DESC LIMIT @count;

-- name: ForgetFigures :execrows
DELETE FROM figures WHERE figures.store_hash = @store_hash AND figures.quarter IN (SELECT f.quarter FROM figures AS f WHERE f.store_hash = @store_hash AND f.quarter < @before ORDER BY f.quarter LIMIT 100);

-- name: ForgetMoneyFigures :execrows
DELETE FROM money_figures WHERE (store_hash, currency, quarter) IN (SELECT f.store_hash, f.currency, f.quarter FROM money_figures AS f INDEXED BY money_figures_past WHERE f.store_hash = @store_hash AND f.quarter < @before ORDER BY f.quarter LIMIT 100);

-- name: DestroyFigures :execrows
DELETE FROM figures WHERE figures.store_hash = @store_hash AND figures.quarter IN (SELECT f.quarter FROM figures AS f WHERE f.store_hash = @store_hash LIMIT 100);

-- name: DestroyMoneyFigures :execrows
DELETE FROM money_figures WHERE (store_hash, currency, quarter) IN (SELECT f.store_hash, f.currency, f.quarter FROM money_figures AS f WHERE f.store_hash = @store_hash LIMIT 100);
