// Programs that end when whoever started them does, in whatever way that comes about.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

/** Runs a program that does not look at its standard input, and ends it with that. */
const KEEPER = `
  exec 3<&0
  "$@" </dev/null 3<&- &
  program=$!
  { cat >/dev/null; kill "$program"; } <&3 2>/dev/null &
  exec 3<&-
  wait "$program"
`

/** Longer than any of them takes to start. */
const START_MILLIS = 60_000

/** What a machine says of the network is not for programs on loopback. */
const PROXIES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']

function environment(more) {
  const kept = Object.entries(process.env).filter(([name]) => !PROXIES.includes(name))
  return { ...Object.fromEntries(kept), ...more }
}

export class Program {
  #child
  /** Settles when it has ended. */
  ended

  /** Starts one that ends with its standard input. What it says of errors goes to the file `log`. */
  static start(log, command, options, { cwd, env } = {}) {
    const program = new Program()
    program.#child = spawn(command, options, { cwd, env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] })
    program.#child.stderr.pipe(createWriteStream(log, { flags: 'a' }))
    program.ended = once(program.#child, 'exit')
    return program
  }

  /** Starts one that does not look at its standard input. All that it says goes to the file `log`. */
  static keep(log, command, options, settings) {
    const program = Program.start(log, 'sh', ['-c', KEEPER, 'sh', command, ...options], settings)
    program.#child.stdout.pipe(createWriteStream(log, { flags: 'a' }))
    return program
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The first line that it prints. */
  async line() {
    const lines = createInterface({ input: this.#child.stdout })
    const ended = this.ended.then(([code]) => Promise.reject(new Error(`ended with ${code} before it said anything`)))
    const [line] = await Promise.race([once(lines, 'line'), ended])
    ended.catch(() => {})
    return line
  }

  /** Has every line heard that it prints. */
  hear(line) {
    createInterface({ input: this.#child.stdout }).on('line', line)
  }

  /** Ends it, and waits until it has. */
  async stop() {
    if (this.running) this.#child.stdin.end()
    await this.ended
  }
}

/** Waits until a program answers at a port that it is well. */
export async function untilHealthy(program, port, log) {
  const deadline = Date.now() + START_MILLIS
  while (program.running && Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await setTimeout(50)
  }
  throw new Error(`it does not start:\n${readFileSync(log, 'utf8')}`)
}
