// What must not compile. It is not run.

import pg from 'pg';
import { tenantDrizzle } from 'rowfence/drizzle';
import { tenantKysely } from 'rowfence/kysely';
import { tenantPool } from 'rowfence/pg';

export async function refused(session: { tenantId?: string }): Promise<void> {
  const raw = new pg.Pool();
  const pool = tenantPool(raw);
  // @ts-expect-error: it may be undefined
  await pool.withTenant(session.tenantId, async () => {});
  // @ts-expect-error: null is no id
  await pool.withTenant(null, async () => {});
  // @ts-expect-error: a reason is needed
  await pool.withoutTenant(async () => {});
  // @ts-expect-error: a function that is not awaited
  await pool.withTenant('a', () => 1);
  // @ts-expect-error: a pool without scopes
  tenantDrizzle(raw);
  // @ts-expect-error: a pool without scopes
  tenantKysely(raw);
  const rows: { n: number }[] = await pool.withTenant('a', async (client) => (await client.query<{ n: number }>('SELECT 1 AS n')).rows);
  void rows;
}
