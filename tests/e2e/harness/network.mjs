// The PLC directory and the Personal Data Servers, in a process of their own: see tests/peers/atproto/network.mjs.
import { Program } from './program.mjs'
import { node, servers } from './place.mjs'

export class Network {
  #program
  #control

  /** Starts so many servers, which keep their accounts in a folder, and registers the AppView at an address. */
  static async start(folder, log, appviewUrl, count) {
    const network = new Network()
    const options = ['network.mjs', folder, appviewUrl, String(count)]
    network.#program = Program.start(log, node, options, { cwd: servers })
    const { plc, servers: addresses, service, control } = JSON.parse(await network.#program.line())
    Object.assign(network, { plc, servers: addresses, service })
    network.#control = control
    return network
  }

  stop() {
    return this.#program.stop()
  }

  /** Stops a server, and starts it again with all that it has kept. */
  restartServer(n) {
    return this.#do('restart', n)
  }

  stopServer(n) {
    return this.#do('stop', n)
  }

  resumeServer(n) {
    return this.#do('resume', n)
  }

  /** Ends every stream of events of a server without a word, and says how many there were. */
  async cutStreams(n) {
    return (await this.#do('cut', n)).cut
  }

  /** Registers a DID that is nothing but a key, given as did:key. */
  async register(key) {
    return (await this.#do('register', key)).did
  }

  async #do(deed, to) {
    const response = await fetch(`${this.#control}/${deed}/${to}`, { method: 'POST' })
    const text = await response.text()
    if (!response.ok) throw new Error(`${deed} ${to}: ${text}`)
    return JSON.parse(text)
  }
}
