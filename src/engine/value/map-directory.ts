/**
 * Which tables a map has since Go 1.24, from its directory of 2^globalDepth entries (internal/runtime/maps/map.go).
 * Neighbours may be one and the same table.
 *
 * A table that grows or splits stays whole until those in its place are: what a program may have died in the middle of
 * is their taking its place. replaceTable writes entry by entry, installTableSplit makes a larger directory the map's
 * before it says how long it is, and growToTable does so with a small map's first one.
 */
import type { Memory } from '../core/memory.ts'
import type { Budget } from './map-slot.ts'

const slots = 8

interface Run {
  readonly table: number
  /** The first entry that has it. */
  readonly first: number
  /** The first entry that it was made for, as it says. */
  readonly index: number
}

/** Addresses of tables that have all entries, each once; of the Map {used u64, seed, dirPtr, dirLen int, globalDepth u8}. */
export function readDirectory(memory: Memory, header: number, budget: Budget): 'small' | number[] {
  const { ptrSize } = memory
  const directory = memory.word(header + 8 + ptrSize)
  const length = memory.word(header + 8 + 2 * ptrSize)
  if (length === 0) return isFirstTable(memory, header, directory) ? [memory.word(directory)] : 'small'
  const doubled = 2 ** memory.u8(header + 8 + 3 * ptrSize) === 2 * length
  const runs =
    (doubled && readDoubled(memory, directory, length, budget)) || readRuns(memory, directory, length, budget)
  // The new tables that have come so far are a part of the old one, which still has some entries behind theirs.
  const isReplaced = ({ first }: Run, i: number): boolean =>
    runs.slice(i + 1, i + 3).some(({ index }) => index <= first)
  return runs.filter((run, i) => !isReplaced(run, i)).map(({ table }) => table)
}

/** The directory that holds each table twice and is not known to be as long yet; undefined where this is none. */
function readDoubled(memory: Memory, directory: number, length: number, budget: Budget): Run[] | undefined {
  if (length < 2 || !memory.has(directory, 2 * length * memory.ptrSize)) return undefined
  const runs = readRuns(memory, directory, 2 * length, budget)
  return runs.every(({ first, index }) => first === index) ? runs : undefined
}

function readRuns(memory: Memory, directory: number, length: number, budget: Budget): Run[] {
  const runs: Run[] = []
  let last = 0
  for (let first = 0; first < length && budget.left-- > 0; first++) {
    const table = memory.word(directory + first * memory.ptrSize)
    if (table === last || table === 0) continue
    last = table
    runs.push({ table, first, index: readIndex(memory, table) })
  }
  return runs
}

/** Of a table {used, capacity, growthLeft u16, localDepth u8, index int, …}. */
function readIndex(memory: Memory, table: number): number {
  return memory.has(table + 8, memory.ptrSize) ? memory.word(table + 8) : Infinity
}

/** Whether `directory` is that of a map which has just outgrown its group: one table with all of it and as much room. */
function isFirstTable(memory: Memory, header: number, directory: number): boolean {
  if (memory.u64(header) !== BigInt(slots) || !memory.has(directory, memory.ptrSize)) return false
  const table = memory.word(directory)
  const isWhole = memory.has(table, 8) && memory.u16(table) === slots && memory.u16(table + 2) === 2 * slots
  return isWhole && memory.u8(table + 6) === 0 && readIndex(memory, table) === 0
}
