-- Rows of one tenant that reference a row of another. NULL and '' name no tenant and are counted elsewhere.
count(*) FILTER (WHERE t.:"column":cast <> :"r".:"tenant":cast
                   AND t.:"column"::text <> '' AND :"r".:"tenant"::text <> '')
