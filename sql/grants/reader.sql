-- A login under which `doctor`, `audit` and `rls verify` can read, and nothing can be written. For a superuser, or for a role
-- that may create roles and grant `tenant_auditor`, once `rls rollout --phase prepare` has made that one. Names are those of
-- tenancy.toml's defaults: edit `tenant_auditor` and `public` where yours differ. Set the password with psql's \password. Safe to run twice.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rowfence_reader') THEN
        CREATE ROLE rowfence_reader LOGIN;
    END IF;
    -- A policy TO tenant_auditor holds for every role that inherits it. This login acts as it, and does not inherit it; from
    -- PostgreSQL 16 on the membership takes this from the role at the time of the grant.
    ALTER ROLE rowfence_reader NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO rowfence_reader', pg_catalog.current_database());
    GRANT USAGE ON SCHEMA public TO rowfence_reader;
    GRANT tenant_auditor TO rowfence_reader;
    -- `rls verify` tells from the journal which definitions are the rollout's.
    IF pg_catalog.to_regclass('tenant_ops.rollout_step') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA tenant_ops TO rowfence_reader;
        GRANT SELECT ON tenant_ops.installed, tenant_ops.rollout_step TO rowfence_reader;
    END IF;
    -- Up to PostgreSQL 14 everybody may create in this schema, the application included.
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$$;
