/** A core is a store of secrets: what was in the process's memory is in the core and nowhere else, and encrypted there is nowhere at all. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { findGroup } from '../../src/archive/access.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { runCli } from '../cli/run-cli.ts'
import { type Running, startDaemon, until } from '../daemon/running.ts'
import { type HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'
import { attackBed, everything, filesWith, type Kept } from './bed.ts'

/** A key of age's, and whom to encrypt to so that it opens what is encrypted. */
function newKey(bed: HandlerBed): { keyFile: string; recipient: string } {
  const keyFile = bed.path('key')
  execFileSync('age-keygen', ['-o', keyFile], { stdio: 'ignore' })
  const recipient = execFileSync('age-keygen', ['-y', keyFile], { encoding: 'utf8' }).trim()
  return { keyFile, recipient }
}

const have = (program: string, option: string): boolean => spawnSync(program, [option]).status === 0
const kernel = {
  skip: noKernel || (have('go', 'version') ? false : 'Go is not installed'),
  timeout: 10 * 60_000,
}
const withAge = { skip: have('age', '--version') ? false : 'age is not installed' }

/** A group that is there on every machine. */
const group = 'daemon'
const gid = findGroup(group)!
const sqlite = createRequire(import.meta.url).resolve('better-sqlite3')

/** Spelt in two halves, so that the program's own text does not hold them. */
const program = `package main

import (
	"bufio"
	"errors"
	"net"
	"os"
	"strings"
)

func canary(place string) string { return strings.Join([]string{"CANA", "RY", "-in-", place}, "") }

var kept []byte

//go:noinline
func fall(local [64]byte, conn net.Conn, text string) {
	if len(local) > 0 && conn != nil { panic(errors.New("login failed: -password=" + text + " of joe")) }
}

func main() {
	kept = []byte(canary("heap"))
	var local [64]byte
	copy(local[:], canary("stack"))
	os.Setenv("SET_LATER", canary("setenv"))
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	out, _ := net.Dial("tcp", listener.Addr().String())
	in, _ := listener.Accept()
	out.Write([]byte(canary("socket")))
	writer := bufio.NewWriter(in)
	writer.WriteString(canary("buffer"))
	fall(local, out, canary("panic"))
}
`

/** Places whose secret the core holds. What waits in a socket is the kernel's memory. */
const places = ['heap', 'stack', 'setenv', 'buffer', 'panic', 'argv', 'argument', 'url', 'environ', 'allowed']

async function crash(bed: HandlerBed): Promise<void> {
  writeFileSync(bed.path('open/main.go'), program)
  execFileSync('go', ['build', '-o', bed.path('open/server'), bed.path('open/main.go')], {
    env: { ...process.env, GOFLAGS: '', GO111MODULE: 'off' },
    cwd: bed.directory,
  })
  await bed.crash(
    `export GOTRACEBACK=crash SECRET=CANARY-in-environ LC_ALL='x -token=CANARY-in-allowed'
exec open/server -token=CANARY-in-argv --password CANARY-in-argument db://joe:CANARY-in-url@host/x`,
  )
}

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/till', name)

/** A dump of the crash that the repository carries. */
function importTill(bed: HandlerBed): void {
  const exe = bed.path('till')
  writeFileSync(exe, zstdDecompressSync(readFileSync(fixture('till.zst'))))
  const { status, stderr } = runCli(['import', fixture('core.zst'), '--exe', exe, '--config', bed.config])
  assert.equal(status, 0, stderr)
  // As a handler leaves it: nobody has looked at it yet.
  const [dump] = bed.dumps()
  for (const name of ['report.json', 'analysis.json'])
    rmSync(bed.store.layout.file(dump!, name), { force: true })
  rmSync(bed.path('state'), { recursive: true, force: true })
}

describe('secrets', { timeout: 10 * 60_000 }, () => {
  test(
    'a canary in environment, arguments, heap, stack and buffers is in the core alone',
    kernel,
    async () => {
      using bed = attackBed()
      await crash(bed)
      const [dump] = bed.dumps()
      const plain = bed.path('plain')
      execFileSync('lz4', ['-dq', bed.store.corePath(dump!)!, plain])
      for (const place of places)
        assert.ok(readFileSync(plain).includes(`CANARY-in-${place}`), `${place} was in memory`)
      execFileSync('rm', [plain])
      assert.ok(existsSync(bed.store.binaryPath(dump!.manifest.executable!.key!)!))

      const [hook, told] = [bed.path('open/hook'), bed.path('open/told')]
      writeFileSync(hook, `#!/bin/sh\nenv >${told}.part\ncat >>${told}.part\nmv ${told}.part ${told}\n`, {
        mode: 0o755,
      })
      const archive = { directory: bed.directory, store: bed.store } as never
      const lines = [`Hook=${hook}`, 'HookOn=crash']
      // What a first daemon finds is no news.
      await using first = await startDaemon(archive, { lines })
      await first.end('SIGTERM')
      writeFileSync(bed.path('state/announced'), '')
      await using daemon = await startDaemon(archive, { lines })
      await until(
        () => daemon.row(dump!.id)?.analysis === 'done' && existsSync(told),
        () => `not analysed, or not told: ${daemon.log()}`,
      )
      assert.match(readFileSync(told, 'utf8'), /login failed: -password=…/)
      const { process: facts } = bed.dumps()[0]!.manifest
      assert.deepEqual(facts.cmdline, ['open/server', '-token=…', '--password', '…', 'db://joe:…@host/x'])
      assert.equal(facts.environ!.LC_ALL, 'x -token=…')
      const shown = [
        ['ls', '--json'],
        ['info', '--json'],
        ['info'],
        ['show'],
        ['show', '--json'],
        ['bt'],
        ['goroutines'],
        ['search', 'CANARY'],
        ['search', 'login'],
        ['verify'],
      ].map(args => {
        const { stdout, stderr } = runCli([...args, '--config', bed.config])
        return stdout + stderr
      })
      assert.match(shown[3]!, /login failed: -password=…/)
      const said = [...shown, first.log(), daemon.log(), readFileSync(told, 'utf8'), ...kernelLog('')]
      for (const text of said) assert.doesNotMatch(text, /CANARY-in/)
      const holders = (): string[] =>
        ['archive', 'state', 'run'].flatMap(directory => filesWith(bed.path(directory), 'CANARY-in'))
      // With the catalog's journal and the outbox as they are while it runs, and afterwards.
      assert.deepEqual(holders(), [bed.store.corePath(dump!)])
      await daemon.end('SIGTERM')
      assert.deepEqual(holders(), [bed.store.corePath(dump!)])
    },
  )

  test('CVE-2022-4415: of a dump that is root’s alone the group’s catalog has no words', kernel, async () => {
    using bed = attackBed({ Group: group })
    // What was imported has no dump mode, and is root's.
    importTill(bed)
    const [dump] = bed.dumps()
    const archive = { directory: bed.directory, store: bed.store } as never
    const words = ['assignment to entry', 'table.go']
    const known = (): Kept[] =>
      everything(bed.path('state')).filter(
        ({ path, mode }) =>
          (mode & 0o170000) === 0o100000 && words.some(word => readFileSync(path).includes(word)),
      )
    // At first there is no group, and then there is one, or an older daemon that saw no difference.
    for (const [lines, isOlder] of [
      [[], false],
      [[`Group=${group}`], true],
      [[`Group=${group}`], false],
    ] as const) {
      await using daemon = await startDaemon(archive, { lines: [...lines] })
      await until(
        () => daemon.row(dump!.id)?.analysis === 'done',
        () => `not analysed: ${daemon.log()}`,
      )
      assert.equal(known().length > 0, lines.length === 0)
      for (const { path, mode } of everything(bed.path('state')).filter(({ path }) =>
        /catalog\.db/.test(path),
      ))
        assert.equal(mode & 0o777, lines.length === 0 ? 0o600 : 0o640, path)
      for (const word of words) assert.ok(!daemon.log().includes(word), 'the journal has more readers')
      await daemon.end('SIGTERM')
      const catalog = bed.path('state/catalog.db')
      if (lines.length > 0)
        assert.deepEqual([statSync(catalog).mode & 0o777, statSync(catalog).gid], [0o640, gid])
      if (isOlder)
        execFileSync(process.execPath, [
          '-e',
          `const db = require(${JSON.stringify(sqlite)})(${JSON.stringify(catalog)})
db.exec("UPDATE crash SET cause = 'assignment to entry'"); db.pragma('user_version = 4')`,
        ])
    }
    assert.deepEqual(known(), [])
    const run = (...args: string[]): string => runCli([...args, '--config', bed.config]).stdout
    // Root has them from the report.
    assert.match(run('ls'), /assignment to entry in nil map/)
    assert.match(run('ls', '--json'), /assignment to entry in nil map/)
    assert.match(run('top'), /assignment to entry in nil map/)
    assert.match(run('show'), /assignment to entry in nil map/)
    assert.equal(run('verify', '--no-pager').includes('catalog'), false)
  })

  for (const first of ['yes', 'no'])
    test(
      `EncryptTo: the core is for the key's owner alone, AnalyseBeforeEncryption=${first}`,
      withAge,
      async () => {
        using bed = attackBed()
        const { keyFile, recipient } = newKey(bed)
        const lines = [`EncryptTo=${recipient}`, `AnalyseBeforeEncryption=${first}`]
        importTill(bed)
        const [dump] = bed.dumps()
        const before = bed.path('before.lz4')
        copyFileSync(bed.store.corePath(dump!)!, before)
        const archive = { directory: bed.directory, store: bed.store } as never
        await using daemon: Running = await startDaemon(archive, { lines })
        await until(
          () =>
            bed.dumps()[0]?.manifest.core.encrypted !== undefined &&
            !existsSync(bed.store.layout.file(dump!, 'core.lz4')),
          () => `not encrypted: ${daemon.log()}`,
        )
        await until(
          () => daemon.row(dump!.id)?.analysis === (first === 'yes' ? 'done' : 'none'),
          () => `not listed as it is: ${daemon.log()}`,
        )
        await daemon.end('SIGTERM')
        const sealed = bed.store.corePath(dump!)!
        assert.ok(sealed.endsWith('core.lz4.age'))
        assert.ok(!existsSync(`${sealed}.part`))
        assert.equal(bed.store.readReport(dump!) !== undefined, first === 'yes')
        // The oracle: age itself.
        const opened = bed.path('opened.lz4')
        execFileSync('age', ['-d', '-i', keyFile, '-o', opened, sealed])
        assert.ok(readFileSync(opened).equals(readFileSync(before)))

        const run = (...args: string[]) => runCli([...args, '--config', bed.config], { cwd: bed.directory })
        assert.equal(run('verify').status, 0)
        assert.match(run('info').stdout, /stored, encrypted/)
        assert.match(run('ls').stdout, new RegExp(dump!.id.slice(0, 6)))
        assert.equal(run('gc', '--dry-run').status, 0)
        const refused = run('export', dump!.id, '-o', 'core.out')
        assert.notEqual(refused.status, 0)
        assert.match(refused.stderr, /is encrypted: --identity FILE/)
        if (first === 'yes') assert.match(run('show').stdout, /assignment to entry in nil map/)
        else assert.match(run('show').stderr, /is encrypted/)

        assert.equal(run('export', dump!.id, '-o', 'core.out', '--identity', keyFile).status, 0)
        execFileSync('lz4', ['-dq', before, bed.path('plain')])
        assert.ok(readFileSync(bed.path('core.out')).equals(readFileSync(bed.path('plain'))))
        assert.match(run('show', '--fresh', '--identity', keyFile).stdout, /assignment to entry in nil map/)

        execFileSync('age-keygen', ['-o', bed.path('other')], { stdio: 'ignore' })
        const wrong = run('export', dump!.id, '-o', 'core.wrong', '--identity', bed.path('other'))
        assert.notEqual(wrong.status, 0)
        assert.match(wrong.stderr, /Cannot decrypt/)
        assert.match(run('show', '--fresh', '--identity', before).stderr, /not a file of identities/)

        const bytes = readFileSync(sealed)
        bytes[bytes.length >> 1]! ^= 1
        writeFileSync(sealed, bytes)
        const { stdout, stderr } = run('verify')
        assert.match(stdout + stderr, /SHA-256 differs/)
        const damaged = run('export', dump!.id, '-o', 'core.damaged', '--identity', keyFile)
        assert.match(damaged.stderr, /Cannot decrypt/)
      },
    )

  test(
    'EncryptTo: what a daemon that was killed left plain is gone when the next one has started',
    withAge,
    async () => {
      using bed = attackBed()
      const { recipient } = newKey(bed)
      importTill(bed)
      const [dump] = bed.dumps()
      const at = (name: string): string => bed.store.layout.file(dump!, name)
      const encrypted = async (isDone: () => boolean): Promise<void> => {
        const archive = { directory: bed.directory, store: bed.store } as never
        await using daemon = await startDaemon(archive, { lines: [`EncryptTo=${recipient}`] })
        await until(isDone, () => `not encrypted: ${daemon.log()}`)
        await daemon.end('SIGTERM')
      }
      const plain = readFileSync(at('core.lz4'))
      await encrypted(() => existsSync(at('core.lz4.age')) && !existsSync(at('core.lz4')))
      // Killed between two steps: of an encryption, of a mini-core in the making, of a dump that came in two parts.
      const names = ['core.lz4', 'core.mini.lz4', 'core.mini.lz4.part', 'core.lz4.part']
      for (const name of names) writeFileSync(at(name), plain)
      await encrypted(() => !names.some(name => existsSync(at(name))))
      const kept = everything(bed.path('archive')).map(({ path }) => path)
      assert.deepEqual(
        kept.filter(path => /core\./.test(path)),
        [at('core.lz4.age')],
      )
    },
  )

  test('openCoreFile() reads what age encrypted, with the identity alone', withAge, () => {
    using bed = attackBed()
    const { keyFile, recipient } = newKey(bed)
    const text = 'not a core, '.repeat(50_000)
    execFileSync('age', ['-r', recipient, '-o', bed.path('sealed')], { input: text })
    assert.throws(() => openCoreFile(bed.path('sealed')), /is encrypted: --identity/)
    const source = JSON.stringify(join(import.meta.dirname, '../../src/source/index.ts'))
    const script = `import { openCoreFile, readIdentityFile, useIdentities } from ${source}
useIdentities(readIdentityFile(process.argv[2]))
const core = openCoreFile(process.argv[3])
process.stdout.write(core.read(0, core.size))`
    writeFileSync(bed.path('read.mjs'), script)
    const args = [bed.path('read.mjs'), keyFile, bed.path('sealed')]
    const read = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      encoding: 'utf8',
      maxBuffer: 16 << 20,
    })
    assert.equal(read, text)
  })
})
