-- One source of a row's tenant: the row it points to, and that row's tenant if there is such a tenant.
LEFT JOIN :"source" AS :"s" ON :"s".:"source_key" = l.:"via"
LEFT JOIN :"tenants" AS :"e" ON :"e".:"tenant_key" = :"s".:"source_tenant" AND :"e".:"tenant_key"::text <> ''
