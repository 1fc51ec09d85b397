/**
 * `runtime.printBacklog`: a ring of the last 512 bytes that `print` wrote before the process began to die, kept for
 * those who read cores (golang/go#16893). `throw` and `fatal` print before they count as panicking, so their
 * `fatal error: …` is in it; a panic's own message is not. runtime/print.go recordForPanic; the same since Go 1.8.
 *
 * Where it lies: its symbol says so; in a stripped program the code of `runtime.recordForPanic` does, which takes its
 * address; and where that code is not to be had, the text itself is looked for.
 */
import { utf8 } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import type { Memory } from '../core/memory.ts'

export const backlogSize = 512

/** The ring's bytes in the order in which they were written. `index`: where the next byte would have gone. */
export function unrollBacklog(ring: Uint8Array, index: number): Uint8Array {
  const at = index >= 0 && index < ring.length ? index : 0
  const whole = new Uint8Array(ring.length)
  whole.set(ring.subarray(at), 0)
  whole.set(ring.subarray(0, at), ring.length - at)
  // What was never written is zero, and comes first.
  const start = whole.findIndex(byte => byte !== 0)
  return start < 0 ? new Uint8Array(0) : whole.subarray(start)
}

/** Where ring and index lie; the index is absent where nothing tells it. */
export interface BacklogPlace {
  readonly ring: number
  readonly index?: number
}

/** The text, oldest first; undefined where the ring is unreadable or empty. */
export function readBacklog(memory: Memory, place: BacklogPlace): string | undefined {
  const ring = memory.tryRead(place.ring, backlogSize)
  if (!ring) return undefined
  const known = place.index !== undefined && memory.has(place.index, memory.ptrSize)
  const index = known ? memory.word(place.index!) : guessIndex(ring)
  const text = utf8(unrollBacklog(ring, index))
  return text === '' ? undefined : text
}

const fatal = new TextEncoder().encode('fatal error: ')

/** The last line of a dying program is the one that begins so; the next byte would go behind its newline. */
function guessIndex(ring: Uint8Array): number {
  const unwritten = ring.indexOf(0)
  if (unwritten >= 0) return unwritten
  const twice = new Uint8Array(2 * ring.length)
  twice.set(ring)
  twice.set(ring, ring.length)
  const start = findBytes(twice, fatal, 0)
  const newline = start < 0 ? -1 : twice.indexOf(10, start)
  return newline < 0 ? 0 : (newline + 1) % ring.length
}

/**
 * The place by the machine code of `runtime.recordForPanic`: the LEA that takes the ring's address (another takes
 * that of the print lock), and the index, which the code both loads and stores. amd64 only: REX.W 8D, 8B and 89 with a
 * rip-relative operand.
 */
export function backlogPlaceFromCode(
  code: Uint8Array,
  entry: number,
  noptrbss: { start: number; end: number },
  memory: Memory,
): BacklogPlace | undefined {
  const view = viewOf(code)
  const inside = (addr: number, size: number): boolean =>
    addr >= noptrbss.start && addr + size <= noptrbss.end && memory.has(addr, size)
  const taken = new Set<number>()
  const loaded = new Set<number>()
  const stored = new Set<number>()
  for (let at = 0; at + 7 <= code.length; at++) {
    const [rex, opcode, modrm] = [code[at]!, code[at + 1]!, code[at + 2]!]
    if ((rex & 0xf8) !== 0x48 || (modrm & 0xc7) !== 5) continue
    const target = entry + at + 7 + view.getInt32(at + 3, true)
    // The linker aligns what is 32 bytes long or more to 32.
    if (opcode === 0x8d && target % 32 === 0 && inside(target, backlogSize)) taken.add(target)
    else if (opcode === 0x8b && inside(target, 8)) loaded.add(target)
    else if (opcode === 0x89 && inside(target, 8)) stored.add(target)
  }
  const ring = [...taken].find(addr => holdsText(memory.read(addr, backlogSize)))
  if (ring === undefined) return undefined
  const index = [...loaded].find(addr => stored.has(addr) && memory.word(addr) < backlogSize)
  return index === undefined ? { ring } : { ring, index }
}

/** Something was written, and no control bytes but those of text. */
function holdsText(ring: Uint8Array): boolean {
  const written = ring.filter(byte => byte !== 0)
  return written.length > 0 && written.every(byte => byte >= 0x20 || (byte >= 9 && byte <= 13) || byte === 27)
}

/** The place by its text: a `fatal error: ` in [noptrbss, enoptrbss) with a ring's shape around it. */
export function backlogPlaceFromText(
  memory: Memory,
  noptrbss: { start: number; end: number },
): BacklogPlace | undefined {
  const length = Math.min(noptrbss.end - noptrbss.start, maxScan)
  const bytes = length > 0 ? memory.tryRead(noptrbss.start, length) : undefined
  if (!bytes) return undefined
  for (let at = findBytes(bytes, fatal, 0); at >= 0; at = findBytes(bytes, fatal, at + 1)) {
    // Text before the message reaches back to the ring's start.
    let start = at
    while (start > 0 && bytes[start - 1] !== 0 && at - start < backlogSize) start--
    const ring = noptrbss.start + start
    if (ring % 32 === 0) return { ring }
  }
  return undefined
}

/** Sizes come from the dead program; real ones are a few hundred KB. */
const maxScan = 16 << 20

function findBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    let i = 1
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++
    if (i === wanted.length) return at
  }
  return -1
}

/**
 * The last `fatal error: …` with its continuation lines; where several goroutines came to one at the same time, and all
 * printed theirs before the first had stopped the others, all of them.
 */
export function fatalMessage(backlog: string): string | undefined {
  const prefix = 'fatal error: '
  let at = backlog.lastIndexOf(prefix)
  if (at < 0) return undefined
  const end = /\n(?!\t)/.exec(backlog.slice(at))
  const to = end ? at + end.index : backlog.length
  for (;;) {
    const line = backlog.lastIndexOf('\n', at - 2) + 1
    if (at === 0 || !backlog.startsWith(prefix, line) || line >= at) break
    at = line
  }
  return backlog.slice(at, to)
}
