// Requests that nobody thought of: made of the lexicons by a seed, valid and broken, for every method.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { XrpcResponse } from '@atproto/lex'
import { apart, methods } from './harness/contract.mjs'
import { Generator } from './harness/generator.mjs'
import { answered } from './harness/outcome.mjs'
import { client, full } from './harness/place.mjs'
import { half, WEEK, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const { huddle } = await import(client)

const REQUESTS = full ? 10_000 : 1_000
const AT_ONCE = 8
/** Errors without a declaration in a lexicon, by status. */
const GENERIC = {
  400: ['InvalidRequest'],
  413: ['PayloadTooLarge'],
  429: ['RateLimitExceeded'],
  503: ['NotEnoughResources'],
}

const world = await World.start('generated', {
  limits: {
    holds_per_guest: 100,
    holds_per_guest_and_host: 10,
    cooldown_first_secs: 0,
    cooldown_second_secs: 0,
    cooldown_further_secs: 0,
  },
})
after(() => world.stop())

/** What an answer has wrong, if anything. */
async function complaint(name, response, broken) {
  const text = Buffer.from(await response.arrayBuffer())
  const { status } = response
  if (status === 200) {
    try {
      await XrpcResponse.fromFetchResponse(huddle[name].main, new Response(text, response))
      return
    } catch (error) {
      return `an answer that breaks the lexicon: ${error}: ${text}`
    }
  }
  let answer
  try {
    answer = JSON.parse(text)
  } catch {
    return `${status} without JSON: ${text}`
  }
  const declared = (methods[name].errors ?? []).map((error) => error.name)
  const known = [...declared, ...(GENERIC[status] ?? [])]
  if (status >= 500 && status !== 503) return `${status} ${text}`
  if (!known.includes(answer.error)) return `${status} with an error that is not declared: ${text}`
  if (!broken && answer.error === 'InvalidRequest') return `${status} for what the lexicon allows: ${text}`
  if (typeof answer.message !== 'string') return `${status} without a message: ${text}`
}

test(`${REQUESTS} requests made of the lexicons get an answer each, and none is a fault`, async (t) => {
  const seed = Number(process.env.HUDDLE_E2E_SEED ?? Math.floor(Math.random() * 2 ** 32))
  t.diagnostic(`seed ${seed}; HUDDLE_E2E_SEED=${seed} makes the same requests`)

  const hours = { rules: [{ days: WEEK, start: '00:00', end: '24:00' }] }
  const hosts = [
    await world.host('auto', hours),
    await world.host('pick', { ...hours, mode: 'pick' }),
    await world.host('approve', { ...hours, mode: 'approve' }, half(9), { ...window(10, 120), mode: 'pick' }),
  ]
  const callers = await Promise.all(Array.from({ length: 4 }, () => world.keyHolder()))
  const offers = (await Promise.all(hosts.map((host) => world.offers(host)))).flat()
  const [hostDids, callerDids] = [hosts.map(({ did }) => did), callers.map(({ did }) => did)]
  const [nobody, noOffer] = ['did:plc:aaaabbbbccccddddeeeeffff', `at://${hostDids[0]}/com.huddle.slotOffer/none`]
  const fields = {
    hostDid: [...hostDids, ...hostDids, callerDids[0], nobody],
    record: offers.map(({ record }) => record),
    bookingId: [],
    slotToken: [],
    email: ['ada@example.com', 'ada@localhost', 'a@b'],
  }
  const formats = {
    did: [...hostDids, ...callerDids, 'did:web:localhost', nobody],
    'at-identifier': [...hostDids, ...callerDids, 'nobody.test'],
    'at-uri': [...offers.map(({ uri }) => uri), noOffer, 'at://nobody.test'],
    uri: ['https://app.huddle.example/back', 'http://localhost/', 'javascript:alert(1)'],
  }
  /** Notes what later requests can be about. */
  const learn = ({ booking, slots = [] }) => {
    const learned = { bookingId: booking ? [booking.id] : [], slotToken: slots.map(({ slotToken }) => slotToken) }
    for (const [field, values] of Object.entries(learned)) fields[field] = [...values, ...fields[field]].slice(0, 50)
  }
  for (const caller of callers) {
    for (const host of [hosts[0], hosts[2]]) {
      const body = JSON.stringify({ hostDid: host.did, idempotencyKey: crypto.randomUUID() })
      const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
      learn(answered(await caller.send('match', init)))
    }
  }
  const generator = new Generator(seed, { fields, formats })

  const names = Object.keys(methods).filter((name) => !apart.includes(name))
  const statuses = {}
  /** The first of each kind. */
  const complaints = new Map()
  let sent = 0
  const ask = async (caller) => {
    while (sent < REQUESTS) {
      const name = names[sent++ % names.length]
      const { broken, query = '', ...init } = generator.request(name)
      const headers = { ...init.headers, authorization: `Bearer ${await caller.token(name)}` }
      const response = await world.fetch(`/xrpc/com.huddle.${name}${query}`, { ...init, headers })
      const wrong = await complaint(name, response.clone(), broken)
      const kind = `${name} ${response.status} ${wrong?.slice(0, 30)}`
      if (wrong && !complaints.has(kind)) complaints.set(kind, `${name} ${query} ${init.body ?? ''}\n  ${wrong}`)
      const row = (statuses[name] ??= {})
      row[response.status] = (row[response.status] ?? 0) + 1
      if (['match', 'listSlots'].includes(name) && response.status === 200) learn(await response.json())
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => ask(callers[n % callers.length])))
  for (const [name, row] of Object.entries(statuses)) t.diagnostic(`${name}: ${JSON.stringify(row)}`)
  assert.deepEqual([...complaints.values()], [])
  assert.equal((await (await world.fetch('/healthz')).json()).status, 'ok')
})
