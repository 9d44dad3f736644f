// What everybody may read, and how often.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { World } from './harness/world.mjs'

const [A_MINUTE, BURST] = [60, 30]

const world = await World.start('anonymous', { limits: { anonymous_per_minute: A_MINUTE, anonymous_burst: BURST } })
after(() => world.stop())

test('whoever is nobody and asks too often is told when to come again, and accounts are not', async () => {
  const guest = await world.person('ada')
  // Who has not called before is looked up at the cost of the address.
  answered(await guest.call('searchHosts'))
  const begun = Date.now()
  let outcome
  let count = 0
  do outcome = await world.get('searchHosts')
  while (outcome.status !== 429 && ++count < 100)
  const most = BURST + Math.ceil(((Date.now() - begun) * A_MINUTE) / 60_000)
  assert.ok(count >= 10 && count <= most, `${count} requests came through`)
  refused(outcome, 'RateLimitExceeded', 429)
  assert.ok(Number(outcome.headers.get('retry-after')) >= 1)
  answered(await guest.call('searchHosts'))
})
