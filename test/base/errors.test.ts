import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FormatError, isNoSpace, MemoryFault, reasonOf } from '../../src/base/errors.ts'

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

test('reasonOf() gives the name of a system error, those that Node has none for too, else its number', () => {
  const error = (code: string, errno: number): Error => Object.assign(new Error('x'), { code, errno })
  assert.equal(reasonOf(error('ENOSPC', -28)), 'ENOSPC')
  assert.equal(reasonOf(error('Unknown system error -122', -122)), 'EDQUOT')
  assert.equal(reasonOf(error('Unknown system error -116', -116)), 'ESTALE')
  assert.equal(reasonOf(error('Unknown system error -524', -524)), 'errno 524')
  const ofRmSync = new Error(", Unknown error: Stale file handle '/archive/tmp/x'")
  assert.equal(reasonOf(Object.assign(ofRmSync, { code: '', errno: -4094 })), 'Stale file handle')
  assert.equal(reasonOf('text'), 'text')
})

test('isNoSpace() is true of a full disk and of an exceeded quota', () => {
  const errors = [-28, -122, -5].map(errno => Object.assign(new Error('x'), { errno }))
  assert.deepEqual([...errors, undefined].map(isNoSpace), [true, true, false, false])
})
