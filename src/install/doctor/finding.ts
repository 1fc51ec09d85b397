/** What doctor found, as data and as text. */
import { reasonOf } from '../../base/errors.ts'

export type FindingStatus = 'ok' | 'note' | 'warning' | 'problem' | 'skipped'

export interface Finding {
  /** Stable, for programs: `core-pattern`, `daemon`. */
  readonly name: string
  readonly status: FindingStatus
  /** A sentence: what is so, and what follows from it. */
  readonly what: string
  /** What to do, a command where there is one. */
  readonly remedy?: string
  /** Lines that belong to it: processes, files. */
  readonly detail?: readonly string[]
}

/**
 * What this user may not look at is skipped: that is no fault. What nobody can look at is a problem. Neither is a reason to
 * tell nothing of the rest.
 */
export function ifSeen<F>(name: string, check: () => F): F | Finding {
  try {
    return check()
  } catch (error) {
    const { code, errno, path } = error as NodeJS.ErrnoException
    if (errno === undefined) throw error
    if (code === 'EACCES')
      return {
        name,
        status: 'skipped',
        what: `This user may not look at ${path}.`,
        remedy: 'run doctor as root',
      }
    return {
      name,
      status: 'problem',
      what: `${path ?? 'What is to be checked'} can't be looked at: ${reasonOf(error)}.`,
      remedy: 'mount it anew, mend its links or its disk, or name another place in the configuration',
    }
  }
}

const labels: Record<FindingStatus, string> = {
  ok: 'ok',
  note: 'note',
  warning: 'warning',
  problem: 'PROBLEM',
  skipped: 'skipped',
}

/** One block per finding; `paint` colours a label by its status. */
export function formatFindings(
  findings: readonly Finding[],
  paint: (status: FindingStatus, text: string) => string = (_, text) => text,
): string {
  const width = Math.max(...findings.map(({ name }) => name.length), 0)
  const lines: string[] = []
  const indent = ' '.repeat(10)
  for (const { name, status, what, remedy, detail } of findings) {
    lines.push(`${paint(status, labels[status].padEnd(8))}  ${name.padEnd(width)}  ${what}`)
    for (const line of detail ?? []) lines.push(`${indent}  ${line}`)
    if (remedy !== undefined) lines.push(`${indent}  → ${remedy}`)
  }
  const count = (status: FindingStatus): number =>
    findings.filter(finding => finding.status === status).length
  const problems = count('problem')
  const warnings = count('warning')
  lines.push(
    problems + warnings === 0
      ? 'Nothing is in the way of a dump.'
      : `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`,
  )
  return `${lines.join('\n')}\n`
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
