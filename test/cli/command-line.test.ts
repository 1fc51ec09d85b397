/** The words of other debuggers as verbs of the command line, over the stripped crash that the repository carries. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { prepared } from '../../src/cli/command-line.ts'
import { type Outcome, runCli } from './run-cli.ts'

const fixture = join(import.meta.dirname, '../fixtures/till')
const work = mkdtempSync(join(tmpdir(), 'gocore-command-line-'))
const core = join(fixture, 'core.zst')
const exe = join(work, 'till')
writeFileSync(exe, zstdDecompressSync(readFileSync(join(fixture, 'till.zst'))), { mode: 0o755 })
after(() => rmSync(work, { recursive: true }))

const run = (...args: string[]): Outcome => runCli([...args, '--exe', exe], { cwd: work })
const text = (...args: string[]): string => {
  const { stdout, stderr, status } = run(...args)
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`)
  return stdout
}
const debug = (command: string): string => text('debug', core, '-c', command)

describe('prepared', () => {
  const rows: [given: string, read: string[]][] = [
    ['ls --since 1h', ['ls', '--since', '1h']],
    ['--archive a p x', ['--archive', 'a', 'print', 'x']],
    ['x/30i $pc', ['x', '--gdb=30i', '$pc']],
    ['p/x 255', ['print', '--format=x', '255']],
    ['bt -full 7f3k', ['bt', '--full', '7f3k']],
    ['bt full', ['bt', '--full']],
    ['bt -as 7f3k', ['bt', '-as', '7f3k']],
    ['goroutine 5 frame 4 p ch', ['goroutine', '5', '', 'frame 4 p ch']],
    ['gr 5 7f3k bt -full --json', ['goroutine', '--json', '5', '7f3k', 'bt -full']],
    ['goroutine 5 7f3k', ['goroutine', '5', '7f3k']],
    ['frame main.main --exe e 7f3k list', ['frame', '--exe', 'e', 'main.main', '7f3k', 'list']],
    ['thread apply all 7f3k bt', ['thread', 'apply all', '7f3k', 'bt']],
    ['up p x', ['up', '', '', 'p x']],
    ['up 2 7f3k', ['up', '2', '7f3k']],
    ['deferred 7f3k', ['deferred', '', '7f3k']],
    ['deferred 1 7f3k locals', ['deferred', '1', '7f3k', 'locals']],
    ['info registers rip', ['info', 'registers', 'rip']],
    ['info 7f3k', ['info', '', '7f3k']],
    ['goroutines -with userloc a.go 7f3k', ['goroutines', '--with=userloc a.go', '7f3k']],
    ['goroutines -wo running 7f3k', ['goroutines', '--without=running', '7f3k']],
    ['goroutines -t 5 -s 7f3k', ['goroutines', '--depth=5', '-s', '7f3k']],
    ['goroutines -group label k', ['goroutines', '--group=label k']],
    ['goroutines 7f3k -exec bt -full --json', ['goroutines', '7f3k', '--exec=bt -full', '--json']],
    ['run -- p x', ['run', '--', 'p', 'x']],
    ['show -- 7f3k', ['show', '7f3k']],
    ['print 7f3k -- -x', ['print', '7f3k', '\0-x']],
    ['goroutine 5 -- 7f3k p -x', ['goroutine', '5', '7f3k', 'p \0-x']],
    ['goroutines -exec bt -- 7f3k', ['goroutines', '--exec=bt', '7f3k']],
    ['info -- 7f3k', ['info', '', '7f3k']],
    ['nonsense/x 1', ['nonsense/x', '1']],
  ]
  for (const [given, read] of rows)
    test(given, async () => {
      const words = await prepared(given.split(' '))
      // A number or a dump that was left out at the end is as good as none.
      while (words.at(-1) === '') words.pop()
      assert.deepEqual(words, read)
    })
})

describe('commands of the debugger as verbs', () => {
  test('goroutine, thread and frame run a command where they look', () => {
    const stack = debug('goroutine 45 bt')
    assert.equal(text('goroutine', '45', core, 'bt'), stack)
    assert.equal(text('goroutine', '45', core, 'frame', '1', 'p', '$pc'), debug('goroutine 45 frame 1 p $pc'))
    assert.equal(text('frame', '1', core, 'p', '$pc'), debug('frame 1 p $pc'))
    const tid = /^\* Thread (\d+)/m.exec(debug('threads'))![1]!
    assert.equal(text('thread', tid, core, 'info', 'registers'), debug(`thread ${tid} info registers`))
    assert.match(text('thread', tid, core), new RegExp(`^thread ${tid} \\[.*crashed here\\]:\n`))
    assert.equal(text('thread', 'apply', 'all', core, 'bt', '1'), debug('thread apply all bt 1'))
  })

  test('what stands behind -- is words, not options and not nothing', () => {
    assert.equal(runCli(['bt', '--exe', exe, '--', core]).stdout, text('bt', core))
    assert.equal(runCli(['print', core, '--exe', exe, '--', '-', '5']).stdout, '-5\n')
    const none = runCli(['show', '--', '--weird'])
    assert.match(none.stderr, /^gocore-sink: There is no file --weird, /)
    assert.equal(none.status, 3)
    const value = runCli(['pin', '--reason', '--', '7f3k'])
    assert.match(value.stderr, /^gocore-sink: --reason needs a value, and -- is none\.\n$/)
    assert.equal(value.status, 2)
    assert.match(runCli(['ls', '--', '--x']).stderr, /Unknown option or argument --x\./)
  })

  test('up and down look from near the frame that crashed', () => {
    assert.equal(text('up', core, 'p', '$pc'), debug('up p $pc'))
    assert.equal(text('down', '2', core, 'p', '$pc'), debug('down 2 p $pc'))
    assert.match(text('up', core), /^Goroutine 43 frame \d+ at /)
    assert.equal(run('up', '99', core).stderr, 'gocore-sink: This is the outermost frame.\n')
  })

  test('info of GDB', () => {
    assert.equal(text('info', 'threads', core), debug('threads'))
    assert.match(text('info', 'registers', core, 'rip'), /^rip +0x[0-9a-f]+ +0x[0-9a-f]+ <\S+>\n$/)
    assert.equal(JSON.parse(text('info', core, '--json')).schema, 'gocore-info')
  })

  test('goroutines as Delve lists them', () => {
    const rows = [
      '-r',
      '-s -l',
      '-g -t 2 -with userloc packer',
      '-group goloc',
      '-with running -exec bt -full',
    ]
    const mark = '"next"'
    const answers = text(
      'debug',
      core,
      ...rows.flatMap(flags => ['-c', `goroutines ${flags}`, '-c', `p ${mark}`]),
    )
    for (const [i, expected] of answers.split(`${mark}\n`).slice(0, -1).entries())
      assert.equal(text('goroutines', core, ...rows[i]!.split(' ')), expected, rows[i]!)
    const ids = (...args: string[]): string[] =>
      [...text('goroutines', core, '-t', ...args).matchAll(/^goroutine (\d+) /gm)].map(match => match[1]!)
    const users = ids()
    assert.deepEqual(
      ids('-without', 'user'),
      ids('--system').filter(id => !users.includes(id)),
    )
    assert.equal(ids('-with', 'userloc', 'packer').length, 24)
  })

  test('x, print and bt in GDB’s words', () => {
    assert.equal(text('x/3i', '$pc', core), debug('x/3i $pc'))
    assert.equal(text('p/x', core, '255'), '0xff\n')
    assert.equal(text('bt', core, 'full'), debug('bt full'))
    assert.equal(text('bt', core, '-full', '-n', '2'), debug('bt 2 -full'))
  })

  test('display, transcript', () => {
    assert.equal(text('display', core, '1+1', 'len("abc")'), '0: 1+1 = 2\n1: len("abc") = 3\n')
    const file = join(work, 'gdb.txt')
    const shown = text('transcript', file, core, 'bt', '1')
    assert.equal(text('transcript', '-x', file, core, 'p', '1'), '')
    assert.equal(readFileSync(file, 'utf8'), `> bt 1\n${shown}> p 1\n1\n`)
  })

  test('every answer has a document with the name of what it is', () => {
    const rows: [command: string, schema: string][] = [
      ['bt', 'gocore-frames'],
      ['print $pc', 'gocore-value'],
      ['locals', 'gocore-variables'],
      ['list', 'gocore-source'],
      ['regs', 'gocore-registers'],
      ['info registers', 'gocore-registers'],
      ['disassemble', 'gocore-disassembly'],
      ['x/2i $pc', 'gocore-memory'],
      ['whatis 1', 'gocore-type'],
      ['config', 'gocore-settings'],
      ['frame 1 up', 'gocore-frame'],
      ['goroutines -limit 1', 'gocore-goroutine-list'],
      ['threads', 'gocore-thread-list'],
      ['sources', 'gocore-sources'],
      ['packages', 'gocore-packages'],
      ['libraries', 'gocore-libraries'],
      ['funcs put', 'gocore-names'],
    ]
    const answers = text('debug', core, '--json', ...rows.flatMap(([command]) => ['-c', command]))
    assert.deepEqual(
      answers
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
        .map(({ command, schema }) => [command, schema]),
      rows,
    )
    const schemaOf = (...args: string[]): string => JSON.parse(text(...args, '--json')).schema
    assert.equal(schemaOf('frame', '1', core, 'regs'), 'gocore-registers')
    assert.equal(schemaOf('goroutine', '45', core), 'gocore-goroutine')
    assert.equal(schemaOf('goroutines', core, '-u'), 'gocore-goroutine-list')
    assert.equal(schemaOf('goroutines', core, '-exec', 'bt', '1'), 'gocore-answers')
    assert.equal(schemaOf('display', core, '1', '2'), 'gocore-display')
  })

  test('what is wrong is said in a sentence', () => {
    const wrong: [args: string[], status: number, message: RegExp][] = [
      [['goroutine', 'x', core], 2, /^gocore-sink: A goroutine is named by its number, not by "x"\.\n$/],
      [['goroutine', '99', core], 3, /^gocore-sink: \S+ has no goroutine 99; gocore-sink goroutines -l \S+/],
      [['goroutine', '99', core, 'bt'], 3, /^gocore-sink: There is no goroutine 99\.\n$/],
      [['thread', '1', core], 3, /^gocore-sink: \S+ has no thread 1; gocore-sink threads \S+/],
      [['frame', '99', core, 'bt'], 3, /^gocore-sink: There is no frame 99: the stack has \d+ frames/],
      [['frame', '1', core, 'nonsense'], 2, /^gocore-sink: There is no command "nonsense"\./],
      [['transcript', join(work, 'f'), core], 2, /takes a file and a command/],
      [['deferred', '1', core], 2, /^gocore-sink: deferred takes the number of a call and a command/],
      [['config', 'moon'], 2, /^gocore-sink: Unknown option|^gocore-sink: There is no setting moon/],
      [['goroutines', core, '-group', 'moon'], 2, /^gocore-sink: -group takes userloc/],
      [['goroutine'], 2, /^gocore-sink: goroutine needs <number>\. See gocore-sink goroutine --help\.\n$/],
    ]
    for (const [args, status, message] of wrong) {
      const outcome = run(...args)
      assert.match(outcome.stderr, message)
      assert.equal(outcome.status, status, args.join(' '))
      assert.equal(outcome.stdout, '')
    }
  })
})
