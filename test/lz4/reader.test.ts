import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { FormatError, SinkError } from '../../src/base/errors.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openLz4, unpackLz4, xxh32 } from '../../src/lz4/index.ts'
import { packLz4 } from '../support/lz4-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'gocore-lz4-'))
after(() => rmSync(dir, { recursive: true }))
const haveLz4 = spawnSync('lz4', ['--version']).status === 0
const needsLz4 = { skip: haveLz4 ? false : 'lz4 is not installed' }

/** Memory as a core has it: zeros, text, noise, in runs of up to 200 KB. */
const content = (runs: number[]): Buffer =>
  Buffer.concat(
    runs.map((run, i) => {
      const bytes = Buffer.alloc(run)
      if (i % 3 === 1) bytes.fill(`pointer ${i} to somewhere; `)
      if (i % 3 === 2)
        for (let at = 0, x = run | 1; at < run; at++) {
          x = (x * 1103515245 + 12345) >>> 0
          bytes[at] = x >>> 16
        }
      return bytes
    }),
  )
const runs = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 12 })
const sample = content([3_000_000, 200_000, 150_000, 2_500_000, 99, 180_000])

describe('openLz4()', () => {
  test('reads any range of what was written', () => {
    fc.assert(
      fc.property(
        runs,
        fc.array(fc.tuple(fc.nat(2_000_000), fc.nat(300_000)), { maxLength: 8 }),
        (r, ranges) => {
          const raw = content(r)
          const reader = openLz4(bytesSource('x', packLz4(raw, 65536)), { cache: 200_000 })
          assert.equal(reader.size, raw.length)
          assert.ok(reader.indexed)
          for (const [offset, length] of ranges)
            assert.ok(reader.read(offset, length).equals(raw.subarray(offset, offset + length)))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('opens a file without an index, with every cut of its tail', () => {
    const whole = packLz4(sample, 1 << 20)
    const indexStart = Number(whole.readBigUInt64LE(whole.length - 32))
    const reader = openLz4(bytesSource('x', whole.subarray(0, indexStart)))
    assert.equal(reader.indexed, false)
    assert.deepEqual(reader.warnings, [])
    assert.ok(reader.read(0, sample.length).equals(sample))
    for (const cut of [indexStart - 1, indexStart - 4, indexStart - 5, indexStart - 100, 30_000, 8, 7]) {
      const part = openLz4(bytesSource('x', whole.subarray(0, cut)))
      assert.ok(part.warnings.length > 0, `cut at ${cut} is warned of`)
      assert.ok(cut < indexStart - 50 || part.size >= sample.length - 16)
      assert.ok(part.read(0, sample.length).equals(sample.subarray(0, part.size)))
    }
  })

  test('puts nothing in the wrong place where a block near the end is damaged and there is no index', () => {
    const blockSize = 65536
    for (const raw of [content([0, 300_000]), content([0, 5 * blockSize]), content([0, 0, 300_000])]) {
      const whole = packLz4(raw, blockSize)
      const indexed = openLz4(bytesSource('x', whole))
      const { count, offsets } = indexed.table
      const end = Number(whole.readBigUInt64LE(whole.length - 32))
      for (let damaged = count - 4; damaged < count; damaged++)
        // As it is whole, and as a killed handler leaves it, who had not come to the end.
        for (const cut of [end, offsets[count - 1]!, offsets[count - 2]!].filter(
          at => at > offsets[damaged]!,
        )) {
          const bytes = Buffer.from(whole.subarray(0, cut))
          bytes[offsets[damaged]! + 5]! ^= 1
          const reader = openLz4(bytesSource('x', bytes))
          for (let at = 0; at < reader.size; at += 4096) {
            let got: Buffer
            try {
              got = reader.read(at, 4096)
            } catch (error) {
              assert.ok(error instanceof FormatError)
              continue
            }
            assert.ok(
              got.equals(raw.subarray(at, at + got.length)),
              `${at} with block ${damaged} of ${count} damaged, cut at ${cut}`,
            )
          }
        }
    }
  })

  test('falls back to the block headers where the index is damaged', () => {
    const whole = packLz4(sample, 1 << 20)
    whole[whole.length - 60]! ^= 1
    const reader = openLz4(bytesSource('x', whole))
    assert.equal(reader.indexed, false)
    assert.match(reader.warnings[0]!, /block index.*checksum/)
    assert.ok(reader.read(0, sample.length).equals(sample))
  })

  test('says which block is damaged', () => {
    const whole = packLz4(sample, 1 << 20)
    whole[20]! ^= 1
    const reader = openLz4(bytesSource('x', whole))
    assert.throws(() => reader.read(0, 10), /LZ4 block at byte 7: the checksum of block 0 is wrong/)
    assert.ok(reader.read(1 << 20, 1 << 20).equals(sample.subarray(1 << 20, 2 << 20)))
  })

  test('reads a damaged block as far as it goes where that is asked for, and says so once', () => {
    const whole = packLz4(sample, 1 << 20)
    const index = Number(whole.readBigUInt64LE(whole.length - 32))
    const block = Number(whole.readBigUInt64LE(index + 8 + 16 * 3))
    const length = whole.readUInt32LE(block)
    whole[block + 4 + length - 1]! ^= 1
    const reader = openLz4(bytesSource('x', whole), { tolerant: true, cache: 0 })
    for (let i = 0; i < 3; i++) {
      const bytes = reader.read(3 << 20, 1 << 20)
      assert.equal(bytes.length, 1 << 20)
      assert.ok(bytes.subarray(0, 20_000).equals(sample.subarray(3 << 20, (3 << 20) + 20_000)))
      assert.ok(reader.read(0, 1 << 20).equals(sample.subarray(0, 1 << 20)))
      reader.read(1 << 20, 1 << 20)
    }
    assert.equal(reader.warnings.length, 1)
    assert.match(reader.warnings[0]!, /bytes 3145728 to 4194304 of the core may be wrong/)
  })

  test('refuses what is not LZ4', () => {
    assert.throws(() => openLz4(bytesSource('x', Buffer.from('\x7fELF and more of it'))), FormatError)
    assert.throws(() => openLz4(bytesSource('x', Buffer.alloc(0))), FormatError)
  })

  test('any byte flipped gives the content, an error of ours, or a warning', () => {
    const whole = packLz4(content([80_000, 70_000, 60_000]), 65536)
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(whole.length),
        (at, flip, cut) => {
          const bytes = Buffer.from(whole.subarray(0, Math.max(cut, at + 1)))
          bytes[at]! ^= flip
          try {
            const reader = openLz4(bytesSource('x', bytes))
            reader.read(0, 1 << 20)
            for (const piece of unpackLz4(bytesSource('x', bytes), () => {})) assert.ok(piece.length <= 65536)
          } catch (error) {
            assert.ok(error instanceof SinkError, String(error))
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('lz4, the program', needsLz4, () => {
  const path = (name: string): string => join(dir, name)

  test('accepts our files', () => {
    writeFileSync(path('ours.lz4'), packLz4(sample, 1 << 20))
    execFileSync('lz4', ['-t', '-q', path('ours.lz4')])
    execFileSync('lz4', ['-d', '-q', '-f', path('ours.lz4'), path('ours')])
    assert.ok(readFileSync(path('ours')).equals(sample))
  })

  for (const options of [
    '-1',
    '-9 -B4',
    '-BD -B4',
    '-BD',
    '-BX -B5',
    '--content-size',
    '--no-frame-crc -BX',
  ]) {
    test(`and we read those of ${options}`, () => {
      writeFileSync(path('plain'), sample)
      execFileSync('lz4', [...options.split(' '), '-q', '-f', path('plain'), path('theirs.lz4')])
      const file = bytesSource('theirs.lz4', readFileSync(path('theirs.lz4')))
      const warnings: string[] = []
      const pieces = [...unpackLz4(file, warning => warnings.push(warning))].map(piece => piece.length)
      assert.equal(
        pieces.reduce((sum, piece) => sum + piece, 0),
        sample.length,
      )
      let at = 0
      for (const piece of unpackLz4(file, warning => warnings.push(warning))) {
        assert.ok(piece.equals(sample.subarray(at, at + piece.length)))
        at += piece.length
      }
      assert.deepEqual(warnings, [])
      if (!options.includes('-BD')) {
        const reader = openLz4(file)
        assert.ok(reader.read(0, sample.length).equals(sample))
        assert.ok(reader.read(3_100_000, 9).equals(sample.subarray(3_100_000, 3_100_009)))
      } else assert.throws(() => openLz4(file), /depend on one another/)
    })
  }

  for (const options of [
    '-1',
    '-BX',
    '-BD',
    '-BD -BX',
    '--content-size',
    '-B4 --content-size -BX',
    '--no-frame-crc -BX',
  ])
    test(`and we find what it finds damaged in those of ${options}`, () => {
      writeFileSync(path('plain'), sample)
      execFileSync('lz4', [...options.split(' '), '-q', '-f', path('plain'), path('theirs.lz4')])
      const whole = readFileSync(path('theirs.lz4'))
      const random = (n: number): number => 30 + ((n * 2654435761) % (whole.length - 40))
      const places = [
        4,
        5,
        6,
        7,
        whole.length - 1,
        whole.length - 3,
        ...Array.from({ length: 20 }, (_, n) => random(n)),
      ]
      for (const at of places) {
        const bytes = Buffer.from(whole)
        bytes[at]! ^= 1 << (at % 8)
        writeFileSync(path('damaged.lz4'), bytes)
        const isSound = spawnSync('lz4', ['-t', '-q', path('damaged.lz4')]).status === 0
        const problems = new Set<string>()
        const file = bytesSource('damaged.lz4', bytes)
        const works = [
          (): unknown => [...unpackLz4(file, warning => problems.add(warning))],
          (): unknown => openLz4(file).warnings.map(warning => problems.add(warning)),
        ]
        // What depends on what comes before is not opened.
        for (const work of options.includes('-BD') ? works.slice(0, 1) : works) {
          problems.clear()
          try {
            work()
          } catch (error) {
            assert.ok(error instanceof SinkError, String(error))
            problems.add(error.message)
          }
          if (!isSound && options.includes('--no-frame-crc') && work === works[1]) continue
          assert.equal(problems.size === 0, isSound, `byte ${at}: ${[...problems]}`)
        }
      }
    })

  test('and a frame that holds less than its header says', () => {
    writeFileSync(path('plain'), sample)
    execFileSync('lz4', ['--content-size', '--no-frame-crc', '-q', '-f', path('plain'), path('theirs.lz4')])
    const bytes = readFileSync(path('theirs.lz4'))
    bytes.writeBigUInt64LE(BigInt(sample.length + 7), 6)
    bytes[14] = (xxh32(bytes.subarray(4, 14)) >>> 8) & 0xff
    const file = bytesSource('theirs.lz4', bytes)
    const problem = /^blocks 0 to 1 hold [0-9]+ bytes where their frame says [0-9]+$/
    const warnings: string[] = []
    assert.equal([...unpackLz4(file, warning => warnings.push(warning))].length, 2)
    assert.match(warnings.join(), problem)
    assert.match(openLz4(file).warnings.join(), problem)
  })

  test('and files of several frames, ours and theirs', () => {
    writeFileSync(path('a.lz4'), Buffer.concat([packLz4(sample.subarray(0, 3_111_111), 1 << 20)]))
    writeFileSync(path('b'), sample.subarray(3_111_111))
    execFileSync('lz4', ['-q', '-f', path('b'), path('b.lz4')])
    const joined = Buffer.concat([readFileSync(path('a.lz4')), readFileSync(path('b.lz4'))])
    const reader = openLz4(bytesSource('x', joined))
    assert.ok(reader.read(0, sample.length).equals(sample))
    assert.equal(reader.size, sample.length)
  })
})
