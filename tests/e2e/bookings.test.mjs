// What becomes of a booking: it moves, it is called off by either side, and it is nobody else's business.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { methods } from './harness/contract.mjs'
import { answered, refused } from './harness/outcome.mjs'
import { at, half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('bookings')
after(() => world.stop())

/** A host with an afternoon, and a guest whom the host follows. */
async function acquainted(name) {
  const host = await world.host(`${name}-host`, { ...window(12, 240), durations: [30] })
  const guest = await world.person(`${name}-guest`)
  await host.follow(guest)
  return { host, guest }
}

test('either side moves a meeting, which keeps its id and frees its old time', async () => {
  const { host, guest } = await acquainted('moving')
  const booking = await guest.confirmed(host, { constraints: { earliest: at(720), latest: at(750) } })
  assert.equal(booking.start, at(720))

  for (const [person, hour, sequence] of [
    [guest, 13, 1],
    [host, 14, 2],
  ]) {
    const constraints = { earliest: at(hour * 60), latest: at(hour * 60 + 30) }
    const moved = answered(await person.reschedule(booking, { constraints })).booking
    assert.deepEqual([moved.id, moved.start, moved.sequence], [booking.id, at(hour * 60), sequence])
  }
  const other = await world.person('moving-other')
  await host.follow(other)
  await other.confirmedOnceFree(host, { constraints: { earliest: at(720), latest: at(750) } })
})

test('a meeting for which there is no other time stays where it is', async () => {
  const host = await world.host('full-host', half(9))
  const guest = await world.person('full-guest')
  const booking = await guest.confirmed(host)
  const constraints = { earliest: at(600), latest: at(720) }
  refused(await guest.reschedule(booking, { constraints }), 'NoSlot')
  const { booking: now } = await guest.read(booking)
  assert.deepEqual([now.status, now.start, now.sequence], ['confirmed', booking.start, booking.sequence])
})

test('what is not confirmed cannot be moved', async () => {
  const { host, guest } = await acquainted('hasty')
  const booking = await guest.matched(host)
  refused(await guest.reschedule(booking), 'NotConfirmed')
  answered(await guest.cancel(booking))
  refused(await guest.reschedule(booking), 'BookingCanceled')
  refused(await guest.finalize(booking), 'BookingCanceled')
})

for (const side of ['host', 'guest']) {
  test(`the ${side} calls a meeting off, and somebody else gets the time`, async () => {
    const host = await world.host(`${side}-calls-off-h`, half(9))
    const [guest, other] = await world.people(`${side}-calls-off-g`, `${side}-calls-off-o`)
    const booking = await guest.confirmed(host)
    refused(await other.match(host), 'NoSlot')
    const canceler = side === 'host' ? host : guest
    assert.equal(answered(await canceler.cancel(booking)).booking.status, 'canceled')
    assert.equal(answered(await canceler.cancel(booking)).booking.status, 'canceled', 'and again changes nothing')
    const { history } = await (side === 'host' ? guest : host).read(booking)
    assert.deepEqual([history.at(-1).event, history.at(-1).by], ['canceled', side])
    await other.confirmedOnceFree(host)
  })
}

test('a slot that is held is nobody else’s, and one that is given back is', async () => {
  const host = await world.host('patient', half(9))
  const [guest, other] = await world.people('undecided', 'decided')
  const booking = await guest.matched(host)
  refused(await other.match(host), 'NoSlot')
  answered(await guest.cancel(booking))
  await other.confirmedOnceFree(host)
})

test('a guest holds three slots at most, until one is given back', async () => {
  const guest = await world.person('greedy')
  const hosts = []
  for (let n = 0; n < 4; n++) hosts.push(await world.host(`holding-${n}`, half(9 + n)))
  const [first] = [await guest.matched(hosts[0]), await guest.matched(hosts[1]), await guest.matched(hosts[2])]
  refused(await guest.match(hosts[3]), 'TooManyHolds')
  answered(await guest.finalize(first))
  await guest.confirmed(hosts[3])
})

test('nobody is in two meetings at once, on whichever side', async () => {
  const [first, second] = [await world.host('parallel-one', half(9)), await world.host('parallel-two', half(9))]
  const guest = await world.person('parallel-guest')
  await guest.confirmed(first)
  refused(await guest.match(second), 'NoSlot')
  // A host who is a guest elsewhere is not free either.
  const other = await world.person('parallel-other')
  const busy = await world.host('parallel-busy', half(9))
  await busy.confirmed(second)
  refused(await other.match(busy), 'NoSlot')
})

test('other people’s bookings are bookings that do not exist', async () => {
  const { host, guest } = await acquainted('private')
  const booking = await guest.confirmed(host)
  const before = await host.read(booking)
  const stranger = await world.person('private-stranger')
  const takesBooking = Object.entries(methods).filter(([, { parameters, input }]) => {
    const { properties } = parameters ?? input?.schema ?? {}
    return properties?.bookingId
  })
  assert.equal(takesBooking.length, 7, 'methods that take the id of a booking')
  for (const [name] of takesBooking) {
    const theirs = refused(await stranger.call(name, { bookingId: booking.id }), 'BookingNotFound')
    const nobodys = refused(await stranger.call(name, { bookingId: 'a'.repeat(booking.id.length) }), 'BookingNotFound')
    assert.deepEqual([theirs.status, theirs.message], [nobodys.status, nobodys.message], name)
  }
  assert.deepEqual(await host.read(booking), before)
})
