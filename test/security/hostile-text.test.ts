/** Text that the crasher chose, in every place where it may choose one, and every place where it comes out again. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openLocalStore } from '../../src/archive/index.ts'
import { KernelLog } from '../../src/handler/log.ts'
import { parseCgroup } from '../../src/handler/proc-text.ts'
import { runCli } from '../cli/run-cli.ts'
import { startDaemon } from '../daemon/running.ts'
import { type HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'
import { commandLine } from '../support/programs.ts'
import { attackBed, dangerous, everything, until } from './bed.ts'

const kernel = { skip: noKernel, timeout: 10 * 60_000 }

/**
 * A crash with hostile text in its arguments (2 MB of them), environment, directory, program name, thread name, open
 * files and host name: escapes, forged lines, invalid UTF-8, direction marks, SQL, shell, roff, and no end.
 */
const attacker = String.raw`
use strict; use File::Copy;
my $evil = "\e[2J\e]0;owned\x07\n<0>kernel: forged\r\nUid:\t0\t0\t0\t0\n\xff\xfe\xc0\x80 \xe2\x80\xae"
  . "'; DROP TABLE crash; -- \" \$(touch HERE) " . chr(96) . "touch HERE" . chr(96) . " | touch HERE & "
  . "\eP1;1|17/ab\e\\ \e]8;;http:!!x\x07link %s%n __proto__ .. \x9b31m";
my $name = substr($evil, 0, 120);
mkdir "open/$name" or die; chdir "open/$name" or die;
copy("/bin/sh", $name) or die; chmod 0755, $name;
open(my $kept, ">", "data$name") or die;
use Fcntl; fcntl($kept, F_SETFD, 0);
if (open(my $h, ">", "/proc/sys/kernel/hostname")) { print $h substr($evil, 0, 60); close $h }
my $big = substr($evil x 1000, 0, 120_000);
%ENV = (LANG => $big, TERM => $evil, "A\n$evil" => $evil, PATH => $ENV{PATH});
my $script = 'printf "x) R 1\n\033[1m\377" > /proc/$$/comm; kill -SEGV $$';
exec { "./$name" } "./$name", "-c", $script, ($big) x 16 or die "$!";
`

async function evilCrash(bed: HandlerBed): Promise<void> {
  writeFileSync(bed.path('open/evil.pl'), attacker)
  await bed.crash('ulimit -s unlimited; unshare -u perl open/evil.pl; true')
}

describe('text that the crasher chose', kernel, () => {
  test('CVE-2026-54231, CVE-2021-25682, CVE-2021-25683: is harmless in manifest, log, tables, JSON, SQL and pager', async () => {
    using bed = attackBed()
    await evilCrash(bed)
    const [dump] = bed.dumps()
    assert.equal(dump?.manifest.core.state, 'complete', 'the crash is stored')
    const { process: facts, host } = dump.manifest
    assert.ok(facts.cmdline!.length > 3, 'it had its arguments')
    assert.ok(facts.cmdline!.join('').length > 8000)
    assert.match(facts.comm, /^x\) R 1\\x0a\\x1b\[1m\\xff$/)
    assert.match(facts.cwd!, /\\x1b\[2J/)
    assert.match(facts.exe!, /\\x1b\[2J/)
    assert.ok(facts.start_ticks! > 0, 'stat was read behind the name')
    assert.equal(facts.uid, 0)
    const text = readFileSync(bed.store.layout.file(dump, 'manifest.json'), 'utf8')
    assert.doesNotMatch(text, dangerous)
    assert.ok(facts.cmdline!.join('').length < 300_000, 'of the 2 MB, 64 KB and what they are escaped to')
    assert.ok(text.length < 1 << 20, 'bounded')
    if (host.container_hostname !== undefined) assert.match(host.container_hostname, /\\x1b/)
    for (const line of kernelLog(`crash of process ${facts.pid} `)) assert.doesNotMatch(line, dangerous)

    const common = ['--config', bed.config]
    for (const args of [
      ['ls'],
      ['ls', '--json'],
      ['info', dump.id],
      ['info', dump.id, '--json'],
      ['show', dump.id],
      ['show', dump.id, '--json'],
      ['search', "'; DROP TABLE crash; --"],
      ['ls', '--exe', "' OR 1=1 --"],
      ['ls', '--text', '" OR NEAR("*'],
      ['top'],
      ['verify'],
      ['reindex'],
      ['ls'],
    ]) {
      const { stdout, stderr } = runCli([...args, ...common])
      assert.doesNotMatch(stdout + stderr, dangerous, args.join(' '))
      assert.doesNotMatch(stdout + stderr, /^(<0>kernel: forged|Uid:\t0)/m, args.join(' '))
      assert.doesNotMatch(stderr, /sqlite|fts5|syntax error|SyntaxError/i, args.join(' '))
      if (args.includes('--json') && stdout !== '') JSON.parse(stdout)
    }
    assert.match(
      runCli(['ls', ...common]).stdout,
      new RegExp(dump.id.slice(0, 6)),
      'the table is still there',
    )
    // On a terminal, through a pager that shows what it gets.
    const terminal = spawnSync(
      'script',
      [
        '-qec',
        `${process.execPath} --disable-warning=ExperimentalWarning ${commandLine} info ${dump.id} --config ${bed.config}`,
        '/dev/null',
      ],
      { encoding: 'latin1', env: { PATH: process.env.PATH!, TERM: 'xterm', PAGER: 'cat -', LINES: '5' } },
    )
    assert.match(terminal.stdout, /x\) R 1/)
    assert.doesNotMatch(terminal.stdout.replaceAll('\r', '').replace(/[\x80-\xff]/g, ''), dangerous)

    // CVE-2016-9949, CVE-2017-10708: nothing of it was run; CVE-2026-77113: nothing of it became a name of ours.
    assert.equal(spawnSync('find', [bed.directory, '-name', 'HERE'], { encoding: 'latin1' }).stdout, '')
    assert.ok(!existsSync('/HERE') && !existsSync(join(process.cwd(), 'HERE')))
    for (const { path } of everything(bed.path('archive')))
      assert.match(path.slice(bed.directory.length), /^[a-z0-9/.-]+$/, path)
  })

  test('CVE-2026-54231, CVE-2016-9949: is harmless in log, metrics, hooks and completions', async () => {
    using bed = attackBed()
    await evilCrash(bed)
    const [dump] = bed.dumps()
    const [hook, told] = [bed.path('open/hook'), bed.path('open/told')]
    writeFileSync(
      hook,
      `#!/bin/sh\nenv | sort >${told}.env\ncat >${told}.part\nmv ${told}.part ${told}.json\n`,
      { mode: 0o755 },
    )
    const archive = { directory: bed.directory, store: bed.store } as never
    // Before the first daemon, all is known.
    await using first = await startDaemon(archive, { lines: [`Hook=${hook}`, 'HookOn=crash'] })
    await first.end('SIGTERM')
    writeFileSync(bed.path('state/announced'), '')
    await using daemon = await startDaemon(archive, { lines: [`Hook=${hook}`, 'HookOn=crash'] })
    const json = await until(() =>
      existsSync(`${told}.json`) ? readFileSync(`${told}.json`, 'utf8') : undefined,
    )
    const metrics = await until(() =>
      existsSync(bed.path('run/metrics.prom'))
        ? readFileSync(bed.path('run/metrics.prom'), 'utf8')
        : undefined,
    )
    await daemon.end('SIGTERM')
    const event = JSON.parse(json)
    assert.equal(event.id, dump!.id)
    for (const text of Object.values(event))
      if (typeof text === 'string') assert.doesNotMatch(text, dangerous)
    const names = readFileSync(`${told}.env`, 'utf8')
      .trim()
      .split('\n')
      .map(line => line.split('=')[0])
    assert.deepEqual(names, ['GOCORE_SINK_EVENT', 'GOCORE_SINK_ID', 'LC_ALL', 'PATH', 'PWD'])
    for (const line of metrics.trim().split('\n'))
      assert.match(line, /^(#.*|[a-z_]+(\{[a-z]+="[a-z0-9.+Inf-]*"(,[a-z]+="[a-z-]*")*\})? [0-9.e+-]+)$/)
    for (const line of (first.log() + daemon.log()).split('\n')) {
      assert.doesNotMatch(line, dangerous)
      assert.match(line, /^($|\d{4}-\d\d-\d\dT)/, 'no line but ours')
    }
    assert.match(first.log() + daemon.log(), /x\) R 1/)
    // What completions are made of.
    assert.match(runCli(['ls', '--quiet', '--config', bed.config]).stdout, /^([a-z2-7]{12}\n)+$/)
    assert.equal(spawnSync('find', [bed.directory, '-name', 'HERE'], { encoding: 'latin1' }).stdout, '')
  })

  test('CVE-2026-54231: a line of the kernel log is one line, whatever it quotes', () => {
    using bed = attackBed()
    writeFileSync(bed.path('log'), '')
    new KernelLog(bed.path('log')).write(
      'error',
      'x\n<0>kernel: forged\r\u001b[2J\u009b31m\u202e\u2028\u0007 end',
    )
    assert.equal(
      readFileSync(bed.path('log'), 'utf8'),
      '<11>gocore-sink: x <0>kernel: forged  [2J 31m    end\n',
    )
    const crash = ['4242', '7', '7', '11', '1', '0', 'a\nb\u001b)']
    assert.equal(bed.replay(Buffer.alloc(0), crash), 0)
    for (const line of kernelLog('crash of process 4242 ')) assert.doesNotMatch(line, dangerous)
  })

  test('CVE-2025-12744: a container id is 64 hex digits, and nothing else that a cgroup is called', () => {
    const id = 'a1'.repeat(32)
    for (const path of [
      `/docker-$(touch x).scope`,
      `/docker/${id.slice(1)}`,
      `/docker/${id}; touch x`,
      `/docker/${id}0`,
      `/docker/${id.toUpperCase()}`,
      `/x\n0::/docker/${id}`.slice(0, 3),
    ])
      assert.equal(parseCgroup(`0::${path}\n`).container?.id, undefined, path)
    assert.equal(parseCgroup(`0::/docker/${id}\n`).container?.id, id)
  })

  test('CVE-2025-12744: a crash in a cgroup with a shell’s words for a name', async t => {
    // Version 2, whose path is the one that is recorded; else that of memory.
    const parent = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/memory'].find(path =>
      existsSync(join(path, 'cgroup.procs')),
    )
    if (parent === undefined) return t.skip('no cgroups here')
    const group = join(parent, `docker-$(touch HERE)'"\u001b[31m;x`)
    mkdirSync(group, { recursive: true })
    try {
      using bed = attackBed()
      await bed.crash(
        `echo $$ > "$G/cgroup.procs"; kill -SEGV $$`.replace('$G', group.replace(/[$"`]/g, '\\$&')),
      )
      const { process: facts } = bed.dumps()[0]!.manifest
      assert.equal(facts.container, undefined)
      assert.match(facts.cgroup!, /docker-\$\(touch HERE\).*\\x1b\[31m/)
      assert.doesNotMatch(facts.cgroup!, dangerous)
    } finally {
      spawnSync('rmdir', [group])
    }
  })

  test('CVE-2016-9950, CVE-2017-10708: a manifest with hostile values is data, in every column', () => {
    using bed = attackBed()
    bed.replay(Buffer.from('\x7fELF'), [
      '0',
      '0',
      '0',
      '11',
      String(Math.floor(Date.now() / 1000)),
      '18446744073709551615',
      'x',
    ])
    const [dump] = bed.dumps()
    const path = bed.store.layout.file(dump!, 'manifest.json')
    const raw = "\u001b]0;x\u0007'); DELETE FROM crash; --\u0000\n\u202e"
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    manifest.process = {
      ...manifest.process,
      comm: raw,
      exe: raw,
      cwd: raw,
      cmdline: [raw],
      environ: { [raw]: raw },
    }
    Object.assign(manifest, {
      notes: [raw],
      host: { name: raw },
      signal: { number: 11, name: raw },
      [raw]: raw,
    })
    manifest.executable = { path: raw, key: '../../../../etc/passwd' }
    writeFileSync(path, JSON.stringify(manifest))
    for (const args of [
      ['ls'],
      ['ls', '--json'],
      ['info'],
      ['info', '--json'],
      ['show'],
      ['verify'],
      ['gc'],
      ['top'],
    ]) {
      const { stdout, stderr } = runCli([...args, '--config', bed.config])
      assert.doesNotMatch(stdout + stderr, dangerous, args.join(' '))
    }
    assert.equal([...openLocalStore(bed.path('archive')).list()].length, 1)
  })
})
