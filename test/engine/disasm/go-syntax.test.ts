import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { build, haveGo } from '../../../scripts/fidelity.d/toolchains.ts'
import { goRegister, goSyntax } from '../../../src/engine/disasm/go-syntax.ts'
import type { Instruction } from '../../../src/engine/disasm/instruction.ts'
import { decodeText, goObjdump, openProgram, symbolsOf } from './objdump.ts'

const noSymbols = (): undefined => undefined
const skip = haveGo() ? false : 'needs Go'

/** Negative displacements of 32 bits, which the tool prints without their sign. */
const signed = (text: string): string =>
  text.replace(
    /(?<![\w$])0x([89a-f][0-9a-f]{7})(?=\()/g,
    (_, hex: string) => `-0x${(0x1_0000_0000 - Number.parseInt(hex, 16)).toString(16)}`,
  )
/** Compared operands, which Go before 1.23 printed the other way round. */
const reversed = (text: string): string => text.replace(/^(CMP[BWLQ]) (.*), ([^,]*)$/, '$1 $3, $2')
/** VEX, EVEX: the tool before Go 1.27 knew few of them and took others for something else. */
const isVector = ({ bytes }: Instruction): boolean => [0xc4, 0xc5, 0x62].includes(bytes[0]!)

describe('goSyntax() and go tool objdump', { skip }, () => {
  for (const go of ['1.19', '1.24', '1.27'])
    it(`say the same of every instruction of a program of Go ${go}`, async t => {
      const bin = await build(go, 'full', ['wait-http'])
      if (bin === undefined) return t.skip(`Go ${go} is not to be had`)
      const path = join(bin, 'wait-http')
      const elf = openProgram(path)
      const symbolAt = symbolsOf(elf)
      const said = goObjdump(path, go)
      const odd: string[] = []
      const counts = { compared: 0, equal: 0, signed: 0, vector: 0, immediate: 0 }
      for (const instruction of await decodeText(elf, 'go')) {
        const theirs = said.get(instruction.addr)
        if (theirs === undefined || theirs === '?') continue
        counts.compared++
        const ours = goSyntax(instruction, symbolAt)
        const expected = Number(go.split('.')[1]) < 23 ? reversed(theirs) : theirs
        if (ours === expected) counts.equal++
        else if (ours === signed(expected)) counts.signed++
        else if (isVector(instruction)) counts.vector++
        // A number that happens to be an address is called by the symbol there.
        else if (/\$[^,]*\(SB\)/.test(theirs)) counts.immediate++
        else odd.push(`${instruction.addr.toString(16)} ${ours} | ${theirs}`)
      }
      t.diagnostic(
        `${((100 * counts.equal) / counts.compared).toFixed(2)} % of ${counts.compared} lines equal; ${JSON.stringify(counts)}`,
      )
      assert.ok(counts.compared > 100_000)
      assert.ok(counts.equal / counts.compared > 0.99, odd.slice(0, 10).join('\n'))
      // What no rule above explains: symbols without a size, prefixes without a meaning.
      assert.ok(odd.length / counts.compared < 0.002, odd.slice(0, 10).join('\n'))
    })
})

describe('goSyntax()', () => {
  const rows: [string, Partial<Instruction> & Pick<Instruction, 'mnemonic' | 'bytes'>][] = [
    ['?', { mnemonic: '(bad)', bytes: Uint8Array.of(6) }],
    ['RET', { mnemonic: 'ret', bytes: Uint8Array.of(0xc3) }],
    ['INT $0x3', { mnemonic: 'int3', bytes: Uint8Array.of(0xcc) }],
    [
      'ADDQ $-0x80, SP',
      {
        mnemonic: 'add',
        bytes: Uint8Array.of(0x48, 0x83, 0xc4, 0x80),
        operands: [
          { kind: 'register', name: 'rsp' },
          { kind: 'immediate', value: -128n, bits: 64 },
        ],
      },
    ],
  ]
  for (const [text, instruction] of rows)
    it(text, () =>
      assert.equal(
        goSyntax({ addr: 0, operands: [], flow: 'next', text: '', ...instruction }, noSymbols),
        text,
      ),
    )
})

describe('goRegister()', () => {
  const rows = [
    ['rax', 'AX'],
    ['eax', 'AX'],
    ['ax', 'AX'],
    ['al', 'AL'],
    ['sil', 'SI'],
    ['r8d', 'R8'],
    ['r15b', 'R15'],
    ['xmm15', 'X15'],
    ['ymm3', 'Y3'],
    ['rip', 'IP'],
    ['k1', 'K1'],
  ] as const
  for (const [name, go] of rows) it(name, () => assert.equal(goRegister(name), go))
})
