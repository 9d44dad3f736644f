// Calendars that people have elsewhere: real CalDAV servers, and a feed. What is asked of them is counted.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer, request as ask } from 'node:http'
import { peers, python } from './place.mjs'
import { Program } from './program.mjs'

/** The one account of every server. */
const ACCOUNT = { user: 'ana', password: 'secret' }
const AUTHORIZATION = `Basic ${btoa(`${ACCOUNT.user}:${ACCOUNT.password}`)}`

/** Where a server has its calendar. */
const COLLECTIONS = { radicale: 'ana/work/', xandikos: 'ana/calendars/calendar/' }

const MAKE_CALENDAR = `<?xml version="1.0"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
</D:prop></D:set></C:mkcalendar>`

const ALL_EVENTS = `<?xml version="1.0"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>
</C:calendar-query>`

/** A moment as it stands in iCalendar. */
const basic = (moment) => new Date(moment).toISOString().replace(/[-:]|\.\d+/g, '')

function event({ uid, start, end, words = { SUMMARY: uid } }) {
  const properties = { UID: uid, DTSTAMP: basic(0), DTSTART: basic(start), DTEND: basic(end), ...words }
  const lines = Object.entries(properties).map(([name, value]) => `${name}:${value}\r\n`)
  return `BEGIN:VEVENT\r\n${lines.join('')}END:VEVENT\r\n`
}

const file = (events) =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ana//Ana//EN\r\n${events.map(event).join('')}END:VCALENDAR\r\n`

/** Listens at a port of this machine, and answers. */
async function listen(answer) {
  const listener = createServer(answer).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return listener
}

const urlOf = (listener) => `http://127.0.0.1:${listener.address().port}/`

function close(listener) {
  listener.close()
  listener.closeAllConnections()
}

/** An account on a CalDAV server, of which Huddle knows an address that counts. */
export class CalendarServer {
  #program
  #listener
  #collection
  /** What was asked by Huddle: methods and paths. */
  asked = []

  /** Starts a server of this name, with a calendar that has nothing in it. */
  static async start(name, folder, log) {
    const server = new CalendarServer()
    mkdirSync(folder, { recursive: true })
    server.#program = Program.start(log, python('caldav'), [`${peers}/caldav/serve.py`, name, folder])
    const { url } = JSON.parse(await server.#program.line())
    server.#listener = await listen((request, response) => server.#pass(url, request, response))
    server.#collection = new URL(COLLECTIONS[name], url)
    if (name === 'radicale') await server.#request('MKCALENDAR', '', MAKE_CALENDAR)
    return server
  }

  async stop() {
    if (this.#listener) close(this.#listener)
    await this.#program.stop()
  }

  /** What a person types in so that it is connected. */
  get account() {
    return { address: urlOf(this.#listener), ...ACCOUNT }
  }

  /** Has the person busy; `words` are other properties of the event, beside or in place of a title. */
  add(uid, start, end, words) {
    return this.#request('PUT', `${uid}.ics`, file([{ uid, start, end, words }]))
  }

  /** The event with a UID as the calendar has it: properties by name; nothing if it has none. */
  async event(uid) {
    const answer = await this.#request('REPORT', '', ALL_EVENTS)
    const files = answer.matchAll(/<(?:\w+:)?calendar-data[^>]*>([\s\S]*?)<\//g)
    const events = [...files].map(([, text]) => properties(text))
    const [found, ...others] = events.filter(({ UID }) => UID === uid)
    assert.equal(others.length, 0, `${uid} is there more than once`)
    return found
  }

  async #request(method, path, body) {
    const type = method === 'PUT' ? 'text/calendar' : 'application/xml'
    const headers = { authorization: AUTHORIZATION, 'content-type': `${type}; charset=utf-8`, depth: '1' }
    const response = await fetch(new URL(path, this.#collection), { method, headers, body })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text
  }

  #pass(origin, request, response) {
    this.asked.push(`${request.method} ${request.url}`)
    const { method, headers } = request
    const onward = ask(new URL(request.url, origin), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }
}

/** The properties of the first event of a file. Those that Huddle writes are short, and none is folded. */
function properties(text) {
  const [, event] = text.replaceAll('&#13;', '').split(/BEGIN:VEVENT\r?\n/)
  const lines = event.split(/\r?\n/).map((line) => line.match(/^([A-Z-]+)(?:;[^:]*)?:(.*)$/))
  return Object.fromEntries(lines.filter(Boolean).map(([, name, value]) => [name, value]))
}

/** Whether an event is at this time. */
export const isAt = (event, { start, end }) =>
  event?.DTSTART === basic(start) && event?.DTEND === basic(end)

/** A published file of events. */
export class Feed {
  #listener
  #events = []
  /** What was asked. */
  asked = []

  static async start() {
    const feed = new Feed()
    feed.#listener = await listen((request, response) => {
      feed.asked.push(`${request.method} ${request.url}`)
      response.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8' }).end(file(feed.#events))
    })
    return feed
  }

  get account() {
    return { address: `${urlOf(this.#listener)}secret.ics` }
  }

  add(uid, start, end, words) {
    this.#events.push({ uid, start, end, words })
  }

  stop() {
    close(this.#listener)
  }
}
