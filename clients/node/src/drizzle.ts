// Drizzle over node-postgres.

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { DrizzleConfig } from 'drizzle-orm/utils';
import { checkPool, type PgScopeOptions, type TenantPool } from './pg.js';
import type { TenantScopes } from './scope.js';

/** A database of Drizzle that sends statements within a scope only. */
export type TenantDrizzle<S extends Record<string, unknown>> = NodePgDatabase<S> &
  TenantScopes<NodePgDatabase<S>, PgScopeOptions> & { $client: TenantPool };

/** Drizzle over a pool that {@link tenantPool} made. Drizzle wraps errors: `tenantErrorOf(error)` unwraps ours. */
export function tenantDrizzle<S extends Record<string, unknown> = Record<string, never>>(
  pool: TenantPool,
  config: DrizzleConfig<S> = {},
): TenantDrizzle<S> {
  checkPool(pool);
  const db = drizzle({ ...config, client: pool });
  const added: TenantScopes<NodePgDatabase<S>, PgScopeOptions> = {
    withTenant: (id, fn, options) => pool.withTenant(id, () => fn(db), options),
    withoutTenant: (reason, fn, options) => pool.withoutTenant(reason, () => fn(db), options),
    forUser: (id, fn, options) => pool.forUser(id, () => fn(db), options),
  };
  return Object.assign(db, added);
}
