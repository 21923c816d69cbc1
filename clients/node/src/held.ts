// The connection of one scope of node-postgres: statements one after the other, transactions as savepoints, nothing after the end.

import type { PoolClient, QueryResult } from 'pg';
import { type Control, controlOf } from './control.js';
import { TenantMissingError, TenantScopeError } from './errors.js';

/** Members of a client that send nothing. */
const HARMLESS = new Set<PropertyKey>(['processID', 'escapeIdentifier', 'escapeLiteral', 'getTypeParser']);

const SAVEPOINT = 'rowfence_nested';

/** Who sends a statement: one for each `connect()`. */
interface Sender {
  /** Whether its transaction ended by an error; then the ROLLBACK that follows has nothing to do. */
  failed: boolean;
}

export class Held {
  readonly #client: PoolClient;
  #last: Promise<unknown> = Promise.resolve();
  #open = true;
  /** Whose transaction is open. */
  #nested: Sender | undefined;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Sends one statement. */
  async query(args: unknown[], sender?: Sender): Promise<QueryResult> {
    const text = textOf(args);
    if (!this.#open) {
      throw new TenantMissingError('a statement after the end of its scope: await everything that is begun within withTenant');
    }
    const control = controlOf(text);
    if (this.#nested !== undefined && this.#nested !== sender) {
      throw new TenantScopeError(
        'a statement beside an open transaction of the same scope: send it through the handle of that transaction, or await the transaction first',
      );
    }
    return control === undefined ? this.#send(args) : this.#control(control, sender);
  }

  /** What `connect()` gives within the scope. */
  client(): PoolClient {
    const sender: Sender = { failed: false };
    const query = (...args: unknown[]) => this.query(args, sender);
    // The connection is given back at the end of the scope.
    const release = () => {};
    return new Proxy(this.#client, {
      get: (target, name) => {
        if (name === 'query') return query;
        if (name === 'release') return release;
        if (!HARMLESS.has(name)) return undefined;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Takes no more statements, and commits. */
  async commit(): Promise<void> {
    await this.#finish();
    if (this.#nested !== undefined) {
      throw new TenantScopeError('the scope ended while a transaction within it was open, and was rolled back');
    }
    const { command } = await this.#client.query('COMMIT');
    // The server answers so where a statement failed before, whoever caught its error.
    if (command === 'ROLLBACK') {
      throw new TenantScopeError('a statement of the scope had failed, so the server rolled the scope back: do not catch its error within the scope');
    }
  }

  /** Takes no more statements, and rolls back. */
  async rollback(): Promise<void> {
    await this.#finish();
    await this.#client.query('ROLLBACK');
  }

  async #finish(): Promise<void> {
    this.#open = false;
    await this.#last;
  }

  #send(args: unknown[]): Promise<QueryResult> {
    const send = this.#client.query.bind(this.#client) as (...args: unknown[]) => Promise<QueryResult>;
    const answer = this.#last.then(() => send(...args));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async #control(control: Control, sender: Sender | undefined): Promise<QueryResult> {
    if (sender === undefined) {
      throw new TenantScopeError(`${control.toUpperCase()} through a pool: take a client with connect() for a transaction within the scope`);
    }
    if (control === 'begin') return this.#begin(sender);
    if (this.#nested === sender) return this.#end(control, sender);
    if (control === 'rollback' && sender.failed) {
      sender.failed = false;
      return this.#send(['SELECT']);
    }
    throw new TenantScopeError(`${control.toUpperCase()} would end the scope: return from its function, or throw`);
  }

  async #begin(sender: Sender): Promise<QueryResult> {
    if (this.#nested === sender) throw new TenantScopeError('BEGIN within a transaction');
    this.#nested = sender;
    sender.failed = false;
    try {
      return await this.#send([`SAVEPOINT ${SAVEPOINT}`]);
    } catch (error) {
      this.#nested = undefined;
      sender.failed = true;
      throw error;
    }
  }

  async #end(control: Control, sender: Sender): Promise<QueryResult> {
    try {
      if (control === 'rollback') await this.#send([`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`]);
      return await this.#send([`RELEASE SAVEPOINT ${SAVEPOINT}`]);
    } catch (error) {
      sender.failed = true;
      // As COMMIT does after a failed statement; but not without a word.
      if (control === 'commit') await this.#send([`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`]);
      throw error;
    } finally {
      this.#nested = undefined;
    }
  }
}

/** The text of a statement; what is sent in another way than by a promise is refused. */
function textOf(args: unknown[]): string {
  const [first] = args;
  if (args.some((argument) => typeof argument === 'function')) {
    throw new TenantScopeError('a scope takes no callbacks: await the promise of the statement');
  }
  if (typeof first === 'string') return first;
  const config = first as { text?: unknown; submit?: unknown } | undefined;
  if (typeof config?.submit === 'function' || typeof config?.text !== 'string') {
    throw new TenantScopeError('a scope takes no cursors and streams: they could be read after its end');
  }
  return config.text;
}
