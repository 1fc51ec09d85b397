/** What the verbs that look into code, memory and files find, as data for programs: gocore-report(5) has the documents. */
import type { ExtendedState } from '../../engine/index.ts'
import { hex } from '../render/value-json.ts'
import type { InspectContext } from './context.ts'
import { type DisassembleOptions, disassemble } from './disassemble.ts'
import { type ExamineOptions, examinedBytes, examinedInstructions } from './examine.ts'
import { listedPlace } from './list.ts'
import { libraries } from './names.ts'
import { extendedStateOf, registersOf } from './registers.ts'

type Json = Record<string, unknown>

/** `all`: floating point and vector registers too. */
export function registersJson(context: InspectContext, all: boolean, only: readonly string[] = []): Json {
  const state = all ? extendedStateOf(context) : undefined
  const chosen = registersOf(context).filter(({ name }) => only.length === 0 || only.includes(name))
  return {
    registers: Object.fromEntries(chosen.map(({ name, value }) => [name, hex(value)])),
    ...(state ? extendedJson(state) : {}),
  }
}

function extendedJson({ mxcsr, st, vectors, masks }: ExtendedState): Json {
  return { mxcsr: hex(mxcsr), x87: st.map(wholeHex), vectors: vectors.map(wholeHex), masks: masks.map(hex) }
}

export function memoryJson(context: InspectContext, options: ExamineOptions): Json {
  if (options.style === 'gdb' && options.letter === 'i') {
    const list = examinedInstructions(context, options)
    return {
      address: hex(list[0]?.addr ?? 0),
      instructions: list.map(({ addr, bytes, text }) => ({ pc: hex(addr), bytes: bytesHex(bytes), text })),
    }
  }
  const { start, bytes } = examinedBytes(context, options)
  return { address: hex(start), bytes: bytesHex(bytes) }
}

export function disassemblyJson(context: InspectContext, options: DisassembleOptions): Json {
  const { function: func, instructions } = disassemble(context, options)
  return {
    function: func?.name,
    instructions: instructions.map(({ addr, bytes, ...rest }) => ({
      pc: hex(addr),
      bytes: bytesHex(bytes),
      ...rest,
    })),
  }
}

/** `around`: lines before and after. */
export function sourceJson(context: InspectContext, location: string, around: number): Json {
  const place = listedPlace(context, location)
  const { file, line, function: name } = place
  const lines = context.sources.lines(place, { before: around, after: around })
  return {
    file,
    line,
    function: name,
    lines: lines?.map(({ number, text }) => ({ number, text })),
    warnings: context.sources.warnings,
  }
}

export function librariesJson(context: InspectContext): Json {
  return {
    libraries: libraries(context).map(({ start, end, ...rest }) => ({
      ...rest,
      start: hex(start),
      end: hex(end),
    })),
  }
}

const bytesHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
/** Of a register, whose highest byte is last. */
const wholeHex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).reverse().toString('hex')}`
