/** The debugger in a pipe, over the stripped crash that the repository carries. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { lchownSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { zstdDecompressSync } from 'node:zlib'
import { complete } from '../../../src/cli/debug/complete.ts'
import { openState } from '../../../src/cli/debug/open.ts'
import { commands } from '../../../src/cli/debug/table.ts'
import { openTarget } from '../../../src/cli/target.ts'
import { assertGolden } from '../../support/golden.ts'
import { commandLine } from '../../support/programs.ts'
import { type Outcome, runCli } from '../run-cli.ts'

const fixture = join(import.meta.dirname, '../../fixtures/till')
const work = mkdtempSync(join(tmpdir(), 'gocore-debug-'))
const core = join(fixture, 'core.zst')
const exe = join(work, 'till')
writeFileSync(exe, zstdDecompressSync(readFileSync(join(fixture, 'till.zst'))), { mode: 0o755 })
after(() => rmSync(work, { recursive: true }))

const debug = (...commands: string[]): Outcome =>
  runCli(['debug', core, '--exe', exe], { cwd: work, env: { HOME: work }, input: `${commands.join('\n')}\n` })

describe('debug in a pipe', () => {
  test('answers, and nothing else, on standard output', () => {
    const { stdout, stderr, status } = debug('p 1+2', '', '# a comment', 'p "a" + "b"', 'whatis len("x")')
    assert.deepEqual([stdout, stderr, status], ['3\n"ab"\nint\n', '', 0])
  })

  test('says what failed on standard error, goes on, and ends with 1', () => {
    const { stdout, stderr, status } = debug('p nothing', 'nonsense', 'break main.go:3', 'p 4')
    assert.equal(stdout, '4\n')
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      'Cannot evaluate "nothing": there is no nothing here (column 1)',
      'There is no command "nonsense". help lists those that there are.',
      'There is no command "break". The program is dead: it cannot go on, and nothing in it can be changed.',
    ])
    assert.equal(status, 1)
  })

  test('leaves at exit, quit or q', () => {
    for (const word of ['exit', 'quit', 'q']) assert.equal(debug(word, 'p 1').stdout, '')
  })

  test('says what could not be written, to whom', () => {
    const { stderr, status } = debug('transcript ./none/x')
    assert.equal(stderr, 'Could not open ./none/x: no such file or directory (ENOENT)\n')
    assert.equal(status, 1)
    const text = `printf 'p 1\\np 2\\n' | ${process.execPath} ${commandLine} debug ${core} --exe ${exe} > /dev/full`
    const full = spawnSync('sh', ['-c', text], { encoding: 'utf8' })
    assert.equal(
      full.stderr,
      'gocore-sink: Could not write to standard output: no space left on device (ENOSPC)\n',
    )
    assert.equal(full.status, 1)
  })

  test('-c runs commands and leaves', () => {
    const { stdout, status } = runCli(['debug', core, '--exe', exe, '-c', 'p 1', '-c', 'p 2'], {
      cwd: work,
      input: 'p 3\n',
    })
    assert.deepEqual([stdout, status], ['1\n2\n', 0])
  })

  test('frame, up, down, goroutine and thread look from elsewhere, for good or for one command', () => {
    const { stdout, stderr } = debug(
      'frame 0 p $pc == 0x47fba1',
      'frame stock.(*table).put',
      'up',
      'down 2',
      'goroutine 45',
      'goroutine 1 frame 3 up p 5',
      'p runtime.curg.goid',
      'thread 1',
      'goroutine 4711',
      'frame 99',
    )
    assert.match(stdout, /^true\nGoroutine 43 frame 10 at example\.com\/shop\/stock\/table\.go:21 /)
    assert.match(stdout, /^Goroutine 43 frame 11 at /m)
    assert.match(stdout, /^Goroutine 43 frame 9 at /m)
    assert.match(stdout, /^Switched from 43 to 45\nGoroutine 45 frame \d+ at \S+main\.go:16 .*\n5\n45\n/m)
    assert.match(stderr, /^There is no thread 1\.\nThere is no goroutine 4711\.\nThere is no frame 99: /)
  })

  test('types that the runtime knows need no debug information', () => {
    const { stdout, stderr } = debug(
      'types ^\\*runtime\\.PanicNil',
      'whatis runtime.plainError',
      'p (*runtime.g)(0)',
      'locals',
      'frame 11 args',
    )
    assert.equal(stderr, '')
    assert.match(stdout, /^\*runtime\.PanicNilError\nstring type, size: 16 bytes\n/)
    assert.match(stdout, /^\*runtime\.g nil$/m)
    assert.match(stdout, /^\(no locals: there is no debug information for this function\)$/m)
  })

  test('goroutines filters, groups and runs commands', () => {
    const all = debug('goroutines').stdout.match(/^. Goroutine /gm)?.length
    assert.equal(debug('goroutines -with user').stdout.match(/^. Goroutine /gm)?.length, all! - 3)
    assert.match(debug('goroutines -with userloc packer -s').stdout, /- Start: \S+shop\.go/)
    assert.match(debug('goroutines -group userloc').stdout, /packer\n(?:\t.*\n){5}\t\.\.\.\n\tTotal: 24\n/)
    assert.match(debug('goroutines -with running -exec p 1').stdout, /^\* Goroutine 43 .*\n\t1\n/)
    assert.match(debug('goroutines -without userloc packer -t 1').stdout, /^\t0 {2}0x[0-9a-f]{16} in /m)
    assert.equal(debug('goroutines -with moon').stdout, '[0 goroutines]\n')
    assert.match(debug('goroutines -with packer -limit 2').stdout, /\[2 goroutines\]\n$/)
    assert.match(debug('goroutines -with userloc').stderr, /^-with userloc lacks its text/)
    assert.match(debug('goroutines -group moon').stderr, /^-group takes userloc/)
    assert.match(debug('goroutines -with running -exec p nothing').stdout, /\n\t\(Cannot evaluate "nothing"/)
    assert.match(debug('goroutines -exec nonsense').stderr, /^There is no command "nonsense"/)
  })

  test('thread apply runs a command on all threads, or on some', () => {
    const tids = [...debug('threads').stdout.matchAll(/Thread (\d+) at/g)].map(match => match[1]!)
    const every = debug('thread apply all bt 1').stdout
    assert.deepEqual(
      [...every.matchAll(/^Thread (\d+):$/gm)].map(match => match[1]),
      tids,
    )
    assert.match(debug(`thread apply ${tids[1]} p 7`).stdout, new RegExp(`^Thread ${tids[1]}:\n7\n$`))
    assert.match(debug('thread apply all').stderr, /^thread apply takes all/)
  })

  test('--json answers with an object a line, failures too', () => {
    const { stdout, status } = runCli(['debug', core, '--exe', exe, '--json'], {
      cwd: work,
      input: 'p 1+1\n# nothing\nbt 1\np nothing\nhelp up\n',
    })
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      answers.map(({ schema, command }) => [schema, command]),
      [
        ['gocore-value', 'p 1+1'],
        ['gocore-frames', 'bt 1'],
        ['gocore-error', 'p nothing'],
        ['gocore-answer', 'help up'],
      ],
    )
    assert.equal(answers[0].value.value, '2')
    assert.equal(answers[1].frames.length > 0, true)
    assert.equal(status, 1)
  })

  test('--json has no raw control or direction character', () => {
    const text = 'a\u009b31m\u202e\u007f'
    const { stdout } = runCli(['debug', core, '--exe', exe, '--json'], {
      cwd: work,
      input: `p "${text}"\np nothing${text}\n`,
    })
    assert.match(stdout, /^[\n -~]+$/)
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).command)
    assert.deepEqual(answers, [`p "${text}"`, `p nothing${text}`])
  })

  test('config -save keeps the settings for the next time, and for the verbs', () => {
    const env = { HOME: work, XDG_CONFIG_HOME: join(work, 'config') }
    const with_ = (...args: string[]): string => runCli(args, { cwd: work, env }).stdout
    with_('debug', core, '--exe', exe, '-c', 'config max-string-len 2', '-c', 'config -save')
    assert.match(with_('config', 'max-string-len'), /^max-string-len +2 /)
    assert.equal(with_('print', core, '"abcd"', '--exe', exe), '"ab...+2 more"\n')
    with_('config', 'max-string-len', '3')
    assert.equal(with_('print', core, '"abcd"', '--exe', exe), '"abc...+1 more"\n')
    assert.equal(JSON.parse(with_('config', '--reset', '--json')).settings['max-string-len'], 64)
    writeFileSync(
      join(work, 'config/gocore-sink/debug.json'),
      '{"max-string-len": "x", "raw": true, "z": []}',
    )
    assert.match(with_('config'), /^max-string-len +64 (?:.*\n)+raw +true /)
  })

  test('config changes how much is shown; aliases are the user’s own', () => {
    const { stdout } = debug(
      'config max-string-len 2',
      'p "abcdef"',
      'config alias print show',
      'show 7',
      'config',
    )
    assert.match(stdout, /^"ab\.\.\.\+4 more"\n7\n/)
    assert.match(stdout, /^max-string-len +2 /m)
    assert.equal(debug('config nonsense 1').status, 1)
    assert.equal(debug('config max-string-len many').status, 1)
  })

  test('transcript keeps what was asked and answered', () => {
    const file = join(work, 'transcript')
    assert.equal(debug(`transcript -x ${file}`, 'p 1', 'p x', 'transcript -off', 'p 2').stdout, '2\n')
    const text = readFileSync(file, 'utf8')
    assert.match(text, /^> p 1\n1\n> p x\nCannot evaluate "x"/)
    debug('set logging on', 'p 8')
    assert.match(readFileSync(join(work, 'gdb.txt'), 'utf8'), /^> p 8\n8\n/)
  })

  test('transcript follows no link of another user', { skip: process.getuid!() !== 0 }, () => {
    const [file, theirs, own] = [join(work, 'kept'), join(work, 'theirs'), join(work, 'own')]
    writeFileSync(file, '')
    symlinkSync(file, theirs)
    lchownSync(theirs, 61234, 61234)
    const link = /theirs is a symbolic link of user 61234's\.$/m
    assert.match(debug(`transcript ${theirs}`, 'p 1').stderr, link)
    assert.match(runCli(['transcript', theirs, core, 'p', '1'], { cwd: work }).stderr, link)
    assert.equal(readFileSync(file, 'utf8'), '')
    symlinkSync(file, own)
    debug(`transcript ${own}`, 'p 1')
    assert.equal(readFileSync(file, 'utf8'), '> p 1\n1\n')
  })

  test('source runs a file of commands, and not itself for ever', () => {
    const file = join(work, 'commands')
    writeFileSync(file, 'p 1\n# and\np 2\n')
    assert.equal(debug(`source ${file}`).stdout, '1\n2\n')
    writeFileSync(file, `source ${file}\n`)
    assert.match(debug(`source ${file}`).stderr, /too deeply/)
    assert.equal(debug('source /nonexistent').status, 1)
  })

  test('display prints again wherever one looks from', () => {
    const { stdout } = debug('display -a 1+1', 'frame 0', 'display -d 0', 'frame 1')
    assert.equal(stdout.match(/^0: 1\+1 = 2$/gm)?.length, 2)
  })

  test('formats of Delve and of GDB', () => {
    const { stdout } = debug('p %x 255', 'p %#x 255', 'p/x 255', 'p/t 5', 'p/c 65', 'p %o 8')
    assert.equal(stdout, "ff\n0xff\n0xff\n101\n65 'A'\n10\n")
  })

  test('help tells of every command', () => {
    assertGolden('cli/debug-help.txt', debug('help').stdout)
    const each = debug(...commands().map(({ name }) => `help ${name}`)).stdout
    for (const { usage } of commands()) assert.ok(each.includes(`${usage}\n\n`), usage)
  })

  test('bt', () => assertGolden('cli/debug-bt.txt', debug('bt', 'goroutine 45 bt').stdout))
})

/** util-linux's script gives it a terminal. */
const haveScript = spawnSync('script', ['--version']).error === undefined
describe('debug in a terminal', { skip: haveScript ? false : 'needs script of util-linux' }, () => {
  const home = join(work, 'home')
  /** Keys, each when what it waits for has come since the last ones: a pasted Tab is no Tab, and a program takes its time. */
  const typed = async (...steps: [seen: string, keys: string][]): Promise<string> => {
    const words = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      commandLine,
      'debug',
      core,
      '--exe',
      exe,
    ]
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
      env: { PATH: process.env.PATH!, HOME: home, TERM: 'xterm', NO_COLOR: '1' },
    })
    // What waits for something that never comes ends with what there was.
    const patience = setTimeout(() => child.kill(), 120_000)
    let all = ''
    let since = ''
    for await (const part of child.stdout.setEncoding('utf8')) {
      all += part
      since += part
      const [step] = steps
      if (!step || !stripVTControlCharacters(since).includes(step[0])) continue
      steps.shift()
      since = ''
      child.stdin.write(step[1])
    }
    clearTimeout(patience)
    return stripVTControlCharacters(all).replaceAll('\r', '')
  }

  test('gives the prompt back when Ctrl-C comes while a command is at work', async () => {
    const script = join(work, 'long')
    writeFileSync(script, 'funcs .\nframe 1\n'.repeat(50_000))
    const words = [process.execPath, commandLine, 'debug', core, '--exe', exe]
    const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
      env: { PATH: process.env.PATH!, HOME: join(work, 'other-home'), TERM: 'xterm', NO_COLOR: '1' },
    })
    const patience = setTimeout(() => child.kill(), 120_000)
    let all = ''
    let state: 'begun' | 'at work' | 'done' = 'begun'
    // Until it is heard: one that comes before the command begins only clears the line.
    const keys = setInterval(() => state === 'at work' && child.stdin.write('\x03'), 500)
    for await (const part of child.stdout.setEncoding('utf8')) {
      // The end of it: the command prints more than one would want to keep and to search.
      all = all.slice(-4096) + stripVTControlCharacters(part)
      if (state === 'begun' && all.includes('(gocore) ')) {
        child.stdin.write(`source ${script}\n`)
        state = 'at work'
      } else if (state === 'at work' && all.includes('Interrupted: ')) {
        child.stdin.write('p 6*7\nexit\n')
        state = 'done'
      }
    }
    clearInterval(keys)
    clearTimeout(patience)
    assert.equal(state, 'done', 'Ctrl-C was not heard')
    assert.match(all, /Interrupted: the answer ends here\.[\s\S]*^42\r?$/m)
    assert.doesNotMatch(all, /Internal error/)
  })

  test('completes, repeats, remembers and begins again after Ctrl-C', async () => {
    const seen = await typed(
      ['(gocore) ', 'whati'],
      ['whati', '\t'],
      ['s ', '1\n'],
      ['(gocore) ', 'p 40+'],
      ['p 40+', '\x03'],
      ['(gocore) ', 'p 6*7\n'],
      ['42', '\n'],
      ['42', 'exit\n'],
    )
    assert.match(seen, /^int$/m)
    assert.equal(seen.match(/^42$/gm)?.length, 2, seen)
    const history = readFileSync(join(home, '.local/state/gocore-sink/debug-history'), 'utf8')
    assert.deepEqual(history.split('\n').slice(0, 2), ['whatis 1', 'p 6*7'])
  })
})

describe('debug --tui without a terminal', () => {
  test('prints the panes of a core file, compressed or not, and of a dump', () => {
    writeFileSync(join(work, 'raw'), zstdDecompressSync(readFileSync(core)))
    const archive = ['--archive', join(work, 'archive')]
    const imported = runCli([...archive, 'import', core, '--exe', exe], { env: { HOME: work } })
    assert.equal(imported.status, 0, imported.stderr)
    const dumps = [[core], ['./raw'], [...archive, imported.stdout.slice(0, 12)]]
    for (const dump of dumps) {
      const args = ['debug', ...dump, '--exe', exe, '--tui']
      const { stdout, stderr, status } = runCli(args, { cwd: work, env: { HOME: work } })
      assert.deepEqual([stderr, status], ['', 0], args.join(' '))
      for (const pane of ['Source', 'Stack', 'Goroutines', 'Registers'])
        assert.match(stdout, new RegExp(`^${pane}`, 'm'))
    }
  })
})

describe('complete()', async () => {
  using target = await openTarget({ dump: core, exe })
  const state = await openState(target)
  const offers = (line: string): string[] => complete(state, line)[0]

  test('commands at the beginning, and behind a place', () => {
    assert.deepEqual(offers('goro'), ['goroutine', 'goroutines'])
    assert.deepEqual(offers('goroutine 45 frame 1 wha'), ['whatis'])
  })
  test('goroutines and threads by number', () => {
    assert.deepEqual(
      offers('goroutine 4').slice(0, 2),
      ['4', '40']
        .filter(id => offers('goroutine ').includes(id))
        .concat(['40', '41'])
        .slice(-2),
    )
    assert.ok(offers('thread ').every(tid => /^\d+$/.test(tid)))
  })
  test('functions, settings and registers', () => {
    assert.ok(offers('list main.cus').includes('main.customer'))
    assert.deepEqual(offers('config max-string'), ['max-string-len'])
    assert.deepEqual(offers('p $p'), ['$pc'])
  })
  test('frames by their functions, topics of info, options', () => {
    assert.ok(offers('frame ').includes('runtime.gopanic'))
    assert.deepEqual(offers('info th'), ['threads'])
    assert.deepEqual(offers('goroutines -wi'), ['-with', '-without'])
    assert.deepEqual(offers('bt -f'), ['-full'])
  })
  test('what is near where nothing is typed yet', () => {
    const near = offers('p ')
    assert.ok(near.includes('len('))
    assert.ok(!near.some(name => name.startsWith('runtime.all')))
  })
  test('offers nothing for what is no command', () => assert.deepEqual(offers('nonsense x'), []))
})
