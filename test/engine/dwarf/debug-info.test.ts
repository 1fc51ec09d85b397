/** `.debug_info` of real compilers, entry by entry against llvm-dwarfdump. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { fileSource } from '../../../scripts/fidelity.d/file-source.ts'
import type { DebugFunction, DebugInfo, DebugVariable, Scope } from '../../../src/engine/dwarf/debug-info.ts'
import { openDebugInfo } from '../../../src/engine/dwarf/open-debug-info.ts'
import { openElf } from '../../../src/engine/elf/file.ts'
import { debugPrograms } from '../../support/debug-programs.ts'

const have = (command: string): boolean =>
  spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
const skip = have('llvm-dwarfdump') ? false : 'needs llvm-dwarfdump'

const programs = debugPrograms()
after(() => programs[Symbol.dispose]())

interface Dumped {
  readonly tag: string
  readonly offset: number
  /** Attributes as they are printed, lists in several lines. */
  readonly values: Map<string, string>
}

/** The entries as llvm-dwarfdump prints them, by offset. */
function dump(path: string): Map<number, Dumped> {
  const { stdout } = spawnSync('llvm-dwarfdump', ['--debug-info', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  const entries = new Map<number, Dumped>()
  let entry: Dumped | undefined
  let attribute = ''
  for (const line of stdout.split('\n')) {
    const head = /^0x([0-9a-f]+): +(DW_TAG_\w+)/.exec(line)
    const value = /^ +(DW_AT_\w+)\t\((.*)$/.exec(line)
    if (head) {
      entry = { tag: head[2]!, offset: Number.parseInt(head[1]!, 16), values: new Map() }
      entries.set(entry.offset, entry)
    } else if (value && entry) {
      attribute = value[1]!
      entry.values.set(attribute, value[2]!)
    } else if (entry && line.includes('[0x'))
      entry.values.set(attribute, `${entry.values.get(attribute)}\n${line}`)
  }
  return entries
}

const textOf = (entry: Dumped | undefined, attribute: string): string | undefined =>
  unquoted(/^"(.*)"\)$/s.exec(entry?.values.get(attribute) ?? '')?.[1])
/** Bytes beyond ASCII are printed in octal. */
const unquoted = (text: string | undefined): string | undefined =>
  text === undefined
    ? undefined
    : Buffer.from(
        text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
          code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
        ),
        'latin1',
      ).toString()
const hexOf = (entry: Dumped, attribute: string): number | undefined => {
  const digits = /^0x([0-9a-f]+)/.exec(entry.values.get(attribute) ?? '')?.[1]
  return digits === undefined ? undefined : Number.parseInt(digits, 16)
}
/** Without those that hold nothing, which compilers write, too. */
const rangesOf = (entry: Dumped, attribute: string): string[] =>
  [...(entry.values.get(attribute) ?? '').matchAll(/\[0x([0-9a-f]+), 0x([0-9a-f]+)\)/g)]
    .map(([, low, high]) => [Number.parseInt(low!, 16), Number.parseInt(high!, 16)] as const)
    .filter(([low, high]) => high > low)
    .map(([low, high]) => `${low.toString(16)}-${high.toString(16)}`)

function open(path: string): DebugInfo {
  const info = openDebugInfo(openElf(fileSource(path)))
  assert.ok(info)
  return info
}

function* variablesIn(scope: Scope): Generator<DebugVariable> {
  yield* scope.variables
  for (const inner of scope.scopes) yield* variablesIn(inner)
}

/** The entry that has the attribute: the entry itself or what it is a copy of. */
function origin(entries: Map<number, Dumped>, entry: Dumped, attribute: string): Dumped {
  let at = entry
  for (let n = 0; n < 4 && !at.values.has(attribute); n++) {
    const next = hexOf(at, 'DW_AT_abstract_origin') ?? hexOf(at, 'DW_AT_specification')
    const found = next === undefined ? undefined : entries.get(next)
    if (!found) break
    at = found
  }
  return at
}

/** Functions by address with their variables' names, lines and places; returns how many of each were compared. */
function compare(info: DebugInfo, entries: Map<number, Dumped>): { functions: number; variables: number } {
  const counted = { functions: 0, variables: 0 }
  for (const entry of entries.values()) {
    if (entry.tag !== 'DW_TAG_subprogram') continue
    const range = rangesOf(entry, 'DW_AT_ranges')[0]?.split('-')[0]
    const low = range === undefined ? hexOf(entry, 'DW_AT_low_pc') : Number.parseInt(range, 16)
    if (low === undefined || low === 0) continue
    const found = info.functionAt(low)
    const name = textOf(origin(entries, entry, 'DW_AT_name'), 'DW_AT_name')
    // Two functions may have one body.
    if (found?.offset !== entry.offset) {
      assert.equal(found?.low, low, name ?? '')
      continue
    }
    assert.equal(found.name, name)
    if (!range) assert.equal(found.high, hexOf(entry, 'DW_AT_high_pc'), found.name)
    counted.functions++
    counted.variables += compareVariables(found, entries)
  }
  return counted
}

function compareVariables(func: DebugFunction, entries: Map<number, Dumped>): number {
  let count = 0
  for (const variable of variablesIn(func.scope())) {
    const entry = entries.get(variable.offset)
    assert.ok(entry, `${func.name}: no entry at ${variable.offset}`)
    const where = `${func.name} ${variable.name}`
    const name = textOf(origin(entries, entry, 'DW_AT_name'), 'DW_AT_name')
    assert.equal(variable.escaped ? `&${variable.name}` : variable.name, name ?? '', where)
    const line = origin(entries, entry, 'DW_AT_decl_line').values.get('DW_AT_decl_line')
    assert.equal(variable.declLine, Number.parseInt(line ?? '0', 10), where)
    const listed = rangesOf(entry, 'DW_AT_location')
    const ranges = variable.locations().map(({ low, high }) => `${low.toString(16)}-${high.toString(16)}`)
    if (listed.length > 0) assert.deepEqual(ranges, listed, where)
    const typed = hexOf(origin(entries, entry, 'DW_AT_type'), 'DW_AT_type')
    const typeName = textOf(entries.get(typed ?? 0), 'DW_AT_name')
    if (func.language === 'go' && !variable.escaped && typeName && !typeName.startsWith('.'))
      assert.equal(variable.type().name, typeName, where)
    count++
  }
  return count
}

const goBuilds: readonly [string, readonly string[], Readonly<Record<string, string>>][] = [
  ['1.19', [], {}],
  ['1.21', ['-gcflags=all=-N -l'], {}],
  ['1.24', ['-ldflags=-compressdwarf=false'], {}],
  ['1.25', ['-buildmode=pie'], {}],
  ['1.26', [], {}],
  ['1.26', [], { GOEXPERIMENT: 'nodwarf5' }],
  ['1.27', [], {}],
]
for (const [version, flags, env] of goBuilds)
  test(`openDebugInfo() tells what is in a program of Go ${version} ${[...flags, ...Object.values(env)].join(' ')}`, {
    skip,
  }, t => {
    const path = programs.go(version, flags, env)
    if (path === undefined) return t.skip(`no Go ${version}`)
    const info = open(path)
    const { functions, variables } = compare(info, dump(path))
    assert.ok(functions > 1000 && variables > 5000, `${functions} functions, ${variables} variables`)
    assert.deepEqual(info.warnings, [])
  })

const cBuilds: readonly (readonly string[])[] = [
  ...['2', '3', '4', '5'].flatMap(version => [
    ['-O0', `-gdwarf-${version}`],
    ['-O2', `-gdwarf-${version}`],
  ]),
  ['-O2', '-gdwarf-5', '-gdwarf64'],
  ['-O1', '-gdwarf-5', '-fdebug-types-section'],
  ['-O1', '-gdwarf-4', '-fdebug-types-section'],
  ['-O1', '-g', '-gz=zlib'],
  ['-O1', '-g', '-gz=zlib-gnu'],
]
for (const flags of cBuilds)
  test(`openDebugInfo() tells what is in a program of C ${flags.join(' ')}`, { skip }, t => {
    const path = programs.c(flags.join(''), flags)
    if (path === undefined) return t.skip('gcc does not build it')
    const info = open(path)
    const { functions, variables } = compare(info, dump(path))
    assert.ok(functions >= 3 && variables >= 10, `${functions} functions, ${variables} variables`)
    const [deep] = info.findFunctions('deep')
    const node = deep?.scope().variables[0]?.type()
    assert.equal(node?.name, 'struct node *')
    const struct = node?.kind === 'pointer' ? node.elem() : undefined
    assert.ok(struct?.kind === 'struct')
    assert.deepEqual(
      struct.fields().map(field => `${field.offset} ${field.name}: ${field.type().name}`),
      [
        ...['0 next: struct node *', '8 name: const char *', '16 color: enum color', '20 u: union both'],
        ...[
          '32 bits: struct bits',
          '40 matrix: word [2][3]',
          '88 fn: int (*)(int, const char *)',
          '96 in: struct {...}',
        ],
      ],
    )
    const bits = struct.fields()[4]!.type()
    assert.ok(bits.kind === 'struct')
    assert.deepEqual(
      bits.fields().map(({ name, offset, bits: part }) => [name, offset * 8 + part!.offset, part!.size]),
      [
        ['a', 0, 3],
        ['b', 3, 7],
        ['c', 10, 12],
        ['d', 22, 40],
      ],
    )
    assert.equal(info.findGlobal('counter')?.type().name, 'int')
    assert.equal(
      info.findGlobal('ratio')?.type().name,
      flags.includes('-gdwarf-2') ? info.findGlobal('ratio')?.type().name : 'const volatile double',
    )
  })
