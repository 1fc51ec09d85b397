/**
 * Tables from program counter to value: stack depth, file, line, inlining, argument liveness. Encoded as pairs of
 * varints (zigzag value delta, pc delta in quanta); decoded once, then searched. runtime/symtab.go, `step`, `pcvalue`.
 */

export interface PcTable {
  /** End of each run, as bytes from the function's entry; ascending. */
  readonly ends: Uint32Array
  readonly values: Int32Array
}

const empty: PcTable = { ends: new Uint32Array(0), values: new Int32Array(0) }
/** A damaged table ends with the section; this keeps one from becoming gigabytes. */
const maxRuns = 1 << 20

export function decodePcTable(pctab: Uint8Array, offset: number, quantum: number): PcTable {
  if (offset <= 0 || offset >= pctab.length) return empty
  const ends: number[] = []
  const values: number[] = []
  let at = offset
  let pc = 0
  let value = -1
  const varint = (): number => {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = pctab[at++]
      if (byte === undefined) return -1
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return result >>> 0
  }
  while (ends.length < maxRuns) {
    const zigzag = varint()
    if (zigzag < 0 || (zigzag === 0 && ends.length > 0)) break
    value = (value + (-(zigzag & 1) ^ (zigzag >>> 1))) | 0
    const delta = varint()
    if (delta < 0) break
    pc += delta * quantum
    if (pc > 0xffffffff) break
    ends.push(pc)
    values.push(value)
  }
  return { ends: Uint32Array.from(ends), values: Int32Array.from(values) }
}

/** The value at `offset` bytes from the function's entry; -1 where the table has none, as the runtime answers. */
export function pcValue({ ends, values }: PcTable, offset: number): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! <= offset) low = middle + 1
    else high = middle
  }
  return low < values.length ? values[low]! : -1
}
