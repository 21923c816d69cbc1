// A job that works for one tenant after the other.

import { TenantJobError, TenantMissingError } from './errors.js';
import type { TenantScopes } from './scope.js';
import { tenantId } from './values.js';

/**
 * Runs `fn` once for each tenant, one after the other, each in a scope of its own. One tenant's failure takes back that tenant's transaction
 * alone, and the others go on. In the end it is thrown, with those of all other tenants that failed.
 *
 * A job that was given no tenant at all has done nothing, which is an error too: under row level security the list is empty as well where the
 * login that reads it may not see it.
 */
export async function forEachTenant<D, O, T>(
  db: TenantScopes<D, O>,
  tenants: Iterable<string> | AsyncIterable<string>,
  fn: (db: D, tenant: string) => Promise<T>,
  options?: O,
): Promise<Map<string, T>> {
  const results = new Map<string, T>();
  const failures = new Map<string, unknown>();
  for await (const given of tenants) {
    const tenant = tenantId(given);
    // A second time would count its rows twice.
    if (results.has(tenant) || failures.has(tenant)) continue;
    try {
      results.set(tenant, await db.withTenant(tenant, (scoped) => fn(scoped, tenant), options));
    } catch (error) {
      failures.set(tenant, error);
    }
  }
  if (failures.size > 0) throw new TenantJobError(failures, results.size);
  if (results.size === 0) {
    throw new TenantMissingError('a job for each tenant was given no tenant: has the login that reads them the right to, and is the list complete?');
  }
  return results;
}
