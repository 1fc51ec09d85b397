/** Debug information: entries, types, scopes, locations and lines of programs in C, whatever their bytes say; indexes of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type ByteSource, bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openDebugInfo } from '../../src/engine/dwarf/open-debug-info.ts'
import { openPacked, packSection } from '../../src/engine/dwarf/packed-section.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { debugPrograms, lookThrough } from '../../test/support/debug-programs.ts'
import { fileSource } from '../fidelity.d/file-source.ts'
import { bytesOf, type Seed, type Target } from './target.ts'

const builds = [
  ['-O2', '-gdwarf-5', '-gz=none'],
  ['-O2', '-gdwarf-4', '-fdebug-types-section', '-gz=none'],
  ['-O1', '-gdwarf-2', '-gz=none'],
  ['-O2', '-g', '-gz=zlib'],
]

let made: readonly Seed[] | undefined

/** Built once; none without gcc. */
function programs(): readonly Seed[] {
  made ??= build()
  return made
}

function build(): Seed[] {
  using built = debugPrograms()
  return builds.flatMap((flags, n) => {
    const path = built.c(`seed${n}`, flags)
    if (path === undefined) return []
    using file = fileSource(path)
    const source = bytesSource(`c${flags.join('')}`, new Uint8Array(file.read(0, file.size)))
    const sections = openElf(source).sections.filter(({ name }) => /^\.z?debug_/.test(name))
    return [{ source, hot: sections.map(({ offset, size }) => [offset, offset + size] as const) }]
  })
}

const dwarf: Target = { name: 'dwarf', seeds: programs, run: lookThrough }

/** An index that is not that of the file, or no index at all, is not used. */
const index: Target = {
  name: 'debug-index',
  seeds: () =>
    programs()
      .slice(0, 1)
      .map(({ source }) => ({ source: bytesSource('index', openDebugInfo(openElf(source))!.index()) })),
  run: damaged => {
    const [seed] = programs()
    const info = seed && openDebugInfo(openElf(seed.source), { index: bytesOf(damaged) })
    for (const name of ['deep', 'main', 'twice']) info?.findFunctions(name)
    info?.functionAt(0x1200)
  },
}

/** The program that the repository's compiler makes, and the file that has what it left out. */
let parts: { program: ByteSource; split: ByteSource } | undefined

function splitParts(): typeof parts {
  if (parts) return parts
  using built = debugPrograms()
  const path = built.c('split', ['-O2', '-gdwarf-5', '-gsplit-dwarf', '-gz=none'])
  const dwo = path && readdirSync(dirname(path)).find(name => name.endsWith('.dwo'))
  if (path === undefined || dwo === undefined) return undefined
  const whole = (file: string): ByteSource => bytesSource(basename(file), new Uint8Array(readFileSync(file)))
  parts = { program: whole(path), split: whole(join(dirname(path), dwo)) }
  return parts
}

/** Either file may be a stranger's. */
const split: Target = {
  name: 'dwarf-split',
  seeds: () => Object.values(splitParts() ?? {}).map(source => ({ source })),
  run: (damaged, { source }) => {
    const { program, split: other } = splitParts()!
    const [first, second] = source === program ? [damaged, other] : [program, damaged]
    const file = openElf(second)
    const info = openDebugInfo(openElf(first), {
      split: { packages: () => [file], files: () => [file], warn: () => {} },
    })
    for (const name of info?.functionNames() ?? [])
      for (const found of info!.findFunctions(name))
        for (const variable of found.scope().variables) void [variable.type(), variable.locations()]
    for (const name of info?.typeNames() ?? []) info!.findType(name)
  },
}

const blocks: Target = {
  name: 'debug-blocks',
  seeds: () => [
    {
      source: bytesSource(
        'blocks',
        Buffer.concat([
          ...packSection(
            new Uint8Array(300_000).map((_, i) => i * i),
            'key',
          ),
        ]),
      ),
    },
  ],
  run: damaged => {
    const packed = openPacked(bytesOf(damaged), 'key')
    for (let n = 0; n < 4; n++) packed?.block(n)
  },
}

export const dwarfTargets: readonly Target[] = [dwarf, split, index, blocks]
