// The methods of `lexicons/com/huddle`, by the last part of their names.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lexicons } from './place.mjs'

const documents = readdirSync(lexicons).map((name) => JSON.parse(readFileSync(join(lexicons, name), 'utf8')))

/** Every definition, by `nsid#name`. */
export const definitions = Object.fromEntries(
  documents.flatMap(({ id, defs }) => Object.entries(defs).map(([name, definition]) => [`${id}#${name}`, definition])),
)

const isMethod = ({ defs }) => ['query', 'procedure'].includes(defs.main?.type)

export const methods = Object.fromEntries(
  documents.filter(isMethod).map(({ id, defs }) => [id.split('.').at(-1), defs.main]),
)
