/** Split debug information of C on the command line: found, named, missing, of another build. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CValuesBuild, type CValuesCrash, crashCValues, whyNoCValues } from '../../support/c-values.ts'
import { runCli } from '../run-cli.ts'

const flags = ['-O1', '-g', '-gsplit-dwarf']
const builds: readonly CValuesBuild[] = [
  { name: 'one', compiler: 'gcc', flags },
  { name: 'other', compiler: 'gcc', flags: [...flags, '-DOTHER=1', '-fno-inline'] },
  { name: 'packed', compiler: 'clang', flags, package: 'llvm-dwp' },
]
const skip = whyNoCValues() ?? false
const work = mkdtempSync(join(tmpdir(), 'gocore-split-'))
after(() => rmSync(work, { recursive: true, force: true }))

let crashes: ReadonlyMap<string, CValuesCrash> = new Map()
before(async () => {
  if (skip === false) crashes = await crashCValues(builds)
})
after(() => {
  for (const crash of crashes.values()) crash[Symbol.dispose]()
})

const env = { XDG_CACHE_HOME: join(work, 'cache') }
function ask(name: string, verb: string, ...args: string[]): { stdout: string; stderr: string } {
  const { core, executable } = crashes.get(name)!
  const { stdout, stderr } = runCli([verb, core, '--exe', executable, ...args], { env })
  return { stdout: stdout.trim(), stderr: stderr.trim() }
}

const splitOf = (dir: string, of: RegExp): string => join(dir, readdirSync(dir).find(file => of.test(file))!)

describe('split debug information', { skip }, () => {
  it('is where the program says, and is asked for again where the index is kept', () => {
    for (const _ of [1, 2]) assert.deepEqual(ask('one', 'print', 'first.low'), { stdout: '3', stderr: '' })
  })

  it('gives way to one warning where it is missing, and comes back', () => {
    const { dir } = crashes.get('one')!
    const away = join(work, 'away')
    mkdirSync(away)
    const file = splitOf(dir, /^values.*\.dwo$/)
    renameSync(file, join(away, 'values.dwo'))
    const { stdout, stderr } = ask('one', 'bt')
    assert.match(stdout, /values\.c:\d+/)
    const known = ask('one', 'print', 'first.low')
    assert.match(
      known.stderr,
      /^Split debug information is missing, \S*values\.dwo: frames of its code have names and lines, and no variables\.$/m,
    )
    assert.equal(stderr.split('\n').filter(line => line.startsWith('Split')).length, stderr === '' ? 0 : 1)
    renameSync(join(away, 'values.dwo'), file)
    assert.deepEqual(ask('one', 'print', 'first.low'), { stdout: '3', stderr: '' })
  })

  it('is in a directory or a file that is named', () => {
    const { dir } = crashes.get('one')!
    const moved = join(work, 'moved')
    mkdirSync(join(moved, 'deeper'), { recursive: true })
    const file = splitOf(dir, /^values.*\.dwo$/)
    const there = join(moved, 'deeper', file.slice(dir.length + 1))
    renameSync(file, there)
    for (const named of [moved, there])
      assert.deepEqual(ask('one', 'print', 'first.low', '--symbols', named), { stdout: '3', stderr: '' })
    renameSync(there, file)
  })

  it('is refused where its unit has another number', () => {
    const [one, other] = [crashes.get('one')!.dir, crashes.get('other')!.dir]
    const file = splitOf(one, /^values.*\.dwo$/)
    const kept = join(work, 'kept.dwo')
    renameSync(file, kept)
    cpSync(splitOf(other, /^values.*\.dwo$/), file)
    const { stderr } = ask('one', 'print', 'first.low')
    assert.match(
      stderr,
      /values\S*\.dwo is of another build: its unit has the id [0-9a-f]+, the program's [0-9a-f]+: /,
    )
    rmSync(file)
    assert.match(
      ask('one', 'print', 'first.low', '--symbols', splitOf(other, /^values.*\.dwo$/)).stderr,
      /does not fit .*: none of its units has the id of one that the program was split into/,
    )
    symlinkSync(kept, file)
    assert.match(ask('one', 'print', 'first.low').stderr, /^Split debug information is missing/m)
    rmSync(file)
    renameSync(kept, file)
  })

  it('is in a package beside the program, or in one that is named', t => {
    if (!crashes.has('packed')) return t.skip('needs clang and llvm-dwp')
    assert.deepEqual(ask('packed', 'print', 'first.low'), { stdout: '3', stderr: '' })
    const { dir } = crashes.get('packed')!
    const named = join(work, 'any.dwp')
    renameSync(join(dir, 'values.dwp'), named)
    assert.match(ask('packed', 'print', 'first.low').stderr, /^Split debug information is missing/m)
    assert.deepEqual(ask('packed', 'print', 'first.low', '--symbols', named), { stdout: '3', stderr: '' })
  })
})
