/** Go versions as runtime.Version() prints them: `go1.26.8`, `go1.27rc1 X:nodwarf5`, `devel go1.28-3f2a9 …`. */
import { utf8 } from '../bytes/cursor.ts'
import type { Memory } from '../core/memory.ts'
import { halves, readable } from '../core/scan.ts'
import type { ModuleData } from '../gosym/index.ts'

export interface GoVersion {
  readonly text: string
  readonly minor: number
  readonly patch: number
  atLeast(minor: number): boolean
}

/** `undefined` for a text that names no Go 1 version. */
export function parseGoVersion(text: string): GoVersion | undefined {
  const match = /\bgo1\.(\d+)(?:\.(\d+))?/.exec(text)
  if (!match) return undefined
  const minor = Number(match[1])
  return { text, minor, patch: Number(match[2] ?? 0), atLeast: wanted => minor >= wanted }
}

/** `go1.19` to `devel go1.28-… X:…`. */
const lengths = { least: 6, most: 200 }
const maxData = 64 << 20

/**
 * `runtime.buildVersion` of a program whose build information was taken out: the first string among its variables that
 * is a version.
 */
export function findVersion(memory: Memory, { data, edata }: ModuleData): GoVersion | undefined {
  if (!(edata > data && edata - data <= maxData)) return undefined
  const { ptrSize, littleEndian } = memory
  const { at32, low, high } = halves(readable(memory, data, edata - data), ptrSize, littleEndian)
  const step = ptrSize / 4
  for (let i = 0; i + 2 * step <= at32.length; i += step) {
    const length = at32[i + step + low]!
    if (length < lengths.least || length > lengths.most || (step === 2 && at32[i + step + high] !== 0))
      continue
    const bytes = memory.tryRead(at32[i + low]! + (step === 2 ? at32[i + high]! * 0x100000000 : 0), length)
    const text = bytes && utf8(bytes)
    if (text && /^(go1\.\d+|devel go1\.\d+)[\x20-\x7e]*$/.test(text)) return parseGoVersion(text)
  }
  return undefined
}
