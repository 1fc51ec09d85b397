/** Who gets to read a core: attacks on the decision whose it is. Each test is named after what it once was somewhere. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { describe, test } from 'node:test'
import { findGroup } from '../../src/archive/access.ts'
import { openSystemCalls } from '../../src/base/system-calls.ts'
import { takeSnapshot } from '../../src/handler/process-info.ts'
import { runCli } from '../cli/run-cli.ts'
import { startDaemon } from '../daemon/running.ts'
import { type HandlerBed, noKernel } from '../support/handler-bed.ts'
import {
  alice,
  attackBed,
  become,
  bob,
  cliAs,
  compile,
  everything,
  shellAs,
  until,
  whileDumped,
} from './bed.ts'

const kernel = { skip: noKernel, timeout: 10 * 60_000 }
/** A group that is there on every machine and that nobody is in. */
const group = 'daemon'
const gid = findGroup(group)!
const open = { Group: group, UserAccess: 'yes' }
const aborts = '#include <stdlib.h>\nint main(void) { abort(); }'

/** Aborts after these calls, as a process that says of itself that its user may see it. */
const itsOwn = (calls: string): string => `#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(void) { ${calls}; prctl(PR_SET_DUMPABLE, 1); abort(); }`

/** Root's own child, in a user namespace that root made and in which everyone is who they are, becomes alice. */
const foreignNamespace = `#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static void map(int pid, const char *what) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
  int fd = open(path, O_WRONLY);
  if (write(fd, "0 0 4294967295", 14) != 14) exit(3);
  close(fd);
}
int main(void) {
  int ready[2], go[2];
  char byte;
  pipe(ready), pipe(go);
  int pid = fork();
  if (pid == 0) {
    unshare(CLONE_NEWUSER);
    write(ready[1], "x", 1), read(go[0], &byte, 1);
    if (setresgid(${alice}, ${alice}, ${alice}) || setresuid(${alice}, ${alice}, ${alice})) exit(4);
    prctl(PR_SET_DUMPABLE, 1);
    abort();
  }
  read(ready[0], &byte, 1);
  map(pid, "uid_map"), map(pid, "gid_map");
  write(go[1], "x", 1);
  waitpid(pid, 0, 0);
  return 0;
}`

const aclOf = (path: string): string =>
  execFileSync(
    'python3',
    [
      '-c',
      'import os,sys\ntry: print(os.getxattr(sys.argv[1],"system.posix_acl_access").hex())\nexcept OSError: pass',
      path,
    ],
    { encoding: 'utf8' },
  ).trim()

/** Shell text that has the kernel dump programs that changed their rights, for root alone. */
function withSuidDumps(script: string): string {
  const set = (value: string): string => `echo ${value} > /proc/sys/fs/suid_dumpable`
  return `trap '${set(readFileSync('/proc/sys/fs/suid_dumpable', 'latin1').trim())}' EXIT; ${set('2')}; ${script}`
}

/** Kills a process that is another's child, and waits until its number is free. */
function endOf(pid: number): boolean {
  if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
  while (existsSync(`/proc/${pid}`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  return false
}

/** Other programs of the machine may crash meanwhile. */
const dumpsOf = (bed: HandlerBed, uid: number) =>
  bed.dumps().filter(({ manifest }) => manifest.process.uid === uid)

describe('who may read a core', kernel, () => {
  for (const [name, pattern] of [
    ['with %d', undefined],
    ['without %d in the pattern', '%P %u %g %s %t %c %e'],
  ] as const)
    test(`CVE-2022-4415, CVE-2013-1067: a set-user-id program's core is root's alone, ${name}`, async () => {
      using bed = attackBed(open)
      const victim = compile(bed, 'victim', aborts)
      chmodSync(victim, 0o4755)
      await bed.crash(
        withSuidDumps(`${become(alice)} sh -c '${victim}; true'`),
        pattern === undefined ? {} : { pattern: `|${bed.path('h')} ${pattern}` },
      )
      const [dump] = bed.dumps()
      assert.equal(dump?.manifest.core.state, 'complete')
      assert.equal(dump.manifest.dumpable, pattern === undefined ? 2 : undefined)
      for (const { path, mode, uid, gid } of everything(bed.store.layout.dump(dump))) {
        assert.deepEqual([mode & 0o7777, uid, gid], [0o600, 0, 0], path)
        assert.equal(aclOf(path), '')
      }
      assert.doesNotMatch(cliAs(alice, bed, ['ls']).stdout, new RegExp(dump.id.slice(0, 6)))
    })

  test('CVE-2022-4415: one that gave up its rights for good is root’s alone, too, until it says otherwise', async () => {
    using bed = attackBed(open)
    const drop = `setresgid(${alice}, ${alice}, ${alice}); setresuid(${alice}, ${alice}, ${alice})`
    const dropped = compile(
      bed,
      'dropped',
      `#include <stdlib.h>\n#include <unistd.h>\nint main(void) { ${drop}; abort(); }`,
    )
    await bed.crash(withSuidDumps(`${dropped}; true`))
    const [dump] = dumpsOf(bed, alice)
    assert.equal(dump?.manifest.dumpable, 2)
    assert.match(dump.manifest.process.status!, new RegExp(`^Uid:(\\t${alice}){4}$`, 'm'))
    for (const { path, mode, uid, gid } of everything(bed.store.layout.dump(dump))) {
      assert.deepEqual([mode & 0o7777, uid, gid], [0o600, 0, 0], path)
      assert.equal(aclOf(path), '')
    }
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
  })

  test('CVE-2025-5467: a core goes to the configured group and never to the primary group of its user', async () => {
    using bed = attackBed({ Group: group })
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`)
    const [dump] = bed.dumps()
    assert.equal(dump!.manifest.process.gid, alice)
    for (const entry of everything(bed.path('archive'))) {
      assert.deepEqual([entry.uid, entry.gid], [0, gid], entry.path)
      assert.equal(
        entry.mode & 0o027,
        0 | (entry.mode & 0o20 ? 0o20 : 0),
        `${entry.path} is for group and root`,
      )
      assert.equal(aclOf(entry.path), '')
    }
  })

  test('UserAccess: users list and read their own crashes and nobody else’s, and change none', async () => {
    using bed = attackBed(open)
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; ${become(bob)} sh -c 'kill -ABRT $$'; true`)
    const dumps = bed.dumps()
    assert.equal(dumps.length, 2)
    const of = (uid: number) => dumps.find(({ manifest }) => manifest.process.uid === uid)!
    for (const [own, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const listed = cliAs(own, bed, ['ls', '--quiet'])
      assert.equal(listed.stdout.trim(), of(own).id, listed.stderr)
      const shown = cliAs(own, bed, ['info', of(own).id, '--json'])
      assert.equal(JSON.parse(shown.stdout).manifest.process.uid, own, shown.stderr)
      assert.notEqual(cliAs(own, bed, ['info', of(other).id]).status, 0)
      assert.notEqual(cliAs(own, bed, ['show', of(other).id]).status, 0)
      const mine = bed.store.layout.dump(of(own))
      const theirs = bed.store.layout.dump(of(other))
      const may = (script: string): boolean => shellAs(own, script).status === 0
      assert.ok(may(`cat ${mine}/core.lz4 ${mine}/manifest.json`))
      // CVE-2026-54228, -54229, CVE-2015-1869, -1870: readers change nothing that root works on.
      for (const change of [
        `chmod 777 ${mine}/manifest.json`,
        `: >> ${mine}/manifest.json`,
        `rm -f ${mine}/core.lz4`,
        `mv ${mine}/core.lz4 ${mine}/other`,
        `touch ${mine}/new`,
        `ln -s /etc/passwd ${mine}/report.json`,
        `mv ${mine} ${mine}x`,
        `touch ${bed.path(`archive/users/${own}/new`)}`,
        `cat ${theirs}/core.lz4`,
        `cat ${theirs}/manifest.json`,
        `ls ${theirs}`,
        `ls ${bed.path('archive/dumps')}`,
        `ls ${bed.path('archive')}`,
        `ls ${bed.path('archive/users')}`,
        `ls ${bed.path(`archive/users/${other}`)}`,
      ])
        assert.ok(!may(change), change)
      for (const { path, uid } of everything(mine)) assert.equal(uid, 0, path)
      const executable = bed.store.binaryPath(of(own).manifest.executable!.key!)!
      assert.ok(may(`cmp ${executable} /bin/sh`), 'both died in one shell')
      assert.ok(shellAs(bob + 1, `cat ${executable}`).status !== 0)
      for (const change of [
        `: >> ${executable}`,
        `rm -f ${executable}`,
        `ls ${bed.path('archive/binaries')}`,
      ])
        assert.ok(!may(change), change)
      const report = cliAs(own, bed, ['show', of(own).id])
      assert.equal(report.status, 0, report.stderr)
      assert.doesNotMatch(report.stdout + report.stderr, /EACCES|without its executable/)
      const verified = cliAs(own, bed, ['verify'])
      assert.equal(verified.stdout, '1 dump verified, all sound.\n', verified.stderr)
      const bundle = cliAs(own, bed, ['export', '--bundle', of(own).id, '-o', '-'])
      assert.equal(bundle.status, 0, bundle.stderr)
      assert.match(bundle.stdout, /core\.lz4\0[\s\S]*\/binary\0/)
    }
    bed.store.remove(of(alice))
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
  })

  test('UserAccess: an archive with the set-group-id bit and a default list lets nobody in whom that keeps out', async () => {
    using bed = attackBed({ UserAccess: 'yes' })
    mkdirSync(bed.path('archive'))
    // user::rwx, user:bob:---, group::r-x, mask::rwx, other::--- for whatever is made in it.
    const entries = [
      [0x01, 7, 0xffffffff],
      [0x02, 0, bob],
      [0x04, 5, 0xffffffff],
      [0x10, 7, 0xffffffff],
      [0x20, 0, 0xffffffff],
    ]
    const list = Buffer.concat([
      Buffer.from([2, 0, 0, 0]),
      ...entries.map(([tag, rights, id]) => {
        const entry = Buffer.alloc(8)
        entry.writeUInt16LE(tag!, 0)
        entry.writeUInt16LE(rights!, 2)
        entry.writeUInt32LE(id!, 4)
        return entry
      }),
    ])
    const set =
      'import os,sys; os.setxattr(sys.argv[1], "system.posix_acl_default", bytes.fromhex(sys.argv[2]))'
    execFileSync('python3', ['-c', set, bed.path('archive'), list.toString('hex')])
    chownSync(bed.path('archive'), 0, gid)
    chmodSync(bed.path('archive'), 0o2750)
    const victim = compile(bed, 'victim', aborts)
    chmodSync(victim, 0o4755)
    await bed.crash(withSuidDumps(`${become(alice)} sh -c '${victim}; kill -SEGV $$'; true`))
    const dumps = dumpsOf(bed, alice)
    assert.deepEqual(dumps.map(({ manifest }) => manifest.dumpable).sort(), [1, 2])
    for (const dump of dumps) {
      const file = bed.store.layout.file(dump, 'manifest.json')
      const may = (uid: number): boolean => shellAs(uid, `cat ${file} >/dev/null`).status === 0
      assert.deepEqual([may(alice), may(bob)], [dump.manifest.dumpable === 1, false])
      // The group has come by the bit, and nothing by the group.
      const { mode } = statSync(file)
      if (dump.manifest.dumpable === 2) assert.equal(mode & 0o777, 0o600)
      const member = ['--reuid', `${bob}`, '--regid', `${gid}`, '--clear-groups', 'cat', file]
      assert.notEqual(spawnSync('setpriv', member).status, 0)
    }
  })

  test('UserAccess: of archive, state and run directory a user reads what is theirs, and changes nothing', async () => {
    using bed = attackBed({ ...open, CapturesPerHour: '100' })
    // As install makes it.
    mkdirSync(bed.path('state'), { mode: 0o750 })
    // Of alice one dump in the archive and one in the spool, a pin, a lease, a gate with a line.
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`)
    const [dump] = dumpsOf(bed, alice)
    renameSync(bed.path('archive'), bed.path('away'))
    writeFileSync(bed.path('archive'), '')
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`)
    assert.equal(bed.dumps(bed.spool).length, 1)
    rmSync(bed.path('archive'))
    renameSync(bed.path('away'), bed.path('archive'))
    bed.store.pin(dump!, { time: new Date().toISOString(), reason: 'a secret' })
    writeFileSync(bed.path('run/gate/line.0'), '')
    const lines = [`Group=${group}`, 'UserAccess=yes']
    await using daemon = await startDaemon({ directory: bed.directory, store: bed.store } as never, { lines })
    await until(() => (existsSync(bed.path('run/metrics.prom')) ? daemon.row(dump!.id) : undefined))
    const all = ['archive', 'state', 'run'].flatMap(name => [
      bed.path(name),
      ...everything(bed.path(name)).map(({ path }) => path),
    ])
    for (const part of [
      'catalog.db',
      'spool/dumps',
      'pins/',
      'run/gate/line.0',
      'captures',
      'quota/',
      'daemon.sock',
    ])
      assert.ok(
        all.some(path => path.includes(part)),
        part,
      )
    const may = (uid: number, flag: string): string[] => {
      const script = `while read -r path; do [ ${flag} "$path" ] && echo "$path"; done; true`
      const [program, ...args] = become(uid).split(' ')
      const run = spawnSync(program!, [...args, 'sh', '-c', script], {
        input: all.join('\n'),
        encoding: 'utf8',
        cwd: '/',
      })
      return run.stdout.split('\n').filter(Boolean)
    }
    const forAll = ['archive/format.json', 'run', 'run/metrics.prom'].map(name => bed.path(name))
    assert.deepEqual(may(bob, '-r').sort(), [...forAll].sort())
    const { key } = dump!.manifest.executable!
    const libraries = dump!.manifest.libraries.map(library => library.key!)
    const own = [
      ...[bed.path(`archive/users/${alice}`), bed.store.layout.dump(dump!)],
      // The other one, on its way home.
      ...all.filter(path => /\/tmp\/ship-[a-z2-7]{12}$/.test(path)),
      ...[key!, ...libraries].map(name => bed.store.layout.binary(name)),
    ]
    for (const path of may(alice, '-r').filter(path => !forAll.includes(path)))
      assert.ok(
        own.some(place => path === place || path.startsWith(`${place}/`)),
        path,
      )
    for (const uid of [alice, bob]) assert.deepEqual(may(uid, '-w'), [])
    await daemon.end('SIGTERM')
  })

  test('UserAccess: whose process it was reads the core, and of what it was made of only what they could read before', async () => {
    using bed = attackBed(open)
    // Root starts it, and it becomes alice: nobody but root and a group that she is in may read its file.
    const ids = `setresgid(${alice}, ${alice}, ${alice}); setresuid(${alice}, ${alice}, ${alice})`
    const [closed, shared] = ['closed', 'shared'].map(name =>
      compile(bed, name, `/* ${name} */ ${itsOwn(ids)}`),
    )
    chmodSync(closed!, 0o700)
    execFileSync('objcopy', ['--add-section', `.other=${shared}.c`, shared!])
    chownSync(shared!, 0, gid)
    chmodSync(shared!, 0o750)
    await bed.crash(`${closed}; setpriv --groups ${gid} ${shared}; true`)
    for (const dump of dumpsOf(bed, alice)) {
      const { key, path, unreadable } = dump.manifest.executable!
      const isClosed = path.endsWith('closed')
      assert.equal(unreadable, isClosed ? true : undefined)
      const may = (file: string): boolean => shellAs(alice, `cat ${file} >/dev/null`).status === 0
      assert.ok(may(bed.store.corePath(dump)!))
      assert.equal(may(bed.store.binaryPath(key!)!), !isClosed, path)
    }
    assert.equal(dumpsOf(bed, alice).length, 2)
  })

  test('UserAccess: without a pidfd nobody is let in (CVE-2025-4598), and neither is who had other identities', async () => {
    using bed = attackBed(open)
    const pattern = `|${bed.path('h')} %P %u %g %s %t %c %e %h %I %d`
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`, { pattern })
    // Services of root's that became alice for good but in one saved id, and made themselves dumpable again.
    for (const [name, ids] of [
      ['half', `setresgid(${alice}, ${alice}, ${alice}); setresuid(${alice}, ${alice}, 0)`],
      ['group', `setresgid(${alice}, ${alice}, 0); setresuid(${alice}, ${alice}, ${alice})`],
    ] as const)
      await bed.crash(`${compile(bed, name, itsOwn(ids))}; true`)
    const dumps = dumpsOf(bed, alice)
    assert.deepEqual(
      dumps.map(({ manifest }) => manifest.dumpable),
      [1, 1, 1],
    )
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
    for (const dump of dumps)
      for (const { path } of everything(bed.store.layout.dump(dump))) assert.equal(aclOf(path), '', path)
  })

  test('UserAccess: whoever had powers that its user has not is not its user’s, though all ids are', async () => {
    using bed = attackBed(open)
    // As systemd starts a service with AmbientCapabilities=: the kernel dumps it for its user, and lets nobody trace it.
    const ambient = '--inh-caps=+dac_read_search --ambient-caps=+dac_read_search'
    await bed.crash(
      `setpriv --reuid ${alice} --regid ${alice} --clear-groups ${ambient} sh -c 'kill -SEGV $$'; true`,
    )
    // By a capability of the file's, and dumpable again by its own word.
    const able = compile(bed, 'able', itsOwn(''))
    execFileSync('setcap', ['cap_dac_read_search+ep', able])
    await bed.crash(`${become(alice)} ${able}; true`)
    // Without any, in a user namespace that is not alice's but root's.
    await bed.crash(`${compile(bed, 'foreign', foreignNamespace)}; true`)
    assert.deepEqual(
      dumpsOf(bed, alice).map(({ manifest }) => [manifest.dumpable, manifest.core.state]),
      Array(3).fill([1, 'complete']),
    )
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
    for (const { path } of everything(bed.path('archive/dumps'))) assert.equal(aclOf(path), '', path)
    // What somebody may do in a namespace of their own gives them nothing outside it.
    await bed.crash(`${become(alice)} unshare -Ur sh -c 'kill -SEGV $$'; true`)
    assert.match(cliAs(alice, bed, ['ls', '--quiet']).stdout, /^[a-z2-7]{12}\n$/)
    assert.equal(cliAs(bob, bed, ['ls', '--quiet']).stdout, '')
  })

  test('UserAccess: a dump of another archive is nobody’s here, whatever it says of its user', async () => {
    using there = attackBed(open)
    await there.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`)
    const [dump] = dumpsOf(there, alice)
    assert.notEqual(aclOf(there.store.layout.file(dump!, 'manifest.json')), '')
    using here = attackBed(open)
    const imported = runCli(['import', there.path('archive'), '--config', here.config])
    assert.equal(imported.status, 0, imported.stderr)
    assert.ok(existsSync(here.store.layout.file(dump!, 'analysis.json')), 'written after it was imported')
    for (const { path } of everything(here.path('archive'))) assert.equal(aclOf(path), '', path)
    assert.equal(cliAs(alice, here, ['ls', '--quiet']).stdout, '')
  })

  for (const [name, uid, words] of [
    ['one of another user', alice, /belongs to user 0 and not/],
    ['one that is not being dumped', process.getuid?.() ?? 0, /is not dumping core/],
  ] as const)
    test(`CVE-2025-4598, CVE-2019-15790, CVE-2020-15702: of a PID that went to ${name}, nothing is taken`, async () => {
      using bed = attackBed(open)
      const crash = ['11', '1700000000', '18446744073709551615', 'x', 'host', '7', '1']
      const replay = (pid: number): void =>
        assert.equal(bed.replay(Buffer.from('\x7fELF no core'), [pid, uid, uid].map(String).concat(crash)), 0)
      // Root's, in the middle of a dump of its own.
      if (uid === alice) await whileDumped(bed, "exec env LANG=other sh -c 'kill -SEGV $$'", replay)
      else {
        const other = spawn('sleep', ['1000'], { env: { LANG: 'of the other' } })
        try {
          replay(other.pid!)
        } finally {
          other.kill('SIGKILL')
        }
      }
      const [{ manifest }] = bed.dumps() as [ReturnType<typeof bed.dumps>[0]]
      assert.match(manifest.notes.join('\n'), words)
      const { pid, comm, ...facts } = manifest.process
      assert.deepEqual(facts, { uid, gid: uid, tid: 7 })
      assert.equal(manifest.executable, undefined)
      assert.deepEqual(manifest.libraries, [])
    })

  test('CVE-2025-4598, CVE-2022-4415: of a PID that went to a set-user-id program of the same user, nothing is taken', async () => {
    using bed = attackBed(open)
    const victim = compile(bed, 'victim', aborts)
    chmodSync(victim, 0o4755)
    // A crash of alice's own, whose process is gone; what has its number now is dumped for root alone.
    const crash = ['11', '1700000000', '18446744073709551615', 'x', 'host', '7', '1']
    await whileDumped(bed, withSuidDumps(`${become(alice)} sh -c '${victim}; true'`), pid =>
      assert.equal(
        bed.replay(Buffer.from('\x7fELF no core'), [`${pid}`, `${alice}`, `${alice}`, ...crash]),
        0,
      ),
    )
    const [{ manifest }] = bed.dumps() as [ReturnType<typeof bed.dumps>[0]]
    assert.match(manifest.notes.join(), /is not one that its user may see/)
    assert.deepEqual(manifest.process, {
      pid: manifest.process.pid,
      uid: alice,
      gid: alice,
      tid: 7,
      comm: 'x',
    })
    assert.equal(manifest.executable, undefined)
  })

  for (const [name, hasPidfd] of [
    ['with a pidfd', true],
    ['without one', false],
  ] as const)
    test(`CVE-2019-15790, CVE-2025-5054: of a process that goes away while it is read nothing more is taken, ${name}`, async () => {
      using bed = attackBed()
      await whileDumped(bed, "sh -c 'kill -SEGV $$'; true", pid => {
        const fields = { pid, uid: 0, gid: 0, signal: 11, comm: Buffer.from('x'), problems: [] }
        const pidfd = hasPidfd ? { pidfd: openSystemCalls()!.call('pidfd_open', pid, 0) } : {}
        const before = takeSnapshot({ ...fields, ...pidfd }, ['LANG'])
        assert.deepEqual([before.notes, before.facts.environ?.LANG], [[], 'C'])
        // In the middle of all that is read it is asked which variables are wanted.
        const snapshot = takeSnapshot({ ...fields, ...pidfd }, { some: () => endOf(pid) } as never)
        assert.equal(snapshot.directory, undefined, 'the way to its memory and its files')
        assert.equal(snapshot.facts.pidfd, undefined)
        assert.match(snapshot.notes.join(), /went away while/)
      })
    })

  test('CVE-2025-5054: a pidfd that is another process’s leaves the crash without facts', async () => {
    using bed = attackBed(open)
    const other = spawn('sleep', ['1000'])
    try {
      // The kernel's own pidfd, and the number of somebody else.
      await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`, {
        pattern: `|${bed.path('h')} ${other.pid} %u %g %s %t %c %e %h %I %d -F%F`,
      })
    } finally {
      other.kill('SIGKILL')
    }
    const [{ manifest }] = bed.dumps() as [ReturnType<typeof bed.dumps>[0]]
    assert.match(manifest.notes.join('\n'), /The pidfd is of process [0-9]+, not/)
    assert.equal(manifest.process.exe, undefined)
    assert.equal(manifest.process.environ, undefined)
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
  })

  test('CVE-2018-6552, CVE-2017-14177: root of a user namespace is the user outside', async () => {
    using bed = attackBed(open)
    await bed.crash(`${become(alice)} unshare -Ur sh -c 'id -u > open/inside; kill -SEGV $$'; true`)
    assert.equal(readFileSync(bed.path('open/inside'), 'latin1').trim(), '0')
    const [{ manifest }] = bed.dumps() as [ReturnType<typeof bed.dumps>[0]]
    assert.equal(manifest.process.uid, alice)
    assert.equal(cliAs(bob, bed, ['ls', '--quiet']).stdout, '')
  })
})
