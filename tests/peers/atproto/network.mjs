// A PLC directory and a Personal Data Server, until standard input ends. Both are on loopback, on ports that
// were free; the directory is in memory, the accounts are in the folder given.
//
//   node network.mjs FOLDER [SERVICE-URL]
//
// Prints one line of JSON: their addresses, and the did:plc of the service at SERVICE-URL, if there is one.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer, Server } from 'node:net'
import { join } from 'node:path'

// Neither server can be told which address to listen on, and nobody else is to reach them.
const listen = Server.prototype.listen
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number.isInteger(port) ? { port, host: '127.0.0.1' } : port, ...rest)
}

const { Database, PlcServer } = await import('@did-plc/server')
const plcLib = await import('@did-plc/lib')
const { PDS } = await import('@atproto/pds')
const { Secp256k1Keypair } = await import('@atproto/crypto')

const [folder, serviceUrl] = process.argv.slice(2)

const plcServer = PlcServer.create({ db: Database.mock(), port: 0 })
const plc = `http://localhost:${(await plcServer.start()).address().port}`

// The server's own address is part of its settings, so its port has to be known before it listens.
const probe = createServer().listen(0)
await once(probe, 'listening')
const { port } = probe.address()
probe.close()
await once(probe, 'close')

mkdirSync(join(folder, 'blobs'), { recursive: true })
const pdsServer = await PDS.fromEnv({
  adminPassword: randomBytes(16).toString('hex'),
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
})
await pdsServer.start()

/** Registers a DID that is nothing but a service. */
async function register(endpoint) {
  const key = await Secp256k1Keypair.create()
  const operation = await plcLib.signOperation(
    {
      type: 'plc_operation',
      rotationKeys: [key.did()],
      verificationMethods: {},
      alsoKnownAs: [],
      services: { huddle_appview: { type: 'HuddleAppView', endpoint } },
      prev: null,
    },
    key,
  )
  const did = await plcLib.didForCreateOp(operation)
  await new plcLib.Client(plc).sendOperation(did, operation)
  return did
}

const service = serviceUrl && (await register(serviceUrl))
console.log(JSON.stringify({ plc, pds: `http://localhost:${port}`, service }))

process.stdin.resume()
await once(process.stdin, 'end')
await pdsServer.destroy()
await plcServer.destroy()
process.exit(0)
