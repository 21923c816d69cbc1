-- A fragment of WHERE: the row that this row `r` points to in another table has no other tenant than the row `p`. It needs names that are quoted.
AND NOT EXISTS (SELECT FROM :"other" AS o
     WHERE o.:"other_key" OPERATOR(pg_catalog.=) r.:"other_link" AND o.:"other_column" OPERATOR(pg_catalog.<>) p.:"parent_column")
