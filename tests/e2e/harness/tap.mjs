// All bytes that were answered at an address: it passes on what comes and goes as it is, and knows nothing of HTTP, but
// that nobody behind it hears that answers may be compressed.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Transform } from 'node:stream'

/** The most that is kept. More is an error: what was not kept was not looked at. */
const MOST_BYTES = 256 << 20

/** The header that says so, and another of the same length, of which nobody has heard. */
const [HEADER, OTHER] = [/(?<=\n)accept-encoding(?=:)/gi, 'refuse-encoding']

const uncompressed = () =>
  new Transform({
    transform: (bytes, _, pass) => pass(null, Buffer.from(bytes.toString('latin1').replace(HEADER, OTHER), 'latin1')),
  })

export class Tap {
  #listener
  #target
  #answers = []
  #size = 0
  #open = new Set()

  /** Starts one before a port of this machine. */
  static async start(target) {
    const tap = new Tap()
    tap.#target = target
    tap.#listener = createServer((socket) => tap.#pass(socket)).listen(0, '127.0.0.1')
    await once(tap.#listener, 'listening')
    return tap
  }

  get port() {
    return this.#listener.address().port
  }

  /** All bytes that were answered so far. */
  get answers() {
    if (this.#size > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes were answered`)
    return Buffer.concat(this.#answers)
  }

  #pass(socket) {
    const onward = connect(this.#target, '127.0.0.1')
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ]) {
      this.#open.add(one)
      one.on('close', () => this.#open.delete(one))
      one.on('error', () => other.destroy())
    }
    socket.pipe(uncompressed()).pipe(onward)
    onward.pipe(socket)
    onward.on('data', (bytes) => {
      this.#size += bytes.length
      if (this.#size <= MOST_BYTES) this.#answers.push(bytes)
    })
  }

  close() {
    this.#listener.close()
    for (const socket of this.#open) socket.destroy()
  }
}
