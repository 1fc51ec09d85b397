/** Functions by address, over all Go modules of a process. */
import { reasonOf } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import type { Warnings } from '../core/warnings.ts'
import type { GoFunc } from './func.ts'
import { ModuleTables } from './module-tables.ts'
import type { ModuleData } from './moduledata.ts'

export interface Symtab {
  readonly modules: readonly ModuleData[]
  findFunc(pc: number): GoFunc | undefined
  /** By the name that pclntab has: `runtime.mallocgc`. Looks at every name the first time. */
  findByName(name: string): GoFunc | undefined
}

/** Recently asked program counters: the same few return addresses stand on a hundred thousand stacks. */
const maxRemembered = 1 << 16

export function openSymtab(memory: Memory, modules: readonly ModuleData[], warnings?: Warnings): Symtab {
  const tables: ModuleTables[] = []
  for (const module of modules) {
    try {
      tables.push(new ModuleTables(memory, module))
    } catch (error) {
      warnings?.add('functable-unreadable', `A table of functions could not be read: ${reasonOf(error)}.`)
    }
  }
  const remembered = new Map<number, GoFunc | undefined>()
  let byName: Map<string, GoFunc> | undefined
  return {
    modules: tables.map(({ module }) => module),
    findFunc(pc) {
      const known = remembered.get(pc)
      if (known) return known
      for (const table of tables) {
        const func = table.findFunc(pc)
        if (!func) continue
        if (remembered.size >= maxRemembered) remembered.clear()
        remembered.set(pc, func)
        return func
      }
      return undefined
    },
    findByName(name) {
      byName ??= indexNames(tables)
      return byName.get(name)
    },
  }
}

function indexNames(tables: readonly ModuleTables[]): Map<string, GoFunc> {
  const names = new Map<string, GoFunc>()
  for (const table of tables) {
    for (let i = 0; i < table.size; i++) {
      const func = table.func(i)
      if (func && !names.has(func.name)) names.set(func.name, func)
    }
  }
  return names
}
