// Requests that are sent again do nothing twice, through the proxy that drops the Idempotency-Key header.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('replays', { limits: { holds_per_guest_and_host: 10, holds_per_guest: 100 } })
after(() => world.stop())

test('the same request gets the same booking, however often it comes', async () => {
  const host = await world.host('ada', { ...window(9, 240), durations: [30] })
  const guest = await world.person('bob')
  const idempotencyKey = randomUUID()
  const first = await guest.matched(host, { idempotencyKey })
  for (let n = 0; n < 3; n++) assert.equal((await guest.matched(host, { idempotencyKey })).id, first.id)
  await guest.listed(1, 'held')

  const finalizeKey = randomUUID()
  const finalize = () => guest.finalize(first, { idempotencyKey: finalizeKey })
  const confirmed = answered(await finalize())
  answered(await guest.cancel(first))
  assert.deepEqual(answered(await finalize()), confirmed, 'what was answered is answered again')
  assert.equal((await guest.read(first)).booking.status, 'canceled', 'and not done again')
})

test('requests that come at the same time make one booking', async () => {
  const host = await world.host('carol', { ...window(9, 240), durations: [30] })
  const guest = await world.person('dave')
  const idempotencyKey = randomUUID()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => guest.match(host, { idempotencyKey })))
  const ids = new Set()
  for (const outcome of outcomes) {
    if (outcome.status === 200) ids.add(outcome.body.booking.id)
    else refused(outcome, 'IdempotencyInFlight')
  }
  assert.equal(ids.size, 1)
  await guest.listed(1, 'held')
})

test('a key belongs to one request of one caller', async () => {
  const host = await world.host('erin', { ...window(9, 240), durations: [30] })
  const [guest, other] = await world.people('frank', 'grace')
  const idempotencyKey = randomUUID()
  const booking = await guest.matched(host, { idempotencyKey })
  refused(await guest.match(host, { idempotencyKey, note: 'Something else' }), 'IdempotencyMismatch')
  assert.notEqual((await other.matched(host, { idempotencyKey })).id, booking.id)
  assert.equal(answered(await guest.finalize(booking, { idempotencyKey })).booking.status, 'confirmed')
})

test('without a key nothing is changed', async () => {
  const host = await world.host('heidi', half(9))
  const guest = await world.person('ivan')
  const idempotencyKey = undefined
  refused(await guest.match(host, { idempotencyKey }), 'IdempotencyKeyRequired')
  const booking = await guest.matched(host)
  refused(await guest.finalize(booking, { idempotencyKey }), 'IdempotencyKeyRequired')
  refused(await guest.cancel(booking, { idempotencyKey }), 'IdempotencyKeyRequired')
  assert.equal((await guest.read(booking)).booking.status, 'held')
})

test('the header counts where it arrives, and a proxy drops it', async () => {
  const host = await world.host('judy', half(9))
  const guest = await world.person('kim')
  const init = {
    method: 'POST',
    body: JSON.stringify({ hostDid: host.did }),
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
  }
  refused(await guest.raw('match', init), 'IdempotencyKeyRequired')
  const send = async () => world.send('match', await guest.token({ method: 'match' }), init)
  const { booking } = answered(await send())
  assert.equal(answered(await send()).booking.id, booking.id)
})
