/** Links, FIFOs and foreign owners in the places where the program reads, writes and deletes. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openCatalog } from '../../src/catalog/index.ts'
import { loadConfig, loadConfigOrDefaults } from '../../src/config/index.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { takeLock } from '../../src/daemon/lock.ts'
import { requireRootOwned } from '../../src/install/files.ts'
import { privateTemporaryFile } from '../../src/source/unpack.ts'
import { runCli } from '../cli/run-cli.ts'
import { type HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'
import { alice, attackBed, become, everything } from './bed.ts'

const kernel = { skip: noKernel, timeout: 10 * 60_000 }
const now = (): string => String(Math.floor(Date.now() / 1000))
const replayed = (bed: HandlerBed): number | null =>
  bed.replay(Buffer.from('\x7fELF no core'), [
    '0',
    '0',
    '0',
    '11',
    now(),
    '18446744073709551615',
    'x',
    'h',
    '0',
    '1',
  ])

describe('hostile files', kernel, () => {
  test('CVE-2021-25684: FIFOs in the archive and in the place of the configuration hang nobody', async () => {
    using bed = attackBed()
    replayed(bed)
    const [dump] = bed.dumps()
    for (const name of ['manifest.json', 'report.json', 'analysis.json', 'core.lz4']) {
      rmSync(bed.store.layout.file(dump!, name), { force: true })
      execFileSync('mkfifo', [bed.store.layout.file(dump!, name)])
    }
    for (const args of [['ls'], ['info', dump!.id], ['show', dump!.id], ['verify'], ['gc'], ['reindex']])
      runCli([...args, '--config', bed.config])
    execFileSync('mkfifo', [bed.path('pipe.conf')])
    assert.throws(() => loadConfig(bed.path('pipe.conf')), /not a regular file/)
    rmSync(bed.path('archive/format.json'))
    execFileSync('mkfifo', [bed.path('archive/format.json')])
    await bed.crash('kill -SEGV $$')
    assert.equal(bed.dumps(bed.spool).length, 1)
  })

  test('CVE-2019-7307, CVE-2019-11481: a configuration that others than root can write is not obeyed, links included', () => {
    using bed = attackBed()
    const theirs = bed.path('open/theirs.conf')
    writeFileSync(theirs, `ArchiveDirectory=${bed.path('open/stolen')}\n`)
    chownSync(theirs, alice, alice)
    symlinkSync(theirs, bed.path('link.conf'))
    writeFileSync(bed.path('loose.conf'), '', { mode: 0o666 })
    chmodSync(bed.path('loose.conf'), 0o666)
    for (const name of ['open/theirs.conf', 'link.conf', 'loose.conf']) {
      assert.throws(() => loadConfig(bed.path(name)), /Refused the configuration/)
      const { config, warnings } = loadConfigOrDefaults(bed.path(name))
      assert.equal(config.archive, '/var/lib/gocore-sink')
      assert.match(warnings.join(), /Refused/)
    }
  })

  test('CVE-2019-11482, CVE-2015-1324, CVE-2015-1325: nothing is written, read or followed in the crasher’s directory', async () => {
    using bed = attackBed()
    const cwd = bed.path('open/cwd')
    mkdirSync(cwd)
    for (const name of [
      'core',
      'core.lz4',
      'core.lz4.part',
      'manifest.json',
      'gocore-sink.conf',
      'format.json',
    ])
      symlinkSync(bed.path('open/victim'), join(cwd, name))
    chownSync(cwd, alice, alice)
    const before = lstatSync(cwd).mtimeMs
    await bed.crash(`cd ${cwd}; ${become(alice)} sh -c 'ulimit -c unlimited; kill -SEGV $$'; true`)
    assert.equal(bed.dumps().length, 1)
    assert.ok(!existsSync(bed.path('open/victim')))
    assert.equal(lstatSync(cwd).mtimeMs, before)
  })

  for (const [name, attack] of [
    ['the directory of dumps is a link', (bed: HandlerBed) => divert(bed, 'dumps')],
    [
      'the directory of the year is a link',
      (bed: HandlerBed) => divert(bed, `dumps/${new Date().getUTCFullYear()}`),
    ],
    [
      'a directory is a user’s',
      (bed: HandlerBed) => chownSync(bed.path(`archive/dumps/${new Date().getUTCFullYear()}`), alice, alice),
    ],
    ['everybody may write the root', (bed: HandlerBed) => chmodSync(bed.path('archive'), 0o777)],
    ['everybody may write the root, sticky', (bed: HandlerBed) => chmodSync(bed.path('archive'), 0o1777)],
    ['a FIFO is in its place', (bed: HandlerBed) => instead(bed, 'mkfifo')],
    ['a file is in its place', (bed: HandlerBed) => instead(bed, 'touch')],
  ] as const)
    test(`CVE-2015-1338, CVE-2015-3315, CVE-2015-1869: a core goes to the spool where ${name}`, () => {
      using bed = attackBed()
      assert.equal(replayed(bed), 0)
      attack(bed)
      assert.equal(replayed(bed), 0)
      assert.equal(bed.dumps(bed.spool).length, 1)
      assert.match(
        bed.dumps(bed.spool)[0]!.manifest.notes.join(),
        /Could not write to .*stored on this machine/,
      )
      if (existsSync(bed.path('open/elsewhere')))
        assert.deepEqual(readdirSync(bed.path('open/elsewhere')), [])
    })

  test('CVE-2015-3142, CVE-2026-54230: links in the place of files are neither read nor written through', () => {
    using bed = attackBed()
    replayed(bed)
    const [dump] = bed.dumps()
    const secret = bed.path('open/secret')
    writeFileSync(secret, 'root:secret')
    const { store } = bed
    for (const name of ['report.json', 'analysis.json', 'core.lz4']) {
      rmSync(store.layout.file(dump!, name), { force: true })
      symlinkSync(secret, store.layout.file(dump!, name))
    }
    assert.throws(() => store.readReport(dump!), /ELOOP/)
    assert.throws(() => store.readAnalysis(dump!), /ELOOP/)
    assert.equal(store.corePath(dump!), undefined)
    store.writeReport(dump!, '{}')
    assert.equal(readFileSync(secret, 'utf8'), 'root:secret')
    assert.ok(lstatSync(store.layout.file(dump!, 'report.json')).isFile())
    rmSync(store.layout.file(dump!, 'manifest.json'))
    symlinkSync(secret, store.layout.file(dump!, 'manifest.json'))
    assert.throws(() => store.readManifest(dump!), /ELOOP/)
  })

  test('CVE-2009-1295, CVE-2015-3151: retention deletes what is the archive’s, and nothing through a link', async () => {
    using bed = attackBed()
    replayed(bed)
    const [dump] = bed.dumps()
    const precious = bed.path('open/precious')
    mkdirSync(precious)
    writeFileSync(join(precious, 'keep'), '')
    symlinkSync(precious, join(bed.store.layout.dump(dump!), 'link'))
    symlinkSync(precious, bed.path('archive/dumps/2001'))
    mkdirSync(bed.path('archive/tmp'), { recursive: true })
    symlinkSync(precious, bed.path('archive/tmp/aaaaaaaaaaaa'))
    const policy = { maxAge: 1, maxSize: 0, keepFree: null }
    const result = await runGc({ store: bed.store, policy, now: Date.now() + 400 * 86_400_000 })
    assert.ok(result.actions.some(({ name, failed }) => name === dump!.id && !failed))
    assert.ok(existsSync(join(precious, 'keep')))
    assert.equal(bed.dumps().length, 0)
    // A link in the place of a dump is none.
    symlinkSync(precious, bed.store.layout.dump(dump!))
    assert.throws(() => bed.store.remove(dump!), /not a directory/)
    assert.ok(existsSync(join(precious, 'keep')))
  })

  test('CVE-2026-77113: names in an imported bundle are looked for and never obeyed', () => {
    using bed = attackBed()
    replayed(bed)
    const [dump] = bed.dumps()
    const path = bed.store.layout.file(dump!, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    const foreign = bed.path('open/foreign')
    renameSync(bed.path('archive'), foreign)
    const at = path.replace(bed.path('archive'), foreign)
    for (const change of [
      { id: '../../../etc/x' },
      { executable: { path: '/x', key: '../../../../etc/passwd' } },
      { core: { ...manifest.core, file: '../../../../etc/shadow' } },
      {
        imported_from: '../../x',
        dumpable: 1,
        process: { ...manifest.process, uid: '../../x', pidfd: true },
      },
    ]) {
      writeFileSync(at, JSON.stringify({ ...manifest, ...change }))
      runCli(['import', foreign, '--config', bed.config])
      for (const entry of existsSync(bed.path('archive')) ? everything(bed.path('archive')) : [])
        assert.match(entry.path.slice(bed.directory.length), /^[a-z0-9/.-]+$/)
      assert.ok(!spawnSync('grep', ['-rq', 'root:', bed.path('archive')]).status === false)
      rmSync(bed.path('archive'), { recursive: true, force: true })
    }
  })

  test('CVE-2019-11485, CVE-2020-8831: the daemon’s lock lies where root alone writes', () => {
    using bed = attackBed()
    using _ = takeLock(bed.path('state'))
    assert.equal(statSync(bed.path('state')).mode & 0o027, 0)
    openCatalog(bed.path('state/catalog.db')).close()
    for (const { path, mode } of everything(bed.path('state'))) assert.equal(mode & 0o002, 0, path)
  })

  test('CVE-2020-8833: modes and owners are changed through descriptors, never by path', () => {
    const allowed = [
      // A socket has no descriptor of its own, and lies in root's directory; so do SQLite's files.
      'src/daemon/nudge.ts',
      'src/daemon/maintenance.ts',
      // Below directories that were made a line before, for nobody else.
      'src/install/files.ts',
      'src/install/crash-program.ts',
    ]
    const cwd = join(import.meta.dirname, '../..')
    const users = globSync('src/**/*.ts', { cwd }).filter(path =>
      /(?<![fl.\w])(?:chmod|chown)Sync\(|\blchown(?:Sync)?\(/.test(readFileSync(join(cwd, path), 'utf8')),
    )
    assert.deepEqual(users.sort(), allowed.sort())
  })

  test('CVE-2015-5273: what is unpacked has no name', () => {
    using bed = attackBed()
    const fd = privateTemporaryFile(bed.path('open'))
    assert.deepEqual(readdirSync(bed.path('open')), [])
    assert.equal(statSync(`/proc/self/fd/${fd}`).mode & 0o777, 0o600)
  })

  test('CVE-2015-1318, CVE-2015-1862: nothing of a crasher’s own root is run, loaded or believed', async () => {
    using bed = attackBed()
    const root = bed.path('open/root')
    for (const name of ['etc', 'bin', 'lib', 'proc', 'usr/local/bin'])
      mkdirSync(join(root, name), { recursive: true })
    writeFileSync(join(root, 'etc/machine-id'), 'f'.repeat(32))
    writeFileSync(join(root, 'etc/gocore-sink.conf'), `ArchiveDirectory=${bed.path('open/stolen')}\n`)
    for (const program of ['usr/local/bin/gocore-sink', 'bin/node', 'h'])
      writeFileSync(join(root, program), `#!/bin/sh\ntouch ${bed.path('open/owned')} /owned\n`, {
        mode: 0o755,
      })
    const victim = join(root, 'bin/victim')
    writeFileSync(`${victim}.c`, '#include <stdlib.h>\nint main(void) { abort(); }')
    execFileSync('gcc', ['-static', '-o', victim, `${victim}.c`])
    await bed.crash(`${become(alice)} unshare -Urm /usr/sbin/chroot ${root} /bin/victim; true`)
    const [dump] = bed.dumps()
    assert.equal(dump?.manifest.core.state, 'complete')
    assert.equal(dump.manifest.host.machine_id, readFileSync('/etc/machine-id', 'utf8').trim())
    assert.equal(dump.manifest.process.uid, alice)
    assert.equal(dump.manifest.process.exe?.endsWith('/bin/victim'), true)
    assert.ok(dump.manifest.executable?.key, 'through /proc its executable is reached all the same')
    for (const path of ['open/owned', 'open/stolen', 'open/root/owned'])
      assert.ok(!existsSync(bed.path(path)))
  })

  test('CVE-2021-32547 and the like: the handler opens no file of the crasher’s but what it was made of', async () => {
    using bed = attackBed()
    // As deep as a path may be, and a FIFO mapped in name only.
    execFileSync('mkfifo', [bed.path('open/fifo')])
    writeFileSync(bed.path('open/secret'), 'CANARY-IN-A-FILE')
    await bed.crash(`exec 5<>open/fifo 6<open/secret; kill -SEGV $$`)
    const [dump] = bed.dumps()
    assert.ok(dump!.manifest.process.open_files!.some(line => line.endsWith('open/fifo')))
    assert.ok(
      !readFileSync(bed.store.layout.file(dump!, 'manifest.json'), 'utf8').includes('CANARY-IN-A-FILE'),
    )
  })

  test('our rule 4: install refuses a place that others than root could write', () => {
    using bed = attackBed()
    mkdirSync(bed.path('open/loose'))
    chmodSync(bed.path('open/loose'), 0o777)
    assert.throws(
      () => requireRootOwned(bed.path('open/loose/bin/gocore-sink')),
      /others than root may write/,
    )
    mkdirSync(bed.path('open/theirs'))
    chownSync(bed.path('open/theirs'), alice, alice)
    assert.throws(() => requireRootOwned(bed.path('open/theirs/bin')), /belongs to user/)
  })

  test('our rule 6: the handler’s own crash starts no other handler', async () => {
    using bed = attackBed()
    writeFileSync(bed.path('h'), `#!/bin/sh\necho x >> ${bed.path('open/starts')}\nkill -SEGV $$\n`)
    await bed.crash('kill -SEGV $$')
    assert.equal(readFileSync(bed.path('open/starts'), 'utf8'), 'x\n')
    assert.deepEqual(kernelLog(bed.path('archive')), [])
  })
})

/** Puts a link to a directory of everybody's in the place of one of the archive's. */
function divert(bed: HandlerBed, name: string): void {
  mkdirSync(bed.path('open/elsewhere'))
  chmodSync(bed.path('open/elsewhere'), 0o777)
  renameSync(bed.path(`archive/${name}`), bed.path('was'))
  symlinkSync(bed.path('open/elsewhere'), bed.path(`archive/${name}`))
}

function instead(bed: HandlerBed, program: string): void {
  rmSync(bed.path('archive'), { recursive: true })
  execFileSync(program, [bed.path('archive')])
}
