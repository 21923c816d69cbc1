// What callers hand over, checked: ids of tenants and users, reasons, the names of the session variables.

import { TenantError, TenantMissingError } from './errors.js';

/** The variable that the policies of `rowfence` read. */
export const DEFAULT_VARIABLE = 'app.current_tenant_id';

/** Texts that a template string makes of a value that is not there. */
const MADE_OF_NOTHING = new Set(['undefined', 'null', 'NaN', '[object Object]', '[object Promise]']);

/** The variable from which the policy on memberships reads the user (`[auth.memberships]`). */
export const DEFAULT_USER_VARIABLE = 'app.current_user_id';

/** The id of a tenant, or else a {@link TenantMissingError}. */
export function tenantId(value: unknown): string {
  return idFor('withTenant', 'tenant', value);
}

/** The id of a user, or else a {@link TenantMissingError}. */
export function userId(value: unknown): string {
  return idFor('forUser', 'user', value);
}

function idFor(caller: string, whose: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw new TenantMissingError(`${caller} needs the ${whose}'s id as a string, and was given ${described(value)}`);
  }
  if (value.trim() === '') {
    throw new TenantMissingError(`${caller} needs the id of a ${whose}, and was given an empty string`);
  }
  if (MADE_OF_NOTHING.has(value)) {
    throw new TenantMissingError(`${caller} was given the text '${value}', which is no id but a missing value made into text`);
  }
  return value;
}

/** Why there is no tenant yet, which every call of `withoutTenant` must say. */
export function checkReason(value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new TenantMissingError('withoutTenant needs a reason, such as "sign-in: the user is not known yet"');
  }
}

/** The session variables that policies read. */
export interface VariableOptions {
  /** The one with the tenant; `app.current_tenant_id` if none is given. */
  variable?: string;
  /** The one with the user of `forUser`; `app.current_user_id` if none is given. */
  userVariable?: string;
}

/** Their names, checked. */
export interface Variables {
  readonly tenant: string;
  readonly user: string;
}

export function variables(options: VariableOptions): Variables {
  const { variable = DEFAULT_VARIABLE, userVariable = DEFAULT_USER_VARIABLE } = options;
  // PostgreSQL finds a setting however its name is written.
  if (variable.toLowerCase() === userVariable.toLowerCase()) {
    throw new TenantError('ROWFENCE_VARIABLE', `${JSON.stringify(variable)} cannot have both the tenant and the user`);
  }
  return { tenant: variableName(variable), user: variableName(userVariable) };
}

/** The name of a session variable. A setting of PostgreSQL itself has no dot in its name. */
function variableName(value: string): string {
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(value)) return value;
  throw new TenantError('ROWFENCE_VARIABLE', `${JSON.stringify(value)} is no name of a variable such as ${DEFAULT_VARIABLE}`);
}

function described(value: unknown): string {
  return value === null ? 'null' : value === undefined ? 'undefined' : `a value of type ${typeof value}`;
}
