import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { addDump, makeUnlistable, report, type TestArchive, testArchive } from '../daemon/archive.ts'
import { dangerous } from '../security/bed.ts'
import { type Outcome, runCli } from './run-cli.ts'

const day = 86_400_000

/** Another archive, and verbs upon the one that it is imported into. */
function bed({ directory, store }: TestArchive): { from: LocalStore; on: (...args: string[]) => Outcome } {
  const from = openLocalStore(join(directory, 'from'))
  initializeStore(from)
  const config = join(directory, 'gocore-sink.conf')
  const lines = [
    ...[`ArchiveDirectory=${store.root}`, `StateDirectory=${directory}/state`],
    ...[`RuntimeDirectory=${directory}/run`, 'MaxAge=30d', 'MaxSize=100G', 'KeepFree=0', 'Group='],
  ]
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o644 })
  return { from, on: (...args) => runCli([...args, '--config', config]) }
}

describe('import of another archive', () => {
  it('names what it could not take, fails for it, and takes pins and what is left of a dump without its core', () => {
    using archive = testArchive()
    const { from, on } = bed(archive)
    const pinned = addDump(from, { time: new Date(Date.now() - 200 * day) })
    from.pin(pinned, { by: 'ada', reason: 'incident 812', time: new Date().toISOString() })
    const cut = addDump(from)
    const manifest = from.layout.file(cut, 'manifest.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').slice(0, 200))
    const bare = addDump(from)
    rmSync(from.layout.file(bare, 'core.lz4'))
    const unlisted = from.layout.day(addDump(from, { time: new Date(Date.now() - 3 * day) }).day)
    makeUnlistable(unlisted)
    const { status, stdout, stderr } = on('import', from.root)
    assert.notEqual(status, 0)
    assert.deepEqual(
      stdout.trimEnd().split('\n').sort(),
      [pinned, bare].map(({ id }) => `${id}  ${id} of ${from.root}`).sort(),
    )
    assert.match(
      stderr,
      new RegExp(`^gocore-sink: The core of ${bare.id} of ${from.root} is gone there: `, 'm'),
    )
    assert.match(
      stderr,
      new RegExp(`^gocore-sink: Could not import ${cut.id} of ${from.root}: .*not JSON`, 'm'),
    )
    assert.match(stderr, new RegExp(`^gocore-sink: Could not import ${unlisted}: Cannot list .*ELOOP`, 'm'))
    assert.ok(!on('gc', '--dry-run').stdout.includes(pinned.id), 'it is pinned here, too')
    assert.match(
      on('info', bare.id).stdout,
      /Core +none kept: its core \(complete\) was gone from the archive/,
    )
    assert.doesNotMatch(on('verify').stdout, /is gone/)
  })

  it('brings no control character of its manifests, pins and reports to a terminal', () => {
    using archive = testArchive()
    const { from, on } = bed(archive)
    const raw = '\u001b]0;x\u0007\n\u001b[2J\u202e\u009b31m'
    for (const imported_from of [raw, undefined]) {
      const ref = addDump(from, {
        manifest: { executable: { path: raw }, hold: { by: raw, time: raw, reason: raw } },
      })
      const keep = /^(schema|id|time|state|file|key)$/
      const hostile = (key: string, value: unknown): unknown =>
        typeof value === 'string' && !keep.test(key) ? raw : value
      const path = from.layout.file(ref, 'manifest.json')
      const manifest = JSON.parse(readFileSync(path, 'utf8'))
      Object.assign(manifest.process, {
        ...{
          cmdline: [raw],
          environ: { [raw]: raw },
          cgroup: raw,
          cwd: raw,
          root: raw,
          limits: raw,
          status: raw,
        },
        ...{ mappings: raw, open_files: [raw], container: { id: raw, pod_uid: raw, runtime: raw } },
      })
      Object.assign(manifest.core, {
        ...{ state: 'truncated', reason: raw, detail: raw },
        unshrinkable: { reason: raw, tool: raw, time: raw },
      })
      Object.assign(manifest, {
        notes: [raw],
        go_version: raw,
        imported_from,
        libraries: [{ path: raw, build_id: raw }],
      })
      writeFileSync(path, JSON.stringify(manifest, hostile))
      from.writeReport(ref, JSON.stringify(report({ warnings: [{ code: raw, message: raw }] })))
      from.pin(ref, { by: raw, reason: raw, time: raw })
    }
    const imported = on('import', from.root)
    assert.equal(imported.status, 0, imported.stderr)
    assert.doesNotMatch(imported.stdout + imported.stderr, dangerous)
    const ids = [...archive.store.list()].map(({ id }) => id)
    assert.equal(ids.length, 2)
    const [id] = ids as [string]
    for (const args of [
      ...[
        ['ls'],
        ['ls', '--json'],
        ['info', id],
        ['info', id, '--all'],
        ['info', id, '--json'],
        ['show', id],
      ],
      ...[
        ['show', id, '--json'],
        ['top'],
        ['verify'],
        ['gc', '--dry-run'],
        ['rm', '--yes', id],
        ['unhold', id],
      ],
      ...[['shrink', id], ['reindex'], ['ls']],
    ]) {
      const { stdout, stderr } = on(...args)
      assert.notEqual(stdout + stderr, '', args.join(' '))
      assert.doesNotMatch(stdout + stderr, dangerous, args.join(' '))
    }
  })
})
