/** Versions that nothing needs any more. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type Layout, staged } from './layout.ts'

/**
 * Directories below versions/ other than those to keep. A version of which a process still runs stays: a handler in
 * the middle of a dump loads its workers from there.
 */
export function retiredVersions(layout: Layout, keep: readonly (string | undefined)[]): string[] {
  const folder = `${layout.lib}/versions`
  let names: string[]
  try {
    names = readdirSync(staged(layout, folder))
  } catch {
    return []
  }
  const running = runningPrograms()
  return names
    .map(name => `${folder}/${name}`)
    .filter(path => !keep.includes(path) && !running.some(program => program.startsWith(`${path}/`)))
}

/** Handlers of any version of this installation that have a dump in hand, and launchers that stand in line for one. */
export function handlersOf(layout: Layout): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const [program, ...rest] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
        const ours = program!.startsWith(`${layout.lib}/versions/`)
        const isHandler = rest.some(word => word.endsWith('/dist/handler.cjs')) || rest.includes('--standby')
        const waits = rest[0] === layout.launcher && /^\d+$/.test(rest[1] ?? '')
        return (ours && isHandler) || waits ? [Number(pid)] : []
      } catch {
        return []
      }
    })
}

/** Executables of all processes that this one may look at. */
function runningPrograms(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        return [readlinkSync(`/proc/${pid}/exe`)]
      } catch {
        return []
      }
    })
}
