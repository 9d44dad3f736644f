// The AppView as one process: `huddle serve`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binary } from './place.mjs'
import { Program, untilHealthy } from './program.mjs'

export class AppView {
  #log
  #port
  #options
  #env
  #program

  /** One over a network that listens at `port`; it keeps what it keeps in `folder`. */
  constructor({ folder, log, port, service, url, network, graph, limits, operatorToken }) {
    this.#log = log
    this.#port = port
    const settings = join(folder, 'huddle.toml')
    const lines = Object.entries(limits).map(([name, value]) => `${name} = ${value}`)
    writeFileSync(settings, ['[limits]', ...lines, ''].join('\n'))
    this.#options = [
      'serve',
      ...['--listen', `127.0.0.1:${port}`],
      ...['--data', join(folder, 'huddle')],
      ...['--service', `${service}#huddle_appview`, '--public-url', url],
      ...['--plc', network.plc],
      ...['--config', settings],
      ...['--firehose', network.relay.replace('http', 'ws')],
      ...['--graph', graph.url],
      '--development',
    ]
    this.#env = { HUDDLE_OPERATOR_TOKEN: operatorToken }
  }

  async start() {
    this.#program = Program.keep(this.#log, binary, this.#options, { env: this.#env })
    await untilHealthy(this.#program, this.#port, this.#log)
  }

  /** Ends it; it can be started again, with all that it has kept. */
  async stop() {
    await this.#program?.stop()
  }

  async restart() {
    await this.stop()
    await this.start()
  }

  /** Ends whoever follows the firehose, which is all of the process, and lets it come back. */
  interrupt() {
    return this.restart()
  }

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
