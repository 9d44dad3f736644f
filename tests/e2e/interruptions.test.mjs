// Servers restart, connections end without a word, the AppView is away for a while: nothing that was written is lost.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { half, window } from './harness/times.mjs'
import { PATIENCE_MILLIS, until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('interruptions')
after(() => world.stop())

/**
 * A Worker's object that was ended is back within half a minute, and so is a connection that has failed time and again;
 * a request of which nobody heard meanwhile is looked at within a minute.
 */
const BACK = { patience: 2 * PATIENCE_MILLIS }

/** Has a host write some offers, and gives their addresses. */
async function write(host, count) {
  const uris = []
  for (let n = 0; n < count; n++) uris.push((await host.offer(half(9 + n))).uri)
  return uris
}

/** Waits until exactly these records of a host are listed. */
function listedExactly(host, uris) {
  const expected = String(uris.toSorted())
  const ask = async () => (await world.offers(host)).map(({ uri }) => uri).sort()
  const isIt = (listed) => String(listed) === expected
  return until(`${uris.length} offers of ${host.handle} are listed`, ask, isIt, BACK)
}

test('connections that are cut while records are written lose none of them', async () => {
  const host = await world.host('ada', half(8))
  const [{ uri }] = await world.offers(host)
  const uris = [uri]
  for (let n = 0; n < 3; n++) {
    uris.push(...(await write(host, 2)))
    await until(
      'the AppView listens',
      () => world.network.cutFirehose(),
      (cut) => cut > 0,
      BACK,
    )
    uris.push(...(await write(host, 2)))
    await listedExactly(host, uris)
  }
})

test('a relay that is away for a while is heard again', async () => {
  const host = await world.host('grace', half(8))
  const uris = [(await world.offers(host))[0].uri]
  await world.network.stop('relay')
  uris.push(...(await write(host, 3)))
  await world.network.resume('relay')
  uris.push(...(await write(host, 3)))
  await listedExactly(host, uris)
})

test('a server that restarts goes on where it was', async () => {
  const host = await world.host('bob', half(8))
  const uris = [(await world.offers(host))[0].uri, ...(await write(host, 3))]
  await world.network.restart(host.server)
  await host.signIn()
  uris.push(...(await write(host, 3)))
  await listedExactly(host, uris)
})

test('what is written while the AppView is away is known when it is back, deletions included', async () => {
  const host = await world.host('carol', half(8))
  const [{ uri }] = await world.offers(host)
  const guest = await world.person('dave')
  await world.appview.stop()
  const uris = await write(host, 4)
  await host.remove(uri)
  const request = await guest.ask(host)
  await world.appview.start()
  await listedExactly(host, uris)
  const find = async () => (await guest.bookings()).find(({ requestUri }) => requestUri === request.uri)
  await until('the request is answered', find, (booking) => booking?.status === 'confirmed', BACK)
})

test('whoever follows the firehose is ended time and again, and nothing is lost or done twice', async () => {
  const host = await world.host('judy', half(8), { ...window(12, 180), durations: [30] })
  const guests = await world.people('mike', 'nina', 'oscar')
  // Strangers hear of few times, and who comes last may find all of those taken.
  for (const guest of guests) await host.follow(guest)
  const uris = (await world.offers(host)).map(({ uri }) => uri)
  const requests = []
  for (const guest of guests) {
    requests.push(await guest.ask(host))
    await world.appview.interrupt()
    uris.push(...(await write(host, 1)))
  }
  await listedExactly(host, uris)
  for (const [n, guest] of guests.entries()) {
    const bookings = await until(
      `${guest.handle} has a meeting`,
      () => guest.bookings(),
      ([booking]) => booking?.status === 'confirmed',
      BACK,
    )
    assert.deepEqual(
      bookings.map(({ requestUri }) => requestUri),
      [requests[n].uri],
    )
  }
})

test('bookings outlive the AppView’s restart', async () => {
  const host = await world.host('erin', half(9))
  const guest = await world.person('frank')
  const booking = await guest.matched(host)
  await world.appview.restart()
  assert.deepEqual((await guest.read(booking)).booking, booking)
  await guest.finalize(booking)
  await guest.until(booking, 'confirmed')
})

test('a server that nobody reaches does not keep others from being heard', async () => {
  const [one, other] = [await world.host('heidi', half(8)), await world.host('ivan', half(8))]
  assert.notEqual(one.server, other.server)
  const uris = [(await world.offers(other))[0].uri]
  await world.network.stop(one.server)
  try {
    uris.push(...(await write(other, 3)))
    await listedExactly(other, uris)
  } finally {
    await world.network.resume(one.server)
  }
  await one.signIn()
  await listedExactly(one, [(await world.offers(one))[0].uri, (await one.offer(half(10))).uri])
})
