/** What lies in an archive or a configuration: LZ4 frames with and without an index, manifests, settings. */
import { type Manifest, parseManifest } from '../../src/archive/manifest.ts'
import { SinkError } from '../../src/base/errors.ts'
import { type Catalog, openCatalog } from '../../src/catalog/index.ts'
import { type Config, defaultConfig, formatDefaultConfig, keys, parseConfig } from '../../src/config/index.ts'
import { parseReport } from '../../src/daemon/report-file.ts'
import { rowOf } from '../../src/daemon/row.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { analyse, type Report } from '../../src/engine/index.ts'
import { openLz4, unpackLz4 } from '../../src/lz4/index.ts'
import { packLz4 } from '../../test/support/lz4-file.ts'
import { fixtureCore, fixtureExecutable } from './fixture.ts'
import { printed } from './screen.ts'
import { type Target, textOf } from './target.ts'

const packed = (blockSize: number): Buffer => {
  const core = fixtureCore()
  return packLz4(Buffer.from(core.read(0, Math.min(core.size, 1 << 20))), blockSize)
}

/** Where the copy of the core's head begins: its magic number, the last one before the index. */
const copyIn = (file: Buffer): number =>
  file.lastIndexOf('\x5a\x2a\x4d\x18', Number(file.readBigUInt64LE(file.length - 32)), 'latin1')

const lz4: Target = {
  name: 'lz4',
  seeds: () => {
    const file = packed(64 << 10)
    const large = packed(256 << 10)
    return [
      {
        source: bytesSource('indexed', file),
        hot: [
          [0, 64],
          [copyIn(file), copyIn(file) + 128],
          [file.length - 512, file.length],
        ],
      },
      { source: bytesSource('unindexed', file.subarray(0, file.length - 400)), hot: [[0, 16]] },
      {
        source: bytesSource('large', large),
        hot: [
          [0, 16],
          [large.length - 160, large.length],
        ],
      },
    ]
  },
  run: damaged => {
    let problem: unknown
    for (const tolerant of [true, false])
      try {
        const reader = openLz4(damaged, { tolerant })
        for (const at of [0, 1000, 70_000, reader.size - 10, reader.size / 2])
          reader.read(Math.max(0, Math.floor(at)), 100)
        void [reader.readHead()?.length, reader.warnings.length]
      } catch (error) {
        if (!(error instanceof SinkError)) throw error
        problem = error
      }
    if (problem !== undefined) throw problem
  },
}

const unlz4: Target = {
  name: 'lz4-unpack',
  seeds: lz4.seeds,
  run: damaged => {
    for (const piece of unpackLz4(damaged, () => {})) void piece.length
  },
}

const exampleText = JSON.stringify(
  {
    ...{ schema: 'gocore-manifest', version: 1, id: '7f3k2mabcdef', time: '2026-11-23T18:00:00.123Z' },
    tool: { version: '0.1.0', node: 'v26.10.0' },
    host: { name: 'node-1', boot_id: '0f0f0f0f-1111-4222-8333-444444444444', kernel: '6.18.0' },
    process: {
      ...{ pid: 4121, tid: 4122, uid: 1000, gid: 1000, comm: 'api', exe: '/srv/api', cwd: '/' },
      ...{ cmdline: ['api', '-v'], environ: { GOTRACEBACK: 'crash' }, cgroup: '0::/api.service', threads: 7 },
    },
    signal: { number: 6, name: 'SIGABRT' },
    rlimit_core: 'unlimited',
    core: {
      ...{ state: 'truncated', reason: 'killed', detail: 'The kernel ended the dump', file: 'core.lz4' },
      ...{ raw_size: 41562112, stored_size: 260000, expected_size: 51562112 },
      continues: { archive: '/var/lib/gocore-sink', at: 100 },
    },
    executable: { key: '0123456789abcdef-0123456789abcdef', path: '/srv/api', build_id: 'abcdef', size: 9 },
    libraries: [{ path: '/lib/libc.so.6', size: 7 }],
    ...{ held_ms: 12.5, monotonic_ns: 90211000, notes: ['a note'] },
  },
  null,
  2,
)

/** With all that a dump may come to: shrunk, encrypted, on hold, brought home, of a container. */
const eventfulText = (): string => {
  const example = JSON.parse(exampleText) as Manifest
  const time = '2026-11-24T03:00:00.000Z'
  return JSON.stringify({
    ...example,
    host: { ...example.host, machine_id: '0123456789abcdef', container_hostname: 'pod-1' },
    process: {
      ...example.process,
      ...{ ppid: 1, root: '/', start_ticks: 512, pidfd: true, user_namespace_owner: 4294967295 },
      container: { id: 'ab'.repeat(32), pod_uid: '0f0f0f0f-1111-4222-8333-444444444444', runtime: 'podman' },
      limits: 'Limit  Soft Limit  Hard Limit  Units\nMax core file size  0  unlimited  bytes\n',
      status: 'Name:\tapi\nVmRSS:\t  123 kB\nCapEff:\t0000000000000000\n',
      mappings: '00400000-0047c000 r-xp 00000000 fe:00 12345    /srv/api\n',
      open_files: ['0 /dev/null', '3 socket:[9021]'],
      auxv: '6 4096\n',
    },
    dumpable: 2,
    core: {
      ...{ state: 'truncated', reason: 'storage-stalled', file: 'core.lz4.age', lost_size: 65536 },
      ...{ raw_size: 415621, stored_size: 26000, expected_size: 51562112 },
      encrypted: {
        to: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
        sha256: 'ab'.repeat(32),
        time,
      },
      shrunk: { raw_size: 51562112, stored_size: 9000000, time, reason: 'others are alike', tool: '0.1.0' },
      unshrinkable: { reason: 'no goroutines', tool: '0.1.0', time, until: time },
    },
    libraries: [
      { path: '/lib/libc.so.6', size: 7, build_id: 'abcdef', key: '0123456789abcdef-0123456789abcdef' },
    ],
    ...{
      go_version: 'go1.26.8',
      imported_from: 'core.api.1000.zst',
      hold: { by: 'ada', time, reason: 'case 7' },
    },
  } satisfies Manifest)
}

const exampleManifest = (): Manifest => parseManifest(exampleText, 'manifest.json')

const manifest: Target = {
  name: 'manifest',
  seeds: () => [
    { source: bytesSource('manifest', Buffer.from(exampleText)) },
    { source: bytesSource('eventful', Buffer.from(eventfulText())) },
  ],
  run: damaged => {
    const read = parseManifest(textOf(damaged), 'manifest.json')
    rowOf({ id: 'aaaaaaaaaaaa', day: '2026/11/23', manifest: read }, { pinned: false })
    printed({ manifest: read })
  },
}

/** A line for each key: what is default stands in comments otherwise. */
const assigned = (config: Config): string =>
  keys.map(({ name, write }) => `${name}=${write(config)}\n`).join('')

/** Of each kind of value another than the default. */
const allElse = parseConfig(
  `Group=wheel
UserAccess=yes
CoreMax=20G
CapturesPerHour=100
CapturesMax=4
StorageDeadline=1500ms
RlimitZero=store
Environ=
Environ=PATH GO*
Redact=
Redact="key = *" card=*
EncryptTo=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
AnalyseBeforeEncryption=no
MaxAge=infinity
KeepFree=10G
ShrinkAfter=1w 2d 3h
AnalysisUser=
RetentionSchedule=0 17 3 * * 1-5
SpoolMax=1.5T
ShipRate=infinity
Hook=/usr/bin/notify "two words" \\x
Webhook=https://example.org/hook
WebhookKey=/etc/key
HookOn=crash
HooksPerHour=infinity
LogLevel=debug
`,
  'gocore-sink.conf',
).config

const config: Target = {
  name: 'config',
  seeds: () => [
    { source: bytesSource('config', Buffer.from(formatDefaultConfig())) },
    { source: bytesSource('assigned', Buffer.from(assigned(defaultConfig()))) },
    { source: bytesSource('all else', Buffer.from(assigned(allElse))) },
  ],
  run: damaged => void parseConfig(textOf(damaged), 'gocore-sink.conf'),
}

/** The analysing child may be in a stranger's hands: what it leaves is listed and shown all the same. */
const report: Target = {
  name: 'report-json',
  seeds: () => [{ source: bytesSource('report', Buffer.from(JSON.stringify(wholeReport()))) }],
  run: damaged => {
    const report = parseReport(textOf(damaged), 'report.json')
    const entry = { id: 'aaaaaaaaaaaa', day: '2026/11/23', manifest: exampleManifest() }
    rowOf(entry, { report, pinned: false })
    printed({ manifest: entry.manifest, report })
  },
}

let whole: Report | undefined

function wholeReport(): Report {
  whole ??= analyse(fixtureCore(), { executable: fixtureExecutable(), find: () => undefined })
  return whole
}

let catalog: Catalog | undefined

/** What people look for becomes a question to SQLite. */
const search: Target = {
  name: 'search',
  seeds: () =>
    [
      'nil map',
      '"exact words" OR x*',
      'main.(*cache).put cache.go:41',
      "a'b; --",
      '^col:x NEAR(a b) - +',
    ].map(words => ({ source: bytesSource(words, Buffer.from(words)) })),
  run: damaged => {
    if (catalog === undefined) {
      catalog = openCatalog(':memory:')
      const entry = { id: 'aaaaaaaaaaaa', day: '2026/11/23', manifest: exampleManifest() }
      const { row, text } = rowOf(entry, { report: wholeReport(), pinned: false })
      catalog.put(row, text)
    }
    const words = textOf(damaged)
    catalog.search(words, { limit: 5 })
    catalog.list({ exe: words, text: words, host: words, go: words, signature: words, limit: 5 })
    catalog.byPrefix(words, 2)
  },
}

export const archiveTargets: readonly Target[] = [lz4, unlz4, manifest, config, report, search]
