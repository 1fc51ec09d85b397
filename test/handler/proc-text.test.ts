import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { escapeBytes } from '../../src/base/escape.ts'
import { compileRedactions } from '../../src/base/redact.ts'
import {
  allowedEnvironment,
  parseCgroup,
  parseMaps,
  parseStat,
  statusValue,
} from '../../src/handler/proc-text.ts'

const id = 'ab'.repeat(32)

describe('parseStat()', () => {
  test('reads behind the last parenthesis, whatever the name says', () => {
    const rest = `S 7 1 1 0 -1 4194560 ${'0 '.repeat(10)}4 0 3243 ${'0 '.repeat(25)}4096 4100 4100 4200 0`
    for (const name of ['sh', ') R 1 1', '(((', ' 1 2 3', ') S 9 9 9'])
      assert.deepEqual(parseStat(`42 (${name}) ${rest}`), {
        ...{ ppid: 7, threads: 4, startTicks: 3243 },
        ...{ arguments: { start: 4096, end: 4100 }, environment: { start: 4100, end: 4200 } },
      })
    assert.equal(parseStat('nonsense'), undefined)
  })
})

describe('statusValue()', () => {
  test('takes the first line that begins with the key', () => {
    const text = 'Name:\tx\\nCoreDumping:\t0\nCoreDumping:\t1\n'
    assert.equal(statusValue(text, 'CoreDumping'), '1')
    assert.equal(statusValue(text, 'Dumping'), undefined)
  })
})

describe('parseMaps()', () => {
  test('names each file by the range that map_files has', () => {
    const [first, ...others] = parseMaps(
      '00400000-00485000 r-xp 00000000 fe:00 10144007          /srv/my app (deleted)\n7ffc0000-7ffd0000 rw-p 00000000 00:00 0 [stack]\n',
    )
    assert.deepEqual(first, {
      range: '400000-485000',
      permissions: 'r-xp',
      device: 'fe:00',
      inode: '10144007',
      path: '/srv/my app (deleted)',
    })
    assert.deepEqual(others, [])
  })
})

describe('parseCgroup()', () => {
  for (const [text, container] of [
    [`0::/system.slice/docker-${id}.scope\n`, { id, runtime: 'docker' }],
    [
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12345678_1234_1234_1234_123456789abc.slice/cri-containerd-${id}.scope\n`,
      { id, pod_uid: '12345678-1234-1234-1234-123456789abc', runtime: 'containerd' },
    ],
    [`12:memory:/docker/${id}\n1:name=systemd:/x\n`, { id, runtime: 'docker' }],
    ['0::/user.slice\n', undefined],
    [`0::/x$(touch y)${id}z\n`, undefined],
    ['', undefined],
  ] as const)
    test(`of ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.deepEqual(parseCgroup(text).container, container)
    })
})

describe('allowedEnvironment()', () => {
  test('passes names and prefixes of the list alone', () => {
    const environ = Buffer.from('GOGC=50\0LC_ALL=C\0SECRET=x\0PATH=/bin\0=odd\0GOGC')
    const names = allowedEnvironment(environ, ['GOGC', 'LC_*', 'PATH']).map(([name]) => name)
    assert.deepEqual(names, ['GOGC', 'LC_ALL', 'PATH'])
  })

  test('and no password of a URL', () => {
    const redact = compileRedactions([])
    assert.equal(redact('http://user:pa$s@proxy:3128/x'), 'http://user:…@proxy:3128/x')
    assert.equal(redact('http://proxy:3128'), 'http://proxy:3128')
  })
})

describe('escapeBytes()', () => {
  test('leaves printable text and escapes the rest, so that it can be told', () => {
    for (const [bytes, text] of [
      ['api', 'api'],
      ['Grüße', 'Grüße'],
      ['a\nb\x1b[31m', 'a\\x0ab\\x1b[31m'],
      ['\\x0a', '\\x5cx0a'],
      ['\u202eevil', '\\xe2\\x80\\xaeevil'],
    ] as const)
      assert.equal(escapeBytes(Buffer.from(bytes)), text)
    assert.equal(escapeBytes(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x62])), 'a\\xff\\xc3(b')
    assert.equal(escapeBytes(Buffer.from('abcdef'), 3), 'abc…')
  })

  test('gives back every byte', () => {
    const unescaped = (text: string): Buffer =>
      Buffer.from(
        text.replace(/\\x([0-9a-f]{2})|[^\\]/gu, (all, hex: string | undefined) =>
          hex === undefined
            ? Buffer.from(all).toString('latin1')
            : String.fromCharCode(Number.parseInt(hex, 16)),
        ),
        'latin1',
      )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        const text = escapeBytes(bytes)
        assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(text))
        assert.deepEqual(unescaped(text), Buffer.from(bytes))
      }),
    )
  })
})
