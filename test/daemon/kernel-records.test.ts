import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DumpEntry, Manifest } from '../../src/archive/index.ts'
import { openLocalStore } from '../../src/archive/index.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { HeardCrashes } from '../../src/daemon/heard-crashes.ts'
import { parseKernelLine } from '../../src/daemon/kernel-crash.ts'
import { KernelLines } from '../../src/daemon/kernel-lines.ts'
import { type LogRecord, parseLogRecord } from '../../src/daemon/kernel-log.ts'
import { KernelRecords, type KernelRecordsOptions } from '../../src/daemon/kernel-records.ts'
import { syncCatalog, syncDump } from '../../src/daemon/sync.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'
import { addDump, type TestArchive, testArchive } from './archive.ts'
import { refusedCrash } from './refused-crash.ts'

describe('parseKernelLine()', () => {
  // In the words of Linux 6.18, 6.1 and 4.19.
  const kernels: [line: string, pid: number | undefined, comm: string | undefined, detail: RegExp][] = [
    ['coredump: 22332(sh): |/nonexistent %P pipe failed', 22332, 'sh', /could not start the handler/],
    ['coredump: 22339(a (b): over core_pipe_limit, skipping core dump', 22339, 'a (b', /core_pipe_limit/],
    ['coredump: 22341(sh): RLIMIT_CORE is set to 1, aborting core', 22341, 'sh', /RLIMIT_CORE is 1/],
    ['Pid 4121(api) over core_pipe_limit', 4121, 'api', /core_pipe_limit/],
    ['Process 4121(api) has RLIMIT_CORE set to 1', 4121, 'api', /RLIMIT_CORE is 1/],
    ['Core dump to |/usr/local/bin/gocore-sink pipe failed', undefined, undefined, /could not start/],
    ['coredump: 5(sh): Coredump socket connection /run/a.sock failed -111', 5, 'sh', /Nobody listened/],
    ['coredump: 6(sh): Coredump socket /run/a.sock receive queue full', 6, 'sh', /More crashes waited/],
    ['do_coredump: 42 callbacks suppressed', undefined, undefined, /up to 42 more processes/],
  ]
  for (const [line, pid, comm, detail] of kernels)
    it(`understands ${line}`, () => {
      const crash = parseKernelLine(line, true)
      assert.ok(crash?.kind === 'lost')
      assert.deepEqual([crash.pid, crash.comm, crash.reason], [pid, comm, 'refused'])
      assert.match(crash.detail, detail)
      assert.equal(parseKernelLine(line, false), undefined, 'only of the kernel itself')
    })

  it("understands the handler's lines, whatever the process calls itself", () => {
    const fact = 'crash of process 7 () of user 0, SIGABRT) of user 33, SIGSEGV'
    const begun = parseKernelLine(`gocore-sink: ${fact}`, false)
    assert.deepEqual(begun, {
      ...{ kind: 'begun', pid: 7, comm: ') of user 0, SIGABRT', uid: 33 },
      signal: { number: 0, name: 'SIGSEGV' },
    })
    const waiting = parseKernelLine(`gocore-sink: ${fact}, waits in line for at most 60 s`, false)
    assert.deepEqual(waiting, { ...begun, waits: 60 })
    const again = parseKernelLine(`gocore-sink: ${fact}, told of again`, false)
    assert.deepEqual(again, { ...begun, isAgain: true })
    const lost = parseKernelLine(
      `gocore-sink: LOST the core of ${fact}: Could not write to /a: ENOSPC`,
      false,
    )
    assert.ok(lost?.kind === 'lost')
    assert.equal(lost.detail, 'Nothing could be stored: Could not write to /a: ENOSPC')
    const refused = parseKernelLine(
      `gocore-sink: REFUSED the core of crash of process 8 (?) of user 33, signal 11: it waited 60 s`,
      false,
    )
    assert.ok(refused?.kind === 'lost')
    assert.equal(refused.detail, 'No handler was started: it waited 60 s')
    assert.equal(refused.signal?.name, 'signal 11')
    for (const line of [
      'gocore-sink: hello',
      'sshd: crash of process 7 (a) of user 0, SIGSEGV',
      '',
      'x'.repeat(9000),
    ])
      assert.equal(parseKernelLine(line, false), undefined)
  })

  it('tells the kernel from those who write to its log', () => {
    assert.deepEqual(parseLogRecord('4,5267,14525102329,-;coredump: 1(a): over\n SUBSYSTEM=x\n'), {
      ...{ sequence: 5267, microseconds: 14525102329, isKernels: true, text: 'coredump: 1(a): over' },
    })
    assert.equal(parseLogRecord('13,1,2,-;coredump: 1(a): over core_pipe_limit')?.isKernels, false)
    assert.equal(parseLogRecord('no record'), undefined)
  })
})

describe('KernelRecords', { skip: noKernel, timeout: 10 * 60_000 }, () => {
  it('records once what the kernel refused, and what left nothing, also after restarts', async () => {
    using archive = testArchive()
    using bed = new HandlerBed({ ArchiveDirectory: '/proc/nowhere', StateDirectory: '/proc/nowhere-either' })
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const catalog = openCatalog(join(state, 'catalog.db'))
    const open = (): KernelRecords =>
      new KernelRecords({
        ...{ store: archive.store, catalog: () => catalog, state, patience: () => 0 },
        spool: () => openLocalStore(join(archive.directory, 'spool')),
        onRecord: ref => syncDump(archive.store, catalog, ref),
      })
    const of = (pid: number): Manifest[] =>
      [...archive.store.list()].map(({ manifest }) => manifest).filter(({ process }) => process.pid === pid)
    using lines = new KernelLines({ run: archive.directory, onProblem: assert.fail })
    const records = open()
    records.look(lines.look())
    const position = readFileSync(join(state, 'kernel-log.json'))
    const missing = await refusedCrash()
    let lost = 0
    await bed.crash('kill -SEGV $$', {
      during: async pid => {
        lost = pid
      },
    })
    records.look(lines.look())
    const [refused] = of(missing)
    assert.deepEqual([refused?.core.state, refused?.core.reason], ['none', 'refused'])
    assert.match(refused!.core.detail!, /could not start the handler/)
    const [nowhere] = of(lost)
    assert.deepEqual([nowhere?.core.reason, nowhere?.signal.name], ['storage-error', 'SIGSEGV'])
    assert.match(nowhere!.core.detail!, /Nothing could be stored: .*nowhere/)
    assert.ok(Math.abs(Date.parse(nowhere!.time) - Date.now()) < 600_000)
    records.look(lines.look())
    open().look(lines.look())
    writeFileSync(join(state, 'kernel-log.json'), position)
    open().look(lines.look())
    assert.deepEqual([of(missing).length, of(lost).length], [1, 1])
    catalog.close()
  })

  it('gives a crash that waits in line so long, and says what became of it', () => {
    using archive = testArchive()
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const catalog = openCatalog(join(state, 'catalog.db'))
    using lines = new KernelLines({ run: archive.directory, onProblem: assert.fail })
    const records = new KernelRecords({
      ...{ store: archive.store, catalog: () => catalog, state, patience: () => 0 },
      spool: () => openLocalStore(join(archive.directory, 'spool')),
      onRecord: ref => syncDump(archive.store, catalog, ref),
    })
    records.look(lines.look())
    // Numbers that no process has.
    const [patient, ended] = [2_147_483_001, 2_147_483_002]
    for (const [pid, seconds] of [
      [patient, 3600],
      [ended, 0],
    ])
      writeFileSync(
        '/dev/kmsg',
        `<13>gocore-sink: crash of process ${pid} (till) of user 33, SIGSEGV, waits in line for at most ${seconds} s\n`,
      )
    records.look(lines.look())
    records.look(lines.look())
    const of = (pid: number): Manifest[] =>
      [...archive.store.list()].map(({ manifest }) => manifest).filter(({ process }) => process.pid === pid)
    assert.equal(of(patient).length, 0)
    assert.equal(of(ended).length, 1)
    assert.match(of(ended)[0]!.core.detail!, /receiver was ended while the crash waited in line/)
    catalog.close()
  })

  it('calls no dump lost that was listed and then removed', async () => {
    using archive = testArchive()
    using bed = new HandlerBed({ ArchiveDirectory: archive.store.root })
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const catalog = openCatalog(join(state, 'catalog.db'))
    let patience = Number.POSITIVE_INFINITY
    const heard = new HeardCrashes()
    using lines = new KernelLines({ run: archive.directory, onProblem: assert.fail })
    const records = new KernelRecords({
      ...{ store: archive.store, catalog: () => catalog, state, heard, patience: () => patience },
      spool: () => openLocalStore(join(archive.directory, 'spool')),
      onRecord: () => {},
    })
    records.look(lines.look())
    await bed.crash('kill -SEGV $$')
    // The log is the machine's, and others' crashes may stand in it.
    const isOurs = ({ manifest }: DumpEntry): boolean => manifest.executable !== undefined
    const [dump] = [...archive.store.list()].filter(isOurs)
    assert.ok(dump)
    const { pid } = dump.manifest.process
    syncDump(archive.store, catalog, dump)
    records.look(lines.look())
    archive.store.remove(dump)
    catalog.remove(dump.id)
    patience = 0
    records.look(lines.look())
    const left = [...archive.store.list()].filter(({ manifest }) => manifest.process.pid === pid)
    assert.deepEqual(left, [])

    // Before anybody looked at the line.
    await bed.crash('kill -SEGV $$')
    const [brief] = [...archive.store.list()].filter(isOurs)
    assert.ok(brief)
    heard.add(brief.manifest)
    archive.store.remove(brief)
    records.look(lines.look())
    records.look(lines.look())
    const pids = [...archive.store.list()].map(({ manifest }) => manifest.process.pid)
    assert.ok(!pids.includes(brief.manifest.process.pid), 'removed within seconds')
    catalog.close()
  })
})

describe('KernelRecords of lines that are given', () => {
  it('knows the dump of a handler at work, whatever days clocks that were wrong have left', async () => {
    using archive = testArchive()
    const { store } = archive
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const boot_id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    writeFileSync(join(state, 'kernel-log.json'), JSON.stringify({ boot_id, sequence: 5 }))
    for (const day of [1, 2, 3, 4]) addDump(store, { time: new Date(`2136-01-0${day}T10:00:00Z`) })
    const catalog = openCatalog(':memory:')
    await syncCatalog(store, catalog)
    const microseconds = Number(process.hrtime.bigint() / 1000n)
    const ref = addDump(store, {
      manifest: {
        host: { name: 'x', boot_id },
        process: { pid: 4122, uid: 33, gid: 33, comm: 'api' },
        monotonic_ns: microseconds * 1000,
      },
    })
    renameSync(store.layout.file(ref, 'manifest.json'), store.layout.file(ref, 'pending.json'))
    const records = new KernelRecords({
      ...{ store, catalog: () => catalog, state, patience: () => 0 },
      spool: () => openLocalStore(join(archive.directory, 'spool')),
      onRecord: (_, sentence) => assert.fail(sentence),
    })
    const text = 'gocore-sink: crash of process 4122 (api) of user 33, SIGABRT'
    for (let n = 0; n < 2; n++) records.look([{ sequence: 6, microseconds, isKernels: false, text }])
    assert.equal([...store.list()].length, 4)
    catalog.close()
  })

  /** Such as begin behind line 5 of the log, and what they have written. */
  function recordsIn(
    { directory, store }: TestArchive,
    options: Partial<KernelRecordsOptions> = { isThere: () => false },
  ): {
    records: KernelRecords
    /** As after a restart. */
    again: () => KernelRecords
    written: number[]
    [Symbol.dispose](): void
  } {
    const state = join(directory, 'state')
    mkdirSync(state)
    const boot_id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    writeFileSync(join(state, 'kernel-log.json'), JSON.stringify({ boot_id, sequence: 5 }))
    const catalog = openCatalog(':memory:')
    const written: number[] = []
    const again = (): KernelRecords =>
      new KernelRecords({
        ...{ store, catalog: () => catalog, state, patience: () => 0 },
        spool: () => openLocalStore(join(directory, 'spool')),
        onRecord: (_, sentence) => void written.push(Number(/process (\d+)/.exec(sentence)![1])),
        ...options,
      })
    return { records: again(), again, written, [Symbol.dispose]: () => catalog.close() }
  }
  const kernels = (pid: number): string => `coredump: ${pid}(api): over core_pipe_limit, skipping core dump`
  const handlers = (pid: number): string => `gocore-sink: crash of process ${pid} (api) of user 33, SIGABRT`
  const linesOf = (texts: readonly string[]): LogRecord[] => {
    const microseconds = Number(process.hrtime.bigint() / 1000n)
    return texts.map((text, n) => ({
      ...{ sequence: 6 + n, microseconds, isKernels: text.startsWith('coredump'), text },
    }))
  }

  it('records many at one look after the other, each once, and reads what is not listed once a look', () => {
    using archive = testArchive()
    const { store } = archive
    using bed = recordsIn(archive)
    const { records, written } = bed
    let reads = 0
    const readManifest = store.readManifest.bind(store)
    store.readManifest = ref => {
      reads++
      return readManifest(ref)
    }
    let listings = 0
    const days = store.days.bind(store)
    store.days = () => {
      listings++
      return days()
    }
    const pids = Array.from({ length: 130 }, (_, n) => 5000 + n)
    const lines = linesOf(pids.map((pid, n) => (n % 2 === 0 ? kernels : handlers)(pid)))
    const counts: number[] = []
    for (let look = 0; look < 5; look++) {
      records.look(lines.filter(({ sequence }) => sequence > records.done))
      counts.push(written.length)
    }
    assert.deepEqual(counts, [50, 100, 130, 130, 130])
    assert.deepEqual(written.sort(), pids)
    assert.equal([...store.list()].length, 130)
    assert.equal(records.done, 135)
    assert.ok(reads <= 3 * 130, `${reads} manifests read`)
    assert.ok(listings <= 2 * 5 + 1, `${listings} times all days were listed`)
  })

  it('waits for what may come of a process that the kernel holds, though not for ever', async () => {
    using archive = testArchive()
    let patience = 0
    using bed = recordsIn(archive, { patience: () => patience })
    const [brief, long] = [spawn('sleep', ['600']), spawn('sleep', ['600'])]
    const lines = linesOf([handlers(brief.pid!), handlers(long.pid!)])
    bed.records.look(lines)
    bed.records.look(lines)
    assert.deepEqual(bed.written, [])
    brief.kill('SIGKILL')
    await once(brief, 'exit')
    bed.records.look(lines)
    assert.deepEqual(bed.written, [brief.pid])
    patience = -10 * 60_000
    bed.records.look(lines)
    assert.deepEqual(bed.written, [brief.pid, long.pid])
    long.kill('SIGKILL')
  })

  it('makes no record of a crash that was told of again while its handler is at work', async () => {
    using archive = testArchive()
    let isThere = true
    using bed = recordsIn(archive, { isThere: () => isThere })
    const lines = linesOf([`${handlers(7)}, waits in line for at most 60 s`, `${handlers(7)}, told of again`])
    bed.records.look(lines.slice(0, 1))
    bed.records.look(lines)
    bed.again().look(lines)
    assert.deepEqual(bed.written, [])
    isThere = false
    // The line of before may be lost.
    bed.again().look(lines.slice(1))
    assert.deepEqual(bed.written, [7])
    const [entry] = archive.store.list()
    assert.equal(entry?.manifest.core.detail, 'The handler was ended before it could store anything')
  })

  it('makes a record of a line once, though a clock was set meanwhile and no catalog has it', t => {
    using archive = testArchive()
    using bed = recordsIn(archive)
    const lines = linesOf([kernels(9)])
    bed.records.look(lines)
    const position = join(archive.directory, 'state/kernel-log.json')
    const { boot_id } = JSON.parse(readFileSync(position, 'utf8'))
    writeFileSync(position, JSON.stringify({ boot_id, sequence: 5 }))
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3 * 24 * 60 * 60_000 })
    bed.again().look(lines)
    assert.equal([...archive.store.list()].length, 1)
  })

  it('makes one record of lines of one crash, also at the same look', () => {
    using archive = testArchive()
    using bed = recordsIn(archive)
    bed.records.look(linesOf([handlers(7), handlers(7), kernels(8), handlers(8)]))
    assert.deepEqual(bed.written, [7, 8])
  })
})
