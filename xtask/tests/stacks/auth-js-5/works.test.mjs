// Each flow works: before the rollout with the application's login, afterwards with the login of sign-in.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { applicationWith, clientOf, hashed, passwordsWith } from './application.mjs';
import { Browser } from './browser.mjs';
import { startProvider } from './provider.mjs';

const { ADAPTER_URL, APP_URL, SUPERUSER_URL, RUN, KNOWN, ENFORCED } = process.env;
const provider = await startProvider();
const application = applicationWith(ADAPTER_URL, provider.url);
const passwords = passwordsWith(ADAPTER_URL);
const own = clientOf(APP_URL);
const all = clientOf(SUPERUSER_URL);
after(async () => {
  provider.close();
  await Promise.all([application.close(), passwords.close(), own.$disconnect(), all.$disconnect()]);
});

const person = `${RUN}@one.example`;
const other = `${RUN}@two.example`;
const rowsOf = (email) => all.user.findUnique({ where: { email }, include: { accounts: true, sessions: true } });
const logged = () => application.errors.map((error) => `${error.stack}\n${error.cause?.err?.stack}`).join('\n') || undefined;
const arrived = (browser, where) => {
  assert.equal(where, `${browser.origin}/welcome`, logged());
  assert.ok(browser.sessionToken);
};

const sessionOf = async (browser) => {
  const session = await browser.session();
  assert.ok(session, logged());
  return session;
};

test('the first sign-in with a provider writes the user, the account and a session', async () => {
  const browser = new Browser(application, 'one');
  arrived(browser, await browser.oauth(person));
  const user = await rowsOf(person);
  assert.equal(user.tenantId, 'one');
  assert.deepEqual(user.accounts.map((account) => account.provider), ['local']);
  assert.ok(user.accounts[0].access_token && user.accounts[0].refresh_token && user.accounts[0].expires_at);
  assert.deepEqual(user.sessions.map((session) => session.sessionToken), [browser.sessionToken]);
});

test('the second sign-in finds the user', async () => {
  const before = await rowsOf(person);
  const browser = new Browser(application, 'one');
  arrived(browser, await browser.oauth(person));
  const user = await rowsOf(person);
  assert.equal(user.id, before.id);
  assert.equal(user.accounts.length, 1);
  assert.equal(user.sessions.length, 2);
});

test('a session is read and goes on, and the application reads the rows of its tenant', async () => {
  const browser = new Browser(application, 'one');
  arrived(browser, await browser.oauth(person));
  const begun = await all.session.findUnique({ where: { sessionToken: browser.sessionToken } });
  const { user } = await sessionOf(browser);
  assert.deepEqual([user.email, user.tenantId], [person, 'one']);
  const read = await all.session.findUnique({ where: { sessionToken: browser.sessionToken } });
  assert.ok(read.expires > begun.expires && read.updatedAt > begun.updatedAt);
  const [, projects, users] = await own.$transaction([
    own.$executeRaw`SELECT set_config('app.current_tenant_id', ${user.tenantId}, true)`,
    own.project.findMany(),
    own.user.findMany(),
  ]);
  const tenants = new Set([...projects, ...users].map((row) => row.tenantId));
  assert.deepEqual([...tenants].sort(), ENFORCED ? ['one'] : ['one', 'two']);
});

test('a magic link signs in a new user once', async () => {
  const browser = new Browser(application, 'two');
  const link = await browser.link(other);
  arrived(browser, await browser.follow(link));
  const user = await rowsOf(other);
  assert.equal(user.tenantId, 'two');
  assert.ok(user.emailVerified);
  const again = new Browser(application, 'two');
  assert.match(await again.follow(link), /error=Verification/);
  assert.equal(again.sessionToken, undefined);
});

test('a magic link finds a user who is there, and a provider is linked to them', async () => {
  const before = await rowsOf(other);
  const browser = new Browser(application, 'two');
  arrived(browser, await browser.follow(await browser.link(other)));
  const user = await rowsOf(other);
  assert.equal(user.id, before.id);
  assert.ok(user.emailVerified > before.emailVerified && user.updatedAt > before.updatedAt);
  arrived(browser, await browser.oauth(other));
  assert.equal((await rowsOf(other)).accounts.length, 1);
});

test('a password signs in its user, and a wrong one nobody', async () => {
  const email = `${RUN}-password@two.example`;
  const { id } = await all.user.create({ data: { email, tenantId: 'two', password: hashed(`password of ${RUN}`) } });
  const browser = new Browser(passwords, 'two');
  assert.match(await browser.password(email, 'wrong'), /error=CredentialsSignin/);
  assert.equal(browser.sessionToken, undefined);
  arrived(browser, await browser.password(email, `password of ${RUN}`));
  assert.deepEqual((await browser.session()).user, { id, email, tenantId: 'two' });
});

test('a user of the time before signs in', { skip: !KNOWN }, async () => {
  const email = `${KNOWN}@one.example`;
  const before = await rowsOf(email);
  for (const way of [(browser) => browser.oauth(email), async (browser) => browser.follow(await browser.link(email))]) {
    const browser = new Browser(application, 'one');
    arrived(browser, await way(browser));
    assert.equal((await sessionOf(browser)).user.id, before.id);
  }
});

test('signing out deletes the session', async () => {
  const browser = new Browser(application, 'one');
  arrived(browser, await browser.oauth(person));
  const sessionToken = browser.sessionToken;
  assert.equal(await browser.signOut(), `${browser.origin}/welcome`);
  assert.equal(await all.session.findUnique({ where: { sessionToken } }), null, logged());
  assert.equal(await browser.session(), null);
});
