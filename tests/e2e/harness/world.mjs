// A directory, two Personal Data Servers, the AppView, and people, for one file of scenarios.
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../peers/atproto/port.mjs'
import { App } from './apps.mjs'
import { CalendarServer, Feed } from './calendars.mjs'
import { StandInGraph } from './graph.mjs'
import { KeyHolder } from './key-holder.mjs'
import { MailServer } from './mail.mjs'
import { Network } from './network.mjs'
import { answered } from './outcome.mjs'
import { Person, readResponse } from './person.mjs'
import { results, runtime } from './place.mjs'
import { Tap } from './tap.mjs'
import { until, whileBusy } from './until.mjs'

const { AppView } = await import(`./${runtime}.mjs`)

/** Limits that no scenario meets unless it is about them: everybody here comes from one address. */
const ROOM = {
  account_per_minute: 100_000,
  account_burst: 100_000,
  changes_per_minute: 100_000,
  anonymous_per_minute: 100_000,
  anonymous_burst: 100_000,
}

const HANDLES = ['.test', '.pds1.test']

export class World {
  #appview
  #network
  #tap
  #operatorToken = randomUUID()
  #people = 0
  #folder
  /** What ends with this. */
  #ending = []
  /** The DID of the AppView, and where it is. */
  service
  url

  /**
   * Starts everything; `name` is that of its folder. `limits` are those that differ from what leaves room. The AppView
   * has a DID in the directory, or, with `byWeb`, tells its document itself. Where it is `tapped`, `answers` has what it
   * has answered; where it is `mailing`, `mail` what it has sent.
   */
  static async start(name, { limits = {}, byWeb = false, tapped = false, mailing = false } = {}) {
    const world = new World()
    const folder = join(results, name)
    world.#folder = folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const log = (of) => join(folder, `${of}.log`)
    try {
      const port = await freePort()
      if (tapped) world.#tap = await Tap.start(port)
      // Real servers look documents of `did:web` up by name only.
      const host = `localhost:${world.#tap?.port ?? port}`
      world.url = `http://${host}`
      world.#network = await Network.start(join(folder, 'servers'), log('servers'), world.url, HANDLES.length)
      world.service = byWeb ? `did:web:${host.replace(':', '%3A')}` : world.#network.service
      world.graph = await StandInGraph.start(world.#network.plc)
      if (mailing) world.mail = await MailServer.start(log('mail'))
      world.#appview = new AppView({
        folder,
        log: log('appview'),
        port,
        service: world.service,
        url: world.url,
        network: world.#network,
        graph: world.graph,
        limits: { ...ROOM, ...limits },
        operatorToken: world.#operatorToken,
        mail: world.mail,
      })
      await world.#appview.start()
    } catch (error) {
      await world.stop()
      throw error
    }
    return world
  }

  async stop() {
    await this.#appview?.stop()
    await this.#network?.end()
    this.graph?.close()
    await this.mail?.stop()
    for (const one of this.#ending) await one.stop()
    this.#tap?.close()
  }

  get network() {
    return this.#network
  }

  get appview() {
    return this.#appview
  }

  get servers() {
    return this.#network.servers.map((server, n) => ({ ...server, handles: HANDLES[n] }))
  }

  /** All bytes that the AppView has answered so far. */
  get answers() {
    return this.#tap.answers
  }

  /** An account on a CalDAV server of this name: `radicale` or `xandikos`. */
  async calendar(name) {
    const folder = join(this.#folder, `${name}-${this.#ending.length}`)
    return this.#ended(await CalendarServer.start(name, folder, `${folder}.log`))
  }

  /** A published calendar. */
  async feed() {
    return this.#ended(await Feed.start())
  }

  /** An app that can have news posted. */
  async app() {
    return this.#ended(await App.start())
  }

  #ended(one) {
    this.#ending.push(one)
    return one
  }

  /** Somebody new, on one server after the other. */
  person(name, server = this.#people % HANDLES.length) {
    this.#people += 1
    return Person.settle(this, name, server)
  }

  /** Somebody without a server, who signs tokens by themselves. */
  keyHolder() {
    return KeyHolder.register(this)
  }

  people(...names) {
    return Promise.all(names.map((name) => this.person(name)))
  }

  /** Somebody new whom this AppView serves, and who offers this, once the AppView knows. */
  async host(name, ...offers) {
    return this.open(await this.person(name), ...offers)
  }

  /** Makes a host of somebody. */
  async open(person, ...offers) {
    await person.choose(this.service)
    for (const offer of offers) {
      const { uri } = await (offer.rules ? person.officeHours(offer) : person.offer(offer))
      await this.listed(person, uri)
    }
    return person
  }

  /** What is listed of a host. */
  async offers(host) {
    return answered(await this.get('listOffers', { host: host.did })).offers
  }

  /** Waits until a host's record is listed, in the version with this CID if one is given. */
  listed(host, uri, cid) {
    const isIt = (offer) => offer.uri === uri && (!cid || offer.cid === cid)
    // Of an account that nothing was seen of yet nothing is known.
    const ask = () => this.get('listOffers', { host: host.did })
    return until(
      `${uri} is listed`,
      ask,
      (outcome) => outcome.error !== 'HostNotFound' && answered(outcome).offers.some(isIt),
    )
  }

  /** Waits until none of a host's records is listed. */
  unlisted(host) {
    const ask = () => this.get('listOffers', { host: host.did })
    // Of an account that is gone nothing is known.
    return until(
      `nothing of ${host.handle} is listed`,
      ask,
      (outcome) => outcome.error === 'HostNotFound' || !answered(outcome).offers.length,
    )
  }

  /** Asks the AppView, by no server of anybody. */
  fetch(path, init) {
    return fetch(`${this.url}${path}`, init)
  }

  /** Asks for a page that only operators get to see. */
  operate(path) {
    return this.fetch(path, { headers: { authorization: `Bearer ${this.#operatorToken}` } })
  }

  /** Calls a method as nobody. */
  get(name, params = {}) {
    const path = `/xrpc/com.huddle.${name}?${new URLSearchParams(params)}`
    return whileBusy(async () => readResponse(name, await this.fetch(path)))
  }

  /** Calls a method by no server, with a token or none. */
  async send(name, token, { query = '', ...init } = {}) {
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...init.headers }
    return readResponse(name, await this.fetch(`/xrpc/com.huddle.${name}${query}`, { ...init, headers }))
  }

  /** Deletes an account, as its server's administrator does. */
  async deleteAccount(person) {
    const { url, admin } = this.servers[person.server]
    const response = await fetch(`${url}/xrpc/com.atproto.admin.deleteAccount`, {
      method: 'POST',
      headers: { authorization: admin, 'content-type': 'application/json' },
      body: JSON.stringify({ did: person.did }),
    })
    if (!response.ok) throw new Error(`deleteAccount: ${response.status} ${await response.text()}`)
  }
}
