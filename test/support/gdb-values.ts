/** What gdb says of a core's frames, variables and expressions, as data: an oracle for values of C. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Value } from '../../src/engine/value/value.ts'

export type GdbPlain =
  | string
  | { readonly fields: readonly (readonly [string, GdbPlain])[] }
  | { readonly items: readonly GdbPlain[] }
  | { readonly enum: string; readonly number: string }
  | { readonly code: string }
  | { readonly wide: string }
  | { readonly pointer: string }
  | { readonly float: string }
  | { readonly complex: string }
  | { readonly gone: true; readonly why?: string }

export interface GdbVariable {
  readonly type: string
  readonly value: GdbPlain
}

export interface GdbFrame {
  readonly function: string
  readonly pc: string
  readonly line: number
  readonly file: string
  readonly inlined: boolean
  /** It has debug information. */
  readonly known: boolean
  readonly variables: readonly (readonly [string, GdbVariable])[]
}

export interface GdbThread {
  readonly frames: readonly GdbFrame[]
  readonly values: Readonly<Record<string, GdbVariable | { readonly error: string }>>
}

/** By kernel thread id; undefined where this gdb has no Python. */
export function askGdb(
  executable: string,
  core: string,
  expressions: readonly string[] = [],
): ReadonlyMap<number, GdbThread> | undefined {
  // The C library's own debug information, where it is installed, is none of the comparison.
  const settings = ['debuginfod enabled off', 'debug-file-directory /nowhere', 'width 0']
  const args = ['-q', '-batch', '-nx', ...settings.flatMap(setting => ['-iex', `set ${setting}`])]
  const script = join(import.meta.dirname, 'gdb-values.py')
  const { stdout } = spawnSync('gdb', [...args, executable, core, '-x', script], {
    encoding: 'utf8',
    env: { ...process.env, EXPRESSIONS: JSON.stringify(expressions) },
    maxBuffer: 1 << 26,
  })
  const answer = /^ANSWER (.*)$/m.exec(stdout)?.[1]
  if (answer === undefined) return undefined
  const threads = JSON.parse(answer) as Record<string, GdbThread>
  return new Map(Object.entries(threads).map(([tid, thread]) => [Number(tid), thread]))
}

/** Why gdb's answer and our value are not the same; undefined where they are. */
export function difference(theirs: GdbPlain, ours: Value, path = ''): string | undefined {
  const differs = (text: unknown): string => `${path}: gdb ${JSON.stringify(theirs)}, we ${text}`
  // gdb takes a register that no call saves for the one of the innermost frame.
  if (ours.kind === 'unreadable' && ours.reason.endsWith('in a register that a call has overwritten'))
    return undefined
  const same = (is: boolean, text: unknown): string | undefined => (is ? undefined : differs(text))
  if (typeof theirs === 'string') {
    if (ours.kind === 'bool') return same(String(ours.value) === theirs, ours.value)
    return same(ours.kind === 'int' && String(ours.value) === theirs, show(ours))
  }
  if ('gone' in theirs) return same(ours.kind === 'unreadable' && ours.optimizedOut, show(ours))
  if ('fields' in theirs) {
    if (ours.kind !== 'struct' && ours.kind !== 'union') return differs(show(ours))
    if (ours.fields.length !== theirs.fields.length) return differs(`${ours.fields.length} fields`)
    return first(
      theirs.fields.map(([name, value], i) => {
        const field = ours.fields[i]!
        if (field.name !== name) return differs(`field ${field.name}`)
        return difference(value, field.value, `${path}.${name}`)
      }),
    )
  }
  if ('items' in theirs) {
    if (ours.kind === 'unreadable' && ours.optimizedOut) return same(theirs.items.every(isGone), show(ours))
    if (ours.kind === 'string')
      return same(
        theirs.items.every((item, i) => (Number(item) & 255) === (ours.bytes[i] ?? 0)) &&
          ours.length !== undefined,
        show(ours),
      )
    if (ours.kind !== 'array' || ours.items.length !== theirs.items.length) return differs(show(ours))
    return first(theirs.items.map((item, i) => difference(item, ours.items[i]!, `${path}[${i}]`)))
  }
  if ('enum' in theirs) {
    if (ours.kind !== 'enum' || String(ours.value) !== theirs.number) return differs(show(ours))
    const text = theirs.enum
      .replace(/^\((.*)\)$/, '$1')
      .replaceAll(' | ', '|')
      .replace('unknown: ', '')
    return same(text === (ours.constant ?? String(ours.value)), ours.constant)
  }
  if ('wide' in theirs)
    return same(ours.kind === 'int' && BigInt.asUintN(128, ours.value) === BigInt(theirs.wide), show(ours))
  if ('code' in theirs) return same(ours.kind === 'func' && codeText(ours) === theirs.code, show(ours))
  if ('pointer' in theirs) {
    const known = ours.kind === 'pointer' || ours.kind === 'unsafe.Pointer' || ours.kind === 'string'
    return same(known && `0x${ours.pointer.toString(16)}` === theirs.pointer, show(ours))
  }
  if ('float' in theirs) return same(ours.kind === 'float' && near(ours.value, theirs.float), show(ours))
  const [real, imag] = theirs.complex.replace(/i$/, '').split(' + ')
  return same(ours.kind === 'complex' && near(ours.real, real!) && near(ours.imag, imag!), show(ours))
}

/** gdb gives a `long double` more digits than a double has. */
function near(ours: number, theirs: string): boolean {
  const value = Number(
    theirs
      .replace('-inf', '-Infinity')
      .replace(/^inf/, 'Infinity')
      .replace(/^-?nan.*/, 'NaN'),
  )
  return (
    Object.is(ours, value) ||
    Math.abs(ours - value) <= Math.abs(value) * 1e-7 * (Math.fround(value) === value ? 0 : 1)
  )
}

function codeText({ pc, function: name }: Extract<Value, { kind: 'func' }>): string {
  return `0x${pc.toString(16)}${name === undefined ? '' : ` <${name}>`}`
}

const first = (found: readonly (string | undefined)[]): string | undefined =>
  found.find(text => text !== undefined)
const show = (value: Value): string =>
  JSON.stringify(value, (key, part: unknown) =>
    key === 'type' ? undefined : typeof part === 'bigint' ? String(part) : part,
  )

const isGone = (value: GdbPlain): boolean =>
  typeof value === 'object' && ('gone' in value || ('items' in value && value.items.every(isGone)))
