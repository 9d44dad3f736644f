// A PLC directory, Personal Data Servers, and a relay of their events, until standard input ends. All are on loopback,
// on ports that were free; the directory is in memory, the accounts are in the folder given. Servers and relay can be
// stopped and started again, and the relay's streams cut.
//
//   node network.mjs FOLDER [SERVICE-URL [SERVERS]]
//
// Prints one line of JSON: their addresses, the did:plc of the service at SERVICE-URL, if there is one, and where to
// POST what is to be done: the last parts of the path are the deed and what it is done to, a number for a server, e.g.
// `stop/1` or `cut/relay`.
import { join } from 'node:path'
import { Relay } from './relay.mjs'
import { DataServer, registerKey, registerService, startControl, startDirectory, untilInputEnds } from './servers.mjs'

const [folder, serviceUrl, count = '1'] = process.argv.slice(2)

const plc = await startDirectory()
const servers = []
for (let n = 0; n < Number(count); n++) {
  servers.push(await DataServer.start(join(folder, String(n)), plc, n === 0 ? '.test' : `.pds${n}.test`))
}
const relay = await Relay.start(servers.map(({ url }) => url))

const named = (name) => (name === 'relay' ? relay : servers[name])
const deeds = {
  stop: (name) => named(name).stop(),
  resume: (name) => named(name).resume(),
  cut: (name) => ({ cut: named(name).cut() }),
  register: async (key) => ({ did: await registerKey(plc, key) }),
}

const service = serviceUrl && (await registerService(plc, serviceUrl))
const control = await startControl(deeds)
const addresses = servers.map(({ url, admin }) => ({ url, admin }))
console.log(JSON.stringify({ plc, pds: servers[0].url, servers: addresses, relay: relay.url, service, control }))
await untilInputEnds()
