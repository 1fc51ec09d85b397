/**
 * A dead process's address space: the core's own pages, then the executable and the libraries, each from its own
 * file, at the places that NT_FILE names. Old dumpers (gcore) leave NT_FILE or NT_AUXV out; the executable's segments
 * and its load bias then say where it lay.
 */
import { MismatchError, reasonOf } from '../../base/errors.ts'
import type { Arch } from '../arch/arch.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import { SegmentType } from '../elf/constants.ts'
import { type ElfFile, openElf } from '../elf/file.ts'
import { AuxType } from './auxv.ts'
import type { CoreFile } from './core-file.ts'
import { fileInCore } from './file-in-core.ts'
import type { FileProvider, FileRequest } from './file-provider.ts'
import { checkExecutable, findMismatch, identityInCore, type MappedIdentity } from './identity.ts'
import type { Mapping } from './mapping.ts'
import { type Region, SplicedMemory, splice } from './memory.ts'
import { relocatedData } from './relocated.ts'
import { RecordingMemory, type TouchedMemory } from './touched-memory.ts'
import { type Warning, Warnings } from './warnings.ts'

export interface LoadedFile {
  readonly path: string
  readonly role: 'executable' | 'library'
  readonly elf: ElfFile
  /** Added to the file's own addresses to get the process's. */
  readonly bias: number
  readonly start: number
  readonly end: number
  /** Its separate debug information, of the very build; set by whoever finds it once the process is open. */
  debug?: ElfFile
}

export interface ProcessImage {
  readonly core: CoreFile
  readonly arch: Arch
  readonly memory: SplicedMemory
  /**
   * The same with the executable's data as its file has them, relocated, over the core's: constants of a program whose
   * data the core holds damaged or not at all. Made when first asked for.
   */
  readonly pristineMemory: () => SplicedMemory
  readonly executable?: LoadedFile
  /** Path of the program as the kernel or the auxiliary vector named it. */
  readonly executablePath?: string
  readonly libraries: readonly LoadedFile[]
  readonly bytesFromCore: number
  readonly bytesFromFiles: number
  readonly warnings: readonly Warning[]
}

const maxFiles = 4096

/**
 * Throws MismatchError where the executable at hand is not the program that crashed. `touched` takes down what is read of
 * the memory from here on.
 */
export function openProcessImage(core: CoreFile, files: FileProvider, touched?: TouchedMemory): ProcessImage {
  const warnings = new Warnings()
  const memoryOf = (regions: readonly Region[]): SplicedMemory =>
    touched ? new RecordingMemory(regions, core.arch, touched) : new SplicedMemory(regions, core.arch)
  const coreRegions = regionsOfCore(core)
  const coreMemory = memoryOf(coreRegions)
  const executable = openExecutable(core, coreMemory, files, warnings)
  const libraries = openLibraries(core, coreMemory, files, warnings)
  let regions = coreRegions
  const loaded = [...(executable?.file ? [executable.file] : []), ...libraries]
  for (const file of loaded) regions = splice(regions, regionsOfFile(file, core.mappings))
  let pristine: SplicedMemory | undefined
  const bytes = (origin: Region['origin']): number =>
    regions.reduce((sum, r) => (r.origin === origin ? sum + (r.end - r.start) : sum), 0)
  return {
    core,
    arch: core.arch,
    memory: memoryOf(regions),
    pristineMemory: () => {
      pristine ??= memoryOf(splice(dataOf(executable?.file, core.arch), regions))
      return pristine
    },
    ...(executable?.file ? { executable: executable.file } : {}),
    ...(executable?.path !== undefined ? { executablePath: executable.path } : {}),
    libraries,
    bytesFromCore: bytes('core'),
    bytesFromFiles: bytes('file'),
    warnings: [...core.warnings, ...warnings.list()],
  }
}

function dataOf(file: LoadedFile | undefined, arch: Arch): Region[] {
  return file ? relocatedData(file.elf, file.bias, arch) : []
}

/** What is in the core: p_filesz bytes of each PT_LOAD, and of those what a cut core still has. */
function regionsOfCore(core: CoreFile): Region[] {
  const regions: Region[] = []
  for (const { vaddr, filesz, offset } of core.segments) {
    const size = Math.min(filesz, core.source.size - offset)
    if (size <= 0 || !Number.isSafeInteger(vaddr + size)) continue
    regions.push({ start: vaddr, end: vaddr + size, source: core.source, offset, origin: 'core' })
  }
  // Never assume order (sysctl core_sort_vma), nor that a damaged core's segments keep apart.
  regions.sort((a, b) => a.start - b.start)
  return regions.every((r, i) => i === 0 || regions[i - 1]!.end <= r.start)
    ? regions
    : regions.reduce<Region[]>((upper, region) => splice(upper, [region]), [])
}

/** Where a file's bytes lie: as NT_FILE says, and where that is missing as the file's own segments say. */
function regionsOfFile(file: LoadedFile, mappings: readonly Mapping[]): Region[] {
  const source = file.elf.source
  const region = (start: number, size: number, offset: number): Region[] => {
    const length = Math.min(size, source.size - offset)
    const valid = length > 0 && Number.isSafeInteger(start) && start >= 0
    return valid ? [{ start, end: start + length, source, offset, origin: 'file' }] : []
  }
  const named = mappings
    .filter(({ path }) => path === file.path)
    .flatMap(({ start, end, fileOffset }) => region(start, end - start, fileOffset))
    .sort((a, b) => a.start - b.start)
  const own = file.elf.segments
    .filter(({ type }) => type === SegmentType.load)
    .flatMap(({ vaddr, filesz, offset }) => region(vaddr + file.bias, filesz, offset))
    .sort((a, b) => a.start - b.start)
  return splice(named, own)
}

function openExecutable(
  core: CoreFile,
  memory: SplicedMemory,
  files: FileProvider,
  warnings: Warnings,
): { path?: string; file?: LoadedFile } | undefined {
  const mapping = executableMapping(core)
  const path = mapping?.path ?? execfn(core, memory)
  const start = mapping && firstMapping(core.mappings, mapping.path).start
  const mapped = start === undefined ? undefined : identityInCore(memory, start, path ?? 'the program')
  const source =
    files.executable ??
    (path === undefined
      ? undefined
      : (find(files, path, mapped, 'executable', warnings) ?? fileInCore(memory, core.mappings, path)))
  const named = path === undefined ? {} : { path }
  if (!source) {
    warnings.add('executable-missing', `The executable ${path ?? '(unknown)'} was not found.`)
    return named
  }
  const elf = openElf(source)
  checkExecutable(elf, mapped)
  if (!mapped)
    warnings.add(
      'executable-unverified',
      `The core does not hold the first page of its program, so ${source.name} could not be compared with it.`,
    )
  const bias = biasOf(elf, core, start)
  if (bias === undefined)
    throw new MismatchError(
      `${source.name} is not the program of this core: its entry point is 0x${elf.header.entry.toString(16)}, the core's is 0x${(core.auxv.get(AuxType.entry) ?? 0).toString(16)}`,
    )
  return { ...named, file: loadedFile(path ?? source.name, 'executable', elf, bias) }
}

/** AT_ENTRY less e_entry; where there is no auxiliary vector, from where the first page lay. */
function biasOf(elf: ElfFile, core: CoreFile, start: number | undefined): number | undefined {
  const entry = core.auxv.get(AuxType.entry)
  const first = elf.segments.find(({ type }) => type === SegmentType.load)
  if (entry === undefined) return start === undefined || !first ? 0 : start - (first.vaddr - first.offset)
  const bias = entry - elf.header.entry
  return bias >= 0 && bias % 4096 === 0 ? bias : undefined
}

function openLibraries(
  core: CoreFile,
  memory: SplicedMemory,
  files: FileProvider,
  warnings: Warnings,
): LoadedFile[] {
  const executable = executableMapping(core)?.path
  const paths = new Set(core.mappings.map(({ path }) => path))
  const libraries: LoadedFile[] = []
  for (const path of [...paths].slice(0, maxFiles)) {
    if (path === executable) continue
    const first = firstMapping(core.mappings, path)
    const mapped = first.fileOffset === 0 ? identityInCore(memory, first.start, path) : undefined
    // Data files that were mapped are not ours to ask for.
    if (!mapped) continue
    const library = openLibrary(path, first, mapped, files, warnings)
    if (library) libraries.push(library)
  }
  return libraries
}

function openLibrary(
  path: string,
  first: Mapping,
  mapped: MappedIdentity,
  files: FileProvider,
  warnings: Warnings,
): LoadedFile | undefined {
  const source = find(files, path, mapped, 'library', warnings)
  if (!source) {
    warnings.add('library-missing', `The shared library ${path} was not found.`)
    return undefined
  }
  try {
    const elf = openElf(source)
    const problem = findMismatch(elf, mapped, `library ${path}`)
    if (problem) {
      warnings.add('library-mismatch', `${problem}.`)
      return undefined
    }
    const load = elf.segments.find(({ type }) => type === SegmentType.load)
    return loadedFile(path, 'library', elf, first.start - ((load?.vaddr ?? 0) - (load?.offset ?? 0)))
  } catch (error) {
    warnings.add('library-damaged', `The shared library ${path} could not be read: ${reasonOf(error)}.`)
    return undefined
  }
}

function loadedFile(path: string, role: LoadedFile['role'], elf: ElfFile, bias: number): LoadedFile {
  const loads = elf.segments.filter(({ type }) => type === SegmentType.load)
  return {
    path,
    role,
    elf,
    bias,
    start: bias + loads.reduce((min, { vaddr }) => Math.min(min, vaddr), Infinity),
    end: bias + loads.reduce((max, { vaddr, memsz }) => Math.max(max, vaddr + memsz), 0),
  }
}

/** The mapping that holds the program headers, or the entry point. */
function executableMapping({ auxv, mappings }: CoreFile): Mapping | undefined {
  for (const addr of [auxv.get(AuxType.phdr), auxv.get(AuxType.entry)]) {
    const found = addr === undefined ? undefined : mappings.find(m => m.start <= addr && addr < m.end)
    if (found) return found
  }
  return undefined
}

/** The lowest part of a file, with its header where it is mapped at all. */
function firstMapping(mappings: readonly Mapping[], path: string): Mapping {
  return mappings
    .filter(mapping => mapping.path === path)
    .reduce((first, mapping) => (mapping.fileOffset < first.fileOffset ? mapping : first))
}

function execfn({ auxv }: CoreFile, memory: SplicedMemory): string | undefined {
  const addr = auxv.get(AuxType.execfn)
  return addr !== undefined && memory.has(addr, 1) ? memory.cstring(addr, 4096) : undefined
}

function find(
  files: FileProvider,
  path: string,
  mapped: MappedIdentity | undefined,
  role: FileRequest['role'],
  warnings: Warnings,
): ByteSource | undefined {
  const ids = {
    ...(mapped?.buildId ? { buildId: mapped.buildId } : {}),
    ...(mapped?.goBuildId ? { goBuildId: mapped.goBuildId } : {}),
  }
  try {
    return files.find({ path: path.replace(/ \(deleted\)$/, ''), role, ...ids })
  } catch (error) {
    warnings.add('file-unreadable', `The file ${path} could not be opened: ${reasonOf(error)}.`)
    return undefined
  }
}
