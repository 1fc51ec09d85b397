/** The go statement that started a goroutine: `created by main.main in goroutine 1`, runtime.printcreatedby. */
import { printedFuncName } from '../gosym/index.ts'
import type { Goroutine } from './goroutine.ts'
import type { UnwindContext } from './unwinder.ts'

export interface CreatedBy {
  readonly function: string
  readonly file: string
  readonly line: number
  readonly offset: number
  readonly pc: number
  /** 0 where this Go version does not record it. */
  readonly goroutine: number
}

/** None for goroutine 1, which the runtime started. */
export function createdBy(g: Goroutine, { symtab, goMinor }: UnwindContext): CreatedBy | undefined {
  const pc = g.gopc
  const func = pc === 0 || g.id === 1 ? undefined : symtab.findFunc(pc)
  if (!func) return undefined
  const { minLC } = func.tables.module.header
  const { file, line } = func.lineAt(pc > func.entry ? pc - minLC : pc)
  return {
    function: printedFuncName(func.name, goMinor),
    file,
    line,
    offset: pc - func.entry,
    pc,
    goroutine: g.parentGoid,
  }
}
