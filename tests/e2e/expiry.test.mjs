// A hold that nobody accepts ends by itself. The shortest that can be configured is two minutes, and they are waited
// for: the tokens of a real server would not be good at another time than the machine’s.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { refused } from './harness/outcome.mjs'
import { half } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const HOLD_SECS = 120
/** Longer than it can take until the guest asks again. */
const COOLDOWN_SECS = 3600

const world = await World.start('expiry', { limits: { hold_secs: HOLD_SECS, cooldown_first_secs: COOLDOWN_SECS } })
after(() => world.stop())

test('a hold ends at its time, its slot is free again, and its guest has to wait', async () => {
  const host = await world.host('ada', half(9))
  const [guest, other] = await world.people('bob', 'carol')
  const booking = await guest.matched(host)
  const ends = new Date(booking.holdExpiresAt)
  assert.ok(Math.abs(ends - new Date(booking.createdAt) - HOLD_SECS * 1000) < 10_000, booking.holdExpiresAt)
  refused(await other.match(host), 'NoSlot')

  const { history } = await guest.until(booking, 'expired', { patience: (HOLD_SECS + 60) * 1000, every: 1000 })
  assert.ok(Date.now() >= ends, 'not before its time')
  assert.deepEqual([history.at(-1).event, history.at(-1).by], ['expired', 'service'])
  refused(await guest.finalize(booking), 'HoldExpired')
  refused(await guest.match(host), 'TooManyHolds')
  await other.confirmed(host)
})
