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

  /** Starts one over a network; it keeps what it keeps in `folder`. */
  static async start({ folder, log, port, service, url, network, graph, limits, operatorToken }) {
    const appview = new AppView()
    const limitsFile = join(folder, 'limits.json')
    writeFileSync(limitsFile, JSON.stringify(limits))
    appview.#port = port
    appview.#log = log
    appview.#env = { HUDDLE_OPERATOR_TOKEN: operatorToken }
    appview.#options = [
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
    await appview.resume()
    return appview
  }

  async resume() {
    this.#program = Program.keep(this.#log, binary, this.#options, { env: this.#env })
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
  }

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
