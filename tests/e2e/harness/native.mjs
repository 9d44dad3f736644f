// The AppView as one process: `huddle serve`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binary } from './place.mjs'
import { freePort } from './port.mjs'
import { Program, untilHealthy } from './program.mjs'

export class AppView {
  #log
  #options
  #program

  /** Starts one over a network; it keeps what it keeps in `folder`. */
  static async start({ folder, log, network, graph, limits }) {
    const appview = new AppView()
    const limitsFile = join(folder, 'limits.json')
    writeFileSync(limitsFile, JSON.stringify(limits))
    appview.port = await freePort()
    appview.#log = log
    appview.#options = [
      'serve',
      ...['--listen', `127.0.0.1:${appview.port}`],
      ...['--data', join(folder, 'huddle')],
      ...['--service', `${network.service}#huddle_appview`],
      ...['--plc', network.plc],
      ...['--limits', limitsFile],
      ...network.servers.flatMap(({ url }) => ['--firehose', url.replace('http', 'ws')]),
      ...['--graph', graph.url],
      '--development',
    ]
    await appview.resume()
    return appview
  }

  async resume() {
    this.#program = Program.keep(this.#log, binary, this.#options)
    await untilHealthy(this.#program, this.port, this.#log)
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
