/** `verify`: is what is stored whole? */
import type { DumpRef } from '../../archive/store.ts'
import { define } from '../define.ts'
import { type GlobalArgs, type JsonArgs, jsonOption } from '../options.ts'
import { printable } from '../render/escape.ts'
import { Exit } from '../render/exit.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { startProgress } from '../render/progress.ts'
import { lookOf, palette } from '../render/style.ts'
import { count } from '../render/text.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('verify')

export const builder = define({
  positionals: {
    dumps: {
      describe: 'ids or their beginnings; without any, the whole archive',
      several: true,
      complete: 'dump',
    },
  },
  options: { ...jsonOption },
  examples: [
    ['gocore-sink verify', 'every block of every core, every executable, every report'],
    ['gocore-sink verify 7f3k', 'one dump'],
  ],
})

interface Args extends GlobalArgs, JsonArgs {
  dumps?: string[]
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { findDump, presentStore } = await import('../find-dump.ts')
  const { isFinding, verify } = await import('../../daemon/index.ts')
  using site = openSite(argv)
  const store = presentStore(site)
  const named: DumpRef[] = []
  for (const prefix of argv.dumps ?? []) named.push(await findDump(site, prefix))
  const only = named.length > 0 ? named : store.own()
  const options = { store, catalog: await site.catalog(), only }
  let problems = 0
  let dumps = 0
  let last = ''
  const findings = (function* () {
    using progress = startProgress('verifying')
    for (const step of verify(options)) {
      if (isFinding(step)) {
        if (step.severity === 'problem') problems++
        yield step
      } else {
        if (step.id !== last) dumps++
        last = step.id
        progress.update(step.done, step.of)
      }
    }
  })()
  const { bad, dim, good } = palette(lookOf(process.stdout))
  if (argv.json) writeLines(1, jsonDocument({ schema: 'gocore-verify', version: 1 }, 'findings', findings))
  else
    for (const { severity, where, what } of findings)
      writeLines(1, [
        `${severity === 'problem' ? bad('problem') : dim('note   ')}  ${printable(where)}  ${printable(what)}`,
      ])
  if (!argv.json)
    writeLines(1, [
      problems === 0
        ? good(`${count(dumps, 'dump')} verified, all sound.`)
        : bad(`${count(dumps, 'dump')} verified, ${count(problems, 'problem')}.`),
    ])
  if (problems > 0) process.exitCode = Exit.findings
}
