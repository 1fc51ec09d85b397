/**
 * Fidelity: how much of what a dying Go program prints of itself the engine finds in its core. For each Go version and
 * kind of build: build test/programs, crash each through the kernel, compare, print a row of the table. The programs
 * that wait for minutes before they die are started with their cell and crashed at the end.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crashed, crashCell, crashPatient, type Patient } from './cell.ts'
import { countDelve } from './delve.ts'
import { keptCrashes } from './kept.ts'
import { measure } from './measure.ts'
import { help, type Options, parseOptions } from './options.ts'
import { Table } from './table.ts'
import { haveGo } from './toolchains.ts'
import { compareValues } from './values.ts'

const options = parseOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(help)
else if (!haveGo()) process.stdout.write('fidelity: skipped, there is no Go on this machine\n')
else if (process.getuid!() !== 0) process.stdout.write('fidelity: skipped, core_pattern needs root\n')
else if (options.values) process.exitCode = await compareValues({ ...options.asked, keep: options.keep })
else process.exitCode = await main(options)

async function main(options: Options): Promise<number> {
  const work = options.keep ?? join(tmpdir(), `gocore-fidelity-${process.pid}`)
  const table = new Table()
  const patients: Patient[] = []
  const count = async ({ crashes, without }: Crashed, go: string, kind: string): Promise<void> => {
    const cell = table.cell(go, kind)
    for (const program of without) {
      cell.fail(program, `go${go} ${kind}`, 'left no core')
      process.stdout.write(`go${go} ${kind} ${program}: left no core\n`)
    }
    if (options.crashOnly) return
    for (const crash of crashes) {
      const clean = await measure(crash, cell, `go${go} ${kind}`)
      if (options.dlv) await countDelve(crash, cell)
      if (clean && options.keep === undefined) rmSync(crash.core)
    }
    table.print(go, kind)
  }
  for (const go of options.go) {
    for (const kind of options.kind) {
      const dir = join(work, go, kind)
      const crashed = options.reuse
        ? keptCrashes(dir, options.programs)
        : await crashCell(go, kind, dir, options, patients)
      if (crashed !== undefined) await count(crashed, go, kind)
    }
  }
  for (const patient of patients) {
    const crash = await crashPatient(patient, options)
    const crashed = crash ? { crashes: [crash], without: [] } : { crashes: [], without: [patient.program] }
    await count(crashed, patient.go, patient.kind)
  }
  if (options.crashOnly) return 0
  table.printAll()
  return table.finish(join(work, 'misses.txt'), options.keep === undefined ? work : undefined)
}
