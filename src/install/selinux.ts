/** SELinux: a new file has its directory's label, which need not be the one that the policy has for it (restorecon(8)). */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Step } from './step.ts'

/** Labels for what lies at these paths, where SELinux is in force. `sys` stands for /sys in tests. */
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

function wouldChange(paths: readonly string[]): boolean {
  try {
    return execFileSync('restorecon', ['-inRv', ...paths], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch {
    return true
  }
}
