-- Moves the checkpoint of range $1 from tid $2 to tid $3.
UPDATE tenant_ops.range SET next_tid = $3::text::tid WHERE id = $1 AND next_tid = $2::text::tid
