/**
 * What a value means, for types whose bytes say it badly: one row a type. Each reads fields by their names, those of
 * every Go version from 1.16 on; where a version has others, there is no glance, and the raw form shows.
 */
import { SinkError } from '../../base/errors.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { contextText } from './glance-context.ts'
import { errorGlance } from './glance-error.ts'
import { addrPortText, addrText, ipText, prefixText } from './glance-net.ts'
import { bigIntText, bigRatText } from './glance-number.ts'
import { mutexText, onceText, rwMutexText, waitGroupText } from './glance-sync.ts'
import { durationText, timeText } from './glance-time.ts'
import { atomicText, bufferText } from './glance-word.ts'

export interface Glance {
  readonly glance: string
  /** What dlv says beside the raw form. */
  readonly beside?: string
}

type Look = (context: ValueContext, variable: Variable) => string | Glance | undefined

const looks: Readonly<Record<string, Look>> = {
  'time.Time': timeText,
  'time.Duration': durationText,
  'sync.Mutex': mutexText,
  'internal/sync.Mutex': mutexText,
  'sync.RWMutex': rwMutexText,
  'sync.WaitGroup': waitGroupText,
  'sync.Once': onceText,
  'math/big.Int': bigIntText,
  'math/big.Rat': bigRatText,
  'net/netip.Addr': addrText,
  'net/netip.AddrPort': addrPortText,
  'net/netip.Prefix': prefixText,
  'net.IP': ipText,
  'strings.Builder': bufferText,
  'bytes.Buffer': bufferText,
}

for (const name of ['Int32', 'Int64', 'Uint32', 'Uint64', 'Uintptr', 'Bool', 'Pointer'])
  Object.assign(looks, {
    [`sync/atomic.${name}`]: atomicText,
    [`internal/runtime/atomic.${name}`]: atomicText,
  })
for (const name of [
  'emptyCtx',
  'backgroundCtx',
  'todoCtx',
  'cancelCtx',
  'timerCtx',
  'valueCtx',
  'withoutCancelCtx',
  'afterFuncCtx',
  'stopCtx',
])
  Object.assign(looks, { [`context.${name}`]: contextText })

/** Descriptors name a type by its package's last element: `big.Int`. */
const short: Readonly<Record<string, Look>> = Object.fromEntries(
  Object.entries(looks).map(([name, look]) => [name.slice(name.lastIndexOf('/') + 1), look]),
)

/** Undefined for all other types, and where the value does not look as it should. */
export function glanceOf(context: ValueContext, variable: Variable): Glance | undefined {
  const { type } = variable
  if (!type.named || type.language !== 'go') return undefined
  const name = type.name.replace(/\[.*$/, '')
  const table = type.from === 'descriptor' ? short : looks
  const look = Object.hasOwn(table, name) ? table[name] : errorGlance
  try {
    const found = look?.(context, variable)
    return typeof found === 'string' ? { glance: found } : found
  } catch (error) {
    if (error instanceof SinkError) return undefined
    throw error
  }
}
