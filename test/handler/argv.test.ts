import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { fields, parseArguments, rawArguments, unlimited } from '../../src/handler/argv.ts'
import { corePattern } from '../../src/install/pattern.ts'

const bytes = (...texts: string[]): Buffer[] => texts.map(text => Buffer.from(text, 'latin1'))
const seven = bytes('4121', '33', '33', '6', '1795317247', '18446744073709551615', 'api server')

describe('parseArguments()', () => {
  test('reads the seven fields', () => {
    assert.deepEqual(parseArguments(seven), {
      pid: 4121,
      uid: 33,
      gid: 33,
      signal: 6,
      time: 1795317247,
      rlimit: unlimited,
      comm: Buffer.from('api server'),
      problems: [],
    })
  })

  test('reads the optional ones, and takes empty ones as absent', () => {
    const crash = parseArguments([...seven, ...bytes('node-3', '4130', '2', '-F3')])
    assert.deepEqual(
      [crash.hostname?.toString(), crash.tid, crash.dumpable, crash.pidfd],
      ['node-3', 4130, 2, 3],
    )
    // A kernel before 6.16 expands %F to nothing.
    const old = parseArguments([...seven, ...bytes('', '4130', '1', '-F')])
    assert.deepEqual([old.hostname, old.tid, old.pidfd, old.problems], [undefined, 4130, undefined, []])
  })

  test('takes any %e', () => {
    for (const comm of ['', '-F9', '--', '--config', 'a\nb', '\x1b[2J', '\xff\xfe', '999', 'x'.repeat(15)]) {
      const crash = parseArguments([...seven.slice(0, 6), Buffer.from(comm, 'latin1')])
      assert.equal(crash.comm.toString('latin1'), comm)
      assert.deepEqual(crash.problems, [])
    }
  })

  test('goes on with a sentence for each field that is missing or makes no sense', () => {
    assert.match(parseArguments([]).problems[0]!, /Only 0 of 7 arguments came/)
    const crash = parseArguments(bytes('x', '-1', '3e9', '6.5', '', '1e9', 'a'))
    assert.deepEqual([crash.pid, crash.uid, crash.signal, crash.rlimit], [0, 0xffffffff, 0, undefined])
    assert.equal(crash.problems.length, 6)
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 14 }), argv => {
        const crash = parseArguments(argv.map(part => Buffer.from(part)))
        assert.ok(Number.isSafeInteger(crash.pid))
      }),
    )
  })
})

describe('rawArguments()', () => {
  test('finds the bytes that UTF-8 loses', () => {
    const cmdline = Buffer.from('/bin/node\0handler.cjs\0--\x001\x00\xff\x00\x00', 'latin1')
    const raw = rawArguments(cmdline, ['1', '\ufffd', ''])
    assert.deepEqual(
      raw.map(part => part.toString('latin1')),
      ['1', '\xff', ''],
    )
  })

  test('keeps to the decoded ones where the two differ', () => {
    assert.deepEqual(rawArguments(Buffer.from('node\0'), ['1', '2']), bytes('1', '2'))
  })
})

describe('the field table', () => {
  test('is what install registers and the manual tells', () => {
    const specifiers = fields.map(field => field.specifier)
    assert.equal(specifiers.slice(0, 7).join(' '), '%P %u %g %s %t %c %e')
    assert.equal(corePattern('/h', [9, 9]), `|/h ${specifiers.join(' ')}`)
    const page = readFileSync(join(import.meta.dirname, '../../man/gocore-sink-handler.8'), 'utf8')
    const told = [...page.matchAll(/^\.B \\?(-?F?%[A-Za-z](?:%?F)?|\\-F%F)$/gm)].map(match =>
      match[1]!.replace('\\', ''),
    )
    assert.deepEqual(told, specifiers)
  })
})
