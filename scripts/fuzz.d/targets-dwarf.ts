/** Debug information: entries, types, scopes, locations and lines of programs in C, whatever their bytes say; indexes of it. */
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
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

export const dwarfTargets: readonly Target[] = [dwarf, index, blocks]
