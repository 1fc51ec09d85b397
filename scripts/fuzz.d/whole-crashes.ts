/** Whole crashes that inputs are made of: the one that the repository carries, and those that are made here. */
import { readFileSync } from 'node:fs'
import { type ByteSource, bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { type Debugger, openDebugger } from '../../src/engine/debugger.ts'
import type { DebugInfo } from '../../src/engine/dwarf/debug-info.ts'
import { openDebugInfo } from '../../src/engine/dwarf/open-debug-info.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { openCore } from '../../src/engine/index.ts'
import { type CrashName, crashFiles } from './crashes.ts'
import { busyRanges, fixtureCore, fixtureExecutable } from './fixture.ts'
import type { Range } from './mutate.ts'
import type { Seed } from './target.ts'

export interface WholeCrash {
  readonly core: ByteSource
  readonly executable: ByteSource
}

const fixture = 'fixture'
const known = new Map<string, WholeCrash | undefined>()

/** Undefined where it could not be made. */
export function crashOf(name: CrashName | typeof fixture): WholeCrash | undefined {
  if (!known.has(name)) known.set(name, read(name))
  return known.get(name)
}

function read(name: CrashName | typeof fixture): WholeCrash | undefined {
  if (name === fixture) return { core: fixtureCore(), executable: fixtureExecutable() }
  const files = crashFiles(name)
  return (
    files && {
      core: bytesSource(`${name}.core`, readFileSync(files.core)),
      executable: bytesSource(name, readFileSync(files.executable)),
    }
  )
}

/** Crashes of Go versions that lay out their tables, types and maps in ways of their own. */
const versions = [fixture, 'go1.19', 'go1.23'] as const

const present = (names: readonly (CrashName | typeof fixture)[]): WholeCrash[] =>
  names.flatMap(name => crashOf(name) ?? [])

export const ofEachVersion = (): WholeCrash[] => present(versions)

/** Those, and crashes of other kinds. */
export const ofEachKind = (): WholeCrash[] =>
  present([...versions, 'nested', 'recovery', 'fault', 'throw', 'labels'])

/** The crash that this seed is the core or the executable of. */
export function crashWith({ source }: Seed): WholeCrash {
  const found = [...known.values()].find(
    crash => crash?.core.name === source.name || crash?.executable.name === source.name,
  )
  if (found === undefined) throw new Error(`no crash has ${source.name}`)
  return found
}

/** Damage tells in headers and where anything is. */
export const coreSeed = ({ core }: WholeCrash): Seed => ({
  source: core,
  hot: [[0, 4096], ...busyRanges(core)],
})

export const coreSeeds =
  (...names: CrashName[]) =>
  (): Seed[] =>
    present(names).map(coreSeed)

/** Damage tells in headers and in the sections that are named. */
export const executableSeeds =
  (names: RegExp, ...crashes: CrashName[]) =>
  (): Seed[] =>
    present(crashes).map(({ executable: source }) => ({
      source,
      hot: [[0, 1024], ...sectionsOf(source, names)],
    }))

const sectionsOf = (source: ByteSource, names: RegExp): Range[] =>
  openElf(source)
    .sections.filter(({ name }) => names.test(name))
    .map(({ offset, size }) => [offset, offset + size] as const)

const infos = new Map<ByteSource, DebugInfo | undefined>()

/** The debug information of a file that is whole, read once. */
export function infoOf(executable: ByteSource): DebugInfo | undefined {
  if (!infos.has(executable)) infos.set(executable, openDebugInfo(openElf(executable)))
  return infos.get(executable)
}

/** `info` is the executable's debug information, where it was read before. */
export function debuggerOf({ core, executable }: WholeCrash, info?: DebugInfo): Debugger {
  const process = openCore(core, { executable, find: () => undefined })
  return openDebugger(process, {
    ...(info === undefined ? {} : { debugInfoFor: ({ role }) => (role === 'executable' ? info : undefined) }),
  })
}
