import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { openLocalStore } from '../../src/archive/index.ts'
import { install, uninstall } from '../../src/install/index.ts'
import type { Product } from '../../src/install/product.ts'
import { addDump } from '../daemon/archive.ts'

const root = process.geteuid?.() === 0
const needsRoot = root ? {} : { skip: 'needs root: files must be root-owned' }
const checkout = join(import.meta.dirname, '../..')

let folder: string
let prefix: string
let proc: string
let product: Product
let lines: string[]
const say = (line: string): void => void lines.push(line)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'install-'))
  prefix = join(folder, 'p')
  proc = join(folder, 'proc')
  lines = []
  mkdirSync(join(proc, 'sys/kernel'), { recursive: true })
  setKernel('core_pattern', 'core.%p')
  setKernel('core_pipe_limit', '0')
  product = makeProduct('one')
})
afterEach(() => rmSync(folder, { recursive: true }))

const setKernel = (name: string, value: string): void =>
  writeFileSync(join(proc, 'sys/kernel', name), `${value}\n`)
const kernel = (name: string): string => readFileSync(join(proc, 'sys/kernel', name), 'latin1').trimEnd()

/** The checkout's own files with a program of a line and a Node that is a script, so that a copy is quick. */
function makeProduct(name: string): Product {
  const path = join(folder, name)
  mkdirSync(join(path, 'dist'), { recursive: true })
  mkdirSync(join(path, 'systemd'))
  mkdirSync(join(path, 'man'))
  for (const file of readdirSync(join(checkout, 'systemd')))
    writeFileSync(join(path, 'systemd', file), readFileSync(join(checkout, 'systemd', file)))
  writeFileSync(join(path, 'man/gocore-sink.1'), '.TH gocore-sink 1\n')
  writeFileSync(join(path, 'package.json'), '{"name":"gocore-sink","version":"0.1.0"}')
  writeFileSync(
    join(path, 'dist/cli.cjs'),
    `// ${name}\nprocess.stdout.write(process.argv.slice(2).join(' '))\n`,
  )
  writeFileSync(join(path, 'dist/handler.cjs'), `// ${name}\n`)
  writeFileSync(join(path, 'node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 })
  return { root: path, version: '0.1.0', node: join(path, 'node') }
}

/** Path, mode and size of everything below a directory. */
const listing = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map(
      name => `${name} ${statSync(join(path, name)).mode.toString(8)} ${statSync(join(path, name)).mtimeMs}`,
    )
    .sort()

test('install --dry-run prints every step with the text of the files, and changes nothing', needsRoot, () => {
  const before = listing(folder)
  const { changed } = install({ prefix, proc, product, dryRun: true }, say)
  assert.deepEqual(listing(folder), before)
  assert.ok(changed > 10)
  const text = lines.join('\n')
  for (const part of [
    /^\+ program \S+\/versions\/0\.1\.0-[0-9a-f]{12}, \d+ files$/m,
    /^\+ kernel\.core_pattern = \|\S+\/bin\/gocore-sink %P %u %g %s %t %c %e/m,
    /^ {4}ExecStart=\S+\/p\/bin\/gocore-sink daemon$/m,
    /^ {4}ArchiveDirectory=\S+\/p\/var\/archive$/m,
    /^Dry run: \d+ of \d+ steps would change something\.$/m,
  ])
    assert.match(text, part)
})

test(
  'install puts everything in place, a second run changes nothing, uninstall leaves no trace',
  needsRoot,
  async () => {
    assert.ok(install({ prefix, proc, product }, say).changed > 0)
    assert.match(kernel('core_pattern'), /^\|\S+\/p\/bin\/gocore-sink %P %u %g %s %t %c %e/)
    assert.equal(kernel('core_pipe_limit'), '1024')
    assert.equal(statSync(join(prefix, 'var/archive')).mode & 0o777, 0o700)
    for (const name of listing(prefix))
      assert.doesNotMatch(name.split(' ')[1]!, /[2367].?$/, `${name}: others may write`)

    const installed = listing(prefix)
    lines = []
    assert.equal(install({ prefix, proc, product }, say).changed, 0)
    assert.equal(lines[0], 'Everything is in place already; nothing was changed.')
    assert.deepEqual(listing(prefix), installed)

    await uninstall({ prefix, proc }, say)
    assert.equal(kernel('core_pattern'), 'core.%p')
    assert.equal(kernel('core_pipe_limit'), '0')
    assert.equal(existsSync(prefix), false)
  },
)

test("install: root's umask keeps nobody from the program", needsRoot, () => {
  const umask = process.umask(0o077)
  try {
    install({ prefix, proc, product }, say)
    assert.equal(process.umask(), 0o077, 'the umask is again what it was')
  } finally {
    process.umask(umask)
  }
  chmodSync(folder, 0o755)
  for (const line of [`${prefix} 40755`, ...listing(prefix).map(name => `${prefix}/${name}`)]) {
    const [path = '', mode = ''] = line.split(' ')
    if (!path.startsWith(join(prefix, 'var/'))) assert.match(mode, /[45]$/, path)
  }
  const { status, stdout, stderr } = spawnSync(join(prefix, 'bin/gocore-sink'), ['--version'], {
    uid: 65534,
    gid: 65534,
    encoding: 'utf8',
  })
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '--version' }, stderr)
})

test('install lets users in again whom an earlier run under an umask kept out', needsRoot, () => {
  install({ prefix, proc, product }, say)
  const lib = join(prefix, 'lib/gocore-sink')
  for (const path of [lib, join(lib, 'versions')]) chmodSync(path, 0o700)
  install({ prefix, proc, product }, say)
  for (const path of [lib, join(lib, 'versions')]) assert.equal(statSync(path).mode & 0o777, 0o755, path)
})

test(
  'uninstall keeps the dumps unless they are asked for, and a changed configuration',
  needsRoot,
  async () => {
    const archive = join(folder, 'dumps')
    install({ prefix, proc, product, archive }, say)
    writeFileSync(join(archive, 'a'), 'dump')
    const config = join(prefix, 'etc/gocore-sink.conf')
    writeFileSync(config, `${readFileSync(config, 'utf8')}LogLevel=debug\n`)
    await uninstall({ prefix, proc }, say)
    assert.equal(readFileSync(join(archive, 'a'), 'utf8'), 'dump')
    assert.match(readFileSync(config, 'utf8'), /LogLevel=debug/)

    install({ prefix, proc, product }, say)
    assert.match(readFileSync(config, 'utf8'), /LogLevel=debug/, "the administrator's configuration stays")
    await uninstall({ prefix, proc, purge: true }, say)
    assert.equal(existsSync(archive), false)
    assert.equal(existsSync(prefix), false)
  },
)

for (const purge of [false, true])
  test(
    `uninstall${purge ? ' --purge' : ''} ends where archive and state are mount points`,
    needsRoot,
    async context => {
      if (spawnSync('unshare', ['-m', 'true']).status !== 0)
        return context.skip('no mount namespace of our own')
      install({ prefix, proc, product }, say)
      const [archive, state] = [join(prefix, 'var/archive'), join(prefix, 'var/state')]
      const index = join(checkout, 'src/install/index.ts')
      const program = `import { uninstall } from '${index}'
      await uninstall({ prefix: '${prefix}', proc: '${proc}', purge: ${purge} }, line => console.log(line))`
      const script = `set -e
      for at in ${archive} ${state}; do mount -t tmpfs none $at; mkdir -p $at/dumps; echo x > $at/dumps/a; done
      node --input-type=module -e "$1"
      find ${archive} ${state}`
      const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', program], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      for (const path of purge ? [archive, state] : [state])
        assert.match(
          stdout,
          new RegExp(
            `^\\+ remove ${path}: a directory in use stays, as one that a file system is mounted on$`,
            'm',
          ),
        )
      const left = stdout.slice(stdout.indexOf('Removed gocore-sink')).trim().split('\n').slice(1)
      const dumps = purge ? [] : [`${archive}/dumps`, `${archive}/dumps/a`]
      assert.deepEqual(left, [archive, ...dumps, state])
      assert.deepEqual(readdirSync(prefix), ['var'])
      assert.equal(kernel('core_pattern'), 'core.%p')
    },
  )

test(
  'uninstall can be given again where storage refused it: record and command are still there',
  needsRoot,
  async context => {
    const archive = join(folder, 'dumps')
    install({ prefix, proc, product, archive }, say)
    writeFileSync(join(archive, 'a'), 'dump')
    const fix = (flag: string): number | null => spawnSync('chattr', [flag, join(archive, 'a')]).status
    if (fix('+i') !== 0) return context.skip('the file system has no immutable files')
    try {
      await assert.rejects(
        uninstall({ prefix, proc, purge: true }, say),
        /Could not do "remove .*dumps": EPERM/,
      )
      assert.ok(existsSync(join(prefix, 'bin/gocore-sink')))
    } finally {
      fix('-i')
    }
    await uninstall({ prefix, proc, purge: true }, say)
    assert.equal(existsSync(prefix), false)
  },
)

for (const { who, edited } of [
  { who: 'one that the administrator changed stays, though an install came after that', edited: true },
  { who: 'one that nobody changed goes, though a newer version would write another', edited: false },
])
  test(`uninstall and the configuration: ${who}`, needsRoot, async () => {
    install({ prefix, proc, product }, say)
    const config = join(prefix, 'etc/gocore-sink.conf')
    const record = join(prefix, 'lib/gocore-sink/installed.json')
    if (edited) writeFileSync(config, readFileSync(config, 'utf8').replace(/^#KeepFree=.*/m, 'KeepFree=7%'))
    else {
      // As a version wrote it that had no such key.
      const older = readFileSync(config, 'utf8').replace(/^#KeepFree=.*/m, '')
      const written = JSON.parse(readFileSync(record, 'utf8'))
      written.config.sha256 = createHash('sha256').update(older).digest('hex')
      writeFileSync(config, older)
      writeFileSync(record, JSON.stringify(written))
    }
    install({ prefix, proc, product: makeProduct('two') }, say)
    lines = []
    await uninstall({ prefix, proc }, say)
    assert.equal(existsSync(config), edited)
    assert.equal(lines.includes(`${config} was changed since and stays.`), edited)
  })

test('uninstall --purge is refused while dumps are on hold, before any step', needsRoot, async () => {
  const archive = join(folder, 'dumps')
  install({ prefix, proc, product, archive }, say)
  const store = openLocalStore(archive)
  const hold = { by: 'ada', time: '2026-11-01T00:00:00Z' }
  const ref = addDump(store, { manifest: { hold } })
  for (const dryRun of [true, false])
    await assert.rejects(
      uninstall({ prefix, proc, purge: true, dryRun }, say),
      new RegExp(`Refused to remove ${archive}: on hold is ${ref.id}; gocore-sink unhold lifts that`),
    )
  assert.ok(existsSync(store.layout.file(ref, 'manifest.json')))
  assert.match(kernel('core_pattern'), /gocore-sink/)
  // As a later version may write it.
  const manifest = readFileSync(store.layout.file(ref, 'manifest.json'), 'utf8')
  writeFileSync(store.layout.file(ref, 'manifest.json'), manifest.replace('"version":1', '"version":2'))
  await assert.rejects(
    uninstall({ prefix, proc, purge: true }, say),
    /of dump \S+ its manifest, which may tell of a hold, can't be read: .*version 2/,
  )
  writeFileSync(store.layout.file(ref, 'manifest.json'), manifest)
  store.changeManifest(ref, ({ hold: _, ...rest }) => rest)
  await uninstall({ prefix, proc, purge: true }, say)
  assert.equal(existsSync(archive), false)
})

test('uninstall keeps dumps that wait in the spool', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  const dump = join(prefix, 'var/state/spool/dumps/2026/11/23/aaaaaaaaaaaa')
  mkdirSync(dump, { recursive: true })
  writeFileSync(join(prefix, 'var/state/catalog.db'), '')
  await uninstall({ prefix, proc }, say)
  assert.ok(existsSync(dump))
  assert.equal(existsSync(join(prefix, 'var/state/catalog.db')), false)
  assert.match(lines.join('\n'), /spool holds dumps that the archive did not take yet, and stays/)
})

test('uninstall waits for crashes that stand in line', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  const launcher = join(prefix, 'bin/gocore-sink')
  // What the kernel started before it was told of the former pattern.
  writeFileSync(launcher, 'echo\nread -r line\n[ -f "$0" ]\n')
  const crash = spawn('/bin/sh', [launcher, '123', '0', '0', '11'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(crash.stdout, 'data')
  const ended = once(crash, 'exit')
  const removal = uninstall({ prefix, proc }, say)
  setTimeout(() => crash.stdin.end('\n'), 500)
  assert.deepEqual(await ended, [0, null], 'it found its files')
  await removal
  assert.equal(existsSync(prefix), false)
})

test('uninstall leaves a core_pattern that is not ours any more', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  setKernel('core_pattern', '|/usr/share/apport/apport %p')
  await uninstall({ prefix, proc }, say)
  assert.equal(kernel('core_pattern'), '|/usr/share/apport/apport %p')
  assert.match(
    lines.join('\n'),
    /core_pattern is "\|\/usr\/share\/apport\/apport %p", which is not ours any more/,
  )
})

test('a new version remembers the settings from before the first one', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  install({ prefix, proc, product: makeProduct('two') }, say)
  setKernel('core_pattern', '|/other')
  install({ prefix, proc, product: makeProduct('three') }, say)
  await uninstall({ prefix, proc }, say)
  assert.equal(kernel('core_pattern'), '|/other', 'the last one that was not ours')
})

test(
  'install --no-kernel leaves the kernel alone, and its settings of the next boot',
  needsRoot,
  async () => {
    install({ prefix, proc, product, kernel: false }, say)
    assert.equal(kernel('core_pattern'), 'core.%p')
    const sysctl = join(prefix, 'etc/sysctl.d/60-gocore-sink.conf')
    assert.equal(existsSync(sysctl), false)
    assert.match(lines.join('\n'), /core_pattern was left alone: no dump arrives until it is set/)
    // A person sets it by hand.
    setKernel('core_pattern', `|${prefix}/bin/gocore-sink %P %u %g %s %t %c %e`)
    await uninstall({ prefix, proc }, say)
    assert.equal(kernel('core_pattern'), 'core.%p')
    assert.equal(existsSync(prefix), false)
  },
)

test('install --no-kernel over an installation forgets nothing of it', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  const pattern = kernel('core_pattern')
  const sysctl = join(prefix, 'etc/sysctl.d/60-gocore-sink.conf')
  const settings = readFileSync(sysctl, 'utf8')
  lines = []
  install({ prefix, proc, product: makeProduct('two'), kernel: false }, say)
  assert.equal(kernel('core_pattern'), pattern)
  assert.equal(readFileSync(sysctl, 'utf8'), settings)
  assert.doesNotMatch(lines.join('\n'), /no dump arrives/)
  await uninstall({ prefix, proc }, say)
  assert.equal(kernel('core_pattern'), 'core.%p')
  assert.equal(kernel('core_pipe_limit'), '0')
  assert.equal(existsSync(prefix), false)
})

test(
  'uninstall takes its launcher out of core_pattern though the record does not know of it',
  needsRoot,
  async () => {
    install({ prefix, proc, product }, say)
    // As an earlier version's --no-kernel left it.
    const path = join(prefix, 'lib/gocore-sink/installed.json')
    const { pattern: _, ...record } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    writeFileSync(path, JSON.stringify({ ...record, previous: {} }))
    await uninstall({ prefix, proc }, say)
    assert.equal(kernel('core_pattern'), 'core')
    assert.equal(existsSync(prefix), false)
  },
)

test(
  'an upgrade keeps the version before and any that still runs, and removes older ones',
  needsRoot,
  async () => {
    const versions = join(prefix, 'lib/gocore-sink/versions')
    install({ prefix, proc, product }, say)
    const [first] = readdirSync(versions)
    // A process whose executable lies in the first version.
    const program = join(versions, first!, 'bin/sleep')
    writeFileSync(program, readFileSync('/bin/sleep'), { mode: 0o755 })
    const running: ChildProcess = spawn(program, ['60'], { stdio: 'ignore' })
    try {
      for (const name of ['two', 'three', 'four']) install({ prefix, proc, product: makeProduct(name) }, say)
      const left = readdirSync(versions)
      assert.equal(left.length, 3, 'the one that runs, the one before, the new one')
      assert.ok(left.includes(first!))
    } finally {
      running.kill()
      await new Promise(resolve => running.once('exit', resolve))
    }
    install({ prefix, proc, product: makeProduct('five') }, say)
    assert.equal(readdirSync(versions).length, 2)
  },
)

test('an upgrade removes the files that the new version no longer has', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  const page = join(prefix, 'share/man/man1/gocore-sink.1')
  assert.ok(existsSync(page))
  const next = makeProduct('next')
  rmSync(join(next.root, 'man'), { recursive: true })
  install({ prefix, proc, product: next }, say)
  assert.equal(existsSync(page), false)
  await uninstall({ prefix, proc }, say)
  assert.equal(existsSync(prefix), false)
})

test(
  'a program that does not start is not given to the kernel, and the old one stays in force',
  needsRoot,
  () => {
    install({ prefix, proc, product }, say)
    const launcher = readFileSync(join(prefix, 'bin/gocore-sink'), 'utf8')
    for (const [name, who] of [
      ['cli', 'the command line'],
      ['handler', 'the handler'],
    ]) {
      const broken = makeProduct(`broken-${name}`)
      writeFileSync(join(broken.root, `dist/${name}.cjs`), 'process.exit(3)\n')
      assert.throws(
        () => install({ prefix, proc, product: broken }, say),
        new RegExp(`does it start\\?.*: ${who}: `),
      )
      assert.equal(readFileSync(join(prefix, 'bin/gocore-sink'), 'utf8'), launcher)
    }
  },
)

test(
  'an install that fails half-way leaves the next boot alone, and uninstall cleans up',
  needsRoot,
  async () => {
    const inTheWay = join(prefix, 'bin/gocore-sink.new')
    mkdirSync(inTheWay, { recursive: true })
    assert.throws(
      () => install({ prefix, proc, product }, say),
      /Could not do "file \S+\/bin\/gocore-sink": /,
    )
    assert.equal(existsSync(join(prefix, 'etc/sysctl.d')), false)
    assert.equal(kernel('core_pattern'), 'core.%p')
    rmSync(inTheWay, { recursive: true })
    await uninstall({ prefix, proc }, say)
    assert.equal(existsSync(prefix), false)
  },
)

test('uninstall removes what an update that failed had still to remove', needsRoot, async () => {
  install({ prefix, proc, product }, say)
  const page = join(prefix, 'share/man/man1/gocore-sink.1')
  const next = makeProduct('next')
  rmSync(join(next.root, 'man'), { recursive: true })
  writeFileSync(join(next.root, 'dist/cli.cjs'), 'process.exit(3)\n')
  assert.throws(() => install({ prefix, proc, product: next }, say), /does it start\?/)
  assert.ok(existsSync(page))
  await uninstall({ prefix, proc }, say)
  assert.equal(existsSync(prefix), false)
})

test('an install that is tried again remembers the limit from before the first try', needsRoot, async () => {
  setKernel('core_pipe_limit', '16')
  const pattern = join(proc, 'sys/kernel/core_pattern')
  rmSync(pattern)
  // A file that can be read, and takes nothing.
  symlinkSync('/proc/version', pattern)
  assert.throws(() => install({ prefix, proc, product }, say), /Could not do "kernel\.core_pattern/)
  rmSync(pattern)
  assert.equal(kernel('core_pipe_limit'), '1024')
  setKernel('core_pattern', 'core.%p')
  install({ prefix, proc, product }, say)
  await uninstall({ prefix, proc }, say)
  assert.equal(kernel('core_pipe_limit'), '16')
})

describe('install where SELinux is enabled', needsRoot, () => {
  const path = process.env.PATH
  let sys: string
  beforeEach(() => {
    sys = join(folder, 'sys')
    mkdirSync(join(sys, 'fs/selinux'), { recursive: true })
    writeFileSync(join(sys, 'fs/selinux/enforce'), '1')
    mkdirSync(join(folder, 'bin'))
    process.env.PATH = `${join(folder, 'bin')}:${path}`
  })
  afterEach(() => {
    process.env.PATH = path
  })
  const putRestorecon = (text: string): void =>
    writeFileSync(join(folder, 'bin/restorecon'), `#!/bin/sh\n${text}\n`, { mode: 0o755 })

  test('gives the files their labels before the kernel knows of them, once', () => {
    const said = join(folder, 'said')
    putRestorecon(`case $1 in
    -inRv) [ -f ${said} ] || echo Would relabel ;;
    *) echo "$*" >${said}; cat ${proc}/sys/kernel/core_pattern >>${said} ;;
    esac`)
    install({ prefix, proc, product, sys }, say)
    const [words = '', pattern] = readFileSync(said, 'utf8').split('\n')
    for (const name of ['lib/gocore-sink', 'bin/gocore-sink', 'etc/systemd/system/gocore-sink.service'])
      assert.ok(words.split(' ').includes(join(prefix, name)), name)
    assert.match(words, /^-iR /)
    assert.equal(pattern, 'core.%p')
    assert.equal(install({ prefix, proc, product, sys }, say).changed, 0)
  })

  test('goes on without a word where there is no restorecon, as where no policy was installed', () => {
    process.env.PATH = join(folder, 'bin')
    install({ prefix, proc, product, sys }, say)
    assert.doesNotMatch(lines.join('\n'), /restorecon/)
  })

  test('goes on where it can not, and says so', () => {
    putRestorecon('echo no policy >&2; exit 1')
    install({ prefix, proc, product, sys }, say)
    assert.match(lines.join('\n'), /run restorecon .*: failed, and was passed over: no policy$/m)
    assert.match(kernel('core_pattern'), /bin\/gocore-sink/)
  })
})

test('install refuses paths that others than root could replace', needsRoot, () => {
  const open = join(folder, 'open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  assert.throws(
    () => install({ prefix: join(open, 'p'), proc, product }, say),
    /others than root may write .*\/open/,
  )
  const foreign = join(folder, 'foreign')
  mkdirSync(foreign)
  chownSync(foreign, 65534, 65534)
  assert.throws(() => install({ prefix: join(foreign, 'p'), proc, product }, say), /belongs to user 65534/)
  assert.throws(() => install({ prefix: 'relative', proc, product }, say), /must be an absolute path/)
  assert.throws(() => install({ prefix: '/tmp/a b', proc, product }, say), /must be an absolute path/)
  assert.throws(
    () => install({ prefix: join(folder, 'x'.repeat(100)), proc, product }, say),
    /choose a shorter prefix/,
  )
  assert.equal(kernel('core_pattern'), 'core.%p')
})

test('UserAccess: a further run of install keeps nobody out', needsRoot, () => {
  install({ prefix, proc, product }, say)
  const config = join(prefix, 'etc/gocore-sink.conf')
  writeFileSync(config, `${readFileSync(config, 'utf8')}UserAccess=yes\n`)
  // As the first dump of a user's leaves it.
  chmodSync(join(prefix, 'var/archive'), 0o701)
  for (const kind of ['archive', 'state']) {
    install({ prefix, proc, product }, say)
    const mode = statSync(join(prefix, 'var', kind)).mode & 0o777
    assert.equal(mode, kind === 'archive' ? 0o701 : 0o700, kind)
  }
})

test('install refuses directories of the configuration that units and launcher would misread', () => {
  const stage = join(folder, 'stage')
  const config = join(stage, 'etc/gocore-sink.conf')
  mkdirSync(join(stage, 'etc'), { recursive: true })
  for (const [key, path] of [
    ['ArchiveDirectory', '/mnt/core dumps'],
    ['StateDirectory', '/var/lib/%H'],
    ['RuntimeDirectory', '/run/a;reboot'],
  ]) {
    writeFileSync(config, `${key}=${path}\n`)
    assert.throws(
      () => install({ root: stage, product }, say),
      new RegExp(`Cannot use "${path}" as ${key} of ${config}: it must be an absolute path of letters`),
    )
  }
  assert.deepEqual(readdirSync(stage), ['etc'], 'nothing was put down')
  writeFileSync(config, 'ArchiveDirectory=/mnt/größe\n')
  install({ root: stage, product }, say)
  assert.ok(existsSync(join(stage, 'mnt/größe')))
})

test('install refuses directories that are links, before it changes anything', () => {
  const stage = join(folder, 'stage')
  for (const name of ['gocore-sink', 'gocore-sink-state']) {
    mkdirSync(join(stage, 'var/lib'), { recursive: true })
    symlinkSync('/data/cores', join(stage, 'var/lib', name))
    assert.throws(
      () => install({ root: stage, product }, say),
      new RegExp(
        `/var/lib/${name} is a link to /data/cores; name the directory itself as \\w+ in /etc/gocore-sink.conf`,
      ),
    )
    assert.deepEqual(readdirSync(stage), ['var'], 'nothing was put down')
    rmSync(stage, { recursive: true })
  }
})

test('install warns of directories that the sandbox of the units hides', () => {
  const stage = join(folder, 'stage')
  const warnings = (): string[] => lines.filter(line => line.includes('ProtectHome'))
  install({ root: stage, product }, say)
  assert.deepEqual(warnings(), [])
  const config = join(stage, 'etc/gocore-sink.conf')
  writeFileSync(config, 'ArchiveDirectory=/home/dumps\nStateDirectory=/run/user/0/state\n')
  install({ root: stage, product }, say)
  assert.deepEqual(
    warnings().map(line => line.split(',')[0]),
    ['ArchiveDirectory is /home/dumps', 'StateDirectory is /run/user/0/state'],
  )
})

test('a setting that the kernel does not have ends the run before core_pattern is changed', needsRoot, () => {
  rmSync(join(proc, 'sys/kernel/core_pipe_limit'))
  assert.throws(
    () => install({ prefix, proc, product }, say),
    /Could not do "kernel\.core_pipe_limit = 1024": ENOENT/,
  )
  assert.equal(kernel('core_pattern'), 'core.%p')
})

test('--root fills a staging directory and leaves the system alone', () => {
  const stage = join(folder, 'stage')
  install({ root: stage, product }, say)
  for (const path of [
    'usr/local/bin/gocore-sink',
    'usr/local/share/man/man1/gocore-sink.1',
    'etc/gocore-sink.conf',
    'etc/systemd/system/gocore-sink.service',
    'etc/sysctl.d/60-gocore-sink.conf',
    'etc/sysusers.d/gocore-sink.conf',
    'var/lib/gocore-sink',
  ])
    assert.ok(existsSync(join(stage, path)), path)
  const launcher = readFileSync(join(stage, 'usr/local/bin/gocore-sink'), 'utf8')
  assert.doesNotMatch(launcher, /stage/, 'paths are those of the system to be')
  lines = []
  assert.equal(install({ root: stage, product }, say).changed, 0)
  assert.equal(kernel('core_pattern'), 'core.%p')
})
