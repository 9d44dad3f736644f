// A stand-in for the mail API of SparkPost, which takes whole messages: `POST /api/v1/transmissions`.
import { once } from 'node:events'
import { createServer } from 'node:http'

const PATH = '/api/v1/transmissions'

export class StandInMailApi {
  #key
  #deliver
  #listener
  /** What the next requests are answered in place of being taken: a status, and headers if it has any. */
  faults = []
  /** When it was asked, and for whom with which message. */
  asked = []

  /** Takes what comes with the key of an account; `deliver` is given `from`, `to` and the `message`. */
  static async start(key, deliver = () => {}) {
    const api = new StandInMailApi()
    api.#key = key
    api.#deliver = deliver
    // Who asks may be gone before all has come.
    const answer = (request, response) => api.#answer(request, response).catch(() => response.destroy())
    api.#listener = createServer(answer).listen(0, '127.0.0.1')
    await once(api.#listener, 'listening')
    return api
  }

  get url() {
    return `http://127.0.0.1:${this.#listener.address().port}`
  }

  close() {
    this.#listener.close()
    this.#listener.closeAllConnections()
  }

  async #answer(request, response) {
    const say = (status, body, headers) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.method !== 'POST' || request.url !== PATH) return say(404, { errors: [] })
    if (request.headers.authorization !== this.#key) return say(401, { errors: [] })
    const { recipients, content, return_path: from } = JSON.parse(Buffer.concat(chunks))
    const [to] = recipients.map(({ address }) => address.email)
    const letter = { at: Date.now(), from, to, message: content.email_rfc822 }
    this.asked.push(letter)
    const fault = this.faults.shift()
    if (fault) return say(fault.status, { errors: [] }, fault.headers)
    try {
      await this.#deliver(letter)
      say(200, { results: { total_rejected_recipients: 0, total_accepted_recipients: 1, id: '1' } })
    } catch (error) {
      say(500, { errors: [{ message: String(error) }] })
    }
  }
}
