import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import type { DumpRef, LocalStore } from '../../src/archive/index.ts'
import { compileRedactions, redactArguments } from '../../src/base/redact.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { analyseDump } from '../../src/daemon/analyse.ts'
import { mostAttempts, readAnalysisRecord } from '../../src/daemon/analysis-record.ts'
import { parseReport } from '../../src/daemon/report-file.ts'
import { expectedRow } from '../../src/daemon/sync.ts'
import { addDump, testArchive } from './archive.ts'

const child = (name: string): string => fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url))
/** Longer than any argument may be. */
const unstartable = `/${'x'.repeat(200_000)}`
const limits = { timeout: 60, memory: 256 << 20, output: 1 << 20, parallel: 1, user: '' }

const reportOf = (store: LocalStore, ref: DumpRef) => parseReport(store.readReport(ref)!, 'report.json')

describe('analyseDump()', () => {
  it('explains a real core, as another user, with the executable of the archive', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    const fixture = (name: string): Buffer =>
      zstdDecompressSync(readFileSync(new URL(`../fixtures/till/${name}.zst`, import.meta.url)))
    const program = join(directory, 'till')
    writeFileSync(program, fixture('till'))
    const fd = openSync(program, 'r')
    const key = store.addBinary({ fd, size: 0 }, {})
    closeSync(fd)
    const ref = addDump(store, {
      core: fixture('core'),
      manifest: { executable: { key, path: '/nowhere/till' } },
    })
    const { analysis } = defaultConfig()
    const outcome = await analyseDump(ref, { store, config: { analysis } })
    assert.equal(outcome.state, 'done', JSON.stringify(outcome))
    const report = reportOf(store, ref)
    assert.match(report.go!.version, /^go1\./)
    assert.ok(report.goroutines.length > 1)
    const record = readAnalysisRecord(store, ref)!
    assert.deepEqual([record.state, record.attempts], ['done', 1])
  })

  it('gives the child its orders and nothing of the environment', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store)
    process.env.SECRET_TOKEN = 'x'
    const outcome = await analyseDump(ref, {
      store: archive.store,
      config: { analysis: limits },
      program: child('good'),
    })
    delete process.env.SECRET_TOKEN
    assert.equal(outcome.state, 'done', JSON.stringify(outcome))
    const { message } = reportOf(archive.store, ref).death
    assert.match(
      message,
      new RegExp(
        `core of ${ref.id}, \\d+ bytes, env LC_ALL MALLOC_ARENA_MAX PATH( PWD)?( OLDPWD)?( SHLVL)?( _)?$`,
      ),
    )
  })

  it('stores the command line as the manifest has it, where a secret of two words is one', async () => {
    using archive = testArchive()
    const redact = ['-password *', '-token *']
    const cmdline = redactArguments(['api', '--password', 'two words', '-v'], compileRedactions(redact))
    const process = { pid: 4121, uid: 33, gid: 33, comm: 'api', cmdline }
    const ref = addDump(archive.store, { manifest: { process } })
    const config = { analysis: limits, redact }
    const outcome = await analyseDump(ref, { store: archive.store, config, program: child('good') })
    assert.equal(outcome.state, 'done', JSON.stringify(outcome))
    assert.equal(reportOf(archive.store, ref).program.args, 'api --password … -v')
    assert.doesNotMatch(archive.store.readReport(ref)!, /words/)
  })

  it('leaves the words that readers of a report go by, whatever is to be taken out', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store)
    const config = { analysis: limits, redact: ['gocore*', 'pan*', 'go'] }
    await analyseDump(ref, { store: archive.store, config, program: child('good') })
    const { death, program } = reportOf(archive.store, ref)
    assert.deepEqual([death.kind, program.language], ['panic', 'go'])
    assert.match(death.message, /^pan…/)
  })

  const failures: [behaviour: string, limits: Partial<typeof limits>, reason: RegExp][] = [
    ['refuse', {}, /^the core is not one, said \\x07 hostile bytes$/],
    ['status', {}, /^the analysis ended with status 9: broken$/],
    ['signal', {}, /^the analysis was ended by SIGSEGV/],
    ['hang', { timeout: 2 }, /^it took longer than AnalysisTimeout=2s$/],
    ['spin', { timeout: 2 }, /^it took longer than AnalysisTimeout=2s$/],
    ['huge', {}, /^the report is larger than AnalysisOutput=1M$/],
    ['chatter', {}, /^y+$/],
    ['memory', {}, /^it needed more memory than AnalysisMemory=256M$/],
    ['buffers', {}, /^it needed more memory than AnalysisMemory=256M$/],
    ['nonsense', {}, /^the analysis gave no report: the report: report at byte 0: not JSON/],
    ['escape', {}, /^(ERR_ACCESS_DENIED ){3}(ERR_ACCESS_DENIED|allowed) 1$/],
  ]
  for (const [behaviour, over, reason] of failures)
    it(`a child that does ${behaviour} fails with its reason`, async () => {
      using archive = testArchive()
      const { store } = archive
      const ref = addDump(store)
      const before = readFileSync(store.layout.file(ref, 'manifest.json'), 'utf8')
      writeFileSync(store.layout.file(ref, 'behaviour'), behaviour)
      const started = Date.now()
      const outcome = await analyseDump(ref, {
        store,
        config: { analysis: { ...limits, ...over } },
        program: child('bad'),
      })
      assert.ok(Date.now() - started < 45_000)
      assert.equal(outcome.state, 'failed')
      assert.match((outcome as { reason: string }).reason, reason)
      assert.equal(store.readReport(ref), undefined)
      const record = readAnalysisRecord(store, ref)!
      assert.deepEqual([record.state, record.attempts], ['failed', 1])
      assert.match(record.reason!, reason)
      assert.equal(readFileSync(store.layout.file(ref, 'manifest.json'), 'utf8'), before)
    })

  it('a core that is gone or no core is a failure with a reason', async () => {
    using archive = testArchive()
    const { store } = archive
    const [gone, text] = [
      addDump(store),
      addDump(store, { core: Buffer.from('this is no ELF file'.repeat(1000)) }),
    ]
    rmSync(store.corePath(gone)!)
    const config = { analysis: { ...limits, memory: 1 << 30 } }
    const first = await analyseDump(gone, { store, config })
    assert.deepEqual(first.state === 'failed' && first.reason, 'the dump has no core in the archive')
    const second = await analyseDump(text, { store, config })
    assert.equal(second.state, 'failed')
    assert.match((second as { reason: string }).reason, /ELF/)
  })

  it('an interruption hands the dump back as it was', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store)
    writeFileSync(store.layout.file(ref, 'behaviour'), 'hang')
    const signal = AbortSignal.timeout(1000)
    const outcome = await analyseDump(ref, {
      store,
      config: { analysis: limits },
      program: child('bad'),
      signal,
    })
    assert.equal(outcome.state, 'interrupted')
    assert.equal(readAnalysisRecord(store, ref)!.attempts, 0)
  })

  it('a child that can’t be started is no attempt', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store)
    const analysis = { store, config: { analysis: limits }, program: unstartable }
    for (let n = 0; n < 5; n++)
      await assert.rejects(analyseDump(ref, analysis), /^SystemError: the analysis could not be started: /)
    const record = readAnalysisRecord(store, ref)!
    assert.deepEqual([record.state, record.attempts], ['running', 0])
    assert.equal(expectedRow(store, ref, false)!.analysis, 'pending')
  })

  for (const [behaviour, reason] of [
    ['killed', /^the analysis was ended by SIGKILL/],
    ['threadless', /^the analysis was ended by SIGABRT/],
  ] as const)
    it(`a child that a shortage of the machine ended (${behaviour}) is tried again, and given up in the end`, async () => {
      using archive = testArchive()
      const { store } = archive
      const ref = addDump(store)
      writeFileSync(store.layout.file(ref, 'behaviour'), behaviour)
      const analysis = { store, config: { analysis: limits }, program: child('bad') }
      for (let n = 1; n < mostAttempts; n++) {
        await assert.rejects(analyseDump(ref, analysis), { name: 'SystemError', message: reason })
        assert.equal(expectedRow(store, ref, false)!.analysis, 'pending')
      }
      const outcome = await analyseDump(ref, analysis)
      assert.match(outcome.state === 'failed' ? outcome.reason : outcome.state, reason)
      assert.equal(expectedRow(store, ref, false)!.analysis, 'failed')
    })

  it('a child that was told to end, as its whole service is, has not failed', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store)
    writeFileSync(store.layout.file(ref, 'behaviour'), 'told')
    const outcome = await analyseDump(ref, { store, config: { analysis: limits }, program: child('bad') })
    assert.equal(outcome.state, 'interrupted')
    assert.equal(readAnalysisRecord(store, ref)!.attempts, 0)
  })
})
