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
  /** By the name that pclntab has: `runtime.mallocgc`. Passes over all functions. */
  findByName(name: string): GoFunc | undefined
  /** All of them, in the order of their addresses in each module; those that cannot be read are left out. */
  functions(): Generator<GoFunc>
  /** Source files of all modules. */
  fileNames(): Generator<string>
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
      for (const table of tables) {
        const func = table.findByName(name)
        if (func) return func
      }
      return undefined
    },
    *fileNames() {
      for (const table of tables) yield* table.fileNames()
    },
    *functions() {
      for (const table of tables)
        for (let i = 0; i < table.size; i++) {
          const func = table.func(i)
          if (func) yield func
        }
    },
  }
}
