// Calls that need nobody to be signed in:  node anonymous.ts SERVICE-URL
import { xrpcSafe } from '@atproto/lex'
import * as com from './lexicons/com.ts'
import { print, report, reportRaw } from './report.ts'

const service = process.argv[2]!
const { createOffer, listOffers } = com.huddle
const once = { maxRetries: 0 }

const list = (params: object) =>
  xrpcSafe(service, listOffers, { ...once, params: params as com.huddle.listOffers.$Params })
const raw = (path: string, init?: RequestInit) => fetch(`${service}/xrpc/${path}`, init)
const post = (body: string, type: string) =>
  raw('com.huddle.createOffer', { method: 'POST', body, headers: { 'content-type': type } })

await report('query', list({ host: 'host.test', limit: 5 }))
await report('query without what is optional', list({ host: 'host.test' }))
await report('declared error', list({ host: 'nobody.test' }))
await report('signed in by nobody', xrpcSafe(service, createOffer, { ...once, body: { record: {} } }))

// The client checks what it sends only where it is asked to, and the server checks all the same.
const unsent = await xrpcSafe(service, listOffers, {
  validateRequest: true,
  params: { host: 'not a handle' } as unknown as com.huddle.listOffers.$Params,
})
print('refused by the client', { message: unsent.success ? 'sent' : String(unsent.cause) })
await reportRaw('parameter of another format', raw('com.huddle.listOffers?host=not+a+handle'))
await reportRaw('parameter out of bounds', raw('com.huddle.listOffers?host=host.test&limit=500'))
await reportRaw('parameter that is no number', raw('com.huddle.listOffers?host=host.test&limit=ten'))
await reportRaw('parameter missing', raw('com.huddle.listOffers'))
await reportRaw('parameter twice', raw('com.huddle.listOffers?host=host.test&host=other.test'))
await reportRaw('input of another type', post('{"record": 1}', 'application/json'))
await reportRaw('input missing a field', post('{}', 'application/json'))
await reportRaw('input that is no JSON', post('{"record": ', 'application/json'))
await reportRaw('input in another encoding', post('record=1', 'application/x-www-form-urlencoded'))
await reportRaw('wrong verb', raw('com.huddle.listOffers?host=host.test', { method: 'POST' }))
await reportRaw('unknown method', raw('com.huddle.makeCoffee'))
