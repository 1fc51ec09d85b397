/** A small archive made by hand: a nil map twice, a C program, and a crash whose core was not wanted. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from '../../src/archive/manifest.ts'
import type { Report } from '../../src/engine/report/report.ts'
import { sampleManifest, sampleReport } from './sample-report.ts'

/** Ages are told in one unit, rounded down: a slow test must not come into the next. */
const hour = 3_600_000

/** Fills `root`; answers the path of a configuration that names it. */
export function makeArchive(root: string, now = Date.now()): string {
  const archive = join(root, 'archive')
  mkdirSync(archive, { recursive: true })
  writeFileSync(join(archive, 'format.json'), '{"schema":"gocore-archive","version":1}\n')
  const first = sampleManifest()
  const report = sampleReport()
  put(archive, { ...first, time: iso(now - 2 * hour) }, report)
  put(archive, { ...first, id: '7f3zzzzzzzzz', time: iso(now - 10 * hour), host: { name: 'node-1' } }, report)
  const hostile = { ...first.process, pid: 77, uid: 1000, comm: 'x\u001b[2J', exe: '/tmp/e\u202evil' }
  put(archive, {
    ...first,
    id: 'xacbqdabcdef',
    time: iso(now - 73 * hour),
    process: hostile,
    signal: { number: 11, name: 'SIGSEGV' },
    core: {
      state: 'none',
      reason: 'rlimit',
      detail: 'RLIMIT_CORE of the process is 0',
      raw_size: 0,
      stored_size: 0,
    },
  })
  const config = join(root, 'gocore-sink.conf')
  const lines = [
    `ArchiveDirectory=${archive}`,
    `StateDirectory=${root}/state`,
    `RuntimeDirectory=${root}/run`,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o644 })
  return config
}

/** One more crash, just now. */
export function addCrash(archive: string, id: string): void {
  put(archive, { ...sampleManifest(), id, time: iso(Date.now()) }, sampleReport())
}

const iso = (ms: number): string => new Date(ms).toISOString()

function put(archive: string, manifest: Manifest, report?: Report): void {
  const folder = join(archive, 'dumps', manifest.time.slice(0, 10).replaceAll('-', '/'), manifest.id)
  mkdirSync(folder, { recursive: true })
  if (report) writeFileSync(join(folder, 'report.json'), JSON.stringify(report))
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
}
