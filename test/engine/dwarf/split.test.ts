/** Split DWARF from damaged files: a missing unit, a warning, or a FormatError, and the skeleton's facts all the same. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../../src/base/errors.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { openDebugInfo } from '../../../src/engine/dwarf/open-debug-info.ts'
import { fitsSplit, isSplit } from '../../../src/engine/dwarf/split-fit.ts'
import type { SplitFiles } from '../../../src/engine/dwarf/split-units.ts'
import { type ElfFile, openElf } from '../../../src/engine/elf/file.ts'

const source = `struct item { int n; struct item *next; };
enum kind { SMALL, LARGE = 9 };
static struct item table[2];
enum kind seen = LARGE;
__attribute__((noinline)) int walk(struct item *i, int depth) { enum kind kind = depth > 3 ? LARGE : SMALL; seen = kind; return i ? i->n + walk(i->next, depth + 1) : (int)kind; }
int main(int argc, char **argv) { table[0].next = &table[argc & 1]; return walk(table, argc); }
`
const work = mkdtempSync(join(tmpdir(), 'gocore-split-units-'))
after(() => rmSync(work, { recursive: true, force: true }))

const elfOf = (name: string, bytes: Uint8Array): ElfFile => openElf(bytesSource(name, bytes))

interface Built {
  readonly program: Uint8Array
  readonly split: Uint8Array
}

function build(name: string, flags: readonly string[], tool?: string): Built | undefined {
  const dir = mkdtempSync(join(work, name))
  writeFileSync(join(dir, 'a.c'), source)
  const run = (command: string, ...args: string[]): boolean =>
    spawnSync(command, args, { cwd: dir, stdio: 'ignore', timeout: 60_000 }).status === 0
  if (!run('gcc', '-O1', '-gsplit-dwarf', ...flags, '-o', 'a', 'a.c')) return undefined
  if (tool && !run(tool, '-e', 'a', '-o', 'a.dwp')) return undefined
  const split = tool ? 'a.dwp' : readdirSync(dir).find(file => file.endsWith('.dwo'))
  return split ? { program: readFileSync(join(dir, 'a')), split: readFileSync(join(dir, split)) } : undefined
}

const filesOf = (split: ElfFile, warned: string[]): SplitFiles => ({
  packages: () => [split],
  files: () => [split],
  warn: sentence => warned.push(sentence),
})

/** What everything that can be asked for gives, or throws. */
function lookThrough(program: ElfFile, split: ElfFile): void {
  const info = openDebugInfo(program, { split: filesOf(split, []) })
  for (const name of info?.functionNames() ?? [])
    for (const found of info!.findFunctions(name))
      for (const variable of found.scope().variables) void [variable.type(), variable.locations()]
  for (const name of info?.globalNames() ?? []) info!.findGlobal(name)?.type()
  for (const name of info?.typeNames() ?? []) info!.findType(name)
  info?.findConstant('LARGE')
}

const kinds: readonly (readonly [string, readonly string[], string?])[] = [
  ['dwarf5', ['-gdwarf-5']],
  ['dwarf4', ['-gdwarf-4', '-fdebug-types-section']],
  ['package', ['-gdwarf-4', '-fdebug-types-section'], 'dwp'],
]

for (const [name, flags, tool] of kinds)
  test(`split debug information is read, and with any bytes flipped gives answers or a FormatError, ${name}`, t => {
    const built = build(name, flags, tool)
    if (!built) return t.skip(`gcc${tool ? ` and ${tool}` : ''} do not build it`)
    const [program, split] = [elfOf('program', built.program), elfOf('split', built.split)]
    const warned: string[] = []
    const info = openDebugInfo(program, { split: filesOf(split, warned) })!
    assert.deepEqual(warned, [])
    assert.ok(isSplit(split) && !isSplit(program) && fitsSplit(program, split))
    const [walk] = info.findFunctions('walk')
    assert.deepEqual(
      walk!.scope().variables.map(variable => `${variable.name} ${variable.type().name}`),
      ['i struct item *', 'depth int', 'kind enum kind'],
    )
    assert.equal(info.functionAt(walk!.low + 1)?.name, 'walk')
    assert.match(walk!.file ?? '', /a\.c$/)
    assert.equal(info.findConstant('LARGE')?.value, 9n)
    assert.equal(info.findType('struct item')?.size, 16)
    const index = info.index()
    assert.deepEqual(openDebugInfo(program, { split: filesOf(split, warned), index })!.index(), index)
    // Without its units the index is another.
    const bare = openDebugInfo(program, { index })!
    assert.equal(bare.findFunctions('walk').length, 0)
    assert.equal(bare.warnings.length, 0)
    const damages = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(fc.boolean(), damages, (inProgram, flips) => {
        const spots = (inProgram ? program : split).sections.filter(
          section => section.name.startsWith('.debug_') && section.size > 0,
        )
        const bytes = Uint8Array.from(inProgram ? built.program : built.split)
        for (const [at, bits] of flips) {
          const { offset, size } = spots[at % spots.length]!
          bytes[offset + (at % size)]! ^= bits
        }
        const damaged = elfOf('damaged', bytes)
        try {
          lookThrough(inProgram ? damaged : program, inProgram ? split : damaged)
          fitsSplit(inProgram ? damaged : program, inProgram ? split : damaged)
        } catch (error) {
          if (!(error instanceof FormatError)) throw error
        }
      }),
      {
        // Where gcc 12 built it: an enumeration that is its own type.
        examples: [[false, [[1553000100, 22]]]],
        numRuns: 400,
      },
    )
  })
