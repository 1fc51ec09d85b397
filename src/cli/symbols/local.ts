/** Places on this machine where debug information of a file lies by convention (GDB manual, "Separate Debug Files"). */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type ByteSource, type LoadedFile, readDebugLink } from '../../engine/index.ts'

export const systemRoot = '/usr/lib/debug'
const crcChunk = 4 << 20
const maxEntries = 4096
const maxDepth = 3

export interface Place {
  readonly path: string
  /** CRC-32 that its content must have. */
  readonly crc?: number
}

/** `.build-id/xx/yyyy.debug` below a directory of debug information. */
export function buildIdPath(root: string, buildId: string): string {
  return join(root, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`)
}

/**
 * Without being asked: by build id below /usr/lib/debug, and by `.gnu_debuglink` beside the file, in `.debug` there and
 * below /usr/lib/debug. `found`: where the file itself lies on this machine.
 */
export function conventionalPlaces({ elf, path }: LoadedFile, found: string | undefined): Place[] {
  const places: Place[] = []
  if (elf.buildId !== undefined) places.push({ path: buildIdPath(systemRoot, elf.buildId) })
  const link = readDebugLink(elf)
  if (!link) return places
  const { name, crc } = link
  const inProcess = dirname(path)
    .split('/')
    .filter(part => part !== '..')
    .join('/')
  // A program that the archive keeps has left its debug information where it was.
  const dirs = new Set([dirname(found ?? path), inProcess])
  const near = [...dirs].flatMap(dir => [join(dir, name), join(dir, '.debug', name)])
  for (const place of [...near, join(systemRoot, inProcess, name)]) places.push({ path: place, crc })
  return places
}

/** In a symbol directory: by build id, by the debug link's name, by the file's own name, then whatever lies there. */
export function placesIn(root: string, { elf, path }: LoadedFile): Place[] {
  const places: Place[] = []
  const { buildId } = elf
  if (buildId !== undefined)
    places.push(
      ...[buildIdPath(root, buildId), join(root, `${buildId}.debug`), join(root, buildId)].map(at => ({
        path: at,
      })),
    )
  const link = readDebugLink(elf)
  if (link) places.push({ path: join(root, link.name), crc: link.crc })
  const name = basename(path)
  places.push(...[name, `${name}.debug`, `${name}.dbg`].map(file => ({ path: join(root, file) })))
  for (const file of filesBelow(root)) places.push({ path: file })
  return places.filter(({ path: at }, i) => places.findIndex(other => other.path === at) === i)
}

/** Regular files in a directory and a few levels below it. */
export function filesBelow(root: string): string[] {
  const files: string[] = []
  const visit = (dir: string, depth: number): void => {
    if (depth > maxDepth || files.length >= maxEntries) return
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (files.length >= maxEntries) return
      if (entry.isFile()) files.push(join(dir, entry.name))
      else if (entry.isDirectory() && entry.name !== '.build-id') visit(join(dir, entry.name), depth + 1)
    }
  }
  visit(root, 0)
  return files
}

/** CRC-32 of a whole source, as `.gnu_debuglink` has it. */
export function crcOf(source: ByteSource): number {
  let crc = 0
  for (let at = 0; at < source.size; at += crcChunk)
    crc = crc32(source.read(at, Math.min(crcChunk, source.size - at)), crc)
  return crc
}

export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
