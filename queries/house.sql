-- The file itself: its stamp, its keys, its published scripts.

-- name: StampLedger :exec
INSERT INTO ledger (id, kind, made_at) VALUES (1, @kind, @now) ON CONFLICT (id) DO NOTHING;

-- name: LedgerKind :one
SELECT kind FROM ledger WHERE id = 1;

-- name: AddSigningKey :exec
INSERT INTO signing_keys (kid, public, private, made_at) VALUES (@kid, @public, @private, @now);

-- name: SigningKeys :many
SELECT kid, public, private, made_at, retired_at FROM signing_keys ORDER BY made_at DESC, kid;

-- name: ResealSigningKey :execrows
UPDATE signing_keys SET private = @private WHERE kid = @kid;

-- name: PublishScript :exec
INSERT INTO published_scripts (hash, integrity, body, published_at) VALUES (@hash, @integrity, @body, @now) ON CONFLICT (hash) DO NOTHING;

-- name: PublishedScript :one
SELECT integrity, body FROM published_scripts WHERE hash = @hash;

-- name: PublishedScriptHashes :many
SELECT hash FROM published_scripts;

-- name: UseToken :execrows
INSERT INTO used_tokens (expires_at, jti) VALUES (@expires_at, @jti) ON CONFLICT (expires_at, jti) DO NOTHING;

-- name: ForgetTokens :execrows
DELETE FROM used_tokens WHERE expires_at < @before;
