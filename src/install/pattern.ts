/**
 * core_pattern: what this kernel understands, and the longest line of ours that fits.
 * Linux: fs/coredump.c (CORENAME_MAX_SIZE 128, so 127 bytes), Documentation/admin-guide/sysctl/kernel.rst.
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { SystemError } from '../base/errors.ts'

/** Bytes that core_pattern holds. */
export const longestPattern = 127

/** The seven fields that always work, in the handler's order. */
const required = '%P %u %g %s %t %c %e'

/** Optional fields in the handler's order, each with the kernel that brought it. A kernel drops what it does not know. */
const optional: readonly { field: string; since: readonly [number, number] }[] = [
  { field: '%h', since: [2, 6] },
  { field: '%I', since: [3, 16] },
  { field: '%d', since: [3, 7] },
  // Glued to an option's name: on a kernel without it the argument is still there, as `-F`.
  { field: '-F%F', since: [6, 16] },
]

/**
 * How many dumps the kernel hands over at a time; above 0 it keeps /proc/PID until the handler is done with the pipe. Most
 * of them may wait in line, see `gate.ts`, at a megabyte each. What the kernel refuses beyond is only in its log, and there
 * at most ten lines in five seconds.
 */
export const pipeLimit = 1024

export function kernelVersion(text: string = release()): readonly [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [undefined, '0', '0']
  return [Number(major), Number(minor)]
}

const atLeast = (have: readonly [number, number], want: readonly [number, number]): boolean =>
  have[0] > want[0] || (have[0] === want[0] && have[1] >= want[1])

/** The longest pattern for this launcher that the kernel knows and that fits; a longer path leaves the last fields out. */
export function corePattern(launcher: string, kernel: readonly [number, number] = kernelVersion()): string {
  let pattern = `|${launcher} ${required}`
  if (Buffer.byteLength(pattern) > longestPattern)
    throw new SystemError(
      `Cannot register ${launcher} with the kernel: core_pattern would take ${Buffer.byteLength(pattern)} bytes and holds ${longestPattern}; choose a shorter prefix`,
    )
  for (const { field, since } of optional) {
    if (!atLeast(kernel, since) || Buffer.byteLength(`${pattern} ${field}`) > longestPattern) break
    pattern += ` ${field}`
  }
  return pattern
}

/** Where the kernel connects in socket mode, and what it is told so by: `@@` asks for leave before it writes a core. */
export const socketPath = '/run/gocore-sink.sock'
export const socketPattern = `@@${socketPath}`

/** Whether a pattern brings dumps to this installation: to its launcher, or to the socket, which no private one has. */
export const isPatternOf = (
  { launcher, private: isPrivate }: { readonly launcher: string; readonly private: boolean },
  pattern: string | undefined,
): boolean => pattern?.startsWith(`|${launcher} `) === true || (!isPrivate && pattern === socketPattern)

/** Why dumps can't come by a socket here, or undefined. `modes`: /proc/sys/kernel/core_modes. */
export function noSocketMode(
  modes: string | undefined,
  kernel: readonly [number, number] = kernelVersion(),
): string | undefined {
  if (atLeast(kernel, [6, 17]) && modes?.split(/\s+/).includes('socket')) return undefined
  return `--socket takes Linux 6.17 or later with the coredump socket, and this is Linux ${kernel.join('.')}${
    modes === undefined ? '' : ` with ${modes.trim().split(/\s+/).join(' and ')} alone`
  }; without --socket, dumps come by a pipe`
}

/** The program that a pattern pipes to, and whose it is. */
export function describePattern(pattern: string): { program?: string; owner: string } {
  if (pattern === socketPattern) return { owner: 'gocore-sink' }
  if (pattern.startsWith('@')) return { owner: 'a socket server' }
  if (!pattern.startsWith('|'))
    return { owner: pattern === '' ? 'nobody' : 'the kernel, which writes files itself' }
  const program = pattern.slice(1).split(/\s+/)[0]!
  const known: [RegExp, string][] = [
    [/\/gocore-sink$/, 'gocore-sink'],
    [/systemd-coredump$/, 'systemd-coredump'],
    [/apport/, 'apport'],
    [/abrt-hook/, 'abrt'],
    [/\/false$/, 'nobody (/bin/false throws dumps away)'],
  ]
  return { program, owner: known.find(([name]) => name.test(program))?.[1] ?? program }
}

export const readCorePattern = (proc = '/proc'): string =>
  readFileSync(`${proc}/sys/kernel/core_pattern`, 'latin1').replace(/\n$/, '')
