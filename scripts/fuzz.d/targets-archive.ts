/** What lies in an archive or a configuration: LZ4 frames with and without an index, manifests, settings. */
import { type Manifest, parseManifest } from '../../src/archive/manifest.ts'
import { formatDefaultConfig, parseConfig } from '../../src/config/index.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openLz4, unpackLz4 } from '../../src/lz4/index.ts'
import { packLz4 } from '../../test/support/lz4-file.ts'
import { fixtureCore } from './fixture.ts'
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
    const reader = openLz4(damaged)
    for (const at of [0, 1000, 70_000, reader.size - 10, reader.size / 2])
      reader.read(Math.max(0, Math.floor(at)), 100)
    void reader.readHead()?.length
  },
}

const unlz4: Target = {
  name: 'lz4-unpack',
  seeds: lz4.seeds,
  run: damaged => {
    for (const piece of unpackLz4(damaged, () => {})) void piece.length
  },
}

const example: Partial<Manifest> = {
  schema: 'gocore-manifest',
  version: 1,
  id: '7f3k2mabcdef',
  time: '2026-11-23T18:00:00.123Z',
}

const manifest: Target = {
  name: 'manifest',
  seeds: () => {
    const rest = {
      host: { node: 'node-1', name: 'api' },
      process: { pid: 4121, tid: 4122, uid: 0, gid: 0, comm: 'api', exe: '/srv/api', cmdline: ['api', '-v'] },
      signal: { number: 6, name: 'SIGABRT' },
      core: { state: 'complete', file: 'core.lz4', raw_size: 41562112, stored_size: 260000 },
      binaries: [{ key: 'ab/abcdef', path: '/srv/api', build_id: 'abcdef' }],
      tool: { version: '0.1.0' },
    }
    return [
      { source: bytesSource('manifest', Buffer.from(JSON.stringify({ ...example, ...rest }, null, 2))) },
    ]
  },
  run: damaged => void parseManifest(textOf(damaged), 'manifest.json'),
}

const config: Target = {
  name: 'config',
  seeds: () => [{ source: bytesSource('config', Buffer.from(formatDefaultConfig())) }],
  run: damaged => void parseConfig(textOf(damaged), 'gocore-sink.conf'),
}

export const archiveTargets: readonly Target[] = [lz4, unlz4, manifest, config]
