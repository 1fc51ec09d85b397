import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from '../../src/base/errors.ts'
import {
  type Config,
  defaultConfig,
  loadConfig,
  loadConfigOrDefaults,
  parseConfig,
} from '../../src/config/index.ts'

const root = mkdtempSync(join(tmpdir(), 'gocore-config-'))
after(() => rmSync(root, { recursive: true }))
let count = 0
function file(text: string, mode = 0o644): string {
  const path = join(root, `${count++}.conf`)
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

describe('parseConfig()', () => {
  const lines: [line: string, change: (config: Config) => void][] = [
    ['', () => {}],
    ['# ArchiveDirectory=/x', () => {}],
    ['; a comment', () => {}],
    [
      'ArchiveDirectory=/mnt/cores/',
      c => {
        c.archive = '/mnt/cores'
      },
    ],
    [
      '  ArchiveDirectory = /mnt/a b ',
      c => {
        c.archive = '/mnt/a b'
      },
    ],
    [
      'Group=gocore',
      c => {
        c.group = 'gocore'
      },
    ],
    ['Group=', () => {}],
    [
      'CoreMax=32G',
      c => {
        c.coreMax = 32 * 2 ** 30
      },
    ],
    ['CoreMax=infinity', () => {}],
    [
      'StorageDeadline=2min',
      c => {
        c.storageDeadline = 120
      },
    ],
    [
      'RlimitZero=store',
      c => {
        c.rlimitZero = 'store'
      },
    ],
    [
      'Environ=',
      c => {
        c.environ = []
      },
    ],
    [
      'Environ=FOO BAR_*',
      c => {
        c.environ.push('FOO', 'BAR_*')
      },
    ],
    [
      'Environ=\nEnviron=FOO\nEnviron=BAR FOO',
      c => {
        c.environ = ['FOO', 'BAR']
      },
    ],
    [
      'MaxAge=2w',
      c => {
        c.retention.maxAge = 14 * 86400
      },
    ],
    [
      'MaxAge=infinity',
      c => {
        c.retention.maxAge = null
      },
    ],
    [
      'MaxSize=1.5T',
      c => {
        c.retention.maxSize = 1.5 * 2 ** 40
      },
    ],
    [
      'KeepFree=10%',
      c => {
        c.retention.keepFree = 0.1
      },
    ],
    [
      'KeepFree=0.5 %',
      c => {
        c.retention.keepFree = 0.005
      },
    ],
    [
      'KeepFree=0',
      c => {
        c.retention.keepFree = 0
      },
    ],
    [
      'KeepFree=10 GiB',
      c => {
        c.retention.keepFree = 10 * 2 ** 30
      },
    ],
    [
      'RetentionSchedule=0  4 * * mon',
      c => {
        c.retention.cron = '0 4 * * mon'
      },
    ],
    [
      'AnalysisTimeout=1h 30min',
      c => {
        c.analysis.timeout = 5400
      },
    ],
    [
      'AnalysisMemory=2G',
      c => {
        c.analysis.memory = 2 * 2 ** 30
      },
    ],
    [
      'AnalysisOutput=1M',
      c => {
        c.analysis.output = 2 ** 20
      },
    ],
    [
      'AnalysisParallel=4',
      c => {
        c.analysis.parallel = 4
      },
    ],
    [
      'AnalysisUser=nobody',
      c => {
        c.analysis.user = 'nobody'
      },
    ],
    [
      'AnalysisUser=',
      c => {
        c.analysis.user = ''
      },
    ],
    [
      'PollInterval=30s',
      c => {
        c.scan.poll = 30
      },
    ],
    [
      'LogLevel=debug\r\nMaxAge=infinity',
      c => {
        c.logLevel = 'debug'
        c.retention.maxAge = null
      },
    ],
    [
      'MaxAge=1d\nMaxAge=2d',
      c => {
        c.retention.maxAge = 2 * 86400
      },
    ],
  ]
  for (const [line, change] of lines)
    it(`reads ${JSON.stringify(line)}`, () => {
      const expected = defaultConfig()
      change(expected)
      assert.deepEqual(parseConfig(line, 'f'), { config: expected, problems: [] })
    })

  const faults: [line: string, problem: string][] = [
    ['Nonsense=1', 'f:1: unknown key "Nonsense"'],
    ['maxage=1d', 'f:1: unknown key "maxage", keys are written as MaxAge'],
    ['just words', 'f:1: "just words" is not Key=value'],
    ['=x', 'f:1: "=x" is not Key=value'],
    ['[Section]', 'f:1: "[Section]" is not Key=value'],
    ['\n\nMaxAge=never', 'f:3: MaxAge: "never" is not a duration such as 90s, 5min or 30d'],
    ['MaxAge=1 parsec', 'f:1: MaxAge: "1 parsec" is not a duration such as 90s, 5min or 30d'],
    ['MaxAge=-1d', 'f:1: MaxAge: "-1d" is not a duration such as 90s, 5min or 30d'],
    ['MaxAge=', 'f:1: MaxAge: "" is not a duration such as 90s, 5min or 30d'],
    ['StorageDeadline=2h', 'f:1: StorageDeadline: 2h is not between 1s and 1h'],
    ['CoreMax=10X', 'f:1: CoreMax: "10X" is not a size such as 512M or 10G'],
    ['KeepFree=100%', 'f:1: KeepFree: "100%" is not a size such as 512M or 10G'],
    ['CoreMax=1', 'f:1: CoreMax: 1 is less than the least of 4K'],
    ['AnalysisMemory=infinity', 'f:1: AnalysisMemory: "infinity" is not a size such as 512M or 10G'],
    ['ArchiveDirectory=cores', 'f:1: ArchiveDirectory: "cores" is not an absolute path'],
    ['ArchiveDirectory=/a/..', 'f:1: ArchiveDirectory: the root directory can not be used'],
    ['Group=a:b', 'f:1: Group: "a:b" is not an account name'],
    ['RlimitZero=drop', 'f:1: RlimitZero: "drop" is not one of record, store'],
    ['Environ=A-B', `f:1: Environ: "A-B" is not a variable's name or PREFIX*`],
    ['AnalysisParallel=0', 'f:1: AnalysisParallel: "0" is not a number from 1 to 64'],
    ['MaxSize=10', 'f:1: MaxSize: 10 is less than the least of 64M'],
    ['MaxSize=0', 'f:1: MaxSize: 0 is less than the least of 64M'],
    ['ProgramMaxSize=1', 'f:1: ProgramMaxSize: 1 is less than the least of 64M'],
    ['KeepFree=99.99%', 'f:1: KeepFree: 99.99% is more than the most of 90%'],
    [
      'KeepFree=5',
      'f:1: KeepFree: 5 is less than the least of 1M; a share of the file system is written as 5%',
    ],
    ['MaxAge=90', 'f:1: MaxAge: 90 has no unit: is it 90s or 90d?'],
    ['ShrinkAfter=1', 'f:1: ShrinkAfter: 1 has no unit: is it 1s or 1d?'],
    ['RegressionAfter=100', 'f:1: RegressionAfter: 100 has no unit: is it 100s or 100d?'],
    ['ScanSchedule=hourly', 'f:1: ScanSchedule: "hourly" is not a cron expression of five or six fields'],
  ]
  for (const [line, problem] of faults)
    it(`refuses ${JSON.stringify(line)} and keeps the rest`, () => {
      const { config, problems } = parseConfig(`${line}\nGroup=gocore`, 'f')
      assert.deepEqual(problems, [problem])
      assert.equal(config.group, 'gocore')
    })

  it('takes any text without throwing', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }).map(text => `MaxSize=${text}`),
      ),
    )
    fc.assert(fc.property(lines, text => void parseConfig(text.join('\n'), 'f')))
  })
})

describe('limits of retention', () => {
  for (const line of [
    'MaxSize=64M',
    'ProgramMaxSize=64M',
    'KeepFree=1M',
    'KeepFree=90%',
    'MaxAge=90s',
    'ShrinkAfter=0',
    'StorageDeadline=2',
  ])
    it(`${line} is as small or large as it gets`, () => assert.deepEqual(parseConfig(line, 'f').problems, []))
})

describe('loadConfig()', () => {
  it('gives the defaults where there is no file and none was named', () => {
    assert.deepEqual(loadConfigOrDefaults().config.archive, defaultConfig().archive)
    assert.throws(() => loadConfig(join(root, 'absent')), /Cannot read the configuration .*absent: ENOENT/)
  })

  it('names all faulty lines at once', () => {
    const path = file('MaxAge=x\nGroup=g\nCoreMax=y\n')
    assert.throws(
      () => loadConfig(path),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(
          error.message.split('\n').map(line => line.split(': ')[0]),
          [`${path}:1`, `${path}:3`],
        )
        return true
      },
    )
    const { config, warnings } = loadConfigOrDefaults(path)
    assert.equal(config.group, 'g')
    assert.equal(warnings.length, 2)
    assert.match(warnings[0]!, /, ignoring the line$/)
  })

  it('of a list all counts but what is wrong, for the handler: one slip lays no other secret open', () => {
    const path = file('Redact=\nRedact=key=* x* pin=*\n')
    assert.throws(() => loadConfig(path), /:2: Redact: "x\*" must begin with two characters/)
    const { config, warnings } = loadConfigOrDefaults(path)
    assert.deepEqual(config.redact, ['key=*', 'pin=*'])
    assert.match(warnings.join(), /, ignoring what is wrong$/)
  })

  const isRoot = process.getuid?.() === 0
  const untrusted: [what: string, make: () => string, why: RegExp][] = [
    ['world-writable', () => file('Group=g', 0o666), /others than its owner may write it \(mode 666\)/],
    ['group-writable', () => file('Group=g', 0o664), /others than its owner may write it \(mode 664\)/],
    [
      "another user's",
      () => {
        const path = file('Group=g')
        chownSync(path, 65534, 65534)
        return path
      },
      /belongs to user 65534/,
    ],
    [
      'a directory',
      () => {
        mkdirSync(join(root, 'directory'))
        return join(root, 'directory')
      },
      /not a regular file/,
    ],
    [
      'a FIFO',
      () => {
        execFileSync('mkfifo', [join(root, 'fifo')])
        return join(root, 'fifo')
      },
      /not a regular file/,
    ],
    ['enormous', () => file(`#${'x'.repeat(1 << 21)}`), /larger than/],
  ]
  for (const [what, make, why] of untrusted)
    it(`root does not obey a file that is ${what}`, { skip: !isRoot }, () => {
      const path = make()
      assert.throws(() => loadConfig(path), why)
      const { config, warnings } = loadConfigOrDefaults(path)
      assert.deepEqual(config, defaultConfig())
      assert.match(warnings.join(), why)
      assert.match(warnings.join(), /; using the defaults$/)
    })
})
