/** What takes crashes with debug information: values of variables in damaged memory or by damaged tables, stacks of C. */
import { readFileSync } from 'node:fs'
import { type ByteSource, bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openDebugger } from '../../src/engine/debugger.ts'
import type { DebugInfo } from '../../src/engine/dwarf/debug-info.ts'
import { openDebugInfo } from '../../src/engine/dwarf/open-debug-info.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { openCore } from '../../src/engine/index.ts'
import { formatValue } from '../../src/engine/value/format.ts'
import { type CrashFiles, crashFiles } from './crashes.ts'
import { busyRanges } from './fixture.ts'
import type { Range } from './mutate.ts'
import type { Seed, Target } from './target.ts'

interface Crash {
  readonly core: ByteSource
  readonly executable: ByteSource
}

const read = ({ core, executable }: CrashFiles, language: string): Crash => ({
  core: bytesSource(`${language}.core`, readFileSync(core)),
  executable: bytesSource(language, readFileSync(executable)),
})

const crashes = new Map<string, Crash | undefined>()

function crashOf(language: 'go' | 'c'): Crash | undefined {
  if (!crashes.has(language)) {
    const files = crashFiles(language)
    crashes.set(language, files && read(files, language))
  }
  return crashes.get(language)
}

const sectionsOf = (source: ByteSource, names: RegExp): Range[] =>
  openElf(source)
    .sections.filter(({ name }) => names.test(name))
    .map(({ offset, size }) => [offset, offset + size] as const)

const coreSeeds = (language: 'go' | 'c') => (): Seed[] => {
  const crash = crashOf(language)
  return crash === undefined ? [] : [{ source: crash.core, hot: [[0, 4096], ...busyRanges(crash.core)] }]
}

const executableSeeds = (language: 'go' | 'c', names: RegExp) => (): Seed[] => {
  const crash = crashOf(language)
  return crash === undefined
    ? []
    : [{ source: crash.executable, hot: [[0, 1024], ...sectionsOf(crash.executable, names)] }]
}

/** Stacks of those who are worth a look, and the values of all that their frames have. */
function lookAround(core: ByteSource, executable: ByteSource, info?: DebugInfo): void {
  const process = openCore(core, { executable, find: () => undefined })
  const debug = openDebugger(process, {
    ...(info === undefined ? {} : { debugInfoFor: ({ role }) => (role === 'executable' ? info : undefined) }),
  })
  const start = debug.start()
  const [thread] = process.image.core.threads
  const subjects = [start, thread && ({ kind: 'thread', tid: thread.tid } as const)]
  for (const subject of subjects) {
    if (subject === undefined) continue
    const stack = debug.stack(subject)
    for (const frame of stack.frames.slice(0, 12)) {
      for (const variable of debug.variables(frame).all().slice(0, 40))
        void formatValue(debug.load(variable)).length
      void debug.argumentWords(frame)
    }
    if (subject.kind === 'goroutine') void debug.deferred(subject.id).length
  }
}

const goInfo = new Map<ByteSource, DebugInfo | undefined>()

function infoOf(executable: ByteSource): DebugInfo | undefined {
  if (!goInfo.has(executable)) goInfo.set(executable, openDebugInfo(openElf(executable)))
  return goInfo.get(executable)
}

const values: Target = {
  name: 'values',
  seeds: coreSeeds('go'),
  run: core => {
    const { executable } = crashOf('go')!
    lookAround(core, executable, infoOf(executable))
  },
}

/** The program's tables and debug information are a stranger's, the memory is whole. */
const locals: Target = {
  name: 'locals',
  seeds: executableSeeds('go', /debug_(?:info|abbrev|addr|loc|loclists|ranges|rnglists|line|frame)$/),
  run: executable => lookAround(crashOf('go')!.core, executable),
}

const cCore: Target = {
  name: 'c-core',
  seeds: coreSeeds('c'),
  run: core => {
    const { executable } = crashOf('c')!
    void openCore(core, { executable, find: () => undefined }).report()
    lookAround(core, executable, infoOf(executable))
  },
}

const cProgram: Target = {
  name: 'c-program',
  seeds: executableSeeds('c', /eh_frame|debug_|symtab|strtab/),
  run: executable => {
    const { core } = crashOf('c')!
    void openCore(core, { executable, find: () => undefined }).report()
    lookAround(core, executable)
  },
}

export const crashTargets: readonly Target[] = [values, locals, cCore, cProgram]
