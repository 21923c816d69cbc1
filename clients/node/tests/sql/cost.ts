// What a scope of node-postgres costs.

import pg from 'pg';
import { tenantPool } from 'rowfence/pg';
import { PLACES, closeTruth } from './database.js';
import { medians } from './median.js';

const lookup = (db: Pick<pg.Pool, 'query'>) => db.query('SELECT name FROM projects WHERE id = $1', [7]);

for (const { name, url } of PLACES) {
  const raw = new pg.Pool({ connectionString: url, max: 1 });
  const pool = tenantPool(raw);
  const several = async (client: pg.PoolClient) => {
    for (let n = 0; n < 10; n++) await lookup(client);
  };
  await medians({
    [`node-postgres ${name}, one lookup without a scope`]: () => lookup(raw),
    [`node-postgres ${name}, one lookup in a scope`]: () => pool.withTenant('tenant-1', lookup),
    [`node-postgres ${name}, ten lookups without a scope`]: () => several(raw as unknown as pg.PoolClient),
    [`node-postgres ${name}, ten lookups in a scope`]: () => pool.withTenant('tenant-1', several),
  });
  await raw.end();
}
await closeTruth();
