// node-postgres through tenantPool.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import pg from 'pg';
import { currentTenant, forEachTenant, TenantJobError, TenantMismatchError, TenantMissingError, TenantScopeError } from 'rowfence';
import { tenantPool } from 'rowfence/pg';
import { closeTruth, crowd, everythingOf, PLACES, rowsOf, sessions, truth } from './database.js';

const count = async (db: { query: pg.Pool['query'] }) => (await db.query<{ n: number }>('SELECT count(*)::int AS n FROM projects')).rows[0]!.n;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

after(closeTruth);

for (const { name, url } of PLACES) {
  describe(`node-postgres ${name}`, () => {
    const raw = new pg.Pool({ connectionString: url, max: 5 });
    const pool = tenantPool(raw);
    after(() => raw.end());

    it('reads its own rows only', async () => {
      const rows = await pool.withTenant('tenant-1', async () => (await pool.query('SELECT DISTINCT tenant_id FROM projects')).rows);
      assert.deepEqual(rows, [{ tenant_id: 'tenant-1' }]);
      assert.equal(await pool.withTenant('tenant-2', (client) => count(client)), 20);
      assert.equal(await pool.withTenant('no such tenant', (client) => count(client)), 0);
    });

    it('does not reach a row of another tenant by any statement', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      await pool.withTenant('tenant-1', async (client) => {
        assert.equal((await client.query('SELECT FROM tasks WHERE id = $1', [foreign.task])).rowCount, 0);
        assert.equal((await client.query("UPDATE tasks SET title = 'taken' WHERE id = $1", [foreign.task])).rowCount, 0);
        assert.equal((await client.query('DELETE FROM projects WHERE id = $1', [foreign.project])).rowCount, 0);
      });
      const insert = pool.withTenant('tenant-1', (client) => client.query("INSERT INTO projects (tenant_id, name) VALUES ('tenant-2', 'planted')"));
      await assert.rejects(insert, /row-level security/);
      const move = pool.withTenant('tenant-1', (client) => client.query("UPDATE projects SET tenant_id = 'tenant-2'"));
      await assert.rejects(move, /row-level security/);
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it('runs a job for one tenant after the other, and tells of each that failed', async () => {
      const tenants = async () => (await pool.withoutTenant('the job reads the tenants', (client) => client.query<{ id: string }>('SELECT id FROM tenants ORDER BY id'))).rows.map((row) => row.id);
      const counted = await forEachTenant(pool, await tenants(), (client) => count(client));
      assert.equal(counted.size, 10);
      assert.deepEqual(new Set(counted.values()), new Set([20]));
      const before = await everythingOf('tenant-1');
      const failed = forEachTenant(pool, ['tenant-0', 'tenant-1', 'tenant-2', 'tenant-1'], async (client, tenant) => {
        assert.equal(currentTenant(), tenant);
        await client.query("INSERT INTO projects (name) VALUES ('by a job')");
        if (tenant === 'tenant-1') throw new Error('no mail server');
      });
      await assert.rejects(failed, (error) => {
        assert.ok(error instanceof TenantJobError && error.code === 'ROWFENCE_TENANT_JOB');
        assert.deepEqual([...error.failures.keys()], ['tenant-1']);
        assert.equal(error.succeeded, 2);
        assert.match(error.message, /1 of 3 tenants; first for "tenant-1": no mail server/);
        return true;
      });
      assert.equal(await everythingOf('tenant-1'), before);
      const written = await truth<{ tenant_id: string }>("DELETE FROM projects WHERE name = 'by a job' RETURNING tenant_id");
      assert.deepEqual(new Set(written.map((row) => row.tenant_id)), new Set(['tenant-0', 'tenant-2']));
      await assert.rejects(forEachTenant(pool, [], (client) => count(client)), TenantMissingError);
      await assert.rejects(forEachTenant(pool, [undefined as unknown as string], (client) => count(client)), TenantMissingError);
    });

    it("reads a user's own memberships before a tenant is chosen, and nothing else", async () => {
      const memberships = 'SELECT tenant_id FROM memberships ORDER BY id';
      const read = async (client: pg.PoolClient) => (await client.query<{ tenant_id: string }>(memberships)).rows.map((row) => row.tenant_id);
      assert.deepEqual(await pool.forUser('ada', read), ['tenant-1', 'tenant-2']);
      assert.deepEqual(await pool.forUser('bob', read), ['tenant-2']);
      assert.deepEqual(await pool.forUser('nobody', read), []);
      assert.equal(await pool.forUser('ada', (client) => count(client)), 0);
      assert.equal(await pool.forUser('ada', async () => currentTenant()), undefined);
      assert.deepEqual(await pool.withTenant('tenant-1', read), ['tenant-1'], 'nothing is left of the user on the connection');
      assert.deepEqual(await pool.withoutTenant('a test', read), []);
      for (const id of [undefined, '', 'undefined', 7]) await assert.rejects(pool.forUser(id as string, read), TenantMissingError);
      await assert.rejects(pool.forUser('ada', () => pool.forUser('bob', read)), TenantMismatchError);
      await assert.rejects(pool.forUser('ada', () => pool.withTenant('tenant-1', read)), TenantMismatchError);
      await assert.rejects(pool.withTenant('tenant-1', () => pool.forUser('ada', read)), TenantMismatchError);
      assert.throws(() => tenantPool(raw, { userVariable: 'APP.current_tenant_id' }), /both the tenant and the user/);
    });

    it('refuses every statement outside of a scope', async () => {
      await assert.rejects(pool.query('SELECT 1'), TenantMissingError);
      await assert.rejects(pool.connect(), TenantMissingError);
      assert.equal(currentTenant(), undefined);
    });

    it('refuses a tenant that is missing, and what is no id', async () => {
      const values: unknown[] = [undefined, null, '', '  ', 0, 7, {}, [], ['tenant-1'], true, 'undefined', 'null', `${{}}`];
      for (const value of values) {
        let ran = false;
        const scope = pool.withTenant(value as string, async () => {
          ran = true;
        });
        await assert.rejects(scope, TenantMissingError, String(value));
        assert.equal(ran, false);
      }
      for (const reason of [undefined, '', ' ']) await assert.rejects(pool.withoutTenant(reason as string, async () => {}), TenantMissingError);
    });

    it('reads no row of a tenant without a tenant, and shared tables', async () => {
      const found = await pool.withoutTenant('sign-in: the user is not known yet', async (client) => {
        assert.equal(currentTenant(), undefined);
        const tenants = (await client.query('SELECT FROM tenants')).rowCount;
        return [await count(client), tenants];
      });
      assert.deepEqual(found, [0, 10]);
    });

    it('joins a scope of the same tenant and refuses one of another', async () => {
      await pool.withTenant('tenant-1', async () => {
        const pid = async () => (await pool.query('SELECT pg_backend_pid() AS pid, pg_current_xact_id() AS id')).rows;
        assert.deepEqual(await pool.withTenant('tenant-1', pid), await pid());
        assert.equal(currentTenant(), 'tenant-1');
        await assert.rejects(pool.withTenant('tenant-2', async () => {}), TenantMismatchError);
        await assert.rejects(pool.withoutTenant('a look elsewhere', async () => {}), TenantMismatchError);
      });
      const within = pool.withoutTenant('sign-in', () => pool.withTenant('tenant-1', async () => {}));
      await assert.rejects(within, TenantMismatchError);
    });

    it('refuses another tenant on another client, too', async () => {
      const other = tenantPool(raw);
      await pool.withTenant('tenant-1', async () => {
        await assert.rejects(other.query('SELECT 1'), TenantMissingError);
        await assert.rejects(other.withTenant('tenant-2', async () => {}), TenantMismatchError);
        assert.equal(await other.withTenant('tenant-1', (client) => count(client)), 20);
      });
    });

    it('keeps nothing of a scope that throws', async () => {
      const scope = pool.withTenant('tenant-3', async (client) => {
        await client.query("INSERT INTO projects (name) VALUES ('of a scope that throws')");
        throw new Error('changed my mind');
      });
      await assert.rejects(scope, /changed my mind/);
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'of a scope that throws'"), []);
    });

    it('does not call a scope done whose statement failed and was caught', async () => {
      const scope = pool.withTenant('tenant-3', async (client) => {
        await client.query("INSERT INTO projects (name) VALUES ('lost without a word')");
        await client.query("INSERT INTO projects (name) VALUES ('project 1')").catch(() => {});
      });
      await assert.rejects(scope, TenantScopeError);
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'lost without a word'"), []);
    });

    it('runs a transaction within a scope as a savepoint', async () => {
      const insert = "INSERT INTO projects (name) VALUES ($1)";
      await pool.withTenant('tenant-4', async (first) => {
        await first.query(insert, ['of the scope']);
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query(insert, ['rolled back']);
        await assert.rejects(first.query('SELECT 1'), TenantScopeError);
        await assert.rejects(pool.query('SELECT 1'), TenantScopeError);
        await assert.rejects(client.query(insert, ['of the scope']), /duplicate key/);
        await client.query('ROLLBACK');
        await client.query('BEGIN');
        await client.query(insert, ['kept']);
        await client.query('COMMIT');
        client.release();
      });
      const names = await truth("SELECT name FROM projects WHERE tenant_id = 'tenant-4' AND name !~ '^project' ORDER BY id");
      assert.deepEqual(names, [{ name: 'of the scope' }, { name: 'kept' }]);
      await truth("DELETE FROM projects WHERE tenant_id = 'tenant-4' AND name !~ '^project'");
    });

    it('does not let a statement end the scope', async () => {
      for (const text of ['COMMIT', ' commit;', '/* now */ COMMIT', '-- now\nEND', 'ROLLBACK', 'ABORT', "PREPARE TRANSACTION 'x'", 'BEGIN ISOLATION LEVEL SERIALIZABLE']) {
        await pool.withTenant('tenant-1', async (client) => {
          await assert.rejects(client.query(text), TenantScopeError, text);
          await assert.rejects(pool.query(text), TenantScopeError, text);
        });
      }
    });

    it('gives a scope its isolation level', async () => {
      const settings = "SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS read_only";
      const options = { isolationLevel: 'serializable', readOnly: true } as const;
      const found = await pool.withTenant('tenant-1', async (client) => (await client.query(settings)).rows, options);
      assert.deepEqual(found, [{ level: 'serializable', read_only: 'on' }]);
    });

    it('finishes what was begun and not awaited within its own scope', async () => {
      let floating: Promise<pg.QueryResult>[] = [];
      await pool.withTenant('tenant-5', async (client) => {
        const text = "SELECT pg_sleep(0.05), current_setting('app.current_tenant_id') AS tenant, pg_current_xact_id()::text AS id";
        floating = [client.query(text), client.query(text), pool.query(text)];
      });
      const rows = (await Promise.all(floating)).map((result) => result.rows[0]);
      assert.deepEqual(rows.map((row) => row.tenant), ['tenant-5', 'tenant-5', 'tenant-5']);
      assert.equal(new Set(rows.map((row) => row.id)).size, 1);
    });

    it('does not call a scope done in which something failed that was not awaited', async () => {
      const scope = pool.withTenant('tenant-5', async (client) => {
        client.query('SELECT pg_sleep(0.05)').catch(() => {});
        client.query('SELECT 1 / 0').catch(() => {});
      });
      await assert.rejects(scope, TenantScopeError);
    });

    it('refuses a statement after the end of its scope', async () => {
      let kept: pg.PoolClient | undefined;
      let late: Promise<unknown> | undefined;
      await pool.withTenant('tenant-5', async (client) => {
        kept = client;
        late = pause(50).then(() => pool.query('SELECT 1'));
        late.catch(() => {});
      });
      await assert.rejects(late!, TenantMissingError);
      await assert.rejects(kept!.query('SELECT 1'), TenantMissingError);
      await pool.withTenant('tenant-6', () => assert.rejects(kept!.query('SELECT 1'), TenantMissingError));
    });

    it('ends by itself when its caller has stopped waiting', async () => {
      const scope = pool.withTenant('tenant-5', async (client) => {
        await client.query('SELECT pg_sleep(0.2)');
        return count(client);
      });
      assert.equal(await Promise.race([scope, pause(20).then(() => 'abandoned')]), 'abandoned');
      assert.deepEqual(await crowd(20, (tenant) => pool.withTenant(tenant, async (client) => (await client.query('SELECT DISTINCT tenant_id FROM tasks')).rows[0].tenant_id)), Array.from({ length: 20 }, (_, index) => `tenant-${(index * 7) % 10}`));
      assert.equal(await scope, 20);
    });

    it('is ended by the server when it waits for ever, and its connection is not used again', async () => {
      const alone = new pg.Pool({ connectionString: url, max: 1 });
      alone.on('error', () => {});
      const scoped = tenantPool(alone);
      const scope = scoped.withTenant(
        'tenant-5',
        async (client) => {
          await client.query("INSERT INTO projects (name) VALUES ('of a scope that waits')");
          await pause(600);
          await client.query('SELECT 1');
        },
        { idleTimeout: 100 },
      );
      await assert.rejects(scope);
      assert.equal(await scoped.withTenant('tenant-6', async (client) => (await client.query("SELECT FROM projects WHERE name ~ '^project'")).rowCount), 20);
      await alone.end();
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'of a scope that waits'"), []);
    });

    it('works with one connection', async () => {
      const alone = new pg.Pool({ connectionString: url, max: 1 });
      const scoped = tenantPool(alone);
      const found = await crowd(20, (tenant) =>
        scoped.withTenant(tenant, () => scoped.withTenant(tenant, async () => Promise.all([1, 2, 3].map(async () => (await scoped.query('SELECT DISTINCT tenant_id FROM tasks')).rows[0].tenant_id)))),
      );
      assert.deepEqual(found, Array.from({ length: 20 }, (_, index) => Array(3).fill(`tenant-${(index * 7) % 10}`)));
      await alone.end();
    });

    it('refuses cursors and callbacks', async () => {
      await pool.withTenant('tenant-1', async (client) => {
        await assert.rejects(client.query({ submit() {} } as never), TenantScopeError);
        await assert.rejects((client.query as (...args: unknown[]) => Promise<unknown>)('SELECT 1', () => {}), TenantScopeError);
      });
    });

    it('keeps the guard when pool methods return the pool', async () => {
      await assert.rejects(pool.on('remove', () => {}).query('SELECT 1'), TenantMissingError);
      assert.ok(pool instanceof pg.Pool);
    });

    it('shows no foreign row to 200 scopes at once, and leaves no tenant in any session', async () => {
      const many = new pg.Pool({ connectionString: url, max: name === 'directly' ? 5 : 20 });
      const scoped = tenantPool(many);
      const used = new Set<number>();
      await crowd(200, async (tenant, index) => {
        const work = scoped.withTenant(tenant, async (client) => {
          const { rows } = await client.query('SELECT DISTINCT tenant_id, pg_backend_pid() AS pid FROM projects');
          await pause(index % 5);
          const again = await scoped.query("SELECT DISTINCT tenant_id, pg_backend_pid() AS pid FROM tasks");
          assert.deepEqual(again.rows, rows);
          assert.deepEqual(rows.map((row) => row.tenant_id), [tenant]);
          used.add(rows[0].pid);
          if (index % 10 === 3) throw new Error('on purpose');
          if (index % 10 === 6) await client.query('SELECT 1 / 0');
        });
        if (index % 10 === 3 || index % 10 === 6) await assert.rejects(work, /on purpose|division by zero/);
        else await work;
      });
      if (name === 'directly') {
        const clients = await Promise.all(Array.from({ length: 5 }, () => many.connect()));
        for (const client of clients) {
          const { rows } = await client.query("SELECT pg_backend_pid() AS pid, current_setting('app.current_tenant_id', true) AS tenant");
          assert.ok(used.has(rows[0].pid));
          assert.equal(rows[0].tenant, '');
          client.release();
        }
      } else {
        const found = await sessions(url, 5);
        assert.equal(new Set(found.map(({ pid }) => pid)).size, 5);
        for (const { pid, tenant } of found) assert.ok(used.has(pid) ? tenant === '' : !tenant, `${pid}: ${tenant}`);
        assert.ok(found.some(({ pid }) => used.has(pid)));
      }
      await many.end();
    });
  });
}
