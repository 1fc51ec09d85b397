import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { initializeStore, openLocalStore } from '../../src/archive/index.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { type Config, defaultConfig } from '../../src/config/index.ts'
import { readAnalysisRecord } from '../../src/daemon/analysis-record.ts'
import { openLog } from '../../src/daemon/log.ts'
import { nudgeDaemon } from '../../src/daemon/nudge.ts'
import { Service } from '../../src/daemon/service.ts'
import { addDump, report, type TestArchive, testArchive } from './archive.ts'
import { child, startDaemon, until, writeConfig } from './running.ts'

describe('the daemon', () => {
  it('lists and analyses a dump that arrives, and one that was there before', async () => {
    using archive = testArchive()
    const core = zstdDecompressSync(readFileSync(new URL('../fixtures/till/core.zst', import.meta.url)))
    const before = addDump(archive.store, { core })
    await using daemon = await startDaemon(archive)
    const after = addDump(archive.store)
    await until(() => daemon.row(before.id)?.analysis === 'done', daemon.log)
    await until(() => daemon.row(after.id)?.analysis === 'failed', daemon.log)
    assert.match(daemon.row(after.id)!.analysisError!, /not an ELF file/)
    assert.match(
      daemon.log(),
      new RegExp(`Analysed dump ${before.id} \\(api, pid 4121 on .*\\) in [\\d.]+ s: `),
    )
    assert.equal(await daemon.end('SIGTERM'), 0)
  })

  it('is told of a dump by its socket, and survives what else is said there', async () => {
    using archive = testArchive()
    await using daemon = await startDaemon(archive, { program: child('good') })
    const socket = join(archive.directory, 'run', 'daemon.sock')
    const say = (text: string | Buffer): Promise<void> =>
      new Promise(resolve => {
        const client = createConnection(socket, () => client.end(text))
        client.on('error', () => {}).on('close', () => resolve())
      })
    await say(Buffer.alloc(1 << 20, 'x'))
    await say('../../../etc\n')
    await say('aaaaaaaaaaaa\n')
    await say('')
    const foreign = addDump(archive.store, { manifest: { host: { name: 'another machine' } } })
    await until(() => daemon.row(foreign.id) !== undefined, daemon.log)
    assert.equal(daemon.row(foreign.id)!.analysis, 'pending')
    await say(`${foreign.id}\n`)
    await until(() => daemon.row(foreign.id)!.analysis === 'done', daemon.log)
    const old = addDump(archive.store, { time: new Date('2020-02-29') })
    addDump(archive.store, { time: new Date('2020-03-01') })
    assert.equal(await nudgeDaemon(join(archive.directory, 'run'), [old.id]), true)
    await until(() => daemon.row(old.id)?.analysis === 'done', daemon.log)
    await daemon.end('SIGKILL')
    assert.equal(await nudgeDaemon(join(archive.directory, 'run'), [old.id]), false)
  })

  it('brings home what handlers put on this disk', async () => {
    using archive = testArchive()
    const spool = openLocalStore(join(archive.directory, 'state', 'spool'))
    initializeStore(spool)
    const ref = addDump(spool)
    await using daemon = await startDaemon(archive, { program: child('good') })
    await until(() => daemon.row(ref.id)?.analysis === 'done', daemon.log)
    assert.match(daemon.log(), new RegExp(`Brought dump ${ref.id} home from`))
  })

  it('refuses to run twice', async () => {
    using archive = testArchive()
    await using first = await startDaemon(archive)
    await using second = await startDaemon(archive)
    assert.equal(second.process.exitCode, 1)
    assert.match(second.log(), new RegExp(`already runs for .*/state \\(pid ${first.process.pid}\\)`))
    await first.end('SIGKILL')
    await using third = await startDaemon(archive)
    assert.equal(await third.end('SIGTERM'), 0)
  })

  it('goes on after analyses that hang, crash, flood or eat memory', async () => {
    using archive = testArchive()
    const lines = ['AnalysisTimeout=2s', 'AnalysisMemory=128M', 'AnalysisParallel=2']
    const bad = ['hang', 'signal', 'huge', 'memory', 'nonsense'].map(behaviour => {
      const ref = addDump(archive.store)
      writeFileSync(archive.store.layout.file(ref, 'behaviour'), behaviour)
      return ref
    })
    await using daemon = await startDaemon(archive, { program: child('bad'), lines })
    const good = addDump(archive.store)
    await until(() => daemon.row(good.id)?.analysis === 'done', daemon.log)
    await until(() => bad.every(({ id }) => daemon.row(id)?.analysis === 'failed'), daemon.log)
    assert.equal(daemon.process.exitCode, null)
    // None is taken up again.
    await sleep(300)
    assert.ok(bad.every(ref => readAnalysisRecord(archive.store, ref)!.attempts === 1))
  })

  it('killed in the middle of an analysis, it begins that again when restarted', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store)
    writeFileSync(archive.store.layout.file(ref, 'behaviour'), 'hang')
    await using first = await startDaemon(archive, { program: child('bad') })
    await until(() => readAnalysisRecord(archive.store, ref)?.state === 'running', first.log)
    await first.end('SIGKILL')
    await using second = await startDaemon(archive, { program: child('good') })
    await until(() => second.row(ref.id)?.analysis === 'done', second.log)
    const { state, attempts } = readAnalysisRecord(archive.store, ref)!
    assert.deepEqual([state, attempts], ['done', 2])
  })

  it('gives up a dump that takes the daemon down each time', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store)
    writeFileSync(archive.store.layout.file(ref, 'behaviour'), 'hang')
    for (let attempt = 1; attempt <= 3; attempt++) {
      await using daemon = await startDaemon(archive, { program: child('bad') })
      await until(() => readAnalysisRecord(archive.store, ref)?.attempts === attempt, daemon.log)
      await daemon.end('SIGKILL')
    }
    await using daemon = await startDaemon(archive, { program: child('bad') })
    await until(() => daemon.row(ref.id)?.analysis === 'failed', daemon.log)
    assert.equal(daemon.row(ref.id)!.analysisError, '3 attempts never came to an end')
  })

  for (const [what, graceMs, behaviour, state] of [
    ['lets work in hand end', 20_000, '', 'done'],
    ['hands back what does not end in time', 200, 'hang', 'running'],
  ] as const)
    it(`SIGTERM ${what}`, async () => {
      using archive = testArchive()
      const ref = addDump(archive.store)
      if (behaviour) writeFileSync(archive.store.layout.file(ref, 'behaviour'), behaviour)
      await using daemon = await startDaemon(archive, { program: child('bad'), graceMs })
      await until(() => readAnalysisRecord(archive.store, ref) !== undefined, daemon.log)
      const started = Date.now()
      assert.equal(await daemon.end('SIGTERM'), 0)
      assert.ok(Date.now() - started < 10_000)
      const record = readAnalysisRecord(archive.store, ref)!
      assert.deepEqual([record.state, record.attempts], [state, state === 'done' ? 1 : 0])
      assert.match(daemon.log(), /Stopping on SIGTERM/)
    })

  it('SIGHUP reads the configuration again, and keeps the old one where the new is faulty', async () => {
    using archive = testArchive()
    await using daemon = await startDaemon(archive)
    writeConfig(archive, ['MaxAge=never'])
    daemon.process.kill('SIGHUP')
    await until(
      () => /Keeping the configuration as it was: .*:\d+: MaxAge: "never"/.test(daemon.log()),
      daemon.log,
    )
    writeConfig(archive, ['StateDirectory=/elsewhere', 'Group=wheel', 'UserAccess=yes', 'LogLevel=warning'])
    daemon.process.kill('SIGHUP')
    await until(() => /A new UserAccess takes a restart; going on with no/.test(daemon.log()), daemon.log)
    assert.match(daemon.log(), /A new StateDirectory takes a restart; going on with \//)
    assert.match(daemon.log(), /A new Group takes a restart/)
    assert.equal(await daemon.end('SIGTERM'), 0)
    assert.doesNotMatch(daemon.log(), /Stopping on SIGTERM/)
  })

  it('refuses a configuration that is faulty', async () => {
    using archive = testArchive()
    await using daemon = await startDaemon(archive, { lines: ['ScanSchedule=99 * * * *'] })
    assert.equal(daemon.process.exitCode, 1)
    assert.match(daemon.log(), /"99 \* \* \* \*" is not a cron expression/)
  })

  it('builds a damaged catalog anew', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store, { time: new Date('2025-01-01') })
    archive.store.writeReport(ref, JSON.stringify(report()))
    await using first = await startDaemon(archive)
    await until(() => first.row(ref.id)?.analysis === 'done', first.log)
    await first.end('SIGTERM')
    const path = join(archive.directory, 'state', 'catalog.db')
    writeFileSync(path, Buffer.concat([Buffer.from('no database'), readFileSync(path).subarray(11)]))
    await using second = await startDaemon(archive)
    await until(() => second.row(ref.id)?.analysis === 'done', second.log)
    assert.match(second.log(), /was damaged .* kept it as/)
  })
})

describe('Service', () => {
  const quiet = (archive: TestArchive): Config => ({
    ...defaultConfig(),
    ...{ archive: archive.store.root, state: join(archive.directory, 'state') },
    ...{ run: join(archive.directory, 'run'), scan: { cron: '0 0 1 1 *', poll: 3600 } },
  })
  const serve = async (config: Config, network?: string): Promise<Service> => {
    const service = new Service({
      ...{ config, log: openLog('error'), program: child('good'), fileSystem: () => network },
    })
    await service.start()
    return service
  }

  it('polls where the file system is a network one', async () => {
    using archive = testArchive()
    const config = { ...quiet(archive), scan: { cron: '0 0 1 1 *', poll: 1 } }
    const service = await serve(config, 'NFS')
    const ref = addDump(archive.store)
    const reader = openCatalog(join(config.state, 'catalog.db'), { readonly: true })
    await until(
      () => reader.get(ref.id)?.analysis === 'done',
      () => 'not found by polling',
      10_000,
    )
    reader.close()
    await service.stop(1000)
  })

  it('finds all that it was told of at once, however many and of whatever day', async () => {
    using archive = testArchive()
    const config = quiet(archive)
    const service = await serve(config, 'NFS')
    const refs = Array.from({ length: 60 }, (_, n) =>
      addDump(archive.store, { core: null, time: new Date(Date.UTC(2020, 1, 1 + n)) }),
    )
    for (const { id } of refs) service.nudge(id)
    const reader = openCatalog(join(config.state, 'catalog.db'), { readonly: true })
    await until(
      () => refs.every(({ id }) => reader.get(id) !== undefined),
      () => 'not found',
      10_000,
    )
    reader.close()
    await service.stop(1000)
  })

  it('watches nothing any more when it has stopped, however often it was reloaded before', async () => {
    using archive = testArchive()
    const config = quiet(archive)
    const service = await serve(config)
    for (let n = 0; n < 3; n++) service.reload(config)
    await sleep(5)
    service.reload(config)
    await service.stop(1000)
    await sleep(300)
    const left = process.getActiveResourcesInfo().filter(resource => /FSEvent|FSReq/.test(resource))
    assert.deepEqual(left, [])
  })
})
