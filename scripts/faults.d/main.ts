/** Runs the faults one after the other and prints the table. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { HandlerBed } from '../../test/support/handler-bed.ts'
import { campaign } from './campaign.ts'
import { Tally } from './tally.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    tries: { type: 'string' },
    short: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(`usage: scripts/faults [OPTION]...
  --only TEXT     only faults whose name contains this
  --tries N       so many of each; 100% or 20% for a share of the usual number
  --short         as continuous integration does: few of each
  --verbose       what went wrong, one line each
`)
  for (const { name, about, tries } of campaign) process.stdout.write(`  ${name} (${tries}): ${about}\n`)
} else {
  const began = new Date()
  // As it is installed: what is killed, filled and stormed is the build behind its gate.
  HandlerBed.handler = join(import.meta.dirname, '../../dist/handler.cjs')
  process.stdout.write(
    '| fault | tries | lost | listed twice | wrongly complete | longest hold | whole / cut / record |\n|---|--:|--:|--:|--:|--:|--:|\n',
  )
  for (const fault of campaign.filter(({ name }) => name.includes(values.only ?? ''))) {
    const why = fault.unavailable?.() ?? false
    if (why !== false) {
      process.stdout.write(`| ${fault.name} | 0 | – | – | – | – | not here: ${why} |\n`)
      continue
    }
    const tally = new Tally()
    const usual = values.short ? fault.short : fault.tries
    const share = /^([0-9]+)%$/.exec(values.tries ?? '100%')
    const tries = share ? Math.max(1, Math.round((usual * Number(share[1])) / 100)) : Number(values.tries)
    const start = performance.now()
    try {
      await fault.run(tries, tally)
    } catch (error) {
      tally.wrong++
      tally.why.push(`the fault itself failed: ${(error as Error).stack}`)
    }
    tally.checkHold(fault.mostHeld)
    const { lost, twice, wrong, held, complete, truncated, records } = tally
    const hold = held === undefined ? '–' : `${(held / 1000).toFixed(2)} s`
    process.stdout.write(
      `| ${fault.name} | ${tally.tries} | ${lost} | ${twice} | ${wrong} | ${hold} | ${complete} / ${truncated} / ${records} |\n`,
    )
    if (values.verbose || !tally.isGood)
      for (const line of new Set(tally.why)) process.stderr.write(`    ${line}\n`)
    if (values.verbose) process.stderr.write(`    ${((performance.now() - start) / 1000).toFixed(0)} s\n`)
    if (!tally.isGood) process.exitCode = 1
  }
  process.stdout.write(`\n${began.toISOString().slice(0, 10)}\n`)
}
