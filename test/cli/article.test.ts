/**
 * The article "Go Post-mortem" (test/programs/article), command by command: what it asks dlv and gdb of its crash is asked
 * of ours, over an optimised build, one without optimisation, and a stripped one with the optimised one as its symbols.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Crash, corePatternIn, finish, start } from '../../scripts/fidelity.d/crash.ts'
import { build } from '../../scripts/fidelity.d/toolchains.ts'
import { takeCorePattern } from '../support/core-pattern.ts'
import { whyNoCrashes } from '../support/crashed-programs.ts'
import { gdbAnswers, haveGdb } from '../support/gdb-answers.ts'
import { runCli } from './run-cli.ts'

const why = whyNoCrashes()
const program = 'article'
const kinds = ['full', 'unoptimised', 'stripped'] as const
type Kind = (typeof kinds)[number]

/** What the article's author wrote into main.go, which is all that it prints. */
const messages = [
  "There's something that doesn't make sense. Let's go and poke it with a stick.",
  "We're all stories, in the end.",
  'Bow ties are cool.',
  'One may tolerate a world of demons for the sake of an angel.',
  'You want weapons? We’re in a library! Books! The best weapons in the world!',
  'Do what I do. Hold tight and pretend it’s a plan!',
]

describe('the article', { skip: why ?? false }, () => {
  const crashes = new Map<Kind, Crash>()
  const dir = mkdtempSync(join(tmpdir(), 'gocore-sink-article-'))

  before(async () => {
    const executables = new Map<Kind, string>()
    for (const kind of kinds) {
      const bin = await build('1.24', kind, [program])
      if (bin !== undefined) executables.set(kind, join(bin, program))
    }
    using pattern = await takeCorePattern()
    pattern.set(corePatternIn(dir))
    // All at once: how soon it panics is left to chance.
    const died = [...executables].map(async ([kind, executable]) => {
      const crash = await finish(start(executable, kind, dir), executable, kind, dir)
      if (crash) crashes.set(kind, crash)
    })
    await Promise.all(died)
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  const crashOf = (kind: Kind): Crash => {
    const crash = crashes.get(kind)
    assert.ok(crash, `${kind}: no crash`)
    return crash
  }
  /** The answers to some commands, one after the other. */
  const ask = (kind: Kind, commands: readonly string[]) => {
    const { core, executable } = crashOf(kind)
    const symbols = kind === 'stripped' ? ['--symbols', crashOf('full').executable] : []
    const input = `${commands.join('\n')}\n`
    return runCli(['debug', core, '--exe', executable, ...symbols], {
      input,
      env: { HOME: process.env.HOME! },
    })
  }
  const answer = (kind: Kind, ...commands: string[]): string => {
    const { stdout, stderr } = ask(kind, commands)
    assert.equal(stderr, '', `${kind}: ${commands.join('; ')}`)
    return stdout
  }
  /** Numbers of the goroutine that produces, and of its frame there. */
  const producer = (kind: Kind): { goroutine: string; frame: string } => {
    // It may sleep, or wait to send: only where it was started is certain.
    const list = answer(kind, 'goroutines -with goloc main.go:27')
    const goroutine = /Goroutine (\d+) - User/.exec(list)?.[1]
    assert.ok(goroutine)
    const frame = /^ *(\d+) {2}0x[0-9a-f]{16} in main\.producer$/m.exec(
      answer(kind, `goroutine ${goroutine} bt`),
    )?.[1]
    assert.ok(frame)
    return { goroutine, frame }
  }

  for (const kind of kinds) {
    test(`${kind}: bt shows where main.go broke, below the handler of the signal`, () => {
      const functions = [...answer(kind, 'bt').matchAll(/^ *\d+ {2}0x[0-9a-f]{16} in (\S+)$/gm)].map(
        match => match[1],
      )
      assert.equal(functions[0], 'runtime.raise')
      assert.deepEqual(functions.slice(-4), [
        'runtime.gopanic',
        'main.main',
        'runtime.main',
        'runtime.goexit',
      ])
      assert.match(answer(kind, 'bt'), /in main\.main\n +at \S+main\.go:34\n/)
    })

    test(`${kind}: frame N list shows the source of the panic`, () => {
      const text = answer(kind, 'frame main.main list')
      assert.match(text, /^Goroutine 1 frame \d+ at \S+main\.go:34 \(PC: 0x[0-9a-f]+\)\n/)
      assert.match(text, /^=> {2}34:\t +panic\("I'm panicking because of timeout!"\)$/m)
      assert.match(text, /^ {4}31:\t +case message := <-ch:$/m)
    })

    test(`${kind}: goroutines lists them, the one that died marked`, () => {
      const text = answer(kind, 'goroutines')
      assert.match(text, /^\* Goroutine 1 - User: \S+main\.go:34 main\.main \(0x[0-9a-f]+\) \(thread \d+\)$/m)
      assert.match(text, /runtime\.gopark/)
      const count = /^\[(\d+) goroutines\]$/m.exec(text)?.[1]
      assert.equal(text.match(/Goroutine \d+ - User/g)?.length, Number(count))
    })

    test(`${kind}: goroutine N and its stack`, () => {
      const { goroutine } = producer(kind)
      const text = answer(kind, `goroutine ${goroutine}`, 'bt')
      assert.match(text, new RegExp(`^Switched from 1 to ${goroutine}\\n`))
      assert.match(text, /in runtime\.goexit\n/)
    })

    test(`${kind}: frame N p ch, in the producer and, as the article wants it, where it panicked`, () => {
      const { goroutine, frame } = producer(kind)
      assert.match(answer(kind, `goroutine ${goroutine} frame ${frame} p ch`), /^chan<- string 0\/0/)
      assert.match(answer(kind, 'frame main.main p ch'), /^chan string 0\/0/)
      assert.equal(
        answer(kind, `goroutine ${goroutine} frame ${frame} p (*runtime.hchan)(ch).elemsize`),
        '16\n',
      )
    })

    test(`${kind}: p ch, raw, has the fields of the article's`, () => {
      const text = answer(kind, 'config raw true', 'frame main.main p ch')
      assert.match(
        text,
        /^chan string \{\n\tqcount: 0,\n\tdataqsiz: 0,\n\tbuf: \*\[0\]string \[\],\n\telemsize: 16,$/m,
      )
      for (const field of [
        'closed: 0',
        'sendx: 0',
        'recvx: 0',
        'recvq: waitq<string> {',
        'sendq: waitq<string> {',
      ])
        assert.ok(text.includes(`\n\t${field}`), field)
    })

    test(`${kind}: p messages, from its package, by its full name, and all of it`, () => {
      const { goroutine, frame } = producer(kind)
      const [first] = messages
      assert.match(
        answer(kind, `goroutine ${goroutine} frame ${frame} p messages`),
        new RegExp(`^\\[6\\]string \\[\\n\t"${first!.slice(0, 64)}\\.\\.\\.\\+13 more",\\n`),
      )
      const whole = answer(kind, 'config max-string-len 200', 'p main.messages')
      assert.equal(whole, `[6]string [\n${messages.map(text => `\t${JSON.stringify(text)},\n`).join('')}]\n`)
    })

    test(`${kind}: whatis of a function has its signature`, () => {
      assert.equal(answer(kind, 'whatis main.producer'), 'func(ch chan<- string)\n')
      assert.equal(answer(kind, 'whatis main.main'), 'func()\n')
    })

    test(`${kind}: gdb's x/30i $pc, info registers, info threads, info locals, bt full, set logging`, () => {
      const code = answer(kind, 'frame 0', 'x/30i $pc')
        .split('\n')
        .filter(line => /^(?:=> | {3})0x/.test(line))
      assert.equal(code.length, 30)
      assert.match(code[0]!, /^=> 0x[0-9a-f]+ <runtime\.raise\+\d+>:/)
      assert.match(
        answer(kind, 'frame 0', 'info registers rip'),
        /^rip +0x[0-9a-f]+ +0x[0-9a-f]+ <runtime\.raise\+\d+>$/m,
      )
      assert.match(answer(kind, 'info threads'), /^\* Thread \d+ at 0x[0-9a-f]+ \S+ runtime\.raise$/m)
      assert.match(answer(kind, 'frame main.main info locals'), /^ch = chan string 0\/0/)
      assert.match(answer(kind, 'bt full'), /in main\.main\n +at \S+\n +ch = chan string 0\/0\n/)
    })
  }

  test('without any symbols there are the stack, the source and the addresses, and sentences for the rest', () => {
    const { core, executable } = crashOf('stripped')
    const input = 'bt\np main.messages\nx/2i $pc\nlocals\n'
    const { stdout, stderr, status } = runCli(['debug', core, '--exe', executable], { input })
    assert.match(stdout, /in main\.main\n/)
    assert.match(stdout, /<main\.main\+\d+>/)
    assert.match(stdout, /^\(no locals: there is no debug information for this function\)$/m)
    assert.equal(stderr, 'Cannot evaluate "main.messages": there is no messages in package main (column 6)\n')
    assert.equal(status, 1)
  })

  test('a build with other code is refused as symbols, in a sentence', () => {
    const { core, executable } = crashOf('stripped')
    const other = crashOf('unoptimised').executable
    const { stderr, status } = runCli([
      'print',
      core,
      'main.messages',
      '--exe',
      executable,
      '--symbols',
      other,
    ])
    assert.match(stderr, /does not fit/)
    assert.equal(status, 4)
  })

  /**
   * The article's second half. Where gdb differs, and why:
   * - it has frames for the trampoline of a signal and for the signal itself, which are no calls (dlv has none either);
   * - it ends at main.main, though runtime.main and runtime.goexit are below;
   * - it names the frame pointer of whoever called gopanic wrongly, and all registers that a callee may change as if it had
   *   not: Go's call frame information does not say that it does. Ours are those that are certain;
   * - it does not read the mask registers of cores that have a shorter extended state than its own processor;
   * - it gives no symbol to the padding behind a function, where we go on counting;
   * - of variables that the optimiser kept no location for it says so where we find some in memory, with a note.
   */
  for (const kind of ['full', 'unoptimised'] as const)
    describe(`gdb says the same of the ${kind} crash`, { skip: haveGdb() ? false : 'needs gdb' }, () => {
      const commands = [
        'bt',
        'info threads',
        'info registers',
        'p $pc',
        'x/30i $pc',
        'p main.messages',
        'bt full',
        'frame function main.main',
        'list',
        'p $pc',
        'info locals',
        'x/5i $pc',
        'info symbol $pc',
        'x/2gx &main.messages',
      ] as const
      let theirs: ReadonlyMap<string, string>
      const ours = (command: string): string => answer(kind, command)
      const gdb = (command: (typeof commands)[number]): string => theirs.get(command)!
      const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim()

      before(() => {
        const answers = gdbAnswers(crashOf(kind), commands)!
        // Later answers of equal commands are those from main.main.
        theirs = new Map(
          commands.map((command, i) => [i >= 8 ? `${command} in main.main` : command, answers[i]!]),
        )
      })
      const there = (command: (typeof commands)[number]): string => theirs.get(`${command} in main.main`)!

      interface GdbFrame {
        readonly pc?: number
        readonly function: string
        readonly place: string
      }
      const frames = (text: string): GdbFrame[] =>
        [...text.matchAll(/^#\d+ +(?:(0x[0-9a-f]+) in )?(\S+) \(.*\) at (\S+:\d+)$/gm)].map(
          ([, pc, name, place]) => ({ ...(pc ? { pc: Number(pc) } : {}), function: name!, place: place! }),
        )
      const ourFrames = (): Required<GdbFrame>[] =>
        [...ours('bt').matchAll(/^ *\d+ {2}(0x[0-9a-f]+) in (\S+)\n +at (\S+)$/gm)].map(
          ([, pc, name, place]) => ({ pc: Number(pc), function: name!, place: place! }),
        )

      test('bt', () => {
        const calls = frames(gdb('bt')).filter(frame => frame.function !== 'runtime.sigtramp')
        assert.ok(calls.length >= 8)
        const own = ourFrames().slice(0, calls.length)
        assert.deepEqual(
          own.map(frame => ({ function: frame.function, place: frame.place })),
          calls.map(frame => ({ function: frame.function, place: frame.place })),
        )
        for (const [i, { pc }] of calls.entries()) if (pc !== undefined) assert.equal(own[i]!.pc, pc)
        assert.equal(calls.at(-1)!.function, 'main.main')
      })

      test('info threads', () => {
        const list = [
          ...gdb('info threads')
            .replaceAll(/warning: .*\n/g, '')
            .matchAll(/^(\*| ) \d+ +LWP (\d+) +(?:0x\S+ in )?(\S+) \(.*\) at (\S+)$/gm),
        ].map(([, here, tid, name, place]) => `${here} Thread ${tid} ${place} ${name}`)
        const lines = ours('info threads')
          .trimEnd()
          .split('\n')
          .map(line => line.replace(/ at 0x[0-9a-f]+/, ''))
        assert.deepEqual(lines.toSorted(), list.toSorted())
      })

      test('info registers', () => {
        const lines = gdb('info registers')
          .trimEnd()
          .split('\n')
          .filter(line => !line.endsWith('<unavailable>'))
        assert.ok(lines.length >= 24)
        const own = ours('frame 0 info registers').split('\n')
        for (const line of lines) assert.ok(own.includes(line.trimEnd()), line)
      })

      test('p $pc, in the innermost frame and in main.main', () => {
        assert.equal(
          squeezed(gdb('p $pc').replace(/^\$\d+ = \(void \(\*\)\(\)\) /, '')),
          squeezed(ours('frame 0 p $pc')),
        )
        assert.equal(
          squeezed(there('p $pc').replace(/^\$\d+ = \(void \(\*\)\(\)\) /, '')),
          squeezed(ours('p $pc')),
        )
      })

      test('info symbol $pc', () => {
        assert.equal(ours('info symbol $pc').trim(), there('info symbol $pc').replace(/ in section .*/s, ''))
      })

      test('x/30i $pc', () => {
        const code = (text: string): string[] =>
          text
            .trimEnd()
            .split('\n')
            .map(line => squeezed(line.replace(/^(=>| {2}) (0x[0-9a-f]+)(?: <\S+>)?:/, '$1 $2')))
        assert.deepEqual(code(ours('frame 0 x/30i $pc')), code(gdb('x/30i $pc')))
        assert.deepEqual(code(ours('x/5i $pc')), code(there('x/5i $pc')))
      })

      test('p main.messages', () => {
        const text = gdb('p main.messages')
        const strings = [...text.matchAll(/(0x[0-9a-f]+) "((?:[^"\\]|\\.)*)"/g)]
        assert.deepEqual(
          strings.map(match => match[2]),
          messages,
        )
        const addresses = messages.map((_, i) => `p/x *(*uintptr)(&main.messages[${i}])`)
        assert.equal(answer(kind, ...addresses), strings.map(match => `${match[1]}\n`).join(''))
        assert.match(ours('p len(main.messages)'), /^6$/m)
      })

      test('x/2gx', () => {
        assert.equal(squeezed(ours('x/2gx &main.messages')), squeezed(there('x/2gx &main.messages')))
      })

      test('list', () => {
        const numbered = (text: string, row: RegExp): Map<number, string> =>
          new Map([...text.matchAll(row)].map(([, number, line]) => [Number(number), line!.trim()]))
        const own = numbered(ours('frame main.main list'), /^(?:=>| {2}) *(\d+):\t(.*)$/gm)
        const lines = numbered(there('list'), /^(\d+)\t(.*)$/gm)
        assert.ok(lines.size >= 9)
        for (const [number, line] of lines) if (own.has(number)) assert.equal(own.get(number), line)
        assert.match(gdb('frame function main.main'), /main\.go:34$/m)
      })

      test('info locals and bt full', () => {
        const channel = /^ch = (0x[0-9a-f]+|<optimized out>)$/m.exec(there('info locals'))?.[1]
        assert.ok(channel, there('info locals'))
        assert.match(ours('info locals'), /^ch = chan string 0\/0/)
        if (channel.startsWith('0x')) assert.equal(ours('p/x *(*uintptr)(&ch)'), `${channel}\n`)
        // The same frames have the same variables, whatever is known of them.
        const own = ours('bt full')
          .split(/^ *\d+ {2}0x/m)
          .slice(1)
        const gdbs = gdb('bt full')
          .split(/^#\d+ +/m)
          .slice(1)
          .filter(part => !/^(?:<signal|.*runtime\.sigtramp \()/.test(part))
        const names = (text: string): string[] =>
          [...new Set([...text.matchAll(/^ {8}(\S+) = /gm)].map(match => match[1]!))].sort()
        for (const [i, part] of gdbs.entries()) {
          const [head = ''] = part.split('\n')
          const given = [...(/ \((.*)\) at /.exec(head)?.[1] ?? '').matchAll(/(?:^|, )([^\s=,]+)=/g)].map(
            match => match[1]!,
          )
          assert.deepEqual(
            names(own[i]!.replaceAll(/^ {4}/gm, '    ')),
            [...new Set([...given, ...names(part)])].sort(),
            head,
          )
        }
      })
    })

  test('dlv says the same of the same crash', {
    skip: spawnSync('dlv', ['version']).error ? 'needs dlv' : false,
  }, () => {
    const { core, executable } = crashOf('unoptimised')
    const commands = [
      'p main.messages',
      'whatis main.messages',
      'goroutines',
      'threads',
      'p len(main.messages[0])',
    ]
    const { stdout, stderr, status, error } = spawnSync(
      'dlv',
      ['core', '--check-go-version=false', '--allow-non-terminal-interactive=true', executable, core],
      {
        input: `${commands.join('\n')}\nexit\n`,
        encoding: 'utf8',
        env: { ...process.env, TERM: 'dumb', NO_COLOR: '1' },
      },
    )
    assert.equal(status, 0, `dlv: ${error ?? ''} ${stderr}`)
    const theirs = stdout
      .replaceAll(/\x1b\[\d*m/g, '')
      .split('(dlv) ')
      .slice(1)
    const [value, type, goroutines, threads, length] = theirs
    assert.equal(answer('unoptimised', 'p main.messages'), value)
    assert.equal(answer('unoptimised', 'whatis main.messages'), type)
    assert.equal(answer('unoptimised', 'p len(main.messages[0])'), length)
    // Which is marked, and which thread comes first, is the runtime's chance: the one that was last to hear of the panic.
    const ids = (text: string): string[] =>
      [...text.matchAll(/(?:\* | {2})Goroutine (\d+) - User/g)].map(match => match[1]!).sort()
    assert.deepEqual(ids(answer('unoptimised', 'goroutines')), ids(goroutines!))
    const pcs = (text: string): string[] =>
      [...text.matchAll(/Thread (\d+ at 0x[0-9a-f]+)/g)].map(match => match[1]!).sort()
    assert.deepEqual(pcs(answer('unoptimised', 'threads')), pcs(threads!))
  })
})
