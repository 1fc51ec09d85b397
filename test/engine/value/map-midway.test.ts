/** Maps of a program that was killed while one grew: whatever it was in the middle of, no entry is lost or there twice. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { fullLimits, type Value } from '../../../src/engine/value/value.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { processOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { haveGdb } from '../../support/gdb-answers.ts'

const skip = whyNoCrashes() ?? false
const work = mkdtempSync(join(tmpdir(), 'gocore-midway-'))
after(() => rmSync(work, { recursive: true, force: true }))

const deaths = 3
const words = ['zero', 'one', 'two']
const limits = { ...fullLimits, depth: 4, items: 1 << 16, values: 1e7, slots: 1e7 }
const nowhere = { stack: undefined, frame: undefined }

for (const go of ['1.22.12', '1.24.0', '1.26.8'])
  test(`a map has all entries while it grows, Go ${go}`, { skip, timeout: 120_000 }, async t => {
    const executable = build(go)
    if (executable === undefined) return t.skip(`no Go ${go}`)
    for (const core of await kill(executable, go)) {
      checkMap(core, executable)
      rmSync(core)
    }
  })

for (const { go, file, line, passed, steps } of [
  { go: '1.22.12', file: 'runtime/map.go', line: 'h.B += bigger', passed: 6, steps: [3, 9, 15] },
  // One entry goes over in about 100 instructions.
  {
    go: '1.22.12',
    file: 'runtime/map.go',
    line: 'b.tophash[i] = evacuatedX + useY',
    passed: 700,
    steps: [1, 8, 15, 30, 45, 75, 120],
  },
  {
    go: '1.24.0',
    file: 'internal/runtime/maps/map.go',
    line: 'directory[0] = tab',
    passed: 0,
    steps: [5, 7, 8],
  },
  {
    go: '1.24.0',
    file: 'internal/runtime/maps/map.go',
    line: 'm.dirPtr = unsafe.Pointer(&newDir[0])',
    passed: 1,
    steps: [3, 5, 6],
  },
  {
    go: '1.26.8',
    file: 'internal/runtime/maps/map.go',
    line: 'left.index = old.index',
    passed: 2,
    steps: [15, 20, 25, 30, 45],
  },
])
  test(`a map has all entries in the middle of "${line}", Go ${go}`, {
    skip: skip || (haveGdb() ? false : 'no gdb'),
    timeout: 120_000,
  }, async t => {
    const executable = build(go)
    if (executable === undefined) return t.skip(`no Go ${go}`)
    const place = `${file}:${lineOf(go, file, line)}`
    for (const count of steps) {
      const core = await killAt(executable, place, passed, count)
      assert.ok(checkMap(core, executable) > 0, `${count} instructions behind ${place}`)
    }
  })

/** How many entries there are to be, all of which are. */
function checkMap(core: string, executable: string): number {
  const debug = openDebugger(processOf({ core, executable }))
  const load = (text: string): Value => debug.load(debug.evaluate(text, nowhere), limits)
  const [count, map] = [load('main.n'), load('main.m')]
  assert.ok(count.kind === 'int' && map.kind === 'map')
  const n = Number(count.value)
  // A new map is made behind the count's going back to 0.
  if (n === 0) return n
  const keys = map.entries.map(({ key, value }) => {
    const number = numberOf(key)
    assert.ok(value.kind === 'string')
    if (number < n) assert.equal(Buffer.from(value.bytes).toString(), words[number % 3], `of ${number}`)
    return number
  })
  // The last one may be in before it is counted, and before its value is.
  const wanted = Array.from({ length: n }, (_, i) => i)
  const sorted = keys.sort((a, b) => a - b)
  assert.deepEqual(sorted.slice(0, n), wanted, `${n} entries`)
  assert.ok(sorted.length <= n + 1)
  return n
}

/** Even keys are numbers, odd ones arrays of a number and its double. */
function numberOf(key: Value): number {
  const held = key.kind === 'interface' ? key.dynamic : undefined
  if (held?.kind === 'int') return Number(held.value)
  assert.ok(held?.kind === 'array')
  const [one, two] = held.items.map(item => (item.kind === 'int' ? Number(item.value) : Number.NaN))
  assert.equal(two, one! * 2)
  return one!
}

function build(go: string): string | undefined {
  const executable = join(work, `midway-${go}`)
  copyFileSync(join(import.meta.dirname, '../../programs-midway/main.go'), join(work, 'main.go'))
  writeFileSync(join(work, 'go.mod'), 'module gocore.test/midway\n\ngo 1.19\n')
  const env = { ...process.env, GOTOOLCHAIN: `go${go}` }
  const { status } = spawnSync('go', ['build', '-o', executable, '.'], { cwd: work, env, stdio: 'ignore' })
  return status === 0 ? executable : undefined
}

async function kill(executable: string, go: string): Promise<string[]> {
  const cores: string[] = []
  using pattern = await takeCorePattern()
  for (let i = 0; i < deaths; i++) {
    pattern.set(join(work, 'core'))
    const command = ['-c', 'ulimit -c unlimited; exec "$0"', executable]
    const env = { GOTRACEBACK: 'crash', GOMAXPROCS: '2' }
    const running = spawn('/bin/sh', command, { cwd: work, env, stdio: 'ignore' })
    await sleep(150 + 70 * i)
    running.kill('SIGABRT')
    await once(running, 'exit')
    // The shell may have been what died.
    if (!existsSync(join(work, 'core'))) continue
    const core = join(work, `${go}-${i}.core`)
    renameSync(join(work, 'core'), core)
    cores.push(core)
  }
  return cores
}

/** Of the only line of a file of the runtime that is this statement. */
function lineOf(go: string, file: string, statement: string): number {
  const env = { ...process.env, GOTOOLCHAIN: `go${go}` }
  const root = spawnSync('go', ['env', 'GOROOT'], { cwd: work, env, encoding: 'utf8' }).stdout.trim()
  const lines = readFileSync(join(root, 'src', file), 'utf8').split('\n')
  const isIt = (line: string): boolean => line.trim().startsWith(statement)
  assert.equal(lines.filter(isIt).length, 1)
  return lines.findIndex(isIt) + 1
}

/** Lets it come to a line for the time after `passed` others, go on for some instructions, and die there. */
async function killAt(executable: string, place: string, passed: number, steps: number): Promise<string> {
  const core = join(work, 'core')
  rmSync(core, { force: true })
  using pattern = await takeCorePattern()
  pattern.set(core)
  const commands = [
    'handle all nostop noprint pass',
    'handle SIGTRAP stop',
    `break ${place}`,
    `ignore 1 ${passed}`,
    'run >/dev/null 2>&1',
    'delete',
    'set scheduler-locking on',
    `stepi ${steps}`,
    'set scheduler-locking off',
    'signal SIGABRT',
  ]
  const args = ['-nx', '-q', '-batch', ...commands.flatMap(command => ['-ex', command]), executable]
  const env = { ...process.env, GOTRACEBACK: 'crash', GOMAXPROCS: '1', GOGC: 'off' }
  const command = ['-c', 'ulimit -c unlimited; exec gdb "$@"', 'gdb', ...args]
  const { stdout, stderr } = spawnSync('/bin/sh', command, { env, encoding: 'utf8', timeout: 60_000 })
  assert.ok(existsSync(core), stdout + stderr)
  return core
}
