import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FormatError, MemoryFault, reasonOf } from '../../src/base/errors.ts'

test('FormatError names the file, the section and the byte', () => {
  const error = new FormatError(
    { file: 'core', section: 'program header 3', offset: 112 },
    'offset is beyond the file',
  )
  assert.equal(error.message, 'core: program header 3 at byte 112: offset is beyond the file')
  assert.equal(error.code, 'FORMAT')
})

test('MemoryFault names the address', () => {
  assert.equal(new MemoryFault(0xc000000000).message, 'address 0xc000000000 is not in the core')
})

test('reasonOf() gives the code of a system error and the number of one that has no name', () => {
  assert.equal(reasonOf(Object.assign(new Error('x'), { code: 'ENOSPC', errno: -28 })), 'ENOSPC')
  assert.equal(reasonOf(Object.assign(new Error('x'), { code: 'UNKNOWN', errno: -122 })), 'errno 122')
  assert.equal(reasonOf('text'), 'text')
})
