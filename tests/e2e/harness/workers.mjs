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
  #log
  #port
  #options
  #program
  #resolver

  /** Starts one over a network; it keeps what it keeps in `folder`. */
  static async start({ folder, log, port, service, url, network, graph, limits, operatorToken }) {
    const appview = new AppView()
    appview.#log = log
    appview.#resolver = await Resolver.start()
    appview.#port = port
    const secrets = join(folder, 'secrets.env')
    writeFileSync(secrets, `BOOKING_IDS_SECRET=${'07'.repeat(32)}\nOPERATOR_TOKEN=${operatorToken}\n`)
    const state = ['--config', CONFIGURATION, '--persist-to', join(folder, 'state')]
    const variables = {
      SERVICE: `${service}#huddle_appview`,
      PUBLIC_URL: url,
      PLC: network.plc.replace('localhost', '127.0.0.1'),
      DNS: appview.#resolver.url,
      FIREHOSE: network.relay.replace('http', 'ws'),
      GRAPH: graph.url,
      LIMITS: JSON.stringify(limits),
    }
    appview.#options = [
      'dev',
      ...state,
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
      ...['--env-file', secrets, '--show-interactive-dev-session=false'],
      ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
    ]
    await appview.#wrangler(['d1', 'migrations', 'apply', 'DB', '--local', ...state]).ended
    await appview.resume()
    return appview
  }

  async resume() {
    this.#program = this.#wrangler(this.#options)
    await untilHealthy(this.#program, this.#port, this.#log)
  }

  async restart() {
    await this.pause()
    await this.resume()
  }

  /** Ends it until it is resumed. */
  pause() {
    return this.#program.stop()
  }

  async stop() {
    await this.#program?.stop()
    this.#resolver.close()
  }

  logs() {
    return readFileSync(this.#log, 'utf8')
  }

  #wrangler(options) {
    return Program.keep(this.#log, node, [WRANGLER, ...options], { env: QUIET })
  }
}
