// node-postgres: a pool that sends nothing outside of a scope.

import type { Pool, PoolClient } from 'pg';
import { TenantError } from './errors.js';
import { Held } from './held.js';
import { type Acting, type Open, type TenantScopes, required, scopes } from './scope.js';
import { type VariableOptions, type Variables, variables } from './values.js';

/** Options of {@link tenantPool}. */
export type TenantPoolOptions = VariableOptions;

export interface PgScopeOptions {
  isolationLevel?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  /** After so many milliseconds without a statement the server ends the scope and its connection. */
  idleTimeout?: number;
}

/** A pool whose `query` and `connect` work within a scope only. */
export type TenantPool = Pool & TenantScopes<PoolClient, PgScopeOptions>;

const made = new WeakSet<object>();

/** Lets a pool of node-postgres send statements within a scope only. The application must use nothing but the result. */
export function tenantPool(pool: Pool, options: TenantPoolOptions = {}): TenantPool {
  const names = variables(options);
  const client = {};
  const scoped: object = {
    ...scopes(client, opener(pool, names), (held) => held.client()),
    query: async (...args: unknown[]) => required<Held>(client).held.query(args),
    connect: async (...args: unknown[]) => {
      if (args.length > 0) throw new TenantError('ROWFENCE_CALLBACK', 'connect takes no callback: await its promise');
      return required<Held>(client).held.client();
    },
  };
  const result: TenantPool = new Proxy(pool, {
    get(target, name) {
      if (Object.hasOwn(scoped, name)) return Reflect.get(scoped, name);
      const value: unknown = Reflect.get(target, name, target);
      // A class, such as Pool.Client, is not bound. What returns the pool itself, as on() does, returns this one.
      if (typeof value !== 'function' || name === 'constructor' || name === 'Client' || name === 'Promise') return value;
      return (...args: unknown[]): unknown => {
        const returned: unknown = value.apply(target, args);
        return returned === target ? result : returned;
      };
    },
  }) as TenantPool;
  made.add(result);
  return result;
}

/** Refuses a pool that sends statements outside of a scope. */
export function checkPool(pool: TenantPool): void {
  if (!made.has(pool)) throw new TenantError('ROWFENCE_POOL', 'this pool sends statements without a tenant: pass tenantPool(pool)');
}

function opener(pool: Pool, names: Variables): Open<Held, PgScopeOptions> {
  return async (acting, options, run) => {
    const client = await pool.connect();
    // Without a listener, a connection that breaks ends the process. The statement that notices it rejects.
    const ignore = () => {};
    client.on('error', ignore);
    const held = new Held(client);
    let broken: Error | undefined;
    try {
      await client.query(begin(options));
      await client.query(settings(names, acting, options));
      const result = await run(held);
      await held.commit();
      return result;
    } catch (error) {
      await held.rollback().catch((failed: Error) => {
        broken = failed;
      });
      throw error;
    } finally {
      client.removeListener('error', ignore);
      // A connection that cannot be rolled back is closed.
      client.release(broken);
    }
  };
}

function begin(options: PgScopeOptions | undefined): string {
  const level = options?.isolationLevel;
  const known = level === undefined || ['read committed', 'repeatable read', 'serializable'].includes(level);
  if (!known) throw new TenantError('ROWFENCE_OPTION', `${JSON.stringify(level)} is no isolation level`);
  return `BEGIN${level ? ` ISOLATION LEVEL ${level}` : ''}${options?.readOnly ? ' READ ONLY' : ''}`;
}

/** The settings of one transaction: `true` makes each local to it. */
function settings(names: Variables, { tenant, user }: Acting, options: PgScopeOptions | undefined): { text: string; values: string[] } {
  const wanted: [string, string][] = [[names.tenant, tenant]];
  if (user !== '') wanted.push([names.user, user]);
  if (options?.idleTimeout !== undefined) wanted.push(['idle_in_transaction_session_timeout', `${Math.ceil(options.idleTimeout)}ms`]);
  const each = wanted.map((_, at) => `pg_catalog.set_config($${2 * at + 1}, $${2 * at + 2}, true)`);
  return { text: `SELECT ${each.join(', ')}`, values: wanted.flat() };
}
