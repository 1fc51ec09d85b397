/**
 * What `Error()` of errors of Go's library would say, from their fields, and what they wrap. The words are the same from
 * Go 1.16 to 1.27 but where it is said. Errors of other packages are shown by their fields.
 */
import { utf8 } from '../bytes/cursor.ts'
import type { Variable } from '../type/variable.ts'
import { boundsErrorText } from './bounds-error.ts'
import type { ValueContext } from './context.ts'
import { indexOf, lengthOf } from './element.ts'
import { errnoTexts } from './errno-text.ts'
import { deref } from './field.ts'
import type { Glance } from './glance.ts'
import { dynamicOf } from './interface.ts'
import { member, memberInteger } from './member.ts'
import { readAddress, readBool, readInteger, readText } from './scalar.ts'
import { quote } from './text.ts'

const maxText = 4096
/** Errors within errors. */
const maxChain = 32
const maxJoined = 64

type Look = (error: Said) => string | undefined

/** One error, and how its parts are read. */
interface Said {
  readonly context: ValueContext
  readonly variable: Variable
  /** The text of a string field; empty where it has none. */
  text(name: string): string
  /** The text of the error in a field. */
  inner(name: string): string | undefined
}

const wrapping = (error: Said, head: string, field = 'Err'): string | undefined => {
  const inner = error.inner(field)
  return inner === undefined ? undefined : `${head}: ${inner}`
}

const looks: Readonly<Record<string, Look>> = {
  'errors.errorString': error => error.text('s'),
  'fmt.wrapError': error => error.text('msg'),
  'fmt.wrapErrors': error => error.text('msg'),
  'errors.joinError': joinText,
  'io/fs.PathError': error => wrapping(error, `${error.text('Op')} ${error.text('Path')}`),
  'os.SyscallError': error => wrapping(error, error.text('Syscall')),
  'os.LinkError': error => wrapping(error, `${error.text('Op')} ${error.text('Old')} ${error.text('New')}`),
  'os/exec.Error': error => wrapping(error, `exec: ${goQuote(error.text('Name'))}`),
  'net/url.Error': error => wrapping(error, `${error.text('Op')} ${goQuote(error.text('URL'))}`),
  'strconv.NumError': error =>
    wrapping(error, `strconv.${error.text('Func')}: parsing ${goQuote(error.text('Num'))}`),
  'syscall.Errno': ({ context, variable }) => {
    const value = readInteger(context, variable)
    return errnoTexts[Number(value)] ?? `errno ${value}`
  },
  'context.deadlineExceededError': () => 'context deadline exceeded',
  'runtime.errorString': ({ context, variable }) => `runtime error: ${stringOf(context, variable)}`,
  'runtime.plainError': ({ context, variable }) => stringOf(context, variable),
  'runtime.errorAddressString': error => `runtime error: ${error.text('msg')}`,
  'runtime.PanicNilError': () => 'panic called with nil argument (use GODEBUG=panicnil=1 to disable)',
  'runtime.boundsError': ({ context, variable }) => {
    const [x, y, code] = ['x', 'y', 'code'].map(name => memberInteger(context, variable, name))
    const signed = member(context, variable, 'signed')
    if (x === undefined || y === undefined || code === undefined || !signed) return undefined
    const isSigned = readBool(signed)
    return boundsErrorText(
      { x: isSigned ? x : BigInt.asUintN(64, x), y, signed: isSigned, code: Number(code) },
      context.goMinor,
    )
  },
}

/** Descriptors name a type by its package's last element. */
const short: Readonly<Record<string, Look>> = Object.fromEntries(
  Object.entries(looks).map(([name, look]) => [name.slice(name.lastIndexOf('/') + 1), look]),
)

/** The text of an error of a known type, or of a pointer to one; undefined for all others. */
export function errorText(context: ValueContext, variable: Variable, depth = 0): string | undefined {
  const error = pointee(context, variable)
  const look = error && lookOf(error)
  if (!error || !look || depth > maxChain) return undefined
  return look({
    context,
    variable: error,
    text: name => {
      const field = member(context, error, name)
      return field?.type.kind === 'string' ? stringOf(context, field) : ''
    },
    inner: name => {
      const held = heldBy(context, error, name)
      return held && errorText(context, held, depth + 1)
    },
  })
}

/** The text in quotes, and the types that it wraps. */
export function errorGlance(context: ValueContext, variable: Variable): Glance | undefined {
  const text = lookOf(variable) && errorText(context, variable)
  if (text === undefined) return undefined
  const types: string[] = []
  for (let at: Variable | undefined = variable; types.length < maxChain; ) {
    at = unwrap(context, at)
    if (!at) break
    types.push(at.type.name)
  }
  const bare = variable.type.kind === 'int' ? text : quote(new TextEncoder().encode(text))
  return { glance: types.length > 0 ? `${bare}, wraps ${types.join(', ')}` : bare }
}

/** What errors.Unwrap would give, as far as a field of the usual names has it. */
export function unwrap(context: ValueContext, variable: Variable): Variable | undefined {
  const error = pointee(context, variable)
  for (const name of ['err', 'Err', 'cause', 'Cause', 'error']) {
    const held = error && heldBy(context, error, name)
    if (held) return held
  }
  return undefined
}

function lookOf({ type }: Variable): Look | undefined {
  const table = type.from === 'descriptor' ? short : looks
  return Object.hasOwn(table, type.name) ? table[type.name] : undefined
}

function heldBy(context: ValueContext, error: Variable, name: string): Variable | undefined {
  const field = member(context, error, name)
  return field?.type.kind === 'interface' ? dynamicOf(context, field) : undefined
}

function pointee(context: ValueContext, variable: Variable): Variable | undefined {
  if (variable.type.kind !== 'pointer') return variable
  return readAddress(context, variable) === 0 ? undefined : deref(context, variable)
}

function joinText({ context, variable }: Said): string | undefined {
  const errs = member(context, variable, 'errs')
  if (errs?.type.kind !== 'slice') return undefined
  const count = Math.min(lengthOf(context, errs)!, maxJoined)
  const texts = Array.from({ length: count }, (_, i) => {
    const held = dynamicOf(context, indexOf(context, errs, BigInt(i)))
    return held && errorText(context, held, maxChain)
  })
  return texts.includes(undefined) ? undefined : texts.join('\n')
}

const goQuote = (text: string): string => quote(new TextEncoder().encode(text))
const stringOf = (context: ValueContext, variable: Variable): string =>
  utf8(readText(context, variable, maxText).bytes)
