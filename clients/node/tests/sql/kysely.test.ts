// Kysely over a tenantPool.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { TenantMissingError, TenantScopeError } from 'rowfence';
import { tenantKysely } from 'rowfence/kysely';
import { tenantPool } from 'rowfence/pg';
import { closeTruth, crowd, everythingOf, PLACES, rowsOf, truth } from './database.js';
import type { Tables } from './tables.js';

after(closeTruth);

for (const { name, url } of PLACES) {
  describe(`Kysely ${name}`, () => {
    const raw = new pg.Pool({ connectionString: url, max: 5 });
    const db = tenantKysely<Tables>(tenantPool(raw));
    const tenants = () => db.selectFrom('projects').select('tenant_id').distinct().execute();
    after(() => raw.end());

    it('reads its own rows only', async () => {
      assert.deepEqual(await db.withTenant('tenant-1', tenants), [{ tenant_id: 'tenant-1' }]);
      await assert.rejects(db.withTenant(undefined as never, tenants), TenantMissingError);
    });

    it('does not reach a row of another tenant', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      await db.withTenant('tenant-1', async (db) => {
        assert.deepEqual(await db.selectFrom('tasks').selectAll().where('id', '=', foreign.task).execute(), []);
        const updated = await db.updateTable('tasks').set({ title: 'taken' }).where('id', '=', foreign.task).executeTakeFirst();
        assert.equal(updated.numUpdatedRows, 0n);
        const deleted = await db.deleteFrom('projects').where('id', '=', foreign.project).executeTakeFirst();
        assert.equal(deleted.numDeletedRows, 0n);
        assert.deepEqual((await sql`SELECT FROM tasks WHERE id = ${foreign.task}`.execute(db)).rows, []);
      });
      await assert.rejects(db.withTenant('tenant-1', (db) => db.insertInto('projects').values({ tenant_id: 'tenant-2', name: 'planted' }).execute()));
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it('refuses a statement outside of a scope', async () => {
      await assert.rejects(tenants(), TenantMissingError);
      await assert.rejects(db.transaction().execute(async () => {}), TenantMissingError);
      await assert.rejects(db.withSchema('public').selectFrom('projects').selectAll().execute(), TenantMissingError);
    });

    it('runs its transactions as savepoints', async () => {
      const insert = (tx: typeof db | Parameters<Parameters<ReturnType<typeof db.transaction>['execute']>[0]>[0], name: string) => tx.insertInto('projects').values({ name }).execute();
      await db.withTenant('tenant-8', async () => {
        await db.transaction().execute((tx) => insert(tx, 'kept by kysely'));
        const failing = db.transaction().execute(async (tx) => {
          await insert(tx, 'lost by kysely');
          await insert(tx, 'kept by kysely');
        });
        await assert.rejects(failing, /duplicate key/);
        const controlled = await db.startTransaction().execute();
        await insert(controlled, 'lost by kysely');
        await controlled.rollback().execute();
        await assert.rejects(db.transaction().setIsolationLevel('serializable').execute(async () => {}), TenantScopeError);
        await db.transaction().execute(() => assert.rejects(tenants(), TenantScopeError));
      });
      assert.deepEqual(await truth("SELECT name FROM projects WHERE name ~ 'kysely' ORDER BY id"), [{ name: 'kept by kysely' }]);
      await truth("DELETE FROM projects WHERE name ~ 'kysely'");
    });

    it('shows no foreign row to 200 scopes at once', async () => {
      const found = await crowd(200, (tenant) => db.withTenant(tenant, async () => [...(await tenants()), ...(await db.transaction().execute((tx) => tx.selectFrom('tasks').select('tenant_id').distinct().execute()))]));
      found.forEach((rows, index) => assert.deepEqual(rows, Array(2).fill({ tenant_id: `tenant-${(index * 7) % 10}` })));
    });

    it('refuses a pool that has no scopes', () => {
      assert.throws(() => tenantKysely(raw as never), /tenantPool/);
    });
  });
}
