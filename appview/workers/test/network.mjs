// Accounts on a made-up network: the directory that lists them, the server that hosts them, and its firehose, on
// loopback. What is told of the accounts is signed, as it is in the world outside.
import { EventEmitter, once } from "node:events";
import { hash } from "node:crypto";
import { createServer } from "node:http";
import { Account, MULTIKEY, cbor, tid } from "./repository.mjs";

/** The record by which an account is served, by its path. */
export const service = () => {
  const $type = "com.huddle.service";
  return { [`${$type}/self`]: { $type, did: "did:web:huddle.example.com", createdAt: new Date().toISOString() } };
};

/** A record that offers some time tomorrow, by its path, which no record had before. */
export const offer = () => {
  const $type = "com.huddle.slotOffer";
  const at = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
  return { [`${$type}/${tid()}`]: { $type, start: at(24), end: at(32), policy: "anyone", createdAt: at(0) } };
};

const [GET_REPO, SUBSCRIBE, LIST_RECORDS, GET_RECORD] = [
  "com.atproto.sync.getRepo",
  "com.atproto.sync.subscribeRepos",
  "com.atproto.repo.listRecords",
  "com.atproto.repo.getRecord",
].map((it) => `/xrpc/${it}`);

/** A binary message of a WebSocket, in one frame (RFC 6455 §5.2). */
function message(payload) {
  const head = Buffer.alloc(10);
  head[0] = 0x82;
  let length = 2;
  if (payload.length < 126) head[1] = payload.length;
  else if (payload.length < 2 ** 16) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
    length = 4;
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
    length = 10;
  }
  return Buffer.concat([head.subarray(0, length), payload]);
}

export class Network {
  #server;
  #accounts = new Map();
  /** Event number n is at n - 1. */
  #events = [];
  #news = new EventEmitter().setMaxListeners(0);
  /** What is waited for before the repositories of some accounts are given out. */
  #held = new Map();
  /** Accounts whose repositories were asked for, each time. */
  fetched = [];
  /** Repositories that are given out in place of what accounts have, by DID. */
  repositories = new Map();

  static async start() {
    const network = new Network();
    network.#server = createServer((request, response) => network.#answer(request, response));
    network.#server.on("upgrade", (request, socket) => network.#tellAll(request, socket));
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#news.emit("end");
  }

  get #host() {
    return `localhost:${this.#server.address().port}`;
  }

  /** Where the directory is, and the server. */
  get url() {
    return `http://${this.#host}`;
  }

  get firehose() {
    return `ws://${this.#host}`;
  }

  /** The number of the event that was told last. */
  get last() {
    return this.#events.length;
  }

  /** Somebody new. Nothing is told of them. */
  account() {
    const letters = this.#accounts.size.toString(2).padStart(24, "0").replace(/0/g, "c").replace(/1/g, "d");
    const account = new Account(`did:plc:${letters}`);
    this.#accounts.set(account.did, account);
    return account;
  }

  /** Has an account write records by their paths, and tells of it. Gives the number of the event. */
  write(account, changes) {
    return this.tell("#commit", account.commit(changes));
  }

  /** Tells an event, and gives its number. */
  tell(type, event) {
    const seq = this.last + 1;
    const body = { ...event, seq, time: new Date().toISOString() };
    this.#events.push(message(Buffer.concat([cbor({ op: 1, t: type }), cbor(body)])));
    this.#news.emit("event");
    return seq;
  }

  /** Has whoever asks for the repository of an account wait, until what this gives is called. */
  hold({ did }) {
    const { promise, resolve } = Promise.withResolvers();
    this.#held.set(did, promise);
    return resolve;
  }

  /** The repository of an account, as it is given out. */
  repository(did) {
    return this.repositories.get(did) ?? this.#accounts.get(did).car();
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    const json = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const did = searchParams.get("did") ?? searchParams.get("repo") ?? decodeURIComponent(pathname.slice(1));
    const account = this.#accounts.get(did);
    if (!account) return json(404, { error: "NotFound", message: "there is nothing here" });
    switch (pathname) {
      case GET_REPO:
        this.fetched.push(did);
        await this.#held.get(did);
        return response.writeHead(200, { "content-type": "application/vnd.ipld.car" }).end(this.repository(did));
      case LIST_RECORDS:
        return json(200, { records: account.records(searchParams.get("collection")) });
      case GET_RECORD: {
        const records = account.records(searchParams.get("collection"));
        const record = records.find(({ uri }) => uri.endsWith(`/${searchParams.get("rkey")}`));
        return record ? json(200, record) : json(400, { error: "RecordNotFound", message: "there is no such record" });
      }
      default:
        return json(200, this.#document(did));
    }
  }

  #document(did) {
    const key = { id: `${did}#atproto`, type: "Multikey", controller: did, publicKeyMultibase: MULTIKEY };
    const host = { id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: this.url };
    return { "@context": ["https://www.w3.org/ns/did/v1"], id: did, verificationMethod: [key], service: [host] };
  }

  /** Tells whoever asks of everything after their cursor, as fast as they take it (RFC 6455 §4.2.2). */
  async #tellAll(request, socket) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    if (pathname !== SUBSCRIBE) return socket.destroy();
    const over = new AbortController();
    socket.on("error", () => {});
    socket.on("close", () => over.abort());
    // All that they ever say is that they go.
    socket.on("data", () => socket.end(Buffer.from([0x88, 0])));
    const accept = hash("sha1", `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
        `sec-websocket-accept: ${accept}\r\n\r\n`,
    );
    const until = (emitter, event) => once(emitter, event, { signal: over.signal }).catch(() => {});
    let next = Number(searchParams.get("cursor") ?? this.last);
    while (socket.writable) {
      if (next >= this.last) await until(this.#news, "event");
      else if (!socket.write(this.#events[next++])) await until(socket, "drain");
    }
  }
}
