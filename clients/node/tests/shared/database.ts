// The databases of a test: the application's login, directly and through PgBouncer in transaction mode, and the superuser, who sees all.

import pg from 'pg';

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are started by the test of xtask that prepares their database`);
  return value;
}

/** Where the application's login connects to. Without PgBouncer on the machine, that is the server alone. */
export const PLACES: { name: string; url: string }[] = [
  { name: 'directly', url: variable('APP_URL') },
  ...(process.env['POOLED_APP_URL'] ? [{ name: 'through PgBouncer', url: process.env['POOLED_APP_URL'] }] : []),
];

const superuser = new pg.Pool({ connectionString: variable('SUPERUSER_URL'), max: 1 });

/** What the tables really have. */
export async function truth<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
  return (await superuser.query<R>(text, values)).rows;
}

export async function closeTruth(): Promise<void> {
  await superuser.end();
}

/** A project and a task of a tenant. */
export async function rowsOf(tenant: string): Promise<{ project: number; task: number }> {
  const text = 'SELECT project_id AS project, id AS task FROM tasks WHERE tenant_id = $1 ORDER BY id LIMIT 1';
  const [row] = await truth<{ project: number; task: number }>(text, [tenant]);
  if (!row) throw new Error(`${tenant} has no rows`);
  return row;
}

/** A text of everything that a tenant has. */
export async function everythingOf(tenant: string): Promise<string> {
  const projects = await truth('SELECT * FROM projects WHERE tenant_id = $1 ORDER BY id', [tenant]);
  const tasks = await truth('SELECT * FROM tasks WHERE tenant_id = $1 ORDER BY id', [tenant]);
  return JSON.stringify([projects, tasks]);
}

export interface Session {
  pid: number;
  tenant: string | null;
}

/** The sessions of the server that this many simultaneous transactions get, and the tenant that each has outside of a scope. */
export async function sessions(url: string, count: number): Promise<Session[]> {
  const pool = new pg.Pool({ connectionString: url, max: count });
  const text = "SELECT pg_backend_pid() AS pid, current_setting('app.current_tenant_id', true) AS tenant";
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  await Promise.all(clients.map((client) => client.query('BEGIN')));
  const found = await Promise.all(clients.map(async (client) => (await client.query<Session>(text)).rows[0]!));
  await Promise.all(clients.map((client) => client.query('COMMIT')));
  for (const client of clients) client.release();
  await pool.end();
  return found;
}

/** A number of scopes of ten tenants in a mixed order, all begun at once. */
export function crowd<T>(count: number, run: (tenant: string, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(`tenant-${(index * 7) % 10}`, index)));
}
