/**
 * Writes man/gocore-sink-tutorial.7: builds and crashes the program of the article "Go Post-mortem" (test/programs/article),
 * asks the tool what the article asks dlv and gdb, and puts what it printed between the prose. Needs root, for the
 * kernel's core pattern, and Go. Paths of the machine where it runs are replaced by a reader's.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolVersion } from '../src/base/version.ts'
import { takeCorePattern } from '../test/support/core-pattern.ts'
import { type Crash, corePatternIn, finish, start } from './fidelity.d/crash.ts'
import { build, releases } from './fidelity.d/toolchains.ts'
import { roff } from './gen-man.ts'

const root = join(import.meta.dirname, '..')
const go = '1.26'
const page = join(root, 'man/gocore-sink-tutorial.7')

/** Prose, in roff; and what is typed into the debugger, of which the answers are shown. */
type Part =
  | { readonly prose: string }
  | { readonly shell: readonly string[] }
  | { readonly debug: readonly string[] }

const parts = (producer: string): readonly Part[] => [
  {
    prose: `.SH NAME
gocore\\-sink\\-tutorial \\- a crash of a Go program, looked into
.SH DESCRIPTION
This walks through the crash of a small program: the one of the article
.IR "Go Post\\-mortem" ,
which sends messages through a channel from one goroutine to another, and panics when none comes for three seconds.
What is printed here was printed by the tool; only paths were shortened.
.SH WHY DID IT DIE?
The program was built for production, without symbols, by
.BR "go build \\-ldflags '\\-s \\-w'" .
Its dump is there as soon as it is dead:`,
  },
  { shell: ['show', '--no-pager'] },
  {
    prose: `.SH LOOKING INTO IT
.B gocore\\-sink debug
opens the dump.
Nobody has to unpack it or to find the program: both were stored.
The stack begins with the handler of the signal with which the runtime ended the program; the frame that matters is
the one of
.BR main.main .`,
  },
  { debug: ['bt'] },
  { prose: `A frame may be named by its function:` },
  { debug: ['frame main.main list'] },
  { prose: `.SH GOROUTINES\nWhat did the others do?` },
  { debug: ['goroutines'] },
  {
    prose: `Goroutine ${producer} is the one that should have sent something.
A place in front of a command looks from there, and changes nothing:`,
  },
  { debug: [`goroutine ${producer} bt`] },
  {
    prose: `.SH VARIABLES
The program has no debug information, so its variables have no names.
Another build of the same source has them:
.B \\-\\-symbols
takes it, once it has compared the code of both.
From here on, the debugger was started with it.`,
  },
  {
    debug: ['frame main.main locals -v', `goroutine ${producer} frame main.producer p ch`, 'p main.messages'],
  },
  {
    prose: `The channel itself knows who waits for it.
Expressions are Go's, without calls;
.BR gocore\\-expr (7)
has them all:`,
  },
  {
    debug: [
      'p len(main.messages[0])',
      'p main.messages[1][0:8]',
      'whatis main.messages',
      'p runtime.curg.goid',
      'frame main.main goroutines -chan ch',
    ],
  },
  { prose: `.SH DOWN TO THE MACHINE\nWhat GDB's users have in their fingers works, too:` },
  {
    debug: [
      'frame main.main x/6i $pc',
      'frame 0 info registers rip rsp',
      'info threads',
      'frame main.main info locals',
    ],
  },
  {
    prose: `The article ends with
.B bt full
in a file, because GDB found nothing of the author's own code.
Here main.main is where it was above, with its variables;
.B transcript
(or
.BR "set logging on" )
writes what follows into a file.`,
  },
  {
    prose: `.SH IN SCRIPTS
Every question is a verb of its own as well, whose answer stands alone on standard output, as text or with
.B \\-\\-json
for programs:
.PP
.RS
.nf
gocore\\-sink print 7f3k main.messages
gocore\\-sink locals 7f3k \\-\\-goroutine ${producer} \\-\\-frame main.producer \\-\\-json
gocore\\-sink goroutine ${producer} 7f3k frame main.producer print ch
gocore\\-sink goroutines 7f3k \\-s \\-with userloc main.go
gocore\\-sink bt 7f3k \\-full
gocore\\-sink x/30i '$pc' 7f3k
gocore\\-sink transcript gdb.txt 7f3k bt full
gocore\\-sink debug 7f3k \\-\\-tui
.fi
.RE
.SH SEE ALSO
.BR gocore\\-sink\\-debug (1),
.BR gocore\\-sink\\-print (1),
.BR gocore\\-expr (7),
.BR gocore\\-sink (7)`,
  },
]

const dir = mkdtempSync(join(tmpdir(), 'gocore-tutorial-'))
try {
  const { crash, symbols } = await crashArticle()
  const run = (args: readonly string[], input = ''): string => {
    const program = join(root, 'src/cli/main.ts')
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, ...args],
      { encoding: 'utf8', input, env: { ...process.env, COLUMNS: '76', NO_COLOR: '1', TZ: 'UTC' } },
    )
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const look = ['--exe', crash.executable]
  const withSymbols = [...look, '--symbols', symbols]
  const debug = (command: string): string => run(['debug', crash.core, ...withSymbols], `${command}\n`)
  const producer = /Goroutine (\d+)/.exec(debug('goroutines -with goloc main.go:27'))?.[1]
  if (producer === undefined) throw new Error('the producer is not among the goroutines')
  const lines = [
    '.\\" Made by scripts/gen-tutorial.ts; edit there.',
    `.TH GOCORE\\-SINK\\-TUTORIAL 7 2026-11-23 "gocore-sink ${toolVersion}" "gocore-sink manual"`,
  ]
  for (const part of parts(producer)) {
    if ('prose' in part) lines.push(...(part.prose.startsWith('.SH') ? [] : ['.PP']), part.prose)
    else if ('shell' in part) {
      const [verb, ...rest] = part.shell
      lines.push(...example(`$ gocore-sink ${verb}`, run([verb!, crash.core, ...look, ...rest])))
    } else for (const command of part.debug) lines.push(...example(`(gocore) ${command}`, debug(command)))
  }
  // groff reads Latin-1.
  const ascii = lines
    .join('\n')
    .replace(
      /[^\0-\x7f]/gu,
      char => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
  writeFileSync(page, `${ascii}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}

/** A production build, crashed, and a build of the same source with debug information. */
async function crashArticle(): Promise<{ crash: Crash; symbols: string }> {
  const [stripped, full] = [await build(go, 'stripped', ['article']), await build(go, 'full', ['article'])]
  if (stripped === undefined || full === undefined) throw new Error(`Go ${go} is not to be had`)
  const executable = join(stripped, 'article')
  using pattern = await takeCorePattern()
  pattern.set(corePatternIn(dir))
  const crash = await finish(start(executable, 'article', dir), executable, 'article', dir)
  if (!crash) throw new Error('it left no core')
  return { crash, symbols: join(full, 'article') }
}

function example(command: string, output: string): string[] {
  const text = [command, ...readersPaths(output).trimEnd().split('\n')]
  return ['.PP', '.RS', '.nf', ...text.map(line => roff(line.replaceAll('\t', '    '))), '.fi', '.RE']
}

/** Nothing of this machine: where Go, the source and the dump lie. */
function readersPaths(text: string): string {
  const goroot = execFileSync('go', ['env', 'GOROOT'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: `go${releases[go]}` },
  }).trim()
  return text
    .replaceAll(join(root, 'test/programs/article'), '/home/you/godebugging')
    .replaceAll(goroot, '/usr/local/go')
    .replaceAll(join(dir, 'article.core'), 'core')
    .replaceAll(/[^\s(]*\/stripped\/article\b/g, '/home/you/godebugging/godebugging')
}
