/**
 * Argument words as the runtime prints them between a frame's parentheses: `0xc000012345, {0x4b2a10?, 0x7}, ...`.
 * runtime.printArgs; the description is FUNCDATA_ArgInfo (cmd/compile/internal/ssagen.emitArgInfo), what is behind
 * `?` FUNCDATA_ArgLiveInfo with PCDATA_ArgLiveIndex.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import { type GoFunc, PcData } from '../gosym/index.ts'

/** abi.TraceArgs*. */
const Op = { endSeq: 0xff, startAgg: 0xfe, endAgg: 0xfd, dotdotdot: 0xfc, offsetTooLarge: 0xfb } as const

/** abi.TraceArgsMaxLen is smaller in all versions. */
const maxOps = 512

/** What the runtime could not have printed: the word's memory is not there. */
const unreadable = '(unreadable)'

type Liveness = (offset: number, slot: number) => boolean

/** `pc` is the one that the frame is symbolized by. */
export function formatArguments(memory: Memory, func: GoFunc, argp: number, pc: number): string {
  const info = func.argInfo
  if (info === 0) return ''
  try {
    const { isLive, startOffset } = livenessAt(memory, func, pc)
    let text = ''
    let start = true
    let slot = 0
    const comma = (): string => (start ? '' : ', ')
    for (let at = info; at < info + maxOps; at++) {
      const op = memory.u8(at)
      if (op === Op.endSeq) break
      if (op === Op.startAgg) {
        text += `${comma()}{`
        start = true
        continue
      }
      if (op === Op.endAgg) text += '}'
      else if (op === Op.dotdotdot) text += `${comma()}...`
      else if (op === Op.offsetTooLarge) text += `${comma()}_`
      else {
        const size = memory.u8(++at)
        text += comma() + wordText(memory, argp + op, size) + (isLive(op, slot) ? '' : '?')
        if (op >= startOffset) slot++
      }
      start = false
    }
    return text
  } catch (error) {
    if (error instanceof MemoryFault) return unreadable
    throw error
  }
}

const alwaysLive: Liveness = () => true

function livenessAt(memory: Memory, func: GoFunc, pc: number): { isLive: Liveness; startOffset: number } {
  const info = func.argLiveInfo
  if (info === 0) return { isLive: alwaysLive, startOffset: 0xff }
  // Slots below this offset have no liveness: they are always live.
  const startOffset = memory.u8(info)
  const index = func.pcdata(PcData.argLiveIndex, pc)
  if (index <= 0) return { isLive: alwaysLive, startOffset }
  const isLive: Liveness = (offset, slot) =>
    offset < startOffset || (memory.u8(info + index + (slot >> 3)) & (1 << (slot & 7))) !== 0
  return { isLive, startOffset }
}

/** `0x` and the digits of `size` bytes at `addr`. */
function wordText(memory: Memory, addr: number, size: number): string {
  if (!memory.has(addr, Math.min(size, 8))) return unreadable
  switch (size) {
    case 1:
      return `0x${memory.u8(addr).toString(16)}`
    case 2:
      return `0x${memory.u16(addr).toString(16)}`
    case 4:
      return `0x${memory.u32(addr).toString(16)}`
    case 8: {
      const first = memory.u32(addr)
      const second = memory.u32(addr + 4)
      const [high, low] = memory.littleEndian ? [second, first] : [first, second]
      return high === 0
        ? `0x${low.toString(16)}`
        : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`
    }
    default:
      return oddWordText(memory, addr, size)
  }
}

/** Sizes of 3, 5, 6 and 7 bytes, which parts of small structs in registers have. */
function oddWordText(memory: Memory, addr: number, size: number): string {
  let value = 0n
  for (let i = 0; i < Math.min(size, 8); i++) {
    const byte = BigInt(memory.u8(addr + (memory.littleEndian ? size - 1 - i : i)))
    value = (value << 8n) | byte
  }
  return `0x${value.toString(16)}`
}
