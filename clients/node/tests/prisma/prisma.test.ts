// Prisma through tenantPrisma. The same tests run with each major version of Prisma.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { currentTenant, forEachTenant, TenantError, TenantMismatchError, TenantMissingError, TenantScopeError } from 'rowfence';
import { tenantPrisma } from 'rowfence/prisma';
import { closeTruth, crowd, everythingOf, PLACES, rowsOf, sessions, truth } from './database.js';
import { Prisma, PrismaClient } from './generated/client.js';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A client over so many connections. A scope waits longer for one than by default, as these tests begin many at once. */
function connected(url: string, max: number) {
  const base = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max }) });
  return { base, db: tenantPrisma(base, { scope: { maxWait: 20_000, timeout: 20_000 } }) };
}

after(closeTruth);

for (const { name, url } of PLACES) {
  describe(`Prisma ${name}`, () => {
    const { base, db } = connected(url, 5);
    const tenants = async () => (await db.project.findMany({ distinct: ['tenantId'] })).map((project) => project.tenantId);
    after(() => base.$disconnect());

    it('reads its own rows only', async () => {
      assert.deepEqual(await db.withTenant('tenant-1', tenants), ['tenant-1']);
      assert.equal(await db.withTenant('tenant-2', (db) => db.task.count()), 40);
      const found = await db.withTenant('tenant-1', (db) => db.tenant.findMany({ include: { projects: true }, orderBy: { id: 'asc' } }));
      assert.deepEqual(found.map(({ projects }) => projects.length), [0, 20, 0, 0, 0, 0, 0, 0, 0, 0]);
    });

    it('does not take undefined for every tenant', async () => {
      const nobody = undefined as unknown as string;
      await assert.rejects(db.withTenant(nobody, tenants), TenantMissingError);
      await db.withTenant('tenant-1', async () => {
        const where = { tenantId: nobody };
        assert.equal(await db.project.count({ where }), 20);
        assert.deepEqual(new Set((await db.task.findMany({ where })).map((task) => task.tenantId)), new Set(['tenant-1']));
      });
      const before = await everythingOf('tenant-2');
      const undone = db.withTenant('tenant-1', async () => {
        assert.equal((await db.task.deleteMany({ where: { tenantId: nobody } })).count, 40);
        throw new Error('undone');
      });
      await assert.rejects(undone, /undone/);
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it('does not reach a row of another tenant by reading or writing', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      const where = { id: foreign.task };
      await db.withTenant('tenant-1', async () => {
        assert.equal(await db.task.findUnique({ where }), null);
        assert.equal(await db.project.findUnique({ where: { tenantId_name: { tenantId: 'tenant-2', name: 'project 1' } } }), null);
        assert.equal((await db.task.updateMany({ where, data: { title: 'taken' } })).count, 0);
        assert.equal((await db.task.deleteMany({ where })).count, 0);
        // Prisma says that there is no such row. The server has refused nothing, so the scope goes on.
        await assert.rejects(db.task.update({ where, data: { title: 'taken' } }), { code: 'P2025' });
        await assert.rejects(db.task.delete({ where }), { code: 'P2025' });
        assert.equal(await db.task.count(), 40);
      });
      const writes: (() => Promise<unknown>)[] = [
        () => db.project.create({ data: { tenantId: 'tenant-2', name: 'planted' } }),
        () => db.project.createMany({ data: [{ tenantId: 'tenant-2', name: 'planted' }] }),
        () => db.project.updateMany({ data: { tenantId: 'tenant-2' } }),
        () => db.task.upsert({ where, create: { tenantId: 'tenant-2', projectId: foreign.project, title: 'planted' }, update: { title: 'taken' } }),
      ];
      for (const write of writes) {
        await assert.rejects(db.withTenant('tenant-1', write), /row-level security|policy/);
      }
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it('does not reach a row of another tenant by nested writes', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      const own = await rowsOf('tenant-1');
      const where = { id: own.project };
      for (const tasks of [
        { connect: { id: foreign.task } },
        { update: { where: { id: foreign.task }, data: { title: 'taken' } } },
        { delete: { id: foreign.task } },
        { create: { tenantId: 'tenant-2', title: 'planted' } },
        { connectOrCreate: { where: { id: foreign.task }, create: { tenantId: 'tenant-2', title: 'planted' } } },
      ]) {
        await assert.rejects(db.withTenant('tenant-1', () => db.project.update({ where, data: { tasks } })), JSON.stringify(tasks));
      }
      await db.withTenant('tenant-1', async () => {
        await db.project.update({ where, data: { tasks: { deleteMany: {}, updateMany: { where: {}, data: { title: 'mine' } } } } });
        const made = await db.project.create({ data: { name: 'nested', tasks: { create: [{ title: 'a' }, { title: 'b' }] } }, include: { tasks: true } });
        assert.deepEqual([made.tenantId, ...made.tasks.map((task) => task.tenantId)], ['tenant-1', 'tenant-1', 'tenant-1']);
        await db.project.delete({ where: { id: made.id } });
      });
      assert.equal(await everythingOf('tenant-2'), before);
      await truth("INSERT INTO tasks (tenant_id, project_id, title) VALUES ('tenant-1', $1, 'task 1'), ('tenant-1', $1, 'task 2')", [own.project]);
    });

    it('does not reach a row of another tenant by raw statements', async () => {
      const before = await everythingOf('tenant-2');
      const foreign = await rowsOf('tenant-2');
      await db.withTenant('tenant-1', async () => {
        assert.deepEqual(await db.$queryRaw`SELECT DISTINCT tenant_id FROM tasks`, [{ tenant_id: 'tenant-1' }]);
        assert.deepEqual(await db.$queryRaw(Prisma.sql`SELECT title FROM tasks WHERE id = ${foreign.task}`), []);
        assert.deepEqual(await db.$queryRawUnsafe('SELECT title FROM tasks WHERE id = $1', foreign.task), []);
        assert.equal(await db.$executeRaw`DELETE FROM tasks WHERE id = ${foreign.task}`, 0);
        assert.equal(await db.$executeRawUnsafe("UPDATE tasks SET title = 'taken' WHERE id = $1", foreign.task), 0);
        assert.deepEqual(await db.$queryRaw`UPDATE tasks SET title = title WHERE project_id = ${foreign.project} RETURNING id`, []);
      });
      assert.equal(await everythingOf('tenant-2'), before);
    });

    it("reads a user's own memberships before a tenant is chosen", async () => {
      const read = (db: { $queryRaw: PrismaClient['$queryRaw'] }) => db.$queryRaw<{ tenant_id: string }[]>`SELECT tenant_id FROM memberships ORDER BY id`;
      assert.deepEqual(await db.forUser('ada', read), [{ tenant_id: 'tenant-1' }, { tenant_id: 'tenant-2' }]);
      assert.deepEqual(await db.forUser('ada', tenants), []);
      assert.deepEqual(await db.withoutTenant('a test', read), []);
      await assert.rejects(db.forUser('ada', () => db.withTenant('tenant-1', read)), TenantMismatchError);
    });

    it('runs a job for one tenant after the other', async () => {
      const counted = await forEachTenant(db, ['tenant-1', 'tenant-2'], (db) => db.task.count());
      assert.deepEqual([...counted], [['tenant-1', 40], ['tenant-2', 40]]);
    });

    it('refuses everything outside of a scope', async () => {
      for (const use of [
        () => db.project.findMany(),
        () => db.$queryRaw`SELECT 1`,
        () => db.$executeRawUnsafe('SELECT 1'),
        () => db.$transaction([]),
        () => db.$transaction(async () => {}),
      ]) {
        assert.throws(use, TenantMissingError);
      }
      assert.throws(() => db.$extends({}), TenantError);
      assert.equal(currentTenant(), undefined);
    });

    it('reads no row of a tenant without a tenant', async () => {
      const found = await db.withoutTenant('sign-in: the user is not known yet', async () => [await db.project.count(), await db.tenant.count()]);
      assert.deepEqual(found, [0, 10]);
      await assert.rejects(db.withoutTenant('', async () => {}), TenantMissingError);
    });

    it('joins a scope of the same tenant and refuses one of another', async () => {
      await db.withTenant('tenant-1', async () => {
        const id = () => db.$queryRaw<[{ id: bigint }]>`SELECT pg_current_xact_id()::text AS id`;
        assert.deepEqual(await db.withTenant('tenant-1', async () => id()), await id());
        await assert.rejects(db.withTenant('tenant-2', tenants), TenantMismatchError);
        await assert.rejects(db.withoutTenant('a look elsewhere', tenants), TenantMismatchError);
        assert.deepEqual(await tenants(), ['tenant-1']);
      });
    });

    it('runs an interactive transaction within the scope, and takes it back alone', async () => {
      const create = (tx: Pick<typeof db, 'project'>, name: string) => tx.project.create({ data: { name } });
      await db.withTenant('tenant-3', async () => {
        await db.$transaction(async (tx) => {
          await create(tx, 'kept 1');
          assert.equal(await db.project.count(), 21);
          await assert.rejects(db.$transaction(async (inner) => create(inner as typeof tx, 'kept 1')), { code: 'P2002' });
          await create(tx, 'kept 2');
        });
        const failing = db.$transaction(async (tx) => {
          await create(tx, 'lost');
          await create(tx, 'kept 1');
        });
        await assert.rejects(failing, { code: 'P2002' });
        assert.equal(await db.project.count(), 22);
      });
      assert.deepEqual(await truth("DELETE FROM projects WHERE tenant_id = 'tenant-3' AND name ~ 'kept|lost' RETURNING name"), [{ name: 'kept 1' }, { name: 'kept 2' }]);
    });

    it('runs a batch within the scope, and takes it back as a whole', async () => {
      await db.withTenant('tenant-3', async () => {
        const [made, count, raw] = await db.$transaction([db.project.create({ data: { name: 'of a batch' } }), db.project.count(), db.$queryRaw`SELECT DISTINCT tenant_id FROM projects`]);
        assert.deepEqual([made.tenantId, count, raw], ['tenant-3', 21, [{ tenant_id: 'tenant-3' }]]);
        const failing = db.$transaction([db.project.create({ data: { name: 'lost in a batch' } }), db.project.create({ data: { name: 'of a batch' } })]);
        await assert.rejects(failing, { code: 'P2002' });
        assert.equal(await db.project.count(), 21);
      });
      assert.deepEqual(await truth("DELETE FROM projects WHERE name ~ 'batch' RETURNING name"), [{ name: 'of a batch' }]);
    });

    it('refuses a statement beside an open transaction of its scope', async () => {
      await db.withTenant('tenant-3', async () => {
        const first = db.$transaction(async () => pause(50));
        assert.throws(() => db.project.count(), TenantScopeError);
        assert.throws(() => db.$transaction(async () => {}), TenantScopeError);
        await first;
        await assert.rejects(db.$transaction(async () => {}, { isolationLevel: 'Serializable' }), TenantScopeError);
        assert.equal(await db.project.count(), 20);
      });
    });

    it('keeps nothing of a scope that throws', async () => {
      const scope = db.withTenant('tenant-3', async () => {
        await db.project.create({ data: { name: 'of a scope that throws' } });
        throw new Error('changed my mind');
      });
      await assert.rejects(scope, /changed my mind/);
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'of a scope that throws'"), []);
    });

    it('does not call a scope done whose statement failed and was caught', async () => {
      const scope = db.withTenant('tenant-3', async () => {
        await db.project.create({ data: { name: 'lost without a word' } });
        await db.project.create({ data: { name: 'project 1' } }).catch(() => {});
      });
      await assert.rejects(scope, TenantScopeError);
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'lost without a word'"), []);
    });

    it('finishes what was begun and not awaited within its own scope', async () => {
      let floating: Promise<unknown> | undefined;
      await db.withTenant('tenant-5', async () => {
        floating = db.$queryRaw`SELECT current_setting('app.current_tenant_id') AS tenant FROM pg_sleep(0.1)`.then((rows) => rows);
        await pause(10);
      });
      assert.deepEqual(await floating, [{ tenant: 'tenant-5' }]);
    });

    it('does not call a scope done in which something failed that was not awaited', async () => {
      const scope = db.withTenant('tenant-5', async () => {
        db.$queryRaw`SELECT 1 FROM pg_sleep(0.05)`.catch(() => {});
        db.$queryRaw`SELECT 1 / 0`.catch(() => {});
      });
      await assert.rejects(scope, TenantScopeError);
    });

    it('refuses a statement after the end of its scope', async () => {
      let kept: (typeof db)['project'] | undefined;
      let late: Promise<unknown> | undefined;
      let built: PromiseLike<unknown> | undefined;
      await db.withTenant('tenant-5', async () => {
        kept = db.project;
        built = db.project.findMany();
        late = pause(50).then(() => db.project.findMany());
        late.catch(() => {});
      });
      await assert.rejects(late!, TenantMissingError);
      await assert.rejects(async () => built, { code: 'P2028' });
      await db.withTenant('tenant-6', async () => {
        await assert.rejects(async () => kept!.findMany(), { code: 'P2028' });
        await assert.rejects(async () => built, { code: 'P2028' });
      });
    });

    it('is ended by the timeout when it waits for ever', async () => {
      const scope = db.withTenant(
        'tenant-5',
        async () => {
          await db.project.create({ data: { name: 'of a scope that waits' } });
          await pause(400);
          await db.project.count();
        },
        { timeout: 100 },
      );
      await assert.rejects(scope, { code: 'P2028' });
      assert.deepEqual(await truth("SELECT FROM projects WHERE name = 'of a scope that waits'"), []);
    });

    it('works with one connection', async () => {
      const alone = connected(url, 1);
      const found = await crowd(20, (tenant) =>
        alone.db.withTenant(tenant, () => alone.db.withTenant(tenant, () => alone.db.$transaction(async () => Promise.all([1, 2].map(async () => (await alone.db.task.findFirst())?.tenantId))))),
      );
      assert.deepEqual(found, Array.from({ length: 20 }, (_, index) => Array(2).fill(`tenant-${(index * 7) % 10}`)));
      await alone.base.$disconnect();
    });

    it('shows no foreign row to 200 scopes at once, and leaves no tenant in any session', async () => {
      const many = new pg.Pool({ connectionString: url, max: name === 'directly' ? 5 : 20 });
      const client = new PrismaClient({ adapter: new PrismaPg(many) });
      const scoped = tenantPrisma(client, { scope: { maxWait: 60_000, timeout: 60_000 } });
      const used = new Set<number>();
      const ids = await truth<{ tenant: string; ids: number[] }>('SELECT tenant_id AS tenant, array_agg(id) AS ids FROM projects GROUP BY tenant_id');
      await crowd(200, async (tenant, index) => {
        const work = scoped.withTenant(tenant, async () => {
          // Prisma puts lookups by key of one tick together: never those of two scopes.
          const looked = await Promise.all(ids.map(async (of) => [of.tenant, await scoped.project.findUnique({ where: { id: of.ids[0]! } })] as const));
          for (const [owner, row] of looked) assert.equal(row !== null, owner === tenant);
          const [read] = await scoped.$queryRaw<[{ tenant: string; pid: number }]>`SELECT min(tenant_id) AS tenant, pg_backend_pid() AS pid FROM tasks`;
          assert.equal(read.tenant, tenant);
          used.add(read.pid);
          if (index % 10 === 3) throw new Error('on purpose');
          if (index % 10 === 6) await scoped.$queryRaw`SELECT 1 / 0`;
          if (index % 10 === 9) await scoped.$transaction([scoped.task.updateMany({ data: { title: 'seen' } }), scoped.task.count()]);
        });
        if (index % 10 === 3 || index % 10 === 6) await assert.rejects(work, /on purpose|division by zero/);
        else await work;
      });
      const found = name === 'directly' ? await outside(many) : await sessions(url, 5);
      assert.equal(new Set(found.map(({ pid }) => pid)).size, 5);
      for (const { pid, tenant } of found) assert.ok(used.has(pid) ? tenant === '' : !tenant, `${pid}: ${tenant}`);
      assert.ok(found.some(({ pid }) => used.has(pid)));
      await client.$disconnect();
      if (!many.ended) await many.end();
    });
  });
}

/** The five connections of a pool outside of any scope. */
async function outside(pool: pg.Pool) {
  const text = "SELECT pg_backend_pid() AS pid, current_setting('app.current_tenant_id', true) AS tenant";
  const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
  const found = await Promise.all(clients.map(async (client) => (await client.query<{ pid: number; tenant: string | null }>(text)).rows[0]!));
  for (const client of clients) client.release();
  return found;
}
