// A PLC directory in memory and Personal Data Servers, on loopback and on ports that were free.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { Server } from 'node:net'
import { join } from 'node:path'
import { Secp256k1Keypair } from '@atproto/crypto'
import { PDS } from '@atproto/pds'
import * as plcLib from '@did-plc/lib'
import { Database, PlcServer } from '@did-plc/server'
import { freePort } from './port.mjs'

// Neither server can be told which address to listen on, and nobody else is to reach them.
const listen = Server.prototype.listen
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, Number.isInteger(port) ? { port, host: '127.0.0.1' } : port, ...rest)
}

/** Starts a directory, and gives its address. It forgets everything when the process ends. */
export async function startDirectory() {
  const server = await PlcServer.create({ db: Database.mock(), port: 0 }).start()
  return `http://localhost:${server.address().port}`
}

/** Registers a DID that is nothing but a service. */
export function registerService(plc, endpoint) {
  return register(plc, { services: { huddle_appview: { type: 'HuddleAppView', endpoint } } })
}

/** Registers a DID that is nothing but a key, given as did:key. */
export function registerKey(plc, key) {
  return register(plc, { verificationMethods: { atproto: key } })
}

async function register(plc, document) {
  const rotation = await Secp256k1Keypair.create()
  const empty = { verificationMethods: {}, alsoKnownAs: [], services: {} }
  const first = { type: 'plc_operation', rotationKeys: [rotation.did()], ...empty, ...document, prev: null }
  const operation = await plcLib.signOperation(first, rotation)
  const did = await plcLib.didForCreateOp(operation)
  await new plcLib.Client(plc).sendOperation(did, operation)
  return did
}

/** A Personal Data Server that can be stopped and started again, and whose streams of events can be cut. */
export class DataServer {
  #settings
  #server
  #streams = new Set()

  /** Starts one that keeps its accounts in this folder, and gives out handles below this domain. */
  static async start(folder, plc, handles = '.test') {
    const server = new DataServer()
    mkdirSync(join(folder, 'blobs'), { recursive: true })
    server.#settings = {
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
      // The server's own address is part of its settings, so its port has to be known before it listens.
      port: await freePort(),
      serviceHandleDomains: [handles],
    }
    await server.resume()
    return server
  }

  get url() {
    return `http://localhost:${this.#settings.port}`
  }

  /** What the administrator's requests have in their header `authorization`. */
  get admin() {
    return `Basic ${Buffer.from(`admin:${this.#settings.adminPassword}`).toString('base64')}`
  }

  /** Starts it again where it was stopped, with all that it has kept. */
  async resume() {
    this.#server = await PDS.fromEnv(this.#settings)
    const listener = await this.#server.start()
    listener.on('upgrade', (_, socket) => {
      this.#streams.add(socket)
      socket.on('close', () => this.#streams.delete(socket))
    })
  }

  stop() {
    return this.#server.destroy()
  }

  /** Ends every stream of events without a word, and says how many there were. */
  cut() {
    const open = [...this.#streams]
    for (const socket of open) socket.destroy()
    return open.length
  }
}

/** Answers a POST with what the deed named by its path comes to, as JSON, and gives the address to post to. */
export async function startControl(deeds) {
  const control = createHttpServer(async (request, response) => {
    try {
      const [, name, ...rest] = request.url.split('/')
      response.end(JSON.stringify((await deeds[name](...rest)) ?? {}))
    } catch (error) {
      response.writeHead(500).end(String(error.stack))
    }
  }).listen(0)
  await once(control, 'listening')
  return `http://localhost:${control.address().port}`
}

/** Ends the process with its standard input, so that it never outlives whoever started it. */
export async function untilInputEnds() {
  process.stdin.resume()
  await once(process.stdin, 'end')
  process.exit(0)
}
