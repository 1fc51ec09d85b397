/** Who gets to read a core: attacks on the decision whose it is. Each test is named after what it once was somewhere. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { findGroup } from '../../src/archive/access.ts'
import { noKernel } from '../support/handler-bed.ts'
import { alice, attackBed, become, bob, cliAs, compile, everything, shellAs } from './bed.ts'

const kernel = { skip: noKernel, timeout: 10 * 60_000 }
/** A group that is there on every machine and that nobody is in. */
const group = 'daemon'
const gid = findGroup(group)!
const open = { Group: group, UserAccess: 'yes' }
const aborts = '#include <stdlib.h>\nint main(void) { abort(); }'

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

describe('who may read a core', kernel, () => {
  for (const [name, pattern] of [
    ['with %d', undefined],
    ['without %d in the pattern', '%P %u %g %s %t %c %e'],
  ] as const)
    test(`CVE-2022-4415, CVE-2013-1067: a set-user-id program's core is root's alone, ${name}`, async () => {
      using bed = attackBed(open)
      const victim = compile(bed, 'victim', aborts)
      chmodSync(victim, 0o4755)
      const was = readFileSync('/proc/sys/fs/suid_dumpable', 'latin1').trim()
      const set = (value: string): string => `echo ${value} > /proc/sys/fs/suid_dumpable`
      await bed.crash(
        `trap '${set(was)}' EXIT; ${set('2')}; ${become(alice)} sh -c '${victim}; true'`,
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
    }
    bed.store.remove(of(alice))
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
  })

  test('UserAccess: without a pidfd nobody is let in (CVE-2025-4598), and neither is who had other identities', async () => {
    using bed = attackBed(open)
    const pattern = `|${bed.path('h')} %P %u %g %s %t %c %e %h %I %d`
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; true`, { pattern })
    // A service of root's that became alice for good but in the saved id, and made itself dumpable again.
    const half = compile(
      bed,
      'half',
      `#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(void) { setresgid(${alice}, ${alice}, ${alice}); setresuid(${alice}, ${alice}, 0); prctl(PR_SET_DUMPABLE, 1); abort(); }`,
    )
    await bed.crash(`${half}; true`)
    const dumps = bed.dumps()
    assert.deepEqual(
      dumps.map(({ manifest }) => [manifest.process.uid, manifest.dumpable]),
      [
        [alice, 1],
        [alice, 1],
      ],
    )
    assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout, '')
    for (const dump of dumps)
      for (const { path } of everything(bed.store.layout.dump(dump))) assert.equal(aclOf(path), '', path)
  })

  for (const [name, uid, words] of [
    ['one of another user', alice, /belongs to user|is not dumping core/],
    ['one that is not being dumped', process.getuid?.() ?? 0, /is not dumping core/],
  ] as const)
    test(`CVE-2025-4598, CVE-2019-15790, CVE-2020-15702: of a PID that went to ${name}, nothing is taken`, () => {
      using bed = attackBed(open)
      const other = spawn('sleep', ['1000'], { env: { LANG: 'of the other' } })
      try {
        const args = [
          String(other.pid),
          String(uid),
          String(uid),
          '11',
          '1700000000',
          '18446744073709551615',
          'x',
        ]
        assert.equal(bed.replay(Buffer.from('\x7fELF no core'), [...args, 'host', '7', '1']), 0)
      } finally {
        other.kill('SIGKILL')
      }
      const [{ manifest }] = bed.dumps() as [ReturnType<typeof bed.dumps>[0]]
      assert.match(manifest.notes.join('\n'), words)
      const { pid, comm, ...facts } = manifest.process
      assert.deepEqual(facts, { uid, gid: uid, tid: 7 })
      assert.equal(manifest.executable, undefined)
      assert.deepEqual(manifest.libraries, [])
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
