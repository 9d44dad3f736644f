// What strangers get to know, however many of them ask, and what never leaves.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { canary, laidOpen, privateEvent } from './harness/canaries.mjs'
import { methods } from './harness/contract.mjs'
import { answered, refused } from './harness/outcome.mjs'
import { at, half, WEEK, window } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('privacy', { tapped: true, mailing: true })
after(() => world.stop())

const STRANGERS = 50
/** What strangers are told of one week of a host, all of them together. */
const WEEKLY_BUDGET = 40
/** What one guest is told of one day. */
const DAILY = 6

/** The Monday in UTC of the week of a moment. */
function weekOf(moment) {
  const day = new Date(moment.slice(0, 10))
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  return day.toISOString().slice(0, 10)
}

test('fifty strangers learn no more of a host than one', async (t) => {
  const hours = { rules: [{ days: WEEK, start: '08:00', end: '20:00' }], durations: [30, 60] }
  const host = await world.host('ada', { ...hours, mode: 'pick' }, { ...hours, mode: 'auto' })
  const busy = await world.person('confidant')
  await host.follow(busy)
  const taken = answered(await busy.call('listSlots', { hostDid: host.did, limit: 6 })).slots
  answered(await busy.match(host, { slotToken: taken[0].slotToken }))

  const learned = new Set()
  const answers = {}
  const days = Array.from({ length: 10 }, (_, day) => day)
  /** Counts an answer, and says whether it tells more than that there is nothing. */
  const tells = (outcome) => {
    const answer = `${outcome.method} ${outcome.error ?? outcome.status}`
    answers[answer] = (answers[answer] ?? 0) + 1
    if (outcome.status !== 200) refused(outcome, 'NoSlot')
    return outcome.status === 200
  }
  const take = async (stranger, constraints) => {
    const outcome = await stranger.match(host, { constraints })
    if (!tells(outcome)) return
    const { start } = await stranger.decided(outcome.body.booking)
    if (start) learned.add(start)
  }
  const ask = async (stranger, input) => {
    const outcome = await stranger.call('listSlots', { hostDid: host.did, limit: 24, ...input })
    if (!tells(outcome)) return
    for (const { start } of outcome.body.slots) learned.add(start)
    const perDay = Map.groupBy(outcome.body.slots, ({ start }) => start.slice(0, 10))
    for (const [day, slots] of perDay) assert.ok(slots.length <= DAILY, `${slots.length} slots of ${day}`)
  }
  for (let n = 0; n < STRANGERS; n++) {
    const stranger = await world.person(`stranger-${n}`)
    // Each asks for another day, in another way.
    const day = days[n % days.length] * 24 * 60
    await take(stranger, { earliest: at(day), latest: at(day + 24 * 60) })
    await ask(stranger, {})
    const duration = n % 2 ? 30 : 60
    const [from, tz] = [day + 480 + 7 * n, ['UTC', 'Asia/Tokyo', 'America/New_York'][n % 3]]
    await ask(stranger, { earliest: at(from), latest: at(from + 60), duration, tz })
    await ask(stranger, { earliest: at(day), latest: at(day + 24 * 60), tz })
  }
  const weeks = Map.groupBy(learned, weekOf)
  const told = [...weeks].map(([week, starts]) => `${starts.length} of the week of ${week}`)
  t.diagnostic(`${STRANGERS} strangers have learned ${learned.size} distinct starts: ${told.join(', ')}`)
  t.diagnostic(`answers: ${JSON.stringify(answers)}`)
  for (const method of ['match', 'listSlots']) assert.ok(answers[`${method} 200`] > 0, `${method} tells nothing`)
  for (const starts of weeks.values()) assert.ok(starts.length <= WEEKLY_BUDGET, `${starts.length} starts of a week`)
})

test('a dry run tells strangers of blocks of four hours, and of nothing narrower', async (t) => {
  const host = await world.host('bob', { rules: [{ days: WEEK, start: '08:00', end: '20:00' }], durations: [30] })
  const friend = await world.person('bobs-friend')
  await host.follow(friend)
  await friend.confirmed(host, { constraints: { earliest: at(600), latest: at(630) } })
  const answers = new Map()
  for (let n = 0; n < STRANGERS; n++) {
    const stranger = await world.person(`prober-${n}`)
    const [block, quarter] = [n % 3, Math.floor(n / 3) % 15]
    const from = 480 + 240 * block + 15 * quarter
    const constraints = { earliest: at(from), latest: at(from + 30), durationMin: 30 }
    const outcome = await stranger.match(host, { dryRun: true, constraints })
    if (outcome.error) refused(outcome, 'NoSlot')
    answers.set(block, new Set([...(answers.get(block) ?? []), outcome.error ?? outcome.status]))
  }
  const told = [...answers].map(([block, outcomes]) => `${block}: ${[...outcomes]}`)
  t.diagnostic(`${STRANGERS} dry runs about half hours, by block: ${told.join('; ')}`)
  for (const outcomes of answers.values()) assert.equal(outcomes.size, 1)
  assert.ok(
    [...answers.values()].some((outcomes) => outcomes.has(200)),
    'nobody is told anything',
  )
})

test('what is private is in no byte that strangers get, in no log and in no metric', async () => {
  const [note, reason, field] = ['note', 'reason', 'field'].map(canary)
  const secretGuest = `did:plc:${'canary'.padEnd(24, 'a')}`
  const host = await world.host('carol', { ...window(9, 480), durations: [30], note: 'Open to all' })
  const [guest, stranger] = await world.people('dave', 'erin')
  await host.follow(guest)
  const preferences = { blockedDids: [secretGuest], bufferBeforeMinutes: 7, later: field }
  answered(await host.call('putPreferences', { preferences }))
  const booking = await guest.confirmed(host, { note, constraints: { earliest: at(645), latest: at(675) } })
  assert.equal(booking.start, at(645))
  const called = await guest.confirmed(await world.host('frida', half(9)), { note })
  answered(await guest.cancel(called, { reason }))
  // What is done outside of requests has come about by then: lists are told of it, too.
  await until(
    'lists tell of both bookings as they are',
    async () => (await guest.bookings()).map(({ status }) => status).sort(),
    (statuses) => String(statuses) === 'canceled,confirmed',
  )

  const from = world.answers.length
  const made = await askEverything(stranger, host, booking)
  await until(
    'lists tell the stranger what came of their calls',
    async () => (await stranger.bookings()).map(({ id }) => id).sort(),
    (ids) => String(ids) === String(made),
  )
  await lookEverywhere()
  const tokens = [await stranger.token({ method: 'getBooking' })]
  await world.send('getBooking', tokens[0], { query: `?bookingId=${booking.id}` })

  const told = world.answers.subarray(from).toString('latin1')
  const logged = world.appview.logs()
  assert.doesNotMatch(told, /^content-encoding:/im, 'what is compressed cannot be searched')
  assert.ok(told.length > 10_000 && logged.length > 0)
  const secrets = { note, reason, field, secretGuest, start: booking.start, end: booking.end }
  for (const [what, secret] of Object.entries(secrets)) {
    assert.ok(!told.includes(secret), `${what} was told to a stranger`)
    assert.ok(!logged.includes(secret), `${what} was logged`)
  }
  for (const [what, secret] of Object.entries({
    token: tokens[0],
    guest: guest.did,
    handle: guest.handle,
    booking: booking.id,
  })) {
    assert.ok(!logged.includes(secret), `${what} was logged`)
  }
  for (const person of [guest.did, guest.handle]) assert.ok(!told.includes(person), `${person} was told to a stranger`)
  assert.ok(!world.graph.asked.some((query) => query.includes('canary')), 'a private list was told to the social graph')
})

test('what stands in calendars is in no byte that leaves, whoever asks for whatever', async (t) => {
  const [work, home] = [await world.calendar('radicale'), await world.calendar('xandikos')]
  const feeds = [await world.feed(), await world.feed(), await world.feed()]
  const host = await world.host('gina', { ...window(9, 480), durations: [30] })
  const picked = await world.host('hugo', { ...window(9, 480), durations: [30], mode: 'pick' })
  const unread = await world.host('irma', { ...window(9, 480), durations: [30] })
  const [guest, stranger] = await world.people('jack', 'kate')
  const parties = [host, picked, unread, guest]
  for (const person of [host, picked, unread]) await person.follow(guest)
  const connected = [
    [host, 'caldav', 'events', work],
    [host, 'ics', 'freeBusy', feeds[0]],
    [picked, 'ics', 'freeBusy', feeds[1]],
    [unread, 'ics', 'freeBusy', feeds[2]],
    [guest, 'caldav', 'events', home],
  ]
  const from = world.answers.length
  const signs = []
  for (const [n, [person, provider, access, calendar]] of connected.entries()) {
    const { uid, start, end, words, signs: ofEvent } = privateEvent(607 + 60 * n, 641 + 60 * n)
    await calendar.add(uid, start, end, words)
    await person.connect(provider, access, calendar.account)
    signs.push(...ofEvent)
  }
  const mailboxes = parties.map(({ name }) => `${name}@mail.test`)
  for (const [n, person] of parties.entries()) await person.readMailAt(mailboxes[n])
  const apps = await Promise.all(parties.map(() => world.app()))
  for (const [n, person] of parties.entries()) answered(await person.call('putWebhook', { url: apps[n].url }))

  const told = async (pieces) => {
    for (const person of [host, guest]) {
      await world.mail.count(`${person.name}@mail.test`, pieces)
      const posted = async () => apps[parties.indexOf(person)].posted.length
      await until(`the app of ${person.name} is posted ${pieces} pieces of news`, posted, (count) => count >= pieces)
    }
  }

  answered(await guest.match(host, { dryRun: true }))
  const booking = await guest.confirmed(host)
  // What is told late tells of how things stand by then, so one piece of news at a time.
  await told(1)
  const moved = { earliest: at(840), latest: at(1020) }
  answered(await guest.reschedule(booking, { constraints: moved }))
  const { slots } = answered(await guest.call('listSlots', { hostDid: picked.did }))
  answered(await guest.match(picked, { slotToken: slots[0].slotToken }))
  const held = await guest.matched(unread)
  // Of what cannot be read, whoever tried may say too much.
  const { uid, start, end, words, signs: ofEvent } = privateEvent(907, 941)
  feeds[2].add(uid, start, end, { ...words, RRULE: `FREQ=${words.SUMMARY}` })
  signs.push(...ofEvent)
  await guest.finalize(held)
  await guest.match(unread)
  await told(2)
  const shown = async () => JSON.stringify([await home.event(booking.id), await work.event(booking.id)])
  await until('both calendars show it', shown, (text) => JSON.parse(text).every(Boolean))

  for (const person of [stranger, ...parties]) {
    for (const read of ['listConnectors', 'getPreferences', 'listBookings', 'exportData']) await person.call(read)
    await person.call('getBookingIcs', { bookingId: booking.id })
    await person.call('listSlots', { hostDid: picked.did, limit: 24, tz: 'Asia/Kathmandu' })
    await person.match(host, { dryRun: true, constraints: { earliest: at(600), latest: at(660) } })
  }
  for (const asked of [host, picked, unread]) await askEverything(stranger, asked, booking)
  await lookEverywhere()
  const left = {
    answers: world.answers.subarray(from).toString('latin1'),
    logs: world.appview.logs(),
    letters: JSON.stringify(mailboxes.flatMap((address) => world.mail.to(address))),
    'what the social graph is asked': world.graph.asked.join('\n'),
    'what is posted to apps': apps.flatMap(({ posted }) => posted).join('\n'),
    'events of bookings': await shown(),
  }
  await askEverything(guest, host, booking)
  left['answers after it was called off'] = world.answers.subarray(from).toString('latin1')
  for (const [where, text] of Object.entries(left)) {
    const open = laidOpen(text)
    t.diagnostic(`${where}: ${signs.length} signs looked for in ${open.length} bytes`)
    for (const sign of signs) assert.ok(!open.includes(sign), `${sign} is in ${where}`)
  }
  // What is told is found in this way.
  assert.ok(laidOpen(left.answers).includes(booking.start))
  for (const where of ['letters', 'what is posted to apps']) {
    assert.ok(laidOpen(left[where]).includes(booking.id), where)
  }
})

/** Looks at every page that there is for anybody. */
async function lookEverywhere() {
  const pages = ['/', '/connect', '/settings', '/healthz', '/xrpc/_health', '/.well-known/did.json']
  for (const path of [...pages, '/internal/metrics', '/internal/jobs', '/zpages']) {
    await (await world.operate(path)).arrayBuffer()
  }
}

/** Calls every method as somebody who is no party to anything, and gives the ids of the bookings that this makes. */
async function askEverything(stranger, host, { id }) {
  const uri = (await world.offers(host))[0].uri
  const inputs = {
    bookingId: id,
    hostDid: host.did,
    host: host.did,
    uri,
    provider: 'ics',
    connectorId: 'c7m2p4',
    token: 'nonsense',
    email: 'erin@example.com',
    url: 'https://app.example/hook',
    preferences: {},
    record: { $type: 'com.huddle.slotOffer', ...half(9), policy: 'anyone', createdAt: new Date().toISOString() },
  }
  const outcomes = []
  for (const [name, { parameters, input }] of Object.entries(methods)) {
    const required = (parameters ?? input?.schema)?.required ?? []
    const fields = Object.fromEntries(required.map((field) => [field, inputs[field]]))
    outcomes.push(await stranger.call(name, fields))
  }
  outcomes.push(await stranger.match(host))
  answered(await stranger.call('searchHosts', { q: 'carol' }))
  return outcomes.flatMap(({ body }) => body?.booking?.id ?? []).sort()
}
