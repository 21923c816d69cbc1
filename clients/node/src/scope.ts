// The scope that the running code is in. It follows asynchronous calls, and ends with its transaction.

import { AsyncLocalStorage } from 'node:async_hooks';
import { TenantMismatchError, TenantMissingError } from './errors.js';
import { checkReason, tenantId, userId } from './values.js';

/** What each client of this package can do. `D` is what the function in the scope is given. */
export interface TenantScopes<D, O> {
  /**
   * Runs `fn` in one transaction that sees and writes this tenant's rows only. It is committed when `fn` has resolved, and rolled back
   * when it has rejected. Inside a scope of the same tenant it is a part of that scope.
   */
  withTenant<T>(tenantId: string, fn: (db: D) => Promise<T>, options?: O): Promise<T>;
  /** Runs `fn` in one transaction that has no tenant: for what happens before a tenant is known. The reason is for readers. */
  withoutTenant<T>(reason: string, fn: (db: D) => Promise<T>, options?: O): Promise<T>;
  /**
   * Runs `fn` in one transaction that has a user and no tenant: it sees this user's own memberships, where `[auth.memberships]` declares them.
   * Take the id from the session that was verified, never from the request.
   */
  forUser<T>(userId: string, fn: (db: D) => Promise<T>, options?: O): Promise<T>;
}

/** For whom a scope is. What is not set is the empty string. */
export interface Acting {
  readonly tenant: string;
  readonly user: string;
}

/** One open transaction of one client, and the tenant that is set in it. */
export interface Scope<H> {
  readonly client: object;
  readonly acting: Acting;
  readonly held: H;
  readonly outer: Scope<unknown> | undefined;
  /** How many nested transactions the code is in. */
  readonly depth: number;
  readonly state: { open: boolean };
}

const storage = new AsyncLocalStorage<Scope<unknown>>();

/** The tenant of the scope that the caller is in, or `undefined`. */
export function currentTenant(): string | undefined {
  const scope = storage.getStore();
  return scope?.state.open && scope.acting.tenant !== '' ? scope.acting.tenant : undefined;
}

/** The scope of this client that the caller is in, or `undefined`. */
export function innermost<H>(client: object): Scope<H> | undefined {
  for (let scope = storage.getStore(); scope; scope = scope.outer) {
    if (scope.client === client) return scope as Scope<H>;
  }
  return undefined;
}

/** The open scope of this client that the caller is in, or else a {@link TenantMissingError}. */
export function required<H>(client: object): Scope<H> {
  const scope = innermost<H>(client);
  if (!scope) {
    throw new TenantMissingError('a statement outside of a scope: call it within withTenant(tenantId, …), or within withoutTenant(reason, …)');
  }
  if (!scope.state.open) {
    throw new TenantMissingError('a statement after the end of its scope: await everything that is begun within withTenant');
  }
  return scope;
}

/** Runs `fn` in a scope. */
export function inScope<T>(scope: Scope<unknown>, fn: () => Promise<T>): Promise<T> {
  return storage.run(scope, async () => fn());
}

/** Opens the transaction of a scope, runs what it is given in it, and ends it. */
export type Open<H, O> = <T>(acting: Acting, options: O | undefined, run: (held: H) => Promise<T>) => Promise<T>;

/** `withTenant` and the others of one client, for its way to open a transaction. */
export function scopes<D, H, O>(client: object, open: Open<H, O>, handed: (held: H) => D): TenantScopes<D, O> {
  async function enter<T>(acting: Acting, fn: (db: D) => Promise<T>, options: O | undefined): Promise<T> {
    const outer = storage.getStore();
    refuseAnother(outer, acting);
    const joined = innermost<H>(client);
    if (joined?.state.open) return fn(handed(joined.held));
    return open(acting, options, async (held) => {
      const scope: Scope<H> = { client, acting, held, outer, depth: 0, state: { open: true } };
      try {
        return await inScope(scope, () => fn(handed(held)));
      } finally {
        scope.state.open = false;
      }
    });
  }
  return {
    withTenant: async (id, fn, options) => enter({ tenant: tenantId(id), user: '' }, fn, options),
    withoutTenant: async (reason, fn, options) => {
      checkReason(reason);
      return enter({ tenant: '', user: '' }, fn, options);
    },
    forUser: async (id, fn, options) => enter({ tenant: '', user: userId(id) }, fn, options),
  };
}

function refuseAnother(outer: Scope<unknown> | undefined, acting: Acting): void {
  for (let scope = outer; scope; scope = scope.outer) {
    const { tenant, user } = scope.acting;
    if (scope.state.open && (tenant !== acting.tenant || user !== acting.user)) {
      throw new TenantMismatchError(`a scope of ${named(acting)} within one of ${named(scope.acting)}: end the outer scope first`);
    }
  }
}

function named({ tenant, user }: Acting): string {
  if (user !== '') return `user ${JSON.stringify(user)}`;
  return tenant === '' ? 'no tenant' : `tenant ${JSON.stringify(tenant)}`;
}
