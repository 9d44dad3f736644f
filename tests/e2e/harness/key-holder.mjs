// Somebody in the directory who has the key of their account, and signs whatever tokens they like: honest ones at no
// cost, and those that no server would sign.
import { randomUUID } from 'node:crypto'
import { Secp256k1Keypair } from '@atproto/crypto'

const base64url = (bytes) => Buffer.from(bytes).toString('base64url')

export class KeyHolder {
  #world
  #key

  static async register(world) {
    const holder = new KeyHolder()
    holder.#world = world
    holder.#key = await Secp256k1Keypair.create()
    holder.did = await world.network.register(holder.#key.did())
    return holder
  }

  /** A token for a method; `claims` and `header` are added, or put in place of what is right. */
  async token(method, claims = {}, header = {}) {
    const now = Math.floor(Date.now() / 1000)
    const right = { iss: this.did, aud: this.#world.service, lxm: `com.huddle.${method}`, iat: now, exp: now + 60 }
    const parts = [
      { typ: 'JWT', alg: 'ES256K', ...header },
      { ...right, jti: randomUUID(), ...claims },
    ]
    const text = parts.map((part) => base64url(JSON.stringify(part))).join('.')
    return `${text}.${base64url(await this.#key.sign(Buffer.from(text)))}`
  }

  /** Calls a method with a good token. */
  async send(method, init) {
    return this.#world.send(method, await this.token(method), init)
  }
}
