// Kysely over node-postgres.

import { Kysely, type KyselyConfig, PostgresDialect } from 'kysely';
import { checkPool, type PgScopeOptions, type TenantPool } from './pg.js';
import type { TenantScopes } from './scope.js';

/** A database of Kysely that sends statements within a scope only. */
export type TenantKysely<DB> = Kysely<DB> & TenantScopes<Kysely<DB>, PgScopeOptions>;

/** Kysely over a pool that {@link tenantPool} made. */
export function tenantKysely<DB>(pool: TenantPool, config: Omit<KyselyConfig, 'dialect'> = {}): TenantKysely<DB> {
  checkPool(pool);
  const db = new Kysely<DB>({ ...config, dialect: new PostgresDialect({ pool }) });
  const added: TenantScopes<Kysely<DB>, PgScopeOptions> = {
    withTenant: (id, fn, options) => pool.withTenant(id, () => fn(db), options),
    withoutTenant: (reason, fn, options) => pool.withoutTenant(reason, () => fn(db), options),
    forUser: (id, fn, options) => pool.forUser(id, () => fn(db), options),
  };
  return Object.assign(db, added);
}
