-- What checkout pages no longer had as expected.

-- name: ReportPage :exec
INSERT INTO page_reports (store_hash, channel_id, missing, day, count, seen_at) VALUES (@store_hash, @channel_id, @missing, @day, 1, @now)
ON CONFLICT (store_hash, channel_id, missing, day) DO UPDATE SET count = min(page_reports.count + 1, 1000000), seen_at = max(page_reports.seen_at, excluded.seen_at);

-- name: PageReports :many
SELECT channel_id, missing, CAST(sum(count) AS INTEGER) AS count, CAST(max(seen_at) AS INTEGER) AS seen_at FROM page_reports
WHERE store_hash = @store_hash AND day >= @since GROUP BY channel_id, missing ORDER BY channel_id, missing;

-- name: ForgetPageReports :execrows
DELETE FROM page_reports WHERE store_hash = @store_hash AND day < @before;

-- name: DestroyPageReports :execrows
DELETE FROM page_reports WHERE store_hash = @store_hash;
