// A `com.huddle.bookingRequest` record is enough to ask for a meeting: no call to any AppView is made.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { refused } from './harness/outcome.mjs'
import { at, half } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('requests')
after(() => world.stop())

/** The booking that answers a record, as soon as it stands so. */
const answeredBy = (person, uri, status) => {
  const find = async () => (await person.bookings()).find(({ requestUri }) => requestUri === uri)
  return until(`${uri} is ${status}`, find, (booking) => booking?.status === status)
}

test('a record alone leads to a confirmed meeting, which both sides see', async () => {
  const host = await world.host('ada', half(9))
  const guest = await world.person('bob')
  const { uri } = await guest.ask(host, {
    constraints: { durationMin: 30, tz: 'Asia/Tokyo' },
    note: 'Feedback on my talk',
  })
  const booking = await answeredBy(host, uri, 'confirmed')
  assert.deepEqual([booking.guestDid, booking.start, booking.note], [guest.did, half(9).start, 'Feedback on my talk'])
  assert.equal((await answeredBy(guest, uri, 'confirmed')).id, booking.id)
  const { history } = await guest.read(booking)
  assert.equal(history[0].event, 'requested')
})

test('policies and blocks hold for records as for calls', async () => {
  const host = await world.host('carol', { ...half(9), policy: 'connected' })
  const [stranger, known, blocked] = await world.people('dave', 'erin', 'frank')
  for (const guest of [known, blocked]) await host.follow(guest)
  await host.block(blocked)
  for (const guest of [stranger, blocked]) await guest.ask(host)
  const { uri } = await known.ask(host)
  await answeredBy(host, uri, 'confirmed')
  for (const guest of [stranger, blocked]) {
    const isUnmatched = (lines) => lines.some(({ kind }) => kind === 'requestUnmatched')
    await until(`the request of ${guest.name} is unmatched`, () => guest.exported(), isUnmatched)
    for (const { status } of await guest.bookings()) assert.equal(status, 'expired')
  }
})

test('a request that waits for approval is withdrawn by its status, or by its deletion', async () => {
  const host = await world.host('grace', { ...half(9), mode: 'approve' })
  const [heidi, ivan] = await world.people('heidi', 'ivan')
  const [first, second] = [await heidi.ask(host), await ivan.ask(host)]
  const waiting = [await answeredBy(host, first.uri, 'pending'), await answeredBy(host, second.uri, 'pending')]

  const { value } = (
    await heidi.agent.com.atproto.repo.getRecord({
      repo: heidi.did,
      collection: 'com.huddle.bookingRequest',
      rkey: first.uri.split('/').at(-1),
    })
  ).data
  await heidi.put(first.uri, { ...value, status: 'withdrawn' })
  await ivan.remove(second.uri)
  await heidi.until(waiting[0], 'canceled')
  await ivan.until(waiting[1], 'canceled')
  for (const booking of waiting) refused(await host.approve(booking), 'BookingCanceled')
})

test('other constraints in the same record are a new request', async () => {
  const host = await world.host('judy', { ...half(9), mode: 'approve' })
  const guest = await world.person('kim')
  const { uri } = await guest.ask(host, { constraints: { durationMin: 30 } })
  const first = await answeredBy(guest, uri, 'pending')
  await guest.put(uri, { hostDid: host.did, constraints: {} })
  const ask = async () => (await guest.bookings()).filter(({ requestUri }) => requestUri === uri)
  const both = await until('there is a second request', ask, ({ length }) => length > 1)
  assert.equal(new Set(both.map(({ id }) => id)).size, 2)
  await guest.until(first, 'canceled')
})

test('what has passed, is old, or says of itself how it stands, counts for nothing', async () => {
  const host = await world.host('leo', half(9), half(11))
  const guest = await world.person('mia')
  const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString()
  const ignored = [
    await guest.ask(host, { constraints: { latest: '2020-01-01T00:00:00.000Z' } }),
    await guest.ask(host, { createdAt: yesterday }),
    await guest.ask(host, { status: 'withdrawn' }),
  ]
  const { uri } = await guest.ask(host, { status: 'confirmed', constraints: { latest: at(12 * 60) } })
  await answeredBy(guest, uri, 'confirmed')
  // A repository's records come in the order in which they were written.
  const uris = (await guest.bookings()).map(({ requestUri }) => requestUri)
  for (const record of ignored) assert.ok(!uris.includes(record.uri), record.uri)
})

test('a record that was answered is one booking, though the connection is cut afterwards', async () => {
  const host = await world.host('nina', half(9), half(11))
  const guest = await world.person('omar')
  const { uri } = await guest.ask(host)
  const booking = await answeredBy(guest, uri, 'confirmed')
  await world.network.cutFirehose()
  const { uri: later } = await host.offer(half(13))
  await world.listed(host, later)
  const again = (await guest.bookings()).filter(({ requestUri }) => requestUri === uri)
  assert.deepEqual(
    again.map(({ id, status }) => [id, status]),
    [[booking.id, 'confirmed']],
  )
})
