// Invitations, as libraries read them that nobody here wrote: `icalendar` for Python and `ical.js`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { installed, node, peers, python } from './place.mjs'

/** What a program says of some files. */
function readBy(command, options, files) {
  const { status, stdout, stderr } = spawnSync(command, options, { input: JSON.stringify(files), encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** What files say; both libraries have to take them, and to find the same in each field. */
export function readInvitations(files) {
  const byPython = readBy(python('ics'), [`${peers}/ics/read.py`], files)
  const byJavaScript = readBy(node, [`${peers}/ics/read.mjs`, installed('ics')], files)
  assert.deepEqual(byPython, byJavaScript)
  assert.equal(byPython.length, files.length)
  return byPython
}
