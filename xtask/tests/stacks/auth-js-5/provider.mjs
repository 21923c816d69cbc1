// An OAuth provider on loopback: whoever asks for a code says who they are.

import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';

export const CLIENT = { id: 'application', secret: 'a secret of the client' };

async function bodyOf(request) {
  let body = '';
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

/** Starts it, and resolves to its URL and to what ends it. */
export async function startProvider() {
  const codes = new Map();
  const tokens = new Map();
  const routes = {
    '/authorize': (url) => {
      const code = randomUUID();
      codes.set(code, { email: url.searchParams.get('email'), challenge: url.searchParams.get('code_challenge') });
      const back = new URL(url.searchParams.get('redirect_uri'));
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state'));
      return [302, { location: back.href }, ''];
    },
    '/token': async (_, request) => {
      const form = await bodyOf(request);
      const granted = codes.get(form.get('code'));
      codes.delete(form.get('code'));
      const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      const basic = `Basic ${btoa(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret).replaceAll('%20', '+')}`)}`;
      if (!granted || granted.challenge !== proof || request.headers.authorization !== basic) {
        return [400, { 'content-type': 'application/json' }, JSON.stringify({ error: 'invalid_grant' })];
      }
      const token = randomUUID();
      tokens.set(`Bearer ${token}`, granted.email);
      const answer = { access_token: token, refresh_token: randomUUID(), token_type: 'Bearer', expires_in: 3600, scope: 'profile' };
      return [200, { 'content-type': 'application/json' }, JSON.stringify(answer)];
    },
    '/userinfo': (_, request) => {
      const email = tokens.get(request.headers.authorization);
      return [email ? 200 : 401, { 'content-type': 'application/json' }, JSON.stringify({ id: `id of ${email}`, email, name: email })];
    },
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    const [status, headers, body] = (await routes[url.pathname]?.(url, request)) ?? [404, {}, ''];
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
