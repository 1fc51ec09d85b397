/**
 * The most that a handler may have, from its first instruction on: capset(2) works on the calling thread, and V8 has started
 * threads of its own before any code of ours runs. A bounding set is taken along by exec, so that none of them ever has more,
 * and nothing that it could start has. setpriv(1) is of util-linux; the kernel starts us as root with all there is.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { capability } from '../base/capabilities.ts'

const places = ['/usr/bin/setpriv', '/bin/setpriv']

/** What storage takes, the crashed process's /proc, its executable and memory, and haste. By numbers, which any setpriv knows. */
function handlerCapabilities(kernel: string): number[] {
  const { sysAdmin, checkpointRestore, ...rest } = capability
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  // For /proc/PID/map_files: a capability of its own since Linux 5.9.
  return [...Object.values(rest), major > 5 || (major === 5 && minor >= 9) ? checkpointRestore : sysAdmin]
}

/** The words before the handler's program; none where setpriv is not there, or can't do it. */
export function handlerBounds(kernel: string = release()): readonly string[] {
  const set = ['-all', ...handlerCapabilities(kernel).map(number => `+cap_${number}`)].join(',')
  for (const program of mayDrop() ? places : []) {
    const words = [program, `--bounding-set=${set}`, '--inh-caps=-all', '--no-new-privs']
    try {
      accessSync(program, constants.X_OK)
      // Who is not root can't try it, and asks what an installation would write.
      if (process.geteuid?.() === 0)
        execFileSync(program, [...words.slice(1), '/bin/true'], { stdio: 'ignore', env: {} })
      return words
    } catch {
      // Not there, or too old.
    }
  }
  return []
}

const SETPCAP = 8

/** Whether the kernel's helpers have what it takes: the first of two numbers holds capabilities 0 to 31. */
function mayDrop(): boolean {
  try {
    const [low] = readFileSync('/proc/sys/kernel/usermodehelper/bset', 'latin1').split(/\s+/)
    return (Number(low) & (1 << SETPCAP)) !== 0
  } catch {
    return true
  }
}
