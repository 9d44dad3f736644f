// What the AppView says of itself to those who run it, find it, and call it from pages.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { answered } from './harness/outcome.mjs'
import { half } from './harness/times.mjs'
import { World } from './harness/world.mjs'

const world = await World.start('surface', { byWeb: true })
after(() => world.stop())

const json = async (path) => {
  const response = await world.fetch(path)
  assert.equal(response.status, 200, path)
  return response.json()
}

test('it is healthy, and says of which version it and its time zones are', async () => {
  const health = await json('/healthz')
  assert.equal(health.status, 'ok')
  assert.match(JSON.stringify(health), /"20\d\d[a-z]"/, 'a version of the time-zone database, e.g. 2026b')
  assert.match((await json('/xrpc/_health')).version, /^\d+\.\d+\.\d+/)
})

test('its DID document names its service, and real servers find it by that', async () => {
  const document = await json('/.well-known/did.json')
  const [service] = document.service
  assert.deepEqual([document.id, service.id.split('#').at(-1)], [world.service, 'huddle_appview'])
  for (const server of [0, 1]) answered(await (await world.person(`visitor-${server}`, server)).call('listBookings'))
})

test('its metrics count what was asked for and what came of it', async () => {
  const host = await world.host('ada', half(9))
  const guest = await world.person('bob')
  await guest.confirmed(host)
  assert.ok([401, 404].includes((await world.fetch('/internal/metrics')).status), 'they are for operators')
  const metrics = await (await world.operate('/internal/metrics')).text()
  for (const line of metrics.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE|UNIT) |# EOF$|[a-z_:][a-z0-9_:]*(\{.*\})? \S+$)/)
  assert.match(metrics, /^huddle_matches_total\{outcome="held"\} [1-9]/m)
  for (const person of [host, guest]) {
    for (const name of [person.did, person.handle]) assert.ok(!metrics.includes(name), `${name} is in the metrics`)
  }
})

test('a page for its operators, and nobody else, says how it is and what its limits are', async () => {
  assert.ok([401, 404].includes((await world.fetch('/zpages')).status), 'it is for operators')
  const page = await world.operate('/zpages')
  assert.equal(page.status, 200)
  const text = await page.text()
  for (const told of ['status', 'time zones', 'hold_secs']) assert.ok(text.includes(told), told)
})

test('pages of any origin may call it', async () => {
  const headers = {
    origin: 'https://app.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  }
  const preflight = await world.fetch('/xrpc/com.huddle.match', { method: 'OPTIONS', headers })
  assert.ok(preflight.ok, String(preflight.status))
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  const allowed = preflight.headers.get('access-control-allow-headers').toLowerCase()
  for (const name of ['authorization', 'content-type']) assert.ok(allowed.includes(name) || allowed === '*', allowed)
  const { status, headers: answer } = await world.fetch('/xrpc/com.huddle.searchHosts', { headers })
  assert.deepEqual([status, answer.get('access-control-allow-origin')], [200, '*'])
})
