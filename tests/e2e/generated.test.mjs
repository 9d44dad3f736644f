// Requests that nobody thought of: made of the lexicons by a seed, valid and broken, for every method.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { XrpcResponse } from '@atproto/lex'
import { methods } from './harness/contract.mjs'
import { Generator } from './harness/generator.mjs'
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
  const guest = await world.person('erin')
  const callers = await Promise.all(Array.from({ length: 4 }, () => world.keyHolder()))
  const bookings = [await guest.matched(hosts[0]), await guest.matched(hosts[2])]
  const offers = (await Promise.all(hosts.map((host) => world.offers(host)))).flat()
  const dids = [...hosts, guest, ...callers].map(({ did }) => did)
  const known = {
    did: [...dids, 'did:web:localhost', 'did:plc:aaaabbbbccccddddeeeeffff'],
    'at-identifier': [...dids, ...hosts.map(({ handle }) => handle), 'nobody.test'],
    'at-uri': [...offers.map(({ uri }) => uri), `at://${dids[0]}/com.huddle.slotOffer/none`, 'at://nobody.test'],
    uri: ['https://app.huddle.example/back', 'http://localhost/', 'javascript:alert(1)'],
    record: offers.map(({ record }) => record),
    bookingId: bookings.map(({ id }) => id),
    slotToken: ['nonsense'],
    email: ['ada@example.com', 'ada@localhost', 'a@b'],
  }
  const generator = new Generator(seed, known)

  const names = Object.keys(methods)
  const statuses = {}
  const complaints = []
  let sent = 0
  const ask = async (caller) => {
    while (sent < REQUESTS && complaints.length < 10) {
      const name = names[sent++ % names.length]
      const { broken, query = '', ...init } = generator.request(name)
      const headers = { ...init.headers, authorization: `Bearer ${await caller.token(name)}` }
      const response = await world.fetch(`/xrpc/com.huddle.${name}${query}`, { ...init, headers })
      const wrong = await complaint(name, response.clone(), broken)
      if (wrong) complaints.push(`${name} ${query} ${init.body ?? ''}\n  ${wrong}`)
      const row = (statuses[name] ??= {})
      row[response.status] = (row[response.status] ?? 0) + 1
      // What a booking was made of may be asked about later.
      if (name === 'match' && response.status === 200 && known.bookingId.length < 50) {
        const { booking } = await response.json()
        if (booking) known.bookingId.push(booking.id)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => ask(callers[n % callers.length])))
  for (const [name, row] of Object.entries(statuses)) t.diagnostic(`${name}: ${JSON.stringify(row)}`)
  assert.deepEqual(complaints, [])
  assert.equal((await (await world.fetch('/healthz')).json()).status, 'ok')
})
