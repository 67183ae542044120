-- Shops, their users and Logins, their Policies.

-- A Shop whose key was destroyed meanwhile gets a new one, with it loses what only the old one opened, and begins anew.
-- name: InstallShop :exec
INSERT INTO shops (store_hash, state, owner_id, scopes, data_key, token, hook_secret, installed_at, sweep_at, reconcile_at, swept_to)
VALUES (@store_hash, 'installed', @owner_id, @scopes, @data_key, @token, @hook_secret, @now, @now, @now, @now)
ON CONFLICT (store_hash) DO UPDATE SET state = 'installed', owner_id = excluded.owner_id, scopes = excluded.scopes, data_key = excluded.data_key,
    token = excluded.token, hook_secret = excluded.hook_secret, reconcile_at = excluded.reconcile_at, sweep_at = excluded.sweep_at, uninstalled_at = 0, suspended_at = 0, probe_at = 0,
    kosmos = CASE WHEN shops.data_key IS NULL THEN NULL ELSE shops.kosmos END,
    grants = shops.grants + 1,
    installed_at = CASE WHEN shops.data_key IS NULL THEN excluded.installed_at ELSE shops.installed_at END,
    swept_to = CASE WHEN shops.data_key IS NULL THEN excluded.swept_to ELSE shops.swept_to END;

-- name: Shops :many
SELECT store_hash, state, store_id, name, currency, timezone, control_panel, channels, owner_id, scopes, data_key, token, hook_secret, kosmos,
    policy, enforced_since, swept_to, sweep_at, reconcile_at, reconciled_at, installation, installed_at, uninstalled_at, suspended_at, probe_at, suspected_at, settings, country, digest_to, grants
FROM shops ORDER BY store_hash;

-- name: Shop :one
SELECT store_hash, state, store_id, name, currency, timezone, control_panel, channels, owner_id, scopes, data_key, token, hook_secret, kosmos,
    policy, enforced_since, swept_to, sweep_at, reconcile_at, reconciled_at, installation, installed_at, uninstalled_at, suspended_at, probe_at, suspected_at, settings, country, digest_to, grants
FROM shops WHERE store_hash = @store_hash;

-- name: DescribeShop :exec
UPDATE shops SET store_id = @store_id, name = @name, currency = @currency, timezone = @timezone, control_panel = @control_panel, channels = @channels, country = @country
WHERE store_hash = @store_hash;

-- name: RecordInstallation :exec
UPDATE shops SET installation = @installation, reconciled_at = @now, reconcile_at = @next WHERE store_hash = @store_hash;

-- name: ReconcileShopAt :exec
UPDATE shops SET reconcile_at = @at WHERE store_hash = @store_hash;

-- Of a Shop that has a newer token by now nothing follows from what BigCommerce said of an older one: so here, in the next two, and in UninstallShop.
-- name: SuspendShop :execrows
UPDATE shops SET state = 'suspended', suspended_at = @now, probe_at = @probe_at WHERE store_hash = @store_hash AND grants = @grants AND state = 'installed';

-- name: ProbeShopAt :execrows
UPDATE shops SET probe_at = @probe_at WHERE store_hash = @store_hash AND grants = @grants AND state = 'suspended';

-- name: ResumeShop :execrows
UPDATE shops SET state = 'installed', suspended_at = 0, probe_at = 0, sweep_at = @now, reconcile_at = @now WHERE store_hash = @store_hash AND grants = @grants AND state = 'suspended';

-- name: SuspectShop :execrows
UPDATE shops SET suspected_at = @now, reconcile_at = min(reconcile_at, CAST(@now AS INTEGER)) WHERE store_hash = @store_hash AND suspected_at <= @unless_after;

-- name: SaveSettings :exec
UPDATE shops SET settings = @settings WHERE store_hash = @store_hash;

-- name: AddLogo :exec
INSERT INTO logos (store_hash, hash, body, made_at) VALUES (@store_hash, @hash, @body, @now) ON CONFLICT (store_hash, hash) DO UPDATE SET made_at = excluded.made_at;

-- name: Logo :one
SELECT body FROM logos WHERE store_hash = @store_hash AND hash = @hash;

-- The newest first. A Shop has few: each new one drops those that are over.
-- name: Logos :many
SELECT hash FROM logos WHERE store_hash = @store_hash ORDER BY made_at DESC, hash LIMIT 1000;

-- name: DropLogo :execrows
DELETE FROM logos WHERE store_hash = @store_hash AND hash = @hash;

-- The clock was set back: what was to come after now comes now.
-- name: ResumeShops :execrows
UPDATE shops SET sweep_at = min(sweep_at, CAST(@now AS INTEGER)), reconcile_at = min(reconcile_at, @now + 86400000), probe_at = min(probe_at, CAST(@now AS INTEGER)), suspected_at = min(suspected_at, CAST(@now AS INTEGER))
WHERE sweep_at > @now OR reconcile_at > @now + 86400000 OR probe_at > @now OR suspected_at > @now;

-- name: UninstallShop :execrows
UPDATE shops SET state = 'uninstalled', token = NULL, hook_secret = NULL, uninstalled_at = @now WHERE store_hash = @store_hash AND grants = @grants AND state != 'uninstalled';

-- name: SetKosmosTenant :exec
UPDATE shops SET kosmos = @tenant WHERE store_hash = @store_hash;

-- name: AdvanceSweep :exec
UPDATE shops SET swept_to = @swept_to, sweep_at = @next WHERE store_hash = @store_hash;

-- name: SeeUser :exec
INSERT INTO users (store_hash, user_id, email, role, seen_at) VALUES (@store_hash, @user_id, @email, @role, @now)
ON CONFLICT (store_hash, user_id) DO UPDATE SET email = excluded.email, seen_at = excluded.seen_at, removed_at = 0,
    role = CASE WHEN excluded.role = 'owner' THEN 'owner' WHEN users.role = 'owner' THEN excluded.role ELSE users.role END;

-- name: RemoveUser :execrows
UPDATE users SET removed_at = @now WHERE store_hash = @store_hash AND user_id = @user_id AND removed_at = 0;

-- name: Users :many
SELECT user_id, email, role, seen_at FROM users WHERE store_hash = @store_hash AND removed_at = 0 ORDER BY email, user_id LIMIT 500;

-- name: AddLogin :exec
INSERT INTO logins (id, store_hash, user_id, made_at, expires_at) VALUES (@id, @store_hash, @user_id, @now, @expires_at);

-- name: Login :one
SELECT l.user_id, u.email, u.role FROM logins AS l JOIN users AS u ON u.store_hash = l.store_hash AND u.user_id = l.user_id
WHERE l.id = @id AND l.store_hash = @store_hash AND l.expires_at > @now AND u.removed_at = 0;

-- name: EndLogin :exec
DELETE FROM logins WHERE id = @id;

-- name: EndUserLogins :execrows
DELETE FROM logins WHERE store_hash = @store_hash AND user_id = @user_id;

-- name: EndShopLogins :execrows
DELETE FROM logins WHERE store_hash = @store_hash;

-- name: ForgetLogins :execrows
DELETE FROM logins WHERE expires_at < @before;

-- name: AddPolicy :exec
INSERT INTO policies (store_hash, version, body, author, note, saved_at) VALUES (@store_hash, @version, @body, @author, @note, @now);

-- name: SetCurrentPolicy :exec
UPDATE shops SET policy = @version, enforced_since = @enforced_since WHERE store_hash = @store_hash;

-- name: Policy :one
SELECT body, author, note, saved_at FROM policies WHERE store_hash = @store_hash AND version = @version;

-- name: PolicyVersions :many
SELECT version, body, author, note, saved_at FROM policies WHERE store_hash = @store_hash AND version < @below ORDER BY version DESC LIMIT @count;

-- name: ResealShopKey :execrows
UPDATE shops SET data_key = @data_key WHERE store_hash = @store_hash AND data_key IS NOT NULL;
