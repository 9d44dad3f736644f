// Waiting for what comes about by itself, for a bounded time.
import { setTimeout } from 'node:timers/promises'

/** Much longer than anything takes, what the AppView has missed and looks for once a minute included. */
export const PATIENCE_MILLIS = 120_000

/** Asks, and comes again later while the answer is that the machine is too busy. */
export async function whileBusy(ask) {
  const deadline = Date.now() + PATIENCE_MILLIS
  for (let wait = 250; ; wait = Math.min(2 * wait, 4000)) {
    const outcome = await ask()
    if (outcome.status !== 503 || Date.now() > deadline) return outcome
    await setTimeout(wait)
  }
}

/** Asks again and again until the answer is so, and gives that answer. What the asking throws is not waited out. */
export async function until(what, ask, isSo, { patience = PATIENCE_MILLIS, every = 50 } = {}) {
  const deadline = Date.now() + patience
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    if (Date.now() > deadline)
      throw new Error(`not within ${patience / 1000} s: ${what}; it is ${JSON.stringify(answer)}`)
    await setTimeout(every)
  }
}
