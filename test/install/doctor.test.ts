import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { openLocalStore } from '../../src/archive/index.ts'
import { knownFile, rememberArchive } from '../../src/archive/known.ts'
import { noteOfRest } from '../../src/archive/rest-note.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { type Host, openHost } from '../../src/install/doctor/host.ts'
import { checkHandler } from '../../src/install/doctor/program-checks.ts'
import { doctor, type Finding, formatFindings } from '../../src/install/index.ts'
import { addDump } from '../daemon/archive.ts'

const till = join(import.meta.dirname, '../fixtures/till/till.zst')
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root: another user looks' }
let folder: string
const config = defaultConfig()

/** A made-up machine: files below a directory. */
const put = (files: Record<string, string>): void => {
  for (const [path, text] of Object.entries(files)) {
    const at = join(folder, path)
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, text)
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  config.archive = join(folder, 'archive')
  config.state = join(folder, 'state')
  config.run = join(folder, 'run')
  for (const name of ['archive', 'state', 'run', 'etc/sysctl.d'])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
  put({
    'proc/sys/kernel/core_pattern': '|/usr/local/bin/gocore-sink %P %u %g %s %t %c %e %h %I %d -F%F\n',
    'proc/sys/kernel/core_pipe_limit': '64\n',
    'proc/sys/kernel/core_uses_pid': '0\n',
    'proc/sys/kernel/osrelease': '6.18.1\n',
    'proc/sys/fs/suid_dumpable': '2\n',
    'usr/local/bin/gocore-sink': '',
    'etc/sysctl.d/60-gocore-sink.conf': 'kernel.core_pattern=|/usr/local/bin/gocore-sink %P\n',
  })
})
afterEach(() => rmSync(folder, { recursive: true }))

const findings = async (pid?: number): Promise<Map<string, Finding>> =>
  new Map(
    (await doctor({ config, host: openHost(folder), ...(pid === undefined ? {} : { pid }) })).map(found => [
      found.name,
      found,
    ]),
  )

/** A process of the made-up machine. */
function putProcess(
  pid: number,
  facts: { core?: string; filter?: string; environ?: string; exe?: 'go'; cgroup?: string },
): void {
  const process = `proc/${pid}`
  put({
    [`${process}/status`]: `Name:\tserver\nUid:\t0\t0\t0\t0\nVmSize:\t  100 kB\n`,
    [`${process}/comm`]: 'server\n',
    [`${process}/cgroup`]: facts.cgroup ?? '0::/system.slice/shop.service\n',
    [`${process}/limits`]: `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${facts.core ?? 'unlimited'}            unlimited            bytes\n`,
    [`${process}/coredump_filter`]: `${facts.filter ?? '00000033'}\n`,
    [`${process}/environ`]: facts.environ ?? 'GOTRACEBACK=crash\0PATH=/bin\0',
  })
  if (facts.exe === 'go') writeFileSync(join(folder, process, 'exe'), zstdDecompressSync(readFileSync(till)))
  else copyFileSync('/bin/sh', join(folder, process, 'exe'))
}

test('doctor finds nothing on a machine that is in order', async () => {
  putProcess(100, { exe: 'go' })
  const server = createServer().listen(join(config.run, 'daemon.sock'))
  try {
    const found = [...(await findings()).values()]
    const wrong = found.filter(
      ({ status, name }) =>
        !['ok', 'skipped'].includes(status) && name !== 'archive-space' && name !== 'handler',
    )
    if (process.geteuid?.() === 0) assert.deepEqual(wrong, [])
  } finally {
    server.close()
  }
})

test('doctor says on what an archive lies that other machines may share', {
  skip: byFuse.unavailable(),
}, async () => {
  const mounted = await byFuse.mount(config.archive, join(folder, 'fuse'))
  try {
    const { status, what } = (await findings()).get('archive-type')!
    assert.equal(status, 'ok')
    assert.match(what, /is on FUSE: the daemon polls it/)
  } finally {
    await mounted.end()
  }
})

test('doctor says for each kernel setting what follows from it, with a remedy', async () => {
  const rows: [file: string, text: string, name: string, status: string, what: RegExp][] = [
    ['core_pattern', 'core', 'core-pattern', 'problem', /dumps go to the kernel, which writes files itself/],
    [
      'core_pattern',
      '|/usr/lib/systemd/systemd-coredump %P',
      'core-pattern',
      'problem',
      /dumps go to systemd-coredump/,
    ],
    ['core_pattern', '|/bin/false', 'core-pattern', 'problem', /throws dumps away/],
    [
      'core_pattern',
      '|/opt/gone/gocore-sink %P',
      'core-pattern',
      'problem',
      /does not exist: every dump is lost/,
    ],
    [
      'core_pattern',
      '|/usr/local/bin/gocore-sink %u %P',
      'core-pattern',
      'problem',
      /the handler goes by their order/,
    ],
    [
      'core_pattern',
      '|/usr/local/bin/gocore-sink %P %u %g %s %t %c %e',
      'core-pattern',
      'note',
      /knows more fields/,
    ],
    ['core_pipe_limit', '0', 'core-pipe-limit', 'warning', /does not wait for the handler/],
    ['core_pipe_limit', '1', 'core-pipe-limit', 'warning', /further crashes leave only a kernel log line/],
    ['osrelease', '5.2.0', 'kernel', 'warning', /a thread name with a space/],
    ['osrelease', '6.1.0', 'kernel', 'note', /has no %F/],
    ['../fs/suid_dumpable', '0', 'suid-dumpable', 'note', /leave no dump at all/],
    ['../fs/suid_dumpable', '1', 'suid-dumpable', 'warning', /as if it were the user's own/],
  ]
  for (const [file, text, name, status, what] of rows) {
    const path = `proc/sys/kernel/${file}`
    const before = readFileSync(join(folder, path), 'utf8')
    put({ [path]: `${text}\n` })
    const found = (await findings()).get(name)!
    assert.equal(found.status, status, `${file}=${text}: ${found.what}`)
    assert.match(found.what, what)
    if (status !== 'note') assert.ok(found.remedy, `${name} has a remedy`)
    put({ [path]: before })
  }
})

test('doctor knows that dumps come by a socket', async () => {
  put({
    'proc/sys/kernel/core_pattern': '@@/run/gocore-sink.sock\n',
    'proc/sys/kernel/core_pipe_limit': '0\n',
  })
  const none = (await findings()).get('core-pattern')!
  assert.equal(none.status, 'problem')
  assert.match(none.what, /nobody listens there: every dump is lost/)
  put({ 'run/gocore-sink.sock': '' })
  const found = await findings()
  for (const name of ['core-pattern', 'core-pipe-limit', 'core-uses-pid', 'receiver'])
    assert.equal(found.get(name)?.status, 'ok', name)
  put({ 'run/systemd/system/gocore-sink-receiver.service.d/anyway.conf': '' })
  const receiver = (await findings()).get('receiver')!
  assert.equal(receiver.status, 'warning')
  assert.match(receiver.what, /the archive did not answer when it was started/)
})

test('doctor reads sysctl.d as systemd does: by name, the last file counts, /etc hides /usr/lib', async () => {
  put({ 'usr/lib/sysctl.d/50-coredump.conf': 'kernel.core_pattern=|/usr/lib/systemd/systemd-coredump\n' })
  assert.equal((await findings()).get('boot')!.status, 'ok')
  put({ 'usr/lib/sysctl.d/99-late.conf': '# c\n-kernel/core_pattern = core.%p\n' })
  const late = (await findings()).get('boot')!
  assert.equal(late.status, 'warning')
  assert.match(late.what, /\/usr\/lib\/sysctl\.d\/99-late\.conf sets core_pattern to "core\.%p"/)
  put({ 'etc/sysctl.d/99-late.conf': '' })
  assert.equal((await findings()).get('boot')!.status, 'ok')
  put({
    'etc/sysctl.d/60-gocore-sink.conf': 'kernel.core_pattern=|/opt/gone/bin/gocore-sink %P\n',
  })
  const gone = (await findings()).get('boot')!
  assert.equal(gone.status, 'problem')
  assert.match(gone.what, /sets core_pattern to \/opt\/gone\/bin\/gocore-sink, which does not exist/)
  rmSync(join(folder, 'etc/sysctl.d/60-gocore-sink.conf'))
  rmSync(join(folder, 'usr/lib/sysctl.d/50-coredump.conf'))
  assert.match((await findings()).get('boot')!.what, /No sysctl\.d file sets core_pattern/)
})

test('doctor names other recorders', async () => {
  put({ 'usr/lib/systemd/systemd-coredump': '' })
  assert.equal((await findings()).get('other-recorders')!.status, 'note')
  put({ 'usr/share/apport/apport': '' })
  const apport = (await findings()).get('other-recorders')!
  assert.equal(apport.status, 'warning')
  assert.match(apport.remedy!, /systemctl disable --now apport/)
  put({ 'etc/default/apport': 'enabled=0\n' })
  assert.equal((await findings()).get('other-recorders')!.status, 'note')
})

test('doctor groups processes by service and tells Go programs from others', async () => {
  for (const pid of [11, 12, 13, 14, 15])
    putProcess(pid, { core: '0        ', environ: 'A=GOTRACEBACK=crash\0', exe: 'go' })
  putProcess(20, { core: '0        ', environ: '', cgroup: '0::/\n' })
  putProcess(30, { filter: '00000020', exe: 'go' })
  const found = await findings()
  const limits = found.get('rlimit-core')!
  assert.equal(limits.status, 'warning')
  assert.match(limits.what, /^6 processes have RLIMIT_CORE at 0/)
  assert.deepEqual(limits.detail, ['shop.service (5 processes: 11, 12, 13, 14, …)', 'server (20)'])
  const traceback = found.get('gotraceback')!
  assert.match(traceback.what, /^5 Go programs without GOTRACEBACK=crash/)
  assert.match(found.get('coredump-filter')!.what, /^1 process leaves heap or ELF headers out/)
})

test('doctor looks at one process', async () => {
  putProcess(11, { core: '0        ', environ: '', exe: 'go' })
  const found = await findings(11)
  assert.equal(found.get('process')!.what, '11 is server of shop.service, a Go program.')
  assert.equal(found.get('rlimit-core')!.status, 'warning')
  assert.equal(found.get('gotraceback')!.status, 'warning')
  assert.match((await findings(12)).get('process')!.what, /There is no process 12/)
})

test('doctor bears hostile texts of /proc', async () => {
  putProcess(11, {
    core: 'x'.repeat(5000),
    filter: 'zz',
    environ: '\0\0GOTRACEBACK',
    cgroup: `0::/${'a/'.repeat(9000)}\n`,
  })
  put({
    'proc/11/comm': '\u001b[2J\nVmSize: 1\n',
    'proc/12/status': 'Name:\tx\nVmSize:\t',
    'proc/12/exe': '\u007fELF\u0002\u0001'.padEnd(64, '\xff'),
    'proc/13/status': '',
  })
  const text = formatFindings([...(await findings()).values()])
  assert.doesNotMatch(text, /\u001b/)
})

test('doctor says what is wrong with the storage', async () => {
  if (process.geteuid?.() !== 0) return
  mkdirSync(join(folder, 'wide'), { mode: 0o777 })
  config.archive = join(folder, 'none')
  assert.match((await findings()).get('archive')!.what, /does not exist: no dump can be stored/)
  config.archive = join(folder, 'archive')
  rememberArchive(config.state, config.archive)
  assert.match((await findings()).get('archive')!.what, /no format\.json any more.*dumps go to the spool/)
  rmSync(knownFile(config.state))
  config.retention.keepFree = 2 ** 60
  assert.match((await findings()).get('archive-space')!.what, /a large dump is cut short/)
  config.retention.keepFree = null
  assert.match((await findings()).get('daemon')!.what, /dumps are stored, but not analysed/)
  mkdirSync(join(config.state, 'spool/dumps/2026/11/23/aaaaaaaaaaaa'), { recursive: true })
  assert.match((await findings()).get('spool')!.what, /^1 dump waits in /)
  // The archive says of it that it stays where it is.
  const store = openLocalStore(config.archive)
  const note = noteOfRest(7, join(config.state, 'spool'), 'it is damaged')
  addDump(store, { id: 'aaaaaaaaaaaa', time: new Date('2026-11-23'), manifest: { notes: [note] } })
  const { what, remedy } = (await findings()).get('spool')!
  assert.match(what, /spool has the rest of a core, which can't be joined .*: aaaaaaaaaaaa\.$/)
  assert.match(remedy!, /remove dumps\/2026\/11\/23\/aaaaaaaaaaaa there/)
  config.state = join(folder, 'gone')
  assert.match((await findings()).get('state')!.what, /there is no catalog/)
})

test('doctor goes on where a place gives an error that nobody foresaw', async () => {
  rmSync(config.archive, { recursive: true })
  symlinkSync(config.archive, config.archive)
  const found = await findings()
  const { status, what } = found.get('archive')!
  assert.equal(status, 'problem')
  assert.equal(what, `${config.archive} can't be looked at: ELOOP.`)
  assert.ok(found.has('core-pattern') && found.has('daemon') && found.has('processes'))
  // Dumps go to the spool now.
  for (const name of ['state', 'spool', 'spool-space']) assert.equal(found.get(name)?.status, 'ok', name)
  rmSync(config.state, { recursive: true })
  symlinkSync(config.state, config.state)
  const worse = await findings()
  for (const name of ['state', 'spool', 'spool-space']) assert.equal(worse.get(name)?.status, 'problem', name)
})

test('doctor says whether the spool has room, on its disk and below SpoolMax', needsRoot, async () => {
  const small = (options: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', config.state])
  }
  const space = async (): Promise<[string, string]> => {
    const { status, what } = (await findings()).get('spool-space')!
    return [status, what]
  }
  const { spoolMax } = config
  try {
    small('size=256M')
    mkdirSync(join(config.state, 'spool'))
    assert.equal((await space())[0], 'ok')
    config.spoolMax = 32 << 20
    assert.deepEqual(await space(), [
      'warning',
      `${config.state}/spool has room for 32M: a large dump that the archive does not take is cut short.`,
    ])
    writeFileSync(join(config.state, 'spool/core'), Buffer.alloc(40 << 20))
    const [status, what] = await space()
    assert.equal(status, 'problem')
    assert.match(what, /is lost: the spool holds 41943040 bytes, SpoolMax is 33554432\.$/)
    config.spoolMax = null
    for (const [size, expected] of [
      ['48M', 'warning'],
      ['40M', 'problem'],
    ] as const) {
      execFileSync('mount', ['-o', `remount,size=${size}`, config.state])
      assert.equal((await space())[0], expected, size)
    }
    // With the archive away dumps would go there, and nowhere else.
    rmSync(config.archive, { recursive: true })
    assert.match((await space())[1], /^0 are free for .*spool: what the archive does not take is lost/)
    execFileSync('umount', [config.state])
    small('size=256M,nr_inodes=20')
    assert.match((await space())[1], /^Only 1\d files can still be made/)
  } finally {
    config.spoolMax = spoolMax
    execFileSync('umount', [config.state])
  }
})

/** What doctor tells a user who is nobody here. */
async function findingsOfNobody(pid?: number): Promise<Map<string, Finding>> {
  for (const path of [folder, config.run]) chmodSync(path, 0o755)
  process.seteuid!(65534)
  try {
    return await findings(pid)
  } finally {
    process.seteuid!(0)
  }
}

test('doctor tells an ordinary user what can be seen, and skips what can not', needsRoot, async () => {
  mkdirSync(join(config.state, 'spool/dumps'), { recursive: true })
  const closed = await findingsOfNobody()
  for (const [name, path] of [
    ['archive', join(config.archive, 'format.json')],
    ['spool', join(config.state, 'spool/dumps')],
  ] as const) {
    assert.equal(closed.get(name)!.status, 'skipped', name)
    assert.equal(closed.get(name)!.what, `This user may not look at ${path}.`)
  }
  for (const name of ['archive-rights', 'archive-type', 'state'])
    assert.notEqual(closed.get(name)!.status, 'skipped', name)
  assert.ok(closed.has('daemon') && closed.has('processes'), 'all other checks are made')

  // Directories of a private prefix that is closed as a whole.
  const inner = join(folder, 'closed')
  for (const name of ['archive', 'state'] as const) config[name] = join(inner, name)
  mkdirSync(config.archive, { recursive: true })
  chmodSync(inner, 0o700)
  chmodSync(join(folder, 'usr/local/bin'), 0o700)
  const none = await findingsOfNobody()
  for (const name of [
    'core-pattern',
    'handler',
    'archive',
    'archive-rights',
    'archive-space',
    'archive-type',
    'state',
    'spool',
  ])
    assert.equal(none.get(name)!.status, 'skipped', name)
})

test('doctor lets the handler that the kernel would start record a crash', needsRoot, () => {
  const version = join(folder, 'version')
  const launcher = join(folder, 'bin/gocore-sink')
  put({
    'version/bin/node': `#!/bin/sh\nexec ${process.execPath} "$@"\n`,
    'version/dist/cli.cjs': '',
    'version/dist/handler.cjs': '',
    'bin/gocore-sink': `exec ${version}/bin/node x\n`,
  })
  chmodSync(join(version, 'bin/node'), 0o755)
  const here = openHost()
  const host: Host = {
    ...here,
    text: path => (path === '/proc/sys/kernel/core_pattern' ? `|${launcher} %P\n` : here.text(path)),
  }
  assert.equal(checkHandler(host).status, 'ok')
  put({ 'version/dist/handler.cjs': "throw new Error('no such addon')" })
  const { status, what } = checkHandler(host)
  assert.equal(status, 'problem')
  assert.match(what, /does not record a crash .*: the handler: Error: no such addon\.$/)
})

test('doctor tries the version whose receiver runs', needsRoot, () => {
  const node = join(folder, 'version/bin/node')
  put({
    'version/bin/node': `#!/bin/sh\nexec ${process.execPath} "$@"\n`,
    'version/dist/cli.cjs': '',
    'version/dist/handler.cjs': '',
    'version/dist/receiver.js': '',
  })
  chmodSync(node, 0o755)
  const here = openHost()
  let state = 'active'
  const host: Host = {
    ...here,
    text: path => (path === '/proc/sys/kernel/core_pattern' ? '@@/run/gocore-sink.sock\n' : here.text(path)),
    output: argv => (argv.includes('MainPID') ? '77\n' : `${state}\n`),
    link: path => (path === '/proc/77/exe' ? node : here.link(path)),
  }
  const found = (): string => {
    const { name, status, what } = checkHandler(host)
    return `${name} ${status} ${what.replaceAll(folder, '')}`
  }
  assert.match(found(), /^receiver ok \/version\/dist\/receiver\.js records crashes/)
  put({ 'version/dist/handler.cjs': "throw new Error('no such addon')" })
  assert.match(found(), /^receiver problem .*does not record a crash .*: no such addon\.$/)
  rmSync(join(folder, 'version/dist/receiver.js'))
  assert.match(
    found(),
    /^receiver problem The receiver's files: \/version\/dist\/receiver\.js is not there\.$/,
  )
  rmSync(node)
  assert.equal(found(), 'receiver ok The receiver runs.')
  state = 'failed'
  assert.match(found(), /^receiver problem The receiver of the socket is failed/)
})

test("doctor says of another user's process only what it knows", needsRoot, async () => {
  putProcess(11, { exe: 'go' })
  put({ 'proc/11/status': 'Name:\tserver\nUid:\t1000\t1000\t1000\t1000\nVmSize:\t  100 kB\n' })
  const environ = join(folder, 'proc/11/environ')
  const dumpable = async (): Promise<string> => (await findingsOfNobody(11)).get('dumpable')!.status
  chmodSync(environ, 0o400)
  assert.equal(await dumpable(), 'warning', 'the kernel made it root’s')
  chownSync(environ, 1000, 1000)
  assert.equal(await dumpable(), 'ok')
  chmodSync(join(folder, 'proc/11'), 0o755)
  rmSync(environ)
  assert.equal(await dumpable(), 'skipped')
})

test('doctor looks at this machine for real, quickly', async () => {
  const begun = performance.now()
  const found = await doctor({ config: defaultConfig() })
  assert.ok(performance.now() - begun < 5000)
  assert.ok(found.length > 12)
  for (const { what } of found) assert.match(what, /^\S.*\.$/)
  assert.match(formatFindings(found), /(Nothing is in the way of a dump|\d+ problems?, \d+ warnings?)\.\n$/)
})

test('a schedule that the daemon would not start with is a problem', async () => {
  assert.equal((await findings()).get('schedule'), undefined)
  const { cron } = config.retention
  config.retention.cron = '99 99 99 99 99'
  try {
    const found = (await findings()).get('schedule')
    assert.equal(found?.status, 'problem')
    assert.match(found!.what, /^RetentionSchedule=99 99 99 99 99 is no cron expression/)
  } finally {
    config.retention.cron = cron
  }
})
