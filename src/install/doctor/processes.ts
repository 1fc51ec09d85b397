/** Running processes as far as their dumps are concerned. All texts of /proc are other people's bytes. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { type Host, lineOf } from './host.ts'

export interface Process {
  readonly pid: number
  readonly comm: string
  /** The systemd unit, or else the command's name. */
  readonly group: string
  /** Soft RLIMIT_CORE: bytes, `Infinity`, or undefined where it can't be read. */
  readonly coreLimit: number | undefined
  readonly coredumpFilter: number | undefined
  /** undefined: the executable can't be read. */
  readonly isGo: boolean | undefined
  /** Value of GOTRACEBACK, `''` where it is unset; undefined where the environment can't be read. */
  readonly gotraceback: string | undefined
  /** false where the kernel made files of /proc/PID root's, which it does for processes that are not dumpable (proc(5)). */
  readonly dumpable: boolean | undefined
}

export function readProcesses(host: Host): Process[] {
  const known = new Map<string, boolean>()
  return host
    .names('/proc')
    .filter(name => /^\d{1,10}$/.test(name))
    .flatMap(name => readProcess(host, Number(name), known) ?? [])
}

/** undefined for kernel threads and for processes that end meanwhile. */
export function readProcess(
  host: Host,
  pid: number,
  known = new Map<string, boolean>(),
): Process | undefined {
  const folder = `/proc/${pid}`
  const status = host.text(`${folder}/status`)
  // Kernel threads have no memory of their own.
  if (status === undefined || !/^VmSize:/m.test(status)) return undefined
  const comm = printable(lineOf(host, `${folder}/comm`) ?? '?')
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN)
  const environ = host.text(`${folder}/environ`)
  // Not that of /proc/PID: the kernel leaves a directory for all to read to the process's user.
  const owner = host.owner(`${folder}/environ`)
  return {
    pid,
    comm,
    group: unitOf(host.text(`${folder}/cgroup`) ?? '') ?? comm,
    coreLimit: coreLimit(host.text(`${folder}/limits`)),
    coredumpFilter: hex(lineOf(host, `${folder}/coredump_filter`)),
    isGo: isGo(host, `${folder}/exe`, known),
    gotraceback:
      environ === undefined ? undefined : (/(?:^|\0)GOTRACEBACK=([^\0]*)/.exec(environ)?.[1] ?? ''),
    dumpable: uid === 0 ? true : owner === undefined ? undefined : owner === uid,
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64)

const hex = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined

/** `Max core file size     0     unlimited     bytes`: soft, then hard. */
function coreLimit(limits: string | undefined): number | undefined {
  const soft = /^Max core file size\s+(\S+)/m.exec(limits ?? '')?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

function unitOf(cgroup: string): string | undefined {
  const unit = /\/([\w@.:\\-]{1,200}\.service)(?:\/|$)/m.exec(cgroup)?.[1]
  return unit
}

/** Whether an executable has a section `.go.buildinfo`; asked once per file. */
function isGo(host: Host, path: string, known: Map<string, boolean>): boolean | undefined {
  const fd = host.open(path)
  if (fd === undefined) return undefined
  try {
    const { dev, ino } = fstatSync(fd)
    const key = `${dev}:${ino}`
    const before = known.get(key)
    if (before !== undefined) return before
    const answer = hasSection(fd, '.go.buildinfo')
    known.set(key, answer)
    return answer
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** Looks a section's name up in an ELF file's name table (gABI ch. 4), reading only header and tables. */
export function hasSection(fd: number, name: string): boolean {
  const header = Buffer.alloc(64)
  if (readSync(fd, header, 0, 64, 0) < 52 || header.readUInt32BE(0) !== 0x7f454c46) return false
  const is64 = header[4] === 2
  const little = header[5] === 1
  const u16 = (from: Buffer, at: number): number => (little ? from.readUInt16LE(at) : from.readUInt16BE(at))
  const word = (from: Buffer, at64: number, at32: number): number => {
    if (!is64) return little ? from.readUInt32LE(at32) : from.readUInt32BE(at32)
    return Number(little ? from.readBigUInt64LE(at64) : from.readBigUInt64BE(at64))
  }
  const shoff = word(header, 40, 32)
  const shentsize = u16(header, is64 ? 58 : 46)
  const shstrndx = u16(header, is64 ? 62 : 50)
  if (shentsize !== (is64 ? 64 : 40)) return false
  const entry = Buffer.alloc(shentsize)
  if (readSync(fd, entry, 0, shentsize, shoff + shstrndx * shentsize) < shentsize) return false
  const offset = word(entry, 24, 16)
  const size = Math.min(word(entry, 32, 20), 65536)
  const names = Buffer.alloc(size)
  const length = readSync(fd, names, 0, size, offset)
  return names.subarray(0, length).includes(`\0${name}\0`)
}
