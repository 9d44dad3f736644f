// Calls of somebody with an account, which their server passes on and signs:
//
//   node signed_in.ts PDS-URL SERVICE-DID SERVICE-URL
//
// SERVICE-URL is where the service is, for calls that do not take that way.
import { Client, xrpcSafe } from '@atproto/lex'
import { cidForLex } from '@atproto/lex-cbor'
import { PasswordSession } from '@atproto/lex-password-session'
import * as com from './lexicons/com.ts'
import { print, report } from './report.ts'

const [pds, serviceDid, service] = process.argv.slice(2) as [string, `did:${string}:${string}`, string]
const { createOffer, listOffers, match, slotOffer } = com.huddle
const host = 'did:plc:aaaabbbbccccddddeeeeffff'
const once = { maxRetries: 0 }

const name = Math.random().toString(36).slice(2, 10)
const account = (handle: `${string}.test`) =>
  PasswordSession.createAccount(
    { handle, email: `${handle}@example.com`, password: 'correct horse' },
    { service: pds },
  )
const session = await account(`guest-${name}.test`)
const somebodyElse = await account(`other-${name}.test`)
print('account', { did: session.did })

const proxied = new Client(session, { service: `${serviceDid}#huddle_appview` })
const direct = new Client(session)

await report('query', proxied.xrpcSafe(listOffers, { ...once, params: { host, limit: 5 } }))
await report('declared error', proxied.xrpcSafe(listOffers, { ...once, params: { host: 'nobody.test' } }))
const constraints = { durationMin: 30, days: ['MO', 'FR'], tz: 'Asia/Tokyo' } as const
await report(
  'procedure',
  proxied.xrpcSafe(match, {
    ...once,
    body: { hostDid: host, constraints: { ...constraints, days: [...constraints.days] }, idempotencyKey: name },
  }),
)
await report(
  'declared error of a procedure',
  proxied.xrpcSafe(match, { ...once, body: { hostDid: session.did, idempotencyKey: name } }),
)
await report(
  'invalid input',
  proxied.xrpcSafe(match, { ...once, body: { hostDid: host, constraints: { durationMin: 1 } } }),
)

// A record has the same CID wherever it is: here, in the repository, and at the service.
const record = slotOffer.$build({
  start: '2030-12-01T00:00:00.000-10:00',
  end: '2030-12-01T02:00:00.000-10:00',
  policy: 'anyone',
  durations: [30, 60],
  note: 'Größe egal, 日本語も',
  createdAt: '2026-11-20T08:30:00.000Z',
})
print('record here', { cid: String(await cidForLex(record)) })
const written = await direct.create(slotOffer, record)
print('record in the repository', { cid: written.cid })
await report(
  'record at the service',
  proxied.xrpcSafe(createOffer, { ...once, body: { record, idempotencyKey: name } }),
)

/** A token that the server signs for one method of a service. */
async function token(lxm: `${string}.${string}.${string}`, aud: `did:${string}` = serviceDid) {
  const { getServiceAuth } = com.atproto.server
  return (await direct.call(getServiceAuth, { aud, lxm } as com.atproto.server.getServiceAuth.$Params)).token
}
const withToken = (bearer: string) =>
  xrpcSafe({ service, headers: { authorization: `Bearer ${bearer}` } }, match, {
    ...once,
    body: { hostDid: host, idempotencyKey: name },
  })

const good = await token('com.huddle.match')
await report('with a token of our own', withToken(good))
await report('with the same token again', withToken(good))
await report('with a token for another method', withToken(await token('com.huddle.listOffers')))
await report('with a token for another service', withToken(await token('com.huddle.match', 'did:web:other.example')))
const [head, claims, signature] = (await token('com.huddle.match')).split('.') as [string, string, string]
for (const [call, iss] of [
  ['with a token in the name of somebody else', somebodyElse.did],
  ['with a token in the name of nobody', host],
] as const) {
  const forged = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), iss }
  const bytes = Buffer.from(JSON.stringify(forged)).toString('base64url')
  await report(call, withToken(`${head}.${bytes}.${signature}`))
}
