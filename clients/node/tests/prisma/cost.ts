// What a scope of Prisma costs.

import { PrismaPg } from '@prisma/adapter-pg';
import { tenantPrisma } from 'rowfence/prisma';
import { closeTruth, PLACES } from './database.js';
import { PrismaClient } from './generated/client.js';
import { medians } from './median.js';

const lookup = (db: Pick<PrismaClient, 'project'>) => db.project.findFirst({ where: { id: 7 } });

for (const { name, url } of PLACES) {
  const base = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 1 }) });
  const db = tenantPrisma(base);
  const several = async (client: Pick<PrismaClient, 'project'>) => {
    for (let n = 0; n < 10; n++) await lookup(client);
  };
  await medians({
    [`Prisma ${name}, one lookup without a scope`]: () => lookup(base),
    [`Prisma ${name}, one lookup in a scope`]: () => db.withTenant('tenant-1', lookup),
    [`Prisma ${name}, ten lookups without a scope`]: () => several(base),
    [`Prisma ${name}, ten lookups in a scope`]: () => db.withTenant('tenant-1', several),
  });
  await base.$disconnect();
}
await closeTruth();
