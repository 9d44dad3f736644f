// The AppView as one process: `huddle serve`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SENDER } from './mail.mjs'
import { binary } from './place.mjs'
import { Program, untilHealthy } from './program.mjs'

export class AppView {
  #log
  #port
  #data
  #options
  #env
  #program

  /** One over a network that listens at `port`; it keeps what it keeps in `folder`. */
  constructor({ folder, log, port, service, url, network, graph, limits, operatorToken, mail }) {
    this.#log = log
    this.#port = port
    this.#data = join(folder, 'huddle')
    const settings = join(folder, 'huddle.toml')
    const lines = Object.entries(limits).map(([name, value]) => `${name} = ${value}`)
    writeFileSync(settings, ['[limits]', ...lines, ''].join('\n'))
    this.#options = [
      'serve',
      ...['--listen', `127.0.0.1:${port}`],
      ...['--data', this.#data],
      ...['--service', `${service}#huddle_appview`, '--public-url', url],
      ...['--plc', network.plc],
      ...['--config', settings],
      ...['--firehose', network.relay.replace('http', 'ws')],
      ...['--graph', graph.url],
      '--development',
    ]
    this.#env = {
      HUDDLE_OPERATOR_TOKEN: operatorToken,
      ...(mail && { HUDDLE_SMTP_URL: `smtp://127.0.0.1:${mail.port}`, HUDDLE_MAIL_FROM: SENDER }),
    }
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

  /** Has all that is stored of calendars and addresses sealed with a new key, and forgets those before. */
  async changeKeys() {
    const keys = join(this.#data, 'calendar-keys.secret')
    this.#run('keys', 'rotate')
    await this.restart()
    this.#run('keys', 'reseal')
    const [newest] = readFileSync(keys, 'utf8').split('\n')
    writeFileSync(keys, `${newest}\n`)
    await this.restart()
  }

  /** Comes back without the keys. */
  async loseKeys() {
    rmSync(join(this.#data, 'calendar-keys.secret'))
    await this.restart()
  }

  #run(...command) {
    const { status, stderr } = spawnSync(binary, [...command, '--data', this.#data], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  }

  logs() {
    return readFileSync(this.#log, 'utf8')
  }
}
