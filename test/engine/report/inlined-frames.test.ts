/** Calls that compilers of C put into their callers: frames of their own in the report, as in gdb's `bt`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { reportOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { askGdb, type GdbFrame, type GdbThread } from '../../support/gdb-values.ts'

const have = (command: string): boolean => spawnSync(command, ['--version']).status === 0
const skip = whyNoCrashes() ?? (have('gcc') && have('gdb') ? false : 'needs gcc and gdb')
const work = mkdtempSync(join(tmpdir(), 'gocore-inlined-'))
after(() => rmSync(work, { recursive: true, force: true }))

const source = join(import.meta.dirname, '../../programs-c/inlined.c')
/** Compiler and flags by name; the program in Go calls C. */
const builds: Readonly<Record<string, readonly string[]>> = {
  'gcc-O2': ['gcc', '-O2', '-g'],
  'gcc-O3-dwarf-4': ['gcc', '-O3', '-gdwarf-4', '-gz=zlib'],
  'gcc-static': ['gcc', '-O2', '-g', '-static'],
  'gcc-lto': ['gcc', '-O2', '-g', '-flto'],
  'clang-O2': ['clang', '-O2', '-g'],
  'clang-dwarf-4': ['clang', '-O2', '-gdwarf-4'],
  cgo: ['go'],
}
const deaths = { 'a bad address': [], 'abort(3)': ['abort'] } as const
const built = new Set<string>()
const coreOf = (name: string, death: string): string => join(work, `${name}-${death.length}.core`)

before(async () => {
  if (skip !== false) return
  copyFileSync(join(import.meta.dirname, '../../programs-cgo/main.go'), join(work, 'main.go'))
  writeFileSync(join(work, 'go.mod'), 'module gocore.test/cgo\n\ngo 1.26\n')
  for (const [name, [compiler = '', ...flags]] of Object.entries(builds)) {
    const output = ['-o', join(work, name)]
    const env = { ...process.env, GOTOOLCHAIN: 'go1.26.8', CGO_ENABLED: '1', CGO_CFLAGS: '-g -O2' }
    const args = compiler === 'go' ? ['build', ...output, '.'] : [...flags, ...output, source, '-pthread']
    if (spawnSync(compiler, args, { cwd: work, env }).status === 0) built.add(name)
  }
  using pattern = await takeCorePattern()
  for (const name of built)
    for (const [death, args] of Object.entries(deaths)) {
      pattern.set(join(work, 'core'))
      const command = ['-c', 'ulimit -c unlimited; exec "$0" "$@"', join(work, name), ...args]
      spawnSync('/bin/sh', command, { env: { GOTRACEBACK: 'crash' }, cwd: work, stdio: 'ignore' })
      renameSync(join(work, 'core'), coreOf(name, death))
    }
})

for (const name of Object.keys(builds))
  for (const death of Object.keys(deaths))
    test(`a report has C's inlined calls as gdb has them, ${name}, ${death}`, { skip }, t => {
      if (!built.has(name)) return t.skip(`needs ${builds[name]![0]}`)
      const [executable, core] = [join(work, name), coreOf(name, death)]
      const theirs: ReadonlyMap<number, GdbThread> | undefined = askGdb(executable, core)
      if (!theirs) return t.skip('needs a gdb with Python')
      let inlined = 0
      for (const { tid, frames } of reportOf({ core, executable }).threads) {
        const known: readonly GdbFrame[] = (theirs.get(tid)?.frames ?? []).filter(isOfSource)
        const pcs = new Set(known.map(({ pc }) => Number(pc)))
        assert.deepEqual(
          frames
            .filter(({ module, pc }) => module !== undefined && pcs.has(Number(pc)))
            .map(frame => `${frame.function} ${baseName(frame.file)}:${frame.line} ${frame.inlined}`),
          known.map(frame => `${frame.function} ${baseName(frame.file)}:${frame.line} ${frame.inlined}`),
        )
        for (const frame of frames)
          if (frame.inlined && frame.module !== undefined) {
            assert.equal(frame.offset, undefined)
            assert.equal(frame.args, '...')
            inlined++
          }
      }
      assert.ok(inlined > 0 || (name === 'cgo' && death === 'abort(3)'), 'something was inlined')
    })

/** Of the program's own code in C: gdb sees the frames of Go, too. */
function isOfSource({ known, file }: GdbFrame): boolean {
  return known && /(inlined\.c|main\.go)$/.test(file)
}

function baseName(path: string): string {
  return path.split('/').at(-1) ?? path
}
