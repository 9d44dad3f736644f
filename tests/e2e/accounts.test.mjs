// What an account does on its server shows in what is listed of it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { half } from './harness/times.mjs'
import { until } from './harness/until.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('accounts')
after(() => world.stop())

const found = async () => answered(await world.get('searchHosts', { limit: 100 })).hosts.map(({ did }) => did)

test('the offers of a deactivated account vanish, and come back with it', async () => {
  const host = await world.host('ada', half(9))
  const guest = await world.person('bob')
  const [{ uri }] = await world.offers(host)
  assert.ok((await found()).includes(host.did))
  await host.deactivate()
  await world.unlisted(host)
  refused(await guest.match(host), 'NoSlot')
  assert.ok(!(await found()).includes(host.did))

  await host.activate()
  await world.listed(host, uri)
  await guest.confirmed(host)
})

test('the offers of a deleted account vanish for good, and its meetings are called off', async () => {
  const host = await world.host('carol', half(9), half(11))
  const [guest, other] = await world.people('dave', 'erin')
  const booking = await guest.confirmed(host)
  // A meeting that the index hears of only after that is called off when accounts are looked at again, a minute later.
  await guest.listed(1, 'confirmed')
  await world.deleteAccount(host)
  await world.unlisted(host)
  refused(await other.match(host), 'NoSlot')
  assert.ok(!(await found()).includes(host.did))
  await guest.until(booking, 'canceled')
})

test('offers that are changed or deleted are listed as they are now', async () => {
  const host = await world.host('frank', half(9))
  const guest = await world.person('grace')
  const [{ uri }] = await world.offers(host)
  const { cid } = await host.put(uri, { ...half(15), policy: 'anyone' })
  await world.listed(host, uri, cid)
  assert.equal((await guest.matched(host)).start, half(15).start)
  await host.remove(uri)
  await world.unlisted(host)
  refused(await (await world.person('late')).match(host), 'NoSlot')
})

test('what is done with somebody’s things is in their export, and in nobody else’s', async () => {
  const [person, other] = await world.people('judy', 'kim')
  const deeds = async (whose) =>
    (await whose.exported())
      .filter(({ $type }) => $type === 'com.huddle.exportData#auditEvent')
      .map(({ kind, detail = '' }) => `${kind} ${detail}`.trim())
      .sort()
  assert.deepEqual(await deeds(person), ['dataExported'])
  const feed = await world.feed()
  await person.connect('ics', 'freeBusy', feed.account)
  const [{ id }] = answered(await person.call('listConnectors')).connectors
  answered(await person.call('deleteConnector', { connectorId: id }))
  refused(await person.call('deleteConnector', { connectorId: id }), 'ConnectorNotFound')
  for (let n = 0; n < 3; n++) answered(await person.call('putPreferences', { preferences: {} }))
  answered(await person.call('putWebhook', { url: 'https://app.example/hook' }))
  answered(await person.call('deleteWebhook'))
  const once = ['calendarConnected ics', 'calendarRemoved ics', 'webhookRemoved', 'webhookSet']
  const often = ['dataExported', 'preferencesPut']
  await until(
    'the export tells of all of it, and of what was done often the first time and the last',
    () => deeds(person),
    (told) => String(told) === String([...once, ...often, ...often].sort()),
  )
  assert.deepEqual(await deeds(other), ['dataExported'])
})

test('who changes their handle stays who they are, and a handle that nobody has verified names nobody', async () => {
  const host = await world.host('heidi', half(9))
  const guest = await world.person('ivan')
  const booking = await guest.confirmed(host)
  const handle = `renamed${world.servers[host.server].handles}`
  await host.agent.com.atproto.identity.updateHandle({ handle })
  // What an account's events say is taken over in their order.
  const { uri } = await host.offer(half(11))
  await world.listed(host, uri)

  const listed = await guest.listed(1, 'confirmed')
  for (const seen of [listed[0], (await guest.read(booking)).booking]) {
    assert.deepEqual([seen.hostDid, seen.hostHandle], [host.did, undefined], 'it is told of nobody that it is theirs')
  }
  const hosts = answered(await world.get('searchHosts', { limit: 100 })).hosts
  const { did, handle: told } = hosts.find((found) => found.did === host.did)
  assert.deepEqual([did, told], [host.did, undefined])
  for (const name of [handle, host.handle]) {
    const query = new URLSearchParams({ host: name })
    assert.notEqual((await world.fetch(`/xrpc/com.huddle.listOffers?${query}`)).status, 200, name)
    const named = answered(await world.get('searchHosts', { q: name })).hosts
    assert.ok(!named.some((found) => found.did === host.did), name)
  }
  assert.equal(answered(await guest.cancel(booking)).booking.status, 'canceled')
})

test('a record that breaks its lexicon is not listed, and does no harm to the next', async () => {
  const host = await world.host('mallory')
  await host.create('com.huddle.slotOffer', { start: 'soon', end: 7, policy: {} })
  await host.create('com.huddle.officeHours', { tz: 'UTC', rules: 'always', policy: 'anyone' })
  const { uri } = await host.offer(half(9))
  await world.listed(host, uri)
  assert.deepEqual(
    (await world.offers(host)).map((offer) => offer.uri),
    [uri],
  )
})
