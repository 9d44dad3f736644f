// Lists, searches and preferences.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { at, half, WEEK } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('lists')
after(() => world.stop())

/** Hosts are asked what they are called once a minute, and once more where one did not answer. */
const NAMES = { patience: 200_000 }

/** All pages of a list, two entries each. */
async function pages(name, key, params, ask) {
  const found = []
  let cursor
  do {
    const page = answered(await ask(name, { ...params, limit: 2, ...(cursor && { cursor }) }))
    assert.ok(page[key].length <= 2)
    found.push(...page[key])
    cursor = page.cursor
  } while (cursor)
  return found
}

const anonymously = (name, params) => world.get(name, params)

test('offers are listed newest first, page by page, until they have passed', async () => {
  const host = await world.host(
    'ada',
    half(9),
    half(10),
    { rules: [{ days: WEEK, start: '09:00', end: '17:00' }] },
    half(11),
  )
  const past = { start: '2020-01-01T09:00:00.000Z', end: '2020-01-01T10:00:00.000Z' }
  await host.offer(past)
  const { uri: last } = await host.offer(half(12))
  await world.listed(host, last)

  const all = await world.offers(host)
  assert.deepEqual(
    all.map(({ record }) => record.start?.slice(11, 13) ?? record.$type),
    ['12', '11', 'com.huddle.officeHours', '10', '09'],
  )
  assert.deepEqual(await pages('listOffers', 'offers', { host: host.did }, anonymously), all)
  const [{ uri, cid, record }] = all
  const written = (
    await host.agent.com.atproto.repo.getRecord({
      repo: host.did,
      collection: 'com.huddle.slotOffer',
      rkey: uri.split('/').at(-1),
    })
  ).data
  assert.deepEqual({ cid, record }, { cid: written.cid, record: written.value })
})

test('a list says what is wrong with what was asked', async () => {
  const host = await world.host('bob', half(9), half(10), half(11))
  const guest = await world.person('carol')
  refused(await world.get('listOffers', { host: 'nobody.test' }), 'HostNotFound')
  refused(await world.get('listOffers', { host: host.did, cursor: 'nonsense' }), 'InvalidCursor')
  const { cursor } = answered(await world.get('listOffers', { host: host.did, limit: 2 }))
  refused(await world.get('searchHosts', { cursor }), 'InvalidCursor')
  refused(await guest.call('listBookings', { cursor }), 'InvalidCursor')
  refused(await world.get('listOffers', { host: host.did, limit: 101 }), 'InvalidRequest')
  refused(await world.get('listOffers'), 'InvalidRequest')
})

test('what everybody may read can be asked for again at little cost', async () => {
  const host = await world.host('dora', half(9))
  const path = `/xrpc/com.huddle.listOffers?host=${host.did}`
  const first = await world.fetch(path)
  await first.text()
  const etag = first.headers.get('etag')
  assert.ok(etag)
  const again = await world.fetch(path, { headers: { 'if-none-match': etag } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  assert.equal(first.headers.get('access-control-allow-origin'), '*')
})

test('hosts are found by name, with what they offer, page by page, unless they would rather not', async () => {
  const offers = [half(9), { ...half(11), policy: 'mutual', mode: 'approve' }]
  const hosts = []
  for (let n = 0; n < 5; n++) {
    const host = await world.person(`paged-${n}`)
    await host.put(`at://${host.did}/app.bsky.actor.profile/self`, { displayName: `Professor Number ${n}` })
    hosts.push(await world.open(host, ...offers))
  }
  const search = (q) => pages('searchHosts', 'hosts', { q }, anonymously)
  const named = await until(
    'all names are known',
    () => search('professor'),
    ({ length }) => length === 5,
    NAMES,
  )
  assert.deepEqual(new Set(named.map(({ did }) => did)), new Set(hosts.map(({ did }) => did)))
  const [found] = await search('number 3')
  const sorted = { ...found, policies: found.policies.toSorted(), modes: found.modes.toSorted() }
  const expected = { displayName: 'Professor Number 3', policies: ['anyone', 'mutual'], modes: ['approve', 'auto'] }
  assert.deepEqual(sorted, { did: hosts[3].did, ...expected })

  answered(await hosts[3].call('putPreferences', { preferences: { listing: 'unlisted' } }))
  await until(
    'one is no longer found',
    () => search('professor'),
    ({ length }) => length === 4,
  )
  assert.equal((await world.offers(hosts[3])).length, 2, 'whoever knows them still sees what they offer')
})

test('bookings are listed by side, state and time, latest first', async () => {
  const host = await world.host('frank', half(9), half(11), half(13))
  const [guest, other] = await world.people('grace', 'heidi')
  const [morning, noon, afternoon] = [half(9), half(11), half(13)]
  await host.follow(guest)
  const within = ({ start, end }) => ({ constraints: { earliest: start, latest: end } })
  const first = await guest.confirmed(host, within(morning))
  const second = await guest.confirmed(host, within(noon))
  const third = await guest.matched(host, within(afternoon))
  answered(await guest.cancel(first))

  const listed = (person, params) => async () => (await person.bookings(params)).map(({ id }) => id)
  const becomes = (person, params, expected) =>
    until(
      `${JSON.stringify(params)} lists ${expected.length}`,
      listed(person, params),
      (ids) => String(ids) === String(expected.map(({ id }) => id)),
    )
  await becomes(guest, {}, [third, second, first])
  await becomes(guest, { role: 'guest' }, [third, second, first])
  await becomes(guest, { role: 'host' }, [])
  await becomes(host, { role: 'host' }, [third, second, first])
  await becomes(guest, { status: ['confirmed'] }, [second])
  await becomes(guest, { status: ['canceled', 'held'] }, [third, first])
  await becomes(guest, { startsAfter: at(10 * 60) }, [third, second])
  await becomes(guest, { startsBefore: at(12 * 60), status: ['confirmed'] }, [second])
  await becomes(other, {}, [])
  const paged = await pages('listBookings', 'bookings', {}, (name, params) => guest.call(name, params))
  assert.deepEqual(
    paged.map(({ id }) => id),
    [third, second, first].map(({ id }) => id),
  )
})

test('preferences are kept as they were sent, and count', async () => {
  const host = await world.host('ivan', { rules: [{ days: WEEK, start: '09:00', end: '17:00' }] })
  const guest = await world.person('judy')
  await host.follow(guest)
  const { preferences: fresh, revision } = answered(await host.call('getPreferences'))
  const wished = {
    ...fresh,
    tz: 'Europe/Berlin',
    durations: [45],
    minimumNoticeMinutes: 20_160,
    later: { known: false },
  }
  const put = answered(await host.call('putPreferences', { preferences: wished, swapRevision: revision }))
  assert.ok(put.revision > revision)
  const read = answered(await host.call('getPreferences'))
  assert.deepEqual([read.preferences, read.revision], [put.preferences, put.revision])
  for (const [field, value] of Object.entries(wished)) assert.deepEqual(read.preferences[field], value, field)

  refused(await host.call('putPreferences', { preferences: fresh, swapRevision: revision }), 'InvalidSwap')
  refused(await host.call('putPreferences', { preferences: { tz: 'Nowhere/Land' } }), 'InvalidPreferences')
  assert.deepEqual(answered(await host.call('getPreferences')), read)

  const asked = Date.now()
  const { start, end } = await guest.matched(host)
  assert.equal(new Date(end) - new Date(start), 45 * 60_000)
  assert.ok(new Date(start) - asked >= 20_160 * 60_000, `${start} is not two weeks ahead`)
})

test('settings are made on a page of their own, which the ticket of no other page opens', async () => {
  const person = await world.person('rosa')
  const read = async () => answered(await person.call('getPreferences'))
  const page = async (name, params) => new URL(answered(await person.call(name, params)).url)
  const settings = await page('getSettingsUrl')
  const connect = await page('getConnectUrl', { provider: 'ics' })
  const open = async (url) => {
    const response = await fetch(url)
    return { status: response.status, html: await response.text() }
  }
  for (const [opened, other] of [
    [settings, connect],
    [connect, settings],
  ]) {
    const { status, html } = await open(opened)
    assert.deepEqual([status, html.includes(person.did), html.includes(other.pathname)], [200, true, false], html)
    const mistaken = await open(new URL(`${other.pathname}${opened.search}`, other))
    assert.deepEqual([mistaken.status, mistaken.html.includes(person.did)], [400, false], mistaken.html)
  }

  const { html } = await open(settings)
  const hidden = (name) => html.match(new RegExp(`name="${name}" value="([^"]*)"`))[1]
  const submit = async (path, of, fields) => {
    const ticket = of.searchParams.get('ticket')
    const body = new URLSearchParams({ ticket, once: hidden('once'), ...fields })
    return (await fetch(new URL(path, of), { method: 'POST', body })).status
  }
  const boxes = { revision: hidden('revision'), declined: 'yes', email: 'yes' }
  const hook = { url: 'https://app.example.com/hook' }
  assert.equal(await submit('/settings', connect, boxes), 400)
  assert.equal(await submit('/settings/webhook', connect, hook), 400)
  const before = await read()
  assert.deepEqual([before.revision, before.webhookStatus], [0, 'none'])
  assert.equal(await submit('/settings', settings, boxes), 200)
  assert.equal(await submit('/settings/webhook', settings, hook), 200)
  const { preferences, webhookStatus } = await read()
  const { busyRules, notifyBy } = preferences
  assert.deepEqual([busyRules.declined, busyRules.allDay, notifyBy, webhookStatus], [true, false, ['email'], 'set'])
})

test('what is kept about a person is theirs to download', async () => {
  const host = await world.host('kim', half(9))
  const guest = await world.person('leo')
  const booking = await guest.confirmed(host, { note: 'About my thesis' })
  await guest.listed(1, 'confirmed')
  answered(await guest.call('putPreferences', { preferences: { tz: 'Asia/Tokyo' } }))
  const text = JSON.stringify(await guest.exported())
  for (const kept of [booking.id, 'About my thesis', 'Asia/Tokyo']) assert.ok(text.includes(kept), kept)
  const other = await world.person('mia')
  assert.ok(!JSON.stringify(await other.exported()).includes(booking.id))
})

test('nothing is written to a repository without leave, and the answer says what to do', async () => {
  const host = await world.host('nina', half(9))
  const record = { $type: 'com.huddle.slotOffer', ...half(11), policy: 'anyone', createdAt: new Date().toISOString() }
  const [{ uri: before }] = await world.offers(host)
  const refusals = [await host.call('createOffer', { record }), await host.call('deleteOffer', { uri: before })]
  for (const [n, method] of ['com.atproto.repo.createRecord', 'com.atproto.repo.deleteRecord'].entries()) {
    const { message } = refused(refusals[n], 'NoRepoAccess')
    assert.ok(message.includes(method), message)
  }
  refused(await host.call('createOffer', { record: { ...record, start: record.end } }), 'InvalidOffer')

  // What it says to do works.
  const { uri } = await host.create('com.huddle.slotOffer', record)
  await world.listed(host, uri)
  await host.remove(before)
  await until(
    'what was deleted is listed no more',
    () => world.offers(host),
    (offers) => String(offers.map((offer) => offer.uri)) === uri,
  )
})

test('what nothing here would come of is no preference, and no trace of a booking is public', async () => {
  const host = await world.host('pia', half(9))
  const guest = await world.person('quinn')
  for (const person of [host, guest]) {
    const { preferences, revision } = answered(await person.call('getPreferences'))
    for (const [field, value] of Object.entries({ publicTrace: 'exact', nameableBy: 'anyone', attendeeFor: 'mutual' })) {
      const wished = { preferences: { ...preferences, [field]: value }, swapRevision: revision }
      const { message } = refused(await person.call('putPreferences', wished), 'PreferenceNotSupported')
      assert.ok(message.startsWith(`${field}: `), message)
    }
    assert.equal(answered(await person.call('getPreferences')).revision, revision)
  }
  await guest.confirmed(host)
  await host.listed(1, 'confirmed')
  for (const person of [host, guest]) {
    const { collections } = (await person.agent.com.atproto.repo.describeRepo({ repo: person.did })).data
    assert.ok(!collections.includes('com.huddle.booking'), String(collections))
  }
})

test('who has connected no calendar has none to list or to take away, and without mail no address is taken', async () => {
  const guest = await world.person('omar')
  assert.deepEqual(answered(await guest.call('listConnectors')).connectors, [])
  refused(await guest.call('deleteConnector', { connectorId: 'c7m2p4' }), 'ConnectorNotFound')
  refused(await guest.call('requestEmailConfirmation', { email: 'omar@example.com' }), 'MethodNotImplemented', 501)
})
