// The AppView's script and the firehose's, in the runtime that Cloudflare runs. What their objects and their database
// keep outlives a restart.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { node, workers } from './place.mjs'
import { Program, untilHealthy } from './program.mjs'
import { Resolver } from './resolver.mjs'

const RUNTIME = join(workers, 'test/runtime.mjs')

/** Nothing asks for an account, sends statistics, or fetches what Cloudflare would tell of a request. */
const QUIET = { CI: 'true', WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

export class AppView {
  #folder
  #log
  #port
  #variables
  #program
  #control
  #resolver

  /** One over a network that listens at `port`; it keeps what it keeps in `folder`. */
  constructor({ folder, log, port, service, url, network, graph, limits, operatorToken }) {
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
      OPERATOR_TOKEN: operatorToken,
    }
  }

  async start() {
    this.#resolver = await Resolver.start()
    const vars = { ...this.#variables, DNS: this.#resolver.url }
    const settings = { folder: this.#folder, port: this.#port, vars }
    this.#program = Program.start(this.#log, node, [RUNTIME, JSON.stringify(settings)], { env: QUIET })
    this.#control = JSON.parse(await this.#program.line()).control
    await untilHealthy(this.#program, this.#port, this.#log)
  }

  /** Ends it; it can be started again, with all that it has kept. */
  async stop() {
    await this.#program?.stop()
    this.#resolver?.close()
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

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
