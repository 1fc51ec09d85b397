/** What takes crashes with debug information: values of variables in damaged memory or by damaged tables, stacks of C. */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import type { DebugInfo } from '../../src/engine/dwarf/debug-info.ts'
import { openCore } from '../../src/engine/index.ts'
import { readGoDeath } from '../../src/engine/runtime/death.ts'
import { dynamicVariable } from '../../src/engine/value/descriptor-context.ts'
import { formatValue } from '../../src/engine/value/format.ts'
import { loadValue } from '../../src/engine/value/load.ts'
import { fullLimits } from '../../src/engine/value/value.ts'
import { contextOf } from '../../test/support/probes.ts'
import type { Target } from './target.ts'
import { coreSeeds, crashWith, debuggerOf, executableSeeds, infoOf } from './whole-crashes.ts'

/** Stacks of those who are worth a look, and the values of all that their frames have. */
function lookAround(core: ByteSource, executable: ByteSource, info?: DebugInfo): void {
  const debug = debuggerOf({ core, executable }, info)
  const start = debug.start()
  const [thread] = debug.process.image.core.threads
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

const values: Target = {
  name: 'values',
  seeds: coreSeeds('go', 'go1.19', 'go1.23', 'recovery', 'nested'),
  run: (core, seed) => {
    const { executable } = crashWith(seed)
    lookAround(core, executable, infoOf(executable))
  },
}

/** Values that a program died with, by the descriptors of their types alone: every kind, maps in every state. */
const descriptors: Target = {
  name: 'descriptors',
  seeds: coreSeeds('go1.19', 'go1.23', 'go1.24', 'go1.27'),
  run: (core, seed) => {
    const { executable } = crashWith(seed)
    const process = openCore(core, { executable, find: () => undefined })
    if (process.runtime === undefined || process.types === undefined) return
    const context = contextOf(process)
    for (const { value } of readGoDeath(process.runtime, process.types).panics) {
      if (value.type === undefined) continue
      // Of a pointer, what it points to is what there is an address of.
      const type = value.type.pointerShaped ? process.types.elem(value.type) : value.type
      const place = { word: value.data, addr: value.data }
      const list = type && dynamicVariable(context, { ...type, pointerShaped: false }, place)
      if (list) void formatValue(loadValue(context, list, { ...fullLimits, depth: 6, items: 100 })).length
    }
  },
}

/** The program's tables and debug information are a stranger's, the memory is whole. */
const locals: Target = {
  name: 'locals',
  seeds: executableSeeds(
    /debug_(?:info|abbrev|addr|loc|loclists|ranges|rnglists|line|frame)$/,
    'go',
    'go1.19',
    'go1.23',
  ),
  run: (executable, seed) => lookAround(crashWith(seed).core, executable),
}

const cCore: Target = {
  name: 'c-core',
  seeds: coreSeeds('c'),
  run: (core, seed) => {
    const { executable } = crashWith(seed)
    void openCore(core, { executable, find: () => undefined }).report()
    lookAround(core, executable, infoOf(executable))
  },
}

const cProgram: Target = {
  name: 'c-program',
  seeds: executableSeeds(/eh_frame|debug_|symtab|strtab/, 'c'),
  run: (executable, seed) => {
    const { core } = crashWith(seed)
    void openCore(core, { executable, find: () => undefined }).report()
    lookAround(core, executable)
  },
}

export const crashTargets: readonly Target[] = [values, descriptors, locals, cCore, cProgram]
