// The PLC directory, the Personal Data Servers and the relay, in a process of their own: see
// tests/peers/atproto/network.mjs.
import { node, servers } from './place.mjs'
import { Program } from './program.mjs'

export class Network {
  #program
  #control

  /** Starts so many servers, which keep their accounts in a folder, and registers the AppView at an address. */
  static async start(folder, log, appviewUrl, count) {
    const network = new Network()
    const options = ['network.mjs', folder, appviewUrl, String(count)]
    network.#program = Program.start(log, node, options, { cwd: servers })
    const { plc, servers: addresses, relay, service, control } = JSON.parse(await network.#program.line())
    Object.assign(network, { plc, servers: addresses, relay, service })
    network.#control = control
    return network
  }

  /** Ends all of it. */
  end() {
    return this.#program.stop()
  }

  /** Stops a server, by its number, or the relay, until it is resumed. */
  stop(name) {
    return this.#do('stop', name)
  }

  resume(name) {
    return this.#do('resume', name)
  }

  async restart(name) {
    await this.stop(name)
    await this.resume(name)
  }

  /** Ends every stream of the relay without a word, and says how many there were. */
  async cutFirehose() {
    return (await this.#do('cut', 'relay')).cut
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
