/** Links, FIFOs and foreign owners in the places where the program reads, writes and deletes. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  openSync,
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
import { zstdDecompressSync } from 'node:zlib'
import { newId, openLocalStore } from '../../src/archive/index.ts'
import { createFile } from '../../src/base/atomic-file.ts'
import { readRegularFile } from '../../src/base/regular-file.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { loadConfig, loadConfigOrDefaults } from '../../src/config/index.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { takeLock } from '../../src/daemon/lock.ts'
import { requireRootOwned } from '../../src/install/files.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { privateTemporaryFile } from '../../src/source/unpack.ts'
import { runCli } from '../cli/run-cli.ts'
import { type HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'
import { alice, attackBed, become, everything } from './bed.ts'

const till = join(import.meta.dirname, '../fixtures/till')
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
    // A file of root's, where somebody else may put another, or says by a link which one it is.
    for (const [name, make] of [
      ['loose', (at: string) => chmodSync(at, 0o777)],
      ['theirs', (at: string) => chownSync(at, alice, alice)],
    ] as const) {
      mkdirSync(bed.path(`open/${name}/in`), { recursive: true })
      writeFileSync(bed.path(`open/${name}/in/conf`), '')
      symlinkSync(bed.config, bed.path(`open/${name}/link`))
      make(bed.path(`open/${name}`))
      for (const file of ['in/conf', 'link'])
        assert.throws(() => loadConfig(bed.path(`open/${name}/${file}`)), /put another in its place/)
    }
    symlinkSync(bed.config, bed.path('open/roots'))
    assert.equal(loadConfig(bed.path('open/roots')).archive, bed.path('archive'))
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
    for (const name of ['.gdbinit', '.gocore-sink', '.pid']) writeFileSync(join(cwd, name), '')
    chownSync(cwd, alice, alice)
    const before = lstatSync(cwd).mtimeMs
    using watched = new ReadWatch(cwd)
    await bed.crash(`cd ${cwd}; ${become(alice)} sh -c 'ulimit -c unlimited; kill -SEGV $$'; true`)
    assert.equal(bed.dumps().length, 1)
    assert.deepEqual(watched.read(), [])
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
    [
      'everybody may write a directory in it',
      (bed: HandlerBed) => chmodSync(bed.path(`archive/dumps/${new Date().getUTCFullYear()}`), 0o777),
    ],
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

  test('CVE-2015-1338, CVE-2026-54230: a file is made anew, or not at all, and its name is nobody’s to guess', () => {
    using bed = attackBed()
    const there = bed.path('open/there')
    writeFileSync(there, 'theirs')
    symlinkSync(there, bed.path('open/link'))
    symlinkSync(bed.path('open/nowhere'), bed.path('open/dangling'))
    for (const name of ['there', 'link', 'dangling'])
      assert.throws(() => createFile(bed.path(`open/${name}`), { mode: 0o640 }), /EEXIST/, name)
    assert.equal(readFileSync(there, 'utf8'), 'theirs')
    assert.ok(!existsSync(bed.path('open/nowhere')))
    const ids = new Set(Array.from({ length: 1000 }, newId))
    assert.equal(ids.size, 1000)
    for (const id of ids) assert.match(id, /^[a-z2-7]{12}$/)
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
    // Where such names lead from the foreign archive, there is something; from ours there would be.
    mkdirSync(bed.path('open/outside'))
    writeFileSync(bed.path('open/outside/binary'), 'root:secret')
    const isHere = (): boolean => existsSync(bed.path('archive'))
    for (const [change, isRefused] of [
      [{ id: '../../../etc/x' }, true],
      [{ executable: { path: '/x', key: '../../../outside' } }, false],
      [{ executable: { path: '/x', key: '../outside' } }, false],
      [{ core: { ...manifest.core, file: '../../../../../../escaped' } }, false],
      [
        {
          imported_from: '../../x',
          dumpable: 1,
          process: { ...manifest.process, uid: '../../x', pidfd: true },
        },
        true,
      ],
    ] as const) {
      writeFileSync(at, JSON.stringify({ ...manifest, ...change }))
      runCli(['import', foreign, '--config', bed.config])
      assert.equal(isHere() && bed.dumps().length > 0, !isRefused, JSON.stringify(change))
      for (const entry of isHere() ? everything(bed.path('archive')) : []) {
        assert.match(entry.path.slice(bed.directory.length), /^[a-z0-9/.-]+$/)
        if ((entry.mode & 0o170000) === 0o100000)
          assert.doesNotMatch(readFileSync(entry.path, 'latin1'), /root:/, entry.path)
      }
      assert.deepEqual(globSync(bed.path('**/escaped*')), [])
      rmSync(bed.path('archive'), { recursive: true, force: true })
    }
  })

  test('CVE-2026-77113: an executable in a bundle that is not what its key says is not stored', () => {
    using bed = attackBed()
    replayed(bed)
    const [dump] = bed.dumps()
    const program = bed.path('open/program')
    writeFileSync(program, 'the program')
    const fd = openSync(program, 'r')
    const key = bed.store.addBinary({ fd, size: 11 })
    bed.store.changeManifest(dump!, manifest => ({ ...manifest, executable: { path: '/x', key } }))
    const foreign = bed.path('open/foreign')
    renameSync(bed.path('archive'), foreign)
    // As if it had been swapped between the look at it and its reading.
    writeFileSync(openLocalStore(foreign).binaryPath(key)!, 'root:secret')
    const { status, stderr } = runCli(['import', foreign, '--config', bed.config])
    assert.notEqual(status, 0)
    assert.match(stderr, /is not the file that was stored as/)
    for (const { path, mode } of everything(bed.path('archive')))
      if ((mode & 0o170000) === 0o100000) assert.doesNotMatch(readFileSync(path, 'latin1'), /root:secret/)
  })

  test('CVE-2026-77113: what a dump calls its program is not copied out of this machine for that', () => {
    using bed = attackBed()
    const secret = bed.path('open/secret')
    writeFileSync(secret, 'root:secret')
    const exe = bed.path('till')
    writeFileSync(exe, zstdDecompressSync(readFileSync(join(till, 'till.zst'))))
    const run = (...args: string[]) => runCli([...args, '--config', bed.config], { cwd: bed.directory })
    assert.equal(run('import', join(till, 'core.zst'), '--exe', exe).status, 0)
    const [dump] = bed.dumps()
    // As if it could not be stored.
    rmSync(bed.path('archive/binaries'), { recursive: true })
    for (const path of [secret, '/bin/sh']) {
      bed.store.changeManifest(dump!, manifest => ({ ...manifest, executable: { path } }))
      const { status, stderr } = run('export', dump!.id, '--binary', '-o', 'out')
      assert.notEqual(status, 0)
      assert.match(stderr, /neither in the archive nor on this machine/)
      assert.ok(!existsSync(bed.path('out')))
    }
    assert.equal(run('export', dump!.id, '--binary', '--exe', exe, '-o', 'out').status, 0)
    assert.deepEqual(readFileSync(bed.path('out')), readFileSync(exe))
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
      // A socket has no descriptor of its own, and lies in root's directory.
      'src/daemon/nudge.ts',
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

  test('CVE-2015-3315, CVE-2015-5287: nothing is opened through a link but what is named here', () => {
    const allowed: Record<string, string> = {
      // What /proc/PID links to is what is wanted, and no path of the process's.
      'handler/process-info.ts': '/proc/PID',
      'handler/user-namespace.ts': '/proc/PID',
      'handler/process-memory.ts': '/proc/PID',
      'handler/open-elf.ts': '/proc/PID',
      'handler/standard-input.ts': 'descriptor 0, /dev/null',
      'handler/log.ts': '/dev/kmsg',
      'daemon/kernel-log.ts': '/dev/kmsg',
      'daemon/thread-state.ts': '/proc/self',
      'archive/layout.ts': '/dev/urandom',
      // The archive's root may be a link of the administrator's, and so may the configuration.
      'archive/own-dumps.ts': 'the root',
      'base/landlock.ts': 'the root',
      'config/load.ts': 'the configuration',
      // A library that a core names is a link as a rule; what the file is says its content, and its mode who gets it.
      'archive/import.ts': 'files of this machine',
      // A directory, to sync it; the flags are those of the line before.
      'base/atomic-file.ts': 'a directory',
      'daemon/copy-file.ts': 'flags',
    }
    const cwd = join(import.meta.dirname, '../../src')
    const found = globSync('{handler,archive,daemon,receiver,base,lz4,config,catalog}/**/*.ts', {
      cwd,
    }).filter(path =>
      readFileSync(join(cwd, path), 'utf8')
        .split('\n')
        .some(
          line =>
            (/(?<!function )\bopenSync\(/.test(line) && !line.includes('O_NOFOLLOW')) ||
            /(?<!function )\bopenForReading\(.*links/.test(line),
        ),
    )
    assert.deepEqual(found.sort(), Object.keys(allowed).sort())
  })

  test('CVE-2021-25684: a small file is read where it is one', () => {
    using bed = attackBed()
    writeFileSync(bed.path('open/file'), 'text')
    symlinkSync(bed.path('open/file'), bed.path('open/link'))
    execFileSync('mkfifo', [bed.path('open/fifo')])
    assert.equal(readRegularFile(bed.path('open/file'), 4), 'text')
    assert.throws(() => readRegularFile(bed.path('open/file'), 3), /more than 3/)
    assert.throws(() => readRegularFile(bed.path('open/link'), 9), /ELOOP/)
    assert.throws(() => readRegularFile(bed.path('open/fifo'), 9), /not a regular file/)
    const core = bed.path('open/link')
    assert.throws(() => openCoreFile(core, { links: false }), /ELOOP/)
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
    mkdirSync(bed.path('open/files'))
    writeFileSync(bed.path('open/files/secret'), 'CANARY-IN-A-FILE')
    using watched = new ReadWatch(bed.path('open/files'))
    await bed.crash(`exec 5<>open/fifo 6<open/files/secret; kill -SEGV $$`)
    // The shell's own opening; nobody else's.
    assert.deepEqual(watched.read(), ['secret'])
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
    // They say where it leads, too.
    symlinkSync(bed.directory, bed.path('open/theirs/link'))
    assert.throws(() => requireRootOwned(bed.path('open/theirs/link/bin')), /belongs to user/)
    requireRootOwned(bed.path('bin'))
  })

  test('our rule 6: the handler’s own crash starts no other handler', async () => {
    using bed = attackBed()
    writeFileSync(bed.path('h'), `#!/bin/sh\necho x >> ${bed.path('open/starts')}\nkill -SEGV $$\n`)
    await bed.crash('kill -SEGV $$')
    assert.equal(readFileSync(bed.path('open/starts'), 'utf8'), 'x\n')
    assert.deepEqual(kernelLog(bed.path('archive')), [])
  })
})

/** Who opens or reads a file of a directory, links unfollowed (inotify(7)). */
class ReadWatch implements Disposable {
  readonly #watcher: ReturnType<typeof spawn>
  readonly #file: string

  constructor(directory: string) {
    this.#file = `${directory}.log`
    this.#watcher = spawn('python3', ['-c', watchReads, directory, this.#file], { stdio: 'ignore' })
    while (!existsSync(this.#file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }

  /** Names of files in it, once for each opening. */
  read(): string[] {
    return readFileSync(this.#file, 'utf8').split('\n').filter(Boolean)
  }

  [Symbol.dispose](): void {
    this.#watcher.kill('SIGKILL')
  }
}

/** IN_OPEN is 32; the file is there once the kernel watches. */
const watchReads = `import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
watch = libc.inotify_init()
libc.inotify_add_watch(watch, sys.argv[1].encode(), 32)
log = open(sys.argv[2], 'w', buffering=1)
while True:
  data = os.read(watch, 65536)
  while data:
    _, _, _, length = struct.unpack_from('iIII', data)
    name = data[16:16 + length].rstrip(b'\\0').decode()
    if name: log.write(name + '\\n')
    data = data[16 + length:]
`

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
