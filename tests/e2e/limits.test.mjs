// Who asks too often is refused, through the proxy too. When to come again is told in a header, which a real server
// does not pass on with an error.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { answered, refused } from './harness/outcome.mjs'
import { half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const limits = { account_per_minute: 20, account_burst: 10, changes_per_minute: 5 }
/** What a change costs, beside a request that reads. */
const CHANGE = limits.account_per_minute / limits.changes_per_minute
const world = await World.start('limits', { limits })
after(() => world.stop())

/**
 * Calls until it is too much. Says how many calls came through, the most that may have by what came back of the
 * allowance meanwhile, and what was answered in the end.
 */
async function untilLimited(call, cost = 1) {
  const begun = Date.now()
  for (let count = 0; count < 100; count++) {
    const outcome = await call()
    if (outcome.status !== 429) continue
    refused(outcome, 'RateLimitExceeded', 429)
    return { count, most: Math.floor((limits.account_burst + sinceThen(begun)) / cost), outcome }
  }
  throw new Error('there is no limit')
}

/** How many requests an account has been allowed since a moment, rounded up. */
const sinceThen = (begun) => Math.ceil(((Date.now() - begun) * limits.account_per_minute) / 60_000)

/** After how many seconds a caller who is refused should come again. */
function retryAfter(outcome, error, status) {
  const value = refused(outcome, error, status).headers.get('retry-after')
  assert.match(value ?? 'none', /^[1-9]\d*$/)
  return Number(value)
}

test('an account that asks too often is told when to come again, and nobody else is', async () => {
  const [guest, other] = await world.people('ada', 'bob')
  const { count, most } = await untilLimited(() => guest.call('listBookings'))
  assert.ok(count >= 10 && count <= most, `${count} requests came through`)
  const directly = async () => world.send('listBookings', await guest.token({ method: 'listBookings' }))
  const { outcome: limited } = await untilLimited(directly)
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
  const { count, most } = await untilLimited(() => guest.cancel({ id: 'unknown' }), CHANGE)
  assert.ok(count <= most, `${count} changes came through`)
  // With nothing left even to read with, it is long until there is enough for a change.
  await untilLimited(() => guest.call('listBookings'))
  const canceled = await guest.callOnce('cancelBooking', { bookingId: booking.id })
  refused(canceled, 'RateLimitExceeded', 429)
  assert.equal((await host.read(booking)).booking.status, 'held')
})

test('what is left is told where no proxy drops it', async () => {
  const guest = await world.person('erin')
  const begun = Date.now()
  const left = []
  for (let n = 0; n < 4; n++) {
    const { headers } = await world.send('listBookings', await guest.token({ method: 'listBookings' }))
    assert.equal(headers.get('ratelimit-limit'), '10')
    left.push(Number(headers.get('ratelimit-remaining')))
  }
  const spent = left[0] - left[3]
  assert.ok(spent <= 3 && spent >= 3 - sinceThen(begun), String(left))
})

test('a guest who holds a slot gets no second one of that host before it ends', async () => {
  const host = await world.host('frank', { ...window(9, 240), durations: [30] })
  const guest = await world.person('grace')
  await guest.matched(host)
  retryAfter(await guest.callDirectly('match', { hostDid: host.did }), 'TooManyHolds', 400)
})
