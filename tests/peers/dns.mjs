// Questions and answers of DNS (RFC 1035) as resolvers over HTTPS take and give them (RFC 8484).

const A = 1

/** The name that is asked about. */
export function nameOf(question) {
  const labels = []
  for (let at = 12; question[at] > 0; at += question[at] + 1) {
    labels.push(question.subarray(at + 1, at + 1 + question[at]).toString())
  }
  return labels.join('.')
}

/** Whether an address of IPv4 is asked for. */
export function asksForVersion4(question) {
  return question.readUInt16BE(question.length - 4) === A
}

/** The answer to a question with these records, each as its bytes, which hold for so many seconds. */
export function answered(question, records, secs = 0) {
  const header = Buffer.from(question.subarray(0, 12))
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(records.length, 6)
  const found = records.map((data) => {
    const kind = question.subarray(-4)
    const length = Buffer.from([data.length >> 8, data.length & 0xff])
    const ttl = Buffer.alloc(4)
    ttl.writeUInt32BE(secs)
    return Buffer.concat([Buffer.from([0xc0, 12]), kind, ttl, length, data])
  })
  return Buffer.concat([header, question.subarray(12), ...found])
}

/** The answer of a resolver that cannot say. */
export function failed(question) {
  const answer = answered(question, [])
  answer[3] |= 2
  return answer
}
