// The AppView's script and the firehose's, in the runtime that Cloudflare runs. What their objects and their database
// keep outlives a restart.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StandInMailApi } from '../../peers/mail-api.mjs'
import { SENDER } from './mail.mjs'
import { node, workers } from './place.mjs'
import { Program, untilHealthy } from './program.mjs'
import { Resolver } from './resolver.mjs'

const RUNTIME = join(workers, 'test/runtime.mjs')

/** Nothing asks for an account, sends statistics, or fetches what Cloudflare would tell of a request. */
const QUIET = { CI: 'true', WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

const MAIL_API_KEY = 'the key of an account'

/** A key as `CALENDAR_KEYS` has them. */
const newKey = (id) => `${id}:${randomBytes(32).toString('hex')}`

export class AppView {
  #folder
  #log
  #port
  #variables
  #program
  #control
  #resolver
  #mail
  #mailApi

  /** One over a network that listens at `port`; it keeps what it keeps in `folder`. */
  constructor({ folder, log, port, service, url, network, graph, limits, operatorToken, mail }) {
    this.#mail = mail
    this.#folder = folder
    this.#log = log
    this.#port = port
    this.#variables = {
      SERVICE: `${service}#huddle_appview`,
      PUBLIC_URL: url,
      PLC: network.plc,
      FIREHOSE: network.relay.replace('http', 'ws'),
      GRAPH: graph.url,
      LIMITS: JSON.stringify(limits),
      BOOKING_IDS_SECRET: '07'.repeat(32),
      DISCLOSURE_SECRET: '08'.repeat(32),
      CALENDAR_KEYS: newKey('first'),
      OPERATOR_TOKEN: operatorToken,
    }
  }

  async start() {
    this.#resolver = await Resolver.start()
    const vars = { ...this.#variables, DNS: this.#resolver.url, ...(await this.#sending()) }
    const settings = { folder: this.#folder, port: this.#port, vars }
    this.#program = Program.start(this.#log, node, [RUNTIME, JSON.stringify(settings)], { env: QUIET })
    this.#control = JSON.parse(await this.#program.line()).control
    await untilHealthy(this.#program, this.#port, this.#log)
  }

  /** A mail API that hands over to the mail server, and what there is to know of it. */
  async #sending() {
    if (!this.#mail) return {}
    this.#mailApi = await StandInMailApi.start(MAIL_API_KEY, (letter) => this.#mail.take(letter))
    return { MAIL_API: this.#mailApi.url, MAIL_API_KEY, MAIL_FROM: SENDER }
  }

  /** Ends it; it can be started again, with all that it has kept. */
  async stop() {
    await this.#program?.stop()
    this.#resolver?.close()
    this.#mailApi?.close()
  }

  async restart() {
    await this.stop()
    await this.start()
  }

  /** Ends the object that follows the firehose, wherever it is. It comes back by itself. */
  async interrupt() {
    const response = await fetch(`${this.#control}/end`, { method: 'POST' })
    if (!response.ok) throw new Error(`end: ${await response.text()}`)
  }

  /** Has all that is stored of calendars and addresses sealed with a new key, and forgets those before. */
  async changeKeys() {
    const newest = newKey('second')
    this.#variables.CALENDAR_KEYS = `${newest},${this.#variables.CALENDAR_KEYS}`
    await this.restart()
    for (let after = ''; after !== undefined; ) after = await this.#reseal(after)
    this.#variables.CALENDAR_KEYS = newest
    await this.restart()
  }

  /** Seals what a few people have, and says where to go on. */
  async #reseal(from) {
    const headers = { authorization: `Bearer ${this.#variables.OPERATOR_TOKEN}` }
    const query = new URLSearchParams({ after: from })
    const url = `http://127.0.0.1:${this.#port}/internal/reseal?${query}`
    const response = await fetch(url, { method: 'POST', headers })
    assert.equal(response.status, 200)
    const { newest, failed, after } = await response.json()
    assert.deepEqual([newest, failed], ['second', 0])
    return after
  }

  /** Comes back without the keys. */
  async loseKeys() {
    delete this.#variables.CALENDAR_KEYS
    this.#mail = undefined
    await this.restart()
  }

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
