import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CrashRow } from '../../../src/catalog/index.ts'
import { Counts } from '../../../src/daemon/monitor/counts.ts'
import { Histogram, Values } from '../../../src/daemon/monitor/exposition.ts'
import { spoolStanding } from '../../../src/daemon/monitor/standing.ts'
import { parseExposition } from '../../support/exposition.ts'
import { addDump, testArchive } from '../archive.ts'
import { child, startDaemon, until } from '../running.ts'

describe('Values and Histogram', () => {
  it('write what the text format wants', () => {
    const values = new Values('x_total', 'counter', 'help').declare({ a: 'q"\\\n' }).add(2, { a: 'q"\\\n' })
    assert.equal(values.text(), '# HELP x_total help\n# TYPE x_total counter\nx_total{a="q\\"\\\\\\n"} 2\n')
    const histogram = new Histogram('h', 'help', [1, 2])
    for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value)
    const samples = parseExposition(histogram.text())
    const found = ['h_bucket{le="1"}', 'h_bucket{le="2"}', 'h_bucket{le="+Inf"}', 'h_sum', 'h_count'].map(
      name => samples.get(name),
    )
    assert.deepEqual(found, [2, 3, 4, 12, 4])
  })
})

describe('parseExposition(), by which this is judged,', () => {
  const head = '# HELP a_total x\n# TYPE a_total counter\n'
  const histogram = (lines: string): string => `# HELP h x\n# TYPE h histogram\n${lines}h_sum 1\nh_count 2\n`
  const faults = [
    `${head}a_total 1`,
    `${head}a_total 1\na_total 1\n`,
    `${head}a_total{x="1"} 1\n${head}a_total 1\n`,
    `${head}b_total 1\n`,
    `${head}a_total -1\n`,
    `${head}a_total{x=1} 1\n`,
    `${head}a_total{x="\\x"} 1\n`,
    `${head}a_total 0x1\n`,
    'a_total 1\n',
    '# TYPE a_total counter\na_total 1\n',
    '# HELP a x\n# TYPE a counter\na 1\n',
    '# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n',
    histogram('h_bucket{le="1"} 1\n'),
    histogram('h_bucket{le="1"} 3\nh_bucket{le="+Inf"} 2\n'),
    histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n'),
    histogram('h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n'),
  ]
  for (const [i, text] of faults.entries())
    it(`refuses fault ${i + 1}`, () => void assert.throws(() => parseExposition(text)))
  it('takes what has none', () => {
    parseExposition(`${head}a_total{x="\\"\\n",y="2"} 1e3\na_total 0\n`)
    parseExposition(histogram('h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\n'))
  })
})

describe('spoolStanding()', () => {
  it('counts bytes, and tells when the oldest was written; an absent spool is empty', async () => {
    using archive = testArchive()
    const root = join(archive.directory, 'spool')
    assert.deepEqual(await spoolStanding(root), { bytes: 0, oldest: undefined })
    mkdirSync(join(root, 'dumps/a'), { recursive: true })
    for (const [name, bytes] of [
      ['a/core', 10],
      ['pending', 5],
    ] as const)
      writeFileSync(join(root, 'dumps', name), Buffer.alloc(bytes))
    const { mtimeMs } = statSync(join(root, 'dumps/a/core'))
    assert.deepEqual(await spoolStanding(root), { bytes: 15, oldest: mtimeMs })
  })
})

describe('Counts', () => {
  it('take no label from a manifest', () => {
    const counts = new Counts()
    for (const coreReason of ['cap', 'imported', 'x"} 1\n', 'whatever', null])
      counts.crash({ coreState: 'truncated', coreReason, heldMs: 1, time: 1 } as CrashRow)
    const samples = parseExposition(counts.text(0))
    const of = (reason: string): number | undefined =>
      samples.get(`gocore_sink_crashes_total{state="truncated",reason="${reason}"}`)
    assert.deepEqual(['cap', 'imported', 'other', ''].map(of), [1, 1, 2, 1])
    assert.doesNotMatch(counts.text(0), /whatever/)
  })
})

describe('metrics.prom', () => {
  it("counts each crash of this machine once, over a daemon's restart too", async () => {
    using archive = testArchive()
    const path = join(archive.directory, 'run/metrics.prom')
    const read = (): Map<string, number> => parseExposition(readFileSync(path, 'utf8'))
    const host = { host: { name: hostname() } }
    const time = new Date()
    const first = addDump(archive.store, { manifest: host, time })
    addDump(archive.store, { manifest: { host: { name: 'another machine' } }, time })
    {
      await using daemon = await startDaemon(archive, { program: child('good') })
      await until(() => daemon.row(first.id)?.analysis === 'done', daemon.log)
      assert.match(daemon.log(), new RegExp(`Dump ${first.id} arrived: `))
      assert.equal(daemon.log().split(' arrived: ').length, 2)
      const samples = read()
      assert.equal(samples.get('gocore_sink_crashes_total{state="complete",reason=""}'), 1)
      assert.equal(samples.get('gocore_sink_crashes_total{state="truncated",reason="no-space"}'), 0)
      assert.equal(samples.get('gocore_sink_held_seconds_count'), 1)
      assert.equal(samples.get('gocore_sink_archive_up'), 1)
      assert.equal(samples.get('gocore_sink_spool_bytes'), 0)
      assert.equal(statSync(path).mode & 0o777, 0o644)
      assert.equal(await daemon.end('SIGTERM'), 0)
      assert.ok(!existsSync(path), 'of a daemon that has ended')
    }
    {
      await using daemon = await startDaemon(archive, { program: child('good') })
      assert.equal(read().get('gocore_sink_crashes_total{state="complete",reason=""}'), 0)
      await daemon.end('SIGTERM')
    }
  })
})
