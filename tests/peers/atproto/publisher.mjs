// A PLC directory and a Personal Data Server as in network.mjs, and people who publish when they are told to, until
// standard input ends. The server can be restarted, and its streams cut.
//
//   node publisher.mjs FOLDER
//
// Prints one line of JSON: the addresses of both, and where to POST what is to be done: the last part of the path.
// The answer is JSON.
import { once } from 'node:events'
import { Frame } from '@atproto/xrpc-server'
import { DataServer, startControl, startDirectory, untilInputEnds } from './servers.mjs'

const [folder] = process.argv.slice(2)
const collection = 'com.huddle.slotOffer'

const plc = await startDirectory()
const server = await DataServer.start(folder, plc)
const pds = server.url

/** Calls a method of the server, as a person or as its administrator. */
async function call(method, authorization, input) {
  const response = await fetch(`${pds}/xrpc/${method}`, {
    method: 'POST',
    headers: { ...(authorization && { authorization }), ...(input && { 'content-type': 'application/json' }) },
    body: input && JSON.stringify(input),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`)
  return text ? JSON.parse(text) : {}
}

const people = {}
async function settle(name) {
  const account = await call('com.atproto.server.createAccount', undefined, {
    handle: `${name}.test`,
    email: `${name}@example.com`,
    password: 'correct horse battery staple',
  })
  people[name] = { did: account.did, authorization: `Bearer ${account.accessJwt}`, records: {}, offers: 0 }
}

/** What a person holds in the collection, by record key. */
function held() {
  const entries = Object.values(people).map(({ did, records }) => [did, records])
  return Object.fromEntries(entries)
}

function offer(person) {
  person.offers += 1
  return { $type: collection, title: `Offer ${person.offers}`, createdAt: '2026-01-01T00:00:00.000Z' }
}

async function create(person) {
  const input = { repo: person.did, collection, record: offer(person) }
  const { uri, cid } = await call('com.atproto.repo.createRecord', person.authorization, input)
  const rkey = uri.split('/').at(-1)
  person.records[rkey] = cid
  return rkey
}

async function update(person, rkey) {
  const input = { repo: person.did, collection, rkey, record: offer(person) }
  person.records[rkey] = (await call('com.atproto.repo.putRecord', person.authorization, input)).cid
}

async function remove(person, rkey) {
  await call('com.atproto.repo.deleteRecord', person.authorization, { repo: person.did, collection, rkey })
  delete person.records[rkey]
}

async function createMany(person, count) {
  const writes = Array.from({ length: count }, () => ({
    $type: 'com.atproto.repo.applyWrites#create',
    collection,
    value: offer(person),
  }))
  const { results } = await call('com.atproto.repo.applyWrites', person.authorization, { repo: person.did, writes })
  for (const { uri, cid } of results) person.records[uri.split('/').at(-1)] = cid
}

/**
 * What the server has sent so far: how many events of each type, and what it has said of Alice, in order: her handles,
 * and whether she is there.
 */
async function sent() {
  const { did, authorization } = people.alice
  const handle = 'alice-counted.test'
  const told = { counts: {}, handles: [], statuses: [] }
  const stream = new WebSocket(`${pds.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`)
  stream.binaryType = 'arraybuffer'
  // Her new handle is the last that is waited for.
  const last = new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      const { header, body } = Frame.fromBytes(new Uint8Array(data))
      told.counts[header.t] = (told.counts[header.t] ?? 0) + 1
      if (body.did !== did) return
      if (header.t === '#account') told.statuses.push(body.active ? 'active' : body.status)
      if (header.t === '#identity') told.handles.push(body.handle)
      if (body.handle === handle) resolve()
    })
  })
  await once(stream, 'open')
  await call('com.atproto.identity.updateHandle', authorization, { handle })
  await last
  stream.close()
  return told
}

const deeds = {
  sent,
  /** Everybody creates, updates and deletes. */
  async write() {
    for (const person of Object.values(people)) {
      const [first, second] = [await create(person), await create(person)]
      await update(person, first)
      await remove(person, second)
      await createMany(person, 20)
    }
    return held()
  },
  async held() {
    return held()
  },
  async rename() {
    await call('com.atproto.identity.updateHandle', people.alice.authorization, { handle: 'alice-renamed.test' })
    return { did: people.alice.did, handle: 'alice-renamed.test' }
  },
  async deactivate() {
    await call('com.atproto.server.deactivateAccount', people.alice.authorization, {})
    return { did: people.alice.did }
  },
  async activate() {
    await call('com.atproto.server.activateAccount', people.alice.authorization)
    return { did: people.alice.did }
  },
  async delete() {
    const { did } = people.bob
    await call('com.atproto.admin.deleteAccount', server.admin, { did })
    delete people.bob
    return { did }
  },
  async cut() {
    return { cut: server.cut() }
  },
  async restart() {
    await server.stop()
    await server.resume()
  },
}

await settle('alice')
await settle('bob')

console.log(JSON.stringify({ plc, pds, control: await startControl(deeds) }))
await untilInputEnds()
