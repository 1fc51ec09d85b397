/**
 * What `go version -m` prints: Go version, modules, build settings. In section `.go.buildinfo`, or found by its magic
 * number at the beginning of the writable data. Format: debug/buildinfo; text: runtime/debug.ParseBuildInfo.
 */

import { Cursor, utf8 } from '../bytes/cursor.ts'
import type { Memory } from '../core/memory.ts'
import type { LoadedFile } from '../core/process-image.ts'
import { SegmentFlag, SegmentType } from '../elf/constants.ts'

export interface GoModule {
  readonly path: string
  readonly version?: string
  readonly sum?: string
  readonly replace?: GoModule
}

export interface BuildInfo {
  /** As runtime.Version() gives it: `go1.26.8 X:nodwarf5`. */
  readonly goVersion: string
  /** Package path of main. */
  readonly path?: string
  readonly main?: GoModule
  readonly deps: readonly GoModule[]
  readonly settings: Readonly<Record<string, string>>
}

/** What begins the header, at a multiple of 16. */
export const buildInfoMagic: Uint8Array = Uint8Array.from([
  0xff,
  ...new TextEncoder().encode(' Go buildinf:'),
])
const headerSize = 32
const align = 16
const maxVersion = 1 << 10
const maxModinfo = 16 << 20
const maxScan = 1 << 20

export function findBuildInfo(file: LoadedFile, memory: Memory): BuildInfo | undefined {
  const section = file.elf.sections.find(({ name }) => name === '.go.buildinfo')
  const places = section ? [{ vaddr: section.addr, size: section.size }] : []
  for (const { type, flags, vaddr, memsz } of file.elf.segments)
    if (type === SegmentType.load && (flags & SegmentFlag.write) !== 0) places.push({ vaddr, size: memsz })
  for (const { vaddr, size } of places) {
    const found = scan(memory, vaddr + file.bias, Math.min(size, maxScan))
    if (found) return found
  }
  return undefined
}

function scan(memory: Memory, start: number, size: number): BuildInfo | undefined {
  // Past 2^53 a number does not change when 16 is added, nor does one as far below 0, which a damaged bias makes.
  const end = Math.min(start + size, Number.MAX_SAFE_INTEGER)
  for (let at = Math.max(0, Math.ceil(start / align) * align); at + headerSize <= end; at += align) {
    const head = memory.tryRead(at, headerSize)
    if (!head) {
      // A hole: on to the next page.
      at = Math.ceil((at + 1) / 4096) * 4096 - align
      continue
    }
    if (buildInfoMagic.every((byte, i) => head[i] === byte)) return readBuildInfo(memory, at, head)
  }
  return undefined
}

function readBuildInfo(memory: Memory, addr: number, head: Uint8Array): BuildInfo | undefined {
  const flags = head[15]!
  const strings =
    (flags & 2) !== 0 ? inlineStrings(memory, addr + headerSize) : pointedStrings(memory, addr, head)
  if (!strings || strings.version === '') return undefined
  return { goVersion: strings.version, ...parseModinfo(strings.modinfo) }
}

/** Go 1.18 and later: two varint-prefixed texts behind the header. */
function inlineStrings(memory: Memory, addr: number): { version: string; modinfo: string } | undefined {
  const text = (at: number, max: number): { text: string; end: number } | undefined => {
    const prefix = memory.tryRead(at, 10) ?? memory.tryRead(at, 1)
    if (!prefix) return undefined
    const cursor = new Cursor(prefix, { file: '', section: 'buildinfo', littleEndian: true, ptrSize: 8 })
    try {
      const length = cursor.uvarint()
      const bytes = length <= max ? memory.tryRead(at + cursor.at, length) : undefined
      return bytes && { text: utf8(bytes), end: at + cursor.at + length }
    } catch {
      return undefined
    }
  }
  const version = text(addr, maxVersion)
  if (!version) return undefined
  return { version: version.text, modinfo: text(version.end, maxModinfo)?.text ?? '' }
}

/** Before Go 1.18: addresses of two string headers. */
function pointedStrings(
  memory: Memory,
  addr: number,
  head: Uint8Array,
): { version: string; modinfo: string } | undefined {
  if (head[14] !== memory.ptrSize) return undefined
  const text = (at: number, max: number): string => {
    if (!memory.has(at, 2 * memory.ptrSize)) return ''
    const [ptr, length] = [memory.word(at), memory.word(at + memory.ptrSize)]
    const bytes = length <= max ? memory.tryRead(ptr, length) : undefined
    return bytes ? utf8(bytes) : ''
  }
  return {
    version: text(memory.word(addr + 16), maxVersion),
    modinfo: text(memory.word(addr + 16 + memory.ptrSize), maxModinfo),
  }
}

/** The module text: framed by 16 bytes on either side, lines of tab-separated words. */
function parseModinfo(framed: string): Omit<BuildInfo, 'goVersion'> {
  const deps: GoModule[] = []
  const settings: Record<string, string> = {}
  const result: { path?: string; main?: GoModule } = {}
  const whole = framed.length >= 33 && framed.at(-17) === '\n'
  let target: 'main' | 'dep' = 'main'
  for (const line of whole ? framed.slice(16, -16).split('\n') : []) {
    const [key, ...words] = line.split('\t')
    if (key === 'path') result.path = words[0] ?? ''
    else if (key === 'mod') {
      result.main = moduleOf(words)
      target = 'main'
    } else if (key === 'dep') {
      deps.push(moduleOf(words))
      target = 'dep'
    } else if (key === '=>') {
      const replace = moduleOf(words)
      if (target === 'main' && result.main) result.main = { ...result.main, replace }
      else if (target === 'dep' && deps.length > 0) deps.push({ ...deps.pop()!, replace })
    } else if (key === 'build') {
      const [name, value] = splitSetting(words.join('\t'))
      settings[name] = value
    }
  }
  return { ...result, deps, settings }
}

function moduleOf([path = '', version, sum]: string[]): GoModule {
  return { path, ...(version ? { version } : {}), ...(sum ? { sum } : {}) }
}

/** `key=value`, either of them quoted as a Go string where it holds anything unusual. */
function splitSetting(text: string): [string, string] {
  const quoted = /^("(?:[^"\\]|\\.)*")=(.*)$/s.exec(text)
  const equals = text.indexOf('=')
  const [key, value] = quoted ? [quoted[1]!, quoted[2]!] : [text.slice(0, equals), text.slice(equals + 1)]
  return [unquote(key), unquote(value)]
}

function unquote(text: string): string {
  if (text.startsWith('`') && text.endsWith('`') && text.length >= 2) return text.slice(1, -1)
  if (!text.startsWith('"')) return text
  try {
    return JSON.parse(text) as string
  } catch {
    return text
  }
}
