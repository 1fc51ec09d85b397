/** SELinux: a new file has its directory's label, which need not be the one that the policy has for it (restorecon(8)). */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Step } from './step.ts'

/** Labels for what lies at these paths, where the kernel has SELinux. `sys` stands for /sys in tests. */
export function labelSteps(paths: readonly string[], sys = '/sys'): Step[] {
  if (!existsSync(`${sys}/fs/selinux/enforce`)) return []
  return [
    {
      kind: 'command',
      argv: ['restorecon', '-iR', ...paths],
      why: 'the labels of SELinux; without them it may refuse the kernel the handler',
      needed: () => wouldChange(paths),
      optional: true,
    },
  ]
}

/** Not where there is no restorecon: then there is no policy either. Without one that is loaded it would change nothing. */
function wouldChange(paths: readonly string[]): boolean {
  try {
    return execFileSync('restorecon', ['-inRv', ...paths], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}
