// The application: Auth.js with a client of its own for the adapter, as docs/sign-in.md says, and its own client for all else.

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { Auth } from '@auth/core';
import { PrismaAdapter } from '@auth/prisma-adapter';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/index.js';
import { CLIENT } from './provider.mjs';

const OMIT = {
  user: { password: true, role: true, createdAt: true, updatedAt: true },
  account: { createdAt: true, updatedAt: true },
  session: { createdAt: true, updatedAt: true },
};

export function clientOf(url, omit = {}) {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url }), omit });
}

/** A hash as the column `password` has it. */
export function hashed(password, salt = randomBytes(16).toString('hex')) {
  return `${salt}:${scryptSync(password, salt, 32).toString('hex')}`;
}

const common = (errors) => ({
  basePath: '/api/auth',
  secret: 'a secret of the application',
  trustHost: true,
  logger: { error: (error) => errors.push(error), warn() {}, debug() {} },
});

/** The same with passwords, for which Auth.js wants sessions that are tokens. */
export function passwordsWith(url) {
  const authPrisma = clientOf(url, OMIT);
  const errors = [];
  const config = {
    ...common(errors),
    adapter: PrismaAdapter(authPrisma),
    session: { strategy: 'jwt' },
    callbacks: {
      jwt: ({ token, user }) => (user ? { ...token, tenantId: user.tenantId } : token),
      session: ({ session, token }) => ({ ...session, user: { id: token.sub, email: token.email, tenantId: token.tenantId } }),
    },
    providers: [
      {
        id: 'credentials', name: 'Password', type: 'credentials', credentials: { email: {}, password: {} },
        authorize: async ({ email, password }) => {
          const user = await authPrisma.user.findUnique({ where: { email }, select: { id: true, email: true, tenantId: true, password: true } });
          if (!user?.password) return null;
          const [salt] = user.password.split(':');
          return timingSafeEqual(Buffer.from(hashed(password, salt)), Buffer.from(user.password)) ? user : null;
        },
      },
    ],
  };
  return { errors, answer: (request) => Auth(request, config), close: () => authPrisma.$disconnect() };
}

/** The application with the login of `url` for its adapter. */
export function applicationWith(url, provider) {
  const authPrisma = clientOf(url, OMIT);
  const mails = new Map();
  const errors = [];
  const config = (tenantId) => ({
    // The adapter does not know the tenant of a new user: here the host of the request says it.
    adapter: { ...PrismaAdapter(authPrisma), createUser: ({ id, ...data }) => authPrisma.user.create({ data: { ...data, tenantId } }) },
    ...common(errors),
    // Each reading of a session writes when it ends.
    session: { strategy: 'database', updateAge: 0 },
    callbacks: {
      session: ({ session, user }) => ({ expires: session.expires, user: { id: user.id, email: user.email, tenantId: user.tenantId } }),
    },
    providers: [
      {
        id: 'local', name: 'Local', type: 'oauth', clientId: CLIENT.id, clientSecret: CLIENT.secret, checks: ['state', 'pkce'],
        authorization: { url: `${provider}/authorize`, params: { scope: 'profile' } },
        token: `${provider}/token`,
        userinfo: `${provider}/userinfo`,
        profile: ({ id, email, name }) => ({ id, email, name }),
      },
      {
        id: 'email', name: 'Email', type: 'email', maxAge: 600,
        sendVerificationRequest: async ({ identifier, url }) => void mails.set(identifier, url),
      },
    ],
  });
  return {
    mails,
    errors,
    answer: (request) => Auth(request, config(new URL(request.url).hostname.split('.')[0])),
    close: () => authPrisma.$disconnect(),
  };
}
