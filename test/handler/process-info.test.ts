import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryOf } from '../../src/handler/memory-source.ts'
import { type Snapshot, takeSnapshot } from '../../src/handler/process-info.ts'

/** This process as one that crashed, but for its mappings. */
function snapshotOf(maps: string, redact: readonly string[] = []): Snapshot {
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const { pid } = process
  const own = join(proc, String(pid))
  try {
    mkdirSync(own)
    for (const name of ['stat', 'status', 'limits', 'cgroup', 'auxv', 'cmdline', 'environ'])
      writeFileSync(join(own, name), readFileSync(`/proc/${pid}/${name}`))
    const status = readFileSync(`/proc/${pid}/status`, 'latin1').replace(
      /CoreDumping:\s*0/,
      'CoreDumping:\t1',
    )
    writeFileSync(join(own, 'status'), status)
    writeFileSync(join(own, 'environ'), 'LANG=C\0DB_PASSWORD=two words\0')
    writeFileSync(join(own, 'maps'), maps)
    const uid = process.getuid!()
    const crash = { pid, uid, gid: 0, signal: 6, comm: Buffer.from('x'), time: undefined, problems: [] }
    return takeSnapshot(crash as never, ['*'], redact, proc)
  } finally {
    rmSync(proc, { recursive: true })
  }
}

const mapsOf = (count: number, path: string): string =>
  Array.from({ length: count }, (_, i) => {
    const [start, end] = [2 * i, 2 * i + 1].map(page => (0x10000000 + page * 4096).toString(16))
    return `${start}-${end} r--p 00000000 fd:00 1234567                    ${path}\n`
  }).join('')

test('of a process whose mappings are longer than what is read of them the memory is left to the kernel', () => {
  const snapshot = snapshotOf(mapsOf(2300, `/${'d'.repeat(4050)}`))
  assert.notEqual(snapshot.directory, undefined)
  assert.match(
    snapshot.notes.join('\n'),
    /\/maps is longer than 8388608 bytes, leaving the memory to the kernel/,
  )
  assert.equal(memoryOf(snapshot, 1e15, { room: () => 1e15 }), undefined)
  snapshot.close()
})

test('all mappings that the kernel grants by default are known, with ordinary paths', () => {
  const snapshot = snapshotOf(mapsOf(65_530, '/usr/lib/x86_64-linux-gnu/libsomething.so.6'))
  assert.equal(snapshot.files?.length, 65_530)
  assert.doesNotMatch(snapshot.notes.join('\n'), /longer/)
  assert.notEqual(memoryOf(snapshot, 1e15, { room: () => 1e15 }), undefined)
  snapshot.close()
})

test('a variable that is allowed is redacted by its name, too', () => {
  const snapshot = snapshotOf(readFileSync('/proc/self/maps', 'latin1'), ['password=*'])
  assert.deepEqual(snapshot.facts.environ, { LANG: 'C', DB_PASSWORD: '…' })
  snapshot.close()
})
