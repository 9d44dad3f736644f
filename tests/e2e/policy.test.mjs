// Who may book: each tier of policy with real follow records, and blocks, which win over all.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { answered, describe, refused } from './harness/outcome.mjs'
import { half, WEEK } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('policy')
after(() => world.stop())

/** Who is admitted by each policy, from the closest circle out. */
const ADMITTED = {
  mutual: ['mutual'],
  connected: ['mutual', 'connected'],
  follower: ['mutual', 'connected', 'follower'],
  anyone: ['mutual', 'connected', 'follower', 'stranger'],
  friendsOfFriends: [],
}
const guests = {}

before(async () => {
  for (const circle of ADMITTED.anyone) guests[circle] = await world.person(circle)
})

/** A host with one offer, to whom the guests stand as their names say. */
async function hostWith(policy, name) {
  const host = await world.host(name, { ...half(9), policy })
  for (const guest of [guests.mutual, guests.connected]) await host.follow(guest)
  for (const guest of [guests.mutual, guests.follower]) await guest.follow(host)
  return host
}

for (const [policy, admitted] of Object.entries(ADMITTED)) {
  test(`the policy ${policy} admits ${admitted.join(', ') || 'nobody'}`, async () => {
    const host = await hostWith(policy, `${policy.slice(0, 10).toLowerCase()}-host`)
    const let_in = []
    for (const [circle, guest] of Object.entries(guests)) {
      const outcome = await guest.match(host, { dryRun: true })
      if (outcome.status === 200) let_in.push(circle)
      else refused(outcome, 'NoSlot')
    }
    assert.deepEqual(let_in, admitted)
  })
}

test('a block by either side wins over every policy', async () => {
  const [blocker, blocked] = [await world.host('blocker', half(9)), await world.host('blocked', half(9))]
  const guest = await world.person('gina')
  for (const host of [blocker, blocked]) {
    await host.follow(guest)
    await guest.follow(host)
  }
  await blocker.block(guest)
  await guest.block(blocked)
  refused(await guest.match(blocker), 'NoSlot')
  refused(await guest.match(blocked), 'NoSlot')
})

test('a private list of blocked accounts wins over every policy', async () => {
  const host = await world.host('discreet', half(9))
  const [guest, other] = await world.people('pest', 'wanted')
  await host.follow(guest)
  answered(await host.call('putPreferences', { preferences: { blockedDids: [guest.did] } }))
  refused(await guest.match(host), 'NoSlot')
  answered(await other.match(host, { dryRun: true }))
})

test('a block between match and finalize leaves nothing confirmed', async () => {
  const host = await world.host('second-thoughts', half(9))
  const [guest, other] = await world.people('suspect', 'successor')
  const booking = await guest.matched(host)
  await host.block(guest)
  refused(await guest.finalize(booking), 'SlotTaken')
  assert.equal((await host.read(booking)).booking.status, 'expired')
  await other.confirmedOnceFree(host)
})

test('a social graph that cannot be read opens no door', async () => {
  const [friend, stranger] = await world.people('trusted', 'unheard-of')
  const [closed, open] = [
    await world.host('closed', { ...half(9), policy: 'mutual' }),
    await world.host('open', half(9)),
  ]
  await closed.follow(friend)
  await friend.follow(closed)
  world.graph.broken = true
  try {
    for (const [guest, host] of [
      [friend, closed],
      [stranger, open],
      [stranger, closed],
    ]) {
      const outcome = await guest.match(host)
      assert.notEqual(outcome.status, 200, describe(outcome))
    }
  } finally {
    world.graph.broken = false
  }
  answered(await friend.match(closed, { dryRun: true }))
})

test('what is held stays held, and nothing more, while the social graph cannot be read', async () => {
  const [friend, stranger] = await world.people('held-friend', 'held-stranger')
  const hosts = [
    await world.host('held-closed', { ...half(9), policy: 'mutual' }),
    await world.host('held-open', half(9)),
  ]
  await hosts[0].follow(friend)
  await friend.follow(hosts[0])
  const held = [
    [friend, await friend.matched(hosts[0])],
    [stranger, await stranger.matched(hosts[1])],
  ]
  world.graph.broken = true
  try {
    for (const [guest, booking] of held) {
      refused(await guest.finalize(booking), 'CalendarUnavailable')
      assert.equal((await guest.read(booking)).booking.status, 'held')
    }
  } finally {
    world.graph.broken = false
  }
  for (const [guest, booking] of held) {
    answered(await guest.finalize(booking))
    await guest.until(booking, 'confirmed')
  }
})

/** Headers that differ from one answer to the next, whatever is answered. */
const OF_ONE_ANSWER = /^(date|ratelimit-.*|x-request-id)$/

test('to a stranger every reason is the same answer', async () => {
  const stranger = await world.person('outsider')
  const hosts = {
    'who admits others': await world.host('picky', { ...half(9), policy: 'mutual' }),
    'who is booked': await world.host('booked', half(9)),
    'who blocks them': await world.host('hostile', half(9)),
    'who offers nothing': await world.host('idle'),
    'whom nobody has heard of': { did: 'did:plc:aaaabbbbccccddddeeeeffff' },
    'whose hours are over': await world.host('retired'),
  }
  const hours = { rules: [{ days: WEEK, start: '09:00', end: '17:00' }], validUntil: '2020-01-01' }
  await hosts['whose hours are over'].officeHours(hours)
  await (await world.person('insider')).confirmed(hosts['who is booked'])
  await hosts['who blocks them'].block(stranger)
  const answers = {}
  for (const [why, { did }] of Object.entries(hosts)) {
    const body = JSON.stringify({ hostDid: did, idempotencyKey: crypto.randomUUID() })
    const token = await stranger.token({ method: 'match' })
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
    const { status, headers, body: answer } = await world.send('match', token, init)
    const told = [...headers].filter(([name]) => !OF_ONE_ANSWER.test(name))
    answers[why] = JSON.stringify([status, answer, told])
  }
  assert.equal(JSON.parse(answers['who is booked'])[1].error, 'NoSlot')
  assert.equal(new Set(Object.values(answers)).size, 1, JSON.stringify(answers, null, 1))
})
