/** `gocore-sink test-crash`: a real crash, followed from the kernel to the catalog, with the time of each step. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ArchiveStore, DumpEntry } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import { openCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import { openCrashProgram, withCoreLimit } from './crash-program.ts'
import { linesAbout, markKernelLog } from './kernel-log.ts'
import { describePattern, readCorePattern } from './pattern.ts'
import { findProduct } from './product.ts'
import type { Say } from './step.ts'
import { awaitDump, poll } from './watch.ts'

export interface TestCrashOptions {
  config: Config
  /** The archive that `config` names. */
  store: ArchiveStore
  /** How long each step may take; default 30 s. */
  timeoutMs?: number
  /** Where the product's files lie; found by itself otherwise. */
  productRoot?: string
}

export interface TestCrashStep {
  readonly name: 'kernel' | 'crash' | 'handler' | 'archive' | 'analysis' | 'catalog'
  readonly ok: boolean
  /** Since the crash began. */
  readonly ms?: number
  readonly what: string
}

export interface TestCrashResult {
  readonly ok: boolean
  readonly id?: string
  readonly steps: readonly TestCrashStep[]
}

/** Goes on to the first step that fails, whose sentence says what broke and where to look. */
export async function testCrash(options: TestCrashOptions, say: Say): Promise<TestCrashResult> {
  const steps: TestCrashStep[] = []
  let id: string | undefined
  try {
    for await (const step of follow(options)) {
      steps.push(step)
      if (step.id !== undefined) id = step.id
      const time = step.ms === undefined ? '' : `${step.ms.toFixed(0)} ms`
      say(`${step.ok ? 'ok  ' : 'FAIL'} ${step.name.padEnd(8)} ${time.padStart(8)}  ${step.what}`)
      if (!step.ok) break
    }
  } catch (error) {
    say(`FAIL ${reasonOf(error)}`)
    return { ok: false, ...(id === undefined ? {} : { id }), steps }
  }
  return { ok: steps.every(step => step.ok), ...(id === undefined ? {} : { id }), steps }
}

async function* follow(options: TestCrashOptions): AsyncGenerator<TestCrashStep & { id?: string }> {
  const { config } = options
  const timeout = options.timeoutMs ?? 30_000
  const pattern = readCorePattern()
  const { program, owner } = describePattern(pattern)
  if (owner !== 'gocore-sink') {
    yield {
      name: 'kernel',
      ok: false,
      what: `core_pattern is ${JSON.stringify(pattern)}: dumps go to ${owner}, not to gocore-sink; "gocore-sink install" changes that`,
    }
    return
  }
  const way = program === undefined ? "sends dumps to gocore-sink's socket" : `pipes dumps to ${program}`
  yield { name: 'kernel', ok: true, what: `core_pattern ${way}` }

  const token = `gocore-sink-test-${randomBytes(8).toString('hex')}`
  using crash = openCrashProgram(options.productRoot ?? findProduct().root, token)
  const mark = markKernelLog()
  const since = new Date()
  const begun = performance.now()
  const ended = await runToEnd(crash.argv)
  const sinceCrash = (): number => performance.now() - begun
  const wanted = { pid: ended.pid, token, since }
  if (ended.signal === null) {
    yield {
      name: 'crash',
      ok: false,
      ms: sinceCrash(),
      what: `the test program ended with ${ended.code} instead of crashing`,
    }
    return
  }
  yield {
    name: 'crash',
    ok: true,
    ms: sinceCrash(),
    what: `${crash.what} died of ${ended.signal}, process ${ended.pid}`,
  }

  const dump = await awaitDump(options.store, wanted, timeout)
  if (dump === undefined) {
    const said = linesAbout(mark, ended.pid)
    yield {
      name: 'archive',
      ok: false,
      ms: sinceCrash(),
      what:
        said.length > 0
          ? `no dump came into ${config.archive}; the kernel log says: ${said.join(' | ')}`
          : `no dump came into ${config.archive} within ${timeout / 1000} s, and the kernel log (dmesg, journalctl -k) says nothing of process ${ended.pid}`,
    }
    return
  }
  const { manifest } = dump
  const { core } = manifest
  yield {
    name: 'archive',
    ok: core.state === 'complete',
    ms: sinceCrash(),
    id: dump.id,
    what:
      core.state === 'complete'
        ? `dump ${dump.id}, ${megabytes(core.raw_size)} stored as ${megabytes(core.stored_size)}; the process was held ${manifest.held_ms.toFixed(0)} ms`
        : `dump ${dump.id} is ${core.state}: ${core.detail ?? core.reason ?? 'no reason given'}`,
  }
  if (core.state !== 'complete') return

  yield await awaitCatalog(config, dump, timeout, sinceCrash)
}

async function awaitCatalog(
  config: Config,
  dump: DumpEntry,
  timeout: number,
  sinceCrash: () => number,
): Promise<TestCrashStep> {
  const path = join(config.state, 'catalog.db')
  let problem = ''
  const row = await poll(timeout, () => {
    try {
      const catalog = openCatalog(path, { readonly: true })
      try {
        const found = catalog.get(dump.id)
        return found && found.analysis !== 'pending' ? found : undefined
      } finally {
        catalog.close()
      }
    } catch (error) {
      problem = reasonOf(error)
      return undefined
    }
  })
  if (row === undefined)
    return {
      name: 'catalog',
      ok: false,
      ms: sinceCrash(),
      what: `the daemon did not analyse dump ${dump.id} within ${timeout / 1000} s${problem === '' ? '' : ` (${problem})`}; is it running? systemctl status gocore-sink, or "gocore-sink doctor"`,
    }
  if (row.analysis === 'failed')
    return {
      name: 'analysis',
      ok: false,
      ms: sinceCrash(),
      what: `the analysis failed: ${row.analysisError}`,
    }
  return {
    name: 'catalog',
    ok: true,
    ms: sinceCrash(),
    what: row.cause === null ? 'analysed and listed' : `analysed and listed: ${row.cause}`,
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

async function runToEnd(
  argv: readonly string[],
): Promise<{ pid: number; code: number | null; signal: NodeJS.Signals | null }> {
  const child = spawn('/bin/sh', ['-c', withCoreLimit, 'sh', ...argv], {
    stdio: 'ignore',
    cwd: '/',
    env: { GOTRACEBACK: 'crash' },
  })
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ pid: child.pid!, code, signal }))
  })
}
