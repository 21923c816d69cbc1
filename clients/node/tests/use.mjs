// Imports every part of the installed package, and reads as a tenant.

import assert from 'node:assert/strict';
import pg from 'pg';
import { TenantMissingError, currentTenant } from 'rowfence';
import { tenantDrizzle } from 'rowfence/drizzle';
import { tenantKysely } from 'rowfence/kysely';
import { tenantPool } from 'rowfence/pg';
import { tenantPrisma } from 'rowfence/prisma';

assert.equal(typeof tenantPrisma, 'function');
const pool = tenantPool(new pg.Pool({ connectionString: process.env.APP_URL, max: 1 }));
await assert.rejects(pool.query('SELECT 1'), TenantMissingError);
await pool.withTenant('tenant-1', async (client) => {
  assert.equal(currentTenant(), 'tenant-1');
  assert.equal((await client.query('SELECT FROM projects')).rowCount, 20);
  assert.equal((await tenantDrizzle(pool).execute('SELECT FROM projects')).rowCount, 20);
  assert.equal((await tenantKysely(pool).selectFrom('projects').selectAll().execute()).length, 20);
});
await pool.end();
