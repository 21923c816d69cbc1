-- The numbers of the plan, of which none is counted in the application's tables.
SELECT sum(rows)::bigint AS bookings,
       coalesce(sum(rows) FILTER (WHERE tenant IS NULL), 0)::bigint AS bookings_without_tenant,
       coalesce(sum(rows) FILTER (WHERE kind = 'by_service_request'), 0)::bigint AS by_service_request,
       coalesce(sum(rows) FILTER (WHERE kind = 'by_client'), 0)::bigint AS by_client,
       coalesce(sum(rows) FILTER (WHERE kind = 'by_service'), 0)::bigint AS by_service,
       coalesce(sum(rows) FILTER (WHERE kind = 'conflict'), 0)::bigint AS conflicts,
       coalesce(sum(rows) FILTER (WHERE kind = 'unresolvable'), 0)::bigint AS unresolvable,
       coalesce(sum(rows) FILTER (WHERE kind = 'cross_tenant'), 0)::bigint AS cross_tenant_references,
       coalesce(sum(rows) FILTER (WHERE kind = 'empty_string'), 0)::bigint AS empty_string_tenants,
       coalesce(sum(rows) FILTER (WHERE kind = 'ghost'), 0)::bigint AS ghost_tenants,
       (SELECT count(*) FROM plan_tenant) AS tenants,
       (SELECT count(*) FROM plan_user) AS users,
       (SELECT count(*) FROM plan_membership WHERE NOT is_default) AS users_with_several_memberships,
       (SELECT count(DISTINCT a.author_id)
        FROM plan_message AS a JOIN plan_membership AS m ON m.user_id = a.author_id AND NOT m.is_default) AS authors_with_several_memberships,
       (SELECT count(*) FROM plan_message WHERE author_deleted) AS messages_of_deleted_authors,
       (SELECT count(*) FROM plan_message WHERE kind = 'by_membership') AS messages_by_membership,
       (SELECT count(*) FROM plan_message WHERE kind = 'by_author') AS messages_by_author,
       (SELECT count(*) FROM plan_message WHERE kind = 'by_room') AS messages_by_room,
       (SELECT count(*) FROM plan_message WHERE kind = 'conflict') AS messages_in_conflict,
       (SELECT count(*) FROM plan_message WHERE kind = 'unresolvable') AS messages_unresolvable
FROM plan_kind
