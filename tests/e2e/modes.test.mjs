// How a booking comes about: the guest picks, or the host approves. `guest.test.mjs` has the usual way.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered, refused } from './harness/outcome.mjs'
import { half, window } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('modes')
after(() => world.stop())

const slotsOf = async (guest, host, input = {}) =>
  answered(await guest.call('listSlots', { hostDid: host.did, ...input })).slots

test('a guest picks a slot, and gets that one', async () => {
  const host = await world.host('picker', { ...window(9, 180), mode: 'pick', durations: [30] })
  const [guest, rival] = await world.people('chooser', 'rival')
  refused(await guest.match(host), 'NoSlot')

  const slots = await slotsOf(guest, host)
  assert.ok(slots.length > 1 && slots.length <= 6, `${slots.length} slots`)
  const chosen = slots.at(-1)
  const { booking } = answered(await guest.match(host, { slotToken: chosen.slotToken }))
  assert.deepEqual([booking.mode, booking.start, booking.end], ['pick', chosen.start, chosen.end])
  assert.equal(answered(await guest.finalize(booking)).booking.status, 'confirmed')

  const left = await slotsOf(rival, host)
  const overlap = left.filter(({ start, end }) => start < chosen.end && end > chosen.start)
  assert.deepEqual(overlap, [], 'what is booked is not listed')
})

test('a slot token is good for whom it was issued to, for that host, and by itself', async () => {
  const host = await world.host('token-host', { ...window(9, 180), mode: 'pick', durations: [30] })
  const other = await world.host('other-host', { ...window(9, 180), mode: 'pick', durations: [30] })
  const [guest, thief] = await world.people('issued-to', 'thief')
  const [{ slotToken }] = await slotsOf(guest, host)

  refused(await thief.match(host, { slotToken }), 'InvalidSlotToken')
  refused(await guest.match(other, { slotToken }), 'InvalidSlotToken')
  const altered = slotToken.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
  refused(await guest.match(host, { slotToken: altered }), 'InvalidSlotToken')
  refused(await guest.match(host, { slotToken: 'nonsense' }), 'InvalidSlotToken')
  const constraints = { earliest: window(9, 0).start }
  refused(await guest.match(host, { slotToken, constraints }), 'InvalidConstraints')
  answered(await guest.match(host, { slotToken }))
})

test('two guests who pick the same slot do not both get it', async () => {
  const host = await world.host('sought-after', { ...half(9), mode: 'pick' })
  const guests = await world.people('early', 'late')
  const tokens = await Promise.all(guests.map(async (guest) => (await slotsOf(guest, host))[0].slotToken))
  const outcomes = await Promise.all(guests.map((guest, n) => guest.match(host, { slotToken: tokens[n] })))
  assert.deepEqual(outcomes.map(({ status, error }) => error ?? status).sort(), [200, 'NoSlot'])
})

test('a host approves, and the meeting is confirmed', async () => {
  const host = await world.host('approver', { ...half(9), mode: 'approve' })
  const guest = await world.person('petitioner')
  const booking = await guest.matched(host)
  assert.deepEqual([booking.status, booking.mode, booking.waitingFor], ['pending', 'approve', 'approval'])
  assert.ok(booking.approveBy > new Date().toISOString())
  assert.equal(booking.start, undefined, 'no slot is held before the host says yes')

  refused(await guest.approve(booking), 'NotHost')
  refused(await guest.finalize(booking), 'NotHeld')
  const approved = answered(await host.approve(booking)).booking
  const confirmed = approved.status === 'confirmed' ? approved : (await host.until(booking, 'confirmed')).booking
  assert.equal(confirmed.start, half(9).start)
  assert.equal(answered(await host.approve(booking)).booking.status, 'confirmed', 'and again changes nothing')
  refused(await host.decline(booking), 'AlreadyConfirmed')
})

test('of two requests for one slot a host can approve one', async () => {
  const host = await world.host('torn', { ...half(9), mode: 'approve' })
  const guests = await world.people('first-asker', 'second-asker')
  const [first, second] = [await guests[0].matched(host), await guests[1].matched(host)]
  answered(await host.approve(first))
  await guests[0].until(first, 'confirmed')
  refused(await host.approve(second), 'NoSlot')
})

test('a host declines what waits, and what is held, and the slot is free again', async () => {
  const approving = await world.host('decliner', { ...half(9), mode: 'approve' })
  const guest = await world.person('hopeful')
  const pending = await guest.matched(approving)
  refused(await guest.decline(pending), 'NotHost')
  const declined = answered(await approving.decline(pending, { reason: 'On holiday' })).booking
  assert.deepEqual([declined.status, declined.reason], ['declined', 'On holiday'])
  assert.equal((await guest.read(pending)).booking.status, 'declined')
  assert.equal(answered(await approving.decline(pending)).booking.status, 'declined', 'and again changes nothing')
  refused(await approving.approve(pending), 'BookingDeclined')
  refused(await guest.finalize(pending), 'BookingDeclined')

  const automatic = await world.host('retractor', half(9))
  const held = await guest.matched(automatic)
  answered(await automatic.decline(held))
  refused(await guest.finalize(held), 'BookingDeclined')
  await (await world.person('next')).confirmedOnceFree(automatic)
})
