// Runs `cli.cjs ARGS` of the directory that is named first, quietly, and writes V8's code of it beside it.
'use strict'
const { writeFileSync } = require('node:fs')
const { join, resolve } = require('node:path')

const dir = resolve(process.argv[2])
process.argv.splice(1, 2, join(dir, 'cli.cjs'))
const script = require(join(dir, 'cli.cjs'))
process.on('exit', code => {
  if (code === 0) writeFileSync(join(dir, 'cli-bundle.cache'), script.createCachedData())
})
