import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CrashedPrograms, crashPrograms, whyNoCrashes } from '../../support/crashed-programs.ts'
import { runCli } from '../run-cli.ts'

const have = (tool: string): boolean =>
  spawnSync(tool, ['--version']).status === 0 || spawnSync(tool, ['version']).status === 0
const skip = whyNoCrashes() ?? false
let crashed: CrashedPrograms | undefined
before(async () => {
  if (skip === false) crashed = await crashPrograms('1.26', 'full', ['error-nil-deref'])
})
after(() => crashed?.[Symbol.dispose]())

const crash = () => crashed!.crashes[0]!
function cli(verb: string, ...args: string[]): string {
  const { core, executable } = crash()
  const positionals = verb === 'x' ? [args.shift()!, core] : [core]
  const outcome = runCli([verb, ...positionals, '--exe', executable, ...args])
  assert.equal(outcome.status, 0, outcome.stderr)
  return outcome.stdout
}
/** What dlv answers to commands, without its prompts. */
function dlv(...commands: string[]): string {
  const { core, executable } = crash()
  const args = ['core', '--allow-non-terminal-interactive=true', executable, core]
  const input = `${commands.join('\n')}\nexit\n`
  return execFileSync('dlv', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] }).replace(
    /^(\(dlv\) )+/gm,
    '',
  )
}
function gdb(...commands: string[]): string {
  const { core, executable } = crash()
  const args = ['-q', '-nx', '-batch', ...commands.flatMap(command => ['-ex', command]), executable, core]
  return execFileSync('gdb', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
const columns = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim().replace(/\s+/g, ' '))
    .filter(line => line !== '')
const dlvSkip = have('dlv') ? false : 'needs dlv'
const gdbSkip = have('gdb') ? false : 'needs gdb'

describe('disass', { skip }, () => {
  it('marks the instruction that faulted and says which register was wrong', () => {
    const lines = columns(cli('disass'))
    assert.match(lines[0]!, /^TEXT main\.second\(SB\) \S+main\.go$/)
    const at = lines.findIndex(line => line.startsWith('=>'))
    assert.match(lines[at]!, /^=> main\.go:10 0x[0-9a-f]+ 488b4118 mov rax,QWORD PTR \[rcx\+0x18\]$/)
    assert.equal(lines[at + 1], '^ SIGSEGV: reads 8 bytes at address 0x18 = rcx + 0x18: rcx was 0x0')
  })

  it('has the lines, addresses and bytes that dlv has', { skip: dlvSkip }, () => {
    const facts = (text: string): string[] =>
      columns(text).flatMap(line => /^(?:=> )?(\S+:\d+ 0x[0-9a-f]+ [0-9a-f]+) /.exec(line)?.[1] ?? [])
    const theirs = facts(dlv('disassemble -l runtime.gopanic'))
    assert.ok(theirs.length > 50)
    assert.deepEqual(facts(cli('disass', '-l', 'runtime.gopanic', '--plain')), theirs)
  })

  it('says the same as JSON', () => {
    const { instructions, ...head } = JSON.parse(cli('disass', '-s', 'go', '--json'))
    assert.equal(head.function, 'main.second')
    const here = instructions.find((row: { here: boolean }) => row.here)
    assert.equal(here.text, 'MOVQ 0x18(CX), AX')
    assert.match(here.fault, /^SIGSEGV: /)
  })

  it('refuses ranges that are none', () => {
    const { core, executable } = crash()
    for (const range of ['0x10', '0x2000,0x1000', '0x401000,0x901000', 'nowhere,0x1'])
      assert.notEqual(runCli(['disass', core, '--exe', executable, '-a', range]).status, 0, range)
  })
})

describe('regs', { skip }, () => {
  it('prints what dlv prints', { skip: dlvSkip }, () =>
    assert.deepEqual(
      columns(cli('regs', '--frame', '0')),
      columns(dlv('regs')).filter(line => line.includes(' = ')),
    ),
  )

  it('prints what gdb prints, and more where gdb has less', { skip: gdbSkip }, () => {
    const ours = cli('regs', '--frame', '0', '--style', 'gdb').split('\n')
    const theirs = gdb('info registers').split('\n')
    for (const line of theirs.slice(theirs.findIndex(text => text.startsWith('rax'))))
      if (line !== '' && !line.includes('<unavailable>')) assert.ok(ours.includes(line), line)
  })

  it('prints vector registers as dlv does', { skip: dlvSkip }, () => {
    const theirs = columns(dlv('regs -a')).filter(line => /^(?:XMM|ST\(|MXCSR|CW|SW)/.test(line))
    const ours = columns(cli('regs', '--frame', '0', '-a'))
    // dlv has the lower half alone where it can't tell where the upper one is.
    for (const line of theirs) assert.ok(ours.includes(line), line)
  })

  it('knows fewer of a caller, and says so by leaving them out', () => {
    const lines = columns(cli('regs', '--frame', 'main.main'))
    assert.ok(lines.some(line => line.startsWith('Rip = ')))
    assert.ok(!lines.some(line => line.startsWith('Rax = ')))
  })
})

describe('x', { skip }, () => {
  it('prints what examinemem of dlv prints', { skip: dlvSkip }, () => {
    const forms = [
      ['hex', 20, 1],
      ['hex', 10, 8],
      ['dec', 10, 4],
      ['oct', 10, 4],
      ['bin', 4, 2],
    ] as const
    const address = '0x401000'
    for (const [fmt, count, size] of forms) {
      const theirs = dlv(`examinemem -fmt ${fmt} -count ${count} -size ${size} ${address}`)
      const ours = cli('x', address, '--fmt', fmt, '--count', String(count), '--size', String(size))
      assert.deepEqual(
        columns(ours),
        columns(theirs).filter(line => line.startsWith('0x')),
        fmt,
      )
    }
  })

  it('prints what gdb prints', { skip: gdbSkip }, () => {
    for (const format of [
      '8gx',
      '8xb',
      '3dw',
      '9ow',
      '4tb',
      '5c',
      '3a',
      '12uh',
      '4zw',
      '7dg',
      '3xh',
      '3fg',
      '5fw',
    ]) {
      const theirs = columns(gdb('echo BEGIN\\n', `x/${format} $sp`))
      const expected = theirs.slice(theirs.indexOf('BEGIN') + 1)
      assert.deepEqual(columns(cli('x', '$sp', '--frame', '0', '--gdb', format)), expected, format)
    }
  })

  it('prints instructions as gdb does', { skip: gdbSkip }, () => {
    const theirs = columns(gdb('echo BEGIN\\n', "x/12i 'main.main'"))
    assert.deepEqual(
      columns(cli('x', 'main.main', '--gdb', '12i', '--frame', '0')),
      theirs.slice(theirs.indexOf('BEGIN') + 1),
    )
  })

  it('ends where memory does', () => {
    const outcome = runCli(['x', '0x10', crash().core, '--exe', crash().executable])
    assert.equal(outcome.status, 3)
    assert.match(outcome.stderr, /Address 0x10 is neither in the core/)
  })
})

describe('list', { skip }, () => {
  it('shows the line of the crash', () =>
    assert.match(
      cli('list'),
      /^Showing \S+main\.go:10 \(PC: 0x[0-9a-f]+\)\n[\s\S]*\n=> {2}10:\tfunc second\(n \*node\)/,
    ))

  it('shows the lines that dlv shows', { skip: dlvSkip }, () => {
    const numbers = (text: string): string[] => [...text.matchAll(/^\S*\s*(\d+):/gm)].map(match => match[1]!)
    const plain = dlv('list main.main').replace(/\u001b\[[0-9;]*m/g, '')
    assert.deepEqual(numbers(cli('list', '-l', 'main.main')), numbers(plain))
  })

  it('gives file and line, and one hint, where the source is not there', () => {
    const copy = join(crash().core, '..', 'absent')
    writeFileSync(copy, '')
    const text = cli('list', '-l', 'runtime.gopanic', '--source-map', `/=${copy}`)
    assert.match(text, /^Showing \S+panic\.go:\d+/)
  })
})

describe('sources, packages, libraries', { skip }, () => {
  it('are those of dlv', { skip: dlvSkip }, () => {
    const theirs = columns(dlv('sources error-nil-deref')).filter(line => line.startsWith('/'))
    assert.deepEqual(columns(cli('sources', '-e', 'error-nil-deref')), theirs)
    const packages = columns(cli('packages'))
    for (const name of ['main', 'runtime', 'internal/abi']) assert.ok(packages.includes(name), name)
    assert.match(cli('libraries'), /^\(no shared libraries/)
    assert.deepEqual(JSON.parse(cli('libraries', '--json')).libraries, [])
  })
})
