// Ports of this machine, for servers that have to know theirs before they listen.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Each process has some of its own, below those that systems give to connections: one stays free until a server has it. */
const PORTS = 300
const LEAST = 20_000 + PORTS * (process.pid % 40)

/** A port that nobody listens at. */
export async function freePort() {
  for (;;) {
    const probe = createServer().listen(randomInt(LEAST, LEAST + PORTS), '127.0.0.1')
    const taken = await once(probe, 'listening').then(
      () => false,
      () => true,
    )
    if (taken) continue
    const { port } = probe.address()
    probe.close()
    await once(probe, 'close')
    return port
  }
}
