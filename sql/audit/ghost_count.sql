-- Rows whose tenant the tenant table does not have; '' is counted as empty.
count(*) FILTER (WHERE tenant.id IS NULL AND t.:"column"::text <> '')
