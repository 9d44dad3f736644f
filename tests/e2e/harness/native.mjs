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
    const limitsFile = join(folder, 'limits.json')
    writeFileSync(limitsFile, JSON.stringify(limits))
    this.#options = [
      'serve',
      ...['--listen', `127.0.0.1:${port}`],
      ...['--data', join(folder, 'huddle')],
      ...['--service', `${service}#huddle_appview`, '--public-url', url],
      ...['--plc', network.plc],
      ...['--limits', limitsFile],
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

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
