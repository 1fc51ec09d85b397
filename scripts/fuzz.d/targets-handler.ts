/** What the kernel hands to the capture side: arguments, texts of /proc, the head of a core's stream. */
import { findBuildId } from '../../src/archive/build-id.ts'
import { compileRedactions } from '../../src/base/redact.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { parseKernelLine } from '../../src/daemon/kernel-crash.ts'
import { parseLogRecord } from '../../src/daemon/kernel-log.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openCoreFile } from '../../src/engine/core/core-file.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { parseArguments, rawArguments } from '../../src/handler/argv.ts'
import { CoreSize } from '../../src/handler/core-size.ts'
import { planMiniCore } from '../../src/handler/mini-core.ts'
import {
  allowedEnvironment,
  parseAnonymous,
  parseCgroup,
  parseFileRanges,
  parseMaps,
  parseStat,
  statusValue,
} from '../../src/handler/proc-text.ts'
import { parseInfo, parseRequest, parseStatSignal, peekStatus } from '../../src/receiver/protocol.ts'
import { busyRanges, fixtureCore, fixtureExecutable } from './fixture.ts'
import { bytesOf, type Target, textOf } from './target.ts'
import { ofEachVersion } from './whole-crashes.ts'

const text = (name: string, content: string): { source: ReturnType<typeof bytesSource> } => ({
  source: bytesSource(name, Buffer.from(content, 'latin1')),
})

const argv: Target = {
  name: 'argv',
  seeds: () => [
    text('seven', ['4121', '0', '0', '6', '1795456800', '18446744073709551615', 'a b/c'].join('\0')),
    text('all', ['1', '33', '33', '11', '1795456800', '0', '-x', 'pod-1', '4122', '2', '-F3'].join('\0')),
  ],
  run: damaged => {
    const bytes = Buffer.from(bytesOf(damaged))
    const pieces: Buffer[] = []
    for (let at = 0; at <= bytes.length; ) {
      const end = bytes.indexOf(0, at)
      pieces.push(bytes.subarray(at, end < 0 ? bytes.length : end))
      at = end < 0 ? bytes.length + 1 : end + 1
    }
    parseArguments(pieces)
    rawArguments(
      bytes,
      pieces.map(piece => piece.toString('utf8')),
    )
  },
}

const redact = compileRedactions(defaultConfig().redact)

const procText: Target = {
  name: 'proc',
  seeds: () => [
    text('stat', `4121 (a) b) S 1 ${Array.from({ length: 48 }, (_, i) => i).join(' ')}\n`),
    text('status', 'Name:\ta\\nUid:\t0\nUmask:\t0022\nUid:\t1000\t1000\t1000\t1000\nThreads:\t7\n'),
    text(
      'maps',
      '00400000-0047c000 r-xp 00000000 fe:00 12345    /srv/a b\\012c\n7ffd1000-7ffd2000 rw-p 0 00:00 0  [stack]\n',
    ),
    text(
      'heap',
      '00c000000000-00c000400000 rw-p 00000000 00:00 0 \n7ffd1000-7ffd2000 rw-p 0 00:00 0    [anon: Go: heap]\n',
    ),
    text('cgroup', '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789abcdef.scope\n'),
    text(
      'pod',
      `12:cpu:/\n4:memory:/kubepods/burstable/pod01234567-89ab-cdef-0123-456789abcdef/docker-${'0123456789abcdef'.repeat(4)}.scope\n`,
    ),
    text('podman', `0::/machine.slice/libpod-${'fedcba9876543210'.repeat(4)}.scope/container\n`),
    text('cmdline', '/srv/api --password=hunter2 -token t0 Authorization: Bearer x\n'),
    text('environ', 'PATH=/bin\0GOTRACEBACK=crash\0TOKEN=x\0=\0=a\0'),
  ],
  run: damaged => {
    const read = textOf(damaged)
    parseStat(read)
    for (const key of ['Uid', 'Threads', 'Name', '']) statusValue(read, key)
    parseMaps(read)
    parseFileRanges(read)
    parseAnonymous(read)
    parseStatSignal(read)
    parseCgroup(read)
    redact(read)
    allowedEnvironment(Buffer.from(bytesOf(damaged)), ['PATH', 'GO*', '*'])
  },
}

const coreSize: Target = {
  name: 'core-size',
  seeds: () => [
    {
      source: bytesSource('head', fixtureCore().read(0, 1 << 16)),
      hot: [
        [0, 64],
        [64, 2048],
      ],
    },
  ],
  run: damaged => {
    const size = new CoreSize()
    const bytes = Buffer.from(bytesOf(damaged))
    for (let at = 0; at < bytes.length; at += 1000) size.feed(bytes.subarray(at, at + 1000))
    void size.expected
  },
}

/** Root chooses what to keep of a process's memory by what lies in it. */
const miniCore: Target = {
  name: 'mini-core',
  seeds: () =>
    ofEachVersion().map(({ core: source }) => {
      const [first] = openElf(source).segments.filter(({ type }) => type === 1)
      return { source, hot: [[0, 64], [64, first!.offset], ...busyRanges(source)] }
    }),
  run: core => {
    const size = new CoreSize()
    for (let at = 0; !size.done && at < Math.min(core.size, 1 << 20); at += 4096)
      size.feed(Buffer.from(core.read(at, 4096)))
    const { segments } = size
    const notes = Buffer.from(core.read(0, Math.min(segments[0]?.offset ?? 0, 4 << 20)))
    const memory = (buffer: Buffer, address: number): void => {
      buffer.fill(0)
      const of = segments.find(
        ({ offset, end, address: start }) => address >= start && address < start + (end - offset),
      )
      if (of) buffer.set(core.read(of.offset + (address - of.address), buffer.length))
    }
    const plan = planMiniCore(notes, segments, memory, 1 << 20)
    if (plan === undefined) return
    const pages = plan.end - plan.header.length
    if (pages > 1 << 20) throw new Error(`${pages} bytes of pages are planned for a mebibyte of room`)
    const bytes = Buffer.alloc(plan.end)
    plan.header.copy(bytes)
    for (const { offset, end, address } of plan.runs) memory(bytes.subarray(offset, end), address)
    void openCoreFile(bytesSource('mini', bytes)).threads.length
  },
}

const socket: Target = {
  name: 'socket',
  seeds: () => [
    text('request', '\x10\0\0\0\x10\0\0\0\x0f\0\0\0\0\0\0\0'),
    text('info', `\x5f${'\0'.repeat(15)}\x19\x10\0\0\x19\x10\0\0${'\0'.repeat(40)}\x05\0\0\0\x06\0\0\0`),
    { source: bytesSource('stream', fixtureCore().read(0, 8192)), hot: [[0, 4096]] },
  ],
  run: damaged => {
    const bytes = Buffer.from(bytesOf(damaged))
    parseRequest(bytes)
    parseInfo(Buffer.concat([bytes, Buffer.alloc(72)]).subarray(0, 72))
    peekStatus(bytes)
  },
}

const kernelLog: Target = {
  name: 'kernel-log',
  seeds: () => [
    text(
      'refused',
      '4,5021,90211,-;coredump: 4121(a) b): over core_pipe_limit, skipping core dump\n SUBSYSTEM=x\n',
    ),
    text('failed', '6,5022,90212,-;coredump: 4121(api): |/usr/local/bin/gocore-sink pipe failed\n'),
    text('begun', '13,5023,90213,-;gocore-sink: crash of process 4121 (a) of user 1000, SIGABRT\n'),
    text(
      'lost',
      '11,5024,90214,-;gocore-sink: LOST the core of crash of process 4121 (a\\x20b) of user 1000, signal 11: no\n',
    ),
    text('left out', '4,5025,90215,-;coredump_report: 12 callbacks suppressed\n'),
  ],
  run: damaged => {
    const record = parseLogRecord(Buffer.from(bytesOf(damaged)).toString('latin1'))
    if (record === undefined) return
    for (const isKernels of [true, false]) parseKernelLine(record.text, isKernels)
  },
}

const buildId: Target = {
  name: 'build-id',
  seeds: () => [{ source: bytesSource('program', fixtureExecutable().read(0, 8192)), hot: [[0, 1024]] }],
  run: damaged => void findBuildId((offset, length) => Buffer.from(damaged.read(offset, length))),
}

export const handlerTargets: readonly Target[] = [
  ...[argv, procText, coreSize, miniCore, socket, kernelLog, buildId],
]
