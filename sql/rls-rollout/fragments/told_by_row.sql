-- A fragment of WHERE, about the row `r`. It needs names that are quoted, and a role that sees every row of the table.
-- The row that it points to has its tenant.
EXISTS (SELECT FROM :"parent" AS p WHERE p.:"key" OPERATOR(pg_catalog.=) r.:"link" AND p.:"parent_column" OPERATOR(pg_catalog.=) r.:"column")
