/**
 * x87, SSE, AVX and AVX-512 registers of a thread: NT_PRFPREG (the FXSAVE area, Intel SDM vol. 1, 10.5.1) and
 * NT_X86_XSTATE (XSAVE in its standard format, 13.4). Where a component lies in the latter differs between makers; the
 * kernel's NT_X86_XSAVE_LAYOUT (Linux 6.11) says it, and before that the size of the area tells which it is.
 */
import { viewOf } from '../bytes/layout.ts'

export interface ExtendedState {
  readonly cw: number
  readonly sw: number
  /** The full tag word, two bits a register: 0 valid, 1 zero, 2 special, 3 empty. */
  readonly tw: number
  readonly fop: number
  readonly fip: bigint
  readonly fdp: bigint
  readonly mxcsr: number
  readonly mxcsrMask: number
  /** ST(0) to ST(7), 10 bytes each. */
  readonly st: readonly Uint8Array[]
  /** XMM0 and on: 16 bytes each, 32 where there is AVX, 64 where there is AVX-512, which has 32 of them. */
  readonly vectors: readonly Uint8Array[]
  /** K0 to K7 of AVX-512; empty without it. */
  readonly masks: readonly bigint[]
  /** PKRU, where the machine has protection keys. */
  readonly pkru?: number
}

/** Offsets of the components in the XSAVE area, by their number in XCR0. */
export type XsaveLayout = ReadonlyMap<number, { readonly offset: number; readonly size: number }>

const legacySize = 512
const headerEnd = legacySize + 64
const Component = { avx: 2, opmask: 5, zmmHi256: 6, hi16Zmm: 7, pkru: 9 } as const

/** Of the areas that are common: with the MPX components in between (Intel), and without (AMD). */
const intel: XsaveLayout = layoutOf({
  2: [576, 256],
  5: [1088, 64],
  6: [1152, 512],
  7: [1664, 1024],
  9: [2688, 8],
})
const amd: XsaveLayout = layoutOf({
  2: [576, 256],
  5: [832, 64],
  6: [896, 512],
  7: [1408, 1024],
  9: [2432, 8],
})

function layoutOf(table: Readonly<Record<number, readonly [number, number]>>): XsaveLayout {
  return new Map(
    Object.entries(table).map(([component, [offset, size]]) => [Number(component), { offset, size }]),
  )
}

/** NT_X86_XSAVE_LAYOUT: records of four 32-bit words, `type size offset flags`. */
export function readXsaveLayout(desc: Uint8Array): XsaveLayout {
  const view = viewOf(desc)
  const layout = new Map<number, { offset: number; size: number }>()
  for (let at = 0; at + 16 <= desc.length && at < 64 * 16; at += 16)
    layout.set(view.getUint32(at, true), {
      size: view.getUint32(at + 4, true),
      offset: view.getUint32(at + 8, true),
    })
  return layout
}

/** Undefined where there is no whole FXSAVE area. A component that the area is too short for is left out. */
export function readExtendedState(notes: {
  readonly fpregs?: Uint8Array
  readonly xstate?: Uint8Array
  readonly layout?: XsaveLayout
}): ExtendedState | undefined {
  const { fpregs, xstate } = notes
  const area = xstate && xstate.length >= legacySize ? xstate : fpregs
  if (!area || area.length < legacySize) return undefined
  const view = viewOf(area)
  const [cw, sw, shortTags] = [view.getUint16(0, true), view.getUint16(2, true), area[4]!]
  const st = Array.from({ length: 8 }, (_, i) => area.slice(32 + 16 * i, 42 + 16 * i))
  const layout = notes.layout ?? (area.length >= 2696 ? intel : amd)
  const component = (number: number): Uint8Array | undefined => {
    const place = layout.get(number)
    if (!place || area.length <= headerEnd || place.offset + place.size > area.length) return undefined
    const xstateBv = view.getBigUint64(legacySize, true)
    // What is in its initial state is not written: zeros.
    const bytes = area.subarray(place.offset, place.offset + place.size)
    return (xstateBv >> BigInt(number)) & 1n ? bytes : new Uint8Array(place.size)
  }
  const [ymm, opmask, zmm, hi16] = [
    Component.avx,
    Component.opmask,
    Component.zmmHi256,
    Component.hi16Zmm,
  ].map(component)
  const vectors = Array.from({ length: 16 }, (_, i) => {
    const parts = [area.subarray(160 + 16 * i, 176 + 16 * i)]
    if (ymm) parts.push(ymm.subarray(16 * i, 16 * i + 16))
    if (ymm && zmm) parts.push(zmm.subarray(32 * i, 32 * i + 32))
    return joined(parts)
  })
  if (hi16) for (let i = 0; i < 16; i++) vectors.push(hi16.slice(64 * i, 64 * i + 64))
  const pkru = component(Component.pkru)
  return {
    cw,
    sw,
    tw: fullTags(shortTags, (sw >> 11) & 7, st),
    fop: view.getUint16(6, true),
    fip: view.getBigUint64(8, true),
    fdp: view.getBigUint64(16, true),
    mxcsr: view.getUint32(24, true),
    mxcsrMask: view.getUint32(28, true),
    st,
    vectors,
    masks: opmask ? Array.from({ length: 8 }, (_, i) => viewOf(opmask).getBigUint64(8 * i, true)) : [],
    ...(pkru ? { pkru: viewOf(pkru).getUint32(0, true) } : {}),
  }
}

/** FXSAVE keeps one bit a register; the other states are in the registers themselves (SDM table 10-1). */
function fullTags(short: number, top: number, st: readonly Uint8Array[]): number {
  let tags = 0
  for (let physical = 0; physical < 8; physical++)
    tags |= (((short >> physical) & 1) === 0 ? 3 : tagOf(st[(physical - top + 8) & 7]!)) << (2 * physical)
  return tags
}

function tagOf(register: Uint8Array): number {
  const view = viewOf(register)
  const exponent = view.getUint16(8, true) & 0x7fff
  const mantissa = view.getBigUint64(0, true)
  if (exponent === 0) return mantissa === 0n ? 1 : 2
  return exponent === 0x7fff || mantissa >> 63n === 0n ? 2 : 0
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
