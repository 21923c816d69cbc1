// With the application's own login as the adapter's, nobody signs in once the tables are enforced.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { applicationWith, clientOf, passwordsWith } from './application.mjs';
import { Browser } from './browser.mjs';
import { startProvider } from './provider.mjs';

const { AUTH_DATABASE_URL, APP_URL, SUPERUSER_URL, KNOWN } = process.env;
const provider = await startProvider();
const working = applicationWith(AUTH_DATABASE_URL, provider.url);
const application = applicationWith(APP_URL, provider.url);
const passwords = passwordsWith(APP_URL);
const own = clientOf(APP_URL);
const all = clientOf(SUPERUSER_URL);
after(async () => {
  provider.close();
  await Promise.all([working.close(), application.close(), passwords.close(), own.$disconnect(), all.$disconnect()]);
});

const known = `${KNOWN}@one.example`;
const counts = () => Promise.all([all.user.count(), all.account.count(), all.session.count()]);
const refused = async (browser, where, before) => {
  assert.match(String(application.errors.at(-1)?.cause?.err?.message ?? application.errors.at(-1)?.stack), /row-level security/);
  assert.match(where, /\/api\/auth\/error\?error=/);
  assert.equal(browser.sessionToken, undefined);
  assert.deepEqual(await counts(), before);
};

test('a provider signs in nobody, neither a known user nor a new one', async () => {
  for (const email of [known, 'nobody@one.example']) {
    const before = await counts();
    const browser = new Browser(application, 'one');
    await refused(browser, await browser.oauth(email), before);
  }
});

test('a magic link signs in nobody', async () => {
  for (const email of [known, 'nobody@one.example']) {
    const before = await counts();
    const browser = new Browser(application, 'one');
    await refused(browser, await browser.follow(await browser.link(email)), before);
  }
});

test('a password signs in nobody', async () => {
  const browser = new Browser(passwords, 'two');
  const where = await browser.password(`${KNOWN}-password@two.example`, `password of ${KNOWN}`);
  assert.match(where, /error=CredentialsSignin/);
  assert.equal(browser.sessionToken, undefined);
});

test('a session that is there is read by the login of sign-in alone', async () => {
  const browser = new Browser(working, 'one');
  assert.equal(await browser.oauth(known), `${browser.origin}/welcome`);
  assert.equal((await browser.session()).user.email, known);
  assert.equal(await browser.before(application).session(), null);
});

test('a forgotten scope reads no user, account, session or project', async () => {
  for (const model of ['user', 'account', 'session', 'project']) {
    assert.ok((await all[model].count()) > 0, model);
    assert.deepEqual(await own[model].findMany(), [], model);
  }
});
