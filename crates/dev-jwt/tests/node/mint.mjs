// What a Node script does that mints one session with next-auth: the other side of `cargo xtask bench jwt`.
import { readFileSync } from "node:fs"
import nextAuth from "next-auth/jwt"

const claims = JSON.parse(readFileSync(process.argv[2], "utf8"))
const secret = process.env.NEXTAUTH_SECRET
console.log(`next-auth.session-token=${await nextAuth.encode({ token: claims, secret })}`)
