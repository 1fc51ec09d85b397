/** Registers of the frame that faulted, against those that the dying program printed (runtime.dumpregs). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { amd64DwarfNames } from '../../../src/engine/dwarf/unwind.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'

const skip = whyNoCrashes() ?? false
const programs = ['asm-illegal', 'cgo-segv', 'signal-trap', 'signal-segv-outside']

for (const go of ['1.19', '1.26'])
  test(`the frame that a signal ended has the registers of that moment, Go ${go}`, { skip }, async t => {
    using crashed = await crashPrograms(go, 'full', programs)
    if (!crashed) return t.skip(`no Go ${go}`)
    let compared = 0
    for (const crash of crashed.crashes) {
      // Other threads print theirs behind: the first one's are those of the fault.
      const printed = new Map<string, bigint>()
      for (const [, name, value] of readFileSync(crash.text, 'utf8').matchAll(/^(r\w+) +(0x[0-9a-f]+)$/gm))
        if (!printed.has(name!)) printed.set(name!, BigInt(value!))
      // Another thread may have got to the end before this one printed them.
      if (printed.size < 17) continue
      compared++
      const process = processOf(crash)
      const dead = openDebugger(process)
      const isFault = ({ pc, sp }: { pc: number; sp: number }): boolean =>
        BigInt(pc) === printed.get('rip') && BigInt(sp) === printed.get('rsp')
      const threads = process.runtime!.threads.filter(({ contexts }) =>
        contexts.some(({ position }) => isFault(position)),
      )
      assert.ok(threads[0], `${crash.program}: no thread was at the fault`)
      const stack = dead.stack({ kind: 'thread', tid: threads[0].thread.tid })
      const frame = stack.frames.find(isFault)
      assert.ok(frame, `${crash.program}: no frame at the fault`)
      for (const [name, value] of printed) {
        const number = amd64DwarfNames.indexOf(name as 'rip')
        if (number < 0) continue
        assert.equal(frame.registers.get(number)?.value, value, `${crash.program} ${name}`)
        const text = formatValue(dead.load(dead.evaluate(`$${name}`, { stack, frame })))
        assert.equal(BigInt(text), value, `${crash.program} $${name}`)
      }
    }
    assert.ok(compared >= 2)
  })
