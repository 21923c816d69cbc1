-- The numbers of the plan, counted from the plan and not from the tables.
SELECT count(*) AS bookings,
       count(*) FILTER (WHERE kind IN ('unresolvable', 'conflict', 'by_request', 'by_client', 'by_service')) AS without_tenant,
       count(*) FILTER (WHERE kind = 'by_request') AS by_request,
       count(*) FILTER (WHERE kind = 'by_client') AS by_client,
       count(*) FILTER (WHERE kind = 'by_service') AS by_service,
       count(*) FILTER (WHERE kind = 'conflict') AS conflicts,
       count(*) FILTER (WHERE kind = 'unresolvable') AS unresolvable,
       count(*) FILTER (WHERE kind = 'cross_tenant') AS cross_tenant,
       count(*) FILTER (WHERE kind = 'empty') AS empty,
       count(*) FILTER (WHERE kind = 'ghost') AS ghosts,
       (SELECT count(*) FROM plan_tenant) AS tenants,
       (SELECT count(*) FROM plan_user) AS users,
       (SELECT count(*) FROM plan_user WHERE tenant_no > 0 AND n % 10 = 0) AS several_memberships
FROM plan_booking
