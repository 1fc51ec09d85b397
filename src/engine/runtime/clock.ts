/**
 * What time it was for the runtime (CLOCK_MONOTONIC, runtime.nanotime) when the program died. A core does not say; the
 * latest of the moments that the runtime wrote down is a lower bound, and usually close: the system monitor notes one
 * for each P whenever it looks, every 10 ms at most while anything runs.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import { type DataSlices, longest, readAddrs } from './data-slices.ts'
import { type Goroutine, GStatus } from './goroutine.ts'
import type { RuntimeLayout } from './layouts/layout.ts'

/** runtime.sysmontick: schedtick u32, syscalltick u32, schedwhen i64, syscallwhen i64. */
const schedwhen = 8
const syscallwhen = 16
const maxPs = 1 << 16
/** A hundred years. */
const maxNow = 100 * 365 * 86400e9

/** Addresses of the P's: the slice `runtime.allp`, whose elements know their own index. Its length is GOMAXPROCS. */
export function findAllp(
  memory: Memory,
  layout: RuntimeLayout,
  variables: readonly DataSlices[],
): Float64Array {
  const [id, status] = [layout.at('p.id'), layout.at('p.status')]
  const isP = (addr: number, index: number): boolean =>
    addr !== 0 &&
    memory.has(addr, layout.at('p.runnext') + memory.ptrSize) &&
    memory.i32(addr + id) === index &&
    // runtime2.go: _Pidle to _Pdead.
    memory.u32(addr + status) <= 4 &&
    memory.u32(addr + layout.at('p.runqtail')) - memory.u32(addr + layout.at('p.runqhead')) <= 256 &&
    isPointerOrNil(memory, addr + layout.at('p.m'))
  for (const { bss, data } of variables)
    for (const slices of [bss(), data()]) {
      const best = longest(
        memory,
        slices.filter(({ len }) => len <= maxPs),
        isP,
      )
      if (best) return readAddrs(memory, best.ptr, best.len)
    }
  return new Float64Array(0)
}

function isPointerOrNil(memory: Memory, at: number): boolean {
  const value = memory.word(at)
  return value === 0 || memory.has(value, memory.ptrSize)
}

/** Sleepers whose stacks are looked at. */
const maxSleepers = 256

/**
 * The latest moment that P's and goroutines know of; undefined where none does. `sleepOf` says how long a goroutine in
 * time.Sleep was to sleep, if its stack shows it: that and its timer tell when it began.
 */
export function latestMoment(
  memory: Memory,
  layout: RuntimeLayout,
  ps: Iterable<number>,
  goroutines: Iterable<Goroutine>,
  sleepOf: (g: Goroutine) => number | undefined,
): number | undefined {
  let latest = 0
  let sleepers = 0
  const take = (moment: number): void => {
    if (moment > latest && moment < maxNow) latest = moment
  }
  try {
    const tick = layout.at('p.sysmontick')
    for (const p of ps) {
      take(Number(memory.u64(p + tick + schedwhen)))
      take(Number(memory.u64(p + tick + syscallwhen)))
    }
    for (const g of goroutines) {
      take(g.waitSince)
      take(g.field('trackingStamp') ?? 0)
      // When its last sleep was to end: past for all that are not asleep.
      if (g.status !== GStatus.waiting) take(g.field('sleepWhen') ?? 0)
      const timer = sleepers < maxSleepers && g.status === GStatus.waiting ? (g.field('timer') ?? 0) : 0
      if (timer === 0) continue
      sleepers++
      const duration = sleepOf(g)
      if (duration !== undefined) take(Number(memory.u64(timer + layout.at('timer.when'))) - duration)
    }
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error
  }
  return latest > 0 ? latest : undefined
}
