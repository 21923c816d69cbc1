// What callers hand over, checked: tenant ids, reasons, the name of the session variable.

import { TenantError, TenantMissingError } from './errors.js';

/** The variable that the policies of `rowfence` read. */
export const DEFAULT_VARIABLE = 'app.current_tenant_id';

/** Texts that a template string makes of a value that is not there. */
const MADE_OF_NOTHING = new Set(['undefined', 'null', 'NaN', '[object Object]', '[object Promise]']);

/** The id of a tenant, or else a {@link TenantMissingError}. */
export function tenantId(value: unknown): string {
  if (typeof value !== 'string') {
    throw new TenantMissingError(`withTenant needs the tenant's id as a string, and was given ${described(value)}`);
  }
  if (value.trim() === '') {
    throw new TenantMissingError('withTenant needs the id of a tenant, and was given an empty string');
  }
  if (MADE_OF_NOTHING.has(value)) {
    throw new TenantMissingError(`withTenant was given the text '${value}', which is no id but a missing value made into text`);
  }
  return value;
}

/** Why there is no tenant yet, which every call of `withoutTenant` must say. */
export function checkReason(value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new TenantMissingError('withoutTenant needs a reason, such as "sign-in: the user is not known yet"');
  }
}

/** The name of the session variable. A setting of PostgreSQL itself has no dot in its name. */
export function variableName(value: string = DEFAULT_VARIABLE): string {
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(value)) return value;
  throw new TenantError('ROWFENCE_VARIABLE', `${JSON.stringify(value)} is no name of a variable such as ${DEFAULT_VARIABLE}`);
}

function described(value: unknown): string {
  return value === null ? 'null' : value === undefined ? 'undefined' : `a value of type ${typeof value}`;
}
