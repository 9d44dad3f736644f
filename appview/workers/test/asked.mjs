// What the contracts of the ports ask, over real connections: a server that does with a request what its path says, and
// the way to a resolver.
import { once } from "node:events";
import { createServer as listenForHttp } from "node:http";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";

/** `PAUSE_MILLIS` of `huddle_testkit::contract`. */
const PAUSE_MILLIS = 20;

/**
 * The server of `huddle_testkit::contract::fetch`, whose `Asked` says all that it has to know. Its connections are
 * written again here, where there is no tokio: what is sent to whom is in the requests.
 */
export class AskedServer {
  #server = createServer((socket) => this.#converse(socket));
  /** Connections over which something is sent that has not come to its end. */
  #playing = new Set();
  #open = new Set();

  static async start() {
    const server = new AskedServer();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url() {
    return `http://localhost:${this.#server.address().port}/`;
  }

  close() {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #converse(socket) {
    let received = Buffer.alloc(0);
    this.#open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#playing.delete(socket);
    });
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      const head = received.subarray(0, received.indexOf("\r\n\r\n") + 4).toString("latin1");
      const body = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (head === "" || received.length < head.length + body) return;
      const request = received;
      received = Buffer.alloc(0);
      this.#answer(socket, head.split(" ")[1].split("?")[0], request);
    });
  }

  async #answer(socket, path, request) {
    const [what, then, ...pieces] = path.slice(1).split("/");
    const ok = (body) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    };
    if (what === "echo") ok(request);
    else if (what === "play") await this.#play(socket, then, pieces.map((piece) => Buffer.from(piece, "base64url")));
    else if (what === "idle") {
      while (this.#playing.size > 0) await setTimeout(PAUSE_MILLIS);
      ok("");
    } else socket.destroy();
  }

  async #play(socket, then, pieces) {
    this.#playing.add(socket);
    for (const piece of pieces) socket.write(piece);
    if (then === "hang-up") socket.end();
    if (then === "hang-up" || then === "keep-alive") this.#playing.delete(socket);
    while (then === "repeat" || then === "trickle") {
      if (then === "trickle") await setTimeout(PAUSE_MILLIS);
      if (socket.destroyed) return;
      if (!socket.write(pieces.at(-1))) await new Promise((go) => socket.once("drain", go));
    }
  }
}

/** A resolver of DNS over HTTPS which has what `answer` gives for a question, or keeps silent where that is nothing. */
export class Resolver {
  #server;

  static async start(answer) {
    const resolver = new Resolver();
    resolver.#server = listenForHttp(async (request, response) => {
      const { searchParams } = new URL(request.url, "http://localhost");
      const message = await answer(Buffer.from(searchParams.get("dns"), "base64url"));
      if (!message) return;
      response.setHeader("content-type", "application/dns-message");
      response.end(message);
    });
    resolver.#server.listen(0, "127.0.0.1");
    await once(resolver.#server, "listening");
    return resolver;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/dns-query`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
