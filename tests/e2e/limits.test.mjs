// Who asks too often is told when to come again, through the proxy too.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { answered, refused } from './harness/outcome.mjs'
import { half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const limits = { account_per_minute: 20, account_burst: 10, changes_per_minute: 5 }
const world = await World.start('limits', { limits })
after(() => world.stop())

/** Calls until it is too much, and gives that answer and how many there were before it. */
async function untilLimited(call) {
  for (let count = 0; count < 100; count++) {
    const outcome = await call()
    if (outcome.status === 429) return { count, limited: refused(outcome, 'RateLimitExceeded', 429) }
  }
  throw new Error('there is no limit')
}

function retryAfter({ headers }) {
  const seconds = Number(headers.get('retry-after'))
  assert.ok(seconds >= 1 && seconds <= 60, `Retry-After: ${headers.get('retry-after')}`)
  return seconds
}

test('an account that asks too often is told when to come again, and nobody else is', async () => {
  const [guest, other] = await world.people('ada', 'bob')
  const { count, limited } = await untilLimited(() => guest.call('listBookings'))
  assert.ok(count >= 10 && count <= 12, `${count} requests came through`)
  const seconds = retryAfter(limited)
  answered(await other.call('listBookings'))
  await setTimeout(seconds * 1000)
  answered(await guest.call('listBookings'))
})

test('changes cost more than reading, and what is refused changes nothing', async () => {
  const host = await world.host('carol', half(9))
  const guest = await world.person('dave')
  const booking = await guest.matched(host)
  const { count, limited } = await untilLimited(() => guest.cancel({ id: 'unknown' }))
  assert.ok(count <= 3, `${count} changes came through`)
  retryAfter(limited)
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
  const outcome = await guest.match(host)
  assert.ok(Number(refused(outcome, 'TooManyHolds', outcome.status).headers.get('retry-after')) >= 1)
})

test('a guest holds three slots at most', async () => {
  const guest = await world.person('heidi')
  const outcomes = []
  for (let n = 0; n < 4; n++) {
    const host = await world.host(`holding-${n}`, half(9 + n))
    // As the allowance of changes is small here, a token is waited for.
    for (;;) {
      const outcome = await guest.match(host)
      if (outcome.status !== 429 || outcome.error === 'TooManyHolds') {
        outcomes.push(outcome.error ?? outcome.body.booking.status)
        break
      }
      await setTimeout(retryAfter(outcome) * 1000)
    }
  }
  assert.deepEqual(outcomes, ['held', 'held', 'held', 'TooManyHolds'])
})
