/**
 * Debug information from elsewhere: the files, directories and servers that `--symbols` names, and the places where it
 * lies by convention. The result is what a debugger reads in place of the process's own files.
 */
import { statSync } from 'node:fs'
import { MismatchError, NotFoundError, reasonOf, UsageError } from '../../base/errors.ts'
import {
  type DebugInfo,
  type ElfFile,
  fitsSplit,
  hasDebugInfo,
  isSplit,
  type LoadedFile,
  openDebugInfo,
  openElf,
  withMovedGlobals,
} from '../../engine/index.ts'
import { type OpenSource, openFile } from '../../source/index.ts'
import { indexCache } from '../debug-index.ts'
import { loadDisassembler } from '../disassembler.ts'
import type { SymbolArgs } from '../options.ts'
import { printable } from '../render/escape.ts'
import { writeLines } from '../render/output.ts'
import { startProgress } from '../render/progress.ts'
import type { Session } from '../session.ts'
import { type DebuginfodOptions, fetchByBuildId, isUrl } from './debuginfod.ts'
import { type DebugFile, type FitContext, fits } from './fits.ts'
import { filesBelow, isFile, type Place, placesIn } from './local.ts'
import { splitFiles } from './split.ts'

export type { DebugFile } from './fits.ts'

/** Open until the session is closed. */
export interface Symbols {
  /** The file to read debug information from; undefined where it is the process's own, or none. */
  debugFileFor(file: LoadedFile): DebugFile | undefined
  /** For openDebugger(): what that file, or the process's own, has. */
  debugInfoFor(file: LoadedFile): DebugInfo | undefined
  /** Sentences about what was found and not used, or could not be asked. */
  readonly warnings: readonly string[]
}

/** `DEBUGINFOD_URLS` in place of a URL: the servers that the environment names, which are asked only so. */
const fromEnvironment = 'DEBUGINFOD_URLS'
const concurrent = 4

/**
 * Looks for all files of the process. Throws NotFoundError where what is named is not there, and MismatchError, with what
 * differs, where a file that is named fits nothing in the process.
 */
export async function openSymbols(
  session: Session,
  { symbols = [] }: SymbolArgs = {},
  options: DebuginfodOptions & { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Symbols> {
  const context: FitContext = {
    process: session.process,
    // What lies where convention puts it is known by build id or checksum.
    ...(symbols.length > 0 ? { disassembler: await loadDisassembler() } : {}),
  }
  const { executable, libraries } = session.process.image
  const loaded = [...(executable ? [executable] : []), ...libraries]
  const opened: OpenSource[] = []
  const files = new Map<LoadedFile, DebugFile>()
  /** Split debug information that was named, and directories that may have some. */
  const split: { readonly files: ElfFile[]; readonly dirs: string[] } = { files: [], dirs: [] }
  const warnings: string[] = []
  const named = resolved(symbols, options.env)
  const dispose = (): void => {
    for (const source of opened) source[Symbol.dispose]()
  }
  try {
    for (const source of named) {
      if (isUrl(source)) await fromServer(source)
      else if (statSync(source, { throwIfNoEntry: false })?.isDirectory()) fromDirectory(source)
      else fromFile(source)
    }
    for (const [file, { elf, translate }] of files) if (!translate) file.debug = elf
  } catch (error) {
    dispose()
    throw error
  }
  session.keep({ [Symbol.dispose]: dispose })
  return {
    debugFileFor: file => files.get(file) ?? (file.debug && { elf: file.debug }),
    debugInfoFor(file) {
      const other = files.get(file) ?? (file.debug && { elf: file.debug })
      const types = session.process.runtime?.modules[0]?.types
      const elf = other?.elf ?? file.elf
      const here = session.found.get(elf.source.name) ?? elf.source.name
      const found = openDebugInfo(elf, {
        cache: indexCache(here),
        split: splitFiles(file, {
          ...split,
          paths: [...new Set([here, session.found.get(file.path) ?? file.elf.source.name])],
          keep: resource => session.keep(resource),
          warn: sentence => writeLines(2, [printable(sentence)]),
        }),
        ...(file.role === 'executable' && types !== undefined ? { types } : {}),
      })
      return found && other?.translate ? withMovedGlobals(found, other.translate) : found
    },
    warnings,
  }

  /** The first of `places` that fits; what is there and does not is worth a warning only where it was named. */
  function firstFit(file: LoadedFile, places: readonly Place[]): boolean {
    for (const { path, crc } of places) {
      if (!isFile(path)) continue
      const tried = attempt(path, file, crc)
      if ('file' in tried) {
        files.set(file, tried.file)
        return true
      }
    }
    return false
  }

  /** Whether a named file is split debug information; throws MismatchError for what is, of another program. */
  function takeSplit(path: string): boolean {
    const source = openFile(path)
    opened.push(source)
    const elf = elfOf(source)
    if (!elf || !isSplit(elf)) return false
    if (!loaded.some(file => fitsSplit(files.get(file)?.elf ?? file.debug ?? file.elf, elf)))
      throw new MismatchError(
        `${path} does not fit ${executable?.path ?? 'the program'}: none of its units has the id of one that the program was split into.`,
      )
    split.files.push(elf)
    return true
  }

  function attempt(path: string, file: LoadedFile, crc?: number): ReturnType<typeof fits> {
    let source: OpenSource | undefined
    try {
      source = openFile(path)
      const elf = openElf(source)
      const fit = fits(elf, file, { ...context, ...(crc === undefined ? {} : { checksum: { source, crc } }) })
      if ('file' in fit) {
        opened.push(source)
        source = undefined
      }
      return fit
    } catch (error) {
      return { refusal: `could not be read: ${reasonOf(error)}` }
    } finally {
      source?.[Symbol.dispose]()
    }
  }

  function fromFile(path: string): void {
    if (!isFile(path)) throw new NotFoundError(`--symbols: there is no file ${path}.`)
    if (takeSplit(path)) return
    const refusals: string[] = []
    for (const file of loaded) {
      // A named file is the program's, unless its build id says that it is a library's.
      const tried = attempt(path, file)
      if ('file' in tried) {
        files.set(file, tried.file)
        return
      }
      refusals.push(tried.refusal)
    }
    throw new MismatchError(
      `${path} does not fit ${executable?.path ?? 'the program'}: it ${refusals[0] ?? 'has nothing to be compared with, for the program was not found'}.`,
    )
  }

  function fromDirectory(root: string): void {
    for (const file of loaded) if (!files.has(file)) firstFit(file, placesIn(root, file))
    if (filesBelow(root).some(path => /\.dw[op]$/.test(path))) split.dirs.push(root)
    else if (files.size === 0) warnings.push(`Nothing in ${root} fits the program or its libraries.`)
  }

  async function fromServer(server: string): Promise<void> {
    const wanted = loaded.filter(file => !files.has(file) && !file.debug && !hasDebugInfo(file.elf))
    const asked = wanted.filter(({ elf }) => elf.buildId !== undefined)
    for (const { path } of wanted.filter(({ elf }) => elf.buildId === undefined))
      warnings.push(`${path} has no GNU build id, by which ${server} would be asked.`)
    using progress = startProgress(`asking ${server}`)
    const queue = [...asked]
    const worker = async (): Promise<void> => {
      for (let file = queue.shift(); file; file = queue.shift()) await askFor(server, file, progress.update)
    }
    await Promise.all(Array.from({ length: concurrent }, worker))
  }

  async function askFor(
    server: string,
    file: LoadedFile,
    onProgress: (done: number, of?: number) => void,
  ): Promise<void> {
    try {
      const path = await fetchByBuildId(server, file.elf.buildId!, 'debuginfo', {
        onProgress: (done, of) => onProgress(done, of ?? 0),
        ...options,
      })
      if (path === undefined) return
      const tried = attempt(path, file)
      if ('file' in tried) files.set(file, tried.file)
      else warnings.push(`What ${server} sent for ${file.path} ${tried.refusal}.`)
    } catch (error) {
      warnings.push(`${reasonOf(error)}.`)
    }
  }
}

/** Undefined where it is none. */
function elfOf(source: OpenSource): ElfFile | undefined {
  try {
    return openElf(source)
  } catch {
    return undefined
  }
}

/** The servers among what `--symbols` names. */
export const serversIn = (symbols: readonly string[] = [], env?: NodeJS.ProcessEnv): string[] =>
  resolved(symbols, env).filter(isUrl)

function resolved(symbols: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  return symbols.flatMap(text => (text === fromEnvironment ? serversOf(env) : [text]))
}

function serversOf(env: NodeJS.ProcessEnv): string[] {
  const servers = (env.DEBUGINFOD_URLS ?? '').split(/\s+/).filter(isUrl)
  if (servers.length === 0) throw new UsageError('DEBUGINFOD_URLS names no server.')
  return servers
}
