/** A crash of which nobody but the kernel tells: there is no such handler. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { takeCorePattern } from '../support/core-pattern.ts'

/** Answers the process. */
export async function refusedCrash(): Promise<number> {
  using kernel = await takeCorePattern()
  kernel.set('|/nonexistent/handler %P')
  const child = spawn('/bin/sh', ['-c', 'kill -SEGV $$'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid!
}
