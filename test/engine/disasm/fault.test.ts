import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadDisassembler } from '../../../src/cli/disassembler.ts'
import { explainFault } from '../../../src/engine/disasm/fault.ts'

const [disassembler] = [await loadDisassembler()]
const first = (...bytes: number[]) => disassembler.decode(Uint8Array.from(bytes), 0x1000, 'intel', 1)[0]!
const fault = (address?: bigint) => ({ pc: 0x1000, ...(address === undefined ? {} : { address }) })

describe('explainFault()', () => {
  it('names the register of an operand that has one', () =>
    assert.equal(
      explainFault(first(0x48, 0x8b, 0x41, 0x18), fault(0x18n)),
      'reads 8 bytes at address 0x18 = rcx + 0x18: rcx was 0x0',
    ))
  it('tells a write from a read', () =>
    assert.equal(
      explainFault(first(0xc7, 0x00, 1, 0, 0, 0), fault(0n)),
      'writes 4 bytes to address 0x0 = rax: rax was 0x0',
    ))
  it('takes the registers of the moment where they are known', () =>
    assert.equal(
      explainFault(first(0x0f, 0xb6, 0x14, 0x08), fault(0x2010n), name => (name === 'rax' ? 0x2000n : 0x10n)),
      'reads 1 byte at address 0x2010 = rax + rcx: rax was 0x2000 and rcx was 0x10',
    ))
  it('guesses nothing of an operand with two registers', () =>
    assert.equal(
      explainFault(first(0x0f, 0xb6, 0x14, 0x08), fault(0x2010n)),
      'reads 1 byte at address 0x2010',
    ))
  it('says that an address is not canonical, where the kernel gives none', () =>
    assert.equal(
      explainFault(first(0x48, 0x8b, 0x00), fault()),
      'reads 8 bytes at an address that is not canonical',
    ))
  it('knows divisions and instructions that are none', () => {
    assert.match(explainFault(first(0x48, 0xf7, 0xf9), fault())!, /^divides by zero/)
    assert.equal(explainFault(first(0x0f, 0x0b), fault()), 'no instruction of this machine')
  })
})
