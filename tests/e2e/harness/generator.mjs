// Requests that a lexicon allows, and requests that it does not, by a seed.
import { definitions, methods } from './contract.mjs'

/** Numbers from 0 to below 1 that only the seed decides (mulberry32). */
function numbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Texts that have surprised programs before. */
const ODD_TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud7ff',
  '\u{10ffff}',
  'é́',
  '\u202etxet',
  '👨‍👩‍👧‍👦',
  '%00',
  '../..',
  "'; --",
  '${x}',
  '{"a":1}',
  'null',
  'true',
  '-1',
  '1e999',
  'NaN',
  '🙂'.repeat(100),
  'x'.repeat(5000),
]

/** Values of the data model, and then some that are not. */
const VALUES = [null, true, false, 0, -1, 2 ** 31, '', 'x', [], [[]], {}, [null]]
const ODD_VALUES = [...VALUES, 1.5, 2 ** 53, -(2 ** 63), { $type: 'com.huddle.none' }, { $type: '' }]

const ODD_MOMENTS = [
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2030-06-01T00:00:00.123456789012Z',
  '2030-06-01T00:00:00+14:00',
  '2030-06-01T00:00:00-12:00',
]

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Etc/GMT+12',
  'Nowhere/Land',
  'utc',
]

export class Generator {
  #next
  #fields
  #formats

  /** Values that mean something to the AppView that is asked: by name of a field, and by format. */
  constructor(seed, { fields, formats }) {
    this.#next = numbers(seed)
    this.#fields = fields
    this.#formats = formats
  }

  #chance(share) {
    return this.#next() < share
  }

  #below(most) {
    return Math.floor(this.#next() * most)
  }

  #one(list) {
    return list[this.#below(list.length)]
  }

  /** A request for a method: what is sent, and whether its lexicon allows it as far as a schema says. */
  request(name) {
    const { type, parameters, input } = methods[name]
    const nsid = `com.huddle.${name}`
    const broken = this.#chance(0.4)
    if (type === 'query') {
      let fields = this.#object(parameters ?? { properties: {} }, nsid)
      if (broken) fields = this.#break(fields)
      return { query: this.#query(fields), broken }
    }
    let body = this.#object(input.schema, nsid)
    if (!this.#chance(0.05)) body.idempotencyKey ??= this.#text(16)
    if (broken) body = this.#break(body)
    let bytes = JSON.stringify(body)
    if (broken && this.#chance(0.15)) bytes = this.#garble(bytes)
    return { method: 'POST', headers: { 'content-type': 'application/json' }, body: bytes, broken }
  }

  #query(fields) {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(fields ?? {})) {
      const values = Array.isArray(value) ? value : [value]
      for (const one of values)
        query.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one).toWellFormed())
    }
    return `?${query}`
  }

  #value(name, schema, nsid) {
    const known = this.#fields[name] ?? this.#formats[schema.format]
    if (known?.length && this.#chance(0.9)) return this.#one(known)
    switch (schema.type) {
      case 'ref':
        return this.#reference(name, schema.ref, nsid)
      case 'object':
        return this.#object(schema, nsid)
      case 'array':
        return this.#array(name, schema, nsid)
      case 'boolean':
        return this.#chance(0.5)
      case 'integer':
        return this.#integer(schema)
      case 'string':
        return this.#string(name, schema)
      default:
        return this.#anything()
    }
  }

  #reference(name, ref, nsid) {
    const [document, definition = 'main'] = ref.startsWith('#') ? [nsid, ref.slice(1)] : ref.split('#')
    return this.#value(name, definitions[`${document}#${definition}`], document)
  }

  #object({ properties = {}, required = [] }, nsid) {
    const object = {}
    for (const [name, schema] of Object.entries(properties)) {
      if (required.includes(name) || this.#chance(0.4)) object[name] = this.#value(name, schema, nsid)
    }
    return object
  }

  #array(name, { items, minLength = 0, maxLength = 5 }, nsid) {
    const length = minLength + this.#below(Math.min(maxLength, minLength + 4) - minLength + 1)
    return Array.from({ length }, () => this.#value(name, items, nsid))
  }

  #integer({ minimum = -1000, maximum = 1000 }) {
    return this.#one([minimum, maximum, minimum + this.#below(maximum - minimum + 1)])
  }

  #string(name, { format, enum: listed, knownValues, minLength = 0, maxLength = 64, maxGraphemes = maxLength }) {
    if (listed) return this.#one(listed)
    if (knownValues && this.#chance(0.9)) return this.#one(knownValues)
    if (name === 'tz') return this.#one(ZONES)
    if (format === 'datetime') return this.#moment()
    if (format) return this.#one(this.#formats[format])
    if (this.#chance(0.3)) {
      const odd = this.#one(ODD_TEXTS)
      const [bytes, graphemes] = [Buffer.byteLength(odd), [...new Intl.Segmenter().segment(odd)].length]
      if (bytes >= minLength && bytes <= maxLength && graphemes <= maxGraphemes) return odd
    }
    return this.#text(Math.max(minLength, this.#below(Math.min(maxLength, 40) + 1)))
  }

  #moment() {
    if (this.#chance(0.2)) return this.#one(ODD_MOMENTS)
    return new Date(Date.now() + (this.#next() - 0.2) * 90 * 86_400_000).toISOString()
  }

  #text(length) {
    return Array.from({ length }, () => this.#one('abcdefghijklmnopqrstuvwxyz0123456789-_ ')).join('')
  }

  /** Any object of the data model. */
  #anything(depth = 0) {
    const value = () =>
      depth > 3 || this.#chance(0.6) ? this.#one([this.#text(8), ...VALUES]) : this.#anything(depth + 1)
    return Object.fromEntries(Array.from({ length: this.#below(4) }, () => [this.#text(6), value()]))
  }

  /** The same with something in it that is wrong, or at least odd. */
  #break(object) {
    const names = Object.keys(object)
    const broken = { ...object }
    const name = this.#one([...names, 'unheardOf'])
    switch (this.#below(5)) {
      case 0:
        delete broken[name]
        break
      case 1:
        broken[name] = this.#one(ODD_VALUES)
        break
      case 2:
        broken[name] = this.#one([...ODD_TEXTS, ...ODD_MOMENTS, ...ZONES])
        break
      case 3:
        broken[name] = [object[name], object[name]]
        break
      default:
        broken[name] =
          object[name] instanceof Object && !Array.isArray(object[name]) ? this.#break(object[name]) : this.#nested()
    }
    return broken
  }

  #nested() {
    let value = 1
    for (let depth = this.#below(200); depth > 0; depth--) value = this.#chance(0.5) ? [value] : { a: value }
    return value
  }

  #garble(text) {
    const bytes = Buffer.from(text)
    for (let n = 1 + this.#below(4); n > 0; n--) bytes[this.#below(bytes.length)] = this.#below(256)
    return this.#chance(0.3) ? bytes.subarray(0, this.#below(bytes.length)) : bytes
  }
}
