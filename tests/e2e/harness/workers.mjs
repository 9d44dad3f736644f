// The AppView as a Worker, in the runtime that Cloudflare runs. What its objects and databases keep outlives a restart.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { node, workers } from './place.mjs'
import { Program, untilHealthy } from './program.mjs'
import { Resolver } from './resolver.mjs'

const WRANGLER = join(workers, 'node_modules/wrangler/bin/wrangler.js')
/** The build that looks people up on this machine, too. */
const CONFIGURATION = join(workers, 'contract/wrangler.toml')

/** Nothing asks for an account, sends statistics, or fetches what Cloudflare would tell of a request. */
const QUIET = { CI: 'true', WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

export class AppView {
  #folder
  #log
  #port
  #variables
  #secrets
  #program
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
    }
    this.#secrets = { BOOKING_IDS_SECRET: '07'.repeat(32), OPERATOR_TOKEN: operatorToken }
  }

  async start() {
    this.#resolver = await Resolver.start()
    const state = ['--config', CONFIGURATION, '--persist-to', join(this.#folder, 'state')]
    await this.#wrangler(['d1', 'migrations', 'apply', 'DB', '--local', ...state]).ended
    const secrets = join(this.#folder, 'secrets.env')
    const lines = Object.entries(this.#secrets).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(secrets, lines.join(''))
    const variables = { ...this.#variables, DNS: this.#resolver.url }
    this.#program = this.#wrangler([
      'dev',
      ...state,
      ...['--ip', '127.0.0.1', '--port', String(this.#port), '--inspector-port', '0'],
      ...['--env-file', secrets, '--show-interactive-dev-session=false'],
      ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ])
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

  logs() {
    return readFileSync(this.#log, 'utf8')
  }

  #wrangler(options) {
    return Program.keep(this.#log, node, [WRANGLER, ...options], { env: QUIET })
  }
}
