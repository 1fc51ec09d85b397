/** The crash that the repository carries, unpacked: a core and its stripped executable. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { type ByteSource, bytesSource } from '../../src/engine/bytes/byte-source.ts'
import type { Range } from './mutate.ts'

const dir = join(import.meta.dirname, '../../test/fixtures/till')
const unpacked = new Map<string, ByteSource>()

function unpack(name: string): ByteSource {
  const known = unpacked.get(name)
  if (known) return known
  const source = bytesSource(name, zstdDecompressSync(readFileSync(join(dir, `${name}.zst`))))
  unpacked.set(name, source)
  return source
}

export const fixtureCore = (): ByteSource => unpack('core')
export const fixtureExecutable = (): ByteSource => unpack('till')

/** Pages that hold anything but zeros, joined. */
export function busyRanges(source: ByteSource, from = 0): Range[] {
  const page = 4096
  const ranges: [number, number][] = []
  for (let at = from; at < source.size; at += page) {
    if (source.read(at, page).every(byte => byte === 0)) continue
    const last = ranges.at(-1)
    if (last?.[1] === at) last[1] = at + page
    else ranges.push([at, at + page])
  }
  return ranges
}
