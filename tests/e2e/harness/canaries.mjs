// Words and moments that nobody could come upon by themselves, and how they would look wherever they came out.
import { randomUUID } from 'node:crypto'
import { at } from './times.mjs'

/** A text that stands nowhere else. */
export const canary = (what) => `canary-${what}-${randomUUID()}`

/** Whoever is told of a time may be told of it as it is there. */
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/New_York']

/** A moment at which no slot begins or ends. */
const odd = (minute) => new Date(Date.parse(at(minute)) + 23_000).toISOString()

/** A moment as it may be written down, to the minute. */
function written(moment) {
  const seconds = String(Date.parse(moment) / 1000)
  const local = ZONES.map((timeZone) => new Date(moment).toLocaleString('sv-SE', { timeZone }).slice(0, 16))
  // The seconds are how the milliseconds begin.
  return [seconds, ...local.flatMap((text) => [text, text.replace(' ', 'T'), basic(text)])]
}

/** As iCalendar has it. */
const basic = (text) => text.replace(' ', 'T').replace(/[-:]/g, '')

/** What somebody has in a calendar between two minutes that are no multiples of five, and all that would give it away. */
export function privateEvent(from, to) {
  const uid = canary('uid')
  const words = { SUMMARY: canary('title'), LOCATION: canary('place'), DESCRIPTION: canary('words') }
  const [start, end] = [odd(from), odd(to)]
  return { uid, start, end, words, signs: [uid, ...Object.values(words), ...[start, end].flatMap(written)] }
}

/** A text with all that is in it in another guise: chunks of HTTP put together, and what is escaped or base64 read. */
export function laidOpen(text) {
  const whole = text.replace(/\r\n[0-9a-f]{1,8}\r\n/gi, '')
  const unescaped = whole.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  const encoded = whole.match(/[\w+/-]{16,}/g) ?? []
  const decoded = encoded.map((run) => Buffer.from(run, 'base64').toString('latin1'))
  return [whole, unescaped, ...decoded].join('\n')
}
