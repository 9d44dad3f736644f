// A PLC directory and a Personal Data Server as in network.mjs, and people who publish when they are told to, until
// standard input ends. The server can be restarted, and its connections cut.
//
//   node publisher.mjs FOLDER
//
// Prints one line of JSON: the addresses of both, and where to POST what is to be done: the last part of the path.
// The answer is JSON.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { mkdirSync } from 'node:fs'
import { createServer, Server } from 'node:net'
import { join } from 'node:path'

// Neither server can be told which address to listen on, and nobody else is to reach them.
const listen = Server.prototype.listen
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number.isInteger(port) ? { port, host: '127.0.0.1' } : port, ...rest)
}

const { Database, PlcServer } = await import('@did-plc/server')
const { PDS } = await import('@atproto/pds')
const { Frame } = await import('@atproto/xrpc-server')

const [folder] = process.argv.slice(2)
const collection = 'com.huddle.slotOffer'

const plcServer = PlcServer.create({ db: Database.mock(), port: 0 })
const plc = `http://localhost:${(await plcServer.start()).address().port}`

// The server's own address is part of its settings, and stays the same when it is restarted.
const probe = createServer().listen(0)
await once(probe, 'listening')
const { port } = probe.address()
probe.close()
await once(probe, 'close')
const pds = `http://localhost:${port}`

const adminPassword = randomBytes(16).toString('hex')
mkdirSync(join(folder, 'blobs'), { recursive: true })
const settings = {
  adminPassword,
  blobstoreDiskLocation: join(folder, 'blobs'),
  dataDirectory: folder,
  devMode: true,
  didPlcUrl: plc,
  disableSsrfProtection: true,
  hostname: 'localhost',
  inviteRequired: false,
  jwtSecret: randomBytes(32).toString('hex'),
  plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
  port,
  serviceHandleDomains: ['.test'],
}
let pdsServer = await PDS.fromEnv(settings)
const connections = new Set()
async function start() {
  const server = await pdsServer.start()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
}
await start()

const admin = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`

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

/** Of each type of events the server has sent so far, how many there were. */
async function sent() {
  const counts = {}
  const stream = new WebSocket(`${pds.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`)
  stream.binaryType = 'arraybuffer'
  const count = ({ data }) => {
    const type = Frame.fromBytes(new Uint8Array(data)).header.t
    counts[type] = (counts[type] ?? 0) + 1
  }
  stream.addEventListener('message', count)
  await once(stream, 'open')
  // What comes after this is the last that has to be waited for.
  const renamed = new Promise((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      if (Frame.fromBytes(new Uint8Array(data)).body.handle === 'alice-counted.test') resolve()
    })
  })
  const input = { handle: 'alice-counted.test' }
  await call('com.atproto.identity.updateHandle', people.alice.authorization, input)
  await renamed
  stream.close()
  return counts
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
    await call('com.atproto.admin.deleteAccount', admin, { did })
    delete people.bob
    return { did }
  },
  async cut() {
    const streams = [...connections]
    for (const socket of streams) socket.destroy()
    return { cut: streams.length }
  },
  async restart() {
    await pdsServer.destroy()
    pdsServer = await PDS.fromEnv(settings)
    await start()
    return {}
  },
}

await settle('alice')
await settle('bob')

const control = createHttpServer(async (request, response) => {
  try {
    response.end(JSON.stringify(await deeds[request.url.slice(1)]()))
  } catch (error) {
    response.writeHead(500).end(String(error.stack))
  }
}).listen(0)
await once(control, 'listening')
console.log(JSON.stringify({ plc, pds, control: `http://localhost:${control.address().port}` }))

process.stdin.resume()
await once(process.stdin, 'end')
process.exit(0)
