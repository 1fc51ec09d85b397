import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type DumpRef, initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { addDump, coreOf, makeUnlistable, report, type TestArchive, testArchive } from '../daemon/archive.ts'
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

/** What a handler leaves that is killed. */
function abandon(store: LocalStore, core: Buffer, left: string): DumpRef {
  const ref = addDump(store, { core, manifest: { host: { name: 'elsewhere' } } })
  const path = (name: string): string => store.layout.file(ref, name)
  const manifest = store.readManifest(ref)
  const begun = { state: 'truncated', reason: 'handler-error', raw_size: 0, stored_size: 0 }
  const continues = left === 'rest' ? { continues: { archive: '/elsewhere', at: 5 } } : {}
  writeFileSync(path('pending.json'), JSON.stringify({ ...manifest, core: { ...begun, ...continues } }))
  rmSync(path('manifest.json'))
  if (left === 'none') rmSync(path('core.lz4'))
  else renameSync(path('core.lz4'), path('core.lz4.part'))
  if (left === 'part') truncateSync(path('core.lz4.part'), 200_000)
  return ref
}

function makeOlder(directory: string, ms: number): void {
  const then = new Date(Date.now() - ms)
  for (const name of ['', ...readdirSync(directory)]) utimesSync(join(directory, name), then, then)
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

  it('takes in what a handler has left that was killed, as far as it came, once it can be at work no more', () => {
    using archive = testArchive()
    const { from, on } = bed(archive)
    const core = coreOf(randomBytes(300_000))
    const [cut, bare, rest, fresh] = ['part', 'none', 'rest', 'part'].map(left => abandon(from, core, left))
    for (const ref of [cut!, bare!, rest!]) makeOlder(from.layout.dump(ref), 2 * 3_600_000)
    const { status, stdout, stderr } = on('import', from.root)
    assert.equal(status, 1, stderr)
    assert.deepEqual(
      stdout.trimEnd().split('\n').sort(),
      [cut!, bare!].map(({ id }) => `${id}  ${id} of ${from.root}`).sort(),
    )
    assert.match(stderr, new RegExp(`import ${fresh!.id} of .*: its handler may still be at work there`, 'i'))
    assert.match(stderr, new RegExp(`import ${rest!.id} of .*: it is the rest of a core`, 'i'))
    const [one, none] = [cut!, bare!].map(ref => archive.store.readManifest(ref))
    assert.deepEqual([one!.core.state, one!.core.reason], ['truncated', 'handler-error'])
    assert.equal(one!.core.expected_size, core.length)
    assert.ok(one!.core.raw_size > 100_000 && one!.core.raw_size < core.length)
    assert.equal(one!.imported_from, from.root)
    assert.equal(none!.core.state, 'none')
    assert.ok(existsSync(from.layout.file(cut!, 'core.lz4.part')), 'nothing is changed there')
    assert.deepEqual(on('verify').status, 0)
    assert.match(on('import', from.root).stdout, new RegExp(`^${cut!.id} .*was there already`, 'm'))
    makeOlder(from.layout.dump(fresh!), 2 * 3_600_000)
    assert.match(on('import', from.root).stdout, new RegExp(`^${fresh!.id} `, 'm'))
  })

  it('leaves the report of a dump as it came: there may be no core to make it anew of', () => {
    using archive = testArchive()
    const { from, on } = bed(archive)
    const ref = addDump(from)
    from.writeReport(ref, JSON.stringify(report()))
    from.writeAnalysis(ref, 'of elsewhere')
    assert.equal(on('import', from.root).status, 0)
    assert.equal(archive.store.readAnalysis(ref), 'of elsewhere')
    assert.equal(archive.store.readReport(ref), from.readReport(ref))
  })

  it('does itself what the daemon would do for another archive, and encrypts what it takes in', async () => {
    using archive = testArchive()
    const { from, on } = bed(archive)
    const [ref, other] = [addDump(from), join(archive.directory, 'other')]
    const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'
    appendFileSync(join(archive.directory, 'gocore-sink.conf'), `EncryptTo=${recipient}\n`)
    mkdirSync(join(archive.directory, 'run'))
    await using daemon = createServer()
    await once(daemon.listen(join(archive.directory, 'run/daemon.sock')), 'listening')
    assert.equal(on('import', from.root, '--archive', other).status, 0)
    const store = openLocalStore(other)
    assert.deepEqual(readdirSync(store.layout.dump(ref)).sort(), [
      ...['analysis.json', 'core.lz4.age', 'manifest.json'],
    ])
    // Of the archive that is the daemon's own, it sees to all that.
    assert.equal(on('import', from.root).status, 0)
    assert.ok(readdirSync(archive.store.layout.dump(ref)).includes('core.lz4'))
  })

  it('gets a bundle of what a dump is, and not of what an encryption that was cut has left of it', () => {
    using archive = testArchive()
    const { store, directory } = archive
    const ref = addDump(store)
    const encrypted = { to: ['age1'], sha256: '', time: '' }
    store.changeManifest(ref, ({ core, ...rest }) => ({
      ...rest,
      core: { ...core, file: 'core.lz4.age', encrypted },
    }))
    for (const name of ['core.lz4.age', '.manifest.json.tmp']) writeFileSync(store.layout.file(ref, name), '')
    const path = join(directory, 'bundle.tar')
    assert.equal(bed(archive).on('export', '--bundle', ref.id, '-o', path).status, 0)
    const names = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n')
    assert.deepEqual(names, [
      ...['format.json', `dumps/${ref.day}/${ref.id}/manifest.json`],
      `dumps/${ref.day}/${ref.id}/core.lz4.age`,
    ])
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
