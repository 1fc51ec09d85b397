/** A place's thread that opens nothing before 1.5 s have passed: busy all the while where LATE is so, else waiting. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { runPlaceThread } from '../../src/handler/place-channel.ts'

const { openSync } = fs
const isBusy = process.env.LATE === 'busy'
fs.openSync = (...args) => {
  const begun = performance.now()
  if (!isBusy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  while (performance.now() < begun + 1500);
  return openSync(...args)
}
syncBuiltinESMExports()
runPlaceThread()
