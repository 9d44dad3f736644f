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
/** They all ask at the same time. */
const GUESTS = 7
/** Errors without a declaration in a lexicon, by status. */
const GENERIC = {
  400: ['InvalidRequest'],
  413: ['PayloadTooLarge'],
  429: ['RateLimitExceeded'],
  503: ['NotEnoughResources'],
}

/** The most of all requests that may be put off. */
const PUT_OFF = 0.01
/** By which nobody gets more than a few letters a day, whatever the limits are. */
const LETTERS = 'requestEmailConfirmation'
/** What succeeds for nobody here: they have no letter with a token, no calendar, and a repository that is their own. */
const OUT_OF_REACH = ['confirmEmail', 'createOffer', 'deleteConnector', 'deleteOffer']
/** How often what can succeed, and has not by then, is asked again by each caller. */
const MORE_TRIES = 100

const world = await World.start('generated', {
  mailing: true,
  limits: {
    petitions_per_guest: 100,
    petitions_per_guest_and_host: 10,
    disclosures_per_week: 1000,
    disclosures_per_guest: 1000,
    meetings_per_stranger_and_host: 100,
    holds_per_guest: 100,
    holds_per_guest_and_host: 10,
    cooldown_first_secs: 0,
    cooldown_second_secs: 0,
    cooldown_further_secs: 0,
  },
})
after(() => world.stop())

/** Whether a method is about one booking. */
function takesBooking(name) {
  const { parameters, input } = methods[name]
  return 'bookingId' in ((parameters ?? input?.schema)?.properties ?? {})
}

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
  const guests = await Promise.all(Array.from({ length: GUESTS }, () => world.keyHolder()))
  const offers = (await Promise.all(hosts.map((host) => world.offers(host)))).flat()
  const [hostDids, guestDids] = [hosts.map(({ did }) => did), guests.map(({ did }) => did)]
  const [nobody, noOffer] = ['did:plc:aaaabbbbccccddddeeeeffff', `at://${hostDids[0]}/com.huddle.slotOffer/none`]
  const shared = {
    hostDid: [...hostDids, ...hostDids, guestDids[0], nobody],
    record: offers.map(({ record }) => record),
    email: ['ada@example.com', 'ada@localhost', 'a@b'],
  }
  const formats = {
    did: [...hostDids, ...guestDids, 'did:web:localhost', nobody],
    'at-identifier': [...hostDids, ...guestDids, 'nobody.test'],
    'at-uri': [...offers.map(({ uri }) => uri), noOffer, 'at://nobody.test'],
    uri: ['https://app.huddle.example/back', 'http://localhost/', 'javascript:alert(1)'],
  }
  const everything = Object.keys(methods)
  const [, , host] = hosts
  /** Whoever calls: the guests, and a host who looks after their bookings. Each asks of what they know. */
  const callers = [
    ...guests.map((guest) => ({ did: guest.did, token: (method) => guest.token(method), names: everything })),
    { did: host.did, token: (method) => host.token({ method }), names: everything.filter(takesBooking) },
  ].map((caller, n) => {
    const fields = { ...shared, bookingId: [], slotToken: [] }
    return { ...caller, fields, generator: new Generator(seed + n, { fields, formats }) }
  })
  const note = (did, field, values) => {
    const fields = callers.find((caller) => caller.did === did)?.fields
    if (fields) fields[field] = [...new Set([...values, ...fields[field]])].slice(0, 20)
  }
  /** Notes what later requests of somebody, and of the other side of a booking, can be about. */
  const learn = (did, { booking, slots = [] }) => {
    const tokens = slots.map(({ slotToken }) => slotToken)
    note(did, 'slotToken', tokens)
    for (const party of booking ? [booking.guestDid, booking.hostDid] : []) note(party, 'bookingId', [booking.id])
  }
  const post = (guest, name, input) => {
    const body = JSON.stringify({ idempotencyKey: crypto.randomUUID(), ...input })
    return guest.send(name, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  }
  /** Has everybody ask for meetings, and some confirm them, so that there are bookings of every kind to look after. */
  const book = async () => {
    for (const [n, guest] of guests.entries()) {
      for (const hostDid of [hosts[0].did, host.did]) {
        const { status, body } = await post(guest, 'match', { hostDid })
        if (status !== 200) continue
        learn(guest.did, body)
        if (hostDid === hosts[0].did && n % 2 === 1) await post(guest, 'finalize', { bookingId: body.booking.id })
      }
    }
  }
  await book()
  // One booking everybody knows of.
  for (const { did } of callers) note(did, 'bookingId', callers[0].fields.bookingId.slice(-1))

  const statuses = Object.fromEntries(everything.map((name) => [name, {}]))
  /** The first of each kind. */
  const complaints = new Map()
  let [sent, putOff] = [0, 0]
  const ask = async ({ did, token, generator }, name) => {
    const { broken, query = '', ...init } = generator.request(name)
    const headers = { ...init.headers, authorization: `Bearer ${await token(name)}` }
    const response = await world.fetch(`/xrpc/com.huddle.${name}${query}`, { ...init, headers })
    const { status } = response
    const wrong = await complaint(name, response.clone(), broken)
    const kind = `${name} ${status} ${wrong?.slice(0, 30)}`
    if (wrong && !complaints.has(kind)) complaints.set(kind, `${name} ${query} ${init.body ?? ''}\n  ${wrong}`)
    statuses[name][status] = (statuses[name][status] ?? 0) + 1
    if (status === 503 || (status === 429 && name !== LETTERS)) putOff += 1
    if (['match', 'listSlots'].includes(name) && status === 200) learn(did, await response.json())
  }
  const askAll = async (caller) => {
    for (let n = 0; sent++ < REQUESTS; n++) await ask(caller, caller.names[n % caller.names.length])
  }
  await Promise.all(callers.map(askAll))
  // What is asked again is none of the REQUESTS.
  const putOffAtFirst = putOff
  const isUnreached = (name) => !statuses[name][200] && !OUT_OF_REACH.includes(name)
  for (let tries = 0; tries < MORE_TRIES && everything.some(isUnreached); tries++) {
    if (tries % 10 === 0) await book()
    for (const caller of callers) for (const name of caller.names.filter(isUnreached)) await ask(caller, name)
  }
  for (const [name, row] of Object.entries(statuses)) t.diagnostic(`${name}: ${JSON.stringify(row)}`)
  assert.deepEqual([...complaints.values()], [])
  assert.equal((await (await world.fetch('/healthz')).json()).status, 'ok')

  assert.ok(putOffAtFirst <= PUT_OFF * REQUESTS, `${putOffAtFirst} of ${REQUESTS} requests were put off`)
  const unreached = everything.filter(isUnreached)
  assert.deepEqual(unreached, [], `none of these has succeeded: ${unreached.join(', ')}`)
})
