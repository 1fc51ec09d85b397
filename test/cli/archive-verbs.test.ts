import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { DumpRef } from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import { addDump, testArchive } from '../daemon/archive.ts'
import { until } from '../daemon/running.ts'
import { assertGolden } from '../support/golden.ts'
import { commandLine } from '../support/programs.ts'
import { type Outcome, runCli } from './run-cli.ts'
import { addCrash, makeArchive } from './sample-archive.ts'

const root = mkdtempSync(join(tmpdir(), 'gocore-cli-'))
after(() => rmSync(root, { recursive: true }))
let config = ''
before(() => {
  config = makeArchive(root)
})
const cli = (...args: string[]): Outcome => runCli(['--config', config, ...args], { env: { COLUMNS: '120' } })
const ids = (text: string): string[] => text.trim().split('\n').filter(Boolean)

describe('ls', () => {
  it('lists the latest first, hostile names escaped', () => assertGolden('cli/ls.txt', cli('ls').stdout))
  it('prints every row as JSON in a document with a schema', () => {
    const list = JSON.parse(cli('ls', '--json').stdout)
    assert.equal(list.schema, 'gocore-list')
    assert.equal(list.version, 1)
    assert.equal(list.crashes.length, 3)
    assert.equal(list.crashes[0].cause, 'panic: assignment to entry in nil map')
  })
  const filters: [args: string[], ids: string[]][] = [
    [
      ['--since', '1d'],
      ['7f3k2mabcdef', '7f3zzzzzzzzz'],
    ],
    [['--until', '1d'], ['xacbqdabcdef']],
    [['--host', 'node-1'], ['7f3zzzzzzzzz']],
    [['--uid', '1000'], ['xacbqdabcdef']],
    [['--pid', '77'], ['xacbqdabcdef']],
    [['--signal', 'segv'], ['xacbqdabcdef']],
    [['--signal', '11'], ['xacbqdabcdef']],
    [['--go', '1.26', '-n', '1'], ['7f3k2mabcdef']],
    [
      ['--exe', 'api', '--reverse'],
      ['7f3zzzzzzzzz', '7f3k2mabcdef'],
    ],
    [
      ['--signature', 'k3v9s2a1', '--text', 'nil map'],
      ['7f3k2mabcdef', '7f3zzzzzzzzz'],
    ],
  ]
  for (const [args, wanted] of filters)
    it(`ls ${args.join(' ')}`, () => assert.deepEqual(ids(cli('ls', '-q', ...args).stdout), wanted))
  it('says what nothing matched, and ends with 3', () => {
    const none = cli('ls', '--host', 'elsewhere')
    assert.equal(none.status, 3)
    assert.equal(none.stdout, '')
    assert.match(none.stderr, /^gocore-sink: No crash in \S+ matches --host elsewhere\.\n$/)
  })
})

describe('show of a stored dump', () => {
  it('takes the latest, a unique beginning, and names an ambiguous one', () => {
    assert.match(cli('show').stdout, /^panic: assignment to entry in nil map\n/)
    assert.match(cli('show', '7f3z').stdout, /node-1/)
    const both = cli('show', '7f3')
    assert.equal(both.status, 2)
    assert.match(both.stderr, /beginning of 2 ids \(7f3k2mabcdef, 7f3zzzzzzzzz\)/)
    assert.equal(cli('show', '7777').status, 3)
  })
  it('tells of a dump without a core', () => {
    assert.match(
      cli('show', 'xac').stdout,
      /No core was kept, so the cause is not known: RLIMIT_CORE of the process is 0\./,
    )
    const bt = cli('bt', 'xac')
    assert.equal(bt.status, 3)
    assert.match(bt.stderr, /has no core to look into/)
  })
  it('gives bt and goroutine from the report alone', () => {
    assert.match(cli('bt', '7f3k').stdout, /^goroutine 18 \[running\]:\npanic\(/)
    assert.match(cli('goroutine', '18', '7f3k').stdout, /^goroutine 18 \[running\]:/)
  })
  it('gives the stored report as JSON', () => {
    assert.equal(JSON.parse(cli('show', '7f3k', '--json').stdout).schema, 'gocore-report')
  })
  it('prints all facts', () => assertGolden('cli/info.txt', stable(cli('info', '7f3k').stdout)))
})

describe('top and search', () => {
  it('groups what is alike', () => assertGolden('cli/top.txt', cli('top').stdout))
  it('finds by message and by function', () => {
    assert.deepEqual(JSON.parse(cli('search', 'nil', 'map', '--json').stdout).crashes.length, 2)
    assert.deepEqual(JSON.parse(cli('search', 'connReader', '--json').stdout).crashes.length, 2)
    assert.equal(cli('search', 'nothing-like-it').status, 3)
    const twice = /assignment to entry in nil map.*assignment to entry in nil map/
    assert.doesNotMatch(cli('search', 'nil', 'map').stdout, twice)
    assertGolden('cli/search.txt', cli('search', 'cache.(*Cache).put').stdout)
  })
})

describe('pin, unpin and rm', () => {
  it('refuses to remove what is pinned, and removes what is not', () => {
    assert.equal(cli('pin', '7f3z', '--reason', 'incident 812').status, 0)
    assert.equal(JSON.parse(cli('ls', '--json', '--host', 'node-1').stdout).crashes[0].pinned, true)
    const refused = cli('rm', '7f3z', '7f3k')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /pinned by \S+ \(incident 812\)/)
    assert.equal(cli('pin', '--remove', '7f3z').status, 0)
    assert.equal(cli('rm', '7f3z').status, 0)
    assert.equal(ids(cli('ls', '-q').stdout).length, 2)
  })
})

describe('rm that waits', () => {
  it('removes no dump that is pinned meanwhile, and lists no more what it removed before', async () => {
    using archive = testArchive()
    const { store } = archive
    const [first, second] = [addDump(store), addDump(store)]
    const file = join(archive.directory, 'rm.conf')
    const at = (name: string): string => join(archive.directory, name)
    writeFileSync(
      file,
      `ArchiveDirectory=${store.root}\nStateDirectory=${at('state')}\nRuntimeDirectory=${at('run')}\n`,
    )
    const lease = new Leases(store).take(second.id)!
    const rm = spawn(process.execPath, [commandLine, '--config', file, 'rm', '-y', first.id, second.id])
    let said = ''
    for (const stream of [rm.stdout, rm.stderr])
      stream.on('data', piece => {
        said += piece
      })
    const ended = once(rm, 'close')
    await until(
      () => said.includes(`Removed ${first.id}.`),
      () => said,
    )
    // It has looked for pins and asked by now, and waits for the second one.
    store.pin(second, { time: new Date().toISOString(), reason: 'wait' })
    lease[Symbol.dispose]()
    assert.deepEqual((await ended)[0], 2)
    assert.match(said, /Refused to remove \S+: pinned \(wait\)/)
    const left = runCli(['--config', file, 'ls', '-q']).stdout
    assert.deepEqual(ids(left), [second.id])
    assert.ok(existsSync(store.layout.dump(second)))
  })
})

describe('words behind --', () => {
  it('name the dump that a verb looks at or changes', () => {
    assert.match(cli('show', '--', 'xacb').stdout, /SIGSEGV/)
    assert.equal(cli('show', '--', 'xacb').stdout, cli('show', 'xacb').stdout)
    assert.match(cli('pin', '--', 'xacb').stdout, /^Pinned xacbqdabcdef/)
    assert.match(cli('unpin', '--', 'xacb').stdout, /^Unpinned xacbqdabcdef/)
  })
  it('change nothing where there is no such dump', () => {
    const before = cli('ls', '--json').stdout
    for (const verb of ['pin', 'rm']) {
      const none = cli(verb, '--', 'nope')
      assert.deepEqual([none.stdout, none.status], ['', 3])
      assert.match(none.stderr, /^gocore-sink: There is no dump "nope"/)
    }
    assert.equal(cli('ls', '--json').stdout, before)
  })
})

describe('hold and unhold', () => {
  it('a held dump says so, and goes by no way until that is lifted', () => {
    const held = cli('hold', '7f3k', '--by', 'ada', '--reason', 'case 7')
    assert.deepEqual([held.status, held.stderr], [0, ''])
    const words = /on hold by ada since \d{4}-\d\d-\d\d \(case 7\); gocore-sink unhold lifts it/
    assert.match(cli('info', '7f3k').stdout, words)
    assert.match(cli('ls').stdout, /\[on hold\] panic/)
    for (const verb of ['rm', 'shrink']) {
      const refused = cli(verb, '-y', '7f3k')
      assert.notEqual(refused.status, 0)
      assert.match(refused.stderr, words)
    }
    assert.match(cli('gc').stdout, /; 2 dumps kept, 0 of them pinned and 1 on hold\.\n/)
    assert.equal(cli('reindex').status, 0)
    assert.equal(JSON.parse(cli('ls', '--json').stdout).crashes[0].held, true)
    assert.match(cli('unhold', '7f3k').stdout, /Lifted the hold on 7f3k2mabcdef, which ada had put on/)
    assert.equal(cli('unhold', '7f3k').status, 2)
    assert.equal(JSON.parse(cli('ls', '--json').stdout).crashes[0].held, false)
  })
})

describe('gc, verify, reindex', () => {
  it('gc has nothing to do', () =>
    assert.match(cli('gc', '--dry-run').stdout, /^Nothing is due; 2 dumps kept, 0 of them pinned\.\n/))
  it('verify names a core that is gone, and ends with 6', () => {
    const found = cli('verify')
    assert.equal(found.status, 6)
    assert.match(found.stdout, /problem {2}7f3k2mabcdef {2}its core \(complete\) is gone/)
    assert.equal(cli('verify', 'xac').status, 0)
  })
  it('reindex gives the same list, from nothing too', () => {
    const before = cli('ls', '--json').stdout
    rmSync(join(root, 'state'), { recursive: true })
    assert.equal(cli('reindex').status, 0)
    assert.equal(cli('ls', '--json').stdout, before)
  })
  it('needs no catalog of the machine for another archive', () => {
    const cache = join(root, 'cache')
    const other = runCli(['--archive', join(root, 'archive'), 'ls', '-q'], { env: { XDG_CACHE_HOME: cache } })
    assert.equal(ids(other.stdout).length, 2)
    assert.ok(existsSync(join(cache, 'gocore-sink')))
  })
})

describe('a dump whose manifest is damaged', () => {
  it('is named by gc and by who asks for it, and goes when rm is told so, but for one that tells of a hold', () => {
    using archive = testArchive()
    const { store, directory } = archive
    const [one, two] = [addDump(store), addDump(store)]
    const damaged = (ref: DumpRef, text: string): void =>
      writeFileSync(store.layout.file(ref, 'manifest.json'), text)
    damaged(one, '{"schema": "gocore-mani')
    damaged(two, '{"schema": "gocore-manifest", "version": 2, "hold": {}}')
    const file = join(directory, 'damaged.conf')
    const places = ['State', 'Runtime'].map(name => `${name}Directory=${join(directory, name)}\n`)
    writeFileSync(file, `ArchiveDirectory=${store.root}\n${places.join('')}`)
    const on = (...args: string[]): Outcome => runCli(['--config', file, ...args])

    const gc = on('gc')
    assert.match(gc.stdout, /^Nothing is due/)
    assert.match(
      gc.stderr,
      /^Could not read the manifest of dump [a-z2-7]{12} \(.*\), nor of 1 more: what is named there is not known, and no executable is removed\.\n$/,
    )
    const asked = on('show', one.id.slice(0, 8))
    assert.equal(asked.status, 5)
    assert.match(
      asked.stderr,
      new RegExp(`Dump ${one.id}: .* not JSON: .*; gocore-sink rm ${one.id} removes it`),
    )
    const held = on('rm', two.id, one.id)
    assert.equal(held.status, 2)
    assert.match(held.stderr, /manifest, which may tell of a hold, can't be read: .*version 2/)
    const removed = on('rm', one.id)
    assert.deepEqual([removed.stdout, removed.status], [`Removed ${one.id}.\n`, 0])
    assert.equal(existsSync(store.layout.dump(one)), false)
    assert.ok(existsSync(store.layout.dump(two)))
  })
})

describe('reindex of another archive', () => {
  it('leaves the catalog of the machine alone', () => {
    const other = mkdtempSync(join(root, 'other-'))
    makeArchive(other)
    addCrash(join(other, 'archive'), 'elsewhere222')
    const before = cli('ls', '--json').stdout
    const env = { XDG_CACHE_HOME: join(root, 'cache') }
    const foreign = ['--config', config, '--archive', join(other, 'archive')]
    assert.match(runCli([...foreign, 'reindex'], { env }).stdout, /: 4 crashes added, 0 changed, 0 removed\./)
    assert.equal(cli('ls', '--json').stdout, before)
    assert.equal(runCli([...foreign, 'ls', '-q'], { env }).stdout.split('\n')[0], 'elsewhere222')
  })
})

describe('an archive that is not there', () => {
  const verbs = ['verify', 'reindex', 'gc', 'show', 'show 7f3k', 'rm -y 7f3k', 'pin 7f3k', 'hold 7f3k']
  for (const verb of verbs)
    it(`${verb} ends with 3, by another name and where it was moved away`, () => {
      const archive = join(root, 'archive')
      const before = cli('ls', '--json').stdout
      const mistyped = cli('--archive', join(root, 'typo'), ...verb.split(' '))
      assert.deepEqual([mistyped.stdout, mistyped.status], ['', 3])
      assert.match(mistyped.stderr, /^gocore-sink: There is no archive \/\S+typo on this machine; /)
      renameSync(archive, `${archive}.away`)
      try {
        const moved = cli(...verb.split(' '))
        assert.deepEqual([moved.stdout, moved.status], ['', 3])
        assert.match(moved.stderr, /^gocore-sink: There is no archive \/\S+archive on this machine; /)
        mkdirSync(archive)
        assert.match(cli(...verb.split(' ')).stderr, /^gocore-sink: No crashes are recorded in /)
        rmdirSync(archive)
      } finally {
        renameSync(`${archive}.away`, archive)
      }
      assert.equal(cli('ls', '--json').stdout, before)
    })
})

describe('who may read and not write', { skip: process.getuid?.() !== 0 }, () => {
  const place = mkdtempSync(join(tmpdir(), 'gocore-cli-'))
  after(() => rmSync(place, { recursive: true }))
  const own = makeArchive(place)
  chmodSync(place, 0o755)
  mkdirSync(join(place, 'state'), { mode: 0o755 })
  for (const [verb, what] of [
    ['reindex', 'Could not open \\S+/catalog\\.db'],
    ['daemon', 'Cannot lock \\S+/state'],
    [
      `import ${import.meta.dirname}/../fixtures/till/core.zst`,
      'Could not import \\S+: Could not mkdir \\S+',
    ],
  ])
    it(`${verb!.split(' ')[0]} says that it takes a right`, () => {
      const args = [
        '--disable-warning=ExperimentalWarning',
        commandLine,
        '--config',
        own,
        ...verb!.split(' '),
      ]
      const run = spawnSync(process.execPath, args, { uid: 65534, gid: 65534, encoding: 'utf8' })
      assert.match(run.stderr, new RegExp(`^gocore-sink: ${what}: permission denied \\(EACCES\\)`, 'm'))
      assert.equal(run.status, 1)
    })
})

describe('an archive that is empty', () => {
  it('says how to go on', () => {
    const empty = runCli(['--archive', '/nonexistent/archive', 'ls'], {
      env: { XDG_CACHE_HOME: join(root, 'cache') },
    })
    assert.equal(empty.status, 3)
    assert.match(
      empty.stderr,
      /There is no archive \/nonexistent\/archive on this machine; gocore-sink doctor/,
    )
  })
})

/** Times differ from run to run. */
function stable(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?/g, 'TIME')
}

describe('an archive that is known and not there', () => {
  const place = mkdtempSync(join(tmpdir(), 'gocore-cli-'))
  after(() => rmSync(place, { recursive: true }))
  const own = makeArchive(place)
  const archive = join(place, 'archive')
  const on = (...args: string[]): Outcome => runCli(['--config', own, ...args])
  before(() => {
    mkdirSync(join(place, 'state'))
    assert.equal(on('ls', '-q').status, 0)
    writeFileSync(join(place, 'state/archive.json'), JSON.stringify({ root: archive, mount: '/' }))
    renameSync(archive, `${archive}.away`)
    mkdirSync(archive, { mode: 0o755 })
  })
  const gone = /archive has no format\.json any more: it was moved or emptied/

  for (const verb of ['ls', 'top', 'search nil'])
    it(`${verb} lists what the catalog knows, and says so`, () => {
      const list = on(...verb.split(' '), '--no-pager')
      assert.equal(list.status, 0)
      assert.match(list.stdout, /nil map/)
      assert.match(list.stderr, gone)
    })
  it('names the spool, where the latest are', () => {
    const spool = join(place, 'state/spool')
    mkdirSync(spool)
    writeFileSync(join(spool, 'format.json'), '{"schema":"gocore-archive","version":1}\n')
    addCrash(spool, 'spooled22222')
    assert.match(on('ls', '-q').stderr, new RegExp(`wait in the spool: gocore-sink ls --archive ${spool}`))
    assert.deepEqual(ids(on('ls', '-q', '--archive', spool).stdout), ['spooled22222'])
    assert.match(on('show', '--archive', spool, '--no-pager').stdout, /nil map/)
  })
  for (const verb of [
    'show',
    'info',
    'bt',
    'verify',
    'gc',
    'reindex',
    'pin 7f3k',
    'rm --yes 7f3k',
    'shrink 7f3k',
  ])
    it(`${verb} says so, and does nothing`, () => {
      const refused = on(...verb.split(' '))
      assert.deepEqual([refused.status, refused.stdout], [1, ''])
      assert.match(refused.stderr, gone)
      assert.match(
        refused.stderr,
        /Mount it; or remove .*archive\.json where the archive is to begin anew\.\n$/,
      )
    })
  it('import begins no other archive in its place', () => {
    const imported = on('import', `${archive}.away`)
    assert.equal(imported.status, 1)
    assert.match(imported.stderr, gone)
    assert.deepEqual(readdirSync(archive), [])
  })
  it('is as before when it is back', () => {
    rmdirSync(archive)
    renameSync(`${archive}.away`, archive)
    assert.deepEqual(ids(on('ls', '-q').stdout), ['7f3k2mabcdef', '7f3zzzzzzzzz', 'xacbqdabcdef'])
    assert.equal(on('ls').stderr, '')
    assert.equal(on('show', '--no-pager').status, 0)
  })
})

describe('ls --watch', () => {
  it('prints what there is, then each crash as it comes', async () => {
    const place = mkdtempSync(join(root, 'watch-'))
    const file = makeArchive(place)
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', commandLine, '--config', file, 'ls', '-wq'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      let seen = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        seen += text
      })
      const until = async (text: string): Promise<void> => {
        for (let i = 0; i < 600 && !seen.includes(text); i++) await setTimeout(50)
        assert.ok(seen.includes(text), `${text} in ${JSON.stringify(seen)}`)
      }
      await until('7f3k2mabcdef')
      addCrash(join(place, 'archive'), 'newnewnewnew')
      await until('newnewnewnew')
      assert.deepEqual(ids(seen), ['xacbqdabcdef', '7f3zzzzzzzzz', '7f3k2mabcdef', 'newnewnewnew'])
    } finally {
      child.kill()
    }
  })
})
