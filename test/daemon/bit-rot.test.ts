/** One byte of a stored core turns over, as on storage that rots: what it costs, and who says so. */
import assert from 'node:assert/strict'
import { openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DumpRef, LocalStore } from '../../src/archive/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { analyseDump } from '../../src/daemon/analyse.ts'
import { recoverDumps } from '../../src/daemon/recover.ts'
import { parseReport } from '../../src/daemon/report-file.ts'
import { shrinkDump } from '../../src/daemon/shrink.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { openCore, openElf } from '../../src/engine/index.ts'
import type { Goroutine, Report } from '../../src/engine/report/report.ts'
import type { Goroutine as RuntimeGoroutine } from '../../src/engine/runtime/goroutine.ts'
import { openLz4 } from '../../src/lz4/index.ts'
import { FileSource, openCoreFile } from '../../src/source/index.ts'
import { runCli } from '../cli/run-cli.ts'
import { reportOf as engineReportOf, whyNoCrashes } from '../support/crashed-programs.ts'
import { type TestArchive, testArchive } from './archive.ts'
import { crashHeap, type HeapCrash, keepCrash } from './heap-crash.ts'

const { analysis } = defaultConfig()
/** Of what is imported. */
const blockSize = 1 << 20

async function reportOf(store: LocalStore, ref: DumpRef): Promise<Report> {
  const outcome = await analyseDump(ref, { store, config: { analysis } })
  assert.equal(outcome.state, 'done', JSON.stringify(outcome))
  return parseReport(store.readReport(ref)!, 'report.json')
}

/** Where the goroutines and their stacks lay, by number. */
function placesOf(crash: HeapCrash): Map<number, { addr: number; lo: number; hi: number; sp: number }> {
  using core = openCoreFile(crash.core)
  using executable = openCoreFile(crash.executable)
  const { runtime } = openCore(core, { executable, find: () => undefined })
  const place = (g: RuntimeGoroutine) => ({ addr: g.addr, ...g.stack, sp: g.sched.sp })
  return new Map([...runtime!.goroutines()].map(g => [g.id, place(g)]))
}

function regionsOf(crash: HeapCrash) {
  using core = openCoreFile(crash.core)
  return openCore(core, { find: () => undefined }).image.memory.regions
}

/** Turns a bit over in the middle of the block that holds the byte at `offset` of the core; answers the block's bounds. */
function rot(path: string, offset: number): { start: number; end: number } {
  const bytes = readFileSync(path)
  const read = (at: number, length: number): Uint8Array => bytes.subarray(at, at + length)
  const { table } = openLz4({ name: path, size: bytes.length, read })
  const block = table.starts.findIndex((start, i) => start <= offset && offset < table.starts[i + 1]!)
  const length = table.words[block]! & 0x7fff_ffff
  bytes[table.offsets[block]! + 4 + (length >> 1)]! ^= 0x10
  writeFileSync(path, bytes)
  return { start: table.starts[block]!, end: table.starts[block + 1]! }
}

/** One by one: of two long lists that differ, node:assert draws up a comparison that takes all of the machine's memory. */
function assertSame(ours: readonly Goroutine[], theirs: readonly Goroutine[]): void {
  assert.equal(ours.length, theirs.length)
  for (const [i, goroutine] of ours.entries()) assert.deepEqual(goroutine, theirs[i], `goroutine ${i}`)
}

/** Where in the core headers of strings point to this text, which is the program's own. */
function headersOf(text: string, { executable }: HeapCrash, core: Buffer): { start: number; end: number }[] {
  const program = readFileSync(executable)
  using source = openCoreFile(executable)
  const loaded = openElf(source).segments.filter(({ type }) => type === 1)
  const header = Buffer.alloc(16)
  const found: { start: number; end: number }[] = []
  for (const at of occurrences(program, Buffer.from(text))) {
    const segment = loaded.find(({ offset, filesz }) => offset <= at && at < offset + filesz)
    if (segment === undefined) continue
    header.writeBigUInt64LE(BigInt(segment.vaddr + at - segment.offset))
    header.writeBigUInt64LE(BigInt(text.length), 8)
    for (const start of occurrences(core, header)) found.push({ start, end: start + header.length })
  }
  assert.ok(found.length > 0, text)
  return found
}

function* occurrences(bytes: Buffer, wanted: Buffer): Generator<number> {
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) yield at
}

describe('one flipped bit in a stored core', { skip: whyNoCrashes() ?? false }, () => {
  let crash: HeapCrash
  let archive: TestArchive
  let ref: DumpRef
  let whole: Report
  let places: ReturnType<typeof placesOf>
  let block: { start: number; end: number }
  let damaged: { low: number; high: number }[]
  /**
   * Of a fresh crash the place of a stack in whose block nothing else lies that is needed, if it has one: what lies
   * where is by chance. The engine alone reads it, as a process that has had a daemon's analysis leaves no cores any
   * more, nor do its children, and the next crash may be needed.
   */
  async function crashWithPlace(): Promise<number | undefined> {
    crash = (await crashHeap({ go: '1.26', megabytes: 64 }))!
    const { death } = engineReportOf(crash)
    places = placesOf(crash)
    // Where runtime.allgs itself is lost goroutines are searched for, which is another matter. Lists that it has
    // outgrown do not have the last two.
    const addresses = [...places.values()].map(({ addr }) => addr)
    const bytes = readFileSync(crash.core)
    const lastTwo = Buffer.alloc(16)
    for (const [i, addr] of addresses.slice(-2).entries()) lastTwo.writeBigUInt64LE(BigInt(addr), 8 * i)
    const listEnd = bytes.indexOf(lastTwo) + 16
    const dying = places.get(death.goroutine!)!
    const regions = regionsOf(crash)
    const offsetOf = (address: number): number => {
      const { offset, start } = regions.find(region => region.start <= address && address < region.end)!
      return offset + address - start
    }
    // What tells of the death: its list of goroutines, the goroutine, its stack, and the text's header in the heap.
    const needed = [
      { start: listEnd - 8 * addresses.length, end: listEnd },
      { start: offsetOf(dying.addr), end: offsetOf(dying.addr) + 512 },
      { start: offsetOf(dying.lo), end: offsetOf(dying.hi - 1) + 1 },
      ...headersOf(death.message.replace('panic: ', ''), crash, bytes),
    ]
    const isFree = (offset: number): boolean => {
      const start = Math.floor(offset / blockSize) * blockSize
      return needed.every(range => range.end <= start || start + blockSize <= range.start)
    }
    const stacks = [...places.values()].slice(500).map(({ sp }) => offsetOf(sp))
    return stacks.find(isFree)
  }
  before(async () => {
    let place: number | undefined
    for (let tries = 0; place === undefined; tries++) {
      assert.ok(tries < 6)
      crash?.[Symbol.dispose]()
      place = await crashWithPlace()
    }
    archive = testArchive()
    ref = keepCrash(archive.store, crash)
    whole = await reportOf(archive.store, ref)
    block = rot(archive.store.corePath(ref)!, place)
    // Neighbours in the file need not be neighbours in memory.
    damaged = regionsOf(crash)
      .map(({ start, end, offset }) => ({
        low: Math.max(start, start + block.start - offset),
        high: Math.min(end, start + block.end - offset),
      }))
      .filter(({ low, high }) => low < high)
  })
  after(() => {
    archive?.[Symbol.dispose]()
    crash?.[Symbol.dispose]()
  })

  it('verify names the block, its bytes and its addresses, and nothing else', () => {
    const found = [...verify({ store: archive.store })].filter(isFinding)
    assert.equal(found.length, 1)
    const { severity, where, what } = found[0]!
    assert.deepEqual([severity, where], ['problem', ref.id])
    assert.ok(what.includes(`bytes ${block.start} to ${block.end}, addresses `), what)
    for (const { low, high } of damaged)
      assert.ok(what.includes(`0x${low.toString(16)} to 0x${high.toString(16)}`), what)
    assert.match(what, /the checksum of block \d+ is wrong/)
  })

  it('all goroutines whose stacks lie elsewhere are as they were, and the report warns', async () => {
    const now = await reportOf(archive.store, ref)
    assert.ok(now.warnings.some(({ code, message }) => code === 'core-damaged' && /checksum/.test(message)))
    const isHit = (start: number, end: number): boolean =>
      damaged.some(({ low, high }) => start < high && end > low)
    const intact = ({ id }: Goroutine): boolean => {
      const { addr, lo, hi } = places.get(id)!
      return !isHit(addr, addr + 512) && !isHit(lo, hi)
    }
    const before = whole.goroutines.filter(intact)
    assert.ok(before.length > 100 && before.length < whole.goroutines.length, `${before.length}`)
    for (const goroutine of before)
      assert.deepEqual(
        now.goroutines.find(({ id }) => id === goroutine.id)?.frames,
        goroutine.frames,
        `${goroutine.id}`,
      )
    assert.equal(now.death.message, whole.death.message)
  })

  it('export writes the rest as it was, names what it could not, and says so by its status', () => {
    const to = join(crash.directory, 'exported')
    const run = runCli(['--archive', archive.store.root, 'export', ref.id, '-o', to])
    assert.equal(run.status, 5, run.stderr)
    assert.ok(
      run.stderr.includes(`bytes ${block.start} to ${block.end} of the core may be wrong`),
      run.stderr,
    )
    const [ours, theirs] = [readFileSync(to), readFileSync(crash.core)]
    assert.equal(ours.length, theirs.length)
    assert.ok(ours.subarray(0, block.start).equals(theirs.subarray(0, block.start)))
    assert.ok(ours.subarray(block.end).equals(theirs.subarray(block.end)))
  })

  it('in the first block: verify names block and copy, and the report has all goroutines and warns', async () => {
    using other = testArchive()
    const first = keepCrash(other.store, crash)
    const path = other.store.corePath(first)!
    const bytes = readFileSync(path)
    // A literal of the ELF header: behind frame header, size word, and the block's first token and its length.
    bytes[7 + 4 + 20]! ^= 0x40
    writeFileSync(path, bytes)
    const found = [...verify({ store: other.store })].filter(isFinding)
    assert.equal(found.length, 1, JSON.stringify(found))
    assert.match(
      found[0]!.what,
      /bytes 0 to 1048576, addresses 0x.*: .*checksum of block 0 is wrong; the copy of its head stands in for the first \d+; the rest/,
    )
    const now = await reportOf(other.store, first)
    assertSame(now.goroutines, whole.goroutines)
    assert.ok(
      now.warnings.some(({ message }) => /core's head, its first \d+ bytes, is read from/.test(message)),
    )
    const to = join(crash.directory, 'headed')
    const run = runCli(['--archive', other.store.root, 'export', first.id, '-o', to])
    assert.equal(run.status, 5, run.stderr)
    const [ours, theirs] = [readFileSync(to), readFileSync(crash.core)]
    const head = Number(/the first (\d+)/.exec(found[0]!.what)![1])
    assert.ok(ours.subarray(0, head).equals(theirs.subarray(0, head)))
    assert.ok(ours.subarray(blockSize).equals(theirs.subarray(blockSize)))
  })

  it('in the first block of a core whose handler was killed: its head is read from the copy that recovery made', async () => {
    using other = testArchive()
    const { store } = other
    const cut = keepCrash(store, crash)
    const path = (name: string): string => store.layout.file(cut, name)
    const manifest = store.readManifest(cut)
    const { table } = openLz4(
      new FileSource('x', openSync(path('core.lz4'), 'r'), statSync(path('core.lz4')).size),
    )
    writeFileSync(path('pending.json'), JSON.stringify(manifest))
    rmSync(path('manifest.json'))
    // In the middle of the last block but one.
    truncateSync(path('core.lz4'), table.offsets[table.count - 2]! + 9)
    assert.equal(recoverDumps(store, { booted: 0, now: Date.now() + 48 * 3_600_000 }).length, 1)
    const { core } = store.readManifest(cut)
    assert.deepEqual(
      [core.state, core.raw_size, core.expected_size],
      ['truncated', table.starts[table.count - 2], statSync(crash.core).size],
    )
    const before = await reportOf(store, cut)
    const bytes = readFileSync(path('core.lz4'))
    bytes[7 + 4 + 20]! ^= 0x40
    writeFileSync(path('core.lz4'), bytes)
    const now = await reportOf(store, cut)
    assertSame(now.goroutines, before.goroutines)
    assert.ok(now.goroutines.length > 1000)
  })

  it('it is not shrunk: what the report was made of can not be read', async () => {
    const outcome = await shrinkDump(archive.store, ref, { analysis, reason: 'a test' })
    assert.equal(outcome.state, 'kept')
    assert.match(outcome.state === 'kept' ? outcome.reason : '', /checksum of block/)
  })
})
