/**
 * Why goroutines wait: the texts of `runtime.waitReasonStrings`. Read from the program itself, where the array is found
 * by its content; else from the table of its version (runtime/runtime2.go).
 */

import { utf8 } from '../bytes/cursor.ts'
import type { Memory } from '../core/memory.ts'
import { scanWords } from '../core/scan.ts'
import type { ModuleData } from '../gosym/index.ts'

const common = [
  '',
  'GC assist marking',
  'IO wait',
  'chan receive (nil chan)',
  'chan send (nil chan)',
  'dumping heap',
  'garbage collection',
  'garbage collection scan',
  'panicwait',
  'select',
  'select (no cases)',
  'GC assist wait',
  'GC sweep wait',
  'GC scavenge wait',
  'chan receive',
  'chan send',
  'finalizer wait',
  'force gc (idle)',
]

/** Go 1.26 put those that a leaked goroutine can have next to each other; from sync.Cond.Wait on it is as Go 1.25. */
const since126 = [
  '',
  'GC assist marking',
  'IO wait',
  'dumping heap',
  'garbage collection',
  'garbage collection scan',
  'panicwait',
  'GC assist wait',
  'GC sweep wait',
  'GC scavenge wait',
  'finalizer wait',
  'force gc (idle)',
  'GOMAXPROCS updater (idle)',
  'semacquire',
  'sleep',
  'chan receive (nil chan)',
  'chan send (nil chan)',
  'select (no cases)',
  'select',
  'chan receive',
  'chan send',
]

/** What follows the common ones up to Go 1.25, newest first. */
const tails = [
  {
    since: 25,
    reasons: [
      'GOMAXPROCS updater (idle)',
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'sync.Mutex.Lock',
      'sync.RWMutex.RLock',
      'sync.RWMutex.Lock',
      'sync.WaitGroup.Wait',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'GC worker (active)',
      'preempted',
      'debug call',
      'GC mark termination',
      'stopping the world',
      'flushing proc caches',
      'trace goroutine status',
      'trace proc status',
      'page trace flush',
      'coroutine',
      'GC weak to strong wait',
      'synctest.Run',
      'synctest.Wait',
      'chan receive (durable)',
      'chan send (durable)',
      'select (durable)',
      'sync.WaitGroup.Wait (durable)',
      'cleanup wait',
    ],
  },
  {
    since: 24,
    reasons: [
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'sync.Mutex.Lock',
      'sync.RWMutex.RLock',
      'sync.RWMutex.Lock',
      'sync.WaitGroup.Wait',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'GC worker (active)',
      'preempted',
      'debug call',
      'GC mark termination',
      'stopping the world',
      'flushing proc caches',
      'trace goroutine status',
      'trace proc status',
      'page trace flush',
      'coroutine',
      'GC weak to strong wait',
      'synctest.Run',
      'synctest.Wait',
      'chan receive (synctest)',
      'chan send (synctest)',
      'select (synctest)',
    ],
  },
  {
    since: 23,
    reasons: [
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'sync.Mutex.Lock',
      'sync.RWMutex.RLock',
      'sync.RWMutex.Lock',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'GC worker (active)',
      'preempted',
      'debug call',
      'GC mark termination',
      'stopping the world',
      'flushing proc caches',
      'trace goroutine status',
      'trace proc status',
      'page trace flush',
      'coroutine',
      'GC weak to strong wait',
    ],
  },
  {
    since: 22,
    reasons: [
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'sync.Mutex.Lock',
      'sync.RWMutex.RLock',
      'sync.RWMutex.Lock',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'GC worker (active)',
      'preempted',
      'debug call',
      'GC mark termination',
      'stopping the world',
      'flushing proc caches',
      'trace goroutine status',
      'trace proc status',
      'page trace flush',
      'coroutine',
    ],
  },
  {
    since: 20,
    reasons: [
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'sync.Mutex.Lock',
      'sync.RWMutex.RLock',
      'sync.RWMutex.Lock',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'GC worker (active)',
      'preempted',
      'debug call',
      'GC mark termination',
      'stopping the world',
    ],
  },
  {
    since: 19,
    reasons: [
      'semacquire',
      'sleep',
      'sync.Cond.Wait',
      'timer goroutine (idle)',
      'trace reader (blocked)',
      'wait for GC cycle',
      'GC worker (idle)',
      'preempted',
      'debug call',
    ],
  },
]

const maxReasons = 128
const maxLength = 64
/** The second entry; the first is empty. */
const landmark = 'GC assist marking'

/** Texts by `g.waitreason`. */
export function readWaitReasons(memory: Memory, module: ModuleData, goMinor: number): readonly string[] {
  const table = waitReasonTable(goMinor)
  // Debuggers carry the texts of other Go versions, in other orders.
  const agreeing = (texts: readonly string[]): number => table.filter((text, i) => texts[i] === text).length
  let best: readonly string[] = table
  let most = table.length / 2
  for (const found of findWaitReasons(memory, module)) {
    if (agreeing(found) <= most) continue
    most = agreeing(found)
    best = found
  }
  return best
}

export function waitReasonTable(goMinor: number): readonly string[] {
  const tail = tails.find(({ since }) => since <= goMinor) ?? tails.at(-1)!
  if (goMinor < 26) return [...common, ...tail.reasons]
  return [...since126, ...tail.reasons.slice(tail.reasons.indexOf('sync.Cond.Wait'))]
}

/** Arrays in the data of the program: string headers, the first of length 0, the second the landmark. */
function* findWaitReasons(memory: Memory, { data, edata }: ModuleData): Generator<string[]> {
  const { ptrSize } = memory
  for (const at of scanWords(memory, data, edata, landmark.length)) {
    // `at` is the length of entry 1; entry 0 is one string header before its pointer.
    const array = at - 3 * ptrSize
    if (array < data || memory.word(array + ptrSize) !== 0) continue
    if (textAt(memory, array + 2 * ptrSize) !== landmark) continue
    const reasons = ['']
    while (reasons.length < maxReasons) {
      const text = textAt(memory, array + reasons.length * 2 * ptrSize)
      if (!text) break
      reasons.push(text)
    }
    yield reasons
  }
}

function textAt(memory: Memory, header: number): string | undefined {
  if (!memory.has(header, 2 * memory.ptrSize)) return undefined
  const length = memory.word(header + memory.ptrSize)
  if (length === 0 || length > maxLength) return undefined
  const bytes = memory.tryRead(memory.word(header), length)
  const text = bytes && utf8(bytes)
  return text !== undefined && /^[\x20-\x7e]+$/.test(text) ? text : undefined
}
