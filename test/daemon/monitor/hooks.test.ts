import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type CrashRow, openCatalog } from '../../../src/catalog/index.ts'
import { defaultConfig, type Hooks, outboxOf } from '../../../src/config/index.ts'
import { openLog } from '../../../src/daemon/log.ts'
import type { CrashEvent } from '../../../src/daemon/monitor/crash-event.ts'
import { postEvent, runHook, signature } from '../../../src/daemon/monitor/deliver.ts'
import { News } from '../../../src/daemon/monitor/news.ts'
import { Outbox } from '../../../src/daemon/monitor/outbox.ts'
import { Postman } from '../../../src/daemon/monitor/postman.ts'
import { mountTmpfs } from '../../support/tmpfs.ts'
import { addDump, type TestArchive, testArchive } from '../archive.ts'
import { child, startDaemon, until } from '../running.ts'

const day = 24 * 60 * 60_000
let number = 0

function row(time: number, more: Partial<CrashRow> = {}): CrashRow {
  const id = `aaaaaaaa${String(number++)
    .padStart(4, '0')
    .replace(/[0189]/g, digit => 'abcd'['0189'.indexOf(digit)]!)}`
  return {
    ...{ id, day: '2026/11/24', time, host: hostname(), pid: 1, uid: 0, comm: 'api', exe: '/srv/api' },
    ...{
      signal: 6,
      signalName: 'SIGABRT',
      coreState: 'complete',
      coreReason: null,
      rawSize: 1,
      storedSize: 1,
    },
    ...{ expectedSize: 1, heldMs: 1, pinned: false, held: false, shrunk: false, analysis: 'done' },
    ...{
      analysisError: null,
      goVersion: 'go1.26',
      programVersion: null,
      deathKind: 'panic',
      cause: 'panic: x',
    },
    ...{ causeAt: 'a.go:1', signatureKey: 'k1', signatureText: 'panic in a', goroutines: 1 },
    ...more,
  } as CrashRow
}

function news(archive: TestArchive, hooks: Partial<Hooks> = {}, before: CrashRow[] = []) {
  const catalog = openCatalog(join(archive.directory, 'catalog.db'))
  for (const old of before) catalog.put(old)
  const config = { ...defaultConfig(), state: archive.directory }
  config.hooks = { ...config.hooks, command: ['/bin/true'], ...hooks }
  const problems: string[] = []
  const options = {
    ...{ config: () => config, catalog: () => catalog, gid: undefined, open: (told: CrashRow) => told },
    onProblem: (sentence: string) => void problems.push(sentence),
  }
  return {
    catalog,
    config,
    problems,
    options,
    news: new News(options),
    [Symbol.dispose]: () => catalog.close(),
  }
}

const eventsOf = (put: CrashEvent[]): string[] => put.map(({ events }) => events.join(' '))

describe('News', () => {
  it('tells new kinds of crash and those that are back, once, and nothing of what was there before it', () => {
    using archive = testArchive()
    const now = Date.now()
    using bed = news(archive, {}, [row(now - 5000, { signatureKey: 'k0' })])
    assert.deepEqual(bed.news.look(), [])
    bed.catalog.put(row(now - 4000))
    bed.catalog.put(row(now - 3000))
    bed.catalog.put(row(now - 2000, { host: 'another', signatureKey: 'k2' }))
    bed.catalog.put(row(now - 30 * day, { signatureKey: 'k3' }))
    bed.catalog.put(row(now - 1000, { signatureKey: 'k3' }))
    const open = row(now - 500, { signatureKey: null, analysis: 'pending' })
    bed.catalog.put(open)
    const put = bed.news.look()
    assert.deepEqual(eventsOf(put), ['crash new-signature', 'crash regression'])
    assert.equal(put[1]!.previous, new Date(now - 30 * day).toISOString())
    assert.deepEqual(bed.news.look(), [])
    bed.catalog.put({ ...open, analysis: 'done', signatureKey: 'k9' })
    assert.deepEqual(eventsOf(new News(bed.options).look()), ['crash new-signature'])
    assert.deepEqual(new News(bed.options).look(), [])
  })

  it('tells of a crash whose analysis failed, whatever HookOn is', () => {
    using archive = testArchive()
    using bed = news(archive)
    bed.catalog.put(row(Date.now(), { signatureKey: null, analysis: 'failed' }))
    assert.deepEqual(eventsOf(bed.news.look()), ['crash'])
    assert.deepEqual(bed.news.look(), [])
  })

  it('tells all with HookOn=crash, no more than HooksPerHour, and how many it left out', () => {
    using archive = testArchive()
    using bed = news(archive, { on: ['crash'], perHour: 2 })
    const now = Date.now()
    for (const at of [5, 4, 3, 2]) bed.catalog.put(row(now - at * 1000))
    assert.equal(bed.news.look(now).length, 2)
    bed.catalog.put(row(now - 500))
    const [event] = bed.news.look(now + 2 * 60 * 60_000)
    assert.equal(event!.left_out, 2)
  })

  it('tells a new kind once where the newest crash of it is analysed first', () => {
    using archive = testArchive()
    using bed = news(archive)
    const now = Date.now()
    const crashes = [1, 2, 3, 4].map(n => row(now - n * 1000, { analysis: 'pending', signatureKey: null }))
    for (const crash of crashes) bed.catalog.put(crash)
    const told = crashes.map(crash => {
      bed.catalog.put({ ...crash, analysis: 'done', signatureKey: 'k1' })
      return eventsOf(bed.news.look())
    })
    assert.deepEqual(told, [['crash new-signature'], [], [], []])
    bed.catalog.put(row(now, { signatureKey: 'k2', host: 'another' }))
    bed.catalog.put(row(now - 9000, { signatureKey: 'k2' }))
    assert.deepEqual(bed.news.look(), [], 'the other machine has told it')
  })

  it('counts for HooksPerHour what was put into the outbox, and no attempt', () => {
    using archive = testArchive()
    using bed = news(archive, { on: ['crash'], perHour: 2 })
    const outbox = outboxOf(bed.config)
    writeFileSync(outbox, '')
    bed.catalog.put(row(Date.now()))
    for (let n = 0; n < 5; n++) assert.throws(() => bed.news.look())
    rmSync(outbox)
    assert.equal(bed.news.look().length, 1)
  })

  it('makes visible what a manifest says', () => {
    using archive = testArchive()
    using bed = news(archive, { on: ['crash'] })
    const words = { exe: '/srv/a\u001b[2Jpi', signalName: 'SIG\u0007', coreReason: '\u202egpj' }
    const now = Date.now()
    bed.catalog.put(row(now - 1, words))
    bed.catalog.put(row(now, { exe: '', comm: 'a\nb' }))
    const [event, other] = bed.news.look()
    const { program, signal, core } = event!
    assert.deepEqual([program, signal], ['a\\x1b[2Jpi', 'SIG\\x07'])
    assert.equal(core.reason, '\\xe2\\x80\\xaegpj')
    assert.equal(other!.program, 'a\\x0ab')
  })

  it('tells once of what it can’t write down, and writes it down when it can', () => {
    using archive = testArchive()
    using bed = news(archive, { on: ['crash'], perHour: null })
    const path = join(archive.directory, 'announced')
    renameSync(path, `${path}.away`)
    mkdirSync(path)
    for (const at of [5, 4, 3]) bed.catalog.put(row(Date.now() - at * 1000))
    assert.equal(bed.news.look().length, 3)
    assert.deepEqual(bed.news.look(), [])
    assert.equal(bed.problems.length, 1)
    assert.match(bed.problems[0]!, /Could not write to .*announced.*EISDIR/)
    rmSync(path, { recursive: true })
    renameSync(`${path}.away`, path)
    bed.catalog.put(row(Date.now() - 1000))
    assert.equal(bed.news.look().length, 1)
    assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 4)
    assert.deepEqual(new News(bed.options).look(), [])
  })

  it('comes to all crashes of a storm, look by look, and to each once', () => {
    using archive = testArchive()
    const now = Date.now()
    const rows = (count: number): CrashRow[] =>
      Array.from({ length: count }, (_, n) => row(now - 60_000 + 10 * n))
    const before = rows(11)
    using bed = news(archive, { on: ['crash'], perHour: null }, before)
    rmSync(join(archive.directory, 'announced'))
    const options = { ...bed.options, rows: 3 }
    const storm = new News(options)
    assert.deepEqual(storm.look(now), [], 'what was there before it')
    const later = rows(11)
    for (const one of later) bed.catalog.put(one)
    const told: string[] = []
    for (let looks = 0; looks < 20; looks++) told.push(...storm.look(now).map(({ id }) => id))
    assert.deepEqual(told.sort(), later.map(({ id }) => id).sort())
  })

  it('stops at an outbox that nobody empties', () => {
    using archive = testArchive()
    using bed = news(archive, { on: ['crash'], perHour: null })
    const outbox = outboxOf(bed.config)
    mkdirSync(outbox)
    for (let at = 0; at < 5000; at++) writeFileSync(join(outbox, `1700000000000-aaaaaaaaaaaa-${at}.json`), '')
    bed.catalog.put(row(Date.now()))
    assert.deepEqual(bed.news.look(), [])
    assert.match(bed.problems[0]!, /is full: nobody is told of dump/)
  })
})

describe('Outbox', () => {
  it('has an event for all receivers, or for none, on a disk with room for one', {
    skip: process.getuid!() !== 0,
  }, () => {
    using archive = testArchive()
    const directory = join(archive.directory, 'outbox')
    mkdirSync(directory)
    using _disk = mountTmpfs(directory, 'nr_inodes=2')
    const outbox = new Outbox(directory, undefined)
    assert.throws(() => outbox.put(event, ['command', 'https://a.example']), { code: 'ENOSPC' })
    assert.deepEqual(readdirSync(directory), [])
    assert.ok(outbox.put(event, ['command']))
  })
})

const event = {
  schema: 'gocore-event',
  version: 1,
  events: ['crash', 'regression'],
  id: 'aaaaaaaaaaaa',
} as unknown as CrashEvent

describe('runHook()', () => {
  it('gives the event on standard input, runs no shell, and ends what hangs with all its children', async () => {
    using archive = testArchive()
    const path = join(archive.directory, 'said')
    const argv = [
      '/bin/sh',
      '-c',
      'cat > "$0"; echo "$GOCORE_SINK_ID $GOCORE_SINK_EVENT $1" >> "$0"',
      path,
      '$(id)',
    ]
    assert.deepEqual(await runHook(argv, event), { state: 'done' })
    const [json, line] = readFileSync(path, 'utf8').split('\n')
    assert.deepEqual(JSON.parse(json!), event)
    assert.equal(line, 'aaaaaaaaaaaa regression $(id)')
    assert.deepEqual(await runHook(['/bin/false'], event), { state: 'again', reason: 'status 1' })
    assert.match(JSON.stringify(await runHook(['/nowhere'], event)), /again.*ENOENT/)
    const pidFile = join(archive.directory, 'pid')
    const hangs = ['/bin/sh', '-c', 'sleep 1000 & echo $! > "$0"; wait', pidFile]
    assert.deepEqual(await runHook(hangs, event, 1000), { state: 'again', reason: 'it took longer than 1 s' })
    const stat = (): string => {
      try {
        return readFileSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`, 'utf8')
      } catch {
        return 'Z'
      }
    }
    await until(
      () => stat().includes('Z'),
      () => `it runs on: ${stat()}`,
    )
  })
})

/** A server that answers with these statuses in turn, and keeps what was posted. */
async function receiver(statuses: number[]) {
  const posts: { headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      posts.push({ headers: request.headers, body })
      response.writeHead(statuses.shift() ?? 204, { location: 'http://127.0.0.1:1/' }).end()
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url, posts, [Symbol.dispose]: close }
}

describe('postEvent()', () => {
  it('signs what it sends; tells what to try again from what not; follows nobody', async () => {
    using server = await receiver([200, 500, 404, 429, 302])
    const key = Buffer.from('secret')
    const states: string[] = []
    for (let at = 0; at < 5; at++) states.push((await postEvent(server.url, event, key)).state)
    assert.deepEqual(states, ['done', 'again', 'give-up', 'again', 'again'])
    const { headers, body } = server.posts[0]!
    assert.deepEqual(JSON.parse(body), event)
    const [, seconds, hex] = /^t=(\d+),sha256=([0-9a-f]{64})$/.exec(
      String(headers['x-gocore-sink-signature']),
    )!
    assert.equal(hex, createHmac('sha256', 'secret').update(`${seconds}.${body}`).digest('hex'))
    assert.equal(signature(body, key, Number(seconds)), `t=${seconds},sha256=${hex}`)
    assert.equal((await postEvent('http://127.0.0.1:1/', event, undefined)).state, 'again')
  })
})

describe('Postman', () => {
  it('tries again until it is taken, lets nobody wait for another, and leaves an empty outbox', async () => {
    using archive = testArchive()
    const directory = join(archive.directory, 'outbox')
    using server = await receiver([503, 503])
    const outbox = new Outbox(directory, undefined)
    const said = join(archive.directory, 'said')
    outbox.put(event, ['command', server.url, 'http://127.0.0.1:1/gone'])
    const bad = ['1700000000000-bbbbbbbbbbbb-0.json', '1700000000000-bbbbbbbbbbbb-1.json']
    const stray = join(directory, '.half.tmp')
    writeFileSync(stray, '{')
    utimesSync(stray, 1, 1)
    symlinkSync('/etc/passwd', join(directory, bad[0]!))
    writeFileSync(join(directory, bad[1]!), '{"to":1}')
    const lines: string[] = []
    const log = { ...openLog('info'), warning: (text: string) => void lines.push(text) }
    const hooks = {
      ...defaultConfig().hooks,
      command: ['/bin/sh', '-c', `cat >> ${said}`],
      urls: [server.url],
    }
    await new Postman({
      directory,
      hooks: () => hooks,
      log,
      pause: { first: 10, most: 40 },
      strayMs: 50,
    }).run()
    assert.deepEqual(outbox.letters(), [])
    assert.equal(server.posts.length, 3)
    assert.equal(readFileSync(said, 'utf8').trim(), JSON.stringify(event))
    assert.ok(existsSync('/etc/passwd'))
    assert.ok(!existsSync(stray))
    assert.equal(lines.filter(line => /trying again/.test(line)).length, 2)
    assert.equal(lines.filter(line => /Gave up/.test(line)).length, 3)
  })

  it('tries once what a clock that was set forward has made old', async () => {
    using archive = testArchive()
    const directory = join(archive.directory, 'outbox')
    const said = join(archive.directory, 'said')
    new Outbox(directory, undefined).put(event, ['command', 'http://127.0.0.1:1/'])
    for (const name of readdirSync(directory))
      renameSync(join(directory, name), join(directory, name.replace(/^\d{13}/, '1700000000000')))
    const hooks = {
      ...defaultConfig().hooks,
      command: ['/bin/sh', '-c', `cat >> ${said}`],
      urls: ['http://127.0.0.1:1/'],
    }
    const lines: string[] = []
    const log = { ...openLog('info'), warning: (text: string) => void lines.push(text) }
    await new Postman({
      directory,
      hooks: () => hooks,
      log,
      pause: { first: 10, most: 20 },
      strayMs: 50,
    }).run()
    assert.equal(readFileSync(said, 'utf8').trim(), JSON.stringify(event))
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /^Gave up telling http:/)
    assert.deepEqual(readdirSync(directory), [])
  })

  it('delivers what comes behind a letter that fails, and leaves a receiver alone that takes none', async () => {
    using archive = testArchive()
    const directory = join(archive.directory, 'outbox')
    using bad = await receiver(Array(100).fill(500))
    using good = await receiver([])
    const outbox = new Outbox(directory, undefined)
    const events = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'].map(id => ({ ...event, id }))
    const said = join(archive.directory, 'said')
    for (const one of events) outbox.put(one, ['command', bad.url])
    // It can't take one of them, and is slow with the others.
    const script = `read -r line; case $line in *aaaaaaaaaaaa*) exit 1 ;; esac; sleep 0.3; echo "$line" >>${said}`
    const hooks = { ...defaultConfig().hooks, command: ['/bin/sh', '-c', script], urls: [bad.url, good.url] }
    const lines: string[] = []
    const log = { ...openLog('info'), warning: (text: string) => void lines.push(text) }
    const end = new AbortController()
    const options = { directory, hooks: () => hooks, log, pause: { first: 100, most: 10_000 } }
    const run = new Postman({ ...options, signal: end.signal }).run()
    setTimeout(() => outbox.put({ ...event, id: 'dddddddddddd' }, [good.url]), 50)
    await until(
      () => good.posts.length === 1,
      () => lines.join('\n'),
    )
    assert.ok(
      !existsSync(said) || readFileSync(said, 'utf8').split('\n').length < 3,
      'before the slow hook is through',
    )
    await until(
      () => existsSync(said) && readFileSync(said, 'utf8').split('\n').length === 3,
      () => lines.join('\n'),
    )
    end.abort()
    await run
    assert.deepEqual(readFileSync(said, 'utf8').match(/[bc]{12}/g), ['bbbbbbbbbbbb', 'cccccccccccc'])
    assert.ok(
      bad.posts.length >= 2 && bad.posts.length <= 14,
      `${bad.posts.length} attempts at one that takes none`,
    )
    assert.ok(
      lines.some(line => line.includes('http://127.0.0.1')) && lines.every(line => !line.includes('/hook ')),
    )
  })

  it('leaves word of what it gave up until the daemon has counted it', async () => {
    using archive = testArchive()
    using server = await receiver([404])
    const directory = join(archive.directory, 'outbox')
    const outbox = new Outbox(directory, undefined)
    outbox.put(event, [server.url, 'http://127.0.0.1:1/gone'])
    const hooks = { ...defaultConfig().hooks, urls: [server.url] }
    const run = new Postman({
      directory,
      hooks: () => hooks,
      log: openLog('info'),
      pause: { first: 10, most: 20 },
    }).run()
    await until(
      () => outbox.letters().length === 0,
      () => 'it is not given up',
    )
    assert.equal(outbox.takeGivenUp(), 2)
    assert.equal(outbox.takeGivenUp(), 0)
    await run
    assert.deepEqual(readdirSync(directory), [])
  })

  it('gives up what is a day old', async () => {
    using archive = testArchive()
    const directory = join(archive.directory, 'outbox')
    new Outbox(directory, undefined).put(event, ['command'])
    const hooks = { ...defaultConfig().hooks, command: ['/bin/false'] }
    const log = { ...openLog('info'), warning: () => {} }
    await new Postman({
      directory,
      hooks: () => hooks,
      log,
      pause: { first: 10, most: 20 },
      patience: 50,
      strayMs: 50,
    }).run()
    assert.deepEqual(
      readdirSync(directory).filter(name => name.endsWith('.json')),
      [],
    )
  })
})

describe('the daemon', () => {
  it('tells a hook of a crash, as a user who may do nothing else', async () => {
    using archive = testArchive()
    using server = await receiver([])
    chmodSync(archive.directory, 0o755)
    await using daemon = await startDaemon(archive, {
      program: child('good'),
      lines: [`Webhook=${server.url}`, 'HookOn=crash'],
    })
    const { id } = addDump(archive.store, { manifest: { host: { name: hostname() } }, time: new Date() })
    await until(() => server.posts.length > 0, daemon.log)
    const told = JSON.parse(server.posts[0]!.body) as CrashEvent
    assert.equal(told.id, id)
    assert.equal(told.host, hostname())
    await until(() => readdirSync(join(archive.directory, 'state/outbox')).length === 0, daemon.log)
    assert.equal(await daemon.end('SIGTERM'), 0)
    assert.equal(server.posts.length, 1)
  })

  it("tells no hook the words of a dump that is root's alone, where no group may read the catalog either", async () => {
    using archive = testArchive()
    using server = await receiver([])
    chmodSync(archive.directory, 0o755)
    await using daemon = await startDaemon(archive, {
      program: child('good'),
      lines: [`Webhook=${server.url}`, 'HookOn=crash'],
    })
    const host = { name: hostname() }
    const open = addDump(archive.store, { manifest: { host, dumpable: 1 } })
    const closed = [
      addDump(archive.store, { manifest: { host, dumpable: 2 } }),
      addDump(archive.store, { manifest: { host } }),
    ]
    await until(() => server.posts.length >= 3, daemon.log)
    const told = server.posts.map(({ body }) => JSON.parse(body) as CrashEvent)
    const of = ({ id }: { id: string }): CrashEvent => told.find(event => event.id === id)!
    assert.match(of(open).cause!, /^panic: core of/)
    assert.equal(of(open).signature_text, 't')
    for (const { analysis, signature, cause, cause_at, signature_text, program_version } of closed.map(of)) {
      assert.deepEqual([analysis, signature], ['done', 'k'])
      assert.deepEqual([cause, cause_at, signature_text, program_version], [null, null, null, null])
    }
  })
})
