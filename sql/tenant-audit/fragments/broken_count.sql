-- A fragment, an aggregate. It needs the rows `t` of a table with a foreign key of which the tenant is a part.
-- Rows of one tenant whose key is nobody's there, and another tenant's without the tenant. NULL and '' name no tenant and are counted elsewhere.
-- It runs under the search path of the application.
pg_catalog.count(*) FILTER (WHERE t.:"column"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
                   AND CASE WHEN EXISTS (SELECT FROM :only :"target" AS r WHERE :all) THEN false
                            ELSE EXISTS (SELECT FROM :only :"target" AS r
                                         WHERE :others AND r.:"tenant":cast OPERATOR(pg_catalog.<>) t.:"column":cast) END)
