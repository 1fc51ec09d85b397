import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { findLayout } from '../../src/install/layout.ts'
import { mountUnits, renderSysctl, renderTemplate } from '../../src/install/units.ts'

const folder = join(import.meta.dirname, '../../systemd')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const has = (program: string): boolean => spawnSync('which', [program]).status === 0
const needsAnalyze = has('systemd-analyze') ? {} : { skip: 'systemd-analyze is not installed' }

/** systemd-analyze verify ends with 0 on unknown keys, so what it says counts. */
function verify(text: string): string {
  const place = mkdtempSync(join(tmpdir(), 'unit-'))
  try {
    const path = join(place, 'gocore-sink.service')
    // What is not installed here is no fault of the unit.
    writeFileSync(
      path,
      text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^Documentation=.*\n/m, ''),
    )
    return spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' }).stderr
  } finally {
    rmSync(place, { recursive: true })
  }
}

test('the service is one that systemd understands in every word', needsAnalyze, () => {
  assert.equal(verify(read('gocore-sink.service')), '')
  assert.equal(
    verify(
      renderTemplate(read('gocore-sink.service'), findLayout({ prefix: '/opt/sink', archive: '/mnt/a' })),
    ),
    '',
  )
  assert.match(verify(`${read('gocore-sink.service')}[Service]\nNoSuchKey=1\n`), /NoSuchKey/)
})

test('the receiver loses its sandbox where that could not be made in time, and not because it ended', () => {
  const [, command] = /^ExecStart=\/bin\/sh -ec '(.*)'$/m.exec(read('gocore-sink-receiver-anyway.service'))!
  const place = mkdtempSync(join(tmpdir(), 'anyway-'))
  const script = command!.replaceAll('$$', '$').replaceAll('%%', '%').replaceAll('/run/', `${place}/`)
  const dropIn = join(place, 'systemd/system/gocore-sink-receiver.service.d')
  writeFileSync(join(place, 'systemctl'), `#!/bin/sh\necho "$@" >> ${place}/asked\n`, { mode: 0o755 })
  const loses = (env: NodeJS.ProcessEnv): boolean => {
    rmSync(dropIn, { recursive: true, force: true })
    rmSync(join(place, 'asked'), { force: true })
    const PATH = `${place}:${process.env.PATH}`
    assert.equal(spawnSync('sh', ['-ec', script], { env: { PATH, ...env } }).status, 0)
    const isAsked = existsSync(join(place, 'asked'))
    assert.equal(existsSync(join(dropIn, 'anyway.conf')), isAsked)
    return isAsked
  }
  try {
    assert.equal(loses({ MONITOR_SERVICE_RESULT: 'timeout' }), true)
    assert.equal(
      readFileSync(join(dropIn, 'anyway.conf'), 'utf8'),
      '[Service]\nProtectSystem=full\nReadWritePaths=\n',
    )
    assert.match(
      readFileSync(join(place, 'asked'), 'utf8'),
      /^daemon-reload\n.*restart gocore-sink-receiver.service\n$/,
    )
    assert.equal(loses({ MONITOR_SERVICE_RESULT: 'exit-code' }), false)
    // Before systemd 251, which starts it for a start that failed alone.
    assert.equal(loses({}), true)
  } finally {
    rmSync(place, { recursive: true })
  }
})

/** Runs what looks after the receiver's start; answers its status. */
function startOf(pid: number | undefined, [shell, ...before]: readonly string[] = ['sh']): number | null {
  const [, command] = /^ExecStartPost=\+\/bin\/sh -c '(.*)'$/m.exec(read('gocore-sink-receiver.service'))!
  const text = command!.replaceAll('$$', '$').replaceAll('%%', '%').replace('-lt 6', '-lt 2')
  const env = { PATH: process.env.PATH, MAINPID: String(pid) }
  return spawnSync(shell!, [...before, '-c', text], { env }).status
}

test('the receiver has started when it has begun its parts, and is started anew where it does not', async () => {
  // As one whose dump the kernel is about to write.
  const hangs = spawn('sh', ['-c', 'trap "" TERM; exec sleep 60'])
  const runs = spawn('sh', ['-c', 'sleep 60 & sleep 60'], { detached: true })
  try {
    assert.equal(startOf(hangs.pid), 1)
    await once(hangs, 'exit')
    assert.equal(hangs.signalCode, 'SIGKILL')
    while (startOf(runs.pid) !== 0) assert.equal(runs.exitCode, null)
    assert.notEqual(startOf(hangs.pid), 0, 'of one that is no more')
  } finally {
    hangs.kill('SIGKILL')
    process.kill(-runs.pid!, 'SIGKILL')
  }
})

// bash asks again for longer than a start may take, which is systemd's to end then.
const needsDash = process.geteuid?.() === 0 && has('dash') ? {} : { skip: 'needs root and dash' }
test('so it is where no process is to be had to look after it', needsDash, async () => {
  const asNobody = ['--reuid', '65534', '--clear-groups']
  const hangs = spawn('setpriv', [...asNobody, 'sh', '-c', 'trap "" TERM; exec sleep 60'])
  try {
    while (readFileSync(`/proc/${hangs.pid}/comm`, 'utf8') !== 'sleep\n') await setTimeout(20)
    assert.notEqual(startOf(hangs.pid, ['setpriv', ...asNobody, 'prlimit', '--nproc=1:1', 'dash']), 0)
    await Promise.race([once(hangs, 'exit'), setTimeout(5000)])
    assert.equal(hangs.signalCode, 'SIGKILL')
  } finally {
    hangs.kill('SIGKILL')
  }
})

for (const unit of ['gocore-sink.service', 'gocore-sink-receiver.service'])
  test(`${unit} is confined: exposure of at most 2.0`, needsAnalyze, () => {
    const { status, stdout } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=yes', '--threshold=20', join(folder, unit)],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n'))
  })

// systemd.exec(5): a change of the name is not propagated into such a service.
for (const unit of ['gocore-sink.service', 'gocore-sink-receiver.service'])
  test(`${unit} learns of a new host name`, () => {
    assert.doesNotMatch(read(unit), /^ProtectHostname=/m)
  })

/** The calls that a unit lets through, systemd's groups spelt out. */
function allowedCalls(unit: string): Set<string> {
  const words = /^SystemCallFilter=(.*)$/m.exec(read(unit))![1]!.split(' ')
  const groups = new Map<string, string[]>()
  let group = ''
  const text = spawnSync('systemd-analyze', ['syscall-filter', '--no-pager'], { encoding: 'utf8' }).stdout
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) {
      group = line.trim()
      groups.set(group, [])
    } else if (/^ +[@\w]/.test(line)) groups.get(group)?.push(line.trim())
  }
  const calls = new Set<string>()
  const add = (word: string): void => {
    if (!word.startsWith('@')) calls.add(word)
    else for (const each of groups.get(word) ?? []) add(each)
  }
  // systemd adds this one by itself.
  for (const word of [...words, '@default']) add(word)
  return calls
}

for (const unit of ['gocore-sink.service', 'gocore-sink-receiver.service'])
  test(`${unit} lets its children shut themselves in further`, needsAnalyze, () => {
    const allowed = allowedCalls(unit)
    assert.ok(allowed.has('openat') && !allowed.has('mount'))
    const needed = ['seccomp', 'prctl', 'capset', 'setuid', 'setgroups', 'prlimit64', 'io_uring_setup']
    for (const call of [
      ...needed,
      ...['create_ruleset', 'add_rule', 'restrict_self'].map(name => `landlock_${name}`),
    ])
      assert.ok(allowed.has(call), call)
  })

test('the receiver is not root, nor the user of the analysis, and its user is made', () => {
  const value = (text: string, key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]
  const unit = read('gocore-sink-receiver.service')
  const user = value(unit, 'User')!
  assert.match(read('gocore-sink-receiver.sysusers.conf'), new RegExp(`^u ${user} - `, 'm'))
  assert.doesNotMatch(read('gocore-sink.sysusers.conf'), new RegExp(`^u ${user} `, 'm'))
  assert.equal(value(unit, 'AmbientCapabilities'), value(unit, 'CapabilityBoundingSet'))
})

test('renderTemplate() puts in the paths of the prefix, and leaves no default behind', () => {
  const layout = findLayout({ prefix: '/opt/sink', archive: '/mnt/nfs/dumps' })
  for (const name of readdirSync(folder)) {
    const text = renderTemplate(read(name), layout)
    for (const gone of ['/usr/local/', '/etc/gocore', '/var/lib/', ' /run/gocore'])
      assert.ok(!text.includes(gone), `${name} still has ${gone}`)
  }
  const unit = renderTemplate(read('gocore-sink.service'), layout)
  assert.match(unit, /^After=mnt.mount mnt-nfs.mount mnt-nfs-dumps.mount$/m)
  assert.doesNotMatch(unit, /lib-gocore/)
  assert.match(unit, /^ReadWritePaths=\/mnt\/nfs\/dumps \/opt\/sink\/var\/state \/opt\/sink\/var\/run$/m)
})

test('renderTemplate() puts in the accounts of the configuration', () => {
  const layout = findLayout()
  const lines = (name: string, group: string, user: string): string[] => {
    const analysis = { ...layout.settings.analysis, user }
    const settings = { ...layout.settings, group, analysis }
    const text = renderTemplate(read(name), { ...layout, settings })
    return text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  }
  const hooks = 'u gocore-sink-hooks - "gocore-sink hooks"'
  const analysis = '"gocore-sink analysis"'
  for (const [group, user, accounts, state] of [
    ['gocore', 'gocore-sink', ['g gocore -', `u gocore-sink - ${analysis}`, hooks], '0750 root gocore'],
    ['ops', 'crash$', ['g ops -', `u crash$ - ${analysis}`, hooks], '0750 root ops'],
    ['', '', [hooks], '0700 root root'],
  ] as const) {
    assert.deepEqual(lines('gocore-sink.sysusers.conf', group, user), accounts)
    assert.deepEqual(lines('gocore-sink.tmpfiles.conf', group, user), [
      'd /run/gocore-sink 0755 root root -',
      `d /var/lib/gocore-sink-state ${state} -`,
    ])
  }
})

test('mountUnits() names what systemd-escape does', {
  skip: has('systemd-escape') ? false : 'systemd-escape is not installed',
}, () => {
  for (const path of ['/mnt', '/.dumps/of a-b', '/srv/größe\\x/%i', '/a/.b//c_d:e.f/']) {
    const made = spawnSync('systemd-escape', ['--path', '--suffix=mount', path], { encoding: 'utf8' })
    assert.equal(mountUnits(path).split(' ').at(-1), made.stdout.trim())
  }
})

test('renderTemplate() changes nothing for the default layout', () => {
  for (const name of readdirSync(folder)) assert.equal(renderTemplate(read(name), findLayout()), read(name))
})

test('renderSysctl() writes the pattern as it is, dollar signs and all', () => {
  const text = renderSysctl(read('gocore-sink.sysctl.conf'), "|/a$&/b %P $1 $'")
  assert.match(text, /^kernel\.core_pattern=\|\/a\$&\/b %P \$1 \$'$/m)
})

test('tmpfiles.d and sysusers.d files are accepted', {
  skip: has('systemd-tmpfiles') ? false : 'systemd-tmpfiles is not installed',
}, () => {
  const place = mkdtempSync(join(tmpdir(), 'tmpfiles-'))
  try {
    const layout = findLayout({ prefix: '/opt/sink' })
    const path = join(place, 'x.conf')
    writeFileSync(path, renderTemplate(read('gocore-sink.tmpfiles.conf'), layout))
    const made = spawnSync('systemd-tmpfiles', ['--create', `--root=${place}`, path], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    assert.deepEqual(readdirSync(join(place, 'opt/sink/var')).sort(), ['run', 'state'])
    mkdirSync(join(place, 'etc'))
    writeFileSync(path, read('gocore-sink.sysusers.conf'))
    const users = spawnSync('systemd-sysusers', [`--root=${place}`, path], { encoding: 'utf8' })
    assert.equal(users.status, 0, users.stderr)
    assert.match(readFileSync(join(place, 'etc/group'), 'utf8'), /^gocore:/m)
  } finally {
    rmSync(place, { recursive: true })
  }
})
