// A browser: it keeps cookies, and follows the redirects of a sign-in.

const SESSION = 'authjs.session-token';

export class Browser {
  #cookies = new Map();

  constructor(application, tenant) {
    this.application = application;
    this.origin = `http://${tenant}.example`;
  }

  get sessionToken() {
    return this.#cookies.get(SESSION);
  }

  /** The same cookies before another application. */
  before(application) {
    const other = new Browser(application, new URL(this.origin).hostname.split('.')[0]);
    other.#cookies = new Map(this.#cookies);
    return other;
  }

  async #send(url, init = {}) {
    const headers = { ...init.headers, cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') };
    const response = await this.application.answer(new Request(new URL(url, this.origin), { ...init, headers }));
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.#cookies.set(name, value);
      else this.#cookies.delete(name);
    }
    return response;
  }

  async #post(path, form) {
    const { csrfToken } = await (await this.#send('/api/auth/csrf')).json();
    const response = await this.#send(`/api/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrfToken, callbackUrl: `${this.origin}/welcome`, ...form }).toString(),
    });
    return response.headers.get('location');
  }

  /** Signs in with the provider. Resolves to where the application leads to. */
  async oauth(email) {
    const authorize = new URL(await this.#post('signin/local'));
    authorize.searchParams.set('email', email);
    const back = await fetch(authorize, { redirect: 'manual' });
    return this.follow(back.headers.get('location'));
  }

  /** Asks for a magic link, and resolves to it. */
  async link(email) {
    const told = await this.#post('signin/email', { email });
    return this.application.mails.get(email) ?? told;
  }

  async password(email, password) {
    return this.#post('callback/credentials', { email, password });
  }

  async follow(url) {
    return (await this.#send(url)).headers.get('location');
  }

  async session() {
    return (await this.#send('/api/auth/session')).json();
  }

  async signOut() {
    return this.#post('signout');
  }
}
