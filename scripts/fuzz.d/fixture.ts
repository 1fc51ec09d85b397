/**
 * What damage is done to: the crash that the repository carries, a core and its stripped executable; or the files that
 * `--core` and `--exe` name, which the main program passes on in the environment.
 */
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

function given(path: string): ByteSource {
  const source = unpacked.get(path) ?? bytesSource(path, readFileSync(path))
  unpacked.set(path, source)
  return source
}

const { GOCORE_FUZZ_CORE: otherCore, GOCORE_FUZZ_EXE: otherExecutable } = process.env

export const fixtureCore = (): ByteSource => (otherCore ? given(otherCore) : unpack('core'))
export const fixtureExecutable = (): ByteSource => (otherExecutable ? given(otherExecutable) : unpack('till'))

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
