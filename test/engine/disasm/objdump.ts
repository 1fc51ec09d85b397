/** What `objdump` and `go tool objdump` say of a program, by address, and what the engine says of the same bytes. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { releases } from '../../../scripts/fidelity.d/toolchains.ts'
import { loadDisassembler } from '../../../src/cli/disassembler.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import type { CodeSymbol } from '../../../src/engine/disasm/index.ts'
import type { Instruction, Syntax } from '../../../src/engine/disasm/instruction.ts'
import { type ElfFile, openElf } from '../../../src/engine/elf/file.ts'

const most = { maxBuffer: 1 << 30, encoding: 'latin1' } as const

export const openProgram = (path: string): ElfFile => openElf(bytesSource(basename(path), readFileSync(path)))

/** Every instruction of the program's text. */
export async function decodeText(elf: ElfFile, syntax: Syntax): Promise<Instruction[]> {
  const text = elf.section('.text')!
  return (await loadDisassembler()).decode(text.bytes(), text.addr, syntax, Number.POSITIVE_INFINITY)
}

export function binutils(path: string, syntax: 'gnu' | 'intel'): Map<number, string> {
  const flavour = syntax === 'intel' ? ['-M', 'intel'] : []
  const out = execFileSync('objdump', ['-d', '--no-show-raw-insn', '-j', '.text', ...flavour, path], most)
  return new Map(
    [...out.matchAll(/^ +([0-9a-f]+):\t(.*)$/gm)].map(([, addr, text]) => [
      Number.parseInt(addr!, 16),
      // Its own comments and symbols are the engine's to add.
      text!
        .replace(/ +#.*$/, '')
        .replace(/ <[^>]*>$/, '')
        .trimEnd(),
    ]),
  )
}

export function goObjdump(path: string, go: string): Map<number, string> {
  const env = { ...process.env, GOTOOLCHAIN: `go${releases[go]}`, GOFLAGS: '' }
  const out = execFileSync('go', ['tool', 'objdump', path], {
    ...most,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const found = new Map<number, string>()
  for (const line of out.split('\n')) {
    if (!line.startsWith('  ')) continue
    const [, addr, , text] = line.trim().split(/\t+/)
    if (addr !== undefined && text !== undefined) found.set(Number.parseInt(addr, 16), text)
  }
  return found
}

/** As `go tool objdump` looks symbols up: those with a size, of several at one place the first. */
export function symbolsOf(elf: ElfFile): (addr: number) => CodeSymbol | undefined {
  const sorted = elf
    .symbols()
    .filter(({ value, size, type }) => value !== 0 && size > 0 && type < 3)
    .sort((a, b) => a.value - b.value)
  return addr => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle]!.value <= addr) low = middle + 1
      else high = middle
    }
    const symbol = sorted[low - 1]
    return symbol && addr < symbol.value + symbol.size
      ? { name: symbol.name, start: symbol.value }
      : undefined
  }
}
