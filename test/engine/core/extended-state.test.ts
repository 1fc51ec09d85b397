import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readExtendedState, readXsaveLayout } from '../../../src/engine/core/extended-state.ts'

/** An XSAVE area: x87 control word, MXCSR, ST0 = 1.0, XMM1, and the components that are asked for. */
function area(size: number, components: bigint, ymm1 = 0): Uint8Array {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x37f, true)
  view.setUint16(2, 7 << 11, true) // the top of the stack is register 7
  bytes[4] = 0x80 // which alone holds something
  view.setUint32(24, 0x1fa0, true)
  view.setBigUint64(32, 1n << 63n, true)
  view.setUint16(40, 0x3fff, true)
  bytes[160 + 16] = 0x11
  if (size >= 576) view.setBigUint64(512, components, true)
  if (ymm1 !== 0) bytes[576 + 16] = ymm1
  return bytes
}

describe('readExtendedState()', () => {
  it('reads the FXSAVE area of NT_PRFPREG', () => {
    const state = readExtendedState({ fpregs: area(512, 0n) })!
    assert.equal(state.cw, 0x37f)
    assert.equal(state.mxcsr, 0x1fa0)
    assert.equal(state.tw, 0x3fff)
    assert.equal(state.vectors.length, 16)
    assert.equal(state.vectors[1]!.length, 16)
    assert.equal(state.vectors[1]![0], 0x11)
    assert.deepEqual(state.masks, [])
  })

  it('joins the halves of YMM registers', () => {
    const state = readExtendedState({ xstate: area(832, 7n, 0x22) })!
    assert.equal(state.vectors[1]!.length, 32)
    assert.equal(state.vectors[1]![16], 0x22)
  })

  it('takes a component that is in its initial state as zeros', () => {
    const state = readExtendedState({ xstate: area(832, 3n, 0x22) })!
    assert.equal(state.vectors[1]![16], 0)
  })

  it('finds components where NT_X86_XSAVE_LAYOUT says', () => {
    const layout = new Uint8Array(32)
    const view = new DataView(layout.buffer)
    for (const [i, word] of [2, 256, 576, 0, 5, 64, 1000, 0].entries()) view.setUint32(4 * i, word, true)
    const xstate = area(1100, 0x27n)
    xstate[1000] = 0x33
    const state = readExtendedState({ xstate, layout: readXsaveLayout(layout) })!
    assert.equal(state.masks[0], 0x33n)
  })

  it('leaves out what the area is too short for, and all of it where it is no area', () => {
    assert.equal(readExtendedState({ xstate: area(700, 7n) })!.vectors[0]!.length, 16)
    assert.equal(readExtendedState({ fpregs: new Uint8Array(100) }), undefined)
    assert.equal(readExtendedState({}), undefined)
  })
})
