// Who asks too often is refused, through the proxy too. When to come again is told in a header, which a real server
// does not pass on with an error.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { answered, refused } from './harness/outcome.mjs'
import { half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const limits = { account_per_minute: 20, account_burst: 10, changes_per_minute: 5 }
const world = await World.start('limits', { limits })
after(() => world.stop())

/** Calls until it is too much, and says how many calls came through. */
async function untilLimited(call) {
  for (let count = 0; count < 100; count++) {
    const outcome = await call()
    if (outcome.status !== 429) continue
    refused(outcome, 'RateLimitExceeded', 429)
    return count
  }
  throw new Error('there is no limit')
}

/** After how many seconds a caller who is refused should come again. */
function retryAfter(outcome, error, status) {
  const value = refused(outcome, error, status).headers.get('retry-after')
  assert.match(value ?? 'none', /^[1-9]\d*$/)
  return Number(value)
}

test('an account that asks too often is told when to come again, and nobody else is', async () => {
  const [guest, other] = await world.people('ada', 'bob')
  const count = await untilLimited(() => guest.call('listBookings'))
  assert.ok(count >= 10 && count <= 12, `${count} requests came through`)
  const limited = await world.send('listBookings', await guest.token({ method: 'listBookings' }))
  const seconds = retryAfter(limited, 'RateLimitExceeded', 429)
  assert.ok(seconds <= 60, `${seconds} s`)
  answered(await other.call('listBookings'))
  await setTimeout(seconds * 1000)
  answered(await guest.call('listBookings'))
})

test('changes cost more than reading, and what is refused changes nothing', async () => {
  const host = await world.host('carol', half(9))
  const guest = await world.person('dave')
  const booking = await guest.matched(host)
  const count = await untilLimited(() => guest.cancel({ id: 'unknown' }))
  assert.ok(count <= 3, `${count} changes came through`)
  refused(await guest.cancel(booking), 'RateLimitExceeded', 429)
  assert.equal((await host.read(booking)).booking.status, 'held')
})

test('what is left is told where no proxy drops it', async () => {
  const guest = await world.person('erin')
  const left = []
  for (let n = 0; n < 2; n++) {
    const { headers } = await world.send('listBookings', await guest.token({ method: 'listBookings' }))
    assert.equal(headers.get('ratelimit-limit'), '10')
    left.push(Number(headers.get('ratelimit-remaining')))
  }
  assert.equal(left[1], left[0] - 1)
})

test('a guest who holds a slot gets no second one of that host before it ends', async () => {
  const host = await world.host('frank', { ...window(9, 240), durations: [30] })
  const guest = await world.person('grace')
  await guest.matched(host)
  retryAfter(await guest.callDirectly('match', { hostDid: host.did }), 'TooManyHolds', 400)
})
