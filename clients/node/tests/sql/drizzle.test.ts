// Drizzle over a tenantPool.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eq, sql } from 'drizzle-orm';
import pg from 'pg';
import { TenantMissingError, TenantScopeError, tenantErrorOf } from 'rowfence';
import { tenantDrizzle } from 'rowfence/drizzle';
import { tenantPool } from 'rowfence/pg';
import { closeTruth, crowd, everythingOf, PLACES, rowsOf, truth } from './database.js';
import { projects, tasks } from './tables.js';

after(closeTruth);

const missing = (error: unknown) => tenantErrorOf(error) instanceof TenantMissingError;

for (const { name, url } of PLACES) {
  describe(`Drizzle ${name}`, () => {
    const raw = new pg.Pool({ connectionString: url, max: 5 });
    const db = tenantDrizzle(tenantPool(raw), { schema: { projects, tasks } });
    const tenants = () => db.selectDistinct({ tenant: projects.tenantId }).from(projects);
    after(() => raw.end());

    it('reads its own rows only', async () => {
      assert.deepEqual(await db.withTenant('tenant-1', tenants), [{ tenant: 'tenant-1' }]);
      assert.equal(await db.withTenant('tenant-2', (db) => db.$count(tasks)), 40);
      const found = await db.withTenant('tenant-1', (db) => db.query.projects.findMany());
      assert.equal(found.length, 20);
    });

    it('does not take undefined for every tenant', async () => {
      assert.deepEqual(await db.withTenant('tenant-1', async (db) => db.selectDistinct({ tenant: projects.tenantId }).from(projects).where(undefined)), [{ tenant: 'tenant-1' }]);
      await assert.rejects(db.withTenant(undefined as never, tenants), TenantMissingError);
    });

    it('does not reach a row of another tenant', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      await db.withTenant('tenant-1', async (db) => {
        assert.deepEqual(await db.select().from(tasks).where(eq(tasks.id, foreign.task)), []);
        assert.deepEqual(await db.update(tasks).set({ title: 'taken' }).where(eq(tasks.id, foreign.task)).returning(), []);
        assert.deepEqual(await db.delete(projects).where(eq(projects.id, foreign.project)).returning(), []);
        assert.equal((await db.execute(sql`SELECT FROM tasks WHERE id = ${foreign.task}`)).rowCount, 0);
      });
      await assert.rejects(db.withTenant('tenant-1', async (db) => db.insert(projects).values({ tenantId: 'tenant-2', name: 'planted' })));
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it('refuses a statement outside of a scope, also one that was built within', async () => {
      await assert.rejects(async () => db.select().from(projects), missing);
      await assert.rejects(async () => db.transaction(async () => {}), missing);
      let built: ReturnType<typeof tenants> | undefined;
      await db.withTenant('tenant-1', async () => {
        built = tenants();
      });
      await assert.rejects(async () => built, missing);
    });

    // A named one needs a pooler that knows prepared statements.
    it('runs a prepared statement for the tenant of each scope', async () => {
      const prepared = tenants().prepare('');
      const found = await crowd(20, (tenant) => db.withTenant(tenant, () => prepared.execute()));
      found.forEach((rows, index) => assert.deepEqual(rows, [{ tenant: `tenant-${(index * 7) % 10}` }]));
    });

    it('runs its transactions as savepoints', async () => {
      const insert = (tx: { insert: typeof db.insert }, name: string) => tx.insert(projects).values({ name, tenantId: 'tenant-7' });
      await db.withTenant('tenant-7', async (db) => {
        await db.transaction((tx) => insert(tx, 'kept by drizzle'));
        const failing = db.transaction(async (tx) => {
          await insert(tx, 'lost by drizzle');
          await insert(tx, 'kept by drizzle');
        });
        await assert.rejects(failing);
        const deeper = db.transaction(async (tx) => {
          await assert.rejects(tx.transaction((inner) => insert(inner, 'kept by drizzle')));
          await insert(tx, 'after a deeper one');
        });
        await deeper;
        await db.transaction(async () => {
          await assert.rejects(async () => db.select().from(projects), (error) => tenantErrorOf(error) instanceof TenantScopeError);
        });
      });
      const names = await truth("SELECT name FROM projects WHERE tenant_id = 'tenant-7' AND name ~ 'drizzle|deeper' ORDER BY id");
      assert.deepEqual(names, [{ name: 'kept by drizzle' }, { name: 'after a deeper one' }]);
      await truth("DELETE FROM projects WHERE tenant_id = 'tenant-7' AND name ~ 'drizzle|deeper'");
    });

    it('shows no foreign row to 200 scopes at once', async () => {
      const found = await crowd(200, (tenant) => db.withTenant(tenant, async () => [...(await tenants()), ...(await db.transaction((tx) => tx.selectDistinct({ tenant: tasks.tenantId }).from(tasks)))]));
      found.forEach((rows, index) => assert.deepEqual(rows, Array(2).fill({ tenant: `tenant-${(index * 7) % 10}` })));
    });

    it('refuses a pool that has no scopes', () => {
      assert.throws(() => tenantDrizzle(raw as never), /tenantPool/);
    });
  });
}
