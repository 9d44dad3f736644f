// Repositories as accounts sign them, and what is told of them: DAG-CBOR, trees of records, and CAR. Whoever reads them
// may check everything.
import { createPrivateKey, hash, sign } from "node:crypto";

/** The key of every account. It is the least that there is, and no secret. */
const KEY = createPrivateKey({
  format: "jwk",
  key: {
    kty: "EC",
    crv: "P-256",
    d: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
    x: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
    y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
  },
});
/** The same, as DID documents have it. */
export const MULTIKEY = "zDnaepsL7AXenJkVYdkh5KuKsSU7Ykh7kyXaLLU7auN9FWSiZ";

/** How the CID of a block begins: version 1, DAG-CBOR, SHA-256, 32 bytes. */
const CID = Buffer.from([0x01, 0x71, 0x12, 0x20]);

/** What stands before a CID that is a value: tag 42, and bytes of which the first is 0. */
const TAG = Buffer.from([0xd8, 42, 0x58, 37, 0]);

const sha256 = (bytes) => hash("sha256", bytes, "buffer");

/** Bytes as text (RFC 4648 §6), in small letters and without padding. */
function base32(bytes) {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  const digits = bits.match(/.{1,5}/g).map((five) => Number.parseInt(five.padEnd(5, "0"), 2));
  return digits.map((digit) => "abcdefghijklmnopqrstuvwxyz234567"[digit]).join("");
}

/** A link to a block. */
class Link {
  constructor(block) {
    this.cid = Buffer.concat([CID, sha256(block)]);
  }

  /** As it stands in JSON. */
  toString() {
    return `b${base32(this.cid)}`;
  }
}

/** The head of a value of CBOR: its major type, and a number. */
function head(type, number) {
  if (number < 24) return Buffer.from([(type << 5) | number]);
  const size = [1, 2, 4, 8].findIndex((size) => number < 2 ** (8 * size));
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(BigInt(number), 1);
  const short = bytes.subarray(8 - 2 ** size);
  short[0] = (type << 5) | (24 + size);
  return short;
}

const withLength = (type, bytes) => Buffer.concat([head(type, bytes.length), bytes]);

/** The order of keys: the shorter comes first, and of the same length the one that is less. */
const byKey = ([one], [other]) => one.length - other.length || (one < other ? -1 : 1);

/** A value as DAG-CBOR. Numbers are whole and not negative. */
export function cbor(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === "number") return head(0, value);
  if (typeof value === "string") return withLength(3, Buffer.from(value));
  if (value instanceof Uint8Array) return withLength(2, value);
  if (value instanceof Link) return Buffer.concat([TAG, value.cid]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const entries = Object.entries(value).sort(byKey);
  return Buffer.concat([head(5, entries.length), ...entries.flat().map(cbor)]);
}

let lastMicros = 0;

/** A TID that is later than any before it. */
export function tid() {
  lastMicros = Math.max(Date.now() * 1000, lastMicros + 1);
  const digits = "234567abcdefghijklmnopqrstuvwxyz";
  let text = "";
  for (let rest = BigInt(lastMicros) << 10n, n = 0; n < 13; rest >>= 5n, n++) text = digits[Number(rest & 31n)] + text;
  return text;
}

/** The height of a key in a tree: pairs of zero bits at the beginning of its hash. */
function heightOf(key) {
  let zeros = 0;
  for (const byte of sha256(key)) {
    zeros += Math.clz32(byte) - 24;
    if (byte) break;
  }
  return zeros >> 1;
}

function shared(one, other) {
  let count = 0;
  while (count < one.length && one[count] === other[count]) count += 1;
  return count;
}

/** Makes the tree of some entries in order, none of which stands higher; `add` is given each node, and links to it. */
function tree(entries, height, add) {
  const node = { e: [], l: null };
  let below = [];
  const close = () => {
    const link = below.length ? tree(below, height - 1, add) : null;
    if (node.e.length) node.e.at(-1).t = link;
    else node.l = link;
    below = [];
  };
  let before = "";
  for (const entry of entries) {
    if (entry.height < height) {
      below.push(entry);
      continue;
    }
    close();
    const p = shared(before, entry.key);
    node.e.push({ k: Buffer.from(entry.key.slice(p)), p, t: null, v: entry.link });
    before = entry.key;
  }
  close();
  return add(cbor(node));
}

/** A length before what it is the length of. */
function varint(number) {
  const bytes = [];
  for (; number > 127; number >>= 7) bytes.push((number & 127) | 128);
  return Buffer.from([...bytes, number]);
}

/** Blocks as CAR, of which the first is the root. */
function car(blocks) {
  const header = cbor({ roots: [new Link(blocks[0])], version: 1 });
  const parts = [varint(header.length), header];
  for (const block of blocks) parts.push(varint(CID.length + 32 + block.length), CID, sha256(block), block);
  return Buffer.concat(parts);
}

/** So many bytes of blocks that nothing leads to, or a few less, for the end of a CAR: as many as can be, all empty. */
export function crumbs(bytes) {
  const section = Buffer.concat([varint(CID.length + 32), CID, sha256("")]);
  return Buffer.alloc(bytes - (bytes % section.length), section);
}

/** An account that has signed a repository without a record. */
export class Account {
  #records = new Map();
  #nodes = [];
  #commit;
  #data;
  rev;

  constructor(did) {
    this.did = did;
    this.#sign();
  }

  /** Writes records by their paths, and deletes those for which there is `null`. Gives what a firehose tells of it. */
  commit(changes) {
    const [since, prevData] = [this.rev, this.#data];
    const ops = [];
    const written = [];
    for (const [path, record] of Object.entries(changes)) {
      const prev = this.#records.get(path)?.link;
      const block = record && cbor(record);
      const link = block && new Link(block);
      const action = record ? (prev ? "update" : "create") : "delete";
      ops.push({ action, path, cid: link, ...(prev && { prev }) });
      if (block) written.push(block);
      if (block) this.#records.set(path, { key: path, record, block, link, height: heightOf(path) });
      else this.#records.delete(path);
    }
    this.#sign();
    return {
      repo: this.did,
      rev: this.rev,
      since,
      commit: new Link(this.#commit),
      prevData,
      ops,
      blocks: car([this.#commit, ...this.#nodes, ...written]),
      blobs: [],
      rebase: false,
      tooBig: false,
    };
  }

  /** The records of a collection, as a server gives them out one by one. */
  records(collection) {
    const records = [...this.#records.values()].filter(({ key }) => key.startsWith(`${collection}/`));
    return records.map(({ key, record, link }) => ({ uri: `at://${this.did}/${key}`, cid: `${link}`, value: record }));
  }

  /** The whole repository. */
  car() {
    const records = [...this.#records.values()].map(({ block }) => block);
    return car([this.#commit, ...this.#nodes, ...records]);
  }

  #sign() {
    this.#nodes = [];
    const add = (node) => {
      this.#nodes.push(node);
      return new Link(node);
    };
    const entries = [...this.#records.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
    const height = entries.reduce((most, entry) => Math.max(most, entry.height), 0);
    this.#data = tree(entries, height, add);
    this.rev = tid();
    const unsigned = { did: this.did, rev: this.rev, data: this.#data, prev: null, version: 3 };
    this.#commit = cbor({ ...unsigned, sig: signature(cbor(unsigned)) });
  }
}

/** Signs. Of the two values of s that fit, signatures have the lower, which every other one has by itself. */
function signature(bytes) {
  for (;;) {
    const signed = sign("sha256", bytes, { key: KEY, dsaEncoding: "ieee-p1363" });
    if (signed[32] < 0x7f) return signed;
  }
}
