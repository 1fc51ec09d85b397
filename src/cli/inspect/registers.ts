/** `regs` and `info registers`: the registers of a frame, as `dlv` or as `gdb` prints them. */
import { NotFoundError } from '../../base/errors.ts'
import {
  amd64DwarfNames,
  type ExtendedState,
  inferRegister,
  type StackFrame,
  symbolicAddress,
} from '../../engine/index.ts'
import { printable } from '../render/escape.ts'
import { palette } from '../render/style.ts'
import type { InspectContext } from './context.ts'
import { eflagsText, mxcsrText } from './flags.ts'
import { sseText, x87Text } from './vectors.ts'

/** Bytes. */
const maxInstruction = 15

export interface RegistersOptions {
  /** Floating point and vector registers too. */
  readonly all: boolean
  readonly style: 'dlv' | 'gdb'
  /** Only these, by any of their names. */
  readonly only?: readonly string[]
}

export interface Register {
  /** As the kernel names it: `rip`, `eflags`, `fs_base`. */
  readonly name: string
  readonly value: bigint
  /** Where it comes from, where that is not the thread itself. */
  readonly note?: string
}

const general = [
  ...['rip', 'rsp', 'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
]
const special = ['eflags', 'es', 'cs', 'ss', 'ds', 'fs', 'gs', 'fs_base', 'gs_base']
/** gdb's order (features/i386/64bit-core.xml). */
const gdbOrder = [
  ...[
    'rax',
    'rbx',
    'rcx',
    'rdx',
    'rsi',
    'rdi',
    'rbp',
    'rsp',
    'r8',
    'r9',
    'r10',
    'r11',
    'r12',
    'r13',
    'r14',
    'r15',
  ],
  ...['rip', 'eflags', 'cs', 'ss', 'ds', 'es', 'fs', 'gs', 'fs_base', 'gs_base'],
]

/** Those of the frame that are known, in dlv's order. Throws NotFoundError where there is no frame. */
export function registersOf(context: InspectContext): Register[] {
  const { frame, thread, process } = context
  if (!frame) throw new NotFoundError('There is no frame to take registers from.')
  const known = new Map<string, Register>()
  for (const [number, { value, origin, note }] of frame.registers) {
    const name = amd64DwarfNames[number]
    const from = note ?? (origin === 'thread' || origin === 'unwound' ? undefined : origins[origin])
    if (name !== undefined) known.set(name, { name, value, ...(from === undefined ? {} : { note: from }) })
  }
  const told = toldByFault(context)
  if (told && !known.has(told.name)) known.set(told.name, told)
  const flags = savedFlags(frame, process)
  if (flags !== undefined) known.set('eflags', { name: 'eflags', value: flags, note: origins.signal })
  // The thread's flags and segments are those of the frame that it is in, and of none above.
  const own = process.image.core.threads.find(({ tid }) => tid === thread)?.registers
  if (own && isInnermost(frame.registers))
    for (const name of special) {
      const value = own.get(name)
      if (value !== undefined) known.set(name, { name, value })
    }
  return [...general, ...special].flatMap(name => known.get(name) ?? [])
}

/** Where the runtime made a panic of a fault, its registers are gone, but for the one that the fault's address tells. */
function toldByFault({ process, frame, code, disassembler }: InspectContext): Register | undefined {
  const fault = process.fault()
  if (!fault || fault.registers || fault.pc !== frame?.pc) return undefined
  const bytes = code.read(fault.pc, fault.pc + maxInstruction)
  const [instruction] = disassembler.decode(bytes, fault.pc, 'intel', 1)
  const told = instruction && inferRegister(instruction, fault)
  return told && { ...told, note: 'as the address of the fault tells' }
}

/** The kernel saves the flags, too, of what a signal interrupts. */
function savedFlags(
  { registers, pc, sp }: StackFrame,
  { runtime, image: { arch, memory } }: InspectContext['process'],
): bigint | undefined {
  if (registers.get(0)?.origin !== 'signal') return undefined
  const contexts = runtime?.threads.flatMap(thread => thread.contexts) ?? []
  const at = contexts.find(({ position }) => position.pc === pc && position.sp === sp)?.ucontext
  const offset = arch.ucontext.eflags
  if (at === undefined || offset === undefined || !memory.has(at + offset, 8)) return undefined
  return memory.u64(at + offset)
}

const origins = {
  signal: 'as the signal found it',
  saved: 'as the goroutine saved it',
  recovered: 'found in memory',
} as const

function isInnermost(registers: NonNullable<InspectContext['frame']>['registers']): boolean {
  return registers.get(0)?.origin === 'thread'
}

export function extendedStateOf({ frame, thread, process }: InspectContext): ExtendedState | undefined {
  if (!frame || !isInnermost(frame.registers)) return undefined
  return process.image.core.threads.find(({ tid }) => tid === thread)?.extended()
}

export function* registerLines(context: InspectContext, options: RegistersOptions): Generator<string> {
  const list = registersOf(context)
  const lines = options.style === 'gdb' ? gdbLines(context, list, options) : dlvLines(context, list, options)
  const { dim } = palette(context.look)
  for (const { names, text, note } of lines) {
    if (options.only && !options.only.some(name => names.includes(name.toLowerCase().replace(/^\$/, ''))))
      continue
    const [first = '', ...upper] = text.split('\n').map(withTabs)
    yield first + (note === undefined ? '' : dim(`  (${printable(note)})`))
    yield* upper
  }
}

/** Texts of ours hold tabs, as dlv's do. */
const withTabs = (text: string): string => text.split('\t').map(printable).join('\t')

interface Line {
  readonly names: readonly string[]
  readonly text: string
  readonly note?: string | undefined
}

function* dlvLines(
  context: InspectContext,
  list: readonly Register[],
  { all }: RegistersOptions,
): Generator<Line> {
  const state = all ? extendedStateOf(context) : undefined
  const rows: [string, string, (string | undefined)?][] = []
  const row = ({ name, value, note }: Register): void => {
    const hex = `0x${value.toString(16).padStart(16, '0')}`
    const shown = name === 'eflags' ? 'Rflags' : name.charAt(0).toUpperCase() + name.slice(1)
    rows.push([shown, name === 'eflags' ? `${hex}\t${eflagsText(value, 'dlv')}` : hex, note])
  }
  for (const register of list.filter(({ name }) => general.includes(name))) row(register)
  if (state) {
    for (const [i, bytes] of state.vectors.entries()) rows.push([`XMM${i}`, sseText(i, bytes)])
    for (const [i, bytes] of state.st.entries()) rows.push([`ST(${i})`, x87Text(bytes)])
  }
  for (const register of list.filter(({ name }) => !general.includes(name))) row(register)
  if (state) {
    rows.push(['MXCSR', `${hex(state.mxcsr, 8)}\t${mxcsrText(state.mxcsr, 'dlv')}`])
    rows.push(
      ['CW', hex(state.cw, 4)],
      ['SW', hex(state.sw, 4)],
      ['TW', hex(state.tw, 4)],
      ['FOP', hex(state.fop, 4)],
    )
    for (const [i, mask] of state.masks.entries()) rows.push([`K${i}`, hex(mask, 16)])
  }
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, text, note] of rows)
    yield { names: namesOf(name), text: `${name.padStart(width)} = ${text}`, note }
}

function* gdbLines(
  context: InspectContext,
  list: readonly Register[],
  { all }: RegistersOptions,
): Generator<Line> {
  const byName = new Map(list.map(register => [register.name, register]))
  const line = (name: string, raw: string, natural: string, note?: string): Line => ({
    names: namesOf(name),
    text: `${name.padEnd(15)}${raw.padEnd(20)}${natural}`,
    note,
  })
  for (const name of gdbOrder) {
    const register = byName.get(name)
    if (register) yield line(name, hex(register.value, 0), naturalText(register, context), register.note)
  }
  const state = extendedStateOf(context)
  if (state) for (const [i, mask] of state.masks.entries()) yield line(`k${i}`, hex(mask, 0), String(mask))
  if (!all || !state) return
  for (const [i, bytes] of state.st.entries()) {
    const [raw, value] = x87Text(bytes).split('\t')
    yield { names: [`st${i}`], text: `${`st${i}`.padEnd(15)}${value!.padEnd(19)} (raw ${raw})` }
  }
  const control: [string, number][] = [
    ['fctrl', state.cw],
    ['fstat', state.sw],
    ['ftag', state.tw],
    ['fop', state.fop],
  ]
  for (const [name, value] of control) yield line(name, hex(value, 0), String(value))
  yield line('mxcsr', hex(state.mxcsr, 0), mxcsrText(state.mxcsr, 'gdb'))
  const letter = { 16: 'xmm', 32: 'ymm', 64: 'zmm' }[state.vectors[0]?.length ?? 16] ?? 'xmm'
  for (const [i, bytes] of state.vectors.entries())
    yield line(`${letter}${i}`, `0x${Buffer.from(bytes).reverse().toString('hex')}`, '')
  if (state.pkru !== undefined) yield line('pkru', hex(state.pkru, 0), String(state.pkru))
}

/** What gdb prints beside the hexadecimal: by the register's type. */
function naturalText({ name, value }: Register, { code }: InspectContext): string {
  if (name === 'eflags') return eflagsText(value, 'gdb')
  if (name === 'rsp' || name === 'rbp') return hex(value, 0)
  if (name !== 'rip') return String(BigInt.asIntN(64, value))
  const symbol = symbolicAddress(Number(value), addr => code.symbolAt(addr))
  return hex(value, 0) + (symbol === undefined ? '' : ` <${symbol}>`)
}

/** Everything that one may call it by, in lower case. */
function namesOf(shown: string): readonly string[] {
  const name = shown.toLowerCase()
  const also: Record<string, readonly string[]> = {
    rip: ['pc'],
    rsp: ['sp'],
    rbp: ['fp', 'bp'],
    rflags: ['eflags', 'flags'],
    eflags: ['rflags', 'flags'],
  }
  return [name, ...(also[name] ?? [])]
}

const hex = (value: number | bigint, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`
