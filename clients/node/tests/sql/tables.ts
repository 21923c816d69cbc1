// The tables, as Drizzle and Kysely are told of them.

import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core';
import type { Generated } from 'kysely';

export const projects = pgTable('projects', {
  id: serial().primaryKey(),
  tenantId: text('tenant_id').notNull().default(''),
  name: text().notNull(),
});

export const tasks = pgTable('tasks', {
  id: serial().primaryKey(),
  tenantId: text('tenant_id').notNull().default(''),
  projectId: integer('project_id').notNull(),
  title: text().notNull(),
});

export interface Tables {
  projects: { id: Generated<number>; tenant_id: Generated<string>; name: string };
  tasks: { id: Generated<number>; tenant_id: Generated<string>; project_id: number; title: string };
}
