// Prints what came of a call as a line of JSON, for the test that started this to judge.
import { XrpcResponseError, type Procedure, type Query, type XrpcResult } from '@atproto/lex'

type Outcome = { status?: number; [detail: string]: unknown }

export function print(call: string, outcome: Outcome): void {
  console.log(JSON.stringify({ call, ...outcome }))
}

/** Awaits a call that was made through the client. It has checked the answer against the lexicon. */
export async function report<M extends Query | Procedure>(
  call: string,
  pending: Promise<XrpcResult<M>>,
): Promise<XrpcResult<M>> {
  const result = await pending
  if (result.success) {
    print(call, { status: result.status, body: result.body })
  } else {
    print(call, {
      status: result instanceof XrpcResponseError ? result.response.status : undefined,
      failure: result.name,
      error: result.error,
      message: result.message,
      declared: result.matchesSchemaErrors(),
    })
  }
  return result
}

/** Awaits a call that the client would not make. */
export async function reportRaw(call: string, pending: Promise<Response>): Promise<void> {
  const response = await pending
  print(call, { status: response.status, ...(await response.json()) })
}
