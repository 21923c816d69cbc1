// What does not depend on a library.

export { forEachTenant } from './each.js';
export { TenantError, TenantJobError, TenantMismatchError, TenantMissingError, TenantScopeError, tenantErrorOf } from './errors.js';
export { currentTenant, type TenantScopes } from './scope.js';
export { DEFAULT_USER_VARIABLE, DEFAULT_VARIABLE } from './values.js';
