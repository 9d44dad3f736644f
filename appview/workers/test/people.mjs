// People with keys, the directory that lists them, and a resolver of DNS over HTTPS: on loopback.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { answered, asksForVersion4, failed, nameOf } from "../../../tests/peers/dns.mjs";

/** How long a caller who should come again later does so. */
const PATIENCE_MILLIS = 120_000;

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function base58(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  return text;
}

/** The types of DNS records that are asked for here. */
const RECORDS = { 1: "A", 16: "TXT", 28: "AAAA", 33: "SRV" };

/** The data of an SRV record. */
function serviceRecord({ priority, weight, port, target }) {
  const numbers = Buffer.alloc(6);
  [priority, weight, port].forEach((number, at) => numbers.writeUInt16BE(number, 2 * at));
  const labels = target.split(".").filter(Boolean).map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** A pair of keys of P-256, the public one as DID documents have it. */
async function pair() {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  // A point is told by x and the parity of y; 0x1200, as a varint, says which curve it is on.
  const compressed = [0x80, 0x24, 2 + (point[64] & 1), ...point.slice(1, 33)];
  return { privateKey, multibase: `z${base58(compressed)}` };
}

/** The order of P-256: tokens have the lower of the two values of s that fit. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

async function sign(privateKey, text) {
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signature = Buffer.from(await crypto.subtle.sign(algorithm, privateKey, Buffer.from(text)));
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  if (s > ORDER / 2n) signature.write((ORDER - s).toString(16).padStart(64, "0"), 32, "hex");
  return signature;
}

/** What has to be set for anything to be served. */
export const SECRETS = { BOOKING_IDS_SECRET: "07".repeat(32), DISCLOSURE_SECRET: "08".repeat(32) };

/** A directory of did:plc, a resolver, and a graph in which nobody knows anybody, for one suite. */
export class World {
  #server;
  #keys;
  #count = 0;
  /** Addresses that names have beside this machine's, by name. */
  addresses = new Map();
  /** For how many seconds addresses hold. */
  secs = 0;
  /** Names whose address of IPv6, which is this machine's, is told, and of whose others the resolver cannot say. */
  halfKnown = new Set();
  /** Where services are, by name. */
  services = new Map();
  /** Paths that were asked for. */
  asked = [];
  /** What the resolver was asked: names and types of records. */
  questions = [];

  static async start() {
    const world = new World();
    // One pair for all: making thousands would take longer than the tests.
    world.#keys = await pair();
    world.#server = createServer((request, response) => world.#answer(request, response));
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    return world;
  }

  get #port() {
    return this.#server.address().port;
  }

  /** The variables of a Worker that lives in this world, and believes that `SERVICE` is its own name. */
  get vars() {
    const here = `http://127.0.0.1:${this.#port}`;
    return {
      SERVICE: "did:web:huddle.example.com#huddle_appview",
      PLC: here,
      DNS: `${here}/dns-query`,
      GRAPH: here,
      ...SECRETS,
    };
  }

  /** The same, with those whom it asks at a name, as they are in the world outside. */
  get varsByName() {
    const byName = ({ PLC, GRAPH, ...vars }) => ({ ...vars, PLC: named(PLC), GRAPH: named(GRAPH) });
    const named = (url) => url.replace("127.0.0.1", "localhost");
    return byName(this.vars);
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** A person in the directory. */
  person() {
    const letters = (this.#count++).toString(2).padStart(24, "0").replace(/0/g, "a").replace(/1/g, "b");
    return `did:plc:${letters}`;
  }

  /** A person whose document is at a host of their own: this one, by whatever name resolves to it. */
  webPerson(name) {
    return `did:web:${name}%3A${this.#port}`;
  }

  /** A token by which a person calls a method; `claims` are added, or put in place of what is right. */
  async token(person, method, claims = {}) {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: person,
      aud: "did:web:huddle.example.com",
      lxm: method,
      iat: now,
      exp: now + 60,
      jti: crypto.randomUUID(),
      ...claims,
    };
    const parts = [{ typ: "JWT", alg: "ES256" }, payload];
    const text = parts.map((part) => base64url(JSON.stringify(part))).join(".");
    return `${text}.${base64url(await sign(this.#keys.privateKey, text))}`;
  }

  #document(did) {
    const key = {
      id: `${did}#atproto`,
      type: "Multikey",
      controller: did,
      publicKeyMultibase: this.#keys.multibase,
    };
    return { "@context": ["https://www.w3.org/ns/did/v1"], id: did, verificationMethod: [key] };
  }

  #answer(request, response) {
    const url = new URL(request.url, "http://localhost");
    this.asked.push(url.pathname);
    if (url.pathname === "/dns-query") {
      response.setHeader("content-type", "application/dns-message");
      response.end(this.#dns(Buffer.from(url.searchParams.get("dns"), "base64url")));
      return;
    }
    if (url.pathname === "/xrpc/app.bsky.graph.getRelationships") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(strangers(url.searchParams)));
      return;
    }
    const ofHost = url.pathname === "/.well-known/did.json";
    const did = ofHost ? this.webPerson(request.headers.host.split(":")[0]) : decodeURIComponent(url.pathname.slice(1));
    response.setHeader("content-type", "application/json");
    response.statusCode = did.startsWith("did:") ? 200 : 404;
    response.end(JSON.stringify(this.#document(did)));
  }

  #dns(question) {
    const [name, ofVersion4] = [nameOf(question), asksForVersion4(question)];
    const type = RECORDS[question.readUInt16BE(question.length - 4)];
    this.questions.push(`${name} ${type}`);
    if (type === "SRV") return answered(question, (this.services.get(name) ?? []).map(serviceRecord));
    if (this.halfKnown.has(name)) {
      return ofVersion4 ? failed(question) : answered(question, [Buffer.from([...Array(15).fill(0), 1])]);
    }
    if (!ofVersion4) return answered(question, []);
    const addresses = this.addresses.get(name) ?? ["127.0.0.1"];
    return answered(question, addresses.map((address) => Buffer.from(address.split(".").map(Number))), this.secs);
  }
}

/** That nobody follows or blocks anybody. */
function strangers(params) {
  const $type = "app.bsky.graph.defs#relationship";
  return { actor: params.get("actor"), relationships: params.getAll("others").map((did) => ({ $type, did })) };
}

/** Calls the methods of a Worker as people of a world. */
export class Caller {
  #served;
  #world;
  #patience;

  constructor(served, world, patience = PATIENCE_MILLIS) {
    this.#served = served;
    this.#world = world;
    this.#patience = patience;
  }

  /** Calls a procedure, with a key that no request has had before unless the input has one. */
  async procedure(person, name, input) {
    const method = `com.huddle.${name}`;
    const body = JSON.stringify({ idempotencyKey: crypto.randomUUID(), ...input });
    return this.#send(person, method, method, { method: "POST", body });
  }

  async query(person, name, params) {
    const method = `com.huddle.${name}`;
    return this.#send(person, method, `${method}?${new URLSearchParams(params)}`, {});
  }

  async #send(person, method, path, init) {
    const deadline = Date.now() + this.#patience;
    for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
      const headers = { authorization: `Bearer ${await this.#world.token(person, method)}` };
      if (init.body) headers["content-type"] = "application/json";
      const answered = await answer(await this.#served.fetch(`/xrpc/${path}`, { ...init, headers }));
      // A machine that is busy may not find out in time who is calling.
      if (answered.status !== 503 || Date.now() >= deadline) return answered;
      await setTimeout(wait * Math.random());
    }
  }
}

/** The status, headers and JSON of a response. */
export async function answer(response) {
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
