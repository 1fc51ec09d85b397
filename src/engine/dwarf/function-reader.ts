/** A function of `.debug_info` as its callers see it: names, lines, scopes by address. */
import { At, LocationOp, Tag } from './constants.ts'
import type { DebugFunction, DebugVariable, InlinedCall, LocationExpression, Scope } from './debug-info.ts'
import type { Entry } from './entry.ts'
import { expressionOf, readLocations } from './location-list.ts'
import { contains, readRanges } from './ranges.ts'
import { having, origins, readScope, type ScopeContext } from './scope-reader.ts'
import { once } from './type-reader.ts'

/** The function at an entry, `range` being the piece of its code that is meant; undefined for one without code. */
export function readFunction(entry: Entry, context: ScopeContext, addr?: number): DebugFunction | undefined {
  const ranges = readRanges(entry)
  const range = addr === undefined ? ranges[0] : ranges.find(({ low, high }) => addr >= low && addr < high)
  if (!range) return undefined
  const chain = origins(entry, context)
  const scope = once(() => readScope(entry, context))
  const declared = having(chain, At.declFile)
  const number = declared?.number(At.declFile)
  // Names of files are in the line tables, which are large and seldom asked for.
  const file = once(() => (declared && number !== undefined ? context.fileAt(declared, number) : undefined))
  const line = having(chain, At.declLine)?.number(At.declLine)
  const frameBase = readLocations(entry, At.frameBase)
  return {
    name: having(chain, At.name)?.text(At.name) ?? '?',
    low: range.low,
    high: range.high,
    language: entry.unit.isGo ? 'go' : 'c',
    offset: entry.id,
    get file() {
      return file()
    },
    ...(line === undefined ? {} : { line }),
    ...(frameBase[0] ? { frameBase: frameBase[0].expression } : {}),
    scope,
    scopesAt: pc => scopesAt(scope(), pc),
    inlinedAt: pc => inlinedAt(scope(), pc),
    variablesAt: (pc, call) => variablesAt(scope(), pc, call),
    callSiteAt: returnAddress => callSiteAt(entry, returnAddress),
  }
}

function scopesAt(scope: Scope, pc: number): Scope[] {
  const found = [scope]
  for (let at: Scope | undefined = scope; at; ) {
    at = at.scopes.find(({ ranges }) => contains(ranges, pc))
    if (at) found.unshift(at)
  }
  return found
}

function inlinedAt(scope: Scope, pc: number): InlinedCall[] {
  return scopesAt(scope, pc).flatMap(({ call }) => (call ? [call] : []))
}

function variablesAt(scope: Scope, pc: number, call?: number | 'own'): DebugVariable[] {
  const all = scopesAt(scope, pc)
    .reverse()
    .flatMap(({ variables }) => variables)
  if (call === undefined) return all
  return all.filter(({ inlinedFrom }) => inlinedFrom?.offset === (call === 'own' ? undefined : call))
}

const maxDepth = 64

/** DW_TAG_call_site (DWARF 5 section 3.4.1) and GNU's forerunner of it. */
function callSiteAt(
  entry: Entry,
  returnAddress: number,
  depth = 0,
): ReadonlyMap<number, LocationExpression> | undefined {
  for (const child of entry.children()) {
    if (child.tag === Tag.callSite || child.tag === Tag.gnuCallSite) {
      if ((child.address(At.callReturnPc) ?? child.address(At.lowPc)) !== returnAddress) continue
      return parameters(child)
    }
    if (depth < maxDepth && (child.tag === Tag.lexicalBlock || child.tag === Tag.inlinedSubroutine)) {
      const found = callSiteAt(child, returnAddress, depth + 1)
      if (found) return found
    }
  }
  return undefined
}

function parameters(site: Entry): Map<number, LocationExpression> {
  const values = new Map<number, LocationExpression>()
  for (const child of site.children()) {
    const [opcode] = child.block(At.location) ?? []
    const value = child.block(At.callValue) ?? child.block(At.gnuCallSiteValue)
    if (opcode !== undefined && opcode >= LocationOp.reg0 && opcode <= LocationOp.reg31 && value)
      values.set(opcode - LocationOp.reg0, expressionOf(child.unit, value))
  }
  return values
}
