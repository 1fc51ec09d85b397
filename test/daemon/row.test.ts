import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { AnalysisRecord } from '../../src/daemon/analysis-record.ts'
import { rowOf } from '../../src/daemon/row.ts'
import { addDump, frame, report, testArchive } from './archive.ts'

describe('rowOf()', () => {
  const archive = testArchive()
  after(() => archive[Symbol.dispose]())
  const ref = addDump(archive.store, { time: new Date('2026-11-22T03:14:07.250Z') })
  const entry = { ...ref, manifest: archive.store.readManifest(ref) }
  const record: AnalysisRecord = {
    ...{ schema: 'gocore-analysis', version: 1, state: 'failed', tool: '0.1.0', host: 'x', started: 'y' },
    ...{ attempts: 1, reason: 'it took longer than AnalysisTimeout=5min' },
  }

  it('takes the facts of the manifest and the verdict of the report', () => {
    const { row } = rowOf(entry, { report: report(), pinned: true })
    const { day, time, comm, coreState, pinned, analysis, goVersion, programVersion, cause, causeAt } = row
    assert.deepEqual(
      { day, time, comm, coreState, pinned, analysis, goVersion, programVersion, cause, causeAt },
      {
        ...{
          day: '2026/11/22',
          time: Date.parse('2026-11-22T03:14:07.250Z'),
          comm: 'api',
          coreState: 'complete',
        },
        ...{ pinned: true, analysis: 'done', goVersion: 'go1.26.8', programVersion: 'v1.4.2' },
        ...{ cause: 'panic: assignment to entry in nil map', causeAt: 'cache.go:41' },
      },
    )
  })

  it('keeps the distinct places of all stacks for search, the guilty one first', () => {
    const other = frame('net/http.(*conn).serve', '/go/src/net/http/server.go', 2102)
    const groups = [...report().groups, { ...report().groups[0]!, ids: [7], frames: [other] }]
    const { text } = rowOf(entry, { report: report({ groups }), pinned: false })
    assert.equal(text.message, 'panic: assignment to entry in nil map')
    assert.deepEqual(text.frames.split('\n').slice(2), [
      'main.(*cache).put cache.go:41',
      'main.main main.go:12',
      'net/http.(*conn).serve server.go:2102',
    ])
  })

  const versions: [go: object, version: string | null][] = [
    [{ main: { path: 'x', version: 'v1.2.3' } }, 'v1.2.3'],
    [{ main: { path: 'x', version: '(devel)' }, vcs: { revision: '3ac9f1e0000000000000' } }, '3ac9f1e00000'],
    [{ vcs: { revision: '3ac9f1e00000', modified: true } }, '3ac9f1e00000+dirty'],
    [{ main: { path: 'x', version: '(devel)' } }, null],
    [{}, null],
  ]
  for (const [go, version] of versions)
    it(`programVersion of ${JSON.stringify(go)} is ${version}`, () => {
      const facts = { version: 'go1.26.8', layout: 'table' as const, ...go }
      assert.equal(rowOf(entry, { report: report({ go: facts }), pinned: false }).row.programVersion, version)
    })

  const standings: [
    what: string,
    record: AnalysisRecord | undefined,
    analysis: string,
    error: string | null,
  ][] = [
    ['nothing was tried', undefined, 'pending', null],
    ['an attempt failed', record, 'failed', record.reason!],
    ['an older program failed', { ...record, tool: '0.0.9' }, 'pending', null],
    ['a newer program failed', { ...record, tool: '9.0.0' }, 'failed', record.reason!],
    ['an attempt is under way', { ...record, state: 'running' }, 'pending', null],
    [
      'three ended nobody knows how',
      { ...record, state: 'running', attempts: 3 },
      'failed',
      '3 attempts never came to an end',
    ],
    ['the report was lost', { ...record, state: 'done' }, 'pending', null],
  ]
  for (const [what, known, analysis, analysisError] of standings)
    it(`where ${what}, the analysis is ${analysis}`, () => {
      const { row } = rowOf(entry, { record: known, pinned: false })
      assert.deepEqual([row.analysis, row.analysisError], [analysis, analysisError])
    })

  it('where there is no core, there is nothing to analyse', () => {
    const bare = addDump(archive.store, { core: null })
    const { row, text } = rowOf({ ...bare, manifest: archive.store.readManifest(bare) }, { pinned: false })
    assert.deepEqual([row.analysis, row.coreState, row.coreReason], ['none', 'none', 'rlimit'])
    assert.equal(text.message, 'RLIMIT_CORE is 0')
  })

  it('bounds what a hostile dump says', () => {
    const long = 'x'.repeat(1_000_000)
    const frames = Array.from({ length: 20_000 }, (_, line) =>
      frame(`${long.slice(0, 5000)}${line}`, '/a.go', line),
    )
    const big = report({
      death: { ...report().death, message: long, printed: long },
      groups: [{ ...report().groups[0]!, frames }],
    })
    const { row, text } = rowOf(entry, { report: big, pinned: false })
    assert.ok(row.cause!.length <= 1001)
    assert.ok(text.message.length <= 64 * 1024)
    assert.ok(text.frames.length < 5_000_000)
  })
})
