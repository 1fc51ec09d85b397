/** The carried crash: what its runtime holds, against what the program printed when it died. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { type ByteSource, bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { openCoreFile } from '../../../src/engine/core/core-file.ts'
import { openProcessImage } from '../../../src/engine/core/process-image.ts'
import { Warnings } from '../../../src/engine/core/warnings.ts'
import { buildInfoMagic } from '../../../src/engine/gosym/buildinfo.ts'
import { newestMinor, oldestMinor, RuntimeLayout } from '../../../src/engine/runtime/layouts/layout.ts'
import { openRuntime, type Runtime } from '../../../src/engine/runtime/runtime.ts'
import { waitReasonTable } from '../../../src/engine/runtime/wait-reasons.ts'
import { parseTraceback } from '../../support/traceback.ts'

const printed = parseTraceback(
  readFileSync(join(import.meta.dirname, '../../fixtures/till/traceback.txt'), 'utf8'),
)

function open(core = fixtureCore()): Runtime {
  const image = openProcessImage(openCoreFile(core), {
    executable: fixtureExecutable(),
    find: () => undefined,
  })
  return openRuntime(image)!
}

const hex = (n: number): string => `0x${n.toString(16)}`

test('every goroutine is there, with the state, the frames and the creator that the program printed', () => {
  const runtime = open()
  const seen = new Set<number>()
  for (const g of runtime.goroutines()) {
    seen.add(g.id)
    const theirs = printed.goroutines.get(g.id)
    assert.ok(theirs, `goroutine ${g.id} was not printed`)
    assert.equal(runtime.stateOf(g), theirs.state)
    if (theirs.unavailable) continue
    const ours = runtime.tracebackOf(g).frames.map(f => ({
      ...{ function: f.function, args: f.args, file: f.file, line: f.line, inlined: f.inlined },
      ...(f.inlined ? {} : { offset: f.offset ?? 0, pc: hex(f.pc), sp: hex(f.sp) }),
    }))
    assert.deepEqual(
      ours,
      theirs.frames.map(({ ...frame }) => frame),
    )
    const created = runtime.createdBy(g)
    assert.equal(created?.function, theirs.createdBy?.function)
    assert.equal(created?.line, theirs.createdBy?.line)
    assert.equal(created?.goroutine, theirs.createdBy?.goroutine)
  }
  assert.deepEqual([...seen].sort(), [...printed.goroutines.keys()].sort())
  assert.deepEqual(runtime.warnings, [])
  assert.equal(runtime.layoutSource, 'table')
})

test('each thread has its machine, and the thread that died the goroutine that it ran', () => {
  const runtime = open()
  for (const { thread, machine } of runtime.threads) assert.equal(machine?.procid, thread.tid)
  const crashed = runtime.threads.find(({ thread }) => thread.crashed)!
  assert.equal(crashed.contexts[0]!.stack, 'gsignal')
  const guilty = runtime.goroutineAt(crashed.machine!.curg)
  assert.equal(runtime.stateOf(guilty), 'running')
  assert.equal(runtime.threadOf(guilty), crashed)
  assert.ok(runtime.gomaxprocs > 0)
})

test('the build information is that of go version -m', () => {
  const { buildInfo, version } = open()
  assert.match(version!.text, /^go1\.26/)
  assert.equal(buildInfo!.settings.GOARCH, 'amd64')
  assert.equal(buildInfo!.settings['-trimpath'], 'true')
})

test('the texts of wait reasons in the program are those of the table', () => {
  const runtime = open()
  const reasons = [...runtime.goroutines()]
    .map(g => runtime.waitReasonOf(g))
    .filter(text => text !== undefined)
  assert.ok(reasons.length > 0)
  for (const reason of reasons) assert.ok(waitReasonTable(26).includes(reason), reason)
})

test('where the list of goroutines is lost they are found in memory', () => {
  const whole = open()
  const ids = [...whole.goroutines()].map(({ id }) => id).sort((a, b) => a - b)
  // The words of allgs that point to its array.
  const bytes = Buffer.from(fixtureCore().read(0, fixtureCore().size))
  const { data, ebss } = whole.modules[0]!
  const region = whole.image.memory.regionAt(data)!
  const wipe = (lo: number, hi: number): void => {
    bytes.fill(0, region.offset + lo - region.start, region.offset + hi - region.start)
  }
  wipe(whole.modules[0]!.bss, Math.min(ebss, region.end))
  for (const { start, end, origin } of whole.image.memory.regions)
    if (origin === 'core' && start >= region.end && start < ebss) {
      const at = whole.image.memory.regionAt(start)!.offset
      bytes.fill(0, at, at + Math.min(end, ebss) - start)
    }
  const runtime = open(bytesSource('wiped', bytes))
  assert.deepEqual(
    runtime.warnings.map(({ code }) => code),
    ['allgs-missing'],
  )
  const found = [...runtime.goroutines()].map(({ id }) => id)
  for (const id of ids) assert.ok(found.includes(id), `goroutine ${id}`)
})

test('of a list whose goroutines are not all in the core, those are listed that are', () => {
  const whole = open()
  const all = [...whole.goroutines()]
  // As a cut core has it: no segment holds the page of the last ones.
  const last = Math.max(...all.map(({ addr }) => addr))
  const page = last - (last % 4096)
  const bytes = Buffer.from(fixtureCore().read(0, fixtureCore().size))
  const phoff = Number(bytes.readBigUInt64LE(32))
  for (let at = phoff; at < phoff + 56 * bytes.readUInt16LE(56); at += 56) {
    const start = Number(bytes.readBigUInt64LE(at + 16))
    if (start <= page && start + Number(bytes.readBigUInt64LE(at + 32)) > page)
      for (const size of [32, 40]) bytes.writeBigUInt64LE(BigInt(page - start), at + size)
  }
  const runtime = open(bytesSource('cut', bytes))
  const ids = [...runtime.goroutines()].map(({ id }) => id)
  const kept = all.filter(({ addr }) => addr + 512 <= page).map(({ id }) => id)
  assert.ok(kept.length >= 4 && kept.length < all.length, `${kept.length} of ${all.length}`)
  for (const id of kept) assert.ok(ids.includes(id))
  assert.match(
    runtime.warnings.find(({ code }) => code === 'goroutines-missing')?.message ?? '',
    /^The runtime lists \d+ goroutines, dead ones among them; \d+ of them are not in the core\.$/,
  )
})

test('a program whose build information was taken out still tells its version', () => {
  const wiped = (source: ByteSource): ByteSource => {
    const bytes = Buffer.from(source.read(0, source.size))
    const magic = Buffer.from(buildInfoMagic)
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at)) bytes.fill(0, at, at + 64)
    return bytesSource(source.name, bytes)
  }
  const executable = wiped(fixtureExecutable())
  const image = openProcessImage(openCoreFile(wiped(fixtureCore())), { executable, find: () => undefined })
  const runtime = openRuntime(image)!
  assert.equal(runtime.buildInfo, undefined)
  assert.equal(runtime.version?.text, open().version?.text)
  assert.equal(runtime.countGoroutines(), open().countGoroutines())
})

test('a program that is not Go has no runtime', () => {
  const c = openProcessImage(openCoreFile(fixtureCore()), { find: () => undefined })
  assert.equal(openRuntime(c, { warnings: new Warnings() }), undefined)
})

test('each version has a layout with the fields that everything rests on', () => {
  for (let minor = oldestMinor; minor <= newestMinor; minor++) {
    const layout = new RuntimeLayout(minor)
    for (const field of [
      'g.goid',
      'g.atomicstatus',
      'g.sched',
      'g.waitreason',
      'm.procid',
      'm.curg',
      'm.alllink',
    ])
      assert.ok(layout.at(field) >= 0, `${minor} ${field}`)
    assert.equal(layout.find('g.parentGoid') !== undefined, minor >= 21)
  }
  assert.equal(new RuntimeLayout(24).at('m.alllink') - new RuntimeLayout(24, 'earlier').at('m.alllink'), 24)
  assert.throws(() => new RuntimeLayout(19).at('g.bubble'), /Go 1\.19 has no such field/)
})
