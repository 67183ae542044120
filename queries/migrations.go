package queries

import "embed"

// Migrations are the only truth about the schema; sqlc reads the same files.
//
//go:embed migrations/*.sql
var Migrations embed.FS
