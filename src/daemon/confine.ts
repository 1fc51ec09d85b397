/**
 * How a child that looks at a dump is confined: resource limits set by the shell that execs it, V8's own heap limit, and Node's
 * permission model (no writing, no network, no processes; reading only the archive and the program).
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { forbidCores } from './libc.ts'

export interface Limits {
  /** Bytes of memory. */
  readonly memory: number
  /** Seconds of processor time; the wall clock is the caller's. */
  readonly seconds: number
}

/**
 * What V8 takes beside the heap: at its start 575 MB count as data (RLIMIT_DATA) and 1.2 GB as address space, of which 45 MB
 * are really used (Node 26.10, two processors). More processors mean more threads with stacks and arenas.
 */
const dataAtStart = 768 * 2 ** 20
const addressSpaceAtStart = 3 * 2 ** 30

/** A small shell is everywhere, prlimit(1) is not; limits are arguments, and nothing of a dump comes near it. */
const script =
  'ulimit -f 0; ulimit -n 256; ulimit -t "$1"; ulimit -d "$2"; ulimit -v "$3"; shift 3; exec "$@"'

/** A child's program: beside this file in the sources, beside the bundle in an installation. */
export const childProgram = (name: 'analyse' | 'encrypt' | 'shrink'): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? `./${name}-child.ts` : `./${name}.js`, import.meta.url),
  )

export function confinedCommand(
  limits: Limits,
  readable: readonly string[],
  program = childProgram('analyse'),
): string[] {
  const kilobytes = (bytes: number): string => String(Math.ceil(bytes / 1024))
  return [
    // Where the kernel can't be told never to dump it, a limit of 0 at least keeps cores out of plain files.
    ...['/bin/sh', '-c', forbidCores() ? script : `ulimit -c 0; ${script}`, 'gocore-analyse'],
    String(Math.ceil(limits.seconds)),
    kilobytes(limits.memory + dataAtStart),
    kilobytes(limits.memory + addressSpaceAtStart),
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    // A quarter is for what lies outside V8's heap, such as decoded blocks.
    `--max-old-space-size=${Math.floor((limits.memory * 0.75) / 2 ** 20)}`,
    '--permission',
    // The codec is an addon.
    '--allow-addons',
    // For the filter of system calls, which it puts over itself.
    ...(process.getBuiltinModule('node:ffi' as never) === undefined ? [] : ['--allow-ffi']),
    ...[programRoot(program), ...readable].map(path => `--allow-fs-read=${path}`),
    program,
  ]
}

/** The bundle lies in one directory; the sources also need what they import from others. */
const programRoot = (program: string): string =>
  program.endsWith('.ts') ? join(dirname(program), '../..') : dirname(program)

/** Nothing of the daemon's environment reaches the child. One arena per thread would use up the address space. */
export const confinedEnvironment = {
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  MALLOC_ARENA_MAX: '2',
}
