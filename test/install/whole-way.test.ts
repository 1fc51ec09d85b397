/** The installed product on this machine, for real: the kernel, the handler, the daemon, the catalog, and back again. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { type CorePattern, takeCorePattern } from '../support/core-pattern.ts'

const checkout = join(import.meta.dirname, '../..')
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root: sets core_pattern' }
const corePatternNow = (): string => readFileSync('/proc/sys/kernel/core_pattern', 'latin1').trim()
const quiet = '--disable-warning=ExperimentalWarning'

describe('the whole way', needsRoot, () => {
  let pattern: CorePattern
  let folder: string
  let prefix: string
  let launcher: string
  let daemon: ChildProcess
  const checkoutCli = (...args: string[]): string =>
    execFileSync(process.execPath, [quiet, join(checkout, 'dist/cli.cjs'), ...args], { encoding: 'utf8' })
  const cli = (
    ...args: string[]
  ): { status: number | null; signal: string | null; stdout: string; stderr: string } =>
    spawnSync(launcher, args, { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env.PATH } })

  before(async () => {
    pattern = await takeCorePattern()
    pattern.set('core.before', { pipeLimit: 3 })
    folder = mkdtempSync(join(tmpdir(), 'whole-'))
    prefix = join(folder, 'p')
    launcher = join(prefix, 'bin/gocore-sink')
    checkoutCli('install', '--prefix', prefix)
    daemon = spawn(launcher, ['daemon'], { stdio: 'ignore' })
    await until(() => existsSync(join(prefix, 'var/run/daemon.sock')), 'the daemon')
  })
  after(async () => {
    try {
      daemon.kill('SIGTERM')
      if (daemon.exitCode === null) await new Promise(resolve => daemon.once('exit', resolve))
      checkoutCli('uninstall', '--prefix', prefix, '--purge')
      assert.equal(corePatternNow(), 'core.before')
      assert.equal(readFileSync('/proc/sys/kernel/core_pipe_limit', 'latin1').trim(), '3')
      assert.equal(existsSync(prefix), false)
    } finally {
      pattern[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('test-crash follows a dump from the kernel to the catalog', () => {
    const { status, stdout, stderr } = cli('test-crash')
    assert.equal(status, 0, stdout + stderr)
    for (const step of ['kernel', 'crash', 'archive', 'catalog'])
      assert.match(stdout, new RegExp(`^ok +${step} `, 'm'))
    assert.match(stdout, /analysed and listed: .*assignment to entry in nil map/)
  })

  test('test-crash says at which step it broke', async () => {
    // The handler is gone: the kernel has nothing to start.
    const moved = `${launcher}.away`
    execFileSync('mv', [launcher, moved])
    try {
      const { status, stdout } = spawnSync(moved, ['test-crash', '--timeout', '1'], { encoding: 'utf8' })
      assert.notEqual(status, 0)
      assert.match(stdout, /^FAIL archive .*no dump came into/m)
    } finally {
      execFileSync('mv', [moved, launcher])
    }
  })

  test('run explains a crash on standard error, and ends as the program did', () => {
    const program = join(folder, 'till')
    writeFileSync(program, zstdDecompressSync(readFileSync(join(checkout, 'test/fixtures/till/till.zst'))), {
      mode: 0o755,
    })
    const crashed = cli('run', '--', program)
    assert.equal(crashed.status, 128 + 6, crashed.stderr)
    assert.equal(crashed.stdout, '')
    assert.match(crashed.stderr, /assignment to entry in nil map/)
    assert.match(crashed.stderr, /stock\.\(\*table\)\.put/)

    const fine = cli(
      'run',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; echo "$GOTRACEBACK $(ulimit -S -c)"; exit 3',
    )
    assert.deepEqual([fine.status, fine.stdout, fine.stderr], [3, 'out\ncrash unlimited\n', 'err\n'])
    assert.equal(cli('run', '--', 'sh', '-c', 'kill -s TERM $$').signal, 'SIGTERM')
    assert.equal(cli('run', '--', join(folder, 'no-such-program')).status, 127)
  })

  test('run tells who may not read the archive that it can not explain the crash', () => {
    chmodSync(folder, 0o711)
    const crashed = spawnSync(launcher, ['run', '--', 'sh', '-c', 'echo out; kill -s SEGV $$'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
      uid: 65534,
      gid: 65534,
      cwd: '/',
    })
    assert.deepEqual([crashed.status, crashed.stdout], [128 + 11, 'out\n'], crashed.stderr)
    assert.match(
      crashed.stderr,
      /^gocore-sink: Could not explain the crash: Cannot read \S+\/archive\/format\.json: EACCES$/m,
    )
  })

  test('run passes signals on', async () => {
    // A shell that ends by itself: one that no signal reaches would outlive the test and hold its standard error.
    const patient =
      'trap "echo got it; exit 7" TERM; echo ready; n=0; while [ $((n+=1)) -lt 600 ]; do sleep 0.1; done'
    const child = spawn(launcher, ['run', '--', 'sh', '-c', patient], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout!.on('data', (data: Buffer) => {
      said += data.toString()
      if (said === 'ready\n') child.kill('SIGTERM')
    })
    assert.equal(await new Promise(resolve => child.once('close', resolve)), 7)
    assert.equal(said, 'ready\ngot it\n')
  })

  test('an upgrade in the middle of a dump loses nothing', async () => {
    const versions = join(prefix, 'lib/gocore-sink/versions')
    const [old] = readdirSync(versions)
    // A handler of the installed version that has read half of a dump.
    const handler = spawn(
      launcher,
      [`${process.pid}`, '0', '0', '6', `${Math.floor(Date.now() / 1000)}`, '18446744073709551615', 'half'],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
        env: {},
      },
    )
    const core = zstdDecompressSync(readFileSync(join(checkout, 'test/fixtures/till/core.zst')))
    handler.stdin!.write(core.subarray(0, core.length >> 1))
    await new Promise(resolve => setTimeout(resolve, 300))
    // Another build: the same files with one changed.
    const build = join(folder, 'build')
    for (const name of ['dist', 'systemd', 'test/fixtures/till', 'package.json'])
      execFileSync('sh', [
        '-c',
        `mkdir -p "$(dirname ${build}/${name})"; cp -r ${checkout}/${name} ${build}/${name}`,
      ])
    writeFileSync(join(build, 'dist/another'), 'build')
    execFileSync(process.execPath, [quiet, join(build, 'dist/cli.cjs'), 'install', '--prefix', prefix])
    assert.equal(readdirSync(versions).length, 2)
    assert.ok(!readFileSync(launcher, 'utf8').includes(old!), 'the launcher starts the new one')
    handler.stdin!.end(core.subarray(core.length >> 1))
    assert.equal(await new Promise(resolve => handler.once('exit', resolve)), 0)
    await until(() => {
      const { stdout } = cli('ls', '--json')
      return /"comm": *"half"/.test(stdout) && /"coreState": *"complete"/.test(stdout)
    }, 'the dump')
    assert.equal(cli('test-crash').status, 0)
  })
})

describe('scripts/try', needsRoot, () => {
  const start = (): ChildProcess =>
    spawn(join(checkout, 'scripts/try'), [], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })

  for (const [signal, moment] of [
    ['SIGINT', /core_pattern is now/],
    ['SIGTERM', /it died:/],
    ['SIGINT', /installing under/],
  ] as const)
    test(`puts everything back on ${signal} after "${moment.source}"`, { timeout: 10 * 60_000 }, async () => {
      const child = start()
      let said = ''
      let sent = false
      const listen = (data: Buffer): void => {
        said += data.toString()
        if (sent || !moment.test(said)) return
        sent = true
        // As a terminal's Ctrl-C: to the whole group.
        process.kill(-child.pid!, signal)
      }
      child.stdout!.on('data', listen)
      child.stderr!.on('data', listen)
      const code = await new Promise(resolve => child.once('close', resolve))
      assert.ok(sent, `it never came so far: ${said}`)
      assert.equal(code, signal === 'SIGINT' ? 130 : 143, said)
      const before = /core_pattern was ([^\n]*)\)/.exec(said)![1]
      assert.match(said, new RegExp(`core_pattern is ${before!.replace(/[|%.*+?()[\]\\]/g, '\\$&')} again`))
      const place = /installing under (\S+)\/p/.exec(said)![1]!
      assert.equal(existsSync(place), false, `${place} is gone`)
    })

  test('puts everything back when nobody reads it any more', { timeout: 10 * 60_000 }, () => {
    const { stdout } = spawnSync('sh', ['-c', `${join(checkout, 'scripts/try')} 2>&1 | head -2`], {
      encoding: 'utf8',
    })
    const place = /installing under (\S+)\/p/.exec(stdout)![1]!
    assert.equal(existsSync(place), false, `${place} is gone`)
    assert.ok(!corePatternNow().includes(place))
  })
})

async function until(look: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !look(); waited += 100) {
    if (waited > 30_000) throw new Error(`waited 30 s for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
