/** Programs that are not Go, crashed for real: their stacks against gdb's. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Frame, Report } from '../../../src/engine/index.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { reportOf } from '../../support/crashed-programs.ts'

const source = join(import.meta.dirname, '../../programs-c/stacks.c')
const dir = mkdtempSync(join(tmpdir(), 'gocore-sink-c-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const have = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
const missing = ['gcc', 'gdb'].filter(command => !have(command))
const why =
  process.getuid?.() !== 0
    ? 'needs root for the core pattern'
    : missing.length > 0
      ? `needs ${missing}`
      : undefined

const builds: Readonly<Record<string, readonly string[]>> = {
  plain: ['-O1', '-g'],
  optimised: ['-O2', '-g'],
  static: ['-O1', '-g', '-static'],
  'frame-pointers': [
    '-O1',
    '-fno-asynchronous-unwind-tables',
    '-fno-unwind-tables',
    '-fno-omit-frame-pointer',
  ],
  'dwarf-3': ['-O1', '-gdwarf-3', '-gstrict-dwarf'],
  'dwarf-4': ['-O1', '-gdwarf-4', '-gz=zlib'],
  'debug-frame': ['-O1', '-g', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
  stripped: ['-O1', '-s'],
}

const ways: readonly [string, string, RegExp][] = [
  ['plain', 'SIGSEGV', /^sum\S* \(in C, .*\) used a null pointer/],
  ['null', 'SIGSEGV', /^death\S* \(in C, .*\) called a null function pointer/],
  ['abort', 'SIGABRT', /^death.* \(in C, .*\) called abort\(\)/],
  ['assert', 'SIGABRT', /^death.* \(in C, .*\) failed an assertion/],
  ['fpe', 'SIGFPE', /^share\S* \(in C, .*\) made an arithmetic error/],
  ['deep', 'SIGSEGV', /^dive\S* \(in C, .*\) used up its stack: dive\S* calls itself without end/],
  ['handler', 'SIGSEGV', /^sum\S* \(in C, .*\) used a null pointer/],
]

/** Cores by way of dying, all of one build under one holding of the core pattern. */
async function crash(build: string): Promise<{ executable: string; cores: Map<string, string> }> {
  const executable = join(dir, build)
  execFileSync('gcc', [...builds[build]!, '-o', executable, source, '-pthread'])
  const cores = new Map<string, string>()
  using pattern = await takeCorePattern()
  pattern.set(join(dir, 'core'))
  for (const [way] of ways) {
    spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0" "$1"', executable, way], {
      env: {},
      cwd: dir,
      stdio: 'ignore',
      timeout: 20_000,
    })
    const core = join(dir, `${build}.${way}.core`)
    renameSync(join(dir, 'core'), core)
    cores.set(way, core)
  }
  return { executable, cores }
}

interface GdbFrame {
  pc: string
  /** `stacks.c:31`, of the program's own code. */
  place?: string
}

/** gdb's frames by thread; the innermost and inlined ones have no program counter. */
function gdbStacks(executable: string, core: string): Map<number, GdbFrame[]> {
  const commands = ['set debuginfod enabled off', 'set print frame-arguments none', 'thread apply all bt']
  const args = ['-q', '-batch', '-nx', ...commands.flatMap(command => ['-ex', command]), executable, core]
  const { stdout } = spawnSync('gdb', args, { encoding: 'utf8' })
  const stacks = new Map<number, GdbFrame[]>()
  let frames: GdbFrame[] = []
  for (const line of stdout.split('\n')) {
    const thread = /^Thread \d+ .*LWP (\d+)/.exec(line)
    if (thread) {
      frames = []
      stacks.set(Number(thread[1]), frames)
    }
    const frame = /^#\d+ +0x([0-9a-f]+) in (\S+)/.exec(line)
    const place = /(stacks\.c:\d+)$/.exec(line)?.[1]
    if (frame) frames.push({ pc: `0x${BigInt(`0x${frame[1]}`).toString(16)}`, ...(place ? { place } : {}) })
  }
  return stacks
}

/** Both walks over the part that both have: gdb opens inlined functions of the C library into frames of their own. */
function compare(report: Report, stacks: Map<number, GdbFrame[]>): number {
  let places = 0
  for (const { tid, frames } of report.threads) {
    const ours = new Map(frames.map(frame => [frame.pc, `${frame.file.split('/').at(-1)}:${frame.line}`]))
    const theirs = stacks.get(tid) ?? []
    assert.ok(theirs.length > 0 || frames.length === 1, `gdb has no stack for thread ${tid}`)
    const lost = theirs.filter(({ pc }) => !ours.has(pc)).map(({ pc }) => pc)
    // An inlined function's line has an address that is no return address of ours.
    assert.ok(lost.length <= 2, `thread ${tid}: not found ${lost.join(' ')} of ${theirs.map(({ pc }) => pc)}`)
    for (const { pc, place } of theirs) {
      if (place === undefined || !ours.has(pc)) continue
      assert.equal(ours.get(pc), place)
      places++
    }
  }
  return places
}

for (const build of Object.keys(builds)) {
  test(`C stacks are gdb's, ${build}`, { timeout: 600_000 }, async context => {
    if (why) return context.skip(why)
    const { executable, cores } = await crash(build)
    let places = 0
    for (const [way, signal, verdict] of ways) {
      const core = cores.get(way)!
      const report = reportOf({ core, executable })
      assert.equal(report.program.language, 'c')
      assert.equal(report.go, undefined)
      assert.equal(report.death.kind, 'signal')
      assert.equal(report.death.signalName, signal)
      assert.equal(report.threads.length, 2)
      if (build !== 'stripped') assert.match(report.death.verdict, verdict)
      // Of a hundred thousand frames we keep 512, and gdb would print all.
      const cut = report.warnings.map(({ code }) => code)
      assert.deepEqual(cut, way === 'deep' ? ['c-stack-cut'] : [])
      if (way === 'deep') assert.equal(report.threads[0]!.frames.length, 512)
      else if (build === 'frame-pointers') assert.ok(names(report.threads[0]!.frames).includes('main'))
      else places += compare(report, gdbStacks(executable, core))
    }
    if (builds[build]!.some(flag => flag.startsWith('-g')))
      assert.ok(places >= 12, `${places} lines compared`)
  })
}

function names(frames: readonly Frame[]): string[] {
  return frames.map(frame => frame.function)
}
