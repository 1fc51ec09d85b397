// Runs `handler.cjs ARGS` of the directory that is named first on the core that comes by standard input, without threads, so
// that all of it runs here, and writes V8's code of it beside it.
'use strict'
const { writeFileSync } = require('node:fs')
const { join, resolve } = require('node:path')

const dir = resolve(process.argv[2])
process.argv.splice(1, 2, join(dir, 'handler.cjs'))
const { getBuiltinModule } = process
process.getBuiltinModule = name => {
  const module = getBuiltinModule(name)
  return name === 'node:worker_threads' ? { ...module, Worker: undefined } : module
}
const script = require(join(dir, 'handler.cjs'))
process.on('exit', code => {
  if (code === 0) writeFileSync(join(dir, 'handler.cache'), script.createCachedData())
})
