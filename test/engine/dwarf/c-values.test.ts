/** Values of C in a core, crashed for real: every variable of every frame, and expressions, against gdb's. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { splitFiles } from '../../../src/cli/symbols/split.ts'
import {
  type Debugger,
  formatValue,
  fullLimits,
  openDebugger,
  openDebugInfo,
} from '../../../src/engine/index.ts'
import { type CValuesBuild, type CValuesCrash, crashCValues, whyNoCValues } from '../../support/c-values.ts'
import { processOf } from '../../support/crashed-programs.ts'
import { askGdb, difference, type GdbThread } from '../../support/gdb-values.ts'

interface Build extends CValuesBuild {
  /** gdb 13 finds no location lists in split DWARF 5: what is gone for it need not be for us. */
  readonly listsLost?: boolean
  /** What gdb 13 reads from elsewhere: gcc has addresses of thread-local variables where offsets belong. */
  readonly misread?: readonly string[]
}

const misread = ['own', '&own', 'label']

const builds: readonly Build[] = [
  { name: 'gcc-O0', compiler: 'gcc', flags: ['-O0', '-g'] },
  { name: 'gcc-O0-dwarf4', compiler: 'gcc', flags: ['-O0', '-gdwarf-4', '-gz=zlib'] },
  { name: 'gcc-O2', compiler: 'gcc', flags: ['-O2', '-g'] },
  { name: 'gcc-O2-dwarf4', compiler: 'gcc', flags: ['-O2', '-gdwarf-4'] },
  { name: 'gcc-O1-static', compiler: 'gcc', flags: ['-O1', '-g', '-static'] },
  { name: 'gcc-O2-types', compiler: 'gcc', flags: ['-O2', '-g', '-fdebug-types-section'] },
  { name: 'gcc-Os-types-dwarf4', compiler: 'gcc', flags: ['-Os', '-gdwarf-4', '-fdebug-types-section'] },
  { name: 'clang-O0', compiler: 'clang', flags: ['-O0', '-g'] },
  { name: 'clang-O0-dwarf4', compiler: 'clang', flags: ['-O0', '-gdwarf-4'] },
  { name: 'clang-O2', compiler: 'clang', flags: ['-O2', '-g', '-gpubnames'] },
  { name: 'clang-O2-dwarf4', compiler: 'clang', flags: ['-O2', '-gdwarf-4'] },
  { name: 'clang-O1-types', compiler: 'clang', flags: ['-O1', '-g', '-fdebug-types-section'] },
  { name: 'clang-O2-types-dwarf4', compiler: 'clang', flags: ['-O2', '-gdwarf-4', '-fdebug-types-section'] },
  { name: 'gcc-O2-split', compiler: 'gcc', flags: ['-O2', '-g', '-gsplit-dwarf'] },
  {
    name: 'gcc-O0-split-dwarf4',
    compiler: 'gcc',
    flags: ['-O0', '-gdwarf-4', '-gsplit-dwarf'],
    split: true,
    misread,
  },
  { name: 'gcc-O2-split-dwarf4', compiler: 'gcc', flags: ['-O2', '-gdwarf-4', '-gsplit-dwarf'], misread },
  { name: 'clang-O2-split', compiler: 'clang', flags: ['-O2', '-g', '-gsplit-dwarf'], listsLost: true },
  { name: 'clang-O0-split-dwarf4', compiler: 'clang', flags: ['-O0', '-gdwarf-4', '-gsplit-dwarf'] },
  {
    name: 'clang-O1-split-inlining',
    compiler: 'clang',
    flags: ['-O1', '-g', '-gsplit-dwarf', '-fsplit-dwarf-inlining'],
    listsLost: true,
  },
  {
    name: 'clang-O1-split-types',
    compiler: 'clang',
    flags: ['-O1', '-g', '-gsplit-dwarf', '-fdebug-types-section'],
    listsLost: true,
  },
  {
    name: 'gcc-O1-split-types-dwarf4',
    compiler: 'gcc',
    flags: ['-O1', '-gdwarf-4', '-gsplit-dwarf', '-fdebug-types-section'],
    misread,
  },
  // The dwp of binutils 2.40 has no DWARF 5, and llvm-dwp 14 none of gcc's.
  {
    name: 'gcc-O2-dwp-dwarf4',
    compiler: 'gcc',
    flags: ['-O2', '-gdwarf-4', '-gsplit-dwarf'],
    misread,
    package: 'dwp',
  },
  {
    name: 'gcc-O1-dwp-types-dwarf4',
    compiler: 'gcc',
    flags: ['-O1', '-gdwarf-4', '-gsplit-dwarf', '-fdebug-types-section'],
    misread,
    package: 'dwp',
  },
  // gdb 13 dies of packages in DWARF 5; test/cli/symbols reads one.
  {
    name: 'clang-O2-dwp-dwarf4',
    compiler: 'clang',
    flags: ['-O2', '-gdwarf-4', '-gsplit-dwarf'],
    package: 'llvm-dwp',
  },
]

/** Whole variables and parts of them; gdb and gocore-expr(7) read all of these the same. */
const expressions = [
  ...['first', 'second', 'ops', 'squeezed', 'flexible', 'flexed', 'lists', 'counter', 'ratio', 'single'],
  ...['extended', 'turned', 'small', 'huge', 'large', 'yes', 'atomic', 'narrow', 'octets', 'greeting'],
  ...['unended', 'wide_text', 'cube', 'names', 'both_flags', 'no_flags', 'odd_flags', 'unknown_color', 'far'],
  ...['chained', 'anything', 'callback', 'callbacks', 'offset_callback', 'rows', 'list', 'floats'],
  ...['own', 'label', 'shared_own', 'library_state'],
  ...['RED', 'GREEN', 'BLUE', '(enum color)1', '(enum color)5', '(enum flags)3', 'sizeof(struct node)'],
  ...[
    '(struct node *)&first',
    '*(struct node *)&first',
    '((struct node *)&first)->low',
    '(unsigned char)300',
  ],
  ...['first.next.bits', '*first.next', 'first.matrix[1]', 'first.matrix[1][2]', 'first.both.f', 'first.low'],
  ...['ops.table[2]', '*callbacks', 'cube[1][2][3]', 'rows[1]', 'list[1].inner.y', '*flexed', 'names[1]'],
  ...['lists.head.next.next.v', 'lists.self.head', '&first', '&own', 'first.bits.c', 'first.bits.f'],
]

let crashes: ReadonlyMap<string, CValuesCrash> = new Map()
before(async () => {
  if (!whyNoCValues()) crashes = await crashCValues(builds)
})
after(() => {
  for (const crash of crashes.values()) crash[Symbol.dispose]()
})

for (const { name, ...build } of builds)
  test(`C values are gdb's, ${name}`, { timeout: 300_000 }, context => {
    const why = whyNoCValues(build)
    if (why) return context.skip(why)
    const crash = crashes.get(name)
    assert.ok(crash, `${name} was not built`)
    const theirs = askGdb(crash.executable, crash.core, expressions)
    if (!theirs) return context.skip('needs a gdb with Python')
    using kept = new DisposableStack()
    const missed: string[] = []
    const debug = openDebugger(processOf(crash), {
      debugInfoFor: file =>
        openDebugInfo(file.elf, {
          split: splitFiles(file, {
            ...{ dirs: [], files: [], paths: [file.elf.source.name] },
            keep: resource => kept.use(resource),
            warn: sentence => missed.push(sentence),
          }),
        }),
    })
    let compared = 0
    for (const [tid, thread] of theirs) compared += compareThread(debug, tid, thread, build)
    assert.ok(compared > 100, `${compared} values compared`)
    assert.deepEqual(missed, [])
    if (!build.misread) return
    const crashed = debug.stack(debug.start()!)
    const own = ['own', 'label'].map(text =>
      formatValue(debug.load(debug.evaluate(text, { stack: crashed, frame: crashed.frames[0] }))),
    )
    assert.deepEqual(own, ['7', '"main"'])
  })

const limits = { ...fullLimits, depth: 32, items: 1000, follow: false }

function compareThread(
  debug: Debugger,
  tid: number,
  { frames: theirs, values }: GdbThread,
  { listsLost = false, misread = [] }: Omit<Build, 'name'>,
): number {
  const stack = debug.stack({ kind: 'thread', tid })
  const known = theirs.filter(frame => frame.known)
  const ours = stack.frames.filter(({ lookupPc }) => debug.program.debugFunctionAt(lookupPc))
  // Code that clang says belongs to no line has one in gdb, that of the row before.
  const lines = new Map(ours.map(frame => [frame.pc, frame.line !== 0]))
  assert.deepEqual(
    ours.map(frame => frameText(frame, frame.line)),
    known.map(frame =>
      frameText({ ...frame, pc: Number(frame.pc) }, lines.get(Number(frame.pc)) ? frame.line : 0),
    ),
  )
  const wrong: string[] = []
  let compared = 0
  const check = (what: string, found: string | undefined): void => {
    compared++
    const unread = listsLost && /: gdb \{"gone":true|in gdb char \[variable length\]$/.test(found ?? '')
    if (found !== undefined && !unread && !misread.includes(what)) wrong.push(`${what}${found}`)
  }
  known.forEach((frame, n) => {
    const variables = debug.variables(ours[n]!)
    for (const [name, { type, value }] of frame.variables) {
      const variable = variables.find(name)
      if (!variable) check(`${frame.function}: ${name}`, ' we have none')
      else
        check(
          `${frame.function}: ${name}`,
          difference(value, debug.load(variable, limits)) ?? typeDifference(type, variable.type.name),
        )
    }
  })
  for (const [text, value] of Object.entries(values)) {
    if ('error' in value) continue
    try {
      const variable = debug.evaluate(text, { stack, frame: ours[0] ?? stack.frames[0] })
      check(
        text,
        difference(value.value, debug.load(variable, limits)) ??
          typeDifference(value.type, variable.type.name),
      )
    } catch (error) {
      check(text, `: ${String(error)}`)
    }
  }
  assert.deepEqual(wrong, [])
  return compared
}

function frameText(frame: { function: string; pc: number; inlined: boolean }, line: number): string {
  return `${frame.function} 0x${frame.pc.toString(16)}:${line}${frame.inlined ? ' inlined' : ''}`
}

function typeDifference(theirs: string, ours: string): string | undefined {
  return theirs.replace('unsigned int __int128', 'unsigned __int128') === ours || theirs === '?'
    ? undefined
    : `: its type is ${ours}, in gdb ${theirs}`
}
