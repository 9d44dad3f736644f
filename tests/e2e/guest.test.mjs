// What a guest's app does, from finding a host to calling the meeting off: with the client that `@atproto/lex` makes of
// our lexicons, which refuses answers that break them.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { WEEK, window } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('guest')
after(() => world.stop())

test('a guest finds a host, asks, accepts, downloads the invitation, moves the meeting, and calls it off', async () => {
  const host = await world.host('ada', { ...window(9, 240), durations: [30], note: 'Portfolio reviews' })
  const guest = await world.person('bob')
  // Strangers cannot ask for an hour of their choice.
  await host.follow(guest)

  const found = answered(await guest.call('searchHosts')).hosts
  assert.deepEqual(
    found.map(({ did, policies, modes }) => ({ did, policies, modes })),
    [{ did: host.did, policies: ['anyone'], modes: ['auto'] }],
  )
  const [offer] = answered(await guest.call('listOffers', { host: found[0].did })).offers
  assert.equal(offer.record.note, 'Portfolio reviews')

  const matched = answered(await guest.match(host, { offerUri: offer.uri, note: 'Feedback on my talk' }))
  assert.equal(matched.guestSide, 'unchecked', 'no calendar is connected')
  const { booking } = matched
  assert.deepEqual([booking.status, booking.hostDid, booking.guestDid], ['held', host.did, guest.did])
  assert.ok(booking.start >= offer.record.start && booking.end <= offer.record.end, JSON.stringify(booking))
  assert.ok(booking.holdExpiresAt > new Date().toISOString())

  const confirmed = answered(await guest.finalize(booking)).booking
  assert.deepEqual([confirmed.status, confirmed.start], ['confirmed', booking.start])
  assert.equal((await host.read(booking)).booking.note, 'Feedback on my talk')

  const invitation = await icsOf(guest, booking)
  assert.match(invitation, new RegExp(`^UID:${booking.id}\\r$`, 'm'))
  assert.match(invitation, /^METHOD:REQUEST\r$/m)
  assert.match(invitation, new RegExp(`^DTSTART:${confirmed.start.replace(/[-:]|\.\d+/g, '')}\\r$`, 'm'))

  const later = { earliest: window(11, 0).start, latest: window(13, 0).end }
  const moved = answered(await guest.reschedule(booking, { constraints: later })).booking
  assert.deepEqual([moved.status, moved.id, moved.sequence], ['confirmed', booking.id, confirmed.sequence + 1])
  assert.ok(moved.start >= later.earliest, moved.start)

  const canceled = answered(await guest.cancel(booking, { reason: 'I am ill' })).booking
  assert.equal(canceled.status, 'canceled')
  const { booking: seen, history } = await host.read(booking)
  assert.deepEqual([seen.status, seen.reason], ['canceled', 'I am ill'])
  const events = history.map(({ event }) => event)
  assert.deepEqual(events, ['requested', 'held', 'confirmed', 'rescheduled', 'canceled'])
  assert.match(await icsOf(guest, booking), /^METHOD:CANCEL\r$/m)
})

test('nobody books themselves, and nobody books a host who is served elsewhere', async () => {
  const host = await world.host('carol', { ...window(9, 120) })
  refused(await host.match(host), 'SelfBooking')

  const elsewhere = await world.host('dora', { ...window(9, 120) })
  const guest = await world.person('erin')
  answered(await guest.match(elsewhere, { dryRun: true }))
  await elsewhere.choose('did:web:elsewhere.example')
  const ask = () => guest.match(elsewhere, { dryRun: true })
  const isTold = ({ error }) => error === 'ServedElsewhere'
  refused(await until('the host is served elsewhere', ask, isTold), 'ServedElsewhere')
})

test('office hours are booked in the time zone of the host', async () => {
  const rules = [{ days: WEEK, start: '09:00', end: '09:30' }]
  const host = await world.host('frida', { rules, tz: 'America/New_York', durations: [30] })
  const booking = await (await world.person('gil')).matched(host)
  const clock = new Intl.DateTimeFormat('en', { timeZone: 'America/New_York', timeStyle: 'short', hourCycle: 'h23' })
  assert.equal(clock.format(new Date(booking.start)), '09:00')
  assert.equal(booking.tz, 'America/New_York')
})

async function icsOf(person, booking) {
  const body = answered(await person.call('getBookingIcs', { bookingId: booking.id }))
  return Buffer.from(body).toString()
}
