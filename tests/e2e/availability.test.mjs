// Availability that hosts have published for another scheduling app is office hours here.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('availability')
after(() => world.stop())

const TZ = 'Europe/Berlin'
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]

/** A record as that app writes it: every day from nine to five, for three quarters of an hour. */
const availability = (autoAccept) => ({
  title: 'Ask me anything',
  duration: 45,
  bookingRules: { autoAccept },
  timeSlots: EVERY_DAY.map((dayOfWeek) => ({ dayOfWeek, startTime: '09:00', endTime: '17:00', timezone: TZ })),
  bufferBefore: 5,
  bufferAfter: 5,
})

/** Somebody who has published nothing but that, once the AppView knows. */
async function hostWith(name, autoAccept) {
  const host = await world.host(name)
  const { uri, cid } = await host.create('social.schedule.availability', availability(autoAccept))
  await world.listed(host, uri, cid)
  return { host, uri }
}

/** Local hours and minutes of a moment. */
const clock = (moment) => new Date(moment).toLocaleTimeString('en-GB', { timeZone: TZ, timeStyle: 'short' })

/** Checks that a booking is within what was published. */
function isWithin({ start, end }) {
  assert.equal(Date.parse(end) - Date.parse(start), 45 * 60_000)
  assert.ok(clock(start) >= '09:00' && clock(end) <= '17:00', `${clock(start)} to ${clock(end)} in ${TZ}`)
}

test('whoever is accepted by itself books within it, and both sides see the meeting', async () => {
  const { host, uri } = await hostWith('ada', 'all')
  const [offer] = await world.offers(host)
  assert.deepEqual([offer.uri, offer.hostDid], [uri, host.did])
  const guest = await world.person('bob')
  const booking = await guest.confirmed(host)
  isWithin(booking)
  for (const person of [host, guest]) {
    const [listed] = await person.listed(1, 'confirmed')
    assert.deepEqual([listed.id, listed.start], [booking.id, booking.start])
  }
})

test('it admits those alone whom its host accepts: the followed by themselves, the others once the host says yes', async () => {
  const { host: choosy } = await hostWith('carol', 'follows')
  const [followed, stranger] = await world.people('dave', 'erin')
  await choosy.follow(followed)
  refused(await stranger.match(choosy), 'NoSlot')
  isWithin(await followed.confirmed(choosy))

  const { host: asked } = await hostWith('frank', 'manual')
  const waiting = await stranger.matched(asked)
  assert.deepEqual([waiting.status, waiting.waitingFor], ['pending', 'approval'])
  answered(await asked.approve(waiting))
  isWithin((await stranger.until(waiting, 'confirmed')).booking)
})

test('a request that is a record is answered by it, and it follows the record', async () => {
  const { host, uri } = await hostWith('grace', 'all')
  const guest = await world.person('heidi')
  await guest.ask(host, { constraints: { durationMin: 45 } })
  isWithin((await guest.listed(1, 'confirmed'))[0])

  const { cid } = await host.put(uri, { ...availability('all'), timeSlots: [] })
  await world.listed(host, uri, cid)
  const late = await world.person('ivan')
  refused(await late.match(host), 'NoSlot')
  await host.remove(uri)
  await world.unlisted(host)
})

test('whoever has named nobody to schedule for them is not among the hosts, whatever they have published', async () => {
  const person = await world.person('judy')
  const { uri, cid } = await person.create('social.schedule.availability', availability('all'))
  await world.listed(person, uri, cid)
  const found = async () => answered(await world.get('searchHosts', { limit: 100 })).hosts.map(({ did }) => did)
  assert.ok(!(await found()).includes(person.did))
  await person.choose(world.service)
  await until('they are found', found, (dids) => dids.includes(person.did))
})
