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
    const { stdout } = spawnSync(
      'dlv',
      ['core', '--check-go-version=false', '--allow-non-terminal-interactive=true', executable, core],
      {
        input: `${commands.join('\n')}\nexit\n`,
        encoding: 'utf8',
        env: { ...process.env, TERM: 'dumb', NO_COLOR: '1' },
      },
    )
    const theirs = stdout
      .replaceAll(/\x1b\[\d*m/g, '')
      .split('(dlv) ')
      .slice(1)
    const [value, type, goroutines, threads, length] = theirs
    assert.equal(answer('unoptimised', 'p main.messages'), value)
    assert.equal(answer('unoptimised', 'whatis main.messages'), type)
    assert.equal(answer('unoptimised', 'p len(main.messages[0])'), length)
    const ids = (text: string): string[] =>
      [...text.matchAll(/(\* | {2})Goroutine (\d+) - User/g)].map(match => match[1]! + match[2])
    assert.deepEqual(ids(answer('unoptimised', 'goroutines')), ids(goroutines!))
    const pcs = (text: string): string[] =>
      [...text.matchAll(/Thread (\d+ at 0x[0-9a-f]+)/g)].map(match => match[1]!)
    assert.deepEqual(pcs(answer('unoptimised', 'threads')), pcs(threads!))
  })
})
