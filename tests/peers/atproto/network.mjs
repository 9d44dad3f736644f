// A PLC directory and Personal Data Servers, until standard input ends. All are on loopback, on ports that were
// free; the directory is in memory, the accounts are in the folder given. The servers can be restarted, and their
// streams of events cut.
//
//   node network.mjs FOLDER [SERVICE-URL [SERVERS]]
//
// Prints one line of JSON: their addresses, the did:plc of the service at SERVICE-URL, if there is one, and where to
// POST what is to be done: the last parts of the path are the deed and what it is done to, e.g. `restart/1` for a
// server.
import { join } from 'node:path'
import { DataServer, registerKey, registerService, startControl, startDirectory, untilInputEnds } from './servers.mjs'

const [folder, serviceUrl, count = '1'] = process.argv.slice(2)

const plc = await startDirectory()
const servers = []
for (let n = 0; n < Number(count); n++) {
  servers.push(await DataServer.start(join(folder, String(n)), plc, n === 0 ? '.test' : `.pds${n}.test`))
}

const deeds = {
  async restart(n) {
    await servers[n].stop()
    await servers[n].resume()
  },
  stop: (n) => servers[n].stop(),
  resume: (n) => servers[n].resume(),
  cut: (n) => ({ cut: servers[n].cut() }),
  register: async (key) => ({ did: await registerKey(plc, key) }),
}

const service = serviceUrl && (await registerService(plc, serviceUrl))
const control = await startControl(deeds)
const addresses = servers.map(({ url, admin }) => ({ url, admin }))
console.log(JSON.stringify({ plc, pds: servers[0].url, servers: addresses, service, control }))
await untilInputEnds()
