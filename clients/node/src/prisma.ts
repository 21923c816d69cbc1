// Prisma: a client whose models, raw statements and transactions work within a scope only, all in the scope's transaction.

import { TenantError, TenantScopeError } from './errors.js';
import { innermost, inScope, type Open, required, type Scope, scopes, type TenantScopes } from './scope.js';
import { type VariableOptions, type Variables, variables } from './values.js';

/** The part of a transaction that this file itself uses. */
interface Transaction {
  $queryRaw(text: TemplateStringsArray, ...values: unknown[]): PromiseLike<unknown>;
  $executeRawUnsafe(text: string): PromiseLike<unknown>;
}

/** The part of a client that this file itself uses; any client of Prisma has it. */
interface Client {
  $transaction<T>(run: (tx: Transaction) => Promise<T>, options?: PrismaScopeOptions): Promise<T>;
}

/** Options of Prisma's interactive transactions. */
export interface PrismaScopeOptions {
  /** How many milliseconds a scope waits for a connection; Prisma's default is 2000. */
  maxWait?: number;
  /** After how many milliseconds Prisma rolls a scope back; its default is 5000. */
  timeout?: number;
  isolationLevel?: 'ReadUncommitted' | 'ReadCommitted' | 'RepeatableRead' | 'Serializable';
}

export interface TenantPrismaOptions extends VariableOptions {
  /** What holds for each scope that gives no options of its own. */
  scope?: PrismaScopeOptions;
}

/** A client that sends statements within a scope only. */
export type TenantPrisma<C> = C & TenantScopes<C, PrismaScopeOptions>;

/** The transaction of one scope. */
interface Held {
  readonly tx: Transaction;
  readonly running: Set<Promise<unknown>>;
  failed: boolean;
  /** How many nested transactions are open. */
  depth: number;
}

/** Members of a client that send no statement about rows. */
const WITHOUT_SCOPE = new Set<PropertyKey>(['$connect', '$disconnect', '$on', 'then', 'constructor', 'toString', 'toJSON']);

/** Members that would give a client without scopes. */
const REFUSED = new Set<PropertyKey>(['$extends', '$parent', '$use']);

/** Lets a client of Prisma send statements within a scope only. Extend the client before; the application must use nothing but the result. */
export function tenantPrisma<C extends { $transaction: unknown; $extends: unknown }>(client: C, options: TenantPrismaOptions = {}): TenantPrisma<C> {
  const names = variables(options);
  const key = {};
  const open = opener(observed(client, key), names, options.scope);
  const result: TenantPrisma<C> = new Proxy(client, {
    get(target, name) {
      if (Object.hasOwn(added, name)) return Reflect.get(added, name);
      if (REFUSED.has(name)) throw new TenantError('ROWFENCE_CLIENT', `${String(name)} would give a client without scopes: call it before tenantPrisma`);
      if (typeof name === 'symbol' || WITHOUT_SCOPE.has(name)) return ofClient(target, name);
      const scope = current(key);
      if (name === '$transaction') return transaction(scope, result);
      return bound(scope.held.tx, name);
    },
  }) as TenantPrisma<C>;
  const added: TenantScopes<C, PrismaScopeOptions> = scopes(key, open, () => result);
  return result;
}

/** The client, which records what is running and what has failed in the scope that it is called in. */
function observed(client: { $extends: unknown }, key: object): Client {
  const extension = {
    query: {
      $allOperations({ args, query }: { args: unknown; query: (args: unknown) => Promise<unknown> }): Promise<unknown> {
        const scope = innermost<Held>(key);
        if (!scope?.state.open) return query(args);
        const { held } = scope;
        const running = query(args);
        const noted = running.then(
          () => {},
          () => {
            held.failed = true;
          },
        );
        held.running.add(noted);
        void noted.finally(() => held.running.delete(noted));
        return running;
      },
    },
  };
  return (client.$extends as (extension: unknown) => Client).call(client, extension);
}

function opener(client: Client, names: Variables, defaults: PrismaScopeOptions | undefined): Open<Held, PrismaScopeOptions> {
  return ({ tenant, user }, options, run) =>
    client.$transaction(
      async (tx) => {
        if (user === '') await tx.$queryRaw`SELECT pg_catalog.set_config(${names.tenant}, ${tenant}, true)`;
        else await tx.$queryRaw`SELECT pg_catalog.set_config(${names.tenant}, ${tenant}, true), pg_catalog.set_config(${names.user}, ${user}, true)`;
        const held: Held = { tx, running: new Set(), failed: false, depth: 0 };
        const result = await run(held);
        await Promise.all(held.running);
        if (held.failed) await refuseAborted(tx);
        return result;
      },
      { ...defaults, ...options },
    );
}

/** COMMIT after a failed statement rolls back, and the server does not call that an error. */
async function refuseAborted(tx: Transaction): Promise<void> {
  try {
    await tx.$queryRaw`SELECT 1`;
  } catch (cause) {
    const why = 'a statement of the scope had failed, so the server rolled the scope back: catch its error outside of the scope, or around a nested $transaction';
    throw new TenantScopeError(why, { cause });
  }
}

/** The scope that the caller is in, which must be in the innermost open transaction. */
function current(key: object): Scope<Held> {
  const scope = required<Held>(key);
  if (scope.depth !== scope.held.depth) {
    throw new TenantScopeError('a statement beside an open $transaction of the same scope: await the transaction first, or send it within');
  }
  return scope;
}

/** `$transaction` within a scope: a savepoint around its function, or around its statements one after the other. */
function transaction(scope: Scope<Held>, db: unknown) {
  return async (work: unknown, options?: PrismaScopeOptions): Promise<unknown> => {
    if (options?.isolationLevel !== undefined) {
      throw new TenantScopeError('a transaction within a scope is a savepoint and has no isolation level of its own: give it to withTenant');
    }
    if (typeof work === 'function') return nested(scope, async () => work(db));
    return nested(scope, async () => {
      const results = [];
      for (const statement of work as PromiseLike<unknown>[]) results.push(await statement);
      return results;
    });
  };
}

async function nested<T>(scope: Scope<Held>, work: () => Promise<T>): Promise<T> {
  const { held } = scope;
  const depth = scope.depth + 1;
  const savepoint = `rowfence_${depth}`;
  held.depth = depth;
  try {
    await held.tx.$executeRawUnsafe(`SAVEPOINT ${savepoint}`);
    try {
      const result = await inScope({ ...scope, depth }, work);
      await held.tx.$executeRawUnsafe(`RELEASE SAVEPOINT ${savepoint}`);
      return result;
    } catch (error) {
      await held.tx.$executeRawUnsafe(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      throw error;
    }
  } finally {
    held.depth = depth - 1;
  }
}

function ofClient(client: object, name: PropertyKey): unknown {
  const value: unknown = Reflect.get(client, name, client);
  return typeof value === 'function' && name !== 'constructor' ? value.bind(client) : value;
}

function bound(tx: object, name: PropertyKey): unknown {
  const value: unknown = Reflect.get(tx, name, tx);
  return typeof value === 'function' ? value.bind(tx) : value;
}
