/**
 * One entry of `.eh_frame` or `.debug_frame`: a CIE with what a group of functions share, or an FDE with the unwind
 * program of one function. DWARF 5 section 6.4.1; `.eh_frame` as LSB 5.0 core 10.6 changes it.
 */
import { Pe } from './constants.ts'
import type { FrameReader } from './frame-reader.ts'

export type FrameFlavour = 'eh_frame' | 'debug_frame'

export interface Cie {
  readonly codeAlign: bigint
  readonly dataAlign: bigint
  readonly returnRegister: number
  /** Encoding of FDE addresses. */
  readonly encoding: number
  readonly hasAugmentation: boolean
  /** `S`: the frames of a signal trampoline. */
  readonly signalFrame: boolean
  readonly program: FrameReader
}

export interface Fde {
  readonly cie: Cie
  readonly start: number
  readonly end: number
  readonly program: FrameReader
}

/** Entries are small; one that claims more is damage. */
const maxEntry = 1 << 20
const maxAugmentation = 16

/** Reads bytes of the table by address; fewer where they end. */
export type FrameSource = (addr: number, length: number) => FrameReader

/** The next entry's address and, where the entry covers code, the FDE; undefined at the end of the table. */
export function readEntry(
  source: FrameSource,
  addr: number,
  flavour: FrameFlavour,
  sectionStart: number,
): { next: number; fde?: Fde } | undefined {
  const head = readHead(source, addr)
  if (!head) return undefined
  const { body, next, idAddr, is64 } = head
  const id = is64 ? Number(body.u64()) : body.u32()
  const cieAddr =
    flavour === 'eh_frame'
      ? id === 0
        ? undefined
        : idAddr - id
      : isCieId(id, is64)
        ? undefined
        : sectionStart + id
  if (cieAddr === undefined) return { next }
  const cie = readCie(source, cieAddr, flavour)
  if (!cie) return { next }
  const start = body.pointer(cie.encoding)
  // The length has the format of the address, but counts from nothing.
  const length = body.pointer(cie.encoding & Pe.formatMask)
  if (cie.hasAugmentation) body.skip(Number(body.uleb()))
  return { next, fde: { cie, start, end: start + length, program: body } }
}

function readHead(
  source: FrameSource,
  addr: number,
): { body: FrameReader; next: number; idAddr: number; is64: boolean } | undefined {
  const head = source(addr, 12)
  if (head.remaining < 4) return undefined
  let length = head.u32()
  const is64 = length === 0xffffffff
  if (is64) length = Number(head.u64())
  if (length === 0) return undefined
  if (!(length <= maxEntry)) throw head.error(`a frame entry of ${length} bytes`)
  const body = source(head.addr, length)
  return { body, next: head.addr + length, idAddr: head.addr, is64 }
}

function isCieId(id: number, is64: boolean): boolean {
  return is64 ? id >= 2 ** 64 - 4096 : id === 0xffffffff
}

function readCie(source: FrameSource, addr: number, flavour: FrameFlavour): Cie | undefined {
  const head = readHead(source, addr)
  if (!head) return undefined
  const { body, is64 } = head
  const id = is64 ? Number(body.u64()) : body.u32()
  if (flavour === 'eh_frame' ? id !== 0 : !isCieId(id, is64)) throw body.error('not a CIE')
  const version = body.u8()
  const augmentation = body.cstring()
  if (augmentation.length > maxAugmentation) throw body.error('an augmentation too long')
  if (version >= 4) body.skip(2) // address size and segment selector size
  const codeAlign = body.uleb()
  const dataAlign = body.sleb()
  const returnRegister = version === 1 ? body.u8() : Number(body.uleb())
  const cie = {
    codeAlign,
    dataAlign,
    returnRegister,
    encoding: Pe.absptr as number,
    hasAugmentation: augmentation.startsWith('z'),
    signalFrame: augmentation.includes('S'),
    program: body,
  }
  if (!cie.hasAugmentation) return cie
  const end = Number(body.uleb()) + body.at
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') cie.encoding = body.u8()
    else if (letter === 'P') body.pointer(body.u8())
    else if (letter === 'L') body.u8()
    else if (letter !== 'S' && letter !== 'B') break
  }
  body.skip(end - body.at)
  return cie
}
