import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { build, haveGo } from '../../../scripts/fidelity.d/toolchains.ts'
import { loadDisassembler } from '../../../src/cli/disassembler.ts'
import { amd64 } from '../../../src/engine/arch/amd64.ts'
import { compareGoCode } from '../../../src/engine/disasm/same-code.ts'
import { openProgram } from './objdump.ts'

const skip = haveGo() ? false : 'needs Go'
const program = async (go: string, kind: string, name = 'wait-http') => {
  const bin = await build(go, kind, [name])
  return bin === undefined ? undefined : openProgram(join(bin, name))
}

describe('compareGoCode()', { skip }, () => {
  for (const go of ['1.19', '1.24', '1.26', '1.27'])
    for (const [ran, lent] of [
      ['stripped', 'full'],
      ['pie-stripped', 'pie'],
      ['full', 'trimpath'],
    ] as const) {
      // Its distribution has the C code of runtime/cgo compiled by another compiler; -trimpath compiles it anew.
      if (go === '1.19' && lent === 'trimpath') continue
      it(`finds ${ran} and ${lent} of Go ${go} to be the same code, and each variable's place`, async t => {
        const [own, other] = [await program(go, ran), await program(go, lent)]
        if (!own || !other) return t.skip(`Go ${go} is not to be had`)
        const result = compareGoCode(own, other, amd64, await loadDisassembler())
        assert.ok(result.same, result.same ? '' : result.difference)
        // The truth is to be had where the program that ran has symbols: full builds are their own mirror.
        const mirror = ran === 'stripped' || ran === 'pie-stripped' ? undefined : own
        const addresses = new Map(mirror?.symbols().map(({ name, value }) => [name, value]))
        let [known, all] = [0, 0]
        for (const { name, value, size, type } of other.symbols()) {
          if (type !== 1 || size === 0 || !/^runtime\.[a-z]\w*$/.test(name)) continue
          all++
          const here = result.translate(value)
          if (here !== undefined) known++
          if (here !== undefined && addresses.has(name)) assert.equal(here, addresses.get(name), name)
        }
        assert.ok(known > all / 3, `${known} of ${all} variables are known`)
      })
    }

  it('says what differs: flags, versions, functions', async t => {
    const disassembler = await loadDisassembler()
    const own = await program('1.26', 'stripped')
    const [unoptimised, older, another] = [
      await program('1.26', 'unoptimised'),
      await program('1.24', 'full'),
      await program('1.26', 'full', 'wait-io'),
    ]
    if (!own || !unoptimised || !older || !another) return t.skip('not all Go versions are to be had')
    const said = (other: typeof own): string => {
      const result = compareGoCode(own, other, amd64, disassembler)
      assert.ok(!result.same)
      return result.difference
    }
    assert.match(
      said(unoptimised),
      /the first function that differs.*-gcflags is all=-N -l there and nothing in the program/,
    )
    assert.equal(said(older), 'was built by go1.24.9, the program by go1.26.8')
    assert.match(said(another), /^has /)
  })
})
