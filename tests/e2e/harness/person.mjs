// Somebody with an account on a real Personal Data Server.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { AtpAgent } from '@atproto/api'
import { Client, XrpcResponseError } from '@atproto/lex'
import { methods } from './contract.mjs'
import { part } from './mail.mjs'
import { answered } from './outcome.mjs'
import { client } from './place.mjs'
import { until, whileBusy } from './until.mjs'

const { huddle } = await import(client)

const PASSWORD = 'correct horse battery staple'

export class Person {
  #world
  #server
  #proxied

  /** Makes an account with this name on a server. */
  static async settle(world, name, server) {
    const person = new Person()
    const { url, handles } = world.servers[server]
    person.#world = world
    person.#server = server
    person.agent = new AtpAgent({ service: url })
    person.name = name
    person.handle = `${name}${handles}`
    const account = { handle: person.handle, email: `${name}@example.com`, password: PASSWORD }
    await person.agent.createAccount(account)
    person.did = person.agent.assertDid
    person.#proxied = new Client(person.agent, { service: `${world.service}#huddle_appview` })
    return person
  }

  get server() {
    return this.#server
  }

  /** Signs in again: what a session was good for may have ended. */
  async signIn() {
    await this.agent.login({ identifier: this.did, password: PASSWORD })
  }

  // Records

  /** Writes a record with a key of its own, and gives its address and CID. */
  async create(collection, record) {
    const input = { repo: this.did, collection, record: { $type: collection, createdAt: now(), ...record } }
    return (await this.agent.com.atproto.repo.createRecord(input)).data
  }

  /** Puts a record in the place of the one at an address, or where none was. */
  async put(uri, record) {
    const [collection, rkey] = uri.split('/').slice(-2)
    const input = { repo: this.did, collection, rkey, record: { $type: collection, createdAt: now(), ...record } }
    return (await this.agent.com.atproto.repo.putRecord(input)).data
  }

  async remove(uri) {
    const [collection, rkey] = uri.split('/').slice(-2)
    await this.agent.com.atproto.repo.deleteRecord({ repo: this.did, collection, rkey })
  }

  follow(other) {
    return this.create('app.bsky.graph.follow', { subject: other.did })
  }

  block(other) {
    return this.create('app.bsky.graph.block', { subject: other.did })
  }

  offer(fields) {
    return this.create('com.huddle.slotOffer', { policy: 'anyone', ...fields })
  }

  officeHours(fields) {
    return this.create('com.huddle.officeHours', { tz: 'UTC', policy: 'anyone', ...fields })
  }

  ask(host, fields) {
    return this.create('com.huddle.bookingRequest', { hostDid: host.did, constraints: {}, ...fields })
  }

  /** Names the AppView that schedules for this account. */
  async choose(did) {
    await this.put(`at://${this.did}/com.huddle.service/self`, { did })
  }

  // Calls

  /** Calls a method of `com.huddle` through the person's own server, and comes again while the machine is too busy. */
  call(name, input = {}) {
    return whileBusy(() => this.callOnce(name, input))
  }

  /** As `call`, once. A procedure has a key that no request has had before, unless the input has one. */
  async callOnce(name, input = {}) {
    const { type } = methods[name]
    const sent = type === 'query' ? { params: input } : { body: { idempotencyKey: randomUUID(), ...input } }
    const result = await this.#proxied.xrpcSafe(huddle[name], { ...sent, maxRetries: 0 })
    return outcomeOf(name, result)
  }

  match(host, input = {}) {
    return this.call('match', { hostDid: host.did, ...input })
  }

  /** The booking that a match of this person with a host makes: what takes too long for an answer is waited for. */
  async matched(host, input = {}) {
    return this.decided(answered(await this.match(host, input)).booking)
  }

  /** A booking of this person, once it is more than being looked for a time for it. */
  decided(booking) {
    const isUnderWay = ({ status, waitingFor }) => status === 'pending' && waitingFor !== 'approval'
    if (!isUnderWay(booking)) return booking
    const ask = async () => (await this.read(booking)).booking
    return until(`${booking.id} is decided`, ask, (booking) => !isUnderWay(booking))
  }

  finalize(booking, input = {}) {
    return this.call('finalize', { bookingId: booking.id, ...input })
  }

  approve(booking, input = {}) {
    return this.call('approveBooking', { bookingId: booking.id, ...input })
  }

  decline(booking, input = {}) {
    return this.call('declineBooking', { bookingId: booking.id, ...input })
  }

  cancel(booking, input = {}) {
    return this.call('cancelBooking', { bookingId: booking.id, ...input })
  }

  reschedule(booking, input = {}) {
    return this.call('rescheduleBooking', { bookingId: booking.id, ...input })
  }

  /** The bookings of this person that a list names. */
  async bookings(params = {}) {
    return answered(await this.call('listBookings', params)).bookings
  }

  /** The bookings of this person, once a list names so many, all of them so: lists are told of what has happened. */
  listed(count, status) {
    return until(
      `${count} bookings of ${this.handle} are ${status}`,
      () => this.bookings(),
      (bookings) => bookings.length === count && bookings.every((booking) => booking.status === status),
    )
  }

  /** A booking of this person with a host, confirmed. */
  async confirmed(host, input = {}) {
    const held = await this.matched(host, input)
    const { booking } = answered(await this.finalize(held))
    return booking.status === 'confirmed' ? booking : (await this.until(held, 'confirmed')).booking
  }

  /** The same at a time that another booking has just let go, of which its host's time is told by and by. */
  async confirmedOnceFree(host, input = {}) {
    const ask = () => this.match(host, { ...input, dryRun: true })
    await until(`${host.handle} is free again`, ask, ({ status }) => status === 200)
    return this.confirmed(host, input)
  }

  /** All that is kept about this person, as they are given it. */
  async exported() {
    const lines = Buffer.from(answered(await this.call('exportData'))).toString()
    return lines.trimEnd().split('\n').map(JSON.parse)
  }

  /** How a booking stands now. */
  async read(booking) {
    return answered(await this.call('getBooking', { bookingId: booking.id }))
  }

  /** A booking, once it stands so. */
  until(booking, status, patience) {
    return until(
      `${booking.id} is ${status}`,
      () => this.read(booking),
      (answer) => answer.booking.status === status,
      patience,
    )
  }

  // Calendars and mail

  /** Connects a calendar on the AppView's own page, as a browser does. */
  async connect(provider, access, account) {
    const page = new URL(answered(await this.call('getConnectUrl', { provider, access })).url)
    const form = await fetch(page)
    assert.equal(form.status, 200)
    assert.ok((await form.text()).includes(this.did), 'the page says whose calendar it will be')
    const body = new URLSearchParams({ ticket: page.searchParams.get('ticket'), ...account })
    const done = await fetch(new URL('/connect', page), { method: 'POST', body })
    assert.equal(new URL(done.url).pathname, '/connect/done', await done.text())
  }

  /** Has mail sent to an address, which is shown to be this person's on the page that a letter leads to. */
  async readMailAt(email) {
    answered(await this.call('requestEmailConfirmation', { email }))
    const [letter] = await this.#world.mail.count(email, 1)
    const [link] = part(letter, 'text/plain').text.match(/http\S+confirm-email\S+/)
    const page = new URL(link)
    assert.equal((await fetch(page)).status, 200)
    const body = new URLSearchParams(page.searchParams)
    const done = await fetch(new URL(page.pathname, page), { method: 'POST', body })
    assert.equal(done.status, 200, await done.text())
    assert.equal(answered(await this.call('getPreferences')).emailStatus, 'confirmed')
  }

  /** Sends any bytes to a method through the person's own server. */
  async raw(name, { query = '', ...init } = {}) {
    const path = `/xrpc/com.huddle.${name}${query}`
    const proxy = `${this.#world.service}#huddle_appview`
    const response = await this.agent.fetchHandler(path, {
      ...init,
      headers: { 'atproto-proxy': proxy, ...init.headers },
    })
    return readResponse(name, response)
  }

  /** Calls a procedure with a token of the person's server, but not through it: it keeps headers of errors to itself. */
  async callDirectly(name, input) {
    const body = JSON.stringify({ idempotencyKey: randomUUID(), ...input })
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
    return this.#world.send(name, await this.token({ method: name }), init)
  }

  /** A token that the person's server signs, for a method of a service. */
  async token({ method, aud = this.#world.service, exp } = {}) {
    const params = { aud, ...(method && { lxm: `com.huddle.${method}` }), ...(exp && { exp }) }
    return (await this.agent.com.atproto.server.getServiceAuth(params)).data.token
  }

  // What becomes of the account

  deactivate() {
    return this.agent.com.atproto.server.deactivateAccount({})
  }

  activate() {
    return this.agent.com.atproto.server.activateAccount()
  }
}

function now() {
  return new Date().toISOString()
}

function outcomeOf(method, result) {
  const { status, headers } = result.success || result instanceof XrpcResponseError ? result : {}
  if (result.success) return { method, status, headers, body: result.body }
  // Without a status, the client would not have the answer, or there was none.
  const { error, message } = result
  return { method, status, headers, error, message, declared: result.matchesSchemaErrors(), cause: result.cause }
}

/** What came of a request that no client has made. */
export async function readResponse(method, response) {
  const text = await response.text()
  const { status, headers } = response
  const isJson = headers.get('content-type')?.split(';')[0] === 'application/json'
  const body = isJson ? JSON.parse(text) : text
  return { method, status, headers, body, error: body.error, message: body.message }
}
