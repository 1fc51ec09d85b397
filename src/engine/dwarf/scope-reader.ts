/**
 * What is inside a function: its variables, blocks and the calls that were inlined into it, each with its own. An
 * inlined or out-of-line body names what it is a copy of (DW_AT_abstract_origin), and has names and types from there.
 */
import { FormatError } from '../../base/errors.ts'
import { type Type, unknownType } from '../type/type.ts'
import { At, Tag } from './constants.ts'
import type { DebugVariable, InlinedCall, LocationExpression, LocationRange, Scope } from './debug-info.ts'
import { dynamicArray, hasDynamicLength } from './dynamic-array.ts'
import type { Entry } from './entry.ts'
import { readLocations } from './location-list.ts'
import { readRanges } from './ranges.ts'
import { once } from './type-reader.ts'

/** What the reader needs of the file around the function. */
export interface ScopeContext {
  entryAt(reference: number | bigint): Entry
  typeOf(entry: Entry): Type | undefined
  /** Path of a file by its number in the unit's line table. */
  fileAt(entry: Entry, number: number): string | undefined
}

/** Neither Go nor C nests deeper, or has more in one function. */
const maxNesting = 128
const maxEntries = 1 << 18
const maxOrigins = 8

/** The function's own scope. */
export function readScope(entry: Entry, context: ScopeContext): Scope {
  return new ScopeReader(context).read(entry, 'function', 0, undefined, 0)
}

/** An entry and those that it is a copy of, the entry first. */
export function origins(entry: Entry, context: Pick<ScopeContext, 'entryAt'>): Entry[] {
  const chain = [entry]
  for (let at = entry; chain.length < maxOrigins; ) {
    const reference = at.reference(At.abstractOrigin) ?? at.reference(At.specification)
    if (reference === undefined) break
    at = context.entryAt(reference)
    chain.push(at)
  }
  return chain
}

/** The first of a chain that has the attribute. */
export function having(chain: readonly Entry[], attribute: number): Entry | undefined {
  return chain.find(entry => entry.has(attribute))
}

class ScopeReader {
  readonly #context: ScopeContext
  #left = maxEntries

  constructor(context: ScopeContext) {
    this.#context = context
  }

  read(
    entry: Entry,
    kind: Scope['kind'],
    depth: number,
    call: InlinedCall | undefined,
    nesting: number,
  ): Scope {
    const variables: DebugVariable[] = []
    const scopes: Scope[] = []
    for (const child of entry.children()) {
      if (--this.#left < 0) throw child.unit.reader.error('a function of too many entries')
      switch (child.tag) {
        case Tag.formalParameter:
        case Tag.variable:
          // What the compiler needs for itself (the length of an array) has no name.
          if (!child.flag(At.artificial) || having(origins(child, this.#context), At.name))
            variables.push(this.#variable(child, depth, call))
          break
        case Tag.lexicalBlock:
          if (nesting < maxNesting) scopes.push(this.read(child, 'block', depth + 1, call, nesting + 1))
          break
        case Tag.inlinedSubroutine:
          if (nesting < maxNesting)
            scopes.push(this.read(child, 'inlined', 0, this.#call(child), nesting + 1))
          break
      }
    }
    const ranges = readRanges(entry)
    return { kind, ranges, variables, scopes, ...(kind === 'inlined' && call ? { call } : {}) }
  }

  #call(entry: Entry): InlinedCall {
    const chain = origins(entry, this.#context)
    const file = entry.number(At.callFile)
    const path = once(() => (file === undefined ? undefined : this.#context.fileAt(entry, file)))
    const linkageName = having(chain, At.linkageName)?.text(At.linkageName)
    return {
      name: having(chain, At.name)?.text(At.name) ?? '?',
      ...(linkageName === undefined ? {} : { linkageName }),
      callLine: entry.number(At.callLine) ?? 0,
      offset: entry.id,
      get callFile() {
        return path()
      },
    }
  }

  #variable(entry: Entry, depth: number, call: InlinedCall | undefined): DebugVariable {
    const context = this.#context
    const chain = origins(entry, context)
    const written = having(chain, At.name)?.text(At.name) ?? ''
    const isGo = entry.unit.isGo
    // The compiler names a variable that it moved to the heap by its address.
    const escaped = isGo && written.startsWith('&')
    const locations = once(() =>
      readLocations(having(chain, At.location) ?? having(chain, At.constValue) ?? entry),
    )
    const typed = having(chain, At.type)
    const type = once((): Type => {
      const own = typed && context.typeOf(typed)
      if (!own) return unknownType('?', 'debug information does not say what it is')
      return escaped && own.kind === 'pointer' ? (own.elem() ?? own) : own
    })
    const isResult = having(chain, At.variableParameter)?.flag(At.variableParameter) ?? false
    const closureOffset = having(chain, At.goClosureOffset)?.number(At.goClosureOffset)
    const dictIndex = isGo ? dictionaryIndex(typed, context) : undefined
    const target = isGo ? undefined : typed?.reference(At.type)
    const array = target === undefined ? undefined : entryOrNone(target, context)
    const typeIn: DebugVariable['typeIn'] =
      array && hasDynamicLength(array)
        ? (pc, read) => {
            const elem = context.typeOf(array)
            return elem && dynamicArray(array, elem, pc, read, context.entryAt)
          }
        : undefined
    return {
      name: escaped ? written.slice(1) : written,
      type,
      ...(typeIn ? { typeIn } : {}),
      kind: entry.tag === Tag.variable ? 'local' : isResult ? 'result' : 'parameter',
      escaped,
      depth,
      declLine: having(chain, At.declLine)?.number(At.declLine) ?? 0,
      offset: entry.id,
      ...(call ? { inlinedFrom: call } : {}),
      ...(closureOffset === undefined ? {} : { closureOffset }),
      ...(dictIndex === undefined ? {} : { dictIndex }),
      locations,
      locationAt: (pc): LocationExpression | undefined => locationAt(locations(), pc),
    }
  }
}

/** Undefined where nothing is at the reference: a variable has a name and a place all the same. */
function entryOrNone(reference: number | bigint, context: ScopeContext): Entry | undefined {
  try {
    return context.entryAt(reference)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

/** DW_AT_go_dict_index is on the typedef that a variable of shape type has as its type. */
function dictionaryIndex(typed: Entry | undefined, context: ScopeContext): number | undefined {
  const reference = typed?.reference(At.type)
  const entry = reference === undefined ? undefined : entryOrNone(reference, context)
  return entry?.tag === Tag.typedef ? entry.number(At.goDictIndex) : undefined
}

function locationAt(locations: readonly LocationRange[], pc: number): LocationExpression | undefined {
  const found = locations.find(({ low, high }) => pc >= low && pc < high)
  // An empty expression says that there is no place just here.
  return found && found.expression.bytes.length > 0 ? found.expression : undefined
}
