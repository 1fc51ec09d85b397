import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const lacks = (program: string): string | false =>
  spawnSync(program, ['--version']).status === 0 ? false : `no ${program}`

/** Field 19 of proc(5)'s stat: the nice value. */
function niceOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
}

test('a handler of the kernel is the last at the disk, makes haste with the pipe, and is not for the memory killer', {
  skip: noKernel || lacks('ionice') || lacks('cc'),
}, async () => {
  using bed = new HandlerBed()
  const source = join(import.meta.dirname, '../../scripts/faults.d/victim.c')
  execFileSync('cc', ['-w', '-O1', '-pthread', '-o', bed.path('victim'), source])
  const seen = { class: new Set<string>(), nice: new Set<number>(), oom: new Set<string>() }
  const look = (pid: number): void => {
    const base = `/proc/${pid}`
    // The shell before it has the number, too.
    if (!readFileSync(`${base}/cmdline`, 'latin1').includes(HandlerBed.handler)) return
    seen.oom.add(readFileSync(`${base}/oom_score_adj`, 'latin1').trim())
    seen.nice.add(niceOf(readFileSync(`${base}/stat`, 'latin1')))
    for (const tid of readdirSync(`${base}/task`))
      seen.class.add(execFileSync('ionice', ['-p', tid], { encoding: 'utf8', stdio: 'pipe' }).trim())
  }
  const isDone = (): boolean =>
    seen.class.has('best-effort: prio 7') && seen.nice.has(-5) && seen.oom.has('-900')
  await bed.crash(`exec ${bed.path('victim')} memory 800`, {
    async during(pid) {
      const isThere = (): boolean => spawnSync('kill', ['-0', `${pid}`]).status === 0
      for (let n = 0; n < 1500 && isThere() && !isDone(); n++) {
        try {
          bed.handlers().forEach(look)
        } catch {
          // It, or one of its threads, has just ended.
        }
        await sleep(10)
      }
    },
  })
  assert.ok(isDone(), JSON.stringify({ class: [...seen.class], nice: [...seen.nice], oom: [...seen.oom] }))
})
