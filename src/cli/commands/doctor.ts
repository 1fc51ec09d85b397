/** `doctor`: what keeps dumps from arriving or being useful. */
import { define, wholeNumber } from '../define.ts'
import type { GlobalArgs, JsonArgs } from '../options.ts'
import { jsonOption } from '../options.ts'
import { printableLines } from '../render/escape.ts'
import { Exit } from '../render/exit.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { lookOf, palette } from '../render/style.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('doctor')

export const builder = define({
  positionals: { process: { describe: 'number of a running process: what would keep its dump away?' } },
  options: { ...jsonOption },
  examples: [
    ['gocore-sink doctor', 'this machine, and the Go programs that run on it'],
    ['gocore-sink doctor 4121', 'one process'],
  ],
})

interface Args extends GlobalArgs, JsonArgs {
  process?: string
}

export async function handler(argv: Args): Promise<void> {
  const pid = argv.process === undefined ? undefined : wholeNumber(argv.process, 'doctor')
  const { openConfig } = await import('../site.ts')
  const { doctor, formatFindings } = await import('../../install/index.ts')
  const config = openConfig(argv)
  const findings = await doctor({ config, ...(pid === undefined ? {} : { pid }) })
  if (argv.json) writeLines(1, jsonDocument({ schema: 'gocore-doctor', version: 1 }, 'findings', findings))
  else {
    const paint = palette(lookOf(process.stdout))
    const styles = {
      ok: paint.good,
      note: paint.dim,
      warning: paint.warn,
      problem: paint.bad,
      skipped: paint.dim,
    }
    // Names of processes and paths are anyone's choice; each text is cleaned before it is coloured.
    const clean = findings.map(finding =>
      JSON.parse(JSON.stringify(finding), (_, value) =>
        typeof value === 'string' ? printableLines(value) : value,
      ),
    )
    const text = formatFindings(clean, (status, label) => styles[status](label))
    await page(text.trimEnd().split('\n'), { pager: !argv.noPager })
  }
  if (findings.some(finding => finding.status === 'problem')) process.exitCode = Exit.findings
}
