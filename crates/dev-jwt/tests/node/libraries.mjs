// Lets the real libraries write and read sessions: one JSON array of requests on standard input, one of answers on standard output.
// A request is { library, secret, do: "encode", claims, maxAge, secure } or { …, do: "getToken", cookie | bearer, secure },
// or { secrets, do: "places", cookie, secure, name, salt }: what each place of an application makes of the line, as the claims or null.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { hkdf } from "@panva/hkdf"
import * as jose from "jose"
import * as authJs from "@auth/core/jwt"
import nextAuth from "next-auth/jwt"
import edge from "@edge-runtime/cookies"
import cookieOfNext from "cookie-of-next"

const require = createRequire(import.meta.url)
// Where the package keeps it, as it does not export it: the authority on names, attributes and sizes of chunks.
const inside = (path) => require(join(dirname(require.resolve("next-auth")), path))
const nextAuthCookies = inside("core/lib/cookie.js")
const authJsCookies = await import(
  new URL("node_modules/@auth/core/lib/utils/cookie.js", import.meta.url)
)
const libraries = {
  "next-auth": { jwt: nextAuth, cookies: nextAuthCookies },
  "auth.js": { jwt: authJs, cookies: authJsCookies },
}
const quiet = { debug() {}, warn() {}, error() {} }

// The header as Node.js has it: a character for each byte.
const bytes = (text) => Buffer.from(text, "utf8").toString("latin1")

async function places({ secrets, cookie, secure, name, salt, library }) {
  const line = bytes(cookie)
  const headers = new Headers({ cookie: line })
  const decode = salt === undefined ? undefined : (params) => nextAuth.decode({ ...params, salt })
  const own = library === "next-auth" ? name : undefined
  const ofNextAuth = { secret: secrets[0], secureCookie: secure, cookieName: own, decode, logger: quiet }
  const pages = { headers: { cookie: line }, cookies: cookieOfNext.parse(line) }
  const middleware = { headers, cookies: new edge.RequestCookies(headers) }
  const ofAuthJs = { secret: secrets, secureCookie: secure, salt, logger: quiet, cookieName: library === "auth.js" ? name : undefined }
  return {
    next_auth_pages: await nextAuth.getToken({ req: pages, ...ofNextAuth }),
    next_auth_middleware: await nextAuth.getToken({ req: middleware, ...ofNextAuth }),
    auth_js: await authJs.getToken({ req: { headers }, ...ofAuthJs }),
  }
}

// A token of Auth.js with the other encryption that it reads, as an application with its own `encode` writes it.
async function gcm({ secret, claims, maxAge, salt, kid }) {
  const key = await hkdf("sha256", secret, salt, `Auth.js Generated Encryption Key (${salt})`, 32)
  const thumbprint = await jose.calculateJwkThumbprint({ kty: "oct", k: jose.base64url.encode(key) }, "sha256")
  const header = kid ? { alg: "dir", enc: "A256GCM", kid: thumbprint } : { alg: "dir", enc: "A256GCM" }
  const jwt = new jose.EncryptJWT(claims).setProtectedHeader(header).setIssuedAt().setExpirationTime(Math.floor(Date.now() / 1000) + maxAge)
  return { token: await jwt.encrypt(key) }
}

async function answer(request) {
  if (request.do === "places") return await places(request)
  if (request.do === "gcm") return await gcm(request)
  return await token(request)
}

async function token({ library, secret, claims, maxAge, secure, cookie, bearer, do: what }) {
  const { jwt, cookies } = libraries[library]
  const { name, options } = cookies.defaultCookies(secure).sessionToken
  const salt = library === "auth.js" ? name : undefined
  if (what === "encode") {
    const token = await jwt.encode({ token: claims, secret, maxAge, salt })
    const store = new cookies.SessionStore({ name, options }, { cookies: {} }, quiet)
    return { token, cookies: store.chunk(token, {}).map(({ name, value, options }) => ({ name, value, options })) }
  }
  const headers = new Headers()
  if (cookie !== undefined) headers.set("cookie", cookie)
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`)
  // Next.js gives NextAuth 4 the cookies already parsed.
  const parsed = Object.fromEntries((cookie ?? "").split("; ").filter(Boolean).map((pair) => pair.split(/=(.*)/s)))
  const token = await jwt.getToken({ req: { headers, cookies: parsed }, secret, secureCookie: secure, salt, logger: quiet })
  return { claims: token }
}

const requests = JSON.parse(readFileSync(0, "utf8"))
const answers = []
for (const request of requests) answers.push(await answer(request))
console.log(JSON.stringify(answers))
