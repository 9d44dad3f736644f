// What an account does on its server shows in what is listed of it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { half } from './harness/times.mjs'
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

test('the offers of a deleted account vanish for good, and its meetings can be called off', async () => {
  const host = await world.host('carol', half(9), half(11))
  const [guest, other] = await world.people('dave', 'erin')
  const booking = await guest.confirmed(host)
  await world.deleteAccount(host)
  await world.unlisted(host)
  refused(await other.match(host), 'NoSlot')
  assert.ok(!(await found()).includes(host.did))
  assert.equal(answered(await guest.cancel(booking)).booking.status, 'canceled')
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
