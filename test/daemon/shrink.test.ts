import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DumpRef, LocalStore, StoredCore } from '../../src/archive/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { analyseDump } from '../../src/daemon/analyse.ts'
import { parseReport } from '../../src/daemon/report-file.ts'
import { leastToShrink, type ShrinkOutcome, shrinkDump, whyNotShrunk } from '../../src/daemon/shrink.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { whyNoCrashes } from '../support/crashed-programs.ts'
import { addDump, addExecutable, type DumpOptions, report, testArchive } from './archive.ts'
import { crashHeap, type HeapCrash, keepCrash } from './heap-crash.ts'

const { analysis } = defaultConfig()
const options = { analysis, reason: 'a test' }
const has = (program: string): boolean => spawnSync(program, ['--help']).error === undefined

/** Stores a crash, analysed. */
async function keep(store: LocalStore, crash: HeapCrash): Promise<DumpRef> {
  const ref = keepCrash(store, crash)
  const outcome = await analyseDump(ref, { store, config: { analysis } })
  assert.equal(outcome.state, 'done', JSON.stringify(outcome))
  return ref
}

/** What the engine says now, without what it says of the core's size. */
async function saidOf(store: LocalStore, ref: DumpRef): Promise<unknown> {
  await analyseDump(ref, { store, config: { analysis } })
  const { core: _, ...rest } = parseReport(store.readReport(ref)!, 'report.json')
  return rest
}

function unpacked(store: LocalStore, ref: DumpRef, to: string): string {
  using source = openCoreFile(store.corePath(ref)!)
  writeFileSync(to, source.read(0, source.size))
  return to
}

const delveCommands = [
  ...['goroutines -t', 'goroutine 1 bt -full', 'goroutine 500 bt', 'threads'],
  ...['goroutine 1 frame 9 args', 'goroutine 1 frame 9 locals', 'goroutine 1 frame 10 locals'],
  ...['print main.totals', 'print main.banner', 'print len(main.heap)', 'exit'],
]

function delve(crash: HeapCrash, core: string): string {
  const init = join(crash.directory, 'init')
  writeFileSync(init, `${delveCommands.join('\n')}\n`)
  const args = ['core', '--allow-non-terminal-interactive=true', '--check-go-version=false']
  const run = spawnSync('dlv', [...args, crash.executable, core, '--init', init], {
    encoding: 'utf8',
    input: '',
    maxBuffer: 1 << 28,
  })
  return run.stdout
}

function gdb(crash: HeapCrash, core: string): string {
  const commands = ['info threads', 'thread apply all bt', 'thread apply all info registers', 'info auxv']
  const args = ['-batch', '-nx', ...commands.flatMap(command => ['-ex', command]), crash.executable, core]
  return spawnSync('gdb', args, { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout
}

/** Texts of megabytes: where they differ first says more than both. */
function assertSame(actual: string, expected: string): void {
  const [ours, theirs] = [actual.split('\n'), expected.split('\n')]
  const at = theirs.findIndex((line, i) => line !== ours[i])
  if (at >= 0) assert.equal(ours[at], theirs[at], `line ${at}`)
  assert.equal(ours.length, theirs.length)
}

const assertShrunk = (outcome: ShrinkOutcome): void =>
  assert.equal(outcome.state, 'shrunk', JSON.stringify(outcome))

describe('shrinkDump() of real crashes', { skip: whyNoCrashes() ?? false }, () => {
  const cases: { name: string; go: string; megabytes: number; flags?: string[] }[] = [
    { name: '300 MB of heap and a thousand goroutines', go: '1.26', megabytes: 300 },
    { name: 'Go 1.21', go: '1.21', megabytes: 64 },
    { name: 'Go 1.24, stripped', go: '1.24', megabytes: 64, flags: ['-ldflags=-s -w'] },
    { name: 'Go 1.27, loaded anywhere', go: '1.27', megabytes: 64, flags: ['-buildmode=pie'] },
  ]
  // All at once: a process that has had an analysis leaves no cores any more, nor do its children.
  const crashes: (HeapCrash | undefined)[] = []
  before(async () => {
    for (const how of cases) crashes.push(await crashHeap(how))
  })
  after(() => {
    for (const crash of crashes) crash?.[Symbol.dispose]()
  })
  for (const [i, { name, ...how }] of cases.entries())
    it(`${name}: all that was said is said, by us, dlv and gdb, of a fraction of the bytes`, async t => {
      const crash = crashes[i]
      if (crash === undefined) return t.skip(`Go ${how.go} is not to be had`)
      using archive = testArchive()
      const { store } = archive
      const ref = await keep(store, crash)
      const before = await saidOf(store, ref)
      const { raw_size, stored_size } = store.readManifest(ref).core
      assertShrunk(await shrinkDump(store, ref, options))

      const manifest = store.readManifest(ref)
      const { core } = manifest
      assert.deepEqual(
        [core.state, core.file, core.shrunk?.raw_size, core.shrunk?.stored_size, core.shrunk?.reason],
        ['complete', 'core.mini.lz4', raw_size, stored_size, 'a test'],
      )
      assert.equal(statSync(store.corePath(ref)!).size, core.stored_size)
      assert.equal(existsSync(store.layout.file(ref, 'core.lz4')), false)
      // A small heap leaves less to be left out: what is kept is about the same.
      const share = how.megabytes >= 300 ? 100 : 30
      assert.ok(core.raw_size * share <= raw_size, `${core.raw_size} of ${raw_size}`)
      assert.ok(core.stored_size * share <= stored_size, `${core.stored_size} of ${stored_size}`)
      assert.deepEqual([...verify({ store })].filter(isFinding), [])
      assert.deepEqual(await saidOf(store, ref), before)

      const mini = unpacked(store, ref, join(crash.directory, 'mini'))
      if (has('gdb')) {
        const words = gdb(crash, mini)
        assert.match(words, /#0 /)
        assertSame(words, gdb(crash, crash.core))
      }
      if (has('dlv') && !how.flags?.includes('-ldflags=-s -w')) {
        const words = delve(crash, mini)
        assert.match(words, /main\.worker/)
        assertSame(words, delve(crash, crash.core))
      }
      assert.deepEqual(await shrinkDump(store, ref, options), {
        state: 'kept',
        reason: 'it is a mini-core already',
      })
    })

  it('with another program in its place: the goroutines are kept for whoever brings the right one', async t => {
    const crash = crashes[1]
    if (crash === undefined) return t.skip(`Go ${cases[1]!.go} is not to be had`)
    using archive = testArchive()
    const { store } = archive
    const ref = keepCrash(store, crash)
    const executable = store.binaryPath(store.readManifest(ref).executable!.key!)!
    writeFileSync(executable, readFileSync('/bin/true'))
    await analyseDump(ref, { store, config: { analysis } })
    const outcome = await shrinkDump(store, ref, options)
    assert.match(outcome.state === 'kept' ? outcome.reason : '', /is not the program of this core/)
    writeFileSync(executable, readFileSync(crash.executable))
    await analyseDump(ref, { store, config: { analysis } })
    assert.ok(parseReport(store.readReport(ref)!, 'report.json').goroutineCount > 1000)
  })
})

const child = (name: string): string => join(import.meta.dirname, 'children', `${name}.ts`)
const noise = randomBytes(2 * leastToShrink)

function addAnalysed(store: LocalStore, dump: DumpOptions = {}): DumpRef {
  const manifest = { ...addExecutable(store), ...dump.manifest }
  const ref = addDump(store, { core: noise, ...dump, manifest })
  store.writeReport(ref, JSON.stringify(report()))
  return ref
}

const filesOf = (store: LocalStore, ref: DumpRef): string[] => readdirSync(store.layout.dump(ref)).sort()

describe('shrinkDump()', () => {
  const fast = { ...options, program: child('shrunk') }
  const kept = async (store: LocalStore, ref: DumpRef): Promise<string> => {
    const before = filesOf(store, ref)
    const outcome = await shrinkDump(store, ref, fast)
    assert.equal(outcome.state, 'kept')
    assert.deepEqual(filesOf(store, ref), before)
    return outcome.state === 'kept' ? outcome.reason : ''
  }

  it('leaves alone what is pinned, on hold, encrypted, damaged, small or not analysed', async () => {
    using archive = testArchive()
    const { store } = archive
    const pinned = addAnalysed(store)
    store.pin(pinned, { time: 'now' })
    const held = addAnalysed(store, {
      manifest: { hold: { by: 'ada', time: '2026-11-24T00:00:00Z', reason: 'case 7' } },
    })
    const of = (core: Partial<StoredCore>): DumpRef => {
      const ref = addAnalysed(store)
      store.changeManifest(ref, manifest => ({ ...manifest, core: { ...manifest.core, ...core } }))
      return ref
    }
    assert.equal(await kept(store, pinned), 'it is pinned')
    assert.match(await kept(store, held), /on hold by ada since 2026-11-24 \(case 7\)/)
    const encrypted = { to: [], sha256: '', time: '' }
    assert.equal(await kept(store, of({ encrypted })), 'its core is encrypted')
    assert.equal(await kept(store, of({ lost_size: 5 })), 'its core is damaged')
    assert.equal(
      await kept(store, addAnalysed(store, { core: noise.subarray(0, 999) })),
      'its core is small enough',
    )
    assert.equal(await kept(store, addAnalysed(store, { core: null })), 'it has no core')
    assert.equal(
      await kept(store, addDump(store, { core: noise, manifest: addExecutable(store) })),
      'it is not analysed',
    )
  })

  it('changes nothing of a dump that somebody else has taken over', async () => {
    using archive = testArchive()
    const { store } = archive
    for (const id of ['aaaaaaaaaaaa', 'cccccccccccc']) {
      const ref = addAnalysed(store, { id })
      const before = readFileSync(store.layout.file(ref, 'manifest.json'), 'utf8')
      assert.deepEqual(await shrinkDump(store, ref, { ...fast, isHeld: () => false }), {
        ...{ state: 'kept', reason: 'somebody else has it in hand', inHand: true },
      })
      assert.ok(existsSync(store.layout.file(ref, 'core.lz4')))
      assert.equal(existsSync(store.layout.file(ref, 'core.mini.lz4')), false)
      assert.equal(readFileSync(store.layout.file(ref, 'manifest.json'), 'utf8'), before)
    }
  })

  it('keeps a core whose program it does not have whole, and tries again when it is there', async () => {
    using archive = testArchive()
    const { store } = archive
    const path = '/srv/api/api-server'
    const bare = addDump(store, { core: noise })
    store.writeReport(bare, JSON.stringify(report()))
    for (const ref of [bare, addAnalysed(store, { manifest: { executable: { path } } })])
      assert.equal(await kept(store, ref), 'its executable is not in the archive')
    const ref = addAnalysed(store, { manifest: { libraries: [{ path: '/lib/libc.so' }] } })
    const { key } = store.readManifest(ref).executable!
    store.removeBinary(key!)
    assert.equal(await kept(store, ref), `${path}, ${key} in the archive, is gone`)
    addExecutable(store)
    assertShrunk(await shrinkDump(store, ref, fast))
  })

  it('has a core whose report is another program’s analysed anew first, and shrinks it the next time', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addAnalysed(store, { id: 'dddddddddddd' })
    const before = store.manifestTime(ref)
    assert.deepEqual(await shrinkDump(store, ref, fast), {
      state: 'kept',
      reason: 'another version had made its report: it was analysed anew',
    })
    assert.equal(parseReport(store.readReport(ref)!, 'report.json').goroutineCount, 7)
    assert.equal(whyNotShrunk(store.readManifest(ref)), undefined)
    assert.notEqual(store.manifestTime(ref), before, 'other nodes’ catalogs would keep the old signature')
    assertShrunk(await shrinkDump(store, ref, fast))
  })

  it('takes out of a report that is made anew what looks like a secret', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addAnalysed(store, { id: 'dddddddddddd' })
    await shrinkDump(store, ref, { ...fast, redact: ['assignment'] })
    assert.doesNotMatch(store.readReport(ref)!, /assignment to entry/)
  })

  it('keeps a core that says something else than its report even when that is new', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addAnalysed(store, { id: 'bbbbbbbbbbbb' })
    const sentence = 'its report has signature 5d41402abc4b and 1 goroutines, the core 5d41402abc4b and 2'
    assert.deepEqual(await shrinkDump(store, ref, fast), { state: 'kept', reason: sentence })
    assert.ok(existsSync(store.layout.file(ref, 'core.lz4')))
    assert.match(whyNotShrunk(store.readManifest(ref))!, /^its report has .*; tried again from /)
  })

  const hour = 3600_000
  const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
  const ends: { name: string; program: string; hours: number; reason: RegExp }[] = [
    { name: 'told to stop', program: "process.kill(process.pid, 'SIGTERM')", hours: 0, reason: /SIGTERM/ },
    { name: 'killed', program: "process.kill(process.pid, 'SIGKILL')", hours: 24, reason: /SIGKILL/ },
    { name: 'broken', program: 'process.exit(1)', hours: 24, reason: /status 1/ },
    { name: 'too slow', program: '', hours: 168, reason: /longer than AnalysisTimeout=1s/ },
    {
      name: 'too large',
      program: `console.error('${heap}'); process.kill(process.pid, 'SIGABRT')`,
      hours: 168,
      reason: /more memory than AnalysisMemory/,
    },
    {
      name: 'refusing',
      program: "console.error('it has no notes'); process.exit(3)",
      hours: Number.POSITIVE_INFINITY,
      reason: /^it has no notes$/,
    },
  ]
  for (const { name, program, hours, reason } of ends)
    it(`a child that is ${name} puts the next attempt off by ${hours} hours`, async () => {
      using archive = testArchive()
      const { store } = archive
      const path = join(archive.directory, 'child.js')
      writeFileSync(path, `${program}\nsetTimeout(() => {}, 60_000)`)
      const ref = addAnalysed(store)
      const from = Date.now()
      const limits = { ...analysis, timeout: name === 'too slow' ? 1 : analysis.timeout }
      const outcome = await shrinkDump(store, ref, { ...options, analysis: limits, program: path })
      assert.match(outcome.state === 'kept' ? outcome.reason : '', reason)
      const isLeft = (now: number): boolean => whyNotShrunk(store.readManifest(ref), now) !== undefined
      assert.equal(isLeft(Date.now()), hours > 0)
      if (hours === Number.POSITIVE_INFINITY) return assert.ok(isLeft(from + 100_000 * hour))
      assert.equal(isLeft(from + (hours - 1) * hour), hours > 0)
      assert.equal(isLeft(from + (hours + 1) * hour), false)
      assert.equal(isLeft(from - hour), false, 'a clock that is set back puts nothing off')
      // Who asks for it by hand knows better, be it of another limit.
      assertShrunk(await shrinkDump(store, ref, { ...fast, asked: true }))
    })

  it('keeps a core whose mini-core would not say the same, says so, and does not try again', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addAnalysed(store, { id: 'aaaaaaaaaaaa' })
    const sentence = 'a mini-core would not say the same: death'
    assert.equal(await kept(store, ref), sentence)
    assert.equal(store.readManifest(ref).core.unshrinkable?.reason, sentence)
    assert.equal(whyNotShrunk(store.readManifest(ref)), sentence)
    assert.deepEqual([...verify({ store })].filter(isFinding), [])
  })

  it('leaves nothing behind where there is no room for the manifest', async t => {
    using archive = testArchive()
    const { store } = archive
    const ref = addAnalysed(store)
    const full = Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' })
    t.mock.method(store, 'changeManifest', () => {
      throw full
    })
    await assert.rejects(shrinkDump(store, ref, fast), full)
    assert.deepEqual(filesOf(store, ref), ['core.lz4', 'manifest.json', 'report.json'])
  })

  it('killed at any step leaves one dump, which is what its manifest says, and can be shrunk', async () => {
    using archive = testArchive()
    const { store } = archive
    const whole = new Set<number>()
    const mini = new Set<number>()
    for (let nth = 1, done = false; !done; nth++) {
      assert.ok(nth < 200)
      const ref = addAnalysed(store)
      const args = [child('shrink-until-killed'), store.root, ref.id, ref.day, String(nth), fast.program]
      const run = spawnSync(process.execPath, args, { encoding: 'utf8' })
      done = run.stdout === 'done shrunk'
      assert.equal(done ? run.status : run.signal, done ? 0 : 'SIGKILL', run.stderr)

      assert.deepEqual(
        [...store.list()].map(({ id }) => id),
        [ref.id],
      )
      const { core } = store.readManifest(ref)
      const path = store.corePath(ref)!
      assert.equal(path, store.layout.file(ref, core.file!))
      assert.equal(statSync(path).size, core.stored_size)
      {
        using source = openCoreFile(path)
        assert.equal(source.size, core.raw_size)
        assert.equal(
          Buffer.compare(source.read(0, 4), core.shrunk ? Buffer.from('mini') : noise.subarray(0, 4)),
          0,
        )
      }
      ;(core.shrunk ? mini : whole).add(nth)
      const problems = [...verify({ store })]
        .filter(isFinding)
        .filter(({ severity }) => severity === 'problem')
      assert.deepEqual(problems, [])

      await shrinkDump(store, ref, fast)
      const now = store.readManifest(ref).core
      assert.deepEqual([now.file, now.shrunk?.raw_size], ['core.mini.lz4', noise.length])
      // What remains of a write that was cut is removed in time.
      const files = filesOf(store, ref).filter(name => !name.endsWith('.tmp'))
      assert.deepEqual(files, ['core.mini.lz4', 'manifest.json', 'report.json'])
      store.remove(ref)
    }
    assert.ok(whole.size > 5 && mini.size > 1)
  })
})
