// Lets the real libraries write and read sessions: one JSON array of requests on standard input, one of answers on standard output.
// A request is { library, secret, do: "encode", claims, maxAge, secure } or { …, do: "getToken", cookie | bearer, secure }.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import * as authJs from "@auth/core/jwt"
import nextAuth from "next-auth/jwt"

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

async function answer({ library, secret, claims, maxAge, secure, cookie, bearer, do: what }) {
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
