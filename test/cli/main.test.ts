import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pages } from '../../scripts/gen-man.ts'
import { commandTable } from '../../src/cli/completion/table.ts'
import { commands } from '../../src/cli/debug/table.ts'
import { verbHelp } from '../../src/cli/help.ts'
import { verbs } from '../../src/cli/verbs.ts'
import { assertGolden } from '../support/golden.ts'
import { commandLine } from '../support/programs.ts'
import { runCli } from './run-cli.ts'

const root = join(import.meta.dirname, '../..')

describe('gocore-sink', () => {
  it('prints help without a verb, and for --help', () => {
    const help = runCli([], { env: { COLUMNS: '80' } })
    assert.equal(help.status, 0)
    assertGolden('cli/help.txt', help.stdout)
    assert.equal(runCli(['--help'], { env: { COLUMNS: '80' } }).stdout, help.stdout)
  })
  const wrong: [args: string[], message: RegExp][] = [
    [['lss'], /There is no verb "lss"\. Did you mean ls\?/],
    [['frobnicate'], /There is no verb "frobnicate"\. See gocore-sink --help\./],
    [['ls', '--sinc', '1h'], /Unknown option or argument sinc\. See gocore-sink ls --help\./],
    [['ls', '--since'], /--since needs a value\. See gocore-sink ls --help\./],
    [['ls', '--since', 'soon'], /--since takes an age such as 90s/],
    [['ls', '--pid', 'x'], /--pid takes a whole number, not "x"\./],
    [['ls', '--signal', 'FOO'], /--signal takes the name or number of a signal/],
    [['--config', '/dev/null', 'lss'], /There is no verb "lss"\. Did you mean ls\?/],
    [['--config', '/dev/null', 'help', 'lss'], /There is no verb "lss"\./],
    [['--config', '/dev/null', 'search'], /search needs <words\.\.>\./],
    [['ls', '--json=1'], /--json takes no value, and "1" is one\./],
    [['show', '--json=foo'], /--json takes no value, and "foo" is one\./],
    [['search'], /search needs <words\.\.>\./],
    [['goroutine', 'x'], /named by its number, not by "x"/],
    [['completion', 'tcsh'], /"tcsh" is none of bash, zsh, fish\./],
    [
      ['--config', '/nonexistent.conf', 'ls'],
      /Cannot read the configuration \/nonexistent\.conf: no such file or directory \(ENOENT\)/,
    ],
  ]
  for (const [args, message] of wrong)
    it(`${args.join(' ')}: one sentence, status 2`, () => {
      const { status, stdout, stderr } = runCli(args)
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, message)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    })
  for (const words of ['', '--help', 'show --help', '--version'])
    it(`${words || 'nothing'}: says when nobody can read it`, () => {
      const run = spawnSync('sh', ['-c', `${process.execPath} ${commandLine} ${words} > /dev/full`], {
        encoding: 'utf8',
      })
      assert.equal(
        run.stderr,
        'gocore-sink: Could not write to standard output: no space left on device (ENOSPC)\n',
      )
      assert.equal(run.status, 1)
    })
  it('shows the stack with --debug only', () => {
    assert.doesNotMatch(runCli(['show', '/etc/passwd']).stderr, /\n {4}at /)
    assert.match(runCli(['show', '/etc/passwd', '--debug']).stderr, /\n {4}at /)
  })
  it('escapes what it repeats of the command line', () => {
    assert.doesNotMatch(runCli(['show', './\u001b[2J']).stderr, /\u001b/)
  })
})

describe('help of a verb', () => {
  for (const columns of [40, 80])
    it(`has tables that fit ${columns} columns`, async () => {
      for (const verb of verbs) {
        const help = await verbHelp(verb, { width: columns, color: false, now: 0 })
        const tables = help.split('\nExamples\n')[0]!.split('\n').slice(1)
        // An option and the name of its value are one word.
        for (const line of tables)
          assert.ok(line.length <= columns || /^ +(?:-\w, )?--[\w-]+ \S+$/.test(line), line)
      }
    })
  it('says of run where the command stands', async () =>
    assert.match(runCli(['run', '--help']).stdout, /^gocore-sink run -- \[command\.\.\.\]\n/))
})

describe('the table of verbs', () => {
  it('agrees with each verb’s own file', async () => {
    for (const verb of verbs) {
      const module = await verb.load()
      assert.equal(module.command, verb.command)
      assert.equal(module.describe, verb.describe)
      assert.equal(typeof module.handler, 'function')
    }
  })
  it('declares every positional that it names', async () => {
    for (const { verb, positionals } of await commandTable()) {
      const named = verb.command
        .split(' ')
        .slice(1)
        .map(word => word.replace(/[[\]<>.]/g, ''))
      assert.deepEqual(
        positionals.map(([name]) => name),
        named,
        verb.command,
      )
    }
  })
})

describe('man pages', () => {
  it('name every document that a command of the debugger prints', () => {
    const page = readFileSync(join(root, 'man/gocore-report.5'), 'utf8').replaceAll('\\-', '-')
    for (const { name, schema } of commands()) {
      assert.ok(
        schema !== undefined ||
          ['info', 'deferred', 'transcript', 'source', 'set', 'help', 'exit'].includes(name),
        name,
      )
      if (schema !== undefined) assert.match(page, new RegExp(`^${schema}\t`, 'm'), name)
    }
  })
  it('are up to date with the verbs (node scripts/gen-man.ts)', () => {
    const check = spawnSync(process.execPath, [join(root, 'scripts/gen-man.ts'), '--check'], {
      encoding: 'utf8',
    })
    assert.equal(check.status, 0, check.stderr)
  })
  it('give every verb a page', async () => {
    const made = pages(await commandTable())
    for (const verb of verbs) assert.ok(made.has(`gocore-sink-${verb.command.split(' ')[0]}.1`))
  })
  const files = globSync(join(root, 'man/*'))
  const lint = (command: string, args: (file: string) => string[]): void => {
    for (const file of files) {
      const run = spawnSync(command, args(file), { encoding: 'utf8' })
      assert.equal(run.stderr + (command === 'mandoc' ? run.stdout : ''), '', file)
    }
  }
  const missing = (command: string): string | false =>
    spawnSync(command, ['--version']).error !== undefined && `${command} is not installed`
  it('pass groff without a warning', { skip: missing('groff') }, () =>
    lint('groff', file => ['-t', '-man', '-ww', '-z', '-Tutf8', file]),
  )
  it('pass mandoc without a warning', { skip: missing('mandoc') }, () =>
    lint('mandoc', file => ['-Tlint', '-Wwarning', file]),
  )
})
