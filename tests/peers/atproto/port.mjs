// Ports of this machine, for servers that have to know theirs before they listen.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give to connections: one of these stays free while a server restarts. */
const [LEAST, MOST] = [20_000, 32_000]

/** A port that nobody listens at. */
export async function freePort() {
  for (;;) {
    const probe = createServer().listen(randomInt(LEAST, MOST), '127.0.0.1')
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
