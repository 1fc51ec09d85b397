/** Crashes programs of test/programs for real, as fidelity does, for tests that look at something else. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crash, crashAll } from '../../scripts/fidelity.d/crash.ts'
import { fileSource } from '../../scripts/fidelity.d/file-source.ts'
import { build, built, haveGo } from '../../scripts/fidelity.d/toolchains.ts'
import {
  type AnalyseOptions,
  analyse,
  type FileProvider,
  openCore,
  type Process,
  type Report,
} from '../../src/engine/index.ts'
import { takeCorePattern } from './core-pattern.ts'

export interface CrashedPrograms extends Disposable {
  readonly crashes: readonly Crash[]
}

/** Why it can't be done here; undefined where it can. */
export function whyNoCrashes(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for the core pattern'
  return haveGo() ? undefined : 'needs Go'
}

/** Undefined where this Go version is not to be had. */
export async function crashPrograms(
  go: string,
  kind: string,
  programs: readonly string[],
): Promise<CrashedPrograms | undefined> {
  const bin = await build(go, kind, programs)
  if (bin === undefined) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'gocore-sink-crashes-'))
  using pattern = await takeCorePattern()
  const { crashes } = await crashAll(pattern, bin, built(bin, programs), dir, 2)
  return { crashes, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

const libraries: FileProvider['find'] = ({ path }) => (existsSync(path) ? fileSource(path) : undefined)

export function reportOf(crash: Pick<Crash, 'core' | 'executable'>, options: AnalyseOptions = {}): Report {
  using core = fileSource(crash.core)
  using executable = fileSource(crash.executable)
  return analyse(core, { executable, find: libraries }, options)
}

/** For what is read lazily; the caller's test is short enough to leave the files open. */
export function processOf(crash: Pick<Crash, 'core' | 'executable'>): Process {
  return openCore(fileSource(crash.core), { executable: fileSource(crash.executable), find: libraries })
}

/** The lines with which the dying program's own report began, up to the empty one. */
export function lastWords(crash: Pick<Crash, 'text'>): string[] {
  const lines = readFileSync(crash.text, 'utf8').split('\n')
  const from = lines.findIndex(line => /^(\t*panic: |fatal error: |SIG[A-Z]+: )/.test(line))
  const to = lines.indexOf('', from)
  return from < 0 ? [] : lines.slice(from, to)
}
