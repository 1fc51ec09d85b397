import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  cpSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync, zstdDecompressSync } from 'node:zlib'
import { parseSystemdName } from '../../src/cli/import-file.ts'
import { assertGolden } from '../support/golden.ts'
import { commandLine } from '../support/programs.ts'
import { type Outcome, runCli } from './run-cli.ts'

/** The core that the repository carries, beside its program, as files of a stranger's directory. */
const fixture = join(import.meta.dirname, '../fixtures/till')
const work = mkdtempSync(join(tmpdir(), 'gocore-core-'))
after(() => rmSync(work, { recursive: true }))
before(() => {
  cpSync(join(fixture, 'core.zst'), join(work, 'core.zst'))
  writeFileSync(join(work, 'till'), zstdDecompressSync(readFileSync(join(fixture, 'till.zst'))), {
    mode: 0o755,
  })
  writeFileSync(join(work, 'raw'), zstdDecompressSync(readFileSync(join(fixture, 'core.zst'))))
})
const env = { COLUMNS: '100', HOME: work }
const cli = (...args: string[]): Outcome => runCli(args, { cwd: work, env })
const withExe = (...args: string[]): string => {
  const outcome = cli(...args, '--exe', './till')
  assert.equal(outcome.status, 0, outcome.stderr)
  return outcome.stdout
}

describe('verbs over a core file', () => {
  it('show', () => assertGolden('cli/core-show.txt', withExe('show', './core.zst')))
  it('bt', () => assertGolden('cli/core-bt.txt', withExe('bt', './core.zst')))
  it('bt -as has each goroutine of the program’s own traceback', () => {
    const headers = (text: string): string[] =>
      [...text.matchAll(/^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[/gm)].map(found => found[1]!).sort()
    const own = readFileSync(join(fixture, 'traceback.txt'), 'utf8')
    assert.deepEqual(headers(withExe('bt', '-as', './core.zst')), headers(own))
  })
  it('goroutines -t and bt -a say of all what they say one by one', () => {
    for (const flags of [[], ['--system']]) {
      const whole = withExe('goroutines', '-t', ...flags, './core.zst')
      // A text that every place holds asks each goroutine for itself; the stack pointers and pcs are extra.
      assert.equal(whole, withExe('goroutines', '-t', ...flags, '--with', '.', './core.zst'))
      const bare = (text: string): string => text.replaceAll(/(?: sp=0x[0-9a-f]+)? pc=0x[0-9a-f]+$/gm, '')
      assert.equal(whole, bare(withExe('goroutines', '-t', '-x', ...flags, './core.zst')))
      const all = withExe('bt', '-a', ...flags, './core.zst')
      assert.equal(all, bare(withExe('bt', '-ax', ...flags, './core.zst')))
      assert.deepEqual(all.trimEnd().split('\n\n').sort(), whole.trimEnd().split('\n\n').sort())
    }
  })
  it('goroutines', () => assertGolden('cli/core-goroutines.txt', withExe('goroutines', './core.zst')))
  it('goroutines --list, filtered', () =>
    assertGolden(
      'cli/core-goroutines-list.txt',
      withExe('goroutines', '-l', '--with', 'packer', '-n', '3', './core.zst'),
    ))
  it('goroutines --traceback, filtered', () =>
    assertGolden(
      'cli/core-goroutines-traceback.txt',
      withExe('goroutines', '-t', '--state', 'select', './core.zst'),
    ))
  it('goroutine N', () => assertGolden('cli/core-goroutine.txt', withExe('goroutine', '1', './core.zst')))
  it('threads', () =>
    assert.match(withExe('threads', '-r', './core.zst'), /^thread \d+ \[.*crashed here\]:\n[\s\S]*\brip 0x/))
  it('info', () => assert.match(withExe('info', './core.zst'), /Module +example\.com\/shop/))
  it('takes the core as it is, and packed with gzip', () => {
    const raw = withExe('bt', './raw')
    writeFileSync(join(work, 'core.gz'), gzipSync(readFileSync(join(work, 'raw')), { level: 1 }))
    assert.equal(withExe('bt', 'core.gz'), raw)
  })
  it('takes a word that is no id of a dump for a file', () =>
    assert.match(withExe('bt', 'raw'), /^goroutine 43 /))
})

describe('JSON', () => {
  it('lists all goroutines, whole, with what each reader relies on', () => {
    const report = JSON.parse(withExe('goroutines', './core.zst', '--json'))
    assert.equal(report.schema, 'gocore-report')
    assert.equal(report.go.version, 'go1.26.8')
    assert.equal(report.death.kind, 'panic')
    assert.equal(report.death.goroutine, 43)
    assert.equal(report.goroutines.length, report.goroutineCount)
    assert.equal(report.goroutinesOmitted, 0)
    const { frames } = report.goroutines.find((g: { id: number }) => g.id === 43)
    const frame = frames.find((f: { hidden?: boolean }) => !f.hidden)
    assert.deepEqual(
      Object.keys(frame).sort(),
      ['args', 'file', 'function', 'inlined', 'line', 'offset', 'pc', 'sp'].sort(),
    )
  })
  for (const [verb, schema] of [
    ['show', 'gocore-report'],
    ['bt', 'gocore-goroutines'],
    ['threads', 'gocore-threads'],
    ['info', 'gocore-info'],
  ] as const)
    it(`${verb} --json`, () => {
      const value = JSON.parse(withExe(verb, './core.zst', '--json'))
      assert.equal(value.schema, schema)
      assert.equal(value.version, 1)
    })
})

describe('what can go wrong', () => {
  it('refuses an executable that is not the program, with 4', () => {
    const refused = cli('show', './core.zst', '--exe', process.execPath)
    assert.equal(refused.status, 4)
    assert.match(refused.stderr, /^gocore-sink: \S+ is not the program of this core: /)
  })
  it('ends with 3 for a file or goroutine that is not there', () => {
    assert.equal(cli('show', './none').status, 3)
    const none = cli('goroutine', '4711', './core.zst', '--exe', './till')
    assert.equal(none.status, 3)
    assert.match(none.stderr, /has no goroutine 4711/)
  })
  it('ends with 5 for what is no core', () => {
    const text = cli('show', '/etc/passwd')
    assert.equal(text.status, 5)
    assert.match(text.stderr, /not an ELF file/)
    assert.equal(text.stderr.split('\n').length, 2)
    writeFileSync(join(work, 'nothing'), '')
    assert.equal(cli('show', './nothing').stderr, 'gocore-sink: ./nothing is empty.\n')
    assert.match(
      cli('show', './till').stderr,
      /^gocore-sink: \.\/till is a program or a library, not a core file; /,
    )
  })
  it('ends with 3 where nothing matches a pattern', () => {
    for (const verb of ['funcs', 'types', 'vars', 'sources', 'packages']) {
      assert.equal(cli(verb, './core.zst', 'no-such-thing', '--exe', './till').status, 3, verb)
      assert.equal(cli(verb, './core.zst', 'no-such-thing', '--exe', './till', '--json').status, 3, verb)
    }
    assert.equal(cli('packages', './core.zst', '--match', 'no-such-thing', '--exe', './till').status, 3)
  })
  it('names the machine of a core that is not of amd64', () => {
    const core = readFileSync(join(work, 'raw')).subarray(0, 65536)
    for (const [machine, name] of [
      [183, 'arm64'],
      [22, 's390x'],
      [3, '386'],
      [9999, 'ELF machine 9999'],
    ] as const) {
      // e_machine (gABI, ELF header).
      core.writeUInt16LE(machine, 18)
      writeFileSync(join(work, 'other-machine'), core)
      const refused = cli('show', './other-machine')
      assert.equal(
        refused.stderr,
        `gocore-sink: machine: ./other-machine is a core of ${name}; those of amd64 are explained\n`,
      )
      assert.equal(refused.status, 5)
    }
  })
  it('says where the dump stands in frame and x', () => {
    const frame = cli('frame', './core.zst', '1')
    assert.equal(frame.stderr, 'gocore-sink: frame takes the dump last: gocore-sink frame 1 ./core.zst\n')
    const x = cli('x', './core.zst', '0xc000012000')
    assert.equal(x.stderr, 'gocore-sink: x takes the dump last: gocore-sink x 0xc000012000 ./core.zst\n')
    assert.deepEqual([frame.status, x.status], [2, 2])
    assert.equal(cli('x', './raw').stderr, 'gocore-sink: x takes an address before ./raw.\n')
    assert.equal(cli('frame', './raw').stderr, 'gocore-sink: frame takes a number before ./raw.\n')
    assert.equal(cli('display', './raw').stderr, 'gocore-sink: display takes an expression behind ./raw.\n')
  })
  it('tells an executable and an expression that are missing', () => {
    const none = cli('show', './core.zst', '--exe', './none')
    assert.deepEqual([none.stderr, none.status], ['gocore-sink: --exe: there is no file ./none.\n', 3])
    const alone = cli('print', './core.zst')
    assert.equal(alone.stderr, 'gocore-sink: print takes an expression behind ./core.zst.\n')
    assert.equal(alone.status, 2)
  })
  it('explains a core that was cut short as far as it goes', () => {
    writeFileSync(join(work, 'cut'), readFileSync(join(work, 'raw')).subarray(0, 4_000_000))
    assert.match(withExe('show', './cut'), /warning: The core ends after 4000000 of \d+ bytes/)
  })
  it('is quiet when its reader goes away', () => {
    const text = `node --disable-warning=ExperimentalWarning ${commandLine} bt -as ./raw --exe ./till | head -1; echo \${PIPESTATUS[0]}`
    const run = spawnSync('bash', ['-c', text], {
      cwd: work,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    assert.match(run.stdout, /^goroutine 43 \[running\]:\n0\n$/)
    assert.equal(run.stderr, '')
  })
})

describe('export of a core file', () => {
  it('unpacks it, zeros as holes', () => {
    assert.equal(cli('export', './core.zst', '-o', 'out').status, 0)
    assert.ok(readFileSync(join(work, 'out')).equals(readFileSync(join(work, 'raw'))))
    const { blocks, size, mode } = statSync(join(work, 'out'))
    assert.ok(blocks * 512 < size / 2, `${blocks * 512} of ${size} bytes`)
    assert.equal(mode & 0o777, 0o600)
  })
  it('leaves a file alone that exists, unless told', () => {
    const refused = cli('export', './core.zst', '-o', 'out')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /out exists already; --force replaces it/)
    assert.equal(cli('export', './core.zst', '-o', 'out', '--force').status, 0)
  })
  it('writes into nothing that lay there under the name that it has until it is whole', () => {
    writeFileSync(join(work, 'fresh.partial'), 'of an export that was killed, or of a stranger', {
      mode: 0o666,
    })
    const theirs = openSync(join(work, 'fresh.partial'), 'r')
    assert.equal(cli('export', './core.zst', '-o', 'fresh').status, 0)
    assert.equal(statSync(join(work, 'fresh')).mode & 0o777, 0o600)
    assert.match(readFileSync(theirs, 'utf8'), /^of an export/)
    closeSync(theirs)
    execFileSync('mkfifo', [join(work, 'piped.partial')])
    assert.equal(cli('export', './core.zst', '-o', 'piped').status, 0)
    assert.ok(readFileSync(join(work, 'piped')).equals(readFileSync(join(work, 'raw'))))
  })
  it('writes into no FIFO of another user, unless told', { skip: process.getuid!() !== 0 }, () => {
    execFileSync('mkfifo', [join(work, 'fifo')])
    chownSync(join(work, 'fifo'), 61234, 61234)
    const refused = cli('export', './core.zst', '-o', 'fifo')
    assert.deepEqual([refused.status, /fifo is a FIFO of user 61234's/.test(refused.stderr)], [1, true])
  })
  it('follows no link of another user, unless told', { skip: process.getuid!() !== 0 }, () => {
    const theirs = (name: string, to: string): void => {
      symlinkSync(to, join(work, name))
      lchownSync(join(work, name), 61234, 61234)
    }
    mkdirSync(join(work, 'mine'))
    theirs('their-device', '/dev/null')
    theirs('their-directory', 'mine')
    for (const name of ['their-device', 'their-directory', 'their-directory/']) {
      const { status, stderr } = cli('export', './core.zst', '-o', name)
      assert.equal(status, 1, stderr)
      assert.match(stderr, /their-\w+ is a symbolic link of user 61234's; --force follows it\.$/m)
    }
    assert.deepEqual(readdirSync(join(work, 'mine')), [])
    assert.equal(cli('export', './core.zst', '-o', 'their-device', '--force').status, 0)
  })
  it('follows a link of one’s own, but not into a FIFO of another user', {
    skip: process.getuid!() !== 0,
  }, () => {
    symlinkSync('/dev/null', join(work, 'device'))
    assert.equal(cli('export', './core.zst', '-o', 'device').status, 0)
    symlinkSync('mine', join(work, 'directory'))
    assert.equal(cli('export', './core.zst', '-o', 'directory').status, 0)
    assert.deepEqual(readdirSync(join(work, 'mine')), ['core.raw'])
    symlinkSync('fifo', join(work, 'to-fifo'))
    const refused = cli('export', './core.zst', '-o', 'to-fifo')
    assert.match(refused.stderr, /to-fifo is a FIFO of user 61234's/)
    writeFileSync(join(work, 'replaced'), 'old')
    symlinkSync('replaced', join(work, 'to-file'))
    assert.equal(cli('export', './core.zst', '-o', 'to-file', '--force').status, 0)
    assert.ok(lstatSync(join(work, 'to-file')).isSymbolicLink())
    assert.ok(readFileSync(join(work, 'replaced')).equals(readFileSync(join(work, 'mine/core.raw'))))
  })
  it('writes to what the caller gave, a pipe that sudo’s user made too', {
    skip: process.getuid!() !== 0,
  }, () => {
    const program = `${process.execPath} ${commandLine} export ./core.zst`
    const scripts = [
      `(chown 61234 /dev/stdout; ${program} -o /dev/stdout) | cmp - raw`,
      `(${program} -o /dev/fd/7 7>&1 >/dev/null) | cmp - raw`,
      `${program} -o /dev/null`,
    ]
    for (const script of scripts)
      execFileSync('sh', ['-c', script], { cwd: work, env: { PATH: process.env.PATH, ...env } })
  })
  it('says when the disk is full', () => {
    const full = cli('export', './core.zst', '-o', '/dev/full')
    assert.equal(full.status, 1)
    assert.match(full.stderr, /ENOSPC/)
  })
})

describe('import', () => {
  const config = join(work, 'sink.conf')
  const archive = (...args: string[]): Outcome => cli('--config', config, ...args)
  before(() => {
    const lines = [
      `ArchiveDirectory=${work}/archive`,
      `StateDirectory=${work}/state`,
      `RuntimeDirectory=${work}/run`,
    ]
    writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o644 })
  })
  it('makes a core file a dump, analysed, with its program', () => {
    const imported = archive('import', './core.zst', '--exe', './till')
    assert.equal(imported.status, 0, imported.stderr)
    assert.match(imported.stdout, /^[a-z2-7]{12} {2}\.\/core\.zst\n$/)
    const [row] = JSON.parse(archive('ls', '--json').stdout).crashes
    assert.equal(row.cause, 'panic: assignment to entry in nil map')
    assert.equal(row.causeAt, 'table.go:21')
    assert.match(archive('show').stdout, /^panic: assignment to entry in nil map\n/)
    assert.match(archive('verify').stdout, /^1 dump verified, all sound\.\n$/)
  })
  it('makes one dump of a core that comes twice', () => {
    assert.match(archive('import', './raw', '--exe', './till').stdout, /was there already/)
    assert.equal(archive('ls', '-q').stdout.trim().split('\n').length, 1)
  })
  it('names an executable that is missing, and takes it in when it comes', () => {
    const other = ['--archive', 'late']
    const first = cli(...other, 'import', './core.zst')
    assert.equal(first.status, 0)
    assert.match(
      first.stderr,
      /^[a-z2-7]{12} lacks its executable \S+\/till: import \.\/core\.zst again with --exe FILE$/m,
    )
    assert.doesNotMatch(cli(...other, 'show').stdout, /nil map/)
    const wrong = cli(...other, 'import', './core.zst', '--exe', process.execPath)
    assert.equal(wrong.status, 4)
    const second = cli(...other, 'import', './core.zst', '--exe', './till')
    assert.deepEqual([second.stderr, second.status], ['', 0])
    assert.match(second.stdout, /\(was there already; its executable is there too now\)\n$/)
    assert.match(cli(...other, 'show').stdout, /^panic: assignment to entry in nil map\n/)
    assert.match(cli(...other, 'ls').stdout, /nil map/)
    assert.match(cli(...other, 'import', './core.zst', '--exe', './till').stdout, /\(was there already\)\n$/)
    assert.match(cli(...other, 'verify').stdout, /^1 dump verified, all sound\.\n$/)
  })
  it('stores what a packed executable holds', () => {
    for (const [program, name] of [
      ['zstd', 'till.zst'],
      ['lz4', 'till.lz4'],
    ] as const) {
      execFileSync(program, ['-qf', 'till', name], { cwd: work })
      const other = ['--archive', `of-${program}`]
      assert.equal(cli(...other, 'import', './core.zst', '--exe', `./${name}`).status, 0)
      assert.match(cli(...other, 'show').stdout, /^panic: assignment to entry in nil map\n/)
      assert.equal(cli(...other, 'export', '--binary', '-o', `back-${program}`).status, 0)
      assert.ok(readFileSync(join(work, `back-${program}`)).equals(readFileSync(join(work, 'till'))))
    }
    const half = readFileSync(join(work, 'till.zst')).subarray(0, 300_000)
    writeFileSync(join(work, 'half.zst'), half)
    const damaged = cli('--archive', 'of-half', 'import', './core.zst', '--exe', './half.zst')
    assert.notEqual(damaged.status, 0)
    assert.match(damaged.stderr, /half\.zst/)
  })
  it('analyses what there is where another file is missing', () => {
    const partly = cli('--archive', 'partly', 'import', './core.zst', './none', '.', '--exe', './till')
    assert.equal(partly.status, 3)
    assert.match(partly.stderr, /^gocore-sink: Could not import \.\/none: there is no such file$/m)
    assert.match(partly.stderr, /^gocore-sink: Could not import \.: it is a directory, and --exe names/m)
    assert.match(cli('--archive', 'partly', 'ls').stdout, /nil map/)
  })
  it('gives the same bytes back', () => {
    assert.equal(archive('export', '-o', 'back').status, 0)
    assert.ok(readFileSync(join(work, 'back')).equals(readFileSync(join(work, 'raw'))))
  })
  it('takes in a bundle of another archive', () => {
    assert.equal(archive('export', '--bundle', '-o', 'bundle.tar').status, 0)
    mkdirSync(join(work, 'elsewhere'))
    execFileSync('tar', ['-xf', join(work, 'bundle.tar'), '-C', join(work, 'elsewhere')])
    const other = join(work, 'other')
    const imported = cli('--archive', other, 'import', './elsewhere')
    assert.equal(imported.status, 0, imported.stderr)
    const timeless = (text: string): string => text.replace(/, \d+ \w+ ago$/m, '')
    assert.equal(timeless(cli('--archive', other, 'show').stdout), timeless(archive('show').stdout))
  })
  it('analyses in an archive that is named from where one is', () => {
    assert.equal(cli('--archive', 'nearby', 'import', './core.zst', '--exe', './till').status, 0)
    const [row] = JSON.parse(cli('--archive', './nearby', 'ls', '--json').stdout).crashes
    assert.equal(row.cause, 'panic: assignment to entry in nil map')
  })
  for (const first of ['yes', 'no'])
    it(`keeps to EncryptTo without a daemon, with AnalyseBeforeEncryption=${first}`, () => {
      const place = join(work, `sealed-${first}`)
      const lines = [
        ...[
          `ArchiveDirectory=${place}/archive`,
          `StateDirectory=${place}/state`,
          `RuntimeDirectory=${place}/run`,
        ],
        'EncryptTo=age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj',
        `AnalyseBeforeEncryption=${first}`,
      ]
      const sealed = `${place}.conf`
      writeFileSync(sealed, `${lines.join('\n')}\n`, { mode: 0o644 })
      const imported = cli('--config', sealed, 'import', './core.zst', '--exe', './till')
      assert.equal(imported.status, 0, imported.stderr)
      const files = readdirSync(join(place, 'archive/dumps'), { recursive: true, encoding: 'utf8' })
      const names = files.map(path => basename(path)).filter(name => name.includes('.'))
      const report = first === 'yes' ? ['analysis.json', 'report.json'] : []
      assert.deepEqual(names.sort(), ['core.lz4.age', 'manifest.json', ...report].sort())
      const [row] = JSON.parse(cli('--config', sealed, 'ls', '--json').stdout).crashes
      assert.equal(row.analysis, first === 'yes' ? 'done' : 'none')
    })
  it('escapes and redacts what the core says of its process', () => {
    const core = readFileSync(join(work, 'raw'))
    // NT_PRPSINFO of CORE, of 136 bytes: pr_fname at 40, pr_psargs behind it.
    const note = core.indexOf(Buffer.from('\x05\0\0\0\x88\0\0\0\x03\0\0\0CORE\0\0\0\0', 'latin1'))
    assert.ok(note > 0)
    core.fill(0, note + 60, note + 156)
    core.write('ti\u001b[2Jll\u0007', note + 60)
    core.write('./till -token=HUNTER2 -password Hunter3 a\u001bb\\c https://ada:pw@host/', note + 76)
    writeFileSync(join(work, 'said'), core)
    const imported = cli('--archive', 'careful', 'import', './said', '--exe', './till')
    assert.equal(imported.status, 0, imported.stderr)
    const id = imported.stdout.slice(0, 12)
    const dump = readdirSync(join(work, 'careful/dumps'), { recursive: true, encoding: 'utf8' })
    const manifest = dump.find(name => name.endsWith(`${id}/manifest.json`))!
    const { process } = JSON.parse(readFileSync(join(work, 'careful/dumps', manifest), 'utf8'))
    assert.equal(process.comm, 'ti\\x1b[2Jll\\x07')
    assert.deepEqual(process.cmdline, [
      ...['./till', '-token=…', '-password', '…', 'a\\x1bb\\x5cc', 'https://ada:…@host/'],
    ])
  })
  it('ends with 5 for what is no core, and passes it by in a directory', () => {
    assert.equal(archive('import', '/etc/passwd').status, 5)
    mkdirSync(join(work, 'mixed'))
    writeFileSync(join(work, 'mixed/readme'), 'not a core')
    assert.equal(archive('import', './mixed').status, 3)
  })
})

describe('parseSystemdName()', () => {
  it('reads what systemd-coredump puts into its names', () => {
    const name = 'core.my\\x20app.1000.0123456789abcdef0123456789abcdef.4242.1795456789123456.zst'
    assert.deepEqual(parseSystemdName(name), {
      comm: 'my\\x20app',
      uid: 1000,
      bootId: '01234567-89ab-cdef-0123-456789abcdef',
      pid: 4242,
      time: new Date(1795456789123),
    })
  })
  for (const name of ['core', 'core.4242', 'core.x.0.short.1.1795456789123456'])
    it(`knows ${name} for none`, () => assert.equal(parseSystemdName(name), undefined))
})
