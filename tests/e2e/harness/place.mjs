// Where things are, and in which runtime the AppView is.
import { fileURLToPath } from 'node:url'

const fromRoot = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** Where Cargo builds, which is where the peers are too. */
const target = process.env.CARGO_TARGET_DIR ?? fromRoot('target')

export const runtime = process.env.HUDDLE_E2E_RUNTIME ?? 'native'

/** Whether there is time for everything. */
export const full = process.env.HUDDLE_FULL === '1'

export const lexicons = fromRoot('lexicons/com/huddle')
export const workers = fromRoot('appview/workers')
export const binary = `${target}/debug/huddle`
export const node = `${target}/peers/node/bin/node`
/** The programs of peers, where each is installed, and the Python of those that are written in it. */
export const peers = fromRoot('tests/peers')
export const installed = (peer) => `${target}/peers/${peer}`
export const python = (peer) => `${installed(peer)}/venv/bin/python`
/** The servers of `tests/peers/atproto`, beside their packages. */
export const servers = `${target}/peers/atproto/e2e`
/** Logs, and what the servers keep. */
export const results = `${target}/e2e/${runtime}`
/** The client that `@atproto/lex` has made of our lexicons. */
export const client = `${target}/e2e/client/com.ts`
