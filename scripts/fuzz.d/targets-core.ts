/** ELF files, notes, and cores. */
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openCoreFile } from '../../src/engine/core/core-file.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { readNotes } from '../../src/engine/elf/note.ts'
import { readSymbols } from '../../src/engine/elf/symbol.ts'
import { fixtureCore, fixtureExecutable } from './fixture.ts'
import { bytesOf, type Target } from './target.ts'

/** Headers, notes and the section headers at the end. */
const elf: Target = {
  name: 'elf',
  seeds: () => {
    const source = fixtureExecutable()
    return [
      {
        source,
        hot: [
          [0, 64],
          [64, 1024],
          [0xf00, 0x1000],
          [source.size - 4096, source.size],
        ],
      },
    ]
  },
  run: damaged => {
    const file = openElf(damaged)
    for (const section of file.sections) if (section.size < 1 << 20) file.section(section.name)?.bytes()
    readSymbols(file)
    return void [file.buildId, file.goBuildId]
  },
}

const notesAt = (): [number, number] => {
  const { segments } = openElf(fixtureCore())
  const { offset, filesz } = segments.find(s => s.type === 4)!
  return [offset, offset + filesz]
}

const notes: Target = {
  name: 'notes',
  seeds: () => {
    const [start, end] = notesAt()
    return [{ source: bytesSource('notes', fixtureCore().read(start, end - start)) }]
  },
  run: damaged => void [...readNotes(bytesOf(damaged), true)],
}

const core: Target = {
  name: 'core',
  seeds: () => [{ source: fixtureCore(), hot: [[0, 64], [64, 2048], notesAt(), notesAt()] }],
  run: damaged => {
    const file = openCoreFile(damaged)
    for (const thread of file.threads) void thread.registers
  },
}

export const coreTargets: readonly Target[] = [elf, notes, core]
