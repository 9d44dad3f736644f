// Calendars stay private and are respected, a meeting shows in them, and both sides get invitations by mail.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isAt } from './harness/calendars.mjs'
import { readInvitations } from './harness/invitations.mjs'
import { part } from './harness/mail.mjs'
import { answered, refused } from './harness/outcome.mjs'
import { at, window } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('calendars', { mailing: true })
after(() => world.stop())

const MORNING = { ...window(9, 240), durations: [30] }

/** How many requests some calendars have got while something was done. */
async function asked(calendars, work) {
  const count = () => calendars.reduce((sum, { asked }) => sum + asked.length, 0)
  const before = count()
  await work()
  return count() - before
}

/** Waits until the event of a booking in a calendar has that status and is at the booking's time; it never is twice. */
const shows = (calendar, booking, status) =>
  until(
    `the calendar shows ${booking.id} as ${status}`,
    () => calendar.event(booking.id),
    (event) => event?.STATUS === status && isAt(event, booking),
  )

/** What the newest of so many letters to somebody says to their calendar program. */
async function invitation(address, count) {
  const letters = await world.mail.count(address, count)
  assert.equal(letters.length, count)
  const letter = letters.at(-1)
  assert.deepEqual(letter.defects, [])
  const { method, text } = part(letter, 'text/calendar')
  const [read] = readInvitations([text])
  assert.equal(read.method, method)
  const unfolded = text.replace(/\r?\n /g, '')
  assert.doesNotMatch(unfolded.replaceAll(address, ''), /@mail\.test/, 'the other side’s address is nobody’s business')
  return { ...read, id: letter.headers['message-id'] }
}

test('a meeting fits two calendars and a feed, shows in a calendar, is mailed to both, moves, and is called off', async (t) => {
  const [radicale, xandikos, feed] = [
    await world.calendar('radicale'),
    await world.calendar('xandikos'),
    await world.feed(),
  ]
  await radicale.add('dentist', at(540), at(600))
  await xandikos.add('school', at(600), at(645))
  feed.add('team', at(660), at(720))
  const host = await world.host('ada', MORNING)
  const guest = await world.person('bob')
  await host.follow(guest)
  await host.connect('caldav', 'events', radicale.account)
  await host.connect('caldav', 'freeBusy', xandikos.account)
  await host.connect('ics', 'freeBusy', feed.account)
  const mailboxes = ['ada@mail.test', 'bob@mail.test']
  await host.readMailAt(mailboxes[0])
  await guest.readMailAt(mailboxes[1])

  const calendars = [radicale, xandikos, feed]
  const dryRun = async () => answered(await guest.match(host, { dryRun: true }))
  const [cold, warm] = [await asked(calendars, dryRun), await asked(calendars, dryRun)]
  t.diagnostic(`requests to two CalDAV accounts and a feed for a match: ${cold} cold, ${warm} warm`)
  assert.ok(cold >= calendars.length, 'each was read')
  assert.equal(warm, 0, 'what was read a moment ago is good enough to propose something')

  const booking = await guest.matched(host, { note: 'Feedback on my talk' })
  assert.ok(booking.start >= at(720), `${booking.start} is taken in one of the calendars`)
  await shows(radicale, booking, 'TENTATIVE')
  assert.equal(await xandikos.event(booking.id), undefined, 'it is read, and never written to')

  const finalized = await asked(calendars, async () => answered(await guest.finalize(booking)))
  t.diagnostic(`requests to them for the final check: ${finalized}`)
  assert.ok(finalized >= calendars.length, 'what is given away for good is asked afresh')
  await guest.until(booking, 'confirmed')
  await shows(radicale, booking, 'CONFIRMED')
  const first = await both(mailboxes, 2)
  for (const { method, uid, sequence, start, description } of first) {
    assert.deepEqual([method, uid, sequence], ['REQUEST', booking.id, 0])
    assert.deepEqual([Date.parse(start), description], [Date.parse(booking.start), 'Feedback on my talk'])
  }

  const later = { earliest: booking.start === at(720) ? at(750) : at(720), latest: at(780) }
  const moved = answered(await guest.reschedule(booking, { constraints: later })).booking
  assert.notEqual(moved.start, booking.start)
  await shows(radicale, moved, 'CONFIRMED')
  const second = await both(mailboxes, 3)
  for (const { method, uid, sequence, start } of second) {
    assert.deepEqual([method, uid, sequence], ['REQUEST', booking.id, moved.sequence])
    assert.equal(Date.parse(start), Date.parse(moved.start))
  }

  answered(await host.cancel(booking, { reason: 'I am ill' }))
  await until(
    'the event is gone',
    () => radicale.event(booking.id),
    (event) => !event,
  )
  const last = await both(mailboxes, 4)
  for (const { method, uid, status } of last) {
    assert.deepEqual([method, uid, status], ['CANCEL', booking.id, 'CANCELLED'])
  }
  for (const side of [0, 1]) {
    const sequences = [first, second, last].map((letters) => letters[side].sequence)
    assert.ok(sequences[0] < sequences[1] && sequences[1] <= sequences[2], String(sequences))
    assert.equal(new Set([first, second, last].map((letters) => letters[side].id)).size, 3)
  }
  assert.ok(await radicale.event('dentist'), 'what is theirs is left alone')
})

/** The newest of so many invitations to each of some mailboxes. */
function both(mailboxes, count) {
  return Promise.all(mailboxes.map((mailbox) => invitation(mailbox, count)))
}

test('what comes into a calendar under a hold is in its way', async () => {
  const radicale = await world.calendar('radicale')
  const host = await world.host('carol', MORNING)
  const guest = await world.person('dave')
  await host.follow(guest)
  await host.connect('caldav', 'events', radicale.account)
  const booking = await guest.matched(host)
  await shows(radicale, booking, 'TENTATIVE')
  await radicale.add('emergency', booking.start, booking.end)
  refused(await guest.finalize(booking), 'SlotTaken')
})

test('a letter leads to a page on which a meeting is called off', async () => {
  const host = await world.host('erin', MORNING)
  const guest = await world.person('frank')
  await guest.readMailAt('frank@mail.test')
  const booking = await guest.confirmed(host)
  const [, letter] = await world.mail.count('frank@mail.test', 2)
  const [link] = part(letter, 'text/plain').text.match(/http\S+cancel-booking\S+/)
  const page = new URL(link)
  assert.equal((await fetch(page)).status, 200)
  assert.equal((await guest.read(booking)).booking.status, 'confirmed', 'looking at it does nothing')
  const body = new URLSearchParams(page.searchParams)
  const done = await fetch(new URL(page.pathname, page), { method: 'POST', body })
  assert.equal(done.status, 200)
  assert.equal((await guest.read(booking)).booking.status, 'canceled')
})

test('keys are changed while all goes on, and without them nobody is taken to be free', async () => {
  const xandikos = await world.calendar('xandikos')
  await xandikos.add('morning', at(540), at(720))
  const host = await world.host('grace', MORNING)
  const guest = await world.person('heidi')
  await host.follow(guest)
  await host.connect('caldav', 'freeBusy', xandikos.account)
  await guest.readMailAt('heidi@mail.test')

  await world.appview.changeKeys()
  const booking = await guest.confirmed(host)
  assert.ok(booking.start >= at(720), `${booking.start} is taken`)
  await world.mail.count('heidi@mail.test', 2)
  const [connector] = answered(await host.call('listConnectors')).connectors
  assert.deepEqual([connector.provider, connector.status], ['caldav', 'connected'])

  await world.appview.loseKeys()
  const other = await world.person('ivan')
  await host.follow(other)
  refused(await other.match(host), 'CalendarUnavailable')
  answered(await host.call('deleteConnector', { connectorId: connector.id }))
  await other.matched(host, { constraints: { earliest: at(540), latest: at(720) } })
})
