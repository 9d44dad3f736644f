// A stand-in for the AppView of app.bsky, of which only the index is not real: it answers
// `app.bsky.graph.getRelationships` from the follow and block records in the repositories themselves, read anew for
// each request.
import { once } from 'node:events'
import { createServer } from 'node:http'

const PATH = '/xrpc/app.bsky.graph.getRelationships'

export class StandInGraph {
  #plc
  #listener
  /** Queries that were asked. */
  asked = []
  /** Whether it answers nothing but errors. */
  broken = false

  static async start(plc) {
    const graph = new StandInGraph()
    graph.#plc = plc
    graph.#listener = createServer((request, response) => graph.#answer(request, response)).listen(0, '127.0.0.1')
    await once(graph.#listener, 'listening')
    return graph
  }

  get url() {
    return `http://localhost:${this.#listener.address().port}`
  }

  close() {
    this.#listener.close()
    this.#listener.closeAllConnections()
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    this.asked.push(request.url)
    const say = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (pathname !== PATH) return say(501, { error: 'MethodNotImplemented', message: `only ${PATH} is` })
    if (this.broken) return say(503, { error: 'UpstreamFailure', message: 'this is broken for now' })
    try {
      const actor = searchParams.get('actor')
      const others = searchParams.getAll('others')
      say(200, { actor, relationships: await this.#relationships(actor, others) })
    } catch (error) {
      say(500, { error: 'InternalServerError', message: String(error) })
    }
  }

  async #relationships(actor, others) {
    const own = await this.#edges(actor)
    const of = async (other) => {
      const theirs = await this.#edges(other)
      return {
        $type: 'app.bsky.graph.defs#relationship',
        did: other,
        following: own.follow.get(other),
        followedBy: theirs.follow.get(actor),
        blocking: own.block.get(other),
        blockedBy: theirs.block.get(actor),
      }
    }
    return Promise.all(others.map(of))
  }

  /** Whom an account follows and blocks, by DID, with the address of the record that says so. */
  async #edges(did) {
    const [follow, block] = await Promise.all([this.#subjects(did, 'follow'), this.#subjects(did, 'block')])
    return { follow, block }
  }

  async #subjects(did, kind) {
    const subjects = new Map()
    const document = await this.#json(new URL(`/${did}`, this.#plc))
    const pds = document?.service.find(({ id }) => id.endsWith('#atproto_pds'))?.serviceEndpoint
    if (!pds) return subjects
    let cursor
    do {
      const query = new URLSearchParams({ repo: did, collection: `app.bsky.graph.${kind}`, limit: '100' })
      if (cursor) query.set('cursor', cursor)
      const page = await this.#json(`${pds}/xrpc/com.atproto.repo.listRecords?${query}`)
      for (const { uri, value } of page?.records ?? []) subjects.set(value.subject, uri)
      cursor = page?.cursor
    } while (cursor)
    return subjects
  }

  /** What is at an address; nothing for whom nothing is known of. */
  async #json(url) {
    const response = await fetch(url)
    if (response.ok) return response.json()
    if (response.status >= 500) throw new Error(`${url}: ${response.status}`)
  }
}
