// Everybody's mailbox: a real mail server, which hands over what it takes.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { peers, python } from './place.mjs'
import { Program } from './program.mjs'
import { until } from './until.mjs'

/** Whom mail comes from. */
export const SENDER = 'Huddle <bookings@huddle.example>'

export class MailServer {
  #program
  #letters = []
  port

  static async start(log) {
    const server = new MailServer()
    server.#program = Program.start(log, python('smtp'), [`${peers}/smtp/serve.py`, 'plain'])
    const started = Promise.withResolvers()
    server.#program.hear((line) => {
      const said = JSON.parse(line)
      if (said.port) started.resolve(said.port)
      else server.#letters.push(said)
    })
    server.#program.ended.then(() => started.reject(new Error(`no mail server: see ${log}`)))
    server.port = await started.promise
    return server
  }

  stop() {
    return this.#program.stop()
  }

  /** The letters that have come to an address. */
  to(address) {
    return this.#letters.filter(({ envelope }) => envelope.to.includes(address))
  }

  /** The letters to an address, once there are so many. */
  async count(address, count) {
    const ask = () => this.to(address)
    await until(`${address} has ${count} letters`, async () => ask().length, (length) => length >= count)
    return ask()
  }

  /** Takes a message by SMTP, as it is. */
  async take({ from, to, message }) {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    const say = async (line, expect) => {
      if (line) socket.write(`${line}\r\n`)
      for (;;) {
        const { value = 'nothing' } = await lines.next()
        if (value[3] === '-') continue
        if (!value.startsWith(expect)) throw new Error(`the mail server answers ${value}`)
        return
      }
    }
    try {
      await say('', '220')
      await say('EHLO localhost', '250')
      await say(`MAIL FROM:<${from}>`, '250')
      await say(`RCPT TO:<${to}>`, '250')
      await say('DATA', '354')
      // A line that is a dot ends it (RFC 5321 §4.5.2).
      await say(`${message.replace(/^\./gm, '..').replace(/\r\n$/, '')}\r\n.`, '250')
    } finally {
      socket.end()
    }
  }
}

/** What of a letter is of a kind. */
export const part = ({ parts }, type) => parts.find((part) => part.type === type)
