// A resolver of DNS over HTTPS that knows this machine alone: Workers have no other way to look names up.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { answered, asksForVersion4, nameOf } from '../../peers/dns.mjs'

const LOOPBACK = Buffer.from([127, 0, 0, 1])

export class Resolver {
  #listener

  static async start() {
    const resolver = new Resolver()
    resolver.#listener = createServer((request, response) => {
      const { searchParams } = new URL(request.url, 'http://localhost')
      const question = Buffer.from(searchParams.get('dns'), 'base64url')
      response.setHeader('content-type', 'application/dns-message')
      const isHere = nameOf(question) === 'localhost' && asksForVersion4(question)
      response.end(answered(question, isHere ? [LOOPBACK] : []))
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
