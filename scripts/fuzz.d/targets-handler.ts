/** What the kernel hands to the capture side: arguments, texts of /proc, the head of a core's stream. */
import { compileRedactions } from '../../src/base/redact.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { parseArguments, rawArguments } from '../../src/handler/argv.ts'
import { CoreSize } from '../../src/handler/core-size.ts'
import {
  allowedEnvironment,
  parseCgroup,
  parseMaps,
  parseStat,
  statusValue,
} from '../../src/handler/proc-text.ts'
import { fixtureCore } from './fixture.ts'
import { bytesOf, type Target, textOf } from './target.ts'

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

const procText: Target = {
  name: 'proc',
  seeds: () => [
    text('stat', `4121 (a) b) S 1 ${Array.from({ length: 48 }, (_, i) => i).join(' ')}\n`),
    text('status', 'Name:\ta\\nUid:\t0\nUmask:\t0022\nUid:\t1000\t1000\t1000\t1000\nThreads:\t7\n'),
    text(
      'maps',
      '00400000-0047c000 r-xp 00000000 fe:00 12345    /srv/a b\\012c\n7ffd1000-7ffd2000 rw-p 0 00:00 0  [stack]\n',
    ),
    text('cgroup', '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789abcdef.scope\n'),
    text('environ', 'PATH=/bin\0GOTRACEBACK=crash\0TOKEN=x\0=\0=a\0'),
  ],
  run: damaged => {
    const read = textOf(damaged)
    parseStat(read)
    for (const key of ['Uid', 'Threads', 'Name', '']) statusValue(read, key)
    parseMaps(read)
    parseCgroup(read)
    compileRedactions([])(read)
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

export const handlerTargets: readonly Target[] = [argv, procText, coreSize]
