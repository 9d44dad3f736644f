// Who is not who they say, and what is no request: the declared error, and nothing is changed.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { methods } from './harness/contract.mjs'
import { answered, refused } from './harness/outcome.mjs'
import { half } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('tokens')
after(() => world.stop())

const PUBLIC = ['listOffers', 'searchHosts']
const MOST_BODY_BYTES = 256 << 10

let host, guest, booking, holder

before(async () => {
  host = await world.host('ada', half(9))
  guest = await world.person('bob')
  booking = await guest.confirmed(host)
  for (const person of [host, guest]) await person.listed(1, 'confirmed')
  holder = await world.keyHolder()
})

/** What the people here can see of what is kept. */
async function kept() {
  const views = []
  for (const person of [host, guest]) {
    views.push(await person.bookings(), answered(await person.call('getPreferences')), await person.read(booking))
  }
  return [...views, await world.offers(host)]
}

/** An input that every method understands enough to look for who is calling. */
function requestOf(name) {
  const { type, parameters, input } = methods[name]
  const values = { bookingId: booking.id, hostDid: host.did, provider: 'ics', connectorId: 'c7m2p4', token: 'nonsense' }
  values.email = 'ada@example.com'
  values.url = 'https://app.example/hook'
  values.uri = `at://${host.did}/com.huddle.slotOffer/3kaaaaaaaaaa2`
  values.record = { $type: 'com.huddle.slotOffer', ...half(9), policy: 'anyone', createdAt: new Date().toISOString() }
  values.preferences = {}
  const schema = type === 'query' ? parameters : input.schema
  const needed = Object.fromEntries((schema?.required ?? []).map((field) => [field, values[field]]))
  if (type === 'query') return { query: `?${new URLSearchParams(needed)}` }
  const body = JSON.stringify({ ...needed, idempotencyKey: crypto.randomUUID() })
  return { method: 'POST', body, headers: { 'content-type': 'application/json' } }
}

/** Tries something with each of some methods, and checks that all of it has changed nothing. */
function withEach(title, names, attempt) {
  test(title, async (t) => {
    const before = await kept()
    for (const name of names) await t.test(name, () => attempt(name))
    assert.deepEqual(await kept(), before)
  })
}

const NAMES = Object.keys(methods)
const PRIVATE = NAMES.filter((name) => !PUBLIC.includes(name))
const PROCEDURES = NAMES.filter((name) => methods[name].type === 'procedure')

withEach('whoever does not say who they are may call the public methods alone', PRIVATE, async (name) => {
  refused(await world.send(name, undefined, requestOf(name)), 'AuthenticationRequired', 401)
})

withEach('no token that is not right is taken', NAMES, async (name) => {
  const now = Math.floor(Date.now() / 1000)
  const good = await holder.token(name)
  const [head, claims, signature] = good.split('.')
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), iss: guest.did }))
  for (const [error, token] of [
    ['BadJwtAudience', await holder.token(name, { aud: 'did:web:other.example' })],
    ['BadJwtLexiconMethod', await holder.token(name, { lxm: 'com.huddle.somethingElse' })],
    ['BadJwtLexiconMethod', await holder.token(name, { lxm: undefined })],
    ['JwtExpired', await holder.token(name, { iat: now - 240, exp: now - 120 })],
    ['BadJwtSignature', `${head}.${forged.toString('base64url')}.${signature}`],
    ['BadJwtSignature', await holder.token(name, {}, { alg: 'ES256' })],
    ['BadJwtIss', await holder.token(name, { iss: 'did:plc:aaaabbbbccccddddeeeeffff' })],
    ['BadJwt', await holder.token(name, { exp: now + 3600 })],
    ['BadJwt', await holder.token(name, { iat: now + 3600, exp: now + 3660 })],
    ['BadJwt', await holder.token(name, {}, { alg: 'none' })],
    ['BadJwtSignature', `${head}.${claims}.`],
    ['BadJwt', `${good}.more`],
    ['BadJwt', 'nonsense'],
  ]) {
    refused(await world.send(name, token, requestOf(name)), error, 401)
  }
})

test('a token is good once, whoever signed it', async () => {
  const nameless = await holder.token('listBookings', { jti: undefined })
  for (const token of [await guest.token({ method: 'listBookings' }), await holder.token('listBookings'), nameless]) {
    answered(await world.send('listBookings', token))
    refused(await world.send('listBookings', token), 'JwtReplayed', 401)
  }
  const calls = Array.from({ length: 8 }, () => undefined)
  const token = await holder.token('listBookings')
  const outcomes = await Promise.all(calls.map(() => world.send('listBookings', token)))
  assert.equal(outcomes.filter(({ status }) => status === 200).length, 1, 'and once when it comes at the same time')
})

withEach('no method takes a token twice', NAMES, async (name) => {
  const token = await holder.token(name)
  const { status } = await world.send(name, token, requestOf(name))
  assert.notEqual(status, 401, 'it is good for a first time')
  refused(await world.send(name, token, requestOf(name)), 'JwtReplayed', 401)
})

test('a real server’s token counts with the bare DID, and with the service in it', async () => {
  for (const aud of [world.service, `${world.service}#huddle_appview`]) {
    answered(await world.send('listBookings', await guest.token({ method: 'listBookings', aud })))
  }
  const aud = `${world.service}#other_service`
  refused(await world.send('listBookings', await guest.token({ method: 'listBookings', aud })), 'BadJwtAudience', 401)
})

withEach('a method has one verb', NAMES, async (name) => {
  const request = requestOf(name)
  const wrong = request.method ? { query: '?bookingId=a' } : { ...request, method: 'POST' }
  refused(await world.send(name, await guest.token({ method: name }), wrong), 'InvalidRequest', 405)
})

/** Sends a body without an end, and gives the status of the answer, or how the connection ended. */
function sendEndlessly(name, headers) {
  const { promise, resolve } = Promise.withResolvers()
  const sent = request(`${world.url}/xrpc/com.huddle.${name}`, { method: 'POST', headers }, ({ statusCode }) => {
    resolve(statusCode)
    sent.destroy()
  })
  sent.on('error', ({ code }) => resolve(code))
  const space = Buffer.alloc(65_536, ' ')
  const send = () => {
    while (sent.write(space));
    sent.once('drain', send)
  }
  send()
  return promise
}

withEach('a body that is too long, in another encoding, or no JSON is refused', PROCEDURES, async (name) => {
  const json = { 'content-type': 'application/json' }
  const long = JSON.stringify({ ...JSON.parse(requestOf(name).body), more: 'x'.repeat(MOST_BODY_BYTES) })
  for (const [error, status, body, headers] of [
    ['PayloadTooLarge', 413, long, json],
    ['UnsupportedMediaType', 415, 'bookingId=a', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['InvalidRequest', 400, '{"bookingId": ', json],
    ['InvalidRequest', 400, '[]', json],
    ['InvalidRequest', 400, '{"idempotencyKey": 7}', json],
    ['InvalidRequest', 400, '['.repeat(100_000), json],
  ]) {
    refused(await world.send(name, await holder.token(name), { method: 'POST', body, headers }), error, status)
  }
  const ended = await sendEndlessly(name, { ...json, authorization: `Bearer ${await holder.token(name)}` })
  assert.ok([413, 'ECONNRESET', 'EPIPE'].includes(ended), `${name}: ${ended}`)
})

/** The fields that a method takes. */
const fieldsOf = (name) => Object.keys((methods[name].parameters ?? methods[name].input?.schema)?.properties ?? {})

const TAKING = NAMES.filter((name) => fieldsOf(name).length > 0)

withEach('what breaks a lexicon comes back through a server as what it is', TAKING, async (name) => {
  const { body, ...request } = requestOf(name)
  const broken = body
    ? { ...request, body: JSON.stringify({ ...JSON.parse(body), idempotencyKey: 7 }) }
    : { query: `?${new URLSearchParams({ [fieldsOf(name)[0]]: 'x'.repeat(700) })}` }
  refused(await guest.raw(name, broken), 'InvalidRequest')
})

/** Methods that take a field of this name. */
const takingField = (field) => NAMES.filter((name) => fieldsOf(name).includes(field))

test('other people’s calendars and offers are as if they were not there', async () => {
  const feed = await world.feed()
  feed.add('team', half(11).start, half(11).end)
  await host.connect('ics', 'freeBusy', feed.account)
  const before = answered(await host.call('listConnectors')).connectors
  const [{ uri }] = await world.offers(host)
  const [nobodys, noOffer] = ['c7m2p4', `at://${host.did}/com.huddle.slotOffer/3kaaaaaaaaaa2`]
  const tried = [
    ...takingField('connectorId').map((name) => [name, 'connectorId', before[0].id, nobodys, 'ConnectorNotFound']),
    ...takingField('uri').map((name) => [name, 'uri', uri, noOffer, 'OfferNotFound']),
  ]
  assert.deepEqual(
    tried.map(([name]) => name),
    ['deleteConnector', 'getConnectUrl', 'deleteOffer'],
  )
  for (const [name, field, theirs, absent, error] of tried) {
    const ask = async (value) => refused(await guest.call(name, { provider: 'ics', [field]: value }), error)
    assert.equal((await ask(theirs)).message, (await ask(absent)).message, name)
  }
  assert.deepEqual(
    answered(await host.call('listConnectors')).connectors.map(({ id }) => id),
    before.map(({ id }) => id),
  )
  assert.deepEqual(
    (await world.offers(host)).map((offer) => offer.uri),
    [uri],
  )
})

test('what a server passes on that is no request comes back as what it is', async () => {
  refused(await guest.raw('makeCoffee'), 'MethodNotImplemented', 501)
  refused(await guest.raw('listOffers', { query: '?host=not+a+handle' }), 'InvalidRequest')
})
