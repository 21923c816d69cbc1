-- A fragment: an expression. It needs names that are quoted, and a role that sees every row of the tables.
-- Whether a row has a tenant that no row to which it points tells.
EXISTS (SELECT FROM :"table" AS r WHERE r.:"column" IS NOT NULL AND NOT (:told))
