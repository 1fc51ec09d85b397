// The handler's entry: loads the bundle with the code that V8 made of it when it was built, which spares a crash a seventh of
// its processor time. V8 checks that the cache is its own and of this text, and compiles anew where it is not. Its threads
// are started with this file, too.
'use strict'
const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')

const filename = `${__dirname}/handler-bundle.cjs`
// The bundle is pure ASCII.
const text = readFileSync(filename, 'latin1')
const cachedData = (() => {
  try {
    return readFileSync(`${__dirname}/handler.cache`)
  } catch {
    return undefined
  }
})()
const script = new Script(`(function(exports,require,module,__filename,__dirname){${text}\n})`, {
  filename,
  ...(cachedData ? { cachedData } : {}),
})
module.exports = script
script.runInThisContext()({}, require, module, filename, __dirname)
