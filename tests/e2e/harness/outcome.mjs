// What came of a call.
import assert from 'node:assert/strict'

/** What is refused without a lexicon saying so: these names are the same for every method. */
const GENERIC = new Set([
  'AccountNotFound',
  'AuthenticationRequired',
  'InvalidRequest',
  'MethodNotImplemented',
  'NotEnoughResources',
  'PayloadTooLarge',
  'RateLimitExceeded',
  'UnsupportedMediaType',
])

/** The body of a call that succeeded. */
export function answered(outcome) {
  assert.equal(outcome.status, 200, describe(outcome))
  return outcome.body
}

/** Checks that a call was refused so, by a name that its lexicon declares or that all methods have. */
export function refused(outcome, error, status = 400) {
  assert.deepEqual([outcome.status, outcome.error], [status, error], describe(outcome))
  const known = outcome.declared ?? true
  assert.ok(known || GENERIC.has(error) || error.includes('Jwt'), `${error} is not declared`)
  assert.ok(outcome.message, `${error} says nothing of what to do`)
  return outcome
}

export function describe({ method, status, error, message, body }) {
  return `${method}: ${status} ${error ?? ''} ${message ?? JSON.stringify(body)}`
}
