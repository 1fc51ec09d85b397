import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { build, haveGo } from '../../../scripts/fidelity.d/toolchains.ts'
import { loadDisassembler } from '../../../src/cli/disassembler.ts'
import { binutils, decodeText, openProgram } from './objdump.ts'

const work = mkdtempSync(join(tmpdir(), 'gocore-objdump-'))
after(() => rmSync(work, { recursive: true }))
const have = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0
const skip = have('objdump') ? false : 'needs objdump'

/** Prefixes that mean nothing there (`rex.W hlt`, `ds cltd`) are in data between functions. */
const meaningless = /^(?:rex\S* |ds |[c-g]s |data16 |repz |bnd )/

async function compare(path: string, syntax: 'gnu' | 'intel'): Promise<{ share: number; odd: string[] }> {
  const said = binutils(path, syntax)
  const odd: string[] = []
  let compared = 0
  for (const { addr, text, operands } of await decodeText(openProgram(path), syntax)) {
    const theirs = said.get(addr)
    if (theirs === undefined) continue
    compared++
    const ours = operands[0]?.kind === 'target' ? text.replace(/0x([0-9a-f]+)$/, '$1') : text
    if (ours !== theirs && !meaningless.test(theirs)) odd.push(`${addr.toString(16)} ${ours} | ${theirs}`)
  }
  assert.ok(compared > 1000)
  return { share: 1 - odd.length / compared, odd }
}

describe('Intel’s and AT&T syntax and objdump', { skip }, () => {
  for (const syntax of ['gnu', 'intel'] as const) {
    it(`say the same of a Go program: ${syntax}`, { skip: haveGo() ? false : 'needs Go' }, async t => {
      const bin = await build('1.26', 'full', ['wait-http'])
      if (bin === undefined) return t.skip('Go 1.26 is not to be had')
      const { share, odd } = await compare(join(bin, 'wait-http'), syntax)
      t.diagnostic(`${(100 * share).toFixed(4)} % equal`)
      assert.ok(share > 0.9998, odd.slice(0, 10).join('\n'))
    })

    it(`say the same of a C library: ${syntax}`, { skip: have('ldd') ? false : 'needs ldd' }, async t => {
      const path = /\/\S*libc\.so\S*/.exec(execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' }))?.[0]
      if (path === undefined) return t.skip('no libc is shared here')
      const { share, odd } = await compare(path, syntax)
      t.diagnostic(`${(100 * share).toFixed(4)} % equal`)
      assert.ok(share > 0.985, odd.slice(0, 20).join('\n'))
    })
  }
})

describe('loadDisassembler()', () => {
  it('goes on behind bytes that begin no instruction, and behind an end', async () => {
    const decoder = await loadDisassembler()
    const list = decoder.decode(Uint8Array.of(0x06, 0x90, 0x48, 0x8b), 0x1000, 'intel', 100)
    assert.deepEqual(
      list.map(({ addr, mnemonic }) => [addr, mnemonic]),
      [
        [0x1000, '(bad)'],
        [0x1001, 'nop'],
        [0x1002, '(bad)'],
        [0x1003, '(bad)'],
      ],
    )
  })

  it('decodes no more than is asked for, and any bytes at all', async () => {
    const decoder = await loadDisassembler()
    assert.equal(decoder.decode(new Uint8Array(1000).fill(0x90), 0, 'gnu', 7).length, 7)
    let seed = 1
    const noise = Uint8Array.from({ length: 50_000 }, () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return seed >> 16
    })
    for (const syntax of ['go', 'intel', 'gnu'] as const) {
      const list = decoder.decode(noise, 0x7ff0_0000_0000, syntax, Number.POSITIVE_INFINITY)
      const bytes = list.reduce((sum, instruction) => sum + instruction.bytes.length, 0)
      assert.equal(bytes, noise.length)
    }
  })
})
