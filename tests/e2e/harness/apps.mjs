// Apps that people have their news posted to: they take whatever comes, and keep all of it.
import { once } from 'node:events'
import { createServer } from 'node:http'

export class App {
  #listener
  /** What was posted, each with its headers. */
  posted = []

  static async start() {
    const app = new App()
    // Who posts may be gone before all has come.
    const take = (request, response) => app.#take(request, response).catch(() => response.destroy())
    app.#listener = createServer(take).listen(0, '127.0.0.1')
    await once(app.#listener, 'listening')
    return app
  }

  get url() {
    return `http://127.0.0.1:${this.#listener.address().port}/news`
  }

  stop() {
    this.#listener.close()
    this.#listener.closeAllConnections()
  }

  async #take(request, response) {
    const body = []
    for await (const chunk of request) body.push(chunk)
    this.posted.push([...request.rawHeaders, Buffer.concat(body).toString('latin1')].join('\n'))
    response.writeHead(204).end()
  }
}
