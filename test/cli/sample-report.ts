/** A crash made by hand: a web shop on Go 1.26 that wrote to a nil map. Every part that `show` prints is in it. */
import type { Manifest } from '../../src/archive/manifest.ts'
import type { Frame, Goroutine, GoroutineGroup, Report } from '../../src/engine/report/report.ts'

export const now = Date.parse('2026-11-22T03:16:07Z')

export function frame(name: string, file: string, line: number, args = '', more: Partial<Frame> = {}): Frame {
  return {
    function: name,
    file,
    line,
    offset: 0x2a,
    pc: '0x4a1b2c',
    sp: '0xc00008fd10',
    inlined: false,
    args,
    ...more,
  }
}

const guilty: Goroutine = {
  id: 18,
  state: 'running',
  status: 'running',
  lockedToThread: false,
  thread: 4125,
  system: false,
  labels: { handler: '/put' },
  frames: [
    frame('panic', '/usr/local/go/src/runtime/panic.go', 885, '{0x6f2a40?, 0x8b1c90?}'),
    frame('runtime.mapassign_faststr', '/usr/local/go/src/runtime/map_faststr.go', 205, '', { hidden: true }),
    frame(
      'example.org/shop/cache.(*Cache).put',
      '/build/shop/cache/cache.go',
      41,
      '0xc0000a4000, {0x7a1b20, 0x7}, {0xc000112000, 0x40, 0x40}',
    ),
    frame('example.org/shop/cache.(*Cache).Save', '/build/shop/cache/cache.go', 30, '...', { inlined: true }),
    frame(
      'main.(*api).save',
      '/build/shop/main.go',
      77,
      '0xc0000b2000, {0x8c2f10, 0xc0001120e0}, 0xc000130000',
    ),
    frame(
      'net/http.HandlerFunc.ServeHTTP',
      '/usr/local/go/src/net/http/server.go',
      2322,
      '0xc0000d0000?, {0x8c2f10?, 0xc0001120e0?}, 0x10?',
    ),
    frame(
      'net/http.(*conn).serve',
      '/usr/local/go/src/net/http/server.go',
      2109,
      '0xc0000f2000, {0x8c3140, 0xc0000c6f90}',
    ),
  ],
  createdBy: {
    function: 'net/http.(*Server).Serve',
    file: '/usr/local/go/src/net/http/server.go',
    line: 3495,
    offset: 0x485,
    pc: '0x6a1c85',
    goroutine: 1,
  },
}

const group = (
  count: number,
  first: number,
  state: string,
  frames: Frame[],
  more: Partial<GoroutineGroup> = {},
): GoroutineGroup => ({
  count,
  ids: Array.from({ length: Math.min(count, 32) }, (_, i) => first + i),
  state,
  system: false,
  frames,
  ...more,
})

export function sampleReport(): Report {
  return {
    schema: 'gocore-report',
    version: 1,
    core: { expectedSize: 212_000_000, size: 212_000_000, complete: true, arch: 'amd64' },
    program: {
      name: 'api',
      path: '/srv/api',
      args: '/srv/api --listen :80',
      pid: 4121,
      uid: 33,
      gid: 33,
      buildId: '3ac9f1e0',
      stripped: 'both',
      pie: false,
      language: 'go',
    },
    go: {
      version: 'go1.26.8',
      os: 'linux',
      arch: 'amd64',
      main: { path: 'example.org/shop', version: 'v1.4.2' },
      path: 'example.org/shop/cmd/api',
      vcs: { system: 'git', revision: '3ac9f1e5b0', modified: false },
      gomaxprocs: 4,
      layout: 'table',
    },
    death: {
      kind: 'panic',
      message: 'panic: assignment to entry in nil map',
      verdict: 'example.org/shop/cache.(*Cache).put writes to a map that is nil, at cache.go:41.',
      signal: 6,
      signalName: 'SIGABRT',
      goroutine: 18,
      thread: 4125,
      panics: [
        {
          text: 'assignment to entry in nil map',
          type: 'runtime.plainError',
          recovered: false,
          repanicked: false,
          goexit: false,
        },
      ],
    },
    goroutineCount: 53,
    goroutines: [structuredClone(guilty)],
    goroutinesOmitted: 52,
    groups: [
      group(
        31,
        20,
        'chan receive',
        [
          frame('runtime.gopark', '/usr/local/go/src/runtime/proc.go', 461, '', { hidden: true }),
          frame('main.worker', '/build/shop/worker.go', 22, '0xc0000a2000'),
        ],
        { longestWaitNs: 720e9 },
      ),
      group(9, 60, 'IO wait', [
        frame('internal/poll.runtime_pollWait', '/usr/local/go/src/runtime/netpoll.go', 351),
        frame('internal/poll.(*FD).Read', '/usr/local/go/src/internal/poll/fd_unix.go', 165),
        frame('net.(*conn).Read', '/usr/local/go/src/net/net.go', 196),
        frame('net/http.(*connReader).backgroundRead', '/usr/local/go/src/net/http/server.go', 702),
      ]),
      group(
        7,
        80,
        'sync.Mutex.Lock',
        [
          frame('sync.runtime_SemacquireMutex', '/usr/local/go/src/runtime/sema.go', 95),
          frame('example.org/shop/cache.(*Cache).Get', '/build/shop/cache/cache.go', 19, '0xc0000a4000'),
        ],
        { longestWaitNs: 3.2e9 },
      ),
      group(1, 18, 'running', guilty.frames),
      group(
        5,
        2,
        'force gc (idle)',
        [frame('runtime.goparkunlock', '/usr/local/go/src/runtime/proc.go', 466)],
        { system: true },
      ),
    ],
    threads: [
      {
        tid: 4125,
        crashed: true,
        goroutine: 18,
        stack: 'g0',
        frames: [frame('runtime.raise', '/usr/local/go/src/runtime/sys_linux_amd64.s', 154)],
        registers: { rip: '0x4a1b2c' },
      },
      {
        tid: 4121,
        crashed: false,
        stack: 'g0',
        frames: [frame('runtime.futex', '/usr/local/go/src/runtime/sys_linux_amd64.s', 558)],
        registers: {},
      },
    ],
    signature: { key: 'k3v9s2a1', text: 'panic: assignment to entry in nil map | cache.(*Cache).put' },
    warnings: [{ code: 'no-dwarf', message: 'The executable has no DWARF: variables are not available.' }],
  }
}

export function sampleManifest(): Manifest {
  return {
    schema: 'gocore-manifest',
    version: 1,
    id: '7f3k2mabcdef',
    tool: { version: '0.1.0', node: 'v26.10.0' },
    host: { name: 'node-3', kernel: '6.1.0' },
    time: '2026-11-22T03:14:07.120Z',
    process: {
      pid: 4121,
      tid: 4125,
      uid: 33,
      gid: 33,
      comm: 'api',
      exe: '/srv/api',
      cmdline: ['/srv/api', '--listen', ':80', '--name', "the shop's"],
      container: {
        id: '4f5e6d7c8b9a0f1e2d3c',
        pod_uid: '0b6e1c2d-aaaa-bbbb-cccc-0123456789ab',
        runtime: 'containerd',
      },
    },
    signal: { number: 6, name: 'SIGABRT' },
    rlimit_core: 'unlimited',
    core: {
      state: 'complete',
      file: 'core.lz4',
      raw_size: 212_000_000,
      stored_size: 3_100_000,
      expected_size: 212_000_000,
    },
    libraries: [],
    held_ms: 210,
    notes: [],
  }
}
