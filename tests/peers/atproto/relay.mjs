// One firehose of several servers, as relays make it: the events as they are, under numbers of its own. It keeps all of
// them, and verifies none.
import { EventEmitter, once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { ErrorFrame, Frame, MessageFrame, XrpcStreamServer } from '@atproto/xrpc-server'

const PATH = '/xrpc/com.atproto.sync.subscribeRepos'

export class Relay {
  /** The event number n is at n - 1. */
  #events = []
  #news = new EventEmitter().setMaxListeners(0)
  #server
  #port

  /** Starts one over the servers at these addresses, from their first events on. */
  static async start(addresses) {
    const relay = new Relay()
    await relay.resume()
    for (const address of addresses) relay.#follow(address)
    return relay
  }

  get url() {
    return `http://localhost:${this.#port}`
  }

  /** Listens again where it did. */
  async resume() {
    const handler = (request, signal) => this.#eventsAfter(request, signal)
    this.#server = new XrpcStreamServer({ port: this.#port ?? 0, host: '127.0.0.1', path: PATH, handler }).wss
    await once(this.#server, 'listening')
    this.#port = this.#server.address().port
  }

  /** Ends all streams, and takes no others until it is resumed. What the servers say meanwhile is heard. */
  async stop() {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  /** Ends every stream without a word, and says how many there were. */
  cut() {
    const open = [...this.#server.clients]
    for (const stream of open) stream.terminate()
    return open.length
  }

  /** Hears what a server says, for ever: it goes on where it was when the stream ends. */
  async #follow(address) {
    for (let cursor = 0; ; await setTimeout(100)) {
      const stream = new WebSocket(`${address.replace('http', 'ws')}${PATH}?cursor=${cursor}`)
      stream.binaryType = 'arraybuffer'
      stream.addEventListener('message', ({ data }) => {
        const { header, body } = Frame.fromBytes(new Uint8Array(data))
        // Notices have no number, and are no events of accounts.
        if (!Number.isInteger(body.seq)) return
        cursor = body.seq
        this.#events.push(new MessageFrame({ ...body, seq: this.#events.length + 1 }, { type: header.t }))
        this.#news.emit('event')
      })
      // Where nobody can be reached, there is nothing to close.
      await new Promise((ended) => {
        for (const end of ['close', 'error']) stream.addEventListener(end, ended)
      })
    }
  }

  async *#eventsAfter({ url }, signal) {
    const cursor = new URL(url, this.url).searchParams.get('cursor')
    let next = cursor === null ? this.#events.length : Number(cursor)
    if (next > this.#events.length) {
      yield new ErrorFrame({ error: 'FutureCursor', message: 'the cursor is ahead of all events' })
      return
    }
    while (!signal.aborted) {
      while (next < this.#events.length) yield this.#events[next++]
      // It ends with the stream.
      await once(this.#news, 'event', { signal }).catch(() => {})
    }
  }
}
