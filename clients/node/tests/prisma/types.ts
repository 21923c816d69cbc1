// What must not compile, and what must. It is not run.

import { tenantPrisma } from 'rowfence/prisma';
import type { Project, PrismaClient, Task } from './generated/client.js';

export async function refused(client: PrismaClient, session: { tenantId?: string }): Promise<void> {
  const db = tenantPrisma(client);
  // @ts-expect-error: it may be undefined
  await db.withTenant(session.tenantId, async () => {});
  // @ts-expect-error: null is no id
  await db.withTenant(null, async () => {});
  // @ts-expect-error: a reason is needed
  await db.withoutTenant(async () => {});
  // @ts-expect-error: there is no such model
  await db.withTenant('a', async (db) => db.invoice.findMany());
  const extended = tenantPrisma(client.$extends({ result: { project: { label: { needs: { name: true }, compute: ({ name }) => `[${name}]` } } } }));
  const label: string | undefined = await extended.withTenant('a', async (db) => (await db.project.findFirst())?.label);
  const found: (Project & { tasks: Task[] })[] = await db.withTenant('a', (db) => db.project.findMany({ include: { tasks: true } }));
  // What takes a client, as an adapter of an authentication library does.
  const taken: PrismaClient = db;
  void [label, found, taken];
}
