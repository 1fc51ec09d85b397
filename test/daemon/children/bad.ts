/** Stands in for an analysis that goes wrong, in the way that a file beside the core names; without one, for a good one. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createConnection } from 'node:net'
import { printReport } from './good.ts'

const job = JSON.parse(readFileSync(0, 'utf8')) as { core: string; name: string }
const { core } = job
const beside = (name: string): string => core.replace(/core\.lz4$/, name)

/** What the confinement refuses, by the error's code. */
function refusal(work: () => void): string {
  try {
    work()
    return 'allowed'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/** 1 is what the kernel does not even pipe to a handler. */
function coreLimit(): string {
  const { userLimits } = process.report.getReport() as { userLimits: Record<string, { soft: unknown }> }
  return String(userLimits.core_file_size_blocks!.soft)
}

const behaviours: Record<string, () => void> = {
  refuse() {
    writeSync(2, 'noise\nthe core is not one, said \u0007 hostile bytes\n')
    process.exit(3)
  },
  status() {
    writeSync(2, 'broken\n')
    process.exit(9)
  },
  signal() {
    process.kill(process.pid, 'SIGSEGV')
    setTimeout(() => {}, 10_000)
  },
  told() {
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => {}, 10_000)
  },
  killed() {
    process.kill(process.pid, 'SIGKILL')
    setTimeout(() => {}, 10_000)
  },
  // As node:src/node_platform.cc does.
  threadless() {
    writeSync(
      2,
      '#  Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))\n 1: 0x840e50\n',
    )
    process.kill(process.pid, 'SIGABRT')
    setTimeout(() => {}, 10_000)
  },
  hang: () => void setTimeout(() => {}, 20_000),
  spin() {
    for (;;);
  },
  huge() {
    for (;;) writeSync(1, 'x'.repeat(65_536))
  },
  chatter() {
    process.stderr.write('y'.repeat(8 << 20), () => process.exit(3))
  },
  memory() {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 100_000 }, Math.random))
  },
  buffers() {
    const kept: Buffer[] = []
    for (;;) kept.push(Buffer.alloc(16 << 20, 1))
  },
  nonsense: () => void writeSync(1, '{"schema":"gocore-report"'),
  escape() {
    const tries = [
      refusal(() => readFileSync('/etc/passwd')),
      refusal(() => writeFileSync(beside('manifest.json'), 'gone')),
      refusal(() => spawnSync('/bin/true')),
      refusal(() => createConnection('/run/nothing')),
      coreLimit(),
    ]
    writeSync(2, `${tries.join(' ')}\n`)
    process.exit(3)
  },
}

if (existsSync(beside('behaviour'))) behaviours[readFileSync(beside('behaviour'), 'utf8')]!()
else printReport(job)
