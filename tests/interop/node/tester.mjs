// The test at the other end of our pipes: it is told what we saw, and does what takes a person or a browser.

import { createInterface } from "node:readline"

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Have the test do something, such as ask("browse", {url}), and wait for what came of it. */
export async function ask(what, value) {
  process.stdout.write(JSON.stringify({ [what]: value }) + "\n")
  const { value: line, done } = await lines.next()
  if (done) throw new Error("the test has gone")
  return JSON.parse(line)
}

/** What our own server would be called with when a browser comes back: a URL, or a request with a form in it. */
export async function arrival(url) {
  const { url: back, form } = await ask("browse", { url })
  if (form === null) return new URL(back)
  const headers = { "content-type": "application/x-www-form-urlencoded" }
  return new Request(back, { method: "POST", headers, body: new URLSearchParams(form) })
}

const KINDS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
}

/** A private key, to authenticate with. */
export async function imported(jwk) {
  return { key: await crypto.subtle.importKey("jwk", jwk, KINDS[jwk.alg], false, ["sign"]), kid: jwk.kid }
}

/** What an error of the library says, for the test to look at. */
export function described(error) {
  return { name: error.name, code: error.code, error: error.error, status: error.status }
}

/** Run the scenario that the command line names with the configuration behind it, and tell the test what it saw. */
export async function run(scenarios) {
  const [name, config] = process.argv.slice(2)
  const saw = await scenarios[name](JSON.parse(config))
  process.stdout.write(JSON.stringify({ saw }) + "\n")
  process.exit(0)
}
