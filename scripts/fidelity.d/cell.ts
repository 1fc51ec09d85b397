/** One cell of the matrix: the programs of one Go version and kind of build, built and crashed. */
import { takeCorePattern } from '../../test/support/core-pattern.ts'
import { type Crash, corePatternIn, crashAll, finish, type Running, start } from './crash.ts'
import { keepExecutable } from './kept.ts'
import { longPrograms, type Options, patientPrograms } from './options.ts'
import { build, built } from './toolchains.ts'

/** A program that takes minutes to be ready to die, and its cell. */
export interface Patient {
  go: string
  kind: string
  dir: string
  program: string
  executable: string
  running: Running
}

/** Programs crashed under one holding of the machine's core pattern, so that others get their turn in between. */
const batchSize = 16

/** What came of the programs of a cell. */
export interface Crashed {
  crashes: Crash[]
  /** Programs that died without leaving a core, or did not die. */
  without: string[]
}

/** Undefined where the toolchain is not to be had. Patient programs are started only. */
export async function crashCell(
  go: string,
  kind: string,
  dir: string,
  options: Options,
  patients: Patient[],
): Promise<Crashed | undefined> {
  const bin = await build(go, kind, options.programs)
  if (bin === undefined) {
    process.stdout.write(`go${go} ${kind}: skipped, could not be built\n`)
    return undefined
  }
  const there = built(bin, options.programs)
  const chosen = options.programs || options.long ? there : there.filter(name => !longPrograms.includes(name))
  for (const program of chosen.filter(name => patientPrograms.includes(name))) {
    const executable = `${bin}/${program}`
    patients.push({ go, kind, dir, program, executable, running: start(executable, program, dir) })
  }
  const programs = chosen.filter(name => !patientPrograms.includes(name))
  const crashes: Crash[] = []
  const without: string[] = []
  for (let at = 0; at < programs.length; at += batchSize) {
    using pattern = await takeCorePattern()
    const batch = await crashAll(pattern, bin, programs.slice(at, at + batchSize), dir, options.jobs)
    crashes.push(...batch.crashes)
    without.push(...batch.failed)
  }
  if (options.keep === undefined) return { crashes, without }
  return { crashes: crashes.map(crash => keepExecutable(crash, dir)), without }
}

/** Waits until it asks for its signal, and only then for the core pattern. */
export async function crashPatient(patient: Patient, options: Options): Promise<Crash | undefined> {
  const { dir, program, executable, running } = patient
  await running.asked
  using pattern = await takeCorePattern()
  pattern.set(corePatternIn(dir))
  const crash = await finish(running, executable, program, dir)
  return crash && options.keep !== undefined ? keepExecutable(crash, dir) : crash
}
