// A resolver of DNS over HTTPS for which every name is this machine's: Workers have no other way to look names up.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { answered, asksForVersion4 } from '../../peers/dns.mjs'

const LOOPBACK = Buffer.from([127, 0, 0, 1])

export class Resolver {
  #listener

  static async start() {
    const resolver = new Resolver()
    resolver.#listener = createServer((request, response) => {
      const { searchParams } = new URL(request.url, 'http://localhost')
      const question = Buffer.from(searchParams.get('dns'), 'base64url')
      response.setHeader('content-type', 'application/dns-message')
      response.end(answered(question, asksForVersion4(question) ? [LOOPBACK] : []))
    }).listen(0, '127.0.0.1')
    await once(resolver.#listener, 'listening')
    return resolver
  }

  get url() {
    return `http://127.0.0.1:${this.#listener.address().port}/dns-query`
  }

  close() {
    this.#listener.close()
    this.#listener.closeAllConnections()
  }
}
